//! Person ids that stay, and what became of those that did not.

use std::collections::HashSet;

use crate::state::{Retired, Split};

/// Person ids of a run.
pub(crate) struct Assigned {
    /// The person of each row.
    pub persons: Vec<u64>,
    pub past: Past,
}

/// What is known of persons before, and of ids that are no more.
#[derive(Default, Clone)]
pub(crate) struct Past {
    /// The next id to give.
    pub next: u64,
    pub retired: Vec<Retired>,
    pub splits: Vec<Split>,
    /// Which rows the persons of retired ids were: an id resolves to where most of its records are now. Sorted.
    pub rows: Vec<(u64, u32)>,
}

/// Ids of a first run: 1, 2, … by the smallest record. `cluster` holds for each row the smallest row of its cluster.
pub(crate) fn first(cluster: &[u32]) -> Assigned {
    let mut next = 1;
    let mut persons = Vec::with_capacity(cluster.len());
    for (at, &root) in cluster.iter().enumerate() {
        if root as usize == at {
            persons.push(next);
            next += 1;
        } else {
            let person = persons.get(root as usize).copied().unwrap_or(0);
            persons.push(person);
        }
    }
    Assigned { persons, past: Past { next, ..Past::default() } }
}

/// Of persons, sorted, the one that stands there most often; of equals the oldest.
fn commonest(sorted: &[u64]) -> Option<u64> {
    let counted = sorted.chunk_by(|a, b| a == b).map(|c| (c.len(), std::cmp::Reverse(c[0])));
    counted.max().map(|(_, person)| person.0)
}

/// Ids of a later run. A cluster keeps the id of the person that most of its records had (of equals the oldest), and every id goes on in
/// one cluster at most. `earlier`: for each row the place of its record in the run before, `u32::MAX` for a new record; `before`: persons
/// of that run.
pub(crate) fn later(cluster: &[u32], earlier: &[u32], before: &[u64], past: Past, run: u32) -> Assigned {
    let Past { mut next, mut retired, mut splits, rows: old_rows } = past;
    // how many records each person brings to each cluster
    let mut votes: Vec<(u64, u32)> = Vec::with_capacity(cluster.len());
    for (root, place) in cluster.iter().zip(earlier) {
        if let Some(&person) = before.get(*place as usize) {
            votes.push((person, *root));
        }
    }
    votes.sort_unstable();
    let mut shares: Vec<(usize, u64, u32)> = votes.chunk_by(|a, b| a == b).map(|c| (c.len(), c[0].0, c[0].1)).collect();
    drop(votes);
    shares.sort_unstable_by_key(|(count, person, root)| (std::cmp::Reverse(*count), *person, *root));
    let mut of_cluster = vec![0u64; cluster.len()];
    let mut live = HashSet::new();
    for &(_, person, root) in &shares {
        if of_cluster[root as usize] == 0 && live.insert(person) {
            of_cluster[root as usize] = person;
        }
    }
    let persons: Vec<u64> = cluster
        .iter()
        .map(|&root| {
            let person = &mut of_cluster[root as usize];
            if *person == 0 {
                *person = next;
                next += 1;
            }
            *person
        })
        .collect();

    let mut ended: Vec<u64> = before.iter().copied().filter(|p| !live.contains(p)).collect();
    ended.sort_unstable();
    ended.dedup();
    // rows of retired ids, in the numbers of now
    let mut now = vec![u32::MAX; if old_rows.is_empty() { 0 } else { before.len() }];
    for (row, &place) in (0u32..).zip(earlier) {
        if let Some(slot) = now.get_mut(place as usize) {
            *slot = row;
        }
    }
    let mut rows: Vec<(u64, u32)> = old_rows
        .into_iter()
        .filter_map(|(id, old)| now.get(old as usize).filter(|r| **r != u32::MAX).map(|r| (id, *r)))
        .collect();
    for (row, &place) in (0u32..).zip(earlier) {
        if let Some(person) = before.get(place as usize).filter(|p| ended.binary_search(p).is_ok()) {
            rows.push((*person, row));
        }
    }
    rows.sort_unstable();
    let holder = |id: u64| {
        let start = rows.partition_point(|(other, _)| *other < id);
        let own = rows[start..].iter().take_while(|(other, _)| *other == id);
        let mut holders: Vec<u64> = own.map(|(_, row)| persons[*row as usize]).collect();
        holders.sort_unstable();
        commonest(&holders)
    };
    retired.extend(ended.into_iter().map(|old| Retired { old, new: None, run, reason: String::new() }));
    for entry in &mut retired {
        entry.new = holder(entry.old);
        entry.reason = if entry.new.is_some() { "merge" } else { "withdrawn" }.to_owned();
    }
    for &(_, person, root) in &shares {
        let new = of_cluster[root as usize];
        if live.contains(&person) && new != person {
            splits.push(Split { person, new, run });
        }
    }
    Assigned { persons, past: Past { next, retired, splits, rows } }
}
