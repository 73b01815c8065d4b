//! The ministry's example of what the two kinds of processing leave of one person: a woman born 2003/7/26, seen 2020/8/3, 53.4 kg,
//! systolic 211, HbA1c 4.8, insulin 20.9, with a rare islet-cell disease.
//!
//! She stands among 400 others, who make her class large enough, her values no extremes but the systolic one, and her
//! disease the only one of its kind.

use std::collections::BTreeMap;

use anonymity::{PersonIds, Processed, Profile, Report, process};
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::build::{Row, V, dataset, days, rows, s};

const WEIGHT: &str = "9N006000000000001";
const SYSTOLIC: &str = "9A751000000000001";
const HBA1C: &str = "3D046000001906202";
const INSULIN: &str = "4G010000002302301";
const RARE: &str = "MDCDX2:20099999";
const COMMON: &str = "MDCDX2:20054174";

pub fn shipped(kind: &str) -> Profile {
    let text = match kind {
        "anonymized" => include_str!("../../../../profiles/anonymized.toml"),
        "local-government" => include_str!("../../../../profiles/local-government.toml"),
        "linkable_anonymized" => include_str!("../../../../profiles/linkable.toml"),
        _ => include_str!("../../../../profiles/pseudonymized.toml"),
    };
    Profile::parse(text).expect("the shipped profile")
}

fn measured(person: i64, id: i64, code: &str, value: f64, unit: &str) -> Row {
    vec![
        ("measurement_id", V::I(id)),
        ("person_id", V::I(person)),
        ("measurement_date", V::D(2020, 8, 3)),
        ("measurement_datetime", V::I(1_596_445_200_000_000)),
        ("measurement_time", s("09:00:00")),
        ("measurement_type_concept_id", V::I(32856)),
        ("value_as_number", V::F(value)),
        ("range_low", V::F(1.0)),
        ("measurement_source_value", s(code)),
        ("unit_source_value", s(unit)),
        ("value_source_value", V::S(value.to_string())),
        ("care_site_id", V::I(1)),
    ]
    .into_iter()
    .filter(|(n, _)| *n != "care_site_id")
    .collect()
}

/// Person 7 is the woman of the example.
pub fn people() -> anonymity::Dataset<anonymity::Identified> {
    people_of(0)
}

/// The same with so many others who have a disease of their own each.
fn people_of(rare: i64) -> anonymity::Dataset<anonymity::Identified> {
    let (mut person, mut condition, mut measurement, mut visit) = (vec![], vec![], vec![], vec![]);
    let own = |id: i64| (101..101 + rare).contains(&id);
    for id in 1..=401_i64 {
        let she = id == 7;
        let n = id % 40;
        // Twenty people a month of birth around hers, men and women apart.
        let month = if she { 7 } else { 1 + id % 10 };
        person.push(vec![
            ("person_id", V::I(id)),
            ("gender_concept_id", V::I(if she || id / 10 % 2 == 1 { 8532 } else { 8507 })),
            ("year_of_birth", V::I(2003)),
            ("month_of_birth", V::I(month)),
            ("day_of_birth", V::I(if she { 26 } else { 1 + id % 28 })),
            ("birth_datetime", V::I(0)),
            ("person_source_value", V::S(format!("H{id:08}"))),
            ("location_id", V::I(id)),
            ("gender_source_value", s("F")),
        ]);
        condition.push(vec![
            ("condition_occurrence_id", V::I(1)),
            ("person_id", V::I(id)),
            (
                "condition_concept_id",
                V::I(if she {
                    4_000_001
                } else if own(id) {
                    4_100_000 + id
                } else {
                    4_000_002
                }),
            ),
            ("condition_start_date", V::D(2020, 8, 3)),
            ("condition_type_concept_id", V::I(32840)),
            (
                "condition_source_value",
                if own(id) { V::S(format!("MDCDX2:2010{id:04}")) } else { s(if she { RARE } else { COMMON }) },
            ),
            ("visit_occurrence_id", V::I(1)),
        ]);
        visit.push(vec![
            ("visit_occurrence_id", V::I(1)),
            ("person_id", V::I(id)),
            ("visit_concept_id", V::I(9202)),
            ("visit_start_date", V::D(2020, 8, 3)),
            ("visit_start_datetime", V::I(1_596_445_200_000_000)),
            ("visit_end_date", V::D(2020, 8, 3)),
            ("visit_type_concept_id", V::I(32817)),
            ("care_site_id", V::I(99)),
            ("visit_source_value", s("内科")),
        ]);
        let f = n as f64;
        let values: [(&str, f64, &str); 4] = if she {
            [(WEIGHT, 53.4, "kg"), (SYSTOLIC, 211.0, "mm(hg)"), (HBA1C, 4.8, "％"), (INSULIN, 20.9, "μU/mL")]
        } else {
            [
                (WEIGHT, 45.0 + f, "kg"),
                // Ten others reach the bound of the ministry's table too.
                (SYSTOLIC, if n == 39 { 205.0 } else { 100.0 + f * 2.0 }, "mmHg"),
                (HBA1C, 4.0 + f / 10.0, "%"),
                (INSULIN, 2.0 + f, "µU/mL"),
            ]
        };
        for (m, (code, value, unit)) in values.into_iter().enumerate() {
            measurement.push(measured(id, m as i64 + 1, code, value, unit));
        }
    }
    dataset(&[
        (Table::Person, person),
        (Table::ConditionOccurrence, condition),
        (Table::Measurement, measurement),
        (Table::VisitOccurrence, visit),
    ])
}

