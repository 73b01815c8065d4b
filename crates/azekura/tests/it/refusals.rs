//! What is refused, what is told, and ways out of states that nobody meant: on the real program.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::kit::{House, IDS, PROVIDER, files, party, samples, tar, text};
use crate::losses::{OTHER, from_other, other_hospital, shell, with_child};

type Files = Vec<(String, Vec<u8>)>;

fn of(ids: &[&str]) -> Files {
    files(&samples("synthetic-twins"), |n| ids.iter().any(|id| n.contains(id)))
}

fn entries(dir: &Path) -> usize {
    fs::read_dir(dir).map(Iterator::count).unwrap_or(0)
}

/// A house with the three patients taken in and linked.
fn taken_in() -> House {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    house
}

/// `opt-out --patient -` with these bytes on standard input.
fn opt_out_typed(house: &House, typed: &str) -> (Option<i32>, String) {
    let args = house.with_instance(&["opt-out", "--provider", PROVIDER, "--patient", "-"]);
    let mut child =
        house.command(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
    child.stdin.take().expect("a pipe").write_all(typed.as_bytes()).expect("typed");
    let out = child.wait_with_output().expect("ended");
    (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned())
}

// control: NOT-03
#[test]
fn an_opt_out_typed_with_what_nobody_sees_stops_that_patient_and_two_lines_stop_nobody() {
    let house = taken_in();
    let before = house.journal().len();
    let (status, said) = opt_out_typed(&house, &format!("{}\n{}\n", &IDS[0][..5], &IDS[0][5..]));
    assert_eq!(status, Some(2), "{said}");
    let (status, said) = opt_out_typed(&house, &format!("{} {}", &IDS[0][..5], &IDS[0][5..]));
    assert_eq!(status, Some(1), "{said}");
    assert_eq!(house.journal().len(), before, "nothing was stopped");
    let (status, said) = opt_out_typed(&house, &format!("\u{feff}{}\u{200b}\r\n", IDS[0]));
    let said: Value = serde_json::from_str(&said).expect("an answer");
    assert_eq!((status, &said["blocked_records"]), (Some(0), &1.into()), "{said}");
}

// control: NOT-03
#[test]
fn a_list_under_another_name_or_in_another_place_keeps_its_package_out() {
    let house = House::new();
    house.notified(&IDS);
    let list = format!("patient,requester,scope,date\n{},person,,2026-05-01\n", IDS[0]);
    for name in
        ["OPT-OUTS.CSV", "opt_outs.csv", "lists/opt-outs.csv", "storage/opt-outs.csv", "storage/Opt Outs.txt", "readme.txt"]
    {
        let mut files = of(&IDS);
        files.push((name.to_owned(), list.clone().into_bytes()));
        let said = house.receive(&[&house.tree(1, &files)]);
        assert_eq!((&said[0]["state"], &said[0]["reason"]), (&"quarantined".into(), &"core-package-beside".into()), "{name}");
    }
    let mut files = of(&IDS);
    files.push(("opt-outs.csv".to_owned(), list.clone().into_bytes()));
    let said = house.receive(&[&house.tree(1, &files)]);
    assert_eq!(
        (&said[0]["state"], &said[0]["opt_outs"], &said[0]["opt_outs_of_nobody"]),
        (&"accepted".into(), &1.into(), &0.into())
    );
    // Somebody of whom nothing is here may be a wrong id: it is counted.
    let mut files = of(&[IDS[1]]);
    files.push(("opt-outs.csv".to_owned(), list.replace(IDS[0], "5072922811.0").into_bytes()));
    let said = house.receive(&[&house.tree(2, &files)]);
    assert_eq!((&said[0]["opt_outs"], &said[0]["opt_outs_of_nobody"]), (&1.into(), &1.into()), "{}", said[0]);
}

#[test]
fn an_erasure_stops_everything_and_takes_packages_whose_bytes_did_not_hold() {
    let house = taken_in();
    let patient = ["opt-out", "--provider", PROVIDER, "--patient", IDS[0]];
    let refused = house.on(&[&patient[..], &["--erase", "--scope", "anonymized"]].concat());
    assert_eq!(refused.refused(), "core-opt-out-erase-scope");
    // Its signature holds and its payload lacks the end: whose it is, is known.
    let cut = house.tree(2, &of(&IDS));
    let payload = cut.join("payload-0001.p7m");
    let bytes = fs::read(&payload).expect("readable");
    fs::write(&payload, &bytes[..bytes.len() - 40]).expect("written");
    let said = house.receive(&[&cut]);
    assert_eq!((&said[0]["state"], &said[0]["provider"]), (&"quarantined".into(), &PROVIDER.into()), "{}", said[0]);
    let stranger = house.package_by(&party("stranger", "30"), PROVIDER, &house.intake(), 3, |w| tar(w, &of(&IDS)));
    assert_eq!(house.receive(&[&stranger])[0]["provider"], Value::Null);
    let kept = house.instance().join("packages");
    assert_eq!(entries(&kept), 3);
    let done = house.on(&[&patient[..], &["--erase"]].concat()).done();
    assert_eq!((&done["erased_records"], &done["destroyed_packages"]), (&1.into(), &3.into()), "{done}");
    assert_eq!(entries(&kept), 0, "nobody can say that the person is not in them");
    // The map is what it is now, not what the run found.
    let linked = house.on(&["link"]).done();
    assert_eq!((&linked["records"], &linked["persons"]), (&2.into(), &2.into()), "{linked}");
    assert_eq!(house.faults(), Vec::<String>::new());
    // What was cut comes whole, and the person does not come with it.
    house.receive(&[&house.tree(2, &of(&IDS))]);
    assert_eq!(house.on(&["ingest"]).done()[0]["patients_in"], 2);
}

#[test]
fn a_certificate_is_renewed_and_what_was_signed_before_stands() {
    let house = taken_in();
    // Received under the old certificate, read under the new one.
    house.receive(&[&house.tree(2, &of(&[IDS[0]]))]);
    let old = house.tree(3, &of(&[IDS[1]]));
    let renew =
        |kind: &str, id: &str, name: &str| house.on(&[kind, "renew", "--id", id, "--cert", text(&party(name, "30").cert)]);
    assert_eq!(renew("provider", PROVIDER, "hospital-2").done()["status"], "active");
    assert_eq!(house.on(&["ingest"]).done()[0]["patients_in"], 1, "the certificate of the day it came counts");
    assert_eq!(house.receive(&[&old])[0]["reason"], "package-signer-wrong", "the old key signs nothing new");
    house.on(&["link"]).done();

    let id = house.planned();
    house.make(&id);
    let approve = |name: &str| {
        let p = party(name, "30");
        house.on(&["dataset", "approve", &id, "--key", text(&p.key), "--cert", text(&p.cert)])
    };
    approve("officer-1").done();
    assert_eq!(renew("officer", "officer-2", "officer-1").refused(), "core-party-certificate-taken", "one key is one person");
    renew("officer", "officer-1", "officer-1-new").done();
    renew("officer", "officer-1", "officer-1-new").done();
    renew("member", "member-1", "member-1-new").done();
    let again = ["officer", "add", "--id", "officer-3", "--cert", text(&party("officer-1", "30").cert)].map(str::to_owned);
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    assert_eq!(house.on(&again).refused(), "core-party-certificate-taken", "also when it is another's former one");
    // Another certificate over the same key is the same hand.
    let (key, anew) = (party("officer-1", "30").key, house.path().join("anew.pem"));
    let args = ["req", "-x509", "-new", "-key", text(&key), "-subj", "/CN=somebody else", "-days", "30", "-out", text(&anew)];
    assert!(std::process::Command::new("openssl").args(args).status().expect("openssl").success());
    assert_eq!(
        house.on(&["officer", "add", "--id", "officer-3", "--cert", text(&anew)]).refused(),
        "core-party-certificate-taken"
    );
    assert_eq!(approve("officer-1").refused(), "core-signer-unknown");
    approve("officer-2").done();
    // Of a suspended officer nothing counts; who comes back is believed again.
    let copy = house.copy();
    copy.on(&["officer", "suspend", "--id", "officer-1"]).done();
    assert_eq!(copy.on(&["dataset", "deliver", &id]).refused(), "governance-too-few-approvals");
    copy.on(&["officer", "resume", "--id", "officer-1"]).done();
    copy.on(&["recipient", "suspend", "--id", "recipient"]).done();
    assert_eq!(copy.on(&["dataset", "deliver", &id]).refused(), "core-party-suspended");
    copy.on(&["recipient", "resume", "--id", "recipient"]).done();
    copy.on(&["dataset", "deliver", &id]).done();
    // Who has ended signed rightly before, and signs no more.
    house.on(&["member", "end", "--id", "member-2"]).done();
    assert_eq!(house.on(&["member", "resume", "--id", "member-2"]).refused(), "core-party-ended");
    house.on(&["dataset", "deliver", &id]).done();
    assert_eq!(house.faults(), Vec::<String>::new());
    assert_eq!(renew("recipient", "nobody", "officer-2").refused(), "core-unknown-party");
}

#[test]
fn of_a_suspended_provider_nothing_comes_in_and_what_waited_is_held_to_the_certificate_of_its_day() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&[IDS[0]]))]);
    house.on(&["provider", "suspend", "--id", PROVIDER]).done();
    let waits = house.on(&["ingest"]);
    assert_eq!((waits.status, &waits.json[0]["waits"]), (Some(1), &"core-ingest-suspended".into()), "{}", waits.all);
    house.on(&["provider", "resume", "--id", PROVIDER]).done();
    assert_eq!(house.on(&["ingest"]).done()[0]["patients_in"], 1);
    // The third waits for the second, which comes under a new certificate.
    assert_eq!(house.receive(&[&house.tree(3, &of(&[IDS[2]]))])[0]["reason"], "core-package-sequence-gap");
    house.on(&["provider", "renew", "--id", PROVIDER, "--cert", text(&party("hospital-2", "30").cert)]).done();
    let second = house.package_by(&party("hospital-2", "30"), PROVIDER, &house.intake(), 2, |w| tar(w, &of(&[IDS[1]])));
    let said = house.receive(&[&second]);
    assert_eq!(said.iter().map(|r| r["state"].clone()).collect::<Vec<_>>(), ["accepted", "accepted"], "{said:?}");
    assert_eq!(house.on(&["ingest"]).done().as_array().map(Vec::len), Some(2));
    assert_eq!(house.count("person"), 3);
}

