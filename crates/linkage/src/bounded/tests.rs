//! The same files with a bound as without, however little fits.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::columns::{COLUMNS, PART_COLUMNS};
use crate::hash::mix;
use crate::parts_levels::PartLevels;

const FAMILIES: [&str; 7] = ["渡辺,ワタナベ", "斎藤,サイトウ", "大野,オオノ", "伊藤,イトウ", "佐々木,ササキ", "〓田,", "李,リ"];
const GIVENS: [&str; 8] = [
    "裕子,ユウコ",
    "翔太,ショウタ",
    "明美,アケミ",
    "健一,ケンイチ",
    "美咲,ミサキ",
    "大輔,ダイスケ",
    "ベビー,ベビー",
    "テスト,テスト",
];

/// Record `n`, of one of a third as many persons, with the slips, moves and joined names of a real table, and an institution that has a
/// quarter of the birth days wrong.
fn line(n: u64, records: u64) -> String {
    let p = mix(n, 1) % (records / 3);
    let roll = |at: u64, of: u64| mix(n, at + 10) % of;
    let (family, family_kana) = FAMILIES[(mix(p, 2) % 7) as usize].split_once(',').expect("two");
    let (given, given_kana) =
        GIVENS[(if roll(1, 40) == 0 { 6 + roll(2, 2) } else { mix(p, 3) % 6 }) as usize].split_once(',').expect("two");
    let names = match roll(3, 6) {
        0 => format!("{family}{given},,{family_kana}{given_kana},"),
        1 => format!(",,{family_kana},{given_kana}"),
        2 => format!("{family},{given},{family_kana},{}", given_kana.replacen('ウ', "", 1)),
        _ => format!("{family},{given},{family_kana},{given_kana}"),
    };
    let home = if roll(4, 5) == 0 { p + 1000 } else { p };
    let day = if roll(5, if n % 11 == 3 { 4 } else { 30 }) == 0 { 1 } else { p % 28 + 1 };
    let phone = if p.is_multiple_of(9) { 1_111_199 } else { 1_111_111 + p * 37 };
    format!(
        "R{:05},I{:03},2021-0{}-11,{names},{},{}-{:02}-{day:02},{:07},東京都三鷹市下連雀{}-{}-{},0901{phone:07},06130018,{},{},\n",
        mix(n, 9) % 90_000,
        n % 11,
        n % 9 + 1,
        p % 2 + 1,
        1930 + p % 77,
        p % 12 + 1,
        1_810_000 + home % 97,
        home % 9 + 1,
        home % 31 + 1,
        home % 17 + 1,
        p % 50 + 1,
        10_000 + p * 13 + roll(6, 20) / 19,
    )
}

/// The same with an address in parts, a personal identifier and a name in Latin letters.
fn line_in_parts(n: u64, records: u64) -> String {
    let p = mix(n, 1) % (records / 3);
    let roll = |at: u64, of: u64| mix(n, at + 30) % of;
    let pick = |list: &[&str], salt: u64| list[(mix(p, salt) % list.len() as u64) as usize].to_owned();
    let slip = |at: u64, text: String| if roll(at, 9) == 0 { text.replacen(['a', 'e', '1'], "o", 1) } else { text };
    let family = slip(1, pick(&["waller", "berry", "sondergeld", "harrington", "purdon", "bruhn", "nguyen"], 31));
    let given = slip(2, pick(&["lachlan", "kayla", "deakin", "luke", "michaela", "sarah", "brinley"], 32));
    let (family, given) = if roll(3, 20) == 0 { (given, family) } else { (family, given) };
    let street = slip(4, pick(&["tullaroop street", "giblin street", "goldfinch circuit", "ramsay place"], 33));
    format!(
        "R{:05},I{:03},,{family},{given},,,{},{}-{:02}-{:02},{},,0401{:06},,,,,{},{},{street},{},{},{}\n",
        mix(n, 9) % 90_000,
        n % 7,
        p % 2 + 1,
        1930 + p % 77,
        p % 12 + 1,
        if roll(5, 12) == 0 { 1 } else { p % 28 + 1 },
        2000 + p % 41,
        111_111 + p * 37,
        slip(6, (1_000_000 + p * 7919).to_string()),
        p % 19 + 1,
        if roll(7, 3) == 0 { "" } else { "villa" },
        pick(&["st james", "bittern", "canterbury"], 34),
        pick(&["nsw", "vic"], 35),
    )
}

/// Every column under our name, also those that only a map makes columns of addresses in parts.
fn map_in_parts() -> ColumnMap {
    ColumnMap::new(PART_COLUMNS.map(|c| (c, c))).expect("our names")
}

