//! The child process that decrypts, unpacks and reads one payload. It gets ciphertext and gives Arrow, and has no file,
//! no ledger and no key but the one it needs: what a hostile package could break is this process alone.
//!
//! Parent to child on standard input: length and JSON of [`Task`], then the ciphertext to its end, twice where [`Task::is_read_twice`]. Child to parent on
//! standard output: frames of one byte kind, eight bytes length (little endian), body; the last frame is the
//! [`Summary`]. A child that ends without it has failed.

mod ahead;
mod child;
mod parent;

use serde::{Deserialize, Serialize};

pub use child::serve;
pub use parent::{Child, read_payload};

/// What the child is to do with the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Look at everything, keep nothing: hashes, tag, archive, whose files they are, who was told, who said no.
    Check,
    /// Read every file to rows.
    Read,
}

/// What the parent tells the child. Holds a private key: no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct Task {
    /// What to do.
    pub mode: Mode,
    /// Format of the payload.
    pub kind: terms::SourceKind,
    /// Who sent it: the institution whose patient numbers stand bare.
    pub provider: String,
    /// How the provider's patient ids are made one.
    pub rule: terms::PatientIdRule,
    /// Number of the payload in its package.
    pub payload: u32,
    /// The payload as the signed manifest declares it.
    pub entry: package::PayloadEntry,
    /// Private key that opens it (PEM) and its certificate.
    pub key: zeroize::Zeroizing<String>,
    /// Certificate of that key (PEM).
    pub certificate: String,
    /// Local ids whose files are not read to rows, because some file says that they may be another's.
    pub set_aside: Vec<String>,
    /// Source bytes read before a chunk of rows is given back.
    pub chunk_bytes: usize,
}

impl Task {
    /// Whether the payload is read twice: files of most formats say things that rows of others depend on, and only SS-MIX2 says in the names of
    /// its files whose they are and what stands. To say only whose they are, a CSV file of checkups needs the mapping beside it.
    pub fn is_read_twice(&self) -> bool {
        match self.kind {
            terms::SourceKind::Ssmix2 => false,
            terms::SourceKind::Checkup => true,
            _ => self.mode == Mode::Read,
        }
    }
}

/// What the child says at the end.
#[derive(Default, Clone, Serialize, Deserialize)]
pub struct Summary {
    /// Files in the payload.
    pub members: u64,
    /// Bytes of plaintext.
    pub bytes: u64,
    /// Lines of `contacts.csv`.
    pub contacts: Vec<ContactLine>,
    /// Lines of `opt-outs.csv`.
    pub opt_outs: Vec<OptOutLine>,
    /// Local ids that some file makes doubtful.
    pub set_aside: Vec<String>,
    /// Every local id that files stand under, once for each place where its files stand together.
    pub patients: Vec<String>,
    /// Lines of `contacts.csv` that could not be read: whoever stands there is not notified.
    pub bad_contacts: u64,
    /// Lines of `opt-outs.csv` that could not be read. Somebody may have said no there: the package does not come in.
    pub bad_opt_outs: u64,
    /// Why the payload is refused as a whole.
    pub refused: Option<crate::codes::Said>,
}

/// A contact with a person at or after the notice began.
#[derive(Serialize, Deserialize, Clone)]
pub struct ContactLine {
    /// Local patient id as the provider writes it.
    pub patient: String,
    /// ISO date.
    pub date: String,
    /// To whom: the person, a guardian …
    pub addressee: String,
    /// How: posted notice, letter, at reception …
    pub method: String,
    /// Line of the list, from 1.
    pub line: u64,
}

/// A statement that provision is to stop.
#[derive(Serialize, Deserialize, Clone)]
pub struct OptOutLine {
    /// Local patient id as the provider writes it.
    pub patient: String,
    /// Who asked.
    pub requester: String,
    /// Scopes, joined with a comma or semicolon; empty means all.
    pub scope: String,
    /// ISO date.
    pub date: String,
    /// The id of which it was said, where the sender's files show that this is the same person; empty means of this one.
    pub because: String,
}

const CHUNK: u8 = 1;
const SUMMARY: u8 = 2;
