//! Masters and vocabularies in files, read and not yet in keeping.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use masters::{Extent, Kind, LocalConcepts, MasterError, Resolver, Vocabulary};
use messages::Message;
use terms::AssetId;

use super::{Added, Amiss, CONCEPTS, Loaded, MAP, Used, day, edition, take};
use crate::error::Error;
use crate::quality::day_number;

/// Names of Athena's files and of the operator's map, in small letters.
const CONCEPT_FILE: &str = "concept.csv";
const RELATIONSHIP_FILE: &str = "concept_relationship.csv";
const MAP_FILE: &str = "source_to_concept_map";

/// What can be loaded of some files, read and not yet in keeping.
pub(super) struct Coming {
    pub(super) used: Used,
    pub(super) bytes: Vec<u8>,
    pub(super) report: Added,
}

/// Reads files that can be loaded, and those in directories; of a kind and day one.
pub(super) fn read_files(paths: &[PathBuf], date: Option<Date>) -> Result<Vec<Coming>, Error> {
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
    let mut seen: Vec<&Used> = Vec::new();
    for c in &coming {
        if let Some(first) = seen.iter().find(|u| u.kind == c.used.kind && u.date == c.used.date) {
            let message = Message::new("masters-twice").with("file", &c.used.file_name).with("first", &first.file_name);
            return Err(Error::refused(message));
        }
        seen.push(&c.used);
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

pub(super) fn refused(file: &str, error: &MasterError) -> Error {
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
    let used = Used {
        kind: edition.kind.name().to_owned(),
        date: Some(day(edition.date)),
        difference: edition.extent == Extent::Difference,
        file_name: name,
        sha256: hex::encode(seal::hash::sha256(&bytes)),
        rows: edition.rows.len() as u64,
        asset: AssetId::new(),
    };
    let report = Added {
        bad_rows: edition.report.bad_rows.iter().map(|row| Amiss::bad(edition.kind, *row)).collect(),
        duplicates: edition.report.duplicates.len(),
        doubts: edition.report.doubts.iter().map(|row| Amiss::doubt(edition.kind, *row)).collect(),
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