pub fn treat(kind: &str, seed: u64) -> (Processed, Report) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    process(&shipped(kind), &people(), PersonIds::New, &mut rng).map_err(|e| e.to_string()).expect("treated")
}

type Cells = BTreeMap<String, String>;

/// Her rows, found by what only she has: her disease, or, where the kind deletes it, none.
fn hers(processed: &Processed, disease: Option<&str>) -> (Cells, Vec<Cells>, Vec<Cells>) {
    let conditions = rows(&processed.tables()["condition_occurrence"]);
    let has = |r: &Cells| disease.is_none_or(|d| r["condition_source_value"] == d);
    let ill: Vec<&String> = conditions.iter().filter(|r| has(r)).map(|r| &r["person_id"]).collect();
    let everybody = rows(&processed.tables()["person"]);
    let hit: Vec<&String> =
        everybody.iter().map(|r| &r["person_id"]).filter(|id| ill.contains(id) == disease.is_some()).collect();
    assert_eq!(hit.len(), 1, "{disease:?}");
    let id = hit[0].clone();
    let of = |table: &str| rows(&processed.tables()[table]).into_iter().filter(|r| r["person_id"] == id).collect::<Vec<_>>();
    (of("person").remove(0), of("condition_occurrence"), of("measurement"))
}

fn days_of(date: &str) -> i32 {
    let parts: Vec<&str> = date.split('-').collect();
    days(parts[0].parse().expect("a year"), parts[1].parse().expect("a month"), parts[2].parse().expect("a day"))
}

fn value<'a>(rows: &'a [BTreeMap<String, String>], code: &str, column: &str) -> Option<&'a str> {
    rows.iter().find(|r| r["measurement_source_value"] == code)?.get(column).map(String::as_str)
}

