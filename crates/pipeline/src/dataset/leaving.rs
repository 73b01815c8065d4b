//! Deliveries on their way out: what the ledger promised is moved to where its recipient fetches it, or taken back when it must not leave
//! any more.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ledger::{DatasetState, OutboxState, PartyStatus};
use messages::Message;
use serde::{Deserialize, Serialize};
use terms::DatasetId;

use super::Case;
use super::deliver::{RELINKED, STOPPED, destroy, linked_otherwise, stopped_since, void};
use super::order::receiver;
use crate::Instance;
use crate::error::Error;
use crate::moving::{Move, Stuck, Way};

/// Kind of the outbox rows of deliveries.
pub(super) const KIND: &str = "delivery";

/// What a delivery consists of: files of the package and their SHA-256.
#[derive(Serialize, Deserialize)]
pub(super) struct Detail {
    pub(super) path: String,
    pub(super) files: BTreeMap<String, String>,
    /// SHA-256 of the certificate that it is sealed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<String>,
}

pub(super) fn outbox_id(id: DatasetId) -> String {
    format!("{OUTBOX}{id}")
}

/// What the ids of deliveries in the outbox begin with.
const OUTBOX: &str = "delivery:";

/// Moves packages to where their recipients fetch them: what a transaction promised and could not be done at once. What must not leave
/// any more is taken back.
///
/// What stays as it is, and why; the others are moved.
///
/// # Errors
/// When the ledger cannot be read.
pub(crate) async fn finish_deliveries(instance: &Instance) -> Result<Vec<Stuck>, Error> {
    finish(instance, None).await
}

/// The same; of the one that was packed just now the files are not read again.
pub(super) async fn finish(instance: &Instance, packed: Option<DatasetId>) -> Result<Vec<Stuck>, Error> {
    let mut stuck = Vec::new();
    for row in rows(instance, OutboxState::Pending).await? {
        if let Err(error) = finish_delivery(instance, &row, packed).await {
            stuck.push(Stuck { id: row.id, error });
        }
    }
    Ok(stuck)
}

/// The rows of deliveries in a state. The reading ends with it: the ledger's log is emptied when keys are destroyed, and waits for readers.
async fn rows(instance: &Instance, state: OutboxState) -> Result<Vec<ledger::OutboxRow>, Error> {
    let mut rows = instance.ledger.read().await?.outbox(Some(state)).await?;
    rows.retain(|row| row.kind == KIND);
    Ok(rows)
}

/// A delivery that the ledger promised.
struct Promised {
    id: DatasetId,
    recipient: String,
    certificate: Option<String>,
    files: BTreeMap<String, String>,
    from: PathBuf,
    to: PathBuf,
}

impl Promised {
    fn of(instance: &Instance, row: &ledger::OutboxRow) -> Result<Promised, Error> {
        let malformed = || Error::Inconsistent("an outbox row is malformed".to_owned());
        let detail: Detail = serde_json::from_str(&row.detail).map_err(|_| malformed())?;
        let to = instance.root.join(&detail.path);
        let from = instance.pending(&row.target).join(to.file_name().ok_or_else(malformed)?);
        let id = row.id.strip_prefix(OUTBOX).and_then(|id| id.parse().ok()).ok_or_else(malformed)?;
        Ok(Promised { id, recipient: row.target.clone(), certificate: detail.certificate, files: detail.files, from, to })
    }

    /// Name of the first file that is not as it was packed, where the package has not gone yet.
    fn changed(&self) -> Result<Option<&str>, Error> {
        if crate::moving::way(&self.from, &self.to) != Way::Here {
            return Ok(None);
        }
        // What was copied to another disk is looked at there.
        let mut part = self.to.as_os_str().to_owned();
        part.push(crate::moving::PART);
        let place = if self.from.is_dir() { self.from.clone() } else { PathBuf::from(part) };
        changed_in(&place, &self.files)
    }

