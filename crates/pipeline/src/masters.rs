//! Code masters and vocabularies of an instance: what the operator loaded, sealed as it came, and the concepts of its own that codes have.
//!
//! Every file is an asset whose name says what it is; nothing else remembers them. Concepts of the instance's own are one list that only
//! grows: a code that has an id keeps it, whatever is loaded or replaced later, since data sets with it are in other hands.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use lake::Blocked;
use ledger::{Asset, AssetFilter, AssetState, Event, Reader};
use masters::{Covered, Edition, Extent, Filler, Kind, LocalConcepts, MasterError, Masters, Resolver, Vocabulary};
use messages::Message;
use serde::Serialize;
use terms::{AssetClass, AssetId, ProviderId};

use crate::Instance;
use crate::error::Error;
use crate::quality::day_number;
use crate::sealed;

/// Kinds of the assets.
const MASTER: &str = "code master";
const CONCEPTS: &str = "vocabulary";
const MAP: &str = "source to concept map";
/// Setting that names the asset with the concepts of the instance's own.
const LOCAL: &str = "masters.local_concepts";
/// Names of Athena's files and of the operator's map, in small letters.
const CONCEPT_FILE: &str = "concept.csv";
const RELATIONSHIP_FILE: &str = "concept_relationship.csv";
const MAP_FILE: &str = "source_to_concept_map";

/// A file that is loaded.
#[derive(Debug, Clone, Serialize)]
pub struct Used {
    /// Which master, `vocabulary`, or `source to concept map`.
    pub kind: String,
    /// Day of the edition; none of vocabularies.
    pub date: Option<String>,
    /// Whether it has only what changed.
    pub difference: bool,
    /// The issuer's name of the file.
    pub file_name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Rows that were read of it.
    pub rows: u64,
    #[serde(skip)]
    asset: AssetId,
}

impl Used {
    /// As it stands in the name of its asset.
    fn name(&self) -> String {
        let extent = if self.difference { "difference" } else { "full" };
        let date = self.date.as_deref().unwrap_or("-");
        format!("{}|{date}|{extent}|{}|{}|{}", self.kind, self.sha256, self.rows, self.file_name)
    }

    fn of(asset: &Asset) -> Result<Used, Error> {
        let malformed = || Error::Inconsistent("the name of a master's asset is malformed".to_owned());
        let mut cells = asset.name.splitn(6, '|');
        let mut cell = || cells.next().ok_or_else(malformed);
        let (kind, date, extent, sha256, rows, file_name) = (cell()?, cell()?, cell()?, cell()?, cell()?, cell()?);
        Ok(Used {
            kind: kind.to_owned(),
            date: (date != "-").then(|| date.to_owned()),
            difference: extent == "difference",
            file_name: file_name.to_owned(),
            sha256: sha256.to_owned(),
            rows: rows.parse().map_err(|_| malformed())?,
            asset: asset.id,
        })
    }
}

/// What an instance knows of codes.
pub struct Loaded {
    /// Masters and vocabularies.
    pub resolver: Resolver,
    /// Concepts of its own.
    pub local: LocalConcepts,
    /// The files.
    pub used: Vec<Used>,
}

impl Loaded {
    /// What fills concepts into rows; none where nothing is loaded.
    pub fn filler(&self) -> Option<Filler<'_>> {
        (!self.used.is_empty()).then(|| Filler::new(&self.resolver, &self.local))
    }
}

/// What became of a file.
#[derive(Debug, Serialize)]
pub struct Added {
    /// The file.
    #[serde(flatten)]
    pub used: Used,
    /// Whether it was there already, byte for byte: then nothing was done.
    pub already: bool,
    /// Lines that could not be read, with the reason, and how many there are in all.
    pub bad_rows: Vec<(u32, String)>,
    /// Lines whose code stands again further below.
    pub duplicates: usize,
    /// Lines that are loaded without something that could not be read: a day, a character.
    pub doubts: Vec<(u32, String)>,
    /// Of a file with only what changed: codes whose change does not fit the edition before; it was made nevertheless.
    pub unmatched: Vec<String>,
    /// The file whose place it took.
    pub replaced: Option<String>,
    /// Of a map: rows that are marked as invalid, rows that lead to no standard concept that is loaded, and vocabularies of no code here.
    pub unused: Option<(u64, usize, Vec<String>)>,
    /// Codes that are abolished.
    pub abolished: usize,
    /// Codes that the edition before did not have, that say something else, that are gone; none of the first edition.
    pub changes: Option<[usize; 3]>,
    /// Concepts of the instance's own that its codes got.
    pub own_concepts: usize,
}

