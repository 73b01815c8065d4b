//! An independent check of the tables of a cohort: it reads the tables that left, as text, and the policy, and nothing else, and shares no code
//! with what made them. What it finds is named by table and column, never by a value.

mod codes;
mod columns;
mod days;
mod flat;
mod items;
mod persons;
mod results;
mod told;
mod visits;

use std::collections::{BTreeMap, BTreeSet};

use messages::Message;
use serde::Serialize;

pub use self::flat::{Flat, Tables};
use crate::profile::{Profile, Treatment};
use crate::report::Report;

/// What a cell of a code says that is shown to nobody.
const OTHER: &str = "その他";

/// A rule that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The policy has no decision on the table or column.
    Undecided,
    /// The policy has a table or column that is not there, or the model wants a value that is not.
    Missing,
    /// A file that is none of a data set, or more in one than its table.
    Unexpected,
    /// Cells or rows that the same table has otherwise in another form.
    Differs,
    /// Cells of a column that was to be emptied.
    Emptied,
    /// Ids that are not numbers from 1 on, each given once, or that name nobody and nothing.
    Ids,
    /// Dates that are more exact than the policy says, or none.
    Dates,
    /// Dates outside the period of the policy.
    Period,
    /// Times of day in anonymized data.
    Times,
    /// Numbers outside the bounds or not on the bands of the policy.
    Bounds,
    /// Ends of a column or item that too few persons reach.
    Extremes,
    /// Codes, concepts, units, classes or texts that too few persons have.
    Rare,
    /// Words, or codes of an institution's own table, in a column of codes; what is no number in one of numbers, or more than the number beside one.
    Words,
    /// What goes with a code, beside a code that is shown to nobody.
    Follows,
    /// Persons in classes of too few.
    Classes,
    /// Combinations of codes that too few persons have.
    Combinations,
    /// Dates of death that too few persons have.
    Deaths,
    /// Persons who stand alone, beyond the share of the policy.
    Shares,
    /// The report says otherwise.
    Report,
}

impl Rule {
    const fn code(self) -> &'static str {
        match self {
            Rule::Undecided => "anonymity-cohort-undecided",
            Rule::Missing => "anonymity-cohort-missing",
            Rule::Unexpected => "anonymity-cohort-unexpected",
            Rule::Differs => "anonymity-cohort-differs",
            Rule::Emptied => "anonymity-cohort-emptied",
            Rule::Ids => "anonymity-cohort-ids",
            Rule::Dates => "anonymity-cohort-dates",
            Rule::Period => "anonymity-cohort-period",
            Rule::Times => "anonymity-cohort-times",
            Rule::Bounds => "anonymity-cohort-bounds",
            Rule::Extremes => "anonymity-cohort-extremes",
            Rule::Rare => "anonymity-cohort-rare",
            Rule::Words => "anonymity-cohort-words",
            Rule::Follows => "anonymity-cohort-follows",
            Rule::Classes => "anonymity-cohort-classes",
            Rule::Combinations => "anonymity-cohort-combinations",
            Rule::Deaths => "anonymity-cohort-deaths",
            Rule::Shares => "anonymity-cohort-shares",
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
    /// What was not looked at, since tables and policy do not say it: parts of the policy and the report, files.
    pub unchecked: Vec<String>,
}

impl CohortVerified {
    /// What was not looked at, as people read it.
    pub fn unchecked_messages(&self) -> Vec<Message> {
        self.unchecked.iter().map(|place| Message::new("anonymity-cohort-unchecked").with("place", place)).collect()
    }

    /// Holds one rule: it holds where nothing was counted.
    pub fn hold(&mut self, place: impl Into<String>, rule: Rule, count: usize) {
        self.checked += 1;
        if count > 0 {
            self.wrong.push(Broken { place: place.into(), rule, count: count as u64 });
        }
    }

    /// Holds a part of the report.
    fn same(&mut self, place: impl Into<String>, holds: bool) {
        self.hold(place, Rule::Report, usize::from(!holds));
    }
}

/// Checks the tables of a cohort against the policy that they were made by, and against the report where there is one.
pub fn verify_cohort(profile: &Profile, tables: &Tables, report: Option<&Report>) -> CohortVerified {
    let mut out = CohortVerified { unchecked: unsaid(profile), ..CohortVerified::default() };
    // Of a table that is not there nothing could be found wrong.
    for name in profile.tables.keys() {
        out.hold(name, Rule::Missing, usize::from(!tables.contains_key(name)));
    }
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
        days::in_period(profile, name, table, &mut out);
    }
    let sizes = persons::check(profile, tables, &mut out);
    visits::shares(profile, tables, &mut out);
    if let Some(report) = report {
        told::check(profile, tables, report, &sizes, &mut out);
    }
    out
}

/// What a policy promises and tables do not show.
fn unsaid(profile: &Profile) -> Vec<String> {
    let cohort = &profile.cohort;
    let mut out: Vec<&str> = Vec::new();
    let named = [
        (&cohort.providers, "cohort.providers"),
        (&cohort.conditions, "cohort.conditions"),
        (&cohort.drugs, "cohort.drugs"),
        (&cohort.measurements, "cohort.measurements"),
    ];
    out.extend(named.into_iter().filter(|(list, _)| !list.is_empty()).map(|(_, what)| what));
    if let Some(privacy) = profile.privacy.as_ref().filter(|_| profile.kind.is_anonymized()) {
        out.extend(profile.moves_dates().then_some("privacy.shift_days"));
        out.extend(["privacy.least_days_open", "privacy.most_suppressed"]);
        out.extend((!privacy.most_found.is_empty()).then_some("privacy.most_found"));
    }
    let mut out: Vec<String> = out.into_iter().map(str::to_owned).collect();
    for (name, table) in &profile.tables {
        let words = |t: &Treatment| match t {
            Treatment::ResultText => true,
            Treatment::Value { .. } => !profile.kind.is_anonymized(),
            _ => false,
        };
        let texts =
            table.columns.iter().filter(|(c, t)| words(t) && ["value_source_value", "value_as_string"].contains(&c.as_str()));
        out.extend(texts.map(|(column, _)| format!("{name}.{column}")));
    }
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
