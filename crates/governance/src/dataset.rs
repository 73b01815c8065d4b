//! The way of a data set, each state a type.
//!
//! `application → in_review → approved → building → build_check → two_person_check → released → delivered`, or `rejected`;
//! before it is delivered it may be `withdrawn`.
//! A step is a method of its state and takes the state with it. Between two commands a data set lives in the ledger as a
//! row that anybody with the key could edit, so [`recall`] does not believe the state written there: it goes the whole way
//! again over the evidence (signatures, digests, build facts) and hands out the typed state only where every guard
//! on the way holds.
//!
//! A delivery without approvals does not compile:
//!
//! ```compile_fail,E0599
//! use governance::{application::Digest, approval::Digests, dataset::{Building, Dataset}};
//! fn leak(d: Dataset<Building>, digests: &Digests) {
//!     let _ = d.deliver(digests, Digest([0; 32]));
//! }
//! ```
//!
//! nor does taking back what has left:
//!
//! ```compile_fail,E0599
//! use governance::dataset::{Dataset, Delivered};
//! fn undo(d: Dataset<Delivered>) {
//!     let _ = d.withdraw();
//! }
//! ```
//!
//! nor does a release that nobody reviewed, nor a state made by hand:
//!
//! ```compile_fail,E0451
//! use governance::{application::Application, dataset::{Dataset, Released}};
//! fn forge(application: Application, state: Released) -> Dataset<Released> {
//!     Dataset { application, state }
//! }
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use terms::{OfficerId, ReleaseKind};

use crate::Refusal;
use crate::application::{Application, Digest};
use crate::approval::{self, Digests, SignatureCheck, SignedApproval};
use crate::review::{self, MemberDecision, Outcome, ReviewRules};

/// The states as they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetState {
    /// Applied for.
    Application,
    /// Before the committee.
    InReview,
    /// The committee said yes.
    Approved,
    /// Being made.
    Building,
    /// Made; what was made is compared with what was approved.
    BuildCheck,
    /// Waits for two officers.
    TwoPersonCheck,
    /// May leave.
    Released,
    /// Has left.
    Delivered,
    /// The committee said no.
    Rejected,
    /// Nobody wants it any more.
    Withdrawn,
}

impl DatasetState {
    /// Every state.
    pub const ALL: [DatasetState; 10] = [
        Self::Application,
        Self::InReview,
        Self::Approved,
        Self::Building,
        Self::BuildCheck,
        Self::TwoPersonCheck,
        Self::Released,
        Self::Delivered,
        Self::Rejected,
        Self::Withdrawn,
    ];

    /// Name in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::InReview => "in_review",
            Self::Approved => "approved",
            Self::Building => "building",
            Self::BuildCheck => "build_check",
            Self::TwoPersonCheck => "two_person_check",
            Self::Released => "released",
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}

/// A data set in one of its states.
pub struct Dataset<S> {
    application: Application,
    state: S,
}

/// SHA-256 of the keys by which members signed: who reviewed an application does not approve what was made of it.
type Keys = BTreeSet<[u8; 32]>;

/// Applied for.
pub struct Applied {
    _made_here: (),
}
/// Before the committee.
pub struct InReview {
    _made_here: (),
}
/// The committee said yes.
pub struct Approved {
    outcome: Outcome,
    members: Vec<OfficerId>,
    reviewers: Keys,
}
/// The committee said no.
pub struct Rejected {
    outcome: Outcome,
}
/// Being made by `maker`.
pub struct Building {
    maker: OfficerId,
    reviewers: Keys,
}
/// Made, and to be compared with what was approved.
pub struct BuildCheck {
    maker: OfficerId,
    reviewers: Keys,
    digests: Digests,
    facts: BuildFacts,
}
/// Waits for two officers.
pub struct TwoPersonCheck {
    maker: OfficerId,
    reviewers: Keys,
    digests: Digests,
}
/// May leave. Only [`Dataset::release`] makes it.
pub struct Released {
    digests: Digests,
    officers: Vec<OfficerId>,
}
/// Has left.
pub struct Delivered {
    package: Digest,
}
/// Nobody wants it any more: nothing follows.
pub struct Withdrawn {
    _made_here: (),
}

