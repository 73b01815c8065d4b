//! Clerks at an instance: they see the two records, the journal sees them, and what they say holds from the next linkage on.

use serde_json::Value;

use crate::kit::{House, IDS, PROVIDER};
use crate::losses::{doubtful_people, persons_in_a_data_set};

/// The pair of the queue in which the first patient of [`IDS`] stands.
fn pair(house: &House) -> [String; 2] {
    let queue = house.on(&["link", "queue"]).done();
    assert_eq!(queue["waiting"], queue["pairs"].as_array().map_or(0, Vec::len), "{queue}");
    let first = house.sql("select min(record_id) as r from person")[0]["r"].to_string();
    let pairs = queue["pairs"].as_array().expect("pairs");
    let id = |pair: &Value, side: &str| pair[side].as_str().expect("an id").to_owned();
    let found = pairs.iter().map(|p| [id(p, "left"), id(p, "right")]).find(|p| p.contains(&first));
    found.or_else(|| pairs.first().map(|p| [id(p, "left"), id(p, "right")])).expect("a pair")
}

fn say(house: &House, clerk: &str, [left, right]: &[String; 2], word: &str) -> crate::kit::Said {
    let mut args = vec!["link", "decide", left, right, "--as", word, "--clerk", clerk];
    if word != "withdraw" {
        args.extend(["--reason", "document"]);
    }
    house.on(&args)
}

#[test]
fn two_clerks_make_one_person_of_two_records_and_nothing_leaves_before_the_linkage_obeys() {
    let house = House::new();
    doubtful_people(&house);
    let pair = pair(&house);
    let [left, right] = &pair;
    // both records are shown with what the vault says of them
    let shown = house.on(&["link", "show", left, right, "--clerk", "suzuki"]).done();
    let value = |side: &str, column: &str| {
        let all = shown[side].as_array().expect("values");
        all.iter().find(|v| v[0] == column).and_then(|v| v[1].as_str()).unwrap_or("").to_owned()
    };
    assert!(!value("left_values", "family_kanji").is_empty(), "{shown}");
    assert_eq!(value("left_values", "family_kanji"), value("right_values", "family_kanji"));
    let providers = [value("left_values", "institution_id"), value("right_values", "institution_id")];
    assert!(providers[0] != providers[1] && providers.iter().any(|p| p == PROVIDER), "{providers:?}");
    assert_eq!(shown["evidence"]["levels"].as_array().map_or(0, Vec::len), 7, "{shown}");
    let looked = |e: &&Value| e["event"] == "read" && e["detail"]["step"] == "clerk" && e["actor"] == "suzuki";
    assert_eq!(house.journal().iter().filter(looked).count(), 1, "that they were looked at is in the journal");

    assert_eq!(say(&house, "suzuki", &pair, "same").done()["standing"], "waiting");
    assert_eq!(say(&house, "suzuki", &pair, "same").done()["standing"], "waiting", "one clerk twice is one clerk");
    assert_eq!(house.journal().iter().filter(|e| e["event"] == "linkage_word").count(), 1, "what was said already is no event");
    assert_eq!(persons_in_a_data_set(&house.copy()), 6, "one word changes nothing");
    assert_eq!(say(&house, "tanaka", &[right.clone(), left.clone()], "same").done()["standing"], "same");
    // the words hold, the map does not know them yet
    let id = house.planned();
    assert_eq!(house.on(&["dataset", "make", &id]).refused(), "core-dataset-link-stale");
    assert_eq!(house.on(&["link"]).done()["persons"], 5);
    let run = house.on(&["link"]).done()["run"].clone();
    assert_eq!(house.on(&["link"]).done()["run"], run, "the same words make no second map");
    assert_eq!(house.make(&id)["persons"], 5);
    assert_eq!(house.faults(), Vec::<String>::new());
    // a word taken back parts them again
    assert_eq!(say(&house, "tanaka", &pair, "withdraw").done()["standing"], "waiting");
    assert_eq!(house.on(&["link"]).done()["persons"], 6);
    // nothing of a person is in the journal
    let journal = serde_json::to_string(&house.journal()).expect("text");
    assert!(!journal.contains(&value("left_values", "family_kanji")) && !journal.contains(IDS[0]));
}

#[test]
fn who_is_surely_somebody_else_by_two_clerks_stays_when_the_other_says_no() {
    let house = House::new();
    doubtful_people(&house);
    let pair = pair(&house);
    for clerk in ["suzuki", "tanaka"] {
        say(&house, clerk, &pair, "different").done();
    }
    let before = house.on(&["link", "queue"]).done()["waiting"].clone();
    // the opt-out links anew by itself, because of the words
    let patients = IDS.iter().map(|id| {
        let house = house.copy();
        let stopped = house.on(&["opt-out", "--provider", PROVIDER, "--patient", id]).done();
        (stopped["blocked_records"].as_u64().expect("a count"), persons_in_a_data_set(&house))
    });
    let found: Vec<(u64, u64)> = patients.collect();
    // one of the three stands in the parted pair; of the others those leave with a doubtful second record who have one
    assert!(found.iter().all(|(blocked, persons)| blocked + persons == 6), "{found:?}");
    let with_another = found.iter().filter(|(blocked, _)| *blocked == 2).count() as u64;
    assert_eq!(Some(with_another), before.as_u64(), "{found:?}");
}

