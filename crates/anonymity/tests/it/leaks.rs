//! What left by a side door: concepts beside hidden texts, rules above thresholds, words in columns of codes, births that did
//! not move, rows that were counted apart, units of hidden items. Codes of the hospital itself: `local_codes`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anonymity::profile::ValueRule;
use anonymity::recount::recount;
use anonymity::treat::OTHER;
use anonymity::treat::codes::Fate;
use anonymity::treat::results::{self, Columns};
use anonymity::{Dataset, Identified, PersonIds, Processed, Profile, Report, Treatment, process};
use arrow::array::{Array, AsArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Float64Type, Int32Type};
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::build::{Row, V, dataset, rows, s};
use super::ministry::shipped;

const POSITIVE: i64 = 9191;
const NEGATIVE: i64 = 9189;
const HBS: &str = "5F016000002302311";

fn someone(id: i64) -> Row {
    vec![
        ("person_id", V::I(id)),
        ("gender_concept_id", V::I(8507)),
        ("year_of_birth", V::I(1980)),
        ("month_of_birth", V::I(6)),
        ("day_of_birth", V::I(15)),
    ]
}

fn measured(id: i64, n: i64, code: &str) -> Row {
    vec![
        ("measurement_id", V::I(n)),
        ("person_id", V::I(id)),
        ("measurement_date", V::D(2021, 1, 1)),
        ("measurement_source_value", s(code)),
    ]
}

/// Births amid a month and shifts of a day at most: the tests of other things keep one class.
pub(super) fn anonymized() -> Profile {
    let mut profile = shipped("anonymized");
    profile.privacy.as_mut().expect("anonymized").shift_days = Some(1);
    profile
}

pub(super) fn treated(profile: &Profile, input: &Dataset<Identified>) -> (Processed, Report) {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    process(profile, input, PersonIds::New, &mut rng).map_err(|e| e.to_string()).expect("treated")
}

/// Forty people with a test that three of them are positive in.
pub(super) fn three_positive() -> Dataset<Identified> {
    let result = |id: i64| {
        let mut row = measured(id, 1, HBS);
        let few = id <= 3;
        row.push(("value_source_value", s(if few { "陽性" } else { "陰性" })));
        row.push(("value_as_concept_id", V::I(if few { POSITIVE } else { NEGATIVE })));
        row
    };
    dataset(&[(Table::Person, (1..=40).map(someone).collect()), (Table::Measurement, (1..=40).map(result).collect())])
}

pub(super) fn with_column(
    tables: &BTreeMap<String, RecordBatch>,
    table: &str,
    column: &str,
    array: arrow::array::ArrayRef,
) -> BTreeMap<String, RecordBatch> {
    let mut tables = tables.clone();
    let batch = &tables[table];
    let mut columns = batch.columns().to_vec();
    columns[batch.schema().index_of(column).expect("a column")] = array;
    let changed = RecordBatch::try_new(batch.schema(), columns).expect("same type");
    tables.insert(table.to_owned(), changed);
    tables
}

// control: PRC-03
#[test]
fn a_result_that_few_persons_have_is_told_by_no_concept() {
    let (processed, report) = treated(&anonymized(), &three_positive());
    let all = rows(&processed.tables()["measurement"]);
    assert_eq!(all.iter().filter(|r| r["value_source_value"] == OTHER).count(), 3);
    assert!(all.iter().all(|r| r.get("value_as_concept_id").is_none_or(|c| *c == NEGATIVE.to_string())));
    assert_eq!(all.iter().filter(|r| r.contains_key("value_as_concept_id")).count(), 37, "the others keep theirs");
    let results = report.tables.iter().find(|t| t.name == "measurement").and_then(|t| t.results).expect("results");
    assert_eq!(results.concept_rare, 3);
}

