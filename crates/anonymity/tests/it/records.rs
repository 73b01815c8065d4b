//! Risks by record: special uniques against looking at every set of columns, individual risk, overall risk.

use anonymity::risk::assess::{Asked, assess};
use anonymity::risk::attempts::Attempts;
use anonymity::risk::measure::{classes, individual, weighted_classes};
use anonymity::risk::suda::{dis_suda, minimal_uniques, score, special_uniques};
use anonymity::table::TableError;

use super::release::Dice;

/// Sets of columns by which a row is alone, and by no part of which it is: every set is looked at.
fn by_hand(columns: &[Vec<u32>], counts: &[u64], most: usize) -> Vec<Vec<u128>> {
    let alone = |row: usize, set: u128| {
        let same = |other: usize| (0..columns.len()).all(|c| set >> c & 1 == 0 || columns[c][other] == columns[c][row]);
        (0..counts.len()).filter(|other| same(*other)).map(|other| counts[other]).sum::<u64>() == 1
    };
    let sets: Vec<u128> = (0..1u128 << columns.len()).collect();
    let minimal = |row: usize, set: u128| {
        alone(row, set) && (0..columns.len()).filter(|c| set >> c & 1 == 1).all(|c| !alone(row, set & !(1 << c)))
    };
    let of = |row: usize| {
        let small = sets.iter().copied().filter(|s| (1..=most as u32).contains(&s.count_ones()));
        small.filter(|set| minimal(row, *set)).collect()
    };
    (0..counts.len()).map(of).collect()
}

/// Distinct rows with counts, codes without gaps.
fn random(dice: &mut Dice, rows: u64, width: usize) -> (Vec<Vec<u32>>, Vec<u64>) {
    let mut distinct = std::collections::BTreeMap::new();
    for _ in 0..rows {
        let row: Vec<u64> = (0..width).map(|c| dice.roll(2 + c as u64).min(dice.roll(3 + c as u64))).collect();
        *distinct.entry(row).or_insert(0u64) += 1;
    }
    let column = |c: usize| {
        let mut values: Vec<u64> = distinct.keys().map(|r| r[c]).collect();
        values.sort_unstable();
        values.dedup();
        distinct.keys().map(|r| values.binary_search(&r[c]).expect("a value") as u32).collect()
    };
    ((0..width).map(column).collect(), distinct.values().copied().collect())
}

#[test]
fn special_uniques_are_those_that_looking_at_every_set_finds() {
    let mut dice = Dice(53);
    let (mut found, mut large) = (0, 0);
    for round in 0..150 {
        let (rows, width) = (1 + dice.roll(60), 1 + dice.roll(7) as usize);
        let (columns, counts) = random(&mut dice, rows, width);
        let most = 1 + round % 5;
        let fast = minimal_uniques(&columns, &counts, most);
        for (mut one, naive) in fast.into_iter().map(|m| m.sets).zip(by_hand(&columns, &counts, most)) {
            one.sort_unstable();
            let mut naive = naive;
            naive.sort_unstable();
            // The empty set is no set of columns: a table of one record has none.
            if counts.iter().sum::<u64>() > 1 {
                assert_eq!(one, naive, "{rows} {width} {most}");
            }
            found += one.len();
            large += one.iter().filter(|s| s.count_ones() >= 3).count();
        }
    }
    assert!(found > 2_000 && large > 300, "{found} {large}");
}

fn table(rows: &[&str]) -> String {
    std::iter::once("sex;age;area").chain(rows.iter().copied()).map(|r| format!("{r}\n")).collect()
}

fn names() -> Vec<String> {
    ["sex", "age", "area"].map(str::to_owned).to_vec()
}

#[test]
fn scores_and_numbers_are_those_of_the_definitions() {
    // The only M is alone by sex; F 2 b by age, and by no other single column; F 1 c by area.
    let text = table(&["F;1;a", "F;1;a", "F;1;b", "F;2;b", "F;1;c", "M;1;a"]);
    let sample = classes(text.as_bytes(), "t", None, &names()).expect("classes");
    let found = special_uniques(&sample, &names(), 3, Some(0.5), 0.3).expect("found");
    // F;1;b: by age and area together alone.
    assert_eq!((found.minimal_uniques.clone(), found.records, found.uniques_without), (vec![3, 1, 0], 4, 0));
    assert_eq!(found.columns, [("sex", 1), ("age", 2), ("area", 2)].map(|(n, c)| (n.to_owned(), c)).into());
    assert_eq!((score(1, 3, 3), score(2, 3, 3), score(3, 3, 3)), (2.0, 1.0, 1.0));
    assert!((found.score_most - 2.0).abs() < 1e-12 && (found.score_average - 7.0 / 4.0).abs() < 1e-12);
    // c1 = 4, c2 = 1, π = ½: 2 / (2 + 1).
    assert!((found.dis.expect("known") - 2.0 / 3.0).abs() < 1e-12);
    let none = special_uniques(&sample, &names(), 3, None, 0.3).expect("found");
    assert_eq!((none.dis, none.dis_most, none.dis_at_risk), (None, None, None));
    // Equal scores have the chance of all; a higher score has a higher one, and 1/odds on average stay.
    for chance in dis_suda(&[3.0, 3.0], 0.2) {
        assert!((chance - 0.2).abs() < 1e-12);
    }
    let chances = dis_suda(&[1.0, 2.0, 8.0], 0.2);
    assert!(chances.windows(2).all(|w| w[0] < w[1]) && chances.iter().all(|c| *c > 0.0 && *c < 1.0));
    let inverse: f64 = chances.iter().map(|c| (1.0 - c) / c).sum::<f64>() / 3.0;
    assert!((inverse - 4.0).abs() < 1e-12);
    let wide: Vec<String> = (0..129).map(|n| n.to_string()).collect();
    assert_eq!(
        special_uniques(&sample, &wide, 3, None, 0.3).map(|_| ()).map_err(|e| e.code()),
        Err("anonymity-too-many-for-sets")
    );
}

