//! One column by itself: emptied, dates, times of day, bounds.

use std::collections::BTreeSet;

use super::days::day;
use super::{CohortVerified, Rule, few, number};
use crate::profile::{Profile, Treatment};

/// Whether a clock stands in a cell: `12:34`.
fn has_time(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    let two = |at: usize| bytes.get(at..at + 2).is_some_and(|d| d.iter().all(u8::is_ascii_digit));
    let alone = |at: usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'T';
    bytes.iter().enumerate().any(|(at, b)| *b == b':' && at >= 2 && two(at - 2) && two(at + 1) && alone(at - 2))
}

/// Whether a number is the lower end of a band.
pub(super) fn on_band(value: f64, width: f64) -> bool {
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

/// Concepts of `=`, `<=`, `>=`, `<` and `>`, which the model knows as operators.
const OPERATORS: [&str; 5] = ["4172703", "4171754", "4171755", "4171756", "4172704"];

/// Columns of which the model wants a number in every row: emptied they say 0.
fn wanted(column: &str) -> bool {
    column.ends_with("_id") || ["year_of_birth", "dose_value"].contains(&column)
}

/// Whether a cell is a whole number, written as numbers are.
pub(super) fn whole(cell: &str) -> bool {
    cell.parse::<i64>().is_ok_and(|n| n.to_string() == cell)
}

/// Holds what the type of a column says of its cells, whatever the treatment.
fn of_type(place: &str, column: &str, cells: &[&str], out: &mut CohortVerified) {
    let not = |test: &dyn Fn(&str) -> bool| cells.iter().filter(|cell| !cell.is_empty() && !test(cell)).count();
    if column.ends_with("_concept_id") || column.ends_with("person_id") || column.ends_with("_of_birth") {
        out.hold(place, Rule::Words, not(&whole));
    }
    if column == "operator_concept_id" {
        out.hold(place, Rule::Words, not(&|cell| cell == "0" || OPERATORS.contains(&cell)));
    }
    if column == "value_as_number" {
        out.hold(place, Rule::Words, not(&|cell| number(cell).is_some()));
    }
    if ["person.gender_concept_id", "person.year_of_birth"].contains(&place) {
        // Where nobody's leaves it says 0.
        out.hold(place, Rule::Missing, cells.iter().filter(|cell| cell.is_empty()).count());
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
    of_type(place, column, cells, out);
    let filled = || cells.iter().filter(|cell| !cell.is_empty());
    let not = |test: &dyn Fn(&str) -> bool| filled().filter(|cell| !test(cell)).count();
    // Where a column is made coarser for some, their cells are as that step leaves them.
    let steps: Vec<&Treatment> =
        profile.privacy.iter().flat_map(|p| &p.coarsen).filter(|s| s.column == place).map(|s| &s.to).collect();
    match treatment {
        Treatment::Drop => out.hold(place, Rule::Emptied, not(&|cell| wanted(column) && number(cell) == Some(0.0))),
        Treatment::Month => out.hold(place, Rule::Dates, not(&|cell| day(cell).is_some_and(|(_, _, day)| day == 1))),
        Treatment::Year => {
            out.hold(place, Rule::Dates, not(&|cell| day(cell).is_some_and(|(_, month, day)| (month, day) == (1, 1))));
        }
        Treatment::Shift => out.hold(place, Rule::Dates, not(&|cell| day(cell).is_some())),
        _ if column.ends_with("_date") => out.hold(place, Rule::Dates, not(&|cell| day(cell).is_some())),
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
