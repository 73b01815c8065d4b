//! A table of a data set as its recipient has it in Parquet: for whoever holds it against the CSV beside it.

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::files::CREATED_BY;
use crate::error::Error;

/// A table that was read.
#[derive(Debug)]
pub struct Reread {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
    /// Things that the file says besides: notes on itself, its columns or who wrote it. A data set has none.
    pub notes: usize,
}

/// Reads a Parquet file whole.
///
/// # Errors
/// When the file cannot be opened or is no Parquet.
pub fn reread(path: &Path) -> Result<Reread, Error> {
    let trouble = |_| Error::Inconsistent("no table in Parquet".to_owned());
    let file = File::open(path).map_err(Error::io(path.display().to_string()))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(trouble)?;
    let schema = reader.schema().clone();
    let about = reader.metadata().file_metadata();
    let others = about.key_value_metadata().into_iter().flatten().filter(|pair| pair.key != "ARROW:schema").count();
    let of_columns = schema.fields().iter().filter(|field| !field.metadata().is_empty()).count();
    let notes = others + of_columns + schema.metadata().len() + usize::from(about.created_by() != Some(CREATED_BY));
    let batches = reader.build().map_err(trouble)?.collect::<Result<Vec<_>, _>>()?;
    Ok(Reread { schema, batches, notes })
}
