//! What a file of a checkup delivery is.

use std::collections::{BTreeMap, VecDeque};
use std::io::Read as _;

use messages::{Message as Text, Severity};

use super::archive::{ArchiveFault, entries};
use super::document::{Fault, Root, read_document, text_of};
use super::mapping::Mapping;
use super::rows;
use super::table::{Quotes, Sheet, are_records, fields, texts};
use crate::lines::Lines;
use crate::rows::Book;
use crate::written::Scribe;
use crate::{Home, Member, Output, ReadError, Reader};

/// How to read.
#[derive(Clone)]
pub struct Options {
    /// A chunk is handed out once so many rows wait.
    pub chunk_rows: usize,
    /// Whether the rows are for a lake, which keeps what earlier deliveries said: their units are told too.
    pub lake: bool,
    /// Whose the deliveries are: what an insurer sends is of insured people.
    pub home: Home,
    /// Longer documents are left out, with a finding.
    pub max_document_bytes: u64,
    /// Longer archives are left out, with a finding.
    pub max_archive_bytes: u64,
    /// Mapping for CSV files that have none of their own.
    pub mapping: Option<Mapping>,
    /// Mappings by the path of the file without its ending: what a [`Prescan`] found. One that cannot be read is there as `None`: its
    /// file is not read by another.
    pub mappings: BTreeMap<String, Option<Mapping>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            chunk_rows: 100_000,
            lake: false,
            home: Home::default(),
            max_document_bytes: 32 << 20,
            max_archive_bytes: 256 << 20,
            mapping: None,
            mappings: BTreeMap::new(),
        }
    }
}

/// Adds a line to a record.
fn take_in(record: &mut Vec<u8>, starts: &mut Vec<(u64, usize)>, number: u64, bytes: &[u8]) {
    if !starts.is_empty() {
        record.push(b'\n');
    }
    starts.push((number, record.len()));
    record.extend_from_slice(bytes);
}

/// Longest record of a CSV file, over all its lines.
pub(super) const LONGEST: usize = 1 << 20;
/// Lines of one record: more is a quote that somebody forgot.
pub(super) const MOST_LINES: u64 = 200;

pub(super) fn stem(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem)
}

/// Reads a mapping that lies beside a file, or says why it is none.
fn mapping_of(content: &mut dyn std::io::Read, payload: u32, ordinal: u64) -> Result<Result<Mapping, String>, ReadError> {
    let mut bytes = Vec::new();
    content.take(1 << 20).read_to_end(&mut bytes).map_err(|source| ReadError::Input { payload, ordinal, source })?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned());
    Ok(text.and_then(|text| Mapping::parse(&text).map_err(|e| e.to_string())))
}

/// Finds mappings that lie beside the files they are for: `X.toml` for `X.csv`.
#[derive(Default)]
pub struct Prescan(BTreeMap<String, Option<Mapping>>);

impl Prescan {
    /// Looks at a file.
    ///
    /// # Errors
    /// When the input fails.
    pub fn member(&mut self, member: Member<'_>) -> Result<(), ReadError> {
        if member.path.ends_with(".toml") {
            let found = mapping_of(member.content, member.payload, member.ordinal)?;
            self.0.insert(stem(member.path).to_owned(), found.ok());
        }
        Ok(())
    }

    /// What was found.
    pub fn finish(self) -> BTreeMap<String, Option<Mapping>> {
        self.0
    }
}

/// Reader of checkups.
pub struct CheckupReader {
    options: Options,
    book: Book,
    buffer: Vec<u8>,
    plain: Vec<u8>,
    /// Documents of a directory, and what its index says.
    counted: BTreeMap<String, (Option<u64>, u64)>,
}

impl Default for CheckupReader {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl CheckupReader {
    /// A reader at the beginning of a payload.
    pub fn new(options: Options) -> Self {
        let book = Book::for_lake(options.chunk_rows, options.lake);
        Self { options, book, buffer: Vec::new(), plain: Vec::new(), counted: BTreeMap::new() }
    }

