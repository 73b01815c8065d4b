use std::path::Path;

use anyhow::Context as _;
use ledger::Mode;
use messages::Message;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::{Promise, Verdict};
use crate::demo::below;
use crate::demo::world::{World, open};
use crate::failure::Failure;

/// Whoever has the ledger's key and edits a row with SQL is found: rows are held against the journal.
pub struct EditedRow;

/// What somebody might do who wants a stopped person back.
const EDIT: &str = "update opt_out set state = 'withdrawn' where id = (select min(id) from opt_out where state = 'effective')";

impl Promise for EditedRow {
    fn name(&self) -> &'static str {
        "edited-row-is-found"
    }

    fn title(&self) -> &'static str {
        "demo-promise-edited-row-is-found"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        let found = world.wait(world.instance.ledger.integrity()).map_err(below)?;
        let message = Message::new("demo-found-rows").with("rows", found.rows).with("wrong", found.discrepancies.len());
        Ok(if found.discrepancies.is_empty() && found.rows > 0 { Verdict::Kept(message) } else { Verdict::Broken(message) })
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        let copy = world.copy_ledger("row")?;
        let (edited, found) = world.wait(async {
            let edited = edit(world, &copy.join("ledger.db")).await?;
            let copied = open(&world.place, &copy, Mode::Reader).await?;
            let found = copied.ledger.integrity().await.map_err(below)?;
            copied.ledger.close().await;
            Ok::<_, Failure>((edited, found))
        })?;
        std::fs::remove_dir_all(&copy)?;
        if edited == 0 {
            return Ok(Verdict::Skipped(Message::new("demo-nobody-stopped")));
        }
        let message = Message::new("demo-found-rows").with("rows", found.rows).with("wrong", found.discrepancies.len());
        Ok(if found.discrepancies.is_empty() { Verdict::Kept(message) } else { Verdict::Broken(message) })
    }
}

/// Edits a copy of the ledger as somebody with its key could. Gives the rows that changed.
async fn edit(world: &World, file: &Path) -> Result<u64, Failure> {
    let key = hex::encode(*world.instance.keyring.ledger_key());
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        .pragma("key", format!("\"x'{key}'\""))
        .foreign_keys(false)
        .connect()
        .await
        .context("opening the copy of the ledger")?;
    let done = sqlx::query(EDIT).execute(&mut connection).await.context("editing the copy of the ledger")?;
    connection.close().await.context("closing the copy of the ledger")?;
    Ok(done.rows_affected())
}
