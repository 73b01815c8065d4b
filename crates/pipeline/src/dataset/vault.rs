//! What was made, held against the identity vault: a name, an address or a telephone number of somebody in the cohort that stands in a cell
//! got past the treatment of its column, and nothing is made.
//!
//! Numbers of patients and insured persons are not looked for: they have no check digit, and as many digits as codes of diseases and acts. Their
//! columns are treated by the floor of the profile.

use std::collections::{BTreeMap, HashSet};

use anonymity::identifiers::plain;
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use lake::{Blocked, Snapshot};
use messages::Message;
use omop::Table;
use terms::RecordId;

use super::select::Selected;
use crate::error::Error;

/// Names shorter than this are words and codes too.
const LEAST_IDEOGRAPHIC: usize = 3;
const LEAST_LATIN: usize = 6;
const LEAST_TELEPHONE: usize = 10;

/// Shorter addresses name a prefecture or a municipality, which a class of places may too.
const LEAST_ADDRESS: usize = 10;

/// What stands between the parts of a code, and between codes.
const PARTS: [char; 12] = [':', '：', '+', '/', ',', ';', '|', '^', '&', '=', '_', ' '];

/// Looks for what the vault says of the cohort in every text of a result.
///
/// # Errors
/// A refusal that names the first column; the lake's.
pub(super) fn check(snapshot: &Snapshot, selected: &Selected, tables: &BTreeMap<String, RecordBatch>) -> Result<(), Error> {
    let mut records: Vec<RecordId> = selected.records.keys().map(|r| RecordId(*r)).collect();
    records.sort_unstable();
    let known = Known::of(&snapshot.records(Table::Identity, &records, Blocked::Include)?);
    match known.first_in(tables) {
        None => Ok(()),
        Some((table, column, cells)) => {
            let refusal = Message::new("core-dataset-vault").with("table", table).with("column", column).with("cells", cells);
            Err(Error::refused(refusal))
        }
    }
}

/// What says who somebody is, as it would stand in a text.
#[derive(Default)]
struct Known {
    texts: HashSet<String>,
    lengths: Vec<usize>,
}

impl Known {
    fn of(identity: &[RecordBatch]) -> Self {
        let mut known = Known::default();
        for batch in identity {
            let column = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
            let text = |name: &str, row: usize| column(name).filter(|c| c.is_valid(row)).map_or("", |c| c.value(row));
            for row in 0..batch.num_rows() {
                for (family, given) in [("family_name", "given_name"), ("family_kana", "given_kana")] {
                    known.add(text(family, row), text(given, row));
                    known.add(text(given, row), text(family, row));
                }
                for name in ["latin_name", "phone", "work_phone"] {
                    known.add(text(name, row), "");
                }
                if plain(text("address", row)).chars().count() >= LEAST_ADDRESS {
                    known.add(text("address", row), "");
                }
                let latin: Vec<&str> = text("latin_name", row).split_whitespace().collect();
                if let [one, other] = latin[..] {
                    known.add(other, one);
                }
            }
        }
        known.lengths = known.texts.iter().map(|t| t.chars().count()).collect::<HashSet<_>>().into_iter().collect();
        known.lengths.sort_unstable();
        known
    }

    fn add(&mut self, one: &str, other: &str) {
        let text = plain(&format!("{one}{other}"));
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let least = match () {
            () if digits => LEAST_TELEPHONE,
            () if text.is_ascii() => LEAST_LATIN,
            () => LEAST_IDEOGRAPHIC,
        };
        if text.chars().count() >= least {
            self.texts.insert(text);
        }
    }

    /// The first column in which any of it stands, and how many different cells.
    fn first_in<'t>(&self, tables: &'t BTreeMap<String, RecordBatch>) -> Option<(&'t str, String, usize)> {
        for (table, batch) in tables {
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                let Some(texts) = column.as_string_opt::<i32>() else { continue };
                let different: HashSet<&str> = texts.iter().flatten().collect();
                let cells = different.into_iter().filter(|cell| self.stands_in(cell)).count();
                if cells > 0 {
                    return Some((table, field.name().clone(), cells));
                }
            }
        }
        None
    }

    fn stands_in(&self, cell: &str) -> bool {
        let text = plain(cell);
        // A telephone number is a number by itself: among so many, one stands within some code of a test by chance.
        let number = |run: &str| run.len() >= LEAST_TELEPHONE && self.texts.contains(run);
        if text.split(|c: char| !c.is_ascii_digit()).any(number) {
            return true;
        }
        // Without what stands between them the last digit of a system's name would be the first of the number: MDCDX2:0300001234.
        let numbers = |part: &str| plain(part).split(|c: char| !c.is_ascii_digit()).any(number);
        if cell.split(PARTS).any(numbers) {
            return true;
        }
        let text: Vec<char> = text.chars().collect();
        let part =
            |chars: &[char]| !chars.iter().all(char::is_ascii_digit) && self.texts.contains(&chars.iter().collect::<String>());
        self.lengths.iter().take_while(|n| **n <= text.len()).any(|n| text.windows(*n).any(part))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    fn batch(columns: &[(&str, &str)]) -> RecordBatch {
        let columns = columns.iter().map(|(name, text)| (*name, Arc::new(StringArray::from(vec![*text])) as ArrayRef));
        RecordBatch::try_from_iter(columns).expect("a batch")
    }

    fn somebody() -> Known {
        Known::of(&[batch(&[
            ("family_name", "架空"),
            ("given_name", "花子"),
            ("family_kana", "カクウ"),
            ("given_kana", "ハナコ"),
            ("latin_name", "KAKUU HANAKO"),
            ("address", "東京都架空区一丁目2-3"),
            ("phone", "03-0000-1234"),
            ("work_phone", ""),
        ])])
    }

    // control: PRC-01
    #[test]
    fn a_name_an_address_or_a_telephone_number_of_the_cohort_is_seen_in_any_spelling() {
        let known = somebody();
        let said = [
            "架空花子",
            "架空 花子様",
            "紹介:架空　花子",
            "ｶｸｳ ﾊﾅｺ",
            "カクウハナコ",
            "Kakuu Hanako",
            "L:HANAKO-KAKUU",
            "東京都架空区一丁目２－３",
            "03(0000)1234",
            "0300001234",
            "MDCDX2:0300001234",
            "I10:E11+2:0300001234",
            "I10 0300001234",
        ];
        for cell in said {
            let tables = BTreeMap::from([("drug_exposure".to_owned(), batch(&[("stop_reason", cell), ("sig", "")]))]);
            assert_eq!(known.first_in(&tables), Some(("drug_exposure", "stop_reason".to_owned(), 1)), "{cell}");
        }
        for cell in
            ["その他", "MDCDX2:20059184", "花子", "架空", "mg/dL", "LN:1751-7", "陽性", "", "東京都", "3A03000012340000000"]
        {
            let tables = BTreeMap::from([("measurement".to_owned(), batch(&[("value_source_value", cell)]))]);
            assert_eq!(known.first_in(&tables), None, "{cell}");
        }
        // An address that names a prefecture alone says of nobody who it is.
        let empty =
            ["family_name", "given_name", "family_kana", "given_kana", "latin_name", "phone", "work_phone"].map(|c| (c, ""));
        let known = Known::of(&[batch(&[&empty[..], &[("address", "東京都")]].concat())]);
        let tables = BTreeMap::from([("visit_occurrence".to_owned(), batch(&[("care_site_name", "東京都")]))]);
        assert_eq!(known.first_in(&tables), None);
    }
}
