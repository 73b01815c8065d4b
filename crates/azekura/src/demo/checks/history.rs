use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type, Int64Type};
use lake::Blocked;
use messages::Message;
use omop::{Table, concept};
use terms::{RecordId, days_from_civil};

use super::{Promise, Verdict};
use crate::demo::below;
use crate::demo::world::World;
use crate::failure::Failure;

/// What DPC files, a claim and a checkup tell of one person is one history: one person, one stay, one amount.
pub struct OneHistory;

/// The person of the samples whose chart number, DPC id and card stand in all three kinds, and the first day of the stay.
const PROVIDER: &str = "1319999991";
const CHART: &str = "123";
/// What the claim of the stay asks for: 44,682 points at ten yen.
const CLAIMED: f64 = 446_820.0;

impl Promise for OneHistory {
    fn name(&self) -> &'static str {
        "one-history"
    }

    fn title(&self) -> &'static str {
        "demo-promise-one-history"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        verdict(world, false)
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        // Every source that tells of a stay, taken for a stay; every amount with points, taken for paid.
        verdict(world, true)
    }
}

fn verdict(world: &World, as_told: bool) -> Result<Verdict, Failure> {
    let instance = &world.instance;
    let key = (PROVIDER.parse().map_err(|_| anyhow::anyhow!("the code of a hospital"))?, CHART.to_owned());
    let Some(record) = world.records(std::slice::from_ref(&key))?.remove(&key) else {
        return Ok(Verdict::Broken(Message::new("demo-found-history-nobody")));
    };
    let snapshot = world.wait(instance.lake.snapshot(&instance.ledger, None)).map_err(below)?;
    // The checkup and the pharmacy's claim are known by a card alone, and have one record: the linkage says that it is the same person's.
    let map = snapshot.person_map();
    let person = map.and_then(|map| map.person(record));
    let records: Vec<RecordId> =
        map.into_iter().flat_map(|m| m.iter()).filter(|(_, p)| Some(*p) == person).map(|(record, _)| record).collect();
    let table = |table: Table| snapshot.records(table, &records, Blocked::Include).map_err(below);
    let admitted = days_from_civil(2024, 6, 10).unwrap_or_default();
    let int = |batch: &arrow::array::RecordBatch, name: &str, row: usize| {
        batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int32Type>()).map_or(0, |c| c.value(row))
    };
    let day = |batch: &arrow::array::RecordBatch, name: &str, row: usize| {
        let column = batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Date32Type>());
        column.filter(|c| c.is_valid(row)).map(|c| c.value(row))
    };
    let (mut stays, mut told) = (0u64, 0u64);
    for batch in table(Table::VisitOccurrence)? {
        for row in 0..batch.num_rows() {
            let stay = int(&batch, "visit_concept_id", row) == concept::INPATIENT_VISIT;
            stays += u64::from(stay && day(&batch, "visit_start_date", row) == Some(admitted));
        }
    }
    let mut sources = std::collections::BTreeSet::new();
    for batch in table(Table::VisitEvent)? {
        let words = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).cloned();
        let (Some(events), Some(origins)) = (words("event"), words("origin")) else { continue };
        for row in 0..batch.num_rows() {
            sources.insert(if origins.is_valid(row) { origins.value(row).to_owned() } else { "adt".to_owned() });
            told += u64::from(events.value(row) == "admission" && day(&batch, "event_date", row) == Some(admitted));
        }
    }
    let (mut paid, mut asked) = (0.0, 0.0);
    for batch in table(Table::Cost)? {
        let number = |name: &str, row: usize| {
            let column = batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Float64Type>());
            column.filter(|c| c.is_valid(row)).map_or(0.0, |c| c.value(row))
        };
        let of_stay = |row: usize| day(&batch, "visit_start", row) == Some(admitted);
        for row in (0..batch.num_rows()).filter(|row| of_stay(*row)) {
            paid += number("total_charge", row);
            asked += number("points", row) * 10.0;
        }
    }
    let persons = persons(&table(Table::Person)?, &records);
    let (stays, paid) = if as_told { (told, asked) } else { (stays, paid) };
    let message = Message::new("demo-found-history")
        .with("packages", world.of_others.len())
        .with("records", records.len())
        .with("persons", persons)
        .with("sources", sources.len())
        .with("told", told)
        .with("stays", stays)
        .with("asked", asked)
        .with("paid", paid);
    // Everybody was told: who is refused would be missing from a history.
    let whole = !world.of_others.is_empty() && world.of_others.iter().all(|t| t.patients_in > 0 && t.patients_refused == 0);
    let kept = whole
        && records.len() == 2
        && persons == 1
        && sources.len() >= 4
        && told >= 2
        && stays == 1
        && (paid - CLAIMED).abs() < 0.5;
    Ok(if kept { Verdict::Kept(message) } else { Verdict::Broken(message) })
}

/// Births that the records state: one, where they are one person's.
fn persons(batches: &[arrow::array::RecordBatch], records: &[RecordId]) -> usize {
    let mut births = std::collections::BTreeSet::new();
    for batch in batches {
        let ids = batch.column_by_name("record_id").and_then(|c| c.as_primitive_opt::<Int64Type>());
        let of = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int32Type>());
        let (Some(ids), Some(year), Some(month), Some(day)) =
            (ids, of("year_of_birth"), of("month_of_birth"), of("day_of_birth"))
        else {
            continue;
        };
        for row in (0..batch.num_rows()).filter(|row| records.contains(&RecordId(ids.value(*row)))) {
            births.insert((year.value(row), month.value(row), day.value(row)));
        }
    }
    births.len()
}
