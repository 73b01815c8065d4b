//! CMS (RFC 5652) as packages use it: a signed manifest, and payloads sealed as streams.
//!
//! OpenSSL writes these structures as streams but reads them whole into memory (five gigabytes for a payload of two), so the reader of
//! sealed content is our own: [`DecryptReader`] takes the structure apart byte by byte with every length bounded, and leaves the
//! cryptography to OpenSSL. What it accepts is a policy, not a capability:
//! * AuthEnvelopedData (RFC 5083) of id-data with AES-256-GCM (RFC 5084), nonce of 12 and tag of 16 bytes, no attributes;
//! * content key sealed with RSA-OAEP, SHA-256 and MGF1 with SHA-256 (RFC 8017), no label. PKCS#1 v1.5 is refused by name: its padding
//!   lets whoever can make us try keys open what was sealed to us.
//!
//! Signatures are attached SignedData of exactly one signer, whose certificate is pinned.
//!
//! * `ber`: the structure as it comes in. `der`: the structure as it goes out.

pub(crate) mod ber;
mod decrypt;
mod der;
mod encrypt;
mod signed;

pub use decrypt::DecryptReader;
pub use encrypt::EncryptWriter;
pub use signed::{claimed_content, sign, verify, verify_at};

use std::io::{Read, Write};

use crate::{Certificate, Identity, SealError};

/// Seals something small (a manifest) to one recipient.
///
/// # Errors
/// As [`EncryptWriter::new`].
pub fn encrypt_small(plain: &[u8], recipient: &Certificate) -> Result<Vec<u8>, SealError> {
    let mut writer = EncryptWriter::new(Vec::with_capacity(plain.len() + 2048), recipient)?;
    writer.write_all(plain)?;
    writer.finish()
}

/// Opens something small. Nothing is returned unless the tag holds.
///
/// # Errors
/// As [`DecryptReader`]; [`SealError::TooLarge`] when the content is longer than `limit` bytes.
pub fn decrypt_small(sealed: &[u8], identity: &Identity, limit: u64) -> Result<Vec<u8>, SealError> {
    let mut reader = DecryptReader::with_limit(sealed, identity, limit)?;
    let mut plain = Vec::new();
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}
