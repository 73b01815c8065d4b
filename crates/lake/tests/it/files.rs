use std::fs;

use arrow::array::AsArray as _;
use lake::LakeError;
use omop::Table;
use terms::RecordId;

use crate::house::{House, holds, measurements, rows};

const VALUE: &str = "SHINONOME-4.8-percent";

// control: CRY-01
// control: CRY-13
#[tokio::test]
async fn no_value_and_no_column_name_is_in_the_bytes_of_any_file() {
    let house = House::new().await;
    let records = house.records(40).await;
    let many: Vec<_> = records.iter().map(|r| (*r, [VALUE, VALUE, "other"].as_slice())).collect();
    house.commit(&rows(&many), false).await;
    house.commit_identity(&records, "東雲太郎").await;
    house.link(&records).await;
    let files = house.files();
    assert_eq!(files.len(), 4);
    for file in files {
        let bytes = fs::read(&file).expect("readable");
        assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (b"PARE".as_slice(), b"PARE".as_slice()), "encrypted footer");
        assert!(!holds(&bytes, &[VALUE, "東雲太郎", "0000000123", "record_id", "person_id", "value_source_value"]));
    }
    // The same search does find it where it is in clear.
    assert!(holds(format!("x{VALUE}x").as_bytes(), &[VALUE]));
}

/// Parquet writes bloom filters outside its encryption: whoever holds the file could ask it for a patient or a code.
#[tokio::test]
async fn files_have_no_bloom_filters() {
    let house = House::new().await;
    let records = house.records(3).await;
    house.commit(&rows(&[(records[0], &[VALUE])]), false).await;
    let snapshot = house.snapshot().await;
    let file = snapshot.files(Table::Measurement.into()).next().expect("a file");
    let key = house.keyring.open_data_key(file.asset, &file.wrapped).expect("the key");
    let decryption = parquet::encryption::decrypt::FileDecryptionProperties::builder(key.bytes().to_vec())
        .with_aad_prefix(file.asset.as_bytes().to_vec())
        .build()
        .expect("properties");
    let options = parquet::arrow::arrow_reader::ArrowReaderOptions::new().with_file_decryption_properties(decryption);
    let opened = fs::File::open(house.root.join(&file.path)).expect("a file");
    let metadata = parquet::arrow::arrow_reader::ArrowReaderMetadata::load(&opened, options).expect("a footer");
    for group in metadata.metadata().row_groups() {
        for column in group.columns() {
            assert_eq!(column.bloom_filter_offset(), None, "{}", column.column_path());
        }
    }
}

#[tokio::test]
async fn a_file_under_another_name_does_not_open_with_the_same_key() {
    let house = House::new().await;
    let records = house.records(2).await;
    house.commit(&rows(&[(records[0], &["a"])]), false).await;
    house.commit(&rows(&[(records[1], &["b"])]), false).await;
    let files = house.files();
    let (first, second) = (fs::read(&files[0]).expect("read"), fs::read(&files[1]).expect("read"));
    fs::write(&files[0], second).expect("written");
    fs::write(&files[1], first).expect("written");
    let snapshot = house.snapshot().await;
    let refused = snapshot.records(Table::Measurement, &records, lake::Blocked::Exclude);
    assert!(matches!(refused, Err(LakeError::Unreadable { .. })));
    assert!(snapshot.sql("select count(*), max(value_source_value) from measurement").await.is_err());
}

