//! Changes to kept columns, against trying everything; their promises, and the verifier that sees them broken.

use std::collections::BTreeMap;

use anonymity::metrics::Metric;
use anonymity::micro::{Exchange, Transformed, Transforms, apply, mdav, mdav_sorted, optimal, rounded, sample, tails};
use anonymity::models::Models;
use anonymity::release::{Question, ReleaseReport, Used, answer, prepare, release_html};
use anonymity::search::Limits;
use anonymity::table::{Input, Roles, TableError, read};
use anonymity::verify::verify;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::release::{Dice, hierarchies};

fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|x| (x - mean) * (x - mean)).sum()
}

/// The least sum of squared deviations over every partition into groups of at least k, neighbours or not.
fn least(values: &[f64], k: usize) -> f64 {
    fn go(values: &[f64], k: usize, at: usize, groups: &mut Vec<Vec<f64>>) -> f64 {
        if at == values.len() {
            return if groups.iter().all(|g| g.len() >= k) { groups.iter().map(|g| deviation(g)).sum() } else { f64::INFINITY };
        }
        let mut best = f64::INFINITY;
        for group in 0..=groups.len() {
            if group == groups.len() {
                if (groups.len() + 1) * k > values.len() {
                    continue;
                }
                groups.push(Vec::new());
            }
            groups[group].push(values[at]);
            best = best.min(go(values, k, at + 1, groups));
            groups[group].pop();
            if groups[group].is_empty() {
                groups.pop();
            }
        }
        best
    }
    go(values, k, 0, &mut Vec::new())
}

fn sorted(dice: &mut Dice, n: u64, spread: u64) -> Vec<f64> {
    let mut values: Vec<f64> = (0..n).map(|_| dice.roll(spread) as f64 - 20.0).collect();
    values.sort_by(f64::total_cmp);
    values
}

#[test]
fn the_groups_of_one_column_lose_least_of_all_partitions() {
    let mut dice = Dice(61);
    for round in 0..60 {
        let (n, k) = (2 + dice.roll(8), 2 + round % 3);
        if n < k {
            continue;
        }
        let values = sorted(&mut dice, n, 12 + round);
        let groups = optimal(&values, k as usize);
        let loss: f64 = groups.iter().map(|g| deviation(&values[g.clone()])).sum();
        assert!((loss - least(&values, k as usize)).abs() < 1e-9, "{values:?} {k} {groups:?}");
    }
    for n in [11, 12] {
        let values = sorted(&mut dice, n, 90);
        let loss: f64 = optimal(&values, 4).iter().map(|g| deviation(&values[g.clone()])).sum();
        assert!((loss - least(&values, 4)).abs() < 1e-9);
    }
    // Far from zero the squares keep their digits.
    let far: Vec<f64> = sorted(&mut dice, 10, 9).iter().map(|x| x + 1e9).collect();
    let loss: f64 = optimal(&far, 3).iter().map(|g| deviation(&far[g.clone()])).sum();
    assert!((loss - least(&far, 3)).abs() < 1e-6);
}

#[test]
fn groups_have_at_least_k_records_each_once_and_one_column_goes_the_short_way_to_the_same() {
    let mut dice = Dice(67);
    for _ in 0..200 {
        let (n, k) = (1 + dice.roll(60), 1 + dice.roll(7) as usize);
        let values = sorted(&mut dice, n, 40);
        let points: Vec<Vec<f64>> = values.iter().map(|x| vec![*x]).collect();
        let whole = mdav(&points, k);
        let mut seen: Vec<usize> = whole.iter().flatten().copied().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..n as usize).collect::<Vec<_>>());
        assert!(whole.len() == 1 || whole.iter().all(|g| (k..2 * k.max(1)).contains(&g.len())), "{whole:?} {k}");
        let loss: f64 = whole.iter().map(|g| deviation(&g.iter().map(|at| values[*at]).collect::<Vec<_>>())).sum();
        let short: f64 = mdav_sorted(&values, k).iter().map(|g| deviation(&values[g.clone()])).sum();
        assert!((loss - short).abs() < 1e-9, "{values:?} {k}: {loss} {short}");
        let best: f64 = optimal(&values, k).iter().map(|g| deviation(&values[g.clone()])).sum();
        assert!(best <= loss + 1e-9);
        let wide: Vec<Vec<f64>> = values.iter().map(|x| vec![*x, dice.roll(9) as f64, dice.roll(3) as f64]).collect();
        let groups = mdav(&wide, k);
        assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), n as usize);
        assert!(groups.len() == 1 || groups.iter().all(|g| g.len() >= k));
    }
}

