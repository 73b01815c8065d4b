//! The committee's decision, as members recorded it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use terms::{DatasetId, OfficerId};

use crate::Refusal;
use crate::application::Digest;
use crate::approval::SignatureCheck;

/// What a member says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Provide.
    Approve,
    /// Do not provide.
    Reject,
}

impl Decision {
    /// Name in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }

    /// The decision of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Approve, Self::Reject].into_iter().find(|d| d.as_str() == name)
    }
}

/// One member's decision, signed over [`statement`].
#[derive(Clone)]
pub struct MemberDecision {
    /// Who.
    pub member: OfficerId,
    /// What.
    pub decision: Decision,
    /// Signature over [`statement`].
    pub signature: Vec<u8>,
    /// Day.
    pub at: Date,
}

/// What a member signs: the data set, the profile that was read, and the decision.
pub fn statement(dataset: DatasetId, profile_sha256: Digest, decision: Decision) -> Vec<u8> {
    format!("azekura-review/1\ndataset {dataset}\nprofile {profile_sha256}\ndecision {}\n", decision.as_str()).into_bytes()
}

/// When decisions of members are a decision of the committee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRules {
    /// Members who have to take part. A committee has at least five members, and three of them are its majority.
    pub quorum: usize,
}

impl Default for ReviewRules {
    fn default() -> Self {
        Self { quorum: 3 }
    }
}

/// The outcome of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// More members for it than against it.
    pub approved: bool,
    /// Members for it.
    pub approve: usize,
    /// Members against it.
    pub reject: usize,
}

/// Counts the members' decisions: signatures hold, nobody decides twice, neither the person who will make the data set
/// nor any two names with one certificate take part, and there is a quorum. A tie is a rejection.
///
/// # Errors
/// The first guard that does not hold.
pub fn decide(
    dataset: DatasetId,
    profile_sha256: Digest,
    decisions: &[MemberDecision],
    maker: Option<&OfficerId>,
    rules: ReviewRules,
    check: &dyn SignatureCheck,
) -> Result<Outcome, Refusal> {
    let mut by_member: BTreeMap<&OfficerId, Decision> = BTreeMap::new();
    let mut certificates = BTreeSet::new();
    for d in decisions {
        if maker == Some(&d.member) {
            return Err(Refusal::MakerReviews { member: d.member.clone() });
        }
        if by_member.insert(&d.member, d.decision).is_some() {
            return Err(Refusal::MemberTwice { member: d.member.clone() });
        }
        let signed =
            check.signed(&d.member, &d.signature).map_err(|fault| Refusal::SignatureWrong { signer: d.member.clone(), fault })?;
        if signed.content != statement(dataset, profile_sha256, d.decision) {
            return Err(Refusal::SignatureOverOther { signer: d.member.clone() });
        }
        if !certificates.insert(signed.certificate) {
            return Err(Refusal::CertificateShared { signer: d.member.clone() });
        }
    }
    if by_member.len() < rules.quorum.max(1) {
        return Err(Refusal::NoQuorum { have: by_member.len(), need: rules.quorum.max(1) });
    }
    let approve = by_member.values().filter(|d| **d == Decision::Approve).count();
    let reject = by_member.len() - approve;
    Ok(Outcome { approved: approve > reject, approve, reject })
}
