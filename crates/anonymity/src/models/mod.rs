//! Privacy models, sorted by what they let a search leave out.
//!
//! A class is everybody with the same released quasi-identifiers. Going down the lattice splits classes. What a model says
//! about a class bounds how many of its records any splitting must suppress:
//!
//! * [`Monotone`]: a class that fails fails in whole, however it is split (k-anonymity, k-map, distinct l-diversity);
//! * [`Convex`]: a mixture of classes that hold also holds, so a class that fails loses at least the part that is too much
//!   (entropy and recursive l-diversity, t-closeness, δ-disclosure, β-likeness, α of (α,k), the upper bound of δ-presence);
//! * [`Opaque`]: a class that fails says nothing of its parts (Grassberger's entropy, the lower bound of δ-presence);
//! * [`Whole`]: speaks of all released classes together and suppresses the smallest until it holds; average risk and sample
//!   uniqueness bound what lies below, population uniqueness does not.
//!
//! The search prunes by [`Verdict::below`] and [`Models::whole_bounds`] alone, which come from these types.
//!
//! Source of the formulas: section 2 of the definitions that the crate's README repeats.

mod bounds;
mod judge;
mod parse;
mod sensitive;
mod whole;

pub use judge::{Class, Judge, Verdict};
pub use parse::FORMS;
pub use sensitive::{Sensitive, Tree};
pub use whole::{Kept, enforce};

use crate::risk::population::Population;

/// Models whose failing class fails in whole, however it is split.
#[derive(Debug, Clone, PartialEq)]
pub enum Monotone {
    /// At least k records.
    KAnonymity {
        /// Records.
        k: u64,
    },
    /// At least k persons of the population table.
    KMap {
        /// Persons.
        k: u64,
    },
    /// k-map without a table: the population class is smaller than k with a probability of at most alpha.
    KMapEstimated {
        /// Persons of the population.
        k: u64,
        /// The probability.
        alpha: f64,
        /// How population classes follow from sample classes.
        by: Estimator,
    },
    /// At least l different sensitive values.
    DistinctDiversity {
        /// Values.
        l: u64,
    },
}

/// Population class size from a sample class of size f and sampling fraction π.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimator {
    /// F − f follows a Poisson distribution with mean f(1−π)/π.
    Poisson,
    /// The same without zero: somebody else is in the class.
    ZeroTruncated,
}

/// Models of which a mixture of holding classes also holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Convex {
    /// Shannon entropy of the sensitive values at least ln l.
    EntropyDiversity {
        /// l, at least 1.
        l: f64,
    },
    /// r1 < c (r_l + … + r_m) for counts in descending order.
    RecursiveDiversity {
        /// c.
        c: f64,
        /// l.
        l: usize,
    },
    /// Distance of the class's distribution to the table's at most t.
    Closeness {
        /// t.
        t: f64,
        /// The ground distance.
        ground: Ground,
    },
    /// |ln(p/q)| < delta for every sensitive value of the table.
    DeltaDisclosure {
        /// δ.
        delta: f64,
    },
    /// (p − q)/q at most β for every value more frequent than in the table.
    BasicLikeness {
        /// β.
        beta: f64,
    },
    /// (p − q)/q at most min(β, −ln q).
    EnhancedLikeness {
        /// β.
        beta: f64,
    },
    /// No sensitive value has a larger share than alpha.
    Alpha {
        /// α.
        alpha: f64,
    },
    /// Share of the population class that is in the table at most this.
    PresenceAtMost {
        /// δmax.
        most: f64,
    },
}

/// The ground distance of t-closeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// All values equally far.
    Equal,
    /// Values are numbers; far by rank.
    Ordered,
    /// Values have a hierarchy; far by the level of the lowest common ancestor.
    Hierarchical,
}

/// Models of which a failing class says nothing of its parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Opaque {
    /// Entropy corrected for small samples (Grassberger) at least ln l.
    GrassbergerDiversity {
        /// l, at least 1.
        l: f64,
    },
    /// Share of the population class that is in the table at least this.
    PresenceAtLeast {
        /// δmin.
        least: f64,
    },
}

