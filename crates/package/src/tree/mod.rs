//! Directories into tar archives, and archives into members.
//!
//! * [`Walk`]: every file of a directory, sorted, so that the files of one patient follow each other. Links and special files are refused.
//! * [`TarWriter`], [`write_tar`]: an archive without anything that differs between two machines: no times, owners or modes.
//! * [`walk_tar`]: the members of a hostile archive as a stream. The reader is our own: it holds no more than a name in memory, and it takes plain
//!   files and directories only.

mod read;
mod walk;
mod write;

pub use read::{Limits, Member, Summary, walk_tar};
pub use walk::{Found, Walk};
pub use write::{TarWriter, write_tar};
