//! Rows of patients of whom more may come in the same package: they are assembled when all of it is read. Beyond some memory they wait on
//! disk, sealed, in parts that each hold whole patients.

use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use lake::{Spilled, SpilledReader};
use omop::Table;
use terms::RecordId;

use crate::assemble::{Rows, record_ids};
use crate::error::Error;

/// Parts on disk: each is read back whole.
const PARTS: usize = 64;

/// Rows that wait.
pub(super) struct Late {
    directory: PathBuf,
    /// Arrow bytes kept in memory.
    most: usize,
    rows: Rows,
    bytes: usize,
    records: HashSet<RecordId>,
    parts: Vec<Spilled>,
}

fn spilling() -> impl FnOnce(io::Error) -> Error {
    Error::io("keeping rows of a package")
}

/// The part of a record: neighbours come to different ones, so that all are about as large.
fn part(record: i64) -> usize {
    (record as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) as usize >> 40 & (PARTS - 1)
}

impl Late {
    /// Nothing yet. What `most` bytes do not hold goes to the disk of `directory`.
    pub(super) fn new(directory: PathBuf, most: usize) -> Late {
        Late { directory, most, rows: Rows::new(), bytes: 0, records: HashSet::new(), parts: Vec::new() }
    }

    /// Keeps rows of some records.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn add(&mut self, rows: Rows, records: impl Iterator<Item = RecordId>) -> Result<(), Error> {
        for (table, batches) in rows {
            self.bytes += batches.iter().map(RecordBatch::get_array_memory_size).sum::<usize>();
            self.rows.entry(table).or_default().extend(batches);
        }
        self.records.extend(records);
        if self.bytes > self.most { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), Error> {
        while self.parts.len() < PARTS {
            self.parts.push(Spilled::new(&self.directory).map_err(spilling())?);
        }
        for (table, batches) in std::mem::take(&mut self.rows) {
            let all = arrow::compute::concat_batches(&table.lake_schema(), &batches)?;
            drop(batches);
            let mut rows: Vec<Vec<u32>> = vec![Vec::new(); PARTS];
            for (row, record) in record_ids(&all)?.values().iter().enumerate() {
                rows[part(*record)].push(row as u32);
            }
            for (to, rows) in self.parts.iter_mut().zip(rows).filter(|(_, rows)| !rows.is_empty()) {
                write(to, table, &take_record_batch(&all, &UInt32Array::from(rows))?)?;
            }
        }
        self.bytes = 0;
        Ok(())
    }

    /// Everything that was kept, a part after the other: the rows and whose they are.
    ///
    /// # Errors
    /// When the last of it cannot be written.
    pub(super) fn parts(mut self) -> Result<Parts, Error> {
        if self.parts.is_empty() {
            let records = self.records.into_iter().collect();
            return Ok(Parts { whole: Some((self.rows, records)), parts: Vec::new().into_iter(), records: Vec::new() });
        }
        self.spill()?;
        let mut records = vec![Vec::new(); PARTS];
        for record in self.records {
            records[part(record.0)].push(record);
        }
        Ok(Parts { whole: None, parts: self.parts.into_iter(), records })
    }
}

/// What waited, as it comes back.
pub(super) struct Parts {
    whole: Option<(Rows, Vec<RecordId>)>,
    parts: std::vec::IntoIter<Spilled>,
    /// Of each part, the last one first.
    records: Vec<Vec<RecordId>>,
}

impl Parts {
    /// The next part.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<(Rows, Vec<RecordId>)>, Error> {
        if let Some(whole) = self.whole.take() {
            return Ok(Some(whole));
        }
        let Some(part) = self.parts.next() else { return Ok(None) };
        let number = self.records.len() - self.parts.len() - 1;
        let records = self.records.get_mut(number).map(std::mem::take).unwrap_or_default();
        let mut reader = part.into_reader().map_err(spilling())?;
        let mut rows = Rows::new();
        while let Some((table, batch)) = read(&mut reader)? {
            rows.entry(table).or_default().push(batch);
        }
        Ok(Some((rows, records)))
    }
}

