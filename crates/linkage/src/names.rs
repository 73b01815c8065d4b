//! Names of a run, each distinct form kept once and known by a number.

use std::collections::HashMap;

use crate::text;

/// Number of a form in [`Forms`]; [`NONE`] where there is none.
pub(crate) type Form = u32;
/// No value.
pub(crate) const NONE: Form = 0;

/// Distinct forms of names.
pub(crate) struct Forms {
    by_text: HashMap<Box<str>, Form>,
    letters: Vec<Box<[char]>>,
}

impl Forms {
    pub fn new() -> Self {
        Self { by_text: HashMap::from([(Box::from(""), NONE)]), letters: vec![Box::from([])] }
    }

    fn number(&mut self, text: &str) -> Form {
        if let Some(&form) = self.by_text.get(text) {
            return form;
        }
        let form = self.letters.len() as Form;
        self.letters.push(text.chars().collect());
        self.by_text.insert(text.into(), form);
        form
    }

    /// The letters of a form.
    pub fn letters(&self, form: Form) -> &[char] {
        self.letters.get(form as usize).map_or(&[], |l| l)
    }

    /// How many forms there are.
    pub fn len(&self) -> usize {
        self.letters.len()
    }
}

/// A name in one script. In a name written without a break `family` and `given` are [`NONE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Script {
    pub family: Form,
    pub given: Form,
    pub whole: Form,
}

impl Script {
    fn new(forms: &mut Forms, family: &str, given: &str) -> Self {
        let squeeze = |s: &str| s.replace(' ', "");
        let (family, given) = match (family.is_empty(), given.is_empty()) {
            (false, true) => family.split_once(' ').unwrap_or(("", family)),
            (true, false) => given.split_once(' ').unwrap_or(("", given)),
            _ => (family, given),
        };
        let (family, given) = (squeeze(family), squeeze(given));
        let whole = forms.number(&format!("{family}{given}"));
        match family.is_empty() || given.is_empty() {
            true => Self { family: NONE, given: NONE, whole },
            false => Self { family: forms.number(&family), given: forms.number(&given), whole },
        }
    }

    pub fn joined(self) -> bool {
        self.whole != NONE && self.given == NONE
    }

    pub fn swapped(self) -> Self {
        Self { family: self.given, given: self.family, whole: self.whole }
    }
}

/// A name as read and as written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Name {
    pub read: Script,
    pub written: Script,
}

impl Name {
    /// From the parts after `text::plain`. A reading that stands only in the ideographic field is taken as the reading; Latin letters
    /// stand in where nothing else does.
    pub fn new(forms: &mut Forms, written: [&str; 2], read: [&str; 2], latin: &str) -> Self {
        let empty = |parts: [&str; 2]| parts.iter().all(|p| p.is_empty());
        let read = if empty(read) && !empty(written) && written.iter().all(|p| text::is_kana(p)) { written } else { read };
        let written = if empty(written) { [latin, ""] } else { written };
        let kana = read.map(text::kana);
        let kanji = written.map(text::kanji);
        Self { read: Script::new(forms, &kana[0], &kana[1]), written: Script::new(forms, &kanji[0], &kanji[1]) }
    }

    pub fn is_empty(&self) -> bool {
        self.read.whole == NONE && self.written.whole == NONE
    }
}
