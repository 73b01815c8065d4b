//! The input: rows of identity and insurance become records, each with all that was ever said of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int8Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use terms::RecordId;

use crate::contact::{self, Card};
use crate::error::LinkageError;
use crate::names::{Forms, Name};
use crate::stand_in::{self, Unlinkable};
use crate::text::plain;

/// Sex as far as it is evidence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sex {
    Male,
    Female,
}

/// What is known of one record, every list sorted and without repetition.
#[derive(Default)]
pub(crate) struct Record {
    pub id: i64,
    /// Number of the provider in this run, `None` when it was not said.
    pub provider: Option<u32>,
    pub names: Vec<Name>,
    pub births: Vec<i32>,
    pub sexes: Vec<Sex>,
    pub phones: Vec<u64>,
    pub homes: Vec<u64>,
    pub cards: Vec<Card>,
    pub unlinkable: Option<Unlinkable>,
}

/// Records to link: what the identity vault says of every person at every provider. Holds names and prints none.
pub struct People {
    pub(crate) records: Vec<Record>,
    pub(crate) forms: Forms,
    pub(crate) wrong_check_digits: u64,
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "People({} records)", self.records.len())
    }
}

/// One row of identity, as text.
#[derive(Default)]
pub(crate) struct IdentityRow<'a> {
    pub family: &'a str,
    pub given: &'a str,
    pub family_kana: &'a str,
    pub given_kana: &'a str,
    pub latin: &'a str,
    pub birth: Option<i32>,
    pub sex: Option<Sex>,
    pub postal_code: &'a str,
    pub address: &'a str,
    pub phones: [&'a str; 2],
    /// The day the row was written, days since 1970-01-01.
    pub seen: Option<i32>,
}

/// Gathers rows in any order.
#[derive(Default)]
pub(crate) struct Gatherer {
    records: BTreeMap<i64, Record>,
    forms: Option<Forms>,
    wrong_check_digits: u64,
}

impl Gatherer {
    pub fn record(&mut self, id: i64) -> &mut Record {
        self.records.entry(id).or_insert_with(|| Record { id, ..Record::default() })
    }

    pub fn identity(&mut self, id: i64, row: &IdentityRow<'_>) {
        let [family, given, family_kana, given_kana, latin] =
            [row.family, row.given, row.family_kana, row.given_kana, row.latin].map(plain);
        let phones: Vec<u64> = row.phones.iter().filter_map(|p| contact::phone(p)).collect();
        let homes = contact::homes(row.address, row.postal_code);
        let stand_in = stand_in::reason(&stand_in::Row {
            written: [&family, &given],
            read: [&family_kana, &given_kana],
            latin: &latin,
            birth: row.birth,
            seen: row.seen,
            reachable: !phones.is_empty() || !homes.is_empty(),
        });
        if stand_in.is_some() {
            let record = self.record(id);
            record.unlinkable = record.unlinkable.max(stand_in);
            return;
        }
        let forms = self.forms.get_or_insert_with(Forms::new);
        let name = Name::new(forms, [&family, &given], [&family_kana, &given_kana], &latin);
        let record = self.record(id);
        if !name.is_empty() {
            record.names.push(name);
        }
        record.births.extend(row.birth);
        record.sexes.extend(row.sex);
        record.phones.extend(phones);
        record.homes.extend(homes);
    }

    pub fn insurance(&mut self, id: i64, insurer: &str, symbol: &str, number: &str, branch: &str) {
        let card = contact::card(insurer, symbol, number, branch);
        if card.is_some() && !contact::check_digit_fits(&plain(insurer).replace(' ', "")) {
            self.wrong_check_digits += 1;
        }
        self.record(id).cards.extend(card);
    }

    /// Records sorted by id. A record of which every row names nobody stays, and is linked with nothing.
    pub fn finish(self) -> People {
        let tidy = |mut r: Record| {
            fn once<T: Ord>(values: &mut Vec<T>) {
                values.sort_unstable();
                values.dedup();
                values.shrink_to_fit();
            }
            once(&mut r.names);
            once(&mut r.births);
            once(&mut r.sexes);
            once(&mut r.phones);
            once(&mut r.homes);
            once(&mut r.cards);
            r.unlinkable = if r.names.is_empty() { Some(r.unlinkable.unwrap_or(Unlinkable::Unnamed)) } else { None };
            r
        };
        People {
            records: self.records.into_values().map(tidy).collect(),
            forms: self.forms.unwrap_or_else(Forms::new),
            wrong_check_digits: self.wrong_check_digits,
        }
    }
}

