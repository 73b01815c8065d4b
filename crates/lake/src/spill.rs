//! What a query cannot keep in memory goes to disk under a key that exists only in memory, in files without a name:
//! neither a crash nor a copy of the disk leaves anything that could be read.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::spill_file::{SpillFile, SpillWriter, TempFileFactory};
use futures::Stream;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

/// Plaintext bytes of a chunk.
const CHUNK: usize = 128 << 10;
const TAG: usize = 16;

/// Makes spill files in one directory.
pub(crate) struct SealedSpill {
    directory: PathBuf,
    limit: u64,
    used: Arc<AtomicU64>,
}

impl SealedSpill {
    /// Spill files go to `directory`, together at most `limit` bytes at a time.
    pub(crate) fn new(directory: PathBuf, limit: u64) -> Self {
        Self { directory, limit, used: Arc::default() }
    }
}

impl TempFileFactory for SealedSpill {
    fn create_temp_file(&self, _description: &str) -> Result<Arc<dyn SpillFile>> {
        let mut key = Zeroizing::new([0_u8; 32]);
        openssl::rand::rand_bytes(&mut key[..]).map_err(|_| failed("no random key for a spill file"))?;
        // O_TMPFILE or unlinked at once: nothing to sweep after a crash.
        let file = tempfile::tempfile_in(&self.directory)?;
        let inner = Inner { file, key, size: AtomicU64::new(0), used: Arc::clone(&self.used), limit: self.limit };
        Ok(Arc::new(SealedSpillFile(Arc::new(inner))))
    }
}

struct Inner {
    file: File,
    key: Zeroizing<[u8; 32]>,
    size: AtomicU64,
    used: Arc<AtomicU64>,
    limit: u64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.used.fetch_sub(self.size.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

struct SealedSpillFile(Arc<Inner>);

/// The number of the chunk is its nonce: no key is used for two files, no number twice in one.
fn nonce(chunk: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&chunk.to_be_bytes());
    nonce
}

fn failed(what: &str) -> DataFusionError {
    DataFusionError::IoError(io::Error::other(what.to_owned()))
}

impl SpillFile for SealedSpillFile {
    fn size(&self) -> Option<u64> {
        Some(self.0.size.load(Ordering::Acquire))
    }

    fn read_stream(&self) -> Result<Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>> {
        let inner = Arc::clone(&self.0);
        let chunks = futures::stream::unfold((inner, 0_u64, 0_u64), |(inner, at, chunk)| async move {
            if at >= inner.size.load(Ordering::Acquire) {
                return None;
            }
            match read_chunk(&inner, at, chunk) {
                Ok((bytes, next)) => Some((Ok(bytes), (inner, next, chunk + 1))),
                Err(error) => Some((Err(error), (inner, u64::MAX, chunk))),
            }
        });
        Ok(Box::pin(chunks))
    }

    fn open_writer(&self) -> Result<Box<dyn SpillWriter>> {
        Ok(Box::new(SealedSpillWriter { inner: Arc::clone(&self.0), buffer: Vec::with_capacity(CHUNK), chunk: 0 }))
    }
}

fn read_chunk(inner: &Inner, at: u64, chunk: u64) -> Result<(Bytes, u64)> {
    let mut length = [0; 4];
    inner.file.read_exact_at(&mut length, at)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > CHUNK {
        return Err(failed("a spill file was changed"));
    }
    let mut sealed = vec![0; length + TAG];
    inner.file.read_exact_at(&mut sealed, at + 4)?;
    let (text, tag) = sealed.split_at(length);
    let plain = decrypt_aead(Cipher::aes_256_gcm(), &inner.key[..], Some(&nonce(chunk)), &[], text, tag)
        .map_err(|_| failed("a spill file was changed"))?;
    Ok((Bytes::from(plain), at + (4 + length + TAG) as u64))
}

struct SealedSpillWriter {
    inner: Arc<Inner>,
    buffer: Vec<u8>,
    chunk: u64,
}

impl SealedSpillWriter {
    fn seal(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut tag = [0; TAG];
        let mut out = (self.buffer.len() as u32).to_le_bytes().to_vec();
        let text =
            encrypt_aead(Cipher::aes_256_gcm(), &self.inner.key[..], Some(&nonce(self.chunk)), &[], &self.buffer, &mut tag)
                .map_err(|_| io::Error::other("a spill file could not be sealed"))?;
        out.extend_from_slice(&text);
        out.extend_from_slice(&tag);
        let added = out.len() as u64;
        if self.inner.used.fetch_add(added, Ordering::Relaxed) + added > self.inner.limit {
            self.inner.used.fetch_sub(added, Ordering::Relaxed);
            return Err(io::Error::other("the query spills more than it may"));
        }
        let at = self.inner.size.load(Ordering::Relaxed);
        if let Err(error) = self.inner.file.write_all_at(&out, at) {
            self.inner.used.fetch_sub(added, Ordering::Relaxed);
            return Err(error);
        }
        self.inner.size.store(at + added, Ordering::Release);
        self.chunk += 1;
        self.buffer.clear();
        Ok(())
    }
}

impl Write for SealedSpillWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == CHUNK {
            self.seal()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SpillWriter for SealedSpillWriter {
    fn finish(&mut self) -> Result<()> {
        self.seal().map_err(DataFusionError::IoError)
    }
}

/// Bytes that wait on disk for whoever writes them, sealed as a query's are: under a key that exists only in memory, in a file without a name.
pub struct Spilled {
    inner: Arc<Inner>,
    writer: SealedSpillWriter,
}

impl Spilled {
    /// An empty one on the disk of `directory`, which is made where it is missing.
    ///
    /// # Errors
    /// When there is no room for it, or no key.
    pub fn new(directory: &std::path::Path) -> io::Result<Spilled> {
        std::fs::create_dir_all(directory)?;
        let mut key = Zeroizing::new([0_u8; 32]);
        openssl::rand::rand_bytes(&mut key[..]).map_err(|_| io::Error::other("no random key for a spill file"))?;
        let file = tempfile::tempfile_in(directory)?;
        let inner = Arc::new(Inner { file, key, size: AtomicU64::new(0), used: Arc::default(), limit: u64::MAX });
        let writer = SealedSpillWriter { inner: Arc::clone(&inner), buffer: Vec::with_capacity(CHUNK), chunk: 0 };
        Ok(Spilled { inner, writer })
    }

