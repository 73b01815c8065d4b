//! Pairs become persons: strongest pair first, and a pair that would join what contradicts itself is left out. So a chain whose ends
//! contradict is cut at its weakest link.

use std::collections::HashMap;

use crate::compare;
use crate::people::{People, Record};
use crate::rules;

/// A joined pair with its place in the order of strength. `left` and `right` are places in the list of records.
#[derive(Clone, Copy)]
pub(crate) struct Edge {
    pub left: u32,
    pub right: u32,
    pub confidence: f32,
}

/// Growing clusters of records.
pub(crate) struct Clusters<'a> {
    people: &'a People,
    parent: Vec<u32>,
    members: HashMap<u32, Vec<u32>>,
    /// Cannot-link facts, both ways.
    apart: HashMap<u32, Vec<u32>>,
    /// Records of one identity (names, birth dates, sex) have one number: they contradict the same records.
    identity: Vec<u32>,
}

impl<'a> Clusters<'a> {
    pub fn new(people: &'a People) -> Self {
        let mut numbers = HashMap::new();
        let identity = people.records.iter().map(|r| {
            let next = numbers.len() as u32;
            *numbers.entry((&r.names, &r.births, &r.sexes)).or_insert(next)
        });
        let identity = identity.collect();
        let parent = (0..people.records.len() as u32).collect();
        Self { people, parent, members: HashMap::new(), apart: HashMap::new(), identity }
    }

    pub fn root(&mut self, mut at: u32) -> u32 {
        while self.parent[at as usize] != at {
            let above = self.parent[self.parent[at as usize] as usize];
            self.parent[at as usize] = above;
            at = above;
        }
        at
    }

    pub fn forbid(&mut self, a: u32, b: u32) {
        self.apart.entry(a).or_default().push(b);
        self.apart.entry(b).or_default().push(a);
    }

    /// Joins without asking: clerks' facts.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (small, large) = if self.size(a) < self.size(b) { (a, b) } else { (b, a) };
        let moved = self.members.remove(&small).unwrap_or_else(|| vec![small]);
        self.members.entry(large).or_insert_with(|| vec![large]).extend(moved);
        self.parent[small as usize] = large;
    }

    /// Joins the two ends unless their clusters contradict each other: then the edge is cut.
    pub fn join_if_consistent(&mut self, edge: Edge) {
        let (a, b) = (self.root(edge.left), self.root(edge.right));
        if a != b && !self.inconsistent(a, b) {
            self.join(a, b);
        }
    }

    fn size(&self, root: u32) -> usize {
        self.members.get(&root).map_or(1, Vec::len)
    }

    fn inconsistent(&mut self, a: u32, b: u32) -> bool {
        let of = |root: u32| self.members.get(&root).cloned().unwrap_or_else(|| vec![root]);
        let (left, right) = (of(a), of(b));
        let (few, many) = if left.len() <= right.len() { (&left, b) } else { (&right, a) };
        let forbidden: Vec<u32> = few.iter().filter_map(|m| self.apart.get(m)).flatten().copied().collect();
        if forbidden.into_iter().any(|other| self.root(other) == many) {
            return true;
        }
        let (left, right) = (self.identities(&left), self.identities(&right));
        // an identity that stands on both sides was weighed against its own side already, or overruled by a clerk
        let own = |list: &'_ [(u32, u32)], others: &[(u32, u32)]| -> Vec<u32> {
            list.iter().filter(|(i, _)| others.binary_search_by_key(i, |o| o.0).is_err()).map(|(_, at)| *at).collect()
        };
        let (only_left, only_right) = (own(&left, &right), own(&right, &left));
        only_left.iter().any(|&x| only_right.iter().any(|&y| self.contradict(x, y)))
    }

    /// Distinct identities of some records, sorted, each with one record that has it.
    fn identities(&self, records: &[u32]) -> Vec<(u32, u32)> {
        let mut list: Vec<(u32, u32)> = records.iter().map(|&r| (self.identity[r as usize], r)).collect();
        list.sort_unstable();
        list.dedup_by_key(|e| e.0);
        list
    }

    fn contradict(&self, x: u32, y: u32) -> bool {
        let (a, b): (&Record, &Record) = (&self.people.records[x as usize], &self.people.records[y as usize]);
        let names = compare::names(a, b, &self.people.forms);
        rules::contradict(names, compare::births(&a.births, &b.births), compare::sexes(a, b))
    }
}