/// Files that are loaded, masters by kind and day first.
///
/// # Errors
/// Of the ledger.
pub async fn list(instance: &Instance) -> Result<Vec<Used>, Error> {
    used(&mut instance.ledger.read().await?).await
}

async fn used(reader: &mut Reader) -> Result<Vec<Used>, Error> {
    let filter = AssetFilter { class: Some(AssetClass::Method), state: Some(AssetState::Live), ..Default::default() };
    let assets = reader.assets(&filter).await?;
    let own = assets.iter().filter(|a| [MASTER, CONCEPTS, MAP].contains(&a.kind.as_str()));
    let mut all = own.map(Used::of).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|a, b| (a.date.is_none(), &a.kind, &a.date).cmp(&(b.date.is_none(), &b.kind, &b.date)));
    Ok(all)
}

/// Everything that is loaded.
///
/// # Errors
/// When a file does not open, or is not what was loaded.
pub async fn load(instance: &Instance) -> Result<Loaded, Error> {
    let mut reader = instance.ledger.read().await?;
    let used = used(&mut reader).await?;
    let local = reader.setting(LOCAL).await?;
    drop(reader);
    let mut resolver = Resolver::default();
    // The vocabulary first: what reads it begins a new one; then the operator's map on top of it.
    for file in used.iter().filter(|u| u.kind == CONCEPTS) {
        resolver.vocabulary = Vocabulary::read_kept(BufReader::new(sealed::open(instance, file.asset).await?)).map_err(spoilt)?;
    }
    for file in &used {
        if file.kind == MAP {
            let map = BufReader::new(sealed::open(instance, file.asset).await?);
            resolver.vocabulary.read_source_to_concept_map(map).map_err(spoilt)?;
        } else if let Some(kind) = Kind::by_name(&file.kind) {
            let edition = edition(kind, file, &sealed::read(instance, file.asset).await?).map_err(spoilt)?;
            take(&mut resolver.masters, edition).map_err(spoilt)?;
        }
    }
    let local = match local {
        None => LocalConcepts::default(),
        Some(asset) => {
            let asset = asset.parse().map_err(|_| Error::Inconsistent("a setting names no asset".to_owned()))?;
            let text = String::from_utf8(sealed::read(instance, asset).await?);
            let text = text.map_err(|_| Error::Inconsistent("concepts of the instance's own are malformed".to_owned()))?;
            LocalConcepts::from_text(&text).map_err(spoilt)?
        }
    };
    Ok(Loaded { resolver, local, used })
}

fn spoilt(error: MasterError) -> Error {
    Error::Inconsistent(format!("a master in keeping cannot be read: {error}"))
}

fn edition(kind: Kind, file: &Used, bytes: &[u8]) -> Result<Edition, MasterError> {
    let unknown = || MasterError::NoDate { file_name: file.file_name.clone() };
    let date: Date = file.date.as_deref().and_then(|d| d.parse().ok()).ok_or_else(unknown)?;
    let read = if file.difference { masters::read_difference_as } else { masters::read_as };
    let mut edition = read(kind, day_number(date), bytes)?;
    edition.file_name.clone_from(&file.file_name);
    Ok(edition)
}

/// Puts an edition beside the others; one with only what changed on top of the one before it.
fn take(masters: &mut Masters, edition: Edition) -> Result<(), MasterError> {
    if edition.extent == Extent::Full {
        return masters.add(edition);
    }
    let before = masters.editions(edition.kind).filter(|e| e.date < edition.date).last();
    let whole = match before {
        Some(before) => Edition::after(before, edition)?,
        None => return Err(MasterError::OnlyDifference { file_name: edition.file_name }),
    };
    masters.add(whole)
}

/// What can be loaded of some files, read and not yet in keeping.
struct Coming {
    used: Used,
    bytes: Vec<u8>,
    report: Added,
}

