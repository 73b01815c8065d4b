//! What a check has counted so far, and the rows of a batch with what is known of their persons.

use arrow::array::RecordBatch;
use roaring::RoaringBitmap;
use serde::Serialize;

use crate::column::Column;
use crate::days::{Calendar, MONTHS, NO_MONTH};
use crate::persons::Persons;

/// A row that violates a check: where it comes from. It can name a patient: it has no `Debug`.
#[derive(Clone, Serialize)]
pub struct Example {
    /// The record: in the lake its id, of files the number of the patient.
    pub record: i64,
    /// Number of the provider's package, in the lake.
    pub package: Option<i64>,
    /// Key of the unit that the row is part of.
    pub unit: String,
}

/// A batch, row by row.
pub(crate) struct Rows<'a> {
    pub batch: &'a RecordBatch,
    pub person: Vec<u32>,
    pub month: Vec<u16>,
    records: Column<'a>,
    packages: Column<'a>,
    units: Column<'a>,
    days: Column<'a>,
}

impl<'a> Rows<'a> {
    pub(crate) fn of(batch: &'a RecordBatch, date: Option<&str>, persons: &mut Persons, calendar: &Calendar) -> Rows<'a> {
        let records = Column::of(batch, "record_id");
        let mut person = Vec::with_capacity(batch.num_rows());
        let mut last = None;
        for row in 0..batch.num_rows() {
            let record = records.whole(row).unwrap_or_default();
            let number = match last {
                Some((of, number)) if of == record => number,
                _ => persons.number(record),
            };
            last = Some((record, number));
            person.push(number);
        }
        let days = date.map_or(Column::None, |name| Column::of(batch, name));
        let month = (0..batch.num_rows()).map(|row| days.day(row).map_or(NO_MONTH, |day| calendar.month(day))).collect();
        let (packages, units) = (Column::of(batch, "source_seq"), Column::of(batch, "source_key"));
        Rows { batch, person, month, records, packages, units, days }
    }

    pub(crate) fn len(&self) -> usize {
        self.person.len()
    }

    /// The day of a row.
    pub(crate) fn day(&self, row: usize) -> Option<i32> {
        self.days.day(row)
    }

    fn example(&self, row: usize) -> Example {
        Example {
            record: self.records.whole(row).unwrap_or_default(),
            package: self.packages.whole(row),
            unit: self.units.text(row).unwrap_or_default().to_owned(),
        }
    }
}

/// Counts of one check.
#[derive(Default)]
pub(crate) struct Tally {
    pub tested: u64,
    pub violated: u64,
    pub persons: RoaringBitmap,
    pub examples: Vec<Example>,
    /// Of changes that last: the last month in which it is still so.
    pub lasting: Option<u16>,
    /// Rows that are kept as examples.
    most: usize,
    months: Vec<u32>,
    asked: Vec<u32>,
    last: Option<u32>,
}

impl Tally {
    /// Nothing yet; `most` rows are kept as examples.
    pub(crate) fn keeping(most: usize) -> Tally {
        Tally { most, ..Tally::default() }
    }

    /// A row is asked.
    pub(crate) fn test(&mut self, rows: &Rows<'_>, row: usize) {
        self.tested += 1;
        if self.asked.is_empty() {
            self.asked.resize(MONTHS + 1, 0);
        }
        self.asked[usize::from(rows.month[row])] += 1;
    }

    /// A row violates the check.
    pub(crate) fn violate(&mut self, rows: &Rows<'_>, row: usize) {
        self.violated += 1;
        self.person(rows.person[row]);
        self.in_month(rows.month[row], 1);
        if self.examples.len() < self.most {
            self.examples.push(rows.example(row));
        }
    }

    /// Asks a check of every row: none is a row that it cannot be asked of.
    pub(crate) fn ask(&mut self, rows: &Rows<'_>, holds: impl Fn(usize) -> Option<bool>) {
        for row in 0..rows.len() {
            match holds(row) {
                None => {}
                Some(true) => self.test(rows, row),
                Some(false) => {
                    self.test(rows, row);
                    self.violate(rows, row);
                }
            }
        }
    }

    /// Of checks that are of persons and not of rows: one of these.
    pub(crate) fn of_person(&mut self, record: i64) {
        if self.examples.len() < self.most {
            self.examples.push(Example { record, package: None, unit: String::new() });
        }
    }

    pub(crate) fn person(&mut self, person: u32) {
        if self.last != Some(person) {
            self.persons.insert(person);
            self.last = Some(person);
        }
    }

    pub(crate) fn in_month(&mut self, month: u16, count: u32) {
        if self.months.is_empty() {
            self.months.resize(MONTHS + 1, 0);
        }
        self.months[usize::from(month)] += count;
    }

    /// Rows of a month that were asked; none where they are not counted by month.
    pub(crate) fn asked_in(&self, month: u16) -> Option<u32> {
        self.asked.get(usize::from(month)).copied()
    }

    /// Months with a violation, and how many.
    pub(crate) fn by_month(&self) -> impl Iterator<Item = (u16, u32)> + '_ {
        self.months.iter().take(MONTHS).enumerate().filter(|(_, n)| **n > 0).map(|(m, n)| (m as u16, *n))
    }
}
