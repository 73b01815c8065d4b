//! Events → visits, from one chunk alone. The platform assembles visits over all packages of a record; this is for
//! readers of the CSV files: a reception is an outpatient visit, an admission and the discharge that names the same
//! start (or is the next one) are an inpatient visit, a stay without a discharge ends on the last day that is known.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use omop::{Columns, Head, SourceState, Table, VisitOccurrenceRow, concept, type_concept};
use terms::Micros;

use crate::ReadError;

struct Event {
    word: String,
    key: String,
    source_ts: Micros,
    day: i32,
    at: Option<Micros>,
    admitted_at: Option<Micros>,
    department: Option<String>,
    admitted_from: Option<String>,
    discharged_to: Option<String>,
}

/// `visit_occurrence` of a chunk's tables.
pub fn visits(tables: &[(Table, RecordBatch)]) -> Vec<(Table, RecordBatch)> {
    let Some((_, batch)) = tables.iter().find(|(t, _)| *t == Table::VisitEvent) else {
        return Vec::new();
    };
    let mut by_patient: BTreeMap<i64, Vec<Event>> = BTreeMap::new();
    for (patient, event) in events(batch) {
        by_patient.entry(patient).or_default().push(event);
    }
    let mut columns = Columns::default();
    for (patient, mut events) in by_patient {
        events.sort_by_key(|e| (e.day, e.at, e.source_ts));
        write(patient, &events, &mut columns);
    }
    columns.finish()
}

fn write(patient: i64, events: &[Event], columns: &mut Columns) {
    let last_day = events.iter().map(|e| e.day).max().unwrap_or_default();
    let mut taken = vec![false; events.len()];
    for event in events {
        let stay = event.word == "admission";
        if !stay && event.word != "reception" {
            continue;
        }
        let start = event.admitted_at.or(event.at);
        let mut discharges = events.iter().enumerate().filter(|(i, e)| stay && !taken[*i] && e.word == "discharge");
        let same_start = discharges.clone().find(|(_, e)| e.admitted_at.is_some() && e.admitted_at == start);
        let end = same_start.or_else(|| discharges.find(|(_, e)| e.admitted_at.is_none() && e.day >= event.day));
        if let Some((i, _)) = end {
            taken[i] = true;
        }
        let end = end.map(|(_, e)| e);
        let head =
            Head { record_id: patient, source_key: &event.key, source_ts: event.source_ts, source_state: SourceState::Live };
        columns.visit_occurrence.push(
            &head,
            &VisitOccurrenceRow {
                visit_concept_id: if stay { concept::INPATIENT_VISIT } else { concept::OUTPATIENT_VISIT },
                visit_start_date: event.day,
                visit_start_datetime: event.at,
                visit_end_date: match end {
                    Some(end) => end.day.max(event.day),
                    None if stay => last_day,
                    None => event.day,
                },
                visit_end_datetime: if stay { end.and_then(|e| e.at) } else { event.at },
                visit_type_concept_id: type_concept::EHR,
                visit_source_value: Some(&event.key),
                admitted_from_source_value: event.admitted_from.as_deref(),
                discharged_to_source_value: end.and_then(|e| e.discharged_to.as_deref()),
                department: event.department.as_deref(),
                open_stay: Some(stay && end.is_none()),
                ..Default::default()
            },
        );
    }
}

fn events(batch: &RecordBatch) -> Vec<(i64, Event)> {
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let time = |name: &str, row: usize| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    (0..batch.num_rows())
        .filter_map(|row| {
            let patient = batch.column_by_name("record_id")?.as_primitive_opt::<Int64Type>()?.value(row);
            let day = batch.column_by_name("event_date")?.as_primitive_opt::<Date32Type>()?.value(row);
            let event = Event {
                word: text("event", row)?,
                key: text("source_key", row)?,
                source_ts: time("source_ts", row)?,
                day,
                at: time("event_datetime", row),
                admitted_at: time("admitted_at", row),
                department: text("department", row),
                admitted_from: text("admitted_from", row),
                discharged_to: text("discharged_to", row),
            };
            // Events with an origin are put together over all chunks, by [`Visits`].
            text("origin", row).is_none().then_some((patient, event))
        })
        .collect()
}

/// Visits that claims, DPC files and checkups tell of, put together over all chunks: one a person and day of an outpatient,
/// one a person and day of admission, whatever number of months and files tells of it. What 様式1 says of a stay stands
/// before what lines of acts say, and that before claims.
#[derive(Default)]
pub struct Visits {
    by_key: HashMap<(i64, u8, i32), usize>,
    all: Vec<Visit>,
}

struct Visit {
    person: i64,
    class: u8,
    start: i32,
    end: Option<i32>,
    last: i32,
    rank: u8,
    from: Option<String>,
    to: Option<String>,
    key: String,
}

fn rank(origin: &str) -> u8 {
    match origin {
        "form1" => 3,
        "act" => 2,
        "claim" => 1,
        _ => 0,
    }
}

impl Visits {
    /// Takes the events of a chunk in.
    pub fn take(&mut self, tables: &[(Table, RecordBatch)], persons: &[i64]) {
        let Some((_, batch)) = tables.iter().find(|(t, _)| *t == Table::VisitEvent) else {
            return;
        };
        for row in 0..batch.num_rows() {
            self.event(batch, row, persons);
        }
    }

