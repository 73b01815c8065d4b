use ledger::{Actor, Counts, Event, Ledger};

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
        let mut tx = ledger.begin(actor, "forget versions that no stale row needs").await?;
        let versions = tx.read().versions().await?;
        if versions.is_empty() {
            return Ok(0);
        }
        let files = catalogue::live_files(tx.read()).await?;
        let needed = |record: i64, first: i64| {
            files
                .iter()
                .any(|f| f.table.has_commits() && f.commit_seq < first && f.min_record <= record && record <= f.max_record)
        };
        let free: Vec<_> = versions.into_iter().filter(|(r, first)| !needed(r.0, *first)).map(|v| v.0).collect();
        if free.is_empty() {
            return Ok(0);
        }
        tx.clear_versions(&free).await?;
        tx.commit().await?;
        Ok(free.len() as u64)
    }
}

fn merge(snapshot: &Snapshot, job: &Job, target: u64) -> Result<Vec<StagedFile>, LakeError> {
    let rule = std::sync::Arc::new(snapshot.rule().of(crate::Blocked::Include));
    rewrite::rewrite(snapshot.lake(), job.table, job.provider.as_ref(), &job.files, &rule, None, target)
}
