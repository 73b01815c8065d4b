//! Resources that a hospital says are another patient's now: what an earlier package said of them stands in the other's record, where the merge
//! of one record cannot see that it is gone.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{Int8Type, Int64Type};
use lake::{Blocked, Snapshot};
use omop::{Columns, Head, SourceFileRow, SourceState, Table};
use terms::{AssetId, RecordId};

use crate::assemble::Rows;
use crate::error::Error;

/// The units of resources that a package tells of, and whose they are.
#[derive(Default)]
pub(super) struct Moved(HashMap<u128, HashSet<RecordId>>);

/// Whether a unit is one resource under its own id: `Observation|folder|id`.
fn is_resource(key: &str) -> bool {
    let kind = key.split('|').next().unwrap_or("");
    kind.starts_with(|c: char| c.is_ascii_uppercase()) && kind != "Patient" && key.split('|').count() == 3
}

fn name(key: &str) -> u128 {
    let [a, b] = [0u8, 1].map(|salt| {
        let mut hasher = DefaultHasher::new();
        (salt, key).hash(&mut hasher);
        hasher.finish()
    });
    u128::from(a) << 64 | u128::from(b)
}

/// The live units of a batch of `source_file`, with their records.
fn live(batch: &RecordBatch) -> Vec<(RecordId, &str)> {
    let records = batch.column_by_name("record_id").and_then(|c| c.as_primitive_opt::<Int64Type>());
    let states = batch.column_by_name("source_state").and_then(|c| c.as_primitive_opt::<Int8Type>());
    let keys = batch.column_by_name("source_key").and_then(|c| c.as_string_opt::<i32>());
    let (Some(records), Some(states), Some(keys)) = (records, states, keys) else { return Vec::new() };
    let is_live = |row: &usize| states.value(*row) == SourceState::Live as i8 && is_resource(keys.value(*row));
    (0..keys.len()).filter(is_live).map(|row| (RecordId(records.value(row)), keys.value(row))).collect()
}

impl Moved {
    /// Notes what came.
    pub(super) fn note(&mut self, rows: &Rows) {
        for (record, key) in rows.get(&Table::SourceFile).into_iter().flatten().flat_map(live) {
            self.0.entry(name(key)).or_default().insert(record);
        }
    }

    /// For the provider's records that an earlier package told such units of, and this one does not: that they are gone there.
    ///
    /// # Errors
    /// When the lake cannot be read.
    pub(super) fn gone(
        &self,
        snapshot: &Snapshot,
        provider: &[RecordId],
        asset: AssetId,
        sequence: i64,
    ) -> Result<(Rows, Vec<RecordId>), Error> {
        let (mut columns, mut ids) = (Columns::default(), Vec::new());
        if !self.0.is_empty() {
            for batch in snapshot.records(Table::SourceFile, provider, Blocked::Include)? {
                for (record, key) in live(&batch) {
                    if self.0.get(&name(key)).is_none_or(|now| now.contains(&record)) {
                        continue;
                    }
                    let number = ids.len() as i64;
                    ids.push(Some(record));
                    let head = Head { record_id: number, source_key: key, source_ts: 0, source_state: SourceState::Deleted };
                    let data_type = key.split('|').next().unwrap_or("");
                    columns.source_file.push(&head, &SourceFileRow { data_type, ..Default::default() });
                }
            }
        }
        let mut rows = Rows::new();
        for (table, batch) in columns.finish() {
            rows.insert(table, vec![omop::to_lake(table, &batch, &ids, asset, sequence, 0)?]);
        }
        Ok((rows, ids.into_iter().flatten().collect()))
    }
}
