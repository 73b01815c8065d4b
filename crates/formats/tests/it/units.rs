//! What a lake is told of units: every row belongs to one that was told of, all rows of one have one time, and the rows are those of a conversion.

use std::collections::{BTreeMap, BTreeSet};

use formats::{AnyPrescan, AnyReader, ForLake, Format, Member};

use terms::PatientIdRule;

use crate::harness::{File, Outcome, other_samples, read_by, tree};

fn scanned(mut prescan: AnyPrescan, files: &[File]) -> AnyPrescan {
    for (ordinal, (path, bytes)) in files.iter().enumerate() {
        let member =
            Member { path, payload: 1, ordinal: ordinal as u64, size: bytes.len() as u64, content: &mut bytes.as_slice() };
        prescan.member(member).expect("looked at");
    }
    prescan
}

fn for_lake(format: Format, files: &[File], chunk_rows: usize) -> Outcome {
    let lake = ForLake { institution: "1319999991", rule: PatientIdRule::Digits, chunk_rows };
    read_by(&mut AnyReader::for_lake(format, scanned(AnyPrescan::for_lake(format, &lake), files), &lake), files)
}

const KINDS: [(Format, &str); 8] = [
    (Format::Dpc, "dpc/clean"),
    (Format::Dpc, "dpc/dirty"),
    (Format::Receipt, "receipt/clean"),
    (Format::Receipt, "receipt/dirty"),
    (Format::Checkup, "checkup/clean"),
    (Format::Checkup, "checkup/csv"),
    (Format::Fhir, "fhir-jp/handmade"),
    (Format::Fhir, "fhir-jp/clins"),
];

/// States of a unit, as `source_file` writes them.
const LIVE: &str = "1";
const DELETED: &str = "0";

type Unit = (String, String);

fn units(out: &Outcome, state: &str) -> BTreeMap<Unit, String> {
    let files = out.of("source_file");
    let of_state = files.iter().filter(|r| r.get("source_state") == state);
    of_state.map(|r| ((r.patient.clone(), r.get("source_key").to_owned()), r.get("source_ts").to_owned())).collect()
}

#[test]
fn every_row_is_of_a_unit_that_is_told_of_once_and_has_its_time() {
    for (format, path) in KINDS {
        let files = tree(&other_samples(path));
        for chunk_rows in [1, 100_000] {
            let out = for_lake(format, &files, chunk_rows);
            let live = units(&out, LIVE);
            assert!(!live.is_empty(), "{path}");
            let told = out.of("source_file").iter().filter(|r| r.get("source_state") == LIVE).count();
            assert_eq!(told, live.len(), "{path}: a unit is told of twice");
            for row in out.rows.iter().filter(|r| r.table != "source_file") {
                let unit = (row.patient.clone(), row.get("source_key").to_owned());
                let time = live.get(&unit).unwrap_or_else(|| panic!("{path}: {} of no unit {}", row.table, unit.1));
                assert_eq!(time, row.get("source_ts"), "{path}: {}", unit.1);
            }
        }
    }
}

#[test]
fn a_lake_gets_the_rows_that_a_conversion_gets_and_chunks_of_any_size_give_the_same() {
    for (format, path) in KINDS {
        // A lake takes a checkup once, and the samples have it in its archive and beside it; stays are told of by each month.
        let files: Vec<File> = tree(&other_samples(path)).into_iter().filter(|(name, _)| !name.ends_with(".zip")).collect();
        let plain = read_by(&mut AnyReader::new(Some(format), scanned(AnyPrescan::new(Some(format)), &files), None), &files);
        let count = |out: &Outcome| -> BTreeMap<&'static str, usize> {
            let mut counts = BTreeMap::new();
            for row in out.rows.iter().filter(|r| !matches!(r.table, "source_file" | "visit_event")) {
                *counts.entry(row.table).or_default() += 1;
            }
            counts
        };
        let out = for_lake(format, &files, 100_000);
        assert_eq!(count(&plain), count(&out), "{path}");
        assert!(plain.of("source_file").is_empty());
        assert_eq!(out.text(), for_lake(format, &files, 1).text(), "{path}");
    }
}

#[test]
fn acts_of_two_months_are_two_units_of_one_stay_and_the_stay_itself_is_one() {
    let files = tree(&other_samples("dpc/clean"));
    let out = for_lake(Format::Dpc, &files, 100_000);
    let keys: BTreeSet<&str> = out.of("procedure_occurrence").iter().map(|r| r.get("source_key")).collect();
    assert!(keys.iter().any(|k| k.starts_with("EFn|139999991|") && k.ends_with("|202406")), "{keys:?}");
    let stays: BTreeSet<&str> =
        out.of("observation").iter().map(|r| r.get("source_key")).filter(|k| k.starts_with("FF1|")).collect();
    assert!(!stays.is_empty() && stays.iter().all(|k| k.split('|').count() == 4), "{stays:?}");
}

#[test]
fn a_claim_in_a_file_of_returned_ones_is_told_as_gone_unless_the_delivery_has_it_again() {
    let claim = crate::harness::sample("receipt/clean/RECEIPTC.UKE");
    let returned = (claim.0.replace(".UKE", ".HEN"), claim.1.clone());
    let gone = |files: &[File]| units(&for_lake(Format::Receipt, files, 100_000), DELETED).len();
    let live = units(&for_lake(Format::Receipt, std::slice::from_ref(&claim), 100_000), LIVE);
    let claims = live.keys().filter(|(_, key)| key.starts_with("claim|")).count();
    assert!(claims >= 3);
    assert_eq!(gone(std::slice::from_ref(&claim)), 0);
    assert_eq!(gone(std::slice::from_ref(&returned)), claims);
}

#[test]
fn entries_of_a_bundle_that_have_no_name_are_each_a_unit_and_a_document_counts_once() {
    let patient = r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:oid:1.2.392.100495.20.3.51.11319999991","value":"7"}],"gender":"male","birthDate":"1960-01-02"}"#;
    let value = |n: u32| {
        format!(
            r#"{{"resourceType":"Observation","status":"final","subject":{{"reference":"Patient/p"}},"code":{{"coding":[{{"system":"urn:oid:1.2.392.200119.4.504","code":"3A010"}}]}},"effectiveDateTime":"2024-04-0{n}","valueQuantity":{{"value":{n},"unit":"g/dL"}}}}"#
        )
    };
    let bundle = |kind: &str, identifier: &str| {
        let entries = [patient.to_owned(), value(1), value(2), value(1)].map(|r| format!(r#"{{"resource":{r}}}"#)).join(",");
        format!(r#"{{"resourceType":"Bundle","type":"{kind}"{identifier},"entry":[{entries}]}}"#).into_bytes()
    };
    let values = |files: &[File]| {
        let out = for_lake(Format::Fhir, files, 100_000);
        (out.of("measurement").len(), out.codes())
    };
    let (count, codes) = values(&[("a.json".to_owned(), bundle("collection", ""))]);
    assert_eq!((count, codes.contains(&"fhir-again")), (3, false));
    let named = r#","identifier":{"system":"urn:x","value":"1"}"#;
    let twice = [("a.json".to_owned(), bundle("document", named)), ("b/a.json".to_owned(), bundle("document", named))];
    let (count, codes) = values(&twice);
    assert_eq!((count, codes.contains(&"fhir-again")), (3, true));
}
