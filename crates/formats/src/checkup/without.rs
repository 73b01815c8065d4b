//! Checkups without some people: documents and their settlements stay or go as a whole, in archives and beside them; records of CSV files by
//! their mapping.
//!
//! The index says how many documents there are (`totalRecordCount`): what was left out is taken off. The summary of settlements states sums of
//! amounts that are not in the documents: it stays as it is, and does not add up any more. An archive of which something goes is packed
//! anew, its other entries as they were packed before.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use super::archive::{Entry, entries};
use super::document::{Document, Root, is_schema, read_document, text_of};
use super::mapping::Mapping;
use super::reader::{LONGEST, MOST_LINES, Options, stem};
use super::rows::insured;
use super::table::{Quotes, Sheet, are_records, fields, texts};
use crate::Home;
use crate::rows::Book;
use crate::without::{Kept, People, Raw, WithoutError, nobodys};
use crate::written::Scribe;

/// What is known of the files of a delivery before the first is written.
#[derive(Default)]
pub struct Beside {
    mappings: BTreeMap<String, Option<Mapping>>,
    loose: Documents,
}

/// Documents of people, by archive.
#[derive(Default)]
struct Documents {
    /// Names without their first letter, which a settlement shares with its document: whether it is left out.
    by_name: BTreeMap<(String, String), bool>,
    /// How many of an archive's documents are left out.
    left: BTreeMap<String, u64>,
}

/// What becomes of a file.
enum Verdict {
    Keep {
        people: bool,
    },
    Leave,
    /// The index, with so many documents less.
    Index(u64),
}

/// The archive of a path, and the file's name without its first letter.
fn place(path: &str) -> (String, String) {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let archive = ["DATA", "CLAIMS"].iter().find_map(|part| {
        let above = directory.strip_suffix(part)?;
        (above.is_empty() || above.ends_with('/')).then(|| above.trim_end_matches('/').to_owned())
    });
    let rest = name.char_indices().nth(1).map_or("", |(at, _)| &name[at..]);
    (archive.unwrap_or_else(|| directory.to_owned()), rest.to_ascii_lowercase())
}

fn names_schema(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".xsd")
}

/// Whether the person of a document is left out. Refused when nobody can tell who it is, or no list could name whoever it is.
fn is_left(path: &str, document: &Document<'_>, people: &mut People) -> Result<bool, WithoutError> {
    let insured = insured(document);
    let unknown = || nobodys(path, 1, "formats-no-patient");
    let local_id = insured.local_id().ok_or_else(unknown)?;
    if !insured.is_listable() {
        return Err(nobodys(path, 1, "formats-card-incomplete"));
    }
    people.is_left(&local_id).ok_or_else(unknown)
}

impl Documents {
    /// Notes a document of a person.
    fn note(&mut self, path: &str, bytes: &[u8], people: &mut People) -> Result<(), WithoutError> {
        let (text, _) = text_of(bytes);
        if names_schema(path) {
            return if is_schema(&text) { Ok(()) } else { Err(nobodys(path, 1, "checkup-unknown-document")) };
        }
        let document = read_document(&text).map_err(|_| nobodys(path, 1, "checkup-malformed"))?;
        if document.root == Root::Clinical {
            let left = is_left(path, &document, people)?;
            let (archive, name) = place(path);
            *self.left.entry(archive.clone()).or_default() += u64::from(left);
            // Two of one name: whichever it is of that is left out, the settlement goes.
            *self.by_name.entry((archive, name)).or_default() |= left;
        }
        Ok(())
    }

    fn verdict(&self, path: &str, bytes: &[u8], people: &mut People) -> Result<Verdict, WithoutError> {
        let (text, _) = text_of(bytes);
        if names_schema(path) && is_schema(&text) {
            return Ok(Verdict::Keep { people: false });
        }
        let document = read_document(&text).map_err(|_| nobodys(path, 1, "checkup-malformed"))?;
        let unknown = || nobodys(path, 1, "formats-no-patient");
        let place = place(path);
        Ok(match document.root {
            Root::Clinical => match is_left(path, &document, people)? {
                true => Verdict::Leave,
                false => Verdict::Keep { people: true },
            },
            Root::Index => Verdict::Index(self.left.get(&place.0).copied().unwrap_or(0)),
            Root::Settlement => match self.by_name.get(&place) {
                Some(true) => Verdict::Leave,
                Some(false) => Verdict::Keep { people: true },
                // `su08_V08.xml` is the summary of all.
                None if path.rsplit('/').next().is_some_and(|name| name.to_ascii_lowercase().starts_with("su")) => {
                    Verdict::Keep { people: false }
                }
                None => return Err(unknown()),
            },
            Root::Other => return Err(nobodys(path, 1, "checkup-unknown-document")),
        })
    }
}

