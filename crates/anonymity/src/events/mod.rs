//! Codes of persons, as what others know: whoever knows up to `m` codes of somebody (diagnoses, drugs, acts) finds nobody or at least `k`
//! persons with all of them (km-anonymity, Terrovitis, Mamoulis and Kalnis 2008).
//!
//! * [`Forest`]: codes and their coarser forms; [`Histories`]: which codes each person has, and as what each is shown;
//! * [`counted`]: which combinations too few persons have;
//! * [`repair()`]: coarser forms, for those persons alone whose combinations are too few, and back as far as it goes (`restore`);
//!   `triples`: combinations of three; `items`: codes by themselves beside the same with something;
//! * `tables`: the codes of a data set's tables as histories, and what became of them back into the rows; `beside`: what leaves with a code on its row;
//!   `treated`: the tables of a run.
//!
//! Counting combinations of two takes time by the sum over persons of the square of their codes, and memory by the codes that persons have
//! and two bits for each pair of nodes. The answer is the same with any number of threads.

pub(crate) mod beside;
mod count;
mod forest;
mod histories;
mod items;
mod repair;
mod restore;
mod tables;
mod treated;
mod triples;

pub use forest::{Forest, GONE, NoForest};
pub use histories::Histories;
pub use repair::repair;
use serde::{Deserialize, Serialize};
pub use tables::EventsReport;
use tables::{Became, Column, treat};
pub(crate) use tables::{columns, next_form};
pub(crate) use treated::{Leading, combinations};

/// The most codes that others may know, for which combinations are counted.
pub const MOST_KNOWN: u32 = 3;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Persons that a combination has at least, or none.
    pub k: u32,
    /// Persons that a code by itself has at least, or none; not below `k`.
    pub singles: u32,
    /// Codes that others may know of a person: 1 to [`MOST_KNOWN`].
    pub known: u32,
    /// Threads, at least 1.
    pub threads: usize,
}

/// What too few persons have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Codes and forms that too few have.
    pub codes: u64,
    /// Pairs that too few have.
    pub pairs: u64,
    /// Threes that too few have.
    pub threes: u64,
    /// Persons who have any of them.
    pub persons: u64,
}

impl Counted {
    /// Whether nothing is too few.
    pub const fn holds(&self) -> bool {
        self.persons == 0
    }
}

/// Counts what too few persons have.
pub fn counted(forest: &Forest, histories: &Histories, rule: &Rule) -> Counted {
    let few = count::few(forest, histories, rule);
    let mut of = vec![false; histories.persons()];
    for (person, stands_out) in of.iter_mut().enumerate() {
        let nodes: Vec<u32> = histories.of(person).iter().filter(|n| **n != GONE).map(|n| few.number[*n as usize]).collect();
        *stands_out = nodes.iter().any(|n| few.single[*n as usize])
            || (few.pairs > 0 && nodes.iter().enumerate().any(|(at, n)| nodes[at + 1..].iter().any(|o| few.pair(*n, *o))));
    }
    let mut counted = Counted { codes: few.singles(), pairs: few.pairs, ..Counted::default() };
    if rule.known >= 3 {
        let (threes, persons) = triples::count(forest, histories, rule.k);
        counted.threes = threes;
        persons.iter().for_each(|p| of[*p as usize] = true);
    }
    counted.persons = of.iter().filter(|o| **o).count() as u64;
    counted
}

/// What is lost of all codes of all persons: 0 where each is shown as it is, 1 where none is shown.
pub fn loss(forest: &Forest, histories: &Histories) -> f64 {
    let lost: f64 = histories.codes.iter().zip(&histories.shown).map(|(code, shown)| forest.loss(*code, *shown)).sum();
    lost / histories.codes.len().max(1) as f64
}
