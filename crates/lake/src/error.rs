use datafusion::error::DataFusionError;
use messages::Message;
use terms::AssetId;

/// What can go wrong in the lake. No variant holds a value of a row: errors name tables, assets and places.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The file system refused.
    #[error("{what} {path}: {source}; make room or set the permission right, then run the same command again")]
    Io {
        /// What was being done.
        what: &'static str,
        /// Path, relative to the instance where it is one of the lake.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A file of the lake is not where the ledger says.
    #[error("file of asset {asset} is missing; run the sweep, and restore the file from a copy if it is not an erased one")]
    Missing {
        /// The asset.
        asset: AssetId,
    },
    /// The file does not open under its key: changed, put under another name, or cut off.
    #[error("file of asset {asset} cannot be read ({reason}); it was changed or cut off: restore it from a copy")]
    Unreadable {
        /// The asset.
        asset: AssetId,
        /// Where the reader stopped.
        reason: String,
    },
    /// The key is gone: erased, or the snapshot is older than an erasure.
    #[error("the key of asset {asset} was destroyed; take a new snapshot")]
    KeyDestroyed {
        /// The asset.
        asset: AssetId,
    },
    /// Something was erased after the snapshot was taken.
    #[error("something was erased after this snapshot was taken; take a new one")]
    Outdated,
    /// Rows that do not have the form of their table.
    #[error("a batch for {table} is refused: {reason}")]
    Batch {
        /// The table.
        table: &'static str,
        /// What is wrong with its form.
        reason: String,
    },
    /// A query that is not one, or that is not allowed.
    #[error("the query is refused: {reason}")]
    Query {
        /// What the planner says, which holds nothing but the query's own words.
        reason: String,
    },
    /// A query that failed while it ran.
    #[error("the query failed while it ran ({kind}); see which expression can fail on some rows, or give it more memory")]
    Running {
        /// Kind of failure, without the values that it met.
        kind: String,
    },
    /// Columns could not be put together.
    #[error("columns of {table} could not be put together: {reason}")]
    Columns {
        /// The table.
        table: &'static str,
        /// The reason.
        reason: String,
    },
    /// A thread or a task of the lake ended without a result.
    #[error("a worker ended without a result while {what}; run the same command again")]
    Worker {
        /// What it was doing.
        what: &'static str,
    },
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
    /// A key could not be made or opened.
    #[error(transparent)]
    Seal(#[from] seal::SealError),
}

/// Codes of the catalogue that this crate raises.
pub const CODES: &[&str] = &[
    "lake-io",
    "lake-missing",
    "lake-unreadable",
    "lake-key-destroyed",
    "lake-outdated",
    "lake-batch",
    "lake-query",
    "lake-running",
    "lake-worker",
    "lake-ledger",
    "lake-seal",
];

impl LakeError {
    /// The same as a message of the catalogue.
    pub fn message(&self) -> Message {
        match self {
            LakeError::Io { what, path, source } => {
                Message::new("lake-io").with("what", what).with("path", path).with("reason", source)
            }
            LakeError::Missing { asset } => Message::new("lake-missing").with("asset", asset),
            LakeError::Unreadable { asset, reason } => {
                Message::new("lake-unreadable").with("asset", asset).with("reason", reason)
            }
            LakeError::KeyDestroyed { asset } => Message::new("lake-key-destroyed").with("asset", asset),
            LakeError::Outdated => Message::new("lake-outdated"),
            LakeError::Batch { table, reason } | LakeError::Columns { table, reason } => {
                Message::new("lake-batch").with("table", table).with("reason", reason)
            }
            LakeError::Query { reason } => Message::new("lake-query").with("reason", reason),
            LakeError::Running { kind } => Message::new("lake-running").with("kind", kind),
            LakeError::Worker { what } => Message::new("lake-worker").with("what", what),
            LakeError::Ledger(error) => Message::new("lake-ledger").with("reason", error),
            LakeError::Seal(error) => Message::new("lake-seal").with("reason", error),
        }
    }

    pub(crate) fn io(what: &'static str, path: impl std::fmt::Display, source: std::io::Error) -> Self {
        LakeError::Io { what, path: path.to_string(), source }
    }

    /// What a plan met while it ran. No text of the engine's is passed on: functions call a value that they cannot take a fault of the plan, and quote it.
    pub(crate) fn running(error: DataFusionError) -> Self {
        match Self::query(error) {
            LakeError::Query { .. } => LakeError::Running { kind: "a value did not fit an expression".into() },
            other => other,
        }
    }

    /// What planning met, before any value was read.
    pub(crate) fn query(error: DataFusionError) -> Self {
        // Our own errors travel through the engine as external ones.
        let error = match error {
            DataFusionError::External(inner) => match inner.downcast::<LakeError>() {
                Ok(own) => return *own,
                Err(inner) => DataFusionError::External(inner),
            },
            DataFusionError::Context(_, inner) => return Self::query(*inner),
            DataFusionError::Diagnostic(_, inner) => return Self::query(*inner),
            other => other,
        };
        match &error {
            DataFusionError::Shared(inner) => Self::shared(inner),
            DataFusionError::Plan(_)
            | DataFusionError::SQL(..)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_) => LakeError::Query { reason: error.strip_backtrace() },
            other => LakeError::Running { kind: Self::kind(other) },
        }
    }

    /// A failure that several parts of a plan met: the engine hands out a reference.
    fn shared(error: &DataFusionError) -> Self {
        match error {
            DataFusionError::Shared(inner) => Self::shared(inner),
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Self::shared(inner),
            DataFusionError::External(own) => match own.downcast_ref::<LakeError>() {
                Some(LakeError::Outdated) => LakeError::Outdated,
                Some(LakeError::KeyDestroyed { asset }) => LakeError::KeyDestroyed { asset: *asset },
                _ => LakeError::Running { kind: Self::kind(error) },
            },
            other => LakeError::Running { kind: Self::kind(other) },
        }
    }

    /// What kind of failure it is. Its text can quote the value that it met, and stays out.
    fn kind(error: &DataFusionError) -> String {
        match error {
            DataFusionError::ArrowError(..) => "a value did not fit an expression".into(),
            DataFusionError::ParquetError(_) => "a file could not be read".into(),
            DataFusionError::ObjectStore(_) => "a file is not there".into(),
            DataFusionError::ResourcesExhausted(_) => "out of memory or of room to spill".into(),
            DataFusionError::IoError(inner) => format!("input or output: {}", inner.kind()),
            _ => "a part of the engine".into(),
        }
    }
}
