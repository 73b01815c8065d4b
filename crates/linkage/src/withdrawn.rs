//! Which records were withdrawn, so that an old delivery that is given again brings nobody back unsaid.
//!
//! Of a withdrawn record nothing may stay that says who it was. What is kept is a hash of its id under a key that the folder drew by chance:
//! alone it says nothing, and beside the key it tells whoever has the id anyway that a record of this id was withdrawn here.

use std::collections::BTreeSet;

use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};

use crate::error::LinkageError;

/// Ids of withdrawn records, hashed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Withdrawn {
    /// Drawn with the first withdrawal, so that a folder without one is the same wherever it is made.
    key: [u64; 4],
    ids: BTreeSet<[u64; 2]>,
}

impl Withdrawn {
    /// SHA-256 of key and id, half of it. The key has one length, and nobody gains by lengthening an id.
    fn hash(&self, label: &[u8]) -> [u64; 2] {
        let mut hash = Sha256::new();
        self.key.iter().for_each(|word| hash.update(&word.to_le_bytes()));
        hash.update(label);
        let hash = hash.finish();
        [0, 8].map(|at| hash[at..at + 8].try_into().map_or(0, u64::from_le_bytes))
    }

    /// Whether a record of this id was withdrawn and has not come back.
    pub fn holds(&self, label: &[u8]) -> bool {
        !self.ids.is_empty() && self.ids.contains(&self.hash(label))
    }

    /// Takes note of a withdrawal.
    ///
    /// # Errors
    /// [`LinkageError::FileUnwritable`] where the system has no random numbers.
    pub fn add(&mut self, label: &[u8]) -> Result<(), LinkageError> {
        if self.ids.is_empty() {
            let mut bytes = [0; 32];
            openssl::rand::rand_bytes(&mut bytes).map_err(|_| LinkageError::FileUnwritable)?;
            self.key = [0, 8, 16, 24].map(|at| bytes[at..at + 8].try_into().map_or(0, u64::from_le_bytes));
        }
        self.ids.insert(self.hash(label));
        Ok(())
    }

    /// A record that came back.
    pub fn back(&mut self, label: &[u8]) {
        self.ids.remove(&self.hash(label));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_withdrawn_is_known_again_and_cannot_be_read() {
        let mut withdrawn = Withdrawn::default();
        assert!(!withdrawn.holds(b"R1"));
        for id in ["R1", "R2", ""] {
            withdrawn.add(id.as_bytes()).expect("random numbers");
        }
        let text = serde_json::to_string(&withdrawn).expect("JSON");
        let again: Withdrawn = serde_json::from_str(&text).expect("as it was");
        assert_eq!(again, withdrawn);
        assert!(again.holds(b"R1") && again.holds(b"") && !again.holds(b"R3") && !text.contains("R1"));
        withdrawn.back(b"R1");
        assert!(!withdrawn.holds(b"R1") && withdrawn.holds(b"R2"));
        // another folder's hashes are others
        let mut other = Withdrawn::default();
        other.add(b"R2").expect("random numbers");
        assert!(other.ids.is_disjoint(&withdrawn.ids));
    }
}
