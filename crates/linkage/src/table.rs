//! Tables of people: rows in numbers, their labels, and the texts behind the numbers.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use crate::columns::{self, ALL, ColumnMap, Places};
use crate::error::LinkageError;
use crate::forms::Forms;
use crate::lines::{Endless, PieceError, Pieces, Records, record_end};
use crate::normalise::{Normaliser, Raw};
use crate::parallel;
use crate::parts::Parts;
use crate::row::Row;
use crate::text;

/// Record ids as their source writes them, one after the other.
#[derive(Default, Clone, PartialEq, Debug)]
pub(crate) struct Labels {
    bytes: Vec<u8>,
    ends: Vec<u64>,
}

impl Labels {
    pub fn push(&mut self, label: &str) {
        self.push_bytes(label.as_bytes());
    }

    pub fn push_bytes(&mut self, label: &[u8]) {
        self.bytes.extend_from_slice(label);
        self.ends.push(self.bytes.len() as u64);
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of a label.
    pub fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.bytes[start..self.ends[at] as usize]
    }

    pub fn append(&mut self, other: &Labels) {
        let base = self.bytes.len() as u64;
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|e| e + base));
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// From all labels one after the other, and where each ends.
    pub fn from_parts(bytes: Vec<u8>, ends: Vec<u64>) -> Option<Self> {
        let fits = ends.is_sorted() && ends.last().copied().unwrap_or(0) == bytes.len() as u64;
        fits.then_some(Self { bytes, ends })
    }

    /// The places of the labels in the order of the labels, equal ones in the order of their places.
    fn order(&self) -> Vec<u32> {
        // behind what all have in common eight bytes tell nearly all apart, and numbers are compared faster than texts
        let first = if self.len() == 0 { &[][..] } else { self.get(0) };
        let common = |other: &[u8], len: usize| first[..len].iter().zip(other).take_while(|(a, b)| a == b).count();
        let shared = (0..self.len()).fold(first.len(), |len, at| common(self.get(at), len));
        let start = |at: usize| {
            let rest = &self.get(at)[shared..];
            let mut bytes = [0; 8];
            let len = rest.len().min(8);
            bytes[..len].copy_from_slice(&rest[..len]);
            u64::from_be_bytes(bytes)
        };
        let mut order: Vec<(u64, u32)> = (0..self.len()).map(|at| (start(at), at as u32)).collect();
        order.sort_unstable_by(|a, b| {
            let rest = || self.get(a.1 as usize).cmp(self.get(b.1 as usize)).then(a.1.cmp(&b.1));
            a.0.cmp(&b.0).then_with(rest)
        });
        order.into_iter().map(|(_, at)| at).collect()
    }

    /// Where a label stands; the labels have to be sorted.
    pub fn find(&self, label: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.get(middle).cmp(label) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// Rows with their labels, sorted by label, no label twice.
pub(crate) struct Table {
    pub labels: Labels,
    pub rows: Vec<Row>,
    pub forms: Forms,
    /// Rows that stood there a second time, the same in every field.
    pub repeated: u64,
    /// Filled fields, in the order of [`ALL`].
    pub filled: [u64; ALL.len()],
}

/// What one thread made of one piece of a file.
#[derive(Default)]
pub(crate) struct Parsed {
    pub labels: Labels,
    pub rows: Vec<Row>,
    pub filled: [u64; ALL.len()],
}

/// One thread's work: the pieces it parsed, and the texts behind their numbers.
pub(crate) type Share = (Vec<(usize, Result<Parsed, RowError>)>, Forms);

/// What is wrong in a piece, by the number of the row in it from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowError {
    Encoding(usize),
    Fields(usize),
    NoId(usize),
    File(PieceError),
}

impl RowError {
    /// The error with its place in the table, where so many rows stand before the piece.
    pub fn behind(self, row: usize) -> LinkageError {
        match self {
            RowError::Encoding(at) => LinkageError::CsvEncoding { line: row + at + 1 },
            RowError::Fields(at) => LinkageError::CsvFields { row: row + at },
            RowError::NoId(at) => LinkageError::RecordWithoutId { table: "people", row: row + at },
            RowError::File(PieceError::Unreadable) => LinkageError::FileUnreadable,
            RowError::File(PieceError::Endless) => LinkageError::CsvEndless,
        }
    }
}

