//! The states and kinds that the ledger keeps as words. Names are those of the workflows; which step may follow which
//! is governance's to say.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use terms::UnknownTerm;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[allow(missing_docs)]
        pub enum $name { $(#[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The word that is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownTerm;
            fn from_str(text: &str) -> Result<Self, UnknownTerm> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownTerm { what: $what, known: [$($word),+].join(", ") }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// What somebody is to the instance. A body keeps the history of insured numbers and gives a key for each person that it is asked for
    /// (履歴照会・回答システム).
    PartyKind, "kind of party" {
        Provider = "provider",
        Recipient = "recipient",
        Officer = "officer",
        Member = "member",
        Body = "body",
    }
);
words!(
    /// Whether a party takes part.
    PartyStatus, "status of a party" { Active = "active", Paused = "paused", Ended = "ended", Revoked = "revoked" }
);
words!(
    /// An opt-out on its way (machine 3 of the workflows).
    OptOutState, "state of an opt-out" {
        Received = "received",
        IdentityChecked = "identity_checked",
        Effective = "effective",
        Confirmed = "confirmed_to_requester",
        Rejected = "rejected",
        Withdrawn = "withdrawn",
    }
);
words!(
    /// A package on its way in (machine 5 of the workflows).
    PackageState, "state of a package" {
        Announced = "announced",
        Receiving = "receiving",
        Spooled = "spooled",
        Checking = "checking",
        Quarantined = "quarantined",
        Accepted = "accepted",
        Ledgered = "ledgered",
        Acknowledged = "acknowledged",
        Rejected = "rejected",
        Destroyed = "destroyed",
    }
);
words!(
    /// Whether an asset's file is there.
    AssetState, "state of an asset" { Live = "live", Doomed = "doomed", Gone = "gone" }
);
words!(
    /// What a clerk says of two records.
    ClerkSays, "what a clerk says" { Same = "same", Different = "different", Unsure = "unsure", Withdrawn = "withdrawn" }
);
words!(
    /// A data set on its way out (machine 10 of the workflows, the states of this version).
    DatasetState, "state of a data set" {
        Application = "application",
        InReview = "in_review",
        Approved = "approved",
        Rejected = "rejected",
        Building = "building",
        BuildCheck = "build_check",
        TwoPersonCheck = "two_person_check",
        Released = "released",
        Delivered = "delivered",
        Withdrawn = "withdrawn",
    }
);
words!(
    /// What a member of the committee decided.
    ReviewDecision, "review decision" { Approve = "approve", Reject = "reject" }
);
words!(
    /// An effect on the outside.
    OutboxState, "state of an outbox row" { Pending = "pending", Done = "done", Failed = "failed" }
);
