//! Classes of people who look alike, and what is done for those whose class is too small.
//!
//! A person's key is, for every table with quasi-identifiers, the person's rows in those columns as they leave, each as often as
//! it is there: values of one row are known together. An emptied cell equals an emptied cell only. A person's class is everybody with the same key. People in classes of fewer than k go one step of
//! the profile's coarsening further, and are counted again, with everybody, by what would leave; who is left after the last
//! step is left out of the data set.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

/// The quasi-identifiers of one person in one table: the rows that leave, in order, each as texts (`None` emptied).
pub type Cell = Vec<Vec<Option<String>>>;

/// Gives equal keys equal numbers, over all steps.
#[derive(Default)]
pub struct Keys {
    cells: HashMap<(usize, Cell), u32>,
    keys: HashMap<Vec<u32>, u32>,
}

impl Keys {
    /// Numbers the keys of all persons at one step: `columns[t][p]` is person `p` in table `t`.
    pub fn number(&mut self, columns: Vec<Vec<Cell>>, persons: usize) -> Vec<u32> {
        let mut tuples = vec![Vec::with_capacity(columns.len()); persons];
        for (q, column) in columns.into_iter().enumerate() {
            for (tuple, cell) in tuples.iter_mut().zip(column) {
                let next = self.cells.len() as u32;
                tuple.push(*self.cells.entry((q, cell)).or_insert(next));
            }
        }
        tuples
            .into_iter()
            .map(|tuple| {
                let next = self.keys.len() as u32;
                *self.keys.entry(tuple).or_insert(next)
            })
            .collect()
    }
}

/// What is to be done for each person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Steps of coarsening; `None`: left out.
    pub steps: Vec<Option<usize>>,
}

/// Decides, given every person's key at every step (`keys[step][person]`, from step 0, nothing coarsened). Keys are of
/// what leaves, so equal keys of different steps are one class.
pub fn decide(keys: &[Vec<u32>], k: u32) -> Decision {
    let persons = keys.first().map_or(0, Vec::len);
    let mut steps: Vec<Option<usize>> = vec![None; persons];
    // Persons who are settled, by the key that leaves for them.
    let mut settled: HashMap<u32, u32> = HashMap::new();
    for (step, keys) in keys.iter().enumerate() {
        let open: Vec<usize> = (0..persons).filter(|p| steps[*p].is_none()).collect();
        let mut sizes: HashMap<u32, u32> = HashMap::new();
        for person in &open {
            *sizes.entry(keys[*person]).or_default() += 1;
        }
        for person in open {
            let key = keys[person];
            if sizes[&key] + settled.get(&key).copied().unwrap_or(0) >= k {
                steps[person] = Some(step);
            }
        }
        for (key, size) in sizes {
            let all = settled.entry(key).or_default();
            if size + *all >= k {
                *all += size;
            }
        }
    }
    Decision { steps }
}

/// Classes by their size, for the report's picture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// Persons.
    pub persons: u64,
    /// Classes.
    pub classes: u64,
    /// Persons of the smallest class.
    pub smallest: u64,
    /// Persons of the class in the middle of all persons: half of them are in classes at least as large.
    pub median: u64,
    /// Size range → classes and persons in them.
    pub buckets: Vec<Bucket>,
}

/// Classes of similar size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Smallest size counted here.
    pub from: u64,
    /// Largest size counted here; none for the last.
    pub to: Option<u64>,
    /// Classes.
    pub classes: u64,
    /// Persons in them.
    pub persons: u64,
}

const BUCKETS: &[(u64, Option<u64>)] = &[
    (1, Some(1)),
    (2, Some(2)),
    (3, Some(4)),
    (5, Some(9)),
    (10, Some(19)),
    (20, Some(49)),
    (50, Some(99)),
    (100, Some(999)),
    (1_000, None),
];

/// Counts classes by size; `keys` are the class of each person who stays.
pub fn histogram(keys: impl Iterator<Item = u32>) -> Histogram {
    let mut sizes: BTreeMap<u32, u64> = BTreeMap::new();
    for key in keys {
        *sizes.entry(key).or_default() += 1;
    }
    let mut sorted: Vec<u64> = sizes.into_values().collect();
    sorted.sort_unstable();
    let persons: u64 = sorted.iter().sum();
    let mut seen = 0;
    let median = sorted
        .iter()
        .find(|size| {
            seen += **size;
            seen * 2 >= persons
        })
        .copied()
        .unwrap_or(0);
    let buckets = BUCKETS
        .iter()
        .map(|(from, to)| {
            let inside = sorted.iter().filter(|s| **s >= *from && to.is_none_or(|t| **s <= t));
            let (classes, persons) = inside.fold((0, 0), |(c, p), size| (c + 1, p + size));
            Bucket { from: *from, to: *to, classes, persons }
        })
        .collect();
    Histogram { persons, classes: sorted.len() as u64, smallest: sorted.first().copied().unwrap_or(0), median, buckets }
}
