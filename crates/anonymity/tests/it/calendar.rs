//! Codes that are not in use at all times tell no true day.

use std::collections::BTreeSet;
use std::sync::Arc;

use anonymity::calendar::{Span, Validity};
use anonymity::profile::Attacker;
use anonymity::recount::recount_with;
use anonymity::{Dataset, Identified, PersonIds, Processed, Profile, Report, process};
use arrow::array::{RecordBatch, StringArray};
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::build::{Row, V, dataset, days, rows, s};

const SHIPPED: &str = include_str!("../../../../profiles/anonymized.toml");
const LINKABLE: &str = include_str!("../../../../profiles/linkable.toml");
const DRUGS: &str = "drug_exposure.drug_source_value";
/// Two drugs of one active substance; the second was listed on 2020-06-15, the other went on 2020-06-20.
const NEW: &str = "1234567F2020";
const OLD: &str = "1234567F1012";

fn profile(text: &str) -> Profile {
    let text = text.replace("year_of_birth = \"extremes\"", "year_of_birth = \"drop\"");
    Profile::parse(&text.replace("month_of_birth = \"keep\"", "month_of_birth = \"drop\"")).expect("a profile")
}

fn validity(of: &[(&str, Option<i32>, Option<i32>)]) -> Validity {
    let mut validity = Validity::default();
    of.iter().for_each(|(code, from, to)| validity.add(DRUGS, code, Span { from: *from, to: *to }));
    validity
}

fn person(id: i64) -> Row {
    vec![("person_id", V::I(id)), ("gender_concept_id", V::I(8507)), ("year_of_birth", V::I(1960)), ("month_of_birth", V::I(4))]
}

fn drug(id: i64, row: i64, code: &str, day: (i32, u32, u32)) -> Row {
    vec![
        ("drug_exposure_id", V::I(row)),
        ("person_id", V::I(id)),
        ("drug_exposure_start_date", V::D(day.0, day.1, day.2)),
        ("drug_exposure_end_date", V::D(day.0, day.1, day.2)),
        ("drug_source_value", s(code)),
        ("drug_concept_id", V::I(if code == NEW { 71 } else { 72 })),
    ]
}

/// Everybody has the old drug on its last days and the new one on its first.
fn bracketed() -> Dataset<Identified> {
    let drugs = (1..=60).flat_map(|id| {
        let day = 15 + (id % 6) as u32;
        [
            drug(id, id * 10, OLD, (2020, 6, day)),
            drug(id, id * 10 + 1, NEW, (2020, 6, day)),
            drug(id, id * 10 + 2, "9", (2020, 1, 5)),
        ]
    });
    dataset(&[(Table::Person, (1..=60).map(person).collect()), (Table::DrugExposure, drugs.collect())])
}

fn of_both() -> Validity {
    validity(&[(NEW, Some(days(2020, 6, 15)), None), (OLD, None, Some(days(2020, 6, 20)))])
}

fn made(profile: &Profile, input: &Dataset<Identified>) -> (Processed, Report) {
    process(profile, input, PersonIds::New, &mut ChaCha20Rng::seed_from_u64(11)).expect("treated")
}

fn codes(done: &Processed) -> BTreeSet<String> {
    rows(&done.tables()["drug_exposure"]).iter().map(|r| r["drug_source_value"].clone()).collect()
}

// control: PRC-05
#[test]
fn codes_that_bracket_a_shift_leave_half_of_all_shifts_and_the_recount_sees_those_that_do_not() {
    let profile = profile(SHIPPED);
    let input = bracketed().with_validity(of_both());
    let (done, report) = made(&profile, &input);
    assert_eq!(recount_with(&profile, done.tables(), input.validity()).against(&profile), Vec::<String>::new());
    let told = report.privacy.as_ref().and_then(|p| p.calendar).expect("told");
    assert_eq!((told.rows, told.persons), (120, 60));
    assert!(told.coarser >= 60, "one of two has to give way: {told:?}");
    // What gave way became the form, which is always in use, and lost what says which it was.
    assert!(codes(&done).contains("1234567"));
    for row in rows(&done.tables()["drug_exposure"]).iter().filter(|r| r["drug_source_value"] == "1234567") {
        assert_eq!(row["drug_concept_id"], "0");
    }
    // Made without knowing of the days, every shift could be read off: that is what the second count is for.
    let (unknowing, _) = made(&profile, &bracketed());
    let sabotaged = recount_with(&profile, unknowing.tables(), input.validity());
    assert_eq!(sabotaged.few_days, 60);
    assert!(sabotaged.against(&profile).iter().any(|line| line.starts_with("few_days")));
}

