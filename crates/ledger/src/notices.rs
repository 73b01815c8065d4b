//! What providers told their patients, and each patient's first contact or letter since. Whether that suffices is governance's
//! to say.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};
use terms::{NoticeScope, ProviderId};
use uuid::Uuid;

use crate::error::Result;
use crate::event::{Event, now};
use crate::marks::mark;
use crate::records::batch_mark;
use crate::row::{Columns, PatientHmac, digest};
use crate::{LedgerError, Reader, Tx};

/// A notice that a provider began to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// Who gives it.
    pub provider: ProviderId,
    /// What it covers.
    pub scopes: Vec<NoticeScope>,
    /// Since when it is given.
    pub from: Date,
    /// When it was registered.
    pub added_at: Timestamp,
}

/// A patient's contact with the provider, or a letter to the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub patient: PatientHmac,
    /// When.
    pub date: Date,
    /// How (`visit`, `letter` …).
    pub method: String,
    /// To whom (`person`, `guardian` …).
    pub addressee: String,
}

pub(crate) fn scopes_text(scopes: &[NoticeScope]) -> String {
    let all: Vec<_> = NoticeScope::ALL.iter().filter(|s| scopes.contains(s)).map(|s| s.as_str()).collect();
    all.join(",")
}

pub(crate) fn scopes(columns: &Columns<'_>) -> Result<Vec<NoticeScope>> {
    let malformed = || LedgerError::Malformed { table: columns.table.to_owned(), column: "scopes".into() };
    columns.get::<&str>("scopes")?.split(',').map(|word| word.parse().map_err(|_| malformed())).collect()
}

fn notice(row: &SqliteRow) -> Result<Notice> {
    let c = Columns::new("notice", row);
    Ok(Notice {
        id: c.get("id")?,
        provider: c.parsed("provider")?,
        scopes: scopes(&c)?,
        from: c.parsed("from_date")?,
        added_at: c.time("added_at")?,
    })
}

fn contact(row: &SqliteRow) -> Result<Contact> {
    let c = Columns::new("contact", row);
    Ok(Contact {
        patient: PatientHmac(c.hash("patient_hmac")?),
        date: c.parsed("date")?,
        method: c.get("method")?,
        addressee: c.get("addressee")?,
    })
}

impl Tx {
    /// Registers a notice.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`] without a scope.
    pub async fn add_notice(&mut self, provider: &ProviderId, scopes: &[NoticeScope], from: Date) -> Result<Notice> {
        if scopes.is_empty() {
            return Err(LedgerError::Invalid { what: "the scope of a notice", form: "anonymized, pseudonymized or both" });
        }
        let id = Uuid::now_v7().to_string();
        let row =
            sqlx::query("insert into notice (id, provider, scopes, from_date, added_at) values ($1, $2, $3, $4, $5) returning *")
                .bind(&id)
                .bind(provider.as_str())
                .bind(scopes_text(scopes))
                .bind(from.to_string())
                .bind(now())
                .fetch_one(self.sql())
                .await?;
        let notice = notice(&row)?;
        let event =
            Event::NoticeAdded { notice: id, provider: provider.clone(), scopes: notice.scopes.clone(), from: from.to_string() };
        self.record(event, vec![mark("notice", &row)?], None)?;
        Ok(notice)
    }

    /// Adds contacts of a provider's patients; those of a day that is known already change nothing. Gives how many are new; when none
    /// is, no event is emitted.
    ///
    /// # Errors
    /// The database's refusals.
    pub async fn add_contacts(&mut self, provider: &ProviderId, contacts: &[Contact]) -> Result<u64> {
        let batch = self.next_seq() as i64;
        let mut added = Vec::new();
        for chunk in contacts.chunks(1_000) {
            let mut insert =
                QueryBuilder::<Sqlite>::new("insert into contact (provider, patient_hmac, date, method, addressee, batch) ");
            insert.push_values(chunk, |mut row, contact| {
                row.push_bind(provider.as_str())
                    .push_bind(contact.patient.0.to_vec())
                    .push_bind(contact.date.to_string())
                    .push_bind(contact.method.as_str())
                    .push_bind(contact.addressee.as_str())
                    .push_bind(batch);
            });
            insert.push(" on conflict do nothing returning *");
            for row in insert.build().fetch_all(self.sql()).await? {
                let c = Columns::new("contact", &row);
                added.push(((c.hash("patient_hmac")?, c.get::<String>("date")?), digest("contact", &row)?));
            }
        }
        let count = added.len() as u64;
        if count > 0 {
            let mark = batch_mark("contact", added);
            self.record(Event::ContactsAdded { provider: provider.clone(), count }, Vec::new(), Some(mark))?;
        }
        Ok(count)
    }
}

impl Reader {
    /// The notices of a provider, the earliest first.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn notices(&mut self, provider: &ProviderId) -> Result<Vec<Notice>> {
        let rows = sqlx::query("select * from notice where provider = $1 order by from_date, id")
            .bind(provider.as_str())
            .fetch_all(self.sql())
            .await?;
        rows.iter().map(notice).collect()
    }

    /// All contacts of a provider's patients, each patient's by date.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn contacts(&mut self, provider: &ProviderId) -> Result<HashMap<PatientHmac, Vec<Contact>>> {
        let rows = sqlx::query("select * from contact where provider = $1 order by patient_hmac, date")
            .bind(provider.as_str())
            .fetch_all(self.sql())
            .await?;
        let mut all: HashMap<PatientHmac, Vec<Contact>> = HashMap::new();
        for row in &rows {
            let contact = contact(row)?;
            all.entry(contact.patient).or_default().push(contact);
        }
        Ok(all)
    }
}
