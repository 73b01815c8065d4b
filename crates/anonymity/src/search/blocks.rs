//! A bound for lattices that nothing can go through: the columns in blocks, each searched to its end alone.
//!
//! With the other columns at their top, the classes of a block are unions of the classes of any node that has the same levels in the
//! block. Where a failing class fails in whole, what the block suppresses is suppressed at the node too, and a column loses no less
//! where more is suppressed. So the best score of each block, over the nodes that suppress no more than is allowed, bounds the losses
//! of its columns, and blocks that share no column bound the score together. Models that do not fail in whole are left out of the
//! blocks: that makes the bound smaller, never wrong.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::climb::Climber;
use super::run::{EXACT_COLUMNS, EXACT_NODES, Effort, Found, Limits, found, search};
use super::{Evaluator, Problem};
use crate::metrics::Metric;
use crate::table::{Groups, Key, Remap};

/// Nodes of a block that is searched without a limit of time.
const NODES: u64 = 1 << 14;
/// Share of the time that the bound gets.
pub(super) const SHARE: f64 = 0.3;
/// Less time than this is not begun with.
const LEAST_TIME: Duration = Duration::from_millis(20);

/// What a climb found, with a bound.
pub fn finish<K: Key>(
    problem: &Problem<K>,
    climber: Climber<'_, K>,
    limits: Limits,
    deadline: Option<Instant>,
) -> (Option<Found>, Effort) {
    let looked = climber.known.len() as u64;
    let Some(best) = climber.best else { return (None, Effort::Heuristic) };
    let bound = bound(problem, limits.threads, deadline, best.check.score);
    (Some(found(problem, best, looked, Some(bound), Effort::Heuristic)), Effort::Heuristic)
}

/// Neighbouring columns in the order of the search, with the least score of them alone.
struct Block {
    columns: Range<usize>,
    least: f64,
}

/// A bound on the score of every node, no more than `best`.
fn bound<K: Key>(problem: &Problem<K>, threads: usize, deadline: Option<Instant>, best: f64) -> f64 {
    let metric = problem.costs.metric();
    if !matches!(metric, Metric::Loss | Metric::LossGm | Metric::Ncp | Metric::Prec | Metric::Height) {
        return 0.0;
    }
    let left = || deadline.map(|d| d.saturating_duration_since(Instant::now()));
    let most = if deadline.is_some() { EXACT_NODES } else { NODES };
    let alone = |columns: Range<usize>| {
        let time = left().map(|left| left / 2);
        let (alone, effort) = search(&problem.block(columns), Limits { threads, time });
        // Rounded down, so that it stays a bound.
        alone.filter(|_| effort == Effort::Exact).map(|alone| alone.check.score * (1.0 - 1e-12))
    };
    let nodes = |columns: Range<usize>| {
        problem.lattice.dims[columns].iter().fold(1u64, |nodes, levels| nodes.saturating_mul(u64::from(*levels)))
    };
    // The columns that say most come first. A block grows while it can be searched to its end: what was found before holds whenever
    // time is up.
    let mut blocks: Vec<Block> = Vec::new();
    let mut from = 0;
    while from < problem.attributes.len() {
        let mut block = Block { columns: from..from + 1, least: 0.0 };
        for to in from + 1..=problem.attributes.len().min(from + EXACT_COLUMNS) {
            if nodes(from..to) > most || left().is_some_and(|left| left < LEAST_TIME) {
                break;
            }
            let Some(least) = alone(from..to) else { break };
            block = Block { columns: from..to, least };
        }
        from = block.columns.end;
        blocks.push(block);
    }
    together(metric, &blocks).min(best)
}

/// The score of columns whose blocks have these scores.
fn together(metric: Metric, blocks: &[Block]) -> f64 {
    let columns: f64 = blocks.iter().map(|b| b.columns.len() as f64).sum();
    let weighed = |of: &dyn Fn(f64) -> f64| blocks.iter().map(|b| b.columns.len() as f64 * of(b.least)).sum::<f64>();
    match metric {
        Metric::Height => blocks.iter().map(|b| b.least).sum(),
        Metric::LossGm => (weighed(&|x| x.ln_1p()) / columns).exp_m1(),
        _ => weighed(&|x| x) / columns,
    }
}

impl<K: Key> Problem<K> {
    /// The question about some neighbouring columns alone, as far as its models fail in whole.
    fn block(&self, columns: Range<usize>) -> Problem<K> {
        let mut models = self.models.clone();
        models.convex.clear();
        models.opaque.clear();
        models.whole.clear();
        let diverse = models.monotone.iter().any(|m| matches!(m, crate::models::Monotone::DistinctDiversity { .. }));
        let sensitive_field = self.sensitive_field.filter(|_| diverse);
        let others = self.attributes.iter().enumerate().filter(|(at, _)| !columns.contains(at)).map(|(_, a)| a.field);
        let cleared = others.chain(self.sensitive_field.filter(|_| !diverse));
        let remaps: Vec<Remap<'_>> = cleared.map(|field| Remap { field, codes: None }).collect();
        let mut base = Groups::new();
        Evaluator::new(self).regroup(&self.base, &remaps, &mut base);
        self.narrowed(base, columns, models, sensitive_field)
    }
}
