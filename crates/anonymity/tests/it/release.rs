//! The search for a release against going through everything, and the verifier against sabotage.

use std::collections::BTreeMap;

use anonymity::metrics::{METRICS, Metric};
use anonymity::models::Models;
use anonymity::release::{Prepared, Question, Release, ReleaseReport, Used, answer, prepare, release_html};
use anonymity::search::{Effort, Evaluator, Limits, Problem};
use anonymity::table::{CODES, Hierarchy, Input, Key, Nulls, Roles, TableError, read};
use anonymity::verify::verify;

/// Random numbers that are the same each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

pub fn hierarchies() -> BTreeMap<String, Hierarchy> {
    let of = |name: &str, text: &str| (name.to_owned(), Hierarchy::parse(name, text.as_bytes()).expect("a hierarchy"));
    BTreeMap::from([
        of("sex", "F;*\nM;*\n"),
        of("age", "0;0-1;0-3;*\n1;0-1;0-3;*\n2;2-3;0-3;*\n3;2-3;0-3;*\n4;4-5;4-5;*\n5;4-5;4-5;*\n"),
        of("area", "a;north;*\nb;north;*\nc;south;*\nd;south;*\n"),
    ])
}

pub fn table(dice: &mut Dice, rows: u64) -> String {
    let mut text = String::from("sex;age;area;illness\n");
    for _ in 0..rows {
        let (age, area) = (dice.roll(6).min(dice.roll(6)), ["a", "b", "c", "d"][dice.roll(4) as usize]);
        let (sex, illness) = (["F", "M"][dice.roll(2) as usize], dice.roll(4).min(dice.roll(4)));
        text.push_str(&format!("{sex};{age};{area};{illness}\n"));
    }
    text
}

pub fn roles() -> Roles {
    Roles { sensitive: Some("illness".to_owned()), ..Roles::default() }
}

pub fn input(text: &str) -> Input {
    read(text.as_bytes(), "table", None, &roles(), hierarchies()).expect("a table")
}

pub fn question(models: &[&str], metric: Metric, suppression: f64) -> Question {
    let models = Models::parse(models).expect("models");
    let sensitive_hierarchy = Hierarchy::parse("illness", b"0;low;*\n1;low;*\n2;high;*\n3;high;*\n").ok();
    Question { models, metric, suppression, population: Some(5_000), population_table: None, sensitive_hierarchy }
}

/// The smallest score of all nodes, each looked at from the bottom.
pub fn everything<K: Key>(problem: &Problem<K>) -> Option<f64> {
    let mut evaluator = Evaluator::new(problem);
    let bottom = vec![0u8; problem.attributes.len()];
    let mut least: Option<f64> = None;
    let mut node = bottom.clone();
    loop {
        let check = evaluator.check_from(&problem.base, &bottom, &node);
        if check.is_valid() {
            least = Some(least.map_or(check.score, |l: f64| l.min(check.score)));
        }
        let Some(at) = (0..node.len()).find(|a| node[*a] + 1 < problem.lattice.dims[*a]) else { return least };
        node[at] += 1;
        node[..at].fill(0);
    }
}

const MODELS: &[&[&str]] = &[
    &["k:2"],
    &["k:4"],
    &["k:3", "dl:2"],
    &["el:1.8"],
    &["k:2", "eg:1.5"],
    &["cl:2:2"],
    &["cl:1.5:1", "k:2"],
    &["t:0.3"],
    &["to:0.2", "k:2"],
    &["th:0.3"],
    &["dd:1.2"],
    &["bl:1"],
    &["be:1.5", "dl:2"],
    &["ak:0.6:2"],
    &["ak:0.2:2"],
    &["ar:0.3"],
    &["ar:0.4", "k:2", "su:0.05"],
    &["su:0.1"],
    &["pu:0.02"],
    &["kmap:40:poisson:0.05"],
    &["kmap:40:ztpoisson:0.05", "t:0.5"],
    &["k:3", "el:1.5", "t:0.5", "ar:0.3"],
];

