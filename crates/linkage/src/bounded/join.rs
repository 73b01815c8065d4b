//! Pairs become persons. Two rows can only become one person where likely pairs or clerks' words connect them, so that groups of rows that
//! nothing connects are worked on one after the other, each with its rows and pairs.

use super::Room;
use crate::blocks;
use crate::clerk;
use crate::engine::{self, Contradiction, Decision, Judged, Said, Scored};
use crate::error::LinkageError;
use crate::forms::Forms;
use crate::hash::FastMap;
use crate::levels::Pattern;
use crate::model::{Model, Scorer};
use crate::options::Options;
use crate::report;
use crate::row::Row;
use crate::sorter::{Item, Sorter, Tape, four};
use crate::write;

/// What a run has on disk.
pub(super) struct Parts<'a> {
    pub scored: &'a Tape<Scored>,
    pub rows: &'a Tape<Row>,
    pub labels: &'a Tape<Box<[u8]>>,
    pub forms: &'a Forms,
}

/// Clerks' words, sorted.
pub(super) struct Facts {
    pub must: Vec<(u32, u32)>,
    pub cannot: Vec<(u32, u32)>,
}

type Label = Box<[u8]>;

/// A judged pair: the pair, its labels, its probability's bits, what became of it.
type Linked = (u64, ((Label, Label), (u32, u32)));
/// A pair with its group, its pattern and its steps.
type Shown = (u32, (u64, (u32, u32)));
/// A pair for clerks: its value (the largest first), its labels, its row in the table.
type Queued = (u64, ((Label, Label), Label));

/// What became of rows and pairs.
pub(super) struct Joined {
    /// For each row the smallest row of its cluster.
    pub cluster: Vec<u32>,
    pub links: Sorter<Linked>,
    pub queue: Sorter<Queued>,
}

/// A pair for the table of links.
pub(super) struct Link {
    pub left: Label,
    pub right: Label,
    pub probability: f32,
    pub decision: Decision,
}

const DECISIONS: [Decision; 5] = [Decision::Must, Decision::Cannot, Decision::Link, Decision::Cut, Decision::Review];

pub(super) fn link((_, ((left, right), (bits, decision))): Linked) -> Result<Link, LinkageError> {
    let decision = *DECISIONS.get(decision as usize).ok_or(LinkageError::SpillChanged)?;
    Ok(Link { left, right, probability: f32::from_bits(bits), decision })
}

/// A row of a group that pairs connect.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    group: u32,
    at: u32,
    label: Label,
    row: Row,
}

impl Item for Member {
    fn put(&self, out: &mut Vec<u8>) {
        self.group.put(out);
        self.at.put(out);
        self.label.put(out);
        self.row.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some(Self { group: four(rest)?, at: four(rest)?, label: Label::take(rest)?, row: Row::take(rest)? })
    }
    fn beside(&self) -> usize {
        self.label.beside()
    }
}

fn root(above: &mut [u32], mut at: u32) -> u32 {
    while above[at as usize] != at {
        above[at as usize] = above[above[at as usize] as usize];
        at = above[at as usize];
    }
    at
}

/// For each row the smallest row that it is connected with.
fn groups(parts: &Parts<'_>, said: &Said, facts: &Facts, options: &Options) -> Result<Vec<u32>, LinkageError> {
    let mut above: Vec<u32> = (0..parts.rows.len() as u32).collect();
    let mut connect = |a: u32, b: u32| {
        let (a, b) = (root(&mut above, a), root(&mut above, b));
        above[a.max(b) as usize] = a.min(b);
    };
    for scored in parts.scored.iter() {
        if let Some(judged) = engine::judge(&scored?, said, options) {
            connect(judged.left, judged.right);
        }
    }
    facts.must.iter().chain(&facts.cannot).for_each(|&(a, b)| connect(a, b));
    // what is above a row is smaller and done
    for at in 0..above.len() {
        above[at] = above[above[at] as usize];
    }
    Ok(above)
}

