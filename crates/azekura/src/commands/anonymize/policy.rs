//! `azekura anonymize --policy`: tables of a cohort by a profile, without an instance.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anonymity::calendar::Validity;
use anonymity::recount::recount_with;
use anonymity::{Dataset, Kind, PersonIds, Profile, process, report_html};
use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type};
use messages::{Lang, Message};
use omop::Table;

use super::lines::{self, Lines};
use super::place;
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Treats `DIR/TABLE.csv` for every table of the profile into a new folder: tables as CSV, the report as JSON and as a page, the dictionary, the
/// profile. The folder is there whole or not at all.
pub fn run(policy: &Path, input: &Path, validity: Option<&Path>, out: &Path, shown: &Shown) -> Result<Outcome, Failure> {
    let text = read_text(policy)?;
    let profile = Profile::parse(&text).map_err(|e| Failure::Refused(e.message()))?;
    if profile.kind == Kind::LinkableAnonymized {
        return Err(Failure::Refused(Message::new("anonymity-policy-linkable")));
    }
    let cohort = &profile.cohort;
    if !(cohort.providers.is_empty() && cohort.conditions.is_empty() && cohort.drugs.is_empty() && cohort.measurements.is_empty())
    {
        return Err(Failure::Refused(Message::new("anonymity-policy-cohort")));
    }
    let validity = validity.map_or_else(|| Ok(Validity::default()), |file| super::validity::read(file, &profile))?;
    let out = free(out)?;
    if out.starts_with(place(input)) {
        return Err(Failure::Usage("--out: not within the folder that is read".to_owned()));
    }
    let (tables, missing) = tables(&profile, input)?;
    if tables.is_empty() {
        return Err(Failure::Refused(Message::new("anonymity-policy-no-table").with("folder", input.display())));
    }
    let data = Dataset::new(tables).with_validity(validity);
    let treated = process(&profile, &data, PersonIds::New, &mut anonymity::micro::randomness());
    let (processed, report) = treated.map_err(|e| Failure::Refused(e.message()))?;
    let leaks = recount_with(&profile, processed.tables(), data.validity()).against(&profile);
    if processed.kind().is_anonymized() && !leaks.is_empty() {
        let found = Message::new("core-dataset-recount").with("count", leaks.len()).with("what", leaks.join("; "));
        return Err(Failure::Refused(found));
    }
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("report.json".to_owned(), report.to_json().into_bytes()),
        ("report.html".to_owned(), report_html(&report, shown.lang).into_bytes()),
        ("policy.toml".to_owned(), text.into_bytes()),
    ];
    for (lang, name) in [(Lang::Ja, "dictionary.ja.csv"), (Lang::En, "dictionary.en.csv")] {
        files.push((name.to_owned(), anonymity::dictionary::dictionary(&profile, processed.tables(), lang).into_bytes()));
    }
    for (name, batch) in processed.tables() {
        let mut bytes = Vec::new();
        arrow::csv::WriterBuilder::new()
            .with_header(true)
            .build(&mut bytes)
            .write(batch)
            .map_err(|_| anyhow::anyhow!("{name}: could not be written as CSV"))?;
        files.push((format!("{name}.csv"), bytes));
    }
    write(&out, files)?;
    let rows: usize = processed.tables().values().map(RecordBatch::num_rows).sum();
    let done = Message::new("anonymity-policy-done")
        .with("persons", report.persons_after)
        .with("before", report.persons_before)
        .with("rows", rows)
        .with("folder", out.display());
    let mut lines = vec![done];
    lines.extend(missing.iter().map(|table| Message::new("anonymity-policy-table-missing").with("table", table)));
    shown.result(&report, &lines);
    Ok(Outcome::Done)
}

/// Where the folder goes: its place, nothing there yet, in a folder that is there.
fn free(out: &Path) -> Result<PathBuf, Failure> {
    let there = |path: &Path| Failure::Refused(Message::new("anonymity-policy-out-there").with("folder", path.display()));
    if std::fs::symlink_metadata(out).is_ok() {
        return Err(there(out));
    }
    let parent = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().map_err(|e| unreadable(parent, &e))?;
    let name = out.file_name().ok_or_else(|| there(out))?;
    Ok(parent.join(name))
}

/// Writes beside the place, under a name of this run alone, and moves it there where nothing is: a run that is killed leaves nothing that looks
/// whole, and two runs do not mix. What another run left is not touched.
fn write(out: &Path, files: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    let mut name = out.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    std::fs::DirBuilder::new().mode(0o700).create(&new).map_err(|e| unreadable(&new, &e))?;
    let written = files
        .into_iter()
        .try_for_each(|(name, bytes)| durable::write_atomic(&new.join(name), &bytes))
        .and_then(|()| durable::sync_dir(&new))
        .and_then(|()| {
            let (here, flags) = (rustix::fs::CWD, rustix::fs::RenameFlags::NOREPLACE);
            rustix::fs::renameat_with(here, &new, here, out, flags).map_err(std::io::Error::from)
        })
        .and_then(|()| out.parent().map_or(Ok(()), durable::sync_dir));
    if let Err(error) = written {
        // It is this run's own, and holds nothing that anybody has asked for.
        let _ = std::fs::remove_dir_all(&new);
        return Err(unreadable(out, &error));
    }
    Ok(())
}

