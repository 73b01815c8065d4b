//! The checks of one table, over its rows.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

use arrow::array::{Array, RecordBatch};
use omop::Table;
use roaring::RoaringBitmap;

use crate::code_column::CodeColumn;
use crate::column::Column;
use crate::days::{MONTHS, NO_MONTH};
use crate::laboratory::Laboratory;
use crate::persons::Persons;
use crate::rules::{Bound, Check, CheckName as N, Rules};
use crate::tally::{Rows, Tally};

/// Values of a column that are missing, by month.
struct Missing {
    field: String,
    /// Checks that count them.
    counted: Vec<usize>,
    months: Vec<u32>,
}

/// What a table's rows came to.
pub(crate) struct TableState {
    pub table: Table,
    pub rows: u64,
    pub persons: RoaringBitmap,
    pub month_rows: Vec<u32>,
    pub month_persons: HashMap<u16, RoaringBitmap>,
    pub per_person: Vec<u32>,
    missing: Vec<Missing>,
    row_checks: Vec<usize>,
    pub codes: Vec<CodeColumn>,
    pub laboratory: Option<Laboratory>,
    keys: Vec<(usize, HashSet<i64>)>,
    twice: Option<(usize, HashSet<u64>)>,
    hasher: RandomState,
    record: Option<u32>,
}

impl TableState {
    pub(crate) fn of(table: Table, rules: &Rules) -> TableState {
        let own = || rules.checks().iter().enumerate().filter(move |(_, c)| c.table == table);
        let mut missing: Vec<Missing> = Vec::new();
        for (number, check) in own() {
            if matches!(check.name, N::Required | N::ValueCompleteness | N::CompletenessShift) {
                let place = missing.iter().position(|m| m.field == check.field).unwrap_or_else(|| {
                    missing.push(Missing { field: check.field.clone(), counted: Vec::new(), months: vec![0; MONTHS + 1] });
                    missing.len() - 1
                });
                if check.name != N::CompletenessShift {
                    missing[place].counted.push(number);
                }
            }
        }
        let by_row = |name: N| {
            matches!(
                name,
                N::ForeignKey
                    | N::DataType
                    | N::StandardConcept
                    | N::SourceConcept
                    | N::ValueLow
                    | N::ValueHigh
                    | N::AfterBirth
                    | N::BeforeDeath
                    | N::StartBeforeEnd
                    | N::WithinVisit
                    | N::Datetime
            )
        };
        let keys = own().filter(|(_, c)| c.name == N::PrimaryKey).map(|(n, _)| (n, HashSet::new())).collect();
        TableState {
            table,
            rows: 0,
            persons: RoaringBitmap::new(),
            month_rows: vec![0; MONTHS + 1],
            month_persons: HashMap::new(),
            per_person: Vec::new(),
            missing,
            row_checks: own().filter(|(_, c)| by_row(c.name) && c.code.is_empty()).map(|(n, _)| n).collect(),
            codes: CodeColumn::all(table, rules),
            laboratory: (table == Table::Measurement).then(|| Laboratory::of(rules)),
            keys,
            twice: own().find(|(_, c)| c.name == N::DuplicateRows).map(|(n, _)| (n, HashSet::new())),
            hasher: RandomState::new(),
            record: None,
        }
    }

    /// Months of a column's missing values; the last place is for rows without a month.
    pub(crate) fn missing(&self, field: &str) -> Option<&[u32]> {
        self.missing.iter().find(|m| m.field == field).map(|m| &m.months[..])
    }

    /// Checks a batch. Rows of a record stand together; `sources` are rows as readers make them, without ids of their own.
    pub(crate) fn check(
        &mut self,
        rows: &Rows<'_>,
        persons: &Persons,
        rules: &Rules,
        today: i32,
        sources: bool,
        tallies: &mut [Tally],
    ) {
        self.count(rows);
        self.values(rows, tallies);
        for &number in &self.row_checks {
            row_check(&rules.checks()[number], rows, persons, today, &mut tallies[number]);
        }
        for codes in &mut self.codes {
            codes.check(rows, persons, rules, tallies);
        }
        if let Some(laboratory) = &mut self.laboratory {
            laboratory.check(rows, persons, rules, tallies);
        }
        self.repeated(rows, sources, rules, tallies);
    }

