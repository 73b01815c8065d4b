//! The experiment: somebody who knows a little of a person tries to find the person in the data set that was made.
//!
//! It looks at the result alone, and gives the attacker everything that a treatment leaves to know: the class that the person is in, codes as
//! they are shown of the person with what stands beside them, days as they stand to each other and within the largest shift of the true ones. Who knows true values, and not
//! what became of them, finds no more with these. Of all who look alike to the attacker one is chosen by chance, so a person among `c` is found with 1/`c` (prosecutor risk; Dankar and El
//! Emam 2010). Persons are drawn at random, and what the attacker knows of each is all that stands there, or several draws from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use rand::seq::IndexedRandom as _;
use rand::{CryptoRng, RngExt as _};
use serde::{Deserialize, Serialize};

use crate::AnonymityError;
use crate::calendar::{Span, Validity, left};
use crate::events::beside;
use crate::profile::{Attacker, Privacy, Profile, Treatment, split_column};
use crate::run::as_texts;
use crate::treat::OTHER;

/// Persons that are looked for: enough for an interval of some ±3 in 100.
const TARGETS: usize = 1_000;

/// Pairs of events of a person up to which all are tried, and not some.
const MOST_PAIRS: usize = 10;

/// Pairs that are drawn of a person who has more.
const DRAWS: usize = 5;

/// What an attacker reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Who tried.
    pub attacker: Attacker,
    /// Persons of whom there is as much to know as the attacker needs.
    pub persons: u64,
    /// Of them those who were looked for.
    pub targets: u64,
    /// Share of them that is found on average.
    pub share: f64,
    /// Ends of the interval that holds the share of all with 95 %; the share itself where everybody was looked for by all that can be known.
    pub interval: [f64; 2],
    /// Share of the targets whom nobody else looks like.
    pub alone: f64,
}

/// A code of a person and its day; or a day of a stay or visit, without a code.
type Event = (u32, Option<i32>);

/// Everybody in a result, as attackers see them.
struct Seen {
    /// Class of each person.
    class: Vec<u32>,
    /// Persons of each class.
    members: Vec<Vec<u32>>,
    /// Codes with days, sorted, each once.
    codes: Vec<Vec<Event>>,
    /// Days of stays and visits, sorted, each once.
    days: Vec<Vec<Event>>,
    /// By how many days at most the dates of a person were moved, where they were.
    moved: Option<i32>,
    /// First and last shift of each person that codes leave which are not in use at all times; nobody's where that is not known.
    shifts: Vec<(i32, i32)>,
}

/// Lets every attacker try.
///
/// # Errors
/// None that these types can raise; Arrow's.
pub(crate) fn experiment<R: CryptoRng>(
    profile: &Profile,
    tables: &BTreeMap<String, RecordBatch>,
    validity: &Validity,
    rng: &mut R,
) -> Result<Vec<Found>, AnonymityError> {
    let Some(privacy) = &profile.privacy else { return Ok(Vec::new()) };
    let seen = Seen::of(profile, privacy, tables, validity)?;
    let mut plans: BTreeMap<Attacker, Plan> = BTreeMap::new();
    for attacker in Attacker::ALL.into_iter().filter(|a| *a != Attacker::CalendarCodes) {
        if let Some(plan) = seen.plan(attacker, rng) {
            plans.insert(attacker, plan);
        }
    }
    let found = Attacker::ALL.into_iter().filter_map(|attacker| match attacker {
        // Who knows more looks for the same persons by the same events, so that chance does not let them find fewer.
        Attacker::CalendarCodes if seen.shifts.is_empty() => None,
        Attacker::CalendarCodes => Some(seen.attack(attacker, plans.get(&Attacker::DatedCodes)?)),
        _ => Some(seen.attack(attacker, plans.get(&attacker)?)),
    });
    Ok(found.collect())
}

/// Who is looked for, and what the attacker knows of each.
struct Plan {
    /// Persons of whom there is as much to know as the attacker needs.
    persons: usize,
    targets: Vec<Target>,
}

struct Target {
    person: u32,
    /// Pairs of events with the shift that would have brought true days there; empty where none are needed.
    known: Vec<([Event; 2], i32)>,
    /// Whether these are all that can be known of the person, and not drawn from them.
    all: bool,
}

