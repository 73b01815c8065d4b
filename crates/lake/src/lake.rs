use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use omop::Table;
use seal::{DataKey, Keyring, SealError, WrappedKey};
use terms::{AssetId, NoticeScope, ProviderId};

use crate::snapshot::Snapshot;
use crate::visibility::Visibility;
use crate::writer::FileWriter;
use crate::{LakeError, LakeTable, PersonMap, StagedFile, catalogue, merge, read};

/// The lake of one instance. Clones are the same lake.
#[derive(Clone)]
pub struct Lake(Arc<Shared>);

struct Shared {
    root: PathBuf,
    keyring: Arc<Keyring>,
    /// Erasures of this process: snapshots older than one of them are closed.
    erasures: Arc<AtomicU64>,
}

/// Opens the key of a file; a destroyed one has an error of its own.
pub(crate) fn open_key(keyring: &Keyring, asset: AssetId, wrapped: &WrappedKey) -> Result<DataKey, LakeError> {
    match keyring.open_data_key(asset, wrapped) {
        Err(SealError::KeyDestroyed { .. }) => Err(LakeError::KeyDestroyed { asset }),
        other => Ok(other?),
    }
}

impl Lake {
    /// The lake in the instance at `root`; its files are under `root/lake`.
    ///
    /// # Errors
    /// [`LakeError::Io`] when its directory cannot be made.
    pub fn open(root: &Path, keyring: Arc<Keyring>) -> Result<Lake, LakeError> {
        durable::create_dir(&root.join("lake")).map_err(|e| LakeError::io("making", "lake", e))?;
        Ok(Lake(Arc::new(Shared { root: root.to_owned(), keyring, erasures: Arc::default() })))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0.root
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    pub(crate) fn keyring_handle(&self) -> Arc<Keyring> {
        Arc::clone(&self.0.keyring)
    }

    pub(crate) fn erasures(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.0.erasures)
    }

    /// Closes every snapshot taken so far, and with them whatever their sessions remember.
    pub(crate) fn close_snapshots(&self) {
        self.0.erasures.fetch_add(1, Ordering::AcqRel);
    }

    /// Begins a new file of a table with one provider's rows.
    ///
    /// # Errors
    /// [`LakeError::Io`] when it cannot be made, [`LakeError::Seal`] when there is no key for it.
    pub fn writer(&self, table: Table, provider: &ProviderId) -> Result<FileWriter, LakeError> {
        FileWriter::create(self.root(), self.keyring(), LakeTable::Rows(table), Some(provider))
    }

