//! Reading one package into staged files of the lake.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use arrow::array::{BooleanArray, RecordBatch};
use formats::{Chunk, Known};
use jiff::civil::Date;
use lake::{Blocked, Snapshot, StagedFile};
use ledger::{Counts, PatientHmac};
use messages::Finding;
use omop::Table;
use terms::{AssetId, PackageId, ProviderId, RecordId, SourceKind};

use crate::Instance;
use crate::assemble::{Rows, Stamp, assemble, kept_tables};
use crate::checked::Checked;
use crate::error::Error;
use crate::ingest::lanes::{Lanes, Next};
use crate::ingest::late::Late;
use crate::ingest::moved::Moved;
use crate::names::Names;
use crate::notices::Gate;
use crate::patients::Patients;
use crate::reading::Mode;
use crate::spool::Spooled;

/// Findings of one package that are kept word for word; beyond it only their number.
const MOST_FINDINGS: usize = 200_000;
/// Arrow bytes kept in memory of patients whose files do not stand together in the package; more of them wait on disk.
const MOST_SCATTERED: usize = 256 << 20;
/// Records that are assembled together first where the lake has rows already: how much these have is not known yet.
const FIRST_GROUP: usize = 64;
/// Arrow bytes of the lake's rows that are assembled together, about.
const GROUP_BYTES: usize = 48 << 20;

/// Arrow bytes of assembled rows that are gathered before files are written of them: the larger, the fewer files lie over each
/// other, which compaction would read and write again.
const GATHERED: usize = 192 << 20;

/// What a package came to, before anything of it is true.
pub(super) struct Built {
    pub(super) staged: Vec<StagedFile>,
    pub(super) versions: Vec<(RecordId, i64)>,
    pub(super) holds: Vec<(RecordId, String)>,
    pub(super) first_commit: i64,
    pub(super) commits: u32,
    pub(super) patients_in: u64,
    pub(super) refusals: Counts,
    /// Local ids of who may not come in, with the code of the reason: for the provider's eyes only.
    pub(super) rejected: BTreeMap<String, &'static str>,
    /// Ids under which somebody who said no was found to be known too, with what was said.
    pub(super) found: Vec<(PatientHmac, Vec<ledger::OptOut>)>,
    pub(super) kept_findings: Vec<Finding>,
    pub(super) findings: u64,
    pub(super) members: u64,
    /// Files and records that could not be read: nobody knows whose they are.
    pub(super) unread: u64,
    pub(super) rows: u64,
    pub(super) refused: Option<crate::codes::Said>,
    /// Checks that say that the package is not to be used.
    pub(super) unfit: Vec<String>,
}

impl Built {
    pub(super) fn refused_patients(&self) -> u64 {
        self.rejected.len() as u64
    }
}

struct Builder<'a> {
    instance: &'a Instance,
    provider: ProviderId,
    asset: AssetId,
    sequence: i64,
    patients: Patients,
    gate: Gate,
    /// Who said no, and under which other ids.
    names: Names,
    /// What tells under which ids those are known whose rows wait for the end.
    known: Known<String>,
    snapshot: Snapshot,
    /// Patients whose files stand in several places, or under several ways to write one id: their rows wait for the end.
    scattered: HashSet<[u8; 32]>,
    /// Whether more of any patient may come at any place: files of most formats are of many people.
    all_scattered: bool,
    /// Rows that wait until all is read; nothing any more when they are being put together.
    late: Option<Late>,
    /// Resources of FHIR by whose they are.
    moved: Option<Moved>,
    seen: HashSet<RecordId>,
    /// Assembled rows that are in no file yet.
    gathered: Rows,
    gathered_bytes: usize,
    /// The checks that can say that the package is not to be used, over what came.
    quality: Option<quality::Run<'a>>,
    /// Records that are assembled together next: as many as the last ones say that the memory allows.
    group: usize,
    built: Built,
}

