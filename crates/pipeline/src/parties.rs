//! Registering who sends, who receives and who decides. A certificate is pinned when its party is registered: it alone
//! counts afterwards, whoever issued it.

use std::path::PathBuf;
use std::str::FromStr;

use jiff::Timestamp;
use ledger::{LedgerError, NewParty, PartyKind};
use messages::Message;
use seal::Certificate;
use serde::Serialize;
use terms::PatientIdRule;

use crate::Instance;
use crate::error::Error;

/// `digits` or `text`: see [`PatientIdRule`].
#[derive(Debug, Clone, Copy)]
pub struct IdRule(pub PatientIdRule);

impl FromStr for IdRule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "digits" => Ok(IdRule(PatientIdRule::Digits)),
            "text" => Ok(IdRule(PatientIdRule::Text)),
            _ => Err("digits or text".to_owned()),
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
}

impl From<ledger::Party> for Listed {
    fn from(party: ledger::Party) -> Self {
        let fingerprint = hex::encode(party.fingerprint);
        Listed { id: party.id, name: party.name, status: party.status.to_string(), fingerprint }
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
        PartyKind::Recipient => new.id.parse::<terms::RecipientId>().map(drop),
        PartyKind::Officer | PartyKind::Member => new.id.parse::<terms::OfficerId>().map(drop),
    };
    valid.map_err(|e| Error::refused(Message::new("core-party-id").with("reason", e)))?;
    let certificate = Certificate::from_file(&new.certificate)?;
    certificate.check_period(Timestamp::now())?;
    match new.kind {
        PartyKind::Recipient => certificate.check_sealing_key()?,
        _ => certificate.check_signing_key()?,
    }
    let party = NewParty {
        kind: new.kind,
        id: new.id.clone(),
        certificate: certificate.der()?,
        patient_id_rule: (new.kind == PartyKind::Provider).then_some(new.patient_ids.0),
        name: new.name,
    };
    let mut tx = instance.ledger.begin(&instance.actor, "register a party").await?;
    let added = tx.add_party(&party).await.map_err(|e| match e {
        LedgerError::AlreadyThere { .. } => {
            Error::refused(Message::new("core-party-exists").with("kind", new.kind).with("id", &new.id))
        }
        other => other.into(),
    })?;
    tx.commit().await?;
    Ok(added.into())
}

/// The parties of a kind.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn list(instance: &Instance, kind: PartyKind) -> Result<Vec<Listed>, Error> {
    Ok(instance.ledger.read().await?.parties(kind).await?.into_iter().map(Listed::from).collect())
}
