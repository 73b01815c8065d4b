use std::fmt;

/// Greatest numerator and denominator. The exponent of the discrete Gaussian's acceptance has the denominator 2·p·q·t², which stays
/// below 2¹⁰⁴ then.
const MOST: u128 = 1 << 50;

/// A positive fraction in lowest terms, both parts at most 2⁵⁰.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// Numerator.
    pub top: u64,
    /// Denominator.
    pub bottom: u64,
}

impl Ratio {
    /// A fraction; none where it is 0, has no value, or its parts are too great in lowest terms.
    pub fn new(top: u128, bottom: u128) -> Option<Ratio> {
        let (mut divisor, mut rest) = (top, bottom);
        while rest > 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        if top == 0 || bottom == 0 {
            return None;
        }
        let part = |n: u128| Some(n / divisor).filter(|n| *n <= MOST).and_then(|n| u64::try_from(n).ok());
        Some(Ratio { top: part(top)?, bottom: part(bottom)? })
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        self.top as f64 / self.bottom as f64
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bottom {
            1 => write!(f, "{}", self.top),
            bottom => write!(f, "{}/{bottom}", self.top),
        }
    }
}
