//! Special uniques: the small sets of columns by which a record is alone in the sample (section 3 of the definitions, SUDA).

use std::collections::BTreeMap;

use serde::Serialize;

use super::measure::{Classes, Values};
use crate::table::TableError;

/// More columns than this do not fit a set of them.
pub const MOST_COLUMNS: usize = 128;

/// Minimal sample uniques of a table: numbers of records and of columns, nothing of a record's values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpecialUniques {
    /// m, the largest set of columns that was looked for.
    pub largest_set: usize,
    /// Records that are unique by at least one such set.
    pub records: u64,
    /// Records that are alone in their class, but by no set of that size.
    pub uniques_without: u64,
    /// Minimal sample uniques by the size of the set, from 1.
    pub minimal_uniques: Vec<u64>,
    /// Minimal sample uniques that each column is part of.
    pub columns: BTreeMap<String, u64>,
    /// The highest score of a record.
    pub score_most: f64,
    /// The mean score of the records that have one.
    pub score_average: f64,
    /// Where the sampling fraction is known: the chance that a unique match is right, c1·π / (c1·π + 2·c2·(1−π)).
    pub dis: Option<f64>,
    /// The same by record ([`dis_suda`]): the highest.
    pub dis_most: Option<f64>,
    /// The mean over the records that have a score.
    pub dis_average: Option<f64>,
    /// Share of all records whose chance is above the threshold.
    pub dis_at_risk: Option<f64>,
}

/// A row of the sample with the sets of columns by which it is alone and by no part of which it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minimal {
    /// Sets as bits, the first column lowest.
    pub sets: Vec<u128>,
}

/// Searches for sets of at most `most` columns and scores what it finds. `fraction`: π, where it is known.
///
/// # Errors
/// More columns than [`MOST_COLUMNS`].
pub fn special_uniques(
    sample: &Classes,
    names: &[String],
    most: usize,
    fraction: Option<f64>,
    threshold: f64,
) -> Result<SpecialUniques, TableError> {
    let q = names.len();
    if q > MOST_COLUMNS {
        return Err(TableError::TooManyForSets { columns: q, most: MOST_COLUMNS });
    }
    let most = most.min(q);
    let mut rows: Vec<(&Values, u64)> = sample.iter().map(|(key, f)| (key, *f)).collect();
    rows.sort_unstable();
    let counts: Vec<u64> = rows.iter().map(|(_, f)| *f).collect();
    let columns: Vec<Vec<u32>> = (0..q).map(|c| coded(rows.iter().map(|(key, _)| &*key[c]))).collect();
    let found = minimal_uniques(&columns, &counts, most);

    let mut minimal_uniques = vec![0u64; most];
    let mut by_column = vec![0u64; q];
    let mut scores = Vec::new();
    for row in found.iter().filter(|row| !row.sets.is_empty()) {
        for set in &row.sets {
            minimal_uniques[set.count_ones() as usize - 1] += 1;
            for (column, sets) in by_column.iter_mut().enumerate() {
                *sets += u64::from(set >> column & 1 == 1);
            }
        }
        scores.push(row.sets.iter().map(|set| score(set.count_ones() as usize, most, q)).sum::<f64>());
    }
    let (n, one, two) = (counts.iter().sum::<u64>(), of_size(&counts, 1), of_size(&counts, 2));
    let dis = fraction.filter(|_| one > 0).map(|pi| {
        let right = one as f64 * pi;
        right / (right + 2.0 * two as f64 * (1.0 - pi))
    });
    let chances = dis.map(|dis| dis_suda(&scores, dis));
    let mean = |values: &[f64]| if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 };
    let highest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    Ok(SpecialUniques {
        largest_set: most,
        records: scores.len() as u64,
        uniques_without: one - scores.len() as u64,
        minimal_uniques,
        columns: names.iter().cloned().zip(by_column).collect(),
        score_most: highest(&scores),
        score_average: mean(&scores),
        dis,
        dis_most: chances.as_deref().map(highest),
        dis_average: chances.as_deref().map(mean),
        dis_at_risk: chances.map(|c| c.iter().filter(|chance| **chance > threshold).count() as f64 / n.max(1) as f64),
    })
}

/// Π (q − i) for i from s to m − 1: what a minimal sample unique of s columns adds to a record's score.
pub fn score(size: usize, most: usize, columns: usize) -> f64 {
    (size..most).map(|i| (columns - i) as f64).product()
}

/// A chance for each score: odds in proportion to the scores, and 1/odds on average those of `dis`. That is the scaling of the SUDA
/// software without its exponent for the number of columns.
pub fn dis_suda(scores: &[f64], dis: f64) -> Vec<f64> {
    let inverse: f64 = scores.iter().map(|s| 1.0 / s).sum::<f64>() / scores.len().max(1) as f64;
    scores.iter().map(|s| 1.0 / (1.0 + (1.0 / dis - 1.0) / (s * inverse))).collect()
}

fn of_size(counts: &[u64], size: u64) -> u64 {
    counts.iter().filter(|f| **f == size).count() as u64
}

