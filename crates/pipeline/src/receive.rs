//! A package arrives: it is copied into the instance's keeping, and everything about it is checked there, so that what
//! was checked is what will be read. What does not hold is quarantined with its reason; nothing of it goes further.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use durable::NewFile;
use ledger::{Event, NewPackage, PackageState, PartyKind, PartyStatus};
use messages::Message;
use package::{ENDING, MANIFEST, Manifest, PackageError, Purpose, SealedManifest};
use seal::Certificate;
use serde::Serialize;
use terms::{PackageId, ProviderId};

use crate::Instance;
use crate::checked::Checked;
use crate::error::Error;
use crate::listed::{of_nobody, register};
use crate::notices::usable;
use crate::patients::Patients;
use crate::reading::{OptOutLine, Summary};
use crate::spool::Spooled;

/// What became of a package at the door.
#[derive(Serialize)]
pub struct Received {
    /// Name of the directory that was given.
    pub directory: String,
    /// Its id in the ledger, where it has one.
    pub package: Option<PackageId>,
    /// State: accepted, quarantined, rejected.
    pub state: String,
    /// Who sent it, once the signature held.
    pub provider: Option<ProviderId>,
    /// Its number.
    pub sequence: Option<i64>,
    /// Code of the reason when it is not accepted.
    pub reason: Option<&'static str>,
    /// Files in it.
    pub members: u64,
    /// Patients set aside because some file says that it may be another's.
    pub patients_set_aside: u64,
    /// Opt-outs that came with it.
    pub opt_outs: u64,
    /// Of them those of people of whom nothing is here and nothing came: patients of another day, or wrong ids.
    pub opt_outs_of_nobody: u64,
    /// Contacts that came with it and were new.
    pub contacts: u64,
    #[serde(skip)]
    message: Option<Message>,
}

impl Received {
    /// Whether it goes on.
    pub fn accepted(&self) -> bool {
        self.state == PackageState::Accepted.as_str()
    }

    /// Why it does not.
    pub fn refusal(&self) -> Message {
        self.message.clone().unwrap_or_else(|| Message::new("core-package-purpose"))
    }

    fn refused(directory: String, package: Option<PackageId>, state: PackageState, why: Message) -> Received {
        Received {
            directory,
            package,
            state: state.to_string(),
            provider: None,
            sequence: None,
            reason: Some(why.code),
            members: 0,
            patients_set_aside: 0,
            opt_outs: 0,
            opt_outs_of_nobody: 0,
            contacts: 0,
            message: Some(why),
        }
    }
}

/// Ending of the name that a package in the inbox goes under while it is removed.
const LEAVING: &str = ".leaving";

