//! How fast queries over the encrypted lake are: `scan_rate make DIR ROWS`, `scan_rate run DIR THREADS`.
//!
//! * `make` writes so many measurement rows, sorted by record as compaction leaves them, into a lake in `DIR/instance` and the
//!   same rows in the same order and row groups into plain Parquet in `DIR/plain`, for another engine to read; and the
//!   `person` rows and the map of records to persons likewise.
//! * `run` asks the four questions of [`QUERIES`] once each and prints a line of JSON a question: seconds by the clock and
//!   the answer. `bench/peers/duckdb_lake.py` asks the same of the plain files.
//!
//! Values are random but seeded: nothing is about anybody.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use lake::{Lake, PersonMap, SessionOptions, StagedFile};
use ledger::{Actor, Counts, Ledger, Mode, PatientHmac};
use omop::{Columns, Head, MeasurementRow, PersonRow, SourceState, Table};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use seal::{Kdf, Keyring, KeyringOptions, Passphrase};
use terms::{AssetId, PersonId, ProviderId, RecordId, RunId};

type Failure = Box<dyn Error + Send + Sync>;

/// Rows of a record, as many as some years of laboratory tests give.
const ROWS_A_RECORD: u64 = 300;
/// Rows of a row group of the lake (`lake::format`).
const GROUP_ROWS: usize = 262_144;
/// Rows of a file: about the size at which compaction begins the next.
const FILE_ROWS: u64 = 16 * GROUP_ROWS as u64;
/// Laboratory codes in use; the first are the most frequent.
const CODES: u64 = 400;

/// The questions: name, and the text for a lake, where `person_id` is a column of every table. For the peer the same
/// with the map of records to persons joined where `person_id` is asked for.
const QUERIES: [(&str, &str); 4] = [
    (
        "scan",
        "select count(*), count(distinct person_id), avg(value_as_number), min(measurement_date), max(measurement_date), \
         count(unit_source_value), max(range_high) from measurement",
    ),
    (
        "filter",
        "select count(*), count(distinct person_id), avg(value_as_number), max(measurement_date) from measurement \
         where measurement_source_value = '3D0460000019062'",
    ),
    (
        "group",
        "select count(*), max(n), avg(mean), max(latest) from (select person_id, count(*) as n, avg(value_as_number) as mean, \
         max(measurement_date) as latest from measurement group by person_id) as persons",
    ),
    (
        "join",
        "select p.year_of_birth, p.gender_source_value, count(*), count(distinct m.person_id), avg(m.value_as_number) \
         from measurement m join person p on m.record_id = p.record_id \
         group by p.year_of_birth, p.gender_source_value order by 1, 2",
    ),
];

/// A generator that is the same everywhere (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Measurements of some records as they stand in the lake.
fn measurements(records: &[RecordId], seed: u64, asset: AssetId) -> Result<RecordBatch, Failure> {
    const UNITS: [&str; 6] = ["mg/dL", "g/dL", "U/L", "mEq/L", "%", "10*3/uL"];
    let mut dice = Dice(seed);
    let mut columns = Columns::default();
    for (number, _) in records.iter().enumerate() {
        let mut day = 17_000 + dice.below(1_000) as i32;
        for row in 0..ROWS_A_RECORD {
            // Some thirty tests a day of drawing blood, each with its order.
            if row % 30 == 0 {
                day += 1 + dice.below(120) as i32;
            }
            // The square makes small numbers frequent.
            let code = dice.below(CODES) * dice.below(CODES) / CODES;
            let key = format!("OML-11|{day}|{:015}", row / 30);
            let value = (dice.below(4_000) as f64) / 10.0;
            let text = value.to_string();
            let source = if code == 46 { "3D0460000019062".to_owned() } else { format!("3A{code:03}0000023271") };
            let head = Head {
                record_id: number as i64,
                source_key: &key,
                source_ts: i64::from(day) * 86_400_000_000,
                source_state: SourceState::Live,
            };
            columns.measurement.push(
                &head,
                &MeasurementRow {
                    measurement_id: row as i64 + 1,
                    measurement_date: day,
                    measurement_datetime: Some(i64::from(day) * 86_400_000_000 + 30_600_000_000),
                    measurement_type_concept_id: 32_856,
                    value_as_number: Some(value),
                    range_low: Some(code as f64),
                    range_high: Some(code as f64 * 2.0),
                    visit_occurrence_id: Some(row as i64 / 30 + 1),
                    measurement_source_value: Some(&source),
                    unit_source_value: (dice.below(20) > 0).then_some(UNITS[(code % 6) as usize]),
                    value_source_value: Some(&text),
                    ..Default::default()
                },
            );
        }
    }
    lake_batch(columns, records, asset)
}