#[test]
fn mdav_takes_the_farthest_and_its_nearest() {
    // By hand: the centroid of 0, 1, 2, 10, 11, 12, 50 is 12.3; farthest is 50 with 12; from 50 farthest is 0 with 1; left are 2, 10, 11.
    let points: Vec<Vec<f64>> = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 50.0].iter().map(|x| vec![*x]).collect();
    assert_eq!(mdav(&points, 2), [vec![5, 6], vec![0, 1], vec![2, 3, 4]]);
}

#[test]
fn an_exchange_keeps_frequencies_and_the_rarest_value_stays_with_the_chance_asked_for() {
    let mut dice = Dice(71);
    for _ in 0..100 {
        let counts: Vec<u64> = (0..2 + dice.roll(6)).map(|_| 1 + dice.roll(50)).collect();
        let n = counts.iter().sum::<u64>() as f64;
        let share: Vec<f64> = counts.iter().map(|c| *c as f64 / n).collect();
        for stay in [0.0, 0.3, 0.9, 1.0] {
            let p = Exchange::new(&counts, stay).chances;
            for row in &p {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12 && row.iter().all(|x| *x >= -1e-12), "{row:?}");
            }
            for (to, t) in share.iter().enumerate() {
                let after: f64 = share.iter().zip(&p).map(|(t, row)| t * row[to]).sum();
                assert!((after - t).abs() < 1e-12, "{counts:?} {stay}");
            }
            let least = (0..p.len()).map(|i| p[i][i]).fold(1.0, f64::min);
            assert!((least - stay).abs() < 1e-12, "{counts:?} {stay} {least}");
        }
    }
    let (counts, mut rng) = ([600, 300, 100], ChaCha20Rng::seed_from_u64(5));
    let exchange = Exchange::new(&counts, 0.7);
    let mut drawn = [0u32; 3];
    for _ in 0..100_000 {
        drawn[exchange.draw(2, &mut rng)] += 1;
    }
    for (n, chance) in drawn.iter().zip(&exchange.chances[2]) {
        // Six standard deviations.
        assert!((f64::from(*n) - chance * 1e5).abs() < 6.0 * (1e5 * chance * (1.0 - chance)).sqrt(), "{drawn:?}");
    }
}

#[test]
fn bounds_are_reached_by_as_many_as_asked_for_and_lie_as_far_out_as_possible() {
    let mut dice = Dice(73);
    for _ in 0..300 {
        let (n, top, bottom) = (1 + dice.roll(30), 1 + dice.roll(8), 1 + dice.roll(8));
        let values: Vec<f64> = (0..n).map(|_| dice.roll(15) as f64).collect();
        let reach = |test: &dyn Fn(f64) -> bool| values.iter().filter(|v| test(**v)).count() as u64;
        match tails(&values, Some(top), Some(bottom)) {
            Some(ends) => {
                let (t, b) = (ends.top.expect("asked"), ends.bottom.expect("asked"));
                assert!(b < t && reach(&|v| v >= t) >= top && reach(&|v| v <= b) >= bottom);
                assert!(reach(&|v| v > t) < top && reach(&|v| v < b) < bottom, "no more is hidden than has to be");
            }
            None => {
                let bounds = |end| if n < end { None } else { Some(()) };
                let overlap = || {
                    let mut sorted = values.clone();
                    sorted.sort_by(f64::total_cmp);
                    sorted[bottom as usize - 1] >= sorted[(n - top) as usize]
                };
                assert!(bounds(top).is_none() || bounds(bottom).is_none() || overlap());
            }
        }
    }
    assert_eq!((rounded(12.5, 5.0), rounded(-2.5, 5.0), rounded(0.14, 0.1)), (15.0, 0.0, 0.1));
}

const KEPT: &[&str] = &["height", "income", "work"];

