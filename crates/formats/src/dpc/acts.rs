//! EF, E with F, D, H, 様式4 → rows.

use messages::{Message as Text, Severity};
use omop::{CostRow, DeviceExposureRow, DrugExposureRow, ObservationRow, ProcedureOccurrenceRow, VisitEventRow, type_concept};
use terms::Sex;

use super::layouts::{Layout, Role};
use super::reader::DpcReader;
use super::stays::{Act, Unit};
use crate::columns::{Row, int};
use crate::days::{Month, day};
use crate::numbers::{Number, decimal_at};
use crate::receipt::diagnoses::{Diagnosis, is_suspected};
use crate::rows::{Book, Cover, Who, whole};
use crate::seen::key;
use crate::written::Scribe;

fn micros(day: i32) -> i64 {
    i64::from(day) * 86_400_000_000
}

/// The stay that lines of a file belong to: told once, whatever number of files and lines name it; for a lake once a unit.
pub fn stay(reader: &mut DpcReader) {
    let (Some(start), end) = (reader.unit.start, reader.unit.end) else {
        return;
    };
    stay_events(&mut reader.book, &reader.unit, start, end, None, None, None, "act");
}

/// Admission and discharge of a stay, each told once a source.
#[allow(clippy::too_many_arguments)]
pub fn stay_events(
    book: &mut Book,
    unit: &Unit,
    start: i32,
    end: Option<i32>,
    from: Option<&str>,
    to: Option<&str>,
    died: Option<bool>,
    origin: &'static str,
) {
    let id = unit.local_id.as_bytes();
    let facility = unit.facility.as_bytes();
    let key = if book.is_for_lake() { unit.key.as_bytes() } else { b"" };
    let at = unit.at();
    let base =
        VisitEventRow { admitted_at: Some(micros(start)), patient_class: Some("I"), origin: Some(origin), ..Default::default() };
    if book.first(&[b"admission", facility, id, &start.to_le_bytes(), origin.as_bytes(), key]) {
        book.visit_event(&at, &VisitEventRow { event: "admission", event_date: start, admitted_from: from, ..base });
    }
    if let Some(end) = end.filter(|e| *e >= start)
        && book.first(&[b"discharge", facility, id, &start.to_le_bytes(), &end.to_le_bytes(), origin.as_bytes(), key])
    {
        book.visit_event(&at, &VisitEventRow { event: "discharge", event_date: end, discharged_to: to, died, ..base });
    }
}

/// An outpatient's day.
pub fn reception(reader: &mut DpcReader) {
    let unit = &reader.unit;
    if let Some(day) = unit.start
        && reader.book.first(&[b"reception", unit.facility.as_bytes(), unit.local_id.as_bytes(), &day.to_le_bytes()])
    {
        let row = VisitEventRow {
            event: "reception",
            event_date: day,
            patient_class: Some("O"),
            origin: Some("act"),
            ..Default::default()
        };
        reader.book.visit_event(&unit.at(), &row);
    }
}

