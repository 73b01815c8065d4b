//! The lake: encrypted Parquet files, what is visible in them, and how they are written, put together and erased.
//!
//! **In.** [`Lake::writer`] gives a [`FileWriter`]: rows of one table and provider, sorted by record, go into a file under
//! a key of its own and the file's final name; it is synced before [`FileWriter::finish`] gives a [`StagedFile`].
//! [`Lake::commit`] makes staged files part of the lake, in a transaction of the ledger that the caller begins and
//! commits: assets, wrapped keys, and the commit before which older rows of a record are stale. A file whose
//! transaction never committed has no key row: nobody can open it, and [`Lake::sweep`] removes it.
//!
//! **Out.** [`Lake::snapshot`] is the lake as one moment of the ledger knows it: its files, without rows that later commits replaced
//! and without records that are stopped or on hold. [`Snapshot::records`] looks up some records, [`Snapshot::scan`] goes through
//! a table in the order of records, [`Snapshot::session`] answers SQL over tables with their OMOP names.
//!
//! **Upkeep.** [`Lake::compact`] merges small files and takes stale rows out. [`Lake::erase`] writes the files that
//! hold a record anew without it, destroys the key epochs that the old ones were under, and removes them: an earlier
//! copy of the ledger opens nothing of it any more.
//!
//! * files: `format` (Parquet under encryption), `writer`, `read`, `merge`, `rewrite`
//! * what there is: `table`, `snapshot`, `visibility`, `person_map`, `catalogue` (the ledger's rows)
//! * queries: `session`, `provider` (files as the engine sees them), `functions`, `spill`
//! * upkeep: `plan`, `compact`, `erase`, `sweep`
//!
//! Invariants: no byte of a row is written unencrypted, spilling included; no bloom filters; no cache outlives an
//! erasure; no `Debug` or error holds a key or a value of a row. Knows neither linkage nor law: who is blocked and
//! who is one person is told to it.

mod catalogue;
mod compact;
mod erase;
mod error;
mod format;
mod functions;
mod lake;
mod merge;
mod person_map;
mod plan;
mod provider;
mod read;
mod rewrite;
mod session;
mod snapshot;
mod spill;
mod sweep;
mod table;
mod visibility;
mod writer;

pub use compact::CompactionReport;
pub use erase::ErasureReport;
pub use error::{CODES, LakeError};
pub use lake::Lake;
pub(crate) use lake::open_key;
pub use merge::sorted_by_record;
pub use person_map::PersonMap;
pub use plan::Compaction;
pub use session::{Query, Session, SessionOptions, plain};
pub use snapshot::{LakeFile, Snapshot};
pub use spill::{Spilled, SpilledReader};
pub use sweep::SweepReport;
pub use table::{LakeTable, UnknownTable};
pub use visibility::Blocked;
pub use writer::{FileWriter, StagedFile};
