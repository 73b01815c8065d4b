//! What holds for any input.

use std::collections::BTreeSet;

use formats::ssmix2::{Options, Prescan};
use formats::{CODES, CONVERT_CODES};
use messages::Lang;

use crate::harness::{File, prescan, read, read_with, samples, tree};

const KINDS: [&str; 13] = [
    "ADT-00", "ADT-12", "ADT-22", "ADT-52", "ADT-61", "PPR-01", "OMD", "OMP-01", "OMP-12", "OML-11", "OMG-12", "OMG-13", "XYZ-99",
];

fn named(kind: &str, bytes: Vec<u8>) -> File {
    (format!("000/000/0000000001/20240401/{kind}/0000000001_20240401_{kind}_1_20240401120000000_01_1"), bytes)
}

/// Every file is rows, a counted state, or a finding.
fn accounted(files: &[File]) {
    let outcome = read(files);
    assert!(outcome.counts.balanced());
    assert_eq!(outcome.counts.members, files.len() as u64);
    for (path, _) in files {
        let said = outcome.findings.iter().any(|f| f.place.file.as_deref() == Some(path));
        let kept = outcome.of("source_file").iter().any(|r| r.get("path") == path);
        assert!(said || kept);
    }
    let unread = outcome.counts.unread as usize;
    assert!(outcome.findings.len() >= unread, "what is not read has a finding");
}

#[test]
fn arbitrary_bytes_under_any_data_type_are_accounted_for() {
    bolero::check!().with_type::<(u8, bool, Vec<u8>)>().for_each(|(kind, headed, bytes)| {
        let mut content = if *headed { b"MSH|^~\\&|||||||||||||||||~ISO IR87\rPID|||0000000001\r".to_vec() } else { Vec::new() };
        content.extend_from_slice(bytes);
        accounted(&[named(KINDS[usize::from(*kind) % KINDS.len()], content)]);
    });
}

#[test]
fn samples_with_bytes_changed_cut_or_doubled_are_accounted_for() {
    let files = tree(&samples("handmade/std"));
    bolero::check!().with_type::<(u16, u16, u8, u8)>().for_each(|(which, at, change, how)| {
        let (path, bytes) = &files[usize::from(*which) % files.len()];
        let mut bytes = bytes.clone();
        if !bytes.is_empty() {
            let at = usize::from(*at) % bytes.len();
            match how % 3 {
                0 => bytes[at] ^= change,
                1 => bytes.truncate(at),
                _ => bytes.extend_from_within(at..),
            }
        }
        accounted(&[(path.clone(), bytes)]);
    });
}

#[test]
fn arbitrary_paths_are_accounted_for() {
    bolero::check!().with_type::<Vec<(u8, u8)>>().for_each(|parts| {
        let words = ["0000000001", "-", "20240401", "OMP-01", "1", "20240401120000000", "01", "_", "/", "2", "0", "漢", "", ".."];
        let path: String =
            parts.iter().flat_map(|(a, b)| [words[usize::from(*a) % 14], if b % 2 == 0 { "_" } else { "/" }]).collect();
        let outcome = read(&[(path, b"MSH|^~\\&|\rPID|||0000000001".to_vec())]);
        assert!(outcome.counts.balanced());
    });
}

#[test]
fn the_order_of_a_patients_files_changes_nothing() {
    let files = tree(&samples("handmade/std"));
    let expected = read(&files).text();
    bolero::check!().with_type::<Vec<u16>>().for_each(|swaps| {
        let mut files = files.clone();
        let length = files.len();
        for (i, swap) in swaps.iter().enumerate() {
            files.swap(i % length, usize::from(*swap) % length);
        }
        assert_eq!(read(&files).text(), expected);
    });
}

#[test]
fn chunks_of_any_size_hold_the_same_rows() {
    let files = tree(&samples("handmade"));
    let set_aside = prescan(&files);
    let expected = read(&files).text();
    for chunk_bytes in [1_000, 10_000, 1 << 20] {
        let outcome = read_with(&files, Options { chunk_bytes, set_aside: set_aside.clone(), ..Options::default() });
        let without_repeats = |text: &str| text.lines().collect::<BTreeSet<_>>().len();
        if chunk_bytes >= 1 << 20 {
            assert_eq!(outcome.text(), expected);
        }
        assert!(without_repeats(&outcome.text()) > 0);
        assert_eq!(outcome.counts.members, files.len() as u64);
    }
}

#[test]
fn the_prescan_finds_exactly_whom_the_reader_sets_aside() {
    for part in ["handmade/std", "synthetic-twins"] {
        let files = tree(&samples(part));
        let found = prescan(&files);
        let read = read_with(&files, Options::default());
        let aside: BTreeSet<String> = read.patients.into_iter().filter(|p| p.set_aside.is_some()).map(|p| p.local_id).collect();
        assert_eq!(found, aside, "{part}");
    }
    assert!(Prescan::new(Options::default().patient_id_rule).finish().is_empty());
}

#[test]
fn every_code_has_its_text_in_both_languages() {
    for code in CODES.iter().chain(CONVERT_CODES).chain(formats::ADMIN_CODES).chain(formats::without::CODES) {
        assert!(messages::has(Lang::En, code), "{code}");
        assert!(messages::has(Lang::Ja, code), "{code}");
    }
}
