//! Files of a storage, collected by patient → chunks.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Read;

use messages::{Message as Text, Severity};
use omop::{Head, SourceFileRow, SourceState};
use terms::{Micros, PatientIdRule};

use super::kinds::{Kind, SEGMENTS, Subject};
use super::location::{Location, Part};
use super::prescan::{patient_id, same_patient, stated_id};
use super::sheet::{Book, NoRow, RowIds, Sheet};
use super::staff::Staff;
use super::{WRONG_PATIENT, allergies, diagnoses, diet, drugs, person, procedures, results, visits};
use crate::charset::{self, Charset};
use crate::hl7::{Delimiters, Message, Parser, Time};
use crate::{Chunk, Counts, Member, Output, Patient, ReadError, Reader};

/// How to read.
#[derive(Clone)]
pub struct Options {
    /// A chunk is handed out at the next patient once so many bytes wait. Eight times as much is handed out at once.
    pub chunk_bytes: usize,
    /// Longer files are left out, with a finding.
    pub max_file_bytes: u64,
    /// Whether `source_file` rows carry the bytes of live files.
    pub keep_source: bool,
    /// How the provider's patient ids are compared.
    pub patient_id_rule: PatientIdRule,
    /// Ids of patients to be set aside from the beginning: what a [`super::Prescan`] found.
    pub set_aside: BTreeSet<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            chunk_bytes: 16 << 20,
            max_file_bytes: 64 << 20,
            keep_source: true,
            patient_id_rule: PatientIdRule::default(),
            set_aside: BTreeSet::new(),
        }
    }
}

/// A file that waits for its patient to be complete.
struct Waiting {
    path: String,
    payload: u32,
    ordinal: u64,
    /// Where its bytes are in the arena; empty for files that are not read.
    bytes: std::ops::Range<usize>,
    too_large: bool,
}

/// More files than this do not wait, however small they are.
const MOST_WAITING: usize = 200_000;

/// Reader of SS-MIX2 storages.
pub struct Ssmix2Reader {
    options: Options,
    set_aside: HashSet<String>,
    arena: Vec<u8>,
    patients: Vec<(String, Vec<Waiting>)>,
    by_id: HashMap<String, usize>,
    waiting: usize,
    book: Book,
    counts: Counts,
    parser: Parser,
}

impl Ssmix2Reader {
    /// A reader at the beginning of a payload.
    pub fn new(options: Options) -> Self {
        let canonical = |id: &String| options.patient_id_rule.canonical(id).ok().map(|c| c.reveal().to_owned());
        let set_aside = options.set_aside.iter().filter_map(canonical).collect();
        Self {
            options,
            set_aside,
            arena: Vec::new(),
            patients: Vec::new(),
            by_id: HashMap::new(),
            waiting: 0,
            book: Book::default(),
            counts: Counts::default(),
            parser: Parser::default(),
        }
    }

    fn canonical(&self, id: &str) -> String {
        self.options.patient_id_rule.canonical(id).map_or_else(|_| id.to_owned(), |c| c.reveal().to_owned())
    }

    fn put_aside(&mut self, ids: [&str; 2]) {
        for id in ids {
            let id = self.canonical(id);
            self.set_aside.insert(id);
        }
    }

    fn flush(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        if self.counts == Counts::default() {
            return Ok(());
        }
        let mut waiting = std::mem::take(&mut self.patients);
        self.by_id.clear();
        self.waiting = 0;
        let arena = std::mem::take(&mut self.arena);
        let mut others: BTreeSet<String> = BTreeSet::new();
        for (patient, files) in &mut waiting {
            files.sort_by(|a, b| order_of(a).cmp(&order_of(b)));
            self.check_ids(patient, files, &arena, &mut others);
        }
        let reason = |aside: bool| aside.then(|| WRONG_PATIENT.to_owned());
        let mut patients = Vec::with_capacity(waiting.len());
        for (number, (patient, files)) in waiting.into_iter().enumerate() {
            let aside = !self.set_aside.is_empty() && self.set_aside.contains(&self.canonical(&patient));
            self.patient(number as i64, &patient, &files, &arena, aside);
            others.remove(&patient);
            patients.push(Patient { local_id: patient, set_aside: reason(aside) });
        }
        patients.extend(others.into_iter().map(|local_id| Patient { local_id, set_aside: reason(true) }));
        self.arena = arena;
        self.arena.clear();
        let mut counts = std::mem::take(&mut self.counts);
        counts.rows = std::mem::take(&mut self.book.rows);
        counts.without_row =
            std::mem::take(&mut self.book.without_row).into_iter().map(|(why, n)| (why.name().to_owned(), n)).collect();
        out.chunk(Chunk {
            patients,
            tables: self.book.columns.finish(),
            findings: std::mem::take(&mut self.book.findings),
            counts,
        })
    }

