//! Visits and stays from the events that hospitals send: receptions, admissions, transfers, leaves, discharges.
//!
//! A stay begins at its admission and ends at the discharge that names the same admission time, else at the next
//! discharge. A stay without discharge is open: it ends at the day of the last contact (or of the next admission) and is
//! marked so. Planned events make no visit. One outpatient visit a day and department. What FHIR, DPC files, claims and checkups tell of visits
//! (`others`) comes after what the hospital's own events say.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array as _, Int64Array, RecordBatch};
use arrow::error::ArrowError;
use omop::{Columns, Head, SourceState, Table, VisitDetailRow, VisitOccurrenceRow, concept, type_concept};

use super::columns::{boolean, date, int64, text, text_at, time, with_column};
use super::others::{Told, add};
use super::precedence::Precedence;
use super::{Stamp, date_column};

struct Event {
    kind: Kind,
    day: i32,
    at: Option<i64>,
    admitted_at: Option<i64>,
    department: Option<String>,
    ward: Option<String>,
    admitted_from: Option<String>,
    discharged_to: Option<String>,
    died: bool,
    source_ts: i64,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Reception,
    Admission,
    Discharge,
    Transfer,
    Leave,
    Return,
}

pub(super) struct Detail {
    start: (i32, Option<i64>),
    end: (i32, Option<i64>),
    ward: Option<String>,
    department: Option<String>,
    leave: bool,
}

#[derive(Default)]
pub(super) struct Visit {
    pub(super) inpatient: bool,
    pub(super) open: bool,
    pub(super) start: (i32, Option<i64>),
    pub(super) end: Option<(i32, Option<i64>)>,
    pub(super) admitted_at: Option<i64>,
    pub(super) department: Option<String>,
    pub(super) admitted_from: Option<String>,
    pub(super) discharged_to: Option<String>,
    pub(super) details: Vec<Detail>,
    pub(super) source_ts: i64,
    /// Whether a claim told of it, and its class there; nothing of the hospital's own events.
    pub(super) told: Option<(bool, u8)>,
}

impl Visit {
    fn concept(&self) -> i32 {
        match (self.inpatient, self.told) {
            (true, _) => concept::INPATIENT_VISIT,
            (_, Some((_, b'P'))) => concept::PHARMACY_VISIT,
            (_, Some((_, b'E'))) => concept::EMERGENCY_VISIT,
            _ => concept::OUTPATIENT_VISIT,
        }
    }

    fn word(&self) -> &'static str {
        match (self.inpatient, self.told) {
            (true, _) => "I",
            (_, Some((_, b'P'))) => "P",
            (_, Some((_, b'E'))) => "E",
            _ => "O",
        }
    }
}

/// A death that a discharge tells of.
pub(super) struct Death {
    pub(super) day: i32,
    pub(super) at: Option<i64>,
    pub(super) source_ts: i64,
}

/// Visits of every touched record, in order of their start.
pub(super) struct History {
    visits: BTreeMap<i64, Vec<Visit>>,
    deaths: BTreeMap<i64, Death>,
}

/// Tables whose rows show that the person was there on that day.
pub(super) const CONTACTS: [Table; 6] = [
    Table::VisitEvent,
    Table::DrugExposure,
    Table::ProcedureOccurrence,
    Table::DeviceExposure,
    Table::Measurement,
    Table::Specimen,
];

impl History {
    pub(super) fn of(tables: &BTreeMap<Table, RecordBatch>, precedence: &Precedence) -> Result<History, ArrowError> {
        let mut last_contact: HashMap<i64, i32> = HashMap::new();
        for table in CONTACTS {
            let (Some(batch), Some(name)) = (tables.get(&table), date_column(table)) else { continue };
            let (records, days) = (int64(batch, "record_id")?, date(batch, name)?);
            for row in 0..batch.num_rows() {
                let last = last_contact.entry(records.value(row)).or_insert(i32::MIN);
                *last = (*last).max(days.value(row));
            }
        }
        let mut history = History { visits: BTreeMap::new(), deaths: BTreeMap::new() };
        let mut told = Told::by_record(tables, precedence)?;
        for (record, mut events) in events(tables.get(&Table::VisitEvent))? {
            // On one day admissions come before what happens in them, and discharges last.
            events.sort_by_key(|e| (e.day, e.at.unwrap_or(i64::from(e.day) * 86_400_000_000), e.kind == Kind::Discharge));
            // What claims and FHIR say of deaths are rows of their own.
            if let Some(e) = events.iter().find(|e| e.died) {
                history.deaths.insert(record, Death { day: e.day, at: e.at, source_ts: e.source_ts });
            }
            let last = last_contact.get(&record).copied().unwrap_or(i32::MIN);
            history.visits.insert(record, add(visits(events, last), told.remove(&record).unwrap_or_default()));
        }
        for (record, told) in told {
            history.visits.insert(record, add(Vec::new(), told));
        }
        Ok(history)
    }

