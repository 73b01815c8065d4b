//! Invented files in the real form: CP932, CRLF, every field quoted, columns appended at the right.

use encoding_rs::SHIFT_JIS;
use masters::{Edition, Kind, Masters, read};

/// A row of a master as long as its layout, with these columns (numbered from 1).
pub fn row(length: usize, columns: &[(usize, &str)]) -> String {
    let mut fields = vec![""; length];
    for (column, value) in columns {
        fields[column - 1] = value;
    }
    let fields: Vec<String> = fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
    fields.join(",")
}

/// A file in CP932.
pub fn file(rows: &[String]) -> Vec<u8> {
    let text: String = rows.iter().map(|row| format!("{row}\r\n")).collect();
    SHIFT_JIS.encode(&text).0.into_owned()
}

pub struct Disease<'a> {
    pub change: &'a str,
    pub code: &'a str,
    pub name: &'a str,
    pub management: &'a str,
    pub exchange: &'a str,
    pub icd: [&'a str; 4],
    pub listed: &'a str,
    pub abolished: &'a str,
    pub successor: &'a str,
}

impl Default for Disease<'_> {
    fn default() -> Self {
        Disease {
            change: "0",
            code: "",
            name: "架空病",
            management: "29000001",
            exchange: "QX01",
            icd: ["", "", "", ""],
            listed: "20020601",
            abolished: "99999999",
            successor: "",
        }
    }
}

impl Disease<'_> {
    pub fn row(&self) -> String {
        let [a, b, c, d] = self.icd;
        let successor = if self.successor.is_empty() { self.code } else { self.successor };
        row(
            48,
            &[
                (1, self.change),
                (2, "B"),
                (3, self.code),
                (4, successor),
                (5, "3"),
                (6, self.name),
                (10, "カクウビョウ"),
                (11, self.management),
                (13, self.exchange),
                (14, a),
                (15, b),
                (16, c),
                (17, d),
                (22, self.listed),
                (23, "00000000"),
                (24, self.abolished),
                (47, "new"),
            ],
        )
    }
}

pub fn diseases() -> Vec<String> {
    let of = |code, name, management, exchange, icd| Disease { code, name, management, exchange, icd, ..Disease::default() };
    vec![
        of("8899001", "架空高血圧症", "29000001", "QX01", ["", "", "I10", ""]).row(),
        of("8899002", "架空糖尿病性網膜症", "29000002", "QX02", ["E113", "H360", "E143", "H360"]).row(),
        of("8899003", "架空胃炎", "29000003", "D682", ["K297", "", "", ""]).row(),
        Disease { listed: "20240601", ..of("8899004", "架空新病", "29000004", "QX04", ["", "", "U099", ""]) }.row(),
        Disease {
            abolished: "20240331",
            successor: "8899001",
            ..of("8899005", "架空旧病", "29000005", "QX05", ["", "", "I109", ""])
        }
        .row(),
        of("8899006", "架空双病甲", "29000006", "QX06", ["", "", "A000", ""]).row(),
        of("8899007", "架空双病乙", "29000007", "QX06", ["", "", "A001", ""]).row(),
        of("8899008", "架空―髙病㈱", "29000008", "QX08", ["", "", "", ""]).row(),
    ]
}

pub fn drug(code: &str, name: &str, price: &str) -> String {
    row(
        39,
        &[
            (1, "0"),
            (2, "Y"),
            (3, code),
            (5, name),
            (7, "ｶｸｳ"),
            (10, "錠"),
            (12, "5.90"),
            (30, "20240401"),
            (31, "99999999"),
            (32, price),
            (35, name),
        ],
    )
}

pub fn act(code: &str, name: &str, section: &str) -> String {
    row(
        150,
        &[
            (1, "0"),
            (2, "S"),
            (3, code),
            (5, "短い名"),
            (7, "ｶｸｳ"),
            (87, "20240601"),
            (88, "99999999"),
            (113, name),
            (117, section),
        ],
    )
}

pub fn hot(hot13: &str, price: &str, yj: &str, claims: [&str; 2]) -> String {
    row(
        24,
        &[
            (1, hot13),
            (2, &hot13[..7]),
            (6, "4987000000000"),
            (7, price),
            (8, yj),
            (9, claims[0]),
            (10, claims[1]),
            (12, "架空錠５ｍｇ"),
            (24, "20240401"),
        ],
    )
}

pub fn edition(name: &str, rows: &[String]) -> Edition {
    read(name, &file(rows)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub fn day(year: i32, month: u32, day: u32) -> i32 {
    terms::days_from_civil(year, month, day).expect("a day")
}

pub fn masters(editions: Vec<Edition>) -> Masters {
    let mut masters = Masters::new();
    for edition in editions {
        masters.add(edition).expect("a whole edition of another day");
    }
    masters
}

/// As many rows of drugs, all well.
pub fn many_drugs(count: usize) -> Vec<String> {
    (0..count).map(|n| drug(&format!("{:09}", 620_000_000 + n), "架空錠", "1124009F1030")).collect()
}

pub const ALL: [Kind; 8] = Kind::ALL;
