//! What true months tell where no date is moved: a death, which others know of, and a stay in hospital.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch};
use arrow::compute::{DatePart, date_part};
use arrow::datatypes::{Date32Type, Int32Type, Int64Type};

use crate::AnonymityError;
use crate::profile::{Profile, Treatment};
use crate::report::MonthsReport;
use crate::treat::dates;

/// Concepts of stays in hospital: inpatient, and inpatient by the emergency room.
const STAYS: [i32; 2] = [9201, 262];

/// How dates of death are cut in a data set that has to hold against others' knowledge, so that true months (or years) leave; `None` where they are moved or
/// do not leave.
pub(crate) fn of_deaths(profile: &Profile) -> Option<&Treatment> {
    let treatment = profile.treatment("death", "death_date").filter(|_| profile.kind.is_anonymized());
    treatment.filter(|t| matches!(t, Treatment::Month | Treatment::Year))
}

/// Day of the year of a death that is told by the year alone, before it is cut: some day of January, so that it counts as changed.
const TOLD: i32 = 2;

/// Persons who died, by month.
type Months = BTreeMap<i32, BTreeSet<u32>>;

/// The months of a year whose deaths are told by the year alone; `None` where the whole year has fewer than `k`. What is told by the year
/// alone looks like a death in January, so that those count with them, and where they are too few, further months go with them.
fn coarse(months: &Months, k: usize) -> Option<BTreeSet<i32>> {
    let persons: BTreeSet<u32> = months.values().flatten().copied().collect();
    if persons.len() < k {
        return None;
    }
    let mut by_size: Vec<(&i32, &BTreeSet<u32>)> = months.iter().collect();
    by_size.sort_by_key(|(_, persons)| persons.len());
    let mut coarse = BTreeSet::new();
    let mut alike: BTreeSet<u32> = months.get(&1).cloned().unwrap_or_default();
    for (month, persons) in by_size {
        let enough = persons.len() >= k && (coarse.is_empty() || alike.len() >= k);
        if enough {
            break;
        }
        alike.extend(persons);
        coarse.insert(*month);
    }
    Some(coarse)
}

/// Deaths as they may be told: those of a month in which fewer than `k` persons died by the year alone, and those of such a year not at all: which
/// rows stay. `persons` says whose each row is. The dates are still to be cut. `again`, after others went, it adds to what was
/// told.
///
/// # Errors
/// None that these types can raise; Arrow's signature.
pub(crate) fn deaths(
    batch: &RecordBatch,
    persons: &[u32],
    treatment: &Treatment,
    k: u32,
    (told, again): (&mut MonthsReport, bool),
) -> Result<(RecordBatch, BooleanArray), AnonymityError> {
    const COLUMN: &str = "death_date";
    let as_it_is = || Ok((batch.clone(), BooleanArray::from(vec![true; batch.num_rows()])));
    let Some((column, array)) = batch.schema().column_with_name(COLUMN).map(|(n, _)| (n, batch.column(n).clone())) else {
        return as_it_is();
    };
    let Some(days) = dates::dates(&array) else { return as_it_is() };
    let part = |part| date_part(days, part).map(|array| array.as_primitive::<Int32Type>().clone());
    let (year, month, of_year) = (part(DatePart::Year)?, part(DatePart::Month)?, part(DatePart::DayOfYear)?);
    // Where dates are cut to the year, its months are one.
    let month = |row: usize| if *treatment == Treatment::Year { 1 } else { month.value(row) };
    let mut years: BTreeMap<i32, Months> = BTreeMap::new();
    for (row, person) in persons.iter().enumerate().filter(|(row, _)| days.is_valid(*row)) {
        years.entry(year.value(row)).or_default().entry(month(row)).or_default().insert(*person);
    }
    let rules: BTreeMap<i32, Option<BTreeSet<i32>>> =
        years.into_iter().map(|(year, months)| (year, coarse(&months, k as usize))).collect();
    let (mut stays, mut dates) = (Vec::with_capacity(persons.len()), Vec::with_capacity(persons.len()));
    for row in 0..days.len() {
        let day = days.is_valid(row).then(|| days.value(row));
        let rule = day.and_then(|_| rules.get(&year.value(row)));
        let by_year = rule.is_some_and(|rule| rule.as_ref().is_some_and(|months| months.contains(&month(row))));
        let left_out = matches!(rule, Some(None));
        // Those that are told so since the first time stand in January.
        let already = again && month(row) == 1;
        told.deaths_by_year += u64::from(by_year && !already && *treatment == Treatment::Month);
        told.deaths_left_out += u64::from(left_out);
        stays.push(!left_out);
        dates.push(day.map(|day| if by_year && month(row) != 1 { day - of_year.value(row) + TOLD } else { day }));
    }
    let mut columns = batch.columns().to_vec();
    columns[column] = Arc::new(Date32Array::from(dates)) as ArrayRef;
    Ok((RecordBatch::try_new(batch.schema(), columns)?, BooleanArray::from(stays)))
}

/// Persons with a stay in hospital that begins, as it leaves, when nobody else's does.
pub(crate) fn stays_alone(visits: &RecordBatch) -> u64 {
    let concept = visits.column_by_name("visit_concept_id").and_then(|c| c.as_primitive_opt::<Int32Type>());
    let start = visits.column_by_name("visit_start_date").and_then(|c| c.as_primitive_opt::<Date32Type>());
    let person = visits.column_by_name("person_id").and_then(|c| c.as_primitive_opt::<Int64Type>());
    let (Some(concept), Some(start), Some(person)) = (concept, start, person) else { return 0 };
    let mut months: BTreeMap<i32, BTreeSet<i64>> = BTreeMap::new();
    for row in (0..visits.num_rows()).filter(|row| start.is_valid(*row) && STAYS.contains(&concept.value(*row))) {
        months.entry(start.value(row)).or_default().insert(person.value(row));
    }
    let alone: BTreeSet<i64> = months.values().filter(|p| p.len() == 1).flatten().copied().collect();
    alone.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(sizes: &[(i32, u32)]) -> Months {
        let mut next = 0;
        let mut some = |n: u32| {
            next += n;
            (next - n..next).collect::<BTreeSet<u32>>()
        };
        sizes.iter().map(|(month, n)| (*month, some(*n))).collect()
    }

    #[test]
    fn no_month_and_no_year_of_death_leaves_with_fewer_persons_than_a_class() {
        let of = |sizes: &[(i32, u32)]| coarse(&months(sizes), 5).map(|m| m.into_iter().collect::<Vec<_>>());
        assert_eq!(of(&[(3, 5), (4, 9)]), Some(vec![]), "each has enough");
        assert_eq!(of(&[(3, 2), (4, 2)]), None, "the year has too few");
        assert_eq!(of(&[(3, 2), (4, 3), (5, 9)]), Some(vec![3, 4]), "together enough");
        assert_eq!(
            of(&[(3, 2), (4, 7), (5, 9)]),
            Some(vec![3, 4]),
            "two alone would be told by the year: a further month goes along"
        );
        assert_eq!(of(&[(1, 5), (3, 2), (5, 9)]), Some(vec![3]), "beside enough of January they are not alone");
        assert_eq!(of(&[(1, 2), (5, 9)]), Some(vec![1, 5]), "January with too few is told by the year too");
    }
}
