//! Everything that can be seen of an instance, without what differs by chance: times, random ids, sealed bytes. It is
//! read beside the program, by a reader that changes nothing, so that nothing is put in order before it is looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use lake::{Blocked, LakeTable, Snapshot};
use ledger::Mode;
use pipeline::Instance;
use seal::{Certificate, Passphrase, WrappedKey};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};
use terms::AssetId;

use crate::kit::{House, PROVIDER, hospital, party};

/// What was seen, by name. Equal states are equal ends.
pub type State = BTreeMap<String, String>;

/// Events that a repeated command rightly says once more: what was looked at, put in order, refused or begun again.
/// (A crash between the beginning of a key epoch and the end of the one before begins another: what opens is compared for itself.)
const REPEATABLE: [&str; 7] = ["read", "queried", "refused", "swept", "journal_examined", "key_epoch_begun", "keys_rewrapped"];

/// Columns that hold a time, a place in the journal, or what hangs on random keys.
const CHANCE: [&str; 16] = [
    "at",
    "batch",
    "number",
    "sha256",
    "size",
    "signature",
    "wrapped",
    "data_sha256",
    "report_sha256",
    "min_record",
    "max_record",
    "epoch",
    "dispose_on",
    "retain_until",
    "data_asset",
    "report_asset",
];

/// Looks at the instance of a house.
pub fn state(house: &House) -> State {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(look(house))
}

/// What differs between the end that was wanted and the one that was found, a line each.
pub fn differences(wanted: &State, found: &State) -> Vec<String> {
    let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let line = |name: &String| {
        let (w, f) = (wanted.get(name).map_or("", String::as_str), found.get(name).map_or("", String::as_str));
        if w == f {
            return None;
        }
        let (w, f): (BTreeSet<&str>, BTreeSet<&str>) = (w.lines().collect(), f.lines().collect());
        let some = |lines: Vec<&&str>| lines.into_iter().take(4).map(|l| l.chars().take(300).collect()).collect::<Vec<String>>();
        Some(format!("  {name}: missing {:?}, too much {:?}", some(w.difference(&f).collect()), some(f.difference(&w).collect())))
    };
    names.into_iter().filter_map(line).collect()
}

async fn look(house: &House) -> State {
    let root = house.instance();
    let passphrase = Passphrase::from_file(&house.path().join("pass")).expect("a passphrase");
    let actor = "tester".parse().expect("an actor");
    let instance = Instance::open(&root, &passphrase, Mode::Reader, actor).await.expect("an instance that opens");
    let mut state = State::new();
    let verified = pipeline::journal::verify(&instance, None, true).await.expect("a verification");
    state.insert("faults".to_owned(), verified.faults.join("\n"));
    events(&instance, &mut state).await;
    let mut sql = connect(&instance, &root).await;
    let who = who(&mut sql).await;
    ledger_rows(&mut sql, &who, &mut state).await;
    let all = instance.lake.snapshot(&instance.ledger, None).await.expect("a snapshot");
    for table in LakeTable::all() {
        if let LakeTable::Rows(rows) = table {
            for (what, blocked) in [("kept", Blocked::Include), ("visible", Blocked::Exclude)] {
                let seen = lake_rows(&all, rows, blocked, &who);
                state.insert(format!("lake {table} {what}"), format!("{} rows\n{}", seen.len(), digest(&seen)));
            }
        }
    }
    persons(&all, &who, &mut state);
    keys(&instance, &mut state).await;
    files(&root, &mut sql, &mut state).await;
    for (receiver, opener) in [(PROVIDER, hospital()), ("recipient", party("recipient", "30"))] {
        for name in names(&root.join("outbox").join(receiver)) {
            let inside = house.open(&root.join("outbox").join(receiver).join(&name), &opener);
            let inside: Vec<&str> = inside.iter().map(|(n, _)| n.as_str()).collect();
            state.insert(format!("outbox {}", blank(&name)), inside.join("\n"));
        }
    }
    let intake = Certificate::from_file(&root.join("certificates/intake.pem")).expect("a certificate");
    let of_keyring = instance.keyring.intake_certificate().expect("a certificate");
    assert_eq!(intake.fingerprint().ok(), of_keyring.fingerprint().ok(), "providers would seal to nobody");
    sql.close().await.expect("closed");
    instance.ledger.close().await;
    state
}

/// A connection to the ledger past everything that checks.
pub async fn connect(instance: &Instance, root: &Path) -> SqliteConnection {
    let key = hex::encode(*instance.keyring.ledger_key());
    let options = SqliteConnectOptions::new().filename(root.join("ledger.db")).pragma("key", format!("\"x'{key}'\""));
    options.foreign_keys(false).connect().await.expect("the ledger")
}