#[allow(clippy::too_many_arguments)]
pub(super) async fn build(
    instance: &Instance,
    package: PackageId,
    provider: &ProviderId,
    sequence: i64,
    spooled: &Spooled,
    checked: Checked,
    rules: Option<&quality::Rules>,
    today: Date,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Built, Error> {
    let mut reader = instance.ledger.read().await?;
    let patients = Patients::of(instance, &mut reader, provider).await?;
    let gate = Gate::of(instance, &mut reader, provider, today).await?;
    let names = Names::of(&mut reader, provider).await?;
    let first_commit = reader.commit_seq().await? + 1;
    drop(reader);
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let kind = crate::ingest::kind_of(&spooled.manifest.kind)?;
    let mut builder = Builder {
        instance,
        provider: provider.clone(),
        asset: AssetId(package.0),
        sequence,
        patients,
        gate,
        names,
        known: Known::default(),
        snapshot,
        scattered: checked.scattered,
        all_scattered: kind != SourceKind::Ssmix2,
        moved: (kind == SourceKind::Fhir).then(Moved::default),
        late: Some(Late::new(instance.root.join("lake/spill"), MOST_SCATTERED)),
        seen: HashSet::new(),
        gathered: Rows::new(),
        gathered_bytes: 0,
        quality: rules.map(|rules| quality::Run::new(rules, quality::Origin::Files, crate::quality::day_number(today))),
        group: FIRST_GROUP,
        built: Built {
            staged: Vec::new(),
            versions: Vec::new(),
            holds: Vec::new(),
            first_commit,
            commits: 0,
            patients_in: 0,
            refusals: Counts::new(),
            rejected: BTreeMap::new(),
            found: Vec::new(),
            kept_findings: Vec::new(),
            findings: 0,
            members: 0,
            unread: 0,
            rows: 0,
            refused: None,
            unfit: Vec::new(),
        },
    };
    let chunk_bytes = usize::try_from(instance.config.intake.chunk_mib << 20).unwrap_or(usize::MAX);
    let mut lanes = Lanes::of(&instance.child, spooled, Mode::Read, &checked.set_aside, chunk_bytes)?;
    let read = builder.read(&mut lanes, progress).await;
    lanes.stop().await;
    read?;
    if builder.built.refused.is_none() {
        builder.finish_moved().await?;
        let left = builder.finish_names().await?;
        builder.finish_late(&left)?;
        tokio::task::block_in_place(|| builder.write_gathered())?;
        if let Some(run) = builder.quality.take() {
            builder.built.unfit = run.finish().unfit();
        }
    }
    Ok(builder.built)
}

impl Builder<'_> {
    /// Takes what the payloads hold as it comes. Where one of them does not hold, the package is refused.
    async fn read(&mut self, lanes: &mut Lanes<'_>, progress: &(dyn Fn(u64) + Sync)) -> Result<(), Error> {
        while let Some(next) = lanes.next().await? {
            match next {
                Next::Chunk(chunk) => {
                    self.chunk(*chunk).await?;
                    progress(self.built.rows);
                }
                Next::Over(summary) => {
                    self.built.members += summary.members;
                    if summary.refused.is_some() {
                        self.built.refused = summary.refused;
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    async fn chunk(&mut self, mut chunk: Chunk) -> Result<(), Error> {
        self.built.findings += chunk.findings.len() as u64;
        self.built.unread += chunk.counts.unread + chunk.counts.records_unread;
        let room = MOST_FINDINGS.saturating_sub(self.built.kept_findings.len());
        self.built.kept_findings.extend(std::mem::take(&mut chunk.findings).into_iter().take(room));

        // Who may come in.
        let hashes = chunk.patients.iter().map(|patient| self.patients.hash(&patient.local_id)).collect::<Result<Vec<_>, _>>()?;
        if !self.names.is_empty() {
            self.learn_names(&chunk, &hashes)?;
        }
        let mut admitted: Vec<Option<PatientHmac>> = Vec::with_capacity(chunk.patients.len());
        for (patient, hash) in chunk.patients.iter().zip(hashes) {
            let verdict = match &hash {
                None => Err("core-patient-id-unusable"),
                Some(hash) if self.names.is_found(hash) => Err(governance::Refusal::OptedOut.code()),
                Some(hash) => self.gate.admit(hash).map(drop).map_err(|refusal| refusal.code()),
            };
            match verdict {
                Ok(()) => admitted.push(hash),
                Err(code) => {
                    admitted.push(None);
                    self.reject(patient.local_id.clone(), code);
                }
            }
        }
        // Their records.
        let hashes: Vec<PatientHmac> = admitted.iter().flatten().copied().collect();
        if hashes.is_empty() {
            if let Some(moved) = &mut self.moved {
                moved.note(&chunk.tables, &vec![None; admitted.len()]);
            }
            return Ok(());
        }
        let known = self.instance.ledger.read().await?.find_records(&self.provider, &hashes).await?;
        let ids: Vec<RecordId> = if known.iter().all(Option::is_some) {
            known.into_iter().flatten().collect()
        } else {
            // A record without rows is nothing but a number: it may stand, whatever becomes of the package.
            let mut tx = self.instance.ledger.begin(&self.instance.actor, "give patients their record ids").await?;
            let ids = tx.resolve_records(&self.provider, &hashes).await?;
            tx.commit().await?;
            ids
        };
        let mut ids = ids.into_iter();
        let records: Vec<Option<RecordId>> = admitted.iter().map(|a| a.and_then(|_| ids.next())).collect();

        if let Some(moved) = &mut self.moved {
            moved.note(&chunk.tables, &records);
        }
        let mut now = Vec::with_capacity(records.len());
        let mut late = Vec::with_capacity(records.len());
        for ((patient, record), hash) in chunk.patients.iter().zip(&records).zip(&admitted) {
            let scattered = self.all_scattered || hash.is_some_and(|h| self.scattered.contains(&h.0));
            // Of who is set aside nothing is written: the units that came would replace those of before by nothing.
            let comes = patient.set_aside.is_none();
            now.push(record.filter(|_| comes && !scattered));
            late.push(record.filter(|_| comes && scattered));
            if let Some(record) = record {
                if self.seen.insert(*record) {
                    self.built.patients_in += 1;
                } else if !scattered {
                    return Err(Error::refused(messages::Message::new("core-package-scattered")));
                }
                if let Some(reason) = &patient.set_aside
                    && !self.built.holds.iter().any(|(r, _)| r == record)
                {
                    self.built.holds.push((*record, reason.clone()));
                }
            }
        }
        if late.iter().any(Option::is_some) {
            self.keep_late(&chunk.tables, &late)?;
        }
        let touched: Vec<RecordId> = now.iter().flatten().copied().collect();
        if !touched.is_empty() {
            let commit = self.next_commit();
            let rows = self.lake_rows(&chunk.tables, &now, commit)?;
            self.write(rows, touched, commit)?;
        }
        Ok(())
    }

    fn reject(&mut self, local_id: String, code: &'static str) {
        if self.built.rejected.insert(local_id, code).is_none() {
            *self.built.refusals.entry(code.to_owned()).or_default() += 1;
        }
    }

    /// Finds the other ids of those who come in a chunk. Whoever is in one chunk alone is judged by it at once; the others when all is read.
    fn learn_names(&mut self, chunk: &Chunk, hashes: &[Option<PatientHmac>]) -> Result<(), Error> {
        let local_id = |n: i64| usize::try_from(n).ok().and_then(|n| chunk.patients.get(n)).map(|p| p.local_id.clone());
        let waits = |n: i64| {
            let hash = usize::try_from(n).ok().and_then(|n| hashes.get(n)).copied().flatten();
            self.all_scattered || hash.is_some_and(|h| self.scattered.contains(&h.0))
        };
        let tables = || chunk.tables.iter().map(|(table, batch)| (*table, batch));
        self.known.note(tables(), |n| local_id(n).filter(|_| waits(n)))?;
        for (n, patient) in (0..).zip(&chunk.patients) {
            if waits(n) {
                self.known.also(patient.local_id.clone(), &patient.also);
            }
        }
        if !self.all_scattered {
            let mut here = Known::default();
            here.note(tables(), local_id)?;
            self.spread(&here)?;
        }
        Ok(())
    }

    fn spread(&mut self, known: &Known<String>) -> Result<(), Error> {
        let gate = &self.gate;
        self.names.spread(known, &self.patients, |patient| matches!(gate.admit(patient), Err(governance::Refusal::OptedOut)))
    }

    /// Those who were let in before a later place in the package told that they said no under another id: nothing of them is written. What was said
    /// is kept for each id that was found.
    async fn finish_names(&mut self) -> Result<HashSet<RecordId>, Error> {
        if self.names.is_empty() {
            return Ok(HashSet::new());
        }
        let known = std::mem::take(&mut self.known);
        self.spread(&known)?;
        self.built.found = self.names.found.iter().map(|(id, said)| (*id, said.values().cloned().collect())).collect();
        self.built.found.sort_by_key(|(id, _)| id.0);
        let mut late = Vec::new();
        for local_id in known.people() {
            if let Some(hash) = self.patients.hash(local_id)?.filter(|hash| self.names.is_found(hash)) {
                late.push((local_id.clone(), hash));
            }
        }
        let hashes: Vec<PatientHmac> = late.iter().map(|(_, hash)| *hash).collect();
        let records = self.instance.ledger.read().await?.find_records(&self.provider, &hashes).await?;
        let mut left = HashSet::new();
        for ((local_id, _), record) in late.into_iter().zip(records) {
            let Some(record) = record.filter(|record| self.seen.contains(record)) else { continue };
            self.built.patients_in -= u64::from(left.insert(record));
            self.reject(local_id, governance::Refusal::OptedOut.code());
        }
        self.built.holds.retain(|(record, _)| !left.contains(record));
        Ok(left)
    }

    fn next_commit(&mut self) -> i64 {
        self.built.commits += 1;
        self.built.first_commit + i64::from(self.built.commits) - 1
    }

    fn lake_rows(&self, tables: &[(Table, RecordBatch)], records: &[Option<RecordId>], commit: i64) -> Result<Rows, Error> {
        let mut rows = Rows::new();
        for (table, batch) in tables {
            let batch = omop::to_lake(*table, batch, records, self.asset, self.sequence, commit)?;
            if batch.num_rows() > 0 {
                rows.entry(*table).or_default().push(batch);
            }
        }
        Ok(rows)
    }

    fn keep_late(&mut self, tables: &[(Table, RecordBatch)], records: &[Option<RecordId>]) -> Result<(), Error> {
        let rows = self.lake_rows(tables, records, 0)?;
        tokio::task::block_in_place(|| self.wait(rows, records.iter().flatten().copied()))
    }

    fn wait(&mut self, rows: Rows, records: impl Iterator<Item = RecordId>) -> Result<(), Error> {
        self.late.as_mut().map_or(Ok(()), |late| late.add(rows, records))
    }

    /// What was another patient's until this package.
    async fn finish_moved(&mut self) -> Result<(), Error> {
        let Some(moved) = self.moved.take() else { return Ok(()) };
        let all = self.instance.ledger.read().await?.records().await?;
        let mut mine: Vec<RecordId> =
            all.into_iter().filter(|(_, p, _)| *p == self.provider).map(|(record, ..)| record).collect();
        mine.sort_unstable();
        tokio::task::block_in_place(|| {
            let (rows, records) = moved.gone(&self.snapshot, &mine, self.asset, self.sequence)?;
            self.wait(rows, records.into_iter())
        })
    }

    fn finish_late(&mut self, left: &HashSet<RecordId>) -> Result<(), Error> {
        let Some(late) = self.late.take() else { return Ok(()) };
        let mut parts = late.parts()?;
        while let Some((mut rows, mut touched)) = parts.next()? {
            if touched.iter().any(|record| left.contains(record)) {
                touched.retain(|record| !left.contains(record));
                touched.sort_unstable();
                rows = of_records(&rows, &touched)?;
            }
            if !touched.is_empty() {
                let commit = self.next_commit();
                self.write(rows, touched, commit)?;
            }
        }
        Ok(())
    }

    /// Assembles the touched records whole from what the lake has and what came: a group of records after the other, so that a
    /// chunk of people with long histories takes no more memory than one of new people.
    fn write(&mut self, new: Rows, mut touched: Vec<RecordId>, commit: i64) -> Result<(), Error> {
        touched.sort_unstable();
        tokio::task::block_in_place(|| {
            let stamp = Stamp { asset: self.asset, source_seq: self.sequence, commit_seq: commit };
            let mut rest = touched.as_slice();
            let empty = self.snapshot.files(Table::SourceFile.into()).next().is_none();
            while !rest.is_empty() {
                let size = if empty { rest.len() } else { self.group.clamp(1, rest.len()) };
                let (group, others) = rest.split_at(size);
                let existing = self.existing(group)?;
                let bytes: usize = existing.values().flatten().map(RecordBatch::get_array_memory_size).sum();
                let came = if group.len() == touched.len() { Cow::Borrowed(&new) } else { Cow::Owned(of_records(&new, group)?) };
                self.stale(&existing, group, commit)?;
                self.look_at(&existing, &came);
                for (table, batch) in assemble(&existing, &came, &stamp, &self.instance.config.history)? {
                    if batch.num_rows() == 0 {
                        continue;
                    }
                    self.built.rows += if table == Table::SourceFile { 0 } else { batch.num_rows() as u64 };
                    self.gathered_bytes += batch.get_array_memory_size();
                    self.gathered.entry(table).or_default().push(batch);
                }
                if self.gathered_bytes > GATHERED {
                    self.write_gathered()?;
                }
                // The next group as large as the memory allows, if its people are like these.
                self.group = (group.len() * GROUP_BYTES / bytes.max(1)).clamp(1, self.group.max(4 * group.len()));
                rest = others;
            }
            Ok(())
        })
    }

    /// Has the checks look at what came of a group, with what the lake knows of its people.
    fn look_at(&mut self, existing: &Rows, came: &Rows) {
        let Some(run) = &mut self.quality else { return };
        for (table, batches) in existing.iter().chain(came).filter(|(table, _)| quality::Run::LEARNT.contains(table)) {
            batches.iter().for_each(|batch| run.learn(*table, batch));
        }
        for (table, batches) in came {
            if run.asks(*table) {
                batches.iter().for_each(|batch| run.check(*table, batch));
            }
        }
    }

    /// Writes what was gathered, one file a table.
    fn write_gathered(&mut self) -> Result<(), Error> {
        self.gathered_bytes = 0;
        let rows = std::mem::take(&mut self.gathered);
        self.built.staged.extend(self.instance.lake.write_tables(&self.provider, rows)?);
        Ok(())
    }

    /// What the lake has of some records.
    fn existing(&self, records: &[RecordId]) -> Result<Rows, Error> {
        let mut existing = Rows::new();
        for table in kept_tables() {
            let batches = self.snapshot.records(table, records, Blocked::Include)?;
            if !batches.is_empty() {
                existing.insert(table, batches);
            }
        }
        Ok(existing)
    }

    /// Notes from which commit on the rows of records count that have rows already.
    fn stale(&mut self, existing: &Rows, group: &[RecordId], commit: i64) -> Result<(), Error> {
        let mut had = HashSet::new();
        for batch in existing.get(&Table::SourceFile).map(Vec::as_slice).unwrap_or_default() {
            had.extend(crate::assemble::record_ids(batch)?.values().iter().copied());
        }
        self.built.versions.extend(group.iter().filter(|r| had.contains(&r.0)).map(|r| (*r, commit)));
        Ok(())
    }
}

/// The rows of some records, which are sorted.
fn of_records(rows: &Rows, records: &[RecordId]) -> Result<Rows, Error> {
    let mut out = Rows::new();
    for (table, batches) in rows {
        for batch in batches {
            let wanted: BooleanArray = crate::assemble::record_ids(batch)?
                .values()
                .iter()
                .map(|id| Some(records.binary_search(&RecordId(*id)).is_ok()))
                .collect();
            let batch = arrow::compute::filter_record_batch(batch, &wanted)?;
            if batch.num_rows() > 0 {
                out.entry(*table).or_default().push(batch);
            }
        }
    }
    Ok(out)
}
