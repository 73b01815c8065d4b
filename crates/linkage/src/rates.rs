//! How often an institution has a field of its records wrong, estimated from the pairs that are likely one person: where two records of one
//! person differ in a birth date or a sex, one of them is wrong. A disagreement with an institution that is often wrong says less.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::Scored;
use crate::forms::{Form, Forms, NONE};
use crate::hash::FastMap;
use crate::levels::{Levels, birth, sex};
use crate::model::Scorer;
use crate::parts_levels::PartLevels;

/// What is held to be wrong where two records of one person differ in it: birth date, sex.
pub(crate) const KINDS: usize = 2;

/// Errors that everybody is held to have made before the first is counted: few records decide nothing.
const EXPECTED: f64 = 6.0;
/// Likely pairs below which an institution counts as average.
const FEWEST_PAIRS: f64 = 100.0;
/// Rounds in which errors are divided between the two institutions of a pair.
const ROUNDS: u32 = 30;
/// Parts of one in which probabilities are added up, so that no order of adding shows in the sum.
const PARTS: f64 = 1_048_576.0;

/// How many times as often as others a pair's institutions are wrong, by step.
pub(crate) const TIMES: [f64; 4] = [1.0, 3.0, 8.0, 20.0];
/// From here on the next step counts.
const NEXT: [f64; 3] = [2.0, 5.0, 13.0];

/// Rates of one model.
#[derive(Default, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rates {
    /// Share of likely pairs that differ in each field.
    pub overall: [f64; KINDS],
    /// By institution how many times as often as the average it is wrong, of those with enough pairs.
    pub times: BTreeMap<String, [f64; KINDS]>,
}

/// A table of one person where the field is wrong so many times as often; at most half of what is said is wrong.
pub(crate) fn erring(table: &[f64], [missing, same]: [u8; 2], times: f64) -> Vec<f64> {
    let of = |level: u8| table.get(usize::from(level)).copied().unwrap_or(0.0);
    let said = 1.0 - of(missing);
    let wrong = (said - of(same)).max(1e-12);
    let more = (wrong * times).min(said / 2.0).max(wrong);
    let level = |(at, p): (usize, &f64)| match at {
        at if at == usize::from(missing) => *p,
        at if at == usize::from(same) => said - more,
        _ => p * more / wrong,
    };
    table.iter().enumerate().map(level).collect()
}

/// Whether a pair says something of each field, and whether it differs there.
fn said(levels: &Levels) -> [(bool, bool); KINDS] {
    [(levels.birth != birth::MISSING, levels.birth != birth::SAME), (levels.sex != sex::MISSING, levels.sex != sex::SAME)]
}

/// Likely pairs of two institutions, and those that differ, by field.
type Counts = BTreeMap<(Form, Form), [[u64; 2]; KINDS]>;

fn count(scored: impl Iterator<Item = Scored>, institution: impl Fn(u32) -> Form, scorer: &Scorer) -> Counts {
    let mut known: FastMap<(u32, u8), u64> = FastMap::default();
    let mut counts: FastMap<(Form, Form), [[u64; 2]; KINDS]> = FastMap::default();
    for pair in scored.filter(|p| PartLevels::of(p.pattern).is_none()) {
        let (a, b) = (institution(pair.left), institution(pair.right));
        if a == NONE || b == NONE {
            continue;
        }
        let likely = || (scorer.classes(pair.pattern, pair.steps)[0] * PARTS) as u64;
        let weight = *known.entry((pair.pattern.0, pair.steps)).or_insert_with(likely);
        if weight == 0 {
            continue;
        }
        let place = counts.entry((a.min(b), a.max(b))).or_default();
        for (sums, (says, differs)) in place.iter_mut().zip(said(&pair.pattern.levels())) {
            sums[0] += if says { weight } else { 0 };
            sums[1] += if says && differs { weight } else { 0 };
        }
    }
    counts.into_iter().collect()
}

