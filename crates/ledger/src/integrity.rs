//! Whether somebody changed rows behind the ledger's back: every row that the workflows rest on is held against what the
//! journal says it is, and the journal against its last checkpoint.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use futures::TryStreamExt;
use journal::Frontier;
use messages::{Lang, Message};
use openssl::sha::Sha256;

use crate::error::Result;
use crate::event::Entry;
use crate::log::{self, BATCH, Gap, says};
use crate::marks::{BY_BATCH, BY_ROW, key_of};
use crate::row::{BatchMark, Columns, Hex32, digest};
use crate::{JournalFault, Ledger, Reader};

/// One thing that is not as the journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discrepancy {
    /// A row that was changed.
    Edited {
        /// Table.
        table: String,
        /// Primary key.
        key: String,
    },
    /// A row that no event brought about.
    Added {
        /// Table.
        table: String,
        /// Primary key.
        key: String,
    },
    /// A row that is not there any more.
    Removed {
        /// Table.
        table: String,
        /// Primary key.
        key: String,
    },
    /// Rows of a bulk table that are not those which the event added.
    BatchChanged {
        /// Table.
        table: String,
        /// Number of the event, or the number that the rows claim.
        seq: u64,
        /// Rows there are.
        found: u64,
        /// Rows that the event added.
        expected: u64,
    },
    /// The history of a thing lacks this entry, or another's has it.
    SubjectChanged {
        /// Number of the entry.
        seq: u64,
    },
    /// The journal itself is not as it was signed. Nothing else that is said here can be relied on.
    Journal(JournalFault),
}

impl Discrepancy {
    /// The finding as a code of the catalogue.
    pub fn message(&self) -> Message {
        use Discrepancy as D;
        match self {
            D::Edited { table, key } => Message::new("ledger-row-edited").with("table", table).with("key", key),
            D::Added { table, key } => Message::new("ledger-row-added").with("table", table).with("key", key),
            D::Removed { table, key } => Message::new("ledger-row-removed").with("table", table).with("key", key),
            D::BatchChanged { table, seq, found, expected } => Message::new("ledger-batch-changed")
                .with("table", table)
                .with("seq", seq)
                .with("found", found)
                .with("expected", expected),
            D::SubjectChanged { seq } => Message::new("ledger-subject-changed").with("seq", seq),
            D::Journal(fault) => fault.message(),
        }
    }
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message().text(Lang::En))
    }
}

/// What was held against the journal, and what did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Integrity {
    /// Entries read.
    pub entries: u64,
    /// Rows compared.
    pub rows: u64,
    /// What is wrong; empty when nothing is.
    pub discrepancies: Vec<Discrepancy>,
}

/// What the journal says the tables hold.
#[derive(Default)]
struct Said {
    rows: HashMap<(String, String), Hex32>,
    batches: BTreeMap<(String, u64), BatchMark>,
}

impl Ledger {
    /// Holds every row that the workflows rest on against the journal. A ledger of which this is not empty must deliver nothing.
    ///
    /// # Errors
    /// When the database does not answer. What is wrong is no error but a discrepancy in the result.
    pub async fn integrity(&self) -> Result<Integrity> {
        let mut reader = self.read_unchecked().await?;
        let mut found = Integrity::default();
        let mut said = Said::default();
        if !self.hear(&mut reader, &mut said, &mut found).await? {
            return Ok(found);
        }
        for covered in BY_ROW {
            let mut rows = sqlx::query(covered.all).fetch(reader.sql());
            while let Some(row) = rows.try_next().await? {
                found.rows += 1;
                let key = key_of(covered, &row).unwrap_or_else(|_| "?".to_owned());
                let table = covered.table.to_owned();
                match said.rows.remove(&(table.clone(), key.clone())) {
                    None => found.discrepancies.push(Discrepancy::Added { table, key }),
                    Some(expected) => {
                        if digest(covered.table, &row).ok() != Some(expected.0) {
                            found.discrepancies.push(Discrepancy::Edited { table, key });
                        }
                    }
                }
            }
        }
        let mut removed: Vec<_> = said.rows.into_keys().collect();
        removed.sort();
        found.discrepancies.extend(removed.into_iter().map(|(table, key)| Discrepancy::Removed { table, key }));
        for (table, all) in BY_BATCH {
            batches(&mut reader, table, all, &mut said.batches, &mut found).await?;
        }
        for ((table, seq), mark) in said.batches {
            found.discrepancies.push(Discrepancy::BatchChanged { table, seq, found: 0, expected: mark.count });
        }
        Ok(found)
    }

