//! What follows from the rows that stand: one person row, one death, the drug row that counts, the periods in which
//! somebody was seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array as _, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::error::ArrowError;
use omop::{Columns, DeathRow, Head, ObservationPeriodRow, SourceState, Table, type_concept};
use terms::RecordId;

use super::columns::{date, int32, int64, text, text_at, time, with_column};
use super::precedence::{Deaths, Precedence};
use super::sources::{Counting, Source, month_of};
use super::visits::{CONTACTS, History};
use super::{Stamp, date_column};

/// A gap between contacts after which a new observation period begins, in days.
pub const GAP_DAYS: i32 = 365;

/// The latest registration of each record; a registration (ADT-00) goes before a mere visit that repeats some of it, and who states sex and
/// birth before who does not.
pub(super) fn one_person_a_record(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (records, keys, times) = (int64(batch, "record_id")?, text(batch, "source_key")?, time(batch, "source_ts")?);
    let (sexes, days) = (int32(batch, "gender_concept_id")?, int32(batch, "day_of_birth")?);
    let mut best: BTreeMap<i64, (bool, bool, bool, i64, u32)> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let stated = (sexes.value(row) != 0, !days.is_null(row));
        let rank = (keys.value(row).starts_with("ADT-00|"), stated.0, stated.1, times.value(row), row as u32);
        let slot = best.entry(records.value(row)).or_insert(rank);
        *slot = (*slot).max(rank);
    }
    take_record_batch(batch, &best.values().map(|(.., row)| *row).collect::<UInt32Array>())
}

/// One death a record, of who stands first by the precedence: the earliest day that a chart or 様式1 states, the discharge that tells of it, or the
/// latest that a claim states, which often has no more than the last day it counts.
pub(super) fn one_death_a_record(
    stated: Option<RecordBatch>,
    history: &History,
    stamp: &Stamp,
    precedence: &Precedence,
) -> Result<Option<RecordBatch>, ArrowError> {
    let schema = Table::Death.lake_schema();
    let mut have = BTreeSet::new();
    let mut batches = Vec::new();
    if let Some(batch) = stated {
        let (records, days) = (int64(&batch, "record_id")?, date(&batch, "death_date")?);
        let kinds = int32(&batch, "death_type_concept_id")?;
        let mut best: BTreeMap<i64, (std::cmp::Reverse<u8>, i32, u32)> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            let claim = !kinds.is_null(row) && kinds.value(row) == type_concept::CLAIM;
            let day = days.value(row);
            let height = precedence.of_death(if claim { Deaths::Claims } else { Deaths::Stated });
            let rank = (std::cmp::Reverse(height), if claim { day.saturating_neg() } else { day }, row as u32);
            let slot = best.entry(records.value(row)).or_insert(rank);
            *slot = (*slot).min(rank);
        }
        let discharges = precedence.of_death(Deaths::Discharges);
        best.retain(|record, (height, ..)| height.0 > discharges || !history.deaths().contains_key(record));
        have.extend(best.keys().copied());
        batches.push(take_record_batch(&batch, &best.values().map(|(.., row)| *row).collect::<UInt32Array>())?);
    }
    let mut columns = Columns::default();
    let mut ids = Vec::new();
    for (record, death) in history.deaths().iter().filter(|(r, _)| !have.contains(r)) {
        let head = Head {
            record_id: ids.len() as i64,
            source_key: "visit",
            source_ts: death.source_ts,
            source_state: SourceState::Live,
        };
        ids.push(Some(RecordId(*record)));
        let row = DeathRow {
            death_date: death.day,
            death_datetime: death.at,
            death_type_concept_id: Some(type_concept::EHR),
            ..Default::default()
        };
        columns.death.push(&head, &row);
    }
    for (table, batch) in columns.finish() {
        batches.push(omop::to_lake(table, &batch, &ids, stamp.asset, stamp.source_seq, stamp.commit_seq)?);
    }
    if batches.is_empty() {
        return Ok(None);
    }
    super::sorted(Table::Death, &arrow::compute::concat_batches(&schema, &batches)?).map(Some)
}

