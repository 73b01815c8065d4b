//! Everything that the checks may look at when the main job is done: what was put in, what came out, and where it lies.

use std::any::{Any, TypeId};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{Actor, Mode, PatientHmac};
use pipeline::journal::Verified;
use pipeline::{Instance, ingest, receive};
use seal::Passphrase;
use terms::{DatasetId, PatientIdRule, ProviderId, RecordId, ReleaseKind};

use super::below;
use super::keys::Pair;
use super::place::Place;
use super::programs::{Programs, Said};
use super::truth::{Key, Stop, Truth};
use crate::failure::Failure;

/// Who operates the demo's instance, as the journal says.
pub const OPERATOR: &str = "demo-operator";

/// A package that a hospital made.
pub struct Sent {
    /// Who.
    pub provider: ProviderId,
    /// What `azekura-send` said.
    pub said: Said,
    /// Whether who was not contacted stayed at the hospital; else the door refuses them.
    pub with_contacts: bool,
}

/// Why a package must not come in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A byte of a payload was changed on the way.
    Spoilt,
    /// It is sealed to somebody else.
    Foreign,
}

/// A package that must not come in.
pub struct Unfit {
    /// What is wrong with it.
    pub flaw: Flaw,
    /// Whose it is.
    pub provider: ProviderId,
    /// Name of its directory.
    pub name: String,
}

/// A data set from application to the recipient's disk.
pub struct DataSet {
    /// Its id.
    pub id: DatasetId,
    /// What it is in law.
    pub kind: ReleaseKind,
    /// What making it said.
    pub made: pipeline::dataset::Made,
    /// The package in the instance's outbox.
    pub package: PathBuf,
    /// Where the recipient opened it.
    pub opened: PathBuf,
    /// Its report (HTML).
    pub report: PathBuf,
    /// Code with which a delivery on one approval was refused.
    pub refused_with_one: String,
}

impl DataSet {
    /// A table of it as the recipient has it.
    ///
    /// # Errors
    /// When it is not there.
    pub fn csv(&self, table: &str) -> Result<csv::Reader<std::fs::File>, Failure> {
        csv::Reader::from_path(self.csv_path(table)).map_err(|e| anyhow::Error::from(e).into())
    }

    /// Where a table of it lies.
    pub fn csv_path(&self, table: &str) -> PathBuf {
        self.opened.join("csv").join(format!("{table}.csv"))
    }
}

/// What the checks look at.
pub struct World {
    /// Where everything lies.
    pub place: Place,
    /// The programs of hospital and researcher.
    pub programs: Programs,
    /// Who is who.
    pub truth: Truth,
    /// Patients of the packages that must not come in.
    pub later: Truth,
    /// Local ids of the sample storages.
    pub samples: BTreeSet<String>,
    /// Everybody who said no.
    pub stops: Vec<Stop>,
    /// Records that were erased.
    pub erased: BTreeSet<RecordId>,
    /// Packages that hospitals made.
    pub sent: Vec<Sent>,
    /// Packages that must not come in.
    pub unfit: Vec<Unfit>,
    /// What became of each package at the door.
    pub received: Vec<receive::Received>,
    /// What became of each accepted package of SS-MIX2.
    pub taken: Vec<ingest::Taken>,
    /// The same of the other kinds.
    pub of_others: Vec<ingest::Taken>,
    /// The package that was put together wrongly as a whole.
    pub held: super::held::Held,
    /// The data sets.
    pub sets: Vec<DataSet>,
    /// Keys of the recipient.
    pub recipient: Pair,
    /// Keys of somebody who is no recipient of these data sets.
    pub stranger: Pair,
    /// The instance, open for reading.
    pub instance: Instance,
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) found: Found,
}

/// What several checks need and one of them has worked out, by its type.
pub type Found = Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>;

/// File with the passphrase of the demo's instance.
pub fn passphrase_file(place: &Place) -> PathBuf {
    place.keys().join("instance.passphrase")
}

