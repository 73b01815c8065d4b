use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::{Actor, Event, Ledger, LedgerError, OutboxState};
use seal::KeyScope;
use terms::{AssetClass, AssetId, RecordId, RunId};

use crate::read::{self, Wanted};
use crate::snapshot::{LakeFile, Snapshot};
use crate::{Blocked, Compaction, Lake, LakeError, StagedFile, catalogue, rewrite};

/// Kind of the outbox rows that say which scopes have keys to destroy.
const DESTROY: &str = "destroy_key_epochs";

/// What an erasure did: the facts of its certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErasureReport {
    /// Records that were asked for.
    pub records: u64,
    /// Rows of them that were in the lake, stale ones included.
    pub rows: u64,
    /// Files that held them; each was written anew without them.
    pub files: u64,
    /// Assets of these files, which nothing opens any more.
    pub assets: Vec<AssetId>,
    /// Key epochs that were destroyed, by scope: what they sealed opens from no copy.
    pub epochs: BTreeMap<String, Vec<u32>>,
}

impl Lake {
    /// Erases records: every file that holds a row of them, in any table, is written anew without them, its key epoch
    /// is destroyed, and the file is removed. A crash at any point is finished by [`Lake::sweep`]. Every snapshot
    /// taken before is closed.
    ///
    /// Copies of the ledger made before open the erased files no more as soon as this returns, with today's keyring.
    /// Copies of the keyring made before still do: they expire on the date that the certificate states.
    ///
    /// # Errors
    /// [`LakeError`] of reading, writing, keys and the ledger; calling it again, or the sweep, continues.
    pub async fn erase(
        &self,
        ledger: &Ledger,
        actor: &Actor,
        records: &[RecordId],
        request: Option<&str>,
    ) -> Result<ErasureReport, LakeError> {
        let mut report = ErasureReport { records: records.len() as u64, ..Default::default() };
        let mut wanted: Vec<i64> = records.iter().map(|r| r.0).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let asked: BTreeSet<i64> = wanted.iter().copied().collect();
        let wanted = Arc::new(Wanted::new(wanted));

        let snapshot = self.snapshot(ledger, None).await?;
        let work = snapshot.clone();
        let sought = Arc::clone(&wanted);
        let found = tokio::task::spawn_blocking(move || rewritten(&work, &sought))
            .await
            .map_err(|_| LakeError::Worker { what: "writing files anew" })??;
        report.files = found.len() as u64;
        report.rows = found.iter().map(|f| f.rows).sum();
        report.assets = found.iter().map(|f| f.old.asset).collect();

        // A request that is repeated, because nobody saw how it ended, finds its erasure committed and nothing left.
        let of_request = request.map_or_else(|| format!("{DESTROY}/"), |request| format!("{DESTROY}/{request}/"));
        if request.is_some() && report.files == 0 {
            let rows = ledger.read().await?.outbox(None).await?;
            if rows.iter().any(|row| row.id.starts_with(&of_request)) {
                report.epochs = self.finish_erasures(ledger, actor).await?;
                return Ok(report);
            }
        }

        let erasure = RunId::new();
        let mut tx = ledger.begin(actor, "erase records from the lake").await?;
        let new: Vec<StagedFile> = found.iter().flat_map(|f| f.new.clone()).collect();
        self.commit(&mut tx, &new, &[]).await?;
        catalogue::doom(&mut tx, &report.assets, "erased").await?;
        // The current map goes on without the records, as a run of the same rule.
        if let Some(run) = tx.read().current_linkage().await?
            && let Some(rewritten) = found.iter().find(|f| f.old.asset == run.map_asset)
            && let Some(new) = rewritten.new.first()
        {
            // Counts of the map before say nothing of this one; whoever wants them counts the map.
            let mut stats = run.stats.clone();
            for counted in ["records", "persons", "links", "doubtful"] {
                stats.remove(counted);
            }
            tx.add_linkage_run(RunId::new(), &run.rule, new.asset, &stats).await?;
        }
        let stale: Vec<RecordId> =
            snapshot.rule().stale().iter().map(|s| s.0).filter(|r| asked.contains(r)).map(RecordId).collect();
        if !stale.is_empty() {
            tx.clear_versions(&stale).await?;
        }
        for scope in self.scopes_of(&mut tx, records).await? {
            tx.add_outbox(&format!("{of_request}{erasure}/{scope}"), DESTROY, &scope.to_string(), "{}").await?;
        }
        tx.emit(Event::Erased {
            request: request.map(str::to_owned),
            records: report.records as i64,
            files: report.files as i64,
            rows: report.rows as i64,
        })?;
        tx.commit().await?;
        report.epochs = self.finish_erasures(ledger, actor).await?;
        Ok(report)
    }