fn coded<'a>(cells: impl Iterator<Item = &'a [u8]>) -> Vec<u32> {
    let mut codes: BTreeMap<&[u8], u32> = BTreeMap::new();
    cells
        .map(|cell| {
            let next = codes.len() as u32;
            *codes.entry(cell).or_insert(next)
        })
        .collect()
}

/// For each distinct row its minimal sets of at most `most` columns. `columns`: codes by column and row, from 0 without gaps;
/// `counts`: records of each row.
///
/// Sets are gone through by size, so that every part of a set was looked at before it, and by first columns: rows that agree in those
/// are split by the next one. Who is alone by the first columns already drops out there, as no larger set is minimal for him, and so
/// does a class in which nobody is left to be found.
pub fn minimal_uniques(columns: &[Vec<u32>], counts: &[u64], most: usize) -> Vec<Minimal> {
    let values = columns.iter().map(|c| c.iter().max().map_or(0, |code| *code as usize + 1)).max().unwrap_or(0);
    let mut search =
        Search { columns, counts, found: vec![Minimal::default(); counts.len()], seen: vec![(0, 0); values], codes: Vec::new() };
    let everybody = Agreeing { rows: (0..counts.len() as u32).collect(), ends: vec![counts.len() as u32] };
    if counts.iter().sum::<u64>() < 2 {
        // A single record is alone by nothing at all.
        return search.found;
    }
    for size in 1..=most.min(columns.len()) {
        search.go(&everybody, 0, 0, size);
    }
    search.found
}

/// Rows that agree in some columns, class after class; only classes of at least two rows.
struct Agreeing {
    rows: Vec<u32>,
    ends: Vec<u32>,
}

struct Search<'a> {
    columns: &'a [Vec<u32>],
    counts: &'a [u64],
    found: Vec<Minimal>,
    /// By code: rows of the class at hand, and where the next one goes.
    seen: Vec<(u32, u32)>,
    /// Codes of the class at hand.
    codes: Vec<u32>,
}

impl Search<'_> {
    /// Adds `more` columns from `next` on to a set by which the rows of each class agree.
    fn go(&mut self, classes: &Agreeing, set: u128, next: usize, more: usize) {
        for column in next..=self.columns.len() - more {
            let set = set | 1 << column;
            let finer = self.split(classes, column, set, more > 1);
            if more > 1 && !finer.rows.is_empty() {
                self.go(&finer, set, column + 1, more - 1);
            }
        }
    }

    /// Splits classes by a column; notes who is alone where the set is whole, and keeps the rest where it is not.
    fn split(&mut self, classes: &Agreeing, column: usize, set: u128, keep: bool) -> Agreeing {
        let codes = &self.columns[column];
        let mut finer = Agreeing { rows: Vec::new(), ends: Vec::new() };
        let mut begin = 0;
        for end in &classes.ends {
            let class = &classes.rows[begin as usize..*end as usize];
            begin = *end;
            for row in class {
                let code = codes[*row as usize];
                let seen = &mut self.seen[code as usize];
                if seen.0 == 0 {
                    self.codes.push(code);
                }
                seen.0 += 1;
            }
            if keep {
                let mut at = finer.rows.len() as u32;
                for code in &self.codes {
                    let seen = &mut self.seen[*code as usize];
                    if seen.0 > 1 {
                        seen.1 = at;
                        at += seen.0;
                    }
                }
                let first = finer.rows.len();
                finer.rows.resize(at as usize, 0);
                for row in class {
                    let seen = &mut self.seen[codes[*row as usize] as usize];
                    if seen.0 > 1 {
                        finer.rows[seen.1 as usize] = *row;
                        seen.1 += 1;
                    }
                }
                self.keep_open(&mut finer, first, set);
            } else {
                for row in class {
                    let row = *row as usize;
                    if self.seen[codes[row] as usize].0 == 1 && self.counts[row] == 1 && !self.has_part(row, set) {
                        self.found[row].sets.push(set);
                    }
                }
            }
            for code in self.codes.drain(..) {
                self.seen[code as usize] = (0, 0);
            }
        }
        finer
    }

    /// Ends of the classes that were just made, those left out in which nobody can be found any more.
    fn keep_open(&self, finer: &mut Agreeing, first: usize, set: u128) {
        let (mut from, mut to) = (first, first);
        for code in &self.codes {
            let size = self.seen[*code as usize].0 as usize;
            if size < 2 {
                continue;
            }
            let class = from..from + size;
            let open = finer.rows[class.clone()].iter().any(|row| {
                let row = *row as usize;
                self.counts[row] == 1 && !self.has_part(row, set)
            });
            if open {
                finer.rows.copy_within(class, to);
                to += size;
                finer.ends.push(to as u32);
            }
            from += size;
        }
        finer.rows.truncate(to);
    }

    /// Whether a row is alone by a part of a set already.
    fn has_part(&self, row: usize, set: u128) -> bool {
        self.found[row].sets.iter().any(|part| part & !set == 0)
    }
}
