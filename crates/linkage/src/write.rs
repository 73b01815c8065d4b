//! The tables of a run.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::clerk::{self, Case, FIELDS, WEIGHTS};
use crate::engine::{Decision, Judged, Outcome};
use crate::error::LinkageError;
use crate::folder::create;
use crate::state::{Retired, Split};
use crate::table::Labels;

/// How a person id is shown.
pub(crate) fn person(id: u64) -> String {
    format!("P{id:010}")
}

fn table(path: &Path, header: &str, body: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), LinkageError> {
    let all = || {
        let mut out = BufWriter::with_capacity(1 << 18, create(path)?);
        writeln!(out, "{header}")?;
        body(&mut out)?;
        out.flush()
    };
    all().map_err(|_| LinkageError::FileUnwritable)
}

/// A field of CSV, quoted where it has to be.
pub(crate) fn field(text: &[u8]) -> Cow<'_, [u8]> {
    if text.iter().all(|b| !matches!(b, b',' | b'"' | b'\n' | b'\r')) {
        return Cow::Borrowed(text);
    }
    let mut out = vec![b'"'];
    for b in text {
        out.extend_from_slice(if *b == b'"' { b"\"\"" } else { std::slice::from_ref(b) });
    }
    out.push(b'"');
    Cow::Owned(out)
}

