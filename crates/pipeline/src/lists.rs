//! The two short lists that travel beside the records: contacts and opt-outs, CSV with a header, UTF-8 with or without
//! a mark, or CP932.
//!
//! `package::lists` reads the same lists strictly, where they are sent: there somebody can mend a line. Here each line that can
//! be read counts, because a "no" must not be lost for a bad line beside it, and the others are counted.

use std::io::{self, Read};

use crate::reading::{ContactLine, OptOutLine};

/// Longest list that is taken: 3 million patients with 60 bytes a line, and room.
const LIMIT: u64 = 512 << 20;

fn text(mut from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    (&mut from).take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the list is longer than 512 MiB"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => Ok(encoding_rs::SHIFT_JIS.decode_without_bom_handling(error.as_bytes()).0.into_owned()),
    }
}

/// What of a list could not be read.
#[derive(Default)]
pub struct Bad {
    /// How many lines.
    pub lines: u64,
    /// Where the first of them are, from 1: not where one line with a stray quote swallowed others.
    pub at: Vec<u64>,
}

/// Lines that are named of those that could not be read.
const MOST_NAMED: usize = 20;

impl Bad {
    /// One more line; 0 where nobody knows which.
    pub fn add(&mut self, line: u64) {
        self.lines += 1;
        if line > 0 && self.at.len() < MOST_NAMED {
            self.at.push(line);
        }
    }
}

/// Rows of named columns, made of what stands in them and the number of their line; a row that lacks a needed one is bad.
fn rows<T>(from: impl Read, needed: &[&str], make: impl Fn(&dyn Fn(&str) -> String, u64) -> T) -> io::Result<(Vec<T>, Bad)> {
    let text = text(from)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().map_err(io::Error::other)?.iter().map(|h| h.to_ascii_lowercase()).collect();
    if let Some(missing) = needed.iter().find(|n| !head.iter().any(|h| h == *n)) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("the list has no column \"{missing}\"")));
    }
    let (mut out, mut bad) = (Vec::new(), Bad::default());
    for row in reader.records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                bad.add(error.position().map_or(0, csv::Position::line));
                continue;
            }
        };
        let line = row.position().map_or(0, csv::Position::line);
        let get = |name: &str| head.iter().position(|h| h == name).and_then(|i| row.get(i)).unwrap_or_default().to_owned();
        if needed.iter().any(|n| get(n).is_empty()) {
            bad.add(line);
        } else {
            out.push(make(&get, line));
        }
    }
    // A stray quote makes one row of many lines: what is in none of the rows is bad, too.
    let lines = text.lines().filter(|l| !l.trim().is_empty()).count().saturating_sub(1) as u64;
    bad.lines += lines.saturating_sub(out.len() as u64 + bad.lines);
    Ok((out, bad))
}

/// `patient,date,addressee,method`; the first two are needed.
///
/// # Errors
/// When the list cannot be read or lacks a needed column.
pub fn contacts(from: impl Read) -> io::Result<(Vec<ContactLine>, Bad)> {
    rows(from, &["patient", "date"], |get, line| ContactLine {
        patient: get("patient"),
        date: get("date").replace('/', "-"),
        addressee: get("addressee"),
        method: get("method"),
        line,
    })
}

/// `patient,requester,scope,date,because`; the first is needed.
///
/// # Errors
/// When the list cannot be read or lacks a needed column.
pub fn opt_outs(from: impl Read) -> io::Result<(Vec<OptOutLine>, Bad)> {
    rows(from, &["patient"], |get, _| OptOutLine {
        patient: get("patient"),
        requester: get("requester"),
        scope: get("scope"),
        date: get("date").replace('/', "-"),
        because: get("because"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_patient_is_counted_and_the_rest_is_read() {
        let list =
            "\u{feff}patient,date,addressee,method\n0001,2026-04-01,person,visit\n,2026-04-01,person,visit\n0002,2026/04/02\n";
        let (lines, bad) = contacts(list.as_bytes()).expect("readable");
        assert_eq!((lines.len(), bad.lines, bad.at, lines[1].line), (2, 1, vec![3], 4));
        assert_eq!(lines[1].date, "2026-04-02");
    }

    #[test]
    fn lines_that_a_stray_quote_swallows_are_counted_as_bad() {
        let list = "patient,requester,scope,date\n1,person,,2026-04-01\n\"2,person,,2026-04-01\n3,person,,2026-04-01\n4,person,,2026-04-01\n";
        let (lines, bad) = opt_outs(list.as_bytes()).expect("readable");
        assert_eq!(lines.len() as u64 + bad.lines, 4, "no line is lost without a word");
        assert!(bad.lines >= 2);
    }

    #[test]
    fn a_list_without_its_column_is_refused_by_name() {
        let error = opt_outs("id,date\n1,2026-04-01\n".as_bytes()).err().expect("refused");
        assert!(error.to_string().contains("patient"));
    }

    #[test]
    fn lists_in_cp932_are_read() {
        let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode("patient,date,addressee,method\n1,2026-04-01,本人,郵送\n");
        let (lines, _) = contacts(bytes.as_ref()).expect("readable");
        assert_eq!(lines[0].method, "郵送");
    }
}
