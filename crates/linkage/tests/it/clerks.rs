//! What clerks say: a word holds when enough of them say it, at the next run and at every later one.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use linkage::{Change, ColumnMap, Desk, LinkageError, Options, Reason, Rule, Says, Standing, link_file, raw};
use tempfile::TempDir;

use super::files::{FAMILIES, GIVENS, first, later, line, options, people, persons, put, table};

const SAME: Option<(Says, Reason)> = Some((Says::Same, Reason::Document));
const DIFFERENT: Option<(Says, Reason)> = Some((Says::Different, Reason::Relatives));

/// Records 9001 to 9003 of one record each, beside 300 others.
fn house(folder: &TempDir) -> std::path::PathBuf {
    let singles = (1..=3).map(|n| line(9_000 + n, 5_003 + n * 1_107));
    first(folder, "o", &table(people(0..300).into_iter().chain(singles)), 2)
}

fn again(out: &Path) {
    later(out, &Change::default()).expect("a run");
}

fn together(out: &Path, a: &str, b: &str) -> bool {
    let persons = persons(out);
    persons[a] == persons[b]
}

#[test]
fn two_clerks_join_two_records_from_the_next_run_on_until_one_takes_the_word_back() {
    let folder = TempDir::new().expect("a folder");
    let out = house(&folder);
    let desk = || Desk::open(&out).expect("a desk");
    assert_eq!(desk().say("suzuki", "R09002", "R09001", SAME).expect("said"), Standing::Waiting);
    assert_eq!(
        desk().say("suzuki", "R09001", "R09002", SAME).expect("said again"),
        Standing::Waiting,
        "one clerk twice is one clerk"
    );
    again(&out);
    assert!(!together(&out, "R09001", "R09002"), "one clerk alone joins nobody");
    assert_eq!(desk().say("tanaka", "R09001", "R09002", SAME).expect("said"), Standing::Same);
    assert!(!together(&out, "R09001", "R09002"), "nothing changes before a run");
    again(&out);
    assert!(together(&out, "R09001", "R09002"));
    // a model trained anew obeys too, and so does a later run on it
    let people = folder.path().join("o.csv");
    link_file(&people, &out, &ColumnMap::default(), &options(2)).expect("trained anew");
    assert!(together(&out, "R09001", "R09002"));
    again(&out);
    assert!(together(&out, "R09001", "R09002"));
    assert_eq!(desk().say("tanaka", "R09001", "R09002", None).expect("taken back"), Standing::Waiting);
    again(&out);
    assert!(!together(&out, "R09001", "R09002"));
    // the word of two parts what the model joined
    let joined = persons(&out);
    let mut by_person: std::collections::BTreeMap<&String, Vec<&String>> = std::collections::BTreeMap::new();
    joined.iter().for_each(|(record, person)| by_person.entry(person).or_default().push(record));
    let pair = by_person.values().find(|records| records.len() == 2).expect("a person of two records");
    for clerk in ["suzuki", "tanaka"] {
        desk().say(clerk, pair[0], pair[1], DIFFERENT).expect("said");
    }
    again(&out);
    assert!(!together(&out, pair[0], pair[1]));
}

#[test]
fn the_number_of_clerks_is_the_run_s_and_a_dispute_needs_a_majority() {
    let folder = TempDir::new().expect("a folder");
    let out = house(&folder);
    let people = folder.path().join("o.csv");
    let one = Options { clerks: Some(Rule { to_join: 1, to_part: 1 }), ..options(2) };
    link_file(&people, &out, &ColumnMap::default(), &one).expect("a run");
    let desk = Desk::open(&out).expect("a desk");
    assert_eq!(desk.say("a", "R09001", "R09002", SAME).expect("said"), Standing::Same);
    assert_eq!(desk.say("b", "R09001", "R09002", DIFFERENT).expect("said"), Standing::Disputed);
    again(&out);
    assert!(!together(&out, "R09001", "R09002"));
    // A desk that was opened before a run knows other records and facts.
    assert!(matches!(desk.say("c", "R09001", "R09002", SAME), Err(LinkageError::FolderChanged)));
    let desk = Desk::open(&out).expect("a desk");
    assert_eq!(desk.say("c", "R09001", "R09002", SAME).expect("said"), Standing::Same);
    // a later run keeps the number
    again(&out);
    assert!(together(&out, "R09001", "R09002"));
    assert_eq!(Desk::open(&out).expect("a desk").rule(), one.clerks());
}

