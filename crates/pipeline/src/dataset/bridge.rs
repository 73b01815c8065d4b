//! The two lists that attach public databases to a linkable data set (連結可能匿名加工医療情報): who is in it, for the body that keeps the
//! history of insured numbers, and the keys that it gave, for whoever has the data set.
//!
//! They leave by the door of all data sets: a committee, two officers, a list of the records in them, and nobody who said no. Which id is
//! whose stands in a sealed table from the making of the data set until the keys have been handed over, and nowhere else.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use governance::application::Digest;
use governance::approval::Digests;
use governance::dataset::{BuildFacts, Building, Dataset};
use ledger::{Counts, DatasetState};
use messages::{Lang, Message};
use omop::Table;
use serde::Serialize;
use terms::{AssetClass, RecordId, ReleaseKind};

use super::base::{Base, base_setting};
use super::build::{Made, Product, enter, partition, persons_setting};
use super::deliver::released;
use super::order::{KEYS_TABLE, Order, QUERY_TABLE, Query};
use super::told::Told;
use super::{Case, files, ids, select};
use crate::Instance;
use crate::error::Error;
use crate::sealed;

/// How many persons of a class of insurers are asked for.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ClassCoverage {
    /// The class.
    pub class: linkage::Class,
    /// Its persons.
    #[serde(flatten)]
    pub of: linkage::Coverage,
}

/// Persons of a linkable data set as today's linkage and today's refusals leave them: records by id.
struct Persons {
    records: BTreeMap<i64, Vec<i64>>,
    /// Persons of whom somebody said no, or who were erased.
    opted_out: u64,
    /// Persons whose records are other persons' today.
    relinked: u64,
}

/// The persons of `asked`, or all. Whose records are whose is looked at among all ids of the data set: a person who was asked for may be one
/// with another who was not.
async fn persons(
    instance: &Instance,
    snapshot: &lake::Snapshot,
    ids: &[(i64, i64)],
    asked: Option<&BTreeSet<i64>>,
) -> Result<Persons, Error> {
    let mut reader = instance.ledger.read().await?;
    let map = snapshot.person_map().ok_or_else(|| Error::refused(Message::new("core-dataset-not-linked")))?;
    let stopped = select::stopped(instance, &mut reader, Some(map), ReleaseKind::LinkageQuery).await?;
    drop(reader);
    let mut records: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (record, id) in ids {
        records.entry(*id).or_default().push(*record);
    }
    let wanted = |id: &i64| asked.is_none_or(|asked| asked.contains(id));
    let count = |records: &BTreeMap<i64, Vec<i64>>| records.keys().filter(|id| wanted(id)).count() as u64;
    let all = count(&records);
    records.retain(|_, of| !of.iter().any(|r| stopped.contains(&RecordId(*r))));
    // Of whom no record is in the map today, nothing is known to ask by.
    let today = |of: &[i64]| of.iter().map(|r| map.person(RecordId(*r))).collect::<BTreeSet<_>>();
    records.retain(|_, of| !today(of).contains(&None));
    let opted_out = all - count(&records);
    let mut claims: HashMap<terms::PersonId, u64> = HashMap::new();
    for person in records.values().flat_map(|of| today(of)).flatten() {
        *claims.entry(person).or_default() += 1;
    }
    let one = |of: &[i64]| {
        let persons = today(of);
        persons.len() == 1 && persons.iter().flatten().all(|p| claims.get(p) == Some(&1))
    };
    records.retain(|id, _| wanted(id));
    let before = records.len() as u64;
    records.retain(|_, of| one(of));
    Ok(Persons { opted_out, relinked: before - records.len() as u64, records })
}

/// What stands in a list, and what is told of it.
struct Listed {
    table: &'static str,
    csv: Vec<u8>,
    /// Ids in it.
    ids: Vec<i64>,
    coverage: Vec<ClassCoverage>,
    /// Keys that more than one person got.
    shared: u64,
    /// Persons who were asked for and have no key, for no other reason than that the body gave none.
    unanswered: u64,
}

