//! The proof: down the lattice, everything above a node before it.
//!
//! The first columns cut the lattice into parts. Parts whose first levels have the same sum have no node above one of
//! another, so they are one wave: each starts from the best node known before the wave, and what it finds is merged after it in
//! the parts' order. The number of threads therefore changes neither the answer nor the number of nodes looked at.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use super::climb::Best;
use super::lattice::{better, is_below};
use super::{Check, Evaluator, Problem};
use crate::metrics::Costs;
use crate::table::{Groups, Key};

/// More threads than this have nothing to do on the machines there are.
const MOST_THREADS: usize = 256;

/// What a sweep found.
#[derive(Debug)]
pub struct Swept {
    /// The best node.
    pub best: Option<Best>,
    /// Nodes looked at, besides those known before.
    pub checked: u64,
    /// A bound on the score of what time did not suffice for; none where everything is decided.
    pub open: Option<f64>,
}

/// The parts' common knowledge.
struct Shared<'a, K> {
    problem: &'a Problem<K>,
    /// What was looked at before, by number.
    known: HashMap<u64, Check>,
    /// Groups of other nodes at hand, the smallest first.
    kept: Vec<(Vec<u8>, Groups<K>)>,
    /// Groups after the first column's level, made when first needed.
    firsts: Vec<OnceLock<Groups<K>>>,
    /// What the metric is at the bottom.
    floor: f64,
    deadline: Option<Instant>,
    /// Columns that cut the lattice.
    cut: usize,
    /// Nodes of a part.
    part: usize,
}

/// One part after its wave.
struct Part {
    /// By the node's place in the part: what is added to the bound; infinity: not allowed.
    penalties: Vec<f32>,
    best: Option<Best>,
    checked: u64,
    open: Option<f64>,
}

/// Goes through a lattice from a first good node.
pub fn sweep<K: Key>(
    problem: &Problem<K>,
    known: &HashMap<Vec<u8>, Check>,
    mut kept: Vec<(Vec<u8>, Groups<K>)>,
    first: Option<Best>,
    threads: usize,
    deadline: Option<Instant>,
) -> Swept {
    kept.sort_by(|a, b| a.1.len().cmp(&b.1.len()).then_with(|| a.0.cmp(&b.0)));
    let columns = problem.attributes.len();
    let cut = columns.saturating_sub(1).min(2);
    let dims = &problem.lattice.dims;
    let part: usize = dims[cut..].iter().map(|d| *d as usize).product();
    let floor = Evaluator::new(problem).unsuppressed(&problem.base, &vec![0; columns]);
    let shared = Shared {
        problem,
        known: known.iter().map(|(n, c)| (problem.lattice.index(n), *c)).collect(),
        kept,
        firsts: (0..dims[0]).map(|_| OnceLock::new()).collect(),
        floor,
        deadline,
        cut,
        part,
    };
    let prefixes: usize = dims[..cut].iter().map(|d| *d as usize).product();
    let levels = |prefix: usize| -> Vec<u8> {
        let mut rest = prefix;
        let mut levels = vec![0; cut];
        for at in (0..cut).rev() {
            levels[at] = (rest % dims[at] as usize) as u8;
            rest /= dims[at] as usize;
        }
        levels
    };
    let highest: usize = dims[..cut].iter().map(|d| *d as usize - 1).sum();
    let done: Vec<OnceLock<Part>> = (0..prefixes).map(|_| OnceLock::new()).collect();
    let evaluators: Vec<Mutex<Worker<'_, K>>> =
        (0..threads.clamp(1, prefixes.clamp(1, MOST_THREADS))).map(|_| Mutex::new(Worker::new(problem))).collect();
    let mut result = Swept { best: first, checked: 0, open: None };
    for height in (0..=highest).rev() {
        let wave: Vec<usize> =
            (0..prefixes).filter(|p| levels(*p).iter().map(|l| *l as usize).sum::<usize>() == height).collect();
        let next = AtomicUsize::new(0);
        let work = |worker: &Mutex<Worker<'_, K>>| {
            let Ok(mut worker) = worker.lock() else { return };
            while let Some(prefix) = wave.get(next.fetch_add(1, Ordering::Relaxed)) {
                let part = worker.go(&shared, &levels(*prefix), &done, *prefix, result.best.clone());
                let _ = done[*prefix].set(part);
            }
        };
        if evaluators.len() == 1 || wave.len() == 1 {
            work(&evaluators[0]);
        } else {
            std::thread::scope(|scope| {
                for worker in &evaluators[..evaluators.len().min(wave.len())] {
                    scope.spawn(|| work(worker));
                }
            });
        }
        for part in wave.iter().filter_map(|p| done[*p].get()) {
            result.checked += part.checked;
            if let Some(open) = part.open {
                result.open = Some(result.open.map_or(open, |o| o.min(open)));
            }
            if let Some(found) = &part.best
                && result
                    .best
                    .as_ref()
                    .is_none_or(|b| better((found.check.score, &found.node), (b.check.score, &b.node), &problem.places).is_lt())
            {
                result.best = Some(found.clone());
            }
        }
    }
    result
}

