//! Results that are kept, so that a later look can say what is new and what was mended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::outcome::{Outcome, Status};

/// What one look found: numbers alone, nobody is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Day of the look, `YYYY-MM-DD`.
    pub day: String,
    /// Rows.
    pub rows: u64,
    /// Patients.
    pub patients: u64,
    /// Every check that was asked, by its id.
    pub checks: BTreeMap<String, KeptCheck>,
}

/// A check that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCheck {
    /// What was tested.
    pub tested: u64,
    /// Of these, wrong.
    pub violated: u64,
    /// Whether that was more than may be.
    pub failed: bool,
}

impl Kept {
    /// What is kept of a look on a day, `YYYY-MM-DD`.
    pub fn of(outcome: &Outcome, day: &str) -> Kept {
        let asked = outcome.results.iter().filter(|r| r.status != Status::NotApplicable);
        let check = |r: &crate::CheckResult| {
            let failed = r.status == Status::Fail;
            (r.id.clone(), KeptCheck { tested: r.tested, violated: r.violated, failed })
        };
        Kept { day: day.to_owned(), rows: outcome.rows(), patients: outcome.records, checks: asked.map(check).collect() }
    }

    /// Whether a check failed.
    pub fn failed(&self, id: &str) -> bool {
        self.checks.get(id).is_some_and(|c| c.failed)
    }

    /// How many checks that are failed in a later look were not here, and how many that were hold there: as [`Kept::changes`] says.
    pub fn changed(&self, later: &Kept) -> (usize, usize) {
        let new = later.checks.iter().filter(|(id, c)| c.failed && !self.failed(id)).count();
        let mended = later.checks.iter().filter(|(id, c)| !c.failed && self.failed(id)).count();
        (new, mended)
    }

    /// The checks that fail now and did not then, and those that failed then and hold now. One that is
    /// asked for the first time and fails is new; one that is not asked any more is not mended.
    pub fn changes<'o>(&self, now: &'o Outcome) -> (Vec<&'o str>, Vec<&'o str>) {
        let (mut new, mut mended) = (Vec::new(), Vec::new());
        for result in &now.results {
            match (self.checks.get(&result.id), result.status) {
                (Some(before), Status::Fail) if !before.failed => new.push(result.id.as_str()),
                (Some(before), Status::Pass) if before.failed => mended.push(result.id.as_str()),
                // Of rows that are new, everything that is wrong is new.
                (None, Status::Fail) => new.push(result.id.as_str()),
                _ => {}
            }
        }
        (new, mended)
    }
}
