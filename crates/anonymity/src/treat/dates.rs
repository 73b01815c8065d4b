//! Dates: moved by the person's shift, or cut to month or year. No date keeps a time of day.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array};
use arrow::compute::{DatePart, date_part};
use arrow::datatypes::{Date32Type, Int32Type};
use arrow::error::ArrowError;
use rand::{CryptoRng, RngExt};

/// One shift a person, uniform over `±most` days without 0. Intervals within a person stay exact; nothing about a shift
/// is written down anywhere.
pub fn shifts<R: CryptoRng>(persons: usize, most: u16, rng: &mut R) -> Vec<i32> {
    let most = i32::from(most.max(1));
    (0..persons)
        .map(|_| {
            let drawn = rng.random_range(1..=2 * most);
            if drawn <= most { drawn } else { most - drawn }
        })
        .collect()
}

/// Every date moved by the shift of its row's person.
pub fn shifted(dates: &Date32Array, persons: &[u32], shifts: &[i32]) -> ArrayRef {
    let moved: Date32Array =
        dates.iter().zip(persons).map(|(date, person)| date.map(|d| d.saturating_add(shifts[*person as usize]))).collect();
    Arc::new(moved)
}

/// Every date cut to the first of its month (`DatePart::Day`) or year (`DatePart::DayOfYear`).
///
/// # Errors
/// None that these types can raise; Arrow's signature.
pub fn cut(dates: &Date32Array, part: DatePart) -> Result<ArrayRef, ArrowError> {
    let day = date_part(dates, part)?;
    let day = day.as_primitive::<Int32Type>();
    let first: Date32Array = dates.iter().zip(day.iter()).map(|(date, day)| Some(date? - day? + 1)).collect();
    Ok(Arc::new(first))
}

/// The dates of a column, where it is one of dates.
pub fn dates(array: &ArrayRef) -> Option<&Date32Array> {
    array.as_primitive_opt::<Date32Type>()
}
