//! Faults and bad input: each is refused, set aside or quarantined with its own reason and journalled, and nothing else
//! in the run suffers.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use seal::Identity;

use crate::kit::{House, IDS, PROVIDER, Party, files, hospital, party, renamed, samples, tar, text};

fn twins() -> Vec<(String, Vec<u8>)> {
    files(&samples("synthetic-twins"), |_| true)
}

/// Nothing that any command printed names a patient of the samples.
fn nobody_named(house: &House) {
    let said = house.all_said();
    let names = ["仮吉田", "桃子", "ヨシダ", "仮伊藤", "陽一", "イトウ", "仮山本", "ヤマモト", "ヒロシ"];
    for named in IDS.iter().chain(&names) {
        assert!(!said.contains(named), "a command printed a patient");
    }
}

/// Receives a bad package together with a good one: the bad one with this reason, the good one as if it were alone.
fn refused_beside_a_good_one(code: &str, bad: impl FnOnce(&House) -> PathBuf) {
    let house = House::new();
    let bad = bad(&house);
    let good = house.tree(1, &twins());
    let all = house.receive(&[&bad, &good]);
    assert_eq!(all[0]["reason"], code, "{}", all[0]);
    assert_ne!(all[0]["state"], "accepted");
    assert_eq!(all[1]["state"], "accepted", "{}", all[1]);
    assert!(house.journalled(code), "{code} is not in the journal");
    assert_eq!(house.faults(), Vec::<String>::new());
    nobody_named(&house);
}

fn payload(package: &Path) -> PathBuf {
    package.join("payload-0001.p7m")
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("written");
}

fn one_member(house: &House, make: impl FnOnce(&mut tar::Header), name: &[u8], content: &[u8]) -> PathBuf {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::Regular);
    // Past the checks of the library that writes: what a hostile sender would do.
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    make(&mut header);
    header.set_cksum();
    house.package(1, |w| {
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().div_ceil(512) * 512 + 1024, 0);
        w.write_all(&bytes).expect("written");
    })
}

// control: INT-05, INT-08
#[test]
fn a_package_signed_by_another_is_quarantined() {
    refused_beside_a_good_one("package-signer-wrong", |h| {
        h.package_by(&party("eve", "30"), PROVIDER, &h.intake(), 1, |w| tar(w, &twins()))
    });
}

#[test]
fn a_package_of_an_unknown_sender_is_quarantined() {
    refused_beside_a_good_one("core-package-unknown-sender", |h| {
        h.package_by(&party("eve", "30"), "1319999982", &h.intake(), 1, |w| tar(w, &twins()))
    });
}

#[test]
fn a_package_sealed_to_somebody_else_is_quarantined() {
    refused_beside_a_good_one("package-not-for-us", |h| {
        h.package_by(&hospital(), PROVIDER, party("eve", "30").identity.certificate(), 1, |w| tar(w, &twins()))
    });
}

// control: CRY-07
#[test]
fn a_package_of_a_provider_whose_certificate_has_expired_is_quarantined() {
    let house = House::new();
    let over = Instant::now() + Duration::from_secs(6);
    let short = short_lived(&house, 5);
    house.on(&["provider", "add", "--id", "1319999982", "--cert", text(&short.cert)]).done();
    let package = house.package_by(&short, "1319999982", &house.intake(), 1, |w| tar(w, &twins()));
    std::thread::sleep(over.saturating_duration_since(Instant::now()));
    let all = house.receive(&[&package, &house.tree(1, &twins())]);
    assert_eq!((&all[0]["state"], &all[0]["reason"]), (&"quarantined".into(), &"package-certificate-expired".into()));
    assert_eq!(all[1]["state"], "accepted");
    assert!(house.journalled("package-certificate-expired"));
    nobody_named(&house);
}

/// A party whose certificate is over in some seconds.
fn short_lived(house: &House, seconds: i64) -> Party {
    use openssl::{asn1::Asn1Time, hash::MessageDigest, pkey::PKey, x509::X509, x509::X509Builder, x509::X509NameBuilder};
    let key = PKey::private_key_from_pem(&fs::read(hospital().key).expect("readable")).expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "short").expect("a name");
    let name = name.build();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    let build = || -> Result<X509, openssl::error::ErrorStack> {
        let mut builder: X509Builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_pubkey(&key)?;
        builder.set_not_before(&*Asn1Time::from_unix(now - 60)?)?;
        builder.set_not_after(&*Asn1Time::from_unix(now + seconds)?)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(builder.build())
    };
    let cert = house.path().join("short.pem");
    fs::write(&cert, build().and_then(|c| c.to_pem()).expect("a certificate")).expect("written");
    let identity = Identity::from_files(&hospital().key, &cert, None).expect("a key and its certificate");
    Party { key: hospital().key, cert, identity }
}

