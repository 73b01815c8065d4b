//! Months against the months before them.

/// Months before one that it is held against.
const BEFORE: usize = 6;
/// Of these, at least.
const AT_LEAST: usize = 3;

/// Months that are not as usual.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Odd {
    /// The months in which something changed.
    pub months: Vec<u16>,
    /// The last month of what then became the usual, where it lasts longer than they do.
    pub until: Option<u16>,
}

/// Months of a series, in order, whose value is not as usual: `unusual(usual, value)`, where the usual value is the median of up to
/// six months before. Months found to be unusual do not become usual until three of them in a row agree with each other; what
/// became usual so lasts as long as months are unlike what was usual before.
pub(crate) fn unusual(series: &[(u16, f64)], unusual: impl Fn(f64, f64) -> bool) -> Odd {
    let mut found = Odd::default();
    // What was usual before anything changed.
    let mut before: Option<f64> = None;
    let mut usual: Vec<f64> = Vec::new();
    let mut odd: Vec<f64> = Vec::new();
    for &(month, value) in series {
        if usual.len() >= AT_LEAST && unusual(median(&usual), value) {
            found.months.push(month);
            odd.push(value);
            if odd.len() >= AT_LEAST && odd.iter().all(|v| !unusual(median(&odd), *v)) {
                before.get_or_insert(median(&usual));
                usual = std::mem::take(&mut odd);
            }
            continue;
        }
        if before.is_some_and(|before| unusual(before, value)) {
            found.until = Some(month);
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
        let odd = |months: &[u16], until| Odd { months: months.to_vec(), until };
        assert_eq!(unusual(&series(&[5.0, 6.0, 5.0, 90.0, 5.0]), far), odd(&[3], None));
        let lasting = [5.0, 6.0, 5.0, 90.0, 91.0, 92.0, 90.0, 91.0];
        assert_eq!(unusual(&series(&lasting), far), odd(&[3, 4, 5], Some(7)), "it is as it became");
        let back = [5.0, 6.0, 5.0, 90.0, 91.0, 92.0, 90.0, 5.0, 6.0, 5.0, 6.0];
        assert_eq!(unusual(&series(&back), far), odd(&[3, 4, 5, 7, 8, 9], Some(6)), "it was so for four months");
        assert_eq!(unusual(&series(&[5.0, 90.0]), far), odd(&[], None), "two months say nothing of what is usual");
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    }
}
