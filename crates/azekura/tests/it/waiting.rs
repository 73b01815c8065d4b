//! What waits to leave, or to come in, and what it waits for: on the real program.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::kit::{House, IDS, PROVIDER, party, text};
use crate::leaving::stuck_delivery;
use crate::losses::{OTHER, from_other, other_hospital};
use crate::refusals::{entries, of, taken_in};

// control: NOT-03
#[test]
fn a_delivery_waits_for_the_linkage_that_says_whose_no_has_come() {
    let (house, id, outbox) = stuck_delivery();
    let there = |house: &House| house.instance().join(format!("outbox/recipient/{id}.azp"));
    other_hospital(&house);
    house.notified_at(OTHER, &IDS);
    house.receive(&[&from_other(&house, 1, &of(&[IDS[0]]))]);
    house.on(&["ingest"]).done();
    fs::remove_file(&outbox).expect("out of the way");
    // Nobody has said yet who the new records are: it waits, and leaves when they are linked and nobody in it said no.
    let quiet = house.copy();
    quiet.on(&["ingest"]).done();
    assert!(!there(&quiet).exists(), "nobody knows yet");
    assert_eq!(quiet.dataset_state(&id), "delivered");
    // Somebody in it says no where they are known by another record.
    let list = format!("patient,requester,scope,date\n{},person,,2026-05-01\n", IDS[0]);
    let said = house.receive(&[&from_other(&house, 2, &vec![("opt-outs.csv".to_owned(), list.into_bytes())])]);
    assert_eq!((&said[0]["state"], &said[0]["opt_outs"]), (&"accepted".into(), &1.into()), "{}", said[0]);
    assert!(!there(&house).exists(), "the command that brought the no lets nothing out");
    house.on(&["link"]).done();
    assert_eq!((there(&house).exists(), house.dataset_state(&id).as_str()), (false, "building"));
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_delivery_that_waits_leaves_when_who_came_meanwhile_is_linked() {
    let (house, id, outbox) = stuck_delivery();
    other_hospital(&house);
    house.notified_at(OTHER, &IDS);
    let stranger = crate::kit::renamed(&of(&[IDS[0]]), IDS[0], "5079999999");
    house.receive(&[&from_other(&house, 1, &stranger)]);
    house.on(&["ingest"]).done();
    fs::remove_file(&outbox).expect("out of the way");
    house.on(&["link"]).done();
    // The same person under another id, who was not told: still the same records in the data set, and nobody said no.
    assert!(outbox.join(format!("{id}.azp")).is_dir(), "{}", house.dataset_state(&id));
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_waiting_package_that_somebody_spoilt_is_named_and_made_again_instead_of_handed_over() {
    let (house, id, outbox) = stuck_delivery();
    let file = house.instance().join(format!("pending/recipient/{id}.azp/payload-0001.p7m"));
    let mut bytes = fs::read(&file).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("written");
    let faults = house.faults();
    assert!(faults.len() == 1 && faults[0].contains("payload-0001.p7m"), "{faults:?}");
    fs::remove_file(&outbox).expect("out of the way");
    house.on(&["ingest"]).done();
    assert_eq!((outbox.join(format!("{id}.azp")).exists(), house.dataset_state(&id).as_str()), (false, "building"));
    house.make(&id);
    house.approve(&id);
    house.on(&["dataset", "deliver", &id]).done();
    assert!(!house.open(&outbox.join(format!("{id}.azp")), &party("recipient", "30")).is_empty());
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_disk_that_is_not_there_for_a_moment_costs_no_delivery_and_an_unreadable_list_costs_one_once_somebody_says_no() {
    let (house, id, outbox) = stuck_delivery();
    let (sealed, away) = (house.instance().join("sealed"), house.path().join("away"));
    fs::rename(&sealed, &away).expect("moved");
    fs::create_dir(&sealed).expect("made");
    fs::remove_file(&outbox).expect("out of the way");
    let ask = ["sql", "--purpose", "a test", "select 1"];
    house.on(&ask).done();
    assert_eq!((outbox.join(format!("{id}.azp")).exists(), house.dataset_state(&id).as_str()), (false, "delivered"));
    fs::remove_dir(&sealed).expect("removed");
    fs::rename(&away, &sealed).expect("moved back");
    house.on(&ask).done();
    assert!(outbox.join(format!("{id}.azp")).is_dir());
}

#[test]
fn a_delivery_that_could_not_be_put_in_its_place_says_that_it_waits_and_goes_on_when_it_is_repeated() {
    let (house, id, outbox) = stuck_delivery();
    let deliver = || house.on(&["dataset", "deliver", &id]);
    let waits = deliver();
    assert_eq!(waits.refused(), "core-dataset-delivery-waits");
    let told = waits.json["message"].as_str().expect("a text");
    assert!(told.contains("outbox/recipient") && !told.contains("process"), "what stands in the way, and nothing else: {told}");
    fs::remove_file(&outbox).expect("out of the way");
    let done = deliver().done();
    assert_eq!(
        (&done["officers"].as_array().map(Vec::len), &done["manifest_sha256"].as_str().map(str::len)),
        (&Some(2), &Some(64))
    );
    assert!(Path::new(done["package"].as_str().expect("a path")).is_dir());
    assert_eq!(deliver().refused(), "core-dataset-delivered-before");
}

// control: NOT-03
#[test]
fn what_could_not_be_removed_is_said_and_the_same_no_removes_it() {
    let (house, id, _) = stuck_delivery();
    let no = ["opt-out", "--provider", PROVIDER, "--patient", IDS[0]];
    for nth in 1..5 {
        let broken = house.copy();
        let args = broken.with_instance(&no);
        let out =
            broken.command(&args).env("AZEKURA_FAILPOINT", format!("remove_tree#{nth}=error")).output().expect("the program");
        let said: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        assert_eq!(said["voided_datasets"], 1, "at {nth}: {said}");
        let left = entries(&broken.instance().join("pending/recipient"));
        assert!(left == 0 || out.status.code() == Some(1), "what stays is said, at {nth}: {said}");
        broken.on(&no).done();
        assert_eq!(entries(&broken.instance().join("pending/recipient")), 0, "at {nth}");
        assert_eq!((broken.dataset_state(&id).as_str(), broken.faults()), ("building", Vec::new()), "at {nth}");
    }
}

#[test]
fn a_receipt_that_waited_is_not_handed_to_whoever_has_the_key_that_was_taken_out_of_use() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &of(&IDS))]);
    let outbox = house.instance().join("outbox").join(PROVIDER);
    fs::create_dir_all(outbox.parent().expect("a parent")).expect("made");
    fs::remove_dir_all(&outbox).unwrap_or_default();
    fs::write(&outbox, "in the way").expect("written");
    assert_eq!(house.on(&["ingest"]).status, Some(1), "the receipt waits");
    fs::remove_file(&outbox).expect("out of the way");
    house.on(&["provider", "suspend", "--id", PROVIDER]).done();
    assert!(!outbox.exists(), "the command that suspends it hands nothing over");
    house.on(&["provider", "renew", "--id", PROVIDER, "--cert", text(&party("hospital-2", "30").cert)]).done();
    house.on(&["provider", "resume", "--id", PROVIDER]).done();
    house.on(&["link"]).done();
    assert!(!outbox.join("receipt-000001.azp").exists());
    assert_eq!(entries(&house.instance().join("pending").join(PROVIDER)), 0);
    assert_eq!(house.faults(), Vec::<String>::new(), "it was meant so");
    assert!(house.journalled("core-receipt-outdated"), "and can be read");
    let untold = house.on(&["receipt", "list"]).done();
    assert_eq!(untold[0]["reason"], "core-receipt-outdated");
    house.on(&["receipt", "told", untold[0]["package"].as_str().expect("an id"), "--how", "by letter"]).done();
    assert_eq!(house.faults(), Vec::<String>::new());
    // The next one goes to the certificate of today.
    let second =
        house.package_by(&party("hospital-2", "30"), PROVIDER, &house.intake(), 2, |w| crate::kit::tar(w, &of(&[IDS[1]])));
    house.receive(&[&second]);
    house.on(&["ingest"]).done();
    assert_eq!(house.open(&outbox.join("receipt-000002.azp"), &party("hospital-2", "30")).len(), 3);
}

