//! A run: what is known of persons first, then the rows, then the months.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use omop::Table;
use roaring::RoaringBitmap;

use crate::days::{Calendar, MONTHS, month_text};
use crate::laboratory::{Laboratory, Month, Test};
use crate::outcome::{CheckResult, MonthPersons, Outcome, Reason, Status, TableSummary, Unmapped};
use crate::persons::Persons;
use crate::rules::{Bound, Check, CheckName as N, Rules, Severity};
use crate::shift::{Odd, median, unusual};
use crate::table::TableState;
use crate::tally::{Rows, Tally};

/// Rows a month has to have for its shares to say something.
const ENOUGH: u32 = 30;

/// Persons a month under which a month without any is nothing unusual.
const FEW: f64 = 10.0;

/// Of fewer that were tested no percentage says that data are not to be used.
pub const MANY: u64 = 100;

/// Rows of a check that are kept as examples, where nobody asks for more.
const EXAMPLES: usize = 20;

/// Months in a row with rows of a test after which one without any is a gap.
const STEADY: u32 = 6;

/// Part of the usual rows that a month has to have to be the first or the last one.
const SOME: f64 = 0.1;

/// Where rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The lake: merged, with row ids and visits.
    Lake,
    /// Readers of providers' files: as they are, `record_id` a number of the patient.
    Files,
}

/// A run of the checks over the rows of one provider.
pub struct Run<'r> {
    rules: &'r Rules,
    origin: Origin,
    today: i32,
    calendar: Calendar,
    persons: Persons,
    sorted: bool,
    tables: BTreeMap<Table, TableState>,
    tallies: Vec<Tally>,
}

impl<'r> Run<'r> {
    /// Begins. `today` in days since 1970-01-01.
    pub fn new(rules: &'r Rules, origin: Origin, today: i32) -> Run<'r> {
        Run {
            rules,
            origin,
            today,
            calendar: Calendar::new(),
            persons: Persons::default(),
            sorted: false,
            tables: BTreeMap::new(),
            tallies: rules.checks().iter().map(|_| Tally::keeping(EXAMPLES)).collect(),
        }
    }

    /// The same, with so many rows of each check kept as examples.
    pub fn keeping(mut self, rows: usize) -> Run<'r> {
        self.tallies = self.rules.checks().iter().map(|_| Tally::keeping(rows)).collect();
        self
    }

    /// Whether any check is of a table's rows.
    pub fn asks(&self, table: Table) -> bool {
        self.rules.checks().iter().any(|c| c.table == table)
    }

    /// The tables that [`Run::learn`] takes.
    pub const LEARNT: [Table; 4] = [Table::Person, Table::Death, Table::VisitOccurrence, Table::VisitDetail];

    /// Takes what a batch tells of persons: every batch of [`Run::LEARNT`], before the first [`Run::check`].
    pub fn learn(&mut self, table: Table, batch: &RecordBatch) {
        self.persons.take(table, batch);
        // Only visits are put in order: a run that learns of people group by group does not go through all of them each time.
        self.sorted &= !matches!(table, Table::VisitOccurrence | Table::VisitDetail);
    }

    /// Checks the rows of a batch, of [`Table::candidate_schema`] or [`Table::lake_schema`]. Of the lake rows of a record stand together;
    /// of files they need not, which takes some memory a row.
    pub fn check(&mut self, table: Table, batch: &RecordBatch) {
        if matches!(table, Table::Identity | Table::Insurance | Table::SourceFile) || batch.num_rows() == 0 {
            return;
        }
        if !self.sorted {
            self.persons.sort();
            self.sorted = true;
        }
        let rows = Rows::of(batch, table.date_column(), &mut self.persons, &self.calendar);
        let state = self.tables.entry(table).or_insert_with(|| TableState::of(table, self.rules));
        state.check(&rows, &self.persons, self.rules, self.today, self.origin == Origin::Files, &mut self.tallies);
    }