    /// Compares path, name and PID-3 of every live file; whoever is mixed up is set aside before any row is made.
    fn check_ids(&mut self, patient: &str, files: &[Waiting], arena: &[u8], others: &mut BTreeSet<String>) {
        for file in files {
            let Some(location) = Location::of(&file.path) else {
                continue;
            };
            for difference in location.differences(&file.path) {
                let spelling = same_patient(self.options.patient_id_rule, difference.folder, difference.name);
                if difference.part == Part::Patient && !spelling {
                    self.wrong_patient(patient, difference.folder, &file.path, others);
                } else {
                    let message = Text::new("ssmix2-path-differs")
                        .with("part", difference.part.name())
                        .with("path", difference.folder)
                        .with("name", difference.name);
                    self.book.say(Severity::Warning, message, &file.path);
                }
            }
            if location.state != SourceState::Live {
                continue;
            }
            let Some(stated) = patient_id(&arena[file.bytes.clone()]) else {
                continue;
            };
            if stated == patient {
                continue;
            }
            if same_patient(self.options.patient_id_rule, patient, &stated) {
                let message = Text::new("ssmix2-patient-id-spelling").with("path", patient).with("file", &stated);
                self.book.say(Severity::Warning, message, &file.path);
            } else {
                self.wrong_patient(patient, &stated, &file.path, others);
            }
        }
    }

    fn wrong_patient(&mut self, patient: &str, other: &str, path: &str, others: &mut BTreeSet<String>) {
        self.put_aside([patient, other]);
        others.insert(other.to_owned());
        let message = Text::new(WRONG_PATIENT).with("path", patient).with("file", other);
        self.book.say(Severity::Fatal, message, path);
    }

