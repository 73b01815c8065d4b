//! 様式1, a stay at a time: the parent form (統括診療情報番号 0) tells of the whole stay, its children of its wards.

use messages::{Message as Text, Severity};
use omop::{
    ConditionOccurrenceRow, DeathRow, MeasurementRow, ObservationRow, ProcedureOccurrenceRow, VisitEventRow, type_concept,
};
use terms::Sex;

use super::acts::{stated, stay_events};
use super::layouts::{Code, FORM1};
use super::stays::Unit;
use crate::days::{day, typed};
use crate::places::icd10_with_dot;
use crate::receipt::diagnoses::is_suspected;
use crate::rows::{Book, Who};
use crate::seen::key;
use crate::written::narrow;

struct Entry {
    form: i64,
    code: String,
    payloads: Vec<String>,
    line: u64,
}

/// The lines of one stay.
pub struct Form1Stay {
    admission: i32,
    entries: Vec<Entry>,
}

impl Entry {
    /// Payload n, from 1.
    fn get(&self, n: usize) -> &str {
        self.payloads.get(n - 1).map_or("", String::as_str).trim()
    }

    fn date(&self, n: usize) -> Option<i32> {
        day(self.get(n).as_bytes()).map(|d| d.day)
    }
}

impl Form1Stay {
    /// A stay that begins on this day.
    pub fn new(admission: i32) -> Self {
        Self { admission, entries: Vec::new() }
    }

    /// Adds a line.
    pub fn add(&mut self, form: i64, code: String, payloads: Vec<String>, line: u64) {
        self.entries.push(Entry { form, code, payloads, line });
    }

    /// A hash of what the lines say, whatever their order.
    pub fn content(&self) -> u128 {
        let line = |e: &Entry| {
            let parts: Vec<&[u8]> = std::iter::once(e.code.as_bytes()).chain(e.payloads.iter().map(|p| p.as_bytes())).collect();
            key(&parts) ^ u128::from(e.form as u64)
        };
        self.entries.iter().map(line).fold(0, u128::wrapping_add)
    }

    /// Its first line.
    pub fn line(&self) -> u64 {
        self.entries.first().map_or(0, |e| e.line)
    }

