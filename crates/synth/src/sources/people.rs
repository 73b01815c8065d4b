//! How people and their cards stand in files for administration.

use crate::day::{Day, age};
use crate::population::{Card, wide};
use crate::registration::{Patient, Registration};

/// The registration in force on a day.
pub fn registered(patient: &Patient, on: Day) -> Option<&Registration> {
    let place = patient.versions.iter().rposition(|r| r.on.day() <= on).unwrap_or(0);
    patient.versions.get(place)
}

/// 氏名 (RE-5): full width with one ideographic space, or half width with a blank; 40 bytes at most.
pub fn name(r: &Registration) -> String {
    let (family, given) = (&r.family.text, &r.given.text);
    if family.is_ascii() && given.is_ascii() {
        return format!("{family} {given}").chars().take(40).collect();
    }
    wide(&format!("{family}　{given}")).chars().take(20).collect()
}

/// カタカナ (RE-37): full width without a space.
pub fn katakana(r: &Registration) -> String {
    wide(&format!("{}{}", r.family.kana, r.given.kana)).chars().filter(|c| !c.is_whitespace()).take(40).collect()
}

/// Insurer number in 8 places; those of 6 digits stand right.
pub fn insurer(card: &Card) -> String {
    format!("{:>8}", card.insurer)
}

/// レセプト種別 (RE-3): medical; insured, public alone or late elderly; one payer; whose claim, in or out.
pub fn claim_type(card: &Card, birth: Day, on: Day, in_hospital: bool) -> String {
    let payer = match card.law {
        12 => '2',
        39 => '3',
        _ => '1',
    };
    let whose = match age(birth, on) {
        70.. => 7,
        ..6 => 3,
        _ if card.own => 1,
        _ => 5,
    };
    format!("1{payer}1{}", whose + i32::from(!in_hospital))
}

/// Share that the insurance pays (給付割合), written where the law does not say it alone.
pub fn municipal(card: &Card) -> bool {
    matches!(card.law, 0 | 39)
}
