//! Models that count the persons of a population table, against going through everything by hand.

use std::collections::BTreeMap;

use anonymity::metrics::Metric;
use anonymity::models::Models;
use anonymity::release::{Question, ReleaseReport, release_html};
use anonymity::risk::measure::{classes, risk};
use anonymity::table::{Input, Nulls, PopulationTable, Roles, TableError, read, read_population};
use anonymity::verify::{PopulationClasses, population_classes, verify, verify_beside};

use super::release::{Dice, hierarchies, input, released, table};

const HIERARCHIES: &[(&str, &str)] = &[
    ("sex", "F;*\nM;*\n"),
    ("age", "0;0-1;0-3;*\n1;0-1;0-3;*\n2;2-3;0-3;*\n3;2-3;0-3;*\n4;4-5;4-5;*\n5;4-5;4-5;*\n"),
    ("area", "a;north;*\nb;north;*\nc;south;*\nd;south;*\n"),
];

/// The table and others, in another order of rows and columns.
fn population(dice: &mut Dice, sample: &str, others: u64) -> String {
    let more = table(dice, others);
    let mut rows: Vec<Vec<&str>> = sample.lines().chain(more.lines().skip(1)).map(|l| l.split(';').collect()).collect();
    let count = rows.len() as u64;
    for _ in 0..count {
        let (a, b) = (1 + dice.roll(count - 1) as usize, 1 + dice.roll(count - 1) as usize);
        rows.swap(a, b);
    }
    rows.iter().map(|r| format!("{},{},x,{}\n", r[2], r[1], r[0])).collect::<String>().replacen(",x,", ",note,", 1)
}

fn of(input: &Input, text: &str) -> PopulationTable {
    read_population(text.as_bytes(), "population.csv", None, input, None).expect("a population")
}

fn asked(models: &[&str], suppression: f64, table: PopulationTable) -> Question {
    let models = Models::parse(models).expect("models");
    let population_table = Some(table);
    Question { models, metric: Metric::Loss, suppression, population: None, population_table, sensitive_hierarchy: None }
}

/// A cell at a level, from the hierarchy's text.
fn coarser(column: usize, cell: &str, level: usize) -> &'static str {
    let line = HIERARCHIES[column].1.lines().find(|l| l.split(';').next() == Some(cell));
    line.and_then(|l| l.split(';').nth(level)).expect("a leaf")
}

type Counted = BTreeMap<Vec<&'static str>, u64>;

/// Rows by their values at a node; `order`: where each quasi-identifier stands.
fn counted(text: &str, separator: char, order: [usize; 3], node: [usize; 3]) -> Counted {
    let mut counts = Counted::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(separator).collect();
        *counts.entry((0..3).map(|c| coarser(c, cells[order[c]], node[c])).collect()).or_default() += 1;
    }
    counts
}

/// The smallest loss over all nodes by the definitions alone: rows as words, section 2.1 for the models, section 7 for the loss.
fn by_hand(sample: &str, population: &str, models: &[&str], suppression: f64) -> Option<f64> {
    let rows = sample.lines().count() as f64 - 1.0;
    let mut least: Option<f64> = None;
    for node in (0..2 * 4 * 3).map(|n| [n / 12, n / 3 % 4, n % 3]) {
        let (f, all) = (counted(sample, ';', [0, 1, 2], node), counted(population, ',', [3, 1, 0], node));
        let holds = |class: &Vec<&str>, size: u64| {
            let persons = all[class];
            models.iter().all(|m| match m.split(':').collect::<Vec<_>>()[..] {
                ["k", k] => size >= k.parse().expect("k"),
                ["kmap", k] => persons >= k.parse().expect("k"),
                ["dp", least, most] => {
                    let share = size as f64 / persons as f64;
                    share >= least.parse::<f64>().expect("least") - 1e-12 && share <= most.parse::<f64>().expect("most") + 1e-12
                }
                _ => panic!("{m}"),
            })
        };
        // Nobody of a class that only the population has, or that is suppressed, is in the release.
        let everybody = models.iter().any(|m| m.starts_with("dp:") && !m.starts_with("dp:0:"));
        let kept: Vec<(&Vec<&str>, u64)> = f.iter().map(|(c, s)| (c, *s)).filter(|(c, s)| holds(c, *s)).collect();
        let gone = rows - kept.iter().map(|(_, s)| *s as f64).sum::<f64>();
        if everybody && kept.len() < all.len() {
            continue;
        }
        if kept.is_empty() || gone > (suppression * rows + 1e-9).floor() {
            continue;
        }
        let loss = |column: usize| {
            let lines: Vec<&str> = HIERARCHIES[column].1.lines().collect();
            let m = lines.len() as f64;
            let leaves = |value: &str| lines.iter().filter(|l| l.split(';').nth(node[column]) == Some(value)).count() as f64;
            let sum = kept.iter().map(|(class, s)| *s as f64 * leaves(class[column]) / m).sum::<f64>() + gone;
            ((sum - rows / m) / (rows - rows / m)).max(0.0)
        };
        let score = (0..3).map(loss).sum::<f64>() / 3.0;
        least = Some(least.map_or(score, |l: f64| l.min(score)));
    }
    least
}

