//! A delivery without somebody says nothing of them, and of everybody else what it said before.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use formats::without::{Kept, Without, WithoutError};
use formats::{AnyPrescan, AnyReader, ForLake, Format, Member, Reader as _};
use terms::PatientIdRule;

use crate::harness::{File, Outcome, tree};

const HOSPITAL: &str = "1319999991";
/// B as lists name whoever is known by a card alone.
pub const B_BY_CARD: &str = "insured:00139998:江01:234567::1971-11-02:2:アリアケ ハナコ";

pub fn samples(below: &str) -> Vec<File> {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(below);
    tree(&root)
}

/// What is left of files, of each file how much; files of which nothing is left are there, empty or not.
pub fn without_by(format: Format, rule: PatientIdRule, files: &[File], left: &[&str]) -> Result<Vec<(File, Kept)>, WithoutError> {
    let left: HashSet<_> = left.iter().map(|id| rule.canonical(id).expect("an id")).collect();
    let mut without = Without::new(format, HOSPITAL, rule, left);
    for look in 0..without.looks() {
        for (path, bytes) in files {
            without.look(look, path, &mut bytes.as_slice())?;
        }
    }
    let mut out = Vec::new();
    for (path, bytes) in files {
        let (mut once, mut again) = (Vec::new(), Vec::new());
        let kept = without.write(path, &mut bytes.as_slice(), &mut once)?;
        assert_eq!(without.write(path, &mut bytes.as_slice(), &mut again)?, kept);
        assert!(once == again, "{path}");
        out.push(((path.clone(), once), kept));
    }
    Ok(out)
}

pub fn without(format: Format, files: &[File], left: &[&str]) -> Result<Vec<(File, Kept)>, WithoutError> {
    without_by(format, PatientIdRule::Digits, files, left)
}

fn read(format: Format, files: &[File]) -> Outcome {
    let lake = ForLake { institution: HOSPITAL, rule: PatientIdRule::Digits, chunk_rows: 1_000_000 };
    let mut prescan = AnyPrescan::for_lake(format, &lake);
    let member = |(ordinal, (path, bytes)): (usize, &File), take: &mut dyn FnMut(Member<'_>)| {
        let size = bytes.len() as u64;
        take(Member { path, payload: 1, ordinal: ordinal as u64, size, content: &mut bytes.as_slice() });
    };
    for file in files.iter().enumerate() {
        member(file, &mut |m| prescan.member(m).expect("scanned"));
    }
    let mut reader = AnyReader::for_lake(format, prescan, &lake);
    let mut out = Outcome::default();
    let mut take = |chunk| {
        out.add(chunk);
        Ok(())
    };
    for file in files.iter().enumerate() {
        member(file, &mut |m| reader.member(m, &mut take).expect("read"));
    }
    reader.finish(&mut take).expect("the end");
    out
}

fn people(outcome: &Outcome) -> BTreeSet<String> {
    outcome.patients.iter().map(|p| p.local_id.clone()).collect()
}

/// Every spelling of a text that a file can have.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    let (sjis, euc) = (encoding_rs::SHIFT_JIS.encode(text).0.into_owned(), encoding_rs::EUC_JP.encode(text).0.into_owned());
    vec![text.as_bytes().to_vec(), sjis, euc]
}

fn holds(file: &[u8], text: &str) -> bool {
    spellings(text).iter().any(|s| file.windows(s.len()).any(|w| w == s))
}

