//! The merge rule: which candidate of a unit stands.
//!
//! A unit is what the source replaces as a whole (for SS-MIX2 patient, care date, data type, order number; ADT-00 and
//! ADT-61 are complete snapshots whatever their order number; `docs/decisions/0012` for the other kinds). The package with the highest sequence number that says
//! anything of a unit says all of it; within it the latest live file stands, and when no file is live the unit is
//! gone. Superseded and deleted files keep their line in `source_file`, without their bytes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, BinaryArray, BooleanArray, Int8Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use omop::SourceState;

use super::columns::{int8, int64, text, time, with_column};

#[derive(Clone, Copy)]
struct Said {
    seq: i64,
    live: Option<i64>,
    /// Time of what was said: before the number of the package, where it decides.
    time: i64,
}

/// For each unit, what its last package says.
pub(super) struct Winners {
    units: HashMap<(i64, String), Said>,
}

/// The key of the unit that a source key belongs to.
fn unit(key: &str) -> &str {
    match key.get(..7) {
        Some(head @ ("ADT-00|" | "ADT-61|")) => head,
        _ => key,
    }
}

impl Winners {
    pub(super) fn of(files: Option<&RecordBatch>) -> Result<Winners, ArrowError> {
        let mut units: HashMap<(i64, String), Said> = HashMap::new();
        let Some(files) = files else { return Ok(Winners { units }) };
        let (records, keys, times) = (int64(files, "record_id")?, text(files, "source_key")?, time(files, "source_ts")?);
        let (states, seqs) = (int8(files, "source_state")?, int64(files, "source_seq")?);
        for row in 0..files.num_rows() {
            let live = (states.value(row) == SourceState::Live as i8).then(|| times.value(row));
            // Of a diagnosis the last month says how it ended, also where an earlier month comes later.
            let time = if keys.value(row).starts_with("claim-diagnosis|") { times.value(row) } else { 0 };
            let here = Said { seq: seqs.value(row), live, time };
            let said = units.entry((records.value(row), unit(keys.value(row)).to_owned())).or_insert(here);
            match (time, here.seq).cmp(&(said.time, said.seq)) {
                std::cmp::Ordering::Greater => *said = here,
                std::cmp::Ordering::Equal => said.live = said.live.max(live),
                std::cmp::Ordering::Less => {}
            }
        }
        Ok(Winners { units })
    }

    fn stands(&self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let (records, keys, times) = (int64(batch, "record_id")?, text(batch, "source_key")?, time(batch, "source_ts")?);
        let seqs = int64(batch, "source_seq")?;
        // Rows of one unit stand together: the last answer is asked again and again.
        let mut last: Option<((i64, String), Option<Said>)> = None;
        Ok((0..batch.num_rows())
            .map(|row| {
                let (record, key) = (records.value(row), unit(keys.value(row)));
                let said = match &last {
                    Some(((r, k), said)) if *r == record && k == key => *said,
                    _ => {
                        let id = (record, key.to_owned());
                        let said = self.units.get(&id).copied();
                        last = Some((id, said));
                        said
                    }
                };
                Some(said.is_some_and(|s| s.seq == seqs.value(row) && s.live == Some(times.value(row))))
            })
            .collect())
    }

    /// The rows that stand.
    pub(super) fn keep(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        filter_record_batch(batch, &self.stands(batch)?)
    }

    /// The files with their state as it is now; bytes only of those that stand.
    pub(super) fn mark(&self, files: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let stands = self.stands(files)?;
        let states = int8(files, "source_state")?;
        let marked: Int8Array = (0..files.num_rows())
            .map(|row| match states.value(row) {
                state if state == SourceState::Live as i8 && !stands.value(row) => SourceState::Superseded as i8,
                state => state,
            })
            .collect();
        let content = files
            .column_by_name("content")
            .and_then(|c| c.as_any().downcast_ref::<BinaryArray>())
            .ok_or_else(|| ArrowError::SchemaError("source_file has no content".to_owned()))?;
        let files_marked = with_column(files, "source_state", Arc::new(marked))?;
        // Of new people all files stand: their bytes, most of what there is of the chunk, are not copied.
        if (0..files.num_rows()).all(|row| stands.value(row) || content.is_null(row)) {
            return Ok(files_marked);
        }
        let bytes: BinaryArray =
            (0..files.num_rows()).map(|row| (stands.value(row) && !content.is_null(row)).then(|| content.value(row))).collect();
        with_column(&files_marked, "content", Arc::new(bytes))
    }
}
