use std::io::{Chain, Cursor, Read};

use super::{TableError, separator};

/// Bytes in which the separator is looked for.
const LOOKED_AT: u64 = 64 << 10;

/// A CSV table that was looked into: what was read of it stands before the rest again.
pub type Opened<R> = csv::Reader<Chain<Cursor<Vec<u8>>, R>>;

/// A CSV table before its first row, by the separator given or the one found in its beginning. A byte order mark is passed over; rows
/// of another length than the header come as they are. With it the separator.
///
/// # Errors
/// [`TableError::Unreadable`]; [`TableError::Compressed`] for gzip.
pub fn open<R: Read>(mut source: R, name: &str, delimiter: Option<u8>) -> Result<(Opened<R>, u8), TableError> {
    let unreadable = |e: std::io::Error| TableError::Unreadable { file: name.to_owned(), reason: e.to_string() };
    let mut head = Vec::new();
    source.by_ref().take(LOOKED_AT).read_to_end(&mut head).map_err(unreadable)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return Err(TableError::Compressed { file: name.to_owned() });
    }
    let mark = "\u{feff}".len();
    let begin = if head.starts_with("\u{feff}".as_bytes()) { mark } else { 0 };
    let delimiter = delimiter.unwrap_or_else(|| separator(&head[begin..]));
    // What was looked at is read again as part of the whole.
    let mut head = Cursor::new(head);
    head.set_position(begin as u64);
    let mut builder = csv::ReaderBuilder::new();
    builder.flexible(true).delimiter(delimiter).buffer_capacity(1 << 18);
    Ok((builder.from_reader(head.chain(source)), delimiter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::measure::classes;

    #[test]
    fn a_table_is_opened_by_its_own_separator_without_its_byte_order_mark() {
        let (mut reader, delimiter) = open("\u{feff}a;b\n1,5;2\n".as_bytes(), "t", None).expect("a table");
        assert_eq!(delimiter, b';');
        assert_eq!(reader.headers().expect("a header"), vec!["a", "b"]);
        assert_eq!(reader.records().next().expect("a row").expect("readable"), vec!["1,5", "2"]);
        assert!(matches!(open(&[0x1f, 0x8b, 8][..], "t.gz", None), Err(TableError::Compressed { .. })));
    }

    #[test]
    fn a_row_that_is_too_short_is_named_where_risk_is_counted() {
        let found = classes("a,b\n1,2\n3\n".as_bytes(), "t", None, &["b".to_owned()]);
        assert!(matches!(found, Err(TableError::RowLength { line: 3, found: 1, expected: 2, .. })));
    }
}
