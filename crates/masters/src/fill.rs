//! Rows of the model with the concepts of their codes.
//!
//! A concept column is filled where it has none: with the one standard concept of the column's domain that the vocabularies say, and
//! with 0 where they say none or several. A source concept is that of the code's own vocabulary, else the instance's own. Units are
//! UCUM as written, or in another writing that UCUM says is the same unit (`units`), or none. A suspected diagnosis is an observation: it
//! has no standard concept of the disease, which would say that there is one.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Date32Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Int32Type};
use arrow::error::ArrowError;
use omop::Table;

use crate::editions::Validity;
use crate::local::LocalConcepts;
use crate::resolver::{Resolver, UNITS};
use crate::system::System;
use crate::units;

/// Distinct codes of a column that are remembered; of more the days are looked up one by one, and none is in the coverage.
const MOST_CODES: usize = 200_000;

/// Meanings of a code on a day that are remembered at a time.
const MOST_MEANINGS: usize = 1_000_000;

/// Where a table has a code, and where its concepts go.
struct Coded {
    value: &'static str,
    concept: &'static str,
    source: &'static str,
    /// Domain of the concepts; none where those of every domain may stand.
    domain: Option<&'static str>,
}

fn coded(table: Table) -> Option<Coded> {
    let of = |value, concept, source, domain| Some(Coded { value, concept, source, domain });
    match table {
        Table::ConditionOccurrence => {
            of("condition_source_value", "condition_concept_id", "condition_source_concept_id", Some("Condition"))
        }
        Table::DrugExposure => of("drug_source_value", "drug_concept_id", "drug_source_concept_id", Some("Drug")),
        Table::ProcedureOccurrence => {
            of("procedure_source_value", "procedure_concept_id", "procedure_source_concept_id", Some("Procedure"))
        }
        Table::DeviceExposure => of("device_source_value", "device_concept_id", "device_source_concept_id", Some("Device")),
        Table::Measurement => {
            of("measurement_source_value", "measurement_concept_id", "measurement_source_concept_id", Some("Measurement"))
        }
        Table::Observation => of("observation_source_value", "observation_concept_id", "observation_source_concept_id", None),
        _ => None,
    }
}

/// What a code means on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Meaning {
    standard: i32,
    source: i32,
    icd10: Option<Arc<str>>,
    state: State,
    in_force: bool,
}

/// How far a code is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It has a standard concept of the column's domain.
    Standard,
    /// It has several, or one of another domain: none was taken.
    Unclear,
    /// A master or a vocabulary has it, and no standard concept.
    Known,
    /// It has the form of its system, and nothing that is loaded has it.
    Unknown,
    /// It is of no system that is known: the sender's own code, words.
    #[default]
    NoSystem,
}

/// A code of a column, with how many rows have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// Table.
    pub table: Table,
    /// The code as it stands in the column.
    pub value: Box<str>,
    /// Its vocabulary; empty where it is of none.
    pub vocabulary_id: &'static str,
    /// Rows by how far it is known on their days, in the order of [`State`].
    pub by_state: [u64; 5],
    /// Rows.
    pub rows: u64,
    /// Rows of days on which the code was not in force: not yet, no longer, or of another edition.
    pub not_in_force: u64,
}

impl Covered {
    /// Rows on whose days the code is known so far.
    pub fn rows_in(&self, state: State) -> u64 {
        self.by_state[state as usize]
    }
}

struct Code {
    covered: Covered,
    days: HashMap<i32, Meaning>,
}

/// Fills concepts into batches. One for a run: it remembers codes.
pub struct Filler<'r> {
    resolver: &'r Resolver,
    local: &'r LocalConcepts,
    numbers: HashMap<Table, HashMap<Box<str>, u32>>,
    codes: Vec<Code>,
    units: HashMap<Box<str>, i32>,
    remembered: usize,
}

