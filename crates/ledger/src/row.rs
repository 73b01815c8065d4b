//! Rows: reading their columns as the types of the field, and their SHA-256 as the journal keeps it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row, TypeInfo, ValueRef};

use crate::LedgerError;
use crate::error::Result;

/// A row with the table it is of, for errors.
pub(crate) struct Columns<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a SqliteRow,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(table: &'static str, row: &'a SqliteRow) -> Self {
        Columns { table, row }
    }

    fn malformed(&self, column: &str) -> LedgerError {
        LedgerError::Malformed { table: self.table.to_owned(), column: column.to_owned() }
    }

    pub(crate) fn get<T>(&self, column: &str) -> Result<T>
    where
        T: sqlx::Decode<'a, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.row.try_get(column).map_err(|_| self.malformed(column))
    }

    pub(crate) fn parsed<T: FromStr>(&self, column: &str) -> Result<T> {
        self.get::<&str>(column)?.parse().map_err(|_| self.malformed(column))
    }

    pub(crate) fn parsed_if<T: FromStr>(&self, column: &str) -> Result<Option<T>> {
        match self.get::<Option<&str>>(column)? {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.malformed(column)),
        }
    }

    pub(crate) fn hash(&self, column: &str) -> Result<[u8; 32]> {
        self.get::<&[u8]>(column)?.try_into().map_err(|_| self.malformed(column))
    }

    pub(crate) fn hash_if(&self, column: &str) -> Result<Option<[u8; 32]>> {
        match self.get::<Option<&[u8]>>(column)? {
            None => Ok(None),
            Some(bytes) => bytes.try_into().map(Some).map_err(|_| self.malformed(column)),
        }
    }

    pub(crate) fn json<T: for<'de> Deserialize<'de>>(&self, column: &str) -> Result<T> {
        serde_json::from_str(self.get::<&str>(column)?).map_err(|_| self.malformed(column))
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool> {
        Ok(self.get::<i64>(column)? != 0)
    }

    pub(crate) fn time(&self, column: &str) -> Result<Timestamp> {
        self.parsed(column)
    }
}

/// SHA-256 of a row: table, then name, type and value of each column that is not null, each with its length. Columns
/// that are null count as if they were not there, so a column that a later migration adds changes no older digest.
pub(crate) fn digest(table: &str, row: &SqliteRow) -> Result<[u8; 32]> {
    let malformed = |column: &str| LedgerError::Malformed { table: table.to_owned(), column: column.to_owned() };
    let mut sha = Sha256::new();
    let mut part = |bytes: &[u8]| {
        sha.update(&(bytes.len() as u64).to_be_bytes());
        sha.update(bytes);
    };
    part(table.as_bytes());
    for column in row.columns() {
        let name = column.name();
        let value = row.try_get_raw(column.ordinal()).map_err(|_| malformed(name))?;
        if value.is_null() {
            continue;
        }
        part(name.as_bytes());
        let kind = value.type_info().name().to_owned();
        match kind.as_str() {
            "INTEGER" => {
                part(b"i");
                let number: i64 = row.try_get(column.ordinal()).map_err(|_| malformed(name))?;
                part(&number.to_be_bytes());
            }
            "TEXT" => {
                part(b"t");
                part(row.try_get::<&str, _>(column.ordinal()).map_err(|_| malformed(name))?.as_bytes());
            }
            "BLOB" => {
                part(b"b");
                part(row.try_get::<&[u8], _>(column.ordinal()).map_err(|_| malformed(name))?);
            }
            _ => return Err(malformed(name)),
        }
    }
    Ok(sha.finish())
}

/// What an event says about a row that it changed: the row as it is now, or that it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowMark {
    /// Table.
    #[serde(rename = "t")]
    pub table: String,
    /// Primary key, columns joined by `/`.
    #[serde(rename = "k")]
    pub key: String,
    /// SHA-256 of the row in hexadecimal.
    #[serde(rename = "h")]
    pub sha256: Hex32,
}

/// What an event says about many rows of one table that it added: they carry the event's number in column `batch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchMark {
    /// Table.
    #[serde(rename = "t")]
    pub table: String,
    /// Number of rows.
    #[serde(rename = "n")]
    pub count: u64,
    /// SHA-256 over the rows' SHA-256 in the order of the primary key.
    #[serde(rename = "h")]
    pub sha256: Hex32,
}

/// Thirty-two bytes, written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hex32(pub [u8; 32]);

impl fmt::Display for Hex32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hex32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<[u8; 32]> for Hex32 {
    fn from(bytes: [u8; 32]) -> Self {
        Hex32(bytes)
    }
}

impl FromStr for Hex32 {
    type Err = terms::InvalidId;
    fn from_str(text: &str) -> Result<Self, terms::InvalidId> {
        let wrong = terms::InvalidId { what: "SHA-256", form: "64 hexadecimal digits" };
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong)?;
        Ok(Hex32(bytes))
    }
}

impl Serialize for Hex32 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex32 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A patient of a provider as the ledger knows one: the keyed hash of the canonical local id. Prints nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatientHmac(pub [u8; 32]);

impl fmt::Debug for PatientHmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[patient]")
    }
}
