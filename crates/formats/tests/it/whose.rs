//! One person's data is never another's.

use std::collections::BTreeSet;

use formats::checkup::{CheckupReader, Mapping, Options as CheckupOptions};
use formats::dpc::{DpcReader, Options as DpcOptions};
use formats::fhir::{FhirReader, Options, Prescan};
use formats::receipt::{Options as ReceiptOptions, ReceiptReader};
use formats::{Home, Member};

use crate::harness::{File, Outcome, read_by};

fn file(path: &str, text: &str) -> File {
    (path.to_owned(), text.as_bytes().to_vec())
}

fn fhir(files: &[File]) -> Outcome {
    let mut prescan = Prescan::default();
    for (path, bytes) in files {
        let size = bytes.len() as u64;
        prescan.member(Member { path, payload: 1, ordinal: 0, size, content: &mut bytes.as_slice() }).expect("scanned");
    }
    read_by(&mut FhirReader::new(Options { patients: prescan.finish(), ..Options::default() }), files)
}

fn patient(id: &str, system: &str, number: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"{system}","value":"{number}"}}],"birthDate":"1960-01-01"}}"#
    )
}

fn height(subject: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"text":"H"}},"effectiveDateTime":"2024-01-02","valueQuantity":{{"value":150}},"subject":{{"reference":"{subject}"}}}}"#
    )
}

fn measured(outcome: &Outcome) -> Vec<String> {
    outcome.of("measurement").iter().map(|r| r.patient.clone()).collect()
}

const A: &str = "urn:oid:1.2.392.100495.20.3.51.11310000001";
const B: &str = "urn:oid:1.2.392.100495.20.3.51.11310000002";

#[test]
fn a_versioned_reference_names_the_patient_and_not_the_version() {
    let lines = [patient("1", A, "100"), patient("2", A, "200"), height("Patient/1/_history/2")].join("\n");
    assert_eq!(measured(&fhir(&[file("a.ndjson", &lines)])), ["100"]);
}

#[test]
fn what_is_about_a_device_is_nobodys() {
    let outcome = fhir(&[file("a.ndjson", &[patient("p1", A, "100"), height("Device/p1")].join("\n"))]);
    assert!(measured(&outcome).is_empty() && outcome.codes().contains(&"fhir-no-person"));
}

#[test]
fn the_same_number_of_two_hospitals_is_two_persons() {
    let lines = [patient("1", A, "0001"), patient("2", B, "0001"), height("Patient/1"), height("Patient/2")].join("\n");
    let who = measured(&fhir(&[file("a.ndjson", &lines)]));
    assert_eq!(who[0], "0001");
    assert_ne!(who[0], who[1]);
}

#[test]
fn the_same_resource_id_in_two_folders_is_two_persons_and_in_one_folder_nobody() {
    let (a, b) = ([patient("1", A, "100"), height("Patient/1")].join("\n"), patient("1", A, "200"));
    assert_eq!(measured(&fhir(&[file("a/x.ndjson", &a), file("b/x.ndjson", &b)])), ["100"]);
    let both = fhir(&[file("a/x.ndjson", &a), file("a/y.ndjson", &b)]);
    assert!(measured(&both).is_empty() && both.codes().contains(&"fhir-patient-twice"));
}

