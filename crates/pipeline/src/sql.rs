//! The operator asks the lake. Every question has a purpose, and both stand in the journal with the tables read, before
//! the answer is shown.

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use lake::SessionOptions;
use ledger::{Event, Hex32};
use messages::Message;

use crate::Instance;
use crate::error::Error;

/// An answer that stands in the journal and may be shown.
pub struct Answer {
    batches: Vec<RecordBatch>,
}

/// An answer that nobody may see yet, or why there is none.
pub struct Asked {
    answer: Result<Vec<RecordBatch>, Error>,
    tables: Vec<String>,
    statement_sha256: Hex32,
    /// Entries of the journal when it was asked.
    since: u64,
}

/// Names of columns, and rows of values as text.
type Cells = (Vec<String>, Vec<Vec<Option<String>>>);

/// Asks. Identity tables are not part of what can be asked. Needs no right to write: a long question keeps nobody from saying no.
///
/// # Errors
/// When the purpose is none, the query is not valid, or names a table that is not there.
pub async fn ask(instance: &Instance, purpose: &str, statement: &str) -> Result<Asked, Error> {
    ledger::check_purpose(purpose)?;
    let since = instance.ledger.read().await?.journal_size();
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let session = snapshot.session(&SessionOptions::default())?;
    let query = session.prepare(statement).await?;
    let tables: Vec<String> = query.tables().iter().cloned().collect();
    let answer = query.collect().await.map_err(Error::from);
    Ok(Asked { answer, tables, statement_sha256: Hex32(seal::hash::sha256(statement.as_bytes())), since })
}

/// Writes question and purpose to the journal; then the answer may be shown. A question that failed when tables were being read stands there too:
/// that it fails or not can be an answer.
///
/// # Errors
/// Why there is no answer; a refusal when somebody said no or was erased while it was asked; when the purpose is none (1 to 500 characters on one
/// line) or the ledger cannot be written.
pub async fn journal(instance: &Instance, purpose: &str, asked: Asked) -> Result<Answer, Error> {
    let outdated = said_no_since(instance, asked.since).await?;
    let rows = match &asked.answer {
        Ok(batches) if !outdated => i64::try_from(batches.iter().map(RecordBatch::num_rows).sum::<usize>()).unwrap_or(i64::MAX),
        _ => -1,
    };
    let mut tx = instance.ledger.begin(&instance.actor, purpose).await?;
    tx.emit(Event::Queried { tables: asked.tables, rows, statement_sha256: asked.statement_sha256 })?;
    tx.commit().await?;
    let batches = asked.answer?;
    if outdated { Err(Error::refused(Message::new("core-sql-outdated"))) } else { Ok(Answer { batches }) }
}

/// Whether the journal tells of an opt-out or an erasure from an entry on.
async fn said_no_since(instance: &Instance, since: u64) -> Result<bool, Error> {
    let mut reader = instance.ledger.read().await?;
    let entries = reader.entries(since, reader.journal_size()).await?;
    let of_a_no =
        |event: &Event| matches!(event, Event::OptOutReceived { .. } | Event::OptOutMoved { .. } | Event::Erased { .. });
    Ok(entries.iter().any(|entry| of_a_no(&entry.event)))
}

impl Answer {
    fn cells(&self) -> Result<Cells, Error> {
        let names = self.batches.first().map_or(Vec::new(), |b| b.schema().fields().iter().map(|f| f.name().clone()).collect());
        let mut rows = Vec::new();
        for batch in &self.batches {
            let options = FormatOptions::default();
            let columns = batch.columns().iter().map(|c| ArrayFormatter::try_new(c, &options)).collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                let cell =
                    |(f, c): (&ArrayFormatter<'_>, &arrow::array::ArrayRef)| c.is_valid(row).then(|| f.value(row).to_string());
                rows.push(columns.iter().zip(batch.columns()).map(cell).collect());
            }
        }
        Ok((names, rows))
    }

    /// One object a row: whole numbers, numbers and truth values as such, everything else (dates, decimals) as text.
    ///
    /// # Errors
    /// When a value cannot be shown.
    pub fn rows_as_json(&self) -> Result<Vec<serde_json::Map<String, serde_json::Value>>, Error> {
        let (names, rows) = self.cells()?;
        let plain =
            |kind: &DataType| kind.is_integer() || matches!(kind, DataType::Float32 | DataType::Float64 | DataType::Boolean);
        let plain: Vec<bool> =
            self.batches.first().map_or(Vec::new(), |b| b.schema().fields().iter().map(|f| plain(f.data_type())).collect());
        let row = |cells: Vec<Option<String>>| {
            // What JSON has no number for (NaN, infinities) stays text.
            let value = |(c, plain): (Option<String>, &bool)| match c {
                None => serde_json::Value::Null,
                Some(text) => match serde_json::from_str(&text) {
                    Ok(value) if *plain => value,
                    _ => serde_json::Value::String(text),
                },
            };
            names.iter().cloned().zip(cells.into_iter().zip(&plain).map(value)).collect()
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Tab-separated lines under their names.
    ///
    /// # Errors
    /// When a value cannot be shown.
    pub fn as_table(&self) -> Result<String, Error> {
        let (names, rows) = self.cells()?;
        let mut out = names.join("\t") + "\n";
        for row in rows {
            let line: Vec<String> = row.into_iter().map(|c| c.unwrap_or_default().replace(['\t', '\n'], " ")).collect();
            out += &(line.join("\t") + "\n");
        }
        Ok(out)
    }
}
