//! Which rows of the lake are stale: those of a record that a commit before the record's version wrote. Only records with
//! stale rows have one.

use std::collections::HashMap;

use sqlx::{QueryBuilder, Sqlite};
use terms::{ProviderId, RecordId};

use crate::error::Result;
use crate::event::Event;
use crate::row::Columns;
use crate::{Reader, Tx};

impl Tx {
    /// Sets the versions of records; a version never goes back.
    ///
    /// # Errors
    /// The database's refusals.
    pub async fn set_versions(&mut self, versions: &[(RecordId, i64)]) -> Result<()> {
        if versions.is_empty() {
            return Ok(());
        }
        for chunk in versions.chunks(2_000) {
            let mut insert = QueryBuilder::<Sqlite>::new("insert into record_version (record_id, commit_seq) ");
            insert.push_values(chunk, |mut row, (record, commit)| {
                row.push_bind(record.0).push_bind(*commit);
            });
            insert.push(" on conflict (record_id) do update set commit_seq = max(commit_seq, excluded.commit_seq)");
            insert.build().execute(self.sql()).await?;
        }
        self.emit(Event::VersionsSet { count: versions.len() as u64 })?;
        Ok(())
    }

    /// Forgets versions once compaction has left no stale row of those records.
    ///
    /// # Errors
    /// The database's refusals.
    pub async fn clear_versions(&mut self, records: &[RecordId]) -> Result<()> {
        let mut count = 0;
        for chunk in records.chunks(2_000) {
            let mut delete = QueryBuilder::<Sqlite>::new("delete from record_version where record_id in (");
            let mut list = delete.separated(", ");
            for record in chunk {
                list.push_bind(record.0);
            }
            delete.push(")");
            count += delete.build().execute(self.sql()).await?.rows_affected();
        }
        if count > 0 {
            self.emit(Event::VersionsCleared { count })?;
        }
        Ok(())
    }
}

impl Reader {
    /// The versions: rows of these records with a smaller commit number are stale.
    ///
    /// # Errors
    /// [`crate::LedgerError::Malformed`]; when the database does not answer.
    pub async fn versions(&mut self) -> Result<HashMap<RecordId, i64>> {
        let rows = sqlx::query("select record_id, commit_seq from record_version").fetch_all(self.sql()).await?;
        rows.iter()
            .map(|row| {
                let c = Columns::new("record_version", row);
                Ok((RecordId(c.get("record_id")?), c.get("commit_seq")?))
            })
            .collect()
    }

    /// The versions by the provider of their record.
    ///
    /// # Errors
    /// As [`Reader::versions`].
    pub async fn versions_by_provider(&mut self) -> Result<HashMap<ProviderId, Vec<(RecordId, i64)>>> {
        let rows = sqlx::query(
            "select v.record_id, v.commit_seq, r.provider from record_version v join record r on r.record_id = v.record_id",
        )
        .fetch_all(self.sql())
        .await?;
        let mut versions: HashMap<ProviderId, Vec<(RecordId, i64)>> = HashMap::new();
        for row in &rows {
            let c = Columns::new("record_version", row);
            versions.entry(c.parsed("provider")?).or_default().push((RecordId(c.get("record_id")?), c.get("commit_seq")?));
        }
        Ok(versions)
    }
}
