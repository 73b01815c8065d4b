//! Packages from which their sender left out who said no, insurers as senders, and the order in which sources count: on the real program.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use formats::Format;
use formats::without::Without;
use serde_json::Value;
use terms::PatientIdRule;

use crate::kit::{House, PROVIDER, files, party};

const CARDS: [&str; 3] = [
    "insured:06139992:1234:5678:00:1958-03-14:1:シノノメタロウ",
    "insured:139998:江01:234567:02:1971-11-02:2:アリアケ ハナコ",
    "insured:39139993::00123456::19451231:1:シオドメジロウ",
];
const INSURER: &str = "06139992";

type Files = Vec<(String, Vec<u8>)>;

fn samples(which: &str) -> Files {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(which), |_| true)
}

/// What `azekura-send` leaves of files.
fn without(format: Format, files: &Files, left: &[&str]) -> Files {
    let rule = PatientIdRule::Digits;
    let left: HashSet<_> = left.iter().map(|id| rule.canonical(id).expect("an id")).collect();
    let mut without = Without::new(format, PROVIDER, rule, left);
    for look in 0..without.looks() {
        for (path, bytes) in files {
            without.look(look, path, &mut bytes.as_slice()).expect("looked at");
        }
    }
    let mut out = Vec::new();
    for (path, bytes) in files {
        let mut rest = Vec::new();
        let kept = without.write(path, &mut bytes.as_slice(), &mut rest).expect("written");
        if kept.people || kept.left_out == 0 {
            out.push((path.clone(), rest));
        }
    }
    out
}

fn take_in(house: &House, package: &Path) -> Value {
    let received = house.receive(&[package]);
    assert_eq!(received[0]["state"], "accepted", "{received:?}");
    house.on(&["ingest"]).done()[0].clone()
}

fn hospital_files(kind: &str) -> Files {
    let clean = samples(&format!("{kind}/clean"));
    // The pharmacy's and the dentist's are of another institution.
    clean.into_iter().filter(|(name, _)| !name.ends_with("RECEIPTS.UKE") && !name.ends_with("RECEIPTY.UKE")).collect()
}

// control: NOT-03
#[test]
fn a_package_without_who_said_no_comes_in_and_stays_and_one_that_a_sloppy_filter_made_is_found() {
    let house = House::new();
    house.notified(&["123", "456", "789", "1011"]);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", "0000000456"]).done();
    for (sequence, kind, format) in [(1, "receipt", Format::Receipt), (2, "dpc", Format::Dpc)] {
        let rest = without(format, &hospital_files(kind), &["00456"]);
        let taken = take_in(&house, &house.package_filtered(kind, sequence, &rest));
        let counts = (&taken["patients_in"], &taken["patients_refused"], &taken["destroyed"]);
        assert_eq!(counts, (&3.into(), &0.into(), &false.into()), "{kind}: {taken}");
    }
    // The same, and nobody says that it was filtered: what could not be read might be of somebody who said no.
    let rest = without(Format::Dpc, &hospital_files("dpc"), &["00456"]);
    assert_eq!(take_in(&house, &house.package_of("dpc", 3, &rest))["destroyed"], true);
    // Filtered, and still there is something that nobody can be named for.
    let mut torn = rest.clone();
    torn.push(("storage/EFn_139999991_2408.txt".to_owned(), b"139999991\t\t20240731\t20240720\t60\r\n".to_vec()));
    assert_eq!(take_in(&house, &house.package_filtered("dpc", 4, &torn))["destroyed"], true);

    // A filter that compares ids as they are written misses the line that pads it otherwise.
    let sloppy = |bytes: &[u8]| -> Vec<u8> {
        let mut missed = false;
        let lines = bytes.split_inclusive(|b| *b == b'\n').filter_map(|line| {
            let hers = line.windows(12).any(|w| w == b"\t0000000456\t");
            let first = hers && !std::mem::replace(&mut missed, true);
            match (hers, first) {
                (true, true) => Some(String::from_utf8_lossy(line).replace("\t0000000456\t", "\t456\t").into_bytes()),
                (true, false) => None,
                _ => Some(line.to_vec()),
            }
        });
        lines.collect::<Vec<_>>().concat()
    };
    let only: Files = hospital_files("dpc").into_iter().filter(|(name, _)| name.contains("EFn")).collect();
    let sloppy: Files = only.into_iter().map(|(name, bytes)| (name, sloppy(&bytes))).collect();
    let taken = take_in(&house, &house.package_filtered("dpc", 5, &sloppy));
    assert_eq!((&taken["refusals"]["governance-opted-out"], &taken["destroyed"]), (&1.into(), &true.into()), "{taken}");
    house.on(&["link"]).done();
    let hers = house.sql("select count(*) n from person where year_of_birth = 1971");
    assert_eq!(hers[0]["n"].to_string().trim_matches('"'), "0");
}

