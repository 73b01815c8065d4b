//! The asset ledger (資産台帳): every sealed file with the fields that the guideline recommends (control CUS-06), and the
//! wrapped key that opens it. The eleventh field, the processing history, is [`crate::Reader::history`].

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use seal::{KeyScope, WrappedKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};
use terms::{AssetClass, AssetId, ProviderId, RecordId};

use crate::error::Result;
use crate::event::{Event, now};
use crate::marks::mark;
use crate::packages::not_in_state;
use crate::row::{Columns, Hex32};
use crate::words::AssetState;
use crate::{LedgerError, Reader, Tx};

/// What the guideline wants said about an asset and what is the same for all assets of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custody {
    /// Format, and by what it is read.
    pub format: String,
    /// Number and place of copies.
    pub copies: String,
    /// Ids of devices or media.
    pub device: String,
    /// Outline of the business that it serves.
    pub business: String,
    /// Who is responsible.
    pub responsible: String,
    /// Who may have access.
    pub access: String,
    /// Until when it must be kept.
    pub retain_until: Option<Date>,
    /// When it is planned to be disposed of.
    pub dispose_on: Option<Date>,
}

impl Custody {
    /// The usual for a class, in words that an operator may replace.
    pub fn usual(class: AssetClass) -> Custody {
        let (format, business, access) = match class {
            AssetClass::Identity => {
                ("encrypted Parquet; azekura", "identity vault for linkage", "linkage and opt-out steps only")
            }
            AssetClass::Source => {
                ("encrypted Parquet; azekura", "source bytes for re-reading and lineage", "ingest and erasure steps only")
            }
            AssetClass::Clinical => {
                ("encrypted Parquet (OMOP CDM 5.4); azekura", "making of data sets", "operators with a purpose")
            }
            AssetClass::Findings => ("sealed file; azekura", "quality reports to providers", "operators; the provider"),
            AssetClass::Linkage => ("encrypted Parquet; azekura", "which records are one person", "linkage and build steps only"),
            AssetClass::Dataset => ("sealed files; azekura", "provision to a recipient", "officers; the committee"),
            AssetClass::Method => ("sealed file; azekura", "processing method, more strictly kept", "two persons together"),
            AssetClass::Package => ("CMS package; openssl cms", "intake", "receive and ingest steps only"),
        };
        Custody {
            format: format.to_owned(),
            copies: "1, in the instance".to_owned(),
            device: "instance storage".to_owned(),
            business: business.to_owned(),
            responsible: "operator of the instance".to_owned(),
            access: access.to_owned(),
            retain_until: None,
            dispose_on: None,
        }
    }
}

/// An asset to enter. Its file lies under its final name, synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAsset {
    /// Its id.
    pub id: AssetId,
    /// Name, without anything about a person.
    pub name: String,
    /// Kind (`table file`, `package`, `report`, `linkage map` …).
    pub kind: String,
    /// Class under whose key it is sealed.
    pub class: AssetClass,
    /// Whose information it is, where it is one provider's.
    pub provider: Option<ProviderId>,
    /// Table of the lake.
    pub table: Option<String>,
    /// Path in the instance.
    pub path: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes as stored.
    pub sha256: [u8; 32],
    /// Rows.
    pub rows: Option<i64>,
    /// Smallest record in it.
    pub min_record: Option<RecordId>,
    /// Largest record in it.
    pub max_record: Option<RecordId>,
    /// Commit of the lake that brought it.
    pub commit_seq: Option<i64>,
    /// The rest of the guideline's fields.
    pub custody: Custody,
}

/// An asset of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// Its number (整理番号).
    pub number: i64,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: String,
    /// Class under whose key it is sealed.
    pub class: AssetClass,
    /// Whose information it is.
    pub provider: Option<ProviderId>,
    /// Table of the lake.
    pub table: Option<String>,
    /// Path in the instance.
    pub path: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes as stored.
    pub sha256: [u8; 32],
    /// Rows.
    pub rows: Option<i64>,
    /// Smallest record in it.
    pub min_record: Option<RecordId>,
    /// Largest record in it.
    pub max_record: Option<RecordId>,
    /// Commit of the lake that brought it.
    pub commit_seq: Option<i64>,
    /// Since when it is there.
    pub created_at: Timestamp,
    /// Whether its file is there.
    pub state: AssetState,
    /// The rest of the guideline's fields.
    pub custody: Custody,
}

