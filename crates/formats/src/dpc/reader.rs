//! What a file is, its lines, and whose they are.

use std::collections::{HashMap, HashSet};

use messages::{Message as Text, Severity};
use terms::Sex;

use super::acts;
use super::amounts::{self, Amounts};
use super::kinds::{is_header, kind_of, name};
use super::layouts::{Kind, Layout, Role, layout};
use super::stays::{Act, MOST_FORM1, Stays, Unit};
use crate::columns::{Row, Splitter};
use crate::days::{day, typed};
use crate::lines::Lines;
use crate::receipt::diagnoses::Diagnoses;
use crate::rows::{At, Book, Cover, Who, name_parts};
use crate::seen::{ByItself, hash64};
use crate::written::{Scribe, narrow};
use crate::{Home, Member, Output, ReadError, Reader};

/// Longest line that is taken.
pub(super) const LONGEST: usize = 1 << 20;
/// Lines of a file whose hashes are kept to find doubles: about 250 MB.
const MOST_LINES: usize = 12_000_000;

/// How to read.
#[derive(Clone)]
pub struct Options {
    /// A chunk is handed out once so many rows wait.
    pub chunk_rows: usize,
    /// Which amounts count: the others have their points alone.
    pub amounts: Amounts,
    /// Whether the rows are for a lake, which keeps what earlier deliveries said: their units are told too, those of acts by month.
    pub lake: bool,
    /// Whose patient numbers stand bare: shared by the readers of a delivery.
    pub home: Home,
}

impl Default for Options {
    fn default() -> Self {
        Self { chunk_rows: 100_000, amounts: Amounts::default(), lake: false, home: Home::default() }
    }
}

/// Reader of DPC files.
pub struct DpcReader {
    pub(super) options: Options,
    pub(super) book: Book,
    pub(super) held: Diagnoses,
    pub(super) unit: Unit,
    pub(super) acts: HashMap<u128, Act, ByItself>,
    pub(super) months: acts::Months,
    pub(super) form1: Stays,
    layout: Option<&'static Layout>,
    lines: HashSet<u64, ByItself>,
}

impl Default for DpcReader {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl DpcReader {
    /// A reader at the beginning of a payload.
    pub fn new(options: Options) -> Self {
        Self {
            book: Book::for_lake(options.chunk_rows, options.lake),
            options,
            held: Diagnoses::default(),
            unit: Unit::default(),
            acts: HashMap::default(),
            months: acts::Months::default(),
            form1: Stays::default(),
            layout: None,
            lines: HashSet::default(),
        }
    }

    fn file(&mut self, member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
        let input = |source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source };
        let mut lines = Lines::new(member.content, LONGEST);
        let beginning = lines.peek(64 << 10).map_err(input)?;
        let kind = kind_of(member.path, beginning);
        self.months.begin(member.path);
        let mut scribe = Scribe::of(beginning);
        let mut splitter = Splitter::default();
        self.layout = None;
        let (mut blanks, mut empty, mut first, mut names) = (0u64, true, true, None);
        while let Some(line) = lines.next().map_err(input)? {
            empty = false;
            let number = line.number;
            if line.too_long {
                self.book.unread(Severity::Error, Text::new("formats-line-too-long").with("limit", LONGEST), ("?", number));
                continue;
            }
            if line.is_blank() {
                blanks += u64::from(!line.bytes.contains(&0x1A));
                self.book.blank();
                continue;
            }
            let Some(kind) = kind else {
                self.book.unread(Severity::Error, Text::new("dpc-unknown-file"), ("?", number));
                continue;
            };
            let mut bytes = line.bytes.strip_suffix(&[0x1A]).unwrap_or(line.bytes);
            if number == 1 {
                bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            }
            let row = if memchr::memchr(b'"', bytes).is_some() {
                self.book.say_line(Severity::Warning, Text::new("formats-quotes"), (name(kind), number), 0);
                splitter.split_quoted(bytes, b'\t')
            } else {
                splitter.split(bytes, b'\t')
            };
            if std::mem::take(&mut first) && is_header(row.get(1), &mut scribe) {
                self.book.read();
                if kind == Kind::K {
                    names = Some(Names::of(row, &mut scribe));
                }
                let _ = scribe.take();
                continue;
            }
            if self.lines.len() >= MOST_LINES {
                self.lines.clear();
            }
            // Lines with a day of their own are told once in a delivery; those of F and 様式4 may be the same in another month.
            let salt = match kind {
                Kind::EFn | Kind::EFg | Kind::E | Kind::D | Kind::H => 0,
                Kind::F => self.months.number() + 1,
                _ => member.ordinal + 1,
            };
            if !self.lines.insert(hash64(7 + ((kind as u64) << 8) + (salt << 16), bytes)) {
                self.book.unread(Severity::Warning, Text::new("dpc-double-line"), (name(kind), number));
                continue;
            }
            self.row(kind, row, number, &mut scribe, names.as_ref());
            self.book.say_met(scribe.take(), (name(kind), number));
            if self.form1.lines > MOST_FORM1 {
                self.close_stays(out)?;
            }
            self.relieve(out)?;
        }
        self.book.counts.bytes += lines.bytes();
        self.close_stays(out)?;
        if empty {
            self.book.say(Severity::Warning, Text::new("formats-empty"));
        }
        if blanks > 0 {
            self.book.say(Severity::Info, Text::new("formats-blank-lines").with("count", blanks));
        }
        Ok(())
    }

