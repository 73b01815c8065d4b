//! Groups of at least k records that are alike.

/// MDAV with groups of k (Domingo-Ferrer and Mateo-Sanz, section 5 of the definitions): the record farthest from the centroid with its
/// k − 1 nearest, the one farthest from it with its k − 1 nearest, again while 3k are left. Of records that are equally far the first
/// counts.
///
/// `points`: records as numbers, all as long. Fewer than k are one group. Time grows with n²/k.
pub fn mdav(points: &[Vec<f64>], k: usize) -> Vec<Vec<usize>> {
    let k = k.max(1);
    let mut left: Vec<usize> = (0..points.len()).collect();
    let mut groups = Vec::new();
    while left.len() >= 3 * k {
        let center = centroid(points, &left);
        let far = farthest(points, &left, &center);
        groups.push(take_nearest(points, &mut left, far, k));
        let other = farthest(points, &left, &points[far]);
        groups.push(take_nearest(points, &mut left, other, k));
    }
    if left.len() >= 2 * k {
        let center = centroid(points, &left);
        let far = farthest(points, &left, &center);
        groups.push(take_nearest(points, &mut left, far, k));
    }
    if !left.is_empty() {
        groups.push(left);
    }
    groups
}

/// MDAV of one column whose values are sorted, as ranges: the farthest records are always at the ends.
pub fn mdav_sorted(values: &[f64], k: usize) -> Vec<std::ops::Range<usize>> {
    let k = k.max(1);
    let (mut low, mut high) = (0, values.len());
    let mut sum: f64 = values.iter().sum();
    let mut groups = Vec::new();
    let mut take = |range: std::ops::Range<usize>, sum: &mut f64| {
        *sum -= values[range.clone()].iter().sum::<f64>();
        groups.push(range);
    };
    while high - low >= 2 * k {
        let mean = sum / (high - low) as f64;
        let upper = values[high - 1] - mean > mean - values[low];
        let both = high - low >= 3 * k;
        if upper || both {
            take(high - k..high, &mut sum);
            high -= k;
        }
        if !upper || both {
            take(low..low + k, &mut sum);
            low += k;
        }
    }
    if low < high {
        groups.push(low..high);
    }
    groups
}

/// The groups of at least k records of sorted values whose squared deviations from their means are least in sum (Hansen and Mukherjee):
/// groups of k to 2k − 1 neighbours, the shortest path over where they begin. Fewer than k are one group.
pub fn optimal(values: &[f64], k: usize) -> Vec<std::ops::Range<usize>> {
    let (n, k) = (values.len(), k.max(1));
    if n == 0 {
        return Vec::new();
    }
    // Around the middle, so that squares keep their digits.
    let middle = values.iter().sum::<f64>() / n as f64;
    let (mut sums, mut squares) = (vec![0.0], vec![0.0]);
    for (at, value) in values.iter().enumerate() {
        let x = value - middle;
        sums.push(sums[at] + x);
        squares.push(squares[at] + x * x);
    }
    let deviation = |from: usize, to: usize| {
        let sum: f64 = sums[to] - sums[from];
        (squares[to] - squares[from] - sum * sum / (to - from) as f64).max(0.0)
    };
    // What the first records lose at least, and where their last group begins.
    let mut least = vec![f64::INFINITY; n + 1];
    let mut begin = vec![0usize; n + 1];
    least[0] = 0.0;
    for to in k..=n {
        for from in (to + 1).saturating_sub(2 * k)..=to - k {
            let loss = least[from] + deviation(from, to);
            if loss < least[to] {
                (least[to], begin[to]) = (loss, from);
            }
        }
    }
    if least[n] == f64::INFINITY {
        return std::iter::once(0..n).collect();
    }
    let mut groups = Vec::new();
    let mut to = n;
    while to > 0 {
        groups.push(begin[to]..to);
        to = begin[to];
    }
    groups.reverse();
    groups
}

fn centroid(points: &[Vec<f64>], of: &[usize]) -> Vec<f64> {
    let mut sums = vec![0.0; points.first().map_or(0, Vec::len)];
    for at in of {
        for (sum, x) in sums.iter_mut().zip(&points[*at]) {
            *sum += x;
        }
    }
    sums.iter().map(|sum| sum / of.len() as f64).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

fn farthest(points: &[Vec<f64>], of: &[usize], from: &[f64]) -> usize {
    let mut far = (f64::NEG_INFINITY, 0);
    for at in of {
        let d = distance(&points[*at], from);
        if d > far.0 {
            far = (d, *at);
        }
    }
    far.1
}

/// Takes a record and its k − 1 nearest out of those left, which stay in their order.
fn take_nearest(points: &[Vec<f64>], left: &mut Vec<usize>, center: usize, k: usize) -> Vec<usize> {
    // The record itself first, also among others that are the same.
    let mut near: Vec<(f64, bool, usize)> =
        left.iter().map(|at| (distance(&points[*at], &points[center]), *at != center, *at)).collect();
    let order = |a: &(f64, bool, usize), b: &(f64, bool, usize)| a.0.total_cmp(&b.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2)));
    if k < near.len() {
        near.select_nth_unstable_by(k - 1, order);
        near.truncate(k);
    }
    let mut group: Vec<usize> = near.into_iter().map(|n| n.2).collect();
    group.sort_unstable();
    left.retain(|at| group.binary_search(at).is_err());
    group
}
