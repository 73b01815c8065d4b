//! What others know of a person's codes leads to nobody, or to enough.

use std::collections::{BTreeMap, BTreeSet};

use anonymity::attack::Found;
use anonymity::events::{Counted, Forest, GONE, Histories, NoForest, Rule, counted, loss, repair};
use anonymity::profile::Attacker;
use anonymity::recount::recount;
use anonymity::{Dataset, Identified, PersonIds, Processed, Profile, Report, process};
use arrow::array::StringArray;
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::build::{Row, V, dataset, rows, s};

/// How many persons are shown with each combination of up to `known` nodes, by going through all of them.
fn combinations(histories: &Histories, known: usize) -> BTreeMap<Vec<u32>, u32> {
    fn grow(nodes: &[u32], with: &[u32], known: usize, out: &mut BTreeMap<Vec<u32>, u32>) {
        for (at, node) in nodes.iter().enumerate() {
            let mut more = with.to_vec();
            more.push(*node);
            if known > 1 {
                grow(&nodes[at + 1..], &more, known - 1, out);
            }
            *out.entry(more).or_default() += 1;
        }
    }
    let mut out = BTreeMap::new();
    for person in 0..histories.persons() {
        let nodes: BTreeSet<u32> = histories.of(person).iter().copied().filter(|n| *n != GONE).collect();
        grow(&nodes.into_iter().collect::<Vec<_>>(), &[], known, &mut out);
    }
    out
}

fn naively(histories: &Histories, rule: &Rule) -> Counted {
    let all = combinations(histories, rule.known as usize);
    let least = |of: &[u32]| if of.len() == 1 { rule.singles } else { rule.k };
    let few: BTreeSet<&Vec<u32>> = all.iter().filter(|(of, n)| **n < least(of)).map(|(of, _)| of).collect();
    let long = |n: usize| few.iter().filter(|of| of.len() == n).count() as u64;
    let stands_out = |person: &usize| few.iter().any(|of| of.iter().all(|node| histories.of(*person).contains(node)));
    Counted {
        codes: long(1),
        pairs: long(2),
        threes: long(3),
        persons: (0..histories.persons()).filter(stands_out).count() as u64,
    }
}

/// Codes 0 to 11 under forms 12 to 15 (three codes each), those under 16 and 17; the last code of each three has no form.
fn forest() -> Forest {
    let mut parents: Vec<u32> = (0..12).map(|c| if c % 3 == 2 { GONE } else { 12 + c / 3 }).collect();
    parents.extend([16, 16, 17, GONE, GONE, GONE]);
    let is_code: Vec<bool> = (0..18).map(|n| n < 12).collect();
    Forest::new(parents, &is_code, &[0; 18]).expect("a forest")
}

// control: PRC-05
#[test]
fn whatever_people_have_nothing_that_is_shown_stands_for_too_few_and_nothing_false_is_shown() {
    bolero::check!().with_type::<(Vec<(u8, u8)>, u8, u8)>().for_each(|(pairs, k, known)| {
        let forest = forest();
        let pairs = pairs.iter().take(150).map(|(p, c)| (u32::from(p % 24), u32::from(c % 12))).collect();
        let mut histories = Histories::new(24, pairs);
        let k = u32::from(k % 4) + 2;
        let rule = Rule { k, singles: k + u32::from(known / 3 % 2), known: u32::from(known % 3) + 1, threads: 1 };
        assert_eq!(counted(&forest, &histories, &rule), naively(&histories, &rule), "the count");
        let mut two = histories.clone();
        repair(&forest, &mut histories, &rule);
        assert_eq!(naively(&histories, &rule), Counted::default());
        assert!(counted(&forest, &histories, &rule).holds());
        for (code, shown) in histories.codes.iter().zip(&histories.shown) {
            assert!(*shown == GONE || forest.covers(*shown, *code), "{code} is shown as {shown}");
        }
        repair(&forest, &mut two, &Rule { threads: 3, ..rule });
        assert_eq!(histories, two, "any number of threads");
    });
}

