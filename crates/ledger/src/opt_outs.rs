//! Who stopped provision. A statement is kept by keyed hash, so it also stops people who were never seen: when their record is
//! made later, it is blocked from the start.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::sqlite::SqliteRow;
use terms::{NoticeScope, PackageId, ProviderId, RecordId, Requester};
use uuid::Uuid;

use crate::error::Result;
use crate::event::{Event, now};
use crate::marks::mark;
use crate::notices::{scopes, scopes_text};
use crate::row::{Columns, PatientHmac};
use crate::words::OptOutState;
use crate::{LedgerError, Reader, Tx};

/// A statement to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOptOut {
    /// Provider whose patient it is about.
    pub provider: ProviderId,
    /// The patient, by the keyed hash of the id or alias that the statement names.
    pub patient: PatientHmac,
    /// What is stopped.
    pub scopes: Vec<NoticeScope>,
    /// Who asks.
    pub requester: Requester,
    /// Relation of a bereaved or a proxy; a word, not a name.
    pub relation: Option<String>,
    /// Date of the statement.
    pub stated_on: Date,
    /// Whether what is held is to be erased.
    pub erase: bool,
    /// Whether in the records of other providers that are linked, too.
    pub everywhere: bool,
    /// [`OptOutState::Received`] (held back until the identity was checked) or [`OptOutState::Effective`].
    pub state: OptOutState,
}

/// A registered statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// Its id.
    pub id: String,
    /// Provider.
    pub provider: ProviderId,
    /// Patient.
    pub patient: PatientHmac,
    /// What is stopped.
    pub scopes: Vec<NoticeScope>,
    /// Who asked.
    pub requester: Requester,
    /// Relation.
    pub relation: Option<String>,
    /// Date of the statement.
    pub stated_on: Date,
    /// Whether what is held is to be erased.
    pub erase: bool,
    /// Whether everywhere.
    pub everywhere: bool,
    /// How far it is.
    pub state: OptOutState,
    /// When it came.
    pub at: Timestamp,
}

/// Why rows of a record are not to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// A statement that stops provision.
    OptOut {
        /// The record.
        record: RecordId,
        /// The statement.
        opt_out: String,
        /// What it stops.
        scopes: Vec<NoticeScope>,
        /// Whether what is held is to be erased.
        erase: bool,
        /// Whether in the records of other providers that are linked, too.
        everywhere: bool,
    },
    /// A hold.
    Hold {
        /// The record.
        record: RecordId,
        /// Code of the reason.
        reason: String,
        /// Package that brought it about.
        package: Option<PackageId>,
    },
}

impl Blocked {
    /// The record.
    pub fn record(&self) -> RecordId {
        match self {
            Blocked::OptOut { record, .. } | Blocked::Hold { record, .. } => *record,
        }
    }

    /// Whether it stops reading for data sets of this scope; `None` asks for any.
    pub fn stops(&self, scope: Option<NoticeScope>) -> bool {
        match self {
            Blocked::OptOut { scopes, .. } => scope.is_none_or(|scope| scopes.contains(&scope)),
            Blocked::Hold { .. } => true,
        }
    }
}

fn opt_out(row: &SqliteRow) -> Result<OptOut> {
    let c = Columns::new("opt_out", row);
    Ok(OptOut {
        id: c.get("id")?,
        provider: c.parsed("provider")?,
        patient: PatientHmac(c.hash("patient_hmac")?),
        scopes: scopes(&c)?,
        requester: c.parsed("requester")?,
        relation: c.get("relation")?,
        stated_on: c.parsed("stated_on")?,
        erase: c.flag("erase")?,
        everywhere: c.flag("everywhere")?,
        state: c.parsed("state")?,
        at: c.time("at")?,
    })
}

