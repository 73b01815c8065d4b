mod lines;
mod policy;
mod validity;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anonymity::metrics::Metric;
use anonymity::micro::{Transforms, randomness, sample};
use anonymity::models::Models;
use anonymity::release::{Question, Sampled, Used, answer, prepare, release_html};
use anonymity::search::Limits;
use anonymity::table::{Hierarchy, Nulls, Role, Roles, TableError, find_hierarchies, read, read_population};
use messages::Message;

use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Options of one table, which a policy takes the place of.
const SINGLE: [&str; 18] = [
    "nulls",
    "data",
    "hierarchies",
    "model",
    "sensitive",
    "qi",
    "keep",
    "person",
    "suppression",
    "metric",
    "transform",
    "sample",
    "population",
    "sep",
    "threads",
    "time_limit",
    "report",
    "reference",
];

#[derive(clap::Args)]
pub struct Args {
    /// Treat the tables of a cohort by a profile (TOML), in place of one table: with --in and --out.
    #[arg(long, value_name = "FILE", requires = "input", conflicts_with_all = SINGLE)]
    policy: Option<PathBuf>,
    /// Folder with TABLE.csv for tables of OMOP CDM v5.4, as `azekura formats convert` writes them; with --policy.
    #[arg(long = "in", value_name = "DIR", requires = "policy")]
    input: Option<PathBuf>,
    /// From when to when codes are in use (CSV: column,code,valid_from,valid_to), so that none tells the true day of one; with --policy.
    #[arg(long, value_name = "FILE", requires = "policy")]
    validity: Option<PathBuf>,
    /// The table: CSV with a header row.
    #[arg(long, value_name = "FILE", required_unless_present = "policy")]
    data: Option<PathBuf>,
    /// Folder with a hierarchy for each quasi-identifier: COLUMN.csv, or a name that ends in hierarchy_COLUMN.csv.
    #[arg(long, value_name = "DIR", required_unless_present = "policy")]
    hierarchies: Option<PathBuf>,
    /// What must hold, for example k:5, dl:3, t:0.2; may be given several times.
    #[arg(long, value_name = "MODEL", required_unless_present = "policy")]
    model: Vec<String>,
    /// The column that an attacker wants to learn.
    #[arg(long, value_name = "COLUMN")]
    sensitive: Option<String>,
    /// Quasi-identifiers. Without it: every column that has no other role.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    qi: Option<Vec<String>>,
    /// Columns that are released as they are.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    keep: Vec<String>,
    /// The column of person ids: each may have one row; it is not released.
    #[arg(long, value_name = "COLUMN")]
    person: Option<String>,
    /// Empty cells: refuse, or category (a value of their own).
    #[arg(long, value_name = "WHAT", default_value = "refuse", value_parser = ["refuse", "category"])]
    nulls: String,
    /// Share of rows that may be left out.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    suppression: f64,
    /// What is to be small.
    #[arg(long, value_name = "METRIC", default_value = "loss")]
    metric: String,
    /// What is done to kept columns after the search, may be given several times: A=micro:5 or A+B=mdav:5 (groups of five, the mean
    /// for each), A=microopt:5 (those that lose least), A=round:10, A=top:10 and A=bottom:10 (ends that fewer than ten rows reach;
    /// :by:B for each value of B), A=pram:0.9 (exchanged by chance).
    #[arg(long, value_name = "A=FORM")]
    transform: Vec<String>,
    /// Keep each row with this chance, before anything is counted.
    #[arg(long, value_name = "SHARE")]
    sample: Option<f64>,
    /// The population that the table is from: its persons, for kmap with an estimate and pu; or its table (CSV with the same
    /// columns, everybody of the table in it), for kmap:K and dp, which count its persons.
    #[arg(long, value_name = "N|FILE")]
    population: Option<String>,
    /// Separator of the table; found without it.
    #[arg(long, value_name = "CHAR")]
    sep: Option<char>,
    /// Threads of the search; the answer is the same with any number.
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// Seconds for the search; the best so far is released, with how much better another could be.
    #[arg(long, value_name = "SECONDS")]
    time_limit: Option<f64>,
    /// Where the table goes; with --policy the folder that is made.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the report goes (JSON); a page of the same name ends in .html.
    #[arg(long, value_name = "FILE", required_unless_present = "policy")]
    report: Option<PathBuf>,
    /// Where the sensitive values of the whole table go (JSON), for t, to, th, dd, bl and be: what the verifier compares with. It
    /// speaks of suppressed rows too, so it stays with you and is not released.
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
}