#[test]
fn who_has_only_what_many_have_keeps_everything() {
    let mut pairs: Vec<(u32, u32)> = (0..20).flat_map(|p| [(p, 0), (p, 3)]).collect();
    // One of them has a second code of the first's form, and somebody alone has two that nobody has together.
    pairs.extend([(0, 1), (20, 4), (20, 7)]);
    let mut histories = Histories::new(21, pairs);
    let rule = Rule { k: 5, singles: 5, known: 2, threads: 2 };
    let before = repair(&forest(), &mut histories, &rule);
    assert_eq!((before.codes, before.persons), (3, 2));
    assert!((1..20).all(|p| histories.of(p) == [0, 3]), "untouched");
    assert_eq!(histories.of(0)[0], 0, "what many have stays beside what one has");
    assert!(histories.of(20).iter().all(|n| *n == GONE), "alone, nothing is left");
    assert!(loss(&forest(), &histories) > 0.0);
}

#[test]
fn a_code_given_back_makes_nothing_too_few() {
    // The widest pairs first: raising is needless for many of them once others are gone.
    let forest = forest();
    for seed in 0..300_u32 {
        let has = |p: u32, c: u32| (p * 7 + c * 13 + seed * 31).wrapping_mul(2_654_435_761_u32.rotate_left(p)).is_multiple_of(3);
        let pairs = (0..30).flat_map(|p| (0..12).filter(move |c| has(p, *c)).map(move |c| (p, c))).collect();
        let mut histories = Histories::new(30, pairs);
        let rule = Rule { k: 3 + seed % 5, singles: 3 + seed % 5, known: 2, threads: 1 };
        repair(&forest, &mut histories, &rule);
        assert_eq!(naively(&histories, &rule), Counted::default(), "seed {seed}");
    }
}

#[test]
fn forms_above_forms_are_left_and_come_back_to_without_a_miscount() {
    bolero::check!().with_type::<(Vec<(u8, u8)>, u8)>().for_each(|(pairs, k)| {
        // Sixteen codes under four levels.
        let mut parents: Vec<u32> = (0..16).map(|c| 16 + c / 2).collect();
        parents.extend((0..8).map(|c| 24 + c / 2));
        parents.extend((0..4).map(|c| 28 + c / 2));
        parents.extend([30, 30, GONE]);
        let is_code: Vec<bool> = (0..31).map(|n| n < 16 || n % 5 == 0).collect();
        let forest = Forest::new(parents, &is_code, &[0; 31]).expect("a forest");
        let codes: Vec<u32> = (0..31).filter(|n| is_code[*n as usize]).collect();
        let pairs = pairs.iter().take(400).map(|(p, c)| (u32::from(p % 40), codes[usize::from(*c) % codes.len()]));
        let mut histories = Histories::new(40, pairs.collect());
        let k = u32::from(k % 6) + 2;
        let rule = Rule { k, singles: k, known: 2, threads: 1 };
        repair(&forest, &mut histories, &rule);
        assert_eq!(naively(&histories, &rule), Counted::default());
    });
}

// control: PRC-05
#[test]
fn codes_with_something_beside_them_and_by_themselves_stand_for_enough() {
    bolero::check!().with_type::<(Vec<(u8, u8)>, u8, u8)>().for_each(|(pairs, k, known)| {
        // Four codes, each by itself (0 to 3) and with one of three things beside it (6 to 17), under two forms.
        let mut parents: Vec<u32> = vec![4, 4, 5, GONE, GONE, GONE];
        parents.extend((0..12).map(|n| n / 3));
        let is_code: Vec<bool> = (0..18).map(|n| n < 4).collect();
        let beside: Vec<bool> = (0..18).map(|n| n >= 6).collect();
        let forest = Forest::new(parents, &is_code, &[0; 18]).expect("a forest").with_beside(&beside);
        let node = |c: u8| [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17][usize::from(c % 16)];
        let pairs = pairs.iter().take(200).map(|(p, c)| (u32::from(p % 30), node(*c))).collect();
        let mut histories = Histories::new(30, pairs);
        let k = u32::from(k % 4) + 2;
        let rule = Rule { k, singles: k, known: u32::from(known % 3) + 1, threads: 1 };
        repair(&forest, &mut histories, &rule);
        assert_eq!(naively(&histories, &rule), Counted::default());
        for (code, shown) in histories.codes.iter().zip(&histories.shown) {
            assert!(*shown == GONE || forest.covers(*shown, *code), "{code} is shown as {shown}");
        }
    });
}

#[test]
fn what_is_no_forest_is_refused() {
    assert_eq!(Forest::new(vec![1, 0], &[true, false], &[0, 0]), Err(NoForest::Circle(0)));
    assert_eq!(Forest::new(vec![7], &[true], &[0]), Err(NoForest::NoSuchParent(0)));
}

