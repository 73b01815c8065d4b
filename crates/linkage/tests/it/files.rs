//! From files to files: a first run, and what later runs add, correct, withdraw and decide.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use linkage::{COLUMNS, Change, ColumnMap, LinkageError, Options, continue_run, link_file};
use tempfile::TempDir;

pub const FAMILIES: [[&str; 2]; 5] =
    [["渡辺", "ワタナベ"], ["斎藤", "サイトウ"], ["大野", "オオノ"], ["伊藤", "イトウ"], ["佐々木", "ササキ"]];
pub const GIVENS: [[&str; 2]; 6] = [
    ["裕子", "ユウコ"],
    ["翔太", "ショウタ"],
    ["明美", "アケミ"],
    ["健一", "ケンイチ"],
    ["美咲", "ミサキ"],
    ["大輔", "ダイスケ"],
];

/// A line of record `n` of person `p`; some records of a person have another home, another script or a slip.
pub fn line(n: usize, p: usize) -> String {
    let (family, given) = (FAMILIES[p % 5], GIVENS[p / 5 % 6]);
    let slip = n % 7 == 3;
    let kanji = if n % 5 == 2 { ["", ""] } else { [family[0], given[0]] };
    let home = if n % 4 == 1 { p + 1000 } else { p };
    format!(
        "R{n:05},I{:03},2021-0{}-11,{},{},{},{},{},{}-{:02}-{:02},{:07},東京都三鷹市下連雀{}-{}-{},0901{:07},06130018,{},{},\n",
        n % 11,
        n % 9 + 1,
        kanji[0],
        kanji[1],
        family[1],
        if slip { given[1].replace('ウ', "") } else { given[1].to_owned() },
        p % 2 + 1,
        1930 + p % 77,
        p % 12 + 1,
        p % 28 + 1,
        1_810_000 + home % 97,
        home % 9 + 1,
        home % 31 + 1,
        home % 17 + 1,
        1_111_111 + p * 37,
        p % 50 + 1,
        10_000 + p * 13 + n % 3 / 2,
    )
}

pub fn table(lines: impl IntoIterator<Item = String>) -> String {
    std::iter::once(COLUMNS.join(",") + "\n").chain(lines).collect()
}

pub fn people(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| line(n, n * 7 % 211)).collect()
}

pub fn put(folder: &TempDir, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file");
    path
}

pub fn options(threads: usize) -> Options {
    Options { threads, newborns: true, ..Options::default() }
}

pub fn first(folder: &TempDir, name: &str, text: &str, threads: usize) -> std::path::PathBuf {
    let people = put(folder, &format!("{name}.csv"), text);
    let out = folder.path().join(name);
    link_file(&people, &out, &ColumnMap::default(), &options(threads)).expect("a run");
    out
}

pub fn persons(out: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(out.join("clusters.csv")).expect("clusters");
    text.lines().skip(1).filter_map(|l| l.split_once(',')).map(|(r, p)| (r.to_owned(), p.to_owned())).collect()
}

pub fn partition(out: &Path) -> BTreeSet<BTreeSet<String>> {
    let mut sets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (record, person) in persons(out) {
        sets.entry(person).or_default().insert(record);
    }
    sets.into_values().collect()
}

pub fn later(out: &Path, change: &Change) -> Result<linkage::Report, LinkageError> {
    continue_run(out, change, &ColumnMap::default(), &options(2))
}

#[test]
fn neither_the_order_of_rows_nor_the_number_of_threads_changes_a_byte_of_the_results() {
    let folder = TempDir::new().expect("a folder");
    let mut lines = people(0..900);
    let a = first(&folder, "a", &table(lines.clone()), 1);
    lines.reverse();
    lines.rotate_left(333);
    let b = first(&folder, "b", &table(lines), 3);
    for name in ["clusters.csv", "links.csv", "review.csv", "history.csv", "state.bin"] {
        assert!(fs::read(a.join(name)).expect("a") == fs::read(b.join(name)).expect("b"), "{name}");
    }
    assert!(partition(&a).len() < 900);
}

