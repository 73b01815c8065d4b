//! Releases of the same people add up: what a later one tells beside an earlier one is counted, and stops it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::keys::{hospital, linkable};
use crate::kit::{House, party, text};
use crate::more_keys::{beside, moved};

/// The profile of [`linkable`] with other borders of the years of birth.
fn other_borders(house: &House) -> PathBuf {
    changed(house, &[("width = 5 }", "width = 7 }"), ("width = 10 }", "width = 15 }"), ("width = 20 }", "width = 28 }")])
}

fn changed(house: &House, changes: &[(&str, &str)]) -> PathBuf {
    let mut content = fs::read_to_string(linkable(house)).expect("a profile");
    for (from, to) in changes {
        assert!(content.contains(from), "{from}");
        content = content.replace(from, to);
    }
    let path = tempfile::tempdir_in(house.path()).expect("a directory").keep().join("linkable.toml");
    fs::write(&path, content).expect("written");
    path
}

fn page(house: &House, id: &str) -> String {
    let to = tempfile::tempdir_in(house.path()).expect("a directory").keep().join("report.html");
    house.on(&["dataset", "report", id, "--out", text(&to), "--lang", "en"]).done();
    fs::read_to_string(to).expect("a page")
}

fn made_and_left(house: &House, profile: &Path) -> String {
    let id = house.planned_with(profile);
    house.make(&id);
    house.approve(&id);
    house.on(&["dataset", "deliver", &id]).done();
    id
}

fn few(made: &Value) -> u64 {
    made["cumulative"]["recipient"]["few"].as_u64().expect("a number")
}

