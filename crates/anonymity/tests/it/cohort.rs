//! The check that a recipient can make: it agrees with what made the tables, and finds what was spoilt.

use std::collections::BTreeMap;

use anonymity::recount::recount;
use anonymity::verify::cohort::{CohortVerified, Flat, Rule, Tables, verify_cohort};
use anonymity::{Dataset, Identified, PersonIds, Profile, Report, process};
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::build::{Row, V, batch, dataset, s};
use super::ministry::shipped;

/// Some hundred people with diagnoses, drugs and results by chance, common and rare.
fn cohort(seed: u64) -> Dataset<Identified> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut below = |n: u32| i64::from(rng.next_u32() % n);
    let (mut person, mut condition, mut drug, mut measurement, mut visit, mut death) =
        (vec![], vec![], vec![], vec![], vec![], vec![]);
    for id in 1..=400 {
        person.push(vec![
            ("person_id", V::I(id)),
            ("gender_concept_id", V::I(if below(2) == 0 { 8507 } else { 8532 })),
            ("year_of_birth", V::I(1940 + below(9) * below(9))),
            ("month_of_birth", V::I(1 + below(12))),
            ("day_of_birth", V::I(15)),
        ]);
        let days = [(); 5].map(|()| {
            let of = |n: i64| u32::try_from(n).expect("small");
            V::D(2021, 1 + of(below(12)), 1 + of(below(28)))
        });
        visit.push(vec![
            ("visit_occurrence_id", V::I(1)),
            ("person_id", V::I(id)),
            ("visit_start_date", days[0].clone()),
            ("visit_end_date", days[0].clone()),
        ] as Row);
        for n in 0..below(4) {
            let code = ["MDCDX2:20054174", "I10:E11", "I10:C61", "ICD10:G20", "99ZL01:7", "東雲さんの紹介"]
                [(below(6) * below(6) / 5) as usize];
            condition.push(vec![
                ("condition_occurrence_id", V::I(n + 1)),
                ("person_id", V::I(id)),
                ("visit_occurrence_id", V::I(1)),
                ("condition_start_date", days[1].clone()),
                ("condition_source_value", s(code)),
                ("condition_concept_id", V::I(1_000 + below(2))),
            ]);
        }
        if below(2) == 0 {
            drug.push(vec![
                ("drug_exposure_id", V::I(1)),
                ("person_id", V::I(id)),
                ("drug_exposure_start_date", days[2].clone()),
                ("drug_exposure_end_date", days[2].clone()),
                ("drug_source_value", V::S(format!("21190{:02}F1020", below(5)))),
                ("quantity", V::F(below(30) as f64)),
                ("days_supply", V::I(7 * below(9))),
                ("dose_unit_source_value", s("錠")),
            ]);
        }
        for (n, (code, unit)) in [("9N001", "cm"), ("9A75", "mmHg"), ("LN:1751-7", "g/dL"), ("5F016", "")].into_iter().enumerate()
        {
            let value = [150.0 + below(40) as f64, 90.0 + (below(16) * below(16)) as f64, 3.0 + below(30) as f64 / 10.0, 0.0][n];
            let mut row = vec![
                ("measurement_id", V::I(n as i64 + 1)),
                ("person_id", V::I(id)),
                ("measurement_date", days[3].clone()),
                ("measurement_source_value", s(code)),
                ("unit_source_value", s(unit)),
            ];
            if unit.is_empty() {
                row.push(("value_source_value", s(["陰性", "陽性", "±"][(below(30) / 14) as usize])));
            } else {
                row.push(("value_as_number", V::F(value)));
            }
            measurement.push(row);
        }
        if below(8) == 0 {
            death.push(vec![("person_id", V::I(id)), ("death_date", days[4].clone()), ("cause_source_value", s("I10:C61"))]);
        }
    }
    dataset(&[
        (Table::Person, person),
        (Table::VisitOccurrence, visit),
        (Table::ConditionOccurrence, condition),
        (Table::DrugExposure, drug),
        (Table::Measurement, measurement),
        (Table::Death, death),
    ])
}

/// What was made, as the CSV that leaves.
pub struct Made {
    pub profile: Profile,
    pub report: Report,
    pub csv: BTreeMap<String, String>,
}

pub fn made(kind: &str, seed: u64) -> Made {
    made_with(kind, seed, |_| ())
}