impl Seen {
    fn of(
        profile: &Profile,
        privacy: &Privacy,
        tables: &BTreeMap<String, RecordBatch>,
        validity: &Validity,
    ) -> Result<Self, AnonymityError> {
        let moved = privacy.shift_days.filter(|_| profile.moves_dates()).map(i32::from);
        let mut index: HashMap<i64, u32> = HashMap::new();
        for batch in tables.values() {
            for id in persons(batch) {
                let next = index.len() as u32;
                index.entry(id).or_insert(next);
            }
        }
        let everybody = index.len();
        let rows = |batch: &RecordBatch| -> Vec<u32> { persons(batch).into_iter().map(|id| index[&id]).collect() };
        let mut keys: Vec<BTreeMap<&str, Vec<Vec<Option<String>>>>> = vec![BTreeMap::new(); everybody];
        let mut codes: Vec<Vec<Event>> = vec![Vec::new(); everybody];
        let mut days = codes.clone();
        let mut shifts = Vec::new();
        let mut numbers: HashMap<(String, String), u32> = HashMap::new();
        for (name, batch) in tables {
            let rows = rows(batch);
            let known = privacy.quasi_identifiers.iter().filter_map(|q| split_column(q)).filter(|(table, _)| table == name);
            let known: BTreeSet<&str> = known.map(|(_, column)| column).collect();
            let columns = known.iter().filter_map(|c| batch.column_by_name(c)).map(as_texts).collect::<Result<Vec<_>, _>>()?;
            for (row, person) in rows.iter().enumerate().filter(|_| !columns.is_empty()) {
                let cells = columns.iter().map(|c| c[row].clone()).collect();
                keys[*person as usize].entry(name).or_default().push(cells);
            }
            let day = days_of(batch);
            let mine = |c: &&str| split_column(c).is_some_and(|(table, _)| table == name);
            for (full, most) in validity.columns().filter(mine).filter_map(|c| Some((c, moved?))) {
                shifts.resize(everybody, (-most, most));
                let column = split_column(full).and_then(|(_, column)| batch.column_by_name(column));
                let texts = column.and_then(|c| c.as_string_opt::<i32>());
                let mut spans: HashMap<&str, Span> = HashMap::new();
                for (row, code) in texts.into_iter().flat_map(|t| t.iter().enumerate()) {
                    if let (Some(code), Some(day)) = (code.filter(|c| *c != OTHER), day(row)) {
                        let of = &mut shifts[rows[row] as usize];
                        let span = *spans.entry(code).or_insert_with(|| validity.span(profile, full, code));
                        *of = left(day, span, *of);
                    }
                }
            }
            for field in batch.schema().fields().iter().filter(|f| is_event(profile, privacy, name, f.name(), f.data_type())) {
                let column = format!("{name}.{}", field.name());
                let beside = beside::columns(profile, name, field.name()).into_iter();
                let beside = beside.filter_map(|c| batch.column_by_name(c)).map(as_texts).collect::<Result<Vec<_>, _>>()?;
                let Some(texts) = batch.column_by_name(field.name()).and_then(|c| c.as_string_opt::<i32>()) else { continue };
                for (row, code) in texts.iter().enumerate() {
                    if let Some(code) = code.filter(|c| *c != OTHER) {
                        let next = numbers.len() as u32;
                        let with: Vec<&Option<String>> = beside.iter().map(|c| &c[row]).collect();
                        let code = *numbers.entry((column.clone(), format!("{code} {with:?}"))).or_insert(next);
                        codes[rows[row] as usize].push((code, day(row)));
                    }
                }
            }
            if name == "visit_occurrence" {
                for (row, person) in rows.iter().enumerate() {
                    days[*person as usize].extend(day(row).map(|day| (0, Some(day))));
                }
            }
        }
        for events in codes.iter_mut().chain(&mut days) {
            events.sort_unstable();
            events.dedup();
        }
        let mut classes: BTreeMap<_, u32> = BTreeMap::new();
        let mut class = Vec::with_capacity(everybody);
        for key in &mut keys {
            key.values_mut().for_each(|rows| rows.sort_unstable());
        }
        for key in &keys {
            let next = classes.len() as u32;
            class.push(*classes.entry(key).or_insert(next));
        }
        let mut members = vec![Vec::new(); classes.len()];
        for (person, class) in class.iter().enumerate() {
            members[*class as usize].push(person as u32);
        }
        Ok(Self { class, members, codes, days, moved, shifts })
    }

    /// What an attacker knows of whom.
    fn events(&self, attacker: Attacker) -> Option<&[Vec<Event>]> {
        match attacker {
            Attacker::Demographics => None,
            Attacker::Codes | Attacker::DatedCodes | Attacker::CalendarCodes => Some(&self.codes),
            Attacker::VisitDays => Some(&self.days),
        }
    }

