//! A first run from files to files within a bound on memory. It gives the same files, byte for byte, as one without the bound: what memory
//! does not hold waits on disk in sorted runs (`sorter`), sealed (`spill`), and every step works on a part of it after the other. Nothing in
//! a part hangs on another, so that the parts may as well be worked on elsewhere:
//!
//! * `read`: pieces of the file; rows and ids, sorted by id;
//! * `count`: one sweep over the rows, contacts and persons sorted by what they are;
//! * `pairs`: blocks pass by pass; pairs by tile, the rows of one stretch against those of another;
//! * `join`: persons, some groups of rows that pairs connect at a time.
//!
//! In memory stay the distinct texts, the model, and five bytes a record.

mod count;
mod join;
mod pairs;
mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::columns::ColumnMap;
use crate::desk::Words;
use crate::em;
use crate::engine::{self, Scored, Trained, Verdicts, Watch};
use crate::error::LinkageError;
use crate::files::{self, coverage};
use crate::folder::{self, NewFiles};
use crate::history::Past;
use crate::implied;
use crate::model::Model;
use crate::options::Options;
use crate::parts_model::PartsModel;
use crate::rates::Rates;
use crate::report::{self, Pairs, Report};
use crate::row::Row;
use crate::sorter::{Item, Sorter, Tape, bytes};
use crate::state::{self, Contents, LabelFact, State};
use crate::supervision;
use crate::table::Labels;
use crate::usage;
use crate::withdrawn::Withdrawn;
use crate::write::{self, Written};

/// Where things wait that memory does not hold, and how much it holds.
pub(crate) struct Room {
    directory: PathBuf,
    /// Bytes of the whole process.
    memory: u64,
    /// Bytes of buffers, whatever else there is: for tests.
    buffers: Option<usize>,
}

/// Bytes of buffers with which work begins: below, more time goes into merging than into the rest.
const LEAST: u64 = 16 << 20;
/// Bytes that no buffer gets: chunks on their way, a batch of pairs, what the allocator keeps.
const ASIDE: u64 = 12 << 20;

impl Room {
    pub fn within(directory: &Path, memory: u64) -> Self {
        Self { directory: directory.to_owned(), memory, buffers: None }
    }

    /// Bytes that buffers may take now. Half of what is free: merging, threads and the allocator take their share.
    fn buffers(&self) -> Result<usize, LinkageError> {
        if let Some(bytes) = self.buffers {
            return Ok(bytes);
        }
        let used = usage::resident_bytes();
        let free = self.memory.saturating_sub(used + ASIDE);
        if free < LEAST {
            return Err(LinkageError::MemoryTooSmall { least: (used + ASIDE + 2 * LEAST).div_ceil(1 << 20) });
        }
        Ok((free / 2) as usize)
    }

    /// Threads of which each has its own buffers.
    fn threads(&self, buffers: usize, options: &Options) -> usize {
        let enough = if self.buffers.is_some() { usize::MAX } else { buffers / (4 << 20) };
        options.threads.min(enough).max(1)
    }

    fn sorter<T: Item + Ord>(&self, bytes: usize) -> Sorter<T> {
        Sorter::new(&self.directory, bytes)
    }
}

/// The time of the steps, and the first one after which the process had taken more memory than it may. What a step needs at once (the
/// distinct texts, one group of rows that pairs connect) may be more than any bound.
struct Steps {
    watch: Watch,
    memory: u64,
    passed: Option<&'static str>,
}

impl Steps {
    fn start(memory: u64) -> Self {
        Self { watch: Watch::start(), memory, passed: None }
    }

    fn lap(&mut self, name: &'static str) {
        self.watch.lap(name);
        if self.passed.is_none() && usage::peak_bytes() > self.memory {
            self.passed = Some(name);
        }
    }
}

