//! People of tables that have addresses in parts (street number, street, suburb, state) and a personal identifier: names in Latin letters, and
//! typing errors in every field. What is compared stands in one text beside the numbers of a row, so that a row of Japan costs nothing.

use crate::distance::slips;
use crate::forms::{Form, Forms, NONE};
use crate::frequencies::Frequencies;
use crate::hash::{self, mix};
use crate::levels::Pattern;
use crate::parts_levels::PartLevels;
use crate::parts_levels::level::{ALIKE, DIFFERENT, EXCHANGED, LOOSE, MISSING, NEAR, SAME};
use crate::row::{NO_BRANCH, Row, crowd};
use crate::text;

/// An address in parts, an identifier and a date as their source writes them; empty where it says nothing.
#[derive(Default, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub id: &'a str,
    pub number: &'a str,
    pub street: &'a str,
    /// House, unit, or what else a second line of an address holds.
    pub building: &'a str,
    pub suburb: &'a str,
    pub state: &'a str,
    pub postal: &'a str,
    /// The birth date: also what is no date may be one with a wrong digit.
    pub birth: &'a str,
}

/// Parts in their order in the text of a row, and the letters of each that are kept: the whole is no longer than `forms::LONGEST`.
const PARTS: [usize; 8] = [24, 12, 36, 36, 30, 16, 12, 8];
const ID: usize = 0;
const NUMBER: usize = 1;
const STREET: usize = 2;
const BUILDING: usize = 3;
const SUBURB: usize = 4;
const STATE: usize = 5;
const POSTAL: usize = 6;
const BIRTH: usize = 7;

/// Between two parts. A control character, which no text has after `text::plain`.
const BREAK: char = '\u{1f}';

/// Stands for the insurer of a card that is a personal identifier.
const PERSONAL: u32 = u32::MAX;

/// The mark of a row in parts in the numbers of its address.
pub(crate) const MARK: u64 = 1 << 63;

/// Writes the parts into a row; the number of their text comes from `number`.
pub(crate) fn fill(row: &mut Row, parts: &Parts<'_>, born: Option<(i32, u32, u32)>, number: impl FnOnce(&str) -> Form) {
    let kept = |raw: &str, most: usize| text::plain(raw).chars().filter(|c| c.is_alphanumeric()).take(most).collect::<String>();
    let raw = [parts.id, parts.number, parts.street, parts.building, parts.suburb, parts.state, parts.postal, parts.birth];
    let mut texts: [String; PARTS.len()] = std::array::from_fn(|at| kept(raw[at], PARTS[at]));
    if let Some((year, month, day)) = born {
        texts[BIRTH] = format!("{year:04}{month:02}{day:02}");
    }
    texts[BIRTH].retain(|c| c.is_ascii_digit());
    let hash = |text: &str| hash::bytes(text.as_bytes());
    row.postal = if texts[POSTAL].is_empty() { 0 } else { hash(&texts[POSTAL]) as u32 | 1 << 31 };
    (row.insurer, row.symbol, row.number, row.branch) = match &*texts[ID] {
        "" => (0, 0, 0, NO_BRANCH),
        id => (PERSONAL, 0, hash(id) | 1 << 63, NO_BRANCH),
    };
    row.numbers = MARK;
    let nothing = texts.iter().all(String::is_empty);
    row.place = if nothing { NONE } else { number(&texts.join(BREAK.encode_utf8(&mut [0; 4]))) };
}

/// The parts of a row.
fn parts<'a>(row: &Row, forms: &'a Forms) -> [&'a [char]; PARTS.len()] {
    let mut out: [&[char]; PARTS.len()] = [&[]; PARTS.len()];
    for (part, letters) in out.iter_mut().zip(forms.letters(row.place).split(|c| *c == BREAK)) {
        *part = letters;
    }
    out
}

