use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::vec;

use crate::PackageError;

/// Deeper than any tree of the formats that we know.
const DEEPEST: usize = 48;

/// A file of a tree.
pub struct Found {
    /// Its path within the tree.
    pub path: PathBuf,
    /// Its path.
    pub full: PathBuf,
    /// Its size in bytes when it was found.
    pub size: u64,
}

impl Found {
    /// Opens it, no link followed.
    ///
    /// # Errors
    /// [`PackageError::TreeChanged`] when it is no longer the regular file of its size, or as of opening.
    pub fn open(&self) -> Result<File, PackageError> {
        let nofollow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
        let file = OpenOptions::new().read(true).custom_flags(nofollow).open(&self.full)?;
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.len() == self.size { Ok(file) } else { Err(PackageError::TreeChanged) }
    }
}

/// Every file of a directory tree, depth first, each directory sorted by the bytes of its names. Holds the names of one directory a level in
/// memory, whatever the size of the tree.
pub struct Walk {
    root: PathBuf,
    open: Vec<(PathBuf, vec::IntoIter<fs::DirEntry>)>,
    done: bool,
}

impl Walk {
    /// Begins at a directory.
    ///
    /// # Errors
    /// [`PackageError::TreeSymlink`], [`PackageError::TreeSpecial`], or as of reading the directory.
    pub fn new(root: &Path) -> Result<Walk, PackageError> {
        let kind = root.symlink_metadata().map_err(PackageError::file(root))?.file_type();
        if kind.is_symlink() {
            return Err(PackageError::TreeSymlink { root: root.to_owned() });
        }
        if !kind.is_dir() {
            return Err(PackageError::TreeSpecial { root: root.to_owned() });
        }
        let mut walk = Walk { root: root.to_owned(), open: Vec::new(), done: false };
        walk.enter(PathBuf::new())?;
        Ok(walk)
    }

    /// Paths in the tree can name people, so that errors name its root alone.
    fn failed(&self, source: std::io::Error) -> PackageError {
        PackageError::File { path: self.root.clone(), source }
    }

    fn enter(&mut self, relative: PathBuf) -> Result<(), PackageError> {
        if self.open.len() >= DEEPEST {
            return Err(self.failed(std::io::Error::other("directories nested deeper than 48 levels")));
        }
        let entries: Result<Vec<_>, _> =
            fs::read_dir(self.root.join(&relative)).and_then(Iterator::collect).map_err(|e| self.failed(e));
        let mut entries = entries?;
        entries.sort_by_cached_key(|entry| entry.file_name().into_encoded_bytes());
        self.open.push((relative, entries.into_iter()));
        Ok(())
    }

    fn step(&mut self) -> Result<Option<Found>, PackageError> {
        loop {
            let Some((relative, entries)) = self.open.last_mut() else { return Ok(None) };
            let Some(entry) = entries.next() else {
                self.open.pop();
                continue;
            };
            let path = relative.join(entry.file_name());
            let kind = entry.file_type().map_err(|e| self.failed(e))?;
            if kind.is_symlink() {
                return Err(PackageError::TreeSymlink { root: self.root.clone() });
            }
            if kind.is_dir() {
                self.enter(path)?;
            } else if kind.is_file() {
                let size = entry.metadata().map_err(|e| self.failed(e))?.len();
                return Ok(Some(Found { path, full: entry.path(), size }));
            } else {
                return Err(PackageError::TreeSpecial { root: self.root.clone() });
            }
        }
    }
}

impl Iterator for Walk {
    type Item = Result<Found, PackageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let found = self.step().transpose();
        self.done = !matches!(found, Some(Ok(_)));
        found
    }
}
