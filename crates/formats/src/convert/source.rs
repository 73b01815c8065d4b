use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use messages::{Finding, Message as Text, Place, Severity};

use super::ConvertError;
use crate::{Member, ReadError};

/// What is read, and the links in it that were passed over.
pub struct Source {
    kind: Kind,
    links: RefCell<BTreeSet<String>>,
    /// Where a tar breaks off: its last file, empty where it has none.
    broken: Cell<Option<String>>,
}

/// What is read: it can be walked more than once.
enum Kind {
    /// A directory.
    Directory(PathBuf),
    /// A file that is no tar: the one member.
    File(PathBuf),
    /// A tar file.
    Tar(PathBuf),
    /// A copy of a stream that could be read only once; removed with this value.
    Copy(PathBuf),
}

type Visit<'v> = dyn FnMut(Member<'_>) -> Result<(), ReadError> + 'v;

impl Source {
    /// Opens a directory, a tar file, or a stream (`-`, a pipe), which is copied into `out_dir` first.
    pub fn open(path: &Path, out_dir: &Path) -> Result<Self, ConvertError> {
        let read = |source| ConvertError::Read { path: path.to_owned(), source };
        if path == Path::new("-") {
            return Self::copy(&mut io::stdin().lock(), path, out_dir);
        }
        let kind = fs::metadata(path).map_err(read)?;
        let of = |kind| Source { kind, links: RefCell::default(), broken: Cell::default() };
        if kind.is_dir() {
            Ok(of(Kind::Directory(path.to_owned())))
        } else if kind.is_file() {
            let mut head = Vec::new();
            fs::File::open(path).and_then(|f| f.take(512).read_to_end(&mut head)).map_err(read)?;
            // A tar says so in its first header; one of old systems is known by its name.
            let tar = head.get(257..262) == Some(b"ustar") || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tar"));
            Ok(of(if tar { Kind::Tar(path.to_owned()) } else { Kind::File(path.to_owned()) }))
        } else {
            Self::copy(&mut fs::File::open(path).map_err(read)?, path, out_dir)
        }
    }

    fn copy(stream: &mut dyn Read, path: &Path, out_dir: &Path) -> Result<Self, ConvertError> {
        let target = out_dir.join(".stream.tar");
        let write = |source| ConvertError::Write { path: target.clone(), source };
        let mut file = fs::File::create_new(&target).map_err(write)?;
        let copy = Source { kind: Kind::Copy(target.clone()), links: RefCell::default(), broken: Cell::default() };
        io::copy(stream, &mut file).map_err(|source| ConvertError::Read { path: path.to_owned(), source })?;
        Ok(copy)
    }

    /// Findings about links, once it was walked, because what they lead to was not read; and about a tar that breaks off.
    pub fn findings(&self) -> Vec<Finding> {
        let finding = |path: &String, code| Finding {
            severity: Severity::Error,
            message: Text::new(code),
            place: Place { file: Some(path.clone()).filter(|path| !path.is_empty()), segment: None, field: None },
        };
        let broken = self.broken.take();
        self.broken.set(broken.clone());
        let links = self.links.borrow();
        links
            .iter()
            .map(|path| finding(path, "formats-link"))
            .chain(broken.iter().map(|path| finding(path, "formats-tar-broken")))
            .collect()
    }

    /// Whether it is a tar that breaks off: what came before was read.
    pub fn is_broken(&self) -> bool {
        let broken = self.broken.take();
        let is = broken.is_some();
        self.broken.set(broken);
        is
    }

    /// Visits every file: of a directory in the order of names, of a tar in its own.
    pub fn walk(&self, visit: &mut Visit<'_>) -> Result<(), ConvertError> {
        match &self.kind {
            Kind::Directory(path) => directory(path, "", &mut 0, visit, &self.links),
            Kind::File(path) => {
                let read = |source| ConvertError::Read { path: path.clone(), source };
                let mut file = fs::File::open(path).map_err(read)?;
                let size = file.metadata().map_err(read)?.len();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Ok(visit(Member { path: &name, payload: 1, ordinal: 0, size, content: &mut file })?)
            }
            Kind::Tar(path) | Kind::Copy(path) => self.tar(path, visit),
        }
    }
}

impl Source {
    /// A tar that breaks off gives what is before the break.
    fn tar(&self, path: &Path, visit: &mut Visit<'_>) -> Result<(), ConvertError> {
        let read = |source| ConvertError::Read { path: path.to_owned(), source };
        let file = fs::File::open(path).map_err(read)?;
        let mut archive = ::tar::Archive::new(io::BufReader::with_capacity(1 << 18, file));
        let mut last = String::new();
        for (ordinal, entry) in archive.entries().map_err(read)?.enumerate() {
            let mut entry = match entry {
                Ok(entry) => entry,
                // The first header is none: it is no tar.
                Err(error) if ordinal == 0 => return Err(read(error)),
                Err(_) => {
                    self.broken.set(Some(last));
                    return Ok(());
                }
            };
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            if !kind.is_file() {
                if kind.is_symlink() || kind.is_hard_link() {
                    self.links.borrow_mut().insert(name);
                }
                continue;
            }
            let size = entry.size();
            match visit(Member { path: &name, payload: 1, ordinal: ordinal as u64, size, content: &mut entry }) {
                Err(ReadError::Input { source, .. }) if source.kind() == io::ErrorKind::UnexpectedEof => {
                    self.broken.set(Some(name));
                    return Ok(());
                }
                other => other?,
            }
            last = name;
        }
        Ok(())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Kind::Copy(path) = &self.kind {
            let _ = fs::remove_file(path);
        }
    }
}

fn directory(
    path: &Path,
    below: &str,
    ordinal: &mut u64,
    visit: &mut Visit<'_>,
    links: &RefCell<BTreeSet<String>>,
) -> Result<(), ConvertError> {
    let read = |path: &Path| {
        let path = path.to_owned();
        move |source| ConvertError::Read { path, source }
    };
    let entries: Result<Vec<_>, _> = fs::read_dir(path).map_err(read(path))?.collect();
    let mut entries = entries.map_err(read(path))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let relative = match below {
            "" => name.to_string_lossy().into_owned(),
            below => [below, "/", &name.to_string_lossy()].concat(),
        };
        let kind = entry.file_type().map_err(read(&entry.path()))?;
        if kind.is_dir() {
            directory(&entry.path(), &relative, ordinal, visit, links)?;
        } else if kind.is_file() {
            let mut file = fs::File::open(entry.path()).map_err(read(&entry.path()))?;
            let size = file.metadata().map_err(read(&entry.path()))?.len();
            visit(Member { path: &relative, payload: 1, ordinal: *ordinal, size, content: &mut file })?;
            *ordinal += 1;
        } else {
            links.borrow_mut().insert(relative);
        }
    }
    Ok(())
}
