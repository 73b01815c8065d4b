//! What holds of persons over all tables: their ids, their classes, what codes they have together.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::whole;
use super::{CohortVerified, Flat, Rule, Tables, items};
use crate::profile::{Attacker, Kind, Profile, Treatment};

/// Holds what is promised of persons; gives the sizes of their classes.
pub(super) fn check(profile: &Profile, tables: &Tables, out: &mut CohortVerified) -> Vec<usize> {
    let persons: BTreeSet<&str> = tables.values().flat_map(Flat::persons).collect();
    out.persons = persons.len() as u64;
    // A data set of nobody is not made.
    out.hold("person", Rule::Missing, usize::from(persons.is_empty()));
    ids(profile, tables, &persons, out);
    let Some(privacy) = profile.privacy.as_ref().filter(|_| profile.kind.is_anonymized()) else { return Vec::new() };
    let class_of = classes(profile, tables, &persons);
    let mut sizes: BTreeMap<&Vec<String>, usize> = BTreeMap::new();
    for class in class_of.values() {
        *sizes.entry(class).or_default() += 1;
    }
    let k = privacy.k as usize;
    // Of what is not there everybody would be alike.
    let there = |q: &String| q.split_once('.').is_some_and(|(t, c)| tables.get(t).is_some_and(|t| t.column(c).is_some()));
    let known = privacy.quasi_identifiers.iter().all(there);
    out.smallest_class = sizes.values().min().filter(|_| known).map(|n| *n as u64);
    let few = if known { sizes.values().filter(|n| **n < k).sum() } else { persons.len().max(1) };
    out.hold(privacy.quasi_identifiers.join(" × "), Rule::Classes, few);
    // Who knows the quasi-identifiers finds one of each class on average; of more persons the engine counts a sample.
    if let Some(most) = privacy.most_found.get(&Attacker::Demographics).filter(|_| persons.len() <= 1_000) {
        #[allow(clippy::cast_precision_loss)] // numbers of persons
        let beyond = sizes.len() as f64 > most * persons.len() as f64 + 1e-6;
        out.hold("privacy.most_found.demographics", Rule::Shares, if beyond { sizes.len() } else { 0 });
    }
    if let Some(events) = &privacy.events {
        let k = events.k.unwrap_or(privacy.k) as usize;
        let of = |class: &&Vec<String>| class_of.iter().filter(|(_, c)| c == class).map(|(p, _)| *p).collect();
        let groups: Vec<BTreeSet<&str>> =
            if events.within_classes { sizes.keys().map(of).collect() } else { vec![persons.clone()] };
        out.hold(events.columns.join(" × "), Rule::Combinations, items::few(profile, events, tables, &groups, k));
    }
    if let (Kind::LinkableAnonymized, Some(deaths)) = (profile.kind, tables.get("death")) {
        let dates = deaths.column("death_date").unwrap_or_default();
        let died = dates.into_iter().zip(deaths.persons()).filter(|(date, _)| !date.is_empty());
        out.hold("death.death_date", Rule::Deaths, super::few(died.map(|(d, p)| (d, p.to_owned())), k));
    }
    sizes.into_values().collect()
}

/// Ids of persons are those of the table of persons; ids of rows are given once, and name rows that are there, of the same person.
fn ids(profile: &Profile, tables: &Tables, persons: &BTreeSet<&str>, out: &mut CohortVerified) {
    // Where the policy has the table of persons and it is not there, nobody is known.
    let known: BTreeSet<&str> = match tables.get("person") {
        Some(table) => table.persons().into_iter().collect(),
        None if profile.tables.contains_key("person") => BTreeSet::new(),
        None => persons.clone(),
    };
    for (name, table) in tables {
        let Some(decided) = profile.tables.get(name) else { continue };
        for (column, treatment) in &decided.columns {
            let Some(cells) = table.column(column) else { continue };
            let own = *column == format!("{name}_id");
            let twice = || cells.len() - cells.iter().collect::<BTreeSet<_>>().len();
            let within = |cell: &str, most: usize| whole(cell) && cell.parse::<usize>().is_ok_and(|n| (1..=most).contains(&n));
            let wrong = match treatment {
                Treatment::NewPersonId => {
                    let strange = |cell: &&&str| profile.kind == Kind::Anonymized && !within(cell, known.len());
                    // Nobody is twice among the persons, or dies twice.
                    let twice = if own || name == "death" { twice() } else { 0 };
                    twice + cells.iter().filter(|c| c.is_empty() || !known.contains(*c) || strange(c)).count()
                }
                Treatment::NewId { .. } if own => twice() + cells.iter().filter(|c| !within(c, cells.len())).count(),
                Treatment::NewId { of } => {
                    let target = tables.get(of);
                    let rows = target.and_then(|t| t.column(&format!("{of}_id"))).unwrap_or_default();
                    let whose: BTreeSet<(&str, &str)> =
                        rows.into_iter().zip(target.map(Flat::persons).unwrap_or_default()).collect();
                    let cells = cells.iter().zip(table.persons());
                    cells.filter(|(c, person)| !c.is_empty() && **c != "0" && !whose.contains(&(**c, person))).count()
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
