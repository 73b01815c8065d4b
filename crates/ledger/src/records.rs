//! One record a (provider, local patient): a random number that stands in every clinical row, found by the keyed hash of the
//! patient's id only.

use std::collections::{BTreeSet, HashMap};

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use terms::{PackageId, ProviderId, RecordId};

use crate::error::Result;
use crate::event::{Event, now};
use crate::marks::mark;
use crate::row::{BatchMark, Columns, Hex32, PatientHmac, digest};
use crate::{LedgerError, Reader, Tx};

/// A record that is not to be read for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHold {
    /// The record.
    pub record: RecordId,
    /// Code of the reason.
    pub reason: String,
    /// Package that brought it about.
    pub package: Option<PackageId>,
}

/// The mark of rows that one event added, from their keys and digests in any order.
pub(crate) fn batch_mark<K: Ord>(table: &str, mut rows: Vec<(K, [u8; 32])>) -> BatchMark {
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut sha = openssl::sha::Sha256::new();
    rows.iter().for_each(|(_, digest)| sha.update(digest));
    BatchMark { table: table.to_owned(), count: rows.len() as u64, sha256: Hex32(sha.finish()) }
}

fn random_id() -> Result<i64> {
    loop {
        let mut bytes = [0u8; 8];
        openssl::rand::rand_bytes(&mut bytes).map_err(|_| LedgerError::Io(std::io::Error::other("no random numbers")))?;
        let id = (u64::from_le_bytes(bytes) >> 1) as i64;
        if id > 0 {
            return Ok(id);
        }
    }
}

/// Patients looked up by one statement.
const CHUNK: usize = 1_000;

async fn known(
    sql: &mut SqliteConnection,
    provider: &ProviderId,
    patients: &[PatientHmac],
) -> Result<HashMap<PatientHmac, RecordId>> {
    let mut found = HashMap::with_capacity(patients.len());
    for chunk in patients.chunks(CHUNK) {
        let mut select = QueryBuilder::<Sqlite>::new("select patient_hmac, record_id from record where provider = ");
        select.push_bind(provider.as_str()).push(" and patient_hmac in (");
        let mut list = select.separated(", ");
        for patient in chunk {
            list.push_bind(patient.0.to_vec());
        }
        select.push(")");
        for row in select.build().fetch_all(&mut *sql).await? {
            let c = Columns::new("record", &row);
            found.insert(PatientHmac(c.hash("patient_hmac")?), RecordId(c.get("record_id")?));
        }
    }
    Ok(found)
}

impl Tx {
    /// The records of a provider's patients, in the order asked; those that have none yet get one. Tens of thousands at once are meant.
    /// New records make one event; when there is none, no event is emitted.
    ///
    /// # Errors
    /// The database's refusals.
    pub async fn resolve_records(&mut self, provider: &ProviderId, patients: &[PatientHmac]) -> Result<Vec<RecordId>> {
        let mut found = known(self.sql(), provider, patients).await?;
        let mut missing: Vec<PatientHmac> = patients.iter().filter(|p| !found.contains_key(p)).copied().collect();
        missing.sort_unstable();
        missing.dedup();
        let batch = self.next_seq() as i64;
        let mut added = Vec::with_capacity(missing.len());
        for chunk in missing.chunks(CHUNK) {
            let ids = chunk.iter().map(|_| random_id()).collect::<Result<Vec<i64>>>()?;
            let mut insert = QueryBuilder::<Sqlite>::new("insert into record (record_id, provider, patient_hmac, batch) ");
            insert.push_values(ids.iter().zip(chunk), |mut row, (id, patient)| {
                row.push_bind(*id).push_bind(provider.as_str()).push_bind(patient.0.to_vec()).push_bind(batch);
            });
            insert.push(" returning *");
            for row in insert.build().fetch_all(self.sql()).await? {
                let c = Columns::new("record", &row);
                let id: i64 = c.get("record_id")?;
                found.insert(PatientHmac(c.hash("patient_hmac")?), RecordId(id));
                added.push((id, digest("record", &row)?));
            }
        }
        if !added.is_empty() {
            let event = Event::RecordsAdded { provider: provider.clone(), count: added.len() as u64 };
            self.record(event, Vec::new(), Some(batch_mark("record", added)))?;
        }
        let malformed = || LedgerError::Malformed { table: "record".into(), column: "patient_hmac".into() };
        patients.iter().map(|p| found.get(p).copied().ok_or_else(malformed)).collect()
    }

