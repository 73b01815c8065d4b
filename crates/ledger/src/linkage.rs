//! Runs of linkage, each with the map it made, and what clerks stated about two records.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use terms::{AssetId, RecordId, RunId};
use uuid::Uuid;

use crate::error::Result;
use crate::event::{Counts, Event, now};
use crate::marks::mark;
use crate::row::Columns;
use crate::words::FactKind;
use crate::{LedgerError, Reader, Tx};

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkageRun {
    /// Its id.
    pub id: RunId,
    /// Rule and version.
    pub rule: String,
    /// The map `record_id → person_id` that it made.
    pub map_asset: AssetId,
    /// When.
    pub created_at: Timestamp,
    /// Counts of what it found.
    pub stats: Counts,
    /// Whether this map is in use.
    pub current: bool,
}

/// A clerk's statement, binding for every later run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkageFact {
    /// Its id.
    pub id: String,
    /// Whether the two are or are not one person.
    pub kind: FactKind,
    /// One record.
    pub record_a: RecordId,
    /// The other.
    pub record_b: RecordId,
    /// Who stated it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

fn run(row: &SqliteRow) -> Result<LinkageRun> {
    let c = Columns::new("linkage_run", row);
    Ok(LinkageRun {
        id: c.parsed("id")?,
        rule: c.get("rule")?,
        map_asset: c.parsed("map_asset")?,
        created_at: c.time("created_at")?,
        stats: c.json("stats")?,
        current: c.flag("current")?,
    })
}

fn fact(row: &SqliteRow) -> Result<LinkageFact> {
    let c = Columns::new("linkage_fact", row);
    Ok(LinkageFact {
        id: c.get("id")?,
        kind: c.parsed("kind")?,
        record_a: RecordId(c.get("record_a")?),
        record_b: RecordId(c.get("record_b")?),
        by: c.get("stated_by")?,
        at: c.time("at")?,
    })
}

impl Tx {
    /// Enters a run; its map (an asset entered before) is the current one from the commit on.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`].
    pub async fn add_linkage_run(&mut self, id: RunId, rule: &str, map_asset: AssetId, stats: &Counts) -> Result<()> {
        let mut marks = Vec::new();
        let before =
            sqlx::query("update linkage_run set current = 0 where current = 1 returning *").fetch_optional(self.sql()).await?;
        if let Some(row) = &before {
            marks.push(mark("linkage_run", row)?);
        }
        let text = serde_json::to_string(stats).map_err(|_| LedgerError::Invalid { what: "counts", form: "numbers by name" })?;
        let row = sqlx::query(
            "insert into linkage_run (id, rule, map_asset, created_at, stats, current) values ($1, $2, $3, $4, $5, 1) returning *",
        )
        .bind(id.to_string())
        .bind(rule)
        .bind(map_asset.to_string())
        .bind(now())
        .bind(text)
        .fetch_one(self.sql())
        .await
        .map_err(|error| LedgerError::if_unique(error, "linkage run", id))?;
        marks.push(mark("linkage_run", &row)?);
        let event = Event::LinkageRunAdded { run: id, rule: rule.to_owned(), map: map_asset, stats: stats.clone() };
        self.record(event, marks, None)?;
        Ok(())
    }

    /// Enters a statement of this transaction's actor about two records.
    ///
    /// # Errors
    /// The database's refusals.
    pub async fn add_linkage_fact(&mut self, kind: FactKind, record_a: RecordId, record_b: RecordId) -> Result<LinkageFact> {
        let by = self.actor().as_str().to_owned();
        let row = sqlx::query(
            "insert into linkage_fact (id, kind, record_a, record_b, stated_by, at) values ($1, $2, $3, $4, $5, $6) returning *",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(kind.as_str())
        .bind(record_a.0)
        .bind(record_b.0)
        .bind(by)
        .bind(now())
        .fetch_one(self.sql())
        .await?;
        let fact = fact(&row)?;
        let event = Event::LinkageFactAdded { fact: fact.id.clone(), kind, record_a, record_b };
        self.record(event, vec![mark("linkage_fact", &row)?], None)?;
        Ok(fact)
    }
}

impl Reader {
    /// The run whose map is in use.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn current_linkage(&mut self) -> Result<Option<LinkageRun>> {
        let row = sqlx::query("select * from linkage_run where current = 1").fetch_optional(self.sql()).await?;
        row.as_ref().map(run).transpose()
    }

    /// All runs, the earliest first.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn linkage_runs(&mut self) -> Result<Vec<LinkageRun>> {
        let rows = sqlx::query("select * from linkage_run order by created_at, id").fetch_all(self.sql()).await?;
        rows.iter().map(run).collect()
    }

    /// All statements, the earliest first.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn linkage_facts(&mut self) -> Result<Vec<LinkageFact>> {
        let rows = sqlx::query("select * from linkage_fact order by at, id").fetch_all(self.sql()).await?;
        rows.iter().map(fact).collect()
    }
}
