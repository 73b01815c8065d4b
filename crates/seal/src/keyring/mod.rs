//! The keyring: the one place where key-encryption keys are, and from which they go for good.

mod file;
mod secrets;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use terms::AssetId;
use zeroize::Zeroizing;

use crate::identity::Usage;
use crate::scope::{unwrap, wrap};
use crate::secret::Secret;
use crate::{Certificate, DataKey, Identity, KeyScope, Passphrase, SealError, WrappedKey};

pub use file::Kdf;
use file::Sealed;
use secrets::{Epochs, Secrets};

/// Years that the producer's signing certificate is valid.
const SIGNING_DAYS: u32 = 3 * 365;
/// An intake certificate is current for a month and accepted for one more, so that a package on its way still arrives.
const INTAKE_DAYS: u32 = 62;
const INTAKE_CURRENT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How a keyring is made.
#[derive(Debug, Clone)]
pub struct KeyringOptions {
    /// Common name in the producer's certificates.
    pub name: String,
    /// Cost of the passphrase.
    pub kdf: Kdf,
}

impl Default for KeyringOptions {
    fn default() -> Self {
        Self { name: "Azekura producer".to_owned(), kdf: Kdf::default() }
    }
}

/// The keys of an instance, in a file sealed under a key that scrypt makes from the passphrase. Every change is on the disk before the
/// function returns. May be shared between threads; between processes the instance's writer lock decides, and a change that would
/// overwrite another process's is refused.
pub struct Keyring {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    sealed: Sealed,
    secrets: Secrets,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({})", self.path.display())
    }
}

impl Keyring {
    /// Makes a keyring with fresh keys and certificates.
    ///
    /// # Errors
    /// [`SealError::KeyringExists`], or when it cannot be written.
    pub fn create(path: &Path, passphrase: &Passphrase) -> Result<Keyring, SealError> {
        Keyring::create_with(path, passphrase, &KeyringOptions::default())
    }

    /// As [`Keyring::create`], with a name and a cost of one's own.
    ///
    /// # Errors
    /// As [`Keyring::create`].
    pub fn create_with(path: &Path, passphrase: &Passphrase, options: &KeyringOptions) -> Result<Keyring, SealError> {
        if path.symlink_metadata().is_ok() {
            return Err(SealError::KeyringExists { path: path.to_owned() });
        }
        let now = Timestamp::now();
        let secrets = Secrets {
            name: options.name.clone(),
            scopes: Default::default(),
            keyed_hash: Secret::random()?,
            ledger: Secret::random()?,
            journal: Secret::random()?,
            signing: secrets::Pair::of(&Identity::generate(&options.name, Usage::Sign, SIGNING_DAYS, now)?, now)?,
            intake: vec![secrets::Pair::of(&Identity::generate(&options.name, Usage::Open, INTAKE_DAYS, now)?, now)?],
        };
        let sealed = Sealed::new(passphrase, options.kdf)?;
        let keyring = Keyring { path: path.to_owned(), state: Mutex::new(State { sealed, secrets }) };
        keyring.change(|_| Ok(((), true)))?;
        Ok(keyring)
    }

