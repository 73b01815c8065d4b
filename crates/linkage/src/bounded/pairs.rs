//! Candidate pairs and what they show. Blocks come one after the other, as their keys are sorted; pairs come by tile, so that the rows of
//! two stretches at a time are in memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Room;
use crate::blocks::{self, PASSES, PassReport, pair};
use crate::em::Case;
use crate::engine::{self, Scored};
use crate::error::LinkageError;
use crate::forms::{Form, Forms};
use crate::frequencies::Frequencies;
use crate::hash::FastMap;
use crate::levels::Pattern;
use crate::options::Options;
use crate::parallel;
use crate::parts;
use crate::rates::ByForm;
use crate::row::Row;
use crate::sorter::{Sorter, Tape, merged};

/// Candidate pairs by tile.
pub(super) struct Candidates {
    pairs: Vec<Sorter<u64>>,
    tiles: Tiles,
    pub passes: Vec<PassReport>,
}

/// Rows in stretches of equal length, a power of two: a pair as a number whose order is that of the tiles, then that of the pairs.
#[derive(Clone, Copy)]
struct Tiles {
    bits: u32,
}

impl Tiles {
    /// Stretches of which two fit.
    fn within(bytes: usize) -> Self {
        Self { bits: (bytes / (2 * size_of::<Row>())).max(2).ilog2().min(31) }
    }

    fn number(self, pair: u64) -> u64 {
        let (left, right) = blocks::sides(pair);
        let (low, bits) = ((1u64 << self.bits) - 1, self.bits);
        let (l, r) = (u64::from(left), u64::from(right));
        (l >> bits) << (32 + bits) | (r >> bits) << (2 * bits) | (l & low) << bits | r & low
    }

    fn pair(self, number: u64) -> (u32, u32) {
        let (low, bits) = ((1u64 << self.bits) - 1, self.bits);
        let (left, right) = self.tiles(number);
        ((left << bits | number >> bits & low) as u32, (right << bits | number & low) as u32)
    }

    fn tiles(self, number: u64) -> (u64, u64) {
        let bits = self.bits;
        (number >> (32 + bits), number >> (2 * bits) & ((1 << (32 - bits)) - 1))
    }
}

/// What has to be equal in two rows; `None` for a row that a pass leaves out.
type Key<'a> = Box<dyn Fn(&Row) -> Option<u64> + 'a>;

/// Name and key of a pass of `blocks`, or, behind these and where rows are `in_parts`, of `parts`; `None` behind the last.
fn pass(at: usize, in_parts: bool, forms: &Forms) -> Option<(&'static str, Key<'_>)> {
    if let Some(&(pass, name)) = PASSES.get(at) {
        return Some((name, Box::new(move |row| blocks::key(pass, row))));
    }
    let at = at - PASSES.len();
    let name = parts::PASSES.get(at).filter(|_| in_parts)?;
    let key = move |row: &Row| row.is_parted().then(|| parts::keys_of(row, forms)[at]).filter(|key| *key != 0);
    Some((name, Box::new(key)))
}

/// All candidate pairs of the rows that take part: those that `blocks::candidates` finds.
pub(super) fn candidates(
    rows: &Tape<Row>,
    in_parts: bool,
    forms: &Forms,
    options: &Options,
    room: &Room,
) -> Result<Candidates, LinkageError> {
    let buffers = room.buffers()?;
    let tiles = Tiles::within(buffers / 2);
    let threads = room.threads(buffers / 2, options);
    let next = AtomicUsize::new(0);
    let shares = parallel::pieces(
        threads,
        threads,
        || (),
        |(), _| -> Result<_, LinkageError> {
            let mut pairs = room.sorter(buffers / 2 / threads);
            let mut reports = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some((name, key)) = pass(at, in_parts, forms) else { return Ok((pairs, reports)) };
                let entries = room.sorter(buffers / 2 / threads);
                let report = PassReport { key: name.to_owned(), ..PassReport::default() };
                reports.push((at, one_pass(rows, forms, key, options, entries, report, |p| pairs.push(tiles.number(p)))?));
            }
        },
    );
    let (mut pairs, mut reports) = (Vec::new(), Vec::new());
    for share in shares {
        let (found, mut of_passes) = share?;
        pairs.push(found);
        reports.append(&mut of_passes);
    }
    reports.sort_by_key(|(at, _)| *at);
    Ok(Candidates { pairs, tiles, passes: reports.into_iter().map(|(_, report)| report).collect() })
}

