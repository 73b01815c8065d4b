//! How long a package is kept after it was taken in, and how its bytes go.

use std::path::Path;

use jiff::{Timestamp, ToSpan as _};
use ledger::{Event, Hex32, OptOutState, Package, PackageState, PartyKind, PartyStatus, Reader};
use terms::{PackageId, ProviderId};

use crate::Instance;
use crate::error::Error;

/// States in which a package's bytes are kept for a time only.
const KEPT: [PackageState; 3] = [PackageState::Ledgered, PackageState::Acknowledged, PackageState::Quarantined];

/// Removes what a crash left of packages that no row names.
///
/// # Errors
/// When files cannot be removed.
pub(crate) async fn sweep(instance: &Instance) -> Result<(), Error> {
    let dir = instance.packages();
    // A copy of an instance may lack what was empty.
    durable::create_dir(&dir).map_err(Error::io(dir.display().to_string()))?;
    let known: std::collections::HashSet<String> =
        instance.ledger.read().await?.packages(&[]).await?.into_iter().map(|p| p.directory).collect();
    for entry in std::fs::read_dir(&dir).map_err(Error::io(dir.display().to_string()))? {
        let entry = entry.map_err(Error::io(dir.display().to_string()))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Names that we give: what else lies there (a disk's lost+found, another house's things behind a link) is not ours.
        let own =
            name.strip_prefix("new-").unwrap_or(&name).split_once('.').is_some_and(|(id, _)| id.parse::<PackageId>().is_ok());
        if own && !known.contains(&format!("packages/{name}")) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a package's files. They are sealed to an intake key; with the key's rotation what a disk may still hold of
/// them opens no more.
pub(crate) fn remove(directory: &Path) -> Result<(), Error> {
    durable::remove_tree(directory).map_err(Error::io(directory.display().to_string()))
}

fn empty(directory: &Path) -> Result<(), Error> {
    let trouble = || Error::io(directory.display().to_string());
    for entry in std::fs::read_dir(directory).map_err(trouble())? {
        let path = entry.map_err(trouble())?.path();
        durable::remove_file(&path).map_err(Error::io(path.display().to_string()))?;
    }
    Ok(())
}

/// Destroys the bytes of one package and says so. The empty directory goes last: while it stands, a crash may have come
/// before the journal heard of it, and it is told then.
pub(crate) async fn destroy(
    instance: &Instance,
    package: PackageId,
    directory: &str,
    certificate: Option<[u8; 32]>,
) -> Result<(), Error> {
    let path = instance.root.join(directory);
    if !path.exists() {
        return Ok(());
    }
    empty(&path)?;
    // A package may come again after its bytes went: what counts is whether the last of its bytes were said to be gone.
    let history = instance.ledger.read().await?.history(&package.to_string()).await?;
    let mut bytes = history.iter().rev().map(|e| &e.event);
    let last = bytes.find(|e| matches!(e, Event::PackageReceived { .. } | Event::PackageDestroyed { .. }));
    if !matches!(last, Some(Event::PackageDestroyed { .. })) {
        let mut tx = instance.ledger.begin(&instance.actor, "destroy the bytes of a package").await?;
        tx.emit(Event::PackageDestroyed { package, certificate: certificate.map(Hex32) })?;
        tx.commit().await?;
    }
    remove(&path)
}

/// Who was erased when: of a package that came before, nobody may say that the person is not in it.
pub(crate) struct Erasures(Vec<(ProviderId, Timestamp)>);

impl Erasures {
    /// The erasures that the ledger knows. One that was taken back later counts: what was to go by it went.
    ///
    /// # Errors
    /// Of the ledger.
    pub(crate) async fn load(reader: &mut Reader) -> Result<Erasures, Error> {
        let all = reader.opt_outs().await?.into_iter();
        Ok(Erasures(all.filter(|o| o.erase && o.state != OptOutState::Rejected).map(|o| (o.provider, o.at)).collect()))
    }

    /// Whether anybody of a provider was erased: a package of many people that nobody could read may hold that person again.
    pub(crate) fn of(&self, provider: &ProviderId) -> bool {
        self.0.iter().any(|(p, _)| p == provider)
    }

    /// Whether somebody of the package's sender was erased since it came; of a package whose sender nobody knows, whether anybody was.
    pub(crate) fn since(&self, package: &Package) -> bool {
        let may_be_of = |provider: &ProviderId| package.provider.as_ref().is_none_or(|p| p == provider);
        self.0.iter().any(|(provider, at)| may_be_of(provider) && package.received_at <= *at)
    }
}

/// Days that a package stays which data quality holds back, at least.
const LEAST_HELD: i64 = 14;

/// Destroys every kept package of a provider that was taken in or set aside, and those that were set aside because nobody knows whose they
/// are: after an erasure none may still hold the person. One that is still to be taken in goes then; of a suspended provider, where nobody
/// knows when that will be, it is set aside and goes now. How many there were, and what could not be removed.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(crate) async fn destroy_packages_of(instance: &Instance, provider: &ProviderId) -> Result<(u64, Option<Error>), Error> {
    // The report first: of a package that is still held back the next start knows that this broke off.
    // What cannot be removed there keeps nobody from saying no.
    let (mut gone, mut trouble) = (0, crate::quality::take_back(instance, provider.as_str()).err());
    put_off(instance, |p| p.provider.as_ref() == Some(provider)).await?;
    let packages = instance.ledger.read().await?.packages(&KEPT).await?;
    for package in packages.into_iter().filter(|p| p.provider.as_ref().is_none_or(|p| p == provider)) {
        let there = instance.root.join(&package.directory).exists();
        match destroy(instance, package.id, &package.directory, None).await {
            Ok(()) => gone += u64::from(there),
            Err(error) => trouble = trouble.or(Some(error)),
        }
    }
    Ok((gone, trouble))
}

/// Sets accepted packages of suspended providers aside, and those that data quality holds back: their bytes are to go, and the provider
/// sends them again, when it is resumed or they are mended.
async fn put_off(instance: &Instance, which: impl Fn(&Package) -> bool) -> Result<(), Error> {
    let mut reader = instance.ledger.read().await?;
    let mut off = Vec::new();
    for package in reader.packages(&[PackageState::Accepted]).await?.into_iter().filter(which) {
        let Some(provider) = package.provider.clone() else { continue };
        let party = reader.party(PartyKind::Provider, provider.as_str()).await?;
        let code = match party.map(|p| p.status) {
            Some(PartyStatus::Paused) => crate::receive::SUSPENDED,
            Some(PartyStatus::Revoked) => crate::receive::REVOKED,
            // Nobody knows either when somebody decides on it.
            _ if package.reason.as_deref() == Some(crate::quality::HELD) => crate::quality::REJECTED,
            _ => continue,
        };
        off.push((package.id, provider, code));
    }
    drop(reader);
    for (id, provider, code) in off {
        let mut tx = instance.ledger.begin(&instance.actor, "destroy the bytes of a package").await?;
        tx.move_package(id, PackageState::Accepted, PackageState::Quarantined, Some(code)).await?;
        crate::checked::forget(&mut tx, id, &provider, "the package is set aside").await?;
        tx.commit().await?;
        tracing::warn!(package = %id, code, "set aside: its provider has to send it again");
    }
    Ok(())
}

/// Sets aside for good what waits of a provider that was ended while it was suspended.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(crate) async fn set_revoked_aside(instance: &Instance, provider: &str) -> Result<(), Error> {
    use crate::receive::{GAP, REVOKED};
    let mut reader = instance.ledger.read().await?;
    let party = reader.party(PartyKind::Provider, provider).await?;
    if party.is_none_or(|p| p.status != PartyStatus::Revoked) {
        return Ok(());
    }
    let of_it = |p: &Package| p.provider.as_ref().is_some_and(|p| p.as_str() == provider);
    let waiting = reader.packages(&[PackageState::Quarantined]).await?;
    drop(reader);
    put_off(instance, of_it).await?;
    // What came while it was suspended is held to the certificate of today, and stays out by that.
    for package in waiting.into_iter().filter(of_it).filter(|p| p.reason.as_deref() == Some(GAP)) {
        let mut tx = instance.ledger.begin(&instance.actor, "set a package aside").await?;
        tx.move_package(package.id, PackageState::Quarantined, PackageState::Quarantined, Some(REVOKED)).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Destroys packages whose stated time is over, those that came before somebody of their sender was erased, and those that were not held
/// back because people are in them of whom nothing may be kept.
///
/// # Errors
/// When files cannot be removed, after all that can are, or the ledger not be written.
pub async fn expire(instance: &Instance, now: Timestamp) -> Result<u64, Error> {
    let days = i64::from(instance.config.intake.package_retention_days);
    let is_due = |p: &Package| p.received_at.checked_add((24 * days).hours()).unwrap_or(Timestamp::MAX) <= now;
    // What data quality holds back stays for somebody to look at, but not for ever: people may say no meanwhile.
    let long = |p: &Package| p.received_at.checked_add((24 * days.max(LEAST_HELD)).hours()).unwrap_or(Timestamp::MAX) <= now;
    let is_held = |p: &Package| p.reason.as_deref() == Some(crate::quality::HELD);
    let erasures = Erasures::load(&mut instance.ledger.read().await?).await?;
    // An erasure that broke off may have left one held back, and a report about it.
    let held = instance.ledger.read().await?.packages(&[PackageState::Accepted]).await?;
    for package in held.iter().filter(|p| is_held(p) && erasures.since(p)) {
        if let Some(provider) = &package.provider {
            crate::moving::warn_of(crate::quality::take_back(instance, provider.as_str()).as_ref().err());
        }
    }
    put_off(instance, |p| if is_held(p) { long(p) || erasures.since(p) } else { is_due(p) }).await?;
    let (mut gone, mut trouble) = (0, None);
    let packages = instance.ledger.read().await?.packages(&KEPT).await?;
    for package in packages {
        // What is to be told to its sender first is destroyed when that is done.
        let erased = package.state != PackageState::Ledgered && erasures.since(&package);
        let refused = matches!(package.reason.as_deref(), Some(crate::quality::REFUSED | crate::quality::RELEASED));
        let refused = refused && package.state == PackageState::Quarantined;
        if (is_due(&package) || erased || refused) && instance.root.join(&package.directory).exists() {
            match destroy(instance, package.id, &package.directory, None).await {
                Ok(()) => gone += 1,
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
    }
    trouble.map_or(Ok(gone), Err)
}
