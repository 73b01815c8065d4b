//! A run, from rows to clusters. With a model that was trained before, the answer depends on the rows, the facts and that model alone.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::blocks::{self, Caps, PassReport};
use crate::clusters::{self, Clusters};
use crate::compare;
use crate::em::{self, Case};
use crate::forms::Forms;
use crate::frequencies::{self, Counts, Frequencies};
use crate::hash::{FastMap, mix};
use crate::levels::{Levels, Pattern};
use crate::model::{self, Model, Strangers};
use crate::options::Options;
use crate::parallel;
use crate::parts;
use crate::parts_levels::PartLevels;
use crate::parts_model::PartsModel;
use crate::rates::Rates;
use crate::row::{NO_DAY, Row, crowd, flag};
use crate::supervision::{Labelled, Supervision, Words};
use crate::usage;

/// What was learned from data, and serves until it is learned anew.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Trained {
    pub model: Model,
    pub counts: Counts,
}

/// What a run is about.
pub(crate) struct Input<'a> {
    /// Rows; their order breaks ties, so it has to follow from what they are.
    pub rows: &'a mut [Row],
    pub forms: &'a Forms,
    /// The record of each row where a record has several rows; without it every row is a record.
    pub owners: Option<&'a [u32]>,
    /// Pairs of rows that are one person, and that are two, by a clerk's word; sorted.
    pub must: &'a [(u32, u32)],
    pub cannot: &'a [(u32, u32)],
}

/// A candidate pair with what it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scored {
    pub left: u32,
    pub right: u32,
    pub pattern: Pattern,
    pub steps: u8,
}

/// What became of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// One person, by a clerk's word.
    Must,
    /// Two persons, by a clerk's word.
    Cannot,
    /// One person.
    Link,
    /// Likely enough to join, but something contradicts: a chain was cut here.
    Cut,
    /// For a clerk to decide.
    Review,
}

impl Decision {
    /// As it stands in tables.
    pub const fn code(self) -> &'static str {
        match self {
            Decision::Must => "must",
            Decision::Cannot => "cannot",
            Decision::Link => "link",
            Decision::Cut => "cut",
            Decision::Review => "review",
        }
    }
}

/// A pair that is worth reporting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    pub left: u32,
    pub right: u32,
    pub pattern: Pattern,
    pub steps: u8,
    pub probability: f32,
    /// Natural logarithm of the odds for one person. Orders pairs whose probability is all but one.
    pub log_odds: f64,
    pub decision: Decision,
}

/// Seconds and memory of one stage.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// What was done.
    pub name: &'static str,
    /// Seconds on the clock.
    pub wall_seconds: f64,
    /// Seconds of all threads.
    pub cpu_seconds: f64,
}

/// Takes the time of stages.
pub(crate) struct Watch {
    last: (Instant, f64),
    pub stages: Vec<Stage>,
}

impl Watch {
    pub fn start() -> Self {
        Self { last: (Instant::now(), usage::cpu_seconds()), stages: Vec::new() }
    }

    pub fn lap(&mut self, name: &'static str) {
        let now = (Instant::now(), usage::cpu_seconds());
        self.stages.push(Stage { name, wall_seconds: (now.0 - self.last.0).as_secs_f64(), cpu_seconds: now.1 - self.last.1 });
        self.last = now;
    }
}

/// What a run found.
pub(crate) struct Outcome {
    pub trained: Trained,
    /// What clerks told the model.
    pub supervision: Supervision,
    /// For each row the smallest row of its cluster.
    pub cluster: Vec<u32>,
    /// Pairs above the lower threshold and pairs that clerks decided, sorted.
    pub judged: Vec<Judged>,
    pub passes: Vec<PassReport>,
    pub candidates: u64,
    /// Candidate pairs by percent of probability.
    pub histogram: Vec<u64>,
    pub shared: [u64; 3],
    /// Probabilities of all candidate pairs added up: how many of them are expected to be one person.
    pub expected_pairs: f64,
    pub scored: Vec<Scored>,
}

/// Two facts that cannot both hold.
pub(crate) struct Contradiction(pub u32, pub u32);