    /// Why it must not leave any more, as far as it has not.
    ///
    /// # Errors
    /// A refusal when it has to wait; as of reading who is in it.
    async fn why_not(&self, instance: &Instance) -> Result<Option<&'static str>, Error> {
        match crate::moving::way(&self.from, &self.to) {
            Way::Gone | Way::Lost => return Ok(None),
            Way::Unknown => {
                return Err(Error::refused(crate::moving::away(&self.from, &self.to)));
            }
            Way::Here => {}
        }
        let mut reader = instance.ledger.read().await?;
        let dataset = reader.dataset(self.id).await?;
        let dataset = dataset.ok_or_else(|| Error::Inconsistent("a delivery of no data set".to_owned()))?;
        let kind = receiver(dataset.kind);
        let recipient = reader.party(kind, &self.recipient).await?;
        drop(reader);
        match self.stopped(instance).await {
            Ok(0) => {}
            Ok(_) => return Ok(Some(STOPPED)),
            // The disk, or who may read it, is put right; what does not open never will.
            Err(error @ (Error::Ledger(_) | Error::Lake(_) | Error::Io { .. })) => return Err(error),
            Err(_) => return Ok(Some(UNREADABLE)),
        }
        // Somebody may have said no under an id that the linkage does not know yet as theirs.
        if crate::link::is_stale(instance).await? {
            return Err(Error::refused(Message::new("core-dataset-link-stale")));
        }
        if linked_otherwise(instance, self.id).await? {
            return Ok(Some(RELINKED));
        }
        if let Some(amiss) = super::base::amiss(instance, self.id).await? {
            return amiss.void.map_or_else(|| Err(Error::refused(amiss.message)), |why| Ok(Some(why)));
        }
        let suspended = || Message::new("core-party-suspended").with("kind", kind).with("id", &self.recipient);
        match recipient {
            Some(party) if self.certificate.as_ref().is_some_and(|c| *c != hex::encode(party.fingerprint)) => {
                Ok(Some("it is sealed to an earlier certificate of its recipient"))
            }
            Some(party) if party.status == PartyStatus::Active => Ok(None),
            Some(party) if party.status == PartyStatus::Paused => Err(Error::refused(suspended())),
            _ => Ok(Some("its recipient has ended")),
        }
    }

    /// How many records of it somebody has stopped since it was made.
    async fn stopped(&self, instance: &Instance) -> Result<u64, Error> {
        let dataset = instance.ledger.read().await?.dataset(self.id).await?;
        let dataset = dataset.ok_or_else(|| Error::Inconsistent("a delivery of no data set".to_owned()))?;
        stopped_since(instance, self.id, dataset.kind).await
    }
}

/// Name of the first file in a directory that is missing or not as it was packed.
fn changed_in<'a>(place: &Path, files: &'a BTreeMap<String, String>) -> Result<Option<&'a str>, Error> {
    for (name, sha256) in files {
        let path = place.join(name);
        if !path.is_file() || hex::encode(hash_file(&path)?) != *sha256 {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Why data sets go back: the list of who is in them does not open.
const UNREADABLE: &str = "the list of its records cannot be read";
/// Why data sets go back: the package is neither where it was made nor where it is fetched, and was never there.
const LOST: &str = "its package was lost before it was handed over";

async fn finish_delivery(instance: &Instance, row: &ledger::OutboxRow, packed: Option<DatasetId>) -> Result<(), Error> {
    let promised = Promised::of(instance, row)?;
    if let Some(why) = promised.why_not(instance).await? {
        crate::moving::warn_of(withhold(instance, &promised, why).await?.as_ref());
        return Ok(());
    }
    // A package with a spoilt file is no package: its recipient could not open it, and it would not be made again.
    if packed != Some(promised.id) && promised.changed()?.is_some() {
        crate::moving::warn_of(withhold(instance, &promised, LOST).await?.as_ref());
        return Ok(());
    }
    match crate::moving::put_in_place(&promised.from, &promised.to)? {
        Move::Lost => {
            crate::moving::warn_of(withhold(instance, &promised, LOST).await?.as_ref());
            return Ok(());
        }
        Move::Done => {
            let mut tx = instance.ledger.begin(&instance.actor, "hand a data set over").await?;
            tx.move_outbox(&row.id, OutboxState::Pending, OutboxState::Done).await?;
            let served = super::base::ids_served(&mut tx, promised.id).await?;
            tx.commit().await?;
            if served {
                // It has left; what is still to be destroyed the next command destroys.
                crate::moving::warn_of(destroy(instance).await.as_ref().err());
            }
        }
    }
    crate::moving::moved(&promised.from)
}

/// Takes back what has not left: the data set is to be made again. What could not be removed is told.
async fn withhold(instance: &Instance, promised: &Promised, why: &str) -> Result<Option<Error>, Error> {
    tracing::error!(dataset = %promised.id, why, "a data set does not leave: it is to be made again");
    let case = Case::load(instance, &mut instance.ledger.read().await?, promised.id).await?;
    void(instance, &case, why).await
}

/// Takes back the deliveries that have not left and hold somebody who said no. How many there were, and what could not be removed, or may
/// have left without anybody knowing.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(crate) async fn withhold_stopped(instance: &Instance) -> Result<(u64, Option<Error>), Error> {
    let (mut count, mut trouble) = (0, None);
    for row in rows(instance, OutboxState::Pending).await? {
        let promised = Promised::of(instance, &row)?;
        let why = match promised.stopped(instance).await {
            Ok(0) => continue,
            Ok(_) => STOPPED,
            Err(error @ (Error::Ledger(_) | Error::Lake(_))) => return Err(error),
            // Where nobody can say who is in it, nobody can say that they did not say no.
            Err(_) => UNREADABLE,
        };
        match crate::moving::way(&promised.from, &promised.to) {
            Way::Gone | Way::Lost => {}
            Way::Unknown => {
                let away = Error::refused(crate::moving::away(&promised.from, &promised.to));
                tracing::error!(dataset = %promised.id, error = %away, "a data set with somebody who said no may have left");
                trouble = trouble.or(Some(away));
            }
            // What could not be removed is tried once more below.
            Way::Here => count += withhold(instance, &promised, why).await.map(|_| 1)?,
        }
    }
    Ok((count, trouble.or(take_back_withheld(instance).await.err())))
}

/// Whether a delivered data set still waits where nobody fetches it.
///
/// # Errors
/// A refusal when nobody can say; when the ledger cannot be read.
pub(super) async fn still_here(instance: &Instance, id: DatasetId) -> Result<bool, Error> {
    let Some(row) = rows(instance, OutboxState::Pending).await?.into_iter().find(|row| row.id == outbox_id(id)) else {
        return Ok(false);
    };
    let promised = Promised::of(instance, &row)?;
    match crate::moving::way(&promised.from, &promised.to) {
        Way::Here => Ok(true),
        Way::Gone | Way::Lost => Ok(false),
        Way::Unknown => Err(Error::refused(crate::moving::away(&promised.from, &promised.to))),
    }
}

/// Removes what an earlier command could not remove of packages that do not leave any more.
///
/// # Errors
/// When the ledger cannot be read; the first thing that cannot be removed, after all that can.
pub(crate) async fn take_back_withheld(instance: &Instance) -> Result<(), Error> {
    let mut taken = Ok(());
    for row in rows(instance, OutboxState::Failed).await? {
        let promised = Promised::of(instance, &row)?;
        taken = taken.and(crate::moving::take_back(&promised.from, &promised.to));
    }
    taken
}

/// Names, within `pending/`, of what still waits to be moved.
pub(crate) fn waiting_name(detail: &str) -> Option<String> {
    let detail: Detail = serde_json::from_str(detail).ok()?;
    std::path::Path::new(&detail.path).file_name().map(|n| n.to_string_lossy().into_owned())
}

pub(crate) fn hash_file(path: &std::path::Path) -> Result<[u8; 32], Error> {
    let trouble = || Error::io(path.display().to_string());
    let mut file = std::fs::File::open(path).map_err(trouble())?;
    let mut sha = openssl::sha::Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = file.read(&mut buffer).map_err(trouble())?;
        if n == 0 {
            return Ok(sha.finish());
        }
        sha.update(&buffer[..n]);
    }
}

