//! What releases tell together, against counting person by person.

use std::collections::{BTreeMap, BTreeSet};

use anonymity::joint::{Joint, Release, joint};
use anonymity::recount::recount;
use anonymity::{PersonIds, Processed, Profile, process_and_tell};
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::build::{Row, V, dataset, rows};

fn release(classes: &[(i64, u32)]) -> Release<i64> {
    let mut out = Release::default();
    for (person, class) in classes {
        *out.sizes.entry(*class).or_default() += 1;
        out.of.entry(*person).or_insert_with(BTreeSet::new).insert(*class);
    }
    out
}

/// Every person against every other.
fn naive(new: &BTreeMap<i64, u32>, others: &[BTreeMap<i64, u32>], k: usize) -> Joint {
    let alike = |p: &i64, q: &i64| new[p] == new[q] && others.iter().all(|o| o.get(p) == o.get(q));
    let known = |p: &i64| others.iter().any(|o| o.contains_key(p));
    let beside: Vec<(bool, usize)> = new.keys().map(|p| (known(p), new.keys().filter(|q| alike(p, q)).count())).collect();
    let few = |both: bool| beside.iter().filter(|(b, n)| *b == both && *n < k).count() as u64;
    let in_both = beside.iter().filter(|(b, _)| *b).count() as u64;
    let gone = |o: &BTreeMap<i64, u32>| {
        let missing = |class: u32| o.iter().filter(|(p, c)| **c == class && !new.contains_key(p)).count();
        let touched = o.keys().any(|p| new.contains_key(p));
        o.iter().filter(|(p, c)| touched && !new.contains_key(p) && missing(**c) < k).count() as u64
    };
    Joint {
        releases: others.len() as u64,
        in_both,
        few: few(true),
        smallest: beside.iter().filter(|(b, _)| *b).map(|(_, n)| *n as u64).min(),
        few_new: if in_both == 0 { 0 } else { few(false) },
        few_gone: if in_both == 0 { 0 } else { others.iter().map(gone).sum() },
    }
}

// control: PRC-05
#[test]
fn persons_of_small_intersections_are_counted_as_one_by_one() {
    let mut rng = ChaCha20Rng::seed_from_u64(29);
    let mut small = 0;
    for _ in 0..400 {
        let mut one = || -> BTreeMap<i64, u32> {
            let mut below = |n: u32| rng.next_u32() % n;
            let (from, to, classes) = (below(10), 10 + below(30), 1 + below(3));
            let all: Vec<(i64, u32, u32)> = (from..to).map(|p| (i64::from(p), below(classes), below(10))).collect();
            all.into_iter().filter(|(_, _, dice)| *dice > 0).map(|(person, class, _)| (person, class)).collect()
        };
        let (new, others) = (one(), vec![one(), one()]);
        for others in [&others[..0], &others[..1], &others[..]] {
            let releases: Vec<_> = others.iter().map(|o| release(&o.iter().map(|(p, c)| (*p, *c)).collect::<Vec<_>>())).collect();
            let found = joint(&new, &releases, 4);
            assert_eq!(found, naive(&new, others, 4));
            small += found.few;
        }
    }
    assert!(small > 100);
}

#[test]
fn the_same_classes_again_tell_nothing_and_other_borders_do() {
    let by = |width: i64| (0..100).map(|p| (p, u32::try_from(p / width).expect("small"))).collect::<Vec<_>>();
    let new: BTreeMap<i64, u32> = by(20).into_iter().collect();
    assert_eq!(joint(&new, &[release(&by(20))], 10), Joint { releases: 1, in_both: 100, smallest: Some(20), ..Joint::default() });
    // Bands of 20 and of 25: who is from 20 to 24 in the one stands with four others in both.
    let found = joint(&new, &[release(&by(25))], 10);
    assert_eq!((found.smallest, found.few), (Some(5), 10));
    // Whoever was erased since is known to nobody, and counts as one who is gone.
    let mut erased = release(&by(20));
    erased.of.remove(&7);
    let without: BTreeMap<i64, u32> = new.iter().filter(|(p, _)| **p != 7).map(|(p, c)| (*p, *c)).collect();
    assert_eq!(joint(&without, &[erased], 10).few_gone, 1);
}

// control: PRC-05
#[test]
fn the_classes_that_are_told_are_those_of_the_output() {
    let profile = include_str!("../../../../profiles/linkable.toml");
    let profile = Profile::parse(profile).expect("shipped");
    let born: Vec<Row> = (0..400)
        .map(|p| {
            let (year, month) = (1930 + p * p % 71, 1 + p % 12);
            vec![
                ("person_id", V::I(p)),
                ("gender_concept_id", V::I(if p % 3 == 0 { 8507 } else { 8532 })),
                ("year_of_birth", V::I(year)),
                ("month_of_birth", V::I(month)),
            ]
        })
        .collect();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let input = dataset(&[(Table::Person, born)]);
    let (processed, _, inside) = process_and_tell(&profile, &input, PersonIds::New, &mut rng).expect("treated");
    let Processed::Linkable { data, ids } = &processed else { panic!("linkable") };
    assert!(recount(&profile, data.tables()).smallest_class >= Some(10));
    // Class by number, and class by what stands in the output.
    let shown: BTreeMap<String, String> = rows(&data.tables()["person"])
        .into_iter()
        .map(|row| (row["person_id"].clone(), format!("{:?}", row.iter().filter(|(c, _)| *c != "person_id").collect::<Vec<_>>())))
        .collect();
    let pairs: BTreeSet<(u32, &String)> = inside.iter().map(|(old, class)| (*class, &shown[&ids[old].to_string()])).collect();
    let numbers: BTreeSet<u32> = pairs.iter().map(|(n, _)| *n).collect();
    let cells: BTreeSet<&String> = pairs.iter().map(|(_, c)| *c).collect();
    assert!(numbers.len() > 3 && pairs.len() == numbers.len() && pairs.len() == cells.len(), "{pairs:?}");
    assert_eq!(inside.len(), shown.len());
}
