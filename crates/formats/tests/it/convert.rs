//! Directory, tar file → CSV.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use formats::{ConvertError, Format, Summary, convert};
use messages::Lang;

use crate::harness::{samples, tree};

fn converted(from: &Path, out: &Path) -> Summary {
    convert(Some(Format::Ssmix2), from, out, Lang::En).expect("converted")
}

fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    tree(directory)
}

#[test]
fn a_directory_and_a_tar_of_it_give_the_same_files() {
    let work = tempfile::tempdir().expect("a directory");
    let from = samples("handmade/std");
    let mut builder = tar::Builder::new(fs::File::create(work.path().join("storage.tar")).expect("a file"));
    for (path, bytes) in tree(&from) {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, bytes.as_slice()).expect("appended");
    }
    builder.finish().expect("a tar");
    let (one, two) = (work.path().join("one"), work.path().join("two"));
    let summary = converted(&from, &one);
    converted(&work.path().join("storage.tar"), &two);
    let (one, two) = (contents(&one), contents(&two));
    assert_eq!(one.iter().map(|f| &f.0).collect::<Vec<_>>(), two.iter().map(|f| &f.0).collect::<Vec<_>>());
    assert!(one == two, "the same bytes");
    assert_eq!(summary.rows["drug_exposure"], 9);
    assert_eq!(summary.set_aside, 2);
}

#[test]
fn every_omop_table_has_exactly_its_columns_and_every_row_its_person() {
    let work = tempfile::tempdir().expect("a directory");
    converted(&samples("synthetic-twins"), &work.path().join("out"));
    for table in omop::Table::ALL.iter().filter(|t| t.is_omop()) {
        let text = fs::read_to_string(work.path().join("out").join(format!("{}.csv", table.name()))).expect("a table");
        let schema = table.omop_schema();
        let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(text.lines().next(), Some(names.join(",").as_str()), "{}", table.name());
    }
    let column = |table: &str, name: &str| -> Vec<String> {
        let text = fs::read_to_string(work.path().join("out").join(table)).expect("a table");
        let mut lines = text.lines();
        let at = lines.next().expect("a header").split(',').position(|c| c == name).expect("a column");
        lines.map(|l| l.split(',').nth(at).expect("a cell").to_owned()).collect()
    };
    let persons: BTreeSet<String> = column("person.csv", "person_id").into_iter().collect();
    assert_eq!(persons.len(), 3);
    for table in ["measurement.csv", "drug_exposure.csv", "visit_occurrence.csv", "condition_occurrence.csv", "death.csv"] {
        assert!(column(table, "person_id").iter().all(|p| persons.contains(p)), "{table}");
    }
    let ids = column("measurement.csv", "measurement_id");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "row ids are unique");
    let providers: BTreeSet<String> = column("provider.csv", "provider_id").into_iter().collect();
    assert!(column("measurement.csv", "provider_id").iter().filter(|p| !p.is_empty()).all(|p| providers.contains(p)));
    assert_eq!(column("visit_occurrence.csv", "visit_concept_id").iter().filter(|c| *c == "9201").count(), 3);
}

#[test]
fn findings_are_lines_with_place_and_text() {
    let work = tempfile::tempdir().expect("a directory");
    converted(&samples("handmade/std"), &work.path().join("out"));
    let text = fs::read_to_string(work.path().join("out/findings.jsonl")).expect("findings");
    let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let receipt = lines.iter().find(|l| l["code"] == "ssmix2-receipt-code").expect("the receipt code is said");
    assert_eq!((receipt["segment"].as_str(), receipt["field"].as_str()), (Some("RXC[2]"), Some("RXC-2")));
    assert_eq!(receipt["severity"], "info");
    assert!(lines.iter().all(|l| l["file"].is_string() && !l["message"].as_str().expect("a text").is_empty()));
}

#[test]
fn a_directory_with_something_in_it_is_refused_and_left_as_it_is() {
    let work = tempfile::tempdir().expect("a directory");
    fs::write(work.path().join("mine"), "x").expect("written");
    let refused = convert(Some(Format::Ssmix2), &samples("handmade/ext"), work.path(), Lang::Ja);
    assert!(matches!(refused, Err(ConvertError::NotEmpty(_))));
    assert_eq!(fs::read_dir(work.path()).expect("a directory").count(), 1);
    let inside = convert(Some(Format::Ssmix2), work.path(), &work.path().join("new/out"), Lang::Ja);
    assert!(matches!(inside, Err(ConvertError::Inside(_))));
    let missing = convert(Some(Format::Ssmix2), &work.path().join("none"), &work.path().join("out"), Lang::Ja);
    assert!(matches!(missing, Err(ConvertError::Read { .. })));
}

