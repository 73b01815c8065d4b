//! Clerks say whether two records are one person: the queue, what the vault says of the two, and words that the next linkage obeys.
//!
//! A word holds when as many clerks as the setting asks say the same ([`linkage::Rule`]); until the next linkage nothing changes, and no data
//! set is made or delivered before it. Who a clerk is, is as true as the account that runs the program: a word is not signed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use lake::Blocked;
use ledger::{ClerkSays, Event, LinkageWord, OptOutState, PatientHmac, Reader};
use linkage::{Case, Fact, Reason, Rule, Says, Standing};
use messages::Message;
use omop::Table;
use serde::Serialize;
use terms::{ProviderId, RecordId};

use crate::error::Error;
use crate::{Instance, doubtful};

/// A pair in the queue and what was said of it.
#[derive(Debug, Clone, Serialize)]
pub struct Queued {
    /// The pair with its evidence.
    #[serde(flatten)]
    pub case: Case<i64>,
    /// What the words about it come to.
    pub standing: Standing,
    /// Who has said something of it.
    pub clerks: BTreeSet<String>,
}

/// What the vault says of one record, by column; several values of its history stand beside each other, the latest first.
pub type Side = Vec<(&'static str, String)>;

/// Two records side by side.
#[derive(Debug, Clone, Serialize)]
pub struct Pair {
    /// The evidence, when the last linkage put the pair into the queue.
    pub case: Option<Case<i64>>,
    /// The record with the smaller id.
    pub left: Side,
    /// The other.
    pub right: Side,
}

/// Latest words by pair, without those that were taken back.
fn by_pair(words: Vec<LinkageWord>) -> BTreeMap<(RecordId, RecordId), BTreeMap<String, Says>> {
    let mut pairs: BTreeMap<(RecordId, RecordId), BTreeMap<String, Says>> = BTreeMap::new();
    for word in words {
        let says = match word.says {
            ClerkSays::Same => Says::Same,
            ClerkSays::Different => Says::Different,
            ClerkSays::Unsure => Says::Unsure,
            ClerkSays::Withdrawn => continue,
        };
        pairs.entry((word.record_a, word.record_b)).or_default().insert(word.clerk, says);
    }
    pairs
}

/// What holds by the words of all clerks, in the order of the pairs.
///
/// # Errors
/// Of the ledger.
pub(crate) async fn facts(reader: &mut Reader, rule: Rule) -> Result<Vec<Fact>, Error> {
    Ok(holding(&by_pair(reader.linkage_words().await?), rule))
}

fn holding(pairs: &BTreeMap<(RecordId, RecordId), BTreeMap<String, Says>>, rule: Rule) -> Vec<Fact> {
    let fact = |((a, b), words): (&(RecordId, RecordId), &BTreeMap<String, Says>)| match rule.standing(words.values().copied()) {
        Standing::Same => Some(Fact::MustLink(*a, *b)),
        Standing::Different => Some(Fact::CannotLink(*a, *b)),
        _ => None,
    };
    pairs.iter().filter_map(fact).collect()
}

/// A number that is another for other facts; 0 for none. A linkage run is recorded with it.
pub(crate) fn mark(facts: &[Fact]) -> i64 {
    if facts.is_empty() {
        return 0;
    }
    let mut text = String::new();
    for fact in facts {
        let (word, a, b) = match fact {
            Fact::MustLink(a, b) => ("must", a, b),
            Fact::CannotLink(a, b) => ("cannot", a, b),
        };
        text.push_str(&format!("{word} {a} {b}\n"));
    }
    let hash = seal::hash::sha256(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    (i64::from_be_bytes(first) & i64::MAX).max(1)
}

/// Pairs on which nothing holds yet, the most valuable first.
///
/// # Errors
/// When there was no linkage yet, or its queue cannot be read.
pub async fn queue(instance: &Instance) -> Result<Vec<Queued>, Error> {
    let mut reader = instance.ledger.read().await?;
    let words = by_pair(reader.linkage_words().await?);
    let rule = instance.config.linkage.rule();
    let mut queue = Vec::new();
    for case in doubtful::cases(instance, &mut reader).await? {
        let said = words.get(&(RecordId(case.left), RecordId(case.right)));
        let standing = rule.standing(said.into_iter().flat_map(BTreeMap::values).copied());
        if !matches!(standing, Standing::Same | Standing::Different) {
            let clerks = said.into_iter().flat_map(BTreeMap::keys).cloned().collect();
            queue.push(Queued { case, standing, clerks });
        }
    }
    Ok(queue)
}

/// The two records side by side. That they were looked at stands in the journal before they are shown.
///
/// # Errors
/// When one of the two is no record.
pub async fn show(instance: &Instance, a: RecordId, b: RecordId) -> Result<Pair, Error> {
    let (a, b) = (a.min(b), a.max(b));
    let mut reader = instance.ledger.read().await?;
    let providers = known(&mut reader, a, b).await?;
    let case = doubtful::cases(instance, &mut reader).await?.into_iter().find(|c| (c.left, c.right) == (a.0, b.0));
    drop(reader);
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let identity = snapshot.records(Table::Identity, &[a, b], Blocked::Include)?;
    let insurance = snapshot.records(Table::Insurance, &[a, b], Blocked::Include)?;
    let mut tx = instance.ledger.begin(&instance.actor, "a clerk compares two records").await?;
    tx.emit(Event::Read {
        step: "clerk".to_owned(),
        tables: vec![Table::Identity.name().to_owned(), Table::Insurance.name().to_owned()],
        records: 2,
    })?;
    tx.commit().await?;
    let [left, right] = [(a, &providers.0), (b, &providers.1)].map(|(record, provider)| -> Result<Side, Error> {
        let mut side = vec![("institution_id", provider.clone())];
        side.extend(values(&identity, record, &IDENTITY)?);
        side.extend(values(&insurance, record, &INSURANCE)?);
        Ok(side)
    });
    Ok(Pair { case, left: left?, right: right? })
}

/// Columns of the vault under the names that linkage has for them.
const IDENTITY: [(&str, &str); 9] = [
    ("family_name", "family_kanji"),
    ("given_name", "given_kanji"),
    ("family_kana", "family_kana"),
    ("given_kana", "given_kana"),
    ("sex", "sex"),
    ("birth_date", "birth_date"),
    ("postal_code", "postal_code"),
    ("address", "address"),
    ("phone", "phone"),
];
const INSURANCE: [(&str, &str); 4] = [
    ("insurer_number", "insurer_number"),
    ("insured_symbol", "insured_symbol"),
    ("insured_number", "insured_number"),
    ("insured_branch", "insured_branch"),
];

/// Distinct values of some columns of one record, the latest first.
fn values(batches: &[RecordBatch], record: RecordId, columns: &[(&str, &'static str)]) -> Result<Side, Error> {
    let options = FormatOptions::default();
    let mut out = Vec::with_capacity(columns.len());
    for (column, name) in columns {
        let mut found: Vec<(i64, String)> = Vec::new();
        for batch in batches {
            let (Some(ids), Some(values)) = (batch.column_by_name("record_id"), batch.column_by_name(column)) else {
                continue;
            };
            let ids = ids.as_primitive::<Int64Type>();
            let times = batch.column_by_name("source_ts").and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
            let text = ArrayFormatter::try_new(values, &options)?;
            for row in (0..batch.num_rows()).filter(|row| ids.value(*row) == record.0 && values.is_valid(*row)) {
                found.push((times.map_or(0, |t| t.value(row)), text.value(row).to_string()));
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        let mut distinct: Vec<String> = Vec::new();
        for (_, value) in found {
            if !value.is_empty() && !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        out.push((*name, distinct.join(" / ")));
    }
    Ok(out)
}

/// The providers of the two records.
async fn known(reader: &mut Reader, a: RecordId, b: RecordId) -> Result<(String, String), Error> {
    let erasing = reader.opt_outs().await?.into_iter().filter(|o| o.erase && o.state == OptOutState::Effective);
    let erased: HashSet<(ProviderId, PatientHmac)> = erasing.map(|o| (o.provider, o.patient)).collect();
    // Of who was erased there is nothing to say any more.
    let living =
        reader.records().await?.into_iter().filter(|(_, provider, patient)| !erased.contains(&(provider.clone(), *patient)));
    let all: BTreeMap<RecordId, String> = living.map(|(r, provider, _)| (r, provider.as_str().to_owned())).collect();
    match (all.get(&a), all.get(&b)) {
        (Some(x), Some(y)) if a != b => Ok((x.clone(), y.clone())),
        _ => Err(Error::refused(Message::new("core-clerk-no-records"))),
    }
}

/// Takes the word of this instance's actor about two records; `None` takes back what this actor said of them before.
///
/// # Errors
/// When one of the two is no record, or when the word would make one person of what other words keep apart, or the other way round.
pub async fn say(instance: &Instance, a: RecordId, b: RecordId, says: Option<(Says, Reason)>) -> Result<Standing, Error> {
    let (a, b) = (a.min(b), a.max(b));
    known(&mut instance.ledger.read().await?, a, b).await?;
    let mut tx = instance.ledger.begin(&instance.actor, "a clerk says whether two records are one person").await?;
    let said = match says {
        Some((Says::Same, _)) => ClerkSays::Same,
        Some((Says::Different, _)) => ClerkSays::Different,
        Some((Says::Unsure, _)) => ClerkSays::Unsure,
        None => ClerkSays::Withdrawn,
    };
    let reason = says.map(|(_, reason)| reason.code());
    let rule = instance.config.linkage.rule();
    let words = tx.read().linkage_words().await?;
    let mine = words.iter().find(|w| (w.record_a, w.record_b, w.clerk.as_str()) == (a, b, instance.actor.as_str()));
    let standing = |words: &BTreeMap<(RecordId, RecordId), BTreeMap<String, Says>>| {
        rule.standing(words.get(&(a, b)).into_iter().flat_map(BTreeMap::values).copied())
    };
    // What was said already, or was never said and is taken back, is no event.
    if mine.map_or(said == ClerkSays::Withdrawn, |w| (w.says, w.reason.as_deref()) == (said, reason)) {
        return Ok(standing(&by_pair(words)));
    }
    let before = holding(&by_pair(words), rule);
    tx.say_of_records(a, b, said, reason).await?;
    let words = by_pair(tx.read().linkage_words().await?);
    let facts = holding(&words, rule);
    // Taking a word back is never refused, and of words that contradict each other already (after the rule was changed) each can be mended.
    let before = pairs_of(&before);
    if says.is_some() && linkage::contradiction(&pairs_of(&facts)).is_some() && linkage::contradiction(&before).is_none() {
        return Err(Error::refused(Message::new("linkage-decision-contradicts")));
    }
    tx.commit().await?;
    Ok(standing(&words))
}

fn pairs_of(facts: &[Fact]) -> Vec<(bool, RecordId, RecordId)> {
    let pair = |fact: &Fact| match fact {
        Fact::MustLink(a, b) => (true, *a, *b),
        Fact::CannotLink(a, b) => (false, *a, *b),
    };
    facts.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_are_another_mark_and_none_is_none() {
        let (a, b) = (RecordId(1), RecordId(2));
        let marks = [mark(&[]), mark(&[Fact::MustLink(a, b)]), mark(&[Fact::CannotLink(a, b)])];
        assert_eq!(marks[0], 0);
        assert!(marks[1] > 0 && marks[2] > 0 && marks[1] != marks[2]);
    }

    #[test]
    fn a_word_that_was_taken_back_counts_no_more() {
        let word = |clerk: &str, says| LinkageWord {
            record_a: RecordId(1),
            record_b: RecordId(2),
            clerk: clerk.to_owned(),
            says,
            reason: None,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let both = vec![word("a", ClerkSays::Same), word("b", ClerkSays::Same)];
        assert_eq!(holding(&by_pair(both), Rule::default()), [Fact::MustLink(RecordId(1), RecordId(2))]);
        let one = vec![word("a", ClerkSays::Same), word("b", ClerkSays::Withdrawn)];
        assert_eq!(holding(&by_pair(one), Rule::default()), []);
    }
}
