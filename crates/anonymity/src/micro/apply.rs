use std::collections::BTreeMap;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{Ends, Exchange, Kind, Transform, Transforms, mdav, mdav_sorted, optimal, rounded, tails};
use crate::table::TableError;

/// Fewest records that may share a value or an end, or stand behind a value that a report names, whatever the models ask for: of two
/// each would know the other's.
const FEWEST: u64 = 3;

/// Fewest records behind a loss that is told.
const FEWEST_OF_LOSS: usize = 10;

/// More values than this are no categories to exchange.
const MOST_VALUES: usize = 200;

/// What was done to columns, for the report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Transformed {
    /// As it was asked for.
    pub written: String,
    /// The columns.
    pub columns: Vec<String>,
    /// Groups of records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<u64>,
    /// Records of the smallest group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest_group: Option<u64>,
    /// SSE/SST: squared differences of the values before and after, in sum, over those of the values before from their mean; of several
    /// columns each in parts of its standard deviation. With 3 digits, as the sums themselves would give single values back; nothing
    /// where fewer than 10 records or fewer than two groups of them are behind it.
    #[serde(default)]
    pub sse_per_sst: Option<f64>,
    /// Bounds of the ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<Bound>,
    /// Chances of exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<Matrix>,
}

/// Bounds of a column, or of one of its strata; without any where none of the values is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// The stratum's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratum: Option<String>,
    /// From here on upward.
    pub top: Option<f64>,
    /// From here on downward.
    pub bottom: Option<f64>,
}

/// Chances that a value becomes another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// The values.
    pub values: Vec<String>,
    /// Row: what it was; column: what it became.
    pub chances: Vec<Vec<f64>>,
}

/// Transforms the rows of a release in place. `least`: records that the models want in a class. As many, and never
/// fewer than 3, share a value or an end, or have a value that the matrix of the report names.
///
/// # Errors
/// A transform of fewer records, a column that is not there, cells that are no numbers, too few records for a group, values that are too many or too rare to be
/// exchanged.
pub fn apply<R: CryptoRng>(
    header: &[&str],
    rows: &mut [Vec<String>],
    transforms: &Transforms,
    least: u64,
    rng: &mut R,
) -> Result<Vec<Transformed>, TableError> {
    let place = |column: &String| {
        let at = header.iter().position(|h| h == column);
        at.ok_or_else(|| TableError::UnknownColumn { column: column.clone(), columns: header.len() })
    };
    let least = least.max(FEWEST);
    if let Some(few) = transforms.0.iter().find(|t| t.fewest().is_some_and(|n| n < least)) {
        return Err(TableError::TransformBelow { text: few.written.clone(), least });
    }
    let mut done = Vec::new();
    for transform in &transforms.0 {
        let places: Vec<usize> = transform.columns.iter().map(place).collect::<Result<_, _>>()?;
        let mut of = Transformed { written: transform.written.clone(), columns: transform.columns.clone(), ..Default::default() };
        match &transform.kind {
            Kind::Mdav { k } | Kind::Optimal { k } => grouped(rows, transform, &places, *k, &mut of)?,
            Kind::Round { width } => {
                let values = numbers(rows, places[0], &transform.columns[0])?;
                let new = values.iter().map(|(_, x)| vec![rounded(*x, *width)]).collect();
                write(rows, &places, values.into_iter().map(|(row, x)| (row, vec![x])).collect(), new, &mut of);
            }
            Kind::Tails { top, bottom, by } => {
                let by = by.as_ref().map(place).transpose()?;
                of.bounds = ended(rows, places[0], &transform.columns[0], (*top, *bottom), by)?;
            }
            Kind::Exchange { stay } => of.matrix = Some(exchanged(rows, places[0], transform, *stay, least, rng)?),
        }
        done.push(of);
    }
    Ok(done)
}

/// Rows with a number in a column; an empty cell has none and stays empty.
fn numbers(rows: &[Vec<String>], at: usize, column: &str) -> Result<Vec<(usize, f64)>, TableError> {
    let full = rows.iter().enumerate().filter(|(_, row)| !row[at].trim().is_empty());
    full.map(|(row, cells)| {
        let number = cells[at].trim().parse::<f64>().ok().filter(|x| x.is_finite());
        Ok((row, number.ok_or_else(|| TableError::TransformNumber { column: column.to_owned() })?))
    })
    .collect()
}

/// A number as it is written: 12 digits are more than a mean of values says.
fn shown(value: f64) -> String {
    format!("{value:.11e}").parse::<f64>().map_or_else(|_| value.to_string(), |x| (x + 0.0).to_string())
}

/// A bound with the 12 digits that are written: a top that is no higher, a bottom that is no lower, so that as many reach it.
fn outer(value: f64, top: bool) -> f64 {
    let text = format!("{value:.11e}");
    let near = text.parse().unwrap_or(value);
    if near == value || (near < value) == top {
        return near + 0.0;
    }
    // One more or less in the twelfth digit.
    let step = if top { -1 } else { 1 };
    let digits = text.split_once('e').and_then(|(digits, power)| {
        let digits: i64 = digits.replace('.', "").parse().ok()?;
        format!("{}e{}", digits + step, power.parse::<i32>().ok()? - 11).parse::<f64>().ok()
    });
    digits.unwrap_or(value) + 0.0
}

