//! A hierarchy file: one line a leaf, from the value itself (level 0) to the coarsest (often `*`).

use std::collections::{HashMap, HashSet};

use super::error::{TableError, shown};
use super::separator;

/// The generalisation hierarchy of one column.
#[derive(Debug, Clone)]
pub struct Hierarchy {
    /// The column that it is for.
    pub column: String,
    /// From the leaves up.
    pub levels: Vec<Level>,
    codes: HashMap<Box<[u8]>, u32>,
    empty_is_own: bool,
}

/// One level of a hierarchy. Values are coded in the order in which the file first names them.
#[derive(Debug, Clone)]
pub struct Level {
    /// Code → value.
    pub values: Vec<String>,
    /// Leaf → code at this level.
    pub of_leaf: Vec<u32>,
    /// Code → lines of the file below it: what a metric calls leaves.
    pub leaves: Vec<u32>,
}

impl Hierarchy {
    /// Reads a hierarchy without header from its bytes; the separator is found.
    ///
    /// # Errors
    /// A file that is empty, not UTF-8 or ragged, a leaf named twice, a value with two parents, a value above itself.
    pub fn parse(column: &str, bytes: &[u8]) -> Result<Self, TableError> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator(bytes)).from_reader(bytes);
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (at, record) in reader.byte_records().enumerate() {
            let file = || format!("hierarchy of {column}");
            let record = record.map_err(|e| TableError::Unreadable { file: file(), reason: e.to_string() })?;
            let line = at as u64 + 1;
            let row: Result<Vec<String>, _> = record.iter().map(|cell| String::from_utf8(cell.to_vec())).collect();
            let row = row.map_err(|_| TableError::NotUtf8 { file: file(), line })?;
            if let Some(first) = rows.first()
                && first.len() != row.len()
            {
                let (found, expected) = (row.len(), first.len());
                return Err(TableError::HierarchyRagged { column: column.to_owned(), line, found, expected });
            }
            rows.push(row);
        }
        Self::from_rows(column, &rows)
    }

    /// From lines of values, leaf first.
    ///
    /// # Errors
    /// As [`Hierarchy::parse`].
    pub fn from_rows(column: &str, rows: &[Vec<String>]) -> Result<Self, TableError> {
        let height = rows.first().map_or(0, Vec::len);
        if height == 0 {
            return Err(TableError::HierarchyEmpty { column: column.to_owned() });
        }
        if height > 255 {
            return Err(TableError::TooManyLevels { column: column.to_owned(), levels: height });
        }
        let levels: Vec<Level> = (0..height).map(|l| Level::of(rows.iter().map(|r| r[l].as_str()))).collect();
        let own = |value: &str| shown(value.as_bytes());
        if let Some(code) = levels[0].leaves.iter().position(|n| *n > 1) {
            return Err(TableError::HierarchyLeafTwice { column: column.to_owned(), value: own(&levels[0].values[code]) });
        }
        for l in 1..height {
            let mut parent: Vec<Option<u32>> = vec![None; levels[l - 1].values.len()];
            for (below, above) in levels[l - 1].of_leaf.iter().zip(&levels[l].of_leaf) {
                let known = parent[*below as usize].get_or_insert(*above);
                if known != above {
                    return Err(TableError::HierarchySplit {
                        column: column.to_owned(),
                        value: own(&levels[l - 1].values[*below as usize]),
                        level: l - 1,
                        first: own(&levels[l].values[*known as usize]),
                        second: own(&levels[l].values[*above as usize]),
                    });
                }
            }
        }
        if let Some((first, second)) = cycle(rows) {
            return Err(TableError::HierarchyCycle { column: column.to_owned(), first: own(first), second: own(second) });
        }
        let codes = levels[0].values.iter().enumerate().map(|(n, v)| (v.as_bytes().into(), n as u32)).collect();
        Ok(Self { column: column.to_owned(), levels, codes, empty_is_own: false })
    }

    /// The hierarchy that only removes: the values themselves, then `*`.
    pub fn of_values(column: &str, values: impl Iterator<Item = String>) -> Result<Self, TableError> {
        let rows: Vec<Vec<String>> = values.map(|v| vec![v, "*".to_owned()]).collect();
        Self::from_rows(column, &rows)
    }

    /// Gives empty cells a branch of their own: empty at every level, but the last where that is one root. Nothing where the file
    /// has an empty leaf.
    pub fn with_empty_as_category(mut self) -> Result<Self, TableError> {
        if self.codes.contains_key(&b""[..]) {
            return Ok(self);
        }
        let leaves = self.levels[0].of_leaf.len();
        let mut rows: Vec<Vec<String>> = (0..leaves).map(|n| self.path(n as u32)).collect();
        let mut own = vec![String::new(); self.levels.len()];
        if let (Some(cell), Some(root), true) = (own.last_mut(), self.root(), self.levels.len() > 1) {
            // Of several roots none is that of an empty cell.
            root.clone_into(cell);
        }
        rows.push(own);
        let column = std::mem::take(&mut self.column);
        Ok(Self { empty_is_own: true, ..Self::from_rows(&column, &rows)? })
    }

    /// The one value at the top, if it is one.
    pub fn root(&self) -> Option<&str> {
        match self.levels.last().map(|l| l.values.as_slice()) {
            Some([root]) => Some(root),
            _ => None,
        }
    }

    /// Whether an empty cell is a category that the file does not have.
    pub fn empty_is_own(&self) -> bool {
        self.empty_is_own
    }

    /// The values of a leaf from itself to the top.
    pub fn path(&self, leaf: u32) -> Vec<String> {
        self.levels.iter().map(|l| l.values[l.of_leaf[leaf as usize] as usize].clone()).collect()
    }

    /// The code of a leaf.
    pub fn leaf(&self, value: &[u8]) -> Option<u32> {
        self.codes.get(value).copied()
    }

    /// Lines of the file.
    pub fn rows(&self) -> usize {
        self.levels[0].of_leaf.len()
    }
}

impl Level {
    fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut codes: HashMap<&str, u32> = HashMap::new();
        let mut level = Self { values: Vec::new(), of_leaf: Vec::new(), leaves: Vec::new() };
        for value in values {
            let code = *codes.entry(value).or_insert_with(|| {
                level.values.push(value.to_owned());
                level.leaves.push(0);
                level.values.len() as u32 - 1
            });
            level.of_leaf.push(code);
            level.leaves[code as usize] += 1;
        }
        level
    }
}

/// Two values of which each stands above the other, if there are any. A value may stay itself over levels.
fn cycle(rows: &[Vec<String>]) -> Option<(&str, &str)> {
    let mut above: HashMap<&str, HashSet<&str>> = HashMap::new();
    for row in rows {
        for (l, value) in row.iter().enumerate() {
            for upper in row[l + 1..].iter().filter(|u| *u != value) {
                above.entry(value).or_default().insert(upper);
            }
        }
    }
    // By the order of the file, so that the same file gives the same error.
    rows.iter().find_map(|row| {
        row.iter().enumerate().find_map(|(l, value)| {
            let both = |upper: &&String| *upper != value && above.get(upper.as_str()).is_some_and(|a| a.contains(value.as_str()));
            row[l + 1..].iter().find(both).map(|upper| (value.as_str(), upper.as_str()))
        })
    })
}
