use rand::CryptoRng;

use super::bernoulli::below;
use super::question::Counted;
use super::{Contributions, Question};

/// What was counted, before any noise. Prints and serializes nothing, and only [`super::release`] and tests look into it.
pub struct TrueCounts {
    pub(super) values: Vec<Vec<String>>,
    pub(super) cells: Vec<(Box<[u32]>, u64)>,
}

impl TrueCounts {
    /// Cells with their values and true counts: for tests of what one person can change, never for an output.
    pub fn look(&self) -> Vec<(Vec<&str>, u64)> {
        let words = |key: &[u32]| key.iter().zip(&self.values).map(|(code, v)| v[*code as usize].as_str()).collect();
        self.cells.iter().map(|(key, count)| (words(key), *count)).collect()
    }
}

impl Contributions {
    /// Counts each person in at most C cells, chosen for that person alone and each as likely, and with at most M rows in each.
    ///
    /// What a person adds depends on nobody else, so without the person all other contributions are as they were.
    pub fn bounded(mut self, question: &Question, rng: &mut (impl CryptoRng + ?Sized)) -> TrueCounts {
        let mut counts = vec![0u64; self.cells.len()];
        self.rows.sort_unstable();
        let most = question.most_cells as usize;
        for of_person in self.rows.chunk_by(|a, b| a.0 == b.0) {
            let mut cells: Vec<(u32, u64)> =
                of_person.chunk_by(|a, b| a.1 == b.1).map(|same| (same[0].1, same.len() as u64)).collect();
            if cells.len() > most {
                // The first C places of a random order (Fisher-Yates).
                for at in 0..most {
                    let other = at + below(rng, (cells.len() - at) as u128) as usize;
                    cells.swap(at, other);
                }
                cells.truncate(most);
            }
            for (cell, rows) in cells {
                counts[cell as usize] += match question.count {
                    Counted::Persons => 1,
                    Counted::Rows => rows.min(question.most_rows.into()),
                };
            }
        }
        let mut cells: Vec<(Box<[u32]>, u64)> = self.cells.into_iter().zip(counts).collect();
        if !question.is_closed() {
            // A cell that nobody counts in is here by persons that were counted elsewhere; with noise it could show all the same, and
            // one person can bring many more of them than C.
            cells.retain(|(_, count)| *count > 0);
        }
        TrueCounts { values: self.values, cells }
    }
}
