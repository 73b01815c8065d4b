//! Learning and clustering as one would write them without thinking of time: every pair by itself, clusters as plain sets.

use std::collections::BTreeSet;

use bolero::TypeGenerator;

use crate::clusters::{Clusters, contradict};
use crate::em::{self, Case};
use crate::engine::{Scored, cases};
use crate::forms::Forms;
use crate::levels::{Levels, birth, card, gap, home, name, phone, sex};
use crate::model::{Model, Strangers, Tally};
use crate::normalise::{Normaliser, Raw};
use crate::prior;
use crate::row::Row;
use crate::supervision::Words;
use crate::table::renumber;

fn levels(b: &[u8; 9]) -> Levels {
    let pick = |at: usize, of: usize| b[at] % of as u8;
    Levels {
        given: pick(0, name::COUNT),
        family: pick(1, name::SWAPPED as usize),
        birth: pick(2, birth::COUNT),
        sex: pick(3, sex::COUNT),
        card: pick(4, card::COUNT),
        home: pick(5, home::COUNT),
        phone: pick(6, phone::COUNT),
        one_place: pick(7, 2),
        gap: pick(8, gap::COUNT),
        namesakes: b[8] >> 7,
        birth_errors: b[7] >> 6,
        sex_errors: b[6] >> 6,
    }
}

#[test]
fn patterns_unpack_to_what_was_packed() {
    bolero::check!().with_type::<[u8; 9]>().for_each(|bytes| {
        assert_eq!(levels(bytes).pack().levels(), levels(bytes));
    });
}

