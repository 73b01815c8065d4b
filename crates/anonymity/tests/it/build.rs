//! Tables for tests, from rows of named cells; what is not named is empty.

use std::collections::BTreeMap;
use std::sync::Arc;

use anonymity::{Dataset, Identified};
use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use omop::Table;

#[derive(Clone)]
pub enum V {
    I(i64),
    F(f64),
    S(String),
    /// A date.
    D(i32, u32, u32),
}

pub fn s(text: &str) -> V {
    V::S(text.to_owned())
}

pub type Row = Vec<(&'static str, V)>;

pub fn days(y: i32, m: u32, d: u32) -> i32 {
    terms::days_from_civil(y, m, d).expect("a day")
}

pub fn batch(table: Table, rows: &[Row]) -> RecordBatch {
    let schema = table.omop_schema();
    for row in rows {
        for (name, _) in row {
            assert!(schema.field_with_name(name).is_ok(), "{name} is no column of {}", table.name());
        }
    }
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| {
            let cells: Vec<Option<V>> =
                rows.iter().map(|r| r.iter().find(|(n, _)| n == field.name()).map(|(_, v)| v.clone())).collect();
            let int = |c: &Option<V>| match c {
                Some(V::I(v)) => Some(*v),
                Some(V::D(y, m, d)) => Some(i64::from(days(*y, *m, *d))),
                _ => (!field.is_nullable()).then_some(0),
            };
            match field.data_type() {
                DataType::Int32 => Arc::new(cells.iter().map(|c| int(c).map(|v| v as i32)).collect::<Int32Array>()) as ArrayRef,
                DataType::Int64 => Arc::new(cells.iter().map(int).collect::<Int64Array>()),
                DataType::Date32 => Arc::new(cells.iter().map(|c| int(c).map(|v| v as i32)).collect::<Date32Array>()),
                DataType::Timestamp(..) => Arc::new(cells.iter().map(int).collect::<TimestampMicrosecondArray>()),
                DataType::Float64 => {
                    Arc::new(cells.iter().map(|c| if let Some(V::F(v)) = c { Some(*v) } else { None }).collect::<Float64Array>())
                }
                DataType::Utf8 => Arc::new(
                    cells.iter().map(|c| if let Some(V::S(v)) = c { Some(v.clone()) } else { None }).collect::<StringArray>(),
                ),
                other => panic!("{other} is not used here"),
            }
        })
        .collect();
    RecordBatch::try_new(schema, columns).expect("rows fit the schema")
}

pub fn dataset(tables: &[(Table, Vec<Row>)]) -> Dataset<Identified> {
    Dataset::new(tables.iter().map(|(t, rows)| (t.name().to_owned(), batch(*t, rows))).collect())
}

/// A cell as text; empty cells are empty texts.
pub fn cell(batch: &RecordBatch, row: usize, column: &str) -> String {
    array_value_to_string(batch.column_by_name(column).expect("a column"), row).expect("a value")
}

/// Rows as maps, filled cells only.
pub fn rows(batch: &RecordBatch) -> Vec<BTreeMap<String, String>> {
    (0..batch.num_rows())
        .map(|row| {
            let schema = batch.schema();
            let names = schema.fields().iter().map(|f| f.name().clone());
            names.map(|n| (n.clone(), cell(batch, row, &n))).filter(|(_, v)| !v.is_empty()).collect()
        })
        .collect()
}
