//! People from their file: rows and record ids, sorted by id.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use super::Room;
use crate::columns::{ALL, ColumnMap};
use crate::desk::Words;
use crate::error::LinkageError;
use crate::files::keep_newborns_out;
use crate::forms::Forms;
use crate::lexicon::{Learning, mark_whole};
use crate::options::Options;
use crate::parquet_file;
use crate::row::Row;
use crate::sorter::{Item, Sorter, Tape, four, merged};
use crate::table::{self, Parsed, RowError, renumber};

/// Where some records stand, by their labels.
pub(super) type Places = HashMap<String, u32>;

/// A table of people on disk.
pub(super) struct People {
    pub labels: Tape<Box<[u8]>>,
    pub label_bytes: u64,
    pub rows: Tape<Row>,
    pub forms: Forms,
    /// What was learned of names, and which came in one piece.
    pub learning: Learning,
    pub whole: Vec<bool>,
    /// Whether any row is in parts, see `parts`.
    pub in_parts: bool,
    pub repeated: u64,
    pub filled: [u64; ALL.len()],
    /// The records that clerks have spoken of.
    pub places: Places,
}

/// A row as it comes, in the numbers of the thread that read it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Incoming {
    label: Box<[u8]>,
    piece: u32,
    at: u32,
    thread: u32,
    row: Row,
}

impl Item for Incoming {
    fn put(&self, out: &mut Vec<u8>) {
        self.label.put(out);
        [self.piece, self.at, self.thread].iter().for_each(|n| n.put(out));
        self.row.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        let label = Box::<[u8]>::take(rest)?;
        let (piece, at, thread) = (four(rest)?, four(rest)?, four(rest)?);
        Some(Self { label, piece, at, thread, row: Row::take(rest)? })
    }
    fn beside(&self) -> usize {
        self.label.beside()
    }
}

/// What one thread keeps.
struct Share {
    thread: u32,
    sorter: Sorter<Incoming>,
    /// Rows of each piece.
    pieces: Vec<(usize, usize)>,
    filled: [u64; ALL.len()],
    wrong: Option<(usize, RowError)>,
    unwritable: Option<LinkageError>,
}

impl Share {
    fn new(thread: usize, room: &Room, bytes: usize) -> Self {
        let sorter = room.sorter(bytes);
        Self { thread: thread as u32, sorter, pieces: Vec::new(), filled: [0; ALL.len()], wrong: None, unwritable: None }
    }

    fn keep(&mut self, piece: usize, parsed: Result<Parsed, RowError>) {
        // nothing more is needed where the run fails
        if self.unwritable.is_some() || self.wrong.is_some() {
            return;
        }
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(e) => return self.wrong = Some((piece, e)),
        };
        self.pieces.push((piece, parsed.rows.len()));
        self.filled.iter_mut().zip(parsed.filled).for_each(|(all, n)| *all += n);
        for (at, row) in parsed.rows.into_iter().enumerate() {
            let label = parsed.labels.get(at).into();
            let row = Incoming { label, piece: piece as u32, at: at as u32, thread: self.thread, row };
            if let Err(e) = self.sorter.push(row) {
                return self.unwritable = Some(e);
            }
        }
    }
}

/// Reads the file: CSV, or Parquet by its name.
pub(super) fn read(
    people: &Path,
    map: &ColumnMap,
    options: &Options,
    words: &Words,
    room: &Room,
) -> Result<People, LinkageError> {
    let buffers = room.buffers()?;
    // a piece is parsed beside what is kept, and each thread has its own copy of the texts: reading is where memory runs short first
    let threads = room.threads(buffers / 16, options);
    let start = |thread| Share::new(thread, room, buffers / 2 / threads);
    let shares = if path_is_parquet(people) {
        let mut share = start(0);
        let forms = parquet_file::pieces(people, map, |piece, parsed| share.keep(piece, parsed))?;
        vec![(share, forms)]
    } else {
        let file = File::open(people).map_err(|_| LinkageError::FileUnreadable)?;
        table::pieces(file, map, threads, start, Share::keep)?
    };
    let (mut shares, tables): (Vec<Share>, Vec<Forms>) = shares.into_iter().unzip();
    if let Some(e) = shares.iter_mut().find_map(|s| s.unwritable.take()) {
        return Err(e);
    }
    let mut pieces: Vec<(usize, usize)> = shares.iter().flat_map(|s| &s.pieces).copied().collect();
    pieces.sort_unstable();
    let before = |piece: usize| pieces.iter().take_while(|(number, _)| *number < piece).map(|(_, rows)| rows).sum::<usize>();
    if let Some((piece, e)) = shares.iter().filter_map(|s| s.wrong).min_by_key(|(piece, _)| *piece) {
        return Err(e.behind(before(piece)));
    }
    let (forms, numbers) = Forms::sorted(&tables);
    drop(tables);
    let mut people = People {
        labels: Tape::new(&room.directory)?,
        label_bytes: 0,
        rows: Tape::new(&room.directory)?,
        learning: Learning::new(&forms),
        whole: vec![false; forms.len()],
        in_parts: false,
        forms,
        repeated: 0,
        filled: [0; ALL.len()],
        places: words.labels().map(|label| (label.to_owned(), u32::MAX)).collect(),
    };
    for share in &shares {
        people.filled.iter_mut().zip(share.filled).for_each(|(all, n)| *all += n);
    }
    let mut last: Option<(Box<[u8]>, Row)> = None;
    for incoming in merged(shares.into_iter().map(|s| s.sorter).collect())? {
        let Incoming { label, piece, at, thread, mut row } = incoming?;
        renumber(&mut row, numbers.get(thread as usize).map_or(&[], Vec::as_slice));
        match &last {
            Some((same, kept)) if *same == label && *kept == row => {
                people.repeated += 1;
                continue;
            }
            Some((same, _)) if *same == label => {
                return Err(LinkageError::CsvIdTwice { row: before(piece as usize) + at as usize + 1 });
            }
            _ => last = Some((label.clone(), row)),
        }
        people.add(label, row, options)?;
    }
    people.labels.close()?;
    people.rows.close()?;
    people.places.retain(|_, place| *place != u32::MAX);
    Ok(people)
}

pub(super) fn path_is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"))
}

impl People {
    fn add(&mut self, label: Box<[u8]>, mut row: Row, options: &Options) -> Result<(), LinkageError> {
        keep_newborns_out(std::slice::from_mut(&mut row), options);
        self.learning.add(&row, &self.forms);
        mark_whole(&row, &mut self.whole);
        self.in_parts |= row.is_parted();
        if !self.places.is_empty()
            && let Ok(label) = std::str::from_utf8(&label)
            && let Some(place) = self.places.get_mut(label)
        {
            *place = self.rows.len() as u32;
        }
        self.label_bytes += label.len() as u64;
        self.labels.push(&label)?;
        self.rows.push(&row)
    }
}
