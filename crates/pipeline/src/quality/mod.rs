//! Data quality of what a provider's packages became: the checks of `quality` over the lake. Who is stopped or on hold is in no count.

use lake::Blocked;
use ledger::{Event, PartyKind};
use messages::Message;
use omop::Table;
use quality::{Origin, Outcome, Rules, Run};
use terms::ProviderId;

use crate::Instance;
use crate::error::Error;
use crate::notices::today;

/// The tables that are looked at: none that says who somebody is.
fn tables() -> impl Iterator<Item = Table> {
    Table::ALL.iter().copied().filter(|t| !matches!(t, Table::Identity | Table::Insurance | Table::SourceFile))
}

/// Checks a provider's rows in the lake. That they were read stands in the journal with the purpose, before anything is shown.
///
/// # Errors
/// A refusal when there is no such provider or it has no rows; what reading the lake can meet.
pub async fn of_provider(
    instance: &Instance,
    provider: &ProviderId,
    rules: &Rules,
    purpose: &str,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Outcome, Error> {
    let none = || Error::refused(Message::new("quality-nobody").with("provider", provider));
    if instance.ledger.read().await?.party(PartyKind::Provider, provider.as_str()).await?.is_none() {
        return Err(none());
    }
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let day = today().since(jiff::civil::date(1970, 1, 1)).map_or(0, |span| span.get_days());
    let mut run = Run::new(rules, Origin::Lake, day);
    for table in Run::LEARNT {
        for batch in snapshot.scan_of(table, Blocked::Exclude, provider)? {
            run.learn(table, &batch?);
        }
    }
    let mut rows = 0;
    for table in tables() {
        for batch in snapshot.scan_of(table, Blocked::Exclude, provider)? {
            let batch = batch?;
            run.check(table, &batch);
            rows += batch.num_rows() as u64;
            progress(rows);
        }
    }
    let outcome = run.finish();
    if outcome.rows() == 0 {
        return Err(none());
    }
    let mut tx = instance.ledger.begin(&instance.actor, purpose).await?;
    let read = outcome.tables.iter().map(|t| t.table.to_owned()).collect();
    let records = i64::try_from(outcome.records).unwrap_or(i64::MAX);
    tx.emit(Event::Read { step: "quality".to_owned(), tables: read, records })?;
    tx.commit().await?;
    Ok(outcome)
}
