//! What the keyring file holds once it is open.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::{Identity, KeyScope, SealError};

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secrets {
    /// Common name of the certificates.
    pub name: String,
    pub keyed_hash: Secret,
    pub ledger: Secret,
    pub journal: Secret,
    pub signing: Pair,
    /// The oldest first.
    pub intake: Vec<Pair>,
    #[serde(with = "by_text")]
    pub scopes: BTreeMap<KeyScope, Epochs>,
}

/// The epochs of one scope. Numbers are never used twice: a wrapped key of a destroyed epoch must not meet a new key of its number.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Epochs {
    current: u32,
    keys: BTreeMap<u32, Secret>,
}

impl Epochs {
    pub(super) fn current(&self) -> Option<(u32, Secret)> {
        self.get(self.current).map(|key| (self.current, key))
    }

    pub(super) fn get(&self, epoch: u32) -> Option<Secret> {
        self.keys.get(&epoch).cloned()
    }

    pub(super) fn numbers(&self) -> Vec<u32> {
        self.keys.keys().copied().collect()
    }

    pub(super) fn begin(&mut self) -> Result<(u32, Secret), SealError> {
        let next = self.current.checked_add(1).ok_or(SealError::TooLarge { what: "the number of an epoch", limit: 4 })?;
        let key = Secret::random()?;
        self.keys.insert(next, key.clone());
        self.current = next;
        Ok((next, key))
    }

    pub(super) fn keep_current(&mut self) -> Vec<u32> {
        let gone = self.keys.keys().copied().filter(|epoch| *epoch != self.current).collect();
        self.keys.retain(|epoch, _| *epoch == self.current);
        gone
    }
}

/// A key pair as it is stored.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    pub made: Timestamp,
    key: SecretText,
    certificate: String,
}

impl Pair {
    pub(super) fn of(identity: &Identity, made: Timestamp) -> Result<Pair, SealError> {
        let key = SecretText(Zeroizing::new(String::from_utf8_lossy(&identity.key_pem()?).into_owned()));
        let certificate = String::from_utf8_lossy(&identity.certificate().pem()?).into_owned();
        Ok(Pair { made, key, certificate })
    }

    pub(super) fn identity(&self) -> Result<Identity, SealError> {
        Identity::from_pem(self.key.0.as_bytes(), self.certificate.as_bytes(), None)
    }
}

/// A PEM text of a private key, zeroed when dropped.
#[derive(Clone)]
struct SecretText(Zeroizing<String>);

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| SecretText(Zeroizing::new(text)))
    }
}

mod by_text {
    use super::*;
    use serde::de::Error;

    pub(super) fn serialize<S: Serializer>(scopes: &BTreeMap<KeyScope, Epochs>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(scopes.iter().map(|(scope, epochs)| (scope.to_string(), epochs)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<KeyScope, Epochs>, D::Error> {
        BTreeMap::<String, Epochs>::deserialize(deserializer)?
            .into_iter()
            .map(|(scope, epochs)| Ok((scope.parse().map_err(D::Error::custom)?, epochs)))
            .collect()
    }
}
