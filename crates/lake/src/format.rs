//! How a file of the lake is written and opened: Parquet under uniform encryption, every byte of it (footer,
//! statistics, page headers, indexes, data) under the file's own key, bound to the asset id.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use terms::AssetId;

use crate::LakeError;

/// Rows of a row group: enough that a scan runs at the speed of its columns, few enough that a look-up of one record
/// reads little.
const GROUP_ROWS: usize = 262_144;
/// Encoded bytes of a row group: what bounds the memory of a writer of long texts.
const GROUP_BYTES: usize = 48 << 20;

/// Columns of bytes or long texts that hardly ever repeat: a dictionary would be built and thrown away.
const UNIQUE: [&str; 3] = ["content", "path", "note_text"];

/// Properties of a new file. They hold the key and their `Debug` prints it: never format them.
pub(crate) fn writer_properties(asset: AssetId, key: &[u8; 32]) -> Result<WriterProperties, ParquetError> {
    // The prefix binds the file to its asset. It is not in the file: under another name nothing opens.
    let encryption = FileEncryptionProperties::builder(key.to_vec())
        .with_aad_prefix(asset.as_bytes().to_vec())
        .with_aad_prefix_storage(false)
        .build()?;
    let mut properties = WriterProperties::builder()
        .with_file_encryption_properties(encryption)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from("record_id"), EnabledStatistics::Page)
        // Parquet writes bloom filters outside the encryption: anyone could ask them for a patient or a code.
        .set_bloom_filter_enabled(false)
        .set_created_by("azekura".to_owned());
    for column in UNIQUE {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(column), false)
            .set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::None);
    }
    Ok(properties.build())
}

/// Properties to open a file with.
pub(crate) fn decryption(asset: AssetId, key: &[u8; 32]) -> Result<Arc<FileDecryptionProperties>, ParquetError> {
    FileDecryptionProperties::builder(key.to_vec()).with_aad_prefix(asset.as_bytes().to_vec()).build()
}

/// Opens a file for reading; `index` also loads the page index, for look-ups of few records.
pub(crate) fn open(
    path: &Path,
    asset: AssetId,
    key: &[u8; 32],
    index: bool,
) -> Result<ParquetRecordBatchReaderBuilder<File>, LakeError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => LakeError::Missing { asset },
        _ => LakeError::io("opening", asset, error),
    })?;
    let unreadable = |error: ParquetError| LakeError::Unreadable { asset, reason: reason(&error) };
    let policy = if index { PageIndexPolicy::Optional } else { PageIndexPolicy::Skip };
    let options = ArrowReaderOptions::new()
        .with_file_decryption_properties(decryption(asset, key).map_err(unreadable)?)
        .with_page_index_policy(policy);
    ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(unreadable)
}

/// What a failure of the Parquet reader says of the file; its text holds positions and lengths, never values.
pub(crate) fn reason(error: &ParquetError) -> String {
    match error {
        ParquetError::ArrowError(_) => "its columns do not decode".to_owned(),
        other => other.to_string(),
    }
}
