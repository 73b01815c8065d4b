//! Who said no under a chart number has said it for what claims and checkups know by the card alone, and the other way round: on the real program.

use std::path::Path;

use serde_json::Value;

use crate::kit::{House, PROVIDER, files};

/// B of the samples: 456 in the hospital's claims and DPC files, by the card alone in the dentist's claims and in checkups.
const CHART: &str = "0000000456";
const CARD: &str = "insured:139998:江01:234567:02:1971-11-02:2:アリアケハナコ";

type Files = Vec<(String, Vec<u8>)>;

fn samples(which: &str, wanted: impl Fn(&str) -> bool) -> Files {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(which), |path| wanted(path))
}

fn hospital() -> Files {
    samples("receipt/clean", |path| path.ends_with("RECEIPTC.UKE"))
}

fn dentist() -> Files {
    samples("receipt/clean", |path| path.ends_with("RECEIPTS.UKE"))
}

fn house() -> House {
    let house = House::new();
    house.notified(&["123", "456", "789", "1011", CARD]);
    house
}

fn take_in(house: &House, kind: &str, sequence: u64, files: &Files) -> Value {
    let received = house.receive(&[&house.package_of(kind, sequence, files)]);
    assert_eq!(received[0]["state"], "accepted", "{received:?}");
    house.on(&["ingest"]).done()[0].clone()
}

fn no(house: &House, id: &str, more: &[&str]) -> Value {
    house.on(&[&["opt-out", "--provider", PROVIDER, "--patient", id], more].concat()).done()
}

fn counts(taken: &Value) -> [u64; 2] {
    ["patients_in", "patients_refused"].map(|name| taken[name].as_u64().expect("a number"))
}

/// Rows of whoever was born in her year, through all that may be read.
fn hers(house: &House) -> u64 {
    house.on(&["link"]).done();
    let rows = house.sql("select count(*) n from person where year_of_birth = 1971");
    rows[0]["n"].to_string().trim_matches('"').parse().expect("a number")
}

// control: NOT-03
#[test]
fn a_no_by_chart_number_reaches_what_is_known_by_card_alone_in_the_same_package_and_in_later_ones() {
    let house = house();
    no(&house, CHART, &[]);
    // The dentist's claims, which name a card alone, come first in the archive, then those that say whose card it is.
    let mut both = dentist();
    both.extend(hospital());
    let taken = take_in(&house, "receipt", 1, &both);
    assert_eq!((counts(&taken), &taken["destroyed"]), ([2, 2], &true.into()), "{taken}");
    assert_eq!(taken["refusals"]["governance-opted-out"], 2, "{taken}");
    let later = take_in(&house, "receipt", 2, &dentist());
    assert_eq!(later["refusals"]["governance-opted-out"], 1, "{later}");
    let checkups = take_in(&house, "checkup", 3, &samples("checkup/clean", |_| true));
    assert_eq!(checkups["refusals"]["governance-opted-out"], 1, "{checkups}");
    assert_eq!(hers(&house), 0);
    // Why nothing of her comes is shown for the card too, and it goes with the statement that was made.
    let held = house.on(&["hold", "list", "--provider", PROVIDER, "--patient", CARD]).done();
    assert!(held[0]["reason"].as_str().is_some_and(|r| r.starts_with("opt-out-linked")), "{held}");
    no(&house, CHART, &["--withdraw"]);
    let back = take_in(&house, "receipt", 4, &both);
    assert_eq!(counts(&back), [4, 0], "{back}");
    assert!(hers(&house) > 0);
    for hidden in ["有明", "アリアケ", "江01", "234567"] {
        assert!(!house.all_said().contains(hidden), "{hidden}");
    }
}

