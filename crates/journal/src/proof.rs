use std::cell::Cell;

use crate::{Hash, MissingNode, NodeAt, Nodes};

/// A proof that cannot be made, or that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The question is about an entry or a size that the tree does not have.
    #[error("the tree has {size} entries; {asked} is outside of it")]
    OutOfTree {
        /// Entries of the tree.
        size: u64,
        /// Number of the entry, or size of the older tree.
        asked: u64,
    },
    /// Storage lacks a node.
    #[error(transparent)]
    Missing(#[from] MissingNode),
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root: the entry, the proof or the checkpoint was changed")]
    Wrong,
}

/// Reads for `tlog_tiles` from our storage; remembers the first node that was not there.
struct Through<'a, N: Nodes> {
    nodes: &'a N,
    missing: Cell<Option<MissingNode>>,
}

impl<N: Nodes> tlog_tiles::HashReader for Through<'_, N> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let mut hashes = Vec::with_capacity(indexes.len());
        for index in indexes {
            match self.nodes.node(place(*index)) {
                Ok(hash) => hashes.push(hash.outer()),
                Err(missing) => {
                    self.missing.set(Some(missing));
                    return Err(tlog_tiles::Error::IndexesNotInTree);
                }
            }
        }
        Ok(hashes)
    }
}

/// Notes what would be read.
struct Plan(Cell<Vec<u64>>);

impl tlog_tiles::HashReader for Plan {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        self.0.set(indexes.to_vec());
        Ok(vec![tlog_tiles::EMPTY_HASH; indexes.len()])
    }
}

fn place(index: u64) -> NodeAt {
    let (level, index) = tlog_tiles::split_stored_hash_index(index);
    NodeAt { level, index }
}

/// The nodes that a proof of a tree of `size` entries reads: of entry `seq` ([`prove_inclusion`]), and of the older tree
/// of `older` entries ([`prove_consistency`]). What is outside of the tree reads nothing.
pub fn wanted(size: u64, seq: Option<u64>, older: Option<u64>) -> Vec<NodeAt> {
    let mut all = Vec::new();
    if let Some(seq) = seq.filter(|seq| *seq < size) {
        let plan = Plan(Cell::default());
        if tlog_tiles::prove_record(size, seq, &plan).is_ok() {
            all.extend(plan.0.into_inner().into_iter().map(place));
        }
    }
    if let Some(older) = older.filter(|older| (1..=size).contains(older)) {
        let plan = Plan(Cell::default());
        if tlog_tiles::prove_tree(size, older, &plan).is_ok() {
            all.extend(plan.0.into_inner().into_iter().map(place));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn made(
    result: Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error>,
    missing: &Cell<Option<MissingNode>>,
) -> Result<Vec<Hash>, ProofError> {
    match (result, missing.get()) {
        (Ok(hashes), _) => Ok(hashes.into_iter().map(|h| Hash(h.0)).collect()),
        (Err(_), Some(missing)) => Err(missing.into()),
        (Err(_), None) => Err(ProofError::Wrong),
    }
}

/// The audit path of entry `seq` in the tree of `size` entries (RFC 6962, 2.1.1), from the leaf upward.
///
/// # Errors
/// [`ProofError::OutOfTree`], [`ProofError::Missing`].
pub fn prove_inclusion(size: u64, seq: u64, nodes: &impl Nodes) -> Result<Vec<Hash>, ProofError> {
    if seq >= size {
        return Err(ProofError::OutOfTree { size, asked: seq });
    }
    let through = Through { nodes, missing: Cell::default() };
    made(tlog_tiles::prove_record(size, seq, &through), &through.missing)
}

/// The proof that the tree of `older` entries is the beginning of the tree of `size` entries (RFC 6962, 2.1.2).
///
/// # Errors
/// [`ProofError::OutOfTree`] (also for an empty older tree, which needs no proof), [`ProofError::Missing`].
pub fn prove_consistency(size: u64, older: u64, nodes: &impl Nodes) -> Result<Vec<Hash>, ProofError> {
    if !(1..=size).contains(&older) {
        return Err(ProofError::OutOfTree { size, asked: older });
    }
    let through = Through { nodes, missing: Cell::default() };
    made(tlog_tiles::prove_tree(size, older, &through), &through.missing)
}

/// A proof is never longer than this: 64 levels on either side. Longer ones are refused unread.
const LONGEST: usize = 128;

fn outer(proof: &[Hash]) -> Result<Vec<tlog_tiles::Hash>, ProofError> {
    if proof.len() > LONGEST {
        return Err(ProofError::Wrong);
    }
    Ok(proof.iter().map(|h| h.outer()).collect())
}

/// Holds an inclusion proof against the root of the tree of `size` entries.
///
/// # Errors
/// [`ProofError::OutOfTree`], [`ProofError::Wrong`].
pub fn check_inclusion(proof: &[Hash], size: u64, root: Hash, seq: u64, leaf: Hash) -> Result<(), ProofError> {
    // `tlog_tiles` computes with the next power of two.
    if seq >= size || size > 1 << 62 {
        return Err(ProofError::OutOfTree { size, asked: seq });
    }
    tlog_tiles::check_record(&outer(proof)?, size, root.outer(), seq, leaf.outer()).map_err(|_| ProofError::Wrong)
}

/// Holds a consistency proof against both roots.
///
/// # Errors
/// [`ProofError::OutOfTree`], [`ProofError::Wrong`].
pub fn check_consistency(proof: &[Hash], size: u64, root: Hash, older: u64, older_root: Hash) -> Result<(), ProofError> {
    if !(1..=size).contains(&older) || size > 1 << 62 {
        return Err(ProofError::OutOfTree { size, asked: older });
    }
    tlog_tiles::check_tree(&outer(proof)?, size, root.outer(), older, older_root.outer()).map_err(|_| ProofError::Wrong)
}
