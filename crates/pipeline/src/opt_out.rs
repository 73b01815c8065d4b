//! A person says no: provision stops at once, and what is held is erased where that is asked.

use std::collections::BTreeSet;

use governance::opt_out::{Evidence, OptOut, OptOutScope, Statement};
use lake::PersonMap;
use ledger::{NewOptOut, OptOutState, PackageState};
use messages::Message;
use serde::Serialize;
use terms::{DatasetId, NoticeScope, ProviderId, RecordId, Requester};

use crate::Instance;
use crate::error::Error;
use crate::notices::today;
use crate::patients::Patients;

/// A request. Holds a patient id: no `Debug`.
pub struct Request {
    /// Whose patient.
    pub provider: ProviderId,
    /// Local patient id as written.
    pub patient: String,
    /// Who asks.
    pub requester: Requester,
    /// How the requester stands to the person; a word, not a name.
    pub relation: Option<String>,
    /// What is stopped; everything when empty.
    pub scopes: Vec<NoticeScope>,
    /// Whether what is held is erased.
    pub erase: bool,
    /// Whether at every provider.
    pub everywhere: bool,
}

/// What a request did.
#[derive(Debug, Serialize)]
pub struct Stopped {
    /// The statement in the ledger.
    pub opt_out: String,
    /// Records that leave all later data sets.
    pub blocked_records: u64,
    /// Records that were erased.
    pub erased_records: u64,
    /// Files that were written anew without them.
    pub rewritten_files: u64,
    /// Packages kept of the providers that were destroyed, so that nothing of the person is in them: what had not come in yet has to be
    /// sent again.
    pub destroyed_packages: u64,
    /// Data sets that were made and not delivered, and are to be made again without them.
    pub voided_datasets: u64,
    /// Data sets that have left with the person in them: nothing takes them back.
    pub delivered_datasets: Vec<DatasetId>,
    /// Whether the person's records at other providers were looked for, where that was asked: by what is in the vault alone.
    pub searched_elsewhere: Option<bool>,
    /// Packages that have come and could not come in, where the person was to be erased everywhere: nobody looked there.
    pub waiting_packages: u64,
    /// Code of what kept something from coming in or being removed, after all else was done: the same command goes on with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<&'static str>,
}

impl Stopped {
    fn with(mut self, trouble: Option<Error>) -> Stopped {
        if let Some(error) = trouble {
            tracing::warn!(code = error.code(), %error, "an opt-out is not done with everything");
            self.trouble = Some(error.code());
        }
        self
    }
}

/// What a withdrawal did.
#[derive(Debug, Serialize)]
pub struct Withdrawn {
    /// Statements that no longer hold.
    pub withdrawn: u64,
    /// Statements that still hold, because only who made them, or the person, takes them back.
    pub standing: u64,
}

/// Code of the hold on records that are linked to an erased one: with it gone, the link could not be found again.
const LINKED: &str = "opt-out-linked";
/// The statement on which this one rests: one about another record or id of the same person.
fn rests_on(one: &ledger::OptOut) -> Option<&str> {
    one.relation.as_deref()?.split_once(':').and_then(|(code, made)| (code == LINKED).then_some(made))
}

/// Whether a statement rests on another.
pub(crate) fn is_derived(one: &ledger::OptOut) -> bool {
    rests_on(one).is_some()
}

/// Id of the statement that a person made: this one, or on which it rests.
pub(crate) fn made_by(one: &ledger::OptOut) -> &str {
    rests_on(one).unwrap_or(&one.id)
}

/// Relation of a statement that rests on that one.
pub(crate) fn relation_to(made: &str) -> String {
    format!("{LINKED}:{made}")
}

/// Code of the hold on records that may be of the person of an erased one, and of whom nobody can find out any more.
const DOUBTFUL: &str = "opt-out-doubtful";

/// Whether a hold is one on records that are only doubtful.
pub(crate) fn is_doubtful(reason: &str) -> bool {
    reason.split_once(':').is_some_and(|(code, _)| code == DOUBTFUL)
}

