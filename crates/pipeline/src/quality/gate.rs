//! The gate: a package of which a check says that it is not to be used waits until somebody has looked at it. Where people are in it of
//! whom nothing may be kept, it does not wait: it is destroyed, and its provider told (`ingest`).

use ledger::{Package, PackageState};
use messages::Message;
use quality::Rules;
use terms::PackageId;

use crate::Instance;
use crate::error::Error;
use crate::ingest::quarantine;

/// Reason of a package that waits: also the word by which it is known.
pub(crate) const HELD: &str = "quality-held";
/// Reason of one that may come in, whatever the checks say.
pub(crate) const RELEASED: &str = "quality-released";
/// Reason of one that is not used.
pub(crate) const REJECTED: &str = "quality-rejected";
/// Reason of one that was destroyed in place of being held back.
pub(crate) const REFUSED: &str = "quality-refused";

/// The rules of an instance: the shipped ones, and its own beside them.
///
/// # Errors
/// A refusal when its own cannot be read, with the line.
pub fn rules(instance: &Instance) -> Result<Rules, Error> {
    let shipped = Rules::shipped().map_err(|e| Error::Inconsistent(e.to_string()))?;
    let own = instance.config.quality.rules.trim();
    if own.is_empty() {
        return Ok(shipped);
    }
    let refused =
        |error: &dyn std::fmt::Display| Error::refused(Message::new("quality-rules").with("path", own).with("error", error));
    let text = std::fs::read_to_string(instance.root.join(own)).map_err(|e| refused(&e))?;
    shipped.with(&text).map_err(|e| refused(&e))
}

/// The rules that can hold a package back; none when the gate stands open.
///
/// # Errors
/// As [`rules`]: a gate without its rules lets nothing in.
pub(crate) fn gate(instance: &Instance) -> Result<Option<Rules>, Error> {
    if instance.config.quality.gate { rules(instance).map(|rules| Some(rules.fatal())) } else { Ok(None) }
}

/// Whether somebody has let a package in, whatever the checks say.
pub(crate) fn is_released(package: &Package) -> bool {
    package.reason.as_deref() == Some(RELEASED)
}

async fn held(instance: &Instance, id: PackageId) -> Result<Package, Error> {
    let package = instance.ledger.read().await?.package(id).await?;
    let held = package.filter(|p| p.state == PackageState::Accepted && p.reason.as_deref() == Some(HELD));
    held.ok_or_else(|| Error::refused(Message::new("quality-not-held").with("package", id)))
}

/// What became of a package that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The next `ingest` takes it in.
    Waits,
    /// Its bytes are destroyed: it comes in when the same package is delivered again.
    ToBeDelivered,
}

/// Lets a package in that was held back, or destroyed in place of that, whatever the checks say. Why stands in the journal.
///
/// # Errors
/// A refusal when it is neither.
pub async fn release(instance: &Instance, id: PackageId, why: &str) -> Result<Release, Error> {
    let destroyed = |p: &Package| p.state == PackageState::Quarantined && p.reason.as_deref() == Some(REFUSED);
    let (state, release) = if instance.ledger.read().await?.package(id).await?.as_ref().is_some_and(destroyed) {
        (PackageState::Quarantined, Release::ToBeDelivered)
    } else {
        (held(instance, id).await?.state, Release::Waits)
    };
    let mut tx = instance.ledger.begin(&instance.actor, why).await?;
    tx.move_package(id, state, state, Some(RELEASED)).await?;
    tx.commit().await?;
    Ok(release)
}

/// Sets a package aside that was held back: its provider may send it anew under its number. Why stands in the journal.
///
/// # Errors
/// A refusal when it is not held back.
pub async fn reject(instance: &Instance, id: PackageId, why: &str) -> Result<(), Error> {
    let package = held(instance, id).await?;
    let (Some(provider), Some(sequence)) = (package.provider.clone(), package.sequence) else {
        return Err(Error::Inconsistent("an accepted package has no provider or no number".to_owned()));
    };
    quarantine(instance, &package, provider, sequence, REJECTED, why).await?;
    crate::dataset::finish_doomed(instance).await
}
