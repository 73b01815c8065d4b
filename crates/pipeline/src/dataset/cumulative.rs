//! What a data set tells beside those that were made before of the same people: of each anonymized one it is kept, sealed, which record was in
//! which class, so that a later one can be held against it. The classes are numbers: what a class looks like, and which row is whose, is not
//! kept anywhere.

use std::collections::{BTreeMap, BTreeSet};

use anonymity::Profile;
use anonymity::joint::{Joint, Release, joint};
use anonymity::report::{CumulativeReport, EarlierRelease};
use lake::PersonMap;
use ledger::{AssetState, DatasetState, Reader};
use messages::Message;
use serde::{Deserialize, Serialize};
use terms::{AssetClass, AssetId, DatasetId, RecordId, ReleaseKind};

use super::deliver::released;
use super::earlier::{Somebody, names, somebody};
use super::order::Order;
use crate::Instance;
use crate::error::Error;
use crate::sealed;

/// Name of the setting that says which asset keeps the classes of an anonymized data set.
pub(super) fn classes_setting(id: DatasetId) -> String {
    format!("dataset.{id}.classes")
}

/// The classes of a data set, as they are kept.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// Persons of each class when it was made: who is erased later is missing below, not here.
    sizes: BTreeMap<u32, u64>,
    /// Record and class.
    of: Vec<(i64, u32)>,
}

/// Seals which record is in which class; `inside` is each person's class.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(
    instance: &Instance,
    id: DatasetId,
    records: &BTreeMap<i64, u32>,
    inside: &BTreeMap<i64, u32>,
) -> Result<sealed::Written, Error> {
    let mut kept = Kept { sizes: BTreeMap::new(), of: records.iter().map(|(record, class)| (*record, *class)).collect() };
    for class in inside.values() {
        *kept.sizes.entry(*class).or_default() += 1;
    }
    seal(instance, id, &kept)
}

fn seal(instance: &Instance, id: DatasetId, kept: &Kept) -> Result<sealed::Written, Error> {
    sealed::write(instance, AssetClass::Method, "released classes", format!("classes of data set {id}"), |to| {
        serde_json::to_writer(to, kept).map_err(|e| Error::Inconsistent(e.to_string()))
    })
}

/// Where the classes of a data set are, when they are kept.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn of(reader: &mut Reader, id: DatasetId) -> Result<Option<AssetId>, Error> {
    let Some(asset) = reader.setting(&classes_setting(id)).await?.and_then(|a| a.parse().ok()) else { return Ok(None) };
    Ok(reader.asset(asset).await?.filter(|a| a.state == AssetState::Live).map(|a| a.id))
}

async fn read(instance: &Instance, asset: AssetId) -> Result<Kept, Error> {
    serde_json::from_slice(&sealed::read(instance, asset).await?)
        .map_err(|_| Error::Inconsistent("a list of classes is malformed".to_owned()))
}