#[test]
fn a_period_that_ends_before_it_begins_is_refused_at_once_and_who_has_nothing_in_it_stays() {
    let house = taken_in();
    let shipped =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/pseudonymized.toml")).expect("a profile");
    let with = |period: &str| {
        let path = house.path().join("profile.toml");
        let rest: String =
            shipped.lines().filter(|l| !l.starts_with("from =") && !l.starts_with("to =")).map(|l| format!("{l}\n")).collect();
        let text = if rest.contains("[cohort]") {
            rest.replace("[cohort]", &format!("[cohort]\n{period}"))
        } else {
            format!("{rest}\n[cohort]\n{period}\n")
        };
        fs::write(&path, text).expect("written");
        path
    };
    let plan = |period: &str| house.on(&["dataset", "plan", "--profile", text(&with(period))]);
    assert_eq!(plan("from = \"2031-01-01\"").refused(), "core-profile-period");
    assert_eq!(plan("from = \"2020-01-02\"\nto = \"2020-01-01\"").refused(), "core-profile-period");
    assert_eq!(plan("from = \"2020-13-01\"").refused(), "core-profile-date");
    // Days in which only some had a visit.
    let days = house.sql("select distinct visit_start_date as d from visit_occurrence order by 1");
    let near = days.iter().find_map(|d| {
        let day: jiff::civil::Date = d["d"].as_str()?.parse().ok()?;
        let (from, to) = (day - jiff::Span::new().days(2), day + jiff::Span::new().days(2));
        let sql = format!("select count(distinct record_id) as n from visit_occurrence where visit_start_date between date '{from}' and date '{to}'");
        (house.sql(&sql)[0]["n"].as_str()?.parse::<u64>().ok()? < 3).then_some((from, to))
    });
    let (from, to) = near.expect("days of some");
    let id = house.planned_with(&with(&format!("from = \"{from}\"\nto = \"{to}\"")));
    let made = house.make(&id);
    assert!(made["persons"].as_u64() < Some(3) && made["persons"].as_u64() > Some(0), "{made}");
}

