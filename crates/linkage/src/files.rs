//! Linkage from files to files: a table of people in, persons, links, a queue for clerks and a report out; and later runs that add, correct
//! and withdraw records, or bring facts.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::bounded;
use crate::clerk::Rule;
use crate::columns::{ALL, COLUMNS, ColumnMap};
use crate::desk::Words;
use crate::engine::{self, Contradiction, Input, Known, Outcome, Watch};
use crate::error::LinkageError;
use crate::facts;
use crate::folder::{self, Lock, NewFiles};
use crate::forms::Forms;
use crate::history::{self, Assigned, Past};
use crate::implied;
use crate::lexicon::Lexicon;
use crate::merge::{CameAgain, Merged, let_in, merge};
use crate::options::Options;
use crate::parallel;
use crate::report::{self, Report};
use crate::row::Row;
use crate::stand_in::Unlinkable;
use crate::state::{LabelFact, State};
use crate::table::{Labels, Table};
use crate::withdrawn::Withdrawn;
use crate::write;

/// What changes in a later run; each of it may be absent.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Records to add. A record that is there already is corrected; one that was withdrawn stays out unless `Options::again`.
    pub add: Option<PathBuf>,
    /// Records to withdraw: a table with the column `record_id`.
    pub remove: Option<PathBuf>,
    /// Clerks' words: a table with the columns `kind,record_id_l,record_id_r`; the kind is `must`, `cannot`, or `withdraw` for what was said
    /// of the two before.
    pub facts: Option<PathBuf>,
}

/// Links all people of a table (CSV, or Parquet by its name) with a model trained on them, into a folder that is made if need be. Of an
/// earlier run in the folder the person ids, what became of retired ones, the facts about records that are still there, and what `options`
/// leave open of threshold, review band and number of clerks are carried on.
///
/// # Errors
/// What [`LinkageError`] says of files, columns and rows; [`LinkageError::FolderTaken`] for an earlier run that cannot be read. With
/// `Options::memory` also [`LinkageError::MemoryTooSmall`], [`LinkageError::MemoryEarlierRun`] and what it says of temporary files.
pub fn link_file(people: &Path, out: &Path, map: &ColumnMap, options: &Options) -> Result<Report, LinkageError> {
    if let Some(memory) = options.memory {
        return bounded::link_file(people, out, map, options, memory);
    }
    fs::create_dir_all(out).map_err(|_| LinkageError::FileUnwritable)?;
    let lock = folder::lock(out)?;
    let mut watch = Watch::start();
    let before = State::find(out)?;
    settle(out, &lock, before.as_ref())?;
    let options = &before.as_ref().map_or(*options, |state| options.after(state));
    let before = before.map(Earlier::of);
    let mut table = read(people, map, options.threads)?;
    let mut withdrawn = before.as_ref().map_or_else(Withdrawn::default, |b| b.withdrawn.clone());
    let came_again = let_in(&mut table, &mut withdrawn, options);
    watch.lap("read");
    keep_newborns_out(&mut table.rows, options);
    let lexicon = Lexicon::learn(&table.rows, &table.forms);
    lexicon.split(&mut table.rows, &mut table.forms);
    watch.lap("split names");
    let Table { labels, mut rows, forms, repeated, filled } = table;
    let mut facts = before.as_ref().map_or_else(Vec::new, |b| b.facts.clone());
    let said = Words::read(out)?;
    let words = said.facts(options.clerks());
    let words_changed = before.as_ref().map(|b| b.clerks).filter(|rule| *rule != options.clerks());
    let words_changed = words_changed.map(|rule| said.changed(rule, options.clerks()));
    implied::check([&facts[..], &words].concat(), &[])?;
    let earlier = |label: &str| before.as_ref().is_some_and(|b| b.labels.find(label.as_bytes()).is_some());
    facts = staying(facts, &words, &said, &labels, earlier);
    let (must, cannot, without) = facts::places(&[&facts[..], &there(words, &labels)].concat(), &labels);
    let outcome = engine::run(
        Input { rows: &mut rows, forms: &forms, owners: None, must: &must, cannot: &cannot },
        None,
        options,
        &mut watch,
        None,
    )
    .map_err(|contradiction| standing(contradiction, &labels))?;
    let (assigned, run) = match before {
        None => (history::first(&outcome.cluster), 1),
        Some(before) => {
            let place = |at: usize| before.labels.find(labels.get(at)).map_or(u32::MAX, |place| place as u32);
            let earlier: Vec<u32> = (0..labels.len()).map(place).collect();
            let run = before.run + 1;
            (history::later(&outcome.cluster, &earlier, &before.persons, before.past, run), run)
        }
    };
    let coverage = coverage(filled);
    let known = Before {
        facts,
        run,
        repeated,
        facts_without_record: without,
        coverage,
        words_changed,
        withdrawn,
        came_again,
        ..Before::default()
    };
    finish(out, Parts { labels, rows, forms, lexicon }, outcome, assigned, known, options, watch)
}

