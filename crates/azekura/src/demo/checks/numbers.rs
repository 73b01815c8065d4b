use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use arrow::array::AsArray as _;
use arrow::datatypes::{Int8Type, Int64Type};
use lake::{Blocked, SessionOptions};
use messages::Message;
use omop::Table;
use terms::{ProviderId, RecordId};

use super::{Promise, Verdict};
use crate::demo::below;
use crate::demo::truth::{Key, Stop};
use crate::demo::world::World;
use crate::failure::Failure;

/// The numbers add up: every patient of a hospital stayed at home, was refused or came in, for the reason that the truth
/// has; and every file that came in is in the lake with its state.
pub struct NumbersAddUp;

impl Promise for NumbersAddUp {
    fn name(&self) -> &'static str {
        "numbers-add-up"
    }

    fn title(&self) -> &'static str {
        "demo-promise-numbers-add-up"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        verdict(world, &world.stops)
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        // One opt-out fewer than there were.
        let Some(at) = world.stops.iter().position(|s| s.before) else {
            return Ok(Verdict::Skipped(Message::new("demo-nobody-stopped")));
        };
        let mut stops = world.stops.clone();
        stops.remove(at);
        verdict(world, &stops)
    }
}

fn verdict(world: &World, stops: &[Stop]) -> Result<Verdict, Failure> {
    let stopped: BTreeSet<Key> = stops.iter().filter(|s| s.before).map(Stop::key).collect();
    let (mut patients, mut wrong) = (0u64, Vec::new());
    for sent in &world.sent {
        let Some(taken) = world.taken.iter().find(|t| t.provider == sent.provider) else {
            wrong.push("packages");
            continue;
        };
        let mine: Vec<_> = world.truth.patients.iter().filter(|p| p.provider == sent.provider).collect();
        if mine.is_empty() {
            // The samples: everybody in them was told.
            patients += world.samples.len() as u64;
            // Ids that only stand inside a file, against its place, are refused besides: they were never told.
            if taken.patients_in != world.samples.len() as u64 {
                wrong.push("samples");
            }
            continue;
        }
        patients += mine.len() as u64;
        let is_stopped = |p: &&&crate::demo::truth::Patient| stopped.contains(&(p.provider.clone(), p.canonical.clone()));
        let opted_out = mine.iter().filter(is_stopped).count() as u64;
        let not_told = mine.iter().filter(|p| !is_stopped(p) && !p.notified).count() as u64;
        // Who was not told stays at home, or is refused at the door.
        let (home, door) = if sent.with_contacts { (not_told, 0) } else { (0, not_told) };
        // Who stayed at home can still be named in a file that stands in another's place: then the door refuses that name.
        let is_named = |p: &&&crate::demo::truth::Patient| !is_stopped(p) && !p.notified && p.flags.contains("set_aside");
        let named = if sent.with_contacts { mine.iter().filter(is_named).count() as u64 } else { 0 };
        let refusals = taken.refusals.values().sum::<i64>().unsigned_abs();
        let said = [
            ("opted-out", sent.said.number("people_opted_out"), opted_out..=opted_out),
            ("not-contacted", sent.said.number("people_not_contacted"), home..=home),
            ("refused", taken.patients_refused, door..=door + named),
            ("not-notified", refusals, taken.patients_refused..=taken.patients_refused),
            ("in", taken.patients_in, mine.len() as u64 - opted_out - not_told..=mine.len() as u64 - opted_out - not_told),
        ];
        wrong.extend(said.iter().filter(|(_, found, expected)| !expected.contains(found)).map(|(name, ..)| *name));
    }
    let files = files(world)?;
    wrong.extend(files.wrong.iter().copied());
    wrong.sort_unstable();
    wrong.dedup();
    let message = Message::new("demo-found-numbers")
        .with("patients", patients)
        .with("members", files.members)
        .with("live", files.live)
        .with("superseded", files.superseded)
        .with("deleted", files.deleted)
        .with("elsewhere", files.elsewhere)
        .with("nameless", files.nameless)
        .with("wrong", if wrong.is_empty() { "0".to_owned() } else { wrong.join(" ") });
    Ok(if wrong.is_empty() { Verdict::Kept(message) } else { Verdict::Broken(message) })
}

/// What became of the files.
#[derive(Default)]
struct Files {
    members: u64,
    live: u64,
    superseded: u64,
    deleted: u64,
    /// Of people who were refused or erased.
    elsewhere: u64,
    /// With a name from which no patient and no type can be told: a finding and no row.
    nameless: u64,
    wrong: Vec<&'static str>,
}

/// Files in the lake by provider and state: deleted, live, superseded.
struct States(BTreeMap<ProviderId, [u64; 3]>);

