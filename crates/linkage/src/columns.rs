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

/// Columns that are read only where a map names them: a table of Japan may well have a column `state` that is something else. A table with
/// one of them has addresses in parts, a personal identifier, and names in Latin letters in the columns of written names; `address` and the
/// insurance card have no say then.
pub const PART_COLUMNS: [&str; 6] = ["personal_id", "street_number", "street", "building", "suburb", "state"];

/// Both, in this order.
pub(crate) const ALL: [&str; COLUMNS.len() + PART_COLUMNS.len()] = {
    let mut all = [""; COLUMNS.len() + PART_COLUMNS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < COLUMNS.len() { COLUMNS[at] } else { PART_COLUMNS[at - COLUMNS.len()] };
        at += 1;
    }
    all
};

/// For each of [`ALL`] its place among the columns of a table.
pub(crate) type Places = [Option<usize>; ALL.len()];

/// Whether a table with these columns has addresses in parts.
pub(crate) fn in_parts(places: &Places) -> bool {
    places[COLUMNS.len()..].iter().any(Option::is_some)
}

/// Which column of a table holds which of [`COLUMNS`] and [`PART_COLUMNS`].
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
            let column = ALL.into_iter().find(|c| *c == ours).ok_or(LinkageError::MapUnknown { entry: at + 1 })?;
            map.insert(column, theirs.to_owned());
        }
        Ok(Self(map))
    }

    /// Where the columns stand in a table with this header.
    pub(crate) fn places(&self, header: &[&str]) -> Result<Places, LinkageError> {
        let mut places = [None; ALL.len()];
        for (at, (place, column)) in places.iter_mut().zip(ALL).enumerate() {
            let own = if at < COLUMNS.len() { column } else { "" };
            let wanted = self.0.get(column).map_or(own, String::as_str);
            if wanted.is_empty() && column != "record_id" {
                continue;
            }
            let found = header.iter().position(|h| h.trim() == wanted);
            *place = Some(found.ok_or(LinkageError::ColumnMissing { table: "people", column })?);
        }
        Ok(places)
    }
}
