//! The model: how the levels of a pair are distributed when the two rows are one person, two of one household, or strangers
//! (Fellegi and Sunter 1969 with a third class, so that relatives who share card, address and telephone do not pass for one person).
//!
//! Fields are independent inside a class but for what changes together: card, home and telephone have one joint table for each state of
//! the name (same, changed, another altogether), and the time between the rows depends on what changed.

use serde::{Deserialize, Serialize};

use crate::levels::{Levels, Pattern, birth, card, gap, home, name, phone, sex};
use crate::parts_model::{PartsModel, PartsScorer};
use crate::rates::{self, Rates, TIMES};

/// States of the name as a whole.
pub(crate) mod state {
    /// Family and given name agree or nearly agree.
    pub const SAME: usize = 0;
    /// The given name agrees, the family name is another: marriage, divorce, adoption.
    pub const CHANGED: usize = 1;
    /// Another name altogether: an alias (通称名), or another person.
    pub const OTHER: usize = 2;
    /// The given name is another, the family name the same: a relative.
    pub const GIVEN: usize = 3;
    /// A newborn under the mother's name.
    pub const BABY: usize = 4;
    pub const UNKNOWN: usize = 5;
    /// The given name is one letter off and nothing written tells more: a slip, or a twin.
    pub const NEAR: usize = 6;
    pub const COUNT: usize = 7;
}

/// Cells of card × home × telephone.
const CONTACTS: usize = 3 * 4 * 3;
/// Cells of what a time gap depends on: name changed × card × home.
const CHANGES: usize = 2 * 3 * 4;

/// Distributions of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Class {
    pub state: Vec<f64>,
    /// Levels of the given name within the state's kinds of level, see [`given_kind`].
    pub given: Vec<f64>,
    pub family: Vec<f64>,
    pub birth: Vec<f64>,
    pub sex: Vec<f64>,
    /// Joint table of contacts for the name the same, changed, other.
    pub contacts: Vec<Vec<f64>>,
    /// Levels within each kind of contact.
    pub card: Vec<f64>,
    pub home: Vec<f64>,
    pub phone: Vec<f64>,
    pub one_place: Vec<f64>,
    pub gap: Vec<Vec<f64>>,
}

/// The state that two name levels make.
pub(crate) fn state_of(given: u8, family: u8) -> usize {
    match (given_kind(given), family_kind(family)) {
        (0, 0) => state::SAME,
        (0, 1) => state::CHANGED,
        (1, 0 | 1) => state::NEAR,
        (3, 1) => state::OTHER,
        (3, _) => state::GIVEN,
        (2, 0) => state::BABY,
        (2, 1) => state::GIVEN,
        _ => state::UNKNOWN,
    }
}

/// 0 same, 1 nearly, 2 newborn, 3 different, 4 missing.
pub(crate) fn given_kind(level: u8) -> usize {
    match level {
        name::MISSING => 4,
        name::EDIT => 1,
        name::BABY | name::BABIES => 2,
        name::NEAR_WRITTEN_OTHERWISE | name::FIRST_LETTER | name::DIFFERENT => 3,
        _ => 0,
    }
}

/// 0 same or nearly, 1 different, 2 missing.
pub(crate) fn family_kind(level: u8) -> usize {
    match level {
        name::MISSING => 2,
        name::FIRST_LETTER | name::DIFFERENT => 1,
        _ => 0,
    }
}

pub(crate) fn card_kind(level: u8) -> usize {
    match level {
        card::MISSING => 0,
        card::INSURER | card::DIFFERENT => 2,
        _ => 1,
    }
}

pub(crate) fn home_kind(level: u8) -> usize {
    match level {
        home::MISSING => 0,
        home::SAME | home::NEAR => 1,
        home::PLACE => 2,
        _ => 3,
    }
}

pub(crate) fn phone_kind(level: u8) -> usize {
    match level {
        phone::MISSING => 0,
        phone::DIFFERENT | phone::DIFFERENT_MOBILES => 2,
        _ => 1,
    }
}