#[test]
fn an_insurer_sends_claims_and_checkups_of_people_who_are_known_by_card() {
    let house = House::new();
    let insurer = party("insurer", "30");
    let cert = house.at("insurer.pem");
    fs::copy(&insurer.cert, &cert).expect("copied");
    let institution = house.on(&["provider", "add", "--id", "1319999992", "--cert", &cert, "--patient-ids", "insured"]);
    assert_eq!(institution.refused(), "core-party-insurer-institution");
    house.on(&["provider", "add", "--id", INSURER, "--cert", &cert, "--patient-ids", "insured"]).done();
    house.notified_at(INSURER, &CARDS);
    let send = |kind: &str, sequence: u64, files: &Files| house.package_from(&insurer, INSURER, kind, sequence, files);

    // Claims of a hospital, a dentist and a pharmacy, with charts and without: D was not notified.
    let claims = take_in(&house, &send("receipt", 1, &samples("receipt/clean")));
    assert_eq!((&claims["patients_in"], &claims["patients_refused"]), (&3.into(), &1.into()), "{claims}");
    let checkups = take_in(&house, &send("checkup", 2, &samples("checkup/clean")));
    assert_eq!((&checkups["patients_in"], &checkups["patients_refused"]), (&3.into(), &0.into()), "{checkups}");
    house.on(&["link"]).done();
    let count = |statement: &str| house.sql(statement)[0]["n"].to_string().trim_matches('"').to_owned();
    // What claims and checkups tell of one card is one record.
    assert_eq!(count("select count(*) n from person"), "3");
    assert_ne!(count("select count(*) n from measurement"), "0");
    assert_ne!(count("select count(*) n from procedure_occurrence"), "0");

    // The hospital tells of the same people under its charts: card, name, birth and sex make them one.
    house.notified(&["123", "456", "789", "1011"]);
    take_in(&house, &house.package_of("receipt", 1, &hospital_files("receipt")));
    house.on(&["link"]).done();
    assert_eq!(count("select count(distinct person_id) n from person"), "4");

    // A chart is nobody's number at an insurer.
    assert_eq!(house.on(&["opt-out", "--provider", INSURER, "--patient", "456"]).refused(), "core-patient-id-unusable");
    let said = house
        .on(&["opt-out", "--provider", INSURER, "--patient", "insured:00139998:江０１:０２３４５６７::19711102:2:ｱﾘｱｹﾊﾅｺ"])
        .done();
    assert!(said["blocked_records"].as_u64().is_some_and(|n| n >= 1), "{said}");
    let again = take_in(&house, &send("receipt", 3, &samples("receipt/clean")));
    assert_eq!((&again["refusals"]["governance-opted-out"], &again["destroyed"]), (&1.into(), &true.into()), "{again}");
    let checkups = take_in(&house, &send("checkup", 4, &samples("checkup/clean")));
    assert_eq!((&checkups["patients_in"], &checkups["destroyed"]), (&2.into(), &true.into()), "{checkups}");

    let surveys = house.receive(&[&send("dpc", 5, &samples("dpc/clean"))]);
    assert_eq!(surveys[0]["reason"], "core-package-insurer-kind", "{surveys:?}");
    for hidden in ["アリアケ", "江01", "234567"] {
        assert!(!house.all_said().contains(hidden), "{hidden}");
    }
}

#[test]
fn the_order_of_sources_is_settled_with_the_first_rows() {
    let shipped = "drugs = [\"chart\", \"fhir\", \"dpc\", \"claims\"]";
    let counted = |order: &str| {
        let house = House::new();
        let settings = house.instance().join("azekura.toml");
        let text = fs::read_to_string(&settings).expect("settings");
        assert!(text.contains(shipped));
        let other = text.replace(shipped, &format!("drugs = [{order}]"));
        fs::write(&settings, &other).expect("written");
        house.notified(&["123", "456", "789", "1011"]);
        take_in(&house, &house.package_of("dpc", 1, &hospital_files("dpc")));
        take_in(&house, &house.package_of("receipt", 2, &hospital_files("receipt")));
        house.on(&["link"]).done();
        let rows = house.sql("select count(*) n from drug_exposure where counted and source_key like 'claim|%'");
        let reverse =
            if other == text { text.replace(shipped, "drugs = [\"claims\", \"dpc\", \"fhir\", \"chart\"]") } else { text };
        fs::write(&settings, reverse).expect("written");
        assert_eq!(house.on(&["ingest"]).refused(), "core-history-order");
        fs::write(&settings, other).expect("written");
        house.on(&["ingest"]).done();
        rows[0]["n"].to_string().trim_matches('"').parse::<u64>().expect("a number")
    };
    let (documented, changed) =
        (counted("\"chart\", \"fhir\", \"dpc\", \"claims\""), counted("\"claims\", \"chart\", \"fhir\", \"dpc\""));
    assert!(changed > documented, "{changed} {documented}");
}
