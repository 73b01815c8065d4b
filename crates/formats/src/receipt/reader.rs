//! Lines → claims.

use std::collections::HashMap;

use messages::{Message as Text, Severity};

use super::acts::{self, About};
use super::claim::{Claim, Header, columns_message};
use super::diagnoses::Diagnoses;
use super::diagnosis_records::{bundle_diagnosis, diagnosis};
use super::forms::{Form, columns, is_counted};
use super::versions::Versions;
use crate::columns::{Row, Splitter};
use crate::days::Month;
use crate::lines::Lines;
use crate::rows::Book;
use crate::written::Scribe;
use crate::{Home, Member, Output, ReadError, Reader};

/// Longest line that is taken: SJ has 2,400 bytes, a trade name 300.
pub(super) const LONGEST: usize = 1 << 20;

/// How to read.
#[derive(Clone)]
pub struct Options {
    /// A chunk is handed out once so many rows wait.
    pub chunk_rows: usize,
    /// What a [`Prescan`] found; without it every claim stands.
    pub versions: Option<Versions>,
    /// Whether the rows are for a lake, which keeps what earlier deliveries said: their units are told too.
    pub lake: bool,
    /// Whose chart numbers stand bare: shared by the readers of a delivery.
    pub home: Home,
}

impl Default for Options {
    fn default() -> Self {
        Self { chunk_rows: 100_000, versions: None, lake: false, home: Home::default() }
    }
}

/// Finds out which claims were sent again, before any row is made.
#[derive(Default)]
pub struct Prescan(ReceiptReader);

impl Prescan {
    /// One that knows whose charts stand bare: claims are the same by the same ids then as for a reader that knows it.
    pub fn of(home: Home) -> Self {
        Self(ReceiptReader::new(Options { home, ..Options::default() }))
    }

    /// Looks at a file.
    ///
    /// # Errors
    /// When the input fails.
    pub fn member(&mut self, member: Member<'_>) -> Result<(), ReadError> {
        self.0.scan = true;
        self.0.member(member, &mut |_| Ok(()))?;
        self.0.book = Book::new(usize::MAX);
        Ok(())
    }

    /// What was found: for [`Options::versions`].
    pub fn finish(self) -> Versions {
        self.0.found.settle()
    }
}

/// Reader of claims.
pub struct ReceiptReader {
    options: Options,
    book: Book,
    held: Diagnoses,
    scan: bool,
    found: Versions,
    /// Where what is asked twice says its findings the first time.
    spare: Book,
}

impl Default for ReceiptReader {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

/// What a file said so far.
struct File {
    header: Option<Header>,
    claim: Option<Claim>,
    claims: u64,
    points: f64,
    trailer: Option<(u64, Option<i64>, Option<i64>)>,
    returned: bool,
    ordinal: u64,
    counted: HashMap<[u8; 2], u64>,
    dpc_name: bool,
}

impl ReceiptReader {
    /// A reader at the beginning of a payload.
    pub fn new(options: Options) -> Self {
        let book = Book::for_lake(options.chunk_rows, options.lake);
        Self { options, book, held: Diagnoses::default(), scan: false, found: Versions::default(), spare: Book::new(usize::MAX) }
    }

