//! The last door: everything is checked once more, then the data set is sealed to its recipient.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read as _;
use std::path::PathBuf;

use governance::application::Digest;
use governance::approval::Digests;
use ledger::{DatasetState, Event, Hex32, OutboxState, PartyStatus, Tx};
use messages::{Lang, Message};
use package::{Draft, ENDING, Period, Purpose, Writer};
use seal::Certificate;
use serde::Serialize;
use terms::{AssetId, DatasetId, NoticeScope, ReleaseKind};

use super::build::released_setting;
use super::leaving::{Detail, KIND, finish, hash_file, outbox_id};
use super::order::{Order, receiver};
use super::{Case, Near, base, cumulative, earlier, ids, refused, select};
use crate::Instance;
use crate::error::Error;
use crate::sealed;

/// A delivered data set.
#[derive(Debug, Serialize)]
pub struct Delivered {
    /// Its id.
    pub id: DatasetId,
    /// Who gets it.
    pub recipient: String,
    /// The package, in the instance's outbox.
    pub package: PathBuf,
    /// SHA-256 of the package's manifest.
    pub manifest_sha256: String,
    /// Who approved it.
    pub officers: Vec<String>,
    /// As of [`super::Made`], at the delivery: another may have been delivered since this one was made.
    pub near: Vec<Near>,
}

/// Why data sets go back: somebody in them said no.
pub(super) const STOPPED: &str = "a person in it stopped provision";

/// Why data sets go back: other records are one person.
pub(super) const RELINKED: &str = "the linkage says otherwise who is one person in it";

/// The records of a made data set.
pub(super) async fn released(instance: &Instance, id: DatasetId) -> Result<Vec<i64>, Error> {
    let asset: Option<AssetId> = instance.ledger.read().await?.setting(&released_setting(id)).await?.and_then(|a| a.parse().ok());
    let asset = asset.ok_or_else(|| Error::refused(Message::new("core-dataset-not-made").with("id", id)))?;
    serde_json::from_slice(&sealed::read(instance, asset).await?)
        .map_err(|_| Error::Inconsistent("a list of records is malformed".to_owned()))
}

/// The data sets that have left with any of these records in them, of a kind that one of the scopes is for.
///
/// # Errors
/// When the ledger or a list cannot be read.
pub(crate) async fn left_with(
    instance: &Instance,
    records: &BTreeSet<i64>,
    scopes: &BTreeSet<NoticeScope>,
) -> Result<Vec<DatasetId>, Error> {
    let mut left = Vec::new();
    for row in instance.ledger.read().await?.datasets().await? {
        let asked = row.state == DatasetState::Delivered && scopes.contains(&row.kind.needed_scope());
        if asked && released(instance, row.id).await?.iter().any(|record| records.contains(record)) {
            left.push(row.id);
        }
    }
    Ok(left)
}

/// Whether other records of a data set are one person today than when it was made: clerks said so, or a later linkage.
pub(super) async fn linked_otherwise(instance: &Instance, id: DatasetId) -> Result<bool, Error> {
    let Some(made) = instance.ledger.read().await?.setting(&super::build::persons_setting(id)).await? else { return Ok(false) };
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    Ok(super::build::partition(&released(instance, id).await?, snapshot.person_map()) != made)
}

/// How many records of a data set somebody has stopped since it was made.
pub(super) async fn stopped_since(instance: &Instance, id: DatasetId, kind: ReleaseKind) -> Result<u64, Error> {
    let released = released(instance, id).await?;
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let mut reader = instance.ledger.read().await?;
    let stopped = select::stopped(instance, &mut reader, snapshot.person_map(), kind).await?;
    Ok(released.iter().filter(|r| stopped.contains(&terms::RecordId(**r))).count() as u64)
}

