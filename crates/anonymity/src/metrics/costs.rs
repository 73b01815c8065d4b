use super::Metric;
use crate::search::Attribute;

/// What a record weighs in a column at a level.
#[derive(Debug, Clone, PartialEq)]
pub enum Weight {
    /// The same whatever its value.
    Same(f64),
    /// By the code of its value.
    ByCode(Vec<f64>),
}

/// The numbers of a metric for a table, by column and level.
///
/// A column's loss is (Σ weights of the released + full · suppressed − base) / scale, and not below 0.
#[derive(Debug, Clone)]
pub struct Costs {
    pub(super) metric: Metric,
    pub(super) rows: f64,
    /// By column and level.
    pub(super) weights: Vec<Vec<Weight>>,
    /// Sum of the weights of all records, by column and level.
    pub(super) sums: Vec<Vec<f64>>,
    /// Weight of a suppressed record, by column.
    pub(super) full: Vec<f64>,
    pub(super) base: Vec<f64>,
    pub(super) scale: Vec<f64>,
    /// Loss when nothing is suppressed, by column and level: what finds a way through the lattice.
    pub(super) plain: Vec<Vec<f64>>,
    /// Leaves below each value, by column, level and code.
    pub(super) leaves: Vec<Vec<Vec<f64>>>,
    /// Product of all columns' leaves.
    pub(super) all_leaves: f64,
    /// Σ c ln(c/n) over the original rows, for the divergence.
    pub(super) original: f64,
}

impl Costs {
    /// From the columns and the records of each leaf. `original` are the records of the distinct original rows.
    pub fn new(metric: Metric, attributes: &[Attribute], leaf_counts: &[Vec<u64>], original: &[u32]) -> Self {
        let rows: u64 = leaf_counts.first().map_or(0, |c| c.iter().sum());
        let n = rows as f64;
        let mut costs = Self {
            metric,
            rows: n,
            weights: Vec::new(),
            sums: Vec::new(),
            full: Vec::new(),
            base: Vec::new(),
            scale: Vec::new(),
            plain: Vec::new(),
            leaves: attributes
                .iter()
                .map(|a| a.leaves.iter().map(|l| l.iter().map(|x| f64::from(*x)).collect()).collect())
                .collect(),
            all_leaves: attributes.iter().map(|a| f64::from(a.rows())).product(),
            original: original.iter().filter(|c| **c > 0).map(|c| f64::from(*c) * (f64::from(*c) / n).ln()).sum(),
        };
        for (attribute, counts) in attributes.iter().zip(leaf_counts) {
            costs.add(attribute, counts);
        }
        costs
    }

    fn add(&mut self, attribute: &Attribute, leaf_counts: &[u64]) {
        let (n, m) = (self.rows, f64::from(attribute.rows()));
        let top = (attribute.levels() - 1) as f64;
        let (full, base, scale) = match self.metric {
            // Ncp and the rest take a suppressed cell as 1 and the mean over records.
            Metric::Ncp | Metric::Prec => (1.0, 0.0, n),
            Metric::Height => (0.0, 0.0, n),
            // Everything else weighs by leaves: the losses, and as a guide for what has no numbers a column.
            _ => (m, n, n * (m - 1.0)),
        };
        let mut weights = Vec::new();
        let mut sums = Vec::new();
        let mut plain = Vec::new();
        for level in 0..attribute.levels() {
            let counts = attribute.counts_at(level, leaf_counts);
            let weight = match self.metric {
                Metric::Ncp => Weight::ByCode(attribute.ncp(level)),
                Metric::Prec => Weight::Same(if top > 0.0 { level as f64 / top } else { 0.0 }),
                Metric::Height => Weight::Same(level as f64),
                _ => Weight::ByCode(attribute.leaves[level].iter().map(|l| f64::from(*l)).collect()),
            };
            let weight = match weight {
                Weight::ByCode(by) if by.iter().all(|w| *w == by[0]) => Weight::Same(by[0]),
                other => other,
            };
            let sum = match &weight {
                Weight::Same(w) => w * n,
                Weight::ByCode(by) => by.iter().zip(&counts).map(|(w, c)| w * *c as f64).sum(),
            };
            plain.push(if self.metric == Metric::Nue {
                // −Σ c(v) log2(c(v)/c(x)), the same as Σ c(x) log2 c(x) − Σ c(v) log2 c(v).
                let x = |counts: &[u64]| counts.iter().map(|c| xlog2(*c as f64)).sum::<f64>();
                (x(&counts) - x(leaf_counts)).max(0.0)
            } else if scale > 0.0 {
                ((sum - base) / scale).max(0.0)
            } else {
                0.0
            });
            weights.push(weight);
            sums.push(sum);
        }
        self.weights.push(weights);
        self.sums.push(sums);
        self.full.push(full);
        self.base.push(base);
        self.scale.push(scale);
        self.plain.push(plain);
    }

    /// The metric.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// Loss of a column at a level when nothing is suppressed.
    pub fn plain(&self, column: usize, level: usize) -> f64 {
        self.plain[column][level]
    }

    /// A bound on the score of a node before its classes are known; `base` is that of coarser knowledge for the metrics that
    /// have no numbers a column.
    pub fn lower(&self, node: &[u8], base: f64) -> f64 {
        if !self.metric.is_separable() {
            return base;
        }
        self.combine((0..node.len()).map(|a| self.plain[a][node[a] as usize]))
    }

    /// One score from the columns' losses.
    pub(super) fn combine(&self, losses: impl Iterator<Item = f64>) -> f64 {
        let columns = self.plain.len() as f64;
        match self.metric {
            Metric::Height | Metric::Nue => losses.sum(),
            Metric::LossGm => losses.map(|l| l + 1.0).product::<f64>().powf(1.0 / columns) - 1.0,
            _ => losses.sum::<f64>() / columns,
        }
    }

    /// The bound with a penalty.
    pub fn bound(&self, lower: f64, penalty: f64) -> f64 {
        if penalty == f64::INFINITY {
            return f64::INFINITY;
        }
        match self.metric {
            Metric::LossGm => (1.0 + lower) * (1.0 + penalty) - 1.0,
            Metric::Aecs => self.rows / (lower - penalty).max(1.0),
            _ => lower + penalty,
        }
    }

    /// Whether a bound shows that a score cannot be as good as another, rounding errors forgiven.
    pub fn beyond(bound: f64, best: f64) -> bool {
        bound > best + 1e-11 * best.abs().max(1e-3)
    }
}

pub(super) fn xlog2(x: f64) -> f64 {
    if x > 0.0 { x * x.log2() } else { 0.0 }
}