// control: NOT-03
#[test]
fn what_came_by_card_alone_before_anybody_knew_whose_it_was_stops_when_that_is_told() {
    let house = house();
    no(&house, CHART, &[]);
    assert_eq!(counts(&take_in(&house, "receipt", 1, &dentist())), [1, 0]);
    assert_eq!(hers(&house), 1, "nobody can know yet");
    let taken = take_in(&house, "receipt", 2, &hospital());
    assert_eq!((counts(&taken), &taken["destroyed"]), ([2, 1], &true.into()), "{taken}");
    assert_eq!(hers(&house), 0);
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: NOT-03
#[test]
fn a_no_by_card_reaches_the_chart_that_claims_show_to_be_the_same_person() {
    let house = house();
    no(&house, CARD, &[]);
    let taken = take_in(&house, "receipt", 1, &hospital());
    assert_eq!((counts(&taken), &taken["destroyed"]), ([2, 1], &true.into()), "{taken}");
    // Files that have the chart number and no card.
    let surveys = take_in(&house, "dpc", 2, &samples("dpc/clean", |_| true));
    assert_eq!(surveys["refusals"]["governance-opted-out"], 1, "{surveys}");
    assert_eq!(hers(&house), 0);
}

// control: NOT-03
#[test]
fn a_no_under_a_number_of_a_merged_chart_reaches_the_patient_who_goes_by_another() {
    let house = House::new();
    house.notified(&["0000012345", "9000000777", "456"]);
    let export = |from: &str, to: &str| -> Files {
        let swap = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("text").replace("1311234567", PROVIDER);
            text.replacen(from, to, 1).into_bytes()
        };
        samples("fhir-jp/handmade/bulk", |_| true).into_iter().map(|(name, bytes)| (name, swap(bytes))).collect()
    };
    let own = "\"value\":\"0000012345\"}";
    let merged = format!("{own},{{\"system\":\"urn:oid:1.2.392.100495.20.3.51.1{PROVIDER}\",\"value\":\"0456\"}}");
    let before = take_in(&house, "fhir", 1, &export("", ""));
    no(&house, "456", &[]);
    let after = take_in(&house, "fhir", 2, &export(own, &merged));
    assert_eq!((counts(&before), counts(&after)), ([2, 0], [1, 1]), "{after}");
    assert_eq!(after["refusals"]["governance-opted-out"], 1, "{after}");
    // From here the number by which the patient goes is known to be of somebody who said no.
    let again = take_in(&house, "fhir", 3, &export("", ""));
    assert_eq!(counts(&again), [1, 1], "{again}");
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: NOT-03
#[test]
fn who_says_no_is_told_of_data_sets_that_have_left_with_them() {
    let house = crate::refusals::taken_in();
    let id = house.planned();
    house.make(&id);
    let report = house.on(&["dataset", "report", &id]).done()["path"].as_str().expect("a page").to_owned();
    house.approve(&id);
    house.on(&["dataset", "deliver", &id]).done();
    let other = house.planned();
    house.make(&other);
    let page = house.on(&["dataset", "report", &other]).done()["path"].as_str().expect("a page").to_owned();
    let said = no(&house, crate::kit::IDS[0], &["--erase"]);
    assert_eq!((&said["delivered_datasets"], &said["voided_datasets"]), (&serde_json::json!([id]), &1.into()), "{said}");
    // The page of what was taken back is not there any more, and that of what has left is.
    assert!(!Path::new(&page).exists() && Path::new(&report).exists());
    assert_eq!(house.on(&["dataset", "report", &other]).refused(), "core-dataset-not-made");
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: NOT-03
#[test]
fn who_is_erased_under_a_chart_number_is_erased_under_the_card_and_does_not_come_back_by_it() {
    let house = house();
    take_in(&house, "receipt", 1, &hospital());
    take_in(&house, "receipt", 2, &dentist());
    assert_eq!(hers(&house), 2, "a record by chart and one by card");
    let erased = no(&house, CHART, &["--erase"]);
    assert_eq!((&erased["blocked_records"], &erased["erased_records"]), (&2.into(), &2.into()), "{erased}");
    let back = take_in(&house, "receipt", 3, &dentist());
    assert_eq!(counts(&back), [0, 1], "{back}");
    assert_eq!(hers(&house), 0);
    // The same command again finds nothing more to do.
    let again = no(&house, CHART, &["--erase"]);
    assert_eq!((&again["opt_out"], &again["erased_records"]), (&erased["opt_out"], &0.into()), "{again}");
}
