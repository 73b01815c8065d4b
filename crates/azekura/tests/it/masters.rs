//! Code masters, on the real program: what is loaded, what codes mean on the day of service, and the concepts that leave with a data set.
//! Every master here is invented, in the form in which real ones are issued.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::kit::{House, PROVIDER, files, party, text};

/// A disease master: code and ICD-10 of each row.
fn diseases(house: &House, name: &str, rows: &[(&str, &str)]) -> PathBuf {
    let mut out = String::new();
    for (code, icd10) in rows {
        let mut cells = vec![String::new(); 48];
        let management = format!("2{code}");
        for (column, value) in [
            (1, "0"),
            (2, "B"),
            (3, code),
            (4, code),
            (5, "3"),
            (6, "架空病"),
            (10, "カクウビョウ"),
            (11, management.as_str()),
            (13, "QX01"),
            (16, icd10),
            (22, "20000101"),
            (23, "00000000"),
            (24, "99999999"),
        ] {
            cells[column - 1] = value.to_owned();
        }
        out.push_str(&cells.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(","));
        out.push_str("\r\n");
    }
    let path = house.path().join(name);
    fs::write(&path, out).expect("a file");
    path
}

/// Two of Athena's files: ICD-10 E11.9 is a standard concept's.
fn athena(house: &House) -> [PathBuf; 2] {
    let concepts = "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\tconcept_code\tvalid_start_date\tvalid_end_date\tinvalid_reason\n\
        45533019\tx\tCondition\tICD10\tc\t\tE11.9\t20000101\t20991231\t\n\
        201826\tx\tCondition\tSNOMED\tc\tS\t44054006\t20000101\t20991231\t\n";
    let maps = "concept_id_1\tconcept_id_2\trelationship_id\tvalid_start_date\tvalid_end_date\tinvalid_reason\n\
        45533019\t201826\tMaps to\t20000101\t20991231\t\n";
    let paths = ["CONCEPT.csv", "CONCEPT_RELATIONSHIP.csv"].map(|name| house.path().join(name));
    fs::write(&paths[0], concepts).expect("a file");
    fs::write(&paths[1], maps).expect("a file");
    paths
}

fn with_claims() -> House {
    let house = House::new();
    house.notified(&["123", "456", "789", "1011"]);
    house.receive(&[&house.package_of(
        "receipt",
        1,
        &files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/receipt/clean"), |_| true),
    )]);
    house.on(&["ingest"]).done();
    house
}

/// Percent of the claims' diagnoses: rows with a standard concept, rows that nothing knows.
fn known(house: &House) -> (u64, u64, u64) {
    let coverage = house.on(&["masters", "coverage", "--provider", PROVIDER]).done();
    let lines = coverage["coverage"].as_array().expect("lines");
    let line = lines.iter().find(|l| l["table"] == "condition_occurrence" && l["vocabulary"] == "JP_DISEASE").expect("diagnoses");
    let of = |name: &str| line[name].as_u64().expect("a number");
    (of("rows"), of("standard_rows"), of("unknown_rows"))
}

/// The codes of the claims' diagnoses that nothing that is loaded has.
fn unknown_codes(house: &House) -> BTreeSet<String> {
    let coverage = house.on(&["masters", "coverage", "--provider", PROVIDER]).done();
    let unknown = coverage["unknown"].as_array().expect("codes").iter().filter(|c| c[0] == "condition_occurrence");
    let code = |c: &Value| c[1].as_str().expect("a code").split('+').next().unwrap_or_default().to_owned();
    unknown.map(code).filter(|c| c.len() == 7).collect()
}

/// Rows of a file of a data set, by column.
fn rows_of(opened: &[(String, Vec<u8>)], name: &str) -> Vec<BTreeMap<String, String>> {
    let (_, bytes) = opened.iter().find(|(n, _)| n.ends_with(name)).expect("the file");
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let names: Vec<String> = reader.headers().expect("a heading").iter().map(str::to_owned).collect();
    let row = |r: csv::StringRecord| names.iter().cloned().zip(r.iter().map(str::to_owned)).collect();
    reader.records().map(|r| row(r.expect("a row"))).collect()
}

