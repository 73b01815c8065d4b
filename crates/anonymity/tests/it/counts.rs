//! Noisy tables: what one person can change, what is shown, and what is refused.

use std::collections::{BTreeMap, BTreeSet};

use anonymity::counts::{
    Budget, Counted, CountsError, CountsReport, Decimal, Mechanism, Noise, Persons, Plan, Question, Release, Spending, Stratum,
    Unit, counts_html, read, release,
};
use messages::Lang;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::noise::{gaussian, laplace};
use super::release::Dice;

/// Persons by sex and area, one cell a person, ε 1.
pub fn question(values: bool) -> Question {
    let of = |column: &str, values: Option<&[&str]>| Stratum {
        column: column.to_owned(),
        values: values.map(|v| v.iter().map(|v| (*v).to_owned()).collect()),
    };
    Question {
        by: vec![of("sex", values.then_some(&["F", "M"])), of("area", values.then_some(&["n", "s", "w"]))],
        persons: Persons::Column("id".to_owned()),
        count: Counted::Persons,
        most_cells: 1,
        most_rows: 1,
        mechanism: Mechanism::Laplace,
        parameter: "1".parse().expect("a decimal"),
        delta: (!values).then(|| "0.000001".parse().expect("a decimal")),
        suppress: None,
        non_negative: false,
        marginals: false,
    }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

type Counts = BTreeMap<Vec<String>, u64>;

/// True counts after bounding.
fn bounded(text: &str, question: &Question, seed: u64) -> Counts {
    let counts = read(text.as_bytes(), "table", None, question).expect("a table").bounded(question, &mut rng(seed));
    counts.look().into_iter().map(|(cell, n)| (cell.into_iter().map(str::to_owned).collect(), n)).collect()
}

fn made(text: &str, question: &Question, seed: u64) -> (Release, Plan) {
    let plan = question.plan().expect("a plan");
    let mut rng = rng(seed);
    let counts = read(text.as_bytes(), "table", None, question).expect("a table").bounded(question, &mut rng);
    (release(counts, question, &plan, &mut rng), plan)
}

const HEADER: &str = "id,sex,area\n";

/// A table of `persons` with up to six rows each.
fn table(dice: &mut Dice, persons: u64) -> String {
    let mut text = HEADER.to_owned();
    for person in 0..persons {
        for _ in 0..=dice.roll(6) {
            let (sex, area) = (["F", "M"][dice.roll(2) as usize], ["n", "s", "w"][dice.roll(3) as usize]);
            text.push_str(&format!("p{person},{sex},{area}\n"));
        }
    }
    text
}

/// Somebody with rows in every cell, many of them.
fn everywhere(rows: usize) -> String {
    let cells = ["F,n", "F,s", "F,w", "M,n", "M,s", "M,w"];
    cells.iter().flat_map(|cell| std::iter::repeat_n(format!("somebody,{cell}\n"), rows)).collect()
}

#[test]
fn without_bounds_that_bind_counts_are_those_of_a_naive_count() {
    for seed in 0..20 {
        let text = table(&mut Dice(seed), 40);
        let mut persons: BTreeMap<Vec<String>, BTreeSet<&str>> = BTreeMap::new();
        let mut rows = Counts::new();
        for line in text.lines().skip(1) {
            let [id, sex, area] = line.split(',').collect::<Vec<_>>()[..] else { panic!("three cells") };
            let cell = vec![sex.to_owned(), area.to_owned()];
            persons.entry(cell.clone()).or_default().insert(id);
            *rows.entry(cell).or_default() += 1;
        }
        let all = Question { most_cells: 6, ..question(true) };
        let naive: Counts = persons.into_iter().map(|(cell, ids)| (cell, ids.len() as u64)).collect();
        assert_eq!(bounded(&text, &all, seed), naive);
        let all = Question { count: Counted::Rows, most_rows: 1_000, ..all };
        assert_eq!(bounded(&text, &all, seed), rows);
    }
}

#[test]
fn one_person_with_many_rows_moves_all_counts_by_no_more_than_the_bounds() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let (cells, rows) = (1 + dice.roll(6) as u32, 1 + dice.roll(5) as u32);
        let by_rows = Question { most_cells: cells, most_rows: rows, count: Counted::Rows, ..question(true) };
        let plan = by_rows.plan().expect("a plan");
        // Of others, each in one cell, no bound chooses anything, so that the table without the person is the same by any chance.
        let others: String = (0..30).map(|n| format!("{n},M,{}\n", ["n", "s"][n % 2])).collect();
        let without = bounded(&format!("{HEADER}{others}"), &by_rows, seed);
        let with = bounded(&format!("{HEADER}{others}{}", everywhere(50)), &by_rows, seed + 1);
        let moved: Vec<u64> = with.iter().map(|(cell, n)| n - without[cell]).collect();
        assert_eq!(moved.iter().sum::<u64>(), plan.l1, "C·M, since the person has more of everything");
        assert_eq!(moved.iter().map(|n| n * n).sum::<u64>(), plan.l2_squared);
        assert_eq!(moved.iter().filter(|n| **n > 0).count(), cells as usize);
    }
}

