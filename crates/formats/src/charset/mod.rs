//! Bytes as Japanese systems write them → text, with a note on whatever was repaired or could not be read.
//!
//! HL7 in Japan declares ISO 2022 with JIS X 0208; what arrives is that, or CP932, EUC-JP or UTF-8 under the same
//! header. In ISO 2022 both bytes of a kanji may look like a delimiter (淫 is `0|`), so text is decoded before it is
//! split.
//!
//! * [`decode`] decides what the bytes are and decodes them;
//! * `iso2022` is the state machine for escape sequences, with the repair of a missing return to ASCII;
//! * `eight_bit` tells CP932, EUC-JP and UTF-8 apart and decodes the first two;
//! * `sets` holds the 94×94 tables, taken from the EUC-JP decoder of `encoding_rs`.
//!
//! Two cells are mapped as JIS X 0208 and Unicode's own tables have them, not as the WHATWG decoder does: 0x215D is
//! U+2212 MINUS SIGN (there U+FF0D) and 0x2141 is U+301C WAVE DASH (there U+FF5E). The same holds for CP932 and EUC-JP,
//! so that one hospital's text is one text whatever it was sent in.
//!
//! Invariant: knows of HL7 only which bytes are its delimiters.

mod eight_bit;
mod iso2022;
mod sets;

use std::borrow::Cow;

pub use sets::unify;

/// What the bytes were found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// Seven bits, no escape sequence.
    Ascii,
    /// Escape sequences.
    Iso2022,
    /// Shift_JIS as Windows has it.
    Cp932,
    /// EUC-JP.
    EucJp,
    /// UTF-8, with or without byte order mark.
    Utf8,
}

impl Charset {
    /// Name for findings.
    pub const fn name(self) -> &'static str {
        match self {
            Charset::Ascii => "ASCII",
            Charset::Iso2022 => "ISO-2022-JP",
            Charset::Cp932 => "CP932",
            Charset::EucJp => "EUC-JP",
            Charset::Utf8 => "UTF-8",
        }
    }
}

/// What had to be done to read the bytes; counts are per file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes {
    /// Returns to ASCII that were missing and were put back at a delimiter or at the end of a segment.
    pub returns_repaired: u32,
    /// Bytes or cells that no character is known for; U+FFFD stands in their place.
    pub undecodable: u32,
    /// Characters of a vendor's private area; 〓 (U+3013) stands in their place.
    pub gaiji: u32,
    /// Runs under the old designation `ESC $ @` (JIS C 6226-1978), read with the table of JIS X 0208.
    pub old_sets: u32,
    /// Eight-bit bytes between the escape sequences of ISO 2022.
    pub eight_bit_in_iso2022: bool,
}

/// Decoded text; borrowed when the bytes were text already.
pub struct Decoded<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// What the bytes were.
    pub charset: Charset,
    /// What had to be repaired.
    pub notes: Notes,
}

/// Field, component, repetition, escape and subcomponent delimiters, which a missing return is repaired at.
pub type DelimiterBytes = [u8; 5];

/// Takes off what is not the message: byte order mark and MLLP start at the front, 0x1A, NUL and MLLP end at the back.
pub fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    while let [0x0B | b'\r' | b'\n', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., 0x1A | 0x00 | 0x1C | b'\r' | b'\n'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Decodes a message. `spare` is a buffer that is used again from message to message; the text borrows from it or from
/// `bytes`.
pub fn decode<'a>(bytes: &'a [u8], delimiters: DelimiterBytes, spare: &'a mut String) -> Decoded<'a> {
    let escaped = memchr::memchr(0x1B, bytes).is_some();
    let notes = Notes::default();
    if bytes.is_ascii() && !escaped {
        return Decoded { text: String::from_utf8_lossy(bytes), charset: Charset::Ascii, notes };
    }
    spare.clear();
    if escaped {
        let notes = iso2022::decode(bytes, delimiters, spare);
        return Decoded { text: Cow::Borrowed(spare), charset: Charset::Iso2022, notes };
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded { text: Cow::Borrowed(text), charset: Charset::Utf8, notes },
        Err(_) => {
            let (charset, notes) = eight_bit::decode(bytes, spare);
            Decoded { text: Cow::Borrowed(spare), charset, notes }
        }
    }
}