#[test]
fn the_search_finds_what_going_through_everything_finds_for_every_metric_and_model() {
    let mut dice = Dice(7);
    let (mut met, mut unmet) = (0, 0);
    for models in MODELS {
        for (_, metric) in METRICS {
            for suppression in [0.0, 0.1, 1.0] {
                let rows = 12 + dice.roll(60);
                let input = input(&table(&mut dice, rows));
                let prepared = prepare(&input, &question(models, *metric, suppression));
                let Ok(Prepared::Narrow(problem)) = prepared else { continue };
                let least = everything(&problem);
                let mut answers = Vec::new();
                for threads in [1, 3] {
                    let (found, effort) = Prepared::search(
                        &prepare(&input, &question(models, *metric, suppression)).expect("as before"),
                        Limits { threads, time: None },
                    );
                    let estimated = models.iter().any(|m| m.starts_with("pu:"));
                    assert_eq!(effort, if estimated { Effort::Estimated } else { Effort::Exact });
                    answers.push(found);
                }
                assert_eq!(answers[0], answers[1], "threads change nothing");
                let what = format!("{models:?} {metric:?} {suppression} {rows}");
                match (least, &answers[0]) {
                    (None, None) => unmet += 1,
                    (Some(least), Some(found)) => {
                        met += 1;
                        assert!((found.check.score - least).abs() <= 1e-9 * least.abs().max(1.0), "{what}: {found:?} {least}");
                    }
                    (least, found) => panic!("{what}: {found:?} {least:?}"),
                }
            }
        }
    }
    assert!(met > 500 && unmet > 20, "both happen: {met} {unmet}");
}

pub fn released<'a>(input: &'a Input, question: &'a Question) -> Result<(Release<'a>, ReleaseReport, String), TableError> {
    let limits = Limits { threads: 1, time: None };
    let prepared = prepare(input, question)?;
    let release = answer(input, question, &prepared, prepared.search(limits), limits)?;
    let report = release.report(Used::default());
    let mut out = Vec::new();
    release.write(&mut out).expect("memory");
    Ok((release, report, String::from_utf8(out).expect("UTF-8")))
}

#[test]
fn the_verifier_agrees_with_the_engine_and_sees_through_sabotage() {
    let mut dice = Dice(11);
    let mut sabotaged = 0;
    for models in MODELS {
        for metric in [Metric::Loss, Metric::LossGm, Metric::Prec, Metric::Dm, Metric::Aecs] {
            let input = input(&table(&mut dice, 80));
            let question = question(models, metric, 0.2);
            let Ok((release, report, out)) = released(&input, &question) else { continue };
            let reference = release.reference();
            let verified = verify(out.as_bytes(), "out", &report, reference.as_ref()).expect("readable");
            assert_eq!(verified.wrong, [], "{models:?} {metric:?}");
            let compares = models.iter().any(|m| ["t:", "to:", "th:", "dd:", "bl:", "be:"].iter().any(|c| m.starts_with(c)));
            assert_eq!(reference.is_some(), compares, "{models:?}");
            let lines: Vec<&str> = out.lines().collect();
            // A row gone; a row more; a value that its level does not have; a better score claimed.
            let fewer = lines[..lines.len() - 1].join("\n");
            let more = format!("{out}{}\n", lines[1]);
            let finer = out.replacen(lines[1], &lines[1].replacen(lines[1].split(';').next().unwrap_or(""), "?", 1), 1);
            for bad in [fewer, more, finer] {
                let verified = verify(bad.as_bytes(), "out", &report, reference.as_ref()).expect("readable");
                assert!(!verified.wrong.is_empty(), "{models:?}");
                sabotaged += 1;
            }
            let better = ReleaseReport { score: report.score * 0.99 - 1e-6, ..report.clone() };
            assert!(!verify(out.as_bytes(), "out", &better, None).expect("readable").wrong.is_empty());
            let stronger = ReleaseReport { models: vec!["k:60".to_owned()], ..report.clone() };
            assert!(!verify(out.as_bytes(), "out", &stronger, None).expect("readable").wrong.is_empty());
        }
    }
    assert!(sabotaged > 100, "{sabotaged}");
}

#[test]
fn the_output_has_no_suppressed_row_and_its_order_says_nothing_of_the_inputs() {
    let text = table(&mut Dice(3), 200);
    let mut turned: Vec<&str> = text.lines().collect();
    turned[1..].reverse();
    let question = question(&["k:5"], Metric::Loss, 0.1);
    let (first, second) = (input(&text), input(&turned.join("\n")));
    let (_, report, out) = released(&first, &question).expect("met");
    let (_, _, other) = released(&second, &question).expect("met");
    assert_eq!(out, other);
    assert_eq!(out.lines().count() as u64, 1 + report.released);
    assert!(report.smallest_class >= 5 && report.optimal && report.gap == 0.0);
    for lang in [messages::Lang::Ja, messages::Lang::En] {
        assert!(release_html(&report, lang).contains(&report.released.to_string()));
    }
}

