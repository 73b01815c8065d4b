use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use seal::hash::Sha256Writer;
use seal::{KeyScope, Keyring, WrappedKey};
use terms::{AssetId, ProviderId};

use crate::{LakeError, LakeTable, format};

type Sink = BufWriter<Sha256Writer<durable::NewFile>>;

/// A new file of the lake being written. Dropped before [`FileWriter::finish`] it leaves nothing behind.
pub struct FileWriter {
    writer: ArrowWriter<Sink>,
    table: LakeTable,
    file: StagedFile,
    last: i64,
}

/// A file that is whole and on the disk, but not part of the lake before the ledger says so. Its key exists only in
/// here until then: a crash before the commit leaves bytes that nobody can open, and the sweep removes them.
#[derive(Clone)]
pub struct StagedFile {
    /// Its asset.
    pub asset: AssetId,
    /// What it holds.
    pub table: LakeTable,
    /// Whose records; none for tables over all providers.
    pub provider: Option<ProviderId>,
    /// Its key, sealed under the key of its class and provider.
    pub wrapped: WrappedKey,
    /// Number of rows.
    pub rows: u64,
    /// Smallest record.
    pub min_record: i64,
    /// Largest record.
    pub max_record: i64,
    /// Commit of the youngest row; no row is stale by a commit up to this one.
    pub commit_seq: i64,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes as they stand on the disk.
    pub sha256: [u8; 32],
    /// Path relative to the instance.
    pub path: String,
}

/// Path of a file relative to the instance.
pub(crate) fn relative_path(table: LakeTable, provider: Option<&ProviderId>, asset: AssetId) -> String {
    format!("lake/{}/{}/{asset}.parquet", table.name(), provider.map_or("all", ProviderId::as_str))
}

impl FileWriter {
    pub(crate) fn create(
        root: &std::path::Path,
        keyring: &Keyring,
        table: LakeTable,
        provider: Option<&ProviderId>,
    ) -> Result<Self, LakeError> {
        let asset = AssetId::new();
        let path = relative_path(table, provider, asset);
        let full: PathBuf = root.join(&path);
        if let Some(directory) = full.parent() {
            durable::create_dir(directory).map_err(|e| LakeError::io("making the directory of", &path, e))?;
        }
        let scope = KeyScope { class: table.class(), provider: provider.cloned() };
        let (key, wrapped) = keyring.new_data_key(&scope, asset)?;
        let file = durable::NewFile::create(&full).map_err(|e| LakeError::io("making", &path, e))?;
        let sink = BufWriter::with_capacity(1 << 20, Sha256Writer::new(file));
        let properties = format::writer_properties(asset, key.bytes()).map_err(|e| written(&path, e))?;
        let writer = ArrowWriter::try_new(sink, table.schema(), Some(properties)).map_err(|e| written(&path, e))?;
        let file = StagedFile {
            asset,
            table,
            provider: provider.cloned(),
            wrapped,
            rows: 0,
            min_record: i64::MAX,
            max_record: i64::MIN,
            commit_seq: 0,
            size: 0,
            sha256: [0; 32],
            path,
        };
        Ok(Self { writer, table, file, last: i64::MIN })
    }

    /// Adds rows: of the table's lake schema, sorted by `record_id`, not before what was written already.
    ///
    /// # Errors
    /// [`LakeError::Batch`] when the batch is not that, [`LakeError::Io`] when the disk refuses.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let refused = |reason: &str| LakeError::Batch { table: self.table.name(), reason: reason.to_owned() };
        if batch.schema().fields() != self.table.schema().fields() {
            return Err(refused("its columns are not those of the table in the lake"));
        }
        let Some(ids) = batch.column(0).as_primitive_opt::<Int64Type>() else {
            return Err(refused("its first column is not record_id"));
        };
        let ids = ids.values();
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(()) };
        if *first < self.last || !ids.is_sorted() {
            return Err(refused("its rows are not sorted by record_id"));
        }
        self.last = *last;
        self.file.min_record = self.file.min_record.min(*first);
        self.file.max_record = *last;
        self.file.rows += batch.num_rows() as u64;
        if let Some(commits) = batch.column_by_name("commit_seq").and_then(|c| c.as_primitive_opt::<Int64Type>()) {
            let youngest = commits.values().iter().copied().max().unwrap_or(0);
            self.file.commit_seq = self.file.commit_seq.max(youngest);
        }
        self.writer.write(batch).map_err(|e| written(&self.file.path, e))
    }

    /// The asset id that the file will have.
    pub fn asset(&self) -> AssetId {
        self.file.asset
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.file.rows
    }

    /// About how many bytes the file has by now.
    pub fn size(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    /// Says up to which commit the rows are free of stale ones, where that is later than their own.
    pub(crate) fn set_commit(&mut self, commit_seq: i64) {
        self.file.commit_seq = self.file.commit_seq.max(commit_seq);
    }

    /// Completes the file: after this it survives a power loss.
    ///
    /// # Errors
    /// [`LakeError::Io`] when the disk refuses; nothing is left behind then.
    pub fn finish(self) -> Result<StagedFile, LakeError> {
        let Self { writer, mut file, .. } = self;
        let failed = |e: io::Error| LakeError::io("writing", &file.path, e);
        let sink = writer.into_inner().map_err(|e| written(&file.path, e))?;
        let mut hashed = sink.into_inner().map_err(|e| failed(e.into_error()))?;
        hashed.flush().map_err(failed)?;
        let (sealed, sha256, size) = hashed.finish();
        sealed.finish().map_err(failed)?;
        file.size = size;
        file.sha256 = sha256;
        if file.rows == 0 {
            (file.min_record, file.max_record) = (0, -1);
        }
        Ok(file)
    }
}

/// A failure while writing; what the Parquet writer wraps of the disk comes out again.
fn written(path: &str, error: ParquetError) -> LakeError {
    let source = match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(io) => *io,
            Err(_) => io::Error::other("the Parquet writer failed"),
        },
        other => io::Error::other(format::reason(&other)),
    };
    LakeError::io("writing", path, source)
}
