use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;
use seal::hash::sha256;
use seal::{Certificate, Identity, SealError, cms};

use crate::{ENDING, LARGEST_MANIFEST, MANIFEST, Manifest, PackageError};

/// A manifest that was opened with our key, and whose signature is not verified yet.
pub struct SealedManifest {
    signed: Vec<u8>,
    claimed: Manifest,
    key: usize,
}

/// A manifest under a signature that holds.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What the package says about itself.
    pub manifest: Manifest,
    /// SHA-256 of the manifest's JSON: the same package sent twice has the same, however often it was sealed.
    pub manifest_sha256: [u8; 32],
    /// Which of the given identities the package is sealed to.
    pub key: usize,
}

impl SealedManifest {
    /// Opens the manifest of a package with one of our keys.
    ///
    /// # Errors
    /// [`PackageError::NotAPackage`], [`PackageError::ManifestMalformed`], [`PackageError::WrongRecipient`], or what `seal` finds (not for us,
    /// truncated, tag mismatch and so on).
    pub fn open(dir: &Path, identities: &[Identity]) -> Result<SealedManifest, PackageError> {
        let not_a_package = || PackageError::NotAPackage { path: dir.to_owned() };
        let named = dir.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(ENDING.as_bytes()));
        let metadata = dir.symlink_metadata().map_err(PackageError::file(dir))?;
        if !named || !metadata.is_dir() {
            return Err(not_a_package());
        }
        let path = dir.join(MANIFEST);
        let regular = path.symlink_metadata().is_ok_and(|m| m.is_file());
        if !regular {
            return Err(not_a_package());
        }
        let mut sealed = Vec::new();
        let file = File::open(&path).map_err(PackageError::file(&path))?;
        file.take(LARGEST_MANIFEST * 2 + 1).read_to_end(&mut sealed).map_err(PackageError::file(&path))?;

        for (key, identity) in identities.iter().enumerate() {
            let signed = match cms::decrypt_small(&sealed, identity, LARGEST_MANIFEST) {
                Err(SealError::NotForUs) => continue,
                other => other?,
            };
            let claimed = Manifest::parse(&cms::claimed_content(&signed)?)?;
            if claimed.recipient_key != identity.certificate().fingerprint()? {
                return Err(PackageError::WrongRecipient);
            }
            return Ok(SealedManifest { signed, claimed, key });
        }
        Err(SealError::NotForUs.into())
    }

    /// Who the sender claims to be: only to find the certificate that [`SealedManifest::verify`] needs.
    pub fn claimed_sender(&self) -> &str {
        &self.claimed.sender
    }

    /// Everything that the manifest claims, **not verified**: to record what was refused, nothing else.
    pub fn claimed(&self) -> &Manifest {
        &self.claimed
    }

    /// Holds the manifest to the pinned certificate of its sender.
    ///
    /// # Errors
    /// What `seal` finds: wrong signer, bad signature, expired.
    pub fn verify(self, pinned: &Certificate) -> Result<Opened, PackageError> {
        self.verify_at(pinned, Timestamp::now())
    }

    /// As [`SealedManifest::verify`], at a moment.
    ///
    /// # Errors
    /// As [`SealedManifest::verify`].
    pub fn verify_at(self, pinned: &Certificate, at: Timestamp) -> Result<Opened, PackageError> {
        let json = cms::verify_at(&self.signed, pinned, at)?;
        let manifest = Manifest::parse(&json)?;
        Ok(Opened { manifest, manifest_sha256: sha256(&json), key: self.key })
    }
}

/// Opens and verifies the manifest of a package, and holds the directory to it.
///
/// # Errors
/// As [`SealedManifest::open`], [`SealedManifest::verify`] and [`Opened::check_files`].
pub fn open_manifest(dir: &Path, identities: &[Identity], pinned: &Certificate) -> Result<Opened, PackageError> {
    let opened = SealedManifest::open(dir, identities)?.verify(pinned)?;
    opened.check_files(dir)?;
    Ok(opened)
}

impl Opened {
    /// Holds the files that are there to those that the manifest names: all of them, none besides, regular, and of their sizes.
    ///
    /// # Errors
    /// [`PackageError::PayloadMissing`], [`PackageError::Undeclared`], [`PackageError::Truncated`] or [`PackageError::HashMismatch`].
    pub fn check_files(&self, dir: &Path) -> Result<(), PackageError> {
        let declared: BTreeSet<&str> = self.manifest.payloads.iter().map(|p| p.name.as_str()).collect();
        for (i, entry) in fs::read_dir(dir).map_err(PackageError::file(dir))?.enumerate() {
            let entry = entry.map_err(PackageError::file(dir))?;
            let name = entry.file_name();
            let known = name.to_str().is_some_and(|n| n == MANIFEST || declared.contains(n));
            if !known || i > declared.len() {
                return Err(PackageError::Undeclared);
            }
        }
        for (i, payload) in self.manifest.payloads.iter().enumerate() {
            let metadata = dir.join(&payload.name).symlink_metadata().map_err(|_| PackageError::PayloadMissing(i + 1))?;
            if !metadata.is_file() {
                return Err(PackageError::Undeclared);
            }
            if metadata.len() < payload.cipher_size {
                return Err(PackageError::Truncated);
            }
            if metadata.len() > payload.cipher_size {
                return Err(PackageError::HashMismatch("the size of a payload"));
            }
        }
        Ok(())
    }
}
