use crate::table::{Hierarchy, TableError};

/// The sensitive column as the models see it.
#[derive(Debug, Clone)]
pub struct Sensitive {
    /// Share of each value in the whole table, by code.
    pub shares: Vec<f64>,
    /// Place of each value among the numbers, by code; empty unless asked for.
    pub rank: Vec<u32>,
    /// Its hierarchy; none unless asked for.
    pub tree: Option<Tree>,
}

/// A hierarchy by nodes for the hierarchical distance.
#[derive(Debug, Clone)]
pub struct Tree {
    /// By level from the leaves: the code of the node that each sensitive value is in.
    pub node: Vec<Vec<u32>>,
    /// By level: number of nodes.
    pub nodes: Vec<usize>,
}

impl Sensitive {
    /// From the records of each value in the whole table.
    pub fn new(counts: &[u64]) -> Self {
        let all: u64 = counts.iter().sum();
        let shares = counts.iter().map(|c| *c as f64 / all.max(1) as f64).collect();
        Self { shares, rank: Vec::new(), tree: None }
    }

    /// With the values ordered as numbers.
    ///
    /// # Errors
    /// A value that is no number.
    pub fn ordered(mut self, column: &str, values: &[String]) -> Result<Self, TableError> {
        let numbers: Option<Vec<f64>> = values.iter().map(|v| v.trim().parse::<f64>().ok().filter(|x| x.is_finite())).collect();
        let numbers = numbers.ok_or_else(|| TableError::MixedTypes { column: column.to_owned() })?;
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by(|a, b| numbers[*a as usize].total_cmp(&numbers[*b as usize]));
        self.rank = vec![0; values.len()];
        for (place, code) in order.iter().enumerate() {
            self.rank[*code as usize] = place as u32;
        }
        Ok(self)
    }

    /// With a hierarchy of the values; `spellings` are what the table writes for each.
    ///
    /// # Errors
    /// A value that the hierarchy does not know; a hierarchy without a level above the values, or with more than one value at the
    /// top: between two roots there is no distance, and a class of one disease would pass.
    pub fn with_tree(mut self, column: &str, spellings: &[Vec<&str>], hierarchy: &Hierarchy) -> Result<Self, TableError> {
        if hierarchy.levels.len() < 2 || hierarchy.root().is_none() {
            return Err(TableError::SensitiveTree { column: column.to_owned() });
        }
        let known = |written: &Vec<&str>| written.iter().find_map(|v| hierarchy.leaf(v.as_bytes()));
        let leaves: Option<Vec<u32>> = spellings.iter().map(known).collect();
        let leaves = leaves.ok_or_else(|| TableError::LeafMissingInSensitive { column: column.to_owned() })?;
        let node = hierarchy.levels.iter().map(|l| leaves.iter().map(|leaf| l.of_leaf[*leaf as usize]).collect()).collect();
        let nodes = hierarchy.levels.iter().map(|l| l.values.len()).collect();
        self.tree = Some(Tree { node, nodes });
        Ok(self)
    }
}
