//! Reading the journal's tables.

use std::collections::HashMap;

use journal::{Hash, NodeAt, subtree_hash};
use sqlx::{Row, SqliteConnection};

use crate::LedgerError;
use crate::error::Result;

pub(crate) fn disorder(reason: impl Into<String>) -> LedgerError {
    LedgerError::Journal { reason: reason.into() }
}

/// Number of entries by the last checkpoint, if the last entry agrees.
pub(crate) async fn size(sql: &mut SqliteConnection) -> Result<u64> {
    let (size, next): (i64, i64) =
        sqlx::query_as("select coalesce((select max(size) from checkpoint), 0), coalesce((select max(seq) + 1 from entry), 0)")
            .fetch_one(sql)
            .await?;
    if size != next || size < 0 {
        return Err(disorder(format!("the last checkpoint is over {size} entries, the last entry is the {next}th")));
    }
    Ok(size as u64)
}

/// Bodies of the entries `from..to` in order.
pub(crate) async fn bodies(sql: &mut SqliteConnection, from: u64, to: u64) -> Result<Vec<String>> {
    let rows: Vec<String> = sqlx::query_scalar("select body from entry where seq >= $1 and seq < $2 order by seq")
        .bind(from as i64)
        .bind(to as i64)
        .fetch_all(sql)
        .await?;
    Ok(rows)
}

/// Fetches tree nodes: kept ones from their table, lower ones made from the entries under them.
pub(crate) async fn nodes(sql: &mut SqliteConnection, wanted: &[NodeAt]) -> Result<HashMap<NodeAt, Hash>> {
    let mut found = HashMap::with_capacity(wanted.len());
    for at in wanted {
        let hash = if at.is_kept() {
            let row = sqlx::query("select hash from node where level = $1 and idx = $2")
                .bind(i64::from(at.level))
                .bind(at.index as i64)
                .fetch_optional(&mut *sql)
                .await?;
            row.and_then(|row| row.get::<Vec<u8>, _>(0).try_into().ok()).map(Hash)
        } else {
            let range = at.entries();
            let bodies = bodies(&mut *sql, range.start, range.end).await?;
            (bodies.len() as u64 == range.end - range.start).then(|| subtree_hash(&bodies)).flatten()
        };
        if let Some(hash) = hash {
            found.insert(*at, hash);
        }
    }
    Ok(found)
}

/// Entries `from..from + len`, read as one row each of the bodies and the subjects, because a row for every entry would cost more
/// than the hashing. Neither holds a line break.
pub(crate) struct Batch {
    pub(crate) from: u64,
    pub(crate) len: u64,
    bodies: String,
    subjects: String,
}

impl Batch {
    /// Bodies with their subjects (empty for none), in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, &str, &str)> {
        (self.from..)
            .zip(self.bodies.split('\n').zip(self.subjects.split('\n')))
            .map(|(seq, (body, subject))| (seq, body, subject))
    }
}

/// What is wrong with a stretch of entries before anything is computed.
pub(crate) enum Gap {
    /// There is no entry of this number.
    Missing(u64),
    /// The entry is not one line.
    Malformed(u64),
}

/// Entries that are read at once.
pub(crate) const BATCH: u64 = 8_192;

/// Reads the entries `from..to`; `None` when there are none left.
pub(crate) async fn batch(
    sql: &mut SqliteConnection,
    from: u64,
    to: u64,
    subjects: bool,
) -> Result<std::result::Result<Option<Batch>, Gap>> {
    let text = if subjects {
        "select count(*), min(seq), max(seq), group_concat(body, char(10)), group_concat(coalesce(subject, ''), char(10))
         from (select seq, body, subject from entry where seq >= $1 and seq < $2 order by seq)"
    } else {
        "select count(*), min(seq), max(seq), group_concat(body, char(10)), ''
         from (select seq, body from entry where seq >= $1 and seq < $2 order by seq)"
    };
    let row = sqlx::query(text).bind(from as i64).bind(to as i64).fetch_one(&mut *sql).await?;
    let count = row.try_get::<i64, _>(0)? as u64;
    if count == 0 {
        return Ok(Ok(None));
    }
    let (first, last): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
    if first as u64 != from || last as u64 != from + count - 1 {
        let there: Vec<i64> = sqlx::query_scalar("select seq from entry where seq >= $1 and seq < $2 order by seq")
            .bind(from as i64)
            .bind(to as i64)
            .fetch_all(sql)
            .await?;
        let missing =
            (from..).zip(&there).find(|(wanted, seq)| *wanted != **seq as u64).map_or(from + count, |(wanted, _)| wanted);
        return Ok(Err(Gap::Missing(missing)));
    }
    let (bodies, subjects_text): (String, String) = (row.try_get(3)?, row.try_get(4)?);
    let lines = |text: &str| text.bytes().filter(|b| *b == b'\n').count() as u64 + 1;
    if lines(&bodies) != count || (subjects && lines(&subjects_text) != count) {
        let bad: Option<i64> = sqlx::query_scalar(
            "select seq from entry where seq >= $1 and seq < $2 and (instr(body, char(10)) or instr(subject, char(10))) limit 1",
        )
        .bind(from as i64)
        .bind(to as i64)
        .fetch_optional(sql)
        .await?;
        return Ok(Err(Gap::Malformed(bad.map_or(from, |seq| seq as u64))));
    }
    let subjects = if subjects { subjects_text } else { "\n".repeat(count as usize - 1) };
    Ok(Ok(Some(Batch { from, len: count, bodies, subjects })))
}

/// Whether a body says its own number first, as every entry does.
pub(crate) fn says(body: &str, seq: u64) -> bool {
    let rest = body.strip_prefix("{\"seq\":").and_then(|rest| rest.split_once(','));
    rest.is_some_and(|(number, _)| number.parse() == Ok(seq))
}
