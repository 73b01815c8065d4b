//! The risk of a table as it is: classes of equal quasi-identifiers, attackers, uniques of the population.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::Read;

use serde::Serialize;

use super::population::{Population, Sizes, Taken, dankar, naive, pitman, zayatz};
use super::snb::snb;
use crate::table::{TableError, open};

/// Values of the columns.
pub type Values = Vec<Box<[u8]>>;

/// Values of the columns → rows.
pub type Classes = HashMap<Values, u64>;

/// Values of the columns → sum of the rows' sampling weights.
pub type Weights = HashMap<Values, f64>;

/// The risk of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Risk {
    /// Rows, the suppressed ones not counted.
    pub rows: u64,
    /// Rows of which nothing is left: every quasi-identifier is `*`, and there are others. They are in no class.
    pub suppressed_rows: u64,
    /// How a single `*` was taken: it equals itself alone.
    pub wildcard: &'static str,
    /// Classes.
    pub classes: u64,
    /// Rows that are alone in their class.
    pub sample_uniques: u64,
    /// The greatest chance of a prosecutor: 1 / smallest class.
    pub prosecutor_most: f64,
    /// The mean chance of a prosecutor: classes / rows.
    pub prosecutor_average: f64,
    /// Share of rows whose chance is above the threshold.
    pub prosecutor_at_risk: f64,
    /// The threshold.
    pub threshold: f64,
    /// With a population table: the greatest chance of a journalist.
    pub journalist_most: Option<f64>,
    /// With a population table: the larger of classes / persons in them and the mean of f/F.
    pub journalist_average: Option<f64>,
    /// With a population table: share of rows whose chance is above the threshold.
    pub journalist_at_risk: Option<f64>,
    /// Expected share of right matches of a marketer, with a population table.
    pub marketer: Option<f64>,
    /// With a population table: its rows.
    pub population_rows: Option<u64>,
    /// With a population table: how many of its rows are alone in their class there.
    pub population_uniques: Option<u64>,
    /// With a population's size alone: what is estimated.
    pub population: Option<PopulationRisk>,
}

/// Uniques of the population, estimated; none where an estimator fails.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PopulationRisk {
    /// Persons.
    pub size: u64,
    /// c1/π.
    pub naive: f64,
    /// Zayatz.
    pub zayatz: Option<f64>,
    /// Pitman.
    pub pitman: Option<f64>,
    /// SNB.
    pub snb: Option<f64>,
    /// The rule of Dankar et al.
    pub dankar: Option<f64>,
    /// What the rule took.
    pub taken: Option<Taken>,
    /// Mean individual risk (Benedetti–Franconi), every row with the weight N/n.
    pub individual: f64,
}

/// Classes of a CSV by named columns: values → rows.
///
/// # Errors
/// A file that cannot be read, a column that is not there or that is named twice.
pub fn classes(source: impl Read, name: &str, delimiter: Option<u8>, columns: &[String]) -> Result<Classes, TableError> {
    Ok(weighted_classes(source, name, delimiter, columns, None)?.0)
}

/// The same with the sampling weights of a column: how many persons of the population a row stands for.
///
/// # Errors
/// As [`classes`]; a weight that is no number above 0.
pub fn weighted_classes(
    source: impl Read,
    name: &str,
    delimiter: Option<u8>,
    columns: &[String],
    weight: Option<&String>,
) -> Result<(Classes, Option<Weights>), TableError> {
    let unreadable = |e: &dyn std::fmt::Display| TableError::Unreadable { file: name.to_owned(), reason: e.to_string() };
    let (mut reader, _) = open(source, name, delimiter)?;
    let header = reader.headers().map_err(|e| unreadable(&e))?.clone();
    let place = |column: &String| {
        let mut found = header.iter().enumerate().filter(|(_, h)| h == column).map(|(at, _)| at + 1);
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => Err(TableError::ColumnTwice { file: name.to_owned(), first, second }),
            (Some(at), None) => Ok(at - 1),
            (None, _) => Err(TableError::UnknownColumn { column: column.clone(), columns: header.len() }),
        }
    };
    let mut named = HashSet::new();
    if let Some(column) = columns.iter().find(|c| !named.insert(*c)) {
        return Err(TableError::ColumnNamedTwice { column: column.clone() });
    }
    let places: Vec<usize> = columns.iter().map(place).collect::<Result<_, _>>()?;
    let weight = weight.map(|column| Ok::<_, TableError>((place(column)?, column))).transpose()?;
    let mut weights = weight.map(|_| Weights::new());
    let mut classes = Classes::new();
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|e| unreadable(&e))? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            let (found, expected) = (record.len(), header.len());
            return Err(TableError::RowLength { file: name.to_owned(), line, found, expected });
        }
        let key: Values = places.iter().map(|at| record[*at].into()).collect();
        if let (Some((at, column)), Some(weights)) = (weight, &mut weights) {
            let number = std::str::from_utf8(&record[at]).ok().and_then(|cell| cell.trim().parse::<f64>().ok());
            let number = number.filter(|w| w.is_finite() && *w > 0.0);
            *weights.entry(key.clone()).or_default() +=
                number.ok_or_else(|| TableError::WeightUnusable { column: column.clone(), line })?;
        }
        *classes.entry(key).or_default() += 1;
    }
    if classes.is_empty() { Err(TableError::NoRows { file: name.to_owned() }) } else { Ok((classes, weights)) }
}

