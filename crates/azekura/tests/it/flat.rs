//! Flat tables on the whole command line: `azekura anonymize`, `azekura risk`.

use std::fs;

use serde_json::Value;

use super::kit::{House, Said};

/// A folder with a table of 60 people, a population of 180 with everybody of the table in it, and hierarchies.
struct Flat(House);

fn person(n: usize) -> String {
    let (sex, age) = (["F", "M"][n % 2], 30 + n * 7 % 12);
    format!("{n},{sex},{age},{},{}", ["flu", "cold", "gout"][n / 3 % 3], 140 + n * n * 13 % 57)
}

impl Flat {
    fn new() -> Flat {
        let flat = Flat(House::empty());
        let rows = |people: &mut dyn Iterator<Item = usize>| {
            people.fold("id,sex,age,illness,height\n".to_owned(), |all, n| all + &person(n) + "\n")
        };
        flat.0.write("table.csv", &rows(&mut (0..180).step_by(3)));
        flat.0.write("population.csv", &rows(&mut (0..180)));
        fs::create_dir(flat.0.path().join("h")).expect("a folder");
        flat.0.write("h/sex.csv", "F,*\nM,*\n");
        let ages: String = (30..42).map(|a| format!("{a},{}-{},*\n", a / 4 * 4, a / 4 * 4 + 3)).collect();
        flat.0.write("h/age.csv", &ages);
        flat
    }

    fn anonymize(&self, more: &[&str]) -> Said {
        let (table, folder, out, report) =
            (self.0.at("table.csv"), self.0.at("h"), self.0.at("out.csv"), self.0.at("report.json"));
        let mut args = vec!["anonymize", "--data", &table, "--hierarchies", &folder, "--qi", "sex,age", "--out", &out];
        args.extend(["--report", &report]);
        args.extend(more);
        self.0.run(&args)
    }

    fn verify(&self, more: &[&str]) -> Said {
        let (out, report) = (self.0.at("out.csv"), self.0.at("report.json"));
        let mut args = vec!["risk", "verify", &out, "--report", &report];
        args.extend(more);
        self.0.run(&args)
    }

    fn report(&self) -> Value {
        serde_json::from_str(&self.0.read("report.json")).expect("JSON")
    }
}

#[test]
fn a_release_is_made_and_checked_against_a_population() {
    let flat = Flat::new();
    let (population, folder) = (flat.0.at("population.csv"), flat.0.at("h"));
    let models = ["--model", "kmap:20", "--model", "dp:0.1:0.5", "--suppression", "0.3", "--person", "id"];
    flat.anonymize(&[&models[..], &["--population", &population]].concat()).done();
    let report = flat.report();
    assert_eq!(report["population_table"]["rows"], 180);
    assert_eq!(report["population_table"]["by_person"], true);
    assert!(report["population_table"]["smallest_class"].as_u64() >= Some(20) && report["optimal"] == true);
    let check = ["--population", population.as_str(), "--hierarchies", folder.as_str()];
    let verified = flat.verify(&check).done();
    assert_eq!((&verified["wrong"], &verified["unchecked"]), (&serde_json::json!([]), &serde_json::json!([])));
    let blind = flat.verify(&[]).done();
    assert_eq!(blind["unchecked"], serde_json::json!(["kmap:20", "dp:0.1:0.5"]));
    assert_eq!(flat.verify(&["--population", &population]).status, Some(2), "hierarchies are needed with it");
    // A stronger claim than the release keeps is seen.
    let stronger = flat.0.read("report.json").replace("kmap:20", "kmap:179");
    flat.0.write("report.json", &stronger);
    assert_eq!(flat.verify(&check).status, Some(1), "found wrong");
}

