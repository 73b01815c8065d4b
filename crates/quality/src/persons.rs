//! What of a record other rows are held against: sex, birth, death, visits. Read before the rows are checked.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use omop::Table;
use terms::days_from_civil;

use crate::column::Column;

/// What is known of a record.
#[derive(Clone)]
pub(crate) struct Person {
    /// Day of birth, its first possible one; `i32::MIN` when it is not known.
    pub birth: i32,
    /// Day of death; `i32::MAX` when none is known.
    pub death: i32,
    /// `F`, `M`, or a space.
    pub sex: char,
    /// Its id.
    pub record: i64,
    /// Whether there is a person row.
    pub known: bool,
    /// Whether two rows told another sex, or another birth date.
    pub two_sexes: bool,
    pub two_births: bool,
    /// Year, month and day of birth, as far as they were told.
    told: [Option<i32>; 3],
    visits: Vec<(i64, i32, i32)>,
    details: Vec<i64>,
}

/// All records.
#[derive(Default)]
pub(crate) struct Persons {
    numbers: HashMap<i64, u32>,
    all: Vec<Person>,
    visits_known: bool,
}

impl Persons {
    /// Number of a record.
    pub(crate) fn number(&mut self, record: i64) -> u32 {
        let next = self.all.len() as u32;
        let number = *self.numbers.entry(record).or_insert(next);
        if number == next {
            let (visits, details) = (Vec::new(), Vec::new());
            let (birth, death, told) = (i32::MIN, i32::MAX, [None; 3]);
            let (two_sexes, two_births) = (false, false);
            self.all.push(Person { record, birth, death, sex: ' ', known: false, two_sexes, two_births, told, visits, details });
        }
        number
    }

    pub(crate) fn get(&self, number: u32) -> &Person {
        &self.all[number as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Persons with a person row.
    pub(crate) fn known(&self) -> u64 {
        self.all.iter().filter(|p| p.known).count() as u64
    }

    /// Takes the rows of a table in, where it tells of persons.
    pub(crate) fn take(&mut self, table: Table, batch: &RecordBatch) {
        match table {
            Table::Person => self.births(batch),
            Table::Death => {
                let days = Column::of(batch, "death_date");
                self.each(batch, |person, row| person.death = person.death.min(days.day(row).unwrap_or(i32::MAX)));
            }
            Table::VisitOccurrence => {
                let (ids, starts) = (Column::of(batch, "visit_occurrence_id"), Column::of(batch, "visit_start_date"));
                let ends = Column::of(batch, "visit_end_date");
                self.visits_known |= ids.has_values();
                self.each(batch, |person, row| {
                    if let (Some(id), Some(start), Some(end)) = (ids.whole(row), starts.day(row), ends.day(row)) {
                        person.visits.push((id, start, end));
                    }
                });
            }
            Table::VisitDetail => {
                let ids = Column::of(batch, "visit_detail_id");
                self.each(batch, |person, row| person.details.extend(ids.whole(row)));
            }
            _ => {}
        }
    }

    fn births(&mut self, batch: &RecordBatch) {
        let (years, months) = (Column::of(batch, "year_of_birth"), Column::of(batch, "month_of_birth"));
        let (days, sexes) = (Column::of(batch, "day_of_birth"), Column::of(batch, "gender_concept_id"));
        self.each(batch, |person, row| {
            person.known = true;
            let part = |column: &Column<'_>| column.whole(row).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
            if let Some(year) = years.whole(row).and_then(|y| i32::try_from(y).ok()) {
                let day = days_from_civil(year, part(&months), part(&days));
                person.birth = day.or_else(|| days_from_civil(year, 1, 1)).unwrap_or(i32::MIN);
            }
            // What only one of two rows tells is no other birth date.
            for (told, column) in person.told.iter_mut().zip([&years, &months, &days]) {
                let now = column.whole(row).and_then(|n| i32::try_from(n).ok());
                person.two_births |= told.is_some() && now.is_some() && *told != now;
                *told = now.or(*told);
            }
            let sex = match sexes.whole(row) {
                Some(8507) => 'M',
                Some(8532) => 'F',
                _ => ' ',
            };
            person.two_sexes |= person.sex != ' ' && sex != ' ' && person.sex != sex;
            // Nobody's sex is known of whom two are told: no diagnosis is held against it.
            person.sex = if person.two_sexes { ' ' } else { [sex, person.sex][usize::from(sex == ' ')] };
        });
    }

    fn each(&mut self, batch: &RecordBatch, mut take: impl FnMut(&mut Person, usize)) {
        let records = Column::of(batch, "record_id");
        for row in 0..batch.num_rows() {
            if let Some(record) = records.whole(row) {
                let number = self.number(record) as usize;
                take(&mut self.all[number], row);
            }
        }
    }

    /// Puts the visits in order: after everything was taken.
    pub(crate) fn sort(&mut self) {
        for person in &mut self.all {
            person.visits.sort_unstable();
            person.visits.shrink_to_fit();
            person.details.sort_unstable();
        }
    }

    /// Whether visits have been put together, so that rows can name them.
    pub(crate) fn have_visits(&self) -> bool {
        self.visits_known
    }

    /// First and last day of a record's visit.
    pub(crate) fn visit(&self, number: u32, visit: i64) -> Option<(i32, i32)> {
        let visits = &self.get(number).visits;
        visits.binary_search_by_key(&visit, |v| v.0).ok().map(|i| (visits[i].1, visits[i].2))
    }

    /// Whether the record has this part of a visit.
    pub(crate) fn has_detail(&self, number: u32, detail: i64) -> bool {
        self.get(number).details.binary_search(&detail).is_ok()
    }
}