/// What is in a data set by the shipped profile.
fn delivered(house: &House) -> Vec<(String, Vec<u8>)> {
    let id = house.planned();
    house.make(&id);
    house.approve(&id);
    let package = house.on(&["dataset", "deliver", &id]).done()["package"].as_str().expect("a package").to_owned();
    house.open(Path::new(&package), &party("recipient", "30"))
}

#[test]
fn a_claims_diagnosis_leaves_with_the_concepts_that_the_masters_say_of_it_and_without_masters_with_none() {
    let house = with_claims();
    house.on(&["link"]).done();
    let (rows, standard, unknown) = known(&house);
    assert!(rows >= 6 && standard == 0 && unknown == rows, "{rows} {standard} {unknown}");
    let diagnoses = |opened: &[(String, Vec<u8>)]| -> Vec<[String; 3]> {
        let columns = ["condition_source_value", "condition_concept_id", "condition_source_concept_id"];
        rows_of(opened, "csv/condition_occurrence.csv").iter().map(|r| columns.map(|c| r[c].clone())).collect()
    };
    let before = delivered(&house);
    assert!(diagnoses(&before).iter().all(|[_, standard, source]| standard == "0" && source == "0"));
    assert!(!before.iter().any(|(name, _)| name.ends_with("masters.csv")));

    let codes = unknown_codes(&house);
    assert!(codes.len() > 4, "{codes:?}");
    let all: Vec<(&str, &str)> = codes.iter().map(|code| (code.as_str(), "E119")).collect();
    let master = diseases(&house, "b_20200601.txt", &all);
    let [concept, relationship] = athena(&house);
    let added = house.on(&["masters", "load", text(&master), text(&concept), text(&relationship)]).done();
    assert_eq!(added.as_array().map(Vec::len), Some(2), "{added}");
    assert_eq!(known(&house), (rows, rows, 0));
    let after = delivered(&house);
    let ours = |code: &str| codes.iter().any(|d| code.starts_with(d));
    let of_masters: Vec<[String; 3]> = diagnoses(&after).into_iter().filter(|[code, ..]| ours(code)).collect();
    assert!(!of_masters.is_empty());
    for [code, standard, source] in &of_masters {
        assert_eq!(standard, "201826", "{code}");
        assert!(source.parse::<i64>().is_ok_and(|id| id > 2_000_000_000), "{code} {source}");
    }
    // The codes of our own concepts go along: those of rows in it, and no other.
    let own = rows_of(&after, "own_concepts.csv");
    let ids: Vec<&String> = own.iter().map(|r| &r["concept_id"]).collect();
    assert!(of_masters.iter().all(|[.., source]| ids.contains(&source)), "{own:?}");
    assert!(
        own.iter()
            .all(|r| r["vocabulary_id"] == "JP_DISEASE"
                && of_masters.iter().any(|[code, ..]| code.starts_with(&r["concept_code"])))
    );
    assert_eq!(rows_of(&after, "masters.csv").len(), 2);
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_master_that_cannot_be_right_changes_nothing_and_one_that_comes_again_neither() {
    let house = House::new();
    let all: Vec<(String, &str)> = (0..2_000).map(|n| (format!("{:07}", 1_000_000 + n), "E119")).collect();
    let rows = |all: &[(String, &'static str)]| -> Vec<(String, &'static str)> { all.to_vec() };
    let write = |name: &str, all: &[(String, &'static str)]| {
        let all = rows(all);
        let all: Vec<(&str, &str)> = all.iter().map(|(code, icd)| (code.as_str(), *icd)).collect();
        diseases(&house, name, &all)
    };
    let all: Vec<(String, &'static str)> = all;
    let first = write("b_20240601.txt", &all);
    let added = house.on(&["masters", "load", text(&first)]).done();
    assert_eq!((&added[0]["rows"], &added[0]["own_concepts"]), (&2_000.into(), &4_002.into()), "{added}");
    assert_eq!(house.on(&["masters", "load", text(&first)]).done()[0]["already"], true);

    // Leading zeros lost, columns cut off, another master by its columns, no date.
    let short: Vec<(String, &'static str)> = all.iter().map(|(code, icd)| (code[1..].to_owned(), *icd)).collect();
    let cut = house.path().join("b_20240701.txt");
    fs::write(&cut, "\"0\",\"B\",\"1000001\"\r\n").expect("a file");
    let drugs = house.path().join("y_ALL20240701.csv");
    fs::copy(&first, &drugs).expect("a file");
    let nameless = house.path().join("diseases.txt");
    fs::copy(&first, &nameless).expect("a file");
    let new = write("b_20240801.txt", &all[..10]);
    for (spoilt, place) in
        [(write("b_20240702.txt", &short), "line 1"), (cut, "line 1"), (drugs, "line 1"), (nameless.clone(), "date")]
    {
        let said = house.on(&["masters", "load", text(&new), text(&spoilt)]);
        assert_eq!(said.refused(), "masters-refused", "{}", said.all);
        assert!(said.all.contains(place), "{}", said.all);
    }
    let [concept, _] = athena(&house);
    assert_eq!(house.on(&["masters", "load", text(&concept)]).refused(), "masters-both");
    let list = |house: &House| house.on(&["masters", "list"]).done().as_array().map(Vec::len);
    assert_eq!(list(&house), Some(1), "of a call that was refused nothing is loaded");

    // Another of the same day only when somebody says so; codes keep their concepts.
    let id = |code: &str| {
        let said: Value = house.on(&["masters", "show", code, "--day", "2024-07-01"]).done();
        said[0]["source_concept"].as_i64().expect("an id")
    };
    let before = id("1000003");
    let other = house.path().join("again");
    fs::create_dir(&other).expect("a folder");
    let other = {
        let path = write("other.txt", &all[..5]);
        let to = other.join("b_20240601.txt");
        fs::rename(path, &to).expect("moved");
        to
    };
    assert_eq!(house.on(&["masters", "load", text(&other)]).refused(), "masters-same-day");
    house.on(&["masters", "load", "--replace", text(&other)]).done();
    let changes = house.on(&["masters", "load", "--date", "2024-09-01", text(&nameless)]).done();
    assert_eq!(changes[0]["changes"], serde_json::json!([1_995, 0, 0]), "{changes}");
    assert_eq!((id("1000003"), list(&house)), (before, Some(2)));
    assert_eq!(house.on(&["masters", "show", "9999999"]).status, Some(1));
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn what_a_code_means_is_asked_by_the_day_of_service() {
    let house = House::new();
    let old = diseases(&house, "b_20240101.txt", &[("1000001", "E119")]);
    let new = diseases(&house, "b_20250101.txt", &[("1000001", "F329")]);
    house.on(&["masters", "load", text(&new), text(&old)]).done();
    for (day, icd10, validity) in
        [("2024-06-01", "E11.9", "in force"), ("2025-06-01", "F32.9", "in force"), ("2023-06-01", "E11.9", "later edition")]
    {
        let said = house.on(&["masters", "show", "1000001", "--day", day]).done();
        assert_eq!((&said[0]["icd10"], &said[0]["validity"]), (&icd10.into(), &validity.into()), "{day} {said}");
    }
    // What was loaded by mistake can be taken away, but not from under what rests on it.
    let change = diseases(&house, "y_20260101.csv", &[("1000001", "E119")]);
    let text_of = fs::read_to_string(&change).expect("text").replace("\"B\"", "\"Y\"").replace("\"0\",\"Y\"", "\"5\",\"Y\"");
    fs::write(&change, text_of).expect("a file");
    assert_eq!(house.on(&["masters", "load", text(&change)]).refused(), "masters-refused", "codes of 7 digits are none of drugs");
    let mistake = diseases(&house, "b_20260101.txt", &[("1000001", "I10")]);
    house.on(&["masters", "load", text(&mistake)]).done();
    let meaning = || house.on(&["masters", "show", "1000001", "--day", "2026-06-01"]).done()[0]["icd10"].clone();
    assert_eq!(meaning(), "I10");
    let remove = |date: &str| house.on(&["masters", "remove", "--kind", "disease", "--date", date, "--reason", "the wrong file"]);
    assert_eq!(remove("2026-01-02").refused(), "masters-not-there");
    remove("2026-01-01").done();
    assert_eq!(meaning(), "F32.9");
    assert!(house.journal().iter().any(|e| e.to_string().contains("the wrong file")));

    let map = house.path().join("source_to_concept_map.csv");
    let header = "source_code,source_concept_id,source_vocabulary_id,source_code_description,target_concept_id,target_vocabulary_id,valid_start_date,valid_end_date,invalid_reason\n";
    fs::write(&map, format!("{header}1000001,0,JP_DISEASE,x,201826,SNOMED,2025-01-01,2099-12-31,\n")).expect("a file");
    let [concept, relationship] = athena(&house);
    house.on(&["masters", "load", text(&map), text(&concept), text(&relationship)]).done();
    let standard = |day: &str| house.on(&["masters", "show", "1000001", "--day", day]).done()[0]["standard"].clone();
    assert_eq!((standard("2024-06-01"), standard("2025-06-01")), (serde_json::json!([201_826]), serde_json::json!([201_826])));
    let none = format!("{header}1000001,0,JP_DISEASE,x,0,None,2024-01-01,2024-12-31,\n");
    fs::write(&map, none).expect("a file");
    house.on(&["masters", "load", "--replace", text(&map)]).done();
    assert_eq!(standard("2024-06-01"), serde_json::json!([]), "the operator says that there is none");
    fs::write(&map, format!("{header}1000001,0,JP_DISEASE,x,many,SNOMED,2025-01-01,2099-12-31,\n")).expect("a file");
    let said = house.on(&["masters", "load", text(&map)]);
    assert!(
        said.refused() == "masters-refused" && said.all.contains("line 2") && said.all.contains("target_concept_id"),
        "{}",
        said.all
    );
}

#[test]
fn what_was_found_and_what_was_loaded_outlive_the_erasure_of_a_patient() {
    let house = with_claims();
    let codes = unknown_codes(&house);
    let master = diseases(&house, "b_20200601.txt", &codes.iter().map(|code| (code.as_str(), "E119")).collect::<Vec<_>>());
    house.on(&["masters", "load", text(&master)]).done();
    house.on(&["quality", "lake", "--provider", PROVIDER, "--out", text(&house.path().join("a"))]);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", "456", "--erase"]).done();
    assert_eq!(house.on(&["quality", "looks", "--provider", PROVIDER]).done().as_array().map(Vec::len), Some(1));
    assert_eq!(house.on(&["masters", "list"]).done().as_array().map(Vec::len), Some(1));
    let (rows, _, unknown) = known(&house);
    assert!(rows > 0 && unknown == 0, "{rows} {unknown} {codes:?} {:?}", unknown_codes(&house));
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn files_are_converted_and_checked_with_masters_beside_them_and_without_an_instance() {
    let house = House::empty();
    let claims = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/receipt/clean");
    let folder = house.path().join("masters");
    fs::create_dir(&folder).expect("a folder");
    let master = diseases(&house, "b_20200601.txt", &[("5409005", "E119")]);
    fs::rename(&master, folder.join("b_20200601.txt")).expect("moved");
    for path in athena(&house) {
        fs::rename(&path, folder.join(path.file_name().expect("a name"))).expect("moved");
    }
    let out = house.path().join("out");
    house.run(&["formats", "convert", "--masters", text(&folder), text(&claims), "--out", text(&out)]).done();
    let mut reader = csv::Reader::from_path(out.join("condition_occurrence.csv")).expect("conditions");
    let names: Vec<String> = reader.headers().expect("a heading").iter().map(str::to_owned).collect();
    let at = |name: &str| names.iter().position(|n| n == name).unwrap_or_else(|| panic!("{name} in {names:?}"));
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
    let of = |code: &str| -> BTreeSet<&str> {
        rows.iter()
            .filter(|r| r[at("condition_source_value")].starts_with(code))
            .map(|r| &r[at("condition_concept_id")])
            .collect()
    };
    assert_eq!(of("5409005"), BTreeSet::from(["201826"]));
    assert_eq!(of("8833421"), BTreeSet::from(["0"]), "what no master says is not there");

    fs::rename(diseases(&house, "b_20200601.txt", &[("2500015", "O80")]), folder.join("b_20200601.txt")).expect("moved");
    // Only with the master is it known that this is a diagnosis of women.
    let asked = |name: &str, masters: &[&str]| {
        let out = house.path().join(name);
        house.run(&[&["quality", "files", text(&claims), "--out", text(&out)], masters].concat()).done();
        let results = fs::read_to_string(out.join("results.csv")).expect("results");
        let id = "condition_occurrence.condition_source_value.plausibleGenderUseDescendants.O80.F,";
        results.lines().find(|l| l.starts_with(id)).expect("the check").to_owned()
    };
    assert!(asked("without", &[]).contains("nothing to test"));
    assert!(!asked("with", &["--masters", text(&folder)]).contains("nothing to test"));
    let spoilt = folder.join("z_20200601.txt");
    fs::write(&spoilt, "\"0\",\"Z\"\r\n").expect("a file");
    let said =
        house.run(&["quality", "files", "--masters", text(&folder), text(&claims), "--out", text(&house.path().join("no"))]);
    assert_eq!(said.refused(), "masters-refused");
}

#[test]
fn what_would_be_passed_over_in_silence_is_said_when_a_file_is_loaded() {
    let house = House::new();
    let first = diseases(&house, "b_20240101.txt", &[("1000001", "E119"), ("1000002", "I10")]);
    let text_of = fs::read_to_string(&first).expect("text").replace("99999999", "20249999");
    fs::write(&first, text_of).expect("a file");
    let added = house.on(&["masters", "load", text(&first)]).done();
    assert_eq!(added[0]["doubts"].as_array().map(Vec::len), Some(2), "{added}");
    let [concept, relationship] = athena(&house);
    let header = "source_code,source_concept_id,source_vocabulary_id,source_code_description,target_concept_id,target_vocabulary_id,valid_start_date,valid_end_date,invalid_reason\n";
    let map = |name: &str, rows: &str| {
        let path = house.path().join(name);
        fs::write(&path, format!("{header}{rows}")).expect("a file");
        path
    };
    let one = map(
        "source_to_concept_map.csv",
        "1,0,JP_DISEAS,x,201826,SNOMED,,,\n2,0,JP_DISEASE,x,77,SNOMED,,,\n3,0,JP_DISEASE,x,201826,SNOMED,,,D\n",
    );
    let said = house.on(&["masters", "load", text(&one), text(&concept), text(&relationship)]).done();
    let of_map = said.as_array().expect("files").iter().find(|f| f["kind"] == "source to concept map").cloned().expect("the map");
    assert_eq!(of_map["unused"], serde_json::json!([1, 1, ["JP_DISEAS"]]), "{said}");
    let two = map("source_to_concept_map_two.csv", "1,0,JP_DISEASE,x,201826,SNOMED,,,\n");
    assert_eq!(house.on(&["masters", "load", text(&one), text(&two)]).refused(), "masters-twice");
    let both = house.path().join("both");
    fs::create_dir(&both).expect("a folder");
    for path in [&one, &two] {
        fs::copy(path, both.join(path.file_name().expect("a name"))).expect("copied");
    }
    let claims = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/receipt/clean");
    let out = house.path().join("out");
    let without_instance = ["formats", "convert", "--masters", text(&both), text(&claims), "--out", text(&out)];
    assert_eq!(house.run(&without_instance).refused(), "masters-twice");
    let empty = map("source_to_concept_map_none.csv", "");
    assert_eq!(house.on(&["masters", "load", text(&empty)]).refused(), "masters-empty");
    assert_eq!(house.on(&["masters", "load", text(&two)]).refused(), "masters-same-day", "one map destroys no other unasked");
    let replaced = house.on(&["masters", "load", "--replace", text(&two)]).done();
    assert_eq!(replaced[0]["replaced"], "source_to_concept_map.csv", "{replaced}");
    assert_eq!(house.on(&["masters", "list"]).done().as_array().map(Vec::len), Some(3));
    assert_eq!(house.faults(), Vec::<String>::new());
}

/// A drug master, or what changed in one: kind of change and code of each row.
fn drugs(house: &House, name: &str, rows: &[(&str, &str)]) -> PathBuf {
    let line = |(change, code): &(&str, &str)| {
        let mut cells = vec![String::new(); 35];
        for (column, value) in [(1, *change), (2, "Y"), (3, *code), (5, "架空錠"), (30, "20240401"), (31, "99999999")] {
            cells[column - 1] = value.to_owned();
        }
        cells.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(",") + "\r\n"
    };
    let path = house.path().join(name);
    fs::write(&path, rows.iter().map(line).collect::<String>()).expect("a file");
    path
}

#[test]
fn an_edition_on_which_changes_rest_goes_only_when_somebody_says_so_and_what_does_not_fit_is_named() {
    let house = House::new();
    let whole = drugs(&house, "y_ALL20240401.csv", &[("0", "620000001"), ("0", "620000002")]);
    let new = drugs(&house, "y_20240501.csv", &[("3", "620000003")]);
    let changed = drugs(&house, "y_20240601.csv", &[("5", "620000003"), ("5", "620000001")]);
    let later = drugs(&house, "y_ALL20240701.csv", &[("0", "620000001"), ("0", "620000003")]);
    house.on(&["masters", "load", text(&whole), text(&new), text(&changed), text(&later)]).done();
    let remove = |date: &str, more: &[&str]| {
        house.on(&[&["masters", "remove", "--kind", "drug", "--date", date, "--reason", "the wrong file"], more].concat())
    };
    let list = || house.on(&["masters", "list"]).done().as_array().map(Vec::len);
    let kept = remove("2024-05-01", &[]);
    assert_eq!((kept.refused(), list()), ("masters-rests", Some(4)));
    assert!(kept.all.contains("y_20240601.csv") && !kept.all.contains("y_ALL20240701.csv"), "{}", kept.all);
    assert!(kept.all.contains('1'), "one change of two: {}", kept.all);
    assert_eq!(remove("2024-04-01", &["--force"]).refused(), "masters-refused", "nothing would be left to rest on");
    let gone = remove("2024-05-01", &["--force"]).done();
    assert_eq!((&gone["file_name"], list()), (&"y_20240501.csv".into(), Some(3)));
    assert_eq!((&gone["resting"][0]["file_name"], &gone["resting"][0]["unmatched"]), (&"y_20240601.csv".into(), &1.into()));
    // Nothing rests on these.
    assert_eq!(remove("2024-07-01", &[]).done()["resting"], serde_json::json!([]));
    assert_eq!(remove("2024-06-01", &[]).done()["resting"], serde_json::json!([]));
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn every_target_of_a_code_is_shown_also_those_that_cannot_be_used() {
    let house = House::new();
    let [concept, relationship] = athena(&house);
    let more = fs::read_to_string(&relationship).expect("text") + "45533019\t77\tMaps to\t20000101\t20991231\t\n";
    fs::write(&relationship, more).expect("a file");
    house.on(&["masters", "load", text(&concept), text(&relationship)]).done();
    let shown = house.on(&["masters", "show", "ICD10:E11.9"]).done();
    assert_eq!(
        (&shown[0]["standard"], &shown[0]["unusable"]),
        (&serde_json::json!([201_826]), &serde_json::json!([77])),
        "{shown}"
    );
}

#[test]
fn a_line_that_is_not_loaded_is_named_with_file_line_field_and_remedy_in_both_languages() {
    let house = House::new();
    let codes: Vec<String> = (0..2_000).map(|n| format!("{:07}", 1_000_000 + n)).collect();
    let mut rows: Vec<(&str, &str)> = codes.iter().map(|code| (code.as_str(), "E119")).collect();
    rows[6].0 = "103";
    let file = diseases(&house, "b_20240601.txt", &rows);
    let spoilt = fs::read_to_string(&file).expect("text").replacen("99999999", "2024????", 1);
    fs::write(&file, spoilt).expect("a file");
    let words = |lang: &str| {
        let mut command = std::process::Command::new(crate::kit::AZEKURA);
        let copy = house.copy();
        command.args(["--lang", lang, "masters", "load", text(&file), "--instance", text(&copy.instance())]);
        let out = command.env("AZEKURA_PASSPHRASE_FILE", copy.path().join("pass")).env("USER", "tester").output().expect("runs");
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
    };
    let english = words("en");
    for said in ["b_20240601.txt, line 7, column 3", "b_20240601.txt, line 1, column 24", "as its issuer hands it out"] {
        assert!(english.contains(said), "{said}: {english}");
    }
    let japanese = words("ja");
    for said in ["b_20240601.txt の 7 行目、列 3", "b_20240601.txt の 1 行目、列 24", "配布元のファイルをそのまま"]
    {
        assert!(japanese.contains(said), "{said}: {japanese}");
    }
    let added = house.on(&["masters", "load", text(&file)]).done();
    let bad = serde_json::json!([{ "line": 7, "field": "3", "code": "masters-bad-code" }]);
    assert_eq!(added[0]["bad_rows"], bad, "{added}");
}