// control: PRC-03
#[test]
fn the_recount_finds_a_concept_that_few_persons_have_with_an_item() {
    let profile = anonymized();
    let (processed, _) = treated(&profile, &three_positive());
    assert!(recount(&profile, processed.tables()).rare_codes.is_empty());
    let concept = |few: usize, column: &str, table: &str| {
        let n = processed.tables()[table].num_rows();
        let array = Arc::new((0..n).map(|i| if i < few { 9191 } else { 9189 }).collect::<Int32Array>());
        recount(&profile, &with_column(processed.tables(), table, column, array)).rare_codes
    };
    for column in ["value_as_concept_id", "measurement_concept_id", "measurement_type_concept_id"] {
        let found = concept(3, column, "measurement");
        assert_eq!(found.get(&format!("measurement.{column}")), Some(&1), "{column}");
        assert!(concept(10, column, "measurement").is_empty(), "{column}");
    }
}

// control: PRC-03
#[test]
fn a_concept_that_follows_a_common_code_and_few_persons_have_does_not_leave() {
    let condition = |id: i64| -> Row {
        vec![
            ("condition_occurrence_id", V::I(1)),
            ("person_id", V::I(id)),
            ("condition_concept_id", V::I(if id <= 3 { 4_000_001 } else { 4_000_002 })),
            ("condition_start_date", V::D(2021, 1, 1)),
            ("condition_type_concept_id", V::I(if id == 9 { 32_879 } else { 32_840 })),
            ("condition_source_value", s("MDCDX2:20054174")),
        ]
    };
    let input = dataset(&[
        (Table::Person, (1..=40).map(someone).collect()),
        (Table::ConditionOccurrence, (1..=40).map(condition).collect()),
    ]);
    let (processed, _) = treated(&anonymized(), &input);
    let all = rows(&processed.tables()["condition_occurrence"]);
    let count = |column: &str, value: &str| all.iter().filter(|r| r[column] == value).count();
    // That three have none would mark them: nobody has one, and the code stays.
    assert_eq!((count("condition_concept_id", "4000002"), count("condition_concept_id", "0")), (0, 40));
    assert_eq!((count("condition_type_concept_id", "32840"), count("condition_type_concept_id", "0")), (0, 40));
    assert!(recount(&anonymized(), processed.tables()).rare_codes.is_empty());
}

/// Results of persons in one item, as texts, by person.
fn shown(values: &[(u32, f64)], rule: &ValueRule, k: u32) -> Vec<(u32, Option<String>)> {
    let persons: Vec<u32> = values.iter().map(|(p, _)| *p).collect();
    let codes = StringArray::from(vec!["A"; values.len()]);
    let number: Float64Array = values.iter().map(|(_, v)| Some(*v)).collect();
    let fates = vec![Fate::Kept; values.len()];
    let columns = Columns {
        codes: &codes,
        fates: &fates,
        units: None,
        unit_lost: None,
        number: Some(&number),
        operator: None,
        text: None,
        concept: None,
    };
    let out = results::treat(&columns, &persons, std::slice::from_ref(rule), k, k);
    let text = out.text.as_string::<i32>();
    persons.into_iter().zip(text.iter().map(|t| t.map(str::to_owned))).collect()
}

fn rule(band: Option<f64>, bottom: Option<f64>, top: Option<f64>) -> ValueRule {
    ValueRule { name: "a".into(), code: "A".into(), band, bottom, top }
}

// control: PRC-03
#[test]
fn a_bound_of_the_profile_never_shows_more_than_enough_persons_reach() {
    // Ninety people under 150, one with 199: the profile's bound at 201 would let it leave.
    let mut values: Vec<(u32, f64)> = (0..90).map(|p| (p, 100.0 + f64::from(p % 9) * 5.0)).collect();
    values.push((90, 199.0));
    let texts = shown(&values, &rule(None, None, Some(201.0)), 10);
    assert_eq!(texts[90].1.as_deref(), Some(">=140"));
    // One person alone beyond it, and one alone below the lower.
    values.push((91, 230.0));
    values.push((92, 20.0));
    let texts = shown(&values, &rule(None, Some(30.0), Some(201.0)), 10);
    assert_eq!((texts[91].1.as_deref(), texts[92].1.as_deref()), (Some(">=140"), Some("<=100")));
}

