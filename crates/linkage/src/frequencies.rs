//! How common names and birth dates are, counted over persons, not over records: a frequent visitor must not make a rare name common.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::forms::{Form, Forms, NONE};
use crate::hash::{FastMap, mix};
use crate::levels::{Levels, birth, name, sex};
use crate::lexicon::{Bearers, FEWEST, Few};
use crate::row::{NO_DAY, Row};
use crate::text::UNKNOWN;

/// Ten-year groups of birth: given names have their times.
pub(crate) const COHORTS: usize = 16;

/// The frequencies of a model, by text. Values of fewer than [`FEWEST`] persons are not in it: rare is all that is known of them, and no
/// single person can be read from it.
#[derive(Default, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub persons: u32,
    pub family: BTreeMap<String, u32>,
    /// Given names by cohort; the last place is all of them.
    pub given: BTreeMap<String, [u32; COHORTS + 1]>,
    pub cohorts: [u32; COHORTS],
    pub births: BTreeMap<i32, u32>,
    /// Whole names (family name, a space, given name) that are commoner than their parts let expect, as with names of one country abroad.
    pub whole: BTreeMap<String, u32>,
}

/// The same by form, for one run.
pub(crate) struct Frequencies {
    persons: f64,
    family: Vec<u32>,
    given: Vec<u32>,
    by_cohort: FastMap<u64, u32>,
    cohorts: [u32; COHORTS],
    births: FastMap<i32, u32>,
    whole: FastMap<u64, u32>,
}

/// Longest name with gaps that is held against the known names.
const LONGEST_WITH_GAPS: usize = 6;

/// The ways to write a text with some letters, but not all, unknown.
fn with_gaps(text: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = text.chars().collect();
    let ways = if letters.len() > LONGEST_WITH_GAPS { 0 } else { (1u32 << letters.len()).saturating_sub(1) };
    (1..ways).map(move |gaps| (0..).zip(&letters).map(|(at, c)| if gaps >> at & 1 == 1 { UNKNOWN } else { *c }).collect())
}

fn both(family: Form, given: Form) -> u64 {
    u64::from(family) << 32 | u64::from(given)
}

/// The cohort of a birth date.
fn cohort(birth: i32) -> usize {
    // 1900-01-01 is day -25567; ten years are 3652 days
    usize::try_from((birth.saturating_add(25_567)) / 3_652).unwrap_or(0).min(COHORTS - 1)
}

/// A number for birth date and name of a row that counts as a person's.
pub(crate) fn person(r: &Row) -> Option<u64> {
    let (family, given) = if r.fy != NONE || r.gy != NONE { (r.fy, r.gy) } else { (r.fk, r.gk) };
    (r.linkable() && !r.is_baby()).then(|| mix(mix(r.birth as u32 as u64, u64::from(family)), u64::from(given)))
}

/// Rows that stand for one person each, one of every birth date and name. A person spelt in two ways counts twice, which is seldom.
/// Which rows they are and their order hang on what the rows say and not on how they are numbered.
pub(crate) fn persons(rows: &[Row]) -> Vec<u32> {
    let mut keys: Vec<(u64, u32)> = (0u32..).zip(rows).filter_map(|(at, r)| Some((person(r)?, at))).collect();
    keys.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| rows[a.1 as usize].cmp(&rows[b.1 as usize])));
    keys.dedup_by_key(|k| k.0);
    keys.into_iter().map(|k| k.1).collect()
}

/// Whether two birth dates are those of two people, whatever slips were made: not only does no slip make one of the other, but there is no date
/// either of which a slip makes the one and another slip the other. Year, month and day all differ, also where month and day are exchanged; of
/// 1 January, which stands for a day that nobody knew, two digits of the year.
fn are_two(a: i32, b: i32) -> bool {
    let ((ya, ma, da), (yb, mb, db)) = (terms::civil_from_days(a), terms::civil_from_days(b));
    let digits = |year: i32| [year / 1000, year / 100 % 10, year / 10 % 10, year % 10];
    if (ma, da) == (1, 1) || (mb, db) == (1, 1) {
        return digits(ya).iter().zip(digits(yb)).filter(|(a, b)| **a != *b).count() >= 2;
    }
    ya != yb && ma != mb && da != db && (ma, da) != (db, mb)
}

/// Birth dates of so many people that matter, found in the order of the rows.
#[derive(Clone, Copy)]
struct Namesakes(Few<i32>);

