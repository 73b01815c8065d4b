use std::fs;

use lake::{Blocked, Compaction, LakeError};
use ledger::{Ledger, Mode};
use omop::Table;

use crate::house::{House, rows, rows_of};

// control: DEL-01
// control: DEL-04
#[tokio::test]
async fn an_earlier_copy_of_ledger_and_files_opens_nothing_of_an_erased_record() {
    let house = House::new().await;
    let r = house.records(4).await;
    let all = rows(&[(r[0], &["a"]), (r[1], &["b"]), (r[2], &["c"]), (r[3], &["d"])]);
    house.commit(&all, false).await;
    house.commit(&rows(&[(r[1], &["b2"])]), false).await;
    house.commit_identity(&r, "東雲").await;
    house.link(&r).await;

    // Somebody keeps a copy of everything but the keyring.
    house.ledger.empty_log().await.expect("one file");
    let copy = tempfile::tempdir().expect("a directory");
    fs::copy(house.root.join("ledger.db"), copy.path().join("ledger.db")).expect("copied");
    for file in house.files() {
        let to = copy.path().join(file.strip_prefix(&house.root).expect("inside"));
        fs::create_dir_all(to.parent().expect("a directory")).expect("made");
        fs::copy(&file, to).expect("copied");
    }
    let kept = async |wanted: usize| {
        let ledger = Ledger::open(
            &copy.path().join("ledger.db"),
            &house.keyring.ledger_key(),
            &house.keyring.journal_seed(),
            Mode::Reader,
        )
        .await
        .expect("the copy of the ledger opens");
        let lake = lake::Lake::open(copy.path(), house.keyring.clone()).expect("a lake");
        let found = match lake.snapshot(&ledger, None).await {
            Ok(snapshot) => snapshot.records(Table::Measurement, &r[..1], Blocked::Include).map(|b| rows_of(&b).len()),
            Err(error) => Err(error),
        };
        match (wanted, found) {
            (0, Err(LakeError::KeyDestroyed { .. })) => {}
            (n, Ok(found)) => assert_eq!(n, found),
            (_, Err(error)) => panic!("{error}"),
        }
    };
    kept(1).await;

    let report = house.lake.erase(&house.ledger, &house.actor, &r[..1], Some("request")).await.expect("erased");
    assert_eq!((report.records, report.files, report.rows), (1, 4, 4), "measurement, identity, source file, map");
    assert_eq!(report.epochs.len(), 4);
    kept(0).await;

    let left = rows(&[(r[1], &["b", "b2"]), (r[2], &["c"]), (r[3], &["d"])]);
    assert_eq!(house.visible().await, left);
    let snapshot = house.snapshot().await;
    assert_eq!(snapshot.person_map().expect("the map goes on").len(), 3);
    assert!(snapshot.records(Table::Identity, &r[..1], Blocked::Include).expect("read").is_empty());
    assert!(snapshot.records(Table::SourceFile, &r[..1], Blocked::Include).expect("read").is_empty());
    assert_eq!(house.files().len(), 5);
    for asset in &report.assets {
        let row = house.ledger.read().await.expect("a reader").asset(*asset).await.expect("read").expect("the row stays");
        assert_eq!(row.state, ledger::AssetState::Gone);
    }
}

#[tokio::test]
async fn stale_rows_that_a_compaction_removed_earlier_are_erased_with_the_record_in_every_copy() {
    let house = House::new().await;
    let r = house.records(2).await;
    house.commit(&rows(&[(r[0], &["old"]), (r[1], &["b"])]), false).await;
    let before = house.snapshot().await;
    let file = before.files(Table::Measurement.into()).next().expect("a file").clone();
    let bytes = fs::read(house.root.join(&file.path)).expect("read");
    house.commit(&rows(&[(r[0], &[])]), true).await;
    house.commit(&rows(&[(r[1], &["c"])]), false).await;
    let everything = Compaction { everything: true, ..Default::default() };
    house.lake.compact(&house.ledger, &house.actor, &everything).await.expect("compacted");
    assert!(!house.root.join(&file.path).exists());
    // The copy of the file still opens with the key of a copy of the ledger …
    fs::write(house.root.join(&file.path), bytes).expect("written");
    let read = before.records(Table::Measurement, &r[..1], Blocked::Include).expect("read");
    assert_eq!(rows_of(&read), rows(&[(r[0], &["old"])]));
    // … until the record is erased, although no living file knows it.
    let report = house.lake.erase(&house.ledger, &house.actor, &r[..1], None).await.expect("erased");
    assert_eq!((report.files, report.rows), (0, 0));
    assert!(house.keyring.open_data_key(file.asset, &file.wrapped).is_err());
    assert_eq!(house.visible().await, rows(&[(r[1], &["b", "c"])]));
}

#[tokio::test]
async fn a_file_staged_before_an_erasure_is_refused_at_its_commit() {
    let house = House::new().await;
    let r = house.records(2).await;
    house.commit(&rows(&[(r[0], &["a"]), (r[1], &["b"])]), false).await;
    let mut writer = house.lake.writer(Table::Measurement, &house.provider).expect("a writer");
    writer.write(&crate::house::measurements(r[1].0, &["late".to_owned()], 9)).expect("written");
    let staged = writer.finish().expect("finished");
    house.lake.erase(&house.ledger, &house.actor, &r[..1], None).await.expect("erased");
    let mut tx = house.ledger.begin(&house.actor, "test").await.expect("begun");
    let refused = house.lake.commit(&mut tx, &[staged], &[]).await;
    assert!(matches!(refused, Err(LakeError::KeyDestroyed { .. })));
}

#[tokio::test]
async fn erasing_what_is_not_there_changes_no_file_and_erasing_everything_leaves_none() {
    let house = House::new().await;
    let r = house.records(3).await;
    house.commit(&rows(&[(r[0], &["a"]), (r[1], &["b"])]), false).await;
    let before = house.files();
    house.lake.erase(&house.ledger, &house.actor, &r[2..], None).await.expect("erased");
    assert_eq!(house.files(), before);
    assert_eq!(house.visible().await.len(), 2);
    house.lake.erase(&house.ledger, &house.actor, &r, None).await.expect("erased");
    assert!(house.files().is_empty());
    assert!(house.visible().await.is_empty());
    assert!(house.snapshot().await.sql("select * from measurement").await.expect("an answer").iter().all(|b| b.num_rows() == 0));
}
