//! Claims without some people: a claim is what stands from RE to the next one, and stays or goes as a whole.
//!
//! GO says how many claims and points there are (記録条件仕様, GO 2 and 3): what was left out since the GO before it is taken off where it states
//! numbers. One GO behind several volumes counts all of them. Claim numbers (RE 2) keep their gaps.

use std::io::{Read, Write};

use super::claim::{Claim, Header};
use super::forms::{Form, is_counted};
use super::reader::{LONGEST, header, is_known};
use crate::Home;
use crate::columns::{Splitter, int};
use crate::rows::Book;
use crate::without::{Kept, People, Raw, WithoutError, nobodys};
use crate::written::Scribe;

/// Longest claim that is held until it is known whose it is.
const LONGEST_CLAIM: usize = 64 << 20;

/// The claim being read.
struct Open {
    claim: Claim,
    line: u64,
    bytes: Vec<u8>,
    opened: bool,
}

/// Lines between two claims.
#[derive(Default)]
struct Between(Vec<(bool, Vec<u8>)>);

impl Between {
    /// MN is the key of a claim, and stands at its beginning or its end: beside one that is left out it goes with it.
    fn write(&mut self, beside_left: bool, out: &mut dyn Write) -> std::io::Result<()> {
        for (_, bytes) in self.0.drain(..).filter(|(is_key, _)| !(*is_key && beside_left)) {
            out.write_all(&bytes)?;
        }
        Ok(())
    }
}

struct Filter<'a> {
    path: &'a str,
    home: &'a Home,
    people: &'a mut People,
    dpc_name: bool,
    header: Option<Header>,
    open: Option<Open>,
    between: Between,
    /// Whether the claim before was left out.
    before_left: bool,
    kept: Kept,
    /// Claims and points that were left out since the last total.
    left: (u64, f64),
    /// Findings of heads: said by the reader, not here.
    book: Book,
}

impl Filter<'_> {
    /// The first line that is none of the head: from here on it is known whose the claim is.
    fn opened(&mut self, bundle: bool, scribe: &mut Scribe) {
        if let Some(open) = self.open.as_mut().filter(|o| !o.opened) {
            open.opened = true;
            let dpc = bundle || (self.dpc_name && open.claim.form == Form::Medical);
            open.claim.open(dpc, self.home, scribe, &mut self.book, false);
        }
    }

    fn end_claim(&mut self, scribe: &mut Scribe, out: &mut dyn Write) -> Result<(), WithoutError> {
        self.opened(false, scribe);
        let _ = scribe.take();
        self.book = Book::new(usize::MAX);
        let Some(open) = self.open.take() else { return Ok(()) };
        let unknown = || nobodys(self.path, open.line, "formats-no-patient");
        let left = match open.claim.local_id.as_str() {
            "" => return Err(unknown()),
            id => self.people.is_left(id).ok_or_else(unknown)?,
        };
        if let Some(why) = open.claim.doubt {
            return Err(nobodys(self.path, open.line, why));
        }
        // Under the code of another institution the chart can be the sender's all the same: the code is typed by hand.
        let left = left || (!open.claim.chart.is_empty() && self.people.is_left(&open.claim.chart) == Some(true));
        self.between.write(left || self.before_left, out)?;
        // Keys at the end may be of the next one.
        let mut end = open.bytes.len();
        let mut keys = Vec::new();
        while let Some((from, line)) = last_line(&open.bytes[..end]).filter(|(_, line)| line.starts_with(b"MN,")) {
            keys.push((true, line.to_vec()));
            end = from;
        }
        self.between.0.extend(keys.into_iter().rev());
        if left {
            self.kept.left_out += 1;
            self.left.0 += 1;
            self.left.1 += open.claim.points().unwrap_or(0.0);
        } else {
            self.kept.people = true;
            out.write_all(&open.bytes[..end])?;
        }
        self.before_left = left;
        Ok(())
    }

    fn keep_line(&mut self, line: &[u8]) {
        match &mut self.open {
            Some(open) => open.bytes.extend_from_slice(line),
            None => self.between.0.push((false, line.to_vec())),
        }
    }

    /// GO without what was left out.
    fn total(&self, line: &[u8]) -> Vec<u8> {
        let mut fields: Vec<Vec<u8>> = line.split(|b| *b == b',').map(<[u8]>::to_vec).collect();
        for (place, left) in [(1, self.left.0 as f64), (2, self.left.1)] {
            let Some(field) = fields.get_mut(place) else { continue };
            let Some(from) = field.iter().position(u8::is_ascii_digit) else { continue };
            let to = field[from..].iter().position(|b| !b.is_ascii_digit()).map_or(field.len(), |n| from + n);
            if let Some(stated) = int(&field[from..to]) {
                let rest = (stated - left.round() as i64).max(0);
                field.splice(from..to, rest.to_string().into_bytes());
            }
        }
        fields.join(&b',')
    }
}

