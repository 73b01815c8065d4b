use jiff::civil::Date;
use messages::Message;
use terms::{OfficerId, ReleaseKind, Requester};

use crate::approval::SignatureFault;
use crate::dataset::DatasetState;

/// Why a guard did not let something through. `Display` is for developers; people read [`Refusal::message`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message().text(messages::Lang::En))]
#[allow(missing_docs)] // the texts of the catalogue say what each is, field by field
pub enum Refusal {
    WaitTooShort { days: u16, least: u16 },
    NotNotified,
    Waiting { until: Date },
    OptedOut,
    OptOutWithoutScope,
    OptOutWithoutRelation,
    OptOutErasureUnclear,
    OptOutEvidenceMissing,
    WithdrawalByAnother { by: Requester, stated_by: Requester },
    WithdrawalTooEarly { on: Date, stated_on: Date },
    ApplicationIncomplete { what: &'static str },
    KindNotMade { kind: ReleaseKind },
    NoQuorum { have: usize, need: usize },
    MemberTwice { member: OfficerId },
    MakerReviews { member: OfficerId },
    ProfileChanged,
    LabelWrong { label: ReleaseKind, approved: ReleaseKind },
    TableNotApproved { table: String },
    BuildEmpty,
    ClassTooSmall { smallest: u64, k: u64 },
    OptedOutInside { records: u64 },
    TooFewApprovals { have: usize, need: usize },
    OfficerTwice { officer: OfficerId },
    MakerApproves { officer: OfficerId },
    ReviewerApproves { officer: OfficerId },
    CertificateShared { signer: OfficerId },
    SignatureWrong { signer: OfficerId, fault: SignatureFault },
    SignatureOverOther { signer: OfficerId },
    PackageDiffers,
    WrongState { state: DatasetState },
    EvidenceMissing { state: DatasetState, what: &'static str },
}

/// Every code that this crate's refusals have.
pub const CODES: &[&str] = &[
    "governance-wait-too-short",
    "governance-not-notified",
    "governance-waiting",
    "governance-opted-out",
    "governance-opt-out-without-scope",
    "governance-opt-out-without-relation",
    "governance-opt-out-erasure-unclear",
    "governance-opt-out-evidence-missing",
    "governance-withdrawal-by-another",
    "governance-withdrawal-too-early",
    "governance-application-incomplete",
    "governance-kind-not-made",
    "governance-no-quorum",
    "governance-member-twice",
    "governance-maker-reviews",
    "governance-profile-changed",
    "governance-label-wrong",
    "governance-table-not-approved",
    "governance-build-empty",
    "governance-class-too-small",
    "governance-opted-out-inside",
    "governance-too-few-approvals",
    "governance-officer-twice",
    "governance-maker-approves",
    "governance-reviewer-approves",
    "governance-certificate-shared",
    "governance-signature-unknown-signer",
    "governance-signature-wrong",
    "governance-signature-expired",
    "governance-signature-over-other",
    "governance-package-differs",
    "governance-wrong-state",
    "governance-evidence-missing",
];

impl Refusal {
    /// The reason as a coded message.
    pub fn message(&self) -> Message {
        use Refusal::*;
        match self {
            WaitTooShort { days, least } => Message::new("governance-wait-too-short").with("days", days).with("least", least),
            NotNotified => Message::new("governance-not-notified"),
            Waiting { until } => Message::new("governance-waiting").with("until", until),
            OptedOut => Message::new("governance-opted-out"),
            OptOutWithoutScope => Message::new("governance-opt-out-without-scope"),
            OptOutWithoutRelation => Message::new("governance-opt-out-without-relation"),
            OptOutErasureUnclear => Message::new("governance-opt-out-erasure-unclear"),
            OptOutEvidenceMissing => Message::new("governance-opt-out-evidence-missing"),
            WithdrawalByAnother { by, stated_by } => {
                Message::new("governance-withdrawal-by-another").with("by", by).with("stated_by", stated_by)
            }
            WithdrawalTooEarly { on, stated_on } => {
                Message::new("governance-withdrawal-too-early").with("on", on).with("stated_on", stated_on)
            }
            ApplicationIncomplete { what } => Message::new("governance-application-incomplete").with("what", what),
            KindNotMade { kind } => Message::new("governance-kind-not-made").with("kind", kind),
            NoQuorum { have, need } => Message::new("governance-no-quorum").with("have", have).with("need", need),
            MemberTwice { member } => Message::new("governance-member-twice").with("member", member),
            MakerReviews { member } => Message::new("governance-maker-reviews").with("member", member),
            ProfileChanged => Message::new("governance-profile-changed"),
            LabelWrong { label, approved } => {
                Message::new("governance-label-wrong").with("label", label).with("approved", approved)
            }
            TableNotApproved { table } => Message::new("governance-table-not-approved").with("table", table),
            BuildEmpty => Message::new("governance-build-empty"),
            ClassTooSmall { smallest, k } => Message::new("governance-class-too-small").with("smallest", smallest).with("k", k),
            OptedOutInside { records } => Message::new("governance-opted-out-inside").with("records", records),
            TooFewApprovals { have, need } => Message::new("governance-too-few-approvals").with("have", have).with("need", need),
            OfficerTwice { officer } => Message::new("governance-officer-twice").with("officer", officer),
            MakerApproves { officer } => Message::new("governance-maker-approves").with("officer", officer),
            ReviewerApproves { officer } => Message::new("governance-reviewer-approves").with("officer", officer),
            CertificateShared { signer } => Message::new("governance-certificate-shared").with("signer", signer),
            SignatureWrong { signer, fault } => Message::new(match fault {
                SignatureFault::UnknownSigner => "governance-signature-unknown-signer",
                SignatureFault::Wrong => "governance-signature-wrong",
                SignatureFault::Expired => "governance-signature-expired",
            })
            .with("signer", signer),
            SignatureOverOther { signer } => Message::new("governance-signature-over-other").with("signer", signer),
            PackageDiffers => Message::new("governance-package-differs"),
            WrongState { state } => Message::new("governance-wrong-state").with("state", state.as_str()),
            EvidenceMissing { state, what } => {
                Message::new("governance-evidence-missing").with("state", state.as_str()).with("what", what)
            }
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.message().code
    }
}

#[cfg(test)]
mod tests {
    use messages::Lang;

    #[test]
    fn every_refusal_has_a_text_in_both_languages() {
        for code in super::CODES {
            for lang in [Lang::En, Lang::Ja] {
                assert!(messages::has(lang, code), "{code}");
            }
        }
    }
}
