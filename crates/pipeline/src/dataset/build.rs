//! Making a data set: select, treat, count again by other means, seal with its report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anonymity::report::CumulativeReport;
use anonymity::{Dataset as Tables, PersonIds, Processed};
use governance::application::Digest;
use governance::approval::Digests;
use governance::dataset::{BuildFacts, Dataset, TwoPersonCheck, Unfit};
use ledger::{AssetState, Build, Counts, DatasetState, Event};
use messages::{Lang, Message};
use serde::Serialize;
use terms::{AssetClass, DatasetId, ReleaseKind};

use super::bridge::{self, ClassCoverage};
use super::order::Order;
use super::{Case, Near, calendar, cumulative, earlier, files, ids, refused, select, vault};
use crate::Instance;
use crate::error::Error;
use crate::notices::today;
use crate::sealed;

/// A made data set.
#[derive(Debug, Serialize)]
pub struct Made {
    /// Its id.
    pub id: DatasetId,
    /// Persons in it.
    pub persons: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Persons left out because their class was too small.
    pub suppressed: u64,
    /// Records left out because an opt-out names or reaches them.
    pub opted_out: u64,
    /// Records left out because the person was not told of this kind of use.
    pub not_notified: u64,
    /// Of a list that goes with a linkable data set: persons left out because their records are other persons' today.
    #[serde(skip_serializing_if = "none")]
    pub relinked: u64,
    /// Persons of the smallest class, where the kind asks for classes.
    pub smallest_class: Option<u64>,
    /// SHA-256 of the data set before it is sealed.
    pub data_sha256: String,
    /// Anonymized data sets that the recipient has already and that differ from this one by fewer persons than a class has.
    pub near: Vec<Near>,
    /// Of an anonymized one: what it tells beside data sets that were made before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cumulative: Option<CumulativeReport>,
    /// Of keys: persons who were asked for and of whom the body gave none, apart from those left out above.
    #[serde(skip_serializing_if = "none")]
    pub unanswered: u64,
    /// Of keys: how many of them more than one person got.
    #[serde(skip_serializing_if = "none")]
    pub shared_keys: u64,
    /// Of the list that a body is asked by: persons by class of insurer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub coverage: Vec<ClassCoverage>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
const fn none(n: &u64) -> bool {
    *n == 0
}

/// Makes a data set that the committee approved, or one of the lists that go with a linkable one; of keys, `keys` is the body's file.
///
/// # Errors
/// Refusals: not approved, no linkage yet, the profile does not fit the data, what was made is not what was approved, the recipient could join
/// it with another that the profile does not name.
pub async fn make(instance: &Instance, id: DatasetId, keys: Option<&Path>) -> Result<Made, Error> {
    let mut reader = instance.ledger.read().await?;
    let case = Case::load(instance, &mut reader, id).await?;
    // The journal and the officers' guard speak of one maker: who planned it makes it.
    if instance.actor.as_str() != case.row.maker {
        return Err(Error::refused(Message::new("core-dataset-maker").with("maker", &case.row.maker)));
    }
    // A build that was voided or broke off is made again.
    let building = match case.recall(0)? {
        governance::dataset::Recalled::Building(building) => building,
        other => other
            .approved()
            .map_err(refused)?
            .build(super::officer(instance.actor.as_str())?, Digest(seal::hash::sha256(case.row.profile.as_bytes())))
            .map_err(refused)?,
    };
    let profile = match Order::parse(&case.row.profile)? {
        Order::Tables(_) if keys.is_some() => return Err(Error::refused(Message::new("core-keys-file-unasked"))),
        Order::Tables(profile) => *profile,
        order @ (Order::Query(_) | Order::Keys(_)) => {
            drop(reader);
            return bridge::make(instance, &case, building, &order, keys).await;
        }
    };
    let kind = case.row.kind;
    let snapshot = instance.lake.snapshot(&instance.ledger, Some(kind.needed_scope())).await?;
    if snapshot.person_map().is_some() && crate::link::is_stale_in(instance, &snapshot).await? {
        return Err(Error::refused(Message::new("core-dataset-link-stale")));
    }
    let selected = select::records(instance, &mut reader, &snapshot, &profile, kind, today()).await?;
    drop(reader);
    // The dictionary says which source counted.
    crate::ingest::settle_precedence(instance).await?;
    let project_ids = load_project_ids(instance, &case.row.recipient, &case.row.project).await?;
    let ids = match kind {
        ReleaseKind::Pseudonymized => PersonIds::OfProject(known_ids(&project_ids, &selected)),
        _ => PersonIds::New,
    };

    let loaded = crate::masters::load(instance).await?;
    let (processed, mut report, released, inside, loaded, validity) = {
        let (profile, snapshot) = (profile.clone(), snapshot.clone());
        let work = move || {
            let tables = select::tables(&snapshot, &profile, &selected, kind, &loaded)?;
            let mut rng = rand::rng();
            let validity = calendar::validity(&loaded.resolver, &tables);
            let tables = Tables::new(tables).with_validity(validity);
            let treated = anonymity::process_and_tell(&profile, &tables, ids, &mut rng);
            let (processed, report, inside) = treated.map_err(|e| Error::refused(e.message()))?;
            vault::check(&snapshot, &selected, processed.tables())?;
            Ok::<_, Error>((processed, report, selected, inside, loaded, tables.validity().clone()))
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::Inconsistent("the build broke off".to_owned()))??
    };
    let recount = anonymity::recount::recount_with(&profile, processed.tables(), &validity);
    let k = profile.privacy.as_ref().map(|p| u64::from(p.k));
    let persons = recount.persons as u64;
    let smallest_class = k.and(recount.smallest_class.map(|n| n as u64));
    let leaks = recount.against(&profile);
    if processed.kind().is_anonymized() && !leaks.is_empty() {
        return Err(Error::refused(
            Message::new("core-dataset-recount").with("count", leaks.len()).with("what", leaks.join("; ")),
        ));
    }

    // Who is in it: sealed apart, so that somebody who says no before the delivery is found. Who was read and left out is not in it.
    let of_inside = released.records.iter().filter_map(|(record, (person, _))| Some((*record, *inside.get(person)?)));
    let classes: BTreeMap<i64, u32> = of_inside.collect();
    let ids: Vec<i64> = classes.keys().copied().collect();
    earlier::apart(instance, &case.row, &profile, &ids, snapshot.person_map(), false).await?;
    let near = match (k, kind) {
        (Some(k), kind) if kind.is_anonymized() => {
            earlier::nears(instance, id, &case.row.recipient, &ids, snapshot.person_map(), k).await?
        }
        _ => Vec::new(),
    };
    let kept = if kind.is_anonymized() {
        let beside = cumulative::check(instance, &case.row, &profile, &classes, snapshot.person_map(), false).await?;
        report.cumulative = Some(beside);
        Some(cumulative::write(instance, id, &classes, &inside)?)
    } else {
        let beside = cumulative::listed(instance, &case.row, &profile, &ids, snapshot.person_map()).await?;
        report.cumulative = (!beside.earlier.is_empty()).then_some(beside);
        None
    };
    let partition = partition(&ids, snapshot.person_map());
    let who = sealed::write(instance, AssetClass::Method, "released records", format!("records of data set {id}"), |to| {
        serde_json::to_writer(to, &ids).map_err(|e| Error::Inconsistent(e.to_string()))
    })?;
    let data = sealed::write(instance, AssetClass::Dataset, "data set", format!("data set {id}"), |to| {
        let by = files::MadeBy { loaded: &loaded, history: &instance.config.history };
        files::write(to, (id, kind), (&profile, &case.row.profile), &processed, &by)
    })?;
    let table = match &processed {
        Processed::Pseudonymized { ids, .. } => {
            Some(IdTable::Project(write_project_ids(instance, &case.row.project, project_ids, &released, ids)?))
        }
        Processed::Linkable { ids, .. } => {
            let of = released.records.iter().filter_map(|(record, (person, _))| Some((*record, *ids.get(person)?)));
            let mut of: Vec<(i64, i64)> = of.collect();
            of.sort_unstable();
            Some(IdTable::Provision(ids::write(instance, id, &of)?))
        }
        Processed::Anonymized(_) => None,
    };
    let page = sealed::write(instance, AssetClass::Dataset, "report", format!("report of data set {id}"), |to| {
        files::write_report(to, &report)
    })?;

    let rows: u64 = processed.tables().values().map(|b| b.num_rows() as u64).sum();
    let facts = BuildFacts {
        tables: processed.tables().keys().cloned().collect(),
        label: super::plan::release_kind(processed.kind()),
        persons,
        smallest_class,
        k,
        opted_out: 0,
    };
    let profile_sha256 = seal::hash::sha256(case.row.profile.as_bytes());
    let digests = Digests { data: Digest(data.plain_sha256), report: Digest(page.plain_sha256), profile: Digest(profile_sha256) };
    let checked = building.finished(digests, facts).check();

    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let suppressed = report.privacy.as_ref().map_or(0, |p| p.suppressed);
    let mut counts = Counts::new();
    for (name, n) in [
        ("persons", Some(persons)),
        ("rows", Some(rows)),
        ("smallest_class", smallest_class),
        ("k", k),
        ("suppressed", Some(suppressed)),
        ("opted_out_records", Some(released.opted_out)),
        ("not_notified_records", Some(released.not_notified)),
        ("near_earlier_datasets", (!near.is_empty()).then_some(near.len() as u64)),
        ("few_beside_earlier", report.cumulative.as_ref().map(|c| c.recipient.few)),
    ] {
        if let Some(n) = n {
            counts.insert(name.to_owned(), count(n));
        }
    }
    let settings = vec![(persons_setting(id), partition)];
    let mut tables = Vec::new();
    tables.extend(kept.map(|kept| (cumulative::classes_setting(id), kept, "the data set was made again")));
    match table {
        Some(IdTable::Project(table)) => {
            let setting = project_setting(&case.row.recipient, &case.row.project);
            tables.push((setting, table, "a later id table of the project replaces it"));
        }
        Some(IdTable::Provision(table)) => {
            tables.push((ids::provision_setting(id), table, "the data set was made again"));
        }
        None => {}
    }
    let data_sha256 = hex::encode(data.plain_sha256);
    let read = (profile.tables.keys().cloned().collect(), released.records.len() as u64);
    enter(instance, &case, Product { read, checked, who, data, page, counts, settings, tables }).await?;
    Ok(Made {
        id,
        persons,
        rows,
        suppressed,
        opted_out: released.opted_out,
        not_notified: released.not_notified,
        relinked: 0,
        smallest_class,
        data_sha256,
        near,
        cumulative: report.cumulative,
        unanswered: 0,
        shared_keys: 0,
        coverage: Vec::new(),
    })
}

/// A table of ids that goes with a build.
enum IdTable {
    /// Of all data sets of a project.
    Project(sealed::Written),
    /// Of this one.
    Provision(sealed::Written),
}

/// What a build made, sealed and not yet in the ledger.
pub(super) struct Product {
    /// Tables that were read, and of how many records.
    pub(super) read: (Vec<String>, u64),
    /// Whether it is what was approved.
    pub(super) checked: Result<Dataset<TwoPersonCheck>, Box<Unfit>>,
    /// The records in it.
    pub(super) who: sealed::Written,
    pub(super) data: sealed::Written,
    pub(super) page: sealed::Written,
    pub(super) counts: Counts,
    /// Settings that go with it.
    pub(super) settings: Vec<(String, String)>,
    /// Tables of ids with the setting that names each, and why the former one goes.
    pub(super) tables: Vec<(String, sealed::Written, &'static str)>,
}

/// Enters what was made, in one transaction.
///
/// # Errors
/// The first thing that was made and not approved, as a refusal, which is journalled.
pub(super) async fn enter(instance: &Instance, case: &Case, product: Product) -> Result<(), Error> {
    let (id, from) = (case.row.id, case.row.state);
    let mut tx = instance.ledger.begin(&instance.actor, &case.row.purpose).await?;
    if from != DatasetState::Building {
        tx.move_dataset(id, from, DatasetState::Building, None).await?;
    }
    let (tables, records) = product.read;
    let records = i64::try_from(records).unwrap_or(i64::MAX);
    tx.emit(Event::Read { step: "dataset".to_owned(), tables, records })?;
    if let Err(unfit) = product.checked {
        let reason = unfit.reasons.into_iter().next();
        tx.emit(Event::Refused {
            step: "dataset".to_owned(),
            code: reason.as_ref().map_or("core-inconsistent", governance::Refusal::code).to_owned(),
            subject: Some(id.to_string()),
        })?;
        tx.commit().await?;
        return Err(reason.map_or_else(|| Error::Inconsistent("a build does not fit".to_owned()), refused));
    }
    let (who, data, page) = (product.who, product.data, product.page);
    let build = Build {
        data_asset: data.asset.id,
        report_asset: page.asset.id,
        data_sha256: data.plain_sha256,
        report_sha256: page.plain_sha256,
        counts: product.counts,
    };
    let who_id = who.asset.id;
    tx.add_assets(&[(who.asset, Some(who.key)), (data.asset, Some(data.key)), (page.asset, Some(page.key))]).await?;
    tx.set_setting(&released_setting(id), &who_id.to_string()).await?;
    for (name, value) in &product.settings {
        tx.set_setting(name, value).await?;
    }
    for (setting, table, why) in product.tables {
        let new = table.asset.id;
        let old = tx.read().setting(&setting).await?.and_then(|id| id.parse().ok());
        tx.add_assets(&[(table.asset, Some(table.key))]).await?;
        tx.set_setting(&setting, &new.to_string()).await?;
        // It may be gone already, with a build that was voided.
        if let Some(old) = old
            && tx.read().asset(old).await?.is_some_and(|a| a.state == AssetState::Live)
        {
            tx.doom_assets(&[old], why).await?;
            if setting == ids::provision_setting(id) {
                // An earlier copy of the ledger must not open it either.
                super::deliver::destroy_epochs(&mut tx).await?;
            }
        }
    }
    tx.dataset_built(id, &build).await?;
    tx.move_dataset(id, DatasetState::Building, DatasetState::BuildCheck, None).await?;
    tx.move_dataset(id, DatasetState::BuildCheck, DatasetState::TwoPersonCheck, None).await?;
    tx.commit().await?;
    Ok(())
}

/// Name of the setting that says which asset is the id table of a project.
///
/// Two recipients with one name for their projects have ids of their own: they could join their data by common ones.
fn project_setting(recipient: &str, project: &str) -> String {
    // A recipient's id holds no slash: no two pairs make one name.
    format!("recipient/{recipient}/project/{project}/ids")
}

/// The name before recipients were told apart: a project that began under it goes on with its ids.
fn former_project_setting(project: &str) -> String {
    format!("project.{project}.ids")
}

/// The ids of a project, by record: which records are one person is a view that linkage may change. An id that was given
/// once is never given to anybody else.
#[derive(Default, Serialize, serde::Deserialize)]
struct ProjectIds {
    /// Greater than every id that was ever given.
    next: i64,
    /// Record and id.
    given: Vec<(i64, i64)>,
}

async fn load_project_ids(instance: &Instance, recipient: &str, project: &str) -> Result<ProjectIds, Error> {
    let mut reader = instance.ledger.read().await?;
    let asset = match reader.setting(&project_setting(recipient, project)).await? {
        None => {
            // Only who got data of the project under the former name goes on with its ids.
            let built = |d: &ledger::Dataset| d.recipient == recipient && d.project == project && d.data_sha256.is_some();
            let goes_on = reader.datasets().await?.iter().any(built);
            if goes_on { reader.setting(&former_project_setting(project)).await? } else { None }
        }
        asset => asset,
    };
    drop(reader);
    let Some(asset) = asset.and_then(|id| id.parse().ok()) else { return Ok(ProjectIds::default()) };
    let bytes = sealed::read(instance, asset).await?;
    serde_json::from_slice(&bytes).map_err(|_| Error::Inconsistent("an id table is malformed".to_owned()))
}

/// The ids that a project gave before: person of today → id; of several ids the first stays.
fn known_ids(table: &ProjectIds, selected: &select::Selected) -> BTreeMap<i64, i64> {
    let mut ids: BTreeMap<i64, i64> = BTreeMap::new();
    let mut taken = std::collections::BTreeSet::new();
    for (record, id) in &table.given {
        let Some((person, _)) = selected.records.get(record) else { continue };
        // Of a person that a later linkage split, one part keeps the id, and the other gets a new one.
        if !ids.contains_key(person) && taken.insert(*id) {
            ids.insert(*person, *id);
        }
    }
    if table.next > 1 {
        // New ids begin after the highest: this is nobody's.
        ids.insert(i64::MIN, table.next - 1);
    }
    ids
}

/// The id table of a project after a build, more strictly kept than the data: what it had, and what is new.
fn write_project_ids(
    instance: &Instance,
    project: &str,
    mut table: ProjectIds,
    released: &select::Selected,
    ids: &BTreeMap<i64, i64>,
) -> Result<sealed::Written, Error> {
    let known: std::collections::HashSet<i64> = table.given.iter().map(|(record, _)| *record).collect();
    let new = released.records.iter().filter(|(record, _)| !known.contains(record));
    table.given.extend(new.filter_map(|(record, (person, _))| Some((*record, *ids.get(person)?))));
    table.given.sort_unstable_by_key(|(record, id)| (*id, *record));
    table.next = ids.values().copied().max().unwrap_or(0).saturating_add(1).max(table.next);
    sealed::write(instance, AssetClass::Method, "id table", format!("ids of project {project}"), |to| {
        serde_json::to_writer(to, &table).map_err(|e| Error::Inconsistent(e.to_string()))
    })
}

/// Takes erased records out of the id tables of all projects: with them, the house could still say which rows of a delivered data set are
/// theirs. Their ids are given to nobody else.
///
/// # Errors
/// When a table does not open or the ledger cannot be written.
pub(crate) async fn forget(instance: &Instance, erased: &std::collections::BTreeSet<terms::RecordId>) -> Result<(), Error> {
    let mut reader = instance.ledger.read().await?;
    let mut settings = std::collections::BTreeSet::new();
    for dataset in reader.datasets().await? {
        settings.insert((project_setting(&dataset.recipient, &dataset.project), dataset.project.clone()));
        settings.insert((former_project_setting(&dataset.project), dataset.project));
    }
    let mut tables = Vec::new();
    for (setting, project) in settings {
        let asset: Option<terms::AssetId> = reader.setting(&setting).await?.and_then(|id| id.parse().ok());
        tables.extend(asset.map(|asset| (setting, project, asset)));
    }
    drop(reader);
    for (setting, project, old) in tables {
        let malformed = |_| Error::Inconsistent("an id table is malformed".to_owned());
        let mut table: ProjectIds = serde_json::from_slice(&sealed::read(instance, old).await?).map_err(malformed)?;
        let before = table.given.len();
        table.given.retain(|(record, _)| !erased.contains(&terms::RecordId(*record)));
        if table.given.len() == before {
            continue;
        }
        let written = sealed::write(instance, AssetClass::Method, "id table", format!("ids of project {project}"), |to| {
            serde_json::to_writer(to, &table).map_err(|e| Error::Inconsistent(e.to_string()))
        })?;
        let new = written.asset.id;
        let mut tx = instance.ledger.begin(&instance.actor, "take erased records out of an id table").await?;
        tx.add_assets(&[(written.asset, Some(written.key))]).await?;
        tx.set_setting(&setting, &new.to_string()).await?;
        tx.doom_assets(&[old], "records in it were erased").await?;
        tx.commit().await?;
    }
    ids::forget(instance, erased).await?;
    cumulative::forget(instance, erased).await?;
    super::finish_doomed(instance).await
}

/// Name of the setting that says, as a hash, which records of a data set were one person when it was made.
pub(super) fn persons_setting(id: DatasetId) -> String {
    format!("dataset.{id}.persons")
}

/// A hash that is another when other records of these are one person.
pub(super) fn partition(records: &[i64], map: Option<&lake::PersonMap>) -> String {
    let mut sorted = records.to_vec();
    sorted.sort_unstable();
    let mut first: std::collections::HashMap<i64, i64> = std::collections::HashMap::new();
    let mut text = String::new();
    for record in sorted {
        let person = map.and_then(|m| m.person(terms::RecordId(record))).map_or(record, |p| p.0);
        text.push_str(&format!("{record} {}\n", first.entry(person).or_insert(record)));
    }
    hex::encode(seal::hash::sha256(text.as_bytes()))
}

/// Name of the setting that says which asset lists the records of a data set.
pub(super) fn released_setting(id: DatasetId) -> String {
    format!("dataset.{id}.records")
}

/// Writes the report of a made data set to a file, and says where.
///
/// # Errors
/// Refusals: no such data set, or it is not made yet.
pub async fn report(instance: &Instance, id: DatasetId, out: Option<&Path>, lang: Lang) -> Result<PathBuf, Error> {
    let case = Case::load(instance, &mut instance.ledger.read().await?, id).await?;
    // Of a data set that was withdrawn or taken back the row still names it, and nothing opens it.
    let named = instance.ledger.read().await?.asset(case.row.report_asset.unwrap_or_else(terms::AssetId::new)).await?;
    let asset = named.filter(|a| a.state == ledger::AssetState::Live).map(|a| a.id);
    let asset = asset.ok_or_else(|| Error::refused(Message::new("core-dataset-not-made").with("id", id)))?;
    let bytes = sealed::read(instance, asset).await?;
    if Some(seal::hash::sha256(&bytes)) != case.row.report_sha256 {
        return Err(Error::Inconsistent("the report is not the one that was made".to_owned()));
    }
    let (name, page) = files::report_page(&bytes, lang, false)?;
    let path = match out {
        Some(path) => path.to_owned(),
        None => {
            let dir = instance.root.join("reports");
            durable::create_dir(&dir).map_err(Error::io(dir.display().to_string()))?;
            dir.join(format!("{id}-{name}"))
        }
    };
    crate::instance::refuse_other(&path, &page)?;
    let mut tx = instance.ledger.begin(&instance.actor, "read the report of a data set").await?;
    tx.emit(Event::Read { step: "report".to_owned(), tables: Vec::new(), records: 0 })?;
    tx.commit().await?;
    durable::write_atomic(&path, &page).map_err(Error::io(path.display().to_string()))?;
    Ok(path)
}
