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

/// Behind the last line end that is not inside quotation marks. As [`Records`] reads: a mark opens only where a field begins, everywhere else
/// outside a quoted text it is a letter (5" x).
pub(crate) fn record_end(piece: &[u8]) -> Option<usize> {
    if memchr::memchr(b'"', piece).is_none() {
        return memchr::memrchr(b'\n', piece).map(|at| at + 1);
    }
    let (mut quoted, mut end, mut escaped) = (false, None, None);
    for at in memchr::memchr2_iter(b'"', b'\n', piece) {
        match piece[at] {
            b'"' if escaped == Some(at) => {}
            b'"' if quoted && piece.get(at + 1) == Some(&b'"') => escaped = Some(at + 1),
            b'"' if quoted => quoted = false,
            b'"' => quoted = at == 0 || matches!(piece[at - 1], b',' | b'\n'),
            _ if !quoted => end = Some(at + 1),
            _ => {}
        }
    }
    end
}

/// A quotation mark that was never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endless;

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
    pub fn step(&mut self) -> Result<bool, Endless> {
        loop {
            self.fields.clear();
            self.moved.clear();
            self.unquoted.clear();
            if self.rest.is_empty() {
                return Ok(false);
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
                return Ok(true);
            }
            self.quoted()?;
            return Ok(true);
        }
    }

    fn quoted(&mut self) -> Result<(), Endless> {
        let text = self.rest;
        let mut at = 0;
        loop {
            let bytes = text.as_bytes();
            if bytes.get(at) == Some(&b'"') {
                let mut value = String::new();
                at += 1;
                loop {
                    let close = memchr::memchr(b'"', &bytes[at..]).map(|c| at + c).ok_or(Endless)?;
                    value.push_str(&text[at..close]);
                    at = close + 1;
                    if bytes.get(at) != Some(&b'"') {
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
                    return Ok(());
                }
                None => {
                    self.rest = "";
                    return Ok(());
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

    fn read(text: &str) -> Result<Vec<Vec<String>>, Endless> {
        let mut records = Records::new(text);
        let mut out = Vec::new();
        while records.step()? {
            out.push((0..records.len()).map(|at| records.field(at).to_owned()).collect());
        }
        Ok(out)
    }

    fn all(text: &str) -> Vec<Vec<String>> {
        read(text).expect("records that end")
    }

    #[test]
    fn fields_are_read_as_rfc_4180_says() {
        assert_eq!(all("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\n3,"), [vec!["a", "b"], vec!["1", "x, \"y\"\nz"], vec!["3", ""]]);
        assert_eq!(all(""), Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_an_error_and_swallows_nothing() {
        for text in ["\"\",\"open", "a,\"1\nb,2\nc,3\n", "\"", "\"a\"\""] {
            assert_eq!(read(text), Err(Endless), "{text:?}");
        }
    }

    #[test]
    fn a_quotation_mark_inside_a_field_is_a_letter_in_large_files_as_in_small_ones() {
        let text = "a,5\" x\nb,\"2\n3\"\"\"\n";
        assert_eq!(all(text), [["a", "5\" x"], ["b", "2\n3\""]]);
        assert_eq!(record_end(text.as_bytes()), Some(text.len()));
        assert_eq!(record_end(&text.as_bytes()[..text.len() - 1]), Some("a,5\" x\n".len()));
    }

    // pieces end where records end
    #[test]
    fn the_end_of_a_piece_is_the_end_of_a_record() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
            let alphabet = ["a", ",", "\"", "\n", "\"\"", ",\"", "\"\n"];
            let text: String = bytes.iter().map(|b| alphabet[usize::from(*b) % alphabet.len()]).collect();
            let Some(end) = record_end(text.as_bytes()) else { return };
            let (head, tail) = text.split_at(end);
            let head = read(head).expect("whole records");
            match (read(&text), read(tail)) {
                (Ok(whole), Ok(tail)) => assert_eq!(whole, [head, tail].concat(), "{text:?}"),
                (whole, tail) => assert_eq!((whole, tail), (Err(Endless), Err(Endless)), "{text:?}"),
            }
        });
    }

    // the crate `csv` is the reference where it accepts the text
    #[test]
    fn records_without_quotes_agree_with_the_csv_crate() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
            let alphabet = ["a", ",", "\"", "\n", "あ", "\r\n", "1"];
            let text: String = bytes.iter().map(|b| alphabet[usize::from(*b) % alphabet.len()]).collect();
            if text.contains('"') {
                return;
            }
            let ours = all(&text);
            let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes()).into_records();
            let theirs: Vec<Vec<String>> = reader.map(|r| r.expect("no quotes").iter().map(str::to_owned).collect()).collect();
            assert_eq!(ours, theirs, "{text:?}");
        });
    }
}