/// Reads files that can be loaded, and those in directories.
fn read_files(paths: &[PathBuf], date: Option<Date>) -> Result<Vec<Coming>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            // What is no file, a pipe above all, would be waited for without end.
            if path.exists() && !path.is_file() {
                let file_name = path.display().to_string();
                return Err(refused(&file_name, &MasterError::Unknown { file_name: file_name.clone() }));
            }
            files.push(path.clone());
            continue;
        }
        let trouble = || Error::io(path.display().to_string());
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(trouble())? {
            let entry = entry.map_err(trouble())?.path();
            if entry.is_file() {
                inside.push(entry);
            }
        }
        inside.sort();
        files.extend(inside);
    }
    let mut coming: Vec<Coming> = Vec::new();
    let (mut concepts, mut relationships) = (None, None);
    for path in &files {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let small = name.to_lowercase();
        let one = |slot: &mut Option<PathBuf>| match slot.replace(path.clone()) {
            None => Ok(()),
            Some(first) => {
                let message = Message::new("masters-twice").with("file", path.display()).with("first", first.display());
                Err(Error::refused(message))
            }
        };
        if small == CONCEPT_FILE {
            one(&mut concepts)?;
        } else if small == RELATIONSHIP_FILE {
            one(&mut relationships)?;
        } else if small.starts_with(MAP_FILE) {
            coming.push(map(path, name)?);
        } else {
            coming.push(master(path, name, date)?);
        }
    }
    match (concepts, relationships) {
        (None, None) => {}
        (Some(concepts), Some(relationships)) => coming.push(vocabulary(&concepts, &relationships)?),
        _ => return Err(Error::refused(Message::new("masters-both"))),
    }
    Ok(coming)
}

/// Masters and vocabularies of files, without an instance: there are no concepts of its own.
///
/// # Errors
/// A refusal that names file, line and column.
pub fn of_files(paths: &[PathBuf], date: Option<Date>) -> Result<Loaded, Error> {
    let mut coming = read_files(paths, date)?;
    coming.sort_by(|a, b| (&a.used.kind, &a.used.date).cmp(&(&b.used.kind, &b.used.date)));
    let mut resolver = Resolver::default();
    for c in coming.iter().filter(|c| c.used.kind == CONCEPTS) {
        resolver.vocabulary = Vocabulary::read_kept(c.bytes.as_slice()).map_err(|e| refused(&c.used.file_name, &e))?;
    }
    for c in &coming {
        let wrong = |e: MasterError| refused(&c.used.file_name, &e);
        if c.used.kind == MAP {
            resolver.vocabulary.read_source_to_concept_map(c.bytes.as_slice()).map_err(wrong)?;
        } else if let Some(kind) = Kind::by_name(&c.used.kind) {
            let edition = edition(kind, &c.used, &c.bytes).map_err(wrong)?;
            take(&mut resolver.masters, edition).map_err(wrong)?;
        }
    }
    let used = coming.into_iter().map(|c| c.used).collect();
    Ok(Loaded { resolver, local: LocalConcepts::default(), used })
}