#[test]
fn a_truncated_package_is_quarantined() {
    refused_beside_a_good_one("package-truncated", |h| {
        let package = h.tree(1, &twins());
        let path = payload(&package);
        let length = fs::metadata(&path).expect("there").len();
        fs::OpenOptions::new().write(true).open(&path).expect("open").set_len(length / 2).expect("cut");
        package
    });
}

#[test]
fn a_bit_flipped_in_a_payload_is_found() {
    refused_beside_a_good_one("package-tag-mismatch", |h| {
        let package = h.tree(1, &twins());
        flip(&payload(&package));
        package
    });
}

#[test]
fn a_bit_flipped_in_the_manifest_is_found() {
    refused_beside_a_good_one("package-tag-mismatch", |h| {
        let package = h.tree(1, &twins());
        flip(&package.join("manifest.p7m"));
        package
    });
}

#[test]
fn a_manifest_that_does_not_match_the_files_is_found() {
    refused_beside_a_good_one("package-payload-missing", |h| {
        let package = h.tree(1, &twins());
        fs::remove_file(payload(&package)).expect("removed");
        package
    });
    refused_beside_a_good_one("package-undeclared", |h| {
        let package = h.tree(1, &twins());
        fs::write(package.join("payload-0002.p7m"), "more").expect("written");
        package
    });
}

#[test]
fn a_link_in_place_of_a_payload_is_not_followed() {
    refused_beside_a_good_one("package-undeclared", |h| {
        let package = h.tree(1, &twins());
        let elsewhere = h.path().join("elsewhere");
        fs::rename(payload(&package), &elsewhere).expect("moved");
        symlink(&elsewhere, payload(&package)).expect("linked");
        package
    });
}

#[test]
fn a_path_that_leads_out_of_the_archive_is_refused() {
    refused_beside_a_good_one("package-path-traversal", |h| one_member(h, |_| (), b"storage/../../etc/x", b"x"));
    refused_beside_a_good_one("package-path-traversal", |h| one_member(h, |_| (), b"/etc/x", b"x"));
}

#[test]
fn a_symbolic_link_in_the_archive_is_refused() {
    let link = |header: &mut tar::Header| {
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_link_name("/etc/passwd").expect("a name");
        header.set_size(0);
    };
    refused_beside_a_good_one("package-symlink", |h| one_member(h, link, b"storage/x", b""));
}

#[test]
fn an_archive_that_claims_more_than_it_can_hold_is_refused() {
    refused_beside_a_good_one("package-expanding", |h| one_member(h, |header| header.set_size(1 << 50), b"storage/x", b"x"));
}

#[test]
fn a_package_without_files_is_refused() {
    refused_beside_a_good_one("package-empty", |h| h.package(1, |w| w.write_all(&[0; 1024]).expect("written")));
}

#[test]
fn garbage_instead_of_an_archive_is_refused() {
    refused_beside_a_good_one("package-not-tar", |h| {
        h.package(1, |w| w.write_all(&b"this is no archive at all ".repeat(400)).expect("written"))
    });
}

#[test]
fn what_is_no_package_is_refused_and_left_where_it_is() {
    refused_beside_a_good_one("package-not-a-package", |h| {
        let nothing = h.path().join("nothing.azp");
        fs::create_dir(&nothing).expect("made");
        nothing
    });
}

#[test]
fn the_same_package_twice_is_refused_the_second_time() {
    let house = House::new();
    let package = house.tree(1, &twins());
    let all = house.receive(&[&package, &package]);
    assert_eq!(all[0]["state"], "accepted");
    assert_eq!((&all[1]["state"], &all[1]["reason"]), (&"rejected".into(), &"core-package-duplicate".into()));
    house.notified(&IDS);
    house.on(&["ingest"]).done();
    let before = house.rows();
    assert_eq!(house.receive(&[&package])[0]["reason"], "core-package-duplicate");
    house.on(&["ingest"]).done();
    assert_eq!(house.rows(), before);
    assert_eq!(house.receive(&[&house.tree(1, &twins())])[0]["reason"], "core-package-sequence-old");
    nobody_named(&house);
}