#[test]
fn a_patient_within_a_resource_is_that_resources_alone() {
    let within = |number: &str| {
        let contained =
            if number.is_empty() { r#"{"resourceType":"Patient","id":"pat"}"#.to_owned() } else { patient("pat", A, number) };
        height("#pat").replacen('{', &format!(r#"{{"contained":[{contained}],"#), 1)
    };
    let outcome = fhir(&[file("a.ndjson", &[within("100"), within("200"), within("")].join("\n"))]);
    assert_eq!(measured(&outcome), ["100", "200"]);
    assert!(outcome.codes().contains(&"formats-no-patient"));
}

fn k(lines: &str) -> String {
    format!("施設コード\tデータ識別番号\t生年月日\tカナ氏名\t性別\t保険者番号\t被保険者証記号\t被保険者番号\t枝番\r\n{lines}")
}

#[test]
fn numbers_of_two_facilities_in_k_files_are_two_persons_and_the_insured_number_is_not_the_insurers() {
    let text = k(
        "139999991\t0000000001\t19800101\tヤマダ タロウ\t1\t06139992\t12\t345\t00\r\n138888881\t0000000001\t19900101\tサトウ ハナコ\t2\t06139992\t12\t346\t00\r\n",
    );
    let outcome = read_by(&mut DpcReader::default(), &[file("K_139999991_2406.txt", &text)]);
    let who: BTreeSet<(&str, &str)> = outcome.of("identity").iter().map(|r| (r.patient.as_str(), r.get("birth_date"))).collect();
    assert_eq!(who, [("0000000001", "1980-01-01"), ("1318888881/1", "1990-01-01")].into());
    let cover = outcome.of("insurance")[0];
    assert_eq!((cover.get("insurer_number"), cover.get("insured_number")), ("06139992", "345"));
}

const IR: &str = "IR,1,13,1,0000001,,病院,202406,00\r\n";

fn claim(insurance: &str, birth: &str, name: &str, chart: &str) -> String {
    format!("RE,1,1112,202405,{name},1,{birth},,,,,,,{chart}\r\n{insurance}SY,20054174,20240501,1,,,\r\n")
}

#[test]
fn one_institution_stands_bare_over_all_kinds_of_files() {
    let home = Home::default();
    let claims = format!("{IR}{}GO,1,0,99\r\n", claim("HO,06139992,12,345,1,100\r\n", "19800101", "山田", "77"));
    let mut receipts = ReceiptReader::new(ReceiptOptions { home: home.clone(), ..ReceiptOptions::default() });
    let mut dpc = DpcReader::new(DpcOptions { home, ..DpcOptions::default() });
    let one = read_by(&mut receipts, &[file("RECEIPTC.UKE", &claims)]);
    let two = read_by(&mut dpc, &[file("K.txt", &k("138888881\t0000000077\t19900101\tサトウ\t2\t06139992\t1\t2\t00\r\n"))]);
    assert_eq!(one.of("identity")[0].patient, "77");
    assert_eq!(two.of("identity")[0].patient, "1318888881/77");
    let same = read_by(&mut dpc, &[file("K.txt", &k("130000001\t0000000077\t19800101\tヤマダ\t1\t06139992\t1\t2\t00\r\n"))]);
    assert!(same.of("identity").iter().any(|r| r.patient == "0000000077"), "the same hospital, without its fee table");
}

#[test]
fn claims_that_name_nobody_are_not_one_person() {
    let text = format!("{IR}{}{}GO,2,0,99\r\n", claim("", "", "", ""), claim("", "", "", ""));
    let outcome = read_by(&mut ReceiptReader::default(), &[file("RECEIPTC.UKE", &text)]);
    assert_eq!(outcome.codes().iter().filter(|c| **c == "formats-no-patient").count(), 2);
    assert!(outcome.rows.is_empty());
}

fn csv(text: &str) -> Outcome {
    let mapping = Mapping::parse(
        "name = \"m\"\n[person]\nlocal_id = [\"id\"]\ndate = \"day\"\n[[item]]\ncolumn = \"weight\"\ncode = \"W\"\nunit = \"kg\"\n",
    )
    .expect("a mapping");
    read_by(
        &mut CheckupReader::new(CheckupOptions { mapping: Some(mapping), ..CheckupOptions::default() }),
        &[file("a.csv", text)],
    )
}

#[test]
fn a_ditto_mark_on_two_lines_does_not_make_them_one_person() {
    let outcome = csv("id,day,note,weight\n1,20240401,\",60\n2,20240401,\",70\n3,20240401,,80\n");
    let rows: Vec<(String, String)> =
        outcome.of("measurement").iter().map(|r| (r.patient.clone(), r.get("value_as_number").to_owned())).collect();
    assert_eq!(rows, [("3".to_owned(), "80.0".to_owned())]);
    assert_eq!(outcome.codes().iter().filter(|c| **c == "checkup-open-quote").count(), 2);
    assert_eq!((outcome.counts.records, outcome.counts.records_read, outcome.counts.records_unread), (4, 2, 2));
    let text = csv("id,day,note,weight\n1,20240401,\"a\nb\",60\n2,20240401,\"x\" y,70\n3,20240401,,80\n");
    let who: BTreeSet<String> = text.of("measurement").iter().map(|r| r.patient.clone()).collect();
    assert_eq!(who, ["1".to_owned(), "3".to_owned()].into(), "a line within quotes is kept, text behind them is told");
}

#[test]
fn of_two_columns_of_one_name_none_is_taken() {
    let outcome = csv("id,day,note,weight,weight\n1,20240401,,60,70\n");
    assert!(outcome.of("measurement").is_empty() && outcome.codes().contains(&"checkup-double-column"));
}

#[test]
fn a_finding_about_a_claim_names_the_line_of_that_claim() {
    let inpatient = claim("HO,06139992,12,345,1,100\r\n", "19800101", "山田", "77").replace(",1112,", ",1111,");
    let other = claim("HO,06139992,12,346,1,100\r\n", "19900101", "佐藤", "78");
    let outcome =
        read_by(&mut ReceiptReader::default(), &[file("RECEIPTC.UKE", &format!("{IR}{inpatient}{other}GO,2,0,99\r\n"))]);
    assert_eq!(outcome.finding("receipt-admission").place.segment.as_deref(), Some("RE[2]"));
}
