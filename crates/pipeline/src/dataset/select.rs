//! From the lake to the tables that are treated: the persons of the cohort, without anybody who said no or was not told,
//! under one person id each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use anonymity::Profile;
use anonymity::profile::Cohort;
use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, Date32Array, Int64Array, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType};
use governance::opt_out::{OptOutScope, OptOutState, Stop, left_out};
use jiff::civil::Date;
use lake::{Blocked, PersonMap, Snapshot};
use ledger::{PatientHmac, Reader};
use messages::Message;
use omop::Table;
use terms::{ProviderId, RecordId, ReleaseKind};

use crate::Instance;
use crate::assemble::date_column;
use crate::error::Error;
use crate::notices::Gate;

/// The records that a data set takes from, and why others are left out.
pub(super) struct Selected {
    /// The records, each with its place among those of its person.
    pub(super) records: HashMap<i64, (i64, i64)>,
    /// Records that an opt-out names or reaches.
    pub(super) opted_out: u64,
    /// Records whose person was not told of this kind of use, or waits.
    pub(super) not_notified: u64,
}

/// The records that an opt-out keeps out of a kind of data set today: named, linked to a named one, or perhaps of the same
/// person as one of these.
pub(super) async fn stopped(
    instance: &Instance,
    reader: &mut Reader,
    map: Option<&PersonMap>,
    kind: ReleaseKind,
) -> Result<BTreeSet<RecordId>, Error> {
    let mut stops = Vec::new();
    let mut held_as_doubtful = BTreeSet::new();
    for block in reader.blocked().await? {
        stops.push(match block {
            // Held because it may be of a person who was erased: who may be one with it in turn is not meant.
            ledger::Blocked::Hold { record, ref reason, .. } if crate::opt_out::is_doubtful(reason) => {
                held_as_doubtful.insert(record);
                continue;
            }
            ledger::Blocked::OptOut { record, scopes, .. } => {
                Stop { record, state: OptOutState::Effective, scopes: scopes.into_iter().collect() }
            }
            // A hold stops whatever the scope.
            ledger::Blocked::Hold { record, .. } => {
                Stop { record, state: OptOutState::Effective, scopes: terms::NoticeScope::ALL.iter().copied().collect() }
            }
        });
    }
    let links: Vec<_> = map.into_iter().flat_map(PersonMap::iter).collect();
    let mut stopped = left_out(&stops, &links, kind, OptOutScope::Person);
    let pairs = crate::doubtful::pairs(instance, reader).await?;
    stopped.extend(crate::doubtful::of(&stopped, &pairs, map));
    // Who is surely one with somebody held as doubtful is as doubtful.
    let persons: HashSet<terms::PersonId> = held_as_doubtful.iter().filter_map(|r| map.and_then(|m| m.person(*r))).collect();
    stopped.extend(links.iter().filter(|(_, person)| persons.contains(person)).map(|(record, _)| *record));
    stopped.extend(held_as_doubtful);
    Ok(stopped)
}

pub(super) async fn records(
    instance: &Instance,
    reader: &mut Reader,
    snapshot: &Snapshot,
    profile: &Profile,
    kind: ReleaseKind,
    today: Date,
) -> Result<Selected, Error> {
    let map = snapshot.person_map().ok_or_else(|| Error::refused(Message::new("core-dataset-not-linked")))?;
    let stopped = stopped(instance, reader, Some(map), kind).await?;
    let all: Vec<(RecordId, ProviderId, PatientHmac)> = reader.records().await?;
    let mut gates: HashMap<ProviderId, Gate> = HashMap::new();
    let mut chosen = Selected { records: HashMap::new(), opted_out: 0, not_notified: 0 };
    let mut of_person: HashMap<i64, i64> = HashMap::new();
    let wanted: HashSet<&str> = profile.cohort.providers.iter().map(String::as_str).collect();
    for (record, provider, patient) in all {
        let Some(person) = map.person(record) else { continue };
        if !wanted.is_empty() && !wanted.contains(provider.as_str()) {
            continue;
        }
        if stopped.contains(&record) {
            chosen.opted_out += 1;
            continue;
        }
        if !gates.contains_key(&provider) {
            let gate = Gate::of(instance, reader, &provider, today).await?;
            gates.insert(provider.clone(), gate);
        }
        let told = gates.get(&provider).and_then(|g| g.admit(&patient).ok()).is_some_and(|s| s.contains(&kind.needed_scope()));
        if !told {
            chosen.not_notified += 1;
            continue;
        }
        let place = of_person.entry(person.0).or_insert(0);
        chosen.records.insert(record.0, (person.0, *place));
        *place += 1;
    }
    Ok(chosen)
}

