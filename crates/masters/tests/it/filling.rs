use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Int32Type;
use masters::{Filler, LocalConcepts, Resolver, State, read};
use omop::{Columns, ConditionOccurrenceRow, Head, MeasurementRow, SourceState, Table};
use terms::days_from_civil;

use crate::files;

fn day(year: i32, month: u32, day: u32) -> i32 {
    days_from_civil(year, month, day).expect("a day")
}

fn head() -> Head<'static> {
    Head { record_id: 1, source_key: "u", source_ts: 0, source_state: SourceState::Live }
}

fn conditions(rows: &[(&str, i32, Option<&str>)]) -> RecordBatch {
    let mut columns = Columns::default();
    for (code, on, icd10) in rows {
        let row = ConditionOccurrenceRow {
            condition_start_date: *on,
            condition_source_value: Some(code),
            condition_source_concept_id: Some(0),
            icd10: *icd10,
            ..Default::default()
        };
        columns.condition_occurrence.push(&head(), &row);
    }
    columns.finish().into_iter().find(|(t, _)| *t == Table::ConditionOccurrence).expect("rows").1
}

fn numbers(batch: &RecordBatch, name: &str) -> Vec<Option<i32>> {
    batch.column_by_name(name).expect("a column").as_primitive::<Int32Type>().iter().collect()
}

/// The invented disease 1000001 is E11 from the first edition on, and F32 from the second.
fn house() -> (Resolver, LocalConcepts) {
    let mut resolver = Resolver::default();
    for (name, icd10) in [("b_20240101.txt", "E119"), ("b_20250101.txt", "F329")] {
        resolver
            .masters
            .add(
                read(
                    name,
                    &files::file(&[files::Disease { code: "1000001", icd: ["", "", icd10, ""], ..Default::default() }.row()]),
                )
                .expect("a master"),
            )
            .expect("added");
    }
    let concepts = "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\tconcept_code\tvalid_start_date\tvalid_end_date\tinvalid_reason\n\
        45533019\tx\tCondition\tICD10\tc\t\tE11.9\t20000101\t20991231\t\n\
        201826\tx\tCondition\tSNOMED\tc\tS\t44054006\t20000101\t20991231\t\n\
        45533020\tx\tCondition\tICD10\tc\t\tI10\t20000101\t20991231\t\n\
        320128\tx\tCondition\tSNOMED\tc\tS\t59621000\t20000101\t20991231\t\n\
        4000001\tx\tObservation\tSNOMED\tc\tS\t1\t20000101\t20991231\t\n\
        8645\tx\tUnit\tUCUM\tu\tS\tU/L\t20000101\t20991231\t\n\
        8923\tx\tUnit\tUCUM\tu\tS\t[IU]/L\t20000101\t20991231\t\n\
        9001\tx\tUnit\tUCUM\tu\tS\tm[iU]/mL\t20000101\t20991231\t\n\
        9002\tx\tUnit\tUCUM\tu\tS\tuU/mL\t20000101\t20991231\t\n\
        8840\tx\tUnit\tUCUM\tu\tS\tmg/dL\t20000101\t20991231\t\n";
    let maps = "concept_id_1\tconcept_id_2\trelationship_id\tvalid_start_date\tvalid_end_date\tinvalid_reason\n\
        45533019\t201826\tMaps to\t20000101\t20991231\t\n\
        45533020\t320128\tMaps to\t20000101\t20991231\t\n\
        45533020\t4000001\tMaps to\t20000101\t20991231\t\n\
        8645\t8645\tMaps to\t20000101\t20991231\t\n\
        8923\t8923\tMaps to\t20000101\t20991231\t\n\
        9001\t9001\tMaps to\t20000101\t20991231\t\n\
        9002\t9002\tMaps to\t20000101\t20991231\t\n\
        8840\t8840\tMaps to\t20000101\t20991231\t\n";
    resolver.vocabulary.read_concepts(concepts.as_bytes(), &Resolver::filter()).expect("concepts");
    resolver.vocabulary.read_relationships(maps.as_bytes()).expect("maps");
    let mut local = LocalConcepts::default();
    local.add("JP_DISEASE", "1000001").expect("an id");
    (resolver, local)
}