#[test]
fn each_cell_of_a_person_is_as_likely_to_be_the_one_that_counts() {
    let question = Question { most_cells: 2, ..question(true) };
    let mut chosen: BTreeMap<Vec<Vec<String>>, f64> = BTreeMap::new();
    for seed in 0..6_000 {
        let counts = bounded(&format!("{HEADER}{}", everywhere(1)), &question, seed);
        *chosen.entry(counts.into_iter().filter(|(_, n)| *n > 0).map(|(cell, _)| cell).collect()).or_default() += 1.0;
    }
    assert_eq!(chosen.len(), 15, "every two of six");
    assert!(chosen.values().all(|n| (n - 400.0).abs() < 5.0 * 20.0), "{chosen:?}");
}

/// Chance of what four cells of true counts `n` show as `z`, with somebody in all four who counts in each of `sets`, as likely.
fn joint(noise: &Noise, z: &[i64], n: &[i64], sets: &[Vec<i64>]) -> f64 {
    let one = |set: &Vec<i64>| z.iter().zip(n).zip(set).map(|((z, n), s)| noise.chance(z - n - s)).product::<f64>();
    sets.iter().map(one).sum::<f64>() / sets.len() as f64
}

/// The greatest ratio of chances, either way, over all that four cells can show from -6 to 6.
fn greatest_ratio(noise: &Noise, sets: &[Vec<i64>]) -> f64 {
    let (n, nobody) = ([0, 1, 3, 0], vec![vec![0; 4]]);
    let mut greatest: f64 = 0.0;
    for at in 0..13i64.pow(4) {
        let z: Vec<i64> = (0..4).map(|digit| at / 13i64.pow(digit) % 13 - 6).collect();
        let (with, without) = (joint(noise, &z, &n, sets), joint(noise, &z, &n, &nobody));
        greatest = greatest.max((with / without).ln().abs());
    }
    greatest
}

/// The sets of cells that the code counts somebody in who is in four.
fn sets(most_cells: u32, rows: u32) -> Vec<Vec<i64>> {
    let text = format!("{HEADER}{}", ["F,n", "F,s", "M,n", "M,s"].map(|c| format!("x,{c}\n").repeat(40)).concat());
    let mut question = Question { most_cells, most_rows: rows, count: Counted::Rows, ..question(true) };
    question.by[1].values = Some(vec!["n".to_owned(), "s".to_owned()]);
    let all: BTreeSet<Vec<i64>> =
        (0..300).map(|seed| bounded(&text, &question, seed).into_values().map(|n| n as i64).collect()).collect();
    all.into_iter().collect()
}

#[test]
fn no_table_is_more_than_e_to_epsilon_likelier_with_a_person_than_without() {
    for (cells, rows, epsilon) in [(1, 1, "1"), (2, 1, "0.8"), (3, 2, "1.2"), (2, 3, "0.5")] {
        let noise = laplace(u64::from(cells * rows), epsilon);
        let bound: f64 = epsilon.parse().expect("a number");
        let found = sets(cells, rows);
        assert_eq!(found.len(), [4, 6, 4, 1][cells as usize - 1], "every choice of {cells} of 4 cells");
        let ratio = greatest_ratio(&noise, &found);
        assert!(ratio <= bound + 1e-9, "{cells} cells, {rows} rows, ε {epsilon}: {ratio}");
        assert!(ratio > bound / 3.0, "the bound is no more than it has to be: {ratio}");
        // The same noise for a person whose cells, or rows, are not bounded.
        let unbounded = [vec![i64::from(rows); 4]];
        assert!(greatest_ratio(&noise, &unbounded) > bound + 1e-9, "the check finds a person in too many cells");
        let unbounded: Vec<Vec<i64>> = found.iter().map(|set| set.iter().map(|n| n * 4).collect()).collect();
        assert!(greatest_ratio(&noise, &unbounded) > bound + 1e-9, "the check finds too many rows");
    }
}

