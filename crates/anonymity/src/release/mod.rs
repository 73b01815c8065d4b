//! From a table to a release: what is asked, the search, the output, the report.
//!
//! * [`Question`], [`prepare`]: what is asked of a table, packed for the search;
//! * [`answer`]: the search's result as a release or a reason why there is none;
//! * [`Release::write`]: the output, in an order that says nothing of the input's;
//! * [`ReleaseReport`], [`release_html`]: what people read and what [`crate::verify`] checks.

mod html;
mod output;
mod question;
mod report;

pub use html::{TEXTS, release_html};
pub use output::{Release, answer};
pub use question::{Prepared, Question, prepare};
pub use report::{ColumnLevels, PopulationCounted, Reference, ReleaseReport, Sampled, SizeCount, Used};
