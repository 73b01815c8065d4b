//! The report as a page (one file, no script, no network, prints on paper), and every check as a line.

use std::collections::BTreeMap;

use askama::Template;
use messages::{Lang, Message};
use omop::Table;

use crate::findings::{Cause, Finding, MOST, findings};
use crate::outcome::{CheckResult, Outcome, Status, Unmapped};
use crate::rules::{Category, Owner, Severity};

/// Codes of the sender's own that the page shows.
const UNMAPPED: usize = 20;
/// Failed checks that the page shows; the table of results has all.
const SHOWN: usize = 300;
/// Months that the picture shows.
const MONTHS_SHOWN: usize = 36;

/// What the page says about the run itself.
#[derive(Clone)]
pub struct Head {
    /// Whose data: the provider's name, or the name of what was read.
    pub of: String,
    /// Day of the run, `YYYY-MM-DD`.
    pub day: String,
    /// Codes of the sender's own are shown when at least so many patients have them: 1 inside the hospital.
    pub at_least: u64,
    /// What could not be read, in words, with how often.
    pub unread: Vec<(String, u64)>,
    /// The hospital's own count of patients by month.
    pub counts: Vec<(String, u64)>,
    /// What was found when the same was looked at before, where it was.
    pub before: Option<crate::Kept>,
}

macro_rules! texts {
    ($($code:literal)+) => {
        /// Codes of the texts that the page is made of.
        pub const TEXTS: &[&str] = &[$($code,)+];
    };
}

texts! {
    "quality-title" "quality-of" "quality-day" "quality-summary-good" "quality-summary-some" "quality-summary-unread" "quality-summary-nothing" "quality-patients"
    "quality-rows" "quality-checks" "quality-failed" "quality-findings-title" "quality-more-findings" "quality-where" "quality-since" "quality-period"
    "quality-how-many" "quality-how-many-persons" "quality-mended-by" "quality-and-more" "quality-months-title" "quality-months-help" "quality-own-counts" "quality-found"
    "quality-month" "quality-unmapped-title" "quality-unmapped-help" "quality-unmapped-few" "quality-code" "quality-column" "quality-unread-title"
    "quality-unread-help" "quality-times" "quality-details-title" "quality-category" "quality-passed" "quality-not-asked" "quality-check"
    "quality-percent" "quality-allowed" "quality-severity" "quality-limits-title" "quality-limits" "quality-tables-title" "quality-table"
    "quality-category-conformance" "quality-category-completeness" "quality-category-plausibility"
    "quality-severity-note" "quality-severity-warning" "quality-severity-error" "quality-severity-fatal"
    "quality-owner-registration" "quality-owner-claims" "quality-owner-records" "quality-owner-laboratory" "quality-owner-pharmacy" "quality-owner-vendor"
    "quality-cause-stopped" "quality-cause-volume" "quality-cause-twice" "quality-cause-not-filled" "quality-cause-unit" "quality-cause-range"
    "quality-cause-master" "quality-cause-dates" "quality-cause-values" "quality-cause-person" "quality-cause-structure" "quality-cause-no-patient" "quality-cause-birth"
    "quality-cause-test-stopped" "quality-cause-two-people" "quality-still" "quality-new" "quality-mended" "quality-is-new" "quality-fatal-over" "quality-summary-fatal"
    "quality-field-discharge" "quality-field-visit" "quality-field-birth" "quality-field-sex" "quality-field-value" "quality-field-unit"
    "quality-field-range" "quality-field-quantity" "quality-field-days" "quality-field-icd10" "quality-field-department" "quality-field-ward"
    "quality-field-route" "quality-field-text" "quality-field-patient" "quality-field-end" "quality-field-day" "quality-field-time"
    "quality-field-code" "quality-field-concept"
    "quality-table-person" "quality-table-observation-period" "quality-table-visit" "quality-table-stay-part" "quality-table-condition" "quality-table-drug"
    "quality-table-procedure" "quality-table-device" "quality-table-measurement" "quality-table-observation" "quality-table-death" "quality-table-note"
    "quality-table-specimen" "quality-table-payer" "quality-table-cost" "quality-table-other"
}

