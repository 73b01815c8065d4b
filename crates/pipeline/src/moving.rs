//! A finished package on its way to where somebody fetches it, and what a crash or a stuck outbox leaves of that.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// What became of a package that was to be moved to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// It stands there, or stood there and was fetched.
    Done,
    /// It stands neither where it was made nor in its place, and nothing says that it ever was in its place.
    Lost,
}

/// Moves a finished package to where somebody fetches it, replacing what an earlier try left there. A mark beside it says that the
/// move has begun: with it, what is in neither place has been moved and fetched; without it, it was lost.
///
/// An outbox may be a disk of its own. Then it is copied beside its place, and the original goes under another name before the copy
/// goes to its place: what a crash leaves tells how far it was, and nothing is put there twice or by half.
///
/// # Errors
/// When the move fails.
pub(crate) fn put_in_place(from: &Path, to: &Path) -> Result<Move, Error> {
    let trouble = || Error::io(to.display().to_string());
    let (mark, copied, part) = (with_ending(from, MOVING), with_ending(from, COPIED), with_ending(to, PART));
    if !from.is_dir() {
        if copied.is_dir() {
            if same_disk(&copied, to) {
                let gone = std::io::Error::new(ErrorKind::NotFound, "the disk that a copy was put on is not there");
                return Err(trouble()(gone));
            }
            if part.is_dir() {
                replace_by(&part, to)?;
            }
            durable::remove_tree(&copied).map_err(trouble())?;
            return Ok(Move::Done);
        }
        return Ok(if to.is_dir() || mark.exists() { Move::Done } else { Move::Lost });
    }
    if !mark.exists() {
        let trouble = || Error::io(mark.display().to_string());
        durable::NewFile::create(&mark).map_err(trouble())?.finish().map_err(trouble())?;
    }
    let moved = match renamed(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => copied_over(from, to, &copied, &part),
        other => other,
    };
    // What still stands has not gone: were it to vanish now, it would be lost.
    if moved.is_err() && from.is_dir() {
        durable::remove_file(&mark).map_err(trouble())?;
    }
    moved.map_err(trouble())?;
    Ok(Move::Done)
}

fn copied_over(from: &Path, to: &Path, copied: &Path, part: &Path) -> std::io::Result<()> {
    durable::remove_tree(part)?;
    durable::create_dir(part)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let mut copy = durable::NewFile::create(&part.join(path.file_name().unwrap_or_default()))?;
        std::io::copy(&mut std::fs::File::open(&path)?, &mut copy)?;
        copy.finish()?;
    }
    durable::remove_tree(copied)?;
    durable::rename(from, copied)?;
    durable::rename(part, to)?;
    durable::remove_tree(copied)
}

/// Whether a package that is to go to `to` has not gone there yet.
pub(crate) fn stands(from: &Path, to: &Path) -> bool {
    let copied = with_ending(from, COPIED);
    from.is_dir() || (copied.is_dir() && (with_ending(to, PART).is_dir() || same_disk(&copied, to)))
}

/// Whether the place of `to` is on the disk where `here` is: after a copy to another disk, that disk is not mounted then.
fn same_disk(here: &Path, to: &Path) -> bool {
    let disk = |path: &Path| std::fs::metadata(path).ok().map(|m| m.dev());
    to.parent().and_then(disk).is_none_or(|there| Some(there) == disk(here))
}

/// Removes a package that is not to go to its place any more, with what a broken move left of it.
///
/// # Errors
/// When something cannot be removed.
pub(crate) fn take_back(from: &Path, to: &Path) -> Result<(), Error> {
    let part = Some(with_ending(to, PART)).filter(|part| part.is_dir());
    for path in part.into_iter().chain([with_ending(from, COPIED), from.to_owned(), with_ending(from, MOVING)]) {
        durable::remove_tree(&path).map_err(Error::io(path.display().to_string()))?;
    }
    Ok(())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Forgets that a package was moved, once the ledger says so.
///
/// # Errors
/// When the mark cannot be removed.
pub(crate) fn moved(from: &Path) -> Result<(), Error> {
    durable::remove_file(&with_ending(from, MOVING)).map_err(Error::io(from.display().to_string()))
}

/// What a transaction promised and could not be done yet; the next command tries again.
#[derive(Debug)]
pub struct Stuck {
    /// Id of the row of the ledger's outbox.
    pub id: String,
    /// What stands in the way.
    pub error: Error,
}

/// Says what could not be done now and is tried again by the next command.
pub(crate) fn warn_of<'a>(stuck: impl IntoIterator<Item = &'a Error>) {
    for error in stuck {
        tracing::warn!(code = error.code(), %error, "something could not be moved or removed; it is tried again by the next command");
    }
}

