//! Lines and bundles → resources; who they are about.

use std::collections::HashMap;
use std::io::Read as _;

use messages::{Message as Text, Severity};
use serde::Deserialize as _;

use super::patients::{self, About, Patients, about, entry_name, scope};
use super::resource::{Entry, Identifier, Resource, Section, part};
use super::rows;
use crate::lines::Lines;
use crate::rows::Book;
use crate::{Home, Member, Output, ReadError, Reader};

/// Longest resource of a line: documents with a PDF reach tens of megabytes.
pub(super) const LONGEST: usize = 64 << 20;

/// Bundles in bundles that are followed.
pub(super) const DEEPEST: usize = 4;

/// How to read.
#[derive(Clone)]
pub struct Options {
    /// A chunk is handed out once so many rows wait.
    pub chunk_rows: usize,
    /// Longer JSON files that are no NDJSON are left out, with a finding.
    pub max_file_bytes: u64,
    /// What a [`Prescan`] found: patients may come after what is about them.
    pub patients: Patients,
    /// Whether the rows are for a lake, which keeps what earlier deliveries said: their units are told too.
    pub lake: bool,
    /// Whose patient numbers stand bare: shared by the readers of a delivery.
    pub home: Home,
}

impl Default for Options {
    fn default() -> Self {
        Self { chunk_rows: 100_000, max_file_bytes: 256 << 20, patients: Patients::default(), lake: false, home: Home::default() }
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
                out.insert(entry_name(entry).to_owned(), own);
            }
        }
        contexts(&section.section, own, out);
    }
}

