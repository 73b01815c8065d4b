//! An earlier run as it stands in its folder: rows, texts, model, compared pairs, persons. One file, written whole and then put in place.
//!
//! It holds normalised names, birth dates, addresses and numbers: it is identity data like the input, and nobody but its owner may read it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::clerk::Rule;
use crate::engine::{Scored, Trained};
use crate::error::LinkageError;
use crate::folder::{NEW_STATE, create};
use crate::forms::Forms;
use crate::frequencies::Counts;
use crate::hash;
use crate::history::Past;
use crate::levels::Pattern;
use crate::lexicon::Lexicon;
use crate::model::Model;
use crate::row::Row;
use crate::table::Labels;
use crate::withdrawn::Withdrawn;

/// First bytes of the file: kind and version. Another version is another file.
const MAGIC: &[u8; 16] = b"azekura-link/3\n\0";
const FILE: &str = "state.bin";

/// A retired person id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retired {
    pub old: u64,
    /// The person it is now; `None` when all its records were withdrawn.
    pub new: Option<u64>,
    pub run: u32,
    pub reason: String,
}

/// Records of a person that goes on which became another person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Split {
    pub person: u64,
    pub new: u64,
    pub run: u32,
}

/// A clerk's word about two records, by their labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct LabelFact {
    pub must: bool,
    pub left: String,
    pub right: String,
}

/// What is small, as JSON.
#[derive(Serialize, Deserialize)]
struct Header {
    model: Model,
    counts: Counts,
    lexicon: Lexicon,
    facts: Vec<LabelFact>,
    retired: Vec<Retired>,
    splits: Vec<Split>,
    next_person: u64,
    run: u32,
    newborns: bool,
    threshold: f64,
    review: f64,
    #[serde(default)]
    clerks: Rule,
    #[serde(default)]
    withdrawn: Withdrawn,
}

/// An earlier run.
pub(crate) struct State {
    pub trained: Trained,
    pub lexicon: Lexicon,
    pub labels: Labels,
    pub rows: Vec<Row>,
    pub forms: Forms,
    pub scored: Vec<Scored>,
    /// The person of each row.
    pub persons: Vec<u64>,
    pub facts: Vec<LabelFact>,
    pub past: Past,
    pub run: u32,
    pub newborns: bool,
    pub threshold: f64,
    pub review: f64,
    /// How many clerks have to say the same.
    pub clerks: Rule,
    pub withdrawn: Withdrawn,
}

pub(crate) fn put_row(out: &mut Vec<u8>, r: &Row) {
    for word in [r.fk, r.gk, r.fy, r.gy, r.birth as u32, r.seen as u32, r.institution, r.postal, r.place, r.symbol, r.insurer] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for word in [r.numbers, r.phone, r.number] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&[r.sex, r.branch, r.flags, r.crowd]);
}

pub(crate) const ROW_BYTES: usize = 72;
pub(crate) const PAIR_BYTES: usize = 13;
const PAST_BYTES: usize = 12;

pub(crate) fn put_pair(out: &mut Vec<u8>, s: &Scored) {
    for word in [s.left, s.right, s.pattern.0] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.push(s.steps);
}

/// From [`PAIR_BYTES`] bytes.
pub(crate) fn pair(b: &[u8]) -> Scored {
    Scored { left: four(&b[..4]), right: four(&b[4..8]), pattern: Pattern(four(&b[8..12])), steps: b[12] }
}

fn four(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}

fn eight(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

/// From [`ROW_BYTES`] bytes.
pub(crate) fn row(b: &[u8]) -> Row {
    let word = |at: usize| four(&b[at * 4..at * 4 + 4]);
    let long = |at: usize| eight(&b[44 + at * 8..52 + at * 8]);
    Row {
        fk: word(0),
        gk: word(1),
        fy: word(2),
        gy: word(3),
        birth: word(4) as i32,
        seen: word(5) as i32,
        institution: word(6),
        postal: word(7),
        place: word(8),
        symbol: word(9),
        insurer: word(10),
        numbers: long(0),
        phone: long(1),
        number: long(2),
        sex: b[68],
        branch: b[69],
        flags: b[70],
        crowd: b[71],
    }
}

/// Takes the next section off the front.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, behind) = rest.split_at_checked(8)?;
    let (body, behind) = behind.split_at_checked(usize::try_from(eight(len)).ok()?)?;
    *rest = behind;
    Some(body)
}