/// States in which a data set has not left and nobody has ended it: it may be withdrawn.
pub trait Open: sealed::Open {}
mod sealed {
    pub trait Open {}
}
macro_rules! open {
    ($($state:ident),+) => { $(impl sealed::Open for $state {} impl Open for $state {})+ };
}
open!(Applied, InReview, Approved, Building, BuildCheck, TwoPersonCheck, Released);

/// What the build says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildFacts {
    /// Tables in the data set.
    pub tables: Vec<String>,
    /// What the data set says it is.
    pub label: ReleaseKind,
    /// Persons in it.
    pub persons: u64,
    /// Persons of the smallest class of equal quasi-identifiers; none where the kind asks for no classes.
    pub smallest_class: Option<u64>,
    /// The size that the profile promises.
    pub k: Option<u64>,
    /// Records in it that an opt-out names or reaches. Anything but 0 is a fault.
    pub opted_out: u64,
}

/// How a review ended.
pub enum Reviewed {
    /// Yes.
    Approved(Dataset<Approved>),
    /// No.
    Rejected(Dataset<Rejected>),
}

/// A build that is not what was approved goes back to be made again.
pub struct Unfit {
    /// Where it goes.
    pub dataset: Dataset<Building>,
    /// Everything that is wrong with it.
    pub reasons: Vec<Refusal>,
}

impl<S> Dataset<S> {
    /// What was applied for.
    pub fn application(&self) -> &Application {
        &self.application
    }
}

impl<S: Open> Dataset<S> {
    /// Ends it for good: nobody wants it any more.
    pub fn withdraw(self) -> Dataset<Withdrawn> {
        Dataset { application: self.application, state: Withdrawn { _made_here: () } }
    }
}

impl Dataset<Applied> {
    /// Takes an application.
    ///
    /// # Errors
    /// [`Refusal::ApplicationIncomplete`], [`Refusal::KindNotMade`].
    pub fn apply(application: Application) -> Result<Self, Refusal> {
        application.check()?;
        Ok(Self { application, state: Applied { _made_here: () } })
    }

    /// Hands it to the committee.
    pub fn submit(self) -> Dataset<InReview> {
        Dataset { application: self.application, state: InReview { _made_here: () } }
    }
}

impl Dataset<InReview> {
    /// Counts the members' decisions.
    ///
    /// # Errors
    /// Of [`review::decide`].
    pub fn decide(
        self,
        decisions: &[MemberDecision],
        rules: ReviewRules,
        check: &dyn SignatureCheck,
    ) -> Result<Reviewed, Refusal> {
        let outcome = review::decide(self.application.dataset, self.application.profile_sha256, decisions, None, rules, check)?;
        let application = self.application;
        Ok(if outcome.approved {
            let members = decisions.iter().map(|d| d.member.clone()).collect();
            let key = |d: &MemberDecision| check.signed(&d.member, &d.signature).ok().map(|s| s.certificate);
            let reviewers = decisions.iter().filter_map(key).collect();
            Reviewed::Approved(Dataset { application, state: Approved { outcome, members, reviewers } })
        } else {
            Reviewed::Rejected(Dataset { application, state: Rejected { outcome } })
        })
    }
}

impl Dataset<Approved> {
    /// How the members decided.
    pub fn outcome(&self) -> Outcome {
        self.state.outcome
    }

    /// Starts the build with the profile that was reviewed.
    ///
    /// # Errors
    /// [`Refusal::ProfileChanged`]; [`Refusal::MakerReviews`] when the maker sat in the review.
    pub fn build(self, maker: OfficerId, profile_sha256: Digest) -> Result<Dataset<Building>, Refusal> {
        if profile_sha256 != self.application.profile_sha256 {
            return Err(Refusal::ProfileChanged);
        }
        if self.state.members.contains(&maker) {
            return Err(Refusal::MakerReviews { member: maker });
        }
        Ok(Dataset { application: self.application, state: Building { maker, reviewers: self.state.reviewers } })
    }
}

