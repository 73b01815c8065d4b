//! One patient of a provider under several ids: a chart number, and the card by which checkups and pharmacies' claims know the same person. Who says
//! no under one of them has said it under the others: `formats::Known` finds those, and a statement is registered for each that rests on the one that
//! was made, and goes with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use formats::Known;
use lake::Blocked;
use ledger::{NewOptOut, OptOut, OptOutState, PatientHmac, Reader, Tx};
use omop::Table;
use terms::{ProviderId, RecordId};

use crate::Instance;
use crate::error::Error;
use crate::opt_out::{made_by, relation_to};
use crate::patients::Patients;

/// Statements by the id of the one that was made.
type Stated = BTreeMap<String, OptOut>;

/// What stops the patients of a provider, also under ids that nobody named.
pub(crate) struct Names {
    said: HashMap<PatientHmac, Vec<OptOut>>,
    /// Under which other ids statements stand, and which.
    pub(crate) found: HashMap<PatientHmac, Stated>,
}

impl Names {
    /// The statements about patients of a provider that hold.
    ///
    /// # Errors
    /// Of the ledger.
    pub(crate) async fn of(reader: &mut Reader, provider: &ProviderId) -> Result<Names, Error> {
        let mut said: HashMap<_, Vec<OptOut>> = HashMap::new();
        for one in reader.opt_outs().await? {
            if one.provider == *provider && !matches!(one.state, OptOutState::Rejected | OptOutState::Withdrawn) {
                said.entry(one.patient).or_default().push(one);
            }
        }
        Ok(Names { said, found: HashMap::new() })
    }

    /// Whether anybody of the provider said anything: else nobody has to be looked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Whether a statement was found to stand for this id too.
    pub(crate) fn is_found(&self, patient: &PatientHmac) -> bool {
        self.found.contains_key(patient)
    }

    /// Carries the statements of those whom they keep out to their other ids.
    ///
    /// # Errors
    /// When a hash cannot be computed.
    pub(crate) fn spread(
        &mut self,
        known: &Known<String>,
        patients: &Patients,
        is_kept_out: impl Fn(&PatientHmac) -> bool,
    ) -> Result<(), Error> {
        let mut all = Vec::new();
        for written in known.people() {
            let mut ids = Vec::from_iter(patients.hash(written)?);
            for id in known.ids(written) {
                ids.extend(patients.hash(&id)?.filter(|id| !ids.contains(id)));
            }
            if ids.len() > 1 {
                all.push(ids);
            }
        }
        let mut said: HashMap<PatientHmac, BTreeSet<String>> = HashMap::new();
        let mut statements: HashMap<String, OptOut> = HashMap::new();
        for id in all.iter().flatten() {
            let own = self.said.get(id).map_or(&[][..], Vec::as_slice).iter().filter(|_| is_kept_out(id));
            for one in own.chain(self.found.get(id).into_iter().flat_map(Stated::values)) {
                said.entry(*id).or_default().insert(made_by(one).to_owned());
                statements.entry(made_by(one).to_owned()).or_insert_with(|| one.clone());
            }
        }
        formats::carry(&all, &mut said);
        for (id, made) in said {
            let own = self.said.get(&id).map_or(&[][..], Vec::as_slice);
            for made in made.into_iter().filter(|made| !own.iter().any(|one| made_by(one) == made)) {
                if let Some(one) = statements.get(&made) {
                    self.found.entry(id).or_default().insert(made, one.clone());
                }
            }
        }
        Ok(())
    }
}

/// The other ids of a patient at the same provider, as the lake tells them of a record, and as earlier statements found them.
///
/// # Errors
/// When the vault cannot be read.
pub(crate) async fn others(
    instance: &Instance,
    patients: &Patients,
    provider: &ProviderId,
    patient: PatientHmac,
    record: Option<RecordId>,
) -> Result<Vec<PatientHmac>, Error> {
    let mut reader = instance.ledger.read().await?;
    let all = reader.opt_outs().await?;
    drop(reader);
    let of_patient = |one: &&OptOut| one.provider == *provider && one.patient == patient;
    let said: BTreeSet<&str> = all.iter().filter(of_patient).map(|one| one.id.as_str()).collect();
    let derived = all.iter().filter(|one| one.provider == *provider && said.contains(made_by(one)));
    let mut others: Vec<PatientHmac> = derived.map(|one| one.patient).collect();
    if let Some(record) = record {
        let snapshot = instance.lake.snapshot(&instance.ledger, None).await?;
        let mut known = Known::default();
        for table in [Table::Identity, Table::Insurance] {
            let batches = snapshot.records(table, &[record], Blocked::Include)?;
            known.note(batches.iter().map(|batch| (table, batch)), Some)?;
        }
        for id in known.ids(&record.0) {
            others.extend(patients.hash(&id)?);
        }
    }
    others.retain(|other| *other != patient);
    others.sort_unstable_by_key(|other| other.0);
    others.dedup();
    Ok(others)
}

/// Registers for another id what was said, once. How many statements are new.
///
/// # Errors
/// Of the ledger.
pub(crate) async fn derive<'a>(
    tx: &mut Tx,
    provider: &ProviderId,
    patient: PatientHmac,
    said: impl IntoIterator<Item = &'a OptOut>,
    erase: bool,
) -> Result<u64, Error> {
    let before = tx.read().opt_outs_of(provider, patient).await?;
    let mut added = 0;
    for one in said {
        let made = made_by(one);
        if before.iter().any(|o| made_by(o) == made && !matches!(o.state, OptOutState::Rejected | OptOutState::Withdrawn)) {
            continue;
        }
        tx.add_opt_out(&NewOptOut {
            provider: provider.clone(),
            patient,
            scopes: one.scopes.clone(),
            requester: one.requester,
            relation: Some(relation_to(made)),
            stated_on: one.stated_on,
            erase,
            everywhere: false,
            state: OptOutState::Effective,
        })
        .await?;
        added += 1;
    }
    Ok(added)
}
