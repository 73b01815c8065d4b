//! What was done, what remains, and what was lost: numbers only. No value that few persons have is in it, no shift, no
//! id: the report goes to the committee and to the recipient.

use serde::{Deserialize, Serialize};

use crate::attack::Found;
use crate::calendar::CalendarReport;
use crate::classes::Histogram;
use crate::effects::Effects;
use crate::events::EventsReport;
use crate::joint::Joint;
use crate::profile::{Kind, Treatment, ValueRule};
use crate::treat::codes::CodeCounts;
use crate::treat::results::ResultCounts;
use crate::visits::VisitsReport;

/// The report of a processing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `azekura-report/1`.
    pub format: String,
    /// Profile name and version.
    pub profile: String,
    /// Version of the profile.
    pub version: String,
    /// What the data set is.
    pub kind: Kind,
    /// Purpose of use.
    pub purpose: String,
    /// Recipient.
    pub recipient: String,
    /// Project.
    pub project: String,
    /// Data sets of the recipient that it can be joined with, as the profile says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// Persons before.
    pub persons_before: u64,
    /// Persons after.
    pub persons_after: u64,
    /// Classes and thresholds; anonymized only.
    pub privacy: Option<PrivacyReport>,
    /// What true months tell; linkable, and anonymized whose deaths are cut to the month or the year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<MonthsReport>,
    /// What it tells beside data sets of the same people that were made before; whoever keeps these fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cumulative: Option<CumulativeReport>,
    /// Whom leaving people out falls on; anonymized only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effects>,
    /// Rules for results.
    pub values: Vec<ValueRule>,
    /// Tables, in the order of their names.
    pub tables: Vec<TableReport>,
    /// Tables that were there and are not part of the data set.
    pub tables_left_out: Vec<String>,
}

/// The risk that repeated releases of the same people add up to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CumulativeReport {
    /// The largest share of persons that may stand in groups of fewer than `k` beside what the recipient has, unless the profile names it.
    pub most: f64,
    /// Data sets of tables that the recipient has or is to get, and that have somebody in common with this one.
    pub earlier: Vec<EarlierRelease>,
    /// Beside the anonymized ones among them.
    pub recipient: Joint,
    /// Beside the anonymized ones that anybody has or is to get: for who gets hold of all. It speaks of other recipients, so it does not leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anybody: Option<Joint>,
}

/// A data set of the recipient with people of this one in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierRelease {
    /// Its id.
    pub dataset: String,
    /// Persons in both; none where they are fewer than `k`.
    pub in_both: Option<u64>,
    /// Whether its classes are kept: those of a pseudonymized one, or of one that was made by an earlier version, are not.
    pub classes: bool,
    /// Whether the profile names it, so that the committee decided.
    pub seen: bool,
}

/// Classes and thresholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrivacyReport {
    /// What is promised.
    pub k: u32,
    /// Columns that others can know.
    pub quasi_identifiers: Vec<String>,
    /// Persons under which a code is rare.
    pub rare_persons: u32,
    /// Persons that have to reach a value for it to be shown.
    pub extreme_persons: u32,
    /// Largest shift of dates, where the profile says one; whether any column is shifted is in the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_days: Option<u16>,
    /// Classes as they would be without coarsening and leaving out.
    pub before: Histogram,
    /// Classes that remain.
    pub after: Histogram,
    /// Steps of coarsening and how many persons needed each.
    pub steps: Vec<StepReport>,
    /// Persons left out.
    pub suppressed: u64,
    /// Codes that fix a date, where it was loaded when codes are in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarReport>,
    /// Combinations of codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<EventsReport>,
    /// Visits of persons, by their number and by how far they are apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visits: Option<VisitsReport>,
    /// Whom attackers found, by experiment on what was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Found>,
}

/// What true months tell of persons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthsReport {
    /// Deaths that are told by the year alone: in their month too few died.
    pub deaths_by_year: u64,
    /// Deaths that are not told: in their year too few died.
    pub deaths_left_out: u64,
    /// Persons with a stay in hospital that begins in a month in which nobody else's does.
    pub stays_alone: u64,
}

/// One step of coarsening.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Column.
    pub column: String,
    /// What it became.
    pub to: Treatment,
    /// Persons for whom it was done.
    pub persons: u64,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableReport {
    /// Name.
    pub name: String,
    /// Why the study needs it.
    pub reason: String,
    /// Rows before.
    pub rows_before: u64,
    /// Rows after: what is missing belonged to persons who were left out, are deaths that are not told, or rows of codes that few persons have
    /// together with others ([`EventsReport::rows_taken_out`]).
    pub rows_after: u64,
    /// Columns in the table's order.
    pub columns: Vec<ColumnReport>,
    /// Results of measurements, where the table has any.
    pub results: Option<ResultCounts>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Name.
    pub name: String,
    /// What was done.
    pub treatment: Treatment,
    /// Cells with a value, of the persons who stay, before.
    pub filled_before: u64,
    /// Cells with a value after.
    pub filled_after: u64,
    /// Cells whose value is another than before, emptied ones included.
    pub changed: u64,
    /// Codes, where the column holds codes.
    pub codes: Option<CodeCounts>,
}

impl Report {
    /// The report as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
