use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::failpoint::{self, failpoint};

/// The directory that an entry stands in; the current one for a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Makes the entries of a directory (new, renamed, removed names) durable.
///
/// # Errors
/// As of opening and syncing the directory.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    failpoint("sync_dir")?;
    File::open(dir)?.sync_all()?;
    failpoint::dir_synced(dir);
    failpoint("sync_dir.after")
}

/// Makes a directory and its missing parents, durable when this returns. A directory that is there already is fine.
///
/// # Errors
/// As of making the directories.
pub fn create_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    create_dir(parent(dir))?;
    failpoint("create_dir")?;
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        other => {
            other?;
            failpoint::created(dir);
        }
    }
    sync_dir(parent(dir))
}

/// Moves a file or a directory and makes both names durable. A file at `to` is replaced.
///
/// # Errors
/// As of the rename and of syncing the directories.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    failpoint("rename")?;
    failpoint::renaming(from, to)?;
    fs::rename(from, to)?;
    failpoint("rename.after")?;
    sync_dir(parent(to))?;
    if parent(from) != parent(to) {
        sync_dir(parent(from))?;
    }
    Ok(())
}

/// Removes a file, durable when this returns. A file that is not there is fine.
///
/// # Errors
/// As of the removal and of syncing the directory.
pub fn remove_file(path: &Path) -> io::Result<()> {
    failpoint("remove")?;
    failpoint::removing(path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    sync_dir(parent(path))
}

/// Removes a directory with everything in it, durable when this returns. One that is not there is fine. Of a link only the
/// link goes, wherever it leads. A crash leaves all, a part, or nothing of it.
///
/// # Errors
/// As of the removals and of syncing the directory around it.
pub fn remove_tree(dir: &Path) -> io::Result<()> {
    failpoint("remove_tree")?;
    match fs::symlink_metadata(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(found) if !found.is_dir() => return remove_file(dir),
        Ok(_) => {}
        Err(error) => return Err(error),
    }
    if failpoint::removing_tree(dir)? {
        failpoint("remove_tree.part")?;
    } else {
        empty_tree(dir)?;
        // Of a link that was put here meanwhile this makes an error.
        fs::remove_dir(dir)?;
    }
    sync_dir(parent(dir))
}

/// Removes what is in a directory. It is opened once and its entries are named within it, so that nobody who may write beside
/// it leads the removal elsewhere by putting a link in its place.
fn empty_tree(dir: &Path) -> io::Result<()> {
    use std::ffi::OsStr;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::ffi::OsStrExt as _;

    use rustix::fs::{AtFlags, Mode, OFlags};
    let open = rustix::fs::open(dir, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    for entry in rustix::fs::Dir::read_from(&open)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = rustix::fs::statat(&open, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir() {
            // The system's own name of the open directory; the removal below it does not follow links either.
            let within = format!("/proc/self/fd/{}", open.as_raw_fd());
            fs::remove_dir_all(Path::new(&within).join(OsStr::from_bytes(name.to_bytes())))?;
        } else {
            rustix::fs::unlinkat(&open, name, AtFlags::empty())?;
        }
        failpoint("remove_tree.part")?;
    }
    Ok(())
}

/// Writes a whole file so that a crash leaves either the old content or the new, never a part. Readable by the owner
/// alone.
///
/// # Errors
/// As of writing; the old content stands then.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    // What a crash left behind here was never promoted.
    if beside.symlink_metadata().is_ok() {
        fs::remove_file(&beside)?;
    }
    let mut file = NewFile::create(&beside)?;
    file.write_all(bytes)?;
    file.finish()?;
    rename(&beside, path)
}

/// A file that is being written for the first time. Durable after [`NewFile::finish`]; removed when dropped before.
pub struct NewFile {
    file: Option<File>,
    path: PathBuf,
}

impl NewFile {
    /// Makes a file that must not exist yet, readable by the owner alone.
    ///
    /// # Errors
    /// As of making the file; [`io::ErrorKind::AlreadyExists`] when there is one.
    pub fn create(path: &Path) -> io::Result<NewFile> {
        failpoint("create")?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        failpoint::created(path);
        Ok(NewFile { file: Some(file), path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes content and name durable.
    ///
    /// # Errors
    /// As of syncing; the file is removed then.
    pub fn finish(mut self) -> io::Result<()> {
        failpoint("fsync")?;
        if let Some(file) = self.file.as_ref() {
            file.sync_all()?;
        }
        failpoint::file_synced(&self.path);
        failpoint("fsync.after")?;
        sync_dir(parent(&self.path))?;
        self.file = None;
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        failpoint("write")?;
        match self.file.as_mut() {
            Some(file) => file.write(bytes),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Best effort: what stays is swept at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_write_replaces_the_whole_file_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("keyring");
        write_atomic(&path, b"first").expect("written");
        fs::write(dir.path().join("keyring.new"), b"left by a crash").expect("written");
        write_atomic(&path, b"second").expect("written");
        assert_eq!(fs::read(&path).expect("readable"), b"second");
        assert_eq!(fs::read_dir(dir.path()).expect("listable").count(), 1);
    }

    #[test]
    fn a_tree_is_removed_whole_and_one_that_is_not_there_is_fine() {
        let dir = tempfile::tempdir().expect("a directory");
        let tree = dir.path().join("tree");
        create_dir(&tree.join("a/b")).expect("made");
        fs::write(tree.join("a/b/c"), "c").expect("written");
        fs::write(tree.join("d"), "d").expect("written");
        remove_tree(&tree).expect("removed");
        assert!(!tree.exists());
        remove_tree(&tree).expect("nothing to remove");
    }

    #[test]
    fn of_a_link_to_a_directory_only_the_link_is_removed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (theirs, link, tree) = (dir.path().join("theirs"), dir.path().join("link"), dir.path().join("tree"));
        create_dir(&theirs).expect("made");
        fs::write(theirs.join("kept"), "kept").expect("written");
        std::os::unix::fs::symlink(&theirs, &link).expect("linked");
        remove_tree(&link).expect("removed");
        assert!(link.symlink_metadata().is_err() && theirs.join("kept").exists());
        create_dir(&tree).expect("made");
        std::os::unix::fs::symlink(&theirs, tree.join("inside")).expect("linked");
        remove_tree(&tree).expect("removed");
        assert!(!tree.exists() && theirs.join("kept").exists());
    }

    #[test]
    fn a_file_that_was_not_finished_is_gone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("half");
        let mut file = NewFile::create(&path).expect("made");
        file.write_all(b"half").expect("written");
        drop(file);
        assert!(!path.exists());
        NewFile::create(&path).expect("made").finish().expect("finished");
        assert!(path.exists());
        assert!(NewFile::create(&path).is_err(), "a finished file is never overwritten");
    }
}
