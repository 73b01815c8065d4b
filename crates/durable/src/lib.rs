//! Files that survive power loss, and the places where tests may break them.
//!
//! Every file that Azekura must not lose is written through here: content is synced before the name appears, and the
//! directory is synced after. Each step is a failpoint: in builds with debug assertions the environment variable
//! `AZEKURA_FAILPOINT` kills the process there, makes the step fail, or simulates a power loss that forgets whatever
//! was not synced. Release builds contain none of that.
//!
//! Invariant: knows paths and bytes, nothing of what they mean.

mod failpoint;
mod file;
mod lock;

pub use failpoint::failpoint;
pub use file::{NewFile, create_dir, remove_file, remove_tree, rename, sync_dir, write_atomic};
pub use lock::Lock;