#[test]
fn a_patient_on_hold_is_named_and_let_go_by_a_person_with_a_reason() {
    let house = taken_in();
    let before = house.sql("select record_id as r, count(*) as n from measurement group by 1 order by 1");
    // A file of one patient in another's place.
    let mut mixed = of(&IDS);
    let foreign = of(&[IDS[1]]).into_iter().find(|(n, _)| n.contains("OML-11") || n.contains("ADT")).expect("a file").1;
    let at = mixed.iter().position(|(n, _)| n.contains(IDS[0])).expect("a place");
    mixed[at].1 = foreign;
    house.receive(&[&house.tree(2, &mixed)]);
    // Neither the one in whose place it lies nor the one whom it names is sure any more.
    assert_eq!(house.on(&["ingest"]).done()[0]["patients_set_aside"], 2);
    let held = house.on(&["hold", "list"]).done();
    let hold = &held.as_array().expect("holds")[0];
    assert_eq!((held.as_array().map(Vec::len), &hold["provider"]), (Some(2), &PROVIDER.into()), "{held}");
    let record = hold["record"].to_string();
    assert_eq!(house.count("person"), 1);
    let before = before.iter().find(|r| r["r"].as_str() == Some(&record)).cloned().expect("rows of before");
    let release =
        |record: &str| house.on(&["hold", "release", "--record", record, "--reason", "the hospital put the file right"]);
    assert_eq!(release("999").refused(), "core-hold-none");
    assert_eq!(release(&record).done()["released"], 1);
    assert_eq!(release(&record).refused(), "core-hold-none");
    assert_eq!(house.count("person"), 2);
    let rows = house.sql(&format!("select record_id as r, count(*) as n from measurement where record_id = {record} group by 1"));
    assert_eq!(rows, [before], "what came in before is there, and nothing of what was mixed up");
    assert!(house.journal().iter().any(|e| e["event"] == "record_released" && e["purpose"] == "the hospital put the file right"));
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn what_waits_for_an_earlier_package_comes_in_behind_it() {
    let house = House::new();
    house.notified(&IDS);
    assert_eq!(house.receive(&[&house.tree(3, &of(&[IDS[2]]))])[0]["reason"], "core-package-sequence-gap");
    assert_eq!(house.receive(&[&house.tree(2, &of(&[IDS[1]]))])[0]["reason"], "core-package-sequence-gap");
    let said = house.receive(&[&house.tree(1, &of(&[IDS[0]]))]);
    let sequences: Vec<(&Value, &Value)> = said.iter().map(|r| (&r["sequence"], &r["state"])).collect();
    let accepted = Value::from("accepted");
    assert_eq!(sequences, [(&1.into(), &accepted), (&2.into(), &accepted), (&3.into(), &accepted)]);
    assert_eq!(house.on(&["ingest"]).done().as_array().map(Vec::len), Some(3));
    assert_eq!(house.count("person"), 3);
}

#[test]
fn nothing_to_link_is_said_and_a_file_that_is_gone_is_named() {
    let house = House::new();
    assert_eq!(house.on(&["link"]).refused(), "core-link-nothing");
    let list = house.path().join("no-columns.csv");
    fs::write(&list, "id,day\n1,2026-04-01\n").expect("written");
    let args =
        ["notice", "add", "--provider", PROVIDER, "--scope", "anonymized", "--from", "2026-04-01", "--contacts", text(&list)];
    assert_eq!(house.on(&args).refused(), "core-list-columns");
    let house = taken_in();
    let lake = house.instance().join("lake/measurement").join(PROVIDER);
    let file = fs::read_dir(&lake).expect("listable").next().expect("a file").expect("an entry").path();
    fs::rename(&file, house.path().join("taken away")).expect("moved");
    let faults = house.faults();
    assert!(faults.len() == 1 && faults[0].contains("measurement"), "{faults:?}");
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

// control: NOT-03
#[test]
fn a_package_of_a_list_alone_stops_whom_it_names() {
    let house = taken_in();
    let list = format!("patient,requester,scope,date\n{},person,,2026-05-01\n", IDS[0]);
    let said = house.receive(&[&house.tree(2, &[("opt-outs.csv".to_owned(), list.into_bytes())])]);
    assert_eq!((&said[0]["state"], &said[0]["opt_outs"]), (&"accepted".into(), &1.into()), "{}", said[0]);
    assert_eq!(house.on(&["ingest"]).done()[0]["members"], 0);
    assert_eq!(house.count("person"), 2);
    let empty = house.receive(&[&house.tree(3, &[])]);
    assert_eq!(empty[0]["reason"], "package-empty");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn to_be_erased_everywhere_somebody_is_looked_for_in_what_waits_too() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS))]);
    let everywhere = |id: &str| house.on(&["opt-out", "--provider", PROVIDER, "--patient", id, "--erase", "--everywhere"]);
    let first = everywhere(IDS[0]).done();
    assert_eq!(
        (&first["erased_records"], &first["searched_elsewhere"]),
        (&1.into(), &true.into()),
        "what waited came in: {first}"
    );
    let again = everywhere(IDS[0]).done();
    assert_eq!(again["searched_elsewhere"], true, "an erasure that is over stays over: {again}");
    // Who is stopped before anything came in cannot be found elsewhere by anything: that is said.
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", "5079999999"]).done();
    let nobody = everywhere("5079999999");
    assert_eq!((nobody.status, &nobody.json["searched_elsewhere"]), (Some(1), &false.into()), "{}", nobody.all);
    assert!(nobody.json["opt_out"].is_string(), "it is registered all the same: {}", nobody.all);
    // A package that waits for an earlier one is counted.
    other_hospital(&house);
    house.receive(&[&from_other(&house, 2, &of(&[IDS[1]]))]);
    let other = everywhere(IDS[2]).done();
    assert_eq!((&other["erased_records"], &other["waiting_packages"]), (&1.into(), &1.into()), "{other}");
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

