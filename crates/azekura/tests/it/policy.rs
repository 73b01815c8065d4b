//! `azekura anonymize --policy`: tables of a cohort, without an instance.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::kit::{House, Said, text};

const POLICY: &str = include_str!("../../../../profiles/anonymized.toml");

/// A folder with a synthetic hospital's records as tables of OMOP.
struct Cohort(House);

impl Cohort {
    fn new() -> Cohort {
        let cohort = Cohort(House::empty());
        let hospital = cohort.0.at("hospital");
        cohort.0.run(&["synth", "--persons", "400", "--providers", "1", "--seed", "5", "--out", &hospital]).done();
        let storage = fs::read_dir(&hospital).expect("a folder").filter_map(Result::ok).find(|e| e.path().is_dir()).expect("one");
        cohort.0.run(&["formats", "convert", "--from", "ssmix2", text(&storage.path()), "--out", &cohort.0.at("in")]);
        cohort.0.write("policy.toml", POLICY);
        cohort
    }

    fn treat(&self, out: &str, more: &[&str]) -> Said {
        let (policy, input, out) = (self.0.at("policy.toml"), self.0.at("in"), self.0.at(out));
        let mut args = vec!["anonymize", "--policy", &policy, "--in", &input, "--out", &out];
        args.extend(more);
        self.0.run(&args)
    }
}

/// The cells of a CSV that has no quotes in these columns.
fn cells(csv: &str, columns: [&str; 2]) -> Vec<[String; 2]> {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let at = columns.map(|c| header.iter().position(|h| *h == c).expect("a column"));
    lines.map(|line| line.split(',').collect::<Vec<_>>()).map(|row| at.map(|n| row[n].to_owned())).collect()
}

// control: PRC-05
#[test]
fn tables_of_a_cohort_become_a_checked_release_in_one_command() {
    let cohort = Cohort::new();
    let report = cohort.treat("out", &[]).done();
    assert!(report["persons_after"].as_u64() >= Some(300), "{report}");
    assert!(report["privacy"]["after"]["smallest"].as_u64() >= Some(10));
    assert_eq!(report["privacy"]["found"].as_array().map(Vec::len), Some(4));
    let of_file: Value = serde_json::from_str(&cohort.0.read("out/report.json")).expect("JSON");
    assert_eq!(of_file, report);
    assert!(cohort.0.read("out/report.html").contains("</html>") && cohort.0.read("out/policy.toml") == POLICY);
    // Counted from the files alone: whoever knows two codes finds ten people or nobody.
    let mut of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, column) in [("condition_occurrence", "condition_source_value"), ("drug_exposure", "drug_source_value")] {
        for [person, code] in cells(&cohort.0.read(&format!("out/{table}.csv")), ["person_id", column]) {
            of.entry(person).or_default().insert(format!("{table} {code}"));
        }
    }
    let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for codes in of.values() {
        for one in codes {
            for other in codes.range(one.clone()..) {
                *pairs.entry((one, other)).or_default() += 1;
            }
        }
    }
    assert!(pairs.len() > 20 && pairs.values().all(|persons| *persons >= 10), "{:?}", pairs.values().min());
}