#[test]
fn a_row_has_the_one_standard_concept_of_its_code_on_its_day_and_none_where_several_are_said() {
    let (resolver, local) = house();
    let mut filler = Filler::new(&resolver, &local);
    let batch = conditions(&[
        ("1000001", day(2024, 6, 1), None),
        ("1000001", day(2025, 6, 1), None),
        ("ICD10:I10", day(2025, 6, 1), Some("I10")),
        ("L:4711", day(2025, 6, 1), None),
        ("9999999", day(2025, 6, 1), None),
    ]);
    let filled = filler.fill(Table::ConditionOccurrence, &batch).expect("filled");
    assert_eq!(filled.schema(), batch.schema());
    let id = local.id("JP_DISEASE", "1000001").expect("an id");
    assert!(id > 2_000_000_000);
    assert_eq!(numbers(&filled, "condition_concept_id"), [Some(201_826), Some(0), Some(0), Some(0), Some(0)]);
    assert_eq!(
        numbers(&filled, "condition_source_concept_id"),
        [Some(id), Some(id), Some(45_533_020), Some(0), Some(0)],
        "the code keeps its concept whatever it means"
    );
    let icd10: Vec<Option<&str>> = filled.column_by_name("icd10").expect("a column").as_string::<i32>().iter().collect();
    assert_eq!(icd10, [Some("E11.9"), Some("F32.9"), Some("I10"), None, None]);
    let again = filler.fill(Table::ConditionOccurrence, &filled).expect("filled");
    assert_eq!(again, filled, "what is there is left");
    let coverage = filler.coverage();
    let of = |value: &str| coverage.iter().find(|c| &*c.value == value).map(|c| (c.by_state, c.vocabulary_id, c.rows));
    assert_eq!(of("1000001"), Some(([2, 0, 2, 0, 0], "JP_DISEASE", 4)), "each row by its day");
    assert_eq!(of("ICD10:I10"), Some(([0, 2, 0, 0, 0], "ICD10", 2)));
    assert_eq!(of("L:4711"), Some(([0, 0, 0, 0, 2], "", 2)));
    assert_eq!(of("9999999"), Some(([0, 0, 0, 2, 0], "JP_DISEASE", 2)));
    assert_eq!((State::Standard as usize, State::NoSystem as usize), (0, 4));
}

/// Concepts of units as they are written.
fn units(resolver: &Resolver, written: &[&str]) -> Vec<Option<i32>> {
    let mut columns = Columns::default();
    for unit in written {
        let row = MeasurementRow {
            measurement_date: day(2025, 1, 1),
            measurement_source_value: Some("3D010000002227101"),
            unit_source_value: Some(unit),
            unit_concept_id: Some(0),
            ..Default::default()
        };
        columns.measurement.push(&head(), &row);
    }
    let batch = columns.finish().into_iter().find(|(t, _)| *t == Table::Measurement).expect("rows").1;
    let local = LocalConcepts::default();
    let filled = Filler::new(resolver, &local).fill(Table::Measurement, &batch).expect("filled");
    numbers(&filled, "unit_concept_id")
}

#[test]
fn a_unit_is_ucum_in_any_writing_that_ucum_has_for_it_or_none() {
    let (resolver, _) = house();
    let all = |written: &[&str], id: i32| assert_eq!(units(&resolver, written), vec![Some(id); written.len()], "{written:?}");
    all(&["mg/dL", "mg/dl", "mg/dℓ", "ｍｇ／ｄＬ", "㎎／㎗"], 8_840);
    all(&["U/L", "u/l", "U/l", "u/L", "U/ℓ", "Ｕ／Ｌ", "ｕ／ｌ", " U/L"], 8_645);
    all(&["[IU]/L", "[iU]/L", "IU/L", "IU/l", "iu/l", "ＩＵ／Ｌ", "IU/ℓ"], 8_923);
    all(&["mIU/mL", "mIU/ml", "ｍＩＵ／ｍＬ", "mIU/㎖", "m[IU]/mL"], 9_001);
    all(&["uU/mL", "μU/mL", "µU/ml"], 9_002);
    all(&["MG/DL", "MIU/ML", "U", "IU", "u", "U/", "/L", "10³/μL", "単位"], 0);
}

#[test]
fn a_unit_of_which_the_operator_says_that_it_has_no_concept_gets_none_in_another_writing() {
    let (mut resolver, _) = house();
    let header = "source_code,source_concept_id,source_vocabulary_id,source_code_description,target_concept_id,target_vocabulary_id,valid_start_date,valid_end_date,invalid_reason\n";
    let map = format!("{header}u/l,0,UCUM,x,0,None,1970-01-01,2099-12-31,\n");
    resolver.vocabulary.read_source_to_concept_map(map.as_bytes()).expect("a map");
    assert_eq!(units(&resolver, &["u/l", "U/L"]), [Some(0), Some(8_645)]);
}

