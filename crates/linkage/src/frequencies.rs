//! How common names and birth dates are, counted over persons, not over records: a frequent visitor must not make a rare name common.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::forms::{Form, Forms, NONE};
use crate::hash::{FastMap, mix};
use crate::levels::{Levels, birth, name};
use crate::lexicon::FEWEST;
use crate::row::{NO_DAY, Row};

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

fn both(family: Form, given: Form) -> u64 {
    u64::from(family) << 32 | u64::from(given)
}

/// The cohort of a birth date.
fn cohort(birth: i32) -> usize {
    // 1900-01-01 is day -25567; ten years are 3652 days
    usize::try_from((birth.saturating_add(25_567)) / 3_652).unwrap_or(0).min(COHORTS - 1)
}

/// Rows that stand for one person each: the first of every birth date and name. A person spelt in two ways counts twice, which is seldom.
pub(crate) fn persons(rows: &[Row]) -> Vec<u32> {
    let key = |r: &Row| {
        let (family, given) = if r.fy != NONE || r.gy != NONE { (r.fy, r.gy) } else { (r.fk, r.gk) };
        mix(mix(r.birth as u32 as u64, u64::from(family)), u64::from(given))
    };
    let counted = (0u32..).zip(rows).filter(|(_, r)| r.linkable() && !r.is_baby());
    let mut keys: Vec<(u64, u32)> = counted.map(|(at, r)| (key(r), at)).collect();
    keys.sort_unstable();
    keys.dedup_by_key(|k| k.0);
    let mut first: Vec<u32> = keys.into_iter().map(|k| k.1).collect();
    first.sort_unstable();
    first
}

impl Counts {
    /// Counts over the rows that stand for persons.
    pub fn learn(rows: &[Row], persons: &[u32], forms: &Forms) -> Self {
        let mut family = vec![0u32; forms.len()];
        let mut given: FastMap<Form, [u32; COHORTS + 1]> = FastMap::default();
        let mut births: FastMap<i32, u32> = FastMap::default();
        let mut cohorts = [0; COHORTS];
        for row in persons.iter().map(|&at| &rows[at as usize]) {
            let group = (row.birth != NO_DAY).then(|| cohort(row.birth));
            if let Some(group) = group {
                cohorts[group] += 1;
                *births.entry(row.birth).or_insert(0) += 1;
            }
            for form in [row.fk, row.fy] {
                family[form as usize] += u32::from(form != NONE);
            }
            for form in [row.gk, row.gy].into_iter().filter(|f| *f != NONE) {
                let counts = given.entry(form).or_insert([0; COHORTS + 1]);
                counts[COHORTS] += 1;
                group.into_iter().for_each(|g| counts[g] += 1);
            }
        }
        let mut names: Vec<u64> = Vec::with_capacity(persons.len() * 2);
        for row in persons.iter().map(|&at| &rows[at as usize]) {
            names.extend(
                [(row.fk, row.gk), (row.fy, row.gy)].iter().filter(|(f, g)| *f != NONE && *g != NONE).map(|(f, g)| both(*f, *g)),
            );
        }
        names.sort_unstable();
        let mut whole = BTreeMap::new();
        for same in names.chunk_by(|a, b| a == b) {
            let (f, g, count) = ((same[0] >> 32) as Form, same[0] as Form, same.len() as u32);
            let parts = f64::from(family[f as usize]) * f64::from(given.get(&g).map_or(0, |n| n[COHORTS]));
            if count >= FEWEST && f64::from(count) > 2.0 * parts / persons.len() as f64 {
                whole.insert(format!("{} {}", forms.text(f), forms.text(g)), count);
            }
        }
        let often = |n: u32| if n >= FEWEST { n } else { 0 };
        let family = (0..).zip(family).filter(|(_, n)| *n >= FEWEST).map(|(f, n)| (forms.text(f), n)).collect();
        let given = given.into_iter().filter(|(_, n)| n[COHORTS] >= FEWEST).map(|(f, n)| (forms.text(f), n.map(often))).collect();
        let births = births.into_iter().filter(|(_, n)| *n >= FEWEST).collect();
        Self { persons: persons.len() as u32, family, given, cohorts, births, whole }
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
        for (text, &n) in &self.family {
            if let Some(form) = forms.find(text) {
                out.family[form as usize] = n;
            }
        }
        for (text, counts) in &self.given {
            let Some(form) = forms.find(text) else { continue };
            out.given[form as usize] = counts[COHORTS];
            for (group, &n) in counts[..COHORTS].iter().enumerate().filter(|(_, n)| **n > 0) {
                out.by_cohort.insert(u64::from(form) << 8 | group as u64, n);
            }
        }
        out
    }
}

