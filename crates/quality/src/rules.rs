//! The rules: one line of a CSV file a check, in the manner of OHDSI's Data Quality Dashboard and with its names where it has
//! the check. A rule that cannot be run is refused with its line; none is passed over in silence.

use std::collections::BTreeMap;
use std::fmt;

use omop::{Kind, Table};
use serde::Serialize;

use crate::days::day_of;
use crate::lines::Counted;

/// The rules that come with the program.
const SHIPPED: &str = include_str!("../rules/checks.csv");

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident $text:literal $kind:ident;)+) => {
        /// What a check asks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum CheckName { $($(#[$doc])* $name,)+ }

        impl CheckName {
            /// Every name.
            pub const ALL: &'static [CheckName] = &[$(CheckName::$name,)+];

            /// As in the file of rules.
            pub const fn as_str(self) -> &'static str {
                match self { $(CheckName::$name => $text,)+ }
            }

            /// Of which kind of Kahn's framework it is.
            pub const fn category(self) -> Category {
                match self { $(CheckName::$name => Category::$kind,)+ }
            }
        }
    };
}

names! {
    /// Persons without a row in the table.
    PersonCompleteness "measurePersonCompleteness" Completeness;
    /// Rows whose `record_id` has no person row, or whose visit is none of the record's.
    ForeignKey "isForeignKey" Conformance;
    /// Row ids that stand twice in a record.
    PrimaryKey "isPrimaryKey" Conformance;
    /// Missing values of a column that must have one.
    Required "isRequired" Conformance;
    /// Texts longer than the model's column, `high` characters.
    DataType "cdmDatatype" Conformance;
    /// Missing values.
    ValueCompleteness "measureValueCompleteness" Completeness;
    /// Months whose share of filled values is by more than `low` points under that of the months before.
    CompletenessShift "valueCompletenessShift" Completeness;
    /// Rows whose standard concept is 0.
    StandardConcept "standardConceptRecordCompleteness" Completeness;
    /// Rows whose source concept is 0.
    SourceConcept "sourceConceptRecordCompleteness" Completeness;
    /// Distinct source values that are the sender's own codes or plain words.
    SourceValue "sourceValueCompleteness" Completeness;
    /// Months whose share of the sender's own codes is by more than `low` points over that of the months before.
    LocalCodeShift "localCodeShift" Completeness;
    /// Codes that have not the form of their system.
    CodeForm "codeForm" Conformance;
    /// Values or days under `low`.
    ValueLow "plausibleValueLow" Plausibility;
    /// Values or days over `high`.
    ValueHigh "plausibleValueHigh" Plausibility;
    /// Days before the day of birth.
    AfterBirth "plausibleAfterBirth" Plausibility;
    /// Days more than `low` days after the day of death.
    BeforeDeath "plausibleBeforeDeath" Plausibility;
    /// Ends before the start in `ref`.
    StartBeforeEnd "plausibleStartBeforeEnd" Plausibility;
    /// Days more than `low` days outside the visit that the row names.
    WithinVisit "withinVisitDates" Plausibility;
    /// Times that are of another day than the date in `ref`.
    Datetime "plausibleDatetime" Conformance;
    /// Diagnoses of the other sex.
    Gender "plausibleGenderUseDescendants" Plausibility;
    /// Diagnoses at another age than `from` to `to` years.
    Age "plausibleAge" Plausibility;
    /// Units that are none of those of the test.
    Unit "plausibleUnit" Conformance;
    /// Months in which another unit than before has `low` points more of the results than that one.
    UnitShift "unitShift" Plausibility;
    /// Months whose median is `high` times the usual one, or a part of it.
    ValueShift "valueShift" Plausibility;
    /// Months with another reference range than before.
    RangeShift "rangeShift" Plausibility;
    /// Results of a test without a number.
    CodeValue "codeValueCompleteness" Completeness;
    /// Results of a test without a unit.
    CodeUnit "codeUnitCompleteness" Completeness;
    /// Months in which a code has under `low` or over `high` percent of its usual rows.
    CodeRowsShift "codeRowsShift" Plausibility;
    /// Months with under `low` or over `high` percent of the usual rows.
    RowsShift "rowsShift" Plausibility;
    /// Months with under `low` or over `high` percent of the usual persons.
    PersonsShift "personsShift" Plausibility;
    /// Months without any row while other tables have rows; of a test, after six months in a row with rows of it.
    MonthGap "monthGap" Completeness;
    /// Persons with more than `high` rows.
    RowsPerPerson "rowsPerPerson" Plausibility;
    /// Rows that say the same of one person as another one.
    DuplicateRows "duplicateRows" Conformance;
    /// Persons of whom two rows tell another sex, or another birth date.
    PersonConflict "personConflict" Conformance;
}