#[test]
fn without_masters_and_vocabularies_rows_stay_as_they_are() {
    let (resolver, local) = (Resolver::default(), LocalConcepts::default());
    let batch = conditions(&[("1000001", day(2024, 6, 1), None), ("ICD10:E11.9", day(2024, 6, 1), None)]);
    let filled = Filler::new(&resolver, &local).fill(Table::ConditionOccurrence, &batch).expect("filled");
    assert_eq!(numbers(&filled, "condition_concept_id"), [Some(0), Some(0)]);
    assert_eq!(numbers(&filled, "condition_source_concept_id"), [Some(0), Some(0)]);
    let icd10 = filled.column_by_name("icd10").expect("a column").as_string::<i32>();
    assert_eq!((icd10.is_null(0), icd10.is_null(1) || icd10.value(1) == "E11.9"), (true, true));
}

#[test]
fn a_code_keeps_its_own_concept_for_good() {
    let mut local = LocalConcepts::default();
    let first = local.add("JP_DISEASE", "1000001").expect("an id");
    let second = local.add("JP_DRUG_RECE", "1000001").expect("an id");
    assert_eq!((first, second, local.add("JP_DISEASE", "1000001")), (2_000_000_001, 2_000_000_002, Some(first)));
    let mut again = LocalConcepts::from_text(&local.to_text()).expect("the same");
    assert_eq!(again, local);
    assert_eq!(again.add("JP_ACT", "1"), Some(2_000_000_003));
    assert_eq!(again.code(second), Some(("JP_DRUG_RECE", "1000001")));
    assert_eq!((again.code(1), again.code(i32::MIN), again.code(i32::MAX)), (None, None, None));
    assert_eq!(again.add("JP_ACT", "1\t2"), None, "no code");
    for spoilt in ["", "x", "vocabulary_id\tconcept_code\nJP_ACT\n", "vocabulary_id\tconcept_code\nA\t1\nA\t1\n"] {
        assert!(LocalConcepts::from_text(spoilt).is_err(), "{spoilt:?}");
    }
}

#[test]
fn what_was_kept_of_a_vocabulary_says_the_same_when_it_is_read_again() {
    let (resolver, _) = house();
    let mut bytes = Vec::new();
    resolver.vocabulary.write_concepts(&mut bytes).expect("written");
    let again = masters::Vocabulary::read_kept(bytes.as_slice()).expect("read");
    for (vocabulary, code) in [("ICD10", "E11.9"), ("ICD10", "I10"), ("UCUM", "mg/dL"), ("ICD10", "Z99")] {
        assert_eq!(again.source(vocabulary, code), resolver.vocabulary.source(vocabulary, code), "{code}");
        assert_eq!(again.standard(vocabulary, code, 0), resolver.vocabulary.standard(vocabulary, code, 0), "{code}");
    }
    let mut twice = Vec::new();
    again.write_concepts(&mut twice).expect("written");
    assert_eq!(twice, bytes);
    for spoilt in
        ["", "x\n", "azekura-concepts\t1\nz\t1\n", "azekura-concepts\t1\nc\tx\tCondition\t1\n", "azekura-concepts\t1\nk\tICD10\n"]
    {
        assert!(masters::Vocabulary::read_kept(spoilt.as_bytes()).is_err(), "{spoilt:?}");
    }
}

#[test]
fn what_the_sender_states_beside_its_own_code_gives_the_concept() {
    let (resolver, local) = house();
    let mut filler = Filler::new(&resolver, &local);
    let batch = conditions(&[("L:4711", day(2024, 6, 1), Some("E11.9")), ("L:4711", day(2024, 6, 1), None)]);
    let filled = filler.fill(Table::ConditionOccurrence, &batch).expect("filled");
    assert_eq!(numbers(&filled, "condition_concept_id"), [Some(201_826), Some(0)]);
}

#[test]
fn a_suspected_diagnosis_has_no_concept_that_says_it_is_there() {
    let (resolver, local) = house();
    let mut columns = Columns::default();
    let row = omop::ObservationRow {
        observation_date: day(2024, 6, 1),
        observation_source_value: Some("1000001+8002"),
        observation_source_concept_id: Some(0),
        ..Default::default()
    };
    columns.observation.push(&head(), &row);
    let batch = columns.finish().into_iter().find(|(t, _)| *t == Table::Observation).expect("rows").1;
    let filled = Filler::new(&resolver, &local).fill(Table::Observation, &batch).expect("filled");
    assert_eq!(numbers(&filled, "observation_concept_id"), [Some(0)]);
    assert!(numbers(&filled, "observation_source_concept_id")[0].is_some_and(|id| id > 2_000_000_000));
}