impl Dataset<Rejected> {
    /// How the members decided.
    pub fn outcome(&self) -> Outcome {
        self.state.outcome
    }
}

impl Dataset<Building> {
    /// Who makes it.
    pub fn maker(&self) -> &OfficerId {
        &self.state.maker
    }

    /// The build is done.
    pub fn finished(self, digests: Digests, facts: BuildFacts) -> Dataset<BuildCheck> {
        let Building { maker, reviewers } = self.state;
        Dataset { application: self.application, state: BuildCheck { maker, reviewers, digests, facts } }
    }
}

impl Dataset<BuildCheck> {
    /// Compares what was made with what was approved: the profile, the tables, the label, the class sizes, and that nobody
    /// is in it who said no.
    ///
    /// # Errors
    /// [`Unfit`] with every reason; the data set is to be built again.
    pub fn check(self) -> Result<Dataset<TwoPersonCheck>, Box<Unfit>> {
        let reasons = check_build(&self.application, &self.state.digests, &self.state.facts);
        let BuildCheck { maker, reviewers, digests, .. } = self.state;
        let application = self.application;
        if reasons.is_empty() {
            Ok(Dataset { application, state: TwoPersonCheck { maker, reviewers, digests } })
        } else {
            Err(Box::new(Unfit { dataset: Dataset { application, state: Building { maker, reviewers } }, reasons }))
        }
    }
}

fn check_build(application: &Application, digests: &Digests, facts: &BuildFacts) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    if digests.profile != application.profile_sha256 {
        reasons.push(Refusal::ProfileChanged);
    }
    if facts.label != application.kind {
        reasons.push(Refusal::LabelWrong { label: facts.label, approved: application.kind });
    }
    for table in &facts.tables {
        if !application.items.iter().any(|i| &i.table == table) {
            reasons.push(Refusal::TableNotApproved { table: table.clone() });
        }
    }
    if facts.persons == 0 {
        reasons.push(Refusal::BuildEmpty);
    }
    if application.kind.is_anonymized() && facts.persons > 0 {
        match (facts.smallest_class, facts.k) {
            (Some(smallest), Some(k)) if k >= 2 && smallest >= k => {}
            (smallest, k) => {
                reasons.push(Refusal::ClassTooSmall { smallest: smallest.unwrap_or(0), k: k.unwrap_or(0).max(2) });
            }
        }
    }
    if facts.opted_out > 0 {
        reasons.push(Refusal::OptedOutInside { records: facts.opted_out });
    }
    reasons
}

impl Dataset<TwoPersonCheck> {
    /// What officers are to sign.
    pub fn statement(&self) -> Vec<u8> {
        approval::statement(self.application.dataset, self.application.kind, &self.state.digests)
    }

    /// Digests of what was made.
    pub fn digests(&self) -> &Digests {
        &self.state.digests
    }

    /// Whether one more approval may be recorded beside those that are there.
    ///
    /// # Errors
    /// Of [`approval::Over::check_one`], and [`Refusal::OfficerTwice`].
    pub fn admit_approval(
        &self,
        recorded: &[SignedApproval],
        approval: &SignedApproval,
        check: &dyn SignatureCheck,
    ) -> Result<(), Refusal> {
        if recorded.iter().any(|a| a.officer == approval.officer) {
            return Err(Refusal::OfficerTwice { officer: approval.officer.clone() });
        }
        self.over(check).check_one(approval).map(|_| ())
    }

