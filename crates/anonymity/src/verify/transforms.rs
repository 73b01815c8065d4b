//! What the transforms of a report promise, looked for in the released rows.

use std::collections::BTreeMap;

use crate::micro::Transformed;

/// Whether the rows bear a transform out, and what they show where they do not.
pub(super) fn broken(transform: &Transformed, header: &csv::StringRecord, rows: &[csv::StringRecord]) -> Option<String> {
    let place = |column: &str| header.iter().position(|h| h == column);
    let Some(places) = transform.columns.iter().map(|c| place(c)).collect::<Option<Vec<usize>>>() else {
        return Some("a column is missing".to_owned());
    };
    let at = *places.first()?;
    // The two ends of a column stand side by side, each with the column's name.
    let forms: Vec<Vec<&str>> = transform
        .written
        .split(&format!(" {}=", transform.columns[0]))
        .map(|text| text.rsplit_once('=').map_or(text, |(_, form)| form).splitn(4, ':').collect())
        .collect();
    let number = |form: &[&str]| form.get(1).and_then(|n| n.parse::<f64>().ok());
    let cells = || rows.iter().map(|row| &row[at]).filter(|cell| !cell.trim().is_empty());
    match forms[0][0] {
        "micro" | "mdav" | "microopt" => {
            let mut together: BTreeMap<Vec<&str>, u64> = BTreeMap::new();
            for row in rows.iter().filter(|row| !row[at].trim().is_empty()) {
                *together.entry(places.iter().map(|at| &row[*at]).collect()).or_default() += 1;
            }
            let smallest = together.values().copied().min().unwrap_or(u64::MAX);
            let least = number(&forms[0]).unwrap_or(f64::MAX);
            ((smallest as f64) < least).then(|| format!("a value of {smallest} rows"))
        }
        "round" => {
            let width = number(&forms[0])?;
            let even = |cell: &str| cell.parse::<f64>().is_ok_and(|x| (x / width - (x / width).round()).abs() < 1e-6);
            cells().any(|cell| !even(cell)).then(|| "a value that is no multiple".to_owned())
        }
        "pram" => {
            let values = transform.matrix.as_ref().map(|m| m.values.as_slice()).unwrap_or_default();
            rows.iter().any(|row| !values.iter().any(|v| *v == row[at])).then(|| "a value that the matrix has not".to_owned())
        }
        _ => ended(transform, &forms, header, rows, at),
    }
}

/// A bound as it stands in the rows: with 12 digits.
fn written(bound: f64) -> f64 {
    format!("{bound:.11e}").parse().unwrap_or(bound)
}

fn ended(
    transform: &Transformed,
    forms: &[Vec<&str>],
    header: &csv::StringRecord,
    rows: &[csv::StringRecord],
    at: usize,
) -> Option<String> {
    let by = match forms[0].get(3) {
        Some(column) => Some(header.iter().position(|h| h == *column)?),
        None => None,
    };
    // Stratum → rows at the upper end, rows at the lower end.
    let mut ends: BTreeMap<Option<&str>, (u64, u64)> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row[at].trim().is_empty()) {
        let stratum = by.map(|by| &row[by]);
        let Some(bound) = transform.bounds.iter().find(|b| b.stratum.as_deref() == stratum) else {
            return Some("a stratum without bounds".to_owned());
        };
        let counts = ends.entry(stratum).or_default();
        let cell = row[at].trim();
        let (top, bottom) = (bound.top.map(written), bound.bottom.map(written));
        let number = |text: &str| text.parse::<f64>().ok();
        let as_said = match (cell.strip_prefix(">="), cell.strip_prefix("<=")) {
            (Some(end), _) => {
                counts.0 += 1;
                bound.top.is_some() && number(end) == top
            }
            (_, Some(end)) => {
                counts.1 += 1;
                bound.bottom.is_some() && number(end) == bottom
            }
            _ if bound.top.is_none() && bound.bottom.is_none() => cell == "*",
            _ => number(cell).is_some_and(|x| top.is_none_or(|t| x < t) && bottom.is_none_or(|b| x > b)),
        };
        if !as_said {
            return Some("a value beyond its bound".to_owned());
        }
    }
    for form in forms {
        let least = form.get(1).and_then(|n| n.parse::<u64>().ok())?;
        let few = |(top, bottom): &(u64, u64)| {
            let end = if form[0] == "top" { *top } else { *bottom };
            end > 0 && end < least
        };
        if let Some(found) = ends.values().find(|counts| few(counts)) {
            return Some(format!("an end of {} and {} rows", found.0, found.1));
        }
    }
    None
}