/// Of files of lines and documents: files, who is left out as lists write it, the same as readers name it, and what would name them in the files.
fn cases() -> Vec<(Format, &'static str, &'static str, &'static str, Vec<&'static str>)> {
    vec![
        (Format::Dpc, "dpc/clean", "456", "456", vec!["0000000456", "アリアケ", "ｱﾘｱｹ", "19711102"]),
        (Format::Dpc, "dpc/clean", "0000001011", "1011", vec!["0000001011", "シバ", "20160505"]),
        (Format::Receipt, "receipt/clean", "00456", "456", vec![",456,"]),
        (Format::Receipt, "receipt/clean", "123", "123", vec![",123,"]),
        (Format::Receipt, "receipt/legacy", "０４５６", "456", vec!["有明", "アリアケ", ",456,"]),
        (Format::Checkup, "checkup/clean", B_BY_CARD, "insured-", vec!["アリアケ", "19711102", "２３４５６７"]),
        (Format::Checkup, "checkup/csv", "456", "456", vec!["00000456", "ｱﾘｱｹ", "S46.11.02"]),
    ]
}

#[test]
fn of_who_is_left_out_nothing_is_there_and_of_everybody_else_everything() {
    for (format, below, written, id, words) in cases() {
        let files = samples(below);
        let before = read(format, &files);
        let left = without(format, &files, &[written]).unwrap_or_else(|e| panic!("{below}: {e}"));
        let kept: Vec<File> = left.iter().map(|(file, _)| file.clone()).collect();
        let after = read(format, &kept);
        let gone: BTreeSet<String> = people(&before).difference(&people(&after)).cloned().collect();
        assert_eq!(gone.len(), 1, "{below}");
        let gone = gone.first().expect("somebody").clone();
        let canonical = |id: &str| PatientIdRule::Digits.canonical(id).ok();
        assert!(canonical(&gone) == canonical(id) || (id.starts_with("insured") && gone.starts_with("insured-")), "{below}");
        let others = |o: &Outcome| {
            let mut rows: Vec<_> = o.rows.iter().filter(|r| r.patient != gone).cloned().collect();
            rows.iter_mut().for_each(|r| {
                // Where a row stands in its file is another place now.
                r.columns.remove("member_ordinal");
                r.columns.remove("content_hash");
            });
            rows.sort();
            rows
        };
        assert!(after.rows.iter().all(|r| r.patient != gone), "{below}");
        assert!(others(&after) == others(&before), "{below}: rows of somebody else changed");
        for ((path, bytes), _) in &left {
            for word in &words {
                assert!(!holds(bytes, word), "{path} holds a word of who is left out");
            }
        }
        assert!(words.iter().any(|word| files.iter().any(|(_, bytes)| holds(bytes, word))), "{below}");
        assert!(left.iter().map(|(_, k)| k.left_out).sum::<u64>() > 0);
    }
}

#[test]
fn files_in_which_nobody_is_left_out_stay_byte_for_byte() {
    for (format, below) in [
        (Format::Dpc, "dpc/clean"),
        (Format::Receipt, "receipt/clean"),
        (Format::Receipt, "receipt/legacy"),
        (Format::Receipt, "receipt/published"),
        (Format::Checkup, "checkup/clean"),
        (Format::Checkup, "checkup/csv"),
        (Format::Fhir, "fhir-jp/handmade/bulk"),
    ] {
        let files: Vec<File> = samples(below).into_iter().filter(|(path, _)| !path.ends_with("LICENSE.txt")).collect();
        for ((path, bytes), kept) in without(format, &files, &["77777"]).unwrap_or_else(|e| panic!("{below}: {e}")) {
            let before = files.iter().find(|(p, _)| *p == path).map(|(_, b)| b.clone());
            assert!(before == Some(bytes) && kept.left_out == 0, "{path}");
        }
    }
}

