//! What happens when memory, files or somebody's hand take something away in the middle: nothing is taken for what it is not, and
//! what is lost is said.

use std::fs;
use std::path::{Path, PathBuf};

use ledger::Mode;
use pipeline::reading::Child;
use pipeline::{Instance, ingest, receive};
use seal::Passphrase;

use serde_json::Value;

use crate::kit::{House, IDS, PROVIDER, files, hospital, party, renamed, samples, tar, text};

pub type Files = Vec<(String, Vec<u8>)>;

pub const OTHER: &str = "1319999983";

fn of(ids: &[&str]) -> Files {
    files(&samples("synthetic-twins"), |n| ids.iter().any(|id| n.contains(id)))
}

fn entries(dir: &Path) -> usize {
    fs::read_dir(dir).map(Iterator::count).unwrap_or(0)
}

pub fn other_hospital(house: &House) {
    house.on(&["provider", "add", "--id", OTHER, "--cert", text(&party("other-hospital", "30").cert)]).done();
}

pub fn from_other(house: &House, sequence: u64, files: &Files) -> PathBuf {
    house.package_by(&party("other-hospital", "30"), OTHER, &house.intake(), sequence, |w| tar(w, files))
}

/// A program in place of the reading process.
pub fn shell(script: &str) -> Child {
    Child { program: PathBuf::from("/bin/sh"), arguments: vec!["-c".to_owned(), script.to_owned()] }
}

/// Works on the instance itself, with another reading process.
pub fn with_child(house: &House, child: Child, work: impl AsyncFnOnce(&Instance)) {
    let passphrase = Passphrase::from_file(&house.path().join("pass")).expect("a passphrase");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let actor = "tester".parse().expect("an actor");
        let mut instance = Instance::open(&house.instance(), &passphrase, Mode::Writer, actor).await.expect("an instance");
        instance.child = child;
        work(&instance).await;
        instance.ledger.close().await;
    });
    house.let_go();
}

/// The state and the reason of every package.
fn packages(house: &House) -> Vec<(Option<String>, String, Option<String>)> {
    let mut found = Vec::new();
    with_child(house, shell("exit 0"), async |i| {
        let all = i.ledger.read().await.expect("a reader").packages(&[]).await.expect("packages");
        found = all.into_iter().map(|p| (p.provider.map(|id| id.to_string()), p.state.to_string(), p.reason)).collect();
        found.sort();
    });
    found
}

fn of_provider(house: &House, provider: &str) -> Vec<String> {
    packages(house).into_iter().filter(|p| p.0.as_deref() == Some(provider)).map(|p| p.1).collect()
}

