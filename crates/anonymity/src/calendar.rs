//! Codes that fix a calendar date. A drug that was listed on a day, a code that a revision brought or took away: whoever sees one on a day on which it was
//! not in use knows something of the person's shift, or of the day within a month; several of them can leave one shift alone, and with it every true day.
//!
//! [`Validity`] is what was loaded of when codes are in use. [`Calendar::mend`] brings the codes that would leave too few shifts (or too few days of a month or
//! year) to forms that leave enough, at last その他. A form is in use from when its first code came to when its last one went, of the codes that the
//! column's roll-up brings to it: a longer text that merely begins so is none of them, and a code that is nobody's form is in use as it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, Date32Array, RecordBatch, StringArray};
use arrow::compute::DatePart;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::Int64Type;
use serde::{Deserialize, Serialize};

use crate::AnonymityError;
use crate::events::next_form;
use crate::persons::Persons;
use crate::profile::{Profile, Treatment, split_column};
use crate::treat::{OTHER, codes, dates, drop};

/// First and last day on which a code is in use, days since 1970-01-01; open where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// First day.
    pub from: Option<i32>,
    /// Last day.
    pub to: Option<i32>,
}

impl Span {
    fn with(self, other: Span) -> Span {
        let (from, to) = (self.from.zip(other.from), self.to.zip(other.to));
        Span { from: from.map(|(a, b)| a.min(b)), to: to.map(|(a, b)| a.max(b)) }
    }

    fn is_open(self) -> bool {
        self == Span::default()
    }
}

/// When codes are in use, by column (`table.column`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validity {
    of: BTreeMap<String, BTreeMap<String, Span>>,
}

impl Validity {
    /// A code of a column, as the column writes it. One that is said twice is in use from the first to the last day of both.
    pub fn add(&mut self, column: &str, code: &str, span: Span) {
        let codes = self.of.entry(column.to_owned()).or_default();
        let known = codes.get(code).map_or(span, |known| known.with(span));
        codes.insert(code.to_owned(), known);
    }

    /// Whether nothing was loaded.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Columns of which something is known.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.of.keys().map(String::as_str)
    }

    /// Codes of a column with their days.
    pub fn codes(&self, column: &str) -> impl Iterator<Item = (&str, Span)> {
        self.of.get(column).into_iter().flatten().map(|(code, span)| (code.as_str(), *span))
    }

    /// Of a code or a form as the profile lets a column show it: of all codes that can become it. Codes that become その他 at once (words, local
    /// codes) are shown as nothing, so that they open no form.
    pub fn span(&self, profile: &Profile, column: &str, shown: &str) -> Span {
        let treatment = split_column(column).and_then(|(table, column)| profile.treatment(table, column));
        let Some(Treatment::Code { rollup, local, systems, .. }) = treatment else { return Span::default() };
        let codes = self.of.get(column).map(|codes| codes.range(shown.to_owned()..));
        let below = codes.into_iter().flatten().take_while(|(code, _)| code.starts_with(shown));
        let becomes = |code: &str| codes::leads_to(code, shown, rollup) && codes::can_be_shown(code, *local, systems);
        below.filter(|(code, _)| becomes(code)).map(|(_, span)| *span).reduce(Span::with).unwrap_or_default()
    }

    /// Codes of the tables of which nothing is known can have been in use on any day, and with them their forms.
    pub(crate) fn complete(&mut self, tables: &BTreeMap<String, RecordBatch>) {
        for (name, codes) in &mut self.of {
            let column = split_column(name).and_then(|(table, column)| tables.get(table)?.column_by_name(column));
            let texts = column.and_then(|c| c.as_string_opt::<i32>());
            for code in texts.into_iter().flatten().flatten() {
                let code = code.trim();
                if !codes.contains_key(code) {
                    codes.insert(code.to_owned(), Span::default());
                }
            }
        }
    }
}

/// What was done about codes that fix a date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CalendarReport {
    /// Share of a person's shifts, or of the days of a month or year, that has to stay open.
    pub least_open: f64,
    /// Rows with a code that is not in use at all times.
    pub rows: u64,
    /// Of them those whose code became a form.
    pub coarser: u64,
    /// Of them those whose code became その他.
    pub other: u64,
    /// Persons of those rows.
    pub persons: u64,
}

/// The column that says to which visit a row belongs.
const VISIT: &str = "visit_occurrence_id";

