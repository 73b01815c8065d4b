//! A second reading of a result, as naive as possible: it shares no code with what made the result, and knows the result,
//! the profile's promises, and nothing else. The build check and the tests ask it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::array_value_to_string;

use crate::profile::{Profile, Treatment};
use crate::treat::OTHER;

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recount {
    /// Persons.
    pub persons: usize,
    /// Persons of the smallest class of equal quasi-identifiers; none without persons.
    pub smallest_class: Option<usize>,
    /// Codes that fewer persons have than the profile promises, over all columns of codes, by table and column.
    pub rare_codes: BTreeMap<String, usize>,
    /// Cells with a time of day, by table and column.
    pub times_of_day: BTreeMap<String, usize>,
    /// Cells with a local code, by table and column, of whatever treatment.
    pub local_codes: BTreeMap<String, usize>,
}

fn person_of(batch: &RecordBatch, row: usize) -> Option<i64> {
    let column = batch.column_by_name("person_id")?.as_primitive_opt::<Int64Type>()?;
    Some(column.value(row))
}

fn cell(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let array = batch.column_by_name(column)?;
    if array.is_null(row) { None } else { array_value_to_string(array, row).ok() }
}

/// Whether a cell names a code of some institution's own table, whatever column it stands in.
fn has_local(cell: &str) -> bool {
    cell.split('+').filter_map(|part| part.split_once(':')).any(|(system, _)| system == "L" || system.starts_with("99"))
}

/// Reads the tables of a result again.
pub fn recount(profile: &Profile, tables: &BTreeMap<String, RecordBatch>) -> Recount {
    let mut out = Recount::default();
    let mut keys: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for batch in tables.values() {
        for row in 0..batch.num_rows() {
            if let Some(person) = person_of(batch, row) {
                keys.entry(person).or_default();
            }
        }
    }
    out.persons = keys.len();
    if let Some(privacy) = &profile.privacy {
        for name in &privacy.quasi_identifiers {
            let Some((table, column)) = name.split_once('.') else { continue };
            let Some(batch) = tables.get(table) else { continue };
            for row in 0..batch.num_rows() {
                if let Some(key) = person_of(batch, row).and_then(|p| keys.get_mut(&p)) {
                    key.insert(format!("{name}={:?}", cell(batch, column, row)));
                }
            }
        }
        let mut classes: BTreeMap<&BTreeSet<String>, usize> = BTreeMap::new();
        for key in keys.values() {
            *classes.entry(key).or_default() += 1;
        }
        out.smallest_class = classes.values().min().copied();
    }
    for (name, batch) in tables {
        for field in batch.schema().fields() {
            let column = field.name();
            let place = format!("{name}.{column}");
            if matches!(field.data_type(), DataType::Timestamp(..)) || column == "measurement_time" {
                let filled = (0..batch.num_rows()).filter(|row| cell(batch, column, *row).is_some()).count();
                if filled > 0 {
                    out.times_of_day.insert(place.clone(), filled);
                }
            }
            let local = match field.data_type() {
                DataType::Utf8 => {
                    (0..batch.num_rows()).filter(|row| cell(batch, column, *row).is_some_and(|c| has_local(&c))).count()
                }
                _ => 0,
            };
            if local > 0 {
                out.local_codes.insert(place.clone(), local);
            }
            let Some(Treatment::Code { rare, .. }) = profile.treatment(name, column) else { continue };
            let mut persons_of: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
            for row in 0..batch.num_rows() {
                if let (Some(code), Some(person)) = (cell(batch, column, row), person_of(batch, row)) {
                    persons_of.entry(code).or_default().insert(person);
                }
            }
            let least = profile.privacy.as_ref().filter(|_| *rare).map_or(0, |p| p.rare_persons as usize);
            let few = persons_of.iter().filter(|(c, p)| c.as_str() != OTHER && c.as_str() != "0" && p.len() < least).count();
            if few > 0 {
                out.rare_codes.insert(place, few);
            }
        }
    }
    out
}
