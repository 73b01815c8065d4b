//! The ledger's rows about files of the lake.

use ledger::{Asset, AssetFilter, AssetState, Custody, NewAsset, Reader, Tx};
use seal::WrappedKey;
use terms::{AssetId, RecordId};

use crate::{LakeError, LakeFile, LakeTable, StagedFile};

/// Enters staged files as live assets with their keys.
pub(crate) async fn add(tx: &mut Tx, staged: &[StagedFile]) -> Result<(), LakeError> {
    let assets: Vec<_> = staged.iter().map(|file| (new_asset(file), Some(file.wrapped.clone()))).collect();
    tx.add_assets(&assets).await?;
    Ok(())
}

fn new_asset(file: &StagedFile) -> NewAsset {
    let whose = file.provider.as_ref().map_or("all providers", |p| p.as_str());
    NewAsset {
        id: file.asset,
        name: format!("{} of {whose}", file.table),
        kind: if file.table == LakeTable::RecordPerson { "linkage map" } else { "table file" }.to_owned(),
        class: file.table.class(),
        provider: file.provider.clone(),
        table: Some(file.table.name().to_owned()),
        path: file.path.clone(),
        size: file.size as i64,
        sha256: file.sha256,
        rows: Some(file.rows as i64),
        min_record: Some(RecordId(file.min_record)),
        max_record: Some(RecordId(file.max_record)),
        commit_seq: Some(file.commit_seq),
        custody: Custody::usual(file.table.class()),
    }
}

/// Takes files out of every later snapshot; their keys go with the same commit.
pub(crate) async fn doom(tx: &mut Tx, assets: &[AssetId], why: &str) -> Result<(), LakeError> {
    tx.doom_assets(assets, why).await?;
    tx.delete_keys(assets).await?;
    Ok(())
}

/// Notes that doomed files are removed.
pub(crate) async fn gone(tx: &mut Tx, assets: &[AssetId]) -> Result<(), LakeError> {
    tx.assets_gone(assets, "file removed").await?;
    Ok(())
}

/// The live files of the lake.
pub(crate) async fn live_files(reader: &mut Reader) -> Result<Vec<LakeFile>, LakeError> {
    reader.live_files().await?.into_iter().map(|(asset, wrapped)| lake_file(asset, wrapped)).collect()
}

fn lake_file(asset: Asset, wrapped: WrappedKey) -> Result<LakeFile, LakeError> {
    let malformed =
        |column: &str| LakeError::Ledger(ledger::LedgerError::Malformed { table: "asset".into(), column: column.into() });
    let table = asset.table.as_deref().and_then(|t| t.parse::<LakeTable>().ok()).ok_or_else(|| malformed("table_name"))?;
    // The path is made from what it must be, so that a row can lead to no other file.
    let path = crate::writer::relative_path(table, asset.provider.as_ref(), asset.id);
    if path != asset.path {
        return Err(malformed("location"));
    }
    Ok(LakeFile {
        asset: asset.id,
        table,
        provider: asset.provider,
        path,
        size: u64::try_from(asset.size).map_err(|_| malformed("size"))?,
        rows: asset.rows.and_then(|r| u64::try_from(r).ok()).ok_or_else(|| malformed("rows"))?,
        min_record: asset.min_record.ok_or_else(|| malformed("min_record"))?.0,
        max_record: asset.max_record.ok_or_else(|| malformed("max_record"))?.0,
        commit_seq: asset.commit_seq.ok_or_else(|| malformed("commit_seq"))?,
        wrapped,
    })
}

/// Files that are to be removed, with their paths.
pub(crate) async fn doomed(reader: &mut Reader) -> Result<Vec<(AssetId, String)>, LakeError> {
    let filter = AssetFilter { state: Some(AssetState::Doomed), ..Default::default() };
    let assets = reader.assets(&filter).await?;
    let of_lake = |a: &Asset| a.table.as_deref().and_then(|t| t.parse::<LakeTable>().ok());
    Ok(assets
        .iter()
        .filter_map(|a| of_lake(a).map(|t| (a.id, crate::writer::relative_path(t, a.provider.as_ref(), a.id))))
        .collect())
}
