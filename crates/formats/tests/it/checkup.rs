//! Checkups.

use std::collections::BTreeSet;

use formats::Member;
use formats::checkup::{CheckupReader, Mapping, Options, Prescan};
use serde_json::Value;

use crate::harness::{File, Outcome, expected, other_samples, read_by, sample, tree};

fn read(files: &[File]) -> Outcome {
    let mut prescan = Prescan::default();
    for (path, bytes) in files {
        let size = bytes.len() as u64;
        prescan.member(Member { path, payload: 1, ordinal: 0, size, content: &mut bytes.as_slice() }).expect("scanned");
    }
    read_by(&mut CheckupReader::new(Options { mappings: prescan.finish(), ..Options::default() }), files)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn check(outcome: &Outcome) {
    let documents = expected("checkup/expected.json")["documents"].clone();
    for document in documents.as_array().expect("a list") {
        let who = outcome
            .of("identity")
            .into_iter()
            .find(|r| r.get("birth_date") == text(&document["birth_date"]))
            .expect("the person");
        assert_eq!([who.get("family_kana"), who.get("given_kana")].concat(), text(&document["name_kana"]));
        assert_eq!((who.get("sex"), who.get("postal_code")), (text(&document["sex"]), text(&document["postal"])));
        let mine = |table: &str| outcome.of(table).into_iter().filter(|r| r.patient == who.patient).collect::<Vec<_>>();
        let cover = mine("insurance")[0];
        for (column, name) in [("insurer_number", "insurer_number"), ("insured_symbol", "symbol"), ("insured_number", "number")] {
            assert_eq!(cover.get(column), text(&document[name]));
        }
        assert_eq!(mine("visit_event")[0].get("event_date"), text(&document["exam_date"]));
        assert_eq!(mine("care_site")[0].get("care_site_source_value"), text(&document["organization"]));
        let (mut measured, mut stated) = (mine("measurement"), mine("observation"));
        stated.extend(mine("note"));
        measured.extend(stated);
        let mut wanted = 0;
        for item in document["items"].as_array().expect("a list") {
            let code = text(&item["code"]);
            let row = measured.iter().find(|r| {
                [r.get("measurement_source_value"), r.get("observation_source_value"), r.get("note_source_value")].contains(&code)
            });
            if item["value"].is_null() {
                assert!(row.is_none(), "{code} was not done or not measured");
                continue;
            }
            wanted += 1;
            let row = row.unwrap_or_else(|| panic!("{code}"));
            let value = [row.get("value_source_value"), row.get("note_text")].concat();
            match item["value_set"].as_str() {
                Some(set) => assert_eq!(value, format!("{set}:{}", text(&item["value"]))),
                None => assert_eq!(value, text(&item["value"])),
            }
            if item["type"] == "PQ" {
                assert_eq!(row.get("value_as_number").parse::<f64>(), text(&item["value"]).parse());
                assert_eq!(row.get("interpretation"), text(&item["interpretation"]));
            }
            assert_eq!(row.get("unit_source_value"), text(&item["unit"]), "a missing unit stays missing");
        }
        assert_eq!(measured.len(), wanted);
    }
}

#[test]
fn archives_say_what_the_sample_says_unpacked_and_packed() {
    let (packed, unpacked): (Vec<File>, Vec<File>) =
        tree(&other_samples("checkup/clean")).into_iter().partition(|f| f.0.ends_with(".zip"));
    for files in [packed, unpacked] {
        let outcome = read(&files);
        assert_eq!(outcome.codes(), [""; 0]);
        assert_eq!(outcome.counts.without_row["not-done"], 1);
        assert_eq!(outcome.counts.without_row["not-measured"], 1);
        check(&outcome);
    }
}

#[test]
fn what_must_be_refused_is_refused_and_the_rest_is_read() {
    for (name, code, read_anyway) in [
        ("doctype_entity.xml", "checkup-doctype", false),
        ("truncated.xml", "checkup-malformed", false),
        ("bad_values.xml", "formats-number", true),
        ("declared_utf8_but_cp932.xml", "formats-charset-differs", true),
        ("shift_jis_declared.xml", "formats-charset-differs", true),
        ("unknown_item_and_valueset.xml", "checkup-answer", true),
        ("utf8_bom.xml", "", true),
        ("halfwidth_kana_name.xml", "", true),
        ("zip_path_traversal.zip", "checkup-archive-path", false),
    ] {
        let outcome = read(&[sample(&format!("checkup/dirty/{name}"))]);
        assert!(code.is_empty() || outcome.codes().contains(&code), "{name}: {:?}", outcome.codes());
        assert_eq!(outcome.rows.is_empty(), !read_anyway, "{name}");
    }
    let cp932 = read(&[sample("checkup/dirty/declared_utf8_but_cp932.xml")]);
    assert_eq!(cp932.of("identity")[0].get("family_kana"), "シノノメタロウ");
    let deep = format!("{}{}", "<a>".repeat(1_000), "</a>".repeat(1_000));
    assert!(read(&[("deep.xml".to_owned(), deep.into_bytes())]).codes().contains(&"checkup-depth"));
}

#[test]
fn an_index_that_counts_otherwise_is_told() {
    let mut files = tree(&other_samples("checkup/clean"));
    files.retain(|f| f.0.contains("06139992_202409010_1/"));
    files.retain(|f| !f.0.contains("DATA"));
    assert!(read(&files).codes().contains(&"checkup-index-count"));
}

#[test]
fn csv_is_read_by_the_mapping_beside_it() {
    let outcome = read(&tree(&other_samples("checkup/csv")));
    let days: BTreeSet<(&str, &str)> =
        outcome.of("visit_event").iter().map(|r| (r.patient.as_str(), r.get("event_date"))).collect();
    assert_eq!(days, [("00000456", "2024-09-12"), ("00000789", "2024-01-15"), ("B113299999999/2/1/15", "2024-04-18")].into());
    let who = outcome.of("identity");
    let of = |id: &str| who.iter().find(|r| r.patient == id).copied().expect("a person");
    assert_eq!(
        (of("00000456").get("birth_date"), of("00000456").get("sex"), of("00000456").get("family_kana")),
        ("1971-11-02", "female", "ｱﾘｱｹ")
    );
    assert_eq!((of("00000789").get("birth_date"), of("00000789").get("sex")), ("1945-12-31", "male"));
    assert_eq!(of("B113299999999/2/1/15").get("birth_date"), "2016-05-05");
    let value = |id: &str, code: &str| {
        let rows = outcome.of("measurement");
        rows.into_iter()
            .find(|r| r.patient == id && r.get("measurement_source_value") == code)
            .map(|r| (r.get("value_as_number").to_owned(), r.get("unit_source_value").to_owned()))
    };
    assert_eq!(value("00000456", "9N001000000000001"), Some(("158.0".to_owned(), "cm".to_owned())));
    assert_eq!(value("B113299999999/2/1/15", "9N006000000000001"), Some(("24.6".to_owned(), "kg".to_owned())));
    assert!(outcome.codes().contains(&"checkup-no-date"), "a date that cannot be: {:?}", outcome.codes());
    assert_eq!(outcome.counts.records_unread, 1);
}

#[test]
fn a_wide_form_1_of_a_vendor_is_read_by_a_mapping() {
    let mapping = Mapping::parse(
        "name = \"wide\"\ndelimiter = \"\\t\"\n[person]\nlocal_id = [\"id\"]\nbirth = \"b1\"\nsex = \"b2\"\n[stay]\nadmission = \"c1\"\ndischarge = \"c2\"\noutcome = \"c3\"\n[[diagnosis]]\ncolumn = \"d1\"\nrole = \"A006010\"\n",
    )
    .expect("a mapping");
    let bytes = b"id\tb1\tb2\tc1\tc2\tc3\td1\n0000000123\t19580314\t1\t20240610\t20240621\t6\tI639\n".to_vec();
    let mut reader = CheckupReader::new(Options { mapping: Some(mapping), ..Options::default() });
    let outcome = read_by(&mut reader, &[("wide.txt".to_owned(), bytes)]);
    assert_eq!(outcome.of("condition_occurrence")[0].get("condition_source_value"), "I639");
    assert_eq!(outcome.of("death")[0].get("death_date"), "2024-06-21");
    assert!(Mapping::parse("name = \"x\"\n[person]\nlocal_id = []").is_err());
}

#[test]
fn any_bytes_are_rows_or_findings() {
    let files = tree(&other_samples("checkup"));
    bolero::check!().with_type::<(u8, u16, u8, u8, Vec<u8>)>().for_each(|(which, at, change, how, extra)| {
        let (path, bytes) = &files[usize::from(*which) % files.len()];
        let mut bytes = bytes.clone();
        let at = usize::from(*at) % bytes.len().max(1);
        match how % 4 {
            0 if !bytes.is_empty() => bytes[at] ^= change,
            1 => bytes.truncate(at),
            2 => bytes.clone_from(extra),
            _ => drop(bytes.splice(at..at, extra.iter().copied())),
        }
        let outcome = read(&[(path.clone(), bytes)]);
        assert_eq!(outcome.counts.members, 1);
        assert!(outcome.findings.len() as u64 >= u64::from(outcome.counts.unread > 0));
    });
}

#[test]
fn the_type_of_a_value_is_read_by_whatever_prefix_it_has() {
    let files: Vec<File> =
        tree(&other_samples("checkup/clean")).into_iter().filter(|f| f.0.contains("DATA/") && f.0.ends_with(".xml")).collect();
    assert!(files.iter().any(|f| String::from_utf8_lossy(&f.1).contains("xsi:type")));
    let other: Vec<File> = files
        .iter()
        .map(|(path, bytes)| {
            let text = String::from_utf8(bytes.clone()).expect("UTF-8");
            (path.clone(), text.replace("xsi:", "i:").replace("xmlns:xsi", "xmlns:i").into_bytes())
        })
        .collect();
    let (one, two) = (read(&files), read(&other));
    assert!(!one.of("measurement").is_empty());
    assert!(one.of("measurement") == two.of("measurement") && one.of("observation") == two.of("observation"));
}

#[test]
fn a_person_known_by_nothing_is_told_and_makes_no_row() {
    let (path, bytes) = tree(&other_samples("checkup/clean"))
        .into_iter()
        .find(|f| f.0.contains("DATA/") && f.0.ends_with(".xml"))
        .expect("a document");
    let text = String::from_utf8(bytes).expect("UTF-8");
    // Every id of the insurance and the birth date and the name are taken away.
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(from) = rest.find("<patientRole>") {
        let to = rest.find("</patientRole>").expect("closed");
        out.push_str(&rest[..from]);
        out.push_str("<patientRole>");
        rest = &rest[to..];
    }
    out.push_str(rest);
    let outcome = read(&[(path, out.into_bytes())]);
    assert!(outcome.codes().contains(&"formats-no-patient") && outcome.rows.is_empty(), "{:?}", outcome.codes());
}

/// An archive of stored entries: name, content, checksum, and which entry's bytes the directory points to.
fn archive(entries: &[(&str, &[u8], u32, usize)]) -> Vec<u8> {
    let (mut out, mut places) = (Vec::new(), Vec::new());
    let word = |n: usize| (n as u16).to_le_bytes();
    let long = |n: usize| (n as u32).to_le_bytes();
    for (name, content, crc, _) in entries {
        places.push(out.len());
        out.extend_from_slice(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0");
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend(long(content.len()).into_iter().chain(long(content.len())).chain(word(name.len())).chain(word(0)));
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(content);
    }
    let directory = out.len();
    for (name, content, crc, of) in entries {
        out.extend_from_slice(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0");
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend(long(content.len()).into_iter().chain(long(content.len())).chain(word(name.len())));
        out.extend_from_slice(&[0; 12]);
        out.extend(long(places[*of]));
        out.extend_from_slice(name.as_bytes());
    }
    let length = out.len() - directory;
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend(word(entries.len()).into_iter().chain(word(entries.len())).chain(long(length)).chain(long(directory)));
    out.extend(word(0));
    out
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn a_changed_byte_in_an_archive_is_found_by_its_checksum_and_the_rest_is_read() {
    let (_, document) = sample("checkup/dirty/utf8_bom.xml");
    let at = document.windows(6).position(|w| w == b"value=").expect("a value") + 7;
    let mut changed = document.clone();
    changed[at] = if changed[at] == b'6' { b'7' } else { b'6' };
    let right = crc(&document);
    let whole = archive(&[("1/DATA/a.xml", &document, right, 0), ("1/DATA/b.xml", &document, right, 1)]);
    assert_eq!(read(&[("a.zip".to_owned(), whole)]).codes(), [""; 0]);
    let spoilt = archive(&[("1/DATA/a.xml", &changed, right, 0), ("1/DATA/b.xml", &document, right, 1)]);
    let outcome = read(&[("a.zip".to_owned(), spoilt)]);
    assert_eq!(outcome.codes(), ["checkup-entry"]);
    let alone = read(&[("b.xml".to_owned(), document)]);
    assert_eq!(outcome.of("measurement").len(), alone.of("measurement").len());
}

#[test]
fn entries_of_an_archive_that_lie_over_each_other_are_refused() {
    let (_, document) = sample("checkup/dirty/utf8_bom.xml");
    let right = crc(&document);
    let one = [("a.xml", document.as_slice(), right, 0), ("b.xml", document.as_slice(), right, 0)];
    let outcome = read(&[("a.zip".to_owned(), archive(&one))]);
    assert_eq!((outcome.codes(), outcome.rows.is_empty()), (vec!["checkup-archive-directory"], true));
}

#[test]
fn a_document_of_very_many_empty_observations_is_refused() {
    let many = format!("<ClinicalDocument>{}</ClinicalDocument>", "<observation/>".repeat(30_000));
    assert_eq!(read(&[("many.xml".to_owned(), many.into_bytes())]).codes(), ["checkup-depth"]);
}

#[test]
fn a_mapping_beside_a_file_that_cannot_be_read_is_told_and_no_other_is_taken() {
    let csv = tree(&other_samples("checkup/csv"));
    let other = csv.iter().find(|f| f.0.ends_with(".toml")).expect("a mapping").1.clone();
    let mapping = formats::checkup::Mapping::parse(&String::from_utf8(other).expect("text")).expect("a mapping");
    let (path, table) = csv.iter().find(|f| f.0.ends_with(".csv")).expect("a table").clone();
    let broken = (format!("{}.toml", path.trim_end_matches(".csv")), b"[person\nlocal_id = 1".to_vec());
    let files = [(path, table), broken];
    let mut prescan = Prescan::default();
    for (path, bytes) in &files {
        let member = Member { path, payload: 1, ordinal: 0, size: bytes.len() as u64, content: &mut bytes.as_slice() };
        prescan.member(member).expect("scanned");
    }
    let options = Options { mapping: Some(mapping), mappings: prescan.finish(), ..Options::default() };
    let outcome = read_by(&mut CheckupReader::new(options), &files);
    assert_eq!(outcome.codes(), ["checkup-mapping-beside", "checkup-mapping-broken"]);
    assert_eq!((outcome.rows.is_empty(), outcome.counts.unread), (true, 2));
}

#[test]
fn a_diagnosis_of_a_table_that_is_suspected_is_an_observation() {
    let mapping =
        "name = \"d\"\n[person]\nlocal_id = [\"id\"]\ndate = \"day\"\n[[diagnosis]]\ncolumn = \"name\"\nrole = \"A006010\"\n";
    let table = "id,day,name\n0000000123,2024-04-01,肺癌の疑い\n0000000124,2024-04-01,肺癌\n";
    let outcome = read(&[("d.csv".to_owned(), table.into()), ("d.toml".to_owned(), mapping.into())]);
    let patients = |table: &str| outcome.of(table).iter().map(|r| r.patient.clone()).collect::<Vec<_>>();
    assert_eq!(patients("condition_occurrence"), ["0000000124"], "{:?}", outcome.codes());
    assert_eq!(patients("observation"), ["0000000123"]);
    assert_eq!(outcome.of("observation")[0].get("value_as_string"), "suspected");
}
