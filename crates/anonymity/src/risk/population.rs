//! How many persons are unique in the population, estimated from a sample (section 4 of the definitions).

use std::collections::BTreeMap;

use super::snb::snb;
use super::special::{digamma, ln_gamma, trigamma};

/// A sample and the population that it is from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Population {
    /// Persons in the population.
    pub size: f64,
    /// Persons in the sample.
    pub sample: f64,
}

impl Population {
    /// π, the sampling fraction.
    pub fn fraction(self) -> f64 {
        self.sample / self.size
    }
}

/// Sizes of the classes of a sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sizes {
    /// Size → classes of that size.
    pub classes: BTreeMap<u32, u64>,
    /// u, all classes.
    pub all: f64,
    /// n, all records.
    pub records: f64,
}

impl Sizes {
    /// Counts classes by size.
    pub fn of(sizes: impl Iterator<Item = u32>) -> Self {
        let mut counted = Self::default();
        let mut run = (0, 0);
        // Sorted input, the usual case, costs one entry a size.
        for size in sizes.filter(|s| *s > 0) {
            if size != run.0 {
                counted.put(run);
                run = (size, 0);
            }
            run.1 += 1;
        }
        counted.put(run);
        counted
    }

    fn put(&mut self, (size, classes): (u32, u64)) {
        if classes > 0 {
            *self.classes.entry(size).or_default() += classes;
            self.all += classes as f64;
            self.records += f64::from(size) * classes as f64;
        }
    }

    /// c_i.
    pub fn of_size(&self, size: u32) -> f64 {
        self.classes.get(&size).copied().unwrap_or(0) as f64
    }
}

/// Uniques of the population if every sample unique stood for 1/π of them: the upper end.
pub fn naive(sizes: &Sizes, population: Population) -> f64 {
    sizes.of_size(1) / population.fraction()
}

/// Zayatz: the chance that a sample unique is a population unique, by hypergeometric draws from classes as in the sample.
pub fn zayatz(sizes: &Sizes, population: Population) -> Option<f64> {
    let (n, size) = (population.sample, population.size);
    let one = sizes.of_size(1);
    if one == 0.0 {
        return Some(0.0);
    }
    // h(1; N, i, n) = i · C(N−i, n−1) / C(N, n): drawing exactly one of i.
    let ln_choose = |a: f64, b: f64| ln_gamma(a + 1.0) - ln_gamma(b + 1.0) - ln_gamma(a - b + 1.0);
    let all = ln_choose(size, n);
    let chance = |i: f64| if size - i < n - 1.0 { 0.0 } else { i * (ln_choose(size - i, n - 1.0) - all).exp() };
    let sum: f64 = sizes.classes.iter().map(|(i, c)| *c as f64 * chance(f64::from(*i))).sum();
    let result = one * (one * chance(1.0) / sum) / population.fraction();
    result.is_finite().then_some(result)
}

/// Pitman (Hoshino 2001): classes as an Ewens–Pitman partition, by maximum likelihood.
pub fn pitman(sizes: &Sizes, population: Population) -> Option<f64> {
    let (theta, alpha) = pitman_parameters(sizes)?;
    let result = (ln_gamma(theta + 1.0) - ln_gamma(theta + alpha) + alpha * population.size.ln()).exp();
    (result.is_finite() && result >= 0.0).then_some(result.min(population.size))
}

