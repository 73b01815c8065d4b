use std::borrow::Cow;

use super::escape::unescape;

/// The delimiters of a message, from MSH-1 and MSH-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters {
    /// `|`
    pub field: u8,
    /// `^`
    pub component: u8,
    /// `~`
    pub repetition: u8,
    /// `\`
    pub escape: u8,
    /// `&`
    pub subcomponent: u8,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self { field: b'|', component: b'^', repetition: b'~', escape: b'\\', subcomponent: b'&' }
    }
}

impl Delimiters {
    /// The delimiters at the front of a message (`MSH|^~\&|`), `None` when it does not begin with a readable MSH.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let [b'M', b'S', b'H', field, component, repetition, escape, rest @ ..] = bytes else {
            return None;
        };
        let subcomponent = rest.first().copied().filter(|b| b != field).unwrap_or(b'&');
        let found = Self { field: *field, component: *component, repetition: *repetition, escape: *escape, subcomponent };
        let all = found.bytes();
        let fit = all.iter().all(|b| b.is_ascii_punctuation());
        let distinct = (1..all.len()).all(|i| !all[..i].contains(&all[i]));
        (fit && distinct).then_some(found)
    }

    /// Field, component, repetition, escape, subcomponent.
    pub const fn bytes(self) -> [u8; 5] {
        [self.field, self.component, self.repetition, self.escape, self.subcomponent]
    }
}

#[derive(Clone, Copy)]
struct Span {
    id: [u8; 3],
    first: u32,
    fields: u32,
    end: u32,
}

/// Splits messages; keeps its buffers from one to the next.
#[derive(Default)]
pub struct Parser {
    segments: Vec<Span>,
    starts: Vec<u32>,
    stray_lines: u32,
}

/// A message that has been split.
#[derive(Clone, Copy)]
pub struct Message<'t> {
    text: &'t str,
    delimiters: Delimiters,
    segments: &'t [Span],
    starts: &'t [u32],
    /// Lines that begin no segment and were taken as the continuation of the one before.
    pub stray_lines: u32,
}

/// More fields than any real message has: such a text is not a message.
const MOST_FIELDS: usize = 4_000_000;

impl Parser {
    /// Splits `text`, which must begin with MSH. `None` when it is longer or finer than any message.
    pub fn parse<'t>(&'t mut self, text: &'t str, delimiters: Delimiters) -> Option<Message<'t>> {
        self.segments.clear();
        self.starts.clear();
        self.stray_lines = 0;
        let bytes = text.as_bytes();
        u32::try_from(bytes.len()).ok()?;
        self.open(bytes, 0);
        for at in memchr::memchr3_iter(delimiters.field, b'\r', b'\n', bytes) {
            if bytes[at] == delimiters.field {
                self.starts.push(at as u32 + 1);
                if self.starts.len() > MOST_FIELDS {
                    return None;
                }
                continue;
            }
            // Within a run of line ends only the last one counts.
            let next = at + 1;
            match bytes.get(next) {
                None => {
                    self.close(at);
                    break;
                }
                Some(b'\r' | b'\n') => {
                    self.close(at);
                    continue;
                }
                Some(_) if begins_segment(&bytes[next..], delimiters.field) => {
                    self.close(at);
                    self.open(bytes, next);
                }
                Some(_) => {
                    self.stray_lines += 1;
                    self.reopen();
                }
            }
        }
        self.close(bytes.len());
        Some(Message { text, delimiters, segments: &self.segments, starts: &self.starts, stray_lines: self.stray_lines })
    }

    fn open(&mut self, bytes: &[u8], at: usize) {
        let id = match bytes.get(at..at + 3) {
            Some(&[a, b, c]) => [a, b, c],
            _ => *b"???",
        };
        self.segments.push(Span { id, first: self.starts.len() as u32, fields: 0, end: u32::MAX });
    }

    fn close(&mut self, at: usize) {
        if let Some(last) = self.segments.last_mut()
            && last.end == u32::MAX
        {
            last.end = at as u32;
            last.fields = self.starts.len() as u32 - last.first;
        }
    }

    /// A line that begins no segment belongs to the one before it.
    fn reopen(&mut self) {
        if let Some(last) = self.segments.last_mut() {
            last.end = u32::MAX;
        }
    }
}

fn begins_segment(bytes: &[u8], field: u8) -> bool {
    match bytes {
        [a, b, c, rest @ ..] => {
            a.is_ascii_uppercase()
                && [b, c].iter().all(|x| x.is_ascii_uppercase() || x.is_ascii_digit())
                && rest.first().is_none_or(|x| *x == field || *x == b'\r' || *x == b'\n')
        }
        _ => false,
    }
}

