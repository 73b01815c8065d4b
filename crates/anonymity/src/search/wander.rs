//! From a good node to a better one, where nothing can go through the lattice: jumps, a way up from where they end, then steps.

use super::climb::{Climber, Way};
use crate::table::Key;

/// Jumps where no time is given.
const JUMPS: u32 = 40;
/// Columns that a jump moves at most.
const WIDEST: u32 = 6;

/// Numbers without a pattern, the same every time: where a search goes is nobody's secret (Steele et al. 2014, SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

impl<K: Key> Climber<'_, K> {
    /// Jumps from the best node until time is up, wider the longer nothing better was found.
    pub fn wander(&mut self) {
        let mut dice = Dice(1);
        let mut vain = 0;
        for jump in 0u32.. {
            if self.late() || (!self.is_timed() && jump >= JUMPS) {
                return;
            }
            let Some(best) = self.best.clone() else { return };
            let mut node = best.node.clone();
            let moved = 1 + dice.roll(u64::from((2 + vain / 4).min(WIDEST)));
            for _ in 0..moved {
                let column = dice.roll(node.len() as u64) as usize;
                node[column] = dice.roll(u64::from(self.dims()[column])) as u8;
            }
            if let Some((_, start)) = self.go_up(Way::MostPerLoss, node) {
                self.around(start);
            }
            let better = self.best.as_ref().is_some_and(|b| b.check.score < best.check.score);
            vain = if better { 0 } else { vain + 1 };
        }
    }
}