    fn count(&mut self, rows: &Rows<'_>) {
        self.rows += rows.len() as u64;
        let mut last = None;
        for row in 0..rows.len() {
            let (person, month) = (rows.person[row], rows.month[row]);
            self.month_rows[usize::from(month)] += 1;
            let place = person as usize;
            if place >= self.per_person.len() {
                self.per_person.resize(place + 1, 0);
            }
            self.per_person[place] += 1;
            if last != Some((person, month)) {
                last = Some((person, month));
                self.persons.insert(person);
                if month != NO_MONTH {
                    self.month_persons.entry(month).or_default().insert(person);
                }
            }
        }
    }

    fn values(&mut self, rows: &Rows<'_>, tallies: &mut [Tally]) {
        for missing in &mut self.missing {
            let column = Column::of(rows.batch, &missing.field);
            let Some(array) = column.array() else { continue };
            for &number in &missing.counted {
                tallies[number].tested += rows.len() as u64;
            }
            if array.null_count() == 0 && !matches!(column, Column::Text(_)) {
                continue;
            }
            for row in 0..rows.len() {
                let empty = match &column {
                    Column::Text(texts) => texts.is_null(row) || texts.value(row).trim_ascii().is_empty(),
                    _ => array.is_null(row),
                };
                if empty {
                    missing.months[usize::from(rows.month[row])] += 1;
                    for &number in &missing.counted {
                        tallies[number].violate(rows, row);
                    }
                }
            }
        }
    }

    /// Row ids and whole rows that stand twice in a record.
    fn repeated(&mut self, rows: &Rows<'_>, sources: bool, rules: &Rules, tallies: &mut [Tally]) {
        let batch = rows.batch;
        let ids: Vec<Column<'_>> = self.keys.iter().map(|(n, _)| Column::of(batch, &rules.checks()[*n].field)).collect();
        let content = self.twice.as_ref().map(|_| content(self.table, batch)).unwrap_or_default();
        for row in 0..rows.len() {
            let person = rows.person[row];
            if self.record != Some(person) {
                self.record = Some(person);
                self.keys.iter_mut().for_each(|(_, seen)| seen.clear());
                // In the lake the rows of a record stand together; in files they do not.
                if let Some((_, seen)) = self.twice.as_mut().filter(|_| !sources) {
                    seen.clear();
                }
            }
            if !sources {
                for ((number, seen), column) in self.keys.iter_mut().zip(&ids) {
                    if let Some(id) = column.whole(row) {
                        tallies[*number].test(rows, row);
                        if !seen.insert(id) {
                            tallies[*number].violate(rows, row);
                        }
                    }
                }
            }
            if let Some((number, seen)) = &mut self.twice {
                tallies[*number].test(rows, row);
                if !seen.insert(hash_of(&self.hasher, person, &content, row)) {
                    tallies[*number].violate(rows, row);
                }
            }
        }
    }
}

/// The columns that say what happened: not where a row comes from, nor its id.
fn content(table: Table, batch: &RecordBatch) -> Vec<Column<'_>> {
    let ids = [table.row_id(), Some("visit_occurrence_id"), Some("visit_detail_id"), Some("provider_id"), Some("counted")];
    let fields = table.fields().filter(|f| !ids.contains(&Some(f.name)));
    fields.map(|f| Column::of(batch, f.name)).filter(Column::has_values).collect()
}