fn table(records: u64, columns: &[&str], line: impl Fn(u64, u64) -> String) -> String {
    let mut lines: Vec<String> = (0..records).map(|n| line(n, records)).collect();
    // ids fall together now and then: only the first keeps its id
    let mut seen = std::collections::HashSet::new();
    lines.retain(|l| seen.insert(l[..6].to_owned()));
    lines.push(lines[5].clone());
    columns.join(",") + "\n" + &lines.concat()
}

/// What a report says of the records, without what it says of the machine.
fn said(report: &Report) -> serde_json::Value {
    let mut value = serde_json::to_value(report).expect("a report");
    let fields = value.as_object_mut().expect("fields");
    ["stages", "wall_seconds", "cpu_seconds", "peak_memory_bytes", "memory_bound", "memory_passed", "threads"]
        .iter()
        .for_each(|f| drop(fields.remove(*f)));
    value
}

struct Case {
    folder: TempDir,
    people: PathBuf,
    map: ColumnMap,
    options: Options,
}

impl Case {
    fn new(records: u64, options: Options) -> Self {
        Self::of(&table(records, &COLUMNS, line), ColumnMap::default(), options)
    }

    fn in_parts(records: u64, options: Options) -> Self {
        let columns = [&COLUMNS[..], &PART_COLUMNS].concat();
        Self::of(&table(records, &columns, line_in_parts), map_in_parts(), options)
    }

    fn of(table: &str, map: ColumnMap, options: Options) -> Self {
        let folder = TempDir::new().expect("a folder");
        let people = folder.path().join("people.csv");
        fs::write(&people, table).expect("written");
        Self { folder, people, map, options: Options { threads: 2, newborns: true, ..options } }
    }

    fn out(&self, name: &str, decisions: &str) -> PathBuf {
        let out = self.folder.path().join(name);
        fs::create_dir(&out).expect("a folder");
        if !decisions.is_empty() {
            fs::write(out.join("decisions.csv"), decisions).expect("written");
        }
        out
    }

    fn within(&self, out: &Path, buffers: usize, threads: usize) -> Result<Report, LinkageError> {
        let room = Room { directory: out.to_owned(), memory: 0, buffers: Some(buffers) };
        link(&self.people, out, &self.map, &Options { threads, ..self.options }, &room)
    }
}

const FILES: [&str; 6] = ["clusters.csv", "links.csv", "review.csv", "history.csv", "splits.csv", "state.bin"];

fn same_files(a: &Path, b: &Path, what: &str) {
    for name in FILES {
        assert!(fs::read(a.join(name)).expect("a") == fs::read(b.join(name)).expect("b"), "{name} {what}");
    }
}

#[test]
fn a_bound_on_memory_changes_no_byte_of_the_results_however_many_parts_it_makes() {
    // few rows make a block too large, and few births a telephone no evidence
    let small = Options { largest_block: 6, neighbours: 2, persons_per_phone: 4, ..Options::default() };
    let cases = [Options::default(), small].map(|options| [Case::new(2_000, options), Case::in_parts(900, options)]);
    for case in cases.iter().flatten() {
        let whole = case.out("whole", "");
        let report = crate::link_file(&case.people, &whole, &case.map, &case.options).expect("linked");
        let persons = fs::read_to_string(whole.join("clusters.csv")).expect("persons");
        let ids: Vec<&str> = persons.lines().skip(1).filter_map(|l| l.split(',').next()).collect();
        assert!(report.persons < report.records && ids.len() as u64 == report.records);
        // what the two runs have in common is worth something only where pairs of the kind were scored
        let state = State::load(&whole).expect("saved");
        let in_parts = case.map == map_in_parts();
        assert!(state.scored.iter().all(|s| PartLevels::of(s.pattern).is_some() == in_parts));
        let errs = |s: &Scored| s.pattern.levels().birth_errors > 0;
        assert!(in_parts || state.scored.iter().any(errs), "an institution is known to err: {:?}", state.trained.model.rates);
        for (buffers, threads) in [(1 << 10, 1), (20 << 10, 3), (1 << 20, 2), (64 << 20, 1)] {
            let out = case.out(&format!("b{buffers}"), "");
            let bounded = case.within(&out, buffers, threads).expect("linked");
            same_files(&whole, &out, &format!("{buffers} bytes"));
            assert_eq!(said(&bounded), said(&report), "{buffers} bytes");
        }
    }
}

