//! What is expected before any data are seen: where learning starts, and what few records fall back on.
//!
//! Rates are those of registration audits and of the national database's yearly changes of identifiers (about a tenth of cards a year,
//! a few per cent of names and homes), rounded. They are starting points: with tens of thousands of records nothing of them is left but
//! what [`KEPT`] says.

use crate::levels::{birth, card, gap, home, name, phone, sex};
use crate::model::{Class, state};

/// What learning does not change: how often one person's given name is another altogether beside the same family name. Only relatives show
/// that, and a class that may learn it swallows them.
pub(crate) const KEPT: f64 = 0.0004;
/// How often two of one household have one given name.
pub(crate) const NAMESAKES_AT_HOME: f64 = 0.0005;

fn table<const N: usize>(count: usize, values: [(u8, f64); N]) -> Vec<f64> {
    let mut out = vec![0.0; count];
    for (level, p) in values {
        out[usize::from(level)] = p;
    }
    out
}

fn contacts(card: [f64; 3], home: [f64; 4], phone: [f64; 3]) -> Vec<f64> {
    let mut cells = Vec::with_capacity(card.len() * home.len() * phone.len());
    for c in card {
        for h in home {
            cells.extend(phone.map(|p| c * h * p));
        }
    }
    cells
}

fn gaps() -> Vec<Vec<f64>> {
    vec![vec![0.13, 0.3, 0.37, 0.18, 0.02]; 24]
}

/// One person.
pub(crate) fn person() -> Class {
    Class {
        state: table(
            state::COUNT,
            [
                (state::SAME as u8, 0.965),
                (state::CHANGED as u8, 0.022),
                (state::OTHER as u8, 0.002),
                (state::GIVEN as u8, KEPT),
                (state::BABY as u8, 0.006),
                (state::UNKNOWN as u8, 0.004),
                (state::NEAR as u8, 0.0005),
            ],
        ),
        given: table(
            name::COUNT,
            [
                (name::BOTH, 0.84),
                (name::READ, 0.11),
                (name::READ_ONLY, 0.01),
                (name::WRITTEN, 0.03),
                (name::FOLDED, 0.005),
                (name::SWAPPED, 0.004),
                (name::EDIT, 1.0),
                (name::BABY, 0.8),
                (name::BABIES, 0.2),
                (name::NEAR_WRITTEN_OTHERWISE, 0.5),
                (name::FIRST_LETTER, 0.2),
                (name::DIFFERENT, 0.3),
                (name::MISSING, 1.0),
            ],
        ),
        family: table(
            name::COUNT,
            [
                (name::BOTH, 0.85),
                (name::READ, 0.11),
                (name::READ_ONLY, 0.005),
                (name::WRITTEN, 0.03),
                (name::FOLDED, 0.003),
                (name::EDIT, 0.001),
                (name::NEAR_WRITTEN_OTHERWISE, 0.001),
                (name::FIRST_LETTER, 0.1),
                (name::DIFFERENT, 0.9),
                (name::MISSING, 1.0),
            ],
        ),
        birth: table(
            birth::COUNT,
            [
                (birth::MISSING, 0.002),
                (birth::SAME, 0.988),
                (birth::DAY, 0.003),
                (birth::MONTH, 0.002),
                (birth::YEAR, 0.0035),
                (birth::EXCHANGED, 0.0008),
                (birth::YEAR_ONLY, 0.0003),
                (birth::DIFFERENT, 0.0004),
            ],
        ),
        sex: table(sex::COUNT, [(sex::MISSING, 0.006), (sex::SAME, 0.9915), (sex::DIFFERENT, 0.0025)]),
        contacts: vec![
            contacts([0.12, 0.55, 0.33], [0.09, 0.72, 0.05, 0.14], [0.28, 0.5, 0.22]),
            contacts([0.12, 0.08, 0.80], [0.09, 0.06, 0.10, 0.75], [0.28, 0.35, 0.37]),
            contacts([0.12, 0.6, 0.28], [0.09, 0.75, 0.05, 0.11], [0.28, 0.5, 0.22]),
        ],
        card: table(
            card::COUNT,
            [
                (card::MISSING, 1.0),
                (card::OWN, 0.45),
                (card::SAME, 0.53),
                (card::OTHER_BRANCH, 0.004),
                (card::NEAR, 0.016),
                (card::INSURER, 0.1),
                (card::DIFFERENT, 0.9),
            ],
        ),
        home: table(
            home::COUNT,
            [(home::MISSING, 1.0), (home::SAME, 0.985), (home::NEAR, 0.015), (home::PLACE, 1.0), (home::DIFFERENT, 1.0)],
        ),
        phone: table(
            phone::COUNT,
            [
                (phone::MISSING, 1.0),
                (phone::MOBILE, 0.7),
                (phone::LAND, 0.29),
                (phone::NEAR, 0.01),
                (phone::DIFFERENT, 0.97),
                (phone::DIFFERENT_MOBILES, 0.03),
            ],
        ),
        one_place: vec![0.98, 0.02],
        gap: gaps(),
    }
}

