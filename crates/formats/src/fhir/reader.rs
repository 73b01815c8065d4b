//! Lines and bundles → resources; who they are about.

use std::collections::HashMap;
use std::io::Read as _;

use messages::{Message as Text, Severity};

use super::resource::{Identifier, Reference, Resource, Section, part, parts};
use super::rows;
use crate::lines::Lines;
use crate::rows::Book;
use crate::{Member, Output, ReadError, Reader};

/// Longest resource of a line: documents with a PDF reach tens of megabytes.
const LONGEST: usize = 64 << 20;

/// Local ids of patients by what references call them.
pub type Patients = HashMap<String, String>;

/// How to read.
#[derive(Clone)]
pub struct Options {
    /// A chunk is handed out once so many rows wait.
    pub chunk_rows: usize,
    /// Longer JSON files that are no NDJSON are left out, with a finding.
    pub max_file_bytes: u64,
    /// What a [`Prescan`] found: patients may come after what is about them.
    pub patients: Patients,
}

impl Default for Options {
    fn default() -> Self {
        Self { chunk_rows: 100_000, max_file_bytes: 256 << 20, patients: Patients::new() }
    }
}

/// What a reference points to: the last part of `Patient/p1`, `urn:uuid:…`, or an address.
pub fn target(reference: &str) -> &str {
    let plain = reference.strip_prefix("urn:uuid:").unwrap_or(reference);
    plain.rsplit('/').next().unwrap_or(plain)
}

/// The hospital's own id of a patient, else the first identifier, else the resource's id.
pub fn local_id(resource: &Resource) -> Option<String> {
    let identifiers: Vec<Identifier> = parts(&resource.identifier);
    let hospital = |i: &&Identifier| i.system.as_deref().is_some_and(|s| s.contains("1.2.392.100495.20.3.51."));
    let insured = |i: &&Identifier| !i.system.as_deref().is_some_and(|s| s.ends_with("JP_Insurance_memberID"));
    let found = identifiers.iter().find(hospital).or(identifiers.iter().find(insured));
    found.and_then(|i| i.value.clone()).or_else(|| resource.id.clone()).filter(|id| !id.is_empty())
}

fn note_patient(resource: &Resource, url: Option<&str>, patients: &mut Patients) {
    if resource.resource_type == "Patient"
        && let Some(local) = local_id(resource)
    {
        for name in [resource.id.as_deref(), url.map(target)].into_iter().flatten() {
            patients.insert(name.to_owned(), local.clone());
        }
    }
}

/// What the section of a document that names a resource says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Context {
    /// Nothing: it says what it says.
    #[default]
    Itself,
    /// Past illness, family history: not a condition of the person now.
    History,
    /// Purpose or reason of a referral or admission: no visit.
    Reason,
}

/// Codes of `document-section`: 370 and 372 past illness, 550 and 552 family history, 950 purpose, 312 reason.
fn contexts(sections: &[Section], around: Context, out: &mut HashMap<String, Context>) {
    for section in sections {
        let codes = section.code.iter().flat_map(|c| &c.coding).filter_map(|c| c.code.as_deref());
        let own = codes.fold(around, |found, code| match code {
            "370" | "372" | "550" | "552" => Context::History,
            "950" | "312" => Context::Reason,
            _ => found,
        });
        if own != Context::Itself {
            for entry in section.entry.iter().filter_map(|e| e.reference.as_deref()) {
                out.insert(target(entry).to_owned(), own);
            }
        }
        contexts(&section.section, own, out);
    }
}

/// Finds the patients of bulk files, before any row is made.
#[derive(Default)]
pub struct Prescan(Patients);

impl Prescan {
    /// Looks at a file.
    ///
    /// # Errors
    /// When the input fails.
    pub fn member(&mut self, member: Member<'_>) -> Result<(), ReadError> {
        let input = |source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source };
        let mut lines = Lines::new(member.content, LONGEST);
        while let Some(line) = lines.next().map_err(input)? {
            if memchr::memmem::find(line.bytes, b"\"Patient\"").is_some()
                && let Ok(resource) = serde_json::from_slice::<Resource>(line.bytes)
            {
                note_patient(&resource, None, &mut self.0);
            }
        }
        Ok(())
    }

    /// What was found.
    pub fn finish(self) -> Patients {
        self.0
    }
}

