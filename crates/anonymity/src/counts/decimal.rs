use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::CountsError;

/// Digits behind the point. Half the square of a number with 9 decimals, which is what the conversion of ε to ρ makes, has 19.
const DIGITS: u32 = 19;

/// A number of 0 or more, exact, with at most 19 decimals: what budgets are counted in, so that no rounding of a sum lets a run
/// through that asks too much. Written and read as a decimal text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal(u128);

impl Decimal {
    /// 0.
    pub const ZERO: Decimal = Decimal(0);

    /// The number as numerator over a denominator of `10^decimals`; none where it has more decimals.
    pub(super) fn over(self, decimals: u32) -> Option<(u128, u128)> {
        let step = 10u128.pow(DIGITS.saturating_sub(decimals));
        self.0.is_multiple_of(step).then(|| (self.0 / step, 10u128.pow(decimals.min(DIGITS))))
    }

    /// The sum; none where it is greater than can be written.
    pub fn plus(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_add(other.0).map(Decimal)
    }

    /// The difference; none where it is below 0.
    pub fn minus(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_sub(other.0).map(Decimal)
    }

    /// Half the square, exactly; none where it has more than 19 decimals or is greater than can be written.
    pub fn half_square(self) -> Option<Decimal> {
        let (number, _) = self.over(9)?;
        // n²/2 · 10⁻¹⁸ = 5n² · 10⁻¹⁹
        number.checked_mul(number)?.checked_mul(5).map(Decimal)
    }

    /// The nearest float, for pages and error widths; never for a decision about a budget.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e19
    }
}

impl From<Decimal> for String {
    fn from(number: Decimal) -> String {
        number.to_string()
    }
}

impl TryFrom<String> for Decimal {
    type Error = CountsError;
    fn try_from(text: String) -> Result<Self, CountsError> {
        text.parse()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10u128.pow(DIGITS);
        let decimals = format!("{:019}", self.0 % one);
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{}", self.0 / one),
            some => write!(f, "{}.{some}", self.0 / one),
        }
    }
}

impl FromStr for Decimal {
    type Err = CountsError;

    /// Digits with at most one point, and an exponent of ten if wanted: `0.5`, `2`, `1e-6`.
    fn from_str(text: &str) -> Result<Self, CountsError> {
        exactly(text).map(Decimal).ok_or_else(|| CountsError::NotADecimal { text: text.chars().take(40).collect() })
    }
}

fn exactly(text: &str) -> Option<u128> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok().filter(|e| e.abs() <= 40)?),
        None => (text, 0),
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.len() <= 40 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let decimals = decimals.trim_end_matches('0');
    let digits: u128 = format!("{whole}{decimals}").parse().ok()?;
    let places = i32::try_from(DIGITS).ok()? + exponent - i32::try_from(decimals.len()).ok()?;
    let step = 10u128.checked_pow(places.unsigned_abs());
    match step {
        _ if digits == 0 => Some(0),
        Some(step) if places >= 0 => digits.checked_mul(step),
        Some(step) => digits.is_multiple_of(step).then(|| digits / step),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_what_was_written_and_nothing_else_is_one() {
        for (text, shown) in [
            ("0.1", "0.1"),
            ("1", "1"),
            ("00.50", "0.5"),
            ("1e-6", "0.000001"),
            ("2.5E1", "25"),
            ("0", "0"),
            ("0.0000000000000000001", "0.0000000000000000001"),
        ] {
            assert_eq!(text.parse::<Decimal>().expect(text).to_string(), shown);
        }
        for text in ["", ".", "1.", ".5", "-1", "+1", "1/3", "NaN", "inf", "1e", "1e99", "0.00000000000000000001", "1 ", "１"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn ten_times_a_tenth_is_one_and_half_of_a_square_is_exact() {
        let tenth: Decimal = "0.1".parse().expect("a decimal");
        let sum = (0..10).try_fold(Decimal::ZERO, |sum, _| sum.plus(tenth)).expect("a sum");
        assert_eq!(sum, "1".parse().expect("a decimal"));
        let half = |text: &str| text.parse::<Decimal>().expect("a decimal").half_square().map(|d| d.to_string());
        assert_eq!(half("0.1").as_deref(), Some("0.005"));
        assert_eq!(half("0.000000001").as_deref(), Some("0.0000000000000000005"));
        assert_eq!(half("100").as_deref(), Some("5000"));
        assert_eq!(half("0.0000000001"), None);
    }
}