/// What a run with a new model keeps of the run before.
struct Earlier {
    labels: Labels,
    persons: Vec<u64>,
    facts: Vec<LabelFact>,
    past: Past,
    run: u32,
    clerks: Rule,
    withdrawn: Withdrawn,
}

impl Earlier {
    fn of(state: State) -> Self {
        let State { labels, persons, facts, past, run, clerks, withdrawn, .. } = state;
        Self { labels, persons, facts, past, run, clerks, withdrawn }
    }
}

/// Facts without the records that leave, which were in the run before (`earlier`) or in clerks' words and are not among the labels any more: a
/// fact about one of them goes with it, but what it says of the others stays, and so does a fact about a record that is yet to come.
fn staying(
    facts: Vec<LabelFact>,
    words: &[LabelFact],
    said: &Words,
    labels: &Labels,
    earlier: impl Fn(&str) -> bool,
) -> Vec<LabelFact> {
    let spoken_of: HashSet<&str> = said.labels().collect();
    let leaves = |label: &str| labels.find(label.as_bytes()).is_none() && (spoken_of.contains(label) || earlier(label));
    let implied = implied::left_behind(&[&facts[..], words].concat(), leaves);
    let mut staying: Vec<LabelFact> = facts.into_iter().filter(|f| !leaves(&f.left) && !leaves(&f.right)).collect();
    staying.extend(implied.into_iter().filter(|f| !words.contains(f)));
    staying.sort_unstable();
    staying.dedup();
    staying
}

/// Two facts that cannot both hold; [`implied::check`] has looked before.
fn standing(Contradiction(a, b): Contradiction, labels: &Labels) -> LinkageError {
    let [left, right] = [a, b].map(|at| String::from_utf8_lossy(labels.get(at as usize)).into_owned());
    LinkageError::StandingFactsContradict { left, right }
}

/// Facts about records that are there.
fn there(mut facts: Vec<LabelFact>, labels: &Labels) -> Vec<LabelFact> {
    let known = |label: &str| labels.find(label.as_bytes()).is_some();
    facts.retain(|f| known(&f.left) && known(&f.right));
    facts
}

/// Continues an earlier run in its folder, with its model. The clusters are those of a full run on the same records with that model.
///
/// # Errors
/// [`LinkageError::StateUnreadable`] when the folder holds no earlier run, and what it says of files, columns, rows and facts.
pub fn continue_run(out: &Path, change: &Change, map: &ColumnMap, options: &Options) -> Result<Report, LinkageError> {
    let lock = if out.is_dir() { Some(folder::lock(out)?) } else { None };
    let mut watch = Watch::start();
    let loaded = State::load(out);
    if let Some(lock) = &lock {
        match &loaded {
            Ok(state) => settle(out, lock, Some(state))?,
            Err(_) if State::saved(out).is_none() => settle(out, lock, None)?,
            Err(_) => {}
        }
    }
    let mut state = loaded?;
    let options = Options { newborns: state.newborns, threshold: None, review: None, clerks: None, ..*options }.after(&state);
    watch.lap("load");
    let mut added = match &change.add {
        Some(path) => Some(read(path, map, options.threads)?),
        None => None,
    };
    let removed = match &change.remove {
        Some(path) => facts::ids(path)?,
        None => Vec::new(),
    };
    let came_again = added.as_mut().map(|table| let_in(table, &mut state.withdrawn, &options)).unwrap_or_default();
    let words = match &change.facts {
        Some(path) => facts::read(path)?,
        None => Vec::new(),
    };
    watch.lap("read");
    let repeated = added.as_ref().map_or(0, |t| t.repeated);
    let known = |label: &str| {
        let new = added.as_ref().is_some_and(|t| t.labels.find(label.as_bytes()).is_some());
        new || state.labels.find(label.as_bytes()).is_some()
    };
    let unknown_removals = removed.iter().filter(|label| !known(label)).count() as u64;
    for label in removed.iter().filter(|label| known(label)) {
        state.withdrawn.add(label.as_bytes())?;
    }
    if let Some(table) = &mut added {
        keep_newborns_out(&mut table.rows, &options);
        state.lexicon.split(&mut table.rows, &mut table.forms);
    }
    let before_persons = std::mem::take(&mut state.persons);
    let Merged { labels, mut rows, forms, as_it_was, earlier } = merge(&state, added, &removed);
    let said = Words::read(out)?;
    let decided = said.facts(options.clerks());
    let (all_facts, unknown_facts) = facts::after(std::mem::take(&mut state.facts), &words);
    implied::check([&all_facts[..], &decided].concat(), &words)?;
    let withdrawn: HashSet<&str> = removed.iter().map(String::as_str).collect();
    let all_facts = staying(all_facts, &decided, &said, &labels, |label| withdrawn.contains(label));
    let (must, cannot, without) = facts::places(&[&all_facts[..], &there(decided, &labels)].concat(), &labels);
    watch.lap("merge");
    let known = Known { scored: &state.scored, earlier: &as_it_was };
    let outcome = engine::run(
        Input { rows: &mut rows, forms: &forms, owners: None, must: &must, cannot: &cannot },
        Some(&state.trained),
        &options,
        &mut watch,
        Some(&known),
    )
    .map_err(|contradiction| standing(contradiction, &labels))?;
    let run = state.run + 1;
    let assigned = history::later(&outcome.cluster, &earlier, &before_persons, std::mem::take(&mut state.past), run);
    let known = Before {
        facts: all_facts,
        run,
        repeated,
        facts_without_record: without,
        unknown_removals,
        unknown_facts,
        withdrawn: std::mem::take(&mut state.withdrawn),
        came_again,
        ..Before::default()
    };
    finish(out, Parts { labels, rows, forms, lexicon: state.lexicon }, outcome, assigned, known, &options, watch)
}