fn day(text: Option<&str>) -> Result<Option<i32>, Error> {
    let bad = || Error::refused(Message::new("core-profile-date"));
    let Some(text) = text else { return Ok(None) };
    let date: Date = text.parse().map_err(|_| bad())?;
    terms::days_from_civil(i32::from(date.year()), date.month() as u32, date.day() as u32).ok_or_else(bad).map(Some)
}

/// The days between which a profile's rows lie.
///
/// # Errors
/// A refusal when one is no day, or the first comes after the last, or after today where no last is named.
pub(super) fn period(cohort: &Cohort) -> Result<(Option<i32>, Option<i32>), Error> {
    let period = (day(cohort.from.as_deref())?, day(cohort.to.as_deref())?);
    let today = day(Some(&crate::notices::today().to_string()))?;
    match (period.0, period.1.or(today)) {
        (Some(from), Some(to)) if from > to => Err(Error::refused(Message::new("core-profile-period"))),
        _ => Ok(period),
    }
}

/// The tables of a profile, with OMOP's columns and a person id, in the period and of the cohort.
pub(super) fn tables(
    snapshot: &Snapshot,
    profile: &Profile,
    selected: &Selected,
    kind: ReleaseKind,
    loaded: &crate::masters::Loaded,
) -> Result<BTreeMap<String, RecordBatch>, Error> {
    let period = period(&profile.cohort)?;
    let mut cohort = cohort(snapshot, &profile.cohort, selected, period)?;
    let mut filler = loaded.filler();
    let mut out = BTreeMap::new();
    let mut tables = Vec::with_capacity(profile.tables.len());
    for name in profile.tables.keys() {
        let table = Table::by_name(name).filter(|t| t.is_omop());
        tables.push((name, table.ok_or_else(|| Error::refused(Message::new("core-profile-table").with("table", name)))?));
    }
    if period != (None, None) {
        cohort = Some(seen_in(snapshot, &tables, selected, cohort, period)?);
    }
    for (name, table) in tables {
        let mut batches = Vec::new();
        let mut stated = Vec::new();
        for batch in snapshot.scan(table, Blocked::Exclude)? {
            let kept = kept(table, &batch?, selected, cohort.as_ref(), period)?;
            if kept.num_rows() > 0 {
                // Concepts as the masters of today say them of the day of each row: the lake keeps what the sources said.
                let kept = match &mut filler {
                    Some(filler) => filler.fill(table, &kept)?,
                    None => kept,
                };
                batches.push(omop_columns(table, &kept, selected)?);
                stated.extend(times(&kept)?);
            }
        }
        let mut all = concat_batches(&table.omop_schema(), &batches)?;
        if filler.is_some() && kind != ReleaseKind::Pseudonymized {
            all = masters::Filler::same_on_all_days(table, &all)?;
        }
        out.insert(
            name.clone(),
            match table {
                Table::ObservationPeriod => clipped(&all, period)?,
                Table::Person | Table::Death => one_a_person(&all, &stated)?,
                _ => all,
            },
        );
    }
    Ok(out)
}

/// Of whom something happened in the period: a visit, or a row of one of the tables. Nobody else is of a cohort that has a period; birth and
/// sex of who has nothing in it would leave for no purpose.
fn seen_in(
    snapshot: &Snapshot,
    tables: &[(&String, Table)],
    selected: &Selected,
    cohort: Option<HashSet<i64>>,
    period: (Option<i32>, Option<i32>),
) -> Result<HashSet<i64>, Error> {
    let mut seen = HashSet::new();
    let events = tables.iter().map(|(_, t)| *t).filter(|t| !matches!(t, Table::ObservationPeriod | Table::VisitOccurrence));
    for table in std::iter::once(Table::VisitOccurrence).chain(events).filter(|t| period_column(*t).is_some()) {
        for batch in snapshot.scan(table, Blocked::Exclude)? {
            let batch = kept(table, &batch?, selected, cohort.as_ref(), period)?;
            let records = crate::assemble::record_ids(&batch)?;
            seen.extend(records.values().iter().filter_map(|r| selected.records.get(r)).map(|(p, _)| *p));
        }
    }
    Ok(seen)
}