/// Kahn et al., "A Harmonized Data Quality Assessment Terminology and Framework" (2016).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Structure and form.
    Conformance,
    /// Whether what should be there is there.
    Completeness,
    /// Whether it can be true.
    Plausibility,
}

/// What a failed check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To know.
    Note,
    /// To look into.
    Warning,
    /// Wrong.
    Error,
    /// The batch is not to be used.
    Fatal,
}

/// Who can mend it at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// 医事課(受付・入退院)
    Registration,
    /// 医事課(請求)
    Claims,
    /// 診療情報管理室
    Records,
    /// 検査部
    Laboratory,
    /// 薬剤部
    Pharmacy,
    /// システム担当・ベンダー
    Vendor,
}

/// A bound: a number, a day, or a day relative to the day of the check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A number; of text columns characters.
    Number(f64),
    /// Days since 1970-01-01.
    Day(i32),
    /// Days after the day of the check.
    Today(i32),
}

/// One check.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name in results: what is asked, of which column, of which code, sex and age.
    pub id: String,
    /// What is asked.
    pub name: CheckName,
    /// Of which table.
    pub table: Table,
    /// Of which column.
    pub field: String,
    /// Only rows of this code; empty for all. An ICD-10 category or block, a JLAC10 analyte `3D010`, with `/` materials after it.
    pub code: String,
    /// The sex that the code belongs to.
    pub sex: Option<char>,
    /// Age in years, from and up to.
    pub age: Option<(f64, f64)>,
    /// Lower bound or allowance.
    pub low: Option<Bound>,
    /// Upper bound or allowance.
    pub high: Option<Bound>,
    /// Another column or table, or units with their factors.
    pub reference: String,
    /// Percent of what is tested that may be violated.
    pub threshold: f64,
    /// Percent over which the data are not to be used, whatever the severity: of at least [`crate::MANY`] that were tested.
    pub fatal: Option<f64>,
    /// What it means when it fails.
    pub severity: Severity,
    /// Who can mend it.
    pub owner: Owner,
}

/// Every check of a run, each once.
#[derive(Debug, Clone)]
pub struct Rules {
    checks: Vec<Check>,
}

/// Why a file of rules was refused.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the rules, column {column}: {reason}")]
pub struct RuleError {
    /// Line of the file, from 1.
    pub line: u64,
    /// Column.
    pub column: &'static str,
    /// What is wrong and what would be right.
    pub reason: String,
}

const COLUMNS: [&str; 14] =
    ["check", "table", "field", "code", "sex", "from", "to", "low", "high", "ref", "threshold", "fatal", "severity", "owner"];

impl Rules {
    /// The rules that come with the program.
    ///
    /// # Errors
    /// Never for a released program: a test reads them.
    pub fn shipped() -> Result<Rules, RuleError> {
        Rules::parse(SHIPPED)
    }

    /// Reads rules.
    ///
    /// # Errors
    /// [`RuleError`] with line and column.
    pub fn parse(text: &str) -> Result<Rules, RuleError> {
        Ok(Rules { checks: read(text)?.0 })
    }