// control: PRC-01
// control: PRC-03
#[test]
fn the_ministrys_example_is_anonymized_and_who_is_ill_alone_is_not_marked_as_such() {
    // With some shifts too few are like her, and she is left out.
    let left_in = |(_, report): &(Processed, Report)| report.privacy.as_ref().is_some_and(|p| p.suppressed == 0);
    let (processed, report) = (1..50).map(|seed| treat("anonymized", seed)).find(left_in).expect("a seed");
    assert!(matches!(processed, Processed::Anonymized(_)));
    let (person, conditions, measurements) = hers(&processed, None);
    assert!(!person.contains_key("day_of_birth"), "2003/7/26 becomes a year and a month");
    let shift = days_of(&measurements[0]["measurement_date"]) - days(2020, 8, 3);
    assert!(shift != 0);
    let year: i32 = person["year_of_birth"].parse().expect("a year");
    let month: u32 = person["month_of_birth"].parse().expect("a month");
    let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
    let born = days(2003, 7, 26) + shift;
    assert!((days(year, month, 1)..next).contains(&born), "of her birth, moved as her dates");
    assert!(!person.contains_key("person_source_value") && !person.contains_key("location_id"));
    for row in conditions.iter().chain(&measurements) {
        for (column, date) in row.iter().filter(|(c, _)| c.ends_with("_date")) {
            assert_ne!(date, "2020-08-03", "{column} is moved");
        }
        assert!(row.keys().all(|c| !c.ends_with("_datetime") && c != "measurement_time"), "no time of day");
    }
    assert_eq!(value(&measurements, WEIGHT, "value_source_value"), Some("50-55"));
    assert_eq!(value(&measurements, WEIGHT, "value_as_number"), None);
    assert_eq!(value(&measurements, SYSTOLIC, "value_as_number"), Some("201.0"));
    assert_eq!(value(&measurements, SYSTOLIC, "operator_concept_id"), Some("4171755"));
    assert_eq!(value(&measurements, SYSTOLIC, "unit_source_value"), Some("mm[Hg]"), "spelled as everybody's");
    assert_eq!(value(&measurements, HBA1C, "value_as_number"), Some("4.8"), "no singular value");
    assert_eq!(value(&measurements, INSULIN, "value_as_number"), Some("20.9"), "no singular value");
    assert_eq!(value(&measurements, HBA1C, "range_low"), None);
    assert!(conditions.is_empty(), "a history that she alone has is deleted, and no row says that there was one");
    let privacy = report.privacy.expect("anonymized");
    assert!(privacy.after.smallest >= 10);
}

// control: PRC-01
// control: PRC-03
#[test]
fn the_ministrys_example_reads_as_in_its_table_where_others_are_ill_alone_too() {
    // Of all shifts some leave her birth in its month: her birth moves with her dates.
    let of = |seed: u64| {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        process(&shipped("anonymized"), &people_of(10), PersonIds::New, &mut rng).map_err(|e| e.to_string()).expect("treated").0
    };
    let her = |processed: &Processed| {
        let measurements = rows(&processed.tables()["measurement"]);
        let with = |code: &str, column: &str, value: &str| -> std::collections::BTreeSet<String> {
            let has = |r: &&Cells| r["measurement_source_value"] == code && r.get(column).is_some_and(|v| v == value);
            measurements.iter().filter(has).map(|r| r["person_id"].clone()).collect()
        };
        let (high, light) = (with(SYSTOLIC, "operator_concept_id", "4171755"), with(WEIGHT, "value_source_value", "50-55"));
        let id = high.intersection(&light).next().cloned()?;
        let mut person = rows(&processed.tables()["person"]);
        person.retain(|r| r["person_id"] == id);
        Some((id, person.remove(0), measurements))
    };
    let in_july = |processed: &Processed| {
        // In some runs months go, or she is left out, so that nobody stands alone.
        let of = |p: &Cells, column: &str, value: &str| p.get(column).is_some_and(|v| v == value);
        her(processed).is_some_and(|(_, p, _)| of(&p, "year_of_birth", "2003") && of(&p, "month_of_birth", "7"))
    };
    let processed = (1..200).map(of).find(in_july).expect("a seed");
    let (id, person, measurements) = her(&processed).expect("she is in it");
    assert!(!person.contains_key("day_of_birth"), "2003/7/26 becomes 2003/7");
    let of_her = |rows: Vec<Cells>| rows.into_iter().filter(|r| r["person_id"] == id).collect::<Vec<_>>();
    let measurements = of_her(measurements);
    assert_ne!(measurements[0]["measurement_date"], "2020-08-03", "2020/8/3 is moved");
    assert_eq!(value(&measurements, WEIGHT, "value_source_value"), Some("50-55"), "53.4 kg");
    assert_eq!(value(&measurements, SYSTOLIC, "value_source_value"), Some(">=201"), "211 becomes 201 or more");
    assert_eq!(value(&measurements, HBA1C, "value_as_number"), Some("4.8"));
    assert_eq!(value(&measurements, INSULIN, "value_as_number"), Some("20.9"));
    let conditions = of_her(rows(&processed.tables()["condition_occurrence"]));
    let said: Vec<&str> = conditions.iter().map(|r| r["condition_source_value"].as_str()).collect();
    assert_eq!(said, ["その他"], "her rare disease");
    assert!(
        conditions[0].get("condition_concept_id").is_none_or(|c| c == "0"),
        "{:?}",
        conditions[0].get("condition_concept_id")
    );
}

