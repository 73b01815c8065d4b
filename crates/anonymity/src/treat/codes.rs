//! Codes: rare ones are brought to a shorter form that enough persons have, else to その他; local ones and words become
//! その他 at once.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, StringArray};
use serde::{Deserialize, Serialize};

use super::OTHER;
use crate::persons::persons_per_code;
use crate::profile::Rollup;

/// What became of the code of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// There was none.
    Missing,
    /// As it was.
    Kept,
    /// Cut to a shorter form.
    RolledUp,
    /// その他.
    Other,
}

/// How a column of codes is to be treated.
pub struct Rule<'a> {
    /// Shorter forms by system.
    pub rollup: &'a [Rollup],
    /// Codes that fewer persons have are rare; none: no code is.
    pub rare: Option<u32>,
    /// Whether local codes become その他.
    pub local: bool,
    /// Systems that are kept; all when empty.
    pub systems: &'a [String],
}

/// Counts for the report. No code is named: the rare ones are what is to be hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeCounts {
    /// Different codes before.
    pub codes_before: usize,
    /// Different codes after, その他 not counted.
    pub codes_after: usize,
    /// Rows with a shorter form.
    pub rolled_up: usize,
    /// Rows that became その他 because the code was rare.
    pub rare: usize,
    /// Rows that became その他 because the code was local or of a system that is not kept.
    pub local: usize,
    /// Rows that became その他 because words stood instead of a code.
    pub words: usize,
    /// Rows that got a shorter form or became その他 because few persons had the code together with others.
    #[serde(default)]
    pub combined: usize,
}

/// A treated column of codes.
pub struct Coded {
    /// The column that leaves.
    pub array: ArrayRef,
    /// What became of each row.
    pub fates: Vec<Fate>,
    /// Counts.
    pub counts: CodeCounts,
}

impl Coded {
    /// Without the codes of some rows, as if none had stood there.
    ///
    /// # Errors
    /// None that these types can raise; Arrow's.
    pub(crate) fn empty(&mut self, rows: &[bool]) -> Result<(), arrow::error::ArrowError> {
        self.array = arrow::compute::nullif(&self.array, &BooleanArray::from(rows.to_vec()))?;
        self.fates.iter_mut().zip(rows).filter(|(_, empty)| **empty).for_each(|(fate, _)| *fate = Fate::Missing);
        Ok(())
    }

    /// Some of the rows.
    ///
    /// # Errors
    /// None that these types can raise; Arrow's.
    pub(crate) fn keep(&mut self, rows: &BooleanArray) -> Result<(), arrow::error::ArrowError> {
        self.array = arrow::compute::filter(&self.array, rows)?;
        let mut at = 0..;
        self.fates.retain(|_| at.next().is_some_and(|row| rows.value(row)));
        Ok(())
    }
}

/// System and code of `SYSTEM:code`; the system of a bare code is the empty text.
pub fn split(code: &str) -> (&str, &str) {
    code.split_once(':').unwrap_or(("", code))
}

/// Code systems that anybody may use, as the readers name them: laboratory, drugs, diagnoses, acts, checkups, and what HL7, JAHIS and the
/// claims system publish. A profile may name others for a column.
const PUBLIC: &[&str] = &[
    "JLAC10", "JC10", "JLAC11", "JC11", "LOINC", "LN", "J-FAGY", "HOT7", "HOT9", "HOT13", "YJ", "GENERAL", "ATC", "MDCDX1",
    "MDCDX2", "ICD10", "I10", "I10P", "ICD9", "I9C", "SCT", "RECEIPT", "JJ1017", "LENDO", "CHECKUP", "DPC", "MR9P", "UCUM", "EF",
    "E", "D",
];

