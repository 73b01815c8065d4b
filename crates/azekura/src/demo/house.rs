//! The instance: made, everybody registered, packages received and taken in, records linked.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use ledger::{Actor, Mode, PartyKind};
use messages::Message;
use pipeline::parties::{self, IdRule};
use pipeline::{Instance, notices};
use seal::Passphrase;
use terms::{NoticeScope, PatientIdRule};

use super::below;
use super::hospitals::{Cast, MEMBERS, carry};
use super::place::Place;
use super::voice::Voice;
use super::world::{OPERATOR, Unfit, open, passphrase_file};
use crate::failure::Failure;

/// Makes the instance, opens it for writing, registers everybody and records the notices.
///
/// # Errors
/// Refusals of the instance; when the disk refuses.
pub fn make(place: &Place, cast: &Cast, runtime: &tokio::runtime::Runtime, voice: &Voice<'_>) -> Result<Instance, Failure> {
    let mut secret = [0u8; 24];
    openssl::rand::rand_bytes(&mut secret).context("making a passphrase")?;
    let file = passphrase_file(place);
    let mut to = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
    writeln!(to, "{}", hex::encode(secret))?;
    let passphrase = Passphrase::from_file(&file).map_err(below)?;
    let actor: Actor = OPERATOR.parse().map_err(|e: ledger::LedgerError| below(e))?;
    let root = place.instance();
    runtime.block_on(async {
        let made = Instance::init(&root, &passphrase, &actor).await?;
        whole_committee(&root.join(pipeline::CONFIG))?;
        let instance = open(place, &root, Mode::Writer).await?;
        register(&instance, cast).await?;
        voice.say(&Message::new("demo-instance").with("path", root.display()).with("verifier", &made.journal_verifier));
        let mut contacts = 0;
        for hospital in cast.hospitals.iter().chain(cast.others.iter().map(|(h, _)| h)) {
            let new = notices::New {
                provider: hospital.id.clone(),
                scopes: NoticeScope::ALL.to_vec(),
                from: cast.notice_from,
                contacts: Some(hospital.root.join("contacts.csv")),
            };
            contacts += notices::add(&instance, new).await?.contacts;
        }
        voice.say(&Message::new("demo-notices").with("from", cast.notice_from).with("contacts", contacts));
        Ok(instance)
    })
}

/// The shipped settings ask for the decision of one member; here every member of the committee signs.
fn whole_committee(settings: &Path) -> Result<(), Failure> {
    let text = fs::read_to_string(settings)?;
    let is_setting = |line: &&str| line.trim_start().starts_with("review_members");
    let Some(line) = text.lines().find(is_setting) else { return Ok(()) };
    fs::write(settings, text.replace(line, &format!("review_members = {MEMBERS}")))?;
    Ok(())
}

async fn register(instance: &Instance, cast: &Cast) -> Result<(), Failure> {
    let mut all = Vec::new();
    for hospital in cast.hospitals.iter().chain(cast.others.iter().map(|(h, _)| h)) {
        all.push((PartyKind::Provider, hospital.id.to_string(), &hospital.keys));
    }
    all.push((PartyKind::Recipient, "recipient".to_owned(), &cast.recipient));
    for (kind, word, pairs) in [(PartyKind::Officer, "officer", &cast.officers), (PartyKind::Member, "member", &cast.members)] {
        all.extend(pairs.iter().enumerate().map(|(n, pair)| (kind, format!("{word}-{}", n + 1), pair)));
    }
    for (kind, id, pair) in all {
        let patient_ids = IdRule(PatientIdRule::Digits);
        parties::add(instance, parties::New { kind, id, certificate: pair.cert.clone(), name: String::new(), patient_ids })
            .await?;
    }
    Ok(())
}

/// Carries the packages to the inbox and receives each.
///
/// # Errors
/// When something of ours is broken, or a package was accepted that must not be, or the other way round.
pub async fn receive(
    place: &Place,
    instance: &Instance,
    cast: &Cast,
    unfit: &[Unfit],
    voice: &Voice<'_>,
) -> Result<Vec<pipeline::receive::Received>, Failure> {
    for hospital in cast.hospitals.iter().chain(cast.others.iter().map(|(h, _)| h)) {
        carry(place, &hospital.id)?;
    }
    let waiting = pipeline::receive::waiting(instance)?;
    let bar = voice.bar(waiting.len() as u64, Message::new("core-step-receive"));
    let mut all = Vec::new();
    for package in waiting {
        let received = pipeline::receive::receive(instance, &package).await?;
        bar.inc(1);
        // What the house has taken over or refused, the carrier takes away again.
        if package.exists() {
            fs::remove_dir_all(&package)?;
        }
        all.push(received);
    }
    bar.finish_and_clear();
    for received in &all {
        let code = received.reason.unwrap_or("core-package-accepted");
        let expected = !unfit.iter().any(|u| u.name == received.directory);
        if received.accepted() != expected {
            return Err(Failure::Refused(Message::new("demo-door").with("package", &received.directory).with("code", code)));
        }
        voice.say(
            &Message::new("demo-received").with("package", &received.directory).with("state", &received.state).with("code", code),
        );
    }
    Ok(all)
}

/// Takes the accepted packages in.
///
/// # Errors
/// When something of ours is broken, or a package is not taken in after all.
pub async fn ingest(instance: &Instance, voice: &Voice<'_>) -> Result<Vec<pipeline::ingest::Taken>, Failure> {
    let bar = voice.bar(0, Message::new("core-step-ingest"));
    let taken = pipeline::ingest::ingest(instance, &|rows| bar.set_position(rows)).await?;
    bar.finish_and_clear();
    for one in &taken {
        // One is put together wrongly as a whole, and has to wait until somebody has looked at it.
        if one.provider.as_str() == super::others::CARELESS && one.waits == Some("quality-package-held") {
            voice.say(&Message::new("demo-held").with("provider", &one.provider));
            continue;
        }
        if let Some(code) = one.refused.as_deref().or(one.waits) {
            let package = format!("{} {}", one.provider, one.sequence);
            return Err(Failure::Refused(Message::new("demo-door").with("package", package).with("code", code)));
        }
        voice.say(
            &Message::new("demo-ingested")
                .with("provider", &one.provider)
                .with("patients", one.patients_in)
                .with("refused", one.patients_refused)
                .with("aside", one.patients_set_aside)
                .with("rows", one.rows)
                .with("findings", one.findings),
        );
    }
    Ok(taken)
}

/// Links the records.
///
/// # Errors
/// When the vault cannot be read or the map not written.
pub async fn link(instance: &Instance, voice: &Voice<'_>) -> Result<(), Failure> {
    let linked = pipeline::link::link(instance).await?;
    voice.say(
        &Message::new("demo-linked").with("records", linked.records).with("persons", linked.persons).with("rule", &linked.rule),
    );
    Ok(())
}
