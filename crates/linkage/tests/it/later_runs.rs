//! What a folder keeps from run to run: ids, facts, texts; and what it never keeps.

use std::fs;
use std::path::Path;

use linkage::{Change, ColumnMap, LinkageError, link_file};
use tempfile::TempDir;

use super::files::{first, later, line, options, partition, people, persons, put, table};

fn facts(folder: &TempDir, out: &Path, rows: &str) -> Result<linkage::Report, LinkageError> {
    let path = put(folder, "facts.csv", &format!("kind,record_id_l,record_id_r\n{rows}"));
    later(out, &Change { facts: Some(path), ..Change::default() })
}

fn remove(folder: &TempDir, out: &Path, ids: &[&str]) -> Result<linkage::Report, LinkageError> {
    let path = put(folder, "ids.csv", &format!("record_id\n{}\n", ids.join("\n")));
    later(out, &Change { remove: Some(path), ..Change::default() })
}

fn add(folder: &TempDir, out: &Path, lines: impl IntoIterator<Item = String>) -> Result<linkage::Report, LinkageError> {
    let path = put(folder, "more.csv", &table(lines));
    later(out, &Change { add: Some(path), ..Change::default() })
}

fn read(out: &Path, name: &str) -> String {
    fs::read_to_string(out.join(name)).expect("a table")
}

/// Records 9001, 9002, … of persons of one record each, beside 300 others.
fn with_singles(folder: &TempDir) -> std::path::PathBuf {
    let singles = (1..=3).map(|n| line(9_000 + n, 5_003 + n * 1_107));
    first(folder, "o", &table(people(0..300).into_iter().chain(singles)), 2)
}

#[test]
fn no_text_of_an_institution_or_a_name_shifts_another_in_the_state() {
    let folder = TempDir::new().expect("a folder");
    let lines = || {
        people(0..300)
            .into_iter()
            .map(|l| l.replace(",I003,", ",\"I\n003\r\",").replace(",I004,", ",\"\n\","))
            .collect::<Vec<_>>()
    };
    let long = format!("R99998,I001,2021-01-11,{0},{0},,,1,1971-03-05,1810099,,,,,,\n", "長".repeat(70_000));
    let out = first(&folder, "o", &table(lines().into_iter().chain([long])), 2);
    let before = read(&out, "links.csv");
    let again = lines().into_iter().take(40).map(|l| l.replacen('R', "S", 1));
    add(&folder, &out, again).expect("added");
    let now = persons(&out);
    for n in 0..40 {
        assert_eq!(now[&format!("S{n:05}")], now[&format!("R{n:05}")], "{n}");
    }
    let ids: Vec<String> = (0..40).map(|n| format!("S{n:05}")).collect();
    remove(&folder, &out, &ids.iter().map(String::as_str).collect::<Vec<_>>()).expect("withdrawn");
    assert!(read(&out, "links.csv") == before);
}

#[test]
fn a_quotation_mark_that_is_never_closed_swallows_no_record_and_withdraws_none() {
    let folder = TempDir::new().expect("a folder");
    let mut lines = people(0..200);
    let out = first(&folder, "o", &table(lines.clone()), 1);
    let refused = put(&folder, "ids.csv", "record_id\n\"R00001\nR00002\n");
    assert!(matches!(later(&out, &Change { remove: Some(refused), ..Change::default() }), Err(LinkageError::CsvEndless)));
    assert_eq!(persons(&out).len(), 200);
    lines[100] = lines[100].replace(",\n", ",\"1\n");
    let path = put(&folder, "open.csv", &table(lines));
    let run = link_file(&path, &folder.path().join("p"), &ColumnMap::default(), &options(2));
    assert!(matches!(run, Err(LinkageError::CsvEndless)), "{run:?}");
}

#[test]
fn a_quotation_mark_inside_an_address_is_read_in_a_file_of_any_size() {
    let folder = TempDir::new().expect("a folder");
    let mut lines: Vec<String> = (0..40_000).map(|n| line(n, n)).collect();
    lines[5] = lines[5].replace("下連雀", "下連雀5\" x");
    let text = table(lines);
    assert!(text.len() > 5 << 20);
    let path = put(&folder, "large.csv", &text);
    let report = link_file(&path, &folder.path().join("p"), &ColumnMap::default(), &options(2)).expect("a run");
    assert_eq!(report.records, 40_000);
}

