//! Persons as numbers, so that counting them is counting small integers.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, AsArray, BooleanArray, Int64Array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;

use crate::AnonymityError;

/// Everybody in the tables, numbered in the order of their ids.
pub(crate) struct Persons {
    pub ids: Vec<i64>,
    index: HashMap<i64, u32>,
}

fn column<'a>(table: &str, batch: &'a RecordBatch) -> Result<&'a Int64Array, AnonymityError> {
    let refused = || AnonymityError::NoPersonColumn { table: table.to_owned() };
    let array = batch.column_by_name("person_id").ok_or_else(refused)?;
    if array.data_type() != &DataType::Int64 || array.null_count() > 0 {
        return Err(refused());
    }
    Ok(array.as_primitive::<Int64Type>())
}

impl Persons {
    pub fn of(tables: &BTreeMap<String, RecordBatch>) -> Result<Self, AnonymityError> {
        let mut ids = Vec::new();
        for (name, batch) in tables {
            ids.extend_from_slice(column(name, batch)?.values());
            ids.sort_unstable();
            ids.dedup();
        }
        let index = ids.iter().zip(0_u32..).map(|(id, n)| (*id, n)).collect();
        Ok(Self { ids, index })
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The person of every row.
    pub fn rows(&self, table: &str, batch: &RecordBatch) -> Result<Vec<u32>, AnonymityError> {
        column(table, batch)?
            .values()
            .iter()
            .map(|id| self.index.get(id).copied().ok_or_else(|| AnonymityError::NoPersonColumn { table: table.to_owned() }))
            .collect()
    }

    /// The rows of persons who stay.
    pub fn keep(&self, table: &str, batch: &RecordBatch, stays: &[bool]) -> Result<RecordBatch, AnonymityError> {
        let mask: BooleanArray = self.rows(table, batch)?.into_iter().map(|p| Some(stays[p as usize])).collect();
        Ok(filter_record_batch(batch, &mask)?)
    }
}

/// How many different persons have each of `codes` values; `pairs` are (code, person) and may repeat.
pub(crate) fn persons_per_code(codes: usize, mut pairs: Vec<(u32, u32)>) -> Vec<u32> {
    pairs.sort_unstable();
    pairs.dedup();
    let mut counts = vec![0; codes];
    for (code, _) in pairs {
        counts[code as usize] += 1;
    }
    counts
}
