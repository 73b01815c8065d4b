use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ledger::{Actor, Counts, Event, Ledger};
use terms::RecordId;

use crate::plan::{Compaction, Job, plan};
use crate::snapshot::Snapshot;
use crate::{Lake, LakeError, StagedFile, catalogue, read, rewrite};

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// Files that were replaced.
    pub files_before: u64,
    /// Files that replaced them.
    pub files_after: u64,
    /// Rows read.
    pub rows_before: u64,
    /// Rows written; the difference was stale.
    pub rows_after: u64,
    /// Records whose stale rows are all gone, so that nothing has to be remembered of them.
    pub versions_cleared: u64,
}

impl Lake {
    /// Puts files together so that queries and look-ups open few of them, and takes out rows that later commits
    /// replaced. Rows of blocked records stay: a hold can end.
    ///
    /// # Errors
    /// [`LakeError`] of reading, writing and the ledger. What was done before the failure stays done.
    pub async fn compact(&self, ledger: &Ledger, actor: &Actor, how: &Compaction) -> Result<CompactionReport, LakeError> {
        let mut report = CompactionReport::default();
        loop {
            let snapshot = self.snapshot(ledger, None).await?;
            let files = snapshot.all_files().cloned();
            let jobs = plan(files, &snapshot.rule(), how);
            if jobs.is_empty() {
                break;
            }
            let target = how.target;
            let (done, jobs) = tokio::task::spawn_blocking(move || {
                let done = read::in_parallel(&jobs, |job| merge(&snapshot, job, target));
                (done, jobs)
            })
            .await
            .map_err(|_| LakeError::Worker { what: "putting files together" })?;
            self.swap(ledger, actor, &jobs, &done?, &mut report).await?;
        }
        report.versions_cleared = self.clear_versions(ledger, actor).await?;
        Ok(report)
    }

    /// The new files in and the old ones out, at once.
    async fn swap(
        &self,
        ledger: &Ledger,
        actor: &Actor,
        jobs: &[Job],
        done: &[Vec<StagedFile>],
        report: &mut CompactionReport,
    ) -> Result<(), LakeError> {
        let new: Vec<StagedFile> = done.iter().flatten().cloned().collect();
        let old: Vec<_> = jobs.iter().flat_map(|job| &job.files).collect();
        report.files_before += old.len() as u64;
        report.files_after += new.len() as u64;
        report.rows_before += old.iter().map(|f| f.rows).sum::<u64>();
        report.rows_after += new.iter().map(|f| f.rows).sum::<u64>();
        let mut tx = ledger.begin(actor, "put files of the lake together").await?;
        self.commit(&mut tx, &new, &[]).await?;
        let assets: Vec<_> = old.iter().map(|f| f.asset).collect();
        catalogue::doom(&mut tx, &assets, "compacted").await?;
        let mut counts = Counts::new();
        counts.insert("files_before".into(), old.len() as i64);
        counts.insert("files_after".into(), new.len() as i64);
        tx.emit(Event::StepFinished { step: "compact".into(), run: None, counts })?;
        tx.commit().await?;
        self.finish_doomed(ledger, actor).await?;
        Ok(())
    }

    /// Forgets the versions of records of which no file can hold a stale row any more, and says how many these were.
    ///
    /// # Errors
    /// [`LakeError`] of the ledger.
    pub async fn clear_versions(&self, ledger: &Ledger, actor: &Actor) -> Result<u64, LakeError> {
        let mut reader = ledger.read().await?;
        let versions = reader.versions_by_provider().await?;
        if versions.is_empty() {
            return Ok(0);
        }
        let files = catalogue::live_files(&mut reader).await?;
        drop(reader);
        let mut free = Vec::new();
        for (provider, versions) in versions {
            let own = files.iter().filter(|f| f.table.has_commits() && f.provider.as_ref().is_none_or(|p| *p == provider));
            free.extend(unneeded(versions, own.map(|f| (f.min_record, f.max_record, f.commit_seq)).collect()));
        }
        if free.is_empty() {
            return Ok(0);
        }
        let mut tx = ledger.begin(actor, "forget versions that no stale row needs").await?;
        tx.clear_versions(&free).await?;
        tx.commit().await?;
        Ok(free.len() as u64)
    }
}

/// The records of which no file, given by its first and last record and its lowest commit, can hold rows from before their version.
fn unneeded(mut versions: Vec<(RecordId, i64)>, mut files: Vec<(i64, i64, i64)>) -> Vec<RecordId> {
    versions.sort_unstable();
    files.sort_unstable();
    let mut files = files.into_iter().peekable();
    // Files that begin at or before the record, the lowest commit first; those that ended before it are dropped when they come first.
    let mut open: BinaryHeap<Reverse<(i64, i64)>> = BinaryHeap::new();
    let mut free = Vec::new();
    for (record, first) in versions {
        while let Some((_, max, commit)) = files.next_if(|(min, _, _)| *min <= record.0) {
            open.push(Reverse((commit, max)));
        }
        while open.peek().is_some_and(|Reverse((_, max))| *max < record.0) {
            open.pop();
        }
        if open.peek().is_none_or(|Reverse((commit, _))| *commit >= first) {
            free.push(record);
        }
    }
    free
}

fn merge(snapshot: &Snapshot, job: &Job, target: u64) -> Result<Vec<StagedFile>, LakeError> {
    let rule = std::sync::Arc::new(snapshot.rule().of(crate::Blocked::Include));
    rewrite::rewrite(snapshot.lake(), job.table, job.provider.as_ref(), &job.files, &rule, None, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stays_exactly_while_a_file_can_hold_an_older_row() {
        bolero::check!().with_type::<(Vec<(u8, u8)>, Vec<(u8, u8, u8)>)>().for_each(|(versions, files)| {
            let files: Vec<_> = files
                .iter()
                .map(|(min, length, commit)| (i64::from(min % 40), i64::from(min % 40 + length % 12), i64::from(commit % 8)))
                .collect();
            let versions: std::collections::BTreeMap<_, _> =
                versions.iter().map(|(r, c)| (RecordId(i64::from(r % 40)), i64::from(c % 9))).collect();
            let needed = |r: i64, first: i64| files.iter().any(|(min, max, commit)| *commit < first && *min <= r && r <= *max);
            let naive: Vec<RecordId> = versions.iter().filter(|(r, c)| !needed(r.0, **c)).map(|v| *v.0).collect();
            assert_eq!(unneeded(versions.into_iter().collect(), files), naive);
        });
    }
}
