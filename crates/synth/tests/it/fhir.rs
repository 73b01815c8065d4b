//! FHIR resources, read line by line.

use std::collections::{HashMap, HashSet};
use std::fs;

use serde_json::Value;
use synth::Kind;

use crate::kinds::{ALL, Row, folder, truth};

fn resources(provider: &str, kind: &str) -> Vec<Value> {
    let name = format!("{kind}.ndjson");
    let (_, path) = folder(provider, Kind::Fhir).into_iter().find(|(n, _)| *n == name).expect("a file of the type");
    let text = fs::read_to_string(path).expect("UTF-8");
    assert!(text.ends_with('\n'));
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ids: HashSet<_> = all.iter().map(|r| r["id"].as_str().expect("id").to_owned()).collect();
    assert!(ids.len() == all.len() && all.iter().all(|r| r["resourceType"] == kind));
    all
}

fn sources(provider: &str) -> Value {
    let text = fs::read_to_string(ALL.0.path().join("truth-sources.json")).expect("readable");
    let all: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    all.into_iter().find(|p| p["id"] == provider).expect("the provider")
}

#[test]
fn every_patient_is_there_with_the_sex_birth_and_id_of_the_truth() {
    for provider in &ALL.1.providers {
        let rows: HashMap<String, Row> = truth("truth.csv")
            .into_iter()
            .filter(|r| &r["provider"] == provider)
            .map(|r| (r["local_patient_id"].clone(), r))
            .collect();
        let patients = resources(provider, "Patient");
        assert_eq!(patients.len(), rows.len());
        for patient in patients {
            let of = &rows[patient["identifier"][0]["value"].as_str().expect("id")];
            assert_eq!(
                (&patient["gender"], &patient["birthDate"]),
                (&Value::from(&*of["sex"]), &Value::from(&*of["birth_date"]))
            );
            assert_eq!(patient["name"][0]["family"], of["family"].as_str());
        }
    }
}

#[test]
fn every_stay_is_an_encounter_and_every_reference_leads_somewhere() {
    let mut stays = 0;
    for provider in &ALL.1.providers {
        let encounters = resources(provider, "Encounter");
        let patients: HashSet<String> =
            resources(provider, "Patient").iter().map(|p| format!("Patient/{}", p["id"].as_str().expect("id"))).collect();
        let known: HashSet<String> = encounters.iter().map(|e| format!("Encounter/{}", e["id"].as_str().expect("id"))).collect();
        let inpatient = encounters.iter().filter(|e| e["class"]["code"] == "IMP").count();
        assert_eq!(inpatient, truth("truth-stays.csv").iter().filter(|r| &r["provider"] == provider).count());
        stays += inpatient;
        for kind in ["Encounter", "Condition", "MedicationRequest", "Observation"] {
            for r in resources(provider, kind) {
                assert!(patients.contains(r["subject"]["reference"].as_str().expect("a patient")));
                let encounter = r["encounter"]["reference"].as_str();
                assert!(encounter.is_none_or(|e| known.contains(e)), "{encounter:?}");
            }
        }
    }
    assert!(stays > 20);
}

#[test]
fn claim_only_diagnoses_are_not_in_the_record_and_suspected_ones_are_provisional() {
    let all = truth("truth-diagnoses.csv");
    for provider in &ALL.1.providers {
        let conditions = resources(provider, "Condition");
        let provisional = |c: &&Value| c["verificationStatus"]["coding"][0]["code"] == "provisional";
        let of = |suspected: &str| {
            let here = |r: &&Row| &r["provider"] == provider && r["claim_only"] == "false" && r["suspected"] == suspected;
            all.iter().filter(here).count()
        };
        assert_eq!(conditions.iter().filter(provisional).count(), of("true"));
        // A stay is a diagnosis of its own in the record and one with the chronic disease in claims.
        assert!(conditions.len() >= of("true") + of("false"));
    }
}

#[test]
fn glucose_changes_its_unit_once_in_the_month_that_the_truth_names() {
    let (mut before, mut after) = (0, 0);
    for provider in &ALL.1.providers {
        let from = sources(provider)["fhir_glucose_mmol_from"].as_str().expect("a month").to_owned();
        for o in resources(provider, "Observation").iter().filter(|o| o["code"]["text"] == "グルコース") {
            let Some(value) = o["valueQuantity"]["value"].as_f64() else { continue };
            let month = o["effectiveDateTime"].as_str().expect("a time")[..7].replace('-', "");
            if month < from {
                assert!(o["valueQuantity"]["code"] == "mg/dL" && value > 20.0, "{o}");
                before += 1;
            } else {
                assert!(o["valueQuantity"]["code"] == "mmol/L" && value < 40.0, "{o}");
                after += 1;
            }
        }
    }
    assert!(before > 20 && after > 20, "{before} {after}");
}

#[test]
fn tests_without_a_jlac10_code_are_those_that_the_truth_lists() {
    for provider in &ALL.1.providers {
        let listed: HashMap<String, String> = sources(provider)["fhir_local_labs"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|l| (l["code"].as_str().expect("code").to_owned(), l["jlac10"].as_str().expect("code").to_owned()))
            .collect();
        let mut local = 0;
        let all = resources(provider, "Observation");
        for o in &all {
            let codings = o["code"]["coding"].as_array().expect("codings");
            let jlac = codings.iter().find(|c| c["system"].as_str().is_some_and(|s| s.ends_with("JLAC10-17digits")));
            match jlac {
                Some(c) => assert!(!listed.values().any(|l| c["code"] == l.as_str())),
                None => {
                    assert!(listed.contains_key(codings[0]["code"].as_str().expect("code")));
                    local += 1;
                }
            }
        }
        assert!(local * 8 > all.len() && local * 2 < all.len(), "{local} of {}", all.len());
    }
}
