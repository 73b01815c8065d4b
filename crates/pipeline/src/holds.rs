//! Records that are held back: a file said that it may be another's, or an opt-out reaches them. A hold on what a package brought ends when
//! somebody has looked and says so; one of an opt-out ends with its withdrawal alone.

use std::collections::BTreeMap;

use ledger::Event;
use messages::Message;
use serde::Serialize;
use terms::{PackageId, ProviderId, RecordId};

use crate::Instance;
use crate::error::Error;
use crate::patients::Patients;

/// A record on hold.
#[derive(Debug, Clone, Serialize)]
pub struct Held {
    /// The record.
    pub record: RecordId,
    /// At which provider.
    pub provider: Option<ProviderId>,
    /// Code of the reason.
    pub reason: String,
    /// The package that brought it about; none for an opt-out.
    pub package: Option<PackageId>,
}

/// Every hold, by record.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn list(instance: &Instance) -> Result<Vec<Held>, Error> {
    let mut reader = instance.ledger.read().await?;
    let providers: BTreeMap<RecordId, ProviderId> = reader.records().await?.into_iter().map(|(r, p, _)| (r, p)).collect();
    let held = |h: ledger::RecordHold| Held {
        provider: providers.get(&h.record).cloned(),
        record: h.record,
        reason: h.reason,
        package: h.package,
    };
    Ok(reader.record_holds().await?.into_iter().map(held).collect())
}

/// The record of a provider's patient.
///
/// # Errors
/// Refusals: there is no such provider, the id is none, nothing of the patient is here.
pub async fn record_of(instance: &Instance, provider: &ProviderId, patient: &str) -> Result<RecordId, Error> {
    let mut reader = instance.ledger.read().await?;
    let hash = Patients::of(instance, &mut reader, provider).await?.hash(patient)?;
    let hash = hash.ok_or_else(|| Error::refused(Message::new("core-patient-id-unusable")))?;
    let found = reader.find_records(provider, &[hash]).await?.into_iter().flatten().next();
    found.ok_or_else(|| Error::refused(Message::new("core-hold-nobody")))
}

/// Ends the holds on a record that packages brought about. `why` goes to the journal: it must not name a person.
///
/// # Errors
/// Refusals: nothing of a package holds the record, or the reason is no purpose (1 to 500 characters on one line).
pub async fn release(instance: &Instance, record: RecordId, why: &str) -> Result<u64, Error> {
    let mut tx = instance.ledger.begin(&instance.actor, why).await?;
    let all = tx.read().record_holds().await?;
    let mine: Vec<_> = all.into_iter().filter(|h| h.record == record).collect();
    let of_packages: Vec<_> = mine.iter().filter(|h| h.package.is_some()).collect();
    if of_packages.is_empty() {
        let code = if mine.is_empty() { "core-hold-none" } else { "core-hold-of-opt-out" };
        return Err(Error::refused(Message::new(code).with("record", record)));
    }
    for hold in &of_packages {
        tx.release_record(record, &hold.reason).await?;
    }
    tx.emit(Event::StepFinished {
        step: "hold release".to_owned(),
        run: None,
        counts: [("holds".to_owned(), of_packages.len() as i64)].into(),
    })?;
    tx.commit().await?;
    Ok(of_packages.len() as u64)
}