#[test]
fn adding_correcting_and_withdrawing_give_the_clusters_of_a_full_run_with_the_same_model() {
    let folder = TempDir::new().expect("a folder");
    let a = first(&folder, "a", &table(people(0..700)), 2);
    let full = folder.path().join("full");
    fs::create_dir(&full).expect("a folder");
    fs::copy(a.join("state.bin"), full.join("state.bin")).expect("a copy");

    // 200 new records, 20 corrected, 30 withdrawn, in three runs
    let more = put(&folder, "more.csv", &table(people(700..900)));
    later(&a, &Change { add: Some(more), ..Change::default() }).expect("added");
    let corrected: Vec<String> = (100..120).map(|n| line(n, n * 3 % 211)).collect();
    let correct = put(&folder, "correct.csv", &table(corrected.clone()));
    later(&a, &Change { add: Some(correct), ..Change::default() }).expect("corrected");
    let ids: String = std::iter::once("record_id\n".to_owned()).chain((200..230).map(|n| format!("R{n:05}\n"))).collect();
    let remove = put(&folder, "remove.csv", &ids);
    later(&a, &Change { remove: Some(remove), ..Change::default() }).expect("withdrawn");

    // the same records all at once: everything goes, everything comes
    let all: String = std::iter::once("record_id\n".to_owned()).chain((0..700).map(|n| format!("R{n:05}\n"))).collect();
    let empty = put(&folder, "all.csv", &all);
    later(&full, &Change { remove: Some(empty), ..Change::default() }).expect("emptied");
    assert!(persons(&full).is_empty());
    let mut lines = people(0..900);
    lines.splice(100..120, corrected);
    lines.drain(200..230);
    let again = put(&folder, "again.csv", &table(lines));
    let back = Options { again: true, ..options(2) };
    continue_run(&full, &Change { add: Some(again), ..Change::default() }, &ColumnMap::default(), &back).expect("all at once");
    assert_eq!(partition(&a), partition(&full));
    assert!(fs::read(a.join("links.csv")).expect("a") == fs::read(full.join("links.csv")).expect("full"));
}

#[test]
fn a_row_given_twice_is_one_record_and_a_delivery_given_again_changes_nothing() {
    let folder = TempDir::new().expect("a folder");
    let mut lines = people(0..300);
    lines.extend(people(0..50));
    let people_file = put(&folder, "p.csv", &table(lines.clone()));
    let out = folder.path().join("o");
    let report = link_file(&people_file, &out, &ColumnMap::default(), &options(2)).expect("a run");
    assert_eq!((report.records, report.repeated_rows), (300, 50));
    let before = persons(&out);
    later(&out, &Change { add: Some(people_file), ..Change::default() }).expect("again");
    assert_eq!(before, persons(&out));
}

#[test]
fn a_withdrawn_record_leaves_no_trace() {
    let folder = TempDir::new().expect("a folder");
    let rare = "R99999,I001,2021-01-11,勅使河原,蘭丸,テシガワラ,ランマル,1,1971-03-05,1810099,東京都三鷹市井の頭9-9-9,08055556666,06130018,77,654321,\n";
    let out = first(&folder, "o", &table(people(0..200).into_iter().chain([rare.to_owned()])), 2);
    let everything = || -> Vec<u8> {
        let files = fs::read_dir(&out).expect("files").map(|f| f.expect("a file").path());
        files.flat_map(|p| fs::read(p).expect("readable")).collect()
    };
    let holds = |text: &str| everything().windows(text.len()).any(|w| w == text.as_bytes());
    let facts = put(&folder, "f.csv", "kind,record_id_l,record_id_r\ncannot,R99999,R00001\n");
    later(&out, &Change { facts: Some(facts), ..Change::default() }).expect("a fact");
    assert!(holds("R99999") && holds("ランマル"));
    let person = persons(&out)["R99999"].clone();
    let ids = put(&folder, "i.csv", "record_id\nR99999\n");
    later(&out, &Change { remove: Some(ids), ..Change::default() }).expect("withdrawn");
    assert!(!holds("R99999") && !holds("ランマル") && !holds("テシガワラ"));
    let history = fs::read_to_string(out.join("history.csv")).expect("history");
    assert!(history.contains(&format!("{person},,3,withdrawn")), "{history}");
}