/// Key, likeness and row.
type Entry = (u64, (u64, u32));

fn one_pass(
    rows: &Tape<Row>,
    forms: &Forms,
    key: impl Fn(&Row) -> Option<u64>,
    options: &Options,
    mut entries: Sorter<Entry>,
    mut report: PassReport,
    mut found: impl FnMut(u64) -> Result<(), LinkageError>,
) -> Result<PassReport, LinkageError> {
    for (at, row) in (0u32..).zip(rows.iter()) {
        let row = row?;
        if row.linkable()
            && let Some(key) = key(&row)
        {
            entries.push((key, (engine::likeness(&row, forms), at)))?;
        }
    }
    let mut block = Block::default();
    let mut last = None;
    for entry in entries.sorted()? {
        let (key, (_, row)) = entry?;
        if last.replace(key) != Some(key) {
            std::mem::take(&mut block).end(&mut report, &mut found)?;
        }
        block.add(row, options, &mut report, &mut found)?;
    }
    block.end(&mut report, &mut found)?;
    Ok(report)
}

/// Rows with one key, in the order of their likeness. Of a block that is too large only those are held that the next is compared with.
#[derive(Default)]
struct Block {
    count: u64,
    held: VecDeque<u32>,
    /// Pairs that were given so far; `None` while the block is not too large.
    given: Option<u64>,
}

impl Block {
    fn add(
        &mut self,
        row: u32,
        options: &Options,
        report: &mut PassReport,
        found: &mut impl FnMut(u64) -> Result<(), LinkageError>,
    ) -> Result<(), LinkageError> {
        self.count += 1;
        if self.given.is_none() && self.held.len() < options.largest_block {
            self.held.push_back(row);
            return Ok(());
        }
        let members: Vec<u32> = if self.given.is_none() { self.held.drain(..).chain([row]).collect() } else { vec![row] };
        let mut given = self.given.unwrap_or(0);
        for member in members {
            for &other in &self.held {
                found(pair(other, member))?;
                given += 1;
                report.pairs += 1;
            }
            self.held.push_back(member);
            if self.held.len() > options.neighbours {
                self.held.pop_front();
            }
        }
        self.given = Some(given);
        Ok(())
    }

    fn end(self, report: &mut PassReport, found: &mut impl FnMut(u64) -> Result<(), LinkageError>) -> Result<(), LinkageError> {
        if self.count < 2 {
            return Ok(());
        }
        let all = self.count * (self.count - 1) / 2;
        report.blocks += 1;
        report.largest_block = report.largest_block.max(self.count);
        report.estimated_pairs += all;
        if let Some(given) = self.given {
            report.capped_blocks += 1;
            report.left_out_pairs += all - given;
            return Ok(());
        }
        report.pairs += all;
        for (at, &a) in self.held.iter().enumerate() {
            for &b in self.held.iter().skip(at + 1) {
                found(pair(a, b))?;
            }
        }
        Ok(())
    }
}

/// Compared pairs, sorted, and how many show what.
pub(super) struct Compared {
    pub scored: Tape<Scored>,
    pub cases: Vec<Case>,
}

/// So many pairs are compared at a time.
const TOGETHER: usize = 1 << 16;

pub(super) fn compare(
    candidates: Candidates,
    rows: &Tape<Row>,
    forms: &Forms,
    frequencies: &Frequencies,
    options: &Options,
    room: &Room,
) -> Result<Compared, LinkageError> {
    let Candidates { pairs, tiles, .. } = candidates;
    let pairs = merged(pairs)?;
    let buffers = room.buffers()?;
    let mut work = Work {
        tiles,
        rows,
        forms,
        frequencies,
        threads: options.threads,
        loaded: [(u64::MAX, Vec::new()), (u64::MAX, Vec::new())],
        waiting: room.sorter(buffers / 4),
        scored: Tape::new(&room.directory)?,
        counts: FastMap::default(),
    };
    let mut batch: Vec<u64> = Vec::with_capacity(TOGETHER);
    let mut last = None;
    for number in pairs {
        let number = number?;
        let before = last.replace(number);
        if before == Some(number) {
            continue;
        }
        let tile = before.map(|n| tiles.tiles(n));
        if tile.is_some_and(|t| t != tiles.tiles(number)) || batch.len() == TOGETHER {
            work.compare(&mut batch)?;
        }
        if tile.is_some_and(|t| t.0 != tiles.tiles(number).0) {
            work.empty(room.sorter(buffers / 4))?;
        }
        batch.push(number);
    }
    work.compare(&mut batch)?;
    work.empty(room.sorter(0))?;
    work.scored.close()?;
    Ok(Compared { scored: work.scored, cases: cases(work.counts) })
}

