use std::sync::Arc;

use journal::{Frontier, Hash, NodeAt};
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction};

use crate::error::Result;
use crate::event::{Actor, Entry, Event, now};
use crate::log;
use crate::open::Shared;
use crate::row::{BatchMark, RowMark};
use crate::{LedgerError, Reader};

/// A change of the ledger: who, what for, the rows, and the events that say so. The functions that change rows stand with
/// their area (parties, notices, opt-outs, records, packages, assets, linkage, data sets, outbox, settings), and each
/// emits its own event. Dropped before [`Tx::commit`], nothing happened, and no number of the journal is used up.
pub struct Tx {
    reader: Reader,
    shared: Arc<Shared>,
    actor: Actor,
    purpose: String,
    frontier: Frontier,
    first: u64,
    entries: Vec<(Option<String>, String)>,
    nodes: Vec<(NodeAt, Hash)>,
}

/// What a commit added to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Number of its first entry.
    pub first_seq: u64,
    /// Number that the next entry will have.
    pub next_seq: u64,
}

impl Tx {
    pub(crate) async fn begin(write: &SqlitePool, shared: Arc<Shared>, actor: Actor, purpose: String) -> Result<Tx> {
        let mut sql: Transaction<'static, Sqlite> = write.begin_with("BEGIN IMMEDIATE").await?;
        let size = log::size(&mut sql).await?;
        let frontier = match shared.frontier().filter(|f| f.size() == size) {
            Some(frontier) => frontier,
            None => Frontier::load(size, &log::nodes(&mut sql, &Frontier::wanted(size)).await?)?,
        };
        let reader = Reader { sql, size };
        Ok(Tx { reader, shared, actor, purpose, first: size, frontier, entries: Vec::new(), nodes: Vec::new() })
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Reads the ledger as this transaction sees it, its own changes included.
    pub fn read(&mut self) -> &mut Reader {
        &mut self.reader
    }

    pub(crate) fn sql(&mut self) -> &mut SqliteConnection {
        &mut self.reader.sql
    }

    /// Number that the next event will have.
    pub(crate) fn next_seq(&self) -> u64 {
        self.frontier.size()
    }

    /// Adds an event to the journal, for what leaves no row of its own; functions that change rows emit theirs themselves.
    ///
    /// # Errors
    /// When the event cannot be written as JSON, which none of them brings about.
    pub fn emit(&mut self, event: Event) -> Result<u64> {
        self.record(event, Vec::new(), None)
    }

    pub(crate) fn record(&mut self, event: Event, rows: Vec<RowMark>, batch: Option<BatchMark>) -> Result<u64> {
        let subject = event.subject();
        let entry = Entry {
            seq: self.frontier.size(),
            time: now(),
            actor: self.actor.as_str().to_owned(),
            purpose: self.purpose.clone(),
            event,
            rows,
            batch,
        };
        let body = serde_json::to_string(&entry).map_err(|error| LedgerError::Journal { reason: error.to_string() })?;
        let nodes = &mut self.nodes;
        let seq = self.frontier.append(body.as_bytes(), |at, hash| nodes.push((at, hash)));
        self.entries.push((subject, body));
        Ok(seq)
    }

    /// Makes all of it durable at once: rows, events, tree nodes and the signed checkpoint over them.
    ///
    /// # Errors
    /// [`LedgerError::NoEvent`]; [`LedgerError::Disk`] and other refusals of the database. Unless it returns `Ok`, nothing was
    /// committed, with one exception that no program can tell apart: when the last word of the disk was lost.
    pub async fn commit(mut self) -> Result<Committed> {
        if self.entries.is_empty() {
            return Err(LedgerError::NoEvent);
        }
        let committed = Committed { first_seq: self.first, next_seq: self.frontier.size() };
        self.write_journal().await?;
        // From here the memory of the tree's edge holds only if the commit did.
        self.shared.set_frontier(None);
        durable::failpoint("ledger.commit.before")?;
        self.reader.sql.commit().await?;
        self.shared.set_frontier(Some(self.frontier));
        durable::failpoint("ledger.commit.after")?;
        Ok(committed)
    }

    async fn write_journal(&mut self) -> Result<()> {
        let sql = &mut *self.reader.sql;
        let mut seq = self.first as i64;
        for chunk in self.entries.chunks(256) {
            let mut insert = QueryBuilder::<Sqlite>::new("insert into entry (seq, subject, body) ");
            insert.push_values(chunk, |mut row, (subject, body)| {
                row.push_bind(seq).push_bind(subject.as_deref()).push_bind(body.as_str());
                seq += 1;
            });
            insert.build().execute(&mut *sql).await?;
        }
        for chunk in self.nodes.chunks(256) {
            let mut insert = QueryBuilder::<Sqlite>::new("insert into node (level, idx, hash) ");
            insert.push_values(chunk, |mut row, (at, hash)| {
                row.push_bind(i64::from(at.level)).push_bind(at.index as i64).push_bind(hash.0.to_vec());
            });
            insert.build().execute(&mut *sql).await?;
        }
        let note = self.shared.signer.checkpoint(self.frontier.size(), self.frontier.root())?;
        sqlx::query("insert into checkpoint (size, note) values ($1, $2)")
            .bind(self.frontier.size() as i64)
            .bind(note)
            .execute(sql)
            .await?;
        Ok(())
    }
}