fn persons(records: &[RecordId], asset: AssetId) -> Result<RecordBatch, Failure> {
    let mut columns = Columns::default();
    let mut dice = Dice(99);
    for (number, _) in records.iter().enumerate() {
        let head = Head { record_id: number as i64, source_key: "ADT-00", source_ts: 0, source_state: SourceState::Live };
        let sex = if dice.below(2) == 0 { "F" } else { "M" };
        columns.person.push(
            &head,
            &PersonRow { year_of_birth: 1930 + dice.below(80) as i32, gender_source_value: Some(sex), ..Default::default() },
        );
    }
    lake_batch(columns, records, asset)
}

fn lake_batch(columns: Columns, records: &[RecordId], asset: AssetId) -> Result<RecordBatch, Failure> {
    let mut columns = columns;
    let ids: Vec<_> = records.iter().copied().map(Some).collect();
    let (table, batch) = columns.finish().into_iter().next().ok_or("no rows")?;
    Ok(omop::to_lake(table, &batch, &ids, asset, 1, 1)?)
}

/// What `lake::format` sets, without the key.
fn plain_writer(path: &Path, batch: &RecordBatch) -> Result<ArrowWriter<File>, Failure> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    Ok(ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties))?)
}

fn passphrase() -> Result<Passphrase, Failure> {
    Ok(Passphrase::new("of the measurement")?)
}

