//! The tables of a run.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::clerk::{self, Case, FIELDS, WEIGHTS};
use crate::engine::{Decision, Judged, Outcome};
use crate::error::LinkageError;
use crate::state::{Retired, Split};
use crate::table::Labels;

/// How a person id is shown.
pub(crate) fn person(id: u64) -> String {
    format!("P{id:010}")
}

fn table(path: &Path, header: &str, body: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), LinkageError> {
    let all = || {
        let mut out = BufWriter::with_capacity(1 << 18, File::create(path)?);
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

pub(crate) fn clusters(path: &Path, labels: &Labels, persons: &[u64]) -> Result<(), LinkageError> {
    table(path, "record_id,person_id", |out| {
        for (at, id) in persons.iter().enumerate() {
            out.write_all(&field(labels.get(at)))?;
            writeln!(out, ",P{id:010}")?;
        }
        Ok(())
    })
}

pub(crate) fn links(path: &Path, labels: &Labels, judged: &[Judged]) -> Result<(), LinkageError> {
    table(path, "record_id_l,record_id_r,probability,decision", |out| {
        for j in judged {
            out.write_all(&field(labels.get(j.left as usize)))?;
            out.write_all(b",")?;
            out.write_all(&field(labels.get(j.right as usize)))?;
            writeln!(out, ",{:.6},{}", j.probability, j.decision.code())?;
        }
        Ok(())
    })
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
    let weights = WEIGHTS.map(|w| format!("weight_{w}")).join(",");
    let header = format!("record_id_l,record_id_r,probability,reason,value,{},{weights}", FIELDS.join(","));
    table(path, &header, |out| {
        for case in queue {
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
            writeln!(out)?;
        }
        Ok(())
    })
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
    std::fs::write(path, text).map_err(|_| LinkageError::FileUnwritable)
}
