//! Keys, seals and signatures: everything in Azekura that is cryptography goes through here, and through OpenSSL.
//!
//! * [`Keyring`]: one file, sealed under a passphrase, that holds the key-encryption keys in epochs per class and
//!   provider, the keyed-hash root, the ledger and journal keys, and the producer's own key pairs. A file of the lake has
//!   a [`DataKey`] of its own; what is stored of it is a [`WrappedKey`], which opens only while its epoch is in the keyring.
//!   [`Keyring::destroy_older`] is how data is erased: an earlier copy of the wrapped key opens nothing any more.
//! * [`Identity`] and [`Certificate`]: a party's key pair, and the certificate that is pinned for it.
//! * [`cms`]: packages on the way: CMS signatures with a pinned certificate, and AuthEnvelopedData (RFC 5083) as streams of
//!   bounded memory in both directions.
//! * [`sealed_file`]: files at rest under a data key that are not Parquet.
//! * [`hash`]: SHA-256 of bytes and of streams.
//!
//! Algorithms are those of the CRYPTREC list (AES-256-GCM, SHA-256, HMAC-SHA-256, RSA-OAEP, RSA and ECDSA signatures); the one
//! exception is scrypt (RFC 7914) for the passphrase, because the list has no password hashing function. Every stored ciphertext names its
//! algorithm.
//!
//! Invariants: does not know what the bytes mean. No type that holds a key prints it, and keys in our own memory are zeroed when they are dropped.

mod aead;
pub mod cms;
mod error;
pub mod hash;
mod identity;
mod keyring;
mod passphrase;
mod scope;
pub mod sealed_file;
mod secret;

pub use error::{CODES, SealError};
pub use identity::{Certificate, Identity};
pub use keyring::{Kdf, KeyedHash, Keyring, KeyringOptions};
pub use passphrase::Passphrase;
pub use scope::{DataKey, KeyScope, WrappedKey};
