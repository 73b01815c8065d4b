//! The identity vault as input: rows of identity and insurance become records, each with all that was ever said of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Read;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int8Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use terms::RecordId;

use crate::columns::ColumnMap;
use crate::contact::{self, Card};
use crate::error::LinkageError;
use crate::forms::Forms;
use crate::normalise::{Normaliser, Raw};
use crate::row::{NO_BRANCH, Row, flag};
use crate::stand_in::Unlinkable;
use crate::table::{Table, renumber};

/// Rows of one record that are compared: names, homes and telephones of its history, each with each card.
const MOST_ROWS: usize = 16;

/// Records to link: what the identity vault says of every person at every provider. Holds names and prints none.
pub struct People {
    /// Record ids, sorted.
    pub(crate) ids: Vec<i64>,
    /// Rows in the order of the records; the history of a record is several rows.
    pub(crate) rows: Vec<Row>,
    /// The record of each row, as its place in `ids`.
    pub(crate) owners: Vec<u32>,
    pub(crate) forms: Forms,
    /// Insurer numbers whose check digit does not fit.
    pub(crate) wrong_check_digits: u64,
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "People({} records)", self.ids.len())
    }
}

/// People of a CSV table, and what the table calls them.
pub struct CsvPeople {
    /// The records, numbered 1, 2, … in the order of the sorted labels.
    pub people: People,
    /// Record ids of the table, the first belonging to record 1.
    pub labels: Vec<String>,
}

impl CsvPeople {
    /// Reads UTF-8 CSV with the columns [`crate::COLUMNS`] in any order, others ignored. Dates as ISO, compact, with slashes or
    /// Japanese eras; sex as 1/2, M/F or 男/女.
    ///
    /// # Errors
    /// What [`LinkageError`] says of CSV files.
    pub fn read(input: impl Read + Send) -> Result<CsvPeople, LinkageError> {
        Self::read_mapped(input, &ColumnMap::default())
    }

    /// The same of a table with other names of columns.
    ///
    /// # Errors
    /// What [`LinkageError`] says of CSV files.
    pub fn read_mapped(input: impl Read + Send, map: &ColumnMap) -> Result<CsvPeople, LinkageError> {
        let table = Table::read(input, map, 1)?;
        let labels = (0..table.labels.len()).map(|at| String::from_utf8_lossy(table.labels.get(at)).into_owned()).collect();
        let count = |flag: u8| table.rows.iter().filter(|r| r.flags & flag != 0).count() as u64;
        let people = People {
            ids: (1..=table.rows.len() as i64).collect(),
            owners: (0..table.rows.len() as u32).collect(),
            wrong_check_digits: count(flag::WRONG_CHECK_DIGIT),
            rows: table.rows,
            forms: table.forms,
        };
        Ok(CsvPeople { people, labels })
    }

    /// The label of a record.
    pub fn label(&self, id: RecordId) -> Option<&str> {
        self.labels.get(usize::try_from(id.0.checked_sub(1)?).ok()?).map(String::as_str)
    }
}

/// Rows of one record while they are gathered.
#[derive(Default)]
struct History {
    identities: Vec<Row>,
    cards: Vec<Card>,
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
        let provider: HashMap<i64, &str> = providers.iter().map(|(id, p)| (id.0, p.as_str())).collect();
        let mut records: BTreeMap<i64, History> = providers.iter().map(|(id, _)| (id.0, History::default())).collect();
        let mut normaliser = Normaliser::new();
        for batch in identity {
            read_identity(&mut records, &mut normaliser, &provider, &Columns { table: "identity", batch })?;
        }
        for batch in insurance {
            read_insurance(&mut records, &Columns { table: "insurance", batch })?;
        }
        let (forms, numbers) = Forms::sorted(&[normaliser.into_forms()]);
        let mut people =
            People { ids: Vec::with_capacity(records.len()), rows: Vec::new(), owners: Vec::new(), forms, wrong_check_digits: 0 };
        for (id, history) in records {
            let owner = people.ids.len() as u32;
            people.ids.push(id);
            let cards = || history.cards.iter().filter(|c| c.number != 0);
            people.wrong_check_digits += cards().filter(|c| c.wrong_check_digit).count() as u64;
            let mut history = history;
            // numbers in the order of arrival would decide which rows come first
            history.identities.iter_mut().for_each(|row| renumber(row, &numbers[0]));
            let rows = history.rows();
            people.owners.extend(rows.iter().map(|_| owner));
            people.rows.extend(rows);
        }
        Ok(people)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl History {
    /// The rows that stand for the record: what names somebody before what does not, and no row twice.
    fn rows(mut self) -> Vec<Row> {
        let rest = |r: &Row| (r.institution, r.flags);
        let order = |r: &Row| (r.fk, r.gk, r.fy, r.gy, r.birth, r.place, r.numbers, r.postal, r.phone, r.sex, r.seen);
        if self.identities.iter().any(|r| r.linkable() && !r.is_baby()) {
            self.identities.retain(|r| r.linkable() && !r.is_baby());
        } else if self.identities.iter().any(Row::linkable) {
            self.identities.retain(Row::linkable);
        } else {
            self.identities.sort_unstable_by_key(|r| (std::cmp::Reverse(r.flags & flag::REASON), order(r)));
            let nobody = Row { flags: Unlinkable::Unnamed.bits(), ..Row::default() };
            return vec![self.identities.first().copied().unwrap_or(nobody)];
        }
        // of equal rows the latest; then the latest first: of a long history the latest rows are compared
        self.identities.sort_unstable_by_key(|r| (order(&Row { seen: 0, ..*r }), rest(r), std::cmp::Reverse(r.seen)));
        self.identities.dedup_by_key(|r| Row { seen: 0, ..*r });
        self.identities.sort_unstable_by_key(|r| (std::cmp::Reverse(r.seen), order(r), rest(r)));
        self.cards.sort_unstable_by_key(|c| (c.insurer, c.symbol, c.number, c.branch));
        self.cards.dedup();
        self.cards.retain(|c| c.number != 0);
        if self.cards.is_empty() {
            self.cards.push(Card::default());
        }
        let with = |row: &Row, card: &Card| Row {
            insurer: card.insurer,
            symbol: card.symbol,
            number: card.number,
            branch: card.branch.unwrap_or(NO_BRANCH),
            ..*row
        };
        // a name or a home is kept before a card is kept beside every name: each row has a card, each card a row, then all with all
        let (people, cards) = (self.identities.len(), self.cards.len());
        let each = (0..people.max(cards)).map(|at| (at % people, at % cards));
        let all = (0..people).flat_map(|r| (0..cards).map(move |c| (r, c)));
        let mut kept: Vec<(usize, usize)> = Vec::with_capacity(MOST_ROWS);
        for pair in each.chain(all) {
            if kept.len() == MOST_ROWS {
                break;
            }
            if !kept.contains(&pair) {
                kept.push(pair);
            }
        }
        kept.into_iter().map(|(r, c)| with(&self.identities[r], &self.cards[c])).collect()
    }
}

pub(crate) struct Columns<'a> {
    pub(crate) table: &'static str,
    pub(crate) batch: &'a RecordBatch,
}

