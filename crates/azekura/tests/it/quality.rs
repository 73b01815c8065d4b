//! `azekura quality`, on the real program: a provider's files before they are sent, and what became of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::kit::{House, PROVIDER, files, text};

fn samples(which: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(which)
}

/// Lines of the results, by the id of the check.
fn status(out: &Path, id: &str) -> String {
    let mut reader = csv::Reader::from_path(out.join("results.csv")).expect("results");
    let at = reader.headers().expect("a heading").iter().position(|h| h == "status").expect("a column");
    let line = reader.records().map(|r| r.expect("a line")).find(|r| &r[0] == id);
    line.unwrap_or_else(|| panic!("{id} is a check"))[at].to_owned()
}

#[test]
fn a_hospital_sees_what_is_wrong_in_its_files_in_its_own_language_and_by_its_own_ids() {
    let house = House::new();
    let out = house.path().join("quality");
    let said = house.run(&["--lang", "ja", "quality", "files", text(&samples("checkup/dirty")), "--out", text(&out)]).done();
    assert!(said["checks"].as_u64().is_some_and(|n| n >= 2_000) && said["asked"].as_u64().is_some_and(|n| n > 50), "{said}");
    assert_eq!(said["fatal"], 0);
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains("データ品質報告書") && !page.contains("quality-"), "every text is there");
    assert!(!page.contains("<script") && !page.contains("http"), "one file without the network");
    for name in ["report.html", "results.csv", "rows.csv"] {
        let mode = fs::metadata(out.join(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name} may name patients");
    }
    assert!(said["failed"].as_u64().is_some_and(|n| n > 0), "{said}");
    let rows = fs::read_to_string(out.join("rows.csv")).expect("rows");
    assert!(rows.lines().count() > 1, "{rows}");
    let again = house.run(&["quality", "files", text(&samples("checkup")), "--out", text(&out)]);
    assert_eq!(again.refused(), "quality-not-empty");
}

#[test]
fn rules_of_ones_own_can_hold_data_back() {
    let house = House::new();
    let rules = house.path().join("own.csv");
    let header = "check,table,field,code,sex,from,to,low,high,ref,threshold,fatal,severity,owner\n";
    let fatal = "measurePersonCompleteness,drug_exposure,,,,,,,,,0,,fatal,pharmacy\n";
    fs::write(&rules, format!("{header}{fatal}")).expect("a file");
    let (path, out) = (samples("checkup/clean"), house.path().join("a"));
    let said = house.run(&["quality", "files", text(&path), "--out", text(&out), "--rules", text(&rules)]);
    assert_eq!((said.status, &said.json["fatal"]), (Some(1), &1.into()), "nobody has a drug");
    fs::write(&rules, format!("{header}{}", fatal.replace(",0,,fatal", ",100,,fatal"))).expect("a file");
    let out = house.path().join("b");
    let said = house.run(&["quality", "files", text(&path), "--out", text(&out), "--rules", text(&rules)]);
    assert_eq!(said.status, Some(1));
    assert!(said.all.contains("line 2") && said.all.contains("threshold"), "{}", said.all);
    assert!(!out.exists(), "nothing is written by a run that was refused");
}