const MODELS: &[&[&str]] = &[
    &["kmap:4"],
    &["kmap:12"],
    &["kmap:30", "k:2"],
    &["dp:0:0.5"],
    &["dp:0.1:0.6"],
    &["dp:0.3:1"],
    &["dp:0.2:0.45"],
    &["dp:0.15:0.7", "kmap:8", "k:2"],
];

#[test]
fn with_a_population_table_the_search_finds_what_going_through_everything_by_hand_finds() {
    let mut dice = Dice(31);
    let (mut met, mut unmet, mut suppressed) = (0, 0, 0);
    for round in 0..20 {
        for models in MODELS {
            let suppression = [0.0, 0.1, 0.3, 1.0][round % 4];
            let rows = 8 + dice.roll(50);
            let sample = table(&mut dice, rows);
            let others = dice.roll(120);
            let everybody = population(&mut dice, &sample, others);
            let input = input(&sample);
            let question = asked(models, suppression, of(&input, &everybody));
            let least = by_hand(&sample, &everybody, models, suppression);
            let what = format!("{models:?} {suppression} {rows} {others}");
            match (least, released(&input, &question)) {
                (Some(least), Ok((_, report, _))) => {
                    assert!((report.score - least).abs() < 1e-9 && report.optimal, "{what}: {} {least}", report.score);
                    met += 1;
                    suppressed += u64::from(report.suppressed > 0);
                }
                (None, Err(_)) => unmet += 1,
                (least, found) => panic!("{what}: {least:?} {:?}", found.map(|f| f.1.score)),
            }
        }
    }
    assert!(met > 80 && unmet > 10 && suppressed > 30, "all happen: {met} {unmet} {suppressed}");
}

