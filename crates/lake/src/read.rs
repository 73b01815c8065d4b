use std::fs::File;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter, RowSelection, RowSelector,
};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use terms::{PersonId, RecordId};

use crate::merge::{Input, Merge};
use crate::snapshot::LakeFile;
use crate::visibility::Visibility;
use crate::{Lake, LakeError, LakeTable, PersonMap, format};

/// Uncompressed bytes of a batch that is read for merging.
const BATCH_BYTES: u64 = 2 << 20;
/// What rows roughly grow by when they are unpacked.
const EXPANSION: u64 = 6;

/// Records that are looked for, sorted, each once.
pub(crate) struct Wanted(Vec<i64>);

impl Wanted {
    pub(crate) fn new(sorted: Vec<i64>) -> Self {
        Self(sorted)
    }

    pub(crate) fn any_between(&self, min: i64, max: i64) -> bool {
        let from = self.0.partition_point(|r| *r < min);
        self.0.get(from).is_some_and(|r| *r <= max)
    }

    pub(crate) fn has(&self, record: i64) -> bool {
        self.0.binary_search(&record).is_ok()
    }

    /// Which rows are of wanted records; rows of a record stand together.
    pub(crate) fn mask(&self, records: &[i64]) -> BooleanBuffer {
        let mut last = None;
        BooleanBuffer::collect_bool(records.len(), |i| {
            let record = records[i];
            let has = match last {
                Some((of, has)) if of == record => has,
                _ => self.has(record),
            };
            last = Some((record, has));
            has
        })
    }
}

fn opened(lake: &Lake, file: &LakeFile, index: bool) -> Result<ParquetRecordBatchReaderBuilder<File>, LakeError> {
    let key = crate::open_key(lake.keyring(), file.asset, &file.wrapped)?;
    let builder = format::open(&lake.root().join(&file.path), file.asset, key.bytes(), index)?;
    if builder.schema().fields() != file.table.schema().fields() {
        return Err(LakeError::Batch {
            table: file.table.name(),
            reason: "a file of the lake has the columns of another version".to_owned(),
        });
    }
    Ok(builder)
}

fn failed(file: &LakeFile) -> impl Fn(ArrowError) -> LakeError + Send + use<> {
    let asset = file.asset;
    move |error| {
        // What the Parquet reader meets arrives wrapped; its positions and lengths are worth telling, values are not.
        let reason = match error {
            ArrowError::ParquetError(reason) => reason,
            ArrowError::ExternalError(_) => "an error of the reader".to_owned(),
            _ => "its columns do not decode".to_owned(),
        };
        LakeError::Unreadable { asset, reason }
    }
}

fn rows_per_batch(file: &LakeFile) -> usize {
    let row = (file.size * EXPANSION / file.rows.max(1)).max(1);
    (BATCH_BYTES / row).clamp(16, 8_192) as usize
}

fn batches(lake: &Lake, file: &LakeFile) -> Result<ParquetRecordBatchReader, LakeError> {
    let failed = |e| LakeError::Unreadable { asset: file.asset, reason: format::reason(&e) };
    opened(lake, file, false)?.with_batch_size(rows_per_batch(file)).build().map_err(failed)
}

/// A whole file as sorted input of a merge, without hidden rows and without the records in `without`.
pub(crate) fn input(
    lake: &Lake,
    file: &LakeFile,
    rule: &Arc<Visibility>,
    without: Option<&Arc<Wanted>>,
) -> Result<Input, LakeError> {
    let hides = file.table != LakeTable::RecordPerson && rule.touches(file.min_record, file.max_record, file.commit_seq);
    let rule = hides.then(|| Arc::clone(rule));
    let without = without.map(Arc::clone);
    let failed = failed(file);
    Ok(Box::new(batches(lake, file)?.map(move |batch| {
        let mut batch = batch.map_err(&failed)?;
        if let Some(rule) = &rule {
            batch = rule.filter(batch).map_err(&failed)?;
        }
        if let Some(without) = &without {
            let ids = batch.column(0).as_primitive::<Int64Type>();
            let gone = without.mask(ids.values());
            if gone.count_set_bits() > 0 {
                batch = arrow::compute::filter_record_batch(&batch, &BooleanArray::new(!&gone, None)).map_err(&failed)?;
            }
        }
        Ok(batch)
    })))
}

/// Files as one sorted sequence. Files whose ranges do not overlap are opened one after the other.
pub(crate) fn merged(
    lake: &Lake,
    table: LakeTable,
    files: &[LakeFile],
    rule: &Arc<Visibility>,
    without: Option<&Arc<Wanted>>,
) -> Result<impl Iterator<Item = Result<RecordBatch, LakeError>> + Send + use<>, LakeError> {
    let mut chains: Vec<Vec<LakeFile>> = Vec::new();
    for file in files {
        match chains.iter_mut().find(|c| c.last().is_some_and(|last| last.max_record < file.min_record)) {
            Some(chain) => chain.push(file.clone()),
            None => chains.push(vec![file.clone()]),
        }
    }
    let inputs = chains
        .into_iter()
        .map(|chain| {
            let (lake, rule, without) = (lake.clone(), Arc::clone(rule), without.map(Arc::clone));
            let input: Input = Box::new(chain.into_iter().flat_map(move |file| -> Input {
                match input(&lake, &file, &rule, without.as_ref()) {
                    Ok(input) => input,
                    Err(error) => Box::new(std::iter::once(Err(error))),
                }
            }));
            input
        })
        .collect();
    Ok(Merge::new(table.name(), inputs))
}