/// Whether a code system is one that anybody may use: of the list, a table of HL7 (`HL70127`) or JAHIS (`JHSD0004`, `JSHR002`), or an item
/// of a published table by its number.
pub fn is_public(system: &str) -> bool {
    let digits =
        |text: &str, from: usize, to: usize| (from..=to).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let table =
        ["HL7", "JHSD", "JHSR", "JHSE", "JSHR"].iter().filter_map(|start| system.strip_prefix(start)).any(|n| digits(n, 3, 4));
    PUBLIC.contains(&system) || table || (digits(system, 3, 5) && !system.starts_with("99"))
}

/// Whether a code system is an institution's own: everything that is not known to be public, since the name of a system (`99…`, `L`, the
/// address of a hospital's server) can be the hospital's name.
pub fn is_local(system: &str) -> bool {
    let system = system.trim();
    !system.is_empty() && !is_public(system)
}

/// Whether any of the codes of `SYSTEM:code+SYSTEM:code` or `SYSTEM:code SYSTEM:code` is of an institution's own table. A second colon, or a
/// word without a digit beside a code, is part of a system's name, which then is none that is known.
fn names_local(code: &str, allowed: &[String]) -> bool {
    let joined = code.contains(['+', ' ']);
    code.split(['+', ' ']).any(|part| match part.split_once(':') {
        Some((system, bare)) => (is_local(system) || bare.contains(':')) && !allowed.iter().any(|a| a == system),
        None => joined && !part.is_empty() && !part.bytes().any(|b| b.is_ascii_digit()),
    })
}

/// Whether a text has the form of a code: no words, no telephone number, no mail address.
pub fn is_code(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_graphic() && b != b'@') && !is_telephone(text)
}

/// Several codes of public systems with a blank between them, as readers write what a field says in two ways.
fn are_codes(text: &str) -> bool {
    text.contains(' ')
        && text.len() <= 64
        && text.split(' ').map(split).all(|(system, bare)| !is_text(system) && super::texts::is_public(system, bare))
}

/// Groups of digits with a hyphen between them that begin with 0: no code of a public system is written so.
fn is_telephone(text: &str) -> bool {
    let text = text.strip_prefix("+81-").unwrap_or(text);
    text.len() != text.trim_start_matches(['0', '(']).len()
        && text.contains('-')
        && text.bytes().all(|b| b.is_ascii_digit() || b"-()".contains(&b))
        && text.bytes().filter(u8::is_ascii_digit).count() >= 9
}

/// The system that the readers of providers' formats write before a text where no code was.
fn is_text(system: &str) -> bool {
    system.eq_ignore_ascii_case("text")
}

/// Whether words stand instead of a code.
fn is_words(code: &str) -> bool {
    let (system, bare) = split(code);
    let coded = is_code(bare) && (system.is_empty() || is_code(system)) && !is_text(system);
    !coded && !are_codes(code)
}

/// Whether a code is local, or of a system that is not kept.
fn is_foreign(code: &str, local: bool, systems: &[String]) -> bool {
    (local && names_local(code, systems)) || !(systems.is_empty() || systems.iter().any(|s| s == split(code).0))
}

/// Whether a code can be shown, however many have it: words and local codes become その他 at once.
pub(crate) fn can_be_shown(code: &str, local: bool, systems: &[String]) -> bool {
    !is_words(code) && !is_foreign(code, local, systems)
}

/// Whether a code is shown so, as it is or brought to one of the forms that its system's roll-up has.
pub(crate) fn leads_to(code: &str, shown: &str, rollup: &[Rollup]) -> bool {
    let mut length = code.len();
    while length > shown.len() {
        match next_cut(code, length, rollup) {
            Some(shorter) => length = shorter,
            None => return false,
        }
    }
    code.get(..length) == Some(shown)
}

enum Form {
    /// The first `usize` bytes of the code.
    Cut(usize),
    Rare,
    Local,
    Words,
}

/// Forms of a code from the longest: its whole length, then the lengths of its system's roll-up.
pub(crate) fn next_cut(code: &str, now: usize, rollup: &[Rollup]) -> Option<usize> {
    let (system, bare) = split(code);
    let head = code.len() - bare.len();
    let lengths = &rollup.iter().find(|r| r.system == system)?.lengths;
    lengths.iter().map(|l| head + l).filter(|l| *l < now && *l > head).max()
}

