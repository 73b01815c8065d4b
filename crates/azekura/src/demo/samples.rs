//! The sample storages as a hospital of their own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use jiff::civil::Date;

use crate::failure::Failure;

/// Standardized storages of `samples/ssmix2`, put into one by the build script.
const STORAGES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/samples.tar"));

/// Code of the institution: valid in form, and nobody's.
pub const PROVIDER: &str = "4719980012";

/// Writes `storage/`, a list of contacts with everybody in it, and a list of opt-outs with nobody in it. Gives the local
/// ids as the storage writes them.
///
/// # Errors
/// When the disk refuses.
pub fn write(hospital: &Path, told_on: Date) -> Result<BTreeSet<String>, Failure> {
    let storage = hospital.join("storage");
    fs::create_dir_all(&storage)?;
    tar::Archive::new(STORAGES).unpack(&storage).context("writing the sample storages")?;
    let mut patients = BTreeSet::new();
    for first in fs::read_dir(&storage)? {
        for second in fs::read_dir(first?.path())? {
            for patient in fs::read_dir(second?.path())? {
                patients.insert(patient?.file_name().to_string_lossy().into_owned());
            }
        }
    }
    let mut contacts = String::from("patient,date,addressee,method\n");
    for patient in &patients {
        contacts += &format!("{patient},{told_on},person,letter\n");
    }
    fs::write(hospital.join("contacts.csv"), contacts)?;
    fs::write(hospital.join("opt-outs.csv"), "patient,requester,scope,date\n")?;
    Ok(patients)
}