    fn event(&mut self, batch: &RecordBatch, row: usize, persons: &[i64]) -> Option<()> {
        let text = |name: &str| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            column.is_valid(row).then(|| column.value(row))
        };
        let day = |name: &str| {
            let column = batch.column_by_name(name)?.as_primitive_opt::<Date32Type>()?;
            column.is_valid(row).then(|| column.value(row))
        };
        let origin = text("origin")?;
        let word = text("event")?;
        let number = batch.column_by_name("record_id")?.as_primitive_opt::<Int64Type>()?.value(row);
        let person = *persons.get(usize::try_from(number).ok()?)?;
        let on = day("event_date")?;
        let admitted = batch.column_by_name("admitted_at")?.as_primitive_opt::<TimestampMicrosecondType>()?;
        let admitted = admitted.is_valid(row).then(|| (admitted.value(row).div_euclid(86_400_000_000)) as i32);
        let class = *text("patient_class").unwrap_or("O").as_bytes().first()?;
        let start = if class == b'I' { admitted? } else { on };
        let at = *self.by_key.entry((person, class, start)).or_insert_with(|| {
            let key = text("source_key").unwrap_or("").to_owned();
            self.all.push(Visit { person, class, start, end: None, last: start, rank: 0, from: None, to: None, key });
            self.all.len() - 1
        });
        let visit = self.all.get_mut(at)?;
        let rank = rank(origin);
        let better = rank >= visit.rank;
        visit.rank = visit.rank.max(rank);
        visit.last = visit.last.max(day("last_day").unwrap_or(on));
        if word == "discharge" && (better || visit.end.is_none()) {
            visit.end = Some(on);
        }
        for (slot, name) in [(&mut visit.from, "admitted_from"), (&mut visit.to, "discharged_to")] {
            if let Some(value) = text(name)
                && (better || slot.is_none())
            {
                *slot = Some(value.to_owned());
            }
        }
        Some(())
    }

    /// Amounts with the visit that they belong to.
    pub fn tied(&self, batch: &RecordBatch, persons: &[i64]) -> Result<RecordBatch, ReadError> {
        let missing = || ReadError::from(ArrowError::SchemaError("not a batch of amounts".to_owned()));
        let at = batch.schema().index_of("cost_event_id")?;
        let starts =
            batch.column_by_name("visit_start").and_then(|c| c.as_primitive_opt::<Date32Type>().cloned()).ok_or_else(missing)?;
        let classes = batch.column_by_name("visit_class").and_then(|c| c.as_string_opt::<i32>()).ok_or_else(missing)?;
        let numbers =
            batch.column_by_name("record_id").and_then(|c| c.as_primitive_opt::<Int64Type>().cloned()).ok_or_else(missing)?;
        let ids: Int64Array = (0..batch.num_rows())
            .map(|row| {
                let person = usize::try_from(numbers.value(row)).ok().and_then(|n| persons.get(n)).copied().unwrap_or_default();
                let start = starts.is_valid(row).then(|| starts.value(row));
                let of = |class: u8| start.and_then(|s| self.by_key.get(&(person, class, s)));
                // An outpatient's claim of the day of admission is not the stay's.
                let class = classes.is_valid(row).then(|| classes.value(row).as_bytes().first().copied()).flatten();
                let found = match class {
                    Some(class) => of(class),
                    None => [b'I', b'O', b'P'].into_iter().find_map(of),
                };
                Some(found.map_or(0, |n| *n as i64 + 1))
            })
            .collect();
        let mut columns = batch.columns().to_vec();
        columns[at] = Arc::new(ids);
        Ok(RecordBatch::try_new(batch.schema(), columns)?)
    }

    /// The rows, in the order of their numbers.
    pub fn write(self) -> Vec<(Table, RecordBatch)> {
        let mut columns = Columns::default();
        for visit in &self.all {
            let ts = i64::from(visit.start) * 86_400_000_000;
            let head = Head { record_id: visit.person, source_key: &visit.key, source_ts: ts, source_state: SourceState::Live };
            let stay = visit.class == b'I';
            columns.visit_occurrence.push(
                &head,
                &VisitOccurrenceRow {
                    visit_concept_id: match visit.class {
                        b'I' => concept::INPATIENT_VISIT,
                        b'P' => concept::PHARMACY_VISIT,
                        b'E' => concept::EMERGENCY_VISIT,
                        _ => concept::OUTPATIENT_VISIT,
                    },
                    visit_start_date: visit.start,
                    visit_end_date: visit.end.unwrap_or(if stay { visit.last } else { visit.start }).max(visit.start),
                    visit_type_concept_id: if visit.rank == 1 { type_concept::CLAIM } else { type_concept::EHR },
                    visit_source_value: Some(&visit.key),
                    admitted_from_source_value: visit.from.as_deref(),
                    discharged_to_source_value: visit.to.as_deref(),
                    open_stay: Some(stay && visit.end.is_none()),
                    ..Default::default()
                },
            );
        }
        columns.finish()
    }
}
