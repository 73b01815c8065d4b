//! The codes of a data set's tables as histories, and back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray};
use serde::{Deserialize, Serialize};

use super::{Counted, Forest, GONE, Histories, Rule, loss, repair};
use crate::AnonymityError;
use crate::profile::{Events, Profile, Rollup, Treatment, split_column};
use crate::treat::OTHER;
use crate::treat::codes::{Coded, Fate, next_cut};

/// What was done about combinations of codes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventsReport {
    /// Codes that others can know of a person.
    pub known: u32,
    /// Persons that have a combination at least.
    pub k: u32,
    /// Whether combinations were counted within classes of quasi-identifiers.
    pub within_classes: bool,
    /// Columns.
    pub columns: Vec<String>,
    /// What too few persons had, before; within classes: summed over them.
    pub before: Counted,
    /// Codes of persons, each once a person.
    pub codes: u64,
    /// Of them those that are shown in a coarser form for it.
    pub coarser: u64,
    /// Of them those that are shown as they are, without what stood beside them.
    #[serde(default)]
    pub bare: u64,
    /// Of them those that are not shown for it.
    pub taken_out: u64,
    /// Rows of those.
    #[serde(default)]
    pub rows_taken_out: u64,
    /// What was lost of all: 0 nothing, 1 everything (normalised certainty penalty).
    pub loss: f64,
}

impl EventsReport {
    /// With what was done in a further pass over the same tables.
    pub(crate) fn and_then(&mut self, further: &EventsReport) {
        self.coarser += further.coarser;
        self.bare += further.bare;
        self.taken_out += further.taken_out;
        self.rows_taken_out += further.rows_taken_out;
        self.loss = (self.loss + further.loss).min(1.0);
    }
}

/// Column of codes: its rows' persons, what its codes became so far, and a number for what stands beside each (0: nothing).
pub(crate) struct Column<'a> {
    pub name: String,
    pub persons: &'a [u32],
    pub coded: &'a mut Coded,
    pub beside: Vec<u32>,
}

/// What became of the rows of a column.
pub(crate) struct Became {
    pub column: String,
    /// The code is gone: such a row leaves as if it had never been, since a mark in its place would lead to the person.
    pub gone: Vec<bool>,
    /// The code is shown without what stood beside it.
    pub bare: Vec<bool>,
}

/// The columns of a profile's events, as table and column.
pub(crate) fn columns(events: &Events) -> impl Iterator<Item = (&str, &str)> {
    events.columns.iter().filter_map(|name| split_column(name))
}

