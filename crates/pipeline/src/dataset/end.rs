//! A data set that nobody wants any more ends for good: what was made of it goes, with what is known of who is in it. What has left cannot be
//! taken back; of a linkable one that has left, the table of ids by which keys are given is given up.

use ledger::{DatasetState, Reader};
use messages::Message;
use serde::Serialize;
use terms::DatasetId;

use super::base::Base;
use super::deliver::{clear_away, destroy, destroy_epochs, void_in};
use super::leaving::still_here;
use super::order::Order;
use super::{Case, ids, refused};
use crate::Instance;
use crate::error::Error;

/// What ended.
#[derive(Debug, Serialize)]
pub struct Ended {
    /// Its id.
    pub id: DatasetId,
    /// State of the data set now.
    pub state: String,
    /// Whether the table of ids of a linkable data set is gone: no key can be given any more.
    pub ids_given_up: bool,
    /// Lists for linkage keys that had not left and went with it.
    pub lists: Vec<DatasetId>,
}

/// Why data sets are withdrawn: the ledger's word for it. The journal has what was said.
const WITHDRAWN: &str = "withdrawn";

/// Ends a data set that has not left: it is withdrawn, what was made is destroyed. Of a linkable one that has left, the table of ids goes, and
/// with it the lists that have not left. `why` goes to the journal: it must not name a person.
///
/// # Errors
/// Refusals: it has left, it was rejected or withdrawn before, or `why` is no purpose (1 to 500 characters on one line).
pub async fn end(instance: &Instance, id: DatasetId, why: &str) -> Result<Ended, Error> {
    let mut reader = instance.ledger.read().await?;
    let case = Case::load(instance, &mut reader, id).await?;
    let row = &case.row;
    if matches!(row.state, DatasetState::Rejected | DatasetState::Withdrawn) {
        let state = governance::dataset::DatasetState::by_name(row.state.as_str());
        let state = state.ok_or_else(|| Error::Inconsistent("a state that governance does not know".to_owned()))?;
        return Err(refused(governance::Refusal::WrongState { state }));
    }
    let table = ids::of(&mut reader, id).await?;
    let lists = lists_of(&mut reader, id).await?;
    drop(reader);
    let left = row.state == DatasetState::Delivered && !still_here(instance, id).await?;
    if left && table.is_none() {
        return Err(Error::refused(Message::new("core-dataset-has-left").with("id", id).with("recipient", &row.recipient)));
    }
    let mut tx = instance.ledger.begin(&instance.actor, why).await?;
    for list in &lists {
        withdraw_in(&mut tx, list).await?;
    }
    if left {
        tx.doom_assets(&Vec::from_iter(table), WITHDRAWN).await?;
        destroy_epochs(&mut tx).await?;
    } else {
        withdraw_in(&mut tx, row).await?;
    }
    tx.commit().await?;
    // What cannot be removed now the next command removes.
    for gone in lists.iter().chain((!left).then_some(row)) {
        crate::moving::warn_of(clear_away(instance, gone).await?.as_ref());
    }
    destroy(instance).await?;
    let state = if left { row.state } else { DatasetState::Withdrawn };
    let lists = lists.iter().map(|l| l.id).collect();
    Ok(Ended { id, state: state.to_string(), ids_given_up: table.is_some(), lists })
}

async fn withdraw_in(tx: &mut ledger::Tx, row: &ledger::Dataset) -> Result<(), Error> {
    let made = matches!(row.state, DatasetState::TwoPersonCheck | DatasetState::Released | DatasetState::Delivered);
    if made {
        void_in(tx, row, WITHDRAWN).await?;
    }
    let from = if made { DatasetState::Building } else { row.state };
    tx.move_dataset(row.id, from, DatasetState::Withdrawn, Some(WITHDRAWN)).await?;
    Ok(())
}

/// The lists for linkage keys of a data set that have not left and that nobody ended.
async fn lists_of(reader: &mut Reader, id: DatasetId) -> Result<Vec<ledger::Dataset>, Error> {
    let ended = [DatasetState::Delivered, DatasetState::Rejected, DatasetState::Withdrawn];
    let mut lists = Vec::new();
    for row in reader.datasets().await?.into_iter().filter(|d| d.id != id && !ended.contains(&d.state)) {
        // The base of a query that is gone is nobody's.
        if Base::of(reader, &Order::parse(&row.profile)?).await.ok().flatten().is_some_and(|b| b.dataset.id == id) {
            lists.push(row);
        }
    }
    Ok(lists)
}