/// Ending of the mark of a package that is being moved.
pub(crate) const MOVING: &str = ".moving";
/// Ending of a package that was copied to another disk, and whose copy goes to its place next.
pub(crate) const COPIED: &str = ".copied";
/// Ending of such a copy beside its place.
pub(crate) const PART: &str = ".part";

/// Puts a directory in the place of another, or where none is.
///
/// # Errors
/// When the move fails, also because there is nothing to move.
pub(crate) fn replace_by(from: &Path, to: &Path) -> Result<(), Error> {
    renamed(from, to).map_err(Error::io(to.display().to_string()))
}

fn renamed(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(parent) = to.parent() {
        durable::create_dir(parent)?;
    }
    durable::remove_tree(to)?;
    durable::rename(from, to)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn package(dir: &Path) -> PathBuf {
        let from = dir.join("pending/x.azp");
        fs::create_dir_all(&from).expect("made");
        fs::write(from.join("manifest.p7m"), "sealed").expect("written");
        from
    }

    fn content(to: &Path) -> String {
        fs::read_to_string(to.join("manifest.p7m")).expect("whole")
    }

    #[test]
    fn what_could_not_be_moved_and_vanishes_is_lost_and_what_was_fetched_is_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let (from, to) = (package(dir.path()), dir.path().join("outbox/x.azp"));
        fs::write(dir.path().join("outbox"), "in the way").expect("written");
        assert!(put_in_place(&from, &to).is_err() && stands(&from, &to));
        fs::remove_dir_all(&from).expect("removed");
        fs::remove_file(dir.path().join("outbox")).expect("removed");
        assert_eq!(put_in_place(&from, &to).expect("told"), Move::Lost);
        package(dir.path());
        assert_eq!(put_in_place(&from, &to).expect("moved"), Move::Done);
        assert_eq!((content(&to).as_str(), stands(&from, &to)), ("sealed", false));
        fs::remove_dir_all(&to).expect("fetched");
        assert_eq!(put_in_place(&from, &to).expect("told"), Move::Done, "the mark says that it was there");
    }

    #[test]
    fn a_copy_on_another_disk_is_whole_and_one_on_a_disk_that_is_not_there_is_not_taken_for_fetched() {
        let dir = tempfile::tempdir().expect("a directory");
        let (from, to) = (package(dir.path()), dir.path().join("outbox/x.azp"));
        // As a kill leaves it between the copy and its place, with the other disk not mounted.
        fs::create_dir(dir.path().join("outbox")).expect("made");
        fs::rename(&from, with_ending(&from, COPIED)).expect("renamed");
        assert!(put_in_place(&from, &to).is_err() && stands(&from, &to));
        take_back(&from, &to).expect("taken back");
        assert!(!stands(&from, &to));
        // Memory is another disk than where the tests work on most machines; where it is not, there is nothing to see.
        let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
        let disk = |path: &Path| fs::metadata(path).expect("there").dev();
        if disk(other.path()) == disk(dir.path()) {
            return;
        }
        let (from, to) = (package(dir.path()), other.path().join("x.azp"));
        assert_eq!(put_in_place(&from, &to).expect("copied"), Move::Done);
        assert_eq!(content(&to), "sealed");
        assert!(!with_ending(&from, COPIED).exists() && !with_ending(&to, PART).exists());
        // Killed before the copy went to its place, and after: it is there once, and not put there again when it was fetched.
        fs::rename(&to, with_ending(&to, PART)).expect("renamed");
        fs::create_dir(with_ending(&from, COPIED)).expect("made");
        assert!(stands(&from, &to));
        assert_eq!(put_in_place(&from, &to).expect("put"), Move::Done);
        assert_eq!(content(&to), "sealed");
        fs::remove_dir_all(&to).expect("fetched");
        fs::create_dir(with_ending(&from, COPIED)).expect("made");
        assert_eq!(put_in_place(&from, &to).expect("told"), Move::Done);
        assert!(!to.exists(), "once");
    }
}
