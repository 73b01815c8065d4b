//! Documents of checkups, by their text.

use std::collections::{HashMap, HashSet};
use std::fs;

use synth::Kind;

use crate::kinds::{ALL, Row, folder, truth};

/// The attribute that follows a text.
fn after<'a>(document: &'a str, mark: &str) -> &'a str {
    let (_, rest) = document.split_once(mark).unwrap_or_else(|| panic!("{mark} is missing"));
    rest.split('"').next().expect("quoted")
}

fn value<'a>(document: &'a str, item: &str) -> &'a str {
    let (_, rest) = document.split_once(&format!("<code code=\"{item}\"")).expect("the item");
    let element = rest.split("</observation>").next().expect("closed");
    element
        .split_once(" value=\"")
        .map_or_else(|| after(element, "xsi:type=\"CD\" code=\""), |(_, v)| v.split('"').next().expect("quoted"))
}

#[test]
fn every_checkup_of_the_truth_is_in_its_archive_and_the_index_counts_them() {
    let people: HashMap<(String, String), Row> =
        truth("truth.csv").into_iter().map(|r| ((r["provider"].clone(), r["local_patient_id"].clone()), r)).collect();
    let mut seen = 0;
    for provider in &ALL.1.providers {
        let (mut documents, mut counts, mut indices) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (name, path) in folder(provider, Kind::Checkup) {
            let text = fs::read_to_string(path).expect("UTF-8");
            let archive = name.split('/').next().expect("archive").to_owned();
            assert!(archive.starts_with(provider.as_str()) && text.starts_with("<?xml"));
            if name.ends_with("/ix08_V08.xml") {
                indices.insert(archive, after(&text, "<totalRecordCount value=\"").to_owned());
                continue;
            }
            *counts.entry(archive.clone()).or_insert(0) += 1;
            let insurer = archive.split('_').nth(1).expect("receiver").to_owned();
            let on = after(&text, "1002\"/><effectiveTime value=\"").to_owned();
            let birth = after(&text, "<birthTime value=\"").to_owned();
            let sex = after(&text, "<administrativeGenderCode code=\"").to_owned();
            documents.entry((insurer, on, birth, sex)).or_insert_with(Vec::new).push(text);
        }
        let told: HashMap<_, _> = counts.iter().map(|(archive, n): (_, &i32)| (archive.clone(), n.to_string())).collect();
        assert_eq!(told, indices);
        let rows: Vec<Row> = truth("truth-checkups.csv").into_iter().filter(|r| &r["provider"] == provider).collect();
        assert_eq!(rows.len(), documents.values().map(Vec::len).sum::<usize>());
        for row in rows {
            let of = &people[&(provider.clone(), row["local_patient_id"].clone())];
            let sex = if of["sex"] == "female" { "2" } else { "1" };
            let key = (row["insurer"].clone(), row["date"].replace('-', ""), of["birth_date"].replace('-', ""), sex.to_owned());
            assert!(documents[&key].iter().any(|d| value(d, "3D046000001906202") == row["hba1c"]));
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn only_people_from_40_on_are_examined_and_nobody_twice_a_fiscal_year() {
    let birth: HashMap<String, String> =
        truth("truth.csv").into_iter().map(|r| (r["person"].clone(), r["birth_date"].clone())).collect();
    let mut years = HashSet::new();
    for row in truth("truth-checkups.csv") {
        let (year, rest) = row["date"].split_once('-').expect("a date");
        let (born, birthday) = birth[&row["person"]].split_once('-').expect("a date");
        let [year, born]: [i32; 2] = [year, born].map(|y| y.parse().expect("a year"));
        assert!(year - born - i32::from(rest < birthday) >= 40);
        assert!(years.insert((row["person"].clone(), year - i32::from(rest < "04"))), "twice");
    }
}

#[test]
fn who_has_diabetes_in_the_chart_has_a_higher_hba1c_here_too() {
    let diabetic: HashSet<(String, String)> = truth("truth-diagnoses.csv")
        .into_iter()
        .filter(|r| r["icd10"] == "E119" && r["suspected"] == "false" && r["claim_only"] == "false")
        .map(|r| (r["provider"].clone(), r["local_patient_id"].clone()))
        .collect();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for row in truth("truth-checkups.csv") {
        let value: f64 = row["hba1c"].parse().expect("a number");
        let has = diabetic.contains(&(row["provider"].clone(), row["local_patient_id"].clone()));
        if has { with.push(value) } else { without.push(value) }
    }
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    assert!(with.len() > 3 && mean(&with) > mean(&without) + 0.6, "{} {}", mean(&with), mean(&without));
}
