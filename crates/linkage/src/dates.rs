//! Birth dates as people write them, for tables that bring them as text.

use terms::days_from_civil;

use crate::text::plain;

/// First day and first year of each era, latest first (the day before belongs to the era before).
const ERAS: [(&str, &str, i32, u32, u32); 5] = [
    ("R", "令和", 2019, 5, 1),
    ("H", "平成", 1989, 1, 8),
    ("S", "昭和", 1926, 12, 25),
    ("T", "大正", 1912, 7, 30),
    ("M", "明治", 1868, 1, 25),
];

/// Days since 1970-01-01 of `1987-08-31`, `19870831`, `1987/8/31`, `S62.08.31` or `昭和62年8月31日` (元年 too), in any width. `None` when
/// it is no date, and when the date lies outside the era it names: that is a mistake, not to be guessed away.
pub(crate) fn days(raw: &str) -> Option<i32> {
    if let Some(day) = plainly(raw.as_bytes()) {
        return day;
    }
    if let Some((date, time)) = raw.find(['T', ' ']).map(|at| raw.split_at(at)).filter(|(_, t)| is_time(&t[1..])) {
        // midnight elsewhere is another day in Japan
        let moved = time.trim_end().ends_with('Z') || (time.contains('+') && !time.contains("+09"));
        return if moved && time[1..].bytes().any(|b| matches!(b, b'1'..=b'9')) { None } else { days(date) };
    }
    let text = if raw.is_ascii() { raw.trim().to_ascii_uppercase() } else { plain(raw) };
    let era = ERAS.iter().enumerate().find(|(_, e)| text.starts_with(e.0) || text.starts_with(e.1));
    let rest = match era {
        Some((_, e)) => text.strip_prefix(e.1).or_else(|| text.strip_prefix(e.0))?,
        None => &text,
    };
    let rest = rest.replace('元', "1");
    let parts: Vec<&str> = rest.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty()).collect();
    let (year, month, day) = match parts[..] {
        [y, m, d] => (y, m, d),
        [all] if matches!(all.len(), 8 | 14) && era.is_none() => (&all[..4], &all[4..6], &all[6..8]),
        [all] if all.len() == 6 && era.is_some() => (&all[..2], &all[2..4], &all[4..]),
        _ => return None,
    };
    let (year, month, day): (i32, u32, u32) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let Some((index, &(_, _, first, m, d))) = era else { return days_from_civil(year, month, day) };
    let date = days_from_civil(first.checked_add(year)?.checked_sub(1)?, month, day)?;
    let ended = index.checked_sub(1).and_then(|next| ERAS.get(next)).and_then(|e| days_from_civil(e.2, e.3, e.4));
    (days_from_civil(first, m, d)? <= date && ended.is_none_or(|end| date <= end)).then_some(date)
}

/// Whether a text is a time of day: 00:00:00, 9:30, 00:00:00.000Z, 00:00:00+09:00.
fn is_time(text: &str) -> bool {
    let hours = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=2).contains(&hours)
        && text.as_bytes().get(hours) == Some(&b':')
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'+' | b'Z' | b' '))
}

/// The two commonest notations without the detours; `None` when the text is written in another.
pub(crate) fn plainly(text: &[u8]) -> Option<Option<i32>> {
    let number = |part: &[u8]| part.iter().try_fold(0u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')));
    let (year, month, day) = match text.len() {
        0 => return Some(None),
        8 => (&text[..4], &text[4..6], &text[6..]),
        10 if text[4] == b'-' && text[7] == b'-' => (&text[..4], &text[5..7], &text[8..]),
        _ => return None,
    };
    Some(days_from_civil(number(year)? as i32, number(month)?, number(day)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_is_one_day_in_every_notation() {
        let day = days_from_civil(1987, 8, 31);
        for text in ["1987-08-31", "19870831", "1987/8/31", "S62.08.31", "昭和62年8月31日", "昭和６２年８月３１日", "S620831"]
        {
            assert_eq!(days(text), day, "{text}");
        }
        assert_eq!(days("平成元年1月8日"), days_from_civil(1989, 1, 8));
    }

    #[test]
    fn a_date_with_a_time_behind_it_is_that_date() {
        for time in [" 00:00:00", "T00:00:00", "T00:00:00.000Z", " 0:00", "T09:30:00", "T08:30:00+09:00", "T00:00:00+00:00"] {
            assert_eq!(days(&format!("1987-08-31{time}")), days_from_civil(1987, 8, 31), "{time}");
        }
        assert_eq!(days("1987/8/31 0:00"), days_from_civil(1987, 8, 31));
        assert_eq!(days("19870831000000"), days_from_civil(1987, 8, 31));
        assert_eq!(days("1987-08-30T15:00:00Z"), None, "a midnight of Japan told in another zone");
    }

    #[test]
    fn a_date_outside_its_era_is_no_date() {
        for text in ["平成元年1月7日", "S64.01.09", "H31.05.02", "昭和62年2月30日", "昭和", "", "99999999", "S99999999999.1.1"]
        {
            assert_eq!(days(text), None, "{text}");
        }
    }
}
