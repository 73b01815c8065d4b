//! Effects on the outside. Each has a fixed id, so that doing one again overwrites the same name.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use crate::error::Result;
use crate::event::{Event, now};
use crate::marks::mark;
use crate::packages::not_in_state;
use crate::row::Columns;
use crate::words::OutboxState;
use crate::{LedgerError, Reader, Tx};

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its fixed id.
    pub id: String,
    /// What it is (`delivery`, `receipt`, `rejection list` …).
    pub kind: String,
    /// To whom or where.
    pub target: String,
    /// How far it is.
    pub state: OutboxState,
    /// What doing it needs, as JSON without anything about a person.
    pub detail: String,
    /// Last change.
    pub at: Timestamp,
}

fn row(row: &SqliteRow) -> Result<OutboxRow> {
    let c = Columns::new("outbox", row);
    Ok(OutboxRow {
        id: c.get("id")?,
        kind: c.get("kind")?,
        target: c.get("target")?,
        state: c.parsed("state")?,
        detail: c.get("detail")?,
        at: c.time("at")?,
    })
}

impl Tx {
    /// Decides on an effect, to be done after the commit. One that failed is decided on anew under the same id.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`].
    pub async fn add_outbox(&mut self, id: &str, kind: &str, target: &str, detail: &str) -> Result<()> {
        let row = sqlx::query(
            "insert into outbox (id, kind, target, state, detail, at) values ($1, $2, $3, 'pending', $4, $5)
             on conflict (id) do update set target = excluded.target, state = 'pending', detail = excluded.detail, at = excluded.at
             where outbox.state = 'failed' and outbox.kind = excluded.kind returning *",
        )
        .bind(id)
        .bind(kind)
        .bind(target)
        .bind(detail)
        .bind(now())
        .fetch_optional(self.sql())
        .await?
        .ok_or_else(|| LedgerError::AlreadyThere { what: "outbox row", id: id.to_owned() })?;
        let event = Event::OutboxAdded { id: id.to_owned(), kind: kind.to_owned(), target: target.to_owned() };
        self.record(event, vec![mark("outbox", &row)?], None)?;
        Ok(())
    }

    /// Notes that an effect is done, failed, or is to be done again.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::OtherState`].
    pub async fn move_outbox(&mut self, id: &str, from: OutboxState, to: OutboxState) -> Result<()> {
        let row = sqlx::query("update outbox set state = $3, at = $4 where id = $1 and state = $2 returning *")
            .bind(id)
            .bind(from.as_str())
            .bind(to.as_str())
            .bind(now())
            .fetch_optional(self.sql())
            .await?;
        let Some(row) = row else {
            let found: Option<String> =
                sqlx::query_scalar("select state from outbox where id = $1").bind(id).fetch_optional(self.sql()).await?;
            return Err(not_in_state("outbox row", id, found, from.as_str()));
        };
        self.record(Event::OutboxMoved { id: id.to_owned(), from, to }, vec![mark("outbox", &row)?], None)?;
        Ok(())
    }
}

impl Reader {
    /// The effects in a state, or all, the earliest first.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn outbox(&mut self, state: Option<OutboxState>) -> Result<Vec<OutboxRow>> {
        let rows = sqlx::query("select * from outbox where $1 is null or state = $1 order by at, id")
            .bind(state.map(|s| s.as_str()))
            .fetch_all(self.sql())
            .await?;
        rows.iter().map(row).collect()
    }
}
