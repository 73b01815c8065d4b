//! Coded fields → source values: the standard system of a column bare, any other as `SYSTEM:code`.

use std::borrow::Cow;

use crate::hl7::Field;

/// A coded field: code, text, coding system.
pub struct Coded<'t> {
    /// Code, in its first part before any subcomponent where the system has it so.
    pub code: Option<&'t str>,
    /// Text.
    pub text: Option<Cow<'t, str>>,
    /// Coding system.
    pub system: Option<&'t str>,
}

impl<'t> Coded<'t> {
    /// The code of the first repetition; of its two codings the one whose system is among `preferred`, else the first
    /// that has a code.
    pub fn of(field: Field<'t>, preferred: &[&str]) -> Self {
        let mut parts = [field; 6];
        let mut count = 0;
        let first = field.repetitions().next().unwrap_or(field);
        for (slot, part) in parts.iter_mut().zip(first.components()) {
            *slot = part;
            count += 1;
        }
        let code = |i: usize| if i < count { parts[i].code() } else { None };
        let text = |i: usize| if i < count { parts[i].text() } else { None };
        let alternate_is_better = code(3).is_some()
            && (code(0).is_none()
                || (code(5).is_some_and(|s| preferred.contains(&s)) && !code(2).is_some_and(|s| preferred.contains(&s))));
        if alternate_is_better {
            Coded { code: code(3), text: text(4).or_else(|| text(1)), system: code(5) }
        } else {
            Coded { code: code(0), text: text(1), system: code(2) }
        }
    }

    /// Neither code nor text.
    pub fn is_empty(&self) -> bool {
        self.code.is_none() && self.text.is_none()
    }

    /// The source value; `bare` are the systems that go without prefix. Codes without a system are the sender's own
    /// (`L:`), text without a code is `text:`.
    pub fn source_value(&self, bare: &[&str]) -> Option<Cow<'t, str>> {
        match (self.code, self.system, &self.text) {
            (Some(code), Some(system), _) if bare.contains(&system) => Some(Cow::Borrowed(code)),
            (Some(code), Some(system), _) => Some(Cow::Owned([system, ":", code].concat())),
            (Some(code), None, _) => Some(Cow::Owned(["L:", code].concat())),
            (None, _, Some(text)) => Some(Cow::Owned(["text:", text].concat())),
            (None, _, None) => None,
        }
    }
}

/// Spellings of JLAC10.
pub const JLAC10: &[&str] = &["JC10", "JLAC10"];
/// Spellings of HOT9.
pub const HOT9: &[&str] = &["HOT9", "HOT"];
/// MEDIS disease codes.
pub const DISEASE: &[&str] = &["MDCDX2"];

/// What a drug code labelled HOT9 is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrugCode {
    /// Nine digits beginning with 1.
    Hot9,
    /// Nine digits beginning with 6: the code of the receipt system (レセプト電算処理コード).
    Receipt,
    /// Seven digits: HOT7.
    Hot7,
    /// Thirteen digits: HOT13.
    Hot13,
    /// None of these.
    Odd,
}

impl DrugCode {
    /// By its form.
    pub fn of(code: &str) -> Self {
        let digits = code.bytes().all(|b| b.is_ascii_digit());
        match (digits, code.len(), code.as_bytes().first()) {
            (true, 9, Some(b'1')) => DrugCode::Hot9,
            (true, 9, Some(b'6')) => DrugCode::Receipt,
            (true, 7, Some(b'1')) => DrugCode::Hot7,
            (true, 13, Some(b'1')) => DrugCode::Hot13,
            _ => DrugCode::Odd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drug_codes_are_told_apart_by_their_form() {
        for (code, kind) in [
            ("108665201", DrugCode::Hot9),
            ("620007329", DrugCode::Receipt),
            ("1086652", DrugCode::Hot7),
            ("1086652010101", DrugCode::Hot13),
            ("00", DrugCode::Odd),
            ("10866520X", DrugCode::Odd),
        ] {
            assert_eq!(DrugCode::of(code), kind, "{code}");
        }
    }
}