/// Files of deliveries that wait or are still in the outbox and are not as they were delivered, what was lost before it could be fetched,
/// and what lies in the outbox although it was taken back.
///
/// # Errors
/// When the ledger or a file cannot be read. A package that was fetched is no fault.
pub(crate) async fn changed_deliveries(instance: &Instance) -> Result<Vec<Message>, Error> {
    let mut reader = instance.ledger.read().await?;
    let mut found = Vec::new();
    for row in reader.outbox(Some(OutboxState::Failed)).await? {
        if row.kind == KIND {
            let promised = Promised::of(instance, &row)?;
            if promised.to.is_dir() {
                found.push(Message::new("core-outbox-withheld").with("path", promised.to.display()).with("id", promised.id));
            }
            // What was taken back on purpose is no fault; what was lost is one until it is delivered again.
            if let Some(dataset) = reader.dataset(promised.id).await?
                && dataset.state != DatasetState::Delivered
                && dataset.reason.as_deref() != Some(LOST)
            {
                continue;
            }
        }
        // A receipt that would have told whoever has an earlier key: its provider is told in another way.
        if crate::ingest::is_withheld(&mut reader, &row).await? {
            continue;
        }
        let code = if row.kind == KIND { "core-outbox-lost" } else { "core-receipt-lost" };
        found.push(Message::new(code).with("id", &row.id).with("party", &row.target));
    }
    let changed = |file: &str, id: DatasetId| Message::new("core-dataset-file-changed").with("file", file).with("id", id);
    for row in reader.outbox(Some(OutboxState::Pending)).await?.into_iter().filter(|r| r.kind == KIND) {
        let promised = Promised::of(instance, &row)?;
        match crate::moving::way(&promised.from, &promised.to) {
            Way::Here => found.extend(promised.changed()?.map(|file| changed(file, promised.id))),
            Way::Lost => found.push(Message::new("core-outbox-lost").with("id", &row.id).with("party", &row.target)),
            Way::Unknown => found.push(crate::moving::away(&promised.from, &promised.to)),
            Way::Gone => {}
        }
    }
    for row in reader.outbox(Some(OutboxState::Done)).await?.into_iter().filter(|r| r.kind == KIND) {
        let promised = Promised::of(instance, &row)?;
        if promised.to.is_dir() {
            found.extend(changed_in(&promised.to, &promised.files)?.map(|file| changed(file, promised.id)));
        }
    }
    Ok(found)
}
