//! Rounding, and ends that few records reach.

/// The nearest multiple of a width, the upper one of two that are equally near.
pub fn rounded(value: f64, width: f64) -> f64 {
    (value / width + 0.5).floor() * width
}

/// Bounds beyond which values are not told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    /// From here on upward.
    pub top: Option<f64>,
    /// From here on downward.
    pub bottom: Option<f64>,
}

/// The bounds of values that at least as many records reach as asked for, as far out as possible; nothing where there are too few
/// records, or where the two ends would overlap: then none of the values may be told.
pub fn tails(values: &[f64], top: Option<u64>, bottom: Option<u64>) -> Option<Ends> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = |records: u64| usize::try_from(records).ok().and_then(|r| r.checked_sub(1)).filter(|at| *at < sorted.len());
    let top = match top {
        Some(records) => Some(sorted[sorted.len() - 1 - place(records)?]),
        None => None,
    };
    let bottom = match bottom {
        Some(records) => Some(sorted[place(records)?]),
        None => None,
    };
    match (top, bottom) {
        (Some(top), Some(bottom)) if bottom >= top => None,
        _ => Some(Ends { top, bottom }),
    }
}
