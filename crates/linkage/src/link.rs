//! Linkage of the identity vault, from people and facts to persons.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use terms::{PersonId, RecordId};

use crate::clerk::{self, Case};
use crate::engine::{self, Contradiction, Decision, Input, Judged, Watch};
use crate::error::LinkageError;
use crate::lexicon::Lexicon;
use crate::options::Options;
use crate::people::People;
use crate::row::flag;
use crate::stand_in::Unlinkable;

/// What a clerk has decided; stronger than everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The two records are one person.
    MustLink(RecordId, RecordId),
    /// The two records are two persons.
    CannotLink(RecordId, RecordId),
}

/// Two records and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Link {
    /// The record with the smaller id.
    pub left: RecordId,
    /// The other.
    pub right: RecordId,
    /// Probability that they are one person, as far as the two alone say.
    pub probability: f32,
    /// What became of the pair.
    pub decision: Decision,
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
    /// Pairs that are likely enough but kept apart by a contradiction.
    pub cut: u64,
    /// Pairs for a clerk.
    pub review: u64,
    /// Blocks too large to compare all with all.
    pub capped_blocks: u64,
    /// Pairs that were not compared for that reason, counted in each pass.
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
    /// Compared pairs that are one person, and clerks' words, sorted by their ids.
    pub pairs: Vec<Link>,
    /// Pairs that are likely enough but kept apart by a contradiction or a fact, sorted by their ids.
    pub cut: Vec<Link>,
    /// Pairs for a clerk, sorted by their ids.
    pub review: Vec<Link>,
    /// Pairs of `review` and those of `cut` that are no clerk's word, with their evidence, the most valuable first.
    pub queue: Vec<Case<RecordId>>,
    /// How many records are linked with nothing because they name nobody, by reason.
    pub unlinked: BTreeMap<Unlinkable, u64>,
    /// Counts.
    pub stats: Stats,
}