/// Treats a column of text codes; `persons` is the person of each row.
pub fn treat(column: &StringArray, persons: &[u32], rule: &Rule<'_>) -> Coded {
    let mut index: HashMap<&str, u32> = HashMap::new();
    let mut codes: Vec<&str> = Vec::new();
    let rows: Vec<Option<u32>> = column
        .iter()
        .map(|value| {
            value.map(str::trim).filter(|v| !v.is_empty()).map(|code| {
                *index.entry(code).or_insert_with(|| {
                    codes.push(code);
                    (codes.len() - 1) as u32
                })
            })
        })
        .collect();
    let mut forms: Vec<Form> = codes
        .iter()
        .map(|code| match () {
            () if is_words(code) => Form::Words,
            () if is_foreign(code, rule.local, rule.systems) => Form::Local,
            () => Form::Cut(code.len()),
        })
        .collect();
    if let Some(rare) = rule.rare {
        bring_together(&codes, &mut forms, &rows, persons, rule.rollup, rare);
    }

    let mut counts = CodeCounts { codes_before: codes.len(), ..CodeCounts::default() };
    let mut kept: Vec<&str> = Vec::new();
    for (code, form) in codes.iter().zip(&forms) {
        if let Form::Cut(length) = form {
            kept.push(&code[..*length]);
        }
    }
    kept.sort_unstable();
    kept.dedup();
    counts.codes_after = kept.len();
    let mut fates = Vec::with_capacity(rows.len());
    let array: StringArray = rows
        .iter()
        .map(|row| {
            let Some(n) = row else {
                fates.push(Fate::Missing);
                return None;
            };
            let code = codes[*n as usize];
            let (fate, shown, counter) = match forms[*n as usize] {
                Form::Cut(length) if length == code.len() => (Fate::Kept, code, None),
                Form::Cut(length) => (Fate::RolledUp, &code[..length], Some(&mut counts.rolled_up)),
                Form::Rare => (Fate::Other, OTHER, Some(&mut counts.rare)),
                Form::Local => (Fate::Other, OTHER, Some(&mut counts.local)),
                Form::Words => (Fate::Other, OTHER, Some(&mut counts.words)),
            };
            if let Some(counter) = counter {
                *counter += 1;
            }
            fates.push(fate);
            Some(shown)
        })
        .collect();
    Coded { array: Arc::new(array), fates, counts }
}

