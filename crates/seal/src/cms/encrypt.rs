use std::io::{self, Write};

use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, Crypter, Mode};

use super::der::{self, INTEGER, OCTETS, OID, SEQUENCE, SET, constructed, element};
use crate::secret::Secret;
use crate::{Certificate, SealError, aead};

/// How much content goes into one part.
const PART: usize = 64 * 1024;

/// Seals whatever is written to one recipient, as a stream of AuthEnvelopedData in BER. `openssl cms -decrypt` reads it.
/// Without [`EncryptWriter::finish`] the structure has no end and no tag, and no reader takes it.
pub struct EncryptWriter<W: Write> {
    inner: W,
    crypter: Crypter,
    plain: Vec<u8>,
    sealed: Vec<u8>,
}

impl<W: Write> EncryptWriter<W> {
    /// Begins: writes everything up to the content.
    ///
    /// # Errors
    /// [`SealError::WeakKey`] when the recipient's key is not RSA of 2048 bits or more; or as of writing.
    pub fn new(mut inner: W, recipient: &Certificate) -> Result<Self, SealError> {
        recipient.check_sealing_key()?;
        let key = Secret::random()?;
        let mut nonce = [0; aead::NONCE];
        openssl::rand::rand_bytes(&mut nonce)?;
        inner.write_all(&head(recipient, &key, &nonce)?)?;
        let crypter = Crypter::new(Cipher::aes_256_gcm(), Mode::Encrypt, key.bytes(), Some(&nonce))?;
        Ok(Self { inner, crypter, plain: Vec::with_capacity(PART), sealed: Vec::new() })
    }

    fn part(&mut self) -> Result<(), SealError> {
        if self.plain.is_empty() {
            return Ok(());
        }
        let mut sealed = vec![0; 0];
        std::mem::swap(&mut sealed, &mut self.sealed);
        sealed.clear();
        sealed.push(OCTETS);
        der::push_length(&mut sealed, self.plain.len());
        let begin = sealed.len();
        sealed.resize(begin + self.plain.len(), 0);
        let n = self.crypter.update(&self.plain, &mut sealed[begin..])?;
        sealed.truncate(begin + n);
        self.inner.write_all(&sealed)?;
        self.sealed = sealed;
        self.plain.clear();
        Ok(())
    }

    /// Ends the content, writes the tag and gives the writer back.
    ///
    /// # Errors
    /// As of writing.
    pub fn finish(mut self) -> Result<W, SealError> {
        self.part()?;
        self.crypter.finalize(&mut [0; 16])?;
        let mut tag = [0; aead::TAG];
        self.crypter.get_tag(&mut tag)?;
        // End of the content, and of what is said about it.
        self.inner.write_all(&[0; 4])?;
        self.inner.write_all(&element(OCTETS, &[&tag]))?;
        // End of AuthEnvelopedData, of its place, of ContentInfo.
        self.inner.write_all(&[0; 6])?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for EncryptWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.plain.len() == PART {
            self.part()?;
        }
        let n = bytes.len().min(PART - self.plain.len());
        self.plain.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        // A part is sealed when it is full; flushing early would only make small parts.
        self.inner.flush()
    }
}

/// RFC 5083 section 2.1 up to the encrypted content, all open ends indefinite.
fn head(recipient: &Certificate, key: &Secret, nonce: &[u8]) -> Result<Vec<u8>, SealError> {
    let zero = element(INTEGER, &[&[0]]);
    let mut out = vec![SEQUENCE, 0x80];
    out.extend(element(OID, &[der::ID_AUTH_ENVELOPED_DATA]));
    out.extend([constructed(0), 0x80, SEQUENCE, 0x80]);
    out.extend(&zero);
    out.extend(element(SET, &[&key_transport(recipient, key)?]));
    out.extend([SEQUENCE, 0x80]);
    out.extend(element(OID, &[der::ID_DATA]));
    let parameters = element(SEQUENCE, &[&element(OCTETS, &[nonce]), &element(INTEGER, &[&[aead::TAG as u8]])]);
    out.extend(element(SEQUENCE, &[&element(OID, &[der::AES_256_GCM]), &parameters]));
    out.extend([constructed(0), 0x80]);
    Ok(out)
}

/// KeyTransRecipientInfo with RSA-OAEP (RFC 5652 section 6.2.1, RFC 4055 section 4.1).
fn key_transport(recipient: &Certificate, key: &Secret) -> Result<Vec<u8>, SealError> {
    let certificate = recipient.x509();
    let mut serial = certificate.serial_number().to_bn()?.to_vec();
    if serial.first().is_none_or(|b| b & 0x80 != 0) {
        serial.insert(0, 0);
    }
    let who = element(SEQUENCE, &[&certificate.issuer_name().to_der()?, &element(INTEGER, &[&serial])]);

    let sha256 = element(SEQUENCE, &[&element(OID, &[der::SHA_256])]);
    let mgf1 = element(SEQUENCE, &[&element(OID, &[der::MGF1]), &sha256]);
    let parameters = element(SEQUENCE, &[&element(constructed(0), &[&sha256]), &element(constructed(1), &[&mgf1])]);
    let how = element(SEQUENCE, &[&element(OID, &[der::RSAES_OAEP]), &parameters]);

    let public = recipient.public_key()?;
    let mut encrypter = Encrypter::new(&public)?;
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    encrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
    encrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut sealed = vec![0; encrypter.encrypt_len(key.bytes())?];
    let n = encrypter.encrypt(key.bytes(), &mut sealed)?;
    sealed.truncate(n);
    Ok(element(SEQUENCE, &[&element(INTEGER, &[&[0]]), &who, &how, &element(OCTETS, &[&sealed])]))
}
