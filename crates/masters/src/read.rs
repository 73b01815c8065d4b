//! A master's file → an edition.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::dates::Date;
use crate::edition::{BadRow, Change, Details, Doubt, Edition, Icd10, Report, Row, abolished};
use crate::error::MasterError;
use crate::kind::{Extent, Kind, Named};
use crate::text::{self, MOST_FIELD, MOST_LINE};

/// Of how many rows one may have no code of the right form.
const BAD_ROWS: usize = 1_000;
/// Most rows of a master: many times those of the largest, of tests.
pub(crate) const MOST_ROWS: usize = 2_000_000;

/// Reads a file by its name. Kind, day and whether it is whole come from the name; where it does not say the kind, from column 2. Files
/// of drugs, acts, devices and comments without `ALL` in their name have only what changed.
///
/// # Errors
/// [`MasterError`] where the name has no date, name and content are of two masters, a line has too few columns, or more than one row in
/// a thousand has no code of the right form. All other dirt is in the edition's [`Report`].
pub fn read(file_name: &str, bytes: &[u8]) -> Result<Edition, MasterError> {
    let named = Named::of(file_name);
    let (charset, text) = text::decode(bytes)?;
    let unknown = || MasterError::Unknown { file_name: file_name.to_owned() };
    let kind = named.kind.or_else(|| kind_of(&text)).ok_or_else(unknown)?;
    let date = named.date.ok_or_else(|| MasterError::NoDate { file_name: file_name.to_owned() })?;
    let edition = Edition::empty(kind, named.extent(kind), date, file_name, charset);
    not_whole(rows(edition, &text)?)
}

/// As [`read`], of a day (days since 1970-01-01) where the name says none.
///
/// # Errors
/// As [`read`], but for the date.
pub fn read_on(file_name: &str, date: i32, bytes: &[u8]) -> Result<Edition, MasterError> {
    let (named, (charset, text)) = (Named::of(file_name), text::decode(bytes)?);
    let unknown = || MasterError::Unknown { file_name: file_name.to_owned() };
    let kind = named.kind.or_else(|| kind_of(&text)).ok_or_else(unknown)?;
    let edition = Edition::empty(kind, named.extent(kind), named.date.unwrap_or(date), file_name, charset);
    not_whole(rows(edition, &text)?)
}

/// A file that by its name has what changed says of every row what changed: a whole one by such a name would be taken for it.
fn not_whole(edition: Edition) -> Result<Edition, MasterError> {
    let unchanged = edition.rows.iter().filter(|row| row.change == Change::None).count();
    if edition.extent == Extent::Difference && unchanged * 2 > edition.rows.len() {
        return Err(MasterError::LooksWhole { file_name: edition.file_name, rows: edition.rows.len(), unchanged });
    }
    Ok(edition)
}

/// Reads a whole master whose kind and day (days since 1970-01-01) are known, whatever its name.
///
/// # Errors
/// As [`read`], but for the name.
pub fn read_as(kind: Kind, date: i32, bytes: &[u8]) -> Result<Edition, MasterError> {
    let (charset, text) = text::decode(bytes)?;
    rows(Edition::empty(kind, Extent::Full, date, kind.name(), charset), &text)
}

/// Reads a difference file whose kind and day (days since 1970-01-01) are known, whatever its name.
///
/// # Errors
/// As [`read`], but for the name.
pub fn read_difference_as(kind: Kind, date: i32, bytes: &[u8]) -> Result<Edition, MasterError> {
    let (charset, text) = text::decode(bytes)?;
    rows(Edition::empty(kind, Extent::Difference, date, kind.name(), charset), &text)
}

impl Edition {
    fn empty(kind: Kind, extent: Extent, date: i32, file_name: &str, charset: text::Charset) -> Edition {
        let report = Report {
            charset,
            rows: 0,
            duplicates: Vec::new(),
            deleted: 0,
            abolished: 0,
            bad_rows: Vec::new(),
            doubts: Vec::new(),
            unmatched: Vec::new(),
        };
        Edition { kind, extent, date, file_name: file_name.to_owned(), rows: Vec::new(), report }
    }
}