// control: NOT-03
#[test]
fn a_delivery_that_could_not_leave_does_not_leave_once_somebody_in_it_said_no() {
    let house = taken_in();
    let id = house.planned();
    house.make(&id);
    house.approve(&id);
    let outbox = house.instance().join("outbox/recipient");
    fs::remove_dir_all(&outbox).unwrap_or_default();
    fs::write(&outbox, "in the way").expect("written");
    assert_eq!(house.on(&["dataset", "deliver", &id]).status, Some(1));
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
    let house = taken_in();
    let id = house.planned();
    house.make(&id);
    house.approve(&id);
    let outbox = house.instance().join("outbox/recipient");
    fs::remove_dir_all(&outbox).unwrap_or_default();
    fs::write(&outbox, "in the way").expect("written");
    assert_eq!(house.on(&["dataset", "deliver", &id]).status, Some(1));
    fs::remove_file(&outbox).expect("out of the way");
    let args = house.with_instance(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]);
    for nth in (1..200).step_by(3) {
        let broken = house.copy();
        let args = broken.with_instance(&args[..5]);
        let mut command = broken.command(&args);
        let out = command.env("AZEKURA_FAILPOINT", format!("#{nth}=kill")).output().expect("the program");
        if out.status.success() {
            assert!(nth > 20, "it was broken at many places: {nth}");
            break;
        }
        broken.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]).done();
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
fn the_own_no_of_a_person_stands_when_one_from_elsewhere_is_taken_back() {
    let house = House::new();
    house.notified(&IDS);
    two_hospitals(&house);
    let everywhere = ["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase", "--everywhere"];
    assert_eq!(house.on(&everywhere).done()["erased_records"], 2, "known to both");
    let own = house.on(&["opt-out", "--provider", OTHER, "--patient", IDS[0]]).done();
    let again = house.on(&["opt-out", "--provider", OTHER, "--patient", IDS[0]]).done();
    assert_eq!(own["opt_out"], again["opt_out"], "once");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw"]).done();
    house.receive(&[&from_other(&house, 2, &of(&IDS))]);
    let taken = house.on(&["ingest"]).done();
    assert_eq!((&taken[0]["patients_in"], &taken[0]["patients_refused"]), (&2.into(), &1.into()), "{taken}");
}

