//! Gives back what was taken further than it had to be: rounds of raising leave some codes out that others' codes, raised later, no longer
//! forbid.

use super::Rule;
use super::forest::{Forest, GONE};
use super::histories::{Histories, Holders, Seen, beside};

/// A node that codes leave, with how many of its holders have each other node.
struct Left {
    node: u32,
    counts: Vec<u32>,
}

/// How many of them are kept: codes that lie side by side leave the same few.
const KEPT: usize = 8;

/// For every code that is shown coarser or not at all, tries finer forms, finest first: shown so, nothing of up to two codes may become
/// too few. Persons are looked at one after another, and each counts for the next.
pub(super) fn give_back(forest: &Forest, histories: &mut Histories, rule: &Rule) {
    let mut order: Vec<u32> = (0..forest.len() as u32).collect();
    // What a node stands above comes before it, so that nobody was given a node back before it is left or counted.
    order.sort_by_key(|n| (forest.height(*n), forest.parent(*n), *n));
    let lost = by_node(forest, histories);
    let holders = Holders::of(histories, forest.len());
    let mut seen = Seen::new(forest.len());
    let mut come_to = vec![0_u32; forest.len()];
    let mut kept: Vec<Left> = Vec::new();
    for to in order {
        let there = holders.still(histories, to);
        if lost[to as usize].is_empty() || (there.len() as u32) < rule.singles {
            continue;
        }
        beside(histories, &there, &mut seen, &mut come_to);
        // Who comes to a node was not among those whom its counts, if finer codes left it before, are of.
        kept.retain(|left| left.node != to);
        for (person, at) in &lost[to as usize] {
            let now = histories.shown[*at];
            if now == to || (now != GONE && !forest.covers(now, to)) {
                continue;
            }
            let mut others: Vec<u32> = histories
                .range(*person as usize)
                .filter(|i| i != at)
                .map(|i| histories.shown[i])
                .filter(|n| *n != GONE)
                .collect();
            // The coarser form stays where another code of the person is shown as it.
            let leaves = now != GONE && !others.contains(&now);
            let comes = !others.contains(&to);
            let pairs = rule.known >= 2;
            if pairs && comes && !others.iter().all(|n| come_to[*n as usize] >= rule.k) {
                continue;
            }
            if leaves {
                let left = left(&mut kept, histories, &holders, &mut seen, now);
                let few = |n: &u32| left.counts[*n as usize] <= rule.k;
                if left.counts[now as usize] <= rule.singles || (pairs && others.iter().any(few)) {
                    continue;
                }
            }
            others.sort_unstable();
            others.dedup();
            for node in &others {
                come_to[*node as usize] += u32::from(comes);
            }
            come_to[to as usize] += u32::from(comes);
            if leaves && !comes {
                come_to[now as usize] -= 1;
            }
            for left in &mut kept {
                if leaves && left.node == now {
                    others.iter().chain([&now]).for_each(|n| left.counts[*n as usize] -= 1);
                } else if others.binary_search(&left.node).is_ok() {
                    left.counts[to as usize] += u32::from(comes);
                    if leaves {
                        left.counts[now as usize] -= 1;
                    }
                }
            }
            histories.shown[*at] = to;
        }
    }
}

/// The counts of a node that is left, from those that are kept, or anew in the place of the oldest.
fn left<'k>(kept: &'k mut Vec<Left>, histories: &Histories, holders: &Holders, seen: &mut Seen, node: u32) -> &'k Left {
    if let Some(at) = kept.iter().position(|left| left.node == node) {
        return &kept[at];
    }
    let mut fresh = if kept.len() < KEPT { Left { node, counts: vec![0; seen.len()] } } else { kept.remove(0) };
    fresh.node = node;
    beside(histories, &holders.still(histories, node), seen, &mut fresh.counts);
    kept.push(fresh);
    &kept[kept.len() - 1]
}

/// For each node the persons who could be shown with it and are shown with less: a code of theirs, by where it stands.
fn by_node(forest: &Forest, histories: &Histories) -> Vec<Vec<(u32, usize)>> {
    let mut out: Vec<Vec<(u32, usize)>> = vec![Vec::new(); forest.len()];
    for person in 0..histories.persons() {
        for at in histories.range(person) {
            let mut node = histories.codes[at];
            while node != histories.shown[at] && node != GONE {
                out[node as usize].push((person as u32, at));
                node = forest.parent(node);
            }
        }
    }
    out
}