/// Two of one household.
pub(crate) fn household() -> Class {
    let shared = contacts([0.12, 0.6, 0.28], [0.09, 0.8, 0.04, 0.07], [0.28, 0.3, 0.42]);
    Class {
        state: table(
            state::COUNT,
            [
                (state::SAME as u8, NAMESAKES_AT_HOME),
                (state::CHANGED as u8, NAMESAKES_AT_HOME),
                (state::OTHER as u8, 0.05),
                (state::GIVEN as u8, 0.8),
                (state::BABY as u8, 0.02),
                (state::UNKNOWN as u8, 0.009),
                (state::NEAR as u8, 0.12),
            ],
        ),
        given: table(
            name::COUNT,
            [
                (name::BOTH, 0.2),
                (name::READ, 0.3),
                (name::READ_ONLY, 0.3),
                (name::WRITTEN, 0.1),
                (name::FOLDED, 0.1),
                (name::SWAPPED, 0.01),
                (name::EDIT, 1.0),
                (name::BABY, 0.9),
                (name::BABIES, 0.1),
                (name::NEAR_WRITTEN_OTHERWISE, 0.05),
                (name::FIRST_LETTER, 0.35),
                (name::DIFFERENT, 0.6),
                (name::MISSING, 1.0),
            ],
        ),
        birth: table(
            birth::COUNT,
            [
                (birth::MISSING, 0.002),
                (birth::SAME, 0.9),
                (birth::DAY, 0.004),
                (birth::MONTH, 0.01),
                (birth::YEAR, 0.005),
                (birth::EXCHANGED, 0.002),
                (birth::YEAR_ONLY, 0.007),
                (birth::DIFFERENT, 0.07),
            ],
        ),
        sex: table(sex::COUNT, [(sex::MISSING, 0.006), (sex::SAME, 0.65), (sex::DIFFERENT, 0.344)]),
        contacts: vec![shared.clone(), shared.clone(), shared],
        card: table(
            card::COUNT,
            [
                (card::MISSING, 1.0),
                (card::OWN, 0.01),
                (card::SAME, 0.55),
                (card::OTHER_BRANCH, 0.42),
                (card::NEAR, 0.02),
                (card::INSURER, 0.2),
                (card::DIFFERENT, 0.8),
            ],
        ),
        phone: table(
            phone::COUNT,
            [
                (phone::MISSING, 1.0),
                (phone::MOBILE, 0.1),
                (phone::LAND, 0.89),
                (phone::NEAR, 0.01),
                (phone::DIFFERENT, 0.5),
                (phone::DIFFERENT_MOBILES, 0.5),
            ],
        ),
        ..person()
    }
}

/// The number of levels of a time gap, held against the table here.
const _: () = assert!(gap::COUNT == 5);
