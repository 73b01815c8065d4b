//! What the readers of claims, DPC, checkups and FHIR write to: patients, rows, findings, counts, handed out chunk by chunk.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use messages::{Finding, Message as Text, Place, Severity};
use omop::{
    CareSiteRow, Columns, ConditionOccurrenceRow, CostRow, DeathRow, DeviceExposureRow, DrugExposureRow, Head, IdentityRow,
    InsuranceRow, LocationRow, MeasurementRow, NoteRow, ObservationRow, PayerPlanPeriodRow, PersonRow, ProcedureOccurrenceRow,
    SourceState, VisitEventRow, gender_concept, type_concept,
};
use terms::{Micros, Sex, civil_from_days};

use crate::seen::{Seen, key};
use crate::units::{Units, Where};
use crate::written::{Met, narrow};
use crate::{Chunk, Counts, Output, Patient, ReadError};

mod people;

pub use people::{Cover, Who, name_parts};

/// Which unit of a source a row is of: patient number in the chunk, key and time of the unit.
#[derive(Clone, Copy)]
pub struct At<'a> {
    /// Number of the patient in the chunk.
    pub patient: i64,
    /// Key of the unit that the source replaces as a whole.
    pub key: &'a str,
    /// Its time.
    pub ts: Micros,
}

impl<'a> At<'a> {
    fn head(&self) -> Head<'a> {
        Head { record_id: self.patient, source_key: self.key, source_ts: self.ts, source_state: SourceState::Live }
    }
}

/// Findings of one code told one by one in a file; what comes after is told as a number at its end.
const TOLD: u64 = 200;

#[derive(Default)]
struct Ids {
    condition: i64,
    drug: i64,
    procedure: i64,
    device: i64,
    measurement: i64,
    observation: i64,
    note: i64,
    payer: i64,
    cost: i64,
}

/// Rows waiting to be handed out.
pub struct Book {
    columns: Columns,
    patients: Vec<Patient>,
    by_id: HashMap<String, i64>,
    findings: Vec<Finding>,
    /// Counts since the last chunk.
    pub counts: Counts,
    /// What was told already, over all chunks.
    pub seen: Seen,
    ids: Ids,
    units: Option<Box<Units>>,
    file: String,
    /// Number of the payload, and of the file in it.
    place: (i32, i64),
    /// An error is told however many warnings of its code were.
    said: BTreeMap<(&'static str, Severity), u64>,
    waiting: usize,
    limit: usize,
}

impl Book {
    /// A chunk is handed out once so many rows wait.
    pub fn new(limit: usize) -> Self {
        Self {
            columns: Columns::default(),
            patients: Vec::new(),
            by_id: HashMap::new(),
            findings: Vec::new(),
            counts: Counts::default(),
            seen: Seen::default(),
            ids: Ids::default(),
            units: None,
            file: String::new(),
            place: (0, 0),
            said: BTreeMap::new(),
            waiting: 0,
            limit,
        }
    }

    /// The same, noting the units too where a lake is to have the rows: each as a line of `source_file`, all rows of one with one time, and
    /// who somebody is as units of their own, which stand whatever becomes of the claim or the stay that said it.
    #[must_use]
    pub fn for_lake(limit: usize, lake: bool) -> Self {
        Self { units: lake.then(Box::default), ..Self::new(limit) }
    }

    /// Whether units are noted.
    pub fn is_for_lake(&self) -> bool {
        self.units.is_some()
    }

    /// Rows are of this file from now on.
    pub fn begin_member(&mut self, path: &str, payload: u32, ordinal: u64) {
        self.place = (i32::try_from(payload).unwrap_or(i32::MAX), i64::try_from(ordinal).unwrap_or(i64::MAX));
        self.begin_file(path);
    }

    /// A unit that the source has taken back: what an earlier delivery said of it does not stand any more. Nothing where the same delivery
    /// tells of it.
    pub fn gone(&mut self, at: &At<'_>) {
        self.unit(at, SourceState::Deleted);
    }

    fn unit(&mut self, at: &At<'_>, state: SourceState) -> Micros {
        let Some(units) = &mut self.units else { return at.ts };
        let file = Where { payload: self.place.0, ordinal: self.place.1, path: &self.file };
        units.time(at, state, &self.patients, &file, &mut self.columns)
    }

