//! Visits that FHIR, DPC files, claims and checkups tell of: one a person and day of an outpatient, one a person and day of admission,
//! whatever number of months and files tells of it. The hospital's own events (ADT) stand first, then the others by their precedence: who comes later adds a visit only where none is yet, and what it alone knows to one that is.

use std::collections::BTreeMap;

use arrow::array::{Array as _, RecordBatch};
use arrow::error::ArrowError;
use omop::Table;

use super::columns::{date, text, text_at, time};
use super::precedence::Precedence;
use super::visits::Visit;

/// A visit as the sources beside the hospital's own events tell of it.
#[derive(Default)]
pub(super) struct Told {
    class: u8,
    start: i32,
    start_at: Option<i64>,
    end: Option<(i32, Option<i64>)>,
    last: i32,
    rank: u8,
    /// Whether who stands highest of those who told is a claim.
    is_claim: bool,
    /// Rank of who told of the end.
    end_rank: u8,
    department: Option<String>,
    from: Option<String>,
    to: Option<String>,
    source_ts: i64,
}

impl Told {
    /// All that is told, by record.
    ///
    /// # Errors
    /// When a batch is not of its table's lake schema.
    pub(super) fn by_record(
        tables: &BTreeMap<Table, RecordBatch>,
        precedence: &Precedence,
    ) -> Result<BTreeMap<i64, Vec<Told>>, ArrowError> {
        let mut out: BTreeMap<i64, BTreeMap<(u8, i32), Told>> = BTreeMap::new();
        let Some(batch) = tables.get(&Table::VisitEvent) else { return Ok(BTreeMap::new()) };
        let (records, origins, words) =
            (super::columns::int64(batch, "record_id")?, text(batch, "origin")?, text(batch, "event")?);
        let (days, times, lasts) = (date(batch, "event_date")?, time(batch, "event_datetime")?, date(batch, "last_day")?);
        let (admitted, classes) = (time(batch, "admitted_at")?, text(batch, "patient_class")?);
        let (froms, tos, departments) =
            (text(batch, "admitted_from")?, text(batch, "discharged_to")?, text(batch, "department")?);
        let stamps = time(batch, "source_ts")?;
        for row in 0..batch.num_rows() {
            let Some(origin) = text_at(origins, row) else { continue };
            let class = text_at(classes, row).and_then(|c| c.as_bytes().first().copied()).unwrap_or(b'O');
            let on = days.value(row);
            let at = (!times.is_null(row)).then(|| times.value(row));
            let admitted = (!admitted.is_null(row)).then(|| admitted.value(row));
            let start = match class {
                // A stay without its first day cannot be told from the next one.
                b'I' => match admitted {
                    Some(admitted) => admitted.div_euclid(86_400_000_000) as i32,
                    None => continue,
                },
                _ => on,
            };
            let rank = precedence.of_visit(origin);
            let told = out.entry(records.value(row)).or_default().entry((class, start)).or_insert_with(|| Told {
                class,
                start,
                last: start,
                source_ts: stamps.value(row),
                ..Told::default()
            });
            let better = rank >= told.rank;
            if better {
                told.is_claim = origin == "claim";
            }
            told.rank = told.rank.max(rank);
            told.last = told.last.max(if lasts.is_null(row) { on } else { lasts.value(row) });
            let word = words.value(row);
            if word == "discharge"
                && (told.end.is_none() || rank > told.end_rank || (rank == told.end_rank && Some((on, at)) > told.end))
            {
                (told.end, told.end_rank) = (Some((on, at)), rank);
            }
            if word != "discharge" && told.start_at.is_none() {
                told.start_at = at;
            }
            for (slot, values) in [(&mut told.from, froms), (&mut told.to, tos), (&mut told.department, departments)] {
                if let Some(value) = text_at(values, row)
                    && (better || slot.is_none())
                {
                    *slot = Some(value.to_owned());
                }
            }
        }
        if !out.is_empty() {
            // A stay that nobody closed goes on as long as its own acts do.
            for table in [Table::DrugExposure, Table::ProcedureOccurrence, Table::DeviceExposure, Table::Observation] {
                let (Some(batch), Some(name)) = (tables.get(&table), super::date_column(table)) else { continue };
                let (records, keys, days) =
                    (super::columns::int64(batch, "record_id")?, text(batch, "source_key")?, date(batch, name)?);
                for row in 0..batch.num_rows() {
                    let told =
                        stay_of(keys.value(row)).and_then(|start| out.get_mut(&records.value(row))?.get_mut(&(b'I', start)));
                    if let Some(told) = told {
                        told.last = told.last.max(days.value(row));
                    }
                }
            }
        }
        Ok(out.into_iter().map(|(record, told)| (record, told.into_values().collect())).collect())
    }

    fn is_stay(&self) -> bool {
        self.class == b'I'
    }

    fn end(&self) -> i32 {
        self.end.map_or(if self.is_stay() { self.last } else { self.start }, |(day, _)| day).max(self.start)
    }

    fn visit(self) -> Visit {
        let end = self.end();
        Visit {
            inpatient: self.is_stay(),
            open: self.is_stay() && self.end.is_none(),
            start: (self.start, self.start_at),
            end: Some((end, self.end.and_then(|(_, at)| at))),
            department: self.department,
            admitted_from: self.from,
            discharged_to: self.to,
            source_ts: self.source_ts,
            told: Some((self.is_claim, self.class)),
            ..Visit::default()
        }
    }
}

/// First day of the stay that an act's unit names: `EFn|facility|first day||month`.
fn stay_of(key: &str) -> Option<i32> {
    let mut parts = key.split('|');
    matches!(parts.next()?, "EFn" | "E" | "F" | "D" | "H").then(|| parts.nth(1)?.parse().ok())?
}

/// Whether a stay is the one that is told of: they begin on one day, or overlap by more than the day on which one ends and the next begins.
fn same_stay(visit: &Visit, told: &Told) -> bool {
    let end = visit.end.map_or(visit.start.0, |e| e.0);
    visit.inpatient && (visit.start.0 == told.start || (visit.start.0 < told.end() && told.start < end))
}

/// The visits with those that others tell of, in order of their start.
pub(super) fn add(mut visits: Vec<Visit>, mut told: Vec<Told>) -> Vec<Visit> {
    if told.is_empty() {
        return visits;
    }
    told.sort_by_key(|t| (std::cmp::Reverse(t.rank), t.start, t.class));
    for told in told {
        let known = visits.iter_mut().find(|v| match told.class {
            b'I' => same_stay(v, &told),
            // A pharmacy's visit is one of its own; an emergency and a reception of one day are one.
            class => !v.inpatient && v.start.0 == told.start && v.told.is_some_and(|(_, c)| c == b'P') == (class == b'P'),
        });
        let Some(visit) = known else {
            visits.push(told.visit());
            continue;
        };
        if visit.open
            && visit.start.0 == told.start
            && let Some(end) = told.end.filter(|(day, _)| *day >= visit.start.0)
        {
            (visit.end, visit.open) = (Some(end), false);
        }
        visit.admitted_from = visit.admitted_from.take().or(told.from);
        visit.discharged_to = visit.discharged_to.take().or(told.to);
        visit.department = visit.department.take().or(told.department);
    }
    visits.sort_by_key(|v| (v.start.0, v.start.1, !v.inpatient));
    visits
}
