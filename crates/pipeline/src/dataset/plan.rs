use std::path::Path;

use anonymity::profile::Kind;
use governance::application::Digest;
use governance::dataset::Dataset;
use ledger::{DatasetState, NewDataset, PartyKind, PartyStatus};
use messages::Message;
use serde::Serialize;
use terms::{DatasetId, OfficerId, ReleaseKind};

use super::order::{Order, receiver};
use super::{Listed, refused};
use crate::Instance;
use crate::error::Error;

/// A planned data set.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// Its id, for every later step.
    pub id: DatasetId,
    /// What it is to be in law.
    pub kind: ReleaseKind,
    /// SHA-256 of the profile that the committee reads.
    pub profile_sha256: String,
}

pub(super) const fn release_kind(kind: Kind) -> ReleaseKind {
    match kind {
        Kind::Anonymized => ReleaseKind::Anonymized,
        Kind::LinkableAnonymized => ReleaseKind::LinkableAnonymized,
        Kind::Pseudonymized => ReleaseKind::Pseudonymized,
    }
}

/// Takes an application: the profile with its purpose, recipient and items, or the order for a list that goes with a linkable data set. It lies before the committee then. The same
/// application of the same maker that lies there already is not made a second time.
///
/// # Errors
/// Refusals: the profile is not valid or below the floor of its kind, the application is not complete, the recipient is
/// not registered or takes no part any more, a provider of the cohort is not registered.
pub async fn plan(instance: &Instance, profile: &Path) -> Result<Planned, Error> {
    let text = std::fs::read_to_string(profile).map_err(Error::io(profile.display().to_string()))?;
    let parsed = Order::parse(&text)?;
    instance.actor.as_str().parse::<OfficerId>().map_err(|e| Error::refused(Message::new("core-party-id").with("reason", e)))?;
    if let Some(profile) = parsed.profile() {
        super::select::period(&profile.cohort)?;
    }
    let id = DatasetId::new();
    let sha256 = seal::hash::sha256(text.as_bytes());
    let application = parsed.application(id, Digest(sha256))?;
    let mut reader = instance.ledger.read().await?;
    let receiver = receiver(application.kind);
    let known = reader.party(receiver, application.recipient.as_str()).await?;
    if known.as_ref().is_none_or(|p| p.status != PartyStatus::Active) {
        let code = if known.is_some() { "core-party-suspended" } else { "core-unknown-party" };
        let message = Message::new(code).with("kind", receiver).with("id", &application.recipient);
        return Err(Error::refused(message));
    }
    super::base::fits(&mut reader, &parsed).await?;
    for other in parsed.profile().map_or(&[][..], |p| &p.beside) {
        let there = match other.parse() {
            Ok(id) => reader.dataset(id).await?.is_some(),
            Err(_) => false,
        };
        if !there {
            return Err(Error::refused(Message::new("core-dataset-unknown").with("id", other)));
        }
    }
    for provider in parsed.profile().map_or(&[][..], |p| &p.cohort.providers) {
        if reader.party(PartyKind::Provider, provider).await?.is_none() {
            return Err(Error::refused(
                Message::new("core-unknown-party").with("kind", PartyKind::Provider).with("id", provider),
            ));
        }
    }
    let kind = application.kind;
    // A command that is repeated, because nobody saw how it ended, finds what it had done.
    let before = reader
        .datasets()
        .await?
        .into_iter()
        .find(|d| d.state == DatasetState::InReview && d.profile_sha256 == sha256 && d.maker == instance.actor.as_str());
    if let Some(before) = before {
        return Ok(Planned { id: before.id, kind, profile_sha256: hex::encode(sha256) });
    }
    drop(reader);
    let (purpose, project) = (application.purpose.clone(), application.project.clone());
    Dataset::apply(application).map_err(refused)?.submit();
    let new = NewDataset {
        id,
        kind,
        profile: text,
        purpose,
        recipient: parsed.recipient().to_owned(),
        project,
        maker: instance.actor.as_str().to_owned(),
    };
    let mut tx = instance.ledger.begin(&instance.actor, "plan a data set").await?;
    tx.add_dataset(&new).await?;
    tx.move_dataset(id, DatasetState::Application, DatasetState::InReview, None).await?;
    tx.commit().await?;
    Ok(Planned { id, kind, profile_sha256: hex::encode(sha256) })
}

/// Every data set.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn list(instance: &Instance) -> Result<Vec<Listed>, Error> {
    let line = |d: ledger::Dataset| Listed {
        id: d.id,
        state: d.state.to_string(),
        kind: d.kind.to_string(),
        recipient: d.recipient,
        purpose: d.purpose,
    };
    Ok(instance.ledger.read().await?.datasets().await?.into_iter().map(line).collect())
}