/// Reader of FHIR.
pub struct FhirReader {
    options: Options,
    book: Book,
}

impl Default for FhirReader {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl FhirReader {
    /// A reader at the beginning of a payload.
    pub fn new(options: Options) -> Self {
        let book = Book::new(options.chunk_rows);
        Self { options, book }
    }

    /// A resource or a bundle of them. True when it was understood.
    fn resource(&mut self, mut resource: Resource, line: u64) {
        if resource.resource_type == "Bundle" {
            let entries = std::mem::take(&mut resource.entry);
            let mut patients = Patients::new();
            let mut said = HashMap::new();
            for entry in &entries {
                if let Some(inner) = &entry.resource {
                    note_patient(inner, entry.full_url.as_deref(), &mut patients);
                    contexts(&inner.section, Context::Itself, &mut said);
                }
            }
            for entry in entries {
                if let Some(inner) = entry.resource
                    && inner.resource_type != "Bundle"
                {
                    let names = [entry.full_url.as_deref().map(target), inner.id.as_deref()];
                    let context = names.into_iter().flatten().find_map(|n| said.get(n)).copied().unwrap_or_default();
                    self.one(&inner, context, line, &patients);
                }
            }
            return;
        }
        self.one(&resource, Context::Itself, line, &Patients::new());
    }

    fn one(&mut self, resource: &Resource, context: Context, line: u64, patients: &Patients) {
        let subject: Option<Reference> = part(&resource.subject);
        let about = subject.as_ref().or(resource.patient.as_ref()).or(resource.beneficiary.as_ref());
        let about = about.and_then(|r| r.reference.as_deref()).map(target);
        // Those of the bundle first, then those of the bulk files.
        let known = |name: &str| patients.get(name).or_else(|| self.options.patients.get(name));
        let missing = about.is_some_and(|name| known(name).is_none());
        let local = if resource.resource_type == "Patient" {
            local_id(resource)
        } else {
            // A patient who is not there has the name that references give.
            about.map(|name| known(name).cloned().unwrap_or_else(|| name.to_owned()))
        };
        if missing {
            self.book.say_line(Severity::Info, Text::new("fhir-patient-missing"), ("resource", line), 0);
        }
        rows::resource(resource, local.as_deref(), context, line, &mut self.book);
    }

    fn parse(&mut self, bytes: &[u8], line: u64) {
        match serde_json::from_slice::<Resource>(bytes) {
            Ok(resource) if !resource.resource_type.is_empty() => {
                self.book.read();
                self.resource(resource, line);
            }
            _ => self.book.unread(Severity::Error, Text::new("fhir-not-a-resource"), ("resource", line)),
        }
    }
}

impl Reader for FhirReader {
    fn member(&mut self, member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
        let input = |source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source };
        self.book.begin_file(member.path);
        self.book.counts.members += 1;
        self.book.counts.read += 1;
        if member.path.to_ascii_lowercase().ends_with(".json") {
            let mut bytes = Vec::new();
            let limit = self.options.max_file_bytes;
            member.content.take(limit + 1).read_to_end(&mut bytes).map_err(input)?;
            self.book.counts.bytes += bytes.len() as u64;
            if bytes.len() as u64 > limit {
                self.book.unread(Severity::Error, Text::new("formats-file-too-long").with("limit", limit), ("resource", 1));
            } else if bytes.is_empty() {
                self.book.say(Severity::Warning, Text::new("formats-empty"));
            } else {
                self.parse(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes), 1);
            }
        } else {
            let mut lines = Lines::new(member.content, LONGEST);
            while let Some(line) = lines.next().map_err(input)? {
                let number = line.number;
                if line.too_long {
                    let message = Text::new("formats-line-too-long").with("limit", LONGEST);
                    self.book.unread(Severity::Error, message, ("resource", number));
                } else if line.is_blank() {
                    self.book.blank();
                } else {
                    self.parse(line.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line.bytes), number);
                }
                self.book.relieve(out)?;
            }
            self.book.counts.bytes += lines.bytes();
            if lines.bytes() == 0 {
                self.book.say(Severity::Warning, Text::new("formats-empty"));
            }
        }
        self.book.end_file();
        self.book.relieve(out)?;
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        self.book.flush(out)
    }
}
