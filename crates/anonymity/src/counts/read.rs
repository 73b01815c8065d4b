//! The pass over the table: who is in which cell.

use std::collections::HashMap;
use std::io::Read;

use super::question::Persons;
use super::{CountsError, Question};
use crate::table::{TableError, open, plain};

/// Lines that an error names.
const NAMED: usize = 5;

/// Which rows of whom stand in which cells. Prints nothing: every number in it is of somebody.
pub struct Contributions {
    /// Code → value of each column.
    pub(super) values: Vec<Vec<String>>,
    /// Codes of each cell. Where all values are given: all cells of the product; else those of the data.
    pub(super) cells: Vec<Box<[u32]>>,
    /// Person and cell of each row.
    pub(super) rows: Vec<(u32, u32)>,
}

/// Rows with the same fault: how many, and the first lines.
#[derive(Default)]
struct Faults {
    rows: u64,
    lines: Vec<String>,
}

impl Faults {
    fn add(&mut self, line: u64) {
        self.rows += 1;
        if self.lines.len() < NAMED {
            self.lines.push(line.to_string());
        }
    }
}

/// Reads a CSV with a header row. `name` is what errors call it. Ids of persons are the same without regard to width, case, blanks
/// and how a number is written ([`plain`]): two spellings of one person would count twice. Values of strata are compared as they
/// stand.
///
/// # Errors
/// What is wrong with the file; a column that is not there; rows without a person or outside the given values, all counted, none
/// quoted.
pub fn read(source: impl Read, name: &str, delimiter: Option<u8>, question: &Question) -> Result<Contributions, CountsError> {
    let unreadable = |e: &dyn std::fmt::Display| TableError::Unreadable { file: name.to_owned(), reason: e.to_string() };
    let (mut reader, _) = open(source, name, delimiter)?;
    let header = reader.byte_headers().map_err(|e| unreadable(&e))?.clone();
    if header.iter().all(<[u8]>::is_empty) {
        return Err(TableError::NoHeader { file: name.to_owned() }.into());
    }
    let place = |column: &str| {
        let mut found = header.iter().enumerate().filter(|(_, h)| *h == column.as_bytes()).map(|(at, _)| at + 1);
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => Err(TableError::ColumnTwice { file: name.to_owned(), first, second }),
            (Some(at), None) => Ok(at - 1),
            (None, _) => Err(TableError::UnknownColumn { column: column.to_owned(), columns: header.len() }),
        }
    };
    let places: Vec<usize> = question.by.iter().map(|s| place(&s.column)).collect::<Result<_, _>>()?;
    let person = match &question.persons {
        Persons::Column(column) => Some((place(column)?, column)),
        Persons::Rows => None,
    };
    let mut columns: Vec<Column> = question.by.iter().map(|s| Column::new(s.values.as_deref())).collect();
    let mut cells = if question.is_closed() { Cells::product(&columns) } else { Cells::default() };
    let mut persons: HashMap<String, u32> = HashMap::new();
    let (mut rows, mut nobody) = (Vec::new(), Faults::default());
    let mut record = csv::ByteRecord::new();
    let mut codes: Vec<u32> = vec![0; places.len()];
    let (mut count, mut complete) = (0u64, true);
    while reader.read_byte_record(&mut record).map_err(|e| unreadable(&e))? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            let (found, expected) = (record.len(), header.len());
            return Err(TableError::RowLength { file: name.to_owned(), line, found, expected }.into());
        }
        count += 1;
        let text = |at: usize| std::str::from_utf8(&record[at]).map_err(|_| TableError::NotUtf8 { file: name.to_owned(), line });
        let number = u32::try_from(count).map_err(|_| TableError::TooManyRows { rows: count })?;
        let of = match person {
            None => number,
            Some((at, _)) => {
                let id = plain(text(at)?);
                if id.is_empty() {
                    nobody.add(line);
                }
                let next = persons.len() as u32;
                *persons.entry(id).or_insert(next)
            }
        };
        let mut inside = true;
        for ((at, column), code) in places.iter().zip(&mut columns).zip(&mut codes) {
            match column.code(text(*at)?) {
                Some(found) => *code = found,
                None => {
                    column.outside.add(line);
                    inside = false;
                }
            }
        }
        complete &= inside && nobody.rows == 0;
        if complete {
            rows.push((of, cells.code(&codes)));
        }
    }
    if count == 0 {
        return Err(TableError::NoRows { file: name.to_owned() }.into());
    }
    if let (Some((_, column)), 1..) = (person, nobody.rows) {
        return Err(CountsError::PersonEmpty { column: column.clone(), rows: nobody.rows, lines: nobody.lines.join(", ") });
    }
    if let Some((stratum, column)) = question.by.iter().zip(&columns).find(|(_, c)| c.outside.rows > 0) {
        let (rows, lines) = (column.outside.rows, column.outside.lines.join(", "));
        return Err(CountsError::OutsideValues { column: stratum.column.clone(), rows, lines });
    }
    Ok(Contributions { values: columns.into_iter().map(|c| c.values).collect(), cells: cells.keys, rows })
}

/// A column's values and their codes.
struct Column {
    values: Vec<String>,
    codes: HashMap<String, u32>,
    given: bool,
    outside: Faults,
}

impl Column {
    fn new(given: Option<&[String]>) -> Self {
        let values: Vec<String> = given.unwrap_or_default().to_vec();
        let codes = values.iter().enumerate().map(|(n, v)| (v.clone(), n as u32)).collect();
        Self { values, codes, given: given.is_some(), outside: Faults::default() }
    }

    fn code(&mut self, value: &str) -> Option<u32> {
        if let Some(code) = self.codes.get(value) {
            return Some(*code);
        }
        (!self.given).then(|| {
            let code = self.values.len() as u32;
            self.values.push(value.to_owned());
            self.codes.insert(value.to_owned(), code);
            code
        })
    }
}

/// Cells and their codes.
#[derive(Default)]
struct Cells {
    keys: Vec<Box<[u32]>>,
    codes: HashMap<Box<[u32]>, u32>,
}

impl Cells {
    /// Every cell of given values, the last column running fastest.
    fn product(columns: &[Column]) -> Self {
        let mut keys: Vec<Vec<u32>> = vec![Vec::new()];
        for column in columns {
            let longer = |key: &Vec<u32>| (0..column.values.len() as u32).map(|n| [&key[..], &[n]].concat()).collect::<Vec<_>>();
            keys = keys.iter().flat_map(longer).collect();
        }
        let keys: Vec<Box<[u32]>> = keys.into_iter().map(Vec::into_boxed_slice).collect();
        let codes = keys.iter().enumerate().map(|(n, k)| (k.clone(), n as u32)).collect();
        Self { keys, codes }
    }

    fn code(&mut self, key: &[u32]) -> u32 {
        if let Some(code) = self.codes.get(key) {
            return *code;
        }
        let code = self.keys.len() as u32;
        self.keys.push(key.into());
        self.codes.insert(key.into(), code);
        code
    }
}