    fn parent(&self, code: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.form == 0 && e.code == code)
    }

    /// Writes its rows.
    pub fn write(self, unit: &mut Unit, book: &mut Book) {
        let discharge_entry = self.parent("A000030");
        let discharge = discharge_entry.and_then(|e| e.date(1)).or_else(|| self.parent("A000031").and_then(|e| e.date(2)));
        let discharge = discharge.filter(|d| *d >= self.admission);
        unit.end = discharge;
        unit.ts = i64::from(discharge.unwrap_or(self.admission)) * 86_400_000_000;
        unit.patient = book.patient(&unit.local_id);
        if let Some(patient) = self.parent("A000010") {
            self.person(patient, unit, book);
        }
        let outcome = discharge_entry.map_or("", |e| e.get(3));
        let died = matches!(outcome, "6" | "7");
        let from = self.parent("A000020").map(|e| e.get(2)).filter(|t| !t.is_empty());
        let to = discharge_entry.map(|e| e.get(2)).filter(|t| !t.is_empty());
        stay_events(book, unit, self.admission, discharge, from, to, Some(died), "form1");
        if died {
            let cause = self.parent("A006030").map(|e| e.get(2)).filter(|t| outcome == "6" && !t.is_empty());
            match discharge {
                Some(death_date) => book.death(
                    &unit.at(),
                    &DeathRow {
                        death_date,
                        death_type_concept_id: Some(type_concept::EHR),
                        cause_source_value: cause,
                        ..Default::default()
                    },
                ),
                None => book.say(Severity::Warning, Text::new("dpc-death-day")),
            }
        }
        for entry in &self.entries {
            if entry.form == 0 {
                self.entry(entry, discharge, unit, book);
            } else {
                self.child(entry, unit, book);
            }
        }
    }

    fn person(&self, entry: &Entry, unit: &Unit, book: &mut Book) {
        let birth = entry.date(1);
        if birth.is_none() {
            book.say_line(Severity::Warning, Text::new("formats-date"), ("FF1", entry.line), 9);
        }
        let sex = match &*narrow(entry.get(2)) {
            "1" => Some((Sex::Male, "1")),
            "2" => Some((Sex::Female, "2")),
            other => {
                if !other.is_empty() {
                    book.say_line(Severity::Warning, Text::new("formats-sex"), ("FF1", entry.line), 10);
                }
                None
            }
        };
        // Of a date that cannot be, the year is kept.
        let year = entry.get(1).get(..4).and_then(|y| y.parse().ok()).filter(|y| (1850..=2200).contains(y));
        let who = Who {
            local_id: &unit.local_id,
            birth,
            birth_parts: year.map(|y: i32| (y, None)),
            sex,
            postal: Some(entry.get(3)).filter(|p| !p.is_empty()),
            ..Who::default()
        };
        book.who(&unit.at(), &who);
    }

    /// A child form: a period in a ward.
    fn child(&self, entry: &Entry, unit: &Unit, book: &mut Book) {
        if entry.code != "A000031" {
            book.none("child-form");
            return;
        }
        let Some(start) = entry.date(1) else {
            book.say_line(Severity::Warning, Text::new("formats-date"), ("FF1", entry.line), 9);
            return;
        };
        let ward = self.entries.iter().find(|e| e.form == entry.form && e.code == "A000050");
        let ward = ward.and_then(|e| (2..=4).find(|n| !matches!(e.get(*n), "" | "0")));
        let department = self.entries.iter().find(|e| e.form == entry.form && e.code == "A000040").map(|e| e.get(2));
        if start > self.admission {
            book.visit_event(
                &unit.at(),
                &VisitEventRow {
                    event: "transfer",
                    event_date: start,
                    admitted_at: Some(i64::from(self.admission) * 86_400_000_000),
                    patient_class: Some("I"),
                    ward: ward.and_then(|n| ["general", "psychiatric", "other"].get(n - 2)).copied(),
                    department: department.filter(|d| !d.is_empty()),
                    origin: Some("form1"),
                    ..Default::default()
                },
            );
        }
    }

    fn entry(&self, entry: &Entry, discharge: Option<i32>, unit: &Unit, book: &mut Book) {
        let known = FORM1.code.iter().find(|c| c.code == entry.code);
        if known.is_none() {
            book.say_line(Severity::Warning, Text::new("dpc-unknown-code"), ("FF1", entry.line), 6);
        }
        if known.is_some_and(|k| !within(k, discharge.unwrap_or(self.admission))) {
            book.say_line(Severity::Info, Text::new("dpc-code-year"), ("FF1", entry.line), 6);
        }
        if let Some(role) = FORM1.diagnosis.iter().find(|d| d.code == entry.code) {
            self.diagnosis(entry, role.status, unit, book);
            return;
        }
        match entry.code.as_str() {
            "A000010" => {}
            "A007010" => operation(entry, self.admission, unit, book),
            _ => self.items(entry, known, discharge, unit, book),
        }
    }

    fn diagnosis(&self, entry: &Entry, status: i32, unit: &Unit, book: &mut Book) {
        let icd = narrow(entry.get(2));
        let code = narrow(entry.get(4));
        let modifiers: Vec<&str> = (5..=8).map(|n| entry.get(n)).filter(|m| !m.is_empty()).collect();
        let modifiers = modifiers.concat();
        let name = entry.get(9);
        let source = match (&*icd, &*code) {
            ("", "") if name.is_empty() => {
                book.none("no-code");
                return;
            }
            ("", "") => format!("text:{name}"),
            ("", code) => crate::receipt::diagnoses::with_modifiers(code, &modifiers),
            (icd, _) => icd.to_owned(),
        };
        let dotted = icd10_with_dot(&icd);
        if !icd.is_empty() && dotted.is_none() {
            book.say_line(Severity::Warning, Text::new("dpc-icd"), ("FF1", entry.line), 10);
        }
        let receipt = (!code.is_empty()).then(|| crate::receipt::diagnoses::with_modifiers(&code, &modifiers));
        if is_suspected(&modifiers, if icd.is_empty() && code.is_empty() { name } else { "" }) {
            book.observation(
                &unit.at(),
                ObservationRow {
                    qualifier_source_value: Some("suspected"),
                    value_source_value: Some(&entry.code),
                    icd10: dotted.as_deref(),
                    ..stated(&source, "suspected", self.admission)
                },
            );
            return;
        }
        book.condition(
            &unit.at(),
            ConditionOccurrenceRow {
                condition_start_date: self.admission,
                condition_type_concept_id: type_concept::EHR,
                condition_status_concept_id: Some(status),
                condition_source_value: Some(&source),
                condition_source_concept_id: Some(0),
                condition_status_source_value: Some(&entry.code),
                receipt_code: receipt.as_deref(),
                icd10: dotted.as_deref(),
                ..Default::default()
            },
        );
    }

    /// Everything else: measured values where the table says so, else the payload as it stands.
    fn items(&self, entry: &Entry, known: Option<&Code>, discharge: Option<i32>, unit: &Unit, book: &mut Book) {
        let place = |at: &str| if at == "discharge" { discharge.unwrap_or(self.admission) } else { self.admission };
        let first = entry.date(1);
        let own = first.unwrap_or_else(|| place(known.map_or("admission", |k| &k.at)));
        for n in 1..=9 {
            let value = entry.get(n);
            let source = format!("{}-{n}", entry.code);
            if value.is_empty() || (n == 1 && first.is_some() && entry.code.starts_with("A0000")) {
                continue;
            }
            if let Some(measure) = FORM1.measure.iter().find(|m| m.code == entry.code && m.payload == n) {
                let number: Option<f64> = narrow(value).parse().ok().filter(|v: &f64| v.is_finite());
                match number {
                    Some(0.0) => book.none("not-known"),
                    Some(number) => book.measurement(
                        &unit.at(),
                        MeasurementRow {
                            measurement_date: first.unwrap_or_else(|| place(&measure.at)),
                            measurement_type_concept_id: type_concept::EHR,
                            value_as_number: Some(number),
                            measurement_source_value: Some(&source),
                            measurement_source_concept_id: Some(0),
                            unit_source_value: Some(&measure.unit),
                            value_source_value: Some(value),
                            ..Default::default()
                        },
                    ),
                    None => book.say_line(Severity::Warning, Text::new("formats-number"), ("FF1", entry.line), n + 8),
                }
                continue;
            }
            if n == 9 {
                book.note(&unit.at(), own, "form 1", value, Some(&source));
                continue;
            }
            if value.len() == 8 && typed(value).is_none() && matches!(value, "00000000" | "99999999") {
                continue;
            }
            let number = narrow(value).parse().ok().filter(|v: &f64| v.is_finite() && entry.code == "A001020");
            book.observation(&unit.at(), ObservationRow { value_as_number: number, ..stated(&source, value, own) });
        }
    }
}

