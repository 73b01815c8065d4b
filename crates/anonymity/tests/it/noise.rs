//! The noises against their exact distributions, and the bounds of what one person changes, worked out without drawing.

use anonymity::counts::{Noise, below, exp_minus, rand::CryptoRng};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

const DRAWS: usize = 40_000;

pub fn laplace(l1: u64, epsilon: &str) -> Noise {
    Noise::laplace(l1, epsilon.parse().expect("a decimal")).expect("a noise")
}

pub fn gaussian(l2_squared: u64, rho: &str) -> Noise {
    Noise::gaussian(l2_squared, rho.parse().expect("a decimal")).expect("a noise")
}

fn noises() -> Vec<Noise> {
    vec![
        laplace(1, "1"),
        laplace(1, "0.3"),
        laplace(3, "0.7"),
        laplace(1, "4"),
        laplace(2, "0.123456789"),
        gaussian(1, "1"),
        gaussian(1, "2.5"),
        gaussian(2, "0.03"),
        gaussian(5, "0.0123"),
        gaussian(9, "0.5"),
    ]
}

/// Pearson's χ² of drawn values against the exact chances, and its degrees of freedom; values that are too rare are pooled by side.
fn chi_square(noise: &Noise, mut draw: impl FnMut() -> i64) -> (f64, f64) {
    let expected = |z: i64| noise.chance(z) * DRAWS as f64;
    let reach = (0..).find(|z| expected(*z) < 20.0).expect("a rare value").max(1);
    let inner: f64 = (1 - reach..reach).map(expected).sum();
    let tail = (DRAWS as f64 - inner) / 2.0;
    let bins = 2 * reach as usize + 1;
    let mut found = vec![0u32; bins];
    for _ in 0..DRAWS {
        found[(draw().clamp(-reach, reach) + reach) as usize] += 1;
    }
    let part = |(bin, found): (usize, &u32)| {
        let z = bin as i64 - reach;
        let expected = if z.abs() == reach { tail } else { expected(z) };
        (f64::from(*found) - expected).powi(2) / expected
    };
    (found.iter().enumerate().map(part).sum(), bins as f64 - 1.0)
}

/// Whether drawn values may be of the noise: six standard deviations of χ² are allowed.
fn fits(noise: &Noise, draw: impl FnMut() -> i64) -> bool {
    let (statistic, freedom) = chi_square(noise, draw);
    statistic < freedom + 6.0 * (2.0 * freedom).sqrt() + 12.0
}

fn uniform(rng: &mut impl CryptoRng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn drawn_noise_has_the_chances_that_it_says() {
    for (seed, noise) in noises().into_iter().enumerate() {
        let mut rng = ChaCha20Rng::seed_from_u64(seed as u64);
        assert!(fits(&noise, || noise.draw(&mut rng)), "{noise:?}");
    }
}

#[test]
fn a_sampler_that_is_nearly_right_is_found() {
    let noise = laplace(1, "0.5");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let rounded = || {
        let u = uniform(&mut rng) - 0.5;
        (-2.0 * u.signum() * (1.0 - 2.0 * u.abs()).ln()).round() as i64
    };
    assert!(!fits(&noise, rounded), "a continuous Laplace, rounded");
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let wide = laplace(1, "0.46");
    assert!(!fits(&noise, || wide.draw(&mut rng)), "another scale");
    // 0 with both signs: the step of the algorithm that is easy to forget.
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let twice = || loop {
        let z = noise.draw(&mut rng);
        if z == 0 || rng.next_u64().is_multiple_of(2) {
            return z;
        }
    };
    assert!(!fits(&noise, twice), "0 twice as likely");
    let noise = gaussian(2, "0.03");
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let wide = gaussian(2, "0.0277");
    assert!(!fits(&noise, || wide.draw(&mut rng)), "another variance");
    let laplace = laplace(100, "24.5");
    assert!(!fits(&noise, || laplace.draw(&mut rng)), "the proposal without its rejection");
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    assert!(!fits(&noise, || noise.draw(&mut rng) + i64::from(rng.next_u64().is_multiple_of(2))), "moved to one side");
}

#[test]
fn noise_is_as_often_above_as_below() {
    for (seed, noise) in noises().into_iter().enumerate() {
        let mut rng = ChaCha20Rng::seed_from_u64(100 + seed as u64);
        let drawn: Vec<i64> = (0..DRAWS).map(|_| noise.draw(&mut rng)).collect();
        let (above, below) = (drawn.iter().filter(|z| **z > 0).count(), drawn.iter().filter(|z| **z < 0).count());
        let most = 5.0 * ((above + below) as f64).sqrt();
        assert!((above as f64 - below as f64).abs() < most, "{noise:?}: {above} {below}");
        assert!((0..50).all(|z| (noise.chance(z) - noise.chance(-z)).abs() < 1e-15));
    }
}

#[test]
fn coins_fall_as_often_as_they_should() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    for (top, bottom) in [(0, 1), (1, 1), (1, 3), (7, 2), (99, 100), (5, 1 << 100), ((1 << 100) + 1, 1 << 99)] {
        let chance = (-(top as f64) / bottom as f64).exp();
        let yes = (0..DRAWS).filter(|_| exp_minus(&mut rng, top, bottom)).count() as f64;
        let (mean, deviation) = (chance * DRAWS as f64, (chance * (1.0 - chance) * DRAWS as f64).sqrt());
        assert!((yes - mean).abs() <= 5.0 * deviation + 1e-6, "exp(-{top}/{bottom}): {yes} for {mean}");
    }
    for n in [1u128, 2, 3, 7, 10, 16, 100] {
        let mut found = vec![0f64; n as usize];
        (0..DRAWS).for_each(|_| found[below(&mut rng, n) as usize] += 1.0);
        let mean = DRAWS as f64 / n as f64;
        assert!(found.iter().all(|f| (f - mean).abs() <= 5.0 * mean.sqrt()), "below {n}");
    }
    let wide = 1u128 << 90;
    assert!((0..1_000).map(|_| below(&mut rng, wide)).any(|x| x > wide / 2), "the upper half of a wide number is drawn too");
}

