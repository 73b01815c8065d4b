//! How fast the journal is: `journal_rate rate [ROUNDS [COMMIT]]`, `journal_rate verify [EVENTS]`, `journal_rate bulk`.
//!
//! * `rate`: transactions with events against bare SQLCipher inserts of the same bytes in commits of the same size, both on
//!   databases with the same settings, in turn, so that whatever else the machine does meets both. Medians of the rounds;
//!   percentages are medians of the rounds' ratios.
//! * `verify`: the time to check a journal of so many events from end to end.
//! * `bulk`: what a large package asks of the ledger.
//!
//! Files are made below the directory for temporary files (`TMPDIR`); what is measured is the disk under it too.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ledger::{Actor, Custody, Event, Hex32, Ledger, NewAsset, PatientHmac, Tx};
use seal::{KeyScope, WrappedKey};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite, SqliteConnection};
use terms::{AssetClass, AssetId, ProviderId, RecordId};

type Failure = Box<dyn Error + Send + Sync>;

const KEY: [u8; 32] = [0x5a; 32];
const SEED: [u8; 32] = [0x17; 32];
/// Events a transaction where a journal is filled to be verified.
const FILL: u64 = 1_000;

struct House {
    dir: tempfile::TempDir,
    ledger: Ledger,
    actor: Actor,
}

impl House {
    async fn new() -> Result<House, Failure> {
        let dir = tempfile::tempdir()?;
        let ledger = Ledger::create(&file(dir.path()), &KEY, &SEED, "azekura.test/journal").await?;
        Ok(House { dir, ledger, actor: "bench".parse()? })
    }

    async fn begin(&self) -> Result<Tx, Failure> {
        Ok(self.ledger.begin(&self.actor, "measurement").await?)
    }

    /// Seconds for so many events in commits of a size.
    async fn journalled(&self, total: u64, commit: u64) -> Result<f64, Failure> {
        let begun = Instant::now();
        for from in (0..total).step_by(commit as usize) {
            let mut tx = self.begin().await?;
            for n in from..from + commit {
                tx.emit(event(n))?;
            }
            tx.commit().await?;
        }
        Ok(begun.elapsed().as_secs_f64())
    }
}

fn file(dir: &Path) -> PathBuf {
    dir.join("ledger.db")
}

fn event(n: u64) -> Event {
    Event::Queried { tables: vec!["measurement".into(), "person".into()], rows: n as i64, statement_sha256: Hex32([7; 32]) }
}