/// By institution how many times as often as the average it is wrong in a field. The errors of a pair are divided as the two are known to
/// err; the average pair has a rate of `overall`.
fn times(counts: &Counts, field: usize, overall: f64) -> BTreeMap<Form, f64> {
    let cells: Vec<(Form, Form, f64, f64)> =
        counts.iter().map(|((a, b), n)| (*a, *b, n[field][0] as f64 / PARTS, n[field][1] as f64 / PARTS)).collect();
    let mut pairs: BTreeMap<Form, f64> = BTreeMap::new();
    for (a, b, all, _) in &cells {
        *pairs.entry(*a).or_default() += all;
        if a != b {
            *pairs.entry(*b).or_default() += all;
        }
    }
    let mut times: BTreeMap<Form, f64> = pairs.keys().map(|form| (*form, 1.0)).collect();
    for _ in 0..ROUNDS {
        let mut errors: BTreeMap<Form, (f64, f64)> = BTreeMap::new();
        for (a, b, all, wrong) in &cells {
            let (x, y) = (times[a], times[b]);
            for (form, share) in [(a, x / (x + y)), (b, y / (x + y))] {
                let place = errors.entry(*form).or_default();
                *place = (place.0 + wrong * share, place.1 + overall * all / 2.0);
            }
        }
        times = errors.into_iter().map(|(form, (found, expected))| (form, (found + EXPECTED) / (expected + EXPECTED))).collect();
    }
    times.retain(|form, _| pairs[form] >= FEWEST_PAIRS);
    times
}

impl Rates {
    /// From all compared pairs, in any order, the institutions of their rows, and what the model says of them.
    pub fn learn(
        scored: impl Iterator<Item = Scored>,
        institution: impl Fn(u32) -> Form,
        forms: &Forms,
        scorer: &Scorer,
    ) -> Self {
        let counts = count(scored, institution, scorer);
        let mut rates = Self::default();
        for field in 0..KINDS {
            let sum = |at: usize| counts.values().map(|n| n[field][at]).sum::<u64>() as f64;
            if sum(0) <= 0.0 {
                continue;
            }
            rates.overall[field] = sum(1) / sum(0);
            for (form, times) in times(&counts, field, rates.overall[field]) {
                rates.times.entry(forms.text(form)).or_insert([1.0; KINDS])[field] = times;
            }
        }
        rates
    }

    /// Share of the records that have each field wrong, rounded, of the institutions with enough pairs to say so.
    pub fn shares(&self) -> BTreeMap<String, [f64; KINDS]> {
        let share = |times: &[f64; KINDS]| std::array::from_fn(|at| (self.overall[at] / 2.0 * times[at] * 1e5).round() / 1e5);
        self.times.iter().map(|(name, times)| (name.clone(), share(times))).collect()
    }

    /// For the forms of a run; `None` where nobody is often wrong.
    pub fn by_form(&self, forms: &Forms) -> Option<ByForm> {
        let often = |t: &[f64; KINDS]| t.iter().any(|t| *t > 1.0);
        let known = self.times.iter().filter(|(_, t)| often(t)).filter_map(|(name, t)| Some((forms.find(name)?, *t)));
        let by_form: FastMap<Form, [f64; KINDS]> = known.collect();
        (!by_form.is_empty()).then_some(ByForm(by_form))
    }
}

/// Rates of the institutions of a run.
pub(crate) struct ByForm(FastMap<Form, [f64; KINDS]>);

impl ByForm {
    /// Writes into the pattern of a pair how often its institutions err.
    pub fn mark(&self, pair: &mut Scored, institution: impl Fn(u32) -> Form) {
        if PartLevels::of(pair.pattern).is_some() {
            return;
        }
        let [birth_errors, sex_errors] = self.steps(institution(pair.left), institution(pair.right));
        pair.pattern = Levels { birth_errors, sex_errors, ..pair.pattern.levels() }.pack();
    }

