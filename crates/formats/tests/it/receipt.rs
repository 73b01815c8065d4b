//! Claims.

use std::collections::BTreeSet;

use formats::Member;
use formats::receipt::{Options, Prescan, ReceiptReader};
use serde_json::Value;

use crate::harness::{File, Outcome, Row, expected, other_samples, physical_lines, read_by, sample, tree};

fn read(files: &[File]) -> Outcome {
    let mut prescan = Prescan::default();
    for (ordinal, (path, bytes)) in files.iter().enumerate() {
        let size = bytes.len() as u64;
        prescan
            .member(Member { path, payload: 1, ordinal: ordinal as u64, size, content: &mut bytes.as_slice() })
            .expect("scanned");
    }
    read_by(&mut ReceiptReader::new(Options { versions: Some(prescan.finish()), ..Options::default() }), files)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn set<'a>(outcome: &'a Outcome, table: &str, patient: &str) -> Vec<&'a Row> {
    outcome.of(table).into_iter().filter(|r| r.patient == patient).collect()
}

/// The patient whose identity row has this birth date: local ids of claims without a chart are made up.
fn patient_of(outcome: &Outcome, person: &Value) -> String {
    let found: BTreeSet<&str> = outcome
        .of("identity")
        .iter()
        .filter(|r| r.get("birth_date") == text(&person["birth_date"]))
        .map(|r| r.patient.as_str())
        .collect();
    assert_eq!(found.len(), 1, "one patient is born on {}", person["birth_date"]);
    found.into_iter().collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str().and_then(|s| s.parse().ok())).unwrap_or(f64::NAN)
}

fn check_identity(outcome: &Outcome, person: &Value, patient: &str) {
    let row = set(outcome, "identity", patient)[0];
    let kanji = [row.get("family_name"), row.get("given_name")].join("　");
    assert_eq!(kanji, text(&person["name_kanji"]));
    let kana = [row.get("family_kana"), row.get("given_kana")].concat();
    if !kana.is_empty() {
        assert_eq!(kana, text(&person["name_kana"]));
    }
    assert_eq!(row.get("sex"), text(&person["sex"]));
    let cover = set(outcome, "insurance", patient).into_iter().find(|r| r.get("plan_kind") == "insurance").expect("an insurance");
    assert_eq!(cover.get("insurer_number"), text(&person["insurer_number"]));
    assert_eq!(cover.get("insured_symbol"), text(&person["symbol"]));
    assert_eq!(cover.get("insured_number"), text(&person["number"]));
}

/// (code, day, quantity) of rows.
fn done(rows: &[&Row], table: &str) -> BTreeSet<(String, String, String)> {
    let (code, day) = match table {
        "drug_exposure" => ("drug_source_value", "drug_exposure_start_date"),
        "device_exposure" => ("device_source_value", "device_exposure_start_date"),
        _ => ("procedure_source_value", "procedure_date"),
    };
    rows.iter()
        .map(|r| (r.get(code).to_owned(), r.get(day).to_owned(), r.get("quantity").trim_end_matches(".0").to_owned()))
        .collect()
}

fn expected_days(list: &Value, amount: bool) -> BTreeSet<(String, String, String)> {
    let mut out = BTreeSet::new();
    for entry in list.as_array().into_iter().flatten() {
        let times = |count: f64| if amount { number(&entry["quantity"]) * count } else { count };
        match entry["days"].as_array() {
            Some(days) => out.extend(
                days.iter().map(|d| (text(&entry["code"]).to_owned(), text(&d[0]).to_owned(), times(number(&d[1])).to_string())),
            ),
            None => {
                out.insert((
                    text(&entry["code"]).to_owned(),
                    text(&entry["date"]).to_owned(),
                    times(number(&entry["count"])).to_string(),
                ));
            }
        }
    }
    out
}

