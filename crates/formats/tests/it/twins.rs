//! The generator's storages against the tables that they were generated from.

use std::collections::BTreeSet;

use crate::harness::{Outcome, Row, read, samples, tree};

/// (patient id, source table): the generator made ids of its own.
const PATIENTS: [(&str, &str); 3] =
    [("5072922811", "38_F_001.csv"), ("5073262811", "64_M_000.csv"), ("5073268075", "7_M_002.csv")];

struct Truth {
    minute: String,
    kind: String,
    code: String,
    value: String,
    unit: String,
    disposition: String,
    icd10: String,
}

fn truth(file: &str) -> Vec<Truth> {
    let text = std::fs::read_to_string(samples("synthetic-twins-source").join(file)).expect("a source table");
    text.lines()
        .skip(1)
        .map(|line| {
            let line = line.strip_prefix('"').and_then(|l| l.strip_suffix('"')).expect("quoted cells");
            let cells: Vec<&str> = line.split("\",\"").collect();
            let minute = cells[0];
            Truth {
                minute: format!("{}-{}-{}T{}:{}:00", &minute[..4], &minute[4..6], &minute[6..8], &minute[8..10], &minute[10..12]),
                kind: cells[1].to_owned(),
                code: [cells[4], cells[6], cells[7]].concat(),
                value: cells[8].to_owned(),
                unit: cells[9].to_owned(),
                disposition: cells[10].to_owned(),
                icd10: cells[3].to_owned(),
            }
        })
        .collect()
}

fn of<'o>(outcome: &'o Outcome, patient: &str, table: &str) -> Vec<&'o Row> {
    outcome.rows.iter().filter(|r| r.patient == patient && r.table == table).collect()
}

#[test]
fn every_line_of_the_source_tables_comes_out_once_and_nothing_else() {
    let outcome = read(&tree(&samples("synthetic-twins")));
    assert!(outcome.counts.balanced());
    assert_eq!(outcome.counts.read, 36);
    for (patient, file) in PATIENTS {
        let truth = truth(file);
        let lines = |kind: &str| truth.iter().filter(|t| t.kind == kind).collect::<Vec<_>>();

        let labs: BTreeSet<(String, String, String, String)> = of(&outcome, patient, "measurement")
            .into_iter()
            .filter(|r| r.get("measurement_type_concept_id") == "32856")
            .map(|r| {
                (
                    r.get("measurement_datetime").to_owned(),
                    r.get("measurement_source_value").to_owned(),
                    r.get("value_source_value").to_owned(),
                    r.get("unit_source_value").to_owned(),
                )
            })
            .collect();
        let expected: BTreeSet<_> =
            lines("5").iter().map(|t| (t.minute.clone(), t.code.clone(), t.value.clone(), t.unit.clone())).collect();
        assert_eq!(labs, expected, "laboratory of {file}");
        for row in of(&outcome, patient, "measurement") {
            if row.get("measurement_type_concept_id") == "32856" {
                let number: f64 = row.get("value_as_number").parse().expect("a number");
                assert_eq!(Ok(number), row.get("value_source_value").parse());
            }
        }

        let conditions: BTreeSet<(String, String)> = of(&outcome, patient, "condition_occurrence")
            .into_iter()
            .chain(of(&outcome, patient, "observation").into_iter().filter(|r| r.get("qualifier_source_value") == "suspected"))
            .map(|r| {
                let code = [r.get("condition_source_value"), r.get("observation_source_value")].concat();
                let base = code.trim_start_matches("MDCDX2:").split('+').next().unwrap_or_default().to_owned();
                (base, r.get("icd10").replace('.', ""))
            })
            .collect();
        let expected: BTreeSet<_> = lines("2").iter().map(|t| (t.code.clone(), t.icd10.clone())).collect();
        assert_eq!(conditions, expected, "diagnoses of {file}");

        let drugs = |types: &str| -> Vec<String> {
            let mut codes: Vec<String> = of(&outcome, patient, "drug_exposure")
                .into_iter()
                .filter(|r| r.get("drug_type_concept_id") == types)
                .map(|r| r.get("drug_source_value").to_owned())
                .collect();
            codes.sort();
            codes
        };
        let codes = |kind: &str| {
            let mut codes: Vec<String> = lines(kind).iter().map(|t| t.code.clone()).collect();
            codes.sort();
            codes
        };
        assert_eq!(drugs("32838"), codes("3"), "prescriptions of {file}");
        assert_eq!(drugs("32833"), codes("4"), "injections of {file}");

        let event = |word: &str| -> Vec<&Row> {
            of(&outcome, patient, "visit_event").into_iter().filter(|r| r.get("event") == word).collect()
        };
        let (admissions, discharges) = (event("admission"), event("discharge"));
        assert_eq!(admissions.iter().map(|r| r.get("event_datetime")).collect::<Vec<_>>(), [lines("0")[0].minute.as_str()]);
        assert_eq!(discharges.iter().map(|r| r.get("event_datetime")).collect::<Vec<_>>(), [lines("1")[0].minute.as_str()]);
        let disposition = &lines("1")[0].disposition;
        assert_eq!(discharges[0].get("discharged_to"), disposition);
        let died = disposition.starts_with('2') && disposition.len() == 2;
        assert_eq!(discharges[0].get("died"), died.to_string());
        assert_eq!(of(&outcome, patient, "death").len(), usize::from(died));
    }
}

/// The producer writes the representation code of the ideographic name one component too early.
#[test]
fn names_are_found_where_this_producer_puts_them() {
    let outcome = read(&tree(&samples("synthetic-twins")));
    let of = |patient: &str| {
        let rows = of(&outcome, patient, "identity");
        ["family_name", "given_name", "family_kana", "given_kana"].map(|c| rows[0].get(c).to_owned())
    };
    assert_eq!(of("5072922811"), ["仮吉田", "桃子", "カリヨシダ", "モモコ"]);
    assert_eq!(outcome.of("identity").len(), 3);
}