const SHIPPED: &str = include_str!("../../../../profiles/anonymized.toml");

/// The shipped profile without births, so that sex alone makes the classes, and with changes.
fn profile(changes: &[(&str, &str)]) -> Profile {
    let mut text = SHIPPED.replace("year_of_birth = \"extremes\"", "year_of_birth = \"drop\"");
    text = text.replace("month_of_birth = \"keep\"", "month_of_birth = \"drop\"");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Profile::parse(&text).expect("a profile")
}

fn person(id: i64) -> Row {
    let sex = V::I(if id % 2 == 0 { 8507 } else { 8532 });
    vec![("person_id", V::I(id)), ("gender_concept_id", sex), ("year_of_birth", V::I(1960)), ("month_of_birth", V::I(4))]
}

fn condition(id: i64, row: i64, code: &str, day: (i32, u32, u32)) -> Row {
    vec![
        ("condition_occurrence_id", V::I(row)),
        ("person_id", V::I(id)),
        ("condition_start_date", V::D(day.0, day.1, day.2)),
        ("condition_source_value", s(code)),
        ("condition_concept_id", V::I(if code == "I10:E119" { 201_826 } else { 77 })),
    ]
}

/// Forty people with diabetes, forty with gout; three have both, in two rows each.
fn both() -> Dataset<Identified> {
    let mut conditions = Vec::new();
    for id in 1..=77 {
        if id <= 40 {
            conditions.push(condition(id, id * 10, "I10:E119", (2020, 1 + (id % 12) as u32, 3)));
            conditions.push(condition(id, id * 10 + 1, "I10:E119", (2021, 1 + (id % 12) as u32, 3)));
        }
        if id > 37 {
            conditions.push(condition(id, id * 10 + 2, "I10:M109", (2020, 1 + (id % 7) as u32, 9)));
        }
    }
    dataset(&[(Table::Person, (1..=77).map(person).collect()), (Table::ConditionOccurrence, conditions)])
}

fn made(profile: &Profile, input: &Dataset<Identified>) -> (Processed, Report) {
    process(profile, input, PersonIds::New, &mut ChaCha20Rng::seed_from_u64(5)).expect("treated")
}

fn only_conditions() -> Vec<(&'static str, &'static str)> {
    vec![(
        "rollup = [{ system = \"MDCDX2\", lengths = [8] }, { system = \"I10\", lengths = [4, 3] }",
        "rollup = [{ system = \"MDCDX2\", lengths = [8] }",
    )]
}

/// The codes of each person in a result.
fn codes(done: &Processed) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(&done.tables()["condition_occurrence"]) {
        out.entry(row["person_id"].clone()).or_default().insert(row["condition_source_value"].clone());
    }
    out
}

// control: PRC-05
#[test]
fn two_illnesses_that_few_people_have_together_leave_in_no_row_of_theirs_and_others_keep_them() {
    let profile = profile(&only_conditions());
    let (done, report) = made(&profile, &both());
    let codes = codes(&done);
    let with = |code: &str| codes.values().filter(|c| c.contains(code)).count();
    assert_eq!(
        (with("I10:E119") + with("I10:M109"), with("その他")),
        (77, 0),
        "three people lose one of two, and no mark says so"
    );
    assert!(codes.values().all(|c| c.len() == 1));
    // Rows are numbered as if those that went had never been.
    let mut ids: Vec<i64> = rows(&done.tables()["condition_occurrence"])
        .iter()
        .map(|r| r["condition_occurrence_id"].parse().expect("an id"))
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=ids.len() as i64).collect::<Vec<_>>());
    let events = report.privacy.as_ref().and_then(|p| p.events.as_ref()).expect("combinations");
    assert_eq!((events.before.pairs, events.before.persons, events.codes, events.taken_out), (1, 3, 80, 3));
    assert_eq!(recount(&profile, done.tables()).few_combinations, 0);
}

