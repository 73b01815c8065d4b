//! What is told twice counts once, and what only looks alike counts each time.

use std::fs;
use std::path::Path;

use formats::Summary;
use messages::Lang;

use crate::harness::sample;

/// Converts these files; the summary, and a reader of columns of the tables.
fn convert(files: &[(&str, Vec<u8>)]) -> (Summary, impl Fn(&str, &str) -> Vec<String> + use<>, Vec<String>) {
    let work = tempfile::tempdir().expect("a directory");
    let from = work.path().join("in");
    for (path, bytes) in files {
        let place = from.join(path);
        fs::create_dir_all(place.parent().expect("a parent")).expect("made");
        fs::write(place, bytes).expect("written");
    }
    let out = work.path().join("out");
    let summary = formats::convert(None, &from, &out, Lang::En).expect("converted");
    let findings = fs::read_to_string(out.join("findings.jsonl")).expect("findings");
    let code = |line: &str| line.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("").to_owned();
    let codes = findings.lines().map(code).collect();
    let column = move |table: &str, name: &str| {
        let _keep = &work;
        column(&out.join(format!("{table}.csv")), name)
    };
    (summary, column, codes)
}

fn column(path: &Path, name: &str) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a table");
    let mut lines = text.lines();
    let at = lines.next().expect("a header").split(',').position(|c| c == name).expect("a column");
    lines.map(|l| l.split(',').nth(at).expect("a cell").to_owned()).collect()
}

fn total(charges: &[String]) -> f64 {
    charges.iter().filter_map(|c| c.parse::<f64>().ok()).sum()
}

fn claims() -> (String, Vec<u8>) {
    let (_, bytes) = sample("receipt/clean/RECEIPTC.UKE");
    (encoding_rs::SHIFT_JIS.decode(&bytes).0.into_owned(), bytes)
}

fn sjis(text: &str) -> Vec<u8> {
    encoding_rs::SHIFT_JIS.encode(text).0.into_owned()
}

#[test]
fn a_file_that_comes_again_under_another_name_adds_nothing() {
    for (kind, name) in [
        ("receipt/clean/RECEIPTC.UKE", "RECEIPTC.UKE"),
        ("dpc/clean/EFn_139999991_2406.txt", "EFn_139999991_2406.txt"),
        ("dpc/clean/FF1_139999991_2406.txt", "FF1_139999991_2406.txt"),
    ] {
        let bytes = sample(kind).1;
        let (once, ..) = convert(&[(&format!("a/{name}"), bytes.clone())]);
        let (twice, _, codes) = convert(&[(&format!("a/{name}"), bytes.clone()), (&format!("again/{name}"), bytes)]);
        assert_eq!(once.rows, twice.rows, "{kind}");
        assert!(codes.iter().any(|c| c == "formats-file-twice"), "{kind}: {codes:?}");
    }
}

#[test]
fn lines_that_come_again_in_another_file_are_told_and_make_no_rows() {
    // The second file has a line more: it is not the same file.
    let bytes = sample("dpc/clean/EFn_139999991_2406.txt").1;
    let more = [bytes.clone(), b"\r\n".to_vec()].concat();
    let (once, ..) = convert(&[("a/EFn_139999991_2406.txt", bytes.clone())]);
    let (twice, _, codes) = convert(&[("a/EFn_139999991_2406.txt", bytes), ("b/EFn_139999991_2406.txt", more)]);
    assert_eq!(once.rows, twice.rows);
    assert!(codes.iter().any(|c| c == "dpc-double-line"), "{codes:?}");
}

#[test]
fn the_lines_of_a_stay_need_not_stand_together_and_a_stay_counts_once() {
    let bytes = sample("dpc/clean/FF1_139999991_2406.txt").1;
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    let header = usize::from(!lines[0].first().is_some_and(u8::is_ascii_digit));
    let (whole, column_of_whole, _) = convert(&[("FF1_139999991_2406.txt", bytes.clone())]);
    // Every line away from its neighbour.
    let (head, rest) = lines.split_at(header);
    let mixed: Vec<u8> =
        head.iter().chain(rest.iter().step_by(2)).chain(rest.iter().skip(1).step_by(2)).flat_map(|l| l.to_vec()).collect();
    let (scattered, column, _) = convert(&[("FF1_139999991_2406.txt", mixed.clone())]);
    assert_eq!(whole.rows, scattered.rows);
    for (table, name) in
        [("visit_occurrence", "admitted_from_source_value"), ("measurement", "measurement_date"), ("death", "death_date")]
    {
        let sorted = |mut values: Vec<String>| {
            values.sort();
            values
        };
        assert_eq!(sorted(column_of_whole(table, name)), sorted(column(table, name)), "{table}.{name}");
    }
    // The same stays in another order of lines: told, not counted again.
    let (twice, _, codes) = convert(&[("a/FF1_139999991_2406.txt", bytes), ("b/FF1_139999991_2406.txt", mixed)]);
    assert_eq!(whole.rows, twice.rows);
    assert!(codes.iter().any(|c| c == "dpc-stay-twice"), "{codes:?}");
}

