//! k-map without a population table: how small a sample class may be.

use super::population::Population;
use crate::models::Estimator;

/// The smallest sample class size f at which P(F < k | f) ≤ alpha.
///
/// F − f follows a Poisson distribution with mean f(1−π)/π, or the same without zero (section 2.1).
pub fn smallest_class(k: u64, alpha: f64, by: Estimator, population: Population) -> u64 {
    let share = population.fraction();
    (1..k).find(|f| below(k, *f, share, by) <= alpha).unwrap_or(k)
}

/// P(F < k | f).
pub fn below(k: u64, f: u64, share: f64, by: Estimator) -> f64 {
    if f >= k {
        return 0.0;
    }
    let mean = f as f64 * (1.0 - share) / share;
    let mut term = (-mean).exp();
    let zero = term;
    let mut sum = 0.0;
    // F − f from 0 to k − f − 1.
    for more in 0..k - f {
        if more > 0 {
            term *= mean / more as f64;
            sum += term;
        } else if by == Estimator::Poisson {
            sum += term;
        }
    }
    match by {
        Estimator::Poisson => sum.min(1.0),
        Estimator::ZeroTruncated if zero < 1.0 => (sum / (1.0 - zero)).min(1.0),
        Estimator::ZeroTruncated => 1.0,
    }
}
