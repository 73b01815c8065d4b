//! The fast ways against naive ones.

use std::collections::{BTreeMap, BTreeSet};

use anonymity::classes::decide;
use anonymity::profile::Rollup;
use anonymity::treat::OTHER;
use anonymity::treat::codes::{Rule, treat};
use anonymity::treat::numbers::extremes;
use arrow::array::{Array, AsArray, StringArray};

/// What leaves for each person, by going through everybody again and again.
fn naive_decision(keys: &[Vec<u32>], k: u32) -> Vec<Option<usize>> {
    let persons = keys.first().map_or(0, Vec::len);
    let mut steps: Vec<Option<usize>> = vec![None; persons];
    for (step, now) in keys.iter().enumerate() {
        let leaves = |p: usize, steps: &[Option<usize>]| steps[p].map_or(now[p], |s| keys[s][p]);
        let sizes: Vec<u32> =
            (0..persons).map(|p| (0..persons).filter(|q| leaves(*q, &steps) == now[p]).count() as u32).collect();
        for p in 0..persons {
            if steps[p].is_none() && sizes[p] >= k {
                steps[p] = Some(step);
            }
        }
    }
    steps
}

// control: PRC-02
#[test]
fn classes_agree_with_a_naive_count_and_none_that_leaves_is_below_k() {
    bolero::check!().with_type::<(Vec<(u8, u8, u8)>, u8)>().for_each(|(people, k)| {
        let k = u32::from(k % 5) + 1;
        let people = &people[..people.len().min(60)];
        // Sex, year and month; without the month; without month and with the decade.
        let month = |p: &(u8, u8, u8)| 1 + u32::from(p.2 % 4);
        let year = |p: &(u8, u8, u8)| u32::from(p.1 % 20);
        let keys = vec![
            people.iter().map(|p| u32::from(p.0 % 2) * 10_000 + year(p) * 100 + month(p)).collect(),
            people.iter().map(|p| u32::from(p.0 % 2) * 10_000 + year(p) * 100).collect(),
            people.iter().map(|p| u32::from(p.0 % 2) * 10_000 + year(p) / 10 * 1_000).collect::<Vec<u32>>(),
        ];
        let decision = decide(&keys, k);
        assert_eq!(decision.steps, naive_decision(&keys, k));
        let mut classes: BTreeMap<u32, u32> = BTreeMap::new();
        for (person, step) in decision.steps.iter().enumerate() {
            if let Some(step) = step {
                *classes.entry(keys[*step][person]).or_default() += 1;
            }
        }
        assert!(classes.values().all(|size| *size >= k));
    });
}

fn persons_with(codes: &[(String, u32)], code: &str) -> usize {
    codes.iter().filter(|(c, _)| c == code).map(|(_, p)| p).collect::<BTreeSet<_>>().len()
}

// control: PRC-03
#[test]
fn rare_codes_agree_with_a_naive_count_in_persons() {
    bolero::check!().with_type::<(Vec<(u8, u8)>, u8)>().for_each(|(pairs, rare)| {
        let rare = u32::from(rare % 5) + 1;
        let rows: Vec<(String, u32)> =
            pairs.iter().take(80).map(|(c, p)| (format!("I10:A{}{}", c % 3, c / 3 % 3), u32::from(p % 8))).collect();
        let column: StringArray = rows.iter().map(|(c, _)| Some(c.as_str())).collect();
        let persons: Vec<u32> = rows.iter().map(|(_, p)| *p).collect();
        let rollup = [Rollup { system: "I10".into(), lengths: vec![2] }];
        let flat = treat(&column, &persons, &Rule { rollup: &[], rare: Some(rare), local: true, systems: &[] });
        let stepped = treat(&column, &persons, &Rule { rollup: &rollup, rare: Some(rare), local: true, systems: &[] });

        // Naive: what is rare itself is cut; what is still rare after that is gone.
        let enough = |rows: &[(String, u32)], c: &str| persons_with(rows, c) >= rare as usize;
        let cut: Vec<(String, u32)> =
            rows.iter().map(|(c, p)| (if enough(&rows, c) { c.clone() } else { c[..6].to_owned() }, *p)).collect();
        for (row, (code, _)) in rows.iter().enumerate() {
            let want = if enough(&rows, code) { code } else { OTHER };
            assert_eq!(flat.array.as_string::<i32>().value(row), want);
            let (short, _) = &cut[row];
            let want = if enough(&cut, short) { short } else { OTHER };
            assert_eq!(stepped.array.as_string::<i32>().value(row), want);
        }
    });
}

#[test]
fn local_codes_and_words_never_leave_as_codes() {
    let column = StringArray::from(vec![
        Some("99ZL01:ALB"),
        Some("L:12"),
        Some("l:12"),
        Some("膵島細胞腫 山田太郎"),
        Some("MDCDX2:胃炎"),
        Some("3A010000002327101"),
        Some("99"),
        None,
        Some(""),
    ]);
    let rule = Rule { rollup: &[], rare: None, local: true, systems: &[] };
    let out = treat(&column, &[0; 9], &rule).array;
    let out = out.as_string::<i32>();
    let shown: Vec<Option<&str>> = (0..9).map(|n| out.is_valid(n).then(|| out.value(n))).collect();
    assert_eq!(shown[..5], [Some(OTHER); 5]);
    assert_eq!(shown[5..], [Some("3A010000002327101"), Some("99"), None, None]);
    let only = ["MDCDX2".to_owned()];
    let rule = Rule { rollup: &[], rare: None, local: true, systems: &only };
    let out = treat(&column, &[0; 9], &rule).array;
    assert_eq!(out.as_string::<i32>().value(5), OTHER, "a system that is not kept");
}

// control: PRC-03
#[test]
fn beyond_a_shown_bound_there_are_always_enough_persons() {
    bolero::check!().with_type::<(Vec<(u8, i8)>, u8)>().for_each(|(pairs, k)| {
        let k = u32::from(k % 6) + 1;
        let values: Vec<(u32, f64)> = pairs.iter().take(60).map(|(p, v)| (u32::from(p % 12), f64::from(*v))).collect();
        let everybody: BTreeSet<u32> = values.iter().map(|(p, _)| *p).collect();
        let reach =
            |test: &dyn Fn(f64) -> bool| values.iter().filter(|(_, v)| test(*v)).map(|(p, _)| *p).collect::<BTreeSet<_>>().len();
        let Some((low, high)) = extremes(&values, k) else {
            assert!(everybody.len() < k as usize);
            return;
        };
        let most = values.iter().map(|(_, v)| *v).fold(f64::MIN, f64::max);
        let least = values.iter().map(|(_, v)| *v).fold(f64::MAX, f64::min);
        match high {
            Some(high) => {
                assert!(reach(&|v| v >= high) >= k as usize);
                assert!(reach(&|v| v > high) < k as usize, "no more is hidden than has to be");
            }
            None => assert!(reach(&|v| v >= most) >= k as usize),
        }
        match low {
            Some(low) => {
                assert!(reach(&|v| v <= low) >= k as usize);
                assert!(reach(&|v| v < low) < k as usize);
            }
            None => assert!(reach(&|v| v <= least) >= k as usize),
        }
    });
}
