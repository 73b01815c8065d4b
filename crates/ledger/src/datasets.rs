//! Data sets from application to delivery: what was asked, what the committee decided, what was built, who approved it.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use terms::{AssetId, DatasetId, ReleaseKind};
use uuid::Uuid;

use crate::error::Result;
use crate::event::{Counts, Event, now};
use crate::marks::mark;
use crate::packages::not_in_state;
use crate::row::{Columns, Hex32};
use crate::words::{DatasetState, ReviewDecision};
use crate::{LedgerError, Reader, Tx};

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDataset {
    /// Id of the data set to be.
    pub id: DatasetId,
    /// What it is in law.
    pub kind: ReleaseKind,
    /// The processing profile, TOML, as the committee reviews it.
    pub profile: String,
    /// What the recipient wants it for.
    pub purpose: String,
    /// Who gets it.
    pub recipient: String,
    /// The project; delivered ids are stable within it.
    pub project: String,
    /// Who makes it, and so cannot approve it.
    pub maker: String,
}

/// A data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its id.
    pub id: DatasetId,
    /// How far it is.
    pub state: DatasetState,
    /// What it is in law.
    pub kind: ReleaseKind,
    /// The processing profile, TOML.
    pub profile: String,
    /// SHA-256 of the profile.
    pub profile_sha256: [u8; 32],
    /// What the recipient wants it for.
    pub purpose: String,
    /// Who gets it.
    pub recipient: String,
    /// The project.
    pub project: String,
    /// Who makes it.
    pub maker: String,
    /// The built data.
    pub data_asset: Option<AssetId>,
    /// The report.
    pub report_asset: Option<AssetId>,
    /// SHA-256 of the built data, before sealing.
    pub data_sha256: Option<[u8; 32]>,
    /// SHA-256 of the report, before sealing.
    pub report_sha256: Option<[u8; 32]>,
    /// Name of the package it is delivered in.
    pub package_name: Option<String>,
    /// Counts of the build.
    pub counts: Option<Counts>,
    /// Code of the reason of its last step back or refusal.
    pub reason: Option<String>,
    /// When it was applied for.
    pub planned_at: Timestamp,
}

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The built data, an asset entered before.
    pub data_asset: AssetId,
    /// The report, an asset entered before.
    pub report_asset: AssetId,
    /// SHA-256 of the data, before sealing: what an officer signs.
    pub data_sha256: [u8; 32],
    /// SHA-256 of the report, before sealing: what an officer signs.
    pub report_sha256: [u8; 32],
    /// Counts for the report and the journal.
    pub counts: Counts,
}

/// A member's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub member: String,
    /// What.
    pub decision: ReviewDecision,
    /// The member's signature over what was decided.
    pub signature: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

/// An officer's approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Its id.
    pub id: String,
    /// Who.
    pub officer: String,
    /// The officer's signature over the digests of data, report and profile.
    pub signature: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

fn dataset(row: &SqliteRow) -> Result<Dataset> {
    let c = Columns::new("dataset", row);
    let counts = match c.get::<Option<&str>>("counts")? {
        None => None,
        Some(_) => Some(c.json("counts")?),
    };
    Ok(Dataset {
        id: c.parsed("id")?,
        state: c.parsed("state")?,
        kind: c.parsed("kind")?,
        profile: c.get("profile")?,
        profile_sha256: c.hash("profile_sha256")?,
        purpose: c.get("purpose")?,
        recipient: c.get("recipient")?,
        project: c.get("project")?,
        maker: c.get("maker")?,
        data_asset: c.parsed_if("data_asset")?,
        report_asset: c.parsed_if("report_asset")?,
        data_sha256: c.hash_if("data_sha256")?,
        report_sha256: c.hash_if("report_sha256")?,
        package_name: c.get("package_name")?,
        counts,
        reason: c.get("reason")?,
        planned_at: c.time("planned_at")?,
    })
}

fn missing(id: DatasetId) -> LedgerError {
    LedgerError::NotFound { what: "data set", id: id.to_string() }
}

