//! Notice to the person: when the clock of the waiting period starts, and when provision is allowed.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use terms::NoticeScope;

use crate::Refusal;

/// Days between notice and provision where nothing else is set. The Act and its guidelines state no length; providers'
/// public practice is about a month.
pub const DEFAULT_WAIT_DAYS: u16 = 30;

/// The waiting period of an instance, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WaitDays(u16);

impl Default for WaitDays {
    fn default() -> Self {
        Self(DEFAULT_WAIT_DAYS)
    }
}

impl WaitDays {
    /// A waiting period. Longer than the default needs nothing; shorter needs the legal basis for it on record.
    ///
    /// # Errors
    /// [`Refusal::WaitTooShort`] when it is shorter than [`DEFAULT_WAIT_DAYS`] and no basis is named.
    pub fn new(days: u16, legal_basis: Option<&str>) -> Result<Self, Refusal> {
        if days < DEFAULT_WAIT_DAYS && legal_basis.is_none_or(|b| b.trim().is_empty()) {
            return Err(Refusal::WaitTooShort { days, least: DEFAULT_WAIT_DAYS });
        }
        Ok(Self(days))
    }

    /// The number of days.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// A notice that a provider gives, from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it tells of.
    pub scopes: BTreeSet<NoticeScope>,
    /// The first day on which everyone who comes to the provider is told.
    pub from: Date,
}

/// How one person was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// A visit, where the provider's notice is given to whoever comes.
    Visit,
    /// A letter to this person, which is a notice by itself.
    Letter,
}

impl ContactKind {
    /// Reads the method column of a provider's contact list: `letter`, `mail`, `post`, 郵送, 書面 and 手紙 are letters, anything
    /// else is a visit, which only counts from the day the provider's notice began.
    pub fn from_method(method: &str) -> Self {
        let method = method.trim().to_lowercase();
        let letter = ["letter", "mail", "post"].contains(&method.as_str())
            || ["郵送", "書面", "手紙", "郵便"].iter().any(|w| method.contains(w));
        if letter { Self::Letter } else { Self::Visit }
    }
}

/// One contact of one person with the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Its day.
    pub date: Date,
    /// How.
    pub kind: ContactKind,
    /// What a letter told of, where the provider said so; a contact list does not.
    pub scopes: Option<BTreeSet<NoticeScope>>,
}

/// Whether a person's data may be provided under a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "eligibility", rename_all = "snake_case")]
pub enum Eligibility {
    /// No contact since the notice began and no letter: refused.
    NotNotified,
    /// Told, but the waiting period runs.
    Waiting {
        /// First day on which provision is allowed.
        until: Date,
    },
    /// Provision is allowed, and earlier records of the person come too.
    Eligible {
        /// First day on which it was.
        since: Date,
    },
}

impl Eligibility {
    /// Whether provision is allowed.
    pub const fn allowed(self) -> bool {
        matches!(self, Eligibility::Eligible { .. })
    }
}

/// The day on which the clock of a scope starts for a person with these contacts.
///
/// A visit starts it when a notice with the scope had begun by then. A letter starts it for the scopes it states; where it
/// states none it repeats what the provider's notices said by its day, or, sent ahead of them all, what the first of them
/// says. So a letter of the time before a provider told of pseudonymized use never counts for pseudonymized use.
/// A contact after `today` is an appointment and does not count.
fn clock_start(notices: &[Notice], contacts: &[Contact], today: Date, scope: NoticeScope) -> Option<Date> {
    let first = notices.iter().map(|n| n.from).min();
    let begun = |date: Date| notices.iter().any(|n| n.from <= date && n.scopes.contains(&scope));
    contacts
        .iter()
        .filter(|c| c.date <= today)
        .filter(|c| match (c.kind, &c.scopes) {
            (ContactKind::Visit, _) => begun(c.date),
            (ContactKind::Letter, Some(scopes)) => scopes.contains(&scope),
            (ContactKind::Letter, None) => {
                begun(c.date)
                    || first.is_some_and(|f| c.date < f && notices.iter().any(|n| n.from == f && n.scopes.contains(&scope)))
            }
        })
        .map(|c| c.date)
        .min()
}

/// Whether the data of a person with these contacts may be provided under every one of `scopes` on the day `today`.
/// An empty `scopes` is never allowed.
pub fn eligibility(notices: &[Notice], contacts: &[Contact], wait: WaitDays, today: Date, scopes: &[NoticeScope]) -> Eligibility {
    let one = |scope: &NoticeScope| {
        let Some(start) = clock_start(notices, contacts, today, *scope) else { return Eligibility::NotNotified };
        // A date past the end of the calendar is a wait without end.
        let Ok(first_day) = start.checked_add(Span::new().days(i64::from(wait.0))) else {
            return Eligibility::Waiting { until: Date::MAX };
        };
        if today >= first_day { Eligibility::Eligible { since: first_day } } else { Eligibility::Waiting { until: first_day } }
    };
    let mut latest: Option<Eligibility> = None;
    for next in scopes.iter().map(one) {
        latest = Some(match (latest, next) {
            (None, next) => next,
            (Some(Eligibility::NotNotified), _) | (_, Eligibility::NotNotified) => Eligibility::NotNotified,
            (Some(Eligibility::Waiting { until: a }), Eligibility::Waiting { until: b }) => {
                Eligibility::Waiting { until: a.max(b) }
            }
            (Some(waiting @ Eligibility::Waiting { .. }), _) => waiting,
            (_, waiting @ Eligibility::Waiting { .. }) => waiting,
            (Some(Eligibility::Eligible { since: a }), Eligibility::Eligible { since: b }) => {
                Eligibility::Eligible { since: a.max(b) }
            }
        });
    }
    latest.unwrap_or(Eligibility::NotNotified)
}