/// Loads files: masters, Athena's `CONCEPT.csv` with `CONCEPT_RELATIONSHIP.csv`, a `source_to_concept_map`. `date` is the day of masters whose
/// names have none; with `replace` a file takes the place of another of its kind and day. All of them or none.
///
/// # Errors
/// A refusal that names file, line and column.
pub async fn add(instance: &Instance, paths: &[PathBuf], date: Option<Date>, replace: bool) -> Result<Vec<Added>, Error> {
    let loaded = load(instance).await?;
    let mut coming = read_files(paths, date)?;
    let mut already = Vec::new();
    let mut seen: Vec<&Used> = Vec::new();
    for c in &coming {
        if let Some(first) = seen.iter().find(|u| u.kind == c.used.kind && u.date == c.used.date) {
            let message = Message::new("masters-twice").with("file", &c.used.file_name).with("first", &first.file_name);
            return Err(Error::refused(message));
        }
        seen.push(&c.used);
    }
    // What there is already, and what goes for it.
    let mut gone = Vec::new();
    coming.retain(|c| {
        let same = loaded.used.iter().find(|u| u.name() == Used { file_name: u.file_name.clone(), ..c.used.clone() }.name());
        already.extend(same.cloned());
        same.is_none()
    });
    let already = already.into_iter().map(|used| Added { already: true, ..Added::of(used) });
    if coming.is_empty() {
        return Ok(already.collect());
    }
    for c in &mut coming {
        // A vocabulary and a map have no days: there is one of each.
        let there = loaded.used.iter().find(|u| u.kind == c.used.kind && u.date == c.used.date);
        match there {
            Some(there) if replace && there.difference == c.used.difference => {
                c.report.replaced = Some(there.file_name.clone());
                gone.push(there.asset);
            }
            Some(there) => {
                let message = Message::new("masters-same-day").with("file", &c.used.file_name).with("loaded", &there.file_name);
                return Err(Error::refused(message));
            }
            None => {}
        }
    }
    let mut all = with_changes(instance, &loaded, coming, &gone).await?;
    let mut local = loaded.local;
    for c in &mut all {
        c.report.own_concepts = own_concepts(&mut local, c)?;
    }
    let purpose = "load code masters";
    let mut tx = instance.ledger.begin(&instance.actor, purpose).await?;
    let mut reports = Vec::with_capacity(all.len());
    for c in all {
        let kind = if [CONCEPTS, MAP].contains(&c.used.kind.as_str()) { c.used.kind.clone() } else { MASTER.to_owned() };
        let written = sealed::write(instance, AssetClass::Method, &kind, c.used.name(), |to| {
            to.write_all(&c.bytes).map_err(Error::io("writing a master"))
        })?;
        tx.add_assets(&[(written.asset, Some(written.key))]).await?;
        let counts = [("rows".to_owned(), i64::try_from(c.used.rows).unwrap_or(i64::MAX))].into();
        tx.emit(Event::StepFinished { step: format!("masters {}", c.used.kind), run: None, counts })?;
        reports.push(c.report);
    }
    if reports.iter().any(|r| r.own_concepts > 0) {
        let text = local.to_text();
        let written =
            sealed::write(instance, AssetClass::Method, "local concepts", "concepts of the instance's own".to_owned(), |to| {
                to.write_all(text.as_bytes()).map_err(Error::io("writing concepts"))
            })?;
        let new = written.asset.id;
        let old: Option<AssetId> = tx.read().setting(LOCAL).await?.and_then(|id| id.parse().ok());
        tx.add_assets(&[(written.asset, Some(written.key))]).await?;
        tx.set_setting(LOCAL, &new.to_string()).await?;
        gone.extend(old);
    }
    if !gone.is_empty() {
        tx.doom_assets(&gone, "a later file takes its place").await?;
    }
    tx.commit().await?;
    crate::dataset::finish_doomed(instance).await?;
    reports.extend(already);
    Ok(reports)
}

/// Takes a file away that was loaded by mistake: an edition by its kind and day, or the vocabulary or the map by its kind alone. Concepts of
/// the instance's own that its codes got stay: they may be in data sets. Why stands in the journal.
///
/// # Errors
/// A refusal when there is no such file, or another rests on it: a file with only what changed on the edition before.
pub async fn remove(instance: &Instance, kind: &str, date: Option<Date>, why: &str) -> Result<Used, Error> {
    // Nothing but masters is opened: what cannot be read any more can be taken away.
    let (resolver, local) = (Resolver::default(), LocalConcepts::default());
    let loaded = Loaded { resolver, local, used: list(instance).await? };
    let date = date.map(|d| d.to_string());
    let found = loaded.used.iter().find(|u| u.kind == kind && u.date == date).cloned();
    let Some(found) = found else {
        let message = Message::new("masters-not-there").with("kind", kind).with("date", date.as_deref().unwrap_or("–"));
        return Err(Error::refused(message));
    };
    with_changes(instance, &loaded, Vec::new(), &[found.asset]).await?;
    let mut tx = instance.ledger.begin(&instance.actor, why).await?;
    tx.doom_assets(&[found.asset], "it was loaded by mistake").await?;
    tx.commit().await?;
    crate::dataset::finish_doomed(instance).await?;
    Ok(found)
}

impl Added {
    fn of(used: Used) -> Added {
        Added {
            used,
            already: false,
            bad_rows: Vec::new(),
            duplicates: 0,
            doubts: Vec::new(),
            unmatched: Vec::new(),
            replaced: None,
            unused: None,
            abolished: 0,
            changes: None,
            own_concepts: 0,
        }
    }
}