impl Namesakes {
    const NONE: Self = Self(Few::NONE);

    fn add(&mut self, birth: i32) {
        if birth != NO_DAY {
            self.0.add_unless(birth, |known| !are_two(known, birth));
        }
    }
}

/// The whole names of a row, with its birth date.
pub(crate) fn whole_names(row: &Row) -> impl Iterator<Item = (u64, i32)> {
    let complete = [(row.fk, row.gk), (row.fy, row.gy)].into_iter().filter(|(f, g)| *f != NONE && *g != NONE);
    complete.map(|(f, g)| (both(f, g), row.birth))
}

/// Counts while persons are counted, one by one.
pub(crate) struct Counting {
    persons: u32,
    family: Vec<u32>,
    given: FastMap<Form, [u32; COHORTS + 1]>,
    births: FastMap<i32, u32>,
    cohorts: [u32; COHORTS],
    bearers: Bearers,
    /// By text, people who bear it and are two by their birth dates alone: names that came in one piece have no other part.
    namesakes: Vec<Namesakes>,
}

impl Counting {
    pub fn new(forms: &Forms) -> Self {
        Self {
            persons: 0,
            family: vec![0; forms.len()],
            given: FastMap::default(),
            births: FastMap::default(),
            cohorts: [0; COHORTS],
            bearers: Bearers::new(forms),
            namesakes: vec![Namesakes::NONE; forms.len()],
        }
    }

    /// Counts the row of a person.
    pub fn add(&mut self, row: &Row, forms: &Forms) {
        self.persons += 1;
        let group = (row.birth != NO_DAY).then(|| cohort(row.birth));
        if let Some(group) = group {
            self.cohorts[group] += 1;
            *self.births.entry(row.birth).or_insert(0) += 1;
        }
        for form in [row.fk, row.fy] {
            self.family[form as usize] += u32::from(form != NONE);
        }
        self.bearers.add(row.fk, row.gk, row.birth, forms);
        self.bearers.add(row.fy, row.gy, row.birth, forms);
        [row.fk, row.fy, row.gk, row.gy].into_iter().for_each(|form| self.namesakes[form as usize].add(row.birth));
        for form in [row.gk, row.gy].into_iter().filter(|f| *f != NONE) {
            let counts = self.given.entry(form).or_insert([0; COHORTS + 1]);
            counts[COHORTS] += 1;
            group.into_iter().for_each(|g| counts[g] += 1);
        }
    }

    /// What was counted; `names` are the [`whole_names`] of all persons, sorted.
    pub fn counts(self, names: impl IntoIterator<Item = (u64, i32)>, forms: &Forms) -> Counts {
        let Self { persons, family, given, births, cohorts, bearers, namesakes } = self;
        let mut whole = BTreeMap::new();
        let mut take = |name: u64, count: u32, of_name: Namesakes| {
            let (f, g) = ((name >> 32) as Form, name as Form);
            let parts = f64::from(family[f as usize]) * f64::from(given.get(&g).map_or(0, |n| n[COHORTS]));
            if of_name.0.is_full() && f64::from(count) > 2.0 * parts / f64::from(persons) {
                whole.insert(format!("{} {}", forms.text(f), forms.text(g)), count);
            }
        };
        // name, how many and who of them are people for sure
        let mut so_far: Option<(u64, u32, Namesakes)> = None;
        for (name, day) in names {
            let mut next = match so_far {
                Some((same, count, of_name)) if same == name => (name, count + 1, of_name),
                other => {
                    other.into_iter().for_each(|(name, count, of_name)| take(name, count, of_name));
                    (name, 1, Namesakes::NONE)
                }
            };
            next.2.add(day);
            so_far = Some(next);
        }
        so_far.into_iter().for_each(|(name, count, of_name)| take(name, count, of_name));
        let are_enough = |form: Form| bearers.are_enough(form) || namesakes[form as usize].0.is_full();
        let often = |n: u32| if n >= FEWEST { n } else { 0 };
        let family = (0..).zip(family).filter(|(f, n)| *n >= FEWEST && are_enough(*f)).map(|(f, n)| (forms.text(f), n)).collect();
        let given = given
            .into_iter()
            .filter(|(f, n)| n[COHORTS] >= FEWEST && are_enough(*f))
            .map(|(f, n)| (forms.text(f), n.map(often)))
            .collect();
        let births = births.into_iter().filter(|(_, n)| *n >= FEWEST).collect();
        Counts { persons, family, given, cohorts, births, whole }
    }
}

