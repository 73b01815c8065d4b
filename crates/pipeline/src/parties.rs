//! Registering who sends, who receives and who decides. A certificate is pinned when its party is registered: it alone
//! counts afterwards, whoever issued it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;
use ledger::{LedgerError, NewParty, PartyKind, PartyStatus, Reader};
use messages::Message;
use seal::Certificate;
use serde::Serialize;
use terms::PatientIdRule;

use crate::Instance;
use crate::error::Error;

/// `digits`, `text` or `insured`: see [`PatientIdRule`].
#[derive(Debug, Clone, Copy)]
pub struct IdRule(pub PatientIdRule);

impl FromStr for IdRule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "digits" => Ok(IdRule(PatientIdRule::Digits)),
            "text" => Ok(IdRule(PatientIdRule::Text)),
            "insured" => Ok(IdRule(PatientIdRule::Insured)),
            _ => Err("digits, text or insured".to_owned()),
        }
    }
}

/// A party to register.
pub struct New {
    /// What it is.
    pub kind: PartyKind,
    /// Its id.
    pub id: String,
    /// File of its certificate (PEM).
    pub certificate: PathBuf,
    /// Its name.
    pub name: String,
    /// How a provider's patient ids are made one.
    pub patient_ids: IdRule,
}

/// A registered party.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Whether it takes part.
    pub status: String,
    /// SHA-256 of the pinned certificate.
    pub fingerprint: String,
    /// Of a provider how its patient ids are made one: `digits`, `text`; `insured` is an insurer, whose people have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_ids: Option<&'static str>,
}

/// The word of a rule, as it is registered.
fn word(rule: PatientIdRule) -> &'static str {
    match rule {
        PatientIdRule::Digits => "digits",
        PatientIdRule::Text => "text",
        PatientIdRule::Insured => "insured",
    }
}

impl From<ledger::Party> for Listed {
    fn from(party: ledger::Party) -> Self {
        let fingerprint = hex::encode(party.fingerprint);
        let patient_ids = party.patient_id_rule.map(word);
        Listed { id: party.id, name: party.name, status: party.status.to_string(), fingerprint, patient_ids }
    }
}