/// Which master a text is, by its first row.
fn kind_of(text: &str) -> Option<Kind> {
    let (_, line) = text::lines(text).next().filter(|(_, line)| line.len() <= MOST_LINE)?;
    let mut fields = Vec::new();
    text::fields(line, b',', &mut fields).ok()?;
    if let Some(kind) = fields.get(1).and_then(|letter| Kind::by_letter(letter.trim())) {
        return Some(kind);
    }
    if Header::of(&fields).is_ok() {
        return Some(Kind::Jlac10);
    }
    let hot = fields.len() >= Layout::HOT.needed && (is_digits(fields[0].trim(), &[13]) || is_hot_header(&fields));
    hot.then_some(Kind::Hot)
}

/// The columns of a master, numbered from 1; 0 is a column that it does not have.
struct Layout {
    /// As many columns a row must have.
    needed: usize,
    code: usize,
    /// Digits of a code.
    width: usize,
    /// 基本漢字名称, where it stands apart.
    basic: usize,
    name: usize,
    kana: usize,
    listed: usize,
    changed: usize,
    abolished: usize,
}

impl BadRow {
    /// In which field of this master's row it is: the number of its column from 1, or its name where a header names it; none where the
    /// whole line cannot be read.
    pub fn field(self, kind: Kind) -> Option<String> {
        match self {
            BadRow::Code => Some(field(kind, Layout::of(kind).code, "code")),
            BadRow::Quotes => None,
            BadRow::OtherMaster => Some("2".to_owned()),
            BadRow::Change => Some("1".to_owned()),
        }
    }
}

impl Doubt {
    /// In which field of this master's row it is, as [`BadRow::field`].
    pub fn field(self, kind: Kind) -> Option<String> {
        let layout = Layout::of(kind);
        match self {
            Doubt::Listed => Some(field(kind, layout.listed, "valid_from")),
            Doubt::Changed => Some(field(kind, layout.changed, "-")),
            Doubt::Abolished => Some(field(kind, layout.abolished, "valid_to")),
            Doubt::Characters => Some(field(kind, if layout.basic > 0 { layout.basic } else { layout.name }, "name")),
        }
    }
}

fn field(kind: Kind, column: usize, header: &str) -> String {
    if kind == Kind::Jlac10 { header.to_owned() } else { column.to_string() }
}

impl Layout {
    const HOT: Layout =
        Layout { needed: 12, code: 1, width: 13, basic: 0, name: 12, kana: 0, listed: 0, changed: 24, abolished: 0 };

    /// Of the 支払基金's masters (マスターファイル仕様説明書), and of MEDIS's HOT file.
    const fn of(kind: Kind) -> Layout {
        match kind {
            Kind::Disease => {
                Layout { needed: 24, code: 3, width: 7, basic: 0, name: 6, kana: 10, listed: 22, changed: 23, abolished: 24 }
            }
            Kind::Modifier => {
                Layout { needed: 18, code: 3, width: 4, basic: 0, name: 7, kana: 10, listed: 14, changed: 15, abolished: 16 }
            }
            Kind::Drug => {
                Layout { needed: 32, code: 3, width: 9, basic: 35, name: 5, kana: 7, listed: 0, changed: 30, abolished: 31 }
            }
            Kind::Act => {
                Layout { needed: 117, code: 3, width: 9, basic: 113, name: 5, kana: 7, listed: 0, changed: 87, abolished: 88 }
            }
            Kind::Device => {
                Layout { needed: 30, code: 3, width: 9, basic: 37, name: 5, kana: 7, listed: 0, changed: 28, abolished: 30 }
            }
            Kind::Comment => {
                Layout { needed: 23, code: 23, width: 9, basic: 0, name: 7, kana: 9, listed: 0, changed: 21, abolished: 22 }
            }
            Kind::Hot => Layout::HOT,
            // By its header.
            Kind::Jlac10 => {
                Layout { needed: 0, code: 0, width: 0, basic: 0, name: 0, kana: 0, listed: 0, changed: 0, abolished: 0 }
            }
        }
    }
}

/// Where the columns of a JLAC10 file stand.
struct Header {
    code: usize,
    name: usize,
    from: usize,
    to: usize,
}

