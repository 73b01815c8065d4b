use std::path::PathBuf;

use crate::day::{Day, day};
use crate::numbers::LocalIds;
use crate::sources::Kind;

/// What to generate. The same options give the same bytes, on any number of threads.
#[derive(Debug, Clone)]
pub struct Options {
    /// Distinct persons over all providers; everyone is a patient of at least one.
    pub persons: u64,
    /// Providers, 1 to 100.
    pub providers: u32,
    /// Where chance begins.
    pub seed: u64,
    /// How much is written about each person: 1 gives about 30 files for each patient of a provider.
    pub density: f64,
    /// First day of the data (default 2023-04-01).
    pub data_from: Day,
    /// Last day of the data (default 2026-03-31).
    pub data_to: Day,
    /// Day from which the providers give notice (default 2026-04-01); contacts follow within sixty days, opt-outs within a
    /// hundred, so that 120 days later every waiting period of up to 30 days from a contact is over.
    pub notice_from: Day,
    /// Share of the patients with a file that is wrong on purpose. One of each kind of fault is planted at each provider
    /// besides, unless this is 0.
    pub faults: f64,
    /// What each provider writes beside its storage; nothing by default. The storages do not depend on it.
    pub kinds: Vec<Kind>,
    /// Threads; `None` for as many as the machine has.
    pub threads: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            persons: 1_000,
            providers: 3,
            seed: 1,
            density: 1.0,
            data_from: day(2023, 4, 1),
            data_to: day(2026, 3, 31),
            notice_from: day(2026, 4, 1),
            faults: 0.002,
            kinds: Vec::new(),
            threads: None,
        }
    }
}

impl Options {
    /// # Errors
    /// [`SynthError::Options`] when a number is out of its range.
    pub fn check(&self) -> Result<(), SynthError> {
        let most = LocalIds::CAPACITY / 2;
        let wrong = |name, range: String| Err(SynthError::Options { name, range });
        match self {
            o if o.persons == 0 || o.persons > most => wrong("persons", format!("1–{most}")),
            o if o.providers == 0 || o.providers > 100 => wrong("providers", "1–100".into()),
            o if !(0.05..=20.0).contains(&o.density) => wrong("density", "0.05–20".into()),
            o if !(0.0..=1.0).contains(&o.faults) => wrong("faults", "0–1".into()),
            o if o.data_to - o.data_from < 365 => wrong("data_to", "≥ data_from + 365".into()),
            o if o.notice_from <= o.data_to => wrong("notice_from", "> data_to".into()),
            _ => Ok(()),
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Persons whose files are written.
    pub persons: u64,
    /// Files so far.
    pub files: u64,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Distinct persons.
    pub persons: u64,
    /// Patients: a person counts once for each id it has anywhere.
    pub patients: u64,
    /// Files in the storages.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Patients in the contact lists.
    pub contacted: u64,
    /// Opt-outs in the lists of the providers.
    pub opt_outs: u64,
    /// Files that are wrong on purpose.
    pub faults: u64,
    /// Ids of the providers, in order.
    pub providers: Vec<String>,
}

/// Why nothing, or not everything, was generated.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// A number out of its range.
    #[error("{name} must be {range}")]
    Options {
        /// Option.
        name: &'static str,
        /// What it may be.
        range: String,
    },
    /// The output directory holds something.
    #[error("{path} is not empty; name a directory that does not exist yet or has nothing in it")]
    NotEmpty {
        /// Directory.
        path: PathBuf,
    },
    /// The disk refused. The path is that of the output directory: paths inside name patients.
    #[error("cannot write below {path}: {source}; make room or permission there and start again with an empty directory")]
    Write {
        /// Output directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl SynthError {
    /// The code of the error in the catalogue of messages.
    pub const fn code(&self) -> &'static str {
        match self {
            SynthError::Options { .. } => "synth-option-out-of-range",
            SynthError::NotEmpty { .. } => "synth-output-not-empty",
            SynthError::Write { .. } => "synth-write-failed",
        }
    }
}
