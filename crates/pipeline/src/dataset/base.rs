//! What a list for linkage keys goes with: the build of a linkable data set, its recipient, the query that keys answer. And why, for their
//! sake, a list is not made or does not leave.

use ledger::{DatasetState, OutboxState, PartyKind, PartyStatus, Reader, Tx};
use messages::Message;
use terms::{DatasetId, ReleaseKind};

use super::deliver::{destroy_epochs, linked_otherwise, stopped_since, void_in};
use super::ids;
use super::leaving::outbox_id;
use super::order::Order;
use crate::Instance;
use crate::error::Error;

/// Name of the setting that says which build of which data set a list goes with.
pub(super) fn base_setting(id: DatasetId) -> String {
    format!("dataset.{id}.base")
}

/// What a list goes with.
pub(super) struct Base {
    /// The linkable data set.
    pub(super) dataset: ledger::Dataset,
    /// The query that keys answer.
    pub(super) query: Option<ledger::Dataset>,
}

impl Base {
    /// Of an order, where it is one for a list.
    ///
    /// # Errors
    /// A refusal when there is none.
    pub(super) async fn of(reader: &mut Reader, order: &Order) -> Result<Option<Base>, Error> {
        let not_linkable = |id: DatasetId| Error::refused(Message::new("core-keys-not-linkable").with("id", id));
        let not_a_query = |id: DatasetId| Error::refused(Message::new("core-keys-not-a-query").with("id", id));
        let (id, query) = match order {
            Order::Tables(_) => return Ok(None),
            Order::Query(query) => (query.dataset, None),
            Order::Keys(keys) => {
                let row = reader.dataset(keys.query).await?.filter(|d| d.kind == ReleaseKind::LinkageQuery);
                let row = row.ok_or_else(|| not_a_query(keys.query))?;
                let id = Order::parse(&row.profile)?.belongs_to().ok_or_else(|| not_a_query(keys.query))?;
                (id, Some(row))
            }
        };
        let dataset = reader.dataset(id).await?.filter(|d| d.kind == ReleaseKind::LinkableAnonymized);
        Ok(Some(Base { dataset: dataset.ok_or_else(|| not_linkable(id))?, query }))
    }

    /// The build of the data set, as text; none when it is not made, or is to be made again.
    pub(super) fn build(&self) -> Option<String> {
        let made = matches!(self.dataset.state, DatasetState::TwoPersonCheck | DatasetState::Released | DatasetState::Delivered);
        self.dataset.data_sha256.filter(|_| made).map(|sha| format!("{} {}", self.dataset.id, hex::encode(sha)))
    }

    /// Whether the data set lies where its recipient fetches it.
    async fn handed_over(&self, reader: &mut Reader) -> Result<bool, Error> {
        let waiting = reader.outbox(Some(OutboxState::Pending)).await?;
        Ok(self.dataset.state == DatasetState::Delivered && !waiting.iter().any(|row| row.id == outbox_id(self.dataset.id)))
    }

    /// Why nobody would have a use for the list: the data set's recipient takes no part any more, or for now.
    async fn recipient(&self, reader: &mut Reader) -> Result<Option<Amiss>, Error> {
        let status = reader.party(PartyKind::Recipient, &self.dataset.recipient).await?.map(|p| p.status);
        let message = Message::new("core-keys-base-recipient").with("id", self.dataset.id);
        let message = message.with("recipient", &self.dataset.recipient);
        Ok(match status {
            Some(PartyStatus::Active) => None,
            Some(PartyStatus::Paused) => Some(Amiss { void: None, message }),
            _ => Some(Amiss { void: Some("the recipient of its data set has ended"), message }),
        })
    }