/// Links all people of a table into a folder that holds no earlier run, see [`crate::link_file`].
pub(crate) fn link_file(
    people: &Path,
    out: &Path,
    map: &ColumnMap,
    options: &Options,
    memory: u64,
) -> Result<Report, LinkageError> {
    fs::create_dir_all(out).map_err(|_| LinkageError::FileUnwritable)?;
    let lock = folder::lock(out)?;
    if State::saved(out).is_none() {
        files::settle(out, &lock, None)?;
    }
    link(people, out, map, options, &Room::within(out, memory))
}

fn link(people: &Path, out: &Path, map: &ColumnMap, options: &Options, room: &Room) -> Result<Report, LinkageError> {
    if State::saved(out).is_some() {
        return Err(LinkageError::MemoryEarlierRun);
    }
    let mut steps = Steps::start(room.memory);
    let words = Words::read(out)?;
    let read::People { labels, label_bytes, rows, mut forms, learning, whole, in_parts, repeated, filled, places } =
        read::read(people, map, options, &words, room)?;
    steps.lap("read");
    let lexicon = learning.lexicon(&forms);
    let cuts = lexicon.cuts(&whole, &mut forms);
    steps.lap("split names");
    let count::Marked { rows, counts, frequencies, strangers, in_parts: random_in_parts, institutions, shared, mut counted } =
        count::count(rows, &cuts, &forms, options, room)?;
    steps.lap("count");
    let found = pairs::candidates(&rows, in_parts, &forms, options, room)?;
    steps.lap("block");
    let (passes, compared) = (found.passes.clone(), pairs::compare(found, &rows, &forms, &frequencies, options, room)?);
    let pairs::Compared { mut scored, mut cases } = compared;
    steps.lap("compare");
    let decided = words.facts(options.clerks());
    implied::check(decided.clone(), &[])?;
    // as without a bound: what a word about a record that is not there says of those that are
    let implied = implied::left_behind(&decided, |label| !places.contains_key(label));
    let (must, cannot) = facts(decided.iter().chain(&implied), &places);
    let told = if options.supervised {
        let rows = chosen(&rows, must.iter().chain(&cannot).flat_map(|&(a, b)| [a, b]))?;
        let row = |at| rows.get(&at).copied().unwrap_or_default();
        engine::words(&must, &cannot, |a, b| engine::compared(&row(a), &row(b), &forms, &frequencies))
    } else {
        supervision::Words::default()
    };
    drop(frequencies);
    let parts = PartsModel::train(&cases, &random_in_parts, rows.len() as usize);
    let mut model = Model { parts, ..em::train(&cases, strangers, rows.len() as usize, &told) };
    let mut wrong = None;
    let all = good(scored.iter(), &mut wrong);
    model.rates = Rates::learn(all, |row| institutions[row as usize], &forms, &model.scorer());
    if let Some(e) = wrong {
        return Err(e);
    }
    if let Some(rates) = model.rates.by_form(&forms) {
        pairs::Compared { scored, cases } = pairs::mark(scored, &rates, &institutions, room)?;
    }
    drop(institutions);
    steps.lap("train");
    let Verdicts { said, histogram, expected_pairs } = Verdicts::of(&model, &cases);
    steps.lap("score");
    let facts = join::Facts { must, cannot };
    let parts = join::Parts { scored: &scored, rows: &rows, labels: &labels, forms: &forms };
    let join::Joined { mut cluster, links, queue } = join::join(&parts, &said, &model, facts, options, room, &mut counted)?;
    steps.lap("cluster");

    // a person's number: how many persons begin with a smaller record
    let mut next = 1;
    for at in 0..cluster.len() {
        let root = cluster[at] as usize;
        if root == at {
            cluster[at] = next;
            next += 1;
        } else {
            cluster[at] = cluster[root];
        }
    }
    let persons = cluster;
    let new = NewFiles::in_folder(out);
    let mut table = Written::clusters(&new.path("clusters.csv"))?;
    for (label, person) in labels.iter().zip(&persons) {
        table.member(&label?, u64::from(*person))?;
    }
    table.finish()?;
    let mut table = Written::links(&new.path("links.csv"))?;
    for link in links.sorted()? {
        let link = join::link(link?)?;
        counted.pair(link.decision, link.probability, options);
        table.link([&link.left, &link.right], link.probability, link.decision)?;
    }
    table.finish()?;
    let mut table = Written::review(&new.path("review.csv"))?;
    for case in queue.sorted()? {
        table.case(&case?.1.1)?;
    }
    table.finish()?;
    write::history(&new.path("history.csv"), &[])?;
    write::splits(&new.path("splits.csv"), &[])?;

    let supervision = told.report();
    let pairs = Pairs { model: model.clone(), passes, supervision, candidates: scored.len(), histogram, shared, expected_pairs };
    let mut report = report::of(counted, pairs, &forms, options);
    report.repeated_rows = repeated;
    report.filled = coverage(filled);
    let state = State {
        trained: Trained { model, counts },
        lexicon,
        labels: Labels::default(),
        rows: Vec::new(),
        forms,
        scored: Vec::new(),
        persons: Vec::new(),
        facts: implied.into_iter().filter(|f| !decided.contains(f)).collect(),
        past: Past { next: u64::from(next), ..Past::default() },
        run: 1,
        newborns: options.newborns,
        threshold: options.threshold(),
        review: options.review(),
        clerks: options.clerks(),
        withdrawn: Withdrawn::default(),
    };
    let contents = Contents {
        records: rows.len(),
        label_bytes,
        pairs: scored.len(),
        labels: || labels.iter(),
        rows: rows.iter(),
        persons: persons.iter().map(|p| u64::from(*p)),
        scored: scored.iter(),
    };
    let staged = state.stage_with(out, contents)?;
    steps.lap("write");
    report.memory_bound = Some(room.memory);
    report.memory_passed = steps.passed;
    report.finish(steps.watch.stages);
    write::text(&new.path("report.html"), &report.html())?;
    write::text(&new.path("report.json"), &report.json())?;
    staged.put_in_place()?;
    Words::forget(out, |label| places.contains_key(label))?;
    new.put_in_place()?;
    Ok(report)
}

