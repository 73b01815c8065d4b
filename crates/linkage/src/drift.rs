//! What a run shows that the run before in its folder did not: a change is named where it is more than chance.
//!
//! Shares are held against each other by the two-proportion z test, tables of counts by Pearson's chi-square test of homogeneity, brought to a
//! z by the cube root of Wilson and Hilferty (1931). What lies beyond [`LIMIT`] is named: by chance that is one test in 1.7 million, so that
//! the number of tests needs no correction. Two runs in one folder have most of their records in common, which makes chance smaller than the
//! tests think: what they name did move.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::levels::{birth, card, home, name, phone, sex};
use crate::model::{self, Model};

/// Standard errors beyond which a change is named.
const LIMIT: f64 = 5.0;
/// Changes of a share below this (a tenth of a per cent) are of no use to anybody, however sure they are.
const SMALLEST: f64 = 0.001;
/// Changes of a weight below so many bits likewise.
const SMALLEST_WEIGHT: f64 = 0.25;
/// Changes that are listed at most of each kind, the surest first.
const MOST: usize = 20;

/// What of a run the next one is held against.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Past {
    pub run: u32,
    pub records: u64,
    /// Records that are one person with another record.
    #[serde(skip)]
    pub linked: u64,
    pub histogram: Vec<u64>,
    pub person_sizes: BTreeMap<u64, u64>,
    pub institutions: BTreeMap<String, [f64; 5]>,
    pub institution_records: BTreeMap<String, u64>,
    #[serde(skip)]
    pub model: Option<Model>,
}

impl Past {
    /// From the text of `report.json`; `None` where that says too little.
    pub fn read(report: &str) -> Option<Self> {
        let mut report: serde_json::Value = serde_json::from_str(report).ok()?;
        // a model of another version is no model to hold this one against
        let model = report.get_mut("model").and_then(|m| serde_json::from_value(m.take()).ok());
        let past: Past = serde_json::from_value(report).ok()?;
        let alone = past.person_sizes.get(&1).copied().unwrap_or(0);
        Some(Past { linked: past.records.saturating_sub(alone), model, ..past }).filter(|p| p.run > 0)
    }
}

/// A number of this run beside that of the run before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// What: a level of a field, an institution's name and what it lacks, or nothing more where the kind says it all.
    pub of: String,
    /// Before.
    pub before: f64,
    /// Now.
    pub now: f64,
    /// Standard errors between the two.
    pub z: f64,
}

/// A table of counts of this run held against that of the run before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Pearson's chi-square.
    pub chi_square: f64,
    /// Its degrees of freedom.
    pub freedom: u64,
    /// As standard errors.
    pub z: f64,
    /// The largest difference of a share.
    pub largest: f64,
    /// More than chance.
    pub moved: bool,
}

/// What changed since the run before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The run before.
    pub run: u32,
    /// Records before and now.
    pub records: [u64; 2],
    /// Share of records that are one person with another, before and now; and whether it moved more than chance.
    pub linked: [f64; 2],
    /// See `linked`.
    pub linked_moved: bool,
    /// Probabilities of candidate pairs, in tenths.
    pub histogram: Shape,
    /// Persons by their number of records.
    pub person_sizes: Shape,
    /// Weights of levels, in bits, that moved more than chance; none where the model is the same.
    pub weights: Vec<Moved>,
    /// Shares of missing values by institution that moved more than chance.
    pub institutions: Vec<Moved>,
    /// Institutions that came and that went.
    pub new_institutions: u64,
    /// See `new_institutions`.
    pub gone_institutions: u64,
}

/// What institutions lack, in the order of the report.
const LACKS: [&str; 5] = ["birth-date", "phone", "home", "card", "written-name"];

/// The two-proportion z test.
fn z(before: f64, count_before: f64, now: f64, count_now: f64) -> f64 {
    if count_before <= 0.0 || count_now <= 0.0 {
        return 0.0;
    }
    let together = (before * count_before + now * count_now) / (count_before + count_now);
    let error = (together * (1.0 - together) * (1.0 / count_before + 1.0 / count_now)).sqrt();
    if error > 0.0 { (now - before) / error } else { 0.0 }
}

