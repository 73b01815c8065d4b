use std::cmp::Ordering;
use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use openssl::asn1::{Asn1Integer, Asn1Time, Asn1TimeRef};
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Private, Public};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectKeyIdentifier};
use openssl::x509::{X509, X509Name, X509Ref};
use zeroize::Zeroizing;

use crate::{Passphrase, SealError};

/// Smallest RSA key that is accepted from others (CRYPTREC: 2048 bits until 2030). Our own have [`OWN_RSA_BITS`].
const SMALLEST_RSA_BITS: u32 = 2048;
/// Size of the keys that we make: 128 bits of strength (NIST SP 800-57 part 1, table 2).
const OWN_RSA_BITS: u32 = 3072;
/// Longest PEM file that is read.
const LONGEST_PEM: u64 = 256 * 1024;

/// A party's certificate: the one that is registered for it, not any of the same name or issuer.
#[derive(Clone)]
pub struct Certificate(X509);

impl Certificate {
    /// The first certificate of a PEM text.
    ///
    /// # Errors
    /// [`SealError::OpenSsl`] when it holds none.
    pub fn from_pem(pem: &[u8]) -> Result<Certificate, SealError> {
        Ok(Certificate(X509::from_pem(pem)?))
    }

    /// A certificate as it stands in the ledger.
    ///
    /// # Errors
    /// [`SealError::OpenSsl`] when it is none.
    pub fn from_der(der: &[u8]) -> Result<Certificate, SealError> {
        Ok(Certificate(X509::from_der(der)?))
    }

    /// The certificate in a PEM file.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate.
    pub fn from_file(path: &Path) -> Result<Certificate, SealError> {
        let pem = read_pem(path)?;
        Certificate::from_pem(&pem).map_err(|_| SealError::CertificateUnreadable { path: path.to_owned() })
    }

    /// As DER.
    ///
    /// # Errors
    /// When OpenSSL cannot encode it.
    pub fn der(&self) -> Result<Vec<u8>, SealError> {
        Ok(self.0.to_der()?)
    }

    /// As PEM.
    ///
    /// # Errors
    /// When OpenSSL cannot encode it.
    pub fn pem(&self) -> Result<Vec<u8>, SealError> {
        Ok(self.0.to_pem()?)
    }

    /// SHA-256 of the public key as the certificate has it (SubjectPublicKeyInfo, DER): the same for every certificate of one key.
    ///
    /// # Errors
    /// When OpenSSL cannot encode it.
    pub fn key_sha256(&self) -> Result<[u8; 32], SealError> {
        Ok(crate::hash::sha256(&self.0.public_key()?.public_key_to_der()?))
    }

    /// SHA-256 of the DER, in hexadecimal: what two people compare by telephone, and what a manifest names.
    ///
    /// # Errors
    /// When OpenSSL cannot encode it.
    pub fn fingerprint(&self) -> Result<String, SealError> {
        Ok(hex::encode(crate::hash::sha256(&self.der()?)))
    }

    /// Begin of its period as X.509 writes it.
    pub fn not_before(&self) -> String {
        self.0.not_before().to_string()
    }

    /// End of its period as X.509 writes it.
    pub fn not_after(&self) -> String {
        self.0.not_after().to_string()
    }

    /// Holds the certificate to its period.
    ///
    /// # Errors
    /// [`SealError::Expired`] or [`SealError::NotYetValid`].
    pub fn check_period(&self, at: Timestamp) -> Result<(), SealError> {
        let at = Asn1Time::from_unix(at.as_second())?;
        let after = |limit: &Asn1TimeRef| limit.compare(&at);
        if after(self.0.not_before())? == Ordering::Greater {
            return Err(SealError::NotYetValid { on: self.not_before() });
        }
        if after(self.0.not_after())? == Ordering::Less {
            return Err(SealError::Expired { on: self.not_after() });
        }
        Ok(())
    }

    /// Holds the certificate to what one can seal to: an RSA key of at least 2048 bits.
    ///
    /// # Errors
    /// [`SealError::WeakKey`] otherwise.
    pub fn check_sealing_key(&self) -> Result<(), SealError> {
        let key = self.public_key()?;
        if key.id() == Id::RSA && key.bits() >= SMALLEST_RSA_BITS {
            return Ok(());
        }
        Err(SealError::WeakKey { found: describe(&key), wanted: "RSA of at least 2048 bits" })
    }

    /// Holds the certificate to what one can sign with: RSA of at least 2048 bits, or EC of at least 256.
    ///
    /// # Errors
    /// [`SealError::WeakKey`] otherwise.
    pub fn check_signing_key(&self) -> Result<(), SealError> {
        let key = self.public_key()?;
        match key.id() {
            Id::RSA if key.bits() >= SMALLEST_RSA_BITS => Ok(()),
            Id::EC if key.bits() >= 256 => Ok(()),
            _ => Err(SealError::WeakKey { found: describe(&key), wanted: "RSA of at least 2048 bits or EC of at least 256" }),
        }
    }

    pub(crate) fn x509(&self) -> &X509 {
        &self.0
    }

    pub(crate) fn public_key(&self) -> Result<PKey<Public>, SealError> {
        Ok(self.0.public_key()?)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.0.to_der(), other.0.to_der()), (Ok(a), Ok(b)) if a == b)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.fingerprint().unwrap_or_default())
    }
}

