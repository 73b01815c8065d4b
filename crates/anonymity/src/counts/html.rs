//! The report of a noisy table as a page: one file, no script, no network; for readers who have never heard of noise.

use askama::Template;
use messages::{Lang, Message};

use super::question::{Counted, Persons};
use super::{CountsReport, Line, Mechanism, Release, Stratum, Unit};

/// Lines that the page shows; the table itself has all.
const SHOWN: usize = 500;

/// Odds that move by more than this protect little, and the page says so.
const WEAK: f64 = 20.0;

/// Codes of the texts that the report is made of.
pub const TEXTS: &[&str] = &[
    "anonymity-counts-title",
    "anonymity-counts-summary",
    "anonymity-counts-asked",
    "anonymity-counts-counted",
    "anonymity-counts-counted-persons",
    "anonymity-counts-counted-rows",
    "anonymity-counts-by",
    "anonymity-counts-given",
    "anonymity-counts-found",
    "anonymity-counts-purpose",
    "anonymity-counts-change-title",
    "anonymity-counts-change-persons",
    "anonymity-counts-change-rows",
    "anonymity-counts-change-each-row",
    "anonymity-counts-odds",
    "anonymity-counts-odds-but",
    "anonymity-counts-weak",
    "anonymity-counts-noise-title",
    "anonymity-counts-noise",
    "anonymity-counts-noise-laplace",
    "anonymity-counts-noise-gaussian",
    "anonymity-counts-threshold",
    "anonymity-counts-suppressed",
    "anonymity-counts-non-negative",
    "anonymity-counts-budget-title",
    "anonymity-counts-holding",
    "anonymity-counts-spent-now",
    "anonymity-counts-left",
    "anonymity-counts-spent-all",
    "anonymity-counts-budget-help",
    "anonymity-counts-table-title",
    "anonymity-counts-table-help",
    "anonymity-counts-count",
    "anonymity-counts-error",
    "anonymity-counts-total",
    "anonymity-counts-total-help",
    "anonymity-counts-more",
    "anonymity-counts-none",
    "anonymity-counts-limits-title",
    "anonymity-counts-limit-bound",
    "anonymity-counts-limit-cells",
    "anonymity-counts-limit-open",
    "anonymity-counts-limit-person",
    "anonymity-counts-done",
    "anonymity-budget-created",
    "anonymity-budget-shown",
    "anonymity-budget-line",
    "anonymity-budget-none",
    "anonymity-budget-exists",
    "anonymity-budget-busy",
    "anonymity-budget-linked",
    "anonymity-budget-rolled-back",
    "anonymity-budget-unwitnessed",
];

#[derive(Template)]
#[template(path = "counts.html")]
struct Page<'a> {
    report: &'a CountsReport,
    release: &'a Release,
    lang: Lang,
}

