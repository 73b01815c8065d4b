use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::formats::checkup::Mapping;
use ::quality::{Head, Origin, Outcome as Checked, Rules, Run, Severity, Status, counts, findings, report_html, results_csv};
use anyhow::Context as _;
use arrow::array::{AsArray as _, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use ledger::Mode;
use messages::{Lang, Message};
use serde::Serialize;
use terms::ProviderId;

use super::formats::{Choice, read_mapping};
use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Outside the hospital a code of its own is shown when at least so many patients have it.
const AT_LEAST: u64 = 10;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Check a provider's files before they are sent. Exit status 1 when they are not to be used, or could not be read.
    Files {
        #[command(flatten)]
        what: What,
        /// Format of the input: auto, ssmix2, receipt, dpc, checkup, fhir.
        #[arg(long, default_value = "auto")]
        from: Choice,
        /// Mapping (TOML) for CSV files that have none beside them.
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
        /// Directory, tar or file.
        path: PathBuf,
    },
    /// Check what a provider's packages became in the lake. Exit status 1 when it is not to be used.
    Lake {
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        what: What,
        /// Whose rows.
        #[arg(long, value_name = "ID")]
        provider: ProviderId,
        /// What it is for: it stands in the journal.
        #[arg(long, default_value = "data quality")]
        purpose: String,
    },
}

#[derive(clap::Args)]
pub struct What {
    /// Directory to write to: one that does not exist yet or is empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Rules beside the shipped ones (CSV); a line for the same check takes its place.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The hospital's own count of patients by month (CSV: month,patients), to hold what is found against.
    #[arg(long, value_name = "FILE")]
    counts: Option<PathBuf>,
}

#[derive(Serialize)]
struct Summary {
    patients: u64,
    rows: u64,
    checks: usize,
    asked: usize,
    failed: usize,
    fatal: usize,
    findings: usize,
    unread: u64,
    report: String,
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::Files { what, from, mapping, path } => {
            let (rules, own) = what.read()?;
            let read = read_files(&rules, from, read_mapping(mapping)?, &path, shown.lang)?;
            let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
            let head = Head { of: name, day: day()?, at_least: 1, unread: read.unread, counts: own };
            finish(&what, &read.checked, &head, Some(&read.patients), shown)
        }
        Command::Lake { place, what, provider, purpose } => {
            let (rules, own) = what.read()?;
            let checked = access.with(&place, Mode::Writer, async |i| {
                let bar = shown.bar(0, Message::new("quality-title"));
                let checked =
                    pipeline::quality::of_provider(i, &provider, &rules, &purpose, &|rows| bar.set_position(rows)).await?;
                bar.finish_and_clear();
                Ok(checked)
            })?;
            let head = Head { of: provider.to_string(), day: day()?, at_least: AT_LEAST, unread: Vec::new(), counts: own };
            finish(&what, &checked, &head, None, shown)
        }
    }
}

fn day() -> Result<String, Failure> {
    Ok(pipeline::notices::today().to_string())
}

impl What {
    /// Rules and the hospital's own counts; before anything is read, as is whether there is a place for the report.
    fn read(&self) -> Result<(Rules, Vec<(String, u64)>), Failure> {
        if fs::read_dir(&self.out).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Failure::Refused(Message::new("quality-not-empty").with("path", self.out.display())));
        }
        let text = |path: &Path| fs::read_to_string(path).with_context(|| path.display().to_string());
        let mut rules = Rules::shipped().context("the shipped rules")?;
        if let Some(path) = &self.rules {
            rules = rules.with(&text(path)?).with_context(|| path.display().to_string())?;
        }
        let own = match &self.counts {
            Some(path) => counts(&text(path)?).with_context(|| path.display().to_string())?,
            None => Vec::new(),
        };
        Ok((rules, own))
    }
}

struct Read {
    checked: Checked,
    patients: Vec<String>,
    unread: Vec<(String, u64)>,
}

/// Reads files twice: what is known of persons, then the rows.
fn read_files(rules: &Rules, from: Choice, mapping: Option<Mapping>, path: &Path, lang: Lang) -> Result<Read, Failure> {
    let today = pipeline::notices::today().since(jiff::civil::date(1970, 1, 1)).map_or(0, |span| span.get_days());
    let mut run = Run::new(rules, Origin::Files, today);
    let mut patients = Patients::default();
    let mut failed = None;
    let mut numbered = |chunk: &::formats::Chunk, take: &mut dyn FnMut(omop::Table, &RecordBatch)| {
        let numbers = patients.numbers(chunk);
        for (table, batch) in &chunk.tables {
            match renumbered(batch, &numbers) {
                Ok(batch) => take(*table, &batch),
                Err(error) => failed = Some(error),
            }
        }
    };
    ::formats::read_at(from.format(), path, mapping.clone(), &mut |chunk| numbered(&chunk, &mut |t, b| run.learn(t, b)))
        .context("reading")?;
    let mut unread: BTreeMap<&'static str, (String, u64)> = BTreeMap::new();
    ::formats::read_at(from.format(), path, mapping, &mut |chunk| {
        numbered(&chunk, &mut |t, b| run.check(t, b));
        for finding in chunk.findings.iter().filter(|f| f.severity >= messages::Severity::Warning) {
            unread.entry(finding.message.code).or_insert_with(|| (said(&finding.message).text(lang), 0)).1 += 1;
        }
    })
    .context("checking")?;
    if let Some(error) = failed {
        return Err(anyhow::Error::from(error).context("checking").into());
    }
    let mut unread: Vec<(String, u64)> = unread.into_values().collect();
    unread.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(Read { checked: run.finish(), patients: patients.all, unread })
}

