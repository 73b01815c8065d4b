//! An earlier run as it stands in its folder: rows, texts, model, compared pairs, persons. One file, written whole and then put in place.
//!
//! It holds normalised names, birth dates, addresses and numbers: it is identity data like the input, and nobody but its owner may read it.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::{Scored, Trained};
use crate::error::LinkageError;
use crate::forms::Forms;
use crate::frequencies::Counts;
use crate::hash;
use crate::levels::Pattern;
use crate::lexicon::Lexicon;
use crate::model::Model;
use crate::row::Row;
use crate::table::Labels;

/// First bytes of the file: kind and version. Another version is another file.
const MAGIC: &[u8; 16] = b"azekura-link/2\n\0";
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

/// A clerk's word about two records, by their labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    history: Vec<Retired>,
    next_person: u64,
    run: u32,
    newborns: bool,
    threshold: f64,
    review: f64,
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
    pub history: Vec<Retired>,
    pub next_person: u64,
    pub run: u32,
    pub newborns: bool,
    pub threshold: f64,
    pub review: f64,
}

fn put_row(out: &mut Vec<u8>, r: &Row) {
    for word in [r.fk, r.gk, r.fy, r.gy, r.birth as u32, r.seen as u32, r.institution, r.postal, r.place, r.symbol, r.insurer] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for word in [r.numbers, r.phone, r.number] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&[r.sex, r.branch, r.flags, r.crowd]);
}

const ROW_BYTES: usize = 72;
const PAIR_BYTES: usize = 13;

fn four(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}

fn eight(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

fn row(b: &[u8]) -> Row {
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

fn section(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    body(out);
    let len = (out.len() - start - 8) as u64;
    out[start..start + 8].copy_from_slice(&len.to_le_bytes());
}

/// Takes the next section off the front.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, behind) = rest.split_at_checked(8)?;
    let (body, behind) = behind.split_at_checked(usize::try_from(eight(len)).ok()?)?;
    *rest = behind;
    Some(body)
}

impl State {
    fn bytes(&self) -> Option<Vec<u8>> {
        let header = Header {
            model: self.trained.model.clone(),
            counts: self.trained.counts.clone(),
            lexicon: self.lexicon.clone(),
            facts: self.facts.clone(),
            history: self.history.clone(),
            next_person: self.next_person,
            run: self.run,
            newborns: self.newborns,
            threshold: self.threshold,
            review: self.review,
        };
        let header = serde_json::to_vec(&header).ok()?;
        let size = header.len() + self.rows.len() * (ROW_BYTES + 32) + self.scored.len() * PAIR_BYTES + (8 << 20);
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(MAGIC);
        section(&mut out, |o| o.extend_from_slice(&header));
        section(&mut out, |o| {
            for form in 0..self.forms.len() as u32 {
                o.extend_from_slice(self.forms.text(form).as_bytes());
                o.push(b'\n');
            }
        });
        section(&mut out, |o| o.extend_from_slice(self.labels.bytes()));
        section(&mut out, |o| self.labels.ends().iter().for_each(|e| o.extend_from_slice(&e.to_le_bytes())));
        section(&mut out, |o| self.rows.iter().for_each(|r| put_row(o, r)));
        section(&mut out, |o| self.persons.iter().for_each(|p| o.extend_from_slice(&p.to_le_bytes())));
        section(&mut out, |o| {
            for s in &self.scored {
                o.extend_from_slice(&s.left.to_le_bytes());
                o.extend_from_slice(&s.right.to_le_bytes());
                o.extend_from_slice(&s.pattern.0.to_le_bytes());
                o.push(s.steps);
            }
        });
        let sum = hash::bytes(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        Some(out)
    }

    /// Writes the file beside the old one and puts it in its place.
    pub fn save(&self, folder: &Path) -> Result<(), LinkageError> {
        let bytes = self.bytes().ok_or(LinkageError::FileUnwritable)?;
        let written = || -> std::io::Result<()> {
            let new = folder.join("state.new");
            let _ = fs::remove_file(&new);
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(new, folder.join(FILE))
        };
        written().map_err(|_| LinkageError::FileUnwritable)
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
        let mut forms = Forms::new();
        for text in std::str::from_utf8(take(&mut rest)?).ok()?.lines() {
            forms.number(text);
        }
        let labels = take(&mut rest)?.to_vec();
        let ends = take(&mut rest)?.chunks_exact(8).map(eight).collect();
        let labels = Labels::from_parts(labels, ends)?;
        let rows: Vec<Row> = take(&mut rest)?.chunks_exact(ROW_BYTES).map(row).collect();
        let persons: Vec<u64> = take(&mut rest)?.chunks_exact(8).map(eight).collect();
        let pair =
            |b: &[u8]| Scored { left: four(&b[..4]), right: four(&b[4..8]), pattern: Pattern(four(&b[8..12])), steps: b[12] };
        let scored: Vec<Scored> = take(&mut rest)?.chunks_exact(PAIR_BYTES).map(pair).collect();
        let known = |r: &Row| [r.fk, r.gk, r.fy, r.gy, r.institution].iter().all(|f| (*f as usize) < forms.len());
        if labels.len() != rows.len() || persons.len() != rows.len() || !rows.iter().all(known) {
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
            history: header.history,
            next_person: header.next_person,
            run: header.run,
            newborns: header.newborns,
            threshold: header.threshold,
            review: header.review,
        })
    }
}
