//! Records of medical claims as lines (オンライン又は光ディスク等による請求に係る記録条件仕様, 医科): commas, no quotes, CR LF.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::bill::{Line, What};
use crate::day::Month;

/// A record: fields from 1; those left out stay empty.
pub fn record(fields: usize, values: &[(usize, &str)], into: &mut String) {
    for field in 1..=fields {
        if field > 1 {
            into.push(',');
        }
        for (_, value) in values.iter().filter(|(f, _)| *f == field) {
            into.push_str(value);
        }
    }
    into.push_str("\r\n");
}

/// Lines of one month as SI, IY and TO with their counts on each day. Returns the points of all.
pub fn lines(all: &[Line], month: Month, burden: &str, into: &mut String) -> u64 {
    let mut same: BTreeMap<_, (&Line, [u32; 31])> = BTreeMap::new();
    for line in all {
        let key = (line.section, line.what, line.code.as_str(), line.amount, line.points);
        let (_, days) = same.entry(key).or_insert((line, [0; 31]));
        days[(line.day - month.first()).clamp(0, 30) as usize] += line.count;
    }
    let mut total = 0;
    for (line, days) in same.values() {
        let count: u32 = days.iter().sum();
        total += u64::from(line.points) * u64::from(count);
        let amount = line.amount.map_or(String::new(), |a| a.to_string());
        let (section, code) = (line.section, &line.code);
        // Writing to a String does not fail.
        let _ = match line.what {
            What::Act => write!(into, "SI,{section},{burden},{code},{amount},{},{count},,,,,,", line.points),
            What::Drug => write!(into, "IY,{section},{burden},{code},{amount},{},{count},,,,,,", line.points),
            What::Device => write!(
                into,
                "TO,{section},{burden},{code},{amount},{},{count},,{}.00,,,,,,,,",
                line.points,
                line.points * 10 / line.amount.unwrap_or(1).max(1)
            ),
        };
        for day in days {
            let _ = if *day == 0 { write!(into, ",") } else { write!(into, ",{day}") };
        }
        into.push_str("\r\n");
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::day;

    #[test]
    fn records_have_the_fields_of_the_specification() {
        let line = |what, of: i32| Line {
            section: "60",
            what,
            code: "160000000".into(),
            name: String::new(),
            amount: Some(1),
            unit: "",
            points: 10,
            day: day(2024, 7, of as u32),
            count: 2,
        };
        let mut text = String::new();
        let all = [line(What::Act, 3), line(What::Act, 31), line(What::Drug, 1), line(What::Device, 1)];
        assert_eq!(lines(&all, Month::of(day(2024, 7, 9)), "1", &mut text), 80);
        let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [44, 44, 48]);
        assert_eq!((rows[0][6], rows[0][15], rows[0][43]), ("4", "2", "2"));
        assert_eq!((rows[2][8], rows[2][17]), ("100.00", "2"));
        let mut text = String::new();
        record(4, &[(1, "GO"), (4, "99")], &mut text);
        assert_eq!(text, "GO,,,99\r\n");
    }
}
