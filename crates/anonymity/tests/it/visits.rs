//! How often somebody came and how far apart is counted, told, and can stop a data set.

use anonymity::recount::recount;
use anonymity::{Dataset, Identified, PersonIds, Processed, Profile, Report, process};
use arrow::array::{Date32Array, RecordBatch};
use arrow::datatypes::Date32Type;
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::build::{Row, V, dataset};

const SHIPPED: &str = include_str!("../../../../profiles/anonymized.toml");
const LINKABLE: &str = include_str!("../../../../profiles/linkable.toml");
const LIMITS: &str = "[privacy.most_unique]\n";

fn profile(text: &str, limits: &str) -> Result<Profile, &'static str> {
    let text = text.replace("year_of_birth = \"extremes\"", "year_of_birth = \"drop\"");
    let text = text.replace("month_of_birth = \"keep\"", "month_of_birth = \"drop\"");
    Profile::parse(&text.replacen("[[values]]", &format!("{limits}\n[[values]]"), 1)).map_err(|e| e.code())
}

fn visit(id: i64, row: i64, day: (i32, u32, u32)) -> Row {
    vec![
        ("visit_occurrence_id", V::I(row)),
        ("person_id", V::I(id)),
        ("visit_start_date", V::D(day.0, day.1, day.2)),
        ("visit_end_date", V::D(day.0, day.1, day.2)),
        ("visit_concept_id", V::I(9202)),
    ]
}

/// Forty people who came twice, ten days apart; of them one came on another day, and one a third time.
fn visits() -> Dataset<Identified> {
    let person = |id: i64| -> Row {
        vec![
            ("person_id", V::I(id)),
            ("gender_concept_id", V::I(8507)),
            ("year_of_birth", V::I(1960)),
            ("month_of_birth", V::I(4)),
        ]
    };
    let mut rows = Vec::new();
    for id in 1..=40 {
        let day = 1 + (id % 9) as u32;
        rows.push(visit(id, id * 10, (2020, 3, day)));
        rows.push(visit(id, id * 10 + 1, (2020, 3, day + if id == 1 { 11 } else { 10 })));
    }
    rows.push(visit(2, 23, (2020, 5, 3)));
    dataset(&[(Table::Person, (1..=40).map(person).collect()), (Table::VisitOccurrence, rows)])
}

fn made(profile: &Profile) -> (Processed, Report) {
    process(profile, &visits(), PersonIds::New, &mut ChaCha20Rng::seed_from_u64(3)).expect("treated")
}

// control: PRC-05
#[test]
fn whose_visits_are_like_nobodys_is_counted_and_told() {
    let (done, report) = made(&profile(SHIPPED, "").expect("a profile"));
    let told = report.privacy.and_then(|p| p.visits).expect("told");
    assert_eq!((told.persons, told.moved, told.open_edge), (40, true, true));
    // One came three times; of the spacings that and eleven days are alone, which is few too.
    assert_eq!(((told.count.alone, told.count.few), (told.spacing.alone, told.spacing.few)), ((1, 1), (2, 2)));
    let recounted = recount(&profile(SHIPPED, "").expect("a profile"), done.tables());
    assert_eq!(recounted.unique_visits["visit_spacing"], 2.0 / 40.0);
    assert_eq!(recounted.unique_visits["visit_count"], 1.0 / 40.0);
    // Cut to the month all came in March, and one in May too.
    let (_, report) = made(&profile(LINKABLE, "").expect("a profile"));
    let told = report.privacy.and_then(|p| p.visits).expect("told");
    assert_eq!((told.moved, told.open_edge, told.spacing.alone), (false, false, 1));
}

// control: PRC-05
#[test]
fn more_unique_visits_than_the_profile_allows_and_nothing_is_made() {
    for (limit, allowed) in [("visit_spacing = 0.04", false), ("visit_spacing = 0.05", true), ("visit_count = 0.02", false)] {
        let profile = profile(SHIPPED, &format!("{LIMITS}{limit}\n")).expect("a profile");
        let result = process(&profile, &visits(), PersonIds::New, &mut ChaCha20Rng::seed_from_u64(3));
        assert_eq!(result.err().map(|e| e.code()), (!allowed).then_some("anonymity-too-many-unique"), "{limit}");
    }
    assert_eq!(profile(SHIPPED, &format!("{LIMITS}visit_count = 1.5\n")).err(), Some("anonymity-privacy-weak"));
}

// control: PRC-05
#[test]
fn the_recount_sees_visits_that_were_spread_apart() {
    let profile = profile(SHIPPED, &format!("{LIMITS}visit_spacing = 0.05\n")).expect("a profile");
    let (done, _) = made(&profile);
    assert_eq!(recount(&profile, done.tables()).against(&profile), Vec::<String>::new());
    let mut tables = done.tables().clone();
    let batch = &tables["visit_occurrence"];
    let at = batch.schema().index_of("visit_start_date").expect("a column");
    let mut columns = batch.columns().to_vec();
    let days: &Date32Array = arrow::array::AsArray::as_primitive::<Date32Type>(&columns[at]);
    let spread: Date32Array = days.iter().zip(0..).map(|(day, n)| day.map(|day| day + n * n)).collect();
    columns[at] = std::sync::Arc::new(spread);
    let sabotaged = RecordBatch::try_new(batch.schema(), columns).expect("a table");
    tables.insert("visit_occurrence".to_owned(), sabotaged);
    let found = recount(&profile, &tables).against(&profile);
    assert!(found.iter().any(|line| line.starts_with("unique visit_spacing")), "{found:?}");
}
