//! Emptied columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field};

/// The column emptied: null, or where the model wants a value, 0 or an empty text. None where there is no such value (a
/// date that the model wants).
pub fn emptied(field: &Field, rows: usize) -> Option<ArrayRef> {
    if field.is_nullable() {
        return Some(new_null_array(field.data_type(), rows));
    }
    Some(match field.data_type() {
        DataType::Int32 => Arc::new(Int32Array::from_value(0, rows)) as ArrayRef,
        DataType::Int64 => Arc::new(Int64Array::from_value(0, rows)),
        DataType::Float64 => Arc::new(Float64Array::from_value(0.0, rows)),
        DataType::Utf8 => Arc::new(StringArray::from_iter_values(std::iter::repeat_n("", rows))),
        _ => return None,
    })
}