/// Seals a data set to its recipient, when everything holds: the ledger is as the journal says, the committee and two
/// officers signed exactly this, nobody in it said no since, and the bytes are those that were signed. Repeating a
/// delivery that broke off makes the same package again under the same name.
///
/// # Errors
/// Refusals, with the first guard that does not hold. A data set in which somebody said no since loses its approvals.
pub async fn deliver(instance: &Instance, id: DatasetId) -> Result<Delivered, Error> {
    let integrity = instance.ledger.integrity().await?;
    if !integrity.discrepancies.is_empty() {
        let message = Message::new("core-dataset-integrity").with("count", integrity.discrepancies.len());
        return Err(Error::refused(message));
    }
    let mut reader = instance.ledger.read().await?;
    let case = Case::load(instance, &mut reader, id).await?;
    let waiting = reader.outbox(Some(OutboxState::Pending)).await?;
    if case.row.state == DatasetState::Delivered && waiting.iter().any(|row| row.id == outbox_id(id)) {
        drop(reader);
        // An earlier try got as far as its outbox.
        hand_over_one(instance, id, None).await?;
        return earlier_delivery(instance, id, &case).await;
    }
    let order = Order::parse(&case.row.profile)?;
    let receiver = receiver(order.kind());
    let recipient = reader.party(receiver, &case.row.recipient).await?;
    let recipient = match recipient {
        Some(party) if party.status == PartyStatus::Active => party,
        found => {
            let code = if found.is_some() { "core-party-suspended" } else { "core-unknown-party" };
            return Err(Error::refused(Message::new(code).with("kind", receiver).with("id", &case.row.recipient)));
        }
    };
    drop(reader);
    let state = case.row.state;
    if matches!(state, DatasetState::TwoPersonCheck | DatasetState::Released) && crate::link::is_stale(instance).await? {
        return Err(Error::refused(Message::new("core-dataset-link-stale")));
    }
    let stopped = if matches!(state, DatasetState::TwoPersonCheck | DatasetState::Released) {
        stopped_since(instance, id, case.row.kind).await?
    } else {
        0
    };
    if stopped > 0 {
        crate::moving::warn_of(void(instance, &case, STOPPED).await?.as_ref());
        return Err(Error::refused(Message::new("core-dataset-voided").with("count", stopped)));
    }
    if matches!(state, DatasetState::TwoPersonCheck | DatasetState::Released) && linked_otherwise(instance, id).await? {
        crate::moving::warn_of(void(instance, &case, RELINKED).await?.as_ref());
        return Err(Error::refused(Message::new("core-dataset-relinked")));
    }
    if matches!(state, DatasetState::TwoPersonCheck | DatasetState::Released)
        && let Some(amiss) = base::amiss(instance, id).await?
    {
        if let Some(why) = amiss.void {
            crate::moving::warn_of(void(instance, &case, why).await?.as_ref());
        }
        return Err(Error::refused(amiss.message));
    }
    // Who is one person may have changed since it was made.
    if let (DatasetState::TwoPersonCheck | DatasetState::Released, Some(profile)) = (state, order.profile()) {
        let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
        earlier::apart(instance, &case.row, profile, &released(instance, id).await?, snapshot.person_map(), true).await?;
        cumulative::check_leaving(instance, &case.row, profile, snapshot.person_map()).await?;
    }
    let ready = match case.recall(stopped)? {
        governance::dataset::Recalled::Released(ready) => ready,
        other => other.two_person_check().map_err(refused)?.release(&case.approvals, stopped, &case.check).map_err(refused)?,
    };
    let data = case.row.data_asset.ok_or_else(|| Error::refused(Message::new("core-dataset-not-made").with("id", id)))?;
    let report = case.row.report_asset.ok_or_else(|| Error::refused(Message::new("core-dataset-not-made").with("id", id)))?;
    if state != DatasetState::Released {
        let mut tx = instance.ledger.begin(&instance.actor, "release a data set").await?;
        tx.move_dataset(id, state, DatasetState::Released, None).await?;
        tx.commit().await?;
    }

    // The package, under a fixed name: a second try overwrites the first.
    let (from, to) = order.period();
    let to = to.unwrap_or_else(crate::notices::today);
    let draft = Draft {
        purpose: Purpose::Dataset,
        sender: instance.config.producer.name.clone(),
        sequence: 1,
        kind: if order.profile().is_some() { "omop".to_owned() } else { order.kind().to_string() },
        period: Period { from: from.unwrap_or(to), to },
        dataset: Some(id.to_string()),
    };
    let certificate = Certificate::from_der(&recipient.certificate)?;
    let name = id.to_string();
    // Made where nobody fetches it: it goes to its place when the ledger says that it leaves.
    let mut writer = Writer::create_replacing(&instance.pending(&case.row.recipient), &name, draft, &certificate)?;
    let mut stream = sealed::open(instance, data).await?;
    let page = sealed::read(instance, report).await?;
    let data_sha256 = writer.add_payload(|to| {
        let mut sha = openssl::sha::Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        loop {
            let n = stream.read(&mut buffer).map_err(|e| Error::Seal(e.into()))?;
            if n == 0 {
                return Ok::<_, Error>(sha.finish());
            }
            sha.update(&buffer[..n]);
            to.write_all(&buffer[..n]).map_err(Error::io("writing a delivery"))?;
        }
    })?;
    writer.add_payload(|to| reports(to, &page))?;
    let packed = Digests {
        data: Digest(data_sha256),
        report: Digest(seal::hash::sha256(&page)),
        profile: Digest(seal::hash::sha256(case.row.profile.as_bytes())),
    };
    let officers: Vec<String> = ready.officers().iter().map(ToString::to_string).collect();
    if &packed != ready.digests() {
        return Err(refused(governance::Refusal::PackageDiffers));
    }
    let near = match order.profile().and_then(|p| p.privacy.as_ref()) {
        Some(privacy) if case.row.kind.is_anonymized() => {
            let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
            let records = released(instance, id).await?;
            earlier::nears(instance, id, &case.row.recipient, &records, snapshot.person_map(), u64::from(privacy.k)).await?
        }
        _ => Vec::new(),
    };
    let finished = writer.finish(&instance.keyring.producer()?)?;
    ready.deliver(&packed, Digest(finished.manifest_sha256)).map_err(refused)?;

    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&finished.path).map_err(Error::io(finished.path.display().to_string()))? {
        let path = entry.map_err(Error::io(finished.path.display().to_string()))?.path();
        files.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned(), hex::encode(hash_file(&path)?));
    }
    let certificate = Some(hex::encode(recipient.fingerprint));
    let detail = Detail { path: format!("outbox/{}/{name}{ENDING}", case.row.recipient), files, certificate };
    let detail = serde_json::to_string(&detail).map_err(|e| Error::Inconsistent(e.to_string()))?;
    let mut tx = instance.ledger.begin(&instance.actor, &case.row.purpose).await?;
    tx.add_outbox(&outbox_id(id), KIND, &case.row.recipient, &detail).await?;
    tx.name_package(id, &name).await?;
    tx.move_dataset(id, DatasetState::Released, DatasetState::Delivered, None).await?;
    tx.emit(Event::Delivered {
        dataset: id,
        recipient: case.row.recipient.clone(),
        package: name,
        sha256: Hex32(finished.manifest_sha256),
    })?;
    // Our own copy of what was delivered has no further use, and nobody in it could be erased from it.
    tx.doom_assets(&[data], "delivered").await?;
    tx.commit().await?;
    hand_over_one(instance, id, Some(id)).await?;
    Ok(Delivered {
        id,
        recipient: case.row.recipient,
        package: instance.outbox(&recipient.id).join(format!("{id}{ENDING}")),
        manifest_sha256: hex::encode(finished.manifest_sha256),
        officers,
        near,
    })
}

