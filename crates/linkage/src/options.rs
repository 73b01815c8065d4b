//! Settings of a run.

use crate::clerk::Rule;
use crate::state::State;

/// Thresholds and bounds. The defaults are what `RULE` stands for. Where threshold, review band or number of clerks are `None`, those of the
/// folder's earlier run hold, and the defaults in a folder without one: a rule changes only where somebody says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Pairs at least this probable are joined, see [`Options::threshold`].
    pub threshold: Option<f64>,
    /// Pairs at least this probable, but not joined, are for a clerk, see [`Options::review`].
    pub review: Option<f64>,
    /// Whether a newborn under the mother's name is linked to the one child with a name that fits. Otherwise it stays alone until its own
    /// record is renamed.
    pub newborns: bool,
    /// How many clerks have to say the same of two records before it holds, see [`Options::clerks`].
    pub clerks: Option<Rule>,
    /// Whether records that were withdrawn may come back. Otherwise they are left out of what is read, and counted.
    pub again: bool,
    /// Whether clerks' words enter the learning of a new model.
    pub supervised: bool,
    /// Threads. The result does not depend on it.
    pub threads: usize,
    /// Bytes of memory that a first run of [`link_file`](crate::link_file) may take; what does not fit waits on disk, sealed. The result does
    /// not depend on it.
    pub memory: Option<u64>,
    /// Records in a block up to which all are compared with all.
    pub largest_block: usize,
    /// In a larger block each record is compared with this many that are most like it.
    pub neighbours: usize,
    /// A telephone with more birth dates than this is no evidence (a company, a care home).
    pub persons_per_phone: usize,
    /// The same for a home.
    pub persons_per_home: usize,
    /// The same for an insurance card.
    pub persons_per_card: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threshold: None,
            review: None,
            newborns: false,
            clerks: None,
            again: false,
            supervised: false,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory: None,
            largest_block: 200,
            neighbours: 16,
            persons_per_phone: 15,
            persons_per_home: 100,
            persons_per_card: 15,
        }
    }
}

impl Options {
    /// The threshold that holds.
    pub fn threshold(&self) -> f64 {
        self.threshold.unwrap_or(0.85)
    }

    /// The lower end of the review band that holds; never above the threshold.
    pub fn review(&self) -> f64 {
        self.review.unwrap_or(0.05).min(self.threshold())
    }

    /// The number of clerks that holds.
    pub fn clerks(&self) -> Rule {
        self.clerks.unwrap_or_default()
    }

    /// The same with the rule of an earlier run where none is stated.
    pub(crate) fn after(self, earlier: &State) -> Self {
        Self {
            threshold: self.threshold.or(Some(earlier.threshold)),
            review: self.review.or(Some(earlier.review)),
            clerks: self.clerks.or(Some(earlier.clerks)),
            ..self
        }
    }
}