#[test]
fn gaussian_noise_keeps_the_epsilon_and_delta_that_rho_is_told_as() {
    // Two cells, both of one person: Δ2² = 2.
    let (rho, delta): (f64, f64) = (0.2, 1e-4);
    let epsilon = rho + 2.0 * (rho * (1.0 / delta).ln()).sqrt();
    let excess = |noise: &Noise| {
        let chance: Vec<f64> = (-41..=40).map(|z| noise.chance(z)).collect();
        let pairs = (1..82).flat_map(|x| (1..82).map(move |y| (x, y)));
        pairs.map(|(x, y)| (chance[x] * chance[y] - epsilon.exp() * chance[x - 1] * chance[y - 1]).max(0.0)).sum::<f64>()
    };
    assert!(excess(&gaussian(2, "0.2")) <= delta, "{}", excess(&gaussian(2, "0.2")));
    assert!(excess(&gaussian(1, "0.8")) > delta, "the check finds noise for less than a person");
}

#[test]
fn a_cell_of_one_person_shows_no_more_often_than_delta_however_many_cells_the_person_has() {
    for (mechanism, cells, rows, parameter, delta) in [
        (Mechanism::Laplace, 1u32, 1u32, "1", "0.000001"),
        (Mechanism::Laplace, 5, 1, "0.5", "0.001"),
        (Mechanism::Laplace, 3, 4, "2", "0.0001"),
        (Mechanism::Gaussian, 1, 1, "0.1", "0.000001"),
        (Mechanism::Gaussian, 7, 3, "0.5", "0.001"),
    ] {
        let parameter = parameter.parse().expect("a decimal");
        let delta: Decimal = delta.parse().expect("a decimal");
        let count = if rows > 1 { Counted::Rows } else { Counted::Persons };
        let open =
            Question { mechanism, most_cells: cells, most_rows: rows, count, parameter, delta: Some(delta), ..question(false) };
        let plan = open.plan().expect("a plan");
        let threshold = plan.threshold.expect("a threshold") as i64;
        // All bounded cells of the person, each with M rows, and whatever the noise does.
        let above = |t: i64| (t + 1 - i64::from(rows)..t + 20_000).rev().map(|z| plan.noise.chance(z)).sum::<f64>();
        let shows = |t: i64| 1.0 - (1.0 - above(t)).powi(cells as i32);
        assert!(shows(threshold) <= delta.to_f64(), "{mechanism:?} {}", shows(threshold));
        assert!(shows(threshold - 1) > delta.to_f64() * 0.99, "one less would show too often");

        // A person with far more cells than C brings no more than C of them into the draw.
        let text: String = (0..300).map(|n| format!("x,{n},{n}\n").repeat(9)).collect();
        let counts = bounded(&format!("{HEADER}{text}"), &open, 1);
        assert_eq!(counts.len(), cells as usize);
        assert!(counts.values().all(|n| *n == u64::from(rows)));
    }
    // Continuous Laplace and one cell: τ = 1 + ln(1/2δ)/ε.
    let plan = question(false).plan().expect("a plan");
    assert!(plan.threshold.is_some_and(|t| (t as f64 - (1.0 + 500_000f64.ln())).abs() < 2.0), "{plan:?}");
}

#[test]
fn rare_values_of_the_data_are_not_shown_and_common_ones_are_in_an_order_that_tells_nothing() {
    let common: String = (0..400).map(|n| format!("{n},{},{}\n", ["M", "F"][n % 2], ["w", "n"][n / 2 % 2])).collect();
    let rare = "901,X,n\n902,F,unknown\n";
    for seed in 0..20 {
        let (shown, _) = made(&format!("{HEADER}{rare}{common}"), &question(false), seed);
        let cells: Vec<Vec<String>> = shown.cells.iter().map(|l| l.values.iter().flatten().cloned().collect()).collect();
        assert_eq!(cells, [["F", "n"], ["F", "w"], ["M", "n"], ["M", "w"]]);
    }
}

#[test]
fn where_values_are_given_every_cell_is_there_with_noise_of_its_own_the_empty_ones_too() {
    let question = Question { parameter: "0.01".parse().expect("a decimal"), ..question(true) };
    let text: String = (0..12_345).map(|n| format!("{n},F,n\n")).collect();
    let mut zeros = BTreeSet::new();
    for seed in 0..30 {
        let (shown, _) = made(&format!("{HEADER}{text}"), &question, seed);
        assert_eq!(shown.cells.len(), 6);
        zeros.extend(shown.cells[1..].iter().map(|l| l.noisy));
        let error = shown.cells[0].noisy - 12_345;
        assert!(error.abs() < 2_000, "{error}");
    }
    assert!(zeros.len() > 100, "{}", zeros.len());
}

