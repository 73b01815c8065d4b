//! Verification of the whole journal: the tree is made again from the entries, and everything that was kept of it is held
//! against it.

use std::collections::HashMap;
use std::fmt;
use std::thread;

use journal::{Frontier, Hash, NodeAt, TreeHead, Verifier};
use messages::{Lang, Message};
use sqlx::Row;

use crate::error::Result;
use crate::log::{self, BATCH, Batch, Gap, disorder, says};
use crate::{Ledger, LedgerError, Reader};

/// Something in the journal that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalFault {
    /// There is no entry of this number, though the journal goes on or a checkpoint counts it.
    EntryMissing {
        /// Its number.
        seq: u64,
    },
    /// The entry is not one line that begins with its number.
    EntryMalformed {
        /// Its number.
        seq: u64,
    },
    /// The entries from the first to before the second number are not those that the checkpoint was signed over.
    EntriesChanged {
        /// First entry that may be the changed one.
        from: u64,
        /// First entry after them.
        to: u64,
    },
    /// Entries after the last checkpoint, which nobody signed.
    EntriesUnsigned {
        /// First of them.
        from: u64,
        /// First number after them.
        to: u64,
    },
    /// A kept node of the tree is missing, changed, or too much.
    NodeWrong {
        /// Which.
        at: NodeAt,
    },
    /// A checkpoint without a right signature, or under the wrong size.
    CheckpointWrong {
        /// Size that it stands under.
        size: u64,
    },
    /// A checkpoint over more entries than there are: the end of the journal was cut off.
    CheckpointBeyond {
        /// Its size.
        size: u64,
        /// Entries there are.
        entries: u64,
    },
    /// A checkpoint that was kept elsewhere does not fit this journal: it was rewritten.
    OlderCheckpointDiffers {
        /// Its size.
        size: u64,
    },
    /// There is no entry at all.
    Empty,
}

impl JournalFault {
    /// The fault as a code of the catalogue.
    pub fn message(&self) -> Message {
        use JournalFault as F;
        match self {
            F::EntryMissing { seq } => Message::new("journal-entry-missing").with("seq", seq),
            F::EntryMalformed { seq } => Message::new("journal-entry-malformed").with("seq", seq),
            F::EntriesChanged { from, to } => {
                Message::new("journal-entries-changed").with("from", from).with("to", to.saturating_sub(1))
            }
            F::EntriesUnsigned { from, to } => {
                Message::new("journal-entries-unsigned").with("from", from).with("to", to.saturating_sub(1))
            }
            F::NodeWrong { at } => Message::new("journal-node-wrong").with("level", at.level).with("index", at.index),
            F::CheckpointWrong { size } => Message::new("journal-checkpoint-wrong").with("size", size),
            F::CheckpointBeyond { size, entries } => {
                Message::new("journal-checkpoint-beyond").with("size", size).with("entries", entries)
            }
            F::OlderCheckpointDiffers { size } => Message::new("journal-older-checkpoint-differs").with("size", size),
            F::Empty => Message::new("journal-none"),
        }
    }
}

impl fmt::Display for JournalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message().text(Lang::En))
    }
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Entries that were read and hashed.
    pub entries: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// Checkpoints whose signature and root were held against it.
    pub checkpoints: u64,
    /// The last checkpoint, as it stands in the ledger.
    pub checkpoint: Option<String>,
    /// What is wrong; empty when nothing is.
    pub faults: Vec<JournalFault>,
}

/// One stretch of work: entries, and the checkpoints over sizes within them.
struct Stretch {
    batch: Batch,
    checkpoints: Vec<(u64, String)>,
}

/// The state of a verification, handed from stretch to stretch.
struct Check {
    verifier: Verifier,
    frontier: Frontier,
    kept: HashMap<NodeAt, Hash>,
    older: Vec<TreeHead>,
    checkpoints: u64,
    signed: u64,
    last: Option<String>,
    faults: Vec<JournalFault>,
    broken: bool,
}

