use super::bounds;
use super::{Convex, Ground, Models, Monotone, Opaque, Sensitive};

/// One class: its records, the population's, and its sensitive values (codes without repetition, with records).
#[derive(Debug, Clone, Copy)]
pub struct Class<'a> {
    /// Records.
    pub size: u64,
    /// Persons of the population table in it; 0 without one.
    pub population: u64,
    /// Sensitive values.
    pub codes: &'a [u32],
    /// Records of each.
    pub counts: &'a [u32],
}

/// What the models say of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be released.
    pub holds: bool,
    /// Records of it that are suppressed at least, however it is split; all of them where it fails in whole.
    pub below: u64,
}

/// Rounding that a comparison forgives.
pub const SLACK: f64 = 1e-12;

/// Judges classes. Holds scratch space, so each thread has its own.
#[derive(Debug)]
pub struct Judge<'m> {
    models: &'m Models,
    sensitive: Option<&'m Sensitive>,
    xlnx: Vec<f64>,
    sorted: Vec<u32>,
    dense: Vec<f64>,
}

const TABLE: usize = 4096;

impl<'m> Judge<'m> {
    /// For models about a sensitive column, where there is one.
    pub fn new(models: &'m Models, sensitive: Option<&'m Sensitive>) -> Self {
        let xlnx = (0..TABLE).map(|c| if c == 0 { 0.0 } else { c as f64 * (c as f64).ln() }).collect();
        Self { models, sensitive, xlnx, sorted: Vec::new(), dense: Vec::new() }
    }

    /// Says whether a class may be released.
    pub fn verdict(&mut self, class: &Class<'_>) -> Verdict {
        let models = self.models;
        let fails = |m: &Monotone| match m {
            Monotone::KAnonymity { k } => class.size < *k,
            Monotone::KMap { k } => class.population < *k,
            // Resolved to a class size before a search begins.
            Monotone::KMapEstimated { .. } => false,
            Monotone::DistinctDiversity { l } => (class.codes.len() as u64) < *l,
        };
        if models.monotone.iter().any(fails) {
            return Verdict { holds: false, below: class.size };
        }
        let mut verdict = Verdict { holds: true, below: 0 };
        for model in &models.convex {
            if let Some(below) = self.convex(model, class) {
                verdict.holds = false;
                // One part of a failing class fails at least, and has a record.
                verdict.below = verdict.below.max(below.clamp(1, class.size));
            }
        }
        for model in &models.opaque {
            verdict.holds = verdict.holds && self.opaque(model, class);
        }
        verdict
    }

    /// None where the class holds, else a bound on the records that go.
    fn convex(&mut self, model: &Convex, class: &Class<'_>) -> Option<u64> {
        let size = class.size as f64;
        match model {
            Convex::EntropyDiversity { l } => {
                let (entropy, need) = (self.entropy(class), l.ln());
                (entropy < need - SLACK).then(|| bounds::records(class.size, 1.0 - entropy / need))
            }
            Convex::RecursiveDiversity { c, l } => {
                self.sorted.clear();
                self.sorted.extend_from_slice(class.counts);
                self.sorted.sort_unstable_by(|a, b| b.cmp(a));
                let first = f64::from(self.sorted.first().copied().unwrap_or(0));
                let tail: u64 = self.sorted.iter().skip(l.saturating_sub(1)).map(|n| u64::from(*n)).sum();
                let excess = first - c * tail as f64;
                // The excess of a union is no more than the sum of the excesses, and of r records at most r where l > 1.
                (excess >= 0.0).then(|| if *l > 1 { (excess - 1e-6).ceil().max(0.0) as u64 } else { 0 })
            }
            Convex::Closeness { t, ground } => {
                let distance = match ground {
                    Ground::Equal => self.equal_distance(class),
                    Ground::Ordered => self.ordered_distance(class),
                    Ground::Hierarchical => self.tree_distance(class),
                };
                (distance > t + SLACK).then(|| bounds::mixture(class.size, distance, *t, 1.0))
            }
            Convex::DeltaDisclosure { delta } => {
                let shares = &self.sensitive?.shares;
                let present = shares.iter().filter(|q| **q > 0.0).count();
                let mut worst = None;
                if class.codes.len() < present {
                    // A value that is missing here is missing in every part: nothing of it may stay.
                    return Some(class.size);
                }
                for (code, count) in class.codes.iter().zip(class.counts) {
                    let (p, q) = (f64::from(*count) / size, shares[*code as usize]);
                    let ratio = (p / q).ln();
                    if ratio.abs() >= delta - SLACK {
                        let below = if ratio > 0.0 {
                            bounds::mixture(class.size, p, q * delta.exp(), 1.0)
                        } else {
                            bounds::records(class.size, 1.0 - p / (q * (-delta).exp()))
                        };
                        worst = Some(below.max(worst.unwrap_or(0)));
                    }
                }
                worst
            }
            Convex::BasicLikeness { beta } => self.likeness(class, |_| *beta),
            Convex::EnhancedLikeness { beta } => self.likeness(class, |q| beta.min(-q.ln())),
            Convex::Alpha { alpha } => {
                let most = f64::from(class.counts.iter().copied().max().unwrap_or(0)) / size;
                (most > alpha + SLACK).then(|| bounds::mixture(class.size, most, *alpha, 1.0))
            }
            Convex::PresenceAtMost { most } => {
                let allowed = most * class.population as f64;
                (size > allowed + SLACK).then(|| (size - allowed - 1e-6).ceil().max(0.0) as u64)
            }
        }
    }