fn states(world: &World) -> Result<States, Failure> {
    let instance = &world.instance;
    let (records, blocked) = world.wait(async {
        let mut reader = instance.ledger.read().await.map_err(below)?;
        let records = reader.records().await.map_err(below)?;
        let blocked: Vec<RecordId> = reader.blocked().await.map_err(below)?.iter().map(ledger::Blocked::record).collect();
        Ok::<_, Failure>((records, blocked))
    })?;
    let providers: HashMap<i64, ProviderId> = records.into_iter().map(|(record, provider, _)| (record.0, provider)).collect();
    let snapshot = world.wait(instance.lake.snapshot(&instance.ledger, None)).map_err(below)?;
    // Whatever nobody may see is looked up record by record; the bytes of the others' files need not be read.
    let mut batches = snapshot.records(Table::SourceFile, &blocked, Blocked::Include).map_err(below)?;
    let options = SessionOptions { identity: true, ..SessionOptions::default() };
    let question = "select record_id, source_state from source_file";
    batches.extend(world.wait(async {
        let session = snapshot.session(&options).map_err(below)?;
        session.prepare(question).await.map_err(below)?.collect().await.map_err(below)
    })?);
    let mut states = States(BTreeMap::new());
    for batch in &batches {
        let records = batch.column_by_name("record_id").and_then(|c| c.as_primitive_opt::<Int64Type>());
        let state = batch.column_by_name("source_state").and_then(|c| c.as_primitive_opt::<Int8Type>());
        let (Some(records), Some(state)) = (records, state) else { continue };
        for row in 0..batch.num_rows() {
            let Some(provider) = providers.get(&records.value(row)) else { continue };
            let counts = states.0.entry(provider.clone()).or_default();
            if let Some(count) = usize::try_from(state.value(row)).ok().and_then(|s| counts.get_mut(s)) {
                *count += 1;
            }
        }
    }
    Ok(states)
}

/// Counts the files of each provider in the lake by state, against what its package held.
fn files(world: &World) -> Result<Files, Failure> {
    let states = world.once(|| states(world))?;
    let mut files = Files::default();
    for taken in &world.taken {
        let [deleted, live, superseded] = states.0.get(&taken.provider).copied().unwrap_or_default();
        let here = deleted + live + superseded;
        let (elsewhere, nameless) = elsewhere(world, taken)?;
        files.members += taken.members;
        files.live += live;
        files.superseded += superseded;
        files.deleted += deleted;
        files.elsewhere += elsewhere;
        files.nameless += nameless;
        if here + elsewhere + nameless != taken.members {
            files.wrong.push("files");
        }
    }
    for sent in &world.sent {
        let taken = world.taken.iter().find(|t| t.provider == sent.provider);
        if taken.map(|t| t.members) != Some(sent.said.number("files")) {
            files.wrong.push("members");
        }
    }
    Ok(files)
}

/// Files of a package whose patients have nothing in the lake, being refused at the door, set aside or erased since; and, of the
/// others, those that were given a name on purpose that nobody can read.
fn elsewhere(world: &World, taken: &pipeline::ingest::Taken) -> Result<(u64, u64), Failure> {
    let Some(sent) = world.sent.iter().find(|s| s.provider == taken.provider) else { return Ok((0, 0)) };
    let mine: Vec<_> = world.truth.patients.iter().filter(|p| p.provider == taken.provider).collect();
    let keys: Vec<Key> = mine.iter().map(|p| (p.provider.clone(), p.canonical.clone())).collect();
    let records = world.records(&keys)?;
    let stopped: BTreeSet<Key> = world.stops.iter().filter(|s| s.before).map(Stop::key).collect();
    let storage = world.hospitals().join(taken.provider.as_str()).join("storage");
    // Of who was set aside nothing is written.
    let holds = world.wait(pipeline::holds::list(&world.instance, None)).map_err(below)?;
    let held: BTreeSet<RecordId> = holds.into_iter().filter(|h| h.package.is_some()).filter_map(|h| h.record).collect();
    if mine.is_empty() {
        // Of the samples nobody wrote down the truth; everybody in them came in or was set aside.
        let canonical = |id: &String| terms::PatientIdRule::default().canonical(id).ok();
        let key = |id: &String| Some((taken.provider.clone(), canonical(id)?.reveal().to_owned()));
        let keys: Vec<Key> = world.samples.iter().filter_map(key).collect();
        let records = world.records(&keys)?;
        let aside = world.samples.iter().filter(|id| key(id).and_then(|k| records.get(&k)).is_some_and(|r| held.contains(r)));
        let part = |id: &str, from: usize, to: usize| id.get(from..to.min(id.len())).unwrap_or_default().to_owned();
        let directory = |id: &String| storage.join(part(id, 0, 3)).join(part(id, 3, 6)).join(id);
        let files = |id: &String| count_below(&directory(id), &|name| name.split('_').count() == 7);
        return Ok((aside.map(files).sum(), nameless_below(&storage)));
    }
    let bad: Vec<_> =
        world.truth.bad_names.iter().filter(|(p, _)| *p == taken.provider).map(|(_, path)| storage.join(path)).collect();
    let (mut count, mut nameless) = (0, 0);
    for (patient, key) in mine.iter().zip(&keys) {
        let stayed = stopped.contains(key) || (sent.with_contacts && !patient.notified);
        let inside = records.get(key).is_some_and(|r| !world.erased.contains(r) && !held.contains(r));
        let directory = patient.directory(&world.hospitals());
        if inside {
            nameless += bad.iter().filter(|path| path.starts_with(&directory)).count() as u64;
        } else if !stayed {
            count += files_below(&directory);
        }
    }
    Ok((count, nameless))
}

fn files_below(dir: &Path) -> u64 {
    count_below(dir, &|_| true)
}

/// Files whose names do not have the seven parts of the standard (SS-MIX2 guideline).
fn nameless_below(dir: &Path) -> u64 {
    count_below(dir, &|name| name.split('_').count() != 7)
}

fn count_below(dir: &Path, counts: &dyn Fn(&str) -> bool) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let one = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => count_below(&entry.path(), counts),
        _ => u64::from(counts(&entry.file_name().to_string_lossy())),
    };
    entries.flatten().map(one).sum()
}