    /// What was written, from its beginning.
    ///
    /// # Errors
    /// When the last of it cannot be written.
    pub fn into_reader(mut self) -> io::Result<SpilledReader> {
        self.writer.seal()?;
        Ok(SpilledReader { inner: self.inner, at: 0, chunk: 0, rest: Bytes::new() })
    }
}

impl Write for Spilled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what was spilt.
pub struct SpilledReader {
    inner: Arc<Inner>,
    at: u64,
    chunk: u64,
    rest: Bytes,
}

impl io::Read for SpilledReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            if self.at >= self.inner.size.load(Ordering::Acquire) {
                return Ok(0);
            }
            let (bytes, next) = read_chunk(&self.inner, self.at, self.chunk).map_err(io::Error::other)?;
            (self.rest, self.at, self.chunk) = (bytes, next, self.chunk + 1);
        }
        let taken = self.rest.len().min(out.len());
        out[..taken].copy_from_slice(&self.rest.split_to(taken));
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    fn spill(limit: u64) -> (tempfile::TempDir, SealedSpill) {
        let directory = tempfile::tempdir().expect("a directory");
        let spill = SealedSpill::new(directory.path().to_owned(), limit);
        (directory, spill)
    }

    fn make(spill: &SealedSpill) -> SealedSpillFile {
        let key = Zeroizing::new([7; 32]);
        let file = tempfile::tempfile_in(&spill.directory).expect("a file");
        SealedSpillFile(Arc::new(Inner { file, key, size: AtomicU64::new(0), used: Arc::clone(&spill.used), limit: spill.limit }))
    }

    fn read(file: &SealedSpillFile) -> Result<Vec<u8>> {
        let mut stream = file.read_stream()?;
        let mut out = Vec::new();
        futures::executor::block_on(async {
            while let Some(chunk) = stream.next().await {
                out.extend_from_slice(&chunk?);
            }
            Ok(out)
        })
    }

    #[test]
    fn what_is_spilt_comes_back_and_is_not_on_the_disk_and_has_no_name_there() {
        let (directory, spill) = spill(10 << 20);
        let file = make(&spill);
        let text = "東雲 HbA1c 4.8 ".repeat(40_000);
        let mut writer = file.open_writer().expect("a writer");
        writer.write_all(text.as_bytes()).expect("written");
        writer.finish().expect("finished");
        assert_eq!(read(&file).expect("readable"), text.as_bytes());
        assert_eq!(std::fs::read_dir(directory.path()).expect("listable").count(), 0);
        let mut raw = vec![0; file.size().expect("a size") as usize];
        file.0.file.read_exact_at(&mut raw, 0).expect("readable");
        assert!(raw.len() > text.len());
        assert!(!raw.windows(6).any(|w| w == "東雲".as_bytes() || w == b"HbA1c "));
        drop((file, writer));
        assert_eq!(spill.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_waits_comes_back_in_its_order_and_nothing_of_it_can_be_read_on_the_disk() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut spilled = Spilled::new(&directory.path().join("spill")).expect("a file");
        let text = "東雲 HbA1c 4.8 ".repeat(40_000);
        spilled.write_all(text.as_bytes()).expect("written");
        let mut reader = spilled.into_reader().expect("readable");
        let mut raw = vec![0; reader.inner.size.load(Ordering::Acquire) as usize];
        reader.inner.file.read_exact_at(&mut raw, 0).expect("readable");
        assert!(!raw.windows(6).any(|w| w == "東雲".as_bytes() || w == b"HbA1c "));
        let mut back = String::new();
        io::Read::read_to_string(&mut reader, &mut back).expect("readable");
        assert_eq!(back, text);
        assert_eq!(std::fs::read_dir(directory.path().join("spill")).expect("listable").count(), 0);
    }

    #[test]
    fn a_changed_spill_file_is_noticed_and_too_much_is_refused() {
        let (_directory, spill) = spill(300 << 10);
        let file = make(&spill);
        let mut writer = file.open_writer().expect("a writer");
        writer.write_all(&[1; CHUNK]).expect("written");
        writer.finish().expect("finished");
        file.0.file.write_all_at(&[9], 100).expect("written");
        assert!(read(&file).is_err());
        assert!(writer.write_all(&[1; 3 * CHUNK]).is_err());
    }
}
