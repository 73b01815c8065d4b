//! The tables of a run.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::engine::{Decision, Judged, Outcome};
use crate::error::LinkageError;
use crate::levels::{birth, card, home, name, phone, sex};
use crate::model;
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
fn field(text: &[u8]) -> Cow<'_, [u8]> {
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

/// The queue of clerks: what is most worth deciding first. The value of a pair is the number of record pairs that hang on it times how
/// unsure it is.
pub(crate) fn review(path: &Path, labels: &Labels, outcome: &Outcome) -> Result<(), LinkageError> {
    let mut sizes: HashMap<u32, u64> = HashMap::new();
    outcome.cluster.iter().for_each(|c| *sizes.entry(*c).or_insert(0) += 1);
    let size = |at: u32| sizes.get(&outcome.cluster[at as usize]).copied().unwrap_or(1);
    // a pair that is likely and yet not joined, for want of more than a name, is most worth a look
    let alone = |j: &Judged| j.decision == Decision::Review && !model::has_evidence(&j.pattern.levels());
    let unsure = |j: &Judged| if alone(j) { j.probability } else { j.probability.min(1.0 - j.probability) };
    let value = |j: &Judged| f64::from(unsure(j).max(0.0001)) * (size(j.left) * size(j.right)) as f64;
    let open = |j: &&Judged| matches!(j.decision, Decision::Review | Decision::Cut);
    let mut queue: Vec<(f64, &Judged)> = outcome.judged.iter().filter(open).map(|j| (value(j), j)).collect();
    queue.sort_unstable_by(|(x, a), (y, b)| y.total_cmp(x).then((a.left, a.right).cmp(&(b.left, b.right))));
    let header = "record_id_l,record_id_r,probability,reason,value,given,family,birth_date,sex,card,home,phone,\
                  weight_prior,weight_name,weight_birth_date,weight_sex,weight_contacts,weight_circumstances";
    let scorer = outcome.trained.model.scorer();
    table(path, header, |out| {
        for (value, j) in queue {
            let l = j.pattern.levels();
            out.write_all(&field(labels.get(j.left as usize)))?;
            out.write_all(b",")?;
            out.write_all(&field(labels.get(j.right as usize)))?;
            write!(out, ",{:.6},{},{value:.3}", j.probability, j.decision.code())?;
            let code = |codes: &[&'static str], level: u8| codes.get(usize::from(level)).copied().unwrap_or("");
            for level in [
                code(&name::CODES, l.given),
                code(&name::CODES, l.family),
                code(&birth::CODES, l.birth),
                code(&sex::CODES, l.sex),
                code(&card::CODES, l.card),
                code(&home::CODES, l.home),
                code(&phone::CODES, l.phone),
            ] {
                write!(out, ",{level}")?;
            }
            for weight in scorer.weights(j.pattern, j.steps) {
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
