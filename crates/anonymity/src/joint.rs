//! What releases of the same people tell together.
//!
//! A class of one release holds at least `k` persons, and so does a class of another; those who are in both can be few. Whoever has both
//! releases and can tell which rows belong together (by the results, codes and intervals that both show) finds a person among these few. How
//! well rows can be put together is not measured: it is taken that all can, because that holds whatever else both show.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The classes of a release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release<P: Ord> {
    /// Persons of each class when it was made.
    pub sizes: BTreeMap<u32, u64>,
    /// Who was in which class, as far as it is still known; in several, where several persons of then are one today.
    pub of: BTreeMap<P, BTreeSet<u32>>,
}

/// What a release tells beside others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joint {
    /// Releases that were laid beside it.
    pub releases: u64,
    /// Persons of the new release who are in one of them.
    pub in_both: u64,
    /// Persons of these who stand with fewer than `k` in the same class of every release.
    pub few: u64,
    /// Persons of the smallest such group; none without persons in both.
    pub smallest: Option<u64>,
    /// Persons of the new release who are in none of the others, where fewer than `k` of their class are.
    pub few_new: u64,
    /// Persons of the others who are not in the new release any more, where fewer than `k` of their class are not.
    pub few_gone: u64,
}

/// The classes of a person in each release; none where it has none of that person.
type Seen<'r> = Vec<Option<&'r BTreeSet<u32>>>;

/// Lays a release, as each person's class, beside others.
pub fn joint<P: Ord>(new: &BTreeMap<P, u32>, others: &[Release<P>], k: u64) -> Joint {
    let mut groups: BTreeMap<(Seen<'_>, u32), u64> = BTreeMap::new();
    for (person, class) in new {
        let seen = others.iter().map(|release| release.of.get(person)).collect();
        *groups.entry((seen, *class)).or_default() += 1;
    }
    let mut out = Joint { releases: others.len() as u64, ..Joint::default() };
    for ((seen, _), persons) in &groups {
        if seen.iter().any(Option::is_some) {
            out.in_both += persons;
            out.smallest = Some(out.smallest.map_or(*persons, |least| least.min(*persons)));
            out.few += if *persons < k { *persons } else { 0 };
        } else if *persons < k {
            out.few_new += persons;
        }
    }
    if out.in_both == 0 {
        // Nothing can be laid beside anything: whoever is new is in a class of enough.
        out.few_new = 0;
        return out;
    }
    for release in others {
        let mut here: BTreeMap<u32, u64> = BTreeMap::new();
        for class in release.of.iter().filter(|(person, _)| new.contains_key(person)).flat_map(|(_, classes)| classes) {
            *here.entry(*class).or_default() += 1;
        }
        if here.is_empty() {
            continue;
        }
        for (class, size) in &release.sizes {
            let gone = size.saturating_sub(here.get(class).copied().unwrap_or(0));
            out.few_gone += if gone < k { gone } else { 0 };
        }
    }
    out
}