    /// What came of it.
    pub fn finish(mut self) -> Outcome {
        let last = self.last_month();
        let mut results = Vec::with_capacity(self.tallies.len());
        for (number, check) in self.rules.checks().iter().enumerate() {
            let tally = std::mem::take(&mut self.tallies[number]);
            results.push(self.judged(number, check, tally, last));
        }
        let tables = self.tables.values().map(TableSummary::of).collect();
        let mut unmapped: Vec<Unmapped> = self.tables.values().flat_map(Unmapped::of).collect();
        unmapped.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.code.cmp(&b.code)));
        let months = self.months();
        Outcome { records: self.persons.len() as u64, persons: self.persons.known(), tables, results, unmapped, months }
    }

    /// The last month in which any table has rows, up to today: it is often not complete.
    fn last_month(&self) -> u16 {
        let now = usize::from(self.calendar.month(self.today)).min(MONTHS - 1);
        let months = self.tables.values().filter(|t| t.table != Table::ObservationPeriod && t.table != Table::PayerPlanPeriod);
        let last = months.filter_map(|t| {
            let enough = self.usual_rows(t) * SOME;
            (0..=now).rev().find(|m| f64::from(t.month_rows[*m]) > enough)
        });
        let last = last.max();
        last.unwrap_or(now) as u16
    }

    fn judged(&self, number: usize, check: &Check, mut tally: Tally, last: u16) -> CheckResult {
        let state = self.tables.get(&check.table);
        let mut told = String::new();
        match (check.name, state) {
            (N::PersonCompleteness, state) => {
                let with = state.map_or(0, |s| s.persons.iter().filter(|p| self.persons.get(*p).known).count() as u64);
                tally.tested = self.persons.known();
                tally.violated = tally.tested - with.min(tally.tested);
                for person in 0..self.persons.len() as u32 {
                    if self.persons.get(person).known && !state.is_some_and(|s| s.persons.contains(person)) {
                        tally.person(person);
                    }
                }
            }
            (N::PersonConflict, _) => {
                tally.tested = self.persons.known();
                for number in 0..self.persons.len() as u32 {
                    let person = self.persons.get(number);
                    if if check.field == "gender_concept_id" { person.two_sexes } else { person.two_births } {
                        tally.violated += 1;
                        tally.person(number);
                        tally.of_person(person.record);
                    }
                }
            }
            (_, None) => {}
            (N::RowsPerPerson, Some(state)) => {
                for (person, rows) in state.per_person.iter().enumerate().filter(|(_, n)| **n > 0) {
                    tally.tested += 1;
                    if f64::from(*rows) > number_of(check.high) {
                        tally.violated += 1;
                        tally.person(person as u32);
                    }
                }
            }
            (N::MonthGap, Some(state)) if check.code.is_empty() => {
                let usual = self.usual_rows(state);
                // A single old row is no beginning.
                let first = (0..MONTHS).find(|m| f64::from(state.month_rows[*m]) > usual * SOME).unwrap_or(MONTHS);
                for month in first..usize::from(last) {
                    tally.tested += 1;
                    // A table that has a row now and then has months without any.
                    if state.month_rows[month] == 0 && usual >= f64::from(ENOUGH) {
                        tally.violated += 1;
                        tally.in_month(month as u16, 1);
                    }
                }
            }
            (N::RowsShift, Some(state)) => {
                let series = self.full(last, &state.month_rows, |_, n| f64::from(n));
                self.volume(check, &series, state, &mut tally, &mut told);
            }
            (N::PersonsShift, Some(state)) => {
                let persons = |month: u16| state.month_persons.get(&month).map_or(0.0, |p| p.len() as f64);
                let series = self.full(last, &state.month_rows, |month, _| persons(month));
                self.volume(check, &series, state, &mut tally, &mut told);
            }
            (N::CompletenessShift, Some(state)) => {
                if let Some(missing) = state.missing(&check.field) {
                    let filled: Vec<u32> = state.month_rows.iter().zip(missing).map(|(all, none)| all - none).collect();
                    self.shares(check, (&state.month_rows, &filled), -1.0, state, &mut tally, &mut told);
                }
            }
            (N::LocalCodeShift, Some(state)) => {
                if let Some(codes) = state.codes.iter().find(|c| c.field == check.field) {
                    self.shares(check, (&codes.months, &codes.local_months), 1.0, state, &mut tally, &mut told);
                }
            }
            (N::SourceValue, Some(state)) => {
                if let Some(codes) = state.codes.iter().find(|c| c.field == check.field) {
                    for code in &codes.codes {
                        tally.tested += 1;
                        if code.local {
                            tally.violated += 1;
                            tally.persons |= &code.persons;
                        }
                    }
                }
            }
            (N::CodeRowsShift, Some(state)) if check.table != Table::Measurement => {
                let mut months = vec![0; MONTHS + 1];
                for volume in state.codes.iter().filter_map(|c| c.volumes.get(&number)) {
                    months.iter_mut().zip(volume).for_each(|(sum, n)| *sum += n);
                }
                let series = self.full(last, &months, |_, n| f64::from(n));
                self.volume(check, &series, state, &mut tally, &mut told);
            }
            (N::UnitShift | N::ValueShift | N::RangeShift | N::CodeRowsShift | N::MonthGap, Some(state)) => {
                let laboratory = state.laboratory.as_ref();
                let test = laboratory.and_then(|l| l.tests.iter().find(|t| t.code == check.code));
                if let (Some(laboratory), Some(test)) = (laboratory, test) {
                    self.test(check, laboratory, test, state, last, &mut tally, &mut told);
                }
            }
            _ => {}
        }
        self.result(check, tally, told)
    }

    /// Median of the rows of months that have any; 0 where fewer than three have, or only a few persons each.
    fn usual_rows(&self, state: &TableState) -> f64 {
        let rows: Vec<f64> = state.month_rows.iter().take(MONTHS).filter(|n| **n > 0).map(|n| f64::from(*n)).collect();
        let persons: Vec<f64> = state.month_persons.values().map(|p| p.len() as f64).collect();
        if rows.len() < 3 || median(&persons) < FEW { 0.0 } else { median(&rows) }
    }

    /// Months from the first with rows to the one before the last.
    fn full(&self, last: u16, months: &[u32], value: impl Fn(u16, u32) -> f64) -> Vec<(u16, f64)> {
        let first = months.iter().take(MONTHS).position(|n| *n > 0).unwrap_or(MONTHS);
        (first..usize::from(last)).map(|m| (m as u16, value(m as u16, months[m]))).collect()
    }

    /// Months whose volume is under `low` or over `high` percent of the usual one.
    fn volume(&self, check: &Check, series: &[(u16, f64)], state: &TableState, tally: &mut Tally, told: &mut String) {
        let (low, high) = (number_of(check.low) / 100.0, number_of(check.high) / 100.0);
        let odd = unusual(series, |usual, value| usual >= f64::from(ENOUGH) && (value < usual * low || value > usual * high));
        tally.tested += series.len() as u64;
        self.months_found(&odd, state, tally);
        shown(series, &odd, "", told);
    }

    /// Months whose share of some of all rows is by more than `low` points over the usual one, or under it where the `side` is -1.
    fn shares(
        &self,
        check: &Check,
        (all, some): (&[u32], &[u32]),
        side: f64,
        state: &TableState,
        tally: &mut Tally,
        told: &mut String,
    ) {
        let months = all.iter().zip(some).take(MONTHS).enumerate().filter(|(_, (all, _))| **all >= ENOUGH);
        let series: Vec<(u16, f64)> =
            months.map(|(m, (all, some))| (m as u16, 100.0 * f64::from(*some) / f64::from(*all))).collect();
        let points = number_of(check.low);
        let odd = unusual(&series, |usual, value| (value - usual) * side > points);
        tally.tested += series.len() as u64;
        self.months_found(&odd, state, tally);
        shown(&series, &odd, "%", told);
    }

    /// Months in which something changed, and the persons of them and of those in which it lasts.
    fn months_found(&self, odd: &Odd, state: &TableState, tally: &mut Tally) {
        for month in &odd.months {
            tally.violated += 1;
            tally.in_month(*month, 1);
        }
        tally.lasting = odd.until;
        let (Some(first), Some(last)) = (odd.months.first(), odd.until.max(odd.months.last().copied())) else { return };
        for (month, persons) in &state.month_persons {
            if odd.months.contains(month) || odd.until.is_some() && (*first..=last).contains(month) {
                tally.persons |= persons;
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn test(
        &self,
        check: &Check,
        laboratory: &Laboratory,
        test: &Test,
        state: &TableState,
        last: u16,
        tally: &mut Tally,
        told: &mut String,
    ) {
        let months: BTreeMap<u16, &Month> = test.months.iter().map(|(m, v)| (*m, v)).collect();
        let enough = || months.iter().filter(|(_, m)| m.rows >= ENOUGH).map(|(number, month)| (*number, *month));
        match check.name {
            N::MonthGap => {
                let first = months.keys().next().copied().unwrap_or(last);
                let mut steady = 0;
                for month in first..last {
                    let rows = months.get(&month).map_or(0, |m| m.rows);
                    tally.tested += 1;
                    // Where nothing of the table comes the table has the gap.
                    if rows == 0 && steady >= STEADY && state.month_rows[usize::from(month)] > 0 {
                        tally.violated += 1;
                        tally.in_month(month, 1);
                        if let Some(persons) = state.month_persons.get(&month) {
                            tally.persons |= persons;
                        }
                    } else {
                        steady = if rows >= ENOUGH { steady + 1 } else { 0 };
                    }
                }
            }
            N::CodeRowsShift => {
                let mut rows = vec![0; MONTHS + 1];
                months.iter().for_each(|(number, month)| rows[usize::from(*number)] = month.rows);
                let series = self.full(last, &rows, |_, n| f64::from(n));
                self.volume(check, &series, state, tally, told);
            }
            N::ValueShift => {
                let medians = |(number, month): (u16, &Month)| {
                    month.median().filter(|(_, n)| *n >= ENOUGH).map(|(value, _)| (number, value))
                };
                let series: Vec<(u16, f64)> = enough().filter_map(medians).collect();
                let factor = number_of(check.high);
                let odd = unusual(&series, |usual, value| {
                    let (small, large) = (usual.min(value), usual.max(value));
                    // A device that gives only zeros is none that measures less.
                    small > 0.0 && large / small > factor || usual > 0.0 && value <= 0.0
                });
                tally.tested += series.len() as u64;
                self.months_found(&odd, state, tally);
                shown(&series, &odd, "", told);
            }
            N::UnitShift => {
                let months: Vec<(u16, &HashMap<u32, u32>)> = enough().map(|(n, m)| (n, &m.units)).collect();
                let name = |unit: &u32| laboratory.unit_names[*unit as usize].clone();
                let same = |a: &u32, b: &u32| laboratory.are_equal(test, *a, *b);
                self.changes(check, &months, &name, &same, state, tally, told);
            }
            _ => {
                let months: Vec<(u16, &HashMap<u64, u32>)> = enough().map(|(n, m)| (n, &m.ranges)).collect();
                let name = |bits: &u64| f64::from_bits(*bits).to_string();
                self.changes(check, &months, &name, &|a, b| a == b, state, tally, told);
            }
        }
    }

    /// Months in which something else than before is usual: what is most has at least `low` points more of the rows than what was most.
    #[allow(clippy::too_many_arguments)]
    fn changes<K: Copy + Ord + std::hash::Hash>(
        &self,
        check: &Check,
        months: &[(u16, &HashMap<K, u32>)],
        name: &dyn Fn(&K) -> String,
        same: &dyn Fn(&K, &K) -> bool,
        state: &TableState,
        tally: &mut Tally,
        told: &mut String,
    ) {
        let shown = |text: String| if text.is_empty() { "–".to_owned() } else { shown_word(&text).to_owned() };
        let (mut usual, mut first): (Option<K>, Option<K>) = (None, None);
        let mut odd = Odd::default();
        for (month, counts) in months {
            let Some((most, n)) = Month::most(counts) else { continue };
            tally.tested += 1;
            let Some(before) = usual else {
                (usual, first) = (Some(most), Some(most));
                continue;
            };
            let all: u32 = counts.values().sum();
            let more = f64::from(n) - f64::from(counts.get(&before).copied().unwrap_or(0));
            if most != before && more >= f64::from(all) * number_of(check.low) / 100.0 {
                usual = Some(most);
                if !same(&before, &most) {
                    odd.months.push(*month);
                    if told.is_empty() {
                        *told = format!("{} → {}", shown(name(&before)), shown(name(&most)));
                    }
                }
            }
            // It lasts as long as it is not again as it was at first.
            if !odd.months.is_empty() && first.zip(usual).is_some_and(|(first, usual)| !same(&first, &usual)) {
                odd.until = Some(*month);
            }
        }
        self.months_found(&odd, state, tally);
    }

    fn result(&self, check: &Check, mut tally: Tally, told: String) -> CheckResult {
        let only_lake = self.origin == Origin::Files && is_made_in_the_lake(check);
        if only_lake {
            tally = Tally::default();
        }
        let rows = self.tables.get(&check.table).map(|t| &t.month_rows);
        let percent = if tally.tested == 0 { 0.0 } else { 100.0 * tally.violated as f64 / tally.tested as f64 };
        let status = if tally.tested == 0 {
            Status::NotApplicable
        } else if percent > check.threshold {
            Status::Fail
        } else {
            Status::Pass
        };
        let beyond_use = check.fatal.is_some_and(|most| percent > most && tally.tested >= MANY);
        let reason = match (status, self.tables.get(&check.table)) {
            (Status::NotApplicable, _) if only_lake => Some(Reason::OnlyLake),
            (Status::NotApplicable, None) => Some(Reason::NoRows),
            (Status::NotApplicable, Some(_)) => Some(Reason::NothingToTest),
            _ => None,
        };
        // Since the first month in which more than is allowed is wrong: single errors of long ago are no beginning.
        let beyond = |(month, n): &(u16, u32)| {
            let all = tally.asked_in(*month).or_else(|| rows.map(|r| r[usize::from(*month)])).unwrap_or(0).max(1);
            is_by_month(check.name) || 100.0 * f64::from(*n) / f64::from(all) > check.threshold
        };
        let since = tally.by_month().find(beyond).or_else(|| tally.by_month().next()).map(|(m, _)| month_text(m));
        let until = tally.by_month().filter(beyond).last().map(|(m, _)| m).max(tally.lasting).map(month_text);
        CheckResult {
            id: check.id.clone(),
            name: check.name,
            category: check.name.category(),
            table: check.table,
            field: check.field.clone(),
            code: check.code.clone(),
            threshold: check.threshold,
            fatal: check.fatal,
            severity: if status == Status::Fail && beyond_use { Severity::Fatal } else { check.severity },
            owner: check.owner,
            status,
            reason,
            tested: tally.tested,
            violated: tally.violated,
            percent,
            persons: tally.persons.len(),
            who: tally.persons,
            since,
            until,
            told,
            examples: tally.examples,
        }
    }

    /// Persons by month and kind of contact.
    fn months(&self) -> Vec<MonthPersons> {
        let mut months: BTreeMap<u16, RoaringBitmap> = BTreeMap::new();
        for state in self.tables.values().filter(|t| MonthPersons::TABLES.contains(&t.table)) {
            for (month, persons) in &state.month_persons {
                *months.entry(*month).or_default() |= persons;
            }
        }
        months.into_iter().map(|(month, persons)| MonthPersons { month: month_text(month), persons: persons.len() }).collect()
    }
}

/// Whether a check is of what the platform makes of files: visits, observation periods, concepts, what counts.
fn is_made_in_the_lake(check: &Check) -> bool {
    let derived = [Table::VisitOccurrence, Table::VisitDetail, Table::ObservationPeriod].contains(&check.table);
    let made = ["visit_occurrence_id", "visit_detail_id", "counted"].contains(&check.field.as_str());
    derived || made || matches!(check.name, N::StandardConcept | N::SourceConcept | N::WithinVisit | N::PrimaryKey)
}

fn number_of(bound: Option<Bound>) -> f64 {
    crate::table::bound(bound, 0)
}

/// A code or unit as a page may show it: words may say who somebody is.
pub(crate) fn shown_word(text: &str) -> &str {
    if text.len() <= 40 && text.bytes().all(|b| b.is_ascii_graphic() && b != b'@') { text } else { "…" }
}

/// Whether a check counts months, not rows.
pub(crate) fn is_by_month(name: N) -> bool {
    use N::{
        CodeRowsShift, CompletenessShift, LocalCodeShift, MonthGap, PersonsShift, RangeShift, RowsShift, UnitShift, ValueShift,
    };
    matches!(
        name,
        MonthGap
            | RowsShift
            | PersonsShift
            | CompletenessShift
            | LocalCodeShift
            | CodeRowsShift
            | UnitShift
            | ValueShift
            | RangeShift
    )
}

/// What was usual before the first odd month, and what it was then.
fn shown(series: &[(u16, f64)], odd: &Odd, sign: &str, told: &mut String) {
    let Some(place) = odd.months.first().and_then(|month| series.iter().position(|(m, _)| m == month)) else { return };
    let before: Vec<f64> = series[place.saturating_sub(6)..place].iter().map(|(_, v)| *v).collect();
    let digits = |value: f64| if sign.is_empty() && value.abs() < 10.0 { 2 } else { 0 };
    let (usual, value) = (median(&before), series[place].1);
    *told = format!("{usual:.*}{sign} → {value:.*}{sign}", digits(usual), digits(value));
}
