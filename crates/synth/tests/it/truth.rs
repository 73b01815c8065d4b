use std::collections::{HashMap, HashSet};
use std::fs;

use synth::{Options, check_digit, generate};

use crate::world::{WORLD, csv, files, flawed, storage, text};

type Row = HashMap<String, String>;

fn truth() -> Vec<Row> {
    csv(&WORLD.directory.path().join("truth.csv"))
}

fn flag(row: &Row, flag: &str) -> bool {
    row["flags"].split(' ').any(|f| f == flag)
}

#[test]
fn the_truth_has_a_line_for_every_patient_folder_and_no_other() {
    let lines: HashSet<_> = truth().iter().map(|r| (r["provider"].clone(), r["local_patient_id"].clone())).collect();
    assert_eq!(lines.len() as u64, WORLD.summary.patients);
    let mut folders = HashSet::new();
    for provider in &WORLD.summary.providers {
        for (path, _) in files(&storage(provider)) {
            folders.insert((provider.clone(), path.split('/').nth(2).expect("patient").to_owned()));
        }
    }
    assert_eq!(lines, folders);
}

#[test]
fn names_of_the_truth_stand_in_the_files() {
    let dirt = flawed("truth-dirt.csv", "dirt");
    for row in truth().iter().take(150) {
        let (provider, id) = (&row["provider"], &row["local_patient_id"]);
        let folder = storage(provider).join(&id[..3]).join(&id[3..6]).join(id).join("-/ADT-00");
        let live = files(&folder).into_iter().find(|(name, _)| name.ends_with("_1")).expect("a live registration");
        let path = format!("{}/{}/{id}/-/ADT-00/{}", &id[..3], &id[3..6], live.0);
        let flaws = dirt.get(&(provider.clone(), path)).cloned().unwrap_or_default();
        let content = text(&fs::read(live.1).expect("readable"), &flaws).replace('－', "−");
        for field in ["family", "given", "family_kana", "given_kana", "postal_code", "address", "phone", "insured_number"] {
            let wanted = row[field].replace('－', "−");
            let wide: String = wanted
                .chars()
                .map(|c| if c.is_ascii_digit() { char::from_u32(c as u32 + 0xFEE0).expect("digit") } else { c })
                .collect();
            assert!(content.contains(&wanted) || content.contains(&wide), "{field}");
        }
        assert!(content.contains(&row["birth_date"].replace('-', "")));
    }
}

#[test]
fn what_makes_reality_hard_occurs_at_plausible_rates() {
    let all = truth();
    let share = |what: &str| all.iter().filter(|r| flag(r, what)).count() as f64 / all.len() as f64;
    for (what, low, high) in [
        ("twin", 0.001, 0.06),
        ("foreign", 0.002, 0.06),
        ("newborn", 0.003, 0.08),
        ("former_name", 0.005, 0.08),
        ("stale_address", 0.005, 0.12),
        ("stale_card", 0.01, 0.2),
        ("variant_kanji", 0.005, 0.12),
        ("kana_differs", 0.01, 0.35),
        ("turned_75", 0.01, 0.12),
        ("public_assistance", 0.005, 0.09),
        ("no_branch", 0.02, 0.2),
        ("deceased", 0.02, 0.2),
        ("stay", 0.05, 0.4),
        ("open_stay", 0.001, 0.03),
        ("no_contact", 0.05, 0.25),
        ("opt_out_before", 0.008, 0.06),
        ("opt_out_after", 0.004, 0.05),
        ("set_aside", 0.001, 0.05),
    ] {
        let is = share(what);
        assert!((low..high).contains(&is), "{what}: {is}");
    }
    let persons: HashSet<_> = all.iter().map(|r| &r["person"]).collect();
    assert_eq!(persons.len() as u64, WORLD.summary.persons);
    let mean = all.len() as f64 / persons.len() as f64;
    assert!((1.2..1.6).contains(&mean), "{mean} patients a person");
}

