//! `azekura risk verify DIR`: the tables of a cohort against the policy that they were made by.

use std::fs::File;
use std::path::{Path, PathBuf};

use anonymity::table::TableError;
use anonymity::verify::cohort::{CohortVerified, Flat, Rule, Tables, verify_cohort};
use anonymity::{Profile, Report};
use messages::Message;

use super::folder::Folder;
use super::{read, refused};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Reads every file of a folder that a data set has, its policy and its report, and says what does not hold, what is no part of it, and what was not
/// looked at.
pub fn run(folder: &Path, policy: Option<PathBuf>, report: Option<PathBuf>, shown: &Shown) -> Result<Outcome, Failure> {
    let files = Folder::look(folder, policy, report)?;
    let text = std::fs::read_to_string(&files.policy).map_err(|e| unreadable(&files.policy, &e))?;
    let profile = Profile::parse(&text).map_err(|e| Failure::Refused(e.message()))?;
    let report: Option<Report> = files.report.as_ref().map(read::<Report>).transpose()?;
    if files.csv.is_empty() && files.parquet.is_empty() {
        return Err(Failure::Refused(Message::new("anonymity-policy-no-table").with("folder", folder.display())));
    }
    let (tables, found) = tables(&files)?;
    let mut verified = verify_cohort(&profile, &tables, report.as_ref());
    for (place, rule, count) in found {
        verified.hold(place, rule, count);
    }
    verified.unchecked.extend(files.beside);
    if report.is_none() {
        verified.unchecked.push("report.json".to_owned());
    }
    let mut lines: Vec<Message> = verified.wrong.iter().map(anonymity::verify::cohort::Broken::message).collect();
    if lines.is_empty() {
        lines.push(holds(&verified));
    }
    lines.extend(verified.unchecked_messages());
    shown.result(&verified, &lines);
    Ok(if verified.wrong.is_empty() { Outcome::Done } else { Outcome::FoundWrong })
}

fn holds(verified: &CohortVerified) -> Message {
    let holds = Message::new("anonymity-cohort-holds").with("checked", verified.checked).with("persons", verified.persons);
    holds.with("smallest", verified.smallest_class.unwrap_or_default())
}

pub(super) fn unreadable(path: &Path, reason: &dyn std::fmt::Display) -> Failure {
    refused(TableError::Unreadable { file: path.display().to_string(), reason: reason.to_string() })
}

/// Where something does not hold, what, and how often.
type Found = (String, Rule, usize);

/// The tables in whichever form they are there, and what is wrong with files: such as are none of a data set, notes in Parquet, and tables that say
/// one thing in CSV and another in Parquet.
fn tables(files: &Folder) -> Result<(Tables, Vec<Found>), Failure> {
    let mut found: Vec<Found> = files.foreign.iter().map(|name| (name.clone(), Rule::Unexpected, 1)).collect();
    let mut out = Tables::new();
    for (table, path) in &files.csv {
        let file = File::open(path).map_err(|e| unreadable(path, &e))?;
        out.insert(table.clone(), Flat::read(file, &path.display().to_string()).map_err(refused)?);
    }
    for (table, path) in &files.parquet {
        let place = format!("parquet/{table}.parquet");
        let (flat, notes) = parquet(path)?;
        found.push((place.clone(), Rule::Unexpected, notes));
        match out.get(table) {
            Some(csv) => found.push((place, Rule::Differs, csv.differences(&flat))),
            None => drop(out.insert(table.clone(), flat)),
        }
    }
    // Where both forms are there, each has every table.
    let lacking = files.csv.keys().filter(|table| !files.parquet.is_empty() && !files.parquet.contains_key(*table));
    found.extend(lacking.map(|table| (format!("parquet/{table}.parquet"), Rule::Missing, 1)));
    let lacking = files.parquet.keys().filter(|table| !files.csv.is_empty() && !files.csv.contains_key(*table));
    found.extend(lacking.map(|table| (format!("csv/{table}.csv"), Rule::Missing, 1)));
    Ok((out, found))
}

/// A table in Parquet, with its cells written as in CSV, and how much else the file says.
fn parquet(path: &Path) -> Result<(Flat, usize), Failure> {
    let trouble = |e: &dyn std::fmt::Display| unreadable(path, e);
    let read = pipeline::dataset::reread(path).map_err(|_| trouble(&"Parquet"))?;
    let names: Vec<&str> = read.schema.fields().iter().map(|f| f.name().as_str()).collect();
    let mut header = csv::Writer::from_writer(Vec::new());
    header.write_record(&names).map_err(|e| trouble(&e))?;
    let mut bytes = header.into_inner().map_err(|e| trouble(&e))?;
    for batch in &read.batches {
        arrow::csv::WriterBuilder::new().with_header(false).build(&mut bytes).write(batch).map_err(|e| trouble(&e))?;
    }
    let flat = Flat::read(bytes.as_slice(), &path.display().to_string()).map_err(refused)?;
    Ok((flat, read.notes))
}
