//! What the people of the truth file would look like at rest: names, kana, birth dates and ids in the encodings of
//! Japanese hospitals.

use std::collections::BTreeSet;

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8};

use super::scan::{SHORTEST, Scanner};
use crate::demo::truth::Patient;

/// The encodings that are tried.
pub const ENCODINGS: [&Encoding; 4] = [UTF_8, SHIFT_JIS, EUC_JP, ISO_2022_JP];
/// What stands between family and given name, in files and in tables.
const JOINS: [&str; 4] = ["", " ", "\u{3000}", "^"];

/// What a pattern is of a person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Full name.
    Name,
    /// Full name in kana.
    Kana,
    /// Birth date.
    Birth,
    /// Id at the provider.
    Id,
}

/// All of them.
pub const KINDS: [Kind; 4] = [Kind::Name, Kind::Kana, Kind::Birth, Kind::Id];

/// A text in an encoding; none where the encoding cannot write it. Of ISO-2022-JP without what shifts in and out at the
/// ends, which stands elsewhere in running text.
pub fn encoded(text: &str, encoding: &'static Encoding) -> Option<Vec<u8>> {
    if encoding == ISO_2022_JP {
        return iso_2022_jp(text);
    }
    let (bytes, _, lost) = encoding.encode(text);
    (!lost).then(|| bytes.into_owned())
}

/// `ESC $ B` and `ESC ( B` around what EUC-JP writes with the eighth bit.
fn iso_2022_jp(text: &str) -> Option<Vec<u8>> {
    let (euc, _, lost) = EUC_JP.encode(text);
    // JIS X 0212 and half-width kana are shifted to in other ways; names of the truth have neither.
    if lost || euc.contains(&0x8F) || euc.contains(&0x8E) {
        return None;
    }
    let mut out = Vec::new();
    let mut wide = euc.first().is_some_and(|b| *b >= 0x80);
    for byte in euc.iter() {
        if (*byte >= 0x80) != wide {
            wide = !wide;
            out.extend_from_slice(if wide { b"\x1b$B" } else { b"\x1b(B" });
        }
        out.push(byte & 0x7f);
    }
    Some(out)
}

/// What a patient would look like, of one kind.
pub fn of(patient: &Patient, kind: Kind) -> BTreeSet<Vec<u8>> {
    let joined = |names: &BTreeSet<(String, String)>| -> BTreeSet<Vec<u8>> {
        let texts = names.iter().flat_map(|(family, given)| JOINS.map(|join| format!("{family}{join}{given}")));
        texts.flat_map(|text| ENCODINGS.map(|e| encoded(&text, e))).flatten().collect()
    };
    let all = match kind {
        Kind::Name => joined(&patient.names),
        Kind::Kana => joined(&patient.kana),
        Kind::Birth => [patient.birth.strftime("%Y%m%d").to_string(), patient.birth.to_string()].map(String::into_bytes).into(),
        Kind::Id => [&patient.local_id, &patient.canonical].map(|id| id.clone().into_bytes()).into(),
    };
    all.into_iter().filter(|p| p.len() >= SHORTEST).collect()
}

/// Everything that is looked for, and the ids that no file or directory may be named by.
pub fn everything(patients: &[Patient], more_ids: &BTreeSet<String>) -> (Scanner, BTreeSet<String>) {
    let people = patients.iter().flat_map(|p| KINDS.iter().flat_map(|kind| of(p, *kind)));
    let scanner = Scanner::new(people.chain(more_ids.iter().map(|id| id.clone().into_bytes())));
    let ids = patients.iter().flat_map(|p| [p.local_id.clone(), p.canonical.clone()]);
    let births = patients.iter().map(|p| p.birth.strftime("%Y%m%d").to_string());
    let names = ids.chain(births).chain(more_ids.iter().cloned()).filter(|id| id.len() >= SHORTEST).collect();
    (scanner, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_2022_jp_is_what_others_write_without_the_shifts_at_the_ends() {
        for text in ["菊池哲也", "キクチ^テツヤ", "菊池 哲也", "菊池\u{3000}哲也"] {
            let (theirs, _, lost) = ISO_2022_JP.encode(text);
            // encoding_rs writes UTF-8 for labels that it only decodes; then there is nothing to compare with.
            assert!(!lost);
            let ours = encoded(text, ISO_2022_JP).expect("writable");
            let mut whole = b"\x1b$B".to_vec();
            whole.extend_from_slice(&ours);
            whole.extend_from_slice(b"\x1b(B");
            assert_eq!(whole, theirs.as_ref(), "{text}");
        }
    }

    #[test]
    fn a_character_that_an_encoding_lacks_makes_no_pattern() {
        assert!(encoded("𠮷田太郎", SHIFT_JIS).is_none() && encoded("𠮷田太郎", UTF_8).is_some());
    }
}
