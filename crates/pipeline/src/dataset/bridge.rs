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
use ledger::{AssetState, Counts, DatasetState, Reader, Tx};
use messages::{Lang, Message};
use omop::Table;
use serde::Serialize;
use terms::{AssetClass, AssetId, DatasetId, RecordId, ReleaseKind};

use super::build::{Made, Product, enter, partition, persons_setting};
use super::deliver::released;
use super::order::{KEYS_TABLE, Order, QUERY_TABLE, Query};
use super::{Case, files, select};
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

/// Name of the setting that says which asset is the table of a linkable data set's ids.
pub(super) fn provision_setting(id: DatasetId) -> String {
    format!("dataset.{id}.provision")
}

/// Name of the setting that says which build of which data set a list goes with.
fn base_setting(id: DatasetId) -> String {
    format!("dataset.{id}.base")
}

/// Seals which record has which id.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_ids(instance: &Instance, id: DatasetId, ids: &[(i64, i64)]) -> Result<sealed::Written, Error> {
    sealed::write(instance, AssetClass::Method, "provision ids", format!("provision ids of data set {id}"), |to| {
        serde_json::to_writer(to, ids).map_err(|e| Error::Inconsistent(e.to_string()))
    })
}

/// The table of a data set's ids, when it is there.
async fn ids_asset(reader: &mut Reader, id: DatasetId) -> Result<Option<AssetId>, Error> {
    let Some(asset) = reader.setting(&provision_setting(id)).await?.and_then(|a| a.parse().ok()) else { return Ok(None) };
    Ok(reader.asset(asset).await?.filter(|a| a.state == AssetState::Live).map(|a| a.id))
}

async fn read_ids(instance: &Instance, asset: AssetId) -> Result<Vec<(i64, i64)>, Error> {
    serde_json::from_slice(&sealed::read(instance, asset).await?)
        .map_err(|_| Error::Inconsistent("a table of ids is malformed".to_owned()))
}

/// The ids of a data set that is to be made again, or whose keys have been handed over: they go with it.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn ids_of(reader: &mut Reader, id: DatasetId) -> Result<Option<AssetId>, Error> {
    ids_asset(reader, id).await
}

