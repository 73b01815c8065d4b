//! What holds of persons over all tables: their ids, their classes, what codes they have together, what the report says of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{CohortVerified, Flat, Rule, Tables};
use crate::profile::{Kind, Profile, Treatment};
use crate::report::Report;

/// Holds what is promised of persons.
pub(super) fn check(profile: &Profile, tables: &Tables, report: Option<&Report>, out: &mut CohortVerified) {
    let persons: BTreeSet<&str> = tables.values().flat_map(Flat::persons).collect();
    out.persons = persons.len() as u64;
    ids(profile, tables, out);
    if let Some(privacy) = profile.privacy.as_ref().filter(|_| profile.kind.is_anonymized()) {
        let class_of = classes(profile, tables, &persons);
        let mut sizes: BTreeMap<&Vec<String>, usize> = BTreeMap::new();
        for class in class_of.values() {
            *sizes.entry(class).or_default() += 1;
        }
        out.smallest_class = sizes.values().min().map(|n| *n as u64);
        let k = privacy.k as usize;
        out.hold(privacy.quasi_identifiers.join(" × "), Rule::Classes, sizes.values().filter(|n| **n < k).sum());
        if let Some(events) = &privacy.events {
            let k = events.k.unwrap_or(privacy.k) as usize;
            let groups: Vec<BTreeSet<&str>> = if events.within_classes {
                sizes.keys().map(|class| class_of.iter().filter(|(_, c)| c == class).map(|(p, _)| *p).collect()).collect()
            } else {
                vec![persons.clone()]
            };
            let count = groups.iter().map(|group| combinations(&events.columns, tables, group, events.known, k)).sum();
            out.hold(events.columns.join(" × "), Rule::Combinations, count);
        }
        if let (Kind::LinkableAnonymized, Some(deaths)) = (profile.kind, tables.get("death")) {
            let dates = deaths.column("death_date").unwrap_or_default();
            let died = dates.into_iter().zip(deaths.persons()).filter(|(date, _)| !date.is_empty());
            out.hold("death.death_date", Rule::Deaths, super::few(died.map(|(d, p)| (d, p.to_owned())), k));
        }
    }
    if let Some(report) = report {
        told(profile, tables, report, out);
    }
}

/// Ids of persons are those of the table of persons; ids of rows are given once, and name rows that are there.
fn ids(profile: &Profile, tables: &Tables, out: &mut CohortVerified) {
    let known: Option<BTreeSet<&str>> = tables.get("person").map(|t| t.persons().into_iter().collect());
    for (name, table) in tables {
        let Some(decided) = profile.tables.get(name) else { continue };
        for (column, treatment) in &decided.columns {
            let Some(cells) = table.column(column) else { continue };
            let own = *column == format!("{name}_id");
            let wrong = match treatment {
                Treatment::NewPersonId => {
                    let numbered = |cell: &str| {
                        cell.parse::<u64>().is_ok_and(|n| n > 0 && (n as usize) <= known.as_ref().map_or(0, BTreeSet::len))
                    };
                    let foreign = |cell: &&str| known.as_ref().is_some_and(|k| !k.contains(cell));
                    let strange = |cell: &&str| profile.kind == Kind::Anonymized && known.is_some() && !numbered(cell);
                    let twice = if own { cells.len() - cells.iter().collect::<BTreeSet<_>>().len() } else { 0 };
                    twice + cells.iter().filter(|c| c.is_empty() || foreign(c) || strange(c)).count()
                }
                Treatment::NewId { .. } if own => {
                    let range = |cell: &&str| cell.parse::<usize>().is_ok_and(|n| (1..=cells.len()).contains(&n));
                    let twice = cells.len() - cells.iter().collect::<BTreeSet<_>>().len();
                    twice + cells.iter().filter(|c| !range(c)).count()
                }
                Treatment::NewId { of } => {
                    let rows = tables.get(of).and_then(|t| t.column(&format!("{of}_id"))).unwrap_or_default();
                    let rows: BTreeSet<&str> = rows.into_iter().collect();
                    cells.iter().filter(|c| !c.is_empty() && **c != "0" && !rows.contains(*c)).count()
                }
                _ => continue,
            };
            out.hold(format!("{name}.{column}"), Rule::Ids, wrong);
        }
    }
}