/// Hands over what waits.
///
/// # Errors
/// When one of them still waits; a refusal when it was taken back instead.
async fn hand_over_one(instance: &Instance, id: DatasetId, packed: Option<DatasetId>) -> Result<(), Error> {
    let stuck = finish(instance, packed).await?;
    finish_doomed(instance).await?;
    for stuck in stuck {
        if stuck.id == outbox_id(id) {
            return Err(Error::Waits { id, why: Box::new(stuck.error) });
        }
        crate::moving::warn_of([&stuck.error]);
    }
    // What must not leave any more went back instead.
    if instance.ledger.read().await?.dataset(id).await?.is_none_or(|d| d.state != DatasetState::Delivered) {
        return Err(Error::refused(Message::new("core-dataset-withheld").with("id", id)));
    }
    Ok(())
}

/// What an earlier command delivered.
async fn earlier_delivery(instance: &Instance, id: DatasetId, case: &Case) -> Result<Delivered, Error> {
    let mut reader = instance.ledger.read().await?;
    let sha256 = reader.history(&id.to_string()).await?.into_iter().rev().find_map(|entry| match entry.event {
        Event::Delivered { sha256, .. } => Some(hex::encode(sha256.0)),
        _ => None,
    });
    Ok(Delivered {
        id,
        recipient: case.row.recipient.clone(),
        package: instance.outbox(&case.row.recipient).join(format!("{id}{ENDING}")),
        manifest_sha256: sha256.ok_or_else(|| Error::Inconsistent("a delivery that the journal does not know".to_owned()))?,
        officers: case.approvals.iter().map(|a| a.officer.to_string()).collect(),
        near: Vec::new(),
    })
}

