//! Which of several claims for one patient, month and kind stands: those that were sent again, and those that were returned.

use std::collections::{HashMap, HashSet};

use crate::seen::ByItself;

/// Which claim of several for one patient, month and kind stands, and of which months there are claims.
#[derive(Debug, Clone, Default)]
pub struct Versions {
    last: HashMap<u128, Version, ByItself>,
    /// Returned claims, with their month of billing and points.
    pub(super) returned: Vec<(u128, i32, Option<f64>)>,
    pub(super) months: HashSet<(String, i32, bool)>,
}

/// Month of billing, place of the file, line.
type At = (i32, u64, u64);

/// The last of the claims with one key.
#[derive(Debug, Clone, Copy)]
struct Version {
    at: At,
    points: Option<f64>,
    /// Months of billing.
    claims: u32,
    cancelled: bool,
}

impl Versions {
    pub(super) fn note(&mut self, key: u128, at: At, points: Option<f64>) {
        let version = self.last.entry(key).or_insert(Version { at, points, claims: 1, cancelled: false });
        // The same month of billing is the same claim, in a file that came twice.
        version.claims += u32::from(version.at.0 != at.0);
        if at >= version.at {
            (version.at, version.points) = (at, points);
        }
    }

    /// A claim that was returned and is there no second time counts no more. One that was billed again after the return does, whatever it
    /// says, unless it was returned as well; one of other points is not the one that was returned.
    pub(super) fn settle(mut self) -> Self {
        let returned = std::mem::take(&mut self.returned);
        let mut months: HashMap<u128, HashSet<i32>, ByItself> = HashMap::default();
        for (key, billed, _) in &returned {
            months.entry(*key).or_default().insert(*billed);
        }
        for (key, billed, points) in returned {
            let (Some(version), Some(months)) = (self.last.get_mut(&key), months.get(&key)) else { continue };
            // Each billing before the last one was returned in its turn: this return is of the last.
            let before = months.iter().filter(|month| **month < version.at.0).count();
            let last = version.claims == 1 || before as u32 + 1 >= version.claims;
            version.cancelled |= last && version.at.0 <= billed && version.points == points;
        }
        self
    }

    /// Why a claim does not stand: its code as a skipped row and as a finding.
    pub(super) fn against(&self, key: u128, at: At) -> Option<(&'static str, &'static str)> {
        let version = self.last.get(&key)?;
        match version.at {
            last if last > at && last.1 == at.1 => Some(("superseded-claim", "receipt-claim-twice")),
            last if last > at => Some(("superseded-claim", "receipt-superseded")),
            _ if version.cancelled => Some(("returned-claim", "receipt-cancelled")),
            _ => None,
        }
    }

    /// Institutions of ten digits, months, and whether inpatients: of what medical claims there are.
    pub fn months(&self) -> impl Iterator<Item = (String, i32, bool)> + use<> {
        self.months.clone().into_iter()
    }
}
