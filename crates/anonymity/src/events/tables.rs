//! The codes of a data set's tables as histories, and back.

use std::collections::{BTreeMap, HashMap};
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
    /// Of them those that are not shown for it.
    pub taken_out: u64,
    /// Rows of those.
    #[serde(default)]
    pub rows_taken_out: u64,
    /// What was lost of all: 0 nothing, 1 everything (normalised certainty penalty).
    pub loss: f64,
}

/// Column of codes: its rows' persons, and what its codes became so far.
pub(crate) struct Column<'a> {
    pub name: String,
    pub persons: &'a [u32],
    pub coded: &'a mut Coded,
}

/// By column, of which rows the code is gone: such a row leaves as if it had never been, since a mark in its place would lead to the person.
pub(crate) type Gone = Vec<(String, Vec<bool>)>;

/// The columns of a profile's events, as table and column.
pub(crate) fn columns(events: &Events) -> impl Iterator<Item = (&str, &str)> {
    events.columns.iter().filter_map(|name| split_column(name))
}

/// Brings combinations of codes that too few persons have to coarser forms, at last to その他, or takes them out: every row of the person with the
/// code. その他 counts as a code that others can know, so that it marks nobody.
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
) -> Result<(EventsReport, Gone), AnonymityError> {
    let mut nodes = Nodes::default();
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let mut persons = 0;
    for (at, column) in columns.iter().enumerate() {
        let rollup = rollup(profile, &column.name);
        for (code, person) in texts(column)?.iter().zip(column.persons) {
            persons = persons.max(*person as usize + 1);
            if let Some(code) = code {
                pairs.push((*person, nodes.code(at as u32, code, rollup)));
            }
        }
    }
    let forest = Forest::new(nodes.parents, &nodes.is_code, &nodes.columns)
        .map_err(|e| AnonymityError::Arrow { reason: format!("code forms: {e:?}") })?;
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
        taken_out: 0,
        rows_taken_out: 0,
        loss: loss(&forest, &histories),
    };
    for person in 0..histories.persons() {
        for at in histories.range(person) {
            let (code, shown) = (histories.codes[at], histories.shown[at]);
            if shown != code {
                changed.insert((person as u32, code), shown);
                if shown == GONE { report.taken_out += 1 } else { report.coarser += 1 }
            }
        }
    }
    let mut gone = Vec::new();
    for (at, column) in columns.iter_mut().enumerate() {
        let rows = show(column, at as u32, &nodes.index, &nodes.texts, &changed)?;
        report.rows_taken_out += rows.iter().filter(|gone| **gone).count() as u64;
        gone.push((column.name.clone(), rows));
    }
    Ok((report, gone))
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

/// Codes and forms, numbered as they come.
#[derive(Default)]
struct Nodes {
    index: HashMap<(u32, String), u32>,
    texts: Vec<String>,
    parents: Vec<u32>,
    is_code: Vec<bool>,
    columns: Vec<u32>,
}

impl Nodes {
    fn code(&mut self, column: u32, code: &str, rollup: &[Rollup]) -> u32 {
        let node = self.node(column, code, rollup);
        self.is_code[node as usize] = true;
        node
    }

    fn node(&mut self, column: u32, text: &str, rollup: &[Rollup]) -> u32 {
        if let Some(node) = self.index.get(&(column, text.to_owned())) {
            return *node;
        }
        let parent = match next_cut(text, text.len(), rollup) {
            Some(length) if text.is_char_boundary(length) => self.node(column, &text[..length], rollup),
            _ if text == OTHER => GONE,
            // その他 stands above all: it says that there is something, and so has to be had by enough.
            _ => self.node(column, OTHER, rollup),
        };
        let node = self.texts.len() as u32;
        self.index.insert((column, text.to_owned()), node);
        self.texts.push(text.to_owned());
        self.parents.push(parent);
        self.is_code.push(false);
        self.columns.push(column);
        node
    }
}

/// Writes the nodes back to the rows; says of which rows the code is gone.
fn show(
    column: &mut Column<'_>,
    at: u32,
    index: &HashMap<(u32, String), u32>,
    names: &[String],
    changed: &HashMap<(u32, u32), u32>,
) -> Result<Vec<bool>, AnonymityError> {
    let array = texts(column)?.clone();
    let mut numbers: HashMap<&str, Option<u32>> = HashMap::new();
    let mut rows: Vec<Option<&str>> = Vec::with_capacity(array.len());
    let mut gone = vec![false; array.len()];
    for (row, person) in column.persons.iter().enumerate() {
        let code = array.is_valid(row).then(|| array.value(row));
        let node = code.and_then(|c| *numbers.entry(c).or_insert_with(|| index.get(&(at, c.to_owned())).copied()));
        match node.and_then(|node| changed.get(&(*person, node))) {
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
                column.coded.fates[row] = if name == OTHER { Fate::Other } else { Fate::RolledUp };
                column.coded.counts.combined += 1;
            }
        }
    }
    let left: std::collections::HashSet<&str> = rows.iter().flatten().copied().filter(|c| *c != OTHER).collect();
    column.coded.counts.codes_after = left.len();
    let shown: ArrayRef = Arc::new(rows.into_iter().collect::<StringArray>());
    column.coded.array = shown;
    Ok(gone)
}
