//! Files at rest under a data key that are not Parquet: reports, id tables, findings, spill.
//!
//! ```text
//! "AZKSEAL1" | nonce prefix, 7 bytes | chunk | chunk | … | last chunk
//! chunk = AES-256-GCM of at most 64 KiB, and its tag; nonce = prefix | number of the chunk, 4 bytes | 1 for the last one, else 0
//! ```
//! The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance,
//! 2015): chunks can be neither left out, exchanged, repeated nor cut off, and no byte is handed out before the tag of its chunk held.
//! The context (the asset id) is authenticated with every chunk, so that a file under another name does not open.

use std::io::{self, Read, Write};

use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use crate::{DataKey, SealError, aead};

const MAGIC: &[u8; 8] = b"AZKSEAL1";
const PREFIX: usize = 7;
const CHUNK: usize = 64 * 1024;

fn nonce(prefix: &[u8; PREFIX], number: u32, last: bool) -> [u8; aead::NONCE] {
    let mut nonce = [0; aead::NONCE];
    nonce[..PREFIX].copy_from_slice(prefix);
    nonce[PREFIX..PREFIX + 4].copy_from_slice(&number.to_be_bytes());
    nonce[PREFIX + 4] = last.into();
    nonce
}

/// Seals what is written. Without [`SealedWriter::finish`] the file has no last chunk and does not open.
pub struct SealedWriter<W> {
    inner: W,
    key: DataKey,
    context: Vec<u8>,
    prefix: [u8; PREFIX],
    number: u32,
    plain: Zeroizing<Vec<u8>>,
}

impl<W: Write> SealedWriter<W> {
    /// Begins a sealed file. `context` binds it to its name: the bytes of the asset id.
    ///
    /// # Errors
    /// As of writing.
    pub fn new(mut inner: W, key: &DataKey, context: &[u8]) -> Result<Self, SealError> {
        let mut prefix = [0; PREFIX];
        openssl::rand::rand_bytes(&mut prefix)?;
        inner.write_all(MAGIC)?;
        inner.write_all(&prefix)?;
        let plain = Zeroizing::new(Vec::with_capacity(CHUNK));
        Ok(Self { inner, key: key.clone(), context: context.to_vec(), prefix, number: 0, plain })
    }

    fn chunk(&mut self, last: bool) -> Result<(), SealError> {
        let mut tag = [0; aead::TAG];
        let nonce = nonce(&self.prefix, self.number, last);
        let sealed = encrypt_aead(Cipher::aes_256_gcm(), self.key.bytes(), Some(&nonce), &self.context, &self.plain, &mut tag)?;
        self.inner.write_all(&sealed)?;
        self.inner.write_all(&tag)?;
        self.plain.clear();
        let limit = u64::from(u32::MAX) * CHUNK as u64;
        self.number = self.number.checked_add(1).ok_or(SealError::TooLarge { what: "a sealed file", limit })?;
        Ok(())
    }

    /// Writes the last chunk and gives the writer back.
    ///
    /// # Errors
    /// As of writing.
    pub fn finish(mut self) -> Result<W, SealError> {
        self.chunk(true)?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until it is known whether it is the last one.
        if self.plain.len() == CHUNK && !bytes.is_empty() {
            self.chunk(false)?;
        }
        let n = bytes.len().min(CHUNK - self.plain.len());
        self.plain.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Opens a sealed file. Errors come as [`io::Error`] that turn back into [`SealError`] with `SealError::from`.
pub struct SealedReader<R> {
    inner: R,
    key: DataKey,
    context: Vec<u8>,
    prefix: [u8; PREFIX],
    number: u32,
    /// Ciphertext read ahead: a chunk is the last one when nothing follows it.
    sealed: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
    done: bool,
}

impl<R: Read> SealedReader<R> {
    /// Opens a sealed file that was written with this key and context.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when it is no sealed file, [`SealError::Truncated`], or as of reading.
    pub fn new(mut inner: R, key: &DataKey, context: &[u8]) -> Result<Self, SealError> {
        let mut head = [0; MAGIC.len() + PREFIX];
        let n = fill(&mut inner, &mut head)?;
        if n < head.len() {
            return Err(SealError::Truncated);
        }
        let mut prefix = [0; PREFIX];
        prefix.copy_from_slice(&head[MAGIC.len()..]);
        if &head[..MAGIC.len()] != MAGIC {
            return Err(SealError::Malformed("the head of a sealed file"));
        }
        let plain = Zeroizing::new(Vec::new());
        let sealed = Vec::with_capacity(CHUNK + aead::TAG + 1);
        Ok(Self { inner, key: key.clone(), context: context.to_vec(), prefix, number: 0, sealed, plain, at: 0, done: false })
    }

    fn advance(&mut self) -> Result<(), SealError> {
        const WHOLE: usize = CHUNK + aead::TAG;
        // One byte more than a chunk tells whether another follows.
        let have = self.sealed.len();
        self.sealed.resize(WHOLE + 1, 0);
        let n = have + fill(&mut self.inner, &mut self.sealed[have..])?;
        self.sealed.truncate(n);
        let last = n <= WHOLE;
        let chunk = &self.sealed[..n.min(WHOLE)];
        if chunk.len() < aead::TAG {
            return Err(SealError::Truncated);
        }
        let (content, tag) = chunk.split_at(chunk.len() - aead::TAG);
        let open = |last| {
            let nonce = nonce(&self.prefix, self.number, last);
            decrypt_aead(Cipher::aes_256_gcm(), self.key.bytes(), Some(&nonce), &self.context, content, tag)
        };
        self.plain = match open(last) {
            Ok(plain) => Zeroizing::new(plain),
            // The file ends after a chunk that is not the last: that is a cut, not a change.
            Err(_) if last && content.len() == CHUNK && open(false).is_ok() => return Err(SealError::Truncated),
            Err(_) => return Err(SealError::TagMismatch),
        };
        self.at = 0;
        self.done = last;
        self.sealed.drain(..n.min(WHOLE));
        self.number = self.number.checked_add(1).ok_or(SealError::Malformed("the number of chunks"))?;
        Ok(())
    }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let ready = &self.plain[self.at..];
            if !ready.is_empty() || buffer.is_empty() {
                let n = ready.len().min(buffer.len());
                buffer[..n].copy_from_slice(&ready[..n]);
                self.at += n;
                return Ok(n);
            }
            if self.done {
                return Ok(0);
            }
            self.advance()?;
        }
    }
}

/// Reads until the buffer is full or the stream ends.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, SealError> {
    let mut n = 0;
    while n < buffer.len() {
        match reader.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(n)
}
