use messages::{Lang, Message};
use omop::{DrugExposureRow, NoteRow};
use quality::{Cause, CheckName, Head, Origin, Rules, Status, TEXTS, findings, report_html, results_csv};

use crate::house::{House, counts, day, head, of};

fn rules() -> Rules {
    Rules::shipped().expect("rules")
}

/// Twelve months of a hospital in which nothing is wrong: two hundred people, each with a visit a month, a glucose and an act.
fn sound() -> House {
    let mut house = House::default();
    for record in 0..200 {
        house.person(record, if record % 2 == 0 { 'F' } else { 'M' }, (1950 + record as i32 % 40, 5, 17));
        for month in 0..24 {
            let on = day(2024 + month / 12, (month % 12) as u32 + 1, (record % 28) as u32 + 1);
            let visit = house.visit(record, on, on);
            house.result(record, on, "3D010000002227101", Some(90.0 + (record % 20) as f64), Some("mg/dL"));
            house.procedure(record, on, "160019410", Some(visit));
            if month == 0 {
                house.condition(record, on, "ICD10:E11");
            }
        }
    }
    house
}

#[test]
fn of_sound_data_nobody_is_told_anything_is_to_be_done() {
    let outcome = sound().check(&rules(), Origin::Files);
    let failed: Vec<String> = findings(&outcome).iter().flat_map(|f| f.checks.clone()).collect();
    assert_eq!(failed, Vec::<String>::new());
    assert!(outcome.asked() > 100, "{}", outcome.asked());
    assert_eq!((outcome.records, outcome.persons, outcome.rows()), (200, 200, 200 + 200 * 24 * 3 + 200));
}

