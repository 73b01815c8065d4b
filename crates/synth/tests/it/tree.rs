use std::collections::HashSet;
use std::fs;

use synth::{Fault, Options, SynthError, generate};

use crate::world::{WORLD, files, flawed, storage, text};

/// patient, date, type, order, timestamp, department, flag; `None` when the naming rule is broken.
fn parse(name: &str) -> Option<[&str; 7]> {
    let parts: Vec<&str> = name.split('_').collect();
    let [patient, date, kind, order, sent, department, flag]: [&str; 7] = parts.try_into().ok()?;
    let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
    let mut kind_parts = kind.split('-');
    let letters = kind_parts.next().is_some_and(|l| l.len() == 3 && l.bytes().all(|b| b.is_ascii_uppercase()));
    let number = kind_parts.next().is_none_or(|n| digits(n, 2));
    let good = !patient.is_empty()
        && (date == "-" || digits(date, 8))
        && letters
        && number
        && digits(order, 15)
        && digits(sent, 17)
        && (department == "-" || digits(department, 2))
        && matches!(flag, "0" | "1" | "2");
    good.then_some([patient, date, kind, order, sent, department, flag])
}

#[test]
fn the_same_options_give_the_same_bytes_on_any_number_of_threads() {
    let read = |threads| {
        let directory = tempfile::tempdir().expect("temporary directory");
        let options = Options { persons: 150, seed: 42, threads: Some(threads), density: 0.4, ..Options::default() };
        let summary = generate(&options, directory.path(), |_| {}).expect("generates");
        let all: Vec<_> =
            files(directory.path()).into_iter().map(|(name, path)| (name, fs::read(path).expect("readable"))).collect();
        (summary, all)
    };
    let (one, first) = read(1);
    let (two, second) = read(3);
    assert_eq!(one, two);
    assert!(first.len() as u64 > one.files && first == second);
}

#[test]
fn another_seed_gives_other_people() {
    let truth = |seed| {
        let directory = tempfile::tempdir().expect("temporary directory");
        generate(&Options { persons: 20, seed, density: 0.2, ..Options::default() }, directory.path(), |_| {})
            .expect("generates");
        fs::read_to_string(directory.path().join("truth.csv")).expect("readable")
    };
    assert_ne!(truth(1), truth(2));
}

#[test]
fn a_directory_that_holds_something_is_not_written_into() {
    let directory = tempfile::tempdir().expect("temporary directory");
    fs::write(directory.path().join("mine"), "x").expect("writable");
    let result = generate(&Options::default(), directory.path(), |_| {});
    assert!(matches!(result, Err(SynthError::NotEmpty { .. })));
    for wrong in [Options { persons: 0, ..Options::default() }, Options { providers: 101, ..Options::default() }] {
        assert!(matches!(generate(&wrong, &directory.path().join("new"), |_| {}), Err(SynthError::Options { .. })));
    }
}

#[test]
fn path_name_and_pid_agree_in_every_file_but_the_listed_ones() {
    let (faults, dirt) = (flawed("truth-faults.csv", "fault"), flawed("truth-dirt.csv", "dirt"));
    let (mut seen, mut live) = (0, HashSet::new());
    for provider in &WORLD.summary.providers {
        for (path, file) in files(&storage(provider)) {
            let key = (provider.clone(), path.clone());
            if faults.contains_key(&key) {
                continue;
            }
            let parts: Vec<&str> = path.split('/').collect();
            let [a, b, patient, date, kind, name] = parts.as_slice() else { panic!("{path}") };
            let Some([of, on, what, order, sent, _, flag]) = parse(name) else { panic!("{name}") };
            assert_eq!((of, on, what), (*patient, *date, *kind), "{path}");
            assert_eq!((*a, *b), (&patient[..3], &patient[3..6]), "{path}");
            assert_eq!(date == &"-", matches!(*kind, "ADT-00" | "ADT-01" | "ADT-61" | "PPR-01"), "{path}");
            if flag == "1" {
                assert!(
                    live.insert((key.0.clone(), of.to_owned(), on.to_owned(), what.to_owned(), order.to_owned())),
                    "two live: {path}"
                );
            }
            let content = text(&fs::read(file).expect("readable"), dirt.get(&key).map_or(&[], Vec::as_slice));
            assert!(!content.contains('\u{FFFD}'), "{path}: {content}");
            let segment =
                |name: &str| content.split('\r').find(|s| s.starts_with(name)).unwrap_or("").split('|').collect::<Vec<_>>();
            let (msh, pid) = (segment("MSH"), segment("PID"));
            assert!(msh[5].is_empty() || msh.len() >= 21, "{path}");
            assert_eq!(msh[6].replace('.', ""), sent, "{path}");
            assert_eq!(pid[3].split('^').next(), Some(of), "{path}");
            assert!(pid[5].contains('~') && pid[7].len() == 8, "{path}");
            seen += 1;
        }
    }
    assert!(seen > 5_000);
    let wrong: usize = faults.values().map(Vec::len).sum();
    assert_eq!(seen + wrong as u64, WORLD.summary.files);
}

