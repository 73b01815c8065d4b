//! Two rows side by side: at which level each field agrees. On characters, never on bytes.

use terms::civil_from_days;

use crate::contact;
use crate::forms::{Alphabet, Form, Forms, NONE};
use crate::levels::{Levels, birth, card, gap, home, name, phone, sex};
use crate::row::{NO_BRANCH, NO_DAY, Row, crowd};
use crate::stand_in;
use crate::text::UNKNOWN;

/// All fields of two rows.
pub(crate) fn rows(a: &Row, b: &Row, forms: &Forms) -> Levels {
    if a.is_parted() != b.is_parted() {
        // an address in parts and one that is not, an identifier and a card: nothing to compare
        let bare = |r: &Row| Row { place: 0, numbers: 0, postal: 0, insurer: 0, symbol: 0, number: 0, ..*r };
        return rows(&bare(a), &bare(b), forms);
    }
    let crowded = a.crowd | b.crowd;
    let (family, given) = names(a, b, forms);
    Levels {
        given,
        family,
        birth: births(a.birth, b.birth),
        sex: sexes(a.sex, b.sex),
        card: if crowded & crowd::CARD != 0 { card::MISSING } else { cards(a, b) },
        home: homes(a, b, crowded & crowd::HOME != 0),
        phone: if crowded & crowd::PHONE != 0 { phone::MISSING } else { phones(a.phone, b.phone) },
        one_place: u8::from(a.institution != NONE && a.institution == b.institution),
        gap: match (a.seen, b.seen) {
            (NO_DAY, _) | (_, NO_DAY) => gap::MISSING,
            (x, y) => match x.abs_diff(y) {
                0..=90 => 0,
                91..=365 => 1,
                366..=900 => 2,
                _ => 3,
            },
        },
        namesakes: 0,
        birth_errors: 0,
        sex_errors: 0,
    }
}

/// Levels of family and given name.
pub(crate) fn names(a: &Row, b: &Row, forms: &Forms) -> (u8, u8) {
    if a.is_baby() || b.is_baby() {
        return babies(a, b, forms);
    }
    let straight = in_order(a, b, forms);
    if straight.0 < name::EDIT && straight.1 < name::EDIT {
        return straight;
    }
    let turned = Row { fk: b.gk, gk: b.fk, fy: b.gy, gy: b.fy, ..*b };
    let complete = |r: &Row| (r.gy != NONE && r.fy != NONE) || (r.gk != NONE && r.fk != NONE);
    if complete(a) && complete(b) {
        let crossed = in_order(a, &turned, forms);
        // an exchange counts only when nothing else is wrong
        let clean = |level| matches!(level, name::BOTH | name::READ | name::READ_ONLY | name::WRITTEN);
        if clean(crossed.0) && clean(crossed.1) {
            return (crossed.0, name::SWAPPED);
        }
    }
    straight
}

/// A newborn under the mother's name: only the family name says something, and between two newborns what the mother is called and which
/// of her children it is.
fn babies(a: &Row, b: &Row, forms: &Forms) -> (u8, u8) {
    let (family, given) = in_order(a, b, forms);
    if !(a.is_baby() && b.is_baby()) {
        return (family, name::BABY);
    }
    if name::same(given) && !other_child(a, b, forms) {
        return (family, name::BABIES);
    }
    // a newborn has no alias (通称名) and was never married: of two names nothing is left that could be another name of one child
    let family = if matches!(family, name::FIRST_LETTER | name::DIFFERENT) { name::MISSING } else { family };
    (family, if given == name::FIRST_LETTER { given } else { name::DIFFERENT })
}

/// Whether two rows, one or both of them newborns under the mother's name, cannot be one child.
pub(crate) fn babies_contradict(a: &Row, b: &Row, forms: &Forms) -> bool {
    let (family, given) = in_order(a, b, forms);
    let both = a.is_baby() && b.is_baby();
    !matches!(births(a.birth, b.birth), birth::SAME | birth::MISSING)
        || matches!(family, name::FIRST_LETTER | name::DIFFERENT)
        || sexes(a.sex, b.sex) == sex::DIFFERENT
        || (both && (given == name::DIFFERENT || other_child(a, b, forms)))
}

/// Whether both rows say which child of the mother it is (第1子, ベビー2), and not the same.
fn other_child(a: &Row, b: &Row, forms: &Forms) -> bool {
    let number = |r: &Row| [r.gk, r.gy, r.fk, r.fy].into_iter().find_map(|f| stand_in::child(forms.letters(f)));
    number(a).zip(number(b)).is_some_and(|(x, y)| x != y)
}