/// Where the last line of these begins, and the line with its end.
fn last_line(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let without_end = bytes.trim_ascii_end();
    if without_end.is_empty() {
        return None;
    }
    let from = without_end.iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
    Some((from, &bytes[from..]))
}

/// Writes a file without the claims of those who are left out.
pub fn write_without(
    path: &str,
    content: &mut dyn Read,
    out: &mut dyn Write,
    home: &Home,
    people: &mut People,
) -> Result<Kept, WithoutError> {
    let (mut lines, beginning) = Raw::new(content, LONGEST)?;
    let (mut scribe, mut splitter) = (Scribe::of(&beginning), Splitter::default());
    let name = path.rsplit('/').next().unwrap_or("").to_ascii_uppercase();
    let mut filter = Filter {
        path,
        home,
        people,
        dpc_name: name.starts_with("RECEIPTD"),
        header: None,
        open: None,
        between: Between::default(),
        before_left: false,
        kept: Kept::default(),
        left: (0, 0.0),
        book: Book::new(usize::MAX),
    };
    while lines.advance(path)? {
        let number = lines.number();
        let unknown = |why| nobodys(path, number, why);
        if lines.is_blank() {
            filter.keep_line(lines.whole());
            continue;
        }
        if lines.is_torn() {
            return Err(unknown("formats-line-in-line"));
        }
        let bytes = lines.text();
        let bytes = bytes.strip_suffix(&[0x1A]).unwrap_or(bytes);
        let (row, bytes) = if memchr::memchr(b'"', bytes).is_some() {
            let row = splitter.split_quoted(bytes, b',');
            (row, row.rest(1))
        } else {
            (splitter.split(bytes, b','), bytes)
        };
        let Ok(record) = <[u8; 2]>::try_from(row.get(1)) else { return Err(unknown("receipt-unknown-record")) };
        match &record {
            b"IR" | b"UK" | b"YK" | b"HM" => {
                filter.end_claim(&mut scribe, out)?;
                let billed = filter.header.as_ref().and_then(|h| h.billed);
                filter.header = header(row, &record, &mut scribe).map(|h| Header { billed: h.billed.or(billed), ..h });
                filter.between.0.push((false, lines.whole().to_vec()));
            }
            b"GO" => {
                filter.end_claim(&mut scribe, out)?;
                filter.between.write(filter.before_left, out)?;
                let total = if filter.left.0 > 0 { filter.total(lines.whole()) } else { lines.whole().to_vec() };
                out.write_all(&total)?;
                filter.left = (0, 0.0);
                filter.before_left = false;
            }
            b"RE" => {
                filter.end_claim(&mut scribe, out)?;
                let Some(header) = &filter.header else { return Err(unknown("receipt-no-header")) };
                // With a code that is not whole every chart would be another institution's.
                if !home.is_insurer()
                    && (header.institution.len() != 10 || !header.institution.bytes().all(|b| b.is_ascii_digit()))
                {
                    return Err(unknown("formats-institution"));
                }
                let claim = Claim::new(header, number, bytes);
                filter.open = Some(Open { claim, line: number, bytes: lines.whole().to_vec(), opened: false });
            }
            b"MN" if filter.open.is_none() => filter.between.0.push((true, lines.whole().to_vec())),
            r if !is_known(r) && !is_counted(r) => return Err(unknown("receipt-unknown-record")),
            r => {
                match filter.open.as_mut() {
                    None => return Err(unknown("receipt-no-claim")),
                    Some(open) if matches!(r, b"HO" | b"KO" | b"SN" | b"JD") => {
                        // The head of another claim whose RE cannot be read.
                        if open.opened {
                            return Err(unknown("receipt-late-head"));
                        }
                        open.claim.head(number, bytes);
                    }
                    Some(_) if r == b"MF" => {}
                    Some(_) => filter.opened(r == b"BU", &mut scribe),
                }
                filter.keep_line(lines.whole());
                if filter.open.as_ref().is_some_and(|open| open.bytes.len() > LONGEST_CLAIM) {
                    return Err(unknown("formats-file-too-long"));
                }
            }
        }
    }
    filter.end_claim(&mut scribe, out)?;
    filter.between.write(filter.before_left, out)?;
    Ok(filter.kept)
}