/// Something wrong, the check that finds it, and how much it finds of what it tests.
type Sabotage = (fn(&mut House), &'static str, u64);

/// Every line is a house with exactly one thing wrong, and the check that has to fail for it.
const SABOTAGED: &[Sabotage] = &[
    (|h| (0..40).for_each(|r| h.visit_on(r, day(2026, 12, 24))), "visit_occurrence.visit_start_date.plausibleValueHigh", 40),
    (|h| (0..40).for_each(|r| h.visit_on(r, day(1979, 12, 31))), "visit_occurrence.visit_start_date.plausibleValueLow", 40),
    (
        |h| (0..60).for_each(|r| h.procedure(r, day(1945, 1, 1), "160019410", None)),
        "procedure_occurrence.procedure_date.plausibleAfterBirth",
        60,
    ),
    (
        |h| (0..40).for_each(|r| h.death(r, day(2024, 6, 1))),
        "visit_occurrence.visit_start_date.plausibleBeforeDeath",
        // Of each of the forty the visits of June 2024 to December 2025; four have that of June within a day of their death.
        40 * 19 - 4,
    ),
    (
        |h| {
            for r in 0..40 {
                h.visit(r, day(2025, 3, 9), day(2025, 3, 8));
            }
        },
        "visit_occurrence.visit_end_date.plausibleStartBeforeEnd",
        40,
    ),
    (
        |h| (0..40).for_each(|r| h.procedure(r, day(2025, 3, 9), "160019410", Some(1))),
        "procedure_occurrence.procedure_date.withinVisitDates",
        0,
    ),
    (
        |h| (0..40).for_each(|r| h.procedure(1000 + r, day(2025, 3, 9), "160019410", None)),
        "procedure_occurrence.record_id.isForeignKey",
        40,
    ),
    (
        |h| (1..40).step_by(2).for_each(|r| h.condition(r, day(2025, 3, 9), "ICD10:O80")),
        "condition_occurrence.condition_source_value.plausibleGenderUseDescendants.O80.F",
        20,
    ),
    (
        |h| (0..40).for_each(|r| h.condition(r, day(2025, 3, 9), "ICD10:P07")),
        "condition_occurrence.condition_source_value.plausibleAge.P07.0",
        40,
    ),
    (
        |h| (0..40).for_each(|r| h.condition(r, day(2025, 3, 9), "ICD10:11")),
        "condition_occurrence.condition_source_value.codeForm.DISEASE",
        40,
    ),
    (
        |h| (0..40).for_each(|r| h.result(r, day(2025, 3, 9), "3D010000002227101", Some(4_000.0), Some("mg/dL"))),
        "measurement.value_as_number.plausibleValueHigh.3D010/017,018,019,022,023.15",
        40,
    ),
    (
        |h| (0..40).for_each(|r| h.result(r, day(2025, 3, 9), "3D010000002227101", Some(1.0), Some("mg/dL"))),
        "measurement.value_as_number.plausibleValueLow.3D010/017,018,019,022,023.15",
        40,
    ),
    (
        |h| (0..90).for_each(|r| h.result(r, day(2025, 3, 9), "3D010000002227101", Some(5.0), Some("furlong"))),
        "measurement.unit_source_value.plausibleUnit.3D010/017,018,019,022,023",
        90,
    ),
    (
        |h| (0..2_000).for_each(|r| h.result(r % 200, day(2025, 3, 9), "3D010000002227101", None, None)),
        "measurement.value_as_number.codeValueCompleteness.3D010/017,018,019,022,023",
        2_000,
    ),
    (
        |h| {
            (0..2_000).for_each(|r| {
                h.result(r % 200, day(2025, 3, 9), "3D010000002227101", Some(90.0 + f64::from(r as i32) / 100.0), None)
            })
        },
        "measurement.unit_source_value.codeUnitCompleteness.3D010/017,018,019,022,023",
        2_000,
    ),
    (
        |h| (0..200).for_each(|r| (0..3).for_each(|_| h.procedure(r, day(2025, 3, 9), "160019410", None))),
        "procedure_occurrence.procedure_date.duplicateRows",
        400,
    ),
    (
        |h| (0..60).for_each(|r| h.procedure(r, day(2025, 3, 9), &"9".repeat(51), None)),
        "procedure_occurrence.procedure_source_value.cdmDatatype",
        60,
    ),
    (
        |h| (0..800).for_each(|r| h.procedure(r % 200, day(2025, 3, 1 + r as u32 % 28), "L:OWN", None)),
        "procedure_occurrence.procedure_source_value.sourceValueCompleteness",
        1,
    ),
    (
        |h| (0..10_001).for_each(|r| h.procedure(7, day(2025, 3, 9), &format!("16{r:07}"), None)),
        "procedure_occurrence.procedure_date.rowsPerPerson",
        0,
    ),
    (
        |h| {
            for record in 0..60 {
                let row = NoteRow { note_date: day(2025, 3, 9), note_text: "", ..Default::default() };
                h.columns.note.push(&head(record), &row);
            }
        },
        "note.note_text.measureValueCompleteness",
        60,
    ),
    // Told again: of the even ones the sex is the same, of all the day of birth is another.
    (|h| (0..20).for_each(|r| h.person(r, 'F', (1950 + r as i32 % 40, 5, 17))), "person.gender_concept_id.personConflict", 10),
    (|h| (0..20).for_each(|r| h.person(r, 'F', (1950 + r as i32 % 40, 5, 18))), "person.year_of_birth.personConflict", 20),
    (
        |h| {
            for record in 0..60 {
                let start = day(2025, 3, 9);
                let row = DrugExposureRow {
                    drug_exposure_start_date: start,
                    drug_exposure_end_date: start,
                    drug_exposure_start_datetime: Some(i64::from(start + 1) * 86_400_000_000),
                    drug_source_value: Some("620007329"),
                    quantity: Some(-1.0),
                    days_supply: Some(900),
                    ..Default::default()
                };
                h.columns.drug_exposure.push(&head(record), &row);
            }
        },
        "drug_exposure.drug_exposure_start_datetime.plausibleDatetime",
        60,
    ),
];

#[test]
fn every_thing_that_is_made_wrong_is_found_and_counted() {
    let rules = rules();
    for (spoil, id, expected) in SABOTAGED {
        let mut house = sound();
        spoil(&mut house);
        let outcome = house.check(&rules, Origin::Lake);
        let before = sound().check(&rules, Origin::Lake);
        let (tested, violated, failed) = counts(&outcome, id);
        assert!(tested > 0, "{id} was asked");
        assert_eq!(counts(&before, id).1, 0, "{id} finds nothing in sound data");
        if *expected > 0 {
            assert_eq!(violated, *expected, "{id}");
        }
        assert!(failed || of(&outcome, id).percent <= of(&outcome, id).threshold, "{id}");
        assert!(violated > 0, "{id} finds what was made wrong");
    }
}

#[test]
fn a_transfer_that_stops_is_told_once_with_its_months() {
    let mut house = House::default();
    for record in 0..200 {
        house.person(record, 'F', (1950, 5, 17));
        for month in 0..24 {
            let on = day(2024 + month / 12, (month % 12) as u32 + 1, (record % 28) as u32 + 1);
            house.procedure(record, on, "160019410", None);
            if !(14..18).contains(&month) {
                house.result(record, on, "3D010000002227101", Some(100.0), Some("mg/dL"));
            }
        }
    }
    let outcome = house.check(&rules(), Origin::Files);
    let found = findings(&outcome);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].cause, found[0].table.map(omop::Table::name)), (Cause::Stopped, Some("measurement")));
    assert_eq!((found[0].since.as_deref(), found[0].until.as_deref()), (Some("2025-03"), Some("2025-06")));
}