/// Pearson's chi-square of two rows of counts. Classes of fewer than ten are taken together, as the test asks.
fn shape(before: &[u64], now: &[u64]) -> Shape {
    let mut classes: Vec<(f64, f64)> = Vec::new();
    let mut few = (0.0, 0.0);
    for at in 0..before.len().max(now.len()) {
        let count = |counts: &[u64]| counts.get(at).copied().unwrap_or(0) as f64;
        let class = (count(before), count(now));
        if class.0 + class.1 < 10.0 {
            few = (few.0 + class.0, few.1 + class.1);
        } else {
            classes.push(class);
        }
    }
    if few.0 + few.1 > 0.0 {
        classes.push(few);
    }
    let all = classes.iter().fold((0.0, 0.0), |all: (f64, f64), c| (all.0 + c.0, all.1 + c.1));
    let freedom = classes.len().saturating_sub(1) as f64;
    if all.0 == 0.0 || all.1 == 0.0 || freedom == 0.0 {
        return Shape { chi_square: 0.0, freedom: 0, z: 0.0, largest: 0.0, moved: false };
    }
    let (mut chi_square, mut largest) = (0.0, 0.0f64);
    for (a, b) in classes {
        let share = (a + b) / (all.0 + all.1);
        chi_square += (a - share * all.0).powi(2) / (share * all.0) + (b - share * all.1).powi(2) / (share * all.1);
        largest = largest.max((a / all.0 - b / all.1).abs());
    }
    let spread = 2.0 / (9.0 * freedom);
    let z = ((chi_square / freedom).cbrt() - (1.0 - spread)) / spread.sqrt();
    Shape { chi_square, freedom: freedom as u64, z, largest, moved: z > LIMIT && largest >= SMALLEST }
}

fn tens(histogram: &[u64]) -> Vec<u64> {
    (0..10).map(|at| histogram.iter().skip(at * 10).take(if at == 9 { 11 } else { 10 }).sum()).collect()
}

fn sizes(sizes: &BTreeMap<u64, u64>) -> Vec<u64> {
    let most = sizes.keys().next_back().copied().unwrap_or(0).min(1 << 10);
    (0..=most).map(|size| sizes.get(&size).copied().unwrap_or(0)).collect()
}

/// The surest first; equal ones by what they are of.
fn listed(mut moved: Vec<Moved>) -> Vec<Moved> {
    moved.sort_by(|a, b| b.z.abs().total_cmp(&a.z.abs()).then_with(|| a.of.cmp(&b.of)));
    moved.truncate(MOST);
    moved
}

/// How often pairs of one person and of strangers show each level, by field. How rare the value itself is, is not in it.
fn levels(model: &Model) -> Vec<(&'static str, &'static str, [f64; 2])> {
    let (person, strangers) = (&model.person, &model.strangers);
    let cell = |at: usize| person.contacts.first().and_then(|cells| cells.get(at)).copied().unwrap_or(0.0);
    // cells of card × home × telephone, see `model`
    let cells = |part: &dyn Fn(usize, usize, usize) -> bool| -> f64 {
        let all = (0..3).flat_map(|c| (0..4).flat_map(move |h| (0..3).map(move |p| (c, h, p))));
        all.filter(|&(c, h, p)| part(c, h, p)).map(|(c, h, p)| cell((c * 4 + h) * 3 + p)).sum()
    };
    let place = |part: &dyn Fn(usize, usize) -> bool| -> f64 {
        let all = strangers.places.iter().enumerate().map(|(at, p)| (at / home::COUNT, at % home::COUNT, p));
        all.filter(|&(c, h, _)| part(c, h)).map(|(.., p)| p).sum()
    };
    let at = |table: &[f64], level: usize| table.get(level).copied().unwrap_or(0.0);
    let mut all = Vec::new();
    for (field, codes, one, two) in [
        ("given", &name::CODES[..], &person.given, &strangers.given),
        ("family", &name::CODES[..], &person.family, &strangers.family),
        ("birth", &birth::CODES[..], &person.birth, &strangers.birth),
        ("sex", &sex::CODES[..], &person.sex, &strangers.sex),
    ] {
        all.extend((0..).zip(codes).map(|(level, code)| (field, *code, [at(one, level), at(two, level)])));
    }
    for (level, code) in card::CODES.into_iter().enumerate() {
        let kind = cells(&|c, _, _| c == model::card_kind(level as u8));
        all.push(("card", code, [kind * at(&person.card, level), place(&|c, _| c == level)]));
    }
    for (level, code) in home::CODES.into_iter().enumerate() {
        let kind = cells(&|_, h, _| h == model::home_kind(level as u8));
        all.push(("home", code, [kind * at(&person.home, level), place(&|_, h| h == level)]));
    }
    for (level, code) in phone::CODES.into_iter().enumerate() {
        let kind = cells(&|_, _, p| p == model::phone_kind(level as u8));
        all.push(("phone", code, [kind * at(&person.phone, level), at(&strangers.phone, level)]));
    }
    all
}

