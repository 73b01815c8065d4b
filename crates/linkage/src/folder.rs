//! A folder of results: one run at a time, files that appear whole, and what is done where a run was stopped halfway.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::LinkageError;

/// Held while a run works in the folder; the operating system lets go of it when the run ends, however it ends.
pub(crate) struct Lock {
    _file: File,
    /// Whether nobody else can hold it: some file systems know no locks.
    alone: bool,
}

pub(crate) fn lock(folder: &Path) -> Result<Lock, LinkageError> {
    let file = File::create(folder.join("lock")).map_err(|_| LinkageError::FileUnwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file, alone: true }),
        Err(TryLockError::WouldBlock) => Err(LinkageError::FolderBusy),
        // a file system without locks: as good as it can be
        Err(TryLockError::Error(_)) => Ok(Lock { _file: file, alone: false }),
    }
}

/// A new file that its owner alone may read: tables, reports and state are identity data like the input.
pub(crate) fn create(path: &Path) -> std::io::Result<File> {
    let _ = fs::remove_file(path);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The new state and new words before they are in their places.
pub(crate) const NEW_STATE: &str = "state.new";
pub(crate) const NEW_WORDS: &str = "decisions.new";

/// The report of a run. It is the last file that a run writes before its state is put in place, and the last one put in place behind it, so
/// that a new one says that the others are whole.
const REPORT: &str = "report.json";

/// What a run writes beside its state.
const FILES: [&str; 7] = ["clusters.csv", "links.csv", "review.csv", "history.csv", "splits.csv", "report.html", REPORT];

fn beside(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.new"))
}

/// Whether anything stands in the folder that a run puts in place or takes away before it ends.
pub(crate) fn is_unsettled(folder: &Path) -> bool {
    let files = FILES.iter().map(|name| beside(folder, name)).chain([NEW_STATE, NEW_WORDS].map(|name| folder.join(name)));
    files.into_iter().any(|path| path.exists())
}

/// Ends what a run began that was stopped (a signal, a fault of the machine): where its state is in place, which is the folder's run `run`,
/// its tables follow; otherwise nothing of it stays. Whether tables followed.
pub(crate) fn settle(folder: &Path, lock: &Lock, run: Option<u32>) -> Result<bool, LinkageError> {
    #[derive(Deserialize)]
    struct Said {
        run: u32,
    }
    if !lock.alone {
        return Ok(false);
    }
    let said = fs::read(beside(folder, REPORT)).ok().and_then(|text| serde_json::from_slice::<Said>(&text).ok());
    let whole = said.is_some_and(|said| Some(said.run) == run);
    for name in FILES {
        let new = beside(folder, name);
        if whole && new.exists() {
            fs::rename(&new, folder.join(name)).map_err(|_| LinkageError::FileUnwritable)?;
        } else {
            // mostly there is none
            let _ = fs::remove_file(new);
        }
    }
    for name in [NEW_STATE, NEW_WORDS] {
        let _ = fs::remove_file(folder.join(name));
    }
    Ok(whole)
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
        beside(&self.folder, name)
    }

    pub fn put_in_place(self) -> Result<(), LinkageError> {
        for name in self.names.take() {
            fs::rename(beside(&self.folder, name), self.folder.join(name)).map_err(|_| LinkageError::FileUnwritable)?;
        }
        Ok(())
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        for name in self.names.take() {
            // there is nothing to remove where writing failed at once
            let _ = fs::remove_file(beside(&self.folder, name));
        }
    }
}
