//! What clerks said of pairs enters the learning of a new model.
//!
//! Clerks see the pairs that are hard to tell, not a sample of all, and they see few. So their words are not counted as so many more pairs:
//! that would make hard pairs as common as they are in the queue. A word says instead how right the model is about pairs of its kind, and
//! all candidate pairs of that kind, as many as there are, are read accordingly: one number a kind is added to the logarithm of the odds,
//! the one that fits the words best. Which pairs clerks see follows from what the pairs show, and within a kind words of one sort are not
//! more likely to be asked for than of the other, so that the shares of the classes stay those of the candidates (post-stratification;
//! Little and Rubin, Statistical Analysis with Missing Data, 3rd ed. 2019, section 3.3.1).
//!
//! The number is drawn toward zero as by a normal distribution of [`SPREAD`]: some few words, right or wrong, hardly move it; hundreds decide.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::levels::Pattern;
use crate::model::{self, Scorer, card_kind, home_kind, phone_kind};
use crate::parts_levels::PartLevels;

/// Standard deviation, in nats, of how far the model is thought to be off for a kind before anybody said anything.
const SPREAD: f64 = 0.5;
/// Words of one kind that count at most: more would say no more, and weigh as if clerks never erred.
const MOST: f64 = 1_000.0;
/// Rounds in which a number is found; each halves where it can be, from 32 nats.
const ROUNDS: u32 = 40;

/// A pair whose class clerks decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Labelled {
    pub pattern: Pattern,
    pub steps: u8,
    /// One person.
    pub same: bool,
}

/// What the report says of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// Pairs that clerks called one person.
    pub same: u64,
    /// Pairs that clerks called two.
    pub different: u64,
    /// Kinds of pairs that they are of.
    pub kinds: u64,
}

/// Clerks' words by kind of pair.
#[derive(Default)]
pub(crate) struct Words(BTreeMap<u32, Vec<Labelled>>);

