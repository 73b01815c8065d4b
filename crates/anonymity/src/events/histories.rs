//! Which codes each person has, and as what each is shown.

use super::forest::GONE;

/// The codes of persons, each once a person, and the node that each is shown as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histories {
    starts: Vec<usize>,
    /// The codes as they came.
    pub codes: Vec<u32>,
    /// What each is shown as; [`GONE`]: not at all.
    pub shown: Vec<u32>,
}

impl Histories {
    /// From pairs of person (0 to `persons`) and code, in any order and as often as they come.
    pub fn new(persons: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0; persons + 1];
        for (person, _) in &pairs {
            starts[*person as usize + 1] += 1;
        }
        for person in 0..persons {
            starts[person + 1] += starts[person];
        }
        let codes: Vec<u32> = pairs.into_iter().map(|(_, code)| code).collect();
        Self { starts, shown: codes.clone(), codes }
    }

    /// Persons.
    pub fn persons(&self) -> usize {
        self.starts.len() - 1
    }

    /// Where the codes of a person stand.
    pub fn range(&self, person: usize) -> std::ops::Range<usize> {
        self.starts[person]..self.starts[person + 1]
    }

    /// What a person's codes are shown as; a node may come more than once.
    pub fn of(&self, person: usize) -> &[u32] {
        &self.shown[self.range(person)]
    }

    /// Cuts the persons into parts with about equally many pairs of codes, and hands each part's shown nodes out apart.
    pub(super) fn parts(&mut self, threads: usize) -> Vec<(std::ops::Range<usize>, &mut [u32])> {
        let weight = |person: usize, starts: &[usize]| {
            let codes = starts[person + 1] - starts[person];
            codes * codes + 1
        };
        let persons = self.starts.len() - 1;
        let all: usize = (0..persons).map(|p| weight(p, &self.starts)).sum();
        let mut rest = &mut self.shown[..];
        let mut out = Vec::new();
        let (mut from, mut done) = (0, 0);
        for part in 1..=threads {
            let mut to = from;
            while to < persons && (part == threads || done < all / threads * part) {
                done += weight(to, &self.starts);
                to += 1;
            }
            let (mine, others) = rest.split_at_mut(self.starts[to] - self.starts[from]);
            out.push((from..to, mine));
            rest = others;
            from = to;
        }
        out
    }
}

/// Marks what was seen, by rounds: nothing is cleared between two.
pub(super) struct Seen {
    round: u32,
    of: Vec<u32>,
}

impl Seen {
    pub(super) fn new(nodes: usize) -> Self {
        Self { round: 0, of: vec![0; nodes] }
    }

    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    pub(super) fn next(&mut self) {
        if self.round == u32::MAX {
            self.of.fill(0);
            self.round = 0;
        }
        self.round += 1;
    }

    /// Whether a node is new in this round; one that is gone never is.
    pub(super) fn first(&mut self, node: u32) -> bool {
        node != GONE && std::mem::replace(&mut self.of[node as usize], self.round) != self.round
    }
}

/// The persons of each node, in order.
pub(super) struct Holders {
    starts: Vec<usize>,
    persons: Vec<u32>,
}

impl Holders {
    pub(super) fn of(histories: &Histories, nodes: usize) -> Self {
        let mut seen = Seen::new(nodes);
        let mut starts = vec![0; nodes + 1];
        for person in 0..histories.persons() {
            seen.next();
            for node in histories.of(person) {
                if seen.first(*node) {
                    starts[*node as usize + 1] += 1;
                }
            }
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut persons = vec![0; starts[nodes]];
        for person in 0..histories.persons() {
            seen.next();
            for node in histories.of(person) {
                if seen.first(*node) {
                    persons[next[*node as usize]] = person as u32;
                    next[*node as usize] += 1;
                }
            }
        }
        Self { starts, persons }
    }

    pub(super) fn get(&self, node: u32) -> &[u32] {
        &self.persons[self.starts[node as usize]..self.starts[node as usize + 1]]
    }

    /// Those who are still shown with the node, of its holders when they were gathered.
    pub(super) fn still(&self, histories: &Histories, node: u32) -> Vec<u32> {
        self.get(node).iter().copied().filter(|p| histories.of(*p as usize).contains(&node)).collect()
    }
}

/// With how many persons of a node each other node is: `counts` is filled anew.
pub(super) fn beside(histories: &Histories, holders: &[u32], seen: &mut Seen, counts: &mut [u32]) {
    counts.fill(0);
    for person in holders {
        seen.next();
        for node in histories.of(*person as usize) {
            if seen.first(*node) {
                counts[*node as usize] += 1;
            }
        }
    }
}
