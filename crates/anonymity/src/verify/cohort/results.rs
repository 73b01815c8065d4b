//! Results of tests: numbers, and the texts that stand for them, by item and unit.

use std::collections::BTreeMap;

use super::columns::ends;
use super::{CohortVerified, Flat, OTHER, Rule, few, number};
use crate::profile::{Profile, Treatment, ValueRule};

/// A row of a result.
struct Result<'a> {
    item: (&'a str, &'a str),
    person: &'a str,
    number: Option<f64>,
    text: &'a str,
}

/// Holds what is promised of the results of a table, where it has any.
pub(super) fn check(profile: &Profile, name: &str, table: &Flat, out: &mut CohortVerified) {
    let Some(privacy) = profile.privacy.as_ref().filter(|_| profile.kind.is_anonymized()) else { return };
    let columns = &profile.tables[name].columns;
    let Some(code) = columns.values().find_map(|t| if let Treatment::Value { code } = t { Some(code) } else { None }) else {
        return;
    };
    let unit = columns.iter().find(|(_, t)| **t == Treatment::Unit).and_then(|(c, _)| table.column(c));
    let treated = |c: &str| matches!(columns.get(c), Some(Treatment::Value { .. }));
    let cells = |c: &str| table.column(c).filter(|_| treated(c));
    let (Some(codes), persons) = (table.column(code), table.persons()) else { return };
    let numbers = cells("value_as_number");
    let texts = cells("value_source_value").or_else(|| cells("value_as_string"));
    let results: Vec<Result<'_>> = (0..table.rows.len())
        .map(|row| Result {
            item: (codes[row], unit.as_ref().map_or("", |u| u[row])),
            person: persons[row],
            number: numbers.as_ref().and_then(|n| number(n[row])),
            text: texts.as_ref().map_or("", |t| t[row]),
        })
        .collect();
    let rule = |code: &str| profile.values.iter().filter(|r| code.starts_with(&r.code)).max_by_key(|r| r.code.len());
    let place = format!("{name}.value_as_number");
    out.hold(&place, Rule::Bounds, results.iter().filter(|r| rule(r.item.0).is_some_and(|rule| breaks(rule, r))).count());
    let mut items: BTreeMap<(&str, &str), Vec<(f64, &str)>> = BTreeMap::new();
    for result in &results {
        if let Some(n) = result.number {
            items.entry(result.item).or_default().push((n, result.person));
        }
    }
    let least = privacy.extreme_persons as usize;
    out.hold(&place, Rule::Extremes, items.values().map(|n| ends(n.iter().copied(), least)).sum());
    let banded = |r: &&Result<'_>| rule(r.item.0).is_some_and(|rule| rule.band.is_some());
    let words = results.iter().filter(|r| r.number.is_none() && !r.text.is_empty() && r.text != OTHER).filter(|r| !banded(r));
    let pairs = words.map(|r| ((r.item.0, r.text), r.person.to_owned()));
    out.hold(format!("{name}.value_source_value"), Rule::Rare, few(pairs, privacy.rare_persons as usize));
}

/// Whether a result is not as the rule of its item says.
fn breaks(rule: &ValueRule, result: &Result<'_>) -> bool {
    let bounded = result.text.starts_with(['<', '>']);
    let beyond = |n: f64| rule.top.is_some_and(|top| n > top) || rule.bottom.is_some_and(|bottom| n < bottom);
    match (result.number, rule.band) {
        (Some(n), Some(_)) => beyond(n) || (!bounded && !result.text.is_empty()),
        (Some(n), None) => beyond(n),
        (None, Some(width)) => {
            let Some((from, to)) = result.text.rsplit_once('-') else { return false };
            let (Some(from), Some(to)) = (number(from), number(to)) else { return false };
            (to - from - width).abs() > 1e-6 || ((from / width).round() * width - from).abs() > 1e-6
        }
        (None, None) => false,
    }
}
