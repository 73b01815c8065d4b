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

// control: NOT-03 CUS-12
#[test]
fn without_its_mark_no_ledger_is_written_to_until_somebody_says_so() {
    let house = taken_in();
    let mark = house.instance().join("journal.mark");
    let right = fs::read(&mark).expect("a mark");
    fs::write(&mark, "something else").expect("written");
    assert_eq!(house.on(&["link"]).refused(), "core-ledger-mark-unreadable");
    assert!(house.faults().iter().any(|f| f.contains("journal.mark")));
    fs::remove_file(&mark).expect("removed");
    fs::create_dir(&mark).expect("a directory in its place");
    assert_eq!(house.on(&["link"]).refused(), "core-ledger-mark-unreadable");
    fs::remove_dir(&mark).expect("removed");
    assert_eq!(house.on(&["link"]).refused(), "core-ledger-mark-missing");
    assert!(house.faults().iter().any(|f| f.contains("journal.mark")));
    fs::write(&mark, &right).expect("put back");
    house.on(&["link"]).done();

    // An earlier ledger put back without it: how much is lost nobody knows, and nobody says that it is nothing.
    let early = ledger(&house);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]).done();
    put_back(&house, &early);
    fs::remove_file(&mark).expect("removed");
    assert_eq!(house.on(&["link"]).refused(), "core-ledger-mark-missing");
    let accepted = house.on(&["journal", "accept", "--reason", "the disk broke"]).done();
    assert!(accepted["entries_lost"].is_null(), "{accepted}");
    assert_eq!((mark.is_file(), house.faults()), (true, Vec::new()));
    house.on(&["link"]).done();
}