    /// Draws persons, and of each what is known; none where of nobody there is enough to know.
    fn plan<R: CryptoRng>(&self, attacker: Attacker, rng: &mut R) -> Option<Plan> {
        let (events, dated) = (self.events(attacker), is_dated(attacker));
        let of = |person: u32| events.map(|of| told(&of[person as usize], dated));
        let persons: Vec<u32> = (0..self.class.len() as u32).filter(|p| of(*p).is_none_or(|of| of.len() >= 2)).collect();
        let drawn: Vec<u32> = persons.sample(rng, TARGETS).copied().collect();
        let targets = drawn.into_iter().map(|person| {
            let Some(of) = of(person) else { return Target { person, known: Vec::new(), all: true } };
            let pairs = match of.len() * (of.len() - 1) / 2 {
                ..=MOST_PAIRS => of.iter().enumerate().flat_map(|(n, one)| of[n + 1..].iter().map(|o| [*one, *o])).collect(),
                _ => (0..DRAWS).filter_map(|_| draw(&of, rng)).collect::<Vec<_>>(),
            };
            let all = self.moved.is_none() || !dated;
            let all = all && of.len() * (of.len() - 1) / 2 <= MOST_PAIRS;
            // One pair with one shift says nothing of how much chance is in it.
            let pairs = if all { pairs } else { pairs.iter().copied().cycle().take(pairs.len().max(DRAWS)).collect() };
            Target { person, known: pairs.into_iter().map(|pair| (pair, self.shift(person, rng))).collect(), all }
        });
        let targets: Vec<Target> = targets.collect();
        (!targets.is_empty()).then_some(Plan { persons: persons.len(), targets })
    }

    /// A shift that a person's dates can have had by what is shown; 0 where none are moved.
    fn shift<R: CryptoRng>(&self, person: u32, rng: &mut R) -> i32 {
        let Some(most) = self.moved else { return 0 };
        let (least, most) = self.shifts.get(person as usize).copied().filter(|(a, b)| a <= b).unwrap_or((-most, most));
        // None is 0: it is drawn without, from one fewer.
        if least > 0 || most < 0 || least == most {
            return rng.random_range(least..=most);
        }
        let drawn = rng.random_range(least..most);
        if drawn < 0 { drawn } else { drawn + 1 }
    }

    fn attack(&self, attacker: Attacker, plan: &Plan) -> Found {
        let (events, dated) = (self.events(attacker), is_dated(attacker));
        let chances = |target: &Target| -> Vec<f64> {
            let members = &self.members[self.class[target.person as usize] as usize];
            let Some(of) = events else { return vec![1.0 / members.len().max(1) as f64] };
            // The attacker knows the true day, and by how much dates can have been moved: what stands too far from it is out.
            let by_codes = |p: u32| self.shifts.get(p as usize).filter(|_| attacker == Attacker::CalendarCodes).copied();
            let alike = |(known, shift): &([Event; 2], i32)| {
                members.iter().filter(|p| self.fits(&of[**p as usize], *known, dated, *shift, by_codes(**p))).count()
            };
            target.known.iter().map(|known| 1.0 / alike(known).max(1) as f64).collect()
        };
        let (mut means, mut within, mut alone) = (Vec::new(), 0.0, 0.0);
        for target in &plan.targets {
            let of = chances(target);
            let (mean, variance) = mean_and_variance(&of);
            within += if target.all { 0.0 } else { variance / of.len().max(1) as f64 };
            alone += of.iter().filter(|c| **c >= 1.0).count() as f64 / of.len().max(1) as f64;
            means.push(mean);
        }
        let (share, between) = mean_and_variance(&means);
        let half = 1.96 * variance_of_mean(between, within, means.len(), plan.persons).sqrt();
        Found {
            attacker,
            persons: plan.persons as u64,
            targets: means.len() as u64,
            share,
            interval: [(share - half).max(0.0), (share + half).min(1.0)],
            alone: alone / means.len().max(1) as f64,
        }
    }

    /// Whether somebody has what is known, with one of the shifts that codes leave.
    fn fits(&self, events: &[Event], [one, other]: [Event; 2], dated: bool, shift: i32, by_codes: Option<(i32, i32)>) -> bool {
        let days = |code: u32| {
            let from = events.partition_point(|e| e.0 < code);
            events[from..].iter().take_while(move |e| e.0 == code).map(|e| e.1)
        };
        if !dated {
            return days(one.0).next().is_some() && days(other.0).next().is_some();
        }
        let apart = |a: Option<i32>, b: Option<i32>| a.zip(b).map(|(a, b)| b - a);
        let Some(most) = self.moved else {
            return days(one.0).any(|d| d == one.1) && days(other.0).any(|d| d == other.1);
        };
        let known = apart(one.1, other.1);
        let (least, most) = by_codes.unwrap_or((-most, most));
        let near = |day: i32| one.1.is_some_and(|at| (least..=most).contains(&(day - at).saturating_add(shift)));
        days(one.0).flatten().any(|day| near(day) && events.binary_search(&(other.0, known.map(|k| day + k))).is_ok())
    }
}

