use std::cmp::Reverse;
use std::collections::BinaryHeap;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, interleave_record_batch};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;

use crate::LakeError;

/// Rows gathered before they are put together.
const ROWS: usize = 16_384;

/// Rows in a piece, in the mean, from which on pieces are put together as such.
const LONG: usize = 128;

/// A source of batches sorted by `record_id`.
pub(crate) type Input = Box<dyn Iterator<Item = Result<RecordBatch, LakeError>> + Send>;

/// Rows of several sorted inputs as one sorted sequence, a batch of each input in memory. Rows of one record keep the
/// order of the inputs, and within an input their own.
pub(crate) struct Merge {
    table: &'static str,
    inputs: Vec<Input>,
    /// Current batch of each input and how far it is used.
    current: Vec<Option<(RecordBatch, usize)>>,
    /// Next record of each input that has one.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
    primed: bool,
    rows: usize,
    long: usize,
}

impl Merge {
    pub(crate) fn new(table: &'static str, inputs: Vec<Input>) -> Self {
        let current = inputs.iter().map(|_| None).collect();
        Self { table, inputs, current, heads: BinaryHeap::new(), primed: false, rows: ROWS, long: LONG }
    }

    fn ids(batch: &RecordBatch) -> Result<&[i64], LakeError> {
        match batch.columns().first().and_then(|c| c.as_primitive_opt::<Int64Type>()) {
            Some(ids) => Ok(ids.values()),
            None => Err(LakeError::Batch { table: "lake", reason: "the first column is not record_id".to_owned() }),
        }
    }

    /// Puts the next batch of an input in place; empty ones are passed over.
    fn advance(&mut self, input: usize) -> Result<(), LakeError> {
        self.current[input] = None;
        for batch in self.inputs[input].by_ref() {
            let batch = batch?;
            if let Some(first) = Self::ids(&batch)?.first() {
                self.heads.push(Reverse((*first, input)));
                self.current[input] = Some((batch, 0));
                return Ok(());
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        if !self.primed {
            self.primed = true;
            for input in 0..self.inputs.len() {
                self.advance(input)?;
            }
        }
        // The batches that rows are taken of, which of them each input is at, and the rows in order.
        let mut batches: Vec<RecordBatch> = Vec::new();
        let mut place: Vec<Option<usize>> = vec![None; self.inputs.len()];
        let mut parts: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
        let mut rows = 0;
        while rows < self.rows {
            let Some(Reverse((_, input))) = self.heads.pop() else { break };
            let Some((batch, from)) = self.current[input].take() else { continue };
            let ids = Self::ids(&batch)?;
            // Everything of this input that stands before the next input's head, in one piece.
            let to = match self.heads.peek() {
                None => ids.len().min(from + (self.rows - rows)),
                Some(Reverse((next, other))) => {
                    let rest = &ids[from..];
                    from + rest.partition_point(|id| id < next || (id == next && input < *other))
                }
            };
            let at = *place[input].get_or_insert_with(|| {
                batches.push(batch.clone());
                batches.len() - 1
            });
            parts.push((at, from..to));
            rows += to - from;
            match ids.get(to) {
                Some(next) => {
                    self.heads.push(Reverse((*next, input)));
                    self.current[input] = Some((batch, to));
                }
                None => {
                    place[input] = None;
                    self.advance(input)?;
                }
            }
        }
        let slice = |(at, rows): &(usize, std::ops::Range<usize>)| batches[*at].slice(rows.start, rows.len());
        let Some(first) = batches.first() else { return Ok(None) };
        if let [one] = parts.as_slice() {
            return Ok(Some(slice(one)));
        }
        let together = if rows / parts.len() >= self.long {
            concat_batches(&first.schema(), parts.iter().map(slice).collect::<Vec<_>>().iter())
        } else {
            // A slice of every column for a few rows would cost more than the rows.
            let order: Vec<(usize, usize)> = parts.into_iter().flat_map(|(at, rows)| rows.map(move |row| (at, row))).collect();
            interleave_record_batch(&batches.iter().collect::<Vec<_>>(), &order)
        };
        together.map(Some).map_err(|error| self.columns(&error))
    }

    fn columns(&self, error: &ArrowError) -> LakeError {
        LakeError::Columns { table: self.table, reason: error.to_string() }
    }
}

/// Batches of a table of the lake as one, sorted by `record_id`: what a [`crate::FileWriter`] takes. Rows of one record
/// keep their order.
///
/// # Errors
/// [`LakeError::Batch`] when the batches are not of one table of the lake.
pub fn sorted_by_record(batches: &[RecordBatch]) -> Result<Option<RecordBatch>, LakeError> {
    let refused = |e: ArrowError| LakeError::Batch { table: "lake", reason: e.to_string() };
    let Some(first) = batches.first() else { return Ok(None) };
    let all = concat_batches(&first.schema(), batches).map_err(refused)?;
    let ids = Merge::ids(&all)?;
    if ids.is_sorted() {
        return Ok(Some(all));
    }
    let mut order: Vec<u32> = (0..u32::try_from(ids.len()).unwrap_or(u32::MAX)).collect();
    if order.len() != ids.len() {
        return Err(LakeError::Batch { table: "lake", reason: "more than four thousand million rows at once".to_owned() });
    }
    order.sort_by_key(|row| ids[*row as usize]);
    arrow::compute::take_record_batch(&all, &UInt32Array::from(order)).map(Some).map_err(refused)
}

impl Iterator for Merge {
    type Item = Result<RecordBatch, LakeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let out = self.step();
        if out.is_err() {
            self.heads.clear();
        }
        out.transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn batch(rows: &[(i64, i64)]) -> RecordBatch {
        let schema =
            Schema::new(vec![Field::new("record_id", DataType::Int64, false), Field::new("tag", DataType::Int64, false)]);
        let ids = Int64Array::from_iter_values(rows.iter().map(|r| r.0));
        let tags = Int64Array::from_iter_values(rows.iter().map(|r| r.1));
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(ids), Arc::new(tags)]).expect("a batch")
    }