fn check_medical(outcome: &Outcome, persons: &Value, branches: bool) {
    for person in persons.as_array().expect("a list") {
        let patient = patient_of(outcome, person);
        assert_eq!(patient, text(&person["chart"]));
        check_identity(outcome, person, &patient);
        let cover =
            set(outcome, "insurance", &patient).into_iter().find(|r| r.get("plan_kind") == "insurance").expect("an insurance");
        if branches {
            assert_eq!(cover.get("insured_branch"), text(&person["branch"]));
        }
        let cost = set(outcome, "cost", &patient);
        assert_eq!(cost.len(), 1, "the amount of a claim stands once");
        assert_eq!(cost[0].get("points").parse::<f64>().expect("points"), number(&person["points"]));
        assert_eq!(
            done(&set(outcome, "procedure_occurrence", &patient), "procedure_occurrence"),
            expected_days(&person["procedures"], false)
        );
        assert_eq!(done(&set(outcome, "drug_exposure", &patient), "drug_exposure"), expected_days(&person["drugs"], true));
        assert_eq!(done(&set(outcome, "device_exposure", &patient), "device_exposure"), expected_days(&person["devices"], true));
        let comments = set(outcome, "note", &patient).into_iter().filter(|r| r.get("note_title") == "receipt comment").count();
        assert_eq!(comments as f64, number(&person["comments"]));
        let told: BTreeSet<(String, String)> = set(outcome, "condition_occurrence", &patient)
            .iter()
            .map(|r| (r.get("condition_source_value").to_owned(), r.get("condition_start_date").to_owned()))
            .chain(
                set(outcome, "observation", &patient)
                    .iter()
                    .filter(|r| r.get("value_as_string") == "suspected")
                    .map(|r| (r.get("observation_source_value").to_owned(), r.get("observation_date").to_owned())),
            )
            .collect();
        let wanted: BTreeSet<(String, String)> = person["conditions"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|c| {
                let mut code = text(&c["code"]).to_owned();
                for m in c["modifiers"].as_array().expect("a list") {
                    code.push('+');
                    code.push_str(text(m));
                }
                if let Some(name) = c["name"].as_str() {
                    code.push(':');
                    code.push_str(name);
                }
                (code, text(&c["start"]).to_owned())
            })
            .collect();
        assert_eq!(told, wanted);
        for c in person["conditions"].as_array().expect("a list") {
            let start = text(&c["start"]);
            let row = set(outcome, "condition_occurrence", &patient)
                .into_iter()
                .find(|r| r.get("condition_source_value") == text(&c["code"]) && r.get("condition_start_date") == start);
            if let Some(row) = row {
                assert_eq!(row.get("stop_reason"), text(&c["outcome"]));
                assert_eq!(row.get("condition_status_source_value") == "main", c["main"] == true);
                assert_eq!(row.get("condition_end_date").is_empty(), c["outcome"] == "1");
            }
        }
    }
}

#[test]
fn medical_claims_say_what_the_sample_says() {
    let outcome = read(&[sample("receipt/clean/RECEIPTC.UKE")]);
    let expected = expected("receipt/expected.json");
    check_medical(&outcome, &expected["files"]["clean/RECEIPTC.UKE"]["persons"], true);
    assert_eq!(outcome.codes(), ["formats-date"; 0]);
    let days: BTreeSet<(String, String)> =
        outcome.of("visit_event").iter().map(|r| (r.patient.clone(), r.get("event_date").to_owned())).collect();
    let wanted = [("123", "2024-07-05"), ("123", "2024-07-19"), ("456", "2024-07-10"), ("1011", "2024-07-18")];
    assert_eq!(days, wanted.map(|(p, d)| (p.to_owned(), d.to_owned())).into());
    let suspected: Vec<&str> = outcome.of("observation").iter().map(|r| r.get("observation_source_value")).collect();
    assert_eq!(suspected.len(), 2);
    assert!(suspected.contains(&"4779004+8002") && suspected.contains(&"0000999:右手のしびれの疑い"));
    let public = outcome.of("insurance").into_iter().find(|r| r.get("plan_kind") == "public").expect("a public payer");
    assert_eq!((public.get("insurer_number"), public.get("insured_number")), ("88139999", "1234567"));
    let oral = outcome.of("drug_exposure");
    assert!(oral.iter().all(|r| r.get("days_supply") == "14" && r.get("drug_exposure_end_date") == "2024-07-18"));
    assert!(oral.iter().all(|r| r.get("dose_unit_source_value").is_empty()), "a missing unit stays missing");
    assert!(outcome.of("measurement").is_empty(), "acts of a claim are orders");
}

#[test]
fn era_coded_claims_say_the_same() {
    let outcome = read(&[sample("receipt/legacy/RECEIPTC_wareki_pre2020.UKE")]);
    let expected = expected("receipt/expected.json");
    check_medical(&outcome, &expected["files"]["clean/RECEIPTC.UKE"]["persons"], false);
}