/// The packages in the instance's inbox, by name. What a crash left of packages on their way out of it goes.
///
/// # Errors
/// When the inbox cannot be read.
pub fn waiting(instance: &Instance) -> Result<Vec<PathBuf>, Error> {
    let inbox = instance.inbox();
    let mut found = Vec::new();
    for entry in fs::read_dir(&inbox).map_err(Error::io(inbox.display().to_string()))? {
        let path = entry.map_err(Error::io(inbox.display().to_string()))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(&format!("{ENDING}{LEAVING}")) {
            left_behind(crate::keeping::remove(&path));
        } else if name.ends_with(ENDING) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Largest package that is copied: what thousands of full payloads would be is no package any more.
const LARGEST: u64 = 4 << 40;

/// Copies a package, nothing but its manifest and payloads, into keeping.
fn take_over(from: &Path, to: &Path) -> Result<(), Error> {
    let trouble = |path: &Path| Error::io(path.display().to_string());
    // What the sender's side does is the package's fault, and its names are not repeated.
    let refused = |_| Error::Package(PackageError::Undeclared);
    if to.exists() {
        crate::keeping::remove(to)?;
    }
    durable::create_dir(to).map_err(trouble(to))?;
    let mut left = LARGEST;
    for (n, entry) in fs::read_dir(from).map_err(refused)?.enumerate() {
        let entry = entry.map_err(refused)?;
        let source = open_regular(&entry.path()).map_err(refused)?;
        let size = source.metadata().map_err(refused)?.len();
        left = left.checked_sub(size).ok_or(PackageError::TooLarge { limit: LARGEST })?;
        let name = entry.file_name();
        let known = name.to_str().is_some_and(|f| f == MANIFEST || (f.starts_with("payload-") && f.ends_with(".p7m")));
        if !known || n > 10_000 {
            return Err(PackageError::Undeclared.into());
        }
        let place = to.join(name);
        let mut copy = BufWriter::with_capacity(1 << 20, NewFile::create(&place).map_err(trouble(&place))?);
        std::io::copy(&mut BufReader::with_capacity(1 << 20, source.take(size)), &mut copy).map_err(trouble(&place))?;
        copy.flush().map_err(trouble(&place))?;
        let file = copy.into_inner().map_err(|e| trouble(&place)(e.into_error()))?;
        file.finish().map_err(trouble(&place))?;
    }
    Ok(())
}

struct Held {
    manifest: Manifest,
    manifest_sha256: [u8; 32],
    provider: ProviderId,
    rule: terms::PatientIdRule,
    summary: Summary,
}

/// Receives one package.
///
/// # Errors
/// When something of ours is broken or missing. A package that does not hold is no error: it is quarantined, or refused
/// when it was received before.
pub async fn receive(instance: &Instance, path: &Path) -> Result<Received, Error> {
    let received = receive_one(instance, path).await?;
    // The inbox is ours: what the ledger knows now does not stay there, out of reach of erasure and retention.
    if received.package.is_some() && path.parent().is_some_and(|p| same_directory(p, &instance.inbox())) {
        left_behind(leave(path));
    }
    Ok(received)
}

/// Takes in what waits in keeping for an earlier package that has come meanwhile, or for its provider that is resumed, one after the other.
///
/// # Errors
/// As [`receive`].
pub async fn follow(instance: &Instance) -> Result<Vec<Received>, Error> {
    let mut all = Vec::new();
    let mut tried = BTreeSet::new();
    loop {
        let mut reader = instance.ledger.read().await?;
        let mut due = None;
        for package in reader.packages(&[PackageState::Quarantined]).await? {
            let (Some(provider), Some(sequence)) = (&package.provider, package.sequence) else { continue };
            let there = instance.root.join(&package.directory);
            let active =
                reader.party(PartyKind::Provider, provider.as_str()).await?.is_some_and(|p| p.status == PartyStatus::Active);
            if matches!(package.reason.as_deref(), Some(GAP | SUSPENDED))
                && active
                && there.is_dir()
                && reader.last_sequence(provider).await?.unwrap_or(0) + 1 == sequence
                && tried.insert(package.id)
            {
                due = Some(there);
                break;
            }
        }
        drop(reader);
        let Some(path) = due else { return Ok(all) };
        all.push(receive_one(instance, &path).await?);
    }
}

/// How many packages lie in keeping and wait: for an earlier one, or until their provider is resumed.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn held_back(instance: &Instance) -> Result<u64, Error> {
    let packages = instance.ledger.read().await?.packages(&[PackageState::Quarantined]).await?;
    let waits =
        |p: &&ledger::Package| matches!(p.reason.as_deref(), Some(GAP | SUSPENDED)) && instance.root.join(&p.directory).exists();
    Ok(packages.iter().filter(waits).count() as u64)
}

/// Removes a package from the inbox.
fn leave(path: &Path) -> Result<(), Error> {
    // Under another name first: half a package must not look like one that somebody spoilt.
    let mut leaving = path.as_os_str().to_owned();
    leaving.push(LEAVING);
    let leaving = PathBuf::from(leaving);
    crate::keeping::remove(&leaving)?;
    durable::rename(path, &leaving).map_err(Error::io(path.display().to_string()))?;
    crate::keeping::remove(&leaving)
}

/// What others put into the inbox and we may not remove is no reason to take nothing in any more.
fn left_behind(removed: Result<(), Error>) {
    if let Err(error) = removed {
        tracing::warn!(code = error.code(), "something in the inbox cannot be removed: see to its owner and permissions");
    }
}

fn same_directory(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// The sealed manifest's bytes, of a regular file and of bounded length.
fn sealed_manifest(path: &Path) -> Result<Vec<u8>, PackageError> {
    let not_a_package = || PackageError::NotAPackage { path: path.to_owned() };
    let file = open_regular(&path.join(MANIFEST)).map_err(|_| not_a_package())?;
    let mut bytes = Vec::new();
    let limit = 2 * package::LARGEST_MANIFEST;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|_| not_a_package())?;
    if bytes.len() as u64 > limit {
        return Err(PackageError::TooLarge { limit });
    }
    Ok(bytes)
}

/// Opens a file that is one: no link is followed, and nothing that never ends is waited for.
fn open_regular(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(std::io::ErrorKind::InvalidInput.into()) }
}

