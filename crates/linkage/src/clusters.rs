//! Pairs become persons: strongest pair first, and a pair that would join what contradicts itself is left out. So a chain whose ends
//! contradict is cut at its weakest link.

use crate::compare;
use crate::forms::{Forms, NONE};
use crate::hash::{FastMap, FastSet};
use crate::levels::{birth, name, sex};
use crate::model;
use crate::row::{NO_BRANCH, Row, flag};

/// Growing clusters of rows.
pub(crate) struct Clusters<'a> {
    rows: &'a [Row],
    forms: &'a Forms,
    parent: Vec<u32>,
    /// The next member of the same cluster, in a ring.
    next: Vec<u32>,
    size: Vec<u32>,
    /// Cannot-link facts, both ways.
    apart: FastMap<u32, Vec<u32>>,
}

impl<'a> Clusters<'a> {
    pub fn new(rows: &'a [Row], forms: &'a Forms) -> Self {
        let own: Vec<u32> = (0..rows.len() as u32).collect();
        Self { rows, forms, next: own.clone(), parent: own, size: vec![1; rows.len()], apart: FastMap::default() }
    }

    pub fn root(&mut self, mut at: u32) -> u32 {
        while self.parent[at as usize] != at {
            let above = self.parent[self.parent[at as usize] as usize];
            self.parent[at as usize] = above;
            at = above;
        }
        at
    }

    pub fn together(&mut self, a: u32, b: u32) -> bool {
        self.root(a) == self.root(b)
    }

    pub fn forbid(&mut self, a: u32, b: u32) {
        self.apart.entry(a).or_default().push(b);
        self.apart.entry(b).or_default().push(a);
    }

    /// Joins without asking: rows of one record, and clerks' facts.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (small, large) = if self.size[a as usize] < self.size[b as usize] { (a, b) } else { (b, a) };
        self.parent[small as usize] = large;
        self.size[large as usize] += self.size[small as usize];
        self.next.swap(small as usize, large as usize);
    }

    /// Joins the two ends unless their clusters contradict each other.
    pub fn join_if_consistent(&mut self, left: u32, right: u32) {
        let (a, b) = (self.root(left), self.root(right));
        if a != b && !self.inconsistent(a, b) {
            self.join(a, b);
        }
    }

    pub fn members(&self, at: u32) -> Vec<u32> {
        let mut members = vec![at];
        let mut next = self.next[at as usize];
        while next != at {
            members.push(next);
            next = self.next[next as usize];
        }
        members
    }

    fn inconsistent(&mut self, a: u32, b: u32) -> bool {
        let (left, right) = (self.members(a), self.members(b));
        if !self.apart.is_empty() {
            let (few, many) = if left.len() <= right.len() { (&left, b) } else { (&right, a) };
            let forbidden: Vec<u32> = few.iter().filter_map(|m| self.apart.get(m)).flatten().copied().collect();
            if forbidden.into_iter().any(|other| self.root(other) == many) {
                return true;
            }
        }
        let (mut left, mut right) = (left, right);
        if left.len() > 1 || right.len() > 1 {
            // an identity that stands on both sides was weighed against its own side already, or overruled by a clerk
            let mut ours = self.identities(&mut left);
            let mut theirs = self.identities(&mut right);
            let both: FastSet<Identity> = ours.iter().filter(|i| theirs.contains(*i)).copied().collect();
            left.retain(|&m| !both.contains(&self.identity(m)) && ours.remove(&self.identity(m)));
            right.retain(|&m| !both.contains(&self.identity(m)) && theirs.remove(&self.identity(m)));
        }
        left.iter().any(|&x| right.iter().any(|&y| contradict(&self.rows[x as usize], &self.rows[y as usize], self.forms)))
    }
}

/// Names, birth date and sex of a row.
type Identity = (u32, u32, u32, u32, u32, u32);

impl Clusters<'_> {
    fn identity(&self, at: u32) -> Identity {
        let r = &self.rows[at as usize];
        (r.fk, r.gk, r.fy, r.gy, r.birth as u32, u32::from(r.sex))
    }

    /// Identities of some members, which are sorted on the way.
    fn identities(&self, members: &mut [u32]) -> FastSet<Identity> {
        members.sort_unstable();
        members.iter().map(|&m| self.identity(m)).collect()
    }
}

/// Two rows that cannot be one person, whatever lies between them: another birth date and another given name, or the same birth date
/// and family name with another given name (twins).
pub(crate) fn contradict(a: &Row, b: &Row, forms: &Forms) -> bool {
    if a.is_baby() || b.is_baby() {
        return compare::babies_contradict(a, b, forms);
    }
    // most rows of a cluster are read alike; two that are not read at all have only what is written
    if a.birth == b.birth && a.gy == b.gy && a.fy == b.fy && (a.gy != NONE || a.fy != NONE) {
        return false;
    }
    let born = compare::births(a.birth, b.birth);
    let (family, given) = compare::names(a, b, forms);
    let other = model::given_kind(given) == 3;
    match born {
        birth::MISSING => false,
        // read one letter apart with nothing written to tell: a slip or a twin, unless the card is one person's
        birth::SAME if given == name::EDIT && model::family_kind(family) == 0 => {
            let own = a.has_card() && a.card() == b.card() && (a.own_card() || (a.branch == b.branch && a.branch != NO_BRANCH));
            // of a slip one of the two is no name that others bear
            let slip = (a.flags ^ b.flags) & flag::KNOWN_NAME != 0;
            !own && !slip
        }
        birth::SAME => other && model::family_kind(family) != 1 && (a.gk != NONE) == (b.gk != NONE),
        birth::YEAR_ONLY | birth::DIFFERENT => !name::same(given) || compare::sexes(a.sex, b.sex) == sex::DIFFERENT,
        _ => other || (compare::sexes(a.sex, b.sex) == sex::DIFFERENT && !name::same(given)),
    }
}
