//! Looking at files without writing anything: what they are, what is wrong in them, what they say.

use std::io::{Error, Read as _};
use std::path::Path;

use arrow::array::Array as _;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::source::Source;
use super::{ConvertError, ReadError};
use crate::any::{AnyPrescan, AnyReader};
use crate::checkup::Mapping;
use crate::detect::{LOOKED_AT, detect};
use crate::{Chunk, Format, Reader as _};

fn open(path: &Path) -> Result<Source, ConvertError> {
    let kind = std::fs::metadata(path).map_err(|source| ConvertError::Read { path: path.to_owned(), source })?;
    if !kind.is_dir() && !kind.is_file() {
        // A stream would have to be copied to be read twice, and there is no place that was named for it.
        let source = Error::other("not a directory and not a file");
        return Err(ConvertError::Read { path: path.to_owned(), source });
    }
    Source::open(path, path)
}

/// Every file at `path` with the format that it is of.
///
/// # Errors
/// When it cannot be read.
pub fn formats_at(path: &Path, found: &mut dyn FnMut(&str, Option<Format>)) -> Result<(), ConvertError> {
    open(path)?.walk(&mut |member| {
        let mut bytes = Vec::new();
        let read = member.content.take(LOOKED_AT as u64).read_to_end(&mut bytes);
        read.map_err(|source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source })?;
        found(member.path, detect(member.path, &bytes));
        Ok(())
    })
}

/// Reads what is at `path` and gives away the chunks.
///
/// # Errors
/// When it cannot be read.
pub fn read_at(
    from: Option<Format>,
    path: &Path,
    mapping: Option<Mapping>,
    take: &mut dyn FnMut(Chunk),
) -> Result<(), ConvertError> {
    let source = open(path)?;
    let mut prescan = AnyPrescan::new(from);
    source.walk(&mut |member| prescan.member(member))?;
    let mut reader = AnyReader::new(from, prescan, mapping);
    let mut out = |chunk: Chunk| {
        take(chunk);
        Ok(())
    };
    source.walk(&mut |member| reader.member(member, &mut out))?;
    reader.finish(&mut out)?;
    take(Chunk { patients: Vec::new(), tables: Vec::new(), findings: source.findings(), counts: crate::Counts::default() });
    Ok(())
}

/// The rows of a chunk as lines: patient, table, and the columns that state something.
///
/// # Errors
/// When a column cannot be shown, which none of ours is.
pub fn lines_of(chunk: &Chunk) -> Result<Vec<String>, ReadError> {
    let options = FormatOptions::default();
    let mut lines = Vec::new();
    for (table, batch) in &chunk.tables {
        let schema = batch.schema();
        let columns: Result<Vec<_>, _> = batch.columns().iter().map(|c| ArrayFormatter::try_new(c, &options)).collect();
        let columns = columns?;
        for row in 0..batch.num_rows() {
            let patient = columns.first().map(|c| c.value(row).to_string()).and_then(|n| n.parse::<usize>().ok());
            let patient = patient.and_then(|n| chunk.patients.get(n)).map_or("", |p| p.local_id.as_str());
            let mut line = format!("{patient} {}:", table.name());
            for ((field, values), shown) in schema.fields().iter().zip(batch.columns()).zip(&columns).skip(4) {
                let value = if values.is_valid(row) { shown.value(row).to_string() } else { String::new() };
                let noise = value == "0" && field.name().ends_with("_id");
                if value.is_empty() || noise || table.row_id() == Some(field.name()) {
                    continue;
                }
                line.push_str(&format!(" {}={value};", field.name()));
            }
            lines.push(line);
        }
    }
    Ok(lines)
}