/// Groups along the first columns of a node: each column's level applied to those before it.
struct Stack<K> {
    tables: Vec<Groups<K>>,
    levels: Vec<Option<u8>>,
    /// What the metric is there when nothing is suppressed.
    bases: Vec<f64>,
}

struct Worker<'p, K> {
    evaluator: Evaluator<'p, K>,
    stack: Stack<K>,
}

impl<'p, K: Key> Worker<'p, K> {
    fn new(problem: &'p Problem<K>) -> Self {
        let columns = problem.attributes.len();
        let tables = (0..columns).map(|_| Groups::new()).collect();
        let stack = Stack { tables, levels: vec![None; columns], bases: vec![0.0; columns] };
        Self { evaluator: Evaluator::new(problem), stack }
    }

    /// Goes through one part.
    fn go(&mut self, shared: &Shared<'_, K>, prefix: &[u8], done: &[OnceLock<Part>], number: usize, best: Option<Best>) -> Part {
        let problem = shared.problem;
        let (lattice, costs) = (&problem.lattice, &problem.costs);
        let columns = lattice.dims.len();
        let mut part = Part { penalties: vec![0.0; shared.part], best, checked: 0, open: None };
        // The parts one step up in a cutting column are done: they are of the wave before.
        let mut above: Vec<&[f32]> = Vec::new();
        let mut stride = 1;
        for column in (0..shared.cut).rev() {
            if prefix[column] + 1 < lattice.dims[column]
                && let Some(part) = done[number + stride].get()
            {
                above.push(&part.penalties);
            }
            stride *= lattice.dims[column] as usize;
        }
        self.stack.levels.fill(None);
        let mut node = prefix.to_vec();
        node.extend(lattice.dims[shared.cut..].iter().map(|d| d - 1));
        let first = lattice.index(&node) + 1 - shared.part as u64;
        let mut late = false;
        for at in (0..shared.part).rev() {
            let mut penalty = above.iter().map(|p| p[at]).fold(0.0f32, f32::max);
            for (column, level) in node.iter().enumerate().skip(shared.cut) {
                if level + 1 < lattice.dims[column] {
                    penalty = penalty.max(part.penalties[at + lattice.stride(column) as usize]);
                }
            }
            if penalty < f32::INFINITY {
                let known = shared.known.get(&(first + at as u64)).copied();
                let reach = part.best.as_ref().map_or(f64::INFINITY, |b| b.check.score);
                let check = known.or_else(|| {
                    let lower = costs.lower(&node, shared.floor);
                    if Costs::beyond(costs.bound(lower, f64::from(penalty)), reach) {
                        return None;
                    }
                    late = late || shared.deadline.is_some_and(|d| Instant::now() >= d);
                    if late {
                        let bound = costs.bound(lower, f64::from(penalty));
                        part.open = Some(part.open.map_or(bound, |o: f64| o.min(bound)));
                        return None;
                    }
                    let check = self.look(shared, &node, f64::from(penalty), reach)?;
                    part.checked += 1;
                    Some(check)
                });
                if let Some(check) = check {
                    // Rounded down, so that it stays a bound.
                    let own = if check.penalty == f64::INFINITY { f32::INFINITY } else { (check.penalty * (1.0 - 2e-7)) as f32 };
                    penalty = penalty.max(own);
                    if check.is_valid()
                        && part
                            .best
                            .as_ref()
                            .is_none_or(|b| better((check.score, &node), (b.check.score, &b.node), &problem.places).is_lt())
                    {
                        part.best = Some(Best { node: node.clone(), check });
                    }
                }
            }
            part.penalties[at] = penalty;
            // The next lower number.
            for column in (shared.cut..columns).rev() {
                if node[column] > 0 {
                    node[column] -= 1;
                    break;
                }
                node[column] = lattice.dims[column] - 1;
            }
        }
        part
    }

