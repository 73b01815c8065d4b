//! Claims, read line by line.

use std::collections::{HashMap, HashSet};

use synth::Kind;

use crate::kinds::{ALL, Row, cp932, folder, truth};

/// A claim: its file's month of billing, whether returned, and its records.
pub struct Claim {
    pub billed: String,
    pub returned: bool,
    pub records: Vec<Vec<String>>,
}

impl Claim {
    pub fn of(&self, name: &str) -> Vec<&Vec<String>> {
        self.records.iter().filter(|r| r[0] == name).collect()
    }

    /// HO-6 or KO-6.
    fn points(&self) -> u64 {
        self.records.iter().find(|r| matches!(&*r[0], "HO" | "KO")).expect("a payer")[5].parse().expect("points")
    }
}

pub fn claims(provider: &str) -> Vec<Claim> {
    let mut all = Vec::new();
    for (name, path) in folder(provider, Kind::Receipt) {
        let text = cp932(&path);
        assert!(text.ends_with("\r\n") && text.matches('\n').count() == text.matches("\r\n").count(), "{name}");
        let (mut of_file, mut trailer): (Vec<Claim>, _) = (Vec::new(), None);
        for (at, line) in text.lines().enumerate() {
            let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
            let width = match fields[0].as_str() {
                "IR" => 10,
                "RE" => 38,
                "HO" => 15,
                "KO" => 12,
                "SN" => 9,
                "JD" | "MF" => 33,
                "SY" => 8,
                "SI" | "IY" => 44,
                "TO" => 48,
                "GO" => 4,
                other => panic!("{name}: {other}"),
            };
            assert_eq!(fields.len(), width, "{name}: {line}");
            match fields[0].as_str() {
                "IR" => assert!(at == 0 && name.starts_with(&fields[7])),
                "GO" => trailer = Some((fields[1].clone(), fields[2].clone())),
                "RE" => {
                    of_file.push(Claim { billed: name[..6].to_owned(), returned: name.ends_with(".HEN"), records: vec![fields] })
                }
                _ => of_file.last_mut().expect("RE comes first").records.push(fields),
            }
        }
        let sum: u64 = of_file.iter().map(Claim::points).sum();
        assert_eq!(trailer, Some((of_file.len().to_string(), sum.to_string())), "{name}");
        all.extend(of_file);
    }
    all
}

#[test]
fn points_of_the_lines_are_the_points_of_the_claim_and_day_columns_are_the_count() {
    let (mut lines, mut kinds) = (0, HashSet::new());
    for provider in &ALL.1.providers {
        for claim in claims(provider) {
            let mut sum = 0;
            for r in claim.records.iter().filter(|r| matches!(&*r[0], "SI" | "IY" | "TO")) {
                let number = |at: usize| r[at].parse::<u64>().expect("a number");
                let first = if r[0] == "TO" { 17 } else { 13 };
                let days: u64 = r[first..].iter().filter(|d| !d.is_empty()).map(|d| d.parse::<u64>().expect("a count")).sum();
                assert_eq!(days, number(6));
                sum += number(5) * number(6);
                lines += 1;
                kinds.insert(r[0].clone());
            }
            assert_eq!(sum, claim.points());
            assert_eq!(claim.of("SY").iter().filter(|s| s[6] == "01").count(), 1);
        }
    }
    assert!(lines > 5_000 && kinds.len() == 3, "{lines} {kinds:?}");
}

fn key(claim: &Claim) -> (String, String, String, String) {
    let re = &claim.records[0];
    (re[13].clone(), re[3].clone(), re[2].clone(), re[8].clone())
}