/// A count below [`FEWEST`] is between one and two.
fn seen(count: u32) -> f64 {
    if count >= FEWEST { f64::from(count) } else { 1.5 }
}

impl Frequencies {
    fn share(&self, counts: &[u32], form: Form) -> f64 {
        // as if 1000 more persons had names of their own: in few records a name looks commoner or rarer than it is
        (seen(counts.get(form as usize).copied().unwrap_or(0)) + 1.0) / (self.persons + 1_000.0)
    }

    fn family(&self, form: Form) -> f64 {
        self.share(&self.family, form)
    }

    fn given(&self, form: Form, born: Option<i32>) -> f64 {
        let overall = self.share(&self.given, form);
        let Some(group) = born.map(cohort) else { return overall };
        let here = self.by_cohort.get(&(u64::from(form) << 8 | group as u64)).copied().unwrap_or(0);
        (f64::from(here) + 50.0 * overall) / (f64::from(self.cohorts[group]) + 50.0)
    }

    /// Whether several persons bear the given name.
    pub fn is_known(&self, given: Form) -> bool {
        self.given.get(given as usize).is_some_and(|n| *n >= FEWEST)
    }

    fn birth(&self, day: i32) -> f64 {
        // one day of a century where little is known
        (seen(self.births.get(&day).copied().unwrap_or(0)) + 1.0) / (self.persons + 36_525.0)
    }

    /// How likely strangers agree by chance on the values on which these two rows agree: minus the natural logarithm.
    pub fn rarity(&self, levels: Levels, a: &Row, b: &Row) -> f64 {
        let born = (levels.birth == birth::SAME).then_some(a.birth);
        let either = |x: Form, y: Form| if x != NONE { x } else { y };
        let given = match levels.given {
            name::BOTH => 0.85 * self.given(a.gk, born),
            name::READ => 0.1 * self.given(either(a.gy, b.gy), born),
            name::READ_ONLY => 0.7 * self.given(a.gy, born),
            name::WRITTEN => 0.1 * self.given(either(a.gk, b.gk), born),
            name::SWAPPED => 0.01 * self.given(either(a.gk, a.gy), born),
            _ => 1.0,
        };
        let family = match levels.family {
            name::BOTH => 0.85 * self.family(a.fk),
            name::READ => 0.1 * self.family(either(a.fy, b.fy)),
            name::READ_ONLY => 0.3 * self.family(a.fy),
            name::WRITTEN => 0.1 * self.family(either(a.fk, b.fk)),
            _ => 1.0,
        };
        let day = born.map_or(1.0, |day| self.birth(day));
        let mut name = given * family;
        if name::same(levels.given) && name::same(levels.family) {
            let count = |f: Form, g: Form| self.whole.get(&both(f, g)).copied().unwrap_or(0);
            let seen = count(a.fk, a.gk).max(count(a.fy, a.gy)).max(count(b.fk, b.gk)).max(count(b.fy, b.gy));
            name = name.max(0.7 * f64::from(seen) / (self.persons + 1_000.0));
        }
        -(name * day).max(1e-30).ln()
    }
}