    pub(super) fn deaths(&self) -> &BTreeMap<i64, Death> {
        &self.deaths
    }

    /// Ties the rows of a table to the visit and the part of it on whose days they fall: a stay before an outpatient
    /// visit of the same day.
    pub(super) fn tie(&self, table: Table, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let (Some(day), true) = (date_column(table), batch.column_by_name("visit_occurrence_id").is_some()) else {
            return Ok(batch.clone());
        };
        let (records, days) = (int64(batch, "record_id")?, date(batch, day)?);
        let mut visit_ids = Vec::with_capacity(batch.num_rows());
        let mut detail_ids = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let (visit, detail) = self.at(records.value(row), days.value(row));
            visit_ids.push(visit);
            detail_ids.push(detail);
        }
        let mut out = with_column(batch, "visit_occurrence_id", Arc::new(Int64Array::from(visit_ids)))?;
        if out.column_by_name("visit_detail_id").is_some() {
            out = with_column(&out, "visit_detail_id", Arc::new(Int64Array::from(detail_ids)))?;
        }
        Ok(out)
    }

    /// Amounts with the visit that they belong to; 0 where there is none.
    pub(super) fn tie_amounts(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let (records, starts, classes) = (int64(batch, "record_id")?, date(batch, "visit_start")?, text(batch, "visit_class")?);
        let ids: Int64Array = (0..batch.num_rows())
            .map(|row| {
                let class = text_at(classes, row).and_then(|c| c.as_bytes().first().copied());
                let start = (!starts.is_null(row)).then(|| starts.value(row));
                Some(start.and_then(|day| self.of_class(records.value(row), day, class)).unwrap_or(0))
            })
            .collect();
        with_column(batch, "cost_event_id", Arc::new(ids))
    }

    /// Number of the visit of a class that holds the day on which an amount's visit began.
    pub(super) fn of_class(&self, record: i64, day: i32, class: Option<u8>) -> Option<i64> {
        let visits = self.visits.get(&record)?;
        let stay = |v: &Visit| v.inpatient && v.start.0 <= day && v.end.is_some_and(|e| day <= e.0);
        let of = |class: u8| {
            visits.iter().rposition(|v| match class {
                b'I' => stay(v),
                _ => !v.inpatient && v.start.0 == day && (v.word() == "P") == (class == b'P'),
            })
        };
        // An outpatient's claim of the day of admission is not the stay's.
        let found = match class {
            Some(class) => of(class),
            None => [b'I', b'O', b'P'].into_iter().find_map(of),
        };
        found.map(|n| n as i64 + 1)
    }

    fn at(&self, record: i64, day: i32) -> (Option<i64>, Option<i64>) {
        let Some(visits) = self.visits.get(&record) else { return (None, None) };
        let covers = |v: &Visit| v.start.0 <= day && v.end.is_some_and(|e| day <= e.0);
        let found = visits
            .iter()
            .enumerate()
            .rfind(|(_, v)| v.inpatient && covers(v))
            .or_else(|| visits.iter().enumerate().find(|(_, v)| !v.inpatient && v.start.0 == day && v.word() != "P"))
            .or_else(|| visits.iter().enumerate().find(|(_, v)| !v.inpatient && v.start.0 == day));
        let Some((number, visit)) = found else { return (None, None) };
        let before: usize = visits[..number].iter().map(|v| v.details.len()).sum();
        let detail = visit.details.iter().rposition(|d| d.start.0 <= day && day <= d.end.0);
        (Some(number as i64 + 1), detail.map(|d| (before + d) as i64 + 1))
    }

    /// `visit_occurrence` and `visit_detail`.
    pub(super) fn tables(&self, stamp: &Stamp) -> Result<Vec<(Table, RecordBatch)>, ArrowError> {
        let mut columns = Columns::default();
        let mut records = Vec::new();
        for (record, visits) in &self.visits {
            let number = records.len() as i64;
            records.push(Some(terms::RecordId(*record)));
            let mut detail_id = 0;
            for (i, visit) in visits.iter().enumerate() {
                let head =
                    Head { record_id: number, source_key: "visit", source_ts: visit.source_ts, source_state: SourceState::Live };
                let end = visit.end.unwrap_or(visit.start);
                columns.visit_occurrence.push(
                    &head,
                    &VisitOccurrenceRow {
                        visit_occurrence_id: i as i64 + 1,
                        visit_concept_id: visit.concept(),
                        visit_start_date: visit.start.0,
                        visit_start_datetime: visit.start.1,
                        visit_end_date: end.0,
                        visit_end_datetime: end.1,
                        visit_type_concept_id: match visit.told {
                            Some((true, _)) => type_concept::CLAIM,
                            _ => type_concept::EHR,
                        },
                        visit_source_value: Some(visit.word()),
                        admitted_from_source_value: visit.admitted_from.as_deref(),
                        discharged_to_source_value: visit.discharged_to.as_deref(),
                        preceding_visit_occurrence_id: (i > 0).then_some(i as i64),
                        department: visit.department.as_deref(),
                        open_stay: Some(visit.open),
                        ..Default::default()
                    },
                );
                for (k, detail) in visit.details.iter().enumerate() {
                    detail_id += 1;
                    columns.visit_detail.push(
                        &head,
                        &VisitDetailRow {
                            visit_detail_id: detail_id,
                            visit_detail_concept_id: concept::INPATIENT_VISIT,
                            visit_detail_start_date: detail.start.0,
                            visit_detail_start_datetime: detail.start.1,
                            visit_detail_end_date: detail.end.0,
                            visit_detail_end_datetime: detail.end.1,
                            visit_detail_type_concept_id: type_concept::EHR,
                            visit_detail_source_value: Some(if detail.leave { "leave" } else { "ward" }),
                            preceding_visit_detail_id: (k > 0).then_some(detail_id - 1),
                            visit_occurrence_id: i as i64 + 1,
                            department: detail.department.as_deref(),
                            ward: detail.ward.as_deref(),
                            ..Default::default()
                        },
                    );
                }
            }
        }
        columns
            .finish()
            .into_iter()
            .map(|(table, batch)| {
                Ok((table, omop::to_lake(table, &batch, &records, stamp.asset, stamp.source_seq, stamp.commit_seq)?))
            })
            .collect()
    }
}

