//! From a provider's patient id to what the house keeps of it: a keyed hash of its canonical form.

use ledger::{PartyKind, PatientHmac, Reader};
use messages::Message;
use seal::KeyedHash;
use terms::{PatientIdRule, ProviderId};

use crate::Instance;
use crate::error::Error;

/// Purpose of the keyed hash of patient ids.
const PURPOSE: &str = "patient";

/// The way to a provider's patients.
pub struct Patients {
    provider: ProviderId,
    rule: PatientIdRule,
    hash: KeyedHash,
}

impl Patients {
    /// The way to the patients of a registered provider.
    ///
    /// # Errors
    /// A refusal when there is no such provider.
    pub async fn of(instance: &Instance, reader: &mut Reader, provider: &ProviderId) -> Result<Patients, Error> {
        let party = reader.party(PartyKind::Provider, provider.as_str()).await?.ok_or_else(|| {
            Error::refused(Message::new("core-unknown-party").with("kind", PartyKind::Provider).with("id", provider))
        })?;
        let rule = party.patient_id_rule.unwrap_or_default();
        Ok(Patients { provider: provider.clone(), rule, hash: instance.keyring.keyed_hash(PURPOSE)? })
    }

    /// The keyed hash of an id as written; `None` when it is no patient id at all.
    ///
    /// # Errors
    /// When the hash cannot be computed.
    pub fn hash(&self, written: &str) -> Result<Option<PatientHmac>, Error> {
        let Ok(canonical) = self.rule.canonical(written) else { return Ok(None) };
        let input = zeroize::Zeroizing::new(PatientIdRule::hash_input(&self.provider, &canonical));
        Ok(Some(PatientHmac(self.hash.hash(&input)?)))
    }
}
