//! What all kinds of files beside the storage promise together.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use synth::{Kind, Options, Summary, generate};
use tempfile::TempDir;

use crate::world::{csv, files};

pub type Row = HashMap<String, String>;

/// 400 persons at three providers, with every kind.
pub static ALL: LazyLock<(TempDir, Summary)> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("temporary directory");
    let options = options(Kind::ALL.to_vec());
    let summary = generate(&options, directory.path(), |_| {}).expect("generates");
    (directory, summary)
});

fn options(kinds: Vec<Kind>) -> Options {
    Options { persons: 400, seed: 21, density: 0.3, kinds, ..Options::default() }
}

pub fn truth(name: &str) -> Vec<Row> {
    csv(&ALL.0.path().join(name))
}

/// `folder` of a provider: relative paths and bytes.
pub fn folder(provider: &str, kind: Kind) -> Vec<(String, PathBuf)> {
    files(&ALL.0.path().join(provider).join(kind.word()))
}

/// The text of a CP932 file, all of which must be CP932.
pub fn cp932(path: &PathBuf) -> String {
    let bytes = fs::read(path).expect("readable");
    let bytes = bytes.strip_suffix(b"\x1a").unwrap_or(&bytes);
    let (text, _, wrong) = encoding_rs::SHIFT_JIS.decode(bytes);
    assert!(!wrong && !text.contains("&#"), "{}", path.display());
    text.into_owned()
}

#[test]
fn storages_lists_and_truth_are_the_same_bytes_with_and_without_other_kinds() {
    let directory = tempfile::tempdir().expect("temporary directory");
    generate(&options(Vec::new()), directory.path(), |_| {}).expect("generates");
    let (without, with) = (files(directory.path()), files(ALL.0.path()));
    let beside: HashSet<&str> = Kind::ALL.iter().map(|k| k.word()).collect();
    let more = ["truth-claims.csv", "truth-diagnoses.csv", "truth-stays.csv", "truth-checkups.csv", "truth-sources.json"];
    let kept: Vec<_> = with
        .iter()
        .filter(|(name, _)| !more.contains(&name.as_str()) && !name.split('/').nth(1).is_some_and(|f| beside.contains(f)))
        .collect();
    assert_eq!(kept.len(), without.len());
    for ((a, before), (b, after)) in without.iter().zip(kept) {
        assert!(a == b && fs::read(before).expect("readable") == fs::read(after).expect("readable"), "{a}");
    }
}

#[test]
fn every_kind_gives_the_same_bytes_on_any_number_of_threads() {
    let read = |threads| {
        let directory = tempfile::tempdir().expect("temporary directory");
        let options = Options { persons: 150, threads: Some(threads), ..options(Kind::ALL.to_vec()) };
        generate(&options, directory.path(), |_| {}).expect("generates");
        let beside = |name: &str| !name.contains("/storage/");
        files(directory.path())
            .into_iter()
            .filter(|(name, _)| beside(name))
            .map(|(name, path)| (name, fs::read(path).expect("readable")))
            .collect::<Vec<_>>()
    };
    assert!(read(1) == read(3));
}

#[test]
fn a_kind_that_does_not_exist_is_told_with_those_that_do() {
    assert!(Kind::ALL.into_iter().all(|k| k.to_string().parse() == Ok(k)));
    assert!("paper".parse::<Kind>().is_err_and(|e| e.contains("receipt")));
}

#[test]
fn nothing_is_billed_or_measured_after_a_death() {
    let deaths: HashMap<(String, String), String> = truth("truth.csv")
        .into_iter()
        .filter(|r| !r["death_date"].is_empty())
        .map(|r| ((r["provider"].clone(), r["canonical_id"].clone()), r["death_date"].replace('-', "")))
        .collect();
    let (mut ends, mut claims) = (0, 0);
    for provider in &ALL.1.providers {
        let alive = |id: &str, day: &str| {
            let death = deaths.get(&(provider.clone(), id.trim_start_matches('0').to_owned()));
            death.is_none_or(|death| day <= death.as_str())
        };
        for (name, path) in folder(provider, Kind::Dpc).into_iter().filter(|(n, _)| n.starts_with("EFn")) {
            for line in cp932(&path).lines().skip(1) {
                let fields: Vec<&str> = line.split('\t').collect();
                assert!(alive(fields[1], fields[23]), "{name}: {line}");
                ends += 1;
            }
        }
        for claim in crate::claims::claims(provider) {
            let (re, days) = (&claim.records[0], &claim.of("JD")[0][2..]);
            let last = days.iter().rposition(|d| d == "1").expect("a day") + 1;
            assert!(alive(&re[13], &format!("{}{last:02}", re[3])), "{re:?}");
            claims += 1;
        }
    }
    assert!(ends > 1_000 && claims > 1_000 && !deaths.is_empty());
}
