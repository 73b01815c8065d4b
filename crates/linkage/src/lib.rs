//! Record linkage (名寄せ): which records of which providers are one person.
//!
//! [`link`] takes the identity vault ([`People`]), what clerks have decided ([`Fact`]) and [`Options`], and says for every
//! record which person it is ([`Links`]) and how probable each pair is. A person here is a view that every run may change, never a fact.
//!
//! The way of a record, which is the order of the parts:
//!
//! * `people`, `table` (`columns`, `lines`): rows of the vault or of a file;
//! * `normalise` (`text`, `variants`, `dates`, `contact`, `lexicon`, `forms`): each value becomes a number, equal values equal numbers;
//! * `stand_in`: test patients, placeholders, newborns under the mother's name and unnamed rows are kept out;
//! * `blocks`: candidate pairs, from several keys, with a cap on monster blocks that is reported;
//! * `levels`, `compare`: a pair becomes levels of agreement;
//! * `parts`, `parts_levels`, `parts_model` (`distance`): the same of tables with addresses in parts and a personal identifier;
//! * `frequencies`, `model`, `prior`, `em`: what the levels say: one person, one household, or strangers. Learned without labels;
//!   `supervision`: what clerks said of pairs, where it is to be heeded;
//! * `rates`: which institutions often have a birth date or a sex wrong;
//! * `clusters`: pairs become persons, strongest first; a pair that would join what contradicts itself is cut;
//! * `engine`: all of it; `link` for the vault; `files` for files and what later runs change (`merge`, `facts`, `implied`, `withdrawn`,
//!   `history`), in a folder (`folder`, `state`, `write`) at which clerks sit (`desk`);
//! * `bounded` (`sorter`, `spill`): the same within a bound on memory, part by part;
//! * `report` (`html`, `drift`): what a run found, and what moved since the run before;
//! * `key_query`: which card and name stand for a person where a body outside is asked for a linkage key.
//!
//! Invariants: no query engine. The result depends on the set of rows and facts alone, not on their order or the number of threads. No
//! name, birth date, number or address stands in an error, in `Debug` or in a report.

mod blocks;
mod bounded;
mod clerk;
mod clusters;
mod columns;
mod compare;
mod contact;
mod dates;
mod desk;
mod distance;
mod drift;
mod em;
mod engine;
mod error;
mod facts;
mod files;
mod folder;
mod forms;
mod frequencies;
mod hash;
mod history;
mod html;
mod implied;
mod key_answer;
mod key_query;
mod levels;
mod lexicon;
mod lines;
mod link;
mod merge;
mod model;
mod normalise;
mod options;
mod parallel;
mod parquet_file;
mod parts;
mod parts_levels;
mod parts_model;
mod people;
mod prior;
mod radix;
mod rates;
#[cfg(test)]
mod reference;
mod report;
mod row;
mod sorter;
mod spill;
mod stand_in;
mod state;
mod supervision;
mod table;
mod text;
mod usage;
mod variants;
mod withdrawn;
mod write;

pub use blocks::PassReport;
pub use clerk::{Case, FIELDS, Reason, Rule, Says, Standing, WEIGHTS, contradiction};
pub use columns::{COLUMNS, ColumnMap, PART_COLUMNS};
pub use desk::{Desk, Queued, Side, raw};
pub use drift::{Drift, Moved, Shape};
pub use engine::{Decision, Stage};
pub use error::LinkageError;
pub use files::{Change, continue_run, link_file};
pub use key_answer::{Telling, WrongAnswer, key_answer};
pub use key_query::{Class, Coverage, Form, KeyQuery, Width, Zeros, key_query};
pub use link::{Fact, Link, Links, Stats, link};
pub use options::Options;
pub use people::{CsvPeople, People};
pub use report::Report;
pub use stand_in::Unlinkable;
pub use supervision::Supervision;

/// Name and version of the model, recorded with every run. Any change that can change a result changes the version.
pub const RULE: &str = "azekura-fellegi-sunter/6";