#[test]
fn a_model_trained_anew_keeps_the_folder_s_rule_where_no_other_is_stated_and_says_what_another_one_changes() {
    let folder = TempDir::new().expect("a folder");
    let text = table(people(0..300).into_iter().chain((1..=3).map(|n| line(9_000 + n, 5_003 + n * 1_107))));
    let people = put(&folder, "o.csv", &text);
    let out = folder.path().join("o");
    let link = |options: &Options| link_file(&people, &out, &ColumnMap::default(), options).expect("a run");
    let rule = |n| Some(Rule { to_join: n, to_part: n });
    let one = Options { clerks: rule(1), threshold: Some(0.95), review: Some(0.2), ..options(2) };
    let first = link(&one);
    assert_eq!((first.thresholds, first.words_changed), ([0.95, 0.2], None));
    // one clerk parts what the model joins, and joins what it does not
    let joined = persons(&out);
    let twin = |record: &String| joined.iter().any(|(other, person)| other != record && *person == joined[record]);
    let left = joined.keys().find(|record| twin(record)).expect("a person of several records");
    let right = joined.keys().rfind(|record| joined[*record] == joined[left]).expect("another record");
    let desk = Desk::open(&out).expect("a desk");
    for other in joined.iter().filter(|(record, person)| *record != left && **person == joined[left]) {
        desk.say("sato", left, other.0, DIFFERENT).expect("said");
    }
    desk.say("sato", "R09001", "R09002", SAME).expect("said");
    again(&out);
    let holds = || (together(&out, left, right), together(&out, "R09001", "R09002"));
    assert_eq!(holds(), (false, true));
    let anew = link(&options(2));
    assert_eq!(holds(), (false, true), "what a clerk said stands");
    assert_eq!((anew.thresholds, anew.words_changed), ([0.95, 0.2], None));
    assert_eq!(Desk::open(&out).expect("a desk").rule(), one.clerks());
    // another rule that is stated: what does not hold any more is counted
    let words = fs::read_to_string(out.join("decisions.csv")).expect("words").lines().count() as u64 - 1;
    let two = link(&Options { clerks: rule(2), threshold: Some(0.9), ..options(2) });
    assert_eq!((two.thresholds, two.words_changed), ([0.9, 0.2], Some(words)));
    assert!(!holds().1);
}

#[test]
fn a_word_against_other_words_or_facts_is_refused_and_changes_nothing() {
    let folder = TempDir::new().expect("a folder");
    let out = house(&folder);
    let desk = Desk::open(&out).expect("a desk");
    for clerk in ["a", "b"] {
        desk.say(clerk, "R09001", "R09002", SAME).expect("said");
        desk.say(clerk, "R09002", "R09003", SAME).expect("said");
    }
    desk.say("a", "R09003", "R09001", DIFFERENT).expect("one alone contradicts nothing yet");
    let before = fs::read(out.join("decisions.csv")).expect("words");
    let refused = desk.say("b", "R09001", "R09003", DIFFERENT);
    assert!(matches!(refused, Err(LinkageError::DecisionContradicts)), "{refused:?}");
    assert_eq!(fs::read(out.join("decisions.csv")).expect("words"), before);
    again(&out);
    assert!(together(&out, "R09001", "R09003"));
    // a table of facts is held against the words as well
    let facts = put(&folder, "facts.csv", "kind,record_id_l,record_id_r\ncannot,R09001,R09003\n");
    let refused = later(&out, &Change { facts: Some(facts), ..Change::default() });
    assert!(matches!(refused, Err(LinkageError::FactRowsContradict { row: 1 })), "{refused:?}");
    // and words against the table
    let out = first(&folder, "p", &table(people(0..300)), 2);
    let facts = put(&folder, "facts.csv", "kind,record_id_l,record_id_r\ncannot,R00001,R00002\n");
    later(&out, &Change { facts: Some(facts), ..Change::default() }).expect("a fact");
    let desk = Desk::open(&out).expect("a desk");
    desk.say("a", "R00001", "R00002", SAME).expect("one alone");
    assert!(matches!(desk.say("b", "R00001", "R00002", SAME), Err(LinkageError::DecisionContradicts)));
}

