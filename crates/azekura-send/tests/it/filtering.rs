//! Files of many people leave the house without those who said no: on the real program and the samples.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use package::{open_manifest, payload_reader, tree};
use serde_json::Value;

use crate::bench::{command, hospital, producer, refused, sent, text};

fn samples(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(below)
}

/// Files and bytes that a package holds, what its manifest counts, and whether it was filtered.
type Opened = (Vec<(String, Vec<u8>)>, BTreeMap<String, u64>, bool);

fn opened(package: &Value) -> Opened {
    let dir = Path::new(package["package"].as_str().expect("a path"));
    let opened = open_manifest(dir, std::slice::from_ref(&producer().identity), hospital().certificate()).expect("opens");
    let mut files = Vec::new();
    for entry in &opened.manifest.payloads {
        let mut reader = payload_reader(dir, entry, &producer().identity).expect("opens");
        tree::walk_tar::<package::PackageError>(&mut reader, &tree::Limits::default(), &mut |member| {
            let mut content = Vec::new();
            member.content.read_to_end(&mut content)?;
            files.push((member.path.to_owned(), content));
            Ok(())
        })
        .expect("holds");
        std::io::copy(&mut reader, &mut std::io::sink()).expect("to its end");
    }
    let filtered = opened.manifest.is_filtered();
    (files, opened.manifest.counts, filtered)
}

fn of_kind(kind: &str, tree: &Path, out: &Path, opt_outs: Option<&Path>, more: &[&str]) -> Command {
    let args: Vec<String> = command(tree, out).get_args().map(|a| a.to_string_lossy().into_owned()).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
    // An insurer's number in place of the institution's code.
    let provider = args.iter().position(|a| a == "--provider").expect("a provider") + 1;
    let args = args.iter().enumerate().map(|(n, a)| match a.as_str() {
        "ssmix2" => kind,
        _ if n == provider && more.contains(&"--insurer") => "00139998",
        other => other,
    });
    command.args(args).args(more).env("LANG", "C.UTF-8");
    if let Some(list) = opt_outs {
        command.args(["--opt-outs", text(list)]);
    }
    command
}

fn list(dir: &Path, ids: &[&str]) -> PathBuf {
    let rows: String = ids.iter().map(|id| format!("{id},person,,2024-05-01\n")).collect();
    let path = dir.join("opt-outs.csv");
    fs::write(&path, format!("patient,requester,scope,date\n{rows}")).expect("written");
    path
}

/// B of the samples: her numbers, name and birth as any file writes them, in bytes of UTF-8 and of CP932.
const HERS: [&[u8]; 11] = [
    b"0000000456",
    b"00000456",
    b",456,",
    b"19711102",
    "有明".as_bytes(),
    "アリアケ".as_bytes(),
    "ｱﾘｱｹ".as_bytes(),
    // 有明, アリアケ, ｱﾘｱｹ in CP932, and 有明 in EUC-JP.
    b"\x97\x4C\x96\xBE",
    b"\x83\x41\x83\x8A\x83\x41\x83\x50",
    b"\xB1\xD8\xB1\xB9",
    b"\xCD\xAD\xCC\xC0",
];

fn hers(bytes: &[u8]) -> bool {
    HERS.iter().any(|word| bytes.windows(word.len()).any(|w| w == *word))
}

const CARD: &str = "insured:139998:江01:234567:02:1971-11-02:2:アリアケハナコ";