fn contact_cell(levels: &Levels) -> usize {
    (card_kind(levels.card) * 4 + home_kind(levels.home)) * 3 + phone_kind(levels.phone)
}

fn change_cell(levels: &Levels) -> usize {
    let changed = usize::from(family_kind(levels.family) == 1);
    (changed * 3 + card_kind(levels.card)) * 4 + home_kind(levels.home)
}

/// Whether two rows show enough to be joined if they are likely enough: card, home or telephone have something in common, or nobody else in
/// the country is likely to have this name and birth date.
pub(crate) fn has_evidence(levels: &Levels) -> bool {
    let contact = card_kind(levels.card) == 1 || matches!(home_kind(levels.home), 1 | 2) || phone_kind(levels.phone) == 1;
    contact || levels.namesakes == 0
}

/// Which contact table a state uses.
fn contact_table(state: usize) -> usize {
    match state {
        state::CHANGED => 1,
        state::OTHER => 2,
        _ => 0,
    }
}

/// Natural logarithms of a table; nothing is impossible.
fn logs(table: &[f64]) -> Vec<f64> {
    table.iter().map(|p| p.max(1e-12).ln()).collect()
}

fn at(table: &[f64], level: u8) -> f64 {
    table.get(usize::from(level)).copied().unwrap_or(f64::NEG_INFINITY)
}

impl Class {
    fn logs(&self) -> Class {
        Class {
            state: logs(&self.state),
            given: logs(&self.given),
            family: logs(&self.family),
            birth: logs(&self.birth),
            sex: logs(&self.sex),
            contacts: self.contacts.iter().map(|t| logs(t)).collect(),
            card: logs(&self.card),
            home: logs(&self.home),
            phone: logs(&self.phone),
            one_place: logs(&self.one_place),
            gap: self.gap.iter().map(|t| logs(t)).collect(),
        }
    }

    /// Of a class in logarithms: contributions of name, birth, sex, contacts, time and place.
    fn parts(&self, levels: &Levels) -> [f64; 5] {
        let class = self;
        let state = state_of(levels.given, levels.family);
        let contacts = class.contacts[contact_table(state)][contact_cell(levels)]
            + at(&class.card, levels.card)
            + at(&class.home, levels.home)
            + at(&class.phone, levels.phone);
        [
            class.state[state] + at(&class.given, levels.given) + at(&class.family, levels.family),
            at(&class.birth, levels.birth),
            at(&class.sex, levels.sex),
            contacts,
            at(&class.gap[change_cell(levels)], levels.gap) + at(&class.one_place, levels.one_place),
        ]
    }
}

/// How strangers agree. Measured on random pairs, not learned from candidates: those were chosen for agreeing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Strangers {
    pub given: Vec<f64>,
    pub family: Vec<f64>,
    pub birth: Vec<f64>,
    pub sex: Vec<f64>,
    /// Card × home.
    pub places: Vec<f64>,
    pub phone: Vec<f64>,
    pub one_place: Vec<f64>,
    pub gap: Vec<f64>,
}