/// Ends what an earlier run in the folder began and did not end, see [`folder::settle`].
pub(crate) fn settle(out: &Path, lock: &Lock, state: Option<&State>) -> Result<(), LinkageError> {
    let followed = folder::settle(out, lock, state.map(|state| state.run))?;
    match state.filter(|_| followed) {
        Some(state) => Words::forget(out, |label| state.labels.find(label.as_bytes()).is_some()),
        None => Ok(()),
    }
}

/// What a run was made of.
struct Parts {
    labels: Labels,
    rows: Vec<Row>,
    forms: Forms,
    lexicon: Lexicon,
}

/// What else goes into report and state.
#[derive(Default)]
struct Before {
    facts: Vec<LabelFact>,
    run: u32,
    repeated: u64,
    facts_without_record: u64,
    unknown_removals: u64,
    unknown_facts: u64,
    coverage: BTreeMap<&'static str, u64>,
    words_changed: Option<u64>,
    withdrawn: Withdrawn,
    came_again: CameAgain,
}

/// Writes tables and state beside the old ones, then the report, and puts the tables in place when the state is: ids that a table shows are
/// ids that the next run knows. Where a run is stopped in between, [`settle`] ends it.
fn finish(
    out: &Path,
    parts: Parts,
    outcome: Outcome,
    assigned: Assigned,
    before: Before,
    options: &Options,
    mut watch: Watch,
) -> Result<Report, LinkageError> {
    let Parts { labels, rows, forms, lexicon } = parts;
    let mut report = report::make(&rows, &forms, &outcome, &assigned.persons, options);
    report.run = before.run;
    report.repeated_rows = before.repeated;
    report.facts_without_record = before.facts_without_record;
    report.removals_without_record = before.unknown_removals;
    report.withdrawals_without_fact = before.unknown_facts;
    report.filled = before.coverage;
    report.words_changed = before.words_changed;
    (report.withdrawn_left_out, report.withdrawn_back) = (before.came_again.left_out, before.came_again.back);
    report.hold_against(out);
    let queue = write::queue(&labels, &outcome);
    let Outcome { trained, scored, judged, .. } = outcome;
    let state = State {
        trained,
        lexicon,
        labels,
        rows,
        forms,
        scored,
        persons: assigned.persons,
        facts: before.facts,
        past: assigned.past,
        run: before.run,
        newborns: options.newborns,
        threshold: options.threshold(),
        review: options.review(),
        clerks: options.clerks(),
        withdrawn: before.withdrawn,
    };
    let files = NewFiles::in_folder(out);
    let [clusters, links, review, history, splits] =
        ["clusters.csv", "links.csv", "review.csv", "history.csv", "splits.csv"].map(|name| files.path(name));
    let tables = || {
        write::clusters(&clusters, &state.labels, &state.persons)?;
        write::links(&links, &state.labels, &judged)?;
        write::review(&review, &queue)?;
        write::history(&history, &state.past.retired)?;
        write::splits(&splits, &state.past.splits)
    };
    let (written, staged) = parallel::both(options.threads, tables, || state.stage(out));
    written?;
    let staged = staged?;
    watch.lap("write");
    report.finish(watch.stages);
    write::text(&files.path("report.html"), &report.html())?;
    write::text(&files.path("report.json"), &report.json())?;
    staged.put_in_place()?;
    Words::forget(out, |label| state.labels.find(label.as_bytes()).is_some())?;
    files.put_in_place()?;
    Ok(report)
}

/// Filled fields by column, of the columns that a table has.
pub(crate) fn coverage(filled: [u64; ALL.len()]) -> BTreeMap<&'static str, u64> {
    ALL.into_iter().zip(filled).filter(|(c, n)| *n > 0 || COLUMNS.contains(c)).collect()
}

fn read(path: &Path, map: &ColumnMap, threads: usize) -> Result<Table, LinkageError> {
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet")) {
        return crate::parquet_file::read(path, map);
    }
    Table::csv(path, map, threads)
}

pub(crate) fn keep_newborns_out(rows: &mut [Row], options: &Options) {
    if !options.newborns {
        rows.iter_mut().filter(|r| r.is_baby() && r.linkable()).for_each(|r| r.flags |= Unlinkable::Newborn.bits());
    }
}
