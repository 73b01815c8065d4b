//! Columns of a batch by name, with an error instead of a panic where a batch is not what it should be.

use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, Date32Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Date32Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("no column {name}")))
}

fn wrong(name: &str) -> ArrowError {
    ArrowError::SchemaError(format!("column {name} has another type than its table says"))
}

macro_rules! typed {
    ($($function:ident => $array:ty, $cast:ident::<$type:ty>;)+) => {
        $(pub(crate) fn $function<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a $array, ArrowError> {
            column(batch, name)?.$cast::<$type>().ok_or_else(|| wrong(name))
        })+
    };
}

typed! {
    int64 => Int64Array, as_primitive_opt::<Int64Type>;
    int32 => Int32Array, as_primitive_opt::<Int32Type>;
    int8 => Int8Array, as_primitive_opt::<Int8Type>;
    date => Date32Array, as_primitive_opt::<Date32Type>;
    time => TimestampMicrosecondArray, as_primitive_opt::<TimestampMicrosecondType>;
}

pub(crate) fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, ArrowError> {
    column(batch, name)?.as_string_opt::<i32>().ok_or_else(|| wrong(name))
}

pub(crate) fn boolean<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray, ArrowError> {
    column(batch, name)?.as_boolean_opt().ok_or_else(|| wrong(name))
}

/// The value at a row, `None` where there is none.
pub(crate) fn text_at(array: &StringArray, row: usize) -> Option<&str> {
    (!array.is_null(row)).then(|| array.value(row))
}

/// The batch with one column replaced.
pub(crate) fn with_column(batch: &RecordBatch, name: &str, values: ArrayRef) -> Result<RecordBatch, ArrowError> {
    let at = batch.schema().index_of(name)?;
    let mut columns = batch.columns().to_vec();
    columns[at] = values;
    RecordBatch::try_new(batch.schema(), columns)
}