#[test]
fn what_is_there_is_not_touched_and_a_run_that_failed_leaves_nothing() {
    let cohort = Cohort::new();
    fs::create_dir(cohort.0.path().join("out.new")).expect("a folder");
    cohort.0.write("out.new/mine.txt", "mine");
    cohort.treat("out", &[]).done();
    let before = cohort.0.read("out/person.csv");
    assert_eq!(cohort.treat("out", &[]).refused(), "anonymity-policy-out-there");
    assert_eq!((cohort.0.read("out/person.csv"), cohort.0.read("out.new/mine.txt")), (before, "mine".to_owned()));
    assert_eq!(cohort.treat("in/out", &[]).status, Some(2), "not into what is read");

    let names = || fs::read_dir(cohort.0.path()).expect("a folder").count();
    let there = names();
    let person = cohort.0.read("in/person.csv");
    let lines: Vec<&str> = person.lines().collect();
    let bad = |line: usize, cell: &str, by: &str| {
        let mut lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        lines[line - 1] = lines[line - 1].replacen(cell, by, 1);
        cohort.0.write("in/person.csv", &(lines.join("\n") + "\n"));
        cohort.treat("bad", &[])
    };
    let born = lines[2].split(',').nth(2).expect("a year");
    let said = bad(3, &format!(",{born},"), ",SECRET,");
    assert_eq!(said.refused(), "anonymity-policy-cell");
    assert!(said.all.contains("person.csv") && said.all.contains('3') && !said.all.contains("SECRET"), "{}", said.all);
    assert_eq!(bad(1, "person_source_value", "patient_name").refused(), "anonymity-policy-column");
    let id = format!("{},", lines[3].split(',').next().expect("an id"));
    assert_eq!(
        bad(3, &format!("{},", lines[2].split(',').next().expect("an id")), &id).refused(),
        "anonymity-policy-person-twice"
    );
    fs::remove_file(cohort.0.path().join("in/person.csv")).expect("removed");
    assert_eq!(cohort.treat("bad", &[]).refused(), "anonymity-policy-known-missing");
    cohort.0.write("in/person.csv", &person);
    assert_eq!(names(), there, "nothing is left");

    let cohorted = POLICY.replace("conditions = []", "conditions = [\"I10:C61\"]");
    cohort.0.write("policy.toml", &cohorted);
    assert_eq!(cohort.treat("bad", &[]).refused(), "anonymity-policy-cohort");
    assert_eq!(cohort.treat("bad", &["--sample", "0.5"]).status, Some(2), "an option of one table is not taken in silence");
    cohort.0.write("policy.toml", include_str!("../../../../profiles/linkable.toml"));
    assert_eq!(cohort.treat("bad", &[]).refused(), "anonymity-policy-linkable");
}