#[test]
fn a_reading_process_that_the_system_ends_says_nothing_of_the_package() {
    let house = House::new();
    house.notified(&IDS);
    other_hospital(&house);
    let first = house.tree(1, &of(&[IDS[0]]));
    // When it is received: it stays where it is, and nothing is registered.
    for end in ["kill -KILL $$", "printf '\\001AZ'; kill -KILL $$", "cat > /dev/null; kill -ABRT $$"] {
        with_child(&house, shell(end), async |i| {
            let received = receive::receive(i, &first).await.expect("an answer");
            assert_eq!((received.reason, received.package), (Some("core-reader-killed"), None), "{end}");
        });
    }
    assert!(first.join("manifest.p7m").exists());
    assert_eq!(packages(&house), Vec::new());
    assert_eq!(entries(&house.instance().join("packages")), 0);
    assert!(house.journalled("core-reader-killed"));
    // When it is taken in: it waits, its sender's next one with it; another sender's package is asked for all the same.
    let received = house.receive(&[&first, &house.tree(2, &of(&[IDS[1]])), &from_other(&house, 1, &of(&[IDS[2]]))]);
    assert!(received.iter().all(|r| r["state"] == "accepted"), "{received:?}");
    for end in ["kill -KILL $$", "printf '\\001AZ'; kill -TERM $$"] {
        with_child(&house, shell(end), async |i| {
            let taken = ingest::ingest(i, &|_| ()).await.expect("an answer");
            let waits: Vec<_> = taken.iter().map(|t| (t.sequence, t.waits)).collect();
            let mut wanted =
                vec![(1, Some("core-reader-killed")), (2, Some("core-ingest-waits")), (1, Some("core-reader-killed"))];
            if taken[0].provider.as_str() == OTHER {
                wanted.rotate_right(1);
            }
            assert_eq!(waits, wanted);
        });
    }
    assert_eq!(of_provider(&house, PROVIDER), ["accepted", "accepted"]);
    // With memory again all is as if nothing had been.
    let taken = house.on(&["ingest"]).done();
    assert!(taken.as_array().expect("packages").iter().all(|t| t["refused"].is_null() && t["waits"].is_null()), "{taken}");
    house.on(&["link"]).done();
    assert_eq!(house.count("person"), 2, "the other hospital told nobody");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_reading_process_that_fails_by_itself_sets_the_package_aside() {
    let house = House::new();
    house.notified(&IDS);
    assert_eq!(house.receive(&[&house.tree(1, &of(&IDS))])[0]["state"], "accepted");
    with_child(&house, shell("cat > /dev/null; exit 101"), async |i| {
        let taken = ingest::ingest(i, &|_| ()).await.expect("an answer");
        assert_eq!(taken[0].refused.as_deref(), Some("core-reader-failed"));
    });
    assert_eq!(of_provider(&house, PROVIDER), ["quarantined"]);
    assert_eq!(entries(&house.instance().join("sealed")), 0, "what was known of it is gone");
}

/// Runs a command up to the N-th time that a step of this name is reached, where it is killed.
fn killed_at(house: &House, args: &[&str], step: &str) {
    let out = house.command(&house.with_instance(args)).env("AZEKURA_FAILPOINT", format!("{step}=kill")).output();
    assert_eq!(out.expect("the program").status.code(), None, "killed at {step}");
}

/// How often a command comes to a step of this name.
fn times(house: &House, args: &[&str], step: &str) -> usize {
    let trace = house.path().join("trace");
    house.command(&house.with_instance(args)).env("AZEKURA_FAILPOINT_TRACE", &trace).output().expect("the program");
    fs::read_to_string(trace).expect("a trace").lines().filter(|l| *l == step).count()
}

#[test]
fn a_receipt_that_is_lost_before_it_was_put_out_is_named_and_not_taken_for_fetched() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS))]);
    // The last but one: the mark of how far the journal is comes after it.
    let last = times(&house.copy(), &["ingest"], "rename") - 1;
    let place = house.instance().join(format!("outbox/{PROVIDER}/receipt-000001.azp"));
    // Killed before the move, and what was made is gone when somebody goes on.
    let lost = house.copy();
    killed_at(&lost, &["ingest"], &format!("rename#{last}"));
    let pending = lost.instance().join("pending").join(PROVIDER);
    assert_eq!(entries(&pending), 2, "the receipt and the mark of its move");
    fs::remove_dir_all(&pending).expect("removed");
    lost.on(&["ingest"]).done();
    let faults = lost.faults();
    assert!(faults.len() == 1 && faults[0].contains("receipt:") && faults[0].contains(PROVIDER), "{faults:?}");
    let args = lost.with_instance(&["journal", "verify", "--lang", "ja"]);
    let said = std::process::Command::new(crate::kit::AZEKURA)
        .args(args)
        .env("AZEKURA_PASSPHRASE_FILE", lost.path().join("pass"))
        .output()
        .expect("the program");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("失われました") && !said.contains("was lost"), "{said}");
    assert_eq!(of_provider(&lost, PROVIDER), ["ledgered"], "nobody told the provider");
    let untold = lost.on(&["receipt", "list"]).done();
    let package = untold[0]["package"].as_str().expect("an id").to_owned();
    assert_eq!((&untold[0]["provider"], &untold[0]["sequence"]), (&PROVIDER.into(), &1.into()), "{untold}");
    let told = ["receipt", "told", &package, "--how", "by telephone, 28 November"];
    lost.on(&told).done();
    assert_eq!(lost.on(&told).refused(), "core-receipt-told-before");
    assert_eq!((lost.faults(), of_provider(&lost, PROVIDER)), (Vec::new(), vec!["acknowledged".to_owned()]));
    assert_eq!(lost.on(&["receipt", "list"]).done(), serde_json::json!([]));
    assert!(lost.journal().iter().any(|e| e["purpose"] == "by telephone, 28 November"));
    // Killed after the move, and the provider fetches it before somebody goes on.
    let fetched = house.copy();
    killed_at(&fetched, &["ingest"], &format!("rename.after#{last}"));
    fs::remove_dir_all(fetched.instance().join(format!("outbox/{PROVIDER}/receipt-000001.azp"))).expect("fetched");
    fetched.on(&["ingest"]).done();
    assert_eq!((fetched.faults(), of_provider(&fetched, PROVIDER)), (Vec::new(), vec!["acknowledged".to_owned()]));
    // Killed before the move, and nothing taken away.
    killed_at(&house, &["ingest"], &format!("rename#{last}"));
    house.on(&["ingest"]).done();
    assert!(place.is_dir());
    assert_eq!(house.open(&place, &hospital()).len(), 3);
    assert_eq!((house.faults(), of_provider(&house, PROVIDER)), (Vec::new(), vec!["acknowledged".to_owned()]));
    assert_eq!(entries(&house.instance().join("pending").join(PROVIDER)), 0, "no mark is left");
}

