//! The check that a recipient can make fails on what is missing, on what says more than it should, and on a report of other tables.

use std::collections::{BTreeMap, BTreeSet};

use anonymity::profile::{Alike, Attacker};
use anonymity::verify::cohort::{CohortVerified, Flat, Rule};
use anonymity::{Profile, Report};
use serde_json::Value;

use super::cohort::{Made, check, made, made_with, spoilt};

fn has(found: &CohortVerified, rule: Rule, place: &str) {
    assert!(found.wrong.iter().any(|b| b.rule == rule && b.place == place), "{rule:?} {place}: {:?}", found.wrong);
}

fn quasi(made: &Made) -> String {
    made.profile.privacy.as_ref().expect("k").quasi_identifiers.join(" × ")
}

fn without_report(mut made: Made) -> Made {
    // What no report says has to be seen in the tables.
    made.report.tables.clear();
    made
}

// control: PRC-05
#[test]
fn a_table_that_is_not_there_is_missed_and_with_the_persons_gone_nothing_holds() {
    for kind in ["anonymized", "linkable_anonymized", "pseudonymized"] {
        let made = without_report(made(kind, 1));
        for name in made.profile.tables.keys() {
            let mut csv = made.csv.clone();
            csv.remove(name).expect("every table of the policy leaves, empty ones too");
            has(&check(&made, &csv), Rule::Missing, name);
        }
        let mut csv = made.csv.clone();
        csv.remove("person");
        let found = check(&made, &csv);
        has(&found, Rule::Ids, "measurement.person_id");
        if kind != "pseudonymized" {
            has(&found, Rule::Classes, &quasi(&made));
            assert_eq!(found.smallest_class, None);
        }
        let nobody = made.csv.iter().map(|(name, csv)| (name.clone(), csv.lines().next().expect("a header").to_owned() + "\n"));
        has(&check(&made, &nobody.collect()), Rule::Missing, "person");
    }
    let made = made("anonymized", 1);
    let mut csv = made.csv.clone();
    csv.insert("person".to_owned(), csv["person"].replacen("year_of_birth", "year", 1));
    has(&check(&made, &csv), Rule::Classes, &quasi(&made));
}

/// The number of the first row of a table that is so, by the cells of some columns.
fn row_where(made: &Made, table: &str, columns: &[&str], is: impl Fn(&[&str]) -> bool) -> usize {
    let mut reader = csv::Reader::from_reader(made.csv[table].as_bytes());
    let header = reader.headers().expect("a header").clone();
    let at: Vec<usize> = columns.iter().map(|c| header.iter().position(|h| h == *c).expect("a column")).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
    rows.iter().position(|row| is(&at.iter().map(|n| &row[*n]).collect::<Vec<_>>())).expect("a row that is so")
}

/// One cell changed.
fn cell(made: &Made, table: &str, column: &str, row: usize, to: &str) -> BTreeMap<String, String> {
    spoilt(made, table, column, |n, cell| if n == row { to.to_owned() } else { cell.to_owned() })
}