#[test]
fn dpc_claims_say_what_the_sample_says() {
    let outcome = read(&[sample("receipt/clean/RECEIPTD.UKE")]);
    let expected = expected("receipt/expected.json");
    for person in expected["files"]["clean/RECEIPTD.UKE"]["persons"].as_array().expect("a list") {
        let patient = patient_of(&outcome, person);
        check_identity(&outcome, person, &patient);
        let cost = set(&outcome, "cost", &patient);
        assert_eq!(cost.len(), 1);
        assert_eq!(cost[0].get("points").parse::<f64>().expect("points"), number(&person["points"]));
        assert_eq!(cost[0].get("drg_source_value"), text(&person["dpc"]));
        let events = set(&outcome, "visit_event", &patient);
        let day = |word: &str| events.iter().find(|r| r.get("event") == word).map_or("", |r| r.get("event_date"));
        assert_eq!(day("admission"), text(&person["admission"]));
        assert_eq!(day("discharge"), text(&person["discharge"]));
        assert_eq!(
            done(&set(&outcome, "procedure_occurrence", &patient), "procedure_occurrence"),
            expected_days(&person["procedures"], false)
        );
        assert_eq!(done(&set(&outcome, "drug_exposure", &patient), "drug_exposure"), expected_days(&person["drugs"], true));
        let roles: BTreeSet<(String, String)> = set(&outcome, "condition_occurrence", &patient)
            .iter()
            .flat_map(|r| {
                r.get("condition_status_source_value")
                    .split(' ')
                    .map(|role| (r.get("condition_source_value").to_owned(), role.to_owned()))
            })
            .collect();
        let wanted: BTreeSet<(String, String)> = person["conditions"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|c| (text(&c["code"]).to_owned(), text(&c["role"]).to_owned()))
            .collect();
        assert_eq!(roles, wanted);
        let died = set(&outcome, "death", &patient);
        assert_eq!(died.len(), usize::from(matches!(text(&person["outcome"]), "6" | "7")));
        assert!(died.iter().all(|r| r.get("death_date") == text(&person["discharge"])));
    }
    let repeated: BTreeSet<(&str, &str, &str)> = outcome
        .of("condition_occurrence")
        .iter()
        .map(|r| (r.patient.as_str(), r.get("condition_source_value"), r.get("condition_start_date")))
        .collect();
    assert_eq!(repeated.len(), outcome.of("condition_occurrence").len(), "one row a code and start");
}

#[test]
fn pharmacy_and_dental_claims_say_what_the_sample_says() {
    let expected = expected("receipt/expected.json");
    let outcome = read(&[sample("receipt/clean/RECEIPTY.UKE")]);
    for person in expected["files"]["clean/RECEIPTY.UKE"]["persons"].as_array().expect("a list") {
        let patient = patient_of(&outcome, person);
        check_identity(&outcome, person, &patient);
        let told: BTreeSet<(String, String, String, String)> = set(&outcome, "drug_exposure", &patient)
            .iter()
            .map(|r| {
                let days = r.get("days_supply").to_owned();
                (
                    r.get("drug_exposure_start_date").to_owned(),
                    r.get("drug_source_value").to_owned(),
                    r.get("quantity").to_owned(),
                    days,
                )
            })
            .collect();
        let wanted = person["dispensings"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|d| {
                let days = number(&d["days"]);
                (
                    text(&d["date"]).to_owned(),
                    text(&d["code"]).to_owned(),
                    format!("{:.1}", number(&d["dose"]) * days),
                    days.to_string(),
                )
            })
            .collect();
        assert_eq!(told, wanted);
    }
    let outcome = read(&[sample("receipt/clean/RECEIPTS.UKE")]);
    let person = &expected["files"]["clean/RECEIPTS.UKE"]["persons"][0];
    let patient = patient_of(&outcome, person);
    check_identity(&outcome, person, &patient);
    assert_eq!(
        done(&set(&outcome, "procedure_occurrence", &patient), "procedure_occurrence"),
        expected_days(&person["procedures"], false)
    );
    let teeth: Vec<&str> = outcome.of("observation").iter().map(|r| r.get("value_as_string")).collect();
    assert_eq!(teeth, [text(&person["teeth"][0])]);
    assert_eq!(set(&outcome, "cost", &patient)[0].get("points"), "531.0");
}