#[test]
fn learning_from_counted_patterns_is_learning_from_every_pair() {
    bolero::check!().with_type::<Vec<([u8; 9], u8)>>().for_each(|pairs| {
        let pairs: Vec<(Levels, u8)> = pairs.iter().map(|(b, steps)| (levels(b), steps % 160)).collect();
        let scored =
            |(at, (l, steps)): (usize, &(Levels, u8))| Scored { left: 0, right: at as u32, pattern: l.pack(), steps: *steps };
        let all: Vec<Scored> = pairs.iter().enumerate().map(scored).collect();
        let strangers = Strangers::measure(&[], 100);
        let model = em::train(&cases(&all), strangers, 100, &Words::default());

        // one more round, pair by pair, in probabilities instead of logarithms
        let next = em::step(&cases(&all), &model, &Words::default());
        let (mut person, mut expected) = (Tally::new(), 0.0);
        for (l, steps) in &pairs {
            let p = model.scorer().classes(l.pack(), *steps);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            person.add(l, p[0]);
            expected += p[0];
        }
        let naive = person.class(&prior::person(), 30.0);
        for (fast, slow) in next.person.birth.iter().zip(&naive.birth).chain(next.person.phone.iter().zip(&naive.phone)) {
            assert!((fast - slow).abs() < 1e-9);
        }
        assert!((next.pairs[0] - expected.max(1.0)).abs() < 1e-6);
        for table in [&next.person.state, &next.person.birth, &next.person.sex, &next.household.state] {
            assert!((table.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{table:?}");
        }
        let total: u32 = cases(&all).iter().map(|c: &Case| c.pairs).sum();
        assert_eq!(total as usize, pairs.len());
    });
}

#[test]
fn the_odds_are_those_of_the_probability_and_go_on_where_it_ends() {
    let model = em::train(&[], Strangers::measure(&[], 100), 100, &Words::default());
    bolero::check!().with_type::<([u8; 9], u8)>().for_each(|(bytes, steps)| {
        let pattern = levels(bytes).pack();
        let (p, odds) = (model.scorer().classes(pattern, *steps)[0], model.scorer().log_odds(pattern, *steps));
        assert!((p - 1.0 / (1.0 + (-odds).exp())).abs() < 1e-9);
    });
    let same = |sex| Levels { given: name::BOTH, family: name::BOTH, birth: birth::SAME, sex, ..Levels::default() };
    let (strong, stronger) = (same(sex::MISSING).pack(), same(sex::SAME).pack());
    let model = Model { pairs: [1.0, 1e-9, 1.0], ..model };
    let sure = |pattern| model.scorer().classes(pattern, 160)[0] as f32;
    assert!(sure(strong) == 1.0 && sure(stronger) == 1.0, "no probability tells them apart");
    assert!(model.scorer().log_odds(strong, 160) < model.scorer().log_odds(stronger, 160));
}

#[derive(Debug, Clone, TypeGenerator)]
struct Person {
    family: u8,
    given: u8,
    birth: u8,
    sex: u8,
}

const FAMILIES: [[&str; 2]; 4] = [["斎藤", "サイトウ"], ["渡辺", "ワタナベ"], ["", "ワタナヘ"], ["大野", "オオノ"]];
const GIVENS: [[&str; 2]; 7] = [
    ["翔太", "ショウタ"],
    ["", "ショウタ"],
    ["裕子", "ユウコ"],
    ["裕子", "ヒロコ"],
    ["祐子", "ユウコ"],
    ["花子ベビー", "ハナコベビー"],
    ["明美", "アケミ"],
];

fn rows(people: &[Person]) -> (Vec<Row>, Forms) {
    let mut normaliser = Normaliser::new();
    let one = |p: &Person| {
        let (family, given) = (FAMILIES[usize::from(p.family) % 4], GIVENS[usize::from(p.given) % 7]);
        normaliser.row(&Raw {
            family: family[0],
            given: given[0],
            family_kana: family[1],
            given_kana: given[1],
            birth: [None, Some(3_000), Some(3_001), Some(9_999)][usize::from(p.birth) % 4],
            sex: p.sex % 3,
            ..Raw::default()
        })
    };
    let mut rows: Vec<Row> = people.iter().map(one).collect();
    let (forms, numbers) = Forms::sorted(&[normaliser.into_forms()]);
    rows.iter_mut().for_each(|r| renumber(r, &numbers[0]));
    (rows, forms)
}

#[test]
fn clusters_are_those_of_plain_sets() {
    type Input = (Vec<Person>, Vec<[u8; 2]>, Vec<[u8; 2]>);
    bolero::check!().with_type::<Input>().for_each(|(people, edges, apart)| {
        let people = &people[..people.len().min(14)];
        if people.is_empty() {
            return;
        }
        let (rows, forms) = rows(people);
        let place = |b: u8| u32::from(b) % rows.len() as u32;
        let apart: Vec<(u32, u32)> = apart.iter().map(|e| (place(e[0]), place(e[1]))).filter(|(a, b)| a != b).take(4).collect();
        let mut fast = Clusters::new(&rows, &forms);
        apart.iter().for_each(|(a, b)| fast.forbid(*a, *b));
        let mut slow: Vec<BTreeSet<u32>> = (0..rows.len() as u32).map(|at| BTreeSet::from([at])).collect();
        for edge in edges {
            let (a, b) = (place(edge[0]), place(edge[1]));
            fast.join_if_consistent(a, b);
            let of = |at: u32| slow.iter().find(|s| s.contains(&at)).cloned().unwrap_or_default();
            let (one, other) = (of(a), of(b));
            let forbidden =
                apart.iter().any(|(x, y)| (one.contains(x) && other.contains(y)) || (one.contains(y) && other.contains(x)));
            let identity = |at: &u32| {
                let r = &rows[*at as usize];
                (r.fk, r.gk, r.fy, r.gy, r.birth, r.sex)
            };
            let stranger = |at: &u32, side: &BTreeSet<u32>| side.iter().all(|s| identity(s) != identity(at));
            let clash = one.iter().filter(|x| stranger(x, &other)).any(|x| {
                other.iter().filter(|y| stranger(y, &one)).any(|y| contradict(&rows[*x as usize], &rows[*y as usize], &forms))
            });
            if one != other && !forbidden && !clash {
                slow.retain(|s| *s != one && *s != other);
                slow.push(one.union(&other).copied().collect());
            }
        }
        for set in slow {
            let first = *set.iter().next().expect("a member");
            let members: BTreeSet<u32> = (0..rows.len() as u32).filter(|at| fast.together(first, *at)).collect();
            assert_eq!(members, set);
        }
    });
}
