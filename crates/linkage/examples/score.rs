//! Scores linkage against known truth: `score PEOPLE.csv TRUTH.csv [MISTAKES.csv]`.
//!
//! Prints pair precision and recall of the persons, the same by rule, and what kinds of difficulty lose pairs. The third file gets the
//! wrong and the missing pairs (record numbers only).

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::time::Instant;

use linkage::{CsvPeople, Options, link};
use terms::RecordId;

struct Truth {
    person: String,
    tags: String,
}

fn pairs(n: u64) -> u64 {
    n * n.saturating_sub(1) / 2
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [people, truth, rest @ ..] = &arguments[..] else { return Err("score PEOPLE.csv TRUTH.csv [MISTAKES.csv]".into()) };
    let start = Instant::now();
    let table = CsvPeople::read(BufReader::new(File::open(people)?))?;
    let read = start.elapsed();
    let links = link(&table.people, &[], &Options::default())?;
    let linked = start.elapsed() - read;

    let mut truths: HashMap<String, Truth> = HashMap::new();
    for line in fs::read_to_string(truth)?.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        truths.insert(fields[0].to_owned(), Truth { person: fields[1].to_owned(), tags: fields[3].to_owned() });
    }
    let of = |id| table.label(id).and_then(|l| truths.get(l)).ok_or("a record without truth");

    let (mut both, mut found, mut real) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut persons: BTreeMap<&str, Vec<(RecordId, i64)>> = BTreeMap::new();
    for (record, person) in &links.map {
        let truth = of(*record)?;
        *both.entry((truth.person.as_str(), person.0)).or_insert(0u64) += 1;
        *found.entry(person.0).or_insert(0u64) += 1;
        *real.entry(truth.person.as_str()).or_insert(0u64) += 1;
        persons.entry(&truth.person).or_default().push((*record, person.0));
    }
    let right: u64 = both.values().map(|n| pairs(*n)).sum();
    let (found, real): (u64, u64) = (found.values().map(|n| pairs(*n)).sum(), real.values().map(|n| pairs(*n)).sum());
    let (precision, recall) = (right as f64 / found as f64, right as f64 / real as f64);
    println!("read {read:.2?}, linked {linked:.2?}; {:?}, unlinked {:?}", links.stats, links.unlinked);
    println!(
        "pairs: right {right}, wrong {}, missing {}; precision {precision:.5}, recall {recall:.5}, F1 {:.5}",
        found - right,
        real - right,
        2.0 * precision * recall / (precision + recall)
    );
    let mut by_rule = BTreeMap::new();
    for pair in &links.pairs {
        let same = of(pair.left)?.person == of(pair.right)?.person;
        let counts = by_rule.entry(pair.rule).or_insert((0u64, 0u64));
        if same { counts.0 += 1 } else { counts.1 += 1 }
    }
    by_rule.iter().for_each(|(rule, (right, wrong))| println!("  {rule:?}: right {right}, wrong {wrong}"));

    let mut missing = Vec::new();
    for records in persons.values() {
        for (i, a) in records.iter().enumerate() {
            missing.extend(records[i + 1..].iter().filter(|b| b.1 != a.1).map(|b| (a.0, b.0)));
        }
    }
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for (a, b) in &missing {
        let tags = [of(*a)?, of(*b)?].map(|t| t.tags.as_str());
        let mut tags: Vec<&str> = tags.iter().flat_map(|t| t.split(';')).collect();
        tags.sort_unstable();
        tags.dedup();
        tags.iter().for_each(|t| *kinds.entry(t).or_insert(0) += 1);
    }
    println!("  missing pairs with a record of kind: {kinds:?}");
    if let [file, ..] = rest {
        let mut out = BufWriter::new(File::create(file)?);
        for pair in &links.pairs {
            if of(pair.left)?.person != of(pair.right)?.person {
                writeln!(out, "wrong,{:?},{},{}", pair.rule, pair.left, pair.right)?;
            }
        }
        missing.iter().try_for_each(|(a, b)| writeln!(out, "missing,,{a},{b}"))?;
        out.flush()?;
    }
    Ok(())
}