/// Marks the drug rows that a count takes: of the rows of one order the administrations, else the dispensings, else
/// the order itself; of several sources that tell of one month those of the first (`sources`). All of them stay.
pub(super) fn mark_counted(batch: &RecordBatch, precedence: &Precedence) -> Result<RecordBatch, ArrowError> {
    let (records, orders, kinds) = (int64(batch, "record_id")?, text(batch, "order_key")?, int32(batch, "drug_type_concept_id")?);
    let rank = |row: usize| match kinds.value(row) {
        type_concept::ADMINISTRATION => 2,
        type_concept::DISPENSING => 1,
        _ => 0,
    };
    let mut best: HashMap<(i64, &str), i32> = HashMap::new();
    for row in 0..batch.num_rows() {
        if let Some(order) = text_at(orders, row) {
            let slot = best.entry((records.value(row), order)).or_insert(0);
            *slot = (*slot).max(rank(row));
        }
    }
    let (keys, days) = (text(batch, "source_key")?, date(batch, "drug_exposure_start_date")?);
    let told = |row: usize| (records.value(row), month_of(days.value(row)), Source::of(keys.value(row)));
    let counting = Counting::of((0..batch.num_rows()).map(told), precedence);
    let counted: BooleanArray = (0..batch.num_rows())
        .map(|row| {
            let first = text_at(orders, row).is_none_or(|order| best.get(&(records.value(row), order)) == Some(&rank(row)));
            let (record, month, source) = told(row);
            Some(first && counting.counts(record, month, source))
        })
        .collect();
    with_column(batch, "counted", Arc::new(counted))
}

/// Observation periods: from contact to contact, a new one after a gap of more than [`GAP_DAYS`]. They say when the
/// person was seen by this provider, not when the person was insured, and their type says that they are derived.
pub(super) fn observation_periods(
    tables: &BTreeMap<Table, RecordBatch>,
    stamp: &Stamp,
) -> Result<Option<RecordBatch>, ArrowError> {
    let mut days: BTreeMap<i64, BTreeSet<i32>> = BTreeMap::new();
    for table in CONTACTS {
        let (Some(batch), Some(name)) = (tables.get(&table), date_column(table)) else { continue };
        let (records, dates) = (int64(batch, "record_id")?, date(batch, name)?);
        for row in 0..batch.num_rows() {
            days.entry(records.value(row)).or_default().insert(dates.value(row));
        }
    }
    if let Some(visits) = tables.get(&Table::VisitOccurrence) {
        let (records, ends) = (int64(visits, "record_id")?, date(visits, "visit_end_date")?);
        for row in 0..visits.num_rows() {
            days.entry(records.value(row)).or_default().insert(ends.value(row));
        }
    }
    let mut columns = Columns::default();
    let mut ids = Vec::new();
    for (record, days) in &days {
        let number = ids.len() as i64;
        ids.push(Some(RecordId(*record)));
        let mut periods: Vec<(i32, i32)> = Vec::new();
        for day in days {
            match periods.last_mut() {
                Some((_, end)) if day - *end <= GAP_DAYS => *end = *day,
                _ => periods.push((*day, *day)),
            }
        }
        for (start, end) in periods {
            let head = Head { record_id: number, source_key: "contacts", source_ts: 0, source_state: SourceState::Live };
            columns.observation_period.push(
                &head,
                &ObservationPeriodRow {
                    observation_period_start_date: start,
                    observation_period_end_date: end,
                    period_type_concept_id: type_concept::DERIVED_PERIOD,
                    ..Default::default()
                },
            );
        }
    }
    columns
        .finish()
        .pop()
        .map(|(table, batch)| omop::to_lake(table, &batch, &ids, stamp.asset, stamp.source_seq, stamp.commit_seq))
        .transpose()
}
