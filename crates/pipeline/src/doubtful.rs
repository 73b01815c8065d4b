//! Pairs of records that may be one person: too likely to be strangers, and not linked for want of evidence or because something
//! contradicts. Nothing is joined for them, but when one of the two says no, the other does not leave either: sparing a stranger harms
//! nobody. They are the clerks' queue too.
//!
//! The pairs of the current linkage lie in a sealed file with their evidence, which a setting of the ledger names.

use std::collections::BTreeSet;

use lake::PersonMap;
use ledger::{Reader, Tx};
use linkage::Case;
use terms::{AssetClass, AssetId, RecordId};

use crate::Instance;
use crate::error::Error;
use crate::sealed::{self, Written};

/// Name of the setting that says which asset holds the pairs.
const SETTING: &str = "linkage.doubtful";

pub(crate) type Pair = (RecordId, RecordId);

/// Seals the pairs of a linkage.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn write(instance: &Instance, queue: Vec<Case<RecordId>>) -> Result<Written, Error> {
    let number = |c: Case<RecordId>| Case {
        left: c.left.0,
        right: c.right.0,
        probability: c.probability,
        reason: c.reason,
        value: c.value,
        levels: c.levels,
        weights: c.weights,
    };
    seal_cases(instance, &queue.into_iter().map(number).collect::<Vec<_>>())
}

/// Takes the pairs of erased records out: what they show says who the erased were.
///
/// # Errors
/// When the file does not open or cannot be written.
pub(crate) async fn forget(instance: &Instance, erased: &BTreeSet<RecordId>) -> Result<(), Error> {
    let mut all = cases(instance, &mut instance.ledger.read().await?).await?;
    let before = all.len();
    all.retain(|c| !erased.contains(&RecordId(c.left)) && !erased.contains(&RecordId(c.right)));
    if all.len() == before {
        return Ok(());
    }
    let written = seal_cases(instance, &all)?;
    let mut tx = instance.ledger.begin(&instance.actor, "take erased records out of the doubtful pairs").await?;
    replace(&mut tx, written).await?;
    tx.commit().await?;
    crate::dataset::finish_doomed(instance).await
}

fn seal_cases(instance: &Instance, cases: &[Case<i64>]) -> Result<Written, Error> {
    sealed::write(instance, AssetClass::Linkage, "doubtful pairs", "pairs of records that may be one person".to_owned(), |to| {
        serde_json::to_writer(to, cases).map_err(|e| Error::Inconsistent(e.to_string()))
    })
}

/// Where the pairs are among files that nothing opens any more, there are none until the next linkage.
///
/// # Errors
/// Of the ledger.
pub(crate) async fn forget_lost(tx: &mut Tx, lost: &[AssetId]) -> Result<(), Error> {
    let asset: Option<AssetId> = tx.read().setting(SETTING).await?.and_then(|id| id.parse().ok());
    if asset.is_some_and(|asset| lost.contains(&asset)) {
        tx.set_setting(SETTING, "").await?;
    }
    Ok(())
}

/// Makes them the current ones. The caller finishes what is doomed after the commit.
///
/// # Errors
/// Of the ledger.
pub(crate) async fn replace(tx: &mut Tx, written: Written) -> Result<(), Error> {
    let old = tx.read().setting(SETTING).await?.and_then(|id| id.parse().ok());
    let new: AssetId = written.asset.id;
    tx.add_assets(&[(written.asset, Some(written.key))]).await?;
    tx.set_setting(SETTING, &new.to_string()).await?;
    if let Some(old) = old {
        tx.doom_assets(&[old], "a later linkage replaces it").await?;
    }
    Ok(())
}

/// The pairs of the current linkage with their evidence, the most valuable for a clerk first.
///
/// # Errors
/// When the file does not open.
pub(crate) async fn cases(instance: &Instance, reader: &mut Reader) -> Result<Vec<Case<i64>>, Error> {
    let asset: Option<AssetId> = reader.setting(SETTING).await?.and_then(|id| id.parse().ok());
    let Some(asset) = asset else { return Ok(Vec::new()) };
    let bytes = sealed::read(instance, asset).await?;
    serde_json::from_slice(&bytes).or_else(|_| {
        // as linkages before the clerks' queue wrote them: the ids alone
        let pairs: Vec<(i64, i64)> = serde_json::from_slice(&bytes)
            .map_err(|_| Error::Inconsistent("the list of doubtful pairs is malformed".to_owned()))?;
        let bare = |(left, right)| Case {
            left,
            right,
            probability: 0.0,
            reason: linkage::Decision::Review,
            value: 0.0,
            levels: Vec::new(),
            weights: Vec::new(),
        };
        Ok(pairs.into_iter().map(bare).collect())
    })
}

/// The pairs of the current linkage.
///
/// # Errors
/// When the file does not open.
pub(crate) async fn pairs(instance: &Instance, reader: &mut Reader) -> Result<Vec<Pair>, Error> {
    Ok(cases(instance, reader).await?.into_iter().map(|c| (RecordId(c.left), RecordId(c.right))).collect())
}

/// The records of whoever may be the same person as one of `these`, besides these: the other record of each pair, and with it every
/// record that is surely of that person. Who may be one with them in turn is not meant.
pub(crate) fn of(these: &BTreeSet<RecordId>, pairs: &[Pair], map: Option<&PersonMap>) -> BTreeSet<RecordId> {
    let both = pairs.iter().flat_map(|(a, b)| [(a, b), (b, a)]);
    let others: BTreeSet<RecordId> = both.filter(|(one, _)| these.contains(one)).map(|(_, other)| *other).collect();
    let persons: BTreeSet<_> = others.iter().filter_map(|r| map.and_then(|m| m.person(*r))).collect();
    let linked = map.into_iter().flat_map(PersonMap::iter).filter(|(_, person)| persons.contains(person)).map(|(r, _)| r);
    let mut reached: BTreeSet<RecordId> = linked.collect();
    reached.extend(others);
    reached.retain(|r| !these.contains(r));
    reached
}

#[cfg(test)]
mod tests {
    use terms::PersonId;

    use super::*;

    #[test]
    fn who_may_be_a_person_who_said_no_is_reached_and_nobody_beyond() {
        let map = PersonMap::new([(1, 1), (2, 1), (3, 3), (4, 3), (5, 5)].map(|(r, p)| (RecordId(r), PersonId(p))).to_vec());
        let pairs = [(RecordId(2), RecordId(3)), (RecordId(4), RecordId(5))];
        let said: BTreeSet<RecordId> = [RecordId(1), RecordId(2)].into();
        assert_eq!(of(&said, &pairs, Some(&map)), [RecordId(3), RecordId(4)].into(), "5 may be 3, which only may be 1");
        assert_eq!(of(&said, &[], Some(&map)), BTreeSet::new());
        assert_eq!(of(&said, &pairs, None), [RecordId(3)].into());
    }
}
