//! A second, naive reading of a release that shares no code with what made it: claims are recomputed from the output alone.

pub mod cohort;
mod population;
mod transforms;

use std::collections::BTreeMap;
use std::io::Read;

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use crate::metrics::Metric;
use crate::release::{Reference, ReleaseReport};
use crate::table::TableError;

pub use population::{PopulationClasses, population_classes};

/// A claim of the report that the table does not bear out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contradiction {
    /// What it is about.
    pub claim: String,
    /// What the report says.
    pub said: String,
    /// What the table shows.
    pub found: String,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verified {
    /// Claims that were recomputed.
    pub claims: u64,
    /// Those that do not hold.
    pub wrong: Vec<Contradiction>,
    /// Claims that cannot be recomputed from the output alone.
    pub unchecked: Vec<String>,
}

impl Verified {
    fn claim(&mut self, claim: &str, said: impl ToString, found: impl ToString, holds: bool) {
        self.claims += 1;
        if !holds {
            self.wrong.push(Contradiction { claim: claim.to_owned(), said: said.to_string(), found: found.to_string() });
        }
    }
}

/// Classes as sensitive values with rows.
type Classes = Vec<BTreeMap<String, u64>>;

/// What a cell of the sensitive column says, however it is spelled: width, case, blanks, and of a number zeros at its end.
fn says(cell: &str) -> String {
    let text: String = cell.nfkc().flat_map(char::to_lowercase).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (minus, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let decimal = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if digits.len() > 15 || !decimal(whole) || !decimal(fraction) || digits.trim_matches('.').is_empty() {
        return text;
    }
    if whole.starts_with('0') && whole != "0" {
        // A code, no number.
        return text;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.trim_end_matches('0');
    match (whole, fraction) {
        ("0", "") => "0".to_owned(),
        (_, "") => format!("{minus}{whole}"),
        _ => format!("{minus}{whole}.{fraction}"),
    }
}

/// Checks a released table against its report. `reference` is what was kept of the whole table: without it the models that compare
/// with the whole table are left unchecked.
///
/// # Errors
/// A table that cannot be read or that is another's.
pub fn verify(
    table: impl Read,
    name: &str,
    report: &ReleaseReport,
    reference: Option<&Reference>,
) -> Result<Verified, TableError> {
    verify_beside(table, name, report, reference, None)
}

/// The same with the population's classes ([`population_classes`]): without them the models that count its persons are left
/// unchecked.
///
/// # Errors
/// As [`verify`]; a population that has fewer persons in a class than were released.
pub fn verify_beside(
    table: impl Read,
    name: &str,
    report: &ReleaseReport,
    reference: Option<&Reference>,
    population: Option<&PopulationClasses>,
) -> Result<Verified, TableError> {
    let unreadable = |e: csv::Error| TableError::Unreadable { file: name.to_owned(), reason: e.to_string() };
    let mut reader = csv::ReaderBuilder::new().delimiter(report.separator as u8).from_reader(table);
    let header = reader.headers().map_err(unreadable)?.clone();
    let place = |column: &String| {
        header.iter().position(|h| h == column).ok_or_else(|| TableError::ReportForeign { column: column.clone() })
    };
    let quasi: Vec<usize> = report.columns.iter().map(|c| place(&c.name)).collect::<Result<_, _>>()?;
    let sensitive = report.sensitive.as_ref().map(&place).transpose()?;
    let mut by_class: BTreeMap<Vec<String>, BTreeMap<String, u64>> = BTreeMap::new();
    let mut rows = 0u64;
    let mut records: Vec<csv::StringRecord> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        rows += 1;
        let key = quasi.iter().map(|at| record[*at].to_owned()).collect();
        let value = sensitive.map_or_else(String::new, |at| says(&record[at]));
        *by_class.entry(key).or_default().entry(value).or_default() += 1;
        if !report.transforms.is_empty() {
            records.push(record);
        }
    }
    let mut verified = Verified::default();
    let v = &mut verified;
    let size = |class: &BTreeMap<String, u64>| class.values().sum::<u64>();
    let smallest = by_class.values().map(size).min().unwrap_or(0);
    v.claim("released", report.released, rows, report.released == rows);
    v.claim("suppressed", report.suppressed, report.rows.saturating_sub(rows), report.suppressed + rows == report.rows);
    let allowed = (report.suppression * report.rows as f64 + 1e-9).floor();
    v.claim("suppression", report.suppression, report.suppressed, report.suppressed as f64 <= allowed);
    v.claim("classes", report.classes, by_class.len(), report.classes == by_class.len() as u64);
    v.claim("smallest_class", report.smallest_class, smallest, report.smallest_class == smallest);
    // No column but those of the report, and each once: another would carry what nobody looked at.
    let mut said: Vec<&str> = report.columns.iter().map(|c| c.name.as_str()).collect();
    said.extend(report.sensitive.iter().chain(&report.kept).map(String::as_str));
    let mut found: Vec<&str> = header.iter().collect();
    said.sort_unstable();
    found.sort_unstable();
    let other: Vec<&str> = found.iter().filter(|h| !said.contains(h)).copied().collect();
    v.claim("columns", said.len(), format!("{} {}", found.len(), other.join(", ")).trim(), said == found);
    v.claim("left_out", report.left_out.len(), "released", !found.iter().any(|h| report.left_out.iter().any(|l| l == h)));
    for (column, at) in report.columns.iter().zip(0..) {
        let foreign = by_class.keys().find(|key| !column.leaves.contains_key(&key[at]));
        v.claim(&column.name, "values of its level", "another value", foreign.is_none());
    }
    match score(report, &by_class, rows) {
        Some(found) => v.claim("score", report.score, found, (found - report.score).abs() <= 1e-9 * found.abs().max(1.0)),
        None => v.unchecked.push(format!("score ({})", report.metric.name())),
    }
    for transform in &report.transforms {
        let broken = transforms::broken(transform, &header, &records);
        v.claim(&transform.written, "holds for every row", broken.clone().unwrap_or_default(), broken.is_none());
    }
    // Persons of the table and of the population in each class.
    let persons: Option<Vec<(u64, u64)>> =
        population.map(|p| by_class.iter().map(|(key, class)| (size(class), p.persons.get(key).copied().unwrap_or(0))).collect());
    if let Some(persons) = &persons {
        let lacking: Vec<u64> = persons.iter().filter(|(f, p)| p < f).map(|(f, p)| f - p).collect();
        if !lacking.is_empty() {
            return Err(TableError::PopulationLacks { rows: lacking.iter().sum(), combinations: lacking.len() as u64 });
        }
    }
    if let (Some(said), Some(found), Some(persons)) = (&report.population_table, population, &persons) {
        v.claim("population", said.rows, found.rows, said.rows == found.rows);
        let smallest = persons.iter().map(|(_, p)| *p).min().unwrap_or(0);
        v.claim("population smallest_class", said.smallest_class, smallest, said.smallest_class == smallest);
    }
    let unreleased = population.map_or(0, |p| p.persons.keys().filter(|key| !by_class.contains_key(*key)).count());
    let classes: Classes = by_class.into_values().collect();
    for model in &report.models {
        let counted = persons.as_ref().and_then(|persons| population::broken(model, persons.iter().copied(), unreleased));
        match counted.or_else(|| holds(model, &classes, reference.filter(|r| report.sensitive.as_ref() == Some(&r.name)))) {
            Some(broken) => v.claim(model, "holds in every class", format!("{broken} classes break it"), broken == 0),
            None => v.unchecked.push(model.clone()),
        }
    }
    Ok(verified)
}

/// The metric from released rows, where that is enough.
fn score(report: &ReleaseReport, classes: &BTreeMap<Vec<String>, BTreeMap<String, u64>>, rows: u64) -> Option<f64> {
    let (n, gone) = (report.rows as f64, report.rows.saturating_sub(rows) as f64);
    let size = |c: &BTreeMap<String, u64>| c.values().sum::<u64>() as f64;
    let q = report.columns.len() as f64;
    let losses = || -> Vec<f64> {
        let one = |(at, column): (usize, &crate::release::ColumnLevels)| {
            let m = f64::from(column.hierarchy_rows);
            let share = |key: &Vec<String>| f64::from(column.leaves.get(&key[at]).copied().unwrap_or(0)) / m;
            let kept: f64 = classes.iter().map(|(key, class)| share(key) * size(class)).sum();
            if m > 1.0 { ((kept + gone - n / m) / (n - n / m)).max(0.0) } else { 0.0 }
        };
        report.columns.iter().enumerate().map(one).collect()
    };
    match report.metric {
        Metric::Loss => Some(losses().iter().sum::<f64>() / q),
        Metric::LossGm => Some(losses().iter().map(|l| (l + 1.0).powf(1.0 / q)).product::<f64>() - 1.0),
        Metric::Prec => {
            let one = |c: &crate::release::ColumnLevels| {
                let share = if c.top > 0 { f64::from(c.level) / f64::from(c.top) } else { 0.0 };
                (share * (n - gone) + gone) / n
            };
            Some(report.columns.iter().map(one).sum::<f64>() / q)
        }
        Metric::Height => Some(report.columns.iter().map(|c| f64::from(c.level)).sum()),
        Metric::Dm => Some(classes.values().map(|c| size(c) * size(c)).sum::<f64>() + n * gone),
        Metric::DmStar => Some(classes.values().map(|c| size(c) * size(c)).sum::<f64>() + gone * gone),
        Metric::Aecs => Some(n / (classes.len() as f64 + if gone > 0.0 { 1.0 } else { 0.0 })),
        Metric::Ncp | Metric::Nue | Metric::Ambiguity | Metric::Kl => None,
    }
}

/// How many classes break a model; nothing where the output does not say.
fn holds(model: &str, classes: &Classes, reference: Option<&Reference>) -> Option<usize> {
    let parts: Vec<&str> = model.split(':').collect();
    let number = |at: usize| parts.get(at)?.parse::<f64>().ok();
    let size = |class: &BTreeMap<String, u64>| class.values().sum::<u64>() as f64;
    let broken = |test: &dyn Fn(&BTreeMap<String, u64>) -> bool| Some(classes.iter().filter(|c| !test(c)).count());
    let empty = BTreeMap::new();
    let table = reference.map_or(&empty, |r| &r.counts);
    let all: u64 = table.values().sum();
    let q = |value: &String| table.get(value).copied().unwrap_or(0) as f64 / all.max(1) as f64;
    let released: f64 = classes.iter().map(size).sum();
    let close = 1e-9;
    // Nothing to compare with is no reason to believe.
    let compares = matches!(parts[0], "t" | "th" | "to" | "dd" | "bl" | "be");
    let contained = |c: &BTreeMap<String, u64>| c.keys().all(|v| table.contains_key(v));
    if compares && (all == 0 || !classes.iter().all(contained)) {
        return None;
    }
    match parts[0] {
        "k" => broken(&|c| size(c) >= number(1).unwrap_or(f64::MAX)),
        "dl" => broken(&|c| c.len() as f64 >= number(1).unwrap_or(f64::MAX)),
        "ak" => broken(&|c| {
            let most = c.values().copied().max().unwrap_or(0) as f64 / size(c);
            most <= number(1).unwrap_or(0.0) + close && size(c) >= number(2).unwrap_or(f64::MAX)
        }),
        "el" => broken(&|c| {
            let entropy: f64 = c.values().map(|x| -(*x as f64 / size(c)) * (*x as f64 / size(c)).ln()).sum();
            entropy >= number(1).unwrap_or(f64::MAX).ln() - close
        }),
        "cl" => broken(&|c| {
            let mut counts: Vec<u64> = c.values().copied().collect();
            counts.sort_unstable();
            counts.reverse();
            let l = number(2).unwrap_or(f64::MAX) as usize;
            let tail: u64 = counts.iter().skip(l - 1).sum();
            (counts[0] as f64) < number(1).unwrap_or(0.0) * tail as f64
        }),
        "t" => broken(&|c| {
            let distance: f64 = table.keys().map(|v| (c.get(v).copied().unwrap_or(0) as f64 / size(c) - q(v)).abs() / 2.0).sum();
            distance <= number(1).unwrap_or(0.0) + close
        }),
        "to" => {
            let mut values: Vec<(f64, &String)> = table.keys().map(|v| Some((v.parse().ok()?, v))).collect::<Option<_>>()?;
            values.sort_by(|a, b| a.0.total_cmp(&b.0));
            broken(&|c| {
                let up_to = |i: usize| -> f64 {
                    values[..=i].iter().map(|(_, v)| c.get(*v).copied().unwrap_or(0) as f64 / size(c) - q(v)).sum()
                };
                let sum: f64 = (0..values.len()).map(|i| up_to(i).abs()).sum();
                values.len() < 2 || sum / (values.len() - 1) as f64 <= number(1).unwrap_or(0.0) + close
            })
        }
        "th" => {
            let above = &reference?.above;
            let height = above.values().next()?.len();
            if table.keys().any(|v| above.get(v).is_none_or(|path| path.len() != height || height == 0)) {
                return None;
            }
            broken(&|c| {
                tree_distance(table, above, height, &|v| c.get(v).copied().unwrap_or(0) as f64 / size(c) - q(v))
                    <= number(1).unwrap_or(0.0) + close
            })
        }
        "dd" => broken(&|c| {
            table.keys().all(|v| {
                let p = c.get(v).copied().unwrap_or(0) as f64 / size(c);
                p > 0.0 && (p / q(v)).ln().abs() < number(1).unwrap_or(0.0) + close
            })
        }),
        "bl" | "be" => broken(&|c| {
            c.iter().all(|(v, x)| {
                let (p, q) = (*x as f64 / size(c), q(v));
                let beta = number(1).unwrap_or(0.0);
                let most = if parts[0] == "be" { beta.min(-q.ln()) } else { beta };
                p <= q || (p - q) / q <= most + close
            })
        }),
        "ar" => Some(usize::from(classes.len() as f64 / released.max(1.0) > number(1)? + close)),
        "su" => {
            let uniques = classes.iter().filter(|c| size(c) == 1.0).count();
            Some(usize::from(uniques as f64 / released.max(1.0) > number(1)? + close))
        }
        _ => None,
    }
}

/// The hierarchical distance as the mass that has to pass between the children of each node, by its height: what is too much in one
/// child goes to those with too little as far as it can, and the rest goes up (section 2.3).
fn tree_distance(
    table: &BTreeMap<String, u64>,
    above: &BTreeMap<String, Vec<String>>,
    height: usize,
    difference: &dyn Fn(&String) -> f64,
) -> f64 {
    let ancestor = |value: &String, level: usize| if level == 0 { value.clone() } else { above[value][level - 1].clone() };
    let mut distance = 0.0;
    for level in 1..=height {
        // Node → child → what its values have too much.
        let mut nodes: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for value in table.keys() {
            let children = nodes.entry(ancestor(value, level)).or_default();
            *children.entry(ancestor(value, level - 1)).or_default() += difference(value);
        }
        for children in nodes.values() {
            let more: f64 = children.values().filter(|d| **d > 0.0).sum();
            let less: f64 = children.values().filter(|d| **d < 0.0).map(|d| -d).sum();
            distance += level as f64 / height as f64 * more.min(less);
        }
    }
    distance
}
