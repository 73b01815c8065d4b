use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::SealError;

const LONGEST: usize = 4096;

/// What some editors put before a text in UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

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

    /// Bytes in it.
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// Whether at least five different bytes that are no blanks are in it: `aaaaaaaaaaaa` is as short as it reads.
    pub fn is_varied(&self) -> bool {
        let mut seen = [false; 256];
        self.0.iter().filter(|b| !b.is_ascii_whitespace()).for_each(|b| seen[usize::from(*b)] = true);
        seen.iter().filter(|s| **s).count() >= 5
    }

    /// The content of a file without its last line break and without the mark of UTF-8 that some editors begin it with.
    ///
    /// # Errors
    /// When the file cannot be read, is empty or too long.
    pub fn from_file(path: &Path) -> Result<Passphrase, SealError> {
        let file = std::fs::File::open(path).map_err(SealError::file(path))?;
        // Room for all of it beforehand, so that growing leaves no copy in freed memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 64));
        file.take(LONGEST as u64 + 3).read_to_end(&mut bytes).map_err(SealError::file(path))?;
        // Some editors put a mark before the text that nobody types.
        if bytes.starts_with(&BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
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

    /// Whether it has the form of a random key of 256 bits or more: at least 64 hexadecimal digits or 43 characters of
    /// base64, not a few of them over and over. Stretching adds nothing to such a key; whoever says that a passphrase is
    /// one is held to the form.
    pub fn has_form_of_key(&self) -> bool {
        let all = |good: fn(&u8) -> bool| self.0.iter().all(good);
        let hex = self.0.len() >= 64 && all(u8::is_ascii_hexdigit);
        let base64 = self.0.len() >= 43 && all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'='));
        let mut seen = [false; 256];
        self.0.iter().for_each(|b| seen[usize::from(*b)] = true);
        (hex || base64) && seen.iter().filter(|s| **s).count() >= 10
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
    fn only_what_looks_like_a_random_key_has_the_form_of_one() {
        let key = |text: &str| Passphrase::new(text).expect("usable").has_form_of_key();
        assert!(key("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
        assert!(key("n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="));
        assert!(!key("correct horse battery staple correct horse battery staple"));
        assert!(!key("9f86d081884c7d659a2feaa0c55ad015"), "128 bits");
        assert!(!key(&"ab".repeat(40)), "the same two over and over");
    }

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
