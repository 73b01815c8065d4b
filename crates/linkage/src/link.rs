//! A run of linkage, from people and facts to persons.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use terms::{PersonId, RecordId};

use crate::blocks::{self, Candidates};
use crate::clusters::{Clusters, Edge};
use crate::compare;
use crate::error::LinkageError;
use crate::keys::Frequencies;
use crate::people::People;
use crate::rules::{self, Rule};
use crate::stand_in::Unlinkable;

/// What a clerk has decided; stronger than every rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The two records are one person.
    MustLink(RecordId, RecordId),
    /// The two records are two persons.
    CannotLink(RecordId, RecordId),
}

/// Bounds of a run. The defaults are what `RULE` stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Records in a block up to which all are compared with all.
    pub largest_block: usize,
    /// In a larger block each record is compared with this many that are most like it.
    pub neighbours: usize,
    /// A telephone with more birth dates than this is no evidence (a company, a care home).
    pub persons_per_phone: usize,
    /// The same for a home.
    pub persons_per_home: usize,
    /// The same for an insurance card.
    pub persons_per_card: usize,
    /// Name and birth date alone join two records only when fewer namesakes than this are to be expected by chance.
    pub namesakes: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            largest_block: 200,
            neighbours: 16,
            persons_per_phone: 15,
            persons_per_home: 100,
            persons_per_card: 15,
            namesakes: 0.0003,
        }
    }
}

/// Two records that a rule holds to be one person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Link {
    /// The record with the smaller id.
    pub left: RecordId,
    /// The other.
    pub right: RecordId,
    /// By which rule.
    pub rule: Rule,
    /// From 0 to 1: the order of trust among the rules.
    pub confidence: f32,
}

/// Counts of a run, safe to record and show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Records that came in.
    pub records: u64,
    /// Persons they are.
    pub persons: u64,
    /// Pairs that were compared.
    pub candidates: u64,
    /// Pairs by the rule that joined them.
    pub joined: BTreeMap<Rule, u64>,
    /// Pairs that a rule would join but a contradiction or a fact keeps apart.
    pub cut: u64,
    /// Blocks too large to compare all with all.
    pub capped_blocks: u64,
    /// Pairs that were not compared for that reason.
    pub left_out_pairs: u64,
    /// Telephones that are no evidence because too many persons have them.
    pub shared_phones: u64,
    /// Homes likewise.
    pub shared_homes: u64,
    /// Cards likewise.
    pub shared_cards: u64,
    /// Insurer numbers whose check digit does not fit (compared all the same).
    pub wrong_check_digits: u64,
    /// Facts about records that are not there (any more).
    pub facts_without_record: u64,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq)]
pub struct Links {
    /// Every record with its person, sorted by record. Persons are numbered 1, 2, … by their smallest record id; the numbers hold within
    /// this run only.
    pub map: Vec<(RecordId, PersonId)>,
    /// The pairs that were joined, sorted by their ids.
    pub pairs: Vec<Link>,
    /// Pairs that a rule would join but a contradiction or a fact keeps apart, sorted by their ids.
    pub cut: Vec<Link>,
    /// How many records are linked with nothing because they name nobody, by reason.
    pub unlinked: BTreeMap<Unlinkable, u64>,
    /// Counts.
    pub stats: Stats,
}

/// Links records: see the crate's description.
///
/// The same rows and facts in any order give the same result.
///
/// # Errors
/// [`LinkageError::FactsContradict`] when must-link facts join what a cannot-link fact keeps apart.
pub fn link(people: &People, facts: &[Fact], options: &Options) -> Result<Links, LinkageError> {
    let frequencies = Frequencies::count(people, options);
    let candidates = blocks::candidates(people, &frequencies, options);
    run(people, facts, options, &frequencies, candidates)
}