/// Which assets to list. Everything that is `None` is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetFilter {
    /// Only of this class.
    pub class: Option<AssetClass>,
    /// Only of this table.
    pub table: Option<String>,
    /// Only of this provider.
    pub provider: Option<ProviderId>,
    /// Only in this state.
    pub state: Option<AssetState>,
}

fn asset(row: &SqliteRow) -> Result<Asset> {
    let c = Columns::new("asset", row);
    Ok(Asset {
        id: c.parsed("asset_id")?,
        number: c.get("number")?,
        name: c.get("name")?,
        kind: c.get("kind")?,
        class: c.parsed("class")?,
        provider: c.parsed_if("provider")?,
        table: c.get("table_name")?,
        path: c.get("location")?,
        size: c.get("size")?,
        sha256: c.hash("sha256")?,
        rows: c.get("rows")?,
        min_record: c.get::<Option<i64>>("min_record")?.map(RecordId),
        max_record: c.get::<Option<i64>>("max_record")?.map(RecordId),
        commit_seq: c.get("commit_seq")?,
        created_at: c.time("created_at")?,
        state: c.parsed("state")?,
        custody: Custody {
            format: c.get("format")?,
            copies: c.get("copies")?,
            device: c.get("device")?,
            business: c.get("business")?,
            responsible: c.get("responsible")?,
            access: c.get("access")?,
            retain_until: c.parsed_if("retain_until")?,
            dispose_on: c.parsed_if("dispose_on")?,
        },
    })
}

fn key(row: &SqliteRow) -> Result<(AssetId, WrappedKey)> {
    let c = Columns::new("asset_key", row);
    let epoch = c.get::<i64>("epoch")?;
    let malformed = |_| LedgerError::Malformed { table: "asset_key".into(), column: "epoch".into() };
    let wrapped = WrappedKey {
        scope: KeyScope { class: c.parsed("scope_class")?, provider: c.parsed_if("scope_provider")? },
        epoch: u32::try_from(epoch).map_err(malformed)?,
        algorithm: c.get("algorithm")?,
        bytes: c.get("wrapped")?,
    };
    Ok((c.parsed("asset_id")?, wrapped))
}

