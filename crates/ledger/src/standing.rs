//! How a checkpoint that was kept beside the ledger stands to the journal in it: an earlier copy of the ledger that was put back is known by it,
//! without reading the whole journal.

use crate::error::Result;
use crate::{Ledger, LedgerError};

/// How a kept checkpoint stands to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The journal had this root at this size, and goes on from there.
    Contained,
    /// The journal is shorter than when the checkpoint was signed.
    Beyond {
        /// Entries that the checkpoint counts.
        size: u64,
        /// Entries that there are.
        entries: u64,
    },
    /// The journal is as long and is another one.
    Differs {
        /// Entries that the checkpoint counts.
        size: u64,
    },
}

impl Ledger {
    /// How a checkpoint of this journal that was kept elsewhere stands to it. Looks at the checkpoint of the same size alone: whether entries are
    /// those that it was signed over is [`Ledger::verify`]'s to say.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] when it is none of this journal's; when the database does not answer.
    pub async fn standing(&self, kept: &str) -> Result<Standing> {
        let kept = self.shared.verifier.open(kept)?;
        let mut reader = self.read().await?;
        let entries = reader.journal_size();
        if kept.size > entries {
            return Ok(Standing::Beyond { size: kept.size, entries });
        }
        let size = i64::try_from(kept.size)
            .map_err(|_| LedgerError::Journal { reason: "a checkpoint is over too many entries".into() })?;
        let note: Option<String> =
            sqlx::query_scalar("select note from checkpoint where size = $1").bind(size).fetch_optional(reader.sql()).await?;
        let same = match note {
            Some(note) => self.shared.verifier.open(&note)?.root == kept.root,
            None => false,
        };
        Ok(if same { Standing::Contained } else { Standing::Differs { size: kept.size } })
    }

    /// What the database's own check finds wrong with its pages: their authentication codes, also of those that no row uses.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pages_amiss(&self) -> Result<u64> {
        let mut sql = self.begin_read().await?;
        let found: Vec<String> = sqlx::query_scalar("pragma cipher_integrity_check").fetch_all(&mut *sql).await?;
        Ok(found.len() as u64)
    }
}
