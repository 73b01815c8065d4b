use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use messages::Message;

use super::patterns::{ENCODINGS, KINDS, Kind, encoded, everything, of};
use super::scan::Scanner;
use super::{Promise, Verdict};
use crate::demo::world::World;
use crate::failure::Failure;

/// Nobody can be read off the disk: no name, kana, birth date or id of anybody stands in any byte of the instance, of the
/// write-ahead log, or of temporary files, in any encoding, nor in the name of a file.
pub struct NoPlaintext;

/// Patients whose files are looked through to see that the same search finds them at the hospital.
const SAMPLE: usize = 200;
/// Share of them that has to be found, of each kind.
const LEAST_FOUND: f64 = 0.9;

impl Promise for NoPlaintext {
    fn name(&self) -> &'static str {
        "no-plaintext-at-rest"
    }

    fn title(&self) -> &'static str {
        "demo-promise-no-plaintext-at-rest"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        let sought = sought(world)?;
        let (scanner, names) = (&sought.0, &sought.1);
        let mut files = Vec::new();
        collect(&world.place.instance(), &mut files)?;
        for part in ["tmp", "log"] {
            let dir = world.place.work().join(part);
            if dir.is_dir() {
                collect(&dir, &mut files)?;
            }
        }
        let seen = search(scanner, names, &files)?;
        let control = control(world, scanner)?;
        let message = Message::new("demo-found-plaintext")
            .with("patterns", scanner.len())
            .with("files", files.len())
            .with("mib", seen.bytes >> 20)
            .with("hits", seen.hits)
            .with("where", seen.first.map_or("-".to_owned(), |p| part_of(world, &p)))
            .with("sampled", control.sampled)
            .with("found", control.least);
        let sighted = control.sampled > 0 && control.least as f64 >= LEAST_FOUND * control.sampled as f64;
        Ok(if seen.hits == 0 && seen.bytes > 0 && sighted { Verdict::Kept(message) } else { Verdict::Broken(message) })
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        let sought = sought(world)?;
        let (scanner, names) = (&sought.0, &sought.1);
        let mut files = Vec::new();
        collect(&world.instance.root.join("lake"), &mut files)?;
        let Some(file) = files.first() else {
            return Ok(Verdict::Skipped(Message::new("demo-check-failed").with("reason", "the lake has no file")));
        };
        let sealed = fs::read(file)?;
        let copy = world.place.copy("plaintext")?;
        let mut found = 0;
        for (n, encoding) in ENCODINGS.iter().enumerate() {
            // A name that is long enough in this encoding, in the middle of a sealed file.
            let texts = world.truth.patients.iter().flat_map(|p| &p.names).map(|(family, given)| format!("{family}{given}"));
            let Some(name) = texts.filter_map(|t| encoded(&t, encoding)).find(|b| scanner.number(b).is_some()) else { continue };
            let path = copy.join(format!("planted-{n}"));
            let (before, after) = sealed.split_at(sealed.len() / 2);
            fs::write(&path, [before, &name, after].concat())?;
            found += usize::from(search(scanner, names, &[path])?.hits > 0);
        }
        // And one in the name of a file.
        if let Some(id) = names.first() {
            let path = copy.join(format!("{id}.parquet"));
            fs::write(&path, b"")?;
            found += usize::from(search(scanner, names, &[path])?.hits > 0);
        }
        fs::remove_dir_all(&copy)?;
        let planted = ENCODINGS.len() + 1;
        let message = Message::new("demo-found-planted").with("planted", planted).with("found", found);
        Ok(if found == planted { Verdict::Broken(message) } else { Verdict::Kept(message) })
    }
}

/// What is looked for: made once for both searches.
fn sought(world: &World) -> Result<Arc<(Scanner, BTreeSet<String>)>, Failure> {
    world.once(|| Ok(everything(&world.truth.patients, &world.samples)))
}

/// The part of the demo in which a file lies: a file's own name might tell somebody.
fn part_of(world: &World, path: &Path) -> String {
    let inside = path.strip_prefix(&world.place.root).unwrap_or(path);
    inside.components().take(2).map(|c| c.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// What was seen.
#[derive(Default)]
struct Seen {
    bytes: u64,
    hits: u64,
    first: Option<PathBuf>,
}

/// Looks through files, and at their names, on all processors.
fn search(scanner: &Scanner, names: &BTreeSet<String>, files: &[PathBuf]) -> std::io::Result<Seen> {
    let (next, seen) = (AtomicUsize::new(0), Mutex::new(Seen::default()));
    let work = || -> std::io::Result<()> {
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut hits = BTreeSet::new();
            let bytes = scanner.scan_file(path, &mut |n| {
                hits.insert(n);
            })?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let parts = name.split(|c: char| !c.is_ascii_alphanumeric());
            let named = parts.filter(|part| names.contains(*part)).count();
            let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            seen.bytes += bytes;
            let here = (hits.len() + named) as u64;
            seen.hits += here;
            if here > 0 && seen.first.is_none() {
                seen.first = Some(path.clone());
            }
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let results: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        all.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    for result in results {
        result.map_err(|_| std::io::Error::other("the search broke off"))??;
    }
    Ok(seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// How many patients the same search finds in their own files at the hospital.
struct Control {
    sampled: usize,
    /// Of the kind that is found least.
    least: usize,
}

fn control(world: &World, scanner: &Scanner) -> Result<Control, Failure> {
    let patients = &world.truth.patients;
    let every = patients.len().div_ceil(SAMPLE).max(1);
    let (mut sampled, mut found, mut could) = (0, [0usize; KINDS.len()], [0usize; KINDS.len()]);
    for patient in patients.iter().step_by(every) {
        let mut files = Vec::new();
        collect(&patient.directory(&world.hospitals()), &mut files)?;
        let mut hits = BTreeSet::new();
        for file in &files {
            scanner.scan_file(file, &mut |n| {
                hits.insert(n);
            })?;
        }
        sampled += 1;
        for (at, kind) in KINDS.iter().enumerate() {
            let mine = of(patient, *kind);
            // Two characters each in a short encoding are too short to be looked for, and a file names the id itself.
            could[at] += usize::from(!(mine.is_empty() || (*kind == Kind::Name && patient.is("still_baby"))));
            found[at] += usize::from(mine.iter().filter_map(|p| scanner.number(p)).any(|n| hits.contains(&n)));
        }
    }
    // Scaled to the sample: of some patients an id or a name is too short to be looked for.
    let least = (0..KINDS.len()).map(|at| (found[at] * sampled).checked_div(could[at]).unwrap_or(0)).min().unwrap_or(0);
    Ok(Control { sampled, least: least.min(sampled) })
}
