use std::collections::HashMap;

use crate::metrics::Metric;
use crate::models::{Models, Monotone, Sensitive};
use crate::risk::population::Population;
use crate::search::{Effort, Found, Limits, Parts, Problem, search};
use crate::table::{Field, Grouper, Groups, Hierarchy, Input, Key, PopulationTable, Remap, Role, TableError, plain};

/// What a release must be.
#[derive(Debug, Clone)]
pub struct Question {
    /// What must be met.
    pub models: Models,
    /// What is lost.
    pub metric: Metric,
    /// Share of records that may be suppressed.
    pub suppression: f64,
    /// Persons of the population, for the models that estimate; those of its table where there is one.
    pub population: Option<u64>,
    /// The population itself, for the models that count its persons.
    pub population_table: Option<PopulationTable>,
    /// Hierarchy of the sensitive column, for the hierarchical distance.
    pub sensitive_hierarchy: Option<Hierarchy>,
}

/// A question about a table, packed as narrowly as it goes.
#[derive(Debug)]
pub enum Prepared {
    /// In 64 bits a row.
    Narrow(Box<Problem<u64>>),
    /// In 128.
    Wide(Box<Problem<u128>>),
}

/// The values of a column by what they say.
pub(super) struct Spelled<'a> {
    /// What they say, in the order of their first spelling.
    pub plain: Vec<String>,
    /// Their spellings.
    pub written: Vec<Vec<&'a str>>,
    /// Code of a spelling → code of what it says.
    pub of_code: Vec<u32>,
}

impl<'a> Spelled<'a> {
    pub fn of(values: &'a [String]) -> Self {
        let mut index = HashMap::new();
        let mut spelled = Self { plain: Vec::new(), written: Vec::new(), of_code: Vec::new() };
        for value in values {
            let says = plain(value);
            let code = *index.entry(says.clone()).or_insert(spelled.plain.len() as u32);
            if code as usize == spelled.plain.len() {
                spelled.plain.push(says);
                spelled.written.push(Vec::new());
            }
            spelled.written[code as usize].push(value);
            spelled.of_code.push(code);
        }
        spelled
    }
}

