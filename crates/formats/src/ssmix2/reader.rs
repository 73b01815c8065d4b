//! Files of a storage, collected by patient → chunks.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Read;

use messages::{Message as Text, Severity};
use omop::{Head, SourceFileRow, SourceState};
use terms::{Micros, PatientIdRule};

use super::file::Desk;
use super::kinds::{Kind, Subject};
use super::location::{Location, Part, Spans};
use super::prescan::{patient_id, same_patient};
use super::sheet::{Book, RowIds, Sheet};
use super::staff::Staff;
use super::{WRONG_PATIENT, person};
use crate::hl7::Time;
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
    spans: Spans,
    payload: u32,
    ordinal: u64,
    /// Where its bytes are in the arena; empty for files that are not read.
    bytes: std::ops::Range<usize>,
    too_large: bool,
}

impl Waiting {
    fn location(&self) -> Location<'_> {
        self.spans.of(&self.path)
    }
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
    desk: Desk,
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
            desk: Desk::default(),
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
            patients.push(Patient { local_id: patient, set_aside: reason(aside), also: Vec::new() });
        }
        patients.extend(others.into_iter().map(|local_id| Patient { local_id, set_aside: reason(true), also: Vec::new() }));
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
            let location = file.location();
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
            let location = file.location();
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
                    let mut same_key = files[at + 1..].iter().take_while(|n| same_unit(&n.location(), &location));
                    if let Some(later) = same_key.find(|n| stands_before(n, file)) {
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
                    if file.too_large {
                        let message = Text::new("ssmix2-too-large").with("limit", self.options.max_file_bytes);
                        sheet.say(Severity::Error, message);
                    }
                    if !file.too_large && self.desk.read(&mut sheet, bytes, &location, &mut facility) {
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
                self.desk.message(&arena[file.bytes.clone()], |message, _, _| {
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
            return if self.book.findings.len() >= MOST_WAITING { self.flush(out) } else { Ok(()) };
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
                spans: location.spans(member.path),
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

/// Reads a single file: for fuzzers, and for whoever asks what one file says.
pub fn read_one(path: &str, bytes: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut reader = Ssmix2Reader::new(Options::default());
    let mut take = |chunk| {
        chunks.push(chunk);
        Ok(())
    };
    let mut content = bytes;
    let member = Member { path, payload: 1, ordinal: 0, size: bytes.len() as u64, content: &mut content };
    // Neither a slice nor a vector can refuse.
    let _ = reader.member(member, &mut take).and_then(|()| reader.finish(&mut take));
    chunks
}

/// Files of a patient stand by data type, care date, order number, then time, then path.
fn order_of(file: &Waiting) -> (&str, &str, &str, &str, &str) {
    let l = file.location();
    (l.kind, l.date, l.order, l.stamp, &file.path)
}

fn same_unit(one: &Location<'_>, other: &Location<'_>) -> bool {
    (one.order, one.kind, one.date) == (other.order, other.kind, other.date)
}

/// Whether a later live file of the same key takes the place of this one. In the extended storage several files of one
/// folder are one unit: only a file of a later folder does.
fn stands_before(later: &Waiting, file: &Waiting) -> bool {
    let (later, file) = (later.location(), file.location());
    later.state == SourceState::Live && (!later.extended || later.stamp != file.stamp)
}

/// Day that stands in where a file states none, and time of the file's name.
fn stamp(location: Location<'_>) -> (i32, Micros) {
    let sent = Time::parse(location.stamp).ok();
    let care = Time::parse(location.date).ok();
    let day = care.or(sent).map_or(0, |t| t.day);
    let micros = sent.and_then(|t| t.micros).unwrap_or(i64::from(day) * 86_400_000_000);
    (day, micros)
}