// control: NOT-03
#[test]
fn who_was_erased_at_one_provider_is_erased_everywhere_when_that_is_said_later() {
    let house = House::new();
    house.notified(&IDS);
    two_hospitals(&house);
    let erase = ["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"];
    assert_eq!(house.on(&erase).done()["erased_records"], 1);
    let left = |house: &House| house.sql("select count(*) as n from person")[0]["n"].clone();
    let before = left(&house);
    let everywhere = house.on(&[&erase[..], &["--everywhere"]].concat()).done();
    assert_eq!((&everywhere["erased_records"], &everywhere["searched_elsewhere"]), (&1.into(), &true.into()), "{everywhere}");
    let held = house.on(&["hold", "list", "--provider", OTHER, "--patient", IDS[0]]).done();
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw"]).done();
    assert_eq!(left(&house), before, "what was erased stays erased: {held}");
}

// control: NOT-03
#[test]
fn what_a_standing_no_reached_stays_stopped_when_another_s_erasure_is_taken_back() {
    let house = House::new();
    house.notified(&IDS);
    two_hospitals(&house);
    let no = |more: &[&str]| house.on(&[&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]], more].concat());
    no(&[]).done();
    let persons = || house.make(&house.planned())["persons"].clone();
    assert_eq!(persons(), 2);
    for erase in [&["--erase"][..], &["--erase", "--everywhere"]] {
        let guardian = ["--requester", "guardian", "--relation", "parent"];
        no(&[&guardian[..], erase].concat()).done();
        let back = no(&["--requester", "guardian", "--withdraw"]).done();
        assert_eq!((&back["withdrawn"], &back["standing"]), (&1.into(), &1.into()), "{back}");
        assert_eq!(persons(), 2, "{erase:?}: the person's own no is still in force");
        let held = house.on(&["hold", "list", "--provider", OTHER, "--patient", IDS[0]]).done();
        assert!(held.as_array().is_some_and(|all| !all.is_empty()), "{held}");
    }
    // With the last one goes what was held.
    no(&["--withdraw"]).done();
    assert_eq!(house.on(&["hold", "list"]).done().as_array().map(Vec::len), Some(0));
}

