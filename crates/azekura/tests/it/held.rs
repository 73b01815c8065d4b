//! Of whom nothing may be kept, nothing lies in a package that data quality holds back, nor in a report about it: on the real program.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;

use crate::kit::{House, PROVIDER, hospital, party, text};
use crate::quality::checkups;

/// How many packages lie in keeping.
fn kept(house: &House) -> usize {
    fs::read_dir(house.instance().join("packages")).expect("packages").count()
}

fn report(house: &House, sequence: u64) -> PathBuf {
    house.instance().join(format!("outbox/{PROVIDER}/quality-{sequence:06}.azp"))
}

/// A file of a report as its hospital opens it.
fn told(house: &House, sequence: u64, name: &str) -> String {
    let files = house.open(&report(house, sequence), &hospital());
    let found = files.iter().find(|(n, _)| n == name).map(|(_, bytes)| bytes.clone());
    String::from_utf8(found.unwrap_or_else(|| panic!("{name} in the report"))).expect("text")
}

fn notified(house: &House, ids: &[String]) {
    house.notified(&ids.iter().map(String::as_str).collect::<Vec<_>>());
}

/// A package that is held back, with a report about it in the outbox. Gives its id and its people.
fn held() -> (House, String, Vec<String>) {
    let house = House::new();
    let (wrong, ids) = checkups(&house, "wrong", "S40.9.12");
    notified(&house, &ids);
    house.receive(&[&house.package_of("checkup", 1, &wrong)]);
    let held = house.on(&["ingest"]);
    assert_eq!(held.json[0]["waits"], "quality-package-held", "{}", held.all);
    let id = held.json[0]["package"].as_str().expect("an id").to_owned();
    house.on(&["quality", "batch", "--package", &id, "--send", "--out", text(&house.path().join("look"))]);
    assert!(report(&house, 1).is_dir() && kept(&house) == 1);
    (house, id, ids)
}

// control: NOT-03
#[test]
fn a_package_with_people_of_whom_nothing_may_be_kept_is_destroyed_and_not_held_back_and_its_hospital_is_told() {
    let house = House::new();
    let (right, ids) = checkups(&house, "right", "R6.9.12");
    let (wrong, _) = checkups(&house, "wrong", "S40.9.12");
    let opt_out = |house: &House, more: &[&str]| {
        house.on(&[&["opt-out", "--provider", PROVIDER, "--patient", &ids[7]], more].concat()).done();
    };
    // Erased, and sent again.
    let erased = house.copy();
    notified(&erased, &ids);
    erased.receive(&[&erased.package_of("checkup", 1, &right)]);
    erased.on(&["ingest"]).done();
    opt_out(&erased, &["--erase"]);
    // Said no before anything came; and never told of anything.
    let stopped = house.copy();
    notified(&stopped, &ids);
    opt_out(&stopped, &[]);
    let untold = house.copy();
    let others: Vec<String> = ids.iter().filter(|id| **id != ids[7]).cloned().collect();
    notified(&untold, &others);
    for (house, sequence) in [(erased, 2), (stopped, 1), (untold, 1)] {
        let package = house.package_of("checkup", sequence, &wrong);
        house.receive(&[&package]);
        let refused = house.on(&["ingest"]);
        let taken = &refused.json[0];
        assert_eq!((refused.status, &taken["refused"]), (Some(1), &"quality-refused".into()), "{}", refused.all);
        assert_eq!((&taken["destroyed"], &taken["patients_refused"]), (&true.into(), &1.into()), "{}", refused.all);
        assert_eq!(kept(&house), 0, "nothing of it is kept");
        let said: serde_json::Value = serde_json::from_str(&told(&house, sequence, "refused.json")).expect("json");
        assert_eq!((&said["code"], &said["package_bytes"]), (&"quality-refused".into(), &"destroyed".into()), "{said}");
        assert!(said["checks"].to_string().contains("measurement_date.plausibleAfterBirth"), "{said}");
        assert!(said["reason_ja"].as_str().is_some_and(|t| t.contains("破棄")), "{said}");
        let rejections = told(&house, sequence, "rejections.csv");
        assert!(rejections.contains(&ids[7]) && !rejections.contains(&ids[3]), "{rejections}");
        assert!(ids.iter().all(|id| !house.all_said().contains(id)), "nobody but the hospital reads who it is");

        // As it is, it does not come in either when it is delivered again.
        house.receive(&[&package]);
        assert_eq!(house.on(&["ingest"]).json[0]["refused"], "quality-refused");
        assert_eq!(kept(&house), 0);
        // Unless somebody says that it is right.
        let right = house.copy();
        let id = taken["package"].as_str().expect("an id");
        let released = right.on(&["quality", "release", "--package", id, "--reason", "the hospital says so"]).done();
        assert_eq!(released["to_be_delivered"], true, "{released}");
        assert_eq!(right.on(&["quality", "release", "--package", id, "--reason", "x"]).refused(), "quality-not-held");
        right.receive(&[&package]);
        let taken = right.on(&["ingest"]).done();
        assert_eq!((&taken[0]["patients_in"], &taken[0]["destroyed"]), (&59.into(), &true.into()), "{taken}");
        assert_eq!((kept(&right), right.faults()), (0, Vec::new()));
        // Mended, it comes in under its number.
        let (mended, _) = checkups(&house, "mended", "R6.10.12");
        house.receive(&[&house.package_of("checkup", sequence, &mended)]);
        assert_eq!(house.on(&["ingest"]).done()[0]["patients_in"], 59);
        assert_eq!(house.faults(), Vec::<String>::new());
    }
}