impl Header {
    fn of(fields: &[Cow<'_, str>]) -> Result<Header, MasterError> {
        let place = |name: &str| fields.iter().position(|f| f.trim().eq_ignore_ascii_case(name)).map(|at| at + 1);
        let needed = |name: &'static str| place(name).ok_or(MasterError::Header { column: name });
        let may = |name: &str| place(name).unwrap_or(0);
        Ok(Header { code: needed("code")?, name: needed("name")?, from: may("valid_from"), to: may("valid_to") })
    }
}

fn is_hot_header(fields: &[Cow<'_, str>]) -> bool {
    fields.first().is_some_and(|f| f.nfkc().collect::<String>().contains("HOT"))
}

fn is_digits(text: &str, lengths: &[usize]) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn rows(mut edition: Edition, text: &str) -> Result<Edition, MasterError> {
    let kind = edition.kind;
    let mut layout = Layout::of(kind);
    let mut lines = text::lines(text).peekable();
    let mut fields = Vec::with_capacity(160);
    if let Some((line, first)) = lines.peek() {
        bounded(*line, first)?;
        let read = text::fields(first, b',', &mut fields);
        if kind == Kind::Jlac10 {
            let header = Header::of(if read.is_ok() { &fields } else { &[] })?;
            layout = Layout { code: header.code, name: header.name, listed: header.from, abolished: header.to, ..layout };
            layout.needed = header.code.max(header.name);
            lines.next();
        } else if kind == Kind::Hot && read.is_ok() && is_hot_header(&fields) {
            lines.next();
        }
    }
    let mut found: Vec<(u32, Row)> = Vec::new();
    let mut first_row = true;
    let mut bad = 0;
    // As many of the bad as a file of so many lines may have, and one more: a file of nothing else does not fill the memory.
    let most_bad = text.len() / 2 / BAD_ROWS + 1;
    for (line, content) in lines {
        bounded(line, content)?;
        edition.report.rows += 1;
        if edition.report.rows > MOST_ROWS {
            return Err(MasterError::TooManyRows { kind });
        }
        let row = match text::fields(content, b',', &mut fields) {
            Err(text::Quoting) => Err(BadRow::Quotes),
            Ok(()) => {
                check(kind, &layout, &fields, line, first_row)?;
                first_row = false;
                row(kind, &layout, &fields, line, &mut edition)
            }
        };
        match row {
            Ok(row) if row.change == Change::Deleted && edition.extent == Extent::Full => edition.report.deleted += 1,
            Ok(row) => found.push((line, row)),
            Err(reason) => {
                bad += 1;
                if edition.report.bad_rows.len() < most_bad {
                    edition.report.bad_rows.push((line, reason));
                }
            }
        }
    }
    let report = &mut edition.report;
    if report.rows == 0 {
        return Err(MasterError::Empty { kind });
    }
    if let Some((line, why)) = report.bad_rows.first()
        && bad * BAD_ROWS > report.rows
    {
        let field = why.field(kind).unwrap_or_else(|| "-".to_owned());
        return Err(MasterError::BadRows { kind, bad, rows: report.rows, line: *line, field });
    }
    // Stable: of a code that stands twice the last is the last still.
    found.sort_by(|a, b| a.1.code.cmp(&b.1.code));
    let mut rows: Vec<Row> = Vec::with_capacity(found.len());
    let mut last_line = 0;
    for (line, row) in found {
        match rows.last_mut() {
            Some(last) if last.code == row.code => {
                report.duplicates.push(last_line);
                *last = row;
            }
            _ => rows.push(row),
        }
        last_line = line;
    }
    report.duplicates.sort_unstable();
    report.doubts.sort_by_key(|(line, _)| *line);
    report.abolished = abolished(&rows, edition.date);
    edition.rows = rows;
    Ok(edition)
}

fn bounded(line: u32, content: &str) -> Result<(), MasterError> {
    if content.len() > MOST_LINE {
        return Err(MasterError::LineTooLong { line: line.into() });
    }
    Ok(())
}

/// What refuses the whole file.
fn check(kind: Kind, layout: &Layout, fields: &[Cow<'_, str>], line: u32, first: bool) -> Result<(), MasterError> {
    if let Some(at) = fields.iter().position(|f| f.len() > MOST_FIELD) {
        return Err(MasterError::FieldTooLong { line, column: at + 1 });
    }
    if let Some(letter) = kind.letter().filter(|_| first) {
        let found = fields.get(1).map_or("", |f| f.trim());
        if found != letter {
            // A letter is shown; what else stands there may be a patient's name, in a file that is no master.
            let found = if found.len() <= 2 && found.is_ascii() { found.to_owned() } else { "…".to_owned() };
            return Err(MasterError::Contradiction { expected: kind, line, found });
        }
    } else if first
        && let Some(other) = fields.get(1).and_then(|f| Kind::by_letter(f.trim()))
        && kind == Kind::Hot
    {
        return Err(MasterError::Contradiction { expected: kind, line, found: other.letter().unwrap_or("").to_owned() });
    }
    if fields.len() < layout.needed {
        return Err(MasterError::Columns { kind, line, found: fields.len(), needed: layout.needed });
    }
    Ok(())
}

fn row(kind: Kind, layout: &Layout, fields: &[Cow<'_, str>], line: u32, edition: &mut Edition) -> Result<Row, BadRow> {
    let get = |column: usize| column.checked_sub(1).and_then(|at| fields.get(at)).map_or("", |f| f.trim());
    let some = |column: usize| Some(get(column)).filter(|t| !t.is_empty()).map(Box::from);
    // Codes that a master does not have are `0` in it.
    let code_of = |column: usize| Some(get(column)).filter(|t| t.bytes().any(|b| b != b'0')).map(Box::<str>::from);
    let mut change = Change::None;
    if let Some(letter) = kind.letter() {
        if get(2) != letter {
            return Err(BadRow::OtherMaster);
        }
        change = match get(1) {
            "0" => Change::None,
            "1" => Change::Deleted,
            "3" => Change::New,
            "5" => Change::Changed,
            "9" => Change::Abolished,
            _ => return Err(BadRow::Change),
        };
    }
    let code: Box<str> = if kind == Kind::Jlac10 {
        let code = get(layout.code).replace('-', "");
        if !matches!(code.len(), 15 | 17) || !code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
            return Err(BadRow::Code);
        }
        code.into()
    } else {
        let code = get(layout.code);
        if !is_digits(code, &[layout.width]) {
            return Err(BadRow::Code);
        }
        code.into()
    };
    let mut day = |column: usize, doubt: Doubt| match Date::of(get(column)) {
        Date::Day(day) => Some(day),
        Date::None => None,
        Date::Unread => {
            edition.report.doubts.push((line, doubt));
            None
        }
    };
    let listed = day(layout.listed, Doubt::Listed);
    let changed = day(layout.changed, Doubt::Changed);
    let mut abolished = day(layout.abolished, Doubt::Abolished);
    if change == Change::Abolished {
        abolished = abolished.or(Some(edition.date));
    }
    let name: Box<str> = Some(get(layout.basic)).filter(|n| !n.is_empty()).unwrap_or(get(layout.name)).into();
    let kana: Option<Box<str>> = some(layout.kana);
    let details = match kind {
        Kind::Disease => Details::Disease {
            management: code_of(11),
            exchange: some(13),
            icd10: match (some(16), some(17)) {
                (None, None) => Icd10 { cause: some(14), manifestation: some(15) },
                (cause, manifestation) => Icd10 { cause, manifestation },
            },
            successor: code_of(4).filter(|to| *to != code),
        },
        Kind::Modifier => Details::Modifier { management: code_of(17), exchange: some(18) },
        Kind::Drug => Details::Drug { unit: some(10), price_standard: code_of(32) },
        Kind::Act => Details::Act { unit: some(10), section: some(117) },
        Kind::Device => Details::Device { unit: some(10) },
        Kind::Comment => Details::Comment { pattern: some(4) },
        Kind::Hot => Details::Hot { price_standard: code_of(7), yj: code_of(8), claim: [code_of(9), code_of(10)] },
        Kind::Jlac10 => Details::Jlac10,
    };
    if name.contains('\u{FFFD}') || kana.as_deref().is_some_and(|k| k.contains('\u{FFFD}')) {
        edition.report.doubts.push((line, Doubt::Characters));
    }
    Ok(Row { change, code, name, kana, listed, changed, abolished, details })
}
