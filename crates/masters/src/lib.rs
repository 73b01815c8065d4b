//! Code masters and vocabularies that the operator loads, and what a source value of the lake is in them.
//!
//! None is shipped: their issuers hold the rights. Bytes and readers come in, structs go out. Editions stand side by side, and a
//! code is asked for by the day of service.
//!
//! * `kind` which masters there are; `read` a file → an `edition`; `text` and `dates` what its bytes say;
//! * `editions` several of them, and the row of a code on a day; `drugs` rows of the HOT file by any code of a drug; `jlac10` tests;
//! * `vocabulary` concepts of OMOP as Athena hands them out, and the operator's own maps;
//! * `system` whose code a source value is; `resolver` all of it together; `fill` rows with the concepts of their codes, `units` of UCUM, `local` concepts of
//!   the instance's own.
//!
//! Invariants: knows no disk, no ledger; no row of a file is lost without a word; nothing is guessed: what a code
//! does not say is not there, and where it says several things all of them are.

mod dates;
mod drugs;
mod edition;
mod editions;
mod error;
mod fill;
mod jlac10;
mod kind;
mod local;
mod read;
mod resolver;
mod system;
mod text;
mod units;
mod vocabulary;

pub use edition::{BadRow, Change, Changes, Details, Doubt, Edition, Icd10, Report, Row};
pub use editions::{Key, Masters, Resolved, Validity, icd10_with_dot};
pub use error::MasterError;
pub use fill::{Covered, Filler, State};
pub use jlac10::{Exactness, Tests};
pub use kind::{Extent, Kind};
pub use local::LocalConcepts;
pub use read::{read, read_as, read_difference_as, read_on};
pub use resolver::{Concepts, Resolver};
pub use system::{Coded, System};
pub use text::{Charset, MOST_BYTES, MOST_FIELD, MOST_LINE};
pub use vocabulary::{Filter, Kept, Origin, Targets, Vocabulary};
