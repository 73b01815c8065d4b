use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// A SHA-256 value of the tree. Written in base64, as checkpoints write it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

/// Text that is not the base64 of 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tree hash is the base64 of 32 bytes; take it from the checkpoint or the proof as it was written")]
pub struct MalformedHash;

impl Hash {
    /// The hash of the empty tree (RFC 6962, 2.1): SHA-256 of nothing.
    pub const EMPTY: Hash = Hash(tlog_tiles::EMPTY_HASH.0);

    pub(crate) fn outer(self) -> tlog_tiles::Hash {
        tlog_tiles::Hash(self.0)
    }
}

/// Hash of one entry: SHA-256(0x00 ‖ body) (RFC 6962, 2.1).
pub fn leaf_hash(body: &[u8]) -> Hash {
    Hash(tlog_tiles::record_hash(body).0)
}

/// Hash of two subtrees: SHA-256(0x01 ‖ left ‖ right) (RFC 6962, 2.1).
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    Hash(tlog_tiles::node_hash(left.outer(), right.outer()).0)
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = MalformedHash;
    fn from_str(text: &str) -> Result<Self, MalformedHash> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| MalformedHash)?;
        bytes.try_into().map(Hash).map_err(|_| MalformedHash)
    }
}
