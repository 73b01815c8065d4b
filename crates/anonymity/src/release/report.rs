use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::metrics::Metric;
use crate::micro::Transformed;
use crate::search::Effort;

/// What was done, what it cost, and what the released table claims to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseReport {
    /// `azekura-release/1`.
    pub format: String,
    /// The metric's value.
    pub score: f64,
    /// Level of each quasi-identifier, in the order of the table.
    pub levels: Vec<u8>,
    /// Rows suppressed: they are not in the output.
    pub suppressed: u64,
    /// Classes released.
    pub classes: u64,
    /// Nodes whose classes were looked at.
    pub nodes_checked: u64,
    /// Whether it is proven that no allowed node scores less.
    pub optimal: bool,
    /// How much less another node could score at most; 0 where optimal.
    pub gap: f64,
    /// Seconds of all threads on processors, in the search alone.
    pub search_cpu_seconds: f64,
    /// Seconds by the clock, reading and searching.
    pub wall_seconds: f64,
    /// The most memory that the process held.
    pub peak_rss_bytes: u64,
    /// How the search was made.
    pub effort: Effort,
    /// Rows of the input.
    pub rows: u64,
    /// Rows of the output.
    pub released: u64,
    /// Rows of the smallest class.
    pub smallest_class: u64,
    /// What was asked to hold.
    pub models: Vec<String>,
    /// What was asked to be small.
    pub metric: Metric,
    /// The share of rows that might be suppressed.
    pub suppression: f64,
    /// Persons in the population, where given.
    pub population: Option<u64>,
    /// The population's table, where models counted its persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population_table: Option<PopulationCounted>,
    /// The quasi-identifiers.
    pub columns: Vec<ColumnLevels>,
    /// The sensitive column.
    pub sensitive: Option<String>,
    /// Whether each person was seen to have one row; else rows were counted.
    #[serde(default)]
    pub by_person: bool,
    /// Columns released as they were.
    pub kept: Vec<String>,
    /// Columns not released.
    pub left_out: Vec<String>,
    /// What was done to kept columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transformed>,
    /// The sample that the input was, where one was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampled: Option<Sampled>,
    /// Class sizes of the input.
    pub before: Vec<SizeCount>,
    /// Class sizes of the output.
    pub after: Vec<SizeCount>,
    /// The separator of the output.
    pub separator: char,
    /// The version that made it.
    pub version: String,
}

/// A sample that was drawn before anything was counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// The chance of each row to stay.
    pub share: f64,
    /// Rows before.
    pub rows: u64,
}

/// A population whose persons were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopulationCounted {
    /// Its rows.
    pub rows: u64,
    /// Whether each person was seen to have one row; else rows were counted.
    pub by_person: bool,
    /// Persons of the population in the released class that has fewest of them.
    pub smallest_class: u64,
}

/// A quasi-identifier and its level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnLevels {
    /// Its name.
    pub name: String,
    /// Its level.
    pub level: u8,
    /// The highest level.
    pub top: u8,
    /// Lines of its hierarchy.
    pub hierarchy_rows: u32,
    /// Value that is in the output → lines of the hierarchy below it.
    pub leaves: BTreeMap<String, u32>,
    /// Whether empty cells were taken as a category of their own.
    pub empty_is_category: bool,
}

/// The sensitive column of the whole table, which some models compare with. It speaks of rows that are not in the output: whoever
/// made the release keeps it, for the verifier, and it is not part of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// `azekura-reference/1`.
    pub format: String,
    /// The column.
    pub name: String,
    /// Rows of each value in the input; spellings of one value together.
    pub counts: BTreeMap<String, u64>,
    /// The values above each, where the hierarchical distance was asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub above: BTreeMap<String, Vec<String>>,
}

/// Classes of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeCount {
    /// Rows of each.
    pub size: u32,
    /// How many classes.
    pub classes: u64,
}

/// What the run used, as who started it measured it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// All threads' time in the search.
    pub search_cpu: Duration,
    /// Time by the clock.
    pub wall: Duration,
    /// Memory.
    pub peak_rss: u64,
}
