//! Data sets that nobody wants any more.

use std::fs;

use crate::keys::{delivered, hospital, ids, keys_of, linkable, query_of};
use crate::kit::{House, text};
use crate::leaving::stuck_delivery;
use crate::refusals::{entries, taken_in};

fn end(house: &House, id: &str) -> crate::kit::Said {
    house.on(&["dataset", "end", id, "--reason", "the study was given up"])
}

#[test]
fn a_data_set_that_nobody_wants_ends_at_any_step_and_nothing_of_it_is_left() {
    let house = taken_in();
    let sealed = |house: &House| entries(&house.instance().join("sealed"));
    let before = sealed(&house);
    let profile = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/pseudonymized.toml");
    let planned = house.on(&["dataset", "plan", "--profile", text(&profile)]).done()["id"].as_str().expect("an id").to_owned();
    assert_eq!(end(&house, &planned).done()["state"], "withdrawn");
    let approved = house.planned();
    end(&house, &approved).done();
    assert_eq!(house.on(&["dataset", "make", &approved]).refused(), "governance-wrong-state");
    assert_eq!(sealed(&house), before);
    let made = house.planned();
    house.make(&made);
    house.approve(&made);
    assert!(sealed(&house) > before);
    assert_eq!(house.on(&["dataset", "end", &made, "--reason", ""]).status, Some(1), "a reason is asked for");
    assert_eq!(house.dataset_state(&made), "two_person_check");
    end(&house, &made).done();
    // The ids of its project stay: another data set of the same study has the same.
    assert_eq!(sealed(&house), before + 1);
    for (step, code) in
        [("make", "governance-wrong-state"), ("deliver", "governance-wrong-state"), ("end", "governance-wrong-state")]
    {
        let said = if step == "end" { end(&house, &made) } else { house.on(&["dataset", step, &made]) };
        assert_eq!(said.refused(), code, "{step}");
    }
    assert_eq!(house.dataset_state(&made), "withdrawn");
    assert!(house.journal().iter().any(|e| e["event"] == "dataset_moved" && e["purpose"] == "the study was given up"));
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_delivery_that_waits_is_taken_back_by_an_end_and_one_that_has_left_is_not() {
    let (house, id, outbox) = stuck_delivery();
    let gone = house.copy();
    fs::remove_file(gone.instance().join("outbox/recipient")).expect("out of the way");
    gone.on(&["ingest"]).done();
    assert_eq!(end(&gone, &id).refused(), "core-dataset-has-left");
    assert_eq!((gone.dataset_state(&id).as_str(), gone.faults()), ("delivered", Vec::new()));
    // Killed anywhere, the same end goes on.
    for nth in 1..6 {
        let broken = house.copy();
        let args = broken.with_instance(&["dataset", "end", &id, "--reason", "the study was given up"]);
        let out =
            broken.command(&args).env("AZEKURA_FAILPOINT", format!("remove_tree#{nth}=kill")).output().expect("the program");
        let done = out.status.code() == Some(0);
        fs::remove_file(broken.instance().join("outbox/recipient")).expect("out of the way");
        broken.on(&["ingest"]).done();
        let state = broken.dataset_state(&id);
        assert!(state == "withdrawn" || (state == "delivered" && !done), "at {nth}: {state}");
        assert_eq!(broken.instance().join(format!("outbox/recipient/{id}.azp")).exists(), state == "delivered", "at {nth}");
        assert_eq!(broken.faults(), Vec::<String>::new(), "at {nth}");
    }
    end(&house, &id).done();
    assert_eq!(entries(&house.instance().join("pending/recipient")), 0);
    fs::remove_file(&outbox).expect("out of the way");
    house.on(&["ingest"]).done();
    assert!(!outbox.join(format!("{id}.azp")).exists());
    assert_eq!((house.dataset_state(&id).as_str(), house.faults()), ("withdrawn", Vec::new()));
}

// control: PDB-01
#[test]
fn of_a_linkable_data_set_that_has_left_the_table_of_ids_is_given_up_with_its_open_lists() {
    let hospital = hospital();
    let house = &hospital.house;
    let (id, persons) = delivered(house, &linkable(house), &[], "recipient", "person");
    let (query, list) = delivered(house, &query_of(house, &id), &[], "body", "linkage_query");
    assert!(ids(&list).is_subset(&ids(&persons)));
    let keys = house.planned_with(&keys_of(house, &query));
    let second = house.planned_with(&query_of(house, &id));
    house.make(&second);
    let other = house.planned();
    let ended = end(house, &id).done();
    assert_eq!((&ended["state"], &ended["ids_given_up"]), (&"delivered".into(), &true.into()), "{ended}");
    let mut lists: Vec<&str> = ended["lists"].as_array().expect("lists").iter().filter_map(|l| l.as_str()).collect();
    lists.sort_unstable();
    let mut open = [keys.as_str(), second.as_str()];
    open.sort_unstable();
    assert_eq!(lists, open);
    assert_eq!(
        [&keys, &second, &query, &other].map(|id| house.dataset_state(id)),
        ["withdrawn", "withdrawn", "delivered", "approved"]
    );
    let again = house.planned_with(&query_of(house, &id));
    assert_eq!(house.on(&["dataset", "make", &again]).refused(), "core-keys-ids-gone");
    assert_eq!(end(house, &id).refused(), "core-dataset-has-left");
    assert_eq!(house.faults(), Vec::<String>::new());
}
