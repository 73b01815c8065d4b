//! People from a CSV table: one line a record, everything text, written as each institution writes.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema};
use terms::RecordId;

use crate::dates;
use crate::error::LinkageError;
use crate::people::{Gatherer, IdentityRow, People, Sex};
use crate::text::plain;

/// People of a CSV table, and what the table calls them.
pub struct CsvPeople {
    /// The records, numbered 1, 2, … in the order of the sorted labels.
    pub people: People,
    /// Record ids of the table, the first belonging to record 1.
    pub labels: Vec<String>,
}

impl CsvPeople {
    /// The label of a record.
    pub fn label(&self, id: RecordId) -> Option<&str> {
        self.labels.get(usize::try_from(id.0.checked_sub(1)?).ok()?).map(String::as_str)
    }
}

const COLUMNS: [&str; 16] = [
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

impl CsvPeople {
    /// Reads UTF-8 CSV with the columns `record_id, institution_id, registered_on, family_kanji, given_kanji, family_kana,
    /// given_kana, sex, birth_date, postal_code, address, phone, insurer_number, insured_symbol, insured_number, insured_branch`
    /// in any order, others ignored. Dates as ISO, compact, with slashes or Japanese eras; sex as 1/2, M/F or 男/女.
    ///
    /// # Errors
    /// [`LinkageError::CsvUnreadable`], [`LinkageError::CsvIdTwice`], [`LinkageError::ColumnMissing`].
    pub fn read(mut input: impl Read) -> Result<CsvPeople, LinkageError> {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(|_| LinkageError::CsvUnreadable { line: 0 })?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let format = Format::default().with_header(true);
        let (inferred, _) = format.infer_schema(bytes, Some(0)).map_err(|_| LinkageError::CsvUnreadable { line: 1 })?;
        let fields: Vec<Field> = inferred.fields().iter().map(|f| Field::new(f.name(), DataType::Utf8, true)).collect();
        let reader = ReaderBuilder::new(Arc::new(Schema::new(fields))).with_format(format).with_batch_size(8192);
        let reader = reader.build(bytes).map_err(|_| LinkageError::CsvUnreadable { line: 1 })?;
        let mut lines = 1;
        let mut batches = Vec::new();
        for batch in reader {
            let batch = batch.map_err(|_| LinkageError::CsvUnreadable { line: lines + 1 })?;
            lines += batch.num_rows();
            batches.push(batch);
        }
        build(&batches)
    }
}

fn build(batches: &[RecordBatch]) -> Result<CsvPeople, LinkageError> {
    let mut labels: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for batch in batches {
        let ids =
            batch.column_by_name("record_id").ok_or(LinkageError::ColumnMissing { table: "people", column: "record_id" })?;
        for id in ids.as_string::<i32>() {
            let id = id.filter(|i| !i.is_empty()).ok_or(LinkageError::RecordWithoutId { table: "people", row: labels.len() })?;
            if !seen.insert(id) {
                return Err(LinkageError::CsvIdTwice { row: labels.len() + 1 });
            }
            labels.push(id.to_owned());
        }
    }
    labels.sort_unstable();
    let numbers: HashMap<&str, i64> = labels.iter().zip(1..).map(|(l, n)| (l.as_str(), n)).collect();
    let mut gatherer = Gatherer::default();
    let mut institutions: HashMap<String, u32> = HashMap::new();
    for batch in batches {
        let mut columns = Vec::with_capacity(COLUMNS.len());
        for column in COLUMNS {
            let array = batch.column_by_name(column).ok_or(LinkageError::ColumnMissing { table: "people", column })?;
            columns.push(array.as_string::<i32>());
        }
        for row in 0..batch.num_rows() {
            let text = |column: usize| columns.get(column).filter(|c| c.is_valid(row)).map_or("", |c| c.value(row));
            let Some(&id) = numbers.get(text(0)) else { continue };
            let next = institutions.len() as u32;
            let institution = text(1);
            let provider = (!institution.is_empty()).then(|| *institutions.entry(institution.to_owned()).or_insert(next));
            gatherer.record(id).provider = provider;
            gatherer.identity(
                id,
                &IdentityRow {
                    family: text(3),
                    given: text(4),
                    family_kana: text(5),
                    given_kana: text(6),
                    latin: "",
                    birth: dates::days(text(8)),
                    sex: sex(text(7)),
                    postal_code: text(9),
                    address: text(10),
                    phones: [text(11), ""],
                    seen: dates::days(text(2)),
                },
            );
            gatherer.insurance(id, text(12), text(13), text(14), text(15));
        }
    }
    Ok(CsvPeople { people: gatherer.finish(), labels })
}

fn sex(raw: &str) -> Option<Sex> {
    match plain(raw).as_str() {
        "1" | "M" | "男" | "男性" | "MALE" => Some(Sex::Male),
        "2" | "F" | "女" | "女性" | "FEMALE" => Some(Sex::Female),
        _ => None,
    }
}
