//! A CSV file by its mapping.

use std::collections::HashMap;

use messages::{Message as Text, Severity};
use omop::{ConditionOccurrenceRow, DeathRow, MeasurementRow, ObservationRow, VisitEventRow, concept, type_concept};
use terms::{Insured, Sex};

use super::mapping::{As, Mapping};
use super::rows::operator;
use crate::Home;
use crate::days::typed;
use crate::hl7::amount;
use crate::places::icd10_with_dot;
use crate::receipt::diagnoses::is_suspected;
use crate::rows::{At, Book, Cover, Who, name_parts};
use crate::written::{Scribe, narrow};

/// How the quotes of a record stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotes {
    /// All are closed.
    Closed,
    /// One is open at the end, that of the field with this number from 0: the record goes on in the next line.
    Open(usize),
    /// Text stands behind a closing one: no quote of RFC 4180 (section 2, 5 to 7), but a mark that somebody typed.
    Broken,
}

/// Fields of a record: quotes as in RFC 4180.
pub fn fields(bytes: &[u8], delimiter: u8, ends: &mut Vec<(usize, usize)>, plain: &mut Vec<u8>) -> Quotes {
    ends.clear();
    plain.clear();
    let (mut inside, mut closed, mut start, mut at) = (false, false, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' if inside && bytes.get(at + 1) == Some(&b'"') => {
                plain.push(b'"');
                at += 1;
            }
            b'"' if inside => (inside, closed) = (false, true),
            b if b == delimiter && !inside => {
                ends.push((start, plain.len()));
                start = plain.len();
                closed = false;
            }
            b'\r' | b'\n' if closed => {}
            _ if closed => return Quotes::Broken,
            b'"' if plain.len() == start => inside = true,
            b => plain.push(b),
        }
        at += 1;
    }
    ends.push((start, plain.len()));
    if inside { Quotes::Open(ends.len() - 1) } else { Quotes::Closed }
}

/// Whether lines that a quote joins are whole records each, so that the quote is a mark that somebody typed: a ditto mark on
/// two lines makes them one otherwise, and one person's values another's. `whole` is the number of fields of a record.
pub fn are_records(first: &[u8], last: &[u8], open: usize, delimiter: u8, whole: usize) -> bool {
    let count = |line: &[u8]| memchr::memchr_iter(delimiter, line).count() + 1;
    // Where the last field is open, the line has all its fields and goes on.
    open + 1 < whole && count(first) == whole && count(last) == whole
}

/// A file being read by a mapping.
pub struct Sheet<'m> {
    mapping: &'m Mapping,
    at: HashMap<String, usize>,
    width: usize,
}

/// One record.
struct Record<'r> {
    values: &'r [String],
    sheet: &'r Sheet<'r>,
}

impl<'m> Sheet<'m> {
    /// By the header of the file. Columns that the mapping names and the file does not have are told, and the other way round.
    pub fn new(mapping: &'m Mapping, header: &[String], book: &mut Book) -> Self {
        let at: HashMap<String, usize> = header.iter().enumerate().map(|(n, name)| (name.trim().to_owned(), n)).collect();
        // Which of two columns of one name is meant cannot be known.
        let mut at = at;
        let names = |c: &str| header.iter().filter(|name| name.trim() == c).count();
        let double: Vec<String> = mapping.columns().filter(|c| names(c) > 1).map(str::to_owned).collect();
        for name in double {
            if at.remove(&name).is_some() {
                let column = header.iter().position(|h| h.trim() == name).map_or(0, |n| n + 1);
                book.say_line(Severity::Error, Text::new("checkup-double-column"), ("CSV", 1), column);
            }
        }
        let missing = mapping.columns().filter(|c| !at.contains_key(*c)).count();
        if missing > 0 {
            book.say(Severity::Error, Text::new("checkup-mapping-columns").with("count", missing));
        }
        let unmapped = at.keys().filter(|name| !mapping.columns().any(|c| c == name.as_str())).count();
        if unmapped > 0 {
            book.say(Severity::Info, Text::new("checkup-unmapped-columns").with("count", unmapped));
        }
        Self { mapping, at, width: header.len() }
    }

    /// Number of fields of a record.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Local id of the person of a record; `None` where it does not say.
    pub fn local_id(&self, values: &[String], home: &Home) -> Option<String> {
        Record { values, sheet: self }.local_id(home)
    }