#[test]
fn words_that_contradict_each_other_by_another_rule_can_be_taken_back() {
    let folder = TempDir::new().expect("a folder");
    let out = house(&folder);
    let desk = Desk::open(&out).expect("a desk");
    desk.say("a", "R09001", "R09002", SAME).expect("said");
    desk.say("a", "R09002", "R09003", SAME).expect("said");
    desk.say("b", "R09001", "R09003", DIFFERENT).expect("nothing holds yet");
    let people = folder.path().join("o.csv");
    let one = Options { clerks: Some(Rule { to_join: 1, to_part: 1 }), ..options(2) };
    assert!(link_file(&people, &out, &ColumnMap::default(), &one).is_err(), "the three cannot all hold");
    // As a folder is whose rule was another one from the start.
    fs::remove_file(out.join("state.bin")).expect("gone");
    let words = fs::read(out.join("decisions.csv")).expect("words");
    fs::remove_file(out.join("decisions.csv")).expect("gone");
    link_file(&people, &out, &ColumnMap::default(), &one).expect("a run");
    fs::write(out.join("decisions.csv"), words).expect("back");
    let desk = Desk::open(&out).expect("a desk");
    desk.say("b", "R09001", "R09003", None).expect("a word is always taken back");
    again(&out);
    assert!(together(&out, "R09001", "R09003"));
}

#[test]
fn the_queue_is_what_is_open_by_value_with_its_evidence() {
    let folder = TempDir::new().expect("a folder");
    // names and birth dates alone, each at two places
    let alone = |n: usize, place: usize| {
        let (family, given) = (FAMILIES[n % 5], GIVENS[n % 6]);
        let names = [family[0], given[0], family[1], given[1]].join(",");
        format!(
            "R{:05},I{place:03},2021-01-11,{names},{},{}-03-09,,東京都三鷹市,,,,,\n",
            8_000 + place * 100 + n,
            n % 2 + 1,
            1931 + n
        )
    };
    let lines = people(0..300).into_iter().chain((0..8).flat_map(|n| [alone(n, 20), alone(n, 21)]));
    let out = first(&folder, "o", &table(lines), 2);
    let desk = Desk::open(&out).expect("a desk");
    let queue = desk.queue().expect("a queue");
    assert!(queue.len() > 3, "{}", queue.len());
    assert!(queue.windows(2).all(|w| w[0].case.value >= w[1].case.value));
    for queued in &queue {
        let case = &queued.case;
        assert_eq!((case.levels.len(), case.weights.len()), (linkage::FIELDS.len(), linkage::WEIGHTS.len()));
        let known = |level: &String| linkage::CODES.contains(&format!("linkage-level-{level}").as_str());
        assert!(case.levels.iter().all(known), "{:?}", case.levels);
        // the weights are those of the probability: against the likelier of two classes the odds are at least as good
        let bits: f64 = case.weights.iter().map(|w| f64::from(*w)).sum();
        let odds = bits.exp2();
        assert!(odds / (1.0 + odds) >= f64::from(case.probability) - 0.01, "{bits} {}", case.probability);
    }
    let first = queue[0].case.clone();
    assert!(desk.case(&first.right, &first.left).is_some(), "in either order");
    desk.say("a", &first.left, &first.right, SAME).expect("said");
    let waiting = desk.queue().expect("a queue");
    assert_eq!((waiting.len(), waiting[0].standing), (queue.len(), Standing::Waiting));
    assert!(waiting[0].clerks.contains("a"));
    desk.say("b", &first.left, &first.right, SAME).expect("said");
    assert_eq!(desk.queue().expect("a queue").len(), queue.len() - 1, "what is decided waits no more");
    // values as linkage reads them, and as the table has them
    let read = desk.read_as(&first.left).expect("a record");
    assert!(read.iter().any(|(column, value)| *column == "birth_date" && value.len() == 10), "{}", read.len());
    let ids: HashSet<String> = [first.left.clone(), first.right.clone()].into();
    let rows = raw(&folder.path().join("o.csv"), &ColumnMap::default(), &ids).expect("rows");
    assert_eq!(rows.len(), 2);
    assert!(rows[&first.left].iter().any(|(column, value)| *column == "address" && value.starts_with("東京都三鷹市")));
}

