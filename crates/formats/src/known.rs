//! Under which ids sources without patient numbers know somebody: who has said no under a chart number is in checkups and pharmacies' claims too, by
//! the card alone. What a chart, a claim or a resource says of card, birth, sex and name makes that id ([`terms::Insured`]).

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use arrow::array::{Array as _, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::error::ArrowError;
use omop::Table;
use terms::Insured;

/// Names with a birth, and cards, of one person that are put together, the first of each: nobody has more, and a file that says so is not to cost
/// their product.
const MOST: usize = 64;

/// A name as a source has it, with birth and sex.
#[derive(PartialEq, Eq)]
struct Named {
    name: Box<str>,
    birth: Option<i32>,
    sex: &'static str,
}

/// Insurer, symbol, number, branch.
type Card = [Box<str>; 4];

#[derive(Default)]
struct Facts {
    names: Vec<Named>,
    cards: Vec<Card>,
    others: Vec<Box<str>>,
}

fn add<T: PartialEq>(to: &mut Vec<T>, one: T) {
    if to.len() < MOST && !to.contains(&one) {
        to.push(one);
    }
}

/// What rows of identity and insurance say of people, by a key of the caller's. It names them: no `Debug`.
pub struct Known<K> {
    of: HashMap<K, Facts>,
}

impl<K> Default for Known<K> {
    fn default() -> Self {
        Self { of: HashMap::new() }
    }
}

fn column<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T, ArrowError> {
    let found = batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref());
    found.ok_or_else(|| ArrowError::SchemaError(format!("a table of people has no column \"{name}\" of its type")))
}

fn text(column: &StringArray, row: usize) -> &str {
    if column.is_null(row) { "" } else { column.value(row) }
}