/// Whether a file is one resource, and not one a line.
pub(super) fn is_one(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".json")
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
        // One resource in many lines, as the reader takes it.
        if is_one(member.path) {
            let mut bytes = Vec::new();
            let limit = Options::default().max_file_bytes;
            member.content.take(limit + 1).read_to_end(&mut bytes).map_err(input)?;
            if bytes.len() as u64 <= limit
                && let Ok(resource) = serde_json::from_slice::<Resource>(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes))
                && resource.resource_type == "Patient"
            {
                self.0.note(&resource, None, scope(member.path));
            }
            return Ok(());
        }
        let mut lines = Lines::new(member.content, LONGEST);
        while let Some(line) = lines.next().map_err(input)? {
            if memchr::memmem::find(line.bytes, b"\"Patient\"").is_some()
                && let Ok(resource) = serde_json::from_slice::<Resource>(line.bytes)
            {
                self.0.note(&resource, None, scope(member.path));
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
    scope: String,
    /// Hash of what is being read, and the number of the entry in it: they name a resource that has no name.
    content: String,
    entry: usize,
}

impl Default for FhirReader {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl FhirReader {
    /// A reader at the beginning of a payload.
    pub fn new(options: Options) -> Self {
        let book = Book::for_lake(options.chunk_rows, options.lake);
        Self { options, book, scope: String::new(), content: String::new(), entry: 0 }
    }

    /// A resource or a bundle of them, which may lie in another one.
    fn resource(&mut self, mut resource: Resource, line: u64, depth: usize) {
        if resource.resource_type == "Bundle" {
            let entries = std::mem::take(&mut resource.entry);
            let document = self.document(&resource);
            if let Some(name) = document.as_deref().filter(|_| self.options.lake)
                && !self.book.first(&[b"document", name.as_bytes()])
            {
                // Which of two is right nobody here knows, and in a lake both would count.
                self.book.none("told-already");
                self.book.say_line(Severity::Warning, Text::new("fhir-again"), ("resource", line), 0);
                return;
            }
            let mut patients = Patients::default();
            let mut said = HashMap::new();
            for entry in &entries {
                if let Some(inner) = &entry.resource {
                    patients.note(inner, entry.full_url.as_deref(), &self.scope);
                    contexts(&inner.section, Context::Itself, &mut said);
                }
            }
            for entry in entries {
                self.entry += 1;
                if let Some(inner) = entry.resource {
                    if inner.resource_type == "Bundle" {
                        if depth < DEEPEST {
                            self.resource(*inner, line, depth + 1);
                        } else {
                            self.book.say_line(Severity::Error, Text::new("fhir-entry").with("entry", 0), ("resource", line), 0);
                        }
                        continue;
                    }
                    let url = entry.full_url.as_deref();
                    let names = [url.map(entry_name), inner.id.as_deref()];
                    let context = names.into_iter().flatten().find_map(|n| said.get(n)).copied().unwrap_or_default();
                    self.one(&inner, url, context, line, Some((&patients, document.as_deref())));
                }
            }
            return;
        }
        self.one(&resource, None, Context::Itself, line, None);
    }

    /// Names hold within a folder: a delivery of two servers has two. The folder stands in keys as a hash, as its name can be anybody's.
    fn folder(&self) -> String {
        match self.scope.as_str() {
            "" => "-".to_owned(),
            scope => format!("{:016x}", crate::seen::key(&[scope.as_bytes()]) as u64),
        }
    }

    /// The name of a document by which a later one replaces it: its identifier, else what is in it. Other bundles are none: their entries
    /// have names of their own.
    fn document(&self, bundle: &Resource) -> Option<String> {
        let kind = bundle.kind.as_ref().and_then(|k| k.as_str());
        kind.filter(|kind| *kind == "document")?;
        let identifier: Option<Identifier> = part(&bundle.identifier);
        let stated = identifier.and_then(|i| i.value.map(|value| [i.system.unwrap_or_default(), value].join("|")));
        Some(stated.filter(|name| name != "|").unwrap_or_else(|| self.content.clone()))
    }

    fn one(
        &mut self,
        resource: &Resource,
        url: Option<&str>,
        context: Context,
        line: u64,
        bundle: Option<(&Patients, Option<&str>)>,
    ) {
        let (bundled, none) = (bundle.is_some(), Patients::default());
        let own = bundle.map_or(&none, |(patients, _)| patients);
        let unit = match (bundle.and_then(|(_, document)| document), resource.id.as_deref().filter(|id| !id.is_empty()), url) {
            (Some(document), ..) => format!("document|{document}"),
            (None, Some(id), _) => format!("{}|{}|{id}", resource.resource_type, self.folder()),
            (None, None, Some(url)) => format!("{}|-|{url}", resource.resource_type),
            (None, None, None) => format!("{}|-|{}.{}", resource.resource_type, self.content, self.entry),
        };
        let Options { home, patients, .. } = &self.options;
        let local = if resource.resource_type == "Patient" {
            let local = patients::local_id(resource, url, &self.scope, home);
            if let Some(local) = &local {
                self.book.also(local, patients::stated_numbers(resource, home));
            }
            local
        } else {
            let code = match about(resource, url, &self.scope, own, patients, home) {
                About::Known(local) => Ok(local),
                About::Missing(name) if rows::is_known(resource) => {
                    self.book.say_line(Severity::Info, Text::new("fhir-patient-missing"), ("resource", line), 0);
                    Ok(name)
                }
                About::Missing(name) => Ok(name),
                About::Several => Err(Some("fhir-patient-twice")),
                About::NoPerson => Err(Some("fhir-no-person")),
                About::Nobody => Err(None),
            };
            match code {
                Ok(local) => Some(local),
                Err(Some(code)) if rows::is_known(resource) => {
                    let severity = if code == "fhir-no-person" { Severity::Warning } else { Severity::Error };
                    self.book.say_line(severity, Text::new(code), ("resource", line), 0);
                    self.book.none("no-patient");
                    return;
                }
                Err(_) => None,
            }
        };
        // Told already under its name on a server, or under its id in the folder of a bulk export: of two nobody here knows which is right,
        // and a sum would count both. In a document names hold within it.
        let named = match (url, resource.id.as_deref()) {
            (Some(url), _) if url.starts_with("http") => Some(("", url)),
            (None, Some(id)) if !bundled => Some((self.scope.as_str(), id)),
            _ => None,
        };
        if let Some((scope, name)) = named.filter(|_| resource.resource_type != "Patient" && rows::is_known(resource)) {
            let parts = [b"fhir".as_slice(), scope.as_bytes(), resource.resource_type.as_bytes(), name.as_bytes()];
            if !self.book.first(&parts) {
                self.book.none("told-already");
                self.book.say_line(Severity::Warning, Text::new("fhir-again"), ("resource", line), 0);
                return;
            }
        }
        // In a lake all rows of a unit stand: a bundle beside bulk files, or a line that came twice, would count twice.
        let again =
            |book: &mut Book| local.as_deref().is_some_and(|local| !book.first(&[b"unit", local.as_bytes(), unit.as_bytes()]));
        if self.options.lake && !unit.starts_with("document|") && rows::is_known(resource) && again(&mut self.book) {
            self.book.none("told-already");
            self.book.say_line(Severity::Warning, Text::new("fhir-again"), ("resource", line), 0);
            return;
        }
        rows::resource(resource, local.as_deref(), &unit, context, line, &mut self.book);
    }

    /// A bundle in which an entry is none: the others are read. False when it is no bundle at all.
    fn apart(&mut self, bytes: &[u8], line: u64) -> bool {
        let Ok(value) = serde_json::from_slice(bytes) else { return false };
        let mut unread = Vec::new();
        let Some(bundle) = whole(value, 0, "", &mut unread) else { return false };
        self.book.read();
        for entry in unread {
            self.book.unread(Severity::Error, Text::new("fhir-entry").with("entry", entry), ("resource", line));
        }
        self.resource(bundle, line, 0);
        true
    }

    fn parse(&mut self, bytes: &[u8], line: u64) {
        if self.options.lake {
            (self.content, self.entry) = (format!("{:032x}", crate::seen::key(&[bytes])), 0);
        }
        match serde_json::from_slice::<Resource>(bytes) {
            Ok(resource) if !resource.resource_type.is_empty() => {
                self.book.read();
                self.resource(resource, line, 0);
            }
            Err(_) if self.apart(bytes, line) => {}
            _ => self.book.unread(Severity::Error, Text::new("fhir-not-a-resource"), ("resource", line)),
        }
    }
}

/// A bundle with those of its entries that can be read, also within bundles in it; the places of the others (`3`, `2.1`).
fn whole(value: serde_json::Value, depth: usize, at: &str, unread: &mut Vec<String>) -> Option<Resource> {
    let serde_json::Value::Object(mut bundle) = value else { return None };
    let serde_json::Value::Array(entries) = bundle.remove("entry")? else { return None };
    let mut resource: Resource = serde_json::from_value(serde_json::Value::Object(bundle)).ok()?;
    if resource.resource_type != "Bundle" {
        return None;
    }
    for (number, mut entry) in (1u64..).zip(entries) {
        let place = format!("{at}{number}");
        if let Ok(read) = Entry::deserialize(&entry) {
            resource.entry.push(read);
            continue;
        }
        let inner = entry.get_mut("resource").map(serde_json::Value::take);
        match inner.filter(|_| depth < DEEPEST).and_then(|inner| whole(inner, depth + 1, &format!("{place}."), unread)) {
            Some(inner) => resource.entry.push(Entry { full_url: None, resource: Some(Box::new(inner)) }),
            None => unread.push(place),
        }
    }
    Some(resource)
}

impl Reader for FhirReader {
    fn member(&mut self, member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
        let input = |source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source };
        self.book.begin_member(member.path, member.payload, member.ordinal);
        scope(member.path).clone_into(&mut self.scope);
        self.book.counts.members += 1;
        self.book.counts.read += 1;
        if is_one(member.path) {
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
