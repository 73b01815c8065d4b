//! What facts say together: where they contradict each other, and what they say of those who stay when records leave.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::clerk;
use crate::error::LinkageError;
use crate::facts::Word;
use crate::state::LabelFact;

/// Records that facts make one person.
#[derive(Default)]
struct Groups<'a> {
    numbers: HashMap<&'a str, usize>,
    above: Vec<usize>,
    /// Of each group the records that are kept apart from one of its own.
    apart: Vec<Vec<usize>>,
}

impl<'a> Groups<'a> {
    fn number(&mut self, label: &'a str) -> usize {
        let next = self.above.len();
        let number = *self.numbers.entry(label).or_insert(next);
        if number == next {
            self.above.push(next);
            self.apart.push(Vec::new());
        }
        number
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.above[at] != at {
            self.above[at] = self.above[self.above[at]];
            at = self.above[at];
        }
        at
    }

    /// The group of a record.
    fn of(&mut self, label: &'a str) -> usize {
        let number = self.number(label);
        self.root(number)
    }

    /// Takes one more fact; `false` when it contradicts those before.
    fn add(&mut self, fact: &'a LabelFact) -> bool {
        let (a, b) = (self.of(&fact.left), self.of(&fact.right));
        if a == b {
            return fact.must;
        }
        if !fact.must {
            self.apart[a].push(b);
            self.apart[b].push(a);
            return true;
        }
        let (few, many) = if self.apart[a].len() <= self.apart[b].len() { (a, b) } else { (b, a) };
        let theirs = std::mem::take(&mut self.apart[few]);
        self.above[few] = many;
        let fits = theirs.iter().all(|other| self.root(*other) != many);
        self.apart[many].extend(theirs);
        fits
    }
}

/// The row of the table (from 1) with which the facts that hold begin to contradict each other; 0 when they do so without the table. `facts`
/// are sorted.
fn contradicting_row(facts: &[LabelFact], words: &[Word]) -> usize {
    let said: Vec<Option<&LabelFact>> = words
        .iter()
        .map(|word| match word {
            Word::Fact(fact) => Some(fact).filter(|f| facts.binary_search(f).is_ok()),
            Word::Withdraw(..) => None,
        })
        .collect();
    let new: HashSet<&LabelFact> = said.iter().flatten().copied().collect();
    let earlier = facts.iter().filter(|f| !new.contains(f)).map(|f| (0, f));
    let rows = (1..).zip(&said).filter_map(|(row, fact)| fact.map(|f| (row, f)));
    let mut groups = Groups::default();
    earlier.chain(rows).find(|(_, fact)| !groups.add(fact)).map_or(0, |(row, _)| row)
}

/// Sees to it that facts do not contradict each other, whether or not their records are there yet: what is refused here cannot later stop the
/// delivery that brings the records. `words` are those that came last.
///
/// # Errors
/// [`LinkageError::FactRowsContradict`] with the row of the table; [`LinkageError::StandingFactsContradict`] when they do so without the table.
pub(crate) fn check(mut facts: Vec<LabelFact>, words: &[Word]) -> Result<(), LinkageError> {
    facts.sort_unstable();
    facts.dedup();
    let triples: Vec<(bool, &str, &str)> = facts.iter().map(|f| (f.must, f.left.as_str(), f.right.as_str())).collect();
    let Some((left, right)) = clerk::contradiction(&triples) else { return Ok(()) };
    Err(match contradicting_row(&facts, words) {
        0 => LinkageError::StandingFactsContradict { left: left.to_owned(), right: right.to_owned() },
        row => LinkageError::FactRowsContradict { row },
    })
}

