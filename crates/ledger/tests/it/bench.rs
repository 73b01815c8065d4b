//! Figures, on demand: `cargo test --release -p ledger --test it -- --ignored --nocapture bench`.

use std::env;
use std::time::Instant;

use ledger::*;
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};

use crate::house::*;

fn events(variable: &str, otherwise: u64) -> u64 {
    env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

fn event(n: u64) -> Event {
    Event::Queried { tables: vec!["measurement".into(), "person".into()], rows: n as i64, statement_sha256: Hex32([7; 32]) }
}

/// The same bytes in commits of the same size, without tree and checkpoint, so many rows a statement. Gives the seconds it took.
async fn bare(connection: &mut SqliteConnection, first: i64, bodies: &[String], commit: usize, rows: usize) -> f64 {
    let begun = Instant::now();
    let mut seq = first;
    for part in bodies.chunks(commit) {
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.expect("begun");
        for chunk in part.chunks(rows) {
            let mut insert = QueryBuilder::<Sqlite>::new("insert into bare (seq, subject, body) ");
            insert.push_values(chunk, |mut row, body| {
                row.push_bind(seq).push_bind(None::<&str>).push_bind(body.as_str());
                seq += 1;
            });
            insert.build().execute(&mut *tx).await.expect("inserted");
        }
        tx.commit().await.expect("committed");
    }
    begun.elapsed().as_secs_f64()
}

async fn journalled(house: &House, total: u64, commit: usize) -> f64 {
    let begun = Instant::now();
    for from in (0..total).step_by(commit) {
        let mut tx = house.begin().await;
        for n in from..from + commit as u64 {
            tx.emit(event(n)).expect("emitted");
        }
        tx.commit().await.expect("committed");
    }
    begun.elapsed().as_secs_f64()
}

/// Rounds in turn, so that whatever else the machine does meets both.
#[tokio::test]
#[ignore = "a measurement"]
async fn journal_rate_beside_bare_inserts_of_the_same_bytes() {
    const ROUNDS: u64 = 10;
    for (commit, total) in [(1usize, 200u64), (10, 2_000), (100, 10_000), (1_000, 50_000)] {
        let house = House::new().await;
        journalled(&house, total, commit).await;
        let entries = house.ledger.read().await.expect("a snapshot").entries(1, total + 1).await.expect("read");
        let bodies: Vec<String> = entries.iter().map(|e| serde_json::to_string(e).expect("json")).collect();
        let bytes = bodies.iter().map(String::len).sum::<usize>() / bodies.len();
        let other = House::new().await;
        let mut connection = raw(other.dir.path()).await;
        sqlx::raw_sql(
            "pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory; pragma secure_delete = on",
        )
        .execute(&mut connection)
        .await
        .expect("set");
        sqlx::raw_sql("create table bare (seq integer primary key, subject text, body text not null) strict")
            .execute(&mut connection)
            .await
            .expect("made");
        let (mut ours, mut many, mut one) = (0.0, 0.0, 0.0);
        for round in 0..ROUNDS {
            many += bare(&mut connection, (2 * round * total) as i64, &bodies, commit, 512).await;
            ours += journalled(&house, total, commit).await;
            one += bare(&mut connection, ((2 * round + 1) * total) as i64, &bodies, commit, 1).await;
        }
        let all = (ROUNDS * total) as f64;
        println!(
            "commits of {commit:5}: journal {:8.0}/s, bare rows in one statement {:8.0}/s ({:.0} %), bare row by row {:8.0}/s ({:.0} %), {bytes} bytes each",
            all / ours,
            all / many,
            100.0 * many / ours,
            all / one,
            100.0 * one / ours
        );
    }
}

#[tokio::test]
#[ignore = "a measurement"]
async fn verification_rate() {
    let total = events("LEDGER_BENCH_EVENTS", 1_000_000);
    let house = House::new().await;
    let begun = Instant::now();
    for from in (0..total).step_by(1_000) {
        let mut tx = house.begin().await;
        for n in from..from + 1_000 {
            tx.emit(event(n)).expect("emitted");
        }
        tx.commit().await.expect("committed");
    }
    println!("wrote {total} events in {:.1} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    let found = house.ledger.verify(&[], |_| ()).await.expect("verified");
    assert_eq!(found.faults, []);
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "verified {} events and {} checkpoints in {seconds:.1} s, {:.0}/s",
        found.entries,
        found.checkpoints,
        found.entries as f64 / seconds
    );
    let begun = Instant::now();
    assert_eq!(house.ledger.integrity().await.expect("checked").discrepancies, []);
    println!("integrity in {:.1} s", begun.elapsed().as_secs_f64());
}

#[tokio::test]
#[ignore = "a measurement"]
async fn bulk_rates() {
    let house = House::new().await;
    let patients: Vec<_> = (0..50_000).map(patient).collect();
    for what in ["new", "known"] {
        let begun = Instant::now();
        let mut tx = house.begin().await;
        tx.resolve_records(&provider(), &patients).await.expect("resolved");
        tx.emit(event(1)).expect("emitted");
        tx.commit().await.expect("committed");
        println!("50,000 patients, {what}: {:.2} s", begun.elapsed().as_secs_f64());
    }
    let assets: Vec<_> = (0..2_000).map(|n| asset("measurement", Some(provider()), n)).collect();
    let begun = Instant::now();
    let mut tx = house.begin().await;
    tx.add_assets(&assets).await.expect("added");
    tx.commit().await.expect("committed");
    println!("2,000 assets: {:.2} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    house.ledger.read().await.expect("a snapshot").live_files().await.expect("read");
    println!("read back with keys: {:.2} s", begun.elapsed().as_secs_f64());
}
