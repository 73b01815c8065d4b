//! What a body gives back: a linkage key for each person who was asked for.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type};

use crate::contact;
use crate::error::LinkageError;
use crate::key_query::insurer_digits;
use crate::people::{Columns, at};
use crate::text;

/// What no key may be, as it says who somebody is: ids, birth dates, symbols and numbers of cards. Holds them and prints none.
#[derive(Default)]
pub struct Telling(HashSet<String>);

impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Telling({})", self.0.len())
    }
}

/// Letters and digits alone, in one width and case.
fn bare(raw: &str) -> String {
    text::plain(raw).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

impl Telling {
    /// What says who these ids are, from the tables `identity` and `insurance` of their records.
    ///
    /// # Errors
    /// [`LinkageError::ColumnMissing`], [`LinkageError::ColumnType`].
    pub fn of(identity: &[RecordBatch], insurance: &[RecordBatch], ids: &BTreeSet<i64>) -> Result<Telling, LinkageError> {
        let mut telling = Telling(ids.iter().map(i64::to_string).collect());
        for batch in identity {
            let columns = Columns { table: "identity", batch };
            let births = columns.typed("birth_date", DataType::Date32, "date")?;
            for day in births.as_primitive::<Date32Type>().iter().flatten() {
                let (year, month, day) = terms::civil_from_days(day);
                telling.0.insert(format!("{year:04}{month:02}{day:02}"));
            }
        }
        for batch in insurance {
            let columns = Columns { table: "insurance", batch };
            let [insurer, symbol, number, branch] =
                ["insurer_number", "insured_symbol", "insured_number", "insured_branch"].map(|c| columns.text(c));
            let (insurer, symbol, number, branch) = (insurer?, symbol?, number?, branch?);
            for row in 0..batch.num_rows() {
                let raw = [at(&insurer, row), at(&symbol, row), at(&number, row), at(&branch, row)];
                let card = contact::card(raw[0], raw[1], raw[2], raw[3]);
                let filled = if card.insurer == 0 { String::new() } else { insurer_digits(card.insurer) };
                let written = [raw[0], raw[1], raw[2]].map(bare);
                let short = written.clone().map(|w| w.trim_start_matches('0').to_owned());
                for [insurer, symbol, number] in [written, short] {
                    telling.add([
                        &insurer,
                        &symbol,
                        &number,
                        &format!("{symbol}{number}"),
                        &format!("{insurer}{symbol}{number}"),
                    ]);
                    telling.add([&format!("{filled}{symbol}{number}")]);
                }
                telling.add([&filled]);
            }
        }
        Ok(telling)
    }

    fn add<const N: usize>(&mut self, texts: [&String; N]) {
        self.0.extend(texts.into_iter().filter(|t| !t.is_empty()).cloned());
    }

    /// Whether a key is one of them, however it is filled or separated.
    fn has(&self, key: &str) -> bool {
        let key = bare(key);
        self.0.contains(&key) || self.0.contains(key.trim_start_matches('0'))
    }
}

/// What is wrong with a body's answer. Neither id nor key stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongAnswer {
    /// Line, from 1.
    pub line: usize,
    /// Column, or the heading.
    pub field: &'static str,
}

/// Longest key that is taken, in bytes.
const LONGEST_KEY: usize = 256;

/// The keys of a body's answer by provision id: CSV in UTF-8, with or without a byte-order mark, the heading `provision_id,linkage_key`, one
/// person a line. A key is 1 to [`LONGEST_KEY`] of `A-Z a-z 0-9 + / _ = . : -`, does not begin with `=` as a formula would, and is nothing that
/// says who somebody is. Nothing is taken from an answer that is wrong anywhere.
///
/// # Errors
/// [`WrongAnswer`]: the first line with an id that is none of `known` or comes twice, or a key that is none.
pub fn key_answer(bytes: &[u8], known: &BTreeSet<i64>, telling: &Telling) -> Result<BTreeMap<i64, String>, WrongAnswer> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut keys = BTreeMap::new();
    // Neither field has a comma, a quote or the end of a line in it.
    let lines = (1..).zip(text.split(|b| *b == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty());
    let mut headed = false;
    for (line, bytes) in lines {
        let wrong = |field| WrongAnswer { line, field };
        let heading = "provision_id,linkage_key";
        let text = std::str::from_utf8(bytes).map_err(|_| wrong(heading))?;
        let (id, key) = text.split_once(',').ok_or_else(|| wrong(heading))?;
        let [id, key] = [id, key].map(|field| {
            let field = field.trim();
            field.strip_prefix('"').and_then(|f| f.strip_suffix('"')).unwrap_or(field)
        });
        if !headed {
            if [id, key] != ["provision_id", "linkage_key"] {
                return Err(wrong(heading));
            }
            headed = true;
            continue;
        }
        let id = id.parse::<i64>().ok().filter(|id| known.contains(id)).ok_or_else(|| wrong("provision_id"))?;
        let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/_=.:-".contains(&b));
        if key.is_empty() || key.len() > LONGEST_KEY || !plain || key.starts_with('=') || telling.has(key) {
            return Err(wrong("linkage_key"));
        }
        if keys.insert(id, key.to_owned()).is_some() {
            return Err(wrong("provision_id"));
        }
    }
    if headed { Ok(keys) } else { Err(WrongAnswer { line: 1, field: "provision_id,linkage_key" }) }
}