/// Holds what comes against what stays: whether all of it goes together, and what it changes.
async fn with_changes(
    instance: &Instance,
    loaded: &Loaded,
    mut coming: Vec<Coming>,
    gone: &[AssetId],
) -> Result<Vec<Coming>, Error> {
    unused_maps(instance, loaded, &mut coming).await?;
    coming.sort_by(|a, b| (&a.used.kind, &a.used.date).cmp(&(&b.used.kind, &b.used.date)));
    let mut files: Vec<(Kind, Used, Option<usize>)> = Vec::new();
    for used in loaded.used.iter().filter(|u| !gone.contains(&u.asset)) {
        files.extend(Kind::by_name(&used.kind).map(|kind| (kind, used.clone(), None)));
    }
    for (place, c) in coming.iter().enumerate() {
        files.extend(Kind::by_name(&c.used.kind).map(|kind| (kind, c.used.clone(), Some(place))));
    }
    files.sort_by(|a, b| (&a.1.kind, &a.1.date, a.2).cmp(&(&b.1.kind, &b.1.date, b.2)));
    let mut masters = Masters::new();
    for (kind, used, place) in files {
        let edition = match place {
            Some(place) => edition(kind, &used, &coming[place].bytes).map_err(|e| refused(&used.file_name, &e))?,
            None => edition(kind, &used, &sealed::read(instance, used.asset).await?).map_err(spoilt)?,
        };
        // One that only has what changed may have nothing to stand on any more.
        let date = edition.date;
        take(&mut masters, edition).map_err(|e| refused(&used.file_name, &e))?;
        let Some(place) = place else { continue };
        let before = masters.editions(kind).filter(|e| e.date < date).last();
        let now = masters.editions(kind).find(|e| e.date == date);
        if let (Some(before), Some(now)) = (before, now) {
            let changes = now.compare(before);
            coming[place].report.changes = Some([changes.added.len(), changes.changed.len(), changes.gone.len()]);
            coming[place].report.unmatched = now.report.unmatched.iter().map(|code| code.to_string()).collect();
        }
    }
    Ok(coming)
}

/// What of a map that comes says nothing, by the vocabulary that comes with it or is there.
async fn unused_maps(instance: &Instance, loaded: &Loaded, coming: &mut [Coming]) -> Result<(), Error> {
    let Some(place) = coming.iter().position(|c| c.used.kind == MAP) else { return Ok(()) };
    let mut vocabulary = match coming.iter().find(|c| c.used.kind == CONCEPTS) {
        Some(concepts) => Vocabulary::read_kept(concepts.bytes.as_slice()).map_err(|e| refused(&concepts.used.file_name, &e))?,
        None => match loaded.used.iter().find(|u| u.kind == CONCEPTS) {
            Some(there) => Vocabulary::read_kept(BufReader::new(sealed::open(instance, there.asset).await?)).map_err(spoilt)?,
            None => Vocabulary::new(),
        },
    };
    let map = &mut coming[place];
    let kept = vocabulary.read_source_to_concept_map(map.bytes.as_slice()).map_err(|e| refused(&map.used.file_name, &e))?;
    let known = Resolver::vocabularies();
    let strange = vocabulary.mapped().into_iter().filter(|name| !known.contains(name)).map(str::to_owned).collect();
    map.report.unused = Some((kept.rows - kept.kept, vocabulary.without_target(), strange));
    Ok(())
}

/// Gives codes of a master their concepts; how many are new.
fn own_concepts(local: &mut LocalConcepts, coming: &Coming) -> Result<usize, Error> {
    let coded = [Kind::Disease, Kind::Drug, Kind::Act, Kind::Device, Kind::Hot, Kind::Jlac10];
    let Some(kind) = Kind::by_name(&coming.used.kind).filter(|k| coded.contains(k)) else { return Ok(0) };
    let edition = edition(kind, &coming.used, &coming.bytes).map_err(|e| refused(&coming.used.file_name, &e))?;
    let before = local.len();
    let mut none = None;
    edition.each_code(|vocabulary, code| {
        if local.add(vocabulary, code).is_none() {
            none.get_or_insert_with(|| code.to_owned());
        }
    });
    if let Some(code) = none {
        return Err(Error::refused(Message::new("masters-no-ids").with("code", code)));
    }
    Ok(local.len() - before)
}

fn refused(file: &str, error: &MasterError) -> Error {
    Error::refused(Message::new("masters-refused").with("file", file).with("error", error))
}

fn read_file(path: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let limit = masters::MOST_BYTES as u64 + 1;
    let file = File::open(path).map_err(Error::io(path.display().to_string()))?;
    file.take(limit).read_to_end(&mut bytes).map_err(Error::io(path.display().to_string()))?;
    if bytes.len() > masters::MOST_BYTES {
        return Err(refused(name, &MasterError::TooLarge { bytes: bytes.len() }));
    }
    Ok(bytes)
}