// control: NOT-03 DEL-01
#[test]
fn after_an_earlier_ledger_is_accepted_the_instance_works_although_somebody_was_erased_since() {
    let house = House::new();
    house.notified(&IDS);
    crate::said_no::two_hospitals(&house);
    let early = ledger(&house);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    put_back(&house, &early);
    let accepted = house.on(&["journal", "accept", "--reason", "the disk broke"]).done();
    assert!(accepted["files_lost"].as_u64().is_some_and(|n| n > 0), "{accepted}");
    assert_eq!(accepted["providers"], serde_json::json!([PROVIDER]));
    assert_eq!(house.faults(), Vec::<String>::new());
    // The linkage opens no more: it is made anew, and everything else goes on.
    house.on(&["link"]).done();
    house.on(&["ingest"]).done();
    assert!(house.count("person") > 0, "those of the other hospital");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    house.on(&["opt-out", "--provider", crate::losses::OTHER, "--patient", IDS[1]]).done();
    house.receive(&[&crate::losses::from_other(&house, 2, &crate::refusals::of(&IDS))]);
    house.on(&["ingest"]).done();
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: DEL-01
#[test]
fn an_earlier_keyring_is_refused_and_when_accepted_gives_no_number_of_an_epoch_twice() {
    let house = taken_in();
    let keyring = house.instance().join("keyring.azk");
    let earlier = fs::read(&keyring).expect("a keyring");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    let newest = fs::read(&keyring).expect("a keyring");
    fs::write(&keyring, &earlier).expect("put back");
    for command in [&["link"][..], &["ingest"], &["opt-out", "--provider", PROVIDER, "--patient", IDS[1]]] {
        assert_eq!(house.on(command).refused(), "core-keyring-behind", "{command:?}");
    }
    fs::write(&keyring, &newest).expect("put back");
    house.on(&["link"]).done();
    fs::write(&keyring, &earlier).expect("put back");
    let accepted = house.on(&["journal", "accept", "--reason", "the disk broke"]).done();
    assert!(accepted["files_lost"].as_u64().is_some_and(|n| n > 0) && accepted["entries_lost"] == 0, "{accepted}");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[1], "--erase"]).done();
    house.receive(&[&house.tree(2, &crate::refusals::of(&IDS))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    assert_eq!((house.count("person"), house.faults()), (1, Vec::new()));
}

// control: NOT-03
#[test]
fn a_no_that_a_crash_left_in_the_log_survives_an_earlier_ledger_that_is_put_over_it() {
    let house = taken_in();
    let (db, log) = (house.instance().join("ledger.db"), house.instance().join("ledger.db-wal"));
    let early = ledger(&house);
    for id in &IDS[1..] {
        house.on(&["opt-out", "--provider", PROVIDER, "--patient", id, "--scope", "pseudonymized"]).done();
    }
    let no = house.with_instance(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]);
    // It ends after the mark, so that the statement and what tells of it are there, and the log beside the ledger.
    let mut command = house.command(&no);
    command.env("AZEKURA_FAILPOINT", "rename.after#1=kill");
    assert!(command.output().expect("the program").status.code().is_none());
    let whole = fs::read(&db).expect("a ledger");
    assert!(fs::metadata(&log).is_ok_and(|m| m.len() > 0), "a log beside it");
    fs::write(&db, &early).expect("put over it");
    assert_ne!(house.on(&["link"]).status, Some(0));
    let aside = house.instance().join("ledger.db-wal.aside");
    assert!(aside.is_file(), "the log is kept");
    for path in [&log, &house.instance().join("ledger.db-shm")] {
        let _ = fs::remove_file(path);
    }
    fs::write(&db, &whole).expect("put back");
    fs::rename(&aside, &log).expect("put back");
    house.on(&["link"]).done();
    let held = house.on(&["hold", "list", "--provider", PROVIDER, "--patient", IDS[0]]).done();
    assert_eq!((&held[0]["scopes"], aside.exists()), (&serde_json::json!(["anonymized", "pseudonymized"]), false), "{held}");
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: CUS-12
#[test]
fn a_question_that_fails_shows_no_value_and_stands_in_the_journal() {
    let house = taken_in();
    let queried = |house: &House| house.journal().into_iter().filter(|e| e["event"] == "queried").collect::<Vec<_>>();
    let born =
        house.sql("select cast(year_of_birth as varchar) y from person limit 1")[0]["y"].as_str().expect("a year").to_owned();
    let before = queried(&house).len();
    for (n, statement) in [
        "select encode('a', (select string_agg(cast(year_of_birth as varchar), ';') from person))",
        "select cast(concat('x', cast(year_of_birth as varchar)) as int) from person",
        "select date_trunc(cast(year_of_birth as varchar), timestamp '2024-01-01T00:00:00') from person",
        "select case when count(*) > 1 then cast(1 / (count(*) - count(*)) as varchar) else 'a' end from person",
    ]
    .into_iter()
    .enumerate()
    {
        let said = house.on(&["sql", "--purpose", "a test", statement]);
        assert_eq!(said.status, Some(1), "{}", said.all);
        assert!(!said.all.contains(&born), "{}", said.all);
        let stands = queried(&house);
        assert_eq!((stands.len(), &stands[before + n]["detail"]["rows"]), (before + n + 1, &(-1).into()), "{statement}");
    }
    // Before a table is read, what is wrong with a question is said in words.
    let said = house.on(&["sql", "--purpose", "a test", "select nonsense from person"]);
    assert!(said.all.contains("nonsense") && queried(&house).len() == before + 4, "{}", said.all);
}

// control: NOT-03
#[test]
fn an_answer_in_which_somebody_may_be_who_said_no_meanwhile_is_not_given() {
    let house = taken_in();
    let open = async |mode| {
        let pass = seal::Passphrase::from_file(&house.path().join("pass")).expect("a passphrase");
        let actor = "tester".parse().expect("a name");
        pipeline::Instance::open(&house.instance(), &pass, mode, actor).await.expect("opens")
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (meanwhile, refused) in
        [(&["link"][..], None), (&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]], Some("core-sql-outdated"))]
    {
        let asked = runtime.block_on(async {
            let reader = open(ledger::Mode::Reader).await;
            let asked = pipeline::sql::ask(&reader, "a test", "select count(*) from person").await.expect("asked");
            reader.ledger.close().await;
            asked
        });
        house.on(meanwhile).done();
        let code = runtime.block_on(async {
            let writer = open(ledger::Mode::Writer).await;
            let said = pipeline::sql::journal(&writer, "a test", asked).await.map(drop).map_err(|e| e.code());
            writer.leave().await.expect("the mark");
            writer.ledger.close().await;
            said.err()
        });
        house.let_go();
        assert_eq!(code, refused, "{meanwhile:?}");
    }
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
