//! Two records side by side: how far name, birth date, sex and contacts agree.

use terms::civil_from_days;

use crate::keys::Frequencies;
use crate::names::{Forms, NONE, Name, Script};
use crate::people::Record;
use crate::text::{UNKNOWN, short, unvoiced};

/// How far two readings or writings of one part of a name agree, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Same,
    /// Equal but for long vowels and voicing.
    Folded,
    /// One letter changed, missing, too many, or two exchanged.
    Edit,
    Different,
    Missing,
}

/// How far two persons' family or given names agree, reading and writing taken together, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The reading is the same, or the writing where one has no reading.
    Same,
    /// Written the same and read otherwise, or read almost the same and nothing written against it.
    Like,
    /// One letter of the reading differs and one is not written: a slip or another person.
    Near,
    /// Another name.
    Different,
    /// Nothing to compare.
    Missing,
}

/// Names of two records, at their best.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    pub given: Part,
    pub family: Part,
    /// Both are written, and the given name is written with other characters.
    pub given_written_otherwise: bool,
    /// The whole reading is the same.
    pub read_same: bool,
    /// The whole writing is the same.
    pub written_same: bool,
    /// One of the two is only read, not written.
    pub one_unwritten: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Birth {
    Same,
    /// One of year, month and day is another, or day and month are exchanged, or one is 1 January.
    Near,
    Missing,
    Different,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SexMatch {
    Same,
    Missing,
    Different,
}

/// Everything that the rules look at.
pub(crate) struct Pair {
    pub names: Names,
    pub birth: Birth,
    pub sex: SexMatch,
    pub phone: bool,
    pub home: bool,
    pub card: bool,
    /// The same card with the same branch, or a card that is one person's.
    pub own_card: bool,
    /// The same card with another branch.
    pub other_branch: bool,
    pub same_provider: bool,
}

impl Pair {
    pub fn contacts(&self) -> u32 {
        u32::from(self.phone) + u32::from(self.home) + u32::from(self.card)
    }
}

pub(crate) fn pair(a: &Record, b: &Record, forms: &Forms, frequencies: &Frequencies) -> Pair {
    let common = |x: &[u64], y: &[u64]| x.iter().any(|k| y.contains(k) && !frequencies.is_shared(*k));
    let (mut card, mut own_card, mut other_branch) = (false, false, false);
    for x in &a.cards {
        for y in b.cards.iter().filter(|y| y.key == x.key && !frequencies.is_shared(y.key)) {
            card = true;
            own_card |= x.personal || (x.branch.is_some() && x.branch == y.branch);
            other_branch |= !x.personal && matches!((x.branch, y.branch), (Some(p), Some(q)) if p != q);
        }
    }
    Pair {
        names: names(a, b, forms),
        birth: births(&a.births, &b.births),
        sex: sexes(a, b),
        phone: common(&a.phones, &b.phones),
        home: common(&a.homes, &b.homes),
        card,
        own_card,
        other_branch: other_branch && !own_card,
        same_provider: a.provider.is_some() && a.provider == b.provider,
    }
}

/// The best agreement of any name of one record with any of the other.
pub(crate) fn names(a: &Record, b: &Record, forms: &Forms) -> Names {
    let all = a.names.iter().flat_map(|x| b.names.iter().map(|y| name(x, y, forms)));
    let worse = |n: &Names| (n.given, n.family, n.given_written_otherwise, !n.read_same, !n.written_same, n.one_unwritten);
    all.min_by_key(worse).unwrap_or(Names {
        given: Part::Missing,
        family: Part::Missing,
        given_written_otherwise: false,
        read_same: false,
        written_same: false,
        one_unwritten: false,
    })
}

fn name(a: &Name, b: &Name, forms: &Forms) -> Names {
    let straight = in_order(a, b, forms);
    if straight.given == Part::Same && straight.family == Part::Same {
        return straight;
    }
    let turned = Name { read: b.read.swapped(), written: b.written.swapped() };
    let crossed = in_order(a, &turned, forms);
    // an exchange of family and given name counts only when nothing else is wrong
    let clean = crossed.given == Part::Same && crossed.family == Part::Same && !a.read.joined() && !b.read.joined();
    if clean { Names { read_same: false, written_same: false, ..crossed } } else { straight }
}

fn in_order(a: &Name, b: &Name, forms: &Forms) -> Names {
    let read = script(a.read, b.read, forms, reading);
    let written = script(a.written, b.written, forms, writing);
    Names {
        given: part(read.1, written.1),
        family: part(read.0, written.0),
        given_written_otherwise: written.1 == Level::Different,
        read_same: a.read.whole != NONE && a.read.whole == b.read.whole,
        written_same: a.written.whole != NONE && a.written.whole == b.written.whole,
        one_unwritten: (a.written.whole == NONE) != (b.written.whole == NONE),
    }
}

fn part(read: Level, written: Level) -> Part {
    match (read, written) {
        (Level::Same, _) | (Level::Missing, Level::Same) => Part::Same,
        (Level::Missing, Level::Missing) => Part::Missing,
        (Level::Missing, _) => Part::Different,
        (_, Level::Same) | (Level::Folded, Level::Missing) => Part::Like,
        (Level::Edit, Level::Missing) => Part::Near,
        _ => Part::Different,
    }
}

type Judge = fn(&[char], &[char]) -> Level;

/// Levels of family and given name of one script. A name written without a break is cut where the other one is cut.
fn script(a: Script, b: Script, forms: &Forms, judge: Judge) -> (Level, Level) {
    if a.whole == NONE || b.whole == NONE {
        return (Level::Missing, Level::Missing);
    }
    if a.whole == b.whole {
        return (Level::Same, Level::Same);
    }
    let letters = |form| forms.letters(form);
    match (a.joined(), b.joined()) {
        (false, false) => {
            let level = |x, y| if x == y { Level::Same } else { judge(letters(x), letters(y)) };
            (level(a.family, b.family), level(a.given, b.given))
        }
        (true, false) => cut(letters(a.whole), letters(b.family), letters(b.given), judge),
        (false, true) => cut(letters(b.whole), letters(a.family), letters(a.given), judge),
        (true, true) => match judge(letters(a.whole), letters(b.whole)) {
            Level::Same => (Level::Same, Level::Same),
            Level::Folded => (Level::Folded, Level::Folded),
            Level::Edit => (Level::Same, Level::Edit),
            _ => (Level::Different, Level::Different),
        },
    }
}

fn cut(whole: &[char], family: &[char], given: &[char], judge: Judge) -> (Level, Level) {
    let by_family = whole.strip_prefix(family).map(|rest| (Level::Same, judge(rest, given)));
    let by_given = whole.strip_suffix(given).map(|rest| (judge(rest, family), Level::Same));
    let by_length = whole.split_at_checked(family.len()).map(|(f, g)| (judge(f, family), judge(g, given)));
    let best = [by_family, by_given, by_length].into_iter().flatten().min_by_key(|(f, g)| (*f.max(g), *g));
    best.unwrap_or((Level::Different, Level::Different))
}

fn reading(a: &[char], b: &[char]) -> Level {
    if a == b {
        return Level::Same;
    }
    if a.is_empty() || b.is_empty() {
        return Level::Different;
    }
    let fold = |letters: &[char]| short(letters).into_iter().map(unvoiced).collect::<Vec<_>>();
    if fold(a) == fold(b) {
        Level::Folded
    } else if one_edit(a, b) {
        Level::Edit
    } else {
        Level::Different
    }
}

/// Writings are the same when no known character differs. Writings in two scripts (Latin letters, kana, ideographs) are not compared, and
/// a name written in kana says no more than its reading.
fn writing(a: &[char], b: &[char]) -> Level {
    let known = |letters: &[char]| letters.iter().any(|&c| c != UNKNOWN);
    let fits = a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x == y || *x == UNKNOWN || *y == UNKNOWN);
    match (fits, alphabet(a), alphabet(b)) {
        (true, ..) if known(a) && known(b) => Level::Same,
        (true, ..) | (_, Alphabet::Kana, _) | (_, _, Alphabet::Kana) => Level::Missing,
        (_, x, y) if x != y => Level::Missing,
        _ => Level::Different,
    }
}

