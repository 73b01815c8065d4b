//! Days and moments as they are written in messages and file names.

use std::fmt;

use terms::{civil_from_days, days_from_civil};

/// Days since 1970-01-01.
pub type Day = i32;

/// A day of the calendar; 1970-01-01 for a date that does not exist.
pub fn day(year: i32, month: u32, of_month: u32) -> Day {
    days_from_civil(year, month, of_month).unwrap_or(0)
}

/// The year of a day.
pub fn year(day: Day) -> i32 {
    civil_from_days(day).0
}

/// Whole years from birth to a day.
pub fn age(birth: Day, on: Day) -> i32 {
    let ((by, bm, bd), (y, m, d)) = (civil_from_days(birth), civil_from_days(on));
    y - by - i32::from((m, d) < (bm, bd))
}

/// The day someone born on `birth` turns `years` (1 March for those born on 29 February).
pub fn birthday(birth: Day, years: i32) -> Day {
    let (y, m, d) = civil_from_days(birth);
    days_from_civil(y + years, m, d).unwrap_or_else(|| day(y + years, 3, 1))
}

/// A month of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// The month of a day.
    pub fn of(day: Day) -> Self {
        let (y, m, _) = civil_from_days(day);
        Self(y * 12 + m as i32 - 1)
    }

    /// So many months later.
    pub fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    /// Its first day.
    pub fn first(self) -> Day {
        day(self.0.div_euclid(12), self.0.rem_euclid(12) as u32 + 1, 1)
    }

    /// Its last day.
    pub fn last(self) -> Day {
        self.plus(1).first() - 1
    }
}

/// `YYYYMM`
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// `YYYYMMDD`
pub struct Compact(pub Day);

impl fmt::Display for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = civil_from_days(self.0);
        write!(f, "{y:04}{m:02}{d:02}")
    }
}

/// `YYYY-MM-DD`
pub struct Iso(pub Day);

impl fmt::Display for Iso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = civil_from_days(self.0);
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

/// A moment of local time, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00 local time.
    millis: i64,
}

const DAY_MILLIS: i64 = 86_400_000;

impl Moment {
    /// A moment of a day, in minutes from midnight.
    pub fn at(day: Day, minute: i32) -> Self {
        Self { millis: i64::from(day) * DAY_MILLIS + i64::from(minute) * 60_000 }
    }

    /// Later by so many milliseconds.
    pub fn plus(self, millis: i64) -> Self {
        Self { millis: self.millis + millis }
    }

    /// Later by so many minutes.
    pub fn later(self, minutes: i32) -> Self {
        self.plus(i64::from(minutes) * 60_000)
    }

    /// Its day.
    pub fn day(self) -> Day {
        self.millis.div_euclid(DAY_MILLIS) as Day
    }

    /// The first `digits` of `YYYYMMDDHHMMSSmmm`: 8, 12, 14 or 17.
    pub fn digits(self, digits: usize) -> Digits {
        Digits(self, digits)
    }

    /// `YYYYMMDDHHMMSS.mmm`, the form of MSH-7.
    pub fn message(self) -> impl fmt::Display {
        MessageTime(self)
    }
}

/// A moment, cut.
pub struct Digits(Moment, usize);

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = civil_from_days(self.0.day());
        let left = self.0.millis.rem_euclid(DAY_MILLIS);
        write!(f, "{y:04}{m:02}{d:02}")?;
        if self.1 > 8 {
            write!(f, "{:02}{:02}", left / 3_600_000, left / 60_000 % 60)?;
        }
        if self.1 > 12 {
            write!(f, "{:02}", left / 1_000 % 60)?;
        }
        if self.1 > 14 {
            write!(f, "{:03}", left % 1_000)?;
        }
        Ok(())
    }
}

struct MessageTime(Moment);

impl fmt::Display for MessageTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0.digits(14), self.0.millis.rem_euclid(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_file_names_and_messages_want_them() {
        let moment = Moment::at(day(2024, 2, 29), 9 * 60 + 5).plus(7_008);
        assert_eq!(moment.digits(17).to_string(), "20240229090507008");
        assert_eq!(moment.digits(12).to_string(), "202402290905");
        assert_eq!(moment.message().to_string(), "20240229090507.008");
        assert_eq!((Compact(moment.day()).to_string(), Iso(0).to_string()), ("20240229".into(), "1970-01-01".into()));
    }

    #[test]
    fn people_turn_75_on_their_birthday() {
        let birth = day(1950, 6, 15);
        assert_eq!((age(birth, day(2025, 6, 14)), age(birth, day(2025, 6, 15))), (74, 75));
        assert_eq!(birthday(day(1948, 2, 29), 75), day(2023, 3, 1));
    }
}