    /// Writes the stays of 様式1 that were gathered, in the order in which they began.
    fn close_stays(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        let (stays, last) = (self.form1.take(), std::mem::take(&mut self.unit));
        for (key, unit, stay) in stays {
            let content = stay.content();
            match self.form1.written.get(&key) {
                None => {
                    self.form1.written.insert(key, content);
                    self.unit = unit;
                    stay.write(&mut self.unit, &mut self.book);
                    self.relieve(out)?;
                }
                Some(before) => {
                    // Which of two is right nobody here knows: the first stands.
                    let same = *before == content;
                    let severity = if same { Severity::Warning } else { Severity::Error };
                    let code = if same { "dpc-stay-twice" } else { "dpc-stay-differs" };
                    self.book.none("double-stay");
                    self.book.say_line(severity, Text::new(code), ("FF1", stay.line()), 0);
                }
            }
        }
        self.unit = last;
        if !self.unit.local_id.is_empty() {
            self.unit.patient = self.book.patient(&self.unit.local_id);
        }
        Ok(())
    }

    fn relieve(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        if self.book.relieve(out)? {
            // Numbers of patients are those of a chunk.
            self.unit.patient = self.book.patient(&self.unit.local_id);
        }
        if self.held.is_full() {
            self.held.write(&mut self.book, out)?;
            self.unit.patient = self.book.patient(&self.unit.local_id);
        }
        Ok(())
    }

    fn row(&mut self, kind: Kind, row: Row<'_>, number: u64, scribe: &mut Scribe, names: Option<&Names>) {
        match kind {
            Kind::FF3 => {
                // Facts of the hospital and its wards: nothing about patients.
                self.book.none("ward-facts");
                self.book.read();
                return;
            }
            Kind::K => return self.identifiers(row, number, scribe, names),
            _ => {}
        }
        let Some(layout) = self.chosen(kind, row, number) else {
            self.book.unread(Severity::Error, Text::new("dpc-unknown-file"), (name(kind), number));
            return;
        };
        let needed = match kind {
            Kind::EFn | Kind::EFg | Kind::E | Kind::D => layout.at(Role::date),
            Kind::F => layout.at(Role::price),
            Kind::H => layout.at(Role::p1),
            Kind::FF1 => layout.at(Role::p1),
            _ => layout.at(Role::discharge),
        };
        if row.len() < needed {
            let message = Text::new("dpc-short").with("found", row.len()).with("expected", layout.width);
            self.book.unread(Severity::Error, message, (name(kind), number));
            return;
        }
        if row.len() != layout.width {
            let message = Text::new("formats-columns").with("found", row.len()).with("expected", layout.width);
            self.book.say_line(Severity::Warning, message, (name(kind), number), 0);
        }
        if !self.whose(kind, row, layout, number, scribe) {
            return;
        }
        match kind {
            Kind::EFn | Kind::EFg => acts::ef(self, row, layout, kind == Kind::EFg, number, scribe),
            Kind::E => acts::e(self, row, layout, number, scribe),
            Kind::F => acts::f(self, row, layout, number, scribe),
            Kind::D => acts::d(self, row, layout, number, scribe),
            Kind::H => acts::h(self, row, layout, number, scribe),
            Kind::FF4 => acts::ff4(self, row, layout, number),
            Kind::FF1 => acts::ff1(self, row, layout, number, scribe),
            Kind::FF3 | Kind::K => {}
        }
    }