    /// Key of a fact about somebody: for a lake a unit of its own, which stands whatever becomes of the one that told it.
    fn fact<'a>(&self, at: &At<'a>, own: impl FnOnce() -> String) -> Cow<'a, str> {
        if self.is_for_lake() { own().into() } else { at.key.into() }
    }

    #[inline]
    fn head<'a>(&mut self, at: &At<'a>) -> Head<'a> {
        let source_ts = self.unit(at, SourceState::Live);
        Head { source_ts, ..at.head() }
    }

    /// Findings are about this file from now on.
    pub fn begin_file(&mut self, path: &str) {
        path.clone_into(&mut self.file);
        self.said.clear();
    }

    /// Tells what was too much to be told one by one.
    pub fn end_file(&mut self) {
        for ((code, severity), count) in std::mem::take(&mut self.said) {
            if count > TOLD {
                let message = Text::new("formats-more").with("code", code).with("count", count - TOLD);
                self.push_finding(severity, message, None, None);
            }
        }
    }

    fn push_finding(&mut self, severity: Severity, message: Text, segment: Option<String>, field: Option<String>) {
        let file = (!self.file.is_empty()).then(|| self.file.clone());
        self.findings.push(Finding { severity, message, place: Place { file, segment, field } });
    }

    /// Adds a finding about the file.
    pub fn say(&mut self, severity: Severity, message: Text) {
        self.say_at(severity, message, None, None);
    }

    /// Adds a finding about a record (`SI[12]`: kind and line) and a field of it.
    pub fn say_at(&mut self, severity: Severity, message: Text, segment: Option<String>, field: Option<String>) {
        let told = self.said.entry((message.code, severity)).or_default();
        *told += 1;
        if *told <= TOLD {
            self.push_finding(severity, message, segment, field);
        }
    }

    /// The same for a line of a kind.
    pub fn say_line(&mut self, severity: Severity, message: Text, (kind, line): (&str, u64), field: usize) {
        // Formatting costs more than everything else: not for what is not told.
        if let Some(told) = self.said.get_mut(&(message.code, severity))
            && *told >= TOLD
        {
            *told += 1;
            return;
        }
        self.say_at(severity, message, Some(format!("{kind}[{line}]")), (field > 0).then(|| format!("{kind}-{field}")));
    }

    /// Findings about how a text was written.
    pub fn say_met(&mut self, met: Met, at: (&str, u64)) {
        if met.other {
            self.say_line(Severity::Warning, Text::new("formats-mixed-charset"), at, 0);
        }
        if met.undecodable > 0 {
            self.say_line(Severity::Warning, Text::new("formats-undecodable").with("count", met.undecodable), at, 0);
        }
        if met.gaiji > 0 {
            self.say_line(Severity::Warning, Text::new("formats-gaiji").with("count", met.gaiji), at, 0);
        }
    }

    /// A record that cannot be read: told, and counted.
    pub fn unread(&mut self, severity: Severity, message: Text, at: (&str, u64)) {
        self.counts.records += 1;
        self.counts.records_unread += 1;
        self.say_line(severity, message, at, 0);
    }

    /// A record that was understood.
    #[inline]
    pub fn read(&mut self) {
        self.counts.records += 1;
        self.counts.records_read += 1;
    }

    /// An empty line or an end-of-file mark.
    pub fn blank(&mut self) {
        self.counts.records += 1;
        self.counts.records_blank += 1;
    }

    /// Counts what was understood and makes no row.
    pub fn none(&mut self, why: &str) {
        match self.counts.without_row.get_mut(why) {
            Some(n) => *n += 1,
            None => {
                self.counts.without_row.insert(why.to_owned(), 1);
            }
        }
    }

    /// Number of a patient in the chunk that is being filled.
    pub fn patient(&mut self, local_id: &str) -> i64 {
        if let Some(number) = self.by_id.get(local_id) {
            return *number;
        }
        let number = self.patients.len() as i64;
        self.patients.push(Patient { local_id: local_id.to_owned(), set_aside: None, also: Vec::new() });
        self.by_id.insert(local_id.to_owned(), number);
        number
    }

    /// Notes other numbers of a patient.
    pub fn also(&mut self, local_id: &str, others: Vec<String>) {
        let number = self.patient(local_id);
        if let Some(patient) = usize::try_from(number).ok().and_then(|n| self.patients.get_mut(n)) {
            for other in others {
                if other != local_id && !patient.also.contains(&other) {
                    patient.also.push(other);
                }
            }
        }
    }

    /// Whether a fact is told for the first time.
    pub fn first(&mut self, parts: &[&[u8]]) -> bool {
        self.seen.first(key(parts))
    }

    /// Hands out a chunk when enough waits. Numbers of patients are new afterwards: only between units.
    ///
    /// # Errors
    /// When the output refuses.
    pub fn relieve(&mut self, out: &mut dyn Output) -> Result<bool, ReadError> {
        if self.waiting < self.limit && self.findings.len() < 50_000 && self.patients.len() < 200_000 {
            return Ok(false);
        }
        self.flush(out)?;
        Ok(true)
    }

    /// Hands out what waits.
    ///
    /// # Errors
    /// When the output refuses.
    pub fn flush(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        let mut counts = std::mem::take(&mut self.counts);
        counts.rows = self.waiting as u64;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting == 0 && self.findings.is_empty() && self.patients.is_empty() && counts == Counts::default() {
            return Ok(());
        }
        self.by_id.clear();
        if let Some(units) = &mut self.units {
            units.new_numbers();
        }
        out.chunk(Chunk {
            patients: std::mem::take(&mut self.patients),
            tables: self.columns.finish(),
            findings: std::mem::take(&mut self.findings),
            counts,
        })
    }
}