/// How often each event was said that is true once.
async fn events(instance: &Instance, state: &mut State) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in pipeline::journal::show(instance, 0, u64::MAX).await.expect("the journal").0 {
        // How often the keyring was changed depends on how often a command was begun.
        let of_keyring = line.detail["key"] == "keyring.changes";
        if !REPEATABLE.contains(&line.event.as_str()) && !of_keyring {
            *counts.entry(line.event).or_default() += 1;
        }
    }
    for (event, n) in counts {
        state.insert(format!("journalled {event}"), n.to_string());
    }
}

/// A name for each record that is the same in every copy of an instance: its patient's keyed hash.
async fn who(sql: &mut SqliteConnection) -> HashMap<i64, String> {
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select record_id, patient_hmac from record").fetch_all(sql).await.expect("records");
    rows.into_iter().map(|(record, hmac)| (record, hex::encode(&hmac[..6]))).collect()
}

/// Every row of every table of the ledger, except the journal.
async fn ledger_rows(sql: &mut SqliteConnection, who: &HashMap<i64, String>, state: &mut State) {
    let of_journal = "'entry', 'node', 'checkpoint', 'counter', '_sqlx_migrations'";
    let tables: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not in ({of_journal})"
    )))
    .fetch_all(&mut *sql)
    .await
    .expect("tables");
    for table in tables {
        let rows = sqlx::query(AssertSqlSafe(format!("select * from {table}"))).fetch_all(&mut *sql).await.expect("rows");
        let of_keyring = |row: &&SqliteRow| table == "setting" && row.get::<&str, _>("key") == "keyring.changes";
        let rows: Vec<&SqliteRow> = rows.iter().filter(|row| !of_keyring(row)).collect();
        let mut lines: Vec<String> = rows.into_iter().map(|row| ledger_row(row, who)).collect();
        lines.sort();
        state.insert(format!("ledger {table}"), format!("{} rows\n{}", lines.len(), lines.join("\n")));
    }
}

fn ledger_row(row: &SqliteRow, who: &HashMap<i64, String>) -> String {
    let mut cells = Vec::new();
    for (i, column) in row.columns().iter().enumerate() {
        let name = column.name();
        let raw = row.try_get_raw(i).expect("a cell");
        let kind = raw.type_info().name().to_owned();
        // Whether there is a time, or a sealed byte, is no chance; which it is, is.
        if raw.is_null() || CHANCE.contains(&name) || name.ends_with("_at") {
            cells.push(format!("{name}{}", if raw.is_null() { "-" } else { "+" }));
            continue;
        }
        let text = match kind.as_str() {
            "INTEGER" if name.starts_with("record_") => named(row.get(i), who),
            "INTEGER" => row.get::<i64, _>(i).to_string(),
            "BLOB" => hex::encode(&seal::hash::sha256(&row.get::<Vec<u8>, _>(i))[..6]),
            _ => blank(row.get::<&str, _>(i)),
        };
        cells.push(format!("{name}={text}"));
    }
    cells.join(" ")
}

fn named(record: i64, who: &HashMap<i64, String>) -> String {
    who.get(&record).cloned().unwrap_or_else(|| "of nobody".to_owned())
}