// control: PRC-05
#[test]
fn a_second_release_of_the_same_people_in_other_classes_is_stopped_unless_the_committee_saw_it() {
    let hospital = hospital();
    let house = &hospital.house;
    let first = made_and_left(house, &linkable(house));

    // In the same classes it tells no more of anybody's class than the first.
    let again = house.copy();
    let id = again.planned_with(&linkable(house));
    let made = again.make(&id);
    assert_eq!((few(&made), &made["cumulative"]["earlier"][0]["dataset"]), (0, &Value::from(first.as_str())));
    assert!(page(&again, &id).contains("learns no more of a person"));

    // In others it does, by the classes that leave. It waits for nothing: not delivered is enough.
    let second = other_borders(house);
    let id = house.planned_with(&second);
    let said = house.on(&["dataset", "make", &id]);
    assert_eq!(said.refused(), "core-dataset-joined");
    assert!(said.all.contains(&first), "which");

    let id = house.planned_with(&beside(house, &second, &[&first]));
    let made = house.make(&id);
    assert!(few(&made) > 0 && made["cumulative"]["recipient"]["smallest"].as_u64() < Some(3), "{made}");
    let told = page(house, &id);
    assert!(told.contains(&first) && told.contains("the committee decided on the two") && told.contains("narrows some people"));
    house.approve(&id);
    let package = house.on(&["dataset", "deliver", &id]).done()["package"].as_str().expect("a package").to_owned();
    let files = house.open(Path::new(&package), &party("recipient", "30"));
    assert!(files.iter().all(|(name, _)| !name.contains("classes")), "which class somebody was in does not leave");
    // Whoever opened it can hold it against its profile.
    let opened = tempfile::tempdir_in(house.path()).expect("a directory").keep();
    for (name, content) in &files {
        let path = opened.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("written");
    }
    let verified = house.run(&["risk", "verify", text(&opened)]).done();
    assert_eq!(verified["persons"], made["persons"]);
    assert!(verified["smallest_class"].as_u64() >= Some(3), "{verified}");
    // What it tells beside others stands on the pages, where small numbers are masked.
    let report = fs::read_to_string(opened.join("report.json")).expect("the numbers of the report");
    assert!(report.contains("persons_after") && !report.contains("cumulative"), "{report}");
    let finds = |rule: &str, place: &str| {
        let said = house.run(&["risk", "verify", text(&opened)]);
        let wrong = said.json["wrong"].as_array().expect("places");
        let there = wrong.iter().any(|w| w["rule"] == rule && w["place"] == place);
        assert!(said.status == Some(1) && there, "{rule} {place}: {}", said.all);
    };
    // Parquet says what CSV says, table by table, and nothing besides.
    let parquet = opened.join("parquet/person.parquet");
    let before = fs::read(&parquet).expect("persons");
    fs::copy(opened.join("parquet/observation_period.parquet"), &parquet).expect("copied");
    finds("differs", "parquet/person.parquet");
    fs::write(&parquet, "person_id,name\n1,SECRET\n").expect("written");
    let said = house.run(&["risk", "verify", text(&opened)]);
    assert!(said.refused() == "anonymity-table-unreadable" && !said.all.contains("SECRET"), "{}", said.all);
    fs::remove_file(&parquet).expect("removed");
    finds("missing", "parquet/person.parquet");
    fs::write(&parquet, &before).expect("written");
    for (name, rule, place) in [
        ("parquet/vault.parquet", "undecided", "vault"),
        ("parquet/vault.txt", "unexpected", "parquet/vault.txt"),
        ("csv/masters.csv", "undecided", "masters"),
        ("csv/person.CSV", "unexpected", "csv/person.CSV"),
        ("person.csv", "unexpected", "person.csv"),
        ("policy.toml", "unexpected", "policy.toml"),
    ] {
        fs::write(opened.join(name), if name.ends_with("parquet") { &before[..] } else { &b"person_id,name\n1,SECRET\n"[..] })
            .expect("written");
        finds(rule, place);
        fs::remove_file(opened.join(name)).expect("removed");
    }
    // Where the tables are there in Parquet alone, these are held.
    let csv = opened.join("csv");
    fs::rename(&csv, house.path().join("csv-kept")).expect("moved");
    let again = house.run(&["risk", "verify", text(&opened)]).done();
    assert_eq!(again["smallest_class"], verified["smallest_class"]);
    fs::rename(house.path().join("csv-kept"), &csv).expect("moved");
    let person = opened.join("csv/person.csv");
    let spoilt = fs::read_to_string(&person).expect("persons").replacen("8507", "8521", 1);
    fs::write(&person, spoilt).expect("written");
    assert_eq!(house.run(&["risk", "verify", text(&opened)]).status, Some(1));
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: PRC-05
#[test]
fn what_others_have_is_told_to_the_officers_and_not_to_the_recipient() {
    let hospital = hospital();
    let house = &hospital.house;
    made_and_left(house, &linkable(house));
    house.on(&["recipient", "add", "--id", "univ-b", "--cert", text(&party("univ-b", "30").cert)]).done();
    let profile = fs::read_to_string(other_borders(house)).expect("a profile");
    let to_other = house.path().join("other.toml");
    fs::write(&to_other, profile.replace("recipient = \"recipient\"", "recipient = \"univ-b\"")).expect("written");
    let id = house.planned_with(&to_other);
    let made = house.make(&id);
    assert_eq!((few(&made), made["cumulative"]["earlier"].as_array().map(Vec::len)), (0, Some(0)));
    assert!(made["cumulative"]["anybody"]["few"].as_u64() > Some(0), "{made}");
    assert!(page(house, &id).contains("anybody has or is to get"));
    house.approve(&id);
    let package = house.on(&["dataset", "deliver", &id]).done()["package"].as_str().expect("a package").to_owned();
    for (name, content) in house.open(Path::new(&package), &party("univ-b", "30")) {
        if name.ends_with(".html") {
            let page = String::from_utf8(content).expect("a page");
            assert!(page.contains("</html>") && !page.contains("anybody has or is to get") && !page.contains("行は提供先には"));
        }
    }
}

// control: PRC-05
#[test]
fn a_bound_of_the_instance_is_held_and_one_that_is_no_share_is_refused() {
    let hospital = hospital();
    let house = &hospital.house;
    made_and_left(house, &linkable(house));
    let id = house.planned_with(&other_borders(house));
    let settings = house.instance().join("azekura.toml");
    let shipped = fs::read_to_string(&settings).expect("settings");
    let bound = |most: &str| fs::write(&settings, shipped.replace("most_joined = 0.0", &format!("most_joined = {most}")));
    assert!(shipped.contains("most_joined = 0.0"));
    bound("1.5").expect("written");
    assert_eq!(house.on(&["dataset", "make", &id]).status, Some(1));
    bound("0.0").expect("written");
    assert_eq!(house.on(&["dataset", "make", &id]).refused(), "core-dataset-joined");
    bound("1.0").expect("written");
    assert!(few(&house.make(&id)) > 0, "told all the same");
}

// control: PRC-05 NOT-03
#[test]
fn who_is_erased_stands_in_no_list_of_classes_and_is_told_as_a_number_alone() {
    let hospital = hospital();
    let house = &hospital.house;
    let first = made_and_left(house, &linkable(house));
    let sizes = || -> Vec<u64> {
        let mut found = Vec::new();
        for entry in fs::read_dir(house.instance().join("sealed")).expect("listable") {
            found.push(entry.expect("an entry").metadata().expect("a file").len());
        }
        found
    };
    let before = sizes();
    hospital.no(house, hospital.uninsured(), &["--erase"]);
    assert_ne!(before, sizes(), "the list was written anew");
    let id = house.planned_with(&beside(house, &linkable(house), &[&first]));
    let made = house.make(&id);
    assert_eq!(made["cumulative"]["recipient"]["few_gone"].as_u64(), Some(1), "{made}");
    assert!(page(house, &id).contains("fewer than 3"), "and not as one");
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: PRC-05
#[test]
fn moved_data_of_the_same_people_are_stopped_too() {
    let hospital = hospital();
    let house = &hospital.house;
    let moved = moved(house);
    let first = made_and_left(house, &moved);
    let id = house.planned_with(&moved);
    // Births move with the dates, by other days each time: the classes are others.
    assert_eq!(house.on(&["dataset", "make", &id]).refused(), "core-dataset-joined");
    let id = house.planned_with(&beside(house, &moved, &[&first]));
    assert!(few(&house.make(&id)) > 0);
}

// control: PRC-05
#[test]
fn naming_one_data_set_takes_it_out_of_no_count_of_all_that_the_recipient_has() {
    let hospital = hospital();
    let house = &hospital.house;
    let first = made_and_left(house, &linkable(house));
    let second = made_and_left(house, &beside(house, &other_borders(house), &[&first]));
    // Beside the first alone it tells nothing new; with the second, which nobody named, it does.
    let id = house.planned_with(&beside(house, &linkable(house), &[&first]));
    let said = house.on(&["dataset", "make", &id]);
    assert_eq!(said.refused(), "core-dataset-joined");
    assert!(said.all.contains(&first) && said.all.contains(&second), "both are to be named: {}", said.all);
    let id = house.planned_with(&beside(house, &linkable(house), &[&first, &second]));
    let made = house.make(&id);
    assert!(few(&made) > 0 && made["cumulative"]["earlier"].as_array().is_some_and(|all| all.len() == 2), "{made}");
}

// control: PRC-05
#[test]
fn a_pseudonymized_data_set_tells_of_the_anonymized_ones_that_its_recipient_has() {
    let hospital = hospital();
    let house = &hospital.house;
    let first = made_and_left(house, &moved(house));
    let id = house.planned();
    let made = house.make(&id);
    assert_eq!(made["cumulative"]["earlier"][0]["dataset"], first.as_str(), "{made}");
    assert!(page(house, &id).contains("no more anonymous"));
    house.approve(&id);
    house.on(&["dataset", "deliver", &id]).done();
    let other = house.planned_with(&beside(house, &moved(house), &[&first]));
    let earlier = house.make(&other)["cumulative"]["earlier"].clone();
    let listed = earlier.as_array().expect("a list").iter().find(|one| one["dataset"] == id.as_str()).expect("listed").clone();
    assert_eq!(listed["classes"], false, "{earlier}");
}

// control: PRC-05
#[test]
fn one_key_is_no_two_recipients() {
    let hospital = hospital();
    let cert = party("recipient", "30").cert;
    let again = hospital.house.on(&["recipient", "add", "--id", "another-name", "--cert", text(&cert)]);
    assert_eq!(again.refused(), "core-party-certificate-taken");
}