fn operation(entry: &Entry, admission: i32, unit: &Unit, book: &mut Book) {
    let code = narrow(entry.get(2));
    if code.is_empty() && entry.get(9).is_empty() {
        book.none("no-code");
        return;
    }
    let source = if code.is_empty() { format!("text:{}", entry.get(9)) } else { code.into_owned() };
    let on = entry.date(1);
    if on.is_none() {
        book.say_line(Severity::Warning, Text::new("formats-date"), ("FF1", entry.line), 9);
    }
    let parts: Vec<String> = [("side", 5), ("anaesthesia", 6)]
        .iter()
        .filter(|(_, n)| !entry.get(*n).is_empty())
        .map(|(word, n)| format!("{word}:{}", entry.get(*n)))
        .collect();
    let modifier = parts.join(" ");
    book.procedure(
        &unit.at(),
        ProcedureOccurrenceRow {
            procedure_date: on.unwrap_or(admission),
            procedure_type_concept_id: type_concept::EHR,
            quantity: Some(1),
            procedure_source_value: Some(&source),
            procedure_source_concept_id: Some(0),
            modifier_source_value: (!modifier.is_empty()).then_some(modifier.as_str()),
            ..Default::default()
        },
    );
}

fn within(code: &Code, on: i32) -> bool {
    let bound = |text: &Option<String>| text.as_deref().and_then(typed).map(|d| d.day);
    bound(&code.since).is_none_or(|d| d <= on) && bound(&code.until).is_none_or(|d| on <= d)
}
