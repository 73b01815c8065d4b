//! AES-256-GCM over something small: random nonce, ciphertext, tag.

use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use crate::SealError;

pub(crate) const NONCE: usize = 12;
pub(crate) const TAG: usize = 16;

pub(crate) fn seal(key: &[u8; 32], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE];
    openssl::rand::rand_bytes(&mut nonce)?;
    let mut tag = [0; TAG];
    let sealed = encrypt_aead(Cipher::aes_256_gcm(), key, Some(&nonce), aad, plain, &mut tag)?;
    Ok([nonce.as_slice(), &sealed, &tag].concat())
}

/// # Errors
/// [`SealError::TagMismatch`] for anything that was not sealed under this key with this `aad`.
pub(crate) fn open(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    if sealed.len() < NONCE + TAG {
        return Err(SealError::TagMismatch);
    }
    let (nonce, rest) = sealed.split_at(NONCE);
    let (content, tag) = rest.split_at(rest.len() - TAG);
    decrypt_aead(Cipher::aes_256_gcm(), key, Some(nonce), aad, content, tag)
        .map(Zeroizing::new)
        .map_err(|_| SealError::TagMismatch)
}