/// Cases in the order of the patterns, from the pairs by key.
fn cases(counts: FastMap<u64, u32>) -> Vec<Case> {
    let mut keys: Vec<(u64, u32)> = counts.into_iter().collect();
    keys.sort_unstable();
    keys.into_iter().map(|(key, pairs)| engine::case_of(key, pairs)).collect()
}

/// The same pairs, marked with how often the institutions of their rows err.
pub(super) fn mark(scored: Tape<Scored>, rates: &ByForm, institutions: &[Form], room: &Room) -> Result<Compared, LinkageError> {
    let mut marked = Tape::new(&room.directory)?;
    let mut counts = FastMap::default();
    for pair in scored.iter() {
        let mut pair = pair?;
        rates.mark(&mut pair, |row| institutions[row as usize]);
        *counts.entry(engine::case_key(pair.pattern, pair.steps)).or_insert(0) += 1;
        marked.push(&pair)?;
    }
    marked.close()?;
    Ok(Compared { scored: marked, cases: cases(counts) })
}

struct Work<'a> {
    tiles: Tiles,
    rows: &'a Tape<Row>,
    forms: &'a Forms,
    frequencies: &'a Frequencies,
    threads: usize,
    /// The rows of the two stretches, with their numbers.
    loaded: [(u64, Vec<Row>); 2],
    /// Compared pairs of the left stretch: pair, pattern and steps.
    waiting: Sorter<(u64, (u32, u32))>,
    scored: Tape<Scored>,
    counts: FastMap<u64, u32>,
}

impl Work<'_> {
    /// Compares pairs of one tile, which are gone then.
    fn compare(&mut self, batch: &mut Vec<u64>) -> Result<(), LinkageError> {
        let Some(&first) = batch.first() else { return Ok(()) };
        let (left, right) = self.tiles.tiles(first);
        let length = 1usize << self.tiles.bits;
        for (tile, (number, rows)) in [left, right].into_iter().zip(&mut self.loaded) {
            if *number != tile {
                rows.clear();
                for row in self.rows.from(tile << self.tiles.bits).take(length) {
                    rows.push(row?);
                }
                *number = tile;
            }
        }
        let (tiles, forms, frequencies) = (self.tiles, self.forms, self.frequencies);
        let [(_, lefts), (_, rights)] = &self.loaded;
        let lists = parallel::slices(self.threads, batch, TOGETHER / 16, |numbers| {
            let shows = |number: &u64| {
                let (a, b) = tiles.pair(*number);
                let (l, r) = (&lefts[a as usize & (length - 1)], &rights[b as usize & (length - 1)]);
                let (pattern, steps) = engine::compared(l, r, forms, frequencies);
                (pair(a, b), (pattern.0, u32::from(steps)))
            };
            numbers.iter().map(shows).collect::<Vec<_>>()
        });
        for scored in lists.into_iter().flatten() {
            let (_, (pattern, steps)) = scored;
            *self.counts.entry(engine::case_key(Pattern(pattern), steps as u8)).or_insert(0) += 1;
            self.waiting.push(scored)?;
        }
        batch.clear();
        Ok(())
    }

    /// Puts away what was compared of the left stretch: all pairs come in their order.
    fn empty(&mut self, next: Sorter<(u64, (u32, u32))>) -> Result<(), LinkageError> {
        for scored in std::mem::replace(&mut self.waiting, next).sorted()? {
            let (both, (pattern, steps)) = scored?;
            let (left, right) = blocks::sides(both);
            self.scored.push(&Scored { left, right, pattern: Pattern(pattern), steps: steps as u8 })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_pair_is_in_the_order_of_tiles_and_gives_the_pair_back() {
        bolero::check!().with_type::<(u32, u32, u32, u32, u8)>().for_each(|&(a, b, c, d, bits)| {
            let tiles = Tiles { bits: u32::from(bits) % 31 + 1 };
            let (one, other) = (pair(a, b), pair(c, d));
            assert_eq!(tiles.pair(tiles.number(one)), blocks::sides(one));
            let naive = |p: u64| {
                let (l, r) = blocks::sides(p);
                (l >> tiles.bits, r >> tiles.bits, l, r)
            };
            assert_eq!(tiles.number(one).cmp(&tiles.number(other)), naive(one).cmp(&naive(other)));
        });
    }
}
