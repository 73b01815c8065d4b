//! What a hospital writes beside its storage, when asked to: claims, DPC survey files, FHIR resources, checkups of the same
//! people. They tell the truth of the chart ([`crate::facts`]) and differ as reality does.
//!
//! Each kind has a module that makes [`Piece`]s of one patient; `desk` puts the pieces of all patients into files, in the
//! order of the patients. `bill` says what is charged for what was done, the same in claims and in the DPC survey; `codes`
//! and `people` how things and people are written there; `habits` what a hospital does in its own way.
//!
//! Chance comes from streams of its own (numbers from 20 on), so that the storages are the same with and without all this.

mod bill;
mod checkup;
mod claims;
mod codes;
mod desk;
mod dpc;
mod fhir;
mod habits;
mod people;
mod uke;

pub use desk::Desk;

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::day::{Day, Iso, Month};
use crate::facts::Facts;
use crate::options::Options;
use crate::population::Person;
use crate::provider::Provider;
use crate::registration::Patient;
use habits::Habits;

/// A kind of files beside the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Electronic claims (レセプト電算処理システム): `receipt/`.
    Receipt,
    /// Files of the DPC survey of inpatients: `dpc/`.
    Dpc,
    /// A FHIR R4 bulk export: `fhir/`.
    Fhir,
    /// Archives of yearly checkups (特定健診): `checkup/`.
    Checkup,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [Kind::Receipt, Kind::Dpc, Kind::Fhir, Kind::Checkup];

    /// Its word, which is also the name of its folder.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Receipt => "receipt",
            Kind::Dpc => "dpc",
            Kind::Fhir => "fhir",
            Kind::Checkup => "checkup",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let all = Kind::ALL.map(Kind::word).join(", ");
        Kind::ALL.into_iter().find(|k| k.word() == word).ok_or_else(|| format!("{word} is none of {all}"))
    }
}

/// What one patient adds to the files.
#[derive(Default)]
pub struct Pieces {
    /// Parts of files, in order.
    pub all: Vec<Piece>,
    /// Lines of the truth files, in the order of [`desk::TRUTH`].
    pub truth: [String; 4],
}

/// A part of a file of a provider.
pub enum Piece {
    /// A claim; its number in the file comes from the desk.
    Claim {
        /// Where.
        file: ClaimFile,
        /// Everything behind `RE,number`, lines closed by CR LF.
        text: String,
        /// Points.
        points: u64,
    },
    /// Lines of a text file, in UTF-8 for FHIR and in CP932 for all others.
    Lines {
        /// Place of the provider.
        provider_at: usize,
        /// Kind.
        kind: Kind,
        /// Name of the file.
        name: String,
        /// First line of the file.
        head: &'static str,
        /// Lines with their ends.
        text: String,
    },
    /// A document of a checkup; its number in the archive comes from the desk.
    Document {
        /// Place of the provider.
        provider_at: usize,
        /// Insurer that gets the archive, 8 digits.
        receiver: String,
        /// Day of the archive.
        sent: Day,
        /// XML.
        text: String,
    },
}

/// A file of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimFile {
    /// Place of the provider.
    pub provider_at: usize,
    /// Month in which the claims were sent in (請求年月).
    pub billed: Month,
    /// Who examines them: 1 支払基金, 2 国保連.
    pub body: u8,
    /// Whether these are claims that came back.
    pub returned: bool,
}

/// One patient with what the chart says.
pub struct Case<'a> {
    /// Whole run.
    pub options: &'a Options,
    /// Where.
    pub provider: &'a Provider,
    /// Who.
    pub person: &'a Person,
    /// As whom.
    pub patient: &'a Patient,
    /// What happened.
    pub facts: &'a Facts,
}

impl Case<'_> {
    fn habits(&self) -> Habits {
        Habits::new(self.options, self.provider, self.patient.provider_at)
    }

    /// Last day on which something can have been done.
    fn until(&self) -> Day {
        self.options.data_to.min(self.person.death.unwrap_or(Day::MAX))
    }

    /// The stay that a day lies in, by its place in the facts.
    fn stay_of(&self, day: Day) -> Option<usize> {
        let stays = &self.facts.stays;
        stays.iter().rposition(|s| s.admitted.day() <= day).filter(|&i| day <= stays[i].last_day(self.options.data_to))
    }

    /// `truth-stays.csv`
    fn stays(&self, into: &mut Pieces) {
        for stay in &self.facts.stays {
            let discharge = stay.left.map_or(String::new(), |left| Iso(left.day()).to_string());
            // Writing to a String does not fail.
            let _ = writeln!(
                into.truth[2],
                "{},{},{},{},{discharge},{},{},{}",
                self.person.index,
                self.provider.id,
                self.patient.local_id,
                Iso(stay.admitted.day()),
                stay.last_day(self.options.data_to) - stay.admitted.day() + 1,
                stay.disease.icd,
                stay.how.map_or("", |how| codes::outcome(how).1)
            );
        }
    }

    /// Writes every kind that is wanted.
    pub fn write(&self, into: &mut Pieces) {
        if self.options.kinds.is_empty() {
            return;
        }
        self.stays(into);
        for kind in Kind::ALL.into_iter().filter(|kind| self.options.kinds.contains(kind)) {
            match kind {
                Kind::Receipt => claims::write(self, into),
                Kind::Dpc => dpc::write(self, into),
                Kind::Fhir => fhir::write(self, into),
                Kind::Checkup => checkup::write(self, into),
            }
        }
    }
}