/// The parts of a row as they are compared, by the columns that they came from.
pub(crate) fn texts(row: &Row, forms: &Forms) -> [(&'static str, String); PARTS.len()] {
    const NAMES: [&str; PARTS.len()] =
        ["personal_id", "street_number", "street", "building", "suburb", "state", "postal_code", "birth_date"];
    let parts = parts(row, forms);
    std::array::from_fn(|at| (NAMES[at], parts[at].iter().collect()))
}

/// A name: up to two slips told apart, then whether half of it agrees.
fn name(a: &[char], b: &[char]) -> u8 {
    if a.is_empty() || b.is_empty() {
        return MISSING;
    }
    let longest = a.len().max(b.len());
    match slips(a, b) {
        0 => SAME,
        1 => NEAR,
        2 if longest > 4 => ALIKE,
        n if 2 * n <= longest => LOOSE,
        _ => DIFFERENT,
    }
}

/// A part of an address.
fn place(a: &[char], b: &[char]) -> u8 {
    if a.is_empty() || b.is_empty() {
        return MISSING;
    }
    let bound = if a.len().max(b.len()) < 6 { 1 } else { 2 };
    match slips(a, b) {
        0 => SAME,
        n if n <= bound => NEAR,
        _ => DIFFERENT,
    }
}

/// A short code: a house's number, a postal code, a state.
fn code(a: &[char], b: &[char]) -> u8 {
    match number(a, b) {
        ALIKE => DIFFERENT,
        other => other,
    }
}

/// A long number.
fn number(a: &[char], b: &[char]) -> u8 {
    if a.is_empty() || b.is_empty() {
        return MISSING;
    }
    match slips(a, b) {
        0 => SAME,
        1 => NEAR,
        2 => ALIKE,
        _ => DIFFERENT,
    }
}

/// A date in eight digits.
fn date(a: &[char], b: &[char]) -> u8 {
    match (number(a, b), a, b) {
        (ALIKE | DIFFERENT, [year @ .., m1, m2, d1, d2], [other @ .., p1, p2, q1, q2])
            if year == other && [m1, m2, d1, d2] == [q1, q2, p1, p2] =>
        {
            EXCHANGED
        }
        (level, ..) => level,
    }
}

/// Two rows in parts side by side.
pub(crate) fn compare(a: &Row, b: &Row, forms: &Forms) -> PartLevels {
    let (x, y) = (parts(a, forms), parts(b, forms));
    let names = |r: &Row| (forms.letters(r.gk), forms.letters(r.fk));
    let ((g, f), (h, e)) = (names(a), names(b));
    let (mut given, mut family) = (name(g, h), name(f, e));
    if !matches!(given, SAME | NEAR) && !matches!(family, SAME | NEAR) {
        let close = |level| matches!(level, SAME | NEAR);
        if close(name(g, e)) && close(name(f, h)) {
            (given, family) = (EXCHANGED, MISSING);
        }
    }
    let (mut street, mut building) = (place(x[STREET], y[STREET]), place(x[BUILDING], y[BUILDING]));
    // the two lines of an address in the other order
    if street == DIFFERENT && building != SAME && matches!(place(x[STREET], y[BUILDING]), SAME | NEAR) {
        (street, building) = (NEAR, MISSING);
    }
    let crowded = a.crowd | b.crowd;
    PartLevels {
        given,
        family,
        birth: date(x[BIRTH], y[BIRTH]),
        id: if crowded & crowd::CARD != 0 { MISSING } else { number(x[ID], y[ID]) },
        number: code(x[NUMBER], y[NUMBER]),
        street,
        building,
        suburb: place(x[SUBURB], y[SUBURB]),
        postal: code(x[POSTAL], y[POSTAL]),
        state: code(x[STATE], y[STATE]),
        phone: phone(a, b, crowded),
        sex: match crate::compare::sexes(a.sex, b.sex) {
            crate::levels::sex::SAME => SAME,
            crate::levels::sex::DIFFERENT => DIFFERENT,
            _ => MISSING,
        },
        namesakes: 0,
    }
}

fn phone(a: &Row, b: &Row, crowded: u8) -> u8 {
    use crate::levels::phone;
    match crate::compare::phones(a.phone, b.phone) {
        _ if crowded & crowd::PHONE != 0 => MISSING,
        phone::MISSING => MISSING,
        phone::MOBILE | phone::LAND => SAME,
        phone::NEAR => NEAR,
        _ => DIFFERENT,
    }
}

/// What a pair of rows in parts shows, and how rare the names are on which it agrees (minus the natural logarithm).
pub(crate) fn pair(a: &Row, b: &Row, forms: &Forms, frequencies: &Frequencies) -> (Pattern, f64) {
    let mut levels = compare(a, b, forms);
    let rarity = frequencies.rarity_of_written(levels.given == SAME, levels.family == SAME, a, b);
    levels.namesakes = u8::from(frequencies.has_namesakes(levels.pack().levels(), a, b));
    (levels.pack(), rarity)
}

/// Two rows in parts that cannot be one person, whatever lies between them: with the same birth date and family name another given name
/// (twins), or with another birth date another given name or sex. An identifier that agrees says more than either; one that nearly agrees
/// does not, as those of a family are often given out one after the other.
pub(crate) fn contradict(a: &Row, b: &Row, forms: &Forms) -> bool {
    let l = compare(a, b, forms);
    if l.id == SAME {
        return false;
    }
    let other = l.given == DIFFERENT;
    match l.birth {
        SAME | NEAR | ALIKE | EXCHANGED => other && !matches!(l.family, DIFFERENT | LOOSE),
        DIFFERENT => other || (l.sex == DIFFERENT && l.given != SAME),
        _ => false,
    }
}

/// Names of the passes of [`keys`].
pub(crate) const PASSES: [&str; 16] = [
    "birth date",
    "personal identifier",
    "given name, postal code",
    "family name, postal code",
    "street number and street",
    "names in any order",
    "postal code, suburb",
    "street, postal code",
    "family name, street number",
    "suburb, street number",
    "postal code, street number",
    "given name, street",
    "beginnings of the names, street number",
    "beginnings of the names, postal code",
    "half of the identifier, state",
    "street, suburb",
];

/// Keys by which rows in parts look for each other, a pass each with a key for every row (0: none). Empty where no row is in parts.
pub(crate) fn keys(rows: &[Row], forms: &Forms) -> Vec<(&'static str, Vec<u64>)> {
    if !rows.iter().any(Row::is_parted) {
        return Vec::new();
    }
    let mut passes: Vec<(&'static str, Vec<u64>)> = PASSES.iter().map(|name| (*name, vec![0; rows.len()])).collect();
    for (at, row) in rows.iter().enumerate().filter(|(_, r)| r.is_parted() && r.linkable()) {
        for (pass, key) in passes.iter_mut().zip(keys_of(row, forms)) {
            pass.1[at] = key;
        }
    }
    passes
}

/// The keys of one row in parts.
pub(crate) fn keys_of(row: &Row, forms: &Forms) -> [u64; PASSES.len()] {
    let p = parts(row, forms);
    let text = |letters: &[char]| letters.iter().fold(0, |key, c| mix(key, u64::from(*c)) | 1);
    let some = |all: &[u64]| if all.contains(&0) { 0 } else { all.iter().fold(PARTS.len() as u64, |key, a| mix(key, *a)) | 1 };
    let (given, family) = (forms.letters(row.gk), forms.letters(row.fk));
    let begin = |letters: &[char]| text(&letters[..letters.len().min(2)]);
    let any_order = |a: u64, b: u64| some(&[a.min(b), a.max(b)]);
    let (g, f) = (text(given), text(family));
    let [number, street, suburb, postal] = [NUMBER, STREET, SUBURB, POSTAL].map(|at| text(p[at]));
    [
        some(&[text(p[BIRTH])]),
        some(&[text(p[ID])]),
        some(&[g, postal]),
        some(&[f, postal]),
        some(&[number, street]),
        any_order(g, f),
        some(&[postal, suburb]),
        some(&[street, postal]),
        some(&[f, number]),
        some(&[suburb, number]),
        some(&[postal, number]),
        some(&[g, street]),
        some(&[any_order(begin(given), begin(family)), number]),
        some(&[any_order(begin(given), begin(family)), postal]),
        some(&[text(&p[ID][..p[ID].len() / 2]), text(p[STATE])]),
        some(&[street, suburb]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_with_day_and_month_exchanged_is_no_other_date() {
        let letters = |s: &str| s.chars().collect::<Vec<_>>();
        let level = |a: &str, b: &str| date(&letters(a), &letters(b));
        assert_eq!(level("19600213", "19600213"), SAME);
        assert_eq!(level("19600213", "19600113"), NEAR);
        assert_eq!(level("19601203", "19600312"), EXCHANGED);
        assert_eq!(level("19600213", "19601302"), EXCHANGED);
        assert_eq!(level("19600213", "19710828"), DIFFERENT);
        assert_eq!(level("", "19710828"), MISSING);
    }
}