/// Links rows. `frozen`: the model to use; without it one is trained.
pub(crate) fn run(
    input: Input<'_>,
    frozen: Option<&Trained>,
    options: &Options,
    watch: &mut Watch,
    known: Option<&Known<'_>>,
) -> Result<Outcome, Contradiction> {
    let Input { rows, forms, owners, must, cannot } = input;
    let before: Option<Vec<u8>> = known.map(|_| rows.iter().map(|r| r.crowd).collect());
    let (crowds, persons) = parallel::both(
        options.threads,
        || crowds(rows, options),
        || match frozen {
            None => frequencies::persons(rows),
            Some(_) => Vec::new(),
        },
    );
    let shared = mark_crowds(rows, &crowds);
    let counts = frozen.map_or_else(|| Counts::learn(rows, &persons, forms), |f| f.counts.clone());
    let frequencies = counts.of(forms);
    rows.iter_mut().for_each(|row| mark_known(row, &frequencies));
    let rows = &*rows;
    watch.lap("count");

    let caps = Caps { block: options.largest_block, neighbours: options.neighbours };
    let likeness = |at: u32| likeness(&rows[at as usize], forms);
    let found = blocks::candidates(rows, &parts::keys(rows, forms), caps, options.threads, likeness);
    watch.lap("block");

    let mut scored = score(rows, forms, owners, &frequencies, &found.pairs, options.threads, known.zip(before.as_deref()));
    let passes = found.passes;
    drop(found.pairs);
    watch.lap("compare");

    let mut distinct = cases(&scored);
    let row = |at: u32| &rows[at as usize];
    let words = if frozen.is_none() && options.supervised {
        words(must, cannot, |a, b| compared(row(a), row(b), forms, &frequencies))
    } else {
        Words::default()
    };
    let institution = |at: u32| row(at).institution;
    let model = match frozen {
        Some(frozen) => frozen.model.clone(),
        None => {
            let (random, random_in_parts) = strangers(rows, &persons, forms);
            let parts = PartsModel::train(&distinct, &random_in_parts, rows.len());
            let model = Model { parts, ..em::train(&distinct, random, rows.len(), &words) };
            Model { rates: Rates::learn(scored.iter().copied(), institution, forms, &model.scorer()), ..model }
        }
    };
    if let Some(rates) = model.rates.by_form(forms) {
        scored.iter_mut().for_each(|s| rates.mark(s, institution));
        distinct = cases(&scored);
    }
    watch.lap("train");

    let Verdicts { said, histogram, expected_pairs } = Verdicts::of(&model, &distinct);
    let mut judged: Vec<Judged> = scored.iter().filter_map(|s| judge(s, &said, options)).collect();
    watch.lap("score");
    let cluster = join(rows, forms, owners, must, cannot, options, &mut judged)?;
    watch.lap("cluster");
    Ok(Outcome {
        candidates: scored.len() as u64,
        trained: Trained { model, counts },
        supervision: words.report(),
        cluster,
        judged,
        passes,
        histogram,
        shared,
        expected_pairs,
        scored,
    })
}

/// Pairs that an earlier run compared, sorted, and for each of its rows where the row stands now (`u32::MAX`: gone).
pub(crate) struct Known<'a> {
    pub scored: &'a [Scored],
    /// For each row of now its place in the earlier run, `u32::MAX` for a new one. Grows where it is known.
    pub earlier: &'a [u32],
}

/// Marks a row whose given name as read is one that several persons bear.
pub(crate) fn mark_known(row: &mut Row, frequencies: &Frequencies) {
    row.flags &= !flag::KNOWN_NAME;
    if frequencies.is_known(row.gy) {
        row.flags |= flag::KNOWN_NAME;
    }
}

/// What the model says of each case: probability and logarithm of the odds.
pub(crate) type Said = FastMap<u64, (f32, f64)>;

/// What the model says of the cases, one by one and together.
pub(crate) struct Verdicts {
    pub said: Said,
    /// Candidate pairs by percent of probability.
    pub histogram: Vec<u64>,
    /// Probabilities of all candidate pairs added up.
    pub expected_pairs: f64,
}

impl Verdicts {
    pub fn of(model: &Model, cases: &[Case]) -> Self {
        let scorer = model.scorer();
        let (mut said, mut histogram, mut expected_pairs) = (Said::default(), vec![0u64; 101], 0.0);
        for case in cases {
            let p = scorer.classes(case.pattern, case.steps)[0];
            said.insert(case_key(case.pattern, case.steps), (p as f32, scorer.log_odds(case.pattern, case.steps)));
            histogram[(p * 100.0).round() as usize] += u64::from(case.pairs);
            expected_pairs += p * f64::from(case.pairs);
        }
        Self { said, histogram, expected_pairs }
    }
}