#[test]
fn numbers_have_the_right_form_and_are_nobodys() {
    for row in truth() {
        let insurer = &row["insurer_number"];
        if !insurer.is_empty() {
            assert!(matches!(insurer.len(), 6 | 8) && insurer.bytes().all(|b| b.is_ascii_digit()));
            let (body, check) = insurer.split_at(insurer.len() - 1);
            assert_eq!(check_digit(body).to_string(), check);
            assert!(&body[body.len() - 3..] >= "990");
        }
        let phone = &row["phone"];
        let digits = phone.bytes().filter(u8::is_ascii_digit).count();
        assert!(phone.is_empty() || phone.split('-').nth(1).is_some_and(|e| e.starts_with('0')) && matches!(digits, 10 | 11));
    }
    for provider in &WORLD.summary.providers {
        assert!(provider.len() == 10 && &provider[3..5] == "99" && &provider[2..3] == "1");
    }
}

#[test]
fn local_codes_are_a_fifth_to_a_third_of_the_results_and_units_change() {
    let (faults, dirt) = (flawed("truth-faults.csv", "fault"), flawed("truth-dirt.csv", "dirt"));
    let mut units: HashMap<(String, String), HashSet<String>> = HashMap::new();
    for provider in &WORLD.summary.providers {
        let (mut local, mut all) = (0.0, 0.0);
        for (path, file) in files(&storage(provider)) {
            let key = (provider.clone(), path.clone());
            if !path.contains("/OML-11/") || faults.contains_key(&key) {
                continue;
            }
            let content = text(&fs::read(file).expect("readable"), dirt.get(&key).map_or(&[], Vec::as_slice));
            for obx in content.split('\r').filter(|s| s.starts_with("OBX")) {
                let fields: Vec<&str> = obx.split('|').collect();
                let item: Vec<&str> = fields[3].split('^').collect();
                assert!(item[2] == "JC10" || item[2].starts_with("99"), "{path}");
                all += 1.0;
                local += f64::from(item[2] != "JC10");
                let unit = fields[6].split('^').next().unwrap_or("");
                if !unit.is_empty() {
                    units.entry((provider.clone(), item[0].to_owned())).or_default().insert(unit.to_owned());
                }
            }
        }
        let share = local / all;
        assert!((0.17..0.34).contains(&share), "{provider}: {share}");
    }
    assert!(units.values().any(|u| u.len() == 2) && units.values().all(|u| u.len() <= 2));
}

#[test]
fn contacts_and_opt_outs_name_patients_that_exist_in_words_that_the_law_has() {
    let known: HashMap<_, _> = truth().into_iter().map(|r| ((r["provider"].clone(), r["canonical_id"].clone()), r)).collect();
    let (mut rewritten, mut requesters) = (0, HashSet::new());
    for provider in &WORLD.summary.providers {
        let directory = WORLD.directory.path().join(provider);
        let canonical = |id: &str| id.trim_start_matches('0').to_owned();
        let contacts = csv(&directory.join("contacts.csv"));
        let contacted: HashSet<_> = contacts.iter().map(|c| canonical(&c["patient"])).collect();
        for row in &contacts {
            let of = &known[&(provider.clone(), canonical(&row["patient"]))];
            assert!(row["date"].as_str() >= "2026-04-01" && row["date"].as_str() < "2026-07-15");
            rewritten += usize::from(of["local_patient_id"] != row["patient"]);
        }
        for ((_, id), of) in known.iter().filter(|((p, _), _)| p == provider) {
            assert_eq!(contacted.contains(id), !flag(of, "no_contact"));
        }
        for row in csv(&directory.join("opt-outs.csv")) {
            let of = &known[&(provider.clone(), canonical(&row["patient"]))];
            assert!(flag(of, "opt_out_before"));
            assert!(row["requester"].parse::<terms::Requester>().is_ok());
            assert!(row["scope"].split(',').all(|s| s.parse::<terms::NoticeScope>().is_ok()));
            requesters.insert(row["requester"].clone());
        }
    }
    for row in csv(&WORLD.directory.path().join("truth-opt-outs.csv")) {
        requesters.insert(row["requester"].clone());
    }
    assert!(rewritten > 0, "some lists write ids without their zeros");
    for who in ["person", "guardian", "bereaved"] {
        assert!(requesters.contains(who), "{who}");
    }
}