    /// Whether a list can name the person of a record that has an id.
    pub fn is_listable(&self, values: &[String], home: &Home) -> bool {
        !home.is_insurer() || Record { values, sheet: self }.insured().is_listable()
    }

    /// Whether the heading has every column by which the mapping tells people apart. A file without a heading has none.
    pub fn tells_people(&self, home: &Home) -> bool {
        let p = &self.mapping.person;
        let card = [&p.insurer, &p.symbol, &p.number, &p.branch, &p.birth, &p.sex, &p.kana, &p.kanji];
        match home.is_insurer() {
            true => card.into_iter().flatten().all(|column| self.at.contains_key(column)),
            false => p.local_id.iter().all(|column| self.at.contains_key(column)),
        }
    }

    /// The rows of a record. It is counted by the caller; false when it makes none, which is told.
    pub fn record(&self, values: &[String], line: u64, home: &Home, book: &mut Book) -> bool {
        if values.len() != self.width {
            let message = Text::new("formats-columns").with("found", values.len()).with("expected", self.width);
            book.say_line(Severity::Warning, message, ("CSV", line), 0);
        }
        Record { values, sheet: self }.write(line, home, book)
    }
}

impl Record<'_> {
    fn get(&self, column: &str) -> Option<&str> {
        let text = self.values.get(*self.sheet.at.get(column)?)?.trim_matches([' ', '\u{3000}', '\r']);
        (!text.is_empty() && !self.sheet.mapping.missing.iter().any(|m| m == text)).then_some(text)
    }

    fn of(&self, column: &Option<String>) -> Option<&str> {
        self.get(column.as_deref()?)
    }

    fn date(&self, column: &Option<String>, line: u64, book: &mut Book) -> Option<i32> {
        let name = column.as_deref()?;
        let text = self.get(name)?;
        let found = typed(&narrow(text));
        let place = self.sheet.at.get(name).map_or(0, |n| n + 1);
        match found {
            None => book.say_line(Severity::Warning, Text::new("formats-date"), ("CSV", line), place),
            Some(d) if d.out_of_era => book.say_line(Severity::Warning, Text::new("formats-out-of-era"), ("CSV", line), place),
            Some(_) => {}
        }
        found.map(|d| d.day)
    }

    /// Sex as it is written, and what it means; `None` in the pair where that is not known.
    fn sex(&self) -> Option<(&str, Option<Sex>)> {
        let person = &self.sheet.mapping.person;
        let written = self.of(&person.sex)?;
        let narrowed = narrow(written);
        let sex = match person.sexes.get(written).map_or(&*narrowed, String::as_str) {
            "male" | "1" | "男" => Some(Sex::Male),
            "female" | "2" | "女" => Some(Sex::Female),
            "other" => Some(Sex::Other),
            "unknown" => Some(Sex::Unknown),
            _ => None,
        };
        Some((written, sex))
    }

    /// The person by card, birth, sex and name.
    fn insured(&self) -> Insured<'_> {
        let p = &self.sheet.mapping.person;
        let [insurer, symbol, number, branch] = [&p.insurer, &p.symbol, &p.number, &p.branch].map(|c| self.of(c).unwrap_or(""));
        let birth = self.of(&p.birth).and_then(|text| typed(&narrow(text))).map(|d| d.day);
        let sex = match self.sex() {
            Some((_, Some(Sex::Male))) => "1",
            Some((_, Some(Sex::Female))) => "2",
            _ => "",
        };
        let kana = self.of(&p.kana).or_else(|| self.of(&p.kanji)).unwrap_or("");
        Insured { insurer, symbol, number, branch, birth, sex, kana }
    }

    /// The columns that the mapping names; of an insurer card, birth, sex and name.
    fn local_id(&self, home: &Home) -> Option<String> {
        let p = &self.sheet.mapping.person;
        if home.is_insurer() {
            return self.insured().local_id();
        }
        let parts: Vec<&str> = p.local_id.iter().filter_map(|c| self.get(c)).collect();
        (parts.len() == p.local_id.len()).then(|| joined(&parts))
    }

    fn write(&self, line: u64, home: &Home, book: &mut Book) -> bool {
        let mapping = self.sheet.mapping;
        let place = ("CSV", line);
        let Some(local_id) = self.local_id(home) else {
            book.say_line(Severity::Error, Text::new("formats-no-patient"), place, 0);
            return false;
        };
        let admission = mapping.stay.as_ref().and_then(|s| self.date(&Some(s.admission.clone()), line, book));
        let Some(on) = self.date(&mapping.person.date, line, book).or(admission) else {
            book.say_line(Severity::Error, Text::new("checkup-no-date"), place, 0);
            return false;
        };
        let birth = self.date(&mapping.person.birth, line, book);
        let sex = self.sex().map(|(written, sex)| {
            if sex.is_none() {
                book.say_line(Severity::Warning, Text::new("formats-sex"), place, 0);
            }
            (sex.unwrap_or(Sex::Unknown), written)
        });
        let patient = book.patient(&local_id);
        let institution = self.of(&mapping.person.institution).unwrap_or("");
        let key = format!("csv|{}|{institution}|{on}", mapping.name);
        let at = At { patient, key: &key, ts: i64::from(on) * 86_400_000_000 };
        let who = Who {
            local_id: &local_id,
            kanji: self.of(&mapping.person.kanji).map_or((None, None), name_parts),
            kana: self.of(&mapping.person.kana).map_or((None, None), name_parts),
            birth,
            sex,
            postal: self.of(&mapping.person.postal),
            ..Who::default()
        };
        book.who(&at, &who);
        let p = &mapping.person;
        let [insurer, symbol, number, branch] = [&p.insurer, &p.symbol, &p.number, &p.branch].map(|c| self.of(c).unwrap_or(""));
        book.cover(&at, &local_id, &Cover { plan_kind: "insurance", insurer, symbol, number, branch, ..Cover::default() });
        if !institution.is_empty() {
            book.care_site(&at, &local_id, institution);
        }
        match (&mapping.stay, admission) {
            (Some(stay), Some(admission)) => {
                let discharge = self.date(&stay.discharge, line, book).filter(|d| *d >= admission);
                let base = VisitEventRow {
                    admitted_at: Some(i64::from(admission) * 86_400_000_000),
                    patient_class: Some("I"),
                    origin: Some("form1"),
                    ..Default::default()
                };
                book.visit_event(
                    &at,
                    &VisitEventRow { event: "admission", event_date: admission, admitted_from: self.of(&stay.route), ..base },
                );
                let died = matches!(self.of(&stay.outcome), Some("6" | "7"));
                if let Some(discharge) = discharge {
                    let to = self.of(&stay.destination);
                    book.visit_event(
                        &at,
                        &VisitEventRow { event: "discharge", event_date: discharge, discharged_to: to, died: Some(died), ..base },
                    );
                    if died {
                        book.death(
                            &at,
                            &DeathRow {
                                death_date: discharge,
                                death_type_concept_id: Some(type_concept::EHR),
                                ..Default::default()
                            },
                        );
                    }
                }
            }
            _ => book.visit_event(
                &at,
                &VisitEventRow {
                    event: "reception",
                    event_date: on,
                    patient_class: Some("O"),
                    origin: Some("checkup"),
                    ..Default::default()
                },
            ),
        }
        self.diagnoses(&at, on, book);
        for item in &mapping.item {
            let Some(text) = self.get(&item.column) else {
                book.none("no-value");
                continue;
            };
            let column = self.sheet.at.get(&item.column).map_or(0, |n| n + 1);
            let mapped = item.values.get(text).map(String::as_str);
            match item.kind {
                As::Note => book.note(&at, on, &item.code, text, Some(&item.code)),
                As::Observation => book.observation(
                    &at,
                    ObservationRow {
                        observation_date: on,
                        observation_type_concept_id: type_concept::EHR,
                        observation_source_value: Some(&item.code),
                        observation_source_concept_id: Some(0),
                        value_as_string: Some(text),
                        value_source_value: Some(mapped.unwrap_or(text)),
                        unit_source_value: item.unit.as_deref(),
                        ..Default::default()
                    },
                ),
                As::Measurement => {
                    let found = if mapped.is_some() { None } else { amount(text) };
                    if found.is_none() && mapped.is_none() {
                        book.say_line(Severity::Warning, Text::new("formats-number"), place, column);
                    }
                    book.measurement(
                        &at,
                        MeasurementRow {
                            measurement_date: on,
                            measurement_type_concept_id: type_concept::EHR,
                            operator_concept_id: found.and_then(|a| a.operator).map(operator),
                            value_as_number: found.map(|a| a.number),
                            measurement_source_value: Some(&item.code),
                            measurement_source_concept_id: Some(0),
                            unit_source_value: item.unit.as_deref(),
                            value_source_value: Some(mapped.unwrap_or(text)),
                            ..Default::default()
                        },
                    );
                }
            }
        }
        true
    }

    fn diagnoses(&self, at: &At<'_>, on: i32, book: &mut Book) {
        for column in &self.sheet.mapping.diagnosis {
            let Some(text) = self.get(&column.column) else {
                continue;
            };
            let code = narrow(text);
            // One rule for all sources: what is only suspected is an observation.
            if is_suspected("", text) {
                book.observation(
                    at,
                    ObservationRow {
                        observation_date: on,
                        observation_type_concept_id: type_concept::EHR,
                        observation_source_value: Some(&code),
                        observation_source_concept_id: Some(0),
                        value_as_string: Some("suspected"),
                        qualifier_source_value: Some("suspected"),
                        value_source_value: Some(&column.role),
                        icd10: icd10_with_dot(&code).as_deref(),
                        ..Default::default()
                    },
                );
                continue;
            }
            let status = match column.role.as_str() {
                "A006010" | "A006030" => concept::PRIMARY_DIAGNOSIS,
                "A006020" => concept::ADMISSION_DIAGNOSIS,
                _ => concept::SECONDARY_DIAGNOSIS,
            };
            book.condition(
                at,
                ConditionOccurrenceRow {
                    condition_start_date: on,
                    condition_type_concept_id: type_concept::EHR,
                    condition_status_concept_id: Some(status),
                    condition_source_value: Some(&code),
                    condition_source_concept_id: Some(0),
                    condition_status_source_value: Some(&column.role),
                    icd10: icd10_with_dot(&code).as_deref(),
                    ..Default::default()
                },
            );
        }
    }
}

