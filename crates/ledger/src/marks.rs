//! Which rows the journal vouches for: an edit behind the ledger's back is found by comparing them.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::LedgerError;
use crate::error::Result;
use crate::row::{RowMark, digest};

/// A table of which every row is vouched for by the last event that marks it.
pub(crate) struct Covered {
    pub(crate) table: &'static str,
    pub(crate) key: &'static [&'static str],
    pub(crate) all: &'static str,
}

/// Tables by row. Not here: `record_version`, which hides rows of the lake that a later commit replaced and can be made again
/// from it; `asset_key`, whose rows are bound to their assets by the cipher itself; `counter`.
pub(crate) const BY_ROW: &[Covered] = &[
    Covered { table: "setting", key: &["key"], all: "select * from setting" },
    Covered { table: "party", key: &["kind", "id"], all: "select * from party" },
    Covered { table: "party_certificate", key: &["kind", "id", "replaced_at"], all: "select * from party_certificate" },
    Covered { table: "notice", key: &["id"], all: "select * from notice" },
    Covered { table: "opt_out", key: &["id"], all: "select * from opt_out" },
    Covered { table: "record_hold", key: &["record_id", "reason"], all: "select * from record_hold" },
    Covered { table: "package", key: &["id"], all: "select * from package" },
    Covered { table: "asset", key: &["asset_id"], all: "select * from asset" },
    Covered { table: "linkage_run", key: &["id"], all: "select * from linkage_run" },
    Covered { table: "linkage_word", key: &["record_a", "record_b", "clerk"], all: "select * from linkage_word" },
    Covered { table: "dataset", key: &["id"], all: "select * from dataset" },
    Covered { table: "review", key: &["dataset", "member"], all: "select * from review" },
    Covered { table: "approval", key: &["id"], all: "select * from approval" },
    Covered { table: "outbox", key: &["id"], all: "select * from outbox" },
];

/// Tables by batch: each row carries the number of the event that added it, and that event the digest of all of them.
pub(crate) const BY_BATCH: &[(&str, &str)] = &[
    ("record", "select * from record order by batch, record_id"),
    ("contact", "select * from contact order by batch, provider, patient_hmac, date"),
];

pub(crate) fn covered(table: &str) -> Option<&'static Covered> {
    BY_ROW.iter().find(|c| c.table == table)
}

/// The primary key of a row as text.
pub(crate) fn key_of(covered: &Covered, row: &SqliteRow) -> Result<String> {
    let mut key = String::new();
    for column in covered.key {
        if !key.is_empty() {
            key.push('/');
        }
        match row.try_get::<&str, _>(*column) {
            Ok(text) => key.push_str(text),
            Err(_) => {
                let number: i64 = row
                    .try_get(*column)
                    .map_err(|_| LedgerError::Malformed { table: covered.table.to_owned(), column: (*column).to_owned() })?;
                key.push_str(&number.to_string());
            }
        }
    }
    Ok(key)
}

/// The mark of a row that an event carries. `row` has every column of the table.
pub(crate) fn mark(table: &'static str, row: &SqliteRow) -> Result<RowMark> {
    let covered = covered(table).ok_or(LedgerError::Malformed { table: table.to_owned(), column: "*".into() })?;
    Ok(RowMark { table: table.to_owned(), key: key_of(covered, row)?, sha256: digest(table, row)?.into() })
}