/// Texts in the order of their numbers; `None` when a number would be another than it was.
fn forms(mut rest: &[u8]) -> Option<Forms> {
    let mut forms = Forms::new();
    let mut count = 0;
    while !rest.is_empty() {
        let (len, behind) = rest.split_at_checked(4)?;
        let (text, behind) = behind.split_at_checked(four(len) as usize)?;
        if forms.number(std::str::from_utf8(text).ok()?) != count {
            return None;
        }
        count += 1;
        rest = behind;
    }
    Some(forms)
}

/// A state that is written, or half written, and not in its place yet. What does not get there is removed.
#[must_use]
pub(crate) struct Staged {
    folder: PathBuf,
    placed: bool,
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.placed {
            // there is nothing to remove where it could not be made
            let _ = fs::remove_file(self.folder.join(NEW_STATE));
        }
    }
}

impl Staged {
    /// Puts it in its place: from here on it is the folder's.
    pub fn put_in_place(mut self) -> Result<(), LinkageError> {
        let put = fs::rename(self.folder.join(NEW_STATE), self.folder.join(FILE));
        self.placed = put.is_ok();
        put.map_err(|_| LinkageError::FileUnwritable)
    }
}

/// What of a state may not be in memory, item by item.
pub(crate) struct Contents<L, R, P, S> {
    pub records: u64,
    /// Bytes of all labels together.
    pub label_bytes: u64,
    pub pairs: u64,
    /// The labels, from the first one; they are asked for twice.
    pub labels: L,
    pub rows: R,
    pub persons: P,
    pub scored: S,
}

/// A file that is written on and on, with the sum of its bytes.
struct Out {
    file: fs::File,
    waiting: Vec<u8>,
    sum: hash::Whole,
}

/// Bytes that are written at a time.
const AT_A_TIME: usize = 1 << 18;

impl Out {
    fn put(&mut self, item: impl FnOnce(&mut Vec<u8>)) -> Result<(), LinkageError> {
        item(&mut self.waiting);
        if self.waiting.len() >= AT_A_TIME { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), LinkageError> {
        self.sum.add(&self.waiting);
        self.file.write_all(&self.waiting).map_err(|_| LinkageError::FileUnwritable)?;
        self.waiting.clear();
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), LinkageError> {
        self.put(|o| o.extend_from_slice(bytes))
    }

    fn number(&mut self, number: u64) -> Result<(), LinkageError> {
        self.bytes(&number.to_le_bytes())
    }
}

impl State {
    /// Writes the file beside the old one.
    pub fn stage(&self, folder: &Path) -> Result<Staged, LinkageError> {
        self.stage_with(
            folder,
            Contents {
                records: self.rows.len() as u64,
                label_bytes: self.labels.bytes().len() as u64,
                pairs: self.scored.len() as u64,
                labels: || (0..self.labels.len()).map(|at| Ok(self.labels.get(at))),
                rows: self.rows.iter().map(|r| Ok(*r)),
                persons: self.persons.iter().copied(),
                scored: self.scored.iter().map(|s| Ok(*s)),
            },
        )
    }

    /// The same with rows, labels, persons and pairs from elsewhere.
    pub fn stage_with<L, I, F, R, P, S>(&self, folder: &Path, contents: Contents<F, R, P, S>) -> Result<Staged, LinkageError>
    where
        L: AsRef<[u8]>,
        I: Iterator<Item = Result<L, LinkageError>>,
        F: Fn() -> I,
        R: Iterator<Item = Result<Row, LinkageError>>,
        P: Iterator<Item = u64>,
        S: Iterator<Item = Result<Scored, LinkageError>>,
    {
        let header = Header {
            model: self.trained.model.clone(),
            counts: self.trained.counts.clone(),
            lexicon: self.lexicon.clone(),
            facts: self.facts.clone(),
            retired: self.past.retired.clone(),
            splits: self.past.splits.clone(),
            next_person: self.past.next,
            run: self.run,
            newborns: self.newborns,
            threshold: self.threshold,
            review: self.review,
            clerks: self.clerks,
            withdrawn: self.withdrawn.clone(),
        };
        let header = serde_json::to_vec(&header).map_err(|_| LinkageError::FileUnwritable)?;
        let texts: Vec<String> = (0..self.forms.len() as u32).map(|form| self.forms.text(form)).collect();
        let lens = [
            header.len() as u64,
            texts.iter().map(|t| 4 + t.len() as u64).sum(),
            contents.label_bytes,
            contents.records * 8,
            contents.records * ROW_BYTES as u64,
            contents.records * 8,
            contents.pairs * PAIR_BYTES as u64,
            (self.past.rows.len() * PAST_BYTES) as u64,
        ];
        let whole = MAGIC.len() as u64 + lens.iter().map(|len| 8 + len).sum::<u64>();
        let staged = Staged { folder: folder.to_owned(), placed: false };
        let file = create(&folder.join(NEW_STATE)).map_err(|_| LinkageError::FileUnwritable)?;
        let mut out = Out { file, waiting: Vec::with_capacity(2 * AT_A_TIME), sum: hash::Whole::new(whole) };
        out.bytes(MAGIC)?;
        out.number(lens[0])?;
        out.bytes(&header)?;
        out.number(lens[1])?;
        for text in &texts {
            out.bytes(&(text.len() as u32).to_le_bytes())?;
            out.bytes(text.as_bytes())?;
        }
        out.number(lens[2])?;
        for label in (contents.labels)() {
            out.bytes(label?.as_ref())?;
        }
        out.number(lens[3])?;
        let mut end = 0;
        for label in (contents.labels)() {
            end += label?.as_ref().len() as u64;
            out.number(end)?;
        }
        out.number(lens[4])?;
        for row in contents.rows {
            let row = row?;
            out.put(|o| put_row(o, &row))?;
        }
        out.number(lens[5])?;
        for person in contents.persons {
            out.number(person)?;
        }
        out.number(lens[6])?;
        for pair in contents.scored {
            let pair = pair?;
            out.put(|o| put_pair(o, &pair))?;
        }
        out.number(lens[7])?;
        for (id, row) in &self.past.rows {
            out.number(*id)?;
            out.bytes(&row.to_le_bytes())?;
        }
        out.flush()?;
        let sum = out.sum.sum();
        out.file.write_all(&sum.to_le_bytes()).and_then(|()| out.file.sync_all()).map_err(|_| LinkageError::FileUnwritable)?;
        Ok(staged)
    }