#[test]
fn a_unit_that_changes_is_found_whether_it_is_said_or_not() {
    for (unit, factor, checks) in [
        (Some("mmol/L"), 1.0 / 18.02, vec!["unitShift"]),
        (Some("mg/dL"), 1.0 / 18.02, vec!["valueShift"]),
        (None, 1.0 / 18.02, vec!["unitShift", "valueShift"]),
    ] {
        let mut house = House::default();
        for record in 0..200 {
            house.person(record, 'F', (1950, 5, 17));
            for month in 0..24 {
                let on = day(2024 + month / 12, (month % 12) as u32 + 1, (record % 28) as u32 + 1);
                let value = 90.0 + (record % 20) as f64;
                let (value, unit) = if month >= 15 { (value * factor, unit) } else { (value, Some("mg/dL")) };
                house.result(record, on, "3D010000002227101", Some(value), unit);
            }
        }
        let outcome = house.check(&rules(), Origin::Files);
        for name in ["unitShift", "valueShift"] {
            let field = if name == "unitShift" { "unit_source_value" } else { "value_as_number" };
            let result = of(&outcome, &format!("measurement.{field}.{name}.3D010/017,018,019,022,023"));
            let expected = if checks.contains(&name) { Status::Fail } else { Status::Pass };
            assert_eq!(result.status, expected, "{unit:?} {name} {}", result.told);
            if expected == Status::Fail {
                assert_eq!(result.since.as_deref(), Some("2025-04"));
            }
        }
        let found = findings(&outcome);
        assert!(found.iter().any(|f| f.cause == Cause::Unit), "{unit:?}");
    }
}

#[test]
fn a_row_that_names_no_visit_of_its_record_is_found_in_the_lake_and_not_asked_of_files() {
    let mut house = sound();
    let foreign = house.visit(0, day(2025, 3, 1), day(2025, 3, 1));
    (1..40).for_each(|r| house.procedure(r, day(2025, 3, 1), "160019410", Some(foreign)));
    let outcome = house.check(&rules(), Origin::Lake);
    assert_eq!(counts(&outcome, "procedure_occurrence.visit_occurrence_id.isForeignKey").1, 39);
    let outcome = sound().check(&rules(), Origin::Files);
    assert_eq!(of(&outcome, "procedure_occurrence.procedure_date.withinVisitDates").status, Status::NotApplicable);
}

