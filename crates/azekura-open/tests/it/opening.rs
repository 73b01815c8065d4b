use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;
use std::time::Duration;

use package::PackageError;
use package::tree::TarWriter;

use crate::bench::{command, data_set, files, json, outcome, producer, researcher, stranger};

const TABLES: &[(&str, &str)] =
    &[("omop/person.csv", "person_id\n1\n"), ("report.html", "<html>"), ("日本語.txt", "仮名加工医療情報")];

#[test]
fn a_data_set_opens_for_its_recipient_readable_by_nobody_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let package = data_set(dir.path(), &[&files(TABLES), &files(&[("omop/visit.csv", "v")])]);
    let out = dir.path().join("deep/opened");
    let done = command(&package, researcher(), producer(), &out).output().expect("the program");
    assert!(done.status.success(), "{done:?}");
    let said = json(&done);
    assert_eq!((&said["files"], &said["sender"], &said["kind"]), (&4.into(), &"producer".into(), &"omop".into()));
    for (name, content) in TABLES {
        assert_eq!(&fs::read_to_string(out.join(name)).expect("there"), content);
    }
    let mode = |path: &std::path::Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&out), mode(&out.join("omop")), mode(&out.join("omop/visit.csv"))), (0o700, 0o700, 0o600));
    assert_eq!(fs::read_dir(dir.path().join("deep")).expect("listable").count(), 1);
}

#[test]
fn a_directory_with_something_in_it_is_refused_and_an_empty_one_is_taken() {
    let dir = tempfile::tempdir().expect("a directory");
    let package = data_set(dir.path(), &[&files(TABLES)]);
    let out = dir.path().join("out");
    fs::create_dir(&out).expect("made");
    fs::write(out.join("mine"), "x").expect("written");
    let refused = command(&package, researcher(), producer(), &out).output().expect("the program");
    assert_eq!((refused.status.code(), &json(&refused)["code"]), (Some(1), &"package-open-not-empty".into()));
    assert_eq!(fs::read_to_string(out.join("mine")).expect("there"), "x");
    fs::remove_file(out.join("mine")).expect("removed");
    assert!(command(&package, researcher(), producer(), &out).output().expect("the program").status.success());
    let link = dir.path().join("link");
    symlink(dir.path().join("elsewhere"), &link).expect("linked");
    let refused = command(&package, researcher(), producer(), &link).output().expect("the program");
    assert_eq!(json(&refused)["code"], "package-open-not-empty");
}

// control: PRV-14
#[test]
fn a_package_that_is_wrong_anywhere_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let package = data_set(dir.path(), &[&files(TABLES), &files(&[("last", "x")])]);
    assert_eq!(outcome(&package, researcher(), producer()), "opened");
    assert_eq!(outcome(&package, researcher(), stranger()), "package-signer-wrong");
    assert_eq!(outcome(&package, stranger(), producer()), "package-not-for-us");

    let last = package.join("payload-0002.p7m");
    let good = fs::read(&last).expect("readable");
    for (at, mask) in [(good.len() - 10, 1), (good.len() / 2, 0x80), (900, 4)] {
        let mut changed = good.clone();
        changed[at] ^= mask;
        fs::write(&last, changed).expect("written");
        assert_eq!(outcome(&package, researcher(), producer()), "package-tag-mismatch", "byte {at}");
    }
    fs::write(&last, &good[..good.len() - 1]).expect("written");
    assert_eq!(outcome(&package, researcher(), producer()), "package-truncated");
    fs::remove_file(&last).expect("removed");
    assert_eq!(outcome(&package, researcher(), producer()), "package-payload-missing");
    fs::write(&last, &good).expect("written");
    fs::write(package.join("readme"), "x").expect("written");
    assert_eq!(outcome(&package, researcher(), producer()), "package-undeclared");
}

#[test]
fn an_archive_that_would_write_elsewhere_leaves_nothing() {
    let header = |name: &'static [u8], kind: u8| {
        move |w: &mut dyn Write| -> Result<(), PackageError> {
            let mut block = [0u8; 512];
            block[..name.len()].copy_from_slice(name);
            block[156] = kind;
            block[157..160].copy_from_slice(b"/et");
            block[124..135].copy_from_slice(b"00000000000");
            block[148..156].copy_from_slice(b"        ");
            let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
            block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            w.write_all(&block)?;
            Ok(w.write_all(&[0; 1024])?)
        }
    };
    for (write, code) in [
        (header(b"../escaped", b'0'), "package-path-traversal"),
        (header(b"/tmp/escaped", b'0'), "package-path-traversal"),
        (header(b"link", b'2'), "package-symlink"),
        (header(b"link", b'1'), "package-symlink"),
        (header(b"device", b'3'), "package-special-file"),
        (header(b"sparse", b'S'), "package-expanding"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let package = data_set(dir.path(), &[&files(TABLES), &write]);
        assert_eq!(outcome(&package, researcher(), producer()), code);
        assert!(!dir.path().join("escaped").exists());
    }
    // The same name in two payloads.
    let dir = tempfile::tempdir().expect("a directory");
    let package = data_set(dir.path(), &[&files(TABLES), &files(&[("omop/person.csv", "forged")])]);
    assert_eq!(outcome(&package, researcher(), producer()), "package-duplicate-path");
}

#[test]
fn what_a_killed_run_left_is_cleared_by_the_next() {
    let dir = tempfile::tempdir().expect("a directory");
    let package = data_set(dir.path(), &[&files(TABLES)]);
    let out = dir.path().join("out");
    fs::create_dir(dir.path().join(".out.opening")).expect("made");
    fs::write(dir.path().join(".out.opening/half"), "x").expect("written");
    assert!(command(&package, researcher(), producer(), &out).output().expect("the program").status.success());
    assert!(!out.join("half").exists() && !dir.path().join(".out.opening").exists());
}

#[test]
fn three_hundred_megabytes_are_opened_within_sixty_four() {
    let dir = tempfile::tempdir().expect("a directory");
    let large = |w: &mut dyn Write| -> Result<(), PackageError> {
        let mut tar = TarWriter::new(w);
        tar.add_stream("large".as_ref(), 300 << 20, std::io::Read::take(std::io::repeat(7), 300 << 20))?;
        tar.finish().map(drop)
    };
    let package = data_set(dir.path(), &[&large]);
    let out = dir.path().join("out");
    let mut child = command(&package, researcher(), producer(), &out).stdout(Stdio::null()).spawn().expect("the program");
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        peak = peak.max(line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0u64));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().expect("a child").success());
    assert!(peak > 0 && peak < 64 * 1024, "{peak} kB");
    assert_eq!(fs::metadata(out.join("large")).expect("there").len(), 300 << 20);
}

#[test]
fn wrong_usage_ends_with_two() {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_azekura-open")).arg("x.azp").output().expect("the program");
    assert_eq!(out.status.code(), Some(2));
}
