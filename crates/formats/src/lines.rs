//! A stream of bytes → physical lines with their numbers, in bounded memory.

use std::io::{self, Read};

/// Bytes asked for at a time.
const BLOCK: usize = 256 << 10;

/// Bytes that decide how lines end: longer than a line of nearly every file.
const LOOKED_AT: usize = 64 << 10;

/// One physical line, without its line end.
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Its bytes; empty when it was too long to be taken.
    pub bytes: &'a [u8],
    /// Whether it was longer than the limit: its bytes were passed over.
    pub too_long: bool,
}

impl Line<'_> {
    /// Whether nothing stands in it but blanks, NUL, or the end-of-file mark of old systems (0x1A).
    pub fn is_blank(&self) -> bool {
        !self.too_long && self.bytes.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | 0 | 0x1A))
    }
}

/// Reads lines; a line ends at LF, a CR before it is not part of it. Where the beginning has CRs and not one LF, as old systems write, a line
/// ends at CR.
pub struct Lines<'r> {
    end: Option<u8>,
    input: &'r mut dyn Read,
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    ended: bool,
    number: u64,
    limit: usize,
    bytes: u64,
}

impl<'r> Lines<'r> {
    /// Lines of at most `limit` bytes.
    pub fn new(input: &'r mut dyn Read, limit: usize) -> Self {
        Self { end: None, input, buffer: vec![0; BLOCK], start: 0, filled: 0, ended: false, number: 0, limit, bytes: 0 }
    }

    /// Bytes that were read from the input so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is there of the input before the first line is taken: at least `wanted` bytes, or all there are.
    ///
    /// # Errors
    /// When the input fails.
    pub fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.filled - self.start < wanted && !self.ended {
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.filled])
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 && (self.filled == self.buffer.len() || self.start == self.filled) {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.filled == self.buffer.len() {
            let longer = (self.buffer.len() * 2).min(self.limit.max(BLOCK) + BLOCK);
            self.buffer.resize(longer.max(self.buffer.len() + 1), 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(n) => {
                    self.filled += n;
                    self.bytes += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            return Ok(());
        }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// When the input fails.
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let end = match self.end {
            Some(end) => end,
            None => {
                let beginning = self.peek(LOOKED_AT)?;
                let beginning = &beginning[..beginning.len().min(LOOKED_AT)];
                let bare = memchr::memchr(b'\n', beginning).is_none() && memchr::memchr(b'\r', beginning).is_some();
                *self.end.insert(if bare { b'\r' } else { b'\n' })
            }
        };
        let mut searched = 0;
        let mut passed_over = false;
        loop {
            if let Some(at) = memchr::memchr(end, &self.buffer[self.start + searched..self.filled]) {
                let (from, to) = (self.start, self.start + searched + at);
                self.start = to + 1;
                return Ok(Some(self.line(from, to, passed_over)));
            }
            searched = self.filled - self.start;
            if self.ended {
                if searched == 0 && !passed_over {
                    return Ok(None);
                }
                let (from, to) = (self.start, self.filled);
                self.start = self.filled;
                return Ok(Some(self.line(from, to, passed_over)));
            }
            if searched > self.limit {
                passed_over = true;
                self.start = self.filled;
                searched = 0;
            }
            self.fill()?;
        }
    }

    fn line(&mut self, from: usize, to: usize, passed_over: bool) -> Line<'_> {
        self.number += 1;
        let too_long = passed_over || to - from > self.limit;
        let bytes = if too_long { &[] } else { &self.buffer[from..to] };
        Line { number: self.number, bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes), too_long }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8], limit: usize) -> Vec<(u64, Vec<u8>, bool)> {
        let mut input = bytes;
        let mut lines = Lines::new(&mut input, limit);
        let mut out = Vec::new();
        while let Some(line) = lines.next().expect("a slice does not fail") {
            out.push((line.number, line.bytes.to_vec(), line.too_long));
        }
        out
    }

    #[test]
    fn lines_are_those_of_a_naive_split_for_any_bytes() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
            let end = if !bytes.contains(&b'\n') && bytes.contains(&b'\r') { b'\r' } else { b'\n' };
            let mut naive: Vec<&[u8]> = bytes.split(|b| *b == end).collect();
            if naive.last().is_some_and(|l| l.is_empty()) {
                naive.pop();
            }
            let naive: Vec<Vec<u8>> = naive.iter().map(|l| l.strip_suffix(b"\r").unwrap_or(l).to_vec()).collect();
            let found: Vec<Vec<u8>> = lines(bytes, 1 << 20).into_iter().map(|l| l.1).collect();
            assert_eq!(found, naive);
        });
    }

    #[test]
    fn lines_of_old_systems_end_at_cr() {
        let found: Vec<Vec<u8>> = lines(b"a\rb\r\rc\r", 100).into_iter().map(|l| l.1).collect();
        assert_eq!(found, [b"a".to_vec(), b"b".to_vec(), vec![], b"c".to_vec()]);
        // One LF, and a CR is a letter.
        assert_eq!(lines(b"a\rb\nc", 100).len(), 2);
    }

    #[test]
    fn a_line_over_the_limit_is_passed_over_and_the_next_is_read() {
        let mut bytes = vec![b'x'; 3 << 20];
        bytes.extend_from_slice(b"\nshort\r\n");
        assert_eq!(lines(&bytes, 1 << 20), [(1, vec![], true), (2, b"short".to_vec(), false)]);
        assert_eq!(lines(b"", 10), []);
        assert_eq!(lines(&vec![b'x'; 2 << 20], 1 << 10), [(1, vec![], true)]);
    }
}
