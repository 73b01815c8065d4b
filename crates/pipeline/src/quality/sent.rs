//! A report for the provider with the ids of its own patients: sealed to it, and readable by nobody else.

use std::io::ErrorKind;
use std::path::PathBuf;

use ledger::{Event, PartyKind, PartyStatus};
use messages::Message;
use package::{ENDING, Period};
use terms::ProviderId;

use crate::Instance;
use crate::error::Error;
pub use crate::told::Files;

/// What names of reports begin with.
const NAME: &str = "quality-";

/// Puts a report where its provider fetches what is for it. One of the same number takes the place of an earlier one.
///
/// # Errors
/// A refusal when nothing goes to the provider at present; when it cannot be written.
pub async fn send(instance: &Instance, provider: &ProviderId, sequence: i64, files: Files<'_>) -> Result<PathBuf, Error> {
    let party = may_send(instance, provider).await?;
    let today = crate::notices::today();
    // Beside its place first: an earlier report stands until this one is whole, and what a crash leaves is swept.
    let name = format!("{NAME}{sequence:06}");
    let period = Period { from: today, to: today };
    let from = crate::told::seal(instance, &party, (&name, "quality"), sequence, period, files)?.path;
    // The journal knows of it before it stands where it can be fetched; one that a crash then keeps back is made again.
    let mut tx = instance.ledger.begin(&instance.actor, "tell a provider of the quality of its data").await?;
    let counts = [("sequence".to_owned(), sequence), ("files".to_owned(), files.len() as i64)];
    tx.emit(Event::StepFinished { step: "quality report sealed".to_owned(), run: None, counts: counts.into() })?;
    tx.commit().await?;
    let to = instance.outbox(provider.as_str()).join(format!("{name}{ENDING}"));
    crate::moving::put_in_place(&from, &to)?;
    crate::moving::moved(&from)?;
    Ok(to)
}

/// Takes reports back of those to whom nothing goes at present: what broke off when they were suspended or ended.
///
/// # Errors
/// Of the ledger; the first thing that cannot be removed, after all that can.
pub(crate) async fn take_back_of_absent(instance: &Instance) -> Result<(), Error> {
    let parties = instance.ledger.read().await?.parties(PartyKind::Provider).await?;
    let mut taken = Ok(());
    for party in parties.iter().filter(|p| p.status != PartyStatus::Active) {
        // What stands in the way of one is no matter of the others.
        taken = taken.and(take_back(instance, &party.id));
    }
    taken
}

/// Takes a provider's reports back that were not fetched: after an erasure none may stand there with the person's rows, and none that
/// is sealed to a key that may be in other hands.
///
/// # Errors
/// When they cannot be removed.
pub(crate) fn take_back(instance: &Instance, provider: &str) -> Result<(), Error> {
    let outbox = instance.outbox(provider);
    let trouble = || Error::io(outbox.display().to_string());
    let entries = match std::fs::read_dir(&outbox) {
        // Where no directory is, no report stands.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        entries => entries.map_err(trouble())?,
    };
    for entry in entries {
        let entry = entry.map_err(trouble())?;
        if entry.file_name().to_string_lossy().starts_with(NAME) {
            durable::remove_tree(&entry.path()).map_err(trouble())?;
        }
    }
    Ok(())
}

/// The provider, if a report can go to it.
///
/// # Errors
/// A refusal when nothing goes to the provider at present.
pub(super) async fn may_send(instance: &Instance, provider: &ProviderId) -> Result<ledger::Party, Error> {
    let party = instance.ledger.read().await?.party(PartyKind::Provider, provider.as_str()).await?;
    let party = party.ok_or_else(|| Error::Inconsistent("a package of a provider that is not registered".to_owned()))?;
    if party.status != PartyStatus::Active {
        let message = Message::new("core-party-suspended").with("kind", PartyKind::Provider).with("id", provider);
        return Err(Error::refused(message));
    }
    Ok(party)
}
