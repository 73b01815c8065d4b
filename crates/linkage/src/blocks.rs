//! Candidate pairs: rows that have a key in common. Several passes, so that no single slip hides a pair; a bound on what a monster block
//! may cost, and a count of what it left out.

use serde::{Deserialize, Serialize};

use crate::forms::NONE;
use crate::hash::mix;
use crate::parallel;
use crate::radix;
use crate::row::{NO_DAY, Row, crowd};
use terms::civil_from_days;

/// A way of looking for pairs: what has to be equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pass {
    BirthGivenRead,
    BirthGivenWritten,
    BirthFamilyRead,
    BirthFamilyWritten,
    BirthPhone,
    BirthCard,
    BirthPostal,
    CardGiven,
    PhoneGiven,
    NamePostal,
    NameYear,
    NameMonthDay,
    WrittenInsurer,
    WrittenYear,
    WrittenPostal,
    NamePhone,
}

pub(crate) const PASSES: [(Pass, &str); 16] = [
    (Pass::BirthGivenRead, "birth date, given name read"),
    (Pass::BirthGivenWritten, "birth date, given name written"),
    (Pass::BirthFamilyRead, "birth date, family name read"),
    (Pass::BirthFamilyWritten, "birth date, family name written"),
    (Pass::BirthPhone, "birth date, telephone"),
    (Pass::BirthCard, "birth date, card"),
    (Pass::BirthPostal, "birth date, postal code"),
    (Pass::CardGiven, "card, given name read"),
    (Pass::PhoneGiven, "telephone, given name read"),
    (Pass::NamePostal, "name read, postal code"),
    (Pass::NameYear, "name read, birth year"),
    (Pass::NameMonthDay, "name read, birth month and day"),
    (Pass::WrittenInsurer, "name written, insurer"),
    (Pass::WrittenYear, "name written, birth year"),
    (Pass::WrittenPostal, "name written, postal code"),
    (Pass::NamePhone, "telephone, given name written"),
];

/// What a pass found, safe to report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassReport {
    /// What has to be equal.
    pub key: String,
    /// Blocks of two rows or more.
    pub blocks: u64,
    /// Pairs that comparing all with all inside its blocks would make: the cost before any cap.
    pub estimated_pairs: u64,
    /// Pairs that it gave.
    pub pairs: u64,
    /// Blocks that were too large.
    pub capped_blocks: u64,
    /// Pairs that were left out for that.
    pub left_out_pairs: u64,
    /// Rows of the largest block.
    pub largest_block: u64,
}

/// Bounds of a block.
#[derive(Clone, Copy)]
pub(crate) struct Caps {
    /// Rows up to which all are compared with all.
    pub block: usize,
    /// In a larger block each row is compared with this many that are most like it.
    pub neighbours: usize,
}

/// Candidate pairs (places in the list of rows, the smaller in the upper half), sorted, each once.
pub(crate) struct Candidates {
    pub pairs: Vec<u64>,
    pub passes: Vec<PassReport>,
}

pub(crate) fn pair(a: u32, b: u32) -> u64 {
    u64::from(a.min(b)) << 32 | u64::from(a.max(b))
}

pub(crate) fn sides(pair: u64) -> (u32, u32) {
    ((pair >> 32) as u32, pair as u32)
}

pub(crate) fn key(pass: Pass, row: &Row) -> Option<u64> {
    let some = |a: u64, b: u64| (a != 0 && b != 0).then(|| mix(mix(pass as u64, a), b));
    let birth = || if row.birth == NO_DAY { 0 } else { u64::from(row.birth as u32) | 1 << 32 };
    let form = |f: u32| if f == NONE { 0 } else { u64::from(f) | 1 << 33 };
    let phone = || if row.crowd & crowd::PHONE != 0 { 0 } else { row.phone };
    let card = || if row.has_card() && row.crowd & crowd::CARD == 0 { row.card() | 1 } else { 0 };
    let read = || if row.fy == NONE || row.gy == NONE { 0 } else { mix(u64::from(row.fy), u64::from(row.gy)) | 1 };
    let written = || if row.fk == NONE || row.gk == NONE { 0 } else { mix(u64::from(row.fk), u64::from(row.gk)) | 1 };
    let civil = || (row.birth != NO_DAY).then(|| civil_from_days(row.birth));
    let year = || civil().map_or(0, |(y, ..)| y as u64 | 1 << 34);
    let day = || civil().map_or(0, |(_, m, d)| u64::from(m * 32 + d) | 1 << 35);
    match pass {
        Pass::BirthGivenRead => some(birth(), form(row.gy)),
        Pass::BirthGivenWritten => some(birth(), form(row.gk)),
        Pass::BirthFamilyRead => some(birth(), form(row.fy)),
        Pass::BirthFamilyWritten => some(birth(), form(row.fk)),
        Pass::BirthPhone => some(birth(), phone()),
        Pass::BirthCard => some(birth(), card()),
        Pass::BirthPostal => some(birth(), u64::from(row.postal)),
        Pass::CardGiven => some(card(), form(row.gy)),
        Pass::PhoneGiven => some(phone(), form(row.gy)),
        Pass::NamePostal => some(read(), u64::from(row.postal)),
        Pass::NameYear => some(read(), year()),
        Pass::NameMonthDay => some(read(), day()),
        Pass::WrittenInsurer => some(written(), u64::from(row.insurer)),
        Pass::WrittenYear => some(written(), year()),
        Pass::WrittenPostal => some(written(), u64::from(row.postal)),
        Pass::NamePhone => some(phone(), form(row.gk)),
    }
}