async fn receive_one(instance: &Instance, path: &Path) -> Result<Received, Error> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let sealed = match sealed_manifest(path) {
        Ok(sealed) => sealed,
        Err(error) => return refuse_unkept(instance, name, error.message()).await,
    };
    // The same bytes again are the same package, whether it held or not.
    let id = package_id(&sealed);
    let directory = format!("packages/{id}{ENDING}");
    let place = instance.root.join(&directory);
    let known = instance.ledger.read().await?.package(id).await?;
    if let Some(k) = known.as_ref().filter(|k| k.state != PackageState::Quarantined) {
        let mut twice = Received::refused(name, Some(id), PackageState::Rejected, Message::new("core-package-duplicate"));
        (twice.provider, twice.sequence) = (k.provider.clone(), k.sequence);
        return note_refusal(instance, twice).await;
    }
    let listed = known.as_ref().and_then(|k| k.reason.as_deref()).is_some_and(|reason| LISTED.contains(&reason));
    // What is in quarantine is looked at again: its payloads may arrive whole this time, its sender may be registered now.
    let released = known.as_ref().is_some_and(crate::quality::is_released);
    let arrival =
        Arrival { id, directory, again: known.is_some(), listed, released, replaces: place.is_dir(), as_it_lies: false };
    // One that held and only waited for an earlier one waits on, or comes in as it lies there.
    if arrival.replaces && known.as_ref().is_some_and(|k| matches!(k.reason.as_deref(), Some(GAP | SUSPENDED))) {
        // The certificate that was pinned when it came counts, as it does when it is read. Of what came while its provider was suspended the
        // one that is pinned now: the key may have been in other hands.
        let came = known.as_ref().filter(|k| k.reason.as_deref() == Some(GAP)).map(|k| k.received_at);
        match check(instance, &place, came).await {
            Ok(checked) => {
                return accept(instance, name, Arrival { replaces: false, as_it_lies: true, ..arrival }, checked).await;
            }
            Err(Failed::Package(why, _)) if matches!(why.code, GAP | SUSPENDED) => {
                let mut waits = Received::refused(name, Some(id), PackageState::Quarantined, why);
                let said = known.as_ref().map(|k| (k.provider.clone(), k.sequence));
                (waits.provider, waits.sequence) = said.unwrap_or_default();
                return note_refusal(instance, waits).await;
            }
            Err(Failed::Ours(error @ Error::ReaderKilled(_))) => return refuse_unkept(instance, name, error.message()).await,
            Err(Failed::Ours(error)) => return Err(error),
            // It does not hold any more: what came now may.
            Err(Failed::Package(..)) => {}
        }
    }
    let beside = instance.packages().join(format!("new-{id}{ENDING}"));
    match take_over(path, &beside) {
        Err(Error::Package(error)) => {
            crate::keeping::remove(&beside)?;
            return refuse_unkept(instance, name, error.message()).await;
        }
        other => other?,
    }
    match check(instance, &beside, None).await {
        // The system ended the reading: nothing is said of the package, which stays where it is, and the others go on.
        Err(Failed::Ours(error @ Error::ReaderKilled(_))) => {
            crate::keeping::remove(&beside)?;
            refuse_unkept(instance, name, error.message()).await
        }
        Err(Failed::Ours(error)) => Err(error),
        // Anybody can put a known manifest beside other bytes: what is known of the package and kept of it stays.
        Err(Failed::Package(why, claimed)) if arrival.again && !claimed.as_ref().is_some_and(|c| c.held) => {
            crate::keeping::remove(&beside)?;
            note_refusal(instance, Received::refused(name, Some(id), PackageState::Quarantined, why)).await
        }
        looked => {
            crate::moving::replace_by(&beside, &place)?;
            match looked {
                Ok(checked) => accept(instance, name, arrival, checked).await,
                Err(Failed::Package(why, claimed)) => quarantine(instance, name, arrival, why, claimed, &sealed).await,
                Err(Failed::Ours(error)) => Err(error),
            }
        }
    }
}

