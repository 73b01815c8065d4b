//! Searches one table and prints what was found: `search DATA.csv HIERARCHIES METRIC LIMIT THREADS MODEL… [--sensitive COL] [--qi A,B] [--population N]`.
//!
//! For measuring: time on the processor is that of the search alone, reading left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anonymity::metrics::Metric;
use anonymity::models::Models;
use anonymity::release::{Question, prepare};
use anonymity::search::Limits;
use anonymity::table::{Hierarchy, Roles, find_hierarchies, read};

/// Time of this thread on a processor; giving way brings the system's count up to date. Search with one thread to measure.
fn cpu() -> Duration {
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut plain: Vec<String> = Vec::new();
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--") {
            Some(name) => drop(named.insert(name.to_owned(), arguments.next().unwrap_or_default())),
            None => plain.push(argument),
        }
    }
    let [data, folder, metric, limit, threads, models @ ..] = &plain[..] else {
        return Err("search DATA.csv HIERARCHIES METRIC LIMIT THREADS MODEL…".into());
    };
    let roles = Roles {
        quasi_identifiers: named.get("qi").map(|q| q.split(',').map(str::to_owned).collect()),
        sensitive: named.get("sensitive").cloned(),
        ..Roles::default()
    };
    let header =
        std::io::BufRead::lines(std::io::BufReader::new(std::fs::File::open(data)?)).next().unwrap_or(Ok(String::new()))?;
    let columns: Vec<&str> = header.split(char::from(anonymity::table::separator(header.as_bytes()))).collect();
    let wanted: Vec<&str> = match &roles.quasi_identifiers {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => columns.into_iter().filter(|c| Some(*c) != roles.sensitive.as_deref()).collect(),
    };
    let files: Vec<PathBuf> = std::fs::read_dir(folder)?.filter_map(|e| Some(e.ok()?.path())).collect();
    let mut hierarchies = BTreeMap::new();
    for (column, path) in find_hierarchies(&files, Path::new(folder), &wanted)? {
        hierarchies.insert(column.clone(), Hierarchy::parse(&column, &std::fs::read(path)?)?);
    }
    let input = read(std::fs::File::open(data)?, data, None, &roles, hierarchies)?;
    let question = Question {
        models: Models::parse(models)?,
        metric: Metric::parse(metric)?,
        suppression: limit.parse()?,
        population: named.get("population").map(|n| n.parse()).transpose()?,
        population_table: None,
        sensitive_hierarchy: None,
    };
    let prepared = prepare(&input, &question)?;
    let time = named.get("time").map(|t| t.parse().map(Duration::from_secs_f64)).transpose()?;
    let (clock, processor) = (Instant::now(), cpu());
    let (found, effort) = prepared.search(Limits { threads: threads.parse()?, time });
    let (clock, processor) = (clock.elapsed(), cpu() - processor);
    match found {
        Some(f) => println!(
            "score {} levels {:?} suppressed {} classes {} checked {} bound {} {:?} cpu {:.4} wall {:.4}",
            f.check.score,
            f.levels,
            f.check.suppressed,
            f.check.classes,
            f.checked,
            f.bound,
            effort,
            processor.as_secs_f64(),
            clock.as_secs_f64()
        ),
        None => println!("nothing found ({effort:?})"),
    }
    Ok(())
}
