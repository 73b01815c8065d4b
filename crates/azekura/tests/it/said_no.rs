//! Several statements of one person, at one provider and at several: what each stops, and what stays when one is taken back.

use std::fs;

use crate::kit::{House, IDS, PROVIDER};
use crate::losses::{OTHER, from_other, other_hospital};
use crate::refusals::{of, taken_in};

// control: NOT-03
#[test]
fn the_own_no_of_a_person_stands_when_one_from_elsewhere_is_taken_back() {
    let house = House::new();
    house.notified(&IDS);
    two_hospitals(&house);
    let everywhere = ["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase", "--everywhere"];
    assert_eq!(house.on(&everywhere).done()["erased_records"], 2, "known to both");
    let own = house.on(&["opt-out", "--provider", OTHER, "--patient", IDS[0]]).done();
    let again = house.on(&["opt-out", "--provider", OTHER, "--patient", IDS[0]]).done();
    assert_eq!(own["opt_out"], again["opt_out"], "once");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw"]).done();
    house.receive(&[&from_other(&house, 2, &of(&IDS))]);
    let taken = house.on(&["ingest"]).done();
    assert_eq!((&taken[0]["patients_in"], &taken[0]["patients_refused"]), (&2.into(), &1.into()), "{taken}");
}

// control: NOT-03
#[test]
fn why_nothing_of_a_patient_leaves_is_shown_for_an_own_no_as_for_a_hold() {
    let house = House::new();
    house.notified(&IDS[..2]);
    two_hospitals(&house);
    let of = |id: &str| house.on(&["hold", "list", "--provider", PROVIDER, "--patient", id]);
    assert_eq!(of(IDS[0]).done(), serde_json::json!([]), "nothing holds");
    let no = |id: &str, more: &[&str]| house.on(&[&["opt-out", "--provider", PROVIDER, "--patient", id], more].concat()).done();
    no(IDS[0], &["--scope", "pseudonymized"]);
    let held = of(&format!("0{}", IDS[0])).done();
    assert_eq!((&held[0]["reason"], &held[0]["scopes"]), (&"opt-out".into(), &serde_json::json!(["pseudonymized"])), "{held}");
    assert!(held[0]["record"].is_number() && held.as_array().map(Vec::len) == Some(1), "{held}");
    // Of whom nothing is here: before the no a wrong id, after it a patient who said no beforehand.
    assert_eq!(of("7654321").refused(), "core-hold-nobody");
    no("7654321", &[]);
    let before = of("7654321").done();
    assert!(before[0]["record"].is_null() && before[0]["opt_out"].is_string(), "{before}");
    no("7654321", &["--withdraw"]);
    assert_eq!(of("7654321").refused(), "core-hold-nobody");
    // Holds that a statement brought about elsewhere are not shown twice.
    no(IDS[0], &["--erase", "--everywhere"]);
    let there = house.on(&["hold", "list", "--provider", OTHER, "--patient", IDS[0]]).done();
    let reasons: Vec<&str> = there.as_array().expect("a list").iter().filter_map(|h| h["reason"].as_str()).collect();
    assert!(!reasons.is_empty() && reasons.iter().all(|r| r.starts_with("opt-out-linked")), "{there}");
}

// control: NOT-03
#[test]
fn who_was_erased_at_one_provider_is_erased_everywhere_when_that_is_said_later() {
    let house = House::new();
    house.notified(&IDS);
    two_hospitals(&house);
    let erase = ["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"];
    assert_eq!(house.on(&erase).done()["erased_records"], 1);
    let left = |house: &House| house.sql("select count(*) as n from person")[0]["n"].clone();
    let before = left(&house);
    let everywhere = house.on(&[&erase[..], &["--everywhere"]].concat()).done();
    assert_eq!((&everywhere["erased_records"], &everywhere["searched_elsewhere"]), (&1.into(), &true.into()), "{everywhere}");
    let held = house.on(&["hold", "list", "--provider", OTHER, "--patient", IDS[0]]).done();
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw"]).done();
    assert_eq!(left(&house), before, "what was erased stays erased: {held}");
}

// control: NOT-03
#[test]
fn what_a_standing_no_reached_stays_stopped_when_another_s_erasure_is_taken_back() {
    let house = House::new();
    house.notified(&IDS);
    two_hospitals(&house);
    let no = |more: &[&str]| house.on(&[&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]], more].concat());
    no(&[]).done();
    let persons = || house.make(&house.planned())["persons"].clone();
    assert_eq!(persons(), 2);
    for erase in [&["--erase"][..], &["--erase", "--everywhere"]] {
        let guardian = ["--requester", "guardian", "--relation", "parent"];
        no(&[&guardian[..], erase].concat()).done();
        let back = no(&["--requester", "guardian", "--withdraw"]).done();
        assert_eq!((&back["withdrawn"], &back["standing"]), (&1.into(), &1.into()), "{back}");
        assert_eq!(persons(), 2, "{erase:?}: the person's own no is still in force");
        let held = house.on(&["hold", "list", "--provider", OTHER, "--patient", IDS[0]]).done();
        assert!(held.as_array().is_some_and(|all| !all.is_empty()), "{held}");
    }
    // With the last one goes what was held.
    no(&["--withdraw"]).done();
    assert_eq!(house.on(&["hold", "list"]).done().as_array().map(Vec::len), Some(0));
}

