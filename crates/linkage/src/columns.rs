//! The columns of a table of people, under our names or under others.

use std::collections::BTreeMap;

use crate::error::LinkageError;

/// The columns that linkage reads, by our names.
pub const COLUMNS: [&str; 16] = [
    "record_id",
    "institution_id",
    "registered_on",
    "family_kanji",
    "given_kanji",
    "family_kana",
    "given_kana",
    "sex",
    "birth_date",
    "postal_code",
    "address",
    "phone",
    "insurer_number",
    "insured_symbol",
    "insured_number",
    "insured_branch",
];

/// Which column of a table holds which of [`COLUMNS`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap(BTreeMap<&'static str, String>);

impl ColumnMap {
    /// From pairs of our name and the name in the table; an empty name says that the table has no such column. Columns that are not named
    /// keep our names.
    ///
    /// # Errors
    /// [`LinkageError::MapUnknown`] for a name that is not ours.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, LinkageError> {
        let mut map = BTreeMap::new();
        for (at, (ours, theirs)) in pairs.into_iter().enumerate() {
            let column = COLUMNS.into_iter().find(|c| *c == ours).ok_or(LinkageError::MapUnknown { entry: at + 1 })?;
            map.insert(column, theirs.to_owned());
        }
        Ok(Self(map))
    }

    /// For each of [`COLUMNS`] its place among the columns of a table.
    pub(crate) fn places(&self, header: &[&str]) -> Result<[Option<usize>; COLUMNS.len()], LinkageError> {
        let mut places = [None; COLUMNS.len()];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            let wanted = self.0.get(column).map_or(column, String::as_str);
            if wanted.is_empty() && column != "record_id" {
                continue;
            }
            let found = header.iter().position(|h| h.trim() == wanted);
            *place = Some(found.ok_or(LinkageError::ColumnMissing { table: "people", column })?);
        }
        Ok(places)
    }
}