/// Brings combinations of codes that too few persons have to coarser forms: without what stands beside them, then shorter, at last その他; or takes
/// them out: every row of the person with the code. その他 counts as a code that others can know, so that it marks nobody.
///
/// `classes` says of every person which class it is in, where combinations are counted within classes.
///
/// # Errors
/// A column that is none of texts.
pub(crate) fn treat(
    profile: &Profile,
    events: &Events,
    k: u32,
    singles: u32,
    columns: &mut [Column<'_>],
    classes: Option<&[u32]>,
) -> Result<(EventsReport, Vec<Became>), AnonymityError> {
    let mut nodes = Nodes::default();
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let mut persons = 0;
    for (at, column) in columns.iter().enumerate() {
        let rollup = rollup(profile, &column.name);
        let texts = texts(column)?;
        let alone = alone(texts, &column.beside, rollup);
        for ((code, beside), person) in texts.iter().zip(&column.beside).zip(column.persons) {
            persons = persons.max(*person as usize + 1);
            if let Some(code) = code {
                pairs.push((*person, nodes.item(at as u32, code, *beside, alone.contains(code), rollup)));
            }
        }
    }
    let forest = Forest::new(nodes.parents, &nodes.is_code, &nodes.columns)
        .map_err(|e| AnonymityError::Arrow { reason: format!("code forms: {e:?}") })?
        .with_beside(&nodes.beside);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let rule = Rule { k, singles: singles.max(k), known: events.known, threads };
    let mut histories = Histories::new(persons, pairs);
    let before = match classes {
        None => repair(&forest, &mut histories, &rule),
        Some(classes) => within(&forest, &mut histories, &rule, classes),
    };
    let mut changed: HashMap<(u32, u32), u32> = HashMap::new();
    let mut report = EventsReport {
        known: events.known,
        k,
        within_classes: classes.is_some(),
        columns: events.columns.clone(),
        before,
        codes: histories.codes.len() as u64,
        coarser: 0,
        bare: 0,
        taken_out: 0,
        rows_taken_out: 0,
        loss: loss(&forest, &histories),
    };
    for person in 0..histories.persons() {
        for at in histories.range(person) {
            let (code, shown) = (histories.codes[at], histories.shown[at]);
            if shown != code {
                changed.insert((person as u32, code), shown);
                match shown {
                    GONE => report.taken_out += 1,
                    _ if nodes.texts[shown as usize] == nodes.texts[code as usize] => report.bare += 1,
                    _ => report.coarser += 1,
                }
            }
        }
    }
    let mut all = Vec::new();
    for (at, column) in columns.iter_mut().enumerate() {
        let became = show(column, at as u32, &nodes.index, &nodes.texts, &changed)?;
        report.rows_taken_out += became.gone.iter().filter(|gone| **gone).count() as u64;
        all.push(became);
    }
    Ok((report, all))
}

/// Each class by itself.
fn within(forest: &Forest, histories: &mut Histories, rule: &Rule, classes: &[u32]) -> Counted {
    let mut of_class: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for person in (0..histories.persons()).filter(|p| !histories.range(*p).is_empty()) {
        of_class.entry(classes.get(person).copied().unwrap_or(u32::MAX)).or_default().push(person);
    }
    let mut all = Counted::default();
    for persons in of_class.values() {
        let pairs =
            persons.iter().zip(0_u32..).flat_map(|(p, n)| histories.codes[histories.range(*p)].iter().map(move |c| (n, *c)));
        let mut of_class = Histories::new(persons.len(), pairs.collect());
        let before = repair(forest, &mut of_class, rule);
        all.codes += before.codes;
        all.pairs += before.pairs;
        all.threes += before.threes;
        all.persons += before.persons;
        for (person, n) in persons.iter().zip(0..) {
            let range = histories.range(*person);
            histories.shown[range].copy_from_slice(of_class.of(n));
        }
    }
    all
}

fn texts<'a>(column: &'a Column<'_>) -> Result<&'a StringArray, AnonymityError> {
    column.coded.array.as_string_opt::<i32>().ok_or_else(|| {
        let (table, name) = split_column(&column.name).unwrap_or_default();
        AnonymityError::TreatmentUnfit {
            table: table.to_owned(),
            column: name.to_owned(),
            treatment: "events",
            found: column.coded.array.data_type().to_string(),
        }
    })
}

fn rollup<'p>(profile: &'p Profile, column: &str) -> &'p [Rollup] {
    match split_column(column).and_then(|(t, c)| profile.treatment(t, c)) {
        Some(Treatment::Code { rollup, .. }) => rollup,
        _ => &[],
    }
}

/// Codes of a column beside which one and the same always stands, and which are no other code's form: without their companions they would be the same
/// persons' as with them, so that dropping those is no step.
fn alone<'t>(texts: &'t StringArray, beside: &[u32], rollup: &[Rollup]) -> HashSet<&'t str> {
    let mut first: HashMap<&str, u32> = HashMap::new();
    let mut several: HashSet<&str> = HashSet::new();
    for (code, beside) in texts.iter().zip(beside).filter_map(|(code, beside)| Some((code?, *beside))) {
        if *first.entry(code).or_insert(beside) != beside {
            several.insert(code);
        }
    }
    for code in first.keys() {
        let mut form = *code;
        while let Some(shorter) = next_form(form, rollup) {
            form = shorter;
            several.insert(form);
        }
        if *code != OTHER {
            several.insert(OTHER);
        }
    }
    first.into_keys().filter(|code| !several.contains(code)).collect()
}

/// The next shorter form of a code; その他 is not one of them.
pub(crate) fn next_form<'t>(code: &'t str, rollup: &[Rollup]) -> Option<&'t str> {
    next_cut(code, code.len(), rollup).and_then(|length| code.get(..length))
}

