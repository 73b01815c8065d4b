//! Combinations of three codes. Everything of two is enough already, so few of them are left.

use std::collections::HashMap;

use super::Rule;
use super::forest::{Forest, GONE};
use super::histories::{Histories, Holders};

fn nodes_after(histories: &Histories, person: u32, first: u32) -> Vec<u32> {
    let mut nodes: Vec<u32> = histories.of(person as usize).iter().copied().filter(|n| *n > first && *n != GONE).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// The pairs of nodes after `first` that too few of its holders have, with how many.
fn few_beside(histories: &Histories, holders: &[u32], first: u32, k: u32) -> HashMap<(u32, u32), u32> {
    let mut counts: HashMap<(u32, u32), u32> = HashMap::new();
    for person in holders {
        let nodes = nodes_after(histories, *person, first);
        for (at, one) in nodes.iter().enumerate() {
            for other in &nodes[at + 1..] {
                *counts.entry((*one, *other)).or_default() += 1;
            }
        }
    }
    counts.retain(|_, count| *count < k);
    counts
}

/// Threes that too few persons have, and their persons.
pub(super) fn count(forest: &Forest, histories: &Histories, k: u32) -> (u64, Vec<u32>) {
    let holders = Holders::of(histories, forest.len());
    let (mut threes, mut persons) = (0, Vec::new());
    for first in 0..forest.len() as u32 {
        let few = few_beside(histories, holders.get(first), first, k);
        threes += few.len() as u64;
        for person in holders.get(first) {
            let nodes = nodes_after(histories, *person, first);
            let any = nodes.iter().enumerate().any(|(at, one)| nodes[at + 1..].iter().any(|o| few.contains_key(&(*one, *o))));
            if any {
                persons.push(*person);
            }
        }
    }
    persons.sort_unstable();
    persons.dedup();
    (threes, persons)
}

/// Raises codes of whoever has three that too few have; whether there was anybody.
pub(super) fn raise(forest: &Forest, histories: &mut Histories, rule: &Rule) -> bool {
    let holders = Holders::of(histories, forest.len());
    let mut any = false;
    for first in 0..forest.len() as u32 {
        let persons = holders.still(histories, first);
        let few = few_beside(histories, &persons, first, rule.k);
        for person in persons.into_iter().filter(|_| !few.is_empty()) {
            let nodes = nodes_after(histories, person, first);
            let mut open: Vec<[u32; 3]> = Vec::new();
            for (at, one) in nodes.iter().enumerate() {
                let others = nodes[at + 1..].iter().filter(|o| few.contains_key(&(*one, **o)));
                open.extend(others.map(|other| [first, *one, *other]));
            }
            while !open.is_empty() {
                let of = |node: u32| open.iter().filter(|three| three.contains(&node)).count();
                // The one in most of them; of equal ones the last, which is `first` only where it alone mends all.
                let Some(worst) = std::iter::once(first).chain(nodes.iter().copied()).max_by_key(|n| of(*n)) else { break };
                open.retain(|three| !three.contains(&worst));
                let parent = forest.parent(worst);
                for at in histories.range(person as usize) {
                    if histories.shown[at] == worst {
                        histories.shown[at] = parent;
                    }
                }
                any = true;
            }
        }
    }
    any
}