/// Chances of the sum of `n` noises from `-reach` to `reach`, by adding up every way.
fn naive_sum(noise: &Noise, n: u64, reach: i64) -> Vec<f64> {
    let one: Vec<f64> = (-reach..=reach).map(|z| noise.chance(z)).collect();
    let mut sum = one.clone();
    for _ in 1..n {
        let at = |k: i64| usize::try_from(k + reach).ok().filter(|k| *k < one.len());
        sum = (-reach..=reach).map(|z| (-reach..=reach).filter_map(|x| Some(sum[at(x)?] * one[at(z - x)?])).sum()).collect();
    }
    sum
}

#[test]
fn error_widths_are_those_of_the_distribution_added_up() {
    for noise in noises() {
        for n in [1u64, 2, 3, 6] {
            let reach = 12 * noise.half_width(n) as i64 + 10;
            let sum = naive_sum(&noise, n, reach);
            assert!((sum.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{noise:?}");
            let inside = |h: i64| sum[(reach - h) as usize..=(reach + h) as usize].iter().sum::<f64>();
            let naive = (0..).find(|h| inside(*h) >= 0.95).expect("a width");
            assert_eq!(noise.half_width(n) as i64, naive, "{noise:?}, {n} cells");
        }
    }
    // Of noise too wide to add up, the continuous one is near.
    assert!(laplace(1, "0.0001").half_width(1).abs_diff(29_957) < 10);
    assert!(gaussian(2, "0.00000001").half_width(1).abs_diff(19_600) < 10);
    assert!(gaussian(2, "0.00000001").half_width(100).abs_diff(195_996) < 20);
}

#[test]
fn what_is_rarely_exceeded_is_exceeded_no_more_often_and_nothing_smaller_would_do() {
    for noise in noises() {
        for chance in [0.4, 1e-2, 1e-6, 1e-9] {
            let m = noise.rarely_above(chance) as i64;
            let above = |m: i64| (m + 1..m + 4_000).rev().map(|z| noise.chance(z)).sum::<f64>();
            assert!(above(m) <= chance, "{noise:?} {chance}");
            assert!(m == 0 || above(m - 1) > chance * (1.0 - 1e-6), "{noise:?} {chance}");
        }
    }
}

#[test]
fn noise_that_cannot_be_drawn_exactly_or_says_nothing_is_refused() {
    let refused = |noise: Result<Noise, anonymity::counts::CountsError>| noise.expect_err("refused").message().code;
    let decimal = |text: &str| text.parse().expect("a decimal");
    assert_eq!(refused(Noise::laplace(1, decimal("0"))), "anonymity-counts-parameter-range");
    assert_eq!(refused(Noise::laplace(1, decimal("0.0000000001"))), "anonymity-counts-too-fine");
    assert_eq!(refused(Noise::laplace(1, decimal("0.000001"))), "anonymity-counts-noise-too-wide");
    assert_eq!(refused(Noise::gaussian(1, decimal("0.0000000000001"))), "anonymity-counts-too-fine");
    assert_eq!(refused(Noise::gaussian(1_000_000_007, decimal("0.999999999"))), "anonymity-counts-too-fine");
    assert_eq!(refused(Noise::gaussian(1_000_000, decimal("0.0000001"))), "anonymity-counts-noise-too-wide");
    // The widest that is allowed is drawn without leaving the integers.
    let (mut rng, widest) = (ChaCha20Rng::seed_from_u64(8), gaussian(1_000, "0.000000001"));
    assert!((0..200).all(|_| widest.draw(&mut rng).abs() < 10_000_000));
    let finest = gaussian(999_983, "99.999999999");
    assert!((0..200).all(|_| finest.draw(&mut rng).abs() < 10_000));
}
