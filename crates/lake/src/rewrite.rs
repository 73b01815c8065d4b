use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use terms::ProviderId;

use crate::read::{self, Wanted};
use crate::snapshot::LakeFile;
use crate::visibility::Visibility;
use crate::writer::{FileWriter, StagedFile};
use crate::{Lake, LakeError, LakeTable};

/// Writes the rows of some files of one table and provider into new ones, sorted by record, without stale rows and
/// without the records in `without`. A new file begins when `target` bytes are reached, at the next record. The files
/// do not overlap. Nothing is written when no row is left.
pub(crate) fn rewrite(
    lake: &Lake,
    table: LakeTable,
    provider: Option<&ProviderId>,
    files: &[LakeFile],
    rule: &Arc<Visibility>,
    without: Option<&Arc<Wanted>>,
    target: u64,
) -> Result<Vec<StagedFile>, LakeError> {
    // The new files hold no row that is stale by any commit up to this number. (A map's number is its version.)
    let youngest = files.iter().map(|f| f.commit_seq).max().unwrap_or(0);
    let commit_seq = if table == LakeTable::RecordPerson { youngest } else { youngest.max(rule.latest()) };
    let mut done = Vec::new();
    let mut writer: Option<FileWriter> = None;
    let mut last = i64::MIN;
    for batch in read::merged(lake, table, files, rule, without)? {
        let batch = batch?;
        let ids = batch.column(0).as_primitive::<Int64Type>().values();
        let Some(newest) = ids.last().copied() else { continue };
        let mut rest = 0;
        if writer.as_ref().is_some_and(|w| w.size() >= target) {
            // The record that the full file ends with stays whole.
            rest = ids.partition_point(|id| *id <= last);
            if let Some(full) = writer.as_mut() {
                full.write(&batch.slice(0, rest))?;
            }
            if rest < ids.len()
                && let Some(full) = writer.take()
            {
                done.push(close(full, commit_seq)?);
            }
        }
        if rest < ids.len() {
            let into = match writer.take() {
                Some(open) => writer.insert(open),
                None => writer.insert(FileWriter::create(lake.root(), lake.keyring(), table, provider)?),
            };
            into.write(&batch.slice(rest, ids.len() - rest))?;
        }
        last = newest;
    }
    if let Some(open) = writer {
        done.push(close(open, commit_seq)?);
    }
    Ok(done)
}

fn close(mut writer: FileWriter, commit_seq: i64) -> Result<StagedFile, LakeError> {
    writer.set_commit(commit_seq);
    writer.finish()
}
