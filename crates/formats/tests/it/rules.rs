//! The rules of the specification, one made-up file each.

use crate::harness::{File, Outcome, file, made, read};

const PID: &str = "PID|0001||0000000001^^^^PI||試験^太郎^^^^^L^I||19800101|M";

fn one(file: File) -> Outcome {
    let outcome = read(&[file]);
    assert!(outcome.counts.balanced());
    outcome
}

fn lab(obx: &str) -> Outcome {
    let body = format!("SPM|1|S1||023^血清^JC10|||||||||||||202404011000\rOBR|1|9\rORC|SC|9\r{obx}");
    one(file("OML-11", "20240401", "9", "OUL^R22^OUL_R22", &body))
}

fn problem(prb: &str) -> Outcome {
    one(file("PPR-01", "-", "999999999999999", "PPR^ZD1^PPR_ZD1", prb))
}

#[test]
fn suspected_diagnoses_are_observations_and_never_conditions() {
    let coded = "PRB|AD|20240401|20054178^胃癌^MDCDX2|P1|||20240401|||C169^^I10";
    for prb in [
        format!("{coded}|||1^疑いあり^JHSD0005"),
        format!("{coded}\rZPR||20054178^胃癌^MDCDX2|8002^の疑い^MDCDX2"),
        "PRB|AD|20240401|^胃癌の疑い|P1|||20240401".to_owned(),
    ] {
        let outcome = problem(&prb);
        assert!(outcome.of("condition_occurrence").is_empty(), "{prb}");
        let row = outcome.of("observation")[0].clone();
        assert_eq!(row.get("qualifier_source_value"), "suspected", "{prb}");
    }
    let sure = problem(&format!("{coded}\rZPR|2064^早期^MDCDX2|20054178^胃癌^MDCDX2"));
    assert_eq!(sure.of("condition_occurrence")[0].get("condition_source_value"), "MDCDX2:20054178+2064");
    assert_eq!(sure.of("condition_occurrence")[0].get("icd10"), "C16.9");
}

#[test]
fn diagnoses_for_billing_only_are_observations() {
    let outcome = problem("PRB|AD|20240401|20054174^胃炎^MDCDX2|P1|||20240401\rZPR||20054174^胃炎^MDCDX2|||||保険病名");
    assert!(outcome.of("condition_occurrence").is_empty());
    assert!(outcome.of("observation").iter().any(|r| r.get("qualifier_source_value") == "billing"));
}

#[test]
fn deleted_diagnoses_make_no_row_and_are_counted() {
    let outcome = problem("PRB|DE|20240401|20054174^胃炎^MDCDX2|P1|||20240401");
    assert!(outcome.of("condition_occurrence").is_empty());
    assert_eq!(outcome.counts.without_row["deleted-entry"], 1);
}

#[test]
fn the_status_of_a_diagnosis_comes_from_its_timing_and_rank() {
    let status = |timing: &str, rank: &str| {
        let prb = format!("PRB|AD|20240401|20054174^胃炎^MDCDX2|P1|||20240401|||K297^^I10^{timing}||||||||{rank}");
        problem(&prb).of("condition_occurrence")[0].get("condition_status_concept_id").to_owned()
    };
    assert_eq!(status("H", "1^主診断^JHSD0007"), "32890");
    assert_eq!(status("L", ""), "32896");
    assert_eq!(status("O", "1^主診断^JHSD0007"), "32902");
    assert_eq!(status("O", "2^副診断^JHSD0007"), "");
}

#[test]
fn a_diagnosis_that_ended_in_death_is_a_death() {
    let outcome = problem("PRB|AD|20240401|20054174^胃炎^MDCDX2|P1|||20240401|||||||D^死亡^HL70241|20240405");
    assert_eq!(outcome.of("death")[0].get("death_date"), "2024-04-05");
    assert_eq!(outcome.of("condition_occurrence")[0].get("stop_reason"), "D");
}

#[test]
fn a_missing_unit_stays_missing() {
    for unit in ["", "\"\"", "^^"] {
        let outcome = lab(&format!("OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|{unit}|6.7-8.3||||F"));
        let row = outcome.of("measurement")[0].clone();
        assert_eq!((row.get("unit_source_value"), row.get("value_as_number")), ("", "7.2"), "{unit}");
    }
}

#[test]
fn results_that_are_none_make_no_row() {
    for status in ["X", "D", "W", "O"] {
        let outcome = lab(&format!("OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||{status}"));
        assert!(outcome.of("measurement").is_empty());
        assert_eq!(outcome.counts.without_row["no-result"], 1);
    }
}

#[test]
fn structured_numbers_have_operators_and_titres_stay_source_values() {
    let cells = |obx: &str| {
        let outcome = lab(&format!("OBX|1|SN|5C070000002306201^CRP^JC10||{obx}|mg/dL|||||F"));
        let row = outcome.of("measurement")[0].clone();
        ["operator_concept_id", "value_as_number", "value_source_value"].map(|c| row.get(c).to_owned())
    };
    assert_eq!(cells("<^0.05"), ["4171756", "0.05", "<0.05"]);
    assert_eq!(cells(">=^500"), ["4171755", "500.0", ">=500"]);
    assert_eq!(cells("^1^:^128"), ["", "", "1:128"]);
}

