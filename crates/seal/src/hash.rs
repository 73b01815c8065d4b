//! SHA-256 of bytes, and of whatever passes through a stream.

use std::io::{self, Read, Write};

use openssl::sha::Sha256;

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(bytes)
}

/// Passes on what is written and keeps its SHA-256 and length.
pub struct Sha256Writer<W> {
    inner: W,
    hash: Sha256,
    count: u64,
}

impl<W: Write> Sha256Writer<W> {
    /// Hashes what is written to `inner` from here on.
    pub fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), count: 0 }
    }

    /// Bytes written so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The writer below, the hash and the number of bytes.
    pub fn finish(self) -> (W, [u8; 32], u64) {
        (self.inner, self.hash.finish(), self.count)
    }
}

impl<W: Write> Write for Sha256Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.count += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Passes on what is read and keeps its SHA-256 and length.
pub struct Sha256Reader<R> {
    inner: R,
    hash: Sha256,
    count: u64,
}

impl<R: Read> Sha256Reader<R> {
    /// Hashes what is read from `inner` from here on.
    pub fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), count: 0 }
    }

    /// Bytes read so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The reader below.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// SHA-256 of what was read so far.
    pub fn digest(&self) -> [u8; 32] {
        self.hash.clone().finish()
    }

    /// The reader below, the hash and the number of bytes.
    pub fn finish(self) -> (R, [u8; 32], u64) {
        (self.inner, self.hash.finish(), self.count)
    }
}

impl<R: Read> Read for Sha256Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.count += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_hash_as_the_whole() {
        let bytes: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
        let mut writer = Sha256Writer::new(Vec::new());
        bytes.chunks(777).for_each(|c| writer.write_all(c).expect("into memory"));
        let (out, hash, count) = writer.finish();
        assert_eq!((hash, count), (sha256(&bytes), 100_000));
        let mut reader = Sha256Reader::new(out.as_slice());
        io::copy(&mut reader, &mut io::sink()).expect("from memory");
        assert_eq!(reader.digest(), hash);
        assert_eq!(reader.finish().2, 100_000);
    }
}
