//! Readers of the three files. Columns by the names of their header (OMOP CDM v5.4, tables CONCEPT, CONCEPT_RELATIONSHIP,
//! SOURCE_TO_CONCEPT_MAP), in any order and case, others beside them.

use std::borrow::Cow;
use std::io::BufRead;

use super::{Concept, Filter, Mapping, Vocabulary};
use crate::dates;
use crate::error::MasterError;
use crate::text::{self, Stream};

/// How many rows a file had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Rows, without the header.
    pub rows: u64,
    /// Rows that were kept.
    pub kept: u64,
}

impl Vocabulary {
    /// Reads Athena's `CONCEPT.csv` (separated by tabs, without quotes). A second file adds to the first.
    ///
    /// # Errors
    /// [`MasterError`] by line and column, for rows that would be kept.
    pub fn read_concepts(&mut self, reader: impl BufRead, filter: &Filter) -> Result<Kept, MasterError> {
        const COLUMNS: [&str; 6] =
            ["concept_id", "domain_id", "vocabulary_id", "standard_concept", "concept_code", "invalid_reason"];
        let mut stream = Stream::new(reader);
        let mut kept = Kept::default();
        let Some(places) = header(&mut stream, &COLUMNS)? else { return Ok(kept) };
        let mut domains: std::collections::HashMap<Box<str>, u32> =
            self.domains.iter().zip(0u32..).map(|(name, number)| (name.clone(), number)).collect();
        while let Some((number, line)) = stream.next_line()? {
            kept.rows += 1;
            let row = Columns { names: &COLUMNS, places: &places, line, number };
            let vocabulary = row.get(2)?;
            let (source, target) = (filter.is_source(vocabulary), filter.is_target(vocabulary));
            if !source && !target {
                continue;
            }
            let standard = row.get(3)? == "S" && row.get(5)?.is_empty();
            if !source && !standard {
                continue;
            }
            let id = row.id(0)?;
            let domain = row.get(1)?;
            let domain = match domains.get(domain) {
                Some(number) => *number,
                None => {
                    let number = self.domains.len() as u32;
                    self.domains.push(domain.into());
                    domains.insert(domain.into(), number);
                    number
                }
            };
            self.concepts.insert(id, Concept { domain, standard });
            if source {
                let code = row.get(4)?;
                if !self.codes.contains_key(vocabulary) {
                    self.codes.insert(vocabulary.into(), Default::default());
                }
                let withdrawn = !row.get(5)?.is_empty();
                if let Some(codes) = self.codes.get_mut(vocabulary) {
                    // Of a code that was given anew the concept that was not withdrawn counts.
                    if !withdrawn || !codes.contains_key(code) {
                        codes.insert(code.into(), id);
                    }
                }
                self.sources.insert(id);
            }
            kept.kept += 1;
        }
        Ok(kept)
    }

    /// Reads Athena's `CONCEPT_RELATIONSHIP.csv`, after its concepts: kept is what is `Maps to`, is not withdrawn, and begins at a
    /// concept that is asked for by its code.
    ///
    /// # Errors
    /// [`MasterError`] by line and column, for rows of `Maps to`.
    pub fn read_relationships(&mut self, reader: impl BufRead) -> Result<Kept, MasterError> {
        const COLUMNS: [&str; 4] = ["concept_id_1", "concept_id_2", "relationship_id", "invalid_reason"];
        let mut stream = Stream::new(reader);
        let mut kept = Kept::default();
        let Some(places) = header(&mut stream, &COLUMNS)? else { return Ok(kept) };
        while let Some((number, line)) = stream.next_line()? {
            kept.rows += 1;
            let row = Columns { names: &COLUMNS, places: &places, line, number };
            if row.get(2)? != "Maps to" || !row.get(3)?.is_empty() {
                continue;
            }
            let (from, to) = (row.id(0)?, row.id(1)?);
            if self.sources.contains(&from) {
                self.maps_to.entry(from).or_default().push(to);
                kept.kept += 1;
            }
        }
        Ok(kept)
    }