fn events(batch: Option<&RecordBatch>) -> Result<BTreeMap<i64, Vec<Event>>, ArrowError> {
    let mut out: BTreeMap<i64, Vec<Event>> = BTreeMap::new();
    let Some(batch) = batch else { return Ok(out) };
    let (records, kinds, days) = (int64(batch, "record_id")?, text(batch, "event")?, date(batch, "event_date")?);
    let (ats, admitted, died) = (time(batch, "event_datetime")?, time(batch, "admitted_at")?, boolean(batch, "died")?);
    let origins = text(batch, "origin")?;
    let (departments, wards) = (text(batch, "department")?, text(batch, "ward")?);
    let (froms, tos, stamps) = (text(batch, "admitted_from")?, text(batch, "discharged_to")?, time(batch, "source_ts")?);
    for row in (0..batch.num_rows()).filter(|row| origins.is_null(*row)) {
        let kind = match kinds.value(row) {
            "reception" => Kind::Reception,
            "admission" => Kind::Admission,
            "discharge" => Kind::Discharge,
            "transfer" => Kind::Transfer,
            "leave" => Kind::Leave,
            "return" => Kind::Return,
            _ => continue,
        };
        let own = |a: &arrow::array::StringArray| text_at(a, row).map(str::to_owned);
        out.entry(records.value(row)).or_default().push(Event {
            kind,
            day: days.value(row),
            at: (!ats.is_null(row)).then(|| ats.value(row)),
            admitted_at: (!admitted.is_null(row)).then(|| admitted.value(row)),
            department: own(departments),
            ward: own(wards),
            admitted_from: own(froms),
            discharged_to: own(tos),
            died: !died.is_null(row) && died.value(row),
            source_ts: stamps.value(row),
        });
    }
    Ok(out)
}