fn text(dice: &mut Dice, rows: u64) -> String {
    let mut text = String::from("sex;age;area;illness;height;income;work\n");
    for _ in 0..rows {
        let (sex, age, area) = (["F", "M"][dice.roll(2) as usize], dice.roll(6), ["a", "b"][dice.roll(2) as usize]);
        let (height, income) = (140 + dice.roll(60), dice.roll(40) * dice.roll(40));
        text.push_str(&format!(
            "{sex};{age};{area};{};{height};{income};{}\n",
            dice.roll(3),
            ["x", "y", "z"][dice.roll(3) as usize]
        ));
    }
    text
}

fn kept() -> Vec<String> {
    KEPT.iter().map(|c| (*c).to_owned()).collect()
}

fn input(text: &str) -> Input {
    let roles = Roles { sensitive: Some("illness".to_owned()), kept: kept(), ..Roles::default() };
    read(text.as_bytes(), "t.csv", None, &roles, hierarchies()).expect("a table")
}

fn question() -> Question {
    Question {
        models: Models::parse(&["k:4"]).expect("models"),
        metric: Metric::Loss,
        suppression: 0.1,
        population: None,
        population_table: None,
        sensitive_hierarchy: None,
    }
}

/// A release with transforms: report and output.
fn released(input: &Input, transforms: &[&str], seed: u64) -> Result<(ReleaseReport, String), TableError> {
    let (question, limits) = (question(), Limits { threads: 1, time: None });
    let transforms = Transforms::parse(transforms, &kept())?;
    let prepared = prepare(input, &question)?;
    let release = answer(input, &question, &prepared, prepared.search(limits), limits)?;
    let (rows, done) = release.transformed(&transforms, &mut ChaCha20Rng::seed_from_u64(seed))?;
    let report = ReleaseReport { transforms: done, ..release.report(Used::default()) };
    let mut out = Vec::new();
    release.write_rows(&rows, &mut out).expect("memory");
    Ok((report, String::from_utf8(out).expect("UTF-8")))
}

fn column(out: &str, at: usize) -> Vec<String> {
    out.lines().skip(1).map(|l| l.split(';').nth(at).expect("a cell").to_owned()).collect()
}

fn counted(cells: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for cell in cells {
        *counts.entry(cell.as_str()).or_default() += 1;
    }
    counts
}

#[test]
fn a_release_keeps_the_promises_of_its_transforms_and_the_verifier_sees_them_broken() {
    let mut dice = Dice(79);
    let input = input(&text(&mut dice, 400));
    let asked = ["height=microopt:5", "income=top:10:by:sex", "income=bottom:12:by:sex", "work=pram:0.8"];
    let (report, out) = released(&input, &asked, 1).expect("met");
    assert!(counted(&column(&out, 4)).values().all(|n| *n >= 5), "no height of fewer than five");
    let mut by_sex: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (sex, income) in column(&out, 0).into_iter().zip(column(&out, 5)) {
        *by_sex.entry((sex, income)).or_default() += 1;
    }
    let ends: Vec<_> = by_sex.iter().filter(|((_, income), _)| income.starts_with(">=") || income.starts_with("<=")).collect();
    assert!(!ends.is_empty() && ends.iter().all(|((_, income), n)| **n >= if income.starts_with(">=") { 10 } else { 12 }));
    let of = |at: usize| &report.transforms[at];
    assert!(of(0).sse_per_sst.is_some_and(|loss| loss > 0.0 && loss < 1.0) && of(0).smallest_group >= Some(5));
    assert_eq!(of(2).matrix.as_ref().expect("a matrix").values, ["x", "y", "z"]);
    let seen = verify(out.as_bytes(), "out", &report, None).expect("readable");
    assert!(seen.wrong.is_empty(), "{seen:?}");
    // A single height that is nobody else's; an income beyond its bound; work that the matrix does not know.
    let row = out.lines().nth(1).expect("a row");
    let with = |at: usize, cell: &str| {
        let mut cells: Vec<&str> = row.split(';').collect();
        cells[at] = cell;
        out.replacen(row, &cells.join(";"), 1)
    };
    for (at, cell) in [(4, "203"), (5, "99999"), (5, "-1"), (6, "w")] {
        let seen = verify(with(at, cell).as_bytes(), "out", &report, None).expect("readable");
        assert!(seen.wrong.iter().any(|w| report.transforms.iter().any(|t| t.written == w.claim)), "{at} {cell}: {seen:?}");
    }
    let (rounded, out) = released(&input, &["height=round:5", "income=micro:6"], 1).expect("met");
    assert!(column(&out, 4).iter().all(|h| h.parse::<u32>().expect("a number") % 5 == 0));
    assert!(verify(out.as_bytes(), "out", &rounded, None).expect("readable").wrong.is_empty());
    let uneven = out.replacen(";150;", ";151;", 1);
    assert!(!verify(uneven.as_bytes(), "out", &rounded, None).expect("readable").wrong.is_empty());
    for lang in [messages::Lang::Ja, messages::Lang::En] {
        assert!(release_html(&report, lang).contains("height=microopt:5") && !release_html(&report, lang).contains("anonymity-"));
    }
}

