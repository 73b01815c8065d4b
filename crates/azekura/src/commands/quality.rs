use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ::formats::checkup::Mapping;
use ::quality::{
    Head, Kept, Origin, Outcome as Checked, Rules, Run, Severity, Status, counts, findings, report_html, results_csv,
};
use anyhow::Context as _;
use ledger::Mode;
use messages::Message;
use pipeline::masters::Loaded;
use pipeline::quality::{Numbers, Release, day_number};
use serde::Serialize;
use terms::{PackageId, ProviderId};

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
        /// Code masters and vocabularies (files or directories of them): codes are checked by what they mean.
        #[arg(long, value_name = "PATH")]
        masters: Vec<PathBuf>,
        /// Whose data the report says it is of; else the name of the directory or file.
        #[arg(long, value_name = "NAME")]
        of: Option<String>,
        /// Directory, tar or file.
        path: PathBuf,
    },
    /// Check a package that waits to be taken in, above all one that was held back. Exit status 1 when it is not to be used.
    Batch {
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        what: What,
        /// Which: `azekura ingest` names those that are held back.
        #[arg(long, value_name = "ID")]
        package: PackageId,
        /// Seal a copy with the patients' ids to the provider, where it fetches what is for it.
        #[arg(long)]
        send: bool,
        /// What it is for: it stands in the journal.
        #[arg(long, default_value = "data quality")]
        purpose: String,
    },
    /// Let a package in that was held back, whatever the checks say; one that was destroyed in place of that, when it is delivered again.
    Release(Decision),
    /// Set a package aside that was held back: its provider may send it anew.
    Reject(Decision),
    /// What each look at a provider's rows found, the earliest first.
    Looks {
        #[command(flatten)]
        place: Where,
        /// Whose rows.
        #[arg(long, value_name = "ID")]
        provider: ProviderId,
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
pub struct Decision {
    #[command(flatten)]
    place: Where,
    /// Which.
    #[arg(long, value_name = "ID")]
    package: PackageId,
    /// Why: it stands in the journal.
    #[arg(long, value_name = "TEXT")]
    reason: String,
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
    /// Rows of each failed check that are listed, where the report may name patients.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    rows: u32,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::Files { what, from, mapping, masters, of, path } => {
            let (rules, counts) = what.read(Rules::shipped().context("the shipped rules")?)?;
            let loaded = pipeline::masters::of_files(&masters, None)?;
            let read = read_files(&rules, from, read_mapping(mapping)?, &loaded, &path, what.rows as usize)?;
            let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
            let unread = read.numbers.unread(shown.lang);
            let head = Head { of: of.unwrap_or(name), day: day(), at_least: 1, unread, counts, before: None };
            finish(&what, &read.checked, &head, Some(&read.numbers.patients), None, shown)
        }
        Command::Lake { place, what, provider, purpose } => {
            let (checked, before, counts) = access.with(&place, Mode::Writer, async |i| {
                let (rules, counts) = what.read(pipeline::quality::rules(i)?)?;
                let bar = shown.bar(0, Message::new("quality-title"));
                let (checked, before) =
                    pipeline::quality::of_provider(i, &provider, &rules, &purpose, &|rows| bar.set_position(rows)).await?;
                bar.finish_and_clear();
                Ok((checked, before, counts))
            })?;
            let head = Head { of: provider.to_string(), day: day(), at_least: AT_LEAST, unread: Vec::new(), counts, before };
            finish(&what, &checked, &head, None, None, shown)
        }
        Command::Batch { place, what, package, send, purpose } => {
            let (batch, head, sent) = access.with(&place, Mode::Writer, async |i| {
                let (rules, counts) = what.read(pipeline::quality::rules(i)?)?;
                let bar = shown.bar(0, Message::new("quality-title"));
                let batch = pipeline::quality::of_package(i, package, &rules, what.rows as usize, send, &purpose, &|rows| {
                    bar.set_position(rows)
                })
                .await?;
                bar.finish_and_clear();
                let of = format!("{} #{}", batch.provider, batch.sequence);
                let unread = batch.numbers.unread(shown.lang);
                // A package is not held against the whole lake: what it does not touch is not mended by it.
                let head = Head { of, day: day(), at_least: AT_LEAST, unread, counts, before: None };
                let sent = if send {
                    // Inside the hospital every code is shown, and every row by the id it has there.
                    let own = Head { at_least: 1, ..head.clone() };
                    let files = [
                        ("report.html", report_html(&batch.outcome, &own, shown.lang).context("the report")?.into_bytes()),
                        ("results.csv", results_csv(&batch.outcome).context("the results")?),
                        ("rows.csv", rows_csv(&batch.outcome, &batch.numbers.patients).context("the rows")?),
                    ];
                    Some(pipeline::quality::send(i, &batch.provider, batch.sequence, &files).await?)
                } else {
                    None
                };
                Ok((batch, head, sent))
            })?;
            finish(&what, &batch.outcome, &head, None, sent, shown)
        }
        Command::Release(d) => {
            let release =
                access.with(&d.place, Mode::Writer, async |i| Ok(pipeline::quality::release(i, d.package, &d.reason).await?))?;
            let again = release == Release::ToBeDelivered;
            let line = Message::new(if again { "quality-released-again" } else { "quality-released-done" });
            shown.result(&serde_json::json!({ "package": d.package, "to_be_delivered": again }), &[line]);
            Ok(Outcome::Done)
        }
        Command::Reject(d) => {
            access.with(&d.place, Mode::Writer, async |i| Ok(pipeline::quality::reject(i, d.package, &d.reason).await?))?;
            shown.result(&serde_json::json!({ "package": d.package }), &[Message::new("quality-rejected-done")]);
            Ok(Outcome::Done)
        }
        Command::Looks { place, provider } => {
            let looks = access.with(&place, Mode::Reader, async |i| Ok(pipeline::quality::looks(i, &provider).await?))?;
            shown.result(&looks, &told(&looks, &provider));
            Ok(Outcome::Done)
        }
    }
}

