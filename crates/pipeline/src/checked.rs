//! What a look at a package found, kept sealed beside it from `receive` to `ingest`, so that its payloads are not looked
//! through twice before they are read. A help and no fact: where it is missing, does not open, or belongs to another
//! package, rule or version, the payloads are looked through again. Reading them still checks every hash and tag.

use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::PathBuf;

use durable::NewFile;
use ledger::Package;
use seal::sealed_file::{SealedReader, SealedWriter};
use seal::{KeyScope, WrappedKey};
use serde::{Deserialize, Serialize};
use terms::{AssetClass, AssetId, PackageId, PatientIdRule, ProviderId};

use crate::Instance;
use crate::error::Error;
use crate::reading::Summary;

/// Whose summary it is: everything that it depends on.
#[derive(Serialize, Deserialize, PartialEq)]
struct Of {
    version: String,
    manifest_sha256: [u8; 32],
    rule: PatientIdRule,
}

impl Of {
    fn new(manifest_sha256: [u8; 32], rule: PatientIdRule) -> Of {
        Of { version: env!("CARGO_PKG_VERSION").to_owned(), manifest_sha256, rule }
    }
}

#[derive(Serialize, Deserialize)]
struct Wrapped {
    epoch: u32,
    algorithm: String,
    bytes: Vec<u8>,
}

/// Path of the file relative to the instance.
pub(crate) fn path(package: PackageId) -> String {
    format!("{}/{package}.checked", crate::sealed::DIRECTORY)
}

fn full_path(instance: &Instance, package: PackageId) -> PathBuf {
    instance.root.join(path(package))
}

fn scope(provider: &ProviderId) -> KeyScope {
    KeyScope { class: AssetClass::Package, provider: Some(provider.clone()) }
}

/// Keeps what was found. The lists of contacts and opt-outs are registered by now and not kept again.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn keep(
    instance: &Instance,
    package: PackageId,
    provider: &ProviderId,
    manifest_sha256: [u8; 32],
    rule: PatientIdRule,
    summary: &Summary,
) -> Result<(), Error> {
    let path = full_path(instance, package);
    let trouble = || Error::io(path.display().to_string());
    let json = |e: serde_json::Error| Error::Inconsistent(e.to_string());
    forget(instance, package)?;
    let id = AssetId(package.0);
    let (key, WrappedKey { epoch, algorithm, bytes, .. }) = instance.keyring.new_data_key(&scope(provider), id)?;
    let wrapped = serde_json::to_vec(&Wrapped { epoch, algorithm, bytes }).map_err(json)?;
    let mut file = NewFile::create(&path).map_err(trouble())?;
    file.write_all(&(wrapped.len() as u32).to_le_bytes()).map_err(trouble())?;
    file.write_all(&wrapped).map_err(trouble())?;
    let mut sealed = SealedWriter::new(file, &key, id.as_bytes())?;
    let kept = Summary { contacts: Vec::new(), opt_outs: Vec::new(), refused: None, ..summary.clone() };
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&(Of::new(manifest_sha256, rule), kept)).map_err(json)?);
    sealed.write_all(&plain).map_err(trouble())?;
    sealed.finish()?.finish().map_err(trouble())
}

/// What was found in a package when it was received, where that is still known.
pub(crate) fn found(instance: &Instance, package: &Package, provider: &ProviderId, rule: PatientIdRule) -> Option<Summary> {
    let mut file = BufReader::new(File::open(full_path(instance, package.id)).ok()?);
    let mut length = [0; 4];
    file.read_exact(&mut length).ok()?;
    let mut wrapped = Vec::new();
    (&mut file).take(u64::from(u32::from_le_bytes(length)).min(1 << 16)).read_to_end(&mut wrapped).ok()?;
    let Wrapped { epoch, algorithm, bytes } = serde_json::from_slice(&wrapped).ok()?;
    let id = AssetId(package.id.0);
    let key = instance.keyring.open_data_key(id, &WrappedKey { scope: scope(provider), epoch, algorithm, bytes }).ok()?;
    let mut plain = zeroize::Zeroizing::new(Vec::new());
    SealedReader::new(file, &key, id.as_bytes()).ok()?.read_to_end(&mut plain).ok()?;
    let (of, summary): (Of, Summary) = serde_json::from_slice(&plain).ok()?;
    (of == Of::new(package.manifest_sha256, rule)).then_some(summary)
}

/// Removes what was kept of a package.
///
/// # Errors
/// When it cannot be removed.
pub(crate) fn forget(instance: &Instance, package: PackageId) -> Result<(), Error> {
    let path = full_path(instance, package);
    durable::remove_file(&path).map_err(Error::io(path.display().to_string()))
}
