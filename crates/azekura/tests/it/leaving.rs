//! What leaves the house, what must not leave any more, and what is never written over or cleared: on the real program.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use crate::kit::{House, IDS, PROVIDER, party, text};
use crate::losses::{shell, with_child};
use crate::refusals::{entries, of, taken_in};

/// A house with a delivery that could not leave, the data set's id, and what stands in the way.
pub fn stuck_delivery() -> (House, String, PathBuf) {
    let house = taken_in();
    let id = house.planned();
    house.make(&id);
    house.approve(&id);
    let outbox = house.instance().join("outbox/recipient");
    fs::remove_dir_all(&outbox).unwrap_or_default();
    fs::write(&outbox, "in the way").expect("written");
    assert_eq!(house.on(&["dataset", "deliver", &id]).status, Some(1));
    (house, id, outbox)
}

// control: NOT-03
#[test]
fn a_delivery_that_could_not_leave_does_not_leave_once_somebody_in_it_said_no() {
    let (house, id, outbox) = stuck_delivery();
    let pending = house.instance().join("pending/recipient");
    assert!(pending.join(format!("{id}.azp")).is_dir(), "it waits");
    // Nobody says no: it leaves when the way is free.
    let free = house.copy();
    fs::remove_file(free.instance().join("outbox/recipient")).expect("out of the way");
    free.on(&["ingest"]).done();
    let delivered = free.instance().join(format!("outbox/recipient/{id}.azp"));
    assert!(!free.open(&delivered, &party("recipient", "30")).is_empty());
    assert_eq!(free.faults(), Vec::<String>::new());
    // A recipient who is suspended meanwhile gets nothing until resumed.
    let suspended = house.copy();
    let there = suspended.instance().join(format!("outbox/recipient/{id}.azp"));
    suspended.on(&["recipient", "suspend", "--id", "recipient"]).done();
    fs::remove_file(suspended.instance().join("outbox/recipient")).expect("out of the way");
    suspended.on(&["ingest"]).done();
    assert!(!there.exists());
    suspended.on(&["recipient", "resume", "--id", "recipient"]).done();
    suspended.on(&["ingest"]).done();
    assert!(there.is_dir());
    // One who has ended gets nothing any more, nor what is sealed to a certificate that is not the recipient's now.
    let other = party("univ-b", "30").cert;
    let args = ["recipient", "renew", "--id", "recipient", "--cert", text(&other)];
    for args in [&["recipient", "end", "--id", "recipient"][..], &args] {
        let other = house.copy();
        other.on(args).done();
        assert_eq!(entries(&other.instance().join("pending/recipient")), 0, "{args:?}");
        assert_eq!(other.dataset_state(&id), "building");
        assert_eq!(other.faults(), Vec::<String>::new());
    }
    // Somebody does, the way is free again, and the command that takes it is the next. Mistyped, it lets nothing out either.
    fs::remove_file(&outbox).expect("out of the way");
    house.on(&["opt-out", "--provider", "1319999999", "--patient", IDS[0]]).refused();
    assert!(!outbox.exists(), "nothing leaves by a no that failed");
    let said = house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]).done();
    assert_eq!(said["voided_datasets"], 1, "{said}");
    assert!(!outbox.join(format!("{id}.azp")).exists() && entries(&pending) == 0, "nothing of it is left");
    assert_eq!(house.dataset_state(&id), "building");
    assert_eq!(house.faults(), Vec::<String>::new(), "nothing is wrong with it");
    // It is made again without them, and leaves under the same name.
    house.make(&id);
    house.approve(&id);
    house.on(&["dataset", "deliver", &id]).done();
    let opened = house.open(&outbox.join(format!("{id}.azp")), &party("recipient", "30"));
    let (_, person) = opened.into_iter().find(|(name, _)| name.ends_with("csv/person.csv")).expect("persons");
    assert_eq!(csv::Reader::from_reader(person.as_slice()).records().count(), 2);
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_delivery_that_is_taken_back_and_killed_there_never_counts_as_handed_over() {
    let (house, id, outbox) = stuck_delivery();
    fs::remove_file(&outbox).expect("out of the way");
    let no = ["opt-out", "--provider", PROVIDER, "--patient", IDS[0]];
    for nth in (1..200).step_by(3) {
        let broken = house.copy();
        let args = broken.with_instance(&no);
        let mut command = broken.command(&args);
        let out = command.env("AZEKURA_FAILPOINT", format!("#{nth}=kill")).output().expect("the program");
        if out.status.success() {
            assert!(nth > 20, "it was broken at many places: {nth}");
            break;
        }
        assert_eq!(out.status.signal(), Some(9), "{}", String::from_utf8_lossy(&out.stdout));
        broken.on(&no).done();
        assert!(!broken.instance().join(format!("outbox/recipient/{id}.azp")).exists(), "at {nth}");
        assert_eq!(broken.dataset_state(&id), "building", "at {nth}");
        assert_eq!((entries(&broken.instance().join("pending/recipient")), broken.faults()), (0, Vec::new()), "at {nth}");
    }
}