macro_rules! numbered {
    ($($(#[$doc:meta])* $method:ident $row:ident $table:ident $id:ident $counter:ident;)+) => {
        impl Book {
            $($(#[$doc])*
            #[inline]
            pub fn $method(&mut self, at: &At<'_>, row: $row<'_>) {
                self.ids.$counter += 1;
                let head = self.head(at);
                self.columns.$table.push(&head, &$row { $id: self.ids.$counter, ..row });
                self.waiting += 1;
            })+
        }
    };
}

numbered! {
    /// Adds a diagnosis.
    condition ConditionOccurrenceRow condition_occurrence condition_occurrence_id condition;
    /// Adds a drug.
    drug DrugExposureRow drug_exposure drug_exposure_id drug;
    /// Adds a procedure.
    procedure ProcedureOccurrenceRow procedure_occurrence procedure_occurrence_id procedure;
    /// Adds a device.
    device DeviceExposureRow device_exposure device_exposure_id device;
    /// Adds a measured value.
    measurement MeasurementRow measurement measurement_id measurement;
    /// Adds an observation.
    observation ObservationRow observation observation_id observation;
    /// Adds a time under one kind of insurance.
    payer_plan PayerPlanPeriodRow payer_plan_period payer_plan_period_id payer;
    /// Adds free text.
    note_row NoteRow note note_id note;
    /// Adds an amount.
    cost CostRow cost cost_id cost;
}

macro_rules! plain {
    ($($(#[$doc:meta])* $method:ident $row:ty, $table:ident;)+) => {
        impl Book {
            $($(#[$doc])*
            pub fn $method(&mut self, at: &At<'_>, row: &$row) {
                let head = self.head(at);
                self.columns.$table.push(&head, row);
                self.waiting += 1;
            })+
        }
    };
}

plain! {
    /// Adds the person.
    person PersonRow<'_>, person;
    /// Adds a death.
    death DeathRow<'_>, death;
    /// Adds an event of a visit.
    visit_event VisitEventRow<'_>, visit_event;
    /// Adds where a person lives.
    location LocationRow<'_>, location;
}

/// A count of things that has no fraction; half a device is not none, and no whole number says it.
pub(crate) fn whole(count: f64) -> Option<i32> {
    (count.fract() == 0.0 && count.abs() < 1e9).then_some(count as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_however_many_warnings_of_its_code_were() {
        let mut book = Book::new(usize::MAX);
        book.begin_file("a");
        for line in 0..TOLD + 5 {
            book.say_line(Severity::Warning, Text::new("formats-date"), ("RE", line), 0);
        }
        book.unread(Severity::Error, Text::new("formats-date"), ("RE", 999));
        book.end_file();
        let errors: Vec<_> = book.findings.iter().filter(|f| f.severity == Severity::Error).collect();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].place.segment.as_deref(), Some("RE[999]"));
        assert_eq!(book.findings.len() as u64, TOLD + 2);
    }
}
