//! The members of a tar archive (POSIX ustar and pax, and what GNU tar adds for long names), read from someone we do not trust.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};

use crate::PackageError;

const BLOCK: usize = 512;
/// Largest extension header: it holds a name, and what tar programs add to it.
const LARGEST_EXTENSION: u64 = 64 * 1024;
/// Extension headers in front of one member.
const MOST_EXTENSIONS: usize = 4;

/// What an archive may hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Members, directories included.
    pub members: u64,
    /// Bytes of one member.
    pub member_bytes: u64,
    /// Bytes of all members.
    pub total_bytes: u64,
    /// Bytes of a name.
    pub path_bytes: usize,
    /// Components of a name.
    pub depth: usize,
}

impl Default for Limits {
    /// What a payload of 32 GiB of small files needs.
    fn default() -> Self {
        Self {
            members: 40_000_000,
            member_bytes: crate::LARGEST_PAYLOAD,
            total_bytes: crate::LARGEST_PAYLOAD,
            path_bytes: 1024,
            depth: 40,
        }
    }
}

/// A file of an archive.
pub struct Member<'a> {
    /// Its number among the members, from 1.
    pub ordinal: u64,
    /// Its name, relative, without `.` and `..`; what is not UTF-8 in it is replaced.
    pub path: &'a str,
    /// Its name as it stands in the archive.
    pub raw: &'a [u8],
    /// Its size in bytes.
    pub size: u64,
    /// Its content: exactly `size` bytes. What is not read is passed over.
    pub content: &'a mut dyn Read,
}

/// What was in an archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
}

/// Gives each file of an archive to `each`, in its order, and reads the stream to its end, so that what the stream holds at its end (a tag,
/// a hash) holds when this returns.
///
/// # Errors
/// [`PackageError`]: not a tar, malformed, truncated; a name that leads out, stands twice or is not acceptable; a link or a special file; more than
/// the limits; no file at all; or the first error of the stream, or of `each`.
pub fn walk_tar<E: From<PackageError>>(
    reader: &mut dyn Read,
    limits: &Limits,
    each: &mut dyn FnMut(Member<'_>) -> Result<(), E>,
) -> Result<Summary, E> {
    let mut stream = Watched { inner: reader, failed: None };
    let result = Archive { stream: &mut stream, limits, ordinal: 0, seen: HashSet::new(), names: RandomState::new() }.walk(each);
    if matches!(result, Err(Stop::Archive(_))) && stream.failed.is_none() {
        // A changed ciphertext looks like a broken archive until its tag was seen: the stream's end tells which it is.
        let _ = io::copy(&mut stream, &mut io::sink());
    }
    match (stream.failed, result) {
        // The stream's own error is the cause, whatever was made of it.
        (Some(error), _) => Err(PackageError::from(error).into()),
        (None, Ok(summary)) => Ok(summary),
        (None, Err(Stop::Archive(error))) => Err(error.into()),
        (None, Err(Stop::Receiver(error))) => Err(error),
    }
}

/// Who stopped the walk: the archive by what it is, or the receiver of its members.
enum Stop<E> {
    Archive(PackageError),
    Receiver(E),
}

impl<E> From<PackageError> for Stop<E> {
    fn from(error: PackageError) -> Self {
        Stop::Archive(error)
    }
}

/// Keeps the first error of a stream.
struct Watched<'a> {
    inner: &'a mut dyn Read,
    failed: Option<io::Error>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed.is_some() {
            return Err(io::Error::other("the stream failed before"));
        }
        match self.inner.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failed = Some(error);
                Err(io::Error::other("the stream failed"))
            }
            other => other,
        }
    }
}

/// The content of one member. A stream that ends inside it fails: nobody takes half a file for a file.
struct Content<'a, 'r> {
    stream: &'a mut Watched<'r>,
    left: u64,
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = self.left.min(buffer.len() as u64) as usize;
        if wanted == 0 {
            return Ok(0);
        }
        let n = self.stream.read(&mut buffer[..wanted])?;
        if n == 0 {
            self.stream.failed = Some(PackageError::Truncated.into());
            return Err(PackageError::Truncated.into());
        }
        self.left -= n as u64;
        Ok(n)
    }
}

/// What the extension headers in front of a member say of it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    count: usize,
}

struct Archive<'a, 'r> {
    stream: &'a mut Watched<'r>,
    limits: &'a Limits,
    ordinal: u64,
    /// Keyed hashes of the names so far: 40 million of them are some 400 MB, the names themselves would be 4 GB.
    seen: HashSet<u64>,
    names: RandomState,
}