#[test]
fn a_link_in_the_instance_is_not_followed_and_what_is_not_ours_stays() {
    let house = taken_in();
    let victim = house.path().join("victim");
    fs::create_dir_all(victim.join("sub")).expect("made");
    for file in ["file", "sub/file", "sub/other.azp"] {
        fs::write(victim.join(file), "somebody's").expect("written");
    }
    for place in ["pending/link", "lake/link", "lake/measurement/link"] {
        std::os::unix::fs::symlink(&victim, house.instance().join(place)).expect("linked");
    }
    for place in ["sealed", "packages", "pending", "lake"] {
        fs::create_dir_all(house.instance().join(place).join("lost+found/of a disk")).expect("made");
    }
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    for file in ["file", "sub/file", "sub/other.azp"] {
        assert!(victim.join(file).is_file(), "{file}");
    }
    assert!(house.instance().join("sealed/lost+found/of a disk").is_dir());
}

// control: NOT-03
#[test]
fn an_outbox_that_cannot_be_written_keeps_nobody_from_saying_no_and_loses_nothing() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS)), &house.tree(2, &of(&[IDS[1]]))]);
    let outbox = house.instance().join("outbox").join(PROVIDER);
    fs::remove_dir_all(&outbox).unwrap_or_default();
    fs::create_dir_all(outbox.parent().expect("a parent")).expect("made");
    fs::write(&outbox, "in the way").expect("written");
    let taken = house.on(&["ingest"]);
    assert_eq!(
        (taken.status, taken.json.as_array().map(Vec::len)),
        (Some(1), Some(2)),
        "the receipts cannot leave: {}",
        taken.all
    );
    assert_eq!((&taken.json[0]["patients_in"], &taken.json[0]["receipt_waits"]), (&3.into(), &"core-disk-trouble".into()));
    house.on(&["link"]).done();
    assert_eq!(house.count("person"), 3, "what came in is in");
    let stopped = house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    assert_eq!(stopped["erased_records"], 1, "{stopped}");
    fs::remove_file(&outbox).expect("out of the way");
    house.on(&["ingest"]).done();
    assert_eq!(house.open(&outbox.join("receipt-000001.azp"), &party("hospital", "30")).len(), 3, "the receipt is whole");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_report_is_not_written_over_something_else() {
    let house = taken_in();
    let id = house.planned();
    house.make(&id);
    let out = house.path().join("report.html");
    let report = |out: &Path| house.on(&["dataset", "report", &id, "--out", text(out)]);
    report(&out).done();
    report(&out).done();
    assert_eq!(report(&house.instance().join("ledger.db")).refused(), "core-file-exists");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn two_recipients_never_share_the_ids_of_a_project_of_one_name() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS[..2]))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    house.on(&["recipient", "add", "--id", "univ-b", "--cert", text(&party("univ-b", "30").cert)]).done();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/pseudonymized.toml");
    let shipped = fs::read_to_string(shipped).expect("a profile");
    let ids = |recipient: &str| -> BTreeSet<String> {
        let path = house.path().join(format!("{recipient}.toml"));
        fs::write(&path, shipped.replace("recipient = \"recipient\"", &format!("recipient = \"{recipient}\""))).expect("written");
        let id = house.planned_with(&path);
        house.make(&id);
        house.approve(&id);
        let package = house.on(&["dataset", "deliver", &id]).done()["package"].as_str().expect("a path").to_owned();
        let opened = house.open(Path::new(&package), &party(recipient, "30"));
        let (_, person) = opened.into_iter().find(|(name, _)| name.ends_with("csv/person.csv")).expect("persons");
        let mut reader = csv::Reader::from_reader(person.as_slice());
        let at = reader.headers().expect("a header").iter().position(|h| h == "person_id").expect("a column");
        reader.records().map(|r| r.expect("a row")[at].to_owned()).collect()
    };
    let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(ids("recipient"), set(&["1", "2"]));
    // One leaves, another comes: whoever has the first two ids knows them, and the third is new.
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]).done();
    house.receive(&[&house.tree(2, &of(&[IDS[2]]))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    assert!(ids("recipient").contains("3"));
    assert_eq!(ids("univ-b"), set(&["1", "2"]), "the other's project begins anew");
    // Who is erased stands in no id table any more, and the id is nobody else's.
    let given = |house: &House| {
        let mut all = Vec::new();
        with_child(house, shell("exit 0"), async |i| {
            let mut reader = i.ledger.read().await.expect("a reader");
            let assets = reader.assets(&Default::default()).await.expect("assets");
            all = assets.into_iter().filter(|a| a.kind == "id table" && a.state.to_string() == "live").map(|a| a.size).collect();
        });
        all
    };
    let before = given(&house);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[1], "--erase"]).done();
    let after = given(&house);
    assert_eq!(before.len(), after.len());
    assert!(after.iter().sum::<i64>() < before.iter().sum::<i64>(), "{before:?} {after:?}");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw"]).done();
    house.on(&["link"]).done();
    let last = ids("recipient");
    assert!(last.contains("3") && last.len() == 2, "{last:?}");
    assert_eq!(house.faults(), Vec::<String>::new());
}