#[test]
fn a_claim_of_every_month_makes_one_diagnosis_and_one_stay() {
    let (_, bytes) = sample("receipt/clean/RECEIPTD.UKE");
    let text = encoding_rs::SHIFT_JIS.decode(&bytes).0.into_owned();
    let july = text
        .replace("202406,", "202407,")
        .replace("IR,1,13,1,9999991,,あぜくら総合病院,202407", "IR,1,13,1,9999991,,あぜくら総合病院,202408");
    let july = encoding_rs::SHIFT_JIS.encode(&july).0.into_owned();
    let outcome = read(&[("RECEIPTD_06.UKE".to_owned(), bytes), ("RECEIPTD_07.UKE".to_owned(), july)]);
    assert_eq!(outcome.of("condition_occurrence").len(), 3 + 1 + 3);
    let starts: BTreeSet<(&str, &str)> = outcome
        .of("visit_event")
        .iter()
        .filter(|r| r.get("event") == "admission")
        .map(|r| (r.patient.as_str(), r.get("event_date")))
        .collect();
    assert_eq!(starts.len(), 3);
    assert_eq!(outcome.of("identity").len(), 3, "who a person is, is told once");
}

#[test]
fn a_claim_that_was_sent_again_counts_once_and_a_returned_one_not_at_all() {
    let (_, bytes) = sample("receipt/clean/RECEIPTC.UKE");
    let later = encoding_rs::SHIFT_JIS.decode(&bytes).0.replace("あぜくら総合病院,202408", "あぜくら総合病院,202409");
    let later = encoding_rs::SHIFT_JIS.encode(&later).0.into_owned();
    let files = [("a/RECEIPTC.UKE".to_owned(), bytes.clone()), ("b/RECEIPTC.UKE".to_owned(), later)];
    let outcome = read(&files);
    let once = read(&files[..1]);
    assert_eq!(outcome.of("cost").len(), 3);
    assert_eq!(outcome.of("drug_exposure").len(), once.of("drug_exposure").len());
    assert_eq!(outcome.counts.without_row["superseded-claim"], 3);
    assert!(outcome.codes().contains(&"receipt-superseded"));
    let returned = read(&[("RECEIPTC.HEN".to_owned(), bytes)]);
    assert!(returned.rows.is_empty());
    assert_eq!(returned.counts.without_row["returned-claim"], 3);
    assert!(returned.codes().contains(&"receipt-returned"));
}

#[test]
fn every_fault_of_the_dirty_samples_is_told() {
    let clean = read(&[sample("receipt/clean/RECEIPTC.UKE")]);
    for (name, code, lost) in [
        ("bom_utf8_lf", "", 0),
        ("column_count", "formats-columns", 0),
        ("comma_in_comment", "receipt-comma", 0),
        ("days_sum_mismatch", "receipt-days-sum", 0),
        ("detail_before_header", "receipt-no-claim", 3),
        ("halfwidth_kana_name", "", 0),
        ("invalid_dates", "formats-date", 0),
        ("mixed_encoding", "formats-mixed-charset", 0),
        ("no_trailer", "receipt-no-trailer", 0),
        ("quoted_fields", "formats-quotes", 0),
        ("trailer_total_mismatch", "receipt-trailer", 0),
        ("unknown_record", "receipt-unknown-record", 0),
    ] {
        let outcome = read(&[sample(&format!("receipt/dirty/{name}.UKE"))]);
        if !code.is_empty() {
            assert!(outcome.codes().contains(&code), "{name}: {:?}", outcome.codes());
        }
        let rows = |o: &Outcome, table: &str| o.of(table).len();
        for table in ["procedure_occurrence", "drug_exposure", "device_exposure", "cost"] {
            // That sample also has the line of two days a second time, one field too long.
            let more = if name == "column_count" && table == "procedure_occurrence" { 2 } else { 0 };
            assert_eq!(rows(&outcome, table), rows(&clean, table) + more, "{name} {table}");
        }
        let diagnoses = |o: &Outcome| o.of("condition_occurrence").len() + o.of("observation").len();
        assert_eq!(diagnoses(&outcome), diagnoses(&clean) - lost, "{name}");
    }
    let quoted = read(&[sample("receipt/dirty/quoted_fields.UKE")]);
    assert_eq!(quoted.of("identity").len(), 3);
    let mixed = read(&[sample("receipt/dirty/mixed_encoding.UKE")]);
    assert!(mixed.rows.iter().any(|r| r.get("observation_source_value") == "0000999:右手のしびれの疑い"));
    let kana = read(&[sample("receipt/dirty/halfwidth_kana_name.UKE")]);
    assert_eq!(kana.of("identity")[0].get("family_kana"), "シノノメ");
}

