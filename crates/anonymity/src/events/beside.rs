//! What leaves beside a code on its row: its concept, the type and the status of the row, a unit, a class. Whoever knows that somebody has a drug in
//! tablets knows more than the drug, so that code and companions are one item, and items are counted together.
//!
//! Not counted are ids, dates, numbers (an amount, days of supply) and results: what attackers do with days is for the experiment to say, and results
//! are what is to be learned from the data set.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::kernels::zip::zip;

use crate::AnonymityError;
use crate::profile::{Profile, Treatment};
use crate::run::{Leaders, Run, as_texts};
use crate::treat::drop;

/// Columns of a table that leave beside the codes of one of its columns of events, those of its other columns among them: whoever knows two codes of one
/// row knows that they belong together. Quasi-identifiers are counted by the classes.
pub(crate) fn columns<'p>(profile: &'p Profile, table: &str, own: &str) -> Vec<&'p str> {
    let Some(privacy) = &profile.privacy else { return Vec::new() };
    let counted: BTreeSet<&String> = privacy.quasi_identifiers.iter().collect();
    let stands = |treatment: &Treatment| {
        matches!(treatment, Treatment::Follow { .. } | Treatment::Code { .. } | Treatment::Unit | Treatment::Class { .. })
    };
    let of = profile.tables.get(table).into_iter().flat_map(|t| &t.columns);
    let beside = of.filter(|(column, t)| stands(t) && *column != own && !counted.contains(&format!("{table}.{column}")));
    beside.map(|(column, _)| column.as_str()).collect()
}

/// A number for what would leave beside the code of a column on each row; 0 where all of it is emptied.
///
/// # Errors
/// A column that does not fit its treatment.
pub(crate) fn numbers(
    run: &Run<'_>,
    (name, own): (&str, &str),
    batch: &RecordBatch,
    rows: &[u32],
    leaders: &Leaders,
) -> Result<Vec<u32>, AnonymityError> {
    let mut numbers = vec![0; batch.num_rows()];
    let Some(table) = run.profile.tables.get(name) else { return Ok(numbers) };
    for column in columns(run.profile, name, own) {
        let shown = as_texts(&run.column(name, table, batch, column, rows, leaders, None)?)?;
        let empty = as_texts(&emptied(name, batch, column, 1)?)?.pop().flatten();
        let mut index: HashMap<(u32, Option<String>), u32> = HashMap::from([((0, empty), 0)]);
        for (number, text) in numbers.iter_mut().zip(shown) {
            let next = index.len() as u32;
            *number = *index.entry((*number, text)).or_insert(next);
        }
    }
    Ok(numbers)
}

/// The table without what stands beside the codes of some rows, but for other columns of codes ([`yielding`]). A result goes with its unit: without it, it
/// would be another.
///
/// # Errors
/// None that these types can raise; Arrow's.
pub(crate) fn without(profile: &Profile, name: &str, batch: &RecordBatch, bare: &[bool]) -> Result<RecordBatch, AnonymityError> {
    let mut batch = batch.clone();
    let event =
        |column: &str| profile.privacy.iter().flat_map(|p| &p.events).any(|e| super::columns(e).any(|c| c == (name, column)));
    let beside: Vec<&str> = columns(profile, name, "").into_iter().filter(|c| !event(c)).collect();
    let of = |column: &str| profile.treatment(name, column);
    let unit = beside.iter().find(|c| matches!(of(c), Some(Treatment::Unit))).and_then(|c| batch.column_by_name(c)).cloned();
    let in_unit = |row: usize| {
        let texts = unit.as_ref().and_then(|u| u.as_string_opt::<i32>());
        texts.is_some_and(|texts| texts.is_valid(row) && !texts.value(row).trim().is_empty())
    };
    let results: Vec<bool> = bare.iter().enumerate().map(|(row, bare)| *bare && in_unit(row)).collect();
    let schema = batch.schema();
    for field in schema.fields() {
        let rows = match of(field.name()) {
            _ if beside.contains(&field.name().as_str()) => bare,
            Some(Treatment::Value { .. }) => &results[..],
            _ => continue,
        };
        let at = schema.index_of(field.name())?;
        let empty = emptied(name, &batch, field.name(), batch.num_rows())?;
        let mut columns = batch.columns().to_vec();
        columns[at] = zip(&BooleanArray::from(rows.to_vec()), &empty, &columns[at])?;
        batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    }
    Ok(batch)
}

/// Of a table with several columns of codes, on which rows the code of each gives way to another's, which is shown with nothing beside it: `bare` says
/// by column where that is, and of several on one row the first stays.
pub(crate) fn yielding<'c>(bare: &BTreeMap<&'c str, &[bool]>, rows: usize) -> Vec<(&'c str, Vec<bool>)> {
    let stays = |row: usize| bare.iter().find(|(_, bare)| bare[row]).map(|(column, _)| *column);
    let gives = |column: &str| (0..rows).map(|row| stays(row).is_some_and(|stays| stays != column)).collect();
    bare.keys().map(|column| (*column, gives(column))).collect()
}

fn emptied(table: &str, batch: &RecordBatch, column: &str, rows: usize) -> Result<ArrayRef, AnonymityError> {
    let schema = batch.schema();
    drop::emptied(schema.field_with_name(column)?, rows)
        .ok_or_else(|| AnonymityError::DateNotDroppable { table: table.to_owned(), column: column.to_owned() })
}