fn grouped(
    rows: &mut [Vec<String>],
    transform: &Transform,
    places: &[usize],
    k: usize,
    of: &mut Transformed,
) -> Result<(), TableError> {
    let mut points: Vec<(usize, Vec<f64>)> = Vec::new();
    for (column, at) in transform.columns.iter().zip(places) {
        let values = numbers(rows, *at, column)?;
        if places.len() > 1 && values.len() < rows.len() {
            // What stays in a row with an empty cell would be told as it is.
            return Err(TableError::TransformNumber { column: column.clone() });
        }
        if points.is_empty() {
            points = values.into_iter().map(|(row, x)| (row, vec![x])).collect();
        } else {
            points.iter_mut().zip(values).for_each(|(point, (_, x))| point.1.push(x));
        }
    }
    if points.len() < k {
        let column = transform.columns.join("+");
        return Err(TableError::TransformTooFew { column, rows: points.len() as u64, least: k as u64 });
    }
    let groups: Vec<Vec<usize>> = if places.len() == 1 {
        points.sort_by(|a, b| a.1[0].total_cmp(&b.1[0]).then(a.0.cmp(&b.0)));
        let sorted: Vec<f64> = points.iter().map(|p| p.1[0]).collect();
        let ranges = if matches!(transform.kind, Kind::Optimal { .. }) { optimal(&sorted, k) } else { mdav_sorted(&sorted, k) };
        ranges.into_iter().map(Iterator::collect).collect()
    } else {
        let spreads: Vec<(f64, f64)> = (0..places.len()).map(|c| spread(points.iter().map(|p| p.1[c]))).collect();
        let standard = |p: &(usize, Vec<f64>)| p.1.iter().zip(&spreads).map(|(x, (mean, sd))| (x - mean) / sd).collect();
        mdav(&points.iter().map(standard).collect::<Vec<Vec<f64>>>(), k)
    };
    of.groups = Some(groups.len() as u64);
    of.smallest_group = groups.iter().map(|g| g.len() as u64).min();
    let mut new = vec![Vec::new(); points.len()];
    for group in &groups {
        let mean = |c: usize| group.iter().map(|at| points[*at].1[c]).sum::<f64>() / group.len() as f64;
        let means: Vec<f64> = (0..places.len()).map(mean).collect();
        for at in group {
            new[*at].clone_from(&means);
        }
    }
    write(rows, places, points, new, of);
    Ok(())
}

/// Mean and standard deviation; 1 where all values are the same.
fn spread(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
}

/// Writes new numbers and says how far they are from the old ones.
fn write(rows: &mut [Vec<String>], places: &[usize], old: Vec<(usize, Vec<f64>)>, new: Vec<Vec<f64>>, of: &mut Transformed) {
    let (mut sse, mut sst) = (0.0, 0.0);
    for (c, at) in places.iter().enumerate() {
        let (mean, sd) = spread(old.iter().map(|(_, x)| x[c]));
        let unit = if places.len() > 1 { sd } else { 1.0 };
        for ((row, before), after) in old.iter().zip(&new) {
            sse += ((before[c] - after[c]) / unit).powi(2);
            sst += ((before[c] - mean) / unit).powi(2);
            rows[*row][*at] = shown(after[c]);
        }
    }
    let groups = || new.iter().any(|point| *point != new[0]);
    if old.len() >= FEWEST_OF_LOSS && sst > 0.0 && groups() {
        of.sse_per_sst = format!("{:.2e}", sse / sst).parse().ok();
    }
}

fn ended(
    rows: &mut [Vec<String>],
    at: usize,
    column: &str,
    (top, bottom): (Option<u64>, Option<u64>),
    by: Option<usize>,
) -> Result<Vec<Bound>, TableError> {
    let mut strata: BTreeMap<Option<String>, Vec<(usize, f64)>> = BTreeMap::new();
    for (row, value) in numbers(rows, at, column)? {
        strata.entry(by.map(|by| rows[row][by].clone())).or_default().push((row, value));
    }
    let mut bounds = Vec::new();
    for (stratum, values) in strata {
        let ends = tails(&values.iter().map(|(_, x)| *x).collect::<Vec<_>>(), top, bottom)
            .map(|e| Ends { top: e.top.map(|t| outer(t, true)), bottom: e.bottom.map(|b| outer(b, false)) })
            // Where the digits make the two ends meet, none of the values may be told.
            .filter(|e| !matches!((e.top, e.bottom), (Some(top), Some(bottom)) if bottom >= top));
        for (row, value) in values {
            let cell = &mut rows[row][at];
            match ends {
                None => "*".clone_into(cell),
                Some(ends) => match (ends.top, ends.bottom) {
                    (Some(top), _) if value >= top => *cell = format!(">={}", shown(top)),
                    (_, Some(bottom)) if value <= bottom => *cell = format!("<={}", shown(bottom)),
                    _ => {}
                },
            }
        }
        bounds.push(Bound { stratum, top: ends.and_then(|e| e.top), bottom: ends.and_then(|e| e.bottom) });
    }
    Ok(bounds)
}

fn exchanged<R: CryptoRng>(
    rows: &mut [Vec<String>],
    at: usize,
    transform: &Transform,
    stay: f64,
    least: u64,
    rng: &mut R,
) -> Result<Matrix, TableError> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for row in rows.iter() {
        *counts.entry(row[at].clone()).or_default() += 1;
    }
    let column = || transform.columns[0].clone();
    if counts.len() > MOST_VALUES {
        return Err(TableError::TransformManyValues { column: column(), values: counts.len() as u64, most: MOST_VALUES as u64 });
    }
    // The matrix names every value: also one that the exchange took away.
    let rare = counts.values().filter(|c| **c < least).count() as u64;
    if rare > 0 {
        return Err(TableError::TransformRareValues { column: column(), values: rare, least });
    }
    let values: Vec<String> = counts.keys().cloned().collect();
    let exchange = Exchange::new(&counts.values().copied().collect::<Vec<_>>(), stay);
    for row in rows.iter_mut() {
        if let Ok(value) = values.binary_search(&row[at]) {
            row[at].clone_from(&values[exchange.draw(value, rng)]);
        }
    }
    Ok(Matrix { values, chances: exchange.chances })
}
