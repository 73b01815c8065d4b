//! Whole data sets, read again by the naive recount, and sabotaged.

use std::collections::BTreeMap;
use std::sync::Arc;

use anonymity::recount::recount;
use anonymity::{Dataset, PersonIds, process, report_html};
use arrow::array::{Int32Array, RecordBatch};
use messages::Lang;
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::build::{Row, V, dataset, rows, s};
use super::ministry::{people, shipped, treat};

/// People of all ages: many of some years, few of others.
fn population(sizes: &[u8]) -> Dataset<anonymity::Identified> {
    let (mut person, mut condition) = (vec![], vec![]);
    let mut id = 0;
    for (year, size) in sizes.iter().enumerate() {
        for n in 0..*size {
            id += 1;
            let row: Row = vec![
                ("person_id", V::I(id)),
                ("gender_concept_id", V::I(if n % 2 == 0 { 8507 } else { 8532 })),
                ("year_of_birth", V::I(1920 + year as i64)),
                ("month_of_birth", V::I(1 + i64::from(n % 12))),
            ];
            person.push(row);
            condition.push(vec![
                ("condition_occurrence_id", V::I(1)),
                ("person_id", V::I(id)),
                ("condition_start_date", V::D(2021, 1, 1)),
                ("condition_source_value", V::S(format!("MDCDX2:2000{:04}", i64::from(n) * 7 % 90))),
            ]);
        }
    }
    dataset(&[(Table::Person, person), (Table::ConditionOccurrence, condition)])
}

// control: PRC-02
#[test]
fn whatever_the_ages_every_class_that_leaves_has_k_persons_and_every_code_enough() {
    let profile = shipped("anonymized");
    let mut some_left = false;
    let mut judge = |sizes: &[u8], seed: u64| {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        match process(&profile, &population(sizes), PersonIds::New, &mut rng) {
            Ok((processed, report)) => {
                let found = recount(&profile, processed.tables());
                let privacy = report.privacy.expect("anonymized");
                assert_eq!(found.smallest_class, Some(privacy.after.smallest as usize));
                assert!(privacy.after.smallest >= 10);
                assert_eq!(found.persons as u64, report.persons_after);
                assert_eq!(report.persons_after + privacy.suppressed, report.persons_before);
                assert!(found.rare_codes.is_empty() && found.times_of_day.is_empty() && found.local_codes.is_empty());
                some_left |= privacy.steps.iter().any(|s| s.persons > 0) && privacy.suppressed > 0;
            }
            Err(e) => assert!(["anonymity-too-much-suppressed", "anonymity-nobody-left"].contains(&e.code()), "{e}"),
        }
    };
    let mut seed = ChaCha20Rng::seed_from_u64(9);
    for round in 0..12 {
        use rand_chacha::rand_core::Rng as _;
        let sizes: Vec<u8> = (0..40).map(|year| (seed.next_u32() % (2 + year * 2)) as u8).collect();
        judge(&sizes, round);
    }
    judge(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 30, 40, 255], 99);
    assert!(some_left, "some of these need coarsening and leaving out");
}

#[test]
fn a_cohort_too_small_for_its_promise_is_refused_with_numbers() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let refused =
        process(&shipped("anonymized"), &population(&[3]), PersonIds::New, &mut rng).map(|_| ()).expect_err("three people");
    assert_eq!(refused.code(), "anonymity-too-much-suppressed");
    let text = refused.message().text(Lang::Ja);
    assert!(text.contains("3 人のうち 3 人"), "{text}");
}

#[test]
fn a_column_without_a_treatment_stops_the_processing() {
    let mut profile = shipped("anonymized");
    let table = profile.tables.get_mut("person").expect("person");
    table.columns.remove("gender_source_value");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let refused = process(&profile, &people(), PersonIds::New, &mut rng).map(|_| ()).map_err(|e| e.code());
    assert_eq!(refused, Err("anonymity-column-untreated"));
}

#[test]
fn tables_that_the_profile_does_not_name_are_left_out_and_named() {
    let mut tables: BTreeMap<String, RecordBatch> = people().into_tables();
    tables.insert("note".into(), super::build::batch(Table::Note, &[vec![("person_id", V::I(7)), ("note_text", s("東雲さん"))]]));
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (processed, report) = process(&shipped("pseudonymized"), &Dataset::new(tables), PersonIds::New, &mut rng)
        .map_err(|e| e.code())
        .expect("treated");
    assert!(!processed.tables().contains_key("note"));
    assert_eq!(report.tables_left_out, ["note"]);
}