// control: PRC-05
#[test]
fn beside_a_number_there_is_no_room_for_words_and_in_its_place_neither() {
    let (text, number) = ("measurement.value_source_value", "measurement.value_as_number");
    for kind in ["anonymized", "linkable_anonymized"] {
        let made = made(kind, 2);
        let row = row_where(&made, "measurement", &["measurement_source_value", "value_as_number"], |c| {
            c[0] == "LN:1751-7" && !c[1].is_empty()
        });
        for to in ["山田太郎 090-1234-5678", "3.0000000001", "9999", "<"] {
            has(&check(&made, &cell(&made, "measurement", "value_source_value", row, to)), Rule::Words, text);
        }
        assert_eq!(
            check(&made, &cell(&made, "measurement", "value_source_value", row, "")).wrong.len(),
            1,
            "the report counts it"
        );
        for to in ["Yamada Taro", "NaN", "1e999", "090-1234-5678"] {
            has(&check(&made, &cell(&made, "measurement", "value_as_number", row, to)), Rule::Words, number);
        }
        // Everybody's, and so rare nowhere.
        let all = spoilt(&made, "measurement", "value_source_value", |_, cell| {
            if cell.starts_with(|c: char| c.is_ascii_digit()) { "Yamada".to_owned() } else { cell.to_owned() }
        });
        has(&check(&made, &all), Rule::Words, text);
        // An item in bands shows neither a number of its own nor a text that is no band.
        let banded = row_where(&made, "measurement", &["measurement_source_value", "value_as_number"], |c| {
            c[0] == "9N001" && c[1].is_empty()
        });
        has(&check(&made, &cell(&made, "measurement", "value_as_number", banded, "161.3")), Rule::Bounds, number);
        has(&check(&made, &cell(&made, "measurement", "value_source_value", banded, "山田太郎")), Rule::Rare, text);
    }
    let made = made("pseudonymized", 2);
    let row = row_where(&made, "measurement", &["value_as_number"], |c| !c[0].is_empty());
    has(&check(&made, &cell(&made, "measurement", "value_as_number", row, "Yamada")), Rule::Words, number);
}

// control: PRC-05
#[test]
fn the_second_text_of_a_result_is_held_as_the_first() {
    let made = made("anonymized", 2);
    let mut both = Made { profile: made.profile.clone(), report: made.report.clone(), csv: made.csv.clone() };
    let of = both.profile.tables.get_mut("measurement").expect("a table");
    let treatment = of.columns["value_source_value"].clone();
    of.columns.insert("value_as_string".to_owned(), treatment);
    let mut lines = made.csv["measurement"].lines();
    let header = lines.next().expect("a header");
    let rows = lines.map(|line| format!("{line},\n"));
    both.csv.insert("measurement".to_owned(), format!("{header},value_as_string\n") + &rows.collect::<String>());
    let row = row_where(&both, "measurement", &["measurement_source_value", "value_as_number"], |c| {
        c[0] == "LN:1751-7" && !c[1].is_empty()
    });
    let place = "measurement.value_as_string";
    assert!(check(&both, &both.csv).wrong.iter().all(|b| b.place != place));
    has(&check(&both, &cell(&both, "measurement", "value_as_string", row, "山田太郎")), Rule::Words, place);
    let none =
        row_where(&both, "measurement", &["measurement_source_value", "value_as_number"], |c| c[0] == "5F016" && c[1].is_empty());
    has(&check(&both, &cell(&both, "measurement", "value_as_string", none, "山田太郎")), Rule::Rare, place);
}

// control: PRC-05
#[test]
fn combinations_are_of_codes_with_what_stands_beside_them() {
    let made = made("anonymized", 3);
    let one = spoilt(&made, "condition_occurrence", "condition_source_value", |_, _| "I10:E11".to_owned());
    let mut one = Made { csv: one, ..made };
    // Two concepts of one code, each with enough persons, and few with both.
    one.csv = spoilt(&one, "condition_occurrence", "condition_concept_id", |row, _| {
        ["1000", "1001", "0"][if row < 60 { row % 2 } else { 2 }].to_owned()
    });
    let found = check(&one, &one.csv);
    assert!(found.wrong.iter().all(|b| b.rule != Rule::Rare), "each by itself is common: {:?}", found.wrong);
    let events = one.profile.privacy.as_ref().and_then(|p| p.events.as_ref()).expect("events").columns.join(" × ");
    has(&found, Rule::Combinations, &events);
}