    /// The same with the checks of another file: one of the same name, column, code, sex and age takes the place of the shipped
    /// one; a threshold of `off` takes it away.
    ///
    /// # Errors
    /// [`RuleError`] with line and column of `text`.
    pub fn with(mut self, text: &str) -> Result<Rules, RuleError> {
        let (own, lines) = read(text)?;
        for check in own.iter().filter(|c| !c.threshold.is_finite()) {
            if !self.checks.iter().any(|c| c.id == check.id) {
                let line = lines.get(&check.id).copied().unwrap_or_default();
                let reason = format!("there is no check {} that could be taken away", check.id);
                return Err(RuleError { line, column: "threshold", reason });
            }
        }
        self.checks.retain(|c| !lines.contains_key(&c.id));
        self.checks.extend(own);
        self.checks.retain(|c| c.threshold.is_finite());
        one_form(&self.checks, &lines)?;
        Ok(self)
    }

    /// The checks alone that can say that data are not to be used.
    pub fn fatal(mut self) -> Rules {
        self.checks.retain(|c| c.severity == Severity::Fatal || c.fatal.is_some());
        self
    }

    /// The checks, in the order of the file.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}

/// The checks of a file, and the line of each by its id.
fn read(text: &str) -> Result<(Vec<Check>, BTreeMap<String, u64>), RuleError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rules: Vec<Check> = Vec::new();
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    let mut counted = Counted::new(text);
    for (number, row) in reader.records().enumerate() {
        let row = row.map_err(|e| RuleError { line: counted.line(), column: "check", reason: e.to_string() })?;
        let line = counted.line_of(&row);
        if number == 0 {
            if row.iter().ne(COLUMNS) {
                let reason = format!("the header has to be {}", COLUMNS.join(","));
                return Err(RuleError { line, column: "check", reason });
            }
            continue;
        }
        if row.len() != COLUMNS.len() {
            let reason = format!("{} fields; {} are needed", row.len(), COLUMNS.len());
            return Err(RuleError { line, column: "check", reason });
        }
        let check = Line { line, row: &row }.check()?;
        if let Some(first) = lines.insert(check.id.clone(), line) {
            return Err(RuleError { line, column: "check", reason: format!("line {first} has the same check") });
        }
        rules.push(check);
    }
    if rules.is_empty() {
        let reason = format!("there is no check; the header is {}, then one line a check", COLUMNS.join(","));
        return Err(RuleError { line: 1, column: "check", reason });
    }
    one_form(&rules, &lines)?;
    Ok((rules, lines))
}

/// A column of codes is held to one form: of two, one would never be asked.
fn one_form(checks: &[Check], lines: &BTreeMap<String, u64>) -> Result<(), RuleError> {
    let mut forms: BTreeMap<(Table, &str), &Check> = BTreeMap::new();
    for check in checks.iter().filter(|c| c.name == CheckName::CodeForm) {
        if let Some(first) = forms.insert((check.table, &check.field), check) {
            let line = lines.get(&check.id).or_else(|| lines.get(&first.id)).copied().unwrap_or_default();
            let reason = format!("the column is held to the form {} already; take that check away with off", first.code);
            return Err(RuleError { line, column: "code", reason });
        }
    }
    Ok(())
}

struct Line<'a> {
    line: u64,
    row: &'a csv::StringRecord,
}

