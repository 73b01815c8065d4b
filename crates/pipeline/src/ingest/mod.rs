//! Accepted packages become rows of the lake.
//!
//! A package is taken in whole or not at all: files are written and synced while it is read (`build`), and one ledger
//! transaction makes them, their keys, the counts and the package's new state true at once. Whatever breaks before
//! that leaves files without a key, which the next start sweeps. What the provider is told (`receipt`) is written before
//! the transaction and put in its place after it, by an outbox row that says so.

mod build;
pub(crate) mod lanes;
mod late;
mod moved;
mod receipt;
mod untold;

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use lake::{Compaction, LakeTable};
use ledger::{Counts, Event, Package, PackageState, PartyKind, PartyStatus};
use messages::Message;
use serde::Serialize;
use terms::{PackageId, ProviderId, SourceKind};

use crate::Instance;
use crate::checked::Checked;
use crate::error::Error;
use crate::notices::today;
use crate::patients::Patients;
use crate::reading::{Mode, Summary};
use crate::spool::Spooled;

use lanes::{Lanes, Next};

pub use receipt::finish_pending;
pub(crate) use receipt::{is_withheld, waiting_name};
pub use untold::{Untold, told, untold};

/// Lines of contacts and opt-outs, and patients, of one package that are taken: several times the people of the largest hospital.
const MOST_LINES: usize = 20_000_000;

/// What the ledger is told that it is for.
const TAKE_IN: &str = "take a package in";

/// What became of a package.
#[derive(Serialize)]
pub struct Taken {
    /// The package.
    pub package: PackageId,
    /// Who sent it.
    pub provider: ProviderId,
    /// Its number.
    pub sequence: i64,
    /// Patients whose rows are in the lake now.
    pub patients_in: u64,
    /// Patients who may not come in.
    pub patients_refused: u64,
    /// Why, by code.
    pub refusals: Counts,
    /// Patients set aside because some file says that it may be another's.
    pub patients_set_aside: u64,
    /// Rows written.
    pub rows: u64,
    /// Files in the package.
    pub members: u64,
    /// Findings.
    pub findings: u64,
    /// Whether the package's bytes are destroyed.
    pub destroyed: bool,
    /// Why it was not taken in after all.
    pub refused: Option<String>,
    /// Code of why it is as it was, and waits for the next time.
    pub waits: Option<&'static str>,
    /// Code of why the receipt could not be put where its sender fetches it, or the package not be destroyed: both wait for
    /// the next command.
    pub receipt_waits: Option<&'static str>,
    #[serde(skip)]
    why: Option<Message>,
}

impl Taken {
    fn not(package: PackageId, provider: ProviderId, sequence: i64) -> Taken {
        Taken {
            package,
            provider,
            sequence,
            patients_in: 0,
            patients_refused: 0,
            refusals: Counts::new(),
            patients_set_aside: 0,
            rows: 0,
            members: 0,
            findings: 0,
            destroyed: false,
            refused: None,
            waits: None,
            receipt_waits: None,
            why: None,
        }
    }

    fn waiting(package: PackageId, provider: ProviderId, sequence: i64, why: Message) -> Taken {
        Taken { waits: Some(why.code), why: Some(why), ..Taken::not(package, provider, sequence) }
    }

    /// Why it waits or is not used.
    pub fn why(&self) -> Option<&Message> {
        self.why.as_ref()
    }

    /// Whether its rows are in the lake.
    pub fn is_in(&self) -> bool {
        self.refused.is_none() && self.waits.is_none()
    }
}