    fn file(&mut self, member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
        let input = |source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source };
        let name = member.path.rsplit('/').next().unwrap_or("").to_ascii_uppercase();
        let mut lines = Lines::new(member.content, LONGEST);
        let mut scribe = Scribe::of(lines.peek(64 << 10).map_err(input)?);
        let mut splitter = Splitter::default();
        let mut file = File {
            header: None,
            claim: None,
            claims: 0,
            points: 0.0,
            trailer: None,
            returned: name.ends_with(".HEN"),
            ordinal: member.ordinal,
            counted: HashMap::new(),
            dpc_name: name.starts_with("RECEIPTD"),
        };
        let (mut blanks, mut empty) = (0u64, true);
        loop {
            let Some(line) = lines.next().map_err(input)? else {
                break;
            };
            empty = false;
            if line.too_long {
                self.book.unread(Severity::Error, Text::new("formats-line-too-long").with("limit", LONGEST), ("?", line.number));
                continue;
            }
            if line.is_blank() {
                blanks += u64::from(!line.bytes.contains(&0x1A));
                self.book.blank();
                continue;
            }
            let mut bytes = line.bytes.strip_suffix(&[0x1A]).unwrap_or(line.bytes);
            if line.number == 1 {
                bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            }
            if self.scan && file.claim.as_ref().is_some_and(|c| c.opened) && !is_boundary(bytes) {
                continue;
            }
            if memchr::memchr(b'"', bytes).is_some() {
                self.book.say_line(Severity::Warning, Text::new("formats-quotes"), ("?", line.number), 0);
                let row = splitter.split_quoted(bytes, b',');
                self.line(&mut file, row, row.rest(1), line.number, &mut scribe, out)?;
            } else {
                let row = splitter.split(bytes, b',');
                self.line(&mut file, row, bytes, line.number, &mut scribe, out)?;
            }
        }
        self.book.counts.bytes += lines.bytes();
        self.end_claim(&mut file, &mut scribe, out)?;
        if empty {
            self.book.say(Severity::Warning, Text::new("formats-empty"));
        } else {
            self.trailer(&file);
        }
        if blanks > 0 {
            self.book.say(Severity::Info, Text::new("formats-blank-lines").with("count", blanks));
        }
        let mut counted: Vec<_> = file.counted.into_iter().collect();
        counted.sort_unstable();
        for (record, count) in counted {
            let record = String::from_utf8_lossy(&record).into_owned();
            self.book.say(Severity::Info, Text::new("receipt-not-kept").with("record", record).with("count", count));
        }
        if file.returned {
            self.book.say(Severity::Warning, Text::new("receipt-returned").with("count", file.claims));
        }
        Ok(())
    }

    fn trailer(&mut self, file: &File) {
        let Some((line, claims, points)) = file.trailer else {
            self.book.say(Severity::Warning, Text::new("receipt-no-trailer"));
            return;
        };
        let at = ("GO", line);
        if claims.is_some_and(|c| c != file.claims as i64) {
            let message = Text::new("receipt-trailer").with("expected", claims.unwrap_or(0)).with("found", file.claims);
            self.book.say_line(Severity::Warning, message, at, 2);
        }
        if points.is_some_and(|p| (p as f64 - file.points).abs() > 0.5) {
            let message = Text::new("receipt-trailer").with("expected", points.unwrap_or(0)).with("found", file.points);
            self.book.say_line(Severity::Warning, message, at, 3);
        }
    }

    fn line(
        &mut self,
        file: &mut File,
        row: Row<'_>,
        bytes: &[u8],
        number: u64,
        scribe: &mut Scribe,
        out: &mut dyn Output,
    ) -> Result<(), ReadError> {
        let Ok(record) = <[u8; 2]>::try_from(row.get(1)) else {
            self.book.unread(Severity::Error, Text::new("receipt-unknown-record"), ("?", number));
            return Ok(());
        };
        match &record {
            b"IR" | b"UK" | b"YK" | b"HM" => {
                self.end_claim(file, scribe, out)?;
                self.header(file, row, &record, number, scribe);
            }
            b"GO" => {
                self.end_claim(file, scribe, out)?;
                file.trailer = Some((number, row.int(2), row.int(3)));
                self.book.read();
            }
            b"RE" => {
                self.end_claim(file, scribe, out)?;
                match &file.header {
                    Some(header) => {
                        let mut claim = Claim::new(header, number, bytes);
                        claim.skip = file.returned.then_some("returned-claim");
                        file.claim = Some(claim);
                        file.claims += 1;
                        self.book.read();
                    }
                    None => self.book.unread(Severity::Error, Text::new("receipt-no-header"), ("RE", number)),
                }
            }
            r if is_counted(r) => {
                *file.counted.entry(record).or_default() += u64::from(!matches!(r, b"MF"));
                if *file.counted.get(&record).unwrap_or(&0) == 0 {
                    file.counted.remove(&record);
                }
                if matches!(r, b"MF") {
                    self.book.none("payment-kind");
                }
                // KK, GA … can stand where a claim's head ends.
                if !matches!(r, b"MF") {
                    self.opened(file, false, scribe);
                }
                self.book.read();
            }
            r if !is_known(r) => self.book.unread(Severity::Error, Text::new("receipt-unknown-record"), (printable(r), number)),
            r if file.claim.is_none() => self.book.unread(Severity::Error, Text::new("receipt-no-claim"), (printable(r), number)),
            b"HO" | b"KO" | b"SN" | b"JD" => {
                if let Some(claim) = file.claim.as_mut() {
                    if claim.opened {
                        self.book.unread(Severity::Error, Text::new("receipt-late-head"), (printable(&record), number));
                        return Ok(());
                    }
                    claim.head(number, bytes);
                    self.book.read();
                }
            }
            r => {
                self.opened(file, r == b"BU", scribe);
                self.book.read();
                if let Some(claim) = file.claim.as_mut() {
                    match claim.skip {
                        Some(_) => {}
                        None => Self::detail(claim, r, row, number, scribe, &mut self.book, &mut self.held),
                    }
                }
            }
        }
        Ok(())
    }

