//! A search from beginning to end.

use std::time::{Duration, Instant};

use super::climb::{Best, Climber};
use super::sweep::sweep;
use super::{Check, Problem};
use crate::models::Whole;
use crate::table::Key;

/// More columns than this are searched without proof.
pub const EXACT_COLUMNS: usize = 14;
/// More nodes than this are searched without proof.
pub const EXACT_NODES: u64 = 1 << 24;

/// How far a search may go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Threads; at least one.
    pub threads: usize,
    /// Time for the search.
    pub time: Option<Duration>,
}

/// How a search was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Every node was looked at or excluded.
    Exact,
    /// It would have been, but time was up.
    Stopped,
    /// The lattice is too large: a good node, and a bound on how much better another could be.
    Heuristic,
    /// Every node was looked at or excluded, but how many of the smallest classes have to go was found by halving an estimate
    /// that need not fall evenly: fewer might do.
    Estimated,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Levels in the order of the table.
    pub levels: Vec<u8>,
    /// The same in the order of the search.
    pub node: Vec<u8>,
    /// What is known of it.
    pub check: Check,
    /// Nodes whose classes were looked at.
    pub checked: u64,
    /// No node has a smaller score than this.
    pub bound: f64,
    /// How it was made.
    pub effort: Effort,
}

/// Searches; nothing where no node may be released, as far as time and effort went.
pub fn search<K: Key>(problem: &Problem<K>, limits: Limits) -> (Option<Found>, Effort) {
    // A time that no clock reaches is no limit.
    let begun = Instant::now();
    let deadline = limits.time.and_then(|t| begun.checked_add(t));
    let large = problem.attributes.len() > EXACT_COLUMNS || problem.lattice.size().is_none_or(|s| s > EXACT_NODES);
    // A bound takes its time too.
    let rest = limits.time.map_or(Duration::ZERO, |t| t.mul_f64(super::blocks::SHARE));
    let mut climber = Climber::new(problem, deadline.map(|d| if large { d - rest } else { d }));
    climber.climb();
    let looked = climber.known.len() as u64;
    if large {
        climber.wander();
        return super::blocks::finish(problem, climber, limits, deadline);
    }
    let swept = sweep(problem, &climber.known, climber.kept, climber.best, limits.threads, deadline);
    let estimates = problem.models.whole.iter().any(|w| matches!(w, Whole::PopulationUniques { .. }));
    let effort = match swept.open {
        Some(_) => Effort::Stopped,
        None if estimates => {
            return (
                swept.best.map(|b| found(problem, b, looked + swept.checked, Some(0.0), Effort::Estimated)),
                Effort::Estimated,
            );
        }
        None => Effort::Exact,
    };
    (swept.best.map(|best| found(problem, best, looked + swept.checked, swept.open, effort)), effort)
}

pub(super) fn found<K: Key>(problem: &Problem<K>, best: Best, checked: u64, open: Option<f64>, effort: Effort) -> Found {
    let bound = open.map_or(best.check.score, |o| o.min(best.check.score));
    Found { levels: problem.in_table_order(&best.node), node: best.node, check: best.check, checked, bound, effort }
}
