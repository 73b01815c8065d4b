//! Linkable data sets, the list that a body is asked by, and the keys that it gave: on the real program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::kit::{House, files, party, tar, text};
use crate::refusals::entries;

/// The rows of a table of what was opened, without the heading.
pub fn csv_of(opened: &[(String, Vec<u8>)], table: &str) -> Vec<Vec<String>> {
    let (_, bytes) = opened.iter().find(|(name, _)| name.ends_with(&format!("csv/{table}.csv"))).expect("the table");
    let rows = csv::Reader::from_reader(bytes.as_slice()).into_records();
    rows.map(|r| r.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// A hospital of synthetic people, taken in and linked.
pub struct Hospital {
    pub house: House,
    pub provider: String,
    /// The truth, by column.
    pub truth: Vec<BTreeMap<String, String>>,
}

impl Hospital {
    /// Local id of the first person of whom this is true, and who is nothing special.
    fn patient(&self, wanted: impl Fn(&str) -> bool) -> &str {
        let plain = |row: &&BTreeMap<String, String>| wanted(&row["insurer_number"]) && !row["flags"].contains("set_aside");
        &self.truth.iter().find(plain).expect("such a person")["local_patient_id"]
    }

    /// Somebody with an insurance card.
    pub fn insured(&self) -> &str {
        self.patient(|insurer| !insurer.is_empty() && !insurer.starts_with("12"))
    }

    /// Somebody without one.
    pub fn uninsured(&self) -> &str {
        self.patient(str::is_empty)
    }

    pub fn no(&self, house: &House, patient: &str, more: &[&str]) {
        house.on(&[&["opt-out", "--provider", &self.provider, "--patient", patient], more].concat()).done();
        house.on(&["link"]).done();
    }
}

/// The same for every test, made once.
pub fn hospital() -> Hospital {
    static FIRST: OnceLock<Hospital> = OnceLock::new();
    let first = FIRST.get_or_init(settled);
    Hospital { house: first.house.copy(), provider: first.provider.clone(), truth: first.truth.clone() }
}

fn settled() -> Hospital {
    let house = House::new();
    let made = house.path().join("synth");
    house.run(&["synth", "--persons", "60", "--providers", "1", "--seed", "7", "--out", text(&made)]).done();
    let dirs = |path: &Path| -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = fs::read_dir(path).expect("listable").map(|e| e.expect("an entry").path()).collect();
        all.sort();
        all
    };
    let place = dirs(&made).into_iter().find(|p| p.join("storage").is_dir()).expect("a provider");
    let provider = place.file_name().and_then(|n| n.to_str()).expect("a name").to_owned();
    let mut reader = csv::Reader::from_path(made.join("truth.csv")).expect("a truth");
    let heads = reader.headers().expect("a heading").clone();
    let row = |r: csv::StringRecord| heads.iter().map(str::to_owned).zip(r.iter().map(str::to_owned)).collect();
    let truth: Vec<BTreeMap<String, String>> = reader.records().map(|r| row(r.expect("a row"))).collect();
    let patients: Vec<&str> = truth.iter().map(|r| r["local_patient_id"].as_str()).collect();
    house.on(&["provider", "add", "--id", &provider, "--cert", text(&party("synth-hospital", "30").cert)]).done();
    house.notified_at(&provider, &patients);
    let tree = files(&place.join("storage"), |_| true);
    let package = house.package_by(&party("synth-hospital", "30"), &provider, &house.intake(), 1, |w| tar(w, &tree));
    house.receive(&[&package]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    house.on(&["body", "add", "--id", "history", "--cert", text(&party("body", "30").cert)]).done();
    Hospital { house, provider, truth }
}

/// Writes a profile or an order of the shipped ones with some lines changed.
pub fn order(house: &House, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles").join(name);
    let mut content = fs::read_to_string(shipped).expect("shipped");
    for (from, to) in changes {
        assert!(content.contains(from), "{from}");
        content = content.replace(from, to);
    }
    let dir = tempfile::tempdir_in(house.path()).expect("a directory").keep();
    let path = dir.join(name);
    fs::write(&path, content).expect("written");
    path
}

pub const ANYBODY: &str = "00000000-0000-0000-0000-000000000000";

/// The shipped profile for few people.
pub fn linkable(house: &House) -> PathBuf {
    let last = "  { column = \"person.year_of_birth\", to = { band = { width = 40 } } },\n";
    let further = format!(
        "{last}  {{ column = \"person.year_of_birth\", to = \"drop\" }},\n  {{ column = \"person.gender_concept_id\", to = \"drop\" }},\n"
    );
    let changes = [("k = 10\n", "k = 3\n"), (last, &further), ("rare_persons = 10", "rare_persons = 3")];
    order(house, "linkable.toml", &changes)
}

pub fn query_of(house: &House, dataset: &str) -> PathBuf {
    order(house, "linkage-query.toml", &[(ANYBODY, dataset), ("\"full\"", "\"half\"")])
}

pub fn keys_of(house: &House, query: &str) -> PathBuf {
    order(house, "linkage-keys.toml", &[(ANYBODY, query)])
}

/// Plans, makes, approves and delivers; the id and the columns of a table of what its receiver opens.
pub fn delivered(house: &House, profile: &Path, make: &[&str], to: &str, table: &str) -> (String, Vec<Vec<String>>) {
    let id = house.planned_with(profile);
    house.on(&[&["dataset", "make", &id], make].concat()).done();
    house.approve(&id);
    let package = house.on(&["dataset", "deliver", &id]).done()["package"].as_str().expect("a package").to_owned();
    let opened = house.open(Path::new(&package), &party(to, "30"));
    (id, csv_of(&opened, table))
}

pub fn ids(rows: &[Vec<String>]) -> BTreeSet<String> {
    rows.iter().map(|r| r[0].clone()).collect()
}

/// What a body would give back: a key for each id.
pub fn answer(house: &House, name: &str, ids: &BTreeSet<String>) -> PathBuf {
    let rows: String = ids.iter().enumerate().map(|(n, id)| format!("{id},KEY{n:05}\n")).collect();
    let path = house.path().join(name);
    fs::write(&path, format!("\u{feff}provision_id,linkage_key\r\n{rows}")).expect("written");
    path
}

// control: PDB-01 PDB-02 PDB-03 PDB-07
#[test]
fn a_linkable_data_set_gets_its_keys_by_two_steps_that_are_approved_each_and_leave_nothing_behind() {
    let hospital = hospital();
    let house = &hospital.house;
    let (id, persons) = delivered(house, &linkable(house), &[], "recipient", "person");
    let provision = ids(&persons);
    assert!(provision.len() > 40 && provision.iter().all(|id| id.len() == 15), "{provision:?}");

    // The list goes to a body and to nobody else, of a linkable data set and of no other, and not before the database has decided.
    let plan = |path: &Path| house.on(&["dataset", "plan", "--profile", text(path)]);
    let to_recipient = order(house, "linkage-query.toml", &[(ANYBODY, &id), ("\"history\"", "\"recipient\"")]);
    assert_eq!(plan(&to_recipient).refused(), "core-unknown-party");
    let other = house.planned();
    assert_eq!(plan(&query_of(house, &other)).refused(), "core-keys-not-linkable");
    let undecided = fs::read_to_string(query_of(house, &id)).expect("written").replace("2026-04-01", "2999-04-01");
    let path = house.path().join("undecided.toml");
    fs::write(&path, undecided.clone()).expect("written");
    assert_eq!(plan(&path).refused(), "core-keys-grant-future");
    fs::write(&path, undecided.replace("[[grant]]", "[[other]]")).expect("written");
    assert_eq!(plan(&path).refused(), "anonymity-profile-unreadable");

    let query = house.planned_with(&query_of(house, &id));
    let made = house.make(&query);
    let asked = made["persons"].as_u64().expect("a count");
    assert!(asked > 30 && asked <= provision.len() as u64, "{made}");
    let by_class: u64 = made["coverage"].as_array().expect("classes").iter().map(|c| c["asked"].as_u64().expect("a count")).sum();
    assert_eq!(by_class, asked, "{made}");
    assert_eq!(house.on(&["dataset", "deliver", &query]).refused(), "governance-too-few-approvals");
    let report = house.path().join("report.html");
    house.on(&["dataset", "report", &query, "--out", text(&report)]).done();
    assert!(fs::read_to_string(&report).expect("a page").contains("<table>"));
    house.approve(&query);
    let package = house.on(&["dataset", "deliver", &query]).done()["package"].as_str().expect("a package").to_owned();
    assert!(package.contains("/outbox/history/"), "{package}");
    let opened = house.open(Path::new(&package), &party("body", "30"));
    let list = csv_of(&opened, "linkage_query");
    assert!(ids(&list).is_subset(&provision) && list.len() as u64 == asked);
    // Nothing of anybody's care, and nobody but who is in the truth.
    let names: Vec<&str> = opened.iter().map(|(name, _)| name.as_str()).filter(|n| n.ends_with(".csv")).collect();
    assert_eq!(names, ["csv/linkage_query.csv"]);
    for row in &list {
        assert!(row[1].len() == 8 || row[1].len() == 6, "an insurer number in half width: {}", row[1].len());
        assert!(!row[3].is_empty() && !row[3].starts_with('0'), "a number without zeros before it");
        let birth = format!("{}-{}-{}", &row[6][..4], &row[6][4..6], &row[6][6..]);
        assert!(hospital.truth.iter().any(|t| t["birth_date"] == birth), "a birth date of the truth");
    }

    // Keys come back by the ids, and a file that is not right is taken not at all.
    let keys = house.planned_with(&keys_of(house, &query));
    assert_eq!(house.on(&["dataset", "make", &keys]).refused(), "core-keys-file-missing");
    let right = answer(house, "answer.csv", &ids(&list));
    let content = fs::read_to_string(&right).expect("written");
    let first = ids(&list).into_iter().next().expect("an id");
    let wrong = house.path().join("wrong.csv");
    for (spoilt, line) in [
        (content.replacen("provision_id", "person", 1), 1),
        (content.replacen(&first, "123456789012345", 1), 2),
        (content.replacen(&format!("{first},KEY00000"), &format!("{first},"), 1), 2),
        (content.replacen("KEY00001", "KEY,00001", 1), 3),
        (content.replacen("KEY00002", "=KEY", 1), 4),
        (content.replacen("KEY00002", &list[5][6], 1), 4),
        (content.replacen("KEY00002", &list[5][3], 1), 4),
        (content.replacen("KEY00002", &list[5][0], 1), 4),
        (format!("{content}{first},KEY99999\n"), list.len() + 2),
    ] {
        fs::write(&wrong, spoilt).expect("written");
        let said = house.on(&["dataset", "make", &keys, "--keys", text(&wrong)]);
        assert_eq!(said.refused(), "core-keys-line", "line {line}");
        assert!(said.all.contains(&format!("line {line},")) || said.all.contains(&format!("{line} 行目")), "{}", said.all);
        assert!(!said.all.contains(&first) && !said.all.contains("KEY9"), "no id and no key is told");
    }
    let pseudonymized = house.planned();
    assert_eq!(house.on(&["dataset", "make", &pseudonymized, "--keys", text(&right)]).refused(), "core-keys-file-unasked");
    house.on(&["dataset", "make", &keys, "--keys", text(&right)]).done();
    house.approve(&keys);
    house.on(&["dataset", "deliver", &keys]).done();
    let package = house.instance().join(format!("outbox/recipient/{keys}.azp"));
    let got = csv_of(&house.open(&package, &party("recipient", "30")), "linkage_keys");
    assert_eq!(ids(&got), ids(&list), "a key for everybody who was asked for");
    let given: BTreeMap<&str, &str> = content.lines().skip(1).filter_map(|l| l.trim().split_once(',')).collect();
    assert!(got.iter().all(|row| given[row[0].as_str()] == row[1]));

    // Which id is whose is nowhere any more, and nothing is wrong with that.
    let again = house.planned_with(&query_of(house, &id));
    assert_eq!(house.on(&["dataset", "make", &again]).refused(), "core-keys-ids-gone");
    assert_eq!(house.faults(), Vec::<String>::new());
    let said = house.all_said();
    for row in &list {
        assert!(!said.contains(&row[0]) && !said.contains(&row[5]), "no id and no name is printed");
    }
}

// control: PDB-01 NOT-03
#[test]
fn who_says_no_is_in_no_list_for_keys_and_in_no_keys_that_come_back() {
    let hospital = hospital();
    let house = &hospital.house;
    let (id, persons) = delivered(house, &linkable(house), &[], "recipient", "person");
    let (query, all) = delivered(house, &query_of(house, &id), &[], "body", "linkage_query");
    let who = hospital.insured();
    // Before a list is made: one fewer.
    let before = house.copy();
    hospital.no(&before, who, &[]);
    let (_, fewer) = delivered(&before, &query_of(&before, &id), &[], "body", "linkage_query");
    let gone: BTreeSet<String> = ids(&all).difference(&ids(&fewer)).cloned().collect();
    assert_eq!((gone.len(), persons.len() >= all.len()), (1, true));
    // While it waits for its approvals: it goes back.
    let while_waiting = house.copy();
    let waiting = while_waiting.planned_with(&query_of(&while_waiting, &id));
    while_waiting.make(&waiting);
    while_waiting.approve(&waiting);
    hospital.no(&while_waiting, who, &[]);
    assert!(
        ["governance-wrong-state", "core-dataset-voided"]
            .contains(&while_waiting.on(&["dataset", "deliver", &waiting]).refused())
    );
    assert_eq!(while_waiting.dataset_state(&waiting), "building");
    assert_eq!(entries(&while_waiting.instance().join("pending/history")), 0);
    // When the keys come back: theirs is not handed over, even by an erasure.
    for erase in [false, true] {
        let after = house.copy();
        let keys = after.planned_with(&keys_of(&after, &query));
        let file = answer(&after, "answer.csv", &ids(&all));
        hospital.no(&after, who, if erase { &["--erase"] } else { &[] });
        let said = after.on(&["dataset", "make", &keys, "--keys", text(&file)]);
        if erase {
            // The house does not know any more whose id it was: the file names one that is nobody's.
            assert_eq!(said.refused(), "core-keys-line");
            let rest: BTreeSet<String> = ids(&all).difference(&gone).cloned().collect();
            after.on(&["dataset", "make", &keys, "--keys", text(&answer(&after, "rest.csv", &rest))]).done();
        } else {
            assert_eq!(said.done()["opted_out"], 1);
        }
        after.approve(&keys);
        after.on(&["dataset", "deliver", &keys]).done();
        let package = after.instance().join(format!("outbox/recipient/{keys}.azp"));
        let got = csv_of(&after.open(&package, &party("recipient", "30")), "linkage_keys");
        assert!(ids(&got).is_disjoint(&gone) && got.len() + 1 == all.len());
        assert_eq!(after.faults(), Vec::<String>::new());
    }
}

// control: PDB-02
#[test]
fn two_provisions_share_no_id_and_a_list_of_an_earlier_build_does_not_leave() {
    let hospital = hospital();
    let house = &hospital.house;
    let (first, one) = delivered(house, &linkable(house), &[], "recipient", "person");
    // Made again without somebody, its classes are others than those of the first: the committee has seen the two.
    let id = house.planned_with(&crate::more_keys::beside(house, &linkable(house), &[&first]));
    house.make(&id);
    let query = house.planned_with(&query_of(house, &id));
    house.make(&query);
    house.approve(&query);
    // Somebody says no who is in the data set and not in the list: the data set is made again, and its ids are others.
    hospital.no(house, hospital.uninsured(), &[]);
    house.approve(&id);
    assert_eq!(house.on(&["dataset", "deliver", &id]).refused(), "core-dataset-voided");
    let unmade = house.copy();
    assert_eq!(unmade.on(&["dataset", "deliver", &query]).refused(), "core-keys-made-again", "its data set is not made");
    house.make(&id);
    assert_eq!(house.on(&["dataset", "deliver", &query]).refused(), "core-keys-made-again");
    assert_eq!((house.dataset_state(&query).as_str(), entries(&house.instance().join("pending/history"))), ("building", 0));
    house.make(&query);
    house.approve(&query);
    house.approve(&id);
    house.on(&["dataset", "deliver", &id]).done();
    let package = house.instance().join(format!("outbox/recipient/{id}.azp"));
    let two = csv_of(&house.open(&package, &party("recipient", "30")), "person");
    assert_eq!(two.len() + 1, one.len());
    assert!(ids(&one).is_disjoint(&ids(&two)), "no id is in both");
    house.on(&["dataset", "deliver", &query]).done();
    let package = house.instance().join(format!("outbox/history/{query}.azp"));
    let list = csv_of(&house.open(&package, &party("body", "30")), "linkage_query");
    assert!(ids(&list).is_subset(&ids(&two)));
    // A moved date has no place in a linkable data set.
    let shifted = order(house, "linkable.toml", &[("condition_start_date = \"month\"", "condition_start_date = \"shift\"")]);
    assert_eq!(house.on(&["dataset", "plan", "--profile", text(&shifted)]).refused(), "anonymity-below-floor");
    // One id for a body and a recipient would be one directory.
    let cert = party("body", "30").cert;
    assert_eq!(house.on(&["body", "add", "--id", "recipient", "--cert", text(&cert)]).refused(), "core-party-exists");
    assert_eq!(house.on(&["recipient", "add", "--id", "history", "--cert", text(&cert)]).refused(), "core-party-exists");
    assert_eq!(house.faults(), Vec::<String>::new());
}