// control: PRC-03
#[test]
fn beyond_every_bound_that_leaves_there_are_enough_persons_whatever_the_rule() {
    type Input = (Vec<(u8, i8)>, u8, Option<u8>, Option<i8>, Option<i8>);
    bolero::check!().with_type::<Input>().for_each(|(pairs, k, band, bottom, top)| {
        let k = u32::from(k % 6) + 1;
        let (bottom, top) = (bottom.map(f64::from), top.map(f64::from));
        if bottom.zip(top).is_some_and(|(b, t)| b > t) {
            return;
        }
        let values: Vec<(u32, f64)> = pairs.iter().take(60).map(|(p, v)| (u32::from(p % 14), f64::from(*v))).collect();
        let rule = rule(band.map(|w| f64::from(w % 7 + 1)), bottom, top);
        let mut behind: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for (person, text) in shown(&values, &rule, k) {
            if let Some(text) = text.filter(|t| t.starts_with(['<', '>'])) {
                behind.entry(text).or_default().insert(person);
            }
        }
        assert!(behind.values().all(|persons| persons.len() >= k as usize), "{behind:?}");
    });
}

// control: PRC-07
#[test]
fn pseudonymized_data_have_no_words_and_no_numbers_of_persons_in_columns_of_codes_and_results() {
    let secrets = ["090-1234-5678", "12345678", "Taro Abe", "Yamada", "00417", "1950/03/01", "tanaka@example.jp"];
    let (mut measurement, mut drug) = (vec![], vec![]);
    for (n, secret) in secrets.iter().enumerate() {
        let n = n as i64 + 1;
        let mut row = measured(1, n, &format!("text:{secret}"));
        row.push(("value_source_value", s(secret)));
        row.push(("unit_source_value", s(secret)));
        measurement.push(row);
        drug.push(vec![
            ("drug_exposure_id", V::I(n)),
            ("person_id", V::I(1)),
            ("drug_exposure_start_date", V::D(2021, 1, 1)),
            ("drug_exposure_end_date", V::D(2021, 1, 1)),
            ("drug_source_value", V::S(format!("text:{secret}"))),
            ("route_source_value", V::S(format!("text:{secret}"))),
            ("dose_unit_source_value", s(secret)),
        ]);
    }
    let mut good = measured(1, 90, "5F016000002302311");
    good.extend([("value_source_value", s("陽性(2+)")), ("unit_source_value", s("mg/dL"))]);
    measurement.push(good);
    let mut large = measured(1, 91, "LN:29463-7");
    large.extend([("value_source_value", s("1200000")), ("value_as_number", V::F(1_200_000.0))]);
    measurement.push(large);
    let input = dataset(&[(Table::Person, vec![someone(1)]), (Table::Measurement, measurement), (Table::DrugExposure, drug)]);
    let (processed, _) = treated(&shipped("pseudonymized"), &input);
    let cells: Vec<String> =
        processed.tables().values().flat_map(|batch| rows(batch).into_iter().flat_map(BTreeMap::into_values)).collect();
    for secret in secrets {
        assert!(cells.iter().all(|cell| !cell.contains(secret)), "{secret}");
    }
    let kept = rows(&processed.tables()["measurement"]);
    let of = |code: &str, column: &str| kept.iter().find(|r| r["measurement_source_value"] == code).map(|r| r[column].clone());
    assert_eq!(of("5F016000002302311", "value_source_value").as_deref(), Some("陽性(2+)"));
    assert_eq!(of("5F016000002302311", "unit_source_value").as_deref(), Some("mg/dL"));
    assert_eq!(of("LN:29463-7", "value_source_value").as_deref(), Some("1200000"), "its number leaves beside it");
}