/// How one part of a name compares in one script.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Same,
    Folded,
    Edit,
    FirstLetter,
    Different,
    Missing,
}

fn in_order(a: &Row, b: &Row, forms: &Forms) -> (u8, u8) {
    let (read_family, read_given) = script((a.fy, a.gy), (b.fy, b.gy), |x, y| reading(x, y, forms), forms);
    let (written_family, written_given) = script((a.fk, a.gk), (b.fk, b.gk), |x, y| writing(x, y, forms), forms);
    (together(read_family, written_family), together(read_given, written_given))
}

fn together(read: Level, written: Level) -> u8 {
    use Level::{Different, Edit, FirstLetter, Folded, Missing, Same};
    match (read, written) {
        (Same, Same) => name::BOTH,
        (Same, Missing) => name::READ,
        (Same, _) => name::READ_ONLY,
        (_, Same) => name::WRITTEN,
        (Folded, Missing) => name::FOLDED,
        (Edit, Missing) => name::EDIT,
        (Folded | Edit, _) => name::NEAR_WRITTEN_OTHERWISE,
        (Missing, Missing) => name::MISSING,
        (FirstLetter, _) | (_, FirstLetter) => name::FIRST_LETTER,
        (Different | Missing, _) => name::DIFFERENT,
    }
}

type Parts = (Form, Form);

/// Family and given name in one script; a name without a break is held against the other one's parts. Of two without a break the whole is
/// judged once: where they differ nobody knows which part it is, so that the given name counts as differing and the family name as unknown.
fn script(a: Parts, b: Parts, judge: impl Fn(Form, Form) -> Level, forms: &Forms) -> (Level, Level) {
    let (one, other) = (a.1 == NONE && a.0 != NONE, b.1 == NONE && b.0 != NONE);
    if one == other {
        if one {
            let level = judge(a.0, b.0);
            return (if matches!(level, Level::FirstLetter | Level::Different) { Level::Missing } else { level }, level);
        }
        return (judge(a.0, b.0), judge(a.1, b.1));
    }
    let (whole, parts) = if one { (a.0, b) } else { (b.0, a) };
    if parts.0 == NONE || parts.1 == NONE {
        return (Level::Missing, Level::Missing);
    }
    let (whole, family, given) = (forms.letters(whole), forms.letters(parts.0), forms.letters(parts.1));
    let side = |rest: &[char], part: &[char]| {
        if rest == part {
            Level::Same
        } else if one_edit(rest, part) {
            Level::Edit
        } else {
            Level::Different
        }
    };
    match (whole.strip_prefix(family), whole.strip_suffix(given)) {
        (Some(rest), _) => (Level::Same, side(rest, given)),
        (None, Some(rest)) => (side(rest, family), Level::Same),
        (None, None) => (Level::Different, Level::Different),
    }
}

fn reading(a: Form, b: Form, forms: &Forms) -> Level {
    if a == NONE || b == NONE {
        return Level::Missing;
    }
    if a == b {
        return Level::Same;
    }
    let (x, y) = (forms.letters(a), forms.letters(b));
    if forms.folded(a) == forms.folded(b) {
        Level::Folded
    } else if one_edit(x, y) {
        Level::Edit
    } else if x.first() == y.first() {
        Level::FirstLetter
    } else {
        Level::Different
    }
}

/// Writings in two scripts (Latin letters, kana, ideographs) are not compared: one name can be written in both.
fn writing(a: Form, b: Form, forms: &Forms) -> Level {
    if a == NONE || b == NONE {
        return Level::Missing;
    }
    let (one, other) = (forms.alphabet(a), forms.alphabet(b));
    if one == Alphabet::Kana || one != other {
        return Level::Missing;
    }
    if a == b {
        return Level::Same;
    }
    let (x, y) = (forms.letters(a), forms.letters(b));
    if forms.has_gap(a) || forms.has_gap(b) {
        let known = |letters: &[char]| letters.iter().any(|&c| c != UNKNOWN);
        let fits = x.len() == y.len() && x.iter().zip(y).all(|(p, q)| p == q || *p == UNKNOWN || *q == UNKNOWN);
        if fits {
            return if known(x) && known(y) { Level::Same } else { Level::Missing };
        }
    }
    if one == Alphabet::Latin && one_edit(x, y) {
        Level::Edit
    } else if x.first() == y.first() {
        Level::FirstLetter
    } else {
        Level::Different
    }
}