fn folder() -> BTreeMap<String, Vec<u8>> {
    HIERARCHIES.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

fn recounted(report: &ReleaseReport, text: &str) -> Result<PopulationClasses, TableError> {
    population_classes(text.as_bytes(), "population.csv", report, &folder())
}

#[test]
fn the_verifier_counts_the_population_itself_and_sees_through_sabotage() {
    let mut dice = Dice(41);
    let mut sabotaged = 0;
    for models in MODELS {
        for suppression in [0.1, 0.4] {
            let sample = table(&mut dice, 60);
            let everybody = population(&mut dice, &sample, 90);
            let input = input(&sample);
            let question = asked(models, suppression, of(&input, &everybody));
            let Ok((_, report, out)) = released(&input, &question) else { continue };
            let with = |report: &ReleaseReport, text: &str| {
                let population = recounted(report, text).expect("readable");
                verify_beside(out.as_bytes(), "out", report, None, Some(&population))
            };
            let honest = with(&report, &everybody).expect("readable");
            assert!(honest.wrong.is_empty() && honest.unchecked.is_empty(), "{models:?}: {honest:?}");
            let blind = verify(out.as_bytes(), "out", &report, None).expect("readable");
            assert!(blind.wrong.is_empty() && blind.unchecked.contains(&models[0].to_owned()), "{blind:?}");
            // A stronger promise than was kept; another number of persons; a population that is not the one.
            for claim in ["kmap:151", "dp:0:0.01", "dp:0.99:1"] {
                let stronger = ReleaseReport { models: vec![claim.to_owned()], ..report.clone() };
                let seen = with(&stronger, &everybody).expect("readable");
                assert!(seen.wrong.iter().any(|w| w.claim == claim), "{models:?} {claim}: {seen:?}");
                sabotaged += 1;
            }
            let mut counted = report.population_table.expect("counted");
            counted.smallest_class += 1;
            let other = ReleaseReport { population_table: Some(counted), ..report.clone() };
            assert!(with(&other, &everybody).expect("readable").wrong.iter().any(|w| w.claim.starts_with("population")));
            let nobody = everybody.lines().take(2).collect::<Vec<_>>().join("\n");
            assert_eq!(with(&report, &nobody).map(|_| ()).map_err(|e| e.code()), Err("anonymity-population-lacks"));
        }
    }
    assert!(sabotaged > 20, "{sabotaged}");
}

#[test]
fn a_class_of_the_population_with_nobody_released_breaks_a_lower_bound_of_presence() {
    // All six of area d are missing from the table: whoever is known to live there is known not to be in it.
    let sample = format!("sex;age;area;illness\n{}", "F;1;a;1\nF;1;c;1\n".repeat(4));
    let everybody = format!("sex;age;area\n{}{}", "F;1;a\nF;1;c\n".repeat(8), "F;1;d\n".repeat(6));
    let input = input(&sample);
    let ask = |model: &str| asked(&[model], 0.5, of(&input, &everybody));
    let (without, with) = (ask("dp:0:0.5"), ask("dp:0.2:0.5"));
    let (_, report, out) = released(&input, &without).expect("met");
    assert_eq!(report.levels[2], 0, "without a lower bound areas may stay");
    // The claim of a lower bound about that release is a false one.
    let stronger = ReleaseReport { models: vec!["dp:0.2:0.5".to_owned()], ..report };
    let population = recounted(&stronger, &everybody).expect("readable");
    let seen = verify_beside(out.as_bytes(), "out", &stronger, None, Some(&population)).expect("readable");
    assert_eq!(seen.wrong.iter().map(|w| w.claim.as_str()).collect::<Vec<_>>(), ["dp:0.2:0.5"], "{seen:?}");
    let (_, report, out) = released(&input, &with).expect("met");
    assert!(report.levels[2] > 0 && report.suppressed == 0, "{:?}", report.levels);
    let population = recounted(&report, &everybody).expect("readable");
    let seen = verify_beside(out.as_bytes(), "out", &report, None, Some(&population)).expect("readable");
    assert!(seen.wrong.is_empty() && seen.unchecked.is_empty(), "{seen:?}");
}

#[test]
fn a_column_that_is_named_twice_makes_no_finer_classes_and_is_refused() {
    let twice = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
    let refused = classes("a;b\n1;x\n".as_bytes(), "t", None, &twice).map(|_| ());
    assert_eq!(refused, Err(TableError::ColumnNamedTwice { column: "a".into() }));
}

#[test]
fn a_population_that_does_not_fit_is_refused_by_name_and_shows_no_cell() {
    let sample = "sex;age;area;illness\nF;1;a;1\nF;1;a;2\nM;4;d;1\n";
    let input = input(sample);
    let refusal = |text: &str| match read_population(text.as_bytes(), "p.csv", None, &input, Some("id")) {
        Ok(table) => released(&input, &asked(&["kmap:2"], 0.0, table)).map(|_| ()).expect_err("refused"),
        Err(error) => error,
    };
    let header = "sex;age;area;id\n";
    let with = |rows: &str| refusal(&format!("{header}{rows}"));
    assert_eq!(with("F;1;a;1\nF;77;a;2\n"), TableError::PopulationLeaf { file: "p.csv".into(), column: "age".into(), line: 3 });
    assert_eq!(with("F;;a;2\n").code(), "anonymity-population-leaf");
    assert_eq!(with("F;1;a;1\nF;1;a;2\nM;4;c;3\n"), TableError::PopulationLacks { rows: 1, combinations: 1 });
    assert_eq!(with("F;1;a;1\nM;4;d;3\nM;4;c;4\n"), TableError::PopulationLacks { rows: 1, combinations: 1 });
    assert_eq!(with("F;1;a;1\nF;1;a;1\n").code(), "anonymity-table-person-twice");
    assert_eq!(with("F;1;a\n").code(), "anonymity-table-row-length");
    assert_eq!(with("").code(), "anonymity-table-no-rows");
    assert_eq!(refusal("sex;age\nF;1\n").code(), "anonymity-population-column");
    for error in [with("F;77;a;2\n"), with("F;1;a;1\n")] {
        for lang in [messages::Lang::Ja, messages::Lang::En] {
            let text = error.message().text(lang);
            assert!(!text.contains("77") && !text.contains("F;"), "{text}");
        }
    }
    // Persons were told apart where the column is there, and the report says so.
    let text = format!("{header}F;1;a;1\nF;1;a;2\nM;4;d;3\nM;4;c;4\n");
    let population = read_population(text.as_bytes(), "p.csv", None, &input, Some("id")).expect("a population");
    assert!(population.by_person && population.rows == 4);
    let question = asked(&["kmap:2"], 0.0, population);
    let (_, report, _) = released(&input, &question).expect("met");
    let counted = report.population_table.expect("counted");
    assert!(counted.by_person && counted.smallest_class >= 2);
    assert!(report.smallest_class >= 1, "a class of the population alone is none of the release");
    for lang in [messages::Lang::Ja, messages::Lang::En] {
        assert!(!release_html(&report, lang).contains("anonymity-"), "every text is there");
    }
}

#[test]
fn sensitive_values_of_the_table_alone_count_beside_a_population() {
    let sample = "sex;age;area;illness\nF;1;a;1\nF;1;a;2\nM;1;a;1\nM;1;a;1\n";
    let everybody = "sex;age;area\nF;1;a\nF;1;a\nF;1;a\nM;1;a\nM;1;a\nM;1;a\nM;1;a\nM;2;d\n";
    let input = input(sample);
    let question = asked(&["kmap:3", "dl:2"], 0.0, read_population(everybody.as_bytes(), "p", None, &input, None).expect("one"));
    let (_, report, _) = released(&input, &question).expect("met");
    assert_eq!(report.levels[0], 1, "the men have one disease: the sex has to go");
    assert_eq!(report.population_table.map(|p| p.smallest_class), Some(7));
}

#[test]
fn with_a_population_table_risk_counts_instead_of_estimating() {
    let columns = ["a".to_owned(), "b".to_owned()];
    let of = |text: &str| classes(text.as_bytes(), "t", None, &columns).expect("classes");
    let (sample, all) = (of("a;b\n1;x\n1;x\n2;y\n3;z\n"), of("b;a\nx;1\nx;1\nx;1\nx;1\ny;2\nz;3\nz;3\nq;9\n"));
    let found = risk(&sample, Some(&all), None, 0.4).expect("a risk");
    // F: 4, 1, 2. The mean of f/F: (2/4 + 1/1 + 1/2)/4; classes / persons in them: 3/7.
    assert_eq!((found.journalist_most, found.marketer, found.journalist_average), (Some(1.0), Some(0.5), Some(0.5)));
    assert_eq!((found.journalist_at_risk, found.population_rows, found.population_uniques), (Some(0.5), Some(8), Some(2)));
    assert_eq!(found.population, None);
    let lacking = risk(&sample, Some(&of("a;b\n1;x\n2;y\n3;z\n4;q\n5;q\n")), None, 0.4).map(|_| ());
    assert_eq!(lacking, Err(TableError::PopulationLacks { rows: 1, combinations: 1 }));
}

#[test]
fn empty_cells_are_one_category_in_table_population_and_verifier() {
    let roles = Roles { sensitive: Some("illness".to_owned()), nulls: Nulls::Category, ..Roles::default() };
    let sample = "sex;age;area;illness\nF;;a;1\nF;;a;1\nM;1;b;1\nM;2;b;1\nF;5;a;1\n";
    let everybody = "\u{feff}sex;age;area\nF;;a\nF;;a\nF;;a\nF;;b\nM;1;b\nM;2;b\nM;3;b\nF;5;a\nF;5;a\nF;4;a\n";
    let input = read(sample.as_bytes(), "t", None, &roles, hierarchies()).expect("a table");
    let mut levels = std::collections::BTreeSet::new();
    for k in 1..=10 {
        let model = format!("kmap:{k}");
        let question = asked(&[&model], 0.0, of(&input, everybody));
        let (_, report, out) = released(&input, &question).expect("met");
        let population = recounted(&report, everybody).expect("readable");
        let seen = verify_beside(out.as_bytes(), "out", &report, None, Some(&population)).expect("readable");
        assert!(seen.wrong.is_empty() && seen.unchecked.is_empty(), "{k}: {seen:?}");
        levels.insert(report.levels[1]);
    }
    assert!(levels.len() > 1 && levels.contains(&3), "with the empty cells below the root and in it: {levels:?}");
}
