//! Who stays in an anonymized data set, and how coarse each person's quasi-identifiers become for it.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

use crate::AnonymityError;
use crate::classes::{Cell, Keys, decide, histogram};
use crate::profile::{Privacy, Step, split_column};
use crate::report::{PrivacyReport, StepReport};
use crate::run::{Run, as_texts, coarser};

/// What was decided for everybody.
pub(crate) struct Stay {
    /// Steps of coarsening; `None`: left out.
    pub steps: Vec<Option<usize>>,
    /// Class of each person, in the order of persons; that of who is left out says nothing.
    pub classes: Vec<u32>,
    /// What the report says of it.
    pub privacy: Option<PrivacyReport>,
}

impl Run<'_> {
    /// Who stays, and after how many steps. Rare codes and extreme values are of the release, so where a quasi-identifier
    /// depends on them, leaving people out can make new ones: then it is decided again among those who are left.
    pub fn who_stays(&self, tables: &BTreeMap<String, RecordBatch>, privacy: &Privacy) -> Result<Stay, AnonymityError> {
        let persons = self.persons.len();
        let mut stays = vec![true; persons];
        let mut before = None;
        loop {
            let mut keys_at = Vec::new();
            let mut numbering = Keys::default();
            for step in 0..=privacy.coarsen.len() {
                let mut columns = Vec::new();
                for (table, names) in by_table(&privacy.quasi_identifiers)? {
                    columns.push(self.cells(tables, table, &names, &privacy.coarsen[..step], &stays)?);
                }
                keys_at.push(numbering.number(columns, persons));
            }
            let open: Vec<usize> = (0..persons).filter(|p| stays[*p]).collect();
            let of_open: Vec<Vec<u32>> = keys_at.iter().map(|keys| open.iter().map(|p| keys[*p]).collect()).collect();
            if before.is_none() {
                before = Some(histogram(of_open[0].iter().copied()));
            }
            let decision = decide(&of_open, privacy.k);
            let mut steps: Vec<Option<usize>> = vec![None; persons];
            for (person, decided) in open.iter().zip(&decision.steps) {
                steps[*person] = *decided;
            }
            if decision.steps.iter().all(Option::is_some) {
                let suppressed = steps.iter().filter(|s| s.is_none()).count();
                within_suppression(suppressed, persons, privacy)?;
                let after = histogram(open.iter().filter_map(|p| Some(keys_at[steps[*p]?][*p])));
                let step_report = |(n, step): (usize, &Step)| StepReport {
                    column: step.column.clone(),
                    to: step.to.clone(),
                    persons: steps.iter().filter(|s| s.is_some_and(|s| s > n)).count() as u64,
                };
                let privacy = PrivacyReport {
                    k: privacy.k,
                    quasi_identifiers: privacy.quasi_identifiers.clone(),
                    rare_persons: privacy.rare_persons,
                    extreme_persons: privacy.extreme_persons,
                    shift_days: privacy.shift_days,
                    before: before.unwrap_or_default(),
                    after,
                    steps: privacy.coarsen.iter().enumerate().map(step_report).collect(),
                    suppressed: suppressed as u64,
                    calendar: None,
                    events: None,
                    visits: None,
                    found: Vec::new(),
                };
                let class = |(person, step): (usize, &Option<usize>)| step.map_or(u32::MAX, |s| keys_at[s][person]);
                let classes = steps.iter().enumerate().map(class).collect();
                return Ok(Stay { steps, classes, privacy: Some(privacy) });
            }
            for (person, decided) in steps.iter().enumerate() {
                stays[person] &= decided.is_some();
            }
            // Nobody comes back: there is no use in deciding again.
            within_suppression(stays.iter().filter(|s| !**s).count(), persons, privacy)?;
        }
    }

    /// What would leave of the quasi-identifiers of a table, by person, after some steps: the rows, in order and as often as
    /// they are there, because what stands in one row is known together.
    fn cells(
        &self,
        tables: &BTreeMap<String, RecordBatch>,
        table_name: &str,
        columns: &[&str],
        steps: &[Step],
        stays: &[bool],
    ) -> Result<Vec<Cell>, AnonymityError> {
        let mut cells: Vec<Cell> = vec![Vec::new(); self.persons.len()];
        let (Some(batch), Some(table)) = (tables.get(table_name), self.profile.tables.get(table_name)) else {
            return Ok(cells);
        };
        let batch = self.persons.keep(table_name, batch, stays)?;
        let rows = self.persons.rows(table_name, &batch)?;
        let leaders = self.leaders(table_name, table, &batch, &rows)?;
        let mut tuples: Vec<Vec<Option<String>>> = vec![Vec::with_capacity(columns.len()); rows.len()];
        for column in columns {
            let mut array = self.column(table_name, table, &batch, column, &rows, &leaders, None)?;
            for step in steps.iter().filter(|s| split_column(&s.column) == Some((table_name, *column))) {
                array = coarser(table_name, column, &batch, &array, &step.to)?;
            }
            for (tuple, text) in tuples.iter_mut().zip(as_texts(&array)?) {
                tuple.push(text);
            }
        }
        for (tuple, person) in tuples.into_iter().zip(rows) {
            cells[person as usize].push(tuple);
        }
        for cell in &mut cells {
            cell.sort_unstable();
        }
        Ok(cells)
    }
}

fn within_suppression(suppressed: usize, persons: usize, privacy: &Privacy) -> Result<(), AnonymityError> {
    if suppressed as f64 > privacy.most_suppressed * persons as f64 {
        return Err(AnonymityError::TooMuchSuppressed { suppressed, persons, most: privacy.most_suppressed });
    }
    Ok(())
}

/// The quasi-identifiers by table, in the order of tables and of the profile.
fn by_table(names: &[String]) -> Result<BTreeMap<&str, Vec<&str>>, AnonymityError> {
    let mut out: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        let (table, column) = split_column(name).ok_or_else(|| AnonymityError::NotAColumn { name: name.clone() })?;
        let columns = out.entry(table).or_default();
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(out)
}
