//! Which amounts count: those of the EF files tell what claims and D files tell better.

use std::collections::HashSet;
use std::sync::Arc;

use super::kinds::kind_of;
use super::layouts::Kind;
use super::reader::id_text;
use crate::columns::Splitter;
use crate::days::Month;
use crate::lines::Lines;
use crate::seen::{ByItself, key};
use crate::written::Scribe;
use crate::{Member, ReadError};

/// What better sources of amounts there are: claims of a hospital, month and class, and stays of D files. Of each other hospital, month and
/// stay the next best counts.
#[derive(Clone, Default, Debug)]
pub struct Amounts(Arc<Better>);

#[derive(Default, Debug)]
struct Better {
    /// Hospital (prefecture and seven digits), month, inpatients.
    claims: HashSet<(String, i32, bool)>,
    stays: HashSet<u128, ByItself>,
}

impl Amounts {
    /// From claims (institution of ten digits, month, inpatients) and the stays that a [`Prescan`] found.
    pub fn of(claims: impl IntoIterator<Item = (String, i32, bool)>, prescan: Prescan) -> Self {
        let nine =
            |code: String| if code.len() == 10 && code.is_ascii() { format!("{}{}", &code[..2], &code[3..]) } else { code };
        let claims = claims.into_iter().map(|(code, month, inpatient)| (nine(code), month, inpatient)).collect();
        Amounts(Arc::new(Better { claims, stays: prescan.0 }))
    }

    /// Whether an amount of a D file (`bundle`) or an EF file counts.
    pub(super) fn count(&self, facility: &str, on: i32, inpatient: bool, stay: u128, bundle: bool) -> bool {
        let claimed = self.0.claims.contains(&(facility.to_owned(), Month::at(on).number(), inpatient));
        !claimed && (bundle || !inpatient || !self.0.stays.contains(&stay))
    }
}

/// A stay, whatever zeros its patient's number begins with.
pub(super) fn stay(facility: &str, id: &str, admission: &[u8]) -> u128 {
    let bare = id.trim_start_matches('0');
    key(&[b"stay", facility.as_bytes(), bare.as_bytes(), admission])
}

/// Finds the stays of D files, before any row is made.
#[derive(Default)]
pub struct Prescan(HashSet<u128, ByItself>);

impl Prescan {
    /// Looks at a file; its first bytes are `beginning`.
    ///
    /// # Errors
    /// When the input fails.
    pub fn member(&mut self, member: Member<'_>, beginning: &[u8]) -> Result<(), ReadError> {
        if kind_of(member.path, beginning) != Some(Kind::D) {
            return Ok(());
        }
        let input = |source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source };
        let mut lines = Lines::new(member.content, super::reader::LONGEST);
        let mut scribe = Scribe::of(lines.peek(64 << 10).map_err(input)?);
        let mut splitter = Splitter::default();
        while let Some(line) = lines.next().map_err(input)? {
            // Facility, number, discharge, admission: the first four columns of every edition.
            let row = splitter.split(line.bytes, b'\t');
            let facility = String::from_utf8_lossy(row.get(1)).into_owned();
            self.0.insert(stay(&facility, &id_text(row.get(2), &mut scribe), row.get(4)));
            let _ = scribe.take();
        }
        Ok(())
    }
}