/// The insurer of a line: told when it changes, and its class once a month.
fn insurer(reader: &mut DpcReader, row: Row<'_>, layout: &Layout, on: i32) {
    let bytes = row.get(layout.at(Role::insurer));
    if bytes.is_empty() {
        return;
    }
    let month = Month::at(on);
    if reader.unit.insurer == bytes && reader.unit.month == month.number() {
        return;
    }
    let (book, unit) = (&mut reader.book, &mut reader.unit);
    unit.month = month.number();
    if unit.insurer != bytes {
        unit.insurer = bytes.to_vec();
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let cover = Cover { plan_kind: "insurance", insurer: &text, ..Cover::default() };
    let at = unit.at();
    book.cover(&at, &unit.local_id, &cover);
    if book.first(&[b"plan", unit.facility.as_bytes(), unit.local_id.as_bytes(), bytes, &month.number().to_le_bytes()]) {
        let kind = String::from_utf8_lossy(row.get(layout.at(Role::claim_type))).into_owned();
        let kind = Some(kind.as_str()).filter(|k| !k.is_empty());
        book.plan(&at, &text, (month.first(), month.last()), unit.birth, kind);
    }
}

/// For a lake: the rows of a line are of its month's unit, which tells of the stay too.
fn in_month(reader: &mut DpcReader, on: i32, inpatient: bool) {
    if reader.options.lake && reader.unit.in_month(on) && inpatient {
        stay(reader);
    }
}

/// The line's own day; told when there is none.
fn service(reader: &mut DpcReader, row: Row<'_>, layout: &Layout, at: (&str, u64)) -> Option<i32> {
    let text = row.get(layout.at(Role::date));
    match day(text) {
        Some(d) => {
            in_month(reader, d.day, at.0 != "EFg");
            Some(d.day)
        }
        None => {
            reader.book.unread(Severity::Error, Text::new("formats-date"), at);
            None
        }
    }
}

/// How often; once where nothing is said. A line whose count cannot be read is not read: it is told.
fn count_of(reader: &mut DpcReader, row: Row<'_>, layout: &Layout, at: (&str, u64), scribe: &mut Scribe) -> Option<i64> {
    let bytes = row.code(layout.at(Role::count), scribe);
    let text = bytes.trim();
    let count = if text.is_empty() { Some(1) } else { int(text.as_bytes()) };
    if count.is_none() {
        reader.book.unread(Severity::Error, Text::new("formats-number"), at);
    }
    count
}

fn flag(row: Row<'_>, layout: &Layout, name: &str) -> Option<u8> {
    let flags = row.get(layout.at(Role::flags));
    let at = layout.flag(name)?;
    (flags.len() > at && flags.iter().all(u8::is_ascii_digit)).then(|| flags[at])
}

/// A line of EF.
pub fn ef(reader: &mut DpcReader, row: Row<'_>, layout: &'static Layout, outpatient: bool, number: u64, scribe: &mut Scribe) {
    let at = (if outpatient { "EFg" } else { "EFn" }, number);
    let Some(on) = service(reader, row, layout, at) else {
        return;
    };
    insurer(reader, row, layout, on);
    let section = row.get(layout.at(Role::section));
    if outpatient && section == b"SY" {
        outpatient_diagnosis(reader, row, layout, on, at, scribe);
        reader.book.read();
        return;
    }
    let line = row.get(layout.at(Role::line));
    let Some(count) = count_of(reader, row, layout, at, scribe) else { return };
    if !line.is_empty() && line.iter().all(|b| *b == b'0') {
        amount(reader, row, layout, "EF", section, count, (on, outpatient), at, scribe);
        reader.book.read();
        return;
    }
    detail(reader, row, layout, section, count, on, at, scribe);
    reader.book.read();
}

/// A detail: an act, a drug, a device; comments make no row.
#[allow(clippy::too_many_arguments)]
fn detail(
    reader: &mut DpcReader,
    row: Row<'_>,
    layout: &Layout,
    section: &[u8],
    count: i64,
    on: i32,
    at: (&str, u64),
    scribe: &mut Scribe,
) {
    let code = row.code(layout.at(Role::code), scribe);
    let local;
    let source: &str = if code.is_empty() {
        local = row.code(layout.at(Role::local_code), scribe);
        if local.is_empty() {
            reader.book.say_line(Severity::Warning, Text::new("formats-no-code"), at, layout.at(Role::code));
            reader.book.none("no-code");
            return;
        }
        &format!("L:{local}")
    } else {
        &code
    };
    let times = i32::try_from(count).ok();
    let unit = reader.unit.at();
    match code.as_bytes().first() {
        Some(b'6') => {
            let amount = decimal_at(row, layout.at(Role::amount), at, scribe, &mut reader.book).some().filter(|a| *a != 0.0);
            let unit_text = scribe.text(row.get(layout.at(Role::unit)));
            let days = if section == b"21" { times.filter(|d| (1..=3_660).contains(d)) } else { None };
            let brought = flag(row, layout, "brought_in").is_some_and(|f| f != b'0');
            reader.book.drug(
                &unit,
                DrugExposureRow {
                    drug_exposure_start_date: on,
                    drug_exposure_end_date: on + days.map_or(0, |d| d - 1),
                    drug_type_concept_id: type_concept::CLAIM,
                    quantity: amount.map(|a| a * count as f64),
                    days_supply: days,
                    sig: brought.then_some("brought-in"),
                    drug_source_value: Some(source),
                    drug_source_concept_id: Some(0),
                    route_source_value: std::str::from_utf8(section).ok(),
                    dose_unit_source_value: (!unit_text.is_empty() && unit_text != "0").then_some(&*unit_text),
                    ..Default::default()
                },
            );
        }
        Some(b'7') => {
            let amount = decimal_at(row, layout.at(Role::amount), at, scribe, &mut reader.book).some().filter(|a| *a != 0.0);
            let unit_text = scribe.text(row.get(layout.at(Role::unit)));
            reader.book.device(
                &unit,
                DeviceExposureRow {
                    device_exposure_start_date: on,
                    device_type_concept_id: type_concept::CLAIM,
                    quantity: amount.and_then(|a| whole(a * count as f64)),
                    device_source_value: Some(source),
                    device_source_concept_id: Some(0),
                    unit_source_value: (!unit_text.is_empty() && unit_text != "0").then_some(&*unit_text),
                    ..Default::default()
                },
            );
        }
        Some(b'8') => reader.book.none("comment-code"),
        _ => reader.book.procedure(
            &unit,
            ProcedureOccurrenceRow {
                procedure_date: on,
                procedure_type_concept_id: type_concept::CLAIM,
                quantity: times,
                procedure_source_value: Some(source),
                procedure_source_concept_id: Some(0),
                modifier_source_value: source.starts_with("160").then_some("order"),
                ..Default::default()
            },
        ),
    }
}

/// What an act cost by the fee schedule; it counts only where nothing better is there.
#[allow(clippy::too_many_arguments)]
fn amount(
    reader: &mut DpcReader,
    row: Row<'_>,
    layout: &Layout,
    from: &str,
    section: &[u8],
    count: i64,
    (on, outpatient): (i32, bool),
    at: (&str, u64),
    scribe: &mut Scribe,
) {
    let mut unread = false;
    let mut part = |role: Role| {
        let number = decimal_at(row, layout.at(role), at, scribe, &mut reader.book);
        unread |= number == Number::Unread;
        number.some().unwrap_or(0.0)
    };
    let each = part(Role::act_points) + part(Role::drug_cost) + part(Role::material_cost);
    if unread {
        // A part of the amount would be taken for the whole.
        reader.book.none("unread-amount");
        return;
    }
    let yen = row.get(layout.at(Role::yen)) == b"1";
    let points = each * count as f64 * if yen { 0.1 } else { 1.0 };
    let unit = &reader.unit;
    let counts = reader.options.amounts.count(&unit.facility, on, !outpatient, unit.stay, from == "D");
    let code = row.get(layout.at(Role::code));
    let source = [from.as_bytes(), b":", section, b":", code].concat();
    reader.book.cost(
        &reader.unit.at(),
        CostRow {
            cost_domain_id: "Visit",
            cost_type_concept_id: type_concept::CLAIM,
            total_charge: counts.then_some(points * 10.0),
            revenue_code_source_value: std::str::from_utf8(&source).ok(),
            visit_start: reader.unit.start,
            visit_class: Some(if outpatient { "O" } else { "I" }),
            points: Some(points),
            ..Default::default()
        },
    );
}

fn outpatient_diagnosis(reader: &mut DpcReader, row: Row<'_>, layout: &Layout, on: i32, at: (&str, u64), scribe: &mut Scribe) {
    let code = row.code(layout.at(Role::code), scribe);
    let name = scribe.text(row.get(layout.at(Role::name)));
    if code.is_empty() && name.is_empty() {
        reader.book.say_line(Severity::Warning, Text::new("formats-no-code"), at, layout.at(Role::code));
        reader.book.none("no-code");
        return;
    }
    let uncoded = code.is_empty() || code == "0000999";
    let source = if uncoded { format!("{code}:{name}") } else { code.into_owned() };
    let outcome = flag(row, layout, "outcome").filter(|o| *o != b'0').map(|o| [o]);
    let outcome = outcome.as_ref().and_then(|o| std::str::from_utf8(o).ok()).unwrap_or("");
    let sex = match flag(row, layout, "sex") {
        Some(b'1') => Some((Sex::Male, "1")),
        Some(b'2') => Some((Sex::Female, "2")),
        _ => None,
    };
    let unit = &reader.unit;
    if sex.is_some() {
        reader.book.who(&unit.at(), &Who { local_id: &unit.local_id, sex, ..Who::default() });
    }
    let end = matches!(outcome, "2" | "3" | "4").then_some(unit.start.unwrap_or(on));
    reader.held.add(
        &Diagnosis {
            institution: &unit.facility,
            patient: &unit.local_id,
            code: &source,
            icd10: None,
            start: on,
            end,
            outcome,
            role: if flag(row, layout, "main") == Some(b'1') { "main" } else { "" },
            suspected: is_suspected("", &name),
            ts: unit.ts,
        },
        &mut reader.book,
    );
}

/// The key that joins a line of F to its act: columns 1 to 6, and the month of the file, since 順序番号 begins anew each month and F has
/// no date (fact sheet of DPC, sections 1 and 3).
fn act_key(row: Row<'_>, layout: &Layout, month: usize) -> u128 {
    let parts = [Role::facility, Role::data_id, Role::admission, Role::discharge, Role::section, Role::sequence];
    let [a, b, c, d, e, f] = parts.map(|r| row.get(layout.at(r)));
    key(&[a, b, c, d, e, f, &month.to_le_bytes()])
}

/// The months of E and F files, as their names tell them: what follows the kind (`En_139999991_2404.txt`).
#[derive(Default)]
pub struct Months {
    names: Vec<String>,
    now: usize,
    /// Months of which there was a line of E.
    acts: std::collections::BTreeSet<usize>,
}

impl Months {
    /// Of the file being read.
    pub fn number(&self) -> u64 {
        self.now as u64
    }

    /// Begins a file.
    pub fn begin(&mut self, path: &str) {
        let name = path.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let month = stem.split_once(['_', '-', '.']).map_or("", |(_, rest)| rest);
        self.now = self.names.iter().position(|n| n == month).unwrap_or_else(|| {
            self.names.push(month.to_owned());
            self.names.len() - 1
        });
    }
}

/// The act of a line of F: that of its month. Only where no E file is named as this F file is, the one act that there is of any month.
fn act_of(reader: &DpcReader, row: Row<'_>, layout: &Layout) -> Result<Act, &'static str> {
    let find = |month: usize| reader.acts.get(&act_key(row, layout, month)).copied();
    let months = &reader.months;
    if let Some(act) = find(months.now) {
        return Ok(act);
    }
    if months.acts.contains(&months.now) {
        return Err("dpc-detail-without-act");
    }
    let mut others = months.acts.iter().filter_map(|month| find(*month));
    match (others.next(), others.next()) {
        (Some(act), None) => Ok(act),
        (None, _) => Err("dpc-detail-without-act"),
        (Some(_), Some(_)) => Err("dpc-detail-month"),
    }
}

/// Acts of an E file that are kept for their details: about 250 MB.
const MOST_ACTS: usize = 6_000_000;

/// A line of E: the act's amount, and its day for the details of F.
pub fn e(reader: &mut DpcReader, row: Row<'_>, layout: &'static Layout, number: u64, scribe: &mut Scribe) {
    let Some(on) = service(reader, row, layout, ("E", number)) else {
        return;
    };
    insurer(reader, row, layout, on);
    let at = ("E", number);
    let Some(count) = count_of(reader, row, layout, at, scribe) else { return };
    amount(reader, row, layout, "EF", row.get(layout.at(Role::section)), count, (on, false), at, scribe);
    if reader.acts.len() >= MOST_ACTS {
        reader.acts.clear();
    }
    let month = reader.months.now;
    reader.months.acts.insert(month);
    reader.acts.insert(act_key(row, layout, month), Act { day: on, count });
    reader.book.read();
}

/// A line of F: a detail of an act of E, which must have come before.
pub fn f(reader: &mut DpcReader, row: Row<'_>, layout: &'static Layout, number: u64, scribe: &mut Scribe) {
    let at = ("F", number);
    let act = match act_of(reader, row, layout) {
        Ok(act) => act,
        Err(code) => {
            reader.book.unread(Severity::Error, Text::new(code), at);
            return;
        }
    };
    in_month(reader, act.day, true);
    detail(reader, row, layout, row.get(layout.at(Role::section)), act.count, act.day, at, scribe);
    reader.book.read();
}

/// A line of D: the bundle's days and points, and the DPC code once a stay.
pub fn d(reader: &mut DpcReader, row: Row<'_>, layout: &'static Layout, number: u64, scribe: &mut Scribe) {
    let Some(on) = service(reader, row, layout, ("D", number)) else {
        return;
    };
    insurer(reader, row, layout, on);
    let at = ("D", number);
    let Some(count) = count_of(reader, row, layout, at, scribe) else { return };
    amount(reader, row, layout, "D", row.get(layout.at(Role::section)), count, (on, false), at, scribe);
    let code = row.code(layout.at(Role::dpc), scribe);
    let unit = &reader.unit;
    let start = unit.start.unwrap_or(on);
    if !code.is_empty()
        && reader.book.first(&[b"dpc", unit.facility.as_bytes(), unit.local_id.as_bytes(), &start.to_le_bytes(), code.as_bytes()])
    {
        let day = unit.end.unwrap_or(on);
        reader.book.observation(&unit.at(), stated("DPC", &code, day));
        let coefficient = row.code(layout.at(Role::coefficient), scribe);
        if !coefficient.is_empty() {
            let value_as_number = row.decimal(layout.at(Role::coefficient));
            reader.book.observation(&unit.at(), ObservationRow { value_as_number, ..stated("D-30", &coefficient, day) });
        }
    }
    reader.book.read();
}

/// A line of H: scores of a day.
pub fn h(reader: &mut DpcReader, row: Row<'_>, layout: &'static Layout, number: u64, scribe: &mut Scribe) {
    let Some(on) = service(reader, row, layout, ("H", number)) else {
        return;
    };
    let code = row.code(layout.at(Role::form_code), scribe);
    if code.is_empty() {
        reader.book.unread(Severity::Error, Text::new("formats-no-code"), ("H", number));
        return;
    }
    let first = layout.at(Role::p1);
    let payloads: Vec<std::borrow::Cow<'_, str>> = (first..first + 11).map(|n| row.code(n, scribe)).collect();
    let last = payloads.iter().rposition(|p| !p.is_empty()).map_or(0, |n| n + 1);
    let value = payloads[..last].join(" ");
    if value.is_empty() {
        reader.book.none("no-value");
        reader.book.read();
        return;
    }
    // B items: states 1, 6 and 7 as they are, 2 to 5 times whether there is assistance.
    let score = (code.starts_with("ASS002") && last >= 11).then(|| {
        let n: Vec<f64> = (first..first + 11).map(|n| row.decimal(n).unwrap_or(0.0)).collect();
        n[0] + n[5] + n[6] + (1..5).map(|i| n[i] * n[i + 6]).sum::<f64>()
    });
    let ward = row.code(layout.at(Role::ward), scribe);
    reader.book.observation(
        &reader.unit.at(),
        ObservationRow {
            value_as_number: score,
            qualifier_source_value: (!ward.is_empty()).then_some(&*ward),
            ..stated(&code, &value, on)
        },
    );
    reader.book.read();
}

/// A line of 様式4.
pub fn ff4(reader: &mut DpcReader, row: Row<'_>, layout: &'static Layout, number: u64) {
    let _ = number;
    let value = String::from_utf8_lossy(row.get(layout.at(Role::outside))).into_owned();
    if let Some(start) = reader.unit.start.filter(|_| !value.is_empty()) {
        reader.book.observation(&reader.unit.at(), stated("FF4", &value, start));
    } else {
        reader.book.none("no-value");
    }
    reader.book.read();
}

/// A line of 様式1: kept until its stay is complete.
pub fn ff1(reader: &mut DpcReader, row: Row<'_>, layout: &'static Layout, number: u64, scribe: &mut Scribe) {
    let form = row.int(layout.at(Role::form_number)).unwrap_or(0);
    let code = row.code(layout.at(Role::form_code), scribe).into_owned();
    if code.is_empty() {
        reader.book.unread(Severity::Error, Text::new("formats-no-code"), ("FF1", number));
        return;
    }
    let first = layout.at(Role::p1);
    let payloads = (first..first + 9).map(|n| scribe.text(row.get(n)).into_owned()).collect();
    reader.form1.of(&reader.unit).add(form, code, payloads, number);
    reader.book.read();
}

/// An observation of a value under a name.
pub fn stated<'a>(source: &'a str, value: &'a str, day: i32) -> ObservationRow<'a> {
    ObservationRow {
        observation_date: day,
        observation_type_concept_id: type_concept::EHR,
        observation_source_value: Some(source),
        observation_source_concept_id: Some(0),
        value_as_string: Some(value),
        value_source_value: Some(value),
        ..Default::default()
    }
}