fn hash_of(hasher: &RandomState, person: u32, columns: &[Column<'_>], row: usize) -> u64 {
    let mut hash = hasher.build_hasher();
    hash.write_u32(person);
    for (place, column) in columns.iter().enumerate() {
        if !column.is_valid(row) {
            continue;
        }
        hash.write_usize(place);
        match column {
            Column::Text(texts) => hash.write(texts.value(row).as_bytes()),
            Column::Float(numbers) => hash.write_u64(numbers.value(row).to_bits()),
            Column::Time(times) => hash.write_i64(times.value(row)),
            Column::Day(days) => hash.write_i32(days.value(row)),
            other => hash.write_i64(other.whole(row).unwrap_or_default()),
        }
    }
    hash.finish()
}

/// A bound as a number, or as a day.
pub(crate) fn bound(bound: Option<Bound>, today: i32) -> f64 {
    match bound {
        Some(Bound::Number(number)) => number,
        Some(Bound::Day(day)) => f64::from(day),
        Some(Bound::Today(after)) => f64::from(today.saturating_add(after)),
        None => 0.0,
    }
}

fn row_check(check: &Check, rows: &Rows<'_>, persons: &Persons, today: i32, tally: &mut Tally) {
    let column = Column::of(rows.batch, &check.field);
    if check.field != "record_id" && !column.has_values() {
        return;
    }
    let (low, high) = (bound(check.low, today), bound(check.high, today));
    let person = |row: usize| persons.get(rows.person[row]);
    match check.name {
        N::ForeignKey if check.reference == "person" => tally.ask(rows, |row| Some(person(row).known)),
        N::ForeignKey if check.reference == "visit_occurrence" && !persons.have_visits() => {}
        N::ForeignKey if check.reference == "visit_occurrence" => {
            tally.ask(rows, |row| column.whole(row).map(|id| persons.visit(rows.person[row], id).is_some()));
        }
        N::ForeignKey => tally.ask(rows, |row| column.whole(row).map(|id| persons.has_detail(rows.person[row], id))),
        N::DataType => {
            tally.ask(rows, |row| column.text(row).map(|t| t.len() <= high as usize || t.chars().count() as f64 <= high))
        }
        N::StandardConcept | N::SourceConcept => tally.ask(rows, |row| column.whole(row).map(|concept| concept != 0)),
        N::ValueLow | N::ValueHigh => {
            let under = check.name == N::ValueLow;
            let within = |value: f64| if under { value >= low } else { value <= high };
            let today_year = f64::from(terms::civil_from_days(today).0);
            match (&column, check.high) {
                (Column::Day(_) | Column::Time(_), _) => tally.ask(rows, |row| column.day(row).map(|d| within(f64::from(d)))),
                (_, Some(Bound::Today(_))) => tally.ask(rows, |row| column.number(row).map(|year| year <= today_year)),
                _ => tally.ask(rows, |row| column.number(row).map(within)),
            }
        }
        N::AfterBirth => tally.ask(rows, |row| {
            let birth = person(row).birth;
            column.day(row).filter(|_| birth > i32::MIN).map(|day| day >= birth)
        }),
        N::BeforeDeath => tally.ask(rows, |row| {
            let death = person(row).death;
            column.day(row).filter(|_| death < i32::MAX).map(|day| f64::from(day) <= f64::from(death) + low)
        }),
        N::StartBeforeEnd => {
            let start = Column::of(rows.batch, &check.reference);
            tally.ask(rows, |row| Some(column.number(row)? >= start.number(row)?));
        }
        N::Datetime => {
            let date = Column::of(rows.batch, &check.reference);
            tally.ask(rows, |row| Some(column.day(row)? == date.day(row)?));
        }
        N::WithinVisit => {
            let visits = Column::of(rows.batch, "visit_occurrence_id");
            tally.ask(rows, |row| {
                let (start, end) = persons.visit(rows.person[row], visits.whole(row)?)?;
                let day = f64::from(column.day(row)?);
                Some(day >= f64::from(start) - low && day <= f64::from(end) + low)
            });
        }
        _ => {}
    }
}