#[test]
fn words_in_place_of_a_code_stand_in_no_result() {
    let mut house = sound();
    (0..40).for_each(|r| house.condition(r, day(2025, 3, 9), "text:山田太郎の風邪"));
    (0..40).for_each(|r| house.condition(r, day(2025, 3, 9), "99H:123"));
    let outcome = house.check(&rules(), Origin::Lake);
    let head = Head {
        of: "H1".to_owned(),
        day: "2026-11-28".to_owned(),
        at_least: 1,
        unread: Vec::new(),
        counts: Vec::new(),
        before: None,
    };
    for lang in [Lang::Ja, Lang::En] {
        let page = report_html(&outcome, &head, lang).expect("a page");
        assert!(!page.contains("山田") && page.contains("99H:123"), "{lang}");
    }
    let few = Head { at_least: 41, ..head };
    assert!(!report_html(&outcome, &few, Lang::En).expect("a page").contains("99H:123"), "few have it");
    assert!(!String::from_utf8(results_csv(&outcome).expect("results")).expect("text").contains("山田"));
}

#[test]
fn the_page_says_every_finding_in_both_languages() {
    let mut house = sound();
    for (spoil, ..) in SABOTAGED {
        spoil(&mut house);
    }
    let outcome = house.check(&rules(), Origin::Lake);
    let found = findings(&outcome);
    assert!(found.len() > 5, "{}", found.len());
    let counts = quality::counts("month,patients\n2025-03,400\n2025-04,200\n").expect("counts");
    let head = Head {
        of: "<b>病院</b>".to_owned(),
        day: "2026-11-28".to_owned(),
        at_least: 1,
        unread: vec![("壊れた行".to_owned(), 3)],
        counts,
        before: None,
    };
    for lang in [Lang::Ja, Lang::En] {
        let page = report_html(&outcome, &head, lang).expect("a page");
        for cause in found.iter().take(quality::MOST).map(|f| f.cause) {
            let code = Cause::ALL.iter().find(|(c, _)| *c == cause).expect("a text").1;
            let text = Message::new(code).with("table", "\u{1}").text(lang);
            let after = text.rsplit('\u{1}').next().expect("what follows the table").replace('\u{2069}', "");
            assert!(page.contains(&after.trim().replace('\'', "&#39;")), "{code} {lang}");
        }
        assert!(!page.contains("<b>病院") && page.contains("壊れた行"), "names are not markup");
        assert!(!page.contains("quality-"), "a text is missing");
    }
    for code in TEXTS {
        for lang in [Lang::Ja, Lang::En] {
            assert_ne!(Message::new(code).text(lang), *code, "{code} {lang}");
        }
    }
    let names: std::collections::BTreeSet<CheckName> =
        outcome.results.iter().filter(|r| r.status == Status::Fail).map(|r| r.name).collect();
    assert!(names.len() > 10, "{names:?}");
}

#[test]
fn a_hospitals_own_counts_are_read_or_refused_with_their_line() {
    assert_eq!(
        quality::counts("\u{feff}month,patients\n2025-01, 12\n\n2025-02,0\n").expect("counts"),
        [("2025-01".to_owned(), 12), ("2025-02".to_owned(), 0)]
    );
    let most = quality::counts("2025-03,18446744073709551615\n").expect("counts");
    let head =
        Head { of: "H1".to_owned(), day: "2026-11-28".to_owned(), at_least: 1, unread: Vec::new(), counts: most, before: None };
    assert!(report_html(&sound().check(&rules(), Origin::Lake), &head, Lang::En).is_ok());
    for (text, line) in [("2025-13,1\n", 1), ("2025-01,1\n2025-02,x\n", 2), ("2025-01\n", 1)] {
        assert_eq!(quality::counts(text).expect_err("refused").0, line, "{text}");
    }
}