/// Faults of one kind that are worth naming; there is something wrong long before.
const ENOUGH: usize = 100;

impl Check {
    fn fault(&mut self, fault: JournalFault) {
        if self.faults.len() < ENOUGH {
            self.faults.push(fault);
        }
    }

    /// Hashes a stretch and holds nodes and checkpoints against the tree. Gives itself back.
    fn stretch(mut self, stretch: Stretch) -> Check {
        let opened = open_all(&self.verifier, &stretch.checkpoints);
        let mut checkpoints = stretch.checkpoints.into_iter().zip(opened).peekable();
        for (seq, body, _) in stretch.batch.entries() {
            if !says(body, seq) {
                self.fault(JournalFault::EntryMalformed { seq });
            }
            let mut wrong = Vec::new();
            let kept = &mut self.kept;
            self.frontier.append(body.as_bytes(), |at, hash| {
                if kept.remove(&at) != Some(hash) {
                    wrong.push(at);
                }
            });
            let size = seq + 1;
            if checkpoints.peek().is_some_and(|((at, _), _)| *at == size)
                && let Some(((_, note), head)) = checkpoints.next()
            {
                self.checkpoints += 1;
                match head {
                    Some(head) if head.size == size => {
                        if head.root != self.frontier.root() {
                            self.broken = true;
                            self.fault(JournalFault::EntriesChanged { from: self.signed, to: size });
                            return self;
                        }
                        self.signed = size;
                        self.last = Some(note);
                    }
                    _ => self.fault(JournalFault::CheckpointWrong { size }),
                }
            }
            // A wrong node is worth naming only while the entries are right; otherwise it follows from them.
            for at in wrong {
                self.fault(JournalFault::NodeWrong { at });
            }
            self.hold_older();
        }
        self
    }

    fn hold_older(&mut self) {
        while let Some(older) = self.older.last().filter(|older| older.size <= self.frontier.size()) {
            let size = older.size;
            if older.root != self.frontier.root() || older.size != self.frontier.size() {
                self.fault(JournalFault::OlderCheckpointDiffers { size });
            }
            self.older.pop();
        }
    }
}

/// Opens checkpoints, on all cores when there are many.
fn open_all(verifier: &Verifier, notes: &[(u64, String)]) -> Vec<Option<TreeHead>> {
    let open = |notes: &[(u64, String)]| notes.iter().map(|(_, note)| verifier.open(note).ok()).collect::<Vec<_>>();
    let threads = thread::available_parallelism().map_or(1, |n| n.get());
    if notes.len() < 64 || threads == 1 {
        return open(notes);
    }
    let open = &open;
    thread::scope(|scope| {
        let parts: Vec<_> =
            notes.chunks(notes.len().div_ceil(threads)).map(|part| (part.len(), scope.spawn(move || open(part)))).collect();
        parts.into_iter().flat_map(|(len, part)| part.join().unwrap_or_else(|_| vec![None; len])).collect()
    })
}

async fn stretch(reader: &mut Reader, from: u64) -> Result<std::result::Result<Option<Stretch>, Gap>> {
    let batch = match log::batch(reader.sql(), from, from + BATCH, false).await? {
        Ok(Some(batch)) => batch,
        Ok(None) => return Ok(Ok(None)),
        Err(gap) => return Ok(Err(gap)),
    };
    let rows = sqlx::query("select size, note from checkpoint where size > $1 and size <= $2 order by size")
        .bind(from as i64)
        .bind((from + batch.len) as i64)
        .fetch_all(reader.sql())
        .await?;
    let checkpoints = rows.iter().map(|row| Ok((row.try_get::<i64, _>(0)? as u64, row.try_get(1)?))).collect::<Result<_>>()?;
    Ok(Ok(Some(Stretch { batch, checkpoints })))
}