// control: NOT-03
#[test]
fn after_an_erasure_that_was_taken_back_nobody_is_said_to_have_been_looked_for() {
    let house = House::new();
    house.notified(&IDS);
    two_hospitals(&house);
    let no = |more: &[&str]| house.on(&[&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]], more].concat());
    no(&["--erase"]).done();
    no(&["--withdraw"]).done();
    let everywhere = no(&["--erase", "--everywhere"]);
    assert_eq!((everywhere.status, &everywhere.json["searched_elsewhere"]), (Some(1), &false.into()), "{}", everywhere.all);
}

#[test]
fn an_institution_that_was_ended_takes_part_again_with_another_key_and_what_came_meanwhile_stays_out() {
    let house = taken_in();
    house.on(&["provider", "suspend", "--id", PROVIDER]).done();
    let stolen = house.tree(2, &of(&[IDS[1]]));
    assert_eq!(house.receive(&[&stolen])[0]["reason"], "core-package-suspended");
    let add =
        |house: &House, name: &str| house.on(&["provider", "add", "--id", PROVIDER, "--cert", text(&party(name, "30").cert)]);
    assert_eq!(add(&house, "hospital-2").refused(), "core-party-exists");
    // A new key, and back again: the old key signs nothing that counts.
    let renewed = house.copy();
    renewed.on(&["provider", "renew", "--id", PROVIDER, "--cert", text(&party("hospital-2", "30").cert)]).done();
    renewed.on(&["provider", "resume", "--id", PROVIDER]).done();
    let said = renewed.on(&["receive"]);
    assert!(said.json.as_array().is_some_and(|all| all.iter().all(|r| r["state"] != "accepted")), "{}", said.all);
    assert_eq!(renewed.on(&["ingest"]).done().as_array().map(Vec::len), Some(0));
    house.on(&["provider", "end", "--id", PROVIDER]).done();
    assert_eq!(add(&house, "hospital").refused(), "core-party-ended", "not with the same one");
    assert_eq!(add(&house, "hospital-2").done()["status"], "active");
    assert_eq!(house.on(&["receive"]).json.as_array().map(Vec::len), Some(1), "what waited is looked at once more");
    let sent = house.package_by(&party("hospital-2", "30"), PROVIDER, &house.intake(), 2, |w| tar(w, &of(&[IDS[1]])));
    assert_eq!(house.receive(&[&sent])[0]["state"], "accepted");
}