impl Line<'_> {
    fn text(&self, column: &'static str) -> &str {
        COLUMNS.iter().position(|c| *c == column).and_then(|i| self.row.get(i)).unwrap_or_default().trim()
    }

    fn wrong(&self, column: &'static str, reason: impl fmt::Display) -> RuleError {
        RuleError { line: self.line, column, reason: reason.to_string() }
    }

    fn number(&self, column: &'static str) -> Result<Option<f64>, RuleError> {
        match self.text(column) {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(self.wrong(column, "not a number")),
            },
        }
    }

    fn bound(&self, column: &'static str) -> Result<Option<Bound>, RuleError> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        if let Some(rest) = text.strip_prefix("today") {
            let days = if rest.is_empty() { Some(0) } else { rest.parse().ok() };
            return days.map(|d| Some(Bound::Today(d))).ok_or_else(|| self.wrong(column, "write today, or today+30"));
        }
        if let Some(day) = day_of(text) {
            return Ok(Some(Bound::Day(day)));
        }
        Ok(self.number(column)?.map(Bound::Number))
    }

    fn check(&self) -> Result<Check, RuleError> {
        let name = CheckName::ALL.iter().copied().find(|n| n.as_str() == self.text("check"));
        let name = name.ok_or_else(|| self.wrong("check", "no check has this name"))?;
        let table = Table::by_name(self.text("table")).ok_or_else(|| self.wrong("table", "no table has this name"))?;
        if matches!(table, Table::Identity | Table::Insurance | Table::SourceFile) {
            return Err(self.wrong("table", "the tables that say who somebody is are not checked"));
        }
        let field = self.text("field").to_owned();
        let kind = table.fields().find(|f| f.name == field).map(|f| f.kind);
        if !field.is_empty() && field != "record_id" && kind.is_none() {
            return Err(self.wrong("field", "the table has no such column"));
        }
        let sex = match self.text("sex") {
            "" => None,
            "F" => Some('F'),
            "M" => Some('M'),
            _ => return Err(self.wrong("sex", "F, M or nothing")),
        };
        let age = match (self.number("from")?, self.number("to")?) {
            (None, None) => None,
            (Some(from), Some(to)) if from < to => Some((from, to)),
            _ => return Err(self.wrong("from", "from and to go together, from is the smaller one")),
        };
        let threshold = match self.text("threshold") {
            "off" => f64::INFINITY,
            _ => match self.number("threshold")? {
                // 100 percent can never be exceeded: such a check would hold whatever comes.
                Some(percent) if (0.0..100.0).contains(&percent) => percent,
                _ => return Err(self.wrong("threshold", "percent from 0 to under 100, or off")),
            },
        };
        let fatal = match self.number("fatal")? {
            None => None,
            Some(percent) if (0.0..100.0).contains(&percent) && percent >= threshold => Some(percent),
            Some(_) => return Err(self.wrong("fatal", "percent from the threshold to under 100, or nothing")),
        };
        let severity = match self.text("severity") {
            "note" => Severity::Note,
            "warning" => Severity::Warning,
            "error" => Severity::Error,
            "fatal" => Severity::Fatal,
            _ => return Err(self.wrong("severity", "note, warning, error or fatal")),
        };
        let owner = match self.text("owner") {
            "registration" => Owner::Registration,
            "claims" => Owner::Claims,
            "records" => Owner::Records,
            "laboratory" => Owner::Laboratory,
            "pharmacy" => Owner::Pharmacy,
            "vendor" => Owner::Vendor,
            _ => return Err(self.wrong("owner", "registration, claims, records, laboratory, pharmacy or vendor")),
        };
        let check = Check {
            id: self.id(),
            name,
            table,
            field,
            code: self.text("code").to_owned(),
            sex,
            age,
            low: self.bound("low")?,
            high: self.bound("high")?,
            reference: self.text("ref").to_owned(),
            threshold,
            fatal,
            severity,
            owner,
        };
        self.fits(&check, kind)?;
        Ok(check)
    }

    fn id(&self) -> String {
        let mut id = [self.text("table"), self.text("field"), self.text("check")].join(".");
        for column in ["code", "sex", "from"] {
            if !self.text(column).is_empty() {
                id.push('.');
                id.push_str(self.text(column));
            }
        }
        id
    }

    /// Whether a check has what it needs and its column is of a kind that it can look at.
    fn fits(&self, check: &Check, kind: Option<Kind>) -> Result<(), RuleError> {
        use CheckName as N;
        let day = matches!(kind, Some(Kind::Date32 | Kind::Timestamp));
        let number = matches!(kind, Some(Kind::Int32 | Kind::Int64 | Kind::Float64));
        let text = kind == Some(Kind::Utf8);
        let needs = |ok: bool, column: &'static str, what: &str| if ok { Ok(()) } else { Err(self.wrong(column, what)) };
        let is_number = |bound: Option<Bound>| matches!(bound, Some(Bound::Number(_)));
        match check.name {
            N::PersonCompleteness => Ok(()),
            N::MonthGap => {
                needs(day, "field", "a column with a date is needed")?;
                needs(check.code.is_empty() || check.table == Table::Measurement, "code", "only of results by test")
            }
            N::DuplicateRows => needs(day, "field", "a column with a date is needed"),
            N::PersonConflict => {
                let known = ["gender_concept_id", "year_of_birth"].contains(&check.field.as_str());
                needs(check.table == Table::Person && known, "field", "gender_concept_id or year_of_birth of person")
            }
            N::RowsShift | N::PersonsShift => {
                needs(day, "field", "a column with a date is needed")?;
                needs(is_number(check.low) && is_number(check.high), "low", "low and high, in percent, are needed")
            }
            N::RowsPerPerson => needs(is_number(check.high), "high", "a number of rows is needed"),
            N::ForeignKey => {
                let known = ["person", "visit_occurrence", "visit_detail"].contains(&check.reference.as_str());
                needs(known && (number || check.field == "record_id"), "ref", "person, visit_occurrence or visit_detail")
            }
            N::PrimaryKey => needs(kind == Some(Kind::Int64), "field", "a column with row ids is needed"),
            N::Required | N::ValueCompleteness => needs(kind.is_some(), "field", "a column is needed"),
            N::CompletenessShift => {
                needs(kind.is_some(), "field", "a column is needed")?;
                needs(is_number(check.low), "low", "percentage points are needed")
            }
            N::DataType => needs(text && is_number(check.high), "high", "a column of text and a length are needed"),
            N::StandardConcept | N::SourceConcept => needs(kind == Some(Kind::Int32), "field", "a concept column is needed"),
            N::SourceValue => needs(text, "field", "a column of text is needed"),
            N::LocalCodeShift => needs(text && is_number(check.low), "low", "a column of text and points are needed"),
            N::CodeForm => {
                let known = crate::codes::Form::by_name(&check.code).is_some();
                needs(text && known, "code", "ICD10, DISEASE, DRUG, JLAC10, ACT, DEVICE or UNIT")
            }
            N::ValueLow | N::ValueHigh => {
                let bound = if check.name == N::ValueLow { ("low", check.low) } else { ("high", check.high) };
                let fits = match bound.1 {
                    Some(Bound::Number(_)) => number,
                    Some(Bound::Day(_)) => day,
                    Some(Bound::Today(_)) => day || check.field == "year_of_birth",
                    None => false,
                };
                needs(fits, bound.0, "a bound is needed: a number for numbers, a day or today for dates")
            }
            N::AfterBirth => needs(day, "field", "a column with a date is needed"),
            N::BeforeDeath | N::WithinVisit => {
                needs(day && is_number(check.low), "low", "a column with a date and a number of days are needed")
            }
            N::StartBeforeEnd | N::Datetime => {
                let other = check.table.fields().find(|f| f.name == check.reference).map(|f| f.kind);
                let same = other.is_some() && (other == kind || check.name == N::Datetime);
                needs((day || number) && same, "ref", "another column of the same kind is needed")
            }
            N::Gender => needs(check.sex.is_some() && !check.code.is_empty(), "sex", "a code and a sex are needed"),
            N::Age => needs(check.age.is_some() && !check.code.is_empty(), "from", "a code and an age are needed"),
            N::Unit => {
                let parsed = crate::units::Units::parse(&check.reference).is_some();
                needs(parsed && !check.code.is_empty(), "ref", "units with factors are needed: mg/dL=1|g/L=100")
            }
            N::UnitShift | N::RangeShift => {
                needs(is_number(check.low) && !check.code.is_empty(), "low", "a code and percentage points are needed")
            }
            N::ValueShift => {
                let factor = matches!(check.high, Some(Bound::Number(f)) if f > 1.0);
                needs(factor && !check.code.is_empty(), "high", "a code and a factor over 1 are needed")
            }
            N::CodeValue | N::CodeUnit => needs(!check.code.is_empty(), "code", "a code is needed"),
            N::CodeRowsShift => {
                needs(!check.code.is_empty(), "code", "a code is needed")?;
                needs(is_number(check.low) && is_number(check.high), "low", "low and high, in percent, are needed")
            }
        }
    }
}
