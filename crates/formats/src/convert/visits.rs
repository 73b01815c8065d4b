//! Events → visits, from one chunk alone. The platform assembles visits over all packages of a record; this is for
//! readers of the CSV files: a reception is an outpatient visit, an admission and the discharge that names the same
//! start (or is the next one) are an inpatient visit, a stay without a discharge ends on the last day that is known.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType};
use omop::{Columns, Head, SourceState, Table, VisitOccurrenceRow, concept, type_concept};
use terms::Micros;

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
            Some((patient, event))
        })
        .collect()
}
