//! Who there is, each with a pinned certificate.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use terms::PatientIdRule;

use crate::error::Result;
use crate::event::{Event, now};
use crate::marks::mark;
use crate::row::{Columns, Hex32};
use crate::words::{PartyKind, PartyStatus};
use crate::{LedgerError, Reader, Tx};

/// A party to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewParty {
    /// What it is.
    pub kind: PartyKind,
    /// Its id, unique within the kind.
    pub id: String,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// How a provider's patient ids are written the same way; `None` for others.
    pub patient_id_rule: Option<PatientIdRule>,
    /// Name of the institution or the officer's post.
    pub name: String,
}

/// A registered party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// What it is.
    pub kind: PartyKind,
    /// Its id.
    pub id: String,
    /// Its certificate, DER. Only this one counts, whoever issued it.
    pub certificate: Vec<u8>,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// How a provider's patient ids are written the same way.
    pub patient_id_rule: Option<PatientIdRule>,
    /// Name.
    pub name: String,
    /// Whether it takes part.
    pub status: PartyStatus,
    /// Since when.
    pub added_at: Timestamp,
}

fn rule_word(rule: PatientIdRule) -> &'static str {
    match rule {
        PatientIdRule::Digits => "digits",
        PatientIdRule::Text => "text",
        PatientIdRule::Insured => "insured",
    }
}

fn party(row: &SqliteRow) -> Result<Party> {
    let c = Columns::new("party", row);
    let patient_id_rule = match c.get::<Option<&str>>("patient_id_rule")? {
        None => None,
        Some("digits") => Some(PatientIdRule::Digits),
        Some("text") => Some(PatientIdRule::Text),
        Some("insured") => Some(PatientIdRule::Insured),
        Some(_) => return Err(LedgerError::Malformed { table: "party".into(), column: "patient_id_rule".into() }),
    };
    Ok(Party {
        kind: c.parsed("kind")?,
        id: c.get("id")?,
        certificate: c.get("certificate")?,
        fingerprint: c.hash("fingerprint")?,
        patient_id_rule,
        name: c.get("name")?,
        status: c.parsed("status")?,
        added_at: c.time("added_at")?,
    })
}

/// A certificate that was pinned for a party before the one in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerCertificate {
    /// Whose.
    pub id: String,
    /// DER.
    pub certificate: Vec<u8>,
    /// SHA-256 of it.
    pub fingerprint: [u8; 32],
    /// Until when it was pinned.
    pub replaced_at: Timestamp,
}

fn missing(kind: PartyKind, id: &str) -> LedgerError {
    LedgerError::NotFound { what: kind.as_str(), id: id.to_owned() }
}

impl Tx {
    /// Registers a party, active from now on.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`].
    pub async fn add_party(&mut self, new: &NewParty) -> Result<Party> {
        let fingerprint = openssl::sha::sha256(&new.certificate);
        let row = sqlx::query(
            "insert into party (kind, id, certificate, fingerprint, patient_id_rule, name, status, added_at)
             values ($1, $2, $3, $4, $5, $6, 'active', $7) returning *",
        )
        .bind(new.kind.as_str())
        .bind(&new.id)
        .bind(&new.certificate)
        .bind(fingerprint.to_vec())
        .bind(new.patient_id_rule.map(rule_word))
        .bind(&new.name)
        .bind(now())
        .fetch_one(self.sql())
        .await
        .map_err(|error| LedgerError::if_unique(error, new.kind.as_str(), &new.id))?;
        let event = Event::PartyAdded { kind: new.kind, id: new.id.clone(), fingerprint: Hex32(fingerprint) };
        self.record(event, vec![mark("party", &row)?], None)?;
        party(&row)
    }

    /// Pins another certificate for a party. The one before stays, for what was signed while it was pinned.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn replace_certificate(&mut self, kind: PartyKind, id: &str, certificate: &[u8]) -> Result<()> {
        let fingerprint = openssl::sha::sha256(certificate);
        let before = sqlx::query(
            "insert into party_certificate (kind, id, fingerprint, certificate, replaced_at)
             select kind, id, fingerprint, certificate, $3 from party where kind = $1 and id = $2 returning *",
        )
        .bind(kind.as_str())
        .bind(id)
        .bind(now())
        .fetch_optional(self.sql())
        .await?
        .ok_or_else(|| missing(kind, id))?;
        let row = sqlx::query("update party set certificate = $3, fingerprint = $4 where kind = $1 and id = $2 returning *")
            .bind(kind.as_str())
            .bind(id)
            .bind(certificate)
            .bind(fingerprint.to_vec())
            .fetch_optional(self.sql())
            .await?
            .ok_or_else(|| missing(kind, id))?;
        let event = Event::PartyCertificateReplaced { kind, id: id.to_owned(), fingerprint: Hex32(fingerprint) };
        self.record(event, vec![mark("party_certificate", &before)?, mark("party", &row)?], None)?;
        Ok(())
    }

    /// Pauses a party, ends it, or lets it take part again.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn set_party_status(&mut self, kind: PartyKind, id: &str, status: PartyStatus) -> Result<()> {
        let row = sqlx::query("update party set status = $3 where kind = $1 and id = $2 returning *")
            .bind(kind.as_str())
            .bind(id)
            .bind(status.as_str())
            .fetch_optional(self.sql())
            .await?
            .ok_or_else(|| missing(kind, id))?;
        let event = Event::PartyStatusChanged { kind, id: id.to_owned(), status };
        self.record(event, vec![mark("party", &row)?], None)?;
        Ok(())
    }
}

impl Reader {
    /// One party.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn party(&mut self, kind: PartyKind, id: &str) -> Result<Option<Party>> {
        let row = sqlx::query("select * from party where kind = $1 and id = $2")
            .bind(kind.as_str())
            .bind(id)
            .fetch_optional(self.sql())
            .await?;
        row.as_ref().map(party).transpose()
    }

    /// Certificates of a kind's parties that others took the place of, by id and then by when.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn former_certificates(&mut self, kind: PartyKind) -> Result<Vec<FormerCertificate>> {
        let rows = sqlx::query("select * from party_certificate where kind = $1 order by id, replaced_at")
            .bind(kind.as_str())
            .fetch_all(self.sql())
            .await?;
        let former = |row: &SqliteRow| {
            let c = Columns::new("party_certificate", row);
            Ok(FormerCertificate {
                id: c.get("id")?,
                certificate: c.get("certificate")?,
                fingerprint: c.hash("fingerprint")?,
                replaced_at: c.time("replaced_at")?,
            })
        };
        rows.iter().map(former).collect()
    }

    /// The certificate that was pinned for a party at a moment.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn certificate_at(&mut self, kind: PartyKind, id: &str, at: Timestamp) -> Result<Option<Vec<u8>>> {
        let former = self.former_certificates(kind).await?.into_iter().find(|f| f.id == id && f.replaced_at > at);
        match former {
            Some(former) => Ok(Some(former.certificate)),
            None => Ok(self.party(kind, id).await?.map(|p| p.certificate)),
        }
    }

    /// The parties of a kind, by id.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn parties(&mut self, kind: PartyKind) -> Result<Vec<Party>> {
        let rows =
            sqlx::query("select * from party where kind = $1 order by id").bind(kind.as_str()).fetch_all(self.sql()).await?;
        rows.iter().map(party).collect()
    }
}
