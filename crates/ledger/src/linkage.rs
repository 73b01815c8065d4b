//! Runs of linkage, each with the map it made, and what clerks say of two records.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use terms::{AssetId, RecordId, RunId};

use crate::error::Result;
use crate::event::{Counts, Event, now};
use crate::marks::mark;
use crate::row::Columns;
use crate::words::ClerkSays;
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

/// What a clerk says of two records: the latest word of this clerk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkageWord {
    /// The record with the smaller id.
    pub record_a: RecordId,
    /// The other.
    pub record_b: RecordId,
    /// Who says it.
    pub clerk: String,
    /// What.
    pub says: ClerkSays,
    /// On what it rests, a word of `linkage`'s list; none when the word was taken back.
    pub reason: Option<String>,
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

fn word(row: &SqliteRow) -> Result<LinkageWord> {
    let c = Columns::new("linkage_word", row);
    Ok(LinkageWord {
        record_a: RecordId(c.get("record_a")?),
        record_b: RecordId(c.get("record_b")?),
        clerk: c.get("clerk")?,
        says: c.parsed("says")?,
        reason: c.get("reason")?,
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

    /// Enters what this transaction's actor says of two records, in the place of what the same actor said of them before.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`] when it is one record; the database's refusals.
    pub async fn say_of_records(
        &mut self,
        record_a: RecordId,
        record_b: RecordId,
        says: ClerkSays,
        reason: Option<&str>,
    ) -> Result<LinkageWord> {
        let (record_a, record_b) = (record_a.min(record_b), record_a.max(record_b));
        if record_a == record_b {
            return Err(LedgerError::Invalid { what: "a pair of records", form: "two records" });
        }
        let row = sqlx::query(
            "insert into linkage_word (record_a, record_b, clerk, says, reason, at) values ($1, $2, $3, $4, $5, $6)
             on conflict (record_a, record_b, clerk) do update set says = excluded.says, reason = excluded.reason, at = excluded.at
             returning *",
        )
        .bind(record_a.0)
        .bind(record_b.0)
        .bind(self.actor().as_str().to_owned())
        .bind(says.as_str())
        .bind(reason)
        .bind(now())
        .fetch_one(self.sql())
        .await?;
        let word = word(&row)?;
        let event = Event::LinkageWord { record_a, record_b, says, reason: word.reason.clone() };
        self.record(event, vec![mark("linkage_word", &row)?], None)?;
        Ok(word)
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

    /// Every clerk's latest word on every pair, in the order of the pairs and clerks; words that were taken back too.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn linkage_words(&mut self) -> Result<Vec<LinkageWord>> {
        let rows = sqlx::query("select * from linkage_word order by record_a, record_b, clerk").fetch_all(self.sql()).await?;
        rows.iter().map(word).collect()
    }
}