#[test]
fn clerks_are_obeyed_and_heeded_within_a_bound_as_without() {
    let case = Case::new(900, Options { supervised: true, ..Options::default() });
    let first = case.out("first", "");
    crate::link_file(&case.people, &first, &case.map, &case.options).expect("linked");
    let links = fs::read_to_string(first.join("links.csv")).expect("links");
    let pairs: Vec<Vec<&str>> = links.lines().skip(1).map(|l| l.split(',').collect()).collect();
    let (joined, ends): (&Vec<&str>, _) =
        (pairs.iter().find(|p| p[3] == "link").expect("a link"), (pairs[0][0], pairs[pairs.len() - 1][1]));
    let mut decisions = "record_id_l,record_id_r,clerk,says,reason,at\n".to_owned();
    for clerk in ["a", "b"] {
        decisions += &format!("{},{},{clerk},different,document,1\n", joined[0], joined[1]);
        decisions += &format!("{},{},{clerk},same,document,1\n", ends.0.min(ends.1), ends.0.max(ends.1));
        decisions += &format!("R0000x,{},{clerk},same,document,1\n", ends.1);
    }
    let whole = case.out("whole", &decisions);
    let report = crate::link_file(&case.people, &whole, &case.map, &case.options).expect("linked");
    let out = case.out("within", &decisions);
    let bounded = case.within(&out, 8 << 10, 2).expect("linked");
    same_files(&whole, &out, "with clerks");
    assert_eq!(said(&bounded), said(&report));
    assert_eq!(fs::read(whole.join("decisions.csv")).expect("words"), fs::read(out.join("decisions.csv")).expect("words"));
    let links = fs::read_to_string(out.join("links.csv")).expect("links");
    assert!(links.contains(",must\n") && links.contains(",cannot\n"));
}

#[test]
fn what_is_wrong_with_a_table_is_said_within_a_bound_as_without() {
    let case = Case::new(300, Options::default());
    let good = fs::read_to_string(&case.people).expect("people");
    let another = good.lines().nth(7).expect("a line").replacen("2021-0", "2020-0", 1);
    let wrong = [
        good.clone() + &another + "\n",
        good.clone() + "a,b\n",
        good.replacen("R0", " ,", 3),
        good.clone() + "\"R",
        String::new(),
    ];
    for (at, text) in wrong.into_iter().enumerate() {
        fs::write(&case.people, text).expect("written");
        let whole = crate::link_file(&case.people, &case.out(&format!("w{at}"), ""), &case.map, &case.options);
        let bounded = case.within(&case.out(&format!("b{at}"), ""), 4 << 10, 2);
        let text = |r: Result<Report, LinkageError>| r.expect_err("wrong").to_string();
        assert_eq!(text(bounded), text(whole), "{at}");
    }
}

#[test]
fn a_bound_that_was_passed_is_said_with_the_step() {
    let case = Case::new(300, Options::default());
    let out = case.out("passed", "");
    // no process keeps within nothing
    let report = case.within(&out, 1 << 20, 1).expect("linked");
    assert_eq!((report.memory_bound, report.memory_passed), (Some(0), Some("read")));
    let text = report.memory_message().expect("a message").text(messages::Lang::En);
    assert!(text.contains("step read needed more") && text.contains("was to take 0 MiB"), "{text}");
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains("step read needed more") && page.contains("処理「read」"));
    let json = fs::read_to_string(out.join("report.json")).expect("a report");
    assert!(json.contains("\"memory_passed\": \"read\""));
    // and a bound that was kept, or none, is not
    let out = case.out("kept", "");
    let report =
        crate::link_file(&case.people, &out, &case.map, &Options { memory: Some(4 << 30), ..case.options }).expect("linked");
    assert_eq!((report.memory_bound, report.memory_passed), (Some(4 << 30), None));
    let report = crate::link_file(&case.people, &case.out("none", ""), &case.map, &case.options).expect("linked");
    assert_eq!((report.memory_bound, report.memory_passed), (None, None));
}

#[test]
fn a_bound_that_is_too_small_or_that_a_folder_does_not_allow_is_said_with_the_remedy() {
    let case = Case::new(300, Options::default());
    let out = case.out("out", "");
    let within = |memory| {
        let options = Options { memory: Some(memory), ..case.options };
        crate::link_file(&case.people, &out, &case.map, &options)
    };
    let Err(LinkageError::MemoryTooSmall { least }) = within(1 << 20) else { panic!("one MiB is enough for nothing") };
    assert!(least > 1);
    assert!(!out.join("clusters.csv").exists() && !out.join("state.bin").exists());
    within(4 << 30).expect("enough");
    assert!(matches!(within(4 << 30), Err(LinkageError::MemoryEarlierRun)));
    // nothing but the results is left, and no file has more readers than its folder's other files
    let mut left: Vec<String> =
        fs::read_dir(&out).expect("a folder").map(|e| e.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    left.sort();
    let mut wanted: Vec<String> = FILES.iter().chain(&["lock", "report.html", "report.json"]).map(|f| (*f).to_owned()).collect();
    wanted.sort();
    assert_eq!(left, wanted);
}