/// A table beside the ledger's own, in a database of its own with the ledger's settings.
async fn bare_table(house: &House) -> Result<SqliteConnection, Failure> {
    let mut connection = SqliteConnectOptions::new()
        .filename(file(house.dir.path()))
        .pragma("key", format!("\"x'{}'\"", hex::encode(KEY)))
        .connect()
        .await?;
    sqlx::raw_sql("pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory; pragma secure_delete = on")
        .execute(&mut connection)
        .await?;
    sqlx::raw_sql("create table bare (seq integer primary key, subject text, body text not null) strict")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

/// The same bytes in commits of the same size, without tree and checkpoint, so many rows a statement. Gives the seconds it took.
async fn bare(
    connection: &mut SqliteConnection,
    first: i64,
    bodies: &[String],
    commit: usize,
    rows: usize,
) -> Result<f64, Failure> {
    let begun = Instant::now();
    let mut seq = first;
    for part in bodies.chunks(commit) {
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        for chunk in part.chunks(rows) {
            let mut insert = QueryBuilder::<Sqlite>::new("insert into bare (seq, subject, body) ");
            insert.push_values(chunk, |mut row, body| {
                row.push_bind(seq).push_bind(None::<&str>).push_bind(body.as_str());
                seq += 1;
            });
            insert.build().execute(&mut *tx).await?;
        }
        tx.commit().await?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn rate(rounds: u64, only: Option<u64>) -> Result<(), Failure> {
    let sizes = [(1u64, 500u64), (10, 2_000), (100, 10_000), (1_000, 50_000)];
    for (commit, total) in sizes.into_iter().filter(|(commit, _)| only.is_none_or(|o| o == *commit)) {
        let house = House::new().await?;
        house.journalled(total, commit).await?;
        let entries = house.ledger.read().await?.entries(1, total + 1).await?;
        let bodies = entries.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        let bytes = bodies.iter().map(String::len).sum::<usize>() / bodies.len();
        let other = House::new().await?;
        let mut connection = bare_table(&other).await?;
        let (mut ours, mut many, mut one) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            many.push(bare(&mut connection, (2 * round * total) as i64, &bodies, commit as usize, 512).await?);
            ours.push(house.journalled(total, commit).await?);
            one.push(bare(&mut connection, ((2 * round + 1) * total) as i64, &bodies, commit as usize, 1).await?);
        }
        // A round's three runs follow each other: their ratio says more than the ratio of medians on a machine with other work.
        let share = |bare: &[f64]| 100.0 * median(bare.iter().zip(&ours).map(|(bare, ours)| bare / ours).collect());
        let (to_one, to_many) = (share(&one), share(&many));
        let [ours, one, many] = [ours, one, many].map(|seconds| total as f64 / median(seconds));
        println!(
            "commits of {commit:5}: journal {ours:8.0}/s; bare row by row {one:8.0}/s ({to_one:.0} %); bare, 512 rows a statement {many:8.0}/s ({to_many:.0} %); {bytes} bytes each, {rounds} rounds"
        );
    }
    Ok(())
}

async fn verify(total: u64) -> Result<(), Failure> {
    let house = House::new().await?;
    let total = total.next_multiple_of(FILL);
    println!("wrote {total} events in {:.1} s", house.journalled(total, FILL).await?);
    let begun = Instant::now();
    let found = house.ledger.verify(&[], |_| ()).await?;
    let seconds = begun.elapsed().as_secs_f64();
    if !found.faults.is_empty() || found.entries < total {
        return Err(format!("verification found {} faults in {} entries", found.faults.len(), found.entries).into());
    }
    let rate = found.entries as f64 / seconds;
    println!("verified {} events and {} checkpoints in {seconds:.1} s, {rate:.0}/s", found.entries, found.checkpoints);
    let begun = Instant::now();
    if !house.ledger.integrity().await?.discrepancies.is_empty() {
        return Err("the tables do not agree with the journal".into());
    }
    println!("integrity in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn asset(n: i64, provider: &ProviderId) -> (NewAsset, Option<WrappedKey>) {
    let id = AssetId::new();
    let class = AssetClass::Clinical;
    let new = NewAsset {
        id,
        name: format!("measurement {n}"),
        kind: "table file".into(),
        class,
        provider: Some(provider.clone()),
        table: Some("measurement".into()),
        path: format!("lake/measurement/{id}.parquet"),
        size: 4_096,
        sha256: [3; 32],
        rows: Some(10),
        min_record: Some(RecordId(1)),
        max_record: Some(RecordId(99)),
        commit_seq: Some(n),
        custody: Custody::usual(class),
    };
    let scope = KeyScope { class, provider: Some(provider.clone()) };
    (new, Some(WrappedKey { scope, epoch: 1, algorithm: "AES-256-GCM".into(), bytes: vec![7; 60] }))
}

async fn bulk() -> Result<(), Failure> {
    let house = House::new().await?;
    let provider: ProviderId = "1319999991".parse()?;
    let patient = |n: u64| {
        let mut bytes = [0xab; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        PatientHmac(bytes)
    };
    let patients: Vec<_> = (0..50_000).map(patient).collect();
    for what in ["new", "known"] {
        let begun = Instant::now();
        let mut tx = house.begin().await?;
        tx.resolve_records(&provider, &patients).await?;
        tx.emit(event(1))?;
        tx.commit().await?;
        println!("50,000 patients, {what}: {:.2} s", begun.elapsed().as_secs_f64());
    }
    let assets: Vec<_> = (0..2_000).map(|n| asset(n, &provider)).collect();
    let begun = Instant::now();
    let mut tx = house.begin().await?;
    tx.add_assets(&assets).await?;
    tx.commit().await?;
    println!("2,000 assets: {:.2} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    house.ledger.read().await?.live_files().await?;
    println!("read back with keys: {:.2} s", begun.elapsed().as_secs_f64());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |otherwise: u64| arguments.get(1).map_or(Ok(otherwise), |n| n.parse());
    match arguments.first().map(String::as_str) {
        Some("rate") => rate(number(15)?.max(1), arguments.get(2).map(|n| n.parse()).transpose()?).await,
        Some("verify") => verify(number(1_000_000)?.max(1)).await,
        Some("bulk") => bulk().await,
        _ => Err("usage: journal_rate rate [ROUNDS [COMMIT]] | verify [EVENTS] | bulk".into()),
    }
}
