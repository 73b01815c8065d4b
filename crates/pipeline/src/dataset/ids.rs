//! The table that says which record has which id of a linkable data set: sealed from the making of the data set until its keys have been
//! handed over.

use std::collections::BTreeSet;

use ledger::{AssetState, Reader};
use terms::{AssetClass, AssetId, DatasetId, RecordId, ReleaseKind};

use crate::Instance;
use crate::error::Error;
use crate::sealed;

/// Name of the setting that says which asset is the table of a linkable data set's ids.
pub(super) fn provision_setting(id: DatasetId) -> String {
    format!("dataset.{id}.provision")
}

/// Seals which record has which id.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(instance: &Instance, id: DatasetId, ids: &[(i64, i64)]) -> Result<sealed::Written, Error> {
    sealed::write(instance, AssetClass::Method, "provision ids", format!("provision ids of data set {id}"), |to| {
        serde_json::to_writer(to, ids).map_err(|e| Error::Inconsistent(e.to_string()))
    })
}

/// The table of a data set's ids, when it is there.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn of(reader: &mut Reader, id: DatasetId) -> Result<Option<AssetId>, Error> {
    let Some(asset) = reader.setting(&provision_setting(id)).await?.and_then(|a| a.parse().ok()) else { return Ok(None) };
    Ok(reader.asset(asset).await?.filter(|a| a.state == AssetState::Live).map(|a| a.id))
}

/// Record and id.
///
/// # Errors
/// When it does not open.
pub(super) async fn read(instance: &Instance, asset: AssetId) -> Result<Vec<(i64, i64)>, Error> {
    serde_json::from_slice(&sealed::read(instance, asset).await?)
        .map_err(|_| Error::Inconsistent("a table of ids is malformed".to_owned()))
}

/// Takes erased records out of the tables of ids: with them, the house could still say which rows of a delivered data set are theirs.
///
/// # Errors
/// When a table does not open or the ledger cannot be written.
pub(super) async fn forget(instance: &Instance, erased: &BTreeSet<RecordId>) -> Result<(), Error> {
    let mut reader = instance.ledger.read().await?;
    let mut tables = Vec::new();
    for dataset in reader.datasets().await?.into_iter().filter(|d| d.kind == ReleaseKind::LinkableAnonymized) {
        tables.extend(of(&mut reader, dataset.id).await?.map(|asset| (dataset.id, asset)));
    }
    drop(reader);
    for (id, old) in tables {
        let mut ids = read(instance, old).await?;
        let before = ids.len();
        ids.retain(|(record, _)| !erased.contains(&RecordId(*record)));
        if ids.len() == before {
            continue;
        }
        let written = write(instance, id, &ids)?;
        let new = written.asset.id;
        let mut tx = instance.ledger.begin(&instance.actor, "take erased records out of a table of ids").await?;
        tx.add_assets(&[(written.asset, Some(written.key))]).await?;
        tx.set_setting(&provision_setting(id), &new.to_string()).await?;
        tx.doom_assets(&[old], "records in it were erased").await?;
        tx.commit().await?;
    }
    Ok(())
}