// control: NOT-03
#[test]
fn an_erasure_that_was_killed_is_finished_for_a_package_that_is_held_back_at_the_next_start() {
    let (house, id, ids) = held();
    let erase = |house: &House| {
        let args = house.with_instance(&["opt-out", "--provider", PROVIDER, "--patient", &ids[3], "--erase"]);
        house.command(&args)
    };
    let whole = house.copy();
    let trace = whole.path().join("trace");
    let out = erase(&whole).env("AZEKURA_FAILPOINT_TRACE", &trace).output().expect("the program");
    assert!(out.status.success());
    let trace = fs::read_to_string(&trace).expect("a trace");
    let names: Vec<&str> = trace.lines().collect();
    let points = names.len();
    // Each kind of step where it is first come to, and a spread of all of them.
    let first = |nth: &usize| !names[..nth - 1].contains(&names[nth - 1]);
    let steps: BTreeSet<usize> = (1..=points).filter(first).chain((1..=points).step_by((points / 12).max(1))).collect();
    let (mut unknown, mut left) = (0, 0);
    for nth in steps {
        let house = house.copy();
        let out = erase(&house).env("AZEKURA_FAILPOINT", format!("#{nth}=kill")).output().expect("the program");
        assert_eq!(out.status.signal(), Some(9), "step {nth} of {points}");
        let before = (kept(&house), report(&house, 1).exists());
        // The next command, whatever it is.
        house.on(&["ingest"]);
        let known = house.journal().iter().any(|e| e.to_string().contains("a person stops provision"));
        if !known {
            assert_eq!((kept(&house), report(&house, 1).exists()), (1, true), "step {nth}: nobody said no yet");
            unknown += 1;
            continue;
        }
        left += usize::from(before != (0, false));
        assert_eq!((kept(&house), report(&house, 1).exists()), (0, false), "step {nth} of {points}, which left {before:?}");
        assert_eq!(house.on(&["quality", "release", "--package", &id, "--reason", "x"]).refused(), "quality-not-held");
        if before != (0, false) {
            assert!(erase(&house).output().expect("the program").status.success(), "step {nth}: the same again");
            assert_eq!(house.faults(), Vec::<String>::new(), "step {nth}");
        }
    }
    println!("{unknown} kills before anybody knew, {left} that left something, of {points} steps");
    assert!(unknown > 0 && left > 1, "{unknown} kills before anybody knew, {left} that left something, of {points}");
}

#[test]
fn a_report_that_was_not_fetched_is_taken_back_when_its_hospital_is_suspended_or_ended_or_has_another_certificate() {
    let (house, ..) = held();
    let other = party("hospital-of-later", "30").cert;
    let renew = ["provider", "renew", "--id", PROVIDER, "--cert", text(&other)];
    let of = |word: &'static str| ["provider", word, "--id", PROVIDER];
    for args in [&of("suspend")[..], &of("end"), &renew] {
        let house = house.copy();
        house.on(args).done();
        assert!(!report(&house, 1).exists(), "{args:?}");
        assert_eq!(kept(&house), 1, "the package itself waits on");
        assert_eq!(house.faults(), Vec::<String>::new());
    }
    // Also when that broke off where the ledger knew of it already.
    for args in [&of("suspend")[..], &of("end")] {
        let house = house.copy();
        let mut command = house.command(&house.with_instance(args));
        let out = command.env("AZEKURA_FAILPOINT", "ledger.commit.after=kill").output().expect("the program");
        assert_eq!(out.status.signal(), Some(9), "{args:?}");
        house.on(&["ingest"]);
        assert!(!report(&house, 1).exists(), "{args:?}");
    }
    // Who takes part again gets it anew.
    house.on(&of("suspend")).done();
    house.on(&of("resume")).done();
    house.on(&["ingest"]);
    assert!(!report(&house, 1).exists());
}
