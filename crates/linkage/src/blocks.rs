//! Candidate pairs: records that have a key in common, with a bound on what a monster block may cost.

use crate::keys::{self, Frequencies};
use crate::link::Options;
use crate::names::Forms;
use crate::people::{People, Record};

/// Candidate pairs (places in the list of records, smaller first), sorted, and what was left out.
pub(crate) struct Candidates {
    pub pairs: Vec<(u32, u32)>,
    pub capped_blocks: u64,
    pub left_out_pairs: u64,
}

pub(crate) fn candidates(people: &People, frequencies: &Frequencies, options: &Options) -> Candidates {
    let records = &people.records;
    let linkable = records.iter().enumerate().filter(|(_, r)| r.unlinkable.is_none());
    let mut entries: Vec<(u64, u32)> =
        linkable.flat_map(|(at, r)| keys::of(r, frequencies).into_iter().map(move |k| (k, at as u32))).collect();
    entries.sort_unstable();
    let mut found = Candidates { pairs: Vec::new(), capped_blocks: 0, left_out_pairs: 0 };
    for block in entries.chunk_by(|a, b| a.0 == b.0).filter(|b| b.len() > 1) {
        let mut members: Vec<u32> = block.iter().map(|e| e.1).collect();
        let reach = if members.len() > options.largest_block {
            // like stands beside like, so that equal records still meet and join in a chain
            members.sort_by_cached_key(|&m| likeness(records, &people.forms, m));
            found.capped_blocks += 1;
            let all = members.len() as u64 * (members.len() as u64 - 1) / 2;
            let reach = options.neighbours.min(members.len() - 1) as u64;
            found.left_out_pairs += all - (members.len() as u64 * reach - reach * (reach + 1) / 2);
            options.neighbours
        } else {
            members.len()
        };
        for (at, &a) in members.iter().enumerate() {
            found.pairs.extend(members[at + 1..].iter().take(reach).map(|&b| (a.min(b), a.max(b))));
        }
        // a pair found by many keys would fill the memory before the end
        if found.pairs.len() > found.pairs.capacity() / 2 && found.pairs.len() > 1 << 22 {
            tidy(&mut found.pairs);
        }
    }
    tidy(&mut found.pairs);
    found
}

fn tidy(pairs: &mut Vec<(u32, u32)>) {
    pairs.sort_unstable();
    pairs.dedup();
}

type Likeness = (Vec<String>, Vec<i32>, i64);

fn likeness(records: &[Record], forms: &Forms, at: u32) -> Likeness {
    let Some(record) = records.get(at as usize) else { return Likeness::default() };
    let text = |form| forms.letters(form).iter().collect::<String>();
    let mut names: Vec<String> = record.names.iter().map(|n| text(n.read.whole) + &text(n.written.whole)).collect();
    names.sort_unstable();
    (names, record.births.clone(), record.id)
}
