//! Institutions that often have a field wrong.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;

use super::files::{first, options, partition, people, persons, put, table};

const SYLLABLES: [&str; 20] =
    ["ア", "カ", "サ", "タ", "ナ", "ハ", "マ", "ヤ", "ラ", "ミ", "キ", "シ", "ツ", "ニ", "フ", "ム", "ユ", "リ", "コ", "ト"];

/// A record of person `p`: card and home known to some institutions only, and the birth day off by one where `wrong`.
fn line(id: &str, institution: &str, p: usize, wrong: bool) -> String {
    let name = |n: usize| format!("{}{}{}", SYLLABLES[n % 20], SYLLABLES[n / 20 % 20], SYLLABLES[n / 400 % 20]);
    let day = p * 5 % 26 + 1 + usize::from(wrong);
    format!(
        "{id},{institution},2021-04-11,,,{},{},{},{}-{:02}-{day:02},{:07},東京都三鷹市下連雀{}-{}-{},0901{:07},06130018,{},{},\n",
        name(p * 37 % 1_500),
        name(p * 101 % 1_200 + 3_000),
        p % 2 + 1,
        1930 + p % 77,
        p % 12 + 1,
        1_810_000 + p % 97,
        p % 9 + 1,
        p % 31 + 1,
        p % 17 + 1,
        1_111_111 + p * 37,
        p % 50 + 1,
        10_000 + p * 13,
    )
}

/// Persons at two careful institutions and a careless one, which has a tenth of the birth days wrong; and one that has three records.
fn made() -> String {
    let mut lines = Vec::new();
    for p in 0..1_500 {
        lines.push(line(&format!("A{p:04}"), "careful-1", p, p % 400 == 7));
        lines.push(line(&format!("B{p:04}"), "careful-2", p, p % 400 == 11));
        lines.push(line(&format!("C{p:04}"), "careless", p, p % 10 == 3));
    }
    (0..3).for_each(|p| lines.push(line(&format!("D{p:04}"), "small", p, true)));
    table(lines)
}

#[test]
fn an_institution_that_often_has_birth_days_wrong_is_named_and_its_records_are_linked_all_the_same() {
    let folder = TempDir::new().expect("a folder");
    let out = first(&folder, "out", &made(), 2);
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("report.json")).expect("a report")).expect("JSON");
    let wrong = |name: &str| report["errors"][name][0].as_f64().expect("a rate");
    assert!((0.07..0.13).contains(&wrong("careless")), "{}", report["errors"]);
    assert!(wrong("careful-1") < 0.012 && wrong("careful-2") < 0.012, "{}", report["errors"]);
    assert!(report["errors"]["small"].is_null(), "three records are no rate: {}", report["errors"]);
    assert!(fs::read_to_string(out.join("report.html")).expect("a page").contains("careless"));

    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (record, person) in persons(&out) {
        of.entry(person).or_default().push(record);
    }
    let mixed = of.values().filter(|r| r.iter().any(|x| x[1..] != r[0][1..])).count();
    assert_eq!(mixed, 0, "nobody is joined with another");
    let found = partition(&out).into_iter().filter(|s| s.len() >= 3).count();
    assert!(found >= 1_490, "{found} of 1500 are whole");
}

#[test]
fn a_later_run_knows_the_institutions_of_the_first() {
    let folder = TempDir::new().expect("a folder");
    let text = made();
    let out = first(&folder, "out", &text, 1);
    let before = (partition(&out), fs::read(out.join("links.csv")).expect("links"));
    let is_last = |l: &&str| l.as_bytes()[1..].starts_with(b"149");
    let gone: String = text.lines().filter(is_last).filter_map(|l| l.split(',').next()).map(|id| format!("{id}\n")).collect();
    let gone = put(&folder, "gone.csv", &format!("record_id\n{gone}"));
    let back = put(&folder, "back.csv", &table(text.lines().filter(is_last).map(|l| format!("{l}\n"))));
    super::files::later(&out, &linkage::Change { remove: Some(gone), ..Default::default() }).expect("a run");
    assert_ne!(partition(&out), before.0);
    let again = linkage::Options { again: true, ..options(2) };
    let change = linkage::Change { add: Some(back), ..Default::default() };
    linkage::continue_run(&out, &change, &linkage::ColumnMap::default(), &again).expect("a run");
    assert_eq!((partition(&out), fs::read(out.join("links.csv")).expect("links")), before);
    // and a table of careful institutions alone is told nothing of any
    let plain = first(&folder, "plain", &table(people(0..300)), 1);
    assert!(!fs::read_to_string(plain.join("report.json")).expect("a report").contains("careless"));
}
