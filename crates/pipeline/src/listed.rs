//! The list of those who said no, as it came with a package: whom it stops, and whom nobody here knows.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{NewOptOut, OptOutState};
use terms::{NoticeScope, ProviderId, Requester};

use crate::Instance;
use crate::error::Error;
use crate::notices::today;
use crate::patients::Patients;
use crate::reading::{OptOutLine, Summary};

/// Name of the count of a manifest that says how many of the listed people its sender found, and left out.
const LEFT_OUT: &str = "patients-opted-out";

/// How many of those who said no are neither in the package nor known here, nor were left out of it by its sender.
pub(crate) async fn of_nobody(
    instance: &Instance,
    patients: &Patients,
    provider: &ProviderId,
    rule: terms::PatientIdRule,
    summary: &Summary,
    counts: &BTreeMap<String, u64>,
) -> Result<u64, Error> {
    if summary.opt_outs.is_empty() {
        return Ok(0);
    }
    let canonical = |id: &String| rule.canonical(id).ok();
    let came: std::collections::HashSet<_> = summary.patients.iter().filter_map(canonical).collect();
    let said = summary.opt_outs.iter().filter(|o| o.because.is_empty());
    let listed: BTreeSet<_> = said.filter_map(|o| canonical(&o.patient)).collect();
    // Nobody says whom the sender left out, but how many: at the most the others of the list are nobody's.
    let others = (listed.len() as u64).saturating_sub(counts.get(LEFT_OUT).copied().unwrap_or(0));
    let missing: BTreeSet<_> = listed.into_iter().filter(|id| !came.contains(id)).collect();
    let mut hashes = Vec::with_capacity(missing.len());
    for id in &missing {
        hashes.extend(patients.hash(id.reveal())?);
    }
    let known = instance.ledger.read().await?.find_records(provider, &hashes).await?;
    Ok((known.iter().filter(|r| r.is_none()).count() as u64).min(others))
}

/// Registers who said no. A statement adds what no earlier one in force covers; words that are no scope mean every scope. Of a list
/// that came before, a statement of the same day, or any where the list has no day, is the one that was registered then, also when it
/// was taken back meanwhile.
pub(crate) async fn register(
    tx: &mut ledger::Tx,
    patients: &Patients,
    provider: &ProviderId,
    lines: &[OptOutLine],
    again: bool,
) -> Result<u64, Error> {
    let mut added = 0;
    let (said, found): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.because.is_empty());
    for line in said {
        let Some(patient) = patients.hash(&line.patient)? else { continue };
        let words: Vec<&str> = line.scope.split([',', ';', ' ', '、']).map(str::trim).filter(|w| !w.is_empty()).collect();
        let parsed: Result<BTreeSet<NoticeScope>, _> = words.iter().map(|w| w.parse()).collect();
        let said = match parsed {
            Ok(scopes) if !scopes.is_empty() => scopes,
            _ => NoticeScope::ALL.iter().copied().collect(),
        };
        let before = tx.read().opt_outs_of(provider, patient).await?;
        let stated_on = line.date.parse().ok();
        let registered = before.iter().filter(|o| {
            // What another provider's patient said of "everywhere" goes with that word: the person's own stands by itself.
            if crate::opt_out::is_derived(o) {
                return false;
            }
            let in_force = !matches!(o.state, OptOutState::Rejected | OptOutState::Withdrawn);
            in_force || (again && stated_on.is_none_or(|day: jiff::civil::Date| o.stated_on == day || day > today()))
        });
        let held: BTreeSet<NoticeScope> = registered.flat_map(|o| o.scopes.iter().copied()).collect();
        let missing: Vec<NoticeScope> = said.difference(&held).copied().collect();
        if missing.is_empty() {
            continue;
        }
        let requester: Requester = line.requester.trim().parse().unwrap_or(Requester::Person);
        tx.add_opt_out(&NewOptOut {
            provider: provider.clone(),
            patient,
            scopes: missing,
            requester,
            relation: (requester == Requester::Bereaved).then(|| "stated to the provider".to_owned()),
            // A day that is still to come would let nobody take it back before.
            stated_on: stated_on.unwrap_or_else(today).min(today()),
            erase: false,
            everywhere: false,
            state: OptOutState::Effective,
        })
        .await?;
        added += 1;
    }
    // After what they rest on. They count as no statements: nobody made them.
    for line in found {
        let (Some(patient), Some(named)) = (patients.hash(&line.patient)?, patients.hash(&line.because)?) else { continue };
        let stated = tx.read().opt_outs_of(provider, named).await?;
        let in_force = stated.iter().filter(|o| !matches!(o.state, OptOutState::Rejected | OptOutState::Withdrawn));
        crate::names::derive(tx, provider, patient, in_force, false).await?;
    }
    Ok(added)
}
