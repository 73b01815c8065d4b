//! A line → its fields, by a delimiter, without copying.

use std::borrow::Cow;

use crate::written::{Scribe, narrow};

/// The fields of a line, numbered from 1 as the specifications number them.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    bytes: &'a [u8],
    ends: &'a [u32],
}

impl<'a> Row<'a> {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of a field, blanks around it left out; empty where the line has no such field.
    #[inline]
    pub fn get(&self, number: usize) -> &'a [u8] {
        if number == 0 || number > self.ends.len() {
            return &[];
        }
        let from = if number == 1 { 0 } else { self.ends[number - 2] as usize + 1 };
        let field = &self.bytes[from..self.ends[number - 1] as usize];
        match field {
            [b' ', ..] | [.., b' '] => field.trim_ascii(),
            _ => field,
        }
    }

    /// Everything from a field on, delimiters and all.
    pub fn rest(&self, number: usize) -> &'a [u8] {
        let from = if number <= 1 { 0 } else { self.ends.get(number - 2).map_or(self.bytes.len(), |e| *e as usize + 1) };
        self.bytes.get(from..).unwrap_or(&[])
    }

    /// Whether any field from `number` on has something in it.
    pub fn any_from(&self, number: usize) -> bool {
        (number..=self.len()).any(|n| !self.get(n).is_empty())
    }

    /// A field as a whole number.
    #[inline]
    pub fn int(&self, number: usize) -> Option<i64> {
        int(self.get(number))
    }

    /// A field as a number with a point.
    #[inline]
    pub fn decimal(&self, number: usize) -> Option<f64> {
        decimal(self.get(number))
    }

    /// A code: ASCII as it is; full-width letters and digits made half-width.
    #[inline]
    pub fn code(&self, number: usize, scribe: &mut Scribe) -> Cow<'a, str> {
        let bytes = self.get(number);
        if bytes.is_ascii() {
            return String::from_utf8_lossy(bytes);
        }
        match scribe.text(bytes) {
            Cow::Borrowed(text) => narrow(text),
            Cow::Owned(text) => Cow::Owned(narrow(&text).into_owned()),
        }
    }
}

/// Digits, at most 15.
#[inline]
pub fn int(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > 15 {
        return None;
    }
    let mut n = 0i64;
    for b in bytes {
        if !b.is_ascii_digit() {
            return None;
        }
        n = n * 10 + i64::from(b - b'0');
    }
    Some(n)
}

/// Digits with a sign and a point; nothing else.
#[inline]
pub fn decimal(bytes: &[u8]) -> Option<f64> {
    if let Some(n) = int(bytes) {
        return Some(n as f64);
    }
    let digits = bytes.strip_prefix(b"-").or_else(|| bytes.strip_prefix(b"+")).unwrap_or(bytes);
    let fits = !digits.is_empty()
        && digits.len() <= 24
        && digits.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        && digits.iter().any(u8::is_ascii_digit);
    if fits { std::str::from_utf8(bytes).ok()?.parse().ok() } else { None }
}

/// Splits lines; its memory is used again from line to line.
#[derive(Default)]
pub struct Splitter {
    ends: Vec<u32>,
    unquoted: Vec<u8>,
}

/// Stands for a delimiter that stood between quotes.
const INSIDE: u8 = 0x1F;

impl Splitter {
    /// The fields of a line.
    #[inline]
    pub fn split<'a>(&'a mut self, bytes: &'a [u8], delimiter: u8) -> Row<'a> {
        self.ends.clear();
        // Counted by hand: fields are short, and a vector search that begins anew at each of them is slower.
        for (at, b) in bytes.iter().enumerate() {
            if *b == delimiter {
                self.ends.push(at as u32);
            }
        }
        self.ends.push(bytes.len() as u32);
        Row { bytes, ends: &self.ends }
    }

    /// The fields of a line that has quotes in it, which are taken off; a delimiter between quotes is a blank then.
    pub fn split_quoted<'a>(&'a mut self, bytes: &[u8], delimiter: u8) -> Row<'a> {
        self.unquoted.clear();
        let mut inside = false;
        for b in bytes {
            match *b {
                b'"' => inside = !inside,
                b if b == delimiter && inside => self.unquoted.push(INSIDE),
                b => self.unquoted.push(b),
            }
        }
        self.ends.clear();
        for (at, b) in self.unquoted.iter_mut().enumerate() {
            if *b == delimiter {
                self.ends.push(at as u32);
            } else if *b == INSIDE {
                *b = b' ';
            }
        }
        self.ends.push(self.unquoted.len() as u32);
        Row { bytes: &self.unquoted, ends: &self.ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_a_naive_split_for_any_bytes() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
            let naive: Vec<&[u8]> = bytes.split(|b| *b == b',').map(|f| f.trim_ascii()).collect();
            let mut splitter = Splitter::default();
            let row = splitter.split(bytes, b',');
            assert_eq!(row.len(), naive.len());
            for (n, field) in naive.iter().enumerate() {
                assert_eq!(row.get(n + 1).trim_ascii(), *field);
            }
            assert!(row.get(row.len() + 1).is_empty() && row.get(0).is_empty());
        });
    }

    #[test]
    fn quotes_are_taken_off() {
        let mut splitter = Splitter::default();
        let row = splitter.split_quoted(b"\"RE\",\"1\",\"a,b\",", b',');
        assert_eq!((row.len(), row.get(1), row.get(3), row.get(4)), (4, &b"RE"[..], &b"a b"[..], &b""[..]));
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(decimal(b"1.5"), Some(1.5));
        assert_eq!(decimal(b"007"), Some(7.0));
        assert_eq!(decimal(b"-2"), Some(-2.0));
        for bad in [&b""[..], b".", b"1e5", b"nan", b"inf", b"1.2.3", b"-", b"1,5"] {
            assert_eq!(decimal(bad), None);
        }
    }
}