fn refused(refusal: governance::Refusal) -> Error {
    Error::refused(refusal.message())
}

fn statement(request: &Request) -> Statement {
    let scopes: BTreeSet<NoticeScope> = if request.scopes.is_empty() {
        NoticeScope::ALL.iter().copied().collect()
    } else {
        request.scopes.iter().copied().collect()
    };
    // A "no" is not lost for want of a word: who does not say the relation is asked later.
    let unstated = (request.requester == Requester::Bereaved).then(|| "unstated".to_owned());
    Statement {
        requester: request.requester,
        relation: request.relation.clone().or(unstated),
        scopes,
        stated_on: today(),
        erase: request.erase,
        everywhere: request.everywhere,
    }
}

/// Stops provision for a patient, and erases where that is asked. Repeating a request that broke off goes on with it. `progress` is told
/// the rows that come in first, where somebody is to be erased everywhere.
///
/// # Errors
/// Refusals: the provider is not registered, the id is none, the statement lacks something.
pub async fn stop(instance: &Instance, request: &Request, progress: &(dyn Fn(u64) + Sync)) -> Result<Stopped, Error> {
    let mut reader = instance.ledger.read().await?;
    let patients = Patients::of(instance, &mut reader, &request.provider).await?;
    let patient = patients.hash(&request.patient)?;
    let patient = patient.ok_or_else(|| Error::refused(Message::new("core-patient-id-unusable")))?;
    let said = statement(request);
    // Who is erased and stopped for one kind alone would come back with the next package.
    if said.erase && said.scopes.len() < NoticeScope::ALL.len() {
        return Err(Error::refused(Message::new("core-opt-out-erase-scope")));
    }
    // At the provider's desk, where the person is known, the identity was shown.
    let effective =
        OptOut::receive(said.clone()).map_err(refused)?.identity_checked(&Evidence::KnownToProvider).map_err(refused)?.register();
    let effect = effective.effect(OptOutScope::Person);

    // What was taken in is told to its sender first: only then are its bytes free to go.
    crate::moving::warn_of(crate::ingest::finish_pending(instance).await?.iter().map(|s| &s.error));
    // Elsewhere the person can be found by what is in the vault alone, and after the erasure by nothing: what waits comes in first. What keeps
    // it from coming in does not keep the person from saying no.
    let (mut trouble, mut refused_packages) = (None, 0);
    if said.everywhere {
        drop(reader);
        match take_in(instance, progress).await {
            Ok(refused) => refused_packages = refused,
            Err(error) => trouble = Some(error),
        }
        reader = instance.ledger.read().await?;
    }

    let same = |o: &ledger::OptOut| {
        o.state == OptOutState::Effective
            && !is_derived(o)
            && o.requester == said.requester
            && o.erase == said.erase
            && o.everywhere == said.everywhere
            && o.scopes.iter().copied().collect::<BTreeSet<_>>() == said.scopes
    };
    let stated = reader.opt_outs_of(&request.provider, patient).await?;
    // Of whom an earlier statement erased something, the holds alone tell who else the person was.
    let reasons: BTreeSet<String> = stated.iter().map(|o| format!("{LINKED}:{}", o.id)).collect();
    let of_earlier: BTreeSet<RecordId> =
        reader.record_holds().await?.into_iter().filter(|h| reasons.contains(&h.reason)).map(|h| h.record).collect();
    let before = stated.into_iter().find(same);
    let named = reader.find_records(&request.provider, &[patient]).await?.into_iter().flatten().next();
    drop(reader);
    let opt_out = match before {
        Some(before) => before.id,
        None => {
            let new = NewOptOut {
                provider: request.provider.clone(),
                patient,
                scopes: said.scopes.iter().copied().collect(),
                requester: said.requester,
                relation: said.relation.clone(),
                stated_on: said.stated_on,
                erase: said.erase,
                everywhere: said.everywhere,
                state: OptOutState::Effective,
            };
            let mut tx = instance.ledger.begin(&instance.actor, "a person stops provision").await?;
            let added = tx.add_opt_out(&new).await?;
            tx.commit().await?;
            // From here no earlier ledger undoes it, however this command ends.
            crate::standing::keep(instance).await?;
            added.id
        }
    };
    let mut done = Stopped {
        opt_out,
        blocked_records: 0,
        erased_records: 0,
        rewritten_files: 0,
        destroyed_packages: 0,
        voided_datasets: 0,
        delivered_datasets: Vec::new(),
        searched_elsewhere: None,
        waiting_packages: 0,
        trouble: None,
    };
    let stated = instance.ledger.read().await?.opt_outs_of(&request.provider, patient).await?;
    let statement = stated.into_iter().find(|o| o.id == done.opt_out);
    let others = crate::names::others(instance, &patients, &request.provider, patient, named).await?;
    let mut own: BTreeSet<RecordId> = named.into_iter().collect();
    if !others.is_empty() {
        let mut tx = instance.ledger.begin(&instance.actor, "a person stops provision under other ids").await?;
        own.extend(tx.read().find_records(&request.provider, &others).await?.into_iter().flatten());
        let mut added = 0;
        for other in &others {
            added += crate::names::derive(&mut tx, &request.provider, *other, &statement, said.erase).await?;
        }
        if added > 0 {
            tx.commit().await?;
        }
    }
    // With the record gone, the erasure tells that there was one.
    let history = instance.ledger.read().await?.history(&done.opt_out).await?;
    let erased_before = history.iter().any(|e| matches!(e.event, ledger::Event::Erased { .. }));
    done.searched_elsewhere = said.everywhere.then_some(erased_before);
    if own.is_empty() {
        // Nothing of the person is in the lake; a package that was set aside may hold the person all the same.
        if said.erase {
            let (gone, kept) = crate::keeping::destroy_packages_of(instance, &request.provider).await?;
            done.destroyed_packages = gone;
            trouble = trouble.or(kept);
        }
        done.waiting_packages = waiting(instance, &said).await? + refused_packages;
        return Ok(done.with(trouble));
    }
    // What came in since the last linkage may be of the same person, and after an erasure nobody could find out.
    if crate::link::is_stale(instance).await? {
        crate::link::link(instance).await?;
    }
    let (withheld, kept) = crate::dataset::withhold_stopped(instance).await?;
    done.voided_datasets = withheld;
    trouble = trouble.or(kept);
    let (linked, doubtful, living) = linked(instance, &own, &of_earlier).await?;
    done.searched_elsewhere = said.everywhere.then_some(erased_before || !living.is_empty() || !of_earlier.is_empty());
    // Before an erasure: afterwards nobody knows.
    let surely: BTreeSet<i64> = own.iter().chain(&linked).map(|record| record.0).collect();
    done.delivered_datasets = crate::dataset::left_with(instance, &surely, &said.scopes).await?;
    done.blocked_records = (own.len() + linked.len() + doubtful.len()) as u64;

    use governance::opt_out::Erasure;
    let erased: BTreeSet<RecordId> = match effect.erasure {
        Erasure::Nothing => BTreeSet::new(),
        Erasure::NamedRecord => own.clone(),
        Erasure::LinkedRecords => own.iter().copied().chain(linked.iter().copied()).collect(),
    };
    if erased.is_empty() {
        return Ok(done.with(trouble));
    }
    let everybody = instance.ledger.read().await?.records().await?;
    let affected: Vec<_> = everybody.into_iter().filter(|(r, _, _)| erased.contains(r)).collect();
    let sure = format!("{LINKED}:{}", done.opt_out);
    let perhaps = format!("{DOUBTFUL}:{}", done.opt_out);
    let mut tx = instance.ledger.begin(&instance.actor, "hold the records of a person who stopped").await?;
    let held: BTreeSet<RecordId> = tx
        .read()
        .record_holds()
        .await?
        .into_iter()
        .filter(|h| h.reason == sure || h.reason == perhaps)
        .map(|h| h.record)
        .collect();
    let mut changed = false;
    let wanted = linked.iter().map(|r| (r, &sure)).chain(doubtful.iter().map(|r| (r, &perhaps)));
    for (record, reason) in wanted.filter(|(r, _)| !held.contains(r)) {
        tx.hold_record(*record, reason, None).await?;
        changed = true;
    }
    // Erased everywhere is stopped everywhere: else the next package of another provider brings the person back.
    for (_, provider, patient) in affected.iter().filter(|(r, _, _)| !own.contains(r)) {
        changed |= crate::names::derive(&mut tx, provider, *patient, &statement, true).await? > 0;
    }
    if changed {
        tx.commit().await?;
    } else {
        // The one writer's place is free again only when this is gone.
        drop(tx);
    }
    // Kept packages go before the rows do: once the map has forgotten the person, nobody knows whose they were.
    for provider in affected.iter().map(|(_, provider, _)| provider).collect::<BTreeSet<_>>() {
        let (gone, kept) = crate::keeping::destroy_packages_of(instance, provider).await?;
        done.destroyed_packages += gone;
        // What cannot be removed is no reason to keep the rest.
        trouble = trouble.or(kept);
    }
    let (voided, kept) = crate::dataset::void_with(instance, &erased.iter().map(|r| r.0).collect()).await?;
    done.voided_datasets += voided;
    trouble = trouble.or(kept);
    crate::dataset::forget(instance, &erased).await?;
    let gone = erased.clone();
    let list: Vec<RecordId> = erased.into_iter().collect();
    let report = instance.lake.erase(&instance.ledger, &instance.actor, &list, Some(&done.opt_out)).await?;
    // Last: until the rows are gone, the doubtful records of the person are held by these pairs too.
    crate::doubtful::forget(instance, &gone).await?;
    done.erased_records = gone.intersection(&living).count() as u64;
    done.rewritten_files = report.files;
    done.waiting_packages = waiting(instance, &said).await? + refused_packages;
    Ok(done.with(trouble))
}

