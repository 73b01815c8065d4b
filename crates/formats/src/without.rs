//! A delivery without some people, for its sender: of files of many people what is theirs is left out, and everything else stays byte for byte
//! where the format allows it. What cannot be attributed to a person may be theirs: the delivery is refused then, with file and line.
//!
//! * claims: the whole claim, from RE to the next one; GO is corrected by what was left out (`receipt/without`);
//! * DPC files: lines (`dpc/without`);
//! * FHIR: resources that name the person, and those that only these refer to (`fhir/without`);
//! * checkups: documents, also in archives, with the count of the index; records of CSV files (`checkup/without`).
//!
//! Whose something is, is found by the same code that reads it to rows, so that sender and receiver name people alike. What the reader takes
//! though it is doubtful (a code of an institution with a slip in it, a card that is not whole) is left out here or refused.

use std::collections::HashSet;
use std::io::{self, BufRead as _, BufReader, Chain, Cursor, Read, Write};

use terms::{CanonicalPatientId, PatientIdRule};

use crate::{Format, Home, checkup, dpc, fhir, receipt};

/// Reasons for a refusal that no reader has.
pub const CODES: &[&str] =
    &["formats-card-incomplete", "formats-institution", "formats-line-in-line", "fhir-number", "fhir-key-twice", "dpc-not-wards"];

/// Why a delivery cannot be made without some people.
#[derive(Debug, thiserror::Error)]
pub enum WithoutError {
    /// Nobody can tell whose a record is.
    #[error("{path}, line {line}: nobody can tell whose this is ({why}); mend it, or take it out")]
    Nobodys {
        /// File.
        path: String,
        /// Its line, or the first line of the record.
        line: u64,
        /// Code of the reason.
        why: &'static str,
    },
    /// Reading or writing.
    #[error("reading or writing failed: {0}; run it again")]
    Io(#[from] io::Error),
}

pub(crate) fn nobodys(path: &str, line: u64, why: &'static str) -> WithoutError {
    WithoutError::Nobodys { path: path.to_owned(), line, why }
}

/// What was kept of a file, and what was not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Whether anything is somebody's who stays in.
    pub people: bool,
    /// Whether a record that is nobody's stays in: an organization, a drug.
    pub others: bool,
    /// Lines, claims, resources, documents or records that were left out.
    pub left_out: u64,
}

/// Those who are left out. They are people: nothing here prints itself.
pub(crate) struct People {
    left: HashSet<CanonicalPatientId>,
    met: HashSet<CanonicalPatientId>,
    rule: PatientIdRule,
}

impl People {
    /// The canonical form of a local id.
    pub(crate) fn canonical(&self, local_id: &str) -> Option<CanonicalPatientId> {
        self.rule.canonical(local_id).ok()
    }

    /// Whether a local id is of somebody who is left out; `None` when it is no id.
    pub(crate) fn is_left(&mut self, local_id: &str) -> Option<bool> {
        if local_id.contains('\u{FFFD}') {
            return None;
        }
        let id = self.rule.canonical(local_id).ok()?;
        let left = self.left.contains(&id);
        if left {
            self.met.insert(id);
        }
        Some(left)
    }
}

/// The files of one delivery without some people: each is looked at [`Without::looks`] times, then written.
pub struct Without {
    format: Format,
    home: Home,
    people: People,
    resources: fhir::Related,
    documents: checkup::Beside,
}

impl Without {
    /// For a delivery of this format. `institution` is the sender, whose patient numbers stand bare; `left` are canonical under `rule`.
    pub fn new(format: Format, institution: &str, rule: PatientIdRule, left: HashSet<CanonicalPatientId>) -> Self {
        Self {
            format,
            home: Home::of(institution, rule),
            people: People { left, met: HashSet::new(), rule },
            resources: fhir::Related::default(),
            documents: checkup::Beside::default(),
        }
    }

    /// How many times each file is looked at before the first is written: what is in one can depend on another.
    pub fn looks(&self) -> u32 {
        match self.format {
            Format::Fhir => 3,
            Format::Checkup => 1,
            _ => 0,
        }
    }

