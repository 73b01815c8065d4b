//! Tables with addresses in parts, a personal identifier and names in Latin letters.

use std::fmt::Write as _;
use std::fs;

use linkage::{Change, ColumnMap, Options, Report, link_file};
use tempfile::TempDir;

use super::files::{later, options, partition, put};

const HEADER: &str = "id,surname,first,born,zip,ssn,no,road,second,town,county,gender\n";

fn map() -> ColumnMap {
    let ours = [
        ("record_id", "id"),
        ("family_kanji", "surname"),
        ("given_kanji", "first"),
        ("birth_date", "born"),
        ("postal_code", "zip"),
        ("personal_id", "ssn"),
        ("street_number", "no"),
        ("street", "road"),
        ("building", "second"),
        ("suburb", "town"),
        ("state", "county"),
        ("sex", "gender"),
    ];
    let none = [
        "institution_id",
        "registered_on",
        "family_kana",
        "given_kana",
        "address",
        "phone",
        "insurer_number",
        "insured_symbol",
        "insured_number",
        "insured_branch",
    ];
    ColumnMap::new(ours.into_iter().chain(none.map(|c| (c, "")))).expect("our names")
}

const FAMILIES: [&str; 9] = ["waller", "berry", "sondergeld", "harrington", "purdon", "o'neill", "trevorrow", "bruhn", "nguyen"];
const GIVENS: [&str; 7] = ["lachlan", "kayla", "deakin", "luke", "michaela", "sarah", "brinley"];
const ROADS: [&str; 8] = [
    "tullaroop street",
    "giblin street",
    "goldfinch circuit",
    "maltby circuit",
    "ramsay place",
    "dumas street",
    "milne cove",
    "forbes street",
];
const TOWNS: [&str; 6] = ["st james", "bittern", "canterbury", "coolaroo", "garbutt", "mount immaney"];

/// The record of person `n` of a town that has no two alike.
fn person(n: usize) -> [String; 11] {
    let pick = |list: &[&str], at: usize| list[at % list.len()].to_owned();
    [
        pick(&FAMILIES, n),
        pick(&GIVENS, n / 3),
        format!("{}{:02}{:02}", 1920 + n * 7 % 80, n % 12 + 1, n * 5 % 28 + 1),
        format!("{}", 2000 + n * 37 % 5000),
        format!("{}", 1_000_003 + n * 7_919 % 8_000_000),
        format!("{}", n % 97 + 1),
        pick(&ROADS, n / 2),
        String::new(),
        pick(&TOWNS, n / 5),
        pick(&["nsw", "vic", "qld"], n),
        (n % 2 + 1).to_string(),
    ]
}

fn line(id: &str, fields: &[String; 11]) -> String {
    format!("{id},{}\n", fields.join(","))
}

/// One of the slips that typists make, by number.
fn slip(fields: &mut [String; 11], kind: usize) {
    let swap = |text: &mut String, at: usize| {
        let mut letters: Vec<char> = text.chars().collect();
        if at + 1 < letters.len() {
            letters.swap(at, at + 1);
        }
        *text = letters.into_iter().collect();
    };
    match kind % 9 {
        0 => fields.swap(0, 1),
        1 => swap(&mut fields[4], 3),
        2 => fields[2].replace_range(6..8, "29"),
        3 => fields[1].clear(),
        4 => swap(&mut fields[6], 2),
        5 => fields.swap(6, 7),
        6 => fields[8].insert(2, 'x'),
        7 => {
            let (month, day) = (fields[2][4..6].to_owned(), fields[2][6..8].to_owned());
            fields[2].replace_range(4..8, &format!("{day}{month}"));
        }
        _ => swap(&mut fields[3], 1),
    }
}

/// `count` persons with two records each, the second with three slips.
fn table(count: usize) -> String {
    let mut text = HEADER.to_owned();
    for n in 0..count {
        let mut second = person(n);
        [n, n * 3 + 1, n * 5 + 2].into_iter().for_each(|kind| slip(&mut second, kind));
        text += &line(&format!("a{n:04}"), &person(n));
        text += &line(&format!("b{n:04}"), &second);
    }
    text
}

fn run(folder: &TempDir, name: &str, text: &str, threads: usize) -> (std::path::PathBuf, Report) {
    let people = put(folder, &format!("{name}.csv"), text);
    let out = folder.path().join(name);
    let report = link_file(&people, &out, &map(), &Options { threads, ..options(1) }).expect("a run");
    (out, report)
}

#[test]
fn records_with_three_slips_each_find_each_other_and_nobody_else() {
    let folder = TempDir::new().expect("a folder");
    let (out, report) = run(&folder, "out", &table(400), 2);
    let sets = partition(&out);
    let (mut right, mut wrong) = (0, 0);
    for set in &sets {
        let people: std::collections::BTreeSet<&str> = set.iter().map(|r| &r[1..]).collect();
        wrong += usize::from(people.len() > 1);
        right += usize::from(people.len() == 1 && set.len() == 2);
    }
    assert_eq!(wrong, 0, "nobody is joined with another");
    assert!(right >= 396, "{right} of 400 are found");
    assert!(report.json().contains("\"parts\""), "the report says what the model learned");
}