/// Rows of a converted table, as maps of its header.
fn sheet(out: &Path, table: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = fs::read_to_string(out.join(format!("{table}.csv"))).expect("a table");
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().expect("a header").split(',').collect();
    lines.map(|l| head.iter().map(|h| (*h).to_owned()).zip(l.split(',').map(str::to_owned)).collect()).collect()
}

#[test]
fn claims_dpc_and_checkups_of_one_delivery_are_one_row_a_person_and_one_a_visit() {
    let work = tempfile::tempdir().expect("a directory");
    let from = work.path().join("in");
    fs::create_dir(&from).expect("made");
    for (name, path) in [
        ("EFg.txt", "dpc/clean/EFg_139999991_2407.txt"),
        ("EFn.txt", "dpc/clean/EFn_139999991_2406.txt"),
        ("FF1.txt", "dpc/clean/FF1_139999991_2406.txt"),
        ("RECEIPTC.UKE", "receipt/clean/RECEIPTC.UKE"),
        ("RECEIPTD.UKE", "receipt/clean/RECEIPTD.UKE"),
    ] {
        fs::copy(crate::harness::other_samples(path), from.join(name)).expect("copied");
    }
    let out = work.path().join("out");
    let summary = convert(None, &from, &out, Lang::En).expect("converted");
    assert!(summary.counts.balanced());
    assert_eq!(summary.patients, 4);
    assert_eq!(sheet(&out, "person").len(), 4);
    let who = sheet(&out, "identity");
    assert_eq!(who.len(), 4);
    assert!(
        who.iter().all(|r| !r["birth_date"].is_empty() && !r["family_name"].is_empty() && r["sex"] != "unknown"),
        "facts of all sources are put together"
    );
    let visits = sheet(&out, "visit_occurrence");
    let stays: BTreeSet<(&str, &str)> = visits
        .iter()
        .filter(|r| r["visit_concept_id"] == "9201")
        .map(|r| (r["visit_start_date"].as_str(), r["visit_end_date"].as_str()))
        .collect();
    assert_eq!(stays, [("2024-06-03", "2024-06-07"), ("2024-06-10", "2024-06-21"), ("2024-06-12", "2024-06-28")].into());
    assert_eq!(visits.iter().filter(|r| r["visit_concept_id"] == "9201").count(), 3);
    assert_eq!(visits.iter().filter(|r| r["visit_concept_id"] == "9202").count(), 4);
    let costs = sheet(&out, "cost");
    let charged: f64 = costs.iter().filter_map(|r| r["total_charge"].parse::<f64>().ok()).sum();
    assert_eq!(charged, (833.0 + 116_000.0) * 10.0, "claims count, the other views of the same money do not");
    let tied = |r: &std::collections::BTreeMap<String, String>| {
        visits.iter().any(|v| v["visit_occurrence_id"] == r["cost_event_id"] && v["person_id"] == r["person_id"])
    };
    assert!(costs.iter().all(|r| !r.contains_key("person_id") || tied(r)));
    assert_eq!(sheet(&out, "death").len(), 1);
}

#[test]
fn dirt_of_every_kind_ends_in_findings() {
    let work = tempfile::tempdir().expect("a directory");
    for (n, bytes) in
        [Vec::new(), vec![0xFF; 100_000], vec![b'x'; 3 << 20], b"\xEF\xBB\xBF".to_vec(), b"{\"resourceType\":".to_vec()]
            .into_iter()
            .enumerate()
    {
        for (name, from) in [
            ("f", None),
            ("RECEIPTC.UKE", None),
            ("EFn_1_2406.txt", None),
            ("a.zip", None),
            ("a.xml", None),
            ("a.ndjson", None),
            ("a.csv", None),
        ] {
            let file = work.path().join(name);
            fs::write(&file, &bytes).expect("written");
            let out = work.path().join(format!("out-{n}-{name}"));
            let summary = convert(from, &file, &out, Lang::Ja).expect("converted");
            assert!(summary.counts.balanced(), "{n} {name}");
            let findings = fs::read_to_string(out.join("findings.jsonl")).expect("findings");
            assert!(!findings.is_empty() || summary.counts.records_blank > 0, "{n} {name}");
        }
    }
}
