//! Codes that are shown by themselves while others have the same code with something beside it: that nothing stands there marks them too, and so has to
//! be had by enough.

use super::Rule;
use super::forest::{Forest, GONE};
use super::histories::{Histories, Seen};

/// Drops what stands beside a code where too few have it. Where too few are then shown with the code by itself, what the fewest have beside it is
/// dropped as well, of everybody, if that loses less than a coarser form for those few.
pub(super) fn join(forest: &Forest, histories: &mut Histories, rule: &Rule) {
    if !forest.any_beside() {
        return;
    }
    loop {
        let persons = persons(forest, histories);
        let few = |node: u32| (1..rule.singles).contains(&persons[node as usize]);
        // By code by itself: the item with the fewest persons, the first of equal ones.
        let mut smallest = vec![GONE; forest.len()];
        let items = || (0..forest.len() as u32).filter(|n| forest.has_beside(*n) && persons[*n as usize] > 0);
        for item in items() {
            let least = &mut smallest[forest.parent(item) as usize];
            if *least == GONE || persons[item as usize] < persons[*least as usize] {
                *least = item;
            }
        }
        let mut drops = vec![false; forest.len()];
        for item in items() {
            let code = forest.parent(item);
            let (all, alone) = (f64::from(persons[item as usize]), f64::from(persons[code as usize]));
            let worth = || all * forest.loss(item, code) <= alone * forest.loss(item, forest.parent(code));
            drops[item as usize] = few(item) || (few(code) && smallest[code as usize] == item && worth());
        }
        if !drops.contains(&true) {
            return;
        }
        for shown in histories.shown.iter_mut().filter(|n| **n != GONE && drops[**n as usize]) {
            *shown = forest.parent(*shown);
        }
    }
}

/// How many persons are shown with each node.
fn persons(forest: &Forest, histories: &Histories) -> Vec<u32> {
    let mut seen = Seen::new(forest.len());
    let mut persons = vec![0; forest.len()];
    for person in 0..histories.persons() {
        seen.next();
        for node in histories.of(person) {
            if seen.first(*node) {
                persons[*node as usize] += 1;
            }
        }
    }
    persons
}
