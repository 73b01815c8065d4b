//! Linkage as one would write it without thinking of time: every record against every other, clusters as plain sets. `link` is held
//! against it on generated people.

use std::collections::BTreeSet;

use bolero::TypeGenerator;
use terms::RecordId;

use crate::compare;
use crate::keys::Frequencies;
use crate::link::{self, Fact, Links, Options};
use crate::people::{Gatherer, IdentityRow, People, Record, Sex};
use crate::rules;

/// Clusters of record ids, by comparing all with all; `None` when the facts contradict each other.
fn naive(people: &People, facts: &[Fact], options: &Options) -> Option<BTreeSet<BTreeSet<i64>>> {
    let frequencies = Frequencies::count(people, options);
    let records = &people.records;
    let mut pairs = Vec::new();
    for a in 0..records.len() {
        for b in a + 1..records.len() {
            if records[a].unlinkable.is_none() && records[b].unlinkable.is_none() {
                pairs.push((a as u32, b as u32));
            }
        }
    }
    let place = |id: RecordId| records.iter().position(|r| r.id == id.0);
    let mut clusters: Vec<BTreeSet<usize>> = (0..records.len()).map(|at| BTreeSet::from([at])).collect();
    let mut apart = Vec::new();
    for fact in facts {
        match *fact {
            Fact::MustLink(a, b) => {
                if let (Some(a), Some(b)) = (place(a), place(b)) {
                    join(&mut clusters, a, b);
                }
            }
            Fact::CannotLink(a, b) => apart.extend(place(a).zip(place(b))),
        }
    }
    if apart.iter().any(|(a, b)| cluster(&clusters, *a) == cluster(&clusters, *b)) {
        return None;
    }
    let identity = |at: usize| (&records[at].names, &records[at].births, &records[at].sexes);
    for (edge, _) in link::edges(people, &pairs, &frequencies, options) {
        let (a, b) = (edge.left as usize, edge.right as usize);
        let (one, other) = (cluster(&clusters, a), cluster(&clusters, b));
        let forbidden =
            apart.iter().any(|(x, y)| (one.contains(x) && other.contains(y)) || (one.contains(y) && other.contains(x)));
        let stranger = |at: usize, side: &BTreeSet<usize>| side.iter().all(|&s| identity(s) != identity(at));
        let contradicted = one.iter().any(|&x| {
            other.iter().any(|&y| stranger(x, &other) && stranger(y, &one) && contradict(people, &records[x], &records[y]))
        });
        if !forbidden && !contradicted {
            join(&mut clusters, a, b);
        }
    }
    Some(clusters.into_iter().map(|c| c.into_iter().map(|at| records[at].id).collect()).collect())
}

fn contradict(people: &People, a: &Record, b: &Record) -> bool {
    rules::contradict(compare::names(a, b, &people.forms), compare::births(&a.births, &b.births), compare::sexes(a, b))
}

fn cluster(clusters: &[BTreeSet<usize>], at: usize) -> BTreeSet<usize> {
    clusters.iter().find(|c| c.contains(&at)).cloned().unwrap_or_default()
}

fn join(clusters: &mut Vec<BTreeSet<usize>>, a: usize, b: usize) {
    let joined: BTreeSet<usize> = cluster(clusters, a).union(&cluster(clusters, b)).copied().collect();
    clusters.retain(|c| c.is_disjoint(&joined));
    clusters.push(joined);
}

fn clusters(links: &Links) -> BTreeSet<BTreeSet<i64>> {
    let mut persons = std::collections::BTreeMap::<_, BTreeSet<i64>>::new();
    links.map.iter().for_each(|(record, person)| {
        persons.entry(*person).or_default().insert(record.0);
    });
    persons.into_values().collect()
}

/// A row of few possible values, so that records meet, nearly meet and contradict all the time.
#[derive(Debug, Clone, TypeGenerator)]
struct Row {
    record: u8,
    family: u8,
    given: u8,
    birth: u8,
    sex: u8,
    contacts: [u8; 3],
    branch: u8,
}

const FAMILIES: [[&str; 2]; 6] =
    [["斎藤", "サイトウ"], ["齋藤", "ｻｲﾄｳ"], ["渡辺", "ワタナベ"], ["", "ワタナヘ"], ["オウ", "オウ"], ["大野", "オオノ"]];