#[test]
fn dates_of_results_come_from_specimen_then_result_then_request() {
    let date = |spm: &str, obx: &str, obr: &str| {
        let body = format!(
            "SPM|1|S1||023^血清^JC10|||||||||||||{spm}\rOBR|1|9|||||{obr}\rORC|SC|9\r\
             OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL|||||F|||{obx}"
        );
        let outcome = one(file("OML-11", "20240401", "9", "OUL^R22^OUL_R22", &body));
        outcome.of("measurement")[0].get("measurement_date").to_owned()
    };
    assert_eq!(date("20240402", "20240403", "20240404"), "2024-04-02");
    assert_eq!(date("", "20240403", "20240404"), "2024-04-03");
    assert_eq!(date("", "", "20240404"), "2024-04-04");
    assert_eq!(date("", "", ""), "2024-04-01", "the day of the file");
    assert_eq!(date("2024/04/02", "", ""), "2024-04-01");
}

#[test]
fn of_two_live_files_the_later_one_counts_and_the_other_is_said() {
    let obx = |v: &str| format!("{PID}\rSPM|1|||023\rOBR|1|9\rORC|SC|9\rOBX|1|NM|3A010000002327101^TP^JC10||{v}|g/dL|||||F");
    let at = |stamp: &str, flag, v: &str| made("OML-11", "20240401", "9", stamp, flag, "OUL^R22^OUL_R22", &obx(v));
    let outcome = read(&[at("20240401130000000", 1, "2"), at("20240401120000000", 1, "1"), at("20240401140000000", 2, "3")]);
    assert!(outcome.counts.balanced());
    let values: Vec<&str> = outcome.of("measurement").iter().map(|r| r.get("value_as_number")).collect();
    assert_eq!(values, ["2.0"]);
    assert!(outcome.finding("ssmix2-two-live").place.file.as_deref().is_some_and(|f| f.contains("20240401120000000")));
    assert_eq!((outcome.counts.duplicate, outcome.counts.superseded), (1, 1));
}

#[test]
fn deleted_and_superseded_files_are_counted_and_never_read() {
    let dead = |flag| made("OMP-01", "20240401", "9", "20240401120000000", flag, "RDE^O11", "no message at all");
    let outcome = read(&[dead(0), dead(2)]);
    assert!(outcome.findings.is_empty(), "no live file is nothing, not a fault");
    assert_eq!(outcome.rows.len(), 2);
    assert!(outcome.rows.iter().all(|r| r.table == "source_file"));
    assert!(outcome.counts.balanced());
}

#[test]
fn a_folder_of_another_patient_sets_both_aside() {
    let (path, bytes) = file("ADT-12", "20240401", "9", "ADT^A04^ADT_A01", "PV1|1|O");
    let outcome = one((path.replace("/0000000001/", "/0000000002/"), bytes));
    assert_eq!(outcome.patients.iter().filter(|p| p.set_aside.is_some()).count(), 2);
    assert!(outcome.of("visit_event").is_empty());
}

#[test]
fn ids_that_differ_in_zeros_alone_are_one_patient_by_the_rule_and_said() {
    let body =
        "PID|0001||1^^^^PI||試験^太郎^^^^^L^I||19800101|M\rPV1|1|O|01^^^^^C|||||||||||||||||||||||||||||||||||||||||202404010900";
    let outcome = one(made("ADT-12", "20240401", "9", "20240401120000000", 1, "ADT^A04^ADT_A01", body));
    outcome.finding("ssmix2-patient-id-spelling");
    assert_eq!(outcome.of("visit_event").len(), 1);
}

#[test]
fn a_file_without_patient_id_is_left_out() {
    let outcome = one(made("ADT-12", "20240401", "9", "20240401120000000", 1, "ADT^A04^ADT_A01", "PID|1||\"\"||x^y\rPV1|1|O"));
    assert_eq!(outcome.codes(), ["ssmix2-patient-id-missing"]);
    assert!(outcome.of("visit_event").is_empty());
}

#[test]
fn unknown_data_types_are_kept_and_said() {
    let outcome = one(file("OMG-21", "20240401", "9", "OMG^O19", "ORC|NW|9"));
    assert_eq!(outcome.codes(), ["ssmix2-unknown-type"]);
    assert_eq!(outcome.of("source_file").len(), 1);
}

#[test]
fn a_message_that_no_data_type_has_is_kept_and_not_read() {
    let drug = "ORC|NW|9||1|||||20240401\rRXE||104195801^x^HOT9";
    let outcome = one(file("OMP-01", "20240401", "9", "ZZX^Z99", drug));
    assert_eq!(outcome.codes(), ["ssmix2-unknown-message"]);
    assert!(outcome.of("drug_exposure").is_empty());
    assert_eq!(outcome.counts.unread, 1);
    let near = one(file("OMP-01", "20240401", "9", "RDE^O01", drug));
    assert_eq!(near.of("drug_exposure").len(), 1, "another event of the same message is read, and said");
    near.finding("ssmix2-message-type");
}

