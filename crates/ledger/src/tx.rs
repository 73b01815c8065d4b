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
    entries: Vec<(Option<String>, String)>,
    time: (i64, String),
}

/// Entries that are written, and hashed meanwhile, at once.
const CHUNK: usize = 512;

/// A commit of so many entries or fewer is written in one piece.
const SHORT: usize = 128;

/// Appends entries to the tree and gives the nodes to keep.
fn grow(mut tree: Frontier, entries: &[(Option<String>, String)]) -> (Frontier, Vec<(NodeAt, Hash)>) {
    let mut nodes = Vec::new();
    for (_, body) in entries {
        tree.append(body.as_bytes(), |at, hash| nodes.push((at, hash)));
    }
    (tree, nodes)
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
        Ok(Tx { reader, shared, actor, purpose, frontier, entries: Vec::new(), time: (0, String::new()) })
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
    fn now(&mut self) -> &str {
        let now = Timestamp::now();
        if self.time.0 != now.as_millisecond() {
            self.time = (now.as_millisecond(), written(now));
        }
        &self.time.1
    }

    /// Adds an event to the journal, for what leaves no row of its own; functions that change rows emit theirs themselves.
    ///
    /// # Errors
    /// When the event cannot be written as JSON, which none of them brings about.
    pub fn emit(&mut self, event: Event) -> Result<u64> {
        self.record(event, Vec::new(), None)
    }

    pub(crate) fn record(&mut self, event: Event, rows: Vec<RowMark>, batch: Option<BatchMark>) -> Result<u64> {
        let seq = self.next_seq();
        self.now();
        let entry = Written {
            seq,
            time: &self.time.1,
            actor: self.actor.as_str(),
            purpose: &self.purpose,
            event: &event,
            rows: &rows,
            batch: batch.as_ref(),
        };
        let body = serde_json::to_string(&entry).map_err(|error| LedgerError::Journal { reason: error.to_string() })?;
        self.entries.push((event.subject(), body));
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

    /// Writes entries, nodes and the checkpoint. The database works in its own thread: a long commit is hashed while it is written,
    /// and a short one goes to it in one piece.
    async fn write_journal(&mut self) -> Result<()> {
        let since = self.frontier.size();
        let mut entries = std::mem::take(&mut self.entries);
        while entries.len() > SHORT {
            let rest = entries.split_off(entries.len().min(CHUNK));
            let chunk = Arc::new(std::mem::replace(&mut entries, rest));
            let tree = std::mem::replace(&mut self.frontier, Frontier::empty());
            let mut insert = QueryBuilder::<Sqlite>::new("");
            push_entries(&mut insert, tree.size(), &chunk);
            let hashed = chunk.clone();
            let hashing = tokio::task::spawn_blocking(move || grow(tree, &hashed));
            insert.build().execute(self.sql()).await?;
            let (tree, nodes) = hashing.await.map_err(|error| LedgerError::Journal { reason: error.to_string() })?;
            self.frontier = tree;
            if !nodes.is_empty() {
                let mut insert = QueryBuilder::<Sqlite>::new("");
                push_nodes(&mut insert, nodes);
                insert.build().execute(self.sql()).await?;
            }
        }
        let mut insert = QueryBuilder::<Sqlite>::new("");
        if !entries.is_empty() {
            push_entries(&mut insert, self.frontier.size(), &entries);
            let (tree, nodes) = grow(std::mem::replace(&mut self.frontier, Frontier::empty()), &entries);
            self.frontier = tree;
            insert.push("; ");
            if !nodes.is_empty() {
                push_nodes(&mut insert, nodes);
                insert.push("; ");
            }
        }
        let size = self.frontier.size();
        let note = self.shared.signer.checkpoint(size, self.frontier.root())?;
        insert.push("insert into checkpoint (size, since, note) values (").push_bind(size as i64);
        insert.push(", ").push_bind(since as i64).push(", ").push_bind(note).push(")");
        insert.build().execute(self.sql()).await.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.message().contains("end of the journal") => {
                LedgerError::Journal { reason: database.message().to_owned() }
            }
            _ => error.into(),
        })?;
        Ok(())
    }
}

fn push_entries(insert: &mut QueryBuilder<Sqlite>, first: u64, entries: &[(Option<String>, String)]) {
    let mut seq = first as i64;
    insert.push("insert into entry (seq, subject, body) ");
    insert.push_values(entries, |mut row, (subject, body)| {
        row.push_bind(seq).push_bind(subject.as_deref()).push_bind(body.as_str());
        seq += 1;
    });
}

fn push_nodes(insert: &mut QueryBuilder<Sqlite>, nodes: Vec<(NodeAt, Hash)>) {
    insert.push("insert into node (level, idx, hash) ");
    insert.push_values(nodes, |mut row, (at, hash)| {
        row.push_bind(i64::from(at.level)).push_bind(at.index as i64).push_bind(hash.0.to_vec());
    });
}
