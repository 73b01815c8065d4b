//! Values exchanged by chance so that their frequencies are expected to stay (invariant PRAM).

use rand::{CryptoRng, RngExt as _};

/// Chances that a value becomes another: αI + (1−α)·1tᵀ for frequencies t. tᵀ times it is tᵀ; a value becomes others in proportion to
/// their frequencies; α is such that the rarest value stays itself with the chance asked for, and every other with a greater one. (One
/// chance for all values cannot keep unequal frequencies of two.)
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Row: what a value is; column: what it becomes. Rows sum up to 1.
    pub chances: Vec<Vec<f64>>,
}

impl Exchange {
    /// From the records of each value, none of them 0, and the least chance to stay.
    pub fn new(counts: &[u64], stay: f64) -> Self {
        let n = counts.iter().sum::<u64>().max(1) as f64;
        let share: Vec<f64> = counts.iter().map(|c| *c as f64 / n).collect();
        let rarest = share.iter().copied().fold(1.0, f64::min);
        if rarest >= 1.0 {
            return Self { chances: vec![vec![1.0]; counts.len()] };
        }
        let alpha = (stay - rarest) / (1.0 - rarest);
        let row = |of: usize| {
            let others = share.iter().map(|t| (1.0 - alpha) * t);
            others.enumerate().map(|(to, chance)| if to == of { chance + alpha } else { chance }).collect()
        };
        Self { chances: (0..counts.len()).map(row).collect() }
    }

    /// What a value becomes this time.
    pub fn draw<R: CryptoRng>(&self, value: usize, rng: &mut R) -> usize {
        let mut left: f64 = rng.random();
        for (to, chance) in self.chances[value].iter().enumerate() {
            if left < *chance {
                return to;
            }
            left -= chance;
        }
        // What rounding left over.
        value
    }
}
