//! FHIR.

use formats::Member;
use formats::fhir::{FhirReader, Options, Prescan};

use crate::harness::{File, Outcome, other_samples, physical_lines, read_by, sample, tree};

fn read(files: &[File]) -> Outcome {
    let mut prescan = Prescan::default();
    for (path, bytes) in files {
        let size = bytes.len() as u64;
        prescan.member(Member { path, payload: 1, ordinal: 0, size, content: &mut bytes.as_slice() }).expect("scanned");
    }
    read_by(&mut FhirReader::new(Options { patients: prescan.finish(), ..Options::default() }), files)
}

#[test]
fn bulk_files_are_one_history_by_the_hospitals_own_ids() {
    let outcome = read(&tree(&other_samples("fhir-jp/handmade/bulk")));
    assert_eq!(outcome.counts.records_unread, 0);
    let who = outcome.of("identity").into_iter().find(|r| r.patient == "0000012345").expect("the first patient");
    assert_eq!((who.get("family_name"), who.get("given_name"), who.get("family_kana")), ("架空", "太郎", "カクウ"));
    assert_eq!((who.get("birth_date"), who.get("sex"), who.get("postal_code")), ("1958-03-12", "male", "422-8033"));
    let condition = outcome
        .of("condition_occurrence")
        .into_iter()
        .find(|r| r.get("condition_source_value") == "MDCDX2:20054174")
        .expect("胃炎");
    assert_eq!(
        (condition.get("condition_start_date"), condition.get("condition_end_date"), condition.get("icd10")),
        ("2024-03-20", "2024-04-30", "K29.7")
    );
    let lab =
        outcome.of("measurement").into_iter().find(|r| r.get("measurement_source_value") == "3A010000002327101").expect("総蛋白");
    assert_eq!(
        (lab.get("value_as_number"), lab.get("unit_source_value"), lab.get("range_low"), lab.get("range_high")),
        ("7.4", "g/dL", "6.7", "8.3")
    );
    let drug = outcome.of("drug_exposure").into_iter().find(|r| r.get("drug_source_value") == "104195801").expect("ミヤBM");
    assert_eq!((drug.get("drug_exposure_start_date"), drug.get("days_supply")), ("2024-04-01", "7"));
    let stay: Vec<(&str, &str)> = outcome
        .of("visit_event")
        .iter()
        .filter(|r| r.get("patient_class") == "I" && r.patient == "0000012345")
        .map(|r| (r.get("event"), r.get("event_date")))
        .collect();
    assert_eq!(stay, [("admission", "2024-05-10"), ("discharge", "2024-05-24")]);
    let covers = outcome.of("insurance");
    assert!(
        covers
            .iter()
            .any(|r| r.get("insured_symbol") == "12" && r.get("insured_number") == "34567" && r.get("insured_branch") == "00")
    );
    assert!(outcome.of("procedure_occurrence").iter().any(|r| r.get("procedure_source_value") == "RECEIPT:160093810"));
    assert_eq!(outcome.rows.iter().filter(|r| r.patient != "0000012345" && r.patient != "9000000777").count(), 0);
}

#[test]
fn published_examples_and_documents_are_read_without_a_broken_resource() {
    for below in ["fhir-jp/clins", "fhir-jp/ereferral", "fhir-jp/echeckup", "fhir-jp/hl7-r4", "fhir-jp/handmade"] {
        let outcome = read(&tree(&other_samples(below)));
        assert_eq!(outcome.counts.records_unread, 0, "{below}");
        assert!(!outcome.rows.is_empty(), "{below}");
    }
}

#[test]
fn narrative_is_never_taken() {
    let outcome = read(&[sample("fhir-jp/handmade/Bundle-eDischargeSummary-handmade-01.json")]);
    assert!(outcome.of("note").is_empty());
}

#[test]
fn any_bytes_are_rows_or_findings() {
    let files = tree(&other_samples("fhir-jp/handmade/bulk"));
    bolero::check!().with_type::<(u8, u16, u8, u8, Vec<u8>)>().for_each(|(which, at, change, how, extra)| {
        let (path, bytes) = &files[usize::from(*which) % files.len()];
        let mut bytes = bytes.clone();
        let at = usize::from(*at) % bytes.len();
        match how % 4 {
            0 => bytes[at] ^= change,
            1 => bytes.truncate(at),
            2 => bytes.clone_from(extra),
            _ => drop(bytes.splice(at..at, extra.iter().copied())),
        }
        let outcome = read(&[(path.clone(), bytes.clone())]);
        assert_eq!(outcome.counts.records, physical_lines(&bytes));
    });
}

#[test]
fn past_illness_of_a_document_is_history_and_a_reason_is_no_visit() {
    let bundle = r#"{"resourceType":"Bundle","type":"document","entry":[
        {"fullUrl":"urn:uuid:c","resource":{"resourceType":"Composition","section":[{"code":{"coding":[{"code":"300"}]},"section":[
            {"code":{"coding":[{"code":"370"}]},"entry":[{"reference":"urn:uuid:d1"}]},
            {"code":{"coding":[{"code":"950"}]},"entry":[{"reference":"urn:uuid:e1"}]},
            {"code":{"coding":[{"code":"340"}]},"entry":[{"reference":"urn:uuid:d2"}]}]}]}},
        {"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","identifier":[{"value":"7"}],"birthDate":"1960-01-01"}},
        {"fullUrl":"urn:uuid:d1","resource":{"resourceType":"Condition","code":{"text":"虫垂炎"},"onsetDateTime":"1980","subject":{"reference":"urn:uuid:p"}}},
        {"fullUrl":"urn:uuid:d2","resource":{"resourceType":"Condition","code":{"text":"胃炎"},"onsetDateTime":"2024-01-02","subject":{"reference":"urn:uuid:p"}}},
        {"fullUrl":"urn:uuid:e1","resource":{"resourceType":"Encounter","class":{"code":"AMB"},"period":{"start":"2024-01-02"},"subject":{"reference":"urn:uuid:p"}}}]}"#;
    let outcome = read(&[("b.json".to_owned(), bundle.as_bytes().to_vec())]);
    let conditions: Vec<&str> = outcome.of("condition_occurrence").iter().map(|r| r.get("condition_source_value")).collect();
    assert_eq!(conditions, ["text:胃炎"]);
    let history = outcome.of("observation");
    assert_eq!((history[0].get("observation_source_value"), history[0].get("value_as_string")), ("text:虫垂炎", "history"));
    assert!(outcome.of("visit_event").is_empty() && outcome.rows.iter().all(|r| r.patient == "7"));
}