/// Both pages of the report and the numbers behind them, as a payload of their own.
fn reports(to: &mut dyn std::io::Write, page: &[u8]) -> Result<(), Error> {
    let mut files = Vec::new();
    for lang in [Lang::Ja, Lang::En] {
        files.push(super::files::report_page(page, lang, true)?);
    }
    // By these the recipient holds the tables against what was promised of them.
    files.extend(super::files::report_numbers(page).map(|json| ("report.json".to_owned(), json)));
    let mut tar = tar::Builder::new(to);
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o444);
        tar.append_data(&mut header, name, bytes.as_slice()).map_err(Error::io("writing a delivery"))?;
    }
    tar.into_inner().map_err(Error::io("writing a delivery"))?.flush().map_err(Error::io("writing a delivery"))
}

/// Takes the approvals back, destroys what was made, and sends the data set back to be made again. What could not be removed is told.
pub(super) async fn void(instance: &Instance, case: &Case, why: &str) -> Result<Option<Error>, Error> {
    let mut tx = instance.ledger.begin(&instance.actor, why).await?;
    void_in(&mut tx, &case.row, why).await?;
    tx.commit().await?;
    clear_away(instance, &case.row).await
}

/// Removes what a delivery that broke off may have packed, and destroys what a transaction gave up. What could not be removed is told.
pub(super) async fn clear_away(instance: &Instance, row: &ledger::Dataset) -> Result<Option<Error>, Error> {
    // With no promise, the next command removes what a crash leaves here.
    let name = format!("{}{ENDING}", row.id);
    let from = instance.pending(&row.recipient).join(&name);
    let mut taken = crate::moving::take_back(&from, &instance.outbox(&row.recipient).join(&name));
    for ending in [".new", ".old"] {
        let path = instance.pending(&row.recipient).join(format!("{name}{ending}"));
        taken = taken.and(durable::remove_tree(&path).map_err(Error::io(path.display().to_string())));
    }
    taken = taken.and(remove_pages(instance, row.id));
    destroy(instance).await?;
    Ok(taken.err())
}

/// Removes the pages of a report that were written beside the instance's own files.
fn remove_pages(instance: &Instance, id: DatasetId) -> Result<(), Error> {
    let dir = instance.root.join("reports");
    let begins = format!("{id}-");
    for page in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
        if page.file_name().to_string_lossy().starts_with(&begins) {
            durable::remove_file(&page.path()).map_err(Error::io(page.path().display().to_string()))?;
        }
    }
    Ok(())
}

/// The part of [`void`] that is in the ledger, as part of a transaction.
///
/// # Errors
/// When the ledger cannot be written.
pub(super) async fn void_in(tx: &mut Tx, row: &ledger::Dataset, why: &str) -> Result<(), Error> {
    let id = row.id;
    let list: Option<AssetId> = tx.read().setting(&released_setting(id)).await?.and_then(|a| a.parse().ok());
    let ids = ids::of(tx.read(), id).await?;
    let classes = cumulative::of(tx.read(), id).await?;
    // What was delivered is our copy no more.
    let delivered = row.state == DatasetState::Delivered;
    let data = row.data_asset.filter(|_| !delivered);
    let assets: Vec<AssetId> = data.into_iter().chain(row.report_asset).chain(list).chain(ids).chain(classes).collect();
    tx.void_approvals(id, why).await?;
    tx.move_dataset(id, row.state, DatasetState::Building, Some(why)).await?;
    if delivered {
        tx.move_outbox(&outbox_id(id), OutboxState::Pending, OutboxState::Failed).await?;
    }
    tx.doom_assets(&assets, why).await?;
    destroy_epochs(tx).await
}

/// Takes back the data sets that were made and of which something is among files that nothing opens any more. The files that went with them.
///
/// # Errors
/// When the ledger cannot be written.
pub(crate) async fn void_lost(tx: &mut Tx, lost: &BTreeSet<AssetId>, why: &str) -> Result<BTreeSet<AssetId>, Error> {
    let mut gone = BTreeSet::new();
    for row in tx.read().datasets().await? {
        let made = matches!(row.state, DatasetState::TwoPersonCheck | DatasetState::Released);
        if made && row.data_asset.into_iter().chain(row.report_asset).any(|asset| lost.contains(&asset)) {
            let list: Option<AssetId> = tx.read().setting(&released_setting(row.id)).await?.and_then(|a| a.parse().ok());
            let more = [list, ids::of(tx.read(), row.id).await?, cumulative::of(tx.read(), row.id).await?];
            gone.extend(row.data_asset.into_iter().chain(row.report_asset).chain(more.into_iter().flatten()));
            void_in(tx, &row, why).await?;
        }
    }
    Ok(gone)
}

