//! What must not happen around the lists for linkage keys: names for a data set that goes back, keys before it has left, ids that can still
//! be told after the keys, one key for two, and data sets beside it that it can be joined with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::keys::{ANYBODY, Hospital, answer, csv_of, delivered, hospital, ids, keys_of, linkable, order, query_of};
use crate::kit::{House, party, text};
use crate::refusals::entries;

fn made(house: &House, profile: &Path) -> String {
    let id = house.planned_with(profile);
    house.make(&id);
    house.approve(&id);
    id
}

fn deliver(house: &House, id: &str) -> crate::kit::Said {
    house.on(&["dataset", "deliver", id])
}

/// The rows of a list that a body got.
fn list_of(house: &House, query: &str) -> Vec<Vec<String>> {
    let package = house.instance().join(format!("outbox/history/{query}.azp"));
    csv_of(&house.open(&package, &party("body", "30")), "linkage_query")
}

/// A data set and its query, both delivered, and who is in the query.
fn asked() -> (Hospital, String, String, BTreeSet<String>) {
    let hospital = hospital();
    let house = &hospital.house;
    let (id, _) = delivered(house, &linkable(house), &[], "recipient", "person");
    let (query, list) = delivered(house, &query_of(house, &id), &[], "body", "linkage_query");
    let asked = ids(&list);
    (hospital, id, query, asked)
}