    /// One document. True when it was read.
    fn document(&mut self, path: &str, bytes: &[u8]) -> bool {
        let lower = path.to_ascii_lowercase();
        if lower.ends_with(".xsd") {
            self.book.none("schema");
            return true;
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            self.unread(Text::new("formats-empty"));
            return false;
        }
        let (text, charset) = text_of(bytes);
        if let Some(charset) = charset {
            self.book.say(Severity::Warning, Text::new("formats-charset-differs").with("found", charset.name()));
        }
        let document = match read_document(&text) {
            Ok(document) => document,
            Err(fault) => {
                let code = match fault {
                    Fault::Doctype => "checkup-doctype",
                    Fault::Depth => "checkup-depth",
                    Fault::Malformed => "checkup-malformed",
                };
                self.unread(Text::new(code));
                return false;
            }
        };
        // An archive's index counts the documents beside it, in DATA.
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let archive =
            directory.strip_suffix("/DATA").or_else(|| directory.strip_suffix("/CLAIMS")).unwrap_or(directory).to_owned();
        match document.root {
            Root::Clinical => {
                if directory.ends_with("/DATA") || directory == "DATA" {
                    self.counted.entry(archive).or_default().1 += 1;
                }
                rows::document(&document, &mut self.book);
            }
            Root::Index => {
                self.counted.entry(archive).or_default().0 = document.total;
                self.book.none("index");
            }
            Root::Settlement => self.book.none("settlement"),
            Root::Other => {
                self.unread(Text::new("checkup-unknown-document"));
                return false;
            }
        }
        true
    }

    fn unread(&mut self, message: Text) {
        self.book.unread(Severity::Error, message, ("document", 1));
    }

    fn archive(&mut self, path: &str, out: &mut dyn Output) -> Result<(), ReadError> {
        let bytes = std::mem::take(&mut self.buffer);
        let mut plain = std::mem::take(&mut self.plain);
        match entries(&bytes) {
            Ok(entries) => {
                self.book.counts.read += 1;
                for entry in &entries {
                    let inside = format!("{path}/{}", entry.path);
                    self.book.begin_file(&inside);
                    if entry.unpack(&mut plain) {
                        self.document(&inside, &plain);
                    } else {
                        self.unread(Text::new("checkup-entry"));
                    }
                    self.book.end_file();
                    self.book.relieve(out)?;
                }
            }
            Err(fault) => {
                self.book.counts.unread += 1;
                let code = match fault {
                    ArchiveFault::Directory => "checkup-archive-directory",
                    ArchiveFault::Path => "checkup-archive-path",
                    ArchiveFault::Size => "checkup-archive-size",
                    ArchiveFault::Method => "checkup-archive-method",
                };
                self.book.unread(Severity::Fatal, Text::new(code), ("archive", 1));
            }
        }
        self.buffer = bytes;
        self.plain = plain;
        Ok(())
    }

