//! How many slips lie between two texts: letters changed, missing, too many, or two neighbours exchanged (optimal string alignment).

/// Letters of a text that are compared; what is behind them has no say.
const LONGEST: usize = 64;

/// The least number of slips that make one text of the other; no letter is touched twice.
pub(crate) fn slips<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    let (a, b) = (&a[..a.len().min(LONGEST)], &b[..b.len().min(LONGEST)]);
    // what both begin and end with costs nothing
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    if a.is_empty() || b.is_empty() {
        return a.len().max(b.len());
    }
    let mut before = [0u8; LONGEST + 1];
    let mut last = [0u8; LONGEST + 1];
    for (at, cell) in last.iter_mut().enumerate() {
        *cell = at as u8;
    }
    for (i, x) in a.iter().enumerate() {
        let mut row = [0u8; LONGEST + 1];
        row[0] = i as u8 + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = last[j] + u8::from(x != y);
            let mut least = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && *x == b[j - 1] {
                least = least.min(before[j - 1] + 1);
            }
            row[j + 1] = least;
        }
        (before, last) = (last, row);
    }
    usize::from(last[b.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition, without a table.
    fn naive(a: &[u8], b: &[u8]) -> usize {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len(),
            ([x, a2 @ ..], [y, b2 @ ..]) => {
                let mut least = (naive(a2, b2) + usize::from(x != y)).min(naive(a2, b) + 1).min(naive(a, b2) + 1);
                if let ([_, p, a3 @ ..], [_, q, b3 @ ..]) = (a, b)
                    && x == q
                    && p == y
                {
                    least = least.min(naive(a3, b3) + 1);
                }
                least
            }
        }
    }

    #[test]
    fn slips_are_counted_as_their_definition_says() {
        bolero::check!().with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(a, b)| {
            let few = |v: &Vec<u8>| v.iter().take(6).map(|x| x % 3).collect::<Vec<u8>>();
            let (a, b) = (few(a), few(b));
            assert_eq!(slips(&a, &b), naive(&a, &b), "{a:?} {b:?}");
            assert_eq!(slips(&a, &b), slips(&b, &a));
        });
        let letters = |s: &str| s.chars().collect::<Vec<_>>();
        assert_eq!(slips(&letters("2692439"), &letters("2694239")), 1);
        assert_eq!(slips(&letters("GOODWINSTREET"), &letters("GOODWINTSREET")), 1);
        assert_eq!(slips(&vec!['A'; 500], &vec!['B'; 500]), LONGEST);
    }
}