#[test]
fn what_is_counted_is_counted_among_those_who_are_in_the_release() {
    // The four tallest are suppressed: their heights bound nothing.
    let mut text = String::from("sex;age;area;illness;height;income;work\n");
    for n in 0..40 {
        text.push_str(&format!("F;1;a;1;{};5;x\n", 150 + n % 10));
    }
    for n in 0..4 {
        text.push_str(&format!("M;{};d;1;20{n};5;x\n", n));
    }
    let (report, out) = released(&input(&text), &["height=top:4"], 1).expect("met");
    assert_eq!(report.suppressed, 4);
    assert!(column(&out, 4).iter().filter(|h| h.starts_with(">=")).count() >= 4, "{out}");
    assert!(!out.contains("20"), "{out}");
    assert_eq!(report.transforms[0].bounds.len(), 1);
}

#[test]
fn several_columns_move_together_and_chance_is_the_callers() {
    let mut dice = Dice(83);
    let input = input(&text(&mut dice, 200));
    let (report, out) = released(&input, &["height+income=mdav:5", "work=pram:0.5"], 1).expect("met");
    let pairs: Vec<String> = column(&out, 4).into_iter().zip(column(&out, 5)).map(|(a, b)| format!("{a} {b}")).collect();
    assert!(counted(&pairs).values().all(|n| *n >= 5));
    assert!(verify(out.as_bytes(), "out", &report, None).expect("readable").wrong.is_empty());
    let again = released(&input, &["height+income=mdav:5", "work=pram:0.5"], 1).expect("met").1;
    let other = released(&input, &["height+income=mdav:5", "work=pram:0.5"], 2).expect("met").1;
    assert!(out == again && out != other);
    let rows: Vec<Vec<&str>> = out.lines().skip(1).map(|l| l.split(';').collect()).collect();
    assert!(rows.is_sorted(), "the order is that of the values");
}

#[test]
fn transforms_that_do_not_fit_are_refused_by_name_and_show_no_cell() {
    let mut dice = Dice(89);
    let table = text(&mut dice, 60);
    let code = |asked: &[&str]| released(&input(&table), asked, 1).map(|_| ()).expect_err("refused").code();
    for unknown in ["height", "height=", "height=blur:3", "height=micro:1", "height=round:0", "work=pram:1.2", "height=top:5:sex"]
    {
        assert_eq!(code(&[unknown]), "anonymity-transform-unknown", "{unknown}");
    }
    assert_eq!(code(&["age=round:5"]), "anonymity-transform-not-kept");
    assert_eq!(code(&["illness=pram:0.9"]), "anonymity-transform-not-kept");
    assert_eq!(code(&["height=round:5", "height=top:5"]), "anonymity-transform-twice");
    assert_eq!(code(&["height=top:5", "height=top:6"]), "anonymity-transform-twice");
    assert_eq!(code(&["height=top:5:by:work", "work=pram:0.9"]), "anonymity-transform-twice");
    assert_eq!(code(&["height=top:5:by:nothing"]), "anonymity-table-unknown-column");
    assert_eq!(code(&["work=micro:5"]), "anonymity-transform-number");
    assert_eq!(code(&["height=micro:500"]), "anonymity-transform-too-few");
    let rare = table.replacen(";x\n", ";KURU\n", 1);
    let refused = released(&input(&rare), &["work=pram:0.9"], 1).map(|_| ()).expect_err("refused");
    assert_eq!(refused, TableError::TransformRareValues { column: "work".into(), values: 1, least: 4 });
    for lang in [messages::Lang::Ja, messages::Lang::En] {
        assert!(!refused.message().text(lang).contains("KURU"));
    }
    // An empty cell stays empty where one column is meant, and is refused where several move together.
    let mut rows: Vec<Vec<String>> = (0..8).map(|n| vec![n.to_string(), (n * 2).to_string()]).collect();
    rows[3][0].clear();
    let columns = ["a".to_owned(), "b".to_owned()];
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut try_it = |asked: &str, rows: &mut Vec<Vec<String>>| {
        apply(&["a", "b"], rows, &Transforms::parse(&[asked], &columns).expect("written"), 1, &mut rng).map(|_| ())
    };
    assert_eq!(try_it("a=micro:3", &mut rows), Ok(()));
    assert!(rows[3][0].is_empty() && rows.iter().filter(|r| r[0].is_empty()).count() == 1);
    assert_eq!(try_it("a+b=mdav:3", &mut rows), Err(TableError::TransformNumber { column: "a".into() }));
}