/// Codes of this crate in the catalogue of messages.
pub const CODES: &[&str] = &[
    "linkage-column-missing",
    "linkage-column-type",
    "linkage-record-without-id",
    "linkage-facts-contradict",
    "linkage-file-unreadable",
    "linkage-file-unwritable",
    "linkage-csv-empty",
    "linkage-csv-blank",
    "linkage-csv-encoding",
    "linkage-csv-fields",
    "linkage-csv-endless",
    "linkage-csv-id-twice",
    "linkage-map-unknown",
    "linkage-map-unreadable",
    "linkage-state-unreadable",
    "linkage-folder-taken",
    "linkage-folder-busy",
    "linkage-folder-changed",
    "linkage-fact-unreadable",
    "linkage-fact-rows-contradict",
    "linkage-standing-facts-contradict",
    "linkage-parquet-unreadable",
    "linkage-memory-too-small",
    "linkage-memory-earlier-run",
    "linkage-memory-passed",
    "linkage-spill-unwritable",
    "linkage-spill-changed",
    "linkage-decision-unreadable",
    "linkage-decision-unknown-record",
    "linkage-decision-without-clerk",
    "linkage-decision-contradicts",
    "linkage-decision-must",
    "linkage-decision-cannot",
    "linkage-decision-link",
    "linkage-decision-cut",
    "linkage-decision-review",
    "linkage-report-title",
    "linkage-report-note",
    "linkage-report-overview",
    "linkage-report-rule",
    "linkage-report-records",
    "linkage-report-persons",
    "linkage-report-candidates",
    "linkage-report-thresholds",
    "linkage-report-precision",
    "linkage-report-recall",
    "linkage-report-oversized",
    "linkage-report-no-birth",
    "linkage-report-repeated",
    "linkage-report-check-digits",
    "linkage-report-shared",
    "linkage-report-unknown-removals",
    "linkage-report-unknown-facts",
    "linkage-report-withdrawn-again",
    "linkage-rule-changed",
    "linkage-unknown-removals",
    "linkage-withdrawn-stay-out",
    "linkage-withdrawn-back",
    "linkage-unknown-facts",
    "linkage-report-decisions",
    "linkage-report-unlinked",
    "linkage-report-histogram",
    "linkage-report-by-probability",
    "linkage-report-sizes",
    "linkage-report-passes",
    "linkage-report-institutions",
    "linkage-report-errors",
    "linkage-report-stages",
    "linkage-report-total",
    "linkage-report-memory",
    "linkage-report-supervision",
    "linkage-drift-title",
    "linkage-drift-nothing",
    "linkage-drift-linked",
    "linkage-drift-histogram",
    "linkage-drift-sizes",
    "linkage-drift-weight",
    "linkage-drift-institution",
    "linkage-drift-records",
    "linkage-drift-institutions",
    "linkage-drift-test",
    "linkage-unlinked-test-patient",
    "linkage-unlinked-placeholder",
    "linkage-unlinked-newborn",
    "linkage-unlinked-unnamed",
    "linkage-level-missing",
    "linkage-level-same",
    "linkage-level-read-same",
    "linkage-level-read-same-written-otherwise",
    "linkage-level-written-same",
    "linkage-level-vowels-or-voicing",
    "linkage-level-one-letter",
    "linkage-level-one-letter-written-otherwise",
    "linkage-level-exchanged",
    "linkage-level-newborn",
    "linkage-level-both-newborn",
    "linkage-level-first-letter",
    "linkage-level-different",
    "linkage-level-day-differs",
    "linkage-level-month-differs",
    "linkage-level-year-differs",
    "linkage-level-day-month-exchanged",
    "linkage-level-only-year-same",
    "linkage-level-same-person",
    "linkage-level-other-branch",
    "linkage-level-one-digit",
    "linkage-level-two-letters",
    "linkage-level-two-digits",
    "linkage-level-half-alike",
    "linkage-level-nearly",
    "linkage-level-insurer-only",
    "linkage-level-one-number",
    "linkage-level-place-only",
    "linkage-level-same-mobile",
    "linkage-level-same-land-line",
    "linkage-level-different-mobiles",
    "linkage-column-name-institution-id",
    "linkage-column-name-registered-on",
    "linkage-column-name-family-kanji",
    "linkage-column-name-given-kanji",
    "linkage-column-name-family-kana",
    "linkage-column-name-given-kana",
    "linkage-column-name-sex",
    "linkage-column-name-birth-date",
    "linkage-column-name-postal-code",
    "linkage-column-name-address",
    "linkage-column-name-phone",
    "linkage-column-name-insurer-number",
    "linkage-column-name-insured-symbol",
    "linkage-column-name-insured-number",
    "linkage-column-name-insured-branch",
    "linkage-column-name-personal-id",
    "linkage-column-name-street-number",
    "linkage-column-name-street",
    "linkage-column-name-building",
    "linkage-column-name-suburb",
    "linkage-column-name-state",
    "linkage-weight-prior",
    "linkage-weight-name",
    "linkage-weight-birth-date",
    "linkage-weight-sex",
    "linkage-weight-contacts",
    "linkage-weight-circumstances",
    "linkage-because-name",
    "linkage-because-name-change",
    "linkage-because-birth-date",
    "linkage-because-card",
    "linkage-because-home",
    "linkage-because-phone",
    "linkage-because-relatives",
    "linkage-because-namesakes",
    "linkage-because-document",
    "linkage-because-provider",
    "linkage-because-other",
];
