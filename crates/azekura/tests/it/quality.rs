//! `azekura quality`, on the real program: a provider's files before they are sent, and what became of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::kit::{House, PROVIDER, files, text};

fn samples(which: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(which)
}

/// Lines of the results, by the id of the check.
fn status(out: &Path, id: &str) -> String {
    let mut reader = csv::Reader::from_path(out.join("results.csv")).expect("results");
    let at = reader.headers().expect("a heading").iter().position(|h| h == "status").expect("a column");
    let line = reader.records().map(|r| r.expect("a line")).find(|r| &r[0] == id);
    line.unwrap_or_else(|| panic!("{id} is a check"))[at].to_owned()
}

#[test]
fn a_hospital_sees_what_is_wrong_in_its_files_in_its_own_language_and_by_its_own_ids() {
    let house = House::new();
    let out = house.path().join("quality");
    let said = house.run(&["--lang", "ja", "quality", "files", text(&samples("checkup/dirty")), "--out", text(&out)]).done();
    assert!(said["checks"].as_u64().is_some_and(|n| n >= 2_000) && said["asked"].as_u64().is_some_and(|n| n > 50), "{said}");
    assert_eq!(said["fatal"], 0);
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains("データ品質報告書") && !page.contains("quality-"), "every text is there");
    assert!(!page.contains("<script") && !page.contains("http"), "one file without the network");
    for name in ["report.html", "results.csv", "rows.csv"] {
        let mode = fs::metadata(out.join(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name} may name patients");
    }
    assert!(said["failed"].as_u64().is_some_and(|n| n > 0), "{said}");
    let rows = fs::read_to_string(out.join("rows.csv")).expect("rows");
    assert!(rows.lines().count() > 1, "{rows}");
    let again = house.run(&["quality", "files", text(&samples("checkup")), "--out", text(&out)]);
    assert_eq!(again.refused(), "quality-not-empty");
}

#[test]
fn rules_of_ones_own_can_hold_data_back() {
    let house = House::new();
    let rules = house.path().join("own.csv");
    let header = "check,table,field,code,sex,from,to,low,high,ref,threshold,severity,owner\n";
    let fatal = "measurePersonCompleteness,drug_exposure,,,,,,,,,0,fatal,pharmacy\n";
    fs::write(&rules, format!("{header}{fatal}")).expect("a file");
    let (path, out) = (samples("checkup/clean"), house.path().join("a"));
    let said = house.run(&["quality", "files", text(&path), "--out", text(&out), "--rules", text(&rules)]);
    assert_eq!((said.status, &said.json["fatal"]), (Some(1), &1.into()), "nobody has a drug");
    fs::write(&rules, format!("{header}{}", fatal.replace(",0,fatal", ",100,fatal"))).expect("a file");
    let out = house.path().join("b");
    let said = house.run(&["quality", "files", text(&path), "--out", text(&out), "--rules", text(&rules)]);
    assert_eq!(said.status, Some(1));
    assert!(said.all.contains("line 2") && said.all.contains("threshold"), "{}", said.all);
    assert!(!out.exists(), "nothing is written by a run that was refused");
}

#[test]
fn of_what_became_of_packages_nobody_is_counted_who_said_no_and_the_journal_knows_of_the_look() {
    let house = House::new();
    house.notified(&["123", "456", "789", "1011"]);
    let received = house.receive(&[&house.package_of("receipt", 1, &files(&samples("receipt/clean"), |_| true))]);
    assert_eq!(received[0]["state"], "accepted", "{received:?}");
    house.on(&["ingest"]).done();
    let look = |name: &str| {
        let out = house.path().join(name);
        let said =
            house.on(&["quality", "lake", "--provider", PROVIDER, "--purpose", "monthly look", "--out", text(&out)]).done();
        (said, out)
    };
    let (before, out) = look("before");
    assert!(before["rows"].as_u64().is_some_and(|n| n > 50), "{before}");
    assert_eq!(status(&out, "procedure_occurrence.visit_occurrence_id.isForeignKey"), "pass");
    assert_eq!(status(&out, "procedure_occurrence.procedure_occurrence_id.isPrimaryKey"), "pass");
    assert_eq!(status(&out, "procedure_occurrence.record_id.isForeignKey"), "pass");
    assert!(!out.join("rows.csv").exists(), "outside the hospital nobody is named");
    let journal = house.journal();
    assert!(journal.iter().any(|e| e.to_string().contains("monthly look") && e.to_string().contains("quality")), "{journal:?}");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", "456"]).done();
    let (after, _) = look("after");
    assert_eq!(after["patients"].as_u64().map(|n| n + 1), before["patients"].as_u64(), "{before} {after}");
    let none = house.on(&["quality", "lake", "--provider", "4019999988", "--out", text(&house.path().join("none"))]);
    assert_eq!(none.refused(), "quality-nobody");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn of_what_could_not_be_read_nobody_is_told_that_it_is_well() {
    let house = House::new();
    let out = house.path().join("dirty");
    let said = house.run(&["quality", "files", text(&samples("receipt/dirty")), "--out", text(&out)]).done();
    assert_eq!(said["findings"], 0, "{said}");
    assert!(said["unread"].as_u64().is_some_and(|n| n > 0), "{said}");
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains("not everything could be") && !page.contains("Nothing was found that somebody has to mend"));
    let junk = house.path().join("junk");
    fs::create_dir(&junk).expect("a folder");
    fs::write(junk.join("x.UKE"), [0xff, 0, 7, 0xfe]).expect("a file");
    let said = house.run(&["quality", "files", text(&junk), "--out", text(&house.path().join("none"))]);
    assert_eq!((said.status, &said.json["rows"]), (Some(1), &0.into()), "{}", said.all);
}
