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
    /// Rows without any code: they leave with what else stands on them, and are counted as an item ([`NONE`]).
    pub without: Vec<bool>,
}

/// What stands for no code: a row that says that there was something, and not what. It is counted as その他 is.
const NONE: &str = "";

/// The column whose rows stay without a code before they go: that somebody died is told as long as enough are shown so.
const CAUSE: &str = "death.cause_source_value";

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
        let alone = alone(column, texts, rollup);
        for (row, person) in column.persons.iter().enumerate() {
            persons = persons.max(*person as usize + 1);
            if let Some(code) = item(column, texts, row) {
                let above = Above { rollup, cause: column.name == CAUSE };
                pairs.push((*person, nodes.item(at as u32, code, column.beside[row], alone.contains(code), &above)));
            }
        }
    }
    let forest = Forest::new(nodes.parents, &nodes.is_code, &nodes.columns)
        .map_err(|e| AnonymityError::Arrow { reason: format!("code forms: {e:?}") })?
        .with_beside(&nodes.beside)
        .with_exits(&nodes.exits);
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
                    _ if nodes.texts[shown as usize] == NONE && nodes.texts[code as usize] != NONE => report.taken_out += 1,
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

/// What is counted of a row: its code, or that there is none.
fn item<'t>(column: &Column<'_>, texts: &'t StringArray, row: usize) -> Option<&'t str> {
    if texts.is_valid(row) { Some(texts.value(row)) } else { column.without[row].then_some(NONE) }
}

/// Codes of a column beside which one and the same always stands, and which are no other code's form: without their companions they would be the same
/// persons' as with them, so that dropping those is no step.
fn alone<'t>(column: &Column<'_>, texts: &'t StringArray, rollup: &[Rollup]) -> HashSet<&'t str> {
    let mut first: HashMap<&str, u32> = HashMap::new();
    let mut several: HashSet<&str> = HashSet::new();
    let items = (0..texts.len()).filter_map(|row| Some((item(column, texts, row)?, column.beside[row])));
    for (code, beside) in items {
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
        if *code != NONE {
            several.extend((*code != OTHER).then_some(OTHER));
            several.extend((column.name == CAUSE).then_some(NONE));
        }
    }
    first.into_keys().filter(|code| !several.contains(code)).collect()
}

/// The next shorter form of a code; その他 is not one of them.
pub(crate) fn next_form<'t>(code: &'t str, rollup: &[Rollup]) -> Option<&'t str> {
    next_cut(code, code.len(), rollup).and_then(|length| code.get(..length))
}

/// What stands above the codes of a column.
struct Above<'p> {
    rollup: &'p [Rollup],
    /// Whether above all of them is a row without a code.
    cause: bool,
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
    /// What each becomes when it is taken out.
    exits: Vec<u32>,
}

impl Nodes {
    /// A code with what stands beside it; `alone`: the code by itself is nobody's.
    fn item(&mut self, column: u32, code: &str, beside: u32, alone: bool, above: &Above<'_>) -> u32 {
        let node = match self.index.get(&(column, code.to_owned(), beside)) {
            Some(node) => *node,
            None if beside == 0 => self.form(column, code, above),
            None => {
                let parent = if alone { self.above(column, code, above) } else { self.form(column, code, above) };
                let node = self.add(column, code, beside, parent, above);
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
    fn form(&mut self, column: u32, text: &str, above: &Above<'_>) -> u32 {
        if let Some(node) = self.index.get(&(column, text.to_owned(), 0)) {
            return *node;
        }
        let parent = self.above(column, text, above);
        self.add(column, text, 0, parent, above)
    }

    fn above(&mut self, column: u32, text: &str, above: &Above<'_>) -> u32 {
        match next_form(text, above.rollup) {
            Some(shorter) => self.form(column, shorter, above),
            None if text == NONE => GONE,
            None if text == OTHER && above.cause => self.form(column, NONE, above),
            None if text == OTHER => GONE,
            // その他 stands above all: it says that there is something, and so has to be had by enough.
            None => self.form(column, OTHER, above),
        }
    }

    fn add(&mut self, column: u32, text: &str, beside: u32, parent: u32, above: &Above<'_>) -> u32 {
        let exit = if above.cause && text != NONE { self.form(column, NONE, above) } else { GONE };
        let node = self.texts.len() as u32;
        self.index.insert((column, text.to_owned(), beside), node);
        self.texts.push(text.to_owned());
        self.parents.push(parent);
        self.is_code.push(false);
        self.beside.push(false);
        self.columns.push(column);
        self.exits.push(exit);
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
        let of = code.or_else(|| column.without[row].then_some(NONE));
        let node = of.and_then(|code| *numbers.entry((code, beside)).or_insert_with(|| find(code)));
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
            Some(node) if names[*node as usize] == NONE => {
                rows.push(None);
                column.coded.fates[row] = Fate::Missing;
                column.coded.counts.combined += usize::from(code.is_some());
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
