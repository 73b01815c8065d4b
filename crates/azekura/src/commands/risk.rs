mod cohort;
mod folder;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anonymity::release::{Reference, ReleaseReport};
use anonymity::risk::assess::{Asked, assess};
use anonymity::risk::attempts::Attempts;
use anonymity::risk::measure::{classes, weighted_classes};
use anonymity::table::{TableError, find_hierarchies};
use anonymity::verify::{PopulationClasses, population_classes, verify_beside};
use messages::Message;

use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Check a released table against its report.
    #[command(subcommand)]
    command: Option<Command>,
    /// The table: CSV with a header row.
    #[arg(value_name = "FILE")]
    table: Option<PathBuf>,
    /// What others can know.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    qi: Vec<String>,
    /// Persons in the population: a number, or a table with the same columns.
    #[arg(long, value_name = "N|FILE")]
    population: Option<String>,
    /// Chance above which a row is at risk.
    #[arg(long, value_name = "SHARE", default_value_t = 0.09)]
    threshold: f64,
    /// The column of sampling weights: how many persons of the population a row stands for.
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// The largest set of columns in which rows that are alone by it are looked for; 0: none.
    #[arg(long, value_name = "COLUMNS", default_value_t = 3)]
    suda: usize,
    /// Chance that a recipient tries on purpose to find somebody.
    #[arg(long, value_name = "CHANCE")]
    attempt: Option<f64>,
    /// Share of people who have what the table is about: the chance that one of 150 acquaintances is among them is counted with.
    #[arg(long, value_name = "SHARE")]
    prevalence: Option<f64>,
    /// Chance that the table gets out: share of custodians with a breach in a year.
    #[arg(long, value_name = "CHANCE")]
    breach: Option<f64>,
    /// Separator of the tables; found without it.
    #[arg(long, value_name = "CHAR")]
    sep: Option<char>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Recompute the claims of a report from the released table alone; of a cohort's tables, what their policy promises.
    Verify {
        /// The released table; or the folder that `anonymize --policy` made, or that `azekura-open` made of a data set.
        #[arg(value_name = "FILE|DIR")]
        table: PathBuf,
        /// Its report; report.json in the folder, where it is not given and there is one.
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// The policy that the tables of the folder were made by; policy.toml or profile.toml in it, where it is not given.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// The sensitive values of the whole table, as they were kept (--reference of anonymize): without it models that compare with
        /// the whole table are not checked.
        #[arg(long, value_name = "FILE")]
        reference: Option<PathBuf>,
        /// The population's table, as given to anonymize: without it kmap and dp are not checked.
        #[arg(long, value_name = "FILE", requires = "hierarchies")]
        population: Option<PathBuf>,
        /// Folder with the hierarchies, by which the population becomes as coarse as the release.
        #[arg(long, value_name = "DIR")]
        hierarchies: Option<PathBuf>,
    },
}

pub fn run(args: Args, shown: &Shown) -> Result<Outcome, Failure> {
    if let Some(Command::Verify { table, report, policy, reference, population, hierarchies }) = args.command {
        let population = population.zip(hierarchies);
        if table.is_dir() {
            if reference.is_some() || population.is_some() {
                return Err(Failure::Usage("--reference and --population go with a table, not with a folder".to_owned()));
            }
            return cohort::run(&table, policy, report, shown);
        }
        let (Some(report), None) = (report, policy) else {
            return Err(Failure::Usage("risk verify FILE --report FILE, or risk verify DIR [--policy FILE]".to_owned()));
        };
        return check(&table, &report, reference.as_ref(), population, shown);
    }
    let Some(table) = args.table else {
        return Err(Failure::Usage("risk FILE --qi A,B, or risk verify FILE --report FILE".to_owned()));
    };
    if args.qi.is_empty() {
        return Err(Failure::Refused(TableError::NoQuasiIdentifiers.message()));
    }
    let delimiter = match args.sep {
        Some(c) if c.is_ascii() => Some(c as u8),
        Some(_) => return Err(Failure::Usage("--sep: one ASCII character".to_owned())),
        None => None,
    };
    let name = table.display().to_string();
    let (sample, weights) = weighted_classes(open(&table)?, &name, delimiter, &args.qi, args.weight.as_ref()).map_err(refused)?;
    let size = args.population.as_ref().and_then(|p| p.parse::<u64>().ok());
    let population = match (&args.population, size) {
        (Some(path), None) => {
            let path = PathBuf::from(path);
            Some(classes(open(&path)?, &path.display().to_string(), delimiter, &args.qi).map_err(refused)?)
        }
        _ => None,
    };
    let asked = Asked {
        table: population.as_ref(),
        size,
        weights: weights.as_ref(),
        threshold: args.threshold,
        sets: args.suda,
        attempts: Attempts { deliberate: args.attempt, prevalence: args.prevalence, breach: args.breach },
    };
    let risk = assess(&sample, &args.qi, &asked).map_err(refused)?;
    let value = serde_json::to_value(&risk).map_err(anyhow::Error::from)?;
    let mut lines = Vec::new();
    flatten("", &value, &mut lines);
    shown.result(&risk, &lines);
    Ok(Outcome::Done)
}

