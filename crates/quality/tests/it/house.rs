//! Rows of the model's tables for tests. Nobody in them exists.

use arrow::array::RecordBatch;
use omop::{
    Columns, ConditionOccurrenceRow, DeathRow, Head, MeasurementRow, PersonRow, ProcedureOccurrenceRow, SourceState, Table,
    VisitOccurrenceRow,
};
use quality::{CheckResult, Origin, Outcome, Rules, Run, Status};
use terms::days_from_civil;

/// Day of every run: 2026-11-28.
pub const TODAY: i32 = 20_785;

pub fn day(year: i32, month: u32, day: u32) -> i32 {
    days_from_civil(year, month, day).expect("a day")
}

/// Tables being filled.
#[derive(Default)]
pub struct House {
    pub columns: Columns,
    visits: i64,
}

pub fn head(record: i64) -> Head<'static> {
    Head { record_id: record, source_key: "unit", source_ts: 0, source_state: SourceState::Live }
}

impl House {
    pub fn person(&mut self, record: i64, sex: char, born: (i32, u32, u32)) {
        self.columns.person.push(
            &head(record),
            &PersonRow {
                gender_concept_id: if sex == 'F' { 8532 } else { 8507 },
                year_of_birth: born.0,
                month_of_birth: Some(born.1 as i32),
                day_of_birth: Some(born.2 as i32),
                gender_source_value: Some("x"),
                ..Default::default()
            },
        );
    }

    pub fn death(&mut self, record: i64, on: i32) {
        self.columns.death.push(&head(record), &DeathRow { death_date: on, ..Default::default() });
    }

    pub fn visit(&mut self, record: i64, start: i32, end: i32) -> i64 {
        self.visits += 1;
        self.columns.visit_occurrence.push(
            &head(record),
            &VisitOccurrenceRow {
                visit_occurrence_id: self.visits,
                visit_concept_id: 9202,
                visit_start_date: start,
                visit_end_date: end,
                visit_type_concept_id: 32817,
                visit_source_value: Some("v"),
                ..Default::default()
            },
        );
        self.visits
    }

    pub fn visit_on(&mut self, record: i64, on: i32) {
        self.visit(record, on, on);
    }

    pub fn condition(&mut self, record: i64, on: i32, code: &str) {
        self.columns.condition_occurrence.push(
            &head(record),
            &ConditionOccurrenceRow {
                condition_start_date: on,
                condition_type_concept_id: 32817,
                condition_source_value: Some(code),
                ..Default::default()
            },
        );
    }

    pub fn procedure(&mut self, record: i64, on: i32, code: &str, visit: Option<i64>) {
        self.columns.procedure_occurrence.push(
            &head(record),
            &ProcedureOccurrenceRow {
                procedure_date: on,
                procedure_type_concept_id: 32817,
                procedure_source_value: Some(code),
                visit_occurrence_id: visit,
                ..Default::default()
            },
        );
    }

    pub fn result(&mut self, record: i64, on: i32, code: &str, value: Option<f64>, unit: Option<&str>) {
        self.columns.measurement.push(
            &head(record),
            &MeasurementRow {
                measurement_date: on,
                measurement_type_concept_id: 32856,
                value_as_number: value,
                measurement_source_value: Some(code),
                unit_source_value: unit,
                range_high: Some(109.0),
                ..Default::default()
            },
        );
    }

    pub fn batches(&mut self) -> Vec<(Table, RecordBatch)> {
        self.columns.finish()
    }

    pub fn check(&mut self, rules: &Rules, origin: Origin) -> Outcome {
        let batches = self.batches();
        let mut run = Run::new(rules, origin, TODAY);
        batches.iter().for_each(|(table, batch)| run.learn(*table, batch));
        batches.iter().for_each(|(table, batch)| run.check(*table, batch));
        run.finish()
    }
}

pub fn of<'a>(outcome: &'a Outcome, id: &str) -> &'a CheckResult {
    outcome.results.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id} is a check"))
}

/// What was tested and violated, and whether it failed.
pub fn counts(outcome: &Outcome, id: &str) -> (u64, u64, bool) {
    let result = of(outcome, id);
    (result.tested, result.violated, result.status == Status::Fail)
}