/// A pair that is likely enough to be reported.
pub(crate) fn judge(s: &Scored, said: &Said, options: &Options) -> Option<Judged> {
    let &Scored { left, right, pattern, steps } = s;
    let (probability, log_odds) = said.get(&case_key(pattern, steps)).copied().unwrap_or((0.0, f64::NEG_INFINITY));
    let judged = Judged { left, right, pattern, steps, probability, log_odds, decision: Decision::Review };
    (f64::from(probability) >= options.review()).then_some(judged)
}

pub(crate) fn case_key(pattern: Pattern, steps: u8) -> u64 {
    u64::from(pattern.0) << 8 | u64::from(steps)
}

/// The case of a key that so many pairs show.
pub(crate) fn case_of(key: u64, pairs: u32) -> Case {
    Case { pattern: Pattern((key >> 8) as u32), steps: key as u8, pairs }
}

/// Distinct patterns with their counts, in the order of the patterns.
pub(crate) fn cases(scored: &[Scored]) -> Vec<Case> {
    let mut keys: Vec<u64> = scored.iter().map(|s| case_key(s.pattern, s.steps)).collect();
    keys.sort_unstable();
    let same = keys.chunk_by(|a, b| a == b);
    same.map(|c| case_of(c[0], c.len() as u32)).collect()
}

