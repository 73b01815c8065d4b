//! Which records are one person: the identity vault goes in, a versioned map comes out, and nothing else leaves.
//!
//! Records that an opt-out stops are linked too, for one use alone: so that the other records of that person are found
//! and leave all later data sets with it.

use std::collections::HashSet;

use lake::{Blocked, LakeTable, PersonMap};
use ledger::{Counts, Event};
use linkage::{Options, People};
use messages::Message;
use omop::Table;
use serde::Serialize;
use terms::{RecordId, RunId};

use crate::error::Error;
use crate::{Instance, clerk};

/// What a linkage run found.
#[derive(Debug, Serialize)]
pub struct Linked {
    /// The run.
    pub run: RunId,
    /// Rule and version.
    pub rule: String,
    /// Records that were looked at.
    pub records: u64,
    /// Persons they are.
    pub persons: u64,
    /// Pairs that were linked, when this run did it; after an erasure nobody counts them.
    pub links: Option<u64>,
    /// Pairs that may be one person and were not linked.
    pub doubtful: u64,
}

/// Whether identity facts or clerks' words came in after the current map was made, or there is none.
///
/// # Errors
/// When the lake or the ledger cannot be read.
pub async fn is_stale(instance: &Instance) -> Result<bool, Error> {
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    is_stale_in(instance, &snapshot).await
}

/// The same of a snapshot.
///
/// # Errors
/// When the ledger cannot be read.
pub(crate) async fn is_stale_in(instance: &Instance, snapshot: &lake::Snapshot) -> Result<bool, Error> {
    let mut reader = instance.ledger.read().await?;
    let mark = clerk::mark(&clerk::facts(&mut reader, instance.config.linkage.rule()).await?);
    let run = reader.current_linkage().await?;
    Ok(stale(snapshot) || run.is_none_or(|run| mark_of(&run) != mark))
}

/// The clerks' words with which a run was made.
fn mark_of(run: &ledger::LinkageRun) -> i64 {
    run.stats.get("words").copied().unwrap_or(0)
}

fn stale(snapshot: &lake::Snapshot) -> bool {
    let youngest = |table: LakeTable| snapshot.files(table).map(|f| f.commit_seq).max();
    let facts = youngest(Table::Identity.into()).max(youngest(Table::Insurance.into()));
    facts.is_some_and(|facts| youngest(LakeTable::RecordPerson).is_none_or(|map| map < facts))
}

