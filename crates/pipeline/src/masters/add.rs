//! Files into keeping, all of a call or none, and away again.

use std::io::BufReader;
use std::path::PathBuf;

use jiff::civil::Date;
use ledger::Event;
use masters::{BadRow, Doubt, Kind, LocalConcepts, Masters, Resolver, Vocabulary};
use messages::Message;
use serde::Serialize;
use terms::{AssetClass, AssetId};

use super::files::{Coming, read_files, refused};
use super::{CONCEPTS, LOCAL, Loaded, MAP, MASTER, Used, day, edition, list, load, spoilt, take};
use crate::Instance;
use crate::error::Error;
use crate::sealed;

/// A line of a file with something that could not be read.
#[derive(Debug, Clone, Serialize)]
pub struct Amiss {
    /// Line, from 1.
    pub line: u32,
    /// Its field: number of the column from 1, or the name that a header gives it; none where the whole line cannot be read.
    pub field: Option<String>,
    /// Code of what is wrong and what to do.
    pub code: &'static str,
}

impl Amiss {
    pub(super) fn bad(kind: Kind, (line, why): (u32, BadRow)) -> Amiss {
        let code = match why {
            BadRow::Code => "masters-bad-code",
            BadRow::Quotes => "masters-bad-quotes",
            BadRow::OtherMaster => "masters-bad-other",
            BadRow::Change => "masters-bad-change",
        };
        Amiss { line, field: why.field(kind), code }
    }

    pub(super) fn doubt(kind: Kind, (line, what): (u32, Doubt)) -> Amiss {
        let code = match what {
            Doubt::Listed | Doubt::Changed => "masters-doubt-day",
            Doubt::Abolished => "masters-doubt-abolished",
            Doubt::Characters => "masters-doubt-characters",
        };
        Amiss { line, field: what.field(kind), code }
    }

    /// In words.
    pub fn message(&self, file: &str) -> Message {
        Message::new(self.code).with("file", file).with("line", self.line).with("field", self.field.as_deref().unwrap_or("–"))
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
    /// Lines that could not be read.
    pub bad_rows: Vec<Amiss>,
    /// Lines whose code stands again further below.
    pub duplicates: usize,
    /// Lines that are loaded without something that could not be read: a day, a character.
    pub doubts: Vec<Amiss>,
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

impl Added {
    pub(super) fn of(used: Used) -> Added {
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

/// Loads files: masters, Athena's `CONCEPT.csv` with `CONCEPT_RELATIONSHIP.csv`, a `source_to_concept_map`. `date` is the day of masters whose
/// names have none; with `replace` a file takes the place of another of its kind and day. All of them or none.
///
/// # Errors
/// A refusal that names file, line and column.
pub async fn add(instance: &Instance, paths: &[PathBuf], date: Option<Date>, replace: bool) -> Result<Vec<Added>, Error> {
    let loaded = load(instance).await?;
    let mut coming = read_files(paths, date)?;
    let mut already = Vec::new();
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
    let (mut all, _) = with_changes(instance, &loaded, coming, &gone).await?;
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

/// What was taken away.
#[derive(Debug, Serialize)]
pub struct Removed {
    /// The file.
    #[serde(flatten)]
    pub used: Used,
    /// Files with only what changed that rested on it, and rest on the edition before it now.
    pub resting: Vec<Resting>,
}

/// A file with only what changed, when what it rested on is gone.
#[derive(Debug, Serialize)]
pub struct Resting {
    /// The file.
    #[serde(flatten)]
    pub used: Used,
    /// Its changes that do not fit the edition before it any more.
    pub unmatched: usize,
}

/// Takes a file away that was loaded by mistake: an edition by its kind and day, or the vocabulary or the map by its kind alone. Concepts of
/// the instance's own that its codes got stay: they may be in data sets. Files with only what changed that rest on it keep it there, unless
/// `even_so`. Why stands in the journal.
///
/// # Errors
/// A refusal when there is no such file, or others rest on it: those are named, with what of them would not fit any more. `even_so` too
/// when nothing is left that they could rest on.
pub async fn remove(instance: &Instance, kind: &str, date: Option<Date>, even_so: bool, why: &str) -> Result<Removed, Error> {
    // Nothing but masters is opened: what cannot be read any more can be taken away.
    let (resolver, local) = (Resolver::default(), LocalConcepts::default());
    let loaded = Loaded { resolver, local, used: list(instance).await? };
    let date = date.map(|d| d.to_string());
    let found = loaded.used.iter().find(|u| u.kind == kind && u.date == date).cloned();
    let Some(found) = found else {
        let message = Message::new("masters-not-there").with("kind", kind).with("date", date.as_deref().unwrap_or("–"));
        return Err(Error::refused(message));
    };
    let (_, masters) = with_changes(instance, &loaded, Vec::new(), &[found.asset]).await?;
    let resting: Vec<Resting> = resting(&loaded.used, &found)
        .map(|used| {
            let own = Kind::by_name(&used.kind).and_then(|kind| masters.editions(kind).find(|e| Some(day(e.date)) == used.date));
            Resting { used: used.clone(), unmatched: own.map_or(0, |e| e.report.unmatched.len()) }
        })
        .collect();
    if !resting.is_empty() && !even_so {
        let files: Vec<&str> = resting.iter().map(|r| r.used.file_name.as_str()).collect();
        let unmatched: usize = resting.iter().map(|r| r.unmatched).sum();
        let message = Message::new("masters-rests").with("file", &found.file_name).with("files", files.join(", "));
        return Err(Error::refused(message.with("count", unmatched)));
    }
    let mut tx = instance.ledger.begin(&instance.actor, why).await?;
    tx.doom_assets(&[found.asset], "it was loaded by mistake").await?;
    tx.commit().await?;
    crate::dataset::finish_doomed(instance).await?;
    Ok(Removed { used: found, resting })
}

/// Files with only what changed that were applied to a file or to what was made of it: until the next whole edition.
fn resting<'u>(used: &'u [Used], on: &Used) -> impl Iterator<Item = &'u Used> {
    // By day, as `list` gives them; a vocabulary and a map have none, and nothing rests on them.
    let (kind, date) = (on.kind.clone(), on.date.clone());
    let later = used.iter().filter(move |u| u.kind == kind && date.is_some() && u.date > date);
    later.take_while(|u| u.difference)
}

/// Holds what comes against what stays: whether all of it goes together, and what it changes. Gives the masters as they are then too.
async fn with_changes(
    instance: &Instance,
    loaded: &Loaded,
    mut coming: Vec<Coming>,
    gone: &[AssetId],
) -> Result<(Vec<Coming>, Masters), Error> {
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
    Ok((coming, masters))
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