/// Takes erased records out of the classes of all data sets.
///
/// # Errors
/// When a list does not open or the ledger cannot be written.
pub(super) async fn forget(instance: &Instance, erased: &BTreeSet<RecordId>) -> Result<(), Error> {
    let mut reader = instance.ledger.read().await?;
    let mut lists = Vec::new();
    for dataset in reader.datasets().await?.into_iter().filter(|d| d.kind.is_anonymized()) {
        lists.extend(of(&mut reader, dataset.id).await?.map(|asset| (dataset.id, asset)));
    }
    drop(reader);
    for (id, old) in lists {
        let mut kept = read(instance, old).await?;
        let before = kept.of.len();
        kept.of.retain(|(record, _)| !erased.contains(&RecordId(*record)));
        if kept.of.len() == before {
            continue;
        }
        let written = seal(instance, id, &kept)?;
        let new = written.asset.id;
        let mut tx = instance.ledger.begin(&instance.actor, "take erased records out of the classes of a data set").await?;
        tx.add_assets(&[(written.asset, Some(written.key))]).await?;
        tx.set_setting(&classes_setting(id), &new.to_string()).await?;
        tx.doom_assets(&[old], "records in it were erased").await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The classes of an earlier data set, by today's persons.
fn release(kept: Kept, map: Option<&PersonMap>) -> Release<Somebody> {
    let mut out = Release { sizes: kept.sizes, of: BTreeMap::new() };
    for (record, class) in kept.of {
        out.of.entry(somebody(record, map)).or_default().insert(class);
    }
    out
}

/// An earlier data set, held against the new one.
struct Beside {
    /// What the report says of it.
    told: EarlierRelease,
    /// Whether the recipient of the new one has it or is to get it.
    same: bool,
    /// Its classes, where they are kept.
    classes: Option<Release<Somebody>>,
    /// Fewest persons of a class that its profile promises.
    k: u64,
}

/// Everything made before in which some of the same people are.
async fn laid_beside(
    instance: &Instance,
    row: &ledger::Dataset,
    profile: &Profile,
    new: &BTreeMap<Somebody, u32>,
    map: Option<&PersonMap>,
    leaves: bool,
) -> Result<Vec<Beside>, Error> {
    let k = k_of(Some(profile));
    let mut all = Vec::new();
    let datasets = instance.ledger.read().await?.datasets().await?;
    for other in datasets.iter().filter(|other| other.id != row.id) {
        let made = matches!(other.state, DatasetState::TwoPersonCheck | DatasetState::Released | DatasetState::Delivered);
        // Of these, nobody's rows leave.
        let of_people = !matches!(other.kind, ReleaseKind::LinkageQuery | ReleaseKind::LinkageKeys);
        if !made || !of_people {
            continue;
        }
        let there: BTreeSet<Somebody> = released(instance, other.id).await?.into_iter().map(|r| somebody(r, map)).collect();
        let both = new.keys().filter(|person| there.contains(person)).count() as u64;
        if both == 0 {
            continue;
        }
        // A profile that this version does not take any more promises and names what nobody can say: it counts all the same.
        let order = Order::parse(&other.profile).ok();
        let theirs = order.as_ref().and_then(Order::profile);
        let asset = of(&mut instance.ledger.read().await?, other.id).await?;
        let classes = match asset {
            Some(asset) => Some(release(read(instance, asset).await?, map)),
            None => None,
        };
        let told = EarlierRelease {
            dataset: other.id.to_string(),
            in_both: (both >= k).then_some(both),
            classes: classes.is_some(),
            seen: names(Some(profile), other.id) || (leaves && names(theirs, row.id)),
        };
        all.push(Beside { told, same: other.recipient == row.recipient, classes, k: k_of(theirs) });
    }
    Ok(all)
}

fn k_of(profile: Option<&Profile>) -> u64 {
    profile.and_then(|p| p.privacy.as_ref()).map_or(0, |p| u64::from(p.k))
}

/// The data sets of some of the same people that the recipient of a pseudonymized one has or is to get: it has no classes, and with values as they
/// are it tells which rows of the others are whose.
///
/// # Errors
/// When the ledger or a list cannot be read.
pub(super) async fn listed(
    instance: &Instance,
    row: &ledger::Dataset,
    profile: &Profile,
    records: &[i64],
    map: Option<&PersonMap>,
) -> Result<CumulativeReport, Error> {
    let new = records.iter().map(|record| (somebody(*record, map), 0)).collect();
    let all = laid_beside(instance, row, profile, &new, map, false).await?;
    let earlier = all.into_iter().filter(|b| b.same).map(|b| b.told).collect();
    Ok(CumulativeReport { most: instance.config.release.most_joined, earlier, recipient: Joint::default(), anybody: None })
}

/// What a data set tells beside those that were made before, delivered or waiting to be; `records` is the class of each of its records.
///
/// # Errors
/// A refusal where more than the instance's bound of its persons would stand in groups of fewer than `k` (the largest that any of them promises) beside
/// all that the same recipient has, and one of these that adds to it was not seen by the committee (the new one's profile names it; where it
/// `leaves`, it is enough that the other's names the new one). When the ledger or a list cannot be read.
pub(super) async fn check(
    instance: &Instance,
    row: &ledger::Dataset,
    profile: &Profile,
    records: &BTreeMap<i64, u32>,
    map: Option<&PersonMap>,
    leaves: bool,
) -> Result<CumulativeReport, Error> {
    let new: BTreeMap<Somebody, u32> = records.iter().map(|(record, class)| (somebody(*record, map), *class)).collect();
    let all = laid_beside(instance, row, profile, &new, map, leaves).await?;
    // What the recipient was promised with any of them is held with all of them.
    let k = all.iter().filter(|b| b.same).map(|b| b.k).fold(k_of(Some(profile)), u64::max);
    let most = instance.config.release.most_joined;
    let recipient = beside(&new, &all, k, |b| b.same);
    // With one that nobody has seen, all are laid side by side: what the seen ones tell alone is decided, what it adds to them is not.
    let seen = beside(&new, &all, k, |b| b.same && b.told.seen);
    let found = |joint: &Joint| joint.few + joint.few_new;
    #[allow(clippy::cast_precision_loss)] // numbers of persons
    let too_many = found(&recipient) as f64 > most * new.len() as f64;
    if too_many && found(&recipient) > found(&seen) && all.iter().any(|b| b.same && !b.told.seen) {
        let ids: Vec<&str> = all.iter().filter(|b| b.same).map(|b| b.told.dataset.as_str()).collect();
        let refusal = Message::new("core-dataset-joined")
            .with("recipient", &row.recipient)
            .with("ids", ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", "))
            .with("few", found(&recipient))
            .with("persons", new.len())
            .with("k", k)
            .with("most", format!("{:.1}", most * 100.0));
        return Err(Error::refused(refusal));
    }
    let anybody = all.iter().any(|b| !b.same).then(|| beside(&new, &all, k, |_| true));
    let earlier = all.into_iter().filter(|b| b.same).map(|b| b.told).collect();
    Ok(CumulativeReport { most, earlier, recipient, anybody })
}

fn beside(new: &BTreeMap<Somebody, u32>, all: &[Beside], k: u64, which: impl Fn(&Beside) -> bool) -> Joint {
    let others: Vec<Release<Somebody>> = all.iter().filter(|b| which(b)).filter_map(|b| b.classes.clone()).collect();
    joint(new, &others, k)
}

/// The same as [`check`] for a data set that was made and is about to leave; nothing to check where its classes are not kept.
///
/// # Errors
/// As [`check`].
pub(super) async fn check_leaving(
    instance: &Instance,
    row: &ledger::Dataset,
    profile: &Profile,
    map: Option<&PersonMap>,
) -> Result<(), Error> {
    let asset = of(&mut instance.ledger.read().await?, row.id).await?;
    let Some(asset) = asset.filter(|_| row.kind.is_anonymized()) else { return Ok(()) };
    let records = read(instance, asset).await?.of.into_iter().collect();
    check(instance, row, profile, &records, map, true).await.map(|_| ())
}
