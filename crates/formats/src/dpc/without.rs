//! DPC files without some people: each line names its patient, and stays or goes.

use std::io::{Read, Write};

use super::kinds::{is_header, kind_of};
use super::layouts::{Kind, Role, layout};
use super::reader::{LONGEST, Names, id_text};
use crate::Home;
use crate::columns::{Row, Splitter};
use crate::without::{Kept, People, Raw, WithoutError, nobodys};
use crate::written::Scribe;

/// Writes a file without the lines of those who are left out.
pub fn write_without(
    path: &str,
    content: &mut dyn Read,
    out: &mut dyn Write,
    home: &Home,
    people: &mut People,
) -> Result<Kept, WithoutError> {
    let (mut lines, beginning) = Raw::new(content, LONGEST)?;
    let kind = kind_of(path, &beginning);
    let (mut scribe, mut splitter) = (Scribe::of(&beginning), Splitter::default());
    let (mut kept, mut first, mut names) = (Kept::default(), true, None);
    // Lines of one patient mostly stand together.
    let mut last: Option<(Vec<u8>, bool)> = None;
    while lines.advance(path)? {
        let number = lines.number();
        let unknown = |why| nobodys(path, number, why);
        if lines.is_blank() {
            out.write_all(lines.whole())?;
            continue;
        }
        let kind = kind.ok_or_else(|| unknown("dpc-unknown-file"))?;
        if lines.is_torn() {
            return Err(unknown("formats-line-in-line"));
        }
        let bytes = lines.text();
        let bytes = bytes.strip_suffix(&[0x1A]).unwrap_or(bytes);
        let row = match memchr::memchr(b'"', bytes) {
            Some(_) => splitter.split_quoted(bytes, b'\t'),
            None => splitter.split(bytes, b'\t'),
        };
        // A heading is nobody's.
        let heading = std::mem::take(&mut first) && is_header(row.get(1), &mut scribe);
        if heading && has_long_number(row, &mut scribe) {
            return Err(unknown("formats-no-patient"));
        }
        if heading && kind == Kind::K {
            names = Some(Names::of(row, &mut scribe));
        }
        if heading || (kind == Kind::FF3 && is_of_wards(row, home, &mut scribe)) {
            out.write_all(lines.whole())?;
            continue;
        }
        let (facility, id) = match kind {
            Kind::FF3 => return Err(unknown("dpc-not-wards")),
            Kind::K => names.as_ref().map(Names::of_patient).ok_or_else(|| unknown("dpc-k-layout"))?,
            // Where a line says whose it is, is the same in every edition of its kind (a test of the layouts).
            _ => {
                let layout = layout(kind, i32::MAX - 1).ok_or_else(|| unknown("dpc-unknown-file"))?.0;
                (layout.at(Role::facility), layout.at(Role::data_id))
            }
        };
        let (facility, id) = (row.get(facility), row.get(id));
        let key = [facility, id].join(&b'\t');
        let left = match &last {
            Some((before, left)) if *before == key => *left,
            _ => {
                let (facility, id) = (id_text(facility, &mut scribe), id_text(id, &mut scribe));
                if facility.is_empty() || id.is_empty() {
                    return Err(unknown("formats-no-patient"));
                }
                // A hospital's files are about itself. With a slip in the code each chart would be another institution's.
                if !home.is_insurer() && !home.is_home(&facility) {
                    return Err(unknown("formats-institution"));
                }
                people.is_left(&home.local_id(&facility, &id)).ok_or_else(|| unknown("formats-no-patient"))?
            }
        };
        last = Some((key, left));
        if left {
            kept.left_out += 1;
        } else {
            kept.people = true;
            out.write_all(lines.whole())?;
        }
    }
    Ok(kept)
}

/// Whether a line can be of 様式3, the facts of the hospital and its wards: the hospital's code, and no patient. Its columns are published nowhere.
fn is_of_wards(row: Row<'_>, home: &Home, scribe: &mut Scribe) -> bool {
    home.is_home(&id_text(row.get(1), scribe)) && !has_long_number(row, scribe)
}

/// Whether something stands behind the first field that is as long as a date (eight digits) or a patient's number (ten).
fn has_long_number(row: Row<'_>, scribe: &mut Scribe) -> bool {
    (2..=row.len()).any(|n| id_text(row.get(n), scribe).bytes().filter(u8::is_ascii_digit).count() >= 8)
}

#[cfg(test)]
mod tests {
    use super::super::layouts::LAYOUTS;
    use super::*;

    #[test]
    fn every_edition_of_a_kind_says_at_the_same_place_whose_a_line_is() {
        for one in LAYOUTS.iter() {
            let last = layout(one.kind, i32::MAX - 1).expect("a layout").0;
            for role in [Role::facility, Role::data_id] {
                assert!(one.at(role) > 0 && one.at(role) == last.at(role), "{:?}", one.kind);
            }
        }
    }
}
