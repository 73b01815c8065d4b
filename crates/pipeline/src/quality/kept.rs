//! What each look at a provider's rows found, sealed: numbers alone, so that the next look can say what is new and what was mended.

use ledger::{AssetFilter, AssetState};
use quality::Kept;
use seal::KeyScope;
use terms::{AssetClass, ProviderId};

use crate::Instance;
use crate::error::Error;
use crate::sealed::{self, Written};

/// Kind of the assets.
const KIND: &str = "quality results";

/// Seals what was found. The caller's transaction makes it an asset.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(instance: &Instance, provider: &ProviderId, kept: &Kept) -> Result<Written, Error> {
    // Under the provider's own key: what ends with the provider ends whole.
    let scope = KeyScope { class: AssetClass::Source, provider: Some(provider.clone()) };
    sealed::write_in(instance, scope, KIND, kept.day.clone(), |to| {
        serde_json::to_writer(to, kept).map_err(|e| Error::io("writing results")(e.into()))
    })
}

/// What was found of a provider's rows, the earliest first.
///
/// # Errors
/// Of the ledger; when a sealed file does not open.
pub async fn looks(instance: &Instance, provider: &ProviderId) -> Result<Vec<Kept>, Error> {
    let filter = AssetFilter {
        class: Some(AssetClass::Source),
        provider: Some(provider.clone()),
        state: Some(AssetState::Live),
        ..Default::default()
    };
    let mut assets = instance.ledger.read().await?.assets(&filter).await?;
    assets.retain(|a| a.kind == KIND);
    // Ids of assets are in the order of time.
    assets.sort_by_key(|a| a.id);
    let mut all = Vec::with_capacity(assets.len());
    for asset in assets {
        let bytes = sealed::read(instance, asset.id).await?;
        all.push(serde_json::from_slice(&bytes).map_err(|_| Error::Inconsistent("kept results are malformed".to_owned()))?);
    }
    Ok(all)
}
