//! What the journal says: one JSON object an entry, `{"seq":…,"time":…,"actor":…,"purpose":…,"event":…,…}`. Ids, counts, hashes
//! and the words of the law only; nothing about a person, because the journal cannot be erased.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use terms::{AssetClass, AssetId, DatasetId, NoticeScope, PackageId, ProviderId, RecordId, ReleaseKind, Requester, RunId};

use crate::row::{BatchMark, Hex32, RowMark};
use crate::words::{
    AssetState, ClerkSays, DatasetState, OptOutState, OutboxState, PackageState, PartyKind, PartyStatus, ReviewDecision,
};
use crate::{LedgerError, error::Result};

/// Who acts: an account, an officer's id, a service. At most 64 letters, digits and `-_.@:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Actor {
    type Err = LedgerError;
    fn from_str(text: &str) -> Result<Self> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | ':');
        if text.is_empty() || text.len() > 64 || !text.chars().all(good) {
            return Err(LedgerError::Invalid {
                what: "an actor",
                form: "1 to 64 ASCII letters, digits, '-', '_', '.', '@' or ':'",
            });
        }
        Ok(Actor(text.to_owned()))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Named counts.
pub type Counts = BTreeMap<String, i64>;

/// Everything that can happen. The first part is emitted by the function that makes the change, with the SHA-256 of the rows it
/// changed; the second part (from [`Event::Queried`] on) is for whoever does something that leaves no row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Event {
    LedgerCreated {
        origin: String,
        verifier_key: String,
    },
    SettingChanged {
        key: String,
        value: String,
    },
    PartyAdded {
        kind: PartyKind,
        id: String,
        fingerprint: Hex32,
    },
    PartyCertificateReplaced {
        kind: PartyKind,
        id: String,
        fingerprint: Hex32,
    },
    PartyStatusChanged {
        kind: PartyKind,
        id: String,
        status: PartyStatus,
    },
    NoticeAdded {
        notice: String,
        provider: ProviderId,
        scopes: Vec<NoticeScope>,
        from: String,
    },
    ContactsAdded {
        provider: ProviderId,
        count: u64,
    },
    OptOutReceived {
        opt_out: String,
        provider: ProviderId,
        scopes: Vec<NoticeScope>,
        requester: Requester,
        erase: bool,
        everywhere: bool,
        state: OptOutState,
    },
    OptOutMoved {
        opt_out: String,
        from: OptOutState,
        to: OptOutState,
    },
    RecordsAdded {
        provider: ProviderId,
        count: u64,
    },
    RecordHeld {
        record: RecordId,
        reason: String,
        package: Option<PackageId>,
    },
    RecordReleased {
        record: RecordId,
        reason: String,
    },
    PackageReceived {
        package: PackageId,
        provider: Option<ProviderId>,
        sequence: Option<i64>,
        kind: Option<String>,
        state: PackageState,
        reason: Option<String>,
        manifest_sha256: Hex32,
    },
    PackageMoved {
        package: PackageId,
        from: PackageState,
        to: PackageState,
        reason: Option<String>,
    },
    PackageCounted {
        package: PackageId,
        patients_in: i64,
        patients_refused: i64,
        rows: i64,
    },
    AssetAdded {
        asset: AssetId,
        number: i64,
        class: AssetClass,
        provider: Option<ProviderId>,
        table: Option<String>,
        rows: Option<i64>,
        size: i64,
        sha256: Hex32,
        commit_seq: Option<i64>,
    },
    AssetMoved {
        asset: AssetId,
        from: AssetState,
        to: AssetState,
        reason: String,
    },
    KeysRewrapped {
        scope: String,
        epoch: u32,
        count: u64,
    },
    KeysDeleted {
        count: u64,
        assets: Vec<AssetId>,
    },
    VersionsSet {
        count: u64,
    },
    VersionsCleared {
        count: u64,
    },
    LinkageRunAdded {
        run: RunId,
        rule: String,
        map: AssetId,
        stats: Counts,
    },
    LinkageWord {
        record_a: RecordId,
        record_b: RecordId,
        says: ClerkSays,
        reason: Option<String>,
    },
    DatasetPlanned {
        dataset: DatasetId,
        kind: ReleaseKind,
        recipient: String,
        project: String,
        profile_sha256: Hex32,
    },
    DatasetMoved {
        dataset: DatasetId,
        from: DatasetState,
        to: DatasetState,
        reason: Option<String>,
    },
    DatasetBuilt {
        dataset: DatasetId,
        data_sha256: Hex32,
        report_sha256: Hex32,
        counts: Counts,
    },
    DatasetReviewed {
        dataset: DatasetId,
        member: String,
        decision: ReviewDecision,
    },
    DatasetApproved {
        dataset: DatasetId,
        officer: String,
    },
    ApprovalsVoided {
        dataset: DatasetId,
        count: u64,
        reason: String,
    },
    DatasetPackaged {
        dataset: DatasetId,
        package: String,
    },
    OutboxAdded {
        id: String,
        kind: String,
        target: String,
    },
    OutboxMoved {
        id: String,
        from: OutboxState,
        to: OutboxState,
    },

    /// Personal data was read by a query; the purpose is the entry's. -1 rows: it ended without an answer.
    Queried {
        tables: Vec<String>,
        rows: i64,
        statement_sha256: Hex32,
    },
    /// Personal data was read by a step of the program.
    Read {
        step: String,
        tables: Vec<String>,
        records: i64,
    },
    /// A step ended; counts say what it did.
    StepFinished {
        step: String,
        run: Option<RunId>,
        counts: Counts,
    },
    /// Something was refused, with the code of the catalogue.
    Refused {
        step: String,
        code: String,
        subject: Option<String>,
    },
    /// A key epoch of a scope began.
    KeyEpochBegun {
        scope: String,
        epoch: u32,
    },
    /// Key epochs of a scope are gone for good.
    KeyEpochsDestroyed {
        scope: String,
        epochs: Vec<u32>,
    },
    /// A certificate of the instance itself: its own or one for intake.
    CertificateMade {
        what: String,
        fingerprint: Hex32,
    },
    /// Private keys for intake that are gone for good.
    IntakeKeysDestroyed {
        count: u64,
    },
    /// Files without a row were removed, unfinished erasures ended.
    Swept {
        files: u64,
        erasures: u64,
    },
    /// Records were erased from the lake.
    Erased {
        request: Option<String>,
        records: i64,
        files: i64,
        rows: i64,
    },
    /// A package's bytes are gone.
    PackageDestroyed {
        package: PackageId,
        certificate: Option<Hex32>,
    },
    /// Something left the house.
    Delivered {
        dataset: DatasetId,
        recipient: String,
        package: String,
        sha256: Hex32,
    },
    /// The journal was verified or exported.
    JournalExamined {
        what: String,
        size: u64,
        faults: u64,
    },
}

