//! Dates and months of administrative files: western `YYYYMMDD`, era-coded `GYYMMDD`, and what people type.
//!
//! Which of them a field is, is decided field by field, by its length: files mix them (`receipt.md` §2).

use terms::days_from_civil;

/// A day, and whether it had to be computed outside its era (平成32年).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01.
    pub day: i32,
    /// Whether the date lies outside the era that it names.
    pub out_of_era: bool,
}

type Civil = (i32, u32, u32);

/// What is added to a year of each era, and the era's first and last day: 1912-07-30 and 1926-12-25 are in two.
const ERAS: [(i32, Civil, Civil); 5] = [
    (1867, (1868, 1, 25), (1912, 7, 30)),
    (1911, (1912, 7, 30), (1926, 12, 25)),
    (1925, (1926, 12, 25), (1989, 1, 7)),
    (1988, (1989, 1, 8), (2019, 4, 30)),
    (2018, (2019, 5, 1), (9999, 12, 31)),
];

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut n = 0u32;
    for b in digits {
        if !b.is_ascii_digit() {
            return None;
        }
        n = n * 10 + u32::from(b - b'0');
    }
    Some(n)
}

fn era_year(era: u8, year: u32) -> Option<i32> {
    let (offset, ..) = ERAS.get(usize::from(era.checked_sub(b'1')?))?;
    (year > 0).then(|| offset + year as i32)
}

fn era_day(era: u8, year: u32, month: u32, date: u32) -> Option<Day> {
    let (_, from, to) = ERAS.get(usize::from(era.checked_sub(b'1')?))?;
    let western = era_year(era, year)?;
    let day = days_from_civil(western, month, date)?;
    let (from, to) = (days_from_civil(from.0, from.1, from.2)?, days_from_civil(to.0, to.1, to.2)?);
    Some(Day { day, out_of_era: day < from || day > to })
}

/// Seven digits (`GYYMMDD`) or eight (`YYYYMMDD`). `None` for anything else and for days that do not exist.
#[inline]
pub fn day(bytes: &[u8]) -> Option<Day> {
    match bytes.len() {
        8 => {
            let year = number(&bytes[..4])? as i32;
            if !(1850..=2200).contains(&year) {
                return None;
            }
            let day = days_from_civil(year, number(&bytes[4..6])?, number(&bytes[6..])?)?;
            Some(Day { day, out_of_era: false })
        }
        7 => era_day(bytes[0], number(&bytes[1..3])?, number(&bytes[3..5])?, number(&bytes[5..])?),
        _ => None,
    }
}

/// A month: year and month of `YYYYMM` or `GYYMM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Western year.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

impl Month {
    /// Reads six digits (western) or five (era).
    pub fn of(bytes: &[u8]) -> Option<Month> {
        let (year, month) = match bytes.len() {
            6 => (number(&bytes[..4])? as i32, number(&bytes[4..])?),
            5 => (era_year(bytes[0], number(&bytes[1..3])?)?, number(&bytes[3..])?),
            _ => return None,
        };
        ((1850..=2200).contains(&year) && (1..=12).contains(&month)).then_some(Month { year, month })
    }

    /// The month that a day lies in.
    pub fn at(day: i32) -> Month {
        let (year, month, _) = terms::civil_from_days(day);
        Month { year, month }
    }

    /// Its first day.
    pub fn first(self) -> i32 {
        days_from_civil(self.year, self.month, 1).unwrap_or_default()
    }

    /// Its last day.
    pub fn last(self) -> i32 {
        let (year, month) = if self.month == 12 { (self.year + 1, 1) } else { (self.year, self.month + 1) };
        days_from_civil(year, month, 1).map_or(self.first() + 27, |d| d - 1)
    }

    /// Its n-th day, where it has one.
    pub fn nth(self, n: u32) -> Option<i32> {
        days_from_civil(self.year, self.month, n)
    }

    /// `YYYYMM` as a number.
    pub fn number(self) -> i32 {
        self.year * 100 + self.month as i32
    }
}