    fn header(&mut self, file: &mut File, row: Row<'_>, record: &[u8; 2], number: u64, scribe: &mut Scribe) {
        let at = (printable(record), number);
        let Some(mut header) = header(row, record, scribe) else {
            self.book.unread(Severity::Error, Text::new("receipt-kind"), at);
            file.header = None;
            return;
        };
        if header.billed.is_none() && file.header.as_ref().is_none_or(|h| h.billed.is_none()) {
            self.book.say_line(Severity::Warning, Text::new("receipt-billed"), at, 8);
        }
        header.billed = header.billed.or(file.header.as_ref().and_then(|h| h.billed));
        file.header = Some(header);
        self.book.read();
    }

    /// Works out the head of the claim at its first line that is none of the head.
    fn opened(&mut self, file: &mut File, bundle: bool, scribe: &mut Scribe) {
        let (dpc_name, ordinal) = (file.dpc_name, file.ordinal);
        let Some(claim) = file.claim.as_mut().filter(|c| !c.opened) else {
            return;
        };
        let billed = file.header.as_ref().and_then(|h| h.billed).map_or(0, Month::number);
        let at = (billed, ordinal, claim.line);
        let rows = claim.skip.is_none() && !self.scan;
        let dpc = bundle || (dpc_name && claim.form == Form::Medical);
        if rows && let Some(versions) = &self.options.versions {
            // Asked without rows first: a claim that was sent again later makes none.
            let mut probe = Claim::copy_of_head(claim);
            let version = probe.open(dpc, &self.options.home, scribe, &mut self.spare, false);
            if let Some((why, finding)) = versions.against(version, at) {
                claim.skip = Some(why);
                claim.opened = true;
                self.book.none(why);
                self.book.say_line(Severity::Info, Text::new(finding), ("RE", claim.line), 0);
                file.points += probe.points().unwrap_or(0.0);
                let _ = scribe.take();
                return;
            }
        }
        let version = claim.open(dpc, &self.options.home, scribe, &mut self.book, rows);
        if claim.skip == Some("returned-claim") && self.options.lake && !self.scan && !claim.local_id.is_empty() {
            // What an earlier delivery said of it does not stand, unless this one has it again.
            claim.patient = self.book.patient(&claim.local_id);
            self.book.gone(&claim.at());
        }
        if claim.local_id.is_empty() && claim.skip.is_none() {
            claim.skip = Some("no-patient");
        }
        if self.scan {
            match claim.skip {
                None => {
                    self.found.note(version, at, claim.points());
                    if matches!(claim.form, Form::Medical | Form::Dpc) {
                        self.found.months.insert((claim.institution.clone(), claim.month.number(), claim.is_inpatient()));
                    }
                }
                Some("returned-claim") => self.found.returned.push((version, billed, claim.points())),
                Some(_) => {}
            }
        }
        file.points += claim.points().unwrap_or(0.0);
        if let Some(why) = claim.skip {
            self.book.none(why);
        } else if self.scan {
            claim.skip = Some("scan");
        }
    }

    fn end_claim(&mut self, file: &mut File, scribe: &mut Scribe, out: &mut dyn Output) -> Result<(), ReadError> {
        self.opened(file, false, scribe);
        if let Some(mut claim) = file.claim.take()
            && claim.skip.is_none()
        {
            acts::close_group(&mut claim, &mut self.book);
            acts::surgeries(&mut claim, &mut self.book);
            claim.close(&mut self.book);
        }
        if self.held.is_full() {
            self.held.write(&mut self.book, out)?;
        }
        self.book.relieve(out)?;
        Ok(())
    }