    fn opaque(&self, model: &Opaque, class: &Class<'_>) -> bool {
        match model {
            Opaque::GrassbergerDiversity { l } => {
                let sum: f64 = class.counts.iter().map(|c| f64::from(*c) * crate::risk::special::grassberger(*c)).sum();
                (class.size as f64).ln() - sum / class.size as f64 >= l.ln() - SLACK
            }
            Opaque::PresenceAtLeast { least } => class.size as f64 >= least * class.population as f64 - SLACK,
        }
    }

    fn entropy(&self, class: &Class<'_>) -> f64 {
        let sum: f64 = class.counts.iter().map(|c| self.xlnx(*c)).sum();
        (class.size as f64).ln() - sum / class.size as f64
    }

    #[inline]
    fn xlnx(&self, count: u32) -> f64 {
        match self.xlnx.get(count as usize) {
            Some(known) => *known,
            None => f64::from(count) * f64::from(count).ln(),
        }
    }

    fn equal_distance(&self, class: &Class<'_>) -> f64 {
        let Some(sensitive) = self.sensitive else { return 0.0 };
        let size = class.size as f64;
        // Half the sum of |p − q|: values that are not here add q each, which together with the rest is 1.
        let over = |(code, count): (&u32, &u32)| (f64::from(*count) / size - sensitive.shares[*code as usize]).max(0.0);
        class.codes.iter().zip(class.counts).map(over).sum()
    }

    /// p − q by a place of each value.
    fn differences(&mut self, class: &Class<'_>, place: impl Fn(usize) -> usize) {
        let Some(sensitive) = self.sensitive else { return };
        self.dense.clear();
        self.dense.resize(sensitive.shares.len(), 0.0);
        for (code, share) in sensitive.shares.iter().enumerate() {
            self.dense[place(code)] -= share;
        }
        for (code, count) in class.codes.iter().zip(class.counts) {
            self.dense[place(*code as usize)] += f64::from(*count) / class.size as f64;
        }
    }

    fn ordered_distance(&mut self, class: &Class<'_>) -> f64 {
        let Some(sensitive) = self.sensitive else { return 0.0 };
        let values = sensitive.shares.len();
        if values < 2 || sensitive.rank.len() != values {
            return 0.0;
        }
        self.differences(class, |code| sensitive.rank[code] as usize);
        let mut running = 0.0;
        let sum: f64 = self
            .dense
            .iter()
            .map(|d| {
                running += d;
                f64::abs(running)
            })
            .sum();
        sum / (values - 1) as f64
    }

    fn tree_distance(&mut self, class: &Class<'_>) -> f64 {
        let Some(tree) = self.sensitive.and_then(|s| s.tree.as_ref()) else { return 0.0 };
        let height = tree.nodes.len() - 1;
        if height == 0 {
            return 0.0;
        }
        self.differences(class, |code| code);
        bounds::tree_distance(tree, &self.dense, height)
    }

    fn likeness(&self, class: &Class<'_>, most: impl Fn(f64) -> f64) -> Option<u64> {
        let shares = &self.sensitive?.shares;
        let size = class.size as f64;
        let mut worst = None;
        for (code, count) in class.codes.iter().zip(class.counts) {
            let (p, q) = (f64::from(*count) / size, shares[*code as usize]);
            let allowed = most(q);
            if p > q && (p - q) / q > allowed + SLACK {
                let below = bounds::mixture(class.size, p, q * (1.0 + allowed), 1.0);
                worst = Some(below.max(worst.unwrap_or(0)));
            }
        }
        worst
    }
}