#[test]
fn totals_are_sums_of_noisy_cells_and_what_is_left_out_or_lifted_is_so_after_them() {
    let plain = Question { marginals: true, parameter: "0.2".parse().expect("a decimal"), ..question(true) };
    let treated = Question { suppress: Some(4), non_negative: true, ..plain.clone() };
    for seed in 0..50 {
        let text = table(&mut Dice(seed), 30);
        let (all, plan) = made(&text, &plain, seed);
        let (shown, _) = made(&text, &treated, seed);
        assert_eq!(all.totals.len(), 5);
        for total in &all.totals {
            let (column, value) = total.values.iter().enumerate().find(|(_, v)| v.is_some()).expect("a value");
            let cells: Vec<i64> = all.cells.iter().filter(|l| l.values[column] == *value).map(|l| l.noisy).collect();
            assert_eq!(total.noisy, cells.iter().sum::<i64>());
            assert_eq!(total.half_width, plan.noise.half_width(cells.len() as u64));
        }
        let kept = |lines: &[anonymity::counts::Line]| lines.iter().filter(|l| l.noisy >= 4).cloned().collect::<Vec<_>>();
        assert_eq!((&shown.cells, &shown.totals), (&kept(&all.cells), &kept(&all.totals)));
        let (lifted, _) = made(&text, &Question { non_negative: true, ..plain.clone() }, seed);
        assert!(lifted.cells.iter().zip(&all.cells).all(|(l, a)| l.noisy == a.noisy.max(0)));
    }
}

#[test]
fn two_spellings_of_one_person_are_one_person() {
    let text = format!("{HEADER}ab1,F,n\nＡＢ１,F,n\n ab1 ,F,n\n12,F,n\n12.0,F,n\n");
    assert_eq!(bounded(&text, &question(true), 1)[&vec!["F".to_owned(), "n".to_owned()]], 2);
}

#[test]
fn what_is_wrong_with_a_table_is_told_by_line_and_never_by_cell() {
    let refused = |text: &str, question: &Question| read(text.as_bytes(), "t", None, question).err().expect("refused");
    let closed = question(true);
    let rows = "1,F,n\n2,SECRET,n\n3,F,n\n4,SECRET,n\n";
    let error = refused(&format!("{HEADER}{rows}"), &closed);
    assert_eq!(error, CountsError::OutsideValues { column: "sex".to_owned(), rows: 2, lines: "3, 5".to_owned() });
    let empty = refused(&format!("{HEADER}1,F,n\n \u{3000},F,n\n"), &closed);
    assert_eq!(empty, CountsError::PersonEmpty { column: "id".to_owned(), rows: 1, lines: "3".to_owned() });
    for (text, code) in [
        (HEADER.to_owned(), "anonymity-table-no-rows"),
        ("id,sex\n1,F\n".to_owned(), "anonymity-table-unknown-column"),
        ("id,sex,area,sex\n1,F,n,F\n".to_owned(), "anonymity-table-column-twice"),
        (format!("{HEADER}1,SECRET\n"), "anonymity-table-row-length"),
        ("\n".to_owned(), "anonymity-table-no-header"),
    ] {
        assert_eq!(refused(&text, &closed).message().code, code, "{text}");
    }
    let bytes = [HEADER.as_bytes(), b"1,\xff,n\n"].concat();
    assert!(matches!(read(&bytes[..], "t", None, &closed), Err(CountsError::Table(_))));
    for lang in [Lang::Ja, Lang::En] {
        assert!(!error.message().text(lang).contains("SECRET"));
    }
}

