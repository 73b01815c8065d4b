//! An instance with a lake, for tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use lake::{Blocked, Lake, PersonMap, Snapshot};
use ledger::{Actor, Counts, Event, Ledger, Mode, PatientHmac};
use omop::{Columns, Head, IdentityRow, MeasurementRow, SourceFileRow, SourceState, Table};
use seal::{Kdf, Keyring, KeyringOptions, Passphrase};
use terms::{AssetId, PersonId, ProviderId, RecordId, RunId};

pub struct House {
    pub root: PathBuf,
    pub keyring: Arc<Keyring>,
    pub ledger: Ledger,
    pub lake: Lake,
    pub actor: Actor,
    pub provider: ProviderId,
    _directory: Option<tempfile::TempDir>,
}

/// Rows of a record as a test states them: the values of its measurements.
pub type Rows = BTreeMap<i64, Vec<String>>;

fn passphrase() -> Passphrase {
    Passphrase::new("of the test").expect("a passphrase")
}

impl House {
    pub async fn new() -> House {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().to_owned();
        let mut house = House::make(&root).await;
        house._directory = Some(directory);
        house
    }

    pub async fn make(root: &Path) -> House {
        let options = KeyringOptions { kdf: Kdf::LIGHT, ..Default::default() };
        let keyring = Keyring::create_with(&root.join("keyring.azk"), &passphrase(), &options).expect("a keyring");
        let ledger = Ledger::create(&root.join("ledger.db"), &keyring.ledger_key(), &keyring.journal_seed(), "test.invalid/azk")
            .await
            .expect("a ledger");
        House::with(root, keyring, ledger)
    }

    pub async fn open(root: &Path) -> House {
        let keyring = Keyring::open(&root.join("keyring.azk"), &passphrase()).expect("the keyring");
        let ledger = Ledger::open(&root.join("ledger.db"), &keyring.ledger_key(), &keyring.journal_seed(), Mode::Writer)
            .await
            .expect("the ledger");
        House::with(root, keyring, ledger)
    }

    fn with(root: &Path, keyring: Keyring, ledger: Ledger) -> House {
        let keyring = Arc::new(keyring);
        let lake = Lake::open(root, Arc::clone(&keyring)).expect("a lake");
        House {
            root: root.to_owned(),
            keyring,
            ledger,
            lake,
            actor: "test".parse().expect("an actor"),
            provider: "1319999991".parse().expect("a provider"),
            _directory: None,
        }
    }

    /// Records of so many patients.
    pub async fn records(&self, patients: u8) -> Vec<RecordId> {
        let hmacs: Vec<_> = (0..patients).map(|n| PatientHmac([n; 32])).collect();
        let mut tx = self.ledger.begin(&self.actor, "test").await.expect("begun");
        let records = tx.resolve_records(&self.provider, &hmacs).await.expect("resolved");
        tx.emit(Event::StepFinished { step: "test".into(), run: None, counts: Counts::new() }).expect("emitted");
        tx.commit().await.expect("committed");
        records
    }

    /// Commits measurements, one file; older rows of these records become stale when `replace` says so.
    pub async fn commit(&self, rows: &Rows, replace: bool) -> i64 {
        let mut tx = self.ledger.begin(&self.actor, "test").await.expect("begun");
        let seq = tx.next_commit_seq(1).await.expect("a number");
        let mut writer = self.lake.writer(Table::Measurement, &self.provider).expect("a writer");
        for (record, values) in rows {
            if !values.is_empty() {
                writer.write(&measurements(*record, values, seq)).expect("written");
            }
        }
        let staged = writer.finish().expect("finished");
        let versions: Vec<_> = if replace { rows.keys().map(|r| (RecordId(*r), seq)).collect() } else { Vec::new() };
        self.lake.commit(&mut tx, &[staged], &versions).await.expect("in the lake");
        tx.emit(Event::StepFinished { step: "ingest".into(), run: None, counts: Counts::new() }).expect("emitted");
        tx.commit().await.expect("committed");
        seq
    }