impl Event {
    /// Id of what the event is about, by which its history is found.
    pub fn subject(&self) -> Option<String> {
        use Event as E;
        match self {
            E::PartyAdded { kind, id, .. }
            | E::PartyCertificateReplaced { kind, id, .. }
            | E::PartyStatusChanged { kind, id, .. } => Some(format!("{kind}/{id}")),
            E::NoticeAdded { notice, .. } => Some(notice.clone()),
            E::OptOutReceived { opt_out, .. } | E::OptOutMoved { opt_out, .. } => Some(opt_out.clone()),
            E::PackageReceived { package, .. }
            | E::PackageMoved { package, .. }
            | E::PackageCounted { package, .. }
            | E::PackageDestroyed { package, .. } => Some(package.to_string()),
            E::AssetAdded { asset, .. } | E::AssetMoved { asset, .. } => Some(asset.to_string()),
            E::LinkageRunAdded { run, .. } => Some(run.to_string()),
            E::LinkageWord { record_a, record_b, .. } => Some(format!("{record_a}+{record_b}")),
            E::DatasetPlanned { dataset, .. }
            | E::DatasetMoved { dataset, .. }
            | E::DatasetBuilt { dataset, .. }
            | E::DatasetReviewed { dataset, .. }
            | E::DatasetApproved { dataset, .. }
            | E::ApprovalsVoided { dataset, .. }
            | E::DatasetPackaged { dataset, .. }
            | E::Delivered { dataset, .. } => Some(dataset.to_string()),
            E::OutboxAdded { id, .. } | E::OutboxMoved { id, .. } => Some(id.clone()),
            E::StepFinished { run, .. } => run.map(|run| run.to_string()),
            E::Refused { subject, .. } => subject.clone(),
            E::Erased { request, .. } => request.clone(),
            _ => None,
        }
    }
}

/// One entry of the journal. No event has a field named as one of these.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entry {
    /// Its number, from 0.
    pub seq: u64,
    /// When, UTC, RFC 3339.
    pub time: String,
    /// Who.
    pub actor: String,
    /// What for.
    pub purpose: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// Rows that the event changed, as they are since.
    #[serde(default, rename = "changed_rows")]
    pub rows: Vec<RowMark>,
    /// Rows that the event added in bulk.
    #[serde(default, rename = "added_rows")]
    pub batch: Option<BatchMark>,
}

/// An entry as it is written: the same fields in the same order, borrowed.
#[derive(Serialize)]
pub(crate) struct Written<'a> {
    pub(crate) seq: u64,
    pub(crate) time: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) purpose: &'a str,
    #[serde(flatten)]
    pub(crate) event: &'a Event,
    #[serde(skip_serializing_if = "<[RowMark]>::is_empty", rename = "changed_rows")]
    pub(crate) rows: &'a [RowMark],
    #[serde(skip_serializing_if = "Option::is_none", rename = "added_rows")]
    pub(crate) batch: Option<&'a BatchMark>,
}

impl Serialize for Entry {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Entry { seq, time, actor, purpose, event, rows, batch } = self;
        Written { seq: *seq, time, actor, purpose, event, rows, batch: batch.as_ref() }.serialize(serializer)
    }
}

/// How times are written: UTC, microseconds.
pub(crate) fn now() -> String {
    written(Timestamp::now())
}

pub(crate) fn written(time: Timestamp) -> String {
    format!("{time:.6}")
}