/// Takes in what lies in the inbox, and what has come and waits. How many packages did not hold, in which nobody can be looked for.
async fn take_in(instance: &Instance, progress: &(dyn Fn(u64) + Sync)) -> Result<u64, Error> {
    let mut came = Vec::new();
    for path in crate::receive::waiting(instance)? {
        came.push(crate::receive::receive(instance, &path).await?);
    }
    came.extend(crate::receive::follow(instance).await?);
    let mut refused = 0;
    for package in came.iter().filter(|r| !r.accepted()) {
        tracing::warn!(directory = package.directory, code = package.reason, "a package in the inbox does not come in");
        // What waits in keeping is counted there; what came before was looked through then.
        let elsewhere = [crate::receive::GAP, crate::receive::SUSPENDED, "core-package-duplicate"];
        refused += u64::from(package.package.is_some() && !package.reason.is_some_and(|code| elsewhere.contains(&code)));
    }
    if !instance.ledger.read().await?.packages(&[PackageState::Accepted]).await?.is_empty() {
        let taken = crate::ingest::ingest(instance, progress).await?;
        refused += taken.iter().filter(|t| t.refused.is_some()).count() as u64;
    }
    Ok(refused)
}

/// Packages in which somebody who is to be erased everywhere could not be looked for: an earlier one is missing, or their
/// provider is suspended.
async fn waiting(instance: &Instance, said: &Statement) -> Result<u64, Error> {
    if !said.everywhere {
        return Ok(0);
    }
    let accepted = instance.ledger.read().await?.packages(&[PackageState::Accepted]).await?.len() as u64;
    // What could not even be taken into keeping lies in the inbox.
    let inbox = crate::receive::waiting(instance)?.len() as u64;
    Ok(accepted + crate::receive::held_back(instance).await? + inbox)
}