impl<K: Eq + Hash> Known<K> {
    /// Takes what tables say of people; `who` gives the key of a `record_id`, or `None` for whom nobody asks. Other tables are passed over.
    ///
    /// # Errors
    /// When a table of people is not of its schema.
    pub fn note<'a>(
        &mut self,
        tables: impl IntoIterator<Item = (Table, &'a RecordBatch)>,
        who: impl Fn(i64) -> Option<K>,
    ) -> Result<(), ArrowError> {
        for (table, batch) in tables {
            match table {
                Table::Identity => self.identity(batch, &who)?,
                Table::Insurance => self.insurance(batch, &who)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn identity(&mut self, batch: &RecordBatch, who: &impl Fn(i64) -> Option<K>) -> Result<(), ArrowError> {
        let records: &Int64Array = column(batch, "record_id")?;
        let births: &Date32Array = column(batch, "birth_date")?;
        let sexes: &StringArray = column(batch, "sex")?;
        let of = |name| column::<StringArray>(batch, name);
        let kinds = [
            [of("family_kana")?, of("given_kana")?],
            // Claims without a name in katakana have it as it stands.
            [of("family_name")?, of("given_name")?],
        ];
        let latin = of("latin_name")?;
        for row in 0..batch.num_rows() {
            let Some(key) = who(records.value(row)) else { continue };
            let birth = (!births.is_null(row)).then(|| births.value(row));
            let sex = match text(sexes, row) {
                "male" => "1",
                "female" => "2",
                _ => "",
            };
            let mut names = kinds.map(|kind| kind.map(|part| text(part, row)).concat()).to_vec();
            names.push(text(latin, row).to_owned());
            let facts = self.of.entry(key).or_default();
            for name in names.into_iter().filter(|name| !name.is_empty()) {
                add(&mut facts.names, Named { name: name.into(), birth, sex });
            }
            if facts.names.is_empty() && birth.is_some() {
                add(&mut facts.names, Named { name: "".into(), birth, sex });
            }
        }
        Ok(())
    }

    fn insurance(&mut self, batch: &RecordBatch, who: &impl Fn(i64) -> Option<K>) -> Result<(), ArrowError> {
        let records: &Int64Array = column(batch, "record_id")?;
        let of = |name| column::<StringArray>(batch, name);
        let parts = [of("insurer_number")?, of("insured_symbol")?, of("insured_number")?, of("insured_branch")?];
        for row in 0..batch.num_rows() {
            let Some(key) = who(records.value(row)) else { continue };
            let card = parts.map(|part| Box::from(text(part, row)));
            add(&mut self.of.entry(key).or_default().cards, card);
        }
        Ok(())
    }

    /// Takes other numbers that somebody was stated to have.
    pub fn also(&mut self, who: K, others: &[String]) {
        if !others.is_empty() {
            let facts = self.of.entry(who).or_default();
            others.iter().for_each(|other| add(&mut facts.others, other.as_str().into()));
        }
    }

    /// The ids under which else somebody is known: stated numbers, and by card alone every name and birth with every card that was told.
    pub fn ids(&self, who: &K) -> BTreeSet<String> {
        let Some(Facts { names, cards, others }) = self.of.get(who) else { return BTreeSet::new() };
        let all = names.iter().flat_map(|named| cards.iter().map(move |card| (named, card)));
        all.filter_map(|(Named { name, birth, sex }, [insurer, symbol, number, branch])| {
            Insured { insurer, symbol, number, branch, birth: *birth, sex, kana: name }.local_id()
        })
        .chain(others.iter().map(|other| other.to_string()))
        .collect()
    }

    /// Everybody of whom something was told.
    pub fn people(&self) -> impl Iterator<Item = &K> {
        self.of.keys()
    }

    /// Whether nothing was told of anybody.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

/// Carries what is said of one id to the others of the same person, until no more are found: a person with two charts has both by one card. Each group
/// holds ids of one person.
pub fn carry<I: Eq + Hash + Clone, S: Ord + Clone>(groups: &[Vec<I>], said: &mut HashMap<I, BTreeSet<S>>) {
    let mut more = true;
    while std::mem::take(&mut more) {
        for ids in groups {
            let all: BTreeSet<S> = ids.iter().filter_map(|id| said.get(id)).flatten().cloned().collect();
            if all.is_empty() {
                continue;
            }
            for id in ids {
                let of_id = said.entry(id.clone()).or_default();
                if of_id.len() < all.len() {
                    *of_id = all.clone();
                    more = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{At, Book, Cover, Who};
    use crate::{Chunk, ReadError};

    fn told(say: impl Fn(&mut Book, &At<'_>)) -> Known<i64> {
        let mut book = Book::new(usize::MAX);
        let patient = book.patient("123");
        say(&mut book, &At { patient, key: "k", ts: 0 });
        let mut known = Known::default();
        let mut take = |chunk: Chunk| -> Result<(), ReadError> {
            known.note(chunk.tables.iter().map(|(t, b)| (*t, b)), Some).map_err(|e| std::io::Error::other(e).into())
        };
        book.flush(&mut take).expect("handed out");
        known
    }

    const CARD: Cover<'_> = Cover {
        plan_kind: "insurance",
        set_id: None,
        insurer: "00139998",
        symbol: "江０１",
        number: "234567",
        branch: "02",
        relation: None,
        valid: (None, None),
    };
    const WHO: Who<'_> = Who {
        local_id: "123",
        kanji: (Some("有明"), Some("花子")),
        kana: (Some("アリアケ"), Some("ハナコ")),
        latin: None,
        birth: Some(670),
        birth_parts: None,
        sex: Some((terms::Sex::Female, "2")),
        postal: None,
        address: None,
        phone: None,
    };

    #[test]
    fn a_chart_tells_the_ids_that_claims_and_checkups_have_of_the_same_person() {
        let known = told(|book, at| {
            book.who(at, &WHO);
            book.cover(at, "123", &CARD);
            book.cover(at, "123", &Cover { number: "9", ..CARD });
        });
        let of =
            |number, kana| Insured { insurer: "139998", symbol: "江01", number, branch: "", birth: Some(670), sex: "2", kana };
        let ids = known.ids(&0);
        for (number, name) in [("234567", "ｱﾘｱｹﾊﾅｺ"), ("0234567", "有明花子"), ("9", "アリアケ　ハナコ")]
        {
            assert!(ids.contains(&of(number, name).local_id().expect("an id")), "{number} {name}");
        }
        assert_eq!(ids.len(), 4);
        assert!(!ids.contains(&of("234567", "アリアケハナエ").local_id().expect("an id")));
        assert!(known.ids(&1).is_empty());
    }

    #[test]
    fn without_a_card_or_without_name_and_birth_nobody_is_known_elsewhere() {
        assert!(told(|book, at| book.who(at, &WHO)).ids(&0).is_empty());
        assert!(told(|book, at| book.cover(at, "123", &CARD)).ids(&0).is_empty());
        let unnamed = Who { kanji: (None, None), kana: (None, None), ..WHO };
        let known = told(|book, at| {
            book.who(at, &unnamed);
            book.cover(at, "123", &CARD);
        });
        let id =
            Insured { insurer: "139998", symbol: "江01", number: "234567", branch: "02", birth: Some(670), sex: "2", kana: "" };
        assert_eq!(known.ids(&0), BTreeSet::from([id.local_id().expect("an id")]));
    }

    #[test]
    fn what_is_said_of_one_id_is_said_of_all_that_a_chain_of_cards_makes_one_person() {
        let groups = [vec![1, 10], vec![3, 11], vec![2, 10, 11], vec![4, 12]];
        let mut said = HashMap::from([(3, BTreeSet::from(["a"])), (1, BTreeSet::from(["b"]))]);
        carry(&groups, &mut said);
        for id in [1, 2, 3, 10, 11] {
            assert_eq!(said.get(&id), Some(&BTreeSet::from(["a", "b"])), "{id}");
        }
        assert_eq!(said.len(), 5);
    }

    #[test]
    fn a_file_that_tells_of_a_thousand_cards_costs_no_more_than_a_bound() {
        let known = told(|book, at| {
            for n in 0..1_000 {
                let (number, name) = (n.to_string(), format!("ア{n}"));
                book.who(at, &Who { kana: (Some(&name), None), kanji: (None, None), ..WHO });
                book.cover(at, "123", &Cover { number: &number, ..CARD });
            }
        });
        assert_eq!(known.ids(&0).len(), MOST * MOST);
    }
}
