//! One history of several sources: the same drug or amount told by a chart, by DPC files and by claims stays in all of them, and counts once.
//!
//! Without a master that leads one code system to another nobody can say which rows are the same. By rule the sources of a month stand before
//! each other as wholes: of drugs by the instance's precedence; of amounts the claim, which is what
//! was paid, then D, then the fee-for-service lines of E and F. A month is the calendar month of the row, within one record of one provider.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, Float64Array, RecordBatch};
use arrow::error::ArrowError;
use terms::civil_from_days;

use super::columns::{int64, text, text_at, with_column};
use super::precedence::Precedence;

/// What kind of source a row is of, by the beginning of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Claim,
    /// E and F, or EF.
    Acts,
    /// D.
    Bundle,
    /// Other files of DPC, checkups.
    Survey,
    Fhir,
    Chart,
}

impl Source {
    /// The source of a key (`claim|…`, `EFn|…`, `MedicationRequest|…`, `OMP-01|…`).
    pub(super) fn of(key: &str) -> Source {
        match key.split('|').next().unwrap_or("") {
            "claim" | "claim-diagnosis" => Source::Claim,
            "EFn" | "EFg" | "E" | "F" => Source::Acts,
            "D" => Source::Bundle,
            "FF1" | "FF4" | "H" | "K" | "checkup" | "csv" => Source::Survey,
            "document" => Source::Fhir,
            // Types of resources are words; types of SS-MIX2 have a number (`OMP-01`).
            word if word.len() > 3 && word.bytes().all(|b| b.is_ascii_alphabetic()) => Source::Fhir,
            _ => Source::Chart,
        }
    }
}

/// Year and month of a day as one number.
pub(super) fn month_of(day: i32) -> i32 {
    let (year, month, _) = civil_from_days(day);
    year * 12 + month as i32 - 1
}

/// Of each record and month the source whose rows count; of several files of DPC those that the order of [`Source`] puts last.
pub(super) struct Counting(HashMap<(i64, i32), (u8, Source)>);

impl Counting {
    /// The best source of each record and month.
    pub(super) fn of(rows: impl Iterator<Item = (i64, i32, Source)>, precedence: &Precedence) -> Counting {
        let mut best: HashMap<(i64, i32), (u8, Source)> = HashMap::new();
        for (record, month, source) in rows {
            let place = (precedence.of_drug(source), source);
            let slot = best.entry((record, month)).or_insert(place);
            *slot = (*slot).max(place);
        }
        Counting(best)
    }

    /// Whether the rows of a source count.
    pub(super) fn counts(&self, record: i64, month: i32, source: Source) -> bool {
        self.0.get(&(record, month)).is_some_and(|(_, first)| *first == source)
    }
}

/// Rank of an amount: what was paid, then the bundle, then the lines.
fn amount_rank(source: Source) -> u8 {
    match source {
        Source::Claim => 3,
        Source::Bundle => 2,
        Source::Acts => 1,
        _ => 4,
    }
}

/// The month that an amount's unit names, as the readers count months: `claim|form|institution|month|…`, `EFn|…|month`.
fn unit_month(key: &str) -> Option<&str> {
    let parts: Vec<&str> = key.split('|').collect();
    match parts.first() {
        Some(&"claim") => parts.get(3).copied(),
        _ if parts.len() > 4 => parts.last().copied(),
        _ => None,
    }
}

/// Amounts of which those count that stand first in their month and class of visit: the others keep their points alone.
///
/// # Errors
/// When the batch is not of its table's lake schema.
pub(super) fn one_amount(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (records, keys, classes) = (int64(batch, "record_id")?, text(batch, "source_key")?, text(batch, "visit_class")?);
    let float = |name: &str| {
        let column = batch.column_by_name(name).and_then(|c| c.as_any().downcast_ref::<Float64Array>());
        column.ok_or_else(|| ArrowError::SchemaError(format!("cost has no {name}")))
    };
    let (points, charges) = (float("points")?, float("total_charge")?);
    let mut best: HashMap<(i64, &str, &str), u8> = HashMap::new();
    let place = |row: usize| {
        let month = unit_month(keys.value(row))?;
        Some((records.value(row), text_at(classes, row).unwrap_or(""), month))
    };
    for row in 0..batch.num_rows() {
        if let Some(place) = place(row) {
            let rank = amount_rank(Source::of(keys.value(row)));
            let slot = best.entry(place).or_insert(rank);
            *slot = (*slot).max(rank);
        }
    }
    let charges: Float64Array = (0..batch.num_rows())
        .map(|row| {
            let stated = (!charges.is_null(row)).then(|| charges.value(row));
            let Some(place) = place(row) else { return stated };
            let counts = best.get(&place) == Some(&amount_rank(Source::of(keys.value(row))));
            // Ten yen a point: the same whichever package came first.
            if counts { stated.or_else(|| (!points.is_null(row)).then(|| points.value(row) * 10.0)) } else { None }
        })
        .collect();
    with_column(batch, "total_charge", Arc::new(charges))
}
