//! The model of rows in parts: how the levels of a pair are distributed when the two rows are one person, and when they are strangers. Fields
//! are independent inside a class (Fellegi and Sunter 1969); there is no class for households, whose members are told apart by names.

use serde::{Deserialize, Serialize};

use crate::em::Case;
use crate::levels::Pattern;
use crate::model::RARITY_STEP;
use crate::parts_levels::{FIELDS, PartLevels, level};

/// Distributions of the two classes, by field and level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartsModel {
    person: Vec<Vec<f64>>,
    /// Measured on random pairs; agreement of names is as likely as the names are rare.
    strangers: Vec<Vec<f64>>,
    /// Expected numbers of pairs of each class among all pairs.
    pairs: [f64; 2],
    rounds: u32,
}

/// Rounds after which learning ends at the latest.
const ROUNDS: u32 = 60;
/// Learning ends when the class changes by no more than this share of the pairs.
const STEADY: f64 = 1e-6;
/// Weight of the priors in pairs: of one person, and of strangers.
const STRENGTH: f64 = 30.0;
const STRANGERS: f64 = 1_000.0;

type Table = [f64; level::COUNT];

/// Missing, same, near, different, alike, loose, exchanged. One person: registration and typing errors of a few per cent a field.
const NAMES: [Table; 2] = [[0.02, 0.87, 0.05, 0.02, 0.01, 0.01, 0.02, 0.0], [0.02, 0.89, 0.05, 0.02, 0.01, 0.01, 0.0, 0.0]];
const DATE: Table = [0.02, 0.93, 0.03, 0.01, 0.005, 0.0, 0.005, 0.0];
const NUMBER: Table = [0.02, 0.93, 0.03, 0.01, 0.01, 0.0, 0.0, 0.0];
const PLACE: Table = [0.03, 0.82, 0.07, 0.08, 0.0, 0.0, 0.0, 0.0];
const SEX: Table = [0.01, 0.985, 0.0, 0.005, 0.0, 0.0, 0.0, 0.0];

fn person() -> [Table; FIELDS] {
    let [given, family] = NAMES;
    [given, family, DATE, NUMBER, PLACE, PLACE, PLACE, PLACE, PLACE, PLACE, PLACE, SEX]
}

/// The same of strangers: rounded shares among people of one country, names as likely as their rarity says.
fn strangers() -> [Table; FIELDS] {
    let name = [0.02, 1.0, 0.002, 0.93, 0.008, 0.04, 0.0001, 0.0];
    let date = [0.02, 0.00003, 0.0006, 0.97, 0.006, 0.0, 0.0003, 0.0];
    let number = [0.02, 0.000_000_1, 0.00001, 0.98, 0.0002, 0.0, 0.0, 0.0];
    let place = [0.03, 0.002, 0.002, 0.966, 0.0, 0.0, 0.0, 0.0];
    let house = [0.03, 0.015, 0.15, 0.805, 0.0, 0.0, 0.0, 0.0];
    let code = [0.03, 0.002, 0.02, 0.948, 0.0, 0.0, 0.0, 0.0];
    let state = [0.03, 0.2, 0.1, 0.67, 0.0, 0.0, 0.0, 0.0];
    let phone = [0.03, 0.000_001, 0.00001, 0.969, 0.0, 0.0, 0.0, 0.0];
    let sex = [0.01, 0.495, 0.0, 0.495, 0.0, 0.0, 0.0, 0.0];
    [name, name, date, number, house, place, place, place, code, state, phone, sex]
}

/// Counts of levels, with a prior that weighs as much as `strength` pairs.
fn shares(counts: &[Table; FIELDS], prior: &[Table; FIELDS], strength: f64) -> Vec<Vec<f64>> {
    let field = |(counts, prior): (&Table, &Table)| {
        let total = counts.iter().sum::<f64>() + strength;
        counts.iter().zip(prior).map(|(n, p)| (n + strength * p) / total).collect()
    };
    counts.iter().zip(prior).map(field).collect()
}