    /// All files of one patient, in the order of their keys and times.
    fn patient(&mut self, number: i64, patient: &str, files: &[Waiting], arena: &[u8], aside: bool) {
        let mut ids = RowIds::default();
        let mut staff = Staff::default();
        let mut facility = String::new();
        let mut latest_pid: Option<(&Waiting, Location<'_>)> = None;
        let mut has_basics = false;
        for (at, file) in files.iter().enumerate() {
            let Some(location) = Location::of(&file.path) else {
                continue;
            };
            let key = [location.kind, "|", location.date, "|", location.order].concat();
            let (day, source_ts) = stamp(location);
            let head = Head { record_id: number, source_key: &key, source_ts, source_state: location.state };
            let bytes = &arena[file.bytes.clone()];
            self.book.columns.source_file.push(
                &head,
                &SourceFileRow {
                    data_type: location.kind,
                    payload: i32::try_from(file.payload).unwrap_or(i32::MAX),
                    ordinal: i64::try_from(file.ordinal).unwrap_or(i64::MAX),
                    path: &file.path,
                    content: (location.state == SourceState::Live && self.options.keep_source && !file.too_large)
                        .then_some(bytes),
                },
            );
            match location.state {
                SourceState::Deleted => self.counts.deleted += 1,
                SourceState::Superseded => self.counts.superseded += 1,
                SourceState::Live if aside => self.counts.set_aside += 1,
                SourceState::Live => {
                    // Files are in the order of their times: only the last live one of a key is valid.
                    let same_key = |next: &&Waiting| {
                        Location::of(&next.path).is_some_and(|n| {
                            n.state == SourceState::Live && same_unit(&n, &location) && same_document(next, file, &n)
                        })
                    };
                    if let Some(later) = files[at + 1..].iter().take_while(|n| same_prefix(n, &location)).find(same_key) {
                        self.counts.duplicate += 1;
                        let message = Text::new("ssmix2-two-live").with("other", &later.path);
                        self.book.say(Severity::Warning, message, &file.path);
                        continue;
                    }
                    let Some(kind) = Kind::of(&location) else {
                        self.counts.unread += 1;
                        let message = Text::new("ssmix2-unknown-type").with("value", location.kind);
                        self.book.say(Severity::Error, message, &file.path);
                        continue;
                    };
                    let mut sheet = Sheet::new(&mut self.book, &mut ids, &mut staff, head, (&file.path, patient), kind, day);
                    let read = self::read(
                        &mut sheet,
                        &mut self.parser,
                        file,
                        bytes,
                        &location,
                        &mut facility,
                        self.options.max_file_bytes,
                    );
                    if read {
                        self.counts.read += 1;
                        has_basics |= kind.subject == Subject::Basics;
                        if latest_pid.is_none_or(|(_, l)| l.stamp <= location.stamp) {
                            latest_pid = Some((file, location));
                        }
                    } else {
                        self.counts.unread += 1;
                    }
                }
            }
        }
        if aside {
            return;
        }
        if let (false, Some((file, location))) = (has_basics, latest_pid) {
            // No basics in what was sent: who the patient is stands in every other file too.
            let (day, source_ts) = stamp(location);
            let head = Head { record_id: number, source_key: "PID|-|-", source_ts, source_state: SourceState::Live };
            if let Some(kind) = Kind::of(&location) {
                let mut sheet = Sheet::new(&mut self.book, &mut ids, &mut staff, head, (&file.path, patient), kind, day);
                with_message(&mut self.parser, &arena[file.bytes.clone()], |message, _, _| {
                    if let Some(pid) = message.first(b"PID") {
                        person::person(&mut sheet, pid);
                    }
                });
            }
        }
        staff.write(number, &facility, &mut self.book);
    }
}

impl Reader for Ssmix2Reader {
    fn member(&mut self, member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
        let Some(location) = Location::of(member.path) else {
            self.counts.members += 1;
            self.counts.bytes += member.size;
            self.counts.unread += 1;
            self.book.say(Severity::Error, Text::new("ssmix2-file-name"), member.path);
            return Ok(());
        };
        let known = self.by_id.get(location.patient).copied();
        let full = self.arena.len() >= self.options.chunk_bytes || self.waiting >= MOST_WAITING;
        let overfull = self.arena.len() >= self.options.chunk_bytes.saturating_mul(8) || self.waiting >= 2 * MOST_WAITING;
        let known = if (full && known.is_none()) || overfull {
            self.flush(out)?;
            None
        } else {
            known
        };
        let start = self.arena.len();
        let mut too_large = false;
        let mut size = member.size;
        if location.state == SourceState::Live {
            let limit = self.options.max_file_bytes;
            let read = member.content.take(limit.saturating_add(1)).read_to_end(&mut self.arena);
            read.map_err(|source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source })?;
            size = (self.arena.len() - start) as u64;
            if size > limit {
                too_large = true;
                self.arena.truncate(start);
            }
        }
        self.counts.members += 1;
        self.counts.bytes += size;
        let patient = match known {
            Some(at) => at,
            None => {
                self.by_id.insert(location.patient.to_owned(), self.patients.len());
                self.patients.push((location.patient.to_owned(), Vec::new()));
                self.patients.len() - 1
            }
        };
        self.waiting += 1;
        if let Some((_, files)) = self.patients.get_mut(patient) {
            files.push(Waiting {
                path: member.path.to_owned(),
                payload: member.payload,
                ordinal: member.ordinal,
                bytes: start..self.arena.len(),
                too_large,
            });
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        self.flush(out)
    }
}

/// Files of a patient stand by data type, care date, order number, then time, then path.
fn order_of(file: &Waiting) -> (&str, &str, &str, &str, &str) {
    match Location::of(&file.path) {
        Some(l) => (l.kind, l.date, l.order, l.stamp, &file.path),
        None => ("", "", "", "", &file.path),
    }
}

fn same_unit(one: &Location<'_>, other: &Location<'_>) -> bool {
    (one.kind, one.date, one.order) == (other.kind, other.date, other.order)
}

fn same_prefix(file: &Waiting, location: &Location<'_>) -> bool {
    Location::of(&file.path).is_some_and(|l| same_unit(&l, location))
}

/// In the extended storage several files of one folder are one unit: only a file of a later folder stands before them.
fn same_document(next: &Waiting, file: &Waiting, later: &Location<'_>) -> bool {
    !later.extended || Location::of(&file.path).is_some_and(|l| l.stamp != later.stamp) || next.path == file.path
}

/// Day that stands in where a file states none, and time of the file's name.
fn stamp(location: Location<'_>) -> (i32, Micros) {
    let sent = Time::parse(location.stamp).ok();
    let care = Time::parse(location.date).ok();
    let day = care.or(sent).map_or(0, |t| t.day);
    let micros = sent.and_then(|t| t.micros).unwrap_or(i64::from(day) * 86_400_000_000);
    (day, micros)
}

/// Decodes and splits a file, and hands the message on; `false` when it is none.
fn with_message(parser: &mut Parser, bytes: &[u8], use_it: impl FnOnce(Message<'_>, Charset, charset::Notes)) -> bool {
    let bytes = charset::trim(bytes);
    let Some(delimiters) = Delimiters::of(bytes) else {
        return false;
    };
    let mut spare = String::new();
    let decoded = charset::decode(bytes, delimiters.bytes(), &mut spare);
    let (charset, notes) = (decoded.charset, decoded.notes);
    match parser.parse(&decoded.text, delimiters) {
        Some(message) => {
            use_it(message, charset, notes);
            true
        }
        None => false,
    }
}

/// Reads one live file; `false` with a finding when nothing can be read from it.
fn read(
    sheet: &mut Sheet<'_>,
    parser: &mut Parser,
    file: &Waiting,
    bytes: &[u8],
    location: &Location<'_>,
    facility: &mut String,
    limit: u64,
) -> bool {
    if file.too_large {
        sheet.say(Severity::Error, Text::new("ssmix2-too-large").with("limit", limit));
        return false;
    }
    let message = charset::trim(bytes);
    if message.is_empty() {
        sheet.say(Severity::Error, Text::new("ssmix2-empty-file"));
        return false;
    }
    if location.extended && !message.starts_with(b"MSH") {
        sheet.say(Severity::Info, Text::new("ssmix2-document-not-read"));
        return false;
    }
    let mut loaded = false;
    let split = with_message(parser, bytes, |message, charset, notes| {
        loaded = map(sheet, message, charset, notes, location, facility);
    });
    if !split {
        sheet.say(Severity::Error, Text::new("ssmix2-not-hl7"));
    }
    split && loaded
}

fn map(
    sheet: &mut Sheet<'_>,
    message: Message<'_>,
    charset: Charset,
    notes: charset::Notes,
    location: &Location<'_>,
    facility: &mut String,
) -> bool {
    encoding(sheet, message, charset, notes);
    let Some(pid) = message.first(b"PID") else {
        sheet.say(Severity::Error, Text::new("ssmix2-patient-id-missing"));
        return false;
    };
    if stated_id(pid).is_none() {
        sheet.say_at(Severity::Error, Text::new("ssmix2-patient-id-missing"), pid, 3);
        return false;
    }
    for segment in message.segments() {
        let id = segment.id();
        if !SEGMENTS.contains(&&id) {
            let known = Text::new("ssmix2-unknown-segment").with("name", segment.name());
            sheet.say_at(Severity::Info, known, segment, 0);
        }
    }
    let kind = sheet.kind;
    if cancels(sheet, message, kind) {
        sheet.none(NoRow::Cancelled);
        return true;
    }
    care_date(sheet, message, kind, location);
    if let Some(sender) = message.first(b"MSH").and_then(|msh| msh.field(4).component(1).text()) {
        facility.clear();
        facility.push_str(&sender);
    }
    if let Some(pv1) = message.first(b"PV1") {
        let at = sheet.head.source_ts;
        sheet.staff.doctor(pv1.field(7), pv1.field(10), at);
    }
    needed(sheet, message, kind);
    match kind.subject {
        Subject::Basics => person::basics(sheet, message),
        Subject::AttendingDoctor => visits::attending(sheet, message),
        Subject::Visit(word) => visits::event(sheet, message, word),
        Subject::Planned => sheet.none(NoRow::Planned),
        Subject::Allergies => allergies::allergies(sheet, message),
        Subject::Diagnoses => diagnoses::diagnoses(sheet, message),
        Subject::Diet => diet::diet(sheet, message),
        Subject::Prescription | Subject::InjectionOrder => drugs::orders(sheet, message, drugs::type_of(kind.subject)),
        Subject::Dispensing | Subject::Administration => drugs::given(sheet, message, drugs::type_of(kind.subject)),
        Subject::Order | Subject::LabResult | Subject::Physiology | Subject::Vitals => {
            results::results(sheet, message, kind.subject);
        }
        Subject::Procedure => procedures::procedures(sheet, message),
    }
    true
}

/// Findings about the characters of a file.
fn encoding(sheet: &mut Sheet<'_>, message: Message<'_>, charset: Charset, notes: charset::Notes) {
    if message.stray_lines > 0 {
        sheet.say(Severity::Warning, Text::new("ssmix2-stray-line").with("count", message.stray_lines));
    }
    let declared = message.first(b"MSH").map_or("", |msh| msh.field(18).raw());
    let fits = match charset {
        Charset::Ascii => true,
        Charset::Iso2022 => {
            declared.contains("IR87") || declared.contains("IR 87") || declared.contains("IR1") || declared.contains("IR 1")
        }
        Charset::Utf8 => declared.to_ascii_uppercase().contains("UTF-8"),
        Charset::Cp932 | Charset::EucJp => false,
    };
    if !fits || notes.eight_bit_in_iso2022 {
        let message = Text::new("ssmix2-charset-differs").with("declared", declared).with("found", charset.name());
        sheet.say(Severity::Warning, message);
    }
    for (code, severity, count) in [
        ("ssmix2-return-escape", Severity::Warning, notes.returns_repaired),
        ("ssmix2-undecodable", Severity::Error, notes.undecodable),
        ("ssmix2-gaiji", Severity::Warning, notes.gaiji),
        ("ssmix2-old-kanji-set", Severity::Info, notes.old_sets),
    ] {
        if count > 0 {
            sheet.say(severity, Text::new(code).with("count", count));
        }
    }
}

/// Checks MSH-9; says whether the message takes back what the data type states.
fn cancels(sheet: &mut Sheet<'_>, message: Message<'_>, kind: Kind) -> bool {
    let Some(msh) = message.first(b"MSH") else {
        return false;
    };
    let (code, event) = (msh.field(9).component(1).code(), msh.field(9).component(2).code());
    let expected = kind.message;
    if (code, event) == (Some(expected.0), Some(expected.1)) {
        return false;
    }
    let stated = [code.unwrap_or(""), event.unwrap_or("")].join("^");
    if code == Some(expected.0) && event.is_some() && event == kind.cancel {
        sheet.say_at(Severity::Warning, Text::new("ssmix2-cancel-live").with("value", stated), msh, 9);
        return true;
    }
    let message = Text::new("ssmix2-message-type")
        .with("value", stated)
        .with("expected", [expected.0, expected.1].join("^"))
        .with("name", kind.name);
    sheet.say_at(Severity::Warning, message, msh, 9);
    false
}

/// The care date of the name against the field that it is taken from.
fn care_date(sheet: &mut Sheet<'_>, message: Message<'_>, kind: Kind, location: &Location<'_>) {
    let Some((id, field)) = kind.care_date else {
        return;
    };
    let Some(segment) = message.first(id) else {
        return;
    };
    let Some(text) = segment.field(field).component(1).subcomponent(1).code() else {
        return;
    };
    let (Ok(stated), Ok(named)) = (Time::parse(text), Time::parse(location.date)) else {
        return;
    };
    if !stated.partial && stated.day != named.day {
        let message = Text::new("ssmix2-care-date-differs").with("value", text).with("name", location.date);
        sheet.say_at(Severity::Warning, message, segment, field);
    }
}

/// Without these segments a message says nothing.
fn needed(sheet: &mut Sheet<'_>, message: Message<'_>, kind: Kind) {
    let id: &[u8; 3] = match kind.subject {
        Subject::Visit(_) => b"PV1",
        Subject::Allergies => b"IAM",
        Subject::Diagnoses => b"PRB",
        Subject::Diet => b"ODS",
        Subject::Prescription | Subject::InjectionOrder => b"RXE",
        Subject::Dispensing | Subject::Administration => b"RXA",
        Subject::LabResult | Subject::Physiology | Subject::Vitals => b"OBX",
        Subject::Procedure => b"OBR",
        Subject::Basics | Subject::AttendingDoctor | Subject::Planned | Subject::Order => return,
    };
    if message.first(id).is_none() {
        let name = String::from_utf8_lossy(id).into_owned();
        sheet.say(Severity::Warning, Text::new("ssmix2-segment-missing").with("name", name));
    }
}
