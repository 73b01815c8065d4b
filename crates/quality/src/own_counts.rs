//! A hospital's own counts of patients by month, as a spreadsheet saves them.

use crate::lines::Counted;

/// Why a file of counts was refused.
#[derive(Debug, thiserror::Error)]
#[error("line {0} of the counts is not a month (2026-04, 2026/4, 2026年4月 or R8.4), once, and a number of patients")]
pub struct Counts(pub u64);

/// Reads the hospital's own counts: lines of month and patients, with a header or without, as a spreadsheet saves them:
/// `2026-04`, `2026/4`, `2026年4月`, `2026/4/1`, numbers with commas between thousands, cells in quotes or between tabs.
///
/// # Errors
/// [`Counts`] with the line.
pub fn counts(text: &str) -> Result<Vec<(String, u64)>, Counts> {
    let text = text.trim_start_matches('\u{feff}');
    let tabs = text.lines().next().is_some_and(|l| l.contains('\t'));
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).trim(csv::Trim::All).delimiter(if tabs { b'\t' } else { b',' });
    let mut all = Vec::new();
    let mut counted = Counted::new(text);
    for (place, row) in reader.from_reader(text.as_bytes()).records().enumerate() {
        let row = row.map_err(|_| Counts(counted.line()))?;
        let line = counted.line_of(&row);
        let cells: Vec<&str> = row.iter().collect();
        if cells.iter().all(|c| c.is_empty()) {
            continue;
        }
        let [month, number] = cells[..] else { return Err(Counts(line)) };
        match month_of(month).zip(number_of(number)) {
            Some((month, _)) if all.iter().any(|(m, _)| *m == month) => return Err(Counts(line)),
            Some(count) => all.push(count),
            // A heading has no digit where a number is to stand, and a sum no month.
            None if place == 0 && !number.is_empty() && !number.contains(|c: char| c.is_numeric()) => {}
            None if ["合計", "計", "総計", "total"].contains(&month.to_lowercase().as_str()) => {}
            None => return Err(Counts(line)),
        }
    }
    Ok(all)
}

/// A month as somebody writes it, as `YYYY-MM`; a day of it is its month.
fn month_of(text: &str) -> Option<String> {
    let half: String = text.chars().map(half_width).collect();
    // 令和 8 年 4 月, R8.4
    let era = half.strip_prefix("令和").or_else(|| half.strip_prefix(['R', 'r']));
    let half = match era.map(|rest| rest.trim_start().replacen("元", "1", 1)) {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let year: i32 = rest.get(..digits)?.parse().ok().filter(|y| (1..100).contains(y))?;
            format!("{}{}", year + 2018, &rest[digits..])
        }
        None => half,
    };
    let mut parts = half.split(['-', '/', '.', '年', '月', '日']).map(str::trim).filter(|p| !p.is_empty());
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next());
    let digits = |t: &str, n: std::ops::RangeInclusive<usize>| n.contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    let whole = parts.next().is_none() && digits(year, 4..=4) && digits(month, 1..=2) && day.is_none_or(|d| digits(d, 1..=2));
    let month: u8 = month.parse().ok()?;
    let in_series = year.parse().is_ok_and(|y: i32| (1980..2100).contains(&y));
    (whole && in_series && (1..=12).contains(&month)).then(|| format!("{year}-{month:02}"))
}

fn number_of(text: &str) -> Option<u64> {
    let half: String = text.chars().map(half_width).collect();
    let half = half.trim_end_matches(['人', '名']).trim_end();
    let groups: Vec<&str> = half.split(',').collect();
    let grouped = groups.len() == 1 || groups[0].len() <= 3 && groups[1..].iter().all(|g| g.len() == 3);
    let digits = |g: &&str| !g.is_empty() && g.bytes().all(|b| b.is_ascii_digit());
    (grouped && groups.iter().all(digits)).then(|| groups.concat().parse().ok()).flatten()
}

fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        other => other,
    }
}