fn score(
    rows: &[Row],
    forms: &Forms,
    owners: Option<&[u32]>,
    frequencies: &Frequencies,
    pairs: &[u64],
    threads: usize,
    known: Option<(&Known<'_>, &[u8])>,
) -> Vec<Scored> {
    let lists = parallel::slices(threads, pairs, 1 << 15, |pairs| {
        let mut list = Vec::with_capacity(pairs.len());
        for &pair in pairs {
            let (left, right) = blocks::sides(pair);
            if owners.is_some_and(|o| o[left as usize] == o[right as usize]) {
                continue;
            }
            if let Some(scored) = known.and_then(|(known, crowds)| remembered(known, crowds, rows, left, right)) {
                list.push(scored);
                continue;
            }
            let (pattern, steps) = compared(&rows[left as usize], &rows[right as usize], forms, frequencies);
            list.push(Scored { left, right, pattern, steps });
        }
        list
    });
    let mut all = Vec::with_capacity(lists.iter().map(Vec::len).sum());
    lists.into_iter().for_each(|l| all.extend(l));
    all
}

/// What clerks said of pairs of rows, with what the pairs show.
pub(crate) fn words(must: &[(u32, u32)], cannot: &[(u32, u32)], shows: impl Fn(u32, u32) -> (Pattern, u8)) -> Words {
    let said = |pairs: &[(u32, u32)], same| {
        let word = |&(a, b): &(u32, u32)| {
            let (pattern, steps) = shows(a, b);
            Labelled { pattern, steps, same }
        };
        pairs.iter().map(word).collect::<Vec<_>>()
    };
    Words::of([said(must, true), said(cannot, false)].concat())
}

/// What two rows show.
pub(crate) fn compared(a: &Row, b: &Row, forms: &Forms, frequencies: &Frequencies) -> (Pattern, u8) {
    if a.is_parted() && b.is_parted() {
        let (pattern, rarity) = parts::pair(a, b, forms, frequencies);
        return (pattern, model::steps(rarity));
    }
    let mut levels = compare::rows(a, b, forms);
    let steps = model::steps(frequencies.rarity(levels, a, b));
    levels.namesakes = u8::from(frequencies.has_namesakes(levels, a, b));
    (levels.pack(), steps)
}

/// What an earlier run said of the pair, if both rows are as they were.
fn remembered(known: &Known<'_>, crowds: &[u8], rows: &[Row], left: u32, right: u32) -> Option<Scored> {
    let unchanged = |at: u32| crowds[at as usize] == rows[at as usize].crowd;
    let (a, b) = (known.earlier[left as usize], known.earlier[right as usize]);
    if a == u32::MAX || b == u32::MAX || !unchanged(left) || !unchanged(right) {
        return None;
    }
    let at = known.scored.binary_search_by_key(&(a.min(b), a.max(b)), |s| (s.left, s.right)).ok()?;
    Some(Scored { left, right, ..known.scored[at] })
}

pub(crate) type Contact = fn(&Row) -> u64;

/// Kinds of contacts, each with its mark.
pub(crate) const CONTACTS: [(u8, Contact); 3] = [
    (crowd::PHONE, |r| r.phone),
    (crowd::HOME, |r| if r.has_home() { r.home() } else { 0 }),
    (crowd::CARD, |r| if r.has_card() { r.card() } else { 0 }),
];

/// How many births each kind of contact may have.
pub(crate) fn limits(options: &Options) -> [usize; 3] {
    [options.persons_per_phone, options.persons_per_home, options.persons_per_card]
}

/// Contacts that more births carry than a household has: a company's telephone, a care home.
fn crowds(rows: &[Row], options: &Options) -> Vec<crate::hash::FastSet<u64>> {
    let limits = limits(options);
    parallel::pieces(
        options.threads,
        CONTACTS.len(),
        || (),
        |(), at| {
            let ((_, key), limit) = (CONTACTS[at], limits[at]);
            let mut keys: Vec<(u64, i32)> = rows
                .iter()
                .filter(|r| r.linkable() && r.birth != NO_DAY)
                .map(|r| (key(r), r.birth))
                .filter(|k| k.0 != 0)
                .collect();
            keys.sort_unstable();
            keys.dedup();
            let crowded = keys.chunk_by(|a, b| a.0 == b.0).filter(|c| c.len() > limit);
            crowded.map(|c| c[0].0).collect()
        },
    )
}

/// Marks rows with such contacts. Returns how many of these there are.
fn mark_crowds(rows: &mut [Row], crowds: &[crate::hash::FastSet<u64>]) -> [u64; 3] {
    rows.iter_mut().for_each(|row| mark_crowd(row, crowds));
    [0, 1, 2].map(|at| crowds.get(at).map_or(0, |c| c.len() as u64))
}

/// Marks a row with the contacts that too many carry.
pub(crate) fn mark_crowd(row: &mut Row, crowds: &[crate::hash::FastSet<u64>]) {
    row.crowd = 0;
    for ((bit, key), crowded) in CONTACTS.iter().zip(crowds) {
        if !crowded.is_empty() && crowded.contains(&key(row)) {
            row.crowd |= bit;
        }
    }
}

/// A number by which rows that are like each other stand together.
pub(crate) fn likeness(row: &Row, forms: &Forms) -> u64 {
    let letters = |form: u32| forms.letters(form).iter().take(3).fold(0u64, |n, c| n << 10 | (*c as u64 & 0x3ff));
    let name = letters(if row.gy != 0 { row.gy } else { row.gk });
    let family = if row.fy != 0 { row.fy } else { row.fk };
    name << 32 | u64::from(mix(u64::from(forms.folded(family)), row.phone) as u32)
}

/// Pairs of persons: all of few; of many a random choice, the same for the same rows. Those of rows in parts by themselves.
fn strangers(rows: &[Row], persons: &[u32], forms: &Forms) -> (Strangers, Vec<PartLevels>) {
    let row = |person: u64| &rows[persons[person as usize] as usize];
    let mut strange_pairs = StrangePairs::default();
    strange(persons.len() as u64).for_each(|(a, b)| strange_pairs.add(row(a), row(b), forms));
    strange_pairs.measured(persons.len())
}

/// What pairs of strangers show, those of rows in parts by themselves.
#[derive(Default)]
pub(crate) struct StrangePairs {
    levels: Vec<Levels>,
    in_parts: Vec<PartLevels>,
}

impl StrangePairs {
    pub fn add(&mut self, a: &Row, b: &Row, forms: &Forms) {
        if a.is_parted() && b.is_parted() {
            self.in_parts.push(parts::compare(a, b, forms));
        } else {
            self.levels.push(compare::rows(a, b, forms));
        }
    }

    /// Measured, among so many persons.
    pub fn measured(self, persons: usize) -> (Strangers, Vec<PartLevels>) {
        (Strangers::measure(&self.levels, persons), self.in_parts)
    }
}

/// Pairs of so many persons: all of few; of many a random choice, the same for the same rows.
pub(crate) fn strange(n: u64) -> impl Iterator<Item = (u64, u64)> {
    const SAMPLE: u64 = 200_000;
    let few = n * n.saturating_sub(1) / 2 <= SAMPLE;
    let all = (0..if few { n } else { 0 }).flat_map(move |a| (a + 1..n).map(move |b| (a, b)));
    let chosen = (0..if few { 0 } else { SAMPLE }).map(move |at| (mix(at, 1) % n, mix(at, 2) % n));
    all.chain(chosen.filter(|(a, b)| a != b))
}

/// Makes clusters of judged pairs and says what became of each.
pub(crate) fn join(
    rows: &[Row],
    forms: &Forms,
    owners: Option<&[u32]>,
    must: &[(u32, u32)],
    cannot: &[(u32, u32)],
    options: &Options,
    judged: &mut Vec<Judged>,
) -> Result<Vec<u32>, Contradiction> {
    let mut clusters = Clusters::new(rows, forms);
    if let Some(owners) = owners {
        let mut first: FastMap<u32, u32> = FastMap::default();
        for (at, owner) in (0u32..).zip(owners) {
            let start = *first.entry(*owner).or_insert(at);
            clusters.join(start, at);
        }
    }
    must.iter().for_each(|&(a, b)| clusters.join(a, b));
    for &(a, b) in cannot {
        if clusters.together(a, b) {
            return Err(Contradiction(a, b));
        }
        clusters.forbid(a, b);
    }
    let unclear = unclear_babies(rows, forms, options, judged);
    // name and birth date alone join nobody where another may have both: that is for a clerk
    let likely = |j: &Judged| f64::from(j.probability) >= options.threshold() && model::has_evidence(&j.pattern.levels());
    let mut order: Vec<u32> = (0..judged.len() as u32).filter(|&at| likely(&judged[at as usize])).collect();
    order.sort_unstable_by(|&x, &y| {
        let (a, b) = (&judged[x as usize], &judged[y as usize]);
        b.log_odds.total_cmp(&a.log_odds).then(x.cmp(&y))
    });
    for at in order {
        let pair = judged[at as usize];
        if !unclear.contains(&pair.left) && !unclear.contains(&pair.right) {
            clusters.join_if_consistent(pair.left, pair.right);
        }
    }
    for pair in judged.iter_mut() {
        // a pair that was refused may have come together over others; what counts is where it ended
        pair.decision = if clusters.together(pair.left, pair.right) {
            Decision::Link
        } else if likely(pair) && !unclear.contains(&pair.left) && !unclear.contains(&pair.right) {
            Decision::Cut
        } else {
            Decision::Review
        };
    }
    decide_facts(judged, must, Decision::Must, 1.0);
    decide_facts(judged, cannot, Decision::Cannot, 0.0);
    let mut smallest: Vec<u32> = vec![u32::MAX; rows.len()];
    Ok((0..rows.len() as u32)
        .map(|at| {
            let root = clusters.root(at) as usize;
            smallest[root] = smallest[root].min(at);
            smallest[root]
        })
        .collect())
}

/// Writes clerks' words over what the model said of the pair, or adds the pair.
fn decide_facts(judged: &mut Vec<Judged>, facts: &[(u32, u32)], decision: Decision, probability: f32) {
    let log_odds = if probability > 0.0 { f64::INFINITY } else { f64::NEG_INFINITY };
    let mut added = Vec::new();
    for &(left, right) in facts {
        match judged.binary_search_by_key(&(left, right), |j| (j.left, j.right)) {
            Ok(at) => (judged[at].decision, judged[at].probability) = (decision, probability),
            Err(_) => added.push(Judged { left, right, pattern: Pattern(0), steps: 0, probability, log_odds, decision }),
        }
    }
    if !added.is_empty() {
        judged.append(&mut added);
        // two runs that are sorted already
        judged.sort_by_key(|j| (j.left, j.right));
    }
}

/// Newborns under the mother's name that could be either of two children, named or not: they stay as they are.
fn unclear_babies(rows: &[Row], forms: &Forms, options: &Options, judged: &[Judged]) -> crate::hash::FastSet<u32> {
    let mut named: FastMap<u32, Vec<u32>> = FastMap::default();
    for pair in judged.iter().filter(|j| f64::from(j.probability) >= options.review()) {
        for (baby, other) in [(pair.left, pair.right), (pair.right, pair.left)] {
            if rows[baby as usize].is_baby() {
                named.entry(baby).or_default().push(other);
            }
        }
    }
    let two = |others: &[u32]| {
        let row = |at: u32| &rows[at as usize];
        others.iter().enumerate().any(|(at, &x)| others[at + 1..].iter().any(|&y| clusters::contradict(row(x), row(y), forms)))
    };
    named
        .into_iter()
        .filter(|(_, others)| others.len() > 1 && two(&others[..others.len().min(64)]))
        .map(|(baby, _)| baby)
        .collect()
}
