//! Synthetic hospitals, for `azekura synth` and for the demo.

use std::path::Path;

use messages::Message;
use synth::{Kind, Options, Summary, SynthError};

use crate::failure::Failure;

/// Writes hospitals with these persons into `out`, with files of these kinds beside the storages. `progress` hears how many
/// persons are written.
///
/// # Errors
/// Refusals: a number out of its range, `out` is not empty, the disk refuses.
pub fn write(
    persons: u32,
    providers: u32,
    seed: u64,
    kinds: Vec<Kind>,
    out: &Path,
    progress: &dyn Fn(u64),
) -> Result<Summary, Failure> {
    let options = Options { persons: u64::from(persons), providers, seed, kinds, ..Options::default() };
    write_with(&options, out, progress)
}

/// The same with every option.
///
/// # Errors
/// As [`write`].
pub fn write_with(options: &Options, out: &Path, progress: &dyn Fn(u64)) -> Result<Summary, Failure> {
    synth::generate(options, out, |done| progress(done.persons)).map_err(|error| Failure::Refused(message(&error)))
}

fn message(error: &SynthError) -> Message {
    let message = Message::new(error.code());
    match error {
        SynthError::Options { name, range } => message.with("name", name).with("range", range),
        SynthError::NotEmpty { path } => message.with("path", path.display()),
        SynthError::Write { path, source } => message.with("path", path.display()).with("reason", source),
    }
}