    /// Holds a record back from every read, with the code of a reason. Holding it twice for one reason is one hold.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn hold_record(&mut self, record: RecordId, reason: &str, package: Option<PackageId>) -> Result<()> {
        let there: Option<i64> =
            sqlx::query_scalar("select 1 from record where record_id = $1").bind(record.0).fetch_optional(self.sql()).await?;
        if there.is_none() {
            return Err(LedgerError::NotFound { what: "record", id: record.to_string() });
        }
        let row = sqlx::query(
            "insert into record_hold (record_id, reason, package_id, at) values ($1, $2, $3, $4)
             on conflict (record_id, reason) do update set package_id = excluded.package_id, at = excluded.at, released_at = null
             returning *",
        )
        .bind(record.0)
        .bind(reason)
        .bind(package.map(|p| p.to_string()))
        .bind(now())
        .fetch_one(self.sql())
        .await?;
        let event = Event::RecordHeld { record, reason: reason.to_owned(), package };
        self.record(event, vec![mark("record_hold", &row)?], None)?;
        Ok(())
    }

    /// Ends a hold.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn release_record(&mut self, record: RecordId, reason: &str) -> Result<()> {
        let row = sqlx::query(
            "update record_hold set released_at = $3 where record_id = $1 and reason = $2 and released_at is null returning *",
        )
        .bind(record.0)
        .bind(reason)
        .bind(now())
        .fetch_optional(self.sql())
        .await?
        .ok_or_else(|| LedgerError::NotFound { what: "hold of record", id: record.to_string() })?;
        let event = Event::RecordReleased { record, reason: reason.to_owned() };
        self.record(event, vec![mark("record_hold", &row)?], None)?;
        Ok(())
    }
}

fn hold(row: &SqliteRow) -> Result<RecordHold> {
    let c = Columns::new("record_hold", row);
    Ok(RecordHold { record: RecordId(c.get("record_id")?), reason: c.get("reason")?, package: c.parsed_if("package_id")? })
}

impl Reader {
    /// The records of a provider's patients, in the order asked; `None` for those who have none.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn find_records(&mut self, provider: &ProviderId, patients: &[PatientHmac]) -> Result<Vec<Option<RecordId>>> {
        let found = known(self.sql(), provider, patients).await?;
        Ok(patients.iter().map(|p| found.get(p).copied()).collect())
    }

    /// Every record with its provider.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn records(&mut self) -> Result<Vec<(RecordId, ProviderId, PatientHmac)>> {
        let rows = sqlx::query("select * from record order by record_id").fetch_all(self.sql()).await?;
        let one = |row: &SqliteRow| {
            let c = Columns::new("record", row);
            Ok((RecordId(c.get("record_id")?), c.parsed("provider")?, PatientHmac(c.hash("patient_hmac")?)))
        };
        rows.iter().map(one).collect()
    }

    /// The providers that records belong to, each once, by id.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn providers_of(&mut self, records: &[RecordId]) -> Result<Vec<ProviderId>> {
        let mut providers = BTreeSet::new();
        for chunk in records.chunks(2_000) {
            let mut query = QueryBuilder::<Sqlite>::new("select distinct provider from record where record_id in (");
            let mut list = query.separated(", ");
            for record in chunk {
                list.push_bind(record.0);
            }
            query.push(")");
            for row in query.build().fetch_all(self.sql()).await? {
                providers.insert(Columns::new("record", &row).parsed("provider")?);
            }
        }
        Ok(providers.into_iter().collect())
    }

    /// How many records each provider has.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn record_counts(&mut self) -> Result<Vec<(ProviderId, i64)>> {
        let rows = sqlx::query("select provider, count(*) as n from record group by provider order by provider")
            .fetch_all(self.sql())
            .await?;
        let one = |row: &SqliteRow| {
            let c = Columns::new("record", row);
            Ok((c.parsed("provider")?, c.get("n")?))
        };
        rows.iter().map(one).collect()
    }

    /// The holds that stand.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn record_holds(&mut self) -> Result<Vec<RecordHold>> {
        let rows = sqlx::query("select * from record_hold where released_at is null order by record_id, reason")
            .fetch_all(self.sql())
            .await?;
        rows.iter().map(hold).collect()
    }
}