#[test]
fn of_what_became_of_packages_nobody_is_counted_who_said_no_and_the_journal_knows_of_the_look() {
    let house = House::new();
    house.notified(&["123", "456", "789", "1011"]);
    let received = house.receive(&[&house.package_of("receipt", 1, &files(&samples("receipt/clean"), |_| true))]);
    assert_eq!(received[0]["state"], "accepted", "{received:?}");
    house.on(&["ingest"]).done();
    let look = |name: &str| {
        let out = house.path().join(name);
        let said =
            house.on(&["quality", "lake", "--provider", PROVIDER, "--purpose", "monthly look", "--out", text(&out)]).done();
        (said, out)
    };
    let (before, out) = look("before");
    assert!(before["rows"].as_u64().is_some_and(|n| n > 50), "{before}");
    assert_eq!(status(&out, "procedure_occurrence.visit_occurrence_id.isForeignKey"), "pass");
    assert_eq!(status(&out, "procedure_occurrence.procedure_occurrence_id.isPrimaryKey"), "pass");
    assert_eq!(status(&out, "procedure_occurrence.record_id.isForeignKey"), "pass");
    assert!(!out.join("rows.csv").exists(), "outside the hospital nobody is named");
    let journal = house.journal();
    assert!(journal.iter().any(|e| e.to_string().contains("monthly look") && e.to_string().contains("quality")), "{journal:?}");
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", "456"]).done();
    let (after, _) = look("after");
    assert_eq!(after["patients"].as_u64().map(|n| n + 1), before["patients"].as_u64(), "{before} {after}");
    let none = house.on(&["quality", "lake", "--provider", "4019999988", "--out", text(&house.path().join("none"))]);
    assert_eq!(none.refused(), "quality-nobody");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn of_what_could_not_be_read_nobody_is_told_that_it_is_well() {
    let house = House::new();
    let out = house.path().join("dirty");
    let said = house.run(&["quality", "files", text(&samples("receipt/dirty")), "--out", text(&out)]).done();
    assert_eq!(said["findings"], 0, "{said}");
    assert!(said["unread"].as_u64().is_some_and(|n| n > 0), "{said}");
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains("not everything could be") && !page.contains("Nothing was found that somebody has to mend"));
    let junk = house.path().join("junk");
    fs::create_dir(&junk).expect("a folder");
    fs::write(junk.join("x.UKE"), [0xff, 0, 7, 0xfe]).expect("a file");
    let said = house.run(&["quality", "files", text(&junk), "--out", text(&house.path().join("none"))]);
    assert_eq!((said.status, &said.json["rows"]), (Some(1), &0.into()), "{}", said.all);
}

/// Checkups of sixty people as CSV with its mapping, taken on a day; and the ids that they have here.
pub fn checkups(house: &House, name: &str, taken: &str) -> (Vec<(String, Vec<u8>)>, Vec<String>) {
    let folder = house.path().join(name);
    fs::create_dir(&folder).expect("a folder");
    let mapping = fs::read(samples("checkup/csv").join("municipal_checkup.toml")).expect("a mapping");
    let mut csv =
        "宛名番号,カナ氏名,生年月日,性別,健診種別,受診日,実施機関番号,身長,体重,収縮期血圧,拡張期血圧,HbA1c,胸部X線判定\n"
            .to_owned();
    for n in 0..60 {
        csv.push_str(&format!("{n:08},ﾃｽﾄ ﾀﾛｳ,S46.11.02,1,がん検診,{taken},1319999991,158.0,51.4,112,70,5.4,B\n"));
    }
    fs::write(folder.join("a.csv"), csv).expect("a file");
    fs::write(folder.join("a.toml"), mapping).expect("a file");
    let out = house.path().join(format!("{name}-ids"));
    house.run(&["formats", "convert", "--from", "checkup", text(&folder), "--out", text(&out)]).done();
    let mut reader = csv::Reader::from_path(out.join("identity.csv")).expect("identity");
    let at = reader.headers().expect("a heading").iter().position(|h| h == "local_patient_id").expect("a column");
    let ids = reader.records().map(|r| r.expect("a row")[at].to_owned()).collect();
    (files(&folder, |_| true), ids)
}

