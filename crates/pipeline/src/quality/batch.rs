//! A package that waits to be taken in, looked at by every check.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{AsArray as _, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use formats::Chunk;
use lake::Blocked;
use ledger::{Event, PackageState};
use messages::{Lang, Message, Severity};
use omop::Table;
use quality::{Origin, Outcome, Rules, Run};
use terms::{PackageId, ProviderId};

use crate::Instance;
use crate::checked::Checked;
use crate::error::Error;
use crate::ingest::lanes::{Lanes, Next};
use crate::notices::{Gate, today};
use crate::patients::Patients;
use crate::reading::Mode;
use crate::spool::Spooled;

/// Patients of a provider's files by a number of the run, and what could not be read of the files.
#[derive(Default)]
pub struct Numbers {
    numbers: HashMap<String, i64>,
    /// Their ids, by number.
    pub patients: Vec<String>,
    unread: BTreeMap<&'static str, (Message, u64)>,
}

impl Numbers {
    /// The tables of a chunk with numbers of the run in place of those of the chunk, without the rows of those who are not `admitted`.
    ///
    /// # Errors
    /// When a batch is of no table of the model.
    pub fn tables(&mut self, chunk: &Chunk, admitted: impl Fn(&str) -> bool) -> Result<Vec<(Table, RecordBatch)>, ArrowError> {
        let number = |patient: &formats::Patient| {
            let local_id = &patient.local_id;
            admitted(local_id).then(|| {
                *self.numbers.entry(local_id.clone()).or_insert_with(|| {
                    self.patients.push(local_id.clone());
                    self.patients.len() as i64 - 1
                })
            })
        };
        let numbers: Vec<Option<i64>> = chunk.patients.iter().map(number).collect();
        chunk.tables.iter().map(|(table, batch)| Ok((*table, renumbered(batch, &numbers)?))).collect()
    }

    /// Notes what a chunk says could not be read, or only with a doubt.
    pub fn note(&mut self, chunk: &Chunk) {
        for finding in chunk.findings.iter().filter(|f| f.severity >= Severity::Warning) {
            self.unread.entry(finding.message.code).or_insert_with(|| (said(&finding.message), 0)).1 += 1;
        }
    }