/// What a finding says without the values in it: the page may be handed on, and a path or a value can name a patient.
fn said(message: &Message) -> Message {
    message.args.iter().fold(Message::new(message.code), |said, (name, _)| said.with(name, "…"))
}

/// Patients by their number in the run.
#[derive(Default)]
struct Patients {
    numbers: HashMap<String, i64>,
    all: Vec<String>,
}

impl Patients {
    fn numbers(&mut self, chunk: &::formats::Chunk) -> Vec<i64> {
        let number = |patient: &::formats::Patient| {
            *self.numbers.entry(patient.local_id.clone()).or_insert_with(|| {
                self.all.push(patient.local_id.clone());
                self.all.len() as i64 - 1
            })
        };
        chunk.patients.iter().map(number).collect()
    }
}

/// The batch with numbers of the run in place of those of the chunk.
fn renumbered(batch: &RecordBatch, numbers: &[i64]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let places = batch.column(0).as_primitive::<Int64Type>();
    let of = |place: &i64| usize::try_from(*place).ok().and_then(|p| numbers.get(p)).copied().unwrap_or(-1);
    let mut columns = batch.columns().to_vec();
    columns[0] = Arc::new(places.values().iter().map(of).collect::<Int64Array>());
    RecordBatch::try_new(batch.schema(), columns)
}

fn finish(what: &What, checked: &Checked, head: &Head, patients: Option<&[String]>, shown: &Shown) -> Result<Outcome, Failure> {
    fs::create_dir_all(&what.out).with_context(|| what.out.display().to_string())?;
    let report = what.out.join("report.html");
    write(&report, report_html(checked, head, shown.lang).context("the report")?.as_bytes())?;
    write(&what.out.join("results.csv"), &results_csv(checked).context("the results")?)?;
    let rows = what.out.join("rows.csv");
    if let Some(patients) = patients {
        write(&rows, &rows_csv(checked, patients).context("the rows")?)?;
    }
    let summary = Summary {
        patients: checked.records,
        rows: checked.rows(),
        checks: checked.results.len(),
        asked: checked.asked(),
        failed: checked.failed(Severity::Note),
        fatal: checked.failed(Severity::Fatal),
        findings: findings(checked).len(),
        unread: head.unread.iter().map(|(_, n)| n).sum(),
        report: report.display().to_string(),
    };
    let mut lines = vec![
        Message::new("quality-done")
            .with("patients", summary.patients)
            .with("rows", summary.rows)
            .with("checks", summary.checks)
            .with("asked", summary.asked)
            .with("failed", summary.failed)
            .with("findings", summary.findings)
            .with("path", report.display()),
    ];
    if summary.unread > 0 {
        lines.push(Message::new("quality-unread").with("count", summary.unread).with("path", report.display()));
    }
    if summary.rows == 0 {
        lines.push(Message::new("quality-empty"));
    }
    if patients.is_some() && summary.failed > 0 {
        lines.push(Message::new("quality-rows-file").with("path", rows.display()));
    }
    if summary.fatal > 0 {
        lines.push(Message::new("quality-gate").with("count", summary.fatal));
    }
    shown.result(&summary, &lines);
    Ok(if summary.fatal > 0 || summary.rows == 0 { Outcome::FoundWrong } else { Outcome::Done })
}

/// Some rows of each failed check, by the hospital's own patient ids.
fn rows_csv(checked: &Checked, patients: &[String]) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["check_id", "patient", "unit"])?;
    for result in checked.results.iter().filter(|r| r.status == Status::Fail) {
        for example in &result.examples {
            let patient = usize::try_from(example.record).ok().and_then(|n| patients.get(n));
            out.write_record([result.id.as_str(), patient.map_or("", String::as_str), &example.unit])?;
        }
    }
    out.into_inner().map_err(|e| csv::Error::from(e.into_error()))
}

/// Writes a file that only its owner reads: it may name patients.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes));
    Ok(written.with_context(|| path.display().to_string())?)
}