/// Weights that moved: each by the test of the share on which it rests.
fn weights(before: &Model, now: &Model) -> Vec<Moved> {
    let mut moved = Vec::new();
    let (old, new) = (levels(before), levels(now));
    for ((field, level, [m, u]), (.., [m_now, u_now])) in old.into_iter().zip(new) {
        let bits = |m: f64, u: f64| (m.max(1e-12) / u.max(1e-12)).log2();
        let tests = [z(m, before.pairs[0], m_now, now.pairs[0]), z(u, SAMPLE, u_now, SAMPLE)];
        let [person, strangers] = tests;
        let z = if person.abs() >= strangers.abs() { person } else { -strangers };
        let (before, now) = (bits(m, u), bits(m_now, u_now));
        if z.abs() > LIMIT && (now - before).abs() >= SMALLEST_WEIGHT {
            moved.push(Moved { of: format!("{field}: {level}"), before, now, z });
        }
    }
    moved
}

/// Pairs of strangers that are measured at most.
const SAMPLE: f64 = 200_000.0;

impl Drift {
    /// Holds a run against the one before.
    pub(crate) fn between(before: &Past, now: &Past) -> Self {
        let share = |p: &Past| if p.records > 0 { p.linked as f64 / p.records as f64 } else { 0.0 };
        let linked = [share(before), share(now)];
        let linked_z = z(linked[0], before.records as f64, linked[1], now.records as f64);
        let count = |p: &Past, name: &String| p.institution_records.get(name).copied().unwrap_or(0) as f64;
        let mut institutions = Vec::new();
        for (name, shares) in &now.institutions {
            let Some(earlier) = before.institutions.get(name) else { continue };
            for ((lack, b), n) in LACKS.iter().zip(earlier).zip(shares) {
                let z = z(*b, count(before, name), *n, count(now, name));
                if z.abs() > LIMIT && (n - b).abs() >= SMALLEST {
                    institutions.push(Moved { of: format!("{name}: {lack}"), before: *b, now: *n, z });
                }
            }
        }
        let lacking = |a: &Past, b: &Past| a.institutions.keys().filter(|n| !b.institutions.contains_key(*n)).count() as u64;
        let models = before.model.as_ref().zip(now.model.as_ref());
        Self {
            run: before.run,
            records: [before.records, now.records],
            linked,
            linked_moved: linked_z.abs() > LIMIT && (linked[1] - linked[0]).abs() >= SMALLEST,
            histogram: shape(&tens(&before.histogram), &tens(&now.histogram)),
            person_sizes: shape(&sizes(&before.person_sizes), &sizes(&now.person_sizes)),
            weights: listed(models.map_or_else(Vec::new, |(b, n)| weights(b, n))),
            institutions: listed(institutions),
            new_institutions: lacking(now, before),
            gone_institutions: lacking(before, now),
        }
    }

