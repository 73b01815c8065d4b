//! The packages that providers sent, each on its way through machine 5 of the workflows.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::sqlite::SqliteRow;
use terms::{PackageId, ProviderId};

use crate::error::Result;
use crate::event::{Event, now};
use crate::marks::mark;
use crate::row::{Columns, Hex32};
use crate::words::PackageState;
use crate::{LedgerError, Reader, Tx};

/// A package as it arrived. What its manifest would say is `None` where the manifest could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPackage {
    /// Its id.
    pub id: PackageId,
    /// Who sent it.
    pub provider: Option<ProviderId>,
    /// The sender's number.
    pub sequence: Option<i64>,
    /// Kind of payload.
    pub kind: Option<String>,
    /// First day that it is about.
    pub period_from: Option<Date>,
    /// Last day that it is about.
    pub period_to: Option<Date>,
    /// State that it begins in: `spooled`, `checking`, `quarantined`, `rejected` or `accepted`.
    pub state: PackageState,
    /// SHA-256 of the manifest file as received. The same manifest twice is the same package.
    pub manifest_sha256: [u8; 32],
    /// Its directory in the instance.
    pub directory: String,
    /// Code of the reason, when it is refused or set aside.
    pub reason: Option<String>,
}

/// A registered package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its id.
    pub id: PackageId,
    /// Who sent it.
    pub provider: Option<ProviderId>,
    /// The sender's number.
    pub sequence: Option<i64>,
    /// Kind of payload.
    pub kind: Option<String>,
    /// First day that it is about.
    pub period_from: Option<Date>,
    /// Last day that it is about.
    pub period_to: Option<Date>,
    /// How far it is.
    pub state: PackageState,
    /// SHA-256 of the manifest file.
    pub manifest_sha256: [u8; 32],
    /// When it was received.
    pub received_at: Timestamp,
    /// Its directory in the instance.
    pub directory: String,
    /// Code of the reason, when it is refused or set aside.
    pub reason: Option<String>,
    /// Patients taken in.
    pub patients_in: Option<i64>,
    /// Patients refused or set aside.
    pub patients_refused: Option<i64>,
    /// Rows taken in.
    pub rows: Option<i64>,
}

fn package(row: &SqliteRow) -> Result<Package> {
    let c = Columns::new("package", row);
    Ok(Package {
        id: c.parsed("id")?,
        provider: c.parsed_if("provider")?,
        sequence: c.get("sequence")?,
        kind: c.get("kind")?,
        period_from: c.parsed_if("period_from")?,
        period_to: c.parsed_if("period_to")?,
        state: c.parsed("state")?,
        manifest_sha256: c.hash("manifest_sha256")?,
        received_at: c.time("received_at")?,
        directory: c.get("directory")?,
        reason: c.get("reason")?,
        patients_in: c.get("patients_in")?,
        patients_refused: c.get("patients_refused")?,
        rows: c.get("rows")?,
    })
}

/// The refusal of a step whose beginning is not the state found, or whose thing is not there.
pub(crate) fn not_in_state(what: &'static str, id: impl ToString, found: Option<String>, expected: &str) -> LedgerError {
    match found {
        None => LedgerError::NotFound { what, id: id.to_string() },
        Some(found) => LedgerError::OtherState { what, id: id.to_string(), found, expected: expected.to_owned() },
    }
}

impl Tx {
    /// Registers a package in the state it begins in.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyThere`] when the manifest, or the provider's number among packages that were not refused, is known.
    pub async fn add_package(&mut self, new: &NewPackage) -> Result<Package> {
        self.write_package(
            "insert into package (id, provider, sequence, kind, period_from, period_to, state, manifest_sha256, received_at, directory, reason)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning *",
            new,
        )
        .await?
        .ok_or_else(|| LedgerError::NotFound { what: "package", id: new.id.to_string() })
    }

    /// Registers that a package in quarantine was delivered again: what its row says is from now on what is known of it today. One that is
    /// taken up `as_it_lies` came when it came.
    ///
    /// # Errors
    /// [`LedgerError::OtherState`] when it is not in quarantine, [`LedgerError::NotFound`], as [`Tx::add_package`].
    pub async fn receive_package_again(&mut self, new: &NewPackage, as_it_lies: bool) -> Result<Package> {
        let statement = if as_it_lies {
            "update package set provider = $2, sequence = $3, kind = $4, period_from = $5, period_to = $6, state = $7,
                 manifest_sha256 = $8, received_at = coalesce(received_at, $9), directory = $10, reason = $11
                 where id = $1 and state = 'quarantined' returning *"
        } else {
            "update package set provider = $2, sequence = $3, kind = $4, period_from = $5, period_to = $6, state = $7,
                 manifest_sha256 = $8, received_at = $9, directory = $10, reason = $11
                 where id = $1 and state = 'quarantined' returning *"
        };
        match self.write_package(statement, new).await? {
            Some(package) => Ok(package),
            None => Err(self.package_elsewhere(new.id, PackageState::Quarantined).await?),
        }
    }

