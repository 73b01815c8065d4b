//! One instance: a directory with settings, keyring, ledger, lake and the places where packages arrive and leave.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use durable::Lock;
use lake::Lake;
use ledger::{Actor, Event, Hex32, Ledger, Mode};
use messages::Message;
use seal::{Keyring, Passphrase};

use crate::config::{Config, TEMPLATE};
use crate::error::Error;
use crate::reading::Child;

/// Name of the settings file; a directory with it is an instance.
pub const CONFIG: &str = "azekura.toml";
const KEYRING: &str = "keyring.azk";
const LEDGER: &str = "ledger.db";
const LOCK: &str = "lock";

/// Directories of an instance.
const DIRECTORIES: [&str; 7] = ["lake", "inbox", "packages", "sealed", "pending", "outbox", "certificates"];

/// An open instance. While it is open for writing nobody else can write.
pub struct Instance {
    /// Where it is.
    pub root: PathBuf,
    /// Its settings.
    pub config: Config,
    /// Its keys.
    pub keyring: Arc<Keyring>,
    /// Its catalogue and journal.
    pub ledger: Ledger,
    /// Its tables.
    pub lake: Lake,
    /// Who acts.
    pub actor: Actor,
    /// What serves as the process that reads packages.
    pub child: Child,
    _lock: Option<Lock>,
}

/// What `init` made.
#[derive(Debug, serde::Serialize)]
pub struct Made {
    /// The certificate that providers seal packages to.
    pub intake_certificate: PathBuf,
    /// The certificate that recipients check deliveries with.
    pub signing_certificate: PathBuf,
    /// The key that verifies the journal's checkpoints.
    pub journal_verifier: String,
}

impl Instance {
    /// Makes an instance in an empty or missing directory.
    ///
    /// # Errors
    /// A refusal when the directory is not empty; else what could not be written.
    pub async fn init(root: &Path, passphrase: &Passphrase, actor: &Actor) -> Result<Made, Error> {
        Instance::refuse_occupied(root)?;
        let config = Config::parse(TEMPLATE).map_err(Error::Inconsistent)?;
        durable::create_dir(root).map_err(Error::io(root.display().to_string()))?;
        for name in DIRECTORIES {
            let dir = root.join(name);
            durable::create_dir(&dir).map_err(Error::io(dir.display().to_string()))?;
        }
        let keyring = Keyring::create(&root.join(KEYRING), passphrase)?;
        let ledger =
            Ledger::create(&root.join(LEDGER), &keyring.ledger_key(), &keyring.journal_seed(), &config.producer.name).await?;
        let made = Made {
            intake_certificate: root.join("certificates/intake.pem"),
            signing_certificate: root.join("certificates/signing.pem"),
            journal_verifier: ledger.verifier_key().to_owned(),
        };
        let intake = keyring.intake_certificate()?;
        let signing = keyring.producer()?;
        write(&made.intake_certificate, &intake.pem()?)?;
        write(&made.signing_certificate, &signing.certificate().pem()?)?;
        write(&root.join("certificates/journal-verifier.txt"), format!("{}\n", ledger.verifier_key()).as_bytes())?;
        let mut tx = ledger.begin(actor, "make the instance").await?;
        for (what, certificate) in [("intake", &intake), ("signing", signing.certificate())] {
            let fingerprint = Hex32(seal::hash::sha256(&certificate.der()?));
            tx.emit(Event::CertificateMade { what: what.to_owned(), fingerprint })?;
        }
        tx.commit().await?;
        ledger.close().await;
        // The settings come last: a directory without them is not an instance yet.
        write(&root.join(CONFIG), TEMPLATE.as_bytes())?;
        Ok(made)
    }

    /// Refuses a directory that has something in it.
    ///
    /// # Errors
    /// The refusal.
    pub fn refuse_occupied(root: &Path) -> Result<(), Error> {
        let occupied = root.exists() && std::fs::read_dir(root).map_err(Error::io(root.display().to_string()))?.next().is_some();
        if occupied {
            return Err(Error::refused(Message::new("core-instance-not-empty").with("path", root.display())));
        }
        Ok(())
    }