#[test]
fn a_question_that_would_protect_nobody_or_makes_no_sense_is_refused() {
    let (open, closed) = (question(false), question(true));
    let decimal = |text: &str| text.parse::<Decimal>().expect("a decimal");
    let twice = |q: &Question| Question { by: [&q.by[..], &q.by[..1]].concat(), ..q.clone() };
    let with_values = |values: Vec<String>| {
        let mut question = closed.clone();
        question.by[0].values = Some(values);
        question
    };
    let named = |column: &str| {
        let mut question = closed.clone();
        question.by[0].column = column.to_owned();
        question
    };
    for (question, code) in [
        (Question { by: Vec::new(), ..closed.clone() }, "no-strata"),
        (twice(&closed), "stratum-twice"),
        (named("id"), "stratum-is-person"),
        (named("noisy_count"), "stratum-reserved"),
        (with_values(vec!["F".to_owned(), "F".to_owned()]), "value-twice"),
        (with_values(Vec::new()), "value-twice"),
        (with_values((0..400_000).map(|n| n.to_string()).collect()), "too-many-cells"),
        (Question { most_cells: 0, ..closed.clone() }, "bound-range"),
        (Question { most_cells: 1_001, ..closed.clone() }, "bound-range"),
        (Question { persons: Persons::Rows, most_cells: 2, ..closed.clone() }, "rows-are-persons"),
        (Question { most_rows: 2, ..closed.clone() }, "rows-unbounded"),
        (Question { parameter: Decimal::ZERO, ..closed.clone() }, "parameter-range"),
        (Question { parameter: decimal("100.1"), ..closed.clone() }, "parameter-range"),
        (Question { parameter: decimal("0.0000000001"), ..closed.clone() }, "too-fine"),
        (Question { delta: Some(decimal("1e-6")), ..closed.clone() }, "delta-unused"),
        (Question { delta: None, ..open.clone() }, "delta-missing"),
        (Question { marginals: true, ..open.clone() }, "marginals-open"),
        (Question { marginals: true, by: vec![open.by[0].clone(), closed.by[1].clone()], ..open.clone() }, "marginals-open"),
        (Question { delta: Some(Decimal::ZERO), ..open.clone() }, "delta-range"),
        (Question { delta: Some(decimal("0.01")), ..open.clone() }, "delta-range"),
    ] {
        let found = question.plan().err().map(|e| e.message().code);
        assert_eq!(found, Some(format!("anonymity-counts-{code}").as_str()));
    }
    assert!(open.plan().is_ok() && closed.plan().is_ok());
}

#[test]
fn the_report_and_its_page_say_everything_but_what_was_counted() {
    let text: String = (0..9_876).map(|n| format!("{n},F,n\n")).chain((0..54).map(|n| format!("m{n},M,s\n"))).collect();
    let question = Question { marginals: true, parameter: "0.05".parse().expect("a decimal"), ..question(true) };
    let (shown, plan) = made(&format!("{HEADER}{text}"), &question, 5);
    let budget = Budget::new("ward <3>", Unit::Epsilon, "2".parse().expect("a decimal"), Decimal::ZERO).expect("a budget");
    let asked = Spending {
        date: "2026-11-28".to_owned(),
        purpose: "yearly report".to_owned(),
        mechanism: question.mechanism,
        parameter: question.parameter,
        delta: Decimal::ZERO,
        question_sha256: "00".repeat(32),
    };
    let after = budget.spend(asked).expect("spent");
    let report = CountsReport::new(&question, &plan, &shown, &after, &after.entries()[0]);
    let json = serde_json::to_string(&report).expect("json");
    assert_eq!(serde_json::from_str::<CountsReport>(&json).expect("a report"), report);
    let mut csv = Vec::new();
    shown.write(&mut csv).expect("written");
    let csv = String::from_utf8(csv).expect("text");
    assert!(csv.starts_with("sex,area,row_kind,noisy_count,half_width_95\nF,n,cell,"), "{csv}");
    assert!(csv.contains("\nF,,total,") && csv.lines().count() == 1 + 6 + 5, "{csv}");
    let (ja, en) = (counts_html(&report, &shown, Lang::Ja), counts_html(&report, &shown, Lang::En));
    for page in [&ja, &en] {
        assert!(!page.contains("anonymity-") && !page.contains("<script") && !page.contains("http"), "one file, every text");
        assert!(!page.contains("ward <3>") && page.contains("1.95") && page.contains("yearly report"), "{page}");
        assert!(page.contains(&shown.cells[0].noisy.to_string()) && page.contains("1.05"), "exp(0.05)");
    }
    assert!(ja.contains("雑音を加えた統計表") && en.contains("table with noise"));
    let weak = CountsReport { epsilon: 3.5, ..report.clone() };
    assert!(!en.contains("protects single persons little"));
    assert!(counts_html(&weak, &shown, Lang::En).contains("protects single persons little"));
    // Rows, persons, a cell, and the cells of one column together: none of the true numbers is anywhere.
    for output in [&json, &csv, &ja, &en] {
        assert!(!["9876", "9930", "9,876", "9,930"].iter().any(|n| output.contains(n)), "{output}");
    }
}