/// Links records: see the crate's description. A model is trained on the records themselves.
///
/// The same rows and facts in any order, and any number of threads, give the same result.
///
/// # Errors
/// [`LinkageError::FactsContradict`] when must-link facts join what a cannot-link fact keeps apart.
pub fn link(people: &People, facts: &[Fact], options: &Options) -> Result<Links, LinkageError> {
    let (ids, owners) = (&people.ids, &people.owners);
    let (mut rows, mut forms) = (people.rows.clone(), people.forms.clone());
    if !options.newborns {
        rows.iter_mut().filter(|r| r.is_baby() && r.linkable()).for_each(|r| r.flags |= Unlinkable::Newborn.bits());
    }
    Lexicon::learn(&rows, &forms).split(&mut rows, &mut forms);

    // a fact is about records; any row of a record stands for it
    let mut first: HashMap<i64, u32> = HashMap::new();
    for (row, owner) in (0u32..).zip(owners) {
        first.entry(ids[*owner as usize]).or_insert(row);
    }
    let (mut must, mut cannot, mut without) = (Vec::new(), Vec::new(), 0);
    let mut sorted = facts.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    for fact in sorted {
        let (Fact::MustLink(a, b) | Fact::CannotLink(a, b)) = fact;
        let (Some(&x), Some(&y)) = (first.get(&a.0), first.get(&b.0)) else {
            without += 1;
            continue;
        };
        match fact {
            Fact::MustLink(..) if x == y => {}
            Fact::MustLink(..) => must.push((x.min(y), x.max(y))),
            Fact::CannotLink(..) => cannot.push((x.min(y), x.max(y))),
        }
    }
    for list in [&mut must, &mut cannot] {
        list.sort_unstable();
        list.dedup();
    }

    let id = |row: u32| RecordId(ids[owners[row as usize] as usize]);
    let input = Input { rows: &mut rows, forms: &forms, owners: Some(owners), must: &must, cannot: &cannot };
    let outcome = engine::run(input, None, options, &mut Watch::start(), None)
        .map_err(|Contradiction(a, b)| LinkageError::FactsContradict { left: id(a), right: id(b) })?;

    let mut stats = Stats {
        records: ids.len() as u64,
        candidates: outcome.candidates,
        capped_blocks: outcome.passes.iter().map(|p| p.capped_blocks).sum(),
        left_out_pairs: outcome.passes.iter().map(|p| p.left_out_pairs).sum(),
        shared_phones: outcome.shared[0],
        shared_homes: outcome.shared[1],
        shared_cards: outcome.shared[2],
        wrong_check_digits: people.wrong_check_digits,
        facts_without_record: without,
        ..Stats::default()
    };
    let best = by_record(&outcome.judged, &outcome.cluster, id);
    let mut records: HashMap<u32, u64> = HashMap::new();
    let mut last = None;
    for (row, _) in (0u32..).zip(owners).filter(|(_, owner)| last.replace(**owner) != Some(**owner)) {
        *records.entry(outcome.cluster[row as usize]).or_insert(0) += 1;
    }
    let size = |row: u32| records.get(&outcome.cluster[row as usize]).copied().unwrap_or(1);
    let scorer = outcome.trained.model.scorer();
    let waits = best.values().filter(|(link, _)| matches!(link.decision, Decision::Review | Decision::Cut));
    let case = |(l, j): &(Link, &Judged)| clerk::case(&scorer, j, l.decision, [l.left, l.right], [size(j.left), size(j.right)]);
    let mut queue: Vec<Case<RecordId>> = waits.map(case).collect();
    clerk::sort(&mut queue);
    let [pairs, cut, review] = lists(best);
    stats.cut = cut.len() as u64;
    stats.review = review.len() as u64;

    let mut numbers: HashMap<u32, i64> = HashMap::new();
    let mut map: Vec<(RecordId, PersonId)> = Vec::with_capacity(ids.len());
    let mut unlinked = BTreeMap::new();
    for (row, owner) in (0u32..).zip(owners) {
        if map.len() > *owner as usize {
            continue;
        }
        let next = numbers.len() as i64 + 1;
        map.push((id(row), PersonId(*numbers.entry(outcome.cluster[row as usize]).or_insert(next))));
        if let Some(reason) = Unlinkable::from_flags(rows[row as usize].flags & flag::REASON) {
            *unlinked.entry(reason).or_insert(0) += 1;
        }
    }
    stats.persons = numbers.len() as u64;
    Ok(Links { map, pairs, cut, review, queue, unlinked, stats })
}

/// Pairs of rows become pairs of records, each at its best: linked before cut before for review, then by probability.
fn by_record<'a>(
    judged: &'a [Judged],
    cluster: &[u32],
    id: impl Fn(u32) -> RecordId,
) -> BTreeMap<(RecordId, RecordId), (Link, &'a Judged)> {
    let mut best: BTreeMap<(RecordId, RecordId), (Link, &Judged)> = BTreeMap::new();
    for j in judged {
        let (a, b) = (id(j.left), id(j.right));
        let together = cluster[j.left as usize] == cluster[j.right as usize];
        let decision = match j.decision {
            Decision::Must | Decision::Cannot => j.decision,
            _ if together => Decision::Link,
            other => other,
        };
        let link = Link { left: a.min(b), right: a.max(b), probability: j.probability, decision };
        let place = best.entry((link.left, link.right)).or_insert((link, j));
        if (link.decision, -link.probability) < (place.0.decision, -place.0.probability) {
            *place = (link, j);
        }
    }
    best
}

/// Linked, cut, for review.
fn lists(best: BTreeMap<(RecordId, RecordId), (Link, &Judged)>) -> [Vec<Link>; 3] {
    let mut lists = [Vec::new(), Vec::new(), Vec::new()];
    for (link, _) in best.into_values() {
        let list = match link.decision {
            Decision::Must | Decision::Link => 0,
            Decision::Cut | Decision::Cannot => 1,
            Decision::Review => 2,
        };
        lists[list].push(link);
    }
    lists
}
