//! A good node, quickly: ways up from the bottom, halved until the first that may be released, then steps around it.

use std::collections::HashMap;
use std::time::Instant;

use super::lattice::{better, is_below};
use super::{Check, Evaluator, Problem};
use crate::metrics::Costs;
use crate::table::{Groups, Key};

/// The best node so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// The node.
    pub node: Vec<u8>,
    /// What is known of it.
    pub check: Check,
}

/// Climbs, and remembers what it looked at.
pub struct Climber<'p, K> {
    problem: &'p Problem<K>,
    evaluator: Evaluator<'p, K>,
    /// Groups of nodes that served before, to make others from.
    pub kept: Vec<(Vec<u8>, Groups<K>)>,
    /// Everything that was looked at, by the node's number.
    pub known: HashMap<Vec<u8>, Check>,
    /// The best so far.
    pub best: Option<Best>,
    deadline: Option<Instant>,
}

/// Rows that all kept groups may have together, as a multiple of the distinct rows.
const KEPT_ROWS: usize = 3;

impl<'p, K: Key> Climber<'p, K> {
    /// At the bottom, knowing nothing.
    pub fn new(problem: &'p Problem<K>, deadline: Option<Instant>) -> Self {
        Self { problem, evaluator: Evaluator::new(problem), kept: Vec::new(), known: HashMap::new(), best: None, deadline }
    }

    pub(super) fn late(&self) -> bool {
        self.deadline.is_some_and(|d| Instant::now() >= d)
    }

    /// Whether time is limited.
    pub(super) fn is_timed(&self) -> bool {
        self.deadline.is_some()
    }

    /// Levels of each column.
    pub(super) fn dims(&self) -> &[u8] {
        &self.problem.lattice.dims
    }

    /// Looks at a node, from the smallest groups at hand.
    pub fn look(&mut self, node: &[u8]) -> Check {
        if let Some(known) = self.known.get(node) {
            return *known;
        }
        let problem = self.problem;
        let bottom = vec![0; node.len()];
        let fitting = self.kept.iter().filter(|(n, _)| is_below(n, node)).min_by_key(|(_, g)| g.len());
        let (from, source) = fitting.map_or((&bottom, &problem.base), |(n, g)| (n, g));
        let size = source.len();
        let mut groups = Groups::new();
        self.evaluator.coarsen(source, from, node, &mut groups);
        let check = self.evaluator.check(&groups, node);
        if groups.len() * 2 <= size {
            self.keep(node.to_vec(), groups);
        }
        self.known.insert(node.to_vec(), check);
        let good =
            self.best.as_ref().is_none_or(|b| better((check.score, node), (b.check.score, &b.node), &problem.places).is_lt());
        if check.is_valid() && good {
            self.best = Some(Best { node: node.to_vec(), check });
        }
        check
    }

    fn keep(&mut self, node: Vec<u8>, groups: Groups<K>) {
        let rows: usize = self.kept.iter().map(|(_, g)| g.len()).sum();
        if rows + groups.len() > self.problem.base.len() * KEPT_ROWS + 100_000 {
            // The largest serves least.
            if let Some(at) = (0..self.kept.len()).max_by_key(|i| self.kept[*i].1.len()) {
                self.kept.swap_remove(at);
            }
        }
        self.kept.push((node, groups));
    }

    /// Goes up from the bottom in several ways and around what it finds.
    pub fn climb(&mut self) {
        let ways = [Way::MostPerLoss, Way::LeastLoss, Way::Evenly];
        let mut starts: Vec<(f64, Vec<u8>)> = Vec::new();
        for way in ways {
            if let Some(start) = self.go_up(way, vec![0u8; self.problem.attributes.len()]) {
                starts.push(start);
            }
        }
        starts.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        starts.dedup();
        for (_, start) in starts {
            self.around(start);
        }
    }

    /// A way from a node to the top; halves it until the lowest node that may be released.
    pub(super) fn go_up(&mut self, way: Way, from: Vec<u8>) -> Option<(f64, Vec<u8>)> {
        let path = self.path(way, from);
        let (mut low, mut high) = (0, path.len() - 1);
        let mut found: Option<(f64, Vec<u8>)> = None;
        while low <= high && !self.late() {
            let middle = usize::midpoint(low, high);
            let check = self.look(&path[middle]);
            // Without a limit every node may be released; then the score says which way to go.
            let enough = check.is_valid() && (middle == 0 || self.turns(&path, middle, check.score));
            if check.is_valid() && found.as_ref().is_none_or(|f| check.score < f.0) {
                found = Some((check.score, path[middle].clone()));
            }
            if enough {
                if middle == 0 {
                    break;
                }
                high = middle - 1;
            } else {
                low = middle + 1;
            }
        }
        found
    }