/// Takes in every accepted package, in the order of provider and sequence number.
///
/// # Errors
/// When something is broken or missing; packages before that are taken in. A package that does not hold on second
/// reading is quarantined, and is no error. One whose reading the system ended waits, and its provider's later ones with it.
pub async fn ingest(instance: &Instance, progress: &(dyn Fn(u64) + Sync)) -> Result<Vec<Taken>, Error> {
    crate::moving::warn_of(finish_pending(instance).await?.iter().map(|s| &s.error));
    let rules = crate::quality::gate(instance)?;
    settle_precedence(instance).await?;
    let waiting = instance.ledger.read().await?.packages(&[PackageState::Accepted]).await?;
    let mut all = Vec::with_capacity(waiting.len());
    let mut held: HashSet<ProviderId> = HashSet::new();
    for package in waiting {
        let (Some(provider), Some(sequence)) = (package.provider.clone(), package.sequence) else {
            return Err(Error::Inconsistent("an accepted package has no provider or no number".to_owned()));
        };
        // Of a suspended provider nothing comes in until it is resumed: its key may be in other hands.
        let party = instance.ledger.read().await?.party(PartyKind::Provider, provider.as_str()).await?;
        let status = party.map(|p| p.status);
        if status == Some(PartyStatus::Revoked) {
            all.push(quarantine(instance, &package, provider, sequence, crate::receive::REVOKED, TAKE_IN).await?);
            continue;
        }
        if status == Some(PartyStatus::Paused) {
            let why = Message::new("core-ingest-suspended").with("provider", &provider);
            all.push(Taken::waiting(package.id, provider, sequence, why));
            continue;
        }
        // A later package tells what became of an earlier one's patients: it does not overtake it.
        if held.contains(&provider) {
            all.push(Taken::waiting(package.id, provider, sequence, Message::new("core-ingest-waits")));
            continue;
        }
        // Somebody has to look at it first, and to say whether it is used.
        if package.reason.as_deref() == Some(crate::quality::HELD) {
            let why = Message::new("quality-package-waits").with("package", package.id);
            held.insert(provider.clone());
            all.push(Taken::waiting(package.id, provider, sequence, why));
            continue;
        }
        // What is wrong with one package is no reason to keep the others waiting.
        all.push(match take(instance, &package, &provider, sequence, rules.as_ref(), today(), progress).await {
            Err(error @ Error::ReaderKilled(_)) => {
                tracing::error!(package = %package.id, %error, "a package could not be read and waits");
                held.insert(provider.clone());
                Taken::waiting(package.id, provider, sequence, error.message())
            }
            Err(error @ (Error::Package(_) | Error::Refused(_) | Error::Reader(_))) if !error.is_of_our_disk() => {
                quarantine(instance, &package, provider, sequence, error.code(), TAKE_IN).await?
            }
            other => {
                let taken = other?;
                if taken.waits.is_some() {
                    held.insert(taken.provider.clone());
                }
                taken
            }
        });
    }
    crate::dataset::finish_doomed(instance).await?;
    // Also with nothing new: a crash may have come before the files of the last package were put together.
    if most_files(instance).await? > instance.config.lake.compact_above_files {
        instance.lake.compact(&instance.ledger, &instance.actor, &Compaction::default()).await?;
    } else {
        // What a compaction that broke off at its very end left to do.
        instance.lake.clear_versions(&instance.ledger, &instance.actor).await?;
    }
    Ok(all)
}

/// Name of the setting that the ledger keeps of the order in which sources count, where it is not the shipped one.
const PRECEDENCE: &str = "history.precedence";

/// Holds the order in which sources count to that under which rows came in: marks of both kinds beside each other would mean nothing.
pub(crate) async fn settle_precedence(instance: &Instance) -> Result<(), Error> {
    let history = &instance.config.history;
    let (wanted, shipped) = (history.line(), crate::assemble::Precedence::default().line());
    let mut reader = instance.ledger.read().await?;
    let settled = reader.setting(PRECEDENCE).await?;
    let empty = reader.commit_seq().await? == 0;
    drop(reader);
    if settled.as_ref().unwrap_or(&shipped) == &wanted {
        return Ok(());
    }
    if !empty {
        let settled = settled.unwrap_or(shipped);
        return Err(Error::refused(Message::new("core-history-order").with("settled", settled).with("wanted", wanted)));
    }
    let mut tx = instance.ledger.begin(&instance.actor, "settle which source counts").await?;
    tx.set_setting(PRECEDENCE, &wanted).await?;
    tx.commit().await?;
    Ok(())
}

/// The number of files of that table and provider that have the most.
async fn most_files(instance: &Instance) -> Result<usize, Error> {
    let mut files: HashMap<(LakeTable, Option<ProviderId>), usize> = HashMap::new();
    for file in instance.lake.snapshot(&instance.ledger, None).await?.all_files() {
        *files.entry((file.table, file.provider.clone())).or_default() += 1;
    }
    Ok(files.into_values().max().unwrap_or(0))
}

/// Has every payload looked at by child processes, without keeping anything.
pub(crate) async fn check(spooled: &Spooled, child: &crate::reading::Child) -> Result<Summary, Error> {
    let mut lanes = Lanes::of(child, spooled, Mode::Check, &[], 0)?;
    let all = look_through(&mut lanes).await;
    lanes.stop().await;
    all
}

