//! How often somebody came, and how far apart, as what others know: a shift keeps the days between visits, and a cut to the month keeps the months.
//!
//! It looks at the result alone. With moved dates the spacing is the days between one day with a visit and the next; with dates that are cut it is the
//! months (or years) themselves, since they are true ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{Date32Type, Int64Type};
use serde::{Deserialize, Serialize};

use crate::AnonymityError;
use crate::profile::{Alike, Profile, Treatment};

/// What is alike between persons, and of how many it is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uniques {
    /// Persons who share it with nobody.
    pub alone: u64,
    /// Persons who share it with fewer than k, themselves counted.
    pub few: u64,
}

/// Visits of persons, as they leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitsReport {
    /// Persons with a visit.
    pub persons: u64,
    /// By their number of visits.
    pub count: Uniques,
    /// By the days between them, or by their months.
    pub spacing: Uniques,
    /// Whether dates were moved: days between visits, else months or years.
    pub moved: bool,
    /// Whether a side of the data set has no period of the cohort and dates are moved, so that the first or the last day of the source tells of shifts.
    pub open_edge: bool,
}

impl VisitsReport {
    /// Share of the persons with a visit whom nobody is like.
    pub fn share(&self, of: Alike) -> f64 {
        let uniques = match of {
            Alike::VisitCount => self.count,
            Alike::VisitSpacing => self.spacing,
        };
        uniques.alone as f64 / self.persons.max(1) as f64
    }
}

/// Counts visits; none where the result has no days of visits.
pub(crate) fn visits(profile: &Profile, tables: &BTreeMap<String, RecordBatch>) -> Option<VisitsReport> {
    let k = profile.privacy.as_ref()?.k as usize;
    let treatment = profile.treatment("visit_occurrence", "visit_start_date").filter(|t| **t != Treatment::Drop)?;
    let batch = tables.get("visit_occurrence")?;
    let persons = batch.column_by_name("person_id")?.as_primitive_opt::<Int64Type>()?;
    let days = batch.column_by_name("visit_start_date")?.as_primitive_opt::<Date32Type>()?;
    let mut of_person: BTreeMap<i64, (u32, BTreeSet<i32>)> = BTreeMap::new();
    for (row, person) in persons.values().iter().enumerate() {
        let (count, all) = of_person.entry(*person).or_default();
        *count += 1;
        all.extend(days.is_valid(row).then(|| days.value(row)));
    }
    let moved = *treatment == Treatment::Shift;
    let spacing = |days: &BTreeSet<i32>| -> Vec<i32> {
        let all: Vec<i32> = days.iter().copied().collect();
        if moved { all.windows(2).map(|two| two[1].saturating_sub(two[0])).collect() } else { all }
    };
    let cohort = &profile.cohort;
    let open = |end: &Option<String>| end.as_deref().is_none_or(str::is_empty);
    Some(VisitsReport {
        persons: of_person.len() as u64,
        count: uniques(of_person.values().map(|(count, _)| *count), k),
        spacing: uniques(of_person.values().map(|(_, days)| spacing(days)), k),
        moved,
        open_edge: moved && (open(&cohort.from) || open(&cohort.to)),
    })
}

fn uniques<T: std::hash::Hash + Eq>(of: impl Iterator<Item = T>, k: usize) -> Uniques {
    let mut persons: HashMap<T, u64> = HashMap::new();
    of.for_each(|key| *persons.entry(key).or_default() += 1);
    let few = |most: u64| persons.values().filter(|n| **n < most).sum();
    Uniques { alone: few(2), few: few(k as u64) }
}

/// Holds what was counted to the profile's shares.
///
/// # Errors
/// [`AnonymityError::TooManyUnique`].
pub(crate) fn within(profile: &Profile, visits: &VisitsReport) -> Result<(), AnonymityError> {
    let most = profile.privacy.iter().flat_map(|p| &p.most_unique);
    for (alike, most) in most {
        let unique = visits.share(*alike);
        if unique > *most {
            return Err(AnonymityError::TooManyUnique { alike: *alike, unique, most: *most });
        }
    }
    Ok(())
}
