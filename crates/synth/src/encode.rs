//! Text to bytes as hospital systems write it: ISO-2022-JP by the HL7 rules, and what is found instead of it.

use std::sync::LazyLock;

use encoding_rs::{EUC_JP, SHIFT_JIS};

/// The bytes of one file. All but the first are wrong under the header that the files carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JIS X 0208 by escape sequences, back to ASCII before each delimiter.
    Iso2022,
    /// Windows code page 932.
    Cp932,
    /// EUC-JP.
    Euc,
    /// UTF-8 behind a byte order mark.
    Utf8Bom,
}

/// What is wrong with the bytes of a file besides the encoding; it can all be repaired without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dirt {
    /// Segments end in CR LF.
    pub crlf: bool,
    /// A 0x1A closes the file.
    pub control_z: bool,
    /// The escape back to ASCII is missing where a double-byte run ends a segment.
    pub open_end: bool,
    /// The escape back to ASCII is missing once inside a segment: the delimiter is swallowed. Not always repairable.
    pub open_field: bool,
}

const TO_ASCII: [u8; 3] = *b"\x1b(B";
const TO_KANJI: [u8; 3] = *b"\x1b$B";

/// JIS X 0208 cell of each character of the basic plane, 0 where there is none. Built from the decoder of `encoding_rs`,
/// so that rows 9 to 15 and 89 to 92 are the vendor characters (髙 﨑 ①) that systems write into such files.
static CELLS: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut cells = vec![0_u16; 0x1_0000];
    for row in 0x21..=0x7E_u8 {
        for cell in 0x21..=0x7E_u8 {
            let bytes = [row | 0x80, cell | 0x80];
            let (text, _, wrong) = EUC_JP.decode(&bytes);
            let mut chars = text.chars();
            if let (false, Some(c), None) = (wrong, chars.next(), chars.next())
                && let Some(slot) = cells.get_mut(c as usize)
                && *slot == 0
            {
                *slot = u16::from_be_bytes([row, cell]);
            }
        }
    }
    // The same cells under the characters of other converters.
    for (c, cell) in [('〜', 0x2141), ('−', 0x215D)] {
        cells[c as usize] = cell;
    }
    cells
});

fn cell(c: char) -> u16 {
    CELLS.get(c as usize).copied().unwrap_or(0)
}

/// Whether a character is of JIS X 0208 level 1 or 2 or a sign of rows 1 to 8: the repertoire the guideline allows.
pub fn in_guideline_repertoire(c: char) -> bool {
    c.is_ascii() || matches!(cell(c) >> 8, 0x21..=0x28 | 0x30..=0x74)
}

/// Whether a character can be written at all by the encodings that are not Unicode, vendor characters among them.
pub fn in_vendor_repertoire(c: char) -> bool {
    c.is_ascii() || cell(c) != 0
}

/// Writes `text`, whose segments end in CR, as the bytes of a file. Characters that the encoding does not have become 〓.
pub fn encode(text: &str, encoding: Encoding, dirt: Dirt, into: &mut Vec<u8>) {
    into.clear();
    match encoding {
        Encoding::Iso2022 => iso2022(text, dirt, into),
        Encoding::Cp932 => into.extend_from_slice(&SHIFT_JIS.encode(&plain(text)).0),
        Encoding::Euc => into.extend_from_slice(&EUC_JP.encode(&plain(text)).0),
        Encoding::Utf8Bom => {
            into.extend_from_slice(b"\xEF\xBB\xBF");
            into.extend_from_slice(text.as_bytes());
        }
    }
    if dirt.crlf && encoding != Encoding::Iso2022 {
        let mut out = Vec::with_capacity(into.len() + 16);
        for &b in into.iter() {
            out.push(b);
            if b == b'\r' {
                out.push(b'\n');
            }
        }
        *into = out;
    }
    if dirt.control_z {
        into.push(0x1A);
    }
}

/// Only characters that the double-byte sets have, under the code points that their encoders know.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '〜' => '～',
            '−' => '－',
            c if c.is_ascii() || cell(c) != 0 => c,
            _ => '〓',
        })
        .collect()
}

fn iso2022(text: &str, dirt: Dirt, into: &mut Vec<u8>) {
    let mut kanji = false;
    let mut forget = dirt.open_field;
    for c in text.chars() {
        if c.is_ascii() {
            if kanji {
                kanji = false;
                let forgotten = (c == '\r' && dirt.open_end) || (forget && matches!(c, '^' | '|'));
                if forgotten {
                    forget = false;
                } else {
                    into.extend_from_slice(&TO_ASCII);
                }
            }
            into.push(c as u8);
            if c == '\r' && dirt.crlf {
                into.push(b'\n');
            }
        } else {
            if !kanji {
                into.extend_from_slice(&TO_KANJI);
                kanji = true;
            }
            let cell = match cell(c) {
                0 => 0x222E, // 〓
                cell => cell,
            };
            into.extend_from_slice(&cell.to_be_bytes());
        }
    }
    if kanji {
        into.extend_from_slice(&TO_ASCII);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str, encoding: Encoding, dirt: Dirt) -> Vec<u8> {
        let mut out = Vec::new();
        encode(text, encoding, dirt, &mut out);
        out
    }

    #[test]
    fn each_field_is_back_in_ascii_before_its_delimiter() {
        let out = bytes("淫笠|宮^向\r", Encoding::Iso2022, Dirt::default());
        assert_eq!(out, b"\x1b$B0|3^\x1b(B|\x1b$B5\\\x1b(B^\x1b$B8~\x1b(B\r");
    }

    #[test]
    fn what_was_written_is_read_back_by_the_standard_decoders() {
        let text = "PID|山田^太郎\r髙﨑①㈱Ａ１２３ー−〜カナ\r";
        let same = |t: &str| t.replace('－', "−").replace('～', "〜");
        let out = bytes(text, Encoding::Iso2022, Dirt::default());
        assert_eq!(same(&encoding_rs::ISO_2022_JP.decode(&out).0), text);
        let out = bytes(text, Encoding::Cp932, Dirt::default());
        assert_eq!(same(&SHIFT_JIS.decode(&out).0), text);
        let out = bytes(text, Encoding::Euc, Dirt::default());
        assert_eq!(same(&EUC_JP.decode(&out).0), text);
        let out = bytes(text, Encoding::Utf8Bom, Dirt::default());
        assert_eq!(std::str::from_utf8(&out[3..]), Ok(text));
    }

    #[test]
    fn dirt_is_what_it_says() {
        let dirt = Dirt { crlf: true, control_z: true, open_end: true, open_field: false };
        assert_eq!(bytes("A|亜\r", Encoding::Iso2022, dirt), b"A|\x1b$B0!\r\n\x1a");
        let dirt = Dirt { open_field: true, ..Dirt::default() };
        assert_eq!(bytes("亜|亜|\r", Encoding::Iso2022, dirt), b"\x1b$B0!|\x1b$B0!\x1b(B|\r");
    }

    #[test]
    fn a_character_outside_every_set_becomes_the_geta_mark() {
        assert_eq!(bytes("𠮷\r", Encoding::Iso2022, Dirt::default()), b"\x1b$B\".\x1b(B\r");
        assert!(in_guideline_repertoire('高') && !in_guideline_repertoire('髙') && !in_guideline_repertoire('①'));
    }
}
