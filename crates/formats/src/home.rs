//! Whose patient numbers stand bare: they are those of one institution, and a delivery can hold several.

use std::sync::{Arc, OnceLock};

use terms::PatientIdRule;

use crate::seen::key;

/// The institution whose patient numbers are local ids as they are: the first that any reader of a delivery meets. Numbers
/// of every other one carry its code, so that chart 77 of two hospitals is two persons. The readers of one delivery share it.
#[derive(Clone, Default)]
pub struct Home {
    first: Arc<OnceLock<String>>,
    /// How the institution's numbers are made one; as they are written where nobody said.
    rule: Option<PatientIdRule>,
}

impl Home {
    /// That institution, whatever a delivery begins with, and its numbers by its own rule: the same patient has the same local id in every
    /// delivery, however a file pads it.
    pub fn of(institution: &str, rule: PatientIdRule) -> Self {
        Self { first: Arc::new(OnceLock::from(code(institution))), rule: Some(rule) }
    }

    /// Whether it stands before anything is read.
    pub fn is_settled(&self) -> bool {
        self.rule.is_some()
    }

    /// Whether the sender is an insurer: whatever charts its claims name, they are no numbers of its own.
    pub fn is_insurer(&self) -> bool {
        self.rule == Some(PatientIdRule::Insured)
    }

    /// Whether this is the institution whose numbers stand bare, once that is known.
    pub fn is_home(&self, institution: &str) -> bool {
        !institution.is_empty() && self.first.get().is_some_and(|first| *first == code(institution))
    }

    /// Local id of a patient number. The institution has ten digits (prefecture 2, fee table 1, institution 7) or, as DPC
    /// files write it, nine, without the fee table; or it is the system of an identifier. The fee table does not count: the dental
    /// department of a hospital has its charts.
    pub fn local_id(&self, institution: &str, number: &str) -> String {
        let institution = code(institution);
        if !institution.is_empty() && *self.first.get_or_init(|| institution.clone()) == institution {
            let canonical = self.rule.and_then(|rule| rule.canonical(number).ok());
            return canonical.map_or_else(|| number.to_owned(), |id| id.reveal().to_owned());
        }
        // Claims write `77` where DPC files write `0000000077`.
        let bare = if number.bytes().all(|b| b.is_ascii_digit()) { number.trim_start_matches('0') } else { number };
        format!("{institution}/{}", if bare.is_empty() { number } else { bare })
    }
}

fn code(institution: &str) -> String {
    let digits = institution.bytes().all(|b| b.is_ascii_digit());
    match institution.len() {
        9 if digits => format!("{}1{}", &institution[..2], &institution[2..]),
        10 if digits => format!("{}1{}", &institution[..2], &institution[3..]),
        // A file with no institution in it says nothing of whose charts these are.
        _ if digits => institution.to_owned(),
        // Hyphens and cases of a system are lost when ids are compared.
        _ => format!("system{:032X}", key(&[b"system", institution.as_bytes()])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_first_institution_stand_bare_and_of_every_other_carry_its_code() {
        let fixed = Home::of("1310000001", PatientIdRule::Digits);
        assert_eq!(fixed.local_id("1310000002", "77"), "1310000002/77");
        assert_eq!(fixed.local_id("130000001", "0000000077"), fixed.local_id("1310000001", "７７"));
        let home = Home::default();
        assert_eq!(home.local_id("1310000001", "77"), "77");
        assert_eq!(home.clone().local_id("130000001", "0000000077"), "0000000077");
        assert_eq!(home.local_id("130000002", "0000000077"), home.local_id("1310000002", "77"));
        assert_ne!(home.local_id("http://a/id", "77"), home.local_id("http://A/id", "77"));
        assert_eq!(home.local_id("", "77"), "/77");
        assert_eq!(home.local_id("1310000002", "000"), "1310000002/000");
    }

    #[test]
    fn departments_with_another_fee_table_are_the_same_house() {
        let fixed = Home::of("1310000001", PatientIdRule::Digits);
        assert_eq!(fixed.local_id("1330000001", "0077"), "77");
        assert!(fixed.is_home("1330000001") && fixed.is_home("130000001"));
        assert!(!fixed.is_home("1310000002") && !fixed.is_home("") && !fixed.is_home("\u{feff}130000001"));
        assert_eq!(fixed.local_id("1330000002", "77"), fixed.local_id("1310000002", "77"));
        let home = Home::default();
        assert_eq!((home.local_id("1330000001", "77"), home.local_id("1310000001", "77")), ("77".to_owned(), "77".to_owned()));
    }
}
