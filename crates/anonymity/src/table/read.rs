//! The streaming pass: CSV in, each distinct row once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;

use super::error::TableError;
use super::roles::{Nulls, Role, Roles};
use super::{Field, Hierarchy, Key as _, open, plain};

/// A column of an input: its values by code.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Code → value; for quasi-identifiers the leaves of the hierarchy.
    pub values: Vec<String>,
    /// Where its code stands in a key.
    pub field: Field,
    /// The hierarchy, of quasi-identifiers.
    pub hierarchy: Option<Hierarchy>,
}

/// A table as distinct rows.
#[derive(Debug)]
pub struct Input {
    /// The columns that count, in the order of the file.
    pub columns: Vec<Column>,
    /// Names of the columns that are not released.
    pub left_out: Vec<String>,
    /// Distinct rows, in the order of their first record.
    pub keys: Vec<u128>,
    /// Records of each.
    pub counts: Vec<u32>,
    /// Records in all.
    pub rows: u64,
    /// The separator of the file.
    pub separator: u8,
    /// Whether each person was seen to have one row: a column says who it is of.
    pub by_person: bool,
}

/// Codes of a column whose values are met as they come.
struct Coded {
    at: usize,
    column: usize,
    codes: Option<HashMap<Box<[u8]>, u32>>,
}

/// Reads a CSV with a header row. `name` is what errors call it.
///
/// Memory is for distinct rows and values alone. A row wider than 128 bits of codes is refused.
///
/// # Errors
/// Everything that can be wrong with the file; the first found.
pub fn read(
    source: impl Read,
    name: &str,
    delimiter: Option<u8>,
    roles: &Roles,
    mut hierarchies: BTreeMap<String, Hierarchy>,
) -> Result<Input, TableError> {
    let unreadable = |e: &dyn std::fmt::Display| TableError::Unreadable { file: name.to_owned(), reason: e.to_string() };
    let (mut reader, delimiter) = open(source, name, delimiter)?;
    let header = reader.byte_headers().map_err(|e| unreadable(&e))?.clone();
    let text = |cell: &[u8], line: u64| {
        String::from_utf8(cell.to_vec()).map_err(|_| TableError::NotUtf8 { file: name.to_owned(), line })
    };
    let header: Vec<String> = header.iter().map(|c| text(c, 1)).collect::<Result<_, _>>()?;
    if header.iter().all(String::is_empty) {
        return Err(TableError::NoHeader { file: name.to_owned() });
    }
    let mut names = HashMap::new();
    for (at, column) in header.iter().enumerate() {
        if let Some(first) = names.insert(column.as_str(), at + 1) {
            return Err(TableError::ColumnTwice { file: name.to_owned(), first, second: at + 1 });
        }
    }
    let given = roles.of(&header)?;

    let mut columns: Vec<Column> = Vec::new();
    let mut coded: Vec<Coded> = Vec::new();
    let mut person = None;
    let mut left_out = Vec::new();
    for (at, (header, role)) in header.iter().zip(&given).enumerate() {
        let (values, hierarchy) = match role {
            Role::LeftOut => {
                left_out.push(header.clone());
                continue;
            }
            Role::Person => {
                left_out.push(header.clone());
                person = Some((at, header.clone(), HashSet::<String>::new()));
                continue;
            }
            Role::QuasiIdentifier => {
                let missing = || {
                    // A column that nobody named may be the first cell of a person.
                    if roles.quasi_identifiers.is_some() {
                        return TableError::HierarchyMissing { column: header.clone(), folder: String::new() };
                    }
                    TableError::HierarchyMissingAt { number: at + 1, folder: String::new() }
                };
                let mut hierarchy = hierarchies.remove(header).ok_or_else(missing)?;
                if roles.nulls == Nulls::Category {
                    hierarchy = hierarchy.with_empty_as_category()?;
                }
                (hierarchy.levels[0].values.clone(), Some(hierarchy))
            }
            Role::Sensitive | Role::Kept => (Vec::new(), None),
        };
        let codes = hierarchy.is_none().then(HashMap::new);
        coded.push(Coded { at, column: columns.len(), codes });
        let field = Field { shift: 0, bits: if hierarchy.is_some() { Field::width(values.len()) } else { 4 } };
        columns.push(Column { name: header.clone(), role: *role, values, field, hierarchy });
    }
    lay_out(&mut columns)?;

    let mut distinct = Distinct::default();
    let mut record = csv::ByteRecord::new();
    let mut rows = 0u64;
    let mut codes = vec![0u32; columns.len()];
    while reader.read_byte_record(&mut record).map_err(|e| unreadable(&e))? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            let (found, expected) = (record.len(), header.len());
            return Err(TableError::RowLength { file: name.to_owned(), line, found, expected });
        }
        rows += 1;
        let mut wider = false;
        for part in &mut coded {
            let cell = &record[part.at];
            let column = &mut columns[part.column];
            codes[part.column] = match &mut part.codes {
                None => match column.hierarchy.as_ref().and_then(|h| h.leaf(cell)) {
                    Some(code) => code,
                    None if cell.is_empty() => return Err(TableError::EmptyCell { column: column.name.clone(), line }),
                    None => return Err(TableError::LeafMissing { column: column.name.clone(), line }),
                },
                Some(known) => match known.get(cell) {
                    Some(code) => *code,
                    None => {
                        let code = column.values.len() as u32;
                        let value = text(cell, line)?;
                        if column.role == Role::Sensitive && plain(&value).is_empty() {
                            return Err(TableError::SensitiveEmpty { column: column.name.clone(), line });
                        }
                        column.values.push(value);
                        known.insert(cell.into(), code);
                        wider |= Field::width(column.values.len()) > column.field.bits;
                        code
                    }
                },
            };
        }
        if let Some((at, column, ids)) = &mut person
            && !ids.insert(plain(&text(&record[*at], line)?))
        {
            return Err(TableError::PersonTwice { column: column.clone(), line, persons: ids.len() as u64 });
        }
        if wider {
            let old: Vec<Field> = columns.iter().map(|c| c.field).collect();
            for column in columns.iter_mut().filter(|c| Field::width(c.values.len()) > c.field.bits) {
                column.field.bits += 4;
            }
            lay_out(&mut columns)?;
            distinct.move_fields(&old, &columns);
        }
        let key = codes.iter().zip(&columns).fold(0u128, |key, (code, column)| key.with(column.field, *code));
        distinct.add(key);
    }
    if rows == 0 {
        return Err(TableError::NoRows { file: name.to_owned() });
    }
    if rows > u64::from(u32::MAX) {
        return Err(TableError::TooManyRows { rows });
    }
    let by_person = person.is_some();
    Ok(Input { columns, left_out, keys: distinct.keys, counts: distinct.counts, rows, separator: delimiter, by_person })
}

