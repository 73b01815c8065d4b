//! Names without a break are cut where the names that came in two parts say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::forms::{Form, Forms, NONE};
use crate::hash::FastMap;
use crate::row::{Row, flag};

/// A name part must be borne by this many people to be kept: what few people bear is no knowledge about names but about people.
pub(crate) const FEWEST: u32 = 3;

/// Tells whether a text is borne by [`FEWEST`] people at least. People are told apart by their birth dates: one person, however often and in
/// however many spellings recorded, counts once, all without a birth date together once, and twins once.
pub(crate) struct Bearers(Vec<[i32; FEWEST as usize]>);

/// No day that a row can have beside [`NO_DAY`](crate::row::NO_DAY).
const FREE: i32 = i32::MAX;

impl Bearers {
    pub fn new(forms: &Forms) -> Self {
        Self(vec![[FREE; FEWEST as usize]; forms.len()])
    }

    pub fn add(&mut self, form: Form, birth: i32) {
        for day in &mut self.0[form as usize] {
            if *day == birth {
                return;
            }
            if *day == FREE {
                *day = birth;
                return;
            }
        }
    }

    pub fn are_enough(&self, form: Form) -> bool {
        self.0[form as usize].iter().all(|day| *day != FREE)
    }
}

/// How often a text was a family name and a given name.
#[derive(Default, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lexicon(pub BTreeMap<String, (u32, u32)>);

impl Lexicon {
    /// Counts the rows whose names came in two parts. Only texts of several people are kept.
    pub fn learn(rows: &[Row], forms: &Forms) -> Self {
        let mut counts = vec![(0u32, 0u32); forms.len()];
        let mut bearers = Bearers::new(forms);
        let mut seen = |family: Form, given: Form, birth: i32| {
            if family != NONE && given != NONE {
                counts[family as usize].0 += 1;
                counts[given as usize].1 += 1;
                bearers.add(family, birth);
                bearers.add(given, birth);
            }
        };
        for row in rows.iter().filter(|r| r.linkable() && !r.is_baby()) {
            seen(row.fk, row.gk, row.birth);
            seen(row.fy, row.gy, row.birth);
        }
        let often = (0..).zip(counts).filter(|(form, (f, g))| (*f).max(*g) >= FEWEST && bearers.are_enough(*form));
        Self(often.map(|(form, n)| (forms.text(form), n)).collect())
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
        let mut whole: Vec<Form> = Vec::new();
        for row in rows.iter() {
            whole.extend((row.flags & flag::JOINED_WRITTEN != 0).then_some(row.fk));
            whole.extend((row.flags & flag::JOINED_READ != 0).then_some(row.fy));
        }
        whole.sort_unstable();
        whole.dedup();
        let mut parts: FastMap<Form, (Form, Form)> = FastMap::default();
        for form in whole {
            let letters = forms.letters(form).to_vec();
            let Some(at) = self.cut(&letters) else { continue };
            let mut number = |part: &[char]| forms.number(&part.iter().collect::<String>());
            parts.insert(form, (number(&letters[..at]), number(&letters[at..])));
        }
        if parts.is_empty() {
            return;
        }
        for row in rows {
            if let Some(&(family, given)) = parts.get(&row.fk).filter(|_| row.flags & flag::JOINED_WRITTEN != 0) {
                (row.fk, row.gk) = (family, given);
                row.flags &= !flag::JOINED_WRITTEN;
            }
            if let Some(&(family, given)) = parts.get(&row.fy).filter(|_| row.flags & flag::JOINED_READ != 0) {
                (row.fy, row.gy) = (family, given);
                row.flags &= !flag::JOINED_READ;
            }
        }
    }
}
