//! Texts of a run (names, institutions), each distinct one kept once and known by a number.

use crate::hash::FastMap;
use crate::text;

/// Number of a text in [`Forms`]; [`NONE`] where there is none.
pub(crate) type Form = u32;
/// The empty text.
pub(crate) const NONE: Form = 0;

/// How a text is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Alphabet {
    Latin,
    Kana,
    Ideographs,
}

#[derive(Clone, Copy)]
struct Shape {
    start: u32,
    len: u16,
    alphabet: Alphabet,
    /// Some letter is unknown (〓).
    gap: bool,
    /// Hash of the letters with long vowels shortened and voicing dropped.
    folded: u32,
}

/// Letters of a text that count. No name and no institution is longer; what is longer is one text with all that begins like it, and costs no
/// more time than a name.
pub(crate) const LONGEST: usize = 200;

fn capped(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// Distinct texts. Numbers are handed out in the order of arrival until [`Forms::sorted`] puts them in the order of the texts.
#[derive(Clone)]
pub(crate) struct Forms {
    by_text: FastMap<Box<str>, Form>,
    letters: Vec<char>,
    shapes: Vec<Shape>,
}

impl Forms {
    pub fn new() -> Self {
        let mut forms = Self { by_text: FastMap::default(), letters: Vec::new(), shapes: Vec::new() };
        forms.number("");
        forms
    }

    /// The number of a text, a new one if it was not there.
    pub fn number(&mut self, text: &str) -> Form {
        let text = capped(text);
        if let Some(&form) = self.by_text.get(text) {
            return form;
        }
        let form = self.shapes.len() as Form;
        let start = self.letters.len();
        self.letters.extend(text.chars());
        let letters = &self.letters[start..];
        let folded: String = text::short(letters).into_iter().map(text::unvoiced).collect();
        let alphabet = if letters.iter().all(char::is_ascii) {
            Alphabet::Latin
        } else if letters.iter().all(|c| matches!(c, 'ァ'..='ヺ' | 'ー')) {
            Alphabet::Kana
        } else {
            Alphabet::Ideographs
        };
        let shape = Shape {
            start: start as u32,
            len: letters.len() as u16,
            alphabet,
            gap: letters.contains(&text::UNKNOWN),
            folded: crate::hash::bytes(folded.as_bytes()) as u32,
        };
        self.shapes.push(shape);
        self.by_text.insert(text.into(), form);
        form
    }

    /// The number of a text if it is there.
    pub fn find(&self, text: &str) -> Option<Form> {
        self.by_text.get(capped(text)).copied()
    }

    /// The letters of a form.
    pub fn letters(&self, form: Form) -> &[char] {
        let Some(shape) = self.shapes.get(form as usize) else { return &[] };
        let start = shape.start as usize;
        self.letters.get(start..start + usize::from(shape.len)).unwrap_or(&[])
    }

    pub fn text(&self, form: Form) -> String {
        self.letters(form).iter().collect()
    }

    pub fn alphabet(&self, form: Form) -> Alphabet {
        self.shapes.get(form as usize).map_or(Alphabet::Latin, |s| s.alphabet)
    }

    pub fn has_gap(&self, form: Form) -> bool {
        self.shapes.get(form as usize).is_some_and(|s| s.gap)
    }

    pub fn folded(&self, form: Form) -> u32 {
        self.shapes.get(form as usize).map_or(0, |s| s.folded)
    }

    /// How many forms there are.
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// The texts that are used, in their order, and the new numbers of all.
    pub fn subset(&self, used: &[bool]) -> (Forms, Vec<Form>) {
        let mut texts: Vec<(&str, Form)> = self.by_text.iter().map(|(t, f)| (&**t, *f)).collect();
        texts.retain(|(_, f)| used.get(*f as usize).copied().unwrap_or(false));
        texts.sort_unstable();
        let mut kept = Forms::new();
        let mut numbers = vec![NONE; self.len()];
        for (text, form) in texts {
            if let Some(slot) = numbers.get_mut(form as usize) {
                *slot = kept.number(text);
            }
        }
        (kept, numbers)
    }

    /// All texts of several tables in the order of the texts, and for each table the new numbers of its forms.
    pub fn sorted(tables: &[Forms]) -> (Forms, Vec<Vec<Form>>) {
        let mut texts: Vec<&str> = tables.iter().flat_map(|t| t.by_text.keys().map(|k| &**k)).collect();
        texts.sort_unstable();
        texts.dedup();
        let mut all = Forms::new();
        for text in texts {
            all.number(text);
        }
        let renumber = |table: &Forms| {
            let mut new = vec![NONE; table.len()];
            for (text, &form) in &table.by_text {
                if let (Some(slot), Some(number)) = (new.get_mut(form as usize), all.find(text)) {
                    *slot = number;
                }
            }
            new
        };
        let numbers = crate::parallel::pieces(tables.len(), tables.len(), || (), |(), at| renumber(&tables[at]));
        (all, numbers)
    }
}