#[test]
fn a_stored_model_is_the_same_to_the_last_bit_after_any_number_of_runs() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let model = || serde_json::from_str::<serde_json::Value>(&read(&out, "report.json")).expect("JSON")["model"].to_string();
    let first = model();
    for _ in 0..3 {
        later(&out, &Change::default()).expect("a run");
        assert_eq!(model(), first);
    }
}

#[test]
fn ids_to_withdraw_that_are_no_records_are_counted() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let report = remove(&folder, &out, &["NOPE-1", "R00001", "NOPE-2"]).expect("withdrawn");
    assert_eq!((report.records, report.removals_without_record), (302, 2));
}

#[test]
fn linking_all_people_again_keeps_ids_facts_and_history() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    facts(&folder, &out, "must,R09001,R09002\n").expect("a fact");
    let (before, history) = (persons(&out), read(&out, "history.csv"));
    assert_eq!(before["R09001"], before["R09002"]);
    // the same people but one, with a model of their own
    let people = fs::read_to_string(folder.path().join("o.csv")).expect("people");
    let fewer: String = people.lines().filter(|l| !l.starts_with("R09003")).map(|l| format!("{l}\n")).collect();
    let path = put(&folder, "again.csv", &fewer);
    let report = link_file(&path, &out, &ColumnMap::default(), &options(2)).expect("again");
    assert_eq!(report.run, 3);
    let after = persons(&out);
    assert!(after.iter().all(|(record, person)| before[record] == *person));
    let now = read(&out, "history.csv");
    assert!(now.starts_with(&history) && now.contains(&format!("{},,3,withdrawn", before["R09003"])), "{now}");
    fs::write(out.join("state.bin"), "of another version").expect("written");
    let refused = link_file(&path, &out, &ColumnMap::default(), &options(2));
    assert!(matches!(refused, Err(LinkageError::FolderTaken)), "{refused:?}");
}

#[test]
fn a_corrected_record_keeps_its_person() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let before = persons(&out);
    let corrected = line(9_001, 6_110).replace(",0901", ",0801");
    add(&folder, &out, [corrected]).expect("corrected");
    assert_eq!(before, persons(&out));
    assert_eq!(read(&out, "history.csv").lines().count(), 1, "nobody was retired");
}

#[test]
fn a_retired_id_resolves_to_where_its_records_are_and_no_living_id_resolves() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let before = persons(&out);
    let [x, y, z] = ["R09001", "R09002", "R09003"];
    let check = || {
        let now = persons(&out);
        let live: std::collections::BTreeSet<&String> = now.values().collect();
        for row in read(&out, "history.csv").lines().skip(1) {
            let fields: Vec<&str> = row.split(',').collect();
            assert!(!live.contains(&fields[0].to_owned()), "a living id: {row}");
            assert!(fields[1].is_empty() || live.contains(&fields[1].to_owned()), "nobody: {row}");
        }
        now
    };
    let resolved = |old: &str| {
        let history = read(&out, "history.csv");
        let row = history.lines().find(|l| l.starts_with(old)).map(|l| l.split(',').nth(1).unwrap_or("").to_owned());
        row.unwrap_or_else(|| old.to_owned())
    };
    facts(&folder, &out, &format!("must,{x},{y}\nmust,{y},{z}\n")).expect("facts");
    check();
    remove(&folder, &out, &[y]).expect("withdrawn");
    let together = check();
    assert_eq!(together[x], together[z], "one person still by what was said of the third");
    facts(&folder, &out, &format!("withdraw,{x},{z}\n")).expect("that is taken back");
    let parted = check();
    assert_ne!(parted[x], parted[z]);
    for record in [x, z] {
        assert_eq!(resolved(&before[record]), parted[record], "{record}");
    }
    assert!(read(&out, "splits.csv").contains(&format!("{},{},4", parted[x], parted[z])));
    facts(&folder, &out, &format!("must,{x},{z}\n")).expect("a fact");
    let joined = check();
    for record in [x, z] {
        assert_eq!(resolved(&before[record]), joined[record]);
        assert_eq!(resolved(&parted[record]), joined[record]);
    }
}