#[derive(PartialEq)]
enum Alphabet {
    Latin,
    Kana,
    Ideographs,
}

fn alphabet(letters: &[char]) -> Alphabet {
    if letters.iter().all(char::is_ascii) {
        Alphabet::Latin
    } else if letters.iter().all(|c| matches!(c, 'ァ'..='ヺ' | 'ー')) {
        Alphabet::Kana
    } else {
        Alphabet::Ideographs
    }
}

/// One letter changed, missing or too many, or two neighbours exchanged.
fn one_edit(a: &[char], b: &[char]) -> bool {
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (x, y) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    match (x, y) {
        ([], [_]) | ([_], [_]) => true,
        ([p, q], [r, s]) => p == s && q == r,
        _ => false,
    }
}

pub(crate) fn births(a: &[i32], b: &[i32]) -> Birth {
    let all = a.iter().flat_map(|x| b.iter().map(|y| birth(*x, *y)));
    all.min().unwrap_or(Birth::Missing)
}

fn birth(a: i32, b: i32) -> Birth {
    if a == b {
        return Birth::Same;
    }
    let ((ya, ma, da), (yb, mb, db)) = (civil_from_days(a), civil_from_days(b));
    let near = match (ya == yb, ma == mb, da == db) {
        // one of year, month and day is wrong: a slip, an era taken for another, the first of something for an unknown day
        (true, true, false) | (true, false, true) | (false, true, true) => true,
        (true, false, false) => (ma == db && mb == da) || (ma, da) == (1, 1) || (mb, db) == (1, 1),
        _ => false,
    };
    if near { Birth::Near } else { Birth::Different }
}

pub(crate) fn sexes(a: &Record, b: &Record) -> SexMatch {
    if a.sexes.is_empty() || b.sexes.is_empty() {
        SexMatch::Missing
    } else if a.sexes.iter().any(|s| b.sexes.contains(s)) {
        SexMatch::Same
    } else {
        SexMatch::Different
    }
}
