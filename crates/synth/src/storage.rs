//! The tree of a standardized storage on disk.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::day::{Compact, Day, Moment};

/// The key and the name of a file.
pub struct FileName<'a> {
    /// Care date, none for types without one.
    pub date: Option<Day>,
    /// Data type, `OMP-01`.
    pub data_type: &'a str,
    /// Order number; none where there is no order.
    pub order: Option<u64>,
    /// Time of sending.
    pub sent: Moment,
    /// Department, `-` for none.
    pub department: &'a str,
    /// `1` live, `0` deleted, `2` superseded.
    pub flag: char,
}

/// One patient's folder of a storage.
pub struct Storage {
    root: PathBuf,
    /// Path of the patient's folder below the root, with a slash at the end.
    folder: String,
    patient: String,
    made: HashSet<(Option<Day>, String)>,
    /// Files written through this value.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Storage {
    /// The storage of a provider; nothing is made yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), folder: String::new(), patient: String::new(), made: HashSet::new(), files: 0, bytes: 0 }
    }

    /// Goes to the folder of a patient, whose id has at least six characters.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(&mut self, patient: &str) -> io::Result<()> {
        self.made.clear();
        self.patient = patient.to_owned();
        self.folder = format!("{}/{}/{patient}/", &patient[..3], &patient[3..6]);
        fs::create_dir_all(self.root.join(&self.folder))
    }

    /// The name of a file by the naming rule.
    pub fn name(&self, file: &FileName<'_>) -> String {
        let mut name = String::with_capacity(80);
        // Writing to a String does not fail.
        let _ = write!(name, "{}_", self.patient);
        let _ = match file.date {
            Some(day) => write!(name, "{}", Compact(day)),
            None => write!(name, "-"),
        };
        let order = file.order.unwrap_or(999_999_999_999_999);
        let _ = write!(name, "_{}_{order:015}_{}_{}_{}", file.data_type, file.sent.digits(17), file.department, file.flag);
        name
    }

    /// Writes a file and returns its path below the root.
    ///
    /// # Errors
    /// What the disk says.
    pub fn put(&mut self, date: Option<Day>, data_type: &str, name: &str, bytes: &[u8]) -> io::Result<String> {
        let mut path = self.folder.clone();
        let _ = match date {
            Some(day) => write!(path, "{}", Compact(day)),
            None => write!(path, "-"),
        };
        let key = (date, data_type.to_owned());
        if !self.made.contains(&key) {
            // One call where the folder of the day is there already, else one for it and one for the type.
            if self.made.insert((date, String::new())) {
                fs::create_dir(self.root.join(&path))?;
            }
            fs::create_dir(self.root.join(&path).join(data_type))?;
            self.made.insert(key);
        }
        let _ = write!(path, "/{data_type}/{name}");
        File::create(self.root.join(&path))?.write_all(bytes)?;
        self.files += 1;
        self.bytes += bytes.len() as u64;
        Ok(path)
    }
}
