use super::costs::xlog2;
use super::{Costs, Metric, Weight};
use crate::search::Attribute;
use crate::table::{Groups, Key};

/// A suppressed class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// Its index among the classes.
    pub index: u32,
    /// Records of it that are suppressed at least at every node below.
    pub below: u32,
}

/// What a node releases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Released {
    /// Classes.
    pub classes: u64,
    /// Records suppressed.
    pub suppressed: u64,
}

impl Costs {
    /// Score of a node and the penalty for every node below it.
    pub fn score<K: Key>(
        &self,
        node: &[u8],
        attributes: &[Attribute],
        classes: &Groups<K>,
        gone: &[Gone],
        released: Released,
    ) -> (f64, f64) {
        match self.metric {
            Metric::Loss | Metric::LossGm | Metric::Ncp | Metric::Prec | Metric::Height => {
                self.additive(node, attributes, classes, gone, released)
            }
            Metric::Nue => self.entropy(node, attributes, classes, gone, released),
            _ => self.by_class(node, attributes, classes, gone, released),
        }
    }

    fn additive<K: Key>(
        &self,
        node: &[u8],
        attributes: &[Attribute],
        classes: &Groups<K>,
        gone: &[Gone],
        released: Released,
    ) -> (f64, f64) {
        let suppressed = released.suppressed as f64;
        let below: f64 = gone.iter().map(|g| f64::from(g.below)).sum();
        let geometric = self.metric == Metric::LossGm;
        let mut penalty = if geometric { 1.0 } else { 0.0 };
        let score = self.combine(node.iter().enumerate().map(|(a, level)| {
            let (level, full) = (*level as usize, self.full[a]);
            let (lost, kept_below) = match &self.weights[a][level] {
                // Height knows no suppression: a level is one whoever is left out.
                _ if self.metric == Metric::Height => (0.0, 0.0),
                Weight::Same(w) => (w * suppressed, w * below),
                Weight::ByCode(by) => {
                    let field = attributes[a].field;
                    let (mut lost, mut kept) = (0.0, 0.0);
                    for g in gone {
                        let at = g.index as usize;
                        let w = by[classes.keys[at].get(field) as usize];
                        lost += f64::from(classes.counts[at]) * w;
                        kept += f64::from(g.below) * w;
                    }
                    (lost, kept)
                }
            };
            if self.scale[a] <= 0.0 {
                return 0.0;
            }
            let more = ((full * below - kept_below) / self.scale[a]).max(0.0);
            // With losses of at most 1, (1 + c + p) ≥ (1 + c)(1 + p/2).
            if geometric {
                penalty *= 1.0 + more / 2.0
            } else {
                penalty += more
            }
            ((self.sums[a][level] - lost + full * suppressed - self.base[a]) / self.scale[a]).max(0.0)
        }));
        let columns = node.len() as f64;
        let penalty = match self.metric {
            // Height knows no suppression.
            Metric::Height => 0.0,
            Metric::LossGm => penalty.powf(1.0 / columns) - 1.0,
            _ => penalty / columns,
        };
        (score, penalty)
    }

    /// All records by their generalised values, plus the suppressed records' values among themselves.
    fn entropy<K: Key>(
        &self,
        node: &[u8],
        attributes: &[Attribute],
        classes: &Groups<K>,
        gone: &[Gone],
        released: Released,
    ) -> (f64, f64) {
        let mut penalty = 0.0;
        let mut counts: Vec<(u64, u64)> = Vec::new();
        // The suppressed set only grows and splits below; what fails in whole there is what counts.
        let sure: u64 = gone.iter().filter(|g| g.below == classes.counts[g.index as usize]).map(|g| u64::from(g.below)).sum();
        let score = self.combine(node.iter().enumerate().map(|(a, level)| {
            let level = *level as usize;
            counts.clear();
            counts.resize(attributes[a].values(level), (0, 0));
            for g in gone {
                let at = g.index as usize;
                let cell = &mut counts[classes.keys[at].get(attributes[a].field) as usize];
                cell.0 += u64::from(classes.counts[at]);
                if g.below == classes.counts[at] {
                    cell.1 += u64::from(g.below);
                }
            }
            let (all, certain) = counts.iter().fold((0.0, 0.0), |(x, y), (c, d)| (x + xlog2(*c as f64), y + xlog2(*d as f64)));
            penalty += (xlog2(sure as f64) - certain).max(0.0);
            self.plain[a][level] + (xlog2(released.suppressed as f64) - all).max(0.0)
        }));
        (score, penalty)
    }