#[test]
fn neither_order_nor_threads_nor_the_writing_of_parts_changes_what_is_linked() {
    let folder = TempDir::new().expect("a folder");
    let text = table(150);
    let (one, _) = run(&folder, "one", &text, 1);
    let mut lines: Vec<&str> = text.lines().skip(1).collect();
    lines.reverse();
    let turned: String = std::iter::once(HEADER.to_owned()).chain(lines.iter().map(|l| format!("{l}\n"))).collect();
    let (two, _) = run(&folder, "two", &turned, 3);
    // wider letters, other case, spaces and dots: the same parts
    let loud = text.replace(" street", "  STREET.").replace("nsw", "NSW").replace("bittern", "Ｂｉｔｔｅｒｎ");
    let (three, _) = run(&folder, "three", &loud, 2);
    for name in ["clusters.csv", "links.csv", "review.csv", "state.bin"] {
        let read = |out: &std::path::Path| fs::read(out.join(name)).expect("a table");
        assert!(read(&one) == read(&two), "{name}");
        assert!(read(&one) == read(&three), "{name}");
    }
}

#[test]
fn records_that_are_added_are_linked_as_in_one_run_with_the_same_model() {
    let folder = TempDir::new().expect("a folder");
    let text = table(200);
    let (whole, _) = run(&folder, "whole", &text, 2);
    let gone = put(&folder, "gone.csv", &(0..20).fold("record_id\n".to_owned(), |all, n| all + &format!("b{n:04}\n")));
    let back: String =
        text.lines().filter(|l| l.starts_with("b000") || l.starts_with("b001")).fold(HEADER.to_owned(), |mut all, l| {
            writeln!(all, "{l}").expect("text");
            all
        });
    let back = put(&folder, "back.csv", &back);
    let before = partition(&whole);
    later(&whole, &Change { remove: Some(gone), ..Change::default() }).expect("a run");
    assert_ne!(partition(&whole), before);
    let again = Options { again: true, ..options(2) };
    linkage::continue_run(&whole, &Change { add: Some(back), ..Change::default() }, &map(), &again).expect("a run");
    assert_eq!(partition(&whole), before);
}

#[test]
fn twins_with_identifiers_given_out_one_after_the_other_stay_two_persons() {
    let folder = TempDir::new().expect("a folder");
    let mut text = table(200);
    for n in 500..520 {
        let mut twin = person(n);
        let first: u64 = twin[4].parse().expect("a number");
        text += &line(&format!("t{n}"), &twin);
        twin[1] = ["henrietta", "bartholomew", "rosamund"][n % 3].to_owned();
        twin[4] = (first + 1).to_string();
        text += &line(&format!("u{n}"), &twin);
    }
    // the same two records with one given name, to see that nothing else keeps them apart
    for n in 520..540 {
        let mut same = person(n);
        let first: u64 = same[4].parse().expect("a number");
        text += &line(&format!("t{n}"), &same);
        same[4] = (first + 1).to_string();
        text += &line(&format!("u{n}"), &same);
    }
    let (out, _) = run(&folder, "out", &text, 2);
    let sets = partition(&out);
    let together = |n: &usize| sets.iter().any(|s| s.contains(&format!("t{n}")) && s.contains(&format!("u{n}")));
    assert_eq!((500..520).filter(together).count(), 0, "twins");
    assert_eq!((520..540).filter(together).count(), 20, "one person each");
}

#[test]
fn a_column_called_state_makes_no_table_one_of_parts() {
    let folder = TempDir::new().expect("a folder");
    let plain = super::files::table(super::files::people(0..200));
    let more: String = plain.lines().enumerate().fold(String::new(), |mut all, (at, l)| {
        writeln!(all, "{l},{}", if at == 0 { "state" } else { "active" }).expect("text");
        all
    });
    let one = super::files::first(&folder, "one", &plain, 1);
    let two = super::files::first(&folder, "two", &more, 1);
    for name in ["clusters.csv", "links.csv", "state.bin"] {
        assert!(fs::read(one.join(name)).expect("one") == fs::read(two.join(name)).expect("two"), "{name}");
    }
}

#[test]
fn a_clerk_is_shown_the_parts_and_no_card_that_was_never_there() {
    let folder = TempDir::new().expect("a folder");
    let (out, _) = run(&folder, "out", &table(60), 1);
    let side = linkage::Desk::open(&out).expect("a desk").read_as("a0007").expect("a record");
    let value = |column: &str| side.iter().find(|(name, _)| *name == column).map(|(_, value)| value.clone());
    let written = person(7).map(|field| field.chars().filter(|c| c.is_alphanumeric()).collect::<String>());
    let shown =
        ["family_kanji", "given_kanji", "postal_code", "personal_id", "street_number", "street", "building", "suburb", "state"];
    for (column, field) in shown.into_iter().zip([0, 1, 3, 4, 5, 6, 7, 8, 9]) {
        let letters: String = value(column).expect(column).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        assert_eq!(letters, written[field], "{column}");
    }
    for column in ["insurer_number", "insured_number", "insured_branch"] {
        assert_eq!(value(column), None, "{column}");
    }
    assert_eq!(value("birth_date").map(|date| date.replace('-', "")), Some(written[2].clone()));
    assert_eq!(
        side.iter().map(|(name, _)| name).collect::<std::collections::BTreeSet<_>>().len(),
        side.len(),
        "each column once"
    );
}

#[test]
fn a_column_of_parts_that_the_map_names_has_to_be_there() {
    let folder = TempDir::new().expect("a folder");
    let people = put(&folder, "people.csv", &table(3).replace("ssn", "number"));
    let out = folder.path().join("out");
    let refused = link_file(&people, &out, &map(), &options(1)).expect_err("refused");
    assert!(matches!(refused, linkage::LinkageError::ColumnMissing { column: "personal_id", .. }), "{refused:?}");
}
