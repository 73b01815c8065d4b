use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::{InvalidId, ProviderId, insured};

/// How a provider's patient ids are written the same way before anything is keyed by them. Fixed per provider at
/// onboarding: `123` in claims and `0000000123` in DPC are one person, and whoever stopped as one must not come in as
/// the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatientIdRule {
    /// Ids of digits: leading zeros do not count. Other ids: as [`PatientIdRule::Text`].
    #[default]
    Digits,
    /// Leading zeros count. Full-width characters, letter case, hyphens and blanks do not.
    Text,
    /// The provider is an insurer: no patient has a number, people are known by their card ([`crate::Insured`]). Everything else is no id:
    /// who said no under the chart number of some hospital would not be found.
    Insured,
}

/// A local patient id in its canonical form. It names a person: it never prints itself.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalPatientId(String);

impl CanonicalPatientId {
    /// The canonical text, for keyed hashing and for the identity vault only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CanonicalPatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PatientIdRule {
    /// The canonical form of an id as written by the provider.
    ///
    /// # Errors
    /// [`InvalidId`] when nothing is left, when it is longer than 64 characters or holds control characters (line breaks and tabs too:
    /// two ids on two lines are not one), or when it is digits with a blank between them, which may be two ids; when it begins as the written form
    /// of an insured person's id and is none.
    pub fn canonical(self, written: &str) -> Result<CanonicalPatientId, InvalidId> {
        let refused = InvalidId { what: "patient id", form: "1 to 64 visible characters" };
        let written = written.trim();
        if written.len() > 1_024 || written.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(refused);
        }
        let spelt = match insured::is_written(written) {
            true => Some(insured::read_written(written).ok_or(InvalidId {
                what: "patient id",
                form: "insured:INSURER:SYMBOL:NUMBER:BRANCH:YYYYMMDD:1|2:NAME IN KATAKANA",
            })?),
            false => None,
        };
        let written = spelt.as_deref().unwrap_or(written);
        let mut id: String = written
            .nfkc()
            .filter(|c| !c.is_whitespace() && !is_invisible(*c) && !matches!(c, '-' | '‐' | '‑' | '–' | '—' | '−' | 'ー'))
            .flat_map(char::to_uppercase)
            .collect();
        if id.is_empty() || id.chars().count() > 64 || id.chars().any(char::is_control) {
            return Err(refused);
        }
        let visible = || written.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        if id.bytes().all(|b| b.is_ascii_digit()) && visible().contains(char::is_whitespace) {
            return Err(refused);
        }
        if self == PatientIdRule::Insured && !insured::is_canonical(&id) {
            return Err(InvalidId {
                what: "id of an insured person",
                form: "insured:INSURER:SYMBOL:NUMBER:BRANCH:YYYYMMDD:1|2:NAME IN KATAKANA",
            });
        }
        if self == PatientIdRule::Digits && id.bytes().all(|b| b.is_ascii_digit()) {
            let first = id.bytes().position(|b| b != b'0').unwrap_or(id.len() - 1);
            id.drain(..first);
        }
        Ok(CanonicalPatientId(id))
    }

    /// The bytes that a keyed hash of a patient is made over: the provider and the canonical id, unambiguously.
    pub fn hash_input(provider: &ProviderId, id: &CanonicalPatientId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(provider.as_str().len() + id.0.len() + 1);
        bytes.extend_from_slice(provider.as_str().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(id.0.as_bytes());
        bytes
    }
}

/// Characters that nobody sees and that no id is told apart by (general category Cf, and variation selectors): somebody who said no under an
/// id that was pasted with one is the same person.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0001}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_and_unpadded_ids_of_one_patient_are_one() {
        let rule = PatientIdRule::Digits;
        let canonical = rule.canonical("123").expect("valid");
        for same in ["0000000123", " 123 ", "１２３", "00-123", "0123"] {
            assert_eq!(rule.canonical(same).expect("valid"), canonical, "{same}");
        }
        assert_ne!(rule.canonical("1230").expect("valid"), canonical);
        assert_eq!(rule.canonical("000").expect("valid").reveal(), "0");
        assert_eq!(rule.canonical("a-01").expect("valid").reveal(), "A01");
    }

    #[test]
    fn what_nobody_sees_makes_no_other_patient() {
        let rule = PatientIdRule::Digits;
        let plain = rule.canonical("8919382").expect("valid");
        for same in [
            "8919382\u{200b}",
            "\u{feff}8919382",
            "891\u{ad}9382",
            "\u{202a}8919382\u{202c}",
            "8919382\u{e0100}",
            " \u{200e}8919382 ",
        ] {
            assert_eq!(rule.canonical(same).expect("valid"), plain, "{same:?}");
        }
        assert!(rule.canonical("\u{200b}").is_err());
    }

    #[test]
    fn two_ids_are_not_one() {
        for two in
            ["00082\n73870", "123\t456", "123\r\n456", "123 456", "１２３\u{3000}４５６", "123\u{2028}456", "123\u{200b} 456"]
        {
            assert!(PatientIdRule::Digits.canonical(two).is_err(), "{two:?}");
            assert!(PatientIdRule::Text.canonical(two).is_err(), "{two:?}");
        }
        assert_eq!(PatientIdRule::Digits.canonical("AB 12\n").expect("valid").reveal(), "AB12");
    }

    #[test]
    fn where_leading_zeros_count_they_are_kept() {
        assert_ne!(PatientIdRule::Text.canonical("0123"), PatientIdRule::Text.canonical("123"));
    }

    #[test]
    fn ids_without_content_or_without_end_are_refused_and_never_printed() {
        for bad in ["", "   ", "-", "\u{1}", &"9".repeat(65)] {
            assert!(PatientIdRule::Digits.canonical(bad).is_err());
        }
        let id = PatientIdRule::Digits.canonical("123").expect("valid");
        assert_eq!(format!("{id:?}"), "[redacted]");
    }
}