/// First and last day that a day can be as it leaves.
type Ends = (i32, i32);

/// A row with a code that is not in use at all times.
struct Dated<'a> {
    table: &'a str,
    column: &'a str,
    row: usize,
    code: &'a str,
    /// Day as it would leave: moved, or the first and the last day that it can be.
    days: Ends,
    /// Visit of the row, where that leaves.
    visit: Option<i64>,
}

/// Spans of codes and forms that were looked up, by table, column and what is shown.
type Spans<'d> = HashMap<(&'d str, &'d str, &'d str), Span>;

/// What is to be kept open, for a run.
pub(crate) struct Calendar<'a> {
    pub profile: &'a Profile,
    pub validity: &'a Validity,
    pub persons: &'a Persons,
    pub shifts: &'a [i32],
}

/// How many shifts there are from one to another; none of them is 0.
fn shifts_between((from, to): (i32, i32)) -> i32 {
    (to - from + 1).max(0) - i32::from(from <= 0 && to >= 0)
}

/// The shifts that a day as it leaves has left, of those up to `most`, where its code is in use within a span.
pub(crate) fn left(shown: i32, span: Span, (least, most): (i32, i32)) -> (i32, i32) {
    let from = span.to.map_or(least, |to| shown.saturating_sub(to).max(least));
    let to = span.from.map_or(most, |first| shown.saturating_sub(first).min(most));
    (from, to)
}