/// Each person's quasi-identifiers over all tables: the rows of each, in an order of their own.
fn classes<'t>(profile: &Profile, tables: &'t Tables, persons: &BTreeSet<&'t str>) -> BTreeMap<&'t str, Vec<String>> {
    let mut out: BTreeMap<&str, Vec<String>> = persons.iter().map(|p| (*p, Vec::new())).collect();
    let quasi = profile.privacy.as_ref().map_or(&[][..], |p| &p.quasi_identifiers);
    for (name, table) in tables {
        let known: BTreeSet<&str> =
            quasi.iter().filter_map(|q| q.split_once('.')).filter(|(t, _)| t == name).map(|(_, c)| c).collect();
        if known.is_empty() {
            continue;
        }
        let columns: Vec<Vec<&str>> = known.iter().filter_map(|column| table.column(column)).collect();
        for (row, person) in table.persons().into_iter().enumerate() {
            let cells: Vec<&str> = columns.iter().map(|c| c[row]).collect();
            out.entry(person).or_default().push(format!("{name} {cells:?}"));
        }
    }
    out.values_mut().for_each(|rows| rows.sort());
    out
}

/// Combinations of up to `known` codes that some persons of a group have, and fewer than `k`: the persons of each code, laid over each other.
fn combinations(columns: &[String], tables: &Tables, group: &BTreeSet<&str>, known: u32, k: usize) -> usize {
    let mut persons_of: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for name in columns {
        let Some((table, column)) = name.split_once('.') else { continue };
        let Some(table) = tables.get(table) else { continue };
        for (cell, person) in table.column(column).unwrap_or_default().into_iter().zip(table.persons()) {
            if !cell.is_empty() && group.contains(person) {
                persons_of.entry((name, cell)).or_default().insert(person);
            }
        }
    }
    let all: Vec<BTreeSet<&str>> = persons_of.into_values().collect();
    all.iter().enumerate().map(|(at, one)| usize::from(one.len() < k) + further(&all[at + 1..], one, known - 1, k)).sum()
}

/// The same with more codes, among the persons who have those so far.
fn further(rest: &[BTreeSet<&str>], have: &BTreeSet<&str>, known: u32, k: usize) -> usize {
    if known == 0 {
        return 0;
    }
    let mut count = 0;
    for (at, next) in rest.iter().enumerate() {
        let both: BTreeSet<&str> = have.intersection(next).copied().collect();
        if !both.is_empty() {
            count += usize::from(both.len() < k) + further(&rest[at + 1..], &both, known - 1, k);
        }
    }
    count
}

/// What the report says, against what is there.
fn told(profile: &Profile, tables: &Tables, report: &Report, out: &mut CohortVerified) {
    let mut same = |what: String, holds: bool| out.hold(what, Rule::Report, usize::from(!holds));
    let named = (&report.profile, &report.version, report.kind) == (&profile.name, &profile.version, profile.kind);
    same("report.profile".to_owned(), named);
    for table in &report.tables {
        let rows = tables.get(&table.name).map_or(0, |t| t.rows.len() as u64);
        same(format!("report.tables.{}.rows_after", table.name), table.rows_after == rows);
        for column in &table.columns {
            let decided = profile.treatment(&table.name, &column.name) == Some(&column.treatment);
            same(format!("report.tables.{}.{}.treatment", table.name, column.name), decided);
        }
    }
    let gone = report.persons_before.saturating_sub(report.persons_after);
    if let (Some(said), Some(privacy)) = (&report.privacy, &profile.privacy) {
        same("report.privacy.k".to_owned(), said.k == privacy.k);
        same("report.privacy.suppressed".to_owned(), said.suppressed == gone);
        #[allow(clippy::cast_precision_loss)] // numbers of persons
        let within = gone as f64 <= privacy.most_suppressed * report.persons_before as f64;
        same("report.privacy.most_suppressed".to_owned(), within);
    }
    let (persons, smallest) = (out.persons, out.smallest_class);
    let mut same = |what: &str, holds: bool| out.hold(what, Rule::Report, usize::from(!holds));
    same("report.persons_after", report.persons_after == persons);
    if let Some(said) = &report.privacy {
        same("report.privacy.after.smallest", Some(said.after.smallest) == smallest);
    }
}
