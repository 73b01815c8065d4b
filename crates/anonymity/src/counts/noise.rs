//! The two noises: how they are drawn, exactly, and what they are, for error widths and thresholds.

use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::bernoulli::{below, exp_minus};
use super::spread;
use super::{CountsError, Decimal, Ratio};

/// Widest noise: the scale of a Laplace, the standard deviation of a Gaussian. A table with more of it says nothing.
const WIDEST: u64 = 1_000_000;

/// A kind of noise, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mechanism {
    /// Discrete Laplace: pure ε.
    Laplace,
    /// Discrete Gaussian: zero-concentrated, ρ.
    Gaussian,
}

/// A noise with whole-numbered values around 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    /// P(z) = (1−a)/(1+a)·a^|z| with a = exp(−1/scale).
    Laplace {
        /// Δ1/ε.
        scale: Ratio,
    },
    /// P(z) ∝ exp(−z²/2σ²).
    Gaussian {
        /// σ² = Δ2²/2ρ.
        variance: Ratio,
    },
}

impl Noise {
    /// The noise of ε for counts that one person changes by at most `l1` together.
    ///
    /// # Errors
    /// ε of 0, or with more digits than are counted exactly; noise that drowns everything.
    pub fn laplace(l1: u64, epsilon: Decimal) -> Result<Noise, CountsError> {
        let scale = fraction(u128::from(l1), epsilon, 1)?;
        if scale.top / scale.bottom >= WIDEST {
            return Err(CountsError::NoiseTooWide { most: WIDEST });
        }
        Ok(Noise::Laplace { scale })
    }

    /// The noise of ρ for counts that one person changes by at most the root of `l2_squared` in the Euclidean norm.
    ///
    /// # Errors
    /// As of [`Noise::laplace`].
    pub fn gaussian(l2_squared: u64, rho: Decimal) -> Result<Noise, CountsError> {
        let variance = fraction(u128::from(l2_squared), rho, 2)?;
        if variance.top / variance.bottom >= WIDEST * WIDEST {
            return Err(CountsError::NoiseTooWide { most: WIDEST });
        }
        Ok(Noise::Gaussian { variance })
    }

    /// One value, by integer arithmetic alone (Canonne, Kamath, Steinke 2020, algorithms 2 and 3).
    pub fn draw(&self, rng: &mut (impl CryptoRng + ?Sized)) -> i64 {
        let (size, negative) = match *self {
            Noise::Laplace { scale } => laplace(rng, scale.top.into(), scale.bottom.into()),
            Noise::Gaussian { variance } => gaussian(rng, variance),
        };
        // The chance of a value this far out is below exp(-2⁴³).
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        if negative { -size } else { size }
    }

    /// The chance of a value.
    pub fn chance(&self, z: i64) -> f64 {
        match self {
            Noise::Laplace { scale } => {
                let step = 1.0 / scale.to_f64();
                -(-step).exp_m1() / (1.0 + (-step).exp()) * (-step * z.unsigned_abs() as f64).exp()
            }
            Noise::Gaussian { variance } => {
                let variance = variance.to_f64();
                (-(z as f64).powi(2) / (2.0 * variance)).exp() / spread::gaussian_mass(variance)
            }
        }
    }

    /// The smallest m of 0 or more that the noise exceeds with a chance of at most `chance`, rounded against us.
    pub fn rarely_above(&self, chance: f64) -> u64 {
        // Floats are right to some 1e-13 of the chance; this leaves them room.
        let chance = chance * (1.0 - 1e-9);
        match self {
            Noise::Laplace { scale } => {
                // P(Z > m) = a^(m+1)/(1+a)
                let step = 1.0 / scale.to_f64();
                let above = |m: f64| (-step * (m + 1.0) - (-step).exp().ln_1p()).exp();
                let mut m = ((-(chance.ln()) - (-step).exp().ln_1p()) / step - 1.0).floor().max(0.0);
                while above(m) > chance {
                    m += 1.0;
                }
                m as u64
            }
            Noise::Gaussian { variance } => spread::gaussian_rarely_above(variance.to_f64(), chance),
        }
    }

    /// Half of the width around 0 that the sum of the noise of `cells` cells stays within 95 times in 100, from the exact
    /// distribution: the smallest h with P(|Z| ≤ h) ≥ 0.95.
    pub fn half_width(&self, cells: u64) -> u64 {
        match self {
            Noise::Laplace { scale } => spread::laplace_half_width(scale.to_f64(), cells),
            Noise::Gaussian { variance } => spread::gaussian_half_width(variance.to_f64(), cells),
        }
    }

    /// Its kind.
    pub fn mechanism(&self) -> Mechanism {
        match self {
            Noise::Laplace { .. } => Mechanism::Laplace,
            Noise::Gaussian { .. } => Mechanism::Gaussian,
        }
    }
}

/// sensitivity / (times · parameter), exactly.
fn fraction(sensitivity: u128, parameter: Decimal, times: u128) -> Result<Ratio, CountsError> {
    let (number, of) = parameter.over(9).ok_or(CountsError::TooFine)?;
    if number == 0 {
        return Err(CountsError::ParameterRange);
    }
    let top = sensitivity.checked_mul(of).ok_or(CountsError::TooFine)?;
    Ratio::new(top, number.checked_mul(times).ok_or(CountsError::TooFine)?).ok_or(CountsError::TooFine)
}

/// Size and sign of a discrete Laplace with the scale `top/bottom`.
fn laplace(rng: &mut (impl CryptoRng + ?Sized), top: u128, bottom: u128) -> (u128, bool) {
    loop {
        let within = below(rng, top);
        if !exp_minus(rng, within, top) {
            continue;
        }
        let mut whole = 0u128;
        while exp_minus(rng, 1, 1) {
            whole += 1;
        }
        let size = (within + top * whole) / bottom;
        let negative = below(rng, 2) == 1;
        // 0 has no sign: drawn with both it would be twice as likely.
        if !(negative && size == 0) {
            return (size, negative);
        }
    }
}

/// Size and sign of a discrete Gaussian.
fn gaussian(rng: &mut (impl CryptoRng + ?Sized), variance: Ratio) -> (u128, bool) {
    let (p, q) = (u128::from(variance.top), u128::from(variance.bottom));
    let t = (p / q).isqrt() + 1;
    loop {
        let (size, negative) = laplace(rng, t, 1);
        // exp(-(|y| - σ²/t)² / 2σ²) with σ² = p/q. What is too great for the type lies more than 2⁶⁴ / 2⁵³ scales out, where a
        // proposal comes with a chance below exp(-2000) and would be taken with one below exp(-2²⁴): it counts as not taken.
        let exponent = size.checked_mul(t * q).map(|y| y.abs_diff(p)).and_then(|d| d.checked_mul(d));
        if exponent.is_some_and(|top| exp_minus(rng, top, 2 * p * q * t * t)) {
            return (size, negative);
        }
    }
}
