use std::fmt;
use std::str::FromStr;

use terms::{AssetClass, AssetId, InvalidId, ProviderId};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::{SealError, aead};

/// Whose key: a class of assets and, where the class is kept per provider, the provider. Different scopes never share a key, so that
/// erasing in one never touches the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyScope {
    /// Class of what is sealed.
    pub class: AssetClass,
    /// The provider it came from; `None` for what is of no single provider.
    pub provider: Option<ProviderId>,
}

impl fmt::Display for KeyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.class, self.provider.as_ref().map_or("-", ProviderId::as_str))
    }
}

impl FromStr for KeyScope {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<KeyScope, InvalidId> {
        let wrong = || InvalidId { what: "key scope", form: "CLASS/PROVIDER or CLASS/-" };
        let (class, provider) = text.split_once('/').ok_or_else(wrong)?;
        let class = class.parse().map_err(|_| wrong())?;
        // A provider id never begins with a hyphen.
        let provider = if provider == "-" { None } else { Some(provider.parse()?) };
        Ok(KeyScope { class, provider })
    }
}

/// The key of one file. Lives in memory only, as long as the file is written or read.
#[derive(Clone)]
pub struct DataKey(Secret);

impl DataKey {
    pub(crate) fn random() -> Result<DataKey, SealError> {
        Secret::random().map(DataKey)
    }

    /// A key that lives as long as the process and is stored nowhere: for spill files and other temporary ciphertext.
    ///
    /// # Errors
    /// When the random generator fails.
    pub fn ephemeral() -> Result<DataKey, SealError> {
        DataKey::random()
    }

    /// A key handed over by another process of the same instance.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> DataKey {
        DataKey(Secret::from_bytes(bytes))
    }

    /// The thirty-two bytes, for the cipher only.
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.bytes()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

/// How data keys are wrapped today. The name is stored with each, so that another can follow.
pub(crate) const WRAPPING: &str = "AES-256-GCM";

/// A data key sealed under an epoch of its scope, bound to its asset. This is what the ledger stores.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Whose epoch.
    pub scope: KeyScope,
    /// Which epoch.
    pub epoch: u32,
    /// Algorithm of the wrapping.
    pub algorithm: String,
    /// Nonce, ciphertext, tag.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({} epoch {})", self.scope, self.epoch)
    }
}

fn binding(scope: &KeyScope, epoch: u32, asset: AssetId) -> Vec<u8> {
    format!("azekura data key\0{WRAPPING}\0{scope}\0{epoch}\0{asset}").into_bytes()
}

pub(crate) fn wrap(kek: &Secret, scope: &KeyScope, epoch: u32, asset: AssetId, key: &DataKey) -> Result<WrappedKey, SealError> {
    let bytes = aead::seal(kek.bytes(), &binding(scope, epoch, asset), key.bytes())?;
    Ok(WrappedKey { scope: scope.clone(), epoch, algorithm: WRAPPING.to_owned(), bytes })
}

pub(crate) fn unwrap(kek: &Secret, asset: AssetId, wrapped: &WrappedKey) -> Result<DataKey, SealError> {
    if wrapped.algorithm != WRAPPING {
        return Err(SealError::AlgorithmRefused { what: "a wrapped key", found: wrapped.algorithm.clone() });
    }
    let plain = aead::open(kek.bytes(), &binding(&wrapped.scope, wrapped.epoch, asset), &wrapped.bytes)
        .map_err(|_| SealError::WrappedKeyWrong)?;
    let mut bytes = Zeroizing::new([0; 32]);
    if plain.len() != bytes.len() {
        return Err(SealError::WrappedKeyWrong);
    }
    bytes.copy_from_slice(&plain);
    Ok(DataKey::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_back_as_it_is_written() {
        for text in ["clinical/1319999991", "linkage/-"] {
            assert_eq!(text.parse::<KeyScope>().expect("valid").to_string(), text);
        }
        for bad in ["clinical", "nonsense/1", "clinical/../x", "clinical/"] {
            assert!(bad.parse::<KeyScope>().is_err(), "{bad}");
        }
    }

    // control: CRY-01
    #[test]
    fn no_key_type_prints_its_key() {
        let key = DataKey::from_bytes(Zeroizing::new([0xAB; 32]));
        let secret = Secret::from_bytes(Zeroizing::new([0xAB; 32]));
        let scope: KeyScope = "clinical/1".parse().expect("valid");
        let wrapped = wrap(&secret, &scope, 1, AssetId::new(), &key).expect("wrapped");
        let printed = format!("{key:?} {secret:?} {wrapped:?} {:?}", Some(&key));
        assert_eq!(printed, "[key] [key] WrappedKey(clinical/1 epoch 1) Some([key])");
    }
}