impl<'r> Filler<'r> {
    /// Of masters and vocabularies, and of the instance's own concepts.
    pub fn new(resolver: &'r Resolver, local: &'r LocalConcepts) -> Filler<'r> {
        Filler { resolver, local, numbers: HashMap::new(), codes: Vec::new(), units: HashMap::new(), remembered: 0 }
    }

    /// The tables whose rows have codes.
    pub const TABLES: [Table; 6] = [
        Table::ConditionOccurrence,
        Table::DrugExposure,
        Table::ProcedureOccurrence,
        Table::DeviceExposure,
        Table::Measurement,
        Table::Observation,
    ];

    /// The batch with its concepts; a table without codes as it is. Days are those of [`Table::date_column`].
    ///
    /// # Errors
    /// When the batch is not of the table.
    pub fn fill(&mut self, table: Table, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let Some(coded) = coded(table) else { return Ok(batch.clone()) };
        let texts = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        let Some(values) = texts(coded.value) else { return Ok(batch.clone()) };
        let days = table.date_column().and_then(|name| batch.column_by_name(name)?.as_primitive_opt::<Date32Type>());
        // ICD-10 as the sender itself gives it, beside its own code or that of a master.
        let stated = texts("icd10").filter(|_| table == Table::ConditionOccurrence);
        let (mut standard, mut source) = (Vec::with_capacity(batch.num_rows()), Vec::with_capacity(batch.num_rows()));
        let mut icd10: Vec<Option<Arc<str>>> = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let stated = stated.filter(|s| s.is_valid(row)).map(|s| s.value(row));
            let meaning = values.is_valid(row).then(|| self.meaning(table, &coded, (values.value(row), stated), day(days, row)));
            let meaning = meaning.unwrap_or_default();
            standard.push(meaning.standard);
            source.push(meaning.source);
            icd10.push(meaning.icd10);
        }
        let mut columns = batch.columns().to_vec();
        let schema = batch.schema();
        let mut put = |name: &str, filled: &[i32]| {
            let Ok(place) = schema.index_of(name) else { return };
            if let Some(old) = columns[place].as_primitive_opt::<Int32Type>() {
                columns[place] = with(old, filled);
            }
        };
        put(coded.concept, &standard);
        put(coded.source, &source);
        if let Some(units) = texts("unit_source_value") {
            let units: Vec<i32> = units.iter().map(|unit| unit.map_or(0, |u| self.unit(u))).collect();
            put("unit_concept_id", &units);
        }
        if let (Ok(place), Some(old)) = (schema.index_of("icd10"), texts("icd10")) {
            let filled = old.iter().zip(&icd10).map(|(old, new)| old.or(new.as_deref()));
            columns[place] = Arc::new(filled.collect::<StringArray>());
        }
        RecordBatch::try_new(schema, columns)
    }

    /// The codes that were met, by table and code.
    pub fn coverage(self) -> Vec<Covered> {
        let mut all: Vec<Covered> = self.codes.into_iter().map(|c| c.covered).collect();
        all.sort_by(|a, b| (a.table, &a.value).cmp(&(b.table, &b.value)));
        all
    }

    fn meaning(&mut self, table: Table, coded: &Coded, (value, stated): (&str, Option<&str>), day: i32) -> Meaning {
        let numbers = self.numbers.entry(table).or_default();
        let number = match numbers.get(value) {
            Some(number) => *number as usize,
            None if numbers.len() >= MOST_CODES => {
                let meaning = look_up(self.resolver, self.local, table, coded, value, day).0;
                return self.by_stated(meaning, stated, day);
            }
            None => {
                let number = self.codes.len();
                numbers.insert(value.into(), number as u32);
                let covered =
                    Covered { table, value: value.into(), vocabulary_id: "", by_state: [0; 5], rows: 0, not_in_force: 0 };
                self.codes.push(Code { covered, days: HashMap::new() });
                number
            }
        };
        if self.remembered >= MOST_MEANINGS {
            self.remembered = 0;
            self.codes.iter_mut().for_each(|code| code.days.clear());
        }
        let code = &mut self.codes[number];
        let meaning = match code.days.get(&day) {
            Some(meaning) => meaning,
            None => {
                let (meaning, vocabulary_id) = look_up(self.resolver, self.local, table, coded, value, day);
                code.covered.vocabulary_id = vocabulary_id;
                self.remembered += 1;
                code.days.entry(day).or_insert(meaning)
            }
        };
        code.covered.rows += 1;
        code.covered.not_in_force += u64::from(!meaning.in_force);
        let meaning = meaning.clone();
        let meaning = self.by_stated(meaning, stated, day);
        self.codes[number].covered.by_state[meaning.state as usize] += 1;
        meaning
    }

    /// Where a code says no concept, by the ICD-10 that the sender states beside it.
    fn by_stated(&self, meaning: Meaning, stated: Option<&str>, day: i32) -> Meaning {
        let undecided = matches!(meaning.state, State::Known | State::Unknown | State::NoSystem);
        let Some(stated) = stated.filter(|_| undecided) else { return meaning };
        let found = self.resolver.resolve(Table::ConditionOccurrence, "icd10", stated, day);
        match found.map(|f| (f.standard, f.left_out.is_empty())) {
            Some((standard, true)) if matches!(standard[..], [(_, "Condition")]) => {
                Meaning { standard: standard[0].0, state: State::Standard, ..meaning }
            }
            _ => meaning,
        }
    }

    /// Takes concepts away from the rows of codes that have not the same ones on all their days: where days are moved or coarsened, they
    /// would say on which side of a change of master the true day is.
    ///
    /// # Errors
    /// When the batch is not of the table.
    pub fn same_on_all_days(table: Table, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let Some(coded) = coded(table) else { return Ok(batch.clone()) };
        let Some(values) = batch.column_by_name(coded.value).and_then(|c| c.as_string_opt::<i32>()) else {
            return Ok(batch.clone());
        };
        let schema = batch.schema();
        let mut columns = batch.columns().to_vec();
        for name in [coded.concept, coded.source] {
            let Ok(place) = schema.index_of(name) else { continue };
            let Some(concepts) = batch.column(place).as_primitive_opt::<Int32Type>() else { continue };
            let mut of: HashMap<&str, Option<i32>> = HashMap::new();
            for row in (0..batch.num_rows()).filter(|row| values.is_valid(*row)) {
                let concept = if concepts.is_valid(row) { concepts.value(row) } else { 0 };
                let same = of.entry(values.value(row)).or_insert(Some(concept));
                *same = same.filter(|s| *s == concept);
            }
            let same = |row: usize| !values.is_valid(row) || of.get(values.value(row)).is_some_and(Option::is_some);
            let kept = concepts.iter().enumerate().map(|(row, concept)| if same(row) { concept } else { concept.map(|_| 0) });
            columns[place] = Arc::new(kept.collect::<Int32Array>());
        }
        RecordBatch::try_new(schema, columns)
    }

    fn unit(&mut self, unit: &str) -> i32 {
        if let Some(id) = self.units.get(unit) {
            return *id;
        }
        // UCUM has no days: a unit is what it is.
        let said = units::codes(unit).into_iter().map(|code| self.resolver.vocabulary.standard(UNITS, &code, 0));
        let id = match said.into_iter().find(|targets| targets.origin.is_some()).map(|targets| targets.concepts) {
            Some(concepts) if matches!(concepts[..], [(_, "Unit")]) => concepts[0].0,
            _ => 0,
        };
        if self.units.len() < MOST_CODES {
            self.units.insert(unit.into(), id);
        }
        id
    }
}