impl PartsModel {
    /// Learns from cases of candidates among `records` records and from pairs of strangers; cases of other rows have no say. `None` where no
    /// case is of rows in parts.
    pub fn train(cases: &[Case], random: &[PartLevels], records: usize) -> Option<Self> {
        let cases: Vec<(PartLevels, u8, f64)> =
            cases.iter().filter_map(|c| Some((PartLevels::of(c.pattern)?, c.steps, f64::from(c.pairs)))).collect();
        if cases.is_empty() {
            return None;
        }
        let mut model = Self::new(random, records);
        let candidates: f64 = cases.iter().map(|c| c.2).sum();
        model.pairs[0] = (0.5 * candidates).max(1.0);
        for round in 1..=ROUNDS {
            let scorer = model.scorer();
            let (mut counts, mut pairs) = ([[0.0; level::COUNT]; FIELDS], 0.0);
            for (levels, steps, weight) in &cases {
                let [one, two] = scorer.masses(levels, *steps);
                let weight = weight / (1.0 + (two - one).exp());
                pairs += weight;
                for (table, level) in counts.iter_mut().zip(levels.fields()) {
                    table[usize::from(level)] += weight;
                }
            }
            let moved = (pairs - model.pairs[0]).abs();
            model.person = shares(&counts, &person(), STRENGTH);
            model.pairs[0] = pairs.max(1.0);
            model.rounds = round;
            if moved <= STEADY * candidates {
                break;
            }
        }
        Some(model)
    }

    /// What is known before any candidate is looked at.
    pub fn new(random: &[PartLevels], records: usize) -> Self {
        let n = (records as f64).max(10_000.0);
        let mut counts = [[0.0; level::COUNT]; FIELDS];
        for levels in random {
            counts.iter_mut().zip(levels.fields()).for_each(|(table, level)| table[usize::from(level)] += 1.0);
        }
        let mut others = shares(&counts, &strangers(), STRANGERS);
        // how likely an agreement is depends on the name
        others.iter_mut().take(NAMES.len()).for_each(|name| name[usize::from(level::SAME)] = 1.0);
        let person = person().map(|t| t.to_vec()).to_vec();
        Self { person, strangers: others, pairs: [1.0, n * (n - 1.0) / 2.0], rounds: 0 }
    }

    /// The model in logarithms.
    pub fn scorer(&self) -> PartsScorer {
        let logs = |tables: &[Vec<f64>]| tables.iter().map(|t| t.iter().map(|p| p.max(1e-12).ln()).collect()).collect();
        PartsScorer { person: logs(&self.person), strangers: logs(&self.strangers), pairs: self.pairs.map(|n| n.max(1e-9).ln()) }
    }
}

/// A model in logarithms.
pub(crate) struct PartsScorer {
    person: Vec<Vec<f64>>,
    strangers: Vec<Vec<f64>>,
    pairs: [f64; 2],
}

impl PartsScorer {
    fn of(tables: &[Vec<f64>], levels: &PartLevels) -> [f64; FIELDS] {
        let fields = levels.fields();
        std::array::from_fn(|at| {
            let table = tables.get(at).and_then(|t| t.get(usize::from(fields[at])));
            table.copied().unwrap_or(f64::NEG_INFINITY)
        })
    }

    /// Natural logarithms of the expected numbers of pairs with these levels: one person, strangers.
    fn masses(&self, levels: &PartLevels, steps: u8) -> [f64; 2] {
        let sum = |parts: [f64; FIELDS]| parts.iter().sum::<f64>();
        let rarity = f64::from(steps) * RARITY_STEP;
        [self.pairs[0] + sum(Self::of(&self.person, levels)), self.pairs[1] + sum(Self::of(&self.strangers, levels)) - rarity]
    }

    /// [`Self::masses`] of a pattern with a class of households that is empty; `None` for a pattern of other rows.
    pub fn three(&self, pattern: Pattern, steps: u8) -> Option<[f64; 3]> {
        let [person, strangers] = self.masses(&PartLevels::of(pattern)?, steps);
        Some([person, f64::NEG_INFINITY, strangers])
    }

    /// Bits by which prior, name, birth date, sex and all that is left speak for one person; `None` for a pattern of other rows.
    pub fn weights(&self, pattern: Pattern, steps: u8) -> Option<[f64; 6]> {
        let levels = PartLevels::of(pattern)?;
        let (person, strangers) = (Self::of(&self.person, &levels), Self::of(&self.strangers, &levels));
        let mut nats = [self.pairs[0] - self.pairs[1], f64::from(steps) * RARITY_STEP, 0.0, 0.0, 0.0, 0.0];
        for (at, (p, s)) in person.iter().zip(strangers).enumerate() {
            let place = match at {
                0 | 1 => 1,
                2 => 2,
                11 => 3,
                _ => 4,
            };
            nats[place] += p - s;
        }
        Some(nats.map(|n| n / std::f64::consts::LN_2))
    }
}