#[test]
fn facts_are_obeyed_survive_later_runs_and_retired_ids_resolve() {
    let folder = TempDir::new().expect("a folder");
    // two more persons of one record each
    let alone = [line(9_001, 5_003), line(9_002, 6_110)];
    let out = first(&folder, "o", &table(people(0..500).into_iter().chain(alone)), 2);
    let before = persons(&out);
    let stranger = "R09002";
    let fact = |kind: &str| format!("kind,record_id_l,record_id_r\n{kind},R09001,{stranger}\n");
    let must = put(&folder, "must.csv", &fact("must"));
    later(&out, &Change { facts: Some(must), ..Change::default() }).expect("a fact");
    let joined = persons(&out);
    assert_eq!(joined["R09001"], joined[stranger]);
    let retired: BTreeSet<&String> = before.values().filter(|p| !joined.values().any(|q| q == *p)).collect();
    assert_eq!(retired.len(), 1);
    let history = fs::read_to_string(out.join("history.csv")).expect("history");
    let old = retired.into_iter().next().expect("one");
    assert!(history.contains(&format!("{old},{},2,merge", joined["R09001"])), "{history}");
    let more = put(&folder, "more.csv", &table(people(500..520)));
    later(&out, &Change { add: Some(more), ..Change::default() }).expect("added");
    assert_eq!(persons(&out)["R09001"], persons(&out)[stranger]);
    // what everybody else was called stays
    let after = persons(&out);
    let kept = joined.iter().filter(|(r, p)| after[*r] == **p).count();
    assert!(kept > 490, "{kept}");

    let cannot = put(&folder, "cannot.csv", &fact("cannot"));
    let refused = later(&out, &Change { facts: Some(cannot), ..Change::default() });
    assert!(matches!(refused, Err(LinkageError::FactRowsContradict { .. })));
    assert_eq!(persons(&out), after, "a refused run changes nothing");
}

#[test]
fn bad_tables_are_refused_in_words_that_name_place_and_remedy() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().join("o");
    let run = |text: &[u8], map: &ColumnMap| {
        let path = folder.path().join("bad.csv");
        fs::write(&path, text).expect("a file");
        link_file(&path, &out, map, &options(2)).map(|r| r.records)
    };
    let header = COLUMNS.join(",");
    let plain = ColumnMap::default();
    assert!(matches!(run(b"", &plain), Err(LinkageError::CsvEmpty)));
    assert!(matches!(run(format!("\r\n{header}\n").as_bytes(), &plain), Err(LinkageError::CsvBlank)));
    assert!(matches!(run(b"record_id,sex\nR1,1\n", &plain), Err(LinkageError::ColumnMissing { column: "institution_id", .. })));
    assert!(matches!(run(format!("{header}\nR1,I1,\"open\n").as_bytes(), &plain), Err(LinkageError::CsvEndless)));
    assert!(matches!(
        run(format!("{header}\n{}\n", ",".repeat(15)).as_bytes(), &plain),
        Err(LinkageError::RecordWithoutId { row: 1, .. })
    ));
    let second = format!("{header}\nR1{}\n{}\n", ",".repeat(15), ",".repeat(15));
    assert!(matches!(run(second.as_bytes(), &plain), Err(LinkageError::RecordWithoutId { row: 2, .. })));
    let missing = link_file(&folder.path().join("none.csv"), &out, &plain, &options(1));
    assert!(matches!(missing, Err(LinkageError::FileUnreadable)));
    assert!(matches!(later(folder.path(), &Change::default()), Err(LinkageError::StateUnreadable)));
    // absent columns by a map, empty columns, and nothing but a header
    let absent = COLUMNS[1..].iter().map(|c| (*c, if *c == "family_kana" { "name" } else { "" }));
    let map = ColumnMap::new(absent).expect("our columns");
    assert_eq!(run("record_id,name\nR1,ワタナベ ユウコ\nR2,ワタナベ ユウコ\n".as_bytes(), &map).expect("a run"), 2);
    assert_eq!(run(format!("{header}\n").as_bytes(), &plain).expect("an empty run"), 0);
    assert!(matches!(ColumnMap::new([("nonsense", "x")]), Err(LinkageError::MapUnknown { entry: 1 })));
}

