//! The mark that each writing command leaves of how far the journal is, in a file of its own: an earlier copy of the ledger that somebody put
//! back, by mistake or not, does not undo what people said since. Who puts back ledger and mark together is found by a checkpoint that was kept
//! elsewhere alone (`journal verify --checkpoint`).

use std::collections::BTreeSet;
use std::io::ErrorKind;

use ledger::{Asset, Event, Standing};
use messages::Message;
use serde::Serialize;
use terms::ProviderId;

use crate::Instance;
use crate::error::Error;

/// Name of the file with the last checkpoint.
pub(crate) const MARK: &str = "journal.mark";
/// Setting of the ledger: how often the keyring was changed when the last writing command ended. Where it is there, a mark is kept.
const KEYRING_CHANGES: &str = "keyring.changes";

/// What of ledger and keyring is not as the last writing command left it.
///
/// # Errors
/// When the ledger cannot be read.
pub(crate) async fn amiss(instance: &Instance) -> Result<Option<Message>, Error> {
    let path = instance.root.join(MARK);
    let kept = match std::fs::read_to_string(&path) {
        Ok(kept) => kept,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Some(Message::new("core-ledger-mark-missing").with("path", path.display())));
        }
        // Whatever is there, it is no mark.
        Err(_) => String::new(),
    };
    Ok(match instance.ledger.standing(&kept).await {
        Ok(Standing::Contained) => keyring_behind(instance).await?,
        Ok(Standing::Beyond { size, entries }) => {
            Some(Message::new("core-ledger-behind").with("size", size).with("entries", entries))
        }
        Ok(Standing::Differs { size }) => Some(Message::new("core-ledger-other").with("size", size)),
        Err(ledger::LedgerError::Journal { .. }) => {
            Some(Message::new("core-ledger-mark-unreadable").with("path", path.display()))
        }
        Err(error) => return Err(error.into()),
    })
}

async fn keyring_behind(instance: &Instance) -> Result<Option<Message>, Error> {
    let noted: Option<u64> = instance.ledger.read().await?.setting(KEYRING_CHANGES).await?.and_then(|n| n.parse().ok());
    let changes = instance.keyring.changes();
    Ok(noted.filter(|noted| *noted > changes).map(|_| Message::new("core-keyring-behind")))
}

/// Refuses to write on a ledger or with a keyring that is older than the instance, or another. In an instance of an earlier version, whose ledger does
/// not say that a mark is kept, it is made at the end of the command; `journal verify` tells that it is missing.
///
/// # Errors
/// The refusal.
pub(crate) async fn refuse_behind(instance: &Instance) -> Result<(), Error> {
    let Some(message) = amiss(instance).await? else { return Ok(()) };
    let missing = message.code == "core-ledger-mark-missing";
    if missing && instance.ledger.read().await?.setting(KEYRING_CHANGES).await?.is_none() {
        return Ok(());
    }
    Err(Error::refused(message))
}

/// Notes in the ledger how often the keyring was changed.
///
/// # Errors
/// Of the ledger.
pub(crate) async fn note_keyring(tx: &mut ledger::Tx, keyring: &seal::Keyring) -> Result<(), Error> {
    Ok(tx.set_setting(KEYRING_CHANGES, &keyring.changes().to_string()).await?)
}

/// Leaves the mark: when a command that may write begins, after what must not be lost, and at its end.
///
/// # Errors
/// When it cannot be written.
pub(crate) async fn keep(instance: &Instance) -> Result<(), Error> {
    let mut reader = instance.ledger.read().await?;
    let noted = reader.setting(KEYRING_CHANGES).await?;
    drop(reader);
    if noted != Some(instance.keyring.changes().to_string()) {
        let mut tx = instance.ledger.begin(&instance.actor, "note how often the keyring was changed").await?;
        note_keyring(&mut tx, &instance.keyring).await?;
        tx.commit().await?;
    }
    let Some(checkpoint) = instance.ledger.read().await?.checkpoint().await? else { return Ok(()) };
    let path = instance.root.join(MARK);
    if std::fs::read(&path).is_ok_and(|kept| kept == checkpoint.as_bytes()) {
        return Ok(());
    }
    durable::write_atomic(&path, checkpoint.as_bytes()).map_err(Error::io(path.display().to_string()))
}