    /// What is wrong with the data set of a list that is made or is to leave.
    ///
    /// # Errors
    /// When the ledger or a list cannot be read.
    pub(super) async fn amiss(&self, instance: &Instance) -> Result<Option<Amiss>, Error> {
        let mut reader = instance.ledger.read().await?;
        if let Some(amiss) = self.recipient(&mut reader).await? {
            return Ok(Some(amiss));
        }
        let handed_over = self.handed_over(&mut reader).await?;
        drop(reader);
        let id = self.dataset.id;
        if handed_over {
            return Ok(None);
        }
        // After its keys nobody could say any more whose its rows are, and made again it would have other ids.
        if self.query.is_some() {
            return Ok(Some(Amiss { void: None, message: Message::new("core-keys-not-handed-over").with("id", id) }));
        }
        // What is to go back names nobody to a body first.
        let doomed = stopped_since(instance, id, self.dataset.kind).await? > 0 || linked_otherwise(instance, id).await?;
        let message = Message::new("core-keys-base-doomed").with("id", id);
        Ok(doomed.then_some(Amiss { void: Some("the data set that it goes with is to be made again"), message }))
    }
}

/// Why a list is not made, or does not leave.
pub(super) struct Amiss {
    /// Why it goes back, where it does not only wait.
    pub(super) void: Option<&'static str>,
    /// What is said.
    pub(super) message: Message,
}

/// Why lists go back: their ids are another build's.
const MADE_AGAIN: &str = "the data set that it goes with was made again";
/// Why lists go back: nobody can use them any more.
const SERVED: &str = "the keys of its data set were handed over";

/// Whether what an order goes with is there: a linkable data set for a query, a query and its data set's recipient for keys.
///
/// # Errors
/// A refusal when it is not.
pub(super) async fn fits(reader: &mut Reader, order: &Order) -> Result<(), Error> {
    let Some(base) = Base::of(reader, order).await? else { return Ok(()) };
    if base.query.is_some() && base.dataset.recipient != order.recipient() {
        let message = Message::new("core-keys-recipient").with("id", base.dataset.id).with("recipient", &base.dataset.recipient);
        return Err(Error::refused(message));
    }
    match base.recipient(reader).await? {
        Some(amiss) => Err(Error::refused(amiss.message)),
        None => Ok(()),
    }
}

/// Why a made list does not leave: the data set that it goes with is another now, its ids are gone, or it is not as it has to be.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn amiss(instance: &Instance, id: DatasetId) -> Result<Option<Amiss>, Error> {
    let mut reader = instance.ledger.read().await?;
    let Some(row) = reader.dataset(id).await? else { return Ok(None) };
    let Some(base) = Base::of(&mut reader, &Order::parse(&row.profile)?).await? else { return Ok(None) };
    let then = reader.setting(&base_setting(id)).await?;
    if then.is_none() || then != base.build() {
        return Ok(Some(Amiss { void: Some(MADE_AGAIN), message: Message::new("core-keys-made-again") }));
    }
    if ids::of(&mut reader, base.dataset.id).await?.is_none() {
        let message = Message::new("core-keys-served").with("id", base.dataset.id);
        return Ok(Some(Amiss { void: Some(SERVED), message }));
    }
    drop(reader);
    base.amiss(instance).await
}

/// Takes the table of ids away once the keys have been handed over, for nobody needs it any more; with it what else says whose the ids
/// are: other lists of the data set that have not left. Whether there is anything to clear away afterwards.
///
/// # Errors
/// When the ledger cannot be written.
pub(super) async fn ids_served(tx: &mut Tx, id: DatasetId) -> Result<bool, Error> {
    let Some(row) = tx.read().dataset(id).await?.filter(|d| d.kind == ReleaseKind::LinkageKeys) else { return Ok(false) };
    let Some(base) = Base::of(tx.read(), &Order::parse(&row.profile)?).await? else { return Ok(false) };
    if let Some(asset) = ids::of(tx.read(), base.dataset.id).await? {
        tx.doom_assets(&[asset], "the keys were handed over").await?;
    }
    for other in tx.read().datasets().await? {
        let made = matches!(other.state, DatasetState::TwoPersonCheck | DatasetState::Released);
        let list = matches!(other.kind, ReleaseKind::LinkageQuery | ReleaseKind::LinkageKeys);
        if other.id == id || !made || !list {
            continue;
        }
        let of = Base::of(tx.read(), &Order::parse(&other.profile)?).await?;
        if of.is_some_and(|of| of.dataset.id == base.dataset.id) {
            void_in(tx, &other, SERVED).await?;
        }
    }
    // An earlier copy of the ledger must open neither the table nor the names in a list that was delivered from it.
    destroy_epochs(tx).await?;
    Ok(true)
}
