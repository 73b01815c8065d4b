//! Settings that are decided by people and hold for the whole instance, such as the waiting period after a notice.

use crate::error::Result;
use crate::event::Event;
use crate::marks::mark;
use crate::{Reader, Tx};

impl Tx {
    /// Sets one. The value stands in the journal, so it must not be about a person. Names beginning with `journal.` are the ledger's own.
    ///
    /// # Errors
    /// [`crate::LedgerError::Invalid`] for such a name; the database's refusals.
    pub async fn set_setting(&mut self, key: &str, value: &str) -> Result<()> {
        if key.is_empty() || key.starts_with("journal.") {
            return Err(crate::LedgerError::Invalid {
                what: "the name of a setting",
                form: "not empty and not begin with journal.",
            });
        }
        let row = sqlx::query(
            "insert into setting (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value returning *",
        )
        .bind(key)
        .bind(value)
        .fetch_one(self.sql())
        .await?;
        self.record(Event::SettingChanged { key: key.to_owned(), value: value.to_owned() }, vec![mark("setting", &row)?], None)?;
        Ok(())
    }

    /// Takes the next `n` numbers of a counter and gives the first. Numbers begin at 1. Makes no event of its own: whatever uses the
    /// number does.
    pub(crate) async fn count_on(&mut self, counter: &str, n: u32) -> Result<i64> {
        let last: i64 = sqlx::query_scalar(
            "insert into counter (name, value) values ($1, $2) on conflict (name) do update set value = value + excluded.value returning value",
        )
        .bind(counter)
        .bind(i64::from(n))
        .fetch_one(self.sql())
        .await?;
        Ok(last - i64::from(n) + 1)
    }

    /// Takes the next `n` commit numbers (1, 2, …) and gives the first. A commit of the lake stamps its assets with one.
    ///
    /// # Errors
    /// The database's refusals.
    pub async fn next_commit_seq(&mut self, n: u32) -> Result<i64> {
        self.count_on("commit", n).await
    }
}

impl Reader {
    /// A setting, if it is set.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn setting(&mut self, key: &str) -> Result<Option<String>> {
        Ok(sqlx::query_scalar("select value from setting where key = $1").bind(key).fetch_optional(self.sql()).await?)
    }

    /// The last commit number that was given out, 0 when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn commit_seq(&mut self) -> Result<i64> {
        let value = sqlx::query_scalar("select value from counter where name = 'commit'").fetch_optional(self.sql()).await?;
        Ok(value.unwrap_or(0))
    }
}
