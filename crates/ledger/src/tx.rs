use std::sync::Arc;

use jiff::Timestamp;
use journal::{Frontier, Hash, NodeAt};
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction};

use crate::error::Result;
use crate::event::{Actor, Event, Written, written};
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
    entries: Vec<Pending>,
    time: (i64, Arc<str>),
}

/// An event that is to be written.
struct Pending {
    time: Arc<str>,
    event: Event,
    rows: Vec<RowMark>,
    batch: Option<BatchMark>,
}

/// Entries that go to the database at once. The next ones are put into words and hashed while it writes these.
const CHUNK: usize = 512;

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
        // Nobody else writes while the lock is held, so the remembered end is the end; the database refuses the commit if it is not.
        let frontier = match shared.frontier() {
            Some(frontier) => frontier,
            None => {
                let size = log::size(&mut sql).await?;
                Frontier::load(size, &log::nodes(&mut sql, &Frontier::wanted(size)).await?)?
            }
        };
        let size = frontier.size();
        let reader = Reader { sql, size };
        Ok(Tx { reader, shared, actor, purpose, frontier, entries: Vec::new(), time: (0, Arc::from("")) })
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
        self.frontier.size() + self.entries.len() as u64
    }

    /// The present time as written; made anew once a millisecond.
    fn now(&mut self) -> Arc<str> {
        let now = Timestamp::now();
        if self.time.0 != now.as_millisecond() {
            self.time = (now.as_millisecond(), written(now).into());
        }
        self.time.1.clone()
    }

    /// Adds an event to the journal, for what leaves no row of its own; functions that change rows emit theirs themselves.
    pub fn emit(&mut self, event: Event) -> Result<u64> {
        self.record(event, Vec::new(), None)
    }

    pub(crate) fn record(&mut self, event: Event, rows: Vec<RowMark>, batch: Option<BatchMark>) -> Result<u64> {
        let seq = self.next_seq();
        let time = self.now();
        self.entries.push(Pending { time, event, rows, batch });
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
        let first_seq = self.frontier.size();
        self.write_journal().await?;
        let committed = Committed { first_seq, next_seq: self.frontier.size() };
        // From here the memory of the tree's edge holds only if the commit did.
        self.shared.set_frontier(None);
        durable::failpoint("ledger.commit.before")?;
        self.reader.sql.commit().await?;
        self.shared.set_frontier(Some(self.frontier));
        durable::failpoint("ledger.commit.after")?;
        Ok(committed)
    }

    /// Writes entries, nodes and the checkpoint. The database works in its own thread, and what it is given next is made ready while
    /// it writes; the checkpoint goes to it with the last entries.
    async fn write_journal(&mut self) -> Result<()> {
        let since = self.frontier.size();
        let mut rest = std::mem::take(&mut self.entries).into_iter();
        let Tx { reader, shared, actor, purpose, frontier, .. } = self;
        let mut ready = statement(frontier, actor, purpose, rest.by_ref().take(CHUNK))?;
        while rest.len() > 0 {
            let writing = ready.build().execute(&mut *reader.sql);
            let next = async { statement(frontier, actor, purpose, rest.by_ref().take(CHUNK)) };
            let (written, next) = tokio::join!(biased; writing, next);
            written?;
            ready = next?;
        }
        let size = frontier.size();
        let note = shared.signer.checkpoint(size, frontier.root())?;
        ready.push("; insert into checkpoint (size, since, note) values (").push_bind(size as i64);
        ready.push(", ").push_bind(since as i64).push(", ").push_bind(note).push(")");
        ready.build().execute(&mut *reader.sql).await.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.message().contains("end of the journal") => {
                LedgerError::Journal { reason: database.message().to_owned() }
            }
            _ => error.into(),
        })?;
        Ok(())
    }
}

/// Puts events into words, appends them to the tree, and makes what writes them and the nodes to keep.
fn statement(
    tree: &mut Frontier,
    actor: &Actor,
    purpose: &str,
    events: impl Iterator<Item = Pending>,
) -> Result<QueryBuilder<Sqlite>> {
    let mut insert = QueryBuilder::<Sqlite>::new("insert into entry (seq, subject, body) values ");
    let mut nodes: Vec<(NodeAt, Hash)> = Vec::new();
    for (n, Pending { time, event, rows, batch }) in events.enumerate() {
        let seq = tree.size();
        let entry =
            Written { seq, time: &time, actor: actor.as_str(), purpose, event: &event, rows: &rows, batch: batch.as_ref() };
        let mut body = Vec::with_capacity(LINE);
        serde_json::to_writer(&mut body, &entry).map_err(unwritable)?;
        tree.append(&body, |at, hash| nodes.push((at, hash)));
        let body = String::from_utf8(body).map_err(unwritable)?;
        insert.push(if n == 0 { "(" } else { ", (" }).push_bind(seq as i64);
        insert.push(", ").push_bind(event.subject()).push(", ").push_bind(body).push(")");
    }
    if !nodes.is_empty() {
        insert.push("; insert into node (level, idx, hash) ");
        insert.push_values(nodes, |mut row, (at, hash)| {
            row.push_bind(i64::from(at.level)).push_bind(at.index as i64).push_bind(hash.0.to_vec());
        });
    }
    Ok(insert)
}

/// Bytes that most entries fit in.
const LINE: usize = 512;

fn unwritable(error: impl std::fmt::Display) -> LedgerError {
    LedgerError::Journal { reason: error.to_string() }
}
