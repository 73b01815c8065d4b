//! A folder of results: one run at a time, and files that appear whole.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::LinkageError;

/// Held while a run works in the folder; the operating system lets go of it when the run ends, however it ends.
pub(crate) fn lock(folder: &Path) -> Result<File, LinkageError> {
    let file = File::create(folder.join("lock")).map_err(|_| LinkageError::FileUnwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LinkageError::FolderBusy),
        // a file system without locks: as good as it can be
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Files that stand beside the old ones until all are written. What was not put in place is removed.
pub(crate) struct NewFiles {
    folder: PathBuf,
    names: std::cell::RefCell<Vec<&'static str>>,
}

impl NewFiles {
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), names: std::cell::RefCell::default() }
    }

    /// Where to write a file for now.
    pub fn path(&self, name: &'static str) -> PathBuf {
        self.names.borrow_mut().push(name);
        self.beside(name)
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.new"))
    }

    pub fn put_in_place(self) -> Result<(), LinkageError> {
        for name in self.names.take() {
            fs::rename(self.beside(name), self.folder.join(name)).map_err(|_| LinkageError::FileUnwritable)?;
        }
        Ok(())
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        for name in self.names.take() {
            // there is nothing to remove where writing failed at once
            let _ = fs::remove_file(self.beside(name));
        }
    }
}