    /// Steps into [`TIMES`] for a pair of institutions: birth date, sex. Who is seldom wrong makes no disagreement weigh more.
    pub fn steps(&self, a: Form, b: Form) -> [u8; KINDS] {
        let of = |form: Form| self.0.get(&form).copied().unwrap_or([1.0; KINDS]);
        let (x, y) = (of(a), of(b));
        std::array::from_fn(|at| {
            let together = f64::midpoint(x[at].max(1.0), y[at].max(1.0));
            NEXT.iter().filter(|from| together >= **from).count() as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use crate::levels::{card, name};
    use crate::model::{Model, Strangers};
    use crate::row::Row;

    /// Pairs between institutions 1 to 5, of which the fifth has a tenth of its birth dates wrong and the others a two-hundredth; the sixth
    /// has three records, all wrong.
    fn made() -> (Vec<Row>, Forms, Vec<Scored>, Model) {
        let mut forms = Forms::new();
        let institutions: Vec<Form> = (1..=6).map(|n| forms.number(&format!("I{n}"))).collect();
        let (mut rows, mut scored) = (Vec::new(), Vec::new());
        let chance = |at: u64, salt: u64, of: u64| mix(mix(at, salt), 77) % of;
        let mut add = |a: usize, b: usize, wrong: bool| {
            let left = rows.len() as u32;
            rows.extend([a, b].map(|at| Row { institution: institutions[at], ..Row::default() }));
            let birth = if wrong { birth::DAY } else { birth::SAME };
            let (given, family) = (name::BOTH, name::BOTH);
            let levels = Levels { given, family, birth, sex: sex::SAME, card: card::OWN, ..Levels::default() };
            scored.push(Scored { left, right: left + 1, pattern: levels.pack(), steps: 60 });
        };
        for at in 0..20_000 {
            let (a, b) = (chance(at, 1, 5) as usize, chance(at, 2, 5) as usize);
            let errs = |who: usize, salt| chance(at, salt, 1_000) < if who == 4 { 100 } else { 5 };
            add(a, b, errs(a, 3) || errs(b, 4));
        }
        (0..3).for_each(|at| add(at, 5, true));
        let model = crate::em::train(&[], Strangers::measure(&[], 100), 100, &crate::supervision::Words::default());
        (rows, forms, scored, Model { pairs: [1.0, 1e-9, 1e-3], ..model })
    }

    fn learned(rows: &[Row], forms: &Forms, scored: &[Scored], model: &Model) -> Rates {
        Rates::learn(scored.iter().copied(), |row| rows[row as usize].institution, forms, &model.scorer())
    }

    #[test]
    fn who_is_often_wrong_is_told_from_who_is_compared_with_them() {
        let (rows, forms, scored, model) = made();
        let rates = learned(&rows, &forms, &scored, &model);
        let shares = rates.shares();
        assert!((0.08..0.12).contains(&shares["I5"][0]), "{rates:?}");
        for careful in ["I1", "I2", "I3", "I4"] {
            assert!(shares[careful][0] < 0.012, "{careful} {rates:?}");
        }
        assert!(!shares.contains_key("I6"), "three records decide nothing");
        let by_form = rates.by_form(&forms).expect("somebody errs");
        let form = |name: &str| forms.find(name).expect("an institution");
        assert!(by_form.steps(form("I5"), form("I5"))[0] > 0);
        assert_eq!(by_form.steps(form("I1"), form("I6")), [0, 0]);
    }

    #[test]
    fn no_order_of_pairs_shows_in_the_rates() {
        let (rows, forms, mut scored, model) = made();
        let rates = learned(&rows, &forms, &scored, &model);
        for turn in [1, 777, 13_001] {
            scored.rotate_left(turn);
            scored.reverse();
            assert_eq!(learned(&rows, &forms, &scored, &model), rates);
        }
    }

    #[test]
    fn a_wrong_birth_date_of_who_is_often_wrong_says_less_and_a_right_one_hardly_less() {
        let (.., model) = made();
        let scorer = model.scorer();
        let odds = |born, birth_errors| {
            let levels = Levels { given: name::BOTH, family: name::BOTH, birth: born, birth_errors, ..Levels::default() };
            // a birth date on which strangers agree is rare: ten nats
            scorer.log_odds(levels.pack(), if born == birth::SAME { 80 } else { 40 })
        };
        for errors in 1..TIMES.len() as u8 {
            assert!(odds(birth::DAY, errors) > odds(birth::DAY, errors - 1) + 0.5);
            assert!(odds(birth::SAME, errors) < odds(birth::SAME, errors - 1));
            assert!(odds(birth::SAME, errors) > odds(birth::SAME, 0) - 0.5);
            assert!(odds(birth::SAME, errors) > odds(birth::DAY, errors) + 1.0);
        }
    }
}
