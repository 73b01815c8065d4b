use std::io;
use std::path::{Path, PathBuf};

use messages::Message;
use openssl::error::ErrorStack;

use crate::KeyScope;

/// Why something could not be sealed, opened, signed or verified. None of it carries content or keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The stream below failed.
    #[error("reading or writing failed: {0}")]
    Io(io::Error),
    /// OpenSSL refused something that should not fail.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),

    /// The passphrase is empty or longer than 4096 bytes.
    #[error("the passphrase is empty or longer than 4096 bytes")]
    PassphraseUnusable,
    /// Not the passphrase of this keyring.
    #[error("{path}: wrong passphrase")]
    WrongPassphrase {
        /// The keyring.
        path: PathBuf,
    },
    /// There is a keyring already.
    #[error("{path}: there is a keyring already; it is never overwritten")]
    KeyringExists {
        /// The keyring.
        path: PathBuf,
    },
    /// The file is not a keyring, or was changed or damaged.
    #[error("{path}: not an Azekura keyring, or damaged ({what}); restore it from its backup")]
    KeyringDamaged {
        /// The keyring.
        path: PathBuf,
        /// What does not hold.
        what: &'static str,
    },
    /// Another process wrote the keyring since this one read it.
    #[error("{path}: another process changed the keyring; run the command again")]
    KeyringChanged {
        /// The keyring.
        path: PathBuf,
    },
    /// The key under which a data key was wrapped has been destroyed: the file is erased.
    #[error("epoch {epoch} of {scope} was destroyed; what it sealed is erased")]
    KeyDestroyed {
        /// Whose key.
        scope: KeyScope,
        /// Which epoch of it.
        epoch: u32,
    },
    /// The wrapped key does not belong to this asset, or was changed.
    #[error("the wrapped key does not belong to this asset or was changed")]
    WrappedKeyWrong,
    /// There is no intake key with this certificate (any more).
    #[error("there is no intake key for this certificate; it was destroyed, or never ours")]
    NoSuchIntakeKey,

    /// A key file holds no private key that can be read.
    #[error("{path}: no private key in PEM, or the passphrase of the key is wrong")]
    KeyUnreadable {
        /// The file.
        path: PathBuf,
    },
    /// A certificate file holds no certificate that can be read.
    #[error("{path}: no X.509 certificate in PEM")]
    CertificateUnreadable {
        /// The file.
        path: PathBuf,
    },
    /// The private key is not that of the certificate.
    #[error("the private key does not belong to the certificate")]
    KeyCertificateMismatch,
    /// The key is of a kind or a size that is not accepted.
    #[error("the key is {found}; {wanted} is needed")]
    WeakKey {
        /// What it is.
        found: String,
        /// What is needed.
        wanted: &'static str,
    },
    /// The certificate's period is over.
    #[error("the certificate expired on {on}")]
    Expired {
        /// End of its period.
        on: String,
    },
    /// The certificate's period has not begun.
    #[error("the certificate is valid only from {on}")]
    NotYetValid {
        /// Begin of its period.
        on: String,
    },

    /// Signed by someone else than the pinned certificate.
    #[error("signed by someone else than the registered certificate")]
    WrongSigner,
    /// The signature does not hold over the content.
    #[error("the signature does not hold")]
    BadSignature,
    /// Sealed to other recipients.
    #[error("not sealed to this key")]
    NotForUs,
    /// Key transport with PKCS#1 v1.5 padding.
    #[error("the content key is sealed with RSA PKCS#1 v1.5, which is refused; use RSA-OAEP with SHA-256")]
    Pkcs1v15Refused,
    /// An algorithm that is not on the list.
    #[error("{found} is not accepted for {what}")]
    AlgorithmRefused {
        /// For what.
        what: &'static str,
        /// Which it was.
        found: String,
    },
    /// The content key does not open although it is sealed to this key: changed on the way.
    #[error("the content key does not open with this key; it was changed on the way")]
    ContentKeyWrong,
    /// The stream ends too early.
    #[error("it ends too early")]
    Truncated,
    /// The authentication tag is wrong: content or tag was changed, or the key is another.
    #[error("the authentication tag is wrong: it was changed, or sealed under another key")]
    TagMismatch,
    /// Not the structure it has to be.
    #[error("malformed at {0}")]
    Malformed(&'static str),
    /// Longer than what is accepted.
    #[error("{what} is longer than {limit} bytes")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
}