#[test]
fn words_about_a_withdrawn_record_go_with_it() {
    let folder = TempDir::new().expect("a folder");
    let out = house(&folder);
    let desk = Desk::open(&out).expect("a desk");
    desk.say("a", "R09001", "R09002", SAME).expect("said");
    desk.say("a", "R09002", "R09003", DIFFERENT).expect("said");
    let ids = put(&folder, "ids.csv", "record_id\nR09001\n");
    later(&out, &Change { remove: Some(ids), ..Change::default() }).expect("withdrawn");
    let words = fs::read_to_string(out.join("decisions.csv")).expect("words");
    assert!(!words.contains("R09001") && words.contains("R09003"), "{words}");
}

#[test]
fn what_is_no_word_is_refused_and_a_damaged_table_is_named_by_its_row() {
    let folder = TempDir::new().expect("a folder");
    let out = house(&folder);
    let desk = Desk::open(&out).expect("a desk");
    for (left, right) in [("R09001", "R09001"), ("R09001", "nobody"), ("", "R09001")] {
        assert!(matches!(desk.say("a", left, right, SAME), Err(LinkageError::DecisionUnknownRecord)), "{left} {right}");
    }
    assert!(matches!(desk.say(" ", "R09001", "R09002", SAME), Err(LinkageError::DecisionWithoutClerk)));
    assert!(!out.join("decisions.csv").exists(), "nothing was said");
    // a name with every letter that CSV minds comes back as it was
    desk.say("su,zu\"ki\nx", "R09001", "R09002", SAME).expect("said");
    assert_eq!(desk.say("tanaka", "R09001", "R09002", SAME).expect("said"), Standing::Same);
    desk.say("tanaka", "R09001", "R09002", None).expect("taken back");
    assert_eq!(fs::read_to_string(out.join("decisions.csv")).expect("words").matches("R09001").count(), 1);
    let text = fs::read_to_string(out.join("decisions.csv")).expect("words").replace(",same,", ",perhaps,");
    fs::write(out.join("decisions.csv"), text).expect("damaged");
    assert!(matches!(desk.queue(), Err(LinkageError::DecisionUnreadable { row: 1 })));
    assert!(
        matches!(later(&out, &Change::default()), Err(LinkageError::DecisionUnreadable { row: 1 })),
        "no run without the words"
    );
    fs::remove_file(out.join("decisions.csv")).expect("gone");
    fs::write(out.join("review.csv"), "record_id_l,record_id_r\na,b\n").expect("another queue");
    assert!(matches!(Desk::open(&out), Err(LinkageError::StateUnreadable)));
}

#[test]
fn clerks_at_one_folder_lose_no_word_of_each_other() {
    let folder = TempDir::new().expect("a folder");
    let out = house(&folder);
    let clerks: Vec<String> = (0..4).map(|n| format!("clerk-{n}")).collect();
    std::thread::scope(|scope| {
        for clerk in &clerks {
            let out = &out;
            scope.spawn(move || {
                let desk = Desk::open(out).expect("a desk");
                for n in 0..20 {
                    let (left, right) = (format!("R{n:05}"), format!("R{:05}", n + 100));
                    while let Err(error) = desk.say(clerk, &left, &right, Some((Says::Unsure, Reason::Other))) {
                        assert!(matches!(error, LinkageError::FolderBusy), "{error}");
                        std::thread::yield_now();
                    }
                }
            });
        }
    });
    let words = fs::read_to_string(out.join("decisions.csv")).expect("words");
    assert_eq!(words.lines().count(), 1 + 4 * 20);
}