/// Number of the table, length, and the batch as a stream of Arrow.
fn write(to: &mut Spilled, table: Table, batch: &RecordBatch) -> Result<(), Error> {
    let number = Table::ALL.iter().position(|t| *t == table).unwrap_or_default() as u64;
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    stream.write(batch)?;
    let bytes = stream.into_inner()?;
    for word in [number, bytes.len() as u64] {
        to.write_all(&word.to_le_bytes()).map_err(spilling())?;
    }
    to.write_all(&bytes).map_err(spilling())
}

fn read(from: &mut SpilledReader) -> Result<Option<(Table, RecordBatch)>, Error> {
    let broken = || Error::Inconsistent("rows that waited on disk cannot be read".to_owned());
    let mut word = [0u8; 8];
    match from.read(&mut word[..1]).map_err(spilling())? {
        0 => return Ok(None),
        _ => from.read_exact(&mut word[1..]).map_err(spilling())?,
    }
    let table = usize::try_from(u64::from_le_bytes(word)).ok().and_then(|n| Table::ALL.get(n)).ok_or_else(broken)?;
    from.read_exact(&mut word).map_err(spilling())?;
    let mut bytes = Vec::new();
    from.take(u64::from_le_bytes(word)).read_to_end(&mut bytes).map_err(spilling())?;
    let batch = StreamReader::try_new(bytes.as_slice(), None)?.next().ok_or_else(broken)??;
    Ok(Some((*table, batch)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use omop::{Columns, Head, MeasurementRow, SourceState};
    use terms::AssetId;

    use super::*;

    fn rows(records: &[i64]) -> Rows {
        let mut columns = Columns::default();
        for (n, record) in records.iter().enumerate() {
            let key = format!("k{record}");
            let head = Head { record_id: n as i64, source_key: &key, source_ts: 0, source_state: SourceState::Live };
            columns.measurement.push(&head, &MeasurementRow::default());
        }
        let ids: Vec<Option<RecordId>> = records.iter().map(|r| Some(RecordId(*r))).collect();
        let (table, batch) = columns.finish().remove(0);
        Rows::from([(table, vec![omop::to_lake(table, &batch, &ids, AssetId::new(), 1, 0).expect("rows")])])
    }

    #[test]
    fn what_does_not_fit_into_memory_comes_back_whole_and_each_patient_in_one_part() {
        for most in [usize::MAX, 1] {
            let directory = tempfile::tempdir().expect("a directory");
            let mut late = Late::new(directory.path().join("spill"), most);
            for round in 0..3 {
                let records: Vec<i64> = (1..=500).filter(|r| r % (round + 1) == 0).collect();
                late.add(rows(&records), records.iter().map(|r| RecordId(*r))).expect("kept");
            }
            let mut found: BTreeMap<i64, usize> = BTreeMap::new();
            let mut parts = late.parts().expect("parts");
            let mut number = 0;
            while let Some((rows, records)) = parts.next().expect("a part") {
                number += 1;
                let mut here: BTreeMap<i64, usize> = BTreeMap::new();
                for batch in rows.values().flatten() {
                    for record in record_ids(batch).expect("ids").values() {
                        *here.entry(*record).or_default() += 1;
                    }
                }
                assert_eq!(here.keys().copied().collect::<HashSet<_>>(), records.iter().map(|r| r.0).collect());
                for (record, rows) in here {
                    assert!(found.insert(record, rows).is_none(), "{record} is in two parts");
                }
            }
            assert_eq!(number, if most == 1 { PARTS } else { 1 });
            let expected = |r: i64| (1..=3).filter(|n| r % n == 0).count();
            assert_eq!(found, (1..=500).map(|r| (r, expected(r))).collect());
        }
    }
}