impl Strangers {
    /// From levels of random pairs of `persons` rows.
    pub fn measure(pairs: &[Levels], persons: usize) -> Self {
        let total = pairs.len() as f64;
        let share = |count: usize, level: &dyn Fn(&Levels) -> usize, least: f64| {
            let mut table = vec![0.0; count];
            pairs.iter().for_each(|p| table[level(p)] += 1.0);
            table.iter().map(|n| (n + 1.0) / (total + count as f64)).map(|p| p.max(least)).collect::<Vec<f64>>()
        };
        let n = (persons as f64).max(10_000.0);
        let mut places = share(card::COUNT * home::COUNT, &|l| usize::from(l.card) * home::COUNT + usize::from(l.home), 0.0);
        // what random pairs never show: two strangers with one card, home or telephone, by a mistake or by living in one building
        let home_given_card: Vec<f64> = {
            let row = |h: usize| (0..card::COUNT).map(|c| places[c * home::COUNT + h]).sum::<f64>();
            (0..home::COUNT).map(row).collect()
        };
        for c in [card::OWN, card::SAME, card::OTHER_BRANCH, card::NEAR] {
            let likely = match c {
                card::NEAR => 3.0 / n,
                card::OWN => 0.1 / n,
                _ => 0.5 / n,
            };
            for h in 0..home::COUNT {
                let home =
                    if h == usize::from(home::SAME) || h == usize::from(home::NEAR) { 2.0 / n } else { home_given_card[h] };
                places[usize::from(c) * home::COUNT + h] = likely * home;
            }
        }
        for c in [card::MISSING, card::INSURER, card::DIFFERENT] {
            let all: f64 = (0..home::COUNT).map(|h| places[usize::from(c) * home::COUNT + h]).sum();
            places[usize::from(c) * home::COUNT + usize::from(home::SAME)] = all * 2.0 / n;
            places[usize::from(c) * home::COUNT + usize::from(home::NEAR)] = all * 4.0 / n;
        }
        let mut phone = share(phone::COUNT, &|l| usize::from(l.phone), 0.0);
        for level in [phone::MOBILE, phone::LAND, phone::NEAR] {
            phone[usize::from(level)] = 0.5 / n;
        }
        let names = |field: &dyn Fn(&Levels) -> u8| {
            let mut table = share(name::COUNT, &|l| usize::from(field(l)), 1e-7);
            // how likely an agreement is depends on the name: `Frequencies::rarity`
            for level in [name::BOTH, name::READ, name::READ_ONLY, name::WRITTEN, name::SWAPPED] {
                table[usize::from(level)] = 1.0;
            }
            table
        };
        let mut birth = share(birth::COUNT, &|l| usize::from(l.birth), 1e-7);
        birth[usize::from(birth::SAME)] = 1.0;
        Self {
            given: names(&|l| l.given),
            family: names(&|l| if l.given == name::SWAPPED { name::DIFFERENT } else { l.family }),
            birth,
            sex: share(sex::COUNT, &|l| usize::from(l.sex), 1e-4),
            places,
            phone,
            one_place: share(2, &|l| usize::from(l.one_place), 1e-4),
            gap: share(gap::COUNT, &|l| usize::from(l.gap), 1e-4),
        }
    }

    fn logs(&self) -> Strangers {
        Strangers {
            given: logs(&self.given),
            family: logs(&self.family),
            birth: logs(&self.birth),
            sex: logs(&self.sex),
            places: self.places.iter().map(|p| p.max(1e-15).ln()).collect(),
            phone: logs(&self.phone),
            one_place: logs(&self.one_place),
            gap: logs(&self.gap),
        }
    }

    /// Of tables in logarithms.
    fn parts(&self, levels: &Levels, rarity: f64) -> [f64; 5] {
        let place = usize::from(levels.card) * home::COUNT + usize::from(levels.home);
        // a given name tells the sex
        let sex = match (name::same(levels.given), levels.sex) {
            (true, sex::SAME) => 0.97f64.ln(),
            (true, sex::DIFFERENT) => 0.02f64.ln(),
            _ => at(&self.sex, levels.sex),
        };
        [
            at(&self.given, levels.given) + at(&self.family, levels.family) - rarity,
            at(&self.birth, levels.birth),
            sex,
            self.places.get(place).copied().unwrap_or(-35.0) + at(&self.phone, levels.phone),
            at(&self.one_place, levels.one_place) + at(&self.gap, levels.gap),
        ]
    }
}

/// A trained model: numbers and ids of institutions, no value of any person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Model {
    pub person: Class,
    pub household: Class,
    pub strangers: Strangers,
    /// Expected numbers of pairs of each class among all pairs.
    pub pairs: [f64; 3],
    pub rounds: u32,
    /// Of rows in parts, where there were such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<PartsModel>,
    /// Which institutions often err.
    #[serde(default)]
    pub rates: Rates,
}