impl Calendar<'_> {
    /// The tables with codes that leave enough open.
    ///
    /// # Errors
    /// None that these types can raise; Arrow's.
    pub fn mend(
        &self,
        tables: &BTreeMap<String, RecordBatch>,
    ) -> Result<(BTreeMap<String, RecordBatch>, CalendarReport), AnonymityError> {
        let mut out = tables.clone();
        let mut report = CalendarReport::default();
        let Some(privacy) = self.profile.privacy.as_ref().filter(|_| !self.validity.is_empty()) else { return Ok((out, report)) };
        let moved = privacy.shift_days.filter(|_| self.profile.moves_dates()).map(i32::from);
        let mut of_person: BTreeMap<u32, Vec<Dated<'_>>> = BTreeMap::new();
        for (name, batch) in tables {
            let persons = self.persons.rows(name, batch)?;
            self.dated(name, batch, &persons, &mut |person, dated| of_person.entry(person).or_default().push(dated))?;
        }
        report.least_open = privacy.least_days_open;
        report.persons = of_person.len() as u64;
        let mut to: BTreeMap<(&str, &str), BTreeMap<usize, String>> = BTreeMap::new();
        let mut spans = Spans::new();
        for rows in of_person.into_values() {
            report.rows += rows.len() as u64;
            for (dated, form) in self.of_a_person(rows, moved, privacy.least_days_open, &mut spans) {
                if form == OTHER {
                    report.other += 1
                } else {
                    report.coarser += 1
                }
                to.entry((dated.table, dated.column)).or_default().insert(dated.row, form);
            }
        }
        for ((table, column), forms) in to {
            if let Some(batch) = out.get_mut(table) {
                *batch = self.shown(table, batch, column, &forms)?;
            }
        }
        Ok((out, report))
    }

    /// What the rows of a person become that would leave too little open. Those that leave most are looked at first, so that what can stay stays.
    /// One shift holds for all of a person's rows; of a month or a year, what rows of one visit leave is what all of them leave together.
    fn of_a_person<'d>(
        &self,
        mut rows: Vec<Dated<'d>>,
        moved: Option<i32>,
        least: f64,
        spans: &mut Spans<'d>,
    ) -> Vec<(Dated<'d>, String)> {
        let mut of = |dated: &Dated<'d>, shown: &'d str| match shown {
            OTHER => Span::default(),
            _ => *spans
                .entry((dated.table, dated.column, shown))
                .or_insert_with(|| self.validity.span(self.profile, &format!("{}.{}", dated.table, dated.column), shown)),
        };
        let all = |dated: &Dated<'_>| moved.map_or(dated.days, |most| (-most, most));
        let narrowed = |dated: &Dated<'_>, span: Span, (first, last): Ends| match moved {
            Some(_) => left(dated.days.0, span, (first, last)),
            None => (span.from.map_or(first, |from| from.max(first)), span.to.map_or(last, |to| to.min(last))),
        };
        let count = |(first, last): Ends| if moved.is_some() { shifts_between((first, last)) } else { (last - first + 1).max(0) };
        rows.sort_by_cached_key(|d| {
            let span = of(d, d.code);
            (-count(narrowed(d, span, all(d))), d.days, d.code.to_owned(), d.table, d.column)
        });
        let together = |dated: &Dated<'_>| match moved {
            Some(_) => Some((0, (0, 0))),
            None => dated.visit.map(|visit| (visit, dated.days)),
        };
        let mut open: BTreeMap<(i64, Ends), Ends> = BTreeMap::new();
        let mut mended = Vec::new();
        for dated in rows {
            let rollup = match self.profile.treatment(dated.table, dated.column) {
                Some(Treatment::Code { rollup, .. }) => &rollup[..],
                _ => &[],
            };
            let with = together(&dated);
            let so_far = with.and_then(|with| open.get(&with).copied()).unwrap_or_else(|| all(&dated));
            let mut shown = dated.code;
            loop {
                let rest = narrowed(&dated, of(&dated, shown), so_far);
                if shown == OTHER || f64::from(count(rest)) >= least * f64::from(count(all(&dated))) {
                    if let Some(with) = with {
                        open.insert(with, rest);
                    }
                    break;
                }
                shown = next_form(shown, rollup).unwrap_or(OTHER);
            }
            if shown != dated.code {
                let shown = shown.to_owned();
                mended.push((dated, shown));
            }
        }
        mended
    }

    /// Every row of a table whose code is not in use at all times and whose day leaves.
    fn dated<'b>(
        &'b self,
        name: &'b str,
        batch: &'b RecordBatch,
        persons: &[u32],
        found: &mut impl FnMut(u32, Dated<'b>),
    ) -> Result<(), AnonymityError> {
        let mine = |column: &&str| split_column(column).is_some_and(|(table, _)| table == name);
        for full in self.validity.columns().filter(mine) {
            let Some((_, column)) = split_column(full) else { continue };
            let code = matches!(self.profile.treatment(name, column), Some(Treatment::Code { .. }));
            let texts = batch.column_by_name(column).filter(|_| code).and_then(|c| c.as_string_opt::<i32>());
            let (Some(texts), Some(days)) = (texts, self.days(name, batch, persons)?) else { continue };
            let leaves = matches!(self.profile.treatment(name, VISIT), Some(Treatment::NewId { .. }));
            let visits = batch.column_by_name(VISIT).filter(|_| leaves).and_then(|c| c.as_primitive_opt::<Int64Type>());
            let visit = |row: usize| visits.filter(|v| v.is_valid(row)).map(|v| v.value(row));
            let mut spans: BTreeMap<&str, bool> = BTreeMap::new();
            for (row, code) in texts.iter().enumerate() {
                let (Some(code), Some(days)) = (code.map(str::trim).filter(|c| !c.is_empty()), days[row]) else { continue };
                if !*spans.entry(code).or_insert_with(|| self.validity.span(self.profile, full, code).is_open()) {
                    found(persons[row], Dated { table: name, column, row, code, days, visit: visit(row) });
                }
            }
        }
        Ok(())
    }

    /// First and last day that the day of each row can be as it leaves: of the first column of dates that leaves and has one; moved ones are one day.
    fn days(&self, name: &str, batch: &RecordBatch, persons: &[u32]) -> Result<Option<Vec<Option<Ends>>>, AnonymityError> {
        let mut out: Option<Vec<Option<Ends>>> = None;
        for field in batch.schema().fields() {
            let array = batch.column_by_name(field.name()).and_then(dates::dates);
            let (Some(array), Some(treatment)) = (array, self.profile.treatment(name, field.name())) else { continue };
            let ends = match treatment {
                Treatment::Shift => {
                    let moved = array.iter().zip(persons).map(|(d, p)| d.map(|d| d.saturating_add(self.shifts[*p as usize])));
                    moved.map(|day| day.map(|day| (day, day))).collect()
                }
                Treatment::Month => cut(array, DatePart::Day, 31)?,
                Treatment::Year => cut(array, DatePart::DayOfYear, 366)?,
                _ => continue,
            };
            match &mut out {
                None => out = Some(ends),
                Some(days) => days.iter_mut().zip(ends).for_each(|(day, of)| *day = day.or(of)),
            }
        }
        Ok(out)
    }

    /// A table with some codes in other forms, and without what would say which code it was.
    fn shown(
        &self,
        name: &str,
        batch: &RecordBatch,
        column: &str,
        forms: &BTreeMap<usize, String>,
    ) -> Result<RecordBatch, AnonymityError> {
        let schema = batch.schema();
        let rows: BooleanArray = (0..batch.num_rows()).map(|row| Some(forms.contains_key(&row))).collect();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            let tells = matches!(
                self.profile.treatment(name, field.name()),
                Some(Treatment::Follow { .. } | Treatment::Unit | Treatment::Value { .. } | Treatment::ResultText)
            );
            columns.push(match array.as_string_opt::<i32>() {
                Some(texts) if field.name() == column => {
                    let mended = texts.iter().enumerate().map(|(row, code)| forms.get(&row).map(String::as_str).or(code));
                    Arc::new(mended.collect::<StringArray>())
                }
                _ if tells => {
                    let no_value = || AnonymityError::DateNotDroppable { table: name.to_owned(), column: field.name().clone() };
                    zip(&rows, &drop::emptied(field, array.len()).ok_or_else(no_value)?, array)?
                }
                _ => Arc::clone(array),
            });
        }
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// First and last day of the month (or year) of each date; `longest` is how many days one has at most.
fn cut(array: &Date32Array, part: DatePart, longest: i32) -> Result<Vec<Option<Ends>>, AnonymityError> {
    let first = dates::cut(array, part)?;
    let Some(first) = dates::dates(&first) else { return Ok(vec![None; array.len()]) };
    // The day after the longest is in the next one, whose first day is the day after the last.
    let after: Date32Array = first.iter().map(|day| day.map(|day| day.saturating_add(longest))).collect();
    let next = dates::cut(&after, part)?;
    let next = dates::dates(&next).cloned().unwrap_or_else(|| first.clone());
    Ok(first.iter().zip(next.iter()).map(|(first, next)| Some((first?, next? - 1))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_and_a_year_have_their_days() {
        // 2020-02-10 and 2021-12-31; 29, 366, 31 and 365 days.
        let days = Date32Array::from(vec![Some(18_302), Some(18_992), None]);
        let long = |part, longest| -> Vec<Option<i32>> {
            cut(&days, part, longest).expect("cut").into_iter().map(|ends| ends.map(|(first, last)| last - first + 1)).collect()
        };
        assert_eq!(long(DatePart::Day, 31), [Some(29), Some(31), None]);
        assert_eq!(long(DatePart::DayOfYear, 366), [Some(366), Some(365), None]);
    }

    #[test]
    fn what_a_day_leaves_of_shifts_is_what_a_count_of_them_says() {
        for (from, to) in [(None, None), (Some(95), None), (None, Some(103)), (Some(97), Some(99)), (Some(200), None)] {
            for shown in 80..120 {
                let span = Span { from, to };
                let fits = |shift: &i32| from.is_none_or(|f| shown - shift >= f) && to.is_none_or(|t| shown - shift <= t);
                let counted = (-10..=10).filter(|s| *s != 0).filter(fits).count();
                assert_eq!(shifts_between(left(shown, span, (-10, 10))), counted as i32, "{shown} in {span:?}");
            }
        }
    }

    #[test]
    fn a_form_is_in_use_as_long_as_any_of_its_codes() {
        const DRUGS: &str = "drug_exposure.drug_source_value";
        let profile = Profile::parse(include_str!("../../../profiles/anonymized.toml")).expect("the shipped profile");
        let mut validity = Validity::default();
        validity.add(DRUGS, "1234567A", Span { from: Some(10), to: Some(20) });
        validity.add(DRUGS, "1234567B", Span { from: Some(5), to: None });
        assert_eq!(validity.span(&profile, DRUGS, "1234567A"), Span { from: Some(10), to: Some(20) });
        assert_eq!(validity.span(&profile, DRUGS, "1234567"), Span { from: Some(5), to: None });
        assert_eq!(validity.span(&profile, DRUGS, "9"), Span::default());
        validity.add(DRUGS, "1234567A", Span { from: Some(1), to: Some(15) });
        assert_eq!(validity.span(&profile, DRUGS, "1234567A"), Span { from: Some(1), to: Some(20) });
    }
}
