//! What happened: shown, verified, proved.

use std::path::Path;

use ledger::Event;
use messages::{Lang, Message};
use serde::Serialize;

use crate::Instance;
use crate::error::Error;

/// One entry as it is shown.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Its number.
    pub seq: u64,
    /// When (UTC).
    pub time: String,
    /// Who.
    pub actor: String,
    /// What for.
    pub purpose: String,
    /// What, by its word.
    pub event: String,
    /// All that the entry says of it.
    pub detail: serde_json::Value,
}

/// What a verification found.
#[derive(Serialize)]
pub struct Verified {
    /// Entries in the journal.
    pub entries: u64,
    /// Root of the tree, hex.
    pub root: String,
    /// The last signed checkpoint.
    pub checkpoint: Option<String>,
    /// Everything that is not as it was written: in the journal, in the ledger's rows, in files that were delivered.
    pub faults: Vec<String>,
    /// The same, to be told in any language.
    #[serde(skip)]
    pub messages: Vec<Message>,
}

/// Entries from a number on, and how many there are in all.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn show(instance: &Instance, from: u64, most: u64) -> Result<(Vec<Line>, u64), Error> {
    let mut reader = instance.ledger.read().await?;
    let entries = reader.entries(from, from.saturating_add(most)).await?;
    let line = |e: ledger::Entry| {
        let detail = serde_json::to_value::<&Event>(&e.event).map_err(|e| Error::Inconsistent(e.to_string()))?;
        let event = detail.get("event").and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        Ok(Line { seq: e.seq, time: e.time, actor: e.actor, purpose: e.purpose, event, detail })
    };
    Ok((entries.into_iter().map(line).collect::<Result<_, Error>>()?, reader.journal_size()))
}

/// Recomputes the journal, checks its signatures, holds the ledger's rows against it, looks whether what was delivered is as it was, whether
/// the ledger is the newest, and whether the keyring has what opens each sealed file. `deep`: reads every sealed file and every page of the
/// ledger, too.
///
/// # Errors
/// When the checkpoint file or the ledger cannot be read; what is found wrong is no error.
pub async fn verify(instance: &Instance, checkpoint: Option<&Path>, deep: bool) -> Result<Verified, Error> {
    let older = checkpoint.map(std::fs::read_to_string).transpose().map_err(Error::io("reading the checkpoint"))?;
    let older: Vec<String> = older.into_iter().collect();
    let found = instance.ledger.verify(&older, |_| ()).await?;
    let mut messages: Vec<Message> = found.faults.iter().map(|f| f.message()).collect();
    messages.extend(crate::standing::amiss(instance).await?);
    let integrity = instance.ledger.integrity().await?;
    messages.extend(integrity.discrepancies.iter().map(|d| d.message()));
    messages.extend(crate::dataset::changed_deliveries(instance).await?);
    messages.extend(assets(instance, deep).await?);
    if deep {
        let pages = instance.ledger.pages_amiss().await?;
        messages.extend((pages > 0).then(|| Message::new("core-ledger-pages").with("count", pages)));
    }
    let faults = messages.iter().map(|m| m.text(Lang::En)).collect();
    Ok(Verified { entries: found.entries, root: found.root.to_string(), checkpoint: found.checkpoint, faults, messages })
}

/// Sealed files that are gone, of another size or content, or that nothing opens any more.
async fn assets(instance: &Instance, deep: bool) -> Result<Vec<Message>, Error> {
    let mut messages = Vec::new();
    let live = ledger::AssetFilter { state: Some(ledger::AssetState::Live), ..Default::default() };
    let mut reader = instance.ledger.read().await?;
    let (assets, keys) = (reader.assets(&live).await?, reader.keys(None).await?);
    drop(reader);
    for asset in assets {
        let path = instance.root.join(&asset.path);
        // A file that is gone, or of another size, is noticed before somebody needs it. What is in it is proved by its tag when it is read.
        let found = std::fs::metadata(&path).ok().map(|m| i64::try_from(m.len()).unwrap_or(i64::MAX));
        if found != Some(asset.size) {
            messages.push(Message::new("core-asset-not-there").with("asset", asset.id).with("path", &asset.path));
        } else if deep && crate::dataset::hash_file(&path)? != asset.sha256 {
            messages.push(Message::new("core-asset-changed").with("asset", asset.id).with("path", &asset.path));
        }
        if keys.get(&asset.id).is_some_and(|key| instance.keyring.open_data_key(asset.id, key).is_err()) {
            messages.push(Message::new("core-asset-key-gone").with("asset", asset.id).with("path", &asset.path));
        }
    }
    Ok(messages)
}

/// A proof that an entry is in the journal, as text and, where asked, in a file; without an entry, an export of the
/// whole journal to a directory.
///
/// # Errors
/// When there is no such entry, or the place cannot be written.
pub async fn prove(instance: &Instance, entry: Option<u64>, out: Option<&Path>) -> Result<String, Error> {
    match (entry, out) {
        (Some(seq), out) => {
            let proof = instance.ledger.prove(seq, None).await?;
            let text = serde_json::to_string_pretty(&proof).map_err(|e| Error::Inconsistent(e.to_string()))? + "\n";
            if let Some(path) = out {
                crate::instance::refuse_other(path, text.as_bytes())?;
                durable::write_atomic(path, text.as_bytes()).map_err(Error::io(path.display().to_string()))?;
            }
            Ok(text)
        }
        (None, Some(directory)) => {
            let entries = instance.ledger.export(directory).await?;
            Ok(format!("{entries}\n"))
        }
        // Without a wish: the last entry, and with it the whole tree under the last checkpoint.
        (None, None) => {
            let last = instance.ledger.read().await?.journal_size().saturating_sub(1);
            let proof = instance.ledger.prove(last, None).await?;
            Ok(serde_json::to_string_pretty(&proof).map_err(|e| Error::Inconsistent(e.to_string()))? + "\n")
        }
    }
}