/// Steps in which rarity is kept: a quarter of a nat.
pub(crate) const RARITY_STEP: f64 = 0.25;

/// Rarity in whole steps.
pub(crate) fn steps(rarity: f64) -> u8 {
    (rarity / RARITY_STEP).round().clamp(0.0, 255.0) as u8
}

impl Model {
    /// The model in logarithms, to score with.
    pub fn scorer(&self) -> Scorer {
        Scorer {
            person: self.person.logs(),
            household: self.household.logs(),
            strangers: self.strangers.logs(),
            pairs: self.pairs.map(|n| n.max(1e-9).ln()),
            parts: self.parts.as_ref().map_or_else(|| PartsModel::new(&[], 0).scorer(), PartsModel::scorer),
            births: TIMES.map(|times| logs(&rates::erring(&self.person.birth, [birth::MISSING, birth::SAME], times))),
            sexes: TIMES.map(|times| logs(&rates::erring(&self.person.sex, [sex::MISSING, sex::SAME], times))),
        }
    }
}

/// A model in logarithms.
pub(crate) struct Scorer {
    person: Class,
    household: Class,
    strangers: Strangers,
    pairs: [f64; 3],
    parts: PartsScorer,
    /// Birth date and sex of one person, by how often the institutions err.
    births: [Vec<f64>; TIMES.len()],
    sexes: [Vec<f64>; TIMES.len()],
}

impl Scorer {
    /// Contributions of one person.
    fn one_person(&self, levels: &Levels) -> [f64; 5] {
        let mut parts = self.person.parts(levels);
        parts[1] = at(&self.births[usize::from(levels.birth_errors) % TIMES.len()], levels.birth);
        parts[2] = at(&self.sexes[usize::from(levels.sex_errors) % TIMES.len()], levels.sex);
        parts
    }

    /// Natural logarithms of the expected numbers of pairs with these levels: one person, one household, strangers.
    fn masses(&self, pattern: Pattern, steps: u8) -> [f64; 3] {
        if let Some(masses) = self.parts.three(pattern, steps) {
            return masses;
        }
        let levels = &pattern.levels();
        let rarity = f64::from(steps) * RARITY_STEP;
        let sum = |parts: [f64; 5]| parts.iter().sum::<f64>();
        [
            self.pairs[0] + sum(self.one_person(levels)),
            self.pairs[1] + sum(self.household.parts(levels)),
            self.pairs[2] + sum(self.strangers.parts(levels, rarity)),
        ]
    }

    /// Probabilities of the three classes.
    pub fn classes(&self, pattern: Pattern, steps: u8) -> [f64; 3] {
        let masses = self.masses(pattern, steps);
        let top = masses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares = masses.map(|m| (m - top).exp());
        let all: f64 = shares.iter().sum();
        shares.map(|s| s / all)
    }

    /// Natural logarithm of the odds for one person against the two other classes together. A probability near one has no room for more.
    pub fn log_odds(&self, pattern: Pattern, steps: u8) -> f64 {
        let [person, household, strangers] = self.masses(pattern, steps);
        let top = household.max(strangers);
        person - (top + ((household - top).exp() + (strangers - top).exp()).ln())
    }

    /// Weights in bits by which the name, birth date, sex, contacts and circumstances of a pair speak for one person and against the
    /// likelier of the two other classes; the prior comes first.
    pub fn weights(&self, pattern: Pattern, steps: u8) -> [f64; 6] {
        if let Some(weights) = self.parts.weights(pattern, steps) {
            return weights;
        }
        let levels = pattern.levels();
        let masses = self.masses(pattern, steps);
        let person = self.one_person(&levels);
        let (other, prior) = if masses[1] >= masses[2] {
            (self.household.parts(&levels), self.pairs[1])
        } else {
            (self.strangers.parts(&levels, f64::from(steps) * RARITY_STEP), self.pairs[2])
        };
        let bits = |nats: f64| nats / std::f64::consts::LN_2;
        let mut out = [bits(self.pairs[0] - prior); 6];
        for (at, (p, o)) in person.iter().zip(other).enumerate() {
            out[at + 1] = bits(p - o);
        }
        out
    }
}