    /// Scopes under which rows of these records ever lay: also such as no living file tells of, because a compaction
    /// removed stale rows of them and an earlier copy of the ledger still has that file's key.
    async fn scopes_of(&self, tx: &mut ledger::Tx, records: &[RecordId]) -> Result<Vec<KeyScope>, LakeError> {
        let providers = tx.read().providers_of(records).await?;
        let classes = [AssetClass::Identity, AssetClass::Source, AssetClass::Clinical];
        let own = providers.into_iter().flat_map(|p| classes.map(|class| KeyScope { class, provider: Some(p.clone()) }));
        let all = own.chain([KeyScope { class: AssetClass::Linkage, provider: None }]);
        Ok(all.filter(|scope| !self.keyring().epochs(scope).is_empty()).collect())
    }

    /// Destroys the keys of what was erased, then removes the files. Continues wherever a crash left it.
    pub(crate) async fn finish_erasures(&self, ledger: &Ledger, actor: &Actor) -> Result<BTreeMap<String, Vec<u32>>, LakeError> {
        // From here no older view is served, whatever it remembers.
        self.close_snapshots();
        let mut destroyed = BTreeMap::new();
        let mut pending: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in ledger.read().await?.outbox(Some(OutboxState::Pending)).await? {
            if row.kind == DESTROY {
                pending.entry(row.target).or_default().push(row.id);
            }
        }
        for (target, ids) in pending {
            let scope = target
                .parse::<KeyScope>()
                .map_err(|_| LedgerError::Malformed { table: "outbox".to_owned(), column: "target".to_owned() })?;
            let epoch = self.keyring().advance(&scope)?;
            let mut tx = ledger.begin(actor, "begin a new key epoch after an erasure").await?;
            let keys = tx.read().keys(Some(&scope)).await?;
            let mut living = Vec::with_capacity(keys.len());
            for (asset, wrapped) in keys {
                living.push((asset, self.keyring().rewrap(asset, &wrapped)?));
            }
            tx.emit(Event::KeyEpochBegun { scope: target.clone(), epoch })?;
            tx.replace_keys(&living).await?;
            tx.commit().await?;
            // The living are safe under the new epoch: now the old ones can go.
            let gone = self.keyring().destroy_older(&scope)?;
            let mut tx = ledger.begin(actor, "destroy key epochs after an erasure").await?;
            tx.emit(Event::KeyEpochsDestroyed { scope: target.clone(), epochs: gone.clone() })?;
            for id in &ids {
                tx.move_outbox(id, OutboxState::Pending, OutboxState::Done).await?;
            }
            tx.commit().await?;
            destroyed.insert(target, gone);
        }
        self.finish_doomed(ledger, actor).await?;
        // No page with a former key stays in the write-ahead log.
        ledger.empty_log().await?;
        Ok(destroyed)
    }

    /// Removes the files of doomed assets, whose keys are gone, and says so.
    pub(crate) async fn finish_doomed(&self, ledger: &Ledger, actor: &Actor) -> Result<u64, LakeError> {
        let doomed = catalogue::doomed(&mut ledger.read().await?).await?;
        if doomed.is_empty() {
            return Ok(0);
        }
        for (_, path) in &doomed {
            durable::remove_file(&self.root().join(path)).map_err(|e| LakeError::io("removing", path, e))?;
        }
        let mut tx = ledger.begin(actor, "remove files whose keys are destroyed").await?;
        let assets: Vec<AssetId> = doomed.iter().map(|d| d.0).collect();
        catalogue::gone(&mut tx, &assets).await?;
        tx.commit().await?;
        Ok(doomed.len() as u64)
    }
}

/// A file that held erased records, and what stands in its place.
struct Rewritten {
    old: LakeFile,
    rows: u64,
    new: Vec<StagedFile>,
}

fn rewritten(snapshot: &Snapshot, wanted: &Arc<Wanted>) -> Result<Vec<Rewritten>, LakeError> {
    let files: Vec<&LakeFile> = snapshot.all_files().filter(|f| wanted.any_between(f.min_record, f.max_record)).collect();
    let rule = Arc::new(snapshot.rule().of(Blocked::Include));
    let done = read::in_parallel(&files, |file| {
        let rows = read::count_of(snapshot.lake(), file, wanted)?;
        if rows == 0 {
            return Ok(None);
        }
        let old = (*file).clone();
        let one = std::slice::from_ref(&old);
        let target = Compaction::default().target.saturating_mul(2);
        let new = rewrite::rewrite(snapshot.lake(), file.table, file.provider.as_ref(), one, &rule, Some(wanted), target)?;
        Ok(Some(Rewritten { old, rows, new }))
    })?;
    Ok(done.into_iter().flatten().collect())
}
