//! One instance: a directory with settings, keyring, ledger, lake and the places where packages arrive and leave.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use durable::Lock;
use lake::Lake;
use ledger::{Actor, Event, Hex32, Ledger, Mode, OutboxState};
use messages::Message;
use seal::{Kdf, Keyring, KeyringOptions, Passphrase};

use crate::config::{Config, TEMPLATE};
use crate::error::Error;
use crate::moving::{COPIED, MOVING, PART, PLACING, warn_of};
use crate::reading::Child;

/// Name of the settings file; a directory with it is an instance.
pub const CONFIG: &str = "azekura.toml";
const KEYRING: &str = "keyring.azk";
const LEDGER: &str = "ledger.db";
const LOCK: &str = "lock";
/// Least length of a passphrase of words, in bytes: every guess takes half a second, and a machine of many guesses ten thousand times less.
const LEAST_PASSPHRASE: usize = 12;
/// Stands in the directory, and is locked, while an instance is made in it: what a crash leaves is known by it, and is
/// no instance.
const UNFINISHED: &str = "init-unfinished";

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

/// What the passphrase of a new instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PassphraseIs {
    /// Words that somebody could guess: every opening pays for making guesses dear.
    #[default]
    Words,
    /// A random key of 256 bits, which nobody guesses at any price.
    RandomKey,
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
    /// Makes an instance in an empty or missing directory, or in one where an earlier try was cut short.
    ///
    /// # Errors
    /// A refusal when something else is in the directory, or another process is making an instance in it; else what
    /// could not be written.
    pub async fn init(root: &Path, passphrase: &Passphrase, actor: &Actor) -> Result<Made, Error> {
        Instance::init_with(root, passphrase, PassphraseIs::Words, actor).await
    }

    /// As [`Instance::init`], with a word on the passphrase.
    ///
    /// # Errors
    /// As [`Instance::init`]; a refusal when a passphrase said to be a random key has not the form of one.
    pub async fn init_with(root: &Path, passphrase: &Passphrase, what: PassphraseIs, actor: &Actor) -> Result<Made, Error> {
        if what == PassphraseIs::RandomKey && !passphrase.has_form_of_key() {
            return Err(Error::refused(Message::new("core-passphrase-no-key")));
        }
        if what == PassphraseIs::Words && (passphrase.length() < LEAST_PASSPHRASE || !passphrase.is_varied()) {
            return Err(Error::refused(Message::new("core-passphrase-short").with("least", LEAST_PASSPHRASE)));
        }
        let unfinished = Unfinished::begin(root)?;
        let config = Config::parse(TEMPLATE).map_err(Error::Inconsistent)?;
        for name in DIRECTORIES {
            let dir = root.join(name);
            durable::create_dir(&dir).map_err(Error::io(dir.display().to_string()))?;
        }
        let kdf = match what {
            PassphraseIs::Words => Kdf::STRONG,
            PassphraseIs::RandomKey => Kdf::LIGHT,
        };
        let options = KeyringOptions { kdf, ..KeyringOptions::default() };
        let keyring = Keyring::create_with(&root.join(KEYRING), passphrase, &options)?;
        let ledger =
            Ledger::create(&root.join(LEDGER), &keyring.ledger_key(), &keyring.journal_seed(), &config.producer.name).await?;
        let made = Instance::introduce(root, &keyring, &ledger, actor).await;
        let checkpoint = ledger.read().await?.checkpoint().await?;
        ledger.close().await;
        let made = made?;
        write(&root.join(crate::standing::MARK), checkpoint.unwrap_or_default().as_bytes())?;
        write(&root.join(CONFIG), TEMPLATE.as_bytes())?;
        unfinished.end()?;
        Ok(made)
    }

    /// Writes what others need of a new instance, and says in its journal that it was made.
    async fn introduce(root: &Path, keyring: &Keyring, ledger: &Ledger, actor: &Actor) -> Result<Made, Error> {
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
        crate::standing::note_keyring(&mut tx, keyring).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Refuses a directory that has something in it that no unfinished `init` left.
    ///
    /// # Errors
    /// The refusal.
    pub fn refuse_occupied(root: &Path) -> Result<(), Error> {
        if !root.exists() || root.join(UNFINISHED).is_file() {
            return Ok(());
        }
        match std::fs::read_dir(root).map_err(Error::io(root.display().to_string()))?.next() {
            None => Ok(()),
            Some(_) => Err(Error::refused(Message::new("core-instance-not-empty").with("path", root.display()))),
        }
    }

    /// Opens an instance.
    ///
    /// # Errors
    /// Refusals when there is none, when its settings are not valid, or when another process writes to it.
    pub async fn open(root: &Path, passphrase: &Passphrase, mode: Mode, actor: Actor) -> Result<Instance, Error> {
        let instance = Instance::open_as_it_is(root, passphrase, mode, actor).await?;
        if matches!(mode, Mode::Writer) {
            // Before anything is put in order: to an earlier ledger, newer files are waste.
            let refused = crate::standing::refuse_behind(&instance).await;
            if let Err(error) = refused {
                instance.ledger.close().await;
                return Err(error);
            }
            // What a crash kept from being marked is marked before anything is built on it.
            let ready = match instance.leave().await {
                Ok(()) => instance.put_in_order().await,
                Err(error) => Err(error),
            };
            log_aside_done(root);
            if let Err(error) = ready {
                warn_of(instance.leave().await.as_ref().err());
                instance.ledger.close().await;
                return Err(error);
            }
        }
        Ok(instance)
    }

    /// Opens an instance and neither asks whether its ledger is the newest nor puts anything in order.
    ///
    /// # Errors
    /// As [`Instance::open`].
    pub async fn open_as_it_is(root: &Path, passphrase: &Passphrase, mode: Mode, actor: Actor) -> Result<Instance, Error> {
        let path = root.join(CONFIG);
        if !path.is_file() || root.join(UNFINISHED).exists() {
            return Err(Error::refused(Message::new("core-instance-missing").with("path", root.display())));
        }
        for part in [KEYRING, LEDGER].map(|name| root.join(name)) {
            if !part.is_file() {
                return Err(Error::refused(Message::new("core-instance-part-missing").with("path", part.display())));
            }
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
                let lock = lock.ok_or_else(busy)?;
                log_aside(root)?;
                Some(lock)
            }
        };
        let keyring = Arc::new(Keyring::open(&root.join(KEYRING), passphrase)?);
        let lake = Lake::open(root, Arc::clone(&keyring))?;
        let child = Child::this_program()?;
        let ledger = Ledger::open(&root.join(LEDGER), &keyring.ledger_key(), &keyring.journal_seed(), mode).await?;
        Ok(Instance { root: root.to_owned(), config, keyring, ledger, lake, actor, child, _lock: lock })
    }

    /// Ends a command that may have written: leaves the mark of how far the journal is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn leave(&self) -> Result<(), Error> {
        crate::standing::keep(self).await
    }

    /// Finishes what a crash left, and what the calendar asks for.
    async fn put_in_order(&self) -> Result<(), Error> {
        // A file that cannot be removed, or an outbox that cannot be written, is no reason why nobody can say no any more.
        match self.lake.sweep(&self.ledger, &self.actor).await {
            Err(error @ lake::LakeError::Io { .. }) => warn_of([&error.into()]),
            other => drop(other?),
        }
        warn_of(crate::dataset::finish_doomed(self).await.as_ref().err());
        warn_of(crate::sealed::sweep(self).await.as_ref().err());
        warn_of(crate::keeping::sweep(self).await.as_ref().err());
        warn_of(self.sweep_pending().await.as_ref().err());
        warn_of(crate::keeping::expire(self, jiff::Timestamp::now()).await.as_ref().err());
        warn_of(crate::quality::take_back_of_absent(self).await.as_ref().err());
        self.rotate_intake(jiff::Timestamp::now()).await
    }

    /// Hands over receipts and what was delivered and could not leave yet. To be called at the end of a command: a "no" that it brought counts
    /// first, and that a party is suspended.
    ///
    /// # Errors
    /// When the ledger cannot be read. What stays for another reason is warned of.
    pub async fn hand_over(&self) -> Result<(), Error> {
        warn_of(crate::ingest::finish_pending(self).await?.iter().map(|s| &s.error));
        warn_of(crate::dataset::finish_deliveries(self).await?.iter().map(|s| &s.error));
        Ok(())
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

    /// Removes packages that were being made for others when a crash came: what was promised has been moved to its place
    /// before, and the rest is made anew by the command that made it, if nobody said no meanwhile.
    async fn sweep_pending(&self) -> Result<(), Error> {
        let trouble = |path: &Path| Error::io(path.display().to_string());
        let waiting = self.ledger.read().await?.outbox(Some(OutboxState::Pending)).await?;
        let waiting: Vec<String> = waiting
            .iter()
            .filter_map(|row| crate::ingest::waiting_name(&row.detail).or(crate::dataset::waiting_name(&row.detail)))
            .collect();
        let pending = self.root.join("pending");
        // A copy of an instance may lack what was empty.
        durable::create_dir(&pending).map_err(trouble(&pending))?;
        for party in std::fs::read_dir(&pending).map_err(trouble(&pending))? {
            let party = party.map_err(trouble(&pending))?;
            // What is behind a link is not ours to clear.
            if !party.file_type().map_err(trouble(&pending))?.is_dir() {
                continue;
            }
            let party = party.path();
            for left in std::fs::read_dir(&party).map_err(trouble(&party))? {
                let left = left.map_err(trouble(&party))?.path();
                // What could not be put into an outbox yet waits, with the marks of its move.
                let name = left.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let Some((base, _)) = name.split_once(package::ENDING) else { continue };
                let base = format!("{base}{}", package::ENDING);
                if waiting.contains(&base) && [&base, &format!("{base}{MOVING}"), &format!("{base}{COPIED}")].contains(&&name) {
                    continue;
                }
                durable::remove_tree(&left).map_err(trouble(&left))?;
            }
        }
        // What does not leave any more, also behind a link; and copies on other disks that were not there when it was taken back.
        let taken_back = crate::dataset::take_back_withheld(self).await;
        let outbox = self.root.join("outbox");
        for party in std::fs::read_dir(&outbox).into_iter().flatten().flatten().filter(|p| p.path().is_dir()) {
            for entry in std::fs::read_dir(party.path()).map_err(trouble(&outbox))? {
                let entry = entry.map_err(trouble(&outbox))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let half = name.strip_suffix(PART).or(name.strip_suffix(PLACING)).filter(|base| base.ends_with(package::ENDING));
                if half.is_some_and(|base| !waiting.iter().any(|w| w == base)) {
                    durable::remove_tree(&entry.path()).map_err(trouble(&outbox))?;
                }
            }
        }
        taken_back
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

/// Name of the copy of a log.
const LOG_ASIDE: &str = "ledger.db-wal.aside";

/// Copies a log that lies beside the ledger: opening folds it in, and where the ledger turns out to be an earlier copy, the newest one needs it.
fn log_aside(root: &Path) -> Result<(), Error> {
    let (log, aside) = (root.join("ledger.db-wal"), root.join(LOG_ASIDE));
    match std::fs::read(&log) {
        // A copy from a refusal before stays: what lies there now may be the earlier ledger's.
        Ok(bytes) if !bytes.is_empty() && !aside.exists() => {
            durable::write_atomic(&aside, &bytes).map_err(Error::io(aside.display().to_string()))
        }
        _ => Ok(()),
    }
}

/// The ledger is the right one: no copy is needed.
fn log_aside_done(root: &Path) {
    let aside = root.join(LOG_ASIDE);
    if aside.exists() {
        warn_of(durable::remove_file(&aside).map_err(Error::io(aside.display().to_string())).as_ref().err());
    }
}

/// The making of an instance: from the first name in its directory to the last.
struct Unfinished {
    marker: PathBuf,
    _lock: Lock,
}

impl Unfinished {
    /// Takes a directory that is missing, empty, or left by a try that was cut short, which is cleared.
    fn begin(root: &Path) -> Result<Unfinished, Error> {
        let trouble = |path: &Path| Error::io(path.display().to_string());
        Instance::refuse_occupied(root)?;
        durable::create_dir(root).map_err(trouble(root))?;
        let marker = root.join(UNFINISHED);
        let occupied = || Error::refused(Message::new("core-instance-not-empty").with("path", root.display()));
        let busy = || Error::refused(Message::new("core-instance-busy").with("path", root.display()));
        let fresh = match durable::NewFile::create(&marker).and_then(durable::NewFile::finish) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            other => other.map(|()| true).map_err(trouble(&marker))?,
        };
        let file = match std::fs::OpenOptions::new().read(true).write(true).open(&marker) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(occupied()),
            other => other.map_err(trouble(&marker))?,
        };
        let inode = file.metadata().map_err(trouble(&marker))?.ino();
        let lock = Lock::of(file).map_err(trouble(&marker))?.ok_or_else(busy)?;
        // Whoever held the lock before may have finished meanwhile, and its marker be gone.
        if std::fs::metadata(&marker).ok().map(|m| m.ino()) != Some(inode) {
            return Err(occupied());
        }
        let mut left = Vec::new();
        for entry in std::fs::read_dir(root).map_err(trouble(root))? {
            let entry = entry.map_err(trouble(root))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !Unfinished::makes(&name) {
                if fresh {
                    durable::remove_file(&marker).map_err(trouble(&marker))?;
                }
                return Err(occupied());
            }
            if name != UNFINISHED {
                left.push(entry.path());
            }
        }
        if fresh && !left.is_empty() {
            // Another process made a whole instance between the look at the directory and the marker.
            durable::remove_file(&marker).map_err(trouble(&marker))?;
            return Err(occupied());
        }
        for path in left {
            let removed = if path.is_dir() { durable::remove_tree(&path) } else { durable::remove_file(&path) };
            removed.map_err(trouble(&path))?;
        }
        Ok(Unfinished { marker, _lock: lock })
    }

    /// Whether a name is one that is made in a new instance.
    fn makes(name: &str) -> bool {
        let file = |of: &str| {
            name.strip_prefix(of).is_some_and(|rest| ["", ".new", "-wal", "-shm", "-journal", ".lock"].contains(&rest))
        };
        name == UNFINISHED
            || DIRECTORIES.contains(&name)
            || [KEYRING, LEDGER, CONFIG, crate::standing::MARK].into_iter().any(file)
    }

    /// From here the directory is an instance.
    fn end(self) -> Result<(), Error> {
        durable::remove_file(&self.marker).map_err(Error::io(self.marker.display().to_string()))
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    durable::write_atomic(path, bytes).map_err(Error::io(path.display().to_string()))
}

/// Refuses to write over a file that does not begin as what is to be written: over an earlier output of the same command it goes.
///
/// # Errors
/// The refusal.
pub(crate) fn refuse_other(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    use std::io::Read as _;
    let begins = bytes.get(..8).unwrap_or(bytes);
    let mut there = Vec::new();
    match std::fs::File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(path.display().to_string())(error)),
        Ok(file) => file.take(begins.len() as u64).read_to_end(&mut there).map_err(Error::io(path.display().to_string()))?,
    };
    if there == begins { Ok(()) } else { Err(Error::refused(Message::new("core-file-exists").with("path", path.display()))) }
}
