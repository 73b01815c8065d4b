//! What a report says of a run beside the run before, and of what clerks told the model.

use std::fs;

use linkage::{Change, ColumnMap, Desk, Options, Reason, Report, Says, link_file};
use tempfile::TempDir;

use super::files::{first, later, options, people, put, table};

fn again(folder: &TempDir, name: &str, text: &str) -> Report {
    let people = put(folder, "again.csv", text);
    link_file(&people, &folder.path().join(name), &ColumnMap::default(), &options(2)).expect("a run")
}

#[test]
fn a_report_names_what_moved_since_the_run_before_and_says_so_where_nothing_did() {
    let folder = TempDir::new().expect("a folder");
    let out = first(&folder, "o", &table(people(0..900)), 2);
    let page = || fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(!page().contains("What moved"), "there was no run before");

    let more = put(&folder, "more.csv", &table(people(900..930)));
    let same = later(&out, &Change { add: Some(more), ..Change::default() }).expect("a run");
    let drift = same.drift.expect("a run before");
    assert!(!drift.moved() && drift.run == 1 && drift.records == [900, 930], "{drift:?}");
    assert!(page().contains("What moved since run 1") && page().contains("Nothing moved more than chance"));

    // one institution writes no telephones any more, and half of all the persons have one record only
    let without = |line: String| {
        let bare = || line.split(',').enumerate().map(|(at, f)| if at == 11 { "" } else { f }).collect::<Vec<_>>().join(",");
        if line.contains(",I001,") { bare() } else { line.clone() }
    };
    let moved = again(&folder, "o", &table(people(0..900).into_iter().map(without)));
    let drift = moved.drift.expect("a run before");
    assert_eq!(drift.institutions.iter().map(|m| m.of.as_str()).collect::<Vec<_>>(), ["I001: phone"], "{drift:?}");
    assert!(page().contains("Missing at I001: phone: from 0.00 % to 100.00 %"));
    let fewer = again(&folder, "o", &table(people(0..150)));
    let drift = fewer.drift.expect("a run before");
    assert!(drift.linked_moved && drift.person_sizes.moved, "{drift:?}");
    assert!(page().contains("The share of records that are one person with another record went from"));
    assert!(page().contains("ほかの記録と同じ人になった記録の割合が"));
    assert!(page().contains("There are fewer records: 900 before, 150 now."));
}

#[test]
fn a_page_fits_a_narrow_window_and_has_no_heading_over_nothing() {
    let folder = TempDir::new().expect("a folder");
    let heading = "Records linked with nothing";
    let page = |name: &str, text: &str| fs::read_to_string(first(&folder, name, text, 1).join("report.html")).expect("a page");
    let plain = page("o", &table(people(0..60)));
    assert!(!plain.contains(heading) && plain.contains("svg{width:100%") && !plain.contains("<svg width"));
    let newborn = "R90000,I001,2021-01-11,テスト,患者,テスト,カンジャ,1,1971-03-05,,,,,,,\n".to_owned();
    assert!(page("p", &table(people(0..60).into_iter().chain([newborn]))).contains(heading));
}

#[test]
fn clerks_words_enter_a_new_model_where_that_is_asked_for_and_nothing_else_changes_what_holds() {
    let folder = TempDir::new().expect("a folder");
    let text = table(people(0..600));
    let out = first(&folder, "o", &text, 2);
    let links = fs::read_to_string(out.join("links.csv")).expect("links");
    let pairs: Vec<Vec<String>> = links.lines().skip(1).map(|l| l.split(',').map(str::to_owned).collect()).collect();
    let desk = Desk::open(&out).expect("a desk");
    for pair in pairs.iter().filter(|p| p[3] == "link").take(40) {
        for clerk in ["suzuki", "tanaka"] {
            desk.say(clerk, &pair[0], &pair[1], Some((Says::Same, Reason::Document))).expect("said");
        }
    }
    let people = folder.path().join("o.csv");
    let run = |supervised, threads| {
        let options = Options { supervised, ..options(threads) };
        link_file(&people, &out, &ColumnMap::default(), &options).expect("a run")
    };
    let without = run(false, 2);
    assert_eq!(without.supervision.same, 0);
    let with = run(true, 2);
    assert_eq!((with.supervision.same, with.supervision.different), (40, 0));
    assert!(with.supervision.kinds > 0);
    assert_eq!(with.decisions["must"], 40, "a word holds beside being learned from");
    // right words on pairs that the model knew anyway part nobody
    assert_eq!(with.persons, without.persons);
    let state = fs::read(out.join("clusters.csv")).expect("persons");
    run(true, 1);
    assert!(state == fs::read(out.join("clusters.csv")).expect("persons"));
}
