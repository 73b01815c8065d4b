use std::io;
use std::path::PathBuf;

use messages::Message;

/// Why the ledger did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is a ledger already.
    #[error("there is a ledger at {path} already; open it, or name another place")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is none.
    #[error("no ledger at {path}; make the instance with `azekura init`")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a SQLCipher database under this key.
    #[error("the ledger does not open with this key: it belongs to another keyring, or the file is damaged")]
    WrongKey,
    /// Built without SQLCipher: every byte would be written in the clear.
    #[error("this program was built without SQLCipher and refuses to write a ledger; build it with bundled-sqlcipher")]
    NotSqlCipher,
    /// The connection does not have the settings that durability and secrecy rest on.
    #[error("the ledger's connection has {pragma} = {found} where {wanted} is needed; the program is built or run wrongly")]
    Setting {
        /// Which setting.
        pragma: &'static str,
        /// What it is.
        found: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// Another process writes.
    #[error("another process writes this instance's ledger; wait until it has ended, then run the command again")]
    Busy,
    /// A ledger of another version of the program.
    #[error("the ledger is of another version of this program ({found} migrations, {known} known); use the matching version")]
    OtherVersion {
        /// Migrations in the file.
        found: i64,
        /// Migrations of this program.
        known: i64,
    },
    /// Opened for reading.
    #[error("the ledger is open for reading; open it for writing to change it")]
    ReadOnly,
    /// A change without a trace.
    #[error("a transaction of the ledger must say what it did: no event was emitted, nothing was committed")]
    NoEvent,
    /// Nothing there.
    #[error("the ledger has no {what} {id}")]
    NotFound {
        /// Kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// There already.
    #[error("the ledger has {what} {id} already")]
    AlreadyThere {
        /// Kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The thing is not in the state that the step begins in.
    #[error("{what} {id} is {found}, not {expected}; look at its history, then repeat the step that is due")]
    OtherState {
        /// Kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
        /// State it is in.
        found: String,
        /// State the step begins in.
        expected: String,
    },
    /// An argument that the ledger does not take.
    #[error("{what} must be {form}")]
    Invalid {
        /// Which argument.
        what: &'static str,
        /// What it has to look like.
        form: &'static str,
    },
    /// A row that does not have the form that this program writes.
    #[error("column {column} of table {table} does not have its form; run `azekura journal verify`")]
    Malformed {
        /// Table.
        table: String,
        /// Column.
        column: String,
    },
    /// The journal and its tree do not fit together, or no checkpoint can be made.
    #[error("the journal is not in order ({reason}); run `azekura journal verify`")]
    Journal {
        /// What is wrong.
        reason: String,
    },
    /// The disk refuses.
    #[error(
        "the ledger cannot be written: {reason}; nothing was committed. Make room or give permission, then repeat the command"
    )]
    Disk {
        /// What kind of refusal it is.
        kind: io::ErrorKind,
        /// What the disk says.
        reason: String,
    },
    /// Reading or writing a file.
    #[error("input or output of the ledger failed: {0}; nothing was committed")]
    Io(#[from] io::Error),
    /// What the database says.
    #[error("the ledger's database failed: {0}")]
    Database(#[source] sqlx::Error),
}

/// Codes of the catalogue of messages that this crate uses.
pub const CODES: &[&str] = &[
    "ledger-exists",
    "ledger-missing",
    "ledger-wrong-key",
    "ledger-not-sqlcipher",
    "ledger-setting-wrong",
    "ledger-busy",
    "ledger-other-version",
    "ledger-read-only",
    "ledger-no-event",
    "ledger-not-found",
    "ledger-already-there",
    "ledger-other-state",
    "ledger-argument-invalid",
    "ledger-row-malformed",
    "ledger-journal-disorder",
    "ledger-disk",
    "ledger-database",
    "ledger-row-edited",
    "ledger-row-added",
    "ledger-row-removed",
    "ledger-batch-changed",
    "ledger-subject-changed",
    "journal-entry-missing",
    "journal-entry-malformed",
    "journal-entries-changed",
    "journal-entries-unsigned",
    "journal-node-wrong",
    "journal-checkpoint-wrong",
    "journal-checkpoint-beyond",
    "journal-older-checkpoint-differs",
    "journal-none",
];

impl LedgerError {
    /// The refusal as a code of the catalogue, to be told in the reader's language.
    pub fn message(&self) -> Message {
        use LedgerError as E;
        match self {
            E::Exists { path } => Message::new("ledger-exists").with("path", path.display()),
            E::Missing { path } => Message::new("ledger-missing").with("path", path.display()),
            E::WrongKey => Message::new("ledger-wrong-key"),
            E::NotSqlCipher => Message::new("ledger-not-sqlcipher"),
            E::Setting { pragma, found, wanted } => {
                Message::new("ledger-setting-wrong").with("setting", pragma).with("found", found).with("wanted", wanted)
            }
            E::Busy => Message::new("ledger-busy"),
            E::OtherVersion { found, known } => Message::new("ledger-other-version").with("found", found).with("known", known),
            E::ReadOnly => Message::new("ledger-read-only"),
            E::NoEvent => Message::new("ledger-no-event"),
            E::NotFound { what, id } => Message::new("ledger-not-found").with("what", what).with("id", id),
            E::AlreadyThere { what, id } => Message::new("ledger-already-there").with("what", what).with("id", id),
            E::OtherState { what, id, found, expected } => Message::new("ledger-other-state")
                .with("what", what)
                .with("id", id)
                .with("found", found)
                .with("expected", expected),
            E::Invalid { what, form } => Message::new("ledger-argument-invalid").with("what", what).with("form", form),
            E::Malformed { table, column } => Message::new("ledger-row-malformed").with("table", table).with("column", column),
            E::Journal { reason } => Message::new("ledger-journal-disorder").with("reason", reason),
            E::Disk { reason, .. } => Message::new("ledger-disk").with("reason", reason),
            E::Io(error) => Message::new("ledger-disk").with("reason", error),
            E::Database(error) => Message::new("ledger-database").with("reason", error),
        }
    }

    /// What the disk refused, when it was the disk.
    pub fn disk(&self) -> Option<io::ErrorKind> {
        match self {
            LedgerError::Disk { kind, .. } => Some(*kind),
            LedgerError::Io(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// A unique constraint that was hit means that the thing is there already.
    pub(crate) fn if_unique(error: sqlx::Error, what: &'static str, id: impl ToString) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                LedgerError::AlreadyThere { what, id: id.to_string() }
            }
            _ => error.into(),
        }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<u32>().ok());
        // The shared index of the write-ahead log did not find room to grow: SQLite calls it an error of its own.
        const SHM_SIZE: u32 = 10 | 19 << 8;
        if code == Some(SHM_SIZE) {
            return LedgerError::Disk { kind: io::ErrorKind::StorageFull, reason: error.to_string() };
        }
        // The primary result code of SQLite is the low byte.
        match code.map(|c| c & 0xff) {
            Some(5 | 6) => LedgerError::Busy,
            Some(26) => LedgerError::WrongKey,
            Some(code @ (8 | 10 | 13 | 14)) => {
                let kind = match code {
                    8 => io::ErrorKind::ReadOnlyFilesystem,
                    13 => io::ErrorKind::StorageFull,
                    _ => io::ErrorKind::Other,
                };
                LedgerError::Disk { kind, reason: error.to_string() }
            }
            _ => match error {
                sqlx::Error::Io(error) => LedgerError::Io(error),
                sqlx::Error::PoolTimedOut => LedgerError::Busy,
                other => LedgerError::Database(other),
            },
        }
    }
}

impl From<journal::CheckpointError> for LedgerError {
    fn from(error: journal::CheckpointError) -> Self {
        LedgerError::Journal { reason: error.to_string() }
    }
}

impl From<journal::MissingNode> for LedgerError {
    fn from(error: journal::MissingNode) -> Self {
        LedgerError::Journal { reason: error.to_string() }
    }
}

impl From<journal::ProofError> for LedgerError {
    fn from(error: journal::ProofError) -> Self {
        LedgerError::Journal { reason: error.to_string() }
    }
}

pub(crate) type Result<T, E = LedgerError> = std::result::Result<T, E>;
