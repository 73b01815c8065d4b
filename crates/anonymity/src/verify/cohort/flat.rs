//! A table as it is read: texts in rows.

use std::collections::BTreeMap;
use std::io::Read;

use crate::table::TableError;

/// A table as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flat {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Tables by name.
pub type Tables = BTreeMap<String, Flat>;

impl Flat {
    /// Reads CSV with a header row.
    ///
    /// # Errors
    /// What is no CSV, or a row with more or fewer cells than the header.
    pub fn read(from: impl Read, name: &str) -> Result<Flat, TableError> {
        let unreadable = |e: csv::Error| {
            let line = e.position().map_or(0, csv::Position::line);
            TableError::Unreadable { file: name.to_owned(), reason: format!("line {line}") }
        };
        let mut reader = csv::ReaderBuilder::new().from_reader(from);
        let header = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for row in reader.records() {
            rows.push(row.map_err(unreadable)?.iter().map(str::to_owned).collect());
        }
        Ok(Flat { header, rows })
    }

    /// In how many places this is not the same table: names of columns, rows that only one has, cells.
    pub fn differences(&self, other: &Flat) -> usize {
        let differ = |one: &[String], other: &[String]| {
            one.iter().zip(other).filter(|(a, b)| a != b).count() + one.len().abs_diff(other.len())
        };
        let rows = self.rows.iter().zip(&other.rows).map(|(one, other)| differ(one, other)).sum::<usize>();
        differ(&self.header, &other.header) + rows + self.rows.len().abs_diff(other.rows.len())
    }

    /// The cells of a column; none where it is not there.
    pub(super) fn column(&self, name: &str) -> Option<Vec<&str>> {
        let at = self.header.iter().position(|h| h == name)?;
        Some(self.rows.iter().map(|row| row[at].as_str()).collect())
    }

    /// The person of each row; empty where there is no such column.
    pub(super) fn persons(&self) -> Vec<&str> {
        self.column("person_id").unwrap_or_else(|| vec![""; self.rows.len()])
    }
}
