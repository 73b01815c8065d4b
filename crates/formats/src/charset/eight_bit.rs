//! Eight-bit text that is not UTF-8: CP932 or EUC-JP, told apart by which of them the bytes are valid in, and where
//! both are, by which reading looks like Japanese.

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS};

use super::sets::unify;
use super::{Charset, Notes};

/// What stands for a character of a vendor's private area: the geta mark, as producers themselves write it.
const GETA: char = '〓';

/// Decodes into `out`.
pub fn decode(bytes: &[u8], out: &mut String) -> (Charset, Notes) {
    let strict = |encoding: &'static Encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let (charset, text) = match (strict(EUC_JP), strict(SHIFT_JIS)) {
        (Some(euc), None) => (Charset::EucJp, euc),
        (None, Some(sjis)) => (Charset::Cp932, sjis),
        (Some(euc), Some(sjis)) => {
            if oddness(&euc) <= oddness(&sjis) {
                (Charset::EucJp, euc)
            } else {
                (Charset::Cp932, sjis)
            }
        }
        (None, None) => {
            let (euc, sjis) = (EUC_JP.decode_without_bom_handling(bytes).0, SHIFT_JIS.decode_without_bom_handling(bytes).0);
            let broken = |text: &str| text.chars().filter(|c| *c == '\u{FFFD}').count();
            if broken(&euc) < broken(&sjis) { (Charset::EucJp, euc) } else { (Charset::Cp932, sjis) }
        }
    };
    let mut notes = Notes::default();
    out.reserve(text.len());
    for character in text.chars() {
        match character {
            '\u{FFFD}' | '\u{80}' => {
                notes.undecodable += 1;
                out.push('\u{FFFD}');
            }
            '\u{E000}'..='\u{F8FF}' => {
                notes.gaiji += 1;
                out.push(GETA);
            }
            other => out.push(unify(other)),
        }
    }
    (charset, notes)
}

/// How unlike Japanese text a reading is, weighed per character: half-width kana and rare kanji count against it,
/// hiragana, katakana and common kanji for it.
fn oddness(text: &str) -> i64 {
    text.chars()
        .map(|c| match c {
            '\0'..='\u{7E}' => 0,
            '\u{3041}'..='\u{30FF}' => -3,
            '\u{FF01}'..='\u{FF60}' => -1,
            '\u{4E00}'..='\u{9FFF}' => -1,
            '\u{FF61}'..='\u{FF9F}' => 4,
            '\u{E000}'..='\u{F8FF}' => 6,
            _ => 2,
        })
        .sum()
}
