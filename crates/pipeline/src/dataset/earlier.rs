//! Who holds two releases can subtract one from the other: where few persons are in only one of them, what differs is theirs, however
//! large the classes of each are. The two officers are told before they sign. And who holds true months beside moved or exact dates of the
//! same people can join them: that is not made unless the committee saw it.

use std::collections::BTreeSet;

use anonymity::Profile;
use lake::PersonMap;
use ledger::DatasetState;
use messages::Message;
use serde::Serialize;
use terms::{DatasetId, RecordId, ReleaseKind};

use super::deliver::released;
use super::order::Order;
use crate::Instance;
use crate::error::Error;

/// An anonymized data set that its recipient has already, and that differs from the new one by few persons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Near {
    /// The earlier one.
    pub dataset: DatasetId,
    /// Persons in both.
    pub in_both: u64,
    /// Persons in the new one alone.
    pub only_here: u64,
    /// Persons in the earlier one alone: most often those who said no meanwhile.
    pub only_there: u64,
}

/// A person, or a record of nobody that linkage knows today.
pub(super) type Somebody = (bool, i64);

pub(super) fn somebody(record: i64, map: Option<&PersonMap>) -> Somebody {
    map.and_then(|m| m.person(RecordId(record))).map_or((false, record), |person| (true, person.0))
}

/// How two data sets differ, where it is by fewer than `k` persons but not by none, and they have persons in common.
fn near(dataset: DatasetId, here: &BTreeSet<Somebody>, there: &BTreeSet<Somebody>, k: u64) -> Option<Near> {
    let count = |n: usize| n as u64;
    let in_both = count(here.intersection(there).count());
    let (only_here, only_there) = (count(here.len()) - in_both, count(there.len()) - in_both);
    let few = |n: u64| 0 < n && n < k;
    (in_both > 0 && (few(only_here) || few(only_there))).then_some(Near { dataset, in_both, only_here, only_there })
}

/// The anonymized data sets delivered to a recipient that differ from these records by fewer than `k` persons.
///
/// # Errors
/// When the ledger or a list cannot be read.
pub(super) async fn nears(
    instance: &Instance,
    id: DatasetId,
    recipient: &str,
    records: &[i64],
    map: Option<&PersonMap>,
    k: u64,
) -> Result<Vec<Near>, Error> {
    let here: BTreeSet<Somebody> = records.iter().map(|r| somebody(*r, map)).collect();
    let mut found = Vec::new();
    for other in instance.ledger.read().await?.datasets().await? {
        let handed = matches!(other.state, DatasetState::Delivered);
        if !handed || other.id == id || other.recipient != recipient || !other.kind.is_anonymized() {
            continue;
        }
        let there: BTreeSet<Somebody> = released(instance, other.id).await?.into_iter().map(|r| somebody(r, map)).collect();
        found.extend(near(other.id, &here, &there, k));
    }
    Ok(found)
}

/// Of what kind the days in a data set are, beside those of another of the same people.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Days {
    /// True months, and keys that lead to true days in public databases.
    Linkable,
    /// Moved together, so that true months tell by how much; or exact.
    MovedOrExact,
    /// True to the month or the year, and no keys.
    Cut,
}

impl Days {
    fn of(kind: ReleaseKind, profile: Option<&Profile>) -> Days {
        match kind {
            ReleaseKind::LinkableAnonymized => Days::Linkable,
            ReleaseKind::Pseudonymized => Days::MovedOrExact,
            ReleaseKind::Anonymized if profile.is_none_or(Profile::moves_dates) => Days::MovedOrExact,
            ReleaseKind::Anonymized | ReleaseKind::NonIdentifying | ReleaseKind::LinkageQuery | ReleaseKind::LinkageKeys => {
                Days::Cut
            }
        }
    }

    fn told_by(self, other: Days) -> bool {
        matches!((self, other), (Days::Linkable, Days::MovedOrExact) | (Days::MovedOrExact, Days::Linkable))
    }
}

/// Whether a profile says that its data set may go beside another.
pub(super) fn names(profile: Option<&Profile>, id: DatasetId) -> bool {
    profile.is_some_and(|p| p.beside.iter().any(|b| b.parse() == Ok(id)))
}

/// Refuses a data set that its recipient could join with another, made or delivered, of some of the same people, where the committee has not
/// seen it. To be made, a data set has to name the other; to leave, it is enough that the other names it.
///
/// # Errors
/// The refusal, with the other's id; when the ledger or a list cannot be read.
pub(super) async fn apart(
    instance: &Instance,
    row: &ledger::Dataset,
    profile: &Profile,
    records: &[i64],
    map: Option<&PersonMap>,
    leaves: bool,
) -> Result<(), Error> {
    let days = Days::of(row.kind, Some(profile));
    let mut here = None;
    for other in instance.ledger.read().await?.datasets().await? {
        let made = matches!(other.state, DatasetState::TwoPersonCheck | DatasetState::Released | DatasetState::Delivered);
        if !made || other.id == row.id || other.recipient != row.recipient {
            continue;
        }
        let order = Order::parse(&other.profile).ok();
        let theirs = order.as_ref().and_then(Order::profile);
        let seen = names(Some(profile), other.id) || (leaves && names(theirs, row.id));
        if seen || !days.told_by(Days::of(other.kind, theirs)) {
            continue;
        }
        let here: &BTreeSet<Somebody> = here.get_or_insert_with(|| records.iter().map(|r| somebody(*r, map)).collect());
        if released(instance, other.id).await?.into_iter().any(|r| here.contains(&somebody(r, map))) {
            let message = Message::new("core-dataset-beside").with("id", other.id).with("recipient", &row.recipient);
            return Err(Error::refused(message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_that_differ_by_few_persons_are_told_and_others_are_not() {
        let id = DatasetId::new();
        let set = |range: std::ops::Range<i64>| range.map(|p| (true, p)).collect::<BTreeSet<Somebody>>();
        let found = |here, there| near(id, &set(here), &set(there), 3).map(|n| (n.in_both, n.only_here, n.only_there));
        assert_eq!(found(0..100, 0..101), Some((100, 0, 1)), "somebody said no meanwhile");
        assert_eq!(found(0..102, 0..100), Some((100, 2, 0)), "two came in");
        assert_eq!(found(0..103, 0..100), None, "three came in: as many as a class");
        assert_eq!(found(0..100, 0..100), None, "the same people");
        assert_eq!(found(0..100, 200..202), None, "nobody in common");
        assert_eq!(found(0..110, -1..49), Some((49, 61, 1)), "one side is enough");
    }

    #[test]
    fn a_person_is_one_however_many_records_each_release_has() {
        let map = PersonMap::new([(1, 7), (2, 7), (3, 8)].map(|(r, p)| (RecordId(r), terms::PersonId(p))).to_vec());
        let of = |records: &[i64]| records.iter().map(|r| somebody(*r, Some(&map))).collect::<BTreeSet<_>>();
        assert_eq!(near(DatasetId::new(), &of(&[1, 3]), &of(&[2, 3]), 5), None);
        // A record that was erased since is nobody of today.
        let found = near(DatasetId::new(), &of(&[1, 3]), &of(&[2, 3, 4]), 5).expect("told");
        assert_eq!((found.in_both, found.only_here, found.only_there), (2, 0, 1));
    }
}