impl<'t> Message<'t> {
    /// All segments in their order.
    pub fn segments(self) -> impl Iterator<Item = Segment<'t>> {
        (0..self.segments.len()).map(move |index| Segment { message: self, index })
    }

    /// The first segment with this name.
    pub fn first(self, id: &[u8; 3]) -> Option<Segment<'t>> {
        self.segments.iter().position(|s| &s.id == id).map(|index| Segment { message: self, index })
    }

    /// The delimiters it was split by.
    pub fn delimiters(self) -> Delimiters {
        self.delimiters
    }
}

/// One segment.
#[derive(Clone, Copy)]
pub struct Segment<'t> {
    message: Message<'t>,
    index: usize,
}

impl<'t> Segment<'t> {
    /// Its name, `OBX`.
    pub fn id(self) -> [u8; 3] {
        self.message.segments[self.index].id
    }

    /// Its name as text.
    pub fn name(self) -> String {
        String::from_utf8_lossy(&self.id()).into_owned()
    }

    /// Name and number among those of its name, from 1: `OBX[3]`.
    pub fn place(self) -> String {
        let id = self.id();
        let number = self.message.segments[..=self.index].iter().filter(|s| s.id == id).count();
        format!("{}[{number}]", self.name())
    }

    /// Field by its HL7 number (from 1); empty when there is none. In MSH, field 1 is the delimiter itself.
    #[inline]
    pub fn field(self, number: usize) -> Field<'t> {
        let span = self.message.segments[self.index];
        let number = if span.id == *b"MSH" { number.wrapping_sub(1) } else { number };
        let raw = if number == 0 || number > span.fields as usize {
            ""
        } else {
            let slot = span.first as usize + number - 1;
            let start = self.message.starts[slot] as usize;
            let end = if number == span.fields as usize { span.end as usize } else { self.message.starts[slot + 1] as usize - 1 };
            self.message.text.get(start..end).unwrap_or("")
        };
        Field { raw, delimiters: self.message.delimiters, level: Level::Field }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Field,
    Repetition,
    Component,
    Subcomponent,
}

/// A field, or a repetition, component or subcomponent of one.
#[derive(Clone, Copy)]
pub struct Field<'t> {
    raw: &'t str,
    delimiters: Delimiters,
    level: Level,
}

impl<'t> Field<'t> {
    /// The raw text with delimiters and escapes.
    pub fn raw(self) -> &'t str {
        self.raw
    }

    /// Whether nothing is stated: empty, or the explicit null `""`.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.raw.is_empty() || self.raw == "\"\""
    }

    fn nth(self, delimiter: u8, number: usize) -> &'t str {
        let mut rest = self.raw;
        for _ in 1..number {
            match memchr::memchr(delimiter, rest.as_bytes()) {
                Some(at) => rest = rest.get(at + 1..).unwrap_or(""),
                None => return "",
            }
        }
        match memchr::memchr(delimiter, rest.as_bytes()) {
            Some(at) => rest.get(..at).unwrap_or(""),
            None => rest,
        }
    }

    /// The repetitions of a field; one, possibly empty, at least.
    pub fn repetitions(self) -> impl Iterator<Item = Field<'t>> {
        let delimiters = self.delimiters;
        self.raw.split(delimiters.repetition as char).map(move |raw| Field { raw, delimiters, level: Level::Repetition })
    }

    /// Component by number, from 1, of the first repetition.
    #[inline]
    pub fn component(self, number: usize) -> Field<'t> {
        let first = match self.level {
            Level::Field => Field { raw: self.nth(self.delimiters.repetition, 1), ..self },
            _ => self,
        };
        Field { raw: first.nth(self.delimiters.component, number), level: Level::Component, ..self }
    }

    /// Subcomponent by number, from 1.
    pub fn subcomponent(self, number: usize) -> Field<'t> {
        Field { raw: self.nth(self.delimiters.subcomponent, number), level: Level::Subcomponent, ..self }
    }

    /// The components of a repetition.
    pub fn components(self) -> impl Iterator<Item = Field<'t>> {
        let delimiters = self.delimiters;
        self.raw.split(delimiters.component as char).map(move |raw| Field { raw, delimiters, level: Level::Component })
    }

    /// The text with escapes resolved and blanks around it taken off; `None` when nothing is stated.
    #[inline]
    pub fn text(self) -> Option<Cow<'t, str>> {
        if self.is_empty() {
            return None;
        }
        let text = match memchr::memchr(self.delimiters.escape, self.raw.as_bytes()) {
            None => Cow::Borrowed(self.raw.trim()),
            Some(_) => Cow::Owned(unescape(self.raw, self.delimiters).0.trim().to_owned()),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The same as [`Field::text`] without resolving escapes: for codes, numbers and dates, which have none.
    #[inline]
    pub fn code(self) -> Option<&'t str> {
        if self.is_empty() {
            return None;
        }
        let text = self.raw.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Whether an escape character stands in it that opens no known escape.
    pub fn has_stray_escape(self) -> bool {
        self.raw.as_bytes().contains(&self.delimiters.escape) && unescape(self.raw, self.delimiters).1
    }
}