impl Page<'_> {
    fn t(&self, code: &'static str) -> String {
        Message::new(code).text(self.lang)
    }

    fn language(&self) -> &'static str {
        match self.lang {
            Lang::Ja => "ja",
            Lang::En => "en",
        }
    }

    fn listed(&self, words: &[&str]) -> String {
        words.join(if self.lang == Lang::Ja { "、" } else { ", " })
    }

    fn by(&self) -> String {
        self.listed(&self.report.question.by.iter().map(|s| s.column.as_str()).collect::<Vec<_>>())
    }

    fn summary(&self) -> String {
        Message::new("anonymity-counts-summary").with("by", self.by()).with("width", self.report.half_width_95).text(self.lang)
    }

    fn counted(&self) -> String {
        self.t(match self.report.question.count {
            Counted::Persons => "anonymity-counts-counted-persons",
            Counted::Rows => "anonymity-counts-counted-rows",
        })
    }

    fn values(&self, stratum: &Stratum) -> String {
        match &stratum.values {
            Some(values) => Message::new("anonymity-counts-given").with("values", values.len()).text(self.lang),
            None => self.t("anonymity-counts-found"),
        }
    }

    fn change(&self) -> String {
        let q = &self.report.question;
        let code = match (&q.persons, q.count) {
            (Persons::Rows, _) => "anonymity-counts-change-each-row",
            (Persons::Column(_), Counted::Persons) => "anonymity-counts-change-persons",
            (Persons::Column(_), Counted::Rows) => "anonymity-counts-change-rows",
        };
        Message::new(code)
            .with("cells", q.most_cells)
            .with("rows", q.most_rows)
            .with("l1", self.report.l1_sensitivity)
            .text(self.lang)
    }

    /// How far the table can move what somebody believes of a person.
    fn odds(&self) -> Vec<String> {
        let factor = self.report.epsilon.exp();
        let shown = if factor < 1e6 { format!("{factor:.2}") } else { format!("{factor:.0e}") };
        let mut lines = vec![Message::new("anonymity-counts-odds").with("factor", shown)];
        if self.report.epsilon_delta > 0.0 {
            lines.push(Message::new("anonymity-counts-odds-but").with("delta", format!("{:.1e}", self.report.epsilon_delta)));
        }
        if factor > WEAK {
            lines.push(Message::new("anonymity-counts-weak"));
        }
        lines.into_iter().map(|m| m.text(self.lang)).collect()
    }

    fn noise(&self) -> String {
        let parameter = self.report.question.parameter;
        let (code, width) = match self.report.question.mechanism {
            Mechanism::Laplace => ("anonymity-counts-noise-laplace", self.report.laplace_scale.as_deref()),
            Mechanism::Gaussian => ("anonymity-counts-noise-gaussian", self.report.gaussian_variance.as_deref()),
        };
        Message::new(code).with("parameter", parameter).with("width", width.unwrap_or_default()).text(self.lang)
    }

    fn width(&self) -> String {
        Message::new("anonymity-counts-noise").with("width", self.report.half_width_95).text(self.lang)
    }

    /// What decided that cells are not shown, and how counts are.
    fn shown(&self) -> Vec<String> {
        let q = &self.report.question;
        let delta = q.delta.map(|d| d.to_string()).unwrap_or_default();
        let threshold =
            self.report.threshold.map(|t| Message::new("anonymity-counts-threshold").with("threshold", t).with("delta", delta));
        let suppressed = q.suppress.map(|t| Message::new("anonymity-counts-suppressed").with("least", t));
        let non_negative = q.non_negative.then(|| Message::new("anonymity-counts-non-negative"));
        [threshold, suppressed, non_negative].into_iter().flatten().map(|m| m.text(self.lang)).collect()
    }

    /// An amount with its δ, where there is one.
    fn amount(&self, amount: super::Decimal, delta: super::Decimal, unit: Unit) -> String {
        let delta = if delta == super::Decimal::ZERO { String::new() } else { format!(", δ {delta}") };
        format!("{} {amount}{delta}", unit.sign())
    }

    fn spent(&self) -> String {
        let s = &self.report.spent;
        self.amount(s.amount, s.delta, s.unit)
    }

    fn left(&self) -> String {
        let l = &self.report.left;
        format!("{} / {}", self.amount(l.amount, l.delta, l.unit), self.amount(l.total, l.total_delta, l.unit))
    }

    fn spent_all(&self) -> String {
        let l = &self.report.left;
        let delta = if l.spent_epsilon_delta > 0.0 { format!(", δ {:.1e}", l.spent_epsilon_delta) } else { String::new() };
        format!("ε {:.4}{delta}", l.spent_epsilon)
    }

    /// Share of the budget that is left, in percent.
    fn share(&self) -> String {
        let l = &self.report.left;
        format!("{:.1}", l.amount.to_f64() / l.total.to_f64() * 100.0)
    }

    fn cells(&self) -> &[Line] {
        &self.release.cells[..self.release.cells.len().min(SHOWN)]
    }

    fn totals(&self) -> &[Line] {
        &self.release.totals[..self.release.totals.len().min(SHOWN)]
    }

    fn more(&self) -> Option<String> {
        let more = self.release.cells.len().saturating_sub(SHOWN) + self.release.totals.len().saturating_sub(SHOWN);
        (more > 0).then(|| Message::new("anonymity-counts-more").with("more", more).text(self.lang))
    }

    fn limits(&self) -> Vec<String> {
        let q = &self.report.question;
        let of_column = matches!(q.persons, Persons::Column(_));
        [
            of_column.then_some("anonymity-counts-limit-bound"),
            (q.count == Counted::Persons && q.most_cells > 1).then_some("anonymity-counts-limit-cells"),
            (!q.is_closed()).then_some("anonymity-counts-limit-open"),
            (!of_column).then_some("anonymity-counts-limit-person"),
        ]
        .into_iter()
        .flatten()
        .map(|code| self.t(code))
        .collect()
    }
}

/// The report with its table as an HTML page in a language.
pub fn counts_html(report: &CountsReport, release: &Release, lang: Lang) -> String {
    // Rendering to a String fails only where a value's Display does, and those are numbers and texts.
    Page { report, release, lang }.render().unwrap_or_default()
}
