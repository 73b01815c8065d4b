use std::collections::BTreeMap;
use std::io::Write;

use rand::CryptoRng;
use serde::Serialize;

use super::question::OWN_COLUMNS;
use super::{Plan, Question, TrueCounts};

/// A line of a noisy table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The value of each column; none where the line is a total over it.
    pub values: Vec<Option<String>>,
    /// The noisy count.
    pub noisy: i64,
    /// Half of the width that the noise stays within 95 times in 100.
    pub half_width: u64,
}

/// A noisy table: all that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The cells, in the order of the given values, or by the values' texts.
    pub cells: Vec<Line>,
    /// Totals by single columns, made of noisy cells.
    pub totals: Vec<Line>,
}

/// Adds noise to each cell, keeps those above the threshold where there is one, and makes totals and presentation of what is noisy by
/// then, which costs nothing.
///
/// Totals are of the noisy cells before small ones are left out and negative ones are shown as 0, either of which would move them.
pub fn release(counts: TrueCounts, question: &Question, plan: &Plan, rng: &mut (impl CryptoRng + ?Sized)) -> Release {
    let half_width = plan.noise.half_width(1);
    let mut noisy: Vec<(Box<[u32]>, i64)> = Vec::new();
    for (key, count) in counts.cells {
        let count = i64::try_from(count).unwrap_or(i64::MAX).saturating_add(plan.noise.draw(rng));
        if plan.threshold.is_none_or(|t| i64::try_from(t).is_ok_and(|t| count > t)) {
            noisy.push((key, count));
        }
    }
    let values = counts.values;
    let rank = ranks(question, &values);
    // The order in which cells came must not tell who came first.
    noisy.sort_by_key(|(key, _)| key.iter().zip(&rank).map(|(code, r)| r[*code as usize]).collect::<Vec<_>>());
    let shown = |line: &mut Line| {
        let stays = question.suppress.is_none_or(|t| i64::try_from(t).is_ok_and(|t| line.noisy >= t));
        if question.non_negative {
            line.noisy = line.noisy.max(0);
        }
        stays
    };
    let mut totals = if question.marginals && question.by.len() > 1 { totals(&noisy, &values, &rank, plan) } else { Vec::new() };
    let line = |(key, noisy): (Box<[u32]>, i64)| Line {
        values: key.iter().zip(&values).map(|(code, v)| Some(v[*code as usize].clone())).collect(),
        noisy,
        half_width,
    };
    let mut cells: Vec<Line> = noisy.into_iter().map(line).collect();
    cells.retain_mut(shown);
    totals.retain_mut(shown);
    Release { columns: question.by.iter().map(|s| s.column.clone()).collect(), cells, totals }
}

/// The place of each value in the output: as given, or by its text.
fn ranks(question: &Question, values: &[Vec<String>]) -> Vec<Vec<usize>> {
    let rank = |(given, values): (bool, &Vec<String>)| {
        let mut order: Vec<usize> = (0..values.len()).collect();
        if !given {
            order.sort_by(|a, b| values[*a].cmp(&values[*b]));
        }
        let mut rank = vec![0; order.len()];
        for (place, code) in order.into_iter().enumerate() {
            rank[code] = place;
        }
        rank
    };
    question.by.iter().map(|s| s.values.is_some()).zip(values).map(rank).collect()
}

/// Sums of noisy cells by each value of each column, with the error of as many noises.
fn totals(noisy: &[(Box<[u32]>, i64)], values: &[Vec<String>], rank: &[Vec<usize>], plan: &Plan) -> Vec<Line> {
    let mut widths: BTreeMap<u64, u64> = BTreeMap::new();
    let mut lines = Vec::new();
    for column in 0..values.len() {
        let mut sums: BTreeMap<usize, (u32, i64, u64)> = BTreeMap::new();
        for (key, count) in noisy {
            let code = key[column];
            let (_, sum, cells) = sums.entry(rank[column][code as usize]).or_insert((code, 0, 0));
            *sum = sum.saturating_add(*count);
            *cells += 1;
        }
        for (code, sum, cells) in sums.into_values() {
            let mut line = vec![None; values.len()];
            line[column] = Some(values[column][code as usize].clone());
            let half_width = *widths.entry(cells).or_insert_with(|| plan.noise.half_width(cells));
            lines.push(Line { values: line, noisy: sum, half_width });
        }
    }
    lines
}

impl Release {
    /// Writes the table as CSV: the columns, then `row_kind` (`cell`, or `total` with the other columns empty), `noisy_count` and
    /// `half_width_95`.
    ///
    /// # Errors
    /// As of writing.
    pub fn write(&self, out: impl Write) -> Result<(), std::io::Error> {
        let mut writer = csv::Writer::from_writer(out);
        let columns = self.columns.iter().map(String::as_str);
        writer.write_record(columns.chain(OWN_COLUMNS))?;
        for (kind, lines) in [("cell", &self.cells), ("total", &self.totals)] {
            for line in lines {
                let own = [kind.to_owned(), line.noisy.to_string(), line.half_width.to_string()];
                writer.write_record(line.values.iter().map(|v| v.clone().unwrap_or_default()).chain(own))?;
            }
        }
        writer.flush()
    }
}
