use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::ViewTable;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{Expr, ScalarUDF};
use datafusion::prelude::{SessionConfig, col};
use object_store::local::LocalFileSystem;
use omop::Table;
use terms::AssetClass;

use crate::functions::{PersonOf, Visible};
use crate::provider::{FACTORY, Files, Keys};
use crate::snapshot::{LakeFile, Snapshot};
use crate::spill::SealedSpill;
use crate::{LakeError, LakeTable};

/// How a session of queries runs and what it may see.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Also registers the tables that say who: `identity`, `insurance`, `source_file`.
    pub identity: bool,
    /// Memory for sorts, joins and aggregations, in bytes; beyond it they spill.
    pub memory: usize,
    /// Bytes that may be spilt at a time.
    pub spill: u64,
    /// Threads that work on one query.
    pub threads: usize,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            identity: false,
            memory: 1 << 30,
            spill: 100 << 30,
            threads: std::thread::available_parallelism().map_or(2, NonZeroUsize::get),
        }
    }
}

/// A query that was checked and planned but has not read anything: its tables can be journalled before it runs.
pub struct Query {
    frame: DataFrame,
    tables: BTreeSet<String>,
    snapshot: Snapshot,
}

impl Query {
    /// Names of the tables that it reads.
    pub fn tables(&self) -> &BTreeSet<String> {
        &self.tables
    }

    /// Runs it and gives the whole answer, texts as `Utf8`.
    ///
    /// # Errors
    /// [`LakeError::Running`] and what reading the files can meet.
    pub async fn collect(self) -> Result<Vec<RecordBatch>, LakeError> {
        self.snapshot.current()?;
        let batches = self.frame.collect().await.map_err(LakeError::running)?;
        batches.iter().map(plain).collect()
    }

    /// Runs it and gives the answer piece by piece; texts as `Utf8View`, see [`plain`].
    ///
    /// # Errors
    /// As [`Query::collect`].
    pub async fn stream(self) -> Result<SendableRecordBatchStream, LakeError> {
        self.snapshot.current()?;
        self.frame.execute_stream().await.map_err(LakeError::running)
    }
}

/// The same batch with texts and bytes as `Utf8` and `Binary` instead of views.
///
/// # Errors
/// When the columns do not fit, which no batch of a session does.
pub fn plain(batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
    let failed = |e: arrow::error::ArrowError| LakeError::Columns { table: "query", reason: e.to_string() };
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let wanted = match field.data_type() {
            DataType::Utf8View => DataType::Utf8,
            DataType::BinaryView => DataType::Binary,
            other => other.clone(),
        };
        columns.push(if &wanted == field.data_type() { Arc::clone(column) } else { cast(column, &wanted).map_err(failed)? });
        fields.push(Field::new(field.name(), wanted, field.is_nullable()));
    }
    let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &rows).map_err(failed)
}

/// A session of queries over one snapshot. Queries read; they cannot define, change or export anything.
pub struct Session {
    context: SessionContext,
    snapshot: Snapshot,
}