/// Takes erased records out of the tables of ids: with them, the house could still say which rows of a delivered data set are theirs.
///
/// # Errors
/// When a table does not open or the ledger cannot be written.
pub(super) async fn forget(instance: &Instance, erased: &BTreeSet<RecordId>) -> Result<(), Error> {
    let mut reader = instance.ledger.read().await?;
    let mut tables = Vec::new();
    for dataset in reader.datasets().await?.into_iter().filter(|d| d.kind == ReleaseKind::LinkableAnonymized) {
        tables.extend(ids_asset(&mut reader, dataset.id).await?.map(|asset| (dataset.id, asset)));
    }
    drop(reader);
    for (id, old) in tables {
        let mut ids = read_ids(instance, old).await?;
        let before = ids.len();
        ids.retain(|(record, _)| !erased.contains(&RecordId(*record)));
        if ids.len() == before {
            continue;
        }
        let written = write_ids(instance, id, &ids)?;
        let new = written.asset.id;
        let mut tx = instance.ledger.begin(&instance.actor, "take erased records out of a table of ids").await?;
        tx.add_assets(&[(written.asset, Some(written.key))]).await?;
        tx.set_setting(&provision_setting(id), &new.to_string()).await?;
        tx.doom_assets(&[old], "records in it were erased").await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What a list goes with.
struct Base {
    /// The linkable data set.
    dataset: ledger::Dataset,
    /// The query that keys answer.
    query: Option<ledger::Dataset>,
}

impl Base {
    async fn of(reader: &mut Reader, order: &Order) -> Result<Option<Base>, Error> {
        let not_linkable = |id: DatasetId| Error::refused(Message::new("core-keys-not-linkable").with("id", id));
        let not_a_query = |id: DatasetId| Error::refused(Message::new("core-keys-not-a-query").with("id", id));
        let (id, query) = match order {
            Order::Tables(_) => return Ok(None),
            Order::Query(query) => (query.dataset, None),
            Order::Keys(keys) => {
                let row = reader.dataset(keys.query).await?.filter(|d| d.kind == ReleaseKind::LinkageQuery);
                let row = row.ok_or_else(|| not_a_query(keys.query))?;
                let id = Order::parse(&row.profile)?.belongs_to().ok_or_else(|| not_a_query(keys.query))?;
                (id, Some(row))
            }
        };
        let dataset = reader.dataset(id).await?.filter(|d| d.kind == ReleaseKind::LinkableAnonymized);
        Ok(Some(Base { dataset: dataset.ok_or_else(|| not_linkable(id))?, query }))
    }

    /// The build of the data set, as text; none when it is not made, or is to be made again.
    fn build(&self) -> Option<String> {
        let made = matches!(self.dataset.state, DatasetState::TwoPersonCheck | DatasetState::Released | DatasetState::Delivered);
        self.dataset.data_sha256.filter(|_| made).map(|sha| format!("{} {}", self.dataset.id, hex::encode(sha)))
    }
}

/// Whether what an order goes with is there: a linkable data set for a query, a query and its data set's recipient for keys.
///
/// # Errors
/// A refusal when it is not.
pub(super) async fn fits(reader: &mut Reader, order: &Order) -> Result<(), Error> {
    let Some(base) = Base::of(reader, order).await? else { return Ok(()) };
    if base.query.is_some() && base.dataset.recipient != order.recipient() {
        let message = Message::new("core-keys-recipient").with("id", base.dataset.id).with("recipient", &base.dataset.recipient);
        return Err(Error::refused(message));
    }
    Ok(())
}

/// Whether the data set that a made list goes with is another now than when the list was made: its ids are others then.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn made_again(instance: &Instance, id: DatasetId) -> Result<bool, Error> {
    let mut reader = instance.ledger.read().await?;
    let Some(row) = reader.dataset(id).await? else { return Ok(false) };
    if !matches!(row.kind, ReleaseKind::LinkageQuery | ReleaseKind::LinkageKeys) {
        return Ok(false);
    }
    let Some(base) = Base::of(&mut reader, &Order::parse(&row.profile)?).await? else { return Ok(false) };
    let then = reader.setting(&base_setting(id)).await?;
    Ok(then.is_none() || then != base.build())
}

/// Takes the table of ids away once the keys have been handed over: nobody needs it any more.
///
/// # Errors
/// When the ledger cannot be written.
pub(super) async fn ids_served(tx: &mut Tx, id: DatasetId) -> Result<(), Error> {
    let Some(row) = tx.read().dataset(id).await?.filter(|d| d.kind == ReleaseKind::LinkageKeys) else { return Ok(()) };
    let Some(base) = Base::of(tx.read(), &Order::parse(&row.profile)?).await? else { return Ok(()) };
    if let Some(asset) = ids_asset(tx.read(), base.dataset.id).await? {
        tx.doom_assets(&[asset], "the keys were handed over").await?;
    }
    Ok(())
}

/// Persons of a linkable data set as today's linkage and today's refusals leave them: records by id.
struct Persons {
    records: BTreeMap<i64, Vec<i64>>,
    /// Persons of whom somebody said no, or who were erased.
    opted_out: u64,
    /// Persons whose records are other persons' today.
    relinked: u64,
}

async fn persons(instance: &Instance, snapshot: &lake::Snapshot, ids: &[(i64, i64)]) -> Result<Persons, Error> {
    let mut reader = instance.ledger.read().await?;
    let map = snapshot.person_map().ok_or_else(|| Error::refused(Message::new("core-dataset-not-linked")))?;
    let stopped = select::stopped(instance, &mut reader, Some(map), ReleaseKind::LinkageQuery).await?;
    drop(reader);
    let mut records: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (record, id) in ids {
        records.entry(*id).or_default().push(*record);
    }
    let all = records.len() as u64;
    records.retain(|_, of| !of.iter().any(|r| stopped.contains(&RecordId(*r))));
    // Of whom no record is in the map today, nothing is known to ask by.
    let today = |of: &[i64]| of.iter().map(|r| map.person(RecordId(*r))).collect::<BTreeSet<_>>();
    records.retain(|_, of| !today(of).contains(&None));
    let opted_out = all - records.len() as u64;
    let mut claims: HashMap<terms::PersonId, u64> = HashMap::new();
    for person in records.values().flat_map(|of| today(of)).flatten() {
        *claims.entry(person).or_default() += 1;
    }
    let one = |of: &[i64]| {
        let persons = today(of);
        persons.len() == 1 && persons.iter().flatten().all(|p| claims.get(p) == Some(&1))
    };
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
}

/// Makes one of the lists.
///
/// # Errors
/// Refusals: the data set is not made or another now, its table of ids is destroyed, the linkage is stale, nobody is left, the body's file
/// does not hold.
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
    let asset = ids_asset(&mut reader, base.dataset.id).await?;
    drop(reader);
    let asset = asset.ok_or_else(|| Error::refused(Message::new("core-keys-ids-gone").with("id", base.dataset.id)))?;
    let snapshot = instance.lake.snapshot(&instance.ledger, Some(ReleaseKind::LinkageQuery.needed_scope())).await?;
    if crate::link::is_stale_in(instance, &snapshot).await? {
        return Err(Error::refused(Message::new("core-dataset-link-stale")));
    }
    let mut ids = read_ids(instance, asset).await?;
    if let Some(query) = &base.query {
        // Keys are of those who were asked for.
        let asked: HashSet<i64> = released(instance, query.id).await?.into_iter().collect();
        ids.retain(|(record, _)| asked.contains(record));
    }
    let known: BTreeSet<i64> = ids.iter().map(|(_, id)| *id).collect();
    let persons = persons(instance, &snapshot, &ids).await?;
    let listed = match (order, file) {
        (Order::Query(query), None) => asked_for(&snapshot, query, &persons)?,
        (Order::Keys(_), Some(file)) => given(file, &known, &persons)?,
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
        shared: listed.shared,
        coverage: &listed.coverage,
    };
    let page = sealed::write(instance, AssetClass::Dataset, "report", format!("report of data set {id}"), |to| {
        files::write_pages(to, told.page(Lang::Ja), told.page(Lang::En), &told)
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
        shared_keys: listed.shared,
        coverage: listed.coverage.clone(),
    };
    let read = match order {
        Order::Query(_) => vec![Table::Identity.name().to_owned(), Table::Insurance.name().to_owned()],
        _ => Vec::new(),
    };
    let settings = vec![(base_setting(id), build), (persons_setting(id), partition(&records, snapshot.person_map()))];
    let product = Product {
        read: (read, records.len() as u64),
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
    Ok(Listed { table: QUERY_TABLE, csv, ids: asked.ids().collect(), coverage, shared: 0 })
}

/// Largest file that a body may give back, in bytes: a hundred million keys.
const LARGEST_ANSWER: u64 = 1 << 32;

/// The list of keys from the body's file. Who said no meanwhile is not in it.
fn given(file: &Path, known: &BTreeSet<i64>, persons: &Persons) -> Result<Listed, Error> {
    let name = file.display().to_string();
    let found = std::fs::metadata(file).map_err(Error::io(name.clone()))?;
    if !found.is_file() || found.len() > LARGEST_ANSWER {
        return Err(Error::refused(Message::new("core-keys-file-unusable").with("file", &name)));
    }
    let bytes = zeroize::Zeroizing::new(std::fs::read(file).map_err(Error::io(name.clone()))?);
    let mut keys = linkage::key_answer(&bytes, known).map_err(|wrong| {
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
    Ok(Listed { table: KEYS_TABLE, csv: csv.into_bytes(), ids: keys.keys().copied().collect(), coverage: Vec::new(), shared })
}

/// What the page of a list says.
#[derive(Serialize)]
struct Told<'a> {
    kind: ReleaseKind,
    dataset: DatasetId,
    recipient: &'a str,
    purpose: &'a str,
    persons: u64,
    /// Persons of the data set, or of the query.
    of: u64,
    opted_out: u64,
    relinked: u64,
    shared: u64,
    coverage: &'a [ClassCoverage],
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Told<'_> {
    /// As a page in a language.
    fn page(&self, lang: Lang) -> String {
        use std::fmt::Write as _;
        let t = |code: &'static str| escape(&Message::new(code).text(lang));
        let title = t(match self.kind {
            ReleaseKind::LinkageQuery => "core-keys-page-query",
            _ => "core-keys-page-keys",
        });
        let mut page = format!(
            "<!doctype html><html lang={lang}><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>\
             <style>body{{font:16px/1.6 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1c}}\
             table{{border-collapse:collapse;margin:1rem 0}}th,td{{border-bottom:1px solid #ccc;padding:.25rem .75rem;text-align:left}}\
             td{{font-variant-numeric:tabular-nums}}td.n,th.n{{text-align:right}}</style><h1>{title}</h1>"
        );
        let note = t(match self.kind {
            ReleaseKind::LinkageQuery => "core-keys-page-query-note",
            _ => "core-keys-page-keys-note",
        });
        let _ = write!(page, "<p>{note}</p><table>");
        let mut line = |name: String, value: String| {
            let _ = write!(page, "<tr><th scope=row>{name}</th><td>{value}</td></tr>");
        };
        line(t("core-keys-page-dataset"), self.dataset.to_string());
        line(t("core-keys-page-recipient"), escape(self.recipient));
        line(t("core-keys-page-purpose"), escape(self.purpose));
        line(t("core-keys-page-persons"), format!("{} / {}", self.persons, self.of));
        line(t("core-keys-page-opted-out"), self.opted_out.to_string());
        line(t("core-keys-page-relinked"), self.relinked.to_string());
        if self.kind == ReleaseKind::LinkageKeys {
            line(t("core-keys-page-shared"), self.shared.to_string());
        }
        page.push_str("</table>");
        if !self.coverage.is_empty() {
            let heads = ["persons", "asked", "with-branch", "with-name", "check-digit"].map(|h| match h {
                "persons" => t("core-keys-column-persons"),
                "asked" => t("core-keys-column-asked"),
                "with-branch" => t("core-keys-column-branch"),
                "with-name" => t("core-keys-column-name"),
                _ => t("core-keys-column-check-digit"),
            });
            let _ =
                write!(page, "<h2>{}</h2><table><tr><th scope=col>{}</th>", t("core-keys-coverage"), t("core-keys-column-class"));
            for head in heads {
                let _ = write!(page, "<th class=n scope=col>{head}</th>");
            }
            page.push_str("</tr>");
            for c in self.coverage {
                let _ = write!(page, "<tr><th scope=row>{}</th>", t(c.class.code()));
                for n in [c.of.persons, c.of.asked, c.of.with_branch, c.of.with_name, c.of.wrong_check_digit] {
                    let _ = write!(page, "<td class=n>{n}</td>");
                }
                page.push_str("</tr>");
            }
            page.push_str("</table>");
        }
        page.push_str("</html>\n");
        page
    }
}