/// Rows of one column after a transform, and what is said about it. `least`: records that the models want.
fn alone(asked: &str, values: &[&str], least: u64) -> Result<(Vec<String>, Transformed), TableError> {
    let mut rows: Vec<Vec<String>> = values.iter().map(|v| vec![(*v).to_owned()]).collect();
    let transforms = Transforms::parse(&[asked], &["a".to_owned()])?;
    let done = apply(&["a"], &mut rows, &transforms, least, &mut ChaCha20Rng::seed_from_u64(3))?;
    Ok((rows.into_iter().map(|mut row| row.remove(0)).collect(), done[0].clone()))
}

#[test]
fn a_value_of_one_or_two_is_never_named_whatever_the_models_ask_for() {
    for few in [1, 2] {
        let values: Vec<&str> = std::iter::repeat_n("x", 9).chain(std::iter::repeat_n("KURU", few)).collect();
        let refused = alone("a=pram:0.9", &values, 1).map(|_| ()).expect_err("refused");
        assert_eq!(refused, TableError::TransformRareValues { column: "a".into(), values: 1, least: 3 });
    }
    let values: Vec<&str> = std::iter::repeat_n("x", 9).chain(["y"; 3]).collect();
    assert!(alone("a=pram:0.9", &values, 1).is_ok());
    // A model that counts the population's persons wants as many of a value as of them.
    for (models, least) in
        [(&["su:0.5"][..], 1), (&["kmap:7", "k:4"], 7), (&["kmap:5:poisson:0.1", "dl:9"], 5), (&["ak:0.5:6"], 6)]
    {
        assert_eq!(Models::parse(models).expect("models").fewest(), least);
    }
}

#[test]
fn groups_and_ends_of_fewer_records_than_the_models_want_are_refused() {
    let values: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    for form in ["micro", "microopt", "mdav", "top", "bottom"] {
        for (count, least, floor) in [(4, 5, 5), (2, 1, 3)] {
            let text = format!("a={form}:{count}");
            let refused = alone(&text, &values, least).map(|_| ()).expect_err("refused");
            assert_eq!(refused, TableError::TransformBelow { text, least: floor });
        }
        assert!(alone(&format!("a={form}:5"), &values, 5).is_ok());
    }
    let mut dice = Dice(89);
    let refused = released(&input(&text(&mut dice, 60)), &["height=top:4", "height=bottom:3"], 1).map(|_| ()).expect_err("k:4");
    assert_eq!(refused.code(), "anonymity-transform-below");
}