fn master(path: &Path, name: String, date: Option<Date>) -> Result<Coming, Error> {
    let bytes = read_file(path, &name)?;
    let edition = match date {
        Some(date) => masters::read_on(&name, day_number(date), &bytes),
        None => masters::read(&name, &bytes),
    };
    let edition = edition.map_err(|e| refused(&name, &e))?;
    let (year, month, day) = terms::civil_from_days(edition.date);
    let used = Used {
        kind: edition.kind.name().to_owned(),
        date: Some(format!("{year:04}-{month:02}-{day:02}")),
        difference: edition.extent == Extent::Difference,
        file_name: name,
        sha256: hex::encode(seal::hash::sha256(&bytes)),
        rows: edition.rows.len() as u64,
        asset: AssetId::new(),
    };
    let report = Added {
        bad_rows: edition.report.bad_rows.iter().map(|(line, why)| (*line, format!("{why:?}"))).collect(),
        duplicates: edition.report.duplicates.len(),
        doubts: edition.report.doubts.iter().map(|(line, what)| (*line, format!("{what:?}"))).collect(),
        abolished: edition.report.abolished,
        ..Added::of(used.clone())
    };
    Ok(Coming { used, bytes, report })
}

fn map(path: &Path, name: String) -> Result<Coming, Error> {
    let bytes = read_file(path, &name)?;
    let kept = Vocabulary::new().read_source_to_concept_map(bytes.as_slice()).map_err(|e| refused(&name, &e))?;
    if kept.kept == 0 {
        return Err(Error::refused(Message::new("masters-empty").with("file", &name)));
    }
    let sha256 = hex::encode(seal::hash::sha256(&bytes));
    let used = Used {
        kind: MAP.to_owned(),
        date: None,
        difference: false,
        file_name: name,
        sha256,
        rows: kept.kept,
        asset: AssetId::new(),
    };
    Ok(Coming { report: Added::of(used.clone()), used, bytes })
}

/// Athena's two files as what is kept of them.
fn vocabulary(concepts: &Path, relationships: &Path) -> Result<Coming, Error> {
    let open = |path: &Path| -> Result<Box<dyn BufRead>, Error> {
        let file = File::open(path).map_err(Error::io(path.display().to_string()))?;
        Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
    };
    let mut vocabulary = Vocabulary::new();
    let of = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = vocabulary.read_concepts(open(concepts)?, &Resolver::filter()).map_err(|e| refused(&of(concepts), &e))?;
    let maps = vocabulary.read_relationships(open(relationships)?).map_err(|e| refused(&of(relationships), &e))?;
    for (kept, path) in [(kept, concepts), (maps, relationships)] {
        if kept.kept == 0 {
            return Err(Error::refused(Message::new("masters-empty").with("file", of(path))));
        }
    }
    let mut bytes = Vec::new();
    vocabulary.write_concepts(&mut bytes).map_err(Error::io("writing a vocabulary"))?;
    // Of what is kept: Athena hands out the same release in many forms.
    let sha256 = hex::encode(seal::hash::sha256(&bytes));
    let used = Used {
        kind: CONCEPTS.to_owned(),
        date: None,
        difference: false,
        file_name: format!("{} {}", of(concepts), of(relationships)),
        sha256,
        rows: kept.kept + maps.kept,
        asset: AssetId::new(),
    };
    Ok(Coming { report: Added::of(used.clone()), used, bytes })
}

/// How far the codes of a provider's rows in the lake are known. That they were read stands in the journal.
///
/// # Errors
/// A refusal when the provider has no rows; what reading the lake can meet.
pub async fn coverage(
    instance: &Instance,
    provider: &ProviderId,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Covered>, Error> {
    let loaded = load(instance).await?;
    let mut filler = Filler::new(&loaded.resolver, &loaded.local);
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let mut rows = 0;
    for table in Filler::TABLES {
        for batch in snapshot.scan_of(table, Blocked::Exclude, provider)? {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            filler.fill(table, &batch)?;
            progress(rows);
        }
    }
    if rows == 0 {
        return Err(Error::refused(Message::new("quality-nobody").with("provider", provider)));
    }
    let mut tx = instance.ledger.begin(&instance.actor, "how far codes are known").await?;
    let tables = Filler::TABLES.iter().map(|t| t.name().to_owned()).collect();
    tx.emit(Event::Read { step: "masters".to_owned(), tables, records: 0 })?;
    tx.commit().await?;
    Ok(filler.coverage())
}
