//! The population's persons in each class of a release, counted anew from its file and the hierarchy files.

use std::collections::BTreeMap;
use std::io::Read;

use crate::release::ReleaseReport;
use crate::table::{TableError, separator};

/// Persons of a population by the released classes' values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PopulationClasses {
    /// Values in the order of the report's columns → persons.
    pub persons: BTreeMap<Vec<String>, u64>,
    /// Persons in all.
    pub rows: u64,
}

/// What a value becomes at the report's level of a column.
struct Coarser {
    by_leaf: BTreeMap<String, String>,
    /// What an empty cell becomes, where it is a category that the file does not have.
    empty: Option<String>,
}

/// Reads a population and makes it as coarse as a release. `hierarchies`: the bytes of the hierarchy file of each column.
///
/// # Errors
/// A file that cannot be read, a column or hierarchy that is missing, a value without a leaf.
pub fn population_classes(
    source: impl Read,
    name: &str,
    report: &ReleaseReport,
    hierarchies: &BTreeMap<String, Vec<u8>>,
) -> Result<PopulationClasses, TableError> {
    let file = || name.to_owned();
    let unreadable = |e: &dyn std::fmt::Display| TableError::Unreadable { file: file(), reason: e.to_string() };
    let mut bytes = Vec::new();
    let mut source = source;
    source.read_to_end(&mut bytes).map_err(|e| unreadable(&e))?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().delimiter(separator(bytes)).from_reader(bytes);
    let header = reader.headers().map_err(|e| unreadable(&e))?.clone();
    let mut columns = Vec::new();
    for column in &report.columns {
        let missing = || TableError::PopulationColumn { file: file(), column: column.name.clone() };
        let at = header.iter().position(|h| *h == column.name).ok_or_else(missing)?;
        let folder = || TableError::HierarchyMissing { column: column.name.clone(), folder: "--hierarchies".to_owned() };
        let bytes = hierarchies.get(&column.name).ok_or_else(folder)?;
        columns.push((at, column, Coarser::read(bytes, usize::from(column.level), column.empty_is_category)));
    }
    let mut classes = PopulationClasses::default();
    for record in reader.records() {
        let record = record.map_err(|e| unreadable(&e))?;
        let line = record.position().map_or(0, csv::Position::line);
        let of = |(at, column, coarser): &(usize, &crate::release::ColumnLevels, Coarser)| {
            let leaf = || TableError::PopulationLeaf { file: file(), column: column.name.clone(), line };
            coarser.of(&record[*at]).cloned().ok_or_else(leaf)
        };
        let class: Vec<String> = columns.iter().map(of).collect::<Result<_, _>>()?;
        *classes.persons.entry(class).or_default() += 1;
        classes.rows += 1;
    }
    Ok(classes)
}

impl Coarser {
    fn read(bytes: &[u8], level: usize, empty_is_category: bool) -> Self {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut builder = csv::ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).delimiter(separator(bytes)).from_reader(bytes);
        let lines: Vec<csv::StringRecord> = reader.into_records().filter_map(Result::ok).collect();
        let pair = |line: &csv::StringRecord| Some((line.get(0)?.to_owned(), line.get(level)?.to_owned()));
        let by_leaf: BTreeMap<String, String> = lines.iter().filter_map(pair).collect();
        let tops: std::collections::BTreeSet<&str> = lines.iter().filter_map(|l| l.get(l.len().checked_sub(1)?)).collect();
        let at_top = level > 0 && lines.first().is_some_and(|l| level + 1 == l.len());
        let root = tops.first().filter(|_| at_top && tops.len() == 1).map_or(String::new(), |root| (*root).to_owned());
        Self { by_leaf, empty: empty_is_category.then_some(root) }
    }

    fn of(&self, cell: &str) -> Option<&String> {
        self.by_leaf.get(cell).or_else(|| self.empty.as_ref().filter(|_| cell.is_empty()))
    }
}

/// How many classes break `kmap:K` or `dp:LEAST:MOST`, from the persons of the table and of the population in each; nothing for any
/// other model. `unreleased`: classes of the population of which nobody is released.
pub(super) fn broken(model: &str, sizes: impl Iterator<Item = (u64, u64)>, unreleased: usize) -> Option<usize> {
    let parts: Vec<&str> = model.split(':').collect();
    match parts[..] {
        ["kmap", k] => {
            let k = k.parse::<u64>().ok()?;
            Some(sizes.filter(|(_, persons)| *persons < k).count())
        }
        ["dp", least, most] => {
            let (least, most) = (least.parse::<f64>().ok()?, most.parse::<f64>().ok()?);
            let holds = |(size, persons): &(u64, u64)| {
                let share = *size as f64 / *persons as f64;
                *persons > 0 && share >= least - 1e-9 && share <= most + 1e-9
            };
            // Nobody of them is in the table, which is less than any lower bound but 0.
            let nobody = if least > 0.0 { unreleased } else { 0 };
            Some(sizes.filter(|pair| !holds(pair)).count() + nobody)
        }
        _ => None,
    }
}