/// Decides candidate pairs and makes persons of them.
fn run(
    people: &People,
    facts: &[Fact],
    options: &Options,
    frequencies: &Frequencies,
    candidates: Candidates,
) -> Result<Links, LinkageError> {
    let records = &people.records;
    let mut stats = Stats {
        records: records.len() as u64,
        candidates: candidates.pairs.len() as u64,
        capped_blocks: candidates.capped_blocks,
        left_out_pairs: candidates.left_out_pairs,
        shared_phones: frequencies.shared_phones,
        shared_homes: frequencies.shared_homes,
        shared_cards: frequencies.shared_cards,
        wrong_check_digits: people.wrong_check_digits,
        ..Stats::default()
    };
    let edges = edges(people, &candidates.pairs, frequencies, options);

    let mut clusters = Clusters::new(people);
    let decided = apply(facts, people, &mut clusters, &mut stats)?;
    for (edge, _) in &edges {
        clusters.join_if_consistent(*edge);
    }
    // a pair that was refused may have come together over others; what counts is where it ended
    let (mut pairs, mut cut) = (decided, Vec::new());
    for (edge, rule) in edges {
        let side = if clusters.root(edge.left) == clusters.root(edge.right) { &mut pairs } else { &mut cut };
        side.push(named(people, edge, rule));
    }
    let by_ids = |l: &Link| (l.left, l.right, l.rule);
    pairs.sort_unstable_by_key(by_ids);
    cut.sort_unstable_by_key(by_ids);
    for link in &pairs {
        *stats.joined.entry(link.rule).or_insert(0) += 1;
    }
    stats.cut = cut.len() as u64;

    let mut numbers: HashMap<u32, i64> = HashMap::new();
    let mut map = Vec::with_capacity(records.len());
    for (at, record) in (0..).zip(records) {
        let next = numbers.len() as i64 + 1;
        map.push((RecordId(record.id), PersonId(*numbers.entry(clusters.root(at)).or_insert(next))));
    }
    stats.persons = numbers.len() as u64;
    let mut unlinked = BTreeMap::new();
    for reason in records.iter().filter_map(|r| r.unlinkable) {
        *unlinked.entry(reason).or_insert(0) += 1;
    }
    Ok(Links { map, pairs, cut, unlinked, stats })
}

/// Pairs that a rule joins, strongest first. Records are sorted by id, so places break ties as ids do.
pub(crate) fn edges(people: &People, pairs: &[(u32, u32)], frequencies: &Frequencies, options: &Options) -> Vec<(Edge, Rule)> {
    let mut edges: Vec<(Edge, Rule)> = Vec::new();
    for &(left, right) in pairs {
        let (a, b) = (&people.records[left as usize], &people.records[right as usize]);
        let pair = compare::pair(a, b, &people.forms, frequencies);
        if let Some((rule, confidence)) = rules::decide(&pair, a, b, frequencies, options.namesakes) {
            edges.push((Edge { left, right, confidence }, rule));
        }
    }
    edges.sort_by(|(x, _), (y, _)| y.confidence.total_cmp(&x.confidence).then((x.left, x.right).cmp(&(y.left, y.right))));
    edges
}

fn named(people: &People, edge: Edge, rule: Rule) -> Link {
    let id = |at: u32| RecordId(people.records[at as usize].id);
    Link { left: id(edge.left), right: id(edge.right), rule, confidence: edge.confidence }
}

/// Must-links first, whatever the records say; then every cannot-link has to hold.
fn apply(facts: &[Fact], people: &People, clusters: &mut Clusters<'_>, stats: &mut Stats) -> Result<Vec<Link>, LinkageError> {
    let place = |id: RecordId| people.records.binary_search_by_key(&id.0, |r| r.id).ok().map(|at| at as u32);
    let mut facts = facts.to_vec();
    facts.sort_unstable();
    facts.dedup();
    let mut joined = Vec::new();
    let mut apart = Vec::new();
    for fact in facts {
        let (Fact::MustLink(a, b) | Fact::CannotLink(a, b)) = fact;
        let (Some(x), Some(y)) = (place(a), place(b)) else {
            stats.facts_without_record += 1;
            continue;
        };
        match fact {
            Fact::MustLink(..) if x != y => {
                clusters.join(x, y);
                joined.push(named(people, Edge { left: x.min(y), right: x.max(y), confidence: 1.0 }, Rule::Fact));
            }
            Fact::MustLink(..) => {}
            Fact::CannotLink(..) => apart.push((x.min(y), x.max(y))),
        }
    }
    apart.sort_unstable();
    for (x, y) in apart {
        if clusters.root(x) == clusters.root(y) {
            let id = |at: u32| RecordId(people.records[at as usize].id);
            return Err(LinkageError::FactsContradict { left: id(x), right: id(y) });
        }
        clusters.forbid(x, y);
    }
    joined.sort_unstable_by_key(|l| (l.left, l.right));
    joined.dedup_by_key(|l| (l.left, l.right));
    Ok(joined)
}
