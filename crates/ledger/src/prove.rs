//! What is handed to somebody outside: a proof that one entry stands in the journal, or the whole journal. Both are verified
//! by `tools/verify_journal.py`, which needs nothing of ours but the public key.

use std::io::{BufWriter, Write};
use std::path::Path;

use journal::{Hash, Verifier, check_consistency, check_inclusion, leaf_hash, prove_consistency, prove_inclusion, wanted};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::log::{self, BATCH, Gap, disorder};
use crate::{Ledger, LedgerError};

/// Name and version of the format of a proof.
const FORMAT: &str = "azekura-journal-proof/1";

/// The proof of one entry, as its file says it (JSON).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// `azekura-journal-proof/1`.
    pub format: String,
    /// The journal's public key. Whoever verifies takes it from elsewhere.
    pub verifier_key: String,
    /// Number of the entry.
    pub seq: u64,
    /// The entry, byte for byte.
    pub entry: String,
    /// Audit path from the leaf upward (RFC 6962, 2.1.1), base64.
    pub inclusion: Vec<String>,
    /// The checkpoint whose tree has the entry.
    pub checkpoint: String,
    /// That an older checkpoint's tree is the beginning of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Consistency>,
}

/// The proof that a journal only grew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// The older checkpoint.
    pub older: String,
    /// Hashes (RFC 6962, 2.1.2), base64.
    pub hashes: Vec<String>,
}

fn hashes(texts: &[String]) -> Result<Vec<Hash>> {
    texts.iter().map(|text| text.parse().map_err(|error: journal::MalformedHash| disorder(error.to_string()))).collect()
}

impl Proof {
    /// Holds the proof against a public key.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] with what does not hold.
    pub fn check(&self, verifier_key: &str) -> Result<()> {
        if self.format != FORMAT {
            return Err(disorder(format!("the proof is not in the format {FORMAT}")));
        }
        let verifier = Verifier::new(verifier_key)?;
        let head = verifier.open(&self.checkpoint)?;
        let leaf = leaf_hash(self.entry.as_bytes());
        check_inclusion(&hashes(&self.inclusion)?, head.size, head.root, self.seq, leaf)?;
        if let Some(consistency) = &self.consistency {
            let older = verifier.open(&consistency.older)?;
            check_consistency(&hashes(&consistency.hashes)?, head.size, head.root, older.size, older.root)?;
        }
        Ok(())
    }
}

impl Ledger {
    /// The proof that entry `seq` stands in the journal as the last checkpoint signs it, and, given an older checkpoint, that the
    /// journal only grew since.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; [`LedgerError::Journal`] when the older checkpoint is of another journal, or the journal is not in
    /// order, in which case no proof is given.
    pub async fn prove(&self, seq: u64, older: Option<&str>) -> Result<Proof> {
        let mut reader = self.read().await?;
        let size = reader.journal_size();
        let missing = || LedgerError::NotFound { what: "journal entry", id: seq.to_string() };
        let checkpoint = reader.checkpoint().await?.filter(|_| seq < size).ok_or_else(missing)?;
        let head = older.map(|note| self.shared.verifier.open(note)).transpose()?;
        let nodes = log::nodes(reader.sql(), &wanted(size, Some(seq), head.as_ref().map(|h| h.size))).await?;
        let entry = log::bodies(reader.sql(), seq, seq + 1).await?.pop().ok_or_else(missing)?;
        let text = |hashes: Vec<Hash>| hashes.iter().map(Hash::to_string).collect::<Vec<_>>();
        let consistency = match (&head, older) {
            (Some(head), Some(older)) => {
                Some(Consistency { older: older.to_owned(), hashes: text(prove_consistency(size, head.size, &nodes)?) })
            }
            _ => None,
        };
        let proof = Proof {
            format: FORMAT.to_owned(),
            verifier_key: self.verifier_key().to_owned(),
            seq,
            entry,
            inclusion: text(prove_inclusion(size, seq, &nodes)?),
            checkpoint,
            consistency,
        };
        proof.check(self.verifier_key())?;
        Ok(proof)
    }

    /// Writes the whole journal to a new directory: `entries.jsonl` (one entry a line, byte for byte), `checkpoint.txt` and
    /// `verifier-key.txt`. Gives the number of entries.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] for a gap; [`LedgerError::Io`], also when one of the files exists.
    pub async fn export(&self, directory: &Path) -> Result<u64> {
        let mut reader = self.read().await?;
        let size = reader.journal_size();
        let checkpoint = reader.checkpoint().await?.ok_or_else(|| disorder("it is empty"))?;
        durable::create_dir(directory)?;
        let mut out = BufWriter::with_capacity(1 << 20, durable::NewFile::create(&directory.join("entries.jsonl"))?);
        let mut from = 0;
        while from < size {
            match log::batch(reader.sql(), from, size.min(from + BATCH), false).await? {
                Ok(Some(batch)) => {
                    for (_, body, _) in batch.entries() {
                        out.write_all(body.as_bytes())?;
                        out.write_all(b"\n")?;
                    }
                    from += batch.len;
                }
                Ok(None) => return Err(disorder(format!("entry {from} is missing"))),
                Err(Gap::Missing(seq)) => return Err(disorder(format!("entry {seq} is missing"))),
                Err(Gap::Malformed(seq)) => return Err(disorder(format!("entry {seq} is not one line"))),
            }
        }
        out.into_inner().map_err(|error| error.into_error())?.finish()?;
        durable::write_atomic(&directory.join("checkpoint.txt"), checkpoint.as_bytes())?;
        let key = format!("{}\n", self.verifier_key());
        durable::write_atomic(&directory.join("verifier-key.txt"), key.as_bytes())?;
        Ok(size)
    }
}