#[test]
fn a_package_after_a_gap_waits_for_the_missing_one() {
    let house = House::new();
    house.notified(&IDS);
    let second = house.tree(2, &files(&samples("synthetic-twins"), |n| n.contains(IDS[1])));
    let held = house.receive(&[&second]);
    assert_eq!((&held[0]["state"], &held[0]["reason"]), (&"quarantined".into(), &"core-package-sequence-gap".into()));
    assert!(house.journalled("core-package-sequence-gap"));
    let first = house.tree(1, &files(&samples("synthetic-twins"), |n| n.contains(IDS[0])));
    let all = house.receive(&[&first, &second]);
    assert!(all.iter().all(|r| r["state"] == "accepted"), "{all:?}");
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    assert_eq!(house.count("person"), 2);
    assert_eq!(house.faults(), Vec::<String>::new());
    nobody_named(&house);
}

#[test]
fn a_file_of_another_patient_sets_both_aside_and_the_rest_comes_in() {
    let house = House::new();
    house.notified(&IDS);
    let mut all = twins();
    // A file under the first patient's path that says it is the second's.
    let wrong = all.iter().position(|(n, _)| n.contains(IDS[0]) && n.contains("OML-11")).expect("a file");
    let content = renamed(&[all[wrong].clone()], IDS[0], IDS[1]).remove(0).1;
    all[wrong].1 = content;
    let received = house.receive(&[&house.tree(1, &all)]);
    assert_eq!((&received[0]["state"], &received[0]["patients_set_aside"]), (&"accepted".into(), &2.into()), "{received:?}");
    let taken = house.on(&["ingest"]).done();
    assert_eq!(taken[0]["patients_set_aside"], 2, "{taken}");
    house.on(&["link"]).done();
    let persons = house.count("person");
    assert_eq!(persons, 1, "who may be another is not seen; the rest is");
    assert_eq!(house.faults(), Vec::<String>::new());
    nobody_named(&house);
}

#[test]
fn a_message_of_a_type_that_is_unknown_and_garbage_are_findings_and_the_rest_comes_in() {
    let house = House::new();
    house.notified(&IDS);
    let all = twins();
    let undisturbed = House::new();
    undisturbed.notified(&IDS);
    undisturbed.receive(&[&undisturbed.tree(1, &all)]);
    undisturbed.on(&["ingest"]).done();

    let mut more = all.clone();
    let dir = format!("storage/{}/{}/{}/20240602", &IDS[0][..3], &IDS[0][3..6], IDS[0]);
    let name = |kind: &str| format!("{dir}/{kind}/{}_20240602_{kind}_000000000001301_20240602120000005_09A_1", IDS[0]);
    more.push((name("ZZZ-99"), b"MSH|^~\\&|X".to_vec()));
    more.push((name("OML-11"), vec![0xff; 5000]));
    assert_eq!(house.receive(&[&house.tree(1, &more)])[0]["state"], "accepted");
    let taken = house.on(&["ingest"]).done();
    assert!(taken[0]["findings"].as_u64() >= Some(2), "{taken}");
    house.on(&["link"]).done();
    undisturbed.on(&["link"]).done();
    assert_eq!(house.rows(), undisturbed.rows());
    nobody_named(&house);
}

// control: NOT-09
#[test]
fn who_was_stopped_as_123_does_not_come_in_as_0000000123() {
    let house = House::new();
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", "123"]).done();
    let padded = "0000000123";
    house.notified(&[padded, IDS[1], IDS[2]]);
    let package = house.tree(1, &renamed(&twins(), IDS[0], padded));
    house.receive(&[&package]);
    let taken = house.on(&["ingest"]).done();
    assert_eq!((&taken[0]["patients_in"], &taken[0]["patients_refused"]), (&2.into(), &1.into()), "{taken}");
    house.on(&["link"]).done();
    assert_eq!(house.count("person"), 2);
    let (receipt, rejections) = house.receipt(1);
    assert_eq!(receipt["package_bytes"], "destroyed");
    assert!(rejections.contains(padded));
    assert!(!house.all_said().contains(padded));
    nobody_named(&house);
}

