use std::sync::OnceLock;

use lake::{Blocked, Compaction};
use omop::Table;
use terms::RecordId;

use crate::house::{House, Rows, rows, rows_of};

const SMALL: Compaction = Compaction { everything: true, small: 64 << 20, target: 160 << 20, memory: 192 << 20 };

#[tokio::test]
async fn many_small_files_become_one_and_stale_rows_and_their_versions_go() {
    let house = House::new().await;
    let r = house.records(6).await;
    for round in 0..5 {
        let values: Rows = r.iter().map(|r| (r.0, vec![format!("{round}")])).collect();
        house.commit(&values, round > 0).await;
    }
    house.commit_identity(&r, "東雲").await;
    let before = house.visible().await;
    assert_eq!(house.files().len(), 7);
    let report = house.lake.compact(&house.ledger, &house.actor, &SMALL).await.expect("compacted");
    assert_eq!((report.files_before, report.files_after), (5, 1));
    assert_eq!((report.rows_before, report.rows_after, report.versions_cleared), (30, 6, 6));
    assert_eq!(house.visible().await, before);
    assert_eq!(house.files().len(), 3, "the old files are removed");
    let again = house.lake.compact(&house.ledger, &house.actor, &SMALL).await.expect("compacted");
    assert_eq!(again, lake::CompactionReport::default(), "there is nothing to do any more");
    assert!(house.ledger.read().await.expect("a reader").versions().await.expect("versions").is_empty());
}

#[tokio::test]
async fn rows_of_blocked_records_survive_a_compaction() {
    let house = House::new().await;
    let r = house.records(2).await;
    house.commit(&rows(&[(r[0], &["a"])]), false).await;
    house.commit(&rows(&[(r[0], &["b"]), (r[1], &["c"])]), false).await;
    let mut tx = house.ledger.begin(&house.actor, "test").await.expect("begun");
    tx.hold_record(r[0], "test", None).await.expect("held");
    tx.commit().await.expect("committed");
    house.lake.compact(&house.ledger, &house.actor, &SMALL).await.expect("compacted");
    let snapshot = house.snapshot().await;
    let all = snapshot.records(Table::Measurement, &r, Blocked::Include).expect("read");
    assert_eq!(rows_of(&all), rows(&[(r[0], &["a", "b"]), (r[1], &["c"])]));
}

#[tokio::test]
async fn files_beyond_the_target_are_split_at_records_and_do_not_overlap() {
    let house = House::new().await;
    let r = house.records(60).await;
    for part in 0..3 {
        let values: Rows = r
            .iter()
            .enumerate()
            .map(|(n, r)| (r.0, (0..200).map(|i| format!("{part}-{n}-{}", i * 7_919 % 1_000)).collect()))
            .collect();
        house.commit(&values, false).await;
    }
    let before = house.visible().await;
    let how = Compaction { everything: true, small: 1, target: 60 << 10, memory: 64 << 20 };
    let report = house.lake.compact(&house.ledger, &house.actor, &how).await.expect("compacted");
    assert!(report.files_after > 1, "{report:?}");
    let snapshot = house.snapshot().await;
    let files: Vec<_> = snapshot.files(Table::Measurement.into()).collect();
    assert!(files.windows(2).all(|pair| pair[0].max_record < pair[1].min_record));
    assert_eq!(house.visible().await, before);
}

fn house() -> &'static (tokio::runtime::Runtime, House) {
    static HOUSE: OnceLock<(tokio::runtime::Runtime, House)> = OnceLock::new();
    HOUSE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let house = runtime.block_on(House::new());
        (runtime, house)
    })
}

/// The reference: a map from record to rows, where a replacing commit replaces.
#[test]
fn commits_and_compactions_in_any_order_show_what_the_naive_lake_shows() {
    bolero::check!().with_iterations(25).with_type::<Vec<(u8, u8, u8)>>().for_each(|steps| {
        let (runtime, house) = house();
        runtime.block_on(async {
            // One house for all runs: each begins with the records emptied.
            let r = house.records(8).await;
            let mut naive = Rows::new();
            house.commit(&r.iter().map(|r| (r.0, Vec::new())).collect(), true).await;
            for (n, (kind, which, count)) in steps.iter().take(12).enumerate() {
                match kind % 4 {
                    0 => {
                        let how = Compaction { everything: which % 2 == 0, ..SMALL };
                        house.lake.compact(&house.ledger, &house.actor, &how).await.expect("compacted");
                    }
                    kind => {
                        let mut part = Rows::new();
                        for (bit, record) in r.iter().enumerate().filter(|(bit, _)| which >> bit & 1 == 1) {
                            let values = (0..count % 4).map(|i| format!("{n}-{bit}-{i}")).collect();
                            part.insert(record.0, values);
                        }
                        let replace = kind == 1;
                        house.commit(&part, replace).await;
                        for (record, values) in part {
                            let rows = naive.entry(record).or_default();
                            if replace {
                                rows.clear();
                            }
                            rows.extend(values);
                            rows.sort();
                        }
                    }
                }
                naive.retain(|_, rows| !rows.is_empty());
                assert_eq!(house.visible().await, naive);
                let asked: Vec<RecordId> = r.iter().copied().step_by(2).collect();
                let snapshot = house.snapshot().await;
                let found = rows_of(&snapshot.records(Table::Measurement, &asked, Blocked::Exclude).expect("read"));
                let expected: Rows =
                    naive.iter().filter(|(r, _)| asked.contains(&RecordId(**r))).map(|(r, v)| (*r, v.clone())).collect();
                assert_eq!(found, expected);
            }
        });
    });
}