#[test]
fn a_word_about_no_record_or_against_other_words_is_refused() {
    let house = House::new();
    doubtful_people(&house);
    let pair = pair(&house);
    let [left, right] = &pair;
    assert_eq!(house.on(&["link", "show", left, "999999", "--clerk", "a"]).refused(), "core-clerk-no-records");
    assert_eq!(house.on(&["link", "show", left, "x", "--clerk", "a"]).refused(), "core-clerk-no-records");
    for ids in [[left.clone(), left.clone()], [left.clone(), "0".to_owned()]] {
        assert_eq!(say(&house, "a", &ids, "same").refused(), "core-clerk-no-records");
    }
    let said = house.on(&["link", "decide", left, right, "--as", "same", "--clerk", "a"]);
    assert_eq!(said.status, Some(2), "a word needs its reason");
    let records = house.sql("select distinct record_id as r from person order by 1");
    let third = records.iter().map(|r| r["r"].to_string()).find(|r| r != left && r != right).expect("a third");
    for clerk in ["a", "b"] {
        say(&house, clerk, &pair, "same").done();
        say(&house, clerk, &[right.clone(), third.clone()], "same").done();
    }
    say(&house, "a", &[left.clone(), third.clone()], "different").done();
    assert_eq!(say(&house, "b", &[left.clone(), third.clone()], "different").refused(), "linkage-decision-contradicts");
    assert_eq!(house.on(&["link"]).done()["persons"], 4);
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn words_that_contradict_each_other_after_the_rule_was_changed_can_be_taken_back() {
    let house = House::new();
    doubtful_people(&house);
    let [left, right] = pair(&house);
    let records = house.sql("select distinct record_id as r from person order by 1");
    let third = records.iter().map(|r| r["r"].to_string()).find(|r| *r != left && *r != right).expect("a third");
    // Nothing of this holds while two have to say it.
    say(&house, "a", &[left.clone(), right.clone()], "same").done();
    say(&house, "a", &[right.clone(), third.clone()], "same").done();
    say(&house, "b", &[left.clone(), third.clone()], "different").done();
    let config = house.instance().join("azekura.toml");
    let text = std::fs::read_to_string(&config).expect("readable");
    let one = text.replace("clerks_to_join = 2", "clerks_to_join = 1").replace("clerks_to_part = 2", "clerks_to_part = 1");
    assert_ne!(one, text);
    std::fs::write(&config, one).expect("written");
    assert_eq!(house.on(&["link"]).refused(), "linkage-facts-contradict");
    say(&house, "b", &[left, third], "withdraw").done();
    assert_eq!(house.on(&["link"]).done()["persons"], 4);
}

#[test]
fn a_data_set_made_before_the_words_does_not_leave_after_them() {
    let house = House::new();
    doubtful_people(&house);
    let pair = pair(&house);
    let made = |house: &House| {
        let id = house.planned();
        house.make(&id);
        house.approve(&id);
        id
    };
    let id = made(&house);
    for clerk in ["suzuki", "tanaka"] {
        say(&house, clerk, &pair, "same").done();
    }
    assert_eq!(house.on(&["dataset", "deliver", &id]).refused(), "core-dataset-link-stale");
    house.on(&["link"]).done();
    assert_eq!(house.on(&["dataset", "deliver", &id]).refused(), "core-dataset-relinked");
    assert_eq!(house.make(&id)["persons"], 5, "it is made again");
    house.approve(&id);
    house.on(&["dataset", "deliver", &id]).done();
    // A linkage that changes nothing of it voids nothing.
    let other = made(&house);
    say(&house, "suzuki", &pair, "withdraw").done();
    say(&house, "suzuki", &pair, "same").done();
    house.on(&["link"]).done();
    house.on(&["dataset", "deliver", &other]).done();
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn who_is_erased_stands_in_no_queue_of_clerks() {
    let house = House::new();
    doubtful_people(&house);
    let before = house.on(&["link", "queue"]).done();
    let pairs = before["pairs"].as_array().expect("pairs").clone();
    assert!(!pairs.is_empty());
    for id in IDS {
        house.on(&["opt-out", "--provider", PROVIDER, "--patient", id, "--erase"]).done();
    }
    let after = house.on(&["link", "queue"]).done();
    assert_eq!(after["waiting"], 0, "every pair had one of the three in it: {after}");
    assert_eq!(house.faults(), Vec::<String>::new());
}