/// Dates as people type them: `2016-05-05`, `2024/4/8`, `S46.11.02`, `昭和20年12月31日`, `R6.9.12`, `令和元年5月1日`, and the
/// coded forms. The text is half-width already.
pub fn typed(text: &str) -> Option<Day> {
    let text = text.trim();
    if let Some(found) = day(text.as_bytes()) {
        return Some(found);
    }
    const NAMES: [(&str, u8); 10] = [
        ("明治", b'1'),
        ("大正", b'2'),
        ("昭和", b'3'),
        ("平成", b'4'),
        ("令和", b'5'),
        ("M", b'1'),
        ("T", b'2'),
        ("S", b'3'),
        ("H", b'4'),
        ("R", b'5'),
    ];
    let upper = text.to_ascii_uppercase();
    let named = NAMES.iter().find_map(|(name, era)| upper.strip_prefix(name).map(|rest| (*era, rest)));
    let (era, rest) = named.map_or((None, upper.as_str()), |(era, rest)| (Some(era), rest));
    let rest = rest.replace('元', "1");
    if let (Some(era), Some(6)) = (era, rest.bytes().all(|b| b.is_ascii_digit()).then_some(rest.len())) {
        let b = rest.as_bytes();
        return era_day(era, number(&b[..2])?, number(&b[2..4])?, number(&b[4..])?);
    }
    let mut parts = rest.split(['-', '/', '.', '年', '月', '日', ' ']).filter(|p| !p.is_empty());
    let mut next = || parts.next().and_then(|p| number(p.as_bytes()));
    let (year, month, date) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return None;
    }
    match era {
        Some(era) => era_day(era, year, month, date),
        None if (1850..=2200).contains(&year) => {
            days_from_civil(year as i32, month, date).map(|day| Day { day, out_of_era: false })
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn civil(day: Option<Day>) -> Option<(i32, u32, u32)> {
        day.map(|d| terms::civil_from_days(d.day))
    }

    #[test]
    fn the_length_decides_between_western_and_era() {
        assert_eq!(civil(day(b"19580314")), Some((1958, 3, 14)));
        assert_eq!(civil(day(b"3330314")), Some((1958, 3, 14)));
        assert_eq!(civil(day(b"5060705")), Some((2024, 7, 5)));
        assert_eq!(Month::of(b"50607"), Some(Month { year: 2024, month: 7 }));
        assert_eq!(Month::of(b"202407"), Some(Month { year: 2024, month: 7 }));
        for bad in [&b"19580231"[..], b"20241301", b"00000000", b"99999999", b"", b"6010101", b"2024-6-1", b"202406"] {
            assert_eq!(day(bad), None);
        }
    }

    #[test]
    fn eras_end_where_the_next_begins_and_one_day_is_both() {
        let fits = |b: &[u8]| day(b).map(|d| d.out_of_era);
        assert_eq!(fits(b"1450730"), Some(false));
        assert_eq!(fits(b"2010730"), Some(false));
        assert_eq!(fits(b"4310430"), Some(false));
        assert_eq!(fits(b"4310501"), Some(true));
        assert_eq!(fits(b"5010430"), Some(true));
        assert_eq!(fits(b"5010501"), Some(false));
        assert_eq!(civil(day(b"4320101")), Some((2020, 1, 1)));
    }

    #[test]
    fn typed_dates_are_read_in_every_style_of_the_samples() {
        for (text, date) in [
            ("S46.11.02", (1971, 11, 2)),
            ("昭和20年12月31日", (1945, 12, 31)),
            ("R6.9.12", (2024, 9, 12)),
            ("令和元年5月1日", (2019, 5, 1)),
            ("2016-05-05", (2016, 5, 5)),
            ("2024/4/8", (2024, 4, 8)),
            ("20240115", (2024, 1, 15)),
            ("H310430", (2019, 4, 30)),
        ] {
            assert_eq!(civil(typed(text)), Some(date), "{text}");
        }
        for bad in ["S20.02.31", "R6.13.01", "", "不明", "2024-1", "R6.9.12.1"] {
            assert_eq!(typed(bad), None, "{bad}");
        }
    }

    #[test]
    fn months_have_their_last_day() {
        let month = |b: &[u8]| Month::of(b).map(|m| terms::civil_from_days(m.last()));
        assert_eq!(month(b"202402"), Some((2024, 2, 29)));
        assert_eq!(month(b"202412"), Some((2024, 12, 31)));
        assert_eq!(Month::of(b"202402").and_then(|m| m.nth(30)), None);
    }
}