/// Code of the reason of a package in which nobody was found: it is kept out, and out of the reach of who said no.
const NOBODY: &str = "core-package-nobody";
/// Code of the reason of a package that waits for an earlier one.
pub(crate) const GAP: &str = "core-package-sequence-gap";
/// Code of the reason of a package that waits until its provider is resumed.
pub(crate) const SUSPENDED: &str = "core-package-suspended";
/// Code of the reason of one whose provider was ended while it was suspended.
pub(crate) const REVOKED: &str = "core-package-revoked";

/// Codes of the reasons of packages whose list of those who said no was read and registered all the same.
const LISTED: [&str; 4] = [GAP, SUSPENDED, "core-package-list", "core-package-sequence-old"];

/// A package that lies in keeping and has been looked at.
struct Arrival {
    id: PackageId,
    directory: String,
    /// Whether it lay in quarantine before.
    again: bool,
    /// Whether its list of those who said no was registered then.
    listed: bool,
    /// Whether somebody has let it in, whatever the checks of data quality say.
    released: bool,
    /// Whether another copy of it was kept, which is gone now.
    replaces: bool,
    /// Whether what was kept is taken up, and nothing new came.
    as_it_lies: bool,
}

impl Arrival {
    async fn register(&self, tx: &mut ledger::Tx, new: &NewPackage) -> Result<(), Error> {
        if self.replaces && self.again {
            tx.emit(Event::PackageDestroyed { package: self.id, certificate: None })?;
        }
        if self.again {
            tx.receive_package_again(new, self.as_it_lies).await?
        } else {
            tx.add_package(new).await?
        };
        Ok(())
    }
}

/// An id from the sealed manifest's bytes: receiving the same package again after a crash finds the same row.
fn package_id(sealed: &[u8]) -> PackageId {
    let hash = seal::hash::sha256(sealed);
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hash[..16]);
    PackageId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// What a package that does not come in still says, once its signature held.
struct Claimed {
    /// Whether the files are those of the manifest.
    held: bool,
    provider: ProviderId,
    sequence: i64,
    /// Who said no: that counts, whatever is wrong with the rest.
    opt_outs: Vec<OptOutLine>,
}

enum Failed {
    Package(Message, Option<Claimed>),
    Ours(Error),
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Package(error) if error.is_fault_of_package() => Failed::Package(error.message(), None),
            Error::Refused(refusal) => Failed::Package(refusal.0, None),
            Error::Reader(_) => Failed::Package(Message::new("core-package-refused"), None),
            other => Failed::Ours(other),
        }
    }
}

