//! Whom leaving people out falls on: who was there and who is left out by sex, time of birth and class of institution. The page of a data set is read
//! by many, so no number in it stands for few people, by itself or as what is missing to a sum.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Int32Type;
use serde::{Deserialize, Serialize};

use crate::AnonymityError;
use crate::persons::Persons;
use crate::profile::{Profile, Treatment};

/// How much oftener than all a group is left out before the page says so.
const OFTENER: f64 = 2.0;

/// People by one of their traits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// What they are told apart by: the column.
    pub column: String,
    /// The groups, in order.
    pub groups: Vec<Group>,
}

/// One group of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Who they are.
    pub who: Who,
    /// Persons before; none where the number would stand for few, or tell one that does.
    pub before: Option<u64>,
    /// Persons of these who were left out; none likewise.
    pub left_out: Option<u64>,
    /// Whether they are left out more than twice as often as all.
    pub oftener: bool,
}

/// Who a group is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// 男性
    Male,
    /// 女性
    Female,
    /// Neither, or not known.
    Other,
    /// Born in these years; from or until them where an end is open.
    Born {
        /// The first.
        from: Option<i32>,
        /// The last.
        to: Option<i32>,
    },
    /// In a class of the profile, most often of institutions.
    Class(String),
}

/// People before and people left out, by sex, decade of birth, and every class that the profile brings values to. `stays` is of each person.
///
/// # Errors
/// Where a table has no persons.
pub(crate) fn effects(
    profile: &Profile,
    tables: &BTreeMap<String, RecordBatch>,
    persons: &Persons,
    stays: &[bool],
    k: u64,
) -> Result<Vec<Effects>, AnonymityError> {
    let mut out = Vec::new();
    if let Some(batch) = tables.get("person") {
        let rows = persons.rows("person", batch)?;
        let column = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int32Type>());
        if let Some(sexes) = column("gender_concept_id") {
            let of = sexes.iter().map(|sex| match sex {
                Some(8_507) => Who::Male,
                Some(8_532) => Who::Female,
                _ => Who::Other,
            });
            out.push(counted("person.gender_concept_id", of.zip(rows.iter().copied()), stays, k));
        }
        if let Some(years) = column("year_of_birth") {
            let known: Vec<(i32, u32)> =
                years.iter().zip(&rows).filter_map(|(y, p)| Some((y?.div_euclid(10) * 10, *p))).collect();
            let decades = decades(&known, k);
            let of = known.iter().filter_map(|(decade, person)| Some((decades.get(decade)?.clone(), *person)));
            out.push(counted("person.year_of_birth", of, stays, k));
        }
    }
    for (name, table) in &profile.tables {
        let Some(batch) = tables.get(name) else { continue };
        let rows = persons.rows(name, batch)?;
        for (column, treatment) in &table.columns {
            let Treatment::Class { map, other } = treatment else { continue };
            let Some(texts) = batch.column_by_name(column).and_then(|c| c.as_string_opt::<i32>()) else { continue };
            let of = (0..texts.len()).filter(|row| texts.is_valid(*row));
            let of = of.map(|row| (Who::Class(map.get(texts.value(row)).unwrap_or(other).clone()), rows[row]));
            out.push(counted(&format!("{name}.{column}"), of, stays, k));
        }
    }
    Ok(out)
}

/// The group of each decade: those at the ends that hold few are one with their neighbours.
fn decades(known: &[(i32, u32)], k: u64) -> BTreeMap<i32, Who> {
    let mut sizes: BTreeMap<i32, u64> = BTreeMap::new();
    for (decade, _) in known {
        *sizes.entry(*decade).or_default() += 1;
    }
    // The first decade, from an end on, by which enough are told of.
    let end = |sizes: &mut dyn Iterator<Item = (&i32, &u64)>| {
        let mut sum = 0;
        let mut found = None;
        for (decade, persons) in sizes {
            sum += persons;
            found = Some((*decade, sum > *persons));
            if sum >= k {
                break;
            }
        }
        found
    };
    let (low, high) = (end(&mut sizes.iter()), end(&mut sizes.iter().rev()));
    let who = |decade: &i32| {
        let (from, to) = (*decade, *decade + 9);
        match (low, high) {
            (Some((low, _)), Some((high, _))) if low >= high => Who::Born { from: None, to: None },
            (Some((low, true)), _) if from <= low => Who::Born { from: None, to: Some(low + 9) },
            (_, Some((high, true))) if from >= high => Who::Born { from: Some(high), to: None },
            _ => Who::Born { from: Some(from), to: Some(to) },
        }
    };
    sizes.keys().map(|decade| (*decade, who(decade))).collect()
}

/// Counts of persons by group, without those that would stand for few.
fn counted(column: &str, of: impl Iterator<Item = (Who, u32)>, stays: &[bool], k: u64) -> Effects {
    let mut members: BTreeMap<Who, BTreeSet<u32>> = BTreeMap::new();
    for (who, person) in of {
        members.entry(who).or_default().insert(person);
    }
    let gone = |persons: &BTreeSet<u32>| persons.iter().filter(|p| !stays[**p as usize]).count() as u64;
    let before: Vec<u64> = members.values().map(|persons| persons.len() as u64).collect();
    let left_out: Vec<u64> = members.values().map(gone).collect();
    let few = |n: u64| 0 < n && n < k;
    let hidden = covered(&before, &before.iter().map(|n| few(*n)).collect::<Vec<_>>(), k);
    // Who is left of a group is few too.
    let small = before.iter().zip(&left_out).zip(&hidden).map(|((all, gone), hidden)| *hidden || few(*gone) || few(all - gone));
    let gone_hidden = covered(&left_out, &small.collect::<Vec<_>>(), k);
    #[allow(clippy::cast_precision_loss)] // numbers of persons
    let share = |gone: u64, all: u64| gone as f64 / all.max(1) as f64;
    let all = share(stays.iter().filter(|s| !**s).count() as u64, stays.len() as u64);
    let groups = members.into_keys().enumerate().map(|(at, who)| {
        let shown = !gone_hidden[at] && !hidden[at];
        Group {
            who,
            before: (!hidden[at]).then_some(before[at]),
            left_out: shown.then_some(left_out[at]),
            oftener: shown && left_out[at] >= k && share(left_out[at], before[at]) > OFTENER * all,
        }
    });
    Effects { column: column.to_owned(), groups: groups.collect() }
}