#[test]
fn the_published_sample_is_read_with_its_mojibake() {
    let outcome = read(&[sample("receipt/published/RECEIPTC_GAIRAI_SAMPLE.UKE")]);
    assert_eq!(outcome.counts.records_unread, 0, "{:?}", outcome.codes());
    assert!(outcome.of("identity").iter().any(|r| r.get("family_name") == "テスト" && r.get("given_name") == "汎用"));
    assert!(outcome.of("cost").len() > 3);
}

#[test]
fn no_finding_says_who_anybody_is() {
    for (path, bytes) in tree(&other_samples("receipt/dirty")) {
        let outcome = read(&[(path.clone(), bytes)]);
        for finding in &outcome.findings {
            let text = finding.message.text(messages::Lang::Ja) + &finding.message.text(messages::Lang::En);
            for secret in ["東雲", "シノノメ", "ｼﾉﾉﾒ", "19580314", "19580231", "５６７８", "234567", "06139992"]
            {
                assert!(!text.contains(secret), "{path}: {}", finding.message.code);
            }
        }
    }
}

/// Every physical line is read, blank, or told.
fn accounted(path: &str, bytes: &[u8]) {
    let outcome = read_by(&mut ReceiptReader::default(), &[(path.to_owned(), bytes.to_vec())]);
    assert_eq!(outcome.counts.records, physical_lines(bytes));
    let told: u64 = outcome
        .findings
        .iter()
        .map(|f| match f.message.code {
            "formats-more" => f.message.args.iter().find(|a| a.0 == "count").and_then(|a| a.1.parse().ok()).unwrap_or(0),
            _ => 1,
        })
        .sum();
    assert!(told >= outcome.counts.records_unread);
}

#[test]
fn any_bytes_are_rows_or_findings() {
    bolero::check!().with_type::<(bool, Vec<u8>)>().for_each(|(headed, bytes)| {
        let mut content =
            if *headed { b"IR,1,13,1,9999991,,,202408,00,\nRE,1,1112,202407,A,1,19580314\n".to_vec() } else { Vec::new() };
        content.extend_from_slice(bytes);
        accounted("RECEIPTC.UKE", &content);
    });
}

#[test]
fn samples_with_bytes_changed_cut_or_doubled_are_accounted_for() {
    let files = tree(&other_samples("receipt/clean"));
    bolero::check!().with_type::<Vec<(u16, u16, u8, u8)>>().for_each(|changes| {
        let Some((which, ..)) = changes.first() else { return };
        let (path, bytes) = &files[usize::from(*which) % files.len()];
        let mut bytes = bytes.clone();
        for (_, at, change, how) in changes.iter().take(20) {
            if bytes.is_empty() || bytes.len() > 100_000 {
                break;
            }
            let at = usize::from(*at) % bytes.len();
            match how % 4 {
                0 => bytes[at] ^= change,
                1 => bytes[at] = b",\n\"0"[usize::from(*change) % 4],
                2 => bytes.truncate(at),
                _ => bytes.extend_from_within(at..),
            }
        }
        accounted(path, &bytes);
    });
}

#[test]
fn a_group_of_more_dates_and_drugs_than_a_claim_has_makes_no_rows_and_the_rest_is_read() {
    let (path, bytes) = sample("receipt/clean/RECEIPTY.UKE");
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    let before = read(&[(path.clone(), bytes.clone())]);
    let mut many = Vec::new();
    let (mut dates, mut drugs) = (false, false);
    for line in lines {
        let times = match line {
            line if line.starts_with(b"CZ,") && !dates => std::mem::replace(&mut dates, true) as usize + 300,
            line if line.starts_with(b"IY,") && !drugs => std::mem::replace(&mut drugs, true) as usize + 300,
            _ => 1,
        };
        many.extend(std::iter::repeat_n(line, times).flatten());
    }
    let outcome = read(&[(path, many)]);
    assert!(outcome.codes().contains(&"receipt-group-size"), "{:?}", outcome.codes());
    assert_eq!(outcome.counts.without_row["group-too-large"], 300);
    assert_eq!(outcome.of("drug_exposure").len(), before.of("drug_exposure").len() - 1);
}