#[test]
fn every_claim_of_the_truth_is_there_and_returned_ones_stand_twice() {
    let mut returned = 0;
    for provider in &ALL.1.providers {
        let mut found: HashMap<_, Vec<Claim>> = HashMap::new();
        for claim in claims(provider) {
            found.entry((key(&claim), claim.billed.clone(), claim.returned)).or_default().push(claim);
        }
        let rows: Vec<Row> = truth("truth-claims.csv").into_iter().filter(|r| &r["provider"] == provider).collect();
        let mut expected = 0;
        for row in &rows {
            let of =
                (row["chart_number"].clone(), row["month"].clone(), row["claim_type"].clone(), row["admission"].replace('-', ""));
            let mut there = |back: bool| {
                expected += 1;
                let claims = found.get(&(of.clone(), row["billed"].clone(), back)).expect("claim of the truth");
                assert_eq!(claims.len(), 1);
                assert_eq!(claims[0].points().to_string(), row["points"]);
                let days = claims[0].of("JD")[0][2..].iter().filter(|d| *d == "1").count();
                assert_eq!(days.to_string(), row["days"]);
            };
            there(false);
            if row["state"] == "returned" {
                there(true);
                returned += 1;
                let same = |r: &&Row| ["chart_number", "month", "claim_type", "admission"].iter().all(|c| r[*c] == row[*c]);
                let again: Vec<_> = rows.iter().filter(same).collect();
                assert_eq!(again.len(), 2);
                assert!(again.iter().any(|r| r["state"] == "again" && r["billed"] > row["billed"]));
            }
        }
        assert_eq!(expected, found.values().map(Vec::len).sum::<usize>());
    }
    assert!(returned > 10);
}

#[test]
fn chart_numbers_are_padded_by_the_rule_that_the_truth_names() {
    let mut different = 0;
    for row in truth("truth-claims.csv") {
        let (chart, claim) = (&row["local_patient_id"], &row["chart_number"]);
        assert_eq!(chart.trim_start_matches('0'), claim.trim_start_matches('0'));
        different += usize::from(chart != claim);
    }
    assert!(different > 100);
}

#[test]
fn diagnoses_stand_in_claims_with_their_first_day_and_some_only_there() {
    let (mut only, mut suspected, mut both) = (0, 0, 0);
    let diagnoses = truth("truth-diagnoses.csv");
    for provider in &ALL.1.providers {
        let mut listed: HashMap<(String, String, String, bool), u32> = HashMap::new();
        for claim in claims(provider).iter().filter(|c| !c.returned) {
            let chart = claim.records[0][13].trim_start_matches('0').to_owned();
            for sy in claim.of("SY") {
                let doubtful = sy[4] == "8002" || sy[5].ends_with("の疑い");
                *listed.entry((chart.clone(), sy[1].clone(), sy[2].clone(), doubtful)).or_default() += 1;
            }
        }
        for row in diagnoses.iter().filter(|r| &r["provider"] == provider && r["claims"] != "0") {
            let chart = row["local_patient_id"].trim_start_matches('0').to_owned();
            let of = (chart, row["disease_code"].clone(), row["start"].replace('-', ""), row["suspected"] == "true");
            // At least once a claim; claims that were returned are billed again.
            assert!(listed.get(&of).copied().unwrap_or(0) >= row["claims"].parse::<u32>().expect("a number"), "{of:?}");
            only += u32::from(row["claim_only"] == "true" && row["suspected"] == "false");
            suspected += u32::from(row["suspected"] == "true");
            both += u32::from(row["claim_only"] == "true" && row["suspected"] == "true");
        }
    }
    assert!(only > 5 && both > 5 && suspected > both, "{only} {suspected} {both}");
}

#[test]
fn claims_agree_with_the_truth_on_sex_birth_and_card() {
    let people: HashMap<(String, String), Row> =
        truth("truth.csv").into_iter().map(|r| ((r["provider"].clone(), r["canonical_id"].clone()), r)).collect();
    for provider in &ALL.1.providers {
        for claim in claims(provider) {
            let re = &claim.records[0];
            let of = &people[&(provider.clone(), re[13].trim_start_matches('0').to_owned())];
            assert_eq!(re[5], if of["sex"] == "female" { "2" } else { "1" });
            assert_eq!(re[6], of["birth_date"].replace('-', ""));
            assert!(!re[4].is_empty() && !re[36].contains(' '));
            for ho in claim.of("HO") {
                assert_eq!(ho[1].len(), 8);
            }
        }
    }
}
