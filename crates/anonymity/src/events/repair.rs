//! Brings codes to coarser forms, or takes them out, person by person, until no combination stands for too few.
//!
//! Rounds: what too few persons have is counted, then every person who has any of it has codes raised (greedy cover: what mends most for
//! the least loss first). A code is raised for those alone who would stand out with it (local recoding), so that everybody else keeps it; each
//! round takes at least one step up for each of them, so the rounds end. What went further than it had to is then given back.
//!
//! Every combination that is shown is shown by `k` persons or by none, coarser forms being told apart from codes. Whoever knows true codes of
//! a person looks for everybody who is shown with them or with a form above them: unions of groups of `k` or none.

use super::forest::{Forest, GONE};
use super::histories::{Histories, Seen};
use super::{Counted, Rule, count, items, restore, triples};

/// Repairs in place; says what was found before anything was done.
pub fn repair(forest: &Forest, histories: &mut Histories, rule: &Rule) -> Counted {
    let before = super::counted(forest, histories, rule);
    if before.holds() {
        return before;
    }
    loop {
        rounds(forest, histories, rule);
        if rule.known < 3 || !triples::raise(forest, histories, rule) {
            break;
        }
    }
    if rule.known < 3 {
        restore::give_back(forest, histories, rule);
    }
    before
}

/// Rounds until nothing of up to two codes is too few.
fn rounds(forest: &Forest, histories: &mut Histories, rule: &Rule) {
    loop {
        items::join(forest, histories, rule);
        let few = count::few(forest, histories, rule);
        if few.singles() == 0 && few.pairs == 0 {
            return;
        }
        let codes = histories.codes.clone();
        let starts: Vec<usize> = (0..=histories.persons()).map(|p| if p == 0 { 0 } else { histories.range(p - 1).end }).collect();
        let few = &few;
        std::thread::scope(|scope| {
            for (persons, shown) in histories.parts(rule.threads) {
                let (codes, starts) = (&codes, &starts);
                scope.spawn(move || {
                    let mut one = One::new(forest.len());
                    let first = starts[persons.start];
                    for person in persons {
                        let range = starts[person]..starts[person + 1];
                        one.raise(forest, few, &codes[range.clone()], &mut shown[range.start - first..range.end - first]);
                    }
                });
            }
        });
    }
}

/// What is needed for one person, kept for the next.
struct One {
    seen: Seen,
    /// Nodes that the person is shown with, in order.
    nodes: Vec<Node>,
}

/// A node that a person is shown with.
struct Node {
    node: u32,
    /// What would be lost with it taken out ([`Forest::exit`]).
    gone: f64,
    /// What would be lost with its coarser form.
    coarser: f64,
    /// The others with which too few have it, by where they stand, and whether its coarser form would be enough with each.
    few: Vec<(u32, bool)>,
    /// Those of them that are not dealt with.
    open: u32,
    /// Those of the open ones that its coarser form mends.
    mended: u32,
    /// What it becomes, once that is decided.
    to: Option<u32>,
}

/// What a coarser form is worth that is not yet enough: it can still become so.
const PERHAPS: f64 = 0.1;

impl One {
    fn new(nodes: usize) -> Self {
        Self { seen: Seen::new(nodes), nodes: Vec::new() }
    }

    fn raise(&mut self, forest: &Forest, few: &count::Few, codes: &[u32], shown: &mut [u32]) {
        self.look(forest, few, codes, shown);
        // What too few have at all goes up in any case.
        for at in 0..self.nodes.len() {
            let node = self.nodes[at].node;
            if few.single[few.number[node as usize] as usize] {
                self.decide(at, forest.parent(node));
            }
        }
        while let Some((at, to)) = self.best(forest) {
            self.decide(at, to);
        }
        for shown in shown.iter_mut() {
            let of = self.nodes.binary_search_by_key(&*shown, |n| n.node);
            if let Some(to) = of.ok().and_then(|at| self.nodes[at].to) {
                *shown = to;
            }
        }
    }

    fn look(&mut self, forest: &Forest, few: &count::Few, codes: &[u32], shown: &[u32]) {
        self.nodes.clear();
        self.seen.next();
        for node in shown {
            if self.seen.first(*node) {
                self.nodes.push(Node { node: *node, gone: 0.0, coarser: 0.0, few: Vec::new(), open: 0, mended: 0, to: None });
            }
        }
        self.nodes.sort_unstable_by_key(|n| n.node);
        let numbers: Vec<u32> = self.nodes.iter().map(|n| few.number[n.node as usize]).collect();
        for (of, number) in self.nodes.iter_mut().zip(&numbers) {
            for (at, other) in numbers.iter().enumerate().filter(|(_, other)| few.pair(*number, **other)) {
                let mends = few.mends(*number, *other);
                of.few.push((at as u32, mends));
                of.mended += u32::from(mends);
            }
            of.open = of.few.len() as u32;
        }
        for (code, shown) in codes.iter().zip(shown) {
            if let Ok(at) = self.nodes.binary_search_by_key(shown, |n| n.node) {
                let now = forest.loss(*code, *shown);
                self.nodes[at].gone += forest.loss(*code, forest.exit(*shown)) - now;
                self.nodes[at].coarser += forest.loss(*code, forest.parent(*shown)) - now;
            }
        }
    }

    /// A node becomes another: nothing of it is open any more.
    fn decide(&mut self, at: usize, to: u32) {
        self.nodes[at].to = Some(to);
        self.nodes[at].open = 0;
        for (other, _) in std::mem::take(&mut self.nodes[at].few) {
            let other = &mut self.nodes[other as usize];
            if other.to.is_none()
                && let Ok(with) = other.few.binary_search_by_key(&(at as u32), |(with, _)| *with)
            {
                other.open -= 1;
                other.mended -= u32::from(other.few[with].1);
            }
        }
    }

    /// The step that mends most for what it loses; the first of equal ones.
    fn best(&self, forest: &Forest) -> Option<(usize, u32)> {
        let mut best: Option<(usize, u32, f64)> = None;
        for (at, of) in self.nodes.iter().enumerate().filter(|(_, of)| of.open > 0) {
            let mut consider = |to: u32, mends: f64, loses: f64| {
                let worth = mends / loses.max(1e-9);
                if best.is_none_or(|(.., most)| worth > most) {
                    best = Some((at, to, worth));
                }
            };
            let (open, mended) = (f64::from(of.open), f64::from(of.mended));
            consider(forest.exit(of.node), open, of.gone);
            if forest.parent(of.node) != GONE {
                consider(forest.parent(of.node), PERHAPS.mul_add(open - mended, mended), of.coarser);
            }
        }
        best.map(|(at, to, _)| (at, to))
    }
}
