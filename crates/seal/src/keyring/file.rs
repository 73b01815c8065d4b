//! The keyring on the disk: a JSON object with the parameters in clear and the secrets sealed.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::secrets::Secrets;
use crate::secret::Secret;
use crate::{Passphrase, SealError, aead};

const FORMAT: &str = "azekura-keyring/1";
const KDF: &str = "scrypt";
const CIPHER: &str = "AES-256-GCM";
/// Thousands of scopes with dozens of epochs each fit; more is not a keyring of ours.
const LONGEST_FILE: u64 = 64 * 1024 * 1024;

/// Cost of making the root key from the passphrase: scrypt (RFC 7914).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kdf {
    log_n: u8,
    r: u32,
    p: u32,
}

impl Kdf {
    /// Half a second and 128 MB on a machine of today. The default.
    pub const STRONG: Kdf = Kdf { log_n: 17, r: 8, p: 1 };
    /// Some ten milliseconds: for tests and demonstrations, and for passphrases that are random keys themselves.
    pub const LIGHT: Kdf = Kdf { log_n: 14, r: 8, p: 1 };
    /// What may stand in a file: a changed file must neither make the passphrase cheap to guess nor eat the machine.
    const LARGEST_MEMORY: u64 = 512 * 1024 * 1024;

    fn memory(self) -> u64 {
        128 * u64::from(self.r) * ((1u64 << self.log_n.min(40)) + u64::from(self.p) + 2)
    }

    fn acceptable(self) -> bool {
        (14..=20).contains(&self.log_n)
            && (8..=32).contains(&self.r)
            && (1..=8).contains(&self.p)
            && self.memory() <= Self::LARGEST_MEMORY
    }

    fn root(self, passphrase: &Passphrase, salt: &[u8]) -> Result<Root, SealError> {
        let mut out = Zeroizing::new([0u8; 64]);
        let memory = self.memory() + 1024 * 1024;
        openssl::pkcs5::scrypt(passphrase.bytes(), salt, 1 << self.log_n, self.r.into(), self.p.into(), memory, out.as_mut())?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&out[..32]);
        // The second half says whether the passphrase is right, apart from whether the file is whole.
        let check = crate::hash::sha256(&out[32..]);
        Ok(Root { key: Secret::from_bytes(key), check })
    }
}

impl Default for Kdf {
    fn default() -> Self {
        Kdf::STRONG
    }
}

struct Root {
    key: Secret,
    check: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    kdf: String,
    cost: Kdf,
    salt: String,
    check: String,
    cipher: String,
    /// Grows with every change: two processes that both change the keyring must not overwrite each other.
    generation: u64,
    sealed: String,
}

impl File {
    /// Everything in clear is bound to what is sealed.
    fn binding(&self) -> Vec<u8> {
        let Kdf { log_n, r, p } = self.cost;
        format!("{FORMAT}\0{KDF}\0{log_n}\0{r}\0{p}\0{}\0{}\0{CIPHER}\0{}", self.salt, self.check, self.generation).into_bytes()
    }

    fn read(path: &Path) -> Result<File, SealError> {
        let damaged = |what| SealError::KeyringDamaged { path: path.to_owned(), what };
        let mut text = Vec::new();
        let file = fs::File::open(path).map_err(SealError::file(path))?;
        file.take(LONGEST_FILE + 1).read_to_end(&mut text).map_err(SealError::file(path))?;
        if text.len() as u64 > LONGEST_FILE {
            return Err(damaged("its size"));
        }
        let file: File = serde_json::from_slice(&text).map_err(|_| damaged("its form"))?;
        if file.format != FORMAT || file.kdf != KDF || file.cipher != CIPHER {
            return Err(damaged("its format or algorithms"));
        }
        if !file.cost.acceptable() {
            return Err(damaged("the cost of the passphrase"));
        }
        Ok(file)
    }
}

/// What is needed to save an open keyring again, without the passphrase.
pub(super) struct Sealed {
    root: Root,
    salt: String,
    cost: Kdf,
    generation: u64,
}

impl Sealed {
    pub(super) fn new(passphrase: &Passphrase, cost: Kdf) -> Result<Sealed, SealError> {
        let mut salt = [0; 32];
        openssl::rand::rand_bytes(&mut salt)?;
        Ok(Sealed { root: cost.root(passphrase, &salt)?, salt: BASE64.encode(salt), cost, generation: 0 })
    }

    pub(super) fn open(path: &Path, passphrase: &Passphrase) -> Result<(Sealed, Secrets), SealError> {
        let damaged = |what| SealError::KeyringDamaged { path: path.to_owned(), what };
        let file = File::read(path)?;
        let salt = BASE64.decode(&file.salt).map_err(|_| damaged("its salt"))?;
        let root = file.cost.root(passphrase, &salt)?;
        if !openssl_eq(hex::encode(root.check).as_bytes(), file.check.as_bytes()) {
            return Err(SealError::WrongPassphrase { path: path.to_owned() });
        }
        let bytes = BASE64.decode(&file.sealed).map_err(|_| damaged("its content"))?;
        let plain = aead::open(root.key.bytes(), &file.binding(), &bytes).map_err(|_| damaged("its seal"))?;
        let secrets = serde_json::from_slice(&plain).map_err(|_| damaged("its content"))?;
        Ok((Sealed { root, salt: file.salt, cost: file.cost, generation: file.generation }, secrets))
    }

    pub(super) fn changes(&self) -> u64 {
        self.generation
    }

    /// Makes a new state of the keyring durable in place of the one before.
    pub(super) fn save(&mut self, path: &Path, secrets: &Secrets) -> Result<(), SealError> {
        let on_disk = match File::read(path) {
            Ok(file) => file.generation,
            Err(SealError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => 0,
            Err(other) => return Err(other),
        };
        if on_disk != self.generation {
            return Err(SealError::KeyringChanged { path: path.to_owned() });
        }
        let mut file = File {
            format: FORMAT.to_owned(),
            kdf: KDF.to_owned(),
            cost: self.cost,
            salt: self.salt.clone(),
            check: hex::encode(self.root.check),
            cipher: CIPHER.to_owned(),
            generation: self.generation + 1,
            sealed: String::new(),
        };
        let plain = to_json(secrets)?;
        file.sealed = BASE64.encode(aead::seal(self.root.key.bytes(), &file.binding(), &plain)?);
        let mut text = serde_json::to_vec_pretty(&file).map_err(io::Error::other)?;
        text.push(b'\n');
        durable::write_atomic(path, &text).map_err(SealError::file(path))?;
        self.generation += 1;
        Ok(())
    }
}

fn openssl_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && openssl::memcmp::eq(a, b)
}

/// JSON in a buffer that never grows: growing would leave copies of keys in freed memory.
fn to_json(secrets: &Secrets) -> Result<Zeroizing<Vec<u8>>, SealError> {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, secrets).map_err(io::Error::other)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(count.0));
    serde_json::to_writer(&mut *bytes, secrets).map_err(io::Error::other)?;
    Ok(bytes)
}
