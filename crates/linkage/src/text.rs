//! Names as they are compared: one script, one width, one form of each character.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use crate::variants;

/// Any one character that the source could not write (〓 ● and the like).
pub(crate) const UNKNOWN: char = '〓';

/// NFKC without control characters and variation selectors, upper case.
pub(crate) fn plain(raw: &str) -> String {
    let kept = |c: &char| {
        !c.is_control()
            && !matches!(*c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
    };
    raw.nfkc().filter(kept).flat_map(char::to_uppercase).collect::<String>().trim().to_owned()
}

fn katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
        'ゝ' => 'ヽ',
        'ゞ' => 'ヾ',
        _ => c,
    }
}

/// A reading in katakana, nothing else changed. Expects [`plain`] text.
pub(crate) fn katakana_of(plain: &str) -> String {
    plain.chars().map(katakana).collect()
}

/// Whether a text is a reading: kana and marks only.
pub(crate) fn is_kana(text: &str) -> bool {
    text.chars().all(|c| matches!(c, 'ァ'..='ヺ' | 'ー' | 'ヽ' | 'ヾ' | 'ぁ'..='ゖ' | ' ' | '・'))
}

/// A reading: katakana, small letters large, ヅ as ズ, ヂ as ジ, ヱ ヰ ヲ as エ イ オ, ヴァ as バ, long-vowel marks dropped. Spaces stay.
/// Expects [`plain`] text.
pub(crate) fn kana(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    let mut chars = plain.chars().map(katakana).peekable();
    while let Some(c) = chars.next() {
        let c = match c {
            'ヴ' => match chars.peek() {
                Some('ァ' | 'ア') => pass(&mut chars, 'バ'),
                Some('ィ' | 'イ') => pass(&mut chars, 'ビ'),
                Some('ェ' | 'エ') => pass(&mut chars, 'ベ'),
                Some('ォ' | 'オ') => pass(&mut chars, 'ボ'),
                _ => 'ブ',
            },
            'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' | 'ッ' | 'ャ' | 'ュ' | 'ョ' | 'ヮ' => {
                char::from_u32(c as u32 + 1).unwrap_or(c)
            }
            'ヵ' => 'カ',
            'ヶ' => 'ケ',
            'ヅ' => 'ズ',
            'ヂ' => 'ジ',
            'ヱ' => 'エ',
            'ヰ' => 'イ',
            'ヲ' => 'オ',
            // dropped: long-vowel marks and what institutions write for them, and separators inside foreign names
            'ー' | '-' | '‐' | '−' | '–' | '—' | '~' | '・' | '.' | ',' | '\'' => continue,
            other => other,
        };
        out.push(c);
    }
    out
}

fn pass(chars: &mut std::iter::Peekable<impl Iterator<Item = char>>, c: char) -> char {
    chars.next();
    c
}

/// A written name: every character as the representative of its class, spaces kept. Expects [`plain`] text.
pub(crate) fn kanji(plain: &str) -> String {
    let one = |c: char| match c {
        '●' | '〓' | '■' | '□' | '?' | '*' | '\u{fffd}' | '\u{e000}'..='\u{f8ff}' => UNKNOWN,
        '・' | '.' | ',' | '-' => ' ',
        _ => variants::class(katakana(c)),
    };
    plain.chars().map(one).collect()
}

/// The vowel row of a letter of a normalised reading: 0 to 4 for a to o.
fn row(c: char) -> Option<u32> {
    const ROWS: [&str; 5] = [
        "アカサタナハマヤラワガザダバパ",
        "イキシチニヒミリギジビピ",
        "ウクスツヌフムユルグズブプ",
        "エケセテネヘメレゲゼデベペ",
        "オコソトノホモヨロゴゾドボポ",
    ];
    /// By place in the block of katakana; 9 where there is no vowel.
    static TABLE: LazyLock<[u8; 96]> = LazyLock::new(|| {
        let mut table = [9; 96];
        for (vowel, row) in (0..).zip(ROWS) {
            row.chars().for_each(|c| table[(c as usize).saturating_sub(BLOCK)] = vowel);
        }
        table
    });
    const BLOCK: usize = 0x30a0;
    let vowel = *TABLE.get((c as usize).checked_sub(BLOCK)?)?;
    (vowel < 5).then_some(u32::from(vowel))
}

/// Drops what only lengthens a vowel: ウ and オ after o, ウ after u. A weak form: オノ and オオノ are different names.
pub(crate) fn short(letters: &[char]) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(letters.len());
    for &c in letters {
        let lengthens = out
            .last()
            .and_then(|&p| row(p))
            .is_some_and(|r| matches!((r, c), (4, 'ウ' | 'オ') | (2, 'ウ') | (0, 'ア') | (1, 'イ')));
        if !lengthens {
            out.push(c);
        }
    }
    out
}

/// A letter without its voicing mark. A weak form, as ザキ and サキ are read both ways.
pub(crate) fn unvoiced(c: char) -> char {
    let at = |n: u32| char::from_u32(c as u32 - n).unwrap_or(c);
    match c {
        'ガ' | 'ギ' | 'グ' | 'ゲ' | 'ゴ' | 'ザ' | 'ジ' | 'ズ' | 'ゼ' | 'ゾ' | 'ダ' | 'デ' | 'ド' | 'バ' | 'ビ' | 'ブ' | 'ベ'
        | 'ボ' => at(1),
        'パ' | 'ピ' | 'プ' | 'ペ' | 'ポ' => at(2),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> String {
        kana(&plain(raw))
    }

    #[test]
    fn readings_agree_whatever_their_width_script_and_size() {
        for raw in ["ショウジ", "ｼｮｳｼﾞ", "しょうじ", "シヨウジ", "シヨウヂ", "ショウシ\u{3099}"] {
            assert_eq!(read(raw), "シヨウジ");
        }
        assert_eq!(read("か\u{3099}くﾞ"), "ガク\u{3099}".nfc().collect::<String>());
        assert_eq!([read("ヴァレリー"), read("ヴアレリイ")], ["バレリ", "バレリイ"]);
        assert_eq!(read("カヅヱ"), "カズエ");
    }

    #[test]
    fn different_names_stay_different_in_the_primary_form() {
        for (a, b) in [("サキ", "サギ"), ("オノ", "オオノ"), ("ユウキ", "ユキ")] {
            assert_ne!(read(a), read(b));
        }
        let letters = |s: &str| s.chars().collect::<Vec<_>>();
        assert_eq!(short(&letters("オオノ")), letters("オノ"));
        assert_eq!(short(&letters("シヨウコ")), letters("シヨコ"));
        assert_eq!("ザキ".chars().map(unvoiced).collect::<String>(), "サキ");
    }

    #[test]
    fn register_variants_of_a_character_are_one_class() {
        for pair in ["高髙", "崎﨑", "辺邉", "辺邊", "斎齋", "沢澤", "吉𠮷", "島嶋"] {
            let classes: Vec<char> = pair.chars().map(variants::class).collect();
            assert_eq!(classes[0], classes[1], "{pair}");
        }
        assert_ne!(variants::class('斉'), variants::class('斎'), "two families");
        assert_eq!(kanji(&plain("辻\u{e0100}")), kanji("辻"));
    }
}