const fn is_dated(attacker: Attacker) -> bool {
    matches!(attacker, Attacker::VisitDays | Attacker::DatedCodes | Attacker::CalendarCodes)
}

/// What can be told of a person: codes, or events with their days, each once.
fn told(events: &[Event], dated: bool) -> Vec<Event> {
    let mut told: Vec<Event> = match dated {
        true => events.iter().filter(|(_, day)| day.is_some()).copied().collect(),
        false => events.iter().map(|(code, _)| (*code, None)).collect(),
    };
    told.dedup();
    told
}

/// Two things about a person.
fn draw<R: CryptoRng>(told: &[Event], rng: &mut R) -> Option<[Event; 2]> {
    let mut two = told.sample(rng, 2);
    Some([*two.next()?, *two.next()?])
}

/// Mean, and variance as a sample's; 0 of fewer than two.
fn mean_and_variance(of: &[f64]) -> (f64, f64) {
    let n = of.len().max(1) as f64;
    let mean = of.iter().sum::<f64>() / n;
    (mean, of.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0))
}

/// Variance of a mean of `n` persons out of `all`, each of whom is himself a mean of draws (two-stage sampling; Cochran 1977, section 10.3):
/// `between` is the variance of the persons' means, `within` the sum of the variances of these means themselves. Where everybody was looked for,
/// what is left is the chance in what the attacker knew.
fn variance_of_mean(between: f64, within: f64, n: usize, all: usize) -> f64 {
    let (n, all) = (n.max(1) as f64, all.max(1) as f64);
    let looked_at = (n / all).min(1.0);
    (1.0 - looked_at) * between / n + looked_at * within / (n * n)
}

/// The day of each row: the first column of dates that has one.
fn days_of(batch: &RecordBatch) -> impl Fn(usize) -> Option<i32> + '_ {
    let column = batch.columns().iter().filter_map(|c| c.as_primitive_opt::<Date32Type>()).find(|c| c.null_count() < c.len());
    move |row| column.filter(|c| c.is_valid(row)).map(|c| c.value(row))
}

fn persons(batch: &RecordBatch) -> Vec<i64> {
    let ids = batch.column_by_name("person_id").and_then(|c| c.as_primitive_opt::<Int64Type>());
    ids.map(|ids| ids.values().to_vec()).unwrap_or_default()
}

fn is_event(profile: &Profile, privacy: &Privacy, table: &str, column: &str, of: &DataType) -> bool {
    let named = |events: &crate::profile::Events| crate::events::columns(events).any(|named| named == (table, column));
    let code = matches!(profile.treatment(table, column), Some(Treatment::Code { .. }));
    *of == DataType::Utf8 && code && privacy.events.as_ref().is_none_or(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(moved: Option<i32>) -> Seen {
        Seen { class: vec![], members: vec![], codes: vec![], days: vec![], moved, shifts: vec![] }
    }

    #[test]
    fn moved_days_fit_by_their_distance_and_within_the_largest_shift_of_the_true_ones() {
        let known = [(0, Some(100)), (1, Some(107))];
        let there = |day: i32| [(0, Some(day)), (1, Some(day + 7))];
        let fits = |day: i32, shift: i32| seen(Some(10)).fits(&there(day), known, true, shift, None);
        // The true day is as far before the shown one as the shift says: 100, 97 and 103.
        for (shift, days) in [(0, 90..=110), (3, 87..=107), (-3, 93..=113)] {
            for day in 60..140 {
                assert_eq!(fits(day, shift), days.contains(&day), "{day} with {shift}");
            }
        }
        assert!(!seen(Some(10)).fits(&[(0, Some(100)), (1, Some(108))], known, true, 0, None), "another distance");
        // Codes say that the person's dates were moved later, by 4 to 10 days.
        for day in 60..140 {
            assert_eq!(seen(Some(10)).fits(&there(day), known, true, 0, Some((4, 10))), (104..=110).contains(&day), "{day}");
        }
    }

    #[test]
    fn days_that_were_not_moved_fit_as_they_are_and_codes_alone_without_any() {
        let known = [(0, Some(100)), (1, Some(107))];
        assert!(seen(None).fits(&[(0, Some(100)), (1, Some(107))], known, true, 0, None));
        assert!(!seen(None).fits(&[(0, Some(101)), (1, Some(108))], known, true, 0, None));
        let codes = [(0, None), (1, None)];
        assert!(seen(None).fits(&[(0, Some(5)), (1, None)], codes, false, 0, None));
        assert!(!seen(None).fits(&[(0, Some(5)), (2, None)], codes, false, 0, None));
    }
}