// control: PRC-05
#[test]
fn the_recount_finds_a_combination_that_was_put_back() {
    let profile = profile(&only_conditions());
    let (done, _) = made(&profile, &both());
    let mut tables = done.tables().clone();
    let batch = &tables["condition_occurrence"];
    let at = batch.schema().index_of("condition_source_value").expect("a column");
    let mut columns = batch.columns().to_vec();
    // One of the two rows that somebody has with diabetes says gout.
    let mut other = Some(());
    let mut ill = |row: &BTreeMap<String, String>| match row["condition_source_value"].as_str() {
        "I10:E119" if other.take().is_some() => "I10:M109".to_owned(),
        code => code.to_owned(),
    };
    columns[at] = std::sync::Arc::new(rows(batch).iter().map(|r| Some(ill(r))).collect::<StringArray>());
    let sabotaged = arrow::array::RecordBatch::try_new(batch.schema(), columns).expect("a table");
    tables.insert("condition_occurrence".to_owned(), sabotaged);
    assert!(recount(&profile, &tables).few_combinations > 0);
}

// control: PRC-05
#[test]
fn within_classes_a_pair_is_counted_among_people_of_the_same_sex_and_birth() {
    // Twelve women and six men have both: enough among all, too few among the men.
    let mut conditions = Vec::new();
    for id in 1..=120 {
        conditions.push(condition(id, id * 10, "I10:E119", (2020, 1, 3)));
        if id <= 12 || id % 2 == 1 && id <= 24 {
            conditions.push(condition(id, id * 10 + 2, "I10:M109", (2020, 1, 9)));
        }
    }
    let input = dataset(&[(Table::Person, (1..=120).map(person).collect()), (Table::ConditionOccurrence, conditions)]);
    let both_of = |profile: &Profile| {
        let (done, _) = made(profile, &input);
        assert_eq!(recount(profile, done.tables()).few_combinations, 0);
        codes(&done).values().filter(|c| c.contains("I10:E119") && c.contains("I10:M109")).count()
    };
    let mut changes = only_conditions();
    assert_eq!(both_of(&profile(&changes)), 18);
    changes.push(("known = 2\n", "known = 2\nwithin_classes = true\n"));
    assert_eq!(both_of(&profile(&changes)), 12, "the women's alone");
}

fn of(report: &Report, attacker: Attacker) -> Found {
    let found = report.privacy.as_ref().map(|p| p.found.clone()).expect("an experiment");
    *found.iter().find(|f| f.attacker == attacker).expect("the attacker tried")
}

#[test]
fn an_attacker_who_knows_more_finds_more_and_each_as_many_as_a_count_by_hand_says() {
    // A hundred people of two classes; all have two illnesses, so many days apart as their number says in tens.
    let mut conditions = Vec::new();
    for id in 1..=100 {
        conditions.push(condition(id, id * 10, "I10:E119", (2020, 1, 1)));
        conditions.push(condition(id, id * 10 + 1, "I10:M109", (2020, 1, 2 + (id / 10) as u32)));
    }
    let input = dataset(&[(Table::Person, (1..=100).map(person).collect()), (Table::ConditionOccurrence, conditions)]);
    let (_, report) = made(&profile(&[]), &input);
    // 50 women and 50 men; of each five stand the same number of days apart, but number 100, who stands alone.
    let near = |share: f64, is: f64| assert!((share - is).abs() < 1e-12, "{share} {is}");
    let [demographics, codes, dated] = [Attacker::Demographics, Attacker::Codes, Attacker::DatedCodes].map(|a| of(&report, a));
    near(demographics.share, 2.0 / 100.0);
    near(codes.share, 2.0 / 100.0);
    // Of the even ones four have numbers 2 to 8, and five each those of the tens after them.
    assert!((0.21..0.6).contains(&dated.share), "who stands too far off is out besides: {}", dated.share);
    assert!(dated.alone >= 1.0 / 100.0);
    near(codes.interval[0], codes.share);
    assert!(dated.interval[0] < dated.share && dated.share < dated.interval[1], "shifts are drawn: {:?}", dated.interval);
    assert!(
        !report.privacy.as_ref().is_some_and(|p| p.found.iter().any(|f| f.attacker == Attacker::VisitDays)),
        "there are no visits"
    );
}

// control: PRC-05
#[test]
fn more_found_than_the_profile_allows_and_nothing_is_made() {
    let limited = |share: &str| {
        let section = format!("[privacy.most_found]\ndated_codes = {share}\n");
        let profile = profile(&[("# [privacy.most_found]\n# codes = 0.2\n", &section)]);
        process(&profile, &both(), PersonIds::New, &mut ChaCha20Rng::seed_from_u64(5))
    };
    let refused = limited("0.001").err().expect("too many");
    assert_eq!(refused.code(), "anonymity-too-many-found");
    assert!(refused.to_string().contains("dated_codes"), "{refused}");
    assert!(limited("1.0").is_ok());
}