impl Tx {
    /// Enters assets, live, with the wrapped keys of those that are sealed under one. One event an asset.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`].
    pub async fn add_assets(&mut self, assets: &[(NewAsset, Option<WrappedKey>)]) -> Result<()> {
        let Ok(count) = u32::try_from(assets.len()) else {
            return Err(LedgerError::Invalid { what: "the number of assets", form: "at most 4 thousand million" });
        };
        if count == 0 {
            return Ok(());
        }
        let mut number = self.count_on("asset", count).await?;
        let created = now();
        for chunk in assets.chunks(100) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "insert into asset (asset_id, number, name, kind, format, location, copies, device, business, responsible, access,
                 created_at, retain_until, dispose_on, class, provider, table_name, size, sha256, rows, min_record, max_record,
                 commit_seq, state) ",
            );
            insert.push_values(chunk, |mut row, (new, _)| {
                let custody = &new.custody;
                row.push_bind(new.id.to_string()).push_bind(number).push_bind(&new.name).push_bind(&new.kind);
                row.push_bind(&custody.format).push_bind(&new.path).push_bind(&custody.copies).push_bind(&custody.device);
                row.push_bind(&custody.business).push_bind(&custody.responsible).push_bind(&custody.access).push_bind(&created);
                row.push_bind(custody.retain_until.map(|d| d.to_string())).push_bind(custody.dispose_on.map(|d| d.to_string()));
                row.push_bind(new.class.as_str()).push_bind(new.provider.as_ref().map(|p| p.as_str()));
                row.push_bind(new.table.as_deref()).push_bind(new.size).push_bind(new.sha256.to_vec()).push_bind(new.rows);
                row.push_bind(new.min_record.map(|r| r.0)).push_bind(new.max_record.map(|r| r.0)).push_bind(new.commit_seq);
                row.push_bind(AssetState::Live.as_str());
                number += 1;
            });
            insert.push(" returning *");
            let rows =
                insert.build().fetch_all(self.sql()).await.map_err(|e| LedgerError::if_unique(e, "asset", chunk[0].0.id))?;
            for row in &rows {
                let asset = asset(row)?;
                let event = Event::AssetAdded {
                    asset: asset.id,
                    number: asset.number,
                    class: asset.class,
                    provider: asset.provider,
                    table: asset.table,
                    rows: asset.rows,
                    size: asset.size,
                    sha256: Hex32(asset.sha256),
                    commit_seq: asset.commit_seq,
                };
                self.record(event, vec![mark("asset", row)?], None)?;
            }
            let keys: Vec<_> = chunk.iter().filter_map(|(new, key)| key.as_ref().map(|key| (new.id, key))).collect();
            if !keys.is_empty() {
                let mut insert = QueryBuilder::<Sqlite>::new(
                    "insert into asset_key (asset_id, scope_class, scope_provider, epoch, algorithm, wrapped) ",
                );
                insert.push_values(keys, |mut row, (id, key)| {
                    row.push_bind(id.to_string()).push_bind(key.scope.class.as_str());
                    row.push_bind(key.scope.provider.as_ref().map(|p| p.as_str())).push_bind(i64::from(key.epoch));
                    row.push_bind(&key.algorithm).push_bind(&key.bytes);
                });
                insert.build().execute(self.sql()).await?;
            }
        }
        Ok(())
    }

    async fn move_assets(&mut self, ids: &[AssetId], from: AssetState, to: AssetState, reason: &str) -> Result<()> {
        for id in ids {
            let row = sqlx::query("update asset set state = $3 where asset_id = $1 and state = $2 returning *")
                .bind(id.to_string())
                .bind(from.as_str())
                .bind(to.as_str())
                .fetch_optional(self.sql())
                .await?;
            let Some(row) = row else {
                let found: Option<String> = sqlx::query_scalar("select state from asset where asset_id = $1")
                    .bind(id.to_string())
                    .fetch_optional(self.sql())
                    .await?;
                return Err(not_in_state("asset", id, found, from.as_str()));
            };
            let event = Event::AssetMoved { asset: *id, from, to, reason: reason.to_owned() };
            self.record(event, vec![mark("asset", &row)?], None)?;
        }
        Ok(())
    }

    /// Takes live assets out of every later snapshot: their keys are to be destroyed, then their files.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::OtherState`].
    pub async fn doom_assets(&mut self, ids: &[AssetId], reason: &str) -> Result<()> {
        self.move_assets(ids, AssetState::Live, AssetState::Doomed, reason).await
    }

    /// Notes that doomed assets' files are unlinked. Their rows stay, their wrapped keys go.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::OtherState`].
    pub async fn assets_gone(&mut self, ids: &[AssetId], reason: &str) -> Result<()> {
        self.move_assets(ids, AssetState::Doomed, AssetState::Gone, reason).await?;
        self.delete_keys(ids).await?;
        Ok(())
    }

    /// Deletes wrapped keys, and gives how many there were. One event for all; none when there was none.
    ///
    /// # Errors
    /// The database's refusals.
    pub async fn delete_keys(&mut self, ids: &[AssetId]) -> Result<u64> {
        let mut count = 0;
        let mut gone = Vec::new();
        for id in ids {
            let deleted =
                sqlx::query("delete from asset_key where asset_id = $1").bind(id.to_string()).execute(self.sql()).await?;
            if deleted.rows_affected() > 0 {
                count += 1;
                gone.push(*id);
            }
        }
        if count > 0 {
            self.emit(Event::KeysDeleted { count, assets: gone })?;
        }
        Ok(count)
    }

    /// Replaces wrapped keys by the same keys wrapped under a newer epoch. One event an epoch.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] when an asset has no key.
    pub async fn replace_keys(&mut self, keys: &[(AssetId, WrappedKey)]) -> Result<()> {
        let mut counts: HashMap<(KeyScope, u32), u64> = HashMap::new();
        for (id, key) in keys {
            let replaced = sqlx::query(
                "update asset_key set scope_class = $2, scope_provider = $3, epoch = $4, algorithm = $5, wrapped = $6 where asset_id = $1",
            )
            .bind(id.to_string())
            .bind(key.scope.class.as_str())
            .bind(key.scope.provider.as_ref().map(|p| p.as_str()))
            .bind(i64::from(key.epoch))
            .bind(&key.algorithm)
            .bind(&key.bytes)
            .execute(self.sql())
            .await?;
            if replaced.rows_affected() != 1 {
                return Err(LedgerError::NotFound { what: "key of asset", id: id.to_string() });
            }
            *counts.entry((key.scope.clone(), key.epoch)).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort();
        for ((scope, epoch), count) in counts {
            self.emit(Event::KeysRewrapped { scope: scope.to_string(), epoch, count })?;
        }
        Ok(())
    }
}

