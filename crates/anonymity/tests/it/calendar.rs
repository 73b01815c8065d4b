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
    assert_eq!(one.validity().span(&profile, DRUGS, "1234567"), Span::default());
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
    let (least, most) = (least.expect("tried"), most.expect("tried"));
    assert!(least.share <= most.share && least.alone <= most.alone, "{least:?} {most:?}");
    assert_eq!((least.persons, least.targets), (most.persons, most.targets), "the same persons by the same events");
    assert!(least.interval[0] < least.interval[1], "what is known is drawn by chance, and the interval says so");
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

const ACTS: &str = "procedure_occurrence.procedure_source_value";
/// An act that came on 2020-04-01, and one that went the day before.
const ACT_NEW: &str = "RECEIPT:160000410";
const ACT_OLD: &str = "RECEIPT:160000510";

fn act(id: i64, row: i64, code: &str, day: (i32, u32, u32)) -> Row {
    vec![
        ("procedure_occurrence_id", V::I(row)),
        ("person_id", V::I(id)),
        ("procedure_date", V::D(day.0, day.1, day.2)),
        ("procedure_source_value", s(code)),
    ]
}

/// Everybody has the old act on its last days and the new one on its first; one person has longer texts that begin as these do.
fn acts(dirty: &[&str]) -> Dataset<Identified> {
    let acts = (1..=60).flat_map(|id| {
        let day = (id % 5) as u32;
        [act(id, id * 10, ACT_NEW, (2020, 4, 1 + day)), act(id, id * 10 + 1, ACT_OLD, (2020, 3, 31 - day))]
    });
    let dirty = dirty.iter().zip(2..).map(|(code, row)| act(1, 10 + row, code, (2020, 6, 1)));
    let mut of = Validity::default();
    of.add(ACTS, ACT_NEW, Span { from: Some(days(2020, 4, 1)), to: None });
    of.add(ACTS, ACT_OLD, Span { from: None, to: Some(days(2020, 3, 31)) });
    let tables = [(Table::Person, (1..=60).map(person).collect()), (Table::ProcedureOccurrence, acts.chain(dirty).collect())];
    dataset(&tables).with_validity(of)
}

// control: PRC-05
#[test]
fn one_longer_text_that_begins_as_a_code_does_not_open_the_code_for_everybody() {
    let profile = profile(SHIPPED);
    let dirty = ["RECEIPT:160000410 JHSD0004:1", "RECEIPT:160000510X"];
    for input in [acts(&[]), acts(&dirty)] {
        let of = |code: &str| input.validity().span(&profile, ACTS, code);
        assert_eq!(of(ACT_NEW), Span { from: Some(days(2020, 4, 1)), to: None });
        assert_eq!(of(ACT_OLD), Span { from: None, to: Some(days(2020, 3, 31)) });
        let (done, report) = made(&profile, &input);
        let told = report.privacy.as_ref().and_then(|p| p.calendar).expect("told");
        assert_eq!((told.rows, told.persons), (120, 60));
        assert!(told.other >= 60, "{told:?}");
        assert_eq!(recount_with(&profile, done.tables(), input.validity()).against(&profile), Vec::<String>::new());
        // The second count sees it too where nothing was done.
        let unknowing = dataset_of(&input);
        let (unknowing, _) = made(&profile, &unknowing);
        assert_eq!(recount_with(&profile, unknowing.tables(), input.validity()).few_days, 60);
    }
}

/// The same tables, of whose codes nothing is known.
fn dataset_of(input: &Dataset<Identified>) -> Dataset<Identified> {
    Dataset::new(input.tables().clone())
}

// control: PRC-05
#[test]
fn words_that_begin_as_a_form_do_not_open_the_form_and_codes_that_become_it_do() {
    let profile = profile(SHIPPED);
    let known = || validity(&[(NEW, Some(days(2020, 6, 15)), None)]);
    let with = |code: &str| {
        let drugs = vec![drug(1, 1, NEW, (2020, 7, 1)), drug(1, 2, code, (2020, 7, 1))];
        let input = dataset(&[(Table::Person, vec![person(1)]), (Table::DrugExposure, drugs)]).with_validity(known());
        input.validity().span(&profile, DRUGS, "1234567")
    };
    assert_eq!(with("9").from, Some(days(2020, 6, 15)));
    assert_eq!(with("1234567 内服 一日三回").from, Some(days(2020, 6, 15)), "words become その他");
    assert_eq!(with("1234567:1").from, Some(days(2020, 6, 15)), "a code of another system is no form of this");
    assert_eq!(with(OLD), Span::default(), "a code of any day becomes the form");
}

// control: PRC-06
#[test]
fn codes_of_one_visit_narrow_the_days_of_a_month_together() {
    let profile = profile(LINKABLE);
    let input = |visits: bool| {
        let mut drugs = Vec::new();
        for id in 1..=60 {
            for (code, row) in [(NEW, 0), (OLD, 1)] {
                let visit = if visits || row == 0 { id } else { id + 100 };
                let of_visit = vec![("visit_occurrence_id", V::I(visit))];
                drugs.push([drug(id, id * 10 + row, code, (2020, 6, 15)), of_visit].concat());
            }
        }
        let visit = |id: i64, n: i64| {
            vec![
                ("visit_occurrence_id", V::I(n)),
                ("person_id", V::I(id)),
                ("visit_start_date", V::D(2020, 6, 15)),
                ("visit_end_date", V::D(2020, 6, 15)),
            ]
        };
        let visits = (1..=60).flat_map(|id| [visit(id, id), visit(id, id + 100)]).collect();
        // 16 days are left by the one, 15 by the other, and one by both.
        let of = validity(&[(NEW, Some(days(2020, 6, 15)), None), (OLD, None, Some(days(2020, 6, 15)))]);
        let tables =
            [(Table::Person, (1..=60).map(person).collect()), (Table::VisitOccurrence, visits), (Table::DrugExposure, drugs)];
        dataset(&tables).with_validity(of)
    };
    for (one_visit, shown) in [(true, 1), (false, 2)] {
        let input = input(one_visit);
        let (done, _) = made(&profile, &input);
        let both = codes(&done).iter().filter(|code| [NEW, OLD].contains(&code.as_str())).count();
        assert_eq!(both, shown, "of one visit: {one_visit}");
        assert_eq!(recount_with(&profile, done.tables(), input.validity()).few_days, 0);
        let (unknowing, _) = made(&profile, &dataset_of(&input));
        let few = recount_with(&profile, unknowing.tables(), input.validity()).few_days;
        assert_eq!(few, if one_visit { 60 } else { 0 });
    }
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