#[test]
fn a_suspicion_in_any_coding_of_a_modifier_makes_no_condition() {
    let condition = r#"{"resourceType":"Condition","code":{"text":"肺癌"},"onsetDateTime":"2024-01-02","subject":{"reference":"Patient/1"},"extension":[{"url":"http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseasePostfixModifier","valueCodeableConcept":{"coding":[{"system":"urn:oid:1.2.392.200119.4.201.5","code":"UCV2"},{"system":"http://jpfhir.jp/fhir/core/mhlw/CodeSystem/masterZ-disease-modifier","code":"8002"}]}}]}"#;
    let outcome = read(&[("c.ndjson".to_owned(), condition.as_bytes().to_vec())]);
    assert!(outcome.of("condition_occurrence").is_empty());
    assert_eq!(outcome.of("observation")[0].get("value_as_string"), "suspected");
}

#[test]
fn a_suspicion_in_words_makes_no_condition() {
    let condition = r#"{"resourceType":"Condition","code":{"text":"肺癌の疑い"},"onsetDateTime":"2024-01-02","subject":{"reference":"Patient/1"}}"#;
    let outcome = read(&[("c.ndjson".to_owned(), condition.as_bytes().to_vec())]);
    assert!(outcome.of("condition_occurrence").is_empty());
    assert_eq!(outcome.of("observation")[0].get("value_as_string"), "suspected");
}

/// A patient and one more resource, as lines of a bulk file.
fn with_patient(patient: &str, other: &str) -> Outcome {
    let patient = format!(
        r#"{{"resourceType":"Patient","id":"1","identifier":[{{"value":"0000000123"}}],"birthDate":"1960-05-05"{patient}}}"#
    );
    read(&[("a.ndjson".to_owned(), format!("{patient}\n{other}\n").into_bytes())])
}

#[test]
fn what_is_planned_or_not_to_be_done_is_no_fact() {
    let drug = |more: &str| {
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"2","subject":{{"reference":"Patient/1"}},"authoredOn":"2024-04-01","medicationCodeableConcept":{{"coding":[{{"system":"urn:oid:1.2.392.100495.20.2.74","code":"104195801"}}]}}{more}}}"#
        )
    };
    let drugs = |more: &str| with_patient("", &drug(more)).of("drug_exposure").len();
    assert_eq!([drugs(""), drugs(r#","status":"active","intent":"order","doNotPerform":false"#)], [1, 1]);
    for no in [
        r#","doNotPerform":true"#,
        r#","intent":"plan""#,
        r#","intent":"proposal""#,
        r#","intent":"option""#,
        r#","status":"draft""#,
        r#","status":"cancelled""#,
        r#","modifierExtension":[{"url":"http://example.org/not","valueBoolean":true}]"#,
    ] {
        assert_eq!(drugs(no), 0, "{no}");
    }
    let told = with_patient("", &drug(r#","modifierExtension":[{"url":"http://example.org/not","valueBoolean":true}]"#));
    assert_eq!(told.codes(), ["fhir-modifier"]);
    let visit = |status: &str| {
        let text = format!(
            r#"{{"resourceType":"Encounter","id":"3","status":"{status}","subject":{{"reference":"Patient/1"}},"class":{{"code":"AMB"}},"period":{{"start":"2024-04-01"}}}}"#
        );
        with_patient("", &text).of("visit_event").len()
    };
    assert_eq!([visit("finished"), visit("in-progress"), visit("planned"), visit("cancelled")], [1, 1, 0, 0]);
}

#[test]
fn a_death_has_the_day_that_was_said_or_none() {
    let deaths = |more: &str| {
        let outcome = with_patient(more, "");
        let days: Vec<String> = outcome.of("death").iter().map(|r| r.get("death_date").to_owned()).collect();
        (days, outcome.codes().contains(&"fhir-death-day"))
    };
    assert_eq!(deaths(r#","deceasedDateTime":"2024-03-05""#), (vec!["2024-03-05".to_owned()], false));
    for unknown in [
        r#","deceasedDateTime":"2024""#,
        r#","deceasedDateTime":"2024-03""#,
        r#","deceasedDateTime":"9999-12-31T20:00:00Z""#,
        r#","deceasedDateTime":"0001-01-01""#,
        r#","deceasedBoolean":true"#,
    ] {
        assert_eq!(deaths(unknown), (Vec::new(), true), "{unknown}");
    }
    assert_eq!(deaths(r#","deceasedBoolean":false"#), (Vec::new(), false));
}

#[test]
fn types_that_are_not_read_are_told() {
    let given =
        r#"{"resourceType":"MedicationAdministration","id":"4","subject":{"reference":"Patient/1"},"status":"completed"}"#;
    assert_eq!(with_patient("", given).codes(), ["fhir-type-not-read"]);
}