// control: NOT-03
#[test]
fn a_list_that_could_not_be_read_the_first_time_counts_when_its_package_comes_whole() {
    let house = taken_in();
    let no = |more: &[&str]| house.on(&[&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]], more].concat()).done();
    no(&[]);
    let day = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(9))).date();
    no(&["--withdraw"]);
    let mut files = of(&[IDS[1]]);
    files.push(("opt-outs.csv".to_owned(), format!("patient,requester,scope,date\n{},person,,{day}\n", IDS[0]).into_bytes()));
    let whole = house.tree(2, &files);
    let damaged = house.path().join("damaged.azp");
    fs::create_dir(&damaged).expect("made");
    for entry in fs::read_dir(&whole).expect("listable") {
        let path = entry.expect("an entry").path();
        let mut bytes = fs::read(&path).expect("readable");
        if path.extension().is_some_and(|e| e == "p7m")
            && path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("payload"))
        {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        fs::write(damaged.join(path.file_name().expect("a name")), bytes).expect("written");
    }
    assert_eq!((&house.receive(&[&damaged])[0]["state"], house.count("person")), (&"quarantined".into(), 3));
    let came = house.receive(&[&whole]);
    assert_eq!((&came[0]["state"], &came[0]["opt_outs"]), (&"accepted".into(), &1.into()), "{came:?}");
    assert_eq!(house.count("person"), 2);
}