// control: NOT-01, INT-03, INT-10
#[test]
fn who_was_not_notified_or_still_waits_is_refused_in_the_receipt_and_the_package_destroyed() {
    let house = House::new();
    let today = house.sql("select cast(current_date() as varchar) as d")[0]["d"].as_str().expect("a date").to_owned();
    let list = house.path().join("c.csv");
    let rows = format!("patient,date,addressee,method\n{},2026-04-10,person,visit\n{},{today},person,visit\n", IDS[0], IDS[1]);
    fs::write(&list, rows).expect("written");
    let scope = "anonymized,pseudonymized";
    house
        .on(&["notice", "add", "--provider", PROVIDER, "--scope", scope, "--from", "2026-04-01", "--contacts", text(&list)])
        .done();
    house.receive(&[&house.tree(1, &twins())]);
    let kept = || fs::read_dir(house.instance().join("packages")).expect("listable").count();
    assert_eq!(kept(), 1);
    let taken = house.on(&["ingest"]).done();
    assert_eq!((&taken[0]["patients_in"], &taken[0]["patients_refused"]), (&1.into(), &2.into()), "{taken}");
    assert_eq!(taken[0]["refusals"].as_object().map(|o| o.len()), Some(2), "each with its own reason: {taken}");
    assert_eq!(kept(), 0, "the bytes of people who may not come in are gone");
    let (_, rejections) = house.receipt(1);
    assert!(rejections.contains(IDS[1]) && rejections.contains(IDS[2]) && !rejections.contains(IDS[0]));
    assert_eq!(house.faults(), Vec::<String>::new());
    nobody_named(&house);
}

fn ready() -> (House, String) {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &twins())]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    let id = house.planned();
    house.make(&id);
    (house, id)
}

// control: NOT-03
#[test]
fn an_opt_out_of_somebody_inside_voids_the_approvals() {
    let (house, id) = ready();
    house.approve(&id);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0]]).done();
    assert_eq!(house.on(&["dataset", "deliver", &id]).refused(), "core-dataset-voided");
    assert_eq!(house.dataset_state(&id), "building");
    assert!(!house.instance().join(format!("outbox/recipient/{id}.azp")).exists());
    let again = house.make(&id);
    assert_eq!(again["persons"], 2, "{again}");
    house.on(&["dataset", "deliver", &id]).refused();
    house.approve(&id);
    house.on(&["dataset", "deliver", &id]).done();
    assert_eq!(house.faults(), Vec::<String>::new());
    nobody_named(&house);
}

// control: NOT-04
#[test]
fn after_an_erasure_no_row_is_left() {
    let house = House::new();
    house.notified(&IDS);
    house.receive(&[&house.tree(1, &files(&samples("synthetic-twins"), |n| n.contains(IDS[0])))]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    assert!(house.count("person") == 1 && house.count("measurement") > 0);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]).done();
    for (table, n) in house.rows() {
        assert_eq!(n, "0", "{table}");
    }
    assert_eq!(fs::read_dir(house.instance().join("packages")).expect("listable").count(), 0);
    assert_eq!(house.faults(), Vec::<String>::new());
    nobody_named(&house);
}

// control: PRV-14
#[test]
fn a_delivered_file_that_was_changed_is_named() {
    let (house, id) = ready();
    house.approve(&id);
    house.on(&["dataset", "deliver", &id]).done();
    assert_eq!(house.faults(), Vec::<String>::new());
    flip(&house.instance().join(format!("outbox/recipient/{id}.azp/payload-0001.p7m")));
    let faults = house.faults();
    assert!(faults.len() == 1 && faults[0].contains("payload-0001.p7m") && faults[0].contains(&id), "{faults:?}");
    nobody_named(&house);
}

#[test]
fn the_second_process_on_an_instance_is_refused() {
    let house = House::new();
    let lock = durable::Lock::exclusive(&house.instance().join("lock")).expect("a lock").expect("free");
    assert_eq!(house.on(&["ingest"]).refused(), "core-instance-busy");
    assert_eq!(house.on(&["sql", "--wait", "1", "--purpose", "a test", "select 1"]).refused(), "core-instance-busy");
    drop(lock);
    house.on(&["ingest"]).done();
}

#[test]
fn wrong_usage_is_status_2_and_a_refusal_status_1() {
    let house = House::new();
    assert_eq!(house.on(&["ingest", "--no-such-option"]).status, Some(2));
    assert_eq!(house.on(&["link", "--actor", "no name"]).status, Some(2));
    assert_eq!(house.run(&["ingest", "--instance", text(&house.path().join("nowhere"))]).refused(), "core-instance-missing");
    assert_eq!(house.run(&["init", text(&house.instance())]).refused(), "core-instance-not-empty");
}