/// Columns in words: whole names first, then how names end.
const FIELDS: &[(&str, &str)] = &[
    ("visit_end_date", "quality-field-discharge"),
    ("visit_start_date", "quality-field-visit"),
    ("year_of_birth", "quality-field-birth"),
    ("month_of_birth", "quality-field-birth"),
    ("day_of_birth", "quality-field-birth"),
    ("birth_datetime", "quality-field-birth"),
    ("gender_concept_id", "quality-field-sex"),
    ("gender_source_value", "quality-field-sex"),
    ("value_as_number", "quality-field-value"),
    ("value_source_value", "quality-field-value"),
    ("unit_source_value", "quality-field-unit"),
    ("dose_unit_source_value", "quality-field-unit"),
    ("range_low", "quality-field-range"),
    ("range_high", "quality-field-range"),
    ("quantity", "quality-field-quantity"),
    ("days_supply", "quality-field-days"),
    ("icd10", "quality-field-icd10"),
    ("department", "quality-field-department"),
    ("ward", "quality-field-ward"),
    ("route_source_value", "quality-field-route"),
    ("note_text", "quality-field-text"),
    ("record_id", "quality-field-patient"),
    ("_end_date", "quality-field-end"),
    ("_end_datetime", "quality-field-end"),
    ("_date", "quality-field-day"),
    ("_datetime", "quality-field-time"),
    ("_source_value", "quality-field-code"),
    ("_concept_id", "quality-field-concept"),
];

#[derive(Template)]
#[template(path = "quality.html")]
struct Page<'a> {
    outcome: &'a Outcome,
    head: &'a Head,
    lang: Lang,
    findings: Vec<Finding>,
}

/// A month of the picture.
struct Bar {
    x: f64,
    height: f64,
    own: Option<f64>,
    label: String,
    title: String,
}

/// The page.
///
/// # Errors
/// Never for what a run can come to.
pub fn report_html(outcome: &Outcome, head: &Head, lang: Lang) -> Result<String, askama::Error> {
    Page { outcome, head, lang, findings: findings(outcome) }.render()
}

/// Every check as a line of CSV, with its counts.
///
/// # Errors
/// When a line cannot be written, which memory does not refuse.
pub fn results_csv(outcome: &Outcome) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "check_id",
        "check",
        "category",
        "table",
        "field",
        "code",
        "status",
        "severity",
        "owner",
        "tested",
        "violated",
        "percent",
        "threshold",
        "persons",
        "since",
        "until",
        "told",
    ])?;
    for r in &outcome.results {
        let status = match (r.status, r.reason) {
            (Status::Pass, _) => "pass",
            (Status::Fail, _) => "fail",
            (Status::NotApplicable, Some(crate::Reason::NoRows)) => "no rows",
            (Status::NotApplicable, Some(crate::Reason::OnlyLake)) => "made in the lake",
            (Status::NotApplicable, _) => "nothing to test",
        };
        out.write_record([
            &r.id,
            r.name.as_str(),
            word(&r.category).as_str(),
            r.table.name(),
            &r.field,
            &r.code,
            status,
            &word(&r.severity),
            &word(&r.owner),
            &r.tested.to_string(),
            &r.violated.to_string(),
            &format!("{:.3}", r.percent),
            &r.threshold.to_string(),
            &r.persons.to_string(),
            r.since.as_deref().unwrap_or_default(),
            r.until.as_deref().unwrap_or_default(),
            &r.told,
        ])?;
    }
    out.into_inner().map_err(|e| csv::Error::from(e.into_error()))
}

/// The word of a value in files.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// So many months up to one, `YYYY-MM`.
fn months_to(last: &str, count: usize) -> Vec<String> {
    let parts =
        last.split_once('-').and_then(|(y, m)| Some((y.parse::<usize>().ok()?, m.parse::<usize>().ok()?.checked_sub(1)?)));
    let Some(number) = parts.map(|(year, month)| year * 12 + month) else { return Vec::new() };
    (number.saturating_sub(count - 1)..=number).map(|n| format!("{:04}-{:02}", n / 12, n % 12 + 1)).collect()
}

fn table_text(table: Table) -> &'static str {
    match table {
        Table::Person => "quality-table-person",
        Table::ObservationPeriod => "quality-table-observation-period",
        Table::VisitOccurrence | Table::VisitEvent => "quality-table-visit",
        Table::VisitDetail => "quality-table-stay-part",
        Table::ConditionOccurrence => "quality-table-condition",
        Table::DrugExposure => "quality-table-drug",
        Table::ProcedureOccurrence => "quality-table-procedure",
        Table::DeviceExposure => "quality-table-device",
        Table::Measurement => "quality-table-measurement",
        Table::Observation => "quality-table-observation",
        Table::Death => "quality-table-death",
        Table::Note => "quality-table-note",
        Table::Specimen => "quality-table-specimen",
        Table::PayerPlanPeriod => "quality-table-payer",
        Table::Cost => "quality-table-cost",
        _ => "quality-table-other",
    }
}