#[test]
fn an_erasure_takes_packages_with_it_that_were_never_taken_in() {
    let house = House::new();
    house.notified(&IDS);
    let packages_dir = |house: &House| entries(&house.instance().join("packages"));
    // One that waits for an earlier one holds a person of whom nothing is in the lake.
    assert_eq!(house.receive(&[&house.tree(2, &of(&[IDS[0]]))])[0]["reason"], "core-package-sequence-gap");
    assert_eq!(packages_dir(&house), 1);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    assert_eq!(packages_dir(&house), 0);
    // One that was accepted before the next erasure and does not hold when it is read goes as well, at once.
    assert_eq!(house.receive(&[&house.tree(1, &of(&[IDS[1]]))])[0]["state"], "accepted");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[1], "--erase"]).done();
    assert_eq!(packages_dir(&house), 1, "it is still to be taken in");
    with_child(&house, shell("cat > /dev/null; exit 101"), async |i| {
        let taken = ingest::ingest(i, &|_| ()).await.expect("an answer");
        assert_eq!(taken[0].refused.as_deref(), Some("core-reader-failed"));
    });
    assert_eq!(packages_dir(&house), 0);
    assert_eq!(house.journal().iter().filter(|e| e["event"] == "package_destroyed").count(), 2);
    // One that came after every erasure is kept for the stated time.
    let stranger = house.package_by(&party("stranger", "30"), PROVIDER, &house.intake(), 1, |w| tar(w, &of(&IDS)));
    assert_eq!(house.receive(&[&stranger])[0]["state"], "quarantined");
    house.on(&["ingest"]).done();
    assert_eq!(packages_dir(&house), 1);
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn what_was_seen_of_a_package_that_waits_is_an_asset_and_opens_no_more_after_an_erasure() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&[IDS[0]]))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    house.receive(&[&house.tree(2, &of(&[IDS[0], IDS[1]]))]);
    let key = |house: &House| {
        let mut found = None;
        with_child(house, shell("exit 0"), async |i| {
            let mut reader = i.ledger.read().await.expect("a reader");
            let all = reader.assets(&Default::default()).await.expect("assets");
            let asset = all.iter().rfind(|a| a.kind == "package summary" && a.state.to_string() == "live").expect("an asset");
            let wrapped = reader.key(asset.id).await.expect("read").expect("a key");
            found = Some((asset.id, wrapped));
        });
        found.expect("a key")
    };
    let (asset, before) = key(&house);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    let (same, after) = key(&house);
    assert_eq!(asset, same);
    with_child(&house, shell("exit 0"), async |i| {
        assert!(i.keyring.open_data_key(asset, &after).is_ok(), "it is still of use");
        assert!(i.keyring.open_data_key(asset, &before).is_err(), "no earlier copy of the ledger opens it");
    });
    let taken = house.on(&["ingest"]).done();
    assert_eq!((&taken[0]["patients_in"], &taken[0]["patients_refused"]), (&1.into(), &1.into()), "{taken}");
    assert_eq!(entries(&house.instance().join("sealed")), 1, "the pairs of the linkage alone");
}

