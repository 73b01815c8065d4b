use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;

/// Whether rows of blocked records are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Blocked {
    /// They stay out: every read but those that keep a record itself in order.
    #[default]
    Exclude,
    /// They come too: assembling a record anew must not lose what a hold covers.
    Include,
}

/// Which rows nobody sees: rows that a later commit replaced, and rows of records that are stopped or on hold.
#[derive(Clone, Default)]
pub(crate) struct Visibility {
    /// Per record the first commit that counts, sorted by record.
    stale: Vec<(i64, i64)>,
    /// Blocked records, sorted.
    blocked: Vec<i64>,
}

impl Visibility {
    pub(crate) fn new(stale: BTreeMap<i64, i64>, blocked: BTreeSet<i64>) -> Self {
        Self { stale: stale.into_iter().collect(), blocked: blocked.into_iter().collect() }
    }

    /// The same without blocked records: for look-ups that include them.
    pub(crate) fn of(&self, blocked: Blocked) -> Visibility {
        match blocked {
            Blocked::Exclude => self.clone(),
            Blocked::Include => Visibility { stale: self.stale.clone(), blocked: Vec::new() },
        }
    }

    /// Whether nothing is hidden anywhere.
    pub(crate) fn all_visible(&self) -> bool {
        self.stale.is_empty() && self.blocked.is_empty()
    }

    /// Whether a file of records `min..=max`, whose rows are of commits up to `commit_seq` and which held no stale
    /// row at that commit, can hold a row that nobody sees.
    pub(crate) fn touches(&self, min: i64, max: i64, commit_seq: i64) -> bool {
        self.touches_stale(min, max, commit_seq) || between(&self.blocked, |r| *r, min, max).next().is_some()
    }

    /// The same for stale rows alone.
    pub(crate) fn touches_stale(&self, min: i64, max: i64, commit_seq: i64) -> bool {
        between(&self.stale, |s| s.0, min, max).any(|(_, first)| *first > commit_seq)
    }

    /// Whether a record is blocked.
    pub(crate) fn is_blocked(&self, record: i64) -> bool {
        self.blocked.binary_search(&record).is_ok()
    }

    /// Records with a first commit that counts.
    pub(crate) fn stale(&self) -> &[(i64, i64)] {
        &self.stale
    }

    /// The youngest commit that made rows stale.
    pub(crate) fn latest(&self) -> i64 {
        self.stale.iter().map(|s| s.1).max().unwrap_or(0)
    }

    /// The first commit that counts of a record, `i64::MAX` when the record is blocked.
    fn threshold(&self, record: i64) -> i64 {
        if self.blocked.binary_search(&record).is_ok() {
            return i64::MAX;
        }
        match self.stale.binary_search_by_key(&record, |s| s.0) {
            Ok(at) => self.stale.get(at).map_or(i64::MIN, |s| s.1),
            Err(_) => i64::MIN,
        }
    }

    /// Which of these rows are visible. Rows of one record stand together, so each record is looked up once.
    pub(crate) fn mask(&self, records: &[i64], commits: &[i64]) -> BooleanBuffer {
        let mut last = None;
        BooleanBuffer::collect_bool(records.len(), |i| {
            let record = records[i];
            let first = match last {
                Some((of, first)) if of == record => first,
                _ => self.threshold(record),
            };
            last = Some((record, first));
            commits[i] >= first
        })
    }

    /// The visible rows of a batch of the lake.
    pub(crate) fn filter(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.all_visible() {
            return Ok(batch);
        }
        let (Some(records), Some(commits)) = (batch.column_by_name("record_id"), batch.column_by_name("commit_seq")) else {
            return Err(ArrowError::SchemaError("record_id and commit_seq are missing".to_owned()));
        };
        let mask = self.mask(records.as_primitive::<Int64Type>().values(), commits.as_primitive::<Int64Type>().values());
        if mask.count_set_bits() == batch.num_rows() {
            return Ok(batch);
        }
        filter_record_batch(&batch, &BooleanArray::new(mask, None))
    }
}

fn between<T>(sorted: &[T], key: impl Fn(&T) -> i64, min: i64, max: i64) -> impl Iterator<Item = &T> {
    let from = sorted.partition_point(|item| key(item) < min);
    let to = sorted.partition_point(|item| key(item) <= max);
    sorted.get(from..to.max(from)).unwrap_or_default().iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_before_the_commit_that_counts_and_rows_of_blocked_records_are_hidden() {
        let rule = Visibility::new(BTreeMap::from([(3, 10)]), BTreeSet::from([5]));
        let mask = rule.mask(&[1, 3, 3, 5, 7], &[1, 9, 10, 99, 1]);
        assert_eq!(mask.iter().collect::<Vec<_>>(), [true, false, true, false, true]);
        let with_blocked = rule.of(Blocked::Include).mask(&[1, 3, 3, 5, 7], &[1, 9, 10, 99, 1]);
        assert_eq!(with_blocked.iter().collect::<Vec<_>>(), [true, false, true, true, true]);
    }

    #[test]
    fn files_that_can_hold_no_hidden_row_are_read_without_a_filter() {
        let rule = Visibility::new(BTreeMap::from([(30, 10)]), BTreeSet::from([50]));
        assert!(rule.touches(1, 30, 9));
        assert!(!rule.touches(1, 30, 10), "written with the commit that counts");
        assert!(!rule.touches(31, 49, 0));
        assert!(rule.touches(31, 50, 99));
    }
}
