use std::io::{self, Read, Write};
use std::path::Path;

use tar::{Builder, EntryType, Header};

use super::walk::{Found, Walk};
use crate::PackageError;

/// Writes an archive of plain files. Without [`TarWriter::finish`] it has no end, and no reader of ours takes it.
pub struct TarWriter<W: Write> {
    builder: Builder<W>,
    files: u64,
    bytes: u64,
}

impl<W: Write> TarWriter<W> {
    /// Begins an archive.
    pub fn new(writer: W) -> Self {
        Self { builder: Builder::new(writer), files: 0, bytes: 0 }
    }

    /// Files so far.
    pub fn files(&self) -> u64 {
        self.files
    }

    /// Bytes of their content so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a file that is in memory.
    ///
    /// # Errors
    /// As of writing.
    pub fn add_bytes(&mut self, name: &Path, content: &[u8]) -> Result<(), PackageError> {
        self.add_stream(name, content.len() as u64, content)
    }

    /// Adds a file that was found in a tree.
    ///
    /// # Errors
    /// [`PackageError::TreeChanged`] when it is no longer the regular file of its size, or as of reading and writing.
    pub fn add_found(&mut self, name: &Path, found: &Found) -> Result<(), PackageError> {
        let file = found.open()?;
        self.add_stream(name, found.size, file)
    }

    /// Adds a file of exactly `size` bytes.
    ///
    /// # Errors
    /// [`PackageError::TreeChanged`] when the stream is shorter or longer, or as of reading and writing.
    pub fn add_stream(&mut self, name: &Path, size: u64, content: impl Read) -> Result<(), PackageError> {
        // A path that fits into the two fields of a ustar header needs none of the long name's own blocks, which for files of
        // SS-MIX2 are as large as the file.
        let mut header = Header::new_ustar();
        if header.set_path(name).is_err() {
            header = Header::new_gnu();
        }
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(size);
        let mut exact = Exact { inner: content, left: size };
        self.builder.append_data(&mut header, name, &mut exact)?;
        self.files += 1;
        self.bytes += size;
        Ok(())
    }

    /// Adds a file of exactly `size` bytes that `write` writes.
    ///
    /// # Errors
    /// [`PackageError::TreeChanged`] when it writes fewer or more, or as of writing.
    pub fn add_written(
        &mut self,
        name: &Path,
        size: u64,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<(), PackageError>,
    ) -> Result<(), PackageError> {
        let mut header = Header::new_ustar();
        if header.set_path(name).is_err() {
            header = Header::new_gnu();
        }
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(size);
        // The header alone: what follows it is written past the archive's builder, and padded to its blocks.
        self.builder.append_data(&mut header, name, io::empty())?;
        let mut exact = ExactWriter { inner: self.builder.get_mut(), left: size };
        write(&mut exact)?;
        if exact.left > 0 {
            return Err(PackageError::TreeChanged);
        }
        let padding = [0; 512];
        let over = (size % 512) as usize;
        self.builder.get_mut().write_all(if over > 0 { &padding[over..] } else { &[] })?;
        self.files += 1;
        self.bytes += size;
        Ok(())
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// As of writing.
    pub fn finish(self) -> Result<W, PackageError> {
        Ok(self.builder.into_inner()?)
    }
}

/// A file of another length than its header says would shift everything after it.
struct Exact<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        match self.left.checked_sub(n as u64) {
            Some(left) if n > 0 || left == 0 || buffer.is_empty() => self.left = left,
            _ => return Err(PackageError::TreeChanged.into()),
        }
        Ok(n)
    }
}

/// The same for what is written.
struct ExactWriter<'w, W> {
    inner: &'w mut W,
    left: u64,
}

impl<W: Write> Write for ExactWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| io::Error::from(PackageError::TreeChanged))?;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes the files of a directory that the filter wants as an archive; gives the number of files and the bytes of their content.
///
/// # Errors
/// As [`Walk`] and [`TarWriter`].
pub fn write_tar(dir: &Path, mut filter: impl FnMut(&Path) -> bool, writer: impl Write) -> Result<(u64, u64), PackageError> {
    let mut tar = TarWriter::new(writer);
    for found in Walk::new(dir)? {
        let found = found?;
        if filter(&found.path) {
            tar.add_found(&found.path, &found)?;
        }
    }
    let counts = (tar.files(), tar.bytes());
    tar.finish()?;
    Ok(counts)
}