async fn check(instance: &Instance, place: &Path, came: Option<jiff::Timestamp>) -> Result<Held, Failed> {
    let identities = instance.keyring.intake_identities()?;
    let sealed = SealedManifest::open(place, &identities)?;
    let unknown = || Failed::Package(Message::new("core-package-unknown-sender"), None);
    let provider: ProviderId = sealed.claimed_sender().parse().map_err(|_| unknown())?;
    let mut reader = instance.ledger.read().await?;
    let party = reader.party(PartyKind::Provider, provider.as_str()).await?.ok_or_else(unknown)?;
    if matches!(party.status, PartyStatus::Ended | PartyStatus::Revoked) {
        return Err(Failed::Package(Message::new("core-package-ended").with("provider", &provider), None));
    }
    let at = came.unwrap_or_else(jiff::Timestamp::now);
    let pinned = reader.certificate_at(PartyKind::Provider, provider.as_str(), at).await?.ok_or_else(unknown)?;
    let opened = sealed.verify_at(&Certificate::from_der(&pinned)?, at)?;
    let files = opened.check_files(place);
    let manifest = opened.manifest;
    let sequence = i64::try_from(manifest.sequence).unwrap_or(i64::MAX);
    let told = |why: Message, opt_outs: Vec<OptOutLine>| {
        Failed::Package(why, Some(Claimed { provider: provider.clone(), sequence, opt_outs, held: true }))
    };
    // Whose it is, is known all the same: an erasure there takes it along.
    match files.map_err(Failed::from) {
        Err(Failed::Package(why, None)) => {
            let claimed = Claimed { provider: provider.clone(), sequence, opt_outs: Vec::new(), held: false };
            return Err(Failed::Package(why, Some(claimed)));
        }
        other => other?,
    }
    if manifest.purpose != Purpose::Provision {
        return Err(told(Message::new("core-package-purpose"), Vec::new()));
    }
    let unread = |_| told(Message::new("core-kind-unknown").with("kind", &manifest.kind), Vec::new());
    let kind = crate::ingest::kind_of(&manifest.kind).map_err(unread)?;
    // What stands in one file of these formats depends on others: they are looked through together.
    if kind != terms::SourceKind::Ssmix2 && manifest.payloads.len() != 1 {
        return Err(told(Message::new("core-package-payloads").with("kind", kind), Vec::new()));
    }
    if reader.package_by_manifest(&opened.manifest_sha256).await?.is_some_and(|p| p.state != PackageState::Quarantined) {
        return Err(told(Message::new("core-package-duplicate"), Vec::new()));
    }
    let next = reader.last_sequence(&provider).await?.unwrap_or(0) + 1;
    // A number below the next one is free when the package that had it was set aside.
    let taken = reader.packages(&[]).await?.iter().any(|p| {
        let refused = matches!(p.state, PackageState::Quarantined | PackageState::Rejected);
        p.provider.as_ref() == Some(&provider) && p.sequence == Some(sequence) && !refused
    });
    drop(reader);
    let rule = party.patient_id_rule.unwrap_or_default();
    let identity = identities.get(opened.key).ok_or_else(|| Error::Inconsistent("no such intake key".to_owned()))?;
    let spooled = Spooled::new(place.to_owned(), manifest.clone(), identity, rule)?;
    let mut summary = crate::ingest::check(&spooled, &instance.child).await?;
    if let Some(said) = &summary.refused {
        // Lists of a payload whose tag did not hold say nothing.
        return Err(told(crate::codes::message(said), Vec::new()));
    }
    let listed = std::mem::take(&mut summary.opt_outs);
    // Of everything else people are known by numbers that an insurer does not have.
    let of_insured = matches!(kind, terms::SourceKind::Receipt | terms::SourceKind::Checkup);
    if rule == terms::PatientIdRule::Insured && !of_insured {
        return Err(told(Message::new("core-package-insurer-kind").with("kind", kind), listed));
    }
    // Not of its kind, or spoilt: kept as nobody's, it would be out of the reach of those who say no.
    if kind != terms::SourceKind::Ssmix2 && summary.members > 0 && summary.patients.is_empty() {
        return Err(told(Message::new(NOBODY).with("kind", kind), listed));
    }
    if taken {
        return Err(told(Message::new("core-package-sequence-old"), listed));
    }
    if party.status == PartyStatus::Paused {
        return Err(told(Message::new(SUSPENDED).with("provider", &provider), listed));
    }
    if sequence > next {
        return Err(told(Message::new(GAP), listed));
    }
    let unusable = listed.iter().any(|line| rule.canonical(&line.patient).is_err());
    if summary.bad_opt_outs > 0 || unusable {
        return Err(told(Message::new("core-package-list"), listed));
    }
    summary.opt_outs = listed;
    Ok(Held { manifest, manifest_sha256: opened.manifest_sha256, provider, rule, summary })
}