type Places = Vec<(u32, u32)>;

/// What clerks said, as places among the records: which are one person, and which two.
fn facts<'a>(said: impl Iterator<Item = &'a LabelFact>, places: &read::Places) -> (Places, Places) {
    let (mut must, mut cannot) = (Vec::new(), Vec::new());
    for fact in said {
        if let (Some(&a), Some(&b)) = (places.get(&fact.left), places.get(&fact.right))
            && a != b
        {
            let list = if fact.must { &mut must } else { &mut cannot };
            list.push((a.min(b), a.max(b)));
        }
    }
    for list in [&mut must, &mut cannot] {
        list.sort_unstable();
        list.dedup();
    }
    (must, cannot)
}

/// Some rows by their places.
fn chosen(rows: &Tape<Row>, places: impl Iterator<Item = u32>) -> Result<HashMap<u32, Row>, LinkageError> {
    let mut chosen: HashMap<u32, Row> = places.map(|at| (at, Row::default())).collect();
    if chosen.is_empty() {
        return Ok(chosen);
    }
    for (at, row) in (0u32..).zip(rows.iter()) {
        let row = row?;
        chosen.entry(at).and_modify(|place| *place = row);
    }
    Ok(chosen)
}

impl Item for Row {
    fn put(&self, out: &mut Vec<u8>) {
        state::put_row(out, self);
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        bytes(rest, state::ROW_BYTES).map(state::row)
    }
}

impl Item for Scored {
    fn put(&self, out: &mut Vec<u8>) {
        state::put_pair(out, self);
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        bytes(rest, state::PAIR_BYTES).map(state::pair)
    }
}

/// The good items of a list; the first error is kept aside and ends it.
fn good<'a, T>(
    items: impl Iterator<Item = Result<T, LinkageError>> + 'a,
    wrong: &'a mut Option<LinkageError>,
) -> impl Iterator<Item = T> + 'a {
    items.map_while(|item| item.map_err(|e| *wrong = Some(e)).ok())
}
