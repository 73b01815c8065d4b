//! The way of a data set: applied for, reviewed, made, approved by two officers, delivered.
//!
//! The ledger keeps what happened; which step may follow is `governance`'s to say, and it says so from the evidence: at
//! every step the way is gone over again from the stored signatures ([`Case::recall`]), so a row that somebody edited
//! carries a data set nowhere.

mod base;
mod bridge;
mod build;
mod calendar;
mod cumulative;
mod deliver;
mod earlier;
mod end;
mod files;
mod ids;
mod leaving;
mod order;
mod plan;
mod reread;
mod select;
mod sign;
mod told;
mod vault;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use governance::application::{Application, Digest};
use governance::approval::{Digests, SignatureCheck, SignatureFault, Signed, SignedApproval};
use governance::dataset::{BuildFacts, Evidence, Recalled, Stored, recall};
use governance::review::{Decision, MemberDecision, ReviewRules};
use jiff::Timestamp;
use ledger::{DatasetState, PartyKind, PartyStatus, Reader};
use messages::Message;
use seal::{Certificate, SealError};
use serde::Serialize;
use terms::{DatasetId, OfficerId};

use crate::Instance;
use crate::error::Error;

pub use bridge::ClassCoverage;
pub(crate) use build::forget;
pub use build::{Made, make, report};
pub use deliver::{Delivered, deliver};
pub(crate) use deliver::{finish_doomed, left_with, void_lost, void_with};
pub use earlier::Near;
pub use end::{Ended, end};
use order::Order;

pub(crate) use leaving::{changed_deliveries, finish_deliveries, hash_file, take_back_withheld, waiting_name, withhold_stopped};
pub use plan::{Planned, list, plan};
pub use reread::{Reread, reread};
pub use sign::{Approved, Reviewed, approve, review};

/// A data set as `dataset list` shows it.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: DatasetId,
    /// How far it is.
    pub state: String,
    /// What it is in law.
    pub kind: String,
    /// Who is to get it.
    pub recipient: String,
    /// What for.
    pub purpose: String,
}

/// A certificate with its fingerprint, and until when it was pinned; `None` for the one in force.
struct Pinned {
    certificate: Certificate,
    fingerprint: [u8; 32],
    /// SHA-256 of its key: two certificates over one key are one signer.
    key: [u8; 32],
    until: Option<Timestamp>,
}

/// A registered signer: the certificate in force last.
struct Signer {
    status: PartyStatus,
    pinned: Vec<Pinned>,
}

/// The registered signers of a kind, with the certificates that were pinned for them, and when the signatures were given that the ledger has.
struct Signers {
    by_id: BTreeMap<String, Signer>,
    given: Arc<HashMap<Vec<u8>, Timestamp>>,
}

impl Signers {
    async fn of(reader: &mut Reader, kind: PartyKind, given: Arc<HashMap<Vec<u8>, Timestamp>>) -> Result<Signers, Error> {
        let mut by_id = BTreeMap::new();
        for party in reader.parties(kind).await? {
            by_id.insert(party.id.clone(), Signer { status: party.status, pinned: Vec::new() });
        }
        for former in reader.former_certificates(kind).await? {
            let certificate = Certificate::from_der(&former.certificate)?;
            let key = certificate.key_sha256()?;
            let pinned = Pinned { certificate, key, fingerprint: former.fingerprint, until: Some(former.replaced_at) };
            if let Some(signer) = by_id.get_mut(&former.id) {
                signer.pinned.push(pinned);
            }
        }
        for party in reader.parties(kind).await? {
            let certificate = Certificate::from_der(&party.certificate)?;
            let key = certificate.key_sha256()?;
            let pinned = Pinned { certificate, key, fingerprint: party.fingerprint, until: None };
            if let Some(signer) = by_id.get_mut(&party.id) {
                signer.pinned.push(pinned);
            }
        }
        Ok(Signers { by_id, given })
    }

    /// Who signs with this certificate today.
    fn who(&self, certificate: &Certificate) -> Result<Option<OfficerId>, Error> {
        let fingerprint = seal::hash::sha256(&certificate.der()?);
        let active = self.by_id.iter().filter(|(_, s)| s.status == PartyStatus::Active);
        let id = active.filter(|(_, s)| s.pinned.last().is_some_and(|p| p.fingerprint == fingerprint)).map(|(id, _)| id).next();
        id.map(|id| id.parse().map_err(|_| Error::Inconsistent("a signer's id is malformed".to_owned()))).transpose()
    }
}

impl SignatureCheck for Signers {
    /// A signature that the ledger has is held to the day on which it was given and to the certificate that was pinned then. Of a signer
    /// who is suspended nothing counts: the key may be in other hands. Who left signed rightly before.
    fn signed(&self, signer: &OfficerId, signature: &[u8]) -> Result<Signed, SignatureFault> {
        let known = self.by_id.get(signer.as_str()).ok_or(SignatureFault::UnknownSigner)?;
        let given = self.given.get(signature).copied();
        let counts = match known.status {
            PartyStatus::Active => true,
            PartyStatus::Ended => given.is_some(),
            PartyStatus::Paused | PartyStatus::Revoked => false,
        };
        if !counts {
            return Err(SignatureFault::UnknownSigner);
        }
        let at = given.unwrap_or_else(Timestamp::now);
        let pinned = known.pinned.iter().find(|p| p.until.is_none_or(|until| until > at)).ok_or(SignatureFault::UnknownSigner)?;
        match seal::cms::verify_at(signature, &pinned.certificate, at) {
            Ok(content) => Ok(Signed { content, certificate: pinned.key }),
            Err(SealError::Expired { .. } | SealError::NotYetValid { .. }) => Err(SignatureFault::Expired),
            Err(_) => Err(SignatureFault::Wrong),
        }
    }
}