/// What is lost with the newest ledger or keyring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// Entries of the journal; not known where the mark does not tell.
    pub entries: Option<u64>,
    /// Sealed files that nothing opens any more.
    pub files: u64,
    /// Providers whose data is in these: it has to be sent again.
    pub providers: Vec<ProviderId>,
}

/// Goes on with a ledger or a keyring that is older than the instance, when the newest one is lost: the journal says so, why, and what was found, and
/// the mark is made anew; the former is kept beside it. Files that nothing opens any more are given up, so that the rest can be worked with. Files
/// that only the newest ledger knows are removed by the next command: whoever may still find it makes a copy of the instance first.
///
/// # Errors
/// A refusal when nothing is wrong; when something cannot be written.
pub async fn accept(instance: &Instance, why: &str) -> Result<Lost, Error> {
    let Some(message) = amiss(instance).await? else { return Err(Error::refused(Message::new("core-ledger-not-behind"))) };
    let mark = instance.root.join(MARK);
    let kept = std::fs::read(&mark).unwrap_or_default();
    let entries = match instance.ledger.standing(&String::from_utf8_lossy(&kept)).await {
        Ok(Standing::Beyond { size, entries }) => Some(size - entries),
        Ok(Standing::Contained) => Some(0),
        _ => None,
    };
    let sha256 = hex(&seal::hash::sha256(&kept));
    if !kept.is_empty() {
        // Under its hash: who accepts twice keeps both.
        let former = instance.root.join(format!("{MARK}.{}", &sha256[..16]));
        durable::write_atomic(&former, &kept).map_err(Error::io(former.display().to_string()))?;
    }
    let mut reader = instance.ledger.read().await?;
    let live = reader.assets(&ledger::AssetFilter { state: Some(ledger::AssetState::Live), ..Default::default() }).await?;
    let keys = reader.keys(None).await?;
    drop(reader);
    // Numbers of epochs that the ledger knows are not given again: two keys of one number would be taken for each other.
    for key in keys.values() {
        while instance.keyring.epochs(&key.scope).into_iter().max().is_none_or(|newest| newest < key.epoch) {
            instance.keyring.advance(&key.scope)?;
        }
    }
    let is_lost = |asset: &&Asset| keys.get(&asset.id).is_some_and(|key| instance.keyring.open_data_key(asset.id, key).is_err());
    let lost: Vec<&Asset> = live.iter().filter(is_lost).collect();
    let providers: BTreeSet<&ProviderId> = lost.iter().filter_map(|asset| asset.provider.as_ref()).collect();
    let found = Lost { entries, files: lost.len() as u64, providers: providers.into_iter().cloned().collect() };
    tracing::error!(
        code = message.code,
        ?entries,
        files = found.files,
        "an earlier state is accepted: what was entered since is lost"
    );
    let mut tx = instance.ledger.begin(&instance.actor, why).await?;
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    // Not known is not none.
    let mut counts: ledger::Counts = entries.into_iter().map(|n| ("entries_lost".to_owned(), number(n))).collect();
    counts.insert("files_lost".to_owned(), number(found.files));
    tx.emit(Event::Refused { step: "journal accept".to_owned(), code: message.code.to_owned(), subject: Some(sha256) })?;
    tx.emit(Event::StepFinished { step: "journal accept".to_owned(), run: None, counts })?;
    give_up(instance, &mut tx, &lost).await?;
    tx.commit().await?;
    crate::dataset::finish_doomed(instance).await?;
    keep(instance).await?;
    Ok(found)
}

/// Gives up files that nothing opens: the lake goes on without them, the linkage is made anew, and what was made of them is taken back.
async fn give_up(instance: &Instance, tx: &mut ledger::Tx, lost: &[&Asset]) -> Result<(), Error> {
    const WHY: &str = "nothing opens it any more";
    let taken_back = crate::dataset::void_lost(tx, &lost.iter().map(|asset| asset.id).collect(), WHY).await?;
    let rest = |of_lake: bool| {
        let wanted = |asset: &&&Asset| asset.table.is_some() == of_lake && !taken_back.contains(&asset.id);
        lost.iter().filter(wanted).map(|asset| asset.id).collect::<Vec<_>>()
    };
    instance.lake.retire(tx, &rest(true), WHY).await?;
    tx.doom_assets(&rest(false), WHY).await?;
    crate::doubtful::forget_lost(tx, &rest(false)).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