impl Counts {
    /// Counts over the rows that stand for persons.
    pub fn learn(rows: &[Row], persons: &[u32], forms: &Forms) -> Self {
        let mut counting = Counting::new(forms);
        let mut names: Vec<(u64, i32)> = Vec::with_capacity(persons.len() * 2);
        for row in persons.iter().map(|&at| &rows[at as usize]) {
            counting.add(row, forms);
            names.extend(whole_names(row));
        }
        names.sort_unstable();
        counting.counts(names, forms)
    }

    /// For the forms of a run.
    pub fn of(&self, forms: &Forms) -> Frequencies {
        let mut out = Frequencies {
            persons: f64::from(self.persons),
            family: vec![0; forms.len()],
            given: vec![0; forms.len()],
            by_cohort: FastMap::default(),
            cohorts: self.cohorts,
            births: self.births.iter().map(|(d, n)| (*d, *n)).collect(),
            whole: FastMap::default(),
        };
        for (text, &n) in &self.whole {
            let parts = text.split_once(' ').and_then(|(f, g)| forms.find(f).zip(forms.find(g)));
            if let Some((f, g)) = parts {
                out.whole.insert(both(f, g), n);
            }
        }
        // 〓子 is as common as all the names together that it may stand for
        let gaps = (0..forms.len() as Form).any(|form| forms.has_gap(form));
        let places = |text: &str| -> Vec<Form> {
            let unknown = with_gaps(text).filter(|_| gaps).filter_map(|t| forms.find(&t));
            forms.find(text).filter(|f| !forms.has_gap(*f)).into_iter().chain(unknown).collect()
        };
        for (text, &n) in &self.family {
            places(text).into_iter().for_each(|form| out.family[form as usize] += n);
        }
        for (text, counts) in &self.given {
            for form in places(text) {
                out.given[form as usize] += counts[COHORTS];
                for (group, &n) in counts[..COHORTS].iter().enumerate().filter(|(_, n)| **n > 0) {
                    *out.by_cohort.entry(u64::from(form) << 8 | group as u64).or_insert(0) += n;
                }
            }
        }
        out
    }
}

/// A count below [`FEWEST`] is between one and two.
fn seen(count: u32) -> f64 {
    if count >= FEWEST { f64::from(count) } else { 1.5 }
}

/// A count as high as it may be: one standard deviation more, and what may hide behind nothing.
fn at_most(count: f64) -> f64 {
    count + count.sqrt() + 2.0
}

/// People of Japan, and the share of them born on one day, rounded (about 3,400 of 125 million).
const COUNTRY: f64 = 125e6;
const BORN_ON_A_DAY: f64 = 2.7e-5;

/// Namesakes in the country, born on one day, above which name and birth date say too little by themselves. At a tenth, five of
/// six wrong pairs of a million records are gone for a seventh of a per cent of the right ones, which a clerk gets.
const FEW_NAMESAKES: f64 = 0.1;

/// How a frequency is read from a count: as it is, or as high as it may be.
type Reading = fn(f64) -> f64;

impl Frequencies {
    fn share(&self, counts: &[u32], form: Form, reading: Reading) -> f64 {
        // as if 1000 more persons had names of their own: in few records a name looks commoner or rarer than it is
        reading(seen(counts.get(form as usize).copied().unwrap_or(0)) + 1.0) / (self.persons + 1_000.0)
    }

    fn family_of(&self, form: Form, reading: Reading) -> f64 {
        self.share(&self.family, form, reading)
    }

    fn given_of(&self, form: Form, born: Option<i32>, reading: Reading) -> f64 {
        let overall = self.share(&self.given, form, reading);
        let Some(group) = born.map(cohort) else { return overall };
        let here = self.by_cohort.get(&(u64::from(form) << 8 | group as u64)).copied().unwrap_or(0);
        (reading(f64::from(here)) + 50.0 * overall) / (f64::from(self.cohorts[group]) + 50.0)
    }

    // Of two forms that agree the commoner counts (〓子 and 花子). A name without a break says nothing of its parts, so that those of the
    // other row count; of two without a break the whole stands in the family name, and counts there alone.

    fn given(&self, x: Form, y: Form, born: Option<i32>, reading: Reading) -> f64 {
        match (x, y) {
            (NONE, NONE) => 1.0,
            (form, NONE) | (NONE, form) => self.given_of(form, born, reading),
            (x, y) => self.given_of(x, born, reading).max(self.given_of(y, born, reading)),
        }
    }