impl Tx {
    /// Registers a statement. It blocks from the commit of this transaction on, whatever its state, until it is rejected or withdrawn.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`] without a scope, or for a state that none begins in.
    pub async fn add_opt_out(&mut self, new: &NewOptOut) -> Result<OptOut> {
        if new.scopes.is_empty() {
            return Err(LedgerError::Invalid { what: "the scope of an opt-out", form: "anonymized, pseudonymized or both" });
        }
        if matches!(new.state, OptOutState::Rejected | OptOutState::Withdrawn) {
            return Err(LedgerError::Invalid {
                what: "the state of a new opt-out",
                form: "received, identity_checked or effective",
            });
        }
        let row = sqlx::query(
            "insert into opt_out (id, provider, patient_hmac, scopes, requester, relation, stated_on, erase, everywhere, state, at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning *",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(new.provider.as_str())
        .bind(new.patient.0.to_vec())
        .bind(scopes_text(&new.scopes))
        .bind(new.requester.as_str())
        .bind(new.relation.as_deref())
        .bind(new.stated_on.to_string())
        .bind(i64::from(new.erase))
        .bind(i64::from(new.everywhere))
        .bind(new.state.as_str())
        .bind(now())
        .fetch_one(self.sql())
        .await?;
        let added = opt_out(&row)?;
        let event = Event::OptOutReceived {
            opt_out: added.id.clone(),
            provider: added.provider.clone(),
            scopes: added.scopes.clone(),
            requester: added.requester,
            erase: added.erase,
            everywhere: added.everywhere,
            state: added.state,
        };
        self.record(event, vec![mark("opt_out", &row)?], None)?;
        Ok(added)
    }

    /// Moves a statement on: identity checked, effective, confirmed, rejected, or withdrawn by a new statement.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::OtherState`].
    pub async fn move_opt_out(&mut self, id: &str, from: OptOutState, to: OptOutState) -> Result<()> {
        let row = sqlx::query("update opt_out set state = $3 where id = $1 and state = $2 returning *")
            .bind(id)
            .bind(from.as_str())
            .bind(to.as_str())
            .fetch_optional(self.sql())
            .await?;
        let Some(row) = row else {
            let found: Option<String> =
                sqlx::query_scalar("select state from opt_out where id = $1").bind(id).fetch_optional(self.sql()).await?;
            return Err(crate::packages::not_in_state("opt-out", id, found, from.as_str()));
        };
        self.record(Event::OptOutMoved { opt_out: id.to_owned(), from, to }, vec![mark("opt_out", &row)?], None)?;
        Ok(())
    }
}

impl Reader {
    /// The statements about one patient, the earliest first.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn opt_outs_of(&mut self, provider: &ProviderId, patient: PatientHmac) -> Result<Vec<OptOut>> {
        let rows = sqlx::query("select * from opt_out where provider = $1 and patient_hmac = $2 order by id")
            .bind(provider.as_str())
            .bind(patient.0.to_vec())
            .fetch_all(self.sql())
            .await?;
        rows.iter().map(opt_out).collect()
    }

    /// Every statement, the earliest first.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn opt_outs(&mut self) -> Result<Vec<OptOut>> {
        let rows = sqlx::query("select * from opt_out order by id").fetch_all(self.sql()).await?;
        rows.iter().map(opt_out).collect()
    }

    /// The patients of a provider who may not come in at all because a statement covers every scope there is, or with `scope` those
    /// whom one stops for that scope: the suppression list at intake, whether or not they have a record.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn stopped_patients(&mut self, provider: &ProviderId, scope: Option<NoticeScope>) -> Result<HashSet<PatientHmac>> {
        let rows = sqlx::query("select * from opt_out where provider = $1 and state not in ('rejected', 'withdrawn')")
            .bind(provider.as_str())
            .fetch_all(self.sql())
            .await?;
        let mut covered: std::collections::HashMap<PatientHmac, BTreeSet<NoticeScope>> = std::collections::HashMap::new();
        for row in &rows {
            let one = opt_out(row)?;
            covered.entry(one.patient).or_default().extend(one.scopes);
        }
        let stops = |scopes: &BTreeSet<NoticeScope>| match scope {
            Some(scope) => scopes.contains(&scope),
            None => NoticeScope::ALL.iter().all(|s| scopes.contains(s)),
        };
        Ok(covered.into_iter().filter(|(_, scopes)| stops(scopes)).map(|(patient, _)| patient).collect())
    }

    /// Everything that blocks a record now: statements resolved to records, and holds.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn blocked(&mut self) -> Result<Vec<Blocked>> {
        let rows = sqlx::query(
            "select o.*, r.record_id from opt_out o join record r on r.provider = o.provider and r.patient_hmac = o.patient_hmac
             where o.state not in ('rejected', 'withdrawn') order by r.record_id, o.id",
        )
        .fetch_all(self.sql())
        .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let c = Columns::new("opt_out", row);
            all.push(Blocked::OptOut {
                record: RecordId(c.get("record_id")?),
                opt_out: c.get("id")?,
                scopes: scopes(&c)?,
                erase: c.flag("erase")?,
                everywhere: c.flag("everywhere")?,
            });
        }
        for hold in self.record_holds().await? {
            all.push(Blocked::Hold { record: hold.record, reason: hold.reason, package: hold.package });
        }
        Ok(all)
    }

    /// The records that must not be read for data sets of a scope; with `None`, those that anything blocks.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn blocked_records(&mut self, scope: Option<NoticeScope>) -> Result<BTreeSet<RecordId>> {
        Ok(self.blocked().await?.iter().filter(|b| b.stops(scope)).map(Blocked::record).collect())
    }
}
