//! Days: whether a cell is one, how exact it is, and whether it lies in the period of the policy.

use super::{CohortVerified, Flat, Rule};
use crate::profile::{Kind, Profile, Treatment};

/// Year, month and day.
pub(super) type Day = (u32, u32, u32);

/// Nobody whose data are delivered lived before, and no event is recorded as of later: what lies outside stands for something else.
const YEARS: std::ops::RangeInclusive<u32> = 1900..=2100;

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn length(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The day that a cell says as `YYYY-MM-DD`; none where it says none.
pub(super) fn day(cell: &str) -> Option<Day> {
    let parts: Vec<&str> = cell.split('-').collect();
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    let [year, month, day] = parts[..] else { return None };
    if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return None;
    }
    let (year, month, day) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let is = YEARS.contains(&year) && (1..=12).contains(&month) && (1..=length(year, month)).contains(&day);
    is.then_some((year, month, day))
}

/// Days from the first of 1900 on, counted year by year and month by month.
pub(super) fn number((year, month, day): Day) -> i64 {
    let years: u32 = (1900..year).map(|y| if is_leap(y) { 366 } else { 365 }).sum();
    let months: u32 = (1..month).map(|m| length(year, m)).sum();
    i64::from(years + months + day - 1)
}

/// Tables of which the day of no row decides whether it is in the period.
const UNDATED: [&str; 2] = ["payer_plan_period", "cost"];

/// Holds that the days of a table lie in the period of the policy: the first date of each row, and both ends of observation periods. Where dates were
/// moved, as far within it as the largest shift.
pub(super) fn in_period(profile: &Profile, name: &str, table: &Flat, out: &mut CohortVerified) {
    let end = |text: &Option<String>| text.as_deref().and_then(day);
    let (from, to) = (end(&profile.cohort.from), end(&profile.cohort.to));
    if (from, to) == (None, None) {
        return;
    }
    let decided = &profile.tables[name].columns;
    let of = |column: &str| decided.get(column).filter(|t| **t != Treatment::Drop);
    let dates: Vec<(&String, &Treatment)> =
        table.header.iter().filter(|c| c.ends_with("_date")).filter_map(|c| Some((c, of(c)?))).collect();
    let moved = dates.iter().position(|(_, t)| **t == Treatment::Shift);
    let held = match moved {
        _ if name == "observation_period" => &dates[..],
        Some(at) => &dates[at..=at],
        None if UNDATED.contains(&name) => &[],
        None => &dates[..dates.len().min(1)],
    };
    let most = i64::from(profile.privacy.as_ref().and_then(|p| p.shift_days).unwrap_or(0));
    // A death in a month with few others is told by the year alone.
    let by_year = |column: &str| profile.kind == Kind::LinkableAnonymized && column == "death_date";
    for (column, treatment) in held {
        let inside = |cell: &str| {
            let Some(day) = day(cell) else { return true };
            let (first, last) = match treatment {
                Treatment::Shift => (from.map(|f| number(f) + most), to.map(|t| number(t) - most)),
                Treatment::Month if !by_year(column) => (from.map(|(y, m, _)| number((y, m, 1))), to.map(number)),
                Treatment::Month | Treatment::Year => (from.map(|(y, ..)| number((y, 1, 1))), to.map(number)),
                _ => (from.map(number), to.map(number)),
            };
            first.is_none_or(|first| number(day) >= first) && last.is_none_or(|last| number(day) <= last)
        };
        let cells = table.column(column).unwrap_or_default();
        out.hold(format!("{name}.{column}"), Rule::Period, cells.into_iter().filter(|cell| !inside(cell)).count());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar_and_follow_each_other() {
        for cell in ["2024-02-29", "1900-01-01", "2100-12-31", "2000-02-29"] {
            assert!(day(cell).is_some(), "{cell}");
        }
        for cell in
            ["2023-02-29", "1900-02-29", "2024-99-99", "2024-00-10", "2024-1-1", "1850-01-01", "9999-12-31", "0001-01-01", ""]
        {
            assert_eq!(day(cell), None, "{cell}");
        }
        let mut next = 0;
        for year in 1900..=2100 {
            for month in 1..=12 {
                for of in 1..=length(year, month) {
                    assert_eq!(number((year, month, of)), next);
                    next += 1;
                }
            }
        }
        assert_eq!(next, 73_414);
    }
}