    /// Reads the journal, and says whether it can be relied on.
    async fn hear(&self, reader: &mut Reader, said: &mut Said, found: &mut Integrity) -> Result<bool> {
        let mut frontier = Frontier::empty();
        let mut fault = None;
        while fault.is_none() {
            let from = frontier.size();
            match log::batch(reader.sql(), from, from + BATCH, true).await? {
                Ok(None) => break,
                Err(Gap::Missing(seq)) => fault = Some(JournalFault::EntryMissing { seq }),
                Err(Gap::Malformed(seq)) => fault = Some(JournalFault::EntryMalformed { seq }),
                Ok(Some(batch)) => {
                    for (seq, body, subject) in batch.entries() {
                        frontier.append(body.as_bytes(), |_, _| ());
                        let Some(entry) = serde_json::from_str::<Entry>(body).ok().filter(|_| says(body, seq)) else {
                            fault = fault.or(Some(JournalFault::EntryMalformed { seq }));
                            continue;
                        };
                        if entry.event.subject().unwrap_or_default() != subject {
                            found.discrepancies.push(Discrepancy::SubjectChanged { seq });
                        }
                        for mark in entry.rows {
                            said.rows.insert((mark.table, mark.key), mark.sha256);
                        }
                        if let Some(mark) = entry.batch {
                            said.batches.insert((mark.table.clone(), seq), mark);
                        }
                    }
                }
            }
        }
        found.entries = frontier.size();
        if fault.is_none() {
            let note = reader.checkpoint().await?;
            let head = note.and_then(|note| self.shared.verifier.open(&note).ok());
            fault = match head {
                None => Some(JournalFault::CheckpointWrong { size: reader.journal_size() }),
                Some(head) if head.size > frontier.size() => {
                    Some(JournalFault::CheckpointBeyond { size: head.size, entries: frontier.size() })
                }
                Some(head) if head.size < frontier.size() => {
                    Some(JournalFault::EntriesUnsigned { from: head.size, to: frontier.size() })
                }
                Some(head) if head.root != frontier.root() => Some(JournalFault::EntriesChanged { from: 0, to: head.size }),
                Some(_) => None,
            };
        }
        found.discrepancies.extend(fault.clone().map(Discrepancy::Journal));
        Ok(fault.is_none())
    }
}

async fn batches(
    reader: &mut Reader,
    table: &'static str,
    all: &'static str,
    said: &mut BTreeMap<(String, u64), BatchMark>,
    found: &mut Integrity,
) -> Result<()> {
    let mut rows = sqlx::query(all).fetch(reader.sql());
    let mut current: Option<(u64, u64, Sha256)> = None;
    let mut close = |current: Option<(u64, u64, Sha256)>, found: &mut Integrity| {
        let Some((seq, count, sha)) = current else { return };
        let expected = said.remove(&(table.to_owned(), seq));
        let same = expected.as_ref().is_some_and(|mark| mark.count == count && mark.sha256 == Hex32(sha.finish()));
        if !same {
            let expected = expected.map_or(0, |mark| mark.count);
            found.discrepancies.push(Discrepancy::BatchChanged { table: table.to_owned(), seq, found: count, expected });
        }
    };
    while let Some(row) = rows.try_next().await? {
        found.rows += 1;
        let seq = Columns::new(table, &row).get::<i64>("batch")? as u64;
        if current.as_ref().is_none_or(|(open, _, _)| *open != seq) {
            close(current.take(), found);
        }
        let (_, count, sha) = current.get_or_insert_with(|| (seq, 0, Sha256::new()));
        *count += 1;
        sha.update(&digest(table, &row).unwrap_or_default());
    }
    close(current, found);
    Ok(())
}