fn describe(key: &PKeyRef<Public>) -> String {
    match key.id() {
        Id::RSA => format!("RSA of {} bits", key.bits()),
        Id::EC => format!("EC of {} bits", key.bits()),
        _ => "of another kind".to_owned(),
    }
}

/// A private key and its certificate.
#[derive(Clone)]
pub struct Identity {
    key: PKey<Private>,
    certificate: Certificate,
}

impl Identity {
    /// A private key and its certificate from PEM texts; `passphrase` when the key is encrypted.
    ///
    /// # Errors
    /// When either does not parse, or [`SealError::KeyCertificateMismatch`].
    pub fn from_pem(key: &[u8], certificate: &[u8], passphrase: Option<&Passphrase>) -> Result<Identity, SealError> {
        // Without a passphrase OpenSSL would ask at the terminal: an empty one makes it fail instead.
        let secret = passphrase.map_or(&b""[..], Passphrase::bytes);
        let key = PKey::private_key_from_pem_passphrase(key, secret)?;
        Identity::new(key, Certificate::from_pem(certificate)?)
    }

    /// As [`Identity::from_pem`], from files.
    ///
    /// # Errors
    /// When a file cannot be read or does not hold what it should, or [`SealError::KeyCertificateMismatch`].
    pub fn from_files(key: &Path, certificate: &Path, passphrase: Option<&Passphrase>) -> Result<Identity, SealError> {
        let pem = Zeroizing::new(read_pem(key)?);
        let secret = passphrase.map_or(&b""[..], Passphrase::bytes);
        let private =
            PKey::private_key_from_pem_passphrase(&pem, secret).map_err(|_| SealError::KeyUnreadable { path: key.to_owned() })?;
        Identity::new(private, Certificate::from_file(certificate)?)
    }

    fn new(key: PKey<Private>, certificate: Certificate) -> Result<Identity, SealError> {
        let public = certificate.public_key()?;
        if !key.public_eq(&public) {
            return Err(SealError::KeyCertificateMismatch);
        }
        Ok(Identity { key, certificate })
    }

    /// A new RSA key with a self-signed certificate, valid from five minutes ago (clocks differ) for `days`.
    ///
    /// # Errors
    /// When OpenSSL fails.
    pub(crate) fn generate(name: &str, usage: Usage, days: u32, now: Timestamp) -> Result<Identity, SealError> {
        let key = PKey::from_rsa(Rsa::generate(OWN_RSA_BITS)?)?;
        let mut subject = X509Name::builder()?;
        subject.append_entry_by_nid(Nid::COMMONNAME, name)?;
        let subject = subject.build();
        let mut serial = BigNum::new()?;
        serial.rand(159, MsbOption::MAYBE_ZERO, false)?;
        let serial: Asn1Integer = serial.to_asn1_integer()?;

        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(&serial)?;
        builder.set_subject_name(&subject)?;
        builder.set_issuer_name(&subject)?;
        builder.set_pubkey(&key)?;
        let from = now.as_second() - 300;
        let (not_before, not_after) = (Asn1Time::from_unix(from)?, Asn1Time::from_unix(from + i64::from(days) * 86_400)?);
        builder.set_not_before(&not_before)?;
        builder.set_not_after(&not_after)?;
        builder.append_extension(BasicConstraints::new().critical().build()?)?;
        let mut allowed = KeyUsage::new();
        match usage {
            Usage::Sign => allowed.critical().digital_signature().non_repudiation(),
            Usage::Open => allowed.critical().key_encipherment(),
        };
        builder.append_extension(allowed.build()?)?;
        let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
        builder.append_extension(identifier)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Identity { key, certificate: Certificate(builder.build()) })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn key(&self) -> &PKeyRef<Private> {
        &self.key
    }

    /// The private key in PEM, for handing it to a process of ours that opens one payload with it.
    ///
    /// # Errors
    /// When OpenSSL cannot encode it.
    pub fn key_pem(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        Ok(Zeroizing::new(self.key.private_key_to_pem_pkcs8()?))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity([key], {:?})", self.certificate)
    }
}

/// What a certificate of ours is for.
#[derive(Clone, Copy)]
pub(crate) enum Usage {
    /// Digital signatures.
    Sign,
    /// Opening what was sealed to it.
    Open,
}

fn read_pem(path: &Path) -> Result<Vec<u8>, SealError> {
    use std::io::Read;
    let mut pem = Vec::with_capacity(16 * 1024);
    let file = std::fs::File::open(path).map_err(SealError::file(path))?;
    file.take(LONGEST_PEM).read_to_end(&mut pem).map_err(SealError::file(path))?;
    Ok(pem)
}

/// Whether an issuer and serial number, as they stand in a CMS structure, are those of a certificate.
pub(crate) fn is_issuer_and_serial(certificate: &X509Ref, issuer: &[u8], serial: &[u8]) -> Result<bool, SealError> {
    let own_serial = certificate.serial_number().to_bn()?.to_vec();
    let first = serial.iter().position(|b| *b != 0).unwrap_or(serial.len());
    Ok(certificate.issuer_name().to_der()? == issuer && own_serial == serial[first..])
}