/// Makes one of the lists.
///
/// # Errors
/// Refusals: the data set is not made or another now, is to go back, or has not been handed over, its recipient takes no part any more, its
/// table of ids is destroyed, the linkage is stale, nobody is left, the body's file does not hold.
pub(super) async fn make(
    instance: &Instance,
    case: &Case,
    building: Dataset<Building>,
    order: &Order,
    file: Option<&Path>,
) -> Result<Made, Error> {
    let id = case.row.id;
    let mut reader = instance.ledger.read().await?;
    let base = Base::of(&mut reader, order).await?.ok_or_else(|| Error::Inconsistent("an order of no list".to_owned()))?;
    let not_made = || Error::refused(Message::new("core-dataset-not-made").with("id", base.dataset.id));
    let build = base.build().ok_or_else(not_made)?;
    if let Some(query) = &base.query {
        if query.state != DatasetState::Delivered {
            return Err(Error::refused(Message::new("core-keys-query-not-delivered").with("id", query.id)));
        }
        if reader.setting(&base_setting(query.id)).await?.as_ref() != Some(&build) {
            return Err(Error::refused(Message::new("core-keys-query-old").with("id", query.id)));
        }
    }
    let asset = ids::of(&mut reader, base.dataset.id).await?;
    drop(reader);
    let asset = asset.ok_or_else(|| Error::refused(Message::new("core-keys-ids-gone").with("id", base.dataset.id)))?;
    let snapshot = instance.lake.snapshot(&instance.ledger, Some(ReleaseKind::LinkageQuery.needed_scope())).await?;
    if crate::link::is_stale_in(instance, &snapshot).await? {
        return Err(Error::refused(Message::new("core-dataset-link-stale")));
    }
    if let Some(amiss) = base.amiss(instance).await? {
        return Err(Error::refused(amiss.message));
    }
    let ids = ids::read(instance, asset).await?;
    // Keys are of those who were asked for.
    let asked = match &base.query {
        Some(query) => {
            let records: HashSet<i64> = released(instance, query.id).await?.into_iter().collect();
            Some(ids.iter().filter(|(record, _)| records.contains(record)).map(|(_, id)| *id).collect::<BTreeSet<i64>>())
        }
        None => None,
    };
    let persons = persons(instance, &snapshot, &ids, asked.as_ref()).await?;
    let looked_at = match &asked {
        Some(asked) => ids.iter().filter(|(_, id)| asked.contains(id)).count(),
        None => persons.records.values().map(Vec::len).sum(),
    };
    let listed = match (order, file) {
        (Order::Query(query), None) => asked_for(&snapshot, query, &persons)?,
        (Order::Keys(_), Some(file)) => {
            let known = asked.unwrap_or_default();
            given(file, &known, &telling(&snapshot, &ids, &known)?, &persons)?
        }
        (Order::Keys(_), None) => return Err(Error::refused(Message::new("core-keys-file-missing"))),
        (Order::Query(_) | Order::Tables(_), _) => return Err(Error::refused(Message::new("core-keys-file-unasked"))),
    };
    let inside: HashSet<i64> = listed.ids.iter().copied().collect();
    let mut records: Vec<i64> = ids.iter().filter(|(_, id)| inside.contains(id)).map(|(record, _)| *record).collect();
    records.sort_unstable();

    let who = sealed::write(instance, AssetClass::Method, "released records", format!("records of data set {id}"), |to| {
        serde_json::to_writer(to, &records).map_err(|e| Error::Inconsistent(e.to_string()))
    })?;
    let kind = order.kind();
    let data = sealed::write(instance, AssetClass::Dataset, "data set", format!("data set {id}"), |to| {
        files::write_list(to, &files::statement(id, kind, order), &case.row.profile, listed.table, &listed.csv)
    })?;
    let told = Told {
        kind,
        dataset: base.dataset.id,
        recipient: order.recipient(),
        purpose: order.purpose(),
        persons: listed.ids.len() as u64,
        of: persons.records.len() as u64 + persons.opted_out + persons.relinked,
        opted_out: persons.opted_out,
        relinked: persons.relinked,
        unanswered: listed.unanswered,
        shared: listed.shared,
        coverage: &listed.coverage,
    };
    let page = sealed::write(instance, AssetClass::Dataset, "report", format!("report of data set {id}"), |to| {
        let leaving = (kind == ReleaseKind::LinkageKeys).then(|| [Lang::Ja, Lang::En].map(|lang| told.page(lang, true)));
        files::write_pages(to, [Lang::Ja, Lang::En].map(|lang| told.page(lang, false)), leaving, &told)
    })?;
    let facts = BuildFacts {
        tables: vec![listed.table.to_owned()],
        label: kind,
        persons: told.persons,
        smallest_class: None,
        k: None,
        opted_out: 0,
    };
    let digests = Digests {
        data: Digest(data.plain_sha256),
        report: Digest(page.plain_sha256),
        profile: Digest(seal::hash::sha256(case.row.profile.as_bytes())),
    };
    let mut counts = Counts::new();
    for (name, n) in [
        ("persons", told.persons),
        ("rows", told.persons),
        ("opted_out_persons", persons.opted_out),
        ("relinked_persons", persons.relinked),
        ("unanswered_persons", listed.unanswered),
        ("shared_keys", listed.shared),
    ] {
        counts.insert(name.to_owned(), i64::try_from(n).unwrap_or(i64::MAX));
    }
    let made = Made {
        id,
        persons: told.persons,
        rows: told.persons,
        suppressed: 0,
        opted_out: persons.opted_out,
        not_notified: 0,
        relinked: persons.relinked,
        smallest_class: None,
        data_sha256: hex::encode(data.plain_sha256),
        near: Vec::new(),
        cumulative: None,
        unanswered: listed.unanswered,
        shared_keys: listed.shared,
        coverage: listed.coverage.clone(),
    };
    let read = vec![Table::Identity.name().to_owned(), Table::Insurance.name().to_owned()];
    let settings = vec![(base_setting(id), build), (persons_setting(id), partition(&records, snapshot.person_map()))];
    let product = Product {
        read: (read, looked_at as u64),
        checked: building.finished(digests, facts).check(),
        who,
        data,
        page,
        counts,
        settings,
        tables: Vec::new(),
    };
    enter(instance, case, product).await?;
    Ok(made)
}

