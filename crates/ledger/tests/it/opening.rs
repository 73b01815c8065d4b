//! Opening: the right key, one writer, the settings that secrecy and durability rest on, and transactions as such.

use std::fs;

use ledger::*;
use sqlx::Row;

use crate::house::*;

#[tokio::test]
async fn a_wrong_key_gives_a_clear_error_and_touches_nothing() {
    let house = House::new().await;
    let dir = house.dir;
    house.ledger.close().await;
    let before = fs::read(path(dir.path())).expect("read");
    for mode in [Mode::Writer, Mode::Reader] {
        let error = Ledger::open(&path(dir.path()), &[1; 32], &SEED, mode).await.err().expect("refused");
        assert!(matches!(error, LedgerError::WrongKey), "{error}");
        assert_eq!(error.message().code, "ledger-wrong-key");
    }
    assert!(before == fs::read(path(dir.path())).expect("read"));
    Ledger::open(&path(dir.path()), &KEY, &SEED, Mode::Writer).await.expect("opens with its key");
}

#[tokio::test]
async fn a_ledger_is_neither_made_over_another_nor_opened_where_none_is() {
    let house = House::new().await;
    let at = path(house.dir.path());
    assert!(matches!(Ledger::create(&at, &KEY, &SEED, "x").await, Err(LedgerError::Busy)), "somebody works on it");
    house.ledger.close().await;
    assert!(matches!(Ledger::create(&at, &KEY, &SEED, "x").await, Err(LedgerError::Exists { .. })));
    assert!(matches!(Ledger::create(&at, &[1; 32], &SEED, "x").await, Err(LedgerError::Exists { .. })));
    let nowhere = house.dir.path().join("nowhere.db");
    assert!(matches!(Ledger::open(&nowhere, &KEY, &SEED, Mode::Writer).await, Err(LedgerError::Missing { .. })));
    assert!(!nowhere.exists());
    assert!(matches!(Ledger::create(&nowhere, &KEY, &SEED, "two words").await, Err(LedgerError::Journal { .. })));
}

#[tokio::test]
async fn a_second_writer_is_refused_and_readers_go_on_beside_the_first() {
    let house = House::new().await;
    let at = path(house.dir.path());
    assert!(matches!(Ledger::open(&at, &KEY, &SEED, Mode::Writer).await, Err(LedgerError::Busy)));
    let reader = Ledger::open(&at, &KEY, &SEED, Mode::Reader).await.expect("opens");
    let mut snapshot = reader.read().await.expect("a snapshot");
    let mut tx = house.begin().await;
    tx.set_setting("a", "1").await.expect("set");
    tx.commit().await.expect("committed");
    assert_eq!(snapshot.setting("a").await.expect("read"), None, "a snapshot stays");
    assert_eq!(reader.read().await.expect("a snapshot").setting("a").await.expect("read").as_deref(), Some("1"));
    assert!(matches!(reader.begin(&actor(), "test").await, Err(LedgerError::ReadOnly)));
    let house = house.reopen(Mode::Writer).await;
    assert_eq!(house.ledger.origin(), "azekura.test/journal");
}

#[tokio::test]
async fn a_second_transaction_waits_for_the_first_and_numbers_stay_without_gaps() {
    let house = std::sync::Arc::new(House::new().await);
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let house = house.clone();
            tokio::spawn(async move {
                let mut tx = house.begin().await;
                tx.set_setting(&format!("t{n}"), "1").await.expect("set");
                tokio::task::yield_now().await;
                if n % 2 == 0 { Some(tx.commit().await.expect("committed")) } else { None }
            })
        })
        .collect();
    let mut committed = Vec::new();
    for task in tasks {
        committed.extend(task.await.expect("ran"));
    }
    committed.sort_by_key(|c| c.first_seq);
    let expected: Vec<_> = (1..5).map(|n| Committed { first_seq: n, next_seq: n + 1 }).collect();
    assert_eq!(committed, expected, "what was rolled back used no number");
    assert_eq!(house.ledger.verify(&[], |_| ()).await.expect("verified").faults, []);
}