#[test]
fn a_live_cancellation_makes_no_row() {
    let outcome = one(file("ADT-22", "20240401", "9", "ADT^A11^ADT_A09", "PV1|1|I"));
    assert_eq!(outcome.codes(), ["ssmix2-cancel-live"]);
    assert!(outcome.of("visit_event").is_empty());
    let order = one(file("OMP-01", "20240401", "9", "RDE^O11", "ORC|CA|9||1|||||20240401\rRXE||104195801^x^HOT9"));
    assert!(order.of("drug_exposure").is_empty());
    assert_eq!(order.counts.without_row["cancelled"], 1);
}

#[test]
fn drugs_not_given_make_no_row() {
    let rxa = |status: &str| {
        format!("ORC|NW|9||1\rRXA|0|1|202404011000||104195801^x^HOT9|1|TAB|||||||||||||{status}\rRXR|PO^口^HL70162")
    };
    let given = |status: &str| one(file("OMP-12", "20240401", "9", "RAS^O17", &rxa(status)));
    assert_eq!(given("CP").of("drug_exposure").len(), 1);
    assert_eq!(given("PA").of("drug_exposure").len(), 1);
    for status in ["NA", "RE"] {
        assert!(given(status).of("drug_exposure").is_empty());
        assert_eq!(given(status).counts.without_row["not-given"], 1);
    }
}

#[test]
fn order_dispensing_and_administration_of_one_drug_have_one_key() {
    let order = one(file("OMP-01", "20240401", "9", "RDE^O11", "ORC|NW|9||9_01_001|||||20240401\rRXE||104195801^x^HOT9"));
    let given = one(file("OMP-11", "20240401", "9", "RAS^O17", "ORC|NW|9||9_01_001\rRXA|0|1|20240401||104195801^x^HOT9|1"));
    let key = |o: &Outcome| o.of("drug_exposure")[0].get("order_key").to_owned();
    assert_eq!(key(&order), "9|01_001");
    assert_eq!(key(&order), key(&given));
}

#[test]
fn drug_codes_are_marked_by_what_they_are() {
    let source = |drug: &str| {
        let outcome = one(file("OMP-01", "20240401", "9", "RDE^O11", &format!("ORC|NW|9||1|||||20240401\rRXE||{drug}")));
        outcome.of("drug_exposure").first().map_or(String::new(), |r| r.get("drug_source_value").to_owned())
    };
    assert_eq!(source("104195801^ミヤＢＭ錠^HOT9"), "104195801");
    assert_eq!(source("620007329^ソリタ^HOT9"), "RECEIPT:620007329");
    assert_eq!(source("1041958^ミヤＢＭ錠^HOT9"), "HOT7:1041958");
    assert_eq!(source("D01^院内製剤^99ABC"), "99ABC:D01");
    assert_eq!(source("D01^院内製剤^99ABC^104195801^ミヤＢＭ錠^HOT9"), "104195801", "the standard one of two codings");
    assert_eq!(source("^院内製剤"), "text:院内製剤");
    assert_eq!(source(""), "", "without code and name there is no row");
}

#[test]
fn without_basics_the_person_comes_from_the_latest_file() {
    let visit = |stamp: &str, family: &str| {
        let body = format!("PID|1||0000000001||{family}^太郎^^^^^L^I||19800101|M\rPV1|1|O");
        made("ADT-12", "20240401", stamp, stamp, 1, "ADT^A04^ADT_A01", &body)
    };
    let outcome = read(&[visit("20240401120000000", "旧姓"), visit("20240402120000000", "新姓")]);
    let rows = outcome.of("identity");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].get("family_name"), rows[0].get("source_key")), ("新姓", "PID|-|-"));
}

#[test]
fn delimiters_are_those_that_the_message_states() {
    let (path, _) = file("ADT-12", "20240401", "9", "", "");
    let bytes =
        b"MSH#*!?%#HIS#SEND##RCV#20240401##ADT*A04#1#P#2.5\rPID#1##0000000001**** PI##A*B*****L*A##19800101#M\rPV1#1#O#01*****C"
            .to_vec();
    let outcome = one((path, bytes));
    assert_eq!(outcome.of("identity")[0].get("latin_name"), "A B");
    assert_eq!(outcome.of("visit_event")[0].get("department"), "01");
}

#[test]
fn staff_come_out_as_codes_and_never_as_names() {
    let body = "PV1|1|O|01^^^^^C||||D001^医師^一郎^^^^^^^L^^^^^I|||01";
    let outcome = one(file("ADT-12", "20240401", "9", "ADT^A04^ADT_A01", body));
    assert_eq!(outcome.of("provider")[0].get("provider_source_value"), "D001");
    assert!(!outcome.text().contains("医師"));
    assert_eq!(outcome.of("care_site")[0].get("care_site_source_value"), "SEND|01");
}
