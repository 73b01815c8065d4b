use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An id that does not have its form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {form}")]
pub struct InvalidId {
    /// Which kind of id.
    pub what: &'static str,
    /// What it has to look like.
    pub form: &'static str,
}

macro_rules! party_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                let ok = !text.is_empty() && text.len() <= 64 && text.chars().all(good) && !text.starts_with(['.', '-']);
                ok.then(|| Self(text.to_owned())).ok_or(InvalidId {
                    what: $what,
                    form: "1 to 64 ASCII letters, digits, '-', '_' or '.', beginning with a letter, a digit or '_'",
                })
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

party_id!(
    /// A provider (医療情報取扱事業者): the institution itself, by its 10-digit code where it has one.
    ProviderId, "provider id"
);
party_id!(
    /// A recipient of data sets (利活用者).
    RecipientId, "recipient id"
);
party_id!(
    /// An officer who signs approvals, or a committee member who signs a review.
    OfficerId, "officer id"
);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id (UUID version 7: sorts by time of making).
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
            /// The sixteen bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId { what: $what, form: "a UUID" })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

uuid_id!(
    /// An asset of the asset ledger (資産台帳): one sealed file, one package, one key.
    AssetId, "asset id"
);
uuid_id!(
    /// A package as received; the id of its asset.
    PackageId, "package id"
);
uuid_id!(
    /// A data set, from its plan to its deletion.
    DatasetId, "data set id"
);
uuid_id!(
    /// One run of a step (ingest, link, build), named in events and reports.
    RunId, "run id"
);

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// One per (provider, local patient): a random positive 63-bit number, the key of every clinical row.
    RecordId
);
number_id!(
    /// One per person, by linkage: a view that every linkage run may change, never a fact.
    PersonId
);
number_id!(
    /// One per person and project: dense 1..n in random order, the only person id that leaves the house.
    ProjectPersonId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn party_ids_that_could_be_paths_or_options_are_refused() {
        for bad in ["", "..", ".hidden", "-rf", "a/b", "a b", "a\0", "病院", &"x".repeat(65)] {
            assert!(bad.parse::<ProviderId>().is_err(), "{bad:?}");
        }
        assert_eq!("1319999991".parse::<ProviderId>().expect("a plain code").as_str(), "1319999991");
    }
}