    #[test]
    fn a_merge_of_sorted_inputs_is_what_a_stable_sort_of_all_rows_is() {
        bolero::check!().with_type::<(Vec<Vec<u8>>, u8)>().for_each(|(inputs, width)| {
            let width = usize::from(*width % 7) + 1;
            let mut all = Vec::new();
            let mut sources: Vec<Input> = Vec::new();
            for (number, ids) in inputs.iter().enumerate() {
                let mut ids: Vec<i64> = ids.iter().map(|id| i64::from(id % 16)).collect();
                ids.sort_unstable();
                let rows: Vec<(i64, i64)> = ids.iter().enumerate().map(|(i, id)| (*id, (number * 1_000 + i) as i64)).collect();
                all.extend(rows.clone());
                let batches: Vec<_> = rows.chunks(width).map(|chunk| Ok(batch(chunk))).collect();
                sources.push(Box::new(batches.into_iter()));
            }
            all.sort_by_key(|row| row.0);
            let unsorted: Vec<_> = inputs.iter().flatten().map(|id| (i64::from(id % 16), 0)).collect();
            let sorted = sorted_by_record(&[batch(&unsorted)]).expect("sorted").expect("a batch");
            let ids = sorted.column(0).as_primitive::<Int64Type>().values();
            assert_eq!(ids.to_vec(), all.iter().map(|row| row.0).collect::<Vec<_>>());
            let mut merge = Merge::new("test", sources);
            merge.rows = width * 2;
            merge.long = width % 3;
            let mut merged = Vec::new();
            for out in merge {
                let out = out.expect("merged");
                let ids = out.column(0).as_primitive::<Int64Type>();
                let tags = out.column(1).as_primitive::<Int64Type>();
                merged.extend(ids.values().iter().copied().zip(tags.values().iter().copied()));
            }
            assert_eq!(merged, all);
        });
    }
}