#[test]
fn what_is_lost_is_told_with_three_digits_and_only_of_many() {
    let values: Vec<String> = (0..10).map(|n| (n * n).to_string()).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let lost = |asked: &str, values: &[&str]| alone(asked, values, 1).expect("done").1;
    let loss = lost("a=micro:5", &values).sse_per_sst.expect("told");
    // By hand: groups 0 … 16 and 25 … 81 lose 174 and 1,974 of 7,210.5.
    assert!((loss - 0.298).abs() < 1e-15, "{loss}");
    assert_eq!(lost("a=micro:4", &values[..9]).sse_per_sst, None, "of nine records");
    assert_eq!(lost("a=micro:10", &values).sse_per_sst, None, "of one group");
    assert_eq!(lost("a=round:1000", &values).sse_per_sst, None, "of one value");
    let json = serde_json::to_value(lost("a=micro:4", &values[..9])).expect("JSON");
    assert!(json["sse_per_sst"].is_null() && json.get("sse_per_sst").is_some() && json.get("sse").is_none(), "{json}");
}

#[test]
fn bounds_of_many_digits_are_those_that_are_written_and_hold_in_the_verifier() {
    let mut dice = Dice(127);
    let mut longer = 0;
    for _ in 0..300 {
        let sign = ["", "-"][dice.roll(2) as usize];
        let numbers: Vec<f64> = (0..30)
            .map(|_| {
                format!("{sign}{}.{:09}{:08}", dice.roll(100_000), dice.roll(1_000_000_000), dice.roll(100_000_000))
                    .parse()
                    .expect("a number")
            })
            .collect();
        let texts: Vec<String> = numbers.iter().map(f64::to_string).collect();
        let cells: Vec<&str> = texts.iter().map(String::as_str).collect();
        for (asked, top) in [("a=top:4", true), ("a=bottom:4", false)] {
            let (rows, done) = alone(asked, &cells, 1).expect("done");
            let exact = tails(&numbers, Some(4), Some(4)).expect("ends");
            let (bound, exact) = if top { (done.bounds[0].top, exact.top) } else { (done.bounds[0].bottom, exact.bottom) };
            let (bound, exact) = (bound.expect("asked"), exact.expect("asked"));
            assert!(if top { bound <= exact } else { bound >= exact }, "{bound} {exact}");
            assert!((bound - exact).abs() <= exact.abs() * 1e-10, "{bound} {exact}");
            longer += u32::from(bound != exact);
            for (row, number) in rows.iter().zip(&numbers) {
                let end = row.strip_prefix(if top { ">=" } else { "<=" });
                assert_eq!(end.is_some(), if top { *number >= bound } else { *number <= bound });
                assert!(end.is_none_or(|end| end.parse() == Ok(bound)), "{row} {bound}");
            }
        }
    }
    assert!(longer > 500, "{longer}");
    let mut table = String::from("sex;age;area;illness;height;income;work\n");
    for n in 0..60 {
        table.push_str(&format!("F;1;a;1;{};5;x\n", 150.0 + f64::from(n) / 7.0));
    }
    let (report, out) = released(&input(&table), &["height=top:5", "height=bottom:6"], 1).expect("met");
    let seen = verify(out.as_bytes(), "out", &report, None).expect("readable");
    assert!(seen.wrong.is_empty(), "{seen:?}");
}

#[test]
fn a_sample_keeps_records_by_chance_and_forgets_what_nobody_has_any_more() {
    let mut dice = Dice(97);
    let all = input(&text(&mut dice, 2_000));
    let of = |share: f64, seed: u64| sample(input(&text(&mut Dice(97), 2_000)), share, &mut ChaCha20Rng::seed_from_u64(seed));
    let half = of(0.5, 1).expect("some");
    // Six standard deviations of 2,000 coins.
    assert!((half.rows as f64 - 1_000.0).abs() < 6.0 * 500f64.sqrt(), "{}", half.rows);
    assert_eq!(half.counts.iter().map(|c| u64::from(*c)).sum::<u64>(), half.rows);
    assert_ne!(half.rows, of(0.5, 2).expect("some").rows);
    assert_eq!(of(1.0, 1).expect("all").rows, all.rows);
    let few = of(0.01, 3).expect("some");
    for column in few.columns.iter().filter(|c| c.hierarchy.is_none()) {
        let all = all.columns.iter().find(|c| c.name == column.name).expect("the column");
        assert!(column.values.len() <= few.rows as usize && column.values.iter().all(|v| all.values.contains(v)));
    }
    for bad in [0.0, -0.5, 1.5, f64::NAN] {
        assert_eq!(of(bad, 1).map(|_| ()).map_err(|e| e.code()), Err("anonymity-sample-range"));
    }
}