/// The records beside the person's own at the provider, as the current linkage and earlier statements see it; those of whoever may be the same; and of all
/// that are the person's those that linkage knows today.
async fn linked(
    instance: &Instance,
    own: &BTreeSet<RecordId>,
    of_earlier: &BTreeSet<RecordId>,
) -> Result<(Vec<RecordId>, BTreeSet<RecordId>, BTreeSet<RecordId>), Error> {
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
    let map = snapshot.person_map();
    let of_person = |person| map.into_iter().flat_map(PersonMap::iter).filter(move |(_, p)| *p == person).map(|(r, _)| r);
    let mut sure: BTreeSet<RecordId> = of_earlier.union(own).copied().collect();
    let persons: BTreeSet<_> = sure.iter().filter_map(|r| map.and_then(|m| m.person(*r))).collect();
    sure.extend(persons.into_iter().flat_map(of_person));
    // Of whom something is still here.
    let living = sure.iter().copied().filter(|r| map.is_some_and(|m| m.person(*r).is_some())).collect();
    let pairs = crate::doubtful::pairs(instance, &mut instance.ledger.read().await?).await?;
    let doubtful = crate::doubtful::of(&sure, &pairs, map);
    let others = sure.difference(own).copied().collect();
    Ok((others, doubtful, living))
}