// control: NOT-03
#[test]
fn nothing_of_who_said_no_is_in_the_package_and_everything_else_is_as_it_was() {
    for (kind, below, ids) in [
        ("dpc", "dpc/clean", vec!["456"]),
        ("receipt", "receipt/clean", vec!["0456", CARD]),
        ("receipt", "receipt/legacy", vec!["０４５６"]),
        ("checkup", "checkup/clean", vec![CARD]),
        ("checkup", "checkup/csv", vec!["456"]),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let tree = samples(below);
        let plain = sent(&mut of_kind(kind, &tree, &dir.path().join("plain"), None, &[]));
        let (before, _, filtered) = opened(&plain);
        assert!(!filtered);
        let package = sent(&mut of_kind(kind, &tree, &dir.path().join("out"), Some(&list(dir.path(), &ids)), &[]));
        let (after, counts, filtered) = opened(&package);
        assert!(
            filtered && counts["records-left-out"] > 0 && counts["patients-opted-out"] == ids.len() as u64,
            "{below}: {counts:?}"
        );
        assert_eq!(package["records_left_out"], counts["records-left-out"]);
        assert_eq!(package["opt_outs_elsewhere"], 0, "{below}");
        assert!(before.iter().any(|(path, bytes)| path.ends_with(".zip") || hers(bytes)), "{below}");
        for (path, bytes) in after.iter().filter(|(path, _)| path.starts_with("storage/")) {
            assert!(!hers(bytes), "{path} holds something of hers");
            let was = before.iter().find(|(p, _)| p == path).map(|(_, b)| b.clone()).expect("the file");
            // Lines are those of before, but for the total of claims.
            if !path.ends_with(".zip") && !path.ends_with(".xml") {
                let lines = |bytes: &[u8]| -> Vec<Vec<u8>> {
                    bytes.split_inclusive(|b| *b == b'\n').filter(|l| !l.starts_with(b"GO,")).map(<[u8]>::to_vec).collect()
                };
                let (mut old, new) = (lines(&was).into_iter(), lines(bytes));
                assert!(new.iter().all(|line| old.any(|l| l == *line)), "{path}");
            }
            // The index of documents counts what is left.
            if !hers(&was) && !path.ends_with(".zip") && !path.contains("/ix08") {
                assert!(*bytes == was, "{path}");
            }
        }
    }
}

#[test]
fn an_insurer_names_people_by_card_and_is_told_when_a_list_does_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let tree = samples("receipt/clean");
    let package = sent(&mut of_kind("receipt", &tree, &dir.path().join("out"), Some(&list(dir.path(), &[CARD])), &["--insurer"]));
    let (files, counts, _) = opened(&package);
    assert_eq!((counts["patients-opted-out"], counts["records-left-out"]), (1, 3));
    assert!(files.iter().filter(|(path, _)| path.starts_with("storage/")).all(|(_, bytes)| !hers(bytes)));
    let by_chart = list(dir.path(), &["456"]);
    let refusal = refused(&mut of_kind("receipt", &tree, &dir.path().join("chart"), Some(&by_chart), &["--insurer"]));
    assert_eq!(refusal, "package-list-malformed");
}

#[test]
fn what_nobody_can_be_named_for_is_not_sent_and_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tree, out) = (dir.path().join("tree"), dir.path().join("out"));
    fs::create_dir_all(&tree).expect("made");
    fs::copy(samples("dpc/clean/EFn_139999991_2406.txt"), tree.join("EFn_139999991_2406.txt")).expect("copied");
    fs::write(tree.join("EFn_139999991_2407.txt"), "139999991\t\t20240731\t20240720\t60\r\n").expect("written");
    let no = list(dir.path(), &["456"]);
    let refusal = of_kind("dpc", &tree, &out, Some(&no), &["--lang", "en"]).output().expect("the program");
    let said = String::from_utf8_lossy(&refusal.stdout).into_owned();
    assert_eq!(refusal.status.code(), Some(1));
    assert!(said.contains("package-send-nobodys") && said.contains("EFn_139999991_2407.txt, line 1"), "{said}");
    assert!(!out.exists() || fs::read_dir(&out).expect("listable").count() == 0);
    // Without anybody who said no it goes, as it always did.
    sent(&mut of_kind("dpc", &tree, &out, None, &[]));
}

// control: NOT-03
#[test]
fn with_nobody_left_the_list_goes_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let tree = dir.path().join("tree");
    fs::create_dir_all(&tree).expect("made");
    let claims = fs::read(samples("receipt/clean/RECEIPTS.UKE")).expect("readable");
    fs::write(tree.join("RECEIPTS.UKE"), claims).expect("written");
    let package = sent(&mut of_kind("receipt", &tree, &dir.path().join("out"), Some(&list(dir.path(), &[CARD])), &[]));
    let (files, ..) = opened(&package);
    assert_eq!(files.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["opt-outs.csv"]);
    assert_eq!((&package["files"], &package["files_left_out"]), (&0.into(), &1.into()));
}