/// Classes without the one of which nothing is left (every quasi-identifier `*`, and there are others), and its rows: counted as a
/// class they would look like the safest people of the table.
pub(super) fn without_suppressed(sample: &Classes) -> (Cow<'_, Classes>, u64) {
    let mut sample: Cow<'_, Classes> = Cow::Borrowed(sample);
    let nothing = |key: &Values| key.iter().all(|cell| **cell == *b"*");
    let mut suppressed = 0;
    if sample.len() > 1
        && let Some(key) = sample.keys().find(|key| nothing(key)).cloned()
    {
        suppressed = sample.to_mut().remove(&key).unwrap_or(0);
    }
    (sample, suppressed)
}

/// The risk of classes, with the population's classes by the same columns or its size.
///
/// # Errors
/// A population that is smaller than the table or lacks rows of it; a threshold that is no share.
pub fn risk(sample: &Classes, table: Option<&Classes>, size: Option<u64>, threshold: f64) -> Result<Risk, TableError> {
    if !(0.0..=1.0).contains(&threshold) {
        return Err(TableError::ThresholdRange);
    }
    let (sample, suppressed_rows) = without_suppressed(sample);
    let sample = &*sample;
    let rows: u64 = sample.values().sum();
    let n = rows as f64;
    let count = |test: &dyn Fn(u64) -> bool| sample.values().filter(|f| test(**f)).sum::<u64>();
    let persons: Option<u64> = table.map(|t| t.values().sum());
    if let Some(population) = size.or(persons)
        && population < rows
    {
        return Err(TableError::PopulationSmaller { population, rows });
    }
    let smallest = sample.values().copied().min().unwrap_or(1);
    let mut risk = Risk {
        rows,
        suppressed_rows,
        wildcard: "equals itself alone",
        classes: sample.len() as u64,
        sample_uniques: count(&|f| f == 1),
        prosecutor_most: 1.0 / smallest as f64,
        prosecutor_average: sample.len() as f64 / n,
        prosecutor_at_risk: count(&|f| 1.0 / f as f64 > threshold) as f64 / n,
        threshold,
        journalist_most: None,
        journalist_average: None,
        journalist_at_risk: None,
        marketer: None,
        population_rows: None,
        population_uniques: None,
        population: None,
    };
    if let Some(table) = table {
        let (mut inside, mut matches, mut at_risk, mut fewest) = (0u64, 0.0, 0u64, u64::MAX);
        // In an order of its own, so that sums do not depend on the map's.
        let mut pairs: Vec<(u64, u64)> = Vec::new();
        let mut lacking = (0u64, 0u64);
        for (key, f) in sample {
            let population = table.get(key).copied().unwrap_or(0);
            if population < *f {
                lacking = (lacking.0 + f - population, lacking.1 + 1);
            }
            pairs.push((*f, population));
        }
        if lacking.1 > 0 {
            return Err(TableError::PopulationLacks { rows: lacking.0, combinations: lacking.1 });
        }
        pairs.sort_unstable();
        for (f, population) in pairs {
            inside += population;
            matches += f as f64 / population as f64;
            at_risk += if 1.0 / population as f64 > threshold { f } else { 0 };
            fewest = fewest.min(population);
        }
        risk.journalist_most = Some(1.0 / fewest as f64);
        risk.journalist_average = Some((sample.len() as f64 / inside as f64).max(matches / n));
        risk.journalist_at_risk = Some(at_risk as f64 / n);
        risk.marketer = Some(matches / n);
        risk.population_rows = persons;
        risk.population_uniques = Some(table.values().filter(|f| **f == 1).count() as u64);
    }
    if let (Some(size), None) = (size, table) {
        let mut sorted: Vec<u32> = sample.values().map(|f| u32::try_from(*f).unwrap_or(u32::MAX)).collect();
        sorted.sort_unstable();
        let sizes = Sizes::of(sorted.iter().copied());
        let population = Population { size: size as f64, sample: n };
        let taken = dankar(&sizes, population);
        let individual = sizes.classes.iter().map(|(f, c)| f64::from(*f) * *c as f64 * individual(*f, n / size as f64));
        risk.population = Some(PopulationRisk {
            size,
            naive: naive(&sizes, population),
            zayatz: zayatz(&sizes, population),
            pitman: pitman(&sizes, population),
            snb: snb(&sizes, population),
            dankar: taken.map(|t| t.0),
            taken: taken.map(|t| t.1),
            individual: individual.sum::<f64>() / n,
        });
    }
    Ok(risk)
}

/// Benedetti–Franconi: E[1/F | f] with F|f negative binomial, p the sum of sampling fractions (section 3).
pub fn individual(f: u32, p: f64) -> f64 {
    if p >= 1.0 {
        return 1.0 / f64::from(f);
    }
    let q = 1.0 - p;
    if f <= 3 && q <= 0.5 {
        // The closed forms subtract numbers that are nearly equal where p is near 1; the sum over F has only positive terms:
        // Σ C(f+j−1, j) p^f q^j / (f+j).
        let f = f64::from(f);
        let mut weight = p.powf(f);
        let mut sum = weight / f;
        let mut j = 0.0;
        while weight > 1e-18 {
            weight *= q * (f + j) / (j + 1.0);
            j += 1.0;
            sum += weight / (f + j);
        }
        return sum;
    }
    let (odds, ln) = (p / q, (1.0 / p).ln());
    match f {
        1 => odds * ln,
        2 => odds - odds * odds * ln,
        3 => odds * (odds * (ln * odds - 1.0) + 0.5),
        _ => p / (f64::from(f) - (1.0 - p)),
    }
}
