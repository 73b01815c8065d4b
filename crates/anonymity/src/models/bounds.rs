//! How many records of a failing class go at least, whatever it is split into.

use super::Tree;

/// A share of a class's records, rounded up with room for rounding errors.
pub(super) fn records(size: u64, share: f64) -> u64 {
    let records = size as f64 * share;
    if records.is_finite() { (records - 1e-6).ceil().max(0.0) as u64 } else { 0 }
}

/// Where a measure of a mixture is at most the mean of its parts' measures: parts that stay are at most `allowed`, parts
/// that go at most `worst`, so at least (measure − allowed)/(worst − allowed) of the class goes.
pub(super) fn mixture(size: u64, measure: f64, allowed: f64, worst: f64) -> u64 {
    if worst <= allowed { 0 } else { records(size, (measure - allowed) / (worst - allowed)) }
}

/// The hierarchical distance from the differences p − q of each value.
///
/// Section 2.3: for a node N of height h with children C, cost(N) = h/H · min(Σ extra⁺(C), Σ |extra⁻(C)|).
pub(super) fn tree_distance(tree: &Tree, differences: &[f64], height: usize) -> f64 {
    let mut extra: Vec<f64> = vec![0.0; tree.nodes[0]];
    for (code, difference) in differences.iter().enumerate() {
        extra[tree.node[0][code] as usize] += difference;
    }
    let mut distance = 0.0;
    for level in 1..=height {
        let nodes = tree.nodes[level];
        let (mut gains, mut losses) = (vec![0.0; nodes], vec![0.0; nodes]);
        let mut seen = vec![false; tree.nodes[level - 1]];
        for code in 0..differences.len() {
            let (child, parent) = (tree.node[level - 1][code] as usize, tree.node[level][code] as usize);
            if std::mem::replace(&mut seen[child], true) {
                continue;
            }
            if extra[child] > 0.0 {
                gains[parent] += extra[child];
            } else {
                losses[parent] -= extra[child];
            }
        }
        distance += gains.iter().zip(&losses).map(|(g, l)| level as f64 / height as f64 * f64::min(*g, *l)).sum::<f64>();
        extra = gains.iter().zip(&losses).map(|(g, l)| g - l).collect();
    }
    distance
}