/// The same by a profile that was changed.
pub fn made_with(kind: &str, seed: u64, change: impl Fn(&mut Profile)) -> Made {
    let mut profile = shipped(kind);
    if let Some(privacy) = &mut profile.privacy {
        privacy.most_suppressed = 0.5;
    }
    change(&mut profile);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut tables = cohort(seed).tables().clone();
    for name in profile.tables.keys() {
        let table = Table::by_name(name).expect("a table");
        tables.entry(name.clone()).or_insert_with(|| batch(table, &[]));
    }
    let treated = process(&profile, &Dataset::new(tables), PersonIds::New, &mut rng);
    let (processed, report) = treated.map_err(|e| e.to_string()).expect("treated");
    if processed.kind().is_anonymized() {
        assert_eq!(recount(&profile, processed.tables()).against(&profile), Vec::<String>::new());
    }
    let mut csv = BTreeMap::new();
    for (name, batch) in processed.tables() {
        let mut bytes = Vec::new();
        arrow::csv::WriterBuilder::new().with_header(true).build(&mut bytes).write(batch).expect("written");
        csv.insert(name.clone(), String::from_utf8(bytes).expect("UTF-8"));
    }
    Made { profile, report, csv }
}

pub fn check(made: &Made, csv: &BTreeMap<String, String>) -> CohortVerified {
    let read = |(name, text): (&String, &String)| (name.clone(), Flat::read(text.as_bytes(), name).expect("a table"));
    let tables: Tables = csv.iter().map(read).collect();
    verify_cohort(&made.profile, &tables, Some(&made.report))
}

// control: PRC-05
#[test]
fn what_was_made_holds_before_a_check_that_knows_only_the_tables_and_the_policy() {
    for kind in ["anonymized", "linkable_anonymized", "pseudonymized", "local-government"] {
        for seed in 0..6 {
            let made = made(kind, seed);
            let found = check(&made, &made.csv);
            assert_eq!(found.wrong, vec![], "{kind} {seed}");
            assert_eq!(found.persons, made.report.persons_after);
            assert_eq!(found.smallest_class, made.report.privacy.as_ref().map(|p| p.after.smallest));
            assert!(found.checked > 100);
        }
    }
}

/// A table with the cells of a column set by row.
pub fn spoilt(made: &Made, table: &str, column: &str, by: impl Fn(usize, &str) -> String) -> BTreeMap<String, String> {
    let mut reader = csv::Reader::from_reader(made.csv[table].as_bytes());
    let header = reader.headers().expect("a header").clone();
    let at = header.iter().position(|h| h == column).expect("a column");
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&header).expect("written");
    for (row, record) in reader.records().enumerate() {
        let record = record.expect("a row");
        let cells = record.iter().enumerate().map(|(n, cell)| if n == at { by(row, cell) } else { cell.to_owned() });
        out.write_record(cells.collect::<Vec<_>>()).expect("written");
    }
    let text = String::from_utf8(out.into_inner().expect("flushed")).expect("UTF-8");
    let mut csv = made.csv.clone();
    csv.insert(table.to_owned(), text);
    csv
}

