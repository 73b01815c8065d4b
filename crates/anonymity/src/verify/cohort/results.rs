//! Results of tests: numbers, and the texts that stand for them, by item and unit.

use std::collections::BTreeMap;

use super::columns::{ends, on_band};
use super::{CohortVerified, Flat, OTHER, Rule, few, number};
use crate::profile::{Profile, Treatment, ValueRule};

/// A row of a result.
struct Result<'a> {
    item: (&'a str, &'a str),
    person: &'a str,
    number: Option<f64>,
}

/// Holds what is promised of the results of a table, where it has any.
pub(super) fn check(profile: &Profile, name: &str, table: &Flat, out: &mut CohortVerified) {
    let columns = &profile.tables[name].columns;
    let Some(code) = columns.values().find_map(|t| if let Treatment::Value { code } = t { Some(code) } else { None }) else {
        return;
    };
    let unit = columns.iter().find(|(_, t)| **t == Treatment::Unit).and_then(|(c, _)| table.column(c));
    let treated = |c: &str| matches!(columns.get(c), Some(Treatment::Value { .. }));
    let cells = |c: &str| table.column(c).filter(|_| treated(c));
    let (Some(codes), persons) = (table.column(code), table.persons()) else { return };
    let numbers = cells("value_as_number");
    let results: Vec<Result<'_>> = (0..table.rows.len())
        .map(|row| Result {
            item: (codes[row], unit.as_ref().map_or("", |u| u[row])),
            person: persons[row],
            number: numbers.as_ref().and_then(|n| number(n[row])),
        })
        .collect();
    let texts: Vec<(&str, Vec<&str>)> =
        ["value_source_value", "value_as_string"].into_iter().filter_map(|c| Some((c, cells(c)?))).collect();
    for (column, texts) in &texts {
        let beside = results.iter().zip(texts).filter(|(result, text)| result.number.is_some_and(|n| !stands_for(text, n)));
        out.hold(format!("{name}.{column}"), Rule::Words, beside.count());
    }
    let Some(privacy) = profile.privacy.as_ref().filter(|_| profile.kind.is_anonymized()) else { return };

    let rule = |code: &str| profile.values.iter().filter(|r| code.starts_with(&r.code)).max_by_key(|r| r.code.len());
    let place = format!("{name}.value_as_number");
    let broken = results.iter().enumerate().filter(|(row, result)| {
        let of = |text| rule(result.item.0).is_some_and(|rule| breaks(rule, result.number, text));
        if texts.is_empty() { of(None) } else { texts.iter().any(|(_, texts)| of(Some(texts[*row]))) }
    });
    out.hold(&place, Rule::Bounds, broken.count());
    let mut items: BTreeMap<(&str, &str), Vec<(f64, &str)>> = BTreeMap::new();
    for result in &results {
        if let Some(n) = result.number {
            items.entry(result.item).or_default().push((n, result.person));
        }
    }
    let least = privacy.extreme_persons as usize;
    out.hold(&place, Rule::Extremes, items.values().map(|n| ends(n.iter().copied(), least)).sum());
    for (column, texts) in &texts {
        let banded =
            |result: &Result<'_>, text: &str| rule(result.item.0).is_some_and(|r| r.band.is_some()) && band(text).is_some();
        let words = results.iter().zip(texts).filter(|(r, text)| r.number.is_none() && !text.is_empty() && **text != OTHER);
        let words = words.filter(|(r, text)| !banded(r, text));
        let pairs = words.map(|(r, text)| ((r.item.0, *text), r.person.to_owned()));
        out.hold(format!("{name}.{column}"), Rule::Rare, few(pairs, privacy.rare_persons as usize));
    }
}

/// A number as a result says it: nine digits after the point at most, none that say nothing.
fn plain(n: f64) -> String {
    let text = format!("{n:.9}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Whether a text beside a number says nothing but the number, with the sign of a bound where it is one.
fn stands_for(text: &str, n: f64) -> bool {
    let bare = ["<=", ">=", "<", ">"].into_iter().find_map(|sign| text.strip_prefix(sign)).unwrap_or(text);
    text.is_empty() || text == OTHER || bare == plain(n)
}

/// The ends of a band, where a text is one.
fn band(text: &str) -> Option<(f64, f64)> {
    text.match_indices('-').find_map(|(at, _)| Some((number(&text[..at])?, number(&text[at + 1..])?)))
}

/// Whether a result is not as the rule of its item says; `text` where the table tells any.
fn breaks(rule: &ValueRule, shown: Option<f64>, text: Option<&str>) -> bool {
    let beyond = |n: f64| rule.top.is_some_and(|top| n > top) || rule.bottom.is_some_and(|bottom| n < bottom);
    match (shown, rule.band) {
        // Only the bound that a value is beyond stands as a number.
        (Some(n), Some(width)) => {
            let bound = on_band(n, width) || rule.top == Some(n) || rule.bottom == Some(n);
            beyond(n) || !bound || text.is_some_and(|text| !text.starts_with(['<', '>']))
        }
        (Some(n), None) => beyond(n),
        (None, Some(width)) => text.and_then(|text| Some((text, band(text)?))).is_some_and(|(text, (from, to))| {
            (to - from - width).abs() > 1e-6 || !on_band(from, width) || text != format!("{}-{}", plain(from), plain(to))
        }),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_a_number_stands_the_number_or_nothing() {
        for text in ["", OTHER, "6.8", "<6.8", ">=6.8"] {
            assert!(stands_for(text, 6.8), "{text}");
        }
        for text in ["6.80", "6.9", "6.8 ", "=6.8", "6.8000000000001", "<", "山田太郎", "<<6.8", "6.8 090-1234-5678"] {
            assert!(!stands_for(text, 6.8), "{text}");
        }
        assert_eq!((plain(-0.0), plain(181.0), plain(1.0 / 3.0)), ("0".to_owned(), "181".to_owned(), "0.333333333".to_owned()));
    }

    #[test]
    fn a_band_is_two_numbers_whatever_their_signs() {
        assert_eq!(band("50-55"), Some((50.0, 55.0)));
        assert_eq!(band("-10--5"), Some((-10.0, -5.0)));
        assert_eq!((band("-5"), band("陰性"), band("090-1234-5678")), (None, None, None));
    }
}
