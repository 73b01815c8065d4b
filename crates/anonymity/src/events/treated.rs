//! Combinations of codes in the tables of a run: counted, brought to coarser forms, and what of a table's rows follows from it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::{Became, Column, EventsReport, beside, columns, treat};
use crate::AnonymityError;
use crate::months;
use crate::profile::{Privacy, split_column};
use crate::report::MonthsReport;
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
    told: &mut MonthsReport,
) -> Result<Option<EventsReport>, AnonymityError> {
    let Some(of) = &privacy.events else { return Ok(None) };
    let named = |table: &str| columns(of).filter(|(t, _)| *t == table).count();
    let mut report: Option<EventsReport> = None;
    let event = |table: &str, column: &str| columns(of).any(|c| c == (table, column));
    loop {
        let (found, became) = once(run, privacy, leading, tables, classes)?;
        // Two codes of one row have the same companions: what one loses, the other loses too, and has to be counted with again.
        let again = became.iter().any(|b| b.bare.contains(&true) && split_column(&b.column).is_some_and(|(t, _)| named(t) > 1));
        apply(run, &became, leading, tables, given, event)?;
        match &mut report {
            None => report = Some(found),
            Some(report) => report.and_then(&found),
        }
        if !again && !fewer_deaths(run, privacy, leading, tables, given, told)? {
            return Ok(report);
        }
    }
}

/// Where deaths leave with true months, those that went for a combination leave fewer in their month; whether rows went for that.
fn fewer_deaths(
    run: &Run<'_>,
    privacy: &Privacy,
    leading: &mut Leading,
    tables: &mut BTreeMap<String, RecordBatch>,
    given: &mut BTreeMap<String, RecordBatch>,
    told: &mut MonthsReport,
) -> Result<bool, AnonymityError> {
    const TABLE: &str = "death";
    let (Some(treatment), Some((rows, _)), Some(batch)) =
        (months::of_deaths(run.profile), leading.get(TABLE), tables.get_mut(TABLE))
    else {
        return Ok(false);
    };
    let (dated, stays) = months::deaths(batch, rows, treatment, privacy.k, (told, true))?;
    *batch = dated;
    let event = |column: &str| privacy.events.iter().any(|of| columns(of).any(|c| c == (TABLE, column)));
    if stays.true_count() == stays.len() {
        return Ok(false);
    }
    keep(run, TABLE, &stays, (leading, tables, given), event)?;
    Ok(true)
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
        let numbers = |own: &&str| beside::numbers(run, (table, own), &tables[table], rows, leaders);
        let beside = mine.iter().map(numbers).collect::<Result<Vec<_>, _>>()?;
        let without = without_code(&mine, rows.len(), leaders);
        let columns = leaders.codes.iter_mut().filter(|(c, _)| mine.contains(c.as_str()));
        for (n, ((column, coded), beside)) in columns.zip(beside).enumerate() {
            let without = if n == 0 { without.clone() } else { vec![false; rows.len()] };
            all.push(Column { name: format!("{table}.{column}"), persons: rows, coded, beside, without });
        }
    }
    let k = of.k.unwrap_or(privacy.k);
    treat(run.profile, of, k, privacy.rare_persons, &mut all, of.within_classes.then_some(classes))
}

/// The rows of a table of which none of some columns of codes holds any.
fn without_code(columns: &BTreeSet<&str>, rows: usize, leaders: &Leaders) -> Vec<bool> {
    let codes: Vec<_> = columns.iter().filter_map(|column| leaders.codes.get(*column)).collect();
    (0..rows).map(|row| codes.iter().all(|coded| coded.array.is_null(row))).collect()
}

/// Takes rows out, and what stands beside codes off others; what is left of a table is counted anew, but for its codes of events.
fn apply(
    run: &Run<'_>,
    became: &[Became],
    leading: &mut Leading,
    tables: &mut BTreeMap<String, RecordBatch>,
    given: &mut BTreeMap<String, RecordBatch>,
    event: impl Fn(&str, &str) -> bool + Copy,
) -> Result<(), AnonymityError> {
    let mut of_table: BTreeMap<&str, (Vec<bool>, Vec<bool>)> = BTreeMap::new();
    let mut of_columns: BTreeMap<&str, BTreeMap<&str, &[bool]>> = BTreeMap::new();
    for ((table, column), became) in became.iter().filter_map(|b| Some((split_column(&b.column)?, b))) {
        let none = || vec![false; became.gone.len()];
        let (gone, bare) = of_table.entry(table).or_insert_with(|| (none(), none()));
        gone.iter_mut().zip(&became.gone).for_each(|(all, gone)| *all |= gone);
        bare.iter_mut().zip(&became.bare).for_each(|(all, bare)| *all |= bare);
        of_columns.entry(table).or_default().insert(column, &became.bare);
    }
    for (table, bare) in of_columns.iter().filter(|(_, columns)| columns.len() > 1) {
        let Some((rows, leaders)) = leading.get_mut(*table) else { continue };
        for (column, rows) in beside::yielding(bare, rows.len()) {
            leaders.codes.get_mut(column).map_or(Ok(()), |coded| coded.empty(&rows))?;
        }
    }
    for (table, (gone, bare)) in of_table.into_iter().filter(|(_, (_, bare))| bare.contains(&true)) {
        let stays: BooleanArray = gone.iter().map(|gone| Some(!gone)).collect();
        if let Some(batch) = tables.get_mut(table) {
            *batch = beside::without(run.profile, table, batch, &bare)?;
        }
        keep(run, table, &stays, (leading, tables, given), |column| event(table, column))?;
    }
    Ok(())
}

/// Keeps some rows of a table. What stands beside codes has fewer persons then, so that all but the codes of events is found anew.
///
/// # Errors
/// A column that does not fit its treatment.
pub(crate) fn keep(
    run: &Run<'_>,
    table: &str,
    stays: &BooleanArray,
    (leading, tables, given): (&mut Leading, &mut BTreeMap<String, RecordBatch>, &mut BTreeMap<String, RecordBatch>),
    event: impl Fn(&str) -> bool,
) -> Result<(), AnonymityError> {
    if let (Some((rows, leaders)), Some(batch), Some(given)) =
        (leading.get_mut(table), tables.get_mut(table), given.get_mut(table))
    {
        leaders.keep(stays)?;
        *batch = filter_record_batch(batch, stays)?;
        *given = filter_record_batch(given, stays)?;
        let mut at = 0..;
        rows.retain(|_| at.next().is_some_and(|row| stays.value(row)));
        let fresh = run.leading_codes(table, &run.profile.tables[table], batch, rows)?;
        leaders.renew(fresh, event);
    }
    Ok(())
}
