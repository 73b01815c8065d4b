//! Providers that were told nothing of what became of a package: its receipt was lost, or sealed to a certificate that was taken out of use.
//! Somebody tells them in another way, and says so; nobody else can.

use ledger::{Event, OutboxState, PackageState};
use messages::Message;
use serde::Serialize;
use terms::{PackageId, ProviderId};

use super::receipt::{KIND, OUTDATED, outbox_id};
use crate::Instance;
use crate::error::Error;

/// A package whose provider knows nothing of it.
#[derive(Debug, Clone, Serialize)]
pub struct Untold {
    /// The package.
    pub package: PackageId,
    /// Whose it is.
    pub provider: Option<ProviderId>,
    /// Its number.
    pub sequence: Option<i64>,
    /// Code of why its receipt did not leave.
    pub reason: &'static str,
}

/// The packages whose providers are to be told in another way.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn untold(instance: &Instance) -> Result<Vec<Untold>, Error> {
    let mut reader = instance.ledger.read().await?;
    let mut all = Vec::new();
    for row in reader.outbox(Some(OutboxState::Failed)).await?.into_iter().filter(|row| row.kind == KIND) {
        let package = row.id.split_once(':').and_then(|(_, id)| id.parse::<PackageId>().ok());
        let package = package.ok_or_else(|| Error::Inconsistent("an outbox row is malformed".to_owned()))?;
        let Some(package) = reader.package(package).await? else { continue };
        let reason = if package.reason.as_deref() == Some(OUTDATED) { OUTDATED } else { LOST };
        all.push(Untold { package: package.id, provider: package.provider, sequence: package.sequence, reason });
    }
    Ok(all)
}

/// Code of a receipt that is gone.
const LOST: &str = "core-receipt-gone";

/// Notes that a provider was told in another way what became of a package. `how` goes to the journal: it must not name a patient.
///
/// # Errors
/// Refusals: the package's receipt did leave or still waits, or `how` is no purpose (1 to 500 characters on one line).
pub async fn told(instance: &Instance, package: PackageId, how: &str) -> Result<(), Error> {
    if !untold(instance).await?.iter().any(|u| u.package == package) {
        return Err(Error::refused(Message::new("core-receipt-told-before").with("package", package)));
    }
    let mut tx = instance.ledger.begin(&instance.actor, how).await?;
    tx.move_outbox(&outbox_id(package), OutboxState::Failed, OutboxState::Done).await?;
    tx.move_package(package, PackageState::Ledgered, PackageState::Acknowledged, None).await?;
    tx.emit(Event::StepFinished { step: "receipt told".to_owned(), run: None, counts: [("packages".to_owned(), 1)].into() })?;
    tx.commit().await?;
    Ok(())
}