pub(super) fn join(
    parts: &Parts<'_>,
    said: &Said,
    model: &Model,
    facts: Facts,
    options: &Options,
    room: &Room,
    counted: &mut report::Counted,
) -> Result<Joined, LinkageError> {
    let mut group = groups(parts, said, &facts, options)?;
    let buffers = room.buffers()?;
    let mut several = vec![false; group.len()];
    (0u32..).zip(&group).filter(|(at, of)| at != *of).for_each(|(_, of)| several[*of as usize] = true);
    let mut members: Sorter<Member> = room.sorter(buffers / 4);
    let mut alone = 0;
    for ((at, row), label) in (0u32..).zip(parts.rows.iter()).zip(parts.labels.iter()) {
        let (of, row, label) = (group[at as usize], row?, label?);
        if several[of as usize] {
            members.push(Member { group: of, at, label, row })?;
        } else {
            alone += 1;
        }
    }
    drop(several);
    counted.persons(1, alone);
    let mut pairs: Sorter<Shown> = room.sorter(buffers / 4);
    for scored in parts.scored.iter() {
        if let Some(j) = engine::judge(&scored?, said, options) {
            pairs.push((group[j.left as usize], (blocks::pair(j.left, j.right), (j.pattern.0, u32::from(j.steps)))))?;
        }
    }
    let in_groups = |facts: Vec<(u32, u32)>| {
        let mut facts: Vec<_> = facts.into_iter().map(|(a, b)| (group[a as usize], a, b)).collect();
        facts.sort_unstable();
        facts.into_iter().peekable()
    };
    let (mut must, mut cannot) = (in_groups(facts.must), in_groups(facts.cannot));

    group.iter_mut().zip(0u32..).for_each(|(cluster, at)| *cluster = at);
    let mut joined = Joined { cluster: group, links: room.sorter(buffers / 8), queue: room.sorter(buffers / 16) };
    let (mut members, mut pairs) = (members.sorted()?.peekable(), pairs.sorted()?.peekable());
    let most = buffers / 8;
    loop {
        let mut batch = Batch { forms: parts.forms, members: Vec::new(), rows: Vec::new(), judged: Vec::new() };
        let mut weight = 0;
        while let Some(next) = members.peek() {
            let full = weight >= most && next.as_ref().is_ok_and(|n| batch.last_group() != Some(n.group));
            if full {
                break;
            }
            let Some(member) = members.next().transpose()? else { break };
            weight += 2 * size_of::<Member>() + member.beside();
            batch.rows.push(member.row);
            batch.members.push((member.group, member.at, member.label));
        }
        let Some(last) = batch.last_group() else { return Ok(joined) };
        while let Some(pair) = pairs.next_if(|p| p.as_ref().map_or(true, |p| p.0 <= last)) {
            let (of, (pair, (pattern, steps))) = pair?;
            let (left, right) = blocks::sides(pair);
            let scored = Scored {
                left: batch.place(of, left)?,
                right: batch.place(of, right)?,
                pattern: Pattern(pattern),
                steps: steps as u8,
            };
            batch.judged.extend(engine::judge(&scored, said, options));
        }
        let facts = |list: &mut std::iter::Peekable<std::vec::IntoIter<(u32, u32, u32)>>| {
            let mut here = Vec::new();
            while let Some((of, a, b)) = list.next_if(|f| f.0 <= last) {
                here.push((batch.place(of, a)?, batch.place(of, b)?));
            }
            Ok::<_, LinkageError>(here)
        };
        let (must, cannot) = (facts(&mut must)?, facts(&mut cannot)?);
        batch.join(&must, &cannot, &model.scorer(), options, &mut joined, counted)?;
    }
}

/// Some groups, numbered by group and row.
struct Batch<'a> {
    forms: &'a Forms,
    /// Group, row and label.
    members: Vec<(u32, u32, Label)>,
    rows: Vec<Row>,
    judged: Vec<Judged>,
}

impl Batch<'_> {
    fn last_group(&self) -> Option<u32> {
        self.members.last().map(|m| m.0)
    }

    /// Where a row of a group stands here.
    fn place(&self, group: u32, row: u32) -> Result<u32, LinkageError> {
        let found = self.members.binary_search_by_key(&(group, row), |m| (m.0, m.1));
        found.map(|at| at as u32).map_err(|_| LinkageError::SpillChanged)
    }

    fn join(
        mut self,
        must: &[(u32, u32)],
        cannot: &[(u32, u32)],
        scorer: &Scorer,
        options: &Options,
        joined: &mut Joined,
        counted: &mut report::Counted,
    ) -> Result<(), LinkageError> {
        let clusters = engine::join(&self.rows, self.forms, None, must, cannot, options, &mut self.judged).map_err(
            |Contradiction(a, b)| {
                let [left, right] = [a, b].map(|at| String::from_utf8_lossy(&self.members[at as usize].2).into_owned());
                LinkageError::StandingFactsContradict { left, right }
            },
        )?;
        let mut sizes: FastMap<u32, u64> = FastMap::default();
        for (member, cluster) in self.members.iter().zip(&clusters) {
            *sizes.entry(*cluster).or_insert(0) += 1;
            joined.cluster[member.1 as usize] = self.members[*cluster as usize].1;
        }
        sizes.values().for_each(|records| counted.persons(*records, 1));
        for j in &self.judged {
            let [(_, left, l), (_, right, r)] = [j.left, j.right].map(|at| &self.members[at as usize]);
            let decision = DECISIONS.iter().position(|d| *d == j.decision).unwrap_or_default() as u32;
            let labels = || (l.clone(), r.clone());
            joined.links.push((blocks::pair(*left, *right), (labels(), (j.probability.to_bits(), decision))))?;
            if matches!(j.decision, Decision::Review | Decision::Cut) {
                let text = |label: &Label| String::from_utf8_lossy(label).into_owned();
                let size = |at: u32| sizes.get(&clusters[at as usize]).copied().unwrap_or(1);
                let case = clerk::case(scorer, j, j.decision, [text(l), text(r)], [size(j.left), size(j.right)]);
                let mut line = Vec::new();
                write::case(&mut line, &case).map_err(|_| LinkageError::FileUnwritable)?;
                joined.queue.push((!in_order(case.value), (labels(), line.into())))?;
            }
        }
        Ok(())
    }
}

/// A number in the order of `f64::total_cmp`.
fn in_order(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
