//! Diagnoses of claims, held back until the end: a month repeats those of the month before, and only the last says how
//! it ended. One row per (institution, patient, code with modifiers, start).

use std::collections::HashMap;

use omop::{ConditionOccurrenceRow, ObservationRow, concept, type_concept};

use crate::rows::{At, Book};
use crate::seen::{ByItself, key};
use crate::{Output, ReadError};

/// Modifier: の疑い.
pub const SUSPECTED: &str = "8002";

/// Held diagnoses before they are handed out: about 200 MB.
const MOST: usize = 1_000_000;

/// A diagnosis as a claim states it.
pub struct Diagnosis<'a> {
    /// Institution (ten digits) and patient.
    pub institution: &'a str,
    /// Local id of the patient.
    pub patient: &'a str,
    /// Code with modifiers.
    pub code: &'a str,
    /// ICD-10 beside it.
    pub icd10: Option<&'a str>,
    /// Start.
    pub start: i32,
    /// End, when the outcome says that there is one.
    pub end: Option<i32>,
    /// 転帰.
    pub outcome: &'a str,
    /// Role: `main`, or 傷病名区分 of DPC.
    pub role: &'a str,
    /// Whether it is only suspected.
    pub suspected: bool,
    /// Time of the claim: the later one says how it ended.
    pub ts: i64,
}

struct Held {
    institution: Box<str>,
    patient: Box<str>,
    code: Box<str>,
    icd10: Option<Box<str>>,
    start: i32,
    end: Option<i32>,
    outcome: Box<str>,
    roles: String,
    suspected: bool,
    ts: i64,
}

/// All that are held.
#[derive(Default)]
pub struct Diagnoses {
    held: Vec<Held>,
    by_key: HashMap<u128, u32, ByItself>,
}

impl Diagnoses {
    /// Takes one in.
    pub fn add(&mut self, d: &Diagnosis<'_>, book: &mut Book) {
        let key = key(&[b"dx", d.institution.as_bytes(), d.patient.as_bytes(), d.code.as_bytes(), &d.start.to_le_bytes()]);
        if let Some(at) = self.by_key.get(&key)
            && let Some(held) = self.held.get_mut(*at as usize)
        {
            book.none("repeated-diagnosis");
            if !d.role.is_empty() && !held.roles.split(' ').any(|r| r == d.role) {
                if !held.roles.is_empty() {
                    held.roles.push(' ');
                }
                held.roles.push_str(d.role);
            }
            if held.icd10.is_none() {
                held.icd10 = d.icd10.map(Into::into);
            }
            if d.ts >= held.ts {
                held.ts = d.ts;
                held.outcome = d.outcome.into();
                held.end = d.end;
            }
            return;
        }
        if !book.seen.first(key) {
            book.none("repeated-diagnosis");
            return;
        }
        self.by_key.insert(key, self.held.len() as u32);
        self.held.push(Held {
            institution: d.institution.into(),
            patient: d.patient.into(),
            code: d.code.into(),
            icd10: d.icd10.map(Into::into),
            start: d.start,
            end: d.end,
            outcome: d.outcome.into(),
            roles: d.role.to_owned(),
            suspected: d.suspected,
            ts: d.ts,
        });
    }

    /// Whether so many are held that they must be handed out.
    pub fn is_full(&self) -> bool {
        self.held.len() >= MOST
    }

    /// Hands out all of them.
    pub fn write(&mut self, book: &mut Book, out: &mut dyn Output) -> Result<(), ReadError> {
        self.by_key = HashMap::default();
        for d in std::mem::take(&mut self.held) {
            let patient = book.patient(&d.patient);
            let key = format!("claim-diagnosis|{}|{}|{}", d.institution, d.code, d.start);
            let at = At { patient, key: &key, ts: d.ts };
            let roles = (!d.roles.is_empty()).then_some(d.roles.as_str());
            let outcome = (!d.outcome.is_empty()).then_some(&*d.outcome);
            if d.suspected {
                book.observation(
                    &at,
                    ObservationRow {
                        observation_date: d.start,
                        observation_type_concept_id: type_concept::CLAIM,
                        observation_source_value: Some(&d.code),
                        observation_source_concept_id: Some(0),
                        value_as_string: Some("suspected"),
                        qualifier_source_value: Some("suspected"),
                        value_source_value: outcome,
                        icd10: d.icd10.as_deref(),
                        ..Default::default()
                    },
                );
            } else {
                book.condition(
                    &at,
                    ConditionOccurrenceRow {
                        condition_start_date: d.start,
                        condition_end_date: d.end.filter(|e| *e >= d.start),
                        condition_type_concept_id: type_concept::CLAIM,
                        condition_status_concept_id: status(&d.roles),
                        stop_reason: outcome,
                        condition_source_value: Some(&d.code),
                        condition_source_concept_id: Some(0),
                        condition_status_source_value: roles,
                        icd10: d.icd10.as_deref(),
                        ..Default::default()
                    },
                );
            }
            book.relieve(out)?;
        }
        Ok(())
    }
}

/// Status of the weightiest role: main, then the one that led to the admission, then what took most resources.
fn status(roles: &str) -> Option<i32> {
    let has = |role: &str| roles.split(' ').any(|r| r == role);
    if roles.is_empty() {
        None
    } else if has("main") || has("11") {
        Some(concept::PRIMARY_DIAGNOSIS)
    } else if has("21") {
        Some(concept::ADMISSION_DIAGNOSIS)
    } else if has("01") {
        Some(concept::PRIMARY_DIAGNOSIS)
    } else {
        Some(concept::SECONDARY_DIAGNOSIS)
    }
}

/// Code with modifiers: `8838708+8002`. Modifiers are four digits each, one behind the other.
pub fn with_modifiers(code: &str, modifiers: &str) -> String {
    let mut out = code.to_owned();
    if modifiers.is_ascii() && modifiers.len().is_multiple_of(4) {
        for at in (0..modifiers.len()).step_by(4) {
            out.push('+');
            out.push_str(&modifiers[at..at + 4]);
        }
    } else if !modifiers.is_empty() {
        out.push('+');
        out.push_str(modifiers);
    }
    out
}

/// Whether modifiers, or a name that stands for a code, say that it is only suspected.
pub fn is_suspected(modifiers: &str, name: &str) -> bool {
    let coded = modifiers.as_bytes().chunks(4).any(|m| m == SUSPECTED.as_bytes());
    let name = name.trim_end_matches(['）', ')', ' ', '\u{3000}']);
    coded || ["疑い", "の疑", "疑"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_follow_the_code() {
        assert_eq!(with_modifiers("4779004", "8002"), "4779004+8002");
        assert_eq!(with_modifiers("4779004", "20568002"), "4779004+2056+8002");
        assert_eq!(with_modifiers("4779004", ""), "4779004");
        assert_eq!(with_modifiers("4779004", "80"), "4779004+80");
    }

    #[test]
    fn suspicion_is_a_modifier_or_the_end_of_a_name() {
        assert!(is_suspected("20568002", "") && is_suspected("", "右手のしびれの疑い"));
        assert!(!is_suspected("28002", "") && !is_suspected("", "疑義"));
    }
}