/// The row groups that can hold wanted records, and within them the pages.
fn selection(metadata: &ParquetMetaData, wanted: &Wanted) -> (Vec<usize>, Option<RowSelection>) {
    let mut groups = Vec::new();
    let mut selectors = Vec::new();
    let mut paged = true;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let range = match group.columns().first().and_then(|c| c.statistics()) {
            Some(Statistics::Int64(s)) => s.min_opt().zip(s.max_opt()).map(|(min, max)| (*min, *max)),
            _ => None,
        };
        if range.is_some_and(|(min, max)| !wanted.any_between(min, max)) {
            continue;
        }
        groups.push(number);
        match pages(metadata, number, group.num_rows(), wanted) {
            Some(pages) => selectors.extend(pages),
            None => paged = false,
        }
    }
    (groups, paged.then(|| RowSelection::from(selectors)))
}

/// Rows of a row group to read, by the page index of `record_id`.
fn pages(metadata: &ParquetMetaData, group: usize, rows: i64, wanted: &Wanted) -> Option<Vec<RowSelector>> {
    let ColumnIndexMetaData::INT64(index) = metadata.column_index()?.get(group)?.first()? else { return None };
    let starts = metadata.offset_index()?.get(group)?.first()?.page_locations();
    let mut out = Vec::with_capacity(starts.len());
    for (page, location) in starts.iter().enumerate() {
        let end = starts.get(page + 1).map_or(rows, |next| next.first_row_index);
        let count = usize::try_from(end - location.first_row_index).ok()?;
        let needed = match (index.min_value(page), index.max_value(page)) {
            (Some(min), Some(max)) => wanted.any_between(*min, *max),
            _ => true,
        };
        out.push(if needed { RowSelector::select(count) } else { RowSelector::skip(count) });
    }
    Some(out)
}

/// The visible rows of wanted records in one file. Only `record_id` and `commit_seq` are unpacked to find them.
pub(crate) fn of_records(
    lake: &Lake,
    file: &LakeFile,
    wanted: &Arc<Wanted>,
    rule: &Arc<Visibility>,
) -> Result<Vec<RecordBatch>, LakeError> {
    let builder = opened(lake, file, true)?;
    let (groups, rows) = selection(builder.metadata(), wanted);
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let schema = file.table.schema();
    let place = |name: &str| schema.index_of(name).map_err(failed(file));
    let mask = ProjectionMask::roots(builder.parquet_schema(), [place("record_id")?, place("commit_seq")?]);
    let (wanted, rule) = (Arc::clone(wanted), Arc::clone(rule));
    let keep = ArrowPredicateFn::new(mask, move |batch: RecordBatch| {
        let ids = batch.column(0).as_primitive::<Int64Type>().values();
        let commits = batch.column(1).as_primitive::<Int64Type>().values();
        let hit = wanted.mask(ids);
        let rows = if rule.all_visible() { hit } else { &hit & &rule.mask(ids, commits) };
        Ok(BooleanArray::new(rows, None))
    });
    let mut builder = builder.with_row_groups(groups).with_row_filter(RowFilter::new(vec![Box::new(keep)]));
    if let Some(rows) = rows {
        builder = builder.with_row_selection(rows);
    }
    let reader = builder
        .with_batch_size(rows_per_batch(file))
        .build()
        .map_err(|e| LakeError::Unreadable { asset: file.asset, reason: format::reason(&e) })?;
    reader.map(|batch| batch.map_err(failed(file))).collect()
}

/// How many rows of a file are of wanted records, stale and blocked ones included.
pub(crate) fn count_of(lake: &Lake, file: &LakeFile, wanted: &Wanted) -> Result<u64, LakeError> {
    let builder = opened(lake, file, true)?;
    let (groups, rows) = selection(builder.metadata(), wanted);
    let mask = ProjectionMask::roots(builder.parquet_schema(), [0]);
    let mut builder = builder.with_row_groups(groups).with_projection(mask);
    if let Some(rows) = rows {
        builder = builder.with_row_selection(rows);
    }
    let reader = builder.build().map_err(|e| LakeError::Unreadable { asset: file.asset, reason: format::reason(&e) })?;
    let mut count = 0;
    for batch in reader {
        let batch = batch.map_err(failed(file))?;
        count += wanted.mask(batch.column(0).as_primitive::<Int64Type>().values()).count_set_bits() as u64;
    }
    Ok(count)
}

/// The map that a file of `record_person` holds.
pub(crate) fn person_map(lake: &Lake, file: &LakeFile) -> Result<PersonMap, LakeError> {
    let mut pairs = Vec::with_capacity(file.rows as usize);
    for batch in batches(lake, file)? {
        let batch = batch.map_err(failed(file))?;
        let records = batch.column(0).as_primitive::<Int64Type>();
        let persons = batch.column(1).as_primitive::<Int64Type>();
        pairs.extend(records.values().iter().zip(persons.values()).map(|(r, p)| (RecordId(*r), PersonId(*p))));
    }
    Ok(PersonMap::new(pairs))
}

/// Does the same for each of some items, on as many threads as the machine has; results in the order of the items.
pub(crate) fn in_parallel<I: Sync, T: Send>(
    items: &[I],
    work: impl Fn(&I) -> Result<T, LakeError> + Sync,
) -> Result<Vec<T>, LakeError> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let slots: Vec<std::sync::Mutex<Option<Result<T, LakeError>>>> = items.iter().map(|_| std::sync::Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((item, slot)) = {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    items.get(at).zip(slots.get(at))
                } {
                    let done = work(item);
                    *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(done);
                }
            });
        }
    });
    slots
        .into_iter()
        .map(|slot| {
            let done = slot.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            done.unwrap_or(Err(LakeError::Worker { what: "reading files" }))
        })
        .collect()
}