async fn make(dir: &Path, rows: u64) -> Result<(), Failure> {
    let (root, plain) = (dir.join("instance"), dir.join("plain"));
    fs::create_dir_all(&root)?;
    fs::create_dir_all(&plain)?;
    let options = KeyringOptions { kdf: Kdf::LIGHT, ..Default::default() };
    let keyring = Arc::new(Keyring::create_with(&root.join("keyring.azk"), &passphrase()?, &options)?);
    let ledger =
        Ledger::create(&root.join("ledger.db"), &keyring.ledger_key(), &keyring.journal_seed(), "azekura.test/scan").await?;
    let lake = Lake::open(&root, Arc::clone(&keyring))?;
    let provider: ProviderId = "1319999991".parse()?;
    let actor: Actor = "bench".parse()?;

    let count = rows.div_ceil(ROWS_A_RECORD);
    let patients: Vec<PatientHmac> = (0..count)
        .map(|n| {
            let mut bytes = [1u8; 32];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            PatientHmac(bytes)
        })
        .collect();
    let mut tx = ledger.begin(&actor, "measurement").await?;
    let mut records = tx.resolve_records(&provider, &patients).await?;
    tx.commit().await?;
    records.sort();
    let asset = AssetId::new();

    // Files of whole records, two at a time.
    let files: Vec<&[RecordId]> = records.chunks((FILE_ROWS / ROWS_A_RECORD) as usize).collect();
    let next = AtomicUsize::new(0);
    let write = || -> Result<Vec<StagedFile>, Failure> {
        let mut staged = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(records) = files.get(number) else { return Ok(staged) };
            let mut sealed = lake.writer(Table::Measurement, &provider)?;
            let mut open: Option<ArrowWriter<File>> = None;
            for (part, records) in records.chunks(200).enumerate() {
                let batch = measurements(records, ((number as u64) << 32) + part as u64, asset)?;
                sealed.write(&batch)?;
                if open.is_none() {
                    open = Some(plain_writer(&plain.join(format!("measurement-{number:04}.parquet")), &batch)?);
                }
                if let Some(open) = open.as_mut() {
                    open.write(&batch)?;
                }
            }
            staged.push(sealed.finish()?);
            if let Some(open) = open {
                open.close()?;
            }
        }
    };
    let mut staged = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(write)).collect();
        workers.into_iter().try_fold(Vec::new(), |mut all, worker| {
            all.extend(worker.join().map_err(|_| "a writer ended")??);
            Ok::<_, Failure>(all)
        })
    })?;

    let batch = persons(&records, asset)?;
    let mut sealed = lake.writer(Table::Person, &provider)?;
    sealed.write(&batch)?;
    staged.push(sealed.finish()?);
    let mut open = plain_writer(&plain.join("person.parquet"), &batch)?;
    open.write(&batch)?;
    open.close()?;

    // Three records in ten are another record of somebody who has one already.
    let mut dice = Dice(7);
    let mut persons = 0;
    let pairs: Vec<(RecordId, PersonId)> = records
        .iter()
        .map(|record| {
            let known = persons > 0 && dice.below(10) < 3;
            let person = if known { dice.below(persons) as i64 + 1 } else { persons as i64 + 1 };
            persons += u64::from(!known);
            (*record, PersonId(person))
        })
        .collect();
    let map = PersonMap::new(pairs.clone());
    let map_file = lake.write_person_map(&map, 2)?;
    let columns: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(arrow::array::Int64Array::from_iter_values(pairs.iter().map(|p| p.0.0))),
        Arc::new(arrow::array::Int64Array::from_iter_values(pairs.iter().map(|p| p.1.0))),
    ];
    let batch = RecordBatch::try_from_iter([("record_id", Arc::clone(&columns[0])), ("person_id", Arc::clone(&columns[1]))])?;
    let mut open = plain_writer(&plain.join("record_person.parquet"), &batch)?;
    open.write(&batch)?;
    open.close()?;

    let mut tx = ledger.begin(&actor, "measurement").await?;
    tx.next_commit_seq(2).await?;
    lake.commit(&mut tx, &staged, &[]).await?;
    lake.commit(&mut tx, std::slice::from_ref(&map_file), &[]).await?;
    tx.add_linkage_run(RunId::new(), "bench", map_file.asset, &Counts::new()).await?;
    tx.commit().await?;
    let bytes: u64 = staged.iter().map(|f| f.size).sum();
    println!(
        "{} rows of {} records and {persons} persons, {} MB",
        records.len() as u64 * ROWS_A_RECORD,
        records.len(),
        bytes >> 20
    );
    Ok(())
}

async fn run(dir: &Path, threads: usize) -> Result<(), Failure> {
    let root: PathBuf = dir.join("instance");
    let keyring = Arc::new(Keyring::open(&root.join("keyring.azk"), &passphrase()?)?);
    let ledger = Ledger::open(&root.join("ledger.db"), &keyring.ledger_key(), &keyring.journal_seed(), Mode::Reader).await?;
    let lake = Lake::open(&root, keyring)?;
    let snapshot = lake.snapshot(&ledger, None).await?;
    for (name, sql) in QUERIES {
        let session = snapshot.session(&SessionOptions { threads, ..Default::default() })?;
        let begun = Instant::now();
        let batches = session.prepare(sql).await?.collect().await?;
        let seconds = begun.elapsed().as_secs_f64();
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let first = batches.iter().find(|b| b.num_rows() > 0).ok_or("no answer")?;
        let options = FormatOptions::default();
        let cells = first
            .columns()
            .iter()
            .map(|c| Ok(ArrayFormatter::try_new(c, &options)?.value(0).to_string()))
            .collect::<Result<Vec<_>, Failure>>()?;
        println!("{}", serde_json::json!({ "query": name, "seconds": seconds, "rows": rows, "first": cells }));
    }
    ledger.close().await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["make", dir, rows] => make(Path::new(dir), rows.parse()?).await,
        ["run", dir, threads] => run(Path::new(dir), threads.parse()?).await,
        _ => Err("usage: scan_rate make DIR ROWS | run DIR THREADS".into()),
    }
}