/// Puts a question to a table.
///
/// # Errors
/// What does not fit together.
pub fn prepare(input: &Input, question: &Question) -> Result<Prepared, TableError> {
    let n = input.rows;
    if !(0.0..=1.0).contains(&question.suppression) {
        return Err(TableError::SuppressionRange { text: question.suppression.to_string() });
    }
    if let Some(k) = question.models.k()
        && n < k
    {
        return Err(TableError::SmallerThanK { rows: n, k });
    }
    let sensitive = input.columns.iter().find(|c| c.role == Role::Sensitive);
    let about = question.models.about_sensitive();
    let sensitive = match (sensitive, about) {
        (None, Some(model)) => return Err(TableError::SensitiveMissing { model: model.to_owned() }),
        (Some(column), Some(_)) => Some(column),
        _ => None,
    };
    let counted = question.models.about_population_table();
    if let (Some(model), None) = (counted, &question.population_table) {
        return Err(TableError::PopulationTableMissing { model: model.to_owned() });
    }
    let persons = question.persons();
    if let (Some(model), None) = (question.models.about_population_size(), persons) {
        return Err(TableError::PopulationMissing { model: model.to_owned() });
    }
    if let Some(population) = persons
        && population < n
    {
        return Err(TableError::PopulationSmaller { population, rows: n });
    }
    let quasi: Vec<(&Hierarchy, Field)> =
        input.columns.iter().filter_map(|c| c.hierarchy.as_ref().map(|h| (h, c.field))).collect();
    // Columns that only travel along are no part of the search.
    let unused: Vec<Remap<'_>> = input
        .columns
        .iter()
        .filter(|c| c.role == Role::Kept || (c.role == Role::Sensitive && sensitive.is_none()))
        .map(|c| Remap { field: c.field, codes: None })
        .collect();
    let mut base = Groups { keys: input.keys.clone(), counts: input.counts.clone(), population: Vec::new() };
    if !unused.is_empty() {
        let source = base;
        base = Groups::new();
        Grouper::default().regroup(&source, &unused, u64::MAX, &mut base);
    }
    // The sensitive column moves next to the quasi-identifiers.
    let width = quasi.iter().map(|(_, f)| f.shift + f.bits).max().unwrap_or(0);
    let sensitive = match sensitive {
        None => None,
        Some(column) => {
            // What is spelled in several ways is one value: the release keeps the spellings, the models do not count them.
            let values = Spelled::of(&column.values);
            let field = Field { shift: width, bits: Field::width(values.plain.len()) };
            let mut counts = vec![0u64; values.plain.len()];
            for (key, count) in base.keys.iter_mut().zip(&base.counts) {
                let code = values.of_code[key.get(column.field) as usize];
                counts[code as usize] += u64::from(*count);
                *key = key.without(u128::mask(column.field)).with(field, code);
            }
            if values.plain.len() < column.values.len() {
                // Rows that differed by a spelling are one now.
                let source = std::mem::take(&mut base);
                Grouper::default().regroup(&source, &[], u64::MAX, &mut base);
            }
            let least = question.models.monotone.iter().filter_map(|m| match m {
                Monotone::DistinctDiversity { l } => Some(*l),
                _ => None,
            });
            if let Some(l) = least.max()
                && (values.plain.len() as u64) < l
            {
                let (column, distinct) = (column.name.clone(), counts.len());
                return Err(TableError::SensitiveTooFew { column, distinct, model: about.unwrap_or_default().to_owned() });
            }
            let mut sensitive = Sensitive::new(&counts);
            if question.models.needs_order() {
                sensitive = sensitive.ordered(&column.name, &values.plain)?;
            }
            if question.models.needs_tree() {
                let missing = || TableError::HierarchyMissing { column: column.name.clone(), folder: String::new() };
                let hierarchy = question.sensitive_hierarchy.as_ref().ok_or_else(missing)?;
                sensitive = sensitive.with_tree(&column.name, &values.written, hierarchy)?;
            }
            Some((sensitive, field))
        }
    };
    if let (Some(table), Some(_)) = (&question.population_table, counted) {
        let mask = quasi.iter().fold(0, |mask, (_, field)| mask | u128::mask(*field));
        join(&mut base, table, mask)?;
    }
    let bits = width + sensitive.as_ref().map_or(0, |(_, f)| f.bits);
    let allowed = (question.suppression * n as f64 + 1e-9).floor() as u64;
    let population = persons.map(|size| Population { size: size as f64, sample: n as f64 });
    let parts =
        Parts { columns: quasi, sensitive, models: question.models.clone(), metric: question.metric, allowed, population };
    Ok(if bits <= u64::BITS {
        let keys = base.keys.iter().map(|k| u64::narrow(*k)).collect();
        let base = Groups { keys, counts: base.counts, population: base.population };
        Prepared::Narrow(Box::new(Problem::new(base, parts)))
    } else {
        Prepared::Wide(Box::new(Problem::new(base, parts)))
    })
}

impl Question {
    /// Persons of the population, as given or as its table has.
    pub fn persons(&self) -> Option<u64> {
        self.population.or(self.population_table.as_ref().map(|t| t.rows))
    }
}

/// Puts the persons of a population to the rows of a table with the same quasi-identifiers, after the table's rows those that only
/// the population has. `mask`: the quasi-identifiers' bits.
///
/// # Errors
/// A population that lacks rows of the table: a chance of being in the table would come out as more than 1.
fn join(base: &mut Groups<u128>, table: &PopulationTable, mask: u128) -> Result<(), TableError> {
    // Quasi-identifiers → first row of the table that has them, and all its records.
    let mut first: HashMap<u128, (usize, u64)> = HashMap::with_capacity(base.len());
    for (at, (key, count)) in base.keys.iter().zip(&base.counts).enumerate() {
        first.entry(key & mask).or_insert((at, 0)).1 += u64::from(*count);
    }
    base.population = vec![0; base.len()];
    let (mut found, mut lacking) = (0, (0u64, 0u64));
    for (key, persons) in table.keys.iter().zip(&table.counts) {
        match first.get(key) {
            Some((at, records)) => {
                base.population[*at] = *persons;
                found += 1;
                if u64::from(*persons) < *records {
                    lacking = (lacking.0 + records - u64::from(*persons), lacking.1 + 1);
                }
            }
            None => {
                base.keys.push(*key);
                base.counts.push(0);
                base.population.push(*persons);
            }
        }
    }
    if found < first.len() {
        for (_, records) in first.into_values().filter(|(at, _)| base.population[*at] == 0) {
            lacking = (lacking.0 + records, lacking.1 + 1);
        }
    }
    match lacking {
        (0, _) => Ok(()),
        (rows, combinations) => Err(TableError::PopulationLacks { rows, combinations }),
    }
}

impl Prepared {
    /// Searches.
    pub fn search(&self, limits: Limits) -> (Option<Found>, Effort) {
        match self {
            Prepared::Narrow(problem) => search(problem, limits),
            Prepared::Wide(problem) => search(problem, limits),
        }
    }
}