impl People {
    /// Reads the tables `identity` and `insurance` with their lake schema, columns found by name (others are ignored), several
    /// rows a record being its history. `providers` says at which provider a record is; a record that stands only there has no
    /// name and is linked with nothing. Rows that their source deleted (`source_state` 0) are left out.
    ///
    /// # Errors
    /// [`LinkageError::ColumnMissing`], [`LinkageError::ColumnType`], [`LinkageError::RecordWithoutId`].
    pub fn from_batches(
        identity: &[RecordBatch],
        insurance: &[RecordBatch],
        providers: &[(RecordId, String)],
    ) -> Result<People, LinkageError> {
        let mut gatherer = Gatherer::default();
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        for (id, provider) in providers {
            let next = numbers.len() as u32;
            gatherer.record(id.0).provider = Some(*numbers.entry(provider).or_insert(next));
        }
        for batch in identity {
            read_identity(&mut gatherer, &Columns { table: "identity", batch })?;
        }
        for batch in insurance {
            read_insurance(&mut gatherer, &Columns { table: "insurance", batch })?;
        }
        Ok(gatherer.finish())
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

struct Columns<'a> {
    table: &'static str,
    batch: &'a RecordBatch,
}

impl Columns<'_> {
    fn typed(&self, column: &'static str, wanted: DataType, name: &'static str) -> Result<arrow::array::ArrayRef, LinkageError> {
        let array = self.batch.column_by_name(column).ok_or(LinkageError::ColumnMissing { table: self.table, column })?;
        // only between forms of one type: a text that looks like a number is a mistake of the caller
        let text =
            |t: &DataType| matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..));
        let fits = match (array.data_type(), &wanted) {
            (DataType::Timestamp(..), DataType::Timestamp(..)) => true,
            (given, DataType::Utf8) => text(given),
            (given, wanted) => given == wanted,
        };
        let refused = LinkageError::ColumnType { table: self.table, column, wanted: name };
        if !fits {
            return Err(refused);
        }
        cast(array, &wanted).map_err(|_| refused)
    }

    fn text(&self, column: &'static str) -> Result<StringArray, LinkageError> {
        Ok(self.typed(column, DataType::Utf8, "text")?.as_string::<i32>().clone())
    }

    /// Record ids, and whether the source still says the row.
    fn ids(&self) -> Result<Vec<Option<i64>>, LinkageError> {
        let ids = self.typed("record_id", DataType::Int64, "64-bit integer")?;
        let ids = ids.as_primitive::<Int64Type>();
        let states = self.batch.column_by_name("source_state").filter(|c| c.data_type() == &DataType::Int8);
        let states = states.map(|c| c.as_primitive::<Int8Type>());
        let deleted = |row: usize| states.is_some_and(|s| s.is_valid(row) && s.value(row) == 0);
        (0..ids.len())
            .map(|row| match ids.is_null(row) {
                true => Err(LinkageError::RecordWithoutId { table: self.table, row }),
                false => Ok((!deleted(row)).then(|| ids.value(row))),
            })
            .collect()
    }
}

fn at(column: &StringArray, row: usize) -> &str {
    if column.is_null(row) { "" } else { column.value(row) }
}

fn read_identity(gatherer: &mut Gatherer, columns: &Columns<'_>) -> Result<(), LinkageError> {
    let ids = columns.ids()?;
    let births = columns.typed("birth_date", DataType::Date32, "date")?;
    let births = births.as_primitive::<Date32Type>();
    let seen = columns.typed("source_ts", DataType::Timestamp(TimeUnit::Microsecond, None), "timestamp")?;
    let seen = seen.as_primitive::<TimestampMicrosecondType>();
    let [family, given, family_kana, given_kana, latin] =
        ["family_name", "given_name", "family_kana", "given_kana", "latin_name"].map(|c| columns.text(c));
    let [sex, postal, address, phone, work] = ["sex", "postal_code", "address", "phone", "work_phone"].map(|c| columns.text(c));
    let (family, given, family_kana, given_kana, latin) = (family?, given?, family_kana?, given_kana?, latin?);
    let (sex, postal, address, phone, work) = (sex?, postal?, address?, phone?, work?);
    for (row, id) in ids.into_iter().enumerate() {
        let Some(id) = id else { continue };
        let identity = IdentityRow {
            family: at(&family, row),
            given: at(&given, row),
            family_kana: at(&family_kana, row),
            given_kana: at(&given_kana, row),
            latin: at(&latin, row),
            birth: births.is_valid(row).then(|| births.value(row)),
            sex: match at(&sex, row) {
                "male" => Some(Sex::Male),
                "female" => Some(Sex::Female),
                _ => None,
            },
            postal_code: at(&postal, row),
            address: at(&address, row),
            phones: [at(&phone, row), at(&work, row)],
            seen: seen.is_valid(row).then(|| (seen.value(row).div_euclid(86_400_000_000)) as i32),
        };
        gatherer.identity(id, &identity);
    }
    Ok(())
}

fn read_insurance(gatherer: &mut Gatherer, columns: &Columns<'_>) -> Result<(), LinkageError> {
    let ids = columns.ids()?;
    let [insurer, symbol, number, branch] =
        ["insurer_number", "insured_symbol", "insured_number", "insured_branch"].map(|c| columns.text(c));
    let (insurer, symbol, number, branch) = (insurer?, symbol?, number?, branch?);
    for (row, id) in ids.into_iter().enumerate() {
        let Some(id) = id else { continue };
        gatherer.insurance(id, at(&insurer, row), at(&symbol, row), at(&number, row), at(&branch, row));
    }
    Ok(())
}
