//! What happens to people and packages in the corners of the main job: lists that cannot be read, packages that wait, persons
//! who are known to several providers, data sets that are made again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::kit::{House, IDS, PROVIDER, files, party, renamed, samples, tar, text};

/// Another hospital, which some of the same people attend.
const OTHER: &str = "1319999983";

type Files = Vec<(String, Vec<u8>)>;

fn of(ids: &[&str]) -> Files {
    files(&samples("synthetic-twins"), |n| ids.iter().any(|id| n.contains(id)))
}

fn with_opt_outs(mut files: Files, list: &str) -> Files {
    files.push(("opt-outs.csv".to_owned(), list.as_bytes().to_vec()));
    files
}

/// Adds the other hospital, with a notice to these patients.
fn other_hospital(house: &House, patients: &[&str]) {
    let cert = party("other-hospital", "30").cert;
    house.on(&["provider", "add", "--id", OTHER, "--cert", text(&cert)]).done();
    house.notified_at(OTHER, patients);
}

fn from_other(house: &House, sequence: u64, files: &Files) -> std::path::PathBuf {
    house.package_by(&party("other-hospital", "30"), OTHER, &house.intake(), sequence, |w| tar(w, files))
}

fn entries(dir: &Path) -> usize {
    fs::read_dir(dir).map(Iterator::count).unwrap_or(0)
}

#[test]
fn the_inbox_is_emptied_of_what_the_ledger_knows() {
    let house = House::new();
    house.notified(&IDS);
    let package = house.tree(1, &of(&IDS));
    let inbox = house.instance().join("inbox");
    fs::rename(&package, inbox.join(package.file_name().expect("a name"))).expect("moved");
    let said = house.on(&["receive"]).done();
    assert_eq!(said[0]["state"], "accepted");
    assert_eq!(entries(&inbox), 0, "out of reach of erasure, nothing stays");
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    assert_eq!(house.count("person"), 3);
}

#[test]
fn a_package_named_by_a_relative_path_is_received() {
    let house = House::new();
    let package = house.tree(1, &of(&IDS));
    let args = house.with_instance(&["receive", text(Path::new(package.file_name().expect("a name")))]);
    let mut command = house.command(&args);
    let out = command.current_dir(package.parent().expect("a directory")).output().expect("the program");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
}

// control: NOT-03
#[test]
fn a_scope_that_nobody_can_read_stops_everything() {
    let house = House::new();
    house.notified(&IDS);
    let list = format!("patient,requester,scope,date\n{},person,anonymised only,2026-05-01\n", IDS[0]);
    let received = house.receive(&[&house.tree(1, &with_opt_outs(of(&IDS), &list))]);
    assert_eq!(received[0]["opt_outs"], 1, "{}", received[0]);
    let taken = house.on(&["ingest"]).done();
    assert_eq!((&taken[0]["patients_in"], &taken[0]["patients_refused"]), (&2.into(), &1.into()), "{taken}");
}

// control: NOT-03
#[test]
fn a_list_with_a_line_that_cannot_be_read_keeps_its_package_out_and_what_could_be_read_counts() {
    let house = House::new();
    house.notified(&IDS);
    let list = format!("patient,requester,scope,date\n{},person,,2026-05-01\n,person,,2026-05-01\n", IDS[0]);
    let received = house.receive(&[&house.tree(1, &with_opt_outs(of(&IDS), &list))]);
    assert_eq!((&received[0]["state"], &received[0]["reason"]), (&"quarantined".into(), &"core-package-list".into()));
    assert_eq!(received[0]["opt_outs"], 1, "{}", received[0]);
    // The hospital sends again, and has forgotten the list.
    house.receive(&[&house.tree(1, &of(&IDS))]);
    let taken = house.on(&["ingest"]).done();
    assert_eq!((&taken[0]["patients_in"], &taken[0]["patients_refused"]), (&2.into(), &1.into()), "{taken}");
}

