//! Days as the masters write them.

use terms::days_from_civil;

/// What stands where a day should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Date {
    /// Nothing, `0`, `00000000`, or `99999999`, which never comes.
    None,
    /// A day.
    Day(i32),
    /// Neither.
    Unread,
}

impl Date {
    pub(crate) fn of(text: &str) -> Date {
        match text {
            "" | "0" | "00000000" | "99999999" => Date::None,
            text => any(text).map_or(Date::Unread, Date::Day),
        }
    }
}

/// `YYYYMMDD`.
pub(crate) fn compact(text: &str) -> Option<i32> {
    let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    if digits { days_from_civil(part(0..4)? as i32, part(4..6)?, part(6..8)?) } else { None }
}

/// `YYYYMMDD`, `YYYY-MM-DD`, `YYYY/MM/DD`; months and days of one digit too where something stands between.
pub(crate) fn any(text: &str) -> Option<i32> {
    let mark = if text.contains('-') { '-' } else { '/' };
    let Some((year, rest)) = text.split_once(mark) else { return compact(text) };
    let (month, day) = rest.split_once(mark)?;
    let number = |text: &str, most: usize| {
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if fits { text.parse::<u32>().ok() } else { None }
    };
    if year.len() != 4 {
        return None;
    }
    days_from_civil(number(year, 4)? as i32, number(month, 2)?, number(day, 2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_in_each_of_its_forms_and_no_other() {
        let day = days_from_civil(2024, 6, 1);
        for text in ["20240601", "2024-06-01", "2024/6/1"] {
            assert_eq!(any(text), day, "{text}");
        }
        for text in ["", "0", "00000000", "99999999"] {
            assert_eq!(Date::of(text), Date::None);
        }
        for text in ["20240631", "2024-06", "+024-06-01", "２０２４０６０１", "240601", "2024-6-1-"] {
            assert_eq!(Date::of(text), Date::Unread, "{text}");
        }
    }
}
