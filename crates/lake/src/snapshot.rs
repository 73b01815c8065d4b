use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use omop::Table;
use seal::WrappedKey;
use terms::{AssetId, ProviderId, RecordId};

use crate::provider::Keys;
use crate::read::{self, Wanted};
use crate::session::{Session, SessionOptions};
use crate::visibility::{Blocked, Visibility};
use crate::{Lake, LakeError, LakeTable, PersonMap};

/// A live file of the lake as the ledger knows it.
#[derive(Clone)]
pub struct LakeFile {
    /// Its asset.
    pub asset: AssetId,
    /// What it holds.
    pub table: LakeTable,
    /// Whose records; none for tables over all providers.
    pub provider: Option<ProviderId>,
    /// Path relative to the instance.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows, stale and blocked ones included.
    pub rows: u64,
    /// Smallest record.
    pub min_record: i64,
    /// Largest record.
    pub max_record: i64,
    /// Commit of the youngest row; no row is stale by a commit up to this one.
    pub commit_seq: i64,
    /// Its key, sealed.
    pub wrapped: WrappedKey,
}

/// The lake as one moment of the ledger knows it. Commits after that moment do not change it; an erasure after it
/// closes it, because what was erased must not be read from an older view either.
#[derive(Clone)]
pub struct Snapshot {
    lake: Lake,
    files: Arc<BTreeMap<LakeTable, Vec<LakeFile>>>,
    rule: Arc<Visibility>,
    person: Option<PersonMap>,
    taken_at: u64,
}

impl Snapshot {
    pub(crate) fn new(
        lake: Lake,
        files: Vec<LakeFile>,
        rule: Visibility,
        map: Option<AssetId>,
        taken_at: u64,
    ) -> Result<Self, LakeError> {
        let mut by_table: BTreeMap<LakeTable, Vec<LakeFile>> = BTreeMap::new();
        for file in files.into_iter().filter(|f| f.rows > 0) {
            by_table.entry(file.table).or_default().push(file);
        }
        for files in by_table.values_mut() {
            files.sort_by_key(|f| (f.min_record, f.commit_seq, f.asset));
        }
        let mut snapshot = Snapshot { lake, files: Arc::new(by_table), rule: Arc::new(rule), person: None, taken_at };
        // Older versions of the map stay in the lake.
        let youngest = || snapshot.files(LakeTable::RecordPerson).max_by_key(|f| (f.commit_seq, f.asset));
        let of_run = match map {
            Some(asset) => snapshot.files(LakeTable::RecordPerson).find(|f| f.asset == asset),
            None => youngest(),
        };
        if let Some(file) = of_run.cloned() {
            snapshot.person = Some(read::person_map(&snapshot.lake, &file)?);
        }
        Ok(snapshot)
    }

    pub(crate) fn root(&self) -> &Path {
        self.lake.root()
    }

    pub(crate) fn rule(&self) -> Arc<Visibility> {
        Arc::clone(&self.rule)
    }

    pub(crate) fn lake(&self) -> &Lake {
        &self.lake
    }

    pub(crate) fn keys(&self) -> Keys {
        let wrapped: HashMap<AssetId, WrappedKey> = self.files.values().flatten().map(|f| (f.asset, f.wrapped.clone())).collect();
        Keys::new(self.lake.keyring_handle(), wrapped, self.lake.erasures(), self.taken_at)
    }

    /// Fails when something was erased since the snapshot was taken.
    pub(crate) fn current(&self) -> Result<(), LakeError> {
        if self.lake.erasures().load(Ordering::Acquire) == self.taken_at { Ok(()) } else { Err(LakeError::Outdated) }
    }

    /// Files of a table, by smallest record.
    pub fn files(&self, table: LakeTable) -> impl Iterator<Item = &LakeFile> {
        self.files.get(&table).into_iter().flatten()
    }

    /// Every file of every table.
    pub fn all_files(&self) -> impl Iterator<Item = &LakeFile> {
        self.files.values().flatten()
    }

