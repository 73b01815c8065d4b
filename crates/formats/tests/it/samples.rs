//! The sample storages against expected files. These were checked line by line against the messages when they were
//! written; a change of them is a change of what the reader promises.

use std::path::Path;

use crate::harness::{File, Outcome, read, samples, tree};

fn compare(outcome: &Outcome, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name);
    let found = outcome.text();
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if found != expected {
        let other = std::env::temp_dir().join(format!("found-{name}"));
        std::fs::write(&other, &found).expect("the found text is kept for comparison");
        let differing = found.lines().zip(expected.lines()).find(|(f, e)| f != e);
        panic!("{name}: first difference {differing:#?}; all of it is in {}", other.display());
    }
}

/// Only the files of one patient.
fn of_patient(files: Vec<File>, patient: &str) -> Vec<File> {
    files.into_iter().filter(|(path, _)| path.contains(&format!("/{patient}/"))).collect()
}

// control: ORG-16
#[test]
fn every_data_type_gives_the_rows_that_its_messages_state() {
    let mut files = of_patient(tree(&samples("handmade/std")), "0000012345");
    files.extend(tree(&samples("handmade/ext")));
    let outcome = read(&files);
    compare(&outcome, "handmade-0000012345.txt");
    assert_eq!(outcome.counts.superseded, 3);
    assert_eq!(outcome.counts.deleted, 2);
    assert!(outcome.counts.balanced());
}

#[test]
fn characters_outside_the_basic_plane_come_through() {
    let outcome = read(&of_patient(tree(&samples("handmade/std")), "9000000777"));
    compare(&outcome, "handmade-9000000777.txt");
    assert!(outcome.text().contains("𠮷田") && outcome.text().contains("葛󠄀葉"));
}

#[test]
fn files_that_name_another_patient_set_the_whole_folder_and_the_others_aside() {
    let outcome =
        read(&tree(&samples("guideline-samples/999")).into_iter().map(|(p, b)| (format!("999/{p}"), b)).collect::<Vec<_>>());
    let mut ids: Vec<&str> = outcome.patients.iter().filter(|p| p.set_aside.is_some()).map(|p| p.local_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["0001000052", "10345678", "12345678", "1234567890", "9999013"]);
    assert_eq!(outcome.patients.len(), 5);
    assert_eq!(outcome.codes().iter().filter(|c| **c == "ssmix2-wrong-patient").count(), 6);
    assert!(outcome.rows.iter().all(|r| r.table == "source_file"));
    assert_eq!(outcome.of("source_file").len(), 12, "the source of a patient who is set aside is kept");
    assert_eq!(outcome.counts.set_aside, 12);
}

/// The messages of the guideline are one patient's folder with files of several. Put where they belong, by the id that
/// each file states, they are read.
#[test]
fn the_guidelines_own_messages_are_read_when_they_lie_where_they_belong() {
    let files: Vec<File> = tree(&samples("guideline-samples/999"))
        .into_iter()
        .map(|(path, bytes)| {
            let pid = bytes.windows(4).position(|w| w == b"PID|").expect("a PID");
            let id = bytes[pid..].split(|b| *b == b'|').nth(3).expect("PID-3");
            let id = String::from_utf8_lossy(id).split('^').next().unwrap_or_default().to_owned();
            let name = path.rsplit('/').next().expect("a name").replacen("9999013", &id, 1);
            (name, bytes)
        })
        .collect();
    let outcome = read(&files);
    compare(&outcome, "guideline.txt");
    assert!(outcome.counts.balanced());
    assert_eq!(outcome.counts.read, 12);
}