    /// Writes rows of several tables of one provider, one file a table, as many at a time as the machine has threads. Each
    /// batch is of its table's lake schema and sorted by record; what lies in several batches is put in order.
    ///
    /// # Errors
    /// As [`FileWriter::write`]; files that were complete before are left to the sweep.
    pub fn write_tables(
        &self,
        provider: &ProviderId,
        tables: BTreeMap<Table, Vec<RecordBatch>>,
    ) -> Result<Vec<StagedFile>, LakeError> {
        let mut jobs: Vec<_> = tables.into_iter().collect();
        // The largest first, so that no thread has it alone at the end.
        let rows = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::get_array_memory_size).sum::<usize>();
        jobs.sort_by_key(|(_, batches)| std::cmp::Reverse(rows(batches)));
        let jobs: Vec<_> = jobs.into_iter().map(|(table, batches)| (table, Mutex::new(batches))).collect();
        read::in_parallel(&jobs, |(table, batches)| {
            let batches = std::mem::take(&mut *batches.lock().unwrap_or_else(PoisonError::into_inner));
            let inputs = batches.into_iter().map(|batch| -> merge::Input { Box::new(std::iter::once(Ok(batch))) }).collect();
            let mut writer = self.writer(*table, provider)?;
            for batch in merge::Merge::new(table.name(), inputs) {
                writer.write(&batch?)?;
            }
            writer.finish()
        })
    }

    /// Writes which records are one person, as one file. `version` is a commit number. After it is committed, the map of
    /// the ledger's current linkage run counts; while there is no run, the one with the largest number.
    ///
    /// # Errors
    /// As [`FileWriter::write`].
    pub fn write_person_map(&self, map: &PersonMap, version: i64) -> Result<StagedFile, LakeError> {
        let mut writer = FileWriter::create(self.root(), self.keyring(), LakeTable::RecordPerson, None)?;
        let batch = map.batch().map_err(|e| LakeError::Columns { table: "record_person", reason: e.to_string() })?;
        writer.write(&batch)?;
        writer.set_commit(version);
        writer.finish()
    }

    /// Makes finished files part of the lake, in a transaction of the caller: their assets and keys, and per record of
    /// `versions` the commit before which its rows are stale from now on. Commit numbers have to be committed in the
    /// order in which they were drawn. Files without a row are not kept. The files are of no use to anyone, and go at
    /// the next sweep, unless the transaction commits.
    ///
    /// # Errors
    /// [`LakeError::KeyDestroyed`] when an erasure came between writing and committing; the ledger's refusals.
    pub async fn commit(
        &self,
        tx: &mut ledger::Tx,
        staged: &[StagedFile],
        versions: &[(terms::RecordId, i64)],
    ) -> Result<(), LakeError> {
        for file in staged {
            open_key(self.keyring(), file.asset, &file.wrapped)?;
        }
        let (full, empty): (Vec<StagedFile>, Vec<StagedFile>) = staged.iter().cloned().partition(|f| f.rows > 0);
        catalogue::add(tx, &full).await?;
        for file in empty {
            let path = self.root().join(&file.path);
            durable::remove_file(&path).map_err(|e| LakeError::io("removing", &file.path, e))?;
        }
        tx.set_versions(versions).await?;
        Ok(())
    }

    /// Takes files out of the lake, older linkage maps for instance, in a transaction of the caller: their keys go with it.
    /// [`Lake::remove_retired`] removes the files after the commit, or the next sweep does.
    ///
    /// # Errors
    /// The ledger's refusals, also when one of them is no live asset.
    pub async fn retire(&self, tx: &mut ledger::Tx, assets: &[AssetId], why: &str) -> Result<(), LakeError> {
        catalogue::doom(tx, assets, why).await
    }

    /// Removes the files of retired assets, and gives how many there were.
    ///
    /// # Errors
    /// [`LakeError::Io`]; the ledger's refusals.
    pub async fn remove_retired(&self, ledger: &ledger::Ledger, actor: &ledger::Actor) -> Result<u64, LakeError> {
        self.finish_doomed(ledger, actor).await
    }

    /// The lake as it is now: to read for data sets of a scope, records stopped for it left out; with `None` records
    /// stopped for any scope are left out.
    ///
    /// # Errors
    /// The ledger's refusals, and what reading the person map can meet.
    pub async fn snapshot(&self, ledger: &ledger::Ledger, scope: Option<NoticeScope>) -> Result<Snapshot, LakeError> {
        let mut reader = ledger.read().await?;
        self.snapshot_of(&mut reader, scope).await
    }

    /// The lake as a reader of the ledger, or an open transaction through [`ledger::Tx::read`], sees it.
    ///
    /// # Errors
    /// As [`Lake::snapshot`].
    pub async fn snapshot_of(&self, reader: &mut ledger::Reader, scope: Option<NoticeScope>) -> Result<Snapshot, LakeError> {
        let taken_at = self.0.erasures.load(Ordering::Acquire);
        let files = catalogue::live_files(reader).await?;
        let blocked = reader.blocked_records(scope).await?.into_iter().map(|r| r.0).collect();
        let stale = reader.versions().await?.into_iter().map(|(r, seq)| (r.0, seq)).collect();
        let map = reader.current_linkage().await?.map(|run| run.map_asset);
        Snapshot::new(self.clone(), files, Visibility::new(stale, blocked), map, taken_at)
    }
}