    /// What the metric is when nothing is suppressed: for those without numbers a column, a bound for every node above.
    pub fn unsuppressed<K: Key>(&self, node: &[u8], attributes: &[Attribute], classes: &Groups<K>) -> f64 {
        match self.metric {
            Metric::Dm | Metric::DmStar => classes.counts.iter().map(|c| f64::from(*c) * f64::from(*c)).sum(),
            Metric::Aecs => classes.counts.iter().filter(|c| **c > 0).count() as f64,
            Metric::Ambiguity => {
                let each = |(key, count): (&K, &u32)| f64::from(*count) * self.box_size(node, attributes, *key);
                classes.keys.iter().zip(&classes.counts).map(each).sum()
            }
            Metric::Kl => {
                let each = |(key, count): (&K, &u32)| self.mass(f64::from(*count), self.box_size(node, attributes, *key));
                (self.original - classes.keys.iter().zip(&classes.counts).map(each).sum::<f64>()) / self.rows
            }
            _ => 0.0,
        }
    }

    fn by_class<K: Key>(
        &self,
        node: &[u8],
        attributes: &[Attribute],
        classes: &Groups<K>,
        gone: &[Gone],
        released: Released,
    ) -> (f64, f64) {
        let n = self.rows;
        let plain = self.unsuppressed(node, attributes, classes);
        let suppressed = released.suppressed as f64;
        let each = |g: &Gone| (f64::from(classes.counts[g.index as usize]), f64::from(g.below));
        match self.metric {
            Metric::Dm => gone.iter().map(each).fold((plain, 0.0), |(s, p), (f, b)| (s - f * f + n * f, p + b * (n - f))),
            Metric::DmStar => {
                let (squares, sure, sure_squares) = gone.iter().map(each).fold((0.0, 0.0, 0.0), |(s, w, q), (f, b)| {
                    let whole = if b == f { f } else { 0.0 };
                    (s + f * f, w + whole, q + whole * whole)
                });
                (plain - squares + suppressed * suppressed, sure * sure - sure_squares)
            }
            Metric::Aecs => {
                let any = if released.suppressed > 0 { 1.0 } else { 0.0 };
                let whole = gone.iter().map(each).filter(|(f, b)| f == b && *f > 0.0).count() as f64;
                (n / (released.classes as f64 + any).max(1.0), (whole - 1.0).max(0.0))
            }
            Metric::Ambiguity => gone.iter().fold((plain, 0.0), |(s, p), g| {
                let more = self.all_leaves - self.box_size(node, attributes, classes.keys[g.index as usize]);
                (s + f64::from(classes.counts[g.index as usize]) * more, p + f64::from(g.below) * more)
            }),
            _ => {
                // The suppressed records are one class whose box is everything.
                let own = |g: &Gone| {
                    let at = g.index as usize;
                    self.mass(f64::from(classes.counts[at]), self.box_size(node, attributes, classes.keys[at]))
                };
                let moved: f64 = gone.iter().map(own).sum::<f64>() - self.mass(suppressed, self.all_leaves);
                (plain + moved / n, 0.0)
            }
        }
    }

    /// Combinations of leaves below a class.
    fn box_size<K: Key>(&self, node: &[u8], attributes: &[Attribute], key: K) -> f64 {
        let each = |a: usize| self.leaves[a][node[a] as usize][key.get(attributes[a].field) as usize];
        (0..node.len()).map(each).product()
    }

    /// f ln(f/n / box): what a class contributes to the logarithm of the released distribution.
    fn mass(&self, records: f64, size: f64) -> f64 {
        if records > 0.0 { records * (records / self.rows / size).ln() } else { 0.0 }
    }
}