/// The day that decides whether a row is in the period.
fn period_column(table: Table) -> Option<&'static str> {
    match table {
        Table::VisitOccurrence => Some("visit_start_date"),
        Table::VisitDetail => Some("visit_detail_start_date"),
        Table::ObservationPeriod => Some("observation_period_end_date"),
        _ => date_column(table),
    }
}

fn kept(
    table: Table,
    batch: &RecordBatch,
    selected: &Selected,
    cohort: Option<&HashSet<i64>>,
    period: (Option<i32>, Option<i32>),
) -> Result<RecordBatch, Error> {
    let records = crate::assemble::record_ids(batch)?;
    let days: Option<&Date32Array> =
        period_column(table).and_then(|c| batch.column_by_name(c)).and_then(|c| c.as_primitive_opt::<Date32Type>());
    let counted = batch.column_by_name("counted").and_then(|c| c.as_boolean_opt());
    let mask: BooleanArray = (0..batch.num_rows())
        .map(|row| {
            let person = selected.records.get(&records.value(row)).map(|(p, _)| *p);
            let in_period = days.is_none_or(|d| {
                (period == (None, None) || !d.is_null(row))
                    && period.0.is_none_or(|from| d.value(row) >= from)
                    && (table == Table::ObservationPeriod || period.1.is_none_or(|to| d.value(row) <= to))
            });
            // Of order, dispensing and administration the one that counts leaves; the others would count a drug twice.
            let counts = counted.is_none_or(|c| c.is_null(row) || c.value(row));
            Some(in_period && counts && person.is_some_and(|p| cohort.is_none_or(|c| c.contains(&p))))
        })
        .collect();
    Ok(filter_record_batch(batch, &mask)?)
}

/// Persons whom the cohort's codes name; `None` when it names none.
fn cohort(
    snapshot: &Snapshot,
    cohort: &Cohort,
    selected: &Selected,
    period: (Option<i32>, Option<i32>),
) -> Result<Option<HashSet<i64>>, Error> {
    let mut persons: Option<HashSet<i64>> = None;
    for (table, column, prefixes) in [
        (Table::ConditionOccurrence, "condition_source_value", &cohort.conditions),
        (Table::DrugExposure, "drug_source_value", &cohort.drugs),
        (Table::Measurement, "measurement_source_value", &cohort.measurements),
    ] {
        if prefixes.is_empty() {
            continue;
        }
        let mut having = HashSet::new();
        for batch in snapshot.scan(table, Blocked::Exclude)? {
            let batch = kept(table, &batch?, selected, None, period)?;
            let records = crate::assemble::record_ids(&batch)?;
            let Some(codes) = batch.column_by_name(column).and_then(|c| c.as_string_opt::<i32>()) else { continue };
            for row in 0..batch.num_rows() {
                if !codes.is_null(row) && prefixes.iter().any(|p| codes.value(row).starts_with(p.as_str())) {
                    having.extend(selected.records.get(&records.value(row)).map(|(p, _)| *p));
                }
            }
        }
        persons = Some(match persons {
            None => having,
            Some(before) => before.intersection(&having).copied().collect(),
        });
    }
    Ok(persons)
}

/// Rows of a person come from several records, and row ids are unique within a record only: the record's place among
/// those of its person goes into the upper bits.
const PLACE: u32 = 40;

