//! New ids: dense, in random order, so that neither value nor order says anything.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use rand::seq::SliceRandom;
use rand::{CryptoRng, RngExt as _};

/// `from..from + n` in random order.
pub fn shuffled<R: CryptoRng>(from: i64, n: usize, rng: &mut R) -> Vec<i64> {
    let mut ids: Vec<i64> = (from..).take(n).collect();
    ids.shuffle(rng);
    ids
}

/// New ids of persons. Those that `given` names keep theirs; the rest come after the highest of them.
pub fn of_persons<R: CryptoRng>(persons: &[i64], given: &BTreeMap<i64, i64>, rng: &mut R) -> BTreeMap<i64, i64> {
    let fresh: Vec<i64> = persons.iter().copied().filter(|p| !given.contains_key(p)).collect();
    let from = given.values().copied().max().unwrap_or(0).saturating_add(1);
    let ids = shuffled(from, fresh.len(), rng);
    let mut map: BTreeMap<i64, i64> = given.clone();
    map.extend(fresh.into_iter().zip(ids));
    map
}

/// Smallest and largest id of a person in a provision: fifteen digits, which spreadsheets and floating point keep as they are.
const PROVISION: std::ops::Range<i64> = 100_000_000_000_000..1_000_000_000_000_000;

/// Random ids that say nothing and that two provisions do not share: who holds both could join them. That two of a million persons
/// each have one in common has a chance of one in a thousand, and then it is two strangers'.
pub fn of_a_provision<R: CryptoRng>(persons: &[i64], rng: &mut R) -> BTreeMap<i64, i64> {
    let mut taken = std::collections::HashSet::with_capacity(persons.len());
    let mut fresh = || loop {
        let id = rng.random_range(PROVISION);
        if taken.insert(id) {
            return id;
        }
    };
    persons.iter().map(|person| (*person, fresh())).collect()
}

/// New ids of a table's rows, by person and old id.
#[derive(Default)]
pub struct RowIds(HashMap<(u32, i64), i64>);

impl RowIds {
    /// Numbers the rows of a table's id column.
    pub fn new<R: CryptoRng>(ids: &Int64Array, persons: &[u32], rng: &mut R) -> Self {
        let mut keys: Vec<(u32, i64)> = persons.iter().zip(ids.iter()).filter_map(|(p, id)| Some((*p, id?))).collect();
        keys.sort_unstable();
        keys.dedup();
        let new = shuffled(1, keys.len(), rng);
        Self(keys.into_iter().zip(new).collect())
    }

    /// A column of ids or references, renumbered. References to rows that are not there are empty, or 0 where the model
    /// wants a value.
    pub fn replace(&self, ids: &Int64Array, persons: &[u32], nullable: bool) -> ArrayRef {
        let missing = if nullable { None } else { Some(0) };
        let new: Int64Array = ids
            .iter()
            .zip(persons)
            .map(|(id, person)| id.and_then(|id| self.0.get(&(*person, id)).copied()).or(missing))
            .collect();
        Arc::new(new)
    }
}
