//! Code masters and vocabularies of an instance: what the operator loaded, sealed as it came, and the concepts of its own that codes have.
//!
//! * here: what is loaded, and how far the codes of a provider's rows are known; `files` what stands in files; `add` files → keeping, and away
//!
//! Every file is an asset whose name says what it is; nothing else remembers them. Concepts of the instance's own are one list that only
//! grows: a code that has an id keeps it, whatever is loaded or replaced later, since data sets with it are in other hands.

mod add;
mod files;

use std::collections::BTreeSet;
use std::io::BufReader;

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

pub use add::{Added, Amiss, Removed, Resting, add, remove};
pub use files::of_files;

/// Kinds of the assets.
const MASTER: &str = "code master";
const CONCEPTS: &str = "vocabulary";
const MAP: &str = "source to concept map";
/// Setting that names the asset with the concepts of the instance's own.
const LOCAL: &str = "masters.local_concepts";

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

/// A day of an edition as it stands in the name of its asset.
fn day(date: i32) -> String {
    let (year, month, day) = terms::civil_from_days(date);
    format!("{year:04}-{month:02}-{day:02}")
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
    let (mut rows, mut records) = (0, BTreeSet::<i64>::new());
    for table in Filler::TABLES {
        for batch in snapshot.scan_of(table, Blocked::Exclude, provider)? {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            records.extend(crate::assemble::record_ids(&batch)?.values());
            filler.fill(table, &batch)?;
            progress(rows);
        }
    }
    if rows == 0 {
        return Err(Error::refused(Message::new("quality-nobody").with("provider", provider)));
    }
    let mut tx = instance.ledger.begin(&instance.actor, "how far codes are known").await?;
    let tables = Filler::TABLES.iter().map(|t| t.name().to_owned()).collect();
    let records = i64::try_from(records.len()).unwrap_or(i64::MAX);
    tx.emit(Event::Read { step: "masters".to_owned(), tables, records })?;
    tx.commit().await?;
    Ok(filler.coverage())
}
