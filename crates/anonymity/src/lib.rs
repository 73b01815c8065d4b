//! Treating tables about people until they are what the law calls pseudonymized or anonymized.
//!
//! A [`Profile`] (TOML) names a treatment for every column of every table. [`process`] takes [`Identified`] tables and gives
//! [`Pseudonymized`] or [`Anonymized`] ones, which are different types: nothing else makes them, so a function that
//! asks for one cannot be called with tables that were not treated. With them comes a [`Report`]: what was done to each
//! column, how large the classes of equal people are, and what was lost.
//!
//! * [`profile`]: the profile's types; [`floor`]: what no profile may allow, by kind;
//! * [`treat`]: the treatments, one a file;
//! * [`classes`]: k per person on the quasi-identifiers, coarsening step by step, then suppression;
//! * [`calendar`]: codes that fix a date; [`events`]: codes of a person together; [`attack`]: who tries to find persons in the result;
//! * [`visits`]: how often persons came, and how far apart;
//! * [`process`]: the order of it all; `run`: every column by its treatment;
//! * [`joint`]: what a release tells beside earlier ones of the same people;
//! * [`recount`]: a second, naive reading of the result that shares no code with what made it;
//! * [`effects`]: whom leaving people out falls on;
//! * [`report`], [`report_html`], [`dictionary`]: what people read.
//!
//! Beside it stands an engine for flat tables (CSV), which finds the levels that lose least and meet privacy models:
//! [`table`] reads, [`models`] and [`metrics`] say what is asked, [`search`] finds and proves, [`release`] writes and reports,
//! [`micro`] changes columns that are kept, [`risk`] measures, [`verify`] checks a release from the output alone. [`counts`] makes
//! statistical tables with noise, and keeps the budget of what noise gives away.
//!
//! A person, not a row, is the unit of protection: classes, rare codes and extreme values are counted in persons, and
//! in the release, not in the source.
//!
//! Invariant: Arrow in, Arrow out. Knows nothing of the platform, of storage, or of who asks; the randomness is handed in.
//! No message, error or report holds a value of a row that fewer than k persons have.

pub mod attack;
pub mod calendar;
pub mod classes;
pub mod counts;
mod dataset;
pub mod dictionary;
pub mod effects;
mod error;
pub mod events;
pub mod floor;
mod html;
pub mod identifiers;
pub mod joint;
pub mod metrics;
pub mod micro;
pub mod models;
mod months;
mod persons;
mod process;
pub mod profile;
pub mod recount;
pub mod release;
pub mod report;
pub mod risk;
mod run;
pub mod search;
mod stay;
pub mod table;
pub mod treat;
pub mod verify;
pub mod visits;

pub use dataset::{Anonymized, Dataset, Identified, Pseudonymized};
pub use error::{AnonymityError, CODES};
pub use html::{TEXTS, report_html};
pub use process::{PersonIds, Processed, process, process_and_tell};
pub use profile::{Kind, Profile, Treatment};
pub use report::Report;