#[tokio::test]
async fn a_changed_byte_is_noticed() {
    let house = House::new().await;
    let records = house.records(1).await;
    house.commit(&rows(&[(records[0], &["a"])]), false).await;
    let path = house.files().remove(0);
    let whole = fs::read(&path).expect("read");
    for at in [4, 200, whole.len() - 10] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).expect("written");
        let snapshot = house.snapshot().await;
        let read = snapshot.scan(Table::Measurement, lake::Blocked::Exclude).expect("a scan").collect::<Result<Vec<_>, _>>();
        assert!(read.is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn a_file_without_a_key_row_is_swept_and_a_living_one_stays() {
    let house = House::new().await;
    let records = house.records(2).await;
    house.commit(&rows(&[(records[0], &["a"])]), false).await;
    let mut writer = house.lake.writer(Table::Measurement, &house.provider).expect("a writer");
    writer.write(&measurements(records[1].0, &["never committed".to_owned()], 9)).expect("written");
    writer.finish().expect("finished");
    assert_eq!(house.files().len(), 2);
    let report = house.lake.sweep(&house.ledger, &house.actor).await.expect("swept");
    assert_eq!((report.removed, report.missing.len()), (1, 0));
    assert_eq!(house.files().len(), 1);
    assert_eq!(house.visible().await, rows(&[(records[0], &["a"])]));
    fs::remove_file(&house.files()[0]).expect("removed");
    let report = house.lake.sweep(&house.ledger, &house.actor).await.expect("swept");
    assert_eq!(report.missing.len(), 1, "a living file that is gone is named");
}

#[tokio::test]
async fn rows_that_are_not_sorted_or_not_of_the_table_are_refused_and_nothing_is_left() {
    let house = House::new().await;
    let mut writer = house.lake.writer(Table::Measurement, &house.provider).expect("a writer");
    writer.write(&measurements(5, &["a".to_owned()], 1)).expect("written");
    assert!(matches!(writer.write(&measurements(4, &["b".to_owned()], 1)), Err(LakeError::Batch { .. })));
    let mut other = house.lake.writer(Table::Observation, &house.provider).expect("a writer");
    assert!(matches!(other.write(&measurements(4, &["b".to_owned()], 1)), Err(LakeError::Batch { .. })));
    drop((writer, other));
    assert!(house.files().is_empty());
}

#[test]
fn nothing_that_holds_a_key_or_a_row_can_be_printed() {
    // Types with keys or rows have no Debug, or one by hand. This says it of those that must have one.
    let error = LakeError::KeyDestroyed { asset: terms::AssetId::new() };
    assert!(format!("{error:?} {error}").len() < 400);
    let wrapped = seal::WrappedKey {
        scope: "clinical/1".parse().expect("a scope"),
        epoch: 1,
        algorithm: "x".to_owned(),
        bytes: vec![0xAB; 60],
    };
    assert_eq!(format!("{wrapped:?}"), "WrappedKey(clinical/1 epoch 1)");
    let map = lake::PersonMap::new(vec![(RecordId(1), terms::PersonId(2))]);
    assert_eq!(map.len(), 1);
}

#[test]
fn every_code_has_a_text_in_both_languages() {
    for code in lake::CODES {
        assert!(messages::has(messages::Lang::En, code) && messages::has(messages::Lang::Ja, code), "{code}");
    }
}

/// Files of the lake that this process has open.
fn open_files(house: &House) -> usize {
    let inside = house.root.join("lake");
    let all = fs::read_dir("/proc/self/fd").expect("listable").filter_map(|e| fs::read_link(e.ok()?.path()).ok());
    all.filter(|path| path.starts_with(&inside)).count()
}

#[tokio::test]
async fn a_scan_over_many_providers_opens_the_files_of_one_at_a_time() {
    let mut house = House::new().await;
    let mut expected = crate::house::Rows::new();
    let many = vec!["x"; 300];
    for provider in 0..40 {
        house.provider = format!("13199{provider:05}").parse().expect("a provider");
        let records = house.records(3).await;
        house.commit(&rows(&[(records[0], &many), (records[2], &many)]), false).await;
        house.commit(&rows(&[(records[1], &many), (records[2], &["e"])]), true).await;
        expected.extend([records[0], records[1]].map(|r| (r.0, many.iter().map(|v| (*v).to_owned()).collect())));
        expected.insert(records[2].0, vec!["e".to_owned()]);
    }
    assert_eq!(house.visible().await, expected);
    let snapshot = house.snapshot().await;
    assert_eq!(snapshot.files(Table::Measurement.into()).count(), 80);
    let (mut most, mut seen) = (0, Vec::new());
    for batch in snapshot.scan(Table::Measurement, lake::Blocked::Exclude).expect("a scan") {
        let batch = batch.expect("readable");
        let records = batch.column(0).as_primitive::<arrow::datatypes::Int64Type>();
        seen.extend(records.values().iter().copied());
        most = most.max(open_files(&house));
    }
    assert!(most <= 2, "{most} files open");
    // The rows of a record stand together.
    seen.dedup();
    assert_eq!(seen.len(), expected.len());
}