/// Codes and forms, each with what stands beside it, numbered as they come.
#[derive(Default)]
struct Nodes {
    index: HashMap<(u32, String, u32), u32>,
    texts: Vec<String>,
    parents: Vec<u32>,
    is_code: Vec<bool>,
    beside: Vec<bool>,
    columns: Vec<u32>,
}

impl Nodes {
    /// A code with what stands beside it; `alone`: the code by itself is nobody's.
    fn item(&mut self, column: u32, code: &str, beside: u32, alone: bool, rollup: &[Rollup]) -> u32 {
        let node = match self.index.get(&(column, code.to_owned(), beside)) {
            Some(node) => *node,
            None if beside == 0 => self.form(column, code, rollup),
            None => {
                let parent = if alone { self.above(column, code, rollup) } else { self.form(column, code, rollup) };
                let node = self.add(column, code, beside, parent);
                self.beside[node as usize] = !alone;
                node
            }
        };
        // A code counts once, with however much beside it.
        let code = if self.beside[node as usize] { self.parents[node as usize] } else { node };
        self.is_code[code as usize] = true;
        node
    }

    /// A code or a form with nothing beside it.
    fn form(&mut self, column: u32, text: &str, rollup: &[Rollup]) -> u32 {
        if let Some(node) = self.index.get(&(column, text.to_owned(), 0)) {
            return *node;
        }
        let parent = self.above(column, text, rollup);
        self.add(column, text, 0, parent)
    }

    fn above(&mut self, column: u32, text: &str, rollup: &[Rollup]) -> u32 {
        match next_form(text, rollup) {
            Some(shorter) => self.form(column, shorter, rollup),
            None if text == OTHER => GONE,
            // その他 stands above all: it says that there is something, and so has to be had by enough.
            None => self.form(column, OTHER, rollup),
        }
    }

    fn add(&mut self, column: u32, text: &str, beside: u32, parent: u32) -> u32 {
        let node = self.texts.len() as u32;
        self.index.insert((column, text.to_owned(), beside), node);
        self.texts.push(text.to_owned());
        self.parents.push(parent);
        self.is_code.push(false);
        self.beside.push(false);
        self.columns.push(column);
        node
    }
}

/// Writes the nodes back to the rows; says of which rows the code is gone, and of which what stood beside it.
fn show(
    column: &mut Column<'_>,
    at: u32,
    index: &HashMap<(u32, String, u32), u32>,
    names: &[String],
    changed: &HashMap<(u32, u32), u32>,
) -> Result<Became, AnonymityError> {
    let array = texts(column)?.clone();
    let mut numbers: HashMap<(&str, u32), Option<u32>> = HashMap::new();
    let mut rows: Vec<Option<&str>> = Vec::with_capacity(array.len());
    let (mut gone, mut bare) = (vec![false; array.len()], vec![false; array.len()]);
    for (row, person) in column.persons.iter().enumerate() {
        let beside = column.beside[row];
        let code = array.is_valid(row).then(|| array.value(row));
        let find = |code: &str| index.get(&(at, code.to_owned(), beside)).copied();
        let node = code.and_then(|code| *numbers.entry((code, beside)).or_insert_with(|| find(code)));
        let to = node.and_then(|node| changed.get(&(*person, node)));
        bare[row] = to.is_some();
        match to {
            None => rows.push(code),
            Some(&GONE) => {
                rows.push(None);
                gone[row] = true;
                column.coded.fates[row] = Fate::Missing;
                column.coded.counts.combined += 1;
            }
            Some(node) => {
                let name = names[*node as usize].as_str();
                rows.push(Some(name));
                if code != Some(name) {
                    column.coded.fates[row] = if name == OTHER { Fate::Other } else { Fate::RolledUp };
                    column.coded.counts.combined += 1;
                }
            }
        }
    }
    let left: HashSet<&str> = rows.iter().flatten().copied().filter(|c| *c != OTHER).collect();
    column.coded.counts.codes_after = left.len();
    let shown: ArrayRef = Arc::new(rows.into_iter().collect::<StringArray>());
    column.coded.array = shown;
    Ok(Became { column: column.name.clone(), gone, bare })
}