fn refused(error: TableError) -> Failure {
    Failure::Refused(error.message())
}

fn open(path: &PathBuf) -> Result<std::fs::File, Failure> {
    let unreadable = |e: std::io::Error| TableError::Unreadable { file: path.display().to_string(), reason: e.to_string() };
    std::fs::File::open(path).map_err(|e| refused(unreadable(e)))
}

/// A line for each number that there is.
fn flatten(above: &str, value: &serde_json::Value, lines: &mut Vec<Message>) {
    match value {
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                flatten(&if above.is_empty() { name.clone() } else { format!("{above}.{name}") }, value, lines);
            }
        }
        serde_json::Value::Null => {}
        other => lines.push(Message::new("anonymity-risk-line").with("what", above).with("value", other)),
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &PathBuf) -> Result<T, Failure> {
    serde_json::from_slice(&std::fs::read(path)?)
        .map_err(|e| refused(TableError::ReportUnreadable { reason: format!("line {}", e.line()) }))
}

/// The population's persons in each class of a release.
fn population_of(report: &ReleaseReport, file: &PathBuf, folder: &Path) -> Result<PopulationClasses, Failure> {
    let unreadable = |e: std::io::Error| TableError::Unreadable { file: folder.display().to_string(), reason: e.to_string() };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| refused(unreadable(e)))? {
        files.push(entry?.path());
    }
    files.sort();
    files.retain(|f| f != file);
    let columns: Vec<&str> = report.columns.iter().map(|c| c.name.as_str()).collect();
    let mut hierarchies = BTreeMap::new();
    for (column, path) in find_hierarchies(&files, folder, &columns).map_err(refused)? {
        hierarchies.insert(column, std::fs::read(path)?);
    }
    population_classes(open(file)?, &file.display().to_string(), report, &hierarchies).map_err(refused)
}

fn check(
    table: &PathBuf,
    report: &PathBuf,
    reference: Option<&PathBuf>,
    population: Option<(PathBuf, PathBuf)>,
    shown: &Shown,
) -> Result<Outcome, Failure> {
    let report: ReleaseReport = read(report)?;
    // Of a release whose models compare with nothing the file is there and says so.
    let reference: Option<Reference> = reference.map(read::<Option<Reference>>).transpose()?.flatten();
    let population = population.map(|(file, folder)| population_of(&report, &file, &folder)).transpose()?;
    let name = table.display().to_string();
    let verified = verify_beside(open(table)?, &name, &report, reference.as_ref(), population.as_ref()).map_err(refused)?;
    let mut lines: Vec<Message> = verified
        .wrong
        .iter()
        .map(|w| Message::new("anonymity-verify-fails").with("claim", &w.claim).with("said", &w.said).with("found", &w.found))
        .collect();
    if lines.is_empty() {
        lines.push(Message::new("anonymity-verify-holds").with("claims", verified.claims));
    }
    lines.extend(verified.unchecked.iter().map(|u| Message::new("anonymity-verify-unchecked").with("claim", u)));
    shown.result(&verified, &lines);
    Ok(if verified.wrong.is_empty() { Outcome::Done } else { Outcome::FoundWrong })
}