    /// Releases it: two different officers, neither of them the maker nor a member who reviewed it, signed exactly this data set, and nobody in it has
    /// said no since (`opted_out`: records in it that an opt-out names or reaches today).
    ///
    /// # Errors
    /// Of [`approval::Over::check_all`]; [`Refusal::OptedOutInside`], after which [`Dataset::void`] is the way.
    pub fn release(
        self,
        approvals: &[SignedApproval],
        opted_out: u64,
        check: &dyn SignatureCheck,
    ) -> Result<Dataset<Released>, Refusal> {
        if opted_out > 0 {
            return Err(Refusal::OptedOutInside { records: opted_out });
        }
        let officers = self.over(check).check_all(approvals)?;
        Ok(Dataset { application: self.application, state: Released { digests: self.state.digests, officers } })
    }

    /// Somebody in it said no: the approvals are void and it is built again.
    pub fn void(self) -> Dataset<Building> {
        let TwoPersonCheck { maker, reviewers, .. } = self.state;
        Dataset { application: self.application, state: Building { maker, reviewers } }
    }

    /// What approvals are held to.
    fn over<'a>(&'a self, check: &'a dyn SignatureCheck) -> approval::Over<'a> {
        approval::Over {
            dataset: self.application.dataset,
            kind: self.application.kind,
            digests: &self.state.digests,
            maker: &self.state.maker,
            reviewers: &self.state.reviewers,
            check,
        }
    }
}

impl Dataset<Released> {
    /// Who approved.
    pub fn officers(&self) -> &[OfficerId] {
        &self.state.officers
    }

    /// Digests of what may leave.
    pub fn digests(&self) -> &Digests {
        &self.state.digests
    }

    /// Hands it over: `packed` are the digests of what stands in the package, computed from its bytes, and `package` the
    /// digest of the package's manifest.
    ///
    /// # Errors
    /// [`Refusal::PackageDiffers`] when anything in it is not what the officers signed.
    pub fn deliver(self, packed: &Digests, package: Digest) -> Result<Dataset<Delivered>, Refusal> {
        if packed != &self.state.digests {
            return Err(Refusal::PackageDiffers);
        }
        Ok(Dataset { application: self.application, state: Delivered { package } })
    }
}

impl Dataset<Delivered> {
    /// Digest of the package's manifest.
    pub fn package(&self) -> Digest {
        self.state.package
    }
}

/// A data set as the ledger has it.
#[derive(Clone)]
pub struct Stored {
    /// What was applied for.
    pub application: Application,
    /// The state written there.
    pub state: DatasetState,
    /// Who makes it.
    pub maker: Option<OfficerId>,
    /// Digests of what was made.
    pub digests: Option<Digests>,
    /// What the build said of itself.
    pub facts: Option<BuildFacts>,
    /// Digest of the package's manifest.
    pub package: Option<Digest>,
}

/// What the way is gone over again with.
pub struct Evidence<'a> {
    /// Members' decisions.
    pub decisions: &'a [MemberDecision],
    /// When they are the committee's.
    pub rules: ReviewRules,
    /// Officers' approvals.
    pub approvals: &'a [SignedApproval],
    /// Records in it that an opt-out names or reaches today.
    pub opted_out: u64,
    /// Opens signatures.
    pub check: &'a dyn SignatureCheck,
}

/// A data set in the state that its evidence supports.
pub enum Recalled {
    /// Applied for.
    Applied(Dataset<Applied>),
    /// Before the committee.
    InReview(Dataset<InReview>),
    /// The committee said yes.
    Approved(Dataset<Approved>),
    /// The committee said no.
    Rejected(Dataset<Rejected>),
    /// Being made.
    Building(Dataset<Building>),
    /// Made.
    BuildCheck(Dataset<BuildCheck>),
    /// Waits for two officers.
    TwoPersonCheck(Dataset<TwoPersonCheck>),
    /// May leave.
    Released(Dataset<Released>),
    /// Has left.
    Delivered(Dataset<Delivered>),
    /// Nobody wants it any more.
    Withdrawn(Dataset<Withdrawn>),
}

