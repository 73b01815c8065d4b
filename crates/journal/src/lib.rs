//! An append-only log that cannot be changed unnoticed: RFC 6962 hash tree, signed checkpoints (C2SP tlog-checkpoint in
//! a C2SP signed note, Ed25519), inclusion and consistency proofs, all pure.
//!
//! Whoever keeps the entries keeps three things: the entry bodies in order, the tree's inner nodes of level
//! [`KEPT_LEVEL`] and above, and one checkpoint a commit. Lower nodes are not kept: they are made again from at most
//! 255 bodies, which costs less than two rows an entry would.
//!
//! * [`Frontier`]: the right edge of the tree, all that appending needs.
//! * [`Nodes`], [`NodeAt`]: the seam to storage; [`wanted`] says beforehand which nodes a question will read.
//! * [`prove_inclusion`], [`prove_consistency`], [`check_inclusion`], [`check_consistency`].
//! * [`Signer`], [`Verifier`], [`TreeHead`]: checkpoints.
//!
//! Invariant: entries are bytes; this crate does not know who writes them or why, and does no input or output.

mod checkpoint;
mod hash;
mod proof;
mod tree;

pub use checkpoint::{CheckpointError, Signer, TreeHead, Verifier};
pub use hash::{Hash, MalformedHash, leaf_hash, node_hash};
pub use proof::{ProofError, check_consistency, check_inclusion, prove_consistency, prove_inclusion, wanted};
pub use tree::{Frontier, KEPT_LEVEL, MissingNode, NodeAt, Nodes, subtree_hash};