pub(super) fn unreadable(path: &Path, reason: &dyn std::fmt::Display) -> Failure {
    let file = path.display().to_string();
    Failure::Refused(anonymity::table::TableError::Unreadable { file, reason: reason.to_string() }.message())
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    File::open(path).and_then(|mut f| f.read_to_string(&mut text)).map_err(|e| unreadable(path, &e))?;
    Ok(text)
}

/// The tables, and the names of those that are not there and so are empty.
fn tables(profile: &Profile, folder: &Path) -> Result<(BTreeMap<String, RecordBatch>, Vec<String>), Failure> {
    let (mut out, mut missing) = (BTreeMap::new(), Vec::new());
    let known =
        |table: &str| profile.privacy.iter().flat_map(|p| &p.quasi_identifiers).any(|q| q.starts_with(&format!("{table}.")));
    for name in profile.tables.keys() {
        let Some(table) = Table::by_name(name) else {
            return Err(Failure::Refused(Message::new("anonymity-policy-not-omop").with("table", name)));
        };
        let path = folder.join(format!("{name}.csv"));
        if std::fs::symlink_metadata(&path).is_ok() {
            out.insert(name.clone(), table_of(table, &path)?);
        } else if known(name) && folder.is_dir() && std::fs::read_dir(folder).is_ok_and(|mut d| d.next().is_some()) {
            // Without it everybody would look alike.
            return Err(Failure::Refused(Message::new("anonymity-policy-known-missing").with("file", path.display())));
        } else {
            missing.push(name.clone());
        }
    }
    // Of what is not there the result says that there is nothing: whoever holds it against the policy finds every table of it.
    for table in missing.iter().filter(|_| !out.is_empty()).filter_map(|name| Table::by_name(name)).collect::<Vec<_>>() {
        out.insert(table.name().to_owned(), RecordBatch::new_empty(table.omop_schema()));
    }
    Ok((out, missing))
}

/// Days that a date of a person can be: 1850 to 2199. What lies outside would be a mark of its own.
const DAYS: std::ops::Range<i32> = -43_829..84_006;

/// A table of OMOP from CSV with a header row. A column that is not there is empty throughout; what is not empty has to be of the column's type.
fn table_of(table: Table, path: &Path) -> Result<RecordBatch, Failure> {
    let bytes = lines::read(path)?;
    let mut reader = csv::ReaderBuilder::new().from_reader(&bytes[..]);
    let mut counted = Lines::new(&bytes);
    let refused = |code: &'static str, line: u64, column: &str| {
        let place = Message::new(code).with("file", path.display()).with("line", line).with("column", column);
        Failure::Refused(place)
    };
    let header = reader.headers().map_err(|e| refused("anonymity-policy-line", counted.at(e.position()), ""))?.clone();
    let schema = table.omop_schema();
    if header.iter().all(str::is_empty) {
        return Err(refused("anonymity-policy-line", 1, ""));
    }
    for (n, column) in header.iter().enumerate() {
        if schema.field_with_name(column).is_err() {
            return Err(refused("anonymity-policy-column", 1, column));
        }
        if header.iter().take(n).any(|c| c == column) {
            return Err(refused("anonymity-policy-column-twice", 1, column));
        }
    }
    let mut cells: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
    let mut lines = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|e| refused("anonymity-policy-line", counted.at(e.position()), ""))?;
        lines.push(counted.at(row.position()));
        for (column, cell) in cells.iter_mut().zip(&row) {
            column.push((!cell.is_empty()).then(|| cell.to_owned()));
        }
    }
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let Some(column) = header.iter().position(|c| c == field.name()) else {
            if !field.is_nullable() && !lines.is_empty() {
                return Err(refused("anonymity-policy-column-missing", 1, field.name()));
            }
            columns.push(new_null_array(field.data_type(), lines.len()));
            continue;
        };
        let texts = StringArray::from(std::mem::take(&mut cells[column]));
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let typed = cast_with_options(&texts, field.data_type(), &options).map_err(|e| unreadable(path, &e))?;
        let day = typed.as_primitive_opt::<Date32Type>();
        let no_day = |row: usize| day.is_some_and(|days| days.is_valid(row) && !DAYS.contains(&days.value(row)));
        let number = typed.as_primitive_opt::<Float64Type>();
        let no_number = |row: usize| number.is_some_and(|n| n.is_valid(row) && !n.value(row).is_finite());
        let wrong = (0..texts.len()).find(|row| {
            let empty = typed.is_null(*row) && (texts.is_valid(*row) || !field.is_nullable());
            empty || no_day(*row) || no_number(*row)
        });
        if let Some(row) = wrong {
            let code = if texts.is_valid(row) { "anonymity-policy-cell" } else { "anonymity-policy-cell-empty" };
            return Err(refused(code, lines[row], field.name()));
        }
        if (table, field.name().as_str()) == (Table::Person, "person_id") {
            let ids = typed.as_primitive_opt::<Int64Type>().map(|ids| ids.values().to_vec()).unwrap_or_default();
            let mut seen = HashSet::new();
            if let Some(row) = ids.iter().position(|id| !seen.insert(*id)) {
                return Err(refused("anonymity-policy-person-twice", lines[row], field.name()));
            }
        }
        columns.push(Arc::clone(&typed));
    }
    RecordBatch::try_new(schema, columns).map_err(|e| unreadable(path, &e))
}