// control: PRC-03
#[test]
fn a_class_that_few_persons_are_in_becomes_the_class_of_all_others() {
    let text = include_str!("../../../../profiles/anonymized.toml");
    let map = "{ class = { map = { seldom = \"seldom\", often = \"often\", c1 = \"seldom\", c2 = \"seldom\", d1 = \"often\", d2 = \"often\" }, other = \"others\" } }";
    let text = text.replace("visit_source_value = \"drop\"", &format!("visit_source_value = {map}"));
    let mut profile = Profile::parse(&text).map_err(|e| e.to_string()).expect("a profile");
    profile.privacy.as_mut().expect("anonymized").shift_days = Some(1);
    let observed = |id: i64| -> Row {
        vec![
            ("visit_occurrence_id", V::I(1)),
            ("person_id", V::I(id)),
            ("visit_concept_id", V::I(9202)),
            ("visit_start_date", V::D(2021, 1, 1)),
            ("visit_end_date", V::D(2021, 1, 1)),
            ("visit_source_value", s(if id <= 2 { "seldom" } else { "often" })),
        ]
    };
    let input =
        dataset(&[(Table::Person, (1..=40).map(someone).collect()), (Table::VisitOccurrence, (1..=40).map(observed).collect())]);
    let (processed, _) = treated(&profile, &input);
    let all = rows(&processed.tables()["visit_occurrence"]);
    let count = |class: &str| all.iter().filter(|r| r["visit_source_value"] == class).count();
    assert_eq!((count("seldom"), count("often"), count("others")), (0, 38, 2));
    assert!(recount(&profile, processed.tables()).rare_codes.is_empty());
    let n = all.len();
    let leak = Arc::new((0..n).map(|i| Some(if i == 0 { "seldom" } else { "often" })).collect::<StringArray>());
    let leak = with_column(processed.tables(), "visit_occurrence", "visit_source_value", leak);
    assert_eq!(recount(&profile, &leak).rare_codes.len(), 1);
}

// control: PRC-01
#[test]
fn a_birth_moves_with_the_dates_of_its_person_before_it_is_cut_to_the_month() {
    // Seen on the first day of life: an unmoved month of birth beside a moved first visit would tell the shift.
    let (mut person, mut visit) = (vec![], vec![]);
    for id in 1..=300_i64 {
        person.push(vec![
            ("person_id", V::I(id)),
            ("gender_concept_id", V::I(8507)),
            ("year_of_birth", V::I(2020)),
            ("month_of_birth", V::I(8)),
            ("day_of_birth", V::I(3)),
        ]);
        visit.push(vec![
            ("visit_occurrence_id", V::I(1)),
            ("person_id", V::I(id)),
            ("visit_concept_id", V::I(9201)),
            ("visit_start_date", V::D(2020, 8, 3)),
            ("visit_end_date", V::D(2020, 8, 3)),
        ]);
    }
    let input = dataset(&[(Table::Person, person), (Table::VisitOccurrence, visit)]);
    let (processed, _) = treated(&shipped("anonymized"), &input);
    let seen: BTreeMap<String, String> = rows(&processed.tables()["visit_occurrence"])
        .into_iter()
        .map(|r| (r["person_id"].clone(), r["visit_start_date"].clone()))
        .collect();
    let (mut months, mut compared) = (BTreeSet::new(), 0);
    for row in rows(&processed.tables()["person"]) {
        let Some(month) = row.get("month_of_birth") else { continue };
        let born = format!("{:0>4}-{month:0>2}", row["year_of_birth"]);
        assert_eq!(seen[&row["person_id"]][..7], born, "the first visit stays in the month of birth");
        months.insert(born);
        compared += 1;
    }
    assert!(compared > 200 && months.len() >= 10, "{compared} {months:?}");
}

