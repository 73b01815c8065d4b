//! `azekura anonymize --policy`: tables of a cohort by a profile, without an instance.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anonymity::recount::recount;
use anonymity::{Dataset, Kind, PersonIds, Profile, process, report_html};
use arrow::array::{Array as _, ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use messages::{Lang, Message};
use omop::Table;

use super::place;
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Treats `DIR/TABLE.csv` for every table of the profile into a new folder: tables as CSV, the report as JSON and as a page, the dictionary, the
/// profile. The folder is there whole or not at all.
pub fn run(policy: &Path, input: &Path, out: &Path, shown: &Shown) -> Result<Outcome, Failure> {
    let text = read_text(policy)?;
    let profile = Profile::parse(&text).map_err(|e| Failure::Refused(e.message()))?;
    if profile.kind == Kind::LinkableAnonymized {
        return Err(Failure::Refused(Message::new("anonymity-policy-linkable")));
    }
    if out.exists() {
        return Err(Failure::Refused(Message::new("anonymity-policy-out-there").with("folder", out.display())));
    }
    if place(out).starts_with(place(input)) {
        return Err(Failure::Usage("--out: not within the folder that is read".to_owned()));
    }
    let tables = tables(&profile, input)?;
    if tables.is_empty() {
        return Err(Failure::Refused(Message::new("anonymity-policy-no-table").with("folder", input.display())));
    }
    let data = Dataset::new(tables);
    let treated = process(&profile, &data, PersonIds::New, &mut anonymity::micro::randomness());
    let (processed, report) = treated.map_err(|e| Failure::Refused(e.message()))?;
    let again = recount(&profile, processed.tables());
    let leaks = again.rare_codes.len() + again.times_of_day.len() + again.local_codes.len() + again.few_combinations;
    if processed.kind().is_anonymized() && leaks > 0 {
        return Err(Failure::Refused(Message::new("core-dataset-recount").with("count", leaks)));
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
    write(out, files)?;
    let rows: usize = processed.tables().values().map(RecordBatch::num_rows).sum();
    let done = Message::new("anonymity-policy-done")
        .with("persons", report.persons_after)
        .with("before", report.persons_before)
        .with("rows", rows)
        .with("folder", out.display());
    shown.result(&report, &[done]);
    Ok(Outcome::Done)
}

/// Writes beside the place and moves it there, so that a run that is killed leaves nothing that looks whole.
fn write(out: &Path, files: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    let mut name = out.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    if new.exists() {
        durable::remove_tree(&new)?;
    }
    durable::create_dir(&new)?;
    for (name, bytes) in files {
        durable::write_atomic(&new.join(name), &bytes)?;
    }
    durable::rename(&new, out)?;
    Ok(())
}

fn unreadable(path: &Path, reason: &dyn std::fmt::Display) -> Failure {
    let file = path.display().to_string();
    Failure::Refused(anonymity::table::TableError::Unreadable { file, reason: reason.to_string() }.message())
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    File::open(path).and_then(|mut f| f.read_to_string(&mut text)).map_err(|e| unreadable(path, &e))?;
    Ok(text)
}

fn tables(profile: &Profile, folder: &Path) -> Result<BTreeMap<String, RecordBatch>, Failure> {
    let mut out = BTreeMap::new();
    for name in profile.tables.keys() {
        let Some(table) = Table::by_name(name) else {
            return Err(Failure::Refused(Message::new("anonymity-policy-not-omop").with("table", name)));
        };
        let path = folder.join(format!("{name}.csv"));
        if path.exists() {
            out.insert(name.clone(), table_of(table, &path)?);
        }
    }
    Ok(out)
}

/// A table of OMOP from CSV with a header row. A column that is not there is empty throughout; what is not empty has to be of the column's type.
fn table_of(table: Table, path: &Path) -> Result<RecordBatch, Failure> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let mut reader = csv::ReaderBuilder::new().from_reader(std::io::BufReader::new(file));
    let refused = |code: &'static str, line: u64, column: &str| {
        let place = Message::new(code).with("file", path.display()).with("line", line).with("column", column);
        Failure::Refused(place)
    };
    let at = |e: &csv::Error| e.position().map_or(0, csv::Position::line);
    let header = reader.headers().map_err(|e| refused("anonymity-policy-line", at(&e), ""))?.clone();
    let schema = table.omop_schema();
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
        let row = row.map_err(|e| refused("anonymity-policy-line", at(&e), ""))?;
        lines.push(row.position().map_or(0, csv::Position::line));
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
        let wrong = (0..texts.len()).find(|row| typed.is_null(*row) && (texts.is_valid(*row) || !field.is_nullable()));
        if let Some(row) = wrong {
            let code = if texts.is_valid(row) { "anonymity-policy-cell" } else { "anonymity-policy-cell-empty" };
            return Err(refused(code, lines[row], field.name()));
        }
        columns.push(Arc::clone(&typed));
    }
    RecordBatch::try_new(schema, columns).map_err(|e| unreadable(path, &e))
}