#[test]
fn a_claim_twice_in_a_file_counts_once_and_the_later_one_stands() {
    let (text, bytes) = claims();
    let (once, column_once, _) = convert(&[("RECEIPTC.UKE", bytes)]);
    let start = text.find("RE,").expect("a claim");
    let end = text[start + 3..].find("\r\nRE,").map_or(text.len(), |at| start + 3 + at + 2);
    let doubled = format!("{}{}{}", &text[..end], &text[start..end], &text[end..]);
    let (twice, column, codes) = convert(&[("RECEIPTC.UKE", sjis(&doubled))]);
    assert_eq!(once.rows, twice.rows);
    assert_eq!(total(&column_once("cost", "total_charge")), total(&column("cost", "total_charge")));
    assert!(codes.iter().any(|c| c == "receipt-claim-twice"), "{codes:?}");
}

#[test]
fn a_returned_claim_that_was_billed_again_under_another_insurer_counts_once() {
    let (text, bytes) = claims();
    let insurer = text.split("\r\nHO,").nth(1).and_then(|rest| rest.split(',').next()).expect("an insurer").to_owned();
    let corrected =
        text.replace(&format!("HO,{insurer}"), "HO,  138057").replace("あぜくら総合病院,202408", "あぜくら総合病院,202410");
    assert_ne!(corrected, text);
    let (original, column_once, _) = convert(&[("a/RECEIPTC.UKE", bytes.clone())]);
    let charge = total(&column_once("cost", "total_charge"));
    // Both stand without the notice of return: two insurers of one month are two claims.
    let (_, column_both, _) = convert(&[("a/RECEIPTC.UKE", bytes.clone()), ("b/RECEIPTC.UKE", sjis(&corrected))]);
    assert!(total(&column_both("cost", "total_charge")) > charge);
    let files = [
        ("a/RECEIPTC.UKE", bytes.clone()),
        ("b/RECEIPTC.HEN", sjis(&format!("{text}\r\n"))),
        ("c/RECEIPTC.UKE", sjis(&corrected)),
    ];
    let (after, column, codes) = convert(&files);
    assert_eq!(after.rows["cost"], original.rows["cost"], "{codes:?}");
    assert_eq!(total(&column("cost", "total_charge")), charge);
    assert!(codes.iter().any(|c| c == "receipt-cancelled"), "{codes:?}");
    // Billed again and returned again: nothing stands.
    let again = text.replace("あぜくら総合病院,202408", "あぜくら総合病院,202410");
    let twice =
        [files[0].clone(), files[1].clone(), ("c/RECEIPTC.UKE", sjis(&again)), ("d/RECEIPTC.HEN", sjis(&format!("{again}\r\n")))];
    let (_, column, _) = convert(&twice);
    assert_eq!(total(&column("cost", "total_charge")), 0.0);
    // Billed again in the same way: the new one stands, whatever was returned.
    let (_, column, _) = convert(&[files[0].clone(), files[1].clone(), ("c/RECEIPTC.UKE", sjis(&again))]);
    assert_eq!(total(&column("cost", "total_charge")), charge);
}

