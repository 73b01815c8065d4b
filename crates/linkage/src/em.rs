//! The model learns from the candidate pairs without labels (expectation and maximisation). Pairs with equal patterns are one weighted
//! case, in the order of the patterns: the sums are the same for any order of input and any number of threads.

use crate::levels::Pattern;
use crate::model::{Class, Model, Strangers, Tally, state};
use crate::parts_levels::PartLevels;
use crate::prior;
use crate::rates::Rates;
use crate::supervision::Words;

/// A pattern with its rarity in steps and how many candidate pairs show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Case {
    pub pattern: Pattern,
    pub steps: u8,
    pub pairs: u32,
}

/// Rounds after which learning ends at the latest.
const ROUNDS: u32 = 60;
/// Learning ends when no class changes by more than this share of the pairs.
const STEADY: f64 = 1e-6;
/// Weight of the prior in pairs.
const STRENGTH: f64 = 30.0;

/// Learns from cases of candidates among `records` records; those of rows in parts have a model of their own. `strangers` was measured on random pairs and stays.
///
/// `words`: what clerks said of pairs.
pub(crate) fn train(cases: &[Case], strangers: Strangers, records: usize, words: &Words) -> Model {
    let n = (records as f64).max(10_000.0);
    let cases: Vec<Case> = cases.iter().copied().filter(|c| PartLevels::of(c.pattern).is_none()).collect();
    let candidates: f64 = cases.iter().map(|c| f64::from(c.pairs)).sum();
    let mut model = Model {
        parts: None,
        rates: Rates::default(),
        person: prior::person(),
        household: prior::household(),
        strangers,
        pairs: [(0.8 * candidates).max(1.0), (0.01 * candidates).max(0.3), n * (n - 1.0) / 2.0],
        rounds: 0,
    };
    for round in 1..=ROUNDS {
        let before = model.pairs;
        model = step(&cases, &model, words);
        model.rounds = round;
        let moved = (0..2).map(|k| (model.pairs[k] - before[k]).abs()).fold(0.0, f64::max);
        if moved <= STEADY * candidates {
            break;
        }
    }
    model
}

/// One round.
pub(crate) fn step(cases: &[Case], model: &Model, words: &Words) -> Model {
    let (mut person, mut household) = (Tally::new(), Tally::new());
    let mut pairs = [0.0; 2];
    let scorer = model.scorer();
    let shifts = words.shifts(&scorer);
    for case in cases {
        let classes = shifts.of(case.pattern, scorer.classes(case.pattern, case.steps));
        let levels = case.pattern.levels();
        for (tally, k) in [(&mut person, 0), (&mut household, 1)] {
            let weight = classes[k] * f64::from(case.pairs);
            tally.add(&levels, weight);
            pairs[k] += weight;
        }
    }
    let mut next = Model {
        parts: None,
        rates: Rates::default(),
        person: person.class(&prior::person(), STRENGTH),
        household: household.class(&prior::household(), STRENGTH),
        strangers: model.strangers.clone(),
        pairs: [pairs[0].max(1.0), pairs[1].max(0.3), model.pairs[2]],
        rounds: model.rounds,
    };
    keep(&mut next.person, &[(state::GIVEN, prior::KEPT)]);
    keep(&mut next.household, &[(state::SAME, prior::NAMESAKES_AT_HOME), (state::CHANGED, prior::NAMESAKES_AT_HOME)]);
    next
}

/// Sets states that are not learned, the others in proportion.
fn keep(class: &mut Class, fixed: &[(usize, f64)]) {
    let is_fixed = |at: usize| fixed.iter().find(|(f, _)| *f == at).map(|(_, p)| *p);
    let kept: f64 = fixed.iter().map(|(_, p)| p).sum();
    let free: f64 = class.state.iter().enumerate().filter(|(at, _)| is_fixed(*at).is_none()).map(|(_, p)| p).sum();
    for (at, p) in class.state.iter_mut().enumerate() {
        *p = is_fixed(at).unwrap_or(*p * (1.0 - kept) / free.max(1e-12));
    }
}
