//! People in Parquet: the columns of a CSV file, as texts, dates or whole numbers.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array as _, AsArray as _, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::columns::{self, ALL, ColumnMap, Places};
use crate::error::LinkageError;
use crate::forms::Forms;
use crate::normalise::Normaliser;
use crate::table::{Parsed, RowError, Table, take};

/// Rows that are unpacked at a time.
const ROWS: usize = 8_192;

/// Reads a file row group after row group; columns that linkage does not use are not unpacked.
///
/// # Errors
/// [`LinkageError::FileUnreadable`], [`LinkageError::ParquetUnreadable`], and what a table's columns and rows can lack.
pub(crate) fn read(path: &Path, map: &ColumnMap) -> Result<Table, LinkageError> {
    let mut kept = Vec::new();
    let forms = pieces(path, map, |number, parsed| kept.push((number, parsed)))?;
    Table::gather(vec![(kept, forms)])
}

/// The same piece by piece; what comes back are the texts behind the numbers of the rows.
pub(crate) fn pieces(
    path: &Path,
    map: &ColumnMap,
    mut keep: impl FnMut(usize, Result<Parsed, RowError>),
) -> Result<Forms, LinkageError> {
    let file = File::open(path).map_err(|_| LinkageError::FileUnreadable)?;
    let unreadable = |_| LinkageError::ParquetUnreadable;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
    let names: Vec<String> = builder.schema().fields().iter().map(|f| f.name().clone()).collect();
    let places = map.places(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().flatten().copied());
    let reader = builder.with_projection(mask).with_batch_size(ROWS).build().map_err(unreadable)?;
    let mut normaliser = Normaliser::new();
    for (number, batch) in reader.enumerate() {
        let batch = batch.map_err(|_| LinkageError::ParquetUnreadable)?;
        keep(number, rows(&batch, &places, &names, &mut normaliser)?);
    }
    Ok(normaliser.into_forms())
}

fn rows(
    batch: &RecordBatch,
    places: &Places,
    names: &[String],
    normaliser: &mut Normaliser,
) -> Result<Result<Parsed, RowError>, LinkageError> {
    let mut columns: Vec<Option<StringArray>> = Vec::with_capacity(ALL.len());
    for (place, column) in places.iter().zip(ALL) {
        let wrong = || LinkageError::ColumnType { table: "people", column, wanted: "text, date or whole number" };
        let values = place.map(|at| {
            let values = batch.column_by_name(&names[at]).ok_or_else(wrong)?;
            let plain = values.data_type().is_integer()
                || matches!(
                    values.data_type(),
                    DataType::Utf8
                        | DataType::LargeUtf8
                        | DataType::Utf8View
                        | DataType::Date32
                        | DataType::Date64
                        | DataType::Null
                )
                || matches!(values.data_type(), DataType::Dictionary(_, of) if of.is_string());
            // A number with a fraction writes an id another way than its source did.
            let texts = if plain { cast(values, &DataType::Utf8).map_err(|_| wrong())? } else { return Err(wrong()) };
            texts.as_string_opt::<i32>().cloned().ok_or_else(wrong)
        });
        columns.push(values.transpose()?);
    }
    let mut parsed = Parsed::default();
    for row in 0..batch.num_rows() {
        let field = |at: usize| columns[at].as_ref().filter(|c| c.is_valid(row)).map_or("", |c| c.value(row));
        if take(&mut parsed, normaliser, columns::in_parts(places), field).is_err() {
            return Ok(Err(RowError::NoId(row + 1)));
        }
    }
    Ok(Ok(parsed))
}
