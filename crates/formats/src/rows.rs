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
        self.patients.push(Patient { local_id: local_id.to_owned(), set_aside: None });
        self.by_id.insert(local_id.to_owned(), number);
        number
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

/// Who a person is, as a source states it.
#[derive(Default, Clone)]
pub struct Who<'a> {
    /// The id as the provider writes it.
    pub local_id: &'a str,
    /// Ideographic family and given name.
    pub kanji: (Option<&'a str>, Option<&'a str>),
    /// Phonetic.
    pub kana: (Option<&'a str>, Option<&'a str>),
    /// Alphabetic.
    pub latin: Option<&'a str>,
    /// Birth date.
    pub birth: Option<i32>,
    /// Year and month where the day is not known.
    pub birth_parts: Option<(i32, Option<i32>)>,
    /// Sex, and how the source writes it.
    pub sex: Option<(Sex, &'a str)>,
    /// Postal code as written.
    pub postal: Option<&'a str>,
    /// Address as written.
    pub address: Option<&'a str>,
    /// Telephone.
    pub phone: Option<&'a str>,
}

/// An insurance as a source states it.
#[derive(Default, Clone, Copy)]
pub struct Cover<'a> {
    /// `insurance`, `public`.
    pub plan_kind: &'a str,
    /// Place among several: 1 insurance, 2 to 5 public.
    pub set_id: Option<&'a str>,
    /// Insurer or public payer.
    pub insurer: &'a str,
    /// 記号.
    pub symbol: &'a str,
    /// 番号, or the recipient's number of a public payer.
    pub number: &'a str,
    /// 枝番.
    pub branch: &'a str,
    /// Whether the insured or a dependant.
    pub relation: Option<&'a str>,
    /// First and last day of validity, where stated.
    pub valid: (Option<i32>, Option<i32>),
}

fn stated(text: &str) -> Option<&str> {
    let text = text.trim_matches([' ', '\u{3000}']);
    (!text.is_empty()).then_some(text)
}

impl Book {
    /// Identity and person, each told once: again only when a source says something else.
    pub fn who(&mut self, at: &At<'_>, who: &Who<'_>) {
        let birth = who.birth.map(i32::to_le_bytes);
        let sex = who.sex.map_or("", |s| s.0.as_str());
        let text = |t: Option<&'_ str>| t.unwrap_or("").as_bytes().to_vec();
        let facts: [Vec<u8>; 8] =
            [who.kanji.0, who.kanji.1, who.kana.0, who.kana.1, who.latin, who.postal, who.address, who.phone].map(text);
        let mut parts: Vec<&[u8]> = vec![b"identity", who.local_id.as_bytes(), sex.as_bytes()];
        parts.push(birth.as_ref().map_or(&[], |b| b.as_slice()));
        parts.extend(facts.iter().map(Vec::as_slice));
        let content = key(&parts);
        if !self.seen.first(content) {
            return;
        }
        let own = self.fact(at, || format!("identity|{content:032x}"));
        let as_person = self.fact(at, || format!("person|{}", at.key.split('|').next().unwrap_or("")));
        let of_person = At { key: &as_person, ..*at };
        let head = self.head(&At { key: &own, ..*at });
        self.columns.identity.push(
            &head,
            &IdentityRow {
                local_patient_id: who.local_id,
                family_name: who.kanji.0,
                given_name: who.kanji.1,
                family_kana: who.kana.0,
                given_kana: who.kana.1,
                latin_name: who.latin,
                birth_date: who.birth,
                sex: who.sex.map(|s| s.0.as_str()),
                postal_code: who.postal,
                address: who.address,
                phone: who.phone,
                work_phone: None,
            },
        );
        self.waiting += 1;
        let (year, month, date) = match (who.birth, who.birth_parts) {
            (Some(day), _) => {
                let (y, m, d) = civil_from_days(day);
                (y, Some(m as i32), Some(d as i32))
            }
            (None, Some((year, month))) => (year, month, None),
            (None, None) => return,
        };
        if !self.first(&[b"person", who.local_id.as_bytes()]) {
            return;
        }
        let area: String =
            who.postal.map(|p| narrow(p).chars().filter(char::is_ascii_digit).take(3).collect()).unwrap_or_default();
        let prefecture = who.address.and_then(crate::places::prefecture);
        let mut location_id = None;
        if area.len() == 3 || prefecture.is_some() {
            let area = if area.len() == 3 { area.as_str() } else { "" };
            let source = format!("{area}|{}", prefecture.unwrap_or(""));
            let id = crate::places::id_of("location", &source);
            location_id = Some(id);
            self.location(
                &of_person,
                &LocationRow {
                    location_id: id,
                    state: prefecture,
                    zip: (!area.is_empty()).then_some(area),
                    location_source_value: Some(&source),
                    ..Default::default()
                },
            );
        }
        self.person(
            &of_person,
            &PersonRow {
                gender_concept_id: gender_concept(who.sex.map_or(Sex::Unknown, |s| s.0)),
                year_of_birth: year,
                month_of_birth: month,
                day_of_birth: date,
                birth_datetime: who.birth.map(|d| i64::from(d) * 86_400_000_000),
                location_id,
                gender_source_value: who.sex.map(|s| s.1),
                gender_source_concept_id: Some(0),
                ..Default::default()
            },
        );
    }

