//! Combinations of codes in the tables of a run: counted, brought to coarser forms, and what of a table's rows follows from it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::{Became, Column, EventsReport, beside, columns, treat};
use crate::AnonymityError;
use crate::profile::{Privacy, split_column};
use crate::run::{Leaders, Run};

/// By table, whose each row is and what its codes became.
pub(crate) type Leading = BTreeMap<String, (Vec<u32>, Leaders)>;

/// Combinations of codes that too few persons have, brought to coarser forms. `tables` lose rows, and on others what stands beside a code;
/// `given` lose the same rows alone, for the report to compare with.
///
/// # Errors
/// A column that does not fit its treatment.
pub(crate) fn combinations(
    run: &Run<'_>,
    privacy: &Privacy,
    leading: &mut Leading,
    tables: &mut BTreeMap<String, RecordBatch>,
    given: &mut BTreeMap<String, RecordBatch>,
    classes: &[u32],
) -> Result<Option<EventsReport>, AnonymityError> {
    let Some(of) = &privacy.events else { return Ok(None) };
    let named = |table: &str| columns(of).filter(|(t, _)| *t == table).count();
    let mut report: Option<EventsReport> = None;
    loop {
        let (found, became) = once(run, privacy, leading, tables, classes)?;
        // Two codes of one row have the same companions: what one loses, the other loses too, and has to be counted with again.
        let again = became.iter().any(|b| b.bare.contains(&true) && split_column(&b.column).is_some_and(|(t, _)| named(t) > 1));
        apply(run, &became, leading, tables, given, |table, column| columns(of).any(|c| c == (table, column)))?;
        match &mut report {
            None => report = Some(found),
            Some(report) => report.and_then(&found),
        }
        if !again {
            return Ok(report);
        }
    }
}

fn once(
    run: &Run<'_>,
    privacy: &Privacy,
    leading: &mut Leading,
    tables: &BTreeMap<String, RecordBatch>,
    classes: &[u32],
) -> Result<(EventsReport, Vec<Became>), AnonymityError> {
    let Some(of) = &privacy.events else { return Err(AnonymityError::EventsMissing) };
    let wanted: BTreeSet<(&str, &str)> = columns(of).collect();
    let mut all = Vec::new();
    for (table, (rows, leaders)) in leading.iter_mut() {
        let mine: BTreeSet<&str> = wanted.iter().filter(|(t, _)| t == table).map(|(_, c)| *c).collect();
        if mine.is_empty() {
            continue;
        }
        run.units_of_codes(&run.profile.tables[table], &tables[table], rows, leaders)?;
        let beside = beside::numbers(run, table, &tables[table], rows, leaders)?;
        for (column, coded) in leaders.codes.iter_mut().filter(|(c, _)| mine.contains(c.as_str())) {
            all.push(Column { name: format!("{table}.{column}"), persons: rows, coded, beside: beside.clone() });
        }
    }
    let k = of.k.unwrap_or(privacy.k);
    treat(run.profile, of, k, privacy.rare_persons, &mut all, of.within_classes.then_some(classes))
}

/// Takes rows out, and what stands beside codes off others; what is left of a table is counted anew, but for its codes of events.
fn apply(
    run: &Run<'_>,
    became: &[Became],
    leading: &mut Leading,
    tables: &mut BTreeMap<String, RecordBatch>,
    given: &mut BTreeMap<String, RecordBatch>,
    event: impl Fn(&str, &str) -> bool,
) -> Result<(), AnonymityError> {
    let mut of_table: BTreeMap<&str, (Vec<bool>, Vec<bool>)> = BTreeMap::new();
    for (table, became) in became.iter().filter_map(|b| Some((split_column(&b.column)?.0, b))) {
        let none = || vec![false; became.gone.len()];
        let (gone, bare) = of_table.entry(table).or_insert_with(|| (none(), none()));
        // That somebody died stays, whatever of.
        gone.iter_mut().zip(&became.gone).for_each(|(all, gone)| *all |= *gone && table != "death");
        bare.iter_mut().zip(&became.bare).for_each(|(all, bare)| *all |= bare);
    }
    for (table, (gone, bare)) in of_table.into_iter().filter(|(_, (_, bare))| bare.contains(&true)) {
        if let (Some((rows, leaders)), Some(batch), Some(given)) =
            (leading.get_mut(table), tables.get_mut(table), given.get_mut(table))
        {
            let stays: BooleanArray = gone.iter().map(|gone| Some(!gone)).collect();
            leaders.keep(&stays)?;
            *batch = filter_record_batch(&beside::without(run.profile, table, batch, &bare)?, &stays)?;
            *given = filter_record_batch(given, &stays)?;
            let mut at = 0..;
            rows.retain(|_| at.next().is_some_and(|row| stays.value(row)));
            // What stood beside codes has fewer persons now.
            let fresh = run.leading_codes(table, &run.profile.tables[table], batch, rows)?;
            leaders.renew(fresh, |column| event(table, column));
        }
    }
    Ok(())
}