#[test]
fn a_damaged_state_is_refused_and_never_read_halfway() {
    let folder = TempDir::new().expect("a folder");
    let out = first(&folder, "o", &table(people(0..60)), 1);
    let state = fs::read(out.join("state.bin")).expect("a state");
    bolero::check!().with_type::<(u32, u8)>().for_each(|(at, bit)| {
        let mut damaged = state.clone();
        let place = *at as usize % damaged.len();
        damaged[place] ^= 1 << (bit % 8);
        damaged.truncate(damaged.len() - usize::from(*bit) / 64);
        fs::write(out.join("state.bin"), &damaged).expect("a file");
        assert!(matches!(later(&out, &Change::default()), Err(LinkageError::StateUnreadable)));
    });
}

#[test]
fn the_report_holds_numbers_only() {
    let folder = TempDir::new().expect("a folder");
    let out = first(&folder, "o", &table(people(0..400)), 2);
    for name in ["report.json", "report.html"] {
        let text = fs::read_to_string(out.join(name)).expect("a report");
        for secret in ["渡辺", "ワタナベ", "ユウコ", "下連雀", "0901111", "R00001"] {
            assert!(!text.contains(secret), "{name} says {secret}");
        }
    }
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("report.json")).expect("a report")).expect("JSON");
    assert!(json["stages"].as_array().is_some_and(|s| s.len() > 5));
    assert_eq!(json["records"], 400);
}

#[test]
fn people_in_parquet_are_the_people_of_the_same_csv() {
    use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
    use std::sync::Arc;
    let dir = TempDir::new().expect("a directory");
    let text = table((0..300).map(|n| line(n, n / 3)));
    fs::write(dir.path().join("people.csv"), &text).expect("written");
    // The birth date as a date and the sex as a number, as other programs would write them; two row groups.
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
    let columns = COLUMNS.iter().enumerate().map(|(at, name)| {
        let of = |f: &dyn Fn(&str) -> i64| rows.iter().map(|r| f(&r[at])).collect::<Vec<_>>();
        let array: ArrayRef = match *name {
            "sex" => Arc::new(Int64Array::from(of(&|sex| sex.parse().expect("a number")))),
            "birth_date" => {
                let day = |date: &str| {
                    let part = |range| date.get(range).and_then(|p: &str| p.parse::<u32>().ok()).expect("a date");
                    terms::days_from_civil(part(0..4) as i32, part(5..7), part(8..10)).expect("a day")
                };
                Arc::new(Date32Array::from_iter_values(rows.iter().map(|r| day(&r[at]))))
            }
            _ => Arc::new(StringArray::from_iter(rows.iter().map(|r| Some(&r[at]).filter(|v| !v.is_empty())))),
        };
        (*name, array)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(n, a)| (n, a, true))).expect("a batch");
    let path = dir.path().join("people.parquet");
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .set_max_row_group_row_count(Some(200))
        .build();
    let file = fs::File::create(&path).expect("a file");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");

    let clusters = |people: &Path, out: &str| {
        let out = dir.path().join(out);
        link_file(people, &out, &ColumnMap::default(), &Options::default()).expect("linked");
        fs::read_to_string(out.join("clusters.csv")).expect("clusters")
    };
    assert_eq!(clusters(&path, "parquet"), clusters(&dir.path().join("people.csv"), "csv"));

    let bytes = fs::read(&path).expect("readable");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    let cut = link_file(&path, &dir.path().join("cut"), &ColumnMap::default(), &Options::default());
    assert!(matches!(cut, Err(LinkageError::ParquetUnreadable)), "{cut:?}");
}
