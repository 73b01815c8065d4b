//! What the provider is told of a package: how many came in, who did not and why, every finding with its place, and that
//! the package's bytes are destroyed. It can name patients, so it is sealed to the provider, and nobody else has it.
//!
//! It is written beside its place before the ledger's transaction, and moved there after it by the outbox row of that
//! transaction: a crash between the two is mended at the next start, and doubles nothing.

use ledger::{OutboxState, Package, PackageState, PartyKind, PartyStatus};
use messages::{Lang, Message};
use package::{ENDING, Period};
use serde::{Deserialize, Serialize};
use terms::{PackageId, ProviderId};

use super::build::Built;
use crate::Instance;
use crate::error::Error;
use crate::moving::{Move, Stuck, Way};

/// Kind of the outbox rows of receipts.
pub(super) const KIND: &str = "receipt";

/// Id of a package's outbox row.
pub(super) fn outbox_id(package: PackageId) -> String {
    format!("receipt:{package}")
}

/// What is to be done once the transaction is through. Paths are within the instance: it may be named otherwise, or stand
/// elsewhere, when a crash is mended.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    package: PackageId,
    from: String,
    to: String,
    directory: String,
    destroy: bool,
    manifest_sha256: String,
    /// SHA-256 of the certificate that it is sealed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

impl Pending {
    /// Whether the provider's certificate was taken out of use since, or the provider was ended while it was suspended: what is sealed may be
    /// read by whoever has the earlier key, and does not leave.
    fn is_outdated(&self, party: Option<&ledger::Party>) -> bool {
        let other = |p: &ledger::Party| self.certificate.as_ref().is_some_and(|c| *c != hex::encode(p.fingerprint));
        party.is_some_and(|p| p.status == PartyStatus::Revoked || other(p))
    }

    pub(super) fn detail(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|e| Error::Inconsistent(e.to_string()))
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    package: PackageId,
    sequence: i64,
    files: u64,
    patients_taken_in: u64,
    patients_refused: u64,
    refusals: &'a ledger::Counts,
    patients_set_aside: usize,
    findings: u64,
    package_bytes: &'static str,
}

/// Seals the receipt to the provider, beside its place.
pub(super) async fn write(
    instance: &Instance,
    package: &Package,
    provider: &ProviderId,
    sequence: i64,
    built: &Built,
    destroy: bool,
) -> Result<Pending, Error> {
    let party = instance.ledger.read().await?.party(PartyKind::Provider, provider.as_str()).await?;
    let party = party.ok_or_else(|| Error::Inconsistent("a package of a provider that is not registered".to_owned()))?;
    let today = crate::notices::today();
    let period = Period { from: package.period_from.unwrap_or(today), to: package.period_to.unwrap_or(today) };
    let name = format!("receipt-{sequence:06}");
    let summary = Summary {
        package: package.id,
        sequence,
        files: built.members,
        patients_taken_in: built.patients_in,
        patients_refused: built.refused_patients(),
        refusals: &built.refusals,
        patients_set_aside: built.holds.len(),
        findings: built.findings,
        package_bytes: if destroy { "destroyed" } else { "kept until the stated time" },
    };
    let files = [
        ("receipt.json", serde_json::to_vec_pretty(&summary).map_err(|e| Error::Inconsistent(e.to_string()))?),
        ("rejections.csv", rejections(built)?),
        ("findings.jsonl", findings(built)?),
    ];
    let finished = crate::told::seal(instance, &party, (&name, KIND), sequence, period, &files)?;
    Ok(Pending {
        package: package.id,
        from: format!("pending/{provider}/{name}{ENDING}"),
        to: format!("outbox/{provider}/{name}{ENDING}"),
        directory: package.directory.clone(),
        destroy,
        manifest_sha256: hex::encode(finished.manifest_sha256),
        certificate: Some(hex::encode(party.fingerprint)),
    })
}

#[derive(Serialize)]
struct Refused<'a> {
    package: PackageId,
    sequence: i64,
    code: &'static str,
    reason_ja: String,
    reason_en: String,
    checks: &'a [String],
    patients_refused: u64,
    refusals: &'a ledger::Counts,
    findings: u64,
    package_bytes: &'static str,
}

/// Tells a provider that a package is not to be used and was destroyed, with the checks that say so and who in it may not come in.
///
/// # Errors
/// A refusal when nothing goes to the provider at present; when it cannot be written.
pub(super) async fn tell_refused(
    instance: &Instance,
    package: &Package,
    provider: &ProviderId,
    sequence: i64,
    built: &Built,
) -> Result<(), Error> {
    let code = crate::quality::REFUSED;
    let refused = Refused {
        package: package.id,
        sequence,
        code,
        reason_ja: Message::new(code).text(Lang::Ja),
        reason_en: Message::new(code).text(Lang::En),
        checks: &built.unfit,
        patients_refused: built.refused_patients(),
        refusals: &built.refusals,
        findings: built.findings,
        package_bytes: "destroyed",
    };
    let files = [
        ("refused.json", serde_json::to_vec_pretty(&refused).map_err(|e| Error::Inconsistent(e.to_string()))?),
        ("rejections.csv", rejections(built)?),
        ("findings.jsonl", findings(built)?),
    ];
    crate::quality::send(instance, provider, sequence, &files).await.map(drop)
}