// control: NOT-03
#[test]
fn after_an_erasure_that_was_taken_back_nobody_is_said_to_have_been_looked_for() {
    let house = House::new();
    house.notified(&IDS);
    two_hospitals(&house);
    let no = |more: &[&str]| house.on(&[&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]], more].concat());
    no(&["--erase"]).done();
    no(&["--withdraw"]).done();
    let everywhere = no(&["--erase", "--everywhere"]);
    assert_eq!((everywhere.status, &everywhere.json["searched_elsewhere"]), (Some(1), &false.into()), "{}", everywhere.all);
}

// control: NOT-03
#[test]
fn a_list_that_could_not_be_read_the_first_time_counts_when_its_package_comes_whole() {
    let house = taken_in();
    let no = |more: &[&str]| house.on(&[&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]], more].concat()).done();
    no(&[]);
    let day = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(9))).date();
    no(&["--withdraw"]);
    let mut files = of(&[IDS[1]]);
    files.push(("opt-outs.csv".to_owned(), format!("patient,requester,scope,date\n{},person,,{day}\n", IDS[0]).into_bytes()));
    let whole = house.tree(2, &files);
    let damaged = house.path().join("damaged.azp");
    fs::create_dir(&damaged).expect("made");
    for entry in fs::read_dir(&whole).expect("listable") {
        let path = entry.expect("an entry").path();
        let mut bytes = fs::read(&path).expect("readable");
        if path.extension().is_some_and(|e| e == "p7m")
            && path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("payload"))
        {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        fs::write(damaged.join(path.file_name().expect("a name")), bytes).expect("written");
    }
    assert_eq!((&house.receive(&[&damaged])[0]["state"], house.count("person")), (&"quarantined".into(), 3));
    let came = house.receive(&[&whole]);
    assert_eq!((&came[0]["state"], &came[0]["opt_outs"]), (&"accepted".into(), &1.into()), "{came:?}");
    assert_eq!(house.count("person"), 2);
}

/// Both hospitals have the three patients.
pub fn two_hospitals(house: &House) {
    other_hospital(house);
    house.notified_at(OTHER, &IDS);
    house.receive(&[&house.tree(1, &of(&IDS)), &from_other(house, 1, &of(&IDS))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
}

#[test]
fn who_asked_takes_back_what_is_theirs_and_what_others_asked_stands() {
    let house = taken_in();
    let no = |requester: &str| {
        house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--requester", requester, "--relation", "child"])
    };
    no("guardian").done();
    no("bereaved").done();
    let back = |requester: &str| {
        house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw", "--requester", requester])
    };
    let first = back("guardian").done();
    assert_eq!((&first["withdrawn"], &first["standing"]), (&1.into(), &1.into()), "{first}");
    assert_eq!(house.count("person"), 2);
    assert!(back("guardian").refused().starts_with("governance-"));
    back("bereaved").done();
    assert_eq!(house.count("person"), 3);
}

#[test]
fn to_be_erased_everywhere_somebody_is_looked_for_in_what_waits_too() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS))]);
    let everywhere = |id: &str| house.on(&["opt-out", "--provider", PROVIDER, "--patient", id, "--erase", "--everywhere"]);
    let first = everywhere(IDS[0]).done();
    assert_eq!(
        (&first["erased_records"], &first["searched_elsewhere"]),
        (&1.into(), &true.into()),
        "what waited came in: {first}"
    );
    let again = everywhere(IDS[0]).done();
    assert_eq!(again["searched_elsewhere"], true, "an erasure that is over stays over: {again}");
    // Who is stopped before anything came in cannot be found elsewhere by anything: that is said.
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", "5079999999"]).done();
    let nobody = everywhere("5079999999");
    assert_eq!((nobody.status, &nobody.json["searched_elsewhere"]), (Some(1), &false.into()), "{}", nobody.all);
    assert!(nobody.json["opt_out"].is_string(), "it is registered all the same: {}", nobody.all);
    // A package that waits for an earlier one is counted.
    other_hospital(&house);
    house.receive(&[&from_other(&house, 2, &of(&[IDS[1]]))]);
    let other = everywhere(IDS[2]).done();
    assert_eq!((&other["erased_records"], &other["waiting_packages"]), (&1.into(), &1.into()), "{other}");
}
