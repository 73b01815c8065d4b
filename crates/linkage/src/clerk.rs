//! The clerk's part: pairs that wait for a word, what each of them shows, and what the words of several clerks make of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::engine::{Decision, Judged};
use crate::levels::Pattern;
use crate::model::{self, Scorer};

/// What is compared, in the order of [`Case::levels`].
pub const FIELDS: [&str; 7] = ["given", "family", "birth_date", "sex", "card", "home", "phone"];

/// What speaks for and against, in the order of [`Case::weights`].
pub const WEIGHTS: [&str; 6] = ["prior", "name", "birth_date", "sex", "contacts", "circumstances"];

/// A pair for a clerk, with its evidence. Ids and levels, no value of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case<Id> {
    /// The record with the smaller id.
    pub left: Id,
    /// The other.
    pub right: Id,
    /// Probability that they are one person, as far as the two alone say.
    pub probability: f32,
    /// Why it waits: [`Decision::Review`], or [`Decision::Cut`] for a pair that is likely but contradicts another.
    pub reason: Decision,
    /// What a decision is worth: record pairs that hang on it, times how unsure the pair is. The queue is in this order.
    pub value: f64,
    /// How far each of [`FIELDS`] agrees, as codes of the catalogue (`linkage-level-…`).
    pub levels: Vec<String>,
    /// Bits by which each of [`WEIGHTS`] speaks for one person; their sum is the binary logarithm of the odds against the likelier of the
    /// two other classes.
    pub weights: Vec<f32>,
}

/// What a clerk says of two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// They are one person.
    Same,
    /// They are two persons.
    Different,
    /// It cannot be told.
    Unsure,
}

/// On what a word rests. A fixed list: a text of one's own would be one more place with personal data in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Reason {
    Name,
    NameChange,
    BirthDate,
    Card,
    Home,
    Phone,
    Relatives,
    Namesakes,
    Document,
    Provider,
    Other,
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal,)* }) => {
        impl $type {
            /// All of them.
            pub const ALL: &[$type] = &[$($type::$variant),*];

            /// As it stands in tables and commands.
            pub const fn code(self) -> &'static str {
                match self { $($type::$variant => $word),* }
            }
        }

        impl FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let known = || Self::ALL.iter().map(|w| w.code()).collect::<Vec<_>>().join(", ");
                Self::ALL.iter().copied().find(|w| w.code() == text).ok_or_else(|| format!("one of {}", known()))
            }
        }
    };
}
words!(Says { Same = "same", Different = "different", Unsure = "unsure", });
words!(Reason {
    Name = "name",
    NameChange = "name-change",
    BirthDate = "birth-date",
    Card = "card",
    Home = "home",
    Phone = "phone",
    Relatives = "relatives",
    Namesakes = "namesakes",
    Document = "document",
    Provider = "provider",
    Other = "other",
});

/// How many clerks have to say the same before it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Clerks who join two records.
    pub to_join: u8,
    /// Clerks who part two records.
    pub to_part: u8,
}

impl Default for Rule {
    /// Two for either: a wrong join mixes two patients, a wrong parting lets the data of somebody who said no go out.
    fn default() -> Self {
        Self { to_join: 2, to_part: 2 }
    }
}

/// What the words about a pair come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nobody has said what it is.
    Open,
    /// Somebody has; others have to say the same.
    Waiting,
    /// Clerks say different things, and neither side has the number and the majority.
    Disputed,
    /// One person from the next run on.
    Same,
    /// Two persons from the next run on.
    Different,
}

impl Standing {
    /// As it stands in tables and messages.
    pub const fn code(self) -> &'static str {
        match self {
            Standing::Open => "open",
            Standing::Waiting => "waiting",
            Standing::Disputed => "disputed",
            Standing::Same => "same",
            Standing::Different => "different",
        }
    }
}

impl Rule {
    /// What the words about one pair come to: one word a clerk, the latest. A side needs its number and more words than the other.
    pub fn standing(self, words: impl IntoIterator<Item = Says>) -> Standing {
        let (mut same, mut different) = (0usize, 0usize);
        for says in words {
            match says {
                Says::Same => same += 1,
                Says::Different => different += 1,
                Says::Unsure => {}
            }
        }
        if same > different && same >= usize::from(self.to_join.max(1)) {
            Standing::Same
        } else if different > same && different >= usize::from(self.to_part.max(1)) {
            Standing::Different
        } else if same > 0 && different > 0 {
            Standing::Disputed
        } else if same + different > 0 {
            Standing::Waiting
        } else {
            Standing::Open
        }
    }
}

