//! A package in the instance's own keeping: opened, its signature checked, its payloads still sealed.

use std::path::PathBuf;

use ledger::{Package, PartyKind};
use package::{Manifest, PayloadEntry, SealedManifest};
use seal::{Certificate, Identity};
use terms::PatientIdRule;

use crate::Instance;
use crate::error::Error;
use crate::reading::{Mode, Task};

/// A package whose manifest holds.
pub(crate) struct Spooled {
    pub(crate) directory: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) rule: PatientIdRule,
    key: zeroize::Zeroizing<String>,
    certificate: String,
}

impl Spooled {
    /// Opens a package that the ledger knows.
    ///
    /// # Errors
    /// What the manifest's checks say; [`Error::Inconsistent`] when the ledger's row and the manifest differ.
    pub(crate) async fn open(instance: &Instance, row: &Package) -> Result<Spooled, Error> {
        let directory = instance.root.join(&row.directory);
        let provider = row.provider.as_ref().ok_or_else(|| Error::Inconsistent("a package without a provider".to_owned()))?;
        let mut reader = instance.ledger.read().await?;
        let party = reader.party(PartyKind::Provider, provider.as_str()).await?;
        let pinned = reader.certificate_at(PartyKind::Provider, provider.as_str(), row.received_at).await?;
        let unknown = || Error::Inconsistent("a package of a provider that is not registered".to_owned());
        let (party, pinned) = party.zip(pinned).ok_or_else(unknown)?;
        drop(reader);
        let sender = Certificate::from_der(&pinned)?;
        let identities = instance.keyring.intake_identities()?;
        // The certificate was valid when the package came: that is what counts.
        let opened = SealedManifest::open(&directory, &identities)?.verify_at(&sender, row.received_at)?;
        opened.check_files(&directory)?;
        let package::Opened { manifest, key, manifest_sha256 } = opened;
        // Another package of the same sender and number, put in its place, holds as well and is not the one that was looked at.
        let same = manifest_sha256 == row.manifest_sha256;
        if !same || manifest.sender != provider.as_str() || i64::try_from(manifest.sequence).ok() != row.sequence {
            return Err(Error::Inconsistent("a package in keeping is not the one that was received".to_owned()));
        }
        let identity =
            identities.get(key).ok_or_else(|| Error::Inconsistent("a package is sealed to no intake key".to_owned()))?;
        Spooled::new(directory, manifest, identity, party.patient_id_rule.unwrap_or_default())
    }

    pub(crate) fn new(
        directory: PathBuf,
        manifest: Manifest,
        identity: &Identity,
        rule: PatientIdRule,
    ) -> Result<Spooled, Error> {
        let key = zeroize::Zeroizing::new(String::from_utf8_lossy(&identity.key_pem()?).into_owned());
        let certificate = String::from_utf8_lossy(&identity.certificate().pem()?).into_owned();
        Ok(Spooled { directory, manifest, rule, key, certificate })
    }

    /// Where a payload lies.
    pub(crate) fn payload(&self, entry: &PayloadEntry) -> PathBuf {
        self.directory.join(&entry.name)
    }

    /// What a child is to be told, one task a payload.
    pub(crate) fn tasks<'a>(
        &'a self,
        mode: Mode,
        set_aside: &'a [String],
        chunk_bytes: usize,
    ) -> Result<impl Iterator<Item = Task> + use<'a>, Error> {
        let kind = crate::ingest::kind_of(&self.manifest.kind)?;
        let task = move |(n, entry): (usize, &PayloadEntry)| Task {
            mode,
            kind,
            provider: self.manifest.sender.clone(),
            rule: self.rule,
            payload: n as u32 + 1,
            entry: entry.clone(),
            key: self.key.clone(),
            certificate: self.certificate.clone(),
            set_aside: set_aside.to_vec(),
            chunk_bytes,
        };
        Ok(self.manifest.payloads.iter().enumerate().map(task))
    }
}