/// Opens an instance of the demo, or a copy of it.
///
/// # Errors
/// As [`Instance::open`].
pub async fn open(place: &Place, root: &Path, mode: Mode) -> Result<Instance, Failure> {
    let passphrase = Passphrase::from_file(&passphrase_file(place)).map_err(below)?;
    let actor: Actor = OPERATOR.parse().map_err(below)?;
    Ok(Instance::open(root, &passphrase, mode, actor).await?)
}

impl World {
    /// Runs something that waits for the ledger.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// What a check works out once, for itself and for its spoilt twin.
    ///
    /// # Errors
    /// What `make` returns.
    pub fn once<T: Any + Send + Sync>(&self, make: impl FnOnce() -> Result<T, Failure>) -> Result<Arc<T>, Failure> {
        let known = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&TypeId::of::<T>()).cloned();
        if let Some(known) = known.and_then(|known| known.downcast().ok()) {
            return Ok(known);
        }
        let made = Arc::new(make()?);
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(TypeId::of::<T>(), Arc::clone(&made) as _);
        Ok(made)
    }

    /// What the journal's verification says, which takes a while.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn verified(&self) -> Result<Arc<Verified>, Failure> {
        self.once(|| Ok(self.wait(pipeline::journal::verify(&self.instance, None, false))?))
    }

    /// Where the storages lie.
    pub fn hospitals(&self) -> PathBuf {
        self.place.hospitals()
    }

    /// The records of patients, where they have one.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub fn records(&self, keys: &[Key]) -> Result<HashMap<Key, RecordId>, Failure> {
        self.wait(records(&self.instance, keys))
    }

    /// A data set of a kind.
    ///
    /// # Errors
    /// When there is none.
    pub fn set(&self, kind: ReleaseKind) -> Result<&DataSet, Failure> {
        self.sets.iter().find(|s| s.kind == kind).ok_or_else(|| anyhow::anyhow!("there is no {kind} data set").into())
    }

    /// Copies what the ledger needs to be opened elsewhere: settings, keyring, ledger; and the outbox.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn copy_ledger(&self, name: &str) -> Result<PathBuf, Failure> {
        let copy = self.place.copy(name)?;
        for entry in std::fs::read_dir(&self.instance.root)? {
            let entry = entry?;
            let name = entry.file_name();
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), copy.join(&name))?;
            } else if name == "outbox" {
                super::place::copy_tree(&entry.path(), &copy.join(&name))?;
            } else {
                std::fs::create_dir(copy.join(&name))?;
            }
        }
        Ok(copy)
    }
}

/// The records of patients, where they have one. The keyed hash is made here again, not taken from whoever wrote it.
///
/// # Errors
/// When the ledger does not answer.
pub async fn records(instance: &Instance, keys: &[Key]) -> Result<HashMap<Key, RecordId>, Failure> {
    let hash = instance.keyring.keyed_hash("patient").map_err(below)?;
    let mut by_provider: HashMap<&ProviderId, Vec<(&Key, PatientHmac)>> = HashMap::new();
    for key in keys {
        let Ok(canonical) = PatientIdRule::Digits.canonical(&key.1) else { continue };
        let hmac = hash.hash(&PatientIdRule::hash_input(&key.0, &canonical)).map_err(below)?;
        by_provider.entry(&key.0).or_default().push((key, PatientHmac(hmac)));
    }
    let mut reader = instance.ledger.read().await.map_err(below)?;
    let mut found = HashMap::new();
    for (provider, patients) in by_provider {
        let hmacs: Vec<PatientHmac> = patients.iter().map(|(_, h)| *h).collect();
        let records = reader.find_records(provider, &hmacs).await.map_err(below)?;
        for ((key, _), record) in patients.into_iter().zip(records) {
            if let Some(record) = record {
                found.insert(key.clone(), record);
            }
        }
    }
    Ok(found)
}