/// What a decision on a pair is worth whose two persons have so many records: the record pairs that hang on it, times how unsure it is.
pub(crate) fn value(decision: Decision, pattern: Pattern, probability: f32, records: [u64; 2]) -> f64 {
    // a pair that is likely and yet not joined, for want of more than a name, is most worth a look
    let alone = decision == Decision::Review && !model::has_evidence(&pattern.levels());
    let unsure = if alone { probability } else { probability.min(1.0 - probability) };
    f64::from(unsure.max(0.0001)) * (records[0] * records[1]) as f64
}

/// The case of a judged pair.
pub(crate) fn case<Id>(scorer: &Scorer, judged: &Judged, decision: Decision, ids: [Id; 2], records: [u64; 2]) -> Case<Id> {
    let [left, right] = ids;
    Case {
        left,
        right,
        probability: judged.probability,
        reason: decision,
        value: value(decision, judged.pattern, judged.probability, records),
        levels: judged.pattern.codes().map(str::to_owned).to_vec(),
        weights: scorer.weights(judged.pattern, judged.steps).map(|w| w as f32).to_vec(),
    }
}

/// The most valuable first; equal ones in the order of their ids.
pub(crate) fn sort<Id: Ord>(queue: &mut [Case<Id>]) {
    queue.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| (&a.left, &a.right).cmp(&(&b.left, &b.right))));
}

/// The two records that are kept apart and yet are one person by a chain of others, when there are such: facts are (whether one person, a, b).
pub fn contradiction<Id: Clone + Eq + Hash>(facts: &[(bool, Id, Id)]) -> Option<(Id, Id)> {
    let mut numbers: HashMap<&Id, usize> = HashMap::new();
    let mut above: Vec<usize> = Vec::new();
    let mut places = Vec::with_capacity(facts.len());
    for (_, a, b) in facts {
        places.push([a, b].map(|id| {
            *numbers.entry(id).or_insert_with(|| {
                above.push(above.len());
                above.len() - 1
            })
        }));
    }
    let root = |above: &mut Vec<usize>, mut at: usize| {
        while above[at] != at {
            above[at] = above[above[at]];
            at = above[at];
        }
        at
    };
    for (_, [a, b]) in facts.iter().zip(&places).filter(|(f, _)| f.0) {
        let (x, y) = (root(&mut above, *a), root(&mut above, *b));
        above[x.max(y)] = x.min(y);
    }
    let apart = facts.iter().zip(&places).filter(|(f, _)| !f.0);
    let mut broken = apart.filter(|(_, [a, b])| root(&mut above, *a) == root(&mut above, *b));
    broken.next().map(|((_, a, b), _)| (a.clone(), b.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_that_joins_what_is_kept_apart_is_found_and_no_other() {
        let facts = [(true, 1, 2), (true, 2, 3), (false, 1, 4), (true, 5, 6)];
        assert_eq!(contradiction(&facts), None);
        assert_eq!(contradiction(&[&facts[..], &[(false, 3, 1)]].concat()), Some((3, 1)));
        assert_eq!(contradiction(&[&facts[..], &[(true, 4, 6), (true, 6, 3)]].concat()), Some((1, 4)));
        assert_eq!(contradiction(&[(true, 1, 2), (false, 2, 1)]), Some((2, 1)));
    }

    #[test]
    fn a_word_holds_when_enough_clerks_say_it_and_more_than_say_the_opposite() {
        use Says::{Different, Same, Unsure};
        let two = Rule::default();
        assert_eq!(two.standing([]), Standing::Open);
        assert_eq!(two.standing([Unsure, Unsure]), Standing::Open);
        assert_eq!(two.standing([Same]), Standing::Waiting);
        assert_eq!(two.standing([Same, Unsure]), Standing::Waiting);
        assert_eq!(two.standing([Same, Same]), Standing::Same);
        assert_eq!(two.standing([Different, Different]), Standing::Different);
        assert_eq!(two.standing([Same, Different]), Standing::Disputed);
        assert_eq!(two.standing([Same, Different, Same]), Standing::Same);
        assert_eq!(two.standing([Same, Different, Same, Different]), Standing::Disputed);
        let one = Rule { to_join: 2, to_part: 1 };
        assert_eq!((one.standing([Different]), one.standing([Same])), (Standing::Different, Standing::Waiting));
        // a rule of nobody is a rule of one
        assert_eq!(Rule { to_join: 0, to_part: 0 }.standing([]), Standing::Open);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for says in Says::ALL {
            assert_eq!(says.code().parse(), Ok(*says));
        }
        for reason in Reason::ALL {
            assert_eq!(reason.code().parse(), Ok(*reason));
        }
        assert!("maybe".parse::<Says>().is_err_and(|e| e.contains("same, different, unsure")));
    }
}