/// Who may not come in, and why.
fn rejections(built: &Built) -> Result<Vec<u8>, Error> {
    let trouble = |e: &dyn std::fmt::Display| Error::Inconsistent(e.to_string());
    let mut to = csv::Writer::from_writer(Vec::new());
    to.write_record(["patient", "code", "reason_ja", "reason_en"]).map_err(|e| trouble(&e))?;
    for (patient, code) in &built.rejected {
        let message = Message::new(code);
        to.write_record([patient, *code, &message.text(Lang::Ja), &message.text(Lang::En)]).map_err(|e| trouble(&e))?;
    }
    to.into_inner().map_err(|e| trouble(&e))
}

/// What was found in the files, a line each.
fn findings(built: &Built) -> Result<Vec<u8>, Error> {
    let mut findings = Vec::new();
    for finding in &built.kept_findings {
        serde_json::to_writer(&mut findings, &finding.line(Lang::Ja)).map_err(|e| Error::Inconsistent(e.to_string()))?;
        findings.push(b'\n');
    }
    Ok(findings)
}

/// Moves receipts to their places and destroys packages that must not be kept: whatever a transaction has promised and a
/// crash may have left undone.
///
/// What stays as it is, and why; the others are moved.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn finish_pending(instance: &Instance) -> Result<Vec<Stuck>, Error> {
    let mut stuck = Vec::new();
    let rows = instance.ledger.read().await?.outbox(Some(OutboxState::Pending)).await?;
    for row in rows.into_iter().filter(|r| r.kind == KIND) {
        let pending: Pending =
            serde_json::from_str(&row.detail).map_err(|_| Error::Inconsistent("an outbox row is malformed".to_owned()))?;
        let (from, to) = (instance.root.join(&pending.from), instance.root.join(&pending.to));
        // To a suspended provider nothing goes, its key may be in other hands; what is to be destroyed goes all the same.
        let party = instance.ledger.read().await?.party(PartyKind::Provider, &row.target).await?;
        let suspended = party.as_ref().is_some_and(|p| p.status == PartyStatus::Paused);
        let outdated = pending.is_outdated(party.as_ref());
        let here = crate::moving::way(&from, &to) == Way::Here;
        // What stands in the way of one party is no matter of the others.
        let moved = if outdated && here {
            crate::moving::take_back(&from, &to).map(|()| Move::Lost)
        } else if suspended && here {
            let message = Message::new("core-party-suspended").with("kind", PartyKind::Provider).with("id", &row.target);
            Err(Error::refused(message))
        } else {
            crate::moving::put_in_place(&from, &to)
        };
        if pending.destroy {
            let mut sha256 = [0u8; 32];
            hex::decode_to_slice(&pending.manifest_sha256, &mut sha256)
                .map_err(|_| Error::Inconsistent("an outbox row is malformed".to_owned()))?;
            if let Err(error) = crate::keeping::destroy(instance, pending.package, &pending.directory, Some(sha256)).await {
                stuck.push(Stuck { id: row.id, error });
                continue;
            }
        }
        let moved = match moved {
            Ok(moved) => moved,
            Err(error) => {
                stuck.push(Stuck { id: row.id, error });
                continue;
            }
        };
        let mut tx = instance.ledger.begin(&instance.actor, "tell a provider what became of a package").await?;
        match moved {
            Move::Done => {
                tx.move_outbox(&row.id, OutboxState::Pending, OutboxState::Done).await?;
                tx.move_package(pending.package, PackageState::Ledgered, PackageState::Acknowledged, None).await?;
            }
            // The provider was told nothing: the package stays unacknowledged, and `journal verify` names a receipt that was lost.
            Move::Lost => {
                tracing::error!(package = %pending.package, outdated, "the receipt of a package is lost, or sealed to an earlier certificate: tell the provider in another way");
                tx.move_outbox(&row.id, OutboxState::Pending, OutboxState::Failed).await?;
                if outdated && here {
                    let (ledgered, why) = (PackageState::Ledgered, Some(OUTDATED));
                    tx.move_package(pending.package, ledgered, ledgered, why).await?;
                }
            }
        }
        tx.commit().await?;
        crate::moving::moved(&from)?;
    }
    Ok(stuck)
}

/// Code of the reason of a package whose receipt was sealed to a certificate that was taken out of use, and did not leave.
pub(super) const OUTDATED: &str = "core-receipt-outdated";

/// Whether an outbox row is a receipt that did not leave because it is sealed to a certificate that was taken out of use.
///
/// # Errors
/// When the ledger cannot be read or the row is none of this program's.
pub(crate) async fn is_withheld(reader: &mut ledger::Reader, row: &ledger::OutboxRow) -> Result<bool, Error> {
    if row.kind != KIND {
        return Ok(false);
    }
    let pending: Pending =
        serde_json::from_str(&row.detail).map_err(|_| Error::Inconsistent("an outbox row is malformed".to_owned()))?;
    Ok(reader.package(pending.package).await?.is_some_and(|p| p.reason.as_deref() == Some(OUTDATED)))
}

/// Names, within `pending/`, of what still waits to be moved.
pub(crate) fn waiting_name(detail: &str) -> Option<String> {
    let pending: Pending = serde_json::from_str(detail).ok()?;
    std::path::Path::new(&pending.from).file_name().map(|n| n.to_string_lossy().into_owned())
}
