//! `azekura risk verify DIR`: the tables of a cohort against the policy that they were made by.

use std::fs::File;
use std::path::{Path, PathBuf};

use anonymity::table::TableError;
use anonymity::verify::cohort::{Flat, Tables, verify_cohort};
use anonymity::{Profile, Report};
use messages::Message;

use super::{read, refused};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Files beside the tables that hold none of persons.
const BESIDE: [&str; 4] = ["dictionary.ja.csv", "dictionary.en.csv", "masters.csv", "own_concepts.csv"];

/// Reads the tables of a folder (`csv/` in it, of a data set that was opened) and the policy, and says what does not hold.
pub fn run(folder: &Path, policy: Option<PathBuf>, report: Option<&PathBuf>, shown: &Shown) -> Result<Outcome, Failure> {
    let policy = policy.unwrap_or_else(|| {
        let own = folder.join("policy.toml");
        if own.exists() { own } else { folder.join("profile.toml") }
    });
    let text = std::fs::read_to_string(&policy).map_err(|e| unreadable(&policy, &e))?;
    let profile = Profile::parse(&text).map_err(|e| Failure::Refused(e.message()))?;
    let report: Option<Report> = report.map(read::<Report>).transpose()?;
    let tables = tables(folder)?;
    if tables.is_empty() {
        return Err(Failure::Refused(Message::new("anonymity-policy-no-table").with("folder", folder.display())));
    }
    let verified = verify_cohort(&profile, &tables, report.as_ref());
    let mut lines: Vec<Message> = verified.wrong.iter().map(anonymity::verify::cohort::Broken::message).collect();
    if lines.is_empty() {
        let holds = Message::new("anonymity-cohort-holds").with("checked", verified.checked).with("persons", verified.persons);
        lines.push(holds.with("smallest", verified.smallest_class.unwrap_or_default()));
    }
    shown.result(&verified, &lines);
    Ok(if verified.wrong.is_empty() { Outcome::Done } else { Outcome::FoundWrong })
}

fn unreadable(path: &Path, reason: &std::io::Error) -> Failure {
    refused(TableError::Unreadable { file: path.display().to_string(), reason: reason.to_string() })
}

fn tables(folder: &Path) -> Result<Tables, Failure> {
    let inner = folder.join("csv");
    let folder = if inner.is_dir() { inner.as_path() } else { folder };
    let mut out = Tables::new();
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(folder, &e))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let Some(table) = name.strip_suffix(".csv").filter(|_| !BESIDE.contains(&name)) else { continue };
        let file = File::open(&path).map_err(|e| unreadable(&path, &e))?;
        out.insert(table.to_owned(), Flat::read(file, &path.display().to_string()).map_err(refused)?);
    }
    Ok(out)
}
