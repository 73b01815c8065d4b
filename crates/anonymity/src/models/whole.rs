use super::{Models, Whole};
use crate::risk::population::{Population, Sizes};

/// What whole-table models leave of the classes that each hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// How many of the smallest classes go.
    pub classes: usize,
    /// Their records.
    pub records: u64,
}

/// Suppresses the smallest classes, those that come first in the table first among equals, until every whole-table model
/// holds. `order` are indices into `sizes`, smallest class first. No class left is no risk left.
///
/// The number is found by halving, as if it could only help to suppress more; that is so for average risk and sample
/// uniques, and nearly so for the estimate of population uniques: there fewer might do, and a search claims no proof.
pub fn enforce(models: &Models, order: &[u32], sizes: &[u32], population: Option<Population>) -> Kept {
    let mut prefix = Vec::with_capacity(order.len() + 1);
    prefix.push(0u64);
    for at in order {
        prefix.push(prefix[prefix.len() - 1] + u64::from(sizes[*at as usize]));
    }
    let released = prefix[order.len()];
    let uniques = order.iter().take_while(|at| sizes[**at as usize] == 1).count();
    let holds = |gone: usize| {
        let (classes, records) = ((order.len() - gone) as f64, (released - prefix[gone]) as f64);
        classes == 0.0
            || models.whole.iter().all(|model| match model {
                Whole::AverageRisk { most } => classes / records <= most + super::judge::SLACK,
                Whole::SampleUniques { most } => uniques.saturating_sub(gone) as f64 / records <= most + super::judge::SLACK,
                Whole::PopulationUniques { most } => {
                    let rest = Sizes::of(order[gone..].iter().map(|at| sizes[*at as usize]));
                    population.is_none_or(|p| crate::risk::population::share_holds(&rest, p, *most))
                }
            })
    };
    if holds(0) {
        return Kept { classes: 0, records: 0 };
    }
    let (mut low, mut high, mut found) = (1, order.len(), order.len());
    while low <= high && high > 0 {
        let middle = usize::midpoint(low, high);
        if holds(middle) {
            found = middle;
            high = middle - 1;
        } else {
            low = middle + 1;
        }
    }
    Kept { classes: found, records: prefix[found] }
}