/// Takes the fields of one row.
pub(crate) fn take<'a>(
    parsed: &mut Parsed,
    normaliser: &mut Normaliser,
    in_parts: bool,
    field: impl Fn(usize) -> &'a str,
) -> Result<(), ()> {
    let label = field(0).trim();
    if label.is_empty() {
        return Err(());
    }
    for (at, count) in parsed.filled.iter_mut().enumerate() {
        *count += u64::from(!field(at).is_empty());
    }
    parsed.labels.push(label);
    let (seen, birth) = (normaliser.day(field(2)), normaliser.day(field(8)));
    parsed.rows.push(normaliser.row(&Raw {
        institution: field(1),
        seen,
        family: field(3),
        given: field(4),
        family_kana: field(5),
        given_kana: field(6),
        latin: "",
        sex: sex(field(7)),
        birth,
        postal_code: field(9),
        address: field(10),
        phone: field(11),
        insurer_number: field(12),
        insured_symbol: field(13),
        insured_number: field(14),
        insured_branch: field(15),
        parts: in_parts.then(|| Parts {
            id: field(16),
            number: field(17),
            street: field(18),
            building: field(19),
            suburb: field(20),
            state: field(21),
            postal: field(9),
            birth: field(8),
        }),
    }));
    Ok(())
}

pub(crate) fn sex(raw: &str) -> u8 {
    match raw {
        "" => 0,
        "1" | "M" | "男" => 1,
        "2" | "F" | "女" => 2,
        _ => match text::plain(raw).as_str() {
            "1" | "M" | "男" | "男性" | "MALE" => 1,
            "2" | "F" | "女" | "女性" | "FEMALE" => 2,
            _ => 0,
        },
    }
}

impl Table {
    /// Reads a CSV file.
    ///
    /// # Errors
    /// What `LinkageError` says of files, columns and rows.
    pub fn csv(path: &Path, map: &ColumnMap, threads: usize) -> Result<Table, LinkageError> {
        let file = File::open(path).map_err(|_| LinkageError::FileUnreadable)?;
        Self::read(file, map, threads)
    }

    /// The same from anything that can be read.
    pub fn read(input: impl Read + Send, map: &ColumnMap, threads: usize) -> Result<Table, LinkageError> {
        Self::gather(pieces(input, map, threads, |_| Vec::new(), |done, number, parsed| done.push((number, parsed)))?)
    }

    /// Puts the threads' shares together: the same table for any number of threads and any order of rows.
    pub fn gather(shares: Vec<Share>) -> Result<Table, LinkageError> {
        let threads = shares.len();
        let (mut pieces, tables): (Vec<_>, Vec<_>) = shares.into_iter().unzip();
        let (forms, numbers) = Forms::sorted(&tables);
        drop(tables);
        // as many shares as threads read them
        let shares: Vec<_> = pieces.iter_mut().map(Mutex::new).collect();
        parallel::pieces(
            shares.len(),
            shares.len(),
            || (),
            |(), at| {
                let Ok(mut share) = shares[at].lock() else { return };
                let rows = share.iter_mut().filter_map(|(_, parsed)| parsed.as_mut().ok()).flat_map(|p| &mut p.rows);
                rows.for_each(|r| renumber(r, &numbers[at]));
            },
        );
        drop(shares);
        let mut parts: Vec<(usize, Result<Parsed, RowError>)> = pieces.into_iter().flatten().collect();
        parts.sort_unstable_by_key(|(number, _)| *number);
        let mut table = Table { labels: Labels::default(), rows: Vec::new(), forms, repeated: 0, filled: [0; ALL.len()] };
        let mut row = 0;
        let mut whole: Vec<&Parsed> = Vec::with_capacity(parts.len());
        for (_, parsed) in &parts {
            let parsed = parsed.as_ref().map_err(|e| e.behind(row))?;
            row += parsed.rows.len();
            table.filled.iter_mut().zip(parsed.filled).for_each(|(all, n)| *all += n);
            whole.push(parsed);
        }
        let labels = || {
            let mut all = Labels::default();
            whole.iter().for_each(|parsed| all.append(&parsed.labels));
            all
        };
        let rows = || {
            let mut all = Vec::with_capacity(row);
            whole.iter().for_each(|parsed| all.extend_from_slice(&parsed.rows));
            all
        };
        (table.labels, table.rows) = parallel::both(threads, labels, rows);
        drop(parts);
        table.sort(threads)?;
        Ok(table)
    }