    /// The layout for the line's day of service; the last one as long as it holds.
    fn chosen(&mut self, kind: Kind, row: Row<'_>, number: u64) -> Option<&'static Layout> {
        if let Some(layout) = self.layout.filter(|l| l.kind == kind) {
            let place = match kind {
                Kind::FF1 | Kind::FF4 | Kind::F => layout.at(Role::admission),
                _ => layout.at(Role::date),
            };
            match day(row.get(place)) {
                Some(d) if d.day < layout.valid.0 || d.day > layout.valid.1 => {}
                _ => return Some(layout),
            }
        }
        let any = layout(kind, i32::MAX - 1)?.0;
        let place = match kind {
            Kind::FF1 | Kind::FF4 | Kind::F => any.at(Role::admission),
            _ => any.at(Role::date),
        };
        let service = day(row.get(place)).map(|d| d.day);
        let (found, holds) = layout(kind, service.unwrap_or(i32::MAX - 1))?;
        if !holds {
            self.book.say_line(Severity::Info, Text::new("dpc-before-layouts"), (name(kind), number), 0);
        }
        self.layout = Some(found);
        Some(found)
    }

    /// Settles the patient and the stay of a line. False when the line cannot be read: it is told then.
    fn whose(&mut self, kind: Kind, row: Row<'_>, layout: &'static Layout, number: u64, scribe: &mut Scribe) -> bool {
        let (third, fourth) = match kind {
            Kind::EFg => (Role::birth, Role::visit_date),
            Kind::FF1 => (Role::stay_number, Role::admission),
            _ => (Role::discharge, Role::admission),
        };
        let parts = [Role::facility, Role::data_id, third, fourth].map(|r| row.get(layout.at(r)));
        let same = {
            let mut rest = self.unit.raw.as_slice();
            !rest.is_empty()
                && parts.iter().all(|p| match rest.strip_prefix(*p) {
                    Some(after) => {
                        rest = after.get(1..).unwrap_or(&[]);
                        true
                    }
                    None => false,
                })
                && rest.first() == Some(&(kind as u8 + 1))
        };
        if same {
            return true;
        }
        let [facility, id, third, fourth] = parts;
        let id = id_text(id, scribe);
        if id.is_empty() {
            self.book.unread(Severity::Error, Text::new("formats-no-patient"), (name(kind), number));
            return false;
        }
        let at = (name(kind), number);
        let column = layout.at(if kind == Kind::EFg { Role::visit_date } else { Role::admission });
        let start = match day(fourth) {
            Some(d) => Some(d.day),
            None => {
                let text = scribe.text(fourth);
                let guessed = typed(&narrow(&text)).map(|d| d.day);
                let severity = if guessed.is_some() { Severity::Warning } else { Severity::Error };
                let message = if guessed.is_some() { "formats-date-style" } else { "formats-date" };
                if guessed.is_none() {
                    self.book.unread(severity, Text::new(message), at);
                    return false;
                }
                self.book.say_line(severity, Text::new(message), at, column);
                guessed
            }
        };
        let stated = |bytes: &[u8]| !bytes.is_empty() && !matches!(bytes, b"00000000" | b"99999999");
        let other = if kind == Kind::FF1 { None } else { day(third).map(|d| d.day) };
        if kind != Kind::FF1 && other.is_none() && stated(third) {
            let column = layout.at(if kind == Kind::EFg { Role::birth } else { Role::discharge });
            self.book.say_line(Severity::Warning, Text::new("formats-date"), at, column);
        }
        let facility = String::from_utf8_lossy(facility).into_owned();
        let unit = &mut self.unit;
        unit.raw.clear();
        for part in parts {
            unit.raw.extend_from_slice(part);
            unit.raw.push(b'\t');
        }
        unit.raw.push(kind as u8 + 1);
        unit.local_id = self.options.home.local_id(&facility, &id);
        unit.stay = amounts::stay(&facility, &id, fourth);
        unit.facility = facility;
        unit.start = start;
        (unit.birth, unit.end) = if kind == Kind::EFg { (other, None) } else { (None, other) };
        unit.insurer.clear();
        let first = start.unwrap_or_default();
        unit.ts = i64::from(unit.end.unwrap_or(first)) * 86_400_000_000;
        unit.key = format!(
            "{}|{}|{}|{}",
            name(kind),
            unit.facility,
            first,
            String::from_utf8_lossy(if kind == Kind::FF1 { third } else { b"" })
        );
        unit.whole = unit.key.len();
        unit.patient = self.book.patient(&unit.local_id);
        match kind {
            Kind::EFg => {
                if let Some(birth) = other {
                    let at = At { patient: unit.patient, key: &unit.key, ts: unit.ts };
                    self.book.who(&at, &Who { local_id: &unit.local_id, birth: Some(birth), ..Who::default() });
                }
                acts::reception(self);
            }
            Kind::FF1 => {}
            // For a lake the lines of each month tell of it: a month that is sent again takes nothing away that another one said.
            Kind::EFn | Kind::E | Kind::D | Kind::H | Kind::F if self.options.lake => {}
            _ => acts::stay(self),
        }
        true
    }

    /// K: what a hospital knows before identifiers are made from it, by the names of its columns.
    fn identifiers(&mut self, row: Row<'_>, number: u64, scribe: &mut Scribe, names: Option<&Names>) {
        let Some(names) = names.filter(|n| n.id > 0) else {
            self.book.unread(Severity::Error, Text::new("dpc-k-layout"), ("K", number));
            return;
        };
        let id = id_text(row.get(names.id), scribe);
        let facility = id_text(row.get(names.facility), scribe);
        if id.is_empty() || facility.is_empty() {
            self.book.unread(Severity::Error, Text::new("formats-no-patient"), ("K", number));
            return;
        }
        let id = self.options.home.local_id(&facility, &id);
        let mut text = |n: usize| scribe.text(row.get(n)).into_owned();
        let (kana, insurer, symbol) = (text(names.kana), text(names.insurer), text(names.symbol));
        let (insured, branch) = (text(names.number), text(names.branch));
        let birth = day(row.get(names.birth)).map(|d| d.day);
        let sex = match row.get(names.sex) {
            b"1" => Some((Sex::Male, "1")),
            b"2" => Some((Sex::Female, "2")),
            _ => None,
        };
        let patient = self.book.patient(&id);
        let at = At { patient, key: "K", ts: 0 };
        self.book.who(&at, &Who { local_id: &id, kana: name_parts(&kana), birth, sex, ..Who::default() });
        let cover = Cover {
            plan_kind: "insurance",
            insurer: &insurer,
            symbol: &symbol,
            number: &insured,
            branch: &branch,
            ..Cover::default()
        };
        self.book.cover(&at, &id, &cover);
        self.book.read();
    }
}

/// Columns of a K source by their names.
#[derive(Default)]
pub(super) struct Names {
    facility: usize,
    id: usize,
    birth: usize,
    kana: usize,
    sex: usize,
    insurer: usize,
    symbol: usize,
    number: usize,
    branch: usize,
}

impl Names {
    /// Columns of the hospital and of its patient's number; 0 where there is none.
    pub(super) fn of_patient(&self) -> (usize, usize) {
        (self.facility, self.id)
    }

