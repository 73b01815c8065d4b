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

/// The units that a package tells of, and whose they are: nobody's, where that one may not come in.
#[derive(Default)]
pub(super) struct Moved(HashMap<u128, HashSet<RecordId>>);

/// Whether a unit is one document, or one resource under its own id (`Observation|folder|id`) or address (`Observation|-|urn:uuid:…`).
fn has_a_name(key: &str) -> bool {
    let (kind, rest) = key.split_once('|').unwrap_or((key, ""));
    let resource = kind.starts_with(|c: char| c.is_ascii_uppercase()) && kind != "Patient" && rest.contains('|');
    kind == "document" || resource
}

fn name(key: &str) -> u128 {
    let [a, b] = [0u8, 1].map(|salt| {
        let mut hasher = DefaultHasher::new();
        (salt, key).hash(&mut hasher);
        hasher.finish()
    });
    u128::from(a) << 64 | u128::from(b)
}

/// The units of a batch of `source_file`, with the record or patient of each, and whether it is live.
fn units(batch: &RecordBatch) -> Vec<(i64, &str, bool)> {
    let records = batch.column_by_name("record_id").and_then(|c| c.as_primitive_opt::<Int64Type>());
    let states = batch.column_by_name("source_state").and_then(|c| c.as_primitive_opt::<Int8Type>());
    let keys = batch.column_by_name("source_key").and_then(|c| c.as_string_opt::<i32>());
    let (Some(records), Some(states), Some(keys)) = (records, states, keys) else { return Vec::new() };
    let named = (0..keys.len()).filter(|row| has_a_name(keys.value(*row)));
    named.map(|row| (records.value(row), keys.value(row), states.value(row) == SourceState::Live as i8)).collect()
}

impl Moved {
    /// Notes what came, also that something is of somebody who may not come in, and that it is of nobody any more: `records` are those of
    /// the chunk's patients.
    pub(super) fn note(&mut self, tables: &[(Table, RecordBatch)], records: &[Option<RecordId>]) {
        for (_, batch) in tables.iter().filter(|(table, _)| *table == Table::SourceFile) {
            for (patient, key, _) in units(batch) {
                let now = self.0.entry(name(key)).or_default();
                now.extend(usize::try_from(patient).ok().and_then(|n| records.get(n)).copied().flatten());
            }
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
                for (record, key, live) in units(&batch) {
                    let record = RecordId(record);
                    if !live || self.0.get(&name(key)).is_none_or(|now| now.contains(&record)) {
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