fn two_rows(id: i64, crossed: bool) -> Vec<Row> {
    let cells = if crossed { [("LN:A", "X1"), ("LN:B", "Y1")] } else { [("LN:A", "Y1"), ("LN:B", "X1")] };
    cells
        .into_iter()
        .zip(1..)
        .map(|((code, qualifier), n)| {
            vec![
                ("measurement_id", V::I(n)),
                ("person_id", V::I(id)),
                ("measurement_date", V::D(2021, 1, 1)),
                ("measurement_source_value", s(code)),
                ("unit_source_value", s(qualifier)),
            ]
        })
        .collect()
}

// control: PRC-02
#[test]
fn values_of_one_row_are_counted_together_so_that_crossed_rows_are_not_alike() {
    let (before, after) = include_str!("../../../../profiles/anonymized.toml").split_once("[tables.measurement]").expect("there");
    let after = after.replacen("unit_source_value = \"unit\"", "unit_source_value = { code = {} }", 1);
    let text = format!("{before}[tables.measurement]{after}").replace(
        "quasi_identifiers = [",
        "quasi_identifiers = [\"measurement.measurement_source_value\", \"measurement.unit_source_value\", ",
    );
    let mut profile = Profile::parse(&text).map_err(|e| e.to_string()).expect("a profile");
    profile.privacy.as_mut().expect("anonymized").shift_days = Some(1);
    let people = |crossed: std::ops::RangeInclusive<i64>| {
        let measurement = (1..=40).flat_map(|id| two_rows(id, crossed.contains(&id))).collect();
        dataset(&[(Table::Person, (1..=40).map(someone).collect()), (Table::Measurement, measurement)])
    };
    // Three people have A with X and B with Y, all others A with Y and B with X: by column they are equal.
    let (processed, report) = treated(&profile, &people(1..=3));
    assert_eq!((report.persons_after, report.privacy.expect("anonymized").suppressed), (37, 3));
    assert_eq!(recount(&profile, processed.tables()).smallest_class, Some(37));
    // And the recount sees them, were they left in.
    let (all, _) = treated(&profile, &people(1..=20));
    let batch = &all.tables()["measurement"];
    let ids: Vec<i64> = batch["person_id"].as_primitive::<arrow::datatypes::Int64Type>().values().to_vec();
    let code = batch["measurement_source_value"].as_string::<i32>();
    let crossed = |row: usize| ids[row] <= 3;
    let qualifier: StringArray =
        (0..batch.num_rows()).map(|row| Some(if (code.value(row) == "LN:A") == crossed(row) { "X1" } else { "Y1" })).collect();
    let leak = with_column(all.tables(), "measurement", "unit_source_value", Arc::new(qualifier));
    assert_eq!(recount(&profile, &leak).smallest_class, Some(3));
}

// control: PRC-03
#[test]
fn a_unit_leaves_neither_without_its_item_nor_where_few_persons_have_it() {
    let mut measurement = Vec::new();
    for id in 1..=40_i64 {
        let mut add = |n: i64, code: &str, unit: &str| {
            let mut row = measured(id, n, code);
            row.extend([("unit_source_value", s(unit)), ("value_as_number", V::F(5.0)), ("value_source_value", s("5"))]);
            measurement.push(row);
        };
        add(1, "COMMON", if id <= 4 { "fL" } else { "mg/dL" });
        if id <= 3 {
            add(2, "SELDOM", "m[IU]/L");
        }
    }
    let input = dataset(&[(Table::Person, (1..=40).map(someone).collect()), (Table::Measurement, measurement)]);
    let (processed, _) = treated(&anonymized(), &input);
    let all = rows(&processed.tables()["measurement"]);
    let units = |code: &str| -> Vec<Option<String>> {
        all.iter().filter(|r| r["measurement_source_value"] == code).map(|r| r.get("unit_source_value").cloned()).collect()
    };
    assert_eq!(units(OTHER), [None, None, None], "the unit would name the test");
    let common = units("COMMON");
    assert_eq!((common.iter().flatten().count(), common.iter().flatten().filter(|u| *u == "mg/dL").count()), (36, 36));
    let without = all.iter().filter(|r| r["measurement_source_value"] == "COMMON" && !r.contains_key("value_as_number")).count();
    assert_eq!(without, 4, "nor does a value leave without its unit");
}