    /// An insurance, told once a patient: insurer, symbol, number and branch are identity class. Widths are made one, so
    /// that `江０１` and `江01` are one symbol; what was written stays beside it.
    pub fn cover(&mut self, at: &At<'_>, local_id: &str, cover: &Cover<'_>) {
        let [insurer, symbol, number, branch] =
            [cover.insurer, cover.symbol, cover.number, cover.branch].map(|t| narrow(t.trim()));
        let [insurer, symbol, number, branch] = [&insurer, &symbol, &number, &branch].map(|t| stated(t));
        if insurer.is_none() && symbol.is_none() && number.is_none() {
            return;
        }
        let bytes = |t: Option<&'_ str>| t.unwrap_or("").to_owned();
        let day = |d: Option<i32>| d.unwrap_or(i32::MIN).to_le_bytes();
        let facts = [bytes(insurer), bytes(symbol), bytes(number), bytes(branch)];
        let (from, to) = (day(cover.valid.0), day(cover.valid.1));
        let parts: [&[u8]; 9] = [
            b"insurance",
            local_id.as_bytes(),
            cover.plan_kind.as_bytes(),
            facts[0].as_bytes(),
            facts[1].as_bytes(),
            facts[2].as_bytes(),
            facts[3].as_bytes(),
            &from,
            &to,
        ];
        let content = key(&parts);
        if !self.seen.first(content) {
            return;
        }
        let own = self.fact(at, || format!("insurance|{content:032x}"));
        let head = self.head(&At { key: &own, ..*at });
        let written = [cover.symbol, cover.number, cover.branch].map(|t| stated(t).unwrap_or("")).join("|");
        let same = written == [symbol, number, branch].map(|t| t.unwrap_or("")).join("|");
        self.columns.insurance.push(
            &head,
            &InsuranceRow {
                set_id: cover.set_id,
                plan_code: None,
                plan_kind: Some(cover.plan_kind),
                insurer_number: insurer,
                insured_symbol: symbol,
                insured_number: number,
                insured_branch: branch,
                valid_from: cover.valid.0,
                valid_to: cover.valid.1,
                relation: cover.relation,
                as_written: (!same).then_some(written.as_str()),
            },
        );
        self.waiting += 1;
    }

    /// A time under one class of insurer (法別番号: the first two digits of eight; six digits are 国保). The number itself
    /// is identity class and not here. Sources that count by months begin it with the month: it begins with the birth that the same
    /// source states where that is later, and there is none where all of it is before the birth.
    pub fn plan(&mut self, at: &At<'_>, insurer: &str, (start, end): (i32, i32), birth: Option<i32>, payer: Option<&str>) {
        if birth.is_some_and(|birth| birth > end.max(start)) {
            self.none("plan-before-birth");
            return;
        }
        let start = birth.map_or(start, |birth| birth.max(start));
        let insurer = insurer.trim();
        let class = match insurer.len() {
            8 => insurer.get(..2).unwrap_or(""),
            6 => "国保",
            _ => "",
        };
        self.payer_plan(
            at,
            PayerPlanPeriodRow {
                payer_plan_period_start_date: start,
                payer_plan_period_end_date: end.max(start),
                plan_source_value: (!class.is_empty()).then_some(class),
                plan_source_concept_id: Some(0),
                payer_source_value: payer,
                ..Default::default()
            },
        );
    }

    /// An institution, told once a patient.
    pub fn care_site(&mut self, at: &At<'_>, local_id: &str, code: &str) -> i64 {
        let id = crate::places::id_of("care_site", code);
        if self.first(&[b"care_site", local_id.as_bytes(), code.as_bytes()]) {
            let own = self.fact(at, || format!("care_site|{code}"));
            let head = self.head(&At { key: &own, ..*at });
            self.columns
                .care_site
                .push(&head, &CareSiteRow { care_site_id: id, care_site_source_value: Some(code), ..Default::default() });
            self.waiting += 1;
        }
        id
    }

    /// Free text under a title.
    pub fn note(&mut self, at: &At<'_>, day: i32, title: &str, text: &str, source: Option<&str>) {
        self.note_row(
            at,
            NoteRow {
                note_date: day,
                note_type_concept_id: type_concept::NOTE,
                note_title: Some(title),
                note_text: text,
                note_source_value: source,
                ..Default::default()
            },
        );
    }
}

/// A name at its first blank; without one the whole is the first part.
pub fn name_parts(text: &str) -> (Option<&str>, Option<&str>) {
    let text = text.trim_matches([' ', '\u{3000}']);
    match text.split_once([' ', '\u{3000}']) {
        Some((family, given)) => (stated(family), stated(given)),
        None => (stated(text), None),
    }
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
