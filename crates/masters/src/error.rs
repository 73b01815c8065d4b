//! Why a file is refused.

use crate::kind::Kind;
use crate::read::MOST_ROWS;
use crate::text::{MOST_BYTES, MOST_FIELD, MOST_LINE};

/// Why a master or a vocabulary is refused. Lines and columns are numbered from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// Neither name nor content is one of a master that is known here.
    #[error(
        "{file_name}: neither its name nor its columns are those of a known master; name it as its issuer does (b_20240601.txt)"
    )]
    Unknown {
        /// Name of the file.
        file_name: String,
    },
    /// The name has no date.
    #[error("{file_name}: its name has no date (YYYYMMDD); say which day the edition is of")]
    NoDate {
        /// Name of the file.
        file_name: String,
    },
    /// Name and content, or what the caller says and content, are not of one master.
    #[error("line {line}: this should be the {} master, but column 2 says {found:?}", .expected.name())]
    Contradiction {
        /// What the name or the caller says.
        expected: Kind,
        /// Line.
        line: u32,
        /// What is there.
        found: String,
    },
    /// More than a master can have.
    #[error("the file has {bytes} bytes, a master at most {MOST_BYTES}")]
    TooLarge {
        /// Bytes of the file.
        bytes: usize,
    },
    /// More than a field can have.
    #[error("line {line}, column {column}: more than {MOST_FIELD} bytes in a field")]
    FieldTooLong {
        /// Line.
        line: u32,
        /// Column.
        column: usize,
    },
    /// Fewer columns than the layout has: a file that was cut off, or another layout.
    #[error("line {line}: {found} columns where the {} master has at least {needed}; fetch the file again", .kind.name())]
    Columns {
        /// The master.
        kind: Kind,
        /// Line.
        line: u32,
        /// Columns of the line.
        found: usize,
        /// Columns that are needed.
        needed: usize,
    },
    /// A header row without a column that is needed.
    #[error("line 1: there is no column {column:?}")]
    Header {
        /// The column.
        column: &'static str,
    },
    /// More than one row in a thousand has no code of the right form.
    #[error(
        "{bad} of {rows} rows of the {} master have no code of the right form, the first in line {line}, column {field}; a spreadsheet may have cut leading zeros: load the file as it was issued",
        .kind.name()
    )]
    BadRows {
        /// The master.
        kind: Kind,
        /// Rows that could not be loaded.
        bad: usize,
        /// All rows.
        rows: usize,
        /// The first of them.
        line: u32,
        /// Its field: number of the column, or its name; `-` where the whole line cannot be read.
        field: String,
    },
    /// More rows than a master can have.
    #[error("the {} master has more than {MOST_ROWS} rows", .kind.name())]
    TooManyRows {
        /// The master.
        kind: Kind,
    },
    /// No row.
    #[error("the {} master has no rows", .kind.name())]
    Empty {
        /// The master.
        kind: Kind,
    },
    /// A difference file where a whole one is needed.
    #[error("{file_name} has only what changed: apply it to the edition before it, or load the ALL file")]
    OnlyDifference {
        /// Name of the file.
        file_name: String,
    },
    /// A file that should have only what changed, and says of most rows that nothing did.
    #[error(
        "{file_name}: {unchanged} of {rows} rows say that nothing changed, so it seems to be whole; name it as its issuer does (y_ALL20240601.csv)"
    )]
    LooksWhole {
        /// Name of the file.
        file_name: String,
        /// Rows.
        rows: usize,
        /// Of these, unchanged.
        unchanged: usize,
    },
    /// A difference file does not follow the edition that it is applied to.
    #[error("{file_name} does not follow {previous}: {reason}")]
    NotAfter {
        /// Name of the difference file.
        file_name: String,
        /// Name of the edition.
        previous: String,
        /// Why.
        reason: &'static str,
    },
    /// There is an edition of that day already.
    #[error("there is an edition of the {} master of that day already: {loaded}", .kind.name())]
    SameDay {
        /// The master.
        kind: Kind,
        /// Name of the file that is loaded.
        loaded: String,
    },
    /// A vocabulary's stream failed.
    #[error("line {line}: {source}")]
    Stream {
        /// Line.
        line: u64,
        /// Why.
        source: std::io::Error,
    },
    /// A line has no end.
    #[error("line {line}: more than {MOST_LINE} bytes in a line")]
    LineTooLong {
        /// Line.
        line: u64,
    },
    /// Vocabularies are in UTF-8.
    #[error("line {line}: not UTF-8; load the file as it was issued")]
    NotUtf8 {
        /// Line.
        line: u64,
    },
    /// A vocabulary's line has fewer columns than its header.
    #[error("line {line}: no column {column:?}")]
    NoColumn {
        /// Line.
        line: u64,
        /// Column.
        column: &'static str,
    },
    /// A vocabulary's value is not what its column has.
    #[error("line {line}, column {column:?}: {value:?} is no {expected}")]
    Value {
        /// Line.
        line: u64,
        /// Column.
        column: &'static str,
        /// What is there, at most some characters of it.
        value: String,
        /// What should be there.
        expected: &'static str,
    },
    /// Quotes that do not fit in a vocabulary's line.
    #[error("line {line}: its quotes do not fit")]
    Quotes {
        /// Line.
        line: u64,
    },
}
