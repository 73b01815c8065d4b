use std::io::{self, Read};

use openssl::encrypt::Decrypter;
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, Crypter, Mode};
use zeroize::Zeroizing;

use super::ber::Ber;
use super::der::{self, INTEGER, OCTETS, OCTETS_IN_PARTS, OID, SEQUENCE, SET, constructed, primitive};
use crate::identity::is_issuer_and_serial;
use crate::{Identity, SealError, aead};

/// Most recipients of one package: us, the sender's own copy, a successor key, and room.
const MOST_RECIPIENTS: usize = 16;
/// Longest description of one recipient: a name and an RSA block of 16384 bits.
const LONGEST_RECIPIENT: u64 = 16 * 1024;
/// Longest algorithm identifier.
const LONGEST_ALGORITHM: usize = 1024;
/// How much content is decrypted at once.
const PART: usize = 64 * 1024;
/// Parts within parts: OpenSSL writes one level.
const DEEPEST_PARTS: usize = 4;
/// More than AES-GCM may encrypt under one nonce (2^36 - 32 bytes, NIST SP 800-38D section 5.2.1.1) cannot be content.
const LONGEST_CONTENT: u64 = (1 << 36) - 32;

/// Opens an AuthEnvelopedData as a stream of bounded memory, whatever its length.
///
/// The plaintext comes out **before** the tag was seen: keep it in quarantine until `read` has returned 0, which it does only when the tag
/// held and nothing followed. Errors come as [`io::Error`] that turn back into [`SealError`] with `SealError::from`:
/// [`SealError::NotForUs`], [`SealError::Pkcs1v15Refused`], [`SealError::AlgorithmRefused`], [`SealError::ContentKeyWrong`],
/// [`SealError::Truncated`], [`SealError::TagMismatch`], [`SealError::TooLarge`], [`SealError::Malformed`].
pub struct DecryptReader<R> {
    ber: Ber<R>,
    crypter: Crypter,
    sealed: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
    /// Bytes left of the part that is open.
    left: u64,
    /// How the content is held: in one element, or in parts to this depth.
    parts: Option<usize>,
    count: u64,
    limit: u64,
    state: State,
}

#[derive(PartialEq, Clone, Copy)]
enum State {
    Content,
    Done,
    Failed,
}

impl<R: Read> DecryptReader<R> {
    /// Reads everything up to the content and opens the content key.
    ///
    /// # Errors
    /// See [`DecryptReader`].
    pub fn new(inner: R, identity: &Identity) -> Result<Self, SealError> {
        DecryptReader::with_limit(inner, identity, LONGEST_CONTENT)
    }

    /// As [`DecryptReader::new`], with [`SealError::TooLarge`] once the content is longer than `limit` bytes.
    ///
    /// # Errors
    /// See [`DecryptReader`].
    pub fn with_limit(inner: R, identity: &Identity, limit: u64) -> Result<Self, SealError> {
        let mut ber = Ber::new(inner);
        ber.enter(SEQUENCE, "ContentInfo")?;
        let kind = ber.primitive(OID, 32, "ContentInfo.contentType")?;
        if kind == der::ID_ENVELOPED_DATA {
            let found = "EnvelopedData (encryption without authentication)".to_owned();
            return Err(SealError::AlgorithmRefused { what: "a package", found });
        }
        if kind != der::ID_AUTH_ENVELOPED_DATA {
            return Err(SealError::Malformed("ContentInfo.contentType"));
        }
        ber.enter(constructed(0), "ContentInfo.content")?;
        ber.enter(SEQUENCE, "AuthEnvelopedData")?;
        if ber.primitive(INTEGER, 4, "AuthEnvelopedData.version")? != [0] {
            return Err(SealError::Malformed("AuthEnvelopedData.version"));
        }
        if ber.peek()? == Some(constructed(0)) {
            ber.skip(256 * 1024, "AuthEnvelopedData.originatorInfo")?;
        }
        let key = content_key(&mut ber, identity)?;

        ber.enter(SEQUENCE, "EncryptedContentInfo")?;
        if ber.primitive(OID, 32, "EncryptedContentInfo.contentType")? != der::ID_DATA {
            return Err(SealError::Malformed("EncryptedContentInfo.contentType"));
        }
        let nonce = content_algorithm(&mut ber)?;
        if key.len() != 32 {
            return Err(SealError::ContentKeyWrong);
        }
        let crypter = Crypter::new(Cipher::aes_256_gcm(), Mode::Decrypt, &key, Some(&nonce))?;
        let limit = limit.min(LONGEST_CONTENT);
        let (parts, left) = match ber.peek()? {
            Some(tag) if tag == primitive(0) => (None, ber.begin(tag, "encryptedContent")?),
            Some(tag) if tag == constructed(0) => {
                ber.enter(tag, "encryptedContent")?;
                (Some(0), 0)
            }
            _ => return Err(SealError::Malformed("encryptedContent")),
        };
        let mut reader = Self {
            ber,
            crypter,
            sealed: vec![0; PART],
            plain: Zeroizing::new(vec![0; PART + 32]),
            at: 0,
            left: 0,
            parts,
            count: 0,
            limit,
            state: State::Content,
        };
        reader.plain.truncate(0);
        reader.begin_part(left)?;
        Ok(reader)
    }

