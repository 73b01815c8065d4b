//! One test for each broken file of `handmade/dirt.json`, read on its own.

use crate::harness::{Outcome, read, samples, tree};

fn broken(part: &str) -> Outcome {
    let files: Vec<_> = tree(&samples("handmade/std")).into_iter().filter(|(path, _)| path.contains(part)).collect();
    assert_eq!(files.len(), 1, "{part} names one file");
    let outcome = read(&files);
    assert!(outcome.counts.balanced());
    outcome
}

#[test]
fn every_broken_file_has_its_test() {
    let text = std::fs::read_to_string(samples("handmade/dirt.json")).expect("the list");
    let list: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(list["files"].as_object().expect("files").len(), 11);
}

#[test]
fn a_name_in_row_13_and_kana_in_half_width_are_read_and_an_impossible_birth_date_is_said() {
    let outcome = broken("0000054321_-_ADT-00_");
    let identity = outcome.of("identity");
    assert_eq!(identity[0].get("family_name"), "①■");
    assert_eq!(identity[0].get("family_kana"), "ｶﾞｸ");
    assert_eq!(identity[0].get("address"), "\\100", "the delimiter stays a delimiter in JIS X 0201 Roman");
    assert_eq!(identity[0].get("birth_date"), "");
    assert_eq!(identity[0].get("sex"), "unknown");
    assert_eq!(outcome.of("person")[0].get("year_of_birth"), "1999", "the year can be read");
    assert_eq!(outcome.finding("ssmix2-birth-date").place.field.as_deref(), Some("PID-7"));
    assert_eq!(outcome.finding("ssmix2-sex").place.field.as_deref(), Some("PID-8"));
}

#[test]
fn odd_numbers_are_read_with_a_finding_and_words_stay_words() {
    let outcome = broken("OML-11_000000000002001_");
    let rows = outcome.of("measurement");
    let found: Vec<[&str; 5]> = rows
        .iter()
        .map(|r| {
            ["measurement_source_value", "value_as_number", "operator_concept_id", "unit_source_value", "value_source_value"]
                .map(|c| r.get(c))
        })
        .collect();
    assert_eq!(
        found,
        [
            ["3A010000002327101", "7.2", "", "ｇ／ｄＬ", "７．２"],
            ["3C015000002327101", "1.32", "", "mg/dl", "1,32"],
            ["99XYZ:99LOCAL01", "500.0", "4171755", "", ">=500"],
            ["5F016000002302311", "", "", "", "(±)"],
        ]
    );
    assert!(rows.iter().all(|r| r.get("measurement_date") == "2024-07-01" && r.get("measurement_datetime").is_empty()));
    assert_eq!(outcome.counts.without_row["no-result"], 1, "the clotted specimen has the status X");
    let codes = outcome.codes();
    assert_eq!(codes.iter().filter(|c| **c == "ssmix2-number-normalised").count(), 3);
    assert_eq!(outcome.finding("ssmix2-number-normalised").place.segment.as_deref(), Some("OBX[1]"));
    assert_eq!(outcome.finding("ssmix2-unknown-segment").place.segment.as_deref(), Some("ZZZ[1]"));
}

fn one_prescription(outcome: &Outcome, family: &str, given: &str) {
    let drugs = outcome.of("drug_exposure");
    assert_eq!(drugs.len(), 1);
    assert_eq!(drugs[0].get("drug_source_value"), "104195801");
    assert_eq!(drugs[0].get("quantity"), "21.0");
    assert_eq!(drugs[0].get("sig"), "内服・経口・１日３回朝昼夕食後");
    let identity = outcome.of("identity");
    assert_eq!((identity[0].get("family_name"), identity[0].get("given_name")), (family, given));
    assert_eq!(identity[0].get("birth_date"), "1980-01-01", "no field is shifted");
}

#[test]
fn cp932_under_a_lying_header_is_read_as_what_it_is() {
    let outcome = broken("OMP-01_000000000002002_");
    one_prescription(&outcome, "与謝", "−子");
    let finding = outcome.finding("ssmix2-charset-differs");
    assert_eq!(finding.message.args[1].1, "CP932");
}

#[test]
fn line_feeds_and_a_missing_last_terminator_change_nothing() {
    let outcome = broken("OMP-01_000000000002003_");
    one_prescription(&outcome, "与謝", "−子");
    assert_eq!(outcome.codes(), ["ssmix2-care-date-differs"]);
}

#[test]
fn a_missing_return_to_ascii_is_put_back_and_said() {
    let outcome = broken("OMP-01_000000000002004_");
    one_prescription(&outcome, "与謝", "−子");
    assert_eq!(outcome.finding("ssmix2-return-escape").message.args[0].1, "1");
}

#[test]
fn utf_8_with_a_mark_under_a_lying_header_is_read_as_what_it_is() {
    let outcome = broken("OMP-01_000000000002005_");
    one_prescription(&outcome, "与謝", "−子");
    assert_eq!(outcome.finding("ssmix2-charset-differs").message.args[1].1, "UTF-8");
}

#[test]
fn an_empty_file_is_a_finding() {
    let outcome = broken("OMP-01_000000000002006_");
    assert_eq!(outcome.codes(), ["ssmix2-empty-file"]);
    assert_eq!(outcome.counts.unread, 1);
}

#[test]
fn a_file_of_another_patient_sets_both_aside() {
    let outcome = broken("OMP-01_000000000002007_");
    let aside: Vec<(&str, bool)> = outcome.patients.iter().map(|p| (p.local_id.as_str(), p.set_aside.is_some())).collect();
    assert_eq!(aside, [("0000054321", true), ("0000099999", true)]);
    assert_eq!(outcome.codes(), ["ssmix2-wrong-patient"]);
    assert!(outcome.of("drug_exposure").is_empty() && outcome.of("identity").is_empty() && outcome.of("person").is_empty());
}

#[test]
fn a_name_that_does_not_follow_the_rule_is_a_finding() {
    let outcome = broken("OMP-01_1.bak");
    assert_eq!(outcome.codes(), ["ssmix2-file-name"]);
    assert_eq!(outcome.counts.unread, 1);
}

#[test]
fn an_uncoded_diagnosis_with_empty_runs_and_the_old_kanji_set_is_read() {
    let outcome = broken("0000054321_-_PPR-01_");
    let rows = outcome.of("condition_occurrence");
    assert_eq!(rows[0].get("condition_source_value"), "text:亜サシス〓");
    assert_eq!(rows[0].get("condition_start_date"), "2024-07-09");
    outcome.finding("ssmix2-uncoded");
    outcome.finding("ssmix2-old-kanji-set");
    assert!(!outcome.codes().contains(&"ssmix2-undecodable"));
}

#[test]
fn kanji_made_of_delimiter_bytes_are_kanji() {
    let outcome = broken("OML-11_000000000002010_");
    let rows = outcome.of("measurement");
    assert_eq!(rows[0].get("value_source_value"), "淫笠α宮向");
    assert!(outcome.findings.is_empty(), "{:?}", outcome.codes());
}
