//! Dates as the numbers that Arrow keeps: days and microseconds since 1970-01-01, without a time zone
//! (Japanese local time). Own arithmetic, because readers turn tens of thousands of dates a second into numbers.

/// Microseconds since 1970-01-01T00:00:00 local time, the unit of every timestamp column.
pub type Micros = i64;

/// Days since 1970-01-01 of a proleptic Gregorian date, `None` when there is no such day.
pub fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    if !(1..=12).contains(&month) || !(1..=9999).contains(&year) {
        return None;
    }
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day == 0 || day > last {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let m = month as i32;
    let day_of_year = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month and day of a number of days since 1970-01-01; the inverse of [`days_from_civil`].
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let z = i64::from(days) + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month, day)
}

/// Microseconds since 1970-01-01T00:00:00 of a local date and time, `None` when there is no such time.
pub fn micros_from_civil(days: i32, hour: u32, minute: u32, second: u32, micros: u32) -> Option<Micros> {
    if hour > 23 || minute > 59 || second > 59 || micros > 999_999 {
        return None;
    }
    let seconds = i64::from(days) * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some(seconds * 1_000_000 + i64::from(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_agrees_with_the_calendar_library() {
        let mut date = jiff::civil::date(1799, 12, 31);
        let epoch = jiff::civil::date(1970, 1, 1);
        for _ in 0..146_200 {
            let days = (date - epoch).get_days();
            let (y, m, d) = (i32::from(date.year()), date.month() as u32, date.day() as u32);
            assert_eq!(days_from_civil(y, m, d), Some(days));
            assert_eq!(civil_from_days(days), (y, m, d));
            date = date.tomorrow().expect("within the range of the library");
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for (y, m, d) in [(1999, 13, 1), (1999, 2, 29), (1900, 2, 29), (2024, 4, 31), (2024, 0, 1), (2024, 1, 0), (0, 1, 1)] {
            assert_eq!(days_from_civil(y, m, d), None, "{y}-{m}-{d}");
        }
        assert_eq!(micros_from_civil(0, 24, 0, 0, 0), None);
    }
}
