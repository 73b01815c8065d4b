//! Person ids that stay, and what became of those that did not.

use std::collections::BTreeMap;

use crate::state::Retired;

/// Person ids of a run.
pub(crate) struct Assigned {
    /// The person of each row.
    pub persons: Vec<u64>,
    pub next: u64,
    pub history: Vec<Retired>,
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
    Assigned { persons, next, history: Vec::new() }
}

/// Ids of a later run. A cluster keeps the id of the person that most of its records had (of equals the oldest), and every id goes on in
/// one cluster at most. `earlier`: for each row its place in the run before, `u32::MAX` for a new one; `before`: persons of that run.
pub(crate) fn later(
    cluster: &[u32],
    earlier: &[u32],
    before: &[u64],
    mut next: u64,
    mut history: Vec<Retired>,
    run: u32,
) -> Assigned {
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
    let mut best: BTreeMap<u64, (usize, u32)> = BTreeMap::new();
    for &(count, person, root) in &shares {
        let place = best.entry(person).or_insert((count, root));
        if count > place.0 {
            *place = (count, root);
        }
    }
    shares.sort_unstable_by_key(|(count, person, root)| (std::cmp::Reverse(*count), *person, *root));
    let mut of_cluster = vec![0u64; cluster.len()];
    let mut live = std::collections::HashSet::new();
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

    let now = |root: u32| of_cluster[root as usize];
    let mut ended: BTreeMap<u64, Option<u64>> = BTreeMap::new();
    let mut old: Vec<u64> = before.to_vec();
    old.sort_unstable();
    old.dedup();
    for person in old.into_iter().filter(|p| !live.contains(p)) {
        ended.insert(person, best.get(&person).map(|(_, root)| now(*root)));
    }
    // what was retired earlier into a person that is retired now goes on to the person of today
    for entry in &mut history {
        if let Some(further) = entry.new.and_then(|n| ended.get(&n)) {
            entry.new = *further;
        }
    }
    for (person, new) in &ended {
        let reason = if new.is_some() { "merge" } else { "withdrawn" };
        history.push(Retired { old: *person, new: *new, run, reason: reason.to_owned() });
    }
    for &(_, person, root) in &shares {
        if live.contains(&person) && now(root) != person {
            history.push(Retired { old: person, new: Some(now(root)), run, reason: "split".to_owned() });
        }
    }
    Assigned { persons, next, history }
}