    async fn write_package(&mut self, statement: &'static str, new: &NewPackage) -> Result<Option<Package>> {
        let row = sqlx::query(statement)
            .bind(new.id.to_string())
            .bind(new.provider.as_ref().map(|p| p.as_str()))
            .bind(new.sequence)
            .bind(new.kind.as_deref())
            .bind(new.period_from.map(|d| d.to_string()))
            .bind(new.period_to.map(|d| d.to_string()))
            .bind(new.state.as_str())
            .bind(new.manifest_sha256.to_vec())
            .bind(now())
            .bind(&new.directory)
            .bind(new.reason.as_deref())
            .fetch_optional(self.sql())
            .await
            .map_err(|error| LedgerError::if_unique(error, "package", new.id))?;
        let Some(row) = row else { return Ok(None) };
        let event = Event::PackageReceived {
            package: new.id,
            provider: new.provider.clone(),
            sequence: new.sequence,
            kind: new.kind.clone(),
            state: new.state,
            reason: new.reason.clone(),
            manifest_sha256: Hex32(new.manifest_sha256),
        };
        self.record(event, vec![mark("package", &row)?], None)?;
        package(&row).map(Some)
    }

    /// The refusal of a step on a package that is not in the state where it begins.
    async fn package_elsewhere(&mut self, id: PackageId, expected: PackageState) -> Result<LedgerError> {
        let found: Option<String> =
            sqlx::query_scalar("select state from package where id = $1").bind(id.to_string()).fetch_optional(self.sql()).await?;
        Ok(not_in_state("package", id, found, expected.as_str()))
    }

    /// Moves a package on, with the code of a reason where there is one.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::OtherState`], [`LedgerError::AlreadyThere`] when its number was taken meanwhile.
    pub async fn move_package(
        &mut self,
        id: PackageId,
        from: PackageState,
        to: PackageState,
        reason: Option<&str>,
    ) -> Result<()> {
        let row =
            sqlx::query("update package set state = $3, reason = coalesce($4, reason) where id = $1 and state = $2 returning *")
                .bind(id.to_string())
                .bind(from.as_str())
                .bind(to.as_str())
                .bind(reason)
                .fetch_optional(self.sql())
                .await
                .map_err(|error| LedgerError::if_unique(error, "package", id))?;
        let Some(row) = row else { return Err(self.package_elsewhere(id, from).await?) };
        let event = Event::PackageMoved { package: id, from, to, reason: reason.map(str::to_owned) };
        self.record(event, vec![mark("package", &row)?], None)?;
        Ok(())
    }

    /// Notes what came of a package.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn count_package(&mut self, id: PackageId, patients_in: i64, patients_refused: i64, rows: i64) -> Result<()> {
        let row = sqlx::query("update package set patients_in = $2, patients_refused = $3, rows = $4 where id = $1 returning *")
            .bind(id.to_string())
            .bind(patients_in)
            .bind(patients_refused)
            .bind(rows)
            .fetch_optional(self.sql())
            .await?
            .ok_or_else(|| LedgerError::NotFound { what: "package", id: id.to_string() })?;
        let event = Event::PackageCounted { package: id, patients_in, patients_refused, rows };
        self.record(event, vec![mark("package", &row)?], None)?;
        Ok(())
    }
}

impl Reader {
    /// One package.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn package(&mut self, id: PackageId) -> Result<Option<Package>> {
        let row = sqlx::query("select * from package where id = $1").bind(id.to_string()).fetch_optional(self.sql()).await?;
        row.as_ref().map(package).transpose()
    }

    /// The package with this manifest, if it came before.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn package_by_manifest(&mut self, manifest_sha256: &[u8; 32]) -> Result<Option<Package>> {
        let row = sqlx::query("select * from package where manifest_sha256 = $1")
            .bind(manifest_sha256.to_vec())
            .fetch_optional(self.sql())
            .await?;
        row.as_ref().map(package).transpose()
    }

    /// The packages in one of some states (all when none is named), by provider and the provider's number.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`]; when the database does not answer.
    pub async fn packages(&mut self, states: &[PackageState]) -> Result<Vec<Package>> {
        let rows =
            sqlx::query("select * from package order by provider, sequence, received_at, id").fetch_all(self.sql()).await?;
        let mut all = rows.iter().map(package).collect::<Result<Vec<_>>>()?;
        all.retain(|p| states.is_empty() || states.contains(&p.state));
        Ok(all)
    }

    /// The highest number of a provider among packages that were not refused; a package with a number beyond the next one leaves a gap.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_sequence(&mut self, provider: &ProviderId) -> Result<Option<i64>> {
        Ok(sqlx::query_scalar(
            "select max(sequence) from package where provider = $1 and state not in ('rejected', 'quarantined', 'destroyed')",
        )
        .bind(provider.as_str())
        .fetch_one(self.sql())
        .await?)
    }
}