/// The list that a body is asked by.
fn asked_for(snapshot: &lake::Snapshot, query: &Query, persons: &Persons) -> Result<Listed, Error> {
    let of_record: HashMap<i64, i64> =
        persons.records.iter().flat_map(|(id, records)| records.iter().map(|r| (*r, *id))).collect();
    let records: Vec<RecordId> = of_record.keys().map(|r| RecordId(*r)).collect();
    let identity = snapshot.records(Table::Identity, &records, lake::Blocked::Exclude)?;
    let insurance = snapshot.records(Table::Insurance, &records, lake::Blocked::Exclude)?;
    let asked =
        linkage::key_query(&identity, &insurance, &of_record, query.form).map_err(|e| Error::Inconsistent(e.to_string()))?;
    let mut csv = Vec::new();
    asked.write_csv(&mut csv).map_err(Error::io("writing a list"))?;
    let coverage = asked.coverage().iter().map(|(class, of)| ClassCoverage { class: *class, of: *of }).collect();
    Ok(Listed { table: QUERY_TABLE, csv, ids: asked.ids().collect(), coverage, shared: 0, unanswered: 0 })
}

/// What says who somebody is of those who were asked for, also of who said no since: no key may be any of it.
fn telling(snapshot: &lake::Snapshot, ids: &[(i64, i64)], asked: &BTreeSet<i64>) -> Result<linkage::Telling, Error> {
    let records: Vec<RecordId> = ids.iter().filter(|(_, id)| asked.contains(id)).map(|(record, _)| RecordId(*record)).collect();
    let identity = snapshot.records(Table::Identity, &records, lake::Blocked::Include)?;
    let insurance = snapshot.records(Table::Insurance, &records, lake::Blocked::Include)?;
    linkage::Telling::of(&identity, &insurance, asked).map_err(|e| Error::Inconsistent(e.to_string()))
}

/// Largest file that a body may give back, in bytes: a hundred million keys.
const LARGEST_ANSWER: u64 = 1 << 32;

/// The list of keys from the body's file. Who said no meanwhile is not in it.
fn given(file: &Path, known: &BTreeSet<i64>, telling: &linkage::Telling, persons: &Persons) -> Result<Listed, Error> {
    let name = file.display().to_string();
    let found = std::fs::metadata(file).map_err(Error::io(name.clone()))?;
    if !found.is_file() || found.len() > LARGEST_ANSWER {
        return Err(Error::refused(Message::new("core-keys-file-unusable").with("file", &name)));
    }
    let bytes = zeroize::Zeroizing::new(std::fs::read(file).map_err(Error::io(name.clone()))?);
    let mut keys = linkage::key_answer(&bytes, known, telling).map_err(|wrong| {
        let message = Message::new("core-keys-line").with("file", &name).with("line", wrong.line);
        Error::refused(message.with("field", wrong.field))
    })?;
    keys.retain(|id, _| persons.records.contains_key(id));
    let mut csv = String::from("person_id,linkage_key\n");
    let mut seen: HashMap<&str, u64> = HashMap::new();
    for (id, key) in &keys {
        csv.push_str(&format!("{id},{key}\n"));
        *seen.entry(key).or_default() += 1;
    }
    let shared = seen.values().filter(|n| **n > 1).count() as u64;
    let unanswered = persons.records.keys().filter(|id| !keys.contains_key(id)).count() as u64;
    let ids = keys.keys().copied().collect();
    Ok(Listed { table: KEYS_TABLE, csv: csv.into_bytes(), ids, coverage: Vec::new(), shared, unanswered })
}
