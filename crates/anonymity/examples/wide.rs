//! A lattice that no search can go through, against a plain genetic search with the same time.
//!
//!     wide ROWS COLUMNS SECONDS K LIMIT
//!
//! The table is made here: people of a few kinds, whose columns follow the kind more or less, with hierarchies that halve. Prints the
//! scores, the bound, and the nodes that each looked at.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anonymity::metrics::Metric;
use anonymity::models::Models;
use anonymity::release::{Prepared, Question, prepare};
use anonymity::search::{Evaluator, Limits, Problem};
use anonymity::table::{Hierarchy, Key, Roles, read};

/// Random numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Values of each column: 2 to 32.
fn sizes(columns: u64) -> Vec<u64> {
    (0..columns).map(|c| [2, 4, 8, 3, 16, 5, 32, 2, 6, 10][c as usize % 10]).collect()
}

fn hierarchy(name: &str, values: u64) -> Result<Hierarchy, Box<dyn std::error::Error>> {
    let mut rows = Vec::new();
    for value in 0..values {
        let mut row = vec![value.to_string()];
        let mut width = 2;
        while width < values {
            row.push(format!("{}-{}", value / width * width, value / width * width + width - 1));
            width *= 2;
        }
        row.push("*".to_owned());
        rows.push(row);
    }
    Ok(Hierarchy::from_rows(name, &rows)?)
}

fn table(rows: u64, sizes: &[u64]) -> String {
    let mut dice = Dice(17);
    let mut text = (0..sizes.len()).map(|c| format!("c{c}")).collect::<Vec<_>>().join(";");
    text.push('\n');
    for _ in 0..rows {
        let kind = dice.roll(40).min(dice.roll(40));
        for (c, size) in sizes.iter().enumerate() {
            // Most follow their kind, some are anything.
            let own = (kind * (c as u64 + 3)) % size;
            let value = if dice.roll(10) < 7 { own } else { dice.roll(*size).min(dice.roll(*size)) };
            text.push_str(&format!("{value};"));
        }
        text.pop();
        text.push('\n');
    }
    text
}

/// A plain genetic search: 60 nodes, the better of two are parents, columns from either, one level in so many moved.
fn genetic<K: Key>(problem: &Problem<K>, time: Duration) -> (f64, u64) {
    let begun = Instant::now();
    let mut evaluator = Evaluator::new(problem);
    let dims = &problem.lattice.dims;
    let bottom = vec![0u8; dims.len()];
    let mut dice = Dice(29);
    let mut looked = 0;
    let mut look = |node: &[u8]| {
        looked += 1;
        let check = evaluator.check_from(&problem.base, &bottom, node);
        // Of two that may not be released the one that suppresses less is the better.
        if check.is_valid() { check.score } else { 1e9 + check.suppressed as f64 }
    };
    let random = |dice: &mut Dice| dims.iter().map(|d| dice.roll(u64::from(*d)) as u8).collect::<Vec<u8>>();
    let mut people: Vec<(f64, Vec<u8>)> = Vec::new();
    while people.len() < 60 && begun.elapsed() < time {
        // The top is one of the first, so that something may be released.
        let node = if people.is_empty() { problem.lattice.top() } else { random(&mut dice) };
        people.push((look(&node), node));
    }
    while begun.elapsed() < time {
        let parent = |dice: &mut Dice| {
            let (a, b) = (dice.roll(people.len() as u64) as usize, dice.roll(people.len() as u64) as usize);
            if people[a].0 <= people[b].0 { a } else { b }
        };
        let (a, b) = (parent(&mut dice), parent(&mut dice));
        let mut child: Vec<u8> =
            (0..dims.len()).map(|c| if dice.roll(2) == 0 { people[a].1[c] } else { people[b].1[c] }).collect();
        for (level, levels) in child.iter_mut().zip(dims) {
            if dice.roll(dims.len() as u64) == 0 {
                *level = if dice.roll(2) == 0 { level.saturating_sub(1) } else { (*level + 1).min(levels - 1) };
            }
        }
        if people.iter().any(|(_, node)| *node == child) {
            continue;
        }
        let score = look(&child);
        let worst = (0..people.len()).max_by(|a, b| people[*a].0.total_cmp(&people[*b].0)).unwrap_or(0);
        if score < people[worst].0 {
            people[worst] = (score, child);
        }
    }
    (people.iter().map(|p| p.0).fold(f64::INFINITY, f64::min), looked)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rows, columns, seconds, k, limit] = &arguments[..] else { return Err("wide ROWS COLUMNS SECONDS K LIMIT".into()) };
    let sizes = sizes(columns.parse()?);
    let hierarchies = sizes.iter().enumerate().map(|(c, size)| Ok((format!("c{c}"), hierarchy(&format!("c{c}"), *size)?)));
    let hierarchies: BTreeMap<String, Hierarchy> = hierarchies.collect::<Result<_, Box<dyn std::error::Error>>>()?;
    let input = read(table(rows.parse()?, &sizes).as_bytes(), "made", None, &Roles::default(), hierarchies)?;
    let question = Question {
        models: Models::parse(&[format!("k:{k}")])?,
        metric: Metric::Loss,
        suppression: limit.parse()?,
        population: None,
        population_table: None,
        sensitive_hierarchy: None,
    };
    let prepared = prepare(&input, &question)?;
    let time = Duration::from_secs_f64(seconds.parse()?);
    let begun = Instant::now();
    let (found, effort) = prepared.search(Limits { threads: 1, time: Some(time) });
    let took = begun.elapsed().as_secs_f64();
    match found {
        Some(f) => println!(
            "search: score {:.6} bound {:.6} {effort:?} checked {} suppressed {} levels {:?} in {took:.1} s",
            f.check.score, f.bound, f.checked, f.check.suppressed, f.levels
        ),
        None => println!("search: nothing found ({effort:?})"),
    }
    let (score, looked) = match &prepared {
        Prepared::Narrow(problem) => genetic(problem, time),
        Prepared::Wide(problem) => genetic(problem, time),
    };
    println!("genetic: score {score:.6} checked {looked}");
    Ok(())
}