/// The kind of a pair: what a clerk goes by, as coarse as the model's states.
fn kind(pattern: Pattern) -> u32 {
    let l = pattern.levels();
    let state = model::state_of(l.given, l.family) as u32;
    [u32::from(l.birth), card_kind(l.card) as u32, home_kind(l.home) as u32, phone_kind(l.phone) as u32]
        .iter()
        .fold(state, |kind, level| kind << 3 | level)
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Words {
    /// The order of the words plays no part. Rows in parts have a model of their own, which learns nothing from clerks: words on their pairs
    /// are left out, and so say nothing about other rows.
    pub fn of(mut labelled: Vec<Labelled>) -> Self {
        labelled.retain(|word| PartLevels::of(word.pattern).is_none());
        labelled.sort_unstable();
        let mut kinds: BTreeMap<u32, Vec<Labelled>> = BTreeMap::new();
        for word in labelled {
            kinds.entry(kind(word.pattern)).or_default().push(word);
        }
        Self(kinds)
    }

    pub fn report(&self) -> Supervision {
        let all = || self.0.values().flatten();
        let same = all().filter(|w| w.same).count() as u64;
        Supervision { same, different: all().count() as u64 - same, kinds: self.0.len() as u64 }
    }

    /// By how much the logarithm of the odds of each kind is off, as these words have it.
    pub fn shifts(&self, scorer: &Scorer) -> Shifts {
        let shift = |words: &Vec<Labelled>| {
            let odds: Vec<(f64, f64)> = words
                .iter()
                // a model that is all but sure is as wrong as a clerk may be right
                .map(|w| (scorer.log_odds(w.pattern, w.steps).clamp(-12.0, 12.0), f64::from(u8::from(w.same))))
                .collect();
            let weight = (MOST / odds.len() as f64).min(1.0);
            // falls as the shift grows: its only zero is what is looked for
            let slope = |shift: f64| {
                let words: f64 = odds.iter().map(|(odds, same)| same - logistic(odds + shift)).sum();
                weight * words - shift / (SPREAD * SPREAD)
            };
            let (mut low, mut high) = (-32.0, 32.0);
            for _ in 0..ROUNDS {
                let middle = f64::midpoint(low, high);
                if slope(middle) > 0.0 { low = middle } else { high = middle }
            }
            f64::midpoint(low, high)
        };
        Shifts(self.0.iter().map(|(kind, words)| (*kind, shift(words))).collect())
    }
}

/// How far the model is off, by kind of pair.
pub(crate) struct Shifts(BTreeMap<u32, f64>);

impl Shifts {
    /// Probabilities of the three classes as clerks have it; the two that are not one person keep their proportion.
    pub fn of(&self, pattern: Pattern, classes: [f64; 3]) -> [f64; 3] {
        let shift = if self.0.is_empty() { None } else { self.0.get(&kind(pattern)) };
        let Some(shift) = shift else { return classes };
        let [person, household, strangers] = classes;
        let factor = shift.exp();
        let all = person * factor + household + strangers;
        [person * factor / all, household / all, strangers / all]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::em::{self, Case};
    use crate::levels::{Levels, birth, card, home, name, phone, sex};
    use crate::model::{Model, Strangers};

    /// Pairs that agree in all, pairs of strangers, and as many of the hard kind: the family name is another, and nothing else but the first
    /// name and birth date agrees.
    const PLAIN: Levels = Levels {
        given: name::BOTH,
        family: name::BOTH,
        birth: birth::SAME,
        sex: sex::SAME,
        card: card::SAME,
        home: home::SAME,
        phone: phone::MOBILE,
        one_place: 0,
        gap: 1,
        namesakes: 0,
        birth_errors: 0,
        sex_errors: 0,
    };
    const HARD: Levels = Levels {
        family: name::DIFFERENT,
        card: card::DIFFERENT,
        home: home::DIFFERENT,
        phone: phone::DIFFERENT_MOBILES,
        ..PLAIN
    };

    fn cases(hard: u32, steps: u8) -> Vec<Case> {
        let strange = Levels { given: name::DIFFERENT, ..HARD };
        let mut cases: Vec<Case> = [(PLAIN, 60_000, 80), (HARD, hard, steps), (strange, 40_000, 24)]
            .map(|(levels, pairs, steps)| Case { pattern: levels.pack(), steps, pairs })
            .into();
        cases.sort_by_key(|c| c.pattern);
        cases
    }

    fn strangers() -> Strangers {
        let strange = Levels { given: name::DIFFERENT, birth: birth::DIFFERENT, ..HARD };
        Strangers::measure(&vec![strange; 200_000], 40_000)
    }

    fn train_at(steps: u8, words: usize, same: bool) -> Model {
        let word = Labelled { pattern: HARD.pack(), steps, same };
        em::train(&cases(3_000, steps), strangers(), 100_000, &Words::of(vec![word; words]))
    }

    fn train(words: usize, same: bool) -> Model {
        train_at(68, words, same)
    }

    fn probability(model: &Model, levels: Levels, steps: u8) -> f64 {
        model.scorer().classes(levels.pack(), steps)[0]
    }

    #[test]
    fn many_right_words_on_a_hard_kind_of_pairs_find_it_and_the_easy_ones_stay_what_they_are() {
        // from names that are too common for the model to those that it tells by itself
        let found = (44..68).find_map(|steps| {
            let [without, with] = [0, 400].map(|words| train_at(steps, words, true));
            let [before, after] = [&without, &with].map(|model| probability(model, HARD, steps));
            (before < 0.3 && after > 0.5).then_some(with)
        });
        let with = found.expect("a kind that only clerks make the model find");
        assert!(probability(&with, PLAIN, 80) > 0.999);
        // the words are about three thousand pairs of a hundred thousand, and the shares of the classes stay theirs
        assert!(with.pairs[0] < 63_001.0 && with.pairs[0] > 62_000.0, "{:?}", with.pairs);
    }

    #[test]
    fn a_handful_of_wrong_words_does_not_turn_the_model() {
        let without = train(0, true);
        for (words, same) in [(5, true), (5, false)] {
            let with = train(words, same);
            let moved = (probability(&with, HARD, 68) - probability(&without, HARD, 68)).abs();
            assert!(moved < 0.35, "{words} {same}: {moved}");
            assert!(probability(&with, PLAIN, 80) > 0.999);
        }
        // wrong words on what is plain: five call sure pairs two persons
        let word = Labelled { pattern: PLAIN.pack(), steps: 80, same: false };
        let with = em::train(&cases(3_000, 68), strangers(), 100_000, &Words::of(vec![word; 5]));
        assert!(probability(&with, PLAIN, 80) > 0.99);
    }

    #[test]
    fn the_order_of_words_plays_no_part_and_no_words_change_nothing() {
        let word = |at: u32| Labelled {
            pattern: if at.is_multiple_of(3) { PLAIN } else { HARD }.pack(),
            steps: 40 + (at % 9) as u8,
            same: !at.is_multiple_of(4),
        };
        let forth = Words::of((0..200).map(word).collect());
        let back = Words::of((0..200).rev().map(word).collect());
        let train = |words: &Words| em::train(&cases(3_000, 68), strangers(), 100_000, words);
        assert_eq!(train(&forth), train(&back));
        let scorer = train(&forth).scorer();
        let classes = scorer.classes(HARD.pack(), 68);
        assert_eq!(Words::default().shifts(&scorer).of(HARD.pack(), classes), classes);
        assert_eq!(forth.report(), Supervision { same: 150, different: 50, kinds: 2 });
    }

    #[test]
    fn words_on_rows_in_parts_say_nothing_about_other_rows() {
        let word =
            |at: u8| Labelled { pattern: PartLevels { given: at % 4, ..PartLevels::default() }.pack(), steps: 68, same: true };
        let words = Words::of((0..200).map(word).collect());
        assert_eq!(words.report(), Supervision::default());
        assert_eq!(em::train(&cases(3_000, 68), strangers(), 100_000, &words), train(0, true));
    }

    #[test]
    fn the_shift_fits_the_words_as_trying_all_of_them_does() {
        let scorer = train(0, true).scorer();
        for (same, different) in [(1, 0), (3, 9), (40, 2), (0, 100)] {
            let word = |same| Labelled { pattern: HARD.pack(), steps: 68, same };
            let words = Words::of([vec![word(true); same], vec![word(false); different]].concat());
            let found = *words.shifts(&scorer).0.values().next().expect("a kind");
            let odds = scorer.log_odds(HARD.pack(), 68);
            let fit = |shift: f64| {
                let p = logistic(odds + shift);
                same as f64 * p.ln() + different as f64 * (1.0 - p).ln() - shift * shift / (2.0 * SPREAD * SPREAD)
            };
            let naive = (-2_000..2_000).map(|n| f64::from(n) / 100.0).max_by(|a, b| fit(*a).total_cmp(&fit(*b))).expect("some");
            assert!((found - naive).abs() < 0.011, "{found} {naive}");
        }
    }
}
