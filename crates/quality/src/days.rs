//! Days → months, for series by month.

use terms::{civil_from_days, days_from_civil};

/// The first year of a series.
const FIRST_YEAR: i32 = 1980;
/// Months of a series, to the end of 2099.
pub(crate) const MONTHS: usize = 120 * 12;
/// The place of rows without a date, or with one outside the series.
pub(crate) const NO_MONTH: u16 = MONTHS as u16;

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(crate) fn day_of(text: &str) -> Option<i32> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
    if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return None;
    }
    days_from_civil(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// Number of a month of the series, as `YYYY-MM`.
pub(crate) fn month_text(month: u16) -> String {
    format!("{:04}-{:02}", FIRST_YEAR + i32::from(month) / 12, month % 12 + 1)
}

/// Days → month of the series, by table: dates are looked up for every row.
pub(crate) struct Calendar {
    first: i32,
    months: Vec<u16>,
}

impl Calendar {
    pub(crate) fn new() -> Calendar {
        let mut months = Vec::new();
        let first = days_from_civil(FIRST_YEAR, 1, 1).unwrap_or_default();
        for day in first.. {
            let (year, month, _) = civil_from_days(day);
            let number = (year - FIRST_YEAR) * 12 + month as i32 - 1;
            if number >= MONTHS as i32 {
                break;
            }
            months.push(number as u16);
        }
        Calendar { first, months }
    }

    pub(crate) fn month(&self, day: i32) -> u16 {
        let place = i64::from(day) - i64::from(self.first);
        usize::try_from(place).ok().and_then(|i| self.months.get(i)).copied().unwrap_or(NO_MONTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_series_has_its_month() {
        let calendar = Calendar::new();
        for (day, month) in [("1980-01-01", "1980-01"), ("2024-02-29", "2024-02"), ("2099-12-31", "2099-12")] {
            assert_eq!(month_text(calendar.month(day_of(day).expect("a day"))), month);
        }
        for day in ["1979-12-31", "2100-01-01", "0001-01-01"] {
            assert_eq!(calendar.month(day_of(day).expect("a day")), NO_MONTH);
        }
        assert_eq!(calendar.month(i32::MAX), NO_MONTH);
        assert_eq!(calendar.month(i32::MIN), NO_MONTH);
        assert_eq!((day_of("2023-02-29"), day_of("2023-2-9"), day_of("today")), (None, None, None));
    }
}
