//! Numbers that have the right form and belong to nobody.
//!
//! * Insurer numbers (保険者番号): law 2, prefecture 2, insurer 3, check digit; municipal insurance without the law. The
//!   insurer part here is always 990 to 999. Municipal and late-elderly numbers follow the municipality codes, which end
//!   far below; the Japan Health Insurance Association has 001 in each prefecture; for societies and mutual aids, of which
//!   Tokyo has many, only prefectures with a handful are used.
//! * Institution codes: prefecture 2, fee table 1, district 99, institution 9999 downwards (medical institutions stay
//!   below 3000, pharmacies in the 4000s), check digit.
//! * Telephone: no exchange number in Japan begins with 0, so `03-0…` and `090-0…` are never anyone's.
//! * Disease management numbers, HOT and local codes have the form of the masters and are not copied from them.

use crate::dice::Dice;

/// Prefectures with few health insurance societies and mutual aids: numbers from 990 on are free there.
const QUIET_PREFECTURES: [u8; 6] = [31, 32, 36, 39, 41, 47];

/// Check digit of insurer and institution numbers: digits weighted 2, 1, 2, … from the right, digit sums added, the
/// difference to the next ten.
pub fn check_digit(digits: &str) -> u8 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let product = u32::from(b.wrapping_sub(b'0')) * if i % 2 == 0 { 2 } else { 1 };
            product / 10 + product % 10
        })
        .sum();
    ((10 - sum % 10) % 10) as u8
}

/// An insurer number of 8 digits under a law (法別番号).
pub fn insurer(law: u8, prefecture: u8, dice: &mut Dice) -> String {
    let prefecture = if matches!(law, 6 | 31..=34) { *dice.pick(&QUIET_PREFECTURES) } else { prefecture };
    let body = format!("{law:02}{prefecture:02}{}", 990 + dice.below(10));
    format!("{body}{}", check_digit(&body))
}

/// An insurer number of municipal national health insurance, 6 digits.
pub fn municipal_insurer(prefecture: u8, dice: &mut Dice) -> String {
    let body = format!("{prefecture:02}{}", 990 + dice.below(10));
    format!("{body}{}", check_digit(&body))
}

/// The institution code of the n-th provider.
pub fn institution(prefecture: u8, n: u32) -> String {
    let body = format!("99{:04}", 9999 - n.min(999));
    format!("{prefecture:02}1{body}{}", check_digit(&body))
}

/// A land line under an area code.
pub fn landline(area: &str, dice: &mut Dice) -> String {
    let exchange = 10 - area.len() - 4;
    let number = dice.below(10_u32.pow(exchange as u32 - 1));
    format!("{area}-0{number:0width$}-{:04}", dice.below(10_000), width = exchange - 1)
}

/// A mobile number.
pub fn mobile(dice: &mut Dice) -> String {
    format!("090-0{:03}-{:04}", dice.below(1_000), dice.below(10_000))
}

/// How a provider writes its patient ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdStyle {
    /// Ten digits with leading zeros.
    Padded10,
    /// Six or seven digits, none of them leading zeros.
    Unpadded,
    /// Eight digits with leading zeros.
    Padded8,
}

/// Prime, so that each factor below it gives a permutation.
const SPAN: u64 = 9_899_987;

/// The patient numbers of one provider: serial numbers in an order that says nothing of the person.
pub struct LocalIds {
    style: IdStyle,
    factor: u64,
    shift: u64,
}

impl LocalIds {
    /// Numbers there are; two a person at most.
    pub const CAPACITY: u64 = SPAN;

    /// A provider's numbering.
    pub fn new(style: IdStyle, dice: &mut Dice) -> Self {
        Self { style, factor: 1 + u64::from(dice.below((SPAN - 1) as u32)), shift: u64::from(dice.below(SPAN as u32)) }
    }

    /// The id of a serial number, as this provider writes it. Without leading zeros it has 6 or 7 digits.
    pub fn id(&self, serial: u64) -> String {
        let number = 100_000 + (serial * self.factor + self.shift) % SPAN;
        match self.style {
            IdStyle::Padded10 => format!("{number:010}"),
            IdStyle::Unpadded => number.to_string(),
            IdStyle::Padded8 => format!("{number:08}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_well_known_insurers_come_out() {
        // The Japan Health Insurance Association in Tokyo and in Osaka, both public.
        assert_eq!(check_digit("0113001"), 2);
        assert_eq!(check_digit("0127001"), 6);
    }

    #[test]
    fn nobody_has_these_numbers() {
        let mut dice = Dice::of(1, [0; 3]);
        for _ in 0..500 {
            for law in [1, 6, 12, 31, 34, 39] {
                let number = insurer(law, 13, &mut dice);
                assert_eq!(number.len(), 8);
                assert!(&number[4..7] >= "990", "{number}");
                assert_eq!(number[7..], check_digit(&number[..7]).to_string());
            }
            let number = municipal_insurer(27, &mut dice);
            assert!(number.len() == 6 && &number[2..5] >= "990");
            for area in ["03", "045", "0466"] {
                let phone = landline(area, &mut dice);
                assert_eq!(phone.bytes().filter(u8::is_ascii_digit).count(), 10, "{phone}");
                assert_eq!(phone.split('-').nth(1).map(|e| e.starts_with('0')), Some(true));
            }
            assert!(mobile(&mut dice).starts_with("090-0"));
        }
    }

    #[test]
    fn institutions_differ_and_stay_out_of_the_assigned_range() {
        let codes: std::collections::HashSet<_> = (0..100).map(|n| institution(13, n)).collect();
        assert_eq!(codes.len(), 100);
        assert!(codes.iter().all(|c| c.len() == 10 && &c[3..5] == "99"));
    }

    #[test]
    fn no_two_serial_numbers_of_a_provider_share_an_id() {
        let ids = LocalIds::new(IdStyle::Padded10, &mut Dice::of(3, [0; 3]));
        let seen: std::collections::HashSet<_> = (0..50_000).map(|n| ids.id(n)).collect();
        assert_eq!(seen.len(), 50_000);
    }
}
