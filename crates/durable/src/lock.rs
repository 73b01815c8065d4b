use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// The right to be the only writer, held as long as this value lives. It is an advisory lock on a file: a process
/// that dies gives it back.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`, making the file where there is none; `None` when another process holds it.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub fn exclusive(path: &Path) -> io::Result<Option<Lock>> {
        Lock::of(OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?)
    }

    /// Takes the lock on an open file; `None` when another process holds it.
    ///
    /// # Errors
    /// When the file cannot be locked.
    pub fn of(file: File) -> io::Result<Option<Lock>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("lock");
        let first = Lock::exclusive(&path).expect("lockable");
        assert!(first.is_some());
        assert!(Lock::exclusive(&path).expect("lockable").is_none());
        drop(first);
        assert!(Lock::exclusive(&path).expect("lockable").is_some());
    }
}
