//! Raw rows become [`Row`]s. Names repeat, so that each spelling is normalised once; addresses do not and go straight through.

use crate::contact;
use crate::dates;
use crate::forms::{Form, Forms, NONE};
use crate::hash::{self, FastMap};
use crate::parts::{self, Parts};
use crate::row::{NO_BRANCH, NO_DAY, Row, flag};
use crate::stand_in;
use crate::text;

/// One row as its source writes it; empty where the source says nothing.
#[derive(Default, Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub family: &'a str,
    pub given: &'a str,
    pub family_kana: &'a str,
    pub given_kana: &'a str,
    pub latin: &'a str,
    pub birth: Option<i32>,
    /// 1 male, 2 female, 0 unknown.
    pub sex: u8,
    pub postal_code: &'a str,
    pub address: &'a str,
    pub phone: &'a str,
    pub insurer_number: &'a str,
    pub insured_symbol: &'a str,
    pub insured_number: &'a str,
    pub insured_branch: &'a str,
    pub institution: &'a str,
    pub seen: Option<i32>,
    /// Address and identifier of a table that has them in parts; `address` and the card have no say then.
    pub parts: Option<Parts<'a>>,
}

/// 1000-01-01: a year before it is a year of two digits (61/04/04) or the zero of a program, and no birth date. It is not the sign of a row
/// that names nobody.
const FIRST_DAY: i32 = -354_285;

/// A name in one script: whole where it has no break.
#[derive(Clone, Copy, Default)]
struct Script {
    whole: Form,
    /// The two sides of the first space.
    split: Option<(Form, Form)>,
}

struct Part {
    plain: Box<str>,
    read: Script,
    written: Script,
    is_kana: bool,
    /// Only `stand_in::reason` knows whether this names somebody.
    suspect: bool,
}

/// Normalises rows, with a memory for the spellings of names.
pub(crate) struct Normaliser {
    forms: Forms,
    /// By [`hash::wide`] of the text: with the text itself for a key most of the time would go into fetching texts.
    parts: FastMap<u128, u32>,
    known: Vec<Part>,
    /// The institution of the last row.
    institution: (Box<str>, Form),
    days: FastMap<u128, Option<i32>>,
    buffer: Vec<char>,
}

impl Normaliser {
    pub fn new() -> Self {
        // the first part is the empty one
        let nothing =
            Part { plain: Box::default(), read: Script::default(), written: Script::default(), is_kana: true, suspect: false };
        Self {
            forms: Forms::new(),
            parts: FastMap::default(),
            known: vec![nothing],
            institution: (Box::default(), NONE),
            days: FastMap::default(),
            buffer: Vec::new(),
        }
    }

    /// A date as [`dates::days`] reads it.
    pub fn day(&mut self, raw: &str) -> Option<i32> {
        if let Some(day) = dates::plainly(raw.as_bytes()) {
            return day;
        }
        let key = hash::wide(raw.as_bytes());
        if let Some(day) = self.days.get(&key) {
            return *day;
        }
        let day = dates::days(raw);
        self.days.insert(key, day);
        day
    }

    pub fn into_forms(self) -> Forms {
        self.forms
    }

    fn part(&mut self, raw: &str) -> usize {
        if raw.is_empty() {
            return 0;
        }
        let key = hash::wide(raw.as_bytes());
        if let Some(&at) = self.parts.get(&key) {
            return at as usize;
        }
        let plain = text::plain(raw);
        let mut script = |text: &str| {
            let squeeze = |s: &str| s.replace(' ', "");
            let split = text.trim().split_once(' ').map(|(f, g)| (squeeze(f), squeeze(g)));
            Script {
                whole: self.forms.number(&squeeze(text)),
                split: split.map(|(f, g)| (self.forms.number(&f), self.forms.number(&g))),
            }
        };
        let part = Part {
            read: script(&text::kana(&plain)),
            written: script(&text::kanji(&plain)),
            is_kana: text::is_kana(&plain),
            suspect: !plain.is_empty() && (stand_in::suspect(&plain) || !stand_in::names_somebody(&plain)),
            plain: plain.into(),
        };
        let at = self.known.len();
        self.known.push(part);
        self.parts.insert(key, at as u32);
        at
    }

