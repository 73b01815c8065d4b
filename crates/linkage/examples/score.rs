//! Links a table of people whose truth is known, and says how well: `score PEOPLE.csv TRUTH.csv [--newborns] [--parts] [--misses N]`.
//! `--parts`: the table has the columns `linkage::PART_COLUMNS` as well.
//!
//! For tables of the generator in `bench/linkage` only; it prints record ids.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::time::Instant;

use linkage::{ColumnMap, CsvPeople, Options, PART_COLUMNS, link};

fn pairs(n: u64) -> u64 {
    n * n.saturating_sub(1) / 2
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [people, truth, ..] = &arguments[..] else {
        eprintln!("usage: score PEOPLE.csv TRUTH.csv [--newborns] [--parts] [--misses N]");
        std::process::exit(2);
    };
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned();
    let misses: usize = value("--misses").and_then(|v| v.parse().ok()).unwrap_or(0);
    let mut options = Options { newborns: arguments.iter().any(|a| a == "--newborns"), ..Options::default() };
    if let Some(t) = value("--threshold").and_then(|v| v.parse().ok()) {
        options.threshold = Some(t);
    }
    let start = Instant::now();
    let parts = arguments.iter().any(|a| a == "--parts");
    let map = ColumnMap::new(PART_COLUMNS.into_iter().filter(|_| parts).map(|c| (c, c))).expect("our names");
    let people = CsvPeople::read_mapped(fs::File::open(people).expect("people"), &map).expect("a table of people");
    let read = start.elapsed();
    let links = link(&people.people, &[], &options).expect("no facts");
    println!("read {:.2} s, all {:.2} s, {:?}", read.as_secs_f64(), start.elapsed().as_secs_f64(), links.stats);

    let truth = fs::read_to_string(truth).expect("truth");
    let truth: HashMap<&str, (&str, &str, &str)> = truth
        .lines()
        .skip(1)
        .filter_map(|l| {
            let f: Vec<&str> = l.split(',').collect();
            Some((*f.first()?, (*f.get(1)?, *f.get(3)?, *f.get(4)?)))
        })
        .collect();
    let of = |id| truth[people.label(id).expect("label")];
    let mut by_person: HashMap<&str, Vec<(i64, terms::RecordId)>> = HashMap::new();
    let mut by_cluster: HashMap<i64, Vec<&str>> = HashMap::new();
    for (record, person) in &links.map {
        let (p, ..) = of(*record);
        by_person.entry(p).or_default().push((person.0, *record));
        by_cluster.entry(person.0).or_default().push(p);
    }
    let (mut hit, mut found, mut wanted) = (0u64, 0u64, 0u64);
    let mut b = [0.0f64; 2];
    let n = links.map.len() as f64;
    for members in by_person.values() {
        wanted += pairs(members.len() as u64);
        let mut parts: HashMap<i64, u64> = HashMap::new();
        members.iter().for_each(|m| *parts.entry(m.0).or_insert(0) += 1);
        for (cluster, count) in parts {
            hit += pairs(count);
            b[0] += (count * count) as f64 / by_cluster[&cluster].len() as f64;
            b[1] += (count * count) as f64 / members.len() as f64;
        }
    }
    by_cluster.values().for_each(|c| found += pairs(c.len() as u64));
    let f = |p: f64, r: f64| 2.0 * p * r / (p + r);
    let (p, r) = (hit as f64 / found as f64, hit as f64 / wanted as f64);
    let (bp, br) = (b[0] / n, b[1] / n);
    println!(
        "clusters: precision {p:.5} recall {r:.5} F1 {:.5}   B3 {bp:.5} {br:.5} {:.5}   wrong {} missing {}",
        f(p, r),
        f(bp, br),
        found - hit,
        wanted - hit
    );
    // pairs by themselves: the best threshold, then calibration
    let mut listed: Vec<(f32, bool)> = links
        .pairs
        .iter()
        .chain(&links.cut)
        .chain(&links.review)
        .map(|l| (l.probability, of(l.left).0 == of(l.right).0))
        .collect();
    listed.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut best) = (0u64, (0.0f64, 0.0f32));
    for (at, (p, is_right)) in listed.iter().enumerate() {
        right += u64::from(*is_right);
        let f1 = 2.0 * right as f64 / (at as u64 + 1 + wanted) as f64;
        if listed.get(at + 1).is_none_or(|next| next.0 < *p) && f1 > best.0 {
            best = (f1, *p);
        }
    }
    println!("pairs: best F1 {:.5} at {:.4}, {right} of {wanted} listed", best.0, best.1);
    let mut bins: BTreeMap<u32, (u64, u64, f64)> = BTreeMap::new();
    for l in links.pairs.iter().chain(&links.cut).chain(&links.review) {
        let right = of(l.left).0 == of(l.right).0;
        let bin = bins.entry((l.probability * 20.0).min(19.0) as u32).or_default();
        *bin = (bin.0 + 1, bin.1 + u64::from(right), bin.2 + f64::from(l.probability));
    }
    let total: u64 = bins.values().map(|b| b.0).sum();
    let error: f64 = bins.values().map(|b| (b.2 - b.1 as f64).abs()).sum::<f64>() / total as f64;
    println!("calibration error {error:.5}");
    for (bin, (count, right, sum)) in &bins {
        println!(
            "  p {:.2}: {count} pairs, said {:.3}, are {:.3}",
            f64::from(*bin) / 20.0,
            sum / *count as f64,
            *right as f64 / *count as f64
        );
    }
    let mut kinds: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut shown = 0;
    for members in by_person.values() {
        for (at, x) in members.iter().enumerate() {
            for y in &members[at + 1..] {
                let ((_, ta, sa), (_, tb, sb)) = (of(x.1), of(y.1));
                let missed = u64::from(x.0 != y.0);
                let changed: Vec<&str> = sa.split('.').zip(sb.split('.')).filter(|(p, q)| p != q).map(|(p, _)| &p[..1]).collect();
                let mut tags: Vec<String> =
                    ta.split(';').chain(tb.split(';')).filter(|t| !t.is_empty()).map(str::to_owned).collect();
                tags.push(format!("change:{}", changed.concat()));
                tags.sort();
                tags.dedup();
                if missed > 0 && shown < misses {
                    shown += 1;
                    println!("missed {} {} {tags:?}", people.label(x.1).unwrap_or(""), people.label(y.1).unwrap_or(""));
                }
                for tag in tags {
                    let kind = kinds.entry(tag).or_default();
                    *kind = (kind.0 + 1, kind.1 + missed);
                }
            }
        }
    }
    for (tag, (all, missed)) in kinds {
        println!("  {tag}: {all} pairs, {missed} missed");
    }
    if misses > 0 {
        let wrong = links.pairs.iter().filter(|l| of(l.left).0 != of(l.right).0).take(misses);
        for l in wrong {
            println!(
                "wrong {} {} p {:.4} {:?} {:?}",
                people.label(l.left).unwrap_or(""),
                people.label(l.right).unwrap_or(""),
                l.probability,
                of(l.left),
                of(l.right)
            );
        }
    }
}