#[test]
fn a_claim_takes_the_amounts_from_the_files_of_its_own_hospital_and_month_alone() {
    let ef = sample("dpc/clean/EFn_139999991_2406.txt").1;
    let charges = |files: &[(&str, Vec<u8>)]| {
        let (_, column, _) = convert(files);
        let (sources, charges) = (column("cost", "revenue_code_source_value"), column("cost", "total_charge"));
        let ef: Vec<String> = sources.into_iter().zip(charges).filter(|(s, _)| s.starts_with("EF:")).map(|(_, c)| c).collect();
        (ef.iter().filter(|c| !c.is_empty()).count(), ef.len())
    };
    let alone = charges(&[("EFn_139999991_2406.txt", ef.clone())]);
    assert!(alone.0 > 0 && alone.0 == alone.1);
    // Another hospital's pharmacy claim says nothing of these.
    let pharmacy = sample("receipt/clean/RECEIPTY.UKE").1;
    assert_eq!(charges(&[("EFn_139999991_2406.txt", ef.clone()), ("RECEIPTY.UKE", pharmacy)]), alone);
    // The bundle's stays are told by D, others not.
    let d = sample("dpc/clean/Dn_139999991_2406.txt").1;
    let with_d = charges(&[("EFn_139999991_2406.txt", ef.clone()), ("Dn_139999991_2406.txt", d.clone())]);
    assert!(with_d.0 < alone.0, "{with_d:?} {alone:?}");
    let other = String::from_utf8_lossy(&d).replace("139999991\t", "139999992\t").into_bytes();
    assert_eq!(charges(&[("EFn_139999991_2406.txt", ef), ("Dn_139999992_2406.txt", other)]), alone);
}

#[test]
fn the_amount_of_an_outpatients_claim_on_the_day_of_admission_is_not_the_stays() {
    let head = "IR,1,13,1,9999991,,H,202407,00,\r\n";
    let claim = |kind: &str, admission: &str, points: u32| {
        format!(
            "RE,1,{kind},202406,A B,1,19500101,,{admission},,,,,77,,,,,,,,,,,,,,,,,,,,,,,A B,\r\nHO,00138057,1,2,1,{points},,,,,,,,,\r\nJD,1,{}\r\n",
            "1,".to_owned() + &",".repeat(29)
        )
    };
    // Both begin on 1 June: a visit of an outpatient and a stay.
    let text = format!("{head}{}{}GO,2,300,99\r\n", claim("1111", "20240601", 200), claim("1112", "", 100));
    let (_, column, codes) = convert(&[("RECEIPTC.UKE", text.into_bytes())]);
    let visits: Vec<(String, String)> = column("visit_occurrence", "visit_occurrence_id")
        .into_iter()
        .zip(column("visit_occurrence", "visit_concept_id"))
        .collect();
    let costs: Vec<(String, String)> = column("cost", "total_charge").into_iter().zip(column("cost", "cost_event_id")).collect();
    let class_of = |charge: &str| {
        let id = &costs.iter().find(|(c, _)| c.parse::<f64>().ok() == charge.parse().ok()).expect("a cost").1;
        visits.iter().find(|(v, _)| v == id).map(|(_, class)| class.clone())
    };
    assert_eq!(visits.len(), 2, "{visits:?} {codes:?}");
    assert_eq!((class_of("2000").as_deref(), class_of("1000").as_deref()), (Some("9201"), Some("9202")));
}

#[test]
fn a_resource_of_one_name_counts_once_and_those_of_two_documents_each() {
    let patient = r#"{"resourceType":"Patient","id":"p","birthDate":"1960-01-01"}"#;
    let height = |id: &str, value: u32| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"H"}},"effectiveDateTime":"2024-01-02","valueQuantity":{{"value":{value}}},"subject":{{"reference":"Patient/p"}}}}"#
        )
    };
    let lines = [patient.to_owned(), height("a", 150), height("b", 151)].join("\n");
    let more = [height("a", 150), height("c", 152)].join("\n");
    let (_, column, codes) = convert(&[("x/1.ndjson", lines.clone().into_bytes()), ("x/2.ndjson", more.clone().into_bytes())]);
    assert_eq!(column("measurement", "value_as_number"), ["150.0", "151.0", "152.0"]);
    assert!(codes.iter().any(|c| c == "fhir-again"), "{codes:?}");
    let document = |value: u32| {
        format!(
            r#"{{"resourceType":"Bundle","type":"document","entry":[{{"fullUrl":"urn:uuid:1","resource":{patient}}},{{"fullUrl":"urn:uuid:2","resource":{}}}]}}"#,
            height("a", value)
        )
    };
    let (_, column, _) = convert(&[("1.json", document(150).into_bytes()), ("2.json", document(160).into_bytes())]);
    assert_eq!(column("measurement", "value_as_number").len(), 2, "ids of documents hold within them");
}