    /// Groups in the last table of the stack that fits a node; the next pass reads as many.
    fn start(&self, shared: &Shared<'_, K>, node: &[u8]) -> usize {
        let mut from = vec![0u8; node.len()];
        let mut source = None;
        for column in 0..node.len() - 1 {
            if self.stack.levels[column] != Some(node[column]) {
                break;
            }
            if node[column] > 0 {
                from[column] = node[column];
                source = Some(column);
            }
        }
        self.stack.at(shared, source, &from).len()
    }

    /// Looks at a node through the stack; nothing where a table on the way already excludes it.
    fn look(&mut self, shared: &Shared<'_, K>, node: &[u8], penalty: f64, reach: f64) -> Option<Check> {
        let problem = shared.problem;
        let by_class = !problem.costs.metric().is_separable();
        let last = node.len() - 1;
        // Groups at hand that are no larger than what the stack would start from are the shorter way.
        if !by_class
            && let Some((lower, groups)) = shared.kept.iter().find(|(n, _)| is_below(n, node))
            && groups.len() <= self.start(shared, node)
        {
            return Some(self.evaluator.check_from(groups, lower, node));
        }
        let mut from = vec![0u8; node.len()];
        // Column whose table is the finest so far that all levels up to here were applied to.
        let mut source: Option<usize> = None;
        for column in 0..last {
            let level = node[column];
            if self.stack.levels[column] != Some(level) {
                self.stack.levels[column..].fill(None);
                self.stack.levels[column] = Some(level);
                if level > 0 {
                    let mut to = from.clone();
                    to[column] = level;
                    if column == 0 {
                        shared.firsts[level as usize].get_or_init(|| {
                            let mut groups = Groups::new();
                            self.evaluator.coarsen(&problem.base, &from, &to, &mut groups);
                            groups
                        });
                    } else {
                        let mut made = std::mem::take(&mut self.stack.tables[column]);
                        self.evaluator.coarsen(self.stack.at(shared, source, &from), &from, &to, &mut made);
                        self.stack.tables[column] = made;
                    }
                    if by_class {
                        self.stack.bases[column] = self.evaluator.unsuppressed(self.stack.at(shared, Some(column), &to), &to);
                    }
                }
            }
            if level > 0 {
                from[column] = level;
                source = Some(column);
                if by_class && Costs::beyond(problem.costs.bound(self.stack.bases[column], penalty), reach) {
                    return None;
                }
            }
        }
        let table = self.stack.at(shared, source, &from);
        Some(if node[last] == 0 { self.evaluator.check(table, node) } else { self.evaluator.check_from(table, &from, node) })
    }
}

impl<K: Key> Stack<K> {
    fn at<'s>(&'s self, shared: &'s Shared<'_, K>, source: Option<usize>, levels: &[u8]) -> &'s Groups<K> {
        match source {
            None => &shared.problem.base,
            Some(0) => shared.firsts[levels[0] as usize].get().unwrap_or(&shared.problem.base),
            Some(column) => &self.tables[column],
        }
    }
}