    /// Bytes of content so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The reader below. After the end it has been read to its own end.
    pub fn get_ref(&self) -> &R {
        self.ber.get_ref()
    }

    fn begin_part(&mut self, length: u64) -> Result<(), SealError> {
        if length > self.limit - self.count {
            return Err(SealError::TooLarge { what: "the content", limit: self.limit });
        }
        self.left = length;
        self.count += length;
        Ok(())
    }

    /// Moves on to the next part; `false` when there is none.
    fn next_part(&mut self) -> Result<bool, SealError> {
        loop {
            let Some(depth) = self.parts else { return Ok(false) };
            match self.ber.peek()? {
                Some(OCTETS) => {
                    let length = self.ber.begin(OCTETS, "encryptedContent")?;
                    self.begin_part(length)?;
                    return Ok(true);
                }
                Some(OCTETS_IN_PARTS) if depth < DEEPEST_PARTS => {
                    self.ber.enter(OCTETS_IN_PARTS, "encryptedContent")?;
                    self.parts = Some(depth + 1);
                }
                Some(_) => return Err(SealError::Malformed("encryptedContent")),
                None => {
                    self.ber.leave("encryptedContent")?;
                    self.parts = depth.checked_sub(1);
                }
            }
        }
    }

    /// Decrypts the next piece, or, at the end of the content, holds the tag.
    fn advance(&mut self) -> Result<(), SealError> {
        let mut filled = 0;
        let mut ended = false;
        while filled < PART {
            if self.left == 0 {
                if !self.next_part()? {
                    ended = true;
                    break;
                }
                continue;
            }
            let n = self.left.min((PART - filled) as u64) as usize;
            self.ber.content(&mut self.sealed[filled..filled + n])?;
            filled += n;
            self.left -= n as u64;
        }
        self.at = 0;
        self.plain.resize(filled + 32, 0);
        let n = self.crypter.update(&self.sealed[..filled], &mut self.plain)?;
        self.plain.truncate(n);
        if ended {
            self.end()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), SealError> {
        self.ber.leave("EncryptedContentInfo")?;
        // Attributes would have to be fed to the cipher before the content that they follow.
        let tag = self.ber.primitive(OCTETS, 64, "AuthEnvelopedData.mac")?;
        if tag.len() != aead::TAG {
            return Err(SealError::Malformed("AuthEnvelopedData.mac"));
        }
        self.ber.leave("AuthEnvelopedData")?;
        self.ber.leave("ContentInfo.content")?;
        self.ber.leave("ContentInfo")?;
        self.ber.finish()?;
        self.crypter.set_tag(&tag)?;
        self.crypter.finalize(&mut [0; 32]).map_err(|_| SealError::TagMismatch)?;
        self.state = State::Done;
        Ok(())
    }
}

impl<R: Read> Read for DecryptReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.state == State::Failed {
                return Err(SealError::Malformed("what follows an error").into());
            }
            let ready = &self.plain[self.at..];
            if !ready.is_empty() {
                let n = ready.len().min(buffer.len());
                buffer[..n].copy_from_slice(&ready[..n]);
                self.at += n;
                return Ok(n);
            }
            if self.state == State::Done {
                return Ok(0);
            }
            if let Err(error) = self.advance() {
                self.state = State::Failed;
                return Err(error.into());
            }
        }
    }
}