    fn family(&self, x: (Form, Form), y: (Form, Form), reading: Reading) -> f64 {
        match (x.1, y.1) {
            (_, NONE) if x.1 != NONE => self.family_of(x.0, reading),
            (NONE, _) if y.1 != NONE => self.family_of(y.0, reading),
            _ => self.family_of(x.0, reading).max(self.family_of(y.0, reading)),
        }
    }

    /// How often the whole name was seen, where that is more than its parts let expect.
    fn whole(&self, a: &Row, b: &Row) -> f64 {
        let count = |f: Form, g: Form| self.whole.get(&both(f, g)).copied().unwrap_or(0);
        f64::from(count(a.fk, a.gk).max(count(a.fy, a.gy)).max(count(b.fk, b.gk)).max(count(b.fy, b.gy)))
    }

    /// Whether so many people of the country may bear the name and be born on the day of these two rows that something else has to agree.
    /// Also where the two agree in less than that.
    pub fn has_namesakes(&self, levels: Levels, a: &Row, b: &Row) -> bool {
        let plain = |level| matches!(level, name::BOTH | name::READ | name::READ_ONLY | name::WRITTEN);
        let whole = plain(levels.given) && plain(levels.family) && levels.birth == birth::SAME && levels.sex != sex::DIFFERENT;
        if !whole {
            return true;
        }
        let born = Some(a.birth);
        // what is written tells more than what is read
        let given = match levels.given {
            name::READ | name::READ_ONLY => self.given(a.gy, b.gy, born, at_most),
            _ => self.given(a.gk, b.gk, born, at_most),
        };
        let family = match levels.family {
            name::READ | name::READ_ONLY => self.family((a.fy, a.gy), (b.fy, b.gy), at_most),
            _ => self.family((a.fk, a.gk), (b.fk, b.gk), at_most),
        };
        let together = at_most(self.whole(a, b)) / (self.persons + 1_000.0);
        let name = if self.whole(a, b) > 0.0 { together.max(given * family) } else { given * family };
        COUNTRY * self.birth(a.birth).max(BORN_ON_A_DAY) * name > FEW_NAMESAKES
    }

    /// Whether several persons bear the given name.
    pub fn is_known(&self, given: Form) -> bool {
        self.given.get(given as usize).is_some_and(|n| *n >= FEWEST)
    }

    fn birth(&self, day: i32) -> f64 {
        // one day of a century where little is known
        (seen(self.births.get(&day).copied().unwrap_or(0)) + 1.0) / (self.persons + 36_525.0)
    }

    /// The same of two rows in parts, of those of their written names that are equal.
    pub fn rarity_of_written(&self, given: bool, family: bool, a: &Row, b: &Row) -> f64 {
        let as_seen: Reading = |count| count;
        let given = if given { self.given(a.gk, b.gk, None, as_seen) } else { 1.0 };
        let family = if family { self.family((a.fk, a.gk), (b.fk, b.gk), as_seen) } else { 1.0 };
        -(given * family).max(1e-30).ln()
    }