#[test]
fn of_who_was_ended_while_suspended_nothing_comes_in_that_was_sent_before_also_when_it_returns() {
    let house = taken_in();
    house.receive(&[&house.tree(2, &of(&[IDS[1]])), &house.tree(4, &of(&[IDS[2]]))]);
    house.on(&["provider", "suspend", "--id", PROVIDER]).done();
    house.on(&["provider", "end", "--id", PROVIDER]).done();
    let cert = party("hospital-2", "30").cert;
    let add = ["provider", "add", "--id", PROVIDER, "--cert", text(&cert)];
    let with = |more: &[&str]| house.on(&[&add[..], more].concat());
    assert_eq!(with(&["--name", "another"]).refused(), "core-party-again");
    assert_eq!(with(&["--patient-ids", "text"]).refused(), "core-party-again");
    // Not under another certificate over the key that may be in other hands.
    let (key, anew) = (party("hospital", "30").key, house.path().join("anew.pem"));
    let args = ["req", "-x509", "-new", "-key", text(&key), "-subj", "/CN=hospital", "-days", "30", "-out", text(&anew)];
    assert!(std::process::Command::new("openssl").args(args).status().expect("openssl").success());
    let same_key = house.on(&["provider", "add", "--id", PROVIDER, "--cert", text(&anew)]);
    assert_eq!(same_key.refused(), "core-party-key-revoked");
    assert_eq!(with(&[]).done()["status"], "active");
    assert_eq!(house.on(&["ingest"]).done().as_array().map(Vec::len), Some(0), "what was accepted before is set aside");
    let new = |n: u64| {
        house.package_by(&party("hospital-2", "30"), PROVIDER, &house.intake(), n, |w| crate::kit::tar(w, &of(&[IDS[1]])))
    };
    assert_eq!(house.receive(&[&new(2)])[0]["state"], "accepted");
    let third = house.receive(&[&new(3)]);
    assert_eq!(
        third.iter().map(|r| r["state"].clone()).collect::<Vec<_>>(),
        ["accepted"],
        "the fourth does not follow: {third:?}"
    );
    assert_eq!(house.faults(), Vec::<String>::new());
}

