//! An independent check of the tables of a cohort: it reads the tables that left, as text, and the policy, and nothing else, and shares no code
//! with what made them. What it finds is named by table and column, never by a value.

mod codes;
mod columns;
mod persons;
mod results;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use messages::Message;
use serde::Serialize;

use crate::profile::{Profile, Treatment};
use crate::report::Report;
use crate::table::TableError;

/// What a cell of a code says that is shown to nobody.
const OTHER: &str = "その他";

/// A table as it is read.
#[derive(Debug, Clone, Default)]
pub struct Flat {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Flat {
    /// Reads CSV with a header row.
    ///
    /// # Errors
    /// What is no CSV, or a row with more or fewer cells than the header.
    pub fn read(from: impl Read, name: &str) -> Result<Flat, TableError> {
        let unreadable = |e: csv::Error| {
            let line = e.position().map_or(0, csv::Position::line);
            TableError::Unreadable { file: name.to_owned(), reason: format!("line {line}") }
        };
        let mut reader = csv::ReaderBuilder::new().from_reader(from);
        let header = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for row in reader.records() {
            rows.push(row.map_err(unreadable)?.iter().map(str::to_owned).collect());
        }
        Ok(Flat { header, rows })
    }

    /// The cells of a column; none where it is not there.
    fn column(&self, name: &str) -> Option<Vec<&str>> {
        let at = self.header.iter().position(|h| h == name)?;
        Some(self.rows.iter().map(|row| row[at].as_str()).collect())
    }

    /// The person of each row; empty where there is no such column.
    fn persons(&self) -> Vec<&str> {
        self.column("person_id").unwrap_or_else(|| vec![""; self.rows.len()])
    }
}

/// Tables by name.
pub type Tables = BTreeMap<String, Flat>;

/// A rule that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The policy has no decision on the table or column.
    Undecided,
    /// The policy has a column that is not there.
    Missing,
    /// Cells of a column that was to be emptied.
    Emptied,
    /// Ids that are not numbers from 1 on, each given once, or that name nobody and nothing.
    Ids,
    /// Dates that are more exact than the policy says, or none.
    Dates,
    /// Times of day in anonymized data.
    Times,
    /// Numbers outside the bounds or not on the bands of the policy.
    Bounds,
    /// Ends of a column or item that too few persons reach.
    Extremes,
    /// Codes, concepts, units, classes or texts that too few persons have.
    Rare,
    /// Words, or codes of an institution's own table, in a column of codes.
    Words,
    /// What goes with a code, beside a code that is shown to nobody.
    Follows,
    /// Persons in classes of too few.
    Classes,
    /// Combinations of codes that too few persons have.
    Combinations,
    /// Dates of death that too few persons have.
    Deaths,
    /// The report says another number.
    Report,
}

impl Rule {
    const fn code(self) -> &'static str {
        match self {
            Rule::Undecided => "anonymity-cohort-undecided",
            Rule::Missing => "anonymity-cohort-missing",
            Rule::Emptied => "anonymity-cohort-emptied",
            Rule::Ids => "anonymity-cohort-ids",
            Rule::Dates => "anonymity-cohort-dates",
            Rule::Times => "anonymity-cohort-times",
            Rule::Bounds => "anonymity-cohort-bounds",
            Rule::Extremes => "anonymity-cohort-extremes",
            Rule::Rare => "anonymity-cohort-rare",
            Rule::Words => "anonymity-cohort-words",
            Rule::Follows => "anonymity-cohort-follows",
            Rule::Classes => "anonymity-cohort-classes",
            Rule::Combinations => "anonymity-cohort-combinations",
            Rule::Deaths => "anonymity-cohort-deaths",
            Rule::Report => "anonymity-cohort-report",
        }
    }
}

/// Where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// `table.column`, or what the report calls it.
    pub place: String,
    /// What does not hold.
    pub rule: Rule,
    /// How often: cells, values or persons, as the rule says.
    pub count: u64,
}

impl Broken {
    /// As people read it.
    pub fn message(&self) -> Message {
        Message::new(self.rule.code()).with("place", &self.place).with("count", self.count)
    }
}

/// What the check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CohortVerified {
    /// Persons in the tables.
    pub persons: u64,
    /// Persons of the smallest class, where the policy promises classes.
    pub smallest_class: Option<u64>,
    /// Rules that were held against the tables.
    pub checked: u64,
    /// Those that do not hold.
    pub wrong: Vec<Broken>,
}

impl CohortVerified {
    /// Holds one rule: it holds where nothing was counted.
    fn hold(&mut self, place: impl Into<String>, rule: Rule, count: usize) {
        self.checked += 1;
        if count > 0 {
            self.wrong.push(Broken { place: place.into(), rule, count: count as u64 });
        }
    }
}

/// Checks the tables of a cohort against the policy that they were made by, and against the report where there is one.
pub fn verify_cohort(profile: &Profile, tables: &Tables, report: Option<&Report>) -> CohortVerified {
    let mut out = CohortVerified::default();
    for (name, table) in tables {
        let Some(decided) = profile.tables.get(name) else {
            out.hold(name, Rule::Undecided, table.header.len().max(1));
            continue;
        };
        let mut seen = BTreeSet::new();
        for column in &table.header {
            let undecided = !seen.insert(column) || !decided.columns.contains_key(column);
            out.hold(format!("{name}.{column}"), Rule::Undecided, usize::from(undecided));
        }
        for (column, treatment) in &decided.columns {
            let place = format!("{name}.{column}");
            let Some(cells) = table.column(column) else {
                out.hold(place, Rule::Missing, 1);
                continue;
            };
            columns::check(profile, &place, column, treatment, &cells, &table.persons(), &mut out);
            if matches!(treatment, Treatment::Drop) {
                continue;
            }
            codes::check(profile, table, (name, column), treatment, &cells, &mut out);
        }
        results::check(profile, name, table, &mut out);
    }
    persons::check(profile, tables, report, &mut out);
    out
}

/// Values that are shown of too few persons: `(value, person)` by value.
fn few<V: Ord>(pairs: impl Iterator<Item = (V, String)>, least: usize) -> usize {
    let mut persons: BTreeMap<V, BTreeSet<String>> = BTreeMap::new();
    for (value, person) in pairs {
        persons.entry(value).or_default().insert(person);
    }
    persons.values().filter(|of| of.len() < least).count()
}

/// A number, where a cell is one.
fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|n: &f64| n.is_finite())
}