impl Tx {
    /// Enters an application.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`].
    pub async fn add_dataset(&mut self, new: &NewDataset) -> Result<Dataset> {
        let profile_sha256 = openssl::sha::sha256(new.profile.as_bytes());
        let row = sqlx::query(
            "insert into dataset (id, state, kind, profile, profile_sha256, purpose, recipient, project, maker, planned_at)
             values ($1, 'application', $2, $3, $4, $5, $6, $7, $8, $9) returning *",
        )
        .bind(new.id.to_string())
        .bind(new.kind.as_str())
        .bind(&new.profile)
        .bind(profile_sha256.to_vec())
        .bind(&new.purpose)
        .bind(&new.recipient)
        .bind(&new.project)
        .bind(&new.maker)
        .bind(now())
        .fetch_one(self.sql())
        .await
        .map_err(|error| LedgerError::if_unique(error, "data set", new.id))?;
        let event = Event::DatasetPlanned {
            dataset: new.id,
            kind: new.kind,
            recipient: new.recipient.clone(),
            project: new.project.clone(),
            profile_sha256: Hex32(profile_sha256),
        };
        self.record(event, vec![mark("dataset", &row)?], None)?;
        dataset(&row)
    }

    /// Moves a data set on or back, with the code of a reason where there is one.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::OtherState`].
    pub async fn move_dataset(
        &mut self,
        id: DatasetId,
        from: DatasetState,
        to: DatasetState,
        reason: Option<&str>,
    ) -> Result<()> {
        let row =
            sqlx::query("update dataset set state = $3, reason = coalesce($4, reason) where id = $1 and state = $2 returning *")
                .bind(id.to_string())
                .bind(from.as_str())
                .bind(to.as_str())
                .bind(reason)
                .fetch_optional(self.sql())
                .await?;
        let Some(row) = row else {
            let found: Option<String> = sqlx::query_scalar("select state from dataset where id = $1")
                .bind(id.to_string())
                .fetch_optional(self.sql())
                .await?;
            return Err(not_in_state("data set", id, found, from.as_str()));
        };
        let event = Event::DatasetMoved { dataset: id, from, to, reason: reason.map(str::to_owned) };
        self.record(event, vec![mark("dataset", &row)?], None)?;
        Ok(())
    }

    /// Enters a member's decision; one a member.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`], [`LedgerError::Database`] when there is no such data set.
    pub async fn add_review(&mut self, id: DatasetId, member: &str, decision: ReviewDecision, signature: &[u8]) -> Result<()> {
        let row =
            sqlx::query("insert into review (dataset, member, decision, signature, at) values ($1, $2, $3, $4, $5) returning *")
                .bind(id.to_string())
                .bind(member)
                .bind(decision.as_str())
                .bind(signature)
                .bind(now())
                .fetch_one(self.sql())
                .await
                .map_err(|error| LedgerError::if_unique(error, "review", format!("{id}/{member}")))?;
        let event = Event::DatasetReviewed { dataset: id, member: member.to_owned(), decision };
        self.record(event, vec![mark("review", &row)?], None)?;
        Ok(())
    }