// control: PDB-02 PDB-07
#[test]
fn keys_are_given_for_what_was_handed_over_and_names_for_nothing_that_goes_back() {
    let hospital = hospital();
    let house = &hospital.house;
    let id = house.planned_with(&linkable(house));
    house.make(&id);
    // A list may go ahead of the two approvals of its data set; keys may not.
    let (query, list) = delivered(house, &query_of(house, &id), &[], "body", "linkage_query");
    let keys = house.planned_with(&keys_of(house, &query));
    let file = answer(house, "answer.csv", &ids(&list));
    let make = |house: &House| house.on(&["dataset", "make", &keys, "--keys", text(&file)]);
    assert_eq!(make(house).refused(), "core-keys-not-handed-over");
    let right = house.copy();
    right.approve(&id);
    assert_eq!(make(&right).refused(), "core-keys-not-handed-over");
    deliver(&right, &id).done();
    make(&right).done();
    right.approve(&keys);
    deliver(&right, &keys).done();
    assert_eq!(right.faults(), Vec::<String>::new());
    // Somebody says no who is in the data set and in no list: it cannot leave as it is.
    let second = made(house, &query_of(house, &id));
    let third = house.planned_with(&query_of(house, &id));
    hospital.no(house, hospital.uninsured(), &[]);
    assert_eq!(house.on(&["dataset", "make", &third]).refused(), "core-keys-base-doomed");
    assert_eq!(deliver(house, &second).refused(), "core-keys-base-doomed");
    assert_eq!((house.dataset_state(&second).as_str(), entries(&house.instance().join("pending/history"))), ("building", 0));
    assert!(!house.instance().join(format!("outbox/history/{second}.azp")).exists());
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: PDB-02
#[test]
fn once_the_keys_are_handed_over_nothing_says_whose_the_ids_are() {
    let (hospital, id, query, asked) = asked();
    let house = &hospital.house;
    let file = answer(house, "answer.csv", &asked);
    let keys = |house: &House| {
        let keys = house.planned_with(&keys_of(house, &query));
        house.on(&["dataset", "make", &keys, "--keys", text(&file)]).done();
        house.approve(&keys);
        keys
    };
    let planned = house.planned_with(&query_of(house, &id));
    let first = keys(house);
    // An earlier copy of everything but the keyring, with nothing else made of these ids, opens them no more.
    let (alone, before) = (house.copy(), house.copy());
    deliver(&alone, &first).done();
    let with_todays_keys = before.copy();
    fs::copy(alone.instance().join("keyring.azk"), with_todays_keys.instance().join("keyring.azk")).expect("copied");
    assert_eq!(before.make(&planned)["persons"], asked.len(), "with the keys of then it was there");
    assert_ne!(with_todays_keys.on(&["dataset", "make", &planned]).status, Some(0));
    assert_eq!(alone.faults(), Vec::<String>::new());
    // What else was made of them goes with them.
    let second = keys(house);
    let other = made(house, &query_of(house, &id));
    let before = house.copy();
    deliver(house, &first).done();
    for list in [&other, &second] {
        assert_eq!(house.dataset_state(list), "building", "what has not left names nobody any more");
        assert_ne!(deliver(house, list).status, Some(0));
    }
    assert_eq!(house.on(&["dataset", "make", &other]).refused(), "core-keys-ids-gone");
    assert_eq!(entries(&house.instance().join("pending/history")), 0);
    assert_eq!(house.faults(), Vec::<String>::new());
    fs::copy(house.instance().join("keyring.azk"), before.instance().join("keyring.azk")).expect("copied");
    assert_ne!(deliver(&before, &other).status, Some(0), "nor do its names leave an earlier copy");
}

// control: PDB-02
#[test]
fn a_person_who_is_one_with_somebody_who_was_not_asked_for_gets_no_key() {
    let (hospital, _, query, asked) = asked();
    let house = &hospital.house;
    let records = house.sql("select record_id as r, year_of_birth as y, month_of_birth as m, day_of_birth as d from person");
    let record = |patient: &str| {
        let born = hospital.truth.iter().find(|t| t["local_patient_id"] == patient).map(|t| t["birth_date"].clone());
        let cell = |row: &serde_json::Value, name: &str| row[name].to_string().trim_matches('"').to_owned();
        let date = |row: &serde_json::Value| format!("{}-{:0>2}-{:0>2}", cell(row, "y"), cell(row, "m"), cell(row, "d"));
        let found: Vec<String> = records.iter().filter(|r| Some(date(r)) == born).map(|r| cell(r, "r")).collect();
        assert_eq!(found.len(), 1, "born on a day of nobody else: {}", records[0]);
        found[0].clone()
    };
    let (insured, other) = (record(hospital.insured()), record(hospital.uninsured()));
    for clerk in ["suzuki", "tanaka"] {
        house.on(&["link", "decide", &insured, &other, "--as", "same", "--clerk", clerk, "--reason", "document"]).done();
    }
    house.on(&["link"]).done();
    let keys = house.planned_with(&keys_of(house, &query));
    let file = answer(house, "answer.csv", &asked);
    let made = house.on(&["dataset", "make", &keys, "--keys", text(&file)]).done();
    assert_eq!((made["relinked"].as_u64(), made["persons"].as_u64()), (Some(1), Some(asked.len() as u64 - 1)), "{made}");
}

// control: PDB-07
#[test]
fn who_has_no_key_in_the_answer_is_counted_apart_and_the_page_that_leaves_says_no_reasons() {
    let (hospital, _, query, asked) = asked();
    let house = &hospital.house;
    hospital.no(house, hospital.insured(), &[]);
    let few: BTreeSet<String> = asked.iter().take(asked.len() - 7).cloned().collect();
    let keys = house.planned_with(&keys_of(house, &query));
    let made = house.on(&["dataset", "make", &keys, "--keys", text(&answer(house, "few.csv", &few))]).done();
    let (persons, unanswered) = (made["persons"].as_u64().expect("a count"), made["unanswered"].as_u64().expect("a count"));
    assert_eq!((made["opted_out"].as_u64(), persons + unanswered + 1), (Some(1), asked.len() as u64), "{made}");
    assert!(unanswered == 7 || unanswered == 6, "whoever said no is not counted twice: {made}");
    let report = house.path().join("report.html");
    house.on(&["dataset", "report", &keys, "--lang", "en", "--out", text(&report)]).done();
    let page = fs::read_to_string(&report).expect("a page");
    assert!(page.contains(&format!("No key in the answer</th><td>{unanswered}<")) && page.contains("said no"));
    house.approve(&keys);
    deliver(house, &keys).done();
    let opened = house.open(&house.instance().join(format!("outbox/recipient/{keys}.azp")), &party("recipient", "30"));
    let (_, page) = opened.iter().find(|(name, _)| name.ends_with("report.en.html")).expect("the page");
    let page = String::from_utf8(page.clone()).expect("text");
    assert!(page.contains(&format!("for whatever reason</th><td>{}<", unanswered + 1)), "{page}");
    assert!(!page.contains("Left out:") && !page.contains("No key in the answer"), "{page}");
}

// control: PDB-02
#[test]
fn a_body_has_a_key_that_is_nobody_elses() {
    let house = House::new();
    let cert = |name: &str| party(name, "30").cert;
    let add = |kind: &str, id: &str, name: &str| house.on(&[kind, "add", "--id", id, "--cert", text(&cert(name))]);
    for name in ["recipient", "hospital"] {
        assert_eq!(add("body", "history", name).refused(), "core-party-certificate-taken", "{name}");
    }
    add("body", "history", "body").done();
    for kind in ["recipient", "provider"] {
        assert_eq!(add(kind, "other", "body").refused(), "core-party-certificate-taken", "{kind}");
    }
    let renew = |kind: &str, id: &str, name: &str| house.on(&[kind, "renew", "--id", id, "--cert", text(&cert(name))]);
    assert_eq!(renew("body", "history", "recipient").refused(), "core-party-certificate-taken");
    assert_eq!(renew("recipient", "recipient", "body").refused(), "core-party-certificate-taken");
    // Also a key that was theirs, and one that comes back.
    renew("recipient", "recipient", "recipient-2").done();
    assert_eq!(renew("body", "history", "recipient").refused(), "core-party-certificate-taken");
    renew("body", "history", "body-2").done();
    assert_eq!(add("recipient", "other", "body").refused(), "core-party-certificate-taken");
    house.on(&["recipient", "end", "--id", "recipient"]).done();
    assert_eq!(add("recipient", "recipient", "body-2").refused(), "core-party-certificate-taken");
    add("recipient", "recipient", "recipient-3").done();
}

// control: PDB-02
#[test]
fn nobody_is_named_for_a_recipient_that_takes_no_part() {
    let hospital = hospital();
    let house = &hospital.house;
    let (id, _) = delivered(house, &linkable(house), &[], "recipient", "person");
    let planned = house.planned_with(&query_of(house, &id));
    let waiting = made(house, &query_of(house, &id));
    let order = query_of(house, &id);
    for word in ["suspend", "end"] {
        let house = house.copy();
        house.on(&["recipient", word, "--id", "recipient"]).done();
        assert_eq!(house.on(&["dataset", "plan", "--profile", text(&order)]).refused(), "core-keys-base-recipient");
        assert_eq!(house.on(&["dataset", "make", &planned]).refused(), "core-keys-base-recipient");
        assert_eq!(deliver(&house, &waiting).refused(), "core-keys-base-recipient");
        assert!(!house.instance().join(format!("outbox/history/{waiting}.azp")).exists());
        if word == "suspend" {
            house.on(&["recipient", "resume", "--id", "recipient"]).done();
            deliver(&house, &waiting).done();
            assert!(!list_of(&house, &waiting).is_empty());
        } else {
            assert_eq!(house.dataset_state(&waiting), "building");
        }
        assert_eq!(house.faults(), Vec::<String>::new());
    }
}

/// A shipped profile with the other data sets named that it may go beside.
pub fn beside(house: &House, profile: &Path, others: &[&str]) -> PathBuf {
    let content = fs::read_to_string(profile).expect("a profile");
    let path = tempfile::tempdir_in(house.path()).expect("a directory").keep().join("beside.toml");
    fs::write(&path, content.replacen("kind = ", &format!("beside = {others:?}\nkind = "), 1)).expect("written");
    path
}

/// The shipped profile of anonymized data with moved dates, for few people.
pub fn moved(house: &House) -> PathBuf {
    let last = "  { column = \"person.year_of_birth\", to = { band = { width = 40 } } },\n";
    let further = format!(
        "{last}  {{ column = \"person.year_of_birth\", to = \"drop\" }},\n  {{ column = \"person.gender_concept_id\", to = \"drop\" }},\n"
    );
    order(house, "anonymized.toml", &[("k = 10\n", "k = 3\n"), (last, &further), ("rare_persons = 10", "rare_persons = 3")])
}

// control: PDB-01
#[test]
fn a_recipient_does_not_get_true_months_beside_moved_or_exact_dates_of_the_same_people_unless_the_committee_saw_it() {
    let hospital = hospital();
    let house = &hospital.house;
    let pseudonymized = order(house, "pseudonymized.toml", &[]);
    assert_eq!(
        house.on(&["dataset", "plan", "--profile", text(&beside(house, &pseudonymized, &[ANYBODY]))]).refused(),
        "core-dataset-unknown"
    );
    for other in [pseudonymized, moved(house)] {
        for (first, second) in [(linkable(house), other.clone()), (other.clone(), linkable(house))] {
            let house = house.copy();
            let one = house.planned_with(&first);
            let two = house.planned_with(&second);
            house.make(&one);
            assert_eq!(house.on(&["dataset", "make", &two]).refused(), "core-dataset-beside", "made");
            house.approve(&one);
            deliver(&house, &one).done();
            let said = house.on(&["dataset", "make", &two]);
            assert_eq!(said.refused(), "core-dataset-beside", "delivered");
            assert!(said.all.contains(&one), "which");
            let seen = house.planned_with(&beside(&house, &second, &[&one]));
            house.make(&seen);
            let report = house.path().join("report.html");
            house.on(&["dataset", "report", &seen, "--lang", "en", "--out", text(&report)]).done();
            let page = fs::read_to_string(&report).expect("a page");
            assert!(page.contains("can be joined person by person") && page.contains(&one));
            house.approve(&seen);
            deliver(&house, &seen).done();
            assert_eq!(house.faults(), Vec::<String>::new());
        }
    }
}

// control: PDB-01
#[test]
fn what_the_committee_saw_beside_another_lets_both_leave_and_what_was_voided_is_no_hindrance() {
    let hospital = hospital();
    let house = &hospital.house;
    let one = made(house, &linkable(house));
    let pseudonymized = order(house, "pseudonymized.toml", &[]);
    let two = made(house, &beside(house, &pseudonymized, &[&one]));
    deliver(house, &two).done();
    // The first names nobody, but the other was made beside it and seen.
    let voided = house.copy();
    deliver(house, &one).done();
    // Voided by a no, the first is to be made again, and then it is the later one.
    hospital.no(&voided, hospital.uninsured(), &[]);
    assert_eq!(deliver(&voided, &one).refused(), "core-dataset-voided");
    assert_eq!(voided.on(&["dataset", "make", &one]).refused(), "core-dataset-beside");
}
