//! Who is who: the truth files of the synthetic hospitals, and who said no. It names people, if only synthetic ones:
//! no `Debug`, and nothing of it is shown but counts.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::civil::Date;
use terms::{NoticeScope, PatientIdRule, ProviderId, Requester};

use crate::failure::Failure;

/// A patient of a provider.
#[derive(Clone)]
pub struct Patient {
    /// Number of the person.
    pub person: u64,
    /// Whose patient.
    pub provider: ProviderId,
    /// Id as the provider writes it.
    pub local_id: String,
    /// The same, as ids are made one.
    pub canonical: String,
    /// Every full name, family and given.
    pub names: BTreeSet<(String, String)>,
    /// Every full name in kana.
    pub kana: BTreeSet<(String, String)>,
    /// OMOP concept of the sex.
    pub gender: i32,
    /// Birth date.
    pub birth: Date,
    /// Postal code.
    pub postal: String,
    /// Whether the person was notified.
    pub notified: bool,
    /// What is difficult about this patient.
    pub flags: BTreeSet<String>,
}

impl Patient {
    /// Whether a flag stands.
    pub fn is(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// The patient's directory in its hospital's storage.
    pub fn directory(&self, hospitals: &Path) -> PathBuf {
        let id = &self.local_id;
        let part = |from: usize, to: usize| id.get(from..to.min(id.len())).unwrap_or_default();
        let mut path = hospitals.join(self.provider.as_str()).join("storage");
        path.extend([part(0, 3), part(3, 6), id]);
        path
    }

    /// Days of the patient's storage that hold a live file of one of these data types.
    pub fn days_with(&self, hospitals: &Path, types: &[&str]) -> BTreeSet<Date> {
        let mut days = BTreeSet::new();
        let Ok(entries) = fs::read_dir(self.directory(hospitals)) else { return days };
        for day in entries.flatten() {
            let name = day.file_name();
            let Ok(date) = Date::strptime("%Y%m%d", name.to_string_lossy().as_ref()) else { continue };
            let live = |of: &&str| {
                fs::read_dir(day.path().join(of))
                    .is_ok_and(|mut files| files.any(|f| f.is_ok_and(|f| f.file_name().to_string_lossy().ends_with("_1"))))
            };
            if types.iter().any(live) {
                days.insert(date);
            }
        }
        days
    }
}

/// Somebody who said no.
#[derive(Clone)]
pub struct Stop {
    /// Whose patient.
    pub provider: ProviderId,
    /// Id as it stands in the request.
    pub written: String,
    /// The same, as ids are made one.
    pub canonical: String,
    /// Who asks.
    pub requester: Requester,
    /// What is stopped.
    pub scopes: BTreeSet<NoticeScope>,
    /// Whether it came with or before the first package.
    pub before: bool,
    /// Whether what is held is erased.
    pub erase: bool,
    /// Whether at every provider.
    pub everywhere: bool,
    /// Whether the person took it back.
    pub withdrawn: bool,
}

/// A patient of a provider, by canonical id.
pub type Key = (ProviderId, String);

impl Stop {
    /// Whom it names.
    pub fn key(&self) -> Key {
        (self.provider.clone(), self.canonical.clone())
    }
}

/// The truth.
pub struct Truth {
    /// Every patient.
    pub patients: Vec<Patient>,
    /// Everybody who says no, in the order of the file: before the first package, or later.
    pub stops: Vec<Stop>,
    /// Files below a provider's storage that were given a name on purpose that nobody can read.
    pub bad_names: Vec<(ProviderId, PathBuf)>,
    by_key: HashMap<Key, usize>,
}

impl Truth {
    /// Reads `truth.csv`, `truth-opt-outs.csv` and `truth-faults.csv`.
    ///
    /// # Errors
    /// When a file is missing or is not of that form.
    pub fn read(hospitals: &Path) -> Result<Truth, Failure> {
        let patients = rows(&hospitals.join("truth.csv"), |row| {
            let full = |family: &str, given: &str| (row.get(family).to_owned(), row.get(given).to_owned());
            let mut names: BTreeSet<_> = [full("family", "given"), full("true_family", "true_given")].into();
            names.extend(
                row.get("earlier_names").split(';').filter_map(|n| n.split_once(' ')).map(|(f, g)| (f.to_owned(), g.to_owned())),
            );
            Ok(Patient {
                person: row.get("person").parse()?,
                provider: row.get("provider").parse()?,
                local_id: row.get("local_patient_id").to_owned(),
                canonical: row.get("canonical_id").to_owned(),
                names,
                kana: [full("family_kana", "given_kana"), full("true_family_kana", "true_given_kana")].into(),
                gender: omop::gender_concept(row.get("sex").parse()?),
                birth: row.get("birth_date").parse()?,
                postal: row.get("postal_code").to_owned(),
                notified: !row.get("notified_on").is_empty(),
                flags: row.get("flags").split(' ').filter(|f| !f.is_empty()).map(str::to_owned).collect(),
            })
        })?;
        let stops = rows(&hospitals.join("truth-opt-outs.csv"), |row| {
            Ok(Stop {
                provider: row.get("provider").parse()?,
                written: row.get("patient").to_owned(),
                canonical: row.get("canonical_id").to_owned(),
                requester: row.get("requester").parse()?,
                scopes: row.get("scope").split(',').map(str::parse).collect::<Result<_, _>>()?,
                before: row.get("when") == "before",
                erase: row.get("erase") == "true",
                everywhere: row.get("everywhere") == "true",
                withdrawn: false,
            })
        })?;
        let faults = rows(&hospitals.join("truth-faults.csv"), |row| {
            Ok((row.get("fault") == "bad_name", (row.get("provider").parse()?, PathBuf::from(row.get("path")))))
        })?;
        let bad_names = faults.into_iter().filter(|(bad, _)| *bad).map(|(_, file)| file).collect();
        let by_key = patients.iter().enumerate().map(|(i, p)| ((p.provider.clone(), p.canonical.clone()), i)).collect();
        Ok(Truth { patients, stops, bad_names, by_key })
    }

    /// A patient by its key.
    pub fn patient(&self, key: &Key) -> Option<&Patient> {
        self.by_key.get(key).and_then(|i| self.patients.get(*i))
    }
}

/// The canonical form of an id; every provider of the demo has the rule of digits.
pub fn canonical(written: &str) -> Option<String> {
    PatientIdRule::Digits.canonical(written).ok().map(|id| id.reveal().to_owned())
}

/// A line of a truth file.
struct Row<'a> {
    head: &'a HashMap<String, usize>,
    cells: &'a csv::StringRecord,
}

impl Row<'_> {
    fn get(&self, name: &str) -> &str {
        self.head.get(name).and_then(|i| self.cells.get(*i)).unwrap_or_default()
    }
}

fn rows<T>(path: &Path, make: impl Fn(&Row<'_>) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    let mut reader = csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
    let head: HashMap<String, usize> = reader.headers()?.iter().enumerate().map(|(i, h)| (h.to_owned(), i)).collect();
    let mut out = Vec::new();
    for cells in reader.records() {
        let cells = cells?;
        // The name of the file is enough: the line would name somebody.
        out.push(make(&Row { head: &head, cells: &cells }).with_context(|| path.display().to_string())?);
    }
    Ok(out)
}