    /// The row in numbers.
    pub fn row(&mut self, raw: &Raw<'_>) -> Row {
        let mut written = [self.part(raw.family), self.part(raw.given)];
        let mut read = [self.part(raw.family_kana), self.part(raw.given_kana)];
        let latin = self.part(raw.latin);
        let mut row = Row {
            birth: raw.birth.filter(|day| *day >= FIRST_DAY).unwrap_or(NO_DAY),
            seen: raw.seen.unwrap_or(NO_DAY),
            sex: raw.sex,
            phone: contact::phone(raw.phone),
            postal: contact::postal(raw.postal_code),
            ..Row::default()
        };
        if let Some(parts) = &raw.parts {
            let born = (row.birth != NO_DAY).then(|| terms::civil_from_days(row.birth));
            parts::fill(&mut row, parts, born, |text| self.forms.number(text));
            return self.in_parts(row, written, raw.institution);
        }
        (row.place, row.numbers) = contact::home(raw.address, &mut self.buffer);
        let card = contact::card(raw.insurer_number, raw.insured_symbol, raw.insured_number, raw.insured_branch);
        (row.insurer, row.symbol, row.number) = (card.insurer, card.symbol, card.number);
        row.branch = card.branch.unwrap_or(NO_BRANCH);
        if card.wrong_check_digit && card.number != 0 {
            row.flags |= flag::WRONG_CHECK_DIGIT;
        }
        // rows of one institution come together more often than not
        if *self.institution.0 != *raw.institution {
            self.institution = (raw.institution.into(), self.forms.number(raw.institution));
        }
        row.institution = self.institution.1;

        row.flags |= self.stand_in(written, read, latin, &row);
        if row.flags & flag::REASON != 0 {
            return row;
        }
        let empty = |part: usize| self.known[part].plain.is_empty();
        if read.iter().all(|p| empty(*p)) && written.iter().all(|p| self.known[*p].is_kana) {
            read = written;
        }
        if written.iter().all(|p| empty(*p)) {
            written = [latin, self.part("")];
        }
        let name = |parts: [usize; 2], script: fn(&Part) -> Script, joined: u8| {
            let [family, given] = parts.map(|p| script(&self.known[p]));
            match (family.whole, given.whole) {
                (NONE, NONE) => (NONE, NONE, 0),
                (_, NONE) => family.split.map_or((family.whole, NONE, joined), |(f, g)| (f, g, 0)),
                (NONE, _) => given.split.map_or((given.whole, NONE, joined), |(f, g)| (f, g, 0)),
                (f, g) => (f, g, 0),
            }
        };
        let (fy, gy, read_joined) = name(read, |p| p.read, flag::JOINED_READ);
        let (mut fk, mut gk, mut written_joined) = name(written, |p| p.written, flag::JOINED_WRITTEN);
        // a name written in kana says no more than its reading
        let kana = |form| form == NONE || self.forms.alphabet(form) == crate::forms::Alphabet::Kana;
        if (fy != NONE || gy != NONE) && kana(fk) && kana(gk) {
            (fk, gk, written_joined) = (NONE, NONE, 0);
        }
        (row.fk, row.gk, row.fy, row.gy) = (fk, gk, fy, gy);
        row.flags |= read_joined | written_joined;
        if row.fk == NONE && row.gk == NONE && row.fy == NONE && row.gy == NONE {
            row.flags |= stand_in::Unlinkable::Unnamed.bits();
        }
        row
    }

    /// The rest of a row in parts: names as they are written. One that is missing is missing, and nothing is cut out of the other.
    fn in_parts(&mut self, mut row: Row, written: [usize; 2], institution: &str) -> Row {
        row.institution = self.forms.number(institution);
        row.flags |= self.stand_in(written, [0, 0], 0, &row);
        if row.flags & flag::REASON == stand_in::Unlinkable::Unnamed.bits() && row.has_card() {
            // an identifier names somebody where both names are missing
            row.flags &= !flag::REASON;
        }
        [row.fk, row.gk] = written.map(|p| self.known[p].written.whole);
        row
    }

    fn stand_in(&self, written: [usize; 2], read: [usize; 2], latin: usize, row: &Row) -> u8 {
        let parts = [written[0], written[1], read[0], read[1], latin];
        let clear = |p: usize| self.known.get(p).is_some_and(|k| !k.suspect);
        let all_empty = parts.iter().all(|p| self.known[*p].plain.is_empty());
        let filler = row.birth != NO_DAY && stand_in::filler_date(row.birth);
        if !all_empty && !filler && parts.iter().all(|p| clear(*p)) {
            return 0;
        }
        let text = |p: usize| &*self.known[p].plain;
        let known = |day: i32| (day != NO_DAY).then_some(day);
        let reason = stand_in::reason(&stand_in::Row {
            written: written.map(text),
            read: read.map(text),
            latin: text(latin),
            birth: known(row.birth),
            seen: known(row.seen),
            reachable: row.phone != 0 || row.has_home() || row.has_card(),
        });
        match reason {
            None => 0,
            Some(stand_in::Unlinkable::Newborn) => flag::BABY,
            Some(other) => other.bits(),
        }
    }
}
