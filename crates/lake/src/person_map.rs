use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use terms::{PersonId, RecordId};

/// Which records are one person, as a linkage run said it: sorted by record.
#[derive(Clone, Default)]
pub struct PersonMap {
    records: Arc<[i64]>,
    persons: Arc<[i64]>,
}

impl PersonMap {
    /// A map from pairs in any order. Of a record named twice the first counts.
    pub fn new(mut pairs: Vec<(RecordId, PersonId)>) -> Self {
        pairs.sort_by_key(|pair| pair.0);
        pairs.dedup_by_key(|pair| pair.0);
        Self { records: pairs.iter().map(|p| p.0.0).collect(), persons: pairs.iter().map(|p| p.1.0).collect() }
    }

    /// Number of records in it.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no record is in it.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The person of a record, `None` when the run did not know the record.
    pub fn person(&self, record: RecordId) -> Option<PersonId> {
        let at = self.records.binary_search(&record.0).ok()?;
        self.persons.get(at).map(|p| PersonId(*p))
    }

    /// All pairs, by record.
    pub fn iter(&self) -> impl Iterator<Item = (RecordId, PersonId)> + '_ {
        self.records.iter().zip(self.persons.iter()).map(|(r, p)| (RecordId(*r), PersonId(*p)))
    }

    /// The persons of a column of records. Rows of a record stand together, and files are sorted: the next record is
    /// mostly found beside the last.
    pub(crate) fn column(&self, records: &[i64]) -> Int64Array {
        let mut values = Vec::with_capacity(records.len());
        let mut known = Vec::with_capacity(records.len());
        let mut all = true;
        let (mut last, mut hit): (Option<i64>, Option<i64>) = (None, None);
        let mut near = 0;
        for record in records {
            if last != Some(*record) {
                (near, hit) = self.find(*record, near);
                last = Some(*record);
                all &= hit.is_some();
            }
            values.push(hit.unwrap_or(0));
            known.push(hit.is_some());
        }
        let nulls = (!all).then(|| NullBuffer::from(known));
        Int64Array::new(ScalarBuffer::from(values), nulls)
    }

    /// Looks a few places beside `near` before it searches.
    fn find(&self, record: i64, near: usize) -> (usize, Option<i64>) {
        for at in near..self.records.len().min(near + 4) {
            if self.records[at] == record {
                return (at, Some(self.persons[at]));
            }
        }
        match self.records.binary_search(&record) {
            Ok(at) => (at, Some(self.persons[at])),
            Err(at) => (at, None),
        }
    }

    /// The map without some records.
    pub(crate) fn without(&self, left_out: impl Fn(i64) -> bool) -> PersonMap {
        let kept = || self.records.iter().zip(self.persons.iter()).filter(|pair| !left_out(*pair.0));
        PersonMap { records: kept().map(|p| *p.0).collect(), persons: kept().map(|p| *p.1).collect() }
    }

    pub(crate) fn batch(&self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let records: ArrayRef = Arc::new(Int64Array::from_iter_values(self.records.iter().copied()));
        let persons: ArrayRef = Arc::new(Int64Array::from_iter_values(self.persons.iter().copied()));
        RecordBatch::try_new(crate::LakeTable::RecordPerson.schema(), vec![records, persons])
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;

    #[test]
    fn a_column_of_records_becomes_the_persons_that_single_look_ups_give() {
        let pairs: Vec<_> = (0..500).map(|i| (RecordId(i * 3), PersonId(i / 2))).collect();
        let map = PersonMap::new(pairs.into_iter().rev().collect());
        bolero::check!().with_type::<Vec<u16>>().for_each(|records| {
            let records: Vec<i64> = records.iter().map(|r| i64::from(*r % 1_600)).collect();
            let column = map.column(&records);
            for (i, record) in records.iter().enumerate() {
                let got = column.is_valid(i).then(|| PersonId(column.value(i)));
                assert_eq!(got, map.person(RecordId(*record)));
            }
        });
    }
}
