//! The two approvals that a release needs: officers' signatures over exactly what will leave.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use terms::{DatasetId, OfficerId, ReleaseKind};

use crate::Refusal;
use crate::application::Digest;

/// How many different officers have to approve.
pub const APPROVALS_NEEDED: usize = 2;

/// What a signature turned out to cover, and by which certificate.
pub struct Signed {
    /// The bytes that were signed.
    pub content: Vec<u8>,
    /// SHA-256 of the certificate: two officers with one certificate are one person.
    pub certificate: [u8; 32],
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureFault {
    /// Nobody of that id is registered, or no longer.
    UnknownSigner,
    /// By another certificate than the registered one, or not a signature.
    Wrong,
    /// The certificate is not valid on that day.
    Expired,
}

impl SignatureFault {
    /// Word in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownSigner => "unknown_signer",
            Self::Wrong => "wrong",
            Self::Expired => "expired",
        }
    }
}

/// Opens signatures against the registered certificates. The rules ask, whoever calls does the cryptography.
pub trait SignatureCheck {
    /// What `signer`'s signature covers.
    ///
    /// # Errors
    /// Why it does not hold.
    fn signed(&self, signer: &OfficerId, signature: &[u8]) -> Result<Signed, SignatureFault>;
}

/// Digests of what an approval is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// SHA-256 of the sealed data set's plain content.
    pub data: Digest,
    /// SHA-256 of the report.
    pub report: Digest,
    /// SHA-256 of the profile.
    pub profile: Digest,
}

/// An officer's approval as stored.
#[derive(Clone)]
pub struct SignedApproval {
    /// Who.
    pub officer: OfficerId,
    /// Signature over [`statement`].
    pub signature: Vec<u8>,
    /// Day.
    pub at: Date,
}

/// What an officer signs. One line a thing, so that it can be read before it is signed.
pub fn statement(dataset: DatasetId, kind: ReleaseKind, digests: &Digests) -> Vec<u8> {
    format!(
        "azekura-approval/1\ndataset {dataset}\nkind {kind}\ndata {}\nreport {}\nprofile {}\n",
        digests.data, digests.report, digests.profile
    )
    .into_bytes()
}

/// What approvals are held to.
pub(crate) struct Over<'a> {
    /// The data set.
    pub(crate) dataset: DatasetId,
    /// What it is in law.
    pub(crate) kind: ReleaseKind,
    /// Digests of what was made.
    pub(crate) digests: &'a Digests,
    /// Who made it.
    pub(crate) maker: &'a OfficerId,
    /// SHA-256 of the keys by which members of the committee signed.
    pub(crate) reviewers: &'a BTreeSet<[u8; 32]>,
    /// Opens signatures.
    pub(crate) check: &'a dyn SignatureCheck,
}

impl Over<'_> {
    /// Whether one approval may be recorded: not the maker's, a signature that holds, over exactly these digests, by nobody who reviewed the
    /// application. Gives the key that it was signed with.
    ///
    /// # Errors
    /// The first guard that does not hold.
    pub(crate) fn check_one(&self, approval: &SignedApproval) -> Result<[u8; 32], Refusal> {
        if &approval.officer == self.maker {
            return Err(Refusal::MakerApproves { officer: self.maker.clone() });
        }
        let signed = self
            .check
            .signed(&approval.officer, &approval.signature)
            .map_err(|fault| Refusal::SignatureWrong { signer: approval.officer.clone(), fault })?;
        if signed.content != statement(self.dataset, self.kind, self.digests) {
            return Err(Refusal::SignatureOverOther { signer: approval.officer.clone() });
        }
        if self.reviewers.contains(&signed.certificate) {
            return Err(Refusal::ReviewerApproves { officer: approval.officer.clone() });
        }
        Ok(signed.certificate)
    }

    /// Whether these approvals release the data set: every one holds ([`Over::check_one`]), and they are of at least
    /// [`APPROVALS_NEEDED`] different officers with different certificates.
    ///
    /// # Errors
    /// The first guard that does not hold.
    pub(crate) fn check_all(&self, approvals: &[SignedApproval]) -> Result<Vec<OfficerId>, Refusal> {
        let mut officers = BTreeSet::new();
        let mut certificates = BTreeSet::new();
        for approval in approvals {
            let certificate = self.check_one(approval)?;
            let new_officer = officers.insert(approval.officer.clone());
            if new_officer && !certificates.insert(certificate) {
                return Err(Refusal::CertificateShared { signer: approval.officer.clone() });
            }
        }
        if officers.len() < APPROVALS_NEEDED {
            return Err(Refusal::TooFewApprovals { have: officers.len(), need: APPROVALS_NEEDED });
        }
        Ok(officers.into_iter().collect())
    }
}
