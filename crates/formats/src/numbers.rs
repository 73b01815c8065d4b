//! Numbers of fields: half-width or full-width, and told where they are none.

use messages::{Message as Text, Severity};

use crate::columns::{Row, decimal, int};
use crate::rows::Book;
use crate::written::Scribe;

/// A field that should be a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number<N> {
    /// There is nothing in it.
    Empty,
    /// A number.
    Is(N),
    /// Something else, which a finding tells.
    Unread,
}

impl<N> Number<N> {
    /// The number, if it is one.
    pub fn some(self) -> Option<N> {
        match self {
            Number::Is(n) => Some(n),
            _ => None,
        }
    }
}

fn read<N>(
    parse: fn(&[u8]) -> Option<N>,
    row: Row<'_>,
    field: usize,
    at: (&str, u64),
    scribe: &mut Scribe,
    book: &mut Book,
) -> Number<N> {
    let bytes = row.get(field);
    if bytes.is_empty() {
        return Number::Empty;
    }
    if let Some(number) = parse(bytes) {
        return Number::Is(number);
    }
    let narrow = row.code(field, scribe);
    let trimmed = narrow.trim();
    if trimmed.is_empty() {
        return Number::Empty;
    }
    match parse(trimmed.as_bytes()) {
        Some(number) => Number::Is(number),
        None => {
            book.say_line(Severity::Warning, Text::new("formats-number"), at, field);
            Number::Unread
        }
    }
}

/// A field as a whole number.
pub fn whole_at(row: Row<'_>, field: usize, at: (&str, u64), scribe: &mut Scribe, book: &mut Book) -> Number<i64> {
    read(int, row, field, at, scribe, book)
}

/// A field as a number with a point.
pub fn decimal_at(row: Row<'_>, field: usize, at: (&str, u64), scribe: &mut Scribe, book: &mut Book) -> Number<f64> {
    read(decimal, row, field, at, scribe, book)
}
