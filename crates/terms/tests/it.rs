//! The allowed edges between crates. A new edge is a decision: it is made here, in `ARCHITECTURE.md`, and in the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each crate, and the crates that it may stand on. Dependencies of tests alone are marked with `test:`.
const ALLOWED: &[(&str, &str)] = &[
    ("terms", ""),
    ("durable", ""),
    ("messages", ""),
    ("journal", ""),
    ("controls", ""),
    ("omop", "terms"),
    ("seal", "durable messages terms"),
    ("package", "durable messages seal terms"),
    ("ledger", "durable journal messages seal terms"),
    ("formats", "messages omop terms"),
    ("lake", "durable ledger messages omop seal terms"),
    ("linkage", "messages terms test:omop"),
    ("anonymity", "messages test:omop test:terms"),
    ("quality", "messages omop terms"),
    ("masters", "omop terms"),
    ("synth", "messages terms"),
    ("governance", "messages terms"),
    (
        "pipeline",
        "anonymity durable formats governance journal lake ledger linkage masters messages omop package quality seal terms",
    ),
    ("azekura-send", "formats messages package seal terms test:durable"),
    ("azekura-open", "durable messages package seal terms"),
    (
        "azekura",
        "anonymity controls durable formats governance journal lake ledger linkage masters messages omop package pipeline quality seal synth terms",
    ),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates/").to_owned()
}

/// Own crates that a manifest names: those that the code stands on, and those of tests alone.
fn edges(manifest: &str, own: &BTreeSet<String>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut code, mut test) = (BTreeSet::new(), BTreeSet::new());
    let mut section = "";
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        if !own.contains(name) {
            continue;
        }
        match section {
            "[dependencies]" | "[build-dependencies]" => drop(code.insert(name.to_owned())),
            "[dev-dependencies]" => drop(test.insert(name.to_owned())),
            _ => {}
        }
    }
    (code, test)
}

/// Every edge that the list does not allow, as `from → to`.
fn forbidden(manifests: &BTreeMap<String, String>) -> Vec<String> {
    let own: BTreeSet<String> = manifests.keys().cloned().collect();
    let mut found = Vec::new();
    for (name, manifest) in manifests {
        let Some((_, list)) = ALLOWED.iter().find(|(n, _)| n == name) else {
            found.push(format!("{name} is not in the list"));
            continue;
        };
        let allowed = |to: &str, tests: bool| list.split(' ').any(|e| e == to || (tests && e.strip_prefix("test:") == Some(to)));
        let (code, test) = edges(manifest, &own);
        found.extend(code.iter().filter(|to| !allowed(to, false)).map(|to| format!("{name} → {to}")));
        found.extend(test.iter().filter(|to| !allowed(to, true)).map(|to| format!("{name} → {to} in tests")));
    }
    found
}

fn manifests() -> BTreeMap<String, String> {
    fs::read_dir(crates())
        .expect("crates/")
        .filter_map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name()?.to_string_lossy().into_owned();
            Some((name, fs::read_to_string(path.join("Cargo.toml")).ok()?))
        })
        .collect()
}

#[test]
fn no_crate_stands_on_another_than_the_list_allows() {
    assert_eq!(forbidden(&manifests()), Vec::<String>::new());
}

#[test]
fn an_edge_that_is_not_in_the_list_is_found() {
    let mut manifests = manifests();
    let linkage = manifests.get_mut("linkage").expect("there is linkage");
    *linkage = linkage.replace("[dependencies]", "[dependencies]\nlake.workspace = true");
    assert_eq!(forbidden(&manifests), ["linkage → lake"]);
}

#[test]
fn formats_and_synth_share_no_code() {
    let own: BTreeSet<String> = ["formats", "synth"].map(str::to_owned).into();
    for (name, manifest) in manifests().iter().filter(|(n, _)| own.contains(*n)) {
        let (code, test) = edges(manifest, &own);
        assert!(code.is_empty() && test.is_empty(), "{name} reads or writes with the other's code");
    }
}

/// What stands for a person's data in the repository is synthetic or published; no file refers to a place outside it.
#[test]
fn nothing_in_the_project_refers_to_a_place_outside_it() {
    let root = crates().parent().expect("the repository").to_owned();
    let outside = [["..", "/shared"].concat(), ["/work", "/"].concat()];
    let mut waiting = vec![
        root.join("crates"),
        root.join("tools"),
        root.join("docs"),
        root.join("bench"),
        root.join("Makefile"),
        root.join(".ci"),
    ];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).expect("a directory").map(|e| e.expect("an entry").path()));
        } else if let Ok(text) = fs::read_to_string(&path)
            && outside.iter().any(|o| text.contains(o.as_str()))
        {
            found.push(path.display().to_string());
        }
    }
    assert_eq!(found, Vec::<String>::new());
}
