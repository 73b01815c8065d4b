//! Small tables with the lake schema, written by hand.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::{DataType, Schema};
use linkage::{Fact, Links, Options, People, link};
use omop::Table;
use terms::{RecordId, days_from_civil};

/// One row of identity, and the card beside it.
#[derive(Clone)]
pub struct Row {
    pub id: i64,
    pub provider: &'static str,
    pub name: [&'static str; 4],
    pub birth: Option<(i32, u32, u32)>,
    pub seen: (i32, u32, u32),
    pub sex: &'static str,
    pub home: [&'static str; 2],
    pub phone: String,
    pub card: [String; 4],
}

/// A woman with everything known; change what the test is about.
pub fn row(id: i64) -> Row {
    Row {
        id,
        provider: if id % 2 == 0 { "1310000001" } else { "1310000002" },
        name: ["渡辺", "裕子", "ワタナベ", "ユウコ"],
        birth: Some((1980, 4, 12)),
        seen: (2024, 5, 1),
        sex: "female",
        home: ["東京都三鷹市下連雀三丁目１２番４号", "181-0013"],
        phone: "090-1234-5678".to_owned(),
        card: ["00138057", "", "1234567", "02"].map(str::to_owned),
    }
}

impl Row {
    pub fn named(mut self, name: [&'static str; 4]) -> Self {
        self.name = name;
        self
    }

    pub fn at(mut self, provider: &'static str) -> Self {
        self.provider = provider;
        self
    }

    /// Nothing by which the person could be reached.
    pub fn without_contacts(mut self) -> Self {
        self.home = ["", ""];
        self.phone = String::new();
        self.card = Default::default();
        self
    }

    pub fn numbered(mut self, number: u32) -> Self {
        self.card[2] = number.to_string();
        self
    }

    pub fn with_card(mut self, card: [&str; 4]) -> Self {
        self.card = card.map(str::to_owned);
        self
    }
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(values.map(|v| (!v.is_empty()).then_some(v)).collect::<StringArray>())
}

fn batch(table: Table, rows: usize, columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let given = |name: &str| columns.iter().find(|(n, _)| *n == name).map(|(_, c)| c.clone());
    let fields: Vec<_> = table.lake_schema().fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
    let arrays = fields.iter().map(|f| given(f.name()).unwrap_or_else(|| new_null_array(f.data_type(), rows))).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns as the schema says")
}

pub fn identity(rows: &[Row]) -> RecordBatch {
    let day = |(y, m, d)| days_from_civil(y, m, d).expect("a day");
    let seen = rows.iter().map(|r| i64::from(day(r.seen)) * 86_400_000_000);
    let name = |i: usize| texts(rows.iter().map(move |r| r.name[i]));
    batch(
        Table::Identity,
        rows.len(),
        &[
            ("record_id", Arc::new(rows.iter().map(|r| r.id).collect::<Int64Array>())),
            ("source_ts", Arc::new(TimestampMicrosecondArray::from_iter_values(seen))),
            ("family_name", name(0)),
            ("given_name", name(1)),
            ("family_kana", name(2)),
            ("given_kana", name(3)),
            ("birth_date", Arc::new(rows.iter().map(|r| r.birth.map(day)).collect::<Date32Array>())),
            ("sex", texts(rows.iter().map(|r| r.sex))),
            ("address", texts(rows.iter().map(|r| r.home[0]))),
            ("postal_code", texts(rows.iter().map(|r| r.home[1]))),
            ("phone", texts(rows.iter().map(|r| r.phone.as_str()))),
        ],
    )
}

pub fn insurance(rows: &[Row]) -> RecordBatch {
    let card = |i: usize| texts(rows.iter().map(move |r| r.card[i].as_str()));
    batch(
        Table::Insurance,
        rows.len(),
        &[
            ("record_id", Arc::new(rows.iter().map(|r| r.id).collect::<Int64Array>())),
            ("insurer_number", card(0)),
            ("insured_symbol", card(1)),
            ("insured_number", card(2)),
            ("insured_branch", card(3)),
        ],
    )
}

pub fn people(rows: &[Row]) -> People {
    let providers: Vec<_> = rows.iter().map(|r| (RecordId(r.id), r.provider.to_owned())).collect();
    People::from_batches(&[identity(rows)], &[insurance(rows)], &providers).expect("readable tables")
}

pub fn linked_with(rows: &[Row], facts: &[Fact]) -> Links {
    link(&people(rows), facts, &Options::default()).expect("facts that agree")
}

pub fn linked(rows: &[Row]) -> Links {
    linked_with(rows, &[])
}

/// Persons of the records, in the order of their ids.
pub fn persons(rows: &[Row]) -> Vec<i64> {
    linked(rows).map.iter().map(|(_, person)| person.0).collect()
}

#[test]
fn the_columns_of_the_tests_are_those_of_the_lake() {
    let rows = [row(1)];
    for (batch, table) in [(identity(&rows), Table::Identity), (insurance(&rows), Table::Insurance)] {
        assert_eq!(batch.num_columns(), table.lake_schema().fields().len());
        assert!(batch.columns().iter().all(|c| c.data_type() != &DataType::Null));
    }
}
