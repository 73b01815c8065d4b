//! How often somebody came and how far apart, counted again from the days that leave.

use std::collections::{BTreeMap, BTreeSet};

use super::days::{Day, day, number};
use super::{CohortVerified, Rule, Tables};
use crate::profile::{Alike, Kind, Profile, Treatment};
use crate::report::Report;
use crate::visits::{Uniques, VisitsReport};

/// Concepts of stays in hospital: inpatient, and inpatient by the emergency room.
const STAYS: [&str; 2] = ["9201", "262"];

/// How many share something with nobody, and with fewer than `k`.
fn uniques<T: Ord>(of: impl Iterator<Item = T>, k: u64) -> Uniques {
    let mut persons: BTreeMap<T, u64> = BTreeMap::new();
    of.for_each(|key| *persons.entry(key).or_default() += 1);
    let fewer = |than: u64| persons.values().filter(|n| **n < than).sum();
    Uniques { alone: fewer(2), few: fewer(k) }
}

/// Visits as the report counts them; none where no days of visits leave.
fn again(profile: &Profile, tables: &Tables) -> Option<VisitsReport> {
    let k = u64::from(profile.privacy.as_ref().filter(|_| profile.kind.is_anonymized())?.k);
    let treatment = profile.treatment("visit_occurrence", "visit_start_date").filter(|t| **t != Treatment::Drop)?;
    let table = tables.get("visit_occurrence")?;
    let mut of: BTreeMap<&str, (u64, BTreeSet<Day>)> = BTreeMap::new();
    for (cell, person) in table.column("visit_start_date")?.into_iter().zip(table.persons()) {
        let (count, days) = of.entry(person).or_default();
        *count += 1;
        days.extend(day(cell));
    }
    let moved = *treatment == Treatment::Shift;
    // Moved days say how far they are apart, from the first one on; cut ones are true as they are.
    let spacing = |days: &BTreeSet<Day>| -> Vec<i64> {
        let from = days.first().filter(|_| moved).map_or(0, |first| number(*first));
        let all = days.iter().map(|day| number(*day) - from).collect::<Vec<_>>();
        // Without a day there is no first one: the same as with one alone, between which and itself nothing lies.
        if moved && all.is_empty() { vec![0] } else { all }
    };
    let open = [&profile.cohort.from, &profile.cohort.to].into_iter().any(|end| end.as_deref().is_none_or(str::is_empty));
    Some(VisitsReport {
        persons: of.len() as u64,
        count: uniques(of.values().map(|(count, _)| *count), k),
        spacing: uniques(of.values().map(|(_, days)| spacing(days)), k),
        moved,
        open_edge: moved && open,
    })
}

/// Persons with a stay in hospital that begins when nobody else's does.
fn stays_alone(tables: &Tables) -> u64 {
    let Some(table) = tables.get("visit_occurrence") else { return 0 };
    let (kinds, days) = (table.column("visit_concept_id"), table.column("visit_start_date"));
    let mut began: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ((kind, day), person) in kinds.unwrap_or_default().into_iter().zip(days.unwrap_or_default()).zip(table.persons()) {
        if STAYS.contains(&kind) && !day.is_empty() {
            began.entry(day).or_default().insert(person);
        }
    }
    began.values().filter(|persons| persons.len() == 1).flatten().collect::<BTreeSet<_>>().len() as u64
}

/// Holds the shares of the policy.
pub(super) fn shares(profile: &Profile, tables: &Tables, out: &mut CohortVerified) {
    let most = profile.privacy.iter().flat_map(|p| &p.most_unique);
    let found = most.clone().next().and_then(|_| again(profile, tables));
    for (alike, most) in most {
        let (alone, persons) = found.map_or((0, 0), |v| match alike {
            Alike::VisitCount => (v.count.alone, v.persons),
            Alike::VisitSpacing => (v.spacing.alone, v.persons),
        });
        #[allow(clippy::cast_precision_loss)] // numbers of persons
        let beyond = alone as f64 > most * persons as f64;
        let place = format!("privacy.most_unique.{}", alike.as_str());
        out.hold(place, Rule::Shares, if beyond { usize::try_from(alone).unwrap_or(usize::MAX) } else { 0 });
    }
}

/// Holds what a report says of visits and stays.
pub(super) fn told(profile: &Profile, tables: &Tables, report: &Report, out: &mut CohortVerified) {
    let visits = report.privacy.as_ref().and_then(|p| p.visits);
    out.same("report.privacy.visits", visits == again(profile, tables));
    let stays = (profile.kind == Kind::LinkableAnonymized).then(|| stays_alone(tables));
    out.same("report.months.stays_alone", report.months.map(|m| m.stays_alone) == stays);
}