#[test]
fn the_names_of_one_person_leave_no_trace_however_often_and_differently_recorded() {
    let folder = TempDir::new().expect("a folder");
    let kana = ["カデノコウジ", "カデノコージ", "カデノコジ"];
    let one = (0..3).map(|n| {
        format!(
            "L{n},I00{n},2021-01-11,勘解由小路,蟬丸丸,{},セミマル,1,1971-03-05,1810099,東京都三鷹市井の頭9-9-9,08055556666,06130018,77,654321,\n",
            kana[n]
        )
    });
    let out = first(&folder, "o", &table(people(0..200).into_iter().chain(one)), 2);
    let holds = |text: &str| {
        let state = fs::read(out.join("state.bin")).expect("a state");
        state.windows(text.len()).any(|w| w == text.as_bytes())
    };
    assert!(holds("勘解由小路") && holds("セミマル"));
    remove(&folder, &out, &["L0", "L1", "L2"]).expect("withdrawn");
    assert!(!holds("勘解由小路") && !holds("セミマル") && !holds("カデノコウジ"));
}

#[test]
fn the_names_of_one_person_leave_no_trace_whose_birth_dates_and_spellings_differ() {
    let folder = TempDir::new().expect("a folder");
    let births = ["1977-03-09", "1977-03-08", "1977-09-03", "1967-03-09", ""];
    let one: Vec<String> = births
        .iter()
        .enumerate()
        .map(|(n, birth)| {
            let kana = ["ミタライダニ", "ミタライタニ", "ミタラエダニ"][n % 3];
            format!(
                "S{n},I001,2021-01-11,御手洗谷,珠蘭乃,{kana},ジュランノ,2,{birth},1000001,東京都千代田区千代田1-1-1,09055554444,06130690,,7788,01\n"
            )
        })
        .collect();
    let ids: Vec<String> = (0..births.len()).map(|n| format!("S{n}")).collect();
    // a family of three under a name of its own, and three people of one given name: what several bear is knowledge about names
    let others = [
        "T0,I001,2021-01-11,薬袋,太郎,ミナイ,タロウ,1,1950-01-02,,,,,,,\n",
        "T1,I001,2021-01-11,薬袋,花,ミナイ,ハナ,2,1952-03-04,,,,,,,\n",
        "T2,I001,2021-01-11,薬袋,次郎,ミナイ,ジロウ,1,1980-05-06,,,,,,,\n",
        "T3,I001,2021-01-11,佐藤,朔太,サトウ,サクタ,1,1951-01-02,,,,,,,\n",
        "T4,I001,2021-01-11,鈴木,朔太,スズキ,サクタ,1,1953-03-04,,,,,,,\n",
        "T5,I001,2021-01-11,高橋,朔太,タカハシ,サクタ,1,1981-05-06,,,,,,,\n",
    ];
    let lines = || people(0..200).into_iter().chain(others.map(str::to_owned)).chain(one.clone());
    for whole in [false, true] {
        // names that came in one piece are cut where the lexicon says, which must not say it of one person
        let text = |l: String| if whole { l.replace("渡辺,裕子", "渡辺裕子,") } else { l };
        let name = if whole { "w" } else { "o" };
        let out = first(&folder, name, &table(lines().map(text)), 2);
        let holds = |text: &str| {
            let state = fs::read(out.join("state.bin")).expect("a state");
            state.windows(text.len()).any(|w| w == text.as_bytes())
        };
        assert!(holds("御手洗谷") && holds("珠蘭乃") && holds("ミタライダニ"));
        remove(&folder, &out, &ids.iter().map(String::as_str).collect::<Vec<_>>()).expect("withdrawn");
        for name in ["御手洗谷", "珠蘭乃", "ミタライダニ", "ミタライタニ", "ミタラエダニ", "ジュランノ"]
        {
            assert!(!holds(name), "{name}");
        }
        let everybody: Vec<String> = (0..6).map(|n| format!("T{n}")).collect();
        remove(&folder, &out, &everybody.iter().map(String::as_str).collect::<Vec<_>>()).expect("withdrawn");
        assert!(holds("薬袋") && holds("朔太"), "what three people bear is known of names");
        assert!(!holds("次郎") && !holds("鈴木"));
    }
}

