use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use package::{PackageError, open_manifest, payload_reader, tree};
use serde_json::Value;

use crate::bench::{command, expired, file, hospital, json, producer, refused, run, sent, text};

/// What the producer finds in a package.
fn received(package: &Value) -> Vec<(String, String)> {
    let dir = Path::new(package["package"].as_str().expect("a path"));
    let opened = open_manifest(dir, std::slice::from_ref(&producer().identity), hospital().certificate()).expect("opens");
    let mut files = Vec::new();
    for entry in &opened.manifest.payloads {
        let mut reader = payload_reader(dir, entry, &producer().identity).expect("opens");
        tree::walk_tar::<PackageError>(&mut reader, &tree::Limits::default(), &mut |member| {
            let mut content = String::new();
            member.content.read_to_string(&mut content)?;
            files.push((member.path.to_owned(), content));
            Ok(())
        })
        .expect("holds");
    }
    files
}

fn names(package: &Value) -> Vec<String> {
    received(package).into_iter().map(|(name, _)| name).collect()
}

// control: CRY-02
#[test]
fn a_tree_arrives_as_it_is_sealed_to_the_producer() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tree, out) = (dir.path().join("tree"), dir.path().join("out"));
    for (patient, content) in [("0000000123", "MSH|one"), ("9000000777", "MSH|two")] {
        file(&tree, patient, content);
    }
    let package = sent(&mut command(&tree, &out));
    assert_eq!(package["package"], text(&out.join("1319999991-000001.azp")));
    assert_eq!((&package["people"], &package["files"], &package["bytes"]), (&2.into(), &2.into(), &14.into()));
    let files = received(&package);
    assert_eq!(files.len(), 2);
    assert!(files[0].0.starts_with("storage/000/000/0000000123/20240602/OML-11/0000000123_") && files[0].1 == "MSH|one");
    assert_eq!(refused(&mut command(&tree, &out)), "package-exists");
}

// control: NOT-03
#[test]
fn who_said_no_stays_at_home_however_the_id_is_padded() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tree, list) = (dir.path().join("tree"), dir.path().join("opt-outs.csv"));
    for patient in ["0000000123", "9000000777", "0000000124"] {
        file(&tree, patient, patient);
    }
    fs::write(tree.join("TR_20240602120000005_00001.DAT"), "everybody").expect("written");
    // Characters that nobody sees are no other patient; one of whom nothing is here is counted.
    let said_no = "patient,requester,scope,date\n123\u{200b},guardian,anonymized,2024-05-01\n5550,person,,2024-05-01\n";
    fs::write(&list, said_no).expect("written");
    let package = sent(command(&tree, &dir.path().join("out")).args(["--opt-outs", text(&list)]));
    assert_eq!(
        (&package["people"], &package["people_opted_out"], &package["files_of_nobody"]),
        (&2.into(), &1.into(), &1.into())
    );
    assert_eq!(package["opt_outs_elsewhere"], 1, "{package}");
    let files = received(&package);
    assert_eq!(files.iter().filter(|(name, _)| name.starts_with("storage/")).count(), 2);
    assert!(
        !files
            .iter()
            .any(|(name, content)| name.contains("0000000123") || content.contains("0000000123") || content == "everybody")
    );
    let list = said_no.replace("5550,person,,", "5550,person,\"anonymized,pseudonymized\",");
    assert_eq!(files[0], ("opt-outs.csv".to_owned(), list));
}

#[test]
fn files_of_many_people_go_in_one_payload_with_all_who_were_contacted_but_those_who_said_no() {
    let dir = tempfile::tempdir().expect("a directory");
    let tree = dir.path().join("tree");
    fs::create_dir_all(&tree).expect("made");
    fs::write(tree.join("RECEIPTC.UKE"), "IR,1,13,1\r\n".repeat(400)).expect("written");
    fs::write(tree.join("RECEIPTD.csv"), "IR,1,13,1\r\n").expect("written");
    let (contacts, opt_outs) = (dir.path().join("contacts.csv"), dir.path().join("opt-outs.csv"));
    fs::write(&contacts, "patient,date,addressee,method\n123,2026-04-10,person,visit\n456,2026-04-10,person,visit\n")
        .expect("written");
    fs::write(&opt_outs, "patient,requester,scope,date\n456,person,,2026-05-01\n").expect("written");
    let with = |out: &str, more: &[&str]| {
        let mut command = command(&tree, &dir.path().join(out));
        let args: Vec<String> = command.get_args().map(|a| a.to_string_lossy().replace("ssmix2", "receipt")).collect();
        command = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
        command.args(args).args(["--contacts", text(&contacts), "--opt-outs", text(&opt_outs)]).args(more);
        command
    };
    let package = sent(&mut with("out", &["--payload-bytes", "1"]));
    assert_eq!((&package["payloads"], &package["files"], &package["files_of_nobody"]), (&1.into(), &2.into(), &0.into()));
    assert_eq!((&package["kind"], &package["opt_outs_elsewhere"]), (&"receipt".into(), &1.into()));
    let files = received(&package);
    let of = |name: &str| files.iter().find(|(n, _)| n == name).map(|(_, c)| c.clone()).expect("a file");
    assert!(of("contacts.csv").contains("123") && !of("contacts.csv").contains("456"));
    assert!(of("opt-outs.csv").contains("456"));
    assert_eq!(of("storage/RECEIPTC.UKE"), "IR,1,13,1\r\n".repeat(400));
    let mut plain = with("plain", &["--lang", "en"]);
    let args: Vec<String> = plain.get_args().map(|a| a.to_string_lossy().into_owned()).filter(|a| a != "--json").collect();
    plain = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
    let out = plain.args(args).output().expect("the program");
    // Of whom nothing was met, the id in the list may be wrong.
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() && said.contains("Nothing of 1 of the people who said no"), "{said}");
    assert!(!said.contains("456"));
}

