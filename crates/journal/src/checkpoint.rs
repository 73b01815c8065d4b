use base64::prelude::{BASE64_STANDARD, Engine as _};
use signed_note::{Note, Signer as _, StandardSigner, StandardVerifier, VerificationError, Verifier as _, Verifiers};
use tlog_tiles::Checkpoint;

use crate::Hash;

/// What a checkpoint says: a log of this origin has `size` entries under `root`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// Name of the log, unique to the instance; also the name of its key.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

/// A checkpoint that cannot be made or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The name is none.
    #[error("the journal's origin must be a name without blanks, control characters and '+', at most 255 bytes")]
    Origin,
    /// The verifier key is not in the form `name+hash+base64`.
    #[error("malformed verifier key; it reads origin+hash+base64, as `azekura journal show` prints it")]
    Key,
    /// Not a checkpoint in a signed note.
    #[error("malformed checkpoint: it must be a signed note of origin, size and root, each on its line")]
    Malformed,
    /// No signature by the key, or a wrong one.
    #[error("the checkpoint is not signed by the journal's key")]
    NotSigned,
    /// The signature is right, but for another log.
    #[error("the checkpoint is of the log {found}, not of {expected}")]
    OtherLog {
        /// Origin in the checkpoint.
        found: String,
        /// Origin that the key belongs to.
        expected: String,
    },
}

/// Byte that stands for Ed25519 before a key in a signed note.
const ED25519: u8 = 1;

fn key_text(origin: &str, id: u32, key: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(33);
    bytes.push(ED25519);
    bytes.extend_from_slice(key);
    format!("{origin}+{id:08x}+{}", BASE64_STANDARD.encode(&bytes))
}

/// Signs checkpoints with an Ed25519 key. Prints nothing of it.
pub struct Signer {
    key: StandardSigner,
    verifier_key: String,
}

impl Signer {
    /// The signer of a log: the key is made from the seed.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`].
    pub fn new(origin: &str, seed: &[u8; 32]) -> Result<Self, CheckpointError> {
        let plain = origin.len() <= 255 && !origin.chars().any(char::is_control);
        if !plain || !signed_note::is_key_name_valid(origin) {
            return Err(CheckpointError::Origin);
        }
        let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key();
        let verifier_key = signed_note::new_ed25519_verifier_key(origin, &public);
        let mut encoded = vec![ED25519];
        encoded.extend_from_slice(public.as_bytes());
        let id = signed_note::key_id(origin, &encoded);
        let secret = format!("PRIVATE+KEY+{}", key_text(origin, id, seed));
        let key = StandardSigner::new(&secret).map_err(|_| CheckpointError::Origin)?;
        Ok(Signer { key, verifier_key })
    }

    /// Name of the log.
    pub fn origin(&self) -> &str {
        self.key.name()
    }

    /// The public half, `origin+hash+base64`, for [`Verifier::new`] and for whoever verifies outside.
    pub fn verifier_key(&self) -> &str {
        &self.verifier_key
    }

    /// The signed checkpoint of a tree of this log.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] when the note cannot be made, which no origin that [`Signer::new`] took brings about.
    pub fn checkpoint(&self, size: u64, root: Hash) -> Result<String, CheckpointError> {
        let text = Checkpoint::new(self.origin(), size, root.outer(), "").map_err(|_| CheckpointError::Malformed)?.to_bytes();
        let mut note = Note::new(&text, &[]).map_err(|_| CheckpointError::Malformed)?;
        note.add_sigs(&[&self.key]).map_err(|_| CheckpointError::Malformed)?;
        String::from_utf8(note.to_bytes()).map_err(|_| CheckpointError::Malformed)
    }
}

/// Holds checkpoints against a log's public key.
#[derive(Clone)]
pub struct Verifier {
    key: StandardVerifier,
}

/// The one key that counts; signatures by others are neither needed nor in the way.
struct Only<'a>(&'a StandardVerifier);

impl Verifiers for Only<'_> {
    fn verifier(&self, name: &str, id: u32) -> Result<&dyn signed_note::Verifier, VerificationError> {
        let ours = name == self.0.name() && id == self.0.key_id();
        ours.then_some(self.0 as &dyn signed_note::Verifier).ok_or(VerificationError::UnknownKey { name: name.to_owned(), id })
    }
}

impl Verifier {
    /// A verifier from `origin+hash+base64`.
    ///
    /// # Errors
    /// [`CheckpointError::Key`].
    pub fn new(verifier_key: &str) -> Result<Self, CheckpointError> {
        StandardVerifier::new(verifier_key).map(|key| Verifier { key }).map_err(|_| CheckpointError::Key)
    }

    /// What a checkpoint says, if it is signed by this log's key. Signatures of others (witnesses) may stand beside.
    ///
    /// # Errors
    /// Every [`CheckpointError`] but the first two.
    pub fn open(&self, checkpoint: &str) -> Result<TreeHead, CheckpointError> {
        let note = Note::from_bytes(checkpoint.as_bytes()).map_err(|_| CheckpointError::Malformed)?;
        note.verify(&Only(&self.key)).map_err(|_| CheckpointError::NotSigned)?;
        let head = Checkpoint::from_bytes(note.text()).map_err(|_| CheckpointError::Malformed)?;
        let origin = self.key.name().to_owned();
        if head.origin() != origin {
            return Err(CheckpointError::OtherLog { found: head.origin().to_owned(), expected: origin });
        }
        Ok(TreeHead { origin, size: head.size(), root: Hash(head.hash().0) })
    }
}