/// A file as it would be named if it were there, so that two names of one file are seen.
fn place(path: &Path) -> PathBuf {
    if let Ok(found) = path.canonicalize() {
        return found;
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Refuses names by which one file would take the place of another, or of what was read.
pub(super) fn apart(read: &[&Path], written: &[&Path]) -> Result<(), Failure> {
    let mut taken: Vec<PathBuf> = read.iter().map(|p| place(p)).collect();
    for path in written {
        let path = place(path);
        if taken.contains(&path) {
            return Err(Failure::Usage(format!(
                "{} would overwrite another file of this run; give it another name",
                path.display()
            )));
        }
        taken.push(path);
    }
    Ok(())
}

pub fn run(args: Args, shown: &Shown) -> Result<Outcome, Failure> {
    if let (Some(policy), Some(input)) = (&args.policy, &args.input) {
        return policy::run(policy, input, args.validity.as_deref(), &args.out, shown);
    }
    let (Some(data), Some(trees), Some(report_file)) = (&args.data, &args.hierarchies, &args.report) else {
        return Err(Failure::Usage("--data, --hierarchies and --report, or --policy and --in".to_owned()));
    };
    let begun = Instant::now();
    let refused = |e: TableError| Failure::Refused(e.message());
    let open = |path: &PathBuf| {
        std::fs::File::open(path)
            .map_err(|e| refused(TableError::Unreadable { file: path.display().to_string(), reason: e.to_string() }))
    };
    let models = Models::parse(&args.model).map_err(refused)?;
    let metric = Metric::parse(&args.metric).map_err(refused)?;
    let transforms = Transforms::parse(&args.transform, &args.keep).map_err(refused)?;
    let delimiter = match args.sep {
        Some(c) if c.is_ascii() => Some(c as u8),
        Some(_) => return Err(Failure::Usage("--sep: one ASCII character".to_owned())),
        None => None,
    };
    let time = match args.time_limit {
        None => None,
        Some(s) => match Duration::try_from_secs_f64(s) {
            Ok(time) if !time.is_zero() => Some(time),
            _ => return Err(Failure::Usage("--time-limit: more than 0 seconds, and no more than a clock can count".to_owned())),
        },
    };
    let page = report_file.with_extension("html");
    let mut written: Vec<&Path> = vec![report_file, &page, &args.out];
    written.extend(args.reference.as_deref());
    let (population, population_file) = match args.population.as_deref().map(|p| (p.parse::<u64>().ok(), p)) {
        None => (None, None),
        Some((Some(persons), _)) => (Some(persons), None),
        Some((None, path)) => (None, Some(PathBuf::from(path))),
    };
    let mut inputs: Vec<&Path> = vec![data];
    inputs.extend(population_file.as_deref());
    apart(&inputs, &written)?;
    let roles = Roles {
        quasi_identifiers: args.qi,
        sensitive: args.sensitive,
        kept: args.keep,
        person: args.person,
        nulls: if args.nulls == "category" { Nulls::Category } else { Nulls::Refused },
    };
    let name = data.display().to_string();
    let header = header(open(data)?, &name, delimiter).map_err(refused)?;
    let given = roles.of(&header).map_err(refused)?;
    let mut wanted: Vec<&str> = Vec::new();
    for (column, role) in header.iter().zip(&given) {
        if *role == Role::QuasiIdentifier || (*role == Role::Sensitive && models.needs_tree()) {
            wanted.push(column);
        }
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(trees)
        .map_err(|e| refused(TableError::Unreadable { file: trees.display().to_string(), reason: e.to_string() }))?
    {
        files.push(entry?.path());
    }
    files.sort();
    // The tables themselves may lie among them, and may be named after a column.
    files.retain(|f| !inputs.contains(&f.as_path()));
    let mut hierarchies = std::collections::BTreeMap::new();
    // A column that nobody named may be the first cell of a person, in a table without a header.
    let numbered = |e: TableError| match e {
        TableError::HierarchyMissing { column, folder } if roles.quasi_identifiers.is_none() => {
            let number = header.iter().position(|h| *h == column).map_or(0, |at| at + 1);
            refused(TableError::HierarchyMissingAt { number, folder })
        }
        other => refused(other),
    };
    for (column, path) in find_hierarchies(&files, trees, &wanted).map_err(numbered)? {
        apart(&[&path], &written)?;
        hierarchies.insert(column.clone(), Hierarchy::parse(&column, &std::fs::read(path)?).map_err(refused)?);
    }
    let sensitive_hierarchy = roles.sensitive.as_ref().and_then(|s| hierarchies.get(s)).cloned();
    let input = read(open(data)?, &name, delimiter, &roles, hierarchies).map_err(refused)?;
    let sampled = args.sample.map(|share| Sampled { share, rows: input.rows });
    let input = match args.sample {
        Some(share) => sample(input, share, &mut randomness()).map_err(refused)?,
        None => input,
    };
    let population_table = match &population_file {
        None => None,
        Some(path) => {
            let name = path.display().to_string();
            Some(read_population(open(path)?, &name, delimiter, &input, roles.person.as_deref()).map_err(refused)?)
        }
    };
    let question = Question { models, metric, suppression: args.suppression, population, population_table, sensitive_hierarchy };
    let prepared = prepare(&input, &question).map_err(refused)?;
    let limits = Limits { threads: args.threads.max(1), time };
    let before = processor(limits.threads);
    let found = prepared.search(limits);
    let search_cpu = processor(limits.threads).saturating_sub(before);
    let release = answer(&input, &question, &prepared, found, limits).map_err(refused)?;
    let mut report = release.report(Used { search_cpu, wall: begun.elapsed(), peak_rss: peak_rss() });
    report.sampled = sampled;
    let mut bytes = Vec::new();
    if args.transform.is_empty() {
        release.write(&mut bytes)?;
    } else {
        let (rows, done) = release.transformed(&transforms, &mut randomness()).map_err(refused)?;
        report.transforms = done;
        release.write_rows(&rows, &mut bytes)?;
    }
    let json = serde_json::to_vec_pretty(&report).map_err(anyhow::Error::from)?;
    // Each appears whole or not at all, the table last: without it there is no release.
    durable::write_atomic(report_file, &json)?;
    durable::write_atomic(&page, release_html(&report, shown.lang).as_bytes())?;
    if let Some(path) = &args.reference {
        let reference = release.reference();
        durable::write_atomic(path, &serde_json::to_vec_pretty(&reference).map_err(anyhow::Error::from)?)?;
    }
    durable::write_atomic(&args.out, &bytes)?;
    let line = Message::new("anonymity-release-done")
        .with("released", report.released)
        .with("rows", report.rows)
        .with("classes", report.classes)
        .with("suppressed", report.suppressed)
        .with("metric", report.metric.name())
        .with("score", format!("{:.6}", report.score))
        .with("path", args.out.display());
    shown.result(&report, &[line]);
    Ok(Outcome::Done)
}

/// The names in the first line.
fn header(file: std::fs::File, name: &str, delimiter: Option<u8>) -> Result<Vec<String>, TableError> {
    let (mut reader, _) = anonymity::table::open(file, name, delimiter)?;
    let unreadable = |e: csv::Error| TableError::Unreadable { file: name.to_owned(), reason: e.to_string() };
    let header: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
    if header.is_empty() { Err(TableError::NoHeader { file: name.to_owned() }) } else { Ok(header) }
}

/// Time on processors: of this thread, exactly, where it searches alone; else of all threads, in hundredths of a second.
fn processor(threads: usize) -> Duration {
    if threads == 1 {
        // Giving way brings the system's count up to date.
        std::thread::yield_now();
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        return Duration::from_nanos(text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0));
    }
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15 of proc_pid_stat(5), counted from after the name in brackets; a hundred ticks a second.
    let rest = text.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The most memory that the process held, as the system counts it; 0 where it does not say.
fn peak_rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_of_a_run_takes_the_place_of_another() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("table.csv"), "a\n").expect("a table");
        std::os::unix::fs::symlink(at("table.csv"), at("link.csv")).expect("a link");
        let refused = |read: &Path, written: &[&Path]| apart(&[read], written).is_err();
        let table = at("table.csv");
        assert!(refused(&table, &[&at("table.csv")]), "the table itself");
        assert!(refused(&table, &[&at("link.csv")]), "by another name");
        assert!(refused(&table, &[&at("./table.csv")]));
        assert!(refused(&table, &[&at("r.html"), &at("r.html").with_extension("html")]), "the page over the report");
        assert!(refused(&table, &[&at("r.json"), &at("r.html"), &at("r.json")]), "the release over the report");
        assert!(!refused(&table, &[&at("r.json"), &at("r.html"), &at("out.csv")]));
    }
}