/// Cuts rare codes shorter until enough persons share the form, or gives them up. A form only ever gains persons, so a
/// code that is kept once stays kept, and every round shortens or gives up at least one code.
fn bring_together(codes: &[&str], forms: &mut [Form], rows: &[Option<u32>], persons: &[u32], rollup: &[Rollup], rare: u32) {
    loop {
        let mut index: HashMap<&str, u32> = HashMap::new();
        let of_code: Vec<Option<u32>> = codes
            .iter()
            .zip(forms.iter())
            .map(|(code, form)| match form {
                Form::Cut(length) => {
                    let next = index.len() as u32;
                    Some(*index.entry(&code[..*length]).or_insert(next))
                }
                _ => None,
            })
            .collect();
        let pairs: Vec<(u32, u32)> =
            rows.iter().zip(persons).filter_map(|(row, person)| Some((of_code[(*row)? as usize]?, *person))).collect();
        let counts = persons_per_code(index.len(), pairs);
        let mut changed = false;
        for ((code, form), of) in codes.iter().zip(forms.iter_mut()).zip(&of_code) {
            if let (Form::Cut(length), Some(of)) = (&form, of)
                && counts[*of as usize] < rare
            {
                *form = next_cut(code, *length, rollup).map_or(Form::Rare, Form::Cut);
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

/// Treats a column of concept ids: rare ones become 0.
pub fn treat_concepts(column: &Int32Array, persons: &[u32], rare: Option<u32>) -> Coded {
    let mut index: HashMap<i32, u32> = HashMap::new();
    let rows: Vec<Option<(i32, u32)>> = column
        .iter()
        .map(|value| {
            value.filter(|v| *v != 0).map(|concept| {
                let next = index.len() as u32;
                (concept, *index.entry(concept).or_insert(next))
            })
        })
        .collect();
    let pairs = rows.iter().zip(persons).filter_map(|(row, person)| Some(((*row)?.1, *person))).collect();
    let per_code = persons_per_code(index.len(), pairs);
    let is_rare = |n: u32| rare.is_some_and(|k| per_code[n as usize] < k);
    let mut counts = CodeCounts { codes_before: index.len(), ..CodeCounts::default() };
    counts.codes_after = index.values().filter(|n| !is_rare(**n)).count();
    let mut fates = Vec::with_capacity(rows.len());
    let array: Int32Array = rows
        .iter()
        .zip(column.iter())
        .map(|(row, original)| match row {
            None => {
                fates.push(Fate::Missing);
                original
            }
            Some((_, n)) if is_rare(*n) => {
                counts.rare += 1;
                fates.push(Fate::Other);
                Some(0)
            }
            Some((concept, _)) => {
                fates.push(Fate::Kept);
                Some(*concept)
            }
        })
        .collect();
    Coded { array: Arc::new(array), fates, counts }
}

/// On which rows a concept may be shown beside its code: those whose pair of code and concept enough persons have. A concept
/// says as much as the value that it stands for, so it is counted with the item that it belongs to.
pub fn enough_together(codes: &[Option<String>], concepts: &Int32Array, persons: &[u32], rare: u32) -> Vec<bool> {
    let mut index: HashMap<(&Option<String>, i32), u32> = HashMap::new();
    let rows: Vec<Option<u32>> = codes
        .iter()
        .zip(concepts.iter())
        .map(|(code, concept)| {
            let next = index.len() as u32;
            concept.filter(|c| *c != 0).map(|concept| *index.entry((code, concept)).or_insert(next))
        })
        .collect();
    let pairs = rows.iter().zip(persons).filter_map(|(row, person)| Some(((*row)?, *person))).collect();
    let per_pair = persons_per_code(index.len(), pairs);
    rows.iter().map(|row| row.is_none_or(|n| per_pair[n as usize] >= rare)).collect()
}

/// Classes that too few persons are in become the class of all others.
pub fn treat_classes(classes: &StringArray, persons: &[u32], other: &str, rare: u32) -> StringArray {
    let mut index: HashMap<&str, u32> = HashMap::new();
    let rows: Vec<Option<u32>> = classes
        .iter()
        .map(|class| {
            let next = index.len() as u32;
            class.map(|class| *index.entry(class).or_insert(next))
        })
        .collect();
    let pairs = rows.iter().zip(persons).filter_map(|(row, person)| Some(((*row)?, *person))).collect();
    let per_class = persons_per_code(index.len(), pairs);
    classes
        .iter()
        .zip(&rows)
        .map(|(class, row)| class.map(|class| if row.is_some_and(|n| per_class[n as usize] < rare) { other } else { class }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::names_local;

    #[test]
    fn a_name_that_hides_behind_a_second_colon_or_a_plus_is_local() {
        for code in
            ["KASUMIHOSPITAL+LN:123", "LN:KASUMI-BYOIN:123", "RECEIPT:KASUMI:1", "LN:1+KASUMI", "http://kasumi.jp/loinc:1"]
        {
            assert!(names_local(code, &[]), "{code}");
        }
        for code in ["8838708+8002", "MDCDX2:20059184+8002", "LN:1234-5", "3A010000002327101", "ICD10:I10"] {
            assert!(!names_local(code, &[]), "{code}");
        }
    }
}
