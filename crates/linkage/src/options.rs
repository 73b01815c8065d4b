//! Settings of a run.

use crate::clerk::Rule;

/// Thresholds and bounds. The defaults are what `RULE` stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Pairs at least this probable are joined.
    pub threshold: f64,
    /// Pairs at least this probable, but not joined, are for a clerk.
    pub review: f64,
    /// Whether a newborn under the mother's name is linked to the one child with a name that fits. Otherwise it stays alone until its own
    /// record is renamed.
    pub newborns: bool,
    /// How many clerks have to say the same of two records before it holds.
    pub clerks: Rule,
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
            threshold: 0.85,
            review: 0.05,
            newborns: false,
            clerks: Rule::default(),
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
