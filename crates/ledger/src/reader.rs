use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::error::Result;
use crate::log;

/// One consistent snapshot of the ledger. What is committed later does not show in it. The functions that read stand with
/// their area.
pub struct Reader {
    pub(crate) sql: Transaction<'static, Sqlite>,
    pub(crate) size: u64,
}

impl Reader {
    pub(crate) async fn begin(mut sql: Transaction<'static, Sqlite>) -> Result<Reader> {
        // A deferred transaction takes its snapshot at the first read: that is this one.
        let size = log::size(&mut sql).await?;
        Ok(Reader { sql, size })
    }

    pub(crate) fn sql(&mut self) -> &mut SqliteConnection {
        &mut self.sql
    }

    /// Number of journal entries in the snapshot.
    pub fn journal_size(&self) -> u64 {
        self.size
    }
}