    /// Commits an identity row and a source file for each record.
    pub async fn commit_identity(&self, records: &[RecordId], name: &str) {
        let mut tx = self.ledger.begin(&self.actor, "test").await.expect("begun");
        let seq = tx.next_commit_seq(1).await.expect("a number");
        let mut sorted = records.to_vec();
        sorted.sort();
        let mut columns = Columns::default();
        for (n, _) in sorted.iter().enumerate() {
            let head = Head { record_id: n as i64, source_key: "k", source_ts: 0, source_state: SourceState::Live };
            columns
                .identity
                .push(&head, &IdentityRow { local_patient_id: "0000000123", family_name: Some(name), ..Default::default() });
            columns.source_file.push(
                &head,
                &SourceFileRow { data_type: "ADT-00", path: "123/", content: Some(name.as_bytes()), ..Default::default() },
            );
        }
        let ids: Vec<_> = sorted.into_iter().map(Some).collect();
        let mut staged = Vec::new();
        for (table, batch) in columns.finish() {
            let batch = omop::to_lake(table, &batch, &ids, AssetId::new(), 1, seq).expect("a batch");
            let mut writer = self.lake.writer(table, &self.provider).expect("a writer");
            writer.write(&batch).expect("written");
            staged.push(writer.finish().expect("finished"));
        }
        self.lake.commit(&mut tx, &staged, &[]).await.expect("in the lake");
        tx.commit().await.expect("committed");
    }

    /// Makes a linkage run that puts every two records together.
    pub async fn link(&self, records: &[RecordId]) -> PersonMap {
        let pairs = records.iter().enumerate().map(|(n, r)| (*r, PersonId(n as i64 / 2 + 1))).collect();
        let map = PersonMap::new(pairs);
        let mut tx = self.ledger.begin(&self.actor, "test").await.expect("begun");
        let seq = tx.next_commit_seq(1).await.expect("a number");
        let staged = self.lake.write_person_map(&map, seq).expect("written");
        self.lake.commit(&mut tx, std::slice::from_ref(&staged), &[]).await.expect("in the lake");
        tx.add_linkage_run(RunId::new(), "test", staged.asset, &Counts::new()).await.expect("a run");
        tx.commit().await.expect("committed");
        map
    }

    pub async fn snapshot(&self) -> Snapshot {
        self.lake.snapshot(&self.ledger, None).await.expect("a snapshot")
    }

    /// All visible measurements, by a scan.
    pub async fn visible(&self) -> Rows {
        let snapshot = self.snapshot().await;
        let batches: Vec<_> =
            snapshot.scan(Table::Measurement, Blocked::Exclude).expect("a scan").map(|b| b.expect("readable")).collect();
        rows_of(&batches)
    }

    /// Every file of the lake.
    pub fn files(&self) -> Vec<PathBuf> {
        fn walk(directory: &Path, into: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(directory).expect("listable") {
                let path = entry.expect("an entry").path();
                if path.is_dir() { walk(&path, into) } else { into.push(path) }
            }
        }
        let mut files = Vec::new();
        walk(&self.root.join("lake"), &mut files);
        files.sort();
        files
    }
}

pub fn measurements(record: i64, values: &[String], seq: i64) -> RecordBatch {
    let mut columns = Columns::default();
    for (n, value) in values.iter().enumerate() {
        let head = Head { record_id: 0, source_key: "OML-11|20200803|1", source_ts: 0, source_state: SourceState::Live };
        columns.measurement.push(
            &head,
            &MeasurementRow {
                measurement_id: n as i64 + 1,
                value_as_number: Some(n as f64),
                value_source_value: Some(value),
                measurement_source_value: Some("3D046000001906202"),
                ..Default::default()
            },
        );
    }
    let (table, batch) = columns.finish().remove(0);
    omop::to_lake(table, &batch, &[Some(RecordId(record))], AssetId::new(), 1, seq).expect("a batch")
}

/// The values of measurements by record, each list sorted.
pub fn rows_of(batches: &[RecordBatch]) -> Rows {
    let mut rows = Rows::new();
    for batch in batches {
        let ids = batch.column_by_name("record_id").expect("a column").as_primitive::<Int64Type>();
        let values = batch.column_by_name("value_source_value").expect("a column").as_string::<i32>();
        for i in 0..batch.num_rows() {
            rows.entry(ids.value(i)).or_default().push(values.value(i).to_owned());
        }
        assert_eq!(ids.null_count(), 0);
    }
    rows.values_mut().for_each(|v| v.sort());
    rows
}

pub fn rows(of: &[(RecordId, &[&str])]) -> Rows {
    of.iter().map(|(r, v)| (r.0, v.iter().map(|v| (*v).to_owned()).collect())).collect()
}

/// Whether any of the texts stands in the bytes.
pub fn holds(bytes: &[u8], texts: &[&str]) -> bool {
    texts.iter().any(|text| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}
