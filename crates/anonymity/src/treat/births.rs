//! Births, moved with the dates of their person: beside dates that moved, a birth that did not would tell the shift of
//! everybody who was seen on the first day of life.

use arrow::array::{Array, Int32Array};

use crate::profile::Profile;

/// The parts of a birth, as columns of `person`.
pub const COLUMNS: [&str; 3] = ["year_of_birth", "month_of_birth", "day_of_birth"];

/// Whether a column holds a part of a birth that moves with the dates of the profile.
pub fn moves(profile: &Profile, table: &str, column: &str) -> bool {
    table == "person" && COLUMNS.contains(&column) && profile.moves_dates()
}

/// Years, months and days of birth after the shift of each row's person. A missing month counts as the middle of the year, a
/// missing day as the middle of the month; what is missing stays missing. A year or month that no calendar has is emptied
/// with what depends on it.
pub fn moved(
    years: &Int32Array,
    months: Option<&Int32Array>,
    days: Option<&Int32Array>,
    persons: &[u32],
    shifts: &[i32],
) -> [Int32Array; 3] {
    let mut out: [Vec<Option<i32>>; 3] = Default::default();
    for (row, person) in persons.iter().enumerate() {
        let year = years.is_valid(row).then(|| years.value(row));
        let at = |column: Option<&Int32Array>, most: i32| {
            let array = column?;
            array.is_valid(row).then(|| array.value(row)).filter(|v| (1..=most).contains(v))
        };
        let (month, day) = (at(months, 12), at(days, 31));
        let birth = year.filter(|y| (1..=9999).contains(y)).map(|year| {
            let day = if month.is_some() { day.unwrap_or(15) } else { 1 };
            civil(days_from_civil(year, month.unwrap_or(7), day).saturating_add(shifts[*person as usize]))
        });
        out[0].push(birth.map(|(year, ..)| year));
        out[1].push(birth.filter(|_| month.is_some()).map(|(_, month, _)| month));
        out[2].push(birth.filter(|_| month.is_some() && day.is_some()).map(|(.., day)| day));
    }
    out.map(Int32Array::from)
}

/// Days since 1970-01-01 of the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: i32) -> (i32, i32, i32) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{civil, days_from_civil};

    #[test]
    fn a_day_and_its_number_are_one() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 2, 29), 11_016);
        let mut before = (0, 0, 0);
        for day in -40_000..60_000 {
            let now = civil(day);
            assert_eq!(days_from_civil(now.0, now.1, now.2), day);
            assert!(now > before);
            before = now;
        }
    }
}
