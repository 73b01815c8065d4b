use super::key::{Field, Key};

/// Distinct rows with how many records each stands for, in the order of their first record.
///
/// That order is the same whichever finer groups they were made from, so that what is computed along it is too.
#[derive(Debug, Clone)]
pub struct Groups<K> {
    /// Packed values, none twice.
    pub keys: Vec<K>,
    /// Records of the table.
    pub counts: Vec<u32>,
    /// Records of a population table, where one is part of the question; else empty.
    pub population: Vec<u32>,
}

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Groups<K> {
    /// Without a row.
    pub const fn new() -> Self {
        Self { keys: Vec::new(), counts: Vec::new(), population: Vec::new() }
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// How a field becomes coarser: old code → new code.
#[derive(Debug, Clone, Copy)]
pub struct Remap<'a> {
    /// The field.
    pub field: Field,
    /// New codes by old code; none where every value becomes 0.
    pub codes: Option<&'a [u32]>,
}

/// Groups rows by packed keys: open addressing over a slot table that is used again and again.
#[derive(Debug, Default)]
pub struct Grouper {
    slots: Vec<u32>,
    used: usize,
}

impl Grouper {
    /// Groups `source` after the fields became coarser, into `out`. `distinct` is a bound on the number of groups, if known.
    pub fn regroup<K: Key>(&mut self, source: &Groups<K>, remaps: &[Remap<'_>], distinct: u64, out: &mut Groups<K>) {
        let cleared = remaps.iter().fold(K::ZERO, |mask, r| mask.or(K::mask(r.field)));
        let mut used = remaps.iter().filter_map(|r| r.codes.map(|c| (r.field, c)));
        match (used.next(), used.next(), used.next()) {
            (None, ..) => self.fill(source, distinct, out, |key| key.without(cleared)),
            (Some((f, c)), None, _) => {
                self.fill(source, distinct, out, |key| key.without(cleared).with(f, c[key.get(f) as usize]));
            }
            (Some((f, c)), Some((g, d)), None) => self.fill(source, distinct, out, |key| {
                key.without(cleared).with(f, c[key.get(f) as usize]).with(g, d[key.get(g) as usize])
            }),
            _ => {
                let used: Vec<(Field, &[u32])> = remaps.iter().filter_map(|r| r.codes.map(|c| (r.field, c))).collect();
                self.fill(source, distinct, out, |key| {
                    used.iter().fold(key.without(cleared), |new, (f, c)| new.with(*f, c[key.get(*f) as usize]))
                });
            }
        }
    }

    /// The same, with the index of the group that each source row came to.
    pub fn regroup_into<K: Key>(
        &mut self,
        source: &Groups<K>,
        remaps: &[Remap<'_>],
        distinct: u64,
        out: &mut Groups<K>,
        group: &mut Vec<u32>,
    ) {
        self.regroup(source, remaps, distinct, out);
        let cleared = remaps.iter().fold(K::ZERO, |mask, r| mask.or(K::mask(r.field)));
        group.clear();
        for key in &source.keys {
            let new = remaps.iter().filter_map(|r| r.codes.map(|c| (r.field, c)));
            let key = new.fold(key.without(cleared), |new, (f, c)| new.with(f, c[key.get(f) as usize]));
            group.push(self.find(key, out));
        }
    }

    /// The index of a key among the groups that were made last.
    fn find<K: Key>(&self, key: K, groups: &Groups<K>) -> u32 {
        let capacity = self.used;
        let (shift, wrap) = (64 - capacity.trailing_zeros(), capacity - 1);
        let mut slot = (key.hash() >> shift) as usize;
        loop {
            match self.slots[slot & wrap] {
                found if found > 0 && groups.keys[found as usize - 1] == key => return found - 1,
                _ => slot += 1,
            }
        }
    }

    #[inline(always)]
    fn fill<K: Key>(&mut self, source: &Groups<K>, distinct: u64, out: &mut Groups<K>, new: impl Fn(K) -> K) {
        let most = (source.len() as u64).min(distinct).max(1) as usize;
        // At most half full, and no smaller than what the shift below can address.
        let capacity = (most * 2).next_power_of_two().max(16);
        if self.slots.len() < capacity {
            self.slots.resize(capacity, 0);
        }
        self.used = capacity;
        let slots = &mut self.slots[..capacity];
        slots.fill(0);
        let (shift, wrap) = (64 - capacity.trailing_zeros(), capacity - 1);
        out.keys.clear();
        out.counts.clear();
        out.population.clear();
        let with_population = !source.population.is_empty();
        for (at, (key, count)) in source.keys.iter().zip(&source.counts).enumerate() {
            let key = new(*key);
            let mut slot = (key.hash() >> shift) as usize;
            loop {
                let found = slots[slot & wrap];
                if found == 0 {
                    out.keys.push(key);
                    out.counts.push(*count);
                    if with_population {
                        out.population.push(source.population[at]);
                    }
                    slots[slot & wrap] = out.keys.len() as u32;
                    break;
                }
                let index = found as usize - 1;
                if out.keys[index] == key {
                    out.counts[index] += count;
                    if with_population {
                        out.population[index] += source.population[at];
                    }
                    break;
                }
                slot += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_in_the_order_of_their_first_record_whatever_they_are_made_from() {
        let (a, b) = (Field { shift: 0, bits: 4 }, Field { shift: 4, bits: 4 });
        let mut base = Groups::<u64>::new();
        for n in 0..200u64 {
            let key = (n * 7 + n / 5) % 256;
            if !base.keys.contains(&key) {
                base.keys.push(key);
                base.counts.push(n as u32 + 1);
            }
        }
        let half: Vec<u32> = (0..16).map(|c| c / 2).collect();
        let quarter: Vec<u32> = (0..16).map(|c| c / 4).collect();
        let of_half: Vec<u32> = (0..8).map(|c| c / 2).collect();
        let mut grouper = Grouper::default();
        let (mut direct, mut step, mut twice) = (Groups::new(), Groups::new(), Groups::new());
        let to = |codes| Remap { field: a, codes: Some(codes) };
        grouper.regroup(&base, &[to(&quarter), Remap { field: b, codes: None }], u64::MAX, &mut direct);
        grouper.regroup(&base, &[to(&half)], u64::MAX, &mut step);
        grouper.regroup(&step, &[to(&of_half), Remap { field: b, codes: None }], 4, &mut twice);
        assert_eq!(direct.keys, twice.keys);
        assert_eq!(direct.counts, twice.counts);
        assert_eq!(direct.counts.iter().sum::<u32>(), base.counts.iter().sum::<u32>());
    }
}
