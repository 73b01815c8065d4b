//! Which combinations of codes too few persons have.

use super::Rule;
use super::forest::{Forest, GONE};
use super::histories::{Histories, Holders, Seen, beside};

/// What too few persons have, and what a coarser form would mend; nodes that somebody is shown with are numbered anew, without gaps.
pub(super) struct Few {
    /// Number of each node among those that are shown; [`GONE`] for others.
    pub number: Vec<u32>,
    /// Nodes that are shown.
    pub nodes: Vec<u32>,
    /// By number: whether too few persons have it at all.
    pub single: Vec<bool>,
    /// Row by number: with which others too few persons have it.
    pair: Bits,
    /// Row by number of the other, column by number of the one: whether enough would have its coarser form with the other, if all that are
    /// too few with the other were brought to it.
    mends: Bits,
    /// Pairs that too few persons have.
    pub pairs: u64,
}

impl Few {
    pub(super) fn pair(&self, one: u32, other: u32) -> bool {
        self.pair.get(one as usize, other as usize)
    }

    pub(super) fn mends(&self, raised: u32, other: u32) -> bool {
        self.mends.get(other as usize, raised as usize)
    }

    /// Nodes that too few persons have.
    pub(super) fn singles(&self) -> u64 {
        self.single.iter().filter(|few| **few).count() as u64
    }
}

/// A square of bits.
struct Bits {
    words: usize,
    bits: Vec<u64>,
}

impl Bits {
    fn new(side: usize) -> Self {
        let words = side.div_ceil(64);
        Self { words, bits: vec![0; words * side] }
    }

    fn get(&self, row: usize, column: usize) -> bool {
        self.bits[row * self.words + column / 64] >> (column % 64) & 1 == 1
    }
}

fn set(row: &mut [u64], column: usize) {
    row[column / 64] |= 1 << (column % 64);
}

/// Counts everything of up to two codes.
pub(super) fn few(forest: &Forest, histories: &Histories, rule: &Rule) -> Few {
    let holders = Holders::of(histories, forest.len());
    let nodes: Vec<u32> = (0..forest.len() as u32).filter(|n| !holders.get(*n).is_empty()).collect();
    let mut number = vec![GONE; forest.len()];
    for (n, node) in nodes.iter().enumerate() {
        number[*node as usize] = n as u32;
    }
    let persons = |node: u32| holders.get(node).len() as u32;
    let single: Vec<bool> = nodes.iter().map(|n| persons(*n) < rule.singles).collect();
    let mut found = Few { single, pair: Bits::new(nodes.len()), mends: Bits::new(nodes.len()), pairs: 0, number, nodes };
    if rule.known < 2 {
        return found;
    }
    let words = found.pair.words;
    let bounds = parts_of_rows(histories, &holders, &found.nodes, rule.threads);
    let (mut pair_rest, mut mends_rest) = (&mut found.pair.bits[..], &mut found.mends.bits[..]);
    let (nodes, number) = (&found.nodes, &found.number);
    let counted: u64 = std::thread::scope(|scope| {
        let mut running = Vec::new();
        for rows in bounds {
            let (pair, others) = pair_rest.split_at_mut(rows.len() * words);
            pair_rest = others;
            let (mends, others) = mends_rest.split_at_mut(rows.len() * words);
            mends_rest = others;
            let holders = &holders;
            running.push(scope.spawn(move || {
                let (mut seen, mut counts, mut gathered) =
                    (Seen::new(forest.len()), vec![0; forest.len()], vec![0_u32; forest.len()]);
                let mut found = 0;
                for (at, row) in rows.enumerate() {
                    let node = nodes[row];
                    beside(histories, holders.get(node), &mut seen, &mut counts);
                    gathered.fill(0);
                    let pair = &mut pair[at * words..(at + 1) * words];
                    for other in nodes.iter().filter(|o| **o != node) {
                        let count = counts[*other as usize];
                        if count > 0 && count < rule.k {
                            set(pair, number[*other as usize] as usize);
                            found += 1;
                            if forest.parent(*other) != GONE {
                                gathered[forest.parent(*other) as usize] += count;
                            }
                        }
                    }
                    let mends = &mut mends[at * words..(at + 1) * words];
                    for other in nodes {
                        let parent = forest.parent(*other);
                        let joins = parent != GONE
                            && (forest.covers(parent, node) || counts[parent as usize] + gathered[parent as usize] >= rule.k);
                        if joins {
                            set(mends, number[*other as usize] as usize);
                        }
                    }
                }
                found
            }));
        }
        running.into_iter().map(|r| r.join().unwrap_or_else(|p| std::panic::resume_unwind(p))).sum()
    });
    found.pairs = counted / 2;
    found
}

/// Cuts the rows of nodes into parts with about equally much to count.
fn parts_of_rows(histories: &Histories, holders: &Holders, nodes: &[u32], threads: usize) -> Vec<std::ops::Range<usize>> {
    let work = |node: u32| -> usize {
        holders.get(node).iter().map(|p| histories.range(*p as usize).len()).sum::<usize>() + nodes.len()
    };
    let of: Vec<usize> = nodes.iter().map(|n| work(*n)).collect();
    let all: usize = of.iter().sum();
    let (mut from, mut done) = (0, 0);
    let mut out = Vec::new();
    for part in 1..=threads {
        let mut to = from;
        while to < nodes.len() && (part == threads || done < all / threads * part) {
            done += of[to];
            to += 1;
        }
        out.push(from..to);
        from = to;
    }
    out
}
