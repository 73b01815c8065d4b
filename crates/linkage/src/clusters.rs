//! Pairs become persons: strongest pair first, and a pair that would join what contradicts itself is left out. So a chain whose ends
//! contradict is cut at its weakest link.

use crate::compare;
use crate::forms::{Forms, NONE};
use crate::hash::FastMap;
use crate::levels::{birth, name, sex};
use crate::model;
use crate::parts;
use crate::row::{NO_BRANCH, Row, flag};

/// Growing clusters of rows.
pub(crate) struct Clusters<'a> {
    rows: &'a [Row],
    forms: &'a Forms,
    parent: Vec<u32>,
    size: Vec<u32>,
    least: Vec<u32>,
    /// Of clusters of several identities these, sorted, each with its smallest row: a hundred thousand equal rows are one.
    several: FastMap<u32, Vec<(Identity, u32)>>,
    /// Cannot-link facts, both ways, and of each cluster the members that have any.
    apart: FastMap<u32, Vec<u32>>,
    bound: FastMap<u32, Vec<u32>>,
}

/// Names, birth date and sex of a row.
type Identity = (u32, u32, u32, u32, u32, u32);

impl<'a> Clusters<'a> {
    pub fn new(rows: &'a [Row], forms: &'a Forms) -> Self {
        Self {
            rows,
            forms,
            parent: (0..rows.len() as u32).collect(),
            size: vec![1; rows.len()],
            least: (0..rows.len() as u32).collect(),
            several: FastMap::default(),
            apart: FastMap::default(),
            bound: FastMap::default(),
        }
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
        for (one, other) in [(a, b), (b, a)] {
            self.apart.entry(one).or_default().push(other);
            let root = self.root(one);
            self.bound.entry(root).or_default().push(one);
        }
    }

    /// Joins without asking: rows of one record, and clerks' facts.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (small, large) = if self.size[a as usize] < self.size[b as usize] { (a, b) } else { (b, a) };
        let (ours, theirs) = (self.own(large), self.own(small));
        let alike = ours[0].0 == theirs[0].0 && !self.several.contains_key(&large) && !self.several.contains_key(&small);
        if !alike {
            let merged = merge(self.identities(large, &ours), self.identities(small, &theirs));
            self.several.remove(&small);
            self.several.insert(large, merged);
        }
        self.least[large as usize] = self.least[large as usize].min(self.least[small as usize]);
        if let Some(bound) = self.bound.remove(&small) {
            self.bound.entry(large).or_default().extend(bound);
        }
        self.parent[small as usize] = large;
        self.size[large as usize] += self.size[small as usize];
    }

    /// Joins the two ends unless their clusters contradict each other.
    pub fn join_if_consistent(&mut self, left: u32, right: u32) {
        let (a, b) = (self.root(left), self.root(right));
        if a != b && !self.inconsistent(a, b) {
            self.join(a, b);
        }
    }

    /// What a cluster is when all its rows are alike, by its smallest row.
    fn own(&self, root: u32) -> [(Identity, u32); 1] {
        [(identity(&self.rows[root as usize]), self.least[root as usize])]
    }

    fn identities<'b>(&'b self, root: u32, own: &'b [(Identity, u32); 1]) -> &'b [(Identity, u32)] {
        self.several.get(&root).map_or(own, Vec::as_slice)
    }

    fn inconsistent(&mut self, a: u32, b: u32) -> bool {
        if !self.bound.is_empty() {
            let count = |root| self.bound.get(&root).map_or(0, Vec::len);
            let (few, many) = if count(a) <= count(b) { (a, b) } else { (b, a) };
            let forbidden: Vec<u32> =
                self.bound.get(&few).into_iter().flatten().filter_map(|m| self.apart.get(m)).flatten().copied().collect();
            if forbidden.into_iter().any(|other| self.root(other) == many) {
                return true;
            }
        }
        let (ours, theirs) = (self.own(a), self.own(b));
        let (left, right) = (self.identities(a, &ours), self.identities(b, &theirs));
        let against = |x: u32, y: u32| contradict(&self.rows[x as usize], &self.rows[y as usize], self.forms);
        if self.size[a as usize] == 1 && self.size[b as usize] == 1 {
            return against(a, b);
        }
        // an identity that stands on both sides was weighed against its own side already, or overruled by a clerk
        let lacks = |side: &[(Identity, u32)], i: &Identity| side.binary_search_by_key(i, |(own, _)| *own).is_err();
        left.iter()
            .filter(|(i, _)| lacks(right, i))
            .any(|&(_, x)| right.iter().filter(|(i, _)| lacks(left, i)).any(|&(_, y)| against(x, y)))
    }
}

fn identity(r: &Row) -> Identity {
    (r.fk, r.gk, r.fy, r.gy, r.birth as u32, u32::from(r.sex))
}

/// Two sorted lists of identities as one; of equal ones the smaller row stands for both.
fn merge(a: &[(Identity, u32)], b: &[(Identity, u32)]) -> Vec<(Identity, u32)> {
    let mut all = [a, b].concat();
    all.sort_unstable();
    all.dedup_by_key(|(identity, _)| *identity);
    all
}

/// Two rows that cannot be one person, whatever lies between them: another birth date and another given name, or the same birth date
/// and family name with another given name (twins).
pub(crate) fn contradict(a: &Row, b: &Row, forms: &Forms) -> bool {
    if a.is_parted() && b.is_parted() {
        return parts::contradict(a, b, forms);
    }
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
