//! The mark that each writing command leaves of how far the journal is, in a file of its own: an earlier copy of the ledger that somebody put
//! back, by mistake or not, does not undo what people said since. Who puts back ledger and mark together is found by a checkpoint that was kept
//! elsewhere alone (`journal verify --checkpoint`).

use std::io::ErrorKind;

use ledger::{Event, Standing};
use messages::Message;

use crate::Instance;
use crate::error::Error;

/// Name of the file with the last checkpoint.
pub(crate) const MARK: &str = "journal.mark";

/// What of the ledger is not as the last writing command left it.
///
/// # Errors
/// When the mark or the ledger cannot be read.
pub(crate) async fn amiss(instance: &Instance) -> Result<Option<Message>, Error> {
    let path = instance.root.join(MARK);
    let kept = match std::fs::read_to_string(&path) {
        Ok(kept) => kept,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Some(Message::new("core-ledger-mark-missing").with("path", path.display())));
        }
        Err(error) if error.kind() == ErrorKind::InvalidData => String::new(),
        Err(error) => return Err(Error::io(path.display().to_string())(error)),
    };
    Ok(match instance.ledger.standing(&kept).await {
        Ok(Standing::Contained) => None,
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

/// Refuses to write on a ledger that is older than the instance, or another. Where there is no mark yet, as in an instance of an earlier version,
/// it is made at the end of the command; `journal verify` tells that it is missing.
///
/// # Errors
/// The refusal.
pub(crate) async fn refuse_behind(instance: &Instance) -> Result<(), Error> {
    match amiss(instance).await? {
        Some(message) if message.code != "core-ledger-mark-missing" => Err(Error::refused(message)),
        _ => Ok(()),
    }
}

/// Leaves the mark: to be called when a command that wrote is at its end.
///
/// # Errors
/// When it cannot be written.
pub(crate) async fn keep(instance: &Instance) -> Result<(), Error> {
    let Some(checkpoint) = instance.ledger.read().await?.checkpoint().await? else { return Ok(()) };
    let path = instance.root.join(MARK);
    if std::fs::read(&path).is_ok_and(|kept| kept == checkpoint.as_bytes()) {
        return Ok(());
    }
    durable::write_atomic(&path, checkpoint.as_bytes()).map_err(Error::io(path.display().to_string()))
}

/// Goes on with a ledger that is older than the instance, when the newest one is lost: the journal says so and why, and the mark is made anew.
/// How many entries are lost, where that is known.
///
/// # Errors
/// A refusal when nothing is wrong with the ledger; when it cannot be written.
pub async fn accept(instance: &Instance, why: &str) -> Result<u64, Error> {
    let Some(message) = amiss(instance).await? else { return Err(Error::refused(Message::new("core-ledger-not-behind"))) };
    let kept = std::fs::read_to_string(instance.root.join(MARK)).unwrap_or_default();
    let lost = match instance.ledger.standing(&kept).await {
        Ok(Standing::Beyond { size, entries }) => size - entries,
        _ => 0,
    };
    tracing::error!(code = message.code, lost, "an earlier ledger is accepted: what was entered since is lost");
    let mut tx = instance.ledger.begin(&instance.actor, why).await?;
    let counts = [("entries_lost".to_owned(), i64::try_from(lost).unwrap_or(i64::MAX))].into();
    tx.emit(Event::StepFinished { step: "journal accept".to_owned(), run: None, counts })?;
    tx.commit().await?;
    keep(instance).await?;
    Ok(lost)
}
