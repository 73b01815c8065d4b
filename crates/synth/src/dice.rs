use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The only source of chance here. Each household, provider and record has its own stream, so that the bytes of one do
/// not depend on the order in which threads make the others.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream `path` of a seed.
    pub fn of(seed: u64, path: [u64; 3]) -> Self {
        let mut key = [0_u8; 32];
        for (slot, number) in key.chunks_exact_mut(8).zip([seed, path[0], path[1], path[2]]) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Evenly in 0 ≤ x < 1.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Evenly in 0 ≤ x < n; 0 when `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// Evenly in lo ≤ x ≤ hi; `lo` when the range is empty.
    pub fn between(&mut self, lo: i32, hi: i32) -> i32 {
        if hi <= lo { lo } else { lo + self.below((hi - lo + 1) as u32) as i32 }
    }

    /// One of a table that has entries.
    pub fn pick<'a, T>(&mut self, table: &'a [T]) -> &'a T {
        &table[self.below(table.len() as u32) as usize]
    }

    /// The place of an entry, drawn by its weight.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let total: f64 = weights.clone().sum();
        let mut left = self.unit() * total;
        let mut last = 0;
        for (i, weight) in weights.enumerate() {
            if weight > 0.0 {
                last = i;
                left -= weight;
                if left < 0.0 {
                    break;
                }
            }
        }
        last
    }

    /// Bell-shaped around 0 with deviation 1, from four even draws: no library function whose last bit differs by machine.
    pub fn bell(&mut self) -> f64 {
        let sum: f64 = (0..4).map(|_| self.unit()).sum();
        (sum - 2.0) * 1.732_050_807_568_877_2
    }

    /// Random bytes.
    pub fn bytes(&mut self, into: &mut [u8]) {
        self.0.fill_bytes(into);
    }
}
