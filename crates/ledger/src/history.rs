//! What the journal says about one thing: the processing history of an asset, the steps of a package or a data set.

use crate::error::Result;
use crate::event::Entry;
use crate::log::disorder;
use crate::{LedgerError, Reader};

fn entry(body: &str) -> Result<Entry> {
    serde_json::from_str(body).map_err(|error| disorder(format!("an entry cannot be read: {error}")))
}

impl Reader {
    /// The entries about one id (of an asset, a package, a data set, an opt-out, a run …; of a party `kind/id`), the earliest first.
    /// For an asset this is the processing history (処理履歴) of the asset ledger.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] for an entry that is none of this program's.
    pub async fn history(&mut self, id: &str) -> Result<Vec<Entry>> {
        let bodies: Vec<String> =
            sqlx::query_scalar("select body from entry where subject = $1 order by seq").bind(id).fetch_all(self.sql()).await?;
        bodies.iter().map(|body| entry(body)).collect()
    }

    /// The entries `from..to` (fewer at the end).
    ///
    /// # Errors
    /// [`LedgerError::Journal`] for an entry that is none of this program's.
    pub async fn entries(&mut self, from: u64, to: u64) -> Result<Vec<Entry>> {
        let size = self.size;
        let bodies = crate::log::bodies(self.sql(), from.min(size), to.min(size)).await?;
        bodies.iter().map(|body| entry(body)).collect()
    }

    /// The last signed checkpoint, `None` before the first commit.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn checkpoint(&mut self) -> Result<Option<String>, LedgerError> {
        Ok(sqlx::query_scalar("select note from checkpoint order by size desc limit 1").fetch_optional(self.sql()).await?)
    }
}