#[test]
fn what_stands_twice_in_files_is_found_wherever_it_stands() {
    let mut house = sound();
    for record in 0..200 {
        house.procedure(record, day(2024, 1, (record % 28) as u32 + 1), "160019410", None);
    }
    let batches = house.batches();
    let rules = rules();
    let mut run = quality::Run::new(&rules, Origin::Files, crate::house::TODAY);
    batches.iter().for_each(|(table, batch)| run.learn(*table, batch));
    batches.iter().for_each(|(table, batch)| run.check(*table, batch));
    assert_eq!(counts(&run.finish(), "procedure_occurrence.procedure_date.duplicateRows").1, 200, "each patient's at the end");
}

#[test]
fn one_old_row_or_one_late_one_is_no_transfer_that_stopped() {
    for stray in [day(1985, 6, 1), day(2026, 11, 1)] {
        let mut house = sound();
        house.result(0, stray, "3D010000002227101", Some(95.0), Some("mg/dL"));
        house.condition(1, day(1995, 4, 1), "ICD10:I10");
        let outcome = house.check(&rules(), Origin::Files);
        assert!(!findings(&outcome).iter().any(|f| f.cause == Cause::Stopped), "{stray}");
    }
}

#[test]
fn a_column_that_is_filled_from_some_month_on_is_good_news() {
    for (from, fails) in [(true, false), (false, true)] {
        let mut house = House::default();
        for record in 0..200 {
            house.person(record, 'F', (1950, 5, 17));
            for month in 0..24 {
                let on = day(2024 + month / 12, (month % 12) as u32 + 1, (record % 28) as u32 + 1);
                let unit = ((month >= 12) == from).then_some("mg/dL");
                house.result(record, on, "3D010000002227101", Some(95.0), unit);
            }
        }
        let outcome = house.check(&rules(), Origin::Files);
        let found = of(&outcome, "measurement.unit_source_value.valueCompletenessShift");
        assert_eq!(found.status == Status::Fail, fails, "{}", found.told);
        assert_eq!(found.told, if fails { "100% → 0%" } else { "" }, "the share that is filled is told");
    }
}

#[test]
fn a_unit_by_another_name_is_no_change_and_two_that_take_turns_are_none_either() {
    let change = |code: &str, unit: &dyn Fn(i32, i64) -> &'static str| {
        let mut house = House::default();
        for record in 0..200 {
            house.person(record, 'F', (1950, 5, 17));
            for month in 0..24 {
                let on = day(2024 + month / 12, (month % 12) as u32 + 1, (record % 28) as u32 + 1);
                house.result(record, on, code, Some(4.2), Some(unit(month, record)));
            }
        }
        let outcome = house.check(&rules(), Origin::Files);
        let id = format!("measurement.unit_source_value.unitShift.{}/017,018,019,022,023", &code[..5]);
        of(&outcome, &id).violated
    };
    assert_eq!(change("3H015000002326101", &|month, _| if month < 12 { "mEq/L" } else { "mmol/L" }), 0);
    assert_eq!(
        change("3D010000002227101", &|month, record| if (record + i64::from(month)) % 2 == 0 { "mg/dL" } else { "mmol/L" }),
        0
    );
    assert_eq!(change("3D010000002227101", &|month, _| if month < 12 { "mg/dL" } else { "mmol/L" }), 1);
}

#[test]
fn words_where_a_unit_or_a_code_should_stand_are_on_no_page() {
    let mut house = House::default();
    for record in 0..200 {
        house.person(record, 'F', (1950, 5, 17));
        for month in 0..24 {
            let on = day(2024 + month / 12, (month % 12) as u32 + 1, (record % 28) as u32 + 1);
            let unit = if month < 12 { "mg/dL" } else { "高橋次郎様" };
            house.result(record, on, "3D010000002227101", Some(95.0), Some(unit));
            house.condition(record, on, "L:鈴木一郎");
        }
    }
    let outcome = house.check(&rules(), Origin::Files);
    assert!(findings(&outcome).iter().any(|f| f.cause == Cause::Unit));
    let head = Head {
        of: "H1".to_owned(),
        day: "2026-11-28".to_owned(),
        at_least: 1,
        unread: Vec::new(),
        counts: Vec::new(),
        before: None,
    };
    let page = report_html(&outcome, &head, Lang::Ja).expect("a page");
    let results = String::from_utf8(results_csv(&outcome).expect("results")).expect("text");
    for name in ["高橋", "鈴木"] {
        assert!(!page.contains(name) && !results.contains(name), "{name}");
    }
}

