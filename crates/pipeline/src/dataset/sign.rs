//! Signatures of committee members and officers. Whoever signs holds the key; the instance keeps the signature.

use governance::application::Digest;
use governance::approval::SignedApproval;
use governance::dataset::{Dataset, Reviewed as Outcome};
use governance::review::{Decision, MemberDecision, statement};
use ledger::{DatasetState, PartyKind, ReviewDecision};
use messages::Message;
use seal::Identity;
use serde::Serialize;
use terms::DatasetId;

use super::{Case, refused};
use crate::Instance;
use crate::error::Error;
use crate::notices::today;

/// Codes of the refusals when too few members have decided, or when what they decided is not what the state says.
const REVIEW_FAILS: [&str; 2] = ["governance-no-quorum", "governance-evidence-missing"];

/// A recorded decision of a member.
#[derive(Debug, Serialize)]
pub struct Reviewed {
    /// Who.
    pub member: String,
    /// Members who have decided so far.
    pub decisions: usize,
    /// State of the data set now.
    pub state: String,
}

/// A recorded approval of an officer.
#[derive(Debug, Serialize)]
pub struct Approved {
    /// Who.
    pub officer: String,
    /// Approvals so far.
    pub approvals: usize,
    /// State of the data set now.
    pub state: String,
}

/// Records a member's signed decision; with the quorum the committee has decided. Where it had decided, and today's rule asks for more
/// members or nothing of one of them counts any more, others decide in addition.
///
/// # Errors
/// Refusals: the certificate is no registered member's, the data set is not before the committee, the member decided
/// already.
pub async fn review(instance: &Instance, id: DatasetId, decision: Decision, signer: &Identity) -> Result<Reviewed, Error> {
    let mut case = Case::load(instance, &mut instance.ledger.read().await?, id).await?;
    let in_review = match case.recall(0) {
        // Also where the decisions that count today say the other, once somebody is suspended: one more decides.
        Err(error) if REVIEW_FAILS.contains(&error.code()) && case.row.state != DatasetState::Rejected => {
            Dataset::apply(case.application()?).map_err(refused)?.submit()
        }
        other => other?.in_review().map_err(refused)?,
    };
    let member = case.check.members.who(signer.certificate())?;
    let member = member.ok_or_else(|| Error::refused(Message::new("core-signer-unknown").with("kind", PartyKind::Member)))?;
    if member.as_str() == case.row.maker {
        return Err(refused(governance::Refusal::MakerReviews { member }));
    }
    if case.decisions.iter().any(|d| d.member == member) {
        return Err(refused(governance::Refusal::MemberTwice { member }));
    }
    let content = statement(id, Digest(case.row.profile_sha256), decision);
    let signature = seal::cms::sign(&content, signer)?;
    case.decisions.push(MemberDecision { member: member.clone(), decision, signature: signature.clone(), at: today() });

    let enough = case.decisions.len() >= case.rules.quorum.max(1);
    let outcome = if enough { Some(in_review.decide(&case.decisions, case.rules, &case.check).map_err(refused)?) } else { None };
    if matches!(outcome, Some(Outcome::Rejected(_))) {
        // What was made on the word of a committee that does not stand is not kept.
        super::deliver::void_made(instance, &mut case, "the committee rejected it").await?;
    }
    let mut tx = instance.ledger.begin(&instance.actor, "review an application").await?;
    let word = match decision {
        Decision::Approve => ReviewDecision::Approve,
        Decision::Reject => ReviewDecision::Reject,
    };
    tx.add_review(id, member.as_str(), word, &signature).await?;
    let before = case.row.state;
    let state = match outcome {
        Some(Outcome::Approved(_)) if before == DatasetState::InReview => DatasetState::Approved,
        Some(Outcome::Rejected(_)) => DatasetState::Rejected,
        _ => before,
    };
    if state != before {
        tx.move_dataset(id, before, state, None).await?;
    }
    tx.commit().await?;
    Ok(Reviewed { member: member.to_string(), decisions: case.decisions.len(), state: state.to_string() })
}

/// Records an officer's signature over the digests of data, report and profile.
///
/// # Errors
/// Refusals: the certificate is no registered officer's, the data set does not wait for approvals, the officer made it
/// or approved it already.
pub async fn approve(instance: &Instance, id: DatasetId, signer: &Identity) -> Result<Approved, Error> {
    let mut case = Case::load(instance, &mut instance.ledger.read().await?, id).await?;
    let state = case.row.state;
    // Released with an approval that does not count any more: another takes its place.
    if state == DatasetState::Released {
        case.row.state = DatasetState::TwoPersonCheck;
    }
    let waiting = case.recall(0)?.two_person_check().map_err(refused)?;
    let officer = case.check.officers.who(signer.certificate())?;
    let officer = officer.ok_or_else(|| Error::refused(Message::new("core-signer-unknown").with("kind", PartyKind::Officer)))?;
    let signature = seal::cms::sign(&waiting.statement(), signer)?;
    let approval = SignedApproval { officer: officer.clone(), signature, at: today() };
    waiting.admit_approval(&case.approvals, &approval, &case.check).map_err(refused)?;
    let mut tx = instance.ledger.begin(&instance.actor, "approve a data set").await?;
    tx.add_approval(id, officer.as_str(), &approval.signature).await?;
    tx.commit().await?;
    Ok(Approved { officer: officer.to_string(), approvals: case.approvals.len() + 1, state: state.to_string() })
}
