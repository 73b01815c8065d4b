use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::formats::checkup::Mapping;
use ::formats::{Counts, Format};
use anyhow::Context as _;
use messages::{Lang, Message, Severity};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// A format, or `auto`: file by file.
#[derive(Clone, Copy)]
pub struct Choice(Option<Format>);

impl Choice {
    pub(super) fn format(self) -> Option<Format> {
        self.0
    }
}

impl std::str::FromStr for Choice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            Ok(Choice(None))
        } else {
            text.parse().map(|f| Choice(Some(f))).map_err(|e: String| format!("{e}, auto"))
        }
    }
}

#[derive(clap::Subcommand)]
pub enum Command {
    /// Say what files are.
    Detect {
        /// Directory, tar or file.
        path: PathBuf,
    },
    /// Read files, write nothing, and say what is wrong in them. Exit status 1 when something could not be read.
    Check {
        /// Format of the input: auto, ssmix2, receipt, dpc, checkup, fhir.
        #[arg(long, default_value = "auto")]
        from: Choice,
        /// Mapping (TOML) for CSV files that have none beside them.
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
        /// Directory, tar or file.
        path: PathBuf,
    },
    /// Print what files say, a line a row. It shows personal data.
    Show {
        /// Format of the input: auto, ssmix2, receipt, dpc, checkup, fhir.
        #[arg(long, default_value = "auto")]
        from: Choice,
        /// Mapping (TOML) for CSV files that have none beside them.
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
        /// Directory, tar or file.
        path: PathBuf,
    },
    /// Convert providers' files to OMOP tables, identity facts and findings.
    Convert {
        /// Format of the input: auto, ssmix2, receipt, dpc, checkup, fhir.
        #[arg(long, default_value = "auto")]
        from: Choice,
        /// Mapping (TOML) for CSV files that have none beside them.
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
        /// Code masters and vocabularies (files or directories of them): rows get the concepts of their codes.
        #[arg(long, value_name = "PATH")]
        masters: Vec<PathBuf>,
        /// Directory, tar or file; "-" reads a tar from standard input.
        path: PathBuf,
        /// Directory to write to: one that does not exist yet or is empty. It will hold personal data in the clear.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

pub fn run(command: Command, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::Detect { path } => detect(&path, shown),
        Command::Check { from, mapping, path } => check(from, mapping, &path, shown),
        Command::Show { from, mapping, path } => show(from, mapping, &path),
        Command::Convert { from, mapping, masters, path, out } => {
            let mapping = read_mapping(mapping)?;
            let loaded = pipeline::masters::of_files(&masters, None)?;
            let mut filler = loaded.filler();
            let mut fill = |chunk: &mut ::formats::Chunk| {
                if let Some(filler) = &mut filler {
                    for (table, batch) in &mut chunk.tables {
                        *batch = filler.fill(*table, batch)?;
                    }
                }
                Ok(())
            };
            let summary = ::formats::convert_with(from.0, &path, &out, shown.lang, mapping, &mut fill, &mut |_| {})
                .context("converting")?;
            let line = Message::new("core-converted")
                .with("patients", summary.patients)
                .with("rows", summary.rows.values().sum::<u64>())
                .with("findings", summary.findings.values().sum::<u64>())
                .with("path", out.display());
            // Somebody took the wrong path, or a file that nobody reads.
            let nothing = summary.patients == 0 && summary.rows.values().all(|n| *n == 0);
            let mut lines = vec![line];
            lines.extend(nothing.then(|| Message::new("core-converted-nothing")));
            lines.extend(summary.broken_off.then(|| Message::new("core-converted-broken")));
            shown.result(&summary, &lines);
            Ok(if nothing || summary.broken_off { Outcome::FoundWrong } else { Outcome::Done })
        }
    }
}

pub(super) fn read_mapping(path: Option<PathBuf>) -> Result<Option<Mapping>, Failure> {
    let Some(path) = path else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(Some(Mapping::parse(&text).with_context(|| path.display().to_string())?))
}

fn detect(path: &Path, shown: &Shown) -> Result<Outcome, Failure> {
    let mut found: BTreeMap<String, Option<&'static str>> = BTreeMap::new();
    ::formats::formats_at(path, &mut |path, format| {
        found.insert(path.to_owned(), format.map(Format::as_str));
    })
    .context("looking at files")?;
    let none = Message::new("core-format-none").text(shown.lang);
    let line = |(path, format): (&String, &Option<&'static str>)| {
        let format: Option<&str> = *format;
        Message::new("core-format-of").with("path", path).with("format", format.unwrap_or(&none))
    };
    let lines: Vec<Message> = found.iter().map(line).collect();
    shown.result(&found, &lines);
    Ok(Outcome::Done)
}

#[derive(Serialize, Default)]
struct Checked {
    counts: Counts,
    findings: BTreeMap<&'static str, u64>,
}

fn check(from: Choice, mapping: Option<PathBuf>, path: &Path, shown: &Shown) -> Result<Outcome, Failure> {
    let mut checked = Checked::default();
    let mut wrong = false;
    let lang: Lang = shown.lang;
    let mut out = std::io::stdout().lock();
    ::formats::read_at(from.0, path, read_mapping(mapping)?, &mut |chunk| {
        checked.counts.add(&chunk.counts);
        for finding in &chunk.findings {
            *checked.findings.entry(finding.severity.as_str()).or_default() += 1;
            wrong |= matches!(finding.severity, Severity::Error | Severity::Fatal);
            if !shown.json {
                // A reader that went away is no reason to fail.
                let _ = serde_json::to_writer(&mut out, &finding.line(lang));
                let _ = out.write_all(b"\n");
            }
        }
    })
    .context("checking")?;
    drop(out);
    wrong |= checked.counts.records_unread > 0;
    let line = Message::new("core-checked")
        .with("records", checked.counts.records)
        .with("read", checked.counts.records_read)
        .with("blank", checked.counts.records_blank)
        .with("unread", checked.counts.records_unread)
        .with("findings", checked.findings.values().sum::<u64>());
    shown.result(&checked, &[line]);
    Ok(if wrong { Outcome::FoundWrong } else { Outcome::Done })
}

fn show(from: Choice, mapping: Option<PathBuf>, path: &Path) -> Result<Outcome, Failure> {
    let mut out = std::io::stdout().lock();
    let mut failed = None;
    ::formats::read_at(from.0, path, read_mapping(mapping)?, &mut |chunk| match ::formats::lines_of(&chunk) {
        Ok(lines) => {
            for line in lines {
                let _ = writeln!(out, "{line}");
            }
        }
        Err(error) => failed = Some(error),
    })
    .context("reading")?;
    match failed {
        Some(error) => Err(anyhow::Error::from(error).context("showing").into()),
        None => Ok(Outcome::Done),
    }
}