/// Finds the recipient that is us and opens the content key.
fn content_key<R: Read>(ber: &mut Ber<R>, identity: &Identity) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut key = None;
    let mut recipients = 0;
    ber.enter(SET, "recipientInfos")?;
    while let Some(tag) = ber.peek()? {
        recipients += 1;
        if recipients > MOST_RECIPIENTS {
            return Err(SealError::TooLarge { what: "the list of recipients", limit: MOST_RECIPIENTS as u64 });
        }
        if tag != SEQUENCE || key.is_some() {
            ber.skip(LONGEST_RECIPIENT, "recipientInfos")?;
            continue;
        }
        key = key_transport(ber, identity)?;
    }
    ber.leave("recipientInfos")?;
    key.ok_or(SealError::NotForUs)
}

/// A KeyTransRecipientInfo: the content key when it is ours, `None` when it is for someone else.
fn key_transport<R: Read>(ber: &mut Ber<R>, identity: &Identity) -> Result<Option<Zeroizing<Vec<u8>>>, SealError> {
    ber.enter(SEQUENCE, "KeyTransRecipientInfo")?;
    ber.primitive(INTEGER, 4, "KeyTransRecipientInfo.version")?;
    let ours = names(ber, identity)?;
    let algorithm = ber.whole(SEQUENCE, LONGEST_ALGORITHM, "keyEncryptionAlgorithm")?;
    let sealed = ber.primitive(OCTETS, LONGEST_RECIPIENT as usize, "encryptedKey")?;
    ber.leave("KeyTransRecipientInfo")?;
    if !ours {
        return Ok(None);
    }
    accept_key_algorithm(&algorithm)?;

    let mut decrypter = Decrypter::new(identity.key())?;
    decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    decrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
    decrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut key = Zeroizing::new(vec![0; decrypter.decrypt_len(&sealed).map_err(|_| SealError::ContentKeyWrong)?]);
    let n = decrypter.decrypt(&sealed, &mut key).map_err(|_| SealError::ContentKeyWrong)?;
    key.truncate(n);
    Ok(Some(key))
}

/// Whether a recipient or signer identifier names the certificate of an identity.
fn names<R: Read>(ber: &mut Ber<R>, identity: &Identity) -> Result<bool, SealError> {
    named(ber, identity.certificate())
}

pub(super) fn named<R: Read>(ber: &mut Ber<R>, certificate: &crate::Certificate) -> Result<bool, SealError> {
    match ber.peek()? {
        Some(SEQUENCE) => {
            ber.enter(SEQUENCE, "issuerAndSerialNumber")?;
            let issuer = ber.whole(SEQUENCE, 4096, "issuer")?;
            let serial = ber.primitive(INTEGER, 64, "serialNumber")?;
            ber.leave("issuerAndSerialNumber")?;
            is_issuer_and_serial(certificate.x509(), &issuer, &serial)
        }
        Some(tag) if tag == primitive(0) => {
            let identifier = ber.primitive(tag, 64, "subjectKeyIdentifier")?;
            Ok(certificate.x509().subject_key_id().is_some_and(|own| own.as_slice() == identifier))
        }
        _ => Err(SealError::Malformed("the identifier of a certificate")),
    }
}

fn refused(what: &'static str, oid: &[u8]) -> SealError {
    SealError::AlgorithmRefused { what, found: der::dotted(oid) }
}

