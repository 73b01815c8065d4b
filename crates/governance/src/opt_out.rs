//! Requests that provision stop (提供の停止の求め): their states, and what each takes out of the house.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use terms::{NoticeScope, PersonId, RecordId, ReleaseKind, Requester};

use crate::Refusal;

/// The states as they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOutState {
    /// Asked. Reads are blocked already: until the identity is checked the person is held back (fail safe).
    Received,
    /// Identity or relationship shown.
    IdentityChecked,
    /// In force.
    Effective,
    /// Ended by a new statement of the same person.
    Withdrawn,
    /// Identity not shown.
    Rejected,
}

impl OptOutState {
    /// Name in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::IdentityChecked => "identity_checked",
            Self::Effective => "effective",
            Self::Withdrawn => "withdrawn",
            Self::Rejected => "rejected",
        }
    }

    /// The state of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Received, Self::IdentityChecked, Self::Effective, Self::Withdrawn, Self::Rejected]
            .into_iter()
            .find(|s| s.as_str() == name)
    }

    /// Whether the record is held back.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Received | Self::IdentityChecked | Self::Effective)
    }
}

/// What was asked. The relation is a word such as 子 or `parent`, never a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Who asks.
    pub requester: Requester,
    /// How the requester stands to the person; needed from the bereaved.
    pub relation: Option<String>,
    /// For which kinds of use provision stops.
    pub scopes: BTreeSet<NoticeScope>,
    /// Day of the request.
    pub stated_on: Date,
    /// Whether what was provided already is to be erased.
    pub erase: bool,
    /// Whether the erasure reaches the records at other providers that are linked to this person.
    pub everywhere: bool,
}

/// How identity or relationship was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// At the provider's desk, by whom the person is treated.
    KnownToProvider,
    /// A document (kind of document, no number).
    Document(String),
}

/// States as types.
pub mod state {
    /// Asked.
    pub struct Received;
    /// Identity shown.
    pub struct IdentityChecked;
    /// In force.
    pub struct Effective;
    /// Ended.
    pub struct Withdrawn;
    /// Identity not shown.
    pub struct Rejected;
}
use state::{Effective, IdentityChecked, Received, Rejected, Withdrawn};

/// A request in one of its states.
pub struct OptOut<S> {
    statement: Statement,
    state: PhantomData<S>,
}

impl<S> OptOut<S> {
    fn to<T>(self) -> OptOut<T> {
        OptOut { statement: self.statement, state: PhantomData }
    }

    /// What was asked.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }
}

impl OptOut<Received> {
    /// Takes a request in. Any time, also after provision.
    ///
    /// # Errors
    /// [`Refusal::OptOutWithoutScope`], [`Refusal::OptOutWithoutRelation`] when the bereaved do not say how they stand to the
    /// person, [`Refusal::OptOutErasureUnclear`] when an erasure everywhere is asked without an erasure.
    pub fn receive(statement: Statement) -> Result<Self, Refusal> {
        if statement.scopes.is_empty() {
            return Err(Refusal::OptOutWithoutScope);
        }
        let related = statement.relation.as_deref().is_some_and(|r| !r.trim().is_empty());
        if statement.requester == Requester::Bereaved && !related {
            return Err(Refusal::OptOutWithoutRelation);
        }
        if statement.everywhere && !statement.erase {
            return Err(Refusal::OptOutErasureUnclear);
        }
        Ok(Self { statement, state: PhantomData })
    }

    /// Identity or relationship was shown.
    ///
    /// # Errors
    /// [`Refusal::OptOutEvidenceMissing`] when a document is named without its kind.
    pub fn identity_checked(self, evidence: &Evidence) -> Result<OptOut<IdentityChecked>, Refusal> {
        match evidence {
            Evidence::Document(kind) if kind.trim().is_empty() => Err(Refusal::OptOutEvidenceMissing),
            _ => Ok(self.to()),
        }
    }

    /// Identity was not shown: the hold ends.
    pub fn reject(self) -> OptOut<Rejected> {
        self.to()
    }
}

impl OptOut<IdentityChecked> {
    /// Puts it in force.
    pub fn register(self) -> OptOut<Effective> {
        self.to()
    }
}

impl OptOut<Effective> {
    /// An opt-out that the ledger holds as effective.
    pub fn recall(statement: Statement) -> Self {
        Self { statement, state: PhantomData }
    }

    /// What it takes out, under the house's policy.
    pub fn effect(&self, policy: OptOutScope) -> Effect {
        Effect {
            scopes: self.statement.scopes.clone(),
            linked_records_leave: policy == OptOutScope::Person,
            erasure: match (self.statement.erase, self.statement.everywhere) {
                (false, _) => Erasure::Nothing,
                (true, false) => Erasure::NamedRecord,
                (true, true) => Erasure::LinkedRecords,
            },
        }
    }

    /// Ends it by a new statement, which the person may always make, and otherwise whoever made the first.
    ///
    /// # Errors
    /// [`Refusal::WithdrawalByAnother`]; [`Refusal::WithdrawalTooEarly`] when it is dated before the request.
    pub fn withdraw(self, by: Requester, on: Date) -> Result<OptOut<Withdrawn>, Refusal> {
        if by != Requester::Person && by != self.statement.requester {
            return Err(Refusal::WithdrawalByAnother { by, stated_by: self.statement.requester });
        }
        if on < self.statement.stated_on {
            return Err(Refusal::WithdrawalTooEarly { on, stated_on: self.statement.stated_on });
        }
        Ok(self.to())
    }
}

/// How far an opt-out reaches (setting `opt_out_scope`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOutScope {
    /// The named record and every record linked to it: stricter than the request, and the default.
    #[default]
    Person,
    /// The named record alone.
    Record,
}

/// What is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Erasure {
    /// Nothing: the record only stops.
    Nothing,
    /// The named record.
    NamedRecord,
    /// The named record and all linked to it.
    LinkedRecords,
}

/// What an effective opt-out does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// Kinds of use that stop.
    pub scopes: BTreeSet<NoticeScope>,
    /// Whether records linked to the named one leave all later data sets too.
    pub linked_records_leave: bool,
    /// What is erased.
    pub erasure: Erasure,
}

/// An opt-out as decisions need it: the record it names, its state and what it stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The record named.
    pub record: RecordId,
    /// State of the request.
    pub state: OptOutState,
    /// Kinds of use it stops.
    pub scopes: BTreeSet<NoticeScope>,
}

/// The records that a data set of this kind must not hold: those named by a request that holds, and under
/// [`OptOutScope::Person`] all records of the same person. `links` is every record's person, links in the review band
/// counted as links.
pub fn left_out(stops: &[Stop], links: &[(RecordId, PersonId)], kind: ReleaseKind, policy: OptOutScope) -> BTreeSet<RecordId> {
    let scope = kind.needed_scope();
    let named: BTreeSet<RecordId> =
        stops.iter().filter(|s| s.state.holds() && s.scopes.contains(&scope)).map(|s| s.record).collect();
    if policy == OptOutScope::Record {
        return named;
    }
    let person_of: BTreeMap<RecordId, PersonId> = links.iter().copied().collect();
    let persons: BTreeSet<PersonId> = named.iter().filter_map(|r| person_of.get(r).copied()).collect();
    let mut out: BTreeSet<RecordId> = links.iter().filter(|(_, p)| persons.contains(p)).map(|(r, _)| *r).collect();
    out.extend(named);
    out
}