    /// Looks at a file; `look` counts from 0.
    ///
    /// # Errors
    /// [`WithoutError`].
    pub fn look(&mut self, look: u32, path: &str, content: &mut dyn Read) -> Result<(), WithoutError> {
        match self.format {
            Format::Fhir => self.resources.look(look, path, content, &self.home, &mut self.people),
            Format::Checkup => self.documents.look(path, content, &mut self.people),
            _ => Ok(()),
        }
    }

    /// Writes a file without them. What is written is the same each time.
    ///
    /// # Errors
    /// [`WithoutError`].
    pub fn write(&mut self, path: &str, content: &mut dyn Read, out: &mut dyn Write) -> Result<Kept, WithoutError> {
        match self.format {
            Format::Fhir => self.resources.write(path, content, out, &self.home, &mut self.people),
            Format::Checkup => self.documents.write(path, content, out, &self.home, &mut self.people),
            Format::Receipt => receipt::write_without(path, content, out, &self.home, &mut self.people),
            Format::Dpc => dpc::write_without(path, content, out, &self.home, &mut self.people),
            Format::Ssmix2 => Err(nobodys(path, 1, "formats-unknown-kind")),
        }
    }

    /// Those of whom something was met.
    pub fn met(&self) -> &HashSet<CanonicalPatientId> {
        &self.people.met
    }
}

/// Bytes that decide on charset and line ends, as in the readers.
const LOOKED_AT: usize = 64 << 10;

/// Physical lines with their ends: what is not left out is written as it came.
pub(crate) struct Raw<'r> {
    input: BufReader<Chain<Cursor<Vec<u8>>, &'r mut dyn Read>>,
    line: Vec<u8>,
    end: u8,
    limit: usize,
    number: u64,
}

impl<'r> Raw<'r> {
    /// The lines, and the first bytes of the file.
    pub(crate) fn new(input: &'r mut dyn Read, limit: usize) -> io::Result<(Self, Vec<u8>)> {
        let mut beginning = Vec::new();
        input.take(LOOKED_AT as u64).read_to_end(&mut beginning)?;
        let bare = memchr::memchr(b'\n', &beginning).is_none() && memchr::memchr(b'\r', &beginning).is_some();
        let end = if bare { b'\r' } else { b'\n' };
        let input = BufReader::with_capacity(LOOKED_AT, Cursor::new(beginning.clone()).chain(input));
        Ok((Self { input, line: Vec::new(), end, limit, number: 0 }, beginning))
    }

    /// Goes to the next line; false at the end.
    pub(crate) fn advance(&mut self, path: &str) -> Result<bool, WithoutError> {
        self.line.clear();
        self.number += 1;
        (&mut self.input).take(self.limit as u64 + 3).read_until(self.end, &mut self.line)?;
        if self.line.len() > self.limit + 2 {
            return Err(nobodys(path, self.number, "formats-line-too-long"));
        }
        Ok(!self.line.is_empty())
    }

    /// Number of the line, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The line with its end.
    pub(crate) fn whole(&self) -> &[u8] {
        &self.line
    }

    /// The line as the readers see it: without its end, without the mark before the first one.
    pub(crate) fn text(&self) -> &[u8] {
        let line = self.line.strip_suffix(&[self.end]).unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.number == 1 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line }
    }

    /// Whether a line end of another kind stands in the middle of it: what follows it would be read as the end of this line, whosever it is.
    pub(crate) fn is_torn(&self) -> bool {
        memchr::memchr(self.other_end(), self.text().trim_ascii_end()).is_some()
    }

    /// The byte that would end a line in files of another kind.
    pub(crate) fn other_end(&self) -> u8 {
        if self.end == b'\n' { b'\r' } else { b'\n' }
    }

    /// Whether nothing stands in it.
    pub(crate) fn is_blank(&self) -> bool {
        self.line.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0 | 0x1A))
    }
}