/// Registers a party.
///
/// # Errors
/// Refusals: a malformed id, an id that is there already, a certificate that is expired or whose key is too weak for
/// what the party has to do with it.
pub async fn add(instance: &Instance, new: New) -> Result<Listed, Error> {
    let valid = match new.kind {
        PartyKind::Provider => new.id.parse::<terms::ProviderId>().map(drop),
        PartyKind::Recipient | PartyKind::Body => new.id.parse::<terms::RecipientId>().map(drop),
        PartyKind::Officer | PartyKind::Member => new.id.parse::<terms::OfficerId>().map(drop),
    };
    valid.map_err(|e| Error::refused(Message::new("core-party-id").with("reason", e)))?;
    let institution = new.id.len() == 10 && new.id.bytes().all(|b| b.is_ascii_digit());
    if new.kind == PartyKind::Provider && new.patient_ids.0 == PatientIdRule::Insured && institution {
        return Err(Error::refused(Message::new("core-party-insurer-institution").with("id", &new.id)));
    }
    let certificate = usable(new.kind, &new.certificate)?;
    let party = NewParty {
        kind: new.kind,
        id: new.id.clone(),
        certificate,
        patient_id_rule: (new.kind == PartyKind::Provider).then_some(new.patient_ids.0),
        name: new.name,
    };
    if new.kind == PartyKind::Provider {
        // Of who was ended while suspended nothing counts that came before: it is set aside before anything comes in again.
        crate::keeping::set_revoked_aside(instance, &new.id).await?;
    }
    let mut tx = instance.ledger.begin(&instance.actor, "register a party").await?;
    let there = tx.read().party(new.kind, &new.id).await?;
    if there.is_none() {
        whose_else(tx.read(), new.kind, &new.id, &party.certificate).await?;
    }
    // Each has a directory of its own in the outbox: what is for one must not lie where another fetches.
    for other in [PartyKind::Provider, PartyKind::Recipient, PartyKind::Body] {
        let institution = !matches!(new.kind, PartyKind::Officer | PartyKind::Member);
        if institution && there.is_none() && other != new.kind && tx.read().party(other, &new.id).await?.is_some() {
            return Err(Error::refused(Message::new("core-party-exists").with("kind", other).with("id", &new.id)));
        }
    }
    whose_elses_seal(tx.read(), new.kind, &party.certificate).await?;
    // An institution has one code for good: with another certificate it takes part again. People get another id.
    let institution = !matches!(new.kind, PartyKind::Officer | PartyKind::Member);
    if let Some(former) = there.filter(|p| institution && has_ended(p.status)) {
        if former.fingerprint == seal::hash::sha256(&party.certificate) {
            return Err(Error::refused(Message::new("core-party-ended").with("kind", new.kind).with("id", &new.id)));
        }
        // A key that was in other hands does not come back under another certificate.
        let before = tx.read().former_certificates(new.kind).await?.into_iter().filter(|f| f.id == new.id).map(|f| f.certificate);
        let key = Certificate::from_der(&party.certificate)?.key_sha256()?;
        for pinned in before.chain([former.certificate.clone()]) {
            if former.status == PartyStatus::Revoked && Certificate::from_der(&pinned)?.key_sha256()? == key {
                return Err(Error::refused(Message::new("core-party-key-revoked").with("kind", new.kind).with("id", &new.id)));
            }
        }
        // Its records stand under ids that this rule made, and its name in what was delivered.
        if former.patient_id_rule != party.patient_id_rule || !(party.name.is_empty() || party.name == former.name) {
            let rule = former.patient_id_rule.map_or("-", word);
            let message = Message::new("core-party-again").with("kind", new.kind).with("id", &new.id);
            return Err(Error::refused(message.with("name", &former.name).with("rule", rule)));
        }
        tx.replace_certificate(new.kind, &new.id, &party.certificate).await?;
        tx.set_party_status(new.kind, &new.id, PartyStatus::Active).await?;
        let again = tx.read().party(new.kind, &new.id).await?.ok_or_else(|| unknown(new.kind, &new.id))?;
        tx.commit().await?;
        return Ok(again.into());
    }
    let added = tx.add_party(&party).await.map_err(|e| match e {
        LedgerError::AlreadyThere { .. } => {
            Error::refused(Message::new("core-party-exists").with("kind", new.kind).with("id", &new.id))
        }
        other => other.into(),
    })?;
    tx.commit().await?;
    Ok(added.into())
}

/// The certificate of a file, when it may be pinned for this kind.
fn usable(kind: PartyKind, file: &Path) -> Result<Vec<u8>, Error> {
    let certificate = Certificate::from_file(file)?;
    certificate.check_period(Timestamp::now())?;
    match kind {
        PartyKind::Recipient | PartyKind::Body => certificate.check_sealing_key()?,
        _ => certificate.check_signing_key()?,
    }
    Ok(certificate.der()?)
}

/// Refuses a certificate over a key that is or was another officer's or member's, whichever of the two: one key under two ids would be two people
/// who decide, and who reviews an application does not approve what is made of it.
async fn whose_else(reader: &mut Reader, kind: PartyKind, id: &str, certificate: &[u8]) -> Result<(), Error> {
    // Hospitals of one group may share a key; who approves may not, nor who receives: what one recipient has adds up.
    let others: &[PartyKind] = match kind {
        PartyKind::Officer | PartyKind::Member => &[PartyKind::Officer, PartyKind::Member],
        PartyKind::Recipient => &[PartyKind::Recipient],
        PartyKind::Provider | PartyKind::Body => return Ok(()),
    };
    let key = Certificate::from_der(certificate)?.key_sha256()?;
    for other in others.iter().copied() {
        let now = reader.parties(other).await?.into_iter().map(|p| (p.id, p.certificate));
        let before = reader.former_certificates(other).await?.into_iter().map(|f| (f.id, f.certificate));
        for (who, pinned) in now.chain(before).filter(|(who, _)| other != kind || who != id) {
            // A new certificate over the same key is the same signer.
            if Certificate::from_der(&pinned)?.key_sha256()? == key {
                let message = Message::new("core-party-certificate-taken").with("kind", other);
                return Err(Error::refused(message.with("id", who)));
            }
        }
    }
    Ok(())
}

