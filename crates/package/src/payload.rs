use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use seal::hash::Sha256Reader;
use seal::{Identity, SealError, cms};

use crate::{PackageError, PayloadEntry};

/// The plaintext of a payload as a stream. It ends, with `Ok(0)`, only when the tag, both hashes and both sizes hold; until then what was
/// read is in quarantine. Errors turn back into [`PackageError`] with `PackageError::from`.
pub struct PayloadReader<R = File> {
    entry: PayloadEntry,
    plain: Sha256Reader<cms::DecryptReader<Cipher<R>>>,
    done: bool,
}

/// The ciphertext, hashed where its hash is to be held against the manifest's, else counted.
enum Cipher<R> {
    Hashed(Sha256Reader<io::Take<R>>),
    Counted(io::Take<R>),
}

impl<R: Read> Read for Cipher<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Cipher::Hashed(inner) => inner.read(buffer),
            Cipher::Counted(inner) => inner.read(buffer),
        }
    }
}

/// Begins to read a payload that the manifest names.
///
/// # Errors
/// What `seal` finds in its head, or as of opening the file.
pub fn payload_reader(dir: &Path, entry: &PayloadEntry, identity: &Identity) -> Result<PayloadReader, PackageError> {
    let path = dir.join(&entry.name);
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(nofollow).open(&path).map_err(PackageError::file(&path))?;
    let size = file.metadata().map_err(PackageError::file(&path))?.len();
    if size < entry.cipher_size {
        return Err(PackageError::Truncated);
    }
    if size > entry.cipher_size {
        return Err(PackageError::HashMismatch("the size of a payload"));
    }
    payload_stream(file, entry, identity)
}

/// The same of a stream of ciphertext, for a process that has no file. What follows the stated length is not read.
///
/// # Errors
/// What `seal` finds in its head.
pub fn payload_stream<R: Read>(cipher: R, entry: &PayloadEntry, identity: &Identity) -> Result<PayloadReader<R>, PackageError> {
    stream(Cipher::Hashed(Sha256Reader::new(cipher.take(entry.cipher_size))), entry, identity)
}

/// As [`payload_stream`], of a payload that was read to its end before: its tag and the hash of its plaintext hold it to what was read
/// then, and its ciphertext is not hashed once more.
///
/// # Errors
/// As of [`payload_stream`].
pub fn payload_stream_again<R: Read>(
    cipher: R,
    entry: &PayloadEntry,
    identity: &Identity,
) -> Result<PayloadReader<R>, PackageError> {
    stream(Cipher::Counted(cipher.take(entry.cipher_size)), entry, identity)
}

fn stream<R: Read>(cipher: Cipher<R>, entry: &PayloadEntry, identity: &Identity) -> Result<PayloadReader<R>, PackageError> {
    let opened = cms::DecryptReader::with_limit(cipher, identity, entry.plain_size).map_err(expanding)?;
    Ok(PayloadReader { entry: entry.clone(), plain: Sha256Reader::new(opened), done: false })
}

/// More plaintext than the manifest says is an archive that grows.
fn expanding(error: SealError) -> PackageError {
    match error {
        SealError::TooLarge { what: "the content", .. } => {
            PackageError::Expanding { ordinal: 0, what: "the size that the manifest says" }
        }
        other => other.into(),
    }
}

impl<R: Read> PayloadReader<R> {
    /// Bytes of plaintext so far.
    pub fn count(&self) -> u64 {
        self.plain.count()
    }

    /// Bytes of plaintext that the manifest says.
    pub fn declared(&self) -> u64 {
        self.entry.plain_size
    }

    fn hold(&self) -> Result<(), PackageError> {
        let wrong = |what| Err(PackageError::HashMismatch(what));
        let holds = match self.plain.get_ref().get_ref() {
            Cipher::Hashed(sealed) => {
                sealed.count() == self.entry.cipher_size && hex::encode(sealed.digest()) == self.entry.cipher_sha256
            }
            Cipher::Counted(rest) => rest.limit() == 0,
        };
        if !holds {
            return wrong("the SHA-256 of a payload's ciphertext");
        }
        if self.plain.count() != self.entry.plain_size || hex::encode(self.plain.digest()) != self.entry.plain_sha256 {
            return wrong("the SHA-256 of a payload's plaintext");
        }
        Ok(())
    }
}

impl<R: Read> Read for PayloadReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.done || buffer.is_empty() {
            return Ok(0);
        }
        let n = match self.plain.read(buffer) {
            Ok(n) => n,
            Err(error) => return Err(expanding(SealError::from(error)).into()),
        };
        if n == 0 {
            self.hold()?;
            self.done = true;
        }
        Ok(n)
    }
}
