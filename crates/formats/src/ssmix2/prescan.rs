//! The first pass over a payload: whose files name another patient.
//!
//! Only path and PID-3 are looked at, so the pass costs little more than reading the bytes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Read;

use omop::SourceState;
use terms::PatientIdRule;

use super::location::{Location, Part};
use crate::charset;
use crate::hl7::{Delimiters, Parser};
use crate::{Member, ReadError};

/// Collects the ids of patients to be set aside, from the same members that the reader will be given.
pub struct Prescan {
    rule: PatientIdRule,
    set_aside: BTreeSet<String>,
    buffer: Vec<u8>,
}

/// How much of a file is looked at. PID is the second or third segment.
const HEAD: u64 = 64 * 1024;

impl Prescan {
    /// `rule` is how the provider's ids are compared.
    pub fn new(rule: PatientIdRule) -> Self {
        Self { rule, set_aside: BTreeSet::new(), buffer: Vec::new() }
    }

    /// Looks at the next file.
    ///
    /// # Errors
    /// When its bytes cannot be read.
    pub fn member(&mut self, member: Member<'_>) -> Result<(), ReadError> {
        let Some(location) = Location::of(member.path) else {
            return Ok(());
        };
        for folder in location.differences(member.path).iter().filter(|d| d.part == Part::Patient).map(|d| d.folder) {
            self.compare(location.patient, folder);
        }
        if location.state != SourceState::Live {
            return Ok(());
        }
        self.buffer.clear();
        member.content.take(HEAD).read_to_end(&mut self.buffer).map_err(|source| ReadError::Input {
            payload: member.payload,
            ordinal: member.ordinal,
            source,
        })?;
        let buffer = std::mem::take(&mut self.buffer);
        if let Some(id) = patient_id(&buffer) {
            self.compare(location.patient, &id);
        }
        self.buffer = buffer;
        Ok(())
    }

    fn compare(&mut self, path: &str, other: &str) {
        if !same_patient(self.rule, path, other) {
            self.set_aside.insert(path.to_owned());
            self.set_aside.insert(other.to_owned());
        }
    }

    /// The ids, of the paths' patients and of those whom the files name.
    pub fn finish(self) -> BTreeSet<String> {
        self.set_aside
    }
}

/// Whether two written ids are one patient's by the provider's rule.
pub fn same_patient(rule: PatientIdRule, one: &str, other: &str) -> bool {
    one == other || matches!((rule.canonical(one), rule.canonical(other)), (Ok(a), Ok(b)) if a == b)
}

/// PID-3 of a message, `None` when there is none to be read. Line ends never occur within a double-byte character, so
/// the line of PID is found in the bytes; it alone is decoded.
pub fn patient_id(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let bytes = charset::trim(bytes);
    let delimiters = Delimiters::of(bytes)?;
    let start = memchr::memmem::find_iter(bytes, b"PID").find(|at| {
        bytes.get(at + 3) == Some(&delimiters.field) && (*at == 0 || matches!(bytes.get(at - 1), Some(b'\r' | b'\n')))
    })?;
    let rest = &bytes[start..];
    let line = &rest[..memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len())];
    // Up to PID-3 there are ids only; the names after it need not be decoded when all before it is ASCII.
    let third = memchr::memchr_iter(delimiters.field, line).nth(3).unwrap_or(line.len());
    let plain = line[..third].iter().all(|b| b.is_ascii() && *b != 0x1B);
    let second = memchr::memchr_iter(delimiters.field, line).nth(2)?;
    let field = line.get(second + 1..third).unwrap_or_default();
    if plain && !field.contains(&delimiters.repetition) && !field.contains(&delimiters.escape) {
        let id = memchr::memchr(delimiters.component, field).map_or(field, |at| &field[..at]);
        let id = std::str::from_utf8(id).ok()?.trim();
        return (!id.is_empty() && id != "\"\"").then_some(Cow::Borrowed(id));
    }
    let mut spare = String::new();
    let decoded = charset::decode(if plain { &line[..third] } else { line }, delimiters.bytes(), &mut spare);
    let mut parser = Parser::default();
    let message = parser.parse(&decoded.text, delimiters)?;
    let pid = message.segments().next()?;
    stated_id(pid).map(Cow::Owned)
}

/// The id that PID-3 states: of several the one of type PI, else the first.
pub fn stated_id(pid: crate::hl7::Segment<'_>) -> Option<String> {
    let ids = || pid.field(3).repetitions().filter(|r| !r.component(1).is_empty());
    let id = ids().find(|r| r.component(5).code() == Some("PI")).or_else(|| ids().next())?;
    id.component(1).text().map(|t| t.into_owned())
}