/// Refuses a body the key of a recipient or a provider, and these a body's: whoever holds care without names must not open the names too.
async fn whose_elses_seal(reader: &mut Reader, kind: PartyKind, certificate: &[u8]) -> Result<(), Error> {
    let others: &[PartyKind] = match kind {
        PartyKind::Body => &[PartyKind::Recipient, PartyKind::Provider],
        PartyKind::Recipient | PartyKind::Provider => &[PartyKind::Body],
        PartyKind::Officer | PartyKind::Member => &[],
    };
    let key = Certificate::from_der(certificate)?.key_sha256()?;
    for other in others {
        let now = reader.parties(*other).await?.into_iter().map(|p| (p.id, p.certificate));
        let before = reader.former_certificates(*other).await?.into_iter().map(|f| (f.id, f.certificate));
        for (id, pinned) in now.chain(before) {
            if Certificate::from_der(&pinned)?.key_sha256()? == key {
                return Err(Error::refused(Message::new("core-party-certificate-taken").with("kind", other).with("id", id)));
            }
        }
    }
    Ok(())
}

fn unknown(kind: PartyKind, id: &str) -> Error {
    Error::refused(Message::new("core-unknown-party").with("kind", kind).with("id", id))
}

/// Pins another certificate for a party, from now on. What was signed before is held to the certificate that was pinned then.
///
/// # Errors
/// Refusals: there is no such party or it has ended, the certificate cannot be used or is another party's.
pub async fn renew(instance: &Instance, kind: PartyKind, id: &str, certificate: &Path) -> Result<Listed, Error> {
    let der = usable(kind, certificate)?;
    let mut tx = instance.ledger.begin(&instance.actor, "pin another certificate for a party").await?;
    let party = tx.read().party(kind, id).await?.filter(|p| !has_ended(p.status)).ok_or_else(|| unknown(kind, id))?;
    whose_else(tx.read(), kind, id, &der).await?;
    whose_elses_seal(tx.read(), kind, &der).await?;
    // Pinned already: the command was repeated.
    if party.fingerprint == seal::hash::sha256(&der) {
        return Ok(party.into());
    }
    if kind == PartyKind::Provider {
        // A report that is sealed to the certificate of before is not to be fetched any more; it can be made again.
        crate::quality::take_back(instance, id)?;
    }
    tx.replace_certificate(kind, id, &der).await?;
    let renewed = tx.read().party(kind, id).await?.ok_or_else(|| unknown(kind, id))?;
    tx.commit().await?;
    Ok(renewed.into())
}

const fn has_ended(status: PartyStatus) -> bool {
    matches!(status, PartyStatus::Ended | PartyStatus::Revoked)
}

/// Suspends a party, lets it take part again, or ends it for good. Nothing of a suspended signer counts, also what was signed before;
/// who has ended signed rightly before. Who is ended while suspended is revoked: nothing of it counts for good.
///
/// # Errors
/// Refusals: there is no such party, or it has ended.
pub async fn set_status(instance: &Instance, kind: PartyKind, id: &str, status: PartyStatus) -> Result<Listed, Error> {
    let mut tx = instance.ledger.begin(&instance.actor, "change what a party may do").await?;
    let party = tx.read().party(kind, id).await?.ok_or_else(|| unknown(kind, id))?;
    if party.status == status || (has_ended(party.status) && status == PartyStatus::Ended) {
        return Ok(party.into());
    }
    let status = match (party.status, status) {
        (PartyStatus::Paused, PartyStatus::Ended) => PartyStatus::Revoked,
        (_, status) => status,
    };
    if has_ended(party.status) {
        return Err(Error::refused(Message::new("core-party-ended").with("kind", kind).with("id", id)));
    }
    tx.set_party_status(kind, id, status).await?;
    tx.commit().await?;
    if kind == PartyKind::Provider && status != PartyStatus::Active {
        // The key may be in other hands. What cannot be removed keeps nobody from being suspended: every start tries again.
        crate::moving::warn_of(crate::quality::take_back(instance, id).as_ref().err());
    }
    Ok(Listed { status: status.to_string(), ..party.into() })
}

/// The parties of a kind.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn list(instance: &Instance, kind: PartyKind) -> Result<Vec<Listed>, Error> {
    Ok(instance.ledger.read().await?.parties(kind).await?.into_iter().map(Listed::from).collect())
}