fn refusal(text: &str, roles: &Roles, models: &[&str]) -> TableError {
    let input = match read(text.as_bytes(), "t.csv", None, roles, hierarchies()) {
        Ok(input) => input,
        Err(error) => return error,
    };
    let models = match Models::parse(models) {
        Ok(models) => models,
        Err(error) => return error,
    };
    let question = Question {
        models,
        metric: Metric::Loss,
        suppression: 0.0,
        population: None,
        population_table: None,
        sensitive_hierarchy: None,
    };
    released(&input, &question).map(|_| ()).expect_err("refused")
}

#[test]
fn bad_input_is_refused_by_name_and_never_weakened() {
    let ok = "sex;age;area;illness\nF;1;a;1\nF;1;a;2\nF;1;a;x\n";
    let all = roles();
    let with = |line: &str| format!("{ok}{line}\n");
    let code = |text: &str, models: &[&str]| refusal(text, &all, models).code();
    let missing = refusal(&with("F;77;a;1"), &all, &["k:2"]);
    assert_eq!(missing, TableError::LeafMissing { column: "age".into(), line: 5 });
    assert!(!missing.to_string().contains("77"), "a cell is nobody's to show");
    assert_eq!(code(&with("F;;a;1"), &["k:2"]), "anonymity-table-empty-cell");
    assert_eq!(code(&with("F;1;a"), &["k:2"]), "anonymity-table-row-length");
    assert_eq!(code("sex;age;area;illness\n", &["k:2"]), "anonymity-table-no-rows");
    assert_eq!(code("", &["k:2"]), "anonymity-table-no-header");
    assert_eq!(code(ok, &["k:9"]), "anonymity-smaller-than-k");
    assert_eq!(code(ok, &["dl:4"]), "anonymity-sensitive-too-few");
    assert_eq!(code(ok, &["to:0.1"]), "anonymity-table-mixed-types");
    assert_eq!(code(ok, &["q:4"]), "anonymity-model-unknown");
    assert_eq!(code(ok, &["k:x"]), "anonymity-model-arguments");
    assert_eq!(code(ok, &["t:3"]), "anonymity-model-value");
    assert_eq!(code(ok, &["pu:0.1"]), "anonymity-population-missing");
    assert_eq!(code(ok, &["kmap:5"]), "anonymity-population-table-missing");
    assert_eq!(code(ok, &["el:3", "ak:0.1:2"]), "anonymity-not-met");
    let unknown = Roles { quasi_identifiers: Some(vec!["height".into()]), ..Roles::default() };
    assert_eq!(refusal(ok, &unknown, &["k:2"]).code(), "anonymity-table-unknown-column");
    let twice = Roles { person: Some("illness".into()), ..Roles::default() };
    assert_eq!(refusal(&with("F;1;a;2"), &twice, &["k:2"]).code(), "anonymity-table-person-twice");
    assert_eq!(
        refusal(ok, &Roles { sensitive: None, quasi_identifiers: Some(vec!["sex".into()]), ..Roles::default() }, &["dl:2"])
            .code(),
        "anonymity-sensitive-missing"
    );
    assert!(Metric::parse("lost").is_err());
    // An empty cell as a category, and a column with one value, are no faults.
    let roles = Roles { nulls: Nulls::Category, ..roles() };
    let read = read(with("F;;a;1").as_bytes(), "t.csv", None, &roles, hierarchies()).expect("a category");
    let question = question(&["k:2"], Metric::Loss, 0.0);
    let (_, report, _) = released(&read, &question).expect("met");
    assert!(report.columns.iter().all(|c| c.empty_is_category) && report.smallest_class >= 2);
}

#[test]
fn hierarchies_that_are_no_trees_are_refused() {
    let code = |text: &str| Hierarchy::parse("h", text.as_bytes()).map(|_| ()).map_err(|e| e.code());
    assert_eq!(code("a;x;*\nb;y\n"), Err("anonymity-hierarchy-ragged"));
    assert_eq!(code("a;x;*\na;x;*\n"), Err("anonymity-hierarchy-leaf-twice"));
    assert_eq!(code("a;x;p;*\nb;x;q;*\n"), Err("anonymity-hierarchy-split"));
    assert_eq!(code("a;b;*\nb;a;*\n"), Err("anonymity-hierarchy-cycle"));
    assert_eq!(code(""), Err("anonymity-hierarchy-empty"));
    assert_eq!(code("a;*\nb;*\n"), Ok(()));
    assert!(CODES.contains(&"anonymity-hierarchy-cycle"));
}

#[test]
fn outside_bytes_never_make_a_reader_panic() {
    bolero::check!().with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(table, hierarchy)| {
        let _ = Hierarchy::parse("h", hierarchy);
        let _ = read(&table[..], "t", None, &roles(), hierarchies());
    });
}