/// What facts say of those who stay, beyond the facts about these alone, when records leave: who was one person over a record that leaves is
/// one still, and who was kept apart from it is kept apart from whom it was one person with. Sorted. The facts must not contradict each other.
pub(crate) fn left_behind(facts: &[LabelFact], leaves: impl Fn(&str) -> bool) -> Vec<LabelFact> {
    let stays = |fact: &LabelFact| !leaves(&fact.left) && !leaves(&fact.right);
    if facts.iter().all(stays) {
        return Vec::new();
    }
    let (mut all, mut without) = (Groups::default(), Groups::default());
    for fact in facts {
        for label in [&fact.left, &fact.right] {
            all.number(label);
            without.number(label);
        }
    }
    for fact in facts.iter().filter(|f| f.must) {
        all.add(fact);
        if stays(fact) {
            without.add(fact);
        }
    }
    // of each group the smallest record of each part that it falls into
    let staying: BTreeSet<&str> =
        facts.iter().flat_map(|f| [f.left.as_str(), f.right.as_str()]).filter(|label| !leaves(label)).collect();
    let mut parts: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for label in staying {
        if seen.insert(without.of(label)) {
            parts.entry(all.of(label)).or_default().push(label);
        }
    }
    let fact = |must, a: &str, b: &str| {
        let (left, right) = if a <= b { (a, b) } else { (b, a) };
        LabelFact { must, left: left.to_owned(), right: right.to_owned() }
    };
    let chain = |labels: &Vec<&str>| labels.windows(2).map(|w| fact(true, w[0], w[1])).collect::<Vec<_>>();
    let mut implied: Vec<LabelFact> = parts.values().flat_map(chain).collect();
    for kept_apart in facts.iter().filter(|f| !f.must && !stays(f)) {
        let [a, b] = [&kept_apart.left, &kept_apart.right].map(|label| parts.get(&all.of(label)).map(|labels| labels[0]));
        if let (Some(a), Some(b)) = (a, b) {
            implied.push(fact(false, a, b));
        }
    }
    implied.sort_unstable();
    implied.dedup();
    implied
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact((must, a, b): (bool, u8, u8)) -> LabelFact {
        LabelFact { must, left: format!("R{:02}", a.min(b)), right: format!("R{:02}", a.max(b)) }
    }

    /// Facts about few records, none about one record and itself.
    fn facts(drawn: &[(bool, u8, u8)]) -> Vec<LabelFact> {
        drawn.iter().map(|(must, a, b)| (*must, a % 9, b % 9)).filter(|(_, a, b)| a != b).map(fact).collect()
    }

    type Pairs = BTreeSet<(String, String)>;

    /// Pairs that are one person, and pairs that are two, as the facts say together: every consequence, step by step.
    fn consequences(facts: &[LabelFact]) -> (Pairs, Pairs) {
        let (mut same, mut other) = (BTreeSet::new(), BTreeSet::new());
        for f in facts {
            let set = if f.must { &mut same } else { &mut other };
            set.insert((f.left.clone(), f.right.clone()));
            set.insert((f.right.clone(), f.left.clone()));
        }
        loop {
            let before = (same.len(), other.len());
            for (a, b) in same.clone() {
                let of_b = |set: &Pairs| set.iter().filter(|p| p.0 == b).map(|p| p.1.clone()).collect::<Vec<_>>();
                let (joined, apart) = (of_b(&same), of_b(&other));
                same.extend(joined.into_iter().filter(|c| *c != a).map(|c| (a.clone(), c)));
                for c in apart {
                    other.extend([(a.clone(), c.clone()), (c, a.clone())]);
                }
            }
            if before == (same.len(), other.len()) {
                return (same, other);
            }
        }
    }

    fn contradict(facts: &[LabelFact]) -> bool {
        let (same, other) = consequences(facts);
        same.intersection(&other).next().is_some()
    }

    #[test]
    fn the_first_row_that_contradicts_is_the_one_after_which_the_facts_have_no_meaning_any_more() {
        bolero::check!().with_type::<(Vec<(bool, u8, u8)>, Vec<(bool, u8, u8)>)>().for_each(|(earlier, rows)| {
            let (earlier, rows) = (facts(&earlier[..earlier.len().min(3)]), facts(&rows[..rows.len().min(12)]));
            let words: Vec<Word> = rows.iter().cloned().map(Word::Fact).collect();
            let mut all = [&earlier[..], &rows].concat();
            all.sort_unstable();
            all.dedup();
            let own: Vec<LabelFact> = earlier.iter().filter(|f| !rows.contains(f)).cloned().collect();
            let naive = (0..=rows.len()).find(|n| contradict(&[&own[..], &rows[..*n]].concat()));
            match (check(all, &words), naive) {
                (Ok(()), None) => {}
                (Err(LinkageError::FactRowsContradict { row }), Some(naive)) => assert_eq!(row, naive),
                (Err(LinkageError::StandingFactsContradict { left, right }), Some(0)) => assert!(left < right),
                (found, naive) => panic!("{found:?} {naive:?}"),
            }
        });
    }

    #[test]
    fn what_facts_say_of_those_who_stay_is_the_same_before_and_after_others_leave() {
        bolero::check!().with_type::<(Vec<(bool, u8, u8)>, u16)>().for_each(|(drawn, gone)| {
            let facts = facts(&drawn[..drawn.len().min(14)]);
            if contradict(&facts) {
                return;
            }
            let leaves = |label: &str| label[1..].parse::<u16>().is_ok_and(|n| gone >> n & 1 == 1);
            let staying = |(same, other): (Pairs, Pairs)| {
                let both = |p: &(String, String)| !leaves(&p.0) && !leaves(&p.1);
                (same.into_iter().filter(both).collect::<Vec<_>>(), other.into_iter().filter(both).collect::<Vec<_>>())
            };
            let mut after: Vec<LabelFact> = facts.iter().filter(|f| !leaves(&f.left) && !leaves(&f.right)).cloned().collect();
            let implied = left_behind(&facts, leaves);
            assert!(implied.iter().all(|f| !leaves(&f.left) && !leaves(&f.right) && f.left < f.right));
            after.extend(implied);
            assert_eq!(staying(consequences(&after)), staying(consequences(&facts)));
        });
    }

    #[test]
    fn a_table_of_many_facts_is_looked_through_once() {
        // with every fact a walk over all before, this would not end
        let label = |n: u32| format!("R{n:07}");
        let n = 200_000;
        let chain = (1..n).map(|at| LabelFact { must: true, left: label(at - 1), right: label(at) });
        let apart = (0..n).map(|at| LabelFact { must: false, left: label(at), right: label(at + n) });
        let last = LabelFact { must: true, left: label(0), right: label(n) };
        let words: Vec<Word> = apart.chain(chain).chain([last]).map(Word::Fact).collect();
        let mut facts: Vec<LabelFact> =
            words.iter().filter_map(|w| if let Word::Fact(f) = w { Some(f.clone()) } else { None }).collect();
        facts.sort_unstable();
        assert!(matches!(check(facts, &words), Err(LinkageError::FactRowsContradict { row }) if row == words.len()));
    }
}
