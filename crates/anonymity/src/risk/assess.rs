//! Everything that can be said of the risk of a table from its classes and what is known of the population.

use serde::Serialize;

use super::attempts::{Attempts, Overall, overall};
use super::measure::{Classes, Risk, Values, Weights, individual, risk, without_suppressed};
use super::suda::{SpecialUniques, special_uniques};
use crate::table::TableError;

/// What is asked of a table beside its classes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The population's classes by the same columns.
    pub table: Option<&'a Classes>,
    /// Persons of the population.
    pub size: Option<u64>,
    /// Sum of the sampling weights of each class.
    pub weights: Option<&'a Weights>,
    /// Chance above which a record is at risk.
    pub threshold: f64,
    /// The largest set of columns in which special uniques are looked for; 0: none.
    pub sets: usize,
    /// Chances that somebody tries.
    pub attempts: Attempts,
}

/// The risk of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// Classes, attackers, uniques of the population.
    #[serde(flatten)]
    pub risk: Risk,
    /// With sampling weights or a population's size: Benedetti and Franconi's individual risk.
    pub individual: Option<Individual>,
    /// Special uniques.
    pub special_uniques: Option<SpecialUniques>,
    /// With chances that somebody tries.
    pub overall: Option<Overall>,
}

/// Individual risk r = E[1/F | f] by record.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Individual {
    /// `weights`: f/Σw by class; `size`: n/N for all.
    pub by: &'static str,
    /// The greatest.
    pub most: f64,
    /// The mean.
    pub average: f64,
    /// Records that are expected to be found: Σ r.
    pub expected: f64,
    /// Share of records whose chance is above the threshold.
    pub at_risk: f64,
}

/// Assesses classes; `names` are their columns.
///
/// # Errors
/// As [`risk`]; too many columns for sets of them; a chance that is none.
pub fn assess(sample: &Classes, names: &[String], asked: &Asked<'_>) -> Result<Assessment, TableError> {
    let risk = risk(sample, asked.table, asked.size, asked.threshold)?;
    let (sample, _) = without_suppressed(sample);
    let sample = &*sample;
    let n = risk.rows as f64;
    // In an order of its own, so that sums do not depend on the map's.
    let mut keys: Vec<&Values> = sample.keys().collect();
    keys.sort_unstable();
    let weight = |key: &Values| asked.weights.and_then(|w| w.get(key)).copied();
    let persons = match (asked.weights, asked.size.or(risk.population_rows)) {
        (Some(_), _) => Some(keys.iter().filter_map(|key| weight(key)).sum::<f64>()),
        (None, size) => size.map(|size| size as f64),
    };
    // Weights that sum up to less than the records would be a sample larger than its population.
    let fraction = persons.map(|persons| (n / persons).min(1.0));
    let chances = |by: &'static str, p: &dyn Fn(&Values, u64) -> f64| {
        let one = |key: &&Values| {
            let f = sample[*key];
            (f as f64, individual(u32::try_from(f).unwrap_or(u32::MAX), p(key, f)))
        };
        let classes: Vec<(f64, f64)> = keys.iter().map(one).collect();
        let expected: f64 = classes.iter().map(|(f, r)| f * r).sum();
        // From 0, as a sum of nothing is −0.
        let above = classes.iter().filter(|(_, r)| *r > asked.threshold).fold(0.0, |sum, (f, _)| sum + f);
        let most = classes.iter().map(|(_, r)| *r).fold(0.0, f64::max);
        Individual { by, most, average: expected / n, expected, at_risk: above / n }
    };
    let individual = match (asked.weights, asked.size, asked.table) {
        (Some(_), ..) => Some(chances("weights", &|key, f| weight(key).map_or(1.0, |w| (f as f64 / w).min(1.0)))),
        (None, Some(size), None) => Some(chances("size", &|_, _| n / size as f64)),
        _ => None,
    };
    let special_uniques = match asked.sets {
        0 => None,
        most => Some(special_uniques(sample, names, most, fraction, asked.threshold)?),
    };
    let success: Vec<(u64, f64)> = keys
        .iter()
        .map(|key| {
            let persons = asked.table.map_or(sample[*key], |t| t[*key]);
            (sample[*key], 1.0 / persons as f64)
        })
        .collect();
    let (who, average) = match risk.journalist_average {
        Some(average) => ("journalist", average),
        None => ("prosecutor", risk.prosecutor_average),
    };
    let overall = overall(&asked.attempts, who, average, &success, asked.threshold)?;
    Ok(Assessment { risk, individual, special_uniques, overall })
}