#[test]
fn numbers_and_concepts_of_hidden_items_are_empty() {
    let codes = StringArray::from(vec![OTHER, "A"]);
    let concept = Int32Array::from(vec![Some(9191), Some(9191)]);
    let number = Float64Array::from(vec![Some(1.0), Some(1.0)]);
    let columns = Columns {
        codes: &codes,
        fates: &[Fate::Other, Fate::Kept],
        units: None,
        unit_lost: Some(&[false, true]),
        number: Some(&number),
        operator: None,
        text: None,
        concept: Some(&concept),
    };
    let out = results::treat(&columns, &[0, 1], &[], 1, 1);
    assert_eq!(out.concept.as_primitive::<Int32Type>().null_count(), 2);
    assert_eq!(out.number.as_primitive::<Float64Type>().null_count(), 2);
}

// control: PDB-01
#[test]
fn a_true_month_of_death_leaves_with_enough_others_or_not_at_all_and_lone_stays_are_counted() {
    let (mut person, mut death, mut visit) = (vec![], vec![], vec![]);
    for id in 1..=200_i64 {
        person.push(vec![
            ("person_id", V::I(id)),
            ("gender_concept_id", V::I(8507)),
            ("year_of_birth", V::I(1950)),
            ("month_of_birth", V::I(8)),
        ]);
        let died = match id {
            1..=10 => Some(V::D(2019, 6, 9)),
            11..=14 => Some(V::D(2020, 2, 1 + id as u32)),
            15..=26 => Some(V::D(2021, 3, 9)),
            27..=29 => Some(V::D(2021, 5, 9)),
            30..=41 => Some(V::D(2022, 3, 9)),
            42..=53 => Some(V::D(2022, 5, 9)),
            _ => None,
        };
        death.extend(died.map(|date| vec![("person_id", V::I(id)), ("death_date", date)]));
        // One stay alone in its month, and an outpatient visit that is.
        let (concept, month) = match id {
            60 => (9201, 1),
            61 => (9202, 2),
            _ => (if id % 2 == 0 { 9201 } else { 9202 }, 3),
        };
        visit.push(vec![
            ("visit_occurrence_id", V::I(1)),
            ("person_id", V::I(id)),
            ("visit_concept_id", V::I(concept)),
            ("visit_start_date", V::D(2021, month, 3)),
            ("visit_end_date", V::D(2021, month, 3)),
        ]);
    }
    let input = dataset(&[(Table::Person, person), (Table::VisitOccurrence, visit), (Table::Death, death)]);
    let profile = shipped("linkable_anonymized");
    let (processed, report) = treated(&profile, &input);
    let mut dates: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows(&processed.tables()["death"]) {
        *dates.entry(row["death_date"].clone()).or_default() += 1;
    }
    let wanted = [("2019-06-01", 10), ("2021-01-01", 15), ("2022-03-01", 12), ("2022-05-01", 12)];
    assert_eq!(
        dates,
        wanted.map(|(d, n)| (d.to_owned(), n)).into(),
        "too few of a month go to the year, too few of a year nowhere"
    );
    let told = report.months.expect("linkable");
    assert_eq!((told.deaths_by_year, told.deaths_left_out, told.stays_alone), (15, 4, 1));
    assert_eq!(recount(&profile, processed.tables()).few_deaths, 0);
    let deaths = report.tables.iter().find(|t| t.name == "death").expect("the table");
    assert_eq!((deaths.rows_before, deaths.rows_after), (53, 49));
    let page = anonymity::report_html(&report, messages::Lang::En);
    assert!(page.contains("Of 15 deaths") && page.contains("4 deaths are not told") && page.contains("1 people have a stay"));
    let dictionary = anonymity::dictionary::dictionary(&profile, processed.tables(), messages::Lang::En);
    assert!(dictionary.contains("the first of January where fewer than 10 people died"));
    // The recount finds it where it is not so.
    let mut spoilt = processed.tables().clone();
    spoilt.insert("death".to_owned(), processed.tables()["death"].slice(0, 5));
    assert!(recount(&profile, &spoilt).few_deaths > 0);
    // Moved dates are nobody's true months.
    let (processed, report) = treated(&anonymized(), &input);
    assert_eq!((processed.tables()["death"].num_rows(), report.months), (53, None));
}