#[test]
fn claims_go_whole_and_the_total_counts_what_is_left() {
    let files: Vec<File> = samples("receipt/clean").into_iter().filter(|(p, _)| p == "RECEIPTC.UKE").collect();
    let left = without(Format::Receipt, &files, &["456"]).expect("filtered");
    let ((_, bytes), kept) = &left[0];
    assert_eq!(*kept, Kept { people: true, others: false, left_out: 1 });
    let lines = |bytes: &[u8]| bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    // Naive: the lines from B's RE to the next one.
    let before = lines(&files[0].1);
    let begins = |line: &[u8], what: &[u8]| line.starts_with(what);
    let re = before.iter().position(|l| begins(l, b"RE,2,")).expect("B's claim");
    let next = (re + 1..before.len()).find(|n| begins(&before[*n], b"RE,")).expect("the next claim");
    let mut naive: Vec<Vec<u8>> = before[..re].iter().chain(&before[next..]).cloned().collect();
    let total = naive.iter().position(|l| begins(l, b"GO,")).expect("a total");
    let stated: Vec<i64> = String::from_utf8_lossy(&naive[total])
        .trim_end_matches(['\r', '\n', '\u{1A}'])
        .split(',')
        .skip(1)
        .map(|n| n.parse().expect("a number"))
        .collect();
    let text = format!("GO,{},{},{}", stated[0] - 1, stated[1] - 125, stated[2]);
    let end = naive[total].iter().position(|b| *b == b'\r').expect("an end");
    naive[total].splice(..end, text.into_bytes());
    assert!(lines(bytes) == naive);
    let read = read(Format::Receipt, &[left[0].0.clone()]);
    assert!(!read.codes().contains(&"receipt-trailer"));
}

#[test]
fn keys_beside_a_claim_that_is_left_out_go_with_it() {
    let claim = |n: u32, chart: u32| {
        format!("RE,{n},1112,202407,X,1,19580314,,,,,,,{chart},,\r\nHO,06139992,1,2,1,100,,\r\nSY,8838708,20240610,1,,,,\r\n")
    };
    let head = "IR,1,13,1,9999991,,H,202408,00,1\r\n";
    let before = format!("{head}MN,k1\r\n{}MN,k2\r\n{}MN,k3\r\n{}GO,3,300,99\r\n", claim(1, 1), claim(2, 2), claim(3, 3));
    let file = |text: &str| vec![("a.UKE".to_owned(), text.as_bytes().to_vec())];
    let left = without(Format::Receipt, &file(&before), &["2"]).expect("filtered");
    let text = String::from_utf8(left[0].0.1.clone()).expect("text");
    assert_eq!(text, format!("{head}MN,k1\r\n{}{}GO,2,200,99\r\n", claim(1, 1), claim(3, 3)));
}

#[test]
fn what_nobody_can_be_named_for_is_refused_with_its_file_and_line() {
    let refused = |format, path: &str, bytes: &[u8]| match without(format, &[(path.to_owned(), bytes.to_vec())], &["1"]) {
        Err(WithoutError::Nobodys { path: file, line, .. }) => {
            assert_eq!(file, path);
            line
        }
        _ => panic!("{path} was taken"),
    };
    let head = "IR,1,13,1,9999991,,H,202408,00,1\r\n";
    let re = "RE,1,1112,202407,X,1,19580314,,,,,,,7,,\r\n";
    assert_eq!(refused(Format::Receipt, "a.UKE", format!("{head}{re}ZZ,1\r\n").as_bytes()), 3);
    assert_eq!(refused(Format::Receipt, "a.UKE", format!("{head}HO,1\r\n").as_bytes()), 2);
    assert_eq!(refused(Format::Receipt, "a.UKE", re.as_bytes()), 1);
    // No chart, no card; and the head of a claim whose RE is spoilt.
    assert_eq!(refused(Format::Receipt, "a.UKE", format!("{head}{}", re.replace(",7,", ",,")).as_bytes()), 2);
    assert_eq!(refused(Format::Receipt, "a.UKE", format!("{head}{re}SY,1,20240610,1\r\nHO,1,2,3\r\n").as_bytes()), 4);
    assert_eq!(refused(Format::Dpc, "EFn_139999991_2406.txt", b"139999991\t\t20240621\r\n"), 1);
    assert_eq!(refused(Format::Dpc, "EFn_139999991_2406.txt", b"\r\nnonsense\r\n"), 2);
    assert_eq!(refused(Format::Dpc, "README.md", b"# read me\r\n"), 1);
    assert_eq!(refused(Format::Fhir, "a.ndjson", br#"{"resourceType":"Observation","status":"final"}"#), 1);
    assert_eq!(
        refused(
            Format::Fhir,
            "a.ndjson",
            b"\n{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/unknown\"}}"
        ),
        2
    );
    assert_eq!(refused(Format::Fhir, "a.ndjson", b"{\"resourceType\":\"Patient\",\"id\":\"p\"}"), 1);
    assert_eq!(refused(Format::Fhir, "a.ndjson", b"{\"resourceType\":"), 1);
    assert_eq!(refused(Format::Checkup, "a.csv", b"a,b\r\n1,2\r\n"), 1);
    assert_eq!(refused(Format::Checkup, "a.xml", b"<ClinicalDocument><x>"), 1);
    assert_eq!(refused(Format::Checkup, "a.xml", b"<ClinicalDocument/>"), 1);
}

fn json(parts: &[String]) -> Vec<u8> {
    (parts.join("\n") + "\n").into_bytes()
}

fn patient(id: &str, number: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"urn:oid:1.2.392.100495.20.3.51.11319999991","value":"{number}"}}]{more}}}"#
    )
}

