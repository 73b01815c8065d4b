//! k-map without a population table: how small a sample class may be.

use super::population::Population;
use crate::models::Estimator;

/// The largest k that is computed for: a sum of so many terms for each sample class size that is tried.
pub const MOST_K: u64 = 1_000_000;

/// The smallest sample class size f at which P(F < k | f) ≤ alpha.
///
/// F − f follows a Poisson distribution with mean f(1−π)/π, or the same without zero (section 2.1). A larger class has a larger
/// mean and needs fewer others, so the probability only falls, and the size is found by halving.
pub fn smallest_class(k: u64, alpha: f64, by: Estimator, population: Population) -> u64 {
    let share = population.fraction();
    let (mut low, mut high) = (1, k.max(1));
    while low < high {
        let middle = low + (high - low) / 2;
        if below(k, middle, share, by) <= alpha {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// P(F < k | f).
pub fn below(k: u64, f: u64, share: f64, by: Estimator) -> f64 {
    if f >= k {
        return 0.0;
    }
    let mean = f as f64 * (1.0 - share) / share;
    if mean <= 0.0 {
        // The table is the population: nobody else is there.
        return 1.0;
    }
    // In logarithms: e^−mean alone is 0 in floating point above 745, and everything would seem sure.
    let mut term = -mean;
    let mut sum = LogSum::default();
    // F − f from 0 to k − f − 1.
    for more in 0..k - f {
        if more > 0 {
            term += (mean / more as f64).ln();
            sum.add(term);
        } else if by == Estimator::Poisson {
            sum.add(term);
        }
    }
    match by {
        Estimator::Poisson => sum.value().min(1.0),
        Estimator::ZeroTruncated => (sum.value() / -(-mean).exp_m1()).min(1.0),
    }
}

/// A sum of numbers that are known by their logarithms.
#[derive(Default)]
struct LogSum {
    /// The largest logarithm so far, and the sum in parts of it.
    largest: Option<f64>,
    sum: f64,
}

impl LogSum {
    fn add(&mut self, log: f64) {
        match self.largest {
            Some(largest) if log <= largest => self.sum += (log - largest).exp(),
            largest => {
                self.sum = 1.0 + largest.map_or(0.0, |l| self.sum * (l - log).exp());
                self.largest = Some(log);
            }
        }
    }

    fn value(&self) -> f64 {
        self.largest.map_or(0.0, |l| self.sum * l.exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_population_is_not_taken_for_a_sure_one() {
        // Mean 999 a sample unique: a population class of 2,000 is all but impossible.
        let population = Population { size: 1_000_000.0, sample: 1_000.0 };
        assert!(below(2_000, 1, population.fraction(), Estimator::Poisson) > 0.999_999);
        for by in [Estimator::Poisson, Estimator::ZeroTruncated] {
            let f = smallest_class(2_000, 0.01, by, population);
            assert!((2..=3).contains(&f), "{f}");
            assert!(below(2_000, f, population.fraction(), by) <= 0.01 && below(2_000, f - 1, population.fraction(), by) > 0.01);
        }
    }

    #[test]
    fn halving_finds_what_going_through_all_sizes_finds() {
        for by in [Estimator::Poisson, Estimator::ZeroTruncated] {
            for share in [0.001, 0.01, 0.1, 0.5, 0.9, 1.0] {
                for k in [1, 2, 5, 40, 300] {
                    let population = Population { size: 1_000.0, sample: 1_000.0 * share };
                    let naive = (1..k).find(|f| below(k, *f, population.fraction(), by) <= 0.05).unwrap_or(k);
                    assert_eq!(smallest_class(k, 0.05, by, population), naive, "{share} {k}");
                }
            }
        }
    }

    #[test]
    fn small_means_agree_with_the_plain_sum() {
        for (k, f, share) in [(5u64, 1u64, 0.5), (10, 3, 0.3), (4, 2, 0.9)] {
            let mean = f as f64 * (1.0 - share) / share;
            let mut term = (-mean).exp();
            let mut sum = term;
            for more in 1..k - f {
                term *= mean / more as f64;
                sum += term;
            }
            assert!((below(k, f, share, Estimator::Poisson) - sum).abs() < 1e-12);
            let truncated = (sum - (-mean).exp()) / (1.0 - (-mean).exp());
            assert!((below(k, f, share, Estimator::ZeroTruncated) - truncated).abs() < 1e-12);
        }
    }
}
