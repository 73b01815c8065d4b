use crate::table::{Field, Hierarchy, Remap};

/// A quasi-identifier: its place in the key, and how codes of a level become codes of a coarser one.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// The column's name.
    pub name: String,
    /// Where its code stands.
    pub field: Field,
    /// By level and code: lines of the hierarchy below.
    pub leaves: Vec<Vec<u32>>,
    /// By level: leaf → code.
    of_leaf: Vec<Vec<u32>>,
    /// By level from and to: code → code; none where the coarser level has one value.
    steps: Vec<Vec<Option<Vec<u32>>>>,
    /// By level and code: least and greatest number below, where all leaves are numbers.
    ranges: Option<Vec<Vec<(f64, f64)>>>,
}

impl Attribute {
    /// From a hierarchy, for a field.
    pub fn new(hierarchy: &Hierarchy, field: Field) -> Self {
        let of_leaf: Vec<Vec<u32>> = hierarchy.levels.iter().map(|l| l.of_leaf.clone()).collect();
        let values = |level: usize| hierarchy.levels[level].values.len();
        let steps = (0..of_leaf.len())
            .map(|from| {
                (0..of_leaf.len())
                    .map(|to| {
                        if to <= from || values(to) == 1 {
                            return None;
                        }
                        let mut codes = vec![0; values(from)];
                        for (below, above) in of_leaf[from].iter().zip(&of_leaf[to]) {
                            codes[*below as usize] = *above;
                        }
                        Some(codes)
                    })
                    .collect()
            })
            .collect();
        let numbers: Option<Vec<f64>> = hierarchy.levels[0].values.iter().map(|v| v.trim().parse::<f64>().ok()).collect();
        let ranges = numbers.filter(|n| n.iter().all(|x| x.is_finite())).map(|numbers| {
            let of = |level: &Vec<u32>, values: usize| {
                let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); values];
                for (code, x) in level.iter().zip(&numbers) {
                    let range = &mut ranges[*code as usize];
                    *range = (range.0.min(*x), range.1.max(*x));
                }
                ranges
            };
            of_leaf.iter().enumerate().map(|(l, level)| of(level, values(l))).collect()
        });
        let leaves = hierarchy.levels.iter().map(|l| l.leaves.clone()).collect();
        Self { name: hierarchy.column.clone(), field, leaves, of_leaf, steps, ranges }
    }

    /// Number of levels.
    pub fn levels(&self) -> usize {
        self.leaves.len()
    }

    /// Number of values at a level.
    pub fn values(&self, level: usize) -> usize {
        self.leaves[level].len()
    }

    /// Lines of the hierarchy.
    pub fn rows(&self) -> u32 {
        self.of_leaf[0].len() as u32
    }

    /// How a key at one level comes to another.
    pub fn remap(&self, from: u8, to: u8) -> Remap<'_> {
        Remap { field: self.field, codes: self.steps[from as usize][to as usize].as_deref() }
    }

    /// Records of each value at a level, from those of each leaf.
    pub fn counts_at(&self, level: usize, leaf_counts: &[u64]) -> Vec<u64> {
        let mut counts = vec![0; self.values(level)];
        for (code, count) in self.of_leaf[level].iter().zip(leaf_counts) {
            counts[*code as usize] += count;
        }
        counts
    }

    /// The normalised certainty penalty of each value at a level: a leaf loses nothing; numbers lose their range's share,
    /// words their leaves' share.
    pub fn ncp(&self, level: usize) -> Vec<f64> {
        let one = |(code, leaves): (usize, &u32)| {
            if *leaves == 1 {
                return 0.0;
            }
            match &self.ranges {
                Some(ranges) => {
                    let all = ranges[0].iter().fold((f64::INFINITY, f64::NEG_INFINITY), |a, r| (a.0.min(r.0), a.1.max(r.1)));
                    let (low, high) = ranges[level][code];
                    if all.1 > all.0 { (high - low) / (all.1 - all.0) } else { 0.0 }
                }
                None => f64::from(*leaves) / f64::from(self.rows()),
            }
        };
        self.leaves[level].iter().enumerate().map(one).collect()
    }
}