/// RSA-OAEP with SHA-256, MGF1 with SHA-256 and no label, and nothing else.
fn accept_key_algorithm(algorithm: &[u8]) -> Result<(), SealError> {
    let mut ber = Ber::new(algorithm);
    ber.enter(SEQUENCE, "keyEncryptionAlgorithm")?;
    let oid = ber.primitive(OID, 32, "keyEncryptionAlgorithm")?;
    if oid == der::RSA_ENCRYPTION {
        return Err(SealError::Pkcs1v15Refused);
    }
    if oid != der::RSAES_OAEP {
        return Err(refused("sealing the content key", &oid));
    }
    // The defaults of what is absent are SHA-1 (RFC 4055 section 4.1).
    let sha1 = || SealError::AlgorithmRefused { what: "RSA-OAEP", found: "SHA-1".to_owned() };
    if ber.peek()?.is_none() {
        return Err(sha1());
    }
    ber.enter(SEQUENCE, "RSAES-OAEP-params")?;
    if ber.peek()? != Some(constructed(0)) {
        return Err(sha1());
    }
    ber.enter(constructed(0), "RSAES-OAEP-params.hashFunc")?;
    accept_sha256(&mut ber)?;
    ber.leave("RSAES-OAEP-params.hashFunc")?;
    if ber.peek()? != Some(constructed(1)) {
        return Err(sha1());
    }
    ber.enter(constructed(1), "RSAES-OAEP-params.maskGenFunc")?;
    ber.enter(SEQUENCE, "maskGenFunc")?;
    let mask = ber.primitive(OID, 32, "maskGenFunc")?;
    if mask != der::MGF1 {
        return Err(refused("RSA-OAEP", &mask));
    }
    accept_sha256(&mut ber)?;
    ber.leave("maskGenFunc")?;
    ber.leave("RSAES-OAEP-params.maskGenFunc")?;
    if ber.peek()? == Some(constructed(2)) {
        ber.enter(constructed(2), "pSourceFunc")?;
        ber.enter(SEQUENCE, "pSourceFunc")?;
        let source = ber.primitive(OID, 32, "pSourceFunc")?;
        if source != der::P_SPECIFIED || !ber.primitive(OCTETS, LONGEST_ALGORITHM, "pSourceFunc")?.is_empty() {
            return Err(SealError::AlgorithmRefused { what: "RSA-OAEP", found: "a label".to_owned() });
        }
        ber.leave("pSourceFunc")?;
        ber.leave("pSourceFunc")?;
    }
    ber.leave("RSAES-OAEP-params")?;
    ber.leave("keyEncryptionAlgorithm")
}

fn accept_sha256(ber: &mut Ber<&[u8]>) -> Result<(), SealError> {
    ber.enter(SEQUENCE, "a hash function")?;
    let hash = ber.primitive(OID, 32, "a hash function")?;
    if hash != der::SHA_256 {
        return Err(refused("RSA-OAEP", &hash));
    }
    if ber.peek()?.is_some() {
        // NULL where others write nothing.
        ber.primitive(0x05, 0, "a hash function")?;
    }
    ber.leave("a hash function")
}

/// AES-256-GCM with a nonce of 12 and a tag of 16 bytes; the nonce.
fn content_algorithm<R: Read>(ber: &mut Ber<R>) -> Result<Vec<u8>, SealError> {
    ber.enter(SEQUENCE, "contentEncryptionAlgorithm")?;
    let oid = ber.primitive(OID, 32, "contentEncryptionAlgorithm")?;
    if oid != der::AES_256_GCM {
        return Err(refused("encrypting a package", &oid));
    }
    ber.enter(SEQUENCE, "GCMParameters")?;
    let nonce = ber.primitive(OCTETS, 64, "GCMParameters.nonce")?;
    if nonce.len() != aead::NONCE {
        return Err(SealError::AlgorithmRefused { what: "AES-256-GCM", found: format!("a nonce of {} bytes", nonce.len()) });
    }
    // The default of an absent length is 12 (RFC 5084 section 3.2), which is too short for us.
    let tag = if ber.peek()?.is_none() { vec![12] } else { ber.primitive(INTEGER, 4, "GCMParameters.icvLen")? };
    if tag != [aead::TAG as u8] {
        return Err(SealError::AlgorithmRefused { what: "AES-256-GCM", found: "a tag of fewer than 16 bytes".to_owned() });
    }
    ber.leave("GCMParameters")?;
    ber.leave("contentEncryptionAlgorithm")?;
    Ok(nonce)
}
