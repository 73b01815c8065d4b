//! What a release loses, as a number: smaller is better.
//!
//! Every metric gives three things: the score of a node, a bound on the score that holds before its classes are known, and a
//! penalty that the records which must be suppressed add to the score of every node below (section 7 of the definitions;
//! the README has the formulas).

mod costs;
mod score;

pub use costs::{Costs, Weight};
pub use score::{Gone, Released};

use crate::table::TableError;

/// The metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Arithmetic mean of the columns' losses.
    Loss,
    /// Geometric mean of the columns' losses.
    LossGm,
    /// Normalised certainty penalty.
    Ncp,
    /// Share of the way up the hierarchies (Sweeney's precision, turned round).
    Prec,
    /// Sum of the levels.
    Height,
    /// Non-uniform entropy, the suppressed records by themselves.
    Nue,
    /// Discernibility: f² a class, n a suppressed record.
    Dm,
    /// Discernibility with the suppressed records as one class.
    DmStar,
    /// Average class size: n / (classes + 1 if any record is suppressed).
    Aecs,
    /// Records times the combinations of values that they could have had.
    Ambiguity,
    /// Kullback–Leibler divergence of the released from the original distribution, in nats.
    Kl,
}

/// Name → metric.
pub const METRICS: &[(&str, Metric)] = &[
    ("loss", Metric::Loss),
    ("lossgm", Metric::LossGm),
    ("ncp", Metric::Ncp),
    ("prec", Metric::Prec),
    ("height", Metric::Height),
    ("nue", Metric::Nue),
    ("dm", Metric::Dm),
    ("dmstar", Metric::DmStar),
    ("aecs", Metric::Aecs),
    ("ambiguity", Metric::Ambiguity),
    ("kl", Metric::Kl),
];

impl Metric {
    /// From its name.
    ///
    /// # Errors
    /// A name that is none.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let found = METRICS.iter().find(|(name, _)| *name == text).map(|(_, metric)| *metric);
        found.ok_or_else(|| {
            let known: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
            TableError::MetricUnknown { text: text.to_owned(), known: known.join(", ") }
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        METRICS.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| name)
    }

    /// Whether the part without suppression is made of a number a column and level.
    pub fn is_separable(self) -> bool {
        !matches!(self, Metric::Dm | Metric::DmStar | Metric::Aecs | Metric::Ambiguity | Metric::Kl)
    }
}
