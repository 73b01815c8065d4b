//! Records that are held back: a file said that it may be another's, or an opt-out names or reaches them. A hold on what a package brought
//! ends when somebody has looked and says so; an opt-out and what it reached end with its withdrawal alone.

use std::collections::BTreeMap;

use ledger::{Event, OptOutState, PatientHmac};
use messages::Message;
use serde::Serialize;
use terms::{NoticeScope, PackageId, ProviderId, RecordId};

use crate::Instance;
use crate::error::Error;
use crate::patients::Patients;

/// A record that is held back, or a patient's statement.
#[derive(Debug, Clone, Serialize)]
pub struct Held {
    /// The record; none of a patient who said no before anything came in.
    pub record: Option<RecordId>,
    /// At which provider.
    pub provider: Option<ProviderId>,
    /// Code of the reason.
    pub reason: String,
    /// The package that brought it about; none for an opt-out.
    pub package: Option<PackageId>,
    /// The patient's own statement, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<String>,
    /// What that statement stops.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<NoticeScope>,
}

/// Reason of what a patient's own statement stops.
const OWN: &str = "opt-out";

/// Every hold and every statement that stands, by record; with `of`, those of one patient of a provider.
///
/// # Errors
/// Refusals: there is no such provider, the id is none, nothing of the patient is here. When the ledger cannot be read.
pub async fn list(instance: &Instance, of: Option<(&ProviderId, &str)>) -> Result<Vec<Held>, Error> {
    let mut reader = instance.ledger.read().await?;
    let asked = match of {
        Some((provider, patient)) => {
            let hash = Patients::of(instance, &mut reader, provider).await?.hash(patient)?;
            let hash = hash.ok_or_else(|| Error::refused(Message::new("core-patient-id-unusable")))?;
            Some((provider.clone(), hash))
        }
        None => None,
    };
    let records = reader.records().await?;
    let of_patient: BTreeMap<(&ProviderId, PatientHmac), RecordId> =
        records.iter().map(|(r, p, hash)| ((p, *hash), *r)).collect();
    let providers: BTreeMap<RecordId, &ProviderId> = records.iter().map(|(r, p, _)| (*r, p)).collect();
    let mut all: Vec<Held> = Vec::new();
    let holds = reader.record_holds().await?;
    for one in reader.opt_outs().await? {
        // Made by a statement about another record or id of the person: where there is a hold, that says so.
        let record = of_patient.get(&(&one.provider, one.patient));
        let derived = crate::opt_out::is_derived(&one) && holds.iter().any(|h| Some(&h.record) == record);
        let about = asked.as_ref().is_none_or(|(provider, hash)| *provider == one.provider && *hash == one.patient);
        if about && !derived && !matches!(one.state, OptOutState::Rejected | OptOutState::Withdrawn) {
            let rests_on = one.relation.clone().filter(|_| crate::opt_out::is_derived(&one));
            all.push(Held {
                record: record.copied(),
                provider: Some(one.provider),
                reason: rests_on.unwrap_or_else(|| OWN.to_owned()),
                package: None,
                opt_out: Some(one.id),
                scopes: one.scopes,
            });
        }
    }
    let record = asked.as_ref().map(|(provider, hash)| of_patient.get(&(provider, *hash)).copied());
    if record == Some(None) && all.is_empty() {
        return Err(Error::refused(Message::new("core-hold-nobody")));
    }
    for hold in holds {
        if record.is_none_or(|wanted| wanted == Some(hold.record)) {
            all.push(Held {
                record: Some(hold.record),
                provider: providers.get(&hold.record).copied().cloned(),
                reason: hold.reason,
                package: hold.package,
                opt_out: None,
                scopes: Vec::new(),
            });
        }
    }
    all.sort_by(|a, b| (a.record, &a.reason, &a.opt_out).cmp(&(b.record, &b.reason, &b.opt_out)));
    Ok(all)
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