impl Ledger {
    /// Verifies the journal: numbers without gaps, the tree made again from the entries, every kept node, the signature and root of
    /// every checkpoint, and the `older` checkpoints that somebody kept elsewhere. Reading and hashing run at the same time; memory
    /// is bounded by the kept nodes (two for 256 entries). `progress` hears the number of entries done.
    ///
    /// # Errors
    /// When the database does not answer, and [`LedgerError::Journal`] for an older checkpoint that is not signed by this journal's
    /// key. What is wrong with the journal itself is no error but a fault in the result.
    pub async fn verify(&self, older: &[String], mut progress: impl FnMut(u64)) -> Result<Verification> {
        let mut reader = self.read_unchecked().await?;
        let verifier = self.shared.verifier.clone();
        let mut heads = older.iter().map(|note| verifier.open(note)).collect::<Result<Vec<_>, _>>()?;
        heads.sort_by_key(|head| std::cmp::Reverse(head.size));
        let rows = sqlx::query("select level, idx, hash from node").fetch_all(reader.sql()).await?;
        let mut kept = HashMap::with_capacity(rows.len());
        let mut faults = Vec::new();
        for row in &rows {
            let at = NodeAt { level: row.try_get::<i64, _>(0)? as u8, index: row.try_get::<i64, _>(1)? as u64 };
            match <[u8; 32]>::try_from(row.try_get::<&[u8], _>(2)?) {
                Ok(hash) => drop(kept.insert(at, Hash(hash))),
                Err(_) => faults.push(JournalFault::NodeWrong { at }),
            }
        }
        drop(rows);
        let mut check = Check {
            verifier,
            frontier: Frontier::empty(),
            kept,
            older: heads,
            checkpoints: 0,
            signed: 0,
            last: None,
            faults,
            broken: false,
        };
        let mut next = stretch(&mut reader, 0).await?;
        let gap = loop {
            match next {
                Ok(Some(now)) => {
                    let from = now.batch.from + now.batch.len;
                    let work = tokio::task::spawn_blocking(move || check.stretch(now));
                    next = stretch(&mut reader, from).await?;
                    check = work.await.map_err(|error| disorder(error.to_string()))?;
                    progress(from);
                    if check.broken {
                        break None;
                    }
                }
                Ok(None) => break None,
                Err(gap) => break Some(gap),
            }
        };
        match gap {
            Some(Gap::Missing(seq)) => check.fault(JournalFault::EntryMissing { seq }),
            Some(Gap::Malformed(seq)) => check.fault(JournalFault::EntryMalformed { seq }),
            None if check.broken => (),
            None => finish(&mut reader, &mut check).await?,
        }
        Ok(Verification {
            entries: check.frontier.size(),
            root: check.frontier.root(),
            checkpoints: check.checkpoints,
            checkpoint: check.last,
            faults: check.faults,
        })
    }

    /// A snapshot that does not insist on the journal's end being in order.
    pub(crate) async fn read_unchecked(&self) -> Result<Reader> {
        let mut sql = self.begin_read().await?;
        let size: i64 = sqlx::query_scalar("select coalesce(max(size), 0) from checkpoint").fetch_one(&mut *sql).await?;
        Ok(Reader { sql, size: size as u64 })
    }
}

/// What can only be said when every entry was read.
async fn finish(reader: &mut Reader, check: &mut Check) -> Result<(), LedgerError> {
    let entries = check.frontier.size();
    if entries == 0 {
        check.fault(JournalFault::Empty);
    }
    let beyond: Option<i64> = sqlx::query_scalar("select min(size) from checkpoint where size > $1 or size < 1")
        .bind(entries as i64)
        .fetch_one(reader.sql())
        .await?;
    if let Some(size) = beyond {
        check.fault(JournalFault::CheckpointBeyond { size: size as u64, entries });
    } else if check.signed < entries {
        check.fault(JournalFault::EntriesUnsigned { from: check.signed, to: entries });
    }
    let mut left: Vec<NodeAt> = check.kept.keys().copied().collect();
    left.sort_unstable();
    for at in left {
        check.fault(JournalFault::NodeWrong { at });
    }
    while let Some(older) = check.older.pop() {
        check.fault(JournalFault::OlderCheckpointDiffers { size: older.size });
    }
    Ok(())
}