/// Has the key epochs destroyed that data sets and what is known of them are under, like those of an erasure: an earlier copy of the ledger
/// must not open either what goes. [`destroy`] does it.
///
/// # Errors
/// When the ledger cannot be written.
pub(super) async fn destroy_epochs(tx: &mut Tx) -> Result<(), Error> {
    for class in [terms::AssetClass::Dataset, terms::AssetClass::Method] {
        let scope = seal::KeyScope { class, provider: None };
        tx.add_outbox(&format!("{DESTROY}/{}/{scope}", terms::RunId::new()), DESTROY, &scope.to_string(), "{}").await?;
    }
    Ok(())
}

/// Destroys what a transaction gave up, and the key epochs that it was under.
///
/// # Errors
/// When the ledger cannot be written or a file not removed.
pub(super) async fn destroy(instance: &Instance) -> Result<(), Error> {
    finish_doomed(instance).await?;
    instance.lake.sweep(&instance.ledger, &instance.actor).await?;
    Ok(())
}

/// Voids a data set that was made and has not left; of another nothing changes.
///
/// # Errors
/// As of voiding it.
pub(super) async fn void_made(instance: &Instance, case: &mut Case, why: &str) -> Result<(), Error> {
    if matches!(case.row.state, DatasetState::TwoPersonCheck | DatasetState::Released) {
        crate::moving::warn_of(void(instance, case, why).await?.as_ref());
        case.row.state = DatasetState::Building;
    }
    Ok(())
}

/// Kind of the outbox rows that say which scopes have key epochs to destroy; the lake's upkeep does it.
const DESTROY: &str = "destroy_key_epochs";

/// Voids every data set that was made, is not delivered, and holds one of these records. How many there were, and what could not be
/// removed.
///
/// # Errors
/// When the ledger or a list cannot be read.
pub(crate) async fn void_with(instance: &Instance, records: &BTreeSet<i64>) -> Result<(u64, Option<Error>), Error> {
    let datasets = instance.ledger.read().await?.datasets().await?;
    let (mut voided, mut trouble) = (0, None);
    for row in datasets.into_iter().filter(|d| matches!(d.state, DatasetState::TwoPersonCheck | DatasetState::Released)) {
        let inside: HashSet<i64> = released(instance, row.id).await?.into_iter().collect();
        if records.iter().any(|r| inside.contains(r)) {
            let case = Case::load(instance, &mut instance.ledger.read().await?, row.id).await?;
            trouble = trouble.or(void(instance, &case, "a person in it was erased").await?);
            voided += 1;
        }
    }
    Ok((voided, trouble))
}

/// Destroys the keys of doomed sealed files, then the files.
///
/// # Errors
/// When the ledger cannot be written or a file not removed.
pub(crate) async fn finish_doomed(instance: &Instance) -> Result<(), Error> {
    let doomed = ledger::AssetFilter { state: Some(ledger::AssetState::Doomed), ..Default::default() };
    let assets = instance.ledger.read().await?.assets(&doomed).await?;
    let own: Vec<_> = assets.into_iter().filter(|a| a.path.starts_with(sealed::DIRECTORY)).collect();
    if own.is_empty() {
        return Ok(());
    }
    let ids: Vec<AssetId> = own.iter().map(|a| a.id).collect();
    let mut tx = instance.ledger.begin(&instance.actor, "destroy what is no longer needed").await?;
    // A crash may have come after the keys went: then only the files are left to go.
    if tx.delete_keys(&ids).await? > 0 {
        tx.commit().await?;
    } else {
        drop(tx);
    }
    for asset in &own {
        let path = instance.root.join(&asset.path);
        durable::remove_file(&path).map_err(Error::io(path.display().to_string()))?;
    }
    let mut tx = instance.ledger.begin(&instance.actor, "destroy what is no longer needed").await?;
    tx.assets_gone(&ids, "removed").await?;
    tx.commit().await?;
    Ok(())
}