    /// Opens a keyring.
    ///
    /// # Errors
    /// [`SealError::WrongPassphrase`]; [`SealError::KeyringDamaged`] when the file is not what was written; or when it cannot be read.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Result<Keyring, SealError> {
        let (sealed, secrets) = Sealed::open(path, passphrase)?;
        Ok(Keyring { path: path.to_owned(), state: Mutex::new(State { sealed, secrets }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Changes are made on a copy and put in place whole, so a poisoned state is a good one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a copy of the secrets, makes it durable, then puts it in place. The closure says whether anything changed.
    fn change<T>(&self, f: impl FnOnce(&mut Secrets) -> Result<(T, bool), SealError>) -> Result<T, SealError> {
        let mut state = self.state();
        let mut next = state.secrets.clone();
        let (out, changed) = f(&mut next)?;
        if changed {
            state.sealed.save(&self.path, &next)?;
            state.secrets = next;
        }
        Ok(out)
    }

    /// A fresh data key for an asset, and how it is stored. Makes the first epoch of the scope when there is none.
    ///
    /// # Errors
    /// When the keyring cannot be saved.
    pub fn new_data_key(&self, scope: &KeyScope, asset: AssetId) -> Result<(DataKey, WrappedKey), SealError> {
        // A statement of its own: the lock must be free again before a first epoch is made.
        let current = self.state().secrets.scopes.get(scope).and_then(Epochs::current);
        let (epoch, kek) = match current {
            Some(found) => found,
            None => self.change(|secrets| {
                let epochs = secrets.scopes.entry(scope.clone()).or_default();
                match epochs.current() {
                    Some(made_meanwhile) => Ok((made_meanwhile, false)),
                    None => epochs.begin().map(|begun| (begun, true)),
                }
            })?,
        };
        let key = DataKey::random()?;
        let wrapped = wrap(&kek, scope, epoch, asset, &key)?;
        Ok((key, wrapped))
    }

    /// The data key of an asset.
    ///
    /// # Errors
    /// [`SealError::KeyDestroyed`] when its epoch is gone, [`SealError::WrappedKeyWrong`] when it is not this asset's.
    pub fn open_data_key(&self, asset: AssetId, wrapped: &WrappedKey) -> Result<DataKey, SealError> {
        let kek = self.state().secrets.scopes.get(&wrapped.scope).and_then(|epochs| epochs.get(wrapped.epoch));
        let kek = kek.ok_or_else(|| SealError::KeyDestroyed { scope: wrapped.scope.clone(), epoch: wrapped.epoch })?;
        unwrap(&kek, asset, wrapped)
    }

    /// Begins a new epoch of a scope and returns its number. What older epochs sealed still opens until [`Keyring::destroy_older`].
    ///
    /// # Errors
    /// When the keyring cannot be saved.
    pub fn advance(&self, scope: &KeyScope) -> Result<u32, SealError> {
        self.change(|secrets| {
            let (epoch, _) = secrets.scopes.entry(scope.clone()).or_default().begin()?;
            Ok((epoch, true))
        })
    }

    /// The same data key, wrapped under the current epoch of its scope.
    ///
    /// # Errors
    /// As [`Keyring::open_data_key`].
    pub fn rewrap(&self, asset: AssetId, wrapped: &WrappedKey) -> Result<WrappedKey, SealError> {
        let key = self.open_data_key(asset, wrapped)?;
        let current = self.state().secrets.scopes.get(&wrapped.scope).and_then(Epochs::current);
        let (epoch, kek) =
            current.ok_or_else(|| SealError::KeyDestroyed { scope: wrapped.scope.clone(), epoch: wrapped.epoch })?;
        wrap(&kek, &wrapped.scope, epoch, asset, &key)
    }

    /// Destroys all epochs of a scope but the current one, and returns their numbers: whatever is wrapped under them, in whatever
    /// copy, opens no more. Doing it twice does nothing.
    ///
    /// # Errors
    /// When the keyring cannot be saved; nothing is destroyed then.
    pub fn destroy_older(&self, scope: &KeyScope) -> Result<Vec<u32>, SealError> {
        self.change(|secrets| {
            let gone = secrets.scopes.get_mut(scope).map(Epochs::keep_current).unwrap_or_default();
            let changed = !gone.is_empty();
            Ok((gone, changed))
        })
    }

    /// How often it was changed since it was made: an earlier copy says less.
    pub fn changes(&self) -> u64 {
        self.state().sealed.changes()
    }

    /// The epochs of a scope that still open.
    pub fn epochs(&self, scope: &KeyScope) -> Vec<u32> {
        self.state().secrets.scopes.get(scope).map(Epochs::numbers).unwrap_or_default()
    }

    /// Every scope that has a key.
    pub fn scopes(&self) -> Vec<KeyScope> {
        self.state().secrets.scopes.keys().cloned().collect()
    }

    /// HMAC-SHA-256 under a key of its own for each purpose, so that hashes made for one purpose cannot be compared with another's.
    ///
    /// # Errors
    /// When OpenSSL fails.
    pub fn hmac(&self, purpose: &str, data: &[u8]) -> Result<[u8; 32], SealError> {
        let root = self.state().secrets.keyed_hash.clone();
        let key = mac(root.bytes(), &[b"azekura keyed hash\0", purpose.as_bytes()])?;
        mac(&key, &[data]).map(|out| *out)
    }

    /// A keyed hash for one purpose, ready for many inputs: without taking the keyring's lock for each.
    ///
    /// # Errors
    /// When OpenSSL fails.
    pub fn keyed_hash(&self, purpose: &str) -> Result<KeyedHash, SealError> {
        let root = self.state().secrets.keyed_hash.clone();
        let key = mac(root.bytes(), &[b"azekura keyed hash\0", purpose.as_bytes()])?;
        Ok(KeyedHash(PKey::hmac(key.as_ref())?))
    }

    /// The raw key of the ledger's encryption.
    pub fn ledger_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(*self.state().secrets.ledger.bytes())
    }

    /// The seed of the Ed25519 key that signs the journal's checkpoints.
    pub fn journal_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(*self.state().secrets.journal.bytes())
    }

    /// The producer's signing key and certificate. Recipients pin this certificate.
    ///
    /// # Errors
    /// When the stored key does not parse.
    pub fn producer(&self) -> Result<Identity, SealError> {
        self.state().secrets.signing.identity()
    }

    /// The certificate that providers seal to now: the newest.
    ///
    /// # Errors
    /// When the stored key does not parse.
    pub fn intake_certificate(&self) -> Result<Certificate, SealError> {
        match self.intake_identities()?.pop() {
            Some(newest) => Ok(newest.certificate().clone()),
            None => Err(SealError::NoSuchIntakeKey),
        }
    }

    /// Every intake certificate that still opens, the oldest first.
    ///
    /// # Errors
    /// When a stored key does not parse.
    pub fn intake_certificates(&self) -> Result<Vec<Certificate>, SealError> {
        Ok(self.intake_identities()?.iter().map(|i| i.certificate().clone()).collect())
    }

    /// Every intake key that still opens, the oldest first.
    ///
    /// # Errors
    /// When a stored key does not parse.
    pub fn intake_identities(&self) -> Result<Vec<Identity>, SealError> {
        self.state().secrets.intake.iter().map(secrets::Pair::identity).collect()
    }

    /// Whether the newest intake key is older than a month and [`Keyring::rotate_intake`] is due.
    pub fn intake_rotation_due(&self, now: Timestamp) -> bool {
        self.state().secrets.intake.last().is_none_or(|pair| now.duration_since(pair.made) >= INTAKE_CURRENT)
    }

    /// Makes a new intake key; the older ones still open until [`Keyring::destroy_intake_before`].
    ///
    /// # Errors
    /// When the key cannot be made or the keyring not saved.
    pub fn rotate_intake(&self) -> Result<Certificate, SealError> {
        let now = Timestamp::now();
        let name = self.state().secrets.name.clone();
        let identity = Identity::generate(&name, Usage::Open, INTAKE_DAYS, now)?;
        let pair = secrets::Pair::of(&identity, now)?;
        self.change(|secrets| {
            secrets.intake.push(pair);
            Ok(((), true))
        })?;
        Ok(identity.certificate().clone())
    }

    /// Destroys the intake keys made before a moment, except the newest, and returns the fingerprints of their certificates. Packages
    /// sealed to them open no more.
    ///
    /// # Errors
    /// When the keyring cannot be saved; nothing is destroyed then.
    pub fn destroy_intake_before(&self, moment: Timestamp) -> Result<Vec<String>, SealError> {
        self.change(|secrets| {
            let Some(newest) = secrets.intake.pop() else { return Ok((Vec::new(), false)) };
            let (gone, kept): (Vec<_>, Vec<_>) = secrets.intake.drain(..).partition(|pair| pair.made < moment);
            secrets.intake = kept;
            secrets.intake.push(newest);
            let gone: Result<Vec<String>, SealError> =
                gone.iter().map(|pair| pair.identity()?.certificate().fingerprint()).collect();
            let gone = gone?;
            let changed = !gone.is_empty();
            Ok((gone, changed))
        })
    }
}

/// A keyed hash for one purpose.
pub struct KeyedHash(PKey<openssl::pkey::Private>);

impl KeyedHash {
    /// HMAC-SHA-256 of some bytes.
    ///
    /// # Errors
    /// When OpenSSL fails.
    pub fn hash(&self, data: &[u8]) -> Result<[u8; 32], SealError> {
        let mut out = [0; 32];
        Signer::new(MessageDigest::sha256(), &self.0)?.sign_oneshot(&mut out, data)?;
        Ok(out)
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
    for part in parts {
        signer.update(part)?;
    }
    let mut out = Zeroizing::new([0; 32]);
    signer.sign(out.as_mut())?;
    Ok(out)
}