#[test]
fn a_fact_can_be_withdrawn_and_a_contradiction_is_named_by_its_row() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let [x, y, z] = ["R09001", "R09002", "R09003"];
    let row = |rows: &str| match facts(&folder, &out, rows) {
        Err(LinkageError::FactRowsContradict { row }) => row,
        other => panic!("{other:?}"),
    };
    assert_eq!(row(&format!("must,{x},{y}\nmust,{y},{z}\ncannot,R00010,R00020\ncannot,{x},{z}\n")), 4);
    facts(&folder, &out, &format!("cannot,{x},{y}\n")).expect("a fact");
    assert_eq!(row(&format!("must,{z},R00001\nmust,{y},{x}\n")), 2);
    let report = facts(&folder, &out, &format!("withdraw,{y},{x}\nmust,{x},{y}\nwithdraw,R00001,R00002\n")).expect("other words");
    assert_eq!(report.withdrawals_without_fact, 1);
    let now = persons(&out);
    assert_eq!(now[x], now[y]);
    facts(&folder, &out, &format!("withdraw,{x},{y}\n")).expect("nothing said");
    let now = persons(&out);
    assert_ne!(now[x], now[y]);
}

#[test]
fn who_was_kept_apart_or_made_one_over_a_record_is_so_still_when_that_record_is_withdrawn() {
    let folder = TempDir::new().expect("a folder");
    // two records of one person by all that they say, a third that says nothing of it, and two strangers
    let twins = [line(9_011, 5_003), line(9_015, 5_003)];
    let singles = (1..=3).map(|n| line(9_000 + n, 6_003 + n * 1_107));
    let text = table(people(0..300).into_iter().chain(twins).chain(singles));
    for by_clerks in [false, true] {
        let out = first(&folder, if by_clerks { "c" } else { "f" }, &text, 2);
        let same = |a: &str, b: &str| persons(&out)[a] == persons(&out)[b];
        assert!(same("R09011", "R09015"), "nothing else keeps them apart");
        // two persons, one of whom is a third record too; and a chain of three
        let words = [
            ("cannot", "R09011", "R09001"),
            ("must", "R09001", "R09015"),
            ("must", "R00001", "R09002"),
            ("must", "R09002", "R09003"),
        ];
        if by_clerks {
            let desk = linkage::Desk::open(&out).expect("a desk");
            for (kind, a, b) in words {
                let says = if kind == "must" { linkage::Says::Same } else { linkage::Says::Different };
                for clerk in ["suzuki", "tanaka"] {
                    desk.say(clerk, a, b, Some((says, linkage::Reason::Document))).expect("said");
                }
            }
        } else {
            let rows: String = words.iter().map(|(kind, a, b)| format!("{kind},{a},{b}\n")).collect();
            facts(&folder, &out, &rows).expect("facts");
        }
        let check = |when: &str| {
            assert!(!same("R09011", "R09015"), "{when}, by clerks: {by_clerks}");
            assert!(same("R00001", "R09003"), "{when}, by clerks: {by_clerks}");
        };
        later(&out, &Change::default()).expect("a run");
        check("before");
        remove(&folder, &out, &["R09001", "R09002"]).expect("withdrawn");
        check("withdrawn");
        let state = fs::read(out.join("state.bin")).expect("a state");
        assert!(!state.windows(6).any(|w| w == b"R09001" || w == b"R09002"));
        later(&out, &Change::default()).expect("a run");
        check("later");
        // a model trained anew on a table without another record
        let fewer: String = text.lines().filter(|l| !l.starts_with("R0900")).map(|l| format!("{l}\n")).collect();
        let path = put(&folder, "fewer.csv", &fewer);
        link_file(&path, &out, &ColumnMap::default(), &options(2)).expect("again");
        assert!(!same("R09011", "R09015"));
    }
}

