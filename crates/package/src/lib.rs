//! What providers send and recipients get: a directory `NAME.azp/` with a manifest and payloads, each sealed with CMS.
//!
//! ```text
//! 1319999991-000001.azp/
//!   manifest.p7m       JSON, signed by the sender (SignedData), then sealed to the recipient (AuthEnvelopedData)
//!   payload-0001.p7m   a tar of the standard format's own tree, sealed to the recipient (AuthEnvelopedData)
//!   payload-0002.p7m   …
//! ```
//! The manifest names the recipient's certificate, and size and SHA-256 of each payload, of its plaintext and of its ciphertext. A package is
//! complete when it has been renamed into place. Whoever has no `azekura-send` makes the same with `tar`, `sha256sum` and
//! `openssl cms` (see `docs/package.md`).
//!
//! * [`Manifest`], [`Draft`]: what a package says about itself.
//! * [`Writer`]: makes a package beside its place, then moves it there.
//! * [`SealedManifest`], [`open_manifest`]: reads the manifest of a hostile directory; [`payload_reader`]: one payload as a stream that holds every
//!   promise of the manifest before it ends.
//! * [`tree`]: directories into tar archives and archives into members, refusing whatever could leave the tree or never end.
//! * [`lists`]: the two tables that go with medical information, who was told and who said no.
//!
//! Invariants: does not know how packages travel, nor the ledger. Nothing that could name a person stands in an error.

mod error;
pub mod lists;
mod manifest;
mod payload;
mod sealed;
pub mod tree;
mod writer;

pub use error::{CODES, PackageError};
pub use manifest::{Draft, FILTERED, FORMAT, Manifest, PayloadEntry, Period, Purpose};
pub use payload::{PayloadReader, payload_reader, payload_stream, payload_stream_again};
pub use sealed::{Opened, SealedManifest, open_manifest};
pub use writer::{Finished, Writer};

/// Name of the manifest in a package.
pub const MANIFEST: &str = "manifest.p7m";
/// Ending of a package's directory.
pub const ENDING: &str = ".azp";
/// Largest plaintext of one payload: half of what AES-GCM may encrypt under one nonce.
pub const LARGEST_PAYLOAD: u64 = 32 << 30;
/// Largest manifest: what thousands of payloads need.
pub const LARGEST_MANIFEST: u64 = 4 << 20;

/// Name of the n-th payload, counted from 1.
pub fn payload_name(n: usize) -> String {
    format!("payload-{n:04}.p7m")
}