    /// Notes what a build made. Approvals of an earlier build are not touched: void them.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn dataset_built(&mut self, id: DatasetId, build: &Build) -> Result<()> {
        let counts =
            serde_json::to_string(&build.counts).map_err(|_| LedgerError::Invalid { what: "counts", form: "numbers by name" })?;
        let row = sqlx::query(
            "update dataset set data_asset = $2, report_asset = $3, data_sha256 = $4, report_sha256 = $5, counts = $6
             where id = $1 returning *",
        )
        .bind(id.to_string())
        .bind(build.data_asset.to_string())
        .bind(build.report_asset.to_string())
        .bind(build.data_sha256.to_vec())
        .bind(build.report_sha256.to_vec())
        .bind(counts)
        .fetch_optional(self.sql())
        .await?
        .ok_or_else(|| missing(id))?;
        let event = Event::DatasetBuilt {
            dataset: id,
            data_sha256: Hex32(build.data_sha256),
            report_sha256: Hex32(build.report_sha256),
            counts: build.counts.clone(),
        };
        self.record(event, vec![mark("dataset", &row)?], None)?;
        Ok(())
    }

    /// Enters an officer's approval; one that stands an officer.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`], [`LedgerError::Database`] when there is no such data set.
    pub async fn add_approval(&mut self, id: DatasetId, officer: &str, signature: &[u8]) -> Result<Approval> {
        let row =
            sqlx::query("insert into approval (id, dataset, officer, signature, at) values ($1, $2, $3, $4, $5) returning *")
                .bind(Uuid::now_v7().to_string())
                .bind(id.to_string())
                .bind(officer)
                .bind(signature)
                .bind(now())
                .fetch_one(self.sql())
                .await
                .map_err(|error| LedgerError::if_unique(error, "approval", format!("{id}/{officer}")))?;
        let event = Event::DatasetApproved { dataset: id, officer: officer.to_owned() };
        self.record(event, vec![mark("approval", &row)?], None)?;
        approval(&row)
    }

    /// Voids the approvals that stand, with the code of a reason, and gives how many there were.
    ///
    /// # Errors
    /// The database's refusals.
    pub async fn void_approvals(&mut self, id: DatasetId, reason: &str) -> Result<u64> {
        let rows = sqlx::query("update approval set voided_at = $2 where dataset = $1 and voided_at is null returning *")
            .bind(id.to_string())
            .bind(now())
            .fetch_all(self.sql())
            .await?;
        let marks = rows.iter().map(|row| mark("approval", row)).collect::<Result<Vec<_>>>()?;
        let count = marks.len() as u64;
        if count > 0 {
            self.record(Event::ApprovalsVoided { dataset: id, count, reason: reason.to_owned() }, marks, None)?;
        }
        Ok(count)
    }

    /// Notes the name of the package that a data set is delivered in.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn name_package(&mut self, id: DatasetId, package: &str) -> Result<()> {
        let row = sqlx::query("update dataset set package_name = $2 where id = $1 returning *")
            .bind(id.to_string())
            .bind(package)
            .fetch_optional(self.sql())
            .await?
            .ok_or_else(|| missing(id))?;
        self.record(Event::DatasetPackaged { dataset: id, package: package.to_owned() }, vec![mark("dataset", &row)?], None)?;
        Ok(())
    }
}

fn approval(row: &SqliteRow) -> Result<Approval> {
    let c = Columns::new("approval", row);
    Ok(Approval { id: c.get("id")?, officer: c.get("officer")?, signature: c.get("signature")?, at: c.time("at")? })
}

impl Reader {
    /// One data set.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn dataset(&mut self, id: DatasetId) -> Result<Option<Dataset>> {
        let row = sqlx::query("select * from dataset where id = $1").bind(id.to_string()).fetch_optional(self.sql()).await?;
        row.as_ref().map(dataset).transpose()
    }

    /// All data sets, the earliest first.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn datasets(&mut self) -> Result<Vec<Dataset>> {
        let rows = sqlx::query("select * from dataset order by planned_at, id").fetch_all(self.sql()).await?;
        rows.iter().map(dataset).collect()
    }

    /// The members' decisions about a data set.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn reviews(&mut self, id: DatasetId) -> Result<Vec<Review>> {
        let rows = sqlx::query("select * from review where dataset = $1 order by at, member")
            .bind(id.to_string())
            .fetch_all(self.sql())
            .await?;
        let one = |row: &SqliteRow| {
            let c = Columns::new("review", row);
            Ok(Review {
                member: c.get("member")?,
                decision: c.parsed("decision")?,
                signature: c.get("signature")?,
                at: c.time("at")?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// The approvals of a data set that stand.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn approvals(&mut self, id: DatasetId) -> Result<Vec<Approval>> {
        let rows = sqlx::query("select * from approval where dataset = $1 and voided_at is null order by at, id")
            .bind(id.to_string())
            .fetch_all(self.sql())
            .await?;
        rows.iter().map(approval).collect()
    }
}