    fn table(&mut self, mapping: &Mapping, member: Member<'_>, beginning: &[u8], out: &mut dyn Output) -> Result<(), ReadError> {
        let input = |source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source };
        let mut content = beginning.chain(member.content);
        let mut lines = Lines::new(&mut content, LONGEST);
        let mut scribe = Scribe::of(lines.peek(64 << 10).map_err(input)?);
        let (mut ends, mut plain, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let (mut sheet, mut blanks, mut ended) = (None::<Sheet<'_>>, 0u64, false);
        // The record's lines: number and where each begins; and lines that are read again, because no quote joins them.
        let (mut record, mut starts, mut again) = (Vec::new(), Vec::<(u64, usize)>::new(), VecDeque::<(u64, Vec<u8>)>::new());
        let delimiter = mapping.delimiter as u8;
        let mut opened = None;
        loop {
            if let Some((number, bytes)) = again.pop_front() {
                if starts.is_empty() && bytes.is_empty() {
                    blanks += 1;
                    self.book.blank();
                    continue;
                }
                take_in(&mut record, &mut starts, number, &bytes);
            } else {
                match lines.next().map_err(input)? {
                    Some(line) if line.too_long => {
                        let message = Text::new("formats-line-too-long").with("limit", LONGEST);
                        self.book.unread(Severity::Error, message, ("CSV", line.number));
                        continue;
                    }
                    Some(line) if starts.is_empty() && line.is_blank() => {
                        blanks += u64::from(!line.bytes.contains(&0x1A));
                        self.book.blank();
                        continue;
                    }
                    Some(line) => {
                        let bytes = if line.number == 1 {
                            line.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line.bytes)
                        } else {
                            line.bytes
                        };
                        take_in(&mut record, &mut starts, line.number, bytes);
                    }
                    None if starts.is_empty() => break,
                    None => ended = true,
                }
            }
            let (Some(&(first, _)), Some(&(_, last)), held) = (starts.first(), starts.last(), starts.len() as u64) else {
                break;
            };
            let more = !ended && held < MOST_LINES && record.len() < LONGEST;
            let quotes = fields(&record, delimiter, &mut ends, &mut plain);
            let whole = sheet.as_ref().map_or(0, Sheet::width);
            let joined = match quotes {
                Quotes::Open(field) if more => {
                    opened.get_or_insert(field);
                    continue;
                }
                Quotes::Open(_) | Quotes::Broken => false,
                Quotes::Closed if held > 1 => {
                    let line = &record[..starts[1].1 - 1];
                    !are_records(line, &record[last..], opened.unwrap_or_default(), delimiter, whole)
                }
                Quotes::Closed => true,
            };
            opened = None;
            if joined {
                texts(&ends, &plain, &mut scribe, &mut values);
                let read = match &sheet {
                    None => {
                        sheet = Some(Sheet::new(mapping, &values, &mut self.book));
                        true
                    }
                    Some(sheet) => sheet.record(&values, first, &self.options.home, &mut self.book),
                };
                self.book.counts.records += held;
                if read {
                    self.book.counts.records_read += held;
                } else {
                    self.book.counts.records_unread += held;
                }
                self.book.say_met(scribe.take(), ("CSV", first));
            } else {
                // The line is told; those behind it are read for themselves.
                self.book.unread(Severity::Error, Text::new("checkup-open-quote"), ("CSV", first));
                for (n, (number, from)) in starts.iter().enumerate().skip(1).rev() {
                    let to = starts.get(n + 1).map_or(record.len(), |next| next.1 - 1);
                    again.push_front((*number, record[*from..to].to_vec()));
                }
            }
            record.clear();
            starts.clear();
            self.book.relieve(out)?;
        }
        self.book.counts.bytes += lines.bytes();
        self.book.counts.read += 1;
        if blanks > 0 {
            self.book.say(Severity::Info, Text::new("formats-blank-lines").with("count", blanks));
        }
        Ok(())
    }
}

impl Reader for CheckupReader {
    fn member(&mut self, member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
        let input = |source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source };
        let path = member.path;
        self.book.begin_member(path, member.payload, member.ordinal);
        self.book.counts.members += 1;
        let lower = path.to_ascii_lowercase();
        let mut beginning = Vec::new();
        (&mut *member.content).take(4).read_to_end(&mut beginning).map_err(input)?;
        let csv = lower.ends_with(".csv") || lower.ends_with(".tsv") || lower.ends_with(".txt");
        let own = self.options.mappings.get(stem(path)).cloned();
        let broken = matches!(own, Some(None));
        let mapping = own.unwrap_or_else(|| self.options.mapping.clone());
        if lower.ends_with(".toml") {
            let Member { payload, ordinal, content, .. } = member;
            match mapping_of(&mut beginning.chain(content), payload, ordinal)? {
                Ok(_) => {
                    self.book.counts.read += 1;
                    self.book.none("mapping");
                }
                Err(reason) => {
                    self.book.counts.unread += 1;
                    self.unread(Text::new("checkup-mapping-broken").with("reason", reason));
                }
            }
        } else if let (true, Some(mapping)) = (csv, &mapping) {
            let Member { payload, ordinal, size, content, .. } = member;
            self.table(mapping, Member { path, payload, ordinal, size, content }, &beginning, out)?;
        } else if csv {
            self.book.counts.unread += 1;
            self.unread(Text::new(if broken { "checkup-mapping-beside" } else { "checkup-no-mapping" }));
        } else {
            let zip = beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(b"PK\x05\x06");
            let limit = if zip { self.options.max_archive_bytes } else { self.options.max_document_bytes };
            self.buffer.clear();
            self.buffer.extend_from_slice(&beginning);
            member.content.take(limit).read_to_end(&mut self.buffer).map_err(input)?;
            self.book.counts.bytes += self.buffer.len() as u64;
            if self.buffer.len() as u64 > limit {
                self.book.counts.unread += 1;
                self.unread(Text::new("formats-file-too-long").with("limit", limit));
            } else if zip {
                self.archive(path, out)?;
            } else {
                let bytes = std::mem::take(&mut self.buffer);
                if self.document(path, &bytes) {
                    self.book.counts.read += 1;
                } else {
                    self.book.counts.unread += 1;
                }
                self.buffer = bytes;
            }
        }
        self.book.end_file();
        self.book.relieve(out)?;
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        for (archive, (stated, found)) in std::mem::take(&mut self.counted) {
            if let Some(stated) = stated.filter(|s| *s != found) {
                self.book.begin_file(&archive);
                self.book.say(Severity::Warning, Text::new("checkup-index-count").with("expected", stated).with("found", found));
            }
        }
        self.book.flush(out)
    }
}
