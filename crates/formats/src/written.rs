//! Text of administrative files as it is: CP932 by rule, and in the same file UTF-8 or EUC-JP.
//!
//! Delimiters (comma, tab, line ends, quote) are never trail bytes in any of the three, so lines are split as bytes and
//! only fields with bytes above 0x7F are decoded. What a field is, is decided field by field, since files are put together
//! from parts: bytes that are UTF-8 *and* read as Japanese are UTF-8 (a CP932 text that would do so is 縺ょ…, no text
//! that anybody writes); else the charset of the file as a whole; else the other one; else U+FFFD stands where nothing fits.

use std::borrow::Cow;

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS};

use crate::charset::{Charset, unify};

/// What was met while decoding, since it was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Met {
    /// Fields in another charset than the file's.
    pub other: bool,
    /// Characters that could not be read.
    pub undecodable: u32,
    /// Characters of a vendor's private area.
    pub gaiji: u32,
}

/// Decodes the fields of one file.
pub struct Scribe {
    charset: Charset,
    met: Met,
}

impl Default for Scribe {
    fn default() -> Self {
        Self { charset: Charset::Cp932, met: Met::default() }
    }
}

impl Scribe {
    /// For a file that begins with these bytes. Each of its lines with bytes above 0x7F has a vote.
    pub fn of(beginning: &[u8]) -> Self {
        let beginning = beginning.get(..64 << 10).unwrap_or(beginning);
        if beginning.starts_with(b"\xEF\xBB\xBF") {
            return Self { charset: Charset::Utf8, met: Met::default() };
        }
        let (mut utf8, mut euc, mut sjis) = (0u32, 0u32, 0u32);
        let mut lines: Vec<&[u8]> = beginning.split(|b| *b == b'\n').collect();
        if lines.len() > 1 {
            lines.pop();
        }
        for line in lines.into_iter().filter(|l| !l.is_ascii()) {
            if japanese_utf8(line).is_some() {
                utf8 += 1;
                continue;
            }
            euc += u32::from(strict(EUC_JP, line).is_some());
            sjis += u32::from(strict(SHIFT_JIS, line).is_some());
        }
        let charset = match () {
            () if utf8 > euc.max(sjis) => Charset::Utf8,
            () if euc > sjis => Charset::EucJp,
            () => Charset::Cp932,
        };
        Self { charset, met: Met::default() }
    }

    /// What the file is as a whole.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// What was met since the last call.
    pub fn take(&mut self) -> Met {
        std::mem::take(&mut self.met)
    }

    /// The text of a field.
    #[inline]
    pub fn text<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, str> {
        if bytes.is_ascii() {
            return String::from_utf8_lossy(bytes);
        }
        self.decode(bytes)
    }

    fn decode<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, str> {
        if let Some(text) = japanese_utf8(bytes) {
            self.met.other |= self.charset != Charset::Utf8;
            return self.finished(Cow::Borrowed(text));
        }
        let (first, second) = if self.charset == Charset::EucJp { (EUC_JP, SHIFT_JIS) } else { (SHIFT_JIS, EUC_JP) };
        if let Some(text) = strict(first, bytes) {
            self.met.other |= self.charset == Charset::Utf8;
            return self.finished(text);
        }
        if let Some(text) = strict(second, bytes) {
            self.met.other = true;
            return self.finished(text);
        }
        let text = first.decode_without_bom_handling(bytes).0;
        self.finished(text)
    }

    /// Characters that no two systems agree on are marked, and the two that tables disagree on are made one.
    fn finished<'a>(&mut self, text: Cow<'a, str>) -> Cow<'a, str> {
        let odd = |c: char| matches!(c, '\u{FFFD}' | '\u{80}' | '\u{E000}'..='\u{F8FF}' | '\u{FF0D}' | '\u{FF5E}');
        if !text.chars().any(odd) {
            return text;
        }
        Cow::Owned(
            text.chars()
                .map(|c| match c {
                    '\u{FFFD}' | '\u{80}' => {
                        self.met.undecodable += 1;
                        '\u{FFFD}'
                    }
                    '\u{E000}'..='\u{F8FF}' => {
                        self.met.gaiji += 1;
                        '〓'
                    }
                    other => unify(other),
                })
                .collect(),
        )
    }
}

fn strict<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).filter(|t| !t.contains('\u{80}'))
}

/// The text when the bytes are UTF-8 and every character above ASCII is one that Japanese text has.
fn japanese_utf8(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fits = |c: char| {
        matches!(c,
            '\0'..='\u{7E}' | '\u{2000}'..='\u{27BF}' | '\u{3000}'..='\u{33FF}' | '\u{3400}'..='\u{9FFF}'
            | '\u{F900}'..='\u{FAFF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}'
            | '\u{E0100}'..='\u{E01EF}' | 'µ' | '×' | '÷' | '°' | '±' | '§' | '¶' | '´' | '¨' | '\u{391}'..='\u{3C9}')
    };
    // Two-byte characters alone are no proof: half-width katakana of CP932 look like them.
    let proof = text.chars().any(|c| c >= '\u{2000}');
    (proof && text.chars().all(fits)).then_some(text)
}

/// Full-width letters, digits and signs made half-width: for numbers and codes, never for names.
pub fn narrow(text: &str) -> Cow<'_, str> {
    let wide = |c: char| matches!(c, '\u{FF01}'..='\u{FF5E}' | '\u{3000}' | '\u{2212}' | '\u{2010}'..='\u{2015}');
    if text.is_ascii() || !text.chars().any(wide) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| match c {
                '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
                '\u{3000}' => ' ',
                '\u{2212}' | '\u{2010}'..='\u{2015}' => '-',
                other => other,
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_may_hold_three_charsets() {
        let cp932 = SHIFT_JIS.encode("脳梗塞").0.into_owned();
        let euc = EUC_JP.encode("慢性胃炎、詳細不明。").0.into_owned();
        let mut scribe = Scribe::of(&cp932);
        assert_eq!(scribe.charset(), Charset::Cp932);
        assert_eq!(scribe.text(&cp932), "脳梗塞");
        assert_eq!(scribe.take(), Met::default());
        assert_eq!(scribe.text("右手のしびれ".as_bytes()), "右手のしびれ");
        assert!(scribe.take().other);
        let mut scribe = Scribe::of(&euc);
        assert_eq!(scribe.charset(), Charset::EucJp);
        assert_eq!(scribe.text(&euc), "慢性胃炎、詳細不明。");
    }

    #[test]
    fn half_width_kana_and_vendor_characters_are_cp932() {
        let mut scribe = Scribe::default();
        for text in ["ﾔﾏﾀﾞ", "ﾂｱ", "ﾉｳｺｳｿｸ（髙橋式①）", "㈱㍻"] {
            let bytes = SHIFT_JIS.encode(text).0.into_owned();
            assert_eq!(scribe.text(&bytes), text);
        }
        assert_eq!(scribe.take(), Met::default());
        assert_eq!(scribe.text(b"\xF0\x40"), "〓");
        assert_eq!(scribe.text(b"\x80A"), "\u{FFFD}A");
        let met = scribe.take();
        assert_eq!((met.gaiji, met.undecodable), (1, 1));
    }

    #[test]
    fn any_bytes_are_text() {
        bolero::check!().with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(beginning, field)| {
            let mut scribe = Scribe::of(beginning);
            let text = scribe.text(field).into_owned();
            assert!(!text.chars().any(|c| ('\u{E000}'..='\u{F8FF}').contains(&c)));
        });
    }
}