const GIVENS: [[&str; 2]; 9] = [
    ["翔太", "ショウタ"],
    ["翔大", "シヨウダイ"],
    ["", "ショウタ"],
    ["裕子", "ユウコ"],
    ["裕子", "ヒロコ"],
    ["祐子", "ユウコ"],
    ["〓子", "ユコ"],
    ["花子ベビー", "ハナコベビー"],
    ["テスト", "テスト"],
];

fn gather(rows: &[Row]) -> People {
    let mut gatherer = Gatherer::default();
    for row in rows {
        let pick = |value: u8, of: usize| usize::from(value) % of;
        let (family, given) = (FAMILIES[pick(row.family, 6)], GIVENS[pick(row.given, 9)]);
        let joined = row.sex & 8 != 0;
        let whole = [0, 1].map(|i| format!("{}{}", family[i], given[i]));
        let id = i64::from(row.record % 12) + 1;
        gatherer.record(id).provider = Some((id % 3) as u32);
        gatherer.identity(
            id,
            &IdentityRow {
                family: if joined { &whole[0] } else { family[0] },
                given: if joined { "" } else { given[0] },
                family_kana: if joined { &whole[1] } else { family[1] },
                given_kana: if joined { "" } else { given[1] },
                birth: [None, Some(3_000), Some(3_001), Some(9_999)][pick(row.birth, 4)],
                sex: [Some(Sex::Male), Some(Sex::Male), Some(Sex::Female), None][pick(row.sex, 4)],
                address: ["", "東京都三鷹市下連雀1-2-3", "三鷹市下連雀一丁目２番３号"][pick(row.contacts[0], 3)],
                phones: ["", "090-1234-5678"].map(|p| if row.contacts[1] % 2 == 0 { p } else { "" }),
                ..IdentityRow::default()
            },
        );
        gatherer.insurance(
            id,
            ["", "138057", "39131156"][pick(row.contacts[2], 3)],
            "",
            "12345",
            ["", "01", "02"][pick(row.branch, 3)],
        );
    }
    gatherer.finish()
}

fn fact(bytes: [u8; 3]) -> Fact {
    let [a, b] = [bytes[0], bytes[1]].map(|r| RecordId(i64::from(r % 14) + 1));
    if bytes[2] < 128 { Fact::MustLink(a, b) } else { Fact::CannotLink(a, b) }
}

#[test]
fn linking_agrees_with_comparing_everything_with_everything() {
    bolero::check!().with_type::<(Vec<Row>, Vec<[u8; 3]>)>().for_each(|(rows, facts)| {
        let people = gather(rows);
        let facts: Vec<Fact> = facts.iter().take(4).map(|f| fact(*f)).collect();
        let options = Options { namesakes: 0.1, ..Options::default() };
        let found = link::link(&people, &facts, &options).ok();
        assert!(found.as_ref().map(clusters) == naive(&people, &facts, &options));
    });
}

#[test]
fn the_order_of_rows_and_facts_changes_nothing() {
    bolero::check!().with_type::<(Vec<Row>, Vec<[u8; 3]>, u8)>().for_each(|(rows, facts, turn)| {
        let facts: Vec<Fact> = facts.iter().take(4).map(|f| fact(*f)).collect();
        let (mut other_rows, mut other_facts) = (rows.clone(), facts.clone());
        other_rows.rotate_left(usize::from(*turn) % rows.len().max(1));
        other_rows.reverse();
        other_facts.reverse();
        // small blocks, so that the cap is at work too
        let options = Options { largest_block: 4, neighbours: 2, namesakes: 0.1, ..Options::default() };
        let one = link::link(&gather(rows), &facts, &options).ok();
        assert!(one == link::link(&gather(&other_rows), &other_facts, &options).ok());
    });
}

#[test]
fn facts_are_obeyed_whatever_the_records_say() {
    bolero::check!().with_type::<(Vec<Row>, Vec<[u8; 3]>)>().for_each(|(rows, facts)| {
        let facts: Vec<Fact> = facts.iter().take(4).map(|f| fact(*f)).collect();
        let Ok(links) = link::link(&gather(rows), &facts, &Options::default()) else { return };
        let person = |id| links.map.iter().find(|(r, _)| *r == id).map(|(_, p)| *p);
        for fact in facts {
            match fact {
                Fact::MustLink(a, b) if person(a).is_some() && person(b).is_some() => assert!(person(a) == person(b)),
                Fact::CannotLink(a, b) if person(a).is_some() => assert!(person(a) != person(b)),
                _ => {}
            }
        }
    });
}
