//! Small tables beside the people: clerks' words, and ids of records to withdraw.

use std::fs;
use std::path::Path;

use crate::error::LinkageError;
use crate::lines::{Endless, Records};
use crate::state::LabelFact;
use crate::table::Labels;

/// Fields of the named columns of every row of a small CSV file.
pub(crate) fn read_columns<const N: usize>(
    path: &Path,
    wanted: [&'static str; N],
    table: &'static str,
) -> Result<Vec<[String; N]>, LinkageError> {
    let bytes = fs::read(path).map_err(|_| LinkageError::FileUnreadable)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        LinkageError::CsvEncoding { line }
    })?;
    let mut records = Records::new(text);
    let endless = |Endless| LinkageError::CsvEndless;
    if !records.step().map_err(endless)? {
        return Err(LinkageError::CsvEmpty);
    }
    let width = records.len();
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(wanted) {
        let found = (0..width).find(|at| records.field(*at).trim() == column);
        *place = found.ok_or(LinkageError::ColumnMissing { table, column })?;
    }
    let mut rows = Vec::new();
    while records.step().map_err(endless)? {
        if records.len() != width {
            return Err(LinkageError::CsvFields { row: rows.len() + 1 });
        }
        rows.push(places.map(|at| records.field(at).trim().to_owned()));
    }
    Ok(rows)
}

/// Record ids of a table with the column `record_id`.
pub(crate) fn ids(path: &Path) -> Result<Vec<String>, LinkageError> {
    Ok(read_columns(path, ["record_id"], "ids")?.into_iter().map(|[id]| id).filter(|id| !id.is_empty()).collect())
}

/// A row of a table of facts.
pub(crate) enum Word {
    Fact(LabelFact),
    /// What was said of the two before no longer holds.
    Withdraw(String, String),
}

/// Words of a table with the columns `kind,record_id_l,record_id_r`, in their order.
pub(crate) fn read(path: &Path) -> Result<Vec<Word>, LinkageError> {
    let rows = read_columns(path, ["kind", "record_id_l", "record_id_r"], "facts")?;
    let word = |(at, [kind, a, b]): (usize, [String; 3])| {
        if a.is_empty() || b.is_empty() || (a == b && kind == "cannot") {
            return Err(LinkageError::FactUnreadable { row: at + 1 });
        }
        let (left, right) = if a <= b { (a, b) } else { (b, a) };
        match kind.as_str() {
            "must" => Ok(Word::Fact(LabelFact { must: true, left, right })),
            "cannot" => Ok(Word::Fact(LabelFact { must: false, left, right })),
            "withdraw" => Ok(Word::Withdraw(left, right)),
            _ => Err(LinkageError::FactUnreadable { row: at + 1 }),
        }
    };
    rows.into_iter().enumerate().map(word).collect()
}

/// What holds after some words, sorted, and how many facts were to be withdrawn that nobody had stated.
pub(crate) fn after(mut facts: Vec<LabelFact>, words: &[Word]) -> (Vec<LabelFact>, u64) {
    let mut unknown = 0;
    for word in words {
        match word {
            Word::Fact(fact) => facts.push(fact.clone()),
            Word::Withdraw(left, right) => {
                let before = facts.len();
                facts.retain(|f| (&f.left, &f.right) != (left, right));
                unknown += u64::from(facts.len() == before);
            }
        }
    }
    facts.sort_unstable();
    facts.dedup();
    (facts, unknown)
}

type Pairs = Vec<(u32, u32)>;

/// Facts as places among the records: must, cannot, and how many are about records that are not there.
pub(crate) fn places(facts: &[LabelFact], labels: &Labels) -> (Pairs, Pairs, u64) {
    let (mut must, mut cannot, mut without) = (Vec::new(), Vec::new(), 0);
    for fact in facts {
        match (labels.find(fact.left.as_bytes()), labels.find(fact.right.as_bytes())) {
            (Some(a), Some(b)) if a != b => {
                let list = if fact.must { &mut must } else { &mut cannot };
                list.push((a.min(b) as u32, a.max(b) as u32));
            }
            (Some(_), Some(_)) => {}
            _ => without += 1,
        }
    }
    for list in [&mut must, &mut cannot] {
        list.sort_unstable();
        list.dedup();
    }
    (must, cannot, without)
}
