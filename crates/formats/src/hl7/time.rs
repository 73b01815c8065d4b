use terms::{Micros, days_from_civil, micros_from_civil};

/// A time stamp `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+ZZZZ]`, as local time of Japan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Day; the first of the month or year where no more is stated.
    pub day: i32,
    /// Time of the day; `None` when only the day is stated.
    pub micros: Option<Micros>,
    /// Whether the day itself is not stated.
    pub partial: bool,
}

/// Why a time stamp gives no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFault {
    /// Not of the form, or no such day.
    Unreadable,
}

/// Japan's offset from UTC, minutes.
const JAPAN: i64 = 9 * 60;

impl Time {
    /// Reads a time stamp. `24:00` is the next day's midnight. A readable day with an unreadable time gives the day.
    ///
    /// # Errors
    /// [`TimeFault`] when not even a year can be read.
    pub fn parse(text: &str) -> Result<Time, TimeFault> {
        let bytes = text.as_bytes();
        let digits = bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len());
        let number =
            |from: usize, length: usize| bytes[from..from + length].iter().fold(0u32, |n, b| n * 10 + u32::from(b - b'0'));
        let year = if digits >= 4 { number(0, 4) as i32 } else { return Err(TimeFault::Unreadable) };
        let month = if digits >= 6 { number(4, 2) } else { 1 };
        let date = if digits >= 8 { number(6, 2) } else { 1 };
        let day = days_from_civil(year, month, date).ok_or(TimeFault::Unreadable)?;
        if !tail_fits(&bytes[digits..]) || matches!(digits, 5 | 7) {
            return Err(TimeFault::Unreadable);
        }
        if digits < 10 {
            return Ok(Time { day, micros: None, partial: digits < 8 });
        }
        let hour = number(8, 2);
        let minute = if digits >= 12 { number(10, 2) } else { 0 };
        let second = if digits >= 14 { number(12, 2) } else { 0 };
        let micros = if (hour, minute, second) == (24, 0, 0) {
            micros_from_civil(day + 1, 0, 0, 0, 0)
        } else {
            micros_from_civil(day, hour, minute, second.min(59), fraction(bytes, digits))
        };
        let Some(local) = micros else {
            return Ok(Time { day, micros: None, partial: false });
        };
        let shifted = local + (JAPAN - zone(bytes).unwrap_or(JAPAN)) * 60_000_000;
        Ok(Time { day: shifted.div_euclid(86_400_000_000) as i32, micros: Some(shifted), partial: false })
    }
}

/// Nothing, or a fraction, or an offset of four digits, or both.
fn tail_fits(tail: &[u8]) -> bool {
    let tail = match tail {
        [b'.', rest @ ..] => &rest[rest.iter().take_while(|b| b.is_ascii_digit()).count()..],
        other => other,
    };
    match tail {
        [] => true,
        [b'+' | b'-', offset @ ..] => offset.len() == 4 && offset.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Fraction of the second; also the three digits that file names put directly behind the seconds.
fn fraction(bytes: &[u8], digits: usize) -> u32 {
    let from = match bytes.get(digits) {
        Some(b'.') => digits + 1,
        _ if digits > 14 => 14,
        _ => return 0,
    };
    let mut scale = 100_000;
    let mut micros = 0;
    for b in bytes[from..].iter().take_while(|b| b.is_ascii_digit()).take(6) {
        micros += u32::from(b - b'0') * scale;
        scale /= 10;
    }
    micros
}

/// Offset from UTC in minutes, when one is stated.
fn zone(bytes: &[u8]) -> Option<i64> {
    let at = bytes.iter().position(|b| matches!(b, b'+' | b'-'))?;
    let part = bytes.get(at + 1..at + 5)?;
    if !part.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = |i: usize| i64::from(part[i] - b'0');
    let minutes = (value(0) * 10 + value(1)) * 60 + value(2) * 10 + value(3);
    Some(if bytes[at] == b'-' { -minutes } else { minutes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(y: i32, m: u32, d: u32) -> i32 {
        days_from_civil(y, m, d).unwrap_or_default()
    }

    #[test]
    fn times_are_read_as_far_as_they_go() {
        let at = |text| Time::parse(text).expect(text);
        assert_eq!(at("20240401"), Time { day: day(2024, 4, 1), micros: None, partial: false });
        assert_eq!(at("202404"), Time { day: day(2024, 4, 1), micros: None, partial: true });
        assert_eq!(at("2024"), Time { day: day(2024, 1, 1), micros: None, partial: true });
        let nine = i64::from(day(2024, 4, 1)) * 86_400_000_000 + 9 * 3_600_000_000;
        for text in ["2024040109", "202404010900", "20240401090000", "20240401090000.000", "20240401090000+0900"] {
            assert_eq!(at(text).micros, Some(nine), "{text}");
        }
        assert_eq!(at("20240401000000+0000").micros, Some(nine));
        assert_eq!(at("20240401090000456").micros, Some(nine + 456_000));
        assert_eq!(at("20240401090000.4567").micros, Some(nine + 456_700));
        assert_eq!(at("202404012400"), Time { day: day(2024, 4, 2), micros: Some(nine + 15 * 3_600_000_000), partial: false });
    }

    #[test]
    fn what_is_no_time_is_said_to_be_none() {
        for text in ["", "2024040", "20241301", "20240230", "令和6年", "19991399", "20240401x", "2024-04-01", "2024/04/01", "x"]
        {
            assert_eq!(Time::parse(text), Err(TimeFault::Unreadable), "{text}");
        }
        assert_eq!(Time::parse("202404019900").map(|t| t.micros), Ok(None), "the day is kept");
    }
}