// control: PRC-05
#[test]
fn the_recount_sees_one_code_that_was_put_back_on_a_day_on_which_it_was_not_in_use() {
    let profile = profile(SHIPPED);
    let input = bracketed().with_validity(of_both());
    let (done, _) = made(&profile, &input);
    let mut tables = done.tables().clone();
    let batch = &tables["drug_exposure"];
    let at = batch.schema().index_of("drug_source_value").expect("a column");
    let mut columns = batch.columns().to_vec();
    let mut others: BTreeSet<String> = BTreeSet::new();
    let all = rows(batch);
    // Somebody whose shift one of the codes bounds has the other too.
    for code in [NEW, OLD] {
        let of = all.iter().filter(|r| r["drug_source_value"] == code).map(|r| r["person_id"].clone());
        others = if code == NEW { of.collect() } else { &others | &of.collect() };
    }
    let shown = all.iter().map(|r| match r["drug_source_value"].as_str() {
        "1234567" => NEW,
        code => code,
    });
    columns[at] = Arc::new(shown.map(Some).collect::<StringArray>());
    let sabotaged = RecordBatch::try_new(batch.schema(), columns).expect("a table");
    tables.insert("drug_exposure".to_owned(), sabotaged);
    assert!(!others.is_empty() && recount_with(&profile, &tables, input.validity()).few_days > 0);
}

// control: PRC-05
#[test]
fn a_code_that_is_in_use_all_the_time_or_of_which_nothing_is_known_stays_as_it_is() {
    let profile = profile(SHIPPED);
    let long = validity(&[(NEW, Some(days(2010, 1, 1)), None), (OLD, None, Some(days(2030, 1, 1)))]);
    let input = bracketed().with_validity(long);
    let (done, report) = made(&profile, &input);
    assert_eq!(codes(&done), BTreeSet::from([NEW, OLD, "9"].map(str::to_owned)));
    assert_eq!(report.privacy.and_then(|p| p.calendar).map(|c| (c.coarser, c.other)), Some((0, 0)));
    // A form whose other code can be of any day says nothing of the day.
    let one = bracketed().with_validity(validity(&[(NEW, Some(days(2020, 6, 15)), Some(days(2020, 6, 20)))]));
    assert_eq!(one.validity().span(DRUGS, "1234567"), Span::default());
}

// control: PRC-05
#[test]
fn an_attacker_who_knows_when_codes_were_in_use_finds_no_fewer_and_is_told_of() {
    let profile = profile(SHIPPED);
    let found = |input: &Dataset<Identified>, who: Attacker| {
        let (_, report) = made(&profile, input);
        report.privacy.and_then(|p| p.found.iter().find(|f| f.attacker == who).copied())
    };
    assert_eq!(found(&bracketed(), Attacker::CalendarCodes), None, "nobody knows of any day");
    let input = bracketed().with_validity(of_both());
    let (least, most) = (found(&input, Attacker::DatedCodes), found(&input, Attacker::CalendarCodes));
    assert!(least.expect("tried").share <= most.expect("tried").share + 0.05);
}

// control: PRC-06
#[test]
fn where_dates_are_cut_to_the_month_a_code_of_its_last_days_becomes_a_form() {
    let profile = profile(LINKABLE);
    let of = |from: i32| {
        let input = bracketed().with_validity(validity(&[(NEW, Some(from), None)]));
        let (done, _) = made(&profile, &input);
        assert_eq!(recount_with(&profile, done.tables(), input.validity()).few_days, 0);
        codes(&done).contains(NEW)
    };
    assert!(of(days(2020, 6, 15)), "16 of 30 days are left");
    assert!(!of(days(2020, 6, 17)), "14 are not enough");
    let input = bracketed().with_validity(validity(&[(NEW, Some(days(2020, 6, 17)), None)]));
    let (unknowing, _) = made(&profile, &bracketed());
    assert_eq!(recount_with(&profile, unknowing.tables(), input.validity()).few_days, 60, "every row of theirs");
}

// control: PRC-05
#[test]
fn whatever_days_codes_have_no_person_is_left_with_fewer_shifts_than_promised() {
    let profile = profile(SHIPPED);
    let codes = ["1234567F1", "1234567F2", "7654321A1", "7654321A2", "9"];
    for seed in 0..40_u32 {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
        let mut dice = |sides: u32| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state % sides
        };
        let mut of = Validity::default();
        for code in codes {
            let from = days(2019, 6, 1) + dice(600) as i32;
            let to = (dice(3) > 0).then(|| from + dice(300) as i32);
            of.add(DRUGS, code, Span { from: (dice(4) > 0).then_some(from), to });
        }
        let mut drugs = Vec::new();
        for id in 1..=30 {
            for row in 0..5 {
                drugs.push(drug(id, id * 10 + row, codes[dice(5) as usize], (2020, 1 + dice(12), 1 + dice(28))));
            }
        }
        let input = dataset(&[(Table::Person, (1..=30).map(person).collect()), (Table::DrugExposure, drugs)]).with_validity(of);
        let done = process(&profile, &input, PersonIds::New, &mut ChaCha20Rng::seed_from_u64(u64::from(seed)));
        let (done, _) = done.expect("treated");
        let leaks = recount_with(&profile, done.tables(), input.validity()).against(&profile);
        assert_eq!(leaks, Vec::<String>::new(), "seed {seed}");
    }
}
