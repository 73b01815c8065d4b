//! Sorting of many numbers by some of their bits: in time that grows as their number, and stable.

/// Bits that are sorted by at a time: counts of all their values stay in the nearest cache.
const DIGIT: u32 = 11;
/// So few are compared instead.
const FEW: usize = 1 << 11;

/// Sorts by the bits from `low` up to, and without, `high`; numbers that are equal there keep their order. What `scratch` holds is lost.
pub(crate) fn sort(values: &mut Vec<u64>, scratch: &mut Vec<u64>, low: u32, high: u32) {
    if high <= low {
        return;
    }
    if values.len() <= FEW {
        let mask = u64::MAX >> (64 - (high - low));
        values.sort_by_key(|v| v >> low & mask);
        return;
    }
    scratch.clear();
    scratch.resize(values.len(), 0);
    for shift in (low..high).step_by(DIGIT as usize) {
        let mask = (1u64 << DIGIT.min(high - shift)) - 1;
        let digit = |v: u64| (v >> shift & mask) as usize & ((1 << DIGIT) - 1);
        let mut places = [0usize; 1 << DIGIT];
        for &v in values.iter() {
            places[digit(v)] += 1;
        }
        if places.contains(&values.len()) {
            continue;
        }
        let mut start = 0;
        for place in &mut places {
            start += std::mem::replace(place, start);
        }
        for &v in values.iter() {
            let place = &mut places[digit(v)];
            scratch[*place] = v;
            *place += 1;
        }
        std::mem::swap(values, scratch);
    }
}

/// Bits that numbers below `count` have.
pub(crate) fn bits(count: u64) -> u32 {
    u64::BITS - count.saturating_sub(1).leading_zeros()
}

/// Puts numbers of one part (`part` of them, below `parts`) together, in the order in which they stood, and says where each part ends.
pub(crate) fn partition(values: &[u64], parts: usize, part: impl Fn(u64) -> usize) -> (Vec<u64>, Vec<usize>) {
    let mut places = vec![0usize; parts];
    for &v in values {
        places[part(v)] += 1;
    }
    let mut start = 0;
    for place in &mut places {
        start += std::mem::replace(place, start);
    }
    let mut together = vec![0; values.len()];
    for &v in values {
        let place = &mut places[part(v)];
        together[*place] = v;
        *place += 1;
    }
    (together, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_as_a_stable_sort_by_the_same_bits_leaves_them() {
        bolero::check!().with_type::<(Vec<u64>, u8, u8, u8)>().for_each(|(some, low, high, times)| {
            let (low, high) = (u32::from(low % 64), u32::from(high % 65));
            // many of a few, so that more than a few are sorted, also with all equal
            let spread = |at: u64| crate::hash::mix(at, 7) >> (at % 60);
            let mut values: Vec<u64> = some.clone();
            values.extend(
                (0..u64::from(*times) * 40).map(|at| some.get(at as usize % some.len().max(1)).unwrap_or(&0) ^ spread(at)),
            );
            let mut naive = values.clone();
            let mask = if high > low { u64::MAX >> (64 - (high - low)) } else { 0 };
            naive.sort_by_key(|v| v >> low & mask);
            sort(&mut values, &mut Vec::new(), low, high);
            assert_eq!(values, naive);

            let (together, ends) = partition(&naive, 8, |v| (v & 7) as usize);
            naive.sort_by_key(|v| v & 7);
            assert_eq!(together, naive);
            let counted: Vec<usize> = (0..8).map(|part| naive.partition_point(|v| v & 7 <= part)).collect();
            assert_eq!(ends, counted);
        });
        assert_eq!([0, 1, 2, 3, 4, 5, 1 << 20].map(bits), [0, 0, 1, 2, 2, 3, 20]);
    }
}
