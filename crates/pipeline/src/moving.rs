//! A finished package on its way to where somebody fetches it, and what a crash or a stuck outbox leaves of that.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use messages::Message;

use crate::error::Error;

/// What became of a package that was to be moved to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// It stands there, or stood there and was fetched.
    Done,
    /// It stands neither where it was made nor in its place, and nothing says that it ever was in its place.
    Lost,
}

/// How far a package is that is to go to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It has not gone: it stands where it was made, or as a copy beside its place.
    Here,
    /// It stands in its place, or stood there and was fetched.
    Gone,
    /// It was copied to a disk that is not there now: nobody can say whether it went.
    Unknown,
    /// As of [`Move::Lost`].
    Lost,
}

/// How far a package is. Beside a copy on another disk lies a note: where it is not seen, that is not the disk, whatever is mounted there
/// now.
pub(crate) fn way(from: &Path, to: &Path) -> Way {
    let copied = with_ending(from, COPIED).is_dir();
    if from.is_dir() || (copied && with_ending(to, PART).is_dir()) {
        Way::Here
    } else if copied {
        if with_ending(to, PLACING).exists() { Way::Gone } else { Way::Unknown }
    } else if to.is_dir() || with_ending(from, MOVING).exists() {
        Way::Gone
    } else {
        Way::Lost
    }
}

/// Moves a finished package to where somebody fetches it, replacing what an earlier try left there. A mark beside it says that the
/// move has begun: with it, what is in neither place has been moved and fetched; without it, it was lost.
///
/// An outbox may be a disk of its own. Then it is copied beside its place, with a note, and the original goes under another name before
/// the copy goes to its place: what a crash leaves tells how far it was, and nothing is put there twice or by half.
///
/// # Errors
/// When the move fails; a refusal when the disk is not there that it was copied to.
pub(crate) fn put_in_place(from: &Path, to: &Path) -> Result<Move, Error> {
    let trouble = || Error::io(to.display().to_string());
    let (mark, copied, part) = (with_ending(from, MOVING), with_ending(from, COPIED), with_ending(to, PART));
    match way(from, to) {
        Way::Lost => return Ok(Move::Lost),
        Way::Unknown => return Err(Error::refused(away(from, to))),
        Way::Gone => {}
        Way::Here if !from.is_dir() => replace_by(&part, to)?,
        Way::Here => {
            if !mark.exists() {
                let trouble = || Error::io(mark.display().to_string());
                durable::NewFile::create(&mark).map_err(trouble())?.finish().map_err(trouble())?;
            }
            let moved = match renamed(from, to) {
                Err(error) if error.kind() == ErrorKind::CrossesDevices => copied_over(from, to, &copied, &part),
                other => other,
            };
            // What still stands has not gone: were it to vanish now, it would be lost.
            if moved.is_err() && from.is_dir() {
                durable::remove_file(&mark).map_err(trouble())?;
            }
            moved.map_err(trouble())?;
        }
    }
    durable::remove_tree(&copied).map_err(trouble())?;
    let note = with_ending(to, PLACING);
    if note.exists() {
        durable::remove_tree(&note).map_err(trouble())?;
    }
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
    let note = with_ending(to, PLACING);
    durable::remove_tree(&note)?;
    durable::NewFile::create(&note)?.finish()?;
    durable::remove_tree(copied)?;
    durable::rename(from, copied)?;
    durable::rename(part, to)
}

/// What is told when the disk is not there that a package was copied to, and how to go on when it is gone for good: under its former name
/// the original is put there anew, or taken back.
pub(crate) fn away(from: &Path, to: &Path) -> Message {
    let copied = with_ending(from, COPIED);
    Message::new("core-outbox-away").with("path", to.display()).with("copied", copied.display()).with("original", from.display())
}

/// Removes a package that is not to go to its place any more, with what a broken move left of it: as much as can be.
///
/// # Errors
/// The first thing that cannot be removed.
pub(crate) fn take_back(from: &Path, to: &Path) -> Result<(), Error> {
    // The copy first, the mark last: what stays is still known for what it is.
    let (part, note) = (with_ending(to, PART), with_ending(to, PLACING));
    let mut taken = Ok(());
    for path in [part, note, with_ending(from, COPIED), from.to_owned(), with_ending(from, MOVING)] {
        // An outbox that is no directory holds nothing.
        if path.symlink_metadata().is_err_and(|e| matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)) {
            continue;
        }
        taken = taken.and(durable::remove_tree(&path).map_err(Error::io(path.display().to_string())));
    }
    taken
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