#[test]
fn care_dates_are_those_that_the_specification_names() {
    let (faults, dirt) = (flawed("truth-faults.csv", "fault"), flawed("truth-dirt.csv", "dirt"));
    let source = |kind: &str| match kind {
        "ADT-12" | "ADT-22" => ("PV1", 44),
        "ADT-21" | "ADT-41" => ("PV2", 8),
        "ADT-51" => ("PV2", 9),
        "ADT-31" | "ADT-32" | "ADT-42" => ("EVN", 6),
        "ADT-52" => ("PV1", 45),
        "OML-11" => ("SPM", 17),
        "OMP-11" | "OMP-12" => ("RXA", 3),
        "OMG-11" | "OMG-12" | "OMG-13" => ("OBR", 7),
        _ => ("ORC", 9),
    };
    let mut kinds = HashSet::new();
    for provider in &WORLD.summary.providers {
        for (path, file) in files(&storage(provider)) {
            let key = (provider.clone(), path.clone());
            let parts: Vec<&str> = path.split('/').collect();
            let (date, kind) = (parts[3], parts[4]);
            if faults.contains_key(&key) || date == "-" {
                continue;
            }
            kinds.insert(kind.to_owned());
            let content = text(&fs::read(file).expect("readable"), dirt.get(&key).map_or(&[], Vec::as_slice));
            let (segment, field) = source(kind);
            let line = content.split('\r').find(|s| s.starts_with(segment)).unwrap_or_else(|| panic!("{path} has no {segment}"));
            let value = line.split('|').nth(field).unwrap_or("");
            assert!(value.starts_with(date), "{path}: {segment}-{field} is {value}");
        }
    }
    for kind in [
        "ADT-12", "ADT-21", "ADT-22", "ADT-31", "ADT-42", "ADT-52", "OMD", "OMP-01", "OMP-02", "OMP-11", "OMP-12", "OML-11",
        "OMG-11", "OMG-13",
    ] {
        assert!(kinds.contains(kind), "{kind} never occurs");
    }
}

#[test]
fn every_kind_of_fault_is_planted_at_every_provider_and_is_really_there() {
    let faults = flawed("truth-faults.csv", "fault");
    for provider in &WORLD.summary.providers {
        for fault in Fault::ALL {
            let of: Vec<_> = faults
                .iter()
                .filter(|((p, _), f)| p == provider && f.iter().any(|f| f == fault.code()))
                .map(|((_, path), _)| path)
                .collect();
            assert!(!of.is_empty(), "{provider} has no {}", fault.code());
            for path in of {
                let bytes = fs::read(storage(provider).join(path)).expect("listed files exist");
                let parts: Vec<&str> = path.split('/').collect();
                let ascii = String::from_utf8_lossy(&bytes).into_owned();
                let there = match fault {
                    Fault::Empty => bytes.is_empty(),
                    Fault::Garbage => !ascii.starts_with("MSH|"),
                    Fault::WrongPatient => !ascii.contains(&format!("PID|0001||{}", parts[2])),
                    Fault::UnknownMessage => ascii.contains("ZZX^Z99"),
                    Fault::UnknownType => parts[4] == "OMX-91",
                    Fault::BadName => parse(parts[5]).is_none(),
                    Fault::MissingEscape => text(&bytes, &[]).contains('\u{FFFD}') || !text(&bytes, &[]).contains("^^^^^L^I~"),
                    Fault::TwoLive => {
                        let folder = storage(provider).join(parts[..5].join("/"));
                        let order = parts[5].split('_').nth(3).map(|o| format!("_{o}_"));
                        let same = |n: &str| order.as_ref().is_some_and(|o| n.contains(o)) && n.ends_with("_1");
                        fs::read_dir(folder)
                            .expect("readable")
                            .filter(|e| same(&e.as_ref().expect("entry").file_name().to_string_lossy()))
                            .count()
                            == 2
                    }
                };
                assert!(there, "{path} is not {}", fault.code());
            }
        }
    }
}

#[test]
fn encodings_are_mixed_as_the_providers_are_described() {
    let dirt = flawed("truth-dirt.csv", "dirt");
    let total = WORLD.summary.files as f64;
    let share = |what: &str| dirt.values().filter(|d| d.iter().any(|x| x == what)).count() as f64 / total;
    for (what, low, high) in
        [("cp932", 0.02, 0.15), ("euc_jp", 0.005, 0.06), ("utf8_bom", 0.01, 0.08), ("crlf", 0.03, 0.2), ("control_z", 0.02, 0.15)]
    {
        let is = share(what);
        assert!((low..high).contains(&is), "{what}: {is}");
    }
    assert!(share("missing_escape_at_segment_end") > 0.001);
}
