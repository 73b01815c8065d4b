//! The use cases of the house, each one function that a command, later a route or a page, calls.
//!
//! * before anything comes in: [`Instance`], [`config`], [`parties`], [`notices`]
//! * in: [`receive`] (look, keep sealed), [`ingest`] (read, keep or refuse, assemble), with [`reading`], the child process that meets
//!   hostile bytes, and [`assemble`], which says what stands of a record
//! * inside: [`link`], [`clerk`], [`opt_out`], [`holds`], [`sql`], [`keeping`]
//! * out: [`dataset`]; `moving` puts what is finished where its recipient fetches it
//! * afterwards: [`journal`]
//!
//! Invariant: knows nothing of how anything is shown. Every change goes through one ledger transaction with its events.

pub mod assemble;
mod checked;
pub mod clerk;
pub mod codes;
pub mod config;
pub mod dataset;
mod doubtful;
mod error;
pub mod holds;
pub mod ingest;
mod instance;
pub mod journal;
pub mod keeping;
pub mod link;
pub mod listed;
mod lists;
pub mod masters;
mod moving;
mod names;
pub mod notices;
pub mod opt_out;
pub mod parties;
mod patients;
pub mod quality;
pub mod reading;
pub mod receive;
mod sealed;
mod spool;
pub mod sql;
pub mod standing;
mod told;

pub use error::{Error, Refusal};
pub use instance::{CONFIG, Instance, Made, PassphraseIs};
pub use moving::Stuck;
