use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use futures::StreamExt;
use lake::{LakeError, SessionOptions};

use crate::house::{House, Rows, holds, rows};

const MARK: &str = "SPILT-VALUE";

/// Bytes of every file without a name that this process has open in a directory.
fn nameless(directory: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").expect("listable") {
        let link = entry.expect("an entry").path();
        let Ok(target) = fs::read_link(&link) else { continue };
        if target.starts_with(directory) && target.to_string_lossy().ends_with("(deleted)") {
            found.extend(fs::read(&link));
        }
    }
    found
}

// control: CRY-01
#[tokio::test(flavor = "multi_thread")]
async fn what_a_query_spills_is_encrypted_and_has_no_name() {
    let house = House::new().await;
    let r = house.records(250).await;
    let values: Rows = r
        .iter()
        .enumerate()
        .map(|(n, r)| (r.0, (0..400).map(|i| format!("{MARK}-{n}-{i}-{}", "x".repeat(60))).collect()))
        .collect();
    house.commit(&values, false).await;
    let options = SessionOptions { memory: 16 << 20, threads: 1, ..Default::default() };
    let session = house.snapshot().await.session(&options).expect("a session");
    let query = session
        .prepare("select record_id, value_source_value from measurement order by reverse(value_source_value)")
        .await
        .expect("a query");
    let mut stream = query.stream().await.expect("started");
    let first = stream.next().await.expect("a batch").expect("sorted");
    assert!(first.num_rows() > 0);
    let spill = house.root.join("lake/spill");
    let spilt = nameless(&spill);
    assert!(spilt.iter().map(Vec::len).sum::<usize>() > 1 << 20, "the query had to spill: {}", spilt.len());
    assert!(spilt.iter().all(|bytes| !holds(bytes, &[MARK, "value_source_value"])));
    assert_eq!(fs::read_dir(&spill).expect("listable").count(), 0);
    let mut rows = first.num_rows();
    while let Some(batch) = stream.next().await {
        rows += batch.expect("sorted").num_rows();
    }
    assert_eq!(rows, 250 * 400);
    drop(stream);
    assert!(nameless(&spill).is_empty());
}

/// The engine keeps statistics of files and would answer from them after the key is gone.
#[tokio::test]
async fn a_session_from_before_an_erasure_answers_nothing_any_more() {
    let house = House::new().await;
    let r = house.records(3).await;
    house.commit(&rows(&[(r[0], &["a"]), (r[1], &["b"]), (r[2], &["c"])]), false).await;
    let snapshot = house.snapshot().await;
    let session = snapshot.session(&SessionOptions::default()).expect("a session");
    let count = "select count(*), min(record_id), max(value_source_value) from measurement";
    session.prepare(count).await.expect("a query").collect().await.expect("an answer");
    let planned = session.prepare(count).await.expect("a query");
    let frame = session.context().sql("select count(*) from measurement").await.expect("planned");
    let scan = snapshot.scan(omop::Table::Measurement, lake::Blocked::Exclude);
    drop(scan);
    house.lake.erase(&house.ledger, &house.actor, &r[..1], None).await.expect("erased");
    assert!(matches!(planned.collect().await, Err(LakeError::Outdated)));
    assert!(frame.collect().await.is_err(), "past our own check the keys are closed, too");
    let again = session.prepare("select min(record_id) from measurement").await.expect("a query");
    assert!(again.collect().await.is_err());
    assert!(snapshot.records(omop::Table::Measurement, &r, lake::Blocked::Exclude).is_err());
    assert!(snapshot.scan(omop::Table::Measurement, lake::Blocked::Exclude).is_err());
    assert_eq!(house.visible().await, rows(&[(r[1], &["b"]), (r[2], &["c"])]));
}

#[tokio::test]
async fn every_table_of_the_model_answers_while_it_is_empty() {
    let house = House::new().await;
    let session = house.snapshot().await.session(&SessionOptions { identity: true, ..Default::default() }).expect("a session");
    let mut counts = BTreeMap::new();
    for table in omop::Table::ALL {
        let query = session.prepare(&format!("select * from {}", table.name())).await.expect("a query");
        counts.insert(table.name(), query.collect().await.expect("an answer").iter().map(|b| b.num_rows()).sum::<usize>());
    }
    assert!(counts.values().all(|c| *c == 0));
}

/// Parquet's own properties print their key. Nothing that a query, its plan or its runtime shows may hold them.
#[tokio::test]
async fn no_plan_and_no_debug_output_of_a_session_shows_a_key() {
    let house = House::new().await;
    let r = house.records(2).await;
    house.commit(&rows(&[(r[0], &["a"])]), false).await;
    house.commit(&rows(&[(r[1], &["b"])]), true).await;
    let snapshot = house.snapshot().await;
    let session = snapshot.session(&SessionOptions::default()).expect("a session");
    let frame = session.context().sql("select value_source_value from measurement where record_id > 0").await.expect("planned");
    let plan = frame.clone().create_physical_plan().await.expect("planned");
    frame.collect().await.expect("an answer");
    let explained = session.prepare("explain analyze verbose select * from measurement").await.expect("a query");
    let explained = explained.collect().await.expect("an answer");
    let shown = format!(
        "{plan:?} {:?} {explained:?} {:?} {:?} {:?}",
        datafusion::physical_plan::displayable(plan.as_ref()).indent(true).to_string(),
        session.context().runtime_env(),
        session.context().runtime_env().parquet_encryption_factory_registry,
        session.context().state(),
    );
    let files: Vec<_> = snapshot.files(omop::Table::Measurement.into()).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        let key = house.keyring.open_data_key(file.asset, &file.wrapped).expect("the key");
        for bytes in [key.bytes().as_slice(), &file.wrapped.bytes] {
            let list = format!("{bytes:?}");
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            assert!(!shown.contains(&list[1..list.len() - 1]) && !shown.to_lowercase().contains(&hex));
        }
    }
}

#[tokio::test]
async fn a_query_for_one_record_opens_only_files_that_can_hold_it() {
    let house = House::new().await;
    let mut r = house.records(6).await;
    r.sort();
    for pair in r.chunks(2) {
        house.commit(&rows(&[(pair[0], &["x"]), (pair[1], &["y"])]), false).await;
    }
    let snapshot = house.snapshot().await;
    // The other files are not even there any more.
    for file in snapshot.files(omop::Table::Measurement.into()).skip(1) {
        fs::remove_file(house.root.join(&file.path)).expect("removed");
    }
    let query = format!("select count(*) c, record_id from measurement where record_id = {} group by record_id", r[0]);
    let answer = snapshot.sql(&query).await.expect("an answer");
    assert_eq!(answer.iter().map(|b| b.num_rows()).sum::<usize>(), 1);
    let found = snapshot.records(omop::Table::Measurement, &r[..1], lake::Blocked::Exclude).expect("read");
    assert_eq!(found.len(), 1);
    assert!(snapshot.sql("select count(*) from measurement").await.is_err());
}