    /// Opens an instance.
    ///
    /// # Errors
    /// Refusals when there is none, when its settings are not valid, or when another process writes to it.
    pub async fn open(root: &Path, passphrase: &Passphrase, mode: Mode, actor: Actor) -> Result<Instance, Error> {
        let path = root.join(CONFIG);
        if !path.is_file() {
            return Err(Error::refused(Message::new("core-instance-missing").with("path", root.display())));
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io(path.display().to_string()))?;
        let config = Config::parse(&text).map_err(|reason| {
            Error::refused(Message::new("core-config-unreadable").with("path", path.display()).with("reason", reason))
        })?;
        let lock = match mode {
            Mode::Reader => None,
            Mode::Writer => {
                let lock = Lock::exclusive(&root.join(LOCK)).map_err(Error::io(root.join(LOCK).display().to_string()))?;
                let busy = || Error::refused(Message::new("core-instance-busy").with("path", root.display()));
                Some(lock.ok_or_else(busy)?)
            }
        };
        let keyring = Arc::new(Keyring::open(&root.join(KEYRING), passphrase)?);
        let ledger = Ledger::open(&root.join(LEDGER), &keyring.ledger_key(), &keyring.journal_seed(), mode).await?;
        let lake = Lake::open(root, Arc::clone(&keyring))?;
        let child = Child::this_program()?;
        let instance = Instance { root: root.to_owned(), config, keyring, ledger, lake, actor, child, _lock: lock };
        if matches!(mode, Mode::Writer) {
            instance.lake.sweep(&instance.ledger, &instance.actor).await?;
            crate::dataset::finish_doomed(&instance).await?;
            crate::sealed::sweep(&instance).await?;
            crate::keeping::sweep(&instance).await?;
            crate::ingest::finish_pending(&instance).await?;
            crate::dataset::finish_deliveries(&instance).await?;
            crate::keeping::expire(&instance, jiff::Timestamp::now()).await?;
            instance.rotate_intake(jiff::Timestamp::now()).await?;
        }
        Ok(instance)
    }

    /// Where packages of providers are put for `receive`.
    pub fn inbox(&self) -> PathBuf {
        self.root.join("inbox")
    }

    /// Where packages wait, sealed, between `receive` and `ingest`.
    pub fn packages(&self) -> PathBuf {
        self.root.join("packages")
    }

    /// Where a package for a party is made before the ledger says that it is to leave.
    pub fn pending(&self, party: &str) -> PathBuf {
        self.root.join("pending").join(party)
    }

    /// A new intake key when a month is over; keys three periods old are destroyed, and with them what was sealed to them.
    async fn rotate_intake(&self, now: jiff::Timestamp) -> Result<(), Error> {
        use jiff::ToSpan as _;
        if !self.keyring.intake_rotation_due(now) {
            return Ok(());
        }
        let certificate = self.keyring.rotate_intake()?;
        write(&self.root.join("certificates/intake.pem"), &certificate.pem()?)?;
        let mut tx = self.ledger.begin(&self.actor, "monthly intake key").await?;
        let fingerprint = Hex32(seal::hash::sha256(&certificate.der()?));
        tx.emit(Event::CertificateMade { what: "intake".to_owned(), fingerprint })?;
        tx.commit().await?;
        let before = now.checked_sub((24 * 93).hours()).unwrap_or(jiff::Timestamp::MIN);
        let destroyed = self.keyring.destroy_intake_before(before)?;
        if !destroyed.is_empty() {
            let mut tx = self.ledger.begin(&self.actor, "destroy old intake keys").await?;
            tx.emit(Event::IntakeKeysDestroyed { count: destroyed.len() as u64 })?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// What is to leave for a party.
    pub fn outbox(&self, party: &str) -> PathBuf {
        self.root.join("outbox").join(party)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    durable::write_atomic(path, bytes).map_err(Error::io(path.display().to_string()))
}

/// Moves a finished package to its place, replacing what an earlier try left there. Done already is done.
///
/// # Errors
/// When neither is there, or the move fails.
pub(crate) fn put_in_place(from: &Path, to: &Path) -> Result<(), Error> {
    let trouble = || Error::io(to.display().to_string());
    if !from.is_dir() {
        return if to.is_dir() { Ok(()) } else { Err(Error::Inconsistent("a finished package is missing".to_owned())) };
    }
    if let Some(parent) = to.parent() {
        durable::create_dir(parent).map_err(trouble())?;
    }
    if to.is_dir() {
        std::fs::remove_dir_all(to).map_err(trouble())?;
    }
    durable::rename(from, to).map_err(trouble())
}
