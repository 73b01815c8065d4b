//! The coins that the exact samplers are made of. Integers only: a float has gaps between its values, and which values a noisy
//! count can take would tell the true one (Mironov 2012).

use rand::CryptoRng;

/// A whole number below `n`, each as likely; 0 for `n` 0 or 1. Bits are drawn until they make a number below `n`, so that none is
/// more likely than another.
pub fn below(rng: &mut (impl CryptoRng + ?Sized), n: u128) -> u128 {
    if n < 2 {
        return 0;
    }
    let bits = u128::BITS - (n - 1).leading_zeros();
    loop {
        let low = u128::from(rng.next_u64());
        let drawn = if bits > 64 { low | (u128::from(rng.next_u64()) << 64) } else { low };
        let number = drawn & (u128::MAX >> (u128::BITS - bits));
        if number < n {
            return number;
        }
    }
}

/// Yes with chance `exp(-top/bottom)`, exactly (Canonne, Kamath, Steinke 2020, algorithm 1). `bottom` is at least 1 and below 2¹⁰⁴.
pub fn exp_minus(rng: &mut (impl CryptoRng + ?Sized), top: u128, bottom: u128) -> bool {
    // exp(-whole) · exp(-rest): a coin of exp(-1) for each whole, the first no ends it.
    for _ in 0..top / bottom {
        if !exp_minus_share(rng, 1, 1) {
            return false;
        }
    }
    exp_minus_share(rng, top % bottom, bottom)
}

/// The same for `top` of at most `bottom`: the first no of coins with chance x/1, x/2, x/3 … comes at an odd one.
fn exp_minus_share(rng: &mut (impl CryptoRng + ?Sized), top: u128, bottom: u128) -> bool {
    let mut k = 1u128;
    // k yeses in a row have a chance of at most 1/k!, so the product never comes near the end of the type.
    while below(rng, bottom.saturating_mul(k)) < top {
        k += 1;
    }
    k % 2 == 1
}
