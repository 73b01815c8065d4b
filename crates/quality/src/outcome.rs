//! What a run came to.

use omop::Table;
use roaring::RoaringBitmap;
use serde::Serialize;

use crate::rules::{Category, CheckName, Owner, Severity};
use crate::table::TableState;
use crate::tally::Example;

/// Whether a check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// At most as much is wrong as may be.
    Pass,
    /// More is wrong.
    Fail,
    /// There was nothing to ask it of.
    NotApplicable,
}

/// Why a check was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The table has no rows.
    NoRows,
    /// None of its rows has what the check looks at.
    NothingToTest,
    /// It is of what the platform makes of files, and files are looked at.
    OnlyLake,
}

/// A check with what came of it. Its examples can name patients: it has no `Debug`.
#[derive(Clone)]
pub struct CheckResult {
    /// Name of the check.
    pub id: String,
    /// What is asked.
    pub name: CheckName,
    /// Of which kind.
    pub category: Category,
    /// Of which table.
    pub table: Table,
    /// Of which column.
    pub field: String,
    /// Of which code.
    pub code: String,
    /// Percent that may be wrong.
    pub threshold: f64,
    /// Percent over which the data are not to be used.
    pub fatal: Option<f64>,
    /// What it means when it fails.
    pub severity: Severity,
    /// Who can mend it.
    pub owner: Owner,
    /// Whether it holds.
    pub status: Status,
    /// Why it was not asked.
    pub reason: Option<Reason>,
    /// What was tested: rows, or persons, codes, months, as the check counts.
    pub tested: u64,
    /// Of these, wrong.
    pub violated: u64,
    /// The same in percent.
    pub percent: f64,
    /// Persons that it concerns.
    pub persons: u64,
    /// Which, by their number in the run.
    pub(crate) who: RoaringBitmap,
    /// First month with more wrong than may be, `YYYY-MM`.
    pub since: Option<String>,
    /// Last such month.
    pub until: Option<String>,
    /// Of checks over months: what was usual, and what it was then.
    pub told: String,
    /// Some of the rows.
    pub examples: Vec<Example>,
}

/// A table in short.
#[derive(Debug, Clone, Serialize)]
pub struct TableSummary {
    /// Its name.
    pub table: &'static str,
    /// Rows.
    pub rows: u64,
    /// Persons with rows.
    pub persons: u64,
}

/// A code of the sender's own that no table of codes knows.
#[derive(Debug, Clone, Serialize)]
pub struct Unmapped {
    /// Table.
    pub table: &'static str,
    /// Column.
    pub field: String,
    /// The code.
    pub code: String,
    /// Rows.
    pub rows: u64,
    /// Persons.
    pub persons: u64,
}

/// Persons of a month.
#[derive(Debug, Clone, Serialize)]
pub struct MonthPersons {
    /// `YYYY-MM`.
    pub month: String,
    /// Persons with a contact.
    pub persons: u64,
}

/// What a run came to. It can name patients: it has no `Debug`.
pub struct Outcome {
    /// Records met.
    pub records: u64,
    /// Of these, with a person row.
    pub persons: u64,
    /// The tables.
    pub tables: Vec<TableSummary>,
    /// Every check, in the order of the rules.
    pub results: Vec<CheckResult>,
    /// Codes of the sender's own, by rows.
    pub unmapped: Vec<Unmapped>,
    /// Persons by month.
    pub months: Vec<MonthPersons>,
}

impl TableSummary {
    pub(crate) fn of(state: &TableState) -> TableSummary {
        TableSummary { table: state.table.name(), rows: state.rows, persons: state.persons.len() }
    }
}

impl Unmapped {
    pub(crate) fn of(state: &TableState) -> Vec<Unmapped> {
        let columns = state.codes.iter().flat_map(|column| column.codes.iter().map(move |code| (column, code)));
        let local = columns.filter(|(_, code)| code.local);
        local
            .map(|(column, code)| Unmapped {
                table: state.table.name(),
                field: column.field.clone(),
                code: code.text.clone(),
                rows: code.rows,
                persons: code.persons.len(),
            })
            .collect()
    }
}

impl MonthPersons {
    /// The tables whose rows are contacts.
    pub(crate) const TABLES: [Table; 6] = [
        Table::VisitOccurrence,
        Table::VisitEvent,
        Table::ProcedureOccurrence,
        Table::DrugExposure,
        Table::Measurement,
        Table::Observation,
    ];
}

impl Outcome {
    /// Checks that were asked.
    pub fn asked(&self) -> usize {
        self.results.iter().filter(|r| r.status != Status::NotApplicable).count()
    }

    /// Checks that failed, of at least this severity.
    pub fn failed(&self, severity: Severity) -> usize {
        self.results.iter().filter(|r| r.status == Status::Fail && r.severity >= severity).count()
    }

    /// The checks that say that the data are not to be used.
    pub fn unfit(&self) -> Vec<String> {
        let fatal = self.results.iter().filter(|r| r.status == Status::Fail && r.severity == Severity::Fatal);
        fatal.map(|r| r.id.clone()).collect()
    }

    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|t| t.rows).sum()
    }
}