fn day_of(micros: i64) -> i32 {
    micros.div_euclid(86_400_000_000) as i32
}

fn stay(start: (i32, Option<i64>), e: &Event) -> Visit {
    Visit {
        inpatient: true,
        open: false,
        start,
        end: None,
        admitted_at: e.admitted_at.or(e.at),
        department: e.department.clone(),
        admitted_from: e.admitted_from.clone(),
        discharged_to: None,
        source_ts: e.source_ts,
        ..Visit::default()
    }
}

fn visits(events: Vec<Event>, last_contact: i32) -> Vec<Visit> {
    let mut stays: Vec<Visit> = Vec::new();
    let mut out: Vec<Visit> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut moves = Vec::new();
    for e in &events {
        let here = (e.day, e.at);
        match e.kind {
            Kind::Reception => {
                if seen.insert((e.day, e.department.clone())) {
                    out.push(Visit { inpatient: false, end: Some(here), ..stay(here, e) });
                }
            }
            Kind::Admission => {
                let same = |s: &Visit| s.start.0 == e.day && (s.admitted_at.is_none() || s.admitted_at == e.admitted_at.or(e.at));
                if !stays.iter().any(same) {
                    stays.push(stay(here, e));
                }
                moves.push(e);
            }
            Kind::Discharge => {
                let named = |s: &Visit| e.admitted_at.is_some() && s.admitted_at == e.admitted_at;
                let at =
                    stays.iter().position(named).or_else(|| stays.iter().rposition(|s| s.end.is_none() && s.start.0 <= e.day));
                let at = at.unwrap_or_else(|| {
                    let start = e.admitted_at.filter(|t| day_of(*t) <= e.day);
                    stays.push(stay((start.map_or(e.day, day_of), start), e));
                    stays.len() - 1
                });
                stays[at].end = Some(here);
                stays[at].discharged_to.clone_from(&e.discharged_to);
            }
            Kind::Transfer | Kind::Leave | Kind::Return => moves.push(e),
        }
    }
    stays.sort_by_key(|s| s.start);
    for i in 0..stays.len() {
        let next = stays.get(i + 1).map(|n| n.start.0);
        let s = &mut stays[i];
        if s.end.is_none() {
            let end = next.map_or(last_contact, |n| last_contact.min(n)).max(s.start.0);
            s.end = Some((end, None));
            s.open = true;
        }
        s.details = details(s, &moves);
    }
    out.extend(stays);
    out.sort_by_key(|v| (v.start.0, v.start.1, !v.inpatient));
    out
}

/// Where somebody was in a stay: one part a ward, and each leave as a part of its own.
fn details(visit: &Visit, moves: &[&Event]) -> Vec<Detail> {
    let end = visit.end.unwrap_or(visit.start);
    let mut out: Vec<Detail> = Vec::new();
    for e in moves.iter().filter(|e| visit.start.0 <= e.day && e.day <= end.0) {
        let here = (e.day, e.at);
        if let Some(last) = out.last_mut() {
            last.end = here;
        }
        let before = out.iter().rev().find(|d| !d.leave);
        let keep = |new: &Option<String>, old: Option<String>| new.clone().or(old);
        let ward = keep(&e.ward, before.and_then(|d| d.ward.clone()));
        let department = keep(&e.department, before.and_then(|d| d.department.clone()).or_else(|| visit.department.clone()));
        out.push(Detail { start: here, end, ward, department, leave: e.kind == Kind::Leave });
    }
    if out.is_empty() {
        out.push(Detail { start: visit.start, end, ward: None, department: visit.department.clone(), leave: false });
    }
    out
}