/// The person takes the request back. What was erased stays erased.
///
/// # Errors
/// Refusals: there is no request in force, or another than who made it withdraws it.
pub async fn withdraw(instance: &Instance, request: &Request) -> Result<Withdrawn, Error> {
    let mut reader = instance.ledger.read().await?;
    let patients = Patients::of(instance, &mut reader, &request.provider).await?;
    let patient = patients.hash(&request.patient)?;
    let patient = patient.ok_or_else(|| Error::refused(Message::new("core-patient-id-unusable")))?;
    let stated = reader.opt_outs_of(&request.provider, patient).await?;
    let in_force: Vec<_> = stated.iter().filter(|o| o.state == OptOutState::Effective).cloned().collect();
    let holds = reader.record_holds().await?;
    let all = reader.opt_outs().await?;
    drop(reader);
    if in_force.is_empty() {
        return Err(Error::refused(Message::new("core-opt-out-none")));
    }
    let mut tx = instance.ledger.begin(&instance.actor, "a person withdraws an opt-out").await?;
    let (mut withdrawn, mut standing) = (0, 0);
    let mut refusal = None;
    for one in in_force {
        let said = Statement {
            requester: one.requester,
            relation: one.relation.clone(),
            scopes: one.scopes.iter().copied().collect(),
            stated_on: one.stated_on,
            erase: one.erase,
            everywhere: one.everywhere,
        };
        // What one may not take back keeps nobody from taking back their own.
        if let Err(not) = OptOut::recall(said).withdraw(request.requester, today()) {
            standing += 1;
            refusal = Some(not);
            continue;
        }
        tx.move_opt_out(&one.id, OptOutState::Effective, OptOutState::Withdrawn).await?;
        withdrawn += 1;
    }
    // What an erasure holds elsewhere stays held while anybody's statement stands: without the link, that one would not reach it.
    if standing == 0 {
        for one in &stated {
            let (reason, doubtful) = (format!("{LINKED}:{}", one.id), format!("{DOUBTFUL}:{}", one.id));
            for hold in holds.iter().filter(|h| h.reason == reason || h.reason == doubtful) {
                tx.release_record(hold.record, &hold.reason).await?;
            }
            // What was stopped at other providers on account of this statement goes with it.
            for other in &all {
                if other.relation.as_deref() == Some(reason.as_str()) && other.state == OptOutState::Effective {
                    tx.move_opt_out(&other.id, OptOutState::Effective, OptOutState::Withdrawn).await?;
                }
            }
        }
    }
    if let Some(not) = refusal.filter(|_| withdrawn == 0) {
        return Err(refused(not));
    }
    tx.commit().await?;
    Ok(Withdrawn { withdrawn, standing })
}
