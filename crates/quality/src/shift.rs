//! Months against the months before them.

/// Months before one that it is held against.
const BEFORE: usize = 6;
/// Of these, at least.
const AT_LEAST: usize = 3;

/// Months of a series, in order, whose value is not as usual: `unusual(usual, value)`, where the usual value is the median of up to
/// six months before. Months found to be unusual do not become usual until three of them in a row agree with each other.
pub(crate) fn unusual(series: &[(u16, f64)], unusual: impl Fn(f64, f64) -> bool) -> Vec<u16> {
    let mut found = Vec::new();
    let mut usual: Vec<f64> = Vec::new();
    let mut odd: Vec<f64> = Vec::new();
    for &(month, value) in series {
        if usual.len() >= AT_LEAST && unusual(median(&usual), value) {
            found.push(month);
            odd.push(value);
            if odd.len() >= AT_LEAST && odd.iter().all(|v| !unusual(median(&odd), *v)) {
                usual = std::mem::take(&mut odd);
            }
            continue;
        }
        odd.clear();
        usual.push(value);
        if usual.len() > BEFORE {
            usual.remove(0);
        }
    }
    found
}

/// The middle value; of two the lower one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Vec<(u16, f64)> {
        values.iter().enumerate().map(|(m, v)| (m as u16, *v)).collect()
    }

    #[test]
    fn a_month_unlike_those_before_it_is_found_and_a_new_usual_value_is_learned() {
        let far = |usual: f64, value: f64| (value - usual).abs() > 20.0;
        assert_eq!(unusual(&series(&[5.0, 6.0, 5.0, 90.0, 5.0]), far), [3]);
        assert_eq!(unusual(&series(&[5.0, 6.0, 5.0, 90.0, 91.0, 92.0, 90.0, 91.0]), far), [3, 4, 5]);
        assert_eq!(unusual(&series(&[5.0, 90.0]), far), [] as [u16; 0], "two months say nothing of what is usual");
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    }
}