/// Every code that [`SealError::message`] can give.
pub const CODES: &[&str] = &[
    "seal-file",
    "seal-io",
    "seal-openssl",
    "seal-passphrase-unusable",
    "seal-wrong-passphrase",
    "seal-keyring-exists",
    "seal-keyring-damaged",
    "seal-keyring-changed",
    "seal-key-destroyed",
    "seal-wrapped-key-wrong",
    "seal-no-such-intake-key",
    "seal-key-unreadable",
    "seal-certificate-unreadable",
    "seal-key-certificate-mismatch",
    "seal-weak-key",
    "seal-certificate-expired",
    "seal-certificate-not-yet-valid",
    "seal-wrong-signer",
    "seal-bad-signature",
    "seal-not-for-us",
    "seal-pkcs1v15-refused",
    "seal-algorithm-refused",
    "seal-content-key-wrong",
    "seal-truncated",
    "seal-tag-mismatch",
    "seal-malformed",
    "seal-too-large",
];

impl SealError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> SealError {
        let path = path.to_owned();
        move |source| SealError::File { path, source }
    }

    /// The error as code and arguments of the catalogue.
    pub fn message(&self) -> Message {
        use SealError as E;
        let at = |code, path: &PathBuf| Message::new(code).with("path", path.display());
        match self {
            E::File { path, source } => at("seal-file", path).with("reason", source),
            E::Io(source) => Message::new("seal-io").with("reason", source),
            E::OpenSsl(stack) => Message::new("seal-openssl").with("reason", stack),
            E::PassphraseUnusable => Message::new("seal-passphrase-unusable"),
            E::WrongPassphrase { path } => at("seal-wrong-passphrase", path),
            E::KeyringExists { path } => at("seal-keyring-exists", path),
            E::KeyringDamaged { path, what } => at("seal-keyring-damaged", path).with("what", what),
            E::KeyringChanged { path } => at("seal-keyring-changed", path),
            E::KeyDestroyed { scope, epoch } => Message::new("seal-key-destroyed").with("scope", scope).with("epoch", epoch),
            E::WrappedKeyWrong => Message::new("seal-wrapped-key-wrong"),
            E::NoSuchIntakeKey => Message::new("seal-no-such-intake-key"),
            E::KeyUnreadable { path } => at("seal-key-unreadable", path),
            E::CertificateUnreadable { path } => at("seal-certificate-unreadable", path),
            E::KeyCertificateMismatch => Message::new("seal-key-certificate-mismatch"),
            E::WeakKey { found, wanted } => Message::new("seal-weak-key").with("found", found).with("wanted", wanted),
            E::Expired { on } => Message::new("seal-certificate-expired").with("on", on),
            E::NotYetValid { on } => Message::new("seal-certificate-not-yet-valid").with("on", on),
            E::WrongSigner => Message::new("seal-wrong-signer"),
            E::BadSignature => Message::new("seal-bad-signature"),
            E::NotForUs => Message::new("seal-not-for-us"),
            E::Pkcs1v15Refused => Message::new("seal-pkcs1v15-refused"),
            E::AlgorithmRefused { what, found } => Message::new("seal-algorithm-refused").with("what", what).with("found", found),
            E::ContentKeyWrong => Message::new("seal-content-key-wrong"),
            E::Truncated => Message::new("seal-truncated"),
            E::TagMismatch => Message::new("seal-tag-mismatch"),
            E::Malformed(place) => Message::new("seal-malformed").with("place", place),
            E::TooLarge { what, limit } => Message::new("seal-too-large").with("what", what).with("limit", limit),
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        self.message().code
    }
}

/// Errors travel through `Read` and `Write` as `io::Error` and come out again as what they were.
impl From<SealError> for io::Error {
    fn from(error: SealError) -> io::Error {
        match error {
            SealError::Io(inner) => inner,
            SealError::Truncated => io::Error::new(io::ErrorKind::UnexpectedEof, error),
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        }
    }
}

impl From<io::Error> for SealError {
    fn from(error: io::Error) -> SealError {
        error.downcast::<SealError>().unwrap_or_else(SealError::Io)
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
        assert!(CODES.contains(&SealError::Truncated.code()));
    }

    #[test]
    fn an_error_that_went_through_a_stream_is_what_it_was() {
        let through = SealError::from(io::Error::from(SealError::TagMismatch));
        assert!(matches!(through, SealError::TagMismatch));
        assert!(matches!(SealError::from(io::Error::other("disk")), SealError::Io(_)));
    }
}