/// Text with its ids and hashes taken out.
fn blank(text: &str) -> String {
    let part = |c: char| c.is_ascii_hexdigit() || c == '-';
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
        out.push_str(if length >= 32 { "#" } else { &rest[..length] });
        rest = &rest[length..];
        if let Some(c) = rest.chars().next() {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// The rows of a table without the numbers that are drawn for them, sorted.
fn lake_rows(snapshot: &Snapshot, table: omop::Table, blocked: Blocked, who: &HashMap<i64, String>) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in snapshot.scan(table, blocked).expect("a scan") {
        let batch = batch.expect("rows");
        let schema = batch.schema();
        let options = FormatOptions::default();
        let columns: Vec<(&str, ArrayFormatter<'_>)> = (schema.fields().iter().zip(batch.columns()))
            .filter(|(f, _)| !f.name().ends_with("_id") || f.name().ends_with("concept_id") || f.name() == "local_patient_id")
            .map(|(f, c)| (f.name().as_str(), ArrayFormatter::try_new(c, &options).expect("a column that can be shown")))
            .collect();
        let records = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(batch.column(0));
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns.iter().map(|(name, c)| format!("{name}={}", c.value(row))).collect();
            lines.push(format!("{} {}", named(records.value(row), who), cells.join(" ")));
        }
    }
    lines.sort();
    lines
}

fn digest(lines: &[String]) -> String {
    hex::encode(seal::hash::sha256(lines.join("\n").as_bytes()))
}

/// Which records are one person.
fn persons(snapshot: &Snapshot, who: &HashMap<i64, String>, state: &mut State) {
    let mut groups: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for (record, person) in snapshot.person_map().into_iter().flat_map(|m| m.iter()) {
        groups.entry(person.0).or_default().insert(named(record.0, who));
    }
    let mut lines: Vec<String> = groups.into_values().map(|g| g.into_iter().collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    state.insert("persons".to_owned(), lines.join("\n"));
}

/// Which scopes have keys, how many epochs of them, and what does not open under them.
async fn keys(instance: &Instance, state: &mut State) {
    let mut scopes: Vec<String> =
        instance.keyring.scopes().iter().map(|s| format!("{s} {}", instance.keyring.epochs(s).len())).collect();
    scopes.sort();
    state.insert("key epochs".to_owned(), scopes.join("\n"));
    let all = instance.ledger.read().await.expect("a reader").keys(None).await.expect("keys");
    let closed = |(asset, key): &(&AssetId, &WrappedKey)| instance.keyring.open_data_key(**asset, key).is_err();
    let closed = all.iter().filter(closed).count();
    state.insert("keys that open nothing".to_owned(), closed.to_string());
}

fn names(dir: &Path) -> Vec<String> {
    let all = fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> = all.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

/// Every file and every directory below, relative to the instance.
fn below(root: &Path, dir: &str, found: &mut Vec<String>) {
    for name in names(&root.join(dir)) {
        let path = format!("{dir}/{name}");
        if root.join(&path).is_dir() {
            below(root, &path, found);
            found.push(format!("{path}/"));
        } else {
            found.push(path);
        }
    }
}

/// What lies where, and what of it the ledger does not know, or knows otherwise.
async fn files(root: &Path, sql: &mut SqliteConnection, state: &mut State) {
    let known: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select location, sha256 from asset where state = 'live'").fetch_all(&mut *sql).await.expect("assets");
    let known: BTreeMap<String, Vec<u8>> = known.into_iter().collect();
    let mut there = Vec::new();
    for dir in ["lake", "sealed"] {
        below(root, dir, &mut there);
    }
    there.retain(|path| !path.ends_with('/'));
    // What a look at a package found: of those that wait to be taken in, and of no other.
    let of = |sql: &'static str| sqlx::query_scalar::<_, String>(sql);
    let mut waiting = of("select id from package where state = 'accepted'").fetch_all(&mut *sql).await.expect("packages");
    let mut found = of("select name from asset where kind = 'package summary' and state = 'live'")
        .fetch_all(&mut *sql)
        .await
        .expect("assets");
    waiting.sort();
    found.sort();
    state.insert("what is known of waiting packages".to_owned(), (waiting == found).to_string());
    let stray: Vec<&String> = there.iter().filter(|path| !known.contains_key(*path)).collect();
    state.insert("files that the ledger does not know".to_owned(), format!("{stray:?}"));
    let changed = |(path, sha256): &(&String, &Vec<u8>)| {
        fs::read(root.join(path)).map_or(true, |bytes| seal::hash::sha256(&bytes)[..] != sha256[..])
    };
    let changed: Vec<&String> = known.iter().filter(changed).map(|(path, _)| path).collect();
    state.insert("files that are missing or changed".to_owned(), format!("{changed:?}"));

    let packages: Vec<String> = sqlx::query_scalar("select directory from package").fetch_all(&mut *sql).await.expect("packages");
    let foreign: Vec<String> =
        names(&root.join("packages")).into_iter().filter(|n| !packages.contains(&format!("packages/{n}"))).collect();
    state.insert("packages that the ledger does not know".to_owned(), format!("{foreign:?}"));
    for dir in ["packages", "pending", "inbox", "outbox", "certificates"] {
        let mut inside = Vec::new();
        below(root, dir, &mut inside);
        let line = |path: &String| match dir {
            "packages" if !path.ends_with('/') => {
                let bytes = fs::read(root.join(path)).expect("readable");
                format!("{} {}", blank(path), hex::encode(&seal::hash::sha256(&bytes)[..6]))
            }
            _ => blank(path),
        };
        // Directories of parties are made when they are first needed.
        let of_party = |path: &&String| !(path.ends_with('/') && path.matches('/').count() == 2);
        let lines: Vec<String> = match dir {
            "pending" | "outbox" => inside.iter().filter(of_party).map(line).collect(),
            _ => inside.iter().map(line).collect(),
        };
        state.insert(format!("files in {dir}"), lines.join("\n"));
    }
    let transient = |n: &String| !n.ends_with("-wal") && !n.ends_with("-shm") && !n.ends_with(".lock") && n != "lock";
    state.insert("files of the instance".to_owned(), names(root).into_iter().filter(transient).collect::<Vec<_>>().join("\n"));
}
