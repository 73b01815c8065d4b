use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use journal::{Frontier, Signer, Verifier};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Sqlite, SqliteConnection, Transaction};

use crate::error::Result;
use crate::event::{Actor, Event};
use crate::marks::mark;
use crate::{LedgerError, Reader, Tx};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// What a ledger is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To change it. One process at a time: a second is refused ([`LedgerError::Busy`]).
    Writer,
    /// To read it, beside the writer and other readers.
    Reader,
}

/// The catalogue of an instance: one SQLite file under SQLCipher, with the journal in it. One connection writes; a pool
/// of others reads whole snapshots beside it.
pub struct Ledger {
    pub(crate) shared: Arc<Shared>,
    write: Option<SqlitePool>,
    read: SqlitePool,
    _lock: Option<durable::Lock>,
}

/// What a transaction needs of its ledger.
pub(crate) struct Shared {
    pub(crate) signer: Signer,
    pub(crate) verifier: Verifier,
    /// The right edge of the journal as last committed, so that a transaction need not read it again.
    frontier: Mutex<Option<Frontier>>,
}

impl Shared {
    pub(crate) fn frontier(&self) -> Option<Frontier> {
        self.frontier.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_frontier(&self, frontier: Option<Frontier>) {
        *self.frontier.lock().unwrap_or_else(PoisonError::into_inner) = frontier;
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// How every connection is opened. The key is raw (no password derivation). SQLCipher prints its errors to standard error unless
/// told otherwise, and must be told before the first page is read; sqlx sends the key first and the rest later, so the two go
/// in one.
fn options(path: &Path, key: &[u8; 32]) -> SqliteConnectOptions {
    let mut text = String::with_capacity(128);
    text.push_str("\"x'");
    for byte in key {
        text.push_str(&format!("{byte:02x}"));
    }
    text.push_str("'\"; PRAGMA cipher_log_level = NONE");
    SqliteConnectOptions::new()
        .filename(path)
        .pragma("key", text)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("temp_store", "MEMORY")
        .pragma("secure_delete", "ON")
        .pragma("cache_size", "-32768")
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(256)
        .disable_statement_logging()
}

/// Refuses a connection that would write plaintext or lose what was committed.
async fn check(connection: &mut SqliteConnection) -> Result<()> {
    let cipher: Option<String> = sqlx::query_scalar("pragma cipher_version").fetch_optional(&mut *connection).await?;
    if cipher.is_none_or(|version| version.is_empty()) {
        return Err(LedgerError::NotSqlCipher);
    }
    let wal: String = sqlx::query_scalar("pragma journal_mode").fetch_one(&mut *connection).await?;
    if wal != "wal" {
        return Err(LedgerError::Setting { pragma: "journal_mode", found: wal, wanted: "wal" });
    }
    for (pragma, sql, wanted, number) in [
        ("synchronous", "pragma synchronous", "2 (FULL)", 2i64),
        ("temp_store", "pragma temp_store", "2 (MEMORY)", 2),
        ("secure_delete", "pragma secure_delete", "1 (ON)", 1),
        ("foreign_keys", "pragma foreign_keys", "1 (ON)", 1),
    ] {
        let found: i64 = sqlx::query_scalar(sql).fetch_one(&mut *connection).await?;
        if found != number {
            return Err(LedgerError::Setting { pragma, found: found.to_string(), wanted });
        }
    }
    Ok(())
}

/// Whether a purpose is one that the journal takes, for what asks long before it writes.
///
/// # Errors
/// [`LedgerError::Invalid`] for one that is empty, longer than 500 characters or has control characters.
pub fn check_purpose(purpose: &str) -> Result<()> {
    if purpose.trim().is_empty() || purpose.chars().count() > 500 || purpose.chars().any(char::is_control) {
        return Err(LedgerError::Invalid { what: "a purpose", form: "1 to 500 characters on one line" });
    }
    Ok(())
}

impl Ledger {
    /// Makes the ledger of a new instance, with the journal's first entry. `origin` names the journal; it has to be unique to the
    /// instance, as whoever keeps checkpoints of several knows them by it. One whose making was cut short is made to the end.
    ///
    /// # Errors
    /// [`LedgerError::Exists`], [`LedgerError::NotSqlCipher`], [`LedgerError::Disk`], and when the origin is no name.
    pub async fn create(path: &Path, key: &[u8; 32], journal_seed: &[u8; 32], origin: &str) -> Result<Ledger> {
        let signer = Signer::new(origin, journal_seed)?;
        let exists = || LedgerError::Exists { path: path.to_owned() };
        let lock = durable::Lock::exclusive(&lock_path(path))?.ok_or(LedgerError::Busy)?;
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let opening = match new {
            Ok(_) => Self::connect(path, key, Some(lock)).await?,
            // Perhaps one whose making was cut short: it has no entry yet, and is made to the end here.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let opening = Self::connect(path, key, Some(lock)).await.map_err(|error| match error {
                    LedgerError::WrongKey | LedgerError::OtherVersion { .. } => exists(),
                    other => other,
                })?;
                if opening.origin().await?.is_some() {
                    return Err(exists());
                }
                opening
            }
            Err(error) => return Err(error.into()),
        };
        let ledger = opening.with(signer)?;
        let mut tx = ledger.begin(&"azekura".parse()?, "make the instance").await?;
        let row = sqlx::query("insert into setting (key, value) values ('journal.origin', $1) returning *")
            .bind(origin)
            .fetch_one(tx.sql())
            .await?;
        let verifier_key = ledger.verifier_key().to_owned();
        tx.record(Event::LedgerCreated { origin: origin.to_owned(), verifier_key }, vec![mark("setting", &row)?], None)?;
        tx.commit().await?;
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            durable::sync_dir(parent)?;
        }
        Ok(ledger)
    }

    /// Opens the ledger of an instance.
    ///
    /// # Errors
    /// [`LedgerError::Missing`], [`LedgerError::WrongKey`], [`LedgerError::Busy`] for a second writer,
    /// [`LedgerError::OtherVersion`], [`LedgerError::NotSqlCipher`].
    pub async fn open(path: &Path, key: &[u8; 32], journal_seed: &[u8; 32], mode: Mode) -> Result<Ledger> {
        if !path.is_file() {
            return Err(LedgerError::Missing { path: path.to_owned() });
        }
        let lock = match mode {
            Mode::Writer => Some(durable::Lock::exclusive(&lock_path(path))?.ok_or(LedgerError::Busy)?),
            Mode::Reader => None,
        };
        let opening = Self::connect(path, key, lock).await?;
        let origin = opening.origin().await?.ok_or(LedgerError::Journal { reason: "it has no name".into() })?;
        opening.with(Signer::new(&origin, journal_seed)?)
    }

    async fn connect(path: &Path, key: &[u8; 32], lock: Option<durable::Lock>) -> Result<Opening> {
        let options = options(path, key);
        let known = MIGRATIONS.iter().count() as i64;
        let pool = || SqlitePoolOptions::new().test_before_acquire(false).idle_timeout(None).max_lifetime(None);
        let write = match &lock {
            None => None,
            Some(_) => {
                let write = pool()
                    .max_connections(1)
                    .acquire_timeout(Duration::from_secs(600))
                    .connect_with(options.clone().pragma("wal_autocheckpoint", "2000"))
                    .await?;
                check(&mut *write.acquire().await?).await?;
                MIGRATIONS.run(&write).await.map_err(|error| match error {
                    sqlx::migrate::MigrateError::VersionMissing(found) | sqlx::migrate::MigrateError::VersionMismatch(found) => {
                        LedgerError::OtherVersion { found, known }
                    }
                    sqlx::migrate::MigrateError::Execute(error) => error.into(),
                    other => LedgerError::Database(sqlx::Error::Migrate(Box::new(other))),
                })?;
                Some(write)
            }
        };
        let read = pool()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        check(&mut *read.acquire().await?).await?;
        let found: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
            .fetch_one(&read)
            .await
            .map_err(LedgerError::from)?;
        if found != known {
            return Err(LedgerError::OtherVersion { found, known });
        }
        Ok(Opening { write, read, lock })
    }

    /// Begins a change. Nothing of it is there until [`Tx::commit`], and dropping it leaves no trace. Waits while another
    /// transaction of this process is open. The purpose is written to the journal as it is: it must not name a person.
    ///
    /// # Errors
    /// [`LedgerError::ReadOnly`], [`LedgerError::Journal`] when the journal's end is not in order, [`LedgerError::Invalid`] for a purpose
    /// that is empty, longer than 500 characters or has control characters.
    pub async fn begin(&self, actor: &Actor, purpose: &str) -> Result<Tx> {
        let write = self.write.as_ref().ok_or(LedgerError::ReadOnly)?;
        check_purpose(purpose)?;
        Tx::begin(write, self.shared.clone(), actor.clone(), purpose.to_owned()).await
    }

    /// One consistent snapshot, as of now, that later commits do not touch.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read(&self) -> Result<Reader> {
        Reader::begin(self.begin_read().await?).await
    }

    pub(crate) async fn begin_read(&self) -> Result<Transaction<'static, Sqlite>> {
        Ok(self.read.begin().await?)
    }

    /// Public key of the journal, `origin+hash+base64`: what an outside verifier needs besides a checkpoint.
    pub fn verifier_key(&self) -> &str {
        self.shared.signer.verifier_key()
    }

    /// Name of the journal.
    pub fn origin(&self) -> &str {
        self.shared.signer.origin()
    }

    /// Moves what is committed from the write-ahead log into the file and empties the log, so that no earlier copy of a page (of a
    /// destroyed key, say) stays there. Readers of old snapshots can hold it up; then it is done as far as it can be.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn empty_log(&self) -> Result<()> {
        let write = self.write.as_ref().ok_or(LedgerError::ReadOnly)?;
        sqlx::query("pragma wal_checkpoint(truncate)").execute(write).await?;
        Ok(())
    }

    /// Closes every connection, and waits for the threads that serve them; leaves one file without a write-ahead log. A process must not
    /// end before it: SQLCipher gives its memory back when the process exits, under the feet of threads that still close a connection,
    /// and the process dies by a signal after all is done.
    pub async fn close(self) {
        self.read.close().await;
        if let Some(write) = &self.write {
            write.close().await;
        }
    }
}

/// A ledger whose journal's name is not read yet.
struct Opening {
    write: Option<SqlitePool>,
    read: SqlitePool,
    lock: Option<durable::Lock>,
}

impl Opening {
    async fn origin(&self) -> Result<Option<String>> {
        let origin = sqlx::query_scalar("select value from setting where key = 'journal.origin'");
        Ok(origin.fetch_optional(&self.read).await?)
    }

    fn with(self, signer: Signer) -> Result<Ledger> {
        let verifier = Verifier::new(signer.verifier_key())?;
        let shared = Arc::new(Shared { signer, verifier, frontier: Mutex::new(None) });
        Ok(Ledger { shared, write: self.write, read: self.read, _lock: self.lock })
    }
}