fn look_up(
    resolver: &Resolver,
    local: &LocalConcepts,
    table: Table,
    coded: &Coded,
    value: &str,
    day: i32,
) -> (Meaning, &'static str) {
    let Some(found) = resolver.resolve(table, coded.value, value, day) else {
        return (Meaning { in_force: true, ..Meaning::default() }, "");
    };
    let vocabulary_id = found.system.vocabulary_id();
    let suspected = table == Table::Observation && (found.system == System::Icd10 || found.system.is_disease());
    let fits = |domain: &str| coded.domain.is_none_or(|d| d == domain) && !suspected;
    let standard = match found.standard[..] {
        // Where another was said as well, and cannot be used, one alone is not what was said.
        [(id, domain)] if fits(domain) && found.left_out.is_empty() => id,
        _ => 0,
    };
    let own = match found.system {
        System::Icd10 => found.icd10.as_deref().and_then(|code| local.id(vocabulary_id, code)),
        _ => local.id(vocabulary_id, found.code),
    };
    let source = found.source_concept_id.or(own).unwrap_or(0);
    let state = if standard != 0 {
        State::Standard
    } else if (!found.standard.is_empty() || !found.left_out.is_empty()) && !suspected {
        State::Unclear
    } else if source != 0 || found.validity.is_some() {
        State::Known
    } else {
        State::Unknown
    };
    let in_force = !matches!(found.validity, Some(Validity::NotYet | Validity::NoLonger));
    (Meaning { standard, source, icd10: found.icd10.map(Arc::from), state, in_force }, vocabulary_id)
}

fn day(days: Option<&Date32Array>, row: usize) -> i32 {
    days.filter(|d| d.is_valid(row)).map_or(0, |d| d.value(row))
}

/// What was there where it says something, else what was found.
fn with(old: &Int32Array, filled: &[i32]) -> ArrayRef {
    let of = |(old, new): (Option<i32>, &i32)| match old {
        Some(0) | None => Some(*new).filter(|n| *n != 0).or(old),
        there => there,
    };
    Arc::new(old.iter().zip(filled).map(of).collect::<Int32Array>())
}