#[test]
fn a_population_that_lacks_somebody_or_is_only_a_number_is_refused_and_nothing_is_written() {
    let flat = Flat::new();
    let population = flat.0.at("population.csv");
    assert_eq!(flat.anonymize(&["--model", "kmap:5"]).refused(), "anonymity-population-table-missing");
    assert_eq!(flat.anonymize(&["--model", "kmap:5", "--population", "180"]).refused(), "anonymity-population-table-missing");
    let all = flat.0.read("population.csv");
    flat.0.write("population.csv", &all.lines().take(40).map(|l| l.to_owned() + "\n").collect::<String>());
    let said = flat.anonymize(&["--model", "kmap:5", "--population", &population]);
    assert_eq!(said.refused(), "anonymity-population-smaller");
    flat.0.write("population.csv", &all.replacen(",F,30,", ",F,31,", 40));
    let said = flat.anonymize(&["--model", "kmap:5", "--population", &population]);
    assert_eq!(said.refused(), "anonymity-population-lacks");
    flat.0.write("population.csv", &all.replacen(",F,30,", ",F,77,", 1));
    let said = flat.anonymize(&["--model", "kmap:5", "--population", &population]);
    assert_eq!(said.refused(), "anonymity-population-leaf");
    assert!(!said.all.contains("77"), "no cell is shown: {}", said.all);
    assert!(!flat.0.path().join("out.csv").exists() && !flat.0.path().join("report.json").exists());
    // The population is read and never written over.
    flat.0.write("population.csv", &all);
    let said = flat.anonymize(&["--model", "kmap:5", "--population", &population, "--reference", &population]);
    assert_eq!((said.status, flat.0.read("population.csv") == all), (Some(2), true));
}

#[test]
fn risk_says_what_is_known_of_records_and_no_value_of_one() {
    let flat = Flat::new();
    let (table, population) = (flat.0.at("table.csv"), flat.0.at("population.csv"));
    let risk = ["risk", &table, "--qi", "sex,age,height"];
    let found = flat.0.run(&[&risk[..], &["--population", "900", "--attempt", "0.2", "--prevalence", "0.001"]].concat()).done();
    assert_eq!(found["individual"]["by"], "size");
    assert_eq!(found["special_uniques"]["largest_set"], 3);
    assert_eq!(found["overall"]["deliberate"]["attempt"], 0.2);
    assert!(found["special_uniques"]["dis"].as_f64() > Some(0.0), "{found}");
    let counted = flat.0.run(&[&risk[..], &["--population", &population, "--suda", "0"]].concat()).done();
    assert!(counted["journalist_most"].as_f64() > Some(0.0) && counted["marketer"].as_f64() > Some(0.0));
    assert!(counted["population"].is_null() && counted["special_uniques"].is_null());
    let weighted = flat.0.run(&[&risk[..], &["--weight", "height"]].concat()).done();
    assert_eq!(weighted["individual"]["by"], "weights");
    assert_eq!(flat.0.run(&[&risk[..], &["--weight", "illness"]].concat()).refused(), "anonymity-weight-unusable");
    assert_eq!(flat.0.run(&[&risk[..], &["--breach", "2"]].concat()).refused(), "anonymity-chance-range");
    assert!(!flat.0.all_said().contains("gout"), "no cell is shown");
}

#[test]
fn kept_columns_are_changed_as_asked_and_the_verifier_looks() {
    let flat = Flat::new();
    let kept = ["--model", "k:3", "--suppression", "0.2", "--keep", "height,illness"];
    let asked = ["--transform", "height=microopt:4", "--transform", "illness=pram:0.8", "--sample", "0.9"];
    flat.anonymize(&[&kept[..], &asked[..]].concat()).done();
    let report = flat.report();
    assert_eq!(report["sampled"]["rows"], 60);
    // Which rows are drawn is chance, and with them how much grouping changes.
    assert!(report["transforms"][0]["smallest_group"].as_u64() >= Some(4));
    assert_eq!(report["transforms"][1]["matrix"]["values"], serde_json::json!(["cold", "flu", "gout"]));
    assert_eq!(flat.verify(&[]).done()["wrong"], serde_json::json!([]));
    // One height that only one row has.
    let out = flat.0.read("out.csv");
    let row = out.lines().last().expect("a row");
    let (head, _) = row.rsplit_once(',').expect("cells");
    flat.0.write("out.csv", &out.replacen(row, &format!("{head},211.5"), 1));
    assert_eq!(flat.verify(&[]).status, Some(1), "found wrong");
    let refused = |more: &[&str]| flat.anonymize(&[&kept[..], more].concat()).refused().to_owned();
    assert_eq!(refused(&["--transform", "age=round:5"]), "anonymity-transform-not-kept");
    assert_eq!(refused(&["--transform", "height=blur:5"]), "anonymity-transform-unknown");
    assert_eq!(refused(&["--transform", "illness=micro:5"]), "anonymity-transform-number");
    assert_eq!(refused(&["--sample", "0"]), "anonymity-sample-range");
}
