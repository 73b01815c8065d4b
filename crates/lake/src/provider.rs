use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::EncryptionFactoryOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DataFusionError, Result, ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::parquet_encryption::EncryptionFactory;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::parquet::encryption::decrypt::FileDecryptionProperties;
use datafusion::parquet::encryption::encrypt::FileEncryptionProperties;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::path::Path;
use seal::{Keyring, WrappedKey};
use terms::AssetId;

use crate::snapshot::LakeFile;
use crate::{LakeError, LakeTable, format};

/// Name under which sessions know [`Keys`].
pub(crate) const FACTORY: &str = "azekura";

/// Opens the files of one snapshot for the engine, and no other. Holds no data key: each opening unwraps it anew, so
/// that what was destroyed stays closed.
pub(crate) struct Keys {
    keyring: Arc<Keyring>,
    wrapped: HashMap<AssetId, WrappedKey>,
    erasures: Arc<AtomicU64>,
    taken_at: u64,
}

impl Keys {
    pub(crate) fn new(
        keyring: Arc<Keyring>,
        wrapped: HashMap<AssetId, WrappedKey>,
        erasures: Arc<AtomicU64>,
        taken_at: u64,
    ) -> Self {
        Self { keyring, wrapped, erasures, taken_at }
    }

    fn open(&self, path: &Path) -> std::result::Result<Arc<FileDecryptionProperties>, LakeError> {
        if self.erasures.load(Ordering::Acquire) != self.taken_at {
            return Err(LakeError::Outdated);
        }
        let unknown = || LakeError::Query { reason: "a file that is not part of this snapshot".to_owned() };
        let name = path.filename().and_then(|n| n.strip_suffix(".parquet")).ok_or_else(unknown)?;
        let asset: AssetId = name.parse().map_err(|_| unknown())?;
        let wrapped = self.wrapped.get(&asset).ok_or_else(unknown)?;
        let key = crate::open_key(&self.keyring, asset, wrapped)?;
        format::decryption(asset, key.bytes()).map_err(|e| LakeError::Unreadable { asset, reason: format::reason(&e) })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys of {} files", self.wrapped.len())
    }
}

#[async_trait]
impl EncryptionFactory for Keys {
    async fn get_file_encryption_properties(
        &self,
        _: &EncryptionFactoryOptions,
        _: &SchemaRef,
        _: &Path,
    ) -> Result<Option<Arc<FileEncryptionProperties>>> {
        Err(DataFusionError::Plan("queries do not write into the lake".to_owned()))
    }

    async fn get_file_decryption_properties(
        &self,
        _: &EncryptionFactoryOptions,
        path: &Path,
    ) -> Result<Option<Arc<FileDecryptionProperties>>> {
        self.open(path).map(Some).map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

/// Some files of one table as the engine sees them.
pub(crate) struct Files {
    schema: SchemaRef,
    files: Vec<PartitionedFile>,
    rows: u64,
    store: ObjectStoreUrl,
    keys: Arc<Keys>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files", self.files.len())
    }
}

impl Files {
    pub(crate) fn new<'a>(
        table: LakeTable,
        files: impl Iterator<Item = &'a LakeFile>,
        store: ObjectStoreUrl,
        keys: Arc<Keys>,
    ) -> Self {
        let schema = viewed(&table.schema());
        let mut rows = 0;
        let files = files
            .map(|file| {
                rows += file.rows;
                PartitionedFile::new(file.path.clone(), file.size).with_statistics(Arc::new(statistics(&schema, file)))
            })
            .collect();
        Self { schema, files, rows, store, keys }
    }
}

/// The same columns with texts and bytes as views: the reader hands out slices of its pages then, instead of copies.
fn viewed(schema: &Schema) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => Field::new(field.name(), DataType::Utf8View, field.is_nullable()),
        DataType::Binary => Field::new(field.name(), DataType::BinaryView, field.is_nullable()),
        _ => field.as_ref().clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// What the ledger knows of a file: the range of its records, by which the engine passes over it without opening it.
/// The engine takes answers from the statistics of the whole scan only, and those stay unknown: no answer may come from
/// numbers that outlive the file's key.
fn statistics(schema: &SchemaRef, file: &LakeFile) -> Statistics {
    let mut columns = vec![ColumnStatistics::new_unknown(); schema.fields().len()];
    if let Some(record) = columns.first_mut() {
        record.min_value = Precision::Exact(ScalarValue::Int64(Some(file.min_record)));
        record.max_value = Precision::Exact(ScalarValue::Int64(Some(file.max_record)));
        record.null_count = Precision::Exact(0);
    }
    Statistics {
        num_rows: Precision::Inexact(file.rows as usize),
        total_byte_size: Precision::Absent,
        column_statistics: columns,
    }
}

#[async_trait]
impl TableProvider for Files {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let mut options = TableParquetOptions::new();
        options.global = state.config().options().execution.parquet.clone();
        options.global.bloom_filter_on_read = false;
        options.crypto.factory_id = Some(FACTORY.to_owned());
        let keys: Arc<dyn EncryptionFactory> = Arc::clone(&self.keys) as _;
        let source = ParquetSource::new(TableSchema::from(Arc::clone(&self.schema)))
            .with_table_parquet_options(options)
            .with_encryption_factory(keys);
        let width = state.config().target_partitions().clamp(1, self.files.len());
        let mut groups = vec![Vec::new(); width];
        for (number, file) in self.files.iter().enumerate() {
            groups[number % width].push(file.clone());
        }
        let mut all = Statistics::new_unknown(&self.schema);
        all.num_rows = Precision::Inexact(self.rows as usize);
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups.into_iter().map(FileGroup::new).collect())
            .with_statistics(all)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // They prune row groups and pages; the engine keeps its own filter above.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
