use std::io::ErrorKind;

use lake::LakeError;
use messages::{Lang, Message};
use package::PackageError;
use seal::SealError;

/// Why a use case did not go through. A refusal is an answer (a guard of law or configuration said no); the other
/// variants say that something is broken or missing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A guard said no, with its reason and what to do.
    #[error("refused: {}", .0.text(Lang::En))]
    Refused(Refusal),
    /// Keys, signatures, sealed files.
    #[error(transparent)]
    Seal(#[from] seal::SealError),
    /// Packages.
    #[error(transparent)]
    Package(#[from] package::PackageError),
    /// The catalogue and the journal.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
    /// The tables.
    #[error(transparent)]
    Lake(#[from] lake::LakeError),
    /// Columns that are not what their table says.
    #[error("columns: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Files.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with the path.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A delivery is promised, and could not be put where its recipient fetches it yet.
    #[error("the delivery of {id} waits: {why}")]
    Waits {
        /// The data set.
        id: terms::DatasetId,
        /// What stands in the way.
        why: Box<Error>,
    },
    /// The child process that reads packages ended without a result.
    #[error("the reading process failed: {0}")]
    Reader(String),
    /// The system ended the child process that reads packages: memory, a limit, or somebody. That says nothing of the package.
    #[error("the reading process was ended by signal {0}")]
    ReaderKilled(i32),
    /// Anything that cannot happen unless the instance was altered.
    #[error("the instance is inconsistent: {0}")]
    Inconsistent(String),
}

/// A refusal: a code of the catalogue with its arguments, none of which name a person.
#[derive(Clone)]
pub struct Refusal(pub Message);

impl Refusal {
    /// The text in a language.
    pub fn text(&self, lang: Lang) -> String {
        self.0.text(lang)
    }
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code)
    }
}

impl Error {
    /// A refusal.
    pub fn refused(message: Message) -> Error {
        Error::Refused(Refusal(message))
    }

    /// An error of the file system, with what was being done.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        let what = what.into();
        move |source| Error::Io { what, source }
    }

    /// What to tell the user.
    pub fn text(&self, lang: Lang) -> String {
        let reason = |code, e: &dyn std::fmt::Display| Message::new(code).with("reason", e).text(lang);
        match self {
            Error::Io { what, source } => reason(disk_code(source.kind()), &format!("{what}: {source}")),
            error if error.disk().is_some() => reason(error.code(), error),
            Error::Waits { id, why } => {
                let why = match &**why {
                    Error::Io { what, source } => format!("{what}: {source}"),
                    other => other.text(lang),
                };
                Message::new("core-dataset-delivery-waits").with("id", id).with("reason", why).text(lang)
            }
            Error::Refused(refusal) => refusal.text(lang),
            Error::Seal(e) => e.message().text(lang),
            Error::Package(e) => e.message().text(lang),
            Error::Ledger(e) => e.message().text(lang),
            Error::Lake(e) => e.message().text(lang),
            Error::Arrow(e) => reason("core-lake-trouble", e),
            Error::Reader(e) => reason("core-reader-failed", e),
            Error::ReaderKilled(_) => self.message().text(lang),
            Error::Inconsistent(e) => reason("core-inconsistent", e),
        }
    }

    /// The code of the catalogue, where there is one.
    pub fn code(&self) -> &'static str {
        match self {
            error if error.disk().is_some() => error.disk().map_or("core-disk-trouble", disk_code),
            Error::Refused(refusal) => refusal.0.code,
            Error::Waits { .. } => "core-dataset-delivery-waits",
            Error::Package(error) => error.code(),
            Error::Seal(_) => "core-key-trouble",
            Error::Ledger(_) => "core-ledger-trouble",
            Error::Lake(_) | Error::Arrow(_) => "core-lake-trouble",
            Error::Io { .. } => "core-disk-trouble",
            Error::Reader(_) => "core-reader-failed",
            Error::ReaderKilled(_) => "core-reader-killed",
            Error::Inconsistent(_) => "core-inconsistent",
        }
    }

    /// What to tell of one package that could not be read for it, while the others go on.
    pub(crate) fn message(&self) -> Message {
        match self {
            Error::ReaderKilled(signal) => Message::new("core-reader-killed").with("signal", signal),
            error => Message::new("core-reader-failed").with("reason", error),
        }
    }

    /// Whether our own disk is in trouble, which is no package's fault. What is not there is: somebody removed a package's bytes, and
    /// no other is to wait for them.
    pub(crate) fn is_of_our_disk(&self) -> bool {
        self.disk().is_some_and(|kind| kind != ErrorKind::NotFound)
    }

    /// What the disk refused, when it was the disk, whichever crate met it.
    pub fn disk(&self) -> Option<ErrorKind> {
        match self {
            Error::Io { source, .. } => Some(source.kind()),
            Error::Seal(e) => of_seal(e),
            Error::Package(PackageError::File { source, .. } | PackageError::Io(source)) => Some(source.kind()),
            Error::Package(PackageError::Seal(e)) => of_seal(e),
            Error::Ledger(e) => e.disk(),
            Error::Lake(LakeError::Io { source, .. }) => Some(source.kind()),
            Error::Lake(LakeError::Ledger(e)) => e.disk(),
            Error::Lake(LakeError::Seal(e)) => of_seal(e),
            _ => None,
        }
    }
}

fn of_seal(error: &SealError) -> Option<ErrorKind> {
    match error {
        SealError::File { source, .. } | SealError::Io(source) => Some(source.kind()),
        _ => None,
    }
}

fn disk_code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "core-disk-full",
        ErrorKind::ReadOnlyFilesystem => "core-disk-read-only",
        _ => "core-disk-trouble",
    }
}
