use std::path::PathBuf;

use anonymity::release::{Reference, ReleaseReport};
use anonymity::risk::measure::{classes, risk};
use anonymity::table::TableError;
use anonymity::verify::verify;
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
    /// Separator of the tables; found without it.
    #[arg(long, value_name = "CHAR")]
    sep: Option<char>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Recompute the claims of a report from the released table alone.
    Verify {
        /// The released table.
        #[arg(value_name = "FILE")]
        table: PathBuf,
        /// Its report.
        #[arg(long, value_name = "FILE")]
        report: PathBuf,
        /// The sensitive values of the whole table, as they were kept (--reference of anonymize): without it models that compare with
        /// the whole table are not checked.
        #[arg(long, value_name = "FILE")]
        reference: Option<PathBuf>,
    },
}

pub fn run(args: Args, shown: &Shown) -> Result<Outcome, Failure> {
    if let Some(Command::Verify { table, report, reference }) = args.command {
        return check(&table, &report, reference.as_ref(), shown);
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
    let sample = classes(open(&table)?, &table.display().to_string(), delimiter, &args.qi).map_err(refused)?;
    let size = args.population.as_ref().and_then(|p| p.parse::<u64>().ok());
    let population = match (&args.population, size) {
        (Some(path), None) => {
            let path = PathBuf::from(path);
            Some(classes(open(&path)?, &path.display().to_string(), delimiter, &args.qi).map_err(refused)?)
        }
        _ => None,
    };
    let risk = risk(&sample, population.as_ref(), size, args.threshold).map_err(refused)?;
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

fn check(table: &PathBuf, report: &PathBuf, reference: Option<&PathBuf>, shown: &Shown) -> Result<Outcome, Failure> {
    let report: ReleaseReport = read(report)?;
    // Of a release whose models compare with nothing the file is there and says so.
    let reference: Option<Reference> = reference.map(read::<Option<Reference>>).transpose()?.flatten();
    let verified = verify(open(table)?, &table.display().to_string(), &report, reference.as_ref()).map_err(refused)?;
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
