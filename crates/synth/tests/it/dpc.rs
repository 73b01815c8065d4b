//! Files of the DPC survey, read line by line.

use std::collections::{BTreeSet, HashMap};

use synth::Kind;

use crate::kinds::{ALL, Row, cp932, folder, truth};

/// Lines of the files of a name, without their heads, with the month of the file.
fn lines(provider: &str, name: &str, columns: usize) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for (file, path) in folder(provider, Kind::Dpc).into_iter().filter(|(n, _)| n.starts_with(name)) {
        let month = format!("20{}", &file[file.len() - 8..file.len() - 4]);
        for (at, line) in cp932(&path).lines().enumerate() {
            let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
            assert_eq!(fields.len(), columns, "{file}: {line}");
            assert_eq!(fields[0].starts_with("施設"), at == 0, "{file}");
            if at > 0 {
                assert_eq!(fields[0], format!("{}{}", &provider[..2], &provider[3..]));
                all.push((month.clone(), fields));
            }
        }
    }
    all
}

fn stays(provider: &str) -> Vec<Row> {
    truth("truth-stays.csv").into_iter().filter(|r| r["provider"] == provider).collect()
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

#[test]
fn every_stay_is_in_ef_with_its_days_and_no_other() {
    let mut open = 0;
    for provider in &ALL.1.providers {
        let mut beds: HashMap<(String, String), BTreeSet<String>> = HashMap::new();
        let mut ends: HashMap<(String, String), BTreeSet<String>> = HashMap::new();
        for (month, f) in lines(provider, "EFn", 31) {
            let of = (f[1].clone(), f[3].clone());
            assert!(f[1].len() == 10 && f[23].starts_with(&month));
            if f[4] == "90" && f[6] == "000" {
                assert!(beds.entry(of.clone()).or_default().insert(f[23].clone()), "a day twice");
            }
            assert!(f[2] == "00000000" || f[2].starts_with(&month) && f[23] <= f[2], "{f:?}");
            ends.entry(of).or_default().insert(f[2].clone());
        }
        let all = stays(provider);
        assert_eq!(all.len(), beds.len());
        for row in all {
            let of = (format!("{:0>10}", row["local_patient_id"]), row["admission"].replace('-', ""));
            let days = &beds[&of];
            assert_eq!(days.len().to_string(), row["days"]);
            assert_eq!(days.first(), Some(&of.1));
            let discharge = row["discharge"].replace('-', "");
            open += usize::from(discharge.is_empty());
            assert_eq!(ends[&of].contains(&discharge), !discharge.is_empty());
            assert!(discharge.is_empty() || days.last() == Some(&discharge));
        }
    }
    assert!(open > 0);
}

#[test]
fn every_stay_that_ended_is_in_form_1_and_form_4_once() {
    let people: HashMap<(String, String), Row> =
        truth("truth.csv").into_iter().map(|r| ((r["provider"].clone(), r["canonical_id"].clone()), r)).collect();
    for provider in &ALL.1.providers {
        let mut forms: HashMap<(String, String), HashMap<String, Vec<String>>> = HashMap::new();
        for (_, f) in lines(provider, "FF1", 17) {
            let code = format!("{}-{}", f[5], f[7]);
            let before = forms.entry((f[1].clone(), f[2].clone())).or_default().insert(code, f);
            assert!(before.is_none());
        }
        let fourth: Vec<_> =
            lines(provider, "FF4", 5).into_iter().map(|(_, f)| (f[1].clone(), f[2].clone(), f[3].clone())).collect();
        let ended: Vec<Row> = stays(provider).into_iter().filter(|r| !r["discharge"].is_empty()).collect();
        assert_eq!((ended.len(), ended.len()), (forms.len(), fourth.len()));
        for row in ended {
            let (from, to) = (row["admission"].replace('-', ""), row["discharge"].replace('-', ""));
            let id = format!("{:0>10}", row["local_patient_id"]);
            let form = &forms[&(id.clone(), from.clone())];
            let of = &people[&(provider.clone(), row["local_patient_id"].trim_start_matches('0').to_owned())];
            assert_eq!(form["A000010-0"][8], of["birth_date"].replace('-', ""));
            assert_eq!(form["A000010-0"][9], if of["sex"] == "female" { "2" } else { "1" });
            assert_eq!((&form["A000031-0"][8], &form["A000031-0"][9]), (&from, &to));
            assert_eq!((&form["A006010-0"][9], &form["A000030-0"][10]), (&row["icd10"], &row["outcome"]));
            assert_eq!(row["outcome"] == "6", of["death_date"] == row["discharge"] && form["A000030-0"][9] == "8");
            assert!(fourth.contains(&(id, from, to)));
        }
    }
}

#[test]
fn acts_and_details_of_ef_say_the_same_and_sum_to_the_claims_of_the_stay() {
    let mut compared = 0;
    for provider in &ALL.1.providers {
        let (mut acts, mut details): (HashMap<_, u64>, HashMap<_, u64>) = Default::default();
        for (month, f) in lines(provider, "EFn", 31) {
            let of = (f[1].trim_start_matches('0').to_owned(), f[3].clone(), month);
            if f[6] == "000" {
                *acts.entry(of).or_default() += (number(&f[17]) + number(&f[18]) + number(&f[19])) * number(&f[20]);
            } else {
                *details.entry(of).or_default() += number(&f[13]) * number(&f[20]);
            }
        }
        assert_eq!(acts, details);
        let claims = truth("truth-claims.csv");
        for row in claims.iter().filter(|r| &r["provider"] == provider && !r["admission"].is_empty()) {
            let chart = row["chart_number"].trim_start_matches('0').to_owned();
            assert_eq!(acts[&(chart, row["admission"].replace('-', ""), row["month"].clone())], number(&row["points"]));
            compared += 1;
        }
    }
    assert!(compared > 20);
}