#[tokio::test]
async fn a_change_without_an_event_a_purpose_or_an_actor_is_refused() {
    let house = House::new().await;
    let mut tx = house.begin().await;
    tx.next_commit_seq(5).await.expect("a number");
    assert!(matches!(tx.commit().await, Err(LedgerError::NoEvent)));
    assert_eq!(house.ledger.read().await.expect("a snapshot").commit_seq().await.expect("read"), 0);
    for purpose in ["", "  ", "two\nlines", &"x".repeat(501)] {
        assert!(matches!(house.ledger.begin(&actor(), purpose).await, Err(LedgerError::Invalid { .. })));
    }
    for name in ["", "a b", "山田", &"x".repeat(65)] {
        assert!(name.parse::<Actor>().is_err());
    }
}

#[tokio::test]
async fn a_transaction_rolled_back_leaves_no_row_no_event_and_no_number() {
    let house = House::new().await;
    let mut tx = house.begin().await;
    tx.add_party(&party(PartyKind::Officer, "tanaka")).await.expect("added");
    tx.emit(Event::Swept { files: 1, erasures: 0 }).expect("emitted");
    drop(tx);
    let mut tx = house.begin().await;
    assert!(tx.read().parties(PartyKind::Officer).await.expect("read").is_empty());
    tx.set_setting("a", "1").await.expect("set");
    assert_eq!(tx.commit().await.expect("committed"), Committed { first_seq: 1, next_seq: 2 });
}

// control: CUS-07
#[tokio::test]
async fn no_byte_of_what_the_ledger_holds_stands_readable_in_its_files() {
    let house = House::new().await;
    let mut tx = house.begin().await;
    let name = "白峰山記念病院";
    let mut new = party(PartyKind::Provider, "1319999991");
    new.name = name.to_owned();
    tx.add_party(&new).await.expect("added");
    tx.set_setting("needle", "a-needle-in-the-stack").await.expect("set");
    tx.commit().await.expect("committed");
    let look = |needle: &[u8]| {
        let mut seen = 0;
        for entry in fs::read_dir(house.dir.path()).expect("a directory") {
            let bytes = fs::read(entry.expect("an entry").path()).expect("read");
            seen += bytes.len();
            assert!(!bytes.windows(needle.len()).any(|w| w == needle), "{}", String::from_utf8_lossy(needle));
        }
        assert!(seen > 100_000, "the write-ahead log was there");
    };
    for needle in [name.as_bytes(), b"a-needle-in-the-stack", b"SQLite format 3", b"create table", b"tester", &KEY] {
        look(needle);
    }
    house.ledger.empty_log().await.expect("emptied");
    look(name.as_bytes());
    let wal = house.dir.path().join("ledger.db-wal");
    assert_eq!(fs::metadata(wal).expect("there").len(), 0, "nothing of earlier pages stays in the log");
}

#[tokio::test]
async fn every_table_is_strict_and_the_journal_refuses_to_forget() {
    let house = House::new().await;
    let mut connection = raw(house.dir.path()).await;
    let rows = sqlx::query("select name from pragma_table_list where type = 'table' and strict = 0 and schema = 'main'")
        .fetch_all(&mut connection)
        .await
        .expect("read");
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(names.iter().all(|n| n.starts_with("sqlite_") || n == "_sqlx_migrations"), "{names:?}");
    for sql in [
        "delete from entry",
        "update entry set body = 'x'",
        "delete from checkpoint",
        "update checkpoint set note = 'x'",
        "update entry set subject = 'x'",
    ] {
        let refused = sqlx::raw_sql(sql).execute(&mut connection).await.expect_err("refused");
        assert!(refused.to_string().contains("append-only"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn a_ledger_of_a_later_version_is_refused() {
    let house = House::new().await;
    house
        .behind("insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (99, 'later', 1, x'00', 1)")
        .await;
    let dir = house.dir;
    house.ledger.close().await;
    for mode in [Mode::Writer, Mode::Reader] {
        let error = Ledger::open(&path(dir.path()), &KEY, &SEED, mode).await.err().expect("refused");
        assert!(matches!(error, LedgerError::OtherVersion { .. }), "{error}");
    }
}
