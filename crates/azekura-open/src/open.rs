//! From a package to a directory.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use messages::Message;
use package::tree::{Limits, Member, walk_tar};
use package::{Manifest, PackageError, open_manifest, payload_reader};
use seal::{Certificate, Identity, Passphrase, SealError};

use crate::Args;

/// A package whose content is in its place.
pub struct Opened {
    out: PathBuf,
    manifest: Manifest,
    files: u64,
    bytes: u64,
}

impl Opened {
    /// For machines.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "ok": true,
            "out": self.out,
            "sender": self.manifest.sender,
            "sequence": self.manifest.sequence,
            "kind": self.manifest.kind,
            "dataset": self.manifest.dataset,
            "created": self.manifest.created,
            "files": self.files,
            "bytes": self.bytes,
            "counts": self.manifest.counts,
        })
    }

    /// For people.
    pub fn message(&self) -> Message {
        Message::new("package-open-done")
            .with("path", self.out.display())
            .with("sender", &self.manifest.sender)
            .with("sequence", self.manifest.sequence)
            .with("files", self.files)
            .with("bytes", self.bytes)
    }
}

/// Opens the package.
///
/// # Errors
/// The reason of the refusal; nothing is left behind then.
pub fn open(args: &Args) -> Result<Opened, Message> {
    let (identity, sender) = keys(args).map_err(|e| PackageError::from(e).message())?;
    if !is_free(&args.out) {
        return Err(Message::new("package-open-not-empty").with("path", args.out.display()));
    }
    let mut staged = Staged::new(&args.out).map_err(|e| e.message())?;
    unpack(args, &identity, &sender, &mut staged).map_err(|e| e.message())
}

fn keys(args: &Args) -> Result<(Identity, Certificate), SealError> {
    let passphrase = args.key_passphrase_file.as_deref().map(Passphrase::from_file).transpose()?;
    let identity = Identity::from_files(&args.key, &args.cert, passphrase.as_ref())?;
    identity.certificate().check_sealing_key()?;
    Ok((identity, Certificate::from_file(&args.from)?))
}

fn is_free(dir: &Path) -> bool {
    match dir.symlink_metadata() {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(metadata) => metadata.is_dir() && fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none()),
    }
}

fn unpack(args: &Args, identity: &Identity, sender: &Certificate, staged: &mut Staged) -> Result<Opened, PackageError> {
    let manifest = open_manifest(&args.package, std::slice::from_ref(identity), sender)?.manifest;
    let declared: u64 = manifest.payloads.iter().map(|p| p.plain_size).sum();
    // Drawn on a terminal only.
    let progress = ProgressBar::new(declared);
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}");
    progress.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    progress.enable_steady_tick(Duration::from_millis(200));

    let (mut files, mut bytes) = (0, 0);
    for entry in &manifest.payloads {
        let reader = payload_reader(&args.package, entry, identity)?;
        let limits = Limits { total_bytes: entry.plain_size, ..Limits::default() };
        let mut counted = progress.wrap_read(reader);
        let unpacked = walk_tar::<PackageError>(&mut counted, &limits, &mut |member| staged.take(member))?;
        files += unpacked.files;
        bytes += unpacked.bytes;
    }
    progress.finish_and_clear();
    let out = staged.promote()?;
    Ok(Opened { out, manifest, files, bytes })
}

/// A directory beside its place, readable by its owner alone. Dropped before it was promoted, it is removed.
struct Staged {
    place: PathBuf,
    beside: PathBuf,
    dirs: BTreeSet<PathBuf>,
    promoted: bool,
}

impl Staged {
    fn new(out: &Path) -> Result<Staged, PackageError> {
        let failed = |source| PackageError::File { path: out.to_owned(), source };
        let place = std::path::absolute(out).map_err(failed)?;
        let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
            return Err(failed(io::ErrorKind::InvalidInput.into()));
        };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".opening");
        let beside = parent.join(hidden);
        durable::create_dir(parent).map_err(failed)?;
        // What a killed process left here was never promoted.
        if beside.symlink_metadata().is_ok() {
            fs::remove_dir_all(&beside).map_err(failed)?;
        }
        DirBuilder::new().mode(0o700).create(&beside).map_err(failed)?;
        Ok(Staged { place, beside, dirs: BTreeSet::new(), promoted: false })
    }

    fn failed(&self, source: io::Error) -> PackageError {
        PackageError::File { path: self.beside.clone(), source }
    }

    /// Writes one file. Its name has been held to stay inside.
    fn take(&mut self, member: Member<'_>) -> Result<(), PackageError> {
        let mut path = self.beside.clone();
        path.extend(member.raw.split(|b| *b == b'/').filter(|part| !part.is_empty() && *part != b".").map(OsStr::from_bytes));
        if let Some(dir) = path.parent() {
            if !self.dirs.contains(dir) {
                DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| self.failed(e))?;
            }
            let own = dir.ancestors().take_while(|a| a.starts_with(&self.beside));
            self.dirs.extend(own.map(Path::to_owned));
        }
        let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = created.map_err(|error| match error.kind() {
            // Two payloads with one name: within a payload the archive reader has seen to it.
            io::ErrorKind::AlreadyExists => PackageError::DuplicatePath { ordinal: member.ordinal },
            _ => self.failed(error),
        })?;
        self.copy(member.content, &mut file)?;
        file.sync_all().map_err(|e| self.failed(e))
    }

    /// Errors of the package and errors of this disk stay apart.
    fn copy(&self, content: &mut dyn io::Read, file: &mut File) -> Result<(), PackageError> {
        let mut buffer = [0; 64 * 1024];
        loop {
            match content.read(&mut buffer)? {
                0 => return Ok(()),
                n => file.write_all(&buffer[..n]).map_err(|e| self.failed(e))?,
            }
        }
    }

    fn promote(&mut self) -> Result<PathBuf, PackageError> {
        for dir in self.dirs.iter().rev() {
            durable::sync_dir(dir).map_err(|e| self.failed(e))?;
        }
        if self.place.symlink_metadata().is_ok() {
            // Fails when something came into it meanwhile.
            fs::remove_dir(&self.place).map_err(|e| self.failed(e))?;
        }
        durable::rename(&self.beside, &self.place).map_err(|e| self.failed(e))?;
        self.promoted = true;
        Ok(self.place.clone())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.promoted {
            // Best effort: what stays is cleared by the next run.
            let _ = fs::remove_dir_all(&self.beside);
        }
    }
}
