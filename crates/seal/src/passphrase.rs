use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::SealError;

const LONGEST: usize = 4096;

/// The passphrase of a keyring or of a private key. It comes from a file, a systemd credential or a terminal, never from an argument
/// or an environment variable, where other users could read it.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// A passphrase as typed.
    ///
    /// # Errors
    /// [`SealError::PassphraseUnusable`] when it is empty or longer than 4096 bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Passphrase, SealError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.is_empty() || bytes.len() > LONGEST {
            return Err(SealError::PassphraseUnusable);
        }
        Ok(Passphrase(bytes))
    }

    /// The content of a file without its last line break.
    ///
    /// # Errors
    /// When the file cannot be read, is empty or too long.
    pub fn from_file(path: &Path) -> Result<Passphrase, SealError> {
        let file = std::fs::File::open(path).map_err(SealError::file(path))?;
        // Room for all of it beforehand, so that growing leaves no copy in freed memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 64));
        file.take(LONGEST as u64 + 3).read_to_end(&mut bytes).map_err(SealError::file(path))?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        if bytes.is_empty() || bytes.len() > LONGEST {
            return Err(SealError::PassphraseUnusable);
        }
        Ok(Passphrase(bytes))
    }

    /// The credential that systemd hands to a unit (`LoadCredential=`), `None` when there is none of that name.
    ///
    /// # Errors
    /// As [`Passphrase::from_file`].
    pub fn from_systemd_credential(name: &str) -> Result<Option<Passphrase>, SealError> {
        let Some(dir) = std::env::var_os("CREDENTIALS_DIRECTORY") else { return Ok(None) };
        let path = PathBuf::from(dir).join(name);
        if path.exists() { Passphrase::from_file(&path).map(Some) } else { Ok(None) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[passphrase]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_file_may_end_with_a_line_break_and_must_not_be_empty() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("passphrase");
        for (content, good) in
            [("correct horse\r\n", true), ("correct horse\n", true), ("correct horse", true), ("\n", false), ("", false)]
        {
            std::fs::write(&path, content).expect("written");
            match Passphrase::from_file(&path) {
                Ok(p) => assert!(good && p.bytes() == b"correct horse"),
                Err(error) => assert!(!good && matches!(error, SealError::PassphraseUnusable)),
            }
        }
        std::fs::write(&path, vec![b'x'; 5000]).expect("written");
        assert!(Passphrase::from_file(&path).is_err());
        assert_eq!(format!("{:?}", Passphrase::new("secret").expect("usable")), "[passphrase]");
    }
}