// control: PRC-05
#[test]
fn dates_are_days_in_the_period_and_who_stands_alone_is_counted_again() {
    let period = |from: &'static str, to: &'static str| {
        move |profile: &mut Profile| {
            (profile.cohort.from, profile.cohort.to) = (Some(from.to_owned()), Some(to.to_owned()));
        }
    };
    for kind in ["anonymized", "linkable_anonymized", "pseudonymized", "local-government"] {
        let mut made = made_with(kind, 4, period("2020-06-15", "2022-03-15"));
        assert_eq!(check(&made, &made.csv).wrong, vec![], "{kind}");
        for day in ["2024-99-99", "2023-02-29", "0001-01-01", "1850-01-01", "9999-12-31"] {
            let day = cell(&made, "visit_occurrence", "visit_start_date", 0, day);
            has(&check(&made, &day), Rule::Dates, "visit_occurrence.visit_start_date");
        }
        for day in ["2020-05-01", "2022-04-01"] {
            let day = cell(&made, "visit_occurrence", "visit_start_date", 0, day);
            has(&check(&made, &day), Rule::Period, "visit_occurrence.visit_start_date");
        }
        period("2021-03-01", "2021-10-31")(&mut made.profile);
        has(&check(&made, &made.csv), Rule::Period, "measurement.measurement_date");
    }
    // As near to the end as a shift is long, it tells the shift.
    let made = made_with("anonymized", 4, period("2020-06-15", "2022-03-15"));
    let near = cell(&made, "visit_occurrence", "visit_start_date", 0, "2020-12-01");
    has(&check(&made, &near), Rule::Period, "visit_occurrence.visit_start_date");

    let mut made = super::cohort::made("anonymized", 4);
    let privacy = made.profile.privacy.as_mut().expect("k");
    privacy.most_found.insert(Attacker::Demographics, 0.01);
    privacy.most_unique.extend([(Alike::VisitCount, 0.9), (Alike::VisitSpacing, 0.9)]);
    let found = check(&made, &made.csv);
    has(&found, Rule::Shares, "privacy.most_found.demographics");
    has(&found, Rule::Report, "report.privacy.found.demographics.most_found");
    assert!(found.wrong.iter().all(|b| !b.place.starts_with("privacy.most_unique")), "{:?}", found.wrong);
    // One person has all visits of the first hundred rows.
    made.profile.privacy.as_mut().expect("k").most_unique.values_mut().for_each(|most| *most = 0.0);
    let many =
        spoilt(&made, "visit_occurrence", "person_id", |row, person| if row < 100 { "1".to_owned() } else { person.to_owned() });
    let found = check(&made, &many);
    has(&found, Rule::Shares, "privacy.most_unique.visit_count");
    has(&found, Rule::Report, "report.privacy.visits");
    assert!(found.unchecked.iter().any(|what| what == "privacy.shift_days"), "{:?}", found.unchecked);
}

// control: PRC-05
#[test]
fn what_no_row_can_say_is_found() {
    let made = made("anonymized", 5);
    let with_two = |table: &str, column: &str| {
        let mut csv = made.csv.clone();
        let text = &csv[table];
        let first = text.lines().nth(1).expect("a row");
        let header: Vec<&str> = text.lines().next().expect("a header").split(',').collect();
        let at = header.iter().position(|h| *h == column).expect("a column");
        let again: Vec<&str> = first.split(',').enumerate().map(|(n, c)| if n == at { "2021-02-02" } else { c }).collect();
        let text = format!("{text}{}\n", again.join(","));
        csv.insert(table.to_owned(), text);
        csv
    };
    has(&check(&made, &with_two("death", "death_date")), Rule::Ids, "death.person_id");
    let visits: Vec<&str> = made.csv["visit_occurrence"].lines().skip(1).collect();
    let of = |line: &str| line.split(',').take(2).map(str::to_owned).collect::<Vec<_>>();
    let mine = row_where(&made, "condition_occurrence", &["person_id"], |c| c[0] != of(visits[0])[1]);
    let other = cell(&made, "condition_occurrence", "visit_occurrence_id", mine, &of(visits[0])[0]);
    has(&check(&made, &other), Rule::Ids, "condition_occurrence.visit_occurrence_id");
    for (table, column, to, rule) in [
        ("measurement", "operator_concept_id", "123456", Rule::Words),
        ("measurement", "value_as_concept_id", "Yamada", Rule::Words),
        ("condition_occurrence", "condition_concept_id", "Yamada", Rule::Words),
        ("measurement", "person_id", "01", Rule::Ids),
        ("condition_occurrence", "stop_reason", "0", Rule::Emptied),
        ("visit_occurrence", "visit_start_datetime", "0", Rule::Emptied),
        ("person", "person_source_value", "0", Rule::Emptied),
    ] {
        has(&check(&made, &cell(&made, table, column, 0, to)), rule, &format!("{table}.{column}"));
    }
    let nobody = spoilt(&made, "person", "year_of_birth", |_, _| String::new());
    has(&check(&made, &nobody), Rule::Missing, "person.year_of_birth");
}