#[test]
fn facts_about_records_to_come_are_held_against_each_other_when_they_arrive_and_survive_a_new_model() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let refused = facts(&folder, &out, "must,R09101,R09102\nmust,R09102,R09103\ncannot,R09101,R09103\n");
    assert!(matches!(refused, Err(LinkageError::FactRowsContradict { row: 3 })), "{refused:?}");
    facts(&folder, &out, "must,R09101,R09102\n").expect("one that waits");
    let refused = facts(&folder, &out, "cannot,R09102,R09101\n");
    assert!(matches!(refused, Err(LinkageError::FactRowsContradict { row: 1 })), "{refused:?}");
    let people = folder.path().join("o.csv");
    link_file(&people, &out, &ColumnMap::default(), &options(2)).expect("again");
    add(&folder, &out, [line(9_101, 7_003), line(9_102, 8_005)]).expect("the records come");
    let now = persons(&out);
    assert_eq!(now["R09101"], now["R09102"]);
}

#[test]
fn what_contradicts_itself_without_the_table_of_facts_is_said_with_the_records() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    facts(&folder, &out, "must,R09001,R09002\n").expect("a fact");
    let words = "record_id_l,record_id_r,clerk,says,reason,at\nR09001,R09002,a,different,document,1\nR09001,R09002,b,different,document,1\n";
    fs::write(out.join("decisions.csv"), words).expect("from a copy");
    let refused = add(&folder, &out, people(300..310));
    let named = |e: &LinkageError| matches!(e, LinkageError::StandingFactsContradict { left, right } if left == "R09001" && right == "R09002");
    assert!(refused.as_ref().is_err_and(named), "{refused:?}");
    let people = folder.path().join("o.csv");
    let refused = link_file(&people, &out, &ColumnMap::default(), &options(2));
    assert!(refused.as_ref().is_err_and(named), "{refused:?}");
    // as the message says
    facts(&folder, &out, "withdraw,R09001,R09002\n").expect("withdrawn");
}

#[test]
fn who_was_withdrawn_comes_back_with_no_old_delivery_unless_that_is_said() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let before = fs::read(out.join("state.bin")).expect("a state");
    remove(&folder, &out, &["R09001", "R00007"]).expect("withdrawn");
    // the delivery of then is given again, with a new record in it
    let delivery = folder.path().join("o.csv");
    let text = fs::read_to_string(&delivery).expect("people") + &line(9_100, 8_003);
    fs::write(&delivery, text).expect("written");
    let change = Change { add: Some(delivery.clone()), ..Change::default() };
    let report = later(&out, &change).expect("a run");
    assert_eq!((report.withdrawn_left_out, report.withdrawn_back, report.records), (2, 0, 302));
    let stays_out = |records| {
        let now = persons(&out);
        assert!(!now.contains_key("R09001") && !now.contains_key("R00007") && now.len() == records);
        let state = fs::read(out.join("state.bin")).expect("a state");
        assert!(!state.windows(6).any(|w| w == b"R09001" || w == b"R00007"));
    };
    stays_out(302);
    // so it is where a model is trained anew on all of them
    let anew = |again| {
        let options = linkage::Options { again, ..options(2) };
        link_file(&delivery, &out, &ColumnMap::default(), &options).expect("a run")
    };
    assert_eq!(anew(false).withdrawn_left_out, 2);
    stays_out(302);
    // withdrawn twice is withdrawn once, and what no table brings back is not told
    assert_eq!(remove(&folder, &out, &["R09001"]).expect("nothing").removals_without_record, 1);
    let report = anew(true);
    assert_eq!((report.withdrawn_left_out, report.withdrawn_back, report.records), (0, 2, 304));
    let report = later(&out, &change).expect("a run");
    assert_eq!((report.withdrawn_left_out, report.withdrawn_back), (0, 0), "they are there again");
    // and a folder that never lost anybody has nothing by which it could be told from another
    let other =
        first(&folder, "p", &table(people(0..300).into_iter().chain((1..=3).map(|n| line(9_000 + n, 5_003 + n * 1_107)))), 1);
    assert!(fs::read(other.join("state.bin")).expect("a state") == before);
}

#[test]
fn tables_change_only_when_the_state_is_safe() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let before = read(&out, "clusters.csv");
    // where the new state would be written there is a folder
    fs::create_dir(out.join("state.new")).expect("a folder");
    assert!(matches!(add(&folder, &out, people(300..320)), Err(LinkageError::FileUnwritable)));
    assert_eq!(read(&out, "clusters.csv"), before);
    let names = fs::read_dir(&out).expect("files").map(|f| f.expect("a file").file_name().into_string().expect("a name"));
    assert_eq!(names.filter(|n| n.ends_with(".new")).collect::<Vec<_>>(), ["state.new"]);
    fs::remove_dir(out.join("state.new")).expect("removed");
    add(&folder, &out, people(300..320)).expect("added");
    assert_eq!(persons(&out).len(), 323);
}