// control: PRC-05
#[test]
fn what_is_spoilt_is_named_by_its_place_and_not_by_its_value() {
    let (moved, months) = (made("anonymized", 3), made("linkable_anonymized", 3));
    let first = |to: &'static str| move |row: usize, cell: &str| if row == 0 { to.to_owned() } else { cell.to_owned() };
    let mut tried = 0;
    let mut finds = |made: &Made, csv: BTreeMap<String, String>, rule: Rule, place: &str| {
        let found = check(made, &csv);
        assert!(found.wrong.iter().any(|b| b.rule == rule && b.place == place), "{rule:?} {place}: {:?}", found.wrong);
        let said: String = found.wrong.iter().map(|b| b.message().text(messages::Lang::En)).collect();
        assert!(!said.contains("SECRET") && !said.contains("1899"), "{said}");
        tried += 1;
    };
    for made in [&moved, &months] {
        for (table, column, to, rule) in [
            ("person", "person_source_value", "SECRET", Rule::Emptied),
            ("person", "year_of_birth", "1899", Rule::Extremes),
            ("measurement", "person_id", "999", Rule::Ids),
            ("condition_occurrence", "condition_source_value", "I10:SECRET", Rule::Rare),
            ("condition_occurrence", "condition_source_value", "99ZL01:SECRET", Rule::Words),
            ("condition_occurrence", "condition_source_value", "秘密 SECRET", Rule::Words),
            ("condition_occurrence", "condition_start_date", "SECRET", Rule::Dates),
            ("condition_occurrence", "condition_start_date", "2021-01-01 12:34", Rule::Times),
            ("condition_occurrence", "condition_start_datetime", "2021-01-01T00:00:00", Rule::Times),
            ("condition_occurrence", "condition_start_datetime", "2021-01-01T00:00:00", Rule::Emptied),
            ("condition_occurrence", "condition_concept_id", "77", Rule::Rare),
            ("condition_occurrence", "visit_occurrence_id", "100000", Rule::Ids),
            ("condition_occurrence", "condition_occurrence_id", "100000", Rule::Ids),
            ("measurement", "value_as_number", "1899", Rule::Extremes),
            ("measurement", "unit_source_value", "mg", Rule::Rare),
            ("drug_exposure", "quantity", "1899", Rule::Extremes),
        ] {
            // Extremes of a column that steps make coarser are the classes' to tell.
            let (rule, place) = match (rule, column) {
                (Rule::Extremes, "year_of_birth") => {
                    (Rule::Classes, made.profile.privacy.as_ref().expect("k").quasi_identifiers.join(" × "))
                }
                _ => (rule, format!("{table}.{column}")),
            };
            finds(made, spoilt(made, table, column, first(to)), rule, &place);
        }
    }
    finds(
        &months,
        spoilt(&months, "visit_occurrence", "visit_start_date", first("2021-03-02")),
        Rule::Dates,
        "visit_occurrence.visit_start_date",
    );
    finds(&months, spoilt(&months, "death", "death_date", first("2021-02-01")), Rule::Deaths, "death.death_date");
    // Two codes of one person that nobody else has together, each of enough.
    let column = "condition_occurrence.condition_source_value";
    let events = moved.profile.privacy.as_ref().and_then(|p| p.events.as_ref()).expect("events").columns.join(" × ");
    let both = spoilt(&moved, "condition_occurrence", "condition_source_value", |row, _| {
        ["I10:E11", "I10:E11", "MDCDX2:20054174"][if row < 40 { row % 2 } else { 2 }].to_owned()
    });
    let found = check(&moved, &both);
    assert!(found.wrong.iter().all(|b| b.place != column || b.rule != Rule::Rare), "each code by itself is common");
    finds(&moved, both, Rule::Combinations, &events);
    // A table and a column that nobody decided on, a column that is gone, a report of other tables.
    let mut csv = moved.csv.clone();
    csv.insert("note".to_owned(), "person_id,note_text\n1,SECRET\n".to_owned());
    finds(&moved, csv, Rule::Undecided, "note");
    let mut csv = moved.csv.clone();
    csv.insert("death".to_owned(), csv["death"].replacen("person_id", "patient_name", 1));
    finds(&moved, csv.clone(), Rule::Undecided, "death.patient_name");
    finds(&moved, csv, Rule::Missing, "death.person_id");
    let mut csv = moved.csv.clone();
    let shorter = csv["drug_exposure"].trim_end().rsplit_once('\n').expect("rows").0.to_owned();
    csv.insert("drug_exposure".to_owned(), shorter);
    finds(&moved, csv, Rule::Report, "report.tables.drug_exposure.rows_after");
    assert!(tried > 38);
}

// control: PRC-05
#[test]
fn bands_and_bounds_of_results_are_held() {
    let made = made("anonymized", 4);
    let height = |to: &'static str| {
        let mut reader = csv::Reader::from_reader(made.csv["measurement"].as_bytes());
        let header = reader.headers().expect("a header").clone();
        let code = header.iter().position(|h| h == "measurement_source_value").expect("a column");
        let items: Vec<bool> = reader.records().map(|r| &r.expect("a row")[code] == "9N001").collect();
        let one = items.iter().position(|height| *height).expect("a height");
        spoilt(
            &made,
            "measurement",
            "value_source_value",
            move |row, cell| if row == one { to.to_owned() } else { cell.to_owned() },
        )
    };
    for text in ["161-166", "160-161"] {
        let found = check(&made, &height(text));
        assert!(found.wrong.iter().any(|b| b.rule == Rule::Bounds && b.place == "measurement.value_as_number"), "{text}");
    }
    assert_eq!(check(&made, &height("160-165")).wrong, vec![]);
}