#[test]
fn diagnoses_that_are_only_suspected_are_marked_by_modifier_or_by_field() {
    let (faults, dirt) = (flawed("truth-faults.csv", "fault"), flawed("truth-dirt.csv", "dirt"));
    let (mut modifier, mut field, mut all) = (0, 0, 0);
    for provider in &WORLD.summary.providers {
        for (path, file) in files(&storage(provider)) {
            let key = (provider.clone(), path.clone());
            if !path.contains("/PPR-01/") || faults.contains_key(&key) {
                continue;
            }
            let content = text(&fs::read(file).expect("readable"), dirt.get(&key).map_or(&[], Vec::as_slice));
            for line in content.split('\r') {
                let fields: Vec<&str> = line.split('|').collect();
                all += usize::from(fields[0] == "PRB");
                field += usize::from(fields[0] == "PRB" && fields.get(13).is_some_and(|f| f.starts_with("1^")));
                modifier += usize::from(fields[0] == "ZPR" && fields.get(3).is_some_and(|f| f.starts_with("8002^")));
            }
        }
    }
    assert!(modifier > 20 && field > 20 && all > (modifier + field) * 2, "{modifier} {field} {all}");
}

#[test]
fn the_dead_have_no_visits_after_their_death() {
    for row in truth().iter().filter(|r| flag(r, "deceased")) {
        let death = row["death_date"].replace('-', "");
        let id = &row["local_patient_id"];
        let folder = storage(&row["provider"]).join(&id[..3]).join(&id[3..6]).join(id);
        for entry in fs::read_dir(folder).expect("readable") {
            let day = entry.expect("entry").file_name().into_string().expect("ascii");
            assert!(day == "-" || day <= death, "a file of {day} after {death}");
        }
    }
}

/// Files that tell of something after a death, and how many deaths there are and how many files of the dead.
fn after_a_death(persons: u64, seed: u64) -> (Vec<String>, usize, usize) {
    let directory = tempfile::tempdir().expect("temporary directory");
    let options = Options { persons, seed, density: 0.3, ..Options::default() };
    let summary = generate(&options, directory.path(), |_| {}).expect("generates");
    let deaths: HashMap<(String, String), String> = csv(&directory.path().join("truth.csv"))
        .into_iter()
        .filter(|row| !row["death_date"].is_empty())
        .map(|row| ((row["provider"].clone(), row["local_patient_id"].clone()), row["death_date"].replace('-', "")))
        .collect();
    let (mut wrong, mut of_the_dead) = (Vec::new(), 0);
    // Its fifth part is the moment at which it was sent.
    let moment = |path: &str| path.rsplit('/').next().and_then(|n| n.split('_').nth(4)).unwrap_or("").to_owned();
    for provider in &summary.providers {
        let all = files(&directory.path().join(provider).join("storage"));
        // Whose stay ended by death (PV1-36 is 20), and when.
        let mut died: HashMap<String, String> = HashMap::new();
        for (path, file) in all.iter().filter(|(path, _)| path.contains("/ADT-52/")) {
            let content = String::from_utf8_lossy(&fs::read(file).expect("readable")).into_owned();
            let pv1 = content.split('\r').find(|s| s.trim_start().starts_with("PV1")).unwrap_or("").to_owned();
            if pv1.split('|').nth(36).is_some_and(|how| how.starts_with("20")) {
                died.insert(path.split('/').nth(2).unwrap_or("").to_owned(), moment(path));
            }
        }
        for (path, _) in &all {
            let parts: Vec<&str> = path.split('/').collect();
            let (id, day, kind) = (parts[2], parts[3], parts[4]);
            let Some(death) = deaths.get(&(provider.clone(), id.to_owned())).filter(|_| day != "-") else { continue };
            of_the_dead += 1;
            let order = ["OMD", "OMP-01", "OMP-02", "OML-01", "OMG-01", "OMG-02", "OMG-03"].contains(&kind);
            let late = order && died.get(id).is_some_and(|died| moment(path) >= *died);
            if day > death.as_str() || late {
                wrong.push(path.clone());
            }
        }
    }
    (wrong, deaths.len(), of_the_dead)
}

#[test]
fn nobody_gets_an_order_after_the_death() {
    // Worlds in which somebody dies in a stay that was for something else, or on a day with a visit.
    for seed in [1, 13, 32] {
        let (wrong, deaths, files) = after_a_death(250, seed);
        assert_eq!(wrong, Vec::<String>::new(), "seed {seed}");
        assert!(deaths > 5 && files > 100, "{deaths} {files}");
    }
}