// control: PRC-05
#[test]
fn an_attacker_who_is_promised_and_could_not_try_stops_the_data_set() {
    let limited = |attacker: &str| {
        let section = format!("[privacy.most_found]\n{attacker} = 1.0\n");
        let profile = profile(&[("# [privacy.most_found]\n# codes = 0.2\n", &section)]);
        process(&profile, &both(), PersonIds::New, &mut ChaCha20Rng::seed_from_u64(5)).err().map(|e| e.code())
    };
    assert_eq!(limited("demographics"), None);
    assert_eq!(limited("visit_days"), Some("anonymity-attacker-untried"), "there are no visits");
    assert_eq!(limited("calendar_codes"), Some("anonymity-attacker-unknowing"), "nobody said when codes are in use");
}

// control: PRC-05
#[test]
fn a_profile_that_does_not_say_what_others_know_of_codes_is_refused() {
    let code = |from: &str, to: &str| {
        let changed = SHIPPED.replace(from, to);
        assert_ne!(changed, SHIPPED, "{from}");
        Profile::parse(&changed).err().map(|e| e.code())
    };
    let section =
        &SHIPPED[SHIPPED.find("[privacy.events]").expect("there")..SHIPPED.find("# The report says how many").expect("there")];
    assert_eq!(code(section, ""), Some("anonymity-events-missing"));
    assert_eq!(code("  \"drug_exposure.drug_source_value\",\n", ""), Some("anonymity-events-unusable"));
    let twice = "  \"drug_exposure.drug_source_value\",\n  \"drug_exposure.drug_source_value\",\n";
    assert_eq!(code("  \"drug_exposure.drug_source_value\",\n", twice), Some("anonymity-events-unusable"));
    assert_eq!(
        code("  \"death.cause_source_value\",\n", "  \"death.cause_source_value\",\n  \"person.gender_concept_id\",\n"),
        Some("anonymity-events-unusable")
    );
    assert_eq!(code("known = 2\n", "known = 1\n"), Some("anonymity-privacy-weak"));
    assert_eq!(code("known = 2\n", "known = 4\n"), Some("anonymity-privacy-weak"));
    assert_eq!(code("known = 2\n", "known = 2\nk = 2\n"), Some("anonymity-privacy-weak"));
    assert_eq!(
        code("# [privacy.most_found]\n# codes = 0.2\n", "[privacy.most_found]\ncodes = 1.2\n"),
        Some("anonymity-privacy-weak")
    );
}

// control: PRC-03
#[test]
fn what_stood_beside_codes_that_went_is_counted_again() {
    // Ten people have a status; of them those who have both illnesses lose rows with it.
    let mut conditions = Vec::new();
    for id in 1..=77 {
        let status = |row: Row| {
            if (36..=45).contains(&id) { [row, vec![("condition_status_concept_id", V::I(32_890))]].concat() } else { row }
        };
        if id <= 40 {
            conditions.push(status(condition(id, id * 10, "I10:E119", (2020, 1, 3))));
        }
        if id > 37 {
            conditions.push(status(condition(id, id * 10 + 2, "I10:M109", (2020, 1, 9))));
        }
    }
    let alone = |id: i64| condition(id, id * 10 + 5, &format!("I10:Z{id:02}"), (2020, 2, 1));
    conditions.extend((36..=45).map(alone).map(|r| [r, vec![("condition_status_concept_id", V::I(32_902))]].concat()));
    let input = dataset(&[(Table::Person, (1..=77).map(person).collect()), (Table::ConditionOccurrence, conditions)]);
    let profile = profile(&only_conditions());
    for seed in 0..20 {
        let (done, _) = process(&profile, &input, PersonIds::New, &mut ChaCha20Rng::seed_from_u64(seed)).expect("treated");
        assert_eq!(recount(&profile, done.tables()).against(&profile), Vec::<String>::new(), "seed {seed}");
    }
}

fn with_status(row: Row, status: i64) -> Row {
    [row, vec![("condition_status_concept_id", V::I(status))]].concat()
}