/// Expected counts of a class while it is learned.
#[derive(Clone)]
pub(crate) struct Tally {
    state: [f64; state::COUNT],
    given: [f64; name::COUNT],
    family: [f64; name::COUNT],
    birth: [f64; birth::COUNT],
    sex: [f64; sex::COUNT],
    contacts: [[f64; CONTACTS]; 3],
    card: [f64; card::COUNT],
    home: [f64; home::COUNT],
    phone: [f64; phone::COUNT],
    one_place: [f64; 2],
    gap: [[f64; gap::COUNT]; CHANGES],
}

impl Tally {
    pub fn new() -> Self {
        Self {
            state: [0.0; state::COUNT],
            given: [0.0; name::COUNT],
            family: [0.0; name::COUNT],
            birth: [0.0; birth::COUNT],
            sex: [0.0; sex::COUNT],
            contacts: [[0.0; CONTACTS]; 3],
            card: [0.0; card::COUNT],
            home: [0.0; home::COUNT],
            phone: [0.0; phone::COUNT],
            one_place: [0.0; 2],
            gap: [[0.0; gap::COUNT]; CHANGES],
        }
    }

    pub fn add(&mut self, levels: &Levels, weight: f64) {
        let state = state_of(levels.given, levels.family);
        self.state[state] += weight;
        self.given[usize::from(levels.given)] += weight;
        self.family[usize::from(levels.family)] += weight;
        self.birth[usize::from(levels.birth)] += weight;
        self.sex[usize::from(levels.sex)] += weight;
        self.contacts[contact_table(state)][contact_cell(levels)] += weight;
        self.card[usize::from(levels.card)] += weight;
        self.home[usize::from(levels.home)] += weight;
        self.phone[usize::from(levels.phone)] += weight;
        self.one_place[usize::from(levels.one_place)] += weight;
        self.gap[change_cell(levels)][usize::from(levels.gap)] += weight;
    }

    /// The class that these counts and a prior make. The prior weighs as much as `strength` pairs.
    pub fn class(&self, prior: &Class, strength: f64) -> Class {
        let plain = |counts: &[f64], prior: &[f64], strength: f64| -> Vec<f64> {
            let total = counts.iter().sum::<f64>() + strength;
            counts.iter().zip(prior).map(|(n, p)| (n + strength * p) / total).collect()
        };
        let within = |counts: &[f64], prior: &[f64], kind: &dyn Fn(u8) -> usize| -> Vec<f64> {
            let mut out = vec![0.0; counts.len()];
            for k in 0..5 {
                let members: Vec<usize> = (0..counts.len()).filter(|l| kind(*l as u8) == k).collect();
                let pick = |table: &[f64]| members.iter().map(|&m| table[m]).collect::<Vec<f64>>();
                for (&m, p) in members.iter().zip(plain(&pick(counts), &pick(prior), strength)) {
                    out[m] = p;
                }
            }
            out
        };
        let contacts = self.contacts.iter().zip(&prior.contacts).map(|(counts, prior)| plain(counts, prior, strength)).collect();
        Class {
            state: plain(&self.state, &prior.state, strength),
            given: within(&self.given, &prior.given, &given_kind),
            family: within(&self.family, &prior.family, &family_kind),
            birth: plain(&self.birth, &prior.birth, strength),
            sex: plain(&self.sex, &prior.sex, strength),
            contacts,
            card: within(&self.card, &prior.card, &card_kind),
            home: within(&self.home, &prior.home, &home_kind),
            phone: within(&self.phone, &prior.phone, &phone_kind),
            one_place: plain(&self.one_place, &prior.one_place, strength),
            gap: self.gap.iter().zip(&prior.gap).map(|(counts, prior)| plain(counts, prior, strength)).collect(),
        }
    }
}