/// Which numbers are hidden: those that are to be, and as many more, smallest first, that together they stand for at least `k`, so that what is
/// missing to a sum tells none. Where all others are 0, one of these is hidden too, so that the sum is not of one alone.
pub fn covered(numbers: &[u64], hide: &[bool], k: u64) -> Vec<bool> {
    let mut hidden = hide.to_vec();
    while hidden.contains(&true) {
        let sum: u64 = numbers.iter().zip(&hidden).filter(|(_, h)| **h).map(|(n, _)| n).sum();
        let alone = hidden.iter().zip(numbers).filter(|(h, n)| **h && **n > 0).count() < 2;
        let open = (0..numbers.len()).filter(|at| !hidden[*at] && numbers[*at] > 0).min_by_key(|at| numbers[*at]);
        match open {
            Some(next) if sum < k || alone => hidden[next] = true,
            _ => break,
        }
    }
    if hidden.iter().filter(|h| **h).count() == 1
        && let Some(zero) = (0..numbers.len()).find(|at| !hidden[*at] && numbers[*at] == 0)
    {
        hidden[zero] = true;
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(groups: &[(i32, usize)]) -> (Vec<(i32, u32)>, BTreeMap<i32, Who>) {
        let all = groups.iter().flat_map(|(decade, n)| std::iter::repeat_n(*decade, *n));
        let known: Vec<(i32, u32)> = all.zip(0..).collect();
        let found = decades(&known, 10);
        (known, found)
    }

    #[test]
    fn ends_of_few_are_one_with_their_neighbours() {
        let born = |from, to| Who::Born { from, to };
        let (_, found) = of(&[(1910, 2), (1920, 3), (1930, 20), (1940, 4), (1950, 30), (1960, 9), (1970, 1)]);
        assert_eq!(found[&1910], born(None, Some(1939)));
        assert_eq!((&found[&1920], &found[&1930]), (&found[&1910], &found[&1910]));
        assert_eq!((found[&1940].clone(), found[&1950].clone()), (born(Some(1940), Some(1949)), born(Some(1950), Some(1959))));
        assert_eq!((found[&1960].clone(), found[&1970].clone()), (born(Some(1960), None), born(Some(1960), None)));
        let (_, whole) = of(&[(1910, 2), (1920, 3)]);
        assert!(whole.values().all(|who| *who == born(None, None)));
        let (_, plain) = of(&[(1910, 20), (1920, 30)]);
        assert_eq!(plain[&1910], born(Some(1910), Some(1919)));
    }

    // control: PRC-05
    #[test]
    fn a_number_among_zeros_is_not_what_the_sum_says() {
        let people =
            |group: &str, n: u32, first: u32| (first..first + n).map(|p| (Who::Class(group.to_owned()), p)).collect::<Vec<_>>();
        let all = [people("a", 40, 0), people("b", 40, 40), people("c", 40, 80)].concat();
        let stays: Vec<bool> = (0..120).map(|p| p >= 4).collect();
        let found = counted("c", all.into_iter(), &stays, 10);
        assert_eq!(found.groups.iter().map(|g| g.left_out).collect::<Vec<_>>(), [None, None, Some(0)]);
    }

    // control: PRC-05
    #[test]
    fn no_number_stands_for_few_and_none_can_be_had_by_taking_the_others_from_the_sum() {
        let mut state = 7_u64;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..2_000 {
            let (mut people, mut stays) = (Vec::new(), Vec::new());
            for group in 0..2 + next(4) {
                for _ in 0..next(40) {
                    let person = u32::try_from(stays.len()).expect("few");
                    people.push((Who::Class(group.to_string()), person));
                    stays.push(next(4) > 0);
                }
            }
            let true_of =
                |who: &Who| people.iter().filter(|(w, _)| w == who).map(|(_, p)| stays[*p as usize]).collect::<Vec<_>>();
            let found = counted("c", people.clone().into_iter(), &stays, 10);
            for column in [|g: &Group| g.before, |g: &Group| g.left_out] {
                let hidden: Vec<&Group> = found.groups.iter().filter(|g| column(g).is_none()).collect();
                let shown = found.groups.iter().filter_map(column);
                assert!(shown.clone().all(|n| n == 0 || n >= 10));
                // What a reader gets by subtraction is a sum over several groups, or of all that there is.
                assert!(hidden.is_empty() || hidden.len() > 1 || found.groups.len() == 1, "{found:?}");
            }
            for group in &found.groups {
                let each = true_of(&group.who);
                let gone = each.iter().filter(|stays| !**stays).count() as u64;
                assert!(group.before.is_none_or(|n| n == each.len() as u64) && group.left_out.is_none_or(|n| n == gone));
                assert!(!group.oftener || gone >= 10);
            }
        }
    }
}
