//! What memory does not hold waits on disk, sealed: under a key that exists only in memory, in files without a name. Neither a crash nor a
//! copy of the disk leaves anything that could be read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use crate::error::LinkageError;

/// Plaintext bytes of a chunk, about: a chunk is closed by the item that reaches them.
pub(crate) const CHUNK: usize = 64 << 10;
const TAG: usize = 16;

/// A file of sealed chunks, each known by its number.
pub(crate) struct Spill {
    file: File,
    key: Zeroizing<[u8; 32]>,
    /// Where each chunk ends. A chunk that is left out, cut off, exchanged or repeated does not open: its number is its nonce.
    ends: Mutex<Vec<u64>>,
}

fn nonce(chunk: usize) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&(chunk as u64).to_be_bytes());
    nonce
}

impl Spill {
    /// An empty one on the disk of `directory`. It has no name there (`O_TMPFILE`, or unlinked at once), so that nothing is left to sweep.
    ///
    /// # Errors
    /// [`LinkageError::SpillUnwritable`].
    pub fn new(directory: &Path) -> Result<Self, LinkageError> {
        Self::on(tempfile::tempfile_in(directory).map_err(|_| LinkageError::SpillUnwritable)?)
    }

    fn on(file: File) -> Result<Self, LinkageError> {
        let mut key = Zeroizing::new([0; 32]);
        openssl::rand::rand_bytes(&mut key[..]).map_err(|_| LinkageError::SpillUnwritable)?;
        Ok(Self { file, key, ends: Mutex::default() })
    }

    /// Seals a chunk and says its number.
    ///
    /// # Errors
    /// [`LinkageError::SpillUnwritable`], also where the disk is full.
    pub fn append(&self, plain: &[u8]) -> Result<usize, LinkageError> {
        let (chunk, start) = {
            let mut ends = self.ends.lock().map_err(|_| LinkageError::SpillUnwritable)?;
            let start = ends.last().copied().unwrap_or(0);
            ends.push(start + (plain.len() + TAG) as u64);
            (ends.len() - 1, start)
        };
        let mut tag = [0; TAG];
        let mut write = || -> io::Result<()> {
            let mut sealed = encrypt_aead(Cipher::aes_256_gcm(), &self.key[..], Some(&nonce(chunk)), &[], plain, &mut tag)?;
            sealed.extend_from_slice(&tag);
            self.file.write_all_at(&sealed, start)
        };
        write().map_err(|_| LinkageError::SpillUnwritable)?;
        Ok(chunk)
    }

    /// Opens a chunk.
    ///
    /// # Errors
    /// [`LinkageError::SpillChanged`] when it is not as it was written.
    pub fn open(&self, chunk: usize) -> Result<Zeroizing<Vec<u8>>, LinkageError> {
        let changed = || LinkageError::SpillChanged;
        let (start, end) = {
            let ends = self.ends.lock().map_err(|_| changed())?;
            let start = if chunk == 0 { 0 } else { ends.get(chunk - 1).copied().ok_or_else(changed)? };
            (start, ends.get(chunk).copied().ok_or_else(changed)?)
        };
        let mut sealed = vec![0; (end - start) as usize];
        self.file.read_exact_at(&mut sealed, start).map_err(|_| changed())?;
        let (text, tag) = sealed.split_at(sealed.len().saturating_sub(TAG));
        let plain = decrypt_aead(Cipher::aes_256_gcm(), &self.key[..], Some(&nonce(chunk)), &[], text, tag);
        plain.map(Zeroizing::new).map_err(|_| changed())
    }

    /// Changes a byte on disk, as a fault of the disk or somebody who can write there might.
    #[cfg(test)]
    pub fn sabotage(&self, at: u64) {
        let mut byte = [0];
        self.file.read_exact_at(&mut byte, at).expect("a byte");
        self.file.write_all_at(&[byte[0] ^ 1], at).expect("written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spilt_comes_back_and_cannot_be_read_on_the_disk_and_has_no_name_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let spill = Spill::new(folder.path()).expect("a file");
        let text = "東雲 花子 1961-04-04 ".repeat(3_000);
        assert_eq!([spill.append(text.as_bytes()), spill.append(b"")].map(Result::ok), [Some(0), Some(1)]);
        assert_eq!(spill.open(0).expect("as written").as_slice(), text.as_bytes());
        assert_eq!(spill.open(1).expect("as written").len(), 0);
        let mut raw = vec![0; text.len()];
        spill.file.read_exact_at(&mut raw, 0).expect("there");
        assert!(!raw.windows(6).any(|w| w == "東雲".as_bytes() || w == b"1961-0"));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_chunk_that_was_changed_cut_off_or_exchanged_for_another_does_not_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let filled = || {
            let spill = Spill::new(folder.path()).expect("a file");
            for n in 0..3 {
                spill.append(&[n; 100]).expect("written");
            }
            spill
        };
        let changed = filled();
        changed.sabotage(130);
        assert!(changed.open(0).is_ok() && matches!(changed.open(1), Err(LinkageError::SpillChanged)));
        let cut = filled();
        cut.file.set_len(300).expect("cut");
        assert!(cut.open(1).is_ok() && matches!(cut.open(2), Err(LinkageError::SpillChanged)));
        assert!(matches!(cut.open(3), Err(LinkageError::SpillChanged)));
        let exchanged = filled();
        let mut first = [0; 116];
        exchanged.file.read_exact_at(&mut first, 0).expect("there");
        exchanged.file.write_all_at(&first, 116).expect("written");
        assert!(matches!(exchanged.open(1), Err(LinkageError::SpillChanged)));
    }

    #[test]
    fn a_disk_without_room_is_an_error_that_says_so() {
        let Ok(full) = File::options().write(true).open("/dev/full") else { return };
        let spill = Spill::on(full).expect("a key");
        assert!(matches!(spill.append(&[1; 100]), Err(LinkageError::SpillUnwritable)));
    }
}