// control: NOT-03
#[test]
fn who_says_no_in_a_package_that_has_to_wait_is_stopped_at_once() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    assert_eq!(house.count("person"), 3);
    let list = format!("patient,requester,scope,date\n{},guardian,,2026-05-01\n", IDS[0]);
    let waiting = house.receive(&[&house.tree(3, &with_opt_outs(of(&[IDS[1]]), &list))]);
    assert_eq!((&waiting[0]["state"], &waiting[0]["reason"]), (&"quarantined".into(), &"core-package-sequence-gap".into()));
    assert_eq!(waiting[0]["opt_outs"], 1);
    assert_eq!(house.count("person"), 2, "nobody reads of them from here on");
}

#[test]
fn one_package_that_does_not_hold_any_more_keeps_no_other_waiting() {
    let house = House::new();
    house.notified(&IDS);
    other_hospital(&house, &IDS);
    let (first, second) = (house.tree(1, &of(&[IDS[0]])), from_other(&house, 1, &of(&[IDS[1]])));
    let received = house.receive(&[&first, &second]);
    assert!(received.iter().all(|r| r["state"] == "accepted"), "{received:?}");
    let kept =
        house.instance().join(format!("packages/{}.azp/payload-0001.p7m", received[0]["package"].as_str().expect("an id")));
    let mut bytes = fs::read(&kept).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&kept, bytes).expect("written");
    let said = house.on(&["ingest"]);
    assert_eq!(said.status, Some(1), "{}", said.all);
    let of = |provider: &str| {
        let all = said.json.as_array().expect("packages").clone();
        all.into_iter().find(|t| t["provider"] == provider).expect("its package")
    };
    assert!(!of(PROVIDER)["refused"].is_null(), "{}", said.all);
    assert_eq!((&of(OTHER)["refused"], &of(OTHER)["patients_in"]), (&serde_json::Value::Null, &1.into()), "{}", said.all);
}

#[test]
fn no_data_set_is_made_from_a_linkage_that_is_older_than_the_records() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&[IDS[0]]))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    let id = house.planned();
    house.receive(&[&house.tree(2, &of(&[IDS[1]]))]);
    house.on(&["ingest"]).done();
    assert_eq!(house.on(&["dataset", "make", &id]).refused(), "core-dataset-link-stale");
    house.on(&["link"]).done();
    assert_eq!(house.make(&id)["persons"], 2);
    // Made and approved, and then more came in of whom nobody knows whether they are one of these.
    house.approve(&id);
    house.receive(&[&house.tree(3, &of(&[IDS[2]]))]);
    house.on(&["ingest"]).done();
    assert_eq!(house.on(&["dataset", "deliver", &id]).refused(), "core-dataset-link-stale");
    house.on(&["link"]).done();
    house.on(&["dataset", "deliver", &id]).done();
}

#[test]
fn who_did_not_plan_a_data_set_does_not_make_it() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    let id = house.planned();
    assert_eq!(house.on(&["dataset", "make", &id, "--actor", "somebody-else"]).refused(), "core-dataset-maker");
    house.make(&id);
}

