//! Days that many share by the way the data were taken out tell no shift.

use anonymity::{Dataset, Identified, PersonIds, Processed, Profile, process};
use arrow::array::{AsArray, Date32Array};
use arrow::datatypes::Date32Type;
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::build::{Row, V, dataset, days};

const SHIPPED: &str = include_str!("../../../../profiles/anonymized.toml");

fn profile(period: &str) -> Profile {
    let text = SHIPPED.replace("year_of_birth = \"extremes\"", "year_of_birth = \"drop\"");
    let text = text.replace("month_of_birth = \"keep\"", "month_of_birth = \"drop\"");
    let mut profile = Profile::parse(&text).expect("a profile");
    if !period.is_empty() {
        (profile.cohort.from, profile.cohort.to) = (Some("2019-01-01".to_owned()), Some("2022-12-31".to_owned()));
    }
    profile
}

fn person(id: i64) -> Row {
    vec![("person_id", V::I(id)), ("gender_concept_id", V::I(8507)), ("year_of_birth", V::I(1960)), ("month_of_birth", V::I(4))]
}

fn period(id: i64, from: (i32, u32, u32), to: (i32, u32, u32)) -> Row {
    vec![
        ("observation_period_id", V::I(id)),
        ("person_id", V::I(id)),
        ("observation_period_start_date", V::D(from.0, from.1, from.2)),
        ("observation_period_end_date", V::D(to.0, to.1, to.2)),
    ]
}

fn visit(id: i64, row: i64, from: (i32, u32, u32), to: (i32, u32, u32)) -> Row {
    vec![
        ("visit_occurrence_id", V::I(row)),
        ("person_id", V::I(id)),
        ("visit_start_date", V::D(from.0, from.1, from.2)),
        ("visit_end_date", V::D(to.0, to.1, to.2)),
    ]
}

fn made(profile: &Profile, input: &Dataset<Identified>) -> Result<Processed, &'static str> {
    let done = process(profile, input, PersonIds::New, &mut ChaCha20Rng::seed_from_u64(3));
    done.map(|(done, _)| done).map_err(|e| e.code())
}

/// Sixty people, each observed and there once.
fn of(periods: impl Fn(i64) -> Row, visits: impl Fn(i64) -> Row) -> Dataset<Identified> {
    dataset(&[
        (Table::Person, (1..=60).map(person).collect()),
        (Table::ObservationPeriod, (1..=60).map(periods).collect()),
        (Table::VisitOccurrence, (1..=60).map(visits).collect()),
    ])
}

fn spread(id: i64) -> (i32, u32, u32) {
    (2020, 1 + (id % 12) as u32, 1 + (id * 5 % 28) as u32)
}

/// All days of a table that leave.
fn shown(done: &Processed, table: &str) -> Vec<i32> {
    let columns = done.tables()[table].columns().iter().filter_map(|c| c.as_primitive_opt::<Date32Type>());
    columns.flat_map(|c: &Date32Array| c.iter().flatten().collect::<Vec<_>>()).collect()
}

// control: PRC-05
#[test]
fn an_extraction_whose_edges_many_share_needs_a_period_and_then_tells_no_shift() {
    let own = |id: i64| (2021, 1 + (id % 12) as u32, 1 + (id * 5 % 28) as u32);
    let visits = |id: i64| visit(id, id, spread(id), spread(id));
    let inputs = [
        of(|id| period(id, (2019, 1, 1), own(id)), visits),
        of(|id| period(id, spread(id), (2022, 12, 31)), visits),
        of(|id| period(id, spread(id), own(id)), |id| visit(id, id, spread(id), (2022, 12, 31))),
    ];
    for input in &inputs {
        assert_eq!(made(&profile(""), input).err(), Some("anonymity-edge-shared"));
        let done = made(&profile("2019 to 2022"), input).expect("with a period");
        let (first, last) = (days(2019, 1, 1) + 182, days(2022, 12, 31) - 182);
        for table in ["observation_period", "visit_occurrence"] {
            let shown = shown(&done, table);
            assert!(!shown.is_empty() && shown.iter().all(|day| (first..=last).contains(day)), "{table}");
        }
    }
    assert!(made(&profile(""), &of(|id| period(id, spread(id), own(id)), visits)).is_ok(), "edges of their own tell nothing");
}

// control: PRC-05
#[test]
fn a_placeholder_for_a_day_that_is_not_known_is_not_moved() {
    for unknown in [(9999, 12, 31), (2100, 1, 1), (1900, 1, 1)] {
        let own = |id: i64| (2021, 1 + (id % 12) as u32, 1 + (id * 5 % 28) as u32);
        // Of twenty the end of the stay is not known, of ten the period has no end.
        let visits = |id: i64| visit(id, id, spread(id), if id <= 20 { unknown } else { spread(id) });
        let periods = |id: i64| period(id, spread(id), if id > 50 { unknown } else { own(id) });
        let done = made(&profile(""), &of(periods, visits)).expect("treated");
        for table in ["observation_period", "visit_occurrence"] {
            let near = days(2019, 1, 1)..=days(2023, 1, 1);
            assert!(shown(&done, table).iter().all(|day| near.contains(day)), "{table} {unknown:?}");
        }
        assert_eq!((done.tables()["visit_occurrence"].num_rows(), done.tables()["observation_period"].num_rows()), (60, 50));
    }
}
