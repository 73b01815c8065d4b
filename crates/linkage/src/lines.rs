//! CSV in pieces: whole records of some megabytes, so that several threads parse one file and memory stays bounded.

use std::io::Read;
use std::sync::Mutex;

/// Bytes read at a time. A record may not be longer.
const PIECE: usize = 4 << 20;

/// A reader that hands out pieces of whole records, numbered.
pub(crate) struct Pieces<R> {
    inner: Mutex<State<R>>,
}

struct State<R> {
    input: R,
    carry: Vec<u8>,
    number: usize,
    ended: bool,
}

/// Why no further piece can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceError {
    Unreadable,
    /// A record does not end: a quotation mark that was never closed.
    Endless,
}

impl<R: Read> Pieces<R> {
    pub fn new(input: R) -> Self {
        Self { inner: Mutex::new(State { input, carry: Vec::new(), number: 0, ended: false }) }
    }

    /// The next piece with its number, `None` at the end.
    pub fn next(&self) -> Result<Option<(usize, Vec<u8>)>, PieceError> {
        let Ok(mut state) = self.inner.lock() else { return Ok(None) };
        if state.ended {
            return Ok(None);
        }
        let mut piece = std::mem::take(&mut state.carry);
        let before = piece.len();
        piece.reserve_exact(PIECE);
        let read = state.input.by_ref().take(PIECE as u64).read_to_end(&mut piece).map_err(|_| PieceError::Unreadable)?;
        if read < PIECE {
            state.ended = true;
        } else {
            match record_end(&piece) {
                Some(end) => state.carry = piece.split_off(end),
                None => {
                    state.ended = true;
                    return Err(PieceError::Endless);
                }
            }
        }
        if before == 0 && read == 0 {
            return Ok(None);
        }
        let number = state.number;
        state.number += 1;
        Ok(Some((number, piece)))
    }
}

/// Behind the last line end that is not inside quotation marks.
fn record_end(piece: &[u8]) -> Option<usize> {
    if memchr::memchr(b'"', piece).is_none() {
        return memchr::memrchr(b'\n', piece).map(|at| at + 1);
    }
    let (mut quoted, mut end) = (false, None);
    for at in memchr::memchr2_iter(b'"', b'\n', piece) {
        match piece[at] {
            b'"' => quoted = !quoted,
            _ if !quoted => end = Some(at + 1),
            _ => {}
        }
    }
    end
}

/// Fields of one record at a time.
pub(crate) struct Records<'a> {
    rest: &'a str,
    /// Places of fields, and texts of those that had to be unquoted.
    fields: Vec<&'a str>,
    unquoted: Vec<String>,
    /// Which fields stand in `unquoted`.
    moved: Vec<(usize, usize)>,
}

impl<'a> Records<'a> {
    pub fn new(piece: &'a str) -> Self {
        Self { rest: piece, fields: Vec::new(), unquoted: Vec::new(), moved: Vec::new() }
    }

    /// Steps to the next record that is not an empty line. `false` at the end.
    pub fn step(&mut self) -> bool {
        loop {
            self.fields.clear();
            self.moved.clear();
            self.unquoted.clear();
            if self.rest.is_empty() {
                return false;
            }
            let line_end = memchr::memchr(b'\n', self.rest.as_bytes()).unwrap_or(self.rest.len());
            let line = &self.rest[..line_end];
            if memchr::memchr(b'"', line.as_bytes()).is_none() {
                self.rest = self.rest.get(line_end + 1..).unwrap_or("");
                let line = line.strip_suffix('\r').unwrap_or(line);
                if line.is_empty() {
                    continue;
                }
                let mut start = 0;
                for comma in memchr::memchr_iter(b',', line.as_bytes()) {
                    self.fields.push(&line[start..comma]);
                    start = comma + 1;
                }
                self.fields.push(&line[start..]);
                return true;
            }
            self.quoted();
            return true;
        }
    }

    fn quoted(&mut self) {
        let text = self.rest;
        let mut at = 0;
        loop {
            let bytes = text.as_bytes();
            if bytes.get(at) == Some(&b'"') {
                let mut value = String::new();
                at += 1;
                loop {
                    let close = memchr::memchr(b'"', &bytes[at..]).map_or(bytes.len(), |c| at + c);
                    value.push_str(&text[at..close]);
                    at = (close + 1).min(bytes.len());
                    if bytes.get(at) != Some(&b'"') || close == bytes.len() {
                        break;
                    }
                    value.push('"');
                    at += 1;
                }
                // anything between the closing mark and the comma belongs to the field
                let end = memchr::memchr2(b',', b'\n', &bytes[at..]).map_or(bytes.len(), |e| at + e);
                value.push_str(text[at..end].trim_end_matches('\r'));
                at = end;
                self.moved.push((self.fields.len(), self.unquoted.len()));
                self.unquoted.push(value);
                self.fields.push("");
            } else {
                let end = memchr::memchr2(b',', b'\n', &bytes[at..]).map_or(bytes.len(), |e| at + e);
                self.fields.push(text[at..end].trim_end_matches('\r'));
                at = end;
            }
            match bytes.get(at) {
                Some(b',') => at += 1,
                Some(_) => {
                    self.rest = &text[at + 1..];
                    return;
                }
                None => {
                    self.rest = "";
                    return;
                }
            }
        }
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn field(&self, at: usize) -> &str {
        if !self.moved.is_empty()
            && let Some((_, place)) = self.moved.iter().find(|(f, _)| *f == at)
        {
            return self.unquoted.get(*place).map_or("", String::as_str);
        }
        self.fields.get(at).copied().unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        let mut records = Records::new(text);
        let mut out = Vec::new();
        while records.step() {
            out.push((0..records.len()).map(|at| records.field(at).to_owned()).collect());
        }
        out
    }

    #[test]
    fn fields_are_read_as_rfc_4180_says() {
        assert_eq!(all("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\n3,"), [vec!["a", "b"], vec!["1", "x, \"y\"\nz"], vec!["3", ""]]);
        assert_eq!(all("\"\",\"open"), [["", "open"]]);
        assert_eq!(all(""), Vec::<Vec<String>>::new());
    }

    // the crate `csv` is the reference where it accepts the text
    #[test]
    fn pieces_and_records_agree_with_the_csv_crate() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
            let alphabet = ["a", ",", "\"", "\n", "あ", "\r\n", "1"];
            let text: String = bytes.iter().map(|b| alphabet[usize::from(*b) % alphabet.len()]).collect();
            let ours = all(&text);
            if text.contains('"') {
                return;
            }
            let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes()).into_records();
            let theirs: Vec<Vec<String>> = reader.map(|r| r.expect("no quotes").iter().map(str::to_owned).collect()).collect();
            assert_eq!(ours, theirs, "{text:?}");
        });
    }
}
