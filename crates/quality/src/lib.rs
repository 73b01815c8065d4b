//! Data quality: some two thousand checks over OMOP tables, from a file of rules, and a report that the sender understands.
//!
//! A library of its own: Arrow batches of the model's tables in, results, findings and a page out. It knows neither where rows
//! come from nor who may see them. The names of the checks are those of OHDSI's Data Quality Dashboard where it has the check
//! (Blacketer et al. 2021), the categories those of Kahn et al. 2016.
//!
//! * `rules` the file of rules; * `run` persons first, then rows, then months; * `table`, `code_column`, `laboratory` what is counted;
//! * `shift` months against months; * `findings` what somebody can do; * `report` the page and the table of results.
//!
//! Invariants: one pass over the rows, whatever the number of checks; no text of a row but codes in a result, and rows only by
//! package, record and unit; a check that cannot fail is refused.

mod code_column;
mod codes;
mod column;
mod days;
mod findings;
mod kept;
mod laboratory;
mod lines;
mod outcome;
mod own_counts;
mod persons;
mod report;
mod rules;
mod run;
mod shift;
mod table;
mod tally;
mod units;

pub use findings::{Cause, Finding, MOST, findings};
pub use kept::{Kept, KeptCheck};
pub use outcome::{CheckResult, MonthPersons, Outcome, Reason, Status, TableSummary, Unmapped};
pub use own_counts::{Counts, counts};
pub use report::{Head, TEXTS, report_html, results_csv};
pub use rules::{Bound, Category, Check, CheckName, Owner, RuleError, Rules, Severity};
pub use run::{MANY, Origin, Run};
pub use tally::Example;