/// Gives each column its place, quasi-identifiers lowest.
fn lay_out(columns: &mut [Column]) -> Result<(), TableError> {
    let mut shift = 0;
    for qi in [true, false] {
        for column in columns.iter_mut().filter(|c| (c.role == Role::QuasiIdentifier) == qi) {
            column.field.shift = shift;
            shift += column.field.bits;
        }
    }
    if shift > u128::BITS { Err(TableError::TooWide { bits: shift, most: u128::BITS }) } else { Ok(()) }
}

/// Distinct keys as they come, in a table that grows.
#[derive(Default)]
pub(super) struct Distinct {
    pub keys: Vec<u128>,
    pub counts: Vec<u32>,
    slots: Vec<u32>,
}

impl Distinct {
    pub fn add(&mut self, key: u128) {
        if self.keys.len() * 2 >= self.slots.len() {
            self.spread((self.slots.len() * 2).max(1 << 12));
        }
        let slot = self.slot(key);
        match self.slots[slot] {
            0 => {
                self.keys.push(key);
                self.counts.push(1);
                self.slots[slot] = self.keys.len() as u32;
            }
            // More than the largest count is refused by the number of rows at the end.
            found => self.counts[found as usize - 1] = self.counts[found as usize - 1].saturating_add(1),
        }
    }

    /// Where a key is, or would be.
    fn slot(&self, key: u128) -> usize {
        let wrap = self.slots.len() - 1;
        let mut slot = (key.hash() >> (64 - self.slots.len().trailing_zeros())) as usize;
        loop {
            match self.slots[slot] {
                0 => return slot,
                found if self.keys[found as usize - 1] == key => return slot,
                _ => slot = (slot + 1) & wrap,
            }
        }
    }

    fn spread(&mut self, capacity: usize) {
        self.slots.clear();
        self.slots.resize(capacity, 0);
        for at in 0..self.keys.len() {
            let slot = self.slot(self.keys[at]);
            self.slots[slot] = at as u32 + 1;
        }
    }

    fn move_fields(&mut self, old: &[Field], columns: &[Column]) {
        for key in &mut self.keys {
            *key = old.iter().zip(columns).fold(0, |new, (f, c)| new.with(c.field, key.get(*f)));
        }
        let capacity = self.slots.len();
        if capacity > 0 {
            self.spread(capacity);
        }
    }
}