#[test]
fn a_package_that_comes_again_while_it_waits_is_in_the_journal_each_time() {
    let house = House::new();
    let second = house.tree(2, &of(&IDS));
    for times in 0..3 {
        let said = house.receive(&[&second]);
        assert_eq!((&said[0]["reason"], &said[0]["sequence"]), (&"core-package-sequence-gap".into(), &2.into()));
        let noted = house.journal().iter().filter(|e| e["event"] == "refused").count();
        assert_eq!(noted, times, "the first is noted as received");
    }
}

/// The same files without address, telephone and insurer, and with the month of birth alone: the name, the sex and the month agree.
fn without_contacts(files: &Files) -> Files {
    files.iter().map(|(name, content)| (name.clone(), segments(content))).collect()
}

/// Goes through the segments of an HL7 message. Text in JIS holds bytes that look like separators: it begins and ends with an escape.
fn segments(content: &[u8]) -> Vec<u8> {
    let (mut out, mut segment, mut field, mut written, mut wide, mut last) = (Vec::new(), Vec::new(), 0, 0, false, 0);
    for &byte in content {
        if last == 0x1b {
            wide = byte == b'$';
        }
        last = byte;
        match byte {
            b'\r' | b'\n' if !wide => {
                if !segment.starts_with(b"IN1|") && !segment.starts_with(b"NK1|") {
                    out.extend_from_slice(&segment);
                    out.push(byte);
                }
                segment.clear();
                (field, written) = (0, 0);
            }
            b'|' if !wide => {
                segment.push(byte);
                (field, written) = (field + 1, 0);
            }
            // PID-7 birth, PID-11 address, PID-13 and PID-14 telephones
            _ if segment.starts_with(b"PID|") && (matches!(field, 11 | 13 | 14) || field == 7 && written == 6) => {}
            _ => {
                segment.push(byte);
                written += 1;
            }
        }
    }
    out.extend_from_slice(&segment);
    out
}

/// Three patients at one hospital, and the same three at another under other numbers, without their contacts: they may be the same people, and
/// nothing joins them. What `link` said, with the three numbers at the other hospital.
pub fn doubtful_people(house: &House) -> (Value, Vec<String>) {
    let moved: Vec<String> = IDS.iter().map(|id| id.replacen('5', "6", 1)).collect();
    let there: Files = IDS.iter().zip(&moved).flat_map(|(from, to)| renamed(&of(&[from]), from, to)).collect();
    let there = without_contacts(&there);
    house.notified(&IDS);
    other_hospital(house);
    house.notified_at(OTHER, &moved.iter().map(String::as_str).collect::<Vec<_>>());
    house.receive(&[&house.tree(1, &of(&IDS)), &from_other(house, 1, &there)]);
    house.on(&["ingest"]).done();
    (house.on(&["link"]).done(), moved)
}

/// How many persons a data set holds that is planned and made now.
pub fn persons_in_a_data_set(house: &House) -> u64 {
    let id = house.planned();
    house.make(&id)["persons"].as_u64().expect("a count")
}

#[test]
fn who_may_be_one_with_a_person_who_said_no_leaves_no_more_than_that_person() {
    let house = House::new();
    let (linked, _) = doubtful_people(&house);
    assert_eq!((&linked["records"], &linked["persons"]), (&6.into(), &6.into()), "a name and a month join nobody: {linked}");
    assert!(linked["doubtful"].as_u64() > Some(0), "{linked}");
    let persons = persons_in_a_data_set;
    assert_eq!(persons(&house.copy()), 6);
    // Who says no at one hospital is not read as somebody else of that name at the other.
    for wish in [vec![], vec!["--erase"]] {
        let house = house.copy();
        let mut words = vec!["opt-out", "--provider", PROVIDER, "--patient", IDS[0]];
        words.extend(wish);
        let stopped = house.on(&words).done();
        assert_eq!(stopped["blocked_records"], 2, "{stopped}");
        assert_eq!(persons(&house), 4, "{words:?}");
        house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw"]).done();
        let erased = u64::from(words.contains(&"--erase"));
        assert_eq!(persons(&house), 6 - erased, "taken back: {words:?}");
    }
}
