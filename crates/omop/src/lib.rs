//! OMOP CDM v5.4 as Arrow: the tables that Azekura fills, their columns, row types and builders, and the tables and
//! columns that Azekura adds.
//!
//! Rows in the lake carry no `person_id`: the key of a row is `record_id`, one per (provider, local patient), and who
//! is one person is a view that linkage makes. Row ids (`measurement_id` …) are unique within a record only.
//!
//! Invariant: knows nothing of storage, of formats, or of law.

mod concepts;
mod tables;

pub use concepts::{concept, gender_concept, type_concept};
pub use tables::*;