async fn look_through(lanes: &mut Lanes<'_>) -> Result<Summary, Error> {
    let mut all = Summary::default();
    while let Some(next) = lanes.next().await? {
        let Next::Over(one) = next else { continue };
        all.members += one.members;
        all.bytes += one.bytes;
        all.bad_contacts += one.bad_contacts;
        all.bad_opt_outs += one.bad_opt_outs;
        all.contacts.extend(one.contacts);
        all.opt_outs.extend(one.opt_outs);
        all.set_aside.extend(one.set_aside);
        all.patients.extend(one.patients);
        // A package of thousands of payloads, each with lists at their limit, is not to fill the memory.
        if all.contacts.len() + all.opt_outs.len() > MOST_LINES || all.patients.len() > MOST_LINES {
            all.refused = Some(Message::new("core-package-list").into());
            return Ok(all);
        }
        if one.refused.is_some() {
            all.refused = one.refused;
            return Ok(all);
        }
    }
    // Somebody's no is something, also when nobody else has anything new.
    if all.members == 0 && all.opt_outs.is_empty() && all.bad_opt_outs == 0 {
        all.refused = Some(package::PackageError::Empty.message().into());
    }
    Ok(all)
}

async fn take(
    instance: &Instance,
    package: &Package,
    provider: &ProviderId,
    sequence: i64,
    rules: Option<&quality::Rules>,
    today: Date,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Taken, Error> {
    let set_aside = async |said: &crate::codes::Said| {
        let code = crate::codes::message(said).code;
        quarantine(instance, package, provider.clone(), sequence, code, TAKE_IN).await
    };
    let spooled = Spooled::open(instance, package).await?;
    let checked = match crate::checked::found(instance, package, provider, spooled.rule).await? {
        Some(found) => found,
        None => {
            let summary = check(&spooled, &instance.child).await?;
            if let Some(said) = &summary.refused {
                return set_aside(said).await;
            }
            Checked::of(&summary, &Patients::of(instance, &mut instance.ledger.read().await?, provider).await?)?
        }
    };
    let rules = rules.filter(|_| !crate::quality::is_released(package));
    let built = build::build(instance, package.id, provider, sequence, &spooled, checked, rules, today, progress).await?;
    if let Some(said) = &built.refused {
        return set_aside(said).await;
    }
    // Who was erased since it came may stand in it under a name that no file's place shows.
    let erasures = crate::keeping::Erasures::load(&mut instance.ledger.read().await?).await?;
    let of_many = kind_of(&spooled.manifest.kind)? != SourceKind::Ssmix2;
    let said_no = of_many && instance.ledger.read().await?.opt_outs().await?.iter().any(|o| o.provider == *provider);
    // The sender left out who said no there, and nothing that nobody can be named for came: who said no here would have been met.
    let cleared = spooled.manifest.is_filtered() && built.unread == 0;
    let destroy = built.refused_patients() > 0 || erasures.since(package) || (said_no && !cleared);
    if !built.unfit.is_empty() {
        return if destroy {
            refuse(instance, package, provider, sequence, &built).await
        } else {
            hold(instance, package, provider, sequence, &built.unfit).await
        };
    }
    let pending = receipt::write(instance, package, provider, sequence, &built, destroy).await?;

    let mut tx = instance.ledger.begin(&instance.actor, TAKE_IN).await?;
    let first = tx.next_commit_seq(built.commits).await?;
    if first != built.first_commit {
        return Err(Error::Inconsistent("another commit came between".to_owned()));
    }
    instance.lake.commit(&mut tx, &built.staged, &built.versions).await?;
    for (record, reason) in &built.holds {
        tx.hold_record(*record, reason, Some(package.id)).await?;
    }
    for (patient, said) in &built.found {
        crate::names::derive(&mut tx, provider, *patient, said, false).await?;
    }
    tx.move_package(package.id, PackageState::Accepted, PackageState::Ledgered, None).await?;
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    tx.count_package(package.id, count(built.patients_in), count(built.refused_patients()), count(built.rows)).await?;
    tx.add_outbox(&receipt::outbox_id(package.id), receipt::KIND, provider.as_str(), &pending.detail()?).await?;
    let mut counts: Counts = built.refusals.clone();
    counts.insert("members".to_owned(), count(built.members));
    counts.insert("findings".to_owned(), count(built.findings));
    tx.emit(Event::StepFinished { step: "ingest".to_owned(), run: None, counts })?;
    crate::checked::forget(&mut tx, package.id, provider, "the package is taken in").await?;
    tx.commit().await?;
    let stuck = finish_pending(instance).await?;
    crate::moving::warn_of(stuck.iter().map(|s| &s.error));
    let own = receipt::outbox_id(package.id);
    let receipt_waits = stuck.iter().find(|s| s.id == own).map(|s| s.error.code());
    Ok(Taken {
        receipt_waits,
        patients_in: built.patients_in,
        patients_refused: built.refused_patients(),
        refusals: built.refusals,
        patients_set_aside: built.holds.len() as u64,
        rows: built.rows,
        members: built.members,
        findings: built.findings,
        destroyed: destroy && !instance.root.join(&package.directory).exists(),
        ..Taken::not(package.id, provider.clone(), sequence)
    })
}

/// Has a package wait until somebody says whether it is used. What was written of it is in no ledger row, and is swept.
async fn hold(
    instance: &Instance,
    package: &Package,
    provider: &ProviderId,
    sequence: i64,
    unfit: &[String],
) -> Result<Taken, Error> {
    let mut tx = instance.ledger.begin(&instance.actor, "hold a package back that is not to be used").await?;
    tx.move_package(package.id, PackageState::Accepted, PackageState::Accepted, Some(crate::quality::HELD)).await?;
    let refused = Event::Refused {
        step: "quality".to_owned(),
        code: crate::quality::HELD.to_owned(),
        subject: Some(package.id.to_string()),
    };
    tx.emit(refused)?;
    tx.commit().await?;
    tracing::warn!(package = %package.id, checks = unfit.len(), "held back: data quality");
    let why = Message::new("quality-package-held").with("count", unfit.len()).with("package", package.id);
    Ok(Taken::waiting(package.id, provider.clone(), sequence, why.with("checks", some_of(unfit))))
}

/// Destroys a package that is not to be used, in place of holding it back: people are or may be in it of whom nothing may be kept. Had it
/// been taken in, it would be destroyed now; held back, it would keep them for weeks. Nobody but its sender can take them out of it: it is
/// signed as a whole.
async fn refuse(
    instance: &Instance,
    package: &Package,
    provider: &ProviderId,
    sequence: i64,
    built: &build::Built,
) -> Result<Taken, Error> {
    // Told first: what breaks off here is done again, and told again, with the next `ingest`.
    let told = receipt::tell_refused(instance, package, provider, sequence, built).await;
    crate::moving::warn_of(told.as_ref().err());
    let set_aside = quarantine(instance, package, provider.clone(), sequence, crate::quality::REFUSED, TAKE_IN).await?;
    let code = if told.is_ok() { "quality-package-refused" } else { "quality-package-refused-untold" };
    let why = Message::new(code).with("count", built.unfit.len()).with("checks", some_of(&built.unfit));
    Ok(Taken {
        patients_refused: built.refused_patients(),
        refusals: built.refusals.clone(),
        destroyed: !instance.root.join(&package.directory).exists(),
        why: Some(why.with("package", package.id)),
        ..set_aside
    })
}

/// The first of the checks that say that a package is not to be used.
fn some_of(unfit: &[String]) -> String {
    unfit.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// A package that held when it was received and does not any more.
pub(crate) async fn quarantine(
    instance: &Instance,
    package: &Package,
    provider: ProviderId,
    sequence: i64,
    code: &str,
    why: &str,
) -> Result<Taken, Error> {
    let mut tx = instance.ledger.begin(&instance.actor, why).await?;
    tx.move_package(package.id, PackageState::Accepted, PackageState::Quarantined, Some(code)).await?;
    crate::checked::forget(&mut tx, package.id, &provider, "the package is set aside").await?;
    tx.commit().await?;
    tracing::warn!(package = %package.id, code, "set aside");
    // What was not read in cannot be cleared of whom it names.
    let of_many = package.kind.as_deref().is_some_and(|kind| kind.parse() != Ok(SourceKind::Ssmix2));
    let erasures = crate::keeping::Erasures::load(&mut instance.ledger.read().await?).await?;
    if of_many && erasures.of(&provider) || erasures.since(package) {
        crate::keeping::destroy(instance, package.id, &package.directory, None).await?;
    }
    crate::keeping::expire(instance, jiff::Timestamp::now()).await?;
    Ok(Taken { refused: Some(code.to_owned()), ..Taken::not(package.id, provider, sequence) })
}

/// The kind of a package's payloads.
///
/// # Errors
/// A refusal when this version does not read it.
pub(crate) fn kind_of(word: &str) -> Result<SourceKind, Error> {
    word.parse().map_err(|_| Error::refused(Message::new("core-kind-unknown").with("kind", word)))
}