fn omop_columns(table: Table, batch: &RecordBatch, selected: &Selected) -> Result<RecordBatch, Error> {
    let records = crate::assemble::record_ids(batch)?;
    let known: Vec<(i64, i64)> = records.values().iter().map(|r| selected.records.get(r).copied().unwrap_or_default()).collect();
    let schema = table.omop_schema();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let name = field.name().as_str();
        if name == "person_id" {
            columns.push(Arc::new(known.iter().map(|(p, _)| *p).collect::<Int64Array>()));
            continue;
        }
        let column = batch.column_by_name(name).ok_or_else(|| Error::Inconsistent(format!("the lake has no column {name}")))?;
        let of_row = Some(name) == table.row_id() || name.ends_with("visit_occurrence_id") || name.ends_with("visit_detail_id");
        columns.push(match column.as_primitive_opt::<Int64Type>().filter(|_| of_row) {
            Some(ids) => Arc::new(
                ids.iter().zip(&known).map(|(id, (_, place))| id.map(|id| id + (place << PLACE))).collect::<Int64Array>(),
            ),
            None => Arc::clone(column),
        });
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// Observation periods within the period asked for: what lies before or after it does not leave.
fn clipped(batch: &RecordBatch, period: (Option<i32>, Option<i32>)) -> Result<RecordBatch, Error> {
    let inconsistent = || Error::Inconsistent("observation periods without their days".to_owned());
    let days = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Date32Type>()).ok_or_else(inconsistent);
    let (starts, ends) = (days("observation_period_start_date")?, days("observation_period_end_date")?);
    let start = Date32Array::from_iter_values(starts.values().iter().map(|d| period.0.map_or(*d, |p| p.max(*d))));
    let end = Date32Array::from_iter_values(ends.values().iter().map(|d| period.1.map_or(*d, |p| p.min(*d))));
    let inside: BooleanArray = start.values().iter().zip(end.values()).map(|(s, e)| Some(s <= e)).collect();
    let mut columns = batch.columns().to_vec();
    columns[batch.schema().index_of("observation_period_start_date")?] = Arc::new(start);
    columns[batch.schema().index_of("observation_period_end_date")?] = Arc::new(end);
    Ok(filter_record_batch(&RecordBatch::try_new(batch.schema(), columns)?, &inside)?)
}

/// When the source stated each row, microseconds.
fn times(batch: &RecordBatch) -> Result<Vec<i64>, Error> {
    let column = batch.column_by_name("source_ts").and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
    let column = column.ok_or_else(|| Error::Inconsistent("rows that do not say when they were stated".to_owned()))?;
    Ok(column.values().to_vec())
}

/// Tables that have one row a person in OMOP: of several records the latest registration, the earliest death.
fn one_a_person(batch: &RecordBatch, stated: &[i64]) -> Result<RecordBatch, Error> {
    let inconsistent = || Error::Inconsistent("a table without its columns".to_owned());
    let persons = batch.column_by_name("person_id").and_then(|c| c.as_primitive_opt::<Int64Type>()).ok_or_else(inconsistent)?;
    if stated.len() != batch.num_rows() {
        return Err(inconsistent());
    }
    let days = batch.column_by_name("death_date").and_then(|c| c.as_primitive_opt::<Date32Type>());
    let mut best: BTreeMap<i64, (i32, std::cmp::Reverse<i64>, u32)> = BTreeMap::new();
    for (row, stated) in (0..).zip(stated) {
        let rank = (days.map_or(0, |d| d.value(row as usize)), std::cmp::Reverse(*stated), row);
        let slot = best.entry(persons.value(row as usize)).or_insert(rank);
        *slot = (*slot).min(rank);
    }
    let rows: arrow::array::UInt32Array = best.values().map(|(_, _, row)| *row).collect();
    Ok(take_record_batch(batch, &rows)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_records_the_latest_registration_and_the_earliest_death_stand() {
        let persons: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 2, 1]));
        let years: ArrayRef = Arc::new(Int64Array::from(vec![1950, 1951, 1960, 1952]));
        let registrations =
            RecordBatch::try_from_iter([("person_id", Arc::clone(&persons)), ("year_of_birth", years)]).expect("a batch");
        let one = one_a_person(&registrations, &[10, 30, 5, 20]).expect("chosen");
        assert_eq!(one.column(1).as_primitive::<Int64Type>().values().as_ref(), &[1951, 1960]);

        let days: ArrayRef = Arc::new(Date32Array::from(vec![300, 200, 100, 250]));
        let deaths = RecordBatch::try_from_iter([("person_id", persons), ("death_date", days)]).expect("a batch");
        let one = one_a_person(&deaths, &[10, 5, 5, 40]).expect("chosen");
        assert_eq!(one.column(1).as_primitive::<Date32Type>().values().as_ref(), &[200, 100]);
        assert!(one_a_person(&deaths, &[1]).is_err(), "a time for each row");
    }
}
