//! From when to when codes are in use, from a file.

use std::path::Path;

use anonymity::calendar::{Span, Validity};
use anonymity::profile::{Profile, Treatment, split_column};
use arrow::compute::kernels::cast_utils::Parser as _;
use arrow::datatypes::Date32Type;
use messages::Message;

use super::lines::{self, Lines};
use crate::failure::Failure;

const HEADER: [&str; 4] = ["column", "code", "valid_from", "valid_to"];

/// CSV with the header `column,code,valid_from,valid_to`: a column of codes of the profile (`TABLE.COLUMN`), a code as the column writes it, its first and its
/// last day (`YYYY-MM-DD`); an empty day is open.
pub(super) fn read(path: &Path, profile: &Profile) -> Result<Validity, Failure> {
    let bytes = lines::read(path)?;
    let mut reader = csv::ReaderBuilder::new().from_reader(&bytes[..]);
    let mut lines = Lines::new(&bytes);
    let refused = |line: u64, column: &str| {
        let place =
            Message::new("anonymity-validity-line").with("file", path.display()).with("line", line).with("column", column);
        Failure::Refused(place)
    };
    let header = reader.headers().map_err(|e| refused(lines.at(e.position()), ""))?;
    if header.iter().map(|h| h.trim_start_matches('\u{feff}').trim()).ne(HEADER) {
        return Err(refused(1, &HEADER.join(",")));
    }
    let mut validity = Validity::default();
    for row in reader.records() {
        let row = row.map_err(|e| refused(lines.at(e.position()), ""))?;
        let line = lines.at(row.position());
        let cell = |n: usize| row.get(n).unwrap_or_default().trim();
        let codes = split_column(cell(0)).and_then(|(table, column)| profile.treatment(table, column));
        if !matches!(codes, Some(Treatment::Code { .. })) {
            return Err(refused(line, HEADER[0]));
        }
        if cell(1).is_empty() {
            return Err(refused(line, HEADER[1]));
        }
        let day = |n: usize| match cell(n) {
            "" => Ok(None),
            text => Date32Type::parse(text).map(Some).ok_or_else(|| refused(line, HEADER[n])),
        };
        let span = Span { from: day(2)?, to: day(3)? };
        if span.from.zip(span.to).is_some_and(|(from, to)| from > to) {
            return Err(refused(line, HEADER[3]));
        }
        validity.add(cell(0), cell(1), span);
    }
    Ok(validity)
}
