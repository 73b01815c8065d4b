//! What a recipient applies for.

use serde::{Deserialize, Serialize};
use terms::{DatasetId, RecipientId, ReleaseKind};

use crate::Refusal;

/// SHA-256 of something that a decision is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub [u8; 32]);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// A table that is asked for, and why the study needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// OMOP table.
    pub table: String,
    /// Why.
    pub reason: String,
}

/// An application: what is wanted, by whom, for what, and the profile that says how it is treated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// The data set applied for.
    pub dataset: DatasetId,
    /// Its kind in law. It never changes afterwards.
    pub kind: ReleaseKind,
    /// Who is to receive it.
    pub recipient: RecipientId,
    /// Project: person ids are stable within it.
    pub project: String,
    /// Purpose of use.
    pub purpose: String,
    /// What is asked for.
    pub items: Vec<Item>,
    /// SHA-256 of the processing profile that the committee reads.
    pub profile_sha256: Digest,
}

impl Application {
    /// # Errors
    /// [`Refusal::ApplicationIncomplete`] names the first thing that is missing; [`Refusal::KindNotMade`] for a kind of data
    /// set that this version does not make.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let missing = |what| Err(Refusal::ApplicationIncomplete { what });
        if self.kind == ReleaseKind::NonIdentifying {
            return Err(Refusal::KindNotMade { kind: self.kind });
        }
        if self.purpose.trim().is_empty() {
            return missing("purpose");
        }
        if self.project.trim().is_empty() {
            return missing("project");
        }
        if self.items.is_empty() {
            return missing("items");
        }
        if self.items.iter().any(|i| i.table.trim().is_empty() || i.reason.trim().is_empty()) {
            return missing("reason");
        }
        Ok(())
    }
}
