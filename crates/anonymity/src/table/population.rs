//! The population that a table is from: everybody in the table, and others, by the same columns.

use std::collections::HashSet;
use std::io::Read;

use super::read::Distinct;
use super::{Input, Key as _, Role, TableError, open, plain};

/// A population as distinct rows of the table's quasi-identifiers.
#[derive(Debug, Clone)]
pub struct PopulationTable {
    /// Distinct rows, packed as those of the table, in the order of their first record.
    pub keys: Vec<u128>,
    /// Persons of each.
    pub counts: Vec<u32>,
    /// Persons in all.
    pub rows: u64,
    /// Whether each person was seen to have one row.
    pub by_person: bool,
}

/// Reads the population of a table from a CSV with a header row; of its columns the table's quasi-identifiers count, wherever they
/// stand. `person` is the column of person ids, checked where the file has it.
///
/// # Errors
/// Everything that can be wrong with the file; a quasi-identifier that it has not, a value that has no leaf in the table's hierarchy.
pub fn read_population(
    source: impl Read,
    name: &str,
    delimiter: Option<u8>,
    input: &Input,
    person: Option<&str>,
) -> Result<PopulationTable, TableError> {
    let file = || name.to_owned();
    let unreadable = |e: &dyn std::fmt::Display| TableError::Unreadable { file: file(), reason: e.to_string() };
    let (mut reader, _) = open(source, name, delimiter)?;
    let header = reader.byte_headers().map_err(|e| unreadable(&e))?.clone();
    let place = |column: &str| {
        let mut found = header.iter().enumerate().filter(|(_, h)| *h == column.as_bytes()).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => Err(TableError::ColumnTwice { file: file(), first: first + 1, second: second + 1 }),
            (at, _) => Ok(at),
        }
    };
    let mut columns = Vec::new();
    for column in input.columns.iter().filter(|c| c.role == Role::QuasiIdentifier) {
        let missing = || TableError::PopulationColumn { file: file(), column: column.name.clone() };
        if let Some(hierarchy) = &column.hierarchy {
            columns.push((place(&column.name)?.ok_or_else(missing)?, column, hierarchy));
        }
    }
    let person = match person {
        Some(column) => place(column)?.map(|at| (at, column, HashSet::<String>::new())),
        None => None,
    };
    let by_person = person.is_some();
    let mut person = person;
    let mut distinct = Distinct::default();
    let mut record = csv::ByteRecord::new();
    let mut rows = 0u64;
    while reader.read_byte_record(&mut record).map_err(|e| unreadable(&e))? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            return Err(TableError::RowLength { file: file(), line, found: record.len(), expected: header.len() });
        }
        rows += 1;
        let mut key = 0u128;
        for (at, column, hierarchy) in &columns {
            let leaf = hierarchy.leaf(&record[*at]);
            let code = leaf.ok_or_else(|| TableError::PopulationLeaf { file: file(), column: column.name.clone(), line })?;
            key = key.with(column.field, code);
        }
        if let Some((at, column, ids)) = &mut person {
            let id = std::str::from_utf8(&record[*at]).map_err(|_| TableError::NotUtf8 { file: file(), line })?;
            if !ids.insert(plain(id)) {
                let persons = ids.len() as u64;
                return Err(TableError::PersonTwice { column: (*column).to_owned(), line, persons });
            }
        }
        distinct.add(key);
    }
    if rows == 0 {
        return Err(TableError::NoRows { file: file() });
    }
    if rows > u64::from(u32::MAX) {
        return Err(TableError::TooManyRows { rows });
    }
    Ok(PopulationTable { keys: distinct.keys, counts: distinct.counts, rows, by_person })
}