impl Archive<'_, '_> {
    fn walk<E>(&mut self, each: &mut dyn FnMut(Member<'_>) -> Result<(), E>) -> Result<Summary, Stop<E>> {
        let mut summary = Summary::default();
        let mut extended = Extended::default();
        while let Some(header) = self.header()? {
            let kind = header[156];
            let size = self.number(&header[124..136])?;
            match kind {
                b'L' | b'x' | b'g' | b'K' => {
                    self.extension(kind, size, &mut extended)?;
                    continue;
                }
                _ => self.ordinal += 1,
            }
            let Extended { path, size: long_size, .. } = std::mem::take(&mut extended);
            let size = long_size.unwrap_or(size);
            let ordinal = self.ordinal;
            if ordinal > self.limits.members {
                return Err(PackageError::Expanding { ordinal, what: "the number of members" }.into());
            }
            let raw = path.unwrap_or_else(|| name_of(&header));
            let directory = match kind {
                b'0' | 0 | b'7' => raw.ends_with(b"/"),
                b'5' => true,
                b'1' | b'2' => return Err(PackageError::Link { ordinal }.into()),
                b'3' | b'4' | b'6' => return Err(PackageError::SpecialFile { ordinal }.into()),
                b'S' => return Err(PackageError::Expanding { ordinal, what: "a sparse file" }.into()),
                _ => return Err(self.malformed("a kind of member that is not known").into()),
            };
            let Some(path) = self.accept_name(&raw, directory)? else { continue };
            if directory {
                if size != 0 {
                    return Err(self.malformed("a directory with content").into());
                }
                continue;
            }
            if size > self.limits.member_bytes || size > self.limits.total_bytes - summary.bytes {
                return Err(PackageError::Expanding { ordinal, what: "the size of a member" }.into());
            }
            summary.files += 1;
            summary.bytes += size;
            let mut content = Content { stream: &mut *self.stream, left: size };
            each(Member { ordinal, path: &path, raw: &raw, size, content: &mut content }).map_err(Stop::Receiver)?;
            let left = content.left;
            self.pass(left + padding(size))?;
        }
        if extended.count > 0 {
            return Err(self.malformed("an extension without its member").into());
        }
        self.drain()?;
        if summary.files == 0 {
            return Err(PackageError::Empty.into());
        }
        Ok(summary)
    }

    fn malformed(&self, what: &'static str) -> PackageError {
        if self.ordinal == 0 { PackageError::NotTar } else { PackageError::TarMalformed { ordinal: self.ordinal, what } }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), PackageError> {
        self.stream.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => PackageError::Truncated,
            _ => error.into(),
        })
    }

    /// The next header, `None` at the end mark.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, PackageError> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        if block.iter().all(|b| *b == 0) {
            return Ok(None);
        }
        // The sum is over the header with blanks in place of the sum; old programs added signed bytes.
        let said = self.number(&block[148..156])?;
        let of = |sum: fn(&[u8]) -> i32| u64::try_from(sum(&block) - sum(&block[148..156]) + 8 * 32) == Ok(said);
        let unsigned = |bytes: &[u8]| bytes.iter().map(|b| i32::from(*b)).sum();
        let signed = |bytes: &[u8]| bytes.iter().map(|b| i32::from(*b as i8)).sum();
        if of(unsigned) || of(signed) {
            return Ok(Some(block));
        }
        Err(self.malformed("the checksum of a header"))
    }

    /// A number in octal digits, or in base 256 as GNU writes large ones.
    fn number(&self, field: &[u8]) -> Result<u64, PackageError> {
        if let Some((first, rest)) = field.split_first()
            && first & 0x80 != 0
        {
            let negative_or_large = first & 0x7F != 0 || rest.iter().rev().skip(8).any(|b| *b != 0);
            if negative_or_large {
                return Err(self.malformed("a number out of all bounds"));
            }
            return Ok(rest.iter().rev().take(8).rev().fold(0, |n, b| (n << 8) | u64::from(*b)));
        }
        let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
        let digits = field[..end].trim_ascii();
        if !digits.iter().all(|b| matches!(b, b'0'..=b'7')) {
            return Err(self.malformed("a number that is not octal"));
        }
        Ok(digits.iter().fold(0, |n, b| (n << 3) | u64::from(b - b'0')))
    }

    fn extension(&mut self, kind: u8, size: u64, extended: &mut Extended) -> Result<(), PackageError> {
        extended.count += 1;
        if size > LARGEST_EXTENSION || extended.count > MOST_EXTENSIONS {
            let what = "the size or number of extension headers";
            return Err(PackageError::Expanding { ordinal: self.ordinal + 1, what });
        }
        let mut content = vec![0; size as usize];
        self.fill(&mut content)?;
        self.pass(padding(size))?;
        match kind {
            b'L' => {
                let end = content.iter().position(|b| *b == 0).unwrap_or(content.len());
                content.truncate(end);
                extended.path = Some(content);
                Ok(())
            }
            // Only links have a long link name.
            b'K' => Err(PackageError::Link { ordinal: self.ordinal + 1 }),
            _ => self.pax(&content, kind == b'g', extended),
        }
    }

    /// Records `LENGTH KEY=VALUE\n` (POSIX.1-2001, pax).
    fn pax(&self, mut content: &[u8], global: bool, extended: &mut Extended) -> Result<(), PackageError> {
        let wrong = || self.malformed("an extension header");
        while !content.is_empty() && content[0] != 0 {
            let blank = content.iter().take(8).position(|b| *b == b' ').ok_or_else(wrong)?;
            let length: usize = std::str::from_utf8(&content[..blank]).ok().and_then(|t| t.parse().ok()).ok_or_else(wrong)?;
            if length <= blank + 2 || length > content.len() || content[length - 1] != b'\n' {
                return Err(wrong());
            }
            let record = &content[blank + 1..length - 1];
            let equals = record.iter().position(|b| *b == b'=').ok_or_else(wrong)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            content = &content[length..];
            match key {
                b"path" | b"size" if global => return Err(wrong()),
                b"path" => extended.path = Some(value.to_vec()),
                b"size" => {
                    extended.size = Some(std::str::from_utf8(value).ok().and_then(|t| t.parse().ok()).ok_or_else(wrong)?);
                }
                key if key.starts_with(b"GNU.sparse") => {
                    return Err(PackageError::Expanding { ordinal: self.ordinal + 1, what: "a sparse file" });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The name as text, `None` for the root directory itself.
    fn accept_name(&mut self, raw: &[u8], directory: bool) -> Result<Option<String>, PackageError> {
        let ordinal = self.ordinal;
        let refused = |what| Err(PackageError::PathRefused { ordinal, what });
        if raw.len() > self.limits.path_bytes {
            return refused("too long");
        }
        if raw.iter().any(|b| *b < 0x20 || *b == 0x7F) {
            return refused("control characters");
        }
        // Backslashes separate names on other systems; a byte 5C in a Japanese encoding is no reason to refuse.
        let leads_out = raw.starts_with(b"/")
            || raw.starts_with(b"\\")
            || raw.split(|b| matches!(b, b'/' | b'\\')).any(|part| part == b"..")
            || (raw.len() > 1 && raw[0].is_ascii_alphabetic() && raw[1] == b':');
        if leads_out {
            return Err(PackageError::PathTraversal { ordinal });
        }
        let parts: Vec<&[u8]> = raw.split(|b| *b == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
        if parts.len() > self.limits.depth {
            return refused("too deep");
        }
        if parts.is_empty() {
            return if directory { Ok(None) } else { refused("empty") };
        }
        let name = parts.join(&b'/');
        // A directory may be named again (two trees in one archive); a file may not, nor both with one name.
        if !self.seen.insert(self.names.hash_one((&name, directory))) && !directory {
            return Err(PackageError::DuplicatePath { ordinal });
        }
        if self.seen.contains(&self.names.hash_one((&name, !directory))) {
            return Err(PackageError::DuplicatePath { ordinal });
        }
        Ok(Some(String::from_utf8_lossy(&name).into_owned()))
    }

    fn pass(&mut self, mut count: u64) -> Result<(), PackageError> {
        let mut scratch = [0; 8192];
        while count > 0 {
            let n = count.min(scratch.len() as u64) as usize;
            self.fill(&mut scratch[..n])?;
            count -= n as u64;
        }
        Ok(())
    }

    /// After the end mark only zeros may follow: tar programs fill up to ten kibibytes, tapes to more.
    fn drain(&mut self) -> Result<(), PackageError> {
        let mut scratch = [0; 8192];
        loop {
            match self.stream.read(&mut scratch) {
                Ok(0) => return Ok(()),
                Ok(n) if scratch[..n].iter().all(|b| *b == 0) => {}
                Ok(_) => return Err(self.malformed("something after the end mark")),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// The name in a header: two parts in POSIX archives.
fn name_of(header: &[u8; BLOCK]) -> Vec<u8> {
    let text = |field: &[u8]| field[..field.iter().position(|b| *b == 0).unwrap_or(field.len())].to_vec();
    let name = text(&header[..100]);
    if &header[257..263] == b"ustar\0" && header[345] != 0 {
        let mut full = text(&header[345..500]);
        full.push(b'/');
        full.extend(name);
        return full;
    }
    name
}