/// Models of all released classes together.
#[derive(Debug, Clone, PartialEq)]
pub enum Whole {
    /// Classes divided by released records at most this.
    AverageRisk {
        /// Threshold.
        most: f64,
    },
    /// Share of released records that are alone in their class at most this.
    SampleUniques {
        /// Threshold.
        most: f64,
    },
    /// Estimated share of population uniques at most this (Dankar's rule).
    PopulationUniques {
        /// Threshold.
        most: f64,
    },
}

/// What a release must meet: all of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Models {
    /// Fail in whole.
    pub monotone: Vec<Monotone>,
    /// Fail in part.
    pub convex: Vec<Convex>,
    /// Say nothing of parts.
    pub opaque: Vec<Opaque>,
    /// Of all classes together.
    pub whole: Vec<Whole>,
    /// As they were written.
    pub written: Vec<String>,
}

impl Models {
    /// The largest k of k-anonymity asked for.
    pub fn k(&self) -> Option<u64> {
        self.monotone.iter().filter_map(|m| if let Monotone::KAnonymity { k } = m { Some(*k) } else { None }).max()
    }

    /// The most records or persons that a model wants in a class; 1 where none says so.
    pub fn fewest(&self) -> u64 {
        let of = |m: &Monotone| match m {
            Monotone::KAnonymity { k } | Monotone::KMap { k } | Monotone::KMapEstimated { k, .. } => *k,
            Monotone::DistinctDiversity { .. } => 1,
        };
        self.monotone.iter().map(of).max().unwrap_or(1)
    }

    /// A model, as it was written, that a class of the population breaks of which nobody is released: whoever is known to be of it is
    /// known not to be in the table.
    pub fn about_everybody(&self) -> Option<&str> {
        let some = |m: &Opaque| matches!(m, Opaque::PresenceAtLeast { least } if *least > 0.0);
        let written = |w: &&String| parse::is_presence(w);
        if self.opaque.iter().any(some) { self.written.iter().find(written).map(String::as_str) } else { None }
    }

    /// Whether nothing but class sizes matters.
    pub fn only_k(&self) -> Option<u64> {
        let sizes = self.monotone.iter().all(|m| matches!(m, Monotone::KAnonymity { .. }));
        let rest = self.convex.is_empty() && self.opaque.is_empty() && self.whole.is_empty();
        if sizes && rest { self.k() } else { None }
    }

    /// A model that needs the sensitive column, as it was written.
    pub fn about_sensitive(&self) -> Option<&str> {
        let written = self.written.iter().find(|w| parse::is_sensitive(w));
        written.map(String::as_str)
    }

    /// A model that needs a population table.
    pub fn about_population_table(&self) -> Option<&str> {
        self.written.iter().find(|w| parse::needs_table(w)).map(String::as_str)
    }

    /// A model that needs the population's size.
    pub fn about_population_size(&self) -> Option<&str> {
        self.written.iter().find(|w| parse::needs_size(w)).map(String::as_str)
    }

    /// Whether the hierarchy of the sensitive column is needed.
    pub fn needs_tree(&self) -> bool {
        self.convex.iter().any(|c| matches!(c, Convex::Closeness { ground: Ground::Hierarchical, .. }))
    }

    /// Whether the sensitive values must be numbers.
    pub fn needs_order(&self) -> bool {
        self.convex.iter().any(|c| matches!(c, Convex::Closeness { ground: Ground::Ordered, .. }))
    }

    /// Whether what the whole-table models suppress at a node is also suppressed at any node below it: the smallest classes
    /// of a finer node hold at most as many records for the same number of classes, and its uniques are more.
    pub fn whole_bounds(&self) -> bool {
        self.convex.is_empty()
            && self.opaque.is_empty()
            && !self.whole.is_empty()
            && self.whole.iter().all(|w| !matches!(w, Whole::PopulationUniques { .. }))
    }

    /// The smallest sample class that the estimated k-map takes, if asked for: a class fails by its own size alone.
    pub fn resolve(&mut self, population: Option<Population>) {
        for model in &mut self.monotone {
            if let (Monotone::KMapEstimated { k, alpha, by }, Some(population)) = (&*model, population) {
                *model = Monotone::KAnonymity { k: crate::risk::kmap::smallest_class(*k, *alpha, *by, population) };
            }
        }
    }
}