// control: PRC-05
#[test]
fn whoever_has_the_folder_can_hold_it_against_its_policy_and_finds_what_was_spoilt() {
    let cohort = Cohort::new();
    // A table that was not there is there without rows.
    fs::remove_file(cohort.0.path().join("in/observation.csv")).expect("removed");
    cohort.treat("out", &[]).done();
    assert_eq!(cohort.0.read("out/observation.csv").lines().count(), 1);
    let (out, report) = (cohort.0.at("out"), cohort.0.at("out/report.json"));
    let held = cohort.0.run(&["risk", "verify", &out, "--report", &report]).done();
    assert_eq!(held["wrong"].as_array().map(Vec::len), Some(0));
    assert!(held["smallest_class"].as_u64() >= Some(10) && held["checked"].as_u64() > Some(100), "{held}");
    cohort.0.run(&["risk", "verify", &out]).done();
    cohort.0.run(&["risk", "verify", &out, "--policy", &cohort.0.at("policy.toml")]).done();

    let spoil = |file: &str, from: &str, to: &str, place: &str| {
        let before = cohort.0.read(file);
        assert!(before.contains(from), "{from}");
        cohort.0.write(file, &before.replacen(from, to, 1));
        let said = cohort.0.run(&["risk", "verify", &out, "--report", &report]);
        assert_eq!(said.status, Some(1), "{}", said.all);
        let wrong = said.json["wrong"].as_array().expect("places");
        assert!(wrong.iter().any(|w| w["place"] == place), "{place}: {}", said.all);
        assert!(!said.all.contains("SECRET"), "{}", said.all);
        cohort.0.write(file, &before);
    };
    spoil("out/condition_occurrence.csv", "MDCDX2:", "SECRET:", "condition_occurrence.condition_source_value");
    spoil("out/person.csv", "person_source_value", "patient_name", "person.patient_name");
    spoil("out/person.csv", ",8507,", ",1,", "person.gender_concept_id × person.year_of_birth × person.month_of_birth");
    let persons = format!("\"persons_after\": {}", held["persons"]);
    spoil("out/report.json", &persons, "\"persons_after\": 7", "report.persons_after");
    cohort.0.write("out/note.csv", "person_id,note_text\n1,SECRET\n");
    let said = cohort.0.run(&["risk", "verify", &out]);
    assert!(said.status == Some(1) && said.json["wrong"][0]["place"] == "note", "{}", said.all);
    let gone = cohort.0.path().join("out/note.csv");
    fs::remove_file(&gone).expect("removed");
    // A table that is missing, and files that are none of a data set, whatever they are called.
    fs::rename(cohort.0.path().join("out/death.csv"), cohort.0.path().join("out/note.txt")).expect("moved");
    fs::create_dir(cohort.0.path().join("out/more")).expect("a folder");
    let said = cohort.0.run(&["risk", "verify", &out]);
    let wrong = said.json["wrong"].as_array().expect("places");
    let has = |rule: &str, place: &str| wrong.iter().any(|w| w["rule"] == rule && w["place"] == place);
    assert!(said.status == Some(1) && has("missing", "death"), "{}", said.all);
    assert!(has("unexpected", "note.txt") && has("unexpected", "more"), "{}", said.all);
    fs::rename(cohort.0.path().join("out/note.txt"), cohort.0.path().join("out/death.csv")).expect("moved");
    fs::remove_dir(cohort.0.path().join("out/more")).expect("removed");
    // The report is taken from the folder, and what nobody looked at is said.
    let before = cohort.0.read("out/report.json");
    cohort.0.write("out/report.json", &before.replacen(&persons, "\"persons_after\": 7", 1));
    assert_eq!(cohort.0.run(&["risk", "verify", &out]).status, Some(1));
    cohort.0.write("out/report.json", &before);
    let held = cohort.0.run(&["risk", "verify", &out]).done();
    let unchecked = held["unchecked"].as_array().expect("a list");
    for what in ["dictionary.en.csv", "report.html", "privacy.shift_days"] {
        assert!(unchecked.iter().any(|u| u == what), "{what}: {held}");
    }
    assert_eq!(cohort.0.run(&["risk", "verify", &cohort.0.at("in"), "--policy", &cohort.0.at("policy.toml")]).status, Some(1));
    assert_eq!(cohort.0.run(&["risk", "verify", &cohort.0.at("in")]).refused(), "anonymity-table-unreadable");
}

// control: PRC-05
#[test]
fn codes_of_which_a_file_says_when_they_are_in_use_tell_no_shift() {
    let cohort = Cohort::new();
    // Every drug was listed on the first day on which the hospital gave one: too late for dates that were moved back.
    let drugs = cells(&cohort.0.read("in/drug_exposure.csv"), ["drug_source_value", "drug_exposure_start_date"]);
    let first = drugs.iter().map(|[_, day]| day.clone()).min().expect("a day");
    let codes: BTreeSet<&String> = drugs.iter().map(|[code, _]| code).filter(|code| !code.is_empty()).collect();
    let mut file = "column,code,valid_from,valid_to\n".to_owned();
    codes.iter().for_each(|code| file += &format!("drug_exposure.drug_source_value,{code},{first},\n"));
    cohort.0.write("days.csv", &file);
    let days = cohort.0.at("days.csv");
    let report = cohort.treat("out", &["--validity", &days]).done();
    let told = &report["privacy"]["calendar"];
    assert!(told["rows"].as_u64() > Some(0) && told["coarser"].as_u64() < told["rows"].as_u64(), "{told}");
    let found = report["privacy"]["found"].as_array().expect("attackers");
    assert!(found.iter().any(|f| f["attacker"] == "calendar_codes"), "{found:?}");

    for (line, by) in [("drug_exposure.drug_source_value", "person.person_id"), (&*first, "SECRET"), ("valid_from", "from")] {
        cohort.0.write("days.csv", &file.replacen(line, by, 1));
        let said = cohort.treat("bad", &["--validity", &days]);
        assert_eq!(said.refused(), "anonymity-validity-line");
        assert!(said.all.contains("days.csv") && !said.all.contains("SECRET"), "{}", said.all);
    }
}
