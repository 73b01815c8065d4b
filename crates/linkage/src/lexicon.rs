//! Names without a break are cut where the names that came in two parts say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::forms::{Form, Forms, NONE};
use crate::hash::FastMap;
use crate::row::{NO_DAY, Row, flag};
use crate::text::UNKNOWN;

/// A name part must be borne by this many people to be kept: what few people bear is no knowledge about names but about people.
pub(crate) const FEWEST: u32 = 3;

/// A few different values, and no more of them than matter.
#[derive(Clone, Copy)]
pub(crate) struct Few<T>([Option<T>; FEWEST as usize]);

impl<T: Copy + PartialEq> Few<T> {
    pub const NONE: Self = Self([None; FEWEST as usize]);

    pub fn add(&mut self, value: T) {
        self.add_unless(value, |known| known == value);
    }

    /// Adds a value unless one that is there is as good as it.
    pub fn add_unless(&mut self, value: T, same: impl Fn(T) -> bool) {
        for place in &mut self.0 {
            match place {
                Some(known) if same(*known) => return,
                Some(_) => {}
                None => return *place = Some(value),
            }
        }
    }

    pub fn is_full(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }
}

/// Tells whether a text is borne by [`FEWEST`] people at least, before anybody knows which rows are one person. A person has one birth date and,
/// beside a family name, one given name (or beside a given name one family name); slips make several of each. So bearers count as so many only
/// where there are so many birth dates *and* so many first letters of the other part of the name: no slip of a date, no missing date, no
/// other spelling and no twin makes a further person, and whom linkage makes one person has one given name. It is a property of the set of
/// rows, whatever their order.
pub(crate) struct Bearers(Vec<(Few<i32>, Few<char>)>);

impl Bearers {
    pub fn new(forms: &Forms) -> Self {
        Self(vec![(Few::NONE, Few::NONE); forms.len()])
    }

    /// A bearer of both parts of a name.
    pub fn add(&mut self, family: Form, given: Form, birth: i32, forms: &Forms) {
        for (form, other) in [(family, given), (given, family)] {
            let (births, letters) = &mut self.0[form as usize];
            if birth != NO_DAY {
                births.add(birth);
            }
            first_letter(other, forms).into_iter().for_each(|letter| letters.add(letter));
        }
    }

    pub fn are_enough(&self, form: Form) -> bool {
        let (births, letters) = &self.0[form as usize];
        births.is_full() && letters.is_full()
    }
}

/// The first letter of a text, where it is known.
fn first_letter(form: Form, forms: &Forms) -> Option<char> {
    forms.letters(form).first().copied().filter(|letter| *letter != UNKNOWN)
}

/// How often a text was a family name and a given name.
#[derive(Default, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lexicon(pub BTreeMap<String, (u32, u32)>);

impl Lexicon {
    /// Counts the rows whose names came in two parts. Only texts of several people are kept.
    pub fn learn(rows: &[Row], forms: &Forms) -> Self {
        let mut learning = Learning::new(forms);
        rows.iter().for_each(|row| learning.add(row, forms));
        learning.lexicon(forms)
    }

    /// Where a name without a break has its break: letters of the family name.
    fn cut(&self, whole: &[char]) -> Option<usize> {
        let count = |part: &[char]| self.0.get(&part.iter().collect::<String>()).copied().unwrap_or_default();
        let score = |at: usize| f64::from(count(&whole[..at]).0) * (f64::from(count(&whole[at..]).1) + 0.1);
        let best = (1..whole.len()).map(|at| (at, score(at))).filter(|(_, s)| *s > 0.0);
        best.fold(None, |best: Option<(usize, f64)>, next| if best.is_none_or(|b| next.1 > b.1) { Some(next) } else { best })
            .map(|(at, _)| at)
    }

    /// Cuts the names of all rows that came in one piece.
    pub fn split(&self, rows: &mut [Row], forms: &mut Forms) {
        let mut whole = vec![false; forms.len()];
        rows.iter().for_each(|row| mark_whole(row, &mut whole));
        let cuts = self.cuts(&whole, forms);
        rows.iter_mut().for_each(|row| cuts.cut(row));
    }

    /// Where the names that are marked (see [`mark_whole`]) have their break.
    pub fn cuts(&self, whole: &[bool], forms: &mut Forms) -> Cuts {
        let mut parts: FastMap<Form, (Form, Form)> = FastMap::default();
        for form in (0..).zip(whole).filter(|(_, whole)| **whole).map(|(form, _)| form) {
            let letters = forms.letters(form).to_vec();
            let Some(at) = self.cut(&letters) else { continue };
            let mut number = |part: &[char]| forms.number(&part.iter().collect::<String>());
            parts.insert(form, (number(&letters[..at]), number(&letters[at..])));
        }
        Cuts(parts)
    }
}

/// Marks the names of a row that came in one piece, by their forms.
pub(crate) fn mark_whole(row: &Row, whole: &mut [bool]) {
    for (joined, form) in [(flag::JOINED_WRITTEN, row.fk), (flag::JOINED_READ, row.fy)] {
        if row.flags & joined != 0 {
            whole[form as usize] = true;
        }
    }
}

/// The parts of names that came in one piece.
pub(crate) struct Cuts(FastMap<Form, (Form, Form)>);

impl Cuts {
    /// Cuts the names of a row.
    pub fn cut(&self, row: &mut Row) {
        if let Some(&(family, given)) = self.0.get(&row.fk).filter(|_| row.flags & flag::JOINED_WRITTEN != 0) {
            (row.fk, row.gk) = (family, given);
            row.flags &= !flag::JOINED_WRITTEN;
        }
        if let Some(&(family, given)) = self.0.get(&row.fy).filter(|_| row.flags & flag::JOINED_READ != 0) {
            (row.fy, row.gy) = (family, given);
            row.flags &= !flag::JOINED_READ;
        }
    }
}

/// A lexicon while it is learned, row by row.
pub(crate) struct Learning {
    counts: Vec<(u32, u32)>,
    bearers: Bearers,
}

impl Learning {
    pub fn new(forms: &Forms) -> Self {
        Self { counts: vec![(0, 0); forms.len()], bearers: Bearers::new(forms) }
    }

    pub fn add(&mut self, row: &Row, forms: &Forms) {
        if !row.linkable() || row.is_baby() {
            return;
        }
        for (family, given) in [(row.fk, row.gk), (row.fy, row.gy)] {
            if family != NONE && given != NONE {
                self.counts[family as usize].0 += 1;
                self.counts[given as usize].1 += 1;
                self.bearers.add(family, given, row.birth, forms);
            }
        }
    }

    pub fn lexicon(self, forms: &Forms) -> Lexicon {
        let counted = (0..).zip(self.counts);
        let often = counted.filter(|(form, (f, g))| (*f).max(*g) >= FEWEST && self.bearers.are_enough(*form));
        Lexicon(often.map(|(form, n)| (forms.text(form), n)).collect())
    }
}
