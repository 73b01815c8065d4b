use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::TableError;

/// What a column is to the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Known or knowable to an attacker: becomes coarser.
    QuasiIdentifier,
    /// What an attacker wants to learn: stays, and the models speak of it.
    Sensitive,
    /// Stays as it is by the user's decision.
    Kept,
    /// Says which person a row is of: checked, not released.
    Person,
    /// Nobody decided that it may leave: not released.
    LeftOut,
}

/// What an empty cell of a quasi-identifier is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Nulls {
    /// A fault, unless the hierarchy has a line for it.
    #[default]
    Refused,
    /// A category of its own at every level but the last.
    Category,
}

/// The user's decisions about columns.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    /// Quasi-identifiers; none: every column that is nothing else.
    pub quasi_identifiers: Option<Vec<String>>,
    /// The sensitive column.
    pub sensitive: Option<String>,
    /// Columns that stay as they are.
    pub kept: Vec<String>,
    /// The column of person ids.
    pub person: Option<String>,
    /// What empty cells are.
    pub nulls: Nulls,
}

impl Roles {
    /// The role of each column of a header.
    ///
    /// # Errors
    /// A column that is not there, that is named for two roles, or no quasi-identifier at all.
    pub fn of(&self, header: &[String]) -> Result<Vec<Role>, TableError> {
        let mut roles: Vec<Option<Role>> = vec![None; header.len()];
        let mut give = |name: &String, role: Role| -> Result<(), TableError> {
            let at = header
                .iter()
                .position(|h| h == name)
                .ok_or_else(|| TableError::UnknownColumn { column: name.clone(), columns: header.len() })?;
            match roles[at].replace(role) {
                None => Ok(()),
                Some(_) => Err(TableError::RoleTwice { column: name.clone() }),
            }
        };
        for name in self.quasi_identifiers.iter().flatten() {
            give(name, Role::QuasiIdentifier)?;
        }
        if let Some(name) = &self.sensitive {
            give(name, Role::Sensitive)?;
        }
        for name in &self.kept {
            give(name, Role::Kept)?;
        }
        if let Some(name) = &self.person {
            give(name, Role::Person)?;
        }
        let rest = if self.quasi_identifiers.is_some() { Role::LeftOut } else { Role::QuasiIdentifier };
        let roles: Vec<Role> = roles.into_iter().map(|r| r.unwrap_or(rest)).collect();
        if !roles.contains(&Role::QuasiIdentifier) {
            return Err(TableError::NoQuasiIdentifiers);
        }
        Ok(roles)
    }
}

/// The hierarchy file of each column among the files of a folder: `COLUMN.csv`, or any name that ends in `_COLUMN.csv`
/// or `-COLUMN.csv` and holds the word "hierarchy".
///
/// # Errors
/// A column without a file, or with two.
pub fn find_hierarchies(files: &[PathBuf], folder: &Path, columns: &[&str]) -> Result<BTreeMap<String, PathBuf>, TableError> {
    let mut found = BTreeMap::new();
    for column in columns {
        let fits = |path: &&PathBuf, end: &str| {
            let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
            let word = |stem: &str| stem.to_lowercase().contains("hierarchy");
            let exact = format!("{column}{end}");
            name == exact.as_str() || name.strip_suffix(exact.as_str()).is_some_and(|s| s.ends_with(['_', '-']) && word(s))
        };
        let fitting: Vec<&PathBuf> = files.iter().filter(|p| fits(p, ".csv")).collect();
        match fitting[..] {
            [one] => drop(found.insert((*column).to_owned(), one.clone())),
            [first, second, ..] => {
                let name = |p: &Path| p.display().to_string();
                return Err(TableError::HierarchyTwice {
                    column: (*column).to_owned(),
                    first: name(first),
                    second: name(second),
                });
            }
            [] => {
                if let Some(packed) = files.iter().find(|p| fits(p, ".csv.gz")) {
                    return Err(TableError::Compressed { file: packed.display().to_string() });
                }
                return Err(TableError::HierarchyMissing { column: (*column).to_owned(), folder: folder.display().to_string() });
            }
        }
    }
    Ok(found)
}
