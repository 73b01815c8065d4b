//! A pull parser for BER (X.690) on a stream: definite and indefinite lengths, every length checked against what holds it, nothing read
//! ahead into memory beyond what the caller bounds.

use std::io::{self, BufReader, Read};

use super::der;
use crate::SealError;

/// Deeper than any structure that we read.
const DEEPEST: usize = 24;

pub(crate) struct Ber<R> {
    inner: BufReader<R>,
    offset: u64,
    /// Where the innermost element with a definite length ends.
    limit: u64,
    peeked: Option<u8>,
    open: Vec<Frame>,
}

struct Frame {
    indefinite: bool,
    end: u64,
    limit_outside: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Definite(u64),
    Indefinite,
}

impl<R: Read> Ber<R> {
    pub(crate) fn new(inner: R) -> Self {
        Ber { inner: BufReader::with_capacity(64 * 1024, inner), offset: 0, limit: u64::MAX, peeked: None, open: Vec::new() }
    }

    pub(crate) fn get_ref(&self) -> &R {
        self.inner.get_ref()
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), SealError> {
        let wanted = buffer.len() as u64;
        if self.limit - self.offset < wanted {
            return Err(SealError::Malformed("a length past the end of what holds it"));
        }
        self.inner.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SealError::from(error).into_truncated(),
            _ => SealError::from(error),
        })?;
        self.offset += wanted;
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, SealError> {
        let mut one = [0];
        self.fill(&mut one)?;
        Ok(one[0])
    }

    fn tag(&mut self) -> Result<u8, SealError> {
        match self.peeked.take() {
            Some(tag) => Ok(tag),
            None => self.byte(),
        }
    }

    fn length(&mut self) -> Result<Length, SealError> {
        let first = self.byte()?;
        if first < 0x80 {
            return self.checked(first.into());
        }
        if first == 0x80 {
            return Ok(Length::Indefinite);
        }
        let count = usize::from(first & 0x7F);
        if count > 8 {
            return Err(SealError::Malformed("a length of more than eight bytes"));
        }
        let mut bytes = [0; 8];
        self.fill(&mut bytes[8 - count..])?;
        self.checked(u64::from_be_bytes(bytes))
    }

    fn checked(&self, length: u64) -> Result<Length, SealError> {
        if self.limit - self.offset < length {
            return Err(SealError::Malformed("a length past the end of what holds it"));
        }
        Ok(Length::Definite(length))
    }

    /// The tag of the next element, or `None` at the end of the element that is open.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, SealError> {
        if let Some(tag) = self.peeked {
            return Ok((tag != 0).then_some(tag));
        }
        let Some(frame) = self.open.last() else { return Err(SealError::Malformed("the outermost element")) };
        if !frame.indefinite && self.offset == frame.end {
            return Ok(None);
        }
        let in_indefinite = frame.indefinite;
        let tag = self.byte()?;
        if tag & 0x1F == 0x1F {
            return Err(SealError::Malformed("a tag of several bytes"));
        }
        if tag == 0 && !in_indefinite {
            return Err(SealError::Malformed("an end mark in an element of definite length"));
        }
        self.peeked = Some(tag);
        Ok((tag != 0).then_some(tag))
    }

    /// Goes into an element that holds others.
    pub(crate) fn enter(&mut self, tag: u8, what: &'static str) -> Result<(), SealError> {
        if self.tag()? != tag {
            return Err(SealError::Malformed(what));
        }
        if self.open.len() >= DEEPEST {
            return Err(SealError::Malformed("elements nested too deep"));
        }
        let frame = match self.length()? {
            Length::Definite(n) => Frame { indefinite: false, end: self.offset + n, limit_outside: self.limit },
            Length::Indefinite => Frame { indefinite: true, end: 0, limit_outside: self.limit },
        };
        if !frame.indefinite {
            self.limit = frame.end;
        }
        self.open.push(frame);
        Ok(())
    }

    /// Leaves the element that is open. Anything left in it is an error.
    pub(crate) fn leave(&mut self, what: &'static str) -> Result<(), SealError> {
        if self.peek()?.is_some() {
            return Err(SealError::Malformed(what));
        }
        let Some(frame) = self.open.pop() else { return Err(SealError::Malformed(what)) };
        if frame.indefinite {
            self.peeked = None;
            if self.byte()? != 0 {
                return Err(SealError::Malformed("an end mark"));
            }
        }
        self.limit = frame.limit_outside;
        Ok(())
    }

    /// Begins a primitive element; its length. The content is then read with [`Ber::content`].
    pub(crate) fn begin(&mut self, tag: u8, what: &'static str) -> Result<u64, SealError> {
        if self.tag()? != tag {
            return Err(SealError::Malformed(what));
        }
        match self.length()? {
            Length::Definite(n) => Ok(n),
            Length::Indefinite => Err(SealError::Malformed(what)),
        }
    }

    /// Exactly the next bytes of a primitive element.
    pub(crate) fn content(&mut self, buffer: &mut [u8]) -> Result<(), SealError> {
        self.fill(buffer)
    }

    /// A primitive element of at most `limit` bytes, whole.
    pub(crate) fn primitive(&mut self, tag: u8, limit: usize, what: &'static str) -> Result<Vec<u8>, SealError> {
        let length = self.begin(tag, what)?;
        if length > limit as u64 {
            return Err(SealError::TooLarge { what, limit: limit as u64 });
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// An element of definite length and at most `limit` bytes, with its tag and length in their shortest form.
    pub(crate) fn whole(&mut self, tag: u8, limit: usize, what: &'static str) -> Result<Vec<u8>, SealError> {
        let content = self.primitive(tag, limit, what)?;
        Ok(der::element(tag, &[&content]))
    }

    /// The content of an OCTET STRING in one part or in several, at most `limit` bytes.
    pub(crate) fn octets(&mut self, limit: usize, what: &'static str) -> Result<Vec<u8>, SealError> {
        if self.peek()? != Some(der::OCTETS_IN_PARTS) {
            return self.primitive(der::OCTETS, limit, what);
        }
        let mut out = Vec::new();
        self.enter(der::OCTETS_IN_PARTS, what)?;
        while self.peek()?.is_some() {
            let part = self.primitive(der::OCTETS, limit - out.len(), what)?;
            out.extend_from_slice(&part);
        }
        self.leave(what)?;
        Ok(out)
    }

    /// Passes over one element of at most `limit` bytes altogether, whatever is in it.
    pub(crate) fn skip(&mut self, limit: u64, what: &'static str) -> Result<(), SealError> {
        let start = self.offset;
        let depth = self.open.len();
        let mut scratch = [0; 512];
        loop {
            let Some(tag) = self.peek()? else {
                if self.open.len() == depth {
                    return Err(SealError::Malformed(what));
                }
                self.leave(what)?;
                if self.open.len() == depth {
                    return Ok(());
                }
                continue;
            };
            if tag & 0x20 != 0 {
                self.enter(tag, what)?;
            } else {
                let mut left = self.begin(tag, what)?;
                if left > limit {
                    return Err(SealError::TooLarge { what, limit });
                }
                while left > 0 {
                    let n = left.min(scratch.len() as u64) as usize;
                    self.fill(&mut scratch[..n])?;
                    left -= n as u64;
                }
                if self.open.len() == depth {
                    return Ok(());
                }
            }
            if self.offset - start > limit {
                return Err(SealError::TooLarge { what, limit });
            }
        }
    }

    /// After the outermost element: nothing may follow it.
    pub(crate) fn finish(&mut self) -> Result<(), SealError> {
        let mut one = [0];
        loop {
            match self.inner.read(&mut one) {
                Ok(0) => return Ok(()),
                Ok(_) => return Err(SealError::Malformed("bytes after the end")),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl SealError {
    /// The end of a stream is the end of the structure; an error of ours that came up through the stream stays what it is.
    fn into_truncated(self) -> SealError {
        match self {
            SealError::Io(_) => SealError::Truncated,
            ours => ours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definite_and_indefinite_elements_read_alike() {
        for bytes in [&[0x30, 0x03, 0x02, 0x01, 0x07][..], &[0x30, 0x80, 0x02, 0x01, 0x07, 0x00, 0x00]] {
            let mut ber = Ber::new(bytes);
            ber.enter(der::SEQUENCE, "sequence").expect("a sequence");
            assert_eq!(ber.primitive(der::INTEGER, 4, "number").expect("a number"), [7]);
            assert!(ber.peek().expect("readable").is_none());
            ber.leave("sequence").expect("its end");
            ber.finish().expect("nothing more");
        }
    }

    #[test]
    fn a_length_past_its_container_or_past_all_bounds_is_refused_without_allocating() {
        let inner_too_long = [0x30, 0x03, 0x04, 0x05, 0, 0, 0, 0, 0];
        let mut ber = Ber::new(&inner_too_long[..]);
        ber.enter(der::SEQUENCE, "s").expect("a sequence");
        assert!(matches!(ber.primitive(der::OCTETS, 100, "o"), Err(SealError::Malformed(_))));

        let huge = [0x04, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        assert!(matches!(Ber::new(&huge[..]).primitive(der::OCTETS, 100, "o"), Err(SealError::TooLarge { .. })));
        let nine = [0x04, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        assert!(matches!(Ber::new(&nine[..]).primitive(der::OCTETS, 100, "o"), Err(SealError::Malformed(_))));
        let wraps = [0x30, 0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        assert!(Ber::new(&wraps[..]).enter(der::SEQUENCE, "s").is_err());
        assert!(matches!(Ber::new(&[0x30u8; 200].map(|_| 0x30)[..]).skip(1 << 20, "s"), Err(SealError::Malformed(_))));
    }

    #[test]
    fn skipping_passes_over_nested_elements_and_stops_at_its_bound() {
        let bytes = [0x30, 0x80, 0x31, 0x80, 0x04, 0x01, 0xAA, 0x00, 0x00, 0x02, 0x01, 0x05, 0x00, 0x00];
        let mut ber = Ber::new(&bytes[..]);
        ber.enter(der::SEQUENCE, "s").expect("a sequence");
        ber.skip(100, "set").expect("skipped");
        assert_eq!(ber.primitive(der::INTEGER, 4, "n").expect("a number"), [5]);
        ber.leave("s").expect("its end");

        let mut ber = Ber::new(&bytes[..]);
        ber.enter(der::SEQUENCE, "s").expect("a sequence");
        assert!(ber.skip(3, "set").is_err());
    }

    #[test]
    fn whatever_the_bytes_the_parser_ends_without_panic() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
            let mut ber = Ber::new(bytes.as_slice());
            if ber.enter(der::SEQUENCE, "s").is_ok() {
                let _ = ber.octets(64, "o");
                while matches!(ber.peek(), Ok(Some(_))) && ber.skip(1000, "s").is_ok() {}
                let _ = ber.leave("s").and_then(|()| ber.finish());
            }
        });
    }
}
