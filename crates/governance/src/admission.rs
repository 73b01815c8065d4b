//! Whether a person's data may come in at all.

use std::collections::BTreeSet;

use jiff::civil::Date;
use terms::NoticeScope;

use crate::Refusal;
use crate::notice::{Contact, Eligibility, Notice, WaitDays, eligibility};
use crate::opt_out::OptOutState;

/// The scopes under which a person's data may come in: those the person was told of, whose waiting period is over, and
/// that no request stops.
///
/// # Errors
/// The reason when no scope is left: [`Refusal::OptedOut`] where a request holds, else [`Refusal::Waiting`] with the first
/// day on which it may be tried again, else [`Refusal::NotNotified`].
pub fn admit(
    notices: &[Notice],
    contacts: &[Contact],
    wait: WaitDays,
    today: Date,
    opt_outs: &[(OptOutState, BTreeSet<NoticeScope>)],
) -> Result<BTreeSet<NoticeScope>, Refusal> {
    let stopped = |scope: &NoticeScope| opt_outs.iter().any(|(state, scopes)| state.holds() && scopes.contains(scope));
    let mut admitted = BTreeSet::new();
    let mut opted_out = false;
    let mut until: Option<Date> = None;
    for scope in NoticeScope::ALL {
        match eligibility(notices, contacts, wait, today, &[*scope]) {
            _ if stopped(scope) => opted_out = true,
            Eligibility::Eligible { .. } => {
                admitted.insert(*scope);
            }
            Eligibility::Waiting { until: day } => until = Some(until.map_or(day, |u| u.min(day))),
            Eligibility::NotNotified => {}
        }
    }
    match (admitted.is_empty(), opted_out, until) {
        (false, ..) => Ok(admitted),
        (true, true, _) => Err(Refusal::OptedOut),
        (true, false, Some(until)) => Err(Refusal::Waiting { until }),
        (true, false, None) => Err(Refusal::NotNotified),
    }
}
