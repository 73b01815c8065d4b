//! Lattices that are searched without a proof: the bound never lies, and the answer is good.

use std::collections::BTreeMap;

use anonymity::metrics::{METRICS, Metric};
use anonymity::models::Models;
use anonymity::release::{Prepared, Question, prepare};
use anonymity::search::{Effort, Found, Limits};
use anonymity::table::{Hierarchy, Input, Roles, read};

use super::release::{Dice, everything, hierarchies, question, table};

/// Twelve columns with nothing to choose: too many columns for a proof, and few enough nodes to go through.
fn widened(text: &str) -> Input {
    let mut all: BTreeMap<String, Hierarchy> = hierarchies();
    let mut wide = String::new();
    for (n, line) in text.lines().enumerate() {
        wide.push_str(line);
        for column in 0..12 {
            wide.push_str(&if n == 0 { format!(";x{column}") } else { ";-".to_owned() });
        }
        wide.push('\n');
    }
    for column in 0..12 {
        let name = format!("x{column}");
        all.insert(name.clone(), Hierarchy::parse(&name, b"-\n").expect("a hierarchy"));
    }
    let roles = Roles { sensitive: Some("illness".to_owned()), ..Roles::default() };
    read(wide.as_bytes(), "wide", None, &roles, all).expect("a table")
}

fn searched(input: &Input, question: &Question) -> (Option<Found>, Option<f64>) {
    let prepared = prepare(input, question).expect("prepared");
    let least = match &prepared {
        Prepared::Narrow(problem) => everything(problem),
        Prepared::Wide(problem) => everything(problem),
    };
    let (found, effort) = prepared.search(Limits { threads: 1, time: None });
    assert_eq!(effort, Effort::Heuristic, "too many columns for a proof");
    (found, least)
}

#[test]
fn without_a_proof_no_node_scores_less_than_the_bound_for_every_metric_and_kind_of_model() {
    let mut dice = Dice(101);
    let (mut met, mut best, mut bounded) = (0u32, 0u32, 0u32);
    let models: &[&[&str]] =
        &[&["k:2"], &["k:4"], &["k:3", "dl:2"], &["el:1.8"], &["k:2", "t:0.3"], &["k:2", "ar:0.3"], &["kmap:40:poisson:0.05"]];
    for models in models {
        for (_, metric) in METRICS {
            for suppression in [0.0, 0.1, 0.4, 1.0] {
                let rows = 20 + dice.roll(60);
                let text = table(&mut dice, rows);
                let (found, least) = searched(&widened(&text), &question(models, *metric, suppression));
                let Some(found) = found else {
                    assert_eq!(least, None, "what there is is found: {models:?} {metric:?} {suppression}");
                    continue;
                };
                let least = least.expect("something was found");
                let what = format!("{models:?} {metric:?} {suppression}: {} {least} {}", found.bound, found.check.score);
                let slack = 1e-9 * least.abs().max(1.0);
                assert!(found.bound <= least + slack && least <= found.check.score + slack, "{what}");
                met += 1;
                best += u32::from(found.check.score <= least + slack);
                bounded += u32::from(found.bound > 0.0);
            }
        }
    }
    assert!(met > 200 && best * 10 >= met * 9, "{best} of {met}");
    assert!(bounded > 60, "{bounded}");
}

#[test]
fn a_bound_that_were_a_little_higher_would_be_seen_to_lie() {
    // Where everybody is of one age, sex and area are a block that says all: the bound is the best score itself.
    let mut dice = Dice(103);
    let mut seen = 0;
    for _ in 0..20 {
        let rows = 10 + dice.roll(20);
        let text: String = table(&mut dice, rows)
            .lines()
            .map(|line| {
                let cells: Vec<&str> = line.split(';').collect();
                let age = if cells[1] == "age" { "age" } else { "1" };
                format!("{};{age};{};{}\n", cells[0], cells[2], cells[3])
            })
            .collect();
        let (found, least) = searched(&widened(&text), &question(&["k:3"], Metric::Loss, 0.0));
        if let (Some(found), Some(least)) = (found, least) {
            assert!(found.bound <= least + 1e-9);
            seen += u32::from(found.bound * 1.01 > least + 1e-9 && found.bound > 0.0);
        }
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn sixteen_columns_have_an_answer_and_a_bound_and_the_same_every_time() {
    let mut dice = Dice(107);
    let names: Vec<String> = (0..16).map(|c| format!("c{c}")).collect();
    let mut text = names.join(";") + "\n";
    for _ in 0..300 {
        let kind = dice.roll(5);
        let row: Vec<String> =
            (0..16).map(|c| if dice.roll(4) > 0 { (kind + c) % 4 } else { dice.roll(4) }.to_string()).collect();
        text.push_str(&(row.join(";") + "\n"));
    }
    let hierarchy = |name: &String| {
        let parsed = Hierarchy::parse(name, b"0;01;*\n1;01;*\n2;23;*\n3;23;*\n").expect("a hierarchy");
        (name.clone(), parsed)
    };
    let input = read(text.as_bytes(), "t", None, &Roles::default(), names.iter().map(hierarchy).collect()).expect("a table");
    let question = Question {
        models: Models::parse(&["k:3"]).expect("models"),
        metric: Metric::Loss,
        suppression: 0.05,
        population: None,
        population_table: None,
        sensitive_hierarchy: None,
    };
    let prepared = prepare(&input, &question).expect("prepared");
    let first = prepared.search(Limits { threads: 1, time: None });
    assert_eq!(first, prepared.search(Limits { threads: 2, time: None }));
    let found = first.0.expect("found");
    assert!(found.bound > 0.0 && found.bound <= found.check.score, "{} {}", found.bound, found.check.score);
    // A limit of time that is over at once still gives no false bound.
    let soon = prepared.search(Limits { threads: 1, time: Some(std::time::Duration::from_millis(50)) });
    assert!(soon.0.is_none_or(|f| f.bound <= found.check.score + 1e-9));
}
