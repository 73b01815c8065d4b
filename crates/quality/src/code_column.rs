//! A column of codes: each distinct code is looked at once, its rows are counted.

use std::collections::HashMap;

use omop::Table;
use roaring::RoaringBitmap;

use crate::codes::{Form, icd_category, in_block, is_local, is_words};
use crate::column::Column;
use crate::days::MONTHS;
use crate::persons::Persons;
use crate::rules::{CheckName as N, Rules};
use crate::tally::{Rows, Tally};

/// Distinct codes of a column that are told apart; more are counted together as the sender's own.
const MOST_CODES: usize = 100_000;
/// Under this name.
const REST: &str = "L:…";
/// And words under this one: they are not shown, since they may say who somebody is.
const WORDS: &str = "text:…";
/// Days of a year.
const YEAR: f64 = 365.25;

/// A code.
pub(crate) struct Code {
    pub text: String,
    pub local: bool,
    pub rows: u64,
    pub persons: RoaringBitmap,
    holds: Option<bool>,
    /// Checks of its diagnosis.
    checks: Vec<usize>,
}

/// A column of codes.
pub(crate) struct CodeColumn {
    pub field: String,
    numbers: HashMap<String, u32>,
    pub codes: Vec<Code>,
    /// Rows with a code, and with one of the sender's own, by month.
    pub months: Vec<u32>,
    pub local_months: Vec<u32>,
    form: Option<(usize, Form)>,
    /// Checks by diagnosis, with their codes.
    diagnoses: Vec<(usize, String)>,
    /// Rows by month of each of these that counts rows.
    pub volumes: HashMap<usize, Vec<u32>>,
}

impl CodeColumn {
    pub(crate) fn all(table: Table, rules: &Rules) -> Vec<CodeColumn> {
        let mut columns: Vec<CodeColumn> = Vec::new();
        for (number, check) in rules.checks().iter().enumerate().filter(|(_, c)| c.table == table) {
            let by_diagnosis = matches!(check.name, N::Gender | N::Age | N::CodeRowsShift) && table != Table::Measurement;
            if !(by_diagnosis || matches!(check.name, N::CodeForm | N::SourceValue | N::LocalCodeShift)) {
                continue;
            }
            // A diagnosis is told by its ICD-10 code where the row has one beside its own.
            let icd = by_diagnosis && table.fields().any(|f| f.name == "icd10");
            let fields: &[&str] = if icd { &["icd10", &check.field] } else { &[&check.field] };
            for field in fields {
                let place = columns.iter().position(|c| c.field == *field).unwrap_or_else(|| {
                    columns.push(CodeColumn::new(field));
                    columns.len() - 1
                });
                let column = &mut columns[place];
                match check.name {
                    N::CodeForm => column.form = Form::by_name(&check.code).map(|form| (number, form)),
                    N::SourceValue | N::LocalCodeShift => {}
                    _ => column.diagnoses.push((number, check.code.clone())),
                }
            }
        }
        columns
    }

    fn new(field: &str) -> CodeColumn {
        CodeColumn {
            field: field.to_owned(),
            numbers: HashMap::new(),
            codes: Vec::new(),
            months: vec![0; MONTHS + 1],
            local_months: vec![0; MONTHS + 1],
            form: None,
            diagnoses: Vec::new(),
            volumes: HashMap::new(),
        }
    }

    fn number(&mut self, value: &str) -> u32 {
        let value = if is_words(value) { WORDS } else { value };
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let value = if self.codes.len() >= MOST_CODES { REST } else { value };
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = self.codes.len() as u32;
        let diagnosis = icd_category(value);
        let checks = diagnosis.map_or(Vec::new(), |category| {
            self.diagnoses.iter().filter(|(_, code)| in_block(category, code)).map(|(n, _)| *n).collect()
        });
        let holds = self.form.and_then(|(_, form)| form.holds(value));
        self.numbers.insert(value.to_owned(), number);
        let local = is_local(value);
        self.codes.push(Code { text: value.to_owned(), local, rows: 0, persons: RoaringBitmap::new(), holds, checks });
        number
    }

    pub(crate) fn check(&mut self, rows: &Rows<'_>, persons: &Persons, rules: &Rules, tallies: &mut [Tally]) {
        let column = Column::of(rows.batch, &self.field);
        if !column.has_values() {
            return;
        }
        // The rows whose own code is not asked for its diagnosis, as an ICD-10 code stands beside it.
        let icd = if self.field == "icd10" { Column::None } else { Column::of(rows.batch, "icd10") };
        let mut last: Option<(&str, u32)> = None;
        for row in 0..rows.len() {
            let Some(value) = column.text(row) else { continue };
            let number = match last {
                Some((text, number)) if text == value => number,
                _ => self.number(value),
            };
            last = Some((value, number));
            let month = rows.month[row];
            let code = &mut self.codes[number as usize];
            code.rows += 1;
            self.months[usize::from(month)] += 1;
            if code.local {
                self.local_months[usize::from(month)] += 1;
                code.persons.insert(rows.person[row]);
            }
            if let (Some((check, _)), Some(holds)) = (self.form, code.holds) {
                tallies[check].test(rows, row);
                if !holds {
                    tallies[check].violate(rows, row);
                }
            }
            if code.checks.is_empty() || icd.is_valid(row) {
                continue;
            }
            for &number in &code.checks {
                let check = &rules.checks()[number];
                let person = persons.get(rows.person[row]);
                let holds = match check.name {
                    N::Gender => (person.sex != ' ').then(|| Some(person.sex) == check.sex),
                    N::Age => check.age.and_then(|(from, to)| {
                        let day = rows.day(row).filter(|_| person.birth > i32::MIN)?;
                        let years = (f64::from(day) - f64::from(person.birth)) / YEAR;
                        Some(years >= from && years < to)
                    }),
                    _ => {
                        let months = self.volumes.entry(number).or_insert_with(|| vec![0; MONTHS + 1]);
                        months[usize::from(month)] += 1;
                        None
                    }
                };
                if let Some(holds) = holds {
                    tallies[number].test(rows, row);
                    if !holds {
                        tallies[number].violate(rows, row);
                    }
                }
            }
        }
    }
}