macro_rules! expect_state {
    ($($method:ident -> $variant:ident),+) => {
        impl Recalled {
            /// The state's name.
            pub fn state(&self) -> DatasetState {
                match self {
                    Recalled::Applied(_) => DatasetState::Application,
                    Recalled::InReview(_) => DatasetState::InReview,
                    Recalled::Approved(_) => DatasetState::Approved,
                    Recalled::Rejected(_) => DatasetState::Rejected,
                    Recalled::Building(_) => DatasetState::Building,
                    Recalled::BuildCheck(_) => DatasetState::BuildCheck,
                    Recalled::TwoPersonCheck(_) => DatasetState::TwoPersonCheck,
                    Recalled::Released(_) => DatasetState::Released,
                    Recalled::Delivered(_) => DatasetState::Delivered,
                    Recalled::Withdrawn(_) => DatasetState::Withdrawn,
                }
            }
            $(
                /// The data set, where it is in this state.
                ///
                /// # Errors
                /// [`Refusal::WrongState`] otherwise.
                pub fn $method(self) -> Result<Dataset<$variant>, Refusal> {
                    match self {
                        Recalled::$variant(d) => Ok(d),
                        other => Err(Refusal::WrongState { state: other.state() }),
                    }
                }
            )+
        }
    };
}
expect_state!(applied -> Applied, in_review -> InReview, approved -> Approved, rejected -> Rejected, building -> Building,
    build_check -> BuildCheck, two_person_check -> TwoPersonCheck, released -> Released, delivered -> Delivered, withdrawn -> Withdrawn);

/// Goes the way of a stored data set again up to the state written, guard by guard.
///
/// # Errors
/// The first guard that does not hold, or [`Refusal::EvidenceMissing`] when the row lacks what its state needs.
pub fn recall(stored: Stored, evidence: &Evidence<'_>) -> Result<Recalled, Refusal> {
    let state = stored.state;
    let missing = |what| Refusal::EvidenceMissing { state, what };
    let profile = stored.application.profile_sha256;
    let applied = Dataset::apply(stored.application)?;
    if state == DatasetState::Application {
        return Ok(Recalled::Applied(applied));
    }
    // Nothing follows it, so nothing has to support it.
    if state == DatasetState::Withdrawn {
        return Ok(Recalled::Withdrawn(applied.withdraw()));
    }
    let in_review = applied.submit();
    if state == DatasetState::InReview {
        return Ok(Recalled::InReview(in_review));
    }
    let approved = match (in_review.decide(evidence.decisions, evidence.rules, evidence.check)?, state) {
        (Reviewed::Rejected(d), DatasetState::Rejected) => return Ok(Recalled::Rejected(d)),
        (Reviewed::Approved(d), s) if s != DatasetState::Rejected => d,
        _ => return Err(missing("review")),
    };
    if state == DatasetState::Approved {
        return Ok(Recalled::Approved(approved));
    }
    let building = approved.build(stored.maker.ok_or_else(|| missing("maker"))?, profile)?;
    if state == DatasetState::Building {
        return Ok(Recalled::Building(building));
    }
    let digests = stored.digests.ok_or_else(|| missing("digests"))?;
    let made = building.finished(digests, stored.facts.ok_or_else(|| missing("facts"))?);
    if state == DatasetState::BuildCheck {
        return Ok(Recalled::BuildCheck(made));
    }
    let checked = made.check().map_err(|unfit| unfit.reasons.into_iter().next().unwrap_or_else(|| missing("facts")))?;
    if state == DatasetState::TwoPersonCheck {
        return Ok(Recalled::TwoPersonCheck(checked));
    }
    // Who says no after the delivery does not undo the delivery.
    let opted_out = if state == DatasetState::Delivered { 0 } else { evidence.opted_out };
    let released = checked.release(evidence.approvals, opted_out, evidence.check)?;
    if state == DatasetState::Released {
        return Ok(Recalled::Released(released));
    }
    let package = stored.package.ok_or_else(|| missing("package"))?;
    released.deliver(&digests, package).map(Recalled::Delivered)
}
