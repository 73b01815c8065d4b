//! SS-MIX2 standardized storage (標準化ストレージ, JAMI, HELICS HS026): a tree of HL7 v2.5 files, one patient a folder.
//!
//! * `location` reads folder and file names; `kinds` is the table of data types;
//! * `prescan` is the cheap first pass that finds out who is to be set aside;
//! * `reader` collects files by patient, settles which are valid by their flags, and hands out chunks;
//! * `file` decodes one file, checks it, and gives it to the mapping of its type;
//! * `sheet` is what the mappings write to: rows with their head, findings with their place, counts;
//! * `codes` turns coded fields into source values;
//! * the mappings, one file a subject: `person`, `insurance`, `visits`, `diagnoses`, `allergies`, `drugs`, `results`,
//!   `procedures`, `diet`, with `staff` for doctors and departments.
//!
//! A file whose patient id (PID-3) is not that of its path and name sets both patients aside. Files marked deleted
//! (`_0`) or superseded (`_2`) are counted and never read.

mod allergies;
mod codes;
mod diagnoses;
mod diet;
mod drugs;
mod file;
mod findings;
mod insurance;
mod kinds;
mod location;
mod person;
mod prescan;
mod procedures;
mod reader;
mod results;
mod sheet;
mod staff;
mod visits;

pub use findings::{ARGS, CODES};
pub use prescan::Prescan;
pub use reader::{Options, Ssmix2Reader, read_one};

/// The patient id in a file's name, `None` when the name is no storage file's.
pub fn patient_of(path: &str) -> Option<&str> {
    location::Location::of(path).map(|l| l.patient)
}

/// Code of the reason for which a patient is set aside: a file in the patient's folder names another patient.
pub const WRONG_PATIENT: &str = "ssmix2-wrong-patient";
