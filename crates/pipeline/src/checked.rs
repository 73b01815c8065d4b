//! What a look at a package found, kept sealed from `receive` to `ingest`, so that its payloads are not looked through twice
//! before they are read. A help and no fact: where it is missing, does not open, or belongs to another package, rule or
//! version, the payloads are looked through again. Reading them still checks every hash and tag.
//!
//! It can name patients, so it is an asset of the identity class of its provider, with a key of its own that goes when the
//! package is taken in, set aside or destroyed.

use std::collections::HashSet;

use ledger::{Asset, AssetFilter, AssetState, Package, Reader, Tx};
use seal::KeyScope;
use serde::{Deserialize, Serialize};
use terms::{AssetClass, AssetId, PackageId, PatientIdRule, ProviderId};

use crate::Instance;
use crate::error::Error;
use crate::patients::Patients;
use crate::reading::Summary;
use crate::sealed::{self, Written};

/// What reading a package has to know of the whole of it before its first file.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Checked {
    /// Keyed hashes of patients whose files stand in several places, or under several ways to write one id: their rows wait for
    /// the end.
    pub(crate) scattered: HashSet<[u8; 32]>,
    /// Local ids whose files are not read to rows, because some file says that they may be another's.
    pub(crate) set_aside: Vec<String>,
}

impl Checked {
    /// Takes what is needed of what the reading process said.
    ///
    /// # Errors
    /// When a hash cannot be computed.
    pub(crate) fn of(summary: &Summary, patients: &Patients) -> Result<Checked, Error> {
        let mut once = HashSet::new();
        let mut scattered = HashSet::new();
        for local_id in &summary.patients {
            scattered.extend(patients.hash(local_id)?.map(|hash| hash.0).filter(|hash| !once.insert(*hash)));
        }
        // Whom a file names besides its own patient turns up wherever that file stands.
        for local_id in &summary.set_aside {
            scattered.extend(patients.hash(local_id)?.map(|hash| hash.0));
        }
        Ok(Checked { scattered, set_aside: summary.set_aside.clone() })
    }
}

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

/// Kind of the assets.
const KIND: &str = "package summary";

/// Seals what was found. The caller's transaction makes it an asset.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(
    instance: &Instance,
    package: PackageId,
    provider: &ProviderId,
    manifest_sha256: [u8; 32],
    rule: PatientIdRule,
    checked: &Checked,
) -> Result<Written, Error> {
    let scope = KeyScope { class: AssetClass::Identity, provider: Some(provider.clone()) };
    sealed::write_in(instance, scope, KIND, package.to_string(), |to| {
        let to = std::io::BufWriter::new(to);
        serde_json::to_writer(to, &(Of::new(manifest_sha256, rule), checked))
            .map_err(|e| Error::io("writing a summary")(e.into()))
    })
}

/// The asset with what was found in a package, where there is one.
async fn asset(reader: &mut Reader, package: PackageId, provider: &ProviderId) -> Result<Option<Asset>, Error> {
    let filter = AssetFilter {
        class: Some(AssetClass::Identity),
        provider: Some(provider.clone()),
        state: Some(AssetState::Live),
        ..Default::default()
    };
    let name = package.to_string();
    Ok(reader.assets(&filter).await?.into_iter().find(|a| a.kind == KIND && a.name == name))
}

/// What was found in a package when it was received, where that is still known.
///
/// # Errors
/// Of the ledger.
pub(crate) async fn found(
    instance: &Instance,
    package: &Package,
    provider: &ProviderId,
    rule: PatientIdRule,
) -> Result<Option<Checked>, Error> {
    let Some(asset) = asset(&mut instance.ledger.read().await?, package.id, provider).await? else { return Ok(None) };
    let Ok(plain) = sealed::read(instance, asset.id).await.map(zeroize::Zeroizing::new) else { return Ok(None) };
    let Ok((of, checked)) = serde_json::from_slice::<(Of, Checked)>(&plain) else { return Ok(None) };
    Ok((of == Of::new(package.manifest_sha256, rule)).then_some(checked))
}

/// Has what was kept of a package destroyed: its key and file go with [`crate::dataset::finish_doomed`] after the commit.
/// Says whether there was something.
///
/// # Errors
/// Of the ledger.
pub(crate) async fn forget(tx: &mut Tx, package: PackageId, provider: &ProviderId, why: &str) -> Result<bool, Error> {
    let found: Option<AssetId> = asset(tx.read(), package, provider).await?.map(|a| a.id);
    if let Some(id) = found {
        tx.doom_assets(&[id], why).await?;
    }
    Ok(found.is_some())
}