/// The index with so many documents less.
fn less(path: &str, bytes: &[u8], left: u64) -> Result<Vec<u8>, WithoutError> {
    if left == 0 {
        return Ok(bytes.to_vec());
    }
    let unknown = || nobodys(path, 1, "checkup-index-count");
    let find = |what: &[u8], from: usize| memchr::memmem::find(&bytes[from..], what).map(|at| from + at + what.len());
    let element = find(b"totalRecordCount", 0).ok_or_else(unknown)?;
    let value = find(b"value", element).filter(|value| !bytes[element..*value].contains(&b'>')).ok_or_else(unknown)?;
    let from = value + bytes[value..].iter().position(u8::is_ascii_digit).ok_or_else(unknown)?;
    let to = from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    // Between the attribute's name and its number stand `=` and a quote alone.
    if !bytes[value..from].iter().all(|b| matches!(b, b'=' | b'"' | b'\'') || b.is_ascii_whitespace()) {
        return Err(unknown());
    }
    let stated: u64 = std::str::from_utf8(&bytes[from..to]).ok().and_then(|n| n.parse().ok()).ok_or_else(unknown)?;
    Ok([&bytes[..from], stated.saturating_sub(left).to_string().as_bytes(), &bytes[to..]].concat())
}

impl Beside {
    /// Looks at a file.
    pub(crate) fn look(&mut self, path: &str, content: &mut dyn Read, people: &mut People) -> Result<(), WithoutError> {
        let lower = path.to_ascii_lowercase();
        if lower.ends_with(".toml") {
            let bytes = whole(path, content, 1 << 20)?;
            let mapping = std::str::from_utf8(&bytes).ok().and_then(|text| Mapping::parse(text).ok());
            self.mappings.insert(stem(path).to_owned(), mapping);
        } else if !is_table(&lower) {
            let bytes = whole(path, content, Options::default().max_archive_bytes)?;
            if !is_zip(&bytes) {
                self.loose.note(path, &bytes, people)?;
            }
        }
        Ok(())
    }

    /// Writes a file without those who are left out.
    pub(crate) fn write(
        &self,
        path: &str,
        content: &mut dyn Read,
        out: &mut dyn Write,
        home: &Home,
        people: &mut People,
    ) -> Result<Kept, WithoutError> {
        let lower = path.to_ascii_lowercase();
        if is_table(&lower) {
            let mapping = self.mappings.get(stem(path)).and_then(Option::as_ref);
            let mapping = mapping.ok_or_else(|| nobodys(path, 1, "checkup-no-mapping"))?;
            return table(path, mapping, content, out, home, people);
        }
        let bytes = whole(path, content, Options::default().max_archive_bytes)?;
        if lower.ends_with(".toml") {
            // Only what says what columns mean goes unseen.
            if self.mappings.get(stem(path)).is_none_or(Option::is_none) {
                return Err(nobodys(path, 1, "checkup-mapping-beside"));
            }
            out.write_all(&bytes)?;
            return Ok(Kept::default());
        }
        if is_zip(&bytes) {
            return archive(path, &bytes, out, people);
        }
        Ok(match self.loose.verdict(path, &bytes, people)? {
            Verdict::Leave => Kept { left_out: 1, ..Kept::default() },
            Verdict::Index(left) => {
                out.write_all(&less(path, &bytes, left)?)?;
                Kept::default()
            }
            Verdict::Keep { people } => {
                out.write_all(&bytes)?;
                Kept { people, ..Kept::default() }
            }
        })
    }
}

fn is_table(lower: &str) -> bool {
    [".csv", ".tsv", ".txt"].iter().any(|end| lower.ends_with(end))
}

fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