#[test]
fn who_was_not_contacted_stays_at_home_and_contacts_of_others_are_not_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tree, list, no) = (dir.path().join("tree"), dir.path().join("contacts.csv"), dir.path().join("no.csv"));
    for patient in ["0000000123", "9000000777", "0000000124"] {
        file(&tree, patient, "x");
    }
    let rows = "patient,date,addressee,method\n9000000777,2024-04-02,person,letter\n124,2024-04-03,person,visit\n555,2024-04-03,person,visit\n";
    fs::write(&list, rows).expect("written");
    fs::write(&no, "patient,requester,scope,date\n9000000777,person,,2024-05-01\n").expect("written");
    let package = sent(command(&tree, &dir.path().join("out")).args(["--contacts", text(&list), "--opt-outs", text(&no)]));
    let counts = (&package["people"], &package["people_not_contacted"], &package["people_opted_out"]);
    assert_eq!(counts, (&1.into(), &1.into(), &1.into()));
    let files = received(&package);
    assert_eq!(files[0], ("contacts.csv".to_owned(), "patient,date,addressee,method\n124,2024-04-03,person,visit\n".to_owned()));
    assert_eq!(files[1].0, "opt-outs.csv");
    assert!(files[2].0.contains("/0000000124/") && files.len() == 3);
}

#[test]
fn when_nobody_may_come_nothing_is_made() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tree, out, list) = (dir.path().join("tree"), dir.path().join("out"), dir.path().join("no.csv"));
    fs::create_dir(&tree).expect("made");
    assert_eq!(refused(&mut command(&tree, &out)), "package-empty");
    fs::create_dir_all(tree.join("000/000")).expect("made");
    assert_eq!(refused(&mut command(&tree, &out)), "package-empty");
    file(&tree, "0000000123", "x");
    fs::write(&list, "patient,date,addressee,method\n124,2024-05-01,person,visit\n").expect("written");
    assert_eq!(refused(command(&tree, &out).args(["--contacts", text(&list)])), "package-send-all-left-out");
    assert!(!out.exists() || fs::read_dir(&out).expect("listable").count() == 0);
}

// control: NOT-03
#[test]
fn a_no_travels_also_when_nobody_is_left_to_come() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tree, out, list) = (dir.path().join("tree"), dir.path().join("out"), dir.path().join("no.csv"));
    file(&tree, "0000000123", "x");
    fs::write(&list, "patient,requester,scope,date\n123,person,,2024-05-01\n").expect("written");
    let package = sent(command(&tree, &out).args(["--opt-outs", text(&list)]));
    assert_eq!((&package["files"], &package["people"], &package["people_opted_out"]), (&0.into(), &0.into(), &1.into()));
    let files = received(&package);
    assert_eq!(files.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), ["opt-outs.csv"]);
}

#[test]
fn what_is_wrong_is_refused_with_its_reason_and_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tree, out) = (dir.path().join("tree"), dir.path().join("out"));
    let one = file(&tree, "0000000123", "x");
    let with = |args: &[&str]| {
        // The last of an option counts.
        let mut command = command(&tree, &out);
        command.args(args);
        command
    };
    let replaced = |option: &str, value: &Path| {
        let hospital = hospital();
        let producer = producer();
        let mut command = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
        command.args([
            "--provider",
            "1319999991",
            "--sequence",
            "1",
            "--kind",
            "ssmix2",
            "--period",
            "2024-04-01/2024-06-30",
            "--json",
        ]);
        for (name, path) in [("--key", &hospital.key), ("--cert", &hospital.cert), ("--to", &producer.cert), ("--out", &out)] {
            command.arg(name).arg(if name == option { value } else { path });
        }
        command.arg(&tree);
        refused(&mut command)
    };
    assert_eq!(replaced("--cert", &producer().cert), "seal-key-certificate-mismatch");
    assert_eq!(replaced("--to", &expired().cert), "package-certificate-expired");
    assert_eq!(replaced("--key", &one), "seal-key-unreadable");
    assert_eq!(replaced("--to", &hospital().key), "seal-certificate-unreadable");
    assert_eq!(replaced("--out", &tree.join("000/out")), "package-send-out-inside");

    let list = dir.path().join("list.csv");
    fs::write(&list, "patient,requester,scope,date\n0000000123,nobody,,2024-05-01\n").expect("written");
    let bad = with(&["--opt-outs", text(&list)]).output().expect("the program");
    assert_eq!(json(&bad)["code"], "package-list-malformed");
    // Two ids in one field are no id: whoever they are would be sent.
    fs::write(&list, "patient,requester,scope,date\n0000000123 0000000124,person,,2024-05-01\n").expect("written");
    assert_eq!(json(&with(&["--opt-outs", text(&list)]).output().expect("the program"))["code"], "package-list-malformed");
    assert!(!String::from_utf8_lossy(&bad.stdout).contains("0000000123"), "an id is never printed");

    // What the producer is sure to refuse is not sealed first.
    fs::write(tree.join("index.csv"), "a").expect("written");
    assert_eq!(json(&with(&[]).output().expect("the program"))["code"], "package-tree-list");
    fs::remove_file(tree.join("index.csv")).expect("removed");

    symlink("/etc/passwd", one.with_file_name("link")).expect("linked");
    let bad = with(&[]).output().expect("the program");
    assert_eq!(json(&bad)["code"], "package-tree-symlink");
    assert!(!String::from_utf8_lossy(&bad.stdout).contains("0000000123"), "an id is never printed");
    assert!(!out.exists() || fs::read_dir(&out).expect("listable").count() == 0, "nothing is left behind");
}