    /// Whether going further up a path loses more.
    fn turns(&mut self, path: &[Vec<u8>], at: usize, score: f64) -> bool {
        if self.problem.allowed < self.problem.rows / 2 || at + 1 >= path.len() {
            return true;
        }
        self.look(&path[at + 1]).score >= score
    }

    fn path(&self, way: Way, from: Vec<u8>) -> Vec<Vec<u8>> {
        let problem = self.problem;
        let mut node = from;
        let mut path = vec![node.clone()];
        loop {
            let step = |a: usize| -> Option<(f64, usize)> {
                let (now, next) = (node[a] as usize, node[a] as usize + 1);
                if next >= problem.attributes[a].levels() {
                    return None;
                }
                let loss = problem.costs.plain(a, next) - problem.costs.plain(a, now);
                let gain = problem.entropies[a][now] - problem.entropies[a][next];
                Some(match way {
                    Way::MostPerLoss => (loss / (gain + 1e-9), a),
                    Way::LeastLoss => (loss, a),
                    Way::Evenly => (next as f64 / problem.attributes[a].levels() as f64, a),
                })
            };
            let best = (0..node.len()).filter_map(step).min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let Some((_, column)) = best else { break };
            node[column] += 1;
            path.push(node.clone());
        }
        path
    }

    /// Steps to better nodes nearby until there is none.
    pub fn around(&mut self, start: Vec<u8>) {
        let problem = self.problem;
        let mut here = start;
        let mut score = self.look(&here).score;
        'next: while !self.late() {
            self.prepare(&here);
            let mut moves = self.moves(&here);
            let guide = |n: &[u8]| (0..n.len()).map(|a| problem.costs.plain(a, n[a] as usize)).sum::<f64>();
            moves.sort_by(|a, b| guide(a).total_cmp(&guide(b)).then_with(|| a.cmp(b)));
            for node in moves {
                let lower = problem.costs.lower(&node, 0.0);
                if problem.costs.metric().is_separable() && Costs::beyond(lower, score) {
                    continue;
                }
                if self.hopeless(&node) {
                    continue;
                }
                let check = self.look(&node);
                if check.score < score {
                    (here, score) = (node, check.score);
                    continue 'next;
                }
                if self.late() {
                    return;
                }
            }
            break;
        }
    }

    /// Below a node of which it is known that nothing below it may be released.
    fn hopeless(&self, node: &[u8]) -> bool {
        let dead = |(n, c): (&Vec<u8>, &Check)| c.penalty == f64::INFINITY && is_below(node, n);
        !self.known.contains_key(node) && self.known.iter().any(dead)
    }

    /// Keeps groups from which everything around a node is made.
    fn prepare(&mut self, node: &[u8]) {
        let lower: Vec<u8> = node.iter().map(|l| l.saturating_sub(1)).collect();
        let at_hand = self.kept.iter().any(|(n, _)| is_below(n, &lower) && node.iter().zip(n).all(|(a, b)| a - b <= 2));
        if at_hand {
            return;
        }
        let bottom = vec![0; node.len()];
        let fitting = self.kept.iter().filter(|(n, _)| is_below(n, &lower)).min_by_key(|(_, g)| g.len());
        let (from, source) = fitting.map_or((&bottom, &self.problem.base), |(n, g)| (n, g));
        let mut groups = Groups::new();
        self.evaluator.coarsen(source, from, &lower, &mut groups);
        self.keep(lower, groups);
    }

    /// Nodes one step down, one down and another up, one up.
    fn moves(&self, node: &[u8]) -> Vec<Vec<u8>> {
        let dims = &self.problem.lattice.dims;
        let mut moves = Vec::new();
        let step = |down: Option<usize>, up: Option<usize>| {
            let mut new = node.to_vec();
            if let Some(d) = down {
                new[d] = new[d].checked_sub(1)?;
            }
            if let Some(u) = up {
                new[u] += 1;
                if new[u] >= dims[u] {
                    return None;
                }
            }
            Some(new)
        };
        for a in 0..node.len() {
            moves.extend(step(Some(a), None));
            moves.extend(step(None, Some(a)));
            moves.extend((0..node.len()).filter(|b| *b != a).filter_map(|b| step(Some(a), Some(b))));
        }
        moves
    }
}

/// In which order a way up raises columns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// Where classes merge most for what it loses.
    MostPerLoss,
    /// Where it loses least.
    LeastLoss,
    /// The column that is least far up.
    Evenly,
}