#[test]
fn a_claim_whose_month_cannot_be_read_makes_no_rows_in_another_month() {
    let (path, bytes) = sample("receipt/clean/RECEIPTY.UKE");
    let before = read(&[(path.clone(), bytes.clone())]);
    let at = bytes.windows(15).position(|w| w == b"RE,1,4112,20240").expect("the first claim") + 10;
    let mut spoilt = bytes;
    spoilt[at..at + 6].copy_from_slice(b"202x07");
    let outcome = read(&[(path, spoilt)]);
    assert!(outcome.codes().contains(&"receipt-month"), "{:?}", outcome.codes());
    assert_eq!(outcome.counts.without_row["no-month"], 1);
    let dates =
        |o: &Outcome| o.of("drug_exposure").iter().map(|r| r.get("drug_exposure_start_date").to_owned()).collect::<BTreeSet<_>>();
    assert!(dates(&outcome).is_subset(&dates(&before)));
    assert!(outcome.of("drug_exposure").len() < before.of("drug_exposure").len());
}

#[test]
fn nobody_is_insured_before_the_birth_that_the_claim_states() {
    let (path, bytes) = sample("receipt/clean/RECEIPTC.UKE");
    let periods = |born: &str| -> Vec<(String, String)> {
        let at = bytes.windows(8).position(|w| w == b"20160505").expect("the birth of the third");
        let mut changed = bytes.clone();
        changed[at..at + 8].copy_from_slice(born.as_bytes());
        let outcome = read(&[(path.clone(), changed)]);
        let of = outcome.of("identity").into_iter().find(|r| r.get("birth_date").replace('-', "") == born);
        let patient = of.expect("is born").patient.clone();
        let plans = set(&outcome, "payer_plan_period", &patient);
        let day = |r: &Row, word: &str| r.get(&format!("payer_plan_period_{word}_date")).to_owned();
        plans.iter().map(|r| (day(r, "start"), day(r, "end"))).collect()
    };
    let month = |start: &str| vec![(start.to_owned(), "2024-07-31".to_owned()); 2];
    assert_eq!(periods("20160505"), month("2024-07-01"), "an insurance and a public payer");
    assert_eq!(periods("20240701"), month("2024-07-01"));
    assert_eq!(periods("20240719"), month("2024-07-19"), "a newborn");
    assert_eq!(periods("20240731"), month("2024-07-31"));
    assert_eq!(periods("20240801"), [], "a birth after the month is a fault, and no time of an insurance");
}

#[test]
fn numbers_are_read_in_full_width_and_told_where_they_are_none() {
    let (path, bytes) = sample("receipt/clean/RECEIPTC.UKE");
    let before = read(&[(path.clone(), bytes.clone())]);
    let with = |from: &str, to: &[u8]| {
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).expect("in the sample");
        let changed = [&bytes[..at], to, &bytes[at + from.len()..]].concat();
        read(&[(path.clone(), changed)])
    };
    let days = ",".repeat(30);
    let drug = "IY,21,1,620007853,1,1,14,,,,,,,,,,,14,,,,,,,,,,,,,,,,,,,,,,";
    let without_days = |count: &[u8]| [b"IY,21,1,620007853,1,1,", count, b",,", days.as_bytes()].concat();
    let of = |o: &Outcome| -> BTreeSet<String> {
        let drugs = o.of("drug_exposure");
        drugs.iter().filter(|r| r.get("drug_source_value") == "620007853").map(|r| r.get("days_supply").to_owned()).collect()
    };
    assert_eq!(of(&before), ["14".to_owned()].into());
    // 1４, the second digit in full width.
    let wide = with(drug, &without_days(b"1\x82\x53"));
    assert_eq!((of(&wide), wide.codes().contains(&"formats-number")), (of(&before), false));
    let broken = with(drug, &without_days(b"x"));
    assert_eq!((of(&broken), broken.counts.without_row["unread-count"]), (BTreeSet::new(), 1));
    assert!(broken.codes().contains(&"formats-number"));
    // The points of the insurance: a letter for a digit.
    let at = bytes.windows(7).position(|w| w == b",2,348,").expect("the points") + 3;
    let mut letter = bytes.clone();
    letter[at + 1] = b'O';
    let broken = read(&[(path.clone(), letter)]);
    assert!(broken.codes().contains(&"formats-number"));
    assert_eq!(broken.of("cost").len(), before.of("cost").len() - 1);
}
