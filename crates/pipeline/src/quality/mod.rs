//! Data quality within an instance: the checks of `quality` over the lake and over a package that waits (`batch`), the gate that
//! holds a package back and the word that lets it in or sets it aside (`gate`), and what each look found, kept for the next one (`kept`).
//!
//! Invariants: who is stopped or on hold is in no count; every look stands in the journal with what it was for, before anything of it
//! is shown; ids of a provider's patients leave only sealed to that provider.

mod batch;
mod gate;
mod kept;
mod sent;

use jiff::civil::Date;
use lake::Blocked;
use ledger::{Event, PartyKind};
use messages::Message;
use omop::Table;
use quality::{Kept, Origin, Outcome, Rules, Run};
use terms::ProviderId;

use crate::Instance;
use crate::error::Error;
use crate::notices::today;

pub use batch::{Batch, Numbers, of_package};
pub(crate) use gate::{HELD, REFUSED, REJECTED, RELEASED, gate, is_released};
pub use gate::{Release, reject, release, rules};
pub use kept::looks;
pub use sent::{Files, send};
pub(crate) use sent::{take_back, take_back_of_absent};

/// Days since 1970-01-01.
pub fn day_number(day: Date) -> i32 {
    day.since(jiff::civil::date(1970, 1, 1)).map_or(0, |span| span.get_days())
}

/// The tables that are looked at: none that says who somebody is.
fn tables() -> impl Iterator<Item = Table> {
    Table::ALL.iter().copied().filter(|t| !matches!(t, Table::Identity | Table::Insurance | Table::SourceFile))
}

/// Checks a provider's rows in the lake, and keeps the counts. Gives what was found and what the look before it had found, if there was
/// one.
///
/// # Errors
/// A refusal when there is no such provider or it has no rows; what reading the lake can meet.
pub async fn of_provider(
    instance: &Instance,
    provider: &ProviderId,
    rules: &Rules,
    purpose: &str,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Outcome, Option<Kept>), Error> {
    let none = || Error::refused(Message::new("quality-nobody").with("provider", provider));
    if instance.ledger.read().await?.party(PartyKind::Provider, provider.as_str()).await?.is_none() {
        return Err(none());
    }
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let mut run = Run::new(rules, Origin::Lake, day_number(today()));
    for table in Run::LEARNT {
        for batch in snapshot.scan_of(table, Blocked::Exclude, provider)? {
            run.learn(table, &batch?);
        }
    }
    let loaded = crate::masters::load(instance).await?;
    let mut filler = loaded.filler();
    let mut rows = 0;
    for table in tables() {
        for batch in snapshot.scan_of(table, Blocked::Exclude, provider)? {
            let mut batch = batch?;
            if let Some(filler) = &mut filler {
                batch = filler.fill(table, &batch)?;
            }
            run.check(table, &batch);
            rows += batch.num_rows() as u64;
            progress(rows);
        }
    }
    let outcome = run.finish();
    if outcome.rows() == 0 {
        return Err(none());
    }
    let before = looks(instance, provider).await?.pop();
    let kept = kept::write(instance, provider, &Kept::of(&outcome, &today().to_string()))?;
    let mut tx = instance.ledger.begin(&instance.actor, purpose).await?;
    let read = outcome.tables.iter().map(|t| t.table.to_owned()).collect();
    let records = i64::try_from(outcome.records).unwrap_or(i64::MAX);
    tx.emit(Event::Read { step: "quality".to_owned(), tables: read, records })?;
    tx.add_assets(&[(kept.asset, Some(kept.key))]).await?;
    tx.commit().await?;
    Ok((outcome, before))
}
