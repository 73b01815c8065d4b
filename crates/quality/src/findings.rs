//! Failed checks → what somebody at the hospital can do something about: each cause of a table, or of a test, once.

use std::collections::BTreeMap;

use omop::{Kind, Table};
use roaring::RoaringBitmap;

use crate::outcome::{CheckResult, Outcome, Status};
use crate::rules::{CheckName as N, Owner, Severity};
use crate::run::is_by_month;

/// Findings on the first page.
pub const MOST: usize = 10;
/// Subjects that a finding names.
const NAMED: usize = 5;

/// Why something is probably so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Nothing comes any more, or nothing came for some months.
    Stopped,
    /// Much less or much more comes than before.
    Volume,
    /// The same comes twice.
    Twice,
    /// A column is not filled any more, or less than it should.
    NotFilled,
    /// Another unit, or values of another size.
    Unit,
    /// Another reference range: reagent, device or setting.
    Range,
    /// Codes that are new, own, or of no form: the masters were changed on one side.
    Master,
    /// Dates that cannot be.
    Dates,
    /// Values that cannot be.
    Values,
    /// Diagnoses that do not go with sex or age: another person's, or a typing error.
    Person,
    /// Rows that do not hang together: the program that makes them.
    Structure,
    /// Rows of patients of whom nothing else is known.
    NoPatient,
    /// Things before birth: a wrong birth date, or another patient's.
    Birth,
    /// A test does not come any more.
    TestStopped,
    /// One id, two people.
    TwoPeople,
}