    pub(super) fn of(row: Row<'_>, scribe: &mut Scribe) -> Self {
        let mut names = Self::default();
        for n in 1..=row.len() {
            let text = scribe.text(row.get(n)).into_owned();
            let place = match () {
                () if text.starts_with("施設") => &mut names.facility,
                () if text.contains("識別番号") => &mut names.id,
                () if text.contains("生年") => &mut names.birth,
                () if text.contains("カナ") || text.contains("ｶﾅ") => &mut names.kana,
                () if text.contains("性別") => &mut names.sex,
                () if text.contains("保険者番号") && !text.contains("被保険者") => &mut names.insurer,
                () if text.contains("記号") => &mut names.symbol,
                () if text.contains("枝番") => &mut names.branch,
                () if text.contains("番号") => &mut names.number,
                () => continue,
            };
            *place = n;
        }
        names
    }
}

pub(super) fn id_text(bytes: &[u8], scribe: &mut Scribe) -> String {
    narrow(&scribe.text(bytes)).trim().to_owned()
}

impl Reader for DpcReader {
    fn member(&mut self, member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
        self.book.begin_member(member.path, member.payload, member.ordinal);
        self.book.counts.members += 1;
        self.book.counts.read += 1;
        self.unit = Unit::default();
        self.file(member, out)?;
        self.book.end_file();
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        self.held.write(&mut self.book, out)?;
        self.book.flush(out)
    }
}
