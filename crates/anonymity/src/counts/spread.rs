//! How far noise goes, from the exact distributions; in floats, since nothing here decides which value is drawn.

use std::f64::consts::{PI, TAU};

/// The share of values that an error width speaks of.
const SHARE: f64 = 0.95;

/// Σ exp(−z²/2σ²) over all whole z.
pub(super) fn gaussian_mass(variance: f64) -> f64 {
    if variance < 1.0 {
        1.0 + 2.0 * (1..40).map(|z: i32| (-f64::from(z).powi(2) / (2.0 * variance)).exp()).sum::<f64>()
    } else {
        // The same by Poisson's summation.
        let waves: f64 = (1..5).map(|k: i32| (-2.0 * PI * PI * variance * f64::from(k).powi(2)).exp()).sum();
        (TAU * variance).sqrt() * (1.0 + 2.0 * waves)
    }
}

/// The smallest m of 0 or more with P(Z > m) ≤ chance: the tail is summed from far out, small terms first.
pub(super) fn gaussian_rarely_above(variance: f64, chance: f64) -> u64 {
    let most = chance * gaussian_mass(variance);
    let term = |z: f64| (-z * z / (2.0 * variance)).exp();
    // From here on the tail is nothing beside the chance.
    let mut z = (2.0 * variance * (46.0 - chance.ln())).sqrt().ceil() + 1.0;
    let mut tail = 0.0;
    while z >= 1.0 && tail + term(z) <= most {
        tail += term(z);
        z -= 1.0;
    }
    z as u64
}

/// Smallest h with P(|sum of n discrete Laplace| ≤ h) ≥ 0.95.
pub(super) fn laplace_half_width(scale: f64, n: u64) -> u64 {
    let (step, a) = (1.0 / scale, (-1.0 / scale).exp());
    if n == 1 {
        // P(|Z| > h) = 2a^(h+1)/(1+a)
        let outside = |h: f64| 2.0 * (-step * (h + 1.0)).exp() / (1.0 + a);
        let mut h = ((2.0 / ((1.0 - SHARE) * (1.0 + a))).ln() / step - 1.0).floor().max(0.0);
        while outside(h) > 1.0 - SHARE {
            h += 1.0;
        }
        return h as u64;
    }
    let gap = (-step).exp_m1().powi(2);
    let wave = |t: f64| gap / (gap + 2.0 * a * (1.0 - t.cos()));
    let deviation = (2.0 * a / gap * n as f64).sqrt();
    half_width(wave, n, 12.0 * deviation + 40.0 * scale)
}

/// Smallest h with P(|sum of n discrete Gaussians| ≤ h) ≥ 0.95.
pub(super) fn gaussian_half_width(variance: f64, n: u64) -> u64 {
    let mass = gaussian_mass(variance);
    let wave = |t: f64| {
        if variance < 1.0 {
            let term = |z: i32| 2.0 * (-f64::from(z).powi(2) / (2.0 * variance)).exp() * (f64::from(z) * t).cos();
            (1.0 + (1..40).map(term).sum::<f64>()) / mass
        } else {
            let near = |k: i32| (-variance * (t - TAU * f64::from(k)).powi(2) / 2.0).exp();
            (TAU * variance).sqrt() * (-2..=2).map(near).sum::<f64>() / mass
        }
    };
    half_width(wave, n, 12.0 * (variance * n as f64).sqrt())
}

/// By the characteristic function of one value: its n-th power is that of the sum, and the chances of −h..h come back from it by a
/// sum over the frequencies j/N, which is exact but for what lies beyond `reach`.
fn half_width(wave: impl Fn(f64) -> f64, n: u64, reach: f64) -> u64 {
    let reach = reach.ceil() + 10.0;
    let period = 2.0 * reach + 1.0;
    let mut powers = Vec::new();
    let mut j = 1.0;
    while j <= reach {
        let power = wave(TAU * j / period).powf(n as f64);
        powers.push(power);
        // A characteristic function of these falls to half a turn.
        if power < 1e-10 {
            break;
        }
        j += 1.0;
    }
    let inside = |h: f64| {
        let term = |(j, power): (usize, &f64)| {
            let half = PI * (j + 1) as f64 / period;
            power * ((2.0 * h + 1.0) * half).sin() / half.sin()
        };
        (2.0 * h + 1.0 + 2.0 * powers.iter().enumerate().map(term).sum::<f64>()) / period
    };
    let (mut low, mut high) = (0u64, reach as u64);
    while low < high {
        let middle = low + (high - low) / 2;
        if inside(middle as f64) >= SHARE { high = middle } else { low = middle + 1 }
    }
    low
}
