//! All shipped checks over rows of the lake's form, made in memory: `quality_rate MILLIONS`. Prints rows, checks asked, and seconds by
//! the clock of the checks alone: the rows are made and dropped between them, not counted.

use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use omop::{
    Columns, ConditionOccurrenceRow, DrugExposureRow, Head, MeasurementRow, PersonRow, ProcedureOccurrenceRow, SourceState,
    Table, VisitOccurrenceRow, to_lake,
};
use quality::{Origin, Rules, Run};
use terms::RecordId;

/// Contacts of a patient, each with the rows below.
const CONTACTS: i64 = 60;
/// Patients that are made at a time.
const PATIENTS: i64 = 500;
const TESTS: [(&str, &str, f64); 8] = [
    ("3D010000002227101", "mg/dL", 101.0),
    ("3C015000002327101", "mg/dL", 0.8),
    ("3H015000002326101", "mmol/L", 4.2),
    ("2A030000001930101", "g/dL", 13.9),
    ("3B035000002327201", "U/L", 24.0),
    ("3F077000002327101", "mg/dL", 117.0),
    ("99H:4711", "mg/dL", 3.0),
    ("3A010000002327101", "g/dL", 7.2),
];
const CODES: [&str; 6] = ["ICD10:E11", "ICD10:I10", "ICD10:J20", "8830417", "ICD10:N40", "99X:1"];

/// Rows of some patients, from `first` on, as the lake gives them.
fn patients(first: i64) -> Vec<(Table, RecordBatch)> {
    let mut columns = Columns::default();
    for record in 0..PATIENTS {
        let head = Head { record_id: record, source_key: "OML-11|20240101|1", source_ts: 0, source_state: SourceState::Live };
        let who = first + record;
        columns.person.push(
            &head,
            &PersonRow {
                gender_concept_id: if who % 2 == 0 { 8507 } else { 8532 },
                year_of_birth: 1930 + (who % 80) as i32,
                month_of_birth: Some(1 + (who % 12) as i32),
                day_of_birth: Some(1 + (who % 28) as i32),
                ..Default::default()
            },
        );
        (0..CONTACTS).for_each(|contact| rows(&mut columns, &head, who, contact));
    }
    let records: Vec<Option<RecordId>> = (0..PATIENTS).map(|n| Some(RecordId(first + n))).collect();
    let asset = "00000000-0000-7000-8000-000000000001".parse().expect("an asset id");
    let lake =
        |(table, batch): (Table, RecordBatch)| (table, to_lake(table, &batch, &records, asset, 1, 1).expect("rows of the model"));
    columns.finish().into_iter().map(lake).collect()
}

/// Rows of one contact.
fn rows(columns: &mut Columns, head: &Head<'_>, who: i64, contact: i64) {
    let day = 18_000 + (contact * 30 + who % 29) as i32;
    let at = Some(i64::from(day) * 86_400_000_000 + 36_000_000_000);
    columns.visit_occurrence.push(
        head,
        &VisitOccurrenceRow {
            visit_occurrence_id: contact,
            visit_start_date: day,
            visit_start_datetime: at,
            visit_end_date: day,
            visit_source_value: Some("ADT-12|20240101|1"),
            ..Default::default()
        },
    );
    for (n, (code, unit, value)) in TESTS.iter().enumerate() {
        columns.measurement.push(
            head,
            &MeasurementRow {
                measurement_id: contact * 8 + n as i64,
                measurement_date: day,
                measurement_datetime: at,
                value_as_number: Some(value * (0.8 + (who % 40) as f64 / 100.0)),
                range_low: Some(value * 0.7),
                range_high: Some(value * 1.3),
                visit_occurrence_id: Some(contact),
                measurement_source_value: Some(code),
                unit_source_value: Some(unit),
                ..Default::default()
            },
        );
    }
    for n in 0..4 {
        columns.procedure_occurrence.push(
            head,
            &ProcedureOccurrenceRow {
                procedure_occurrence_id: contact * 4 + n,
                procedure_date: day,
                quantity: Some(n as i32),
                visit_occurrence_id: Some(contact),
                procedure_source_value: Some("160019410"),
                ..Default::default()
            },
        );
    }
    for n in 0..3 {
        columns.drug_exposure.push(
            head,
            &DrugExposureRow {
                drug_exposure_id: contact * 3 + n,
                drug_exposure_start_date: day,
                drug_exposure_end_date: day + 13,
                quantity: Some(14.0),
                days_supply: Some(14),
                visit_occurrence_id: Some(contact),
                drug_source_value: Some("620007329"),
                counted: Some(true),
                ..Default::default()
            },
        );
    }
    columns.condition_occurrence.push(
        head,
        &ConditionOccurrenceRow {
            condition_occurrence_id: contact,
            condition_start_date: day,
            condition_source_value: Some(CODES[(who + contact) as usize % CODES.len()]),
            ..Default::default()
        },
    );
}

/// Gives batches away in pieces as a scan of the lake does, and says how long that took.
fn pieces(batches: &[(Table, RecordBatch)], mut give: impl FnMut(Table, &RecordBatch)) -> Duration {
    let begin = Instant::now();
    for (table, batch) in batches {
        for at in (0..batch.num_rows()).step_by(8_192) {
            give(*table, &batch.slice(at, (batch.num_rows() - at).min(8_192)));
        }
    }
    begin.elapsed()
}

fn main() {
    let millions: f64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10.0);
    let rules = Rules::shipped().expect("rules");
    let mut run = Run::new(&rules, Origin::Lake, 20_785);
    let per_patient = 1 + CONTACTS * (1 + 8 + 4 + 3 + 1);
    let rounds = ((millions * 1e6) as i64 / per_patient / PATIENTS).max(1);
    let mut spent = Duration::ZERO;
    for round in 0..rounds {
        spent += pieces(&patients(round * PATIENTS), |table, batch| run.learn(table, batch));
    }
    for round in 0..rounds {
        spent += pieces(&patients(round * PATIENTS), |table, batch| run.check(table, batch));
    }
    let begin = Instant::now();
    let outcome = run.finish();
    spent += begin.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).map_or("?", str::trim);
    println!(
        "{} rows of {} patients, {} of {} checks asked: {:.2} s, peak {peak}",
        outcome.rows(),
        outcome.records,
        outcome.asked(),
        outcome.results.len(),
        spent.as_secs_f64()
    );
}