impl Cause {
    /// Every cause, with its text.
    pub const ALL: [(Cause, &'static str); 15] = [
        (Cause::Stopped, "quality-cause-stopped"),
        (Cause::Volume, "quality-cause-volume"),
        (Cause::Twice, "quality-cause-twice"),
        (Cause::NotFilled, "quality-cause-not-filled"),
        (Cause::Unit, "quality-cause-unit"),
        (Cause::Range, "quality-cause-range"),
        (Cause::Master, "quality-cause-master"),
        (Cause::Dates, "quality-cause-dates"),
        (Cause::Values, "quality-cause-values"),
        (Cause::Person, "quality-cause-person"),
        (Cause::Structure, "quality-cause-structure"),
        (Cause::NoPatient, "quality-cause-no-patient"),
        (Cause::Birth, "quality-cause-birth"),
        (Cause::TestStopped, "quality-cause-test-stopped"),
        (Cause::TwoPeople, "quality-cause-two-people"),
    ];

    /// Whether it is of patients, and stands once whatever number of tables shows it.
    fn is_of_patients(self) -> bool {
        matches!(self, Cause::NoPatient | Cause::Birth | Cause::TwoPeople)
    }

    fn of(result: &CheckResult) -> Cause {
        match result.name {
            N::MonthGap if !result.code.is_empty() => Cause::TestStopped,
            N::MonthGap => Cause::Stopped,
            N::PersonConflict => Cause::TwoPeople,
            N::RowsShift | N::PersonsShift | N::CodeRowsShift | N::PersonCompleteness => Cause::Volume,
            N::DuplicateRows | N::RowsPerPerson => Cause::Twice,
            N::ValueCompleteness | N::CompletenessShift | N::CodeValue | N::CodeUnit => Cause::NotFilled,
            N::UnitShift | N::ValueShift | N::Unit => Cause::Unit,
            N::RangeShift => Cause::Range,
            N::SourceValue | N::LocalCodeShift | N::CodeForm | N::StandardConcept | N::SourceConcept => Cause::Master,
            N::StartBeforeEnd if result.field.starts_with("range") => Cause::Values,
            N::AfterBirth => Cause::Birth,
            N::BeforeDeath | N::StartBeforeEnd | N::WithinVisit | N::Datetime => Cause::Dates,
            N::ValueLow | N::ValueHigh if is_a_day(result) => Cause::Dates,
            N::ValueLow | N::ValueHigh => Cause::Values,
            N::Gender | N::Age => Cause::Person,
            N::ForeignKey if result.field == "record_id" => Cause::NoPatient,
            N::ForeignKey | N::PrimaryKey | N::Required | N::DataType => Cause::Structure,
        }
    }
}

fn is_a_day(result: &CheckResult) -> bool {
    let kind = result.table.fields().find(|f| f.name == result.field).map(|f| f.kind);
    matches!(kind, Some(Kind::Date32 | Kind::Timestamp))
}

/// Something to do.
pub struct Finding {
    /// Why it is probably so.
    pub cause: Cause,
    /// Where; none when it is the patients, whatever tells of them.
    pub table: Option<Table>,
    /// How bad the worst of its checks is.
    pub severity: Severity,
    /// Who can mend it.
    pub owner: Owner,
    /// Columns or codes, the worst first, with how they changed.
    pub subjects: Vec<String>,
    /// Subjects that are not named.
    pub more: usize,
    /// First month.
    pub since: Option<String>,
    /// Last month.
    pub until: Option<String>,
    /// Persons that it concerns.
    pub persons: u64,
    /// Rows that it concerns, those of its largest check; none when its checks count months or persons.
    pub rows: Option<u64>,
    /// The checks that failed.
    pub checks: Vec<String>,
}

/// What there is to do, the most urgent first: by severity, then by persons, then by rows. Notes are none: they stand in the details.
pub fn findings(outcome: &Outcome) -> Vec<Finding> {
    let mut groups: BTreeMap<(Cause, Option<Table>), Vec<&CheckResult>> = BTreeMap::new();
    let failed = outcome.results.iter().filter(|r| r.status == Status::Fail && r.severity > Severity::Note);
    for result in failed {
        let cause = Cause::of(result);
        groups.entry((cause, (!cause.is_of_patients()).then_some(result.table))).or_default().push(result);
    }
    // What stopped is also fewer rows, fewer persons and missing values: it is said once.
    let stopped: Vec<Option<Table>> = groups.keys().filter(|(c, _)| *c == Cause::Stopped).map(|(_, t)| *t).collect();
    groups.retain(|(cause, table), _| !matches!(cause, Cause::Volume | Cause::TestStopped) || !stopped.contains(table));
    let mut all: Vec<Finding> = groups.into_iter().map(|((cause, table), results)| finding(cause, table, results)).collect();
    all.sort_by(|a, b| {
        // Nobody is in what did not come: it goes before what is wrong with some.
        let rank = |f: &Finding| (f.severity, f.cause == Cause::Stopped, f.persons, f.rows.unwrap_or(0));
        rank(b).cmp(&rank(a)).then_with(|| (a.cause, a.table).cmp(&(b.cause, b.table)))
    });
    all
}

fn finding(cause: Cause, table: Option<Table>, mut results: Vec<&CheckResult>) -> Finding {
    results.sort_by(|a, b| (b.severity, b.persons, b.violated).cmp(&(a.severity, a.persons, a.violated)).then(a.id.cmp(&b.id)));
    let mut subjects: Vec<String> = Vec::new();
    for result in &results {
        let what = if result.code.is_empty() || result.name == N::CodeForm { &result.field } else { &result.code };
        let what = if matches!(cause, Cause::NoPatient | Cause::Birth) {
            result.table.name()
        } else {
            what.split('/').next().unwrap_or_default()
        };
        let told = if result.told.is_empty() {
            let digits = if result.percent < 10.0 { 1 } else { 0 };
            if is_by_month(result.name) { String::new() } else { format!(" ({:.*}%)", digits, result.percent) }
        } else {
            format!(" ({})", result.told)
        };
        if !subjects.iter().any(|s| s.split(" (").next() == Some(what)) {
            // The worst of a subject is told.
            subjects.push(format!("{what}{told}"));
        }
    }
    let more = subjects.len().saturating_sub(NAMED);
    subjects.truncate(NAMED);
    let mut who = RoaringBitmap::new();
    results.iter().for_each(|r| who |= &r.who);
    let rows = results
        .iter()
        .filter(|r| !is_by_month(r.name) && !matches!(r.name, N::SourceValue | N::PersonConflict))
        .map(|r| r.violated)
        .max();
    Finding {
        cause,
        table,
        severity: results.iter().map(|r| r.severity).max().unwrap_or(Severity::Note),
        owner: match cause {
            Cause::NoPatient => Owner::Vendor,
            Cause::Birth | Cause::TwoPeople => Owner::Registration,
            _ => results.first().map_or(Owner::Vendor, |r| r.owner),
        },
        subjects,
        more,
        since: results.iter().filter_map(|r| r.since.clone()).min(),
        until: results.iter().filter_map(|r| r.until.clone()).max(),
        persons: who.len(),
        rows,
        checks: results.iter().map(|r| r.id.clone()).collect(),
    }
}