/// Two years of two hundred people with two tests a month: what a test's result is, by its number, the month and the patient.
fn two_tests(result: impl Fn(usize, i32, i64) -> Option<(f64, &'static str)>) -> House {
    let mut house = House::default();
    for record in 0..200 {
        house.person(record, 'F', (1950, 5, 17));
        for month in 0..24 {
            let on = day(2024 + month / 12, (month % 12) as u32 + 1, (record % 28) as u32 + 1);
            for (number, code) in ["3D010000002227101", "3C015000002327101"].into_iter().enumerate() {
                if let Some((value, unit)) = result(number, month, record) {
                    house.result(record, on, code, Some(value), Some(unit));
                }
            }
        }
    }
    house
}

#[test]
fn a_test_that_does_not_come_any_more_is_something_to_look_into_and_one_that_comes_in_season_is_not() {
    let mut stops = two_tests(|test, month, _| (test == 1 || month < 15).then_some(([95.0, 0.8][test], "mg/dL")));
    let outcome = stops.check(&rules(), Origin::Files);
    let found = findings(&outcome);
    let stopped = found.iter().find(|f| f.cause == Cause::TestStopped).expect("it is told");
    assert_eq!(
        (stopped.since.as_deref(), stopped.until.as_deref()),
        (Some("2025-04"), Some("2025-11")),
        "to the last whole month"
    );
    assert_eq!(stopped.subjects, ["3D010"]);
    let mut seasonal = two_tests(|test, month, _| (test == 1 || month % 12 < 4).then_some(([95.0, 0.8][test], "mg/dL")));
    let outcome = seasonal.check(&rules(), Origin::Files);
    assert!(findings(&outcome).iter().all(|f| f.cause != Cause::TestStopped));
}

#[test]
fn a_change_that_lasts_is_told_as_lasting() {
    let (unit, until) =
        ("measurement.unit_source_value.unitShift.3D010/017,018,019,022,023", |o: &quality::Outcome, id: &str| {
            let result = of(o, id);
            (result.since.clone().unwrap_or_default(), result.until.clone().unwrap_or_default())
        });
    let value = "measurement.value_as_number.valueShift.3D010/017,018,019,022,023";
    let glucose = |month: i32, from: i32, to: i32| if (from..to).contains(&month) { (5.3, "mmol/L") } else { (95.0, "mg/dL") };
    let mut lasting = two_tests(|test, month, _| Some(if test == 0 { glucose(month, 15, 24) } else { (0.8, "mg/dL") }));
    assert_eq!(until(&lasting.check(&rules(), Origin::Files), unit), ("2025-04".to_owned(), "2025-12".to_owned()));
    let mut over = two_tests(|test, month, _| Some(if test == 0 { glucose(month, 12, 17) } else { (0.8, "mg/dL") }));
    assert_eq!(until(&over.check(&rules(), Origin::Files), unit), ("2025-01".to_owned(), "2025-06".to_owned()));
    let mut silent = two_tests(|test, month, _| Some((if test == 0 { glucose(month, 15, 24).0 } else { 0.8 }, "mg/dL")));
    assert_eq!(until(&silent.check(&rules(), Origin::Files), value), ("2025-04".to_owned(), "2025-12".to_owned()));
    let mut zeros = two_tests(|test, month, _| Some((if test == 0 && month == 15 { 0.0 } else { 95.0 }, "mg/dL")));
    assert_eq!(until(&zeros.check(&rules(), Origin::Files), value), ("2025-04".to_owned(), "2025-04".to_owned()));
}

#[test]
fn data_of_which_too_much_is_wrong_are_not_to_be_used_and_a_few_rows_say_nothing() {
    let outcome_of = |people: i64, wrong: i64| {
        let mut house = House::default();
        for record in 0..people {
            house.person(record, 'F', (1950, 5, 17));
            let on = if record < wrong { day(1940, 1, 1) } else { day(2025, 3, 9) };
            house.procedure(record, on, "160019410", None);
        }
        house.check(&rules(), Origin::Files)
    };
    let id = "procedure_occurrence.procedure_date.plausibleAfterBirth";
    let unfit = outcome_of(200, 50);
    assert_eq!(unfit.unfit(), [id]);
    assert_eq!(of(&unfit, id).severity, quality::Severity::Fatal);
    let wrong = outcome_of(200, 30);
    assert_eq!((wrong.unfit(), of(&wrong, id).status), (Vec::<String>::new(), Status::Fail), "wrong, and still to be used");
    assert_eq!(outcome_of(90, 90).unfit(), Vec::<String>::new(), "too few to say so");
    let gate = rules().fatal();
    assert!(gate.checks().len() > 100 && gate.checks().len() < 400, "{}", gate.checks().len());
}

#[test]
fn what_is_new_and_what_was_mended_since_the_last_look_is_told() {
    let look = |wrong: bool, own: bool| {
        let mut house = sound();
        (0..60).filter(|_| wrong).for_each(|r| house.procedure(r, day(1945, 1, 1), "160019410", None));
        (0..800).filter(|_| own).for_each(|r| house.procedure(r % 200, day(2025, 3, 1 + r as u32 % 28), "L:OWN", None));
        house.check(&rules(), Origin::Files)
    };
    let before = quality::Kept::of(&look(true, false), "2026-10-28");
    let now = look(false, true);
    let (new, mended) = before.changes(&now);
    assert!(new.contains(&"procedure_occurrence.procedure_source_value.sourceValueCompleteness"), "{new:?}");
    assert!(mended.contains(&"procedure_occurrence.procedure_date.plausibleAfterBirth"), "{mended:?}");
    assert_eq!(before.changed(&quality::Kept::of(&now, "2026-11-28")), (new.len(), mended.len()));
    let text = serde_json::to_string(&before).expect("text");
    assert_eq!(serde_json::from_str::<quality::Kept>(&text).expect("the same"), before);
    let head = Head {
        of: "H1".to_owned(),
        day: "2026-11-28".to_owned(),
        at_least: 1,
        unread: Vec::new(),
        counts: Vec::new(),
        before: Some(before),
    };
    let page = report_html(&now, &head, Lang::En).expect("a page");
    assert!(page.contains("2026-10-28") && page.contains(">new<"), "the page says so");
}

#[test]
fn a_hospitals_own_counts_are_read_as_a_spreadsheet_saves_them() {
    let expected = vec![("2026-04".to_owned(), 1_234), ("2026-05".to_owned(), 987)];
    for text in [
        "month,patients\n2026-04,1234\n2026-05,987\n",
        "\u{feff}年月,患者数\r\n2026/4,\"1,234\"\r\n2026/5,987\r\n",
        "2026年4月,１２３４人\n2026年5月,987人\n",
        "年月\t患者数\n2026/4/1\t1,234\n2026/5/1\t987\n\n",
        "年月,患者数\nR8.4,1234\n令和8年5月,987\n合計,2221\n",
    ] {
        assert_eq!(quality::counts(text).expect("counts"), expected, "{text}");
    }
    for (text, line) in [
        ("2026-13,5\n", 1),
        ("month,patients\n2026-04,many\n", 2),
        ("2026-04,1,234\n", 1),
        ("2026-04,1,23\n", 1),
        ("2026-04,\n", 1),
        ("1850-04,5\n", 1),
        ("2026-04,5\n2026/4,6\n", 2),
    ] {
        assert_eq!(quality::counts(text).expect_err("refused").0, line, "{text}");
    }
}
