//! Lines of a file of records as an editor counts them, whatever ends them: the reader of CSV counts one fewer where that is CR and LF.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::policy::unreadable;
use crate::failure::Failure;

/// A file with the place up to which its lines are counted.
pub(super) struct Lines<'b> {
    bytes: &'b [u8],
    line: u64,
    byte: usize,
}

/// The whole of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut f| f.read_to_end(&mut bytes)).map_err(|e| unreadable(path, &e))?;
    Ok(bytes)
}

impl<'b> Lines<'b> {
    /// Nothing is counted yet.
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Lines { bytes, line: 1, byte: 0 }
    }

    /// The line on which a record begins; records are asked for in their order. 1 where the reader names no place.
    pub(super) fn at(&mut self, place: Option<&csv::Position>) -> u64 {
        let place = place.map_or(0, csv::Position::byte);
        let after_last = usize::try_from(place).unwrap_or(usize::MAX).clamp(self.byte, self.bytes.len());
        // A record's place is behind the one before it: what ends that, and empty lines between them, come first.
        let ends = self.bytes[after_last..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let begin = after_last + ends;
        self.line += self.bytes[self.byte..begin].iter().filter(|b| **b == b'\n').count() as u64;
        self.byte = begin;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_one_that_an_editor_shows_whatever_ends_it() {
        for end in ["\n", "\r\n"] {
            let text = ["a,b", "1,2", "\"3", "4\",5", "", "6,7", "8,9", ""].join(end);
            let mut lines = Lines::new(text.as_bytes());
            let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
            let found: Vec<u64> = reader.records().map(|r| lines.at(r.expect("a record").position())).collect();
            assert_eq!(found, [2, 3, 6, 7], "{end:?}");
        }
    }
}
