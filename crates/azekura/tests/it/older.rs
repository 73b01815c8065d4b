//! Earlier copies of what an instance consists of, put back by mistake or not; and what else a verification has to find.

use std::fs;
use std::process::Stdio;

use crate::kit::{House, IDS, PROVIDER, party, text};
use crate::refusals::taken_in;

/// The ledger as it lies there, whole: a command has ended and left no log.
fn ledger(house: &House) -> Vec<u8> {
    fs::read(house.instance().join("ledger.db")).expect("a ledger")
}

fn put_back(house: &House, ledger: &[u8]) {
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(house.instance().join(format!("ledger.db{ending}")));
    }
    fs::write(house.instance().join("ledger.db"), ledger).expect("put back");
}

fn files(house: &House) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = walk(&house.instance().join("lake"));
    all.sort();
    all
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        if entry.path().is_dir() { all.extend(walk(&entry.path())) } else { all.push(entry.path()) }
    }
    all
}

// control: NOT-03 CUS-12
#[test]
fn an_earlier_copy_of_the_ledger_undoes_no_no_and_removes_nothing_newer() {
    let house = House::new();
    house.notified(&IDS);
    let early = ledger(&house);
    house.receive(&[&house.tree(1, &crate::refusals::of(&IDS))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    let before = ledger(&house);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]).done();
    let (newest, there) = (ledger(&house), files(&house));
    for older in [&early, &before] {
        put_back(&house, older);
        for command in [&["link"][..], &["ingest"], &["sql", "--purpose", "a test", "select count(*) from person"]] {
            assert_eq!(house.on(command).refused(), "core-ledger-behind", "{command:?}");
        }
        let faults = house.faults();
        assert!(faults.iter().any(|f| f.contains("earlier copy")), "{faults:?}");
        assert_eq!(files(&house), there, "nothing newer is removed");
    }
    put_back(&house, &newest);
    assert_eq!((house.count("person"), house.faults()), (2, Vec::new()), "with the right one all is as it was");

    // Lost for good: somebody says so, and goes on.
    let now = ledger(&house);
    put_back(&house, &before);
    let accept = ["journal", "accept", "--reason", "the disk broke"];
    assert!(house.on(&accept).done()["entries_lost"].as_u64().is_some_and(|n| n > 0));
    assert_eq!(house.on(&accept).refused(), "core-ledger-not-behind");
    assert_eq!((house.count("person"), house.faults()), (3, Vec::new()));
    assert!(house.journal().iter().any(|e| e["purpose"] == "the disk broke"));
    // And the former one is another's now, though it has as many entries.
    put_back(&house, &now);
    assert_eq!(house.on(&["link"]).refused(), "core-ledger-other");
}

#[test]
fn a_mark_that_is_gone_or_spoilt_is_told_and_made_anew() {
    let house = taken_in();
    let mark = house.instance().join("journal.mark");
    fs::write(&mark, "something else").expect("written");
    assert_eq!(house.on(&["link"]).refused(), "core-ledger-mark-unreadable");
    assert!(house.faults().iter().any(|f| f.contains("journal.mark")));
    fs::remove_file(&mark).expect("removed");
    assert!(house.faults().iter().any(|f| f.contains("journal.mark")));
    house.on(&["link"]).done();
    assert_eq!((mark.is_file(), house.faults()), (true, Vec::new()));
}

// control: CUS-14
#[test]
fn a_deep_verification_finds_a_changed_byte_of_any_sealed_file_and_of_the_ledger() {
    let house = taken_in();
    let deep = |house: &House| house.on(&["journal", "verify", "--deep"]);
    assert_eq!(deep(&house).done()["faults"], serde_json::json!([]));
    let spoil = |path: &std::path::Path| {
        let mut bytes = fs::read(path).expect("readable");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).expect("written");
    };
    for file in files(&house).into_iter().step_by(5) {
        let right = fs::read(&file).expect("readable");
        spoil(&file);
        let said = deep(&house);
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(said.status == Some(1) && said.json["faults"][0].as_str().is_some_and(|f| f.contains(&name)), "{}", said.all);
        fs::write(&file, right).expect("put right");
    }
    let copy = house.copy();
    spoil(&copy.instance().join("ledger.db"));
    assert_ne!(deep(&copy).status, Some(0));
    assert_eq!(deep(&house).done()["faults"], serde_json::json!([]));
}

// control: DEL-01
#[test]
fn an_earlier_keyring_is_found_by_a_verification() {
    let house = taken_in();
    let keyring = house.instance().join("keyring.azk");
    let earlier = fs::read(&keyring).expect("a keyring");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    let newest = fs::read(&keyring).expect("a keyring");
    fs::write(&keyring, &earlier).expect("put back");
    let faults = house.faults();
    assert!(!faults.is_empty() && faults.iter().all(|f| f.contains("keyring.azk")), "{faults:?}");
    fs::write(&keyring, &newest).expect("put back");
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: HUM-09
#[test]
fn who_reviews_is_no_officer_who_approves() {
    let house = taken_in();
    let add = |kind: &str, id: &str, of: &str| house.on(&[kind, "add", "--id", id, "--cert", text(&party(of, "30").cert)]);
    assert_eq!(add("officer", "another-name", "member-1").refused(), "core-party-certificate-taken");
    assert_eq!(add("officer", "member-1", "member-1").refused(), "core-party-certificate-taken");
    assert_eq!(add("member", "another-name", "officer-1").refused(), "core-party-certificate-taken");
}

// control: NOT-03
#[test]
fn a_long_question_keeps_nobody_from_saying_no() {
    let house = taken_in();
    let no_purpose = house.on(&["sql", "--purpose", " ", "select nonsense from nowhere"]);
    assert!(no_purpose.status == Some(1) && no_purpose.all.contains("purpose"), "before it is asked: {}", no_purpose.all);
    let endless = (0..9).map(|n| format!("measurement m{n}")).collect::<Vec<_>>().join(" cross join ");
    let statement = format!("select count(*) from {endless}");
    let args = house.with_instance(&["sql", "--purpose", "a test", &statement]);
    let mut asking = house.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
    let no = house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]);
    let asked = asking.try_wait().expect("a status");
    asking.kill().expect("killed");
    asking.wait().expect("a status");
    assert_eq!(asked.map(|s| s.code()), None, "the question is still being answered");
    assert_eq!(no.done()["blocked_records"], 1);
    assert!(!house.journal().iter().any(|e| e["event"] == "queried"), "what nobody saw is no answer");
}