/// Where the numbers and texts of a report stand: of a list's members with the same parts the first.
fn kinds_of_leaves(report: &Value) -> Vec<String> {
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    leaves(report, "", &mut all);
    all.retain(|at| {
        let parts = at.split('/').map(|part| if part.bytes().all(|b| b.is_ascii_digit()) { "*" } else { part });
        seen.insert(parts.collect::<Vec<_>>().join("/"))
    });
    all
}

/// Every number and text of a report, by where it stands.
fn leaves(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| leaves(value, &format!("{at}/{name}"), out)),
        Value::Array(list) => list.iter().enumerate().for_each(|(n, value)| leaves(value, &format!("{at}/{n}"), out)),
        Value::Null => {}
        _ => out.push(at.to_owned()),
    }
}

/// What only whoever had the data before can count; all else of a report is held.
const UNSEEN: [&str; 9] = [
    "/privacy/before/",
    "/privacy/steps/",
    "/privacy/events/",
    "/privacy/found/",
    "/effects/",
    "/rows_before",
    "/months/deaths",
    "/results/",
    "/changed",
];

// control: PRC-05
#[test]
fn whatever_tables_and_policy_say_too_is_held_in_the_report() {
    for kind in ["anonymized", "linkable_anonymized", "pseudonymized"] {
        let mut made = made(kind, 6);
        let report = serde_json::to_value(&made.report).expect("JSON");
        let (mut held, mut unseen) = (0, 0);
        for at in &kinds_of_leaves(&report) {
            let mut other = report.clone();
            let leaf = other.pointer_mut(at).expect("a leaf");
            *leaf = match leaf {
                Value::Bool(yes) => Value::Bool(!*yes),
                Value::String(text) => Value::String(format!("{text}x")),
                Value::Number(n) => n.as_u64().map_or_else(|| Value::from(0.123), |n| Value::from(n + 1)),
                _ => continue,
            };
            // A word that is none of its kind is no report.
            let Ok(other) = serde_json::from_value::<Report>(other) else { continue };
            made.report = other;
            if check(&made, &made.csv).wrong.is_empty() {
                let counts = at.contains("/codes/") && !at.ends_with("codes_after");
                assert!(counts || at.ends_with("/filled_before") || UNSEEN.iter().any(|u| at.contains(u)), "{kind} {at}");
                unseen += 1;
            } else {
                held += 1;
            }
        }
        assert!(held > if kind == "pseudonymized" { 12 } else { 30 }, "{kind}: {held} held, {unseen} not");
        for part in ["tables", "privacy", "values"] {
            let mut other = report.clone();
            other[part] = if part == "privacy" { Value::Null } else { Value::Array(Vec::new()) };
            made.report = serde_json::from_value(other).expect("a report");
            let lacks = part != "tables" && kind == "pseudonymized";
            assert!(lacks || !check(&made, &made.csv).wrong.is_empty(), "{kind} without {part}");
        }
    }
}

#[test]
fn one_table_in_two_forms_differs_by_cells_rows_and_columns() {
    let read = |text: &str| Flat::read(text.as_bytes(), "t").expect("a table");
    let one = read("a,b\n1,2\n3,4\n");
    assert_eq!(one.differences(&one), 0);
    assert_eq!(one.differences(&read("a,b\n1,2\n3,5\n")), 1);
    assert_eq!(one.differences(&read("a,b\n1,2\n")), 1);
    assert_eq!(one.differences(&read("a,c\n1,2\n3,4\n")), 1);
    assert_eq!(one.differences(&read("a,b,c\n1,2,\n3,4,\n")), 3);
}