#[test]
fn where_days_are_moved_a_concept_does_not_say_which_side_of_a_change_a_day_was_on() {
    let (resolver, local) = house();
    let mut filler = Filler::new(&resolver, &local);
    let rows = [("1000001", day(2024, 6, 1), None), ("1000001", day(2025, 6, 1), None), ("ICD10:E11.9", day(2025, 6, 1), None)];
    let filled = filler.fill(Table::ConditionOccurrence, &conditions(&rows)).expect("filled");
    assert_eq!(numbers(&filled, "condition_concept_id"), [Some(201_826), Some(0), Some(201_826)]);
    let same = Filler::same_on_all_days(Table::ConditionOccurrence, &filled).expect("the same");
    assert_eq!(numbers(&same, "condition_concept_id"), [Some(0), Some(0), Some(201_826)]);
    let id = local.id("JP_DISEASE", "1000001");
    assert_eq!(numbers(&same, "condition_source_concept_id")[..2], [id, id], "what is the same on all days stays");
}

#[test]
fn a_map_that_says_one_concept_too_many_says_none_and_its_errors_have_a_place() {
    let (mut resolver, local) = house();
    let header = "source_code,source_concept_id,source_vocabulary_id,source_code_description,target_concept_id,target_vocabulary_id,valid_start_date,valid_end_date,invalid_reason\n";
    let rows = "L1,0,JP_DISEASE,x,201826,SNOMED,,,\n1000001,0,JP_DISEASE,x,201826,SNOMED,,,\n1000001,0,JP_DISEASE,x,77,SNOMED,,,\nE119,0,ICD10,x,320128,SNOMED,,,\n";
    resolver.vocabulary.read_source_to_concept_map(format!("{header}{rows}").as_bytes()).expect("a map");
    let batch = conditions(&[("1000001", day(2024, 6, 1), None), ("ICD10:E11.9", day(2024, 6, 1), None)]);
    let filled = Filler::new(&resolver, &local).fill(Table::ConditionOccurrence, &batch).expect("filled");
    assert_eq!(numbers(&filled, "condition_concept_id"), [Some(0), Some(320_128)], "a code without its dot is the same code");
    assert_eq!((resolver.vocabulary.without_target(), resolver.vocabulary.mapped()), (1, vec!["ICD10", "JP_DISEASE"]));
    for (row, place) in [
        ("1,2000000005,JP_DISEASE,x,201826,SNOMED,,,\n", "source_concept_id"),
        ("1,0,JP_DISEASE,x,201826,SNOMED,2025-01-01,2024-01-01,\n", "valid_end_date"),
    ] {
        let error =
            masters::Vocabulary::new().read_source_to_concept_map(format!("{header}{row}").as_bytes()).expect_err("refused");
        assert!(error.to_string().contains("line 2") && error.to_string().contains(place), "{error}");
    }
}

#[test]
fn every_key_of_a_row_can_have_a_concept_of_its_own() {
    let row = files::Disease { code: "1000001", icd: ["", "", "E119", ""], ..Default::default() }.row();
    let edition = read("b_20240101.txt", &files::file(&[row])).expect("a master");
    let mut codes = Vec::new();
    edition.each_code(|vocabulary, code| codes.push(format!("{vocabulary} {code}")));
    assert_eq!(codes, ["JP_DISEASE 1000001", "JP_DISEASE 29000001", "JP_DISEASE QX01", "ICD10 E11.9"]);
}

#[test]
fn a_whole_file_by_another_name_is_not_taken_for_what_changed() {
    let rows: Vec<String> =
        (0..10).map(|n| files::row(40, &[(1, "0"), (2, "Y"), (3, &format!("62000000{n}")), (5, "x")])).collect();
    let said = read("医薬品20240901.csv", &files::file(&rows)).expect_err("refused");
    assert!(said.to_string().contains("y_ALL"), "{said}");
}

#[test]
fn a_code_is_in_use_from_its_first_listing_to_its_last_abolition_over_all_editions() {
    let mut resolver = Resolver::default();
    let row = |code, listed, abolished| files::Disease { code, listed, abolished, ..Default::default() }.row();
    for (name, rows) in [
        ("b_20240101.txt", vec![row("1000001", "20200401", "99999999"), row("1000002", "20210401", "20231231")]),
        ("b_20250101.txt", vec![row("1000001", "20210401", "20250930")]),
    ] {
        resolver.masters.add(read(name, &files::file(&rows)).expect("a master")).expect("added");
    }
    let of = |value| resolver.in_use(Table::ConditionOccurrence, "condition_source_value", value);
    assert_eq!(of("1000001"), Some((Some(day(2020, 4, 1)), None)), "an edition leaves its end open");
    assert_eq!(of("1000002"), Some((Some(day(2021, 4, 1)), Some(day(2023, 12, 31)))), "gone from the later edition");
    assert_eq!((of("1000003"), of("words")), (None, None));
}
