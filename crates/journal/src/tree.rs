use crate::{Hash, leaf_hash, node_hash};

/// Inner nodes of this level (subtrees of 2^8 = 256 entries) and above are kept; lower ones are made from the entries.
pub const KEPT_LEVEL: u8 = 8;

/// A complete subtree: the entries `index << level` up to, not including, `(index + 1) << level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeAt {
    /// 0 for single entries.
    pub level: u8,
    /// Number of the subtree among those of its level, from the left.
    pub index: u64,
}

impl NodeAt {
    /// Whether the storage keeps this node. What it does not keep it makes with [`subtree_hash`].
    pub fn is_kept(self) -> bool {
        self.level >= KEPT_LEVEL
    }

    /// The numbers of the entries under this node.
    pub fn entries(self) -> std::ops::Range<u64> {
        let first = self.index << self.level;
        first..first + (1 << self.level)
    }
}

/// A node that was asked for and is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal lacks tree node {} of level {}; verify the journal", .0.index, .0.level)]
pub struct MissingNode(pub NodeAt);

/// Where the nodes of a tree are read. Which ones a question reads is known beforehand ([`crate::wanted`],
/// [`Frontier::wanted`]), so a storage may fetch them first and answer from memory.
pub trait Nodes {
    /// The hash of one complete subtree.
    ///
    /// # Errors
    /// [`MissingNode`] when the storage has no such node.
    fn node(&self, at: NodeAt) -> Result<Hash, MissingNode>;
}

impl Nodes for std::collections::HashMap<NodeAt, Hash> {
    fn node(&self, at: NodeAt) -> Result<Hash, MissingNode> {
        self.get(&at).copied().ok_or(MissingNode(at))
    }
}

/// Hash of a complete subtree from the bodies of its entries, in order. `None` when their number is no power of two.
pub fn subtree_hash<B: AsRef<[u8]>>(bodies: impl IntoIterator<Item = B>) -> Option<Hash> {
    let mut tree = Frontier::empty();
    for body in bodies {
        tree.append(body.as_ref(), |_, _| ());
    }
    tree.size.is_power_of_two().then(|| tree.root())
}

/// The right edge of the tree: one complete subtree for each 1 bit of the size. Enough to append and to take the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Complete subtrees from the largest, on the left, to the smallest.
    edge: Vec<(u8, Hash)>,
}

impl Frontier {
    /// The tree without entries.
    pub fn empty() -> Self {
        Frontier { size: 0, edge: Vec::new() }
    }

    /// The nodes that [`Frontier::load`] reads for a tree of this size.
    pub fn wanted(size: u64) -> Vec<NodeAt> {
        (0..64u8).rev().filter(|level| size >> level & 1 == 1).map(|level| NodeAt { level, index: (size >> level) - 1 }).collect()
    }

    /// The right edge of a stored tree.
    ///
    /// # Errors
    /// [`MissingNode`] when the storage does not have one of [`Frontier::wanted`].
    pub fn load(size: u64, nodes: &impl Nodes) -> Result<Self, MissingNode> {
        let edge = Self::wanted(size).into_iter().map(|at| Ok((at.level, nodes.node(at)?))).collect::<Result<_, _>>()?;
        Ok(Frontier { size, edge })
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one entry and gives its number. `keep` gets every node that is now complete and that storage keeps
    /// ([`KEPT_LEVEL`]).
    pub fn append(&mut self, body: &[u8], keep: impl FnMut(NodeAt, Hash)) -> u64 {
        self.append_leaf(leaf_hash(body), keep)
    }

    /// As [`Frontier::append`], for an entry whose leaf hash is already there.
    pub fn append_leaf(&mut self, leaf: Hash, mut keep: impl FnMut(NodeAt, Hash)) -> u64 {
        let seq = self.size;
        let (mut level, mut hash) = (0u8, leaf);
        while let Some(&(below, left)) = self.edge.last() {
            if below != level {
                break;
            }
            self.edge.pop();
            hash = node_hash(left, hash);
            level += 1;
            if level >= KEPT_LEVEL {
                keep(NodeAt { level, index: seq >> level }, hash);
            }
        }
        self.edge.push((level, hash));
        self.size += 1;
        seq
    }

    /// The root of the tree as it stands (RFC 6962, 2.1).
    pub fn root(&self) -> Hash {
        let mut from_right = self.edge.iter().rev().map(|&(_, hash)| hash);
        match from_right.next() {
            None => Hash::EMPTY,
            Some(smallest) => from_right.fold(smallest, |right, left| node_hash(left, right)),
        }
    }
}