#[test]
fn what_leaves_has_exactly_the_columns_of_the_model() {
    for kind in ["anonymized", "pseudonymized"] {
        for (name, batch) in treat(kind, 1).0.tables() {
            assert_eq!(batch.schema(), Table::by_name(name).expect("a table").omop_schema(), "{name}");
        }
    }
}

// control: PRC-02
#[test]
fn the_recount_finds_a_sabotaged_data_set() {
    let profile = shipped("anonymized");
    let (processed, _) = treat("anonymized", 1);
    let clean = recount(&profile, processed.tables());
    assert!(clean.smallest_class.is_some_and(|s| s >= 10) && clean.rare_codes.is_empty() && clean.times_of_day.is_empty());
    let replaced = |table: &str, column: &str, array| {
        let mut tables = processed.tables().clone();
        let batch = &tables[table];
        let index = batch.schema().index_of(column).expect("a column");
        let mut columns = batch.columns().to_vec();
        columns[index] = array;
        let changed = RecordBatch::try_new(batch.schema(), columns).expect("same type");
        tables.insert(table.to_owned(), changed);
        recount(&profile, &tables)
    };
    let n = processed.tables()["person"].num_rows();
    let years = Arc::new((0..n).map(|i| if i == 0 { 1999 } else { 2003 }).collect::<Int32Array>());
    assert_eq!(replaced("person", "year_of_birth", years).smallest_class, Some(1), "one person of another year");
    let n = processed.tables()["condition_occurrence"].num_rows();
    let code = |c: &'static str| {
        Arc::new((0..n).map(|i| Some(if i == 0 { c } else { "MDCDX2:20054174" })).collect::<arrow::array::StringArray>())
    };
    let rare = replaced("condition_occurrence", "condition_source_value", code("MDCDX2:1")).rare_codes;
    assert_eq!(rare.get("condition_occurrence.condition_source_value"), Some(&1));
    assert_eq!(replaced("condition_occurrence", "condition_source_value", code("99ZL01:1")).local_codes.len(), 1);
    let n = processed.tables()["measurement"].num_rows();
    let result = Arc::new(arrow::array::StringArray::from(vec!["99ZL01:-"; n]));
    assert_eq!(replaced("measurement", "value_source_value", result).local_codes.len(), 1, "in whatever column");
    let n = processed.tables()["visit_occurrence"].num_rows();
    let times = Arc::new(arrow::array::TimestampMicrosecondArray::from(vec![1; n]));
    assert_eq!(replaced("visit_occurrence", "visit_start_datetime", times).times_of_day.len(), 1);
}

#[test]
fn the_report_is_a_whole_page_in_both_languages_and_names_no_rare_value() {
    for kind in ["anonymized", "pseudonymized"] {
        let (_, report) = treat(kind, 1);
        for (lang, word) in [(Lang::En, "This data set describes"), (Lang::Ja, "人が含まれます")] {
            let page = report_html(&report, lang);
            assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"), "rendered to its end");
            assert!(page.contains(word));
            assert_eq!(page.contains("<svg"), kind == "anonymized");
            for outside in ["http://", "https://", "<script", "<link", "@import", "url("] {
                assert!(!page.contains(outside), "{outside}: the page needs nothing from outside");
            }
            for secret in ["20099999", "211", "H00000007"] {
                assert!(!page.contains(secret), "{secret}");
            }
            assert!(!page.contains("anonymity-"), "every text is there");
        }
        let again: anonymity::Report = serde_json::from_str(&report.to_json()).expect("JSON");
        assert_eq!(again, report);
    }
}

