use std::path::Path;

use anonymity::Profile;
use anonymity::profile::Kind;
use governance::application::{Application, Digest, Item};
use governance::dataset::Dataset;
use ledger::{DatasetState, NewDataset, PartyKind, PartyStatus};
use messages::Message;
use serde::Serialize;
use terms::{DatasetId, OfficerId, RecipientId, ReleaseKind};

use super::{Listed, parse_profile, refused};
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

/// The application that a profile is part of.
pub(super) fn application(dataset: DatasetId, profile: &Profile, profile_sha256: Digest) -> Result<Application, Error> {
    let recipient: RecipientId = profile.application.recipient.parse().map_err(|_| {
        Error::refused(Message::new("core-unknown-party").with("kind", "recipient").with("id", &profile.application.recipient))
    })?;
    let item = |(table, t): (&String, &anonymity::profile::TableProfile)| Item { table: table.clone(), reason: t.reason.clone() };
    Ok(Application {
        dataset,
        kind: release_kind(profile.kind),
        recipient,
        project: profile.application.project.clone(),
        purpose: profile.application.purpose.clone(),
        items: profile.tables.iter().map(item).collect(),
        profile_sha256,
    })
}

pub(super) const fn release_kind(kind: Kind) -> ReleaseKind {
    match kind {
        Kind::Anonymized => ReleaseKind::Anonymized,
        Kind::Pseudonymized => ReleaseKind::Pseudonymized,
    }
}

/// Takes an application: the profile with its purpose, recipient and items. It lies before the committee then. The same
/// application of the same maker that lies there already is not made a second time.
///
/// # Errors
/// Refusals: the profile is not valid or below the floor of its kind, the application is not complete, the recipient is
/// not registered or takes no part any more, a provider of the cohort is not registered.
pub async fn plan(instance: &Instance, profile: &Path) -> Result<Planned, Error> {
    let text = std::fs::read_to_string(profile).map_err(Error::io(profile.display().to_string()))?;
    let parsed = parse_profile(&text)?;
    instance.actor.as_str().parse::<OfficerId>().map_err(|e| Error::refused(Message::new("core-party-id").with("reason", e)))?;
    super::select::period(&parsed.cohort)?;
    let id = DatasetId::new();
    let sha256 = seal::hash::sha256(text.as_bytes());
    let application = application(id, &parsed, Digest(sha256))?;
    let mut reader = instance.ledger.read().await?;
    let known = reader.party(PartyKind::Recipient, application.recipient.as_str()).await?;
    if known.as_ref().is_none_or(|p| p.status != PartyStatus::Active) {
        let code = if known.is_some() { "core-party-suspended" } else { "core-unknown-party" };
        let message = Message::new(code).with("kind", PartyKind::Recipient).with("id", &application.recipient);
        return Err(Error::refused(message));
    }
    for provider in &parsed.cohort.providers {
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
    Dataset::apply(application).map_err(refused)?.submit();
    let new = NewDataset {
        id,
        kind,
        profile: text,
        purpose: parsed.application.purpose.clone(),
        recipient: parsed.application.recipient.clone(),
        project: parsed.application.project.clone(),
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