/// Forty people with diabetes and gout; ten of each illness have a second status beside it, three of them beside both.
fn two_of_a_status() -> Dataset<Identified> {
    let mut conditions = Vec::new();
    for id in 1..=40 {
        let diabetes = if id <= 10 { 32_890 } else { 32_902 };
        let gout = if (8..=17).contains(&id) { 32_890 } else { 32_902 };
        conditions.push(with_status(condition(id, id * 10, "I10:E119", (2020, 1, 3)), diabetes));
        conditions.push(with_status(condition(id, id * 10 + 1, "I10:M109", (2020, 1, 9)), gout));
    }
    dataset(&[(Table::Person, (1..=40).map(person).collect()), (Table::ConditionOccurrence, conditions)])
}

/// Illnesses with their status, of each person.
fn with_statuses(done: &Processed) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut out: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for row in rows(&done.tables()["condition_occurrence"]) {
        let status = row.get("condition_status_concept_id").cloned().unwrap_or_default();
        out.entry(row["person_id"].clone()).or_default().insert((row["condition_source_value"].clone(), status));
    }
    out
}

// control: PRC-05
#[test]
fn whoever_knows_the_status_of_two_illnesses_finds_enough_with_both_and_the_illnesses_stay() {
    let profile = profile(&[]);
    let (done, report) = made(&profile, &two_of_a_status());
    let of = with_statuses(&done);
    let mut pairs: BTreeMap<Vec<&(String, String)>, usize> = BTreeMap::new();
    for mine in of.values() {
        *pairs.entry(mine.iter().collect()).or_default() += 1;
        assert!(["I10:E119", "I10:M109"].iter().all(|code| mine.iter().any(|(c, _)| c == code)), "no illness is lost");
    }
    assert!(pairs.values().all(|persons| *persons >= 10), "{pairs:?}");
    assert!(of.values().any(|mine| mine.iter().any(|(_, status)| status == "32902")), "a status that many have stays");
    let events = report.privacy.as_ref().and_then(|p| p.events.as_ref()).expect("combinations");
    assert!(events.before.pairs >= 1 && events.bare >= 3 && (events.coarser, events.taken_out) == (0, 0), "{events:?}");
    assert_eq!(recount(&profile, done.tables()).against(&profile), Vec::<String>::new());
}

// control: PRC-05
#[test]
fn the_recount_finds_a_status_that_was_put_back_beside_a_code() {
    let profile = profile(&[]);
    let (done, _) = made(&profile, &two_of_a_status());
    let mut tables = done.tables().clone();
    let batch = &tables["condition_occurrence"];
    let at = batch.schema().index_of("condition_status_concept_id").expect("a column");
    let mut columns = batch.columns().to_vec();
    let mut put_back = false;
    let statuses = rows(batch).into_iter().map(|row| match row.get("condition_status_concept_id") {
        Some(status) => Some(status.parse().expect("a number")),
        None if put_back => None,
        None => {
            put_back = true;
            Some(32_890)
        }
    });
    columns[at] = std::sync::Arc::new(statuses.collect::<arrow::array::Int32Array>());
    let sabotaged = arrow::array::RecordBatch::try_new(batch.schema(), columns).expect("a table");
    tables.insert("condition_occurrence".to_owned(), sabotaged);
    assert!(put_back && recount(&profile, &tables).few_combinations > 0);
}

// control: PRC-05
#[test]
fn a_result_does_not_stay_without_the_unit_that_went_for_a_combination() {
    // Thirty have a finding in two units and an illness; of those with the illness few have the second unit.
    let mut conditions = Vec::new();
    let mut observations = Vec::new();
    for id in 1..=60 {
        let unit = if id <= 12 { "mg/dL" } else { "g/L" };
        observations.push(vec![
            ("observation_id", V::I(id)),
            ("person_id", V::I(id)),
            ("observation_date", V::D(2020, 1, 1)),
            ("observation_source_value", s("LN:2345-7")),
            ("value_as_number", V::F(if id <= 12 { 100.0 } else { 1.0 })),
            ("unit_source_value", s(unit)),
        ]);
        if id > 8 {
            conditions.push(condition(id, id * 10, "I10:E119", (2020, 1, 3)));
        }
    }
    let input = dataset(&[
        (Table::Person, (1..=60).map(person).collect()),
        (Table::ConditionOccurrence, conditions),
        (Table::Observation, observations),
    ]);
    let profile = profile(&[]);
    let (done, report) = made(&profile, &input);
    assert_eq!(recount(&profile, done.tables()).against(&profile), Vec::<String>::new());
    let events = report.privacy.as_ref().and_then(|p| p.events.as_ref()).expect("combinations");
    assert!(events.bare + events.taken_out > 0, "{events:?}");
    for row in rows(&done.tables()["observation"]) {
        assert_eq!(row.contains_key("unit_source_value"), row.contains_key("value_as_number"), "{row:?}");
    }
}