    /// Whether so many records are gone that it is worth a look: a tenth of a per cent of them.
    pub fn records_gone(&self) -> bool {
        let [before, now] = self.records.map(|n| n as f64);
        before - now >= (before * SMALLEST).max(1.0)
    }

    /// Whether anything moved more than chance. Records and institutions do not go by chance; that some came is what later runs are for.
    pub fn moved(&self) -> bool {
        let shapes = self.linked_moved || self.histogram.moved || self.person_sizes.moved;
        let gone = self.records_gone() || self.gone_institutions > 0;
        shapes || gone || !self.weights.is_empty() || !self.institutions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(scale: u64) -> Past {
        Past {
            run: 1,
            records: 10_000 * scale,
            linked: 7_000 * scale,
            histogram: (0..=100).map(|p| if p == 0 || p == 100 { 5_000 * scale } else { 10 * scale }).collect(),
            person_sizes: [(1, 3_000 * scale), (2, 2_000 * scale), (3, 1_000 * scale)].into(),
            institutions: [("甲".to_owned(), [0.01, 0.2, 0.1, 0.1, 0.3]), ("乙".to_owned(), [0.0, 0.5, 0.1, 0.1, 0.3])].into(),
            institution_records: [("甲".to_owned(), 5_000 * scale), ("乙".to_owned(), 5_000 * scale)].into(),
            model: None,
        }
    }

    #[test]
    fn a_run_that_is_like_the_one_before_shows_no_drift_whatever_its_size() {
        assert!(!Drift::between(&past(1), &past(1)).moved());
        assert!(!Drift::between(&past(1), &past(40)).moved());
        assert!(!Drift::between(&Past::default(), &past(1)).moved());
        // chance: as many standard errors as a draw of ten thousand has
        let mut drawn = past(1);
        (drawn.linked, drawn.institutions) = (7_080, [("甲".to_owned(), [0.012, 0.21, 0.1, 0.1, 0.3])].into());
        let drift = Drift::between(&past(1), &drawn);
        let still = Drift { gone_institutions: 0, ..drift.clone() };
        assert!(!still.moved() && drift.gone_institutions == 1, "{drift:?}");
        assert!(drift.moved(), "an institution does not go by chance");
        // nor do records; that more came is no drift
        let records = |records| Drift { records, ..still.clone() };
        assert!(records([10_000, 9_990]).moved() && records([5, 4]).moved());
        assert!(!records([10_000, 9_991]).moved() && !records([10_000, 90_000]).moved() && !records([0, 0]).moved());
    }

    #[test]
    fn each_thing_that_moved_more_than_chance_is_named() {
        let mut now = past(1);
        now.linked = 6_000;
        assert!(Drift::between(&past(1), &now).linked_moved);
        let mut now = past(1);
        now.histogram[50] = 900;
        assert!(Drift::between(&past(1), &now).histogram.moved);
        let mut now = past(1);
        now.person_sizes.insert(31, 60);
        assert!(Drift::between(&past(1), &now).person_sizes.moved);
        let mut now = past(1);
        now.institutions.insert("甲".to_owned(), [0.01, 0.9, 0.1, 0.1, 0.3]);
        let drift = Drift::between(&past(1), &now);
        assert_eq!(drift.institutions.iter().map(|m| m.of.as_str()).collect::<Vec<_>>(), ["甲: phone"]);
    }

    #[test]
    fn the_tests_give_what_textbooks_give() {
        // Agresti, Categorical Data Analysis: aspirin and heart attacks, 189 of 11034 and 104 of 11037
        let found = z(189.0 / 11_034.0, 11_034.0, 104.0 / 11_037.0, 11_037.0);
        assert!((found + 5.0).abs() < 0.01, "{found}");
        let table = shape(&[189, 10_845], &[104, 10_933]);
        assert!((table.chi_square - 25.01).abs() < 0.02 && table.freedom == 1, "{table:?}");
    }
}