    /// Whether a file can hold rows that nobody sees, so that it has to be read with a filter.
    pub(crate) fn hides_in(&self, file: &LakeFile) -> bool {
        self.rule.touches(file.min_record, file.max_record, file.commit_seq)
    }

    /// Rows of a table, those that nobody sees included: a figure for plans and progress.
    pub fn rows(&self, table: Table) -> u64 {
        self.files(table.into()).map(|f| f.rows).sum()
    }

    /// Which records are one person, blocked records included; none before linkage has run.
    pub fn person_map(&self) -> Option<&PersonMap> {
        self.person.as_ref()
    }

    /// The rows of some records, of the table's lake schema, in no particular order of batches, each sorted by record.
    /// Stale rows never come; rows of blocked records only when asked for.
    ///
    /// # Errors
    /// [`LakeError`] when a file cannot be opened or read, or the snapshot is outdated.
    pub fn records(&self, table: Table, records: &[RecordId], blocked: Blocked) -> Result<Vec<RecordBatch>, LakeError> {
        self.current()?;
        let mut wanted: Vec<i64> = records.iter().map(|r| r.0).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let wanted = Arc::new(Wanted::new(wanted));
        let rule = Arc::new(self.rule.of(blocked));
        let files: Vec<&LakeFile> = self.files(table.into()).filter(|f| wanted.any_between(f.min_record, f.max_record)).collect();
        read::in_parallel(&files, |file| read::of_records(&self.lake, file, &wanted, &rule))
            .map(|parts| parts.into_iter().flatten().filter(|b| b.num_rows() > 0).collect())
    }

    /// All visible rows of a table, piece by piece: one provider's after another's, each provider's sorted by record. Records of several
    /// providers lie over each other, those of one in few files: so few files are open at a time, however many providers there are.
    ///
    /// # Errors
    /// [`LakeError`] when a file cannot be opened; the iterator fails where one cannot be read.
    pub fn scan(
        &self,
        table: Table,
        blocked: Blocked,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, LakeError>> + Send + use<>, LakeError> {
        self.scan_files(table, blocked, None)
    }

    /// The same of one provider.
    ///
    /// # Errors
    /// As [`Snapshot::scan`].
    pub fn scan_of(
        &self,
        table: Table,
        blocked: Blocked,
        provider: &ProviderId,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, LakeError>> + Send + use<>, LakeError> {
        self.scan_files(table, blocked, Some(provider))
    }

    fn scan_files(
        &self,
        table: Table,
        blocked: Blocked,
        of: Option<&ProviderId>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, LakeError>> + Send + use<>, LakeError> {
        self.current()?;
        let rule = Arc::new(self.rule.of(blocked));
        let mut by_provider: BTreeMap<Option<ProviderId>, Vec<LakeFile>> = BTreeMap::new();
        for file in self.files(table.into()).filter(|f| of.is_none() || f.provider.as_ref() == of) {
            by_provider.entry(file.provider.clone()).or_default().push(file.clone());
        }
        let lake = self.lake.clone();
        Ok(by_provider.into_values().flat_map(move |files| {
            let (rows, failed) = match read::merged(&lake, LakeTable::Rows(table), &files, &rule, None) {
                Ok(rows) => (Some(rows), None),
                Err(error) => (None, Some(Err(error))),
            };
            rows.into_iter().flatten().chain(failed)
        }))
    }

    /// A session of queries over the snapshot, with a runtime of its own.
    ///
    /// # Errors
    /// [`LakeError`] when the directory for spilling cannot be made.
    pub fn session(&self, options: &SessionOptions) -> Result<Session, LakeError> {
        Session::new(self, options)
    }

    /// Runs one query with the default options.
    ///
    /// # Errors
    /// As [`Session::prepare`] and [`crate::Query::collect`].
    pub async fn sql(&self, query: &str) -> Result<Vec<RecordBatch>, LakeError> {
        self.session(&SessionOptions::default())?.prepare(query).await?.collect().await
    }
}