impl Session {
    pub(crate) fn new(snapshot: &Snapshot, options: &SessionOptions) -> Result<Session, LakeError> {
        let root = snapshot.root();
        let spill = root.join("lake/spill");
        durable::create_dir(&spill).map_err(|e| LakeError::io("making", "lake/spill", e))?;
        let factory = Arc::new(SealedSpill::new(spill, options.spill));
        // A runtime of its own: nothing that a cache remembers outlives the snapshot, and it keeps no cache anyway.
        let runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Custom(factory)))
            .with_memory_pool(Arc::new(TrackConsumersPool::new(FairSpillPool::new(options.memory), NonZeroUsize::MIN)))
            .with_metadata_cache_limit(0)
            .with_file_statistics_cache_limit(0)
            .with_object_list_cache_limit(0)
            .build_arc()
            .map_err(LakeError::query)?;
        let url = ObjectStoreUrl::parse("azekura://lake").map_err(LakeError::query)?;
        let store = LocalFileSystem::new_with_prefix(root)
            .map_err(|e| LakeError::io("opening", "the instance", std::io::Error::other(e.to_string())))?;
        runtime.register_object_store(url.as_ref(), Arc::new(store));
        // The rest of the disk is out of reach.
        let local = ObjectStoreUrl::local_filesystem();
        let _ = runtime.deregister_object_store(local.as_ref());

        let keys = Arc::new(snapshot.keys());
        runtime.register_parquet_encryption_factory(FACTORY, Arc::clone(&keys) as _);
        let mut config = SessionConfig::new().with_target_partitions(options.threads.max(1)).with_information_schema(true);
        let settings = config.options_mut();
        settings.execution.collect_statistics = false;
        settings.execution.parquet.bloom_filter_on_read = false;
        settings.execution.parquet.bloom_filter_on_write = false;
        let state = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features().build();
        let context = SessionContext::new_with_state(state);

        let visible = Arc::new(ScalarUDF::new_from_impl(Visible::new(snapshot.rule())));
        let person = snapshot.person_map().map(|map| Arc::new(ScalarUDF::new_from_impl(PersonOf::new(map.clone()))));
        for table in LakeTable::all() {
            let who = matches!(table.class(), AssetClass::Identity | AssetClass::Source);
            if who && !options.identity {
                continue;
            }
            let LakeTable::Rows(rows) = table else { continue };
            let view = view(&context, snapshot, rows, &url, &keys, &visible, person.as_ref()).map_err(LakeError::query)?;
            context.register_table(table.name(), Arc::new(view)).map_err(LakeError::query)?;
        }
        let rule = snapshot.rule();
        let map = snapshot.person_map().map(|map| map.without(|record| rule.is_blocked(record))).unwrap_or_default();
        let failed = |e: arrow::error::ArrowError| LakeError::Columns { table: "record_person", reason: e.to_string() };
        let table = context.read_batch(map.batch().map_err(failed)?).map_err(LakeError::query)?.into_view();
        context.register_table(LakeTable::RecordPerson.name(), table).map_err(LakeError::query)?;
        Ok(Session { context, snapshot: snapshot.clone() })
    }

    /// Checks and plans a query.
    ///
    /// # Errors
    /// [`LakeError::Query`] when it is no query, names tables that are not here, or would do more than read.
    pub async fn prepare(&self, sql: &str) -> Result<Query, LakeError> {
        let only_reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = self.context.sql_with_options(sql, only_reading).await.map_err(LakeError::query)?;
        let statement = self.context.state().sql_to_statement(sql, &datafusion::config::Dialect::Generic);
        let statement = statement.map_err(LakeError::query)?;
        let references = self.context.state().resolve_table_references(&statement).map_err(LakeError::query)?;
        let tables = references.iter().map(|r| r.table().to_owned()).collect();
        Ok(Query { frame, tables, snapshot: self.snapshot.clone() })
    }

    /// The engine's own context, for use cases that build their plans themselves. Texts are `Utf8View` in it.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }
}

/// A table as queries see it: visible rows only; `record_id`, `person_id` where linkage has run, the table's columns,
/// then where each row comes from.
fn view(
    context: &SessionContext,
    snapshot: &Snapshot,
    table: Table,
    url: &ObjectStoreUrl,
    keys: &Arc<Keys>,
    visible: &Arc<ScalarUDF>,
    person: Option<&Arc<ScalarUDF>>,
) -> datafusion::error::Result<ViewTable> {
    let (hiding, open): (Vec<_>, Vec<_>) = snapshot.files(table.into()).partition(|file| snapshot.hides_in(file));
    let read = |files: Vec<&LakeFile>| {
        context.read_table(Arc::new(Files::new(table.into(), files.into_iter(), url.clone(), Arc::clone(keys))))
    };
    let shown = visible.call(vec![col("record_id"), col("commit_seq")]);
    let frame = match (open.is_empty(), hiding.is_empty()) {
        (_, true) => read(open)?,
        (true, false) => read(hiding)?.filter(shown)?,
        (false, false) => read(open)?.union(read(hiding)?.filter(shown)?)?,
    };
    let mut columns: Vec<Expr> = vec![col("record_id")];
    if let Some(person) = person {
        columns.push(person.call(vec![col("record_id")]).alias("person_id"));
    }
    columns.extend(table.fields().map(|f| col(f.name)));
    columns.extend(omop::HEAD.iter().filter(|name| **name != "record_id").map(|name| col(*name)));
    Ok(ViewTable::new(frame.select(columns)?.into_unoptimized_plan(), None))
}