impl Columns<'_> {
    pub(crate) fn typed(
        &self,
        column: &'static str,
        wanted: DataType,
        name: &'static str,
    ) -> Result<arrow::array::ArrayRef, LinkageError> {
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

    pub(crate) fn text(&self, column: &'static str) -> Result<StringArray, LinkageError> {
        Ok(self.typed(column, DataType::Utf8, "text")?.as_string::<i32>().clone())
    }

    /// Record ids, and whether the source still says the row.
    pub(crate) fn ids(&self) -> Result<Vec<Option<i64>>, LinkageError> {
        let ids = self.typed("record_id", DataType::Int64, "64-bit integer")?;
        let ids = ids.as_primitive::<Int64Type>();
        let states = self.batch.column_by_name("source_state").filter(|c| c.data_type() == &DataType::Int8);
        let states = states.map(|c| c.as_primitive::<Int8Type>());
        let deleted = |row: usize| states.is_some_and(|s| s.is_valid(row) && s.value(row) == 0);
        (0..ids.len())
            .map(|row| match ids.is_null(row) {
                true => Err(LinkageError::RecordWithoutId { table: self.table, row: row + 1 }),
                false => Ok((!deleted(row)).then(|| ids.value(row))),
            })
            .collect()
    }
}

pub(crate) fn at(column: &StringArray, row: usize) -> &str {
    if column.is_null(row) { "" } else { column.value(row) }
}

fn read_identity(
    records: &mut BTreeMap<i64, History>,
    normaliser: &mut Normaliser,
    provider: &HashMap<i64, &str>,
    columns: &Columns<'_>,
) -> Result<(), LinkageError> {
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
        let raw = Raw {
            family: at(&family, row),
            given: at(&given, row),
            family_kana: at(&family_kana, row),
            given_kana: at(&given_kana, row),
            latin: at(&latin, row),
            birth: births.is_valid(row).then(|| births.value(row)),
            sex: match at(&sex, row) {
                "male" => 1,
                "female" => 2,
                _ => 0,
            },
            postal_code: at(&postal, row),
            address: at(&address, row),
            phone: at(&phone, row),
            institution: provider.get(&id).copied().unwrap_or_default(),
            seen: seen.is_valid(row).then(|| (seen.value(row).div_euclid(86_400_000_000)) as i32),
            ..Raw::default()
        };
        let history = records.entry(id).or_default();
        history.identities.push(normaliser.row(&raw));
        if !at(&work, row).is_empty() {
            history.identities.push(normaliser.row(&Raw { phone: at(&work, row), ..raw }));
        }
    }
    Ok(())
}

fn read_insurance(records: &mut BTreeMap<i64, History>, columns: &Columns<'_>) -> Result<(), LinkageError> {
    let ids = columns.ids()?;
    let [insurer, symbol, number, branch] =
        ["insurer_number", "insured_symbol", "insured_number", "insured_branch"].map(|c| columns.text(c));
    let (insurer, symbol, number, branch) = (insurer?, symbol?, number?, branch?);
    for (row, id) in ids.into_iter().enumerate() {
        let Some(id) = id else { continue };
        let card = contact::card(at(&insurer, row), at(&symbol, row), at(&number, row), at(&branch, row));
        records.entry(id).or_default().cards.push(card);
    }
    Ok(())
}
