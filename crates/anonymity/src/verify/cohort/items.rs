//! What somebody can know together of one person: codes, each with what stands beside it on its row.

use std::collections::{BTreeMap, BTreeSet};

use super::Tables;
use crate::profile::{Events, Profile, Treatment};

/// A column of codes, a code, and what stands beside it.
type Item<'t> = (&'t str, &'t str, Vec<&'t str>);

/// The columns of a table that say more of its codes: concepts, types, a status, a unit, a class; no ids, dates, numbers or results, and nothing
/// that is counted by itself or by the classes.
fn beside<'t>(profile: &Profile, events: &Events, name: &str, header: &'t [String]) -> Vec<&'t String> {
    let elsewhere: Vec<&String> =
        events.columns.iter().chain(profile.privacy.iter().flat_map(|p| &p.quasi_identifiers)).collect();
    let more = |column: &&String| {
        let treatment = profile.treatment(name, column);
        let says = matches!(
            treatment,
            Some(Treatment::Follow { .. } | Treatment::Code { .. } | Treatment::Unit | Treatment::Class { .. })
        );
        says && elsewhere.iter().all(|other| **other != format!("{name}.{column}"))
    };
    header.iter().filter(more).collect()
}

/// How many combinations of up to `known` items some persons of a group have, and fewer than `k`: summed over groups of persons.
pub(super) fn few(profile: &Profile, events: &Events, tables: &Tables, groups: &[BTreeSet<&str>], k: usize) -> usize {
    let mut of_person: BTreeMap<&str, BTreeSet<Item<'_>>> = BTreeMap::new();
    for full in &events.columns {
        let Some((name, column)) = full.split_once('.') else { continue };
        let Some(table) = tables.get(name) else { continue };
        let more: Vec<Vec<&str>> =
            beside(profile, events, name, &table.header).into_iter().filter_map(|c| table.column(c)).collect();
        let codes = table.column(column).unwrap_or_default();
        for (row, (code, person)) in codes.into_iter().zip(table.persons()).enumerate().filter(|(_, (code, _))| !code.is_empty())
        {
            let with = more.iter().map(|cells| cells[row]).collect();
            of_person.entry(person).or_default().insert((full, code, with));
        }
    }
    let every: BTreeSet<&Item<'_>> = of_person.values().flatten().collect();
    let numbers: BTreeMap<&Item<'_>, usize> = every.into_iter().zip(1..).collect();
    let count = |group: &BTreeSet<&str>| {
        let of = |person: &&str| of_person.get(person).map(|items| items.iter().map(|item| numbers[item]).collect());
        let lists: Vec<Vec<usize>> = group.iter().filter_map(of).collect();
        further(&lists.iter().map(Vec::as_slice).collect::<Vec<_>>(), events.known, k)
    };
    groups.iter().map(count).sum()
}

/// The same of some persons, each with the items that are still to come: those who have the next one, and then those of them who have another.
fn further(persons: &[&[usize]], known: u32, k: usize) -> usize {
    if known == 0 {
        return 0;
    }
    let mut having: BTreeMap<usize, Vec<&[usize]>> = BTreeMap::new();
    for items in persons {
        for (at, item) in items.iter().enumerate() {
            having.entry(*item).or_default().push(&items[at + 1..]);
        }
    }
    having.values().map(|rest| usize::from(rest.len() < k) + further(rest, known - 1, k)).sum()
}