// control: PDB-01
#[test]
fn report_and_dictionary_say_of_dates_and_ids_what_was_done_to_them() {
    let told = |profile: &anonymity::Profile, lang| {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let (processed, report) =
            process(profile, &people(), PersonIds::New, &mut rng).map_err(|e| e.to_string()).expect("treated");
        (report_html(&report, lang), anonymity::dictionary::dictionary(profile, processed.tables(), lang))
    };
    let moved = [(Lang::En, "were moved together"), (Lang::Ja, "まとめて同じだけ動かして")];
    let by_month = include_str!("../../../../profiles/anonymized.toml").replace("\"shift\"", "\"month\"");
    let by_month =
        anonymity::Profile::parse(&by_month.replace("shift_days = 182\n", "")).map_err(|e| e.to_string()).expect("by month");
    for (lang, sentence) in moved {
        let (page, _) = told(&shipped("anonymized"), lang);
        assert!(page.contains(sentence));
        for profile in [&shipped("linkable_anonymized"), &by_month] {
            let (page, _) = told(profile, lang);
            assert!(!page.contains(sentence), "{}", profile.name);
            assert!(page.contains(if lang == Lang::En { "true to the month" } else { "月までが本当の日付" }), "{}", profile.name);
            assert!(
                !page.contains(if lang == Lang::En { "length of the shifts" } else { "日付を動かした日数" }),
                "{}",
                profile.name
            );
            assert!(!page.contains("anonymity-"), "every text is there");
        }
    }
    for (lang, random, dense) in [(Lang::En, "fifteen digits", "1 to n"), (Lang::Ja, "無作為な 15 桁", "1 から n")] {
        let (page, dictionary) = told(&shipped("linkable_anonymized"), lang);
        assert!(page.contains(random) && !page.contains(dense));
        assert!(dictionary.contains(random) && !dictionary.contains(dense));
        let (page, dictionary) = told(&shipped("anonymized"), lang);
        assert!(page.contains(dense) && !page.contains(random) && dictionary.contains(dense) && !dictionary.contains(random));
    }
}

#[test]
fn the_dictionary_names_every_column_that_leaves() {
    let (processed, _) = treat("anonymized", 1);
    let text = anonymity::dictionary::dictionary(&shipped("anonymized"), processed.tables(), Lang::En);
    let columns: usize = processed.tables().values().map(RecordBatch::num_columns).sum();
    assert_eq!(text.lines().count(), columns + 1);
    assert!(text.contains("measurement,value_as_number,Float64,true,value,"));
}

#[test]
fn results_without_a_number_a_unit_or_enough_persons_are_not_shown() {
    let (mut person, mut measurement) = (vec![], vec![]);
    for id in 1..=40_i64 {
        person.push(vec![
            ("person_id", V::I(id)),
            ("gender_concept_id", V::I(8507)),
            ("year_of_birth", V::I(1980)),
            ("month_of_birth", V::I(1)),
        ]);
        let mut add = |n: i64, code: &str, unit: Option<&str>, number: Option<f64>, text: &str| {
            let mut row: Row = vec![
                ("measurement_id", V::I(n)),
                ("person_id", V::I(id)),
                ("measurement_date", V::D(2021, 1, 1)),
                ("measurement_source_value", s(code)),
                ("value_source_value", s(text)),
            ];
            row.extend(unit.map(|u| ("unit_source_value", s(u))));
            row.extend(number.map(|v| ("value_as_number", V::F(v))));
            measurement.push(row);
        };
        add(
            1,
            "TEXT1",
            None,
            None,
            if id == 1 {
                "山田太郎の検体"
            } else if id == 2 {
                "3+"
            } else {
                "(－)"
            },
        );
        add(2, "UNIT1", Some(if id < 5 { "院内単位" } else { "mg/dl" }), Some(5.0), "5");
        add(3, "99LOC:1", Some("mg/dL"), Some(7.0), "7");
        if id < 6 {
            add(4, "FEW01", Some("mg/dL"), Some(9.0), "9");
        }
        add(5, "NOUNIT", None, Some(1.5), "１．５");
    }
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let input = dataset(&[(Table::Person, person), (Table::Measurement, measurement)]);
    let (processed, report) =
        process(&shipped("anonymized"), &input, PersonIds::New, &mut rng).map_err(|e| e.to_string()).expect("treated");
    let all = rows(&processed.tables()["measurement"]);
    let count = |code: &str, column: &str, value: &str| {
        all.iter().filter(|r| r["measurement_source_value"] == code && r.get(column).map_or("", String::as_str) == value).count()
    };
    assert_eq!((count("TEXT1", "value_source_value", "-"), count("TEXT1", "value_source_value", "その他")), (38, 1));
    assert_eq!(count("TEXT1", "value_source_value", ""), 1, "a sentence is no result");
    assert_eq!((count("UNIT1", "value_as_number", "5.0"), count("UNIT1", "value_as_number", "")), (36, 4));
    assert_eq!(count("その他", "value_as_number", ""), 45, "local and rare items show no value");
    assert_eq!(count("NOUNIT", "value_source_value", "1.5"), 40, "a missing unit stays missing, the number is written one way");
    let results = report.tables.iter().find(|t| t.name == "measurement").and_then(|t| t.results).expect("results");
    assert_eq!((results.text_emptied, results.text_rare, results.emptied), (1, 1, 49));
}