/// One letter changed, missing or too many, or two neighbours exchanged.
pub(crate) fn one_edit<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if b.len() - a.len() > 1 {
        return false;
    }
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    match (&a[start..a.len() - end], &b[start..b.len() - end]) {
        ([], [_]) | ([_], [_]) => true,
        ([p, q], [r, s]) => p == s && q == r,
        _ => false,
    }
}

/// The same of the digits of two numbers.
fn one_digit(a: u64, b: u64) -> bool {
    if (a | b) >> 63 != 0 {
        return false;
    }
    let spread = |mut n: u64| {
        let (mut digits, mut len) = ([0u8; 20], 0);
        while n > 0 && len < 20 {
            digits[len] = (n % 10) as u8;
            n /= 10;
            len += 1;
        }
        (digits, len)
    };
    let ((x, m), (y, n)) = (spread(a), spread(b));
    one_edit(&x[..m], &y[..n])
}

pub(crate) fn births(a: i32, b: i32) -> u8 {
    if a == NO_DAY || b == NO_DAY {
        return birth::MISSING;
    }
    if a == b {
        return birth::SAME;
    }
    let ((ya, ma, da), (yb, mb, db)) = (civil_from_days(a), civil_from_days(b));
    match (ya == yb, ma == mb, da == db) {
        (true, true, _) => birth::DAY,
        (true, false, true) => birth::MONTH,
        (false, true, true) => birth::YEAR,
        (true, ..) if (ma == db && mb == da) || (ma, da) == (1, 1) || (mb, db) == (1, 1) => birth::EXCHANGED,
        (true, ..) => birth::YEAR_ONLY,
        _ => birth::DIFFERENT,
    }
}

pub(crate) fn sexes(a: u8, b: u8) -> u8 {
    match (a, b) {
        (0, _) | (_, 0) => sex::MISSING,
        (x, y) if x == y => sex::SAME,
        _ => sex::DIFFERENT,
    }
}

fn cards(a: &Row, b: &Row) -> u8 {
    if !a.has_card() || !b.has_card() {
        return card::MISSING;
    }
    let (insurer, symbol, number) = (a.insurer == b.insurer, a.symbol == b.symbol, a.number == b.number);
    match (insurer, symbol, number) {
        (true, true, true) if a.own_card() => card::OWN,
        (true, true, true) => match (a.branch, b.branch) {
            (NO_BRANCH, _) | (_, NO_BRANCH) => card::SAME,
            (x, y) if x == y => card::OWN,
            _ => card::OTHER_BRANCH,
        },
        // short numbers are one digit off from many others
        (true, true, false) if a.number.min(b.number) > 9_999 && one_digit(a.number, b.number) => card::NEAR,
        (true, false, true) if a.number > 999 => card::NEAR,
        (false, true, true) if a.number > 9_999 && one_digit(u64::from(a.insurer), u64::from(b.insurer)) => card::NEAR,
        (true, ..) => card::INSURER,
        _ => card::DIFFERENT,
    }
}

fn homes(a: &Row, b: &Row, crowded: bool) -> u8 {
    let postal = a.postal != 0 && a.postal == b.postal;
    let place = a.place != 0 && a.place == b.place;
    if (a.place == 0 || b.place == 0) && (a.postal == 0 || b.postal == 0) {
        return home::MISSING;
    }
    if !postal && !place {
        return home::DIFFERENT;
    }
    if a.numbers == 0 || b.numbers == 0 || crowded {
        return home::PLACE;
    }
    if a.numbers == b.numbers {
        return home::SAME;
    }
    let ((x, m), (y, n)) = (contact::numbers(a.numbers), contact::numbers(b.numbers));
    let differing = x.iter().zip(&y).filter(|(p, q)| p != q).count();
    if place && differing == 1 && m.max(n) > 1 && (m == n || x[..m.min(n)] == y[..m.min(n)]) { home::NEAR } else { home::PLACE }
}

pub(crate) fn phones(a: u64, b: u64) -> u8 {
    if a == 0 || b == 0 {
        return phone::MISSING;
    }
    match (a == b, contact::is_mobile(a), contact::is_mobile(b)) {
        (true, true, _) => phone::MOBILE,
        (true, false, _) => phone::LAND,
        _ if one_digit(a, b) => phone::NEAR,
        (false, true, true) => phone::DIFFERENT_MOBILES,
        _ => phone::DIFFERENT,
    }
}
