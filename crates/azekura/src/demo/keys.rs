//! Keys and certificates of everybody who takes part, as each of them would make them at home.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509, X509Name};
use seal::Identity;

use crate::failure::Failure;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Signing packages and opening what comes back, or opening data sets: RSA.
    Packages,
    /// Signing decisions: EC.
    Decisions,
}

/// Files of a private key and its certificate.
#[derive(Clone)]
pub struct Pair {
    /// Private key (PEM).
    pub key: PathBuf,
    /// Certificate (PEM).
    pub cert: PathBuf,
}

impl Pair {
    /// Makes a key and a certificate that it signs itself: what counts is that the producer registers it.
    ///
    /// # Errors
    /// When OpenSSL or the disk refuses.
    pub fn make(dir: &Path, name: &str, purpose: Use) -> Result<Pair, Failure> {
        let pair = Pair { key: dir.join(format!("{name}.key.pem")), cert: dir.join(format!("{name}.cert.pem")) };
        let (key, cert) = generate(name, purpose).context("making a key")?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&pair.key)?;
        file.write_all(&key)?;
        std::fs::write(&pair.cert, cert)?;
        Ok(pair)
    }

    /// Makes several at once.
    ///
    /// # Errors
    /// As [`Pair::make`].
    pub fn make_all(dir: &Path, wanted: &[(String, Use)]) -> Result<Vec<Pair>, Failure> {
        let made: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = wanted.iter().map(|(name, purpose)| scope.spawn(|| Pair::make(dir, name, *purpose))).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        made.into_iter().map(|m| m.unwrap_or_else(|_| Err(anyhow::anyhow!("making a key broke off").into()))).collect()
    }

    /// Loads the two files.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together.
    pub fn identity(&self) -> Result<Identity, Failure> {
        Identity::from_files(&self.key, &self.cert, None).map_err(|e| Failure::Pipeline(e.into()))
    }
}

fn generate(name: &str, purpose: Use) -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
    let key: PKey<Private> = match purpose {
        Use::Packages => PKey::from_rsa(Rsa::generate(3072)?)?,
        Use::Decisions => {
            let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            PKey::from_ec_key(EcKey::generate(&curve)?)?
        }
    };
    let mut subject = X509Name::builder()?;
    subject.append_entry_by_text("C", "JP")?;
    subject.append_entry_by_text("O", "Azekura demo")?;
    subject.append_entry_by_text("CN", name)?;
    let subject = subject.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let mut cert = X509::builder()?;
    cert.set_version(2)?;
    cert.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    cert.set_subject_name(&subject)?;
    cert.set_issuer_name(&subject)?;
    cert.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
    cert.set_not_after(Asn1Time::days_from_now(365)?.as_ref())?;
    cert.set_pubkey(&key)?;
    cert.append_extension(BasicConstraints::new().critical().build()?)?;
    let mut usage = KeyUsage::new();
    usage.critical().digital_signature();
    if purpose == Use::Packages {
        usage.key_encipherment();
    }
    cert.append_extension(usage.build()?)?;
    cert.sign(&key, MessageDigest::sha256())?;
    Ok((key.private_key_to_pem_pkcs8()?, cert.build().to_pem()?))
}
