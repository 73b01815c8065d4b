//! What the lake asks of the ledger beside the areas' own functions.

use sqlx::{QueryBuilder, Row, Sqlite};
use terms::{ProviderId, RecordId};

use crate::error::Result;
use crate::{LedgerError, Reader};

impl Reader {
    /// The providers that records belong to, each once.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn providers_of(&mut self, records: &[RecordId]) -> Result<Vec<ProviderId>> {
        let mut providers = Vec::new();
        for chunk in records.chunks(2_000) {
            let mut query = QueryBuilder::<Sqlite>::new("select distinct provider from record where record_id in (");
            let mut list = query.separated(", ");
            for record in chunk {
                list.push_bind(record.0);
            }
            query.push(")");
            for row in query.build().fetch_all(self.sql()).await? {
                let malformed = || LedgerError::Malformed { table: "record".into(), column: "provider".into() };
                let provider = row.try_get::<&str, _>(0)?.parse().map_err(|_| malformed())?;
                if !providers.contains(&provider) {
                    providers.push(provider);
                }
            }
        }
        Ok(providers)
    }
}