    /// When the folder's run was saved.
    pub fn saved(folder: &Path) -> Option<std::time::SystemTime> {
        fs::metadata(folder.join(FILE)).and_then(|m| m.modified()).ok()
    }

    /// The earlier run of a folder, if it holds one.
    pub fn find(folder: &Path) -> Result<Option<State>, LinkageError> {
        match fs::read(folder.join(FILE)) {
            Ok(bytes) => Self::parse(&bytes).map(Some).ok_or(LinkageError::FolderTaken),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(_) => Err(LinkageError::FileUnreadable),
        }
    }

    pub fn load(folder: &Path) -> Result<State, LinkageError> {
        let bytes = fs::read(folder.join(FILE)).map_err(|_| LinkageError::StateUnreadable)?;
        Self::parse(&bytes).ok_or(LinkageError::StateUnreadable)
    }

    /// From the bytes of a file; `None` when they are not whole, of another version, or point to what is not there.
    fn parse(bytes: &[u8]) -> Option<State> {
        let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(8)?)?;
        if hash::bytes(body) != eight(sum) {
            return None;
        }
        let mut rest = body.strip_prefix(MAGIC.as_slice())?;
        let header: Header = serde_json::from_slice(take(&mut rest)?).ok()?;
        let forms = forms(take(&mut rest)?)?;
        let labels = take(&mut rest)?.to_vec();
        let ends = take(&mut rest)?.chunks_exact(8).map(eight).collect();
        let labels = Labels::from_parts(labels, ends)?;
        let rows: Vec<Row> = take(&mut rest)?.chunks_exact(ROW_BYTES).map(row).collect();
        let persons: Vec<u64> = take(&mut rest)?.chunks_exact(8).map(eight).collect();
        let scored: Vec<Scored> = take(&mut rest)?.chunks_exact(PAIR_BYTES).map(pair).collect();
        let past = take(&mut rest)?.chunks_exact(PAST_BYTES).map(|b| (eight(&b[..8]), four(&b[8..])));
        let past: Vec<(u64, u32)> = past.collect();
        let known = |r: &Row| r.forms().iter().all(|f| (*f as usize) < forms.len());
        let there = |row: u32| (row as usize) < rows.len();
        let pointed = scored.iter().all(|s| there(s.left) && there(s.right)) && past.iter().all(|(_, row)| there(*row));
        if labels.len() != rows.len() || persons.len() != rows.len() || !rows.iter().all(known) || !pointed {
            return None;
        }
        Some(State {
            trained: Trained { model: header.model, counts: header.counts },
            lexicon: header.lexicon,
            labels,
            rows,
            forms,
            scored,
            persons,
            facts: header.facts,
            past: Past { next: header.next_person, retired: header.retired, splits: header.splits, rows: past },
            run: header.run,
            newborns: header.newborns,
            threshold: header.threshold,
            review: header.review,
            clerks: header.clerks,
            withdrawn: header.withdrawn,
        })
    }
}
