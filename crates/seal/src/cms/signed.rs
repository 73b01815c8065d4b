//! Attached signatures: CMS SignedData of one signer, whose certificate the verifier already has.

use jiff::Timestamp;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::stack::Stack;
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;

use super::ber::Ber;
use super::decrypt::named;
use super::der::{self, INTEGER, OID, SEQUENCE, SET, constructed};
use crate::{Certificate, Identity, SealError};

/// Longest signed content: a manifest, an approval. Whole in memory.
const LONGEST: usize = 8 * 1024 * 1024;
/// Certificates and revocation lists that a signer may add.
const LONGEST_EXTRAS: u64 = 1024 * 1024;

/// Signs content that is then carried inside the signature. `openssl cms -verify` reads it.
///
/// # Errors
/// [`SealError::WeakKey`] for a key that must not sign; [`SealError::Expired`] and [`SealError::NotYetValid`] for a certificate that
/// the other side would refuse; or when OpenSSL fails.
pub fn sign(content: &[u8], signer: &Identity) -> Result<Vec<u8>, SealError> {
    signer.certificate().check_signing_key()?;
    signer.certificate().check_period(Timestamp::now())?;
    let signed =
        CmsContentInfo::sign(Some(signer.certificate().x509()), Some(signer.key()), None, Some(content), CMSOptions::BINARY)?;
    Ok(signed.to_der()?)
}

/// The content, if it was signed with the pinned certificate and that certificate is within its period now.
///
/// # Errors
/// As [`verify_at`].
pub fn verify(signed: &[u8], pinned: &Certificate) -> Result<Vec<u8>, SealError> {
    verify_at(signed, pinned, Timestamp::now())
}

/// The content, if it was signed with the pinned certificate and that certificate is within its period at a moment.
///
/// Only the pinned certificate counts: neither one that the signer encloses, nor another of the same issuer, nor the system's roots.
///
/// # Errors
/// [`SealError::WrongSigner`], [`SealError::Expired`], [`SealError::NotYetValid`], [`SealError::BadSignature`],
/// [`SealError::AlgorithmRefused`], [`SealError::Malformed`], [`SealError::Truncated`] or [`SealError::TooLarge`].
pub fn verify_at(signed: &[u8], pinned: &Certificate, at: Timestamp) -> Result<Vec<u8>, SealError> {
    let parts = parse(signed, Some(pinned))?;
    if !parts.by_pinned {
        return Err(SealError::WrongSigner);
    }
    pinned.check_signing_key()?;
    pinned.check_period(at)?;

    let mut cms = CmsContentInfo::from_der(signed).map_err(|_| SealError::Malformed("SignedData"))?;
    let mut certificates: Stack<X509> = Stack::new()?;
    certificates.push(pinned.x509().clone())?;
    let store = X509StoreBuilder::new()?.build();
    let mut content = Vec::new();
    // NOINTERN: enclosed certificates are not looked at. The pinned one needs no chain: it is trusted itself.
    let options = CMSOptions::BINARY | CMSOptions::NOINTERN | CMSOptions::NO_SIGNER_CERT_VERIFY;
    cms.verify(Some(&certificates), Some(&store), None, Some(&mut content), options).map_err(|_| SealError::BadSignature)?;
    // Two parsers have read the same bytes; what was verified must be what was looked at.
    if content != parts.content {
        return Err(SealError::Malformed("SignedData.encapContentInfo"));
    }
    Ok(content)
}

/// The content of a SignedData as it claims to be, **not verified**: to find out whose certificate to verify it with.
///
/// # Errors
/// [`SealError::Malformed`], [`SealError::Truncated`], [`SealError::TooLarge`] or [`SealError::AlgorithmRefused`].
pub fn claimed_content(signed: &[u8]) -> Result<Vec<u8>, SealError> {
    parse(signed, None).map(|parts| parts.content)
}

struct Parts {
    content: Vec<u8>,
    by_pinned: bool,
}

/// Takes a SignedData (RFC 5652 section 5.1) apart and holds it to what we accept.
fn parse(signed: &[u8], pinned: Option<&Certificate>) -> Result<Parts, SealError> {
    if signed.len() > 2 * LONGEST {
        return Err(SealError::TooLarge { what: "the signed content", limit: LONGEST as u64 });
    }
    let mut ber = Ber::new(signed);
    ber.enter(SEQUENCE, "ContentInfo")?;
    if ber.primitive(OID, 32, "ContentInfo.contentType")? != der::ID_SIGNED_DATA {
        return Err(SealError::Malformed("ContentInfo.contentType"));
    }
    ber.enter(constructed(0), "ContentInfo.content")?;
    ber.enter(SEQUENCE, "SignedData")?;
    ber.primitive(INTEGER, 4, "SignedData.version")?;
    if ber.peek()? != Some(SET) {
        return Err(SealError::Malformed("SignedData.digestAlgorithms"));
    }
    ber.skip(4096, "SignedData.digestAlgorithms")?;
    ber.enter(SEQUENCE, "SignedData.encapContentInfo")?;
    if ber.primitive(OID, 32, "SignedData.encapContentInfo")? != der::ID_DATA {
        return Err(SealError::Malformed("SignedData.encapContentInfo"));
    }
    if ber.peek()? != Some(constructed(0)) {
        return Err(SealError::Malformed("SignedData.encapContentInfo.eContent"));
    }
    ber.enter(constructed(0), "eContent")?;
    let content = ber.octets(LONGEST, "the signed content")?;
    ber.leave("eContent")?;
    ber.leave("SignedData.encapContentInfo")?;
    for enclosed in [constructed(0), constructed(1)] {
        if ber.peek()? == Some(enclosed) {
            ber.skip(LONGEST_EXTRAS, "SignedData.certificates")?;
        }
    }
    ber.enter(SET, "SignedData.signerInfos")?;
    let by_pinned = signer(&mut ber, pinned)?;
    if ber.peek()?.is_some() {
        return Err(SealError::Malformed("SignedData.signerInfos, which must be one"));
    }
    ber.leave("SignedData.signerInfos")?;
    ber.leave("SignedData")?;
    ber.leave("ContentInfo.content")?;
    ber.leave("ContentInfo")?;
    ber.finish()?;
    Ok(Parts { content, by_pinned })
}

/// A SignerInfo: whether it names the pinned certificate.
fn signer(ber: &mut Ber<&[u8]>, pinned: Option<&Certificate>) -> Result<bool, SealError> {
    if ber.peek()?.is_none() {
        return Err(SealError::Malformed("SignedData.signerInfos, which must be one"));
    }
    ber.enter(SEQUENCE, "SignerInfo")?;
    ber.primitive(INTEGER, 4, "SignerInfo.version")?;
    let by_pinned = match pinned {
        Some(certificate) => named(ber, certificate)?,
        None => {
            ber.skip(8192, "SignerInfo.sid")?;
            false
        }
    };
    ber.enter(SEQUENCE, "SignerInfo.digestAlgorithm")?;
    let hash = ber.primitive(OID, 32, "SignerInfo.digestAlgorithm")?;
    if ![der::SHA_256, der::SHA_384, der::SHA_512].contains(&hash.as_slice()) {
        return Err(SealError::AlgorithmRefused { what: "a signature", found: der::dotted(&hash) });
    }
    while ber.peek()?.is_some() {
        ber.skip(64, "SignerInfo.digestAlgorithm")?;
    }
    ber.leave("SignerInfo.digestAlgorithm")?;
    while ber.peek()?.is_some() {
        ber.skip(LONGEST_EXTRAS, "SignerInfo")?;
    }
    ber.leave("SignerInfo")?;
    Ok(by_pinned)
}