/// The list of opt-outs that travels in a package: patient and because.
fn travelling(files: &[(String, Vec<u8>)]) -> Vec<(String, String)> {
    let (_, bytes) = files.iter().find(|(path, _)| path == "opt-outs.csv").expect("the list");
    let ends = |line: &str| -> (String, String) {
        let (first, rest) = line.split_once(',').expect("a row");
        (first.trim_matches('"').to_owned(), rest.rsplit_once(',').expect("a row").1.trim_matches('"').to_owned())
    };
    String::from_utf8_lossy(bytes).lines().skip(1).map(ends).collect()
}

// control: NOT-03
#[test]
fn a_no_by_chart_number_leaves_out_what_is_known_by_card_alone_and_tells_the_producer() {
    for (ids, files_of_hers) in [(["456"], ["RECEIPTC", "RECEIPTS"]), ([CARD], ["RECEIPTC", "RECEIPTS"])] {
        let dir = tempfile::tempdir().expect("a directory");
        let tree = samples("receipt/clean");
        let package = sent(&mut of_kind("receipt", &tree, &dir.path().join("out"), Some(&list(dir.path(), &ids)), &[]));
        let (files, counts, _) = opened(&package);
        assert_eq!((counts["patients-opted-out"], &package["opt_outs_elsewhere"]), (1, &0.into()), "one person");
        for name in files_of_hers {
            let of_hers = files.iter().filter(|(path, bytes)| path.contains(name) && hers(bytes)).count();
            assert_eq!(of_hers, 0, "{name} for {ids:?}");
        }
        let list = travelling(&files);
        assert!(list.len() >= 2, "her other ids, by each way to write her name");
        assert!(list[0].1.is_empty() && list[1..].iter().all(|(_, because)| because == ids[0]), "{ids:?}");
        assert!(list[1..].iter().all(|(id, _)| *id == "456" || id.starts_with("insured-")));
        // The list that is read at the producer's door is what docs/package.md says.
        assert!(files.iter().any(|(p, b)| p == "opt-outs.csv" && b.starts_with(b"patient,requester,scope,date,because\n")));
    }
}

// control: NOT-03
#[test]
fn a_storage_tells_the_card_of_who_said_no_and_of_nobody_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let storage = samples("ssmix2/handmade/std");
    let package = sent(&mut of_kind("ssmix2", &storage, &dir.path().join("out"), Some(&list(dir.path(), &["12345"])), &[]));
    let (files, counts, _) = opened(&package);
    assert_eq!(counts["patients-opted-out"], 1);
    let told = travelling(&files);
    assert!(told.len() > 1, "an insured person's id");
    assert!(told[1..].iter().all(|(id, because)| id.starts_with("insured-") && because == "12345"));
    // Told by that card alone, the chart stays at home, and both are one person.
    let card = told[1].0.clone();
    let other = dir.path().join("by-card");
    fs::create_dir(&other).expect("a directory");
    let package = sent(&mut of_kind("ssmix2", &storage, &other.join("out"), Some(&list(&other, &[&card])), &[]));
    let (files, counts, _) = opened(&package);
    assert_eq!((counts["patients-opted-out"], &package["opt_outs_elsewhere"]), (1, &0.into()));
    assert!(files.iter().all(|(path, _)| !path.contains("0000012345")), "the chart of the same person");
}

#[test]
fn an_insurer_is_no_institution_and_neither_is_taken_for_the_other() {
    let dir = tempfile::tempdir().expect("a directory");
    let tree = samples("receipt/clean");
    let send = |provider: &str, more: &[&str]| {
        let out = dir.path().join("out");
        let args: Vec<String> = command(&tree, &out).get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        let at = args.iter().position(|a| a == "--provider").expect("a provider") + 1;
        let mut command = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
        let args = args.iter().enumerate().map(|(n, a)| {
            if n == at {
                provider
            } else if a == "ssmix2" {
                "receipt"
            } else {
                a
            }
        });
        command.args(args).args(more).env("LANG", "C.UTF-8");
        command
    };
    assert_eq!(refused(&mut send("00139998", &[])), "package-send-no-institution");
    assert_eq!(refused(&mut send("1319999991", &["--insurer"])), "package-send-no-insurer");
    let package = sent(&mut send("00139998", &["--insurer"]));
    assert!(package["people"].is_null(), "nobody counted them: {package}");
}
