//! Codes and their shorter forms, as trees.

use std::collections::BTreeMap;

/// No node: a code that was taken out, and the parent of a root.
pub const GONE: u32 = u32::MAX;

/// Code trees of one or more columns. Nodes are numbers from 0; a node is a code that persons have, a coarser form of codes, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forest {
    parents: Vec<u32>,
    /// Codes at or below each node.
    codes: Vec<u32>,
    /// Codes in each node's column.
    all: Vec<u32>,
    heights: Vec<u32>,
    /// Codes with what stands beside them; the parent may be the code by itself.
    beside: Vec<bool>,
    /// What each becomes when it is taken out; empty: [`GONE`] for all.
    exits: Vec<u32>,
}

/// What is lost with what stands beside a code, in codes of its column and of all at most: less than with any form of several codes.
const BESIDE: (f64, f64) = (0.5, 0.01);

/// Why nodes are no forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoForest {
    /// A node has a parent that is none.
    NoSuchParent(usize),
    /// A node is above itself.
    Circle(usize),
}

impl Forest {
    /// From each node's parent ([`GONE`] for none), whether it is a code that persons can have (and not only a form), and its column.
    ///
    /// # Errors
    /// A parent that is no node, a node above itself.
    pub fn new(parents: Vec<u32>, is_code: &[bool], columns: &[u32]) -> Result<Self, NoForest> {
        let nodes = parents.len();
        if let Some(node) = parents.iter().position(|p| *p != GONE && *p as usize >= nodes) {
            return Err(NoForest::NoSuchParent(node));
        }
        let mut of_column: BTreeMap<u32, u32> = BTreeMap::new();
        for (column, code) in columns.iter().zip(is_code) {
            *of_column.entry(*column).or_default() += u32::from(*code);
        }
        let all = columns.iter().map(|c| of_column[c]).collect();
        let mut forest =
            Self { codes: vec![0; nodes], all, heights: vec![0; nodes], beside: vec![false; nodes], exits: Vec::new(), parents };
        for node in 0..nodes {
            let mut at = node as u32;
            let mut height = 0;
            loop {
                forest.codes[at as usize] += u32::from(is_code.get(node).copied().unwrap_or(false));
                forest.heights[at as usize] = forest.heights[at as usize].max(height);
                match forest.parents[at as usize] {
                    GONE => break,
                    _ if height as usize > nodes => return Err(NoForest::Circle(node)),
                    parent => at = parent,
                }
                height += 1;
            }
        }
        Ok(forest)
    }

    /// Says of each node whether it is a code with what stands beside it, below the same code by itself.
    #[must_use]
    pub fn with_beside(mut self, beside: &[bool]) -> Self {
        self.beside.iter_mut().zip(beside).for_each(|(of, beside)| *of = *beside);
        self
    }

    /// Says of each node what it becomes when it is taken out: a node above it that says least, [`GONE`] where there is none.
    #[must_use]
    pub fn with_exits(mut self, exits: &[u32]) -> Self {
        self.exits = exits.to_vec();
        self
    }

    /// What a node becomes when it is taken out.
    pub fn exit(&self, node: u32) -> u32 {
        self.exits.get(node as usize).copied().unwrap_or(GONE)
    }

    /// Whether a node is a code with what stands beside it, below the same code by itself.
    pub fn has_beside(&self, node: u32) -> bool {
        self.beside.get(node as usize).copied().unwrap_or(false)
    }

    /// Whether any node is.
    pub fn any_beside(&self) -> bool {
        self.beside.contains(&true)
    }

    /// Nodes.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// The next coarser form; [`GONE`] where there is none.
    pub fn parent(&self, node: u32) -> u32 {
        self.parents.get(node as usize).copied().unwrap_or(GONE)
    }

    /// The longest way from a code up to the node: what is below comes before in this order.
    pub fn height(&self, node: u32) -> u32 {
        self.heights[node as usize]
    }

    /// What is lost when a code is shown as a node, 0 to 1: nothing as it is, else the share of the column's codes that the node stands for
    /// (normalised certainty penalty, Xu et al. 2006); everything when it is taken out.
    pub fn loss(&self, code: u32, shown: u32) -> f64 {
        match shown {
            _ if shown == code => 0.0,
            GONE => 1.0,
            node if self.has_beside(code) && self.parent(code) == node => {
                (BESIDE.0 / f64::from(self.all[node as usize].max(1))).min(BESIDE.1)
            }
            node => f64::from(self.codes[node as usize]) / f64::from(self.all[node as usize].max(1)),
        }
    }

    /// Whether a node is another or above it.
    pub fn covers(&self, above: u32, node: u32) -> bool {
        let mut at = node;
        while at != GONE && at != above {
            at = self.parent(at);
        }
        at == above && at != GONE
    }
}