// control: PRC-01
#[test]
fn a_column_in_which_numbers_say_who_somebody_is_stops_the_processing() {
    let text = include_str!("../../../../profiles/pseudonymized.toml");
    let mut profile = Profile::parse(text).map_err(|e| e.to_string()).expect("a profile");
    // A column that lets codes pass, whatever they are.
    profile
        .tables
        .get_mut("drug_exposure")
        .expect("there")
        .columns
        .insert("stop_reason".to_owned(), Treatment::Code { rollup: vec![], rare: false, local: false, systems: vec![] });
    let input = |reason: &str| {
        let drug = |id: i64| {
            vec![
                ("drug_exposure_id", V::I(id)),
                ("person_id", V::I(id)),
                ("drug_exposure_start_date", V::D(2021, 1, 1)),
                ("drug_exposure_end_date", V::D(2021, 1, 1)),
                ("stop_reason", s(reason)),
            ]
        };
        dataset(&[(Table::Person, (1..=3).map(someone).collect()), (Table::DrugExposure, (1..=3).map(drug).collect())])
    };
    let rng = || ChaCha20Rng::seed_from_u64(1);
    assert!(process(&profile, &input("1"), PersonIds::New, &mut rng()).is_ok());
    let refused = process(&profile, &input("123456789018"), PersonIds::New, &mut rng()).err().expect("stopped");
    assert_eq!(refused.code(), "anonymity-identifying");
    assert!(!refused.to_string().contains("123456789018"));
}

// control: PRC-03
#[test]
fn an_end_that_few_reach_does_not_leave_whether_or_not_the_other_end_needs_a_bound() {
    let drugs = |days: &dyn Fn(i64) -> i64| {
        let drug = |id: i64| -> Row {
            vec![
                ("drug_exposure_id", V::I(1)),
                ("person_id", V::I(id)),
                ("drug_exposure_start_date", V::D(2021, 1, 1)),
                ("drug_exposure_end_date", V::D(2021, 1, 1)),
                ("drug_source_value", s("2119004F1020")),
                ("days_supply", V::I(days(id))),
            ]
        };
        let input =
            dataset(&[(Table::Person, (1..=40).map(someone).collect()), (Table::DrugExposure, (1..=40).map(drug).collect())]);
        let shown = rows(&treated(&anonymized(), &input).0.tables()["drug_exposure"]);
        shown.iter().map(|row| row["days_supply"].clone()).collect::<BTreeSet<_>>()
    };
    let of = |days: &[&str]| days.iter().map(|d| (*d).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(drugs(&|id| if id <= 3 { 1 } else { 14 }), of(&["14"]), "few at the lower end alone");
    assert_eq!(drugs(&|id| if id <= 3 { 90 } else { 14 }), of(&["14"]), "few at the upper end alone");
    assert_eq!(drugs(&|id| if id % 2 == 0 { 7 } else { 14 }), of(&["7", "14"]));
    assert_eq!(drugs(&|id| [7, 14, 14, 1, 90][if id < 3 { 2 + id as usize } else { (id % 2) as usize }]), of(&["7", "14"]));
}