// control: PRC-07
// control: PRC-13
#[test]
fn the_ministrys_example_keeps_all_values_when_pseudonymized() {
    let (processed, report) = treat("pseudonymized", 1);
    assert!(matches!(processed, Processed::Pseudonymized { .. }));
    let (person, conditions, measurements) = hers(&processed, Some(RARE));
    let birth = ["year_of_birth", "month_of_birth", "day_of_birth"].map(|c| person[c].clone());
    assert_eq!(birth, ["2003", "7", "26"]);
    assert!(!person.contains_key("person_source_value") && !person.contains_key("location_id"), "identity is dropped");
    for (code, number) in [(WEIGHT, "53.4"), (SYSTOLIC, "211.0"), (HBA1C, "4.8"), (INSULIN, "20.9")] {
        assert_eq!(value(&measurements, code, "value_as_number"), Some(number));
        assert_eq!(value(&measurements, code, "measurement_date"), Some("2020-08-03"));
    }
    assert_eq!(conditions[0]["condition_source_value"], RARE);
    assert_eq!(report.persons_after, 401);
    assert!(report.privacy.is_none());
}

#[test]
fn all_dates_of_a_person_move_together_and_everybodys_differently() {
    let (processed, _) = treat("anonymized", 2);
    let mut by_person: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for table in ["visit_occurrence", "condition_occurrence", "measurement"] {
        for row in rows(&processed.tables()[table]) {
            for (_, date) in row.iter().filter(|(c, _)| c.ends_with("_date")) {
                by_person.entry(row["person_id"].clone()).or_default().push(date.clone());
            }
        }
    }
    assert!(by_person.values().all(|d| d.iter().all(|x| *x == d[0])), "all of these were on one day");
    let days: std::collections::BTreeSet<_> = by_person.values().map(|d| d[0].clone()).collect();
    assert!(days.len() > 100 && !days.contains("2020-08-03"));
}

#[test]
fn ids_are_new_dense_and_say_nothing_of_the_old() {
    let (first, _) = treat("anonymized", 3);
    let (second, _) = treat("anonymized", 4);
    let ids = |p: &Processed| {
        rows(&p.tables()["person"]).iter().map(|r| r["person_id"].parse::<usize>().expect("a number")).collect::<Vec<_>>()
    };
    let (mut a, b) = (ids(&first), ids(&second));
    assert_ne!(a, b);
    a.sort_unstable();
    assert_eq!(a, (1..=a.len()).collect::<Vec<_>>());
    let visits = rows(&first.tables()["visit_occurrence"]);
    let known: std::collections::BTreeMap<_, _> =
        visits.iter().map(|r| (r["visit_occurrence_id"].clone(), r["person_id"].clone())).collect();
    assert_eq!(known.len(), visits.len(), "row ids are unique in the data set");
    for row in rows(&first.tables()["condition_occurrence"]) {
        assert_eq!(known[&row["visit_occurrence_id"]], row["person_id"], "references follow");
    }
}

#[test]
fn a_project_keeps_its_person_numbers_and_anonymized_data_has_none_to_keep() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let given: BTreeMap<i64, i64> = BTreeMap::from([(7, 41), (8, 42)]);
    let profile = shipped("pseudonymized");
    let (processed, _) =
        process(&profile, &people(), PersonIds::OfProject(given.clone()), &mut rng).map_err(|e| e.code()).expect("treated");
    let Processed::Pseudonymized { ids, .. } = processed else { panic!("pseudonymized") };
    assert_eq!((ids[&7], ids[&8]), (41, 42));
    let new: std::collections::BTreeSet<i64> = ids.iter().filter(|(p, _)| **p != 7 && **p != 8).map(|(_, n)| *n).collect();
    assert_eq!((new.len(), new.first().copied()), (399, Some(43)));
    let refused = process(&shipped("anonymized"), &people(), PersonIds::OfProject(given), &mut rng);
    assert_eq!(refused.map(|_| ()).map_err(|e| e.code()), Err("anonymity-ids-given"));
}
