use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use seal::hash::{Sha256Writer, sha256};
use seal::{Certificate, Identity, cms};

use crate::{Draft, ENDING, FORMAT, LARGEST_PAYLOAD, MANIFEST, Manifest, PackageError, PayloadEntry, payload_name};

/// Makes a package in `NAME.azp.new` and moves it to `NAME.azp` when all of it is on the disk. Dropped unfinished, it leaves nothing; what a
/// killed process left is cleared by the next one with the same name.
pub struct Writer {
    place: PathBuf,
    beside: PathBuf,
    recipient: Certificate,
    manifest: Manifest,
    replacing: bool,
    finished: bool,
}

/// A package in its place.
#[derive(Debug)]
pub struct Finished {
    /// Where it is.
    pub path: PathBuf,
    /// What it says about itself.
    pub manifest: Manifest,
    /// SHA-256 of the manifest's JSON.
    pub manifest_sha256: [u8; 32],
}

impl Writer {
    /// Begins the package `name` in a directory, which is made when it is missing.
    ///
    /// # Errors
    /// [`PackageError::Exists`]; an expired or unsuitable certificate of the recipient; or as of making the directory.
    pub fn create(out_dir: &Path, name: &str, draft: Draft, recipient: &Certificate) -> Result<Writer, PackageError> {
        let named = format!("{}{ENDING}", name.trim_end_matches(ENDING));
        let (place, beside) = (out_dir.join(&named), out_dir.join(format!("{named}.new")));
        recipient.check_sealing_key()?;
        let now = Timestamp::now();
        recipient.check_period(now)?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            purpose: draft.purpose,
            sender: draft.sender,
            recipient_key: recipient.fingerprint()?,
            sequence: draft.sequence,
            kind: draft.kind,
            period: draft.period,
            created: now,
            dataset: draft.dataset,
            payloads: Vec::new(),
            counts: Default::default(),
        };
        if place.symlink_metadata().is_ok() {
            return Err(PackageError::Exists { path: place });
        }
        durable::create_dir(out_dir).map_err(PackageError::file(out_dir))?;
        durable::remove_tree(&beside).map_err(PackageError::file(&beside))?;
        durable::create_dir(&beside).map_err(PackageError::file(&beside))?;
        Ok(Writer { place, beside, recipient: recipient.clone(), manifest, replacing: false, finished: false })
    }

    /// As [`Writer::create`], but what is at the place is replaced by [`Writer::finish`]: for a delivery that is repeated under its own name
    /// after a crash.
    ///
    /// # Errors
    /// As [`Writer::create`].
    pub fn create_replacing(out_dir: &Path, name: &str, draft: Draft, recipient: &Certificate) -> Result<Writer, PackageError> {
        let named = format!("{}{ENDING}", name.trim_end_matches(ENDING));
        let (place, old) = (out_dir.join(&named), out_dir.join(format!("{named}.old")));
        durable::remove_tree(&old).map_err(PackageError::file(&old))?;
        if place.symlink_metadata().is_ok() {
            durable::rename(&place, &old).map_err(PackageError::file(&place))?;
        }
        let mut writer = Writer::create(out_dir, name, draft, recipient)?;
        writer.replacing = true;
        Ok(writer)
    }

    /// Makes one more payload of what the closure writes, sealed as it is written. What the closure returns is given back.
    ///
    /// # Errors
    /// The closure's; [`PackageError::TooLarge`] past 32 GiB; or as of writing.
    pub fn add_payload<T, E: From<PackageError>>(&mut self, write: impl FnOnce(&mut dyn Write) -> Result<T, E>) -> Result<T, E> {
        let name = payload_name(self.manifest.payloads.len() + 1);
        let path = self.beside.join(&name);
        let begin = || -> Result<_, PackageError> {
            let file = durable::NewFile::create(&path).map_err(PackageError::file(&path))?;
            let sealed = Sha256Writer::new(BufWriter::with_capacity(1 << 20, file));
            Ok(Sha256Writer::new(Bounded { inner: cms::EncryptWriter::new(sealed, &self.recipient)?, left: LARGEST_PAYLOAD }))
        };
        let mut plain = begin()?;
        let out = write(&mut plain)?;
        let end = || -> Result<PayloadEntry, PackageError> {
            let (bounded, plain_sha256, plain_size) = plain.finish();
            let (file, cipher_sha256, cipher_size) = bounded.inner.finish()?.finish();
            file.into_inner()
                .map_err(|e| e.into_error())
                .and_then(durable::NewFile::finish)
                .map_err(PackageError::file(&path))?;
            let (plain_sha256, cipher_sha256) = (hex::encode(plain_sha256), hex::encode(cipher_sha256));
            Ok(PayloadEntry { name, plain_size, plain_sha256, cipher_size, cipher_sha256 })
        };
        self.manifest.payloads.push(end()?);
        Ok(out)
    }

    /// Says a count in the manifest.
    pub fn count(&mut self, what: &str, n: u64) {
        self.manifest.counts.insert(what.to_owned(), n);
    }

    /// Signs the manifest, seals it, and moves the package to its place.
    ///
    /// # Errors
    /// [`PackageError::Empty`] without a payload; an expired or unsuitable certificate of the signer; or as of writing.
    pub fn finish(mut self, signer: &Identity) -> Result<Finished, PackageError> {
        let json = self.manifest.to_json()?;
        let sealed = cms::encrypt_small(&cms::sign(&json, signer)?, &self.recipient)?;
        let path = self.beside.join(MANIFEST);
        durable::write_atomic(&path, &sealed).map_err(PackageError::file(&path))?;
        durable::rename(&self.beside, &self.place).map_err(PackageError::file(&self.place))?;
        self.finished = true;
        if self.replacing {
            // What was replaced is only litter now.
            let _ = durable::remove_tree(&old_of(&self.place));
        }
        Ok(Finished { path: self.place.clone(), manifest: self.manifest.clone(), manifest_sha256: sha256(&json) })
    }
}

fn old_of(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".old");
    PathBuf::from(name)
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            // Best effort: what stays is cleared by the next writer of this name.
            let _ = fs::remove_dir_all(&self.beside);
        }
    }
}

/// Refuses to write more than a payload may hold.
struct Bounded<W> {
    inner: W,
    left: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(PackageError::TooLarge { limit: LARGEST_PAYLOAD }.into());
        }
        let n = self.inner.write(bytes)?;
        self.left -= n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