    /// Sorts by label. A label that stands twice with the same row is one record; with another row it is an error.
    fn sort(&mut self, threads: usize) -> Result<(), LinkageError> {
        let n = self.labels.len();
        if (1..n).all(|at| self.labels.get(at - 1) < self.labels.get(at)) {
            return Ok(());
        }
        let mut kept: Vec<u32> = Vec::with_capacity(n);
        for at in self.labels.order() {
            let same = kept.last().filter(|last| self.labels.get(**last as usize) == self.labels.get(at as usize));
            match same {
                None => kept.push(at),
                Some(last) if self.rows[*last as usize] == self.rows[at as usize] => self.repeated += 1,
                Some(_) => return Err(LinkageError::CsvIdTwice { row: at as usize + 1 }),
            }
        }
        let labels = || {
            let mut all = Labels::default();
            kept.iter().for_each(|at| all.push_bytes(self.labels.get(*at as usize)));
            all
        };
        let rows = || kept.iter().map(|at| self.rows[*at as usize]).collect();
        (self.labels, self.rows) = parallel::both(threads, labels, rows);
        Ok(())
    }
}

/// Parses a CSV file piece by piece. What a thread keeps of its pieces starts as `start` says, from the number of the thread, and `keep`
/// adds a piece by its number; with it come the texts behind the thread's numbers.
pub(crate) fn pieces<S: Send>(
    mut input: impl Read + Send,
    map: &ColumnMap,
    threads: usize,
    start: impl Fn(usize) -> S + Sync,
    keep: impl Fn(&mut S, usize, Result<Parsed, RowError>) + Sync,
) -> Result<Vec<(S, Forms)>, LinkageError> {
    // the header alone first
    let mut head = Vec::new();
    let mut byte = [0u8; 1];
    let bare = |head: &[u8]| head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).to_vec();
    let mut buffered = std::io::BufReader::with_capacity(1 << 16, &mut input);
    while head.len() < 1 << 16 && buffered.read(&mut byte).map_err(|_| LinkageError::FileUnreadable)? == 1 {
        head.push(byte[0]);
        if byte[0] == b'\n' && record_end(&bare(&head)).is_some() {
            break;
        }
    }
    let head = bare(&head);
    let header = std::str::from_utf8(&head).map_err(|_| LinkageError::CsvEncoding { line: 1 })?;
    let mut names = Records::new(header);
    if !names.step().map_err(|Endless| LinkageError::CsvEndless)? {
        return Err(if head.is_empty() { LinkageError::CsvEmpty } else { LinkageError::CsvBlank });
    }
    let columns: Vec<&str> = (0..names.len()).map(|at| names.field(at)).collect();
    let places = map.places(&columns)?;
    let width = columns.len();

    let pieces = Pieces::new(buffered);
    Ok(parallel::pieces(
        threads,
        threads.clamp(1, parallel::MOST_THREADS),
        || (),
        |(), thread| {
            let mut normaliser = Normaliser::new();
            let mut kept = start(thread);
            loop {
                match pieces.next() {
                    Ok(Some((number, bytes))) => keep(&mut kept, number, parse(&bytes, &places, width, &mut normaliser)),
                    Ok(None) => break,
                    Err(e) => {
                        keep(&mut kept, usize::MAX, Err(RowError::File(e)));
                        break;
                    }
                }
            }
            (kept, normaliser.into_forms())
        },
    ))
}

/// New numbers for the texts of a row.
pub(crate) fn renumber(row: &mut Row, numbers: &[u32]) {
    for form in [&mut row.fk, &mut row.gk, &mut row.fy, &mut row.gy, &mut row.institution] {
        *form = numbers.get(*form as usize).copied().unwrap_or(0);
    }
    if row.is_parted() {
        row.place = numbers.get(row.place as usize).copied().unwrap_or(0);
    }
}

fn parse(bytes: &[u8], places: &Places, width: usize, normaliser: &mut Normaliser) -> Result<Parsed, RowError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| RowError::Encoding(bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1))?;
    let mut parsed = Parsed::default();
    let mut records = Records::new(text);
    while records.step().map_err(|Endless| RowError::File(PieceError::Endless))? {
        let row = parsed.rows.len() + 1;
        if records.len() != width {
            return Err(RowError::Fields(row));
        }
        let field = |at: usize| places[at].map_or("", |place| records.field(place));
        take(&mut parsed, normaliser, columns::in_parts(places), field).map_err(|()| RowError::NoId(row))?;
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_in_the_order_of_their_bytes_and_equal_ones_in_that_of_their_places() {
        bolero::check!().with_type::<(Vec<u8>, Vec<Vec<u8>>)>().for_each(|(prefix, all)| {
            let mut labels = Labels::default();
            // few different letters, with zeros among them, so that many are equal or begin alike
            let label = |l: &Vec<u8>| [&prefix[..], &l.iter().map(|b| b % 3).collect::<Vec<u8>>()].concat();
            all.iter().for_each(|l| labels.push_bytes(&label(l)));
            let mut naive: Vec<u32> = (0..all.len() as u32).collect();
            naive.sort_by_key(|at| (label(&all[*at as usize]), *at));
            assert_eq!(labels.order(), naive);
        });
    }
}