// control: NOT-03
#[test]
fn to_be_erased_everywhere_somebody_is_looked_for_in_the_inbox_too() {
    let house = taken_in();
    other_hospital(&house);
    house.notified_at(OTHER, &IDS);
    let package = from_other(&house, 1, &of(&[IDS[0]]));
    let inbox = house.instance().join("inbox").join(package.file_name().expect("a name"));
    fs::rename(&package, &inbox).expect("delivered");
    let no = ["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase", "--everywhere"];
    let said = house.on(&no).done();
    assert_eq!((&said["erased_records"], &said["waiting_packages"]), (&2.into(), &0.into()), "{said}");
    assert!(!inbox.exists());
    assert_eq!(house.count("person"), 2);
    // One that does not hold is said: nobody could look there.
    let spoilt = from_other(&house, 2, &of(&[IDS[1]]));
    let payload = spoilt.join("payload-0001.p7m");
    let bytes = fs::read(&payload).expect("readable");
    fs::write(&payload, &bytes[..bytes.len() / 2]).expect("written");
    fs::rename(&spoilt, house.instance().join("inbox").join(spoilt.file_name().expect("a name"))).expect("delivered");
    let said = house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[1], "--erase", "--everywhere"]);
    assert_eq!(said.json["waiting_packages"], 1, "{}", said.all);
}

#[test]
fn a_package_of_many_payloads_is_as_one_of_a_single_payload_and_nothing_when_one_does_not_hold() {
    let single = House::new();
    single.notified(&IDS);
    single.receive(&[&single.tree(1, &of(&IDS))]);
    single.on(&["ingest"]).done();
    // Each patient in a payload of their own, and one in two of them.
    let torn = of(&[IDS[2]]);
    let (first, second) = torn.split_at(torn.len() / 2);
    let trees = [of(&[IDS[0]]), first.to_vec(), of(&[IDS[1]]), second.to_vec()];
    assert!(trees.iter().all(|files| !files.is_empty()));
    let many = House::new();
    many.notified(&IDS);
    let package = many.payloads(1, &trees);
    let spoilt = |house: &House, payload: &Path| {
        let mut bytes = fs::read(payload).expect("readable");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(payload, bytes).expect("written");
        house.rows().iter().map(|(_, n)| n.parse::<u64>().expect("a count")).sum::<u64>()
    };
    // Spoilt on the way, and in keeping.
    let there = many.copy();
    let other = there.payloads(1, &trees);
    assert_eq!(spoilt(&there, &other.join("payload-0003.p7m")), 0);
    assert_eq!(there.receive(&[&other])[0]["state"], "quarantined");
    let kept = many.copy();
    let id = kept.receive(&[&package])[0]["package"].as_str().expect("an id").to_owned();
    spoilt(&kept, &kept.instance().join(format!("packages/{id}.azp/payload-0002.p7m")));
    let taken = kept.on(&["ingest"]);
    assert!(taken.json[0]["refused"].is_string(), "{}", taken.all);
    assert!(kept.rows().iter().all(|(_, n)| n == "0"), "nothing of it is in: {:?}", kept.rows());
    // Whole, it is what the single payload is.
    many.receive(&[&package]);
    assert_eq!(many.on(&["ingest"]).done()[0]["patients_in"], 3);
    assert_eq!(many.rows(), single.rows());
    assert!(many.count("person") == 3 && many.faults().is_empty());
}