#[test]
fn a_package_that_is_not_to_be_used_waits_until_somebody_has_looked_at_it() {
    let house = House::new();
    let (wrong, ids) = checkups(&house, "wrong", "S40.9.12");
    let (right, _) = checkups(&house, "right", "R6.9.12");
    house.notified(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    house.receive(&[&house.package_of("checkup", 1, &wrong), &house.package_of("checkup", 2, &right)]);
    let first = house.on(&["ingest"]);
    assert_eq!(first.status, Some(1), "{}", first.all);
    assert_eq!((&first.json[0]["waits"], &first.json[1]["waits"]), (&"quality-package-held".into(), &"core-ingest-waits".into()));
    assert_eq!(house.count("measurement"), 0, "nothing of it, and nothing that overtakes it");
    let id = first.json[0]["package"].as_str().expect("an id").to_owned();
    let again = house.on(&["ingest"]);
    assert_eq!(again.json[0]["waits"], "quality-package-waits", "it is not read again: {}", again.all);

    // Somebody says no meanwhile, then somebody looks: nobody who said no is in it, and the provider's own ids are in its sealed copy alone.
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", &ids[7]]).done();
    let out = house.path().join("look");
    let look = house.on(&["quality", "batch", "--package", &id, "--send", "--out", text(&out)]);
    assert_eq!((look.status, &look.json["patients"]), (Some(1), &59.into()), "{}", look.all);
    assert!(look.json["fatal"].as_u64().is_some_and(|n| n > 0), "{}", look.all);
    assert!(!out.join("rows.csv").exists());
    assert_eq!(status(&out, "measurement.measurement_date.plausibleAfterBirth"), "fail");
    let copy = house.instance().join(format!("outbox/{PROVIDER}/quality-000001.azp"));
    let sent = house.open(&copy, &crate::kit::hospital());
    let rows = sent.iter().find(|(name, _)| name == "rows.csv").map(|(_, c)| String::from_utf8_lossy(c).into_owned());
    let rows = rows.expect("rows by the hospital's ids");
    assert!(rows.contains(&ids[3]) && !rows.contains(&ids[7]), "{rows}");
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(ids.iter().all(|patient| !page.contains(patient) && !look.all.contains(patient)));

    // Somebody decides. Only what is held back can be decided on, and why stands in the journal.
    let reason =
        |verb: &str, id: &str| house.on(&["quality", verb, "--package", id, "--reason", "called the hospital: years of Showa"]);
    let other = first.json[1]["package"].as_str().expect("an id").to_owned();
    assert_eq!(reason("release", &other).refused(), "quality-not-held");
    reason("reject", &id).done();
    assert!(house.journal().iter().any(|e| e.to_string().contains("called the hospital")));
    assert_eq!(reason("release", &id).refused(), "quality-not-held");
    let refused = house.on(&["quality", "batch", "--package", &id, "--out", text(&house.path().join("none"))]);
    assert_eq!(refused.refused(), "quality-batch-state");
    let next = house.on(&["ingest"]);
    assert_eq!((&next.json[0]["waits"], &next.json[0]["patients_in"]), (&serde_json::Value::Null, &59.into()), "{}", next.all);
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_package_that_was_let_in_comes_in_whole_whatever_the_checks_say() {
    let house = House::new();
    let (wrong, ids) = checkups(&house, "wrong", "S40.9.12");
    house.notified(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    house.receive(&[&house.package_of("checkup", 1, &wrong)]);
    let held = house.on(&["ingest"]);
    assert_eq!(held.json[0]["waits"], "quality-package-held", "{}", held.all);
    let id = held.json[0]["package"].as_str().expect("an id").to_owned();
    house.on(&["quality", "release", "--package", &id, "--reason", "the dates are those of the mothers"]).done();
    let taken = house.on(&["ingest"]).done();
    assert_eq!(taken[0]["patients_in"], 60, "{taken}");
    assert_eq!(house.faults(), Vec::<String>::new());
    // What each look found is kept.
    let look = |name: &str| {
        let out = house.path().join(name);
        house.on(&["quality", "lake", "--provider", PROVIDER, "--out", text(&out)]);
        fs::read_to_string(out.join("report.html")).expect("a page")
    };
    assert!(!look("first").contains("Since the look on") && look("second").contains("Since the look on"));
    let looks = house.on(&["quality", "looks", "--provider", PROVIDER]).done();
    assert_eq!(looks.as_array().map(Vec::len), Some(2), "{looks}");
    assert_eq!(looks[0]["checks"], looks[1]["checks"]);
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn the_gate_can_be_opened_and_can_have_rules_of_its_own() {
    let house = House::new();
    let (right, ids) = checkups(&house, "right", "R6.9.12");
    house.notified(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let config = house.instance().join("azekura.toml");
    let settings = fs::read_to_string(&config).expect("settings");
    let header = "check,table,field,code,sex,from,to,low,high,ref,threshold,fatal,severity,owner\n";
    let rule = "plausibleValueHigh,measurement,measurement_date,,,,,,2020-01-01,,0,,fatal,laboratory\n";
    fs::write(house.instance().join("own.csv"), format!("{header}{rule}")).expect("a file");
    let with = |gate: &str, rules: &str| {
        let text = settings.replace("gate = true", gate).replace("rules = \"\"", rules);
        fs::write(&config, text).expect("settings");
    };
    house.receive(&[&house.package_of("checkup", 1, &right)]);
    with("gate = true", "rules = \"none.csv\"");
    assert_eq!(house.on(&["ingest"]).refused(), "quality-rules", "a gate without its rules lets nothing in");
    with("gate = true", "rules = \"own.csv\"");
    assert_eq!(house.on(&["ingest"]).json[0]["waits"], "quality-package-held");
    with("gate = false", "rules = \"own.csv\"");
    let id = house.on(&["ingest"]).json[0]["package"].as_str().expect("an id").to_owned();
    house.on(&["quality", "release", "--package", &id, "--reason", "rules of another year"]).done();
    house.on(&["ingest"]).done();
    house.receive(&[&house.package_of("checkup", 2, &right)]);
    house.on(&["ingest"]).done();
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn of_who_is_erased_nothing_waits_in_a_package_that_is_held_back() {
    let house = House::new();
    let (wrong, ids) = checkups(&house, "wrong", "S40.9.12");
    house.notified(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    // Held back, then somebody is erased.
    house.receive(&[&house.package_of("checkup", 1, &wrong)]);
    let held = house.on(&["ingest"]);
    assert_eq!(held.json[0]["waits"], "quality-package-held", "{}", held.all);
    let packages = || fs::read_dir(house.instance().join("packages")).expect("packages").count();
    assert_eq!(packages(), 1);
    let id = held.json[0]["package"].as_str().expect("an id");
    house.on(&["quality", "batch", "--package", id, "--send", "--out", text(&house.path().join("look"))]);
    let report = house.instance().join(format!("outbox/{PROVIDER}/quality-000001.azp"));
    assert!(report.exists());
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", &ids[3], "--erase"]).done();
    assert_eq!((packages(), report.exists()), (0, false), "its bytes are gone, and the report with the patient's rows");
    let id = held.json[0]["package"].as_str().expect("an id");
    assert_eq!(house.on(&["quality", "release", "--package", id, "--reason", "x"]).refused(), "quality-not-held");
    // Received, somebody is erased, then it would be held back.
    house.receive(&[&house.package_of("checkup", 1, &wrong)]);
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", &ids[4], "--erase"]).done();
    let set_aside = house.on(&["ingest"]);
    assert_eq!(set_aside.json[0]["refused"], "quality-refused", "{}", set_aside.all);
    assert_eq!(packages(), 0);
    // The provider may send it mended, under the same number.
    let (right, _) = checkups(&house, "right", "R6.9.12");
    house.receive(&[&house.package_of("checkup", 1, &right)]);
    let taken = house.on(&["ingest"]).done();
    assert_eq!(taken[0]["patients_in"], 58, "{taken}");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn who_looks_at_a_package_sees_what_held_it_back_also_when_it_is_what_was_told_before() {
    let house = House::new();
    let (right, ids) = checkups(&house, "right", "R6.9.12");
    house.notified(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    // More people than there have to be, in two packages: of the second all birth dates are others.
    let more = |name: &str, birth: &str| -> Vec<(String, Vec<u8>)> {
        let twice = |(path, content): &(String, Vec<u8>)| {
            let text = String::from_utf8(content.clone()).expect("text").replace("S46.11.02", birth);
            (path.replace("a.", &format!("{name}.")), text.into_bytes())
        };
        right.iter().map(twice).collect()
    };
    house.receive(&[&house.package_of("checkup", 1, &more("one", "S46.11.02"))]);
    house.on(&["ingest"]).done();
    let rules = "check,table,field,code,sex,from,to,low,high,ref,threshold,fatal,severity,owner\n\
        personConflict,person,year_of_birth,,,,,,,,0.1,,fatal,registration\n";
    fs::write(house.instance().join("own.csv"), rules).expect("a file");
    let config = house.instance().join("azekura.toml");
    let settings = fs::read_to_string(&config).expect("settings").replace("rules = \"\"", "rules = \"own.csv\"");
    fs::write(&config, settings).expect("settings");
    house.receive(&[&house.package_of("checkup", 2, &more("two", "S41.11.02"))]);
    let held = house.on(&["ingest"]);
    assert_eq!(held.json[0]["waits"], "quality-package-held", "{}", held.all);
    let out = house.path().join("look");
    let look =
        house.on(&["quality", "batch", "--package", held.json[0]["package"].as_str().expect("an id"), "--out", text(&out)]);
    assert_eq!((look.status, status(&out, "person.year_of_birth.personConflict").as_str()), (Some(1), "fail"), "{}", look.all);
    assert_eq!(house.faults(), Vec::<String>::new());
}
