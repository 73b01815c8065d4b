//! A directory or tar → CSV files, for use without the platform: one file an OMOP table, identity, insurance, findings.
//!
//! * `look` reads without writing;
//! * `source` walks a directory, a file, a tar file, or a tar stream, twice: first for who is to be set aside;
//! * `tables` numbers persons and rows and writes the CSV files;
//! * `visits` joins events to visits as far as one payload allows.

mod look;
mod source;
mod tables;
mod visits;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use messages::{Lang, Message};
use serde::Serialize;

use crate::any::{AnyPrescan, AnyReader};
use crate::checkup::Mapping;
use crate::{Chunk, Counts, Format, ReadError, Reader};
pub use look::{formats_at, lines_of, read_at};
use tables::Tables;
use visits::Visits;

/// What a conversion came to. Counts only.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Patients met.
    pub patients: u64,
    /// Of these, set aside: no rows.
    pub set_aside: u64,
    /// Rows by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Findings by severity.
    pub findings: BTreeMap<&'static str, u64>,
    /// Files.
    pub counts: Counts,
    /// Whether it was a tar that breaks off: what came before is there.
    pub broken_off: bool,
}

/// Why nothing, or not all, was converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The output directory has something in it.
    #[error("{0} is not empty; name a directory that does not exist yet or has nothing in it")]
    NotEmpty(PathBuf),
    /// The output would become input.
    #[error("{0} is inside what is to be read; name a directory elsewhere")]
    Inside(PathBuf),
    /// A file or directory could not be read.
    #[error("{path}: {source}")]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The output could not be written.
    #[error("{path} could not be written: {source}; make room, then convert again into an empty directory")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// Reading stopped.
    #[error(transparent)]
    Reader(#[from] ReadError),
}

impl ConvertError {
    /// The same as a message of the catalogue.
    pub fn message(&self) -> Message {
        match self {
            ConvertError::NotEmpty(path) => Message::new("ssmix2-convert-not-empty").with("path", path.display()),
            ConvertError::Inside(path) => Message::new("ssmix2-convert-inside").with("path", path.display()),
            ConvertError::Read { path, source } => {
                Message::new("ssmix2-convert-read").with("path", path.display()).with("reason", source)
            }
            ConvertError::Write { path, source } => {
                Message::new("ssmix2-convert-write").with("path", path.display()).with("reason", source)
            }
            ConvertError::Reader(source) => Message::new("ssmix2-convert-stopped").with("reason", source),
        }
    }
}

/// Codes of [`ConvertError::message`].
pub const CODES: &[&str] = &[
    "ssmix2-convert-not-empty",
    "ssmix2-convert-inside",
    "ssmix2-convert-read",
    "ssmix2-convert-write",
    "ssmix2-convert-stopped",
];

/// Converts `path` (a directory, a file, a tar file, or `-` for a tar stream on standard input) into CSV files in
/// `out_dir`, which must be empty or not exist. `from` is the format, `None` to find out file by file. Findings are
/// written in `lang`.
///
/// # Errors
/// [`ConvertError`]. What is wrong within a file is a finding, not an error.
pub fn convert(from: Option<Format>, path: &Path, out_dir: &Path, lang: Lang) -> Result<Summary, ConvertError> {
    convert_with(from, path, out_dir, lang, None, &mut |_| Ok(()), &mut |_| {})
}

