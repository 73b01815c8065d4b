//! Days that many people share for no reason of theirs: placeholders for a day that is not known, and the edges of an extraction. Moved, a day that everybody
//! can name tells the shift of whoever has it, and with it every true day of the person.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, BooleanArray, Date32Array, RecordBatch};
use arrow::compute::filter_record_batch;

use super::dates;
use crate::AnonymityError;
use crate::floor::LEAST_K;
use crate::persons::Persons;
use crate::profile::{Cohort, Profile, Treatment};

/// Days on which something can have happened to people in a data set, 1901-01-01 to 2099-12-30: outside stand 1900-01-01, 2099-12-31, 2100-01-01, 9999-12-31
/// and whatever else is written for a day that is not known.
const PLAUSIBLE: std::ops::Range<i32> = -25_202..47_481;

/// The share of the people with a day in a column beyond which its first or last day is the edge of an extraction. Over a year and more, some 3 in
/// 1,000 have any one day.
const MOST_AT_EDGE: f64 = 0.05;

const PERIODS: &str = "observation_period";

/// The columns of a table whose dates are moved, in the table's order.
fn moved(profile: &Profile, name: &str, batch: &RecordBatch) -> Vec<usize> {
    let schema = batch.schema();
    let shift = |at: &usize| matches!(profile.treatment(name, schema.field(*at).name()), Some(Treatment::Shift));
    (0..batch.num_columns()).filter(|at| shift(at) && dates::dates(batch.column(*at)).is_some()).collect()
}

/// A table without placeholders in the dates that are moved. Where the model wants a date, an end is the row's first day (OMOP's convention for one that is not
/// known), and a row without a day of its own, or an observation period without an end, leaves.
///
/// # Errors
/// None that these types can raise; Arrow's.
pub fn without_placeholders(profile: &Profile, name: &str, batch: &RecordBatch) -> Result<RecordBatch, AnonymityError> {
    let moved = moved(profile, name, batch);
    let schema = batch.schema();
    let mut columns = batch.columns().to_vec();
    let mut stays = vec![true; batch.num_rows()];
    let mut first: Option<Date32Array> = None;
    for at in moved {
        let Some(days) = dates::dates(batch.column(at)) else { continue };
        let needed = !schema.field(at).is_nullable();
        let known = |row: usize| days.is_valid(row).then(|| days.value(row)).filter(|day| PLAUSIBLE.contains(day));
        let mut out = Vec::with_capacity(days.len());
        for (row, stays) in stays.iter_mut().enumerate() {
            let instead = || first.as_ref().filter(|f| name != PERIODS && f.is_valid(row)).map(|f| f.value(row));
            let day = known(row).or_else(|| if needed { instead() } else { None });
            *stays &= day.is_some() || !needed;
            // What leaves may hold what it held.
            out.push(day.or_else(|| needed.then(|| days.value(row))));
        }
        let out = Date32Array::from(out);
        columns[at] = Arc::new(out.clone()) as ArrayRef;
        first.get_or_insert(out);
    }
    Ok(filter_record_batch(&RecordBatch::try_new(schema, columns)?, &BooleanArray::from(stays))?)
}

/// Holds that no side on which the cohort has no period begins or ends, for implausibly many, on one day.
///
/// # Errors
/// [`AnonymityError::EdgeShared`].
pub(crate) fn check(profile: &Profile, tables: &BTreeMap<String, RecordBatch>, persons: &Persons) -> Result<(), AnonymityError> {
    let open = |end: &Option<String>| end.as_deref().is_none_or(str::is_empty);
    let Cohort { from, to, .. } = &profile.cohort;
    for (name, batch) in tables {
        let moved = moved(profile, name, batch);
        let rows = persons.rows(name, batch)?;
        let first = moved.first().and_then(|at| dates::dates(batch.column(*at)));
        for at in &moved {
            let Some(days) = dates::dates(batch.column(*at)) else { continue };
            let column = batch.schema().field(*at).name().clone();
            let end = column.ends_with("end_date");
            // Of others than periods, what ends on the day on which it begins says no more than that.
            let counts = |row: &usize| {
                days.is_valid(*row)
                    && (name == PERIODS || first.is_none_or(|f| f.is_null(*row) || f.value(*row) != days.value(*row)))
            };
            if !(end || name == PERIODS) || !open(if end { to } else { from }) {
                continue;
            }
            let of: Vec<(i32, u32)> = (0..days.len()).filter(counts).map(|row| (days.value(row), rows[row])).collect();
            let edge = of.iter().map(|(day, _)| *day).reduce(|a, b| if end { a.max(b) } else { a.min(b) });
            let all: BTreeSet<u32> = of.iter().map(|(_, person)| *person).collect();
            let there: BTreeSet<u32> = of.iter().filter(|(day, _)| Some(*day) == edge).map(|(_, person)| *person).collect();
            let share = there.len() as f64 / all.len().max(1) as f64;
            if there.len() >= LEAST_K as usize && share > MOST_AT_EDGE {
                return Err(AnonymityError::EdgeShared { table: name.clone(), column, share });
            }
        }
    }
    Ok(())
}