#[test]
fn somebody_who_becomes_special_is_seen() {
    let mut rows = vec!["F;1;a"; 10];
    rows.extend(["M;2;b"; 10]);
    let of = |rows: &[&str]| {
        let sample = classes(table(rows).as_bytes(), "t", None, &names()).expect("classes");
        special_uniques(&sample, &names(), 3, None, 0.3).expect("found").records
    };
    assert_eq!(of(&rows), 0);
    rows.push("F;2;b");
    assert_eq!(of(&rows), 1);
}

#[test]
fn individual_risk_goes_by_the_weights_of_each_class() {
    let text = "sex;age;area;w\nF;1;a;10\nF;1;a;30\nM;2;b;4\nM;3;c;1\n*;*;*;50\n";
    let weight = "w".to_owned();
    let (sample, weights) = weighted_classes(text.as_bytes(), "t", None, &names(), Some(&weight)).expect("classes");
    let asked = Asked { weights: weights.as_ref(), threshold: 0.2, ..Asked::default() };
    let found = assess(&sample, &names(), &asked).expect("assessed");
    let known = found.individual.expect("weighted");
    let risks = [individual(2, 2.0 / 40.0), individual(1, 0.25), 1.0];
    let expected = 2.0 * risks[0] + risks[1] + risks[2];
    assert!((known.expected - expected).abs() < 1e-12 && (known.average - expected / 4.0).abs() < 1e-12);
    assert_eq!((known.by, known.most, known.at_risk), ("weights", 1.0, 0.5));
    // The same weight for everybody is the population's size.
    let even = text.replace(";10", ";2").replace(";30", ";2").replace(";4\n", ";2\n").replace(";1\n", ";2\n");
    let (sample, weights) = weighted_classes(even.as_bytes(), "t", None, &names(), Some(&weight)).expect("classes");
    let by = |asked: Asked<'_>| assess(&sample, &names(), &asked).expect("assessed").individual.expect("known");
    let weighted = by(Asked { weights: weights.as_ref(), threshold: 0.2, ..Asked::default() });
    let sized = by(Asked { size: Some(8), threshold: 0.2, ..Asked::default() });
    assert!((weighted.expected - sized.expected).abs() < 1e-12 && (weighted.most - sized.most).abs() < 1e-12);
    for bad in ["x", "0", "-1", "", "inf"] {
        let text = format!("sex;age;area;w\nF;1;a;{bad}\n");
        let refused = weighted_classes(text.as_bytes(), "t", None, &names(), Some(&weight)).map(|_| ());
        assert_eq!(refused, Err(TableError::WeightUnusable { column: "w".into(), line: 2 }), "{bad}");
    }
}

#[test]
fn overall_risk_is_attempt_times_success_and_the_greatest_counts() {
    let text = table(&["F;1;a", "F;1;a", "F;1;a", "F;1;a", "M;2;b", "M;2;b"]);
    let sample = classes(text.as_bytes(), "t", None, &names()).expect("classes");
    let attempts = Attempts { deliberate: Some(0.1), prevalence: Some(0.01), breach: Some(0.27) };
    let asked = Asked { threshold: 0.3, attempts, ..Asked::default() };
    let found = assess(&sample, &names(), &asked).expect("assessed").overall.expect("known");
    let known = 1.0 - 0.99f64.powi(150);
    assert!((found.inadvertent.expect("known").attempt - known).abs() < 1e-12);
    assert!((found.deliberate.expect("known").most - 0.05).abs() < 1e-12);
    assert!((found.breach.expect("known").average - 0.27 / 3.0).abs() < 1e-12);
    assert!((found.most - known / 2.0).abs() < 1e-12 && (found.average - known / 3.0).abs() < 1e-12);
    assert_eq!(found.success, "prosecutor");
    // known · ½ = 0.389 is above 0.3, known · ¼ is not.
    assert!((found.at_risk - 2.0 / 6.0).abs() < 1e-12);
    let everybody = classes(format!("{text}M;2;b\nM;2;b\n").as_bytes(), "p", None, &names()).expect("classes");
    let found = assess(&sample, &names(), &Asked { table: Some(&everybody), ..asked }).expect("assessed").overall.expect("known");
    assert_eq!((found.success, found.at_risk), ("journalist", 0.0));
    assert_eq!(assess(&sample, &names(), &Asked::default()).expect("assessed").overall, None);
    for bad in [1.5, -0.1, f64::NAN] {
        let attempts = Attempts { prevalence: Some(bad), ..Attempts::default() };
        let refused = assess(&sample, &names(), &Asked { attempts, ..Asked::default() }).map(|_| ());
        assert_eq!(refused, Err(TableError::ChanceRange { option: "--prevalence" }));
    }
}

#[test]
fn what_is_said_of_records_holds_no_value_of_one() {
    let text = "sex;age;area\nKURU;1;a\nF;1;a\nF;1;a\n";
    let sample = classes(text.as_bytes(), "t", None, &names()).expect("classes");
    let asked = Asked { size: Some(1_000), threshold: 0.1, sets: 3, ..Asked::default() };
    let json = serde_json::to_string(&assess(&sample, &names(), &asked).expect("assessed")).expect("JSON");
    assert!(json.contains("special_uniques") && !json.contains("KURU"), "{json}");
    let nobody = assess(&sample, &names(), &Asked { threshold: 1.0, ..asked }).expect("assessed");
    assert!(!serde_json::to_string(&nobody).expect("JSON").contains("-0.0"), "nobody at risk is none");
}
