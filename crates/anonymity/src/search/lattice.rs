use std::cmp::Ordering;

/// The lattice of nodes, one number each, so that a coarser node never has a smaller number.
#[derive(Debug, Clone)]
pub struct Lattice {
    /// Levels of each column.
    pub dims: Vec<u8>,
    strides: Vec<u64>,
    size: Option<u64>,
}

impl Lattice {
    /// From the levels of each column; the first column counts most.
    pub fn new(dims: Vec<u8>) -> Self {
        let mut strides = vec![0; dims.len()];
        let mut size = Some(1u64);
        for (at, levels) in dims.iter().enumerate().rev() {
            strides[at] = size.unwrap_or(u64::MAX);
            size = size.and_then(|s| s.checked_mul(u64::from(*levels)));
        }
        Self { dims, strides, size }
    }

    /// Number of nodes; none beyond 2⁶⁴.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// A node's number.
    pub fn index(&self, node: &[u8]) -> u64 {
        node.iter().zip(&self.strides).map(|(l, s)| u64::from(*l).wrapping_mul(*s)).fold(0, u64::wrapping_add)
    }

    /// How far a step up in a column is.
    pub fn stride(&self, column: usize) -> u64 {
        self.strides[column]
    }

    /// The highest node.
    pub fn top(&self) -> Vec<u8> {
        self.dims.iter().map(|d| d - 1).collect()
    }
}

/// Whether a node is nowhere above another.
pub fn is_below(lower: &[u8], upper: &[u8]) -> bool {
    lower.iter().zip(upper).all(|(l, u)| l <= u)
}

/// Which of two nodes with scores is the better: the smaller score, then the lower node, then the first columns finer.
/// `places` are the columns' places in the table.
pub fn better(a: (f64, &[u8]), b: (f64, &[u8]), places: &[usize]) -> Ordering {
    let height = |node: &[u8]| node.iter().map(|l| u32::from(*l)).sum::<u32>();
    a.0.total_cmp(&b.0).then_with(|| height(a.1).cmp(&height(b.1))).then_with(|| {
        let ordered = |node: &[u8]| {
            let mut levels = vec![0; node.len()];
            for (level, place) in node.iter().zip(places) {
                levels[*place] = *level;
            }
            levels
        };
        ordered(a.1).cmp(&ordered(b.1))
    })
}