fn resource(kind: &str, id: &str, more: &str) -> String {
    format!(r#"{{"resourceType":"{kind}","id":"{id}"{more}}}"#)
}

fn subject(of: &str) -> String {
    format!(r#","subject":{{"reference":"Patient/{of}"}}"#)
}

#[test]
fn resources_go_with_everything_that_names_the_person_and_what_only_they_refer_to() {
    let files = vec![
        (
            "Organization.ndjson".to_owned(),
            json(&[
                resource("Organization", "o1", ""),
                resource("Organization", "o2", ""),
                resource("Organization", "alone", ""),
            ]),
        ),
        ("Practitioner.ndjson".to_owned(), json(&[resource("Practitioner", "shared", ""), resource("Practitioner", "hers", "")])),
        (
            "PractitionerRole.ndjson".to_owned(),
            json(&[resource(
                "PractitionerRole",
                "r1",
                r#","practitioner":{"reference":"Practitioner/hers"},"organization":{"reference":"Organization/o2"}"#,
            )]),
        ),
        (
            "Patient.ndjson".to_owned(),
            json(&[
                patient("p1", "0000000456", ""),
                patient("p2", "789", ""),
                patient("p3", "999", r#","link":[{"other":{"reference":"Patient/p1"},"type":"seealso"}]"#),
            ]),
        ),
        (
            "Observation.ndjson".to_owned(),
            json(&[
                resource(
                    "Observation",
                    "a",
                    &format!(
                        r#"{},"performer":[{{"reference":"PractitionerRole/r1"}},{{"reference":"Practitioner/shared"}}]"#,
                        subject("p1")
                    ),
                ),
                resource(
                    "Observation",
                    "b",
                    &format!(r#"{},"performer":[{{"reference":"Practitioner/shared"}}]"#, subject("p2")),
                ),
                resource("Observation", "c", &subject("p3")),
                resource("Observation", "d", &format!(r#"{},"focus":[{{"reference":"Patient/p1"}}]"#, subject("p2"))),
                resource(
                    "Observation",
                    "e",
                    r#","subject":{"identifier":{"system":"urn:oid:1.2.392.100495.20.3.51.11319999991","value":"00456"}}"#,
                ),
            ]),
        ),
    ];
    let left = without(Format::Fhir, &files, &["456"]).expect("filtered");
    let ids: Vec<String> = left
        .iter()
        .flat_map(|((_, bytes), _)| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>())
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            value["id"].as_str().unwrap_or("").to_owned()
        })
        .collect();
    assert_eq!(ids, ["o1", "alone", "shared", "p2", "b"].map(str::to_owned).to_vec(), "o1 and o2 differ by who refers to them");
}

#[test]
fn a_bundle_loses_its_entries_and_one_in_which_nobody_is_left_goes_whole() {
    let entry = |resource: &str| format!("    {{ \"fullUrl\" : \"urn:uuid:{}\", \"resource\" : {resource} }}", resource.len());
    let hers = [patient("p1", "456", ""), resource("Condition", "c1", &subject("p1")), resource("Practitioner", "d1", "")];
    let others = [patient("p2", "789", ""), resource("Condition", "c2", &subject("p2"))];
    let bundle = |entries: &[String]| {
        format!(
            "{{\n  \"resourceType\": \"Bundle\", \"type\": \"collection\",\n  \"entry\": [\n{}\n  ]\n}}\n",
            entries.join(",\n")
        )
        .into_bytes()
    };
    let (a, b) = (hers.map(|r| entry(&r)), others.map(|r| entry(&r)));
    let mixed = vec![a[0].clone(), b[0].clone(), a[1].clone(), b[1].clone()];
    let files = vec![
        ("one.json".to_owned(), bundle(&a)),
        ("many.json".to_owned(), bundle(&mixed)),
        ("others.json".to_owned(), bundle(&b)),
    ];
    let left = without(Format::Fhir, &files, &["0456"]).expect("filtered");
    assert_eq!(left[0].1, Kept { people: false, others: false, left_out: 2 });
    assert!(left[0].0.1.is_empty());
    assert_eq!(String::from_utf8_lossy(&left[1].0.1), String::from_utf8_lossy(&bundle(&b)));
    assert_eq!(left[2].0.1, bundle(&b));
}

#[test]
fn the_samples_of_fhir_say_of_the_other_patient_what_they_said_before() {
    let files = samples("fhir-jp/handmade/bulk");
    let ours: Vec<File> = files
        .iter()
        .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).replace("1311234567", HOSPITAL).into_bytes()))
        .collect();
    let before = read(Format::Fhir, &ours);
    let all = people(&before);
    assert_eq!(all.len(), 2);
    for gone in &all {
        let left = without(Format::Fhir, &ours, &[&format!("000{gone}")]).expect("filtered");
        let kept: Vec<File> = left.iter().map(|(file, _)| file.clone()).collect();
        let after = read(Format::Fhir, &kept);
        assert_eq!(people(&after), all.iter().filter(|id| *id != gone).cloned().collect());
        let of = |o: &Outcome| o.rows.iter().filter(|r| r.patient != *gone).count();
        assert_eq!(of(&before), of(&after));
        for (path, bytes) in &kept {
            // Its end: a number in the middle of another is somebody else's.
            assert!(!holds(bytes, &format!("{gone}\"")), "{path}");
        }
    }
}

#[test]
fn an_archive_is_packed_anew_with_its_other_documents_as_they_were() {
    let clean = samples("checkup/clean");
    let document = |part: &str| clean.iter().find(|(p, _)| p.contains(part) && p.contains("DATA")).expect("a document").1.clone();
    let index = clean.iter().find(|(p, _)| p.contains("00139998") && p.contains("ix08")).expect("an index").1.clone();
    let index = String::from_utf8(index)
        .expect("text")
        .replace("totalRecordCount value=\"1\"", "totalRecordCount value=\"2\"")
        .into_bytes();
    let (hers, his) = (document("00139998"), document("06139992"));
    let settlement = b"<checkupClaim xmlns=\"urn:x\"><a>1</a></checkupClaim>".to_vec();
    let entries = [
        ("x/ix08_V08.xml", index),
        ("x/DATA/h1.xml", hers),
        ("x/DATA/h2.xml", his.clone()),
        ("x/CLAIMS/c1.xml", settlement.clone()),
        ("x/CLAIMS/c2.xml", settlement.clone()),
        ("x/su08_V08.xml", b"<summary></summary>".to_vec()),
    ];
    let files = vec![("a.zip".to_owned(), zip(&entries))];
    let left = without(Format::Checkup, &files, &[B_BY_CARD]).expect("filtered");
    let ((_, bytes), kept) = &left[0];
    assert_eq!(*kept, Kept { people: true, others: false, left_out: 2 });
    let inside = formats::checkup::entries(bytes).expect("an archive");
    let names: Vec<&str> = inside.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(names, ["x/ix08_V08.xml", "x/DATA/h2.xml", "x/CLAIMS/c2.xml", "x/su08_V08.xml"]);
    let mut plain = Vec::new();
    assert!(inside[0].unpack(&mut plain) && holds(&plain, "totalRecordCount value=\"1\""));
    assert!(inside[1].unpack(&mut plain) && plain == his);
    assert!(!read(Format::Checkup, &[left[0].0.clone()]).codes().contains(&"checkup-index-count"));
    // A settlement of nobody's document may be hers.
    let orphan = [("x/DATA/h2.xml", his), ("x/CLAIMS/c9.xml", settlement)];
    assert!(without(Format::Checkup, &[("a.zip".to_owned(), zip(&orphan))], &[B_BY_CARD]).is_err());
}

/// A zip of stored entries.
fn zip(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let offset = bytes.len() as u32;
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let mut head = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for long in [crc.sum(), content.len() as u32, content.len() as u32] {
            head.extend_from_slice(&long.to_le_bytes());
        }
        head.extend_from_slice(&(name.len() as u16).to_le_bytes());
        head.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(content);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&head);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let at = bytes.len() as u32;
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    let count = (entries.len() as u16).to_le_bytes();
    bytes.extend_from_slice(&[count, count].concat());
    bytes.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&at.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

#[test]
fn an_insurers_claims_are_judged_by_the_card_whatever_chart_they_name() {
    let files: Vec<File> = samples("receipt/clean").into_iter().collect();
    let left = without_by(Format::Receipt, PatientIdRule::Insured, &files, &[B_BY_CARD]).expect("filtered");
    let out: u64 = left.iter().map(|(_, k)| k.left_out).sum();
    assert_eq!(out, 3, "medical, DPC and dental");
    for ((path, bytes), _) in &left {
        for word in ["有明", "アリアケ", ",456,", "２３４５６７"] {
            assert!(!holds(bytes, word), "{path}");
        }
    }
}

#[test]
fn lines_of_random_tables_stay_or_go_as_in_a_naive_filter() {
    let mut seed = 7u64;
    let mut next = move |most: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % most
    };
    for _ in 0..60 {
        let ends = ["\r\n", "\n", "\r"][next(3) as usize];
        let (mut text, mut naive) = (String::new(), String::new());
        for n in 0..next(80) {
            let id = next(6);
            let padded = ["{}", "000{}", "00000000{}", " {} "][next(4) as usize].replace("{}", &id.to_string());
            let line = format!("139999991\t{padded}\t20240621\t20240610\t60\t{n:04}\t000\t\t160008010{ends}");
            text += &line;
            if id != 3 && id != 5 {
                naive += &line;
            }
        }
        let files = vec![("EFn_139999991_2406.txt".to_owned(), text.into_bytes())];
        let left = without(Format::Dpc, &files, &["3", "0005"]).expect("filtered");
        assert_eq!(String::from_utf8_lossy(&left[0].0.1), naive);
    }
}

#[test]
fn whatever_the_bytes_a_file_is_refused_or_filtered_to_the_end() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
        for (format, path, head) in [
            (Format::Receipt, "a.UKE", &b"IR,1,13,1,9999991,,H,202408,00,1\r\nRE,1,1112,202407,X,1,19580314,,,,,,,7,,\r\n"[..]),
            (Format::Dpc, "EFn_139999991_2406.txt", b""),
            (Format::Fhir, "a.ndjson", b""),
            (Format::Fhir, "a.json", b"{\"resourceType\":\"Bundle\",\"entry\":["),
            (Format::Checkup, "a.xml", b""),
            (Format::Checkup, "a.zip", b"PK\x03\x04"),
        ] {
            let _ = without(format, &[(path.to_owned(), [head, bytes.as_slice()].concat())], &["1"]);
        }
    });
}
