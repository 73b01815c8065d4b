use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use lake::{Blocked, LakeError, SessionOptions};
use ledger::{NewOptOut, OptOutState, PatientHmac};
use omop::Table;
use terms::{NoticeScope, Requester};

use crate::house::{House, rows, rows_of};

#[tokio::test]
async fn rows_that_a_later_commit_replaced_are_seen_by_no_read() {
    let house = House::new().await;
    let r = house.records(3).await;
    house.commit(&rows(&[(r[0], &["old"]), (r[1], &["kept"])]), false).await;
    house.commit(&rows(&[(r[0], &["new", "newer"]), (r[2], &["third"])]), true).await;
    let expected = rows(&[(r[0], &["new", "newer"]), (r[1], &["kept"]), (r[2], &["third"])]);
    assert_eq!(house.visible().await, expected);
    let snapshot = house.snapshot().await;
    assert_eq!(rows_of(&snapshot.records(Table::Measurement, &r, Blocked::Exclude).expect("read")), expected);
    let answer = snapshot.sql("select record_id, value_source_value from measurement").await.expect("an answer");
    assert_eq!(rows_of(&answer), expected);
    let one = snapshot.records(Table::Measurement, &r[1..2], Blocked::Exclude).expect("read");
    assert_eq!(rows_of(&one), rows(&[(r[1], &["kept"])]));
}

#[tokio::test]
async fn a_record_that_is_stopped_or_on_hold_is_seen_only_by_those_who_keep_it_in_order() {
    let house = House::new().await;
    let r = house.records(3).await;
    let all = rows(&[(r[0], &["a"]), (r[1], &["b"]), (r[2], &["c"])]);
    house.commit(&all, false).await;
    house.link(&r).await;
    let before = house.snapshot().await;
    let mut tx = house.ledger.begin(&house.actor, "test").await.expect("begun");
    tx.add_opt_out(&NewOptOut {
        provider: house.provider.clone(),
        patient: PatientHmac([0; 32]),
        scopes: vec![NoticeScope::Pseudonymized],
        requester: Requester::Person,
        relation: None,
        stated_on: "2024-04-01".parse().expect("a date"),
        erase: false,
        everywhere: false,
        state: OptOutState::Effective,
    })
    .await
    .expect("registered");
    tx.hold_record(r[1], "test", None).await.expect("held");
    tx.commit().await.expect("committed");

    let third = rows(&[(r[2], &["c"])]);
    assert_eq!(house.visible().await, third);
    let snapshot = house.snapshot().await;
    let answer = snapshot.sql("select record_id, value_source_value from measurement").await.expect("an answer");
    assert_eq!(rows_of(&answer), third);
    let map = snapshot.sql("select record_id, 'x' as value_source_value from record_person").await.expect("an answer");
    assert_eq!(rows_of(&map), rows(&[(r[2], &["x"])]));
    assert_eq!(rows_of(&snapshot.records(Table::Measurement, &r, Blocked::Exclude).expect("read")), third);
    assert_eq!(rows_of(&snapshot.records(Table::Measurement, &r, Blocked::Include).expect("read")), all);
    assert_eq!(snapshot.person_map().expect("a map").len(), 3);
    // A statement for one scope leaves the other.
    let anonymized = house.lake.snapshot(&house.ledger, Some(NoticeScope::Anonymized)).await.expect("a snapshot");
    let seen = anonymized.records(Table::Measurement, &r, Blocked::Exclude).expect("read");
    assert_eq!(rows_of(&seen), rows(&[(r[0], &["a"]), (r[2], &["c"])]));
    // What was taken before is what it was.
    assert_eq!(rows_of(&before.records(Table::Measurement, &r, Blocked::Exclude).expect("read")), all);
}

#[tokio::test]
async fn a_snapshot_does_not_see_what_is_committed_after_it() {
    let house = House::new().await;
    let r = house.records(2).await;
    house.commit(&rows(&[(r[0], &["first"])]), false).await;
    let snapshot = house.snapshot().await;
    let session = snapshot.session(&SessionOptions::default()).expect("a session");
    house.commit(&rows(&[(r[0], &["second"]), (r[1], &["more"])]), true).await;
    let query = session.prepare("select record_id, value_source_value from measurement").await.expect("a query");
    assert_eq!(rows_of(&query.collect().await.expect("an answer")), rows(&[(r[0], &["first"])]));
    assert_eq!(house.visible().await, rows(&[(r[0], &["second"]), (r[1], &["more"])]));
}

#[tokio::test]
async fn queries_give_persons_and_name_their_tables_and_can_do_nothing_but_read() {
    let house = House::new().await;
    let r = house.records(5).await;
    let values: Vec<_> = r.iter().map(|r| (*r, ["v", "w"].as_slice())).collect();
    house.commit(&rows(&values), false).await;
    house.commit_identity(&r, "東雲").await;
    house.link(&r[..4]).await;
    let snapshot = house.snapshot().await;
    let session = snapshot.session(&SessionOptions::default()).expect("a session");
    let query = session
        .prepare("select m.person_id, count(*) from measurement m left join visit_occurrence v on v.record_id = m.record_id group by 1 order by 1 nulls last")
        .await
        .expect("a query");
    assert_eq!(query.tables().iter().map(String::as_str).collect::<Vec<_>>(), ["measurement", "visit_occurrence"]);
    let answer = query.collect().await.expect("an answer");
    let persons: Vec<_> = answer.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().iter()).collect();
    let counts: Vec<_> = answer.iter().flat_map(|b| b.column(1).as_primitive::<Int64Type>().iter().flatten()).collect();
    assert_eq!((persons, counts), (vec![Some(1), Some(2), None], vec![4, 4, 2]));

    let csv = house.root.join("out.csv").display().to_string();
    for refused in [
        "select * from identity".to_owned(),
        "select * from source_file".to_owned(),
        "drop table measurement".to_owned(),
        "insert into measurement select * from measurement".to_owned(),
        format!("copy (select * from measurement) to '{csv}'"),
        format!("create external table x stored as csv location '{csv}'"),
        format!("select * from '{csv}'"),
        "set datafusion.execution.batch_size = 1".to_owned(),
        "select nonsense(".to_owned(),
    ] {
        assert!(matches!(session.prepare(&refused).await, Err(LakeError::Query { .. })), "{refused}");
    }
    let vault = snapshot.session(&SessionOptions { identity: true, ..Default::default() }).expect("a session");
    let names = vault.prepare("select count(*) from identity where family_name = '東雲'").await.expect("a query");
    assert_eq!(names.collect().await.expect("an answer")[0].column(0).as_primitive::<Int64Type>().value(0), 5);
}

/// What a failing query says must not quote the value it failed on.
#[tokio::test]
async fn a_query_that_fails_on_a_row_does_not_tell_the_value() {
    let house = House::new().await;
    let r = house.records(1).await;
    house.commit(&rows(&[(r[0], &["secret-value"])]), false).await;
    let failed = house.snapshot().await.sql("select cast(value_source_value as int) from measurement").await;
    let error = failed.expect_err("not a number");
    assert!(matches!(error, LakeError::Running { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret-value"));
}