    /// How likely strangers agree by chance on the values on which these two rows agree: minus the natural logarithm.
    pub fn rarity(&self, levels: Levels, a: &Row, b: &Row) -> f64 {
        let born = (levels.birth == birth::SAME).then_some(a.birth);
        let as_seen: Reading = |count| count;
        let given = |x: Form, y: Form| self.given(x, y, born, as_seen);
        let read = || self.family((a.fy, a.gy), (b.fy, b.gy), as_seen);
        let written = || self.family((a.fk, a.gk), (b.fk, b.gk), as_seen);
        let given = match levels.given {
            name::BOTH => 0.85 * given(a.gk, b.gk),
            name::READ => 0.1 * given(a.gy, b.gy),
            name::READ_ONLY => 0.7 * given(a.gy, b.gy),
            name::WRITTEN => 0.1 * given(a.gk, b.gk),
            // in one of the two the family name stands in the place of the given name
            name::SWAPPED if a.gk != NONE && b.gk != NONE => 0.01 * given(a.gk, b.gk),
            name::SWAPPED => 0.01 * given(a.gy, b.gy),
            _ => 1.0,
        };
        let family = match levels.family {
            name::BOTH => 0.85 * written(),
            name::READ => 0.1 * read(),
            name::READ_ONLY => 0.3 * read(),
            name::WRITTEN => 0.1 * written(),
            _ => 1.0,
        };
        let day = born.map_or(1.0, |day| self.birth(day));
        let mut name = given * family;
        if name::same(levels.given) && name::same(levels.family) {
            name = name.max(0.7 * self.whole(a, b) / (self.persons + 1_000.0));
        }
        -(name * day).max(1e-30).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Birth = Option<(i32, u32, u32)>;

    /// Counts over rows of family name, given name and birth date.
    fn learned(people: &[(&str, &str, Birth)]) -> Counts {
        let mut forms = Forms::new();
        let day = |(y, m, d)| terms::days_from_civil(y, m, d).expect("a day");
        let rows: Vec<Row> = people
            .iter()
            .map(|(family, given, birth)| {
                let (fy, gy) = (forms.number(family), forms.number(given));
                Row { fy, gy, birth: birth.map_or(NO_DAY, day), ..Row::default() }
            })
            .collect();
        Counts::learn(&rows, &persons(&rows), &forms)
    }

    #[test]
    fn nothing_that_one_person_alone_has_is_counted_whatever_slips_were_made() {
        let (births, families, givens) = (
            [Some((1977, 3, 9)), Some((1977, 9, 3)), Some((1967, 3, 9)), Some((1977, 3, 8)), Some((1977, 1, 1)), None],
            ["ミタライ", "ミタラエ", "ミタライダニ"],
            ["ジュラン", "シュラン", "ジュランノ"],
        );
        let mut one = Vec::new();
        for birth in births {
            for family in families {
                one.extend(givens.map(|given| (family, given, birth)));
            }
        }
        let counts = learned(&one);
        let texts = counts.family.len() + counts.given.len() + counts.whole.len();
        assert!(counts.persons == 54 && texts == 0, "{counts:?}");
    }

    #[test]
    fn what_three_people_have_is_counted() {
        let day = Some((1950, 1, 1));
        // one family, one given name and one birth date of three each
        let people = [
            ("ミナイ", "タロウ", Some((1951, 2, 3))),
            ("ミナイ", "ハナ", Some((1952, 4, 5))),
            ("ミナイ", "ジロウ", Some((1980, 6, 7))),
            ("サトウ", "サクタ", Some((1953, 2, 3))),
            ("タナカ", "サクタ", Some((1954, 4, 5))),
            ("オノ", "サクタ", Some((1981, 6, 7))),
            ("アベ", "イチ", day),
            ("イトウ", "フミ", day),
            ("ウエダ", "ミツ", day),
        ];
        let counts = learned(&people);
        assert_eq!(counts.family, [("ミナイ".to_owned(), 3)].into());
        assert_eq!(counts.given.iter().map(|(name, n)| (name.as_str(), n[COHORTS])).collect::<Vec<_>>(), [("サクタ", 3)]);
        assert_eq!(counts.births.values().collect::<Vec<_>>(), [&3]);
    }

    #[test]
    fn a_whole_name_is_kept_for_namesakes_and_not_for_a_person_with_slips() {
        let births = |days: [(i32, u32, u32); 3]| days.map(Some);
        let with = |births: [Birth; 3], one_piece: bool| {
            let (family, given) = if one_piece { ("グエンラン", "") } else { ("グエン", "ラン") };
            let mut people: Vec<_> = births.iter().map(|b| (family, given, *b)).collect();
            for (n, other) in ["アベ", "イトウ", "ウエダ", "オノ", "カトウ", "キタ"].into_iter().enumerate() {
                people.extend((3..12).map(|at| (other, "タナハマヤラワサカ", Some((1930 + n as i32, at, n as u32 + 1)))));
            }
            learned(&people)
        };
        let three = births([(1931, 12, 28), (1952, 9, 21), (1979, 5, 20)]);
        assert!(with(three, false).whole.contains_key("グエン ラン") && with(three, true).family.contains_key("グエンラン"));
        // dates that a slip each makes of one; two dates and a missing one; a day that nobody knew
        for one in [
            births([(1967, 3, 9), (1977, 9, 3), (1977, 3, 8)]),
            [Some((1977, 3, 9)), Some((1954, 12, 24)), None],
            births([(1977, 3, 9), (1977, 1, 1), (1967, 5, 7)]),
        ] {
            let (two, one) = (with(one, false), with(one, true));
            assert!(
                !two.whole.contains_key("グエン ラン") && !two.family.contains_key("グエン") && !two.given.contains_key("ラン")
            );
            assert!(!one.family.contains_key("グエンラン"));
        }
    }
}