const TYPES: [i64; 2] = [32_827, 32_840];

/// Sixty people with gout by either of two types of record; some have a row without a code, which is of the second type for the first `few`.
fn without_codes(all: i64, few: i64) -> Dataset<Identified> {
    let mut conditions = Vec::new();
    for id in 1..=60 {
        let of = |row: Row, n: usize| [row, vec![("condition_type_concept_id", V::I(TYPES[n]))]].concat();
        conditions.push(of(condition(id, id * 10, "I10:M109", (2020, 1, 9)), (id % 2) as usize));
        conditions.push(of(condition(id, id * 10 + 1, "I10:M109", (2020, 2, 9)), ((id + 1) % 2) as usize));
        if id <= all {
            conditions.push(of(condition(id, id * 10 + 2, "", (2020, 3, 9)), usize::from(id <= few)));
        }
    }
    dataset(&[(Table::Person, (1..=60).map(person).collect()), (Table::ConditionOccurrence, conditions)])
}

// control: PRC-05
#[test]
fn a_row_without_a_code_marks_nobody_by_what_stands_beside() {
    let profile = profile(&[]);
    for (all, few, stay) in [(3, 0, 0), (30, 3, 30), (30, 12, 30), (9, 3, 0)] {
        let (done, _) = made(&profile, &without_codes(all, few));
        let mut of: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
        let rows = rows(&done.tables()["condition_occurrence"]);
        for row in rows.iter().filter(|r| !r.contains_key("condition_source_value")) {
            of.entry(row.get("condition_type_concept_id").cloned()).or_default().insert(row["person_id"].clone());
        }
        assert!(of.values().all(|persons| persons.len() >= 10), "{of:?}");
        assert_eq!(of.values().flatten().collect::<BTreeSet<_>>().len(), stay, "{all} {few}");
        assert_eq!(recount(&profile, done.tables()).against(&profile), Vec::<String>::new());
    }
    // The second count sees a code that was taken out of few rows.
    let (done, _) = made(&profile, &without_codes(0, 0));
    let mut tables = done.tables().clone();
    let batch = &tables["condition_occurrence"];
    let at = batch.schema().index_of("condition_source_value").expect("a column");
    let mut columns = batch.columns().to_vec();
    let shown = rows(batch).into_iter().enumerate().map(|(n, r)| (n > 0).then(|| r["condition_source_value"].clone()));
    columns[at] = std::sync::Arc::new(shown.collect::<StringArray>());
    tables
        .insert("condition_occurrence".to_owned(), arrow::array::RecordBatch::try_new(batch.schema(), columns).expect("a table"));
    assert!(recount(&profile, &tables).few_combinations > 0);
}

fn death(id: i64, cause: &str) -> Row {
    vec![("person_id", V::I(id)), ("death_date", V::D(2021, 3, 1 + (id % 28) as u32)), ("cause_source_value", s(cause))]
}

// control: PRC-05
#[test]
fn a_death_whose_cause_is_taken_out_marks_nobody() {
    let profile = profile(&[]);
    // `of` die of a cause that many have, the others each of one of their own; all had gout, but for few of the many.
    for (of, alone, gout_from) in [(60, 1, 1), (60, 0, 56), (60, 14, 1), (0, 14, 1), (60, 1, 56)] {
        let mut deaths: Vec<Row> = (1..=of).map(|id| death(id, "I10:C61")).collect();
        deaths.extend((0..alone).map(|n| death(of + 1 + n, &format!("I10:A{:02}", 20 + n))));
        let gout = (gout_from..=200).map(|id| condition(id, id, "I10:M109", (2020, 5, 1)));
        let input = dataset(&[
            (Table::Person, (1..=200).map(person).collect()),
            (Table::ConditionOccurrence, gout.collect()),
            (Table::Death, deaths),
        ]);
        let (done, _) = made(&profile, &input);
        let mut by_cause: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for row in rows(&done.tables()["death"]) {
            *by_cause.entry(row.get("cause_source_value").cloned()).or_default() += 1;
        }
        assert!(by_cause.values().all(|deaths| *deaths >= 10), "{by_cause:?}");
        assert_eq!(recount(&profile, done.tables()).against(&profile), Vec::<String>::new());
        assert!(by_cause.values().sum::<usize>() as i64 >= of, "the deaths of the many stay: {by_cause:?}");
    }
}