/// Local id of the values of several columns. Hyphens, blanks and cases are lost when ids are compared: class 1 number 12 is
/// not class 11 number 2, so the sign between them is one that stays, and stands in none of them.
fn joined(parts: &[&str]) -> String {
    if let [one] = parts {
        return narrow(one).into_owned();
    }
    let parts: Vec<String> = parts.iter().map(|p| narrow(p).replace('~', "~~").replace('/', "~")).collect();
    parts.join("/")
}

/// Texts of a record.
pub fn texts(ends: &[(usize, usize)], plain: &[u8], scribe: &mut Scribe, out: &mut Vec<String>) {
    out.resize_with(ends.len(), String::new);
    for ((from, to), text) in ends.iter().zip(out.iter_mut()) {
        text.clear();
        text.push_str(&scribe.text(&plain[*from..*to]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_id_are_told_apart_when_ids_are_compared() {
        let canonical = |parts: &[&str]| terms::PatientIdRule::default().canonical(&joined(parts)).expect("an id");
        assert!(canonical(&["1", "12"]) != canonical(&["11", "2"]));
        assert!(canonical(&["1/1", "2"]) != canonical(&["1", "1/2"]));
        assert!(canonical(&["1~", "2"]) != canonical(&["1", "~2"]));
        assert!(canonical(&["00-77"]) == canonical(&["77"]));
    }

    #[test]
    fn quotes_are_those_of_rfc_4180() {
        let (mut ends, mut plain) = (Vec::new(), Vec::new());
        let mut read = |bytes: &[u8]| {
            let closed = fields(bytes, b',', &mut ends, &mut plain);
            let texts: Vec<String> = ends.iter().map(|(a, b)| String::from_utf8_lossy(&plain[*a..*b]).into_owned()).collect();
            (closed, texts)
        };
        assert_eq!(read(b"a,\"b,\"\"c\"\"\",\n"), (Quotes::Closed, vec!["a".into(), "b,\"c\"".into(), "\n".into()]));
        assert_eq!(read(b"a,\"b\nc"), (Quotes::Open(1), vec!["a".into(), "b\nc".into()]));
        assert_eq!(read(b""), (Quotes::Closed, vec![String::new()]));
        assert_eq!(read(b"5\" x,y"), (Quotes::Closed, vec!["5\" x".into(), "y".into()]));
        assert_eq!(read(b"a,\"b\" c,d").0, Quotes::Broken);
        assert_eq!(read(b"a,\"\",d"), (Quotes::Closed, vec!["a".into(), String::new(), "d".into()]));
    }
}