#[test]
fn lines_that_end_at_cr_alone_are_all_read() {
    for (path, name) in
        [("dpc/clean/EFn_139999991_2406.txt", "EFn_139999991_2406.txt"), ("receipt/clean/RECEIPTC.UKE", "RECEIPTC.UKE")]
    {
        let bytes = sample(path).1;
        let old: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'\n').collect();
        let (whole, _, _) = convert(&[(name, bytes)]);
        let (read, _, codes) = convert(&[(name, old)]);
        assert_eq!(whole.rows, read.rows, "{path}: {codes:?}");
    }
}

#[test]
fn a_bundle_in_a_bundle_is_read_and_an_entry_that_is_none_loses_itself_alone() {
    let patient = r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:oid:1.2.392.100495.20.3.51.11310000001","value":77}],"name":[{"family":"A","given":[null,"B"]}],"birthDate":"1960-01-01"}"#;
    let height = |value: u32| {
        format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"H"}},"effectiveDateTime":"2024-01-02","valueQuantity":{{"value":{value}}},"subject":{{"reference":"Patient/p"}}}}"#
        )
    };
    let inner = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{patient}}},{{"resource":{{"resourceType":5}}}},{{"resource":{}}}]}}"#,
        height(152)
    );
    let outer = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{patient}}},{{"resource":{}}},{{"resource":{{"resourceType":5}}}},{{"resource":{inner}}}]}}"#,
        height(150)
    );
    let (summary, column, codes) = convert(&[("1.json", outer.into_bytes())]);
    assert_eq!(summary.counts.records_unread, 2, "{codes:?} {:?}", summary.counts);
    let mut values = column("measurement", "value_as_number");
    values.sort();
    assert_eq!(
        (values, codes.iter().filter(|c| *c == "fhir-entry").count()),
        (vec!["150.0".to_owned(), "152.0".to_owned()], 2),
        "{codes:?}"
    );
    assert_eq!(
        (column("identity", "local_patient_id"), column("identity", "given_name")),
        (vec!["77".to_owned()], vec!["B".to_owned()])
    );
}

#[cfg(unix)]
#[test]
fn a_tar_that_breaks_off_gives_what_came_before_and_says_so() {
    let work = tempfile::tempdir().expect("a directory");
    let whole = {
        let mut tar = tar::Builder::new(Vec::new());
        for name in ["RECEIPTC.UKE", "RECEIPTD.UKE"] {
            let content = sample(&format!("receipt/clean/{name}")).1;
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            header.set_cksum();
            tar.append_data(&mut header, name, content.as_slice()).expect("written");
        }
        tar.into_inner().expect("whole")
    };
    let first = 512 + sample("receipt/clean/RECEIPTC.UKE").1.len().next_multiple_of(512);
    let rows_of = |bytes: &[u8], name: &str| {
        let path = work.path().join(format!("{name}.tar"));
        fs::write(&path, bytes).expect("written");
        let out = work.path().join(name);
        let summary = formats::convert(None, &path, &out, Lang::En).expect("converted");
        (
            summary.rows["procedure_occurrence"],
            summary.broken_off,
            fs::read_to_string(out.join("findings.jsonl")).expect("findings"),
        )
    };
    let (all, broken, _) = rows_of(&whole, "whole");
    assert!(!broken && all > 0);
    // In the header of the second file, and in its content.
    for (name, cut) in [("header", first + 100), ("content", first + 512 + 300)] {
        let (rows, broken, findings) = rows_of(&whole[..cut], name);
        assert!(broken && 0 < rows && rows < all, "{name}: {rows} of {all}");
        assert!(findings.contains("formats-tar-broken"), "{name}: {findings}");
    }
}

#[test]
fn a_link_is_told_and_not_followed() {
    let work = tempfile::tempdir().expect("a directory");
    let (from, outside) = (work.path().join("in"), work.path().join("outside"));
    fs::create_dir_all(&from).expect("made");
    fs::create_dir_all(&outside).expect("made");
    fs::write(outside.join("RECEIPTC.UKE"), sample("receipt/clean/RECEIPTC.UKE").1).expect("written");
    std::os::unix::fs::symlink(&outside, from.join("July")).expect("linked");
    let out = work.path().join("out");
    let summary = formats::convert(None, &from, &out, Lang::En).expect("converted");
    let findings = fs::read_to_string(out.join("findings.jsonl")).expect("findings");
    assert_eq!(summary.rows["cost"], 0);
    assert!(findings.contains("formats-link") && findings.contains("July"), "{findings}");
}
