use std::io;
use std::path::{Path, PathBuf};

use messages::Message;
use seal::SealError;

/// Why a package is refused, or cannot be made. The texts name packages and payloads by number, never what is in them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The stream below failed.
    #[error("reading or writing failed: {0}")]
    Io(io::Error),
    /// What sealing, opening, signing or verifying found.
    #[error(transparent)]
    Seal(SealError),

    /// Not a package: no directory, another name, or no manifest in it.
    #[error("{path} is not a package")]
    NotAPackage {
        /// Which directory.
        path: PathBuf,
    },
    /// There is something at the place where the package should go.
    #[error("{path} exists already")]
    Exists {
        /// Which place.
        path: PathBuf,
    },
    /// The manifest is not what it has to be.
    #[error("the manifest is malformed: {0}")]
    ManifestMalformed(String),
    /// The manifest names another recipient than the one it is sealed to: someone sealed it anew.
    #[error("the manifest is made for another recipient")]
    WrongRecipient,
    /// A payload of the manifest is not there.
    #[error("payload {0} is missing")]
    PayloadMissing(usize),
    /// Something is there that the manifest does not name.
    #[error("the package holds something that the manifest does not name")]
    Undeclared,
    /// The package or a payload holds no file.
    #[error("there is no file in it")]
    Empty,
    /// A payload ends early.
    #[error("it ends too early")]
    Truncated,
    /// Size or hash differ from the manifest.
    #[error("{0} differs from what the manifest says")]
    HashMismatch(&'static str),
    /// A payload would be larger than 32 GiB.
    #[error("a payload would be larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },

    /// The payload is not a tar archive.
    #[error("not a tar archive")]
    NotTar,
    /// The archive is broken.
    #[error("the archive is broken at member {ordinal}: {what}")]
    TarMalformed {
        /// Number of the member, from 1.
        ordinal: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A name in the archive leads out of it.
    #[error("the name of member {ordinal} leads out of the archive")]
    PathTraversal {
        /// Number of the member, from 1.
        ordinal: u64,
    },
    /// A name that is too long, too deep, or holds control characters.
    #[error("the name of member {ordinal} is not acceptable: {what}")]
    PathRefused {
        /// Number of the member, from 1.
        ordinal: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A name that was there before.
    #[error("member {ordinal} has the name of an earlier one")]
    DuplicatePath {
        /// Number of the member, from 1.
        ordinal: u64,
    },
    /// A symbolic or hard link in an archive.
    #[error("member {ordinal} is a link")]
    Link {
        /// Number of the member, from 1.
        ordinal: u64,
    },
    /// A device, a pipe or another special file in an archive.
    #[error("member {ordinal} is a special file")]
    SpecialFile {
        /// Number of the member, from 1.
        ordinal: u64,
    },
    /// The archive would unpack to more than is allowed.
    #[error("the archive expands beyond its bounds at member {ordinal}: {what}")]
    Expanding {
        /// Number of the member, from 1.
        ordinal: u64,
        /// Which bound.
        what: &'static str,
    },

    /// A symbolic link in the tree to be sent.
    #[error("there is a symbolic link in {root}")]
    TreeSymlink {
        /// The tree.
        root: PathBuf,
    },
    /// A special file in the tree to be sent.
    #[error("there is something in {root} that is neither file nor directory")]
    TreeSpecial {
        /// The tree.
        root: PathBuf,
    },
    /// A file in the tree to be sent that is called like a list of contacts or opt-outs.
    #[error("there is a file in {root} that is called like a list")]
    TreeList {
        /// The tree.
        root: PathBuf,
    },
    /// A file changed while it was read.
    #[error("a file in the tree changed while it was read")]
    TreeChanged,
    /// A list of contacts or opt-outs cannot be read.
    #[error("{}", self.message().text(messages::Lang::En))]
    ListMalformed {
        /// Which list.
        list: String,
        /// Which line, from 1.
        line: u64,
        /// What is wrong: a word that `package-list-malformed` puts into words.
        what: &'static str,
    },
}

/// Every code that [`PackageError::message`] can give besides those of `seal`.
pub const CODES: &[&str] = &[
    "package-file",
    "package-io",
    "package-signature-wrong",
    "package-signer-wrong",
    "package-certificate-expired",
    "package-certificate-not-yet-valid",
    "package-not-for-us",
    "package-pkcs1v15-refused",
    "package-algorithm-refused",
    "package-truncated",
    "package-tag-mismatch",
    "package-malformed",
    "package-not-a-package",
    "package-exists",
    "package-manifest-malformed",
    "package-wrong-recipient",
    "package-payload-missing",
    "package-undeclared",
    "package-empty",
    "package-hash-mismatch",
    "package-too-large",
    "package-not-tar",
    "package-tar-malformed",
    "package-path-traversal",
    "package-path-refused",
    "package-duplicate-path",
    "package-symlink",
    "package-special-file",
    "package-expanding",
    "package-tree-symlink",
    "package-tree-list",
    "package-tree-special",
    "package-tree-changed",
    "package-list-malformed",
];

impl PackageError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> PackageError {
        let path = path.to_owned();
        move |source| PackageError::File { path, source }
    }

    /// The error as code and arguments of the catalogue.
    pub fn message(&self) -> Message {
        use PackageError as E;
        let at = |code, path: &PathBuf| Message::new(code).with("path", path.display());
        let member = |code, ordinal: &u64| Message::new(code).with("ordinal", ordinal);
        match self {
            E::File { path, source } => at("package-file", path).with("reason", source),
            E::Io(source) => Message::new("package-io").with("reason", source),
            E::Seal(error) => sealed(error),
            E::NotAPackage { path } => at("package-not-a-package", path),
            E::Exists { path } => at("package-exists", path),
            E::ManifestMalformed(what) => Message::new("package-manifest-malformed").with("what", what),
            E::WrongRecipient => Message::new("package-wrong-recipient"),
            E::PayloadMissing(n) => Message::new("package-payload-missing").with("number", n),
            E::Undeclared => Message::new("package-undeclared"),
            E::Empty => Message::new("package-empty"),
            E::Truncated => Message::new("package-truncated"),
            E::HashMismatch(what) => Message::new("package-hash-mismatch").with("what", what),
            E::TooLarge { limit } => Message::new("package-too-large").with("limit", limit),
            E::NotTar => Message::new("package-not-tar"),
            E::TarMalformed { ordinal, what } => member("package-tar-malformed", ordinal).with("what", what),
            E::PathTraversal { ordinal } => member("package-path-traversal", ordinal),
            E::PathRefused { ordinal, what } => member("package-path-refused", ordinal).with("what", what),
            E::DuplicatePath { ordinal } => member("package-duplicate-path", ordinal),
            E::Link { ordinal } => member("package-symlink", ordinal),
            E::SpecialFile { ordinal } => member("package-special-file", ordinal),
            E::Expanding { ordinal, what } => member("package-expanding", ordinal).with("what", what),
            E::TreeSymlink { root } => at("package-tree-symlink", root),
            E::TreeSpecial { root } => at("package-tree-special", root),
            E::TreeList { root } => at("package-tree-list", root),
            E::TreeChanged => Message::new("package-tree-changed"),
            E::ListMalformed { list, line, what } => {
                Message::new("package-list-malformed").with("list", list).with("line", line).with("what", what)
            }
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        self.message().code
    }

    /// Whether the package itself is at fault (and is quarantined), not this machine (and the step is repeated).
    pub fn is_fault_of_package(&self) -> bool {
        !matches!(
            self,
            PackageError::File { .. }
                | PackageError::Io(_)
                | PackageError::Seal(SealError::File { .. } | SealError::Io(_) | SealError::OpenSsl(_))
        )
    }
}

/// What `seal` found, said of a package.
fn sealed(error: &SealError) -> Message {
    match error {
        SealError::BadSignature => Message::new("package-signature-wrong"),
        SealError::WrongSigner => Message::new("package-signer-wrong"),
        SealError::Expired { on } => Message::new("package-certificate-expired").with("on", on),
        SealError::NotYetValid { on } => Message::new("package-certificate-not-yet-valid").with("on", on),
        SealError::NotForUs => Message::new("package-not-for-us"),
        SealError::Pkcs1v15Refused => Message::new("package-pkcs1v15-refused"),
        SealError::AlgorithmRefused { what, found } => {
            Message::new("package-algorithm-refused").with("what", what).with("found", found)
        }
        SealError::Truncated => Message::new("package-truncated"),
        SealError::TagMismatch | SealError::ContentKeyWrong => Message::new("package-tag-mismatch"),
        SealError::Malformed(place) => Message::new("package-malformed").with("place", place),
        SealError::TooLarge { limit, .. } => Message::new("package-too-large").with("limit", limit),
        other => other.message(),
    }
}

impl From<SealError> for PackageError {
    fn from(error: SealError) -> PackageError {
        match error {
            SealError::Io(inner) => inner.into(),
            other => PackageError::Seal(other),
        }
    }
}

/// Errors travel through `Read` and `Write` as `io::Error` and come out again as what they were.
impl From<PackageError> for io::Error {
    fn from(error: PackageError) -> io::Error {
        match error {
            PackageError::Io(inner) => inner,
            PackageError::Seal(inner) => inner.into(),
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        }
    }
}

impl From<io::Error> for PackageError {
    fn from(error: io::Error) -> PackageError {
        match error.downcast::<PackageError>() {
            Ok(ours) => ours,
            Err(other) => match SealError::from(other) {
                SealError::Io(inner) => PackageError::Io(inner),
                seals => PackageError::Seal(seals),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use messages::Lang;

    use super::*;

    #[test]
    fn every_code_has_a_text_in_both_languages() {
        for code in CODES {
            assert!(messages::has(Lang::En, code) && messages::has(Lang::Ja, code), "{code}");
        }
    }

    #[test]
    fn an_error_that_went_through_streams_is_what_it_was() {
        let ours = PackageError::from(io::Error::from(PackageError::DuplicatePath { ordinal: 3 }));
        assert_eq!(ours.code(), "package-duplicate-path");
        let of_seal = PackageError::from(io::Error::from(SealError::TagMismatch));
        assert_eq!(of_seal.code(), "package-tag-mismatch");
        assert!(of_seal.is_fault_of_package());
        assert!(!PackageError::from(io::Error::other("disk")).is_fault_of_package());
    }
}
