//! Synthetic Japanese patients, written as hospitals write them: SS-MIX2 standardized storages with everything that makes
//! reality hard, and a truth that tells who is who.
//!
//! Nobody in here exists. Names are drawn from tables of common names, telephone, insurer and institution numbers have the
//! right form and belong to no one (`numbers.rs` says why). What is measured on the output of a reader can be compared with
//! the truth files.
//!
//! [`generate`] writes, for each provider, `<id>/storage/…`, `<id>/contacts.csv` (patient, date, addressee, method: who was
//! given notice) and `<id>/opt-outs.csv` (patient, requester, scope, date: who said no before anything was sent), and beside
//! the providers
//!
//! * `providers.json`: the providers with their habits;
//! * `truth.csv`: one line a patient of a provider: who that is, how the provider writes it, flags of what is difficult;
//! * `truth-opt-outs.csv`: every opt-out, those in the lists (`before`) and those that are to come later (`after`);
//! * `truth-faults.csv`: every file that is wrong on purpose; `truth-dirt.csv`: files in another encoding than they declare
//!   and the like, which lose nothing.
//!
//! With [`Options::kinds`] each provider also writes other files of the same people (`sources` tells which), and there are
//!
//! * `truth-claims.csv`: every claim: month of care and of billing, days, points, whether it stands, came back or is there
//!   again; `truth-diagnoses.csv`: every diagnosis, which are suspected and which no chart has; `truth-stays.csv`: every stay;
//! * `truth-sources.json`: what each provider writes in its own way: padded chart numbers, local codes, the month in which a
//!   unit changes.
//!
//! The parts, in the order in which data comes into being: `dice` (chance), `numbers`, `tables`, `clinic` (general
//! knowledge), `provider` (habits), `population` (people), `registration` (what a provider knows of them), `course` (what
//! happens), `chart` (how it is written), `facts` (what it says), `hl7`, `encode`, `storage` (bytes), `sources` (other kinds of
//! files), `generate` (all of it, in parallel).
//!
//! Invariants: shares no code with the readers. The same options give the same bytes: no clock, no order of threads or of
//! hash tables.

mod chart;
mod clinic;
mod course;
mod day;
mod dice;
mod encode;
mod facts;
mod generate;
mod hl7;
mod numbers;
mod options;
mod population;
mod provider;
mod registration;
mod sources;
mod storage;
mod tables;
mod truth;

pub use chart::Fault;
pub use day::{Day, day};
pub use generate::generate;
pub use numbers::check_digit;
pub use options::{Options, Progress, Summary, SynthError};
pub use sources::Kind;

/// Codes of this crate in the catalogue of messages.
pub const CODES: &[&str] = &["synth-option-out-of-range", "synth-output-not-empty", "synth-write-failed"];
