//! What is refused, what is told, and ways out of states that nobody meant: on the real program.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::kit::{House, IDS, PROVIDER, files, party, samples, tar, text};

type Files = Vec<(String, Vec<u8>)>;

pub fn of(ids: &[&str]) -> Files {
    files(&samples("synthetic-twins"), |n| ids.iter().any(|id| n.contains(id)))
}

pub fn entries(dir: &Path) -> usize {
    fs::read_dir(dir).map(Iterator::count).unwrap_or(0)
}

/// A house with the three patients taken in and linked.
pub fn taken_in() -> House {
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
    // Whom the sender found and left out is no wrong id, and does not hide one.
    let mut sequence = 2;
    let mut told = |list: &str, left_out: u64| {
        let mut files = of(&[IDS[1]]);
        files.push(("opt-outs.csv".to_owned(), list.as_bytes().to_vec()));
        sequence += 1;
        let counts = [("patients-opted-out", left_out)];
        let said = house.receive(&[&house.package_counting("ssmix2", sequence, &files, &counts)]);
        said[0]["opt_outs_of_nobody"].as_u64()
    };
    let one = list.replace(IDS[0], "5079999991");
    assert_eq!((told(&one, 1), told(&one, 0)), (Some(0), Some(1)));
    assert_eq!(told(&format!("{one}5079999992,person,,2026-05-01\n"), 1), Some(1));
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
        (house.sql(&sql)[0]["n"].as_u64()? < 3).then_some((from, to))
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
    let before = before.iter().find(|r| hold["record"] == r["r"]).cloned().expect("rows of before");
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
fn ingest_says_in_words_why_patients_did_not_come_in() {
    let house = House::new();
    house.notified(&IDS[..1]);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[1]]).done();
    house.receive(&[&house.tree(1, &of(&IDS))]);
    let run = |lang: &str| {
        let copy = house.copy();
        let mut command = std::process::Command::new(crate::kit::AZEKURA);
        let args = copy.with_instance(&["ingest", "--lang", lang]);
        let out = command.args(args).env("AZEKURA_PASSPHRASE_FILE", copy.path().join("pass")).env("USER", "tester").output();
        String::from_utf8(out.expect("the program").stdout).expect("UTF-8")
    };
    let said = run("en");
    for line in [
        "1 patients in, 2 refused",
        "Refused: 1 patients. They were not notified",
        "Refused: 1 patients. A request that provision stop",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(run("ja").contains("受け入れない患者 1 人。通知されていません"), "{}", run("ja"));
}