/// A number with zeros before it up to a width: what `{:0width$}` writes, in a fraction of the time.
fn padded(out: &mut impl Write, mut number: u64, width: usize) -> std::io::Result<()> {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while number > 0 {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.write_all(&digits[start.min(digits.len() - width.min(digits.len()))..])
}

/// A probability with six decimals.
fn millionths(out: &mut impl Write, probability: f32) -> std::io::Result<()> {
    let millionths = (f64::from(probability) * 1e6).round() as u64;
    padded(out, millionths / 1_000_000, 1)?;
    out.write_all(b".")?;
    padded(out, millionths % 1_000_000, 6)
}

/// A row of the table of persons.
fn member(out: &mut impl Write, label: &[u8], person: u64) -> std::io::Result<()> {
    out.write_all(&field(label))?;
    out.write_all(b",P")?;
    padded(out, person, 10)?;
    out.write_all(b"\n")
}

pub(crate) fn clusters(path: &Path, labels: &Labels, persons: &[u64]) -> Result<(), LinkageError> {
    table(path, MEMBERS, |out| persons.iter().enumerate().try_for_each(|(at, id)| member(out, labels.get(at), *id)))
}

/// A row of the table of pairs.
fn link(out: &mut impl Write, [left, right]: [&[u8]; 2], probability: f32, decision: Decision) -> std::io::Result<()> {
    out.write_all(&field(left))?;
    out.write_all(b",")?;
    out.write_all(&field(right))?;
    out.write_all(b",")?;
    millionths(out, probability)?;
    out.write_all(b",")?;
    out.write_all(decision.code().as_bytes())?;
    out.write_all(b"\n")
}

pub(crate) fn links(path: &Path, labels: &Labels, judged: &[Judged]) -> Result<(), LinkageError> {
    let labels = |j: &Judged| [j.left, j.right].map(|at| labels.get(at as usize));
    table(path, LINKS, |out| judged.iter().try_for_each(|j| link(out, labels(j), j.probability, j.decision)))
}

const MEMBERS: &str = "record_id,person_id";
const LINKS: &str = "record_id_l,record_id_r,probability,decision";

/// A table that is written row by row, for rows that come one after the other.
pub(crate) struct Written(BufWriter<File>);

impl Written {
    fn new(path: &Path, header: &str) -> Result<Self, LinkageError> {
        let open = || -> std::io::Result<_> {
            let mut out = BufWriter::with_capacity(1 << 18, create(path)?);
            writeln!(out, "{header}")?;
            Ok(Self(out))
        };
        open().map_err(|_| LinkageError::FileUnwritable)
    }

    pub fn clusters(path: &Path) -> Result<Self, LinkageError> {
        Self::new(path, MEMBERS)
    }

    pub fn links(path: &Path) -> Result<Self, LinkageError> {
        Self::new(path, LINKS)
    }

    pub fn review(path: &Path) -> Result<Self, LinkageError> {
        Self::new(path, &review_header())
    }

    pub fn member(&mut self, label: &[u8], person: u64) -> Result<(), LinkageError> {
        member(&mut self.0, label, person).map_err(|_| LinkageError::FileUnwritable)
    }

    pub fn link(&mut self, labels: [&[u8]; 2], probability: f32, decision: Decision) -> Result<(), LinkageError> {
        link(&mut self.0, labels, probability, decision).map_err(|_| LinkageError::FileUnwritable)
    }

    /// What [`case`] wrote.
    pub fn case(&mut self, case: &[u8]) -> Result<(), LinkageError> {
        self.0.write_all(case).map_err(|_| LinkageError::FileUnwritable)
    }

    pub fn finish(mut self) -> Result<(), LinkageError> {
        self.0.flush().map_err(|_| LinkageError::FileUnwritable)
    }
}

/// Pairs for clerks, the most valuable first.
pub(crate) fn queue(labels: &Labels, outcome: &Outcome) -> Vec<Case<String>> {
    let mut sizes: HashMap<u32, u64> = HashMap::new();
    outcome.cluster.iter().for_each(|c| *sizes.entry(*c).or_insert(0) += 1);
    let size = |at: u32| sizes.get(&outcome.cluster[at as usize]).copied().unwrap_or(1);
    let label = |at: u32| String::from_utf8_lossy(labels.get(at as usize)).into_owned();
    let scorer = outcome.trained.model.scorer();
    let open = outcome.judged.iter().filter(|j| matches!(j.decision, Decision::Review | Decision::Cut));
    let case = |j: &Judged| clerk::case(&scorer, j, j.decision, [label(j.left), label(j.right)], [size(j.left), size(j.right)]);
    let mut queue: Vec<Case<String>> = open.map(case).collect();
    clerk::sort(&mut queue);
    queue
}

/// The queue of clerks as a table.
pub(crate) fn review(path: &Path, queue: &[Case<String>]) -> Result<(), LinkageError> {
    table(path, &review_header(), |out| queue.iter().try_for_each(|c| case(out, c)))
}

fn review_header() -> String {
    let weights = WEIGHTS.map(|w| format!("weight_{w}")).join(",");
    format!("record_id_l,record_id_r,probability,reason,value,{},{weights}", FIELDS.join(","))
}

/// A row of the queue.
pub(crate) fn case(out: &mut impl Write, case: &Case<String>) -> std::io::Result<()> {
    out.write_all(&field(case.left.as_bytes()))?;
    out.write_all(b",")?;
    out.write_all(&field(case.right.as_bytes()))?;
    write!(out, ",{:.6},{},{:.3}", case.probability, case.reason.code(), case.value)?;
    for level in &case.levels {
        write!(out, ",{level}")?;
    }
    for weight in &case.weights {
        write!(out, ",{weight:.2}")?;
    }
    writeln!(out)
}

pub(crate) fn history(path: &Path, history: &[Retired]) -> Result<(), LinkageError> {
    table(path, "old_person_id,person_id,run,reason", |out| {
        for entry in history {
            let new = entry.new.map(person).unwrap_or_default();
            writeln!(out, "{},{new},{},{}", person(entry.old), entry.run, entry.reason)?;
        }
        Ok(())
    })
}

/// Which persons that go on lost records to which new persons, and when. Nothing resolves here: both ids hold.
pub(crate) fn splits(path: &Path, splits: &[Split]) -> Result<(), LinkageError> {
    table(path, "person_id,new_person_id,run", |out| {
        for split in splits {
            writeln!(out, "{},{},{}", person(split.person), person(split.new), split.run)?;
        }
        Ok(())
    })
}

pub(crate) fn text(path: &Path, text: &str) -> Result<(), LinkageError> {
    create(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|_| LinkageError::FileUnwritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("memory");
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        for number in [0, 1, 9, 10, 123_456_789, 9_999_999_999, 10_000_000_000, u64::MAX] {
            assert_eq!(text(|out| padded(out, number, 10)), format!("{number:010}"));
            assert_eq!(text(|out| padded(out, number, 1)), format!("{number}"));
        }
        bolero::check!().with_type::<u32>().for_each(|n| {
            let p = *n as f32 / u32::MAX as f32;
            let (ours, theirs): (f64, f64) =
                (text(|out| millionths(out, p)).parse().expect("a number"), format!("{p:.6}").parse().expect("a number"));
            // only of two that are equally near may it be the other
            assert!((ours - theirs).abs() < 1.5e-6 && (ours - f64::from(p)).abs() < 5.1e-7, "{p}");
        });
        assert_eq!(text(|out| millionths(out, 1.0)), "1.000000");
        assert_eq!(text(|out| millionths(out, 0.05)), "0.050000");
    }
}