fn whole(path: &str, content: &mut dyn Read, limit: u64) -> Result<Vec<u8>, WithoutError> {
    let mut bytes = Vec::new();
    content.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(nobodys(path, 1, "formats-file-too-long")) } else { Ok(bytes) }
}

fn archive(path: &str, bytes: &[u8], out: &mut dyn Write, people: &mut People) -> Result<Kept, WithoutError> {
    let found = entries(bytes).map_err(|_| nobodys(path, 1, "checkup-archive-directory"))?;
    let mut documents = Documents::default();
    let mut plain = Vec::new();
    let inside = |entry: &Entry<'_>| format!("{path}/{}", entry.path);
    for entry in &found {
        if !entry.unpack(&mut plain) {
            return Err(nobodys(&inside(entry), 1, "checkup-entry"));
        }
        documents.note(&inside(entry), &plain, people)?;
    }
    let (mut kept, mut packed) = (Kept::default(), Packed::default());
    for entry in &found {
        entry.unpack(&mut plain);
        let path = inside(entry);
        match documents.verdict(&path, &plain, people)? {
            Verdict::Leave => kept.left_out += 1,
            Verdict::Index(left) if left > 0 => packed.stored(entry, &less(&path, &plain, left)?),
            Verdict::Index(_) => packed.as_packed(entry),
            Verdict::Keep { people } => {
                kept.people |= people;
                packed.as_packed(entry);
            }
        }
    }
    // Bytes that no entry names may be a document that somebody took out of the directory alone.
    if kept.left_out == 0 && !super::archive::has_gaps(bytes, &found) {
        out.write_all(bytes)?;
    } else {
        out.write_all(&packed.finish())?;
    }
    Ok(kept)
}

/// An archive being packed (APPNOTE 4.3.7, 4.3.12, 4.3.16).
#[derive(Default)]
struct Packed {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Packed {
    fn add(&mut self, entry: &Entry<'_>, method: u16, crc: u32, size: usize, packed: &[u8]) {
        let offset = self.bytes.len() as u32;
        // Bit 3: sizes behind the data. Here they stand before it.
        let flags = entry.flags & !8;
        let mut head = Vec::with_capacity(26);
        for word in [20, flags, method] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        for long in [entry.time, crc, packed.len() as u32, size as u32] {
            head.extend_from_slice(&long.to_le_bytes());
        }
        head.extend_from_slice(&(entry.name.len() as u16).to_le_bytes());
        head.extend_from_slice(&[0, 0]);
        self.bytes.extend_from_slice(b"PK\x03\x04");
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(entry.name);
        self.bytes.extend_from_slice(packed);
        self.directory.extend_from_slice(b"PK\x01\x02");
        self.directory.extend_from_slice(&20u16.to_le_bytes());
        self.directory.extend_from_slice(&head);
        // No comment, first disk, no attributes.
        self.directory.extend_from_slice(&[0; 10]);
        self.directory.extend_from_slice(&offset.to_le_bytes());
        self.directory.extend_from_slice(entry.name);
        self.count += 1;
    }

    fn as_packed(&mut self, entry: &Entry<'_>) {
        self.add(entry, if entry.deflated { 8 } else { 0 }, entry.crc, entry.size as usize, entry.packed);
    }

    fn stored(&mut self, entry: &Entry<'_>, plain: &[u8]) {
        let mut crc = flate2::Crc::new();
        crc.update(plain);
        self.add(entry, 0, crc.sum(), plain.len(), plain);
    }