    /// Reads a `source_to_concept_map`, separated by commas (fields quoted or not) or tabs. Rows with an `invalid_reason` are not kept;
    /// a day that is not given has no bound; target 0 says that the code has no standard concept.
    ///
    /// # Errors
    /// [`MasterError`] by line and column.
    pub fn read_source_to_concept_map(&mut self, reader: impl BufRead) -> Result<Kept, MasterError> {
        const COLUMNS: [&str; 7] = [
            "source_code",
            "source_concept_id",
            "source_vocabulary_id",
            "target_concept_id",
            "valid_start_date",
            "valid_end_date",
            "invalid_reason",
        ];
        let mut stream = Stream::new(reader);
        let mut kept = Kept::default();
        let Some((number, first)) = stream.next_line()? else { return Ok(kept) };
        let mark = if first.contains('\t') { b'\t' } else { b',' };
        let places = places(&quoted(first, mark, number)?, &COLUMNS)?;
        while let Some((number, line)) = stream.next_line()? {
            let fields = quoted(line, mark, number)?;
            kept.rows += 1;
            let get = |at: usize| {
                let field = fields.get(places[at]).map(|f| f.trim());
                field.ok_or(MasterError::NoColumn { line: number, column: COLUMNS[at] })
            };
            let id = |at: usize| {
                let text = get(at)?;
                let id = if text.is_empty() && at == 1 { Some(0) } else { text.parse().ok().filter(is_given) };
                id.ok_or_else(|| value(number, COLUMNS[at], text, "concept id up to 2000000000"))
            };
            let day = |at: usize, none: i32| match get(at)? {
                "" => Ok(none),
                text => dates::any(text).ok_or_else(|| value(number, COLUMNS[at], text, "day (YYYY-MM-DD or YYYYMMDD)")),
            };
            let (code, vocabulary) = (get(0)?, get(2)?);
            for (at, text) in [(0, code), (2, vocabulary)] {
                if text.is_empty() {
                    return Err(value(number, COLUMNS[at], text, "code or vocabulary"));
                }
            }
            let mapping = Mapping { source: id(1)?, target: id(3)?, from: day(4, i32::MIN)?, to: day(5, i32::MAX)? };
            if mapping.to < mapping.from {
                return Err(value(number, COLUMNS[5], get(5)?, "day after the first one"));
            }
            // ICD-10 is asked for with its dot, as Athena has it.
            let dotted = (vocabulary == "ICD10").then(|| crate::editions::icd10_with_dot(code)).flatten();
            let code = dotted.as_deref().unwrap_or(code);
            if !matches!(get(6)?, "" | "NULL") {
                continue;
            }
            if !self.maps.contains_key(vocabulary) {
                self.maps.insert(vocabulary.into(), Default::default());
            }
            if let Some(codes) = self.maps.get_mut(vocabulary) {
                codes.entry(code.into()).or_default().push(mapping);
            }
            kept.kept += 1;
        }
        Ok(kept)
    }
}

/// Whether an id is one of a vocabulary's: those over 2,000,000,000 are given to an instance's own codes, here.
#[allow(clippy::trivially_copy_pass_by_ref)] // as `filter` calls it
fn is_given(id: &i32) -> bool {
    (0..crate::local::FIRST).contains(id)
}

fn value(line: u64, column: &'static str, text: &str, expected: &'static str) -> MasterError {
    // Words are not shown: a file that is no map may be a list of people.
    let shown = text.len() <= 20 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    MasterError::Value { line, column, value: if shown { text.to_owned() } else { "…".to_owned() }, expected }
}

fn quoted(line: &str, mark: u8, number: u64) -> Result<Vec<Cow<'_, str>>, MasterError> {
    let mut fields = Vec::new();
    text::fields(line, mark, &mut fields).map_err(|_| MasterError::Quotes { line: number })?;
    Ok(fields)
}

/// Places of the columns in a header.
fn places<const N: usize>(header: &[Cow<'_, str>], names: &[&'static str; N]) -> Result<[usize; N], MasterError> {
    let mut places = [0; N];
    for (place, name) in places.iter_mut().zip(names) {
        let found = header.iter().position(|f| f.trim().eq_ignore_ascii_case(name));
        *place = found.ok_or(MasterError::Header { column: name })?;
    }
    Ok(places)
}

/// Reads the header of a file of Athena; none where there is no line at all.
fn header<R: BufRead, const N: usize>(
    stream: &mut Stream<R>,
    names: &[&'static str; N],
) -> Result<Option<[usize; N]>, MasterError> {
    let Some((_, line)) = stream.next_line()? else { return Ok(None) };
    let fields: Vec<Cow<'_, str>> = line.split('\t').map(Cow::Borrowed).collect();
    places(&fields, names).map(Some)
}

/// A line of Athena's, its columns where they are asked for.
struct Columns<'l, const N: usize> {
    names: &'static [&'static str; N],
    places: &'l [usize; N],
    line: &'l str,
    number: u64,
}

impl<'l, const N: usize> Columns<'l, N> {
    fn get(&self, at: usize) -> Result<&'l str, MasterError> {
        let field = self.line.split('\t').nth(self.places[at]);
        field.ok_or(MasterError::NoColumn { line: self.number, column: self.names[at] })
    }

    fn id(&self, at: usize) -> Result<i32, MasterError> {
        let text = self.get(at)?;
        let id = text.parse().ok().filter(is_given);
        id.ok_or_else(|| value(self.number, self.names[at], text, "concept id up to 2000000000"))
    }
}
