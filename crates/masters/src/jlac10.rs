//! Tests by JLAC10: analyte 5, identification 4, material 3, method 3, result 2 characters.
//!
//! Hospitals send 17 characters or 15 (without the result), and fill parts that they do not know with 0 or 9. So a code is looked for by
//! as much of it as the master has, and the answer says by how much.

use crate::edition::Row;
use crate::editions::{Masters, Resolved};
use crate::kind::Kind;

/// By how much of a code its rows were found, the most exact first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exactness {
    /// The code itself.
    Whole,
    /// All but the result: the first 15 characters.
    WithoutResult,
    /// Analyte, identification and material: the first 12 characters.
    WithoutMethod,
    /// Analyte and material.
    AnalyteAndMaterial,
    /// The analyte alone; only for a code that has no material (`000` or `999`).
    Analyte,
}

/// What a test's code may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tests<'m> {
    /// All rows that fit, in the order of their codes.
    pub rows: Vec<Resolved<'m>>,
    /// By how much.
    pub exactness: Exactness,
}

impl Tests<'_> {
    /// The name that all rows have; none where they have several.
    pub fn name(&self) -> Option<&str> {
        one_name(&self.rows)
    }
}

/// The name that all rows have.
pub(crate) fn one_name<'m>(rows: &[Resolved<'m>]) -> Option<&'m str> {
    let first: &'m Row = rows.first()?.row;
    rows.iter().all(|r| r.row.name == first.name).then_some(&*first.name).filter(|name| !name.is_empty())
}

impl Masters {
    /// Rows of a test's code of 15 or 17 characters (hyphens between its parts are left out) on a day: by the whole code, else by the
    /// longest beginning that ends with one of its parts, else by analyte and material. None for another length.
    pub fn tests(&self, code: &str, day: i32) -> Option<Tests<'_>> {
        let plain;
        let code = if code.contains('-') {
            plain = code.replace('-', "");
            plain.as_str()
        } else {
            code
        };
        if !matches!(code.len(), 15 | 17) || !code.is_ascii() {
            return None;
        }
        let whole: Vec<_> = self.resolve(Kind::Jlac10, code, day).into_iter().collect();
        if !whole.is_empty() {
            return Some(Tests { rows: whole, exactness: Exactness::Whole });
        }
        for (length, exactness) in [(15, Exactness::WithoutResult), (12, Exactness::WithoutMethod)] {
            let rows = self.resolve_beginning(Kind::Jlac10, &code[..length], day);
            if !rows.is_empty() {
                return Some(Tests { rows, exactness });
            }
        }
        let (analyte, material) = (&code[..5], &code[9..12]);
        let rows = self.all(Kind::Jlac10, day, |loaded| {
            let rows = loaded.edition.rows_beginning(analyte).iter();
            rows.filter(|row| row.code.get(9..12) == Some(material)).collect()
        });
        if !rows.is_empty() {
            return Some(Tests { rows, exactness: Exactness::AnalyteAndMaterial });
        }
        if !matches!(material, "000" | "999") {
            return None;
        }
        let rows = self.resolve_beginning(Kind::Jlac10, analyte, day);
        if rows.is_empty() { None } else { Some(Tests { rows, exactness: Exactness::Analyte }) }
    }
}