/// All candidate pairs of the rows that take part. `more`: further passes, each with a key for every row (0: none). `likeness` orders the rows
/// of a block that is too large: like beside like.
pub(crate) fn candidates(
    rows: &[Row],
    more: &[(&'static str, Vec<u64>)],
    caps: Caps,
    threads: usize,
    likeness: impl Fn(u32) -> u64 + Sync,
) -> Candidates {
    let parts = rows.len().div_ceil(1 << TOGETHER);
    let found = parallel::pieces(threads, PASSES.len() + more.len(), Space::default, |space: &mut Space, at| {
        let (name, further) = match PASSES.get(at) {
            Some((_, name)) => (*name, &[][..]),
            None => (more[at - PASSES.len()].0, &more[at - PASSES.len()].1[..]),
        };
        let key_of = |row: u32| match PASSES.get(at) {
            Some((pass, _)) => key(*pass, &rows[row as usize]),
            None => further.get(row as usize).copied().filter(|key| *key != 0),
        };
        let mut report = PassReport { key: name.to_owned(), ..PassReport::default() };
        space.pairs.clear();
        space.entries.clear();
        space.rest.resize(rows.len(), 0);
        for (at, _) in (0u32..).zip(rows).filter(|(_, r)| r.linkable()) {
            if let Some(key) = key_of(at) {
                space.entries.push(key >> 32 << 32 | u64::from(at));
                space.rest[at as usize] = key as u32;
            }
        }
        // by the first half of the key; the second tells the few apart that are equal there by chance
        radix::sort(&mut space.entries, &mut space.scratch, 32, 64);
        let rest = |entry: &u64| space.rest[*entry as u32 as usize];
        for alike in space.entries.chunk_by_mut(|a, b| a >> 32 == b >> 32).filter(|b| b.len() > 1) {
            if alike.iter().any(|e| rest(e) != rest(&alike[0])) {
                alike.sort_by_key(rest);
            }
            for block in alike.chunk_by(|a, b| rest(a) == rest(b)).filter(|b| b.len() > 1) {
                compare_within(block, caps, &likeness, &mut space.pairs, &mut report);
            }
        }
        report.pairs = space.pairs.len() as u64;
        (radix::partition(&space.pairs, parts, part), report)
    });
    let (lists, passes): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    Candidates { pairs: union(&lists, rows.len() as u64, threads), passes }
}

/// The pairs of a block (rows in the lower halves of its entries): all with all, or each row with those most like it where it is too large.
fn compare_within(block: &[u64], caps: Caps, likeness: &impl Fn(u32) -> u64, pairs: &mut Vec<u64>, report: &mut PassReport) {
    report.blocks += 1;
    report.largest_block = report.largest_block.max(block.len() as u64);
    let all = block.len() as u64 * (block.len() as u64 - 1) / 2;
    report.estimated_pairs += all;
    if block.len() <= caps.block {
        for (at, &a) in block.iter().enumerate() {
            pairs.extend(block[at + 1..].iter().map(|&b| pair(a as u32, b as u32)));
        }
        return;
    }
    report.capped_blocks += 1;
    let mut members: Vec<(u64, u32)> = block.iter().map(|&m| (likeness(m as u32), m as u32)).collect();
    members.sort_unstable();
    let before = pairs.len();
    for (at, &(_, a)) in members.iter().enumerate() {
        pairs.extend(members[at + 1..].iter().take(caps.neighbours).map(|&(_, b)| pair(a, b)));
    }
    report.left_out_pairs += all - (pairs.len() - before) as u64;
}

/// What a thread needs for a pass, kept for the next.
#[derive(Default)]
struct Space {
    /// First half of the key, and the row.
    entries: Vec<u64>,
    scratch: Vec<u64>,
    /// Second half of the key, by row.
    rest: Vec<u32>,
    pairs: Vec<u64>,
}

/// So many rows (2 to the power of this) on the left side of pairs are brought together at a time.
const TOGETHER: u32 = 13;

fn part(pair: u64) -> usize {
    (pair >> (32 + TOGETHER)) as usize
}

/// All pairs of lists that are in parts, sorted, each once.
fn union(lists: &[(Vec<u64>, Vec<usize>)], rows: u64, threads: usize) -> Vec<u64> {
    let parts = lists.first().map_or(0, |(_, ends)| ends.len());
    let found = parallel::pieces(threads, parts, <(Vec<u64>, Vec<u64>)>::default, |(all, scratch), part| {
        all.clear();
        for (list, ends) in lists {
            let start = if part == 0 { 0 } else { ends[part - 1] };
            all.extend_from_slice(&list[start..ends[part]]);
        }
        radix::sort(all, scratch, 0, radix::bits(rows));
        radix::sort(all, scratch, 32, 32 + TOGETHER);
        all.dedup();
        all.as_slice().to_vec()
    });
    found.concat()
}