    fn detail(
        claim: &mut Claim,
        record: &[u8; 2],
        row: Row<'_>,
        number: u64,
        scribe: &mut Scribe,
        book: &mut Book,
        held: &mut Diagnoses,
    ) {
        let form = claim.form;
        let layout = form.layout();
        let at = (printable(record), number);
        if let Some(expected) = columns(form, record)
            && row.len() != expected
            && record != b"CO"
            && record != b"SJ"
        {
            let grave = row.len() < expected || row.any_from(expected + 1);
            let severity = if grave { Severity::Warning } else { Severity::Info };
            book.say_line(severity, columns_message(row.len(), expected), at, 0);
        }
        match record {
            b"BU" => claim.bundle(row, number, book),
            b"SY" => diagnosis(claim, row, at, [2, 3, 4, 5, 6, 7, 8], scribe, book, held),
            b"HS" => diagnosis(claim, row, at, [5, 2, 3, 6, 7, 10, 12], scribe, book, held),
            b"SB" => bundle_diagnosis(claim, row, at, scribe, book, held),
            b"SI" if form != Form::Pharmacy => acts::daily(claim, row, About::Act, &layout.si, at, scribe, book),
            b"IY" if form != Form::Pharmacy => acts::daily(claim, row, About::Drug, &layout.iy, at, scribe, book),
            b"TO" if form != Form::Pharmacy => acts::daily(claim, row, About::Device, &layout.to, at, scribe, book),
            b"SS" if form == Form::Dental => acts::daily(claim, row, About::Act, &layout.ss, at, scribe, book),
            b"SH" | b"CZ" | b"IY" if form == Form::Pharmacy => acts::pharmacy(claim, row, record, number, scribe, book),
            b"CD" => acts::coding(claim, row, number, scribe, book),
            b"SK" => acts::surgery(claim, row, number, scribe, book),
            b"CO" | b"SJ" => acts::comment(claim, row, form, at, scribe, book),
            _ => {
                book.none("record-of-another-kind");
                book.say_line(Severity::Warning, Text::new("receipt-other-kind").with("kind", form.name()), at, 0);
            }
        }
    }
}

/// What IR, UK or YK says; `None` for a kind of claim that is not read.
pub(super) fn header(row: Row<'_>, record: &[u8; 2], scribe: &mut Scribe) -> Option<Header> {
    let table = row.get(4);
    let form = match (record, table) {
        (b"HM", _) | (_, b"6") => None,
        (b"YK", _) | (_, b"4") => Some(Form::Pharmacy),
        (b"UK", _) | (_, b"3") => Some(Form::Dental),
        (b"IR", _) => Some(Form::Medical),
        _ => None,
    }?;
    let place = |n: usize, scribe: &mut Scribe| row.code(n, scribe).into_owned();
    let (prefecture, code) = (place(3, scribe), place(5, scribe));
    let institution = format!("{prefecture:0>2}{}{code:0>7}", String::from_utf8_lossy(table));
    let billed = [8, 7].into_iter().find_map(|n| Month::of(row.get(n)));
    Some(Header { form, institution, billed })
}

/// A record's two letters, when they are that: what else stands there may be a part of a name.
fn printable(record: &[u8; 2]) -> &str {
    match std::str::from_utf8(record) {
        Ok(text) if record.iter().all(u8::is_ascii_uppercase) => text,
        _ => "?",
    }
}

/// Records of a claim that rows are made of.
pub(super) fn is_known(record: &[u8; 2]) -> bool {
    const KNOWN: [&[u8; 2]; 19] = [
        b"RE", b"HO", b"KO", b"SN", b"JD", b"BU", b"SY", b"SB", b"HS", b"SI", b"IY", b"TO", b"SS", b"CO", b"SJ", b"SK", b"CD",
        b"SH", b"CZ",
    ];
    KNOWN.contains(&record)
}

/// Lines that begin or end a claim or a file.
fn is_boundary(bytes: &[u8]) -> bool {
    matches!(bytes.get(..2), Some(b"RE" | b"IR" | b"UK" | b"YK" | b"HM" | b"GO")) || bytes.first() == Some(&b'"')
}

impl Reader for ReceiptReader {
    fn member(&mut self, member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
        self.book.begin_member(member.path, member.payload, member.ordinal);
        self.book.counts.members += 1;
        self.book.counts.read += 1;
        self.file(member, out)?;
        self.book.end_file();
        self.book.relieve(out)?;
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        self.held.write(&mut self.book, out)?;
        self.book.flush(out)
    }
}