/// What stands in a folder, but for the lock.
fn everything(out: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(out).expect("a folder").map(|f| f.expect("a file").path());
    let name = |p: &std::path::PathBuf| p.file_name().expect("a name").to_string_lossy().into_owned();
    files.filter(|p| name(p) != "lock").map(|p| (name(&p), fs::read(p).expect("readable"))).collect()
}

#[test]
fn a_run_that_was_stopped_is_ended_by_whoever_opens_the_folder_or_leaves_nothing() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let before = everything(&out);
    add(&folder, &out, people(300..320)).expect("added");
    let after = everything(&out);
    let again = |files: &std::collections::BTreeMap<String, Vec<u8>>| {
        fs::remove_dir_all(&out).expect("gone");
        fs::create_dir(&out).expect("a folder");
        files.iter().for_each(|(name, bytes)| fs::write(out.join(name), bytes).expect("written"));
    };
    let new = |files: &mut std::collections::BTreeMap<String, Vec<u8>>, of: &dyn Fn(&str) -> bool| {
        let tables = after.iter().filter(|(name, _)| *name != "state.bin" && of(name));
        files.extend(tables.map(|(name, bytes)| (format!("{name}.new"), bytes.clone())));
    };
    let desk = || drop(linkage::Desk::open(&out).expect("a desk"));
    // stopped when the state was in place: before any table was, and between two
    for placed in [&[][..], &["clusters.csv", "links.csv"]] {
        let mut stopped = before.clone();
        stopped.insert("state.bin".to_owned(), after["state.bin"].clone());
        placed.iter().for_each(|name| drop(stopped.insert((*name).to_owned(), after[*name].clone())));
        new(&mut stopped, &|name| !placed.contains(&name));
        again(&stopped);
        desk();
        assert!(everything(&out) == after, "{placed:?}");
    }
    // stopped before: the new files, however many and however whole, are those of no run
    for cut in [0, 1] {
        let mut stopped = before.clone();
        new(&mut stopped, &|_| true);
        for name in ["state.new", "decisions.new"] {
            stopped.insert(name.to_owned(), after["state.bin"].clone());
        }
        if cut == 1 {
            // not even the report was whole, and the state is of the run all the same: nothing says that the tables are whole
            stopped.insert("state.bin".to_owned(), after["state.bin"].clone());
            stopped.get_mut("report.json.new").expect("a report").truncate(100);
        }
        again(&stopped);
        desk();
        let mut wanted = before.clone();
        wanted.insert("state.bin".to_owned(), stopped["state.bin"].clone());
        assert!(everything(&out) == wanted, "{cut}");
    }
    // a first run that was stopped
    again(&[("clusters.csv.new".to_owned(), after["clusters.csv"].clone()), ("state.new".to_owned(), vec![1])].into());
    assert!(matches!(later(&out, &Change::default()), Err(LinkageError::StateUnreadable)));
    assert!(everything(&out).is_empty());
}

#[test]
fn what_a_run_writes_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    linkage::Desk::open(&out)
        .expect("a desk")
        .say("a", "R09001", "R09002", Some((linkage::Says::Same, linkage::Reason::Other)))
        .expect("said");
    for name in everything(&out).keys() {
        let mode = fs::metadata(out.join(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[test]
fn two_runs_never_work_in_one_folder() {
    let folder = TempDir::new().expect("a folder");
    let out = with_singles(&folder);
    let held = fs::File::create(out.join("lock")).expect("a file");
    held.lock().expect("held");
    assert!(matches!(later(&out, &Change::default()), Err(LinkageError::FolderBusy)));
    let people = folder.path().join("o.csv");
    assert!(matches!(link_file(&people, &out, &ColumnMap::default(), &options(1)), Err(LinkageError::FolderBusy)));
    drop(held);
    later(&out, &Change::default()).expect("free again");
    assert_eq!(partition(&out).len(), persons(&out).values().collect::<std::collections::BTreeSet<_>>().len());
}