/// Ending of the note beside its place that says which disk a copy is on.
pub(crate) const PLACING: &str = ".placing";

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
        assert!(put_in_place(&from, &to).is_err() && way(&from, &to) == Way::Here);
        fs::remove_dir_all(&from).expect("removed");
        fs::remove_file(dir.path().join("outbox")).expect("removed");
        assert_eq!(put_in_place(&from, &to).expect("told"), Move::Lost);
        package(dir.path());
        assert_eq!(put_in_place(&from, &to).expect("moved"), Move::Done);
        assert_eq!((content(&to).as_str(), way(&from, &to)), ("sealed", Way::Gone));
        fs::remove_dir_all(&to).expect("fetched");
        assert_eq!(put_in_place(&from, &to).expect("told"), Move::Done, "the mark says that it was there");
    }

    #[test]
    fn a_copy_on_another_disk_is_whole_and_one_on_a_disk_that_is_not_there_is_not_taken_for_fetched() {
        let dir = tempfile::tempdir().expect("a directory");
        let (from, to) = (package(dir.path()), dir.path().join("outbox/x.azp"));
        // As a kill leaves it between the copy and its place, with the other disk not mounted, or another one in its place.
        fs::create_dir(dir.path().join("outbox")).expect("made");
        fs::rename(&from, with_ending(&from, COPIED)).expect("renamed");
        let refused = put_in_place(&from, &to).expect_err("nobody can say");
        assert_eq!((refused.code(), way(&from, &to)), ("core-outbox-away", Way::Unknown));
        // Gone for good: under its former name it goes on.
        fs::rename(with_ending(&from, COPIED), &from).expect("renamed");
        assert_eq!(way(&from, &to), Way::Here);
        fs::rename(&from, with_ending(&from, COPIED)).expect("renamed");
        // Mounted again: not gone yet, then gone.
        fs::create_dir(with_ending(&to, PART)).expect("mounted");
        fs::write(with_ending(&to, PLACING), "").expect("mounted");
        assert_eq!(way(&from, &to), Way::Here);
        fs::rename(with_ending(&to, PART), &to).expect("renamed");
        assert_eq!(way(&from, &to), Way::Gone);
        fs::remove_dir(&to).expect("fetched");
        assert_eq!(way(&from, &to), Way::Gone, "the note says that it was put there");
        fs::write(with_ending(&from, MOVING), "").expect("begun");
        assert_eq!(put_in_place(&from, &to).expect("told"), Move::Done);
        assert!(!with_ending(&to, PLACING).exists() && !with_ending(&from, COPIED).exists() && !to.exists(), "once");
        moved(&from).expect("forgotten");
        assert_eq!(way(&from, &to), Way::Lost);
    }

    #[test]
    fn a_copy_over_disks_broken_off_anywhere_is_there_once() {
        let dir = tempfile::tempdir().expect("a directory");
        // Memory is another disk than where the tests work on most machines; where it is not, there is nothing to see.
        let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
        let (from, to) = (package(dir.path()), other.path().join("x.azp"));
        if fs::rename(&from, other.path().join("probe")).is_ok() {
            return;
        }
        assert_eq!(put_in_place(&from, &to).expect("copied"), Move::Done);
        assert_eq!(content(&to), "sealed");
        assert!(!with_ending(&from, COPIED).exists() && !with_ending(&to, PART).exists() && !with_ending(&to, PLACING).exists());
        // Killed before the copy went to its place, and after: it is there once, and not put there again when it was fetched.
        let killed = || {
            fs::create_dir(with_ending(&from, COPIED)).expect("made");
            fs::write(with_ending(&to, PLACING), "").expect("written");
        };
        fs::rename(&to, with_ending(&to, PART)).expect("renamed");
        killed();
        assert_eq!(way(&from, &to), Way::Here);
        assert_eq!(put_in_place(&from, &to).expect("put"), Move::Done);
        assert_eq!(content(&to), "sealed");
        fs::remove_dir_all(&to).expect("fetched");
        killed();
        assert_eq!(put_in_place(&from, &to).expect("told"), Move::Done);
        assert!(!to.exists(), "once");
        // Taken back before it went: nothing stays on either disk.
        killed();
        fs::create_dir(with_ending(&to, PART)).expect("made");
        take_back(&from, &to).expect("taken back");
        let left = |dir: &Path| fs::read_dir(dir).expect("there").count();
        assert_eq!((left(other.path()), left(&dir.path().join("pending"))), (0, 0));
    }
}