// control: NOT-03, NOT-04, NOT-09
#[test]
fn who_is_erased_everywhere_is_gone_at_every_provider_and_does_not_come_back() {
    let house = House::new();
    // The same people under the numbers of another hospital.
    let moved: Vec<String> = IDS.iter().map(|id| id.replacen('5', "6", 1)).collect();
    let there: Files = IDS.iter().zip(&moved).flat_map(|(from, to)| renamed(&of(&[from]), from, to)).collect();
    let ids: Vec<&str> = moved.iter().map(String::as_str).collect();
    house.notified(&IDS);
    other_hospital(&house, &ids);
    house.receive(&[&house.tree(1, &of(&IDS)), &from_other(&house, 1, &there)]);
    house.on(&["ingest"]).done();
    let linked = house.on(&["link"]).done();
    assert_eq!((&linked["records"], &linked["persons"]), (&6.into(), &3.into()), "the samples are known at both: {linked}");
    let stopped = house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase", "--everywhere"]).done();
    assert_eq!(stopped["erased_records"], 2, "{stopped}");
    let records = |house: &House| house.sql("select count(distinct record_id) as n from person")[0]["n"].clone();
    assert_eq!(records(&house), 4);
    assert_eq!(entries(&house.instance().join("packages")), 0, "what was kept of them is gone with them");
    // The other hospital has not heard of it and sends everybody again.
    house.receive(&[&from_other(&house, 2, &there)]);
    let taken = house.on(&["ingest"]).done();
    assert_eq!((&taken[0]["patients_in"], &taken[0]["patients_refused"]), (&2.into(), &1.into()), "{taken}");
    house.on(&["link"]).done();
    assert_eq!(records(&house), 4);
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn an_id_of_a_project_is_never_given_to_anybody_else() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS[..2]))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    let delivered = |house: &House| {
        let id = house.planned();
        house.make(&id);
        house.approve(&id);
        house.on(&["dataset", "deliver", &id]).done();
        let opened = house.open(&house.instance().join(format!("outbox/recipient/{id}.azp")), &party("recipient", "30"));
        let (_, person) = opened.into_iter().find(|(name, _)| name.ends_with("csv/person.csv")).expect("persons");
        let mut reader = csv::Reader::from_reader(person.as_slice());
        let head = reader.headers().expect("a header").clone();
        let at = |name: &str| head.iter().position(|h| h == name).expect("a column");
        let (id, year, sex) = (at("person_id"), at("year_of_birth"), at("gender_concept_id"));
        reader
            .records()
            .map(|r| r.expect("a row"))
            .map(|r| (format!("{} {}", &r[year], &r[sex]), r[id].to_owned()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = delivered(&house);
    assert_eq!(before.len(), 2, "{before:?}");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]).done();
    house.receive(&[&house.tree(2, &of(&[IDS[2]]))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    let after = delivered(&house);
    assert_eq!(after.len(), 2, "{after:?}");
    let stayed: Vec<_> = after.iter().filter(|(who, _)| before.contains_key(*who)).collect();
    assert!(stayed.len() == 1 && before.get(stayed[0].0) == Some(stayed[0].1), "{before:?} {after:?}");
    let old: BTreeSet<&String> = before.values().collect();
    let new: Vec<_> = after.iter().filter(|(who, _)| !before.contains_key(*who)).collect();
    assert!(new.len() == 1 && !old.contains(new[0].1), "{before:?} {after:?}");
}

#[test]
fn a_pipe_in_place_of_a_payload_is_not_waited_for() {
    let house = House::new();
    let package = house.tree(1, &of(&IDS));
    let payload = package.join("payload-0001.p7m");
    fs::remove_file(&payload).expect("removed");
    assert!(std::process::Command::new("mkfifo").arg(&payload).status().expect("mkfifo").success());
    let received = house.receive(&[&package]);
    assert_ne!(received[0]["state"], "accepted");
    assert_eq!(entries(&house.instance().join("packages")), 0);
}

#[test]
fn a_package_in_quarantine_is_destroyed_when_its_time_is_over() {
    let house = House::new();
    let stranger = house.package_by(&party("stranger", "30"), PROVIDER, &house.intake(), 1, |w| tar(w, &of(&IDS)));
    assert_eq!(house.receive(&[&stranger])[0]["state"], "quarantined");
    let packages = house.instance().join("packages");
    assert_eq!(entries(&packages), 1, "for whoever wants to know what came");
    let settings = house.instance().join("azekura.toml");
    let text = fs::read_to_string(&settings).expect("readable");
    fs::write(&settings, text.replace("package_retention_days = 30", "package_retention_days = 0")).expect("written");
    house.on(&["ingest"]).done();
    assert_eq!(entries(&packages), 0);
    assert!(house.journal().iter().any(|e| e["event"] == "package_destroyed"));
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_package_that_was_spoilt_on_the_way_comes_in_when_it_is_sent_again() {
    let house = House::new();
    house.notified(&IDS);
    let package = house.tree(1, &of(&IDS));
    let payload = package.join("payload-0001.p7m");
    let intact = fs::read(&payload).expect("readable");
    let mut spoilt = intact.clone();
    spoilt[intact.len() / 2] ^= 1;
    fs::write(&payload, &spoilt).expect("written");
    let reason = |r: &serde_json::Value| (r["state"].clone(), r["reason"].clone());
    let first = reason(&house.receive(&[&package])[0]);
    assert_eq!(first, ("quarantined".into(), "package-tag-mismatch".into()));
    assert_eq!(reason(&house.receive(&[&package])[0]), first, "as spoilt as before");
    fs::write(&payload, &intact).expect("written");
    assert_eq!(house.receive(&[&package])[0]["state"], "accepted");
    assert_eq!(house.receive(&[&package])[0]["reason"], "core-package-duplicate");
    let taken = house.on(&["ingest"]).done();
    assert_eq!(taken[0]["patients_in"], 3, "{taken}");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_package_of_somebody_unknown_comes_in_once_its_sender_is_registered() {
    let house = House::new();
    let package = from_other(&house, 1, &of(&IDS));
    assert_eq!(house.receive(&[&package])[0]["reason"], "core-package-unknown-sender");
    // Its time in quarantine passes meanwhile, and its bytes go.
    let settings = house.instance().join("azekura.toml");
    let text = fs::read_to_string(&settings).expect("readable");
    fs::write(&settings, text.replace("package_retention_days = 30", "package_retention_days = 0")).expect("written");
    house.on(&["ingest"]).done();
    assert_eq!(entries(&house.instance().join("packages")), 0);
    fs::write(&settings, &text).expect("written");
    other_hospital(&house, &IDS[..2]);
    assert_eq!(house.receive(&[&package])[0]["state"], "accepted");
    let taken = house.on(&["ingest"]).done();
    assert_eq!((&taken[0]["patients_in"], &taken[0]["destroyed"]), (&2.into(), &true.into()), "{taken}");
    let gone = house.journal().iter().filter(|e| e["event"] == "package_destroyed").count();
    assert_eq!(gone, 2, "each time its bytes went, it was said");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_link_in_the_inbox_takes_nothing_with_it_that_it_leads_to() {
    let house = House::new();
    let package = house.tree(1, &of(&IDS));
    fs::write(package.parent().expect("a directory").join("beside"), "kept").expect("written");
    let name = package.file_name().expect("a name");
    std::os::unix::fs::symlink(&package, house.instance().join("inbox").join(name)).expect("linked");
    house.on(&["receive"]).done();
    assert_eq!(entries(&house.instance().join("inbox")), 0);
    assert!(package.join("payload-0001.p7m").exists(), "it is not ours to remove");
}

#[test]
fn other_bytes_under_a_known_manifest_take_nothing_from_a_package_that_waits() {
    let house = House::new();
    house.notified(&IDS);
    let second = house.tree(2, &of(&[IDS[1]]));
    assert_eq!(house.receive(&[&second])[0]["reason"], "core-package-sequence-gap");
    // Somebody has the manifest and makes up the rest; then with a file that no manifest names.
    let payload = second.join("payload-0001.p7m");
    let intact = fs::read(&payload).expect("readable");
    fs::write(&payload, b"anything").expect("written");
    assert_eq!(house.receive(&[&second])[0]["reason"], "core-package-sequence-gap", "what was kept waits on");
    fs::write(second.join("payload-0001.p7m.part"), b"anything").expect("written");
    house.receive(&[&second]);
    fs::remove_dir_all(&second).expect("removed");
    drop(intact);
    // The one that was missing comes, and the copy in keeping follows it when it is named again.
    let first = house.tree(1, &of(&[IDS[0]]));
    assert_eq!(house.receive(&[&first])[0]["state"], "accepted");
    let kept = fs::read_dir(house.instance().join("packages")).expect("listable").count();
    assert_eq!(kept, 2, "both are there");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_stray_delivery_leaves_a_package_in_quarantine_as_it_was() {
    let house = House::new();
    house.notified(&IDS);
    let list = "patient,requester,scope,date\n,person,,2026-05-01\n";
    let package = house.tree(1, &with_opt_outs(of(&IDS), list));
    assert_eq!(house.receive(&[&package])[0]["reason"], "core-package-list");
    let packages = house.instance().join("packages");
    let kept = || fs::read_dir(&packages).expect("listable").map(|e| e.expect("an entry").file_name()).collect::<Vec<_>>();
    let before = kept();
    fs::write(package.join("payload-0001.p7m.part"), b"of a transfer that broke off").expect("written");
    assert_ne!(house.receive(&[&package])[0]["state"], "accepted");
    assert_eq!(kept(), before);
    // The sender's certificate is not the one any more that signed: nothing that was known is forgotten.
    house.on(&["provider", "add", "--id", PROVIDER, "--cert", text(&party("hospital-renewed", "30").cert)]);
    fs::remove_file(package.join("payload-0001.p7m.part")).expect("removed");
    assert_ne!(house.receive(&[&package])[0]["state"], "accepted");
    assert_eq!(kept(), before);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: NOT-03
#[test]
fn a_no_that_was_taken_back_does_not_come_back_with_the_same_list() {
    let house = House::new();
    house.notified(&IDS);
    let list = format!("patient,requester,scope,date\n{},person,,2026-05-01\n,person,,2026-05-01\n", IDS[0]);
    let package = house.tree(1, &with_opt_outs(of(&IDS), &list));
    assert_eq!(house.receive(&[&package])[0]["opt_outs"], 1);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw"]).done();
    assert_eq!(house.receive(&[&package])[0]["opt_outs"], 0, "the same statement, which was taken back");
    house.receive(&[&house.tree(1, &of(&IDS))]);
    assert_eq!(house.on(&["ingest"]).done()[0]["patients_in"], 3);
}

#[test]
fn a_package_whose_bytes_are_gone_keeps_no_other_waiting() {
    let house = House::new();
    house.notified(&IDS);
    other_hospital(&house, &IDS);
    let (first, second) = (house.tree(1, &of(&[IDS[0]])), from_other(&house, 1, &of(&[IDS[1]])));
    let received = house.receive(&[&first, &second]);
    let kept = house.instance().join(format!("packages/{}.azp", received[0]["package"].as_str().expect("an id")));
    fs::remove_dir_all(&kept).expect("removed");
    let said = house.on(&["ingest"]);
    let taken = said.json.as_array().unwrap_or_else(|| panic!("{}", said.all)).clone();
    assert!(taken.iter().any(|t| t["provider"] == OTHER && t["patients_in"] == 1), "{}", said.all);
    // It is sent again and comes in.
    assert_eq!(house.receive(&[&first])[0]["state"], "accepted");
    assert_eq!(house.on(&["ingest"]).done()[0]["patients_in"], 1);
}

#[test]
fn many_people_with_a_history_stay_whole_when_a_package_says_more_of_them() {
    let house = House::new();
    // More than are assembled together first.
    let ids: Vec<String> = (0..150).map(|n| format!("70{n:08}")).collect();
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    house.notified(&all);
    let one = of(&[IDS[0]]);
    let people: Files = ids.iter().flat_map(|id| renamed(&one, IDS[0], id)).collect();
    house.receive(&[&house.tree(1, &people)]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    let before = house.rows();
    assert!(before.iter().any(|(table, n)| table == "measurement" && n.parse::<u64>().is_ok_and(|n| n > 150)), "{before:?}");
    house.receive(&[&house.tree(2, &people)]);
    let taken = house.on(&["ingest"]).done();
    assert_eq!(taken[0]["patients_in"], 150, "{taken}");
    house.on(&["link"]).done();
    assert_eq!(house.rows(), before, "the same said twice is there once, of everybody");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn what_receive_saw_of_a_package_is_a_help_that_may_be_missing_or_wrong() {
    let house = House::new();
    house.notified(&IDS);
    assert_eq!(house.receive(&[&house.tree(1, &of(&IDS))])[0]["state"], "accepted");
    let checked = |house: &House| -> PathBuf {
        let inside = fs::read_dir(house.instance().join("sealed")).expect("listable").map(|e| e.expect("an entry").path());
        let found: Vec<PathBuf> = inside.collect();
        assert_eq!(found.len(), 1, "one package waits");
        found[0].clone()
    };
    let bytes = fs::read(checked(&house)).expect("readable");
    for id in IDS {
        assert!(!bytes.windows(id.len()).any(|w| w == id.as_bytes()), "an id stands in it in the clear");
    }
    let wanted = {
        let undisturbed = house.copy();
        let taken = undisturbed.on(&["ingest"]).done();
        assert_eq!(entries(&undisturbed.instance().join("sealed")), 0, "nothing is kept of what was taken in");
        (taken[0]["patients_in"].clone(), taken[0]["rows"].clone(), undisturbed.rows())
    };
    let spoilt = |bytes: &[u8], at: usize| {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        changed
    };
    for (what, left) in [
        ("none", None),
        ("an empty one", Some(Vec::new())),
        ("half of it", Some(bytes[..bytes.len() / 2].to_vec())),
        ("another beginning", Some(spoilt(&bytes, 0))),
        ("another middle", Some(spoilt(&bytes, bytes.len() / 2))),
        ("another end", Some(spoilt(&bytes, bytes.len() - 1))),
    ] {
        let house = house.copy();
        let path = checked(&house);
        match left {
            None => fs::remove_file(&path).expect("removed"),
            Some(bytes) => fs::write(&path, bytes).expect("written"),
        }
        let taken = house.on(&["ingest"]).done();
        assert_eq!((taken[0]["patients_in"].clone(), taken[0]["rows"].clone(), house.rows()), wanted, "{what}");
        assert!(!path.exists(), "{what}");
    }
}

#[test]
fn another_package_in_the_place_of_a_received_one_is_not_taken_in() {
    let house = House::new();
    house.notified(&IDS);
    let (first, other) = (house.tree(1, &of(&IDS)), house.tree(1, &of(&[IDS[0]])));
    assert_eq!(house.receive(&[&first])[0]["state"], "accepted");
    let kept = fs::read_dir(house.instance().join("packages")).expect("listable").next().expect("one").expect("an entry").path();
    for name in ["manifest.p7m", "payload-0001.p7m"] {
        fs::copy(other.join(name), kept.join(name)).expect("copied");
    }
    house.on(&["ingest"]).refused();
    assert_eq!(house.count("person"), 0, "nothing of it came in");
}

// control: NOT-03
#[test]
fn a_no_of_somebody_who_is_not_in_a_data_set_leaves_it_as_it_was_signed() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    let of_one = "select condition_source_value as code from condition_occurrence where condition_source_value is not null
                  group by condition_source_value having count(distinct record_id) = 1 order by condition_source_value limit 1";
    let code = house.sql(of_one)[0]["code"].as_str().expect("a code").to_owned();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/pseudonymized.toml");
    let profile = house.path().join("profile.toml");
    let wanted = format!("conditions = [\"{code}\"]");
    fs::write(&profile, fs::read_to_string(shipped).expect("readable").replace("conditions = []", &wanted)).expect("written");
    let id = house.planned_with(&profile);
    assert_eq!(house.make(&id)["persons"], 1);
    house.approve(&id);
    let mut ends = Vec::new();
    for who in IDS {
        let house = house.copy();
        house.on(&["opt-out", "--provider", PROVIDER, "--patient", who]).done();
        let delivered = house.on(&["dataset", "deliver", &id]);
        ends.push(delivered.json["error"].as_str().unwrap_or("delivered").to_owned());
    }
    ends.sort();
    assert_eq!(ends, ["core-dataset-voided", "delivered", "delivered"]);
}

#[test]
fn the_demo_runs_to_its_end_and_every_promise_of_its_list_holds() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = std::process::Command::new(crate::kit::AZEKURA)
        .args(["--json", "demo", "--persons", "200", "--out", text(&dir.path().join("demo"))])
        .output()
        .expect("the program");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{said}\n{}", String::from_utf8_lossy(&out.stderr));
    let said: serde_json::Value = serde_json::from_str(said.lines().last().unwrap_or("")).expect("a summary");
    let promises = said["promises"].as_array().expect("promises");
    assert_eq!(promises.len(), 13, "{said}");
    assert!(promises.iter().all(|p| p["good"] == true && p["spoilt"] == "broken"), "{promises:?}");
}