    fn finish(mut self) -> Vec<u8> {
        let (offset, size) = (self.bytes.len() as u32, self.directory.len() as u32);
        self.bytes.append(&mut self.directory);
        self.bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        for count in [self.count, self.count] {
            self.bytes.extend_from_slice(&count.to_le_bytes());
        }
        for long in [size, offset] {
            self.bytes.extend_from_slice(&long.to_le_bytes());
        }
        self.bytes.extend_from_slice(&[0, 0]);
        self.bytes
    }
}

/// Whether a line end of another kind stands outside the quotes of a record.
fn is_torn(record: &[u8], other_end: u8) -> bool {
    let mut inside = false;
    record.trim_ascii_end().iter().any(|b| {
        inside ^= *b == b'"';
        !inside && *b == other_end
    })
}

/// A CSV file: records can run over several lines where a quote joins them. A quote that may be a mark that somebody typed is refused.
fn table(
    path: &str,
    mapping: &Mapping,
    content: &mut dyn Read,
    out: &mut dyn Write,
    home: &Home,
    people: &mut People,
) -> Result<Kept, WithoutError> {
    let (mut lines, beginning) = Raw::new(content, LONGEST)?;
    let mut scribe = Scribe::of(&beginning);
    let (mut ends, mut plain, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut sheet: Option<Sheet<'_>> = None;
    let mut kept = Kept::default();
    // The record as the reader sees it and as it came; where its last line begins, and which field a quote opened.
    let (mut record, mut raw, mut first, mut held, mut opened) = (Vec::new(), Vec::new(), 0, 0u64, None);
    let delimiter = mapping.delimiter as u8;
    while lines.advance(path)? {
        if held == 0 && lines.is_blank() {
            out.write_all(lines.whole())?;
            continue;
        }
        if held == 0 {
            first = lines.number();
        } else {
            record.push(b'\n');
        }
        held += 1;
        let last = record.len();
        record.extend_from_slice(lines.text());
        raw.extend_from_slice(lines.whole());
        let unknown = |why| nobodys(path, first, why);
        if held > MOST_LINES || record.len() > LONGEST {
            return Err(unknown("checkup-open-quote"));
        }
        match fields(&record, delimiter, &mut ends, &mut plain) {
            Quotes::Open(field) => {
                opened.get_or_insert(field);
                continue;
            }
            Quotes::Broken => return Err(unknown("checkup-open-quote")),
            Quotes::Closed => {}
        }
        if is_torn(&record, lines.other_end()) {
            return Err(unknown("formats-line-in-line"));
        }
        let width = sheet.as_ref().map_or(0, Sheet::width);
        let line = record.split(|b| *b == b'\n').next().unwrap_or(&[]);
        if held > 1 && are_records(line, &record[last..], opened.unwrap_or_default(), delimiter, width) {
            return Err(unknown("checkup-open-quote"));
        }
        texts(&ends, &plain, &mut scribe, &mut values);
        match &sheet {
            None => {
                let read = Sheet::new(mapping, &values, &mut Book::new(usize::MAX));
                // The line may be a person's where it is none.
                if !read.tells_people(home) {
                    return Err(unknown("checkup-mapping-columns"));
                }
                sheet = Some(read);
                out.write_all(&raw)?;
            }
            Some(sheet) => {
                // With a field too many nobody knows which is the id.
                if values.len() > sheet.width() && values[sheet.width()..].iter().any(|v| !v.trim().is_empty()) {
                    return Err(unknown("formats-columns"));
                }
                let id = sheet.local_id(&values, home).ok_or_else(|| unknown("formats-no-patient"))?;
                if !sheet.is_listable(&values, home) {
                    return Err(unknown("formats-card-incomplete"));
                }
                if people.is_left(&id).ok_or_else(|| unknown("formats-no-patient"))? {
                    kept.left_out += 1;
                } else {
                    kept.people = true;
                    out.write_all(&raw)?;
                }
            }
        }
        record.clear();
        raw.clear();
        (held, opened) = (0, None);
    }
    if held > 0 {
        return Err(nobodys(path, first, "checkup-open-quote"));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settlement_is_found_by_the_name_of_its_document() {
        assert_eq!(place("a.zip/x/DATA/h131.xml"), place("a.zip/x/CLAIMS/c131.xml"));
        assert_ne!(place("a.zip/x/DATA/h131.xml"), place("a.zip/y/CLAIMS/c131.xml"));
        assert_eq!(place("DATA/h1.xml"), (String::new(), "1.xml".to_owned()));
        assert_eq!(place("x/ix08_V08.xml").0, "x");
    }

    #[test]
    fn the_index_counts_what_is_left_and_nothing_else_of_it_changes() {
        let index = b"<index>\n<totalRecordCount value = '12'/><n value='12'/></index>";
        assert_eq!(less("ix", index, 2).expect("counted"), b"<index>\n<totalRecordCount value = '10'/><n value='12'/></index>");
        assert_eq!(less("ix", index, 0).expect("counted"), index);
        assert!(less("ix", b"<index><totalRecordCount/><n value='12'/></index>", 1).is_err_and(|e| e.to_string().contains("ix")));
    }
}
