//! What the whole set of records says about single values: which contacts are shared by too many, how common a name is, and by
//! which keys a record can be found.

use std::collections::{HashMap, HashSet};

use crate::contact::key;
use crate::link::Options;
use crate::names::{Forms, NONE, Script};
use crate::people::{People, Record};

/// Frequencies over persons, counted before anything is linked: one person is one birth date and one name.
pub(crate) struct Frequencies {
    persons: f64,
    reads: NameCounts,
    written: NameCounts,
    births: HashMap<i32, u32>,
    /// Telephones, homes and cards of more persons than a household has.
    shared: HashSet<u64>,
    pub shared_phones: u64,
    pub shared_homes: u64,
    pub shared_cards: u64,
}

struct NameCounts {
    family: Vec<u32>,
    given: Vec<u32>,
    whole: Vec<u32>,
}

impl NameCounts {
    fn new(forms: &Forms) -> Self {
        let zeros = || vec![0; forms.len()];
        Self { family: zeros(), given: zeros(), whole: zeros() }
    }

    fn add(&mut self, name: Script) {
        self.family[name.family as usize] += 1;
        self.given[name.given as usize] += 1;
        self.whole[name.whole as usize] += 1;
    }
}

impl Frequencies {
    pub fn count(people: &People, options: &Options) -> Self {
        let linkable = || people.records.iter().filter(|r| r.unlinkable.is_none());
        let mut reads = NameCounts::new(&people.forms);
        let mut written = NameCounts::new(&people.forms);
        let mut births = HashMap::new();
        let mut persons: Vec<_> = linkable()
            .flat_map(|r| r.names.iter().flat_map(|n| r.births.iter().map(|b| (*b, n.read.whole, n.written.whole, *n))))
            .collect();
        persons.sort_unstable();
        // a person is counted once for the reading and once for the writing, however often and however else they are spelt
        persons.dedup_by_key(|p| (p.0, p.1, p.2));
        let mut last = None;
        let mut total = 0u32;
        for (birth, read, _, name) in &persons {
            if last != Some((*birth, *read)) {
                reads.add(name.read);
                *births.entry(*birth).or_insert(0) += 1;
                total += 1;
            }
            last = Some((*birth, *read));
        }
        persons.sort_unstable_by_key(|p| (p.0, p.2));
        persons.dedup_by_key(|p| (p.0, p.2));
        persons.iter().for_each(|p| written.add(p.3.written));

        let mut shared = HashSet::new();
        let mut crowded = |of: &dyn Fn(&Record) -> Vec<u64>, limit: usize| -> u64 {
            let mut pairs: Vec<(u64, i32)> =
                linkable().flat_map(|r| of(r).into_iter().flat_map(|k| r.births.iter().map(move |b| (k, *b)))).collect();
            pairs.sort_unstable();
            pairs.dedup();
            let before = shared.len();
            shared.extend(pairs.chunk_by(|a, b| a.0 == b.0).filter(|c| c.len() > limit).map(|c| c[0].0));
            (shared.len() - before) as u64
        };
        let shared_phones = crowded(&|r| r.phones.clone(), options.persons_per_phone);
        let shared_homes = crowded(&|r| r.homes.clone(), options.persons_per_home);
        let shared_cards = crowded(&|r| r.cards.iter().map(|c| c.key).collect(), options.persons_per_card);
        Self { persons: f64::from(total.max(1)), reads, written, births, shared, shared_phones, shared_homes, shared_cards }
    }

    pub fn is_shared(&self, contact: u64) -> bool {
        self.shared.contains(&contact)
    }

    /// How many other persons of this name, sex and birth date are to be expected by chance.
    pub fn strangers_read(&self, name: Script, birth: i32) -> f64 {
        self.strangers(&self.reads, name, birth)
    }

    /// The same for the name as written.
    pub fn strangers_written(&self, name: Script, birth: i32) -> f64 {
        self.strangers(&self.written, name, birth)
    }

    fn strangers(&self, counts: &NameCounts, name: Script, birth: i32) -> f64 {
        let of = |list: &[u32], form: u32| f64::from(list.get(form as usize).copied().unwrap_or(0));
        // other persons born that day as far as they were seen (1 January and other fillers have many), and one day of a century
        let born = f64::from(self.births.get(&birth).copied().unwrap_or(0));
        let century = 36_525.0;
        let day = (born - 1.0).max(0.0) / (self.persons + century) + 1.0 / century;
        let seen = of(&counts.whole, name.whole) - 1.0;
        let independent = match name.given {
            NONE => 0.0,
            _ => of(&counts.family, name.family) * of(&counts.given, name.given) / self.persons,
        };
        seen.max(independent) * day
    }
}

/// Every key under which a record can be found. Two records that a rule could join have one key in common (`rules` says which).
pub(crate) fn of(record: &Record, frequencies: &Frequencies) -> Vec<u64> {
    let mut keys = Vec::new();
    let contacts: Vec<u64> = contacts(record).filter(|c| !frequencies.is_shared(*c)).collect();
    for &birth in &record.births {
        keys.extend(contacts.iter().map(|c| key((1u8, birth, c))));
        for name in &record.names {
            keys.extend((name.read.whole != NONE).then(|| key((2u8, birth, name.read.whole))));
            keys.extend((name.written.whole != NONE).then(|| key((3u8, birth, name.written.whole))));
        }
    }
    for name in &record.names {
        for (kind, whole) in [(4u8, name.read.whole), (5u8, name.written.whole)].into_iter().filter(|(_, whole)| *whole != NONE) {
            keys.extend(contacts.iter().map(|c| key((kind, whole, c))));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn contacts(record: &Record) -> impl Iterator<Item = u64> {
    record.phones.iter().chain(&record.homes).copied().chain(record.cards.iter().map(|c| c.key))
}