impl Page<'_> {
    fn t(&self, code: &'static str) -> String {
        Message::new(code).text(self.lang)
    }

    fn n(&self, number: impl std::borrow::Borrow<u64>) -> String {
        let digits = number.borrow().to_string();
        let mut out = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place) % 3 == 0 {
                out.push(',');
            }
            out.push(digit);
        }
        out
    }

    fn summary(&self) -> String {
        let count = self.findings.len();
        match () {
            () if self.outcome.rows() == 0 => self.t("quality-summary-nothing"),
            () if count == 0 && self.head.unread.is_empty() => self.t("quality-summary-good"),
            // Of what was not read nobody can say that it is well.
            () if count == 0 => self.t("quality-summary-unread"),
            () if self.outcome.failed(Severity::Fatal) > 0 => {
                Message::new("quality-summary-fatal").with("count", count).text(self.lang)
            }
            () => Message::new("quality-summary-some").with("count", count).text(self.lang),
        }
    }

    fn unread(&self) -> Vec<(&str, u64)> {
        self.head.unread.iter().map(|(text, n)| (text.as_str(), *n)).collect()
    }

    fn first(&self) -> &[Finding] {
        &self.findings[..self.findings.len().min(MOST)]
    }

    fn more_findings(&self) -> Option<String> {
        let more = self.findings.len().saturating_sub(MOST);
        (more > 0).then(|| Message::new("quality-more-findings").with("count", more).text(self.lang))
    }

    fn label(&self, table: &Table) -> String {
        self.t(table_text(*table))
    }

    fn label_of(&self, name: &str) -> String {
        Table::by_name(name).map_or_else(|| name.to_owned(), |table| self.label(&table))
    }

    fn sentence(&self, finding: &Finding) -> String {
        let text = Cause::ALL.iter().find(|(c, _)| *c == finding.cause).map_or("quality-cause-structure", |(_, text)| text);
        let table = finding.table.map_or_else(String::new, |table| self.label(&table));
        Message::new(text).with("table", table).text(self.lang)
    }

    /// A table, a column or a code in the words of those who mend it; the details have the names.
    fn subject(&self, what: &str) -> String {
        if let Some(table) = Table::by_name(what) {
            return self.label(&table);
        }
        FIELDS
            .iter()
            .find(|(field, _)| what == *field || field.starts_with('_') && what.ends_with(field))
            .map_or_else(|| what.to_owned(), |(_, text)| self.t(text))
    }

    fn subjects(&self, finding: &Finding) -> String {
        let subject = |subject: &String| match subject.split_once(" (") {
            Some((what, told)) => format!("{} ({told}", self.subject(what)),
            None => self.subject(subject),
        };
        let subjects: Vec<String> = finding.subjects.iter().map(subject).collect();
        let mut text = subjects.join(if self.lang == Lang::Ja { "、" } else { ", " });
        if finding.more > 0 {
            text.push(' ');
            text.push_str(&Message::new("quality-and-more").with("count", finding.more).text(self.lang));
        }
        text
    }

    fn period(&self, finding: &Finding) -> Option<String> {
        let since = finding.since.as_ref()?;
        let until = finding.until.as_ref().unwrap_or(since);
        // What is so in the last months before today is so still: the month of today is never whole.
        let recent = months_to(self.head.day.get(..7)?, 3);
        let code = if recent.iter().any(|m| m == until) { "quality-still" } else { "quality-period" };
        Some(Message::new(code).with("since", since).with("until", until).text(self.lang))
    }

    fn how_many(&self, finding: &Finding) -> String {
        let message = match finding.rows {
            Some(rows) => Message::new("quality-how-many").with("rows", self.n(rows)),
            None => Message::new("quality-how-many-persons"),
        };
        message.with("persons", self.n(finding.persons)).text(self.lang)
    }

    /// What became of the checks that failed when the same was looked at before: how many are new, how many are mended.
    fn since_before(&self) -> Option<String> {
        let before = self.head.before.as_ref()?;
        let (new, mended) = before.changes(self.outcome);
        let text = |code: &'static str, n: usize| Message::new(code).with("count", n).with("day", &before.day).text(self.lang);
        Some([text("quality-new", new.len()), text("quality-mended", mended.len())].join(" "))
    }

    /// Whether none of a finding's checks failed before.
    fn is_new(&self, finding: &Finding) -> bool {
        self.head.before.as_ref().is_some_and(|b| finding.checks.iter().all(|c| !b.failed(c)))
    }

    fn owner(&self, owner: &Owner) -> String {
        self.t(match owner {
            Owner::Registration => "quality-owner-registration",
            Owner::Claims => "quality-owner-claims",
            Owner::Records => "quality-owner-records",
            Owner::Laboratory => "quality-owner-laboratory",
            Owner::Pharmacy => "quality-owner-pharmacy",
            Owner::Vendor => "quality-owner-vendor",
        })
    }

    fn severity(&self, severity: &Severity) -> String {
        self.t(match severity {
            Severity::Note => "quality-severity-note",
            Severity::Warning => "quality-severity-warning",
            Severity::Error => "quality-severity-error",
            Severity::Fatal => "quality-severity-fatal",
        })
    }

    fn class(&self, severity: &Severity) -> String {
        word(severity)
    }

    fn unmapped(&self) -> Vec<&Unmapped> {
        self.outcome.unmapped.iter().filter(|u| u.persons >= self.head.at_least).take(UNMAPPED).collect()
    }

    fn word<'a>(&self, code: &'a str) -> &'a str {
        crate::run::shown_word(code)
    }

    /// Codes that are not shown, as few patients have them.
    fn unmapped_few(&self) -> Option<String> {
        let few = self.outcome.unmapped.iter().filter(|u| u.persons < self.head.at_least).count();
        let message = Message::new("quality-unmapped-few").with("count", few).with("least", self.head.at_least);
        (few > 0).then(|| message.text(self.lang))
    }

    fn categories(&self) -> Vec<(String, usize, usize, usize)> {
        let kinds = [
            (Category::Conformance, "quality-category-conformance"),
            (Category::Completeness, "quality-category-completeness"),
            (Category::Plausibility, "quality-category-plausibility"),
        ];
        let count = |kind: Category, status: Status| {
            self.outcome.results.iter().filter(|r| r.category == kind && r.status == status).count()
        };
        let row = |(kind, text): (Category, &'static str)| {
            (self.t(text), count(kind, Status::Pass), count(kind, Status::Fail), count(kind, Status::NotApplicable))
        };
        kinds.into_iter().map(row).collect()
    }

    fn failing(&self) -> Vec<&CheckResult> {
        let mut failing: Vec<&CheckResult> = self.outcome.results.iter().filter(|r| r.status == Status::Fail).collect();
        failing.sort_by(|a, b| (b.severity, b.persons).cmp(&(a.severity, a.persons)).then_with(|| a.id.cmp(&b.id)));
        failing.truncate(SHOWN);
        failing
    }

    fn percent(&self, value: &f64) -> String {
        if *value > 0.0 && *value < 0.1 { "<0.1%".to_owned() } else { format!("{value:.1}%") }
    }

    fn fatal_over(&self, percent: &f64) -> String {
        Message::new("quality-fatal-over").with("percent", percent).text(self.lang)
    }

    fn bars(&self) -> Vec<Bar> {
        let own: BTreeMap<&str, u64> = self.head.counts.iter().map(|(m, n)| (m.as_str(), *n)).collect();
        let mut months: BTreeMap<&str, u64> = own.keys().map(|m| (*m, 0)).collect();
        months.extend(self.outcome.months.iter().map(|m| (m.month.as_str(), m.persons)));
        // Every month up to today's: one without anybody is to be seen.
        let last = months.keys().next_back().copied().unwrap_or_default().min(self.head.day.get(..7).unwrap_or("9999-12"));
        let every = months_to(last, MONTHS_SHOWN);
        let first = months.keys().next().copied().unwrap_or_default();
        let shown: Vec<(&str, u64)> =
            every.iter().map(String::as_str).filter(|m| *m >= first).map(|m| (m, months.get(m).copied().unwrap_or(0))).collect();
        let most = shown.iter().map(|(m, n)| (*n).max(own.get(m).copied().unwrap_or(0))).max().unwrap_or(0).max(1);
        let step = 720.0 / shown.len().max(12) as f64;
        let scaled = |n: u64| (n as f64 / most as f64 * 120.0 * 10.0).round() / 10.0;
        let bar = |(place, (month, persons)): (usize, &(&str, u64))| Bar {
            x: (place as f64 * step * 10.0).round() / 10.0,
            height: scaled(*persons),
            own: own.get(month).map(|n| scaled(*n)),
            label: if month.ends_with("-01") || place == 0 { (*month).to_owned() } else { String::new() },
            title: match own.get(month) {
                Some(own) => format!("{month}: {} / {}", self.n(persons), self.n(own)),
                None => format!("{month}: {}", self.n(persons)),
            },
        };
        shown.iter().enumerate().map(bar).collect()
    }

    fn width(&self) -> f64 {
        let shown = self.bars().len().max(12);
        (720.0 / shown as f64 * 0.8 * 10.0).round() / 10.0
    }

    /// Months in which the hospital's own count and what was found differ by more than a tenth.
    fn differing(&self) -> Vec<(&str, u64, u64)> {
        let found: BTreeMap<&str, u64> = self.outcome.months.iter().map(|m| (m.month.as_str(), m.persons)).collect();
        let own = self.head.counts.iter().map(|(m, n)| (m.as_str(), *n, found.get(m.as_str()).copied().unwrap_or(0)));
        own.filter(|(_, own, found)| own.abs_diff(*found).saturating_mul(10) > *own).collect()
    }
}