/// Both hospitals have the three patients.
fn two_hospitals(house: &House) {
    other_hospital(house);
    let list = house.path().join("other-contacts.csv");
    let rows: String = IDS.iter().map(|p| format!("{p},2026-04-10,person,visit\n")).collect();
    fs::write(&list, format!("patient,date,addressee,method\n{rows}")).expect("written");
    let scope = "anonymized,pseudonymized";
    house.on(&["notice", "add", "--provider", OTHER, "--scope", scope, "--from", "2026-04-01", "--contacts", text(&list)]).done();
    house.receive(&[&house.tree(1, &of(&IDS)), &from_other(house, 1, &of(&IDS))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
}

#[test]
fn whose_place_a_suspended_signer_leaves_another_takes_and_who_is_ended_then_counts_no_more() {
    let house = taken_in();
    let id = house.planned();
    house.make(&id);
    house.approve(&id);
    let deliver = |house: &House| house.on(&["dataset", "deliver", &id]);
    for (kind, who) in [("officer", "officer-2"), ("member", "member-1")] {
        house.on(&[kind, "suspend", "--id", who]).done();
    }
    assert_eq!(deliver(&house).refused(), "governance-no-quorum");
    // For good, also when they are ended: their keys may be in other hands.
    for (kind, who) in [("officer", "officer-2"), ("member", "member-1")] {
        assert_eq!(house.on(&[kind, "end", "--id", who]).done()["status"], "revoked");
        assert_eq!(house.on(&[kind, "resume", "--id", who]).refused(), "core-party-ended");
    }
    let sign = |what: &[&str], kind: &str, who: &str| {
        let p = party(who, "30");
        if house.on(&[kind, "list"]).done().as_array().is_some_and(|all| all.iter().all(|o| o["id"] != who)) {
            house.on(&[kind, "add", "--id", who, "--cert", text(&p.cert)]).done();
        }
        house.on(&[what, &["--key", text(&p.key), "--cert", text(&p.cert)]].concat())
    };
    sign(&["dataset", "review", &id, "--decision", "approve"], "member", "member-9").done();
    assert_eq!(deliver(&house).refused(), "governance-too-few-approvals");
    sign(&["dataset", "approve", &id], "officer", "officer-3").done();
    deliver(&house).done();
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn what_comes_from_a_suspended_provider_waits_for_its_return_and_whom_it_names_is_stopped() {
    let house = taken_in();
    house.on(&["provider", "suspend", "--id", PROVIDER]).done();
    let mut files = of(&[IDS[1]]);
    files
        .push(("opt-outs.csv".to_owned(), format!("patient,requester,scope,date\n{},person,,2099-05-01\n", IDS[0]).into_bytes()));
    let came = house.receive(&[&house.tree(2, &files)]);
    assert_eq!((&came[0]["reason"], &came[0]["opt_outs"]), (&"core-package-suspended".into(), &1.into()), "{came:?}");
    assert_eq!(came[0]["provider"], PROVIDER);
    assert_eq!(house.count("person"), 2, "who said no is stopped at once");
    // A day that is to come keeps nobody from taking it back.
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw"]).done();
    // Ended while suspended: nothing of what waits comes in.
    let ended = house.copy();
    ended.on(&["provider", "end", "--id", PROVIDER]).done();
    assert_eq!(ended.on(&["receive"]).done().as_array().map(Vec::len), Some(0));
    assert_eq!(ended.receive(&[&house.tree(3, &of(&[IDS[1]]))])[0]["reason"], "core-package-ended");
    house.on(&["provider", "resume", "--id", PROVIDER]).done();
    let said = house.on(&["receive"]).done();
    assert_eq!((&said[0]["state"], &said[0]["opt_outs"]), (&"accepted".into(), &0.into()), "{said}");
    // One that is accepted and not in when its provider is suspended goes with an erasure, or when it is ended.
    house.on(&["provider", "suspend", "--id", PROVIDER]).done();
    let revoked = house.copy();
    revoked.on(&["provider", "end", "--id", PROVIDER]).done();
    assert_eq!(revoked.on(&["ingest"]).json[0]["refused"], "core-package-revoked");
    let erased = house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[1], "--erase"]).done();
    assert_eq!((&erased["erased_records"], &erased["destroyed_packages"]), (&1.into(), &2.into()), "{erased}");
    assert_eq!(entries(&house.instance().join("packages")), 0);
}

#[test]
fn who_asked_takes_back_what_is_theirs_and_what_others_asked_stands() {
    let house = taken_in();
    let no = |requester: &str| {
        house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--requester", requester, "--relation", "child"])
    };
    no("guardian").done();
    no("bereaved").done();
    let back = |requester: &str| {
        house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--withdraw", "--requester", requester])
    };
    let first = back("guardian").done();
    assert_eq!((&first["withdrawn"], &first["standing"]), (&1.into(), &1.into()), "{first}");
    assert_eq!(house.count("person"), 2);
    assert!(back("guardian").refused().starts_with("governance-"));
    back("bereaved").done();
    assert_eq!(house.count("person"), 3);
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