/// Links all records anew and makes the map the current one.
///
/// # Errors
/// When the vault cannot be read or the map not written.
pub async fn link(instance: &Instance) -> Result<Linked, Error> {
    let mut reader = instance.ledger.read().await?;
    let known = reader.records().await?;
    let erased: HashSet<_> = reader.opt_outs().await?.into_iter().filter(|o| o.erase).map(|o| (o.provider, o.patient)).collect();
    let erased: HashSet<RecordId> =
        known.iter().filter(|(_, p, h)| erased.contains(&(p.clone(), *h))).map(|(r, ..)| *r).collect();
    let mut providers: Vec<(RecordId, String)> =
        known.into_iter().map(|(r, provider, _)| (r, provider.as_str().to_owned())).collect();
    if providers.is_empty() {
        return Err(Error::refused(Message::new("core-link-nothing")));
    }
    let facts = clerk::facts(&mut reader, instance.config.linkage.rule()).await?;
    let mark = clerk::mark(&facts);
    let version = reader.commit_seq().await? + 1;
    let current = reader.current_linkage().await?;
    drop(reader);
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let stated = facts.len();
    // The same rule over the same facts and words finds the same: a command that is repeated makes no second map.
    if let Some(run) = current.filter(|run| run.rule == linkage::RULE && mark_of(run) == mark && !stale(&snapshot)) {
        // The map as it is: after an erasure it is smaller than what the run found.
        let n = |name: &str| run.stats.get(name).and_then(|n| u64::try_from(*n).ok());
        let map: Vec<_> = snapshot.person_map().into_iter().flat_map(PersonMap::iter).collect();
        let persons = map.iter().map(|(_, person)| person.0).collect::<HashSet<_>>().len() as u64;
        let doubtful = crate::doubtful::cases(instance, &mut instance.ledger.read().await?).await?.len() as u64;
        let (records, links) = (map.len() as u64, n("links"));
        return Ok(Linked { run: run.id, rule: run.rule, records, persons, links, doubtful });
    }
    let work = move || {
        let records: Vec<RecordId> = providers.iter().map(|(r, _)| *r).collect();
        let identity = snapshot.records(Table::Identity, &records, Blocked::Include)?;
        let insurance = snapshot.records(Table::Insurance, &records, Blocked::Include)?;
        // Who was erased and has not come back is nobody: the map does not name them again.
        let there: HashSet<i64> = identity
            .iter()
            .map(crate::assemble::record_ids)
            .collect::<Result<Vec<_>, _>>()?
            .iter()
            .flat_map(|ids| ids.values().to_vec())
            .collect();
        providers.retain(|(r, _)| !erased.contains(r) || there.contains(&r.0));
        let trouble = |e: linkage::LinkageError| match e {
            linkage::LinkageError::FactsContradict { .. } => Error::refused(e.message()),
            other => Error::Inconsistent(other.to_string()),
        };
        let people = People::from_batches(&identity, &insurance, &providers).map_err(trouble)?;
        linkage::link(&people, &facts, &Options::default()).map_err(trouble)
    };
    let links =
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::Inconsistent("the linkage broke off".to_owned()))??;

    let map = PersonMap::new(links.map.clone());
    let staged = instance.lake.write_person_map(&map, version)?;
    let queued = links.queue.len();
    let doubtful = crate::doubtful::write(instance, links.queue)?;
    let persons = links.map.iter().map(|(_, p)| p.0).collect::<HashSet<_>>().len();
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut stats = Counts::new();
    stats.insert("records".to_owned(), count(links.map.len()));
    stats.insert("persons".to_owned(), count(persons));
    stats.insert("links".to_owned(), count(links.pairs.len()));
    stats.insert("doubtful".to_owned(), count(queued));
    stats.insert("facts".to_owned(), count(stated));
    stats.insert("words".to_owned(), mark);
    let run = RunId::new();
    let mut tx = instance.ledger.begin(&instance.actor, "link records (名寄せ)").await?;
    if tx.next_commit_seq(1).await? != version {
        return Err(Error::Inconsistent("another commit came between".to_owned()));
    }
    let asset = staged.asset;
    instance.lake.commit(&mut tx, &[staged], &[]).await?;
    let older: Vec<_> = tx.read().linkage_runs().await?.into_iter().filter(|r| !r.current).map(|r| r.map_asset).collect();
    let older = live(tx.read(), older).await?;
    tx.add_linkage_run(run, linkage::RULE, asset, &stats).await?;
    crate::doubtful::replace(&mut tx, doubtful).await?;
    tx.emit(Event::Read {
        step: "link".to_owned(),
        tables: vec![Table::Identity.name().to_owned(), Table::Insurance.name().to_owned()],
        records: count(links.map.len()),
    })?;
    // The map before this one stays, so that what was made from it can be explained; older ones go.
    instance.lake.retire(&mut tx, &older, "later linkage runs replace it").await?;
    tx.commit().await?;
    instance.lake.remove_retired(&instance.ledger, &instance.actor).await?;
    crate::dataset::finish_doomed(instance).await?;
    Ok(Linked {
        run,
        rule: linkage::RULE.to_owned(),
        records: links.map.len() as u64,
        persons: persons as u64,
        links: Some(links.pairs.len() as u64),
        doubtful: queued as u64,
    })
}

async fn live(reader: &mut ledger::Reader, assets: Vec<terms::AssetId>) -> Result<Vec<terms::AssetId>, Error> {
    let mut out = Vec::new();
    for id in assets {
        if reader.asset(id).await?.is_some_and(|a| a.state == ledger::AssetState::Live) && !out.contains(&id) {
            out.push(id);
        }
    }
    Ok(out)
}
