//! What every test needs: a ledger in a directory of its own, and a way past it.

use std::path::{Path, PathBuf};

use ledger::{Actor, Contact, Counts, Ledger, Mode, NewAsset, NewParty, PartyKind, PatientHmac, Tx};
use seal::{KeyScope, WrappedKey};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use terms::{AssetClass, AssetId, PatientIdRule, ProviderId, RecordId};

pub const KEY: [u8; 32] = [0x5a; 32];
pub const SEED: [u8; 32] = [0x17; 32];

pub struct House {
    pub dir: tempfile::TempDir,
    pub ledger: Ledger,
}

pub fn path(dir: &Path) -> PathBuf {
    dir.join("ledger.db")
}

impl House {
    pub async fn new() -> House {
        let dir = tempfile::tempdir().expect("a directory");
        let ledger = Ledger::create(&path(dir.path()), &KEY, &SEED, "azekura.test/journal").await.expect("a new ledger");
        House { dir, ledger }
    }

    pub async fn begin(&self) -> Tx {
        self.ledger.begin(&actor(), "test").await.expect("a transaction")
    }

    /// Does something to the file by SQL, as somebody with the key but without this program would.
    pub async fn behind(&self, sql: &str) {
        let mut connection = raw(self.dir.path()).await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect(sql);
        connection.close().await.expect("closed");
    }

    pub async fn reopen(self, mode: Mode) -> House {
        self.ledger.close().await;
        let ledger = Ledger::open(&path(self.dir.path()), &KEY, &SEED, mode).await.expect("opens");
        House { dir: self.dir, ledger }
    }
}

pub async fn raw(dir: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path(dir))
        .pragma("key", format!("\"x'{}'\"", hex::encode(KEY)))
        .foreign_keys(false)
        .connect()
        .await
        .expect("the key is right")
}

pub fn actor() -> Actor {
    "tester".parse().expect("an actor")
}

pub fn provider() -> ProviderId {
    "1319999991".parse().expect("an id")
}

pub fn other_provider() -> ProviderId {
    "1319999992".parse().expect("an id")
}

pub fn patient(n: u64) -> PatientHmac {
    let mut bytes = [0xab; 32];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    PatientHmac(bytes)
}

pub fn party(kind: PartyKind, id: &str) -> NewParty {
    NewParty {
        kind,
        id: id.to_owned(),
        certificate: format!("certificate of {id}").into_bytes(),
        patient_id_rule: (kind == PartyKind::Provider).then_some(PatientIdRule::Digits),
        name: "第一病院".to_owned(),
    }
}

pub fn contact(n: u64, date: &str) -> Contact {
    Contact { patient: patient(n), date: date.parse().expect("a date"), method: "visit".into(), addressee: "person".into() }
}

pub fn asset(table: &str, provider: Option<ProviderId>, commit: i64) -> (NewAsset, Option<WrappedKey>) {
    let id = AssetId::new();
    let class = AssetClass::Clinical;
    let new = NewAsset {
        id,
        name: format!("{table} {commit}"),
        kind: "table file".into(),
        class,
        provider: provider.clone(),
        table: Some(table.to_owned()),
        path: format!("lake/{table}/{id}.parquet"),
        size: 4_096,
        sha256: [3; 32],
        rows: Some(10),
        min_record: Some(RecordId(1)),
        max_record: Some(RecordId(99)),
        commit_seq: Some(commit),
        custody: ledger::Custody::usual(class),
    };
    let key = WrappedKey { scope: KeyScope { class, provider }, epoch: 1, algorithm: "AES-256-GCM".into(), bytes: vec![7; 60] };
    (new, Some(key))
}

pub fn counts(pairs: &[(&str, i64)]) -> Counts {
    pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
}
