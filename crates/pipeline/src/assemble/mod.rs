//! From candidates to what is valid: the merge rule, visits and stays, the row that counts, and the links between rows.
//!
//! A commit touches some records. For these it takes what the lake has of them and what came in, decides which
//! candidates stand (`merge`), derives visits, stays, observation periods and deaths from what stands (`visits`,
//! `derive`), numbers the rows and ties them to visits, and gives back the whole of these records anew. Nothing is
//! patched: the same candidates always make the same rows, whatever came before. Which of several
//! sources counts says the instance (`precedence`).
//!
//! Invariant: pure. Knows no file, no key, no clock.

mod columns;
mod derive;
mod merge;
mod others;
mod precedence;
mod sources;
#[cfg(test)]
mod tests;
mod visits;

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::error::ArrowError;
use omop::Table;
use terms::AssetId;

use columns::{int64, with_column};
pub use precedence::Precedence;

/// Rows of some records, batches of [`Table::lake_schema`] by table.
pub type Rows = BTreeMap<Table, Vec<RecordBatch>>;

/// What every row that a commit makes anew says of its origin.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The package that the commit takes in.
    pub asset: AssetId,
    /// Its sequence number.
    pub source_seq: i64,
    /// The commit.
    pub commit_seq: i64,
}

/// Tables that are made anew from the others at every commit, and never read back.
pub const DERIVED: [Table; 3] = [Table::ObservationPeriod, Table::VisitOccurrence, Table::VisitDetail];

/// Tables whose rows stand as the sources gave them.
pub fn kept_tables() -> impl Iterator<Item = Table> {
    Table::ALL.iter().copied().filter(|t| !DERIVED.contains(t))
}

/// The day on which what a row tells happened. None of what lasts or is derived: visits, periods, amounts.
pub(crate) const fn date_column(table: Table) -> Option<&'static str> {
    use Table::{Cost, ObservationPeriod, PayerPlanPeriod, VisitDetail, VisitOccurrence};
    match table {
        ObservationPeriod | VisitOccurrence | VisitDetail | PayerPlanPeriod | Cost => None,
        other => other.date_column(),
    }
}

/// The whole of the touched records after a commit, one batch a table, sorted by record and day.
///
/// # Errors
/// When a batch is not of its table's lake schema.
pub fn assemble(
    existing: &Rows,
    new: &Rows,
    stamp: &Stamp,
    precedence: &Precedence,
) -> Result<BTreeMap<Table, RecordBatch>, ArrowError> {
    let mut tables = BTreeMap::new();
    for table in kept_tables() {
        let schema = table.lake_schema();
        let batches: Vec<&RecordBatch> = existing.get(&table).into_iter().chain(new.get(&table)).flatten().collect();
        let all = match batches.as_slice() {
            // New people in a chunk: nothing to put together.
            [one] if one.schema() == schema => (*one).clone(),
            several => concat_batches(&schema, several.iter().copied())?,
        };
        if all.num_rows() > 0 {
            tables.insert(table, all);
        }
    }
    let winners = merge::Winners::of(tables.get(&Table::SourceFile))?;
    for (table, batch) in &mut tables {
        *batch = match table {
            Table::SourceFile => winners.mark(batch)?,
            _ => winners.keep(batch)?,
        };
        *batch = sorted(*table, batch)?;
    }
    tables.retain(|_, batch| batch.num_rows() > 0);

    if let Some(person) = tables.remove(&Table::Person) {
        tables.insert(Table::Person, derive::one_person_a_record(&person)?);
    }
    let history = visits::History::of(&tables, precedence)?;
    if let Some(death) = derive::one_death_a_record(tables.remove(&Table::Death), &history, stamp, precedence)? {
        tables.insert(Table::Death, death);
    }
    for (table, batch) in &mut tables {
        *batch = history.tie(*table, batch)?;
        match table {
            Table::DrugExposure => *batch = derive::mark_counted(batch, precedence)?,
            Table::Cost => *batch = sources::one_amount(&history.tie_amounts(batch)?)?,
            _ => {}
        }
    }
    for (table, batch) in history.tables(stamp)? {
        tables.insert(table, batch);
    }
    if let Some(periods) = derive::observation_periods(&tables, stamp)? {
        tables.insert(Table::ObservationPeriod, periods);
    }
    for (table, batch) in &mut tables {
        *batch = number_rows(*table, batch)?;
        *batch = with_column(
            batch,
            "commit_seq",
            std::sync::Arc::new(arrow::array::Int64Array::from_value(stamp.commit_seq, batch.num_rows())),
        )?;
    }
    Ok(tables)
}

/// The record of each row.
///
/// # Errors
/// When the batch is of no lake table.
pub fn record_ids(batch: &RecordBatch) -> Result<&arrow::array::Int64Array, ArrowError> {
    int64(batch, "record_id")
}

/// Rows by record, day, key and time of source, so that the same candidates in another order give the same table.
fn sorted(table: Table, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let mut names = vec!["record_id"];
    names.extend(date_column(table));
    names.extend(["source_key", "source_ts"]);
    let columns: Vec<SortColumn> = names
        .iter()
        .filter_map(|name| batch.column_by_name(name))
        .map(|values| SortColumn { values: values.clone(), options: None })
        .collect();
    // A unit's own rows stay in the order in which it gave them: the position is the last key.
    let position: arrow::array::ArrayRef =
        std::sync::Arc::new(arrow::array::UInt32Array::from_iter_values(0..batch.num_rows() as u32));
    let columns: Vec<SortColumn> = columns.into_iter().chain([SortColumn { values: position, options: None }]).collect();
    take_record_batch(batch, &lexsort_to_indices(&columns, None)?)
}

/// Numbers the rows of each record 1..n where the table has a row id that is not tied to something already.
fn number_rows(table: Table, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let Some(name) = table.row_id().filter(|_| !matches!(table, Table::VisitOccurrence | Table::VisitDetail)) else {
        return Ok(batch.clone());
    };
    let records = int64(batch, "record_id")?;
    let mut last = None;
    let mut next = 0;
    let ids: Vec<i64> = records
        .values()
        .iter()
        .map(|record| {
            next = if last == Some(*record) { next + 1 } else { 1 };
            last = Some(*record);
            next
        })
        .collect();
    debug_assert_eq!(ids.len(), records.len());
    with_column(batch, name, std::sync::Arc::new(arrow::array::Int64Array::from(ids)))
}
