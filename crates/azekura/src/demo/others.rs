//! The samples of DPC files, claims, checkups and FHIR, sent by hospitals of their own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use formats::{AnyPrescan, AnyReader, Chunk, ForLake, Format, Member, Reader as _};
use jiff::civil::Date;
use terms::{PatientIdRule, SourceKind};

use super::place::Place;
use crate::failure::Failure;

/// The samples by hospital and kind, put into one by the build script.
const SAMPLES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/others.tar"));

/// The kinds in the order in which a hospital sends them.
const KINDS: [(SourceKind, Format); 4] = [
    (SourceKind::Dpc, Format::Dpc),
    (SourceKind::Receipt, Format::Receipt),
    (SourceKind::Checkup, Format::Checkup),
    (SourceKind::Fhir, Format::Fhir),
];

/// Who sends checkups that were put together wrongly as a whole: valid in form, and nobody's.
pub const CARELESS: &str = "1319999975";
/// Patients of these.
pub const CARELESS_PATIENTS: u64 = 120;
/// The mapping of the municipal sample, for them.
const MAPPING: &str = include_str!("../../../../samples/checkup/csv/municipal_checkup.toml");

/// A hospital of the samples.
pub struct Others {
    /// Its code.
    pub id: String,
    /// Where its files and its list of contacts lie.
    pub root: PathBuf,
    /// What it sends, and where that lies.
    pub kinds: Vec<(SourceKind, PathBuf)>,
}

/// Writes the files, and a list of contacts with everybody in them under the ids that the readers give.
///
/// # Errors
/// When the disk refuses, or a sample cannot be read.
pub fn write(place: &Place, told_on: Date) -> Result<Vec<Others>, Failure> {
    let root = place.others();
    fs::create_dir_all(&root)?;
    tar::Archive::new(SAMPLES).unpack(&root).context("writing the samples")?;
    careless(&root)?;
    let mut ids: Vec<String> = Vec::new();
    for entry in fs::read_dir(&root)? {
        ids.push(entry?.file_name().to_string_lossy().into_owned());
    }
    ids.sort();
    let mut all = Vec::new();
    for id in ids {
        let root = root.join(&id);
        let (mut kinds, mut patients) = (Vec::new(), BTreeSet::new());
        for (kind, format) in KINDS {
            let tree = root.join(kind.as_str());
            if tree.is_dir() {
                patients.extend(patients_of(&id, format, &tree)?);
                kinds.push((kind, tree));
            }
        }
        let mut contacts = String::from("patient,date,addressee,method\n");
        for patient in &patients {
            contacts += &format!("{patient},{told_on},person,letter\n");
        }
        fs::write(root.join("contacts.csv"), contacts)?;
        all.push(Others { id, root, kinds });
    }
    Ok(all)
}

/// Checkups of this year whose era was taken for the one before the last: all of them before anybody was born. Nobody in them exists.
fn careless(root: &Path) -> Result<(), Failure> {
    let tree = root.join(CARELESS).join(SourceKind::Checkup.as_str());
    fs::create_dir_all(&tree)?;
    let mut csv =
        "宛名番号,カナ氏名,生年月日,性別,健診種別,受診日,実施機関番号,身長,体重,収縮期血圧,拡張期血圧,HbA1c,胸部X線判定\n"
            .to_owned();
    for n in 0..CARELESS_PATIENTS {
        let (month, day) = (n % 12 + 1, n % 28 + 1);
        let (sex, born) = (n % 2 + 1, n % 20 + 30);
        csv += &format!(
            "{n:08},ｶｸｳ ﾀﾛｳ,S{born}.11.02,{sex},がん検診,S6.{month}.{day},{CARELESS},158.0,51.4,112,70,5.{},B\n",
            n % 10
        );
    }
    fs::write(tree.join("kenshin.csv"), csv)?;
    Ok(fs::write(tree.join("kenshin.toml"), MAPPING)?)
}

/// Local ids of everybody in a tree of files, as the house will read them.
fn patients_of(institution: &str, format: Format, tree: &Path) -> Result<BTreeSet<String>, Failure> {
    let mut files = Vec::new();
    collect(tree, tree, &mut files)?;
    files.sort();
    let members = |take: &mut dyn FnMut(Member<'_>) -> Result<(), formats::ReadError>| -> Result<(), Failure> {
        for (ordinal, (path, content)) in (0..).zip(&files) {
            let size = content.len() as u64;
            take(Member { path, payload: 1, ordinal, size, content: &mut content.as_slice() }).context("reading a sample")?;
        }
        Ok(())
    };
    let lake = ForLake { institution, rule: PatientIdRule::Digits, chunk_rows: 100_000 };
    let mut prescan = AnyPrescan::for_lake(format, &lake);
    members(&mut |member| prescan.member(member))?;
    let mut reader = AnyReader::for_lake(format, prescan, &lake);
    let mut patients = BTreeSet::new();
    let mut note = |chunk: Chunk| {
        patients.extend(chunk.patients.into_iter().map(|p| p.local_id));
        Ok(())
    };
    members(&mut |member| reader.member(member, &mut note))?;
    reader.finish(&mut note).context("reading the samples")?;
    Ok(patients)
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push((inside, fs::read(&path)?));
        }
    }
    Ok(())
}