// control: PRC-05
#[test]
fn whoever_knows_two_codes_of_one_row_finds_enough_with_both_on_one() {
    let profile = profile(&[
        ("modifier_source_value = \"drop\"", "modifier_source_value = { code = {} }"),
        (
            "  \"procedure_occurrence.procedure_source_value\",\n",
            "  \"procedure_occurrence.procedure_source_value\",\n  \"procedure_occurrence.modifier_source_value\",\n",
        ),
    ]);
    for seed in 0..12_u32 {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
        let mut dice = |sides: u32| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state % sides) as usize
        };
        let mut acts = Vec::new();
        for id in 1..=120 {
            for n in 0..dice(4) as i64 {
                let (code, modifier) = (["A1", "A1", "B2", "B2", "C3", ""][dice(6)], ["X:1", "X:2", "", ""][dice(4)]);
                acts.push(vec![
                    ("procedure_occurrence_id", V::I(id * 10 + n)),
                    ("person_id", V::I(id)),
                    ("procedure_date", V::D(2020, 6, 1)),
                    ("procedure_type_concept_id", V::I(TYPES[dice(2)])),
                    ("procedure_source_value", s(code)),
                    ("modifier_source_value", s(&modifier.replace("X:", "LN:1-"))),
                ]);
            }
        }
        let input = dataset(&[(Table::Person, (1..=120).map(person).collect()), (Table::ProcedureOccurrence, acts)]);
        let (done, _) = made(&profile, &input);
        let mut of: BTreeMap<[Option<String>; 3], BTreeSet<String>> = BTreeMap::new();
        for row in rows(&done.tables()["procedure_occurrence"]) {
            let key =
                ["procedure_source_value", "modifier_source_value", "procedure_type_concept_id"].map(|c| row.get(c).cloned());
            of.entry(key).or_default().insert(row["person_id"].clone());
        }
        assert!(of.values().all(|persons| persons.len() >= 10), "seed {seed}: {of:?}");
        assert_eq!(recount(&profile, done.tables()).against(&profile), Vec::<String>::new(), "seed {seed}");
    }
}

// control: PRC-05
#[test]
fn deaths_of_a_month_in_which_few_died_are_told_by_the_year_wherever_dates_are_cut() {
    let text = SHIPPED.replace("\"shift\"", "\"month\"").replace("year_of_birth = \"extremes\"", "year_of_birth = \"drop\"");
    let profile = Profile::parse(&text.replace("month_of_birth = \"keep\"", "month_of_birth = \"drop\"")).expect("a profile");
    let deaths = (1..=43).map(|id| {
        let month = if id <= 40 { 3 } else { 5 };
        vec![("person_id", V::I(id)), ("death_date", V::D(2021, month, 9)), ("cause_source_value", s("I10:C61"))]
    });
    let input = dataset(&[(Table::Person, (1..=100).map(person).collect()), (Table::Death, deaths.collect())]);
    let (done, report) = made(&profile, &input);
    let months: BTreeSet<String> = rows(&done.tables()["death"]).iter().map(|r| r["death_date"].clone()).collect();
    assert!(!months.contains("2021-05-01"), "three died in May: {months:?}");
    assert!(report.months.is_some_and(|told| told.deaths_by_year > 0));
    assert_eq!(recount(&profile, done.tables()).few_deaths, 0);
    // The second count sees a death that was put back into a month of its own.
    let mut tables = done.tables().clone();
    let batch = &tables["death"];
    let at = batch.schema().index_of("death_date").expect("a column");
    let mut columns = batch.columns().to_vec();
    let days: &arrow::array::Date32Array = arrow::array::AsArray::as_primitive(&columns[at]);
    let moved = days.iter().enumerate().map(|(n, day)| day.map(|day| if n == 0 { day + 200 } else { day }));
    columns[at] = std::sync::Arc::new(moved.collect::<arrow::array::Date32Array>());
    tables.insert("death".to_owned(), arrow::array::RecordBatch::try_new(batch.schema(), columns).expect("a table"));
    assert!(recount(&profile, &tables).few_deaths > 0);
}