/// Looks one after the other, each with what changed since the one before.
fn told(looks: &[Kept], provider: &ProviderId) -> Vec<Message> {
    if looks.is_empty() {
        return vec![Message::new("quality-kept-none").with("provider", provider)];
    }
    let mut before: Option<&Kept> = None;
    let mut lines = Vec::with_capacity(looks.len());
    for look in looks {
        let failed = look.checks.values().filter(|c| c.failed).count();
        let (new, mended) = before.map_or((0, 0), |b| b.changed(look));
        let line = Message::new("quality-kept-line").with("day", &look.day).with("rows", look.rows);
        let line = line.with("patients", look.patients).with("asked", look.checks.len());
        lines.push(line.with("failed", failed).with("new", new).with("mended", mended));
        before = Some(look);
    }
    lines
}

fn day() -> String {
    pipeline::notices::today().to_string()
}

impl What {
    /// Rules and the hospital's own counts; before anything is read, as is whether there is a place for the report.
    fn read(&self, mut rules: Rules) -> Result<(Rules, Vec<(String, u64)>), Failure> {
        if fs::read_dir(&self.out).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Failure::Refused(Message::new("quality-not-empty").with("path", self.out.display())));
        }
        let bytes = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
        if let Some(path) = &self.rules {
            rules = rules.with(&decoded(&bytes(path)?)).with_context(|| path.display().to_string())?;
        }
        let own = match &self.counts {
            Some(path) => counts(&decoded(&bytes(path)?)).with_context(|| path.display().to_string())?,
            None => Vec::new(),
        };
        Ok((rules, own))
    }
}

/// Text as spreadsheets save it: UTF-8 or UTF-16 by its mark, else UTF-8, else CP932.
fn decoded(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode(bytes).0.into_owned(),
        None => std::str::from_utf8(bytes).map_or_else(|_| encoding_rs::SHIFT_JIS.decode(bytes).0.into_owned(), str::to_owned),
    }
}

struct Read {
    checked: Checked,
    numbers: Numbers,
}

/// Reads files twice: what is known of persons, then the rows.
fn read_files(
    rules: &Rules,
    from: Choice,
    mapping: Option<Mapping>,
    loaded: &Loaded,
    path: &Path,
    rows: usize,
) -> Result<Read, Failure> {
    let mut filler = loaded.filler();
    let mut run = Run::new(rules, Origin::Files, day_number(pipeline::notices::today())).keeping(rows);
    let mut numbers = Numbers::default();
    let mut failed = None;
    ::formats::read_at(from.format(), path, mapping.clone(), &mut |chunk| match numbers.tables(&chunk, |_| true) {
        Ok(tables) => tables.iter().for_each(|(table, batch)| run.learn(*table, batch)),
        Err(error) => failed = Some(error),
    })
    .map_err(anyhow::Error::from)?;
    ::formats::read_at(from.format(), path, mapping, &mut |chunk| {
        match numbers.tables(&chunk, |_| true) {
            Ok(tables) => {
                for (table, batch) in tables {
                    match filler.as_mut().map(|f| f.fill(table, &batch)) {
                        None => run.check(table, &batch),
                        Some(Ok(filled)) => run.check(table, &filled),
                        Some(Err(error)) => failed = Some(error),
                    }
                }
            }
            Err(error) => failed = Some(error),
        }
        numbers.note(&chunk);
    })
    .map_err(anyhow::Error::from)?;
    if let Some(error) = failed {
        return Err(anyhow::Error::from(error).context("checking").into());
    }
    Ok(Read { checked: run.finish(), numbers })
}

fn finish(
    what: &What,
    checked: &Checked,
    head: &Head,
    patients: Option<&[String]>,
    sent: Option<PathBuf>,
    shown: &Shown,
) -> Result<Outcome, Failure> {
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
        sent: sent.as_ref().map(|path| path.display().to_string()),
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
    if let Some(path) = sent {
        lines.push(Message::new("quality-sent").with("path", path.display()));
    }
    shown.result(&summary, &lines);
    Ok(if summary.fatal > 0 || summary.rows == 0 { Outcome::FoundWrong } else { Outcome::Done })
}

/// Some rows of each failed check, by the hospital's own patient ids.
pub(crate) fn rows_csv(checked: &Checked, patients: &[String]) -> Result<Vec<u8>, csv::Error> {
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