/// The same with a mapping for CSV files that have none beside them, and with something that is done to the rows before they are
/// written (`change`), telling after each chunk what has been met so far.
///
/// # Errors
/// As [`convert`]; what `change` returns.
pub fn convert_with(
    from: Option<Format>,
    path: &Path,
    out_dir: &Path,
    lang: Lang,
    mapping: Option<Mapping>,
    change: &mut dyn FnMut(&mut Chunk) -> Result<(), arrow::error::ArrowError>,
    progress: &mut dyn FnMut(&Counts),
) -> Result<Summary, ConvertError> {
    prepare(path, out_dir)?;
    let source = source::Source::open(path, out_dir)?;
    let mut prescan = AnyPrescan::new(from);
    source.walk(&mut |member| prescan.member(member))?;
    let mut reader = AnyReader::new(from, prescan, mapping);

    let mut run = Run {
        summary: Summary::default(),
        tables: Tables::create(out_dir)?,
        visits: Visits::default(),
        findings: Findings::create(out_dir)?,
        lang,
    };
    let mut failure = None;
    let mut out = |mut chunk: Chunk| {
        let changed = change(&mut chunk).map_err(|e| ConvertError::from(ReadError::Output(e.to_string())));
        changed.and_then(|()| run.chunk(&chunk)).map_err(|error| {
            let text = error.to_string();
            failure = Some(error);
            ReadError::Output(text)
        })?;
        progress(&run.summary.counts);
        Ok(())
    };
    let walked = source.walk(&mut |member| reader.member(member, &mut out));
    let done = walked.and_then(|()| Ok(reader.finish(&mut out)?));
    if let Some(error) = failure {
        return Err(error);
    }
    done?;
    run.chunk(&Chunk { patients: Vec::new(), tables: Vec::new(), findings: source.findings(), counts: Counts::default() })?;
    run.summary.broken_off = source.is_broken();
    run.finish()
}

fn prepare(path: &Path, out_dir: &Path) -> Result<(), ConvertError> {
    let write = |source| ConvertError::Write { path: out_dir.to_owned(), source };
    match fs::read_dir(out_dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(ConvertError::NotEmpty(out_dir.to_owned()));
            }
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(write(e)),
    }
    if path.is_dir() {
        let input = fs::canonicalize(path).map_err(|source| ConvertError::Read { path: path.to_owned(), source })?;
        let absolute = std::path::absolute(out_dir).map_err(write)?;
        // The nearest part of the output path that exists already decides, symbolic links resolved.
        let existing = absolute.ancestors().find_map(|a| fs::canonicalize(a).ok());
        if existing.is_some_and(|e| e.starts_with(&input)) {
            return Err(ConvertError::Inside(out_dir.to_owned()));
        }
    }
    fs::create_dir_all(out_dir).map_err(write)
}

struct Findings {
    path: PathBuf,
    file: std::io::BufWriter<fs::File>,
}

impl Findings {
    fn create(out_dir: &Path) -> Result<Self, ConvertError> {
        let path = out_dir.join("findings.jsonl");
        let file = fs::File::create_new(&path).map_err(|source| ConvertError::Write { path: path.clone(), source })?;
        Ok(Self { path, file: std::io::BufWriter::new(file) })
    }
}

struct Run {
    summary: Summary,
    tables: Tables,
    visits: Visits,
    findings: Findings,
    lang: Lang,
}

impl Run {
    fn chunk(&mut self, chunk: &Chunk) -> Result<(), ConvertError> {
        self.summary.counts.add(&chunk.counts);
        let persons = self.tables.persons(&chunk.patients);
        self.visits.take(&chunk.tables, &persons);
        for (table, batch) in &chunk.tables {
            if *table == omop::Table::Cost {
                self.tables.write(*table, &self.visits.tied(batch, &persons)?, &persons)?;
            } else {
                self.tables.write(*table, batch, &persons)?;
            }
        }
        for (table, batch) in visits::visits(&chunk.tables) {
            self.tables.hold(table, &batch, &persons)?;
        }
        for finding in &chunk.findings {
            *self.summary.findings.entry(finding.severity.as_str()).or_default() += 1;
            let line = serde_json::to_writer(&mut self.findings.file, &finding.line(self.lang)).map_err(std::io::Error::from);
            line.and_then(|()| self.findings.file.write_all(b"\n"))
                .map_err(|source| ConvertError::Write { path: self.findings.path.clone(), source })?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Summary, ConvertError> {
        let Findings { path, file } = self.findings;
        let synced = file.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|f| f.sync_all());
        synced.map_err(|source| ConvertError::Write { path, source })?;
        for (table, batch) in self.visits.write() {
            self.tables.write_known(table, &batch)?;
        }
        (self.summary.patients, self.summary.set_aside) = self.tables.patients();
        self.summary.rows = self.tables.finish()?;
        Ok(self.summary)
    }
}
