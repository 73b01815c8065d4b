//! Where the demo lies on the disk.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use messages::Message;

use crate::failure::Failure;

/// The file by which a directory is known as an earlier demo's. It is written first and removed last.
const MARKER: &str = "azekura-demo.txt";

/// What a demo makes in its directory; nothing else is ever removed there.
const PARTS: [&str; 11] =
    ["hospitals", "others", "later", "keys", "outboxes", "profiles", "instance", "received", "reports", "journal", "work"];

/// The directory of a demo.
#[derive(Clone)]
pub struct Place {
    /// The directory itself.
    pub root: PathBuf,
}

impl Place {
    /// Takes a directory: one that is missing or empty, or that an earlier demo made, which goes.
    ///
    /// # Errors
    /// A refusal when the directory holds anything else; when the disk refuses.
    pub fn take(root: &Path) -> Result<Place, Failure> {
        let root = std::path::absolute(root)?;
        let occupied = || Failure::Refused(Message::new("demo-not-ours").with("path", root.display()));
        match fs::read_dir(&root) {
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) if e.kind() == ErrorKind::NotADirectory => return Err(occupied()),
            Err(e) => return Err(e.into()),
            Ok(entries) => {
                let mut names = Vec::new();
                for entry in entries {
                    names.push(entry?.file_name().to_string_lossy().into_owned());
                }
                let ours = names.iter().any(|n| n == MARKER) && names.iter().all(|n| n == MARKER || PARTS.contains(&n.as_str()));
                if !names.is_empty() && !ours {
                    return Err(occupied());
                }
                for name in names.iter().filter(|n| *n != MARKER) {
                    fs::remove_dir_all(root.join(name))?;
                }
            }
        }
        fs::create_dir_all(&root)?;
        fs::write(
            root.join(MARKER),
            format!("Made by azekura {} demo; the next demo replaces it.\n", env!("CARGO_PKG_VERSION")),
        )?;
        let place = Place { root };
        for part in PARTS.iter().filter(|p| **p != "hospitals" && **p != "others" && **p != "later" && **p != "instance") {
            fs::create_dir(place.root.join(part))?;
        }
        fs::create_dir(place.temporary())?;
        Ok(place)
    }

    /// The synthetic hospitals, and the one whose storage is the samples.
    pub fn hospitals(&self) -> PathBuf {
        self.root.join("hospitals")
    }

    /// The hospitals that send samples of the other kinds.
    pub fn others(&self) -> PathBuf {
        self.root.join("others")
    }

    /// What the hospitals send later: the packages that do not hold.
    pub fn later(&self) -> PathBuf {
        self.root.join("later")
    }

    /// Private keys and certificates of everybody.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Packages that a provider made.
    pub fn outbox(&self, provider: &str) -> PathBuf {
        self.root.join("outboxes").join(provider)
    }

    /// Profiles as the committee reads them.
    pub fn profiles(&self) -> PathBuf {
        self.root.join("profiles")
    }

    /// The instance.
    pub fn instance(&self) -> PathBuf {
        self.root.join("instance")
    }

    /// Data sets as the recipient opened them.
    pub fn received(&self, kind: &str) -> PathBuf {
        self.root.join("received").join(kind)
    }

    /// Reports of data sets.
    pub fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }

    /// The journal as it is handed to an auditor.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Temporary files of every program that the demo starts.
    pub fn temporary(&self) -> PathBuf {
        self.work().join("tmp")
    }

    /// Temporary files, copies that are spoilt, and the write-ahead log as it was before the ledger was closed.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// A fresh directory for a copy that is to be spoilt.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn copy(&self, name: &str) -> std::io::Result<PathBuf> {
        let dir = self.work().join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        Ok(dir)
    }
}

/// Copies a directory with everything in it.
///
/// # Errors
/// When the disk refuses.
pub fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_anything_of_somebody_else_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("thesis.txt"), "x").expect("written");
        assert!(Place::take(dir.path()).is_err());
        fs::write(dir.path().join(MARKER), "x").expect("written");
        assert!(Place::take(dir.path()).is_err(), "a marker beside something else is not enough");
        assert!(dir.path().join("thesis.txt").is_file());
    }

    #[test]
    fn an_earlier_demo_is_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let place = Place::take(dir.path()).map_err(|f| f.text(messages::Lang::En)).expect("taken");
        fs::create_dir(place.instance()).expect("made");
        fs::write(place.keys().join("old.key.pem"), "x").expect("written");
        assert!(Place::take(dir.path()).is_ok());
        assert!(!place.keys().join("old.key.pem").exists() && !place.instance().exists());
    }
}
