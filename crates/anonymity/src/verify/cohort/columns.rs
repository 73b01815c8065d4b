//! One column by itself: emptied, dates, times of day, bounds.

use std::collections::BTreeSet;

use super::{CohortVerified, Rule, few, number};
use crate::profile::{Profile, Treatment};

/// Year, month and day of `YYYY-MM-DD`, as texts.
fn date(cell: &str) -> Option<[&str; 3]> {
    let parts: Vec<&str> = cell.split('-').collect();
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    match parts[..] {
        [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => Some([year, month, day]),
        _ => None,
    }
}

/// Whether a clock stands in a cell: `12:34`.
fn has_time(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    let two = |at: usize| bytes.get(at..at + 2).is_some_and(|d| d.iter().all(u8::is_ascii_digit));
    let alone = |at: usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'T';
    bytes.iter().enumerate().any(|(at, b)| *b == b':' && at >= 2 && two(at - 2) && two(at + 1) && alone(at - 2))
}

/// Whether a number is the lower end of a band.
fn on_band(value: f64, width: f64) -> bool {
    ((value / width).round() * width - value).abs() <= 1e-6 * width.max(1.0)
}

/// Whether a number is as some treatment leaves it.
fn fits(treatment: &Treatment, value: f64) -> bool {
    match treatment {
        Treatment::Band { width } => on_band(value, *width),
        Treatment::Clamp { least, most } => least.is_none_or(|l| value >= l) && most.is_none_or(|m| value <= m),
        Treatment::Drop => value == 0.0,
        _ => true,
    }
}

/// Holds what the treatment of a column promises of its cells.
pub(super) fn check(
    profile: &Profile,
    place: &str,
    column: &str,
    treatment: &Treatment,
    cells: &[&str],
    persons: &[&str],
    out: &mut CohortVerified,
) {
    let filled = || cells.iter().filter(|cell| !cell.is_empty());
    let not = |test: &dyn Fn(&str) -> bool| filled().filter(|cell| !test(cell)).count();
    // Where a column is made coarser for some, their cells are as that step leaves them.
    let steps: Vec<&Treatment> =
        profile.privacy.iter().flat_map(|p| &p.coarsen).filter(|s| s.column == place).map(|s| &s.to).collect();
    match treatment {
        Treatment::Drop => out.hold(place, Rule::Emptied, not(&|cell| cell == "0")),
        Treatment::Shift => out.hold(place, Rule::Dates, not(&|cell| date(cell).is_some())),
        Treatment::Month => out.hold(place, Rule::Dates, not(&|cell| date(cell).is_some_and(|[_, _, day]| day == "01"))),
        Treatment::Year => {
            out.hold(place, Rule::Dates, not(&|cell| date(cell).is_some_and(|[_, month, day]| month == "01" && day == "01")));
        }
        Treatment::Band { .. } | Treatment::Clamp { .. } => {
            let fit = |cell: &str| number(cell).is_some_and(|n| fits(treatment, n) || steps.iter().any(|s| fits(s, n)));
            out.hold(place, Rule::Bounds, not(&fit));
        }
        Treatment::Extremes => {
            out.hold(place, Rule::Bounds, not(&|cell| number(cell).is_some()));
            // A step takes some persons from the ends; the classes are counted of these.
            if let Some(privacy) = profile.privacy.as_ref().filter(|_| steps.is_empty()) {
                let numbers = || cells.iter().zip(persons).filter_map(|(cell, person)| Some((number(cell)?, *person)));
                out.hold(place, Rule::Extremes, ends(numbers(), privacy.extreme_persons as usize));
            }
        }
        Treatment::Class { map, other } => {
            let classes: BTreeSet<&str> = map.values().map(String::as_str).chain([other.as_str()]).collect();
            out.hold(place, Rule::Words, not(&|cell| classes.contains(cell)));
            let least = profile.privacy.as_ref().map_or(0, |p| p.rare_persons as usize);
            let shown = cells.iter().zip(persons).filter(|(cell, _)| !cell.is_empty() && **cell != other.as_str());
            out.hold(place, Rule::Rare, few(shown.map(|(cell, person)| (*cell, (*person).to_owned())), least));
        }
        _ => {}
    }
    if profile.kind.is_anonymized() {
        let timed = column.ends_with("_datetime") || column == "measurement_time";
        let times = filled().filter(|cell| timed || has_time(cell)).count();
        out.hold(place, Rule::Times, times);
    }
}

/// How many of the two ends of some numbers fewer than `least` persons have.
pub(super) fn ends<'a>(numbers: impl Iterator<Item = (f64, &'a str)>, least: usize) -> usize {
    let numbers: Vec<(f64, &str)> = numbers.collect();
    let at = |end: f64| numbers.iter().filter(|(n, _)| *n == end).map(|(_, p)| *p).collect::<BTreeSet<_>>().len();
    let low = numbers.iter().map(|(n, _)| *n).reduce(f64::min);
    let high = numbers.iter().map(|(n, _)| *n).reduce(f64::max);
    low.into_iter().chain(high).filter(|end| at(*end) < least).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_seen_and_a_system_before_a_code_is_none() {
        for cell in ["2020-01-01T12:34:00", "12:34", "2020-01-01 09:00:00.000", "at 08:15"] {
            assert!(has_time(cell), "{cell}");
        }
        for cell in ["LN:1751-7", "I10:12", "ICD10:I10", "HL70127:12", "1:10", "2020-01-01"] {
            assert!(!has_time(cell), "{cell}");
        }
    }
}