    /// What could not be read, in words without any value, with how often: the most frequent first.
    pub fn unread(&self, lang: Lang) -> Vec<(String, u64)> {
        let mut all: Vec<(String, u64)> = self.unread.values().map(|(message, n)| (message.text(lang), *n)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all
    }
}

/// What a finding says without the values in it: a page may be handed on, and a path or a value can name a patient.
fn said(message: &Message) -> Message {
    message.args.iter().fold(Message::new(message.code), |said, (name, _)| said.with(name, "…"))
}

fn renumbered(batch: &RecordBatch, numbers: &[Option<i64>]) -> Result<RecordBatch, ArrowError> {
    let places = batch.column(0).as_primitive::<Int64Type>();
    let of = |place: &i64| usize::try_from(*place).ok().and_then(|p| numbers.get(p)).copied().flatten();
    let found: Vec<Option<i64>> = places.values().iter().map(of).collect();
    let mut columns = batch.columns().to_vec();
    columns[0] = Arc::new(found.iter().map(|n| n.unwrap_or(-1)).collect::<Int64Array>());
    let batch = RecordBatch::try_new(batch.schema(), columns)?;
    if found.iter().all(Option::is_some) {
        return Ok(batch);
    }
    arrow::compute::filter_record_batch(&batch, &found.iter().map(|n| Some(n.is_some())).collect::<BooleanArray>())
}

/// What was found in a package. It can name patients: it has no `Debug`.
pub struct Batch {
    /// Who sent it.
    pub provider: ProviderId,
    /// Its number.
    pub sequence: i64,
    /// What the checks found.
    pub outcome: Outcome,
    /// Patients and what could not be read.
    pub numbers: Numbers,
}

/// Looks at a package that waits to be taken in, without taking anything in: it is read twice, and who may not come in is left out.
/// `rows` of each failed check are kept; `to_be_sent` asks first whether a report could be sent.
///
/// # Errors
/// A refusal when the package is not waiting, or nothing can be sent to its provider; what reading it can meet.
pub async fn of_package(
    instance: &Instance,
    id: PackageId,
    rules: &Rules,
    rows: usize,
    to_be_sent: bool,
    purpose: &str,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Batch, Error> {
    let package = instance.ledger.read().await?.package(id).await?.filter(|p| p.state == PackageState::Accepted);
    let found = package.as_ref().and_then(|p| Some((p, p.provider.clone()?, p.sequence?)));
    let Some((package, provider, sequence)) = found else {
        return Err(Error::refused(Message::new("quality-batch-state").with("package", id)));
    };
    if to_be_sent {
        super::sent::may_send(instance, &provider).await?;
    }
    let spooled = Spooled::open(instance, package).await?;
    let mut reader = instance.ledger.read().await?;
    let patients = Patients::of(instance, &mut reader, &provider).await?;
    let gate = Gate::of(instance, &mut reader, &provider, today()).await?;
    drop(reader);
    let checked = match crate::checked::found(instance, package, &provider, spooled.rule).await? {
        Some(found) => found,
        None => Checked::of(&crate::ingest::check(&spooled, &instance.child).await?, &patients)?,
    };
    let admitted = |local_id: &str| match patients.hash(local_id) {
        Ok(Some(hash)) => gate.admit(&hash).is_ok() && !checked.set_aside.iter().any(|id| id == local_id),
        _ => false,
    };
    let mut run = Run::new(rules, Origin::Files, super::day_number(today())).keeping(rows);
    let loaded = crate::masters::load(instance).await?;
    let mut filler = loaded.filler();
    let mut numbers = Numbers::default();
    let mut seen = 0;
    for learning in [true, false] {
        let chunk_bytes = usize::try_from(instance.config.intake.chunk_mib << 20).unwrap_or(usize::MAX);
        let mut lanes = Lanes::of(&instance.child, &spooled, Mode::Read, &checked.set_aside, chunk_bytes)?;
        let read = async {
            while let Some(next) = lanes.next().await? {
                let chunk = match next {
                    Next::Chunk(chunk) => chunk,
                    Next::Over(summary) => match &summary.refused {
                        Some(said) => return Err(Error::refused(crate::codes::message(said))),
                        None => continue,
                    },
                };
                for (table, batch) in numbers.tables(&chunk, admitted)? {
                    if !learning {
                        seen += batch.num_rows() as u64;
                        match &mut filler {
                            Some(filler) => run.check(table, &filler.fill(table, &batch)?),
                            None => run.check(table, &batch),
                        }
                    } else if Run::LEARNT.contains(&table) {
                        run.learn(table, &batch);
                    }
                }
                if !learning {
                    numbers.note(&chunk);
                    progress(seen);
                }
            }
            Ok(())
        };
        let read: Result<(), Error> = read.await;
        lanes.stop().await;
        read?;
        if learning {
            // The gate knows what the lake says of the same people; so does whoever looks at what it held back.
            for (table, batch) in known(instance, &provider, &patients, &numbers.patients).await? {
                run.learn(table, &batch);
            }
        }
    }
    let outcome = run.finish();
    let mut tx = instance.ledger.begin(&instance.actor, purpose).await?;
    let tables = outcome.tables.iter().map(|t| t.table.to_owned()).collect();
    let records = i64::try_from(outcome.records).unwrap_or(i64::MAX);
    tx.emit(Event::Read { step: "quality".to_owned(), tables, records })?;
    tx.commit().await?;
    Ok(Batch { provider, sequence, outcome, numbers })
}

/// What the lake says of who the patients are, with their numbers in the run.
async fn known(
    instance: &Instance,
    provider: &ProviderId,
    patients: &Patients,
    local_ids: &[String],
) -> Result<Vec<(Table, RecordBatch)>, Error> {
    let hashes = local_ids.iter().map(|id| patients.hash(id)).collect::<Result<Vec<_>, _>>()?;
    let (places, hashes): (Vec<i64>, Vec<_>) = (0i64..).zip(hashes).filter_map(|(n, hash)| Some((n, hash?))).unzip();
    let records = instance.ledger.read().await?.find_records(provider, &hashes).await?;
    let numbers: HashMap<i64, i64> = records.iter().zip(&places).filter_map(|(r, n)| Some((r.as_ref()?.0, *n))).collect();
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let mut all = Vec::new();
    for table in [Table::Person, Table::Death] {
        for batch in snapshot.scan_of(table, Blocked::Exclude, provider)? {
            let batch = batch?;
            let ids = crate::assemble::record_ids(&batch)?;
            let found: Vec<Option<i64>> = ids.values().iter().map(|id| numbers.get(id).copied()).collect();
            let place = batch.schema().index_of("record_id")?;
            let mut columns = batch.columns().to_vec();
            columns[place] = Arc::new(found.iter().map(|n| n.unwrap_or(-1)).collect::<Int64Array>());
            let mask: BooleanArray = found.iter().map(|n| Some(n.is_some())).collect();
            let batch = arrow::compute::filter_record_batch(&RecordBatch::try_new(batch.schema(), columns)?, &mask)?;
            if batch.num_rows() > 0 {
                all.push((table, batch));
            }
        }
    }
    Ok(all)
}
