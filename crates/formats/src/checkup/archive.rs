//! A zip archive in memory: the central directory is checked whole before any entry is unpacked.
//!
//! Read are stored and deflated entries. Refused as a whole: paths that climb or are absolute, entries that claim more than
//! [`MOST_BYTES`] or grow more than [`MOST_GROWTH`] times, archives that claim more than [`MOST_TOTAL`], encryption, ZIP64, entries that lie over each
//! other (one packed piece that is many documents), and a directory that does not fit the bytes. What an entry unpacks to is held against its checksum.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// Longest document of an archive.
pub const MOST_BYTES: u64 = 32 << 20;
/// A document that grows more than this is no document.
pub const MOST_GROWTH: u64 = 400;
/// All documents of an archive together.
pub const MOST_TOTAL: u64 = 16 << 30;
/// Entries of an archive: ten thousand persons are usual.
const MOST_ENTRIES: usize = 1_000_000;

/// Why an archive is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFault {
    /// No readable central directory.
    #[error("the archive has no readable directory; send it again")]
    Directory,
    /// A name that leads out of the archive.
    #[error("an entry has a path that leads out of the archive; it was not unpacked")]
    Path,
    /// Too large, or growing too much.
    #[error("an entry is too large or grows too much; it was not unpacked")]
    Size,
    /// Encrypted, ZIP64, or packed in a way that is not read.
    #[error("an entry is packed in a way that is not read; pack it with plain deflate")]
    Method,
}

/// One file of an archive.
pub struct Entry<'a> {
    /// Path, with `/` between its parts.
    pub path: String,
    /// The path's bytes.
    pub(super) name: &'a [u8],
    /// General purpose flags, and the time of the last change with its date, as they stand.
    pub(super) flags: u16,
    pub(super) time: u32,
    pub(super) packed: &'a [u8],
    pub(super) deflated: bool,
    pub(super) size: u64,
    pub(super) crc: u32,
    /// Where it lies, from its header on.
    place: (usize, usize),
}

impl Entry<'_> {
    /// Unpacks it into `out`, which is emptied first. False when the bytes are not what the directory says.
    pub fn unpack(&self, out: &mut Vec<u8>) -> bool {
        out.clear();
        if self.deflated {
            let mut plain = DeflateDecoder::new(self.packed).take(self.size + 1);
            if plain.read_to_end(out).is_err() {
                return false;
            }
        } else {
            out.extend_from_slice(self.packed);
        }
        let mut crc = flate2::Crc::new();
        crc.update(out);
        out.len() as u64 == self.size && crc.sum() == self.crc
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let b = bytes.get(at..at + 2)?;
    Some(usize::from(b[0]) | usize::from(b[1]) << 8)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16_at(bytes, at)? | u16_at(bytes, at + 2)? << 16)
}

/// Descriptor behind the data of an entry (APPNOTE 4.3.9), with its mark.
const DESCRIPTOR: usize = 16;

/// Whether bytes lie before, between or behind the entries that could be another one; the headers of directories can, too: an archive with them is packed anew.
pub(super) fn has_gaps(bytes: &[u8], entries: &[Entry<'_>]) -> bool {
    let mut places: Vec<_> = entries.iter().map(|e| e.place).collect();
    places.sort_unstable();
    let directory = memchr::memmem::rfind(bytes, b"PK\x05\x06").and_then(|end| u32_at(bytes, end + 16)).unwrap_or(bytes.len());
    let mut at = 0;
    places.into_iter().chain([(directory, directory)]).any(|(from, to)| {
        let gap = from.saturating_sub(at) > DESCRIPTOR;
        at = to;
        gap
    })
}

/// The files of an archive, checked; directories are left out.
///
/// # Errors
/// [`ArchiveFault`] when anything about it is not as it should be: nothing of it is to be read then.
pub fn entries(bytes: &[u8]) -> Result<Vec<Entry<'_>>, ArchiveFault> {
    let from = bytes.len().saturating_sub(22 + 65_535);
    let end = memchr::memmem::rfind(&bytes[from..], b"PK\x05\x06").ok_or(ArchiveFault::Directory)? + from;
    let count = u16_at(bytes, end + 10).ok_or(ArchiveFault::Directory)?;
    let mut at = u32_at(bytes, end + 16).ok_or(ArchiveFault::Directory)?;
    if count == 0xFFFF || at == 0xFFFF_FFFF {
        return Err(ArchiveFault::Method);
    }
    let directory = at;
    let (mut out, mut places, mut total) = (Vec::new(), Vec::new(), 0u64);
    for _ in 0..count.min(MOST_ENTRIES) {
        let head = bytes.get(at..at + 46).filter(|h| h.starts_with(b"PK\x01\x02")).ok_or(ArchiveFault::Directory)?;
        let word = |n| u16_at(head, n).ok_or(ArchiveFault::Directory);
        let long = |n| u32_at(head, n).ok_or(ArchiveFault::Directory);
        let (flags, method, crc, packed, size) = (word(8)?, word(10)?, long(16)? as u32, long(20)?, long(24)?);
        let (name, extra, comment, local) = (word(28)?, word(30)?, word(32)?, long(42)?);
        let path = bytes.get(at + 46..at + 46 + name).ok_or(ArchiveFault::Directory)?;
        at += 46 + name + extra + comment;
        let raw = path;
        let path = crate::written::Scribe::default().text(path).replace('\\', "/");
        if path.starts_with('/') || path.contains(':') || path.contains('\0') || path.split('/').any(|part| part == "..") {
            return Err(ArchiveFault::Path);
        }
        if path.ends_with('/') {
            continue;
        }
        if flags & 1 != 0 || !matches!(method, 0 | 8) || packed == 0xFFFF_FFFF || size == 0xFFFF_FFFF {
            return Err(ArchiveFault::Method);
        }
        if size as u64 > MOST_BYTES || size as u64 > (packed as u64 + 64) * MOST_GROWTH {
            return Err(ArchiveFault::Size);
        }
        let start = bytes.get(local..local + 30).filter(|h| h.starts_with(b"PK\x03\x04")).ok_or(ArchiveFault::Directory)?;
        let skip = u16_at(start, 26).zip(u16_at(start, 28)).map(|(a, b)| a + b).ok_or(ArchiveFault::Directory)?;
        let from = local + 30 + skip;
        let packed = bytes.get(from..from + packed).ok_or(ArchiveFault::Directory)?;
        let place = (local, from + packed.len());
        places.push(place);
        total += size as u64;
        let (flags, time) = (flags as u16, long(12)? as u32);
        out.push(Entry { path, name: raw, flags, time, packed, deflated: method == 8, size: size as u64, crc, place });
    }
    if total > MOST_TOTAL {
        return Err(ArchiveFault::Size);
    }
    places.sort_unstable();
    let apart = places.windows(2).all(|two| two[0].1 <= two[1].0) && places.last().is_none_or(|last| last.1 <= directory);
    if apart { Ok(out) } else { Err(ArchiveFault::Directory) }
}