#[test]
fn an_expired_certificate_does_not_sign() {
    let dir = tempfile::tempdir().expect("a directory");
    let tree = dir.path().join("tree");
    file(&tree, "0000000123", "x");
    let mut command = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
    command.args(["--provider", "1", "--sequence", "1", "--kind", "ssmix2", "--period", "2024-04-01/2024-06-30", "--json"]);
    command.args(["--key", text(&expired().key), "--cert", text(&expired().cert), "--to", text(&producer().cert)]);
    command.args(["--out", text(&dir.path().join("out")), text(&tree)]);
    assert_eq!(refused(&mut command), "package-certificate-expired");
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_from_a_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tree, key, passphrase) = (dir.path().join("tree"), dir.path().join("key.pem"), dir.path().join("passphrase"));
    file(&tree, "0000000123", "x");
    run("openssl", &["pkey", "-in", text(&hospital().key), "-aes256", "-passout", "pass:correct horse", "-out", text(&key)]);
    let mut send = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
    send.args(["--provider", "1", "--sequence", "7", "--kind", "ssmix2", "--period", "2024-04-01/2024-06-30", "--json"]);
    send.args(["--key", text(&key), "--cert", text(&hospital().cert), "--to", text(&producer().cert)]);
    send.args(["--out", text(&dir.path().join("out")), text(&tree)]);
    assert_eq!(refused(&mut send), "seal-key-unreadable");
    fs::write(&passphrase, "correct horse\n").expect("written");
    assert_eq!(sent(send.args(["--key-passphrase-file", text(&passphrase)]))["sequence"], 7);
}

#[test]
fn a_long_tree_is_split_between_patients_never_within_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let tree = dir.path().join("tree");
    for n in 0..9 {
        let one = file(&tree, &format!("90000000{n:02}"), &"x".repeat(1000));
        fs::write(one.with_file_name(one.file_name().expect("a name").to_string_lossy().replace("1301", "1302")), "y")
            .expect("written");
    }
    let package = sent(command(&tree, &dir.path().join("out")).args(["--payload-bytes", "2500"]));
    assert_eq!(package["payloads"], 3);
    let names = names(&package);
    assert_eq!(names.len(), 18);
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names, sorted);
}

#[test]
fn wrong_usage_ends_with_two_and_texts_come_in_the_language_asked_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let tree = dir.path().join("tree");
    file(&tree, "0000000123", "x");
    for wrong in [
        &["--sequence", "0"][..],
        &["--kind", "hl7"],
        &["--period", "2024-05-01/2024-04-01"],
        &["--period", "2024"],
        &["--provider", "../x"],
        &["--lang", "fr"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
        let all = [
            ("--provider", "1"),
            ("--sequence", "1"),
            ("--kind", "ssmix2"),
            ("--period", "2024-04-01/2024-06-30"),
            ("--lang", "en"),
        ];
        for (name, value) in all {
            command.arg(name).arg(if name == wrong[0] { wrong[1] } else { value });
        }
        command.args(["--key", "k", "--cert", "c", "--to", "t", "--out", "o", text(&tree)]);
        assert_eq!(command.output().expect("the program").status.code(), Some(2), "{wrong:?}");
    }
    let out = command(&tree, &dir.path().join("ja")).args(["--lang", "ja"]).output().expect("the program");
    assert!(out.status.success());
    let mut plain = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
    plain.args(["--provider", "1", "--sequence", "1", "--kind", "ssmix2", "--period", "2024-04-01/2024-06-30", "--lang", "ja"]);
    plain.args(["--key", text(&hospital().key), "--cert", text(&hospital().cert), "--to", text(&producer().cert)]);
    let out = plain.args(["--out", text(&dir.path().join("plain")), text(&tree)]).output().expect("the program");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success() && said.contains("患者 1 人") && !said.contains("0000000123"), "{said}");
}