impl Reader {
    /// One asset.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn asset(&mut self, id: AssetId) -> Result<Option<Asset>> {
        let row = sqlx::query("select * from asset where asset_id = $1").bind(id.to_string()).fetch_optional(self.sql()).await?;
        row.as_ref().map(asset).transpose()
    }

    /// Assets by number.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn assets(&mut self, filter: &AssetFilter) -> Result<Vec<Asset>> {
        let rows = sqlx::query(
            "select * from asset where ($1 is null or class = $1) and ($2 is null or table_name = $2)
             and ($3 is null or provider = $3) and ($4 is null or state = $4) order by number",
        )
        .bind(filter.class.map(|c| c.as_str()))
        .bind(filter.table.as_deref())
        .bind(filter.provider.as_ref().map(|p| p.as_str()))
        .bind(filter.state.map(|s| s.as_str()))
        .fetch_all(self.sql())
        .await?;
        rows.iter().map(asset).collect()
    }

    /// The live files of the lake's tables, with their wrapped keys, by table and number: what a snapshot of the lake is made of.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; [`LedgerError::NotFound`] for a live file without a key.
    pub async fn live_files(&mut self) -> Result<Vec<(Asset, WrappedKey)>> {
        let rows = sqlx::query("select * from asset where state = 'live' and table_name is not null order by table_name, number")
            .fetch_all(self.sql())
            .await?;
        let mut keys = self.keys(None).await?;
        rows.iter()
            .map(|row| {
                let asset = asset(row)?;
                let key = keys.remove(&asset.id);
                let missing = || LedgerError::NotFound { what: "key of asset", id: asset.id.to_string() };
                Ok((key.ok_or_else(missing)?, asset)).map(|(key, asset)| (asset, key))
            })
            .collect()
    }

    /// The wrapped key of an asset.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn key(&mut self, id: AssetId) -> Result<Option<WrappedKey>> {
        let row =
            sqlx::query("select * from asset_key where asset_id = $1").bind(id.to_string()).fetch_optional(self.sql()).await?;
        Ok(row.as_ref().map(key).transpose()?.map(|(_, key)| key))
    }

    /// Wrapped keys, all or of one scope.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn keys(&mut self, scope: Option<&KeyScope>) -> Result<HashMap<AssetId, WrappedKey>> {
        let rows = match scope {
            None => sqlx::query("select * from asset_key").fetch_all(self.sql()).await?,
            Some(scope) => {
                sqlx::query("select * from asset_key where scope_class = $1 and scope_provider is $2")
                    .bind(scope.class.as_str())
                    .bind(scope.provider.as_ref().map(|p| p.as_str()))
                    .fetch_all(self.sql())
                    .await?
            }
        };
        rows.iter().map(key).collect()
    }
}
