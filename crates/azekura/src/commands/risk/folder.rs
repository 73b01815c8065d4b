//! The folder of a data set, as `anonymize --policy` makes it or `azekura-open` opens one: which file is what, by its exact name and place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Files beside the tables of a data set that was opened.
const OPENED: [&str; 10] = [
    "NOTES.txt",
    "STATEMENT.txt",
    "dictionary.en.csv",
    "dictionary.ja.csv",
    "masters.csv",
    "own_concepts.csv",
    "profile.toml",
    "report.en.html",
    "report.ja.html",
    "report.json",
];

/// Files beside the tables of a folder that `anonymize --policy` made.
const TREATED: [&str; 5] = ["dictionary.en.csv", "dictionary.ja.csv", "policy.toml", "report.html", "report.json"];

/// What stands in a folder.
#[derive(Default)]
pub struct Folder {
    /// The policy.
    pub policy: PathBuf,
    /// The report, where there is one.
    pub report: Option<PathBuf>,
    /// Tables as CSV, by name.
    pub csv: BTreeMap<String, PathBuf>,
    /// Tables as Parquet, by name.
    pub parquet: BTreeMap<String, PathBuf>,
    /// Files that go with the tables and are not looked into.
    pub beside: Vec<String>,
    /// What is no part of a data set: other files, folders, links.
    pub foreign: Vec<String>,
}

impl Folder {
    /// Looks through a folder; policy and report are those that are given, else those in it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn look(root: &Path, policy: Option<PathBuf>, report: Option<PathBuf>) -> Result<Folder, Failure> {
        let opened = ["csv", "parquet"].iter().any(|inner| root.join(inner).is_dir());
        let own = |names: [&str; 2]| names.map(|name| root.join(name)).into_iter().find(|path| path.exists());
        let names = if opened { ["profile.toml", "policy.toml"] } else { ["policy.toml", "profile.toml"] };
        let policy = policy.or_else(|| own(names)).unwrap_or_else(|| root.join(names[0]));
        let report = report.or_else(|| own(["report.json"; 2]));
        let given: Vec<PathBuf> = report.iter().chain([&policy]).filter_map(|path| path.canonicalize().ok()).collect();
        let mut out = Folder { policy, report, ..Folder::default() };
        let known = if opened { &OPENED[..] } else { &TREATED[..] };
        for (name, path, kind) in entries(root)? {
            if given.iter().any(|given| path.canonicalize().is_ok_and(|path| path == *given)) {
                continue;
            }
            if opened && kind.is_dir() && ["csv", "parquet"].contains(&name.as_str()) {
                out.tables(&path, &name)?;
            } else if kind.is_file() && known.contains(&name.as_str()) {
                out.beside.push(name);
            } else if let Some(table) = name.strip_suffix(".csv").filter(|_| !opened && kind.is_file()) {
                out.csv.insert(table.to_owned(), path);
            } else {
                out.foreign.push(name);
            }
        }
        Ok(out)
    }

    /// The tables in one form, of the folder of that name.
    fn tables(&mut self, folder: &Path, form: &str) -> Result<(), Failure> {
        for (name, path, kind) in entries(folder)? {
            let table = name.strip_suffix(form).and_then(|name| name.strip_suffix('.')).filter(|_| kind.is_file());
            match table {
                Some(table) if form == "csv" => drop(self.csv.insert(table.to_owned(), path)),
                Some(table) => drop(self.parquet.insert(table.to_owned(), path)),
                None => self.foreign.push(format!("{form}/{name}")),
            }
        }
        Ok(())
    }
}

/// What stands in a folder, in the order of names; a link is none of what it leads to.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf, std::fs::FileType)>, Failure> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| super::cohort::unreadable(folder, &e))? {
        let entry = entry?;
        out.push((entry.file_name().to_string_lossy().into_owned(), entry.path(), entry.file_type()?));
    }
    out.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(out)
}
