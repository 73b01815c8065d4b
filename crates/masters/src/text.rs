//! Bytes → lines → fields, bounded.

use std::borrow::Cow;
use std::io::BufRead;

use encoding_rs::SHIFT_JIS;

use crate::error::MasterError;

/// Most bytes of a master's file: the largest that is known has some eight million.
pub const MOST_BYTES: usize = 256 << 20;
/// Most bytes of a field.
pub const MOST_FIELD: usize = 64 << 10;
/// Most bytes of a line.
pub const MOST_LINE: usize = 1 << 20;

/// In which characters a master was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, with its mark or without.
    Utf8,
    /// CP932, as issued.
    Cp932,
}

/// What a file says. What is UTF-8 is that: Japanese text in CP932 never is.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Charset, Cow<'_, str>), MasterError> {
    if bytes.len() > MOST_BYTES {
        return Err(MasterError::TooLarge { bytes: bytes.len() });
    }
    // Files of the claims' world may end with the mark of CP/M.
    let bytes = bytes.strip_suffix(b"\x1A").unwrap_or(bytes);
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => (Charset::Utf8, Cow::Borrowed(text)),
        Err(_) => (Charset::Cp932, SHIFT_JIS.decode_without_bom_handling(bytes).0),
    })
}

/// Lines that are not empty, with their number from 1. No field of a master has a line break.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let numbered = text.split('\n').zip(1u32..).map(|(line, number)| (number, line.strip_suffix('\r').unwrap_or(line)));
    numbered.filter(|(_, line)| !line.is_empty())
}

/// The line's quotes do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quoting;

/// Fields of a line into `out`: quoted or not, a quote in a quoted field twice.
pub(crate) fn fields<'t>(line: &'t str, mark: u8, out: &mut Vec<Cow<'t, str>>) -> Result<(), Quoting> {
    out.clear();
    let bytes = line.as_bytes();
    let mut at = 0;
    loop {
        if bytes.get(at) == Some(&b'"') {
            let (field, next) = quoted(line, at + 1)?;
            out.push(field);
            at = next;
        } else {
            let end = memchr::memchr(mark, &bytes[at..]).map_or(bytes.len(), |n| at + n);
            let field = &line[at..end];
            if field.contains('"') {
                return Err(Quoting);
            }
            out.push(Cow::Borrowed(field));
            at = end;
        }
        match bytes.get(at) {
            None => return Ok(()),
            Some(b) if *b == mark => at += 1,
            Some(_) => return Err(Quoting),
        }
    }
}

/// The quoted field that begins at `from`, and where what is behind its last quote begins.
fn quoted(line: &str, from: usize) -> Result<(Cow<'_, str>, usize), Quoting> {
    let bytes = line.as_bytes();
    let mut whole: Option<String> = None;
    let mut start = from;
    loop {
        let end = start + memchr::memchr(b'"', &bytes[start..]).ok_or(Quoting)?;
        let part = &line[start..end];
        if bytes.get(end + 1) == Some(&b'"') {
            let whole = whole.get_or_insert_default();
            whole.push_str(part);
            whole.push('"');
            start = end + 2;
            continue;
        }
        let field = match whole {
            None => Cow::Borrowed(part),
            Some(mut whole) => {
                whole.push_str(part);
                Cow::Owned(whole)
            }
        };
        return Ok((field, end + 1));
    }
}

/// Lines of a stream, one at a time, in UTF-8.
pub(crate) struct Stream<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Number of the line that was handed out last.
    line: u64,
}

impl<R: BufRead> Stream<R> {
    pub(crate) fn new(reader: R) -> Self {
        Stream { reader, buffer: Vec::new(), line: 0 }
    }

    /// The next line that is not empty, and its number from 1.
    pub(crate) fn next_line(&mut self) -> Result<Option<(u64, &str)>, MasterError> {
        loop {
            self.buffer.clear();
            let line = self.line + 1;
            let whole = self.fill().map_err(|source| MasterError::Stream { line, source })?;
            if !whole {
                return Err(MasterError::LineTooLong { line });
            }
            if self.buffer.is_empty() {
                return Ok(None);
            }
            self.line = line;
            if self.buffer.last() == Some(&b'\n') {
                self.buffer.pop();
            }
            if self.buffer.last() == Some(&b'\r') {
                self.buffer.pop();
            }
            if line == 1 && self.buffer.starts_with(b"\xEF\xBB\xBF") {
                self.buffer.drain(..3);
            }
            if !self.buffer.is_empty() {
                break;
            }
        }
        let line = self.line;
        let text = std::str::from_utf8(&self.buffer).map_err(|_| MasterError::NotUtf8 { line })?;
        Ok(Some((line, text)))
    }

    /// Bytes up to and with the line break; false where there are too many.
    fn fill(&mut self) -> std::io::Result<bool> {
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if available.is_empty() {
                return Ok(true);
            }
            let end = memchr::memchr(b'\n', available);
            let taken = end.map_or(available.len(), |n| n + 1);
            if self.buffer.len() + taken > MOST_LINE {
                return Ok(false);
            }
            self.buffer.extend_from_slice(&available[..taken]);
            self.reader.consume(taken);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<String>, Quoting> {
        let mut out = Vec::new();
        fields(line, b',', &mut out)?;
        Ok(out.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn fields_are_split_and_quotes_that_do_not_fit_are_said() {
        assert_eq!(split(r#""a","b ""c"", d","""#).unwrap(), ["a", r#"b "c", d"#, ""]);
        assert_eq!(split(r#""a","b ""c"", d","""""#).unwrap(), ["a", r#"b "c", d"#, "\""]);
        assert_eq!(split("a,,").unwrap(), ["a", "", ""]);
        assert_eq!(split("\"\"").unwrap(), [""]);
        for broken in ["\"a", "\"a\"b,c", "a\"b", "\""] {
            assert_eq!(split(broken), Err(Quoting), "{broken}");
        }
    }

    #[test]
    fn a_line_without_end_is_not_read_into_memory() {
        let mut stream = Stream::new(std::io::BufReader::new(std::io::Read::take(std::io::repeat(b'a'), 1 << 30)));
        assert!(matches!(stream.next_line(), Err(MasterError::LineTooLong { line: 1 })));
    }
}