/// Members first, officers for whom no member has the id: one check for both kinds of signature.
struct Both {
    members: Signers,
    officers: Signers,
}

impl SignatureCheck for Both {
    fn signed(&self, signer: &OfficerId, signature: &[u8]) -> Result<Signed, SignatureFault> {
        match self.members.signed(signer, signature) {
            Err(SignatureFault::UnknownSigner | SignatureFault::Wrong) => self.officers.signed(signer, signature),
            other => other,
        }
    }
}

/// Everything the ledger has about a data set.
struct Case {
    row: ledger::Dataset,
    decisions: Vec<MemberDecision>,
    approvals: Vec<SignedApproval>,
    check: Both,
    rules: ReviewRules,
}

fn day(at: Timestamp) -> jiff::civil::Date {
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn officer(id: &str) -> Result<OfficerId, Error> {
    id.parse().map_err(|_| Error::Inconsistent("an officer's id is malformed".to_owned()))
}

fn parse_profile(text: &str) -> Result<anonymity::Profile, Error> {
    anonymity::Profile::parse(text).map_err(|e| Error::refused(e.message()))
}

impl Case {
    /// Loads a data set with its evidence.
    ///
    /// # Errors
    /// A refusal when there is none of that id.
    async fn load(instance: &Instance, reader: &mut Reader, id: DatasetId) -> Result<Case, Error> {
        let row = reader.dataset(id).await?;
        let row = row.ok_or_else(|| Error::refused(Message::new("core-dataset-unknown").with("id", id)))?;
        let mut given = HashMap::new();
        let mut decisions = Vec::new();
        for r in reader.reviews(id).await? {
            let decision = Decision::by_name(r.decision.as_str())
                .ok_or_else(|| Error::Inconsistent("a decision that governance does not know".to_owned()))?;
            given.insert(r.signature.clone(), r.at);
            decisions.push(MemberDecision { member: officer(&r.member)?, decision, signature: r.signature, at: day(r.at) });
        }
        let mut approvals = Vec::new();
        for a in reader.approvals(id).await? {
            given.insert(a.signature.clone(), a.at);
            approvals.push(SignedApproval { officer: officer(&a.officer)?, signature: a.signature, at: day(a.at) });
        }
        let given = Arc::new(given);
        let check = Both {
            members: Signers::of(reader, PartyKind::Member, given.clone()).await?,
            officers: Signers::of(reader, PartyKind::Officer, given).await?,
        };
        // Of a suspended signer nothing counts: another fills the place, and who is resumed counts again.
        let counts = |signers: &Signers, id: &OfficerId| {
            let status = signers.by_id.get(id.as_str()).map(|s| s.status);
            !matches!(status, Some(PartyStatus::Paused | PartyStatus::Revoked))
        };
        decisions.retain(|d: &MemberDecision| counts(&check.members, &d.member));
        approvals.retain(|a: &SignedApproval| counts(&check.officers, &a.officer));
        let rules = ReviewRules { quorum: instance.config.release.review_members };
        Ok(Case { row, decisions, approvals, check, rules })
    }

    fn application(&self) -> Result<Application, Error> {
        Order::parse(&self.row.profile)?.application(self.row.id, Digest(self.row.profile_sha256))
    }

    fn digests(&self) -> Option<Digests> {
        let (data, report) = (self.row.data_sha256?, self.row.report_sha256?);
        Some(Digests {
            data: Digest(data),
            report: Digest(report),
            profile: Digest(seal::hash::sha256(self.row.profile.as_bytes())),
        })
    }

    /// What the build said of itself, as the counts of the ledger's row keep it.
    fn facts(&self) -> Result<Option<BuildFacts>, Error> {
        let Some(counts) = &self.row.counts else { return Ok(None) };
        let tables = Order::parse(&self.row.profile)?.tables();
        let n = |name: &str| counts.get(name).and_then(|n| u64::try_from(*n).ok());
        Ok(Some(BuildFacts {
            tables,
            label: self.row.kind,
            persons: n("persons").unwrap_or(0),
            smallest_class: n("smallest_class"),
            k: n("k"),
            opted_out: n("opted_out").unwrap_or(0),
        }))
    }

    /// Goes the way again up to the state that the ledger says, guard by guard.
    ///
    /// # Errors
    /// The first guard that does not hold, as a refusal.
    fn recall(&self, opted_out: u64) -> Result<Recalled, Error> {
        // Nothing follows a delivery; who repeats its command is told so.
        if self.row.state == DatasetState::Delivered {
            return Err(Error::refused(Message::new("core-dataset-delivered-before").with("id", self.row.id)));
        }
        let state = governance::dataset::DatasetState::by_name(self.row.state.as_str())
            .ok_or_else(|| Error::Inconsistent("a state that governance does not know".to_owned()))?;
        let stored = Stored {
            application: self.application()?,
            state,
            maker: Some(officer(&self.row.maker)?),
            digests: self.digests(),
            facts: self.facts()?,
            package: None,
        };
        let evidence =
            Evidence { decisions: &self.decisions, rules: self.rules, approvals: &self.approvals, opted_out, check: &self.check };
        recall(stored, &evidence).map_err(refused)
    }
}

fn refused(refusal: governance::Refusal) -> Error {
    Error::refused(refusal.message())
}