async fn accept(instance: &Instance, name: String, arrival: Arrival, held: Held) -> Result<Received, Error> {
    let Held { manifest, manifest_sha256, provider, rule, summary } = held;
    let patients = Patients::of(instance, &mut instance.ledger.read().await?, &provider).await?;
    let (contacts, _) = usable(&patients, &summary.contacts)?;
    let sequence = i64::try_from(manifest.sequence).unwrap_or(i64::MAX);
    let id = arrival.id;
    let opt_outs_of_nobody = of_nobody(instance, &patients, &provider, rule, &summary, &manifest.counts).await?;
    let found = Checked::of(&summary, &patients)?;
    let found = crate::checked::write(instance, id, &provider, manifest_sha256, rule, &found)?;
    let mut tx = instance.ledger.begin(&instance.actor, "receive a package").await?;
    let new = NewPackage {
        id,
        provider: Some(provider.clone()),
        sequence: Some(sequence),
        kind: Some(manifest.kind.clone()),
        period_from: Some(manifest.period.from),
        period_to: Some(manifest.period.to),
        state: PackageState::Accepted,
        manifest_sha256,
        directory: arrival.directory.clone(),
        reason: arrival.released.then(|| crate::quality::RELEASED.to_owned()),
    };
    arrival.register(&mut tx, &new).await?;
    tx.add_assets(&[(found.asset, Some(found.key))]).await?;
    let new_contacts = tx.add_contacts(&provider, &contacts).await?;
    let opt_outs = register(&mut tx, &patients, &provider, &summary.opt_outs, arrival.listed).await?;
    tx.commit().await?;
    if opt_outs > 0 {
        crate::standing::keep(instance).await?;
    }
    Ok(Received {
        directory: name,
        package: Some(id),
        state: PackageState::Accepted.to_string(),
        provider: Some(provider),
        sequence: Some(sequence),
        reason: None,
        members: summary.members,
        patients_set_aside: summary.set_aside.len() as u64,
        opt_outs,
        opt_outs_of_nobody,
        contacts: new_contacts,
        message: None,
    })
}

async fn quarantine(
    instance: &Instance,
    name: String,
    arrival: Arrival,
    why: Message,
    claimed: Option<Claimed>,
    sealed: &[u8],
) -> Result<Received, Error> {
    let patients = match &claimed {
        Some(c) => Some(Patients::of(instance, &mut instance.ledger.read().await?, &c.provider).await?),
        None => None,
    };
    let (provider, sequence) = claimed.as_ref().map_or((None, None), |c| (Some(c.provider.clone()), Some(c.sequence)));
    let mut tx = instance.ledger.begin(&instance.actor, "receive a package").await?;
    let id = arrival.id;
    let new = NewPackage {
        id,
        provider: provider.clone(),
        sequence,
        kind: None,
        period_from: None,
        period_to: None,
        state: PackageState::Quarantined,
        // Of a package whose manifest does not hold, the bytes that came.
        manifest_sha256: seal::hash::sha256(sealed),
        directory: arrival.directory.clone(),
        reason: Some(why.code.to_owned()),
    };
    arrival.register(&mut tx, &new).await?;
    let mut opt_outs = 0;
    if let (Some(claimed), Some(patients)) = (&claimed, &patients) {
        opt_outs = register(&mut tx, patients, &claimed.provider, &claimed.opt_outs, arrival.listed).await?;
    }
    tx.commit().await?;
    if why.code == NOBODY
        && let Some(claimed) = &claimed
        && crate::keeping::Erasures::load(&mut instance.ledger.read().await?).await?.of(&claimed.provider)
    {
        crate::keeping::destroy(instance, id, &new.directory, None).await?;
    }
    let mut received = Received::refused(name, Some(id), PackageState::Quarantined, why);
    (received.provider, received.sequence, received.opt_outs) = (provider, sequence, opt_outs);
    Ok(received)
}

/// What is no package at all, or cannot be taken into keeping: noted, and left where it is.
async fn refuse_unkept(instance: &Instance, name: String, why: Message) -> Result<Received, Error> {
    note_refusal(instance, Received::refused(name, None, PackageState::Rejected, why)).await
}

async fn note_refusal(instance: &Instance, refused: Received) -> Result<Received, Error> {
    let mut tx = instance.ledger.begin(&instance.actor, "receive a package").await?;
    let code = refused.refusal().code.to_owned();
    tx.emit(Event::Refused { step: "receive".to_owned(), code, subject: refused.package.map(|p| p.to_string()) })?;
    tx.commit().await?;
    Ok(refused)
}
