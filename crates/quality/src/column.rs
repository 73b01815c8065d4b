//! Columns by name, whatever their type.

use arrow::array::{Array, AsArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A column of a batch.
pub(crate) enum Column<'a> {
    Small(&'a Int32Array),
    Whole(&'a Int64Array),
    Float(&'a Float64Array),
    Day(&'a Date32Array),
    Time(&'a TimestampMicrosecondArray),
    Text(&'a StringArray),
    /// Another type: only whether there is a value.
    Other(&'a ArrayRef),
    /// The batch has no such column.
    None,
}

impl<'a> Column<'a> {
    pub(crate) fn of(batch: &'a RecordBatch, name: &str) -> Column<'a> {
        let Some(array) = batch.column_by_name(name) else { return Column::None };
        match array.data_type() {
            DataType::Int32 => Column::Small(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Column::Whole(array.as_primitive::<Int64Type>()),
            DataType::Float64 => Column::Float(array.as_primitive::<Float64Type>()),
            DataType::Date32 => Column::Day(array.as_primitive::<Date32Type>()),
            DataType::Timestamp(TimeUnit::Microsecond, None) => Column::Time(array.as_primitive::<TimestampMicrosecondType>()),
            DataType::Utf8 => Column::Text(array.as_string::<i32>()),
            _ => Column::Other(array),
        }
    }

    pub(crate) fn array(&self) -> Option<&'a dyn Array> {
        Some(match self {
            Column::Small(a) => *a,
            Column::Whole(a) => *a,
            Column::Float(a) => *a,
            Column::Day(a) => *a,
            Column::Time(a) => *a,
            Column::Text(a) => *a,
            Column::Other(a) => *a,
            Column::None => return None,
        })
    }

    pub(crate) fn is_valid(&self, row: usize) -> bool {
        self.array().is_some_and(|a| a.is_valid(row))
    }

    pub(crate) fn has_values(&self) -> bool {
        self.array().is_some_and(|a| a.null_count() < a.len())
    }

    /// Days since 1970-01-01, of times the day they are of.
    pub(crate) fn day(&self, row: usize) -> Option<i32> {
        match self {
            Column::Day(a) => a.is_valid(row).then(|| a.value(row)),
            Column::Time(a) => {
                let day = a.is_valid(row).then(|| a.value(row).div_euclid(MICROS_PER_DAY));
                day.and_then(|d| i32::try_from(d).ok())
            }
            _ => None,
        }
    }

    pub(crate) fn number(&self, row: usize) -> Option<f64> {
        match self {
            Column::Small(a) => a.is_valid(row).then(|| f64::from(a.value(row))),
            Column::Whole(a) => a.is_valid(row).then(|| a.value(row) as f64),
            Column::Float(a) => a.is_valid(row).then(|| a.value(row)),
            // Times and days are compared with their like.
            Column::Time(a) => a.is_valid(row).then(|| a.value(row) as f64),
            Column::Day(a) => a.is_valid(row).then(|| f64::from(a.value(row))),
            _ => None,
        }
    }

    pub(crate) fn whole(&self, row: usize) -> Option<i64> {
        match self {
            Column::Small(a) => a.is_valid(row).then(|| i64::from(a.value(row))),
            Column::Whole(a) => a.is_valid(row).then(|| a.value(row)),
            _ => None,
        }
    }

    pub(crate) fn text(&self, row: usize) -> Option<&'a str> {
        match self {
            Column::Text(a) => a.is_valid(row).then(|| a.value(row)),
            _ => None,
        }
    }
}