fn pitman_parameters(sizes: &Sizes) -> Option<(f64, f64)> {
    let (n, u, one, two) = (sizes.records, sizes.all, sizes.of_size(1), sizes.of_size(2));
    if two == 0.0 || u < 2.0 || one == 0.0 {
        return None;
    }
    let c = one * (one - 1.0) / two;
    let mut theta = (n * u * c - one * (n - 1.0) * (2.0 * u + c)) / (2.0 * one * u + one * c - n * c);
    let mut alpha = (theta * (one - n) + (n - 1.0) * one) / (n * u);
    if !(theta.is_finite() && alpha.is_finite() && alpha > 0.0 && alpha < 1.0 && theta > -alpha) {
        (theta, alpha) = (u.max(2.0), 0.5);
    }
    for _ in 0..200 {
        let s = PitmanScore::at(sizes, theta, alpha);
        let determinant = s.tt * s.aa - s.ta * s.ta;
        let (dt, da) = ((s.t * s.aa - s.a * s.ta) / determinant, (s.a * s.tt - s.t * s.ta) / determinant);
        if !dt.is_finite() || !da.is_finite() {
            return None;
        }
        // Halved until it stays where the likelihood is defined.
        let mut step = 1.0;
        loop {
            let (next_t, next_a) = (theta - step * dt, alpha - step * da);
            if next_a > 1e-9 && next_a < 1.0 - 1e-9 && next_t > -next_a + 1e-9 {
                (theta, alpha) = (next_t, next_a);
                break;
            }
            step /= 2.0;
            if step < 1e-12 {
                return None;
            }
        }
        if step == 1.0 && dt.abs() <= 1e-9 * theta.abs().max(1.0) && da.abs() <= 1e-10 {
            return Some((theta, alpha));
        }
    }
    None
}

/// First and second derivatives of the log-likelihood.
struct PitmanScore {
    t: f64,
    a: f64,
    tt: f64,
    ta: f64,
    aa: f64,
}

impl PitmanScore {
    fn at(sizes: &Sizes, theta: f64, alpha: f64) -> Self {
        let (n, u) = (sizes.records, sizes.all);
        let terms = u - 1.0;
        // Σ 1/(θ+iα) and Σ 1/(θ+iα)² for i from 1 to u−1, by digammas where that keeps its digits.
        let (one, two) = if alpha > 1e-3 && theta / alpha < 1e6 {
            let a = theta / alpha;
            ((digamma(a + u) - digamma(a + 1.0)) / alpha, (trigamma(a + 1.0) - trigamma(a + u)) / (alpha * alpha))
        } else {
            (1..u as u64).fold((0.0, 0.0), |(one, two), i| {
                let x = 1.0 / (theta + i as f64 * alpha);
                (one + x, two + x * x)
            })
        };
        let (mut sizes_one, mut sizes_two) = (0.0, 0.0);
        for (size, classes) in sizes.classes.iter().filter(|(s, _)| **s >= 2) {
            let i = f64::from(*size);
            sizes_one += *classes as f64 * (digamma(i - alpha) - digamma(1.0 - alpha));
            sizes_two += *classes as f64 * (trigamma(1.0 - alpha) - trigamma(i - alpha));
        }
        let weighted = (terms - theta * one) / alpha;
        Self {
            t: one - (digamma(theta + n) - digamma(theta + 1.0)),
            a: weighted - sizes_one,
            tt: -two + trigamma(theta + 1.0) - trigamma(theta + n),
            ta: -(one - theta * two) / alpha,
            aa: -(terms - 2.0 * theta * one + theta * theta * two) / (alpha * alpha) - sizes_two,
        }
    }
}

/// Which estimator the rule of Dankar et al. took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Taken {
    /// Pitman.
    Pitman,
    /// Zayatz.
    Zayatz,
    /// SNB.
    Snb,
}

/// The rule of Dankar et al.: at most a tenth sampled → Pitman, else the smaller of Zayatz and SNB; Zayatz where one fails.
pub fn dankar(sizes: &Sizes, population: Population) -> Option<(f64, Taken)> {
    let fallback = || zayatz(sizes, population).map(|u| (u, Taken::Zayatz));
    if population.fraction() <= 0.1 {
        return pitman(sizes, population).map(|u| (u, Taken::Pitman)).or_else(fallback);
    }
    match (zayatz(sizes, population), snb(sizes, population)) {
        (Some(z), Some(s)) if s < z => Some((s, Taken::Snb)),
        (None, Some(s)) => Some((s, Taken::Snb)),
        _ => fallback(),
    }
}

/// Whether the share of population uniques is at most a threshold. An estimate of nothing counts only without sample uniques.
pub fn share_holds(sizes: &Sizes, population: Population, most: f64) -> bool {
    let population = Population { sample: sizes.records, ..population };
    match dankar(sizes, population) {
        Some((uniques, _)) if uniques > 0.0 => uniques / population.size <= most,
        _ => sizes.of_size(1) == 0.0,
    }
}
